/** A listener whose queue is full: TCP itself gets no answer (CI-1). */
import { connect, type Socket } from "node:net";
import { Child } from "../harness/child.ts";
import { pause } from "../site/served.ts";

/** How long an answer may take on this machine. */
const PATIENCE_MS = 300;

/** Dispose of it. */
export class FullListener implements AsyncDisposable {
  readonly port: number;
  readonly #child: Child;
  readonly #sockets: Socket[] = [];

  private constructor(port: number, child: Child) {
    this.port = port;
    this.#child = child;
  }

  static async listen(): Promise<FullListener> {
    const child = Child.running("tests/client/full_listener_child.ts");
    const full = new FullListener(Number(await child.line()), child);
    child.signal("SIGSTOP");
    // Queues are as long as the runtime wishes.
    while (await full.#takes()) { /* One more. */ }
    return full;
  }

  /** Connects once more; whether that was answered. */
  async #takes(): Promise<boolean> {
    const sockets = Array.from(
      { length: 64 },
      () => connect(this.port, "127.0.0.1").on("error", () => {}),
    );
    this.#sockets.push(...sockets);
    const open = Promise.all(
      sockets.map((socket) =>
        new Promise<void>((resolve) => socket.once("connect", () => resolve()))
      ),
    );
    return await Promise.race([
      open.then(() => true),
      pause(PATIENCE_MS).then(() => false),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = this.#sockets.map((socket) =>
      new Promise<void>((resolve) => {
        socket.once("close", () => resolve());
        socket.destroy();
      })
    );
    await this.#child[Symbol.asyncDispose]();
    await Promise.all(gone);
  }
}
