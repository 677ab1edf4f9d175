/**
 * The root of a site in memory: one request to a connection.
 *
 * @module
 */

import {
  encodeResponseHead,
  type RequestHead,
  RequestHeadReader,
} from "../codec.ts";
import type {
  Root,
  RootOptions,
  Transport,
  TransportSink,
} from "../runtime/transport.ts";
import { joinBytes } from "./raw_frame.ts";

/** What the response itself says, or this server. */
const OWN_HEADERS = new Set(["connection", "content-length"]);

function toRequest(head: RequestHead, secure: boolean): Request {
  const { method, target, headers } = head;
  const scheme = secure ? "https" : "http";
  return new Request(`${scheme}://${headers.get("host")}${target}`, {
    method,
    headers: [...headers].map(([name, value]): [string, string] => [
      name,
      value,
    ]),
  });
}

async function encode(response: Response): Promise<Uint8Array> {
  const body = new Uint8Array(await response.arrayBuffer());
  const head = encodeResponseHead({
    status: response.status,
    ...(response.statusText && { statusText: response.statusText }),
    headers: [
      ...[...response.headers].filter(([name]) => !OWN_HEADERS.has(name)),
      ["Connection", "close"],
      ["Content-Length", `${body.length}`],
    ],
  });
  return joinBytes(head, body);
}

/** Asks for the answer to a request; what goes wrong is a 500. */
async function answer(
  options: RootOptions,
  head: RequestHead,
  { remoteAddress, secure }: Transport,
): Promise<Uint8Array> {
  const { headers } = head;
  if (headers.has("content-length") || headers.has("transfer-encoding")) {
    const text = "A request with a body is not served in memory.\n";
    return await encode(new Response(text, { status: 501 }));
  }
  try {
    const request = toRequest(head, secure);
    return await encode(
      await options.fetch(request, { remoteAddress, secure }),
    );
  } catch (error) {
    options.failed?.(error instanceof Error ? error : new Error(String(error)));
    return await encode(new Response(null, { status: 500 }));
  }
}

/** Sends one response, and ends. */
class Reply implements TransportSink {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.sink = this;
  }

  send(bytes: Uint8Array): void {
    this.#transport.write(bytes);
    this.#transport.end();
  }

  data(): void {}

  drain(): void {}

  end(): void {}

  close(): void {}
}

/** Answers the requests that are not for a handler. */
export function openMemoryRoot(options: RootOptions): Root {
  return {
    take(transport, bytes) {
      const reader = new RequestHeadReader();
      reader.receive(bytes);
      const reply = new Reply(transport);
      // Whoever passes a request on has read its head.
      answer(options, reader.head!, transport)
        .then((response) => reply.send(response));
    },
    close: () => Promise.resolve(),
  };
}
