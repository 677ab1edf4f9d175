/** `Bun.serve`. Run it with Bun. */
import { announce } from "../servers/control.ts";

declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch(request: Request): Response;
  }): { readonly port: number };
};

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: () => new Response("Hello"),
});
announce(server.port);
