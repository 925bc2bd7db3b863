#!/usr/bin/env python3
"""What a bad feed shows on the screen, what goes into the file of rejects, and what stops a run before it spends."""

import csv
import io
import json
import stat
import unittest

from harness import Case, row


def bad(ref):
    return row(ref, description="short")


class Screen(Case):
    def test_the_line_is_shown_with_a_mark_under_the_column(self):
        self.write("feed.csv", "id,image_urls,description\n"
                               "A-1,https://img.example.test/1.jpg,\"Été\" à Lyon\x1b[2J\n")
        done = self.run_it("check", "feed.csv")
        self.assertEqual(done.code, 1, done)
        lines = done.out.splitlines()
        self.assertTrue(lines[0].startswith("feed.csv:2:41: description: text after a closing quote"), done)
        self.assertEqual(lines[1], "    A-1,https://img.example.test/1.jpg,\"Été\" à Lyon?[2J")
        self.assertEqual(lines[2], " " * (4 + 40) + "^")

    def test_so_is_one_that_makes_the_file_wrong(self):
        self.write("feed.csv", "id,image_urls,description\nA-1,https://img.example.test/1.jpg,\"never\nclosed\n")
        done = self.run_it("check", "feed.csv")
        self.assertEqual(done.code, 2, done)
        self.assertIn("reelbatch: feed.csv:2:36: a quote is opened here and never closed\n"
                      "    A-1,https://img.example.test/1.jpg,\"never\n" + " " * (4 + 35) + "^\n", done.err)

    def test_and_of_a_document_with_keys(self):
        self.write("feed.yaml", "jobs:\n- id: A-1\n  image_urls: [x]\n  description: A quiet flat near the park\n")
        done = self.run_it("check", "feed.yaml")
        self.assertEqual(done.code, 1, done)
        lines = done.out.splitlines()
        self.assertIn("image_urls", lines[0])
        self.assertEqual(lines[1], "      image_urls: [x]")
        self.assertEqual(lines[2].strip(), "^")

    def test_a_run_under_cron_shows_no_lines(self):
        self.manifest([bad("A-1"), "A-2"])
        done = self.run_feed(code=1)
        self.assertNotIn("^", done.err)


class Rejects(Case):
    def rejects(self, name="rejects.csv"):
        text = (self.folder / name).read_text(encoding="utf-8")
        if name.endswith(".jsonl"):
            return [json.loads(line) for line in text.splitlines()]
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def test_a_feed_joined_from_two_exports_is_told_once(self):
        image = "https://img.example.test/1.jpg"
        rows = [f"A-{n},{image},A quiet flat near the park" for n in range(30)]
        rows += [f"B-{n},{image},A quiet flat near the park,Lyon,69003" for n in range(3000)]
        self.write("feed.csv", "\n".join(["id,image_urls,description", *rows, rows[0].replace("A-0", "C-1")]) + "\n")
        done = self.run_it("check", "feed.csv", "--rejects", "rejects.csv")
        self.assertEqual(done.code, 1, done)
        self.assertEqual(done.out.count("5 fields, header has 3; an unquoted comma?"), 10, done)
        self.assertIn("feed.csv:32:1: from here on: 5 fields, header has 3; was the file joined from two exports? Put each "
                      "into a file of its own (3000 rows in a row) (warning)", done.out)
        self.assertIn("... and 2990 more of the same kinds; rejects.csv has every error", done.out)
        self.assertIn("3031 rows: 31 valid, 3000 invalid", done.out)
        self.assertEqual(len(self.rejects()), 3000)
        self.assertEqual(self.run_it("check", "feed.csv", "--all").out.count("an unquoted comma?"), 3000)

    def test_every_refused_row_is_there_and_the_screen_names_the_file(self):
        self.manifest(["A-0"] + [bad(f"B-{n}") for n in range(15)])
        done = self.run_it("plan", "feed.csv", "--rejects", "rejects.csv")
        self.assertEqual(done.code, 0, done)
        self.assertIn("... and 5 more of the same kinds; rejects.csv has every error", done.err)
        rejects = self.rejects()
        self.assertEqual(len(rejects), 15)
        self.assertEqual(list(rejects[0]), ["file", "record", "line", "column", "field", "code", "message", "raw"])
        first = rejects[0]
        self.assertEqual((first["file"], first["record"], first["line"], first["field"], first["code"]),
                         ("feed.csv", "2", "3", "description", "invalid_value"))
        self.assertIn("needs at least 10 characters", first["message"])
        self.assertTrue(first["raw"].startswith("B-0,https://"), first)
        self.assertEqual(stat.S_IMODE((self.folder / "rejects.csv").stat().st_mode), 0o600)

    def test_check_and_run_write_them_too_by_flag_environment_and_configuration(self):
        self.manifest(["A-0", bad("B-1")])
        self.assertEqual(self.run_it("check", "feed.csv", env={"REELBATCH_REJECTS": "checked.jsonl"}).code, 1)
        reject, = self.rejects("checked.jsonl")
        self.assertEqual((reject["record"], reject["line"], reject["code"]), (2, 3, "invalid_value"))
        self.config(rest="rejects: by-config.csv\n")
        done = self.run_feed(code=1)
        self.assert_states(done, A_0="done", B_1="invalid")
        self.assertEqual(len(self.rejects("by-config.csv")), 1)

    def test_a_file_that_is_wrong_as_a_whole_leaves_its_reasons(self):
        self.manifest(["A-1", "A-2", "A-1"])
        self.assertEqual(self.run_feed("--rejects", "rejects.csv").code, 2)
        reject, = self.rejects()
        self.assertEqual((reject["code"], reject["record"], reject["line"]), ("duplicate_id", "3", "4"))
        self.assertTrue(reject["raw"].startswith("A-1,"), reject)
        self.assert_posts(0)

    def test_an_old_file_goes_when_nothing_is_refused(self):
        self.write("rejects.csv", "old")
        self.manifest(["A-1"])
        self.assertEqual(self.run_it("check", "feed.csv", "--rejects", "rejects.csv").code, 0)
        self.assertEqual(self.rejects(), [])
        self.assertNotIn("old", (self.folder / "rejects.csv").read_text())

    def test_what_cannot_be_written_is_known_before_anything_is_sent(self):
        self.manifest(["A-1"])
        self.assertEqual(self.run_feed("--rejects", "nowhere/rejects.csv").code, 7)
        self.assertEqual(self.run_feed("--rejects", "rejects.txt").code, 2)
        self.assertEqual(self.run_feed("--rejects", "feed.csv").code, 2)
        self.assert_posts(0)


class Duplicates(Case):
    def test_a_run_keeps_the_row_that_is_asked_for(self):
        self.manifest([row("A-1", 1), row("A-2"), row("A-1", 2)])
        done = self.run_feed(code=2)
        self.assertIn("'A-1' is there twice: first in feed.csv:2", done.err)
        self.assert_posts(0)
        done = self.run_feed("--on-duplicate", "last", code=0)
        self.assert_states(done, A_1="done", A_2="done")
        self.assertEqual(done.row("A-1")["line"], "4")
        self.assertIn("only the last one is read", done.err)
        self.assert_posts(2)
        done = self.run_feed("--on-duplicate", "suffix", "--on-change", "skip", code=0)
        self.assert_states(done, A_1="done", A_2="done", A_1_2="done")
        self.assert_posts(3)
        self.assert_sound()

    def test_standard_input_cannot_be_read_twice(self):
        done = self.run_it("check", "-", "--on-duplicate", "last", text="id\n1\n")
        self.assertEqual(done.code, 2, done)
        self.assertIn("standard input can be read only once", done.err)


class IdsFromHash(Case):
    """A feed without ids: a row is known by what it says."""

    def feed(self, *houses):
        self.write("feed.csv", "image_urls,description,city\n" + "".join(
            f"https://img.example.test/{name}.jpg,A {name} with a garden,{city}\n" for name, city in houses))

    def test_every_listing_is_paid_for_once_and_a_changed_one_is_new(self):
        self.feed(("house", "Nice"), ("flat", "Lyon"))
        done = self.run_feed(code=2)
        self.assertIn("there is no column 'id'", done.err)
        done = self.run_feed("--id-from", "hash", code=0)
        self.assert_posts(2)
        ids = [row["id"] for row in done.rows]
        for ref in ids:
            self.assertRegex(ref, "^row-[0-9a-f]{24}$")
        self.feed(("flat", "Paris"), ("house", "Nice"), ("barn", "Pau"))  # another order, another label
        done = self.run_feed(env={"REELBATCH_ID_FROM": "hash"}, code=0)
        self.assert_posts(3)
        self.assertEqual([row["id"] for row in done.rows][:2], ids[::-1])
        self.config(rest="manifest: {id_from: hash}\n")
        self.feed(("flat", "Paris"), ("villa", "Nice"), ("barn", "Pau"))
        self.run_feed(code=0)
        self.assert_posts(4)
        self.assert_sound()

    def test_check_says_once_how_many_were_made(self):
        self.feed(*((f"house {n}", "Nice") for n in range(30)))
        done = self.run_it("check", "feed.csv", "--id-from", "hash")
        self.assertEqual(done.code, 0, done)
        self.assertEqual((done.out + done.err).count("id: made 30 of what rows say"), 1, done)


class BadNights(Case):
    def test_a_feed_that_shrank_stops_before_anything_is_sent(self):
        self.manifest([f"A-{n}" for n in range(20)])
        self.run_feed(code=0)
        self.assert_posts(20)
        self.manifest([f"A-{n}" for n in range(10)])  # half of it is no less than half
        self.run_feed(code=0)
        self.manifest([f"A-{n}" for n in range(20)])
        self.run_feed(code=0)
        self.manifest([f"A-{n}" for n in range(8)] + ["NEW"])
        done = self.run_feed(code=2)
        self.assertIn("the feed has 9 rows, less than half of the 20 it had in the last run", done.err)
        self.assertIn("--allow-shrink", done.err)
        done = self.run_it("plan", "feed.csv")
        self.assertEqual(done.code, 2, done)
        self.assertIn("a run would, of 9 rows", done.out)
        self.assertIn("less than half of the 20", done.err)
        self.assert_posts(20)
        self.run_feed("--allow-shrink", code=0)
        self.assert_posts(21)
        self.run_feed(code=0)  # what was allowed is what the next run compares with

    def test_one_of_several_files_that_went_empty_stops_a_run(self):
        self.manifest([f"A-{n}" for n in range(30)], name="a.csv")
        self.manifest([f"B-{n}" for n in range(25)], name="b.csv")
        self.assertEqual(self.run_it("run", "a.csv", "b.csv").code, 0)
        self.manifest([], name="b.csv")
        done = self.run_it("run", "-q", "a.csv", "b.csv")
        self.assertEqual(done.code, 2, done)
        self.assertIn("b.csv has no rows, and all files together have 30 where they had 55 in the last run", done.err)
        self.assertEqual(self.run_it("run", "a.csv", "b.csv", "--allow-shrink").code, 0)
        self.assertEqual(self.run_it("run", "a.csv", "b.csv").code, 0)
        self.assert_posts(55)

    def test_another_feed_on_the_same_ledger_is_no_smaller_one(self):
        self.manifest([f"A-{n}" for n in range(20)])
        self.run_feed(code=0)
        self.manifest(["B-1"], name="other.csv")
        done = self.run_it("run", "other.csv")
        self.assertEqual(done.code, 0, done)
        self.manifest(["A-1"])
        self.run_feed(code=2)  # compared with the last run of its own

    def test_files_that_differ_in_their_date_alone_are_one_feed(self):
        self.manifest([f"A-{n}" for n in range(20)], name="listings-2026-11-26.csv")
        self.assertEqual(self.run_it("run", "listings-2026-11-26.csv").code, 0)
        self.manifest(["A-1", "NEW"], name="listings-2026-11-27.csv")
        done = self.run_it("run", "listings-2026-11-27.csv")
        self.assertEqual(done.code, 2, done)
        self.assertIn("the feed has 2 rows, less than half of the 20 it had in the last run", done.err)
        self.assert_posts(20)
        done = self.run_it("run", "listings-2026-11-27.csv", "--allow-shrink")
        self.assertEqual(done.code, 0, done)
        self.assertIn("19 listings of the last run are not in this manifest any more", done.out)
        self.assert_posts(21)

    def test_too_few_rows_stop_a_run(self):
        self.manifest(["A-1", "A-2"])
        done = self.run_feed("--min-rows", "3", code=2)
        self.assertIn("there are 2 rows, and --min-rows wants 3 at least", done.err)
        self.assertEqual(self.run_it("check", "feed.csv", env={"REELBATCH_MIN_ROWS": "3"}).code, 2)
        self.config(rest="manifest: {min_rows: 3}\n")
        self.assertEqual(self.run_it("plan", "feed.csv").code, 2)
        self.run_feed("--min-rows", "2", code=0)
        self.assert_posts(2)

    def test_a_screenful_of_invalid_rows_stops_a_run(self):
        self.manifest([bad(f"B-{n}") for n in range(20)] + ["A-1"])
        done = self.run_feed(code=2)
        self.assertIn("feed.csv:21:", done.err)
        self.assertIn("none of the first 20 rows is valid, so the file is taken to be mapped wrongly", done.err)
        self.assert_posts(0)
        self.assertEqual(self.run_it("check", "feed.csv").code, 2)
        done = self.run_feed("--allow-invalid-start", code=1)
        self.assertEqual(done.state("A-1"), "done")
        self.assert_posts(1)

    def test_one_photo_on_many_listings_is_said_once_and_not_again_for_known_rows(self):
        soon = "https://img.example.test/coming-soon.jpg"
        rows = [row(f"A-{n}", image_urls=soon) for n in range(4)]
        self.manifest(rows)
        words = f"4 listings have the same photo {soon}"
        self.assertIn(words, self.run_it("check", "feed.csv").out)
        done = self.run_feed(code=0)
        self.assertEqual(done.err.count(words), 1, done)
        self.assertNotIn("with the same photo", self.run_feed(code=0).err)

    def test_no_column_with_images_is_a_wrong_file(self):
        self.write("feed.csv", "id,description\nA-1,A quiet flat near the park\n")
        done = self.run_feed(code=2)
        self.assertIn("there is no column with images; there are 'id', 'description'", done.err)
        self.assert_posts(0)


if __name__ == "__main__":
    unittest.main()
