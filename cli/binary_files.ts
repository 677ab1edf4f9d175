/**
 * Binary messages in files.
 *
 * @module
 */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Binary messages, each in a file of its own. */
export class BinaryFiles {
  readonly #dir: string;
  #number = 0;

  /** @param dir Folder; made when it is needed. */
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
