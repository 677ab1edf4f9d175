/**
 * Libraries that were written for browsers, on our `WebSocket`: one that connects
 * again, and the client of the Phoenix framework.
 */
import { WebSocket } from "../../websocket.ts";
import { Handler, type Site } from "../../server.ts";
import { assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { serve, until } from "../site/served.ts";

// Variables keep packages that have no types, or others than ours, out of the check.
const RECONNECTING = "reconnecting-websocket";
const PHOENIX = "phoenix";

/** How one gives a library what browsers cannot say: a class with it built in. */
class Authorized extends WebSocket {
  constructor(url: string | URL, protocols: string | string[] = []) {
    super(url, { protocols, headers: { authorization: "Bearer 1234" } });
  }
}

test("reconnecting-websocket: comes back, with headers and bytes", async () => {
  const { default: exported } = await import(RECONNECTING);
  const Reconnecting = exported.default ?? exported;
  const closes: (number | undefined)[] = [];
  let count = 0;
  class Flaky extends Handler {
    override open(): void {
      const { headers } = this.connection.request;
      this.connection.send(`${++count} ${headers.get("authorization")}`);
      if (count === 2) this.connection.terminate();
      if (count < 4) this.connection.close(1012, "restart");
    }
    override message(data: string | Uint8Array): void {
      this.connection.send(data);
    }
    override close(info: { readonly code: number }): void {
      closes.push(info.code);
    }
  }
  await serve({
    setup: (site) =>
      site.addHandler("/", Flaky, { origins: "*", subprotocols: ["chat"] }),
  }, async ({ port }) => {
    const url = `ws://127.0.0.1:${port}/`;
    const socket: globalThis.WebSocket = new Reconnecting(url, ["chat"], {
      WebSocket: Authorized,
      minReconnectionDelay: 5,
      maxReconnectionDelay: 20,
    });
    const closed = new Promise<CloseEvent>((resolve) => {
      socket.addEventListener("close", (event) => {
        if (event.code === 4000) resolve(event);
      });
    });
    try {
      const got: unknown[] = [];
      socket.addEventListener("message", ({ data }) => void got.push(data));
      await until(() => count === 4, "the fourth connection");
      await until(() => socket.readyState === 1, "the open state");
      assertEquals([socket.protocol, socket.url], ["chat", url]);
      socket.binaryType = "arraybuffer";
      const answer = new Promise<MessageEvent>((resolve) => {
        socket.addEventListener("message", ({ data }: MessageEvent) => {
          if (data instanceof ArrayBuffer) resolve({ data } as MessageEvent);
        });
      });
      socket.send(Uint8Array.of(1, 2, 3));
      const { data } = await within(answer, "the bytes");
      assertEquals([...new Uint8Array(data)], [1, 2, 3]);
      assertEquals(got[0], "1 Bearer 1234");
    } finally {
      socket.close(4000, "done");
    }
    await within(closed, "the end");
    await until(() => closes.at(-1) === 4000, "the close at the server");
    assertEquals(count, 4);
  });
});

/** A channel of Phoenix. */
interface Channel {
  join(): Push;
  push(event: string, payload: unknown): Push;
  on(event: string, callback: (payload: unknown) => void): number;
  readonly state: string;
}

/** What a channel has sent, and waits to be answered. */
interface Push {
  receive(status: string, callback: (response: unknown) => void): Push;
}

/** A socket of Phoenix. */
interface PhoenixSocket {
  connect(): void;
  disconnect(callback: () => void): void;
  channel(topic: string, params?: object): Channel;
  isConnected(): boolean;
}

/** Speaks as much of Phoenix's protocol as its client asks for. */
class PhoenixHandler extends Handler {
  /** Events that have come, on all connections. */
  static readonly events: string[] = [];

  static count(event: string): number {
    return PhoenixHandler.events.filter((one) => one === event).length;
  }

  override message(data: string | Uint8Array): void {
    if (typeof data !== "string") return this.#receiveBytes(data);
    const [joinRef, ref, topic, event, payload] = JSON.parse(data);
    this.#reply(joinRef, ref, topic, { event, payload });
    PhoenixHandler.events.push(event);
    if (event === "shout") {
      const push = [joinRef, null, topic, "shouted", payload];
      this.connection.send(JSON.stringify(push));
    }
  }

  /** A byte of kind, four of lengths, four texts of these, and the payload. */
  #receiveBytes(data: Uint8Array): void {
    const texts: string[] = [];
    let at = 5;
    for (const length of data.subarray(1, 5)) {
      texts.push(new TextDecoder().decode(data.subarray(at, at += length)));
    }
    const [joinRef, ref, topic] = texts;
    this.#reply(joinRef, ref, topic!, { bytes: [...data.subarray(at)] });
  }

  #reply(
    joinRef: unknown,
    ref: unknown,
    topic: string,
    response: unknown,
  ): void {
    const answer = { status: "ok", response };
    this.connection.send(
      JSON.stringify([joinRef, ref, topic, "phx_reply", answer]),
    );
  }
}

function answered(push: Push): Promise<unknown> {
  const answer = new Promise((resolve) => push.receive("ok", resolve));
  return within(answer, "an answer");
}

/** Runs a body with a site, and a socket that disconnects at its end. */
async function withPhoenix(
  options: object,
  body: (socket: PhoenixSocket, site: Site) => Promise<void>,
): Promise<void> {
  const { Socket } = await import(PHOENIX);
  await serve({
    setup: (site) =>
      site.addHandler("/socket/websocket", PhoenixHandler, { origins: "*" }),
  }, async ({ port, site }) => {
    const socket: PhoenixSocket = new Socket(`ws://127.0.0.1:${port}/socket`, {
      transport: Authorized,
      reconnectAfterMs: () => 10,
      ...options,
    });
    socket.connect();
    try {
      await body(socket, site);
    } finally {
      // Also where something failed: it would go on connecting for ever.
      const ended = new Promise<void>((resolve) => socket.disconnect(resolve));
      await within(ended, "the end of disconnect()");
    }
    assertEquals(socket.isConnected(), false);
  });
}

test("phoenix: channels, bytes, and joining again", () => {
  const options = { rejoinAfterMs: () => 10, params: { token: "a b" } };
  return withPhoenix(options, async (socket, site) => {
    const channel = socket.channel("room:1", { name: "x" });
    const joined = await answered(channel.join());
    assertEquals(joined, { event: "phx_join", payload: { name: "x" } });
    const shouted = new Promise((resolve) => channel.on("shouted", resolve));
    const payload = { text: "\u{1f4a1}" };
    const response = await answered(channel.push("shout", payload));
    assertEquals(response, { event: "shout", payload });
    assertEquals(await within(shouted, "a message"), payload);
    const { buffer } = Uint8Array.of(1, 2, 3);
    const bytes = await answered(channel.push("bytes", buffer));
    assertEquals(bytes, { bytes: [1, 2, 3] });
    const joins = PhoenixHandler.count("phx_join");
    for (const connection of site.connections) {
      const { pathname } = new URL(connection.request.url);
      if (pathname === "/socket/websocket") connection.terminate();
    }
    const isAgain = () => PhoenixHandler.count("phx_join") > joins;
    await until(isAgain, "a channel that joins again");
    await until(() => channel.state === "joined", "the channel, once more");
    assertEquals(
      await answered(channel.push("again", {})),
      { event: "again", payload: {} },
    );
  });
});

// By itself: whoever hears of a heartbeat too late connects anew, and what is under
// way then gets no answer.
test("phoenix: heartbeats", () =>
  withPhoenix({ heartbeatIntervalMs: 50 }, () => {
    const count = () => PhoenixHandler.count("heartbeat");
    return until(() => count() > 1, "heartbeats");
  }));
