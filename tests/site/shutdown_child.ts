/**
 * Run by `shutdown_crowd_test.ts` in a process of its own: a site that says where
 * it listens, shuts down on SIGTERM, says how that went, and ends by itself.
 *
 * The first argument is the time it has for that, in milliseconds.
 */
import process from "node:process";
import { type CloseInfo, Handler, Site } from "../../server.ts";

const timeoutMs = Number(process.argv[2]);

/** How each connection ended, and how many messages were accepted for it. */
const ends: Record<string, unknown> = {};

class Member extends Handler {
  override message(data: string | Uint8Array): void {
    this.connection.send(data);
  }
  override close({ cause, code, wasClean }: CloseInfo): void {
    const { params, stats } = this.connection;
    ends[params.id!] = { cause, code, wasClean, sent: stats.messagesSent };
  }
}

/** Sends more than the kernel takes, to those who will not read it. */
class Stuffing extends Member {
  override open(): void {
    for (let n = 0; n < 12; n++) {
      this.connection.send(new Uint8Array(1_000_000));
    }
  }
}

/** Is in the middle of a fragmented message for ever. */
class Streaming extends Member {
  override open(): void {
    const never = new Promise(() => {});
    const chunks = (async function* () {
      yield "first";
      yield "second";
      await never;
    })();
    this.connection.sendStream(chunks).catch(() => {});
  }
}

class Undecided extends Handler {
  static async upgrade(): Promise<void> {
    await new Promise(() => {});
  }
}

const site = new Site();
site.addHandler("/live/:id", Member);
site.addHandler("/stuck/:id", Stuffing);
site.addHandler("/streaming/:id", Streaming);
site.addHandler("/undecided", Undecided);
const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
const { addr } = server;
console.log(JSON.stringify(addr.transport === "tcp" ? addr.port : 0));

process.once("SIGTERM", async () => {
  const open = site.connections.size;
  site.broadcast("last words");
  const start = performance.now();
  await Promise.all([
    server.shutdown({ timeoutMs }),
    server.shutdown(),
    site.shutdown({ code: 4000 }),
  ]);
  await server.finished;
  const tookMs = performance.now() - start;
  await server.shutdown();
  // The hooks of those who were dropped are called with the next events.
  const isTold = () => Object.keys(ends).length >= open;
  while (!isTold()) await new Promise((resolve) => setTimeout(resolve, 20));
  console.log(JSON.stringify({ open, tookMs, ends }));
});
