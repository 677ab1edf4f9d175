/**
 * The reverse proxies of docs/deploying.md, each run with the configuration that
 * stands there: only addresses, certificates and times are replaced.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { checkoutPath, Child } from "../harness/child.ts";
import { freePort } from "../harness/free_port.ts";
import { program, programPath } from "../harness/program.ts";
import type { RawConnectOptions } from "../harness/raw_client.ts";
import { certificate } from "../runtime/recorder.ts";

/** What a proxy is started with. */
interface Setting {
  /** Folder for its files. */
  readonly folder: string;
  /** Port on which it is to listen. */
  readonly port: number;
  /** Where the site is: its port, or the path of its Unix socket. */
  readonly site: number | string;
  /** How long it lets a WebSocket be silent, in seconds. */
  readonly idleSeconds: number;
}

/** One kind of proxy. */
export interface ProxyKind {
  /** Name, for the test. */
  readonly name: string;
  /** What is not installed; `undefined` where the proxy can be had. */
  readonly missing: string | undefined;
  /** Its configuration, in the folder of the docs. */
  readonly file: string;
  /** Whether it keeps what the client says in `X-Forwarded-For`. */
  readonly keepsForwardedFor: boolean;
  /** Whether it drops a WebSocket that is silent. */
  readonly dropsIdle: boolean;
  /** Texts of the configuration, and what stands there in the test. */
  replacements(setting: Setting): readonly (readonly [string, string])[];
  /** Writes the files beside the configuration; returns the command. */
  command(setting: Setting, file: string): readonly string[];
}

/** The address of the site, with what stands before the path of a Unix socket. */
function address(site: number | string, unix: string): string {
  return typeof site === "number" ? `127.0.0.1:${site}` : unix + site;
}

const nginx: ProxyKind = {
  name: "nginx",
  missing: programPath("nginx") ? undefined : "nginx",
  file: "nginx.conf",
  keepsForwardedFor: true,
  dropsIdle: true,
  replacements: ({ folder, port, site, idleSeconds }) => [
    ["listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`],
    ["/etc/ssl/example.com.crt", `${folder}/site.crt`],
    ["/etc/ssl/private/example.com.key", `${folder}/site.key`],
    ["127.0.0.1:8080", address(site, "unix:")],
    ["proxy_read_timeout 75s", `proxy_read_timeout ${idleSeconds}s`],
    ["proxy_send_timeout 75s", `proxy_send_timeout ${idleSeconds}s`],
  ],
  command: ({ folder }, file) => {
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/${name};`);
    // One process, so that killing it leaves none behind.
    writeFileSync(
      `${folder}/main.conf`,
      `daemon off; master_process off; pid ${folder}/pid;
       error_log ${folder}/error.log; events { worker_connections 512; }
       http { access_log off; ${paths.join(" ")} include ${file}; }`,
    );
    const log = ["-e", `${folder}/error.log`];
    return [...program("nginx"), ...log, "-c", `${folder}/main.conf`];
  },
};

const haproxy: ProxyKind = {
  name: "HAProxy",
  missing: programPath("haproxy") ? undefined : "haproxy",
  file: "haproxy.cfg",
  keepsForwardedFor: true,
  dropsIdle: true,
  replacements: ({ folder, port, site, idleSeconds }) => [
    ["bind :443", `bind 127.0.0.1:${port}`],
    ["/etc/haproxy/certs/example.com.pem", `${folder}/site.pem`],
    ["127.0.0.1:8080", address(site, "unix@")],
    ["timeout tunnel 75s", `timeout tunnel ${idleSeconds}s`],
    // As many descriptors are not to be had everywhere.
    ["maxconn 20000", "maxconn 200"],
  ],
  command: (_, file) => [...program("haproxy"), "-db", "-f", file],
};

const caddy: ProxyKind = {
  name: "Caddy",
  missing: programPath("caddy") ? undefined : "caddy",
  file: "Caddyfile",
  keepsForwardedFor: false,
  dropsIdle: false,
  replacements: ({ folder, port, site }) => [
    [
      "example.com {",
      `{
        admin off
        auto_https disable_redirects
      }
      https://127.0.0.1:${port}, https://localhost:${port} {
        bind 127.0.0.1
        tls ${folder}/site.crt ${folder}/site.key`,
    ],
    ["127.0.0.1:8080", address(site, "unix/")],
  ],
  command: ({ folder }, file) => [
    ...program("caddy", [`HOME=${folder}`, `XDG_DATA_HOME=${folder}`]),
    "run",
    "--adapter",
    "caddyfile",
    "--config",
    file,
  ],
};

/** All kinds. */
export const PROXIES: readonly ProxyKind[] = [nginx, haproxy, caddy];

/** Replaces texts that must be there. */
function replaced(
  text: string,
  replacements: readonly (readonly [string, string])[],
): string {
  for (const [from, to] of replacements) {
    if (!text.includes(from)) throw new Error(`Nothing says "${from}"`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** A proxy that listens, in front of a site. */
export class Proxy implements AsyncDisposable {
  /** Port on 127.0.0.1, where it speaks TLS as `localhost`. */
  readonly port: number;
  /** For bare sockets. */
  readonly target: RawConnectOptions;
  readonly #child: Child;
  readonly #folder: string;

  private constructor(port: number, child: Child, folder: string) {
    this.port = port;
    this.target = { port, ca: certificate("ca.crt") };
    this.#child = child;
    this.#folder = folder;
  }

  /**
   * Starts it.
   *
   * @param kind Which.
   * @param site Where the site is.
   * @param idleSeconds How long it lets a WebSocket be silent.
   */
  static async start(
    kind: ProxyKind,
    site: number | string,
    idleSeconds = 75,
  ): Promise<Proxy> {
    let said = "";
    // Somebody else may take the port before it does.
    for (let tries = 0; tries < 3; tries++) {
      const folder = mkdtempSync(`${tmpdir()}/sockeye-proxy-`);
      const setting = { folder, port: await freePort(), site, idleSeconds };
      const [crt, key] = [certificate("leaf.crt"), certificate("leaf.key")];
      writeFileSync(`${folder}/site.crt`, crt);
      writeFileSync(`${folder}/site.key`, key);
      writeFileSync(`${folder}/site.pem`, crt + key);
      const path = checkoutPath(`docs/deploying/${kind.file}`);
      const file = `${folder}/${kind.file}`;
      const text = readFileSync(path, "utf8");
      writeFileSync(file, replaced(text, kind.replacements(setting)));
      const [command = "", ...args] = kind.command(setting, file);
      const child = new Child(command, args);
      const proxy = new Proxy(setting.port, child, folder);
      if (await child.listens(setting.port)) return proxy;
      said = child.stderr;
      await proxy[Symbol.asyncDispose]();
    }
    throw new Error(`${kind.name} does not start: ${said}`);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
