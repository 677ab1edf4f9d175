/**
 * Where several processes become one site: what is published in one of them
 * reaches the subscribers of all.
 *
 * @module
 */

import type { Message, PreparedMessage } from "../codec.ts";
import type { TopicWatcher } from "./topics.ts";

/**
 * Carries messages between the processes of a site. An object belongs to one site.
 *
 * Its calls come in order: `subscribe` with a topic's first subscriber in this
 * process, `unsubscribe` after the last. What it throws or rejects with goes to
 * `onError`; the subscribers in this process are served all the same.
 */
export interface Broker {
  /**
   * Passes bytes on to whoever is subscribed to a topic, in whichever process.
   *
   * @param topic Topic.
   * @param bytes Opaque; the broker's to keep.
   */
  publish(topic: string, bytes: Uint8Array): void | Promise<void>;
  /**
   * Begins to listen.
   *
   * @param topic Topic.
   * @param receive To be called with the bytes of each message of the topic, in
   * order. What this process has published itself may be among them: the site
   * knows it again. It does not throw, and keeps nothing of the bytes.
   */
  subscribe(
    topic: string,
    receive: (bytes: Uint8Array) => void,
  ): void | Promise<void>;
  /**
   * Ends to listen.
   *
   * @param topic Topic.
   */
  unsubscribe(topic: string): void | Promise<void>;
}

/** What a broker is joined to. */
export interface BrokerSite {
  /** Sends a message to those who are subscribed in this process. */
  deliver(topic: string, message: Message, compress: boolean): void;
  /** Told of what went wrong. */
  reportError(error: unknown): void;
}

/** First byte of what goes through a broker: what the rest is. */
const TEXT = 1;
const BINARY = 2;
/** Set in it where the message is not to be compressed on its way to clients. */
const PLAIN_BIT = 0x80;
/** Bytes of the site's name, which follow. */
const NAME_BYTES = 16;
const HEADER_BYTES = 1 + NAME_BYTES;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Refuses what is no broker.
 *
 * @throws {TypeError} If it lacks a method.
 */
export function checkBroker(broker: unknown): void {
  for (const name of ["publish", "subscribe", "unsubscribe"]) {
    const method = (broker as Record<string, unknown> | null)?.[name];
    if (typeof method !== "function") {
      throw new TypeError(`Cannot make the site: the broker has no ${name}`);
    }
  }
}

/** Joins a site to its broker. */
export class BrokerLink implements TopicWatcher {
  readonly #broker: Broker;
  readonly #site: BrokerSite;
  /** Tells our own messages, where the broker brings them back, from others. */
  readonly #name: Uint8Array = crypto.getRandomValues(
    new Uint8Array(NAME_BYTES),
  );

  /**
   * @param broker The broker.
   * @param site The site.
   */
  constructor(broker: Broker, site: BrokerSite) {
    this.#broker = broker;
    this.#site = site;
  }

  /** Passes a message on to the other processes. */
  publish(topic: string, message: PreparedMessage): void {
    this.#attempt(() =>
      this.#broker.publish(topic, encode(message, this.#name))
    );
  }

  began(topic: string): void {
    this.#attempt(() =>
      this.#broker.subscribe(topic, (bytes) => this.#receive(topic, bytes))
    );
  }

  ended(topic: string): void {
    this.#attempt(() => this.#broker.unsubscribe(topic));
  }

  #receive(topic: string, bytes: Uint8Array): void {
    try {
      const isOurs = this.#name.every((byte, at) => byte === bytes[1 + at]);
      if (isOurs) return;
      const isPlain = (bytes[0]! & PLAIN_BIT) !== 0;
      this.#site.deliver(topic, decode(bytes), !isPlain);
    } catch (error) {
      this.#site.reportError(error);
    }
  }

  #attempt(call: () => void | Promise<void>): void {
    try {
      const done = call();
      if (done === undefined) return;
      Promise.resolve(done).catch((error) => this.#site.reportError(error));
    } catch (error) {
      this.#site.reportError(error);
    }
  }
}

function encode(
  { data, compress }: PreparedMessage,
  name: Uint8Array,
): Uint8Array {
  const isText = typeof data === "string";
  const payload = isText ? encoder.encode(data) : data;
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes[0] = (isText ? TEXT : BINARY) | (compress ? 0 : PLAIN_BIT);
  bytes.set(name, 1);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

function decode(bytes: Uint8Array): Message {
  const payload = bytes.subarray(HEADER_BYTES);
  if (bytes.length >= HEADER_BYTES) {
    const kind = bytes[0]! & ~PLAIN_BIT;
    if (kind === BINARY) return payload;
    if (kind === TEXT) return decoder.decode(payload);
  }
  throw new Error("What the broker brought is not of a site's making");
}
