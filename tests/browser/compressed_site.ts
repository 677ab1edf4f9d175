/**
 * A site with an empty page and an echo that compresses, for a browser to talk to. It
 * prints its port. "stats" is answered with what the server's end says of itself.
 */
import { Handler, Site } from "../../server.ts";

class Echo extends Handler {
  override message(data: string | Uint8Array): void {
    const { extensions, stats } = this.connection;
    const answer = JSON.stringify({ extensions, stats });
    this.connection.send(data === "stats" ? answer : data);
  }
}

const html = { "Content-Type": "text/html" };
const site = new Site({
  compression: true,
  root: () =>
    new Response("<!doctype html><title>x</title>", { headers: html }),
});
site.addHandler("/echo", Echo);
const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
if (server.addr.transport === "tcp") console.log(server.addr.port);
