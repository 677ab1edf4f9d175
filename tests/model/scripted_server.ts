/** A server, or a proxy, that answers a dialer as a script says, in pieces. */
import { type AddressInfo, createServer, type Server } from "node:net";
import { concat } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { frame } from "../harness/frame.ts";
import { RawClient } from "../harness/raw_client.ts";
import { headerOf, upgradeResponse } from "../harness/raw_server.ts";

/** The head of a response. */
export type Head =
  /** A 101 as it should be, or one with other headers. */
  | {
    readonly kind: "upgrade";
    readonly headers: Readonly<Record<string, string | undefined>>;
    readonly isRight: boolean;
  }
  /** Any other, with what follows it. */
  | { readonly kind: "text"; readonly text: string }
  /** A redirect, which can be followed or not; `HOST` is the server's. */
  | {
    readonly kind: "redirect";
    readonly location: string;
    readonly isRight: boolean;
  }
  /** No head at all. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

/** What comes of one connection. */
export interface Answer {
  /** What a proxy says first; empty for a right answer. */
  readonly tunnel: Uint8Array;
  /** Interim responses before the head. */
  readonly interim: number;
  /** The head. */
  readonly head: Head;
  /** How much of it is sent, in percent. */
  readonly percent: number;
  /** What is sent with it, where it is sent whole. */
  readonly early: keyof typeof EARLY;
  /** Where it is cut, in thousandths. */
  readonly cuts: readonly number[];
  /** What the server does then. */
  readonly ending: "end" | "reset" | "stay";
}

/** How the dialer comes to the server. */
export type Way = "direct" | "http" | "socks5";

/** What may follow a head. */
export const EARLY: Record<
  "nothing" | "message" | "close" | "nonsense",
  Uint8Array
> = {
  nothing: new Uint8Array(),
  message: frame({ payload: "early" }),
  close: frame({ opcode: "close", payload: Uint8Array.of(3, 232) }),
  nonsense: new Uint8Array(40).fill(0xff),
};

/** What a proxy answers, and how much it has read before; `undefined` for a head. */
const RIGHT_TUNNELS: Record<
  Way,
  readonly (readonly [requestBytes: number | undefined, reply: Uint8Array])[]
> = {
  direct: [],
  http: [[undefined, concat("HTTP/1.1 200 OK\r\n\r\n")]],
  socks5: [
    [3, Uint8Array.of(5, 0)],
    [10, Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 80)],
  ],
};

/** Listens on 127.0.0.1, and answers each connection by the next answer. */
export class ScriptedServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #clients: RawClient[] = [];
  readonly #plays: Promise<void>[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  /** The last answer serves all connections that come after it. */
  static async listen(
    way: Way,
    answers: readonly Answer[],
  ): Promise<ScriptedServer> {
    const server = createServer({ allowHalfOpen: true });
    const scripted = new ScriptedServer(server);
    let count = 0;
    server.on("connection", (socket) => {
      const client = new RawClient(socket);
      scripted.#clients.push(client);
      const answer = answers[Math.min(count++, answers.length - 1)]!;
      // The dialer may go away at any time.
      scripted.#plays.push(play(client, way, answer).catch(() => {}));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve());
    });
    return scripted;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Waits until the dialer has let go of every connection. */
  async allLeft(): Promise<void> {
    const deadlineMs = performance.now() + 5_000;
    // Not by reading: the script may be at it.
    while (this.#clients.some((client) => !client.ended)) {
      if (performance.now() > deadlineMs) throw new Error("A socket was left");
      await turn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await within(closed, "the end of the server");
    await within(Promise.all(this.#plays), "the end of the scripts");
  }
}

async function play(
  client: RawClient,
  way: Way,
  answer: Answer,
): Promise<void> {
  await openTunnel(client, way, answer.tunnel);
  const bytes = bytesOf(answer, await client.readHead());
  let from = 0;
  const cuts = answer.cuts.map((cut) => Math.floor(cut * bytes.length / 1000));
  for (const to of [...cuts.sort((a, b) => a - b), bytes.length]) {
    if (to > from) client.write(bytes.subarray(from, to));
    from = to;
    await turn();
  }
  if (answer.ending === "end") client.end();
  if (answer.ending === "reset") client.reset();
}

/** Answers as the proxy; after nonsense it goes on as if nothing were wrong. */
async function openTunnel(
  client: RawClient,
  way: Way,
  nonsense: Uint8Array,
): Promise<void> {
  let instead: Uint8Array | undefined = nonsense;
  for (const [size, reply] of RIGHT_TUNNELS[way]) {
    if (size === undefined) await client.readHead();
    else await client.readBytes(size);
    client.write(instead?.length ? instead : reply);
    instead = undefined;
  }
}

function bytesOf(answer: Answer, request: string): Uint8Array {
  const { head, percent } = answer;
  const interim = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  const bytes = concat(
    interim.repeat(answer.interim),
    head.kind === "upgrade"
      ? upgradeResponse(request, head.headers)
      : head.kind === "redirect"
      ? `HTTP/1.1 307 There\r\nLocation: ${
        head.location.replace("HOST", headerOf(request, "Host") ?? "")
      }\r\n\r\nbody`
      : head.kind === "text"
      ? head.text
      : head.bytes,
  );
  if (percent < 100) {
    return bytes.subarray(0, Math.floor(bytes.length * percent / 100));
  }
  return concat(bytes, EARLY[answer.early]);
}

/** Lets the event loop go round, so that pieces leave one by one. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
