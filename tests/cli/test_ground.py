#!/usr/bin/env python3
"""What a run stands on, taken away from under it: the disk, the ledger, its lock, descriptors (PRODUCT.md 2, 4.3)."""

import fcntl
import pathlib
import resource
import shlex
import subprocess
import tempfile
import threading
import unittest

from harness import Answer, BINARY, Case, wait_for


class Ground(Case):
    def refs(self, count):
        return [f"A-{i:02d}" for i in range(count)]

    def disk(self, size):
        disk = pathlib.Path(tempfile.mkdtemp(prefix="reelbatch-disk-"))
        self.addCleanup(disk.rmdir)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("no small disk can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=True)
        return disk

    @staticmethod
    def remount(disk, options):
        subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)

    def limited(self, kind, limit):
        """Started commands may have this much of a resource; RLIMIT_* of setrlimit(2)."""
        before = resource.getrlimit(kind)
        self.addCleanup(resource.setrlimit, kind, before)
        resource.setrlimit(kind, (limit, before[1]))

    def assert_finished_later(self, ledger, refs, said):
        """With room again, everything is done or held, and nothing was sent twice. Adopts what it was told to adopt."""
        for line in said.splitlines():
            if "reelbatch resolve" in line and "adopt" in line:
                words = shlex.split(line[line.index("reelbatch resolve"):])[1:]
                self.run_it(*words, "--ledger", str(ledger))  # refused if the intent is not held yet: a run holds it
        done = self.run_feed("--ledger", str(ledger))
        self.assertIn(done.code, (0, 4), done)
        for found in done.rows:
            self.assertIn(found["state"], ("done", "held"), done)
            jobs = self.provider.jobs_of(found["id"])
            self.assertLessEqual(len(jobs), 1)
            if found["state"] == "done":
                self.assertEqual((found["job_id"], found["url"]), (jobs[0].id, jobs[0].url))
        for ref in refs:
            self.assertLessEqual(len(self.provider.posts(ref)), 1, ref)
        sound = self.run_it("ledger", "verify", "--ledger", str(ledger))
        self.assertEqual(sound.code, 0, sound)
        return done


class Disk(Ground):
    def test_a_disk_that_fills_up_at_any_point(self):
        """Disks of all sizes, from one that has no room for a ledger to one that has enough."""
        refs = self.refs(40)
        self.manifest(refs)
        codes = []
        for kib in (40, 100, 160, 200, 240, 300, 380, 480, 4000):
            with self.subTest(kib=kib):
                self.provider.requests.clear()
                self.provider.by_id.clear()
                disk = self.disk(f"{kib}k")
                done = self.run_feed("--ledger", str(disk / "reelbatch.db"))
                self.assertIn(done.code, (0, 7), done)
                codes.append(done.code)
                if done.code == 7:
                    self.assertRegex(done.err, "full|cannot")
                self.remount(disk, "size=8m")
                later = self.assert_finished_later(disk / "reelbatch.db", refs, done.err)
                self.assertLessEqual(sum(r["state"] == "held" for r in later.rows), 20)  # in flight at most
        self.assertEqual((codes[0], codes[-1]), (7, 0))
        self.assertGreaterEqual(codes.count(7), 3)

    def test_a_file_that_may_not_grow(self):
        """ulimit -f: a limit on each file instead of a full disk; it comes as a signal too."""
        refs = self.refs(40)
        self.manifest(refs)
        self.limited(resource.RLIMIT_FSIZE, 160 * 1024)
        done = self.run_feed()
        self.assertEqual(done.code, 7, done)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)
        self.assert_finished_later("reelbatch.db", refs, done.err)

    def test_a_disk_that_cannot_be_written(self):
        disk = self.disk("8m")
        ledger = disk / "reelbatch.db"
        self.manifest(self.refs(2))
        self.run_feed("--ledger", str(ledger), code=0)
        self.manifest(self.refs(4))
        self.remount(disk, "ro")
        for words in (["run", "feed.csv"], ["resume"], ["resolve", "A-00", "drop"]):
            with self.subTest(words):
                done = self.run_it(*words, "--ledger", str(ledger))
                self.assertEqual(done.code, 7, done)
                self.assertIn("reelbatch.db", done.err)
        with self.subTest("nor a new one"):
            done = self.run_feed("--ledger", str(disk / "new.db"))
            self.assertEqual(done.code, 7, done)
        self.assert_posts(2)
        self.remount(disk, "rw")
        self.run_feed("--ledger", str(ledger), code=0)
        self.assert_posts(4)


class Deleted(Ground):
    def under_way(self):
        """A run with one submission that is taken and waits for its answer, and more to come."""
        answer = threading.Event()
        self.addCleanup(answer.set)
        self.provider.on_submit(Answer(wait=answer), nth=1)
        self.manifest(self.refs(6))
        running = self.start("run", "feed.csv", "--max-in-flight", "1")
        wait_for(lambda: self.provider.accepted() == 1)
        return running, answer

    def test_the_ledger(self):
        running, answer = self.under_way()
        (self.folder / "reelbatch.db").unlink()
        answer.set()
        done = running.wait(30)
        self.assertEqual(done.code, 7, done)
        self.assertIn("deleted or moved away", done.err)
        # Known to nobody else.
        self.assertRegex(done.err, rf"resolve '?A-00'? adopt '?{self.provider.jobs_of('A-00')[0].id}'?")
        self.assert_posts(1)
        self.assertIn("put reelbatch.db.saved in its place", done.err)
        self.assertNotIn("run again to continue", done.text)
        (self.folder / "reelbatch.db.saved").rename(self.folder / "reelbatch.db")
        self.assertEqual(self.run_it("resolve", "A-00", "adopt", self.provider.jobs_of("A-00")[0].id).code, 0)
        self.run_feed(code=0)
        for ref in self.refs(6):
            self.assert_posts(1, ref)

    def test_the_ledger_and_another_is_there(self):
        running, answer = self.under_way()
        (self.folder / "reelbatch.db").rename(self.folder / "moved.db")
        (self.folder / "reelbatch.db").touch()
        answer.set()
        done = running.wait(30)
        self.assertEqual(done.code, 7, done)
        self.assert_posts(1)

    def test_an_empty_ledger_is_none(self):
        """What a full disk or a slip of the shell leaves is not taken for a ledger that knows of nothing."""
        self.manifest(self.refs(1))
        self.config(rest="ledger: {must_exist: true}\n")
        (self.folder / "reelbatch.db").touch()
        done = self.run_feed(code=2)
        self.assertIn("must_exist", done.err)
        self.config()
        self.assertIn("made a new ledger", self.run_feed(code=0).err)
        self.assert_posts(1)

    def test_the_lock(self):
        running, answer = self.under_way()
        lock = self.folder / "reelbatch.db.lock"
        (self.folder / "alias.db").symlink_to("reelbatch.db")
        for ledger in ("reelbatch.db", "alias.db"):
            with self.subTest(ledger):
                lock.unlink(missing_ok=True)
                second = self.run_it("run", "feed.csv", "--ledger", ledger, "-o", "second.csv")
                self.assertEqual(second.code, 6, second)
        self.assert_posts(1)
        answer.set()
        self.assertEqual(running.wait().code, 0)
        self.assert_posts(6)

    def test_a_run_that_waits_does_not_take_the_ledger_of_another_for_its_own(self):
        """It began to wait when there was no ledger. One that cannot be used takes away the ledger it made, and no other."""
        self.manifest(self.refs(1))
        self.run_feed("--ledger", "other.db", code=0)
        self.write("broken.csv", "no columns that are needed\n")
        with open(self.folder / "reelbatch.db.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            waiting = self.start("run", "broken.csv", "--wait", "30s", "-o", "second.csv")
            wait_for(lambda: self.waits(waiting.pid) or waiting.ended(), what="the run to wait")
            (self.folder / "other.db").rename(self.folder / "reelbatch.db")
        self.assertEqual(waiting.wait().code, 2)
        self.assertTrue((self.folder / "reelbatch.db").exists(), "the ledger of another run was deleted")
        self.run_feed(code=0)
        self.assert_posts(1)

    @staticmethod
    def waits(pid):
        """True once the process has its lock file open."""
        try:
            return any(str(link.readlink()).endswith(".lock") for link in pathlib.Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            return False


class Descriptors(Ground):
    def test_more_connections_than_there_may_ever_be(self):
        self.manifest(self.refs(2))
        done = self.run_feed("--max-connections", "20000", code=2)
        self.assertIn("max-connections", done.err)
        self.assert_posts(0)

    def test_more_connections_than_files_may_be_open(self):
        """Refused before anything is paid: 10,000 need 20,064 open files."""
        self.manifest(self.refs(2))
        words = ["bash", "-c", 'ulimit -n 1024 && exec "$@"', "bash"]
        done = self.under_limit(words, "--max-connections", "10000")
        self.assertEqual(done.returncode, 7, done)
        self.assertIn("20064 open files", done.stderr)
        self.assertIn("1024", done.stderr)
        self.assert_posts(0)

    def test_as_many_connections_as_files_may_be_open(self):
        """Nothing fails for want of a descriptor in the middle of paid work."""
        refs = self.refs(60)
        self.manifest(refs)
        never = threading.Event()
        self.addCleanup(never.set)
        words = ["bash", "-c", 'ulimit -n 184 && exec "$@"', "bash"]  # 2 * 60 + 64
        done = self.under_limit(words, "--max-connections", "60", "--max-in-flight", "60", "--submit-rate", "1000/1s",
                                "--rate", "1000/1s")
        self.assertEqual(done.returncode, 0, done)
        self.assert_posts(60)

    def under_limit(self, words, *options):
        return subprocess.run([*words, BINARY, "run", "feed.csv", "--poll-interval", "50ms", *options], cwd=self.folder,
                              env=self.environment(), capture_output=True, text=True, timeout=60)


if __name__ == "__main__":
    unittest.main()
