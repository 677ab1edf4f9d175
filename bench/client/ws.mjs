/** `ws`. Run it with Node, where it is the real package. */
import { WebSocket } from "ws";
import { fail, runClient } from "./task.ts";

await runClient({
  talk(url, talk) {
    const socket = new WebSocket(url);
    socket.on("open", () => {
      for (let sent = 0; sent < talk.inFlight; sent++) socket.send(talk.next());
    });
    // Text arrives as bytes, and is left so.
    socket.on("message", (data) => {
      talk.returned(data);
      socket.send(talk.next());
    });
    socket.on("error", fail);
  },
  dial(url) {
    return new Promise((resolve) => {
      const socket = new WebSocket(url);
      socket.on("open", () => socket.close());
      socket.on("close", resolve);
      socket.on("error", fail);
    });
  },
});
