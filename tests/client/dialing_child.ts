/** Dials, says what came, closes, and has nothing more to do. */
import process from "node:process";
import { dial } from "../../client.ts";

const url = process.env["SOCKEYE_TEST_URL"] ?? "";
const how = process.env["SOCKEYE_TEST_HOW"] ?? "";
const hostname = process.env["SOCKEYE_TEST_LOCAL"];
const ca = process.env["SOCKEYE_TEST_CA"];
const connection = await dial(url, {
  ...(hostname !== undefined && { localAddress: { hostname } }),
  ...(ca !== undefined && { tls: { ca } }),
});
connection.send("hello");
console.log(JSON.stringify(await connection.receive()));
if (how === "close") console.log(JSON.stringify(await connection.close()));
else connection.terminate();
