/** Tunnels that others have written, each run from its own configuration. */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir, userInfo } from "node:os";
import process from "node:process";
import { Child } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { freePort } from "../harness/free_port.ts";
import { program, programPath } from "../harness/program.ts";
import { certificate } from "../runtime/recorder.ts";

/** What a program is started with. */
export interface Setting {
  /** Folder for its files. */
  readonly folder: string;
  /** Port of 127.0.0.1 on which it is to listen. */
  readonly port: number;
}

/** A program that listens. Dispose of it. */
export class Tunnel implements AsyncDisposable {
  readonly port: number;
  readonly #child: Child;
  readonly #folder: string;

  private constructor(port: number, child: Child, folder: string) {
    this.port = port;
    this.#child = child;
    this.#folder = folder;
  }

  /**
   * Starts a program, and waits until it listens.
   *
   * @param toCommand Writes what it needs, and says how to start it.
   */
  static async start(
    toCommand: (setting: Setting) => readonly string[],
  ): Promise<Tunnel> {
    let said = "";
    // Somebody else may take the port before it does.
    for (let tries = 0; tries < 3; tries++) {
      const folder = mkdtempSync(`${tmpdir()}/sockeye-tunnel-`);
      const port = await freePort();
      const [command = "", ...args] = toCommand({ folder, port });
      const child = new Child(command, args);
      const tunnel = new Tunnel(port, child, folder);
      if (await child.listens(port)) return tunnel;
      said = child.stderr;
      await tunnel[Symbol.asyncDispose]();
    }
    throw new Error(`A tunnel does not start: ${said}`);
  }

  /** Ends it as a machine does that loses power. */
  async crash(): Promise<void> {
    this.#child.signal("SIGKILL");
    await within(this.#child.exited, "the end of a tunnel");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Dante has children of its own, which only it can end. So has Apache, which
    // gives them 10 seconds before it kills them.
    this.#child.signal("SIGTERM");
    await within(this.#child.exited, "the end of a tunnel", 40_000);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** An HTTP proxy that wants the user `me` with the password `secret`. */
export function startTinyproxy(): Promise<Tunnel> {
  return Tunnel.start(({ folder, port }) => {
    writeFileSync(
      `${folder}/conf`,
      `Port ${port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\n` +
        "Allow 127.0.0.1\nBasicAuth me secret\n",
    );
    return [...program("tinyproxy"), "-d", "-c", `${folder}/conf`];
  });
}

/** TLS with the certificate of `localhost`, in front of a port. */
export function startHaproxy(behind: number): Promise<Tunnel> {
  return Tunnel.start(({ folder, port }) => {
    const pem = certificate("leaf.crt") + certificate("leaf.key");
    writeFileSync(`${folder}/pem`, pem);
    writeFileSync(
      `${folder}/conf`,
      `global
  maxconn 50
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen tls
  bind 127.0.0.1:${port} ssl crt ${folder}/pem
  server proxy 127.0.0.1:${behind}
`,
    );
    return [...program("haproxy"), "-db", "-f", `${folder}/conf`];
  });
}

/** A SOCKS 5 proxy for everybody. */
export function startDante(): Promise<Tunnel> {
  return Tunnel.start(({ folder, port }) => {
    writeFileSync(
      `${folder}/conf`,
      `logoutput: stderr\ninternal: 127.0.0.1 port = ${port}\n` +
        "external: lo\nclientmethod: none\nsocksmethod: none\n" +
        "client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\n" +
        "socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\n",
    );
    return [...program("danted"), "-f", `${folder}/conf`];
  });
}

/** A SOCKS 5 proxy that wants a user name and a password. */
export function startMicrosocks(
  user: string,
  password: string,
): Promise<Tunnel> {
  return Tunnel.start(({ port }) => {
    const address = ["-i", "127.0.0.1", "-p", `${port}`];
    const login = ["-u", user, "-P", password];
    return [...program("microsocks"), ...address, ...login];
  });
}

/**
 * A user of Debian. As root OpenSSH wants a user and a folder of its own; and
 * `nobody`, whom systemd may make up, is locked.
 */
const DAEMON = 1;
const isRoot = process.getuid?.() === 0;

/** A program of OpenSSH: those of its package before those of the machine. */
function openSsh(name: string): string[] {
  const [sshd = ""] = program("sshd").slice(-1);
  const path = sshd.replace(/\/usr\/sbin\/sshd$/, `/usr/bin/${name}`);
  return [...program("sshd").slice(0, -1), path];
}

/** What of OpenSSH is not there; `undefined` where all of it is. */
export const missingSsh: string | undefined =
  programPath("sshd") === undefined || (isRoot && !programPath("setpriv"))
    ? "openssh-server"
    : undefined;

/** Makes a pair of keys; returns the path of the secret one. */
function makeKey(folder: string, name: string): string {
  const [command = "", ...args] = openSsh("ssh-keygen");
  const file = `${folder}/${name}`;
  execFileSync(command, [...args, "-qt", "ed25519", "-N", "", "-f", file]);
  return file;
}

/** A `sshd` that lets in who has the key of its folder. */
class SshServer {
  readonly tunnel: Tunnel;
  readonly user: string = isRoot ? "daemon" : userInfo().username;
  readonly keyFile: string;
  readonly hostKey: string;

  private constructor(tunnel: Tunnel, keyFile: string, hostKey: string) {
    this.tunnel = tunnel;
    this.keyFile = keyFile;
    this.hostKey = hostKey;
  }

  static async start(keys: string): Promise<SshServer> {
    const keyFile = makeKey(keys, "id");
    let hostKey = "";
    const tunnel = await Tunnel.start(({ folder, port }) => {
      const hostKeyFile = makeKey(folder, "host");
      hostKey = readFileSync(`${hostKeyFile}.pub`, "utf8");
      copyFileSync(`${keyFile}.pub`, `${folder}/authorized`);
      writeFileSync(
        `${folder}/conf`,
        `ListenAddress 127.0.0.1:${port}\nHostKey ${hostKeyFile}\n` +
          `AuthorizedKeysFile ${folder}/authorized\nPidFile none\n` +
          "StrictModes no\nUsePAM no\nPasswordAuthentication no\n" +
          "KbdInteractiveAuthentication no\nAllowTcpForwarding local\n",
      );
      return [...asDaemon(folder), "-D", "-e", "-f", `${folder}/conf`];
    });
    return new SshServer(tunnel, keyFile, hostKey);
  }
}

/** The command of `sshd`, with all that it reads in a folder of its user's. */
function asDaemon(folder: string): string[] {
  if (!isRoot) return program("sshd");
  // The checkout may be where that user cannot look.
  const command = program("sshd");
  copyFileSync(command.at(-1)!, `${folder}/sshd`);
  const libraries = command.find((word) => word.startsWith("LD_LIBRARY_PATH="));
  for (const from of libraries?.slice(16).split(":") ?? []) {
    cpSync(from, `${folder}/lib`, { recursive: true });
  }
  chownSync(folder, DAEMON, DAEMON);
  for (const name of readdirSync(folder)) {
    chownSync(`${folder}/${name}`, DAEMON, DAEMON);
  }
  chmodSync(`${folder}/sshd`, 0o755);
  return [
    "/usr/bin/env",
    ...(libraries ? [`LD_LIBRARY_PATH=${folder}/lib`] : []),
    programPath("setpriv")!,
    `--reuid=${DAEMON}`,
    `--regid=${DAEMON}`,
    "--clear-groups",
    `${folder}/sshd`,
  ];
}

/** `ssh -D` to a `sshd` on this machine: a SOCKS 5 proxy on this side of it. */
export class SshTunnel implements AsyncDisposable {
  readonly port: number;
  readonly #ends: readonly Tunnel[];
  readonly #keys: string;

  private constructor(ends: readonly Tunnel[], keys: string) {
    this.port = ends[0]!.port;
    this.#ends = ends;
    this.#keys = keys;
  }

  static async start(): Promise<SshTunnel> {
    const keys = mkdtempSync(`${tmpdir()}/sockeye-ssh-`);
    const { tunnel, user, keyFile, hostKey } = await SshServer.start(keys);
    const known = `${keys}/known`;
    writeFileSync(known, `[127.0.0.1]:${tunnel.port} ${hostKey}`);
    const options = [
      `UserKnownHostsFile=${known}`,
      "StrictHostKeyChecking=yes",
      "IdentitiesOnly=yes",
      "BatchMode=yes",
      "ExitOnForwardFailure=yes",
    ].flatMap((option) => ["-o", option]);
    const client = await Tunnel.start(({ port }) => [
      ...openSsh("ssh"),
      ...["-F", "none", "-N", "-D", `127.0.0.1:${port}`, "-i", keyFile],
      ...["-p", `${tunnel.port}`, ...options, `${user}@127.0.0.1`],
    ]).catch(async (error: unknown) => {
      await tunnel[Symbol.asyncDispose]();
      throw error;
    });
    return new SshTunnel([client, tunnel], keys);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) await end[Symbol.asyncDispose]();
    rmSync(this.#keys, { recursive: true, force: true });
  }
}
