/**
 * Programs out of Debian packages that are unpacked and not installed: nothing
 * of the machine changes, no service starts, and root is not needed.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./process.mjs";

/**
 * Downloads a package and what it needs that is not installed, and unpacks all.
 *
 * @param {string} apt Path of `apt-get`.
 * @param {string} name Name of the package.
 * @param {string} folder Where to unpack; gone where it fails.
 * @returns {Promise<boolean>} Whether it worked.
 */
export async function unpackDebian(apt, name, folder) {
  const archives = mkdtempSync(join(tmpdir(), "sockeye-debian-"));
  try {
    mkdirSync(join(archives, "partial"));
    const options = [
      `Dir::Cache::archives=${archives}`,
      // Its locks are for who installs.
      "Debug::NoLocking=1",
    ].flatMap((option) => ["-o", option]);
    const download = await run(apt, [
      ...options,
      "install",
      "-qy",
      "--download-only",
      "--no-install-recommends",
      name,
    ], { env: { DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 120_000 });
    if (download.code !== 0) return false;
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(archives)) {
      if (!file.endsWith(".deb")) continue;
      const { code } = await run("dpkg-deb", [
        "-x",
        join(archives, file),
        folder,
      ]);
      if (code !== 0) {
        rmSync(folder, { recursive: true, force: true });
        return false;
      }
    }
    return true;
  } finally {
    rmSync(archives, { recursive: true, force: true });
  }
}
