/** Happy eyeballs, by the resolver and the kernel: names with addresses that are dead. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Site } from "../../server.ts";
import { assert, assertEquals, testWhere } from "../harness.ts";
import {
  checkoutPath,
  Child,
  currentRuntime,
  runtimePath,
  scriptArguments,
} from "../harness/child.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo } from "../site/served.ts";
import { dialPermitted } from "./permitted.ts";

const NET = checkoutPath("tests/client/eyeballs_net.sh");

/** A machine may forbid network namespaces, or have none. */
function missingNetwork(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-net-"));
  try {
    const { status } = spawnSync(
      "unshare",
      ["-rnm", "sh", NET, folder, "true"],
      { timeout: 5_000 },
    );
    return status === 0 ? undefined : "network namespace (unshare, ip)";
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the child says of its four dials, by what they were. */
async function dialsOf(how: string): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-net-"));
  try {
    const script = "tests/client/eyeballs_child.ts";
    const args = scriptArguments(currentRuntime, script);
    const runtime = runtimePath(currentRuntime) ?? "";
    await using child = new Child("unshare", [
      ...["-rnm", "sh", NET, folder, runtime],
      ...args,
    ], { SOCKEYE_TEST_HOW: how });
    const results: [string, string][] = [];
    for (let i = 0; i < 4; i++) results.push(await child.json());
    return Object.fromEntries(results);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const missing = missingNetwork();

testWhere(
  missing,
  "happy eyeballs: a name whose first addresses are dead is reached by the next",
  async () => {
    assertEquals(await dialsOf("dead"), {
      "dead.test ws": "203.0.113.9",
      "dead.test wss": "203.0.113.9",
      "dead.test ws local": "203.0.113.9",
      "dead.test wss local": "203.0.113.9",
    });
  },
);

testWhere(
  missing,
  "happy eyeballs: an address that is slow is waited for beside the dead ones",
  async () => {
    assertEquals(await dialsOf("slow"), {
      "slow.test ws": "198.51.100.2",
      "slow.test wss": "198.51.100.2",
      "slow.test ws local": "198.51.100.2",
      "slow.test wss local": "198.51.100.2",
    });
  },
);

testWhere(
  missing,
  "happy eyeballs: a name none of whose addresses listens is connect-failed",
  async () => {
    assertEquals(await dialsOf("refused"), {
      "refused.test ws": "connect-failed ECONNREFUSED",
      "refused.test wss": "connect-failed ECONNREFUSED",
      "refused.test ws local": "connect-failed ECONNREFUSED",
      "refused.test wss local": "connect-failed ECONNREFUSED",
    });
  },
);

testWhere(
  missing,
  "TW19: a name server that says nothing is waited for no longer than the timeout",
  async () => {
    assertEquals(await dialsOf("lost"), {
      "lost.test ws": "open-timeout",
      "lost.test wss": "open-timeout",
      "lost.test ws local": "open-timeout",
      "lost.test wss local": "open-timeout",
    });
  },
);

testWhere(
  currentRuntime === "deno" ? undefined : "Deno, whose permissions it is about",
  "happy eyeballs: Deno's permission for the name is enough, and one denied for an address holds",
  async () => {
    const site = new Site();
    site.addHandler("/", Echo);
    await using server = await site.listen({
      port: 0,
      hostname: "127.0.0.1",
      tls: { cert: certificate("leaf.crt"), key: certificate("leaf.key") },
    });
    const { port } = server.addr as { port: number };
    const dialWith = async (net: string[]): Promise<[string, string]> => {
      await using child = dialPermitted(net, {
        SOCKEYE_TEST_URL: `wss://localhost:${port}/`,
        SOCKEYE_TEST_HOW: "terminate",
        SOCKEYE_TEST_CA: certificate("ca.crt"),
      });
      await child.exited;
      return [child.output, child.stderr];
    };
    assertEquals(await dialWith([`--allow-net=localhost:${port}`]), [
      `"hello"`,
      "",
    ]);
    for (
      const net of [
        ["--allow-net", "--deny-net=127.0.0.1,[::1]"],
        ["--allow-net=127.0.0.1"],
      ]
    ) {
      const [output, stderr] = await dialWith(net);
      assertEquals(output, "");
      assert(/Requires net access|EPERM/.test(stderr), stderr);
    }
  },
);
