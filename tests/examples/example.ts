/** The examples as children, as a user runs them, and clients for them. */
import {
  type CloseInfo,
  type Connection,
  dial,
  type DialOptions,
} from "../../client.ts";
import { assertEquals } from "../harness.ts";
import {
  Child,
  currentRuntime,
  type RuntimeName,
  runtimePath,
  scriptArguments,
} from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { closeCode } from "../harness/frame.ts";
import { type RawConnectOptions, rawUpgrade } from "../harness/raw_client.ts";

/** What Deno needs to know of some examples, as they say themselves. */
const DENO_FLAGS: Readonly<Record<string, readonly string[]>> = {
  // Its types come from JSR, so only here they can be checked.
  files: ["--check"],
  multicore: ["--no-check", "--unstable-net"],
};

/** How to run an example. */
export interface RunOptions {
  /** Its arguments. */
  readonly args?: readonly string[];
  /** What runs it; the runtime of the test where absent. */
  readonly runtime?: RuntimeName;
  /** Where it listens; on a free port where absent. */
  readonly port?: number;
}

/** Starts an example, without waiting for what it says. */
export function runExample(name: string, options: RunOptions = {}): Child {
  const { args = [], runtime = currentRuntime, port = 0 } = options;
  const flags = DENO_FLAGS[name] ?? ["--no-check"];
  const script = scriptArguments(runtime, `examples/${name}.ts`, flags);
  const env = { PORT: `${port}`, HOST: "127.0.0.1" };
  return new Child(runtimePath(runtime) ?? "", [...script, ...args], env);
}

/** An example that listens. Dispose of it: it is killed if it has not ended. */
export class Example implements AsyncDisposable {
  /** Its process. */
  readonly child: Child;
  /** Where it listens on 127.0.0.1. */
  readonly port: number;

  private constructor(child: Child, port: number) {
    this.child = child;
    this.port = port;
  }

  /** Starts an example on a free port, and waits until it says which. */
  static async run(name: string, options?: RunOptions): Promise<Example> {
    const child = runExample(name, options);
    while (true) {
      const port = /:(\d+)/.exec(await child.line())?.[1];
      if (port !== undefined) return new Example(child, Number(port));
    }
  }

  /** Opens a connection to one of its paths. */
  dial(path: string, options?: DialOptions): Promise<Connection> {
    return dial(`ws://127.0.0.1:${this.port}${path}`, options);
  }

  /** Asks it over HTTP, each time on a connection of its own. */
  async get(path: string): Promise<{ response: Response; body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      headers: { connection: "close" },
    });
    return { response, body: await response.text() };
  }

  /**
   * Ends it by a signal while a client is connected: the client is told 1001, and
   * the process must end by itself, in good order.
   */
  async assertEndsOn(
    signal: "SIGINT" | "SIGTERM",
    path: string,
    connect: RawConnectOptions = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await using client = await rawUpgrade(
      { port: this.port, ...connect },
      path,
      headers,
    );
    this.child.signal(signal);
    while (true) {
      const { opcode, payload } = await client.readFrame();
      if (opcode !== 8) continue;
      assertEquals(closeCode(payload), 1001);
      client.sendFrame({ opcode: "close", payload });
      break;
    }
    client.end();
    await this.child.assertEnds();
  }

  /** Kills it, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}

/** Takes the next message, and fails where it is not text. */
export async function receiveText(connection: Connection): Promise<string> {
  const message = await within(connection.receive(), "a message");
  if (typeof message !== "string") throw new Error("Received bytes");
  return message;
}

/** Takes the next message, and reads the JSON in it. */
export async function receiveJson<T>(connection: Connection): Promise<T> {
  return JSON.parse(await receiveText(connection)) as T;
}

/** Takes as many texts as wanted. */
export async function receiveTexts(
  connection: Connection,
  count: number,
): Promise<string[]> {
  const texts = [];
  while (texts.length < count) texts.push(await receiveText(connection));
  return texts;
}

/** Takes a child's next lines. */
export async function lines(child: Child, count: number): Promise<string[]> {
  const lines = [];
  while (lines.length < count) lines.push(await child.line());
  return lines;
}

/** Waits for the end, after all that was wanted has been taken. */
export async function closed(connection: Connection): Promise<CloseInfo> {
  // Who has taken a message and does not ask for another may still be at work on
  // an answer, for which the closing handshake waits.
  const last = connection.receive().then((message) => {
    throw new Error(`One more message: ${message}`);
  }, () => {});
  const [info] = await within(
    Promise.all([connection.closed, last]),
    "the end of a connection",
  );
  return info;
}
