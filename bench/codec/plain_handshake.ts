/**
 * The opening handshake as a short program would do it: the head as one string,
 * split into lines. It lets through much that RFC 9112 forbids.
 */
import { acceptKey } from "../../tests/harness/raw_server.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Reads the first line and the headers, by lower-case name. */
function readHead(
  bytes: Uint8Array,
): { readonly line: string; readonly headers: ReadonlyMap<string, string> } {
  const text = decoder.decode(bytes);
  const [line = "", ...fields] = text.slice(0, text.indexOf("\r\n\r\n"))
    .split("\r\n");
  const headers = new Map(fields.map((field): [string, string] => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
  }));
  return { line, headers };
}

/** Answers an upgrade request (RFC 6455, section 4.2). */
export function answerPlainly(request: Uint8Array): Uint8Array {
  const { line, headers } = readHead(request);
  const key = headers.get("sec-websocket-key");
  const isUpgrade = line.startsWith("GET ") && line.endsWith(" HTTP/1.1") &&
    headers.get("upgrade")?.toLowerCase() === "websocket" &&
    /\bupgrade\b/i.test(headers.get("connection") ?? "") &&
    headers.get("sec-websocket-version") === "13" && headers.has("host");
  if (!isUpgrade || key === undefined) throw new Error("Not an upgrade");
  return encoder.encode(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
      `Connection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
  );
}

/** Makes an upgrade request (RFC 6455, section 4.1). */
export function askPlainly(url: URL, key: string): Uint8Array {
  return encoder.encode(
    `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n` +
      "Upgrade: websocket\r\nConnection: Upgrade\r\nPragma: no-cache\r\n" +
      "Cache-Control: no-cache\r\nSec-WebSocket-Version: 13\r\n" +
      `Sec-WebSocket-Key: ${key}\r\n\r\n`,
  );
}

/** Whether a response agrees to an upgrade request. */
export function isAgreedPlainly(response: Uint8Array, key: string): boolean {
  const { line, headers } = readHead(response);
  return line.startsWith("HTTP/1.1 101") &&
    headers.get("upgrade")?.toLowerCase() === "websocket" &&
    headers.get("connection")?.toLowerCase() === "upgrade" &&
    headers.get("sec-websocket-accept") === acceptKey(key);
}
