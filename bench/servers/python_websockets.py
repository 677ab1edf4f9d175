"""Echo on Python's `websockets`."""

import asyncio
import json
import signal
import ssl
import sys
from pathlib import Path

from websockets import serve
from websockets.exceptions import ConnectionClosed


async def echo(connection):
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        pass


def read_tls():
    """A context with the test certificate where TLS is asked for."""
    if "--tls" not in sys.argv:
        return None
    certs = Path(__file__).parents[2] / "tests" / "certs"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "self.crt", certs / "self.key")
    return context


async def main():
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with serve(
        echo,
        "127.0.0.1",
        0,
        compression="deflate" if "--deflate=on" in sys.argv else None,
        max_size=64 * 1024 * 1024,
        ping_interval=None,
        ssl=read_tls(),
    ) as server:
        port = server.sockets[0].getsockname()[1]
        print(json.dumps({"port": port}), flush=True)
        await stopped.wait()


asyncio.run(main())
