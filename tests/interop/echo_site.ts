/** A site that echoes, for peers to talk to; it remembers how they left. */
import { type CloseInfo, Handler } from "../../connection.ts";
import { Site } from "../../server.ts";
import { within } from "../harness/deadline.ts";

/** Open it, talk to `url`, dispose of it. */
export class EchoSite implements AsyncDisposable {
  /** Port on 127.0.0.1. */
  readonly port: number;
  readonly #reports: CloseInfo[];
  readonly #shutdown: () => Promise<void>;
  readonly #wake: { call?: () => void };

  private constructor(
    port: number,
    reports: CloseInfo[],
    wake: { call?: () => void },
    shutdown: () => Promise<void>,
  ) {
    this.port = port;
    this.#reports = reports;
    this.#wake = wake;
    this.#shutdown = shutdown;
  }

  /**
   * Starts it. `/echo` echoes; the message `close CODE REASON` makes it close.
   */
  static async open(): Promise<EchoSite> {
    const reports: CloseInfo[] = [];
    const wake: { call?: () => void } = {};
    class Echo extends Handler {
      override message(data: string | Uint8Array): void {
        if (typeof data === "string" && data.startsWith("close ")) {
          const [, code, reason] = data.split(" ");
          this.connection.close(Number(code), reason);
        } else {
          this.connection.send(data);
        }
      }
      override close(info: CloseInfo): void {
        reports.push(info);
        wake.call?.();
      }
    }
    const site = new Site();
    site.addHandler("/echo", Echo);
    const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
    if (server.addr.transport !== "tcp") throw new Error("Not on TCP");
    return new EchoSite(
      server.addr.port,
      reports,
      wake,
      () => Promise.resolve(server.shutdown()),
    );
  }

  /** Where it echoes. */
  get url(): string {
    return `ws://127.0.0.1:${this.port}/echo`;
  }

  /** Waits for the next connection to end; says how it did. */
  async nextClose(): Promise<CloseInfo> {
    while (true) {
      const report = this.#reports.shift();
      if (report !== undefined) return report;
      await within(
        new Promise<void>((resolve) => {
          this.#wake.call = resolve;
        }),
        "the end of a connection",
      );
    }
  }

  /** Stops it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shutdown();
  }
}
