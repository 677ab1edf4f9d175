/**
 * Talks to a server: lines in, messages out.
 *
 * @module
 */

import process from "node:process";
import {
  ClosedError,
  type CloseInfo,
  type Connection,
  dial,
  type DialOptions,
  HandshakeError,
  isRetryable,
  redial,
} from "../client.ts";
import { isOrdinary, printable } from "../connection.ts";
import type { TalkCommand } from "./arguments.ts";
import { BinaryFiles } from "./binary_files.ts";
import { History } from "./history.ts";
import { LineSender } from "./line_sender.ts";
import { type Report, reportOn } from "./report.ts";
import {
  dropOutput,
  flushOutput,
  isOutputFull,
  onOutputLost,
} from "./output.ts";
import { Screen } from "./screen.ts";
import { UsageError } from "./usage.ts";

/**
 * Talks until either side closes; with `--reconnect`, until this side does.
 *
 * @param command What to do.
 * @returns Exit code.
 * @throws {UsageError} If the URL or a header cannot be used.
 */
export async function talk(command: TalkCommand): Promise<number> {
  const session = new Session(command);
  try {
    return await (command.reconnects ? session.runOften() : session.runOnce());
  } catch (error) {
    if (error instanceof TypeError && !session.hasStarted) {
      throw new UsageError(printable(error.message));
    }
    throw error;
  } finally {
    session.end();
  }
}

/** One talk, over one connection or, one after the other, several. */
class Session {
  /** Whether there has been a connection. */
  hasStarted = false;

  readonly #command: TalkCommand;
  readonly #screen: Screen;
  readonly #report: Report;
  readonly #sender: LineSender;
  readonly #files: BinaryFiles | undefined;
  readonly #stop: AbortController = new AbortController();
  /** Lines that were read while there was no connection. */
  readonly #waiting: string[] = [];
  readonly #interrupt = (): void => this.#finish(1000);
  readonly #terminate = (): void => this.#finish(1001);
  #connection: Connection | undefined;
  #isInputOver = false;
  /** Whether this side has had enough. */
  #isDone = false;
  /** Runs behind the end of the input. */
  #wait: ReturnType<typeof setTimeout> | undefined;

  constructor(command: TalkCommand) {
    const { isJson, isRaw, binaryDir } = command;
    this.#command = command;
    this.#screen = new Screen(isJson);
    this.#report = reportOn(this.#screen, isJson, isRaw);
    this.#sender = new LineSender(
      this.#report,
      command.takesCommands || this.#screen.isInteractive,
    );
    this.#files = binaryDir === undefined
      ? undefined
      : new BinaryFiles(binaryDir);
  }

  /** Talks over one connection; returns the exit code. */
  async runOnce(): Promise<number> {
    let connection;
    try {
      connection = await dial(this.#command.url, this.#dialOptions());
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error;
      this.#report.failed(error);
      return 1;
    }
    return await this.#converse(connection);
  }

  /** Talks over one connection after the other; returns the exit code. */
  async runOften(): Promise<number> {
    let code = 1;
    const connections = redial(this.#command.url, {
      dial: this.#dialOptions(),
      signal: this.#stop.signal,
      // One client, and a person who looks on: less patient than a service.
      firstDelayMs: 1_000,
      minDelayMs: 1_000,
      maxDelayMs: 30_000,
      shouldRetry: (error) => {
        if (error instanceof HandshakeError) this.#report.failed(error);
        return isRetryable(error);
      },
    });
    try {
      for await (const connection of connections) {
        code = await this.#converse(connection);
        if (this.#isDone) break;
        this.#screen.hold();
      }
    } catch (error) {
      // It has been reported, or it is our own giving up.
      const isKnown = error instanceof HandshakeError || this.#isDone;
      if (!isKnown) throw error;
      if (error instanceof HandshakeError) return 1;
    }
    return code;
  }

  /** Lets go of the terminal and of signals. */
  end(): void {
    process.off("SIGINT", this.#interrupt);
    process.off("SIGTERM", this.#terminate);
    this.#screen.close();
  }

  #dialOptions(): DialOptions {
    const { dial, showsFrames } = this.#command;
    if (!showsFrames) return dial;
    return { ...dial, onFrame: (frame) => this.#report.frame(frame) };
  }

  /** Talks until the connection is gone; returns the exit code. */
  async #converse(connection: Connection): Promise<number> {
    this.#connection = connection;
    // Whoever sees that it is open may send a signal at once.
    if (!this.hasStarted) this.#heed();
    this.#report.opened(connection);
    if (!this.hasStarted) this.#read();
    this.hasStarted = true;
    this.#screen.resume();
    for (const text of this.#command.sends) connection.send(text);
    for (const line of this.#waiting.splice(0)) this.#send(line);
    if (this.#isInputOver) this.#inputOver();
    const isAnswered = await this.#receiveAll(connection);
    const info = await connection.closed;
    clearTimeout(this.#wait);
    this.#connection = undefined;
    if (!this.#command.reconnects || this.#isDone) this.#screen.close();
    this.#report.closed(info);
    // A person has seen that a command failed, and may have mended it.
    const isDone = this.#screen.isInteractive || !this.#sender.hasFailed;
    return isAnswered && isDone && isGood(info) ? 0 : 1;
  }

  /** Heeds signals, and the end of the output. */
  #heed(): void {
    process.on("SIGINT", this.#interrupt);
    process.on("SIGTERM", this.#terminate);
    // Whoever read the output has had enough.
    onOutputLost(() => {
      this.#isDone = true;
      void this.#connection?.close();
      this.#stop.abort();
    });
  }

  /** Reads lines, now that there is somebody to send them to. */
  #read(): void {
    if (!this.#command.takesInput) return;
    const history = this.#command.keepsHistory ? new History() : undefined;
    this.#screen.read(
      history,
      (line) => this.#send(line),
      (failure) => {
        if (failure !== undefined) this.#sender.fail(failure);
        this.#isInputOver = true;
        this.#inputOver();
      },
      this.#interrupt,
    );
  }

  #send(line: string): void {
    const connection = this.#connection;
    if (connection === undefined) {
      this.#waiting.push(line);
      return;
    }
    if (this.#sender.perform(line, connection)) return;
    if (connection.readyState !== 1) return;
    this.#screen.pause();
    connection.drained.then(() => this.#screen.resume(), () => {});
  }

  /** There will be no more lines: closes behind the last one. */
  #inputOver(): void {
    if (this.#command.isOnce) return;
    if (this.#connection === undefined && this.#waiting.length > 0) return;
    this.#isDone = true;
    const close = () => {
      void this.#connection?.close();
      this.#stop.abort();
    };
    const { waitMs } = this.#command;
    if (waitMs > 0 && this.#connection) this.#wait = setTimeout(close, waitMs);
    else close();
  }

  /** Closes; the second time it waits for nobody. */
  #finish(code: number): void {
    this.#isDone = true;
    if (this.#connection?.readyState === 1) void this.#connection.close(code);
    else {
      this.#connection?.terminate();
      dropOutput();
    }
    this.#stop.abort();
  }

  /**
   * Reports messages until the connection is closed, or one where one is enough.
   *
   * @returns Whether what was to come has come.
   */
  async #receiveAll(connection: Connection): Promise<boolean> {
    const { isOnce, timeoutMs } = this.#command;
    let isLate = false;
    const timer = isOnce
      ? setTimeout(() => {
        isLate = true;
        this.#report.timedOut(timeoutMs);
        this.#finish(1000);
      }, timeoutMs)
      : undefined;
    try {
      while (true) {
        const message = await connection.receive();
        let file;
        try {
          if (typeof message !== "string") {
            file = await this.#files?.write(message);
          }
        } catch (error) {
          // Going on would lose messages that are meant to be kept.
          this.#report.unwritten((error as Error).message);
          this.#finish(1000);
          return false;
        }
        if (isLate) continue;
        this.#report.received(message, file);
        if (!isOnce) {
          if (isOutputFull()) await this.#waitForOutput(connection);
          continue;
        }
        this.#finish(1000);
        return true;
      }
    } catch (error) {
      if (error instanceof ClosedError) return !isOnce;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Waits for who reads slowly, and slows the server down. Nothing may gather
   * here meanwhile: there has to be room for what still comes when we close.
   */
  async #waitForOutput(connection: Connection): Promise<void> {
    connection.pause();
    await flushOutput();
    connection.resume();
  }
}

/** Whether a connection ended as one should. */
function isGood(info: CloseInfo): boolean {
  return info.wasClean && isOrdinary(info);
}
