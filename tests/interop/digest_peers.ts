/** Servers and proxies that others have written, which want Digest or Basic. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { program, programPath } from "../harness/program.ts";
import { Tunnel } from "./tunnels.ts";

/** Who is let in. */
export const USER = "J\u00e4s\u00f8n";
/** With this. */
export const PASSWORD = "Circle \u20ac of: Life";

// Without quotes: Apache takes its own realm, sent back, for another one then.
const REALM = "in & out";

/** A user of Debian: as root both want another one to work as. */
const DAEMON = 1;
const isRoot = process.getuid?.() === 0;

/** What `htdigest` writes. */
function htdigest(): string {
  const hash = createHash("md5").update(`${USER}:${REALM}:${PASSWORD}`);
  return `${USER}:${REALM}:${hash.digest("hex")}\n`;
}

/** What `htpasswd -s` writes. */
function htpasswd(): string {
  const hash = createHash("sha1").update(PASSWORD);
  return `${USER}:{SHA}${hash.digest("base64")}\n`;
}

/** Where a program has been unpacked to; empty where it is installed. */
function rootOf(name: string): string {
  return (programPath(name) ?? "").replace(/\/usr\/sbin\/\w+$/, "");
}

/**
 * Apache. Under `/digest`, `/short` (whose nonces live for a second) and `/basic` it
 * asks who is there, and passes on to a port of 127.0.0.1; to who takes it for a
 * proxy it opens tunnels, and asks for Digest.
 */
export function startApache(behind: number): Promise<Tunnel> {
  const modules = [
    "mpm_event",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_user",
    "auth_basic",
    "auth_digest",
    "proxy",
    "proxy_http",
    "proxy_wstunnel",
    "proxy_connect",
  ].map((name) => {
    const path = `${rootOf("apache2")}/usr/lib/apache2/modules/mod_${name}.so`;
    return `LoadModule ${name}_module ${path}\n`;
  });
  return Tunnel.start(({ folder, port }) => {
    writeFileSync(`${folder}/digests`, htdigest());
    writeFileSync(`${folder}/hashes`, htpasswd());
    const digest = `AuthType Digest
  AuthName "${REALM}"
  AuthUserFile ${folder}/digests
  Require valid-user`;
    const pass = `ProxyPass ws://127.0.0.1:${behind}/echo`;
    writeFileSync(
      `${folder}/conf`,
      `${modules.join("")}
${isRoot ? `User #${DAEMON}\nGroup #${DAEMON}` : ""}
ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
DefaultRuntimeDir ${folder}
Mutex default:${folder}
ErrorLog ${folder}/log
StartServers 1
ThreadsPerChild 16
MaxRequestWorkers 16
MinSpareThreads 1
MaxSpareThreads 16
ProxyRequests On
AllowCONNECT 1-65535
<Proxy "127.0.0.1:*">
  ${digest}
</Proxy>
<Location /digest>
  ${digest}
  ${pass}
</Location>
<Location /short>
  ${digest}
  AuthDigestNonceLifetime 1
  ${pass}
</Location>
<Location /basic>
  AuthType Basic
  AuthName "${REALM}"
  AuthUserFile ${folder}/hashes
  Require valid-user
  ${pass}
</Location>
`,
    );
    chmodSync(folder, 0o755);
    return [...program("apache2"), "-D", "FOREGROUND", "-f", `${folder}/conf`];
  });
}

/** Squid, an HTTP proxy that asks for Digest. */
export function startSquid(): Promise<Tunnel> {
  return Tunnel.start(({ folder, port }) => {
    // The checkout may be where its user cannot look.
    const root = rootOf("squid");
    copyFileSync(`${root}/usr/lib/squid/digest_file_auth`, `${folder}/check`);
    copyFileSync(`${root}/usr/share/squid/mime.conf`, `${folder}/mime`);
    mkdirSync(`${folder}/errors`);
    writeFileSync(`${folder}/digests`, htdigest());
    writeFileSync(
      `${folder}/conf`,
      `http_port 127.0.0.1:${port}
auth_param digest program ${folder}/check -c ${folder}/digests
auth_param digest children 1 startup=1
auth_param digest realm ${REALM}
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache_mem 1 MB
cache_log ${folder}/log
access_log none
pid_filename none
unlinkd_program ${folder}/check
pinger_enable off
icon_directory ${folder}/errors
mime_table ${folder}/mime
error_directory ${folder}/errors
coredump_dir ${folder}
shutdown_lifetime 0 seconds
max_filedescriptors 1024
${isRoot ? "cache_effective_user daemon\ncache_effective_group daemon" : ""}
`,
    );
    for (const name of ["", "check", "mime", "errors", "digests"]) {
      chmodSync(`${folder}/${name}`, 0o755);
      if (isRoot) chownSync(`${folder}/${name}`, DAEMON, DAEMON);
    }
    return [...program("squid"), "-N", "-f", `${folder}/conf`];
  });
}
