import { ValueScanner } from "../../codec/value_scanner.ts";
import { assertEquals, test } from "../harness.ts";

const COMMA = 0x2c;

test("tokens and delimiters are taken with the white space before them", () => {
  const scanner = new ValueScanner(" \ta-1 ,b");
  assertEquals(scanner.take(COMMA), false);
  assertEquals(scanner.takeToken(), "a-1");
  assertEquals(scanner.takeToken(), undefined);
  assertEquals(scanner.take(COMMA), true);
  assertEquals(scanner.atEnd(), false);
  assertEquals(scanner.takeToken(), "b");
  assertEquals(scanner.atEnd(), true);
});

test("past the end there is nothing, however often one asks", () => {
  for (const text of ["", "  \t"]) {
    const scanner = new ValueScanner(text);
    for (let i = 0; i < 2; i++) {
      assertEquals(
        [scanner.atEnd(), scanner.takeToken(), scanner.take(COMMA)],
        [true, undefined, false],
      );
    }
  }
});
