"""Servers of Debian's Python libraries: `autobahn|tornado [CERT KEY]`.

They echo and compress what is sent to them, close at "close CODE REASON", and
print one JSON value per line: the port first, then how each connection ended.
"""

import asyncio
import json
import ssl
import sys


def say(value):
    print(json.dumps(value), flush=True)


def on_message(message, send, close):
    if isinstance(message, str) and message.startswith("close "):
        _, code, reason = message.split(" ", 2)
        close(int(code), reason)
    else:
        send(message)


async def autobahn(context):
    from autobahn.asyncio import websocket
    from autobahn.websocket.compress import PerMessageDeflateOfferAccept

    class Echo(websocket.WebSocketServerProtocol):
        def onMessage(self, payload, is_binary):
            on_message(
                payload if is_binary else payload.decode(),
                lambda _: self.sendMessage(payload, is_binary),
                self.sendClose,
            )

        def onClose(self, was_clean, code, reason):
            say({"closed": [code, reason]})

    factory = websocket.WebSocketServerFactory()
    factory.protocol = Echo
    factory.setProtocolOptions(
        echoCloseCodeReason=True,
        perMessageCompressionAccept=lambda offers: PerMessageDeflateOfferAccept(
            offers[0]
        )
    )
    loop = asyncio.get_running_loop()
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=context)
    return server.sockets[0]


async def tornado(context):
    from tornado import httpserver, netutil, web, websocket

    class Echo(websocket.WebSocketHandler):
        def get_compression_options(self):
            return {}

        def on_message(self, message):
            on_message(
                message,
                lambda data: self.write_message(data, isinstance(data, bytes)),
                self.close,
            )

        def on_close(self):
            say({"closed": [self.close_code, self.close_reason or ""]})

    sockets = netutil.bind_sockets(0, "127.0.0.1")
    application = web.Application([("/.*", Echo)], websocket_max_message_size=2**24)
    server = httpserver.HTTPServer(application, ssl_options=context)
    server.add_sockets(sockets)
    return sockets[0]


async def main(serve, *files):
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    listener = await serve(context)
    say({"port": listener.getsockname()[1]})
    await asyncio.Future()


name, *files = sys.argv[1:]
asyncio.run(main({"autobahn": autobahn, "tornado": tornado}[name], *files))
