/**
 * Run by `http2_test.ts` on Node, whose HTTP/2 client knows RFC 8441: opens a
 * WebSocket over HTTP/2 as browsers do, sends a text, and says what came back.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:http2";
import process from "node:process";

const [origin, ca, text] = process.argv.slice(2);
const client = connect(origin, { ca: readFileSync(ca) });
await new Promise((resolve) => client.once("remoteSettings", resolve));
const { enableConnectProtocol } = client.remoteSettings;
const stream = client.request({
  ":method": "CONNECT",
  ":protocol": "websocket",
  ":scheme": "https",
  ":authority": new URL(origin).host,
  ":path": "/own",
  "sec-websocket-version": "13",
  origin,
});
let status;
stream.on("response", (headers) => {
  status = headers[":status"];
  // A frame whose mask is 0: it says itself.
  const payload = new TextEncoder().encode(text);
  stream.write(
    Uint8Array.of(0x81, 0x80 | payload.length, 0, 0, 0, 0, ...payload),
  );
});
stream.on("data", (chunk) => {
  const answer = chunk.subarray(2).toString();
  console.log(JSON.stringify({ enableConnectProtocol, status, answer }));
  client.destroy();
});
