"""Python websockets as a peer: `server [CERT KEY]`, or `client URL`.

It prints one JSON value per line. As a server it echoes; "close CODE REASON"
makes it close, "ping" makes it ping and say "pong" when answered, and
"fragments" makes it send one message in three fragments.
"""

import asyncio
import json
import ssl
import sys

import websockets


def say(value):
    print(json.dumps(value), flush=True)


async def serve_one(socket, path=None):
    try:
        async for message in socket:
            if message == "ping":
                await (await socket.ping(b"are you there"))
                await socket.send("pong")
            elif message == "fragments":
                await socket.send(["frag", "men", "ts"])
            elif isinstance(message, str) and message.startswith("close "):
                _, code, reason = message.split(" ", 2)
                await socket.close(int(code), reason)
            else:
                await socket.send(message)
    except websockets.ConnectionClosed:
        pass
    await socket.wait_closed()
    say({"closed": [socket.close_code, socket.close_reason]})


async def server(*files):
    options = {"max_size": None, "compression": None}
    if files:
        options["ssl"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        options["ssl"].load_cert_chain(*files)
    async with websockets.serve(serve_one, "127.0.0.1", 0, **options) as listener:
        say({"port": list(listener.sockets)[0].getsockname()[1]})
        await asyncio.Future()


async def echoes(socket, message, sent=None):
    await socket.send(message if sent is None else sent)
    return await socket.recv() == message


async def in_order(socket, count):
    for i in range(count):
        await socket.send(str(i))
    return [await socket.recv() for _ in range(count)] == [str(i) for i in range(count)]


async def client(url):
    options = {"max_size": None}
    async with websockets.connect(url, **options) as socket:
        results = {
            "text": await echoes(socket, "Hello, κόσμε \U0001f41f"),
            "empty": await echoes(socket, ""),
            "binary": await echoes(socket, bytes(range(256))),
            "large text": await echoes(socket, "x" * 2**20),
            "large binary": await echoes(socket, b"\xfe" * 2**20),
            "fragments": await echoes(socket, "one two", ["one", " ", "two"]),
            "many": await in_order(socket, 1000),
        }
        await asyncio.wait_for(await socket.ping(b"payload"), 10)
        results["ping"] = True
        await socket.close(4001, "bye")
        results["close"] = [socket.close_code, socket.close_reason]
    async with websockets.connect(url, **options) as socket:
        await socket.send("close 3001 because")
        await asyncio.wait_for(socket.wait_closed(), 10)
        results["closed"] = [socket.close_code, socket.close_reason]
    say(results)


mode, *rest = sys.argv[1:]
asyncio.run(client(*rest) if mode == "client" else server(*rest))
