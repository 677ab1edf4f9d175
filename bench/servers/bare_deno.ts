/**
 * A bare byte echo on `Deno.listen`: the ceiling of Deno. Over TLS on `node:tls`,
 * since `Deno.listenTls` cannot turn Nagle's algorithm off.
 */
import { announce, TLS } from "./control.ts";
import { CANNED_RESPONSE, endsHead } from "./canned.ts";

const BUFFER_BYTES = 256 * 1024;

if (TLS === undefined) await listen();
else await import("./bare_node.ts");

async function listen(): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  announce(listener.addr.port);
  for await (const conn of listener) {
    conn.setNoDelay(true);
    echo(conn).catch(() => conn.close());
  }
}

async function echo(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let open = false;
  for (;;) {
    const bytes = await conn.read(buffer);
    if (bytes === null) break;
    const chunk = buffer.subarray(0, bytes);
    if (open) {
      await writeAll(conn, chunk);
    } else if (endsHead(chunk)) {
      open = true;
      await writeAll(conn, CANNED_RESPONSE);
    }
  }
  conn.close();
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  let start = await conn.write(bytes);
  while (start < bytes.length) start += await conn.write(bytes.subarray(start));
}
