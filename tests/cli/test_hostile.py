#!/usr/bin/env python3
"""Servers that lie, break off, stall and flood, against the real binary: one table, each line for POST and GET, clear and TLS.

A submission whose bytes left is held and never sent again; a poll is tried again; what could not leave stays planned. Whatever is
sent, memory stays bounded and nothing reaches another host. The transport speaks HTTP/1.1 alone, by design: a server that speaks
HTTP/2 all the same is one more that lies.
"""

import concurrent.futures
import csv
import fcntl
import json
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest
import zlib

from harness import BINARY, FOLDERS, KEY, row, wait_for

MEMORY_KIB = 96 * 1024  # a body of 100 MB would not fit; Python's own size before the exec counts in
HOSTILE_POLLS = 2       # before one is answered as it should be


class Gone(Exception):
    """The connection is finished."""


class Connection:
    def __init__(self, server, sock):
        self.server, self.sock = server, sock
        self.request = None

    def send(self, data):
        self.sock.sendall(data)

    def close(self):
        raise Gone

    def delivered(self):
        """Waits until the other system has all that was sent, where a reset takes nothing of it away."""
        unsent = lambda: struct.unpack("i", fcntl.ioctl(self.sock.fileno(), termios.TIOCOUTQ, b"1234"))[0]
        wait_for(lambda: unsent() == 0, what="what was sent")

    def reset(self):
        self.server.raw_of(self.sock).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def reply(self, status="200 OK", body=b"", headers=(), length=None):
        length = len(body) if length is None else length
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {length}", *headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def right(self):
        """What the service should say."""
        if self.request[0] == "POST":
            return b'{"id":"gen-1","status":"PENDING","generatedContent":[]}'
        return b'{"status":"DONE","url":"https://cdn.example.test/gen-1.mp4"}'

    def flood(self, piece, total):
        for _ in range(total // len(piece)):
            self.send(piece)
        raise Gone


# ---- what a server may do with a request it has read

def cut_headers(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
    c.close()


def reset_in_the_body(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + c.right())
    c.delivered()
    c.reset()


def length_too_long(c):
    c.reply(body=c.right(), length=len(c.right()) + 50)
    c.close()


def length_too_short(c):
    c.reply(body=c.right(), length=len(c.right()) - 9)
    c.close()


def two_lengths(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 60\r\n\r\n" + c.right())
    c.close()


def length_no_number(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + c.right())
    c.close()


def no_length(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + c.right())
    c.close()


def no_length_and_cut(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + c.right()[:-5])
    c.close()


def chunked_and_cut(c):
    body = c.right()
    c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n")
    c.close()


def chunk_of_no_size(c):
    c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + c.right())
    c.close()


def answer_and_reset(c):
    c.reply(body=c.right())
    c.delivered()
    c.reset()


def slow_drip(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        c.send(b" ")
        time.sleep(0.05)


def never(c):
    c.server.ended.wait(60)
    c.close()


def body_of_100_mb(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
    c.flood(b" " * 65536, 104857600)


def chunks_of_100_mb(c):
    c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    c.flood(b"10000\r\n" + b" " * 65536 + b"\r\n", 104857600)


def body_of_100_mb_without_length(c):
    c.send(b"HTTP/1.1 200 OK\r\n\r\n")
    c.flood(b" " * 65536, 104857600)


def gzip_bomb(c):
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(pack.compress(b" " * (1 << 20)) for _ in range(100)) + pack.flush()
    c.reply(body=body, headers=["Content-Encoding: gzip"])


def html(c):
    c.reply(body=b"<!DOCTYPE html><html><body>Sign in to continue</body></html>", headers=["X-Portal: hotel"])


def endless_headers(c):
    c.send(b"HTTP/1.1 200 OK\r\n")
    c.flood(b"X-Filler: " + b"a" * 4000 + b"\r\n", 50 << 20)


def one_endless_header(c):
    c.send(b"HTTP/1.1 200 OK\r\nX-Filler: ")
    c.flood(b"a" * 65536, 50 << 20)


def endless_interim(c):
    c.flood(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 1000, 50 << 20)


def not_http(c):
    c.send(b"\x00\x01SSH-2.0-OpenSSH_9.2\r\n\r\n")
    c.close()


def http_0_9(c):
    c.send(c.right())
    c.close()


def version_of_no_protocol(c):
    c.send(b"HTTP/7.3 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    c.close()


def switching_protocols(c):
    c.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + FRAME_SETTINGS)
    c.server.ended.wait(60)


def redirect(c):
    c.reply("307 Temporary Redirect", b"", [f"Location: {c.server.other.url}/stolen"])


def see_other(c):
    c.reply("303 See Other", b"", [f"Location: {c.server.other.url}/stolen"])


# HTTP/2 frames on a connection that asked for HTTP/1.1: length, type, flags, stream (RFC 9113 section 4.1).
FRAME_SETTINGS = struct.pack(">I", 0)[1:] + b"\x04\x00" + struct.pack(">I", 0)
FRAME_GOAWAY = struct.pack(">I", 8)[1:] + b"\x07\x00" + struct.pack(">III", 0, 0, 0)
FRAME_REFUSED = struct.pack(">I", 4)[1:] + b"\x03\x00" + struct.pack(">II", 1, 7)


def h2_goaway(c):
    c.send(FRAME_SETTINGS + FRAME_GOAWAY)
    c.close()


def h2_refused_stream(c):
    c.send(FRAME_SETTINGS + FRAME_REFUSED)
    c.server.ended.wait(60)


def answer_then_h2_goaway(c):
    c.reply(body=c.right())
    c.send(FRAME_GOAWAY)
    c.close()


# ---- what it may do instead of reading

def close_at_once(c):
    c.close()


def reset_at_once(c):
    c.reset()


def close_unanswered(c):
    c.close()


def reset_unanswered(c):
    c.reset()


def garbage_at_once(c):
    c.send(b"\x16\x03\x01\xff\xff garbage garbage garbage")
    c.close()


def silent(c):
    c.server.ended.wait(60)
    c.close()


class Outcome:
    def __init__(self, code, state, posts):
        self.code, self.state, self.posts = code, state, posts

    def __repr__(self):
        return f"exit {self.code}, {self.state}, {self.posts} submissions"


DONE = Outcome(0, "done", 1)
HELD = Outcome(4, "held", 1)
WRONG_ADDRESS = Outcome(2, "planned", 1)
NOT_SENT = Outcome(3, "planned", 0)       # an outage: no byte could leave
UNKNOWN_FATE = Outcome(4, "held", 0)      # what left was not read by anyone, but who can know
TIMED_OUT = Outcome(3, "timed_out", 1)    # polls that never get through

# name: (behaviour, what becomes of a submission, what of a poll). Polls are hostile twice, then as they should be.
AFTER_A_REQUEST = {
    "closed unanswered": (close_unanswered, HELD, DONE),
    "reset unanswered": (reset_unanswered, HELD, DONE),
    "headers cut": (cut_headers, HELD, DONE),
    "reset in the body": (reset_in_the_body, HELD, DONE),
    "length too long": (length_too_long, HELD, DONE),
    "length too short": (length_too_short, HELD, DONE),
    "two lengths": (two_lengths, HELD, DONE),
    "a length that is no number": (length_no_number, HELD, DONE),
    "no length": (no_length, DONE, DONE),
    "no length, cut": (no_length_and_cut, HELD, DONE),
    "chunks cut": (chunked_and_cut, HELD, DONE),
    "a chunk of no size": (chunk_of_no_size, HELD, DONE),
    "answered, then reset": (answer_and_reset, DONE, DONE),
    "slow drip": (slow_drip, HELD, DONE),
    "never an answer": (never, HELD, DONE),
    "100 MB": (body_of_100_mb, HELD, DONE),
    "100 MB in chunks": (chunks_of_100_mb, HELD, DONE),
    "100 MB without a length": (body_of_100_mb_without_length, HELD, DONE),
    "gzip bomb": (gzip_bomb, HELD, DONE),
    "HTML": (html, HELD, DONE),
    "endless headers": (endless_headers, HELD, DONE),
    "one endless header": (one_endless_header, HELD, DONE),
    "endless interim answers": (endless_interim, HELD, DONE),
    "not HTTP": (not_http, HELD, DONE),
    "no header at all": (http_0_9, HELD, DONE),
    "a version that does not exist": (version_of_no_protocol, HELD, DONE),
    "an upgrade nobody asked for": (switching_protocols, HELD, DONE),
    "a redirect to another host": (redirect, WRONG_ADDRESS, DONE),
    "see other, at another host": (see_other, WRONG_ADDRESS, DONE),
    "HTTP/2 GOAWAY": (h2_goaway, HELD, DONE),
    "HTTP/2 REFUSED_STREAM": (h2_refused_stream, HELD, DONE),
    "answered, then HTTP/2 GOAWAY": (answer_then_h2_goaway, DONE, DONE),
}
STALLS = {"slow drip", "never an answer", "an upgrade nobody asked for", "HTTP/2 REFUSED_STREAM", "silent"}

# The same instead of a connection. Without TLS the request leaves as soon as the kernel has the connection.
INSTEAD_OF_A_CONNECTION = {
    "closed at once": (close_at_once, UNKNOWN_FATE, NOT_SENT, DONE),
    # The reset comes before the kernel has told of the connection, or after: then the request has left.
    "reset at once": (reset_at_once, [UNKNOWN_FATE, NOT_SENT], NOT_SENT, DONE),
    "garbage at once": (garbage_at_once, UNKNOWN_FATE, NOT_SENT, DONE),
    "silent": (silent, UNKNOWN_FATE, NOT_SENT, DONE),
}


class Recorder:
    """Another host: whatever reaches it is a mistake."""

    def __init__(self):
        self.got = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with sock:
                sock.settimeout(5)
                self.got.append(sock.recv(65536))

    def stop(self):
        self.listener.close()


class Server:
    """method       "POST" or "GET": which requests are treated so; GETs HOSTILE_POLLS times, POSTs always.
    behaviour    what happens to them once they are read; None: as it should be.
    at_accept    what happens to their connections instead.
    context      for TLS; None: clear.
    bad_context  for the connections of `method`, another certificate.
    """

    def __init__(self, method, behaviour=None, at_accept=None, context=None, bad_context=None):
        self.method, self.behaviour, self.at_accept = method, behaviour, at_accept
        self.context, self.bad_context = context, bad_context
        self.requests, self.protocols = [], []
        self.accepted = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.other = Recorder()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def stop(self):
        self.ended.set()
        self.listener.close()
        self.other.stop()

    @staticmethod
    def raw_of(sock):
        return sock

    def count(self, method):
        with self.lock:
            return sum(1 for r in self.requests if r[0] == method)

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.accepted += 1
                number = self.accepted
            threading.Thread(target=self.converse, args=(sock, number), daemon=True).start()

    def hostile_connection(self, number):
        """The first connection carries the submission, which is told to close it; polls come after."""
        return self.method == "POST" or 1 < number <= 1 + HOSTILE_POLLS

    def converse(self, sock, number):
        sock.settimeout(60)
        c = Connection(self, sock)
        try:
            if self.at_accept and self.hostile_connection(number):
                self.at_accept(c)
            if self.context:
                bad = self.bad_context is not None and (self.method == "POST" or number > 1)
                c.sock = sock = (self.bad_context if bad else self.context).wrap_socket(sock, server_side=True)
                with self.lock:
                    self.protocols.append(sock.selected_alpn_protocol())
            reader = sock.makefile("rb")
            while self.one_request(c, reader):
                pass
        except (Gone, OSError, ValueError):
            pass
        finally:
            sock.close()

    def one_request(self, c, reader):
        line = reader.readline(65536).decode("latin-1").split()
        if len(line) < 2:
            return False
        headers = {}
        while (text := reader.readline(65536).strip()):
            name, _, value = text.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", 0)))
        with self.lock:
            c.request = (line[0], line[1], headers, body)
            self.requests.append(c.request)
            nth = sum(1 for r in self.requests if r[0] == line[0])
        hostile = self.behaviour and line[0] == self.method and (line[0] == "POST" or nth <= HOSTILE_POLLS)
        if hostile:
            self.behaviour(c)
        else:
            closing = ["Connection: close"] if self.at_accept or self.bad_context else []
            c.reply("201 Created" if line[0] == "POST" else "200 OK", c.right(), closing)
            if closing:
                return False
        return True


class Certificates:
    """Made once: a root, and certificates of it that are good, for another host, and expired; and one of nobody."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="reelbatch-certificates-", dir=FOLDERS))
        (self.folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\npolicy=p\n"
            "copy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n")
        (self.folder / "index").write_text("")
        (self.folder / "serial").write_text("01\n")
        self.key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self.openssl("req", "-x509", *self.key, "-days", "2", "-subj", "/CN=root", "-keyout", "root.key", "-out", "root.pem")
        self.openssl("req", "-x509", *self.key, "-days", "2", "-subj", "/CN=nobody", "-addext", "subjectAltName=IP:127.0.0.1",
                     "-keyout", "nobody.key", "-out", "nobody.pem")
        self.issue("good", "IP:127.0.0.1", "20200101000000Z", "20990101000000Z")
        self.issue("elsewhere", "DNS:elsewhere.example.test", "20200101000000Z", "20990101000000Z")
        self.issue("expired", "IP:127.0.0.1", "20200101000000Z", "20210101000000Z")
        self.issue("not-yet", "IP:127.0.0.1", "20980101000000Z", "20990101000000Z")

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name, names, begin, end):
        self.openssl("req", *self.key, "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-keyout", f"{name}.key",
                     "-out", f"{name}.csr")
        self.openssl("ca", "-config", "ca.cnf", "-batch", "-notext", "-in", f"{name}.csr", "-cert", "root.pem", "-keyfile",
                     "root.key", "-startdate", begin, "-enddate", end, "-out", f"{name}.pem")

    def context(self, name, protocols=("http/1.1",)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        context.set_alpn_protocols(list(protocols))
        return context

    @property
    def root(self):
        return str(self.folder / "root.pem")


class Hostile(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.certificates.folder, ignore_errors=True)

    def go(self, server, *words):
        """One row through the binary; returns (exit code, state, output, KiB at most)."""
        with tempfile.TemporaryDirectory(prefix="reelbatch-hostile-", dir=FOLDERS) as folder:
            folder = pathlib.Path(folder)
            with open(folder / "feed.csv", "w", newline="", encoding="utf-8") as feed:
                writer = csv.DictWriter(feed, list(row("A-1")))
                writer.writeheader()
                writer.writerow(row("A-1"))
            env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "IACREA_API_KEY": KEY,
                   "IACREA_BASE_URL": server.url}
            with open(folder / "said", "wb") as said:
                process = subprocess.Popen(
                    [BINARY, "run", "feed.csv", "--rate", "200/1s", "--submit-rate", "100/1s", "--poll-interval", "50ms",
                     "--ca-file", self.certificates.root, "-o", "results.json", *words],
                    cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
            watchdog = threading.Timer(90, process.kill)
            watchdog.start()
            _, status, usage = os.wait4(process.pid, 0)
            watchdog.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            text = (folder / "said").read_text(errors="replace")
            state = None
            if (folder / "results.json").exists():
                state = json.loads((folder / "results.json").read_text())["rows"][0]["state"]
            return process.returncode, state, text, usage.ru_maxrss

    def judge(self, name, server, expected, *words):
        """The problems of one case, as text; empty if there are none."""
        try:
            code, state, text, memory = self.go(server, *words)
        finally:
            server.stop()
        problems = []
        found = Outcome(code, state, server.count("POST"))
        allowed = expected if isinstance(expected, list) else [expected]
        if all((found.code, found.state, found.posts) != (one.code, one.state, one.posts) for one in allowed):
            problems.append(f"{found} and not {' or '.join(str(one) for one in allowed)}")
        if memory > MEMORY_KIB and "ASAN_OPTIONS" not in os.environ:
            problems.append(f"{memory} KiB of memory")
        if server.other.got:
            problems.append(f"another host got {server.other.got[0][:200]!r}")
        if KEY in text:
            problems.append("the key was printed")
        for method, path, headers, _ in server.requests:
            if headers.get("x-api-key") != KEY:
                problems.append(f"{method} {path} came without the key")
        return f"{name}: {'; '.join(problems)}\n{text}" if problems else ""

    def judge_all(self, cases):
        with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
            found = [problem for problem in pool.map(lambda case: self.judge(*case), cases) if problem]
        self.assertEqual(found, [], "\n".join(found))

    def requests(self, method, tls):
        cases = []
        for name, (behaviour, post, get) in AFTER_A_REQUEST.items():
            server = Server(method, behaviour, context=self.certificates.context("good") if tls else None)
            words = ["--request-timeout", "2s" if name in STALLS else "20s"]
            cases.append((name, server, post if method == "POST" else get, *words))
        self.judge_all(cases)

    def connections(self, method, tls):
        cases = []
        for name, (behaviour, post, post_tls, get) in INSTEAD_OF_A_CONNECTION.items():
            server = Server(method, at_accept=behaviour, context=self.certificates.context("good") if tls else None)
            words = ["--request-timeout", "2s" if name in STALLS else "20s", "--outage-timeout", "3s" if method == "POST" else "1m"]
            cases.append((name, server, get if method == "GET" else post_tls if tls else post, *words))
        self.judge_all(cases)

    def test_submissions(self):
        self.requests("POST", tls=False)

    def test_submissions_over_tls(self):
        self.requests("POST", tls=True)

    def test_polls(self):
        self.requests("GET", tls=False)

    def test_polls_over_tls(self):
        self.requests("GET", tls=True)

    def test_connections_for_submissions(self):
        self.connections("POST", tls=False)

    def test_connections_for_submissions_over_tls(self):
        self.connections("POST", tls=True)

    def test_connections_for_polls(self):
        self.connections("GET", tls=False)

    def test_connections_for_polls_over_tls(self):
        self.connections("GET", tls=True)

    def test_certificates(self):
        """Nothing is sent to a server that cannot show who it is."""
        cases = []
        for bad in ("elsewhere", "expired", "not-yet", "nobody"):
            for method, expected in (("POST", NOT_SENT), ("GET", TIMED_OUT)):
                server = Server(method, context=self.certificates.context("good"), bad_context=self.certificates.context(bad))
                cases.append((f"{method} {bad}", server, expected, "--outage-timeout", "3s" if method == "POST" else "1m",
                              "--job-timeout", "1m" if method == "POST" else "3s"))
        self.judge_all(cases)
        for (name, server, *_) in cases:
            self.assertEqual(server.count("GET"), 0, name)

    def test_a_server_that_prefers_http_2_gets_http_1_1(self):
        server = Server("POST", context=self.certificates.context("good", ["h2", "http/1.1"]))
        self.assertEqual(self.judge("prefers h2", server, DONE), "")
        self.assertEqual(set(server.protocols), {"http/1.1"})

    def test_a_server_that_speaks_http_2_alone(self):
        """Whatever it made of the bytes, they left: held; a poll would be tried again until the job timeout."""
        for method, expected, words in (("POST", HELD, ()), ("GET", DONE, ())):
            server = Server(method, h2_goaway, context=self.certificates.context("good", ["h2"]))
            self.assertEqual(self.judge(f"h2 alone, {method}", server, expected, *words), "")
            self.assertEqual(set(server.protocols), {None})


if __name__ == "__main__":
    unittest.main()
