/** Options of a connection: their defaults, and what is refused. */
import {
  CONNECTION_OPTION_NAMES,
  type ConnectionOptions,
  connectionSettings,
  DEFAULT_CONNECTION_SETTINGS,
} from "../../connection/options.ts";
import { assertEquals, assertThrows, test } from "../harness.ts";

test("options are filled up with the documented defaults", () => {
  assertEquals(connectionSettings("test", {}), {
    maxMessageBytes: 1_048_576,
    maxFragments: 16_384,
    pingIntervalMs: 20_000,
    pingTimeoutMs: 20_000,
    closeTimeoutMs: 10_000,
    sendHighWaterBytes: 65_536,
    sendMaxBytes: 16_777_216,
    receiveHighWaterBytes: 65_536,
    receiveHighWaterMessages: 16,
  });
  const { maxFragments, ...rest } = connectionSettings("test", {
    maxFragments: 1,
  });
  const { maxFragments: _, ...defaults } = DEFAULT_CONNECTION_SETTINGS;
  assertEquals([maxFragments, rest], [1, defaults]);
});

test("each option refuses what is no amount", () => {
  for (const name of CONNECTION_OPTION_NAMES) {
    if (name === "compression") continue;
    const make = (value: unknown) => () =>
      connectionSettings("test", { [name]: value } as ConnectionOptions);
    for (const value of ["1", null, {}, [], true, 5n, new Date()]) {
      assertThrows(make(value), TypeError, `Cannot test: ${name}`);
    }
    for (const value of [-1, NaN, -Infinity]) {
      assertThrows(make(value), RangeError, `Cannot test: ${name}`);
    }
    for (const value of [1, 1e9, Infinity, undefined]) make(value)();
    if (/HighWater/.test(name)) assertThrows(make(0), RangeError, name);
    else make(0)();
  }
});
