/** A port for a program that cannot be told to take a free one. */
import { createServer } from "node:net";

/** Ports that kernels give nobody who asks for any. */
const FIRST = 12_000;
const COUNT = 20_000;

/** Whether nobody listens on a port of 127.0.0.1. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isBound = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (isBound) {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  return isBound;
}

/**
 * Finds a port on 127.0.0.1 that is free now, and that no other test will be given
 * by the kernel.
 */
export async function freePort(): Promise<number> {
  while (true) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
}
