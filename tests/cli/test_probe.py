#!/usr/bin/env python3
"""`check --probe-images`: what is behind the addresses is looked at before it costs credits."""

import json
import re
import socket
import unittest

from harness import Case, row
from images import Images

FAST = ["--probe-images", "--probe-rate", "1000/1s", "--probe-timeout", "1s"]


class Probe(Case):
    def setUp(self):
        super().setUp()
        self.images = Images()
        self.addCleanup(self.images.stop)

    def feed(self, *lists, **fields):
        """A manifest of a row for each list of paths at the host."""
        rows = []
        for number, paths in enumerate(lists, 1):
            urls = [path if path.startswith("http") else self.images.url + path for path in paths]
            rows.append(row(f"A-{number}", image_urls="|".join(urls), **fields))
        self.manifest(rows)

    def check(self, *args, code=None, **named):
        done = self.run_it("check", "feed.csv", *(args or FAST), **named)
        if code is not None:
            self.assertEqual(done.code, code, done)
        self.assertEqual(self.provider.requests, [])  # the services are not asked
        return done

    def finding(self, done, path):
        """What is said of an address: the rest of its line."""
        url = path if path.startswith("http") else self.images.url + path
        found = re.findall(rf"(?m)^feed\.csv:(\d+):\d+: (\w+): '{re.escape(url)}' (.*)$", done.out)
        self.assertEqual(len(found), 1, done)
        return found[0]

    def test_nothing_is_asked_without_the_flag(self):
        self.feed(["/gone/1.jpg"])
        self.check("--all", code=0)
        self.assertEqual(self.images.paths(), [])

    def test_good_images_are_fine_and_are_asked_for_once_with_head(self):
        self.feed(["/ok/1.jpg", "/ok/2.jpg"], ["/ok/2.jpg", "/bytes/3.jpg", "/lie/4.jpg"])
        done = self.check(code=0)
        self.assertIn("4 addresses looked at, all fine", done.out)
        self.assertEqual(sorted(self.images.paths("HEAD")), ["/bytes/3.jpg", "/lie/4.jpg", "/ok/1.jpg", "/ok/2.jpg"])
        self.assertEqual(self.images.paths("GET"), [])
        self.assertEqual(self.check("-q", *FAST, code=0).text, "")

    def test_what_is_no_image_is_told_with_its_place(self):
        self.feed(["/ok/1.jpg", "/gone/2.jpg"], ["/page/3.jpg"], ["/forbidden/4.jpg"], ["/sound/5.jpg"], ["/ok/1.jpg"])
        done = self.check(code=1)
        self.assertEqual(self.finding(done, "/gone/2.jpg"), ("2", "image_urls", "answers 404"))
        self.assertEqual(self.finding(done, "/page/3.jpg"), ("3", "image_urls", "is 'text/html', not an image"))
        self.assertEqual(self.finding(done, "/forbidden/4.jpg"), ("4", "image_urls", "answers 403"))
        self.assertEqual(self.finding(done, "/sound/5.jpg"), ("5", "image_urls", "is 'audio/mpeg', not an image"))
        self.assertIn("5 rows: 5 valid, 0 invalid", done.out)
        self.assertIn("5 addresses looked at: 1 fine, 2 dead, 2 not what they should be; 4 rows are not to be paid for yet",
                      done.out)

    def test_a_file_without_a_byte_is_no_image(self):
        self.feed(["/none/1.jpg"], ["/empty/2.jpg"], ["/shy/3.jpg"])
        done = self.check(code=1)
        self.assertEqual(self.finding(done, "/none/1.jpg"), ("2", "image_urls", "is empty"))
        self.assertEqual(self.finding(done, "/empty/2.jpg"), ("3", "image_urls", "is empty"))
        self.assertIn("3 addresses looked at: 1 fine, 2 dead; 2 rows are not to be paid for yet", done.out)
        self.assertEqual(sorted(self.images.paths("GET")), ["/empty/2.jpg", "/none/1.jpg", "/shy/3.jpg"])

    def test_every_row_with_a_dead_image_is_told(self):
        self.feed(*[["/gone/logo.jpg", f"/ok/{i}.jpg"] for i in range(5)])
        done = self.check(code=1)
        self.assertEqual(len(re.findall(r"'[^']*/gone/logo.jpg' answers 404", done.out)), 5, done)
        self.assertEqual(self.images.paths().count("/gone/logo.jpg"), 1)
        self.assertIn("1 dead; 5 rows", done.out)

    def test_rows_not_to_be_paid_for_are_among_the_rejects(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
        self.feed(["/ok/1.jpg", "/gone/2.jpg"], ["/page/3.jpg"], ["/ok/4.jpg"], [f"{dead}/5.jpg"], [f"{dead}/6.jpg"])
        self.check(*FAST, "--rejects", "bad.jsonl", code=1)
        rejects = [json.loads(line) for line in (self.folder / "bad.jsonl").read_text().splitlines()]
        rejects.sort(key=lambda reject: reject["record"])
        self.assertEqual([(reject["record"], reject["line"], reject["field"], reject["code"]) for reject in rejects],
                         [(1, 2, "image_urls", "dead_address"), (2, 3, "image_urls", "wrong_type"),
                          (4, 5, "image_urls", "unreachable_host"), (5, 6, "image_urls", "unreachable_host")])
        self.assertEqual(rejects[0]["message"], f"'{self.images.url}/gone/2.jpg' answers 404")
        self.assertIn(f"{dead}/6.jpg", rejects[3]["message"])
        self.assertTrue(rejects[3]["raw"].startswith("A-5,"), rejects)

    def test_invalid_rows_are_not_looked_at(self):
        self.feed(["/gone/1.jpg"], description="short")
        done = self.check(code=1)
        self.assertIn("1 row: 0 valid, 1 invalid", done.out)
        self.assertEqual(self.images.paths(), [])

    def test_where_head_is_refused_the_first_bytes_are_asked_for(self):
        self.feed(["/nohead/1.jpg"])
        self.check(code=0)
        self.assertEqual([r.method for r in self.images.requests], ["HEAD", "GET"])
        self.assertEqual(self.images.requests[1].headers["Range"], "bytes=0-1023")

    def test_a_flood_is_not_read(self):
        self.feed(["/flood/1.jpg"])
        done = self.check(code=1)
        self.assertEqual(self.finding(done, "/flood/1.jpg")[2],
                         "has 100.0 MB, more than the 50.0 MB of --probe-size")
        self.assertLess(self.images.sent, 20_000_000)  # what fits the buffers on the way

    def test_large_files_are_told_by_a_ceiling_of_ones_own(self):
        self.feed(["/large/1.jpg"])
        self.assertIn("has 100.0 MB", self.finding(self.check(code=1), "/large/1.jpg")[2])
        self.check(*FAST, "--probe-size", "100", code=0)

    def test_redirects_are_followed_but_not_for_ever(self):
        other = Images()
        self.addCleanup(other.stop)
        self.feed([f"/to?{other.url}/ok/1.jpg"], [f"/to?{other.url}/gone/2.jpg"], ["/loop/3.jpg"], ["/to?/ok/4.jpg"],
                  ["/to?ftp://127.0.0.1/5.jpg"])
        done = self.check(code=1)
        self.assertIn("/gone/2.jpg' answers 404", done.out)
        self.assertEqual(self.finding(done, "/loop/3.jpg")[2], "redirects more than 5 times")
        self.assertIn("redirects to 'ftp://127.0.0.1/5.jpg', which is no http or https address", done.out)
        self.assertIn("3 dead; 3 rows", done.out)
        self.assertEqual(self.images.paths().count("/loop/3.jpg"), 6)
        self.assertEqual(sorted(other.paths()), ["/gone/2.jpg", "/ok/1.jpg"])

    def test_no_key_cookie_or_password_is_sent(self):
        other = Images()
        self.addCleanup(other.stop)
        (self.home / ".netrc").write_text("machine 127.0.0.1 login me password secret-of-netrc\n")
        self.feed(["/ok/1.jpg", "/nohead/2.jpg", f"/to?{other.url}/ok/3.jpg", "/ok/4.jpg"],
                  [f"/to?{other.url.replace('http://', 'http://me:secret@')}/ok/5.jpg"])
        self.check(code=1)
        seen = self.images.requests + other.requests
        self.assertGreaterEqual(len(seen), 6)
        for request in seen:
            self.assertLessEqual(set(request.headers), {"Host", "User-Agent", "Accept", "Range"}, request)
        self.assertNotIn("/ok/5.jpg", other.paths())

    def test_a_host_that_hangs_is_not_waited_for_long(self):
        self.feed(["/hang/1.jpg", "/ok/2.jpg"])
        done = self.check(code=1)
        self.assertEqual(self.finding(done, "/hang/1.jpg")[2], "gives no answer within 1 s")
        self.assertLess(done.seconds, 20)
        self.assertEqual(self.images.paths().count("/hang/1.jpg"), 1)

    def test_a_host_that_stays_silent_is_given_up_and_the_rest_goes_on(self):
        silent = self.images.url.replace("127.0.0.1", "localhost")
        self.feed(*[[f"{silent}/{'hang' if i % 2 else 'drip'}/{i}.jpg", f"/ok/{i}.jpg"] for i in range(30)])
        done = self.check(code=1)
        self.assertIn(f"its host '{silent.removeprefix('http://')}' cannot be reached: gives no answer within 1 s, 5 times "
                      "in a row; its other addresses are not tried", done.out)
        self.assertEqual(done.out.count("' gives no answer within 1 s"), 4, done)
        self.assertIn("60 addresses looked at: 30 fine, 4 dead, 26 out of reach; 30 rows", done.out)
        self.assertEqual(len([path for path in self.images.paths() if path.startswith("/ok/")]), 30)
        self.assertLessEqual(len(self.images.paths()), 30 + 11 + 4)  # one for each that ended before the fifth

    def test_no_address_leads_inside(self):
        port = self.images.url.rpartition(":")[2]
        name = f"http://images.localhost:{port}/ok/1.jpg"  # resolves to this machine
        self.feed(["/ok/1.jpg", "http://10.0.0.5/2.jpg"], ["/to?http://169.254.169.254/latest/meta-data"],
                  [f"/to?http://images.localhost:{port}/ok/2.jpg"], [name], ["http://[fd00::1]/3.jpg"])
        done = self.check(code=1)
        inside = "leads to {}, in a private network: no service can fetch it, and it was not asked"
        self.assertEqual(self.finding(done, "http://10.0.0.5/2.jpg")[2], inside.format("10.0.0.5"))
        self.assertEqual(self.finding(done, "http://[fd00::1]/3.jpg")[2][:26], "leads to [fd00::1], in a p")
        self.assertEqual(self.finding(done, "/to?http://169.254.169.254/latest/meta-data")[2],
                         inside.format("169.254.169.254"))
        # What a name is here says nothing of what it is for the service.
        self.assertRegex(self.finding(done, name)[2],
                         r"leads to (127\.0\.0\.1|::1), which is this machine: .* not asked \(warning\)$")
        self.assertIn("3 dead, 2 not to be known; 3 rows", done.out)
        self.assertEqual([path for path in self.images.paths() if path.startswith("/ok/")], ["/ok/1.jpg"])

    def test_connections_that_close_are_tried_again_and_told(self):
        self.feed(["/slam/1.jpg"], ["/cut/2.jpg"])
        done = self.check(code=1)
        self.assertEqual(self.finding(done, "/slam/1.jpg")[2], "closes the connection without an answer")
        self.assertEqual(self.finding(done, "/cut/2.jpg")[2], "breaks its answer off")
        self.assertEqual(self.images.paths().count("/slam/1.jpg"), 3)

    def test_a_kept_connection_that_closes_is_no_reason_to_ask_beyond_the_pace(self):
        self.feed(["/ok/1.jpg"], ["/slam/2.jpg"])
        self.check(*FAST, "--probe-open", "1", code=1)
        self.assertEqual(self.images.paths(), ["/ok/1.jpg"] + ["/slam/2.jpg"] * 3)

    def test_too_many_requests_are_a_reason_to_wait(self):
        self.feed(["/busy/1.jpg"])
        self.check(code=0)
        first, second = [r.at for r in self.images.requests]
        self.assertGreaterEqual(second - first, 1)

    def test_a_host_out_of_reach_is_said_once(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
        self.feed(*[[f"{dead}/{i}.jpg", f"/ok/{i}.jpg"] for i in range(20)])  # another port of the same host
        done = self.check(code=1)
        self.assertEqual(done.out.count("cannot be reached: connection refused; its other addresses are not tried"), 1,
                         done)
        self.assertIn("40 addresses looked at: 20 fine, 20 out of reach; 20 rows are not to be paid for yet", done.out)
        self.assertEqual(len(self.images.paths()), 20)

    def test_a_pace_of_ones_own_is_kept(self):
        # Exactly how, to the nanosecond, is tests/image_probe_test.cc: here the way to a busy server is in between.
        self.feed([f"/ok/{i}.jpg" for i in range(6)])
        done = self.check("--probe-images", "--probe-rate", "2/1s", code=0)
        self.assertEqual(len(self.images.paths("HEAD")), 6)
        self.assertGreaterEqual(done.seconds, 2)  # three windows, of which the last need not end

    def test_so_many_are_open_at_once(self):
        self.images.pause = 0.05
        self.feed([f"/ok/{i}.jpg" for i in range(40)])
        self.check(*FAST, "--probe-open", "3", code=0)
        self.assertLessEqual(self.images.open_most, 3)
        self.assertGreater(self.images.open_most, 1)

    def test_what_other_kinds_fetch_is_looked_at_too(self):
        host = self.images.url
        sequences = [{"order": 0, "duration": 3, "type": "image", "url": f"{host}/gone/inner.jpg"}]
        jobs = [{"id": "V-1", "kind": "iacrea.video",
                 "video": {"format": "portrait", "colors": ["#000000", "#ffffff"], "sequences": sequences}},
                {"id": "S-1", "kind": "creatify.aurora", "audio": f"{host}/ok/voice.mp3", "image": f"{host}/ok/face.jpg",
                 "webhook_url": f"{host}/gone/hook"},
                row("A-1", image_urls=f"{host}/ok/1.jpg", logo_url=f"{host}/gone/logo.png", display_logo="yes")]
        self.write("feed.json", json.dumps(jobs))
        done = self.run_it("check", "feed.json", *FAST)
        self.assertEqual(done.code, 1, done)
        for words in ("video: '{}/gone/inner.jpg' answers 404", "audio: '{}/ok/voice.mp3' is 'image/jpeg', not a sound",
                      "logo_url: '{}/gone/logo.png' answers 404"):
            self.assertIn(words.format(host), done.out)
        self.assertNotIn("/gone/hook", self.images.paths())

    def test_flags_without_the_probe_are_a_slip(self):
        self.feed(["/ok/1.jpg"])
        done = self.check("--probe-rate", "1/1s", code=2)
        self.assertIn("--probe-rate goes with --probe-images", done.err)
        for args in (["--probe-open", "0"], ["--probe-timeout", "0s"], ["--probe-size", "many"], ["--probe-rate", "x"]):
            self.assertIn(args[0], self.check("--probe-images", *args, code=2).err)


if __name__ == "__main__":
    unittest.main()
