/** What the tests of `connection/` share: one connection, and a peer made of bytes. */
import {
  type CloseInfo,
  type Connection,
  type ConnectionOptions,
  connectionSettings,
  Handler,
  type HandlerFunction,
  SocketConnection,
} from "../../connection.ts";
import type { MessageTransform } from "../../codec.ts";
import { Ticker } from "../../connection/ticker.ts";
import { loadRuntime, type Runtime } from "../../runtime/transport.ts";
import { concat } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import {
  closeCode,
  closePayload,
  frame,
  type FrameOptions,
  type ParsedFrame,
  parseFrames,
} from "../harness/frame.ts";
import {
  type MemoryOptions,
  type MemoryTransport,
  memoryTransport,
  SinkLog,
} from "../harness/memory_transport.ts";

/** The runtime; its timers keep a test alive, for there is nothing else here. */
export const runtime: Runtime = {
  ...await loadRuntime(),
  unrefTimer: () => {},
};

/** Names of hooks. */
export type HookName =
  | "open"
  | "message"
  | "close"
  | "drain"
  | "ping"
  | "pong"
  | "error";

/** What hooks do beside being noted. */
export type Behaviour = {
  readonly [Name in HookName]?: (
    connection: Connection,
    // deno-lint-ignore no-explicit-any
    argument: any,
  ) => unknown;
};

/** Notes each call, and whether one began before the one before it had ended. */
export class Spy extends Handler {
  /** Calls so far, such as `message a`. */
  readonly calls: string[] = [];
  /** Calls that began inside another. */
  readonly overlaps: string[] = [];
  readonly #behaviour: Behaviour;
  #current: string | undefined;

  constructor(connection: Connection, behaviour: Behaviour) {
    super(connection);
    this.#behaviour = behaviour;
  }

  override open(): void | Promise<void> {
    return this.#note("open", undefined);
  }

  override message(data: string | Uint8Array): void | Promise<void> {
    return this.#note("message", data);
  }

  override close(info: CloseInfo): void | Promise<void> {
    return this.#note("close", info);
  }

  override drain(): void | Promise<void> {
    return this.#note("drain", undefined);
  }

  override ping(payload: Uint8Array): void | Promise<void> {
    return this.#note("ping", payload);
  }

  override pong(payload: Uint8Array): void | Promise<void> {
    return this.#note("pong", payload);
  }

  override error(error: Error): void | Promise<void> {
    return this.#note("error", error);
  }

  #note(name: HookName, argument: unknown): void | Promise<void> {
    const call = `${name}${describe(argument)}`;
    if (this.#current !== undefined) {
      this.overlaps.push(`${call} in ${this.#current}`);
    }
    this.calls.push(call);
    this.#current = call;
    const done = () => {
      this.#current = undefined;
    };
    try {
      const result = this.#behaviour[name]?.(this.connection, argument);
      if (result instanceof Promise) return result.finally(done);
    } catch (error) {
      done();
      throw error;
    }
    done();
  }
}

function describe(argument: unknown): string {
  if (argument === undefined) return "";
  if (argument instanceof Error) return ` ${argument.message}`;
  if (argument instanceof Uint8Array) return ` ${argument.length} B`;
  if (typeof argument === "string") return ` ${argument}`;
  return ` ${(argument as CloseInfo).cause}`;
}

/** Lets everything happen that is due: promises, and deliveries. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** A server's connection in memory, and its client made of bytes. */
export class Rig implements AsyncDisposable {
  readonly connection: SocketConnection;
  /** The connection's end. */
  readonly near: MemoryTransport;
  /** The peer's end. */
  readonly far: MemoryTransport;
  /** What the peer was sent. */
  readonly log: SinkLog = new SinkLog();
  /** What hooks threw. */
  readonly reported: unknown[] = [];
  spy!: Spy;

  constructor(
    options: ConnectionOptions = {},
    memory: MemoryOptions = {},
    role: "server" | "client" = "server",
    transform?: MessageTransform,
  ) {
    [this.near, this.far] = memoryTransport(memory);
    this.far.start(this.log);
    this.connection = new SocketConnection({
      role,
      transport: this.near,
      settings: connectionSettings("test", options),
      ticker: new Ticker(5, runtime),
      request: { method: "GET", url: "ws://test/", headers: new Headers() },
      params: {},
      subprotocol: "",
      extensions: [],
      transform,
      owner: {
        reportError: (error) => void this.reported.push(error),
        onClosing: () => {},
        onClosed: () => {},
      },
    });
    this.near.start(this.connection.link);
  }

  /** Starts a handler with all hooks. */
  static spied(behaviour: Behaviour, options?: ConnectionOptions): Rig {
    const rig = new Rig(options);
    rig.spy = new Spy(rig.connection, behaviour);
    rig.connection.handle(rig.spy);
    return rig;
  }

  /** Starts a function. */
  static running(body: HandlerFunction, options?: ConnectionOptions): Rig {
    const rig = new Rig(options);
    void rig.connection.run(body);
    return rig;
  }

  /** Sends frames in one chunk; strings are texts. */
  send(...frames: (string | FrameOptions)[]): void {
    this.far.write(concat(
      ...frames.map((one) =>
        frame({
          mask: true,
          ...(typeof one === "string" ? { payload: one } : one),
        })
      ),
    ));
  }

  /** Frames that the peer was sent so far. */
  get frames(): ParsedFrame[] {
    return parseFrames(this.log.bytes);
  }

  /** The same in short: texts as they are, `close 1000`, `ping`, `pong`. */
  get sent(): string[] {
    return this.frames.map(({ opcode, payload }) => {
      if (opcode === 8) return `close ${closeCode(payload)}`;
      if (opcode === 9) return "ping";
      if (opcode === 10) return "pong";
      return opcode === 2
        ? `${payload.length} B`
        : new TextDecoder().decode(payload);
    });
  }

  /** How it ended. */
  closed(timeoutMs?: number): Promise<CloseInfo> {
    return within(this.connection.closed, "the close", timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.terminate();
    await this.closed();
    this.far.destroy();
    await settle();
  }
}

/** A Close frame. */
export function close(code = 1000, reason = ""): FrameOptions {
  return { opcode: "close", payload: closePayload(code, reason) };
}
