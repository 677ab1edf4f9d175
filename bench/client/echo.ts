/**
 * The server that all clients are measured against, run on Bun: an echo by system
 * calls that checks nothing, so that it costs less than any client. Prints its
 * port as `{"port":…}`.
 */
import { createHash } from "node:crypto";
import { type Libc, openLibc } from "../libc/calls.ts";
import { Epoll, READABLE, WRITABLE } from "../libc/epoll.ts";
import { accept, listen, send } from "../libc/socket.ts";
import { announce } from "../servers/control.ts";
import { CHUNK_START, FrameEcho, makeEchoMemory } from "./frame_echo.ts";

const READ_BYTES = 512 * 1024;
/** How long to wait for a socket before the process looks after itself. */
const IDLE_MS = 50;
/** Of RFC 6455, section 1.3. */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const libc: Libc = await openLibc();
const epoll = new Epoll(libc);
const memory = makeEchoMemory(READ_BYTES);
const memoryPointer = libc.pointer(memory.bytes);
const peers: (Peer | undefined)[] = [];

/** One connection. */
class Peer {
  readonly #fd: number;
  readonly #echo = new FrameEcho(memory);
  #head: string | undefined = "";
  #unsent: Uint8Array | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Reads once, and answers. */
  receive(): void {
    const pointer = memoryPointer + CHUNK_START;
    const length = libc.calls.recv(this.#fd, pointer, READ_BYTES, 0);
    if (length <= 0) return this.close();
    if (this.#head !== undefined) return this.#open(length);
    const echo = this.#echo;
    echo.turn(length);
    const sent = send(
      libc,
      this.#fd,
      memoryPointer + echo.start,
      echo.end - echo.start,
    );
    if (echo.start + sent < echo.end) {
      this.#keep(memory.bytes.slice(echo.start + sent, echo.end));
    } else if (echo.isClosing) this.close();
  }

  /** Sends what had to wait; nothing is read meanwhile. */
  drain(): void {
    const unsent = this.#unsent ?? new Uint8Array();
    const sent = send(libc, this.#fd, libc.pointer(unsent), unsent.length);
    if (sent < unsent.length) return this.#keep(unsent.subarray(sent));
    this.#unsent = undefined;
    epoll.change(this.#fd, READABLE);
    if (this.#echo.isClosing) this.close();
  }

  close(): void {
    libc.calls.close(this.#fd);
    peers[this.#fd] = undefined;
  }

  #keep(unsent: Uint8Array): void {
    this.#unsent = unsent;
    epoll.change(this.#fd, WRITABLE);
  }

  /** Answers the request, once it is there; nothing follows it before that. */
  #open(length: number): void {
    const chunk = memory.bytes.subarray(CHUNK_START, CHUNK_START + length);
    this.#head += new TextDecoder("latin1").decode(chunk);
    if (!this.#head?.endsWith("\r\n\r\n")) return;
    const key = /^sec-websocket-key:\s*(\S+)/im.exec(this.#head)?.[1];
    this.#head = undefined;
    const accept = createHash("sha1").update(key + KEY_SUFFIX).digest("base64");
    const response = new TextEncoder().encode(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
        `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    send(libc, this.#fd, libc.pointer(response), response.length);
  }
}

/** Serves until nothing has been ready for a while. */
function serve(listener: number): void {
  for (;;) {
    const count = epoll.wait(IDLE_MS);
    if (count === 0) return;
    for (let index = 0; index < count; index++) {
      const fd = epoll.fdAt(index);
      if (fd === listener) acceptAll(listener);
      else if (epoll.flagsAt(index) === WRITABLE) peers[fd]?.drain();
      else peers[fd]?.receive();
    }
  }
}

function acceptAll(listener: number): void {
  for (;;) {
    const fd = accept(libc, listener);
    if (fd < 0) return;
    peers[fd] = new Peer(fd);
    epoll.add(fd, READABLE);
  }
}

const { fd: listener, port } = listen(libc);
epoll.add(listener, READABLE);
announce(port);
for (;;) {
  serve(listener);
  // Lets the process see signals and commands.
  await new Promise((resolve) => setTimeout(resolve));
}
