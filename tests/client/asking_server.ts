/** A TLS server that wants to see a certificate of the client's. */
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:tls";
import { upgradeResponse } from "../harness/raw_server.ts";
import { certificate } from "../runtime/recorder.ts";

const ca = certificate("ca.crt");
const pair = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };

/** A TLS server that accepts WebSockets, and notes who was shown to it. */
export class AskingServer implements AsyncDisposable {
  /** For each connection, whether it showed a certificate. */
  readonly shown: boolean[] = [];
  readonly #server: Server;

  private constructor(isRequired: boolean) {
    this.#server = createServer(
      { ...pair, ca, requestCert: true, rejectUnauthorized: isRequired },
      (socket) => {
        socket.on("error", () => {});
        socket.once("data", (chunk: Uint8Array) => {
          const { raw } = socket.getPeerCertificate() ?? {};
          this.shown.push(raw !== undefined);
          socket.write(upgradeResponse(Buffer.from(chunk).toString("latin1")));
        });
      },
    );
    this.#server.on("tlsClientError", () => {});
  }

  static async listen(isRequired: boolean): Promise<AskingServer> {
    const asking = new AskingServer(isRequired);
    await new Promise<void>((resolve) => {
      asking.#server.listen(0, "127.0.0.1", () => resolve());
    });
    return asking;
  }

  get url(): string {
    return `wss://localhost:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
