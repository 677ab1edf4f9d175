/** The runtime's own `WebSocket`. Runs on Deno, Bun and Node. */
import { fail, runClient } from "./task.ts";

await runClient({
  talk(url, talk) {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      for (let sent = 0; sent < talk.inFlight; sent++) socket.send(talk.next());
    };
    socket.onmessage = ({ data }) => {
      talk.returned(data);
      socket.send(talk.next());
    };
    socket.onerror = () => fail("The connection failed");
  },
  dial(url) {
    return new Promise((resolve) => {
      const socket = new WebSocket(url);
      socket.onopen = () => socket.close();
      socket.onclose = resolve;
      socket.onerror = () => fail("The connection failed");
    });
  },
});
