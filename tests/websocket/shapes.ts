/**
 * What the tests of `websocket.ts` share: each runs with our `WebSocket`, and with
 * the runtime's own as an oracle, where that is right.
 */
import process from "node:process";
import { type Connection, Handler } from "../../server.ts";
import { WebSocket } from "../../websocket.ts";
import { assert, test } from "../harness.ts";
import { currentRuntime, type RuntimeName } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { Echo, serve } from "../site/served.ts";

/** A `WebSocket`, whoever made it. */
export type AnySocket = globalThis.WebSocket;

/** A class of them. */
export type SocketClass = typeof globalThis.WebSocket;

/** Ours, by the type of the platform's. */
export const OURS = WebSocket as unknown as SocketClass;

/**
 * Defines a test of what both have: ours, and the runtime's.
 *
 * @param wrongOn Runtimes whose own `WebSocket` does something else.
 */
export function testBoth(
  name: string,
  wrongOn: readonly RuntimeName[],
  body: (Socket: SocketClass, base: string) => void | Promise<void>,
): void {
  const run = (Socket: SocketClass) => () =>
    withSite((base) => Promise.resolve(body(Socket, base)));
  test(name, run(OURS));
  // Told so, it also runs where the runtime is known to be wrong.
  const isWrong = wrongOn.includes(currentRuntime);
  if (isWrong && process.env.SOCKEYE_ORACLE !== "all") return;
  test(`${name}: the runtime's own agrees`, run(globalThis.WebSocket));
}

/** Defines a test of ours alone. */
export function testOurs(
  name: string,
  body: (base: string) => void | Promise<void>,
): void {
  test(name, () => withSite((base) => Promise.resolve(body(base))));
}

/** Closes first, as the query says: `?code=3000&reason=why`, or without a code. */
function closeAsAsked(connection: Connection): void {
  const { searchParams } = new URL(connection.request.url);
  const code = searchParams.get("code");
  connection.close(
    code === null ? undefined : Number(code),
    searchParams.get("reason") ?? undefined,
  );
}

/** Sends what a page could not make out of one task: three messages, and a Close. */
class Burst extends Handler {
  override open(): void {
    for (const text of ["1", "2", "3"]) this.connection.send(text);
    this.connection.close(1000);
  }
}

/** Tells a header of the request. */
class Header extends Handler {
  override open(): void {
    const { headers, url } = this.connection.request;
    const name = new URL(url).searchParams.get("name")!;
    this.connection.send(headers.get(name) ?? "none");
  }
}

/** Runs a body with the start of a site's URLs. */
async function withSite(body: (base: string) => Promise<void>): Promise<void> {
  await serve({
    compression: true,
    setup(site) {
      const origins = "*";
      site.addHandler("/protocols", Echo, {
        origins,
        subprotocols: ["foobar", "chat"],
      });
      site.addHandler("/closes", closeAsAsked, { origins });
      site.addHandler("/burst", Burst, { origins });
      site.addHandler("/header", Header, { origins });
    },
  }, ({ port }) => body(`ws://127.0.0.1:${port}`));
}

/** Waits for an event. */
export function event<Of extends Event = Event>(
  socket: EventTarget,
  type: string,
): Promise<Of> {
  return within(
    new Promise<Of>((resolve) => {
      socket.addEventListener(type, (event) => resolve(event as Of), {
        once: true,
      });
    }),
    `the event ${type}`,
  );
}

/** The types of the events of a socket, as they come. */
export function eventTypes(socket: EventTarget): string[] {
  const types: string[] = [];
  for (const type of ["open", "message", "error", "close"]) {
    socket.addEventListener(type, () => void types.push(type));
  }
  return types;
}

/** Opens a socket. */
export async function opened(
  Socket: SocketClass,
  url: string,
  protocols?: string | string[],
): Promise<AnySocket> {
  const socket = new Socket(url, protocols);
  await event(socket, "open");
  return socket;
}

/** Closes a socket, and waits for the end. */
export async function end(
  socket: AnySocket,
  code?: number,
  reason?: string,
): Promise<CloseEvent> {
  const closed = event<CloseEvent>(socket, "close");
  socket.close(code, reason);
  return await closed;
}

/** Asserts that something throws a DOMException of a name. */
export function assertThrowsDom(name: string, body: () => unknown): void {
  let caught: unknown;
  try {
    body();
  } catch (error) {
    caught = error;
  }
  assert(caught instanceof DOMException, `expected ${name}, got ${caught}`);
  assert(caught.name === name, `expected ${name}, got ${caught.name}`);
}

/** Asserts that a promise rejects with an error of a name, and returns it. */
export async function assertRejectsAs<Of extends Error>(
  name: string,
  promise: Promise<unknown>,
): Promise<Of> {
  const error = await within(promise, name).then(() => undefined, (e) => e);
  assert(error?.name === name, `expected ${name}, got ${error}`);
  return error;
}
