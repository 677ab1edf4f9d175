import {
  compressionLoaded,
  type CompressionOptions,
  compressionSettings,
  DEFAULT_COMPRESSION,
  isCompressionLoaded,
  loadCompression,
  messageTransform,
} from "../../connection/compression.ts";
import {
  type ConnectionOptions,
  connectionSettings,
} from "../../connection/options.ts";
import { MASK_KEY } from "../harness/frame.ts";
import { close, Rig } from "./rig.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
  test,
} from "../harness.ts";

const ROLES = ["server", "client"] as const;

test("compression is off on a server, and on where one dials", () => {
  assertStrictEquals(connectionSettings("test", {}).compression, undefined);
  assertEquals(connectionSettings("test", {}, "client").compression, {
    thresholdBytes: 128,
    level: 6,
    memoryLevel: 5,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
  });
  assertEquals(
    connectionSettings("test", { compression: true }).compression,
    {
      thresholdBytes: 128,
      level: 6,
      memoryLevel: 5,
      serverMaxWindowBits: 12,
      clientMaxWindowBits: 12,
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
    },
  );
});

test("compression: false is none, true the defaults, which are shared", () => {
  for (const role of ROLES) {
    const of = (options: ConnectionOptions) =>
      connectionSettings("test", options, role);
    assertEquals("compression" in of({ compression: false }), false);
    assertEquals(
      "compression" in of({ compression: false, maxFragments: 5 }),
      false,
    );
    const on = of({ compression: true, maxFragments: 5 });
    assertEquals(on.maxFragments, 5);
    assertStrictEquals(on.compression, DEFAULT_COMPRESSION[role]);
    assertStrictEquals(of({ compression: true }).compression, on.compression);
  }
  assertStrictEquals(
    connectionSettings("test", {}, "client"),
    connectionSettings("test", {}, "client"),
  );
});

test("compression: what is not said is the default", () => {
  for (const role of ROLES) {
    assertEquals(
      compressionSettings("test", role, {
        level: 1,
        serverMaxWindowBits: undefined,
        clientNoContextTakeover: true,
      } as unknown as CompressionOptions),
      { ...DEFAULT_COMPRESSION[role], level: 1, clientNoContextTakeover: true },
    );
  }
});

test("PM-6: options of compression are checked, and unknown ones refused", () => {
  const make = (compression: unknown) => () =>
    connectionSettings("test", { compression } as ConnectionOptions);
  for (const value of [null, 1, "deflate", Symbol(), () => true]) {
    assertThrows(make(value), TypeError, "Cannot test: compression is neither");
  }
  assertThrows(
    make({ treshold: 1 }),
    TypeError,
    "unknown option: compression.treshold",
  );
  const ranges: [string, number, number][] = [
    ["level", 0, 9],
    ["memoryLevel", 1, 9],
    ["serverMaxWindowBits", 8, 15],
    ["clientMaxWindowBits", 8, 15],
  ];
  for (const [name, least, most] of ranges) {
    for (const value of [least - 1, most + 1, least + 0.5, NaN, Infinity, -1]) {
      assertThrows(make({ [name]: value }), RangeError, `Cannot test: ${name}`);
    }
    for (const value of ["9", null, true, {}, 9n]) {
      assertThrows(make({ [name]: value }), TypeError, `Cannot test: ${name}`);
    }
    make({ [name]: least })();
    make({ [name]: most })();
  }
  for (const value of [0, 1, 1e9, Infinity]) make({ thresholdBytes: value })();
  assertThrows(make({ thresholdBytes: -1 }), RangeError, "thresholdBytes");
  assertThrows(make({ thresholdBytes: "1" }), TypeError, "thresholdBytes");
  for (const name of ["serverNoContextTakeover", "clientNoContextTakeover"]) {
    make({ [name]: true })();
    assertThrows(make({ [name]: 1 }), TypeError, `Cannot test: ${name}`);
    assertThrows(make({ [name]: null }), TypeError, `Cannot test: ${name}`);
  }
});

test("messageTransform() makes something only where something was agreed on", async () => {
  const settings = DEFAULT_COMPRESSION.server;
  await loadCompression();
  await compressionLoaded();
  assertEquals(isCompressionLoaded(), true);
  assertStrictEquals(
    messageTransform("server", undefined, settings),
    undefined,
  );
  assertStrictEquals(
    messageTransform("server", settings, undefined),
    undefined,
  );
  const transform = messageTransform("server", settings, settings);
  assert(transform !== undefined);
  assertStrictEquals(transform.encode(new Uint8Array(127)), undefined);
  const encoded = transform.encode(new Uint8Array(128));
  assert(encoded !== undefined && encoded.length < 20);
});

test("PM-9: however a connection ends, what compresses is released", async () => {
  const ends: readonly ((rig: Rig) => void)[] = [
    (rig) => rig.connection.terminate(),
    (rig) => rig.far.destroy(),
    (rig) => {
      void rig.connection.run(() => Promise.resolve());
      rig.send(close());
      rig.far.end();
    },
    // A breach, here of what was agreed on.
    (rig) => {
      rig.send({ rsv: 4, mask: MASK_KEY, payload: "broken" });
      void rig.connection.receive().catch(() => {});
      rig.far.end();
    },
  ];
  for (const end of ends) {
    let released = 0;
    const rig = new Rig({}, {}, "server", {
      encode: () => undefined,
      decode: () => "invalid-deflate",
      release: () => void released++,
    });
    rig.connection.send("hello");
    assertEquals(released, 0);
    end(rig);
    await rig.closed();
    assert(released > 0, `${end}`);
  }
});
