/**
 * Run by `http2_test.ts` on Node: sends one request over HTTP/2, and says what was
 * answered.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:http2";
import process from "node:process";

const [origin, ca, path] = process.argv.slice(2);
const client = connect(origin, { ca: readFileSync(ca) });
const stream = client.request({ ":path": path });
let status;
let body = "";
stream.on("response", (headers) => status = headers[":status"]);
stream.on("data", (chunk) => body += chunk);
stream.on("end", () => {
  const { enableConnectProtocol } = client.remoteSettings;
  console.log(JSON.stringify({ status, body, enableConnectProtocol }));
  client.close();
});
