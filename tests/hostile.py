#!/usr/bin/python3
"""An HTTP/1.1 server that misbehaves as asked, and remembers everything that reached it.

The last part of a request's path says how it is answered (see Behaviours). Prints `PORT n` and `CONTROL m` when it
listens, and ends when its standard input does. Control, on both ports (the second is never TLS) and not in the log:

    GET /__log           JSON: {"connections": n, "requests": [{method, path, marker, connection, nth, headers, body}]}
    GET /__reset         forgets the log
    GET /__rst_idle      resets every connection that is between two requests
    GET /__release       lets go of everything held by /hold

`marker` is the request's X-Marker header. `nth` counts the requests of one connection from 1.
"""
import argparse
import asyncio
import json
import random
import socket
import ssl
import struct
import sys

OK = b'{"ok":true}'


class Gone(Exception):
    """The connection is finished; nothing more is to be written."""


class Connection:
    def __init__(self, server, reader, writer, number):
        self.server, self.reader, self.writer, self.number = server, reader, writer, number
        self.idle = False
        self.nth = 0

    def reset(self):
        """Ends with RST, whatever is unread or unsent."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self):
        """Ends in order, but in TLS without its goodbye."""
        self.writer.transport.abort()

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, status="200 OK", body=OK, headers=()):
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
        await self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


class Behaviours:
    """One method for each last part of a path, `-` written `_`. Returning keeps the connection open."""

    def __init__(self, server):
        self.server = server

    async def ok(self, c):
        await c.answer()

    async def close(self, c):
        raise Gone

    async def rst(self, c):
        c.reset()
        raise Gone

    async def close_if_reused(self, c):
        if c.nth > 1:
            raise Gone
        await c.answer()

    async def rst_if_reused(self, c):
        if c.nth > 1:
            await self.rst(c)
        await c.answer()

    async def rst_after_reply(self, c):
        await c.answer()
        await self.rst(c)

    async def chaos(self, c):
        """A tenth each: closed unanswered, reset unanswered, reset after the answer."""
        draw = self.server.random.random()
        if draw < 0.1:
            raise Gone
        if draw < 0.2:
            await self.rst(c)
        await c.answer()
        if draw < 0.3:
            await self.rst(c)

    async def cut_header(self, c):
        await c.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-More: ye")
        raise Gone

    async def cut_status(self, c):
        await c.send(b"HTTP/1.1 2")
        raise Gone

    async def cut_length(self, c):
        await c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + OK)
        raise Gone

    async def cut_chunked(self, c):
        await c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n" + OK + b"\r\n")
        raise Gone

    async def chunked(self, c):
        await c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n" + OK +
                     b"\r\n0\r\nRetry-After: 99\r\n\r\n")

    async def no_length(self, c):
        await c.send(b"HTTP/1.1 200 OK\r\n\r\n" + OK)
        raise Gone

    async def never(self, c):
        await self.server.forever.wait()

    async def hold(self, c):
        await self.server.released.wait()
        await c.answer()

    async def drip(self, c):
        await c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            await c.send(b" ")
            await asyncio.sleep(0.01)

    async def huge(self, c):
        await c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        for _ in range(1600):
            await c.send(b" " * 65536)

    async def huge_chunked(self, c):
        await c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1600):
            await c.send(b"10000\r\n" + b" " * 65536 + b"\r\n")

    async def exactly_4m(self, c):
        await c.answer(body=b" " * (4 << 20))

    async def long_headers(self, c):
        await c.send(b"HTTP/1.1 200 OK\r\n")
        for i in range(1 << 20):
            await c.send(f"X-{i}: {'a' * 1000}\r\n".encode())

    async def interim_forever(self, c):
        while True:
            await c.send(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n")

    async def interim_ok(self, c):
        await c.send(b"HTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\nLocation: http://wrong/\r\n\r\n")
        await c.answer()

    async def interim_close(self, c):
        await c.send(b"HTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\n\r\n")
        raise Gone

    async def garbage(self, c):
        await c.send(b"\x00\x01SSH-2.0-OpenSSH_9.2\r\n\r\n")
        raise Gone

    async def redirect(self, c):
        location = c.request["headers"].get("x-target", "/ok")
        await c.answer(c.request["headers"].get("x-status", "307 Temporary Redirect"), b"", [f"Location: {location}"])

    async def busy(self, c):
        await c.answer("429 Too Many Requests", b"{}", ["retry-AFTER:  17 "])

    async def html(self, c):
        await c.answer(body=b"<html>Sign in to continue</html>")

    async def empty(self, c):
        await c.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def early(self, c):
        """Answered before the body was read, as a gateway does."""
        await c.answer("413 Payload Too Large", b"{}", ["Connection: close"])
        raise Gone


class Server:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.behaviours = Behaviours(self)
        self.released = asyncio.Event()
        self.forever = asyncio.Event()
        self.requests = []
        self.connections = set()
        self.accepted = 0

    async def serve(self, reader, writer):
        self.accepted += 1
        await self.converse(reader, writer, self.options.accept)

    async def serve_control(self, reader, writer):
        await self.converse(reader, writer, "serve")

    async def converse(self, reader, writer, accept):
        c = Connection(self, reader, writer, self.accepted)
        self.connections.add(c)
        try:
            if accept == "close":
                return
            if accept == "rst":
                c.reset()
                return
            if accept == "garbage":
                await self.behaviours.garbage(c)
            while await self.one_request(c):
                pass
        except (Gone, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self.connections.discard(c)
            c.close()

    async def one_request(self, c):
        c.idle = c.nth > 0
        head = await c.reader.readuntil(b"\r\n\r\n")
        c.idle = False
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:] if line)}
        if path.startswith("/__"):
            return await self.control(c, path)
        c.nth += 1
        name = path.split("?")[0].rsplit("/", 1)[-1]
        c.request = {"method": method, "path": path, "marker": headers.get("x-marker", ""), "connection": c.number,
                     "nth": c.nth, "headers": headers, "body": 0}
        self.requests.append(c.request)
        if method == "CONNECT":
            return await self.tunnel(c)
        if name != "early":
            c.request["body"] = len(await c.reader.readexactly(int(headers.get("content-length", "0"))))
        await getattr(self.behaviours, name.replace("-", "_"))(c)
        return True

    async def tunnel(self, c):
        if not self.options.tunnel_to:
            await c.answer("502 Bad Gateway", b"")
            raise Gone
        reader, writer = await asyncio.open_connection("127.0.0.1", self.options.tunnel_to)
        await c.send(b"HTTP/1.1 200 Connected\r\nRetry-After: 3\r\n\r\n")

        async def copy(source, sink):
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            except ConnectionError:
                pass
            sink.close()

        await asyncio.gather(copy(c.reader, writer), copy(reader, c.writer))
        raise Gone

    async def control(self, c, path):
        body = OK
        if path == "/__log":
            body = json.dumps({"connections": self.accepted, "requests": self.requests}).encode()
        elif path == "/__reset":
            self.requests.clear()
        elif path == "/__rst_idle":
            for other in list(self.connections):
                if other.idle:
                    other.reset()
            await asyncio.sleep(0)  # abort() closes in the next turn of the loop
        elif path == "/__release":
            self.released.set()
        await c.answer(body=body, headers=["Connection: close"])
        raise Gone


async def serve(make_server, options, protocols):
    context = None
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
        context.set_alpn_protocols(protocols)
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    if options.receive_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options.receive_buffer)
    hostile = make_server(options)
    server = await asyncio.start_server(hostile.serve, sock=listener, ssl=context, limit=1 << 20)
    control = await asyncio.start_server(hostile.serve_control, "127.0.0.1", 0)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    print("CONTROL", control.sockets[0].getsockname()[1], flush=True)
    await ended.wait()


def run(make_server, parser, protocols):
    parser.add_argument("--accept", choices=["serve", "close", "rst", "garbage"], default="serve")
    parser.add_argument("--cert", help="serve TLS with this certificate and --key")
    parser.add_argument("--key")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--receive-buffer", type=int, default=0, help="SO_RCVBUF of each connection")
    parser.add_argument("--tunnel-to", type=int, default=0, help="as a proxy: where every CONNECT leads")
    asyncio.run(serve(make_server, parser.parse_args(), protocols))


if __name__ == "__main__":
    run(Server, argparse.ArgumentParser(), ["http/1.1"])
