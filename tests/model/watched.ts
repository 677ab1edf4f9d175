/** A handler that does as it is told, and notes the order of its hooks. */
import { type CloseInfo, Handler } from "../../server.ts";
import { assert, assertEquals } from "../harness.ts";

/** What the next `message` hook does. */
export type Plan = "nothing" | "hold" | "throw" | "reply" | "close" | "drop";

/** Notes each hook. */
export class Watched extends Handler {
  /** Names of the hooks that were called, in order. */
  readonly calls: string[] = [];
  /** Messages, in order. */
  readonly messages: string[] = [];
  /** What it has sent by itself. */
  readonly replies: string[] = [];
  /** What the next message leads to. */
  plan: Plan = "nothing";
  /** How the connection ended, as the `close` hook was told. */
  info: CloseInfo | undefined;
  /** Count of messages after which there may be no more: it was dropped then. */
  mostMessages: number = Infinity;
  /** What was wrong. */
  readonly faults: string[] = [];
  #current: string | undefined;
  #release: (() => void) | undefined;

  /** Whether a hook waits to be released. */
  get isHeld(): boolean {
    return this.#release !== undefined;
  }

  /** Lets the hook that waits go on. */
  release(): void {
    this.plan = "nothing";
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }

  /** Drops the connection. */
  drop(): void {
    this.mostMessages = this.messages.length;
    this.connection.terminate();
  }

  override open(): void {
    this.#note("open");
  }

  override message(data: string): void | Promise<void> {
    this.#note("message");
    this.messages.push(data);
    if (this.messages.length > this.mostMessages) {
      this.faults.push("a message after terminate()");
    }
    const { plan } = this;
    this.plan = "nothing";
    switch (plan) {
      case "nothing":
        return;
      case "hold":
        return this.#hold("message");
      case "throw":
        throw new Error("planned");
      case "reply":
        return this.#reply(`reply to ${data.slice(0, 10)}`);
      case "close":
        return void this.connection.close(4001);
      case "drop":
        return this.drop();
    }
  }

  override drain(): void {
    this.#note("drain");
  }

  override ping(): void | Promise<void> {
    this.#note("ping");
    if (this.plan === "hold") return this.#hold("ping");
  }

  override pong(): void {
    this.#note("pong");
  }

  override error(): void {
    this.#note("error");
  }

  override close(info: CloseInfo): void {
    this.#note("close");
    this.info = info;
    if (this.connection.readyState !== 3) this.faults.push("close while open");
    if (this.connection.send("late")) this.faults.push("sent after the end");
  }

  /** Checks what holds at every moment. */
  check(): void {
    const { calls, faults } = this;
    assertEquals(faults, []);
    assertEquals(calls[0], "open");
    assertEquals(calls.lastIndexOf("open"), 0, `opened twice: ${calls}`);
    const closedAt = calls.indexOf("close");
    assert(
      closedAt < 0 || closedAt === calls.length - 1,
      `called after the close: ${calls}`,
    );
  }

  #reply(text: string): void {
    if (this.connection.readyState === 1) this.replies.push(text);
    this.connection.send(text);
  }

  #note(name: string): void {
    this.calls.push(name);
    if (this.#current !== undefined) {
      this.faults.push(`${name} during ${this.#current}`);
    }
  }

  #hold(name: string): Promise<void> {
    this.plan = "nothing";
    this.#current = name;
    return new Promise((resolve) => {
      this.#release = () => {
        this.#current = undefined;
        resolve();
      };
    });
  }
}
