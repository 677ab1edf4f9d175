/**
 * The file of a Unix socket: made way for before listening, removed after.
 *
 * On `node:fs` and `node:net`, which all three runtimes have; their own
 * listeners differ in what they leave behind.
 *
 * @module
 */

import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import type { Address, Listener } from "./transport.ts";

/** Whether something accepts connections at `path`. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // ECONNREFUSED is the answer of a socket file that nobody holds any more.
    // Any other error, such as EACCES or EAGAIN (a full queue), proves nothing.
    socket.on("error", (error: Error & { code?: string }) => {
      resolve(error.code !== "ECONNREFUSED");
    });
  });
}

/** Which file it is, or `undefined` where there is none that is a socket. */
async function identify(path: string): Promise<string | undefined> {
  try {
    const info = await lstat(path, { bigint: true });
    if (!info.isSocket()) return undefined;
    // The change time tells a new file from an old one whose number it took.
    return `${info.dev}:${info.ino}:${info.ctimeNs}`;
  } catch {
    return undefined;
  }
}

/** Removes the file, unless another one has taken its place. */
async function remove(path: string, identity: string): Promise<void> {
  if (await identify(path) !== identity) return;
  await unlink(path).catch(() => {
    // Somebody else was faster.
  });
}

/** A listener whose socket file goes when it closes. */
class SocketFileListener implements Listener {
  readonly #listener: Listener;
  readonly #path: string;
  readonly #identity: string | undefined;

  constructor(listener: Listener, path: string, identity: string | undefined) {
    this.#listener = listener;
    this.#path = path;
    this.#identity = identity;
  }

  get address(): Address {
    return this.#listener.address;
  }

  async close(): Promise<void> {
    await this.#listener.close();
    if (this.#identity !== undefined) await remove(this.#path, this.#identity);
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }
}

/**
 * Listens on a Unix socket.
 *
 * A socket file that a killed process left behind is removed first; one on
 * which somebody listens stays, and so does a file that is no socket, and
 * listening fails as it should.
 *
 * @param path Path of the socket file.
 * @param listen Listens there.
 * @returns The listener, which removes its file when it is closed.
 */
export async function listenOnSocketFile(
  path: string,
  listen: () => Listener | Promise<Listener>,
): Promise<Listener> {
  const stale = await identify(path);
  if (stale !== undefined && !await isListening(path)) {
    await remove(path, stale);
  }
  const listener = await listen();
  return new SocketFileListener(listener, path, await identify(path));
}
