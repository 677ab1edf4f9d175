/** A broker in memory: joins sites of one process, as Redis or NATS would several. */
import type { Broker } from "../../server.ts";

type Receive = (bytes: Uint8Array) => void;

/** What the brokers of all sites are connected to. */
export class Hub {
  readonly #members: Map<string, Set<Receive>> = new Map();

  /** Topics that somebody listens to. */
  get topics(): string[] {
    return [...this.#members.keys()];
  }

  /** Sends bytes to all who listen, the sender included. */
  publish(topic: string, bytes: Uint8Array): void {
    for (const receive of [...this.#members.get(topic) ?? []]) receive(bytes);
  }

  /** Makes the broker of one site. */
  join(): Broker {
    const listening = new Map<string, Receive>();
    return {
      publish: async (topic, bytes) => {
        await Promise.resolve();
        this.publish(topic, bytes);
      },
      subscribe: (topic, receive) => {
        listening.set(topic, receive);
        const members = this.#members.get(topic);
        if (members === undefined) this.#members.set(topic, new Set([receive]));
        else members.add(receive);
      },
      unsubscribe: (topic) => {
        const members = this.#members.get(topic);
        members?.delete(listening.get(topic)!);
        listening.delete(topic);
        if (members?.size === 0) this.#members.delete(topic);
      },
    };
  }
}
