/** A worker that opens sockets, and is ended with them. */
import { parentPort, workerData } from "node:worker_threads";
import { WebSocket } from "../../websocket.ts";

const socket = new WebSocket(workerData as string);
socket.onopen = () => {
  socket.send("open");
  // Another one, which has only begun.
  new WebSocket(workerData as string);
  parentPort!.postMessage("open");
};
