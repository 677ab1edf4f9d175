/** `Deno.serve`. Run it with Deno. */
import { announce } from "../servers/control.ts";

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => announce(port),
}, () => new Response("Hello"));
