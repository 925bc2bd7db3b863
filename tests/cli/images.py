#!/usr/bin/env python3
"""A host of images that misbehaves as its paths say, and remembers every request.

    /ok/NAME         an image                     /page/NAME    a page with status 200
    /gone/NAME       404                          /bytes/NAME   an image without a type of its own
    /nohead/NAME     HEAD is refused with 405     /forbidden/NAME  403 to everything
    /flood/NAME      HEAD is refused, and a GET gets 100 MB whatever range it asks for
    /large/NAME      says that it has 100 MB      /cut/NAME     HEAD is refused, and a GET's answer breaks off in its head
    /hang/NAME       never answers                /slam/NAME    closes the connection unanswered
    /loop/NAME       redirects to itself          /to?URL       redirects there
    /busy/NAME       429 the first time           /sound/NAME   a sound
    /none/NAME       204                          /empty/NAME   an image of no bytes
    /shy/NAME        HEAD says that it has no bytes, and a GET gets some
    /lie/NAME        HEAD says that it has 12 bytes and sends 3
    /drip/NAME       sends a header without end, a byte now and then
"""

import collections
import http.server
import socketserver
import threading
import time
import urllib.parse

Request = collections.namedtuple("Request", "at method path headers")
FLOOD = 100_000_000


class Images:
    """Starts serving at once; stop() ends it."""

    def __init__(self, handler=None):
        self.handler = handler or Handler
        self.lock = threading.Lock()
        self.requests = []
        self.sent = 0  # bytes of bodies that were written
        self.open, self.open_most = 0, 0
        self.pause = 0  # seconds before each answer
        self.ended = threading.Event()
        self.server = Server(("127.0.0.1", 0), self)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    def paths(self, method=None):
        with self.lock:
            return [r.path for r in self.requests if method in (None, r.method)]


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, images):
        self.images = images
        super().__init__(address, images.handler)

    def handle_error(self, request, client_address):
        pass  # clients that close early are what is tested


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        images = self.server.images
        with images.lock:
            images.requests.append(Request(time.monotonic(), self.command, self.path, dict(self.headers)))
            nth = sum(r.path == self.path for r in images.requests)
            images.open += 1
            images.open_most = max(images.open_most, images.open)
        if images.pause:
            images.ended.wait(images.pause)
        # Before the answer, which lets the other side begin the next.
        with images.lock:
            images.open -= 1
        self.answer(urllib.parse.urlsplit(self.path), nth)

    do_HEAD = do_GET

    def answer(self, url, nth):
        is_head = self.command == "HEAD"
        what = url.path.split("/")[1]
        if what == "to":
            return self.say(302, headers={"Location": urllib.parse.unquote(url.query)})
        if what == "loop":
            return self.say(302, headers={"Location": self.path})
        if what == "hang":
            self.server.images.ended.wait()
            self.close_connection = True
            return None
        if what == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.server.images.ended.wait(0.05):
                self.wfile.write(b"x")
            return None
        if what == "slam":
            self.close_connection = True
            return None
        if what in ("nohead", "flood", "cut") and is_head:
            return self.say(405)
        if what == "flood":
            return self.flood()
        if what == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: ima")
            self.close_connection = True
            return None
        if what == "nohead":
            return self.say(206, "image/jpeg", {"Content-Range": "bytes 0-2/4000"}, 3)
        if what == "busy" and nth == 1:
            return self.say(429, headers={"Retry-After": "1"})
        if what == "lie":
            return self.say(200, "image/jpeg", length=12)
        statuses = {"none": 204, "gone": 404, "forbidden": 403, "broken": 500}
        types = {"page": "text/html; charset=utf-8", "bytes": "application/octet-stream", "sound": "audio/mpeg"}
        lengths = {"large": FLOOD, "none": 0, "empty": 0, "shy": 0 if is_head else 3}
        return self.say(statuses.get(what, 200), types.get(what, "image/jpeg"), length=lengths.get(what, 3))

    def say(self, status, content_type=None, headers=None, length=0):
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Set-Cookie", "seen=1")
        for name, value in {**({"Content-Type": content_type} if content_type else {}), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET" and length:
            self.write(b"x" * min(length, 3))

    def flood(self):
        self.send_response(200)
        self.send_header("Content-Length", str(FLOOD))
        self.send_header("Content-Type", "image/jpeg")
        self.end_headers()
        for _ in range(FLOOD // 100_000):
            self.write(b"x" * 100_000)

    def write(self, data):
        self.wfile.write(data)
        with self.server.images.lock:
            self.server.images.sent += len(data)
