/** `Retry-After`, as servers say it (WS27; RFC 9110, sections 5.6.7 and 10.2.3). */
import { parseHttpDate, retryAfterMs } from "../../client/retry_after.ts";
import { HandshakeError, HeaderList } from "../../codec.ts";
import { assert, assertEquals, test } from "../harness.ts";

function waitFor(headers: [string, string][]): number {
  const error = new HandshakeError("bad-status", "no", {
    status: 503,
    headers: HeaderList.from(headers),
  });
  return retryAfterMs(error);
}

test("WS27: the three forms of a date are one time, in whatever zone we are", () => {
  const ms = Date.UTC(1994, 10, 6, 8, 49, 37);
  assertEquals(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), ms);
  assertEquals(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", 2026), ms);
  assertEquals(parseHttpDate("Sun Nov  6 08:49:37 1994"), ms);
  assertEquals(
    parseHttpDate("Wed Nov 16 08:49:37 1994"),
    Date.UTC(1994, 10, 16, 8, 49, 37),
  );
});

test("WS27: two digits of a year are at most 50 years ahead", () => {
  const yearOf = (digits: string, now: number) =>
    new Date(parseHttpDate(`Sunday, 06-Nov-${digits} 08:49:37 GMT`, now)!)
      .getUTCFullYear();
  assertEquals(yearOf("26", 2026), 2026);
  assertEquals(yearOf("76", 2026), 2076);
  assertEquals(yearOf("77", 2026), 1977);
  assertEquals(yearOf("00", 2026), 2000);
});

test("WS27: what is no date of HTTP's is none, whatever else reads it as one", () => {
  for (
    const text of [
      "",
      "garbage 2099",
      "2099-11-06",
      "2099-11-06T08:49:37Z",
      "11/06/2099",
      "5.5",
      "Sun, 06 Nov 2099 08:49:37",
      "Sun, 06 Nov 2099 08:49:37 +0100",
      "Sun, 6 Nov 2099 08:49:37 GMT",
      "Sun, 06 Nof 2099 08:49:37 GMT",
      "Sun, 06 anF 2099 08:49:37 GMT",
      "Sun, 06 Nov 2099 08:61:37 GMT",
      "Sun, 99 Nov 2099 08:49:37 GMT",
      "Sun, 06 Nov 2099 08:49:37 GMT, Sun, 06 Nov 2099 08:49:37 GMT",
    ]
  ) {
    assertEquals(parseHttpDate(text), undefined, text);
    assertEquals(waitFor([["Retry-After", text]]), 0, text);
  }
});

test("WS27: a date counts from the server's own, or from now", () => {
  const until = "Sun, 06 Nov 1994 08:49:37 GMT";
  const waitMs = (date: string) =>
    waitFor([["Date", date], ["Retry-After", until]]);
  assertEquals(waitMs("Sun, 06 Nov 1994 08:49:07 GMT"), 30_000);
  assertEquals(waitMs("Sun Nov  6 08:49:07 1994"), 30_000);
  assertEquals(waitMs("Sun, 06 Nov 1994 08:50:00 GMT"), 0);
  assertEquals(waitMs("no date"), 0);
  const soon = new Date(Date.now() + 60_000).toUTCString();
  const left = waitFor([["Retry-After", soon]]);
  assert(left > 1_000 && left <= 60_000, `${left}`);
});

test("WS27: two lines of it say nothing", () => {
  assertEquals(waitFor([["Retry-After", "20"], ["retry-after", "30"]]), 0);
  assertEquals(waitFor([["Retry-After", "20"]]), 20_000);
  assertEquals(waitFor([]), 0);
  assertEquals(retryAfterMs(new Error("no answer")), 0);
});
