/** Plain HTTP through the root of a site. Runs on Deno, Bun and Node. */
import { Site } from "@sockeye/sockeye";
import { announce } from "../servers/control.ts";

const site = new Site({ root: () => new Response("Hello") });
const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
const { addr } = server;
if (addr.transport === "tcp") announce(addr.port);
