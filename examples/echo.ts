/**
 * An echo, with a page that talks to it.
 *
 *     deno run -A examples/echo.ts [--port 8080]
 *     bun run examples/echo.ts [--port 8080]
 *     node examples/echo.ts [--port 8080]
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { Handler, Site } from "@sockeye/sockeye";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8080" },
    hostname: { type: "string", default: "0.0.0.0" },
  },
});

class Echo extends Handler {
  override message(data: string | Uint8Array) {
    this.connection.send(data);
  }
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sockeye echo</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
  h1 { font-weight: 600; }
  form { display: flex; gap: .5rem; }
  input { flex: 1; }
  input, button { font: inherit; padding: .4rem .7rem; }
  #log { list-style: none; padding: 0; font-family: ui-monospace, monospace; }
  .sent::before { content: "→ "; color: #b5482a; }
  .received::before { content: "← "; color: #2a7bb5; }
  .note { opacity: .6; }
</style>
<h1>Sockeye echo</h1>
<form id="form">
  <input id="text" value="hello" autocomplete="off" aria-label="Message">
  <button>Send text</button>
  <button id="binary" type="button">Send bytes</button>
</form>
<ul id="log" aria-live="polite"></ul>
<script>
  const log = (kind, text) => {
    const line = document.createElement("li");
    line.className = kind;
    line.textContent = text;
    document.querySelector("#log").append(line);
  };
  const show = (data) => typeof data === "string"
    ? data
    : "[" + new Uint8Array(data).join(" ") + "]";
  const socket = new WebSocket(location.href.replace(/^http/, "ws") + "echo");
  socket.binaryType = "arraybuffer";
  socket.onopen = () => log("note", "open");
  socket.onmessage = ({ data }) => log("received", show(data));
  socket.onclose = ({ code, reason }) =>
    log("note", "closed: " + code + (reason && " " + reason));
  const send = (data) => {
    socket.send(data);
    log("sent", show(data));
  };
  document.querySelector("#form").onsubmit = (event) => {
    event.preventDefault();
    send(document.querySelector("#text").value);
  };
  document.querySelector("#binary").onclick = () =>
    send(Uint8Array.of(1, 2, 3, 250, 251, 252).buffer);
</script>
`;

function page(request: Request): Response {
  if (new URL(request.url).pathname !== "/") {
    return new Response("Not found.\n", { status: 404 });
  }
  return new Response(PAGE, {
    headers: { "content-type": "text/html; charset=utf-8" },
  });
}

const site = new Site({ root: page });
site.addHandler("/echo", Echo);

const server = await site.listen({
  port: Number(values.port),
  hostname: values.hostname,
});
if (server.addr.transport === "tcp") {
  console.log(`Listening on http://localhost:${server.addr.port}/`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await server.shutdown({ reason: "the example ends", timeoutMs: 2_000 });
    process.exit(0);
  });
}
