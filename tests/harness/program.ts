/**
 * Programs that Debian has: installed, or unpacked by the runner.
 */
import { existsSync, readdirSync } from "node:fs";
import process from "node:process";
import { checkoutPath } from "./child.ts";

/** Where a program is: what the runner found, or what Debian installs. */
export function programPath(name: string): string | undefined {
  return [
    process.env[`SOCKEYE_${name.toUpperCase()}`],
    ...["usr/sbin", "usr/bin"].map((folder) =>
      checkoutPath(`node_modules/.cache/debian/${name}/${folder}/${name}`)
    ),
    `/usr/sbin/${name}`,
    `/usr/bin/${name}`,
  ].find((path) => path !== undefined && existsSync(path));
}

/** The command that runs a program, with its own libraries where it is unpacked. */
export function program(name: string, env: readonly string[] = []): string[] {
  const path = programPath(name) ?? name;
  const root = path.replace(/\/usr\/s?bin\/[\w-]+$/, "");
  const libraries = ["/usr/lib", "/lib"].map((folder) => root + folder)
    .filter((folder) => root !== "" && existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder).filter((name) => name.endsWith("-linux-gnu"))
        .map((name) => `${folder}/${name}`)
    );
  return [
    "/usr/bin/env",
    ...(libraries.length > 0 ? [`LD_LIBRARY_PATH=${libraries.join(":")}`] : []),
    ...env,
    path,
  ];
}
