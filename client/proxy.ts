/**
 * Through a proxy: which one, and the conversation with it.
 *
 * @module
 */

import { encodeRequestHead, ResponseHeadReader } from "../codec.ts";
import { checkKeys } from "../connection.ts";
import type {
  ConnectTls,
  Transport,
  TransportSink,
  Tunnel,
} from "../runtime/transport.ts";
import {
  type Ask,
  authorityOf,
  type HostAddress,
  percentDecoded,
  takeUser,
} from "./ask.ts";
import { parseHost } from "./host_name.ts";
import { SocksTalk, type SocksUser } from "./socks.ts";
import { proxyError, type Talk } from "./talk.ts";
import { checkTls } from "./tls.ts";

/** A proxy, where its URL does not say everything. */
export interface ProxyOptions {
  /** Where it is: `http:`, `https:`, `socks5:` or `socks5h:`. */
  readonly url: string | URL;
  /** TLS settings towards an `https:` proxy. */
  readonly tls?: ConnectTls;
}

/** A proxy, or a function that says for a URL which one, if any. */
export type Proxy =
  | string
  | URL
  | ProxyOptions
  | ((url: URL) => string | URL | ProxyOptions | undefined);

const PROXY_OPTION_NAMES = new Set(["url", "tls"]);
const PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "socks5:": 1080,
  "socks5h:": 1080,
};

/**
 * Refuses what is no proxy.
 *
 * @throws {TypeError} If it is not one.
 */
export function checkProxy(proxy: Proxy | undefined): void {
  if (proxy !== undefined && typeof proxy !== "function") parseProxy(proxy);
}

/**
 * Says how to come to a host through a proxy.
 *
 * @param proxy The option.
 * @param ask What is asked for.
 * @param target Where to connect to.
 * @returns The tunnel, or `undefined` where there is no proxy for it.
 * @throws {TypeError} If the proxy is of the wrong kind.
 */
export function tunnelFor(
  proxy: Proxy | undefined,
  ask: Ask,
  target: HostAddress,
): Tunnel | undefined {
  const chosen = typeof proxy === "function" ? proxy(new URL(ask.url)) : proxy;
  if (chosen === undefined) return undefined;
  const { url: at, hostname: host, tls } = parseProxy(chosen);
  // What cannot be asked for throws here, before anything is connected.
  const { hostname, port } = target;
  const talk: Talk = at.protocol.startsWith("socks5")
    ? new SocksTalk(hostname, port, socksUser(at))
    : new ConnectTalk(target, ask.proxyAuthorization ?? takeUser(at));
  return {
    hostname: host,
    port: at.port === "" ? PORTS[at.protocol]! : Number(at.port),
    ...(at.protocol === "https:" && { tls: tls ?? {} }),
    open: (transport) => converse(transport, talk),
  };
}

function parseProxy(
  proxy: string | URL | ProxyOptions,
): { url: URL; hostname: string; tls: ConnectTls | undefined } {
  if (typeof proxy === "string" || proxy instanceof URL) {
    return parseProxy({ url: proxy });
  }
  checkKeys("dial", proxy, PROXY_OPTION_NAMES, "proxy");
  if (proxy.tls !== undefined) checkTls(proxy.tls, "proxy.tls");
  // Neither is in a message: the URL may have a password in it.
  const url = URL.parse(String(proxy.url));
  const hostname = url && parseHost(url.hostname);
  if (!url || !hostname || PORTS[url.protocol] === undefined) {
    throw new TypeError(
      "Cannot dial: the proxy is no http:, https:, socks5: or socks5h: URL",
    );
  }
  return { url, hostname, tls: proxy.tls };
}

function socksUser({ username, password }: URL): SocksUser | undefined {
  if (username === "" && password === "") return undefined;
  return {
    username: percentDecoded(username),
    password: percentDecoded(password),
  };
}

/** Asks an HTTP proxy for a tunnel (RFC 9110, section 9.3.6). */
class ConnectTalk implements Talk {
  readonly greeting: Uint8Array;
  isDone = false;
  readonly #reader = new ResponseHeadReader();

  constructor(address: HostAddress, authorization: string | undefined) {
    const target = authorityOf(address);
    const headers: [string, string][] = [["Host", target]];
    if (authorization !== undefined) {
      headers.push(["Proxy-Authorization", authorization]);
    }
    this.greeting = encodeRequestHead({ method: "CONNECT", target, headers });
  }

  receive(chunk: Uint8Array): undefined {
    const taken = this.#reader.receive(chunk);
    const { error: cause, head } = this.#reader;
    if (cause) throw proxyError("answered with no HTTP response", { cause });
    if (taken === undefined || head === undefined) return;
    const { status, headers } = head;
    if (status < 200 || status > 299) {
      throw proxyError(`refused (status ${status})`, { status, headers });
    }
    // The server at the other end does not speak before it is spoken to.
    if (taken < chunk.length) throw proxyError("sent more than its answer");
    this.isDone = true;
  }
}

/** Talks until the tunnel stands. */
function converse(transport: Transport, talk: Talk): Promise<void> {
  return new Promise((resolve, reject) => {
    const sink: TransportSink = {
      data(chunk) {
        try {
          const reply = talk.receive(chunk);
          if (talk.isDone) resolve();
          else if (reply !== undefined) transport.write(reply);
        } catch (error) {
          reject(error);
        }
      },
      drain() {},
      end() {
        reject(proxyError("closed the connection before it answered"));
      },
      close(cause) {
        reject(
          proxyError(
            "closed the connection before it answered",
            cause && { cause },
          ),
        );
      },
    };
    transport.start(sink);
    transport.write(talk.greeting);
  });
}
