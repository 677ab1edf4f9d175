/** The peers of the interop tests: how to start each, and what it can do. */
import {
  Child,
  pythonPath,
  type RuntimeName,
  runtimePath,
  RUNTIMES,
  scriptArguments,
} from "../harness/child.ts";
import { checkoutPath } from "../harness/child.ts";

/** Certificate and key of 127.0.0.1. */
export const TLS_FILES: readonly string[] = ["leaf.crt", "leaf.key"]
  .map((name) => checkoutPath(`tests/certs/${name}`));

/** A program on the other side. */
export interface Peer {
  /** Name for the test. */
  readonly name: string;
  /** What is not installed; `undefined` where the peer can be had. */
  readonly missing: string | undefined;
  /** Whether it can ping and send fragments. */
  readonly hasFrames: boolean;
  /** Whether it can be a server. */
  readonly canServe: boolean;
  /** Starts it: `["server"]`, with files of a certificate and its key for TLS, or
   * `["client", url]`. */
  start(mode: readonly string[]): Child;
}

const python: Peer = {
  name: "Python websockets",
  missing: pythonPath === undefined ? "python3-websockets" : undefined,
  hasFrames: true,
  canServe: true,
  start: (mode) =>
    new Child(pythonPath ?? "", [
      checkoutPath("tests/interop/peers/python_peer.py"),
      ...mode,
    ]),
};

function scriptPeer(
  name: string,
  runtime: RuntimeName,
  script: string,
  abilities: Pick<Peer, "hasFrames" | "canServe">,
): Peer {
  const path = runtimePath(runtime);
  return {
    name,
    missing: path === undefined ? runtime : undefined,
    ...abilities,
    start: (mode) =>
      new Child(path ?? "", [...scriptArguments(runtime, script), ...mode]),
  };
}

/** All peers. */
export const PEERS: readonly Peer[] = [
  python,
  scriptPeer("ws on Node", "node", "tests/interop/peers/ws_peer.mjs", {
    hasFrames: true,
    canServe: true,
  }),
  ...RUNTIMES.map((runtime) =>
    scriptPeer(
      `the native WebSocket of ${runtime}`,
      runtime,
      "tests/interop/peers/native_peer.mjs",
      // Node has a client only.
      { hasFrames: false, canServe: runtime !== "node" },
    )
  ),
];
