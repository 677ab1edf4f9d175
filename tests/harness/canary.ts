/**
 * The bird in the mine: after an attack, a connection from before it and a
 * fresh one must both still be served.
 */
import { assertEquals } from "../harness.ts";
import {
  type RawClient,
  type RawConnectOptions,
  rawUpgrade,
} from "./raw_client.ts";

/** Asserts that an open connection to an echo handler echoes. */
export async function assertEchoes(client: RawClient): Promise<void> {
  const text = `canary ${Math.random()}`;
  client.sendFrame({ payload: text });
  let frame = await client.readFrame();
  // Where it has taken long, a Ping waits before it.
  while (frame.opcode === 9) frame = await client.readFrame();
  const { opcode, fin, payload } = frame;
  assertEquals(
    [opcode, fin, new TextDecoder().decode(payload)],
    [1, true, text],
    "the canary is dead",
  );
}

/** Asserts that a fresh connection to an echo handler is served. */
export async function canary(
  target: number | RawConnectOptions,
  path = "/echo",
): Promise<void> {
  await using client = await rawUpgrade(target, path);
  await assertEchoes(client);
}

/** A connection that is opened before an attack and tried after it. */
export class Canary implements AsyncDisposable {
  readonly #target: number | RawConnectOptions;
  readonly #path: string;
  readonly #client: RawClient;

  private constructor(
    target: number | RawConnectOptions,
    path: string,
    client: RawClient,
  ) {
    this.#target = target;
    this.#path = path;
    this.#client = client;
  }

  /** Opens the connection. */
  static async open(
    target: number | RawConnectOptions,
    path = "/echo",
  ): Promise<Canary> {
    return new Canary(target, path, await rawUpgrade(target, path));
  }

  /** Asserts that the old connection echoes, and that a fresh one does. */
  async assertAlive(): Promise<void> {
    await assertEchoes(this.#client);
    await canary(this.#target, this.#path);
  }

  /** Drops the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
