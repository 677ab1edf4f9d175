/** Opens both shapes, says what came, closes, and has nothing more to do. */
import process from "node:process";
import { WebSocket, WebSocketStream } from "../../websocket.ts";

const url = process.env["SOCKEYE_TEST_URL"] ?? "";
const socket = new WebSocket(url);
socket.onopen = () => socket.send("hello");
socket.onmessage = ({ data }) => {
  console.log(JSON.stringify(data));
  socket.close();
};
socket.onclose = async ({ code }) => {
  console.log(JSON.stringify(code));
  const stream = new WebSocketStream(url);
  await stream.opened;
  stream.close({ closeCode: 3000 });
  console.log(JSON.stringify(await stream.closed));
};
