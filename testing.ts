/**
 * Tests of programs that use Sockeye, without sockets and without waiting.
 *
 * {@linkcode connect} joins two real connections in memory, {@linkcode RawPeer} is a
 * peer that sends any bytes, {@linkcode FakeClock} lets the time of keepalives and
 * timeouts pass at once, and {@linkcode MemoryNetwork} stands in for the network of
 * a whole program.
 *
 * @example A chat of two
 * ```ts
 * import { Site } from "@sockeye/sockeye";
 * import { connect } from "@sockeye/sockeye/testing";
 * import { strictEqual } from "node:assert";
 *
 * const site = new Site();
 * site.addHandler("/chat", async (connection) => {
 *   for await (const message of connection) site.broadcast(message);
 * });
 *
 * await using ann = await connect(site, { path: "/chat" });
 * await using bob = await connect(site, { path: "/chat" });
 * ann.client.send("hello");
 * strictEqual(await bob.client.receive(), "hello");
 * ```
 *
 * @module
 */

export {
  connect,
  type ConnectedPair,
  type ConnectOptions,
  type HandledPair,
  type TestedClass,
} from "./testing/connect.ts";
export { FakeClock, type FakeClockOptions } from "./testing/fake_clock.ts";
export {
  MemoryNetwork,
  type MemoryNetworkOptions,
} from "./testing/memory_network.ts";
export type { RawFrame, RawFrameInit, RawOpcode } from "./testing/raw_frame.ts";
export type {
  RawAcceptOptions,
  RawConnectOptions,
} from "./testing/raw_handshake.ts";
export { RawPeer } from "./testing/raw_peer.ts";
export { settle } from "./testing/settle.ts";
export type { Target, TargetOptions } from "./testing/subject.ts";
export type { Wire, WireOptions } from "./testing/wire.ts";
