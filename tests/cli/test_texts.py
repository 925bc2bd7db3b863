#!/usr/bin/env python3
"""Descriptions and image lists out of real feeds: what is sent for them, what is said of them, and where that is shown."""

import json
import unittest

from harness import Case, row

PHONE = "A bright flat with a garden. Tél. 06 12 34 56 78"
MANGLED = "Un bel appartement meubl\u00c3\u00a9 pr\u00c3\u00a8s du parc"


class Texts(Case):
    def sent(self):
        return self.provider.posts()[-1].json

    def test_a_description_is_sent_as_text(self):
        cell = ("<div><h2>T3 &agrave; Lyon</h2>\r\n<p>62&nbsp;m&sup2;,<br />\r\nproche du parc</p><ul><li>Balcon</li>"
                "<li>Cave &amp; parking</li></ul><script>track()</script><button>Voir</button></div>")
        self.manifest([row("A-1", description=cell)])
        self.run_feed(code=0)
        self.assertEqual(self.sent()["description"], "T3 à Lyon\n\n62 m²,\nproche du parc\n\n- Balcon\n- Cave & parking")

    def test_other_markup_that_says_the_same_is_not_paid_for_again(self):
        self.manifest([row("A-1", description="<p>A bright flat with a garden</p>")])
        self.run_feed(code=0)
        self.manifest([row("A-1", description="A  bright flat <b>with</b>&nbsp;a garden<br>")])
        done = self.run_feed(code=0)
        self.assertEqual(done.row("A-1")["submissions"], "0")
        self.assert_posts(1)

    def test_a_description_of_nothing_but_markup_is_an_invalid_row(self):
        self.manifest([row("A-1", description="<p>&nbsp;</p>"), row("A-2")])
        done = self.run_feed(code=1)
        self.assert_states(done, A_1="invalid", A_2="done")
        self.assertIn("feed.csv:2:", done.text)
        self.assertIn("description: no description: nothing but markup is in it", done.text)
        self.assert_posts(1)

    def test_what_is_wrong_with_texts_is_said(self):
        self.manifest([row("A-1", description=MANGLED), row("A-2", description="A flat [gallery ids=\"1,2\"] near the park"),
                       row("A-3", description="A flat with a lost \ufffd character")])
        done = self.run_it("check", "feed.csv")
        self.assertEqual(done.code, 0, done)
        self.assertIn("has 2 character(s) that were read in the wrong encoding, such as 'Ã©' for 'é'", done.out)
        self.assertIn("left out 1 WordPress shortcode(s), such as '[gallery ids=\"1,2\"]'", done.out)
        self.assertIn("has 1 character(s) that were lost before this file was written", done.out)

    # ---- options

    def test_contacts_are_left_out_where_that_is_asked_for(self):
        self.manifest([row("A-1", description=PHONE)])
        self.run_feed("--strip-contacts", code=0)
        self.assertEqual(self.sent()["description"], "A bright flat with a garden.")

    def test_contacts_are_sent_otherwise(self):
        self.manifest([row("A-1", description=PHONE)])
        self.run_feed(code=0)
        self.assertEqual(self.sent()["description"], PHONE)

    def test_an_option_changes_the_listings_that_it_changes_and_no_others(self):
        self.manifest([row("A-1", description=PHONE), row("A-2")])
        self.run_feed(code=0)
        plan = self.plan("--strip-contacts")
        self.assertEqual((plan["A-1"]["action"], plan["A-1"]["changed"]), ("submit", ["description"]))
        self.assertEqual((plan["A-2"]["action"], plan["A-2"]["reason"]), ("skip", "unchanged"))

    def test_a_run_with_an_option_goes_on_with_it(self):
        self.manifest([row("A-1", description=PHONE)])
        self.run_feed("--strip-contacts", "--limit", "0")
        self.assert_posts(0)
        self.run_feed("--strip-contacts", code=0)
        again = self.run_feed("--strip-contacts", code=0)
        self.assertEqual(again.row("A-1")["submissions"], "0")
        self.assert_posts(1)

    def test_the_options_in_a_configuration_and_in_json(self):
        self.config(rest="manifest: {repair_mojibake: true, strip_contacts: true}\n")
        self.write("feed.json", json.dumps([row("A-1", description=MANGLED + ", me@agence.example")]))
        done = self.run_it("run", "feed.json")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(self.sent()["description"], "Un bel appartement meublé près du parc")

    def test_the_options_in_the_environment_and_in_help(self):
        self.manifest([row("A-1", description=MANGLED)])
        self.run_feed(code=0, env={"REELBATCH_REPAIR_MOJIBAKE": "yes"})
        self.assertEqual(self.sent()["description"], "Un bel appartement meublé près du parc")
        text = self.run_it("run", "--help").out
        self.assertIn("--strip-contacts", text)
        self.assertIn("--repair-mojibake", text)

    # ---- images

    def test_images_out_of_feeds(self):
        media = [{"MediaURL": "https://a.example/2.jpg", "Order": 2, "MediaCategory": "Photo"},
                 {"MediaURL": "https://a.example/plan", "Order": 0, "MediaCategory": "Floor Plan"},
                 {"MediaURL": "https://a.example/1.jpg", "Order": 1}]
        self.manifest([row("A-1", image_urls=json.dumps(media)),
                       row("A-2", image_urls="https://a.example/1.jpg|Kitchen|https://a.example/2.jpg|Bath")])
        done = self.run_feed(code=0)
        for ref in ("A-1", "A-2"):
            self.assertEqual(self.provider.posts(ref)[0].json["image_urls"],
                             ["https://a.example/1.jpg", "https://a.example/2.jpg"], done)

    def test_numbered_families_of_columns(self):
        for names in (["image_1", "image_2", "image_10"], ["image0", "image1", "image2"], ["Image 1", "Image 3", "Image 4"],
                      ["photo-01", "photo-02", "photo-10"], ["MEDIA_IMAGE_00", "MEDIA_IMAGE_01", "MEDIA_IMAGE_02"],
                      ["images/0", "images/1", "images/2"], ["images/0/url", "images/1/url", "images/2/url"],
                      ["image[0].url", "image[1].url", "image[2].url"]):
            with self.subTest(names[0]):
                first, second, third = names
                fields = {third: "https://a.example/3.jpg", first: "https://a.example/1.jpg", second: "",
                          "MEDIA_IMAGE_TEXT_00": "Kitchen", "image[0].tag[0]": "Bath"}
                self.manifest([row(names[0].replace("/", "-"), image_urls=None, **fields)])
                done = self.run_feed(code=0)
                self.assertEqual(self.sent()["image_urls"], ["https://a.example/1.jpg", "https://a.example/3.jpg"], done)

    # ---- status REF

    def test_status_shows_what_was_read_and_what_is_sent(self):
        cell = "<p>A bright \u001b[31mflat &amp; garden</p>"
        self.manifest([row("A-1", description=cell)])
        self.run_feed(code=0)
        done = self.run_it("status", "A-1")
        self.assertEqual(done.code, 0, done)
        self.assertIn("A-1 (iacrea.auto, account iacrea)", done.out)
        self.assertIn("  done, job ", done.out)
        self.assertIn("description: " + json.dumps(cell), done.out)
        self.assertIn("as this version sends it, POST /api/video-editor/generate/video/auto:", done.out)
        self.assertIn('"description":"A bright [31mflat & garden"', done.out)
        self.assertNotIn("\u001b", done.out)

    def test_status_shows_a_listing_that_was_never_submitted(self):
        self.manifest([row("A-1", description="<p>A bright flat</p>")])
        self.run_feed("--limit", "0")
        done = self.run_it("status", "A-1")
        self.assertEqual(done.code, 0, done)
        self.assertIn("planned, not submitted", done.out)
        self.assertIn('"description":"A bright flat"', done.out)
        self.assert_posts(0)

    def test_status_shows_a_listing_with_what_it_said_before(self):
        self.manifest([row("A-1", description="A bright flat, at first")])
        self.run_feed(code=0)
        self.manifest([row("A-1", description="A bright flat, later on")])
        self.run_feed(code=0)
        done = self.run_it("status", "A-1")
        self.assertLess(done.out.index("at first"), done.out.index("later on"))
        self.assertEqual(done.out.count("  done, job "), 2)

    def test_status_of_an_unknown_listing_is_a_usage_error(self):
        self.manifest(["A-1"])
        self.run_feed(code=0)
        done = self.run_it("status", "A-1", "B-9")
        self.assertEqual(done.code, 2, done)
        self.assertIn("has no listing 'B-9'", done.err)


if __name__ == "__main__":
    unittest.main()
