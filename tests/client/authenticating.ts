/** What the tests of `authenticate` share: servers that ask, and answers. */
import { dial, type DialOptions } from "../../client.ts";
import { within } from "../harness/deadline.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";

export const LOGIN = { username: "me", password: "secret" };

export function unauthorized(...challenges: readonly string[]): string {
  const lines = challenges.map((line) => `WWW-Authenticate: ${line}\r\n`);
  return `HTTP/1.1 401 No\r\n${lines.join("")}Content-Length: 2\r\n\r\nno`;
}

export function proxyUnauthorized(challenge: string): string {
  return `HTTP/1.1 407 No\r\nProxy-Authenticate: ${challenge}\r\n\r\n`;
}

/** Accepts the next connection, and says what it was asked on it. */
export async function nextAsk(
  server: RawServer,
): Promise<{ raw: RawClient; head: string }> {
  const raw = await server.accept();
  return { raw, head: await raw.readHead() };
}

/** Answers one request after the other; the last with 101. Returns the heads. */
export async function answerAll(
  server: RawServer,
  answers: readonly string[],
): Promise<string[]> {
  const heads: string[] = [];
  for (const answer of answers) {
    const { raw, head } = await nextAsk(server);
    heads.push(head);
    raw.write(answer);
  }
  const { raw, head } = await nextAsk(server);
  raw.write(upgradeResponse(head));
  return [...heads, head];
}

/** Dials a server that refuses so before it opens. */
export async function openedAfter(
  answers: readonly string[],
  options: DialOptions,
  path = "/",
): Promise<{ heads: string[]; url: string | undefined; sent: string | null }> {
  await using server = await RawServer.listen();
  const dialing = dial(`ws://me:x@127.0.0.1:${server.port}${path}`, options);
  dialing.catch(() => {});
  const heads = await answerAll(server, answers);
  const connection = await within(dialing, "dial()");
  connection.terminate();
  await connection.closed;
  return {
    heads,
    url: connection.request.url,
    sent: connection.request.headers.get("authorization"),
  };
}
