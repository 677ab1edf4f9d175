/** Each example ends on a signal: its clients are told, and the process ends. */
import { readdirSync, readFileSync } from "node:fs";
import { assert, assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";
import { Example } from "./example.ts";

/** A path of each example that listens, and what its clients have to bring. */
const EXAMPLES: Readonly<
  Record<string, { path: string; headers?: Record<string, string>; ca?: true }>
> = {
  broadcast: { path: "/all" },
  chat: { path: "/rooms/lobby?name=Ann" },
  clock: { path: "/clock" },
  counter: { path: "/counter" },
  counter_handler: { path: "/counter" },
  echo: { path: "/echo" },
  heartbeat: { path: "/heartbeat" },
  hello: { path: "/hello" },
  hello_tls: { path: "/hello", ca: true },
  logger: {
    path: "/log",
    headers: {
      "X-Client": "test",
      "Cookie": "session=4f2a",
      "Sec-WebSocket-Protocol": "log.1",
    },
  },
  multicore: { path: "/thread" },
  patterns: { path: "/both" },
  rate_limit: { path: "/patient" },
};

/** Those that a test of their own ends, with why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  client: "a client",
  files: "only where JSR answers: files_test.ts",
  heartbeat_client: "a client",
  hosted: "served by the runtime: tests/hosted/mounts_test.ts",
  hello_client: "a client",
  websockify: "with a target: websockify_test.ts",
  upload: "with a folder: upload_test.ts",
  upload_client: "a client",
};

for (const [name, { path, headers, ca }] of Object.entries(EXAMPLES)) {
  test(`LC-7: examples/${name}.ts tells its clients 1001 and ends, on either signal`, async () => {
    const certificate = readFileSync(
      checkoutPath("examples/localhost.crt"),
      "utf8",
    );
    const connect = ca ? { ca: certificate } : {};
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      await using example = await Example.run(name);
      await example.assertEndsOn(signal, path, connect, headers);
    }
  });
}

test("no example is left out", () => {
  const names = readdirSync(checkoutPath("examples"))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -3));
  const known = [...Object.keys(EXAMPLES), ...Object.keys(ELSEWHERE)];
  assertEquals(names.sort(), known.sort());
  const index = readFileSync(checkoutPath("examples/README.md"), "utf8");
  for (const name of names) {
    assert(index.includes(`(${name}.ts)`), `README.md leaves ${name}.ts out`);
  }
});
