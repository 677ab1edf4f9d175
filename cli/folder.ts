/**
 * The files of a folder, over HTTP.
 *
 * @module
 */

import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { extname, join, sep } from "node:path";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".gif": "image/gif",
  ".htm": "text/html; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webp": "image/webp",
};

const CHUNK_BYTES = 65_536;

/**
 * Makes a root that serves a folder: its files, and the `index.html` of folders.
 * What begins with a dot is hidden, and links do not lead out.
 *
 * @param dir Folder.
 * @throws If there is no such folder.
 */
export async function serveFolder(
  dir: string,
): Promise<(request: Request) => Promise<Response>> {
  const root = await realpath(dir);
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      const headers = { allow: "GET, HEAD" };
      return new Response("Method not allowed\n", { status: 405, headers });
    }
    const path = filePath(root, request);
    const found = path && await find(root, path);
    if (!found) return new Response("Not found\n", { status: 404 });
    const { file, bytes } = found;
    const isHead = request.method === "HEAD";
    if (isHead) await file.close();
    return new Response(isHead ? null : contents(file, bytes), {
      headers: {
        "content-type": CONTENT_TYPES[extname(found.path).toLowerCase()] ??
          "application/octet-stream",
        "content-length": String(bytes),
        "x-content-type-options": "nosniff",
      },
    });
  };
}

/** Path of the file that a request asks for; `undefined` for one that is hidden. */
function filePath(root: string, request: Request): string | undefined {
  let path;
  try {
    path = decodeURIComponent(new URL(request.url).pathname);
  } catch {
    return undefined;
  }
  if (path.endsWith("/")) path += "index.html";
  // An encoded slash would bring steps that the URL has not been rid of.
  if (/\/\.|[\\\0]/.test(path)) return undefined;
  return join(root, path);
}

interface Found {
  readonly path: string;
  readonly file: FileHandle;
  readonly bytes: number;
}

async function find(root: string, path: string): Promise<Found | undefined> {
  let file: FileHandle | undefined;
  try {
    const real = await realpath(path);
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) {
      return undefined;
    }
    // A pipe in the folder would wait for somebody to write.
    file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (stat.isFile()) return { path: real, file, bytes: stat.size };
  } catch {
    // Not there, or not to be read.
  }
  await file?.close();
  return undefined;
}

/** Reads as much of a file as was promised, as it is asked for. */
function contents(file: FileHandle, bytes: number): ReadableStream<Uint8Array> {
  let restBytes = bytes;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = new Uint8Array(Math.min(restBytes, CHUNK_BYTES));
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      restBytes -= bytesRead;
      if (bytesRead > 0) controller.enqueue(chunk.subarray(0, bytesRead));
      if (bytesRead > 0 && restBytes > 0) return;
      await file.close();
      controller.close();
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}
