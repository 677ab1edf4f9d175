"""Python websockets as a peer that compresses: `server [CERT KEY]`, or `client`.

What it says and does is that of `deflate_peer.mjs`.
"""

import asyncio
import json
import ssl
import sys

import websockets
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)


def say(value):
    print(json.dumps(value), flush=True)


def messages():
    for index in range(40):
        yield f'{{"index":{index},"of":"many"}}' * (1 + index**2)


def names(socket):
    return ", ".join(extension.name for extension in socket.extensions)


async def serve_one(socket, path=None):
    try:
        async for message in socket:
            await socket.send(names(socket) if message == "extensions" else message)
    except websockets.ConnectionClosed:
        pass


async def server(options, *files):
    how = {"extensions": [ServerPerMessageDeflateFactory(**options)]}
    if files:
        how["ssl"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        how["ssl"].load_cert_chain(*files)
    async with websockets.serve(serve_one, "127.0.0.1", 0, **how) as listener:
        say({"port": list(listener.sockets)[0].getsockname()[1]})
        await asyncio.Future()


async def client(options):
    while url := (await asyncio.to_thread(sys.stdin.readline)).strip():
        await dial(url, options)


async def dial(url, options):
    deflate = {"extensions": [ClientPerMessageDeflateFactory(**options)]}
    async with websockets.connect(url, max_size=None, **deflate) as socket:
        echoes = True
        for message in messages():
            await socket.send(message)
            echoes = await socket.recv() == message and echoes
        say({"extensions": names(socket), "echoes": echoes})


options = json.loads(sys.argv[-1])
mode, *rest = sys.argv[1:-1]
asyncio.run(client(options) if mode == "client" else server(options, *rest))
