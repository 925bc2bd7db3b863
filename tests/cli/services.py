#!/usr/bin/env python3
"""Stand-ins for Creatify's Aurora API and IACrea's video editor, written from the vendors' pages alone.

Each listens on 127.0.0.1, remembers every request, and answers as its attributes say. `rules` come first: functions of
(method, path, body) that return None, or (status, body), or "lost" for an answer that never comes although the request
was served.
"""

import http.server
import json
import re
import socket
import socketserver
import threading
import time
import urllib.parse


class Request:
    def __init__(self, method, path, query, headers, body):
        self.at, self.method, self.path, self.query, self.headers = time.monotonic(), method, path, query, headers
        self.body = body

    def __repr__(self):
        return f"<{self.method} {self.path}{'?' + self.query if self.query else ''}>"


class Service:
    def __init__(self):
        self.lock = threading.RLock()
        self.requests, self.rules = [], []
        self.server = _Server(("127.0.0.1", 0), self)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def sent(self, method, pattern=""):
        with self.lock:
            return [r for r in self.requests if r.method == method and re.search(pattern, r.path)]

    def handle(self, request):
        """(status, body), or "lost"."""
        with self.lock:
            self.requests.append(request)
            for rule in self.rules:
                answer = rule(request)
                if answer == "lost":
                    self.serve(request)
                    return "lost"
                if answer is not None:
                    return answer
            return self.serve(request)


class Creatify(Service):
    """One credit a second of audio; half for the fast model. `balance` is what the account has."""

    ID, KEY = "3f1c6a52-0000-4000-8000-000000000001", "ck-test-1b2c3d4e"

    def __init__(self):
        super().__init__()
        self.jobs, self.order = {}, []
        self.balance = 1000.0
        self.polls_until_done = 2
        self.price = 7.5
        self.charges_late = False  # the balance stays what it is
        self.told_at_end = ...  # credits_used of a job that is done, where it is not its price; None for null
        self.enveloped = False

    def serve(self, request):
        if request.headers.get("X-API-ID") != self.ID or request.headers.get("X-API-KEY") != self.KEY:
            return 401, {"detail": "Authentication credentials were not provided."}
        if not request.path.endswith("/"):
            return 301, ""
        if request.path == "/api/remaining_credits/":
            return 200, {"remaining_credits": self.balance}
        if request.path == "/api/aurora/" and request.method == "POST":
            return self.create(request.body)
        if request.path == "/api/aurora/":
            return self.list(urllib.parse.parse_qs(request.query))
        job = self.jobs.get(request.path.split("/")[-2])
        if job is None:
            return 404, {"detail": "No Aurora matches the given query."}
        return 200, self.shown(job)

    def create(self, body):
        wrong = {name: ["This field is required."] for name in ("audio", "image") if not body.get(name)}
        if wrong:
            return 400, wrong
        number = len(self.order) + 1
        job = dict(body, id=f"4b1f6c2e-0000-4000-8000-{number:012d}", status="pending", credits_used=0, duration=0,
                   progress=0, video_output=None, failed_reason=None, created_at=f"2026-11-01T10:{number % 60:02d}:00Z")
        job["polls"] = 0
        self.jobs[job["id"]] = job
        self.order.append(job["id"])
        if not self.charges_late:
            self.balance -= self.price
        return 201, self.public(job)

    def list(self, query):
        ids = query.get("ids")
        if ids:
            found = [self.shown(self.jobs[i]) for i in ids[0].split(",") if i in self.jobs]
        else:
            found = [self.public(self.jobs[i]) for i in self.order]
        return 200, {"results": found} if self.enveloped else found

    @staticmethod
    def public(job):
        return {name: value for name, value in job.items() if name != "polls"}

    def shown(self, job):
        job["polls"] += 1
        if job["polls"] >= self.polls_until_done and job["status"] not in ("failed", "rejected"):
            job.update(status="done", video_output=f"https://cdn.example.test/{job['id']}.mp4",
                       credits_used=self.price if self.told_at_end is ... else self.told_at_end, progress=1)
        elif job["status"] == "pending":
            job["status"] = "in_queue"
        return self.public(job)


class VideoEditor(Service):
    """IACrea's explicit videos and their sequences. Videos in `videos` exist; a regeneration makes one pending again."""

    KEY = "sk-test-7f3a9c51e2"
    BASE = "/api/video-editor/generate/"

    def __init__(self):
        super().__init__()
        self.videos = {}  # id: polls left until DONE
        self.renders = {}
        self.generations = 0
        self.total, self.used = 100, 0
        self.used_is = "account"  # what creditsUsed means, or "video": what that one has cost, remakes included
        self.used_by = {}
        self.polls_until_done = 2
        self.stale_polls = 0  # how many polls after a regeneration still say the old DONE
        self.stale = {}
        self.breaks = []  # clips of every new video that stay in error until they are made again
        self.breaks_again = False  # and those made again too, under their new id
        self.broken = {}  # id: clips

    def figures(self, video):
        used = self.used if self.used_is == "account" else self.used_by.get(video, 0)
        return {"creditsTotal": self.total, "creditsUsed": used}

    def charge(self, video, credits):
        self.total, self.used = self.total - credits, self.used + credits
        self.used_by[video] = self.used_by.get(video, 0) + credits

    def serve(self, request):
        if request.headers.get("x-api-key") != self.KEY:
            return 401, {"error": "Unauthorized"}
        if request.method == "POST" and request.path == self.BASE + "video":
            video = f"vid-{len(self.videos) + 1}"
            self.charge(video, len(request.body["video"]["sequences"]))
            self.videos[video], self.renders[video], self.broken[video] = self.polls_until_done, 1, list(self.breaks)
            return 201, {"id": video, "status": "PENDING", **self.figures(video)}
        found = re.fullmatch(self.BASE + "(video|sequence)/([^/]+)", request.path)
        if not found or found[2] not in self.videos:
            return 404, {"error": "not found"}
        video = found[2]
        broken = self.broken.setdefault(video, [])
        if found[1] == "sequence":
            self.charge(video, 1)
            self.generations += 1
            if request.body["sequenceId"] in broken:
                broken.remove(request.body["sequenceId"])
                broken += [f"gen-{self.generations}"] if self.breaks_again else []
            if self.videos[video] == 0:
                self.stale[video] = self.stale_polls
            self.videos[video], self.renders[video] = self.polls_until_done, self.renders[video] + 1
            return 200, {"status": "START_GENERATION", "generationId": f"gen-{self.generations}", **self.figures(video)}
        if self.stale.get(video):
            self.stale[video] -= 1
            return 200, {"status": "DONE", "url": self.address(video, self.renders[video] - 1), **self.figures(video)}
        if broken:
            clips = [{"id": clip, "status": "error"} for clip in broken] + [{"id": "fine", "status": "success"}]
            return 200, {"status": "GENERATING_VIDEO", "generatedContent": clips, **self.figures(video)}
        if self.videos[video] > 0:
            self.videos[video] -= 1
            return 200, {"status": "GENERATING_VIDEO", **self.figures(video)}
        return 200, {"status": "DONE", "id": video, "url": self.address(video, self.renders[video]), **self.figures(video)}

    @staticmethod
    def address(video, render):
        return f"https://cdn.example.test/{video}-{render}.mp4"


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256
    block_on_close = False

    def __init__(self, address, service):
        self.service = service
        super().__init__(address, _Handler)

    def server_bind(self):  # HTTPServer looks up the host name here
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        pass  # a client that was killed


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, *args):
        pass

    def serve(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(text) if text else None
        except ValueError:
            body = None
        path, _, query = self.path.partition("?")
        answer = self.server.service.handle(Request(self.command, path, query, self.headers, body))
        if answer == "lost":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, body = answer
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 301:
            self.send_header("Location", self.path + "/")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = serve
