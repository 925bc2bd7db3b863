#!/usr/bin/env python3
"""A stand-in for IACrea's auto video API, written from the vendor's page alone.

It listens on 127.0.0.1, remembers every request and every job it has created, and answers as told. A job belongs to the
listing whose description the submission carries, so that a test can ask how often a listing was paid for.

    provider.on_submit(Answer(500), ref="A-1")            # every submission of A-1
    provider.on_submit(Answer(503, creates=False), nth=1) # the first submission of all
    provider.on_poll(Answer(404), ref="A-1", times=3)     # the next three polls of A-1
"""

import collections
import http.server
import io
import json
import socket
import socketserver
import struct
import threading
import time

SO_TIMESTAMPNS = 35  # Linux, socket(7); Python 3.11 has no name for it
# Of time.time() before time.monotonic(). Of many looks the least: a thread that has to wait between the two adds to it.
WALL_AHEAD = min(-time.monotonic() + time.time() for _ in range(1000))
PATH = "/api/video-editor/generate/video/auto"
KEY = "sk-test-7f3a9c51e2"


def description(ref, version=1):
    """The description of the listing `ref`; another version is other content."""
    return f"Listing {ref}, version {version}: a bright flat with a terrace."


class Answer:
    """What is said instead of the usual.

    status   HTTP status; None for the usual answer (with `headers`, `wait` and `lost` applied).
    body     dict (as JSON), str or bytes; None for a usual body of that status.
    headers  beside Content-Type and Content-Length; these two may be replaced. A value may be a function that makes it
             when it is sent.
    lost     None, "after" (the request is read, the connection closed without an answer), "before" (closed on the
             request line), "reset" (as "after", with a TCP reset), "half" (the answer breaks off in its body).
    wait     threading.Event to wait for before answering.
    creates  whether a submission makes a job all the same; default: with a 2xx or a lost answer that was read.
    job_id   the id the answer names.
    """

    def __init__(self, status=None, body=None, headers=None, lost=None, wait=None, creates=None, job_id=None):
        self.status, self.body, self.headers = status, body, dict(headers or {})
        self.lost, self.wait, self.job_id = lost, wait, job_id
        if creates is None:
            creates = lost in ("after", "reset", "half") or status is None or 200 <= status < 300
        self.creates = creates and lost != "before"


class Rule:
    def __init__(self, answer, ref, nth, times):
        self.answer, self.ref, self.nth, self.left = answer, ref, nth, times

    def takes(self, ref, nth):
        if self.left == 0 or (self.ref is not None and self.ref != ref) or (self.nth is not None and self.nth != nth):
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Job:
    def __init__(self, job_id, ref, text):
        self.id, self.ref, self.description = job_id, ref, text
        self.polls = 0
        self.done = False
        self.price = 0
        self.url = f"https://cdn.example.test/{job_id}.mp4"


class Request(collections.namedtuple("Request", "at method path headers body json ref")):
    def __repr__(self):
        return f"<{self.method} {self.ref or self.path} at {self.at:.3f}>"


def ref_of(text):
    """`A-1` of a description made by description(); the text itself otherwise."""
    if isinstance(text, str) and text.startswith("Listing "):
        return text[len("Listing "):].split(",")[0]
    return text


class Provider:
    """Starts serving at once; stop() ends it."""

    def __init__(self, port=0, key=KEY):
        self.key = key
        self.lock = threading.RLock()
        self.requests = []
        self.jobs = {}
        self.by_id = {}
        self.submit_rules, self.poll_rules = [], []
        self.steps = ["GENERATING_VIDEO", "RENDERING_VIDEO"]  # what polls say before DONE
        self.paused = False  # polls never reach DONE
        self.price = 1
        self.credits_mean = "account"  # what creditsUsed is: "account", "job", or None: no figures at all
        self.credits_total, self.credits_used = 1000.0, 0.0
        self.open_now, self.open_most = 0, 0
        self.answering = 0
        self.nth_submit, self.nth_poll = 0, 0
        self.server = Server(("127.0.0.1", port), self)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    # ---- the script

    def on_submit(self, answer, ref=None, nth=None, times=None):
        with self.lock:
            self.submit_rules.append(Rule(answer, ref, nth, times))

    def on_poll(self, answer, ref=None, nth=None, times=None):
        with self.lock:
            self.poll_rules.append(Rule(answer, ref, nth, times))

    def forget_rules(self):
        with self.lock:
            self.submit_rules, self.poll_rules = [], []

    # ---- what happened

    def posts(self, ref=None):
        with self.lock:
            return [r for r in self.requests if r.method == "POST" and (ref is None or r.ref == ref)]

    def polls(self, ref=None):
        with self.lock:
            return [r for r in self.requests if r.method == "GET" and (ref is None or r.ref == ref)]

    def accepted(self, text=None):
        """Jobs created for the listing with this description or id; all of them by default."""
        with self.lock:
            jobs = self.by_id.values()
            return sum(1 for job in jobs if text is None or text in (job.description, job.ref))

    def jobs_of(self, ref):
        with self.lock:
            return [job for job in self.by_id.values() if job.ref == ref]

    # ---- serving

    def handle(self, handler, method, body):
        at = handler.arrived
        parsed = None
        try:
            parsed = json.loads(body) if body else None
        except ValueError:
            pass
        job = None
        if method == "POST":
            ref = ref_of(parsed.get("description")) if isinstance(parsed, dict) else None
        else:
            with self.lock:
                job = self.by_id.get(handler.path[len(PATH) + 1:]) if handler.path.startswith(PATH + "/") else None
            ref = job.ref if job else None
        request = Request(at, method, handler.path, dict(handler.headers.items()), body, parsed, ref)
        with self.lock:
            self.requests.append(request)
            if method == "POST":
                self.nth_submit += 1
                rule = next((r for r in self.submit_rules if r.takes(ref, self.nth_submit)), None)
            else:
                self.nth_poll += 1
                rule = next((r for r in self.poll_rules if r.takes(ref, self.nth_poll)), None)
        answer = rule.answer if rule else Answer()
        if method == "POST":
            self.answer_submission(handler, request, answer)
        else:
            self.answer_poll(handler, job, answer)

    def answer_submission(self, handler, request, answer):
        with self.lock:
            self.answering += 1
            self.note_open()
        refused = self.refusal(handler, request) if answer.status is None else None
        job = None
        if answer.creates and not refused and answer.lost != "before":
            job = self.create(request, answer.job_id)
        if answer.wait is not None:
            answer.wait.wait(60)
        with self.lock:
            self.answering -= 1
            if job is not None and answer.status is None and answer.lost is None:
                self.open_now += 1
            self.note_open()
        if refused:
            return handler.reply(*refused)
        if answer.status is None and job is not None:
            content = [{"id": f"{job.id}-s{i}", "url": url, "effect": "CAMERA_PUSH_IN", "format": "landscape",
                        "category": "living_room", "text": "A bright room", "status": "pending"}
                       for i, url in enumerate(request.json["image_urls"][:5])]
            body = {"id": answer.job_id or job.id, "status": "PENDING", "generatedContent": content,
                    "analysis": {"selections": []}}
            body.update(self.figures(job))
            return handler.say(answer, 201, body)
        usual = {"error": "refused"}
        if job is not None and answer.status is not None and 200 <= answer.status < 300:
            usual = {"id": answer.job_id or job.id, "status": "PENDING"}
        handler.say(answer, answer.status or 201, usual)

    def note_open(self):
        self.open_most = max(self.open_most, self.open_now + self.answering)

    def refusal(self, handler, request):
        if handler.path != PATH:
            return 404, {"error": "not found"}
        if handler.headers.get("x-api-key") != self.key:
            return 401, {"error": "Unauthorized"}
        body = request.json
        if not isinstance(body, dict) or handler.headers.get("content-type", "").split(";")[0] != "application/json":
            return 400, {"error": "the body is not JSON"}
        images = body.get("image_urls")
        if not isinstance(images, list) or not images:
            return 400, {"error": "image_urls is empty"}
        if len(str(body.get("description", ""))) < 10:
            return 400, {"error": "description is too short"}
        return None

    def create(self, request, job_id):
        with self.lock:
            number = len(self.jobs) + 1
            job = Job(f"gen-{number:04d}", request.ref, (request.json or {}).get("description"))
            job.price = self.price(job) if callable(self.price) else self.price
            self.jobs[number] = job
            self.by_id[job.id] = job
            if job_id is not None and job_id not in self.by_id:
                self.by_id[job_id] = job
                del self.by_id[job.id]
                job.id = job_id
            self.credits_total -= job.price
            self.credits_used += job.price
            return job

    def figures(self, job):
        if self.credits_mean is None:
            return {}
        with self.lock:
            used = self.credits_used if self.credits_mean == "account" else job.price
            return {"creditsTotal": self.credits_total, "creditsUsed": used}

    def answer_poll(self, handler, job, answer):
        if answer.wait is not None:
            answer.wait.wait(60)
        if answer.status is not None or answer.lost is not None:  # the job does not move on
            return handler.say(answer, answer.status or 200, {"error": "refused"})
        if handler.headers.get("x-api-key") != self.key:
            return handler.reply(401, {"error": "Unauthorized"})
        if job is None:
            return handler.reply(404, {"error": "not found"})
        with self.lock:
            job.polls += 1
            step = "GENERATING_VIDEO" if self.paused else \
                self.steps[job.polls - 1] if job.polls <= len(self.steps) else "DONE"
            body = {"status": step}
            if step == "START_RENDERING_VIDEO":
                body["progress"] = 0
            elif step == "RENDERING_VIDEO":
                body["progress"] = 0.5
            else:
                body.update(self.figures(job))
                body["generatedContent"] = []
            if step == "DONE":
                body["url"] = job.url
                if not job.done:
                    self.open_now -= 1
                job.done = True
        handler.say(answer, 200, body)


class StampedReader(io.RawIOBase):
    """Reads a socket and keeps the time at which the kernel got the bytes read last.

    A thread of a busy machine may come to a request long after it arrived; the kernel's time is that of the client's
    send. It is on the clock of time.monotonic().
    """

    def __init__(self, connection):
        self.connection = connection
        self.at = time.monotonic()

    def readable(self):
        return True

    def readinto(self, buffer):
        size, ancillary, _, _ = self.connection.recvmsg_into([buffer], 256)
        self.at = time.monotonic()
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= 16:
                seconds, nanoseconds = struct.unpack("qq", data[:16])
                self.at = min(seconds + nanoseconds / 1e9 - WALL_AHEAD, self.at)
        return size


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256
    block_on_close = False

    def __init__(self, address, provider):
        self.provider = provider
        super().__init__(address, Handler)

    def server_bind(self):  # HTTPServer looks up the host name here
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)  # what is accepted inherits it
        except OSError:
            pass
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        pass  # a client that was killed


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        self.stamps = StampedReader(self.connection)
        self.rfile = io.BufferedReader(self.stamps)

    def parse_request(self):
        self.arrived = self.stamps.at
        return super().parse_request()

    def close_now(self, reset=False):
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def serve(self, method):
        body = b""
        if self.headers.get("Content-Length"):
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.provider.handle(self, method, body)

    def do_GET(self):
        self.serve("GET")

    def do_POST(self):
        self.serve("POST")

    def say(self, answer, status, usual):
        """The usual body, as `answer` changes it."""
        if answer.lost in ("after", "reset", "before"):
            return self.close_now(answer.lost == "reset")
        body = usual if answer.body is None else answer.body
        if answer.lost == "half":
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.reply(status, data[: len(data) // 2], {**answer.headers, "Content-Length": str(len(data))})
            self.wfile.flush()
            return self.close_now()
        self.reply(status, body, answer.headers)

    def reply(self, status, body, headers=None):
        if isinstance(body, (dict, list)):
            body, kind = json.dumps(body).encode(), "application/json"
        else:
            body, kind = body.encode() if isinstance(body, str) else body, "text/html; charset=utf-8"
        told = {"Content-Type": kind, "Content-Length": str(len(body))}
        told.update(headers or {})
        self.send_response(status)
        for name, value in told.items():
            self.send_header(name, value() if callable(value) else value)
        self.end_headers()
        self.wfile.write(body)
