#!/usr/bin/env python3
"""`run --download DIR`: the finished videos as files."""

import signal
import sqlite3
import threading
import unittest
import urllib.parse

import images
from harness import Answer, Case, KEY, row, wait_for


class Handler(images.Handler):
    """Beside what a host of images does: videos.

    /video/NAME   "video NAME", the longer the name the more
    /half/NAME    breaks off in its middle, the first time
    /slow/NAME    its second half comes when `gate` is set
    /none/NAME    a video of no bytes
    /words/NAME   a page that is called a video
    /sick/NAME    503, `Retry-After: 0`, twice
    """

    gate = threading.Event()

    def answer(self, url, nth):
        what, _, name = url.path[1:].partition("/")
        if what == "sick":
            if nth <= 2:
                return self.say(503, "text/html", {"Retry-After": "0"}, 3)
        elif what == "none":
            return self.say(200, "video/mp4")
        elif what not in ("video", "half", "slow", "words"):
            return super().answer(url, nth)
        data = b"\n<!DOCTYPE html><p>Sign in" if what == "words" else f"video {name}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        middle = len(data) // 2
        self.write(data[:middle])
        if what == "half" and nth == 1:
            self.close_connection = True
            return None
        if what == "slow":
            self.wfile.flush()
            self.gate.wait(30)
        return self.write(data[middle:])


class Download(Case):
    def setUp(self):
        super().setUp()
        Handler.gate.clear()
        self.host = images.Images(Handler)
        self.addCleanup(self.host.stop)
        self.addCleanup(Handler.gate.set)

    def feed(self, **paths):
        """A listing for each name, A_1 for A-1, whose video has that path at the host, or that address."""
        self.paths = {ref.replace("_", "-"): path for ref, path in paths.items()}
        for ref, path in self.paths.items():
            url = path if "://" in path else self.host.url + path
            self.provider.on_poll(Answer(200, {"status": "DONE", "url": url}), ref=ref)
        self.manifest(list(self.paths))

    def files(self, folder="videos"):
        """What the folder has, by the id in front of the digest."""
        found = {}
        for path in (self.folder / folder).iterdir():
            self.assertRegex(path.name, r"-[0-9a-f]{8}\.(mp4|mov|webm|m4v)$")
            found[path.name[:path.name.rindex("-")]] = path.read_bytes()
        return found

    def run_down(self, *args, code=None, **named):
        return self.run_feed("--download", "videos", *args, code=code, **named)

    def test_every_finished_video_once(self):
        self.feed(A_1="/video/one.mp4", A_2="/video/two.webm?sign=1")
        done = self.run_down(code=0)
        self.assertEqual(self.files(), {"A-1": b"video one.mp4", "A-2": b"video two.webm"})
        self.assertIn("downloads: 2 fetched (0.0 MB)", done.out)
        self.assertEqual([p.suffix for p in sorted((self.folder / "videos").iterdir())], [".mp4", ".webm"])
        done = self.run_down(code=0)
        self.assertIn("downloads: 0 fetched, 2 were there", done.out)
        self.assertEqual(len(self.host.requests), 2)
        self.assertEqual(self.run_down("-q", code=0).text, "")

    def test_a_row_without_a_video_has_no_file(self):
        self.feed(A_1="/video/1.mp4", A_2="/video/2.mp4")
        self.provider.on_submit(Answer(400, {"error": "no"}), ref="A-2")
        self.run_down(code=1)
        self.assertEqual(list(self.files()), ["A-1"])

    def test_what_is_fetched_later_was_paid_for_once(self):
        self.feed(A_1="/video/1.mp4")
        self.run_feed(code=0)
        self.run_down(code=0)
        self.assertEqual(self.files(), {"A-1": b"video 1.mp4"})
        self.assert_posts(1)

    def test_no_key_and_no_cookie_leaves_for_the_host(self):
        self.feed(A_1="/video/1.mp4", A_2="/to?" + urllib.parse.quote(self.host.url + "/video/2.mp4"))
        (self.home / ".netrc").write_text("machine 127.0.0.1 login me password pass-9471\n")
        self.run_down(code=0)
        self.assertEqual(self.files(), {"A-1": b"video 1.mp4", "A-2": b"video 2.mp4"})
        for request in self.host.requests:
            self.assertEqual(request.method, "GET")
            self.assertNotIn(KEY, str(request))
            self.assertFalse({"x-api-key", "authorization", "cookie"} & {name.lower() for name in request.headers})

    def test_what_breaks_off_or_is_refused_for_now_is_asked_for_again(self):
        self.feed(A_1="/half/long-name-1.mp4", A_2="/sick/2.mp4")
        self.run_down(code=0)
        self.assertEqual(self.files(), {"A-1": b"video long-name-1.mp4", "A-2": b"video 2.mp4"})

    def test_what_is_no_video_is_told_and_leaves_no_file(self):
        self.feed(A_1="/gone/1.mp4", A_2="/page/2.mp4", A_3="/video/3.mp4", A_4="/loop/4.mp4", A_5="/none/5.mp4",
                  A_6="/words/6.mp4")
        done = self.run_down(code=1)
        self.assertEqual(self.files(), {"A-3": b"video 3.mp4"})
        self.assertEqual(self.run_down("-q", code=1).err.count("its video"), 5)
        for ref, why in {"A-1": "is answered 404", "A-2": "is no video: the answer is of the type text/html"}.items():
            self.assertIn(f"{ref}: its video {self.host.url}{self.paths[ref]} {why}", done.err)
        self.assertRegex(done.err, r"A-4: its video \S+ cannot be fetched: .*redirect")
        self.assertRegex(done.err, r"A-5: its video \S+ is empty")
        self.assertRegex(done.err, r"A-6: its video \S+ is no video: a page or a message came")
        self.assertIn("downloads: 1 fetched (0.0 MB), 5 failed", done.out)
        self.assert_states(done, A_1="done", A_2="done", A_3="done", A_4="done", A_5="done", A_6="done")
        self.assertEqual(self.host.paths().count("/gone/1.mp4"), 2)  # once a run

    def test_a_redirect_to_a_file_is_refused(self):
        self.feed(A_1="/to?file%3A///etc/passwd")
        done = self.run_down(code=1)
        self.assertEqual(self.files(), {})
        self.assertRegex(done.err, r"A-1: its video \S+ cannot be fetched: .*file")

    def test_ids_become_names_that_stay_in_the_folder(self):
        refs = ["../up", "a/b", ".hidden", "Straße 5", "a%2Fb", "x" * 255]
        for ref in refs:
            self.provider.on_poll(Answer(200, {"status": "DONE", "url": f"{self.host.url}/video/v.mp4"}), ref=ref)
        self.manifest(refs)
        self.run_down(code=0)
        self.assertEqual(sorted(self.files()),
                         sorted(["%2E.%2Fup", "a%2Fb", "%2Ehidden", "Stra%C3%9Fe%205", "a%252Fb", "x" * 200]))

    def test_a_folder_that_cannot_be_is_told_before_anything_is_paid_for(self):
        self.feed(A_1="/video/1.mp4")
        self.write("taken", "a file")
        for folder in ("taken", "none/below"):
            done = self.run_feed("--download", folder, code=2)
            self.assertIn(f"--download {folder}: ", done.err)
        self.assert_posts(0)

    def test_killed_in_the_middle_of_a_file(self):
        self.feed(A_1="/slow/1.mp4", A_2="/video/2.mp4")
        running = self.start("run", "feed.csv", "--download", "videos")
        wait_for(lambda: any(self.parts()), what="a part of a file")
        running.kill()
        Handler.gate.set()
        done = self.run_down(code=0)
        self.assertEqual(self.files(), {"A-1": b"video 1.mp4", "A-2": b"video 2.mp4"})
        self.assert_posts(2)
        self.assert_states(done, A_1="done", A_2="done")

    def parts(self):
        """The sizes of what is not whole yet. One may become so meanwhile."""
        sizes = []
        for path in (self.folder / "videos").glob("*.part"):
            try:
                sizes.append(path.stat().st_size)
            except FileNotFoundError:
                continue
        return sizes

    def test_a_signal_leaves_the_rest_to_the_next_run(self):
        self.feed(A_1="/slow/1.mp4", A_2="/video/2.mp4")
        running = self.start("run", "feed.csv", "--download", "videos")
        wait_for(lambda: len(self.parts()) == 1 and len(self.host.requests) == 2)
        running.signal(signal.SIGTERM)
        done = running.wait()
        self.assertEqual(done.code, 3, done)
        self.assertRegex(done.out, r"1 left for the next run")
        self.assertEqual(list(self.files()), ["A-2"])
        self.assert_states(done, A_1="done", A_2="done")

    def test_a_host_without_an_answer_is_asked_no_more(self):
        self.feed(**{f"A_{i}": f"/slam/{i}.mp4" for i in range(12)}, B_1=f"{self.other().url}/video/b.mp4")
        done = self.run_down(code=1)
        self.assertEqual(list(self.files()), ["B-1"])
        self.assertLess(len(self.host.requests), 12)
        self.assertIn("its host gave no answer", done.err)

    def other(self):
        host = images.Images(Handler)
        self.addCleanup(host.stop)
        return host

    def test_what_another_run_is_fetching_is_left_to_it(self):
        self.feed(A_1="/slow/1.mp4")
        first = self.start("run", "feed.csv", "--download", "videos")
        wait_for(lambda: any(self.parts()))
        self.run_it("ledger", "backup", "copy.db")
        done = self.run_down("--ledger", "copy.db", code=1)
        self.assertIn("is being fetched by another run", done.err)
        Handler.gate.set()
        self.assertEqual(first.wait().code, 0)
        self.assertEqual(self.files(), {"A-1": b"video 1.mp4"})

    def test_a_resumed_run_has_a_deadline_of_its_own(self):
        self.feed(A_1="/video/1.mp4")
        self.run_feed(code=0)
        ledger = sqlite3.connect(self.folder / "reelbatch.db")
        ledger.execute("update runs set started_at = started_at - 3600000")  # an hour ago
        ledger.commit()
        ledger.close()
        done = self.run_it("resume", "--download", "videos", "--deadline", "30m")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(list(self.files()), ["A-1"])

    def test_the_deadline_holds_for_downloads_too(self):
        self.feed(A_1="/slow/1.mp4")
        self.run_feed(code=0)
        done = self.run_down("--deadline", "2s", code=3)
        self.assertIn("downloads: 0 fetched, 1 left for the next run", done.out)
        self.assertLess(done.seconds, 20)

    def test_a_video_made_anew_stands_beside_the_older_one(self):
        self.feed(A_1="/video/old.mp4")
        self.run_down(code=0)
        self.provider.forget_rules()
        self.provider.on_poll(Answer(200, {"status": "DONE", "url": f"{self.host.url}/video/new.mp4"}), ref="A-1")
        self.manifest([row("A-1", 2)])
        self.run_down(code=0)
        names = sorted((self.folder / "videos").iterdir())
        self.assertEqual(sorted(p.read_bytes() for p in names), [b"video new.mp4", b"video old.mp4"])




if __name__ == "__main__":
    unittest.main()
