/** Checking UTF-8 against the platform's `TextDecoder`. */
import { Utf8Validator } from "../../codec/utf8.ts";
import { benchPair, SIZES } from "./pair.ts";
import { type Filling, makePayload } from "./payload.ts";

const FILLINGS: readonly Filling[] = ["ASCII", "UTF-8"];

const fatal = new TextDecoder("utf-8", { fatal: true });

for (const filling of FILLINGS) {
  for (const size of SIZES) {
    const bytes = makePayload(filling, size);
    const validator = new Utf8Validator();
    benchPair(`check ${filling}, ${size} bytes`, {
      sockeye: () => validator.push(bytes, 0, size) && validator.complete,
      plain() {
        fatal.decode(bytes);
        return true;
      },
    });
  }
}
