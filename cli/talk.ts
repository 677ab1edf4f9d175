/**
 * Talks to a server: lines in, messages out.
 *
 * @module
 */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import {
  ClosedError,
  type CloseInfo,
  type Connection,
  dial,
  HandshakeError,
} from "../client.ts";
import { isOrdinary, printable } from "../connection.ts";
import { type TalkCommand, UsageError } from "./arguments.ts";
import { JsonReport, type Report, TextReport } from "./report.ts";
import { Screen } from "./screen.ts";

/**
 * Talks until either side closes.
 *
 * @param command What to do.
 * @returns Exit code.
 * @throws {UsageError} If the URL or a header cannot be used.
 */
export async function talk(command: TalkCommand): Promise<number> {
  const screen = new Screen(command.isJson);
  const report = command.isJson
    ? new JsonReport(screen)
    : new TextReport(screen);
  const connection = await open(command, report);
  if (connection === undefined) return 1;
  report.opened(connection);
  const interrupt = () => closeOrDrop(connection);
  process.on("SIGINT", interrupt);
  // Whoever read the output has had enough.
  process.stdout.on("error", () => void connection.close());
  if (command.takesInput) {
    screen.read(
      (line) => sendLine(connection, screen, line),
      () => void (command.isOnce || connection.close()),
      interrupt,
    );
  }
  const isAnswered = await receiveAll(connection, command, report);
  const info = await connection.closed;
  process.off("SIGINT", interrupt);
  screen.close();
  report.closed(info);
  return isAnswered && isGood(info) ? 0 : 1;
}

/** Opens the connection; reports why not where it cannot be. */
async function open(
  command: TalkCommand,
  report: Report,
): Promise<Connection | undefined> {
  try {
    return await dial(command.url, {
      ...command.dial,
      ...(command.showsFrames && { onFrame: (frame) => report.frame(frame) }),
    });
  } catch (error) {
    if (error instanceof HandshakeError) {
      report.failed(error);
      return undefined;
    }
    if (error instanceof TypeError) {
      throw new UsageError(printable(error.message));
    }
    throw error;
  }
}

/** Closes; the second time it does not wait for the peer. */
function closeOrDrop(connection: Connection): void {
  if (connection.readyState === 1) void connection.close();
  else connection.terminate();
}

function sendLine(connection: Connection, screen: Screen, line: string): void {
  if (connection.send(line) || connection.readyState !== 1) return;
  screen.pause();
  connection.drained.then(() => screen.resume(), () => {});
}

/**
 * Reports messages until the connection is closed, or one where one is enough.
 *
 * @returns Whether what was to come has come.
 */
async function receiveAll(
  connection: Connection,
  command: TalkCommand,
  report: Report,
): Promise<boolean> {
  const { isOnce, timeoutMs, binaryDir } = command;
  const files = binaryDir === undefined ? undefined : new Files(binaryDir);
  let isLate = false;
  const timer = isOnce
    ? setTimeout(() => {
      isLate = true;
      report.timedOut(timeoutMs);
      void connection.close();
    }, timeoutMs)
    : undefined;
  try {
    while (true) {
      const message = await connection.receive();
      const file = typeof message === "string"
        ? undefined
        : await files?.write(message);
      if (isLate) continue;
      report.received(message, file);
      if (!isOnce) continue;
      void connection.close();
      return true;
    }
  } catch (error) {
    if (error instanceof ClosedError) return !isOnce;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a connection ended as one should. */
function isGood(info: CloseInfo): boolean {
  return info.wasClean && isOrdinary(info);
}

/** Binary messages, each in a file of its own. */
class Files {
  readonly #dir: string;
  #number = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Writes one; returns the path. No file that is there is overwritten. */
  async write(bytes: Uint8Array): Promise<string> {
    await mkdir(this.#dir, { recursive: true });
    while (true) {
      const name = `${String(++this.#number).padStart(6, "0")}.bin`;
      const path = join(this.#dir, name);
      try {
        await writeFile(path, bytes, { flag: "wx" });
        return path;
      } catch (error) {
        if ((error as { code?: unknown }).code !== "EEXIST") throw error;
      }
    }
  }
}
