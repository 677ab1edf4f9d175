/** A port for a program that cannot be told to take a free one. */
import { createServer } from "node:net";

/** Finds a port on 127.0.0.1 that is free now. Somebody else may take it first. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
