/**
 * Sockeye: WebSockets for Deno, Bun and Node, in plain TypeScript.
 *
 * A {@linkcode Site} maps paths to handlers on raw connections;
 * {@linkcode dial} opens client connections. Both give a
 * {@linkcode Connection} with the same methods, limits and close reports on every
 * runtime, and both stand on one pure codec (`@sockeye/sockeye/codec`).
 *
 * @example A server
 * ```ts
 * import { Handler, Site } from "@sockeye/sockeye";
 *
 * class Echo extends Handler {
 *   override message(data: string | Uint8Array) {
 *     this.connection.send(data);
 *   }
 * }
 *
 * const site = new Site({ root: () => new Response("Hello") });
 * site.addHandler("/echo", Echo);
 * await using server = await site.listen({ port: 0 });
 * ```
 *
 * @example A client
 * ```ts ignore
 * import { dial } from "@sockeye/sockeye";
 *
 * const connection = await dial("wss://example.com/echo");
 * connection.send("hello");
 * for await (const message of connection) console.log(message);
 * ```
 *
 * @module
 */

export * from "./client.ts";
export * from "./server.ts";
export { ProtocolError, type ProtocolErrorReason } from "./codec.ts";
export type { Extension, ExtensionParameter, Message } from "./codec.ts";
