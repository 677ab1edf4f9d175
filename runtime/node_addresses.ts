/**
 * What a host name stands for, by the resolver of the system.
 *
 * @module
 */

import { ADDRCONFIG, lookup, type LookupAddress } from "node:dns";
import { type Endpoint, interleave } from "./eyeballs.ts";

/** As much as is used of Deno's permissions. */
interface DenoPermissions {
  query(of: NetPermission): Promise<{ state: string }>;
  request(of: NetPermission): Promise<{ state: string }>;
}

interface NetPermission {
  readonly name: "net";
  readonly host: string;
}

function denoPermissions(): DenoPermissions | undefined {
  return (globalThis as { Deno?: { permissions: DenoPermissions } }).Deno
    ?.permissions;
}

/**
 * Resolves a name.
 *
 * @param hostname No IP address.
 * @param port What is to be connected to there.
 * @returns The addresses in the order to try them. `undefined` on Deno where the
 * program may connect to the name, but not to each of its addresses as such: then
 * resolving and connecting is to be left to Deno, which knows what it may.
 * @throws {Error} If there is none.
 */
export async function addressesOf(
  hostname: string,
  port: number,
): Promise<Endpoint[] | undefined> {
  const permissions = denoPermissions();
  if (permissions === undefined) return await resolve(hostname, port);
  // To look up what may not be connected to would prompt, or throw.
  if (!await mayConnect(permissions, [hostname], port)) return undefined;
  const endpoints = await resolve(hostname, port);
  const addresses = endpoints.map(({ address }) => address);
  return await mayConnect(permissions, addresses, port) ? endpoints : undefined;
}

function resolve(hostname: string, port: number): Promise<Endpoint[]> {
  return new Promise((resolve, reject) => {
    const take = (error: Error | null, found: LookupAddress[]): void =>
      error ? reject(error) : resolve(interleave(found));
    // Hints as `net.connect` has them. Deno grants a name with its port alone.
    const options = { all: true, hints: ADDRCONFIG, port } as const;
    lookup(hostname, options, take);
  });
}

/**
 * Whether all of these hosts may be connected to. Addresses are asked for one by
 * one, so that one which is denied is not reached through a name (CVE-2026-49860).
 */
async function mayConnect(
  permissions: DenoPermissions,
  hosts: readonly string[],
  port: number,
): Promise<boolean> {
  const answers = await Promise.all(
    hosts.map((host) => permissions.query(netPermission(host, port))),
  );
  return answers.every(({ state }) => state === "granted");
}

/**
 * Asks Deno for the permission to bind to an address. Without it `node:net` throws
 * where nobody can catch it.
 *
 * @throws {Error} Named `NotCapable`, if the answer is no.
 */
export async function allowBind(address: string, port: number): Promise<void> {
  const permissions = denoPermissions();
  if (permissions === undefined) return;
  const permission = netPermission(address, port);
  const { state } = await permissions.request(permission);
  if (state === "granted") return;
  const error = new Error(
    `Requires net access to "${permission.host}", which is bound to`,
  );
  error.name = "NotCapable";
  throw error;
}

function netPermission(address: string, port: number): NetPermission {
  const host = address.includes(":") ? `[${address}]` : address;
  return { name: "net", host: `${host}:${port}` };
}
