#!/usr/bin/env python3
"""Feeds of the shapes that real exports have: what is submitted for each row, to the letter."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from harness import BINARY, Case

FEEDS = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "feeds"
CDN = "https://cdn.example.test/"


class FeedCase(Case):
    def copy(self, name):
        shutil.copy(FEEDS / name, self.folder / name)
        return name

    def submitted(self, name, *flags, code=0):
        """Id to (text, images without the host they share) of what a run of the feed submits."""
        done = self.run_it("run", self.copy(name), *flags)
        self.assertEqual(done.code, code, done)
        images = {post.json["description"]: post.json["image_urls"] for post in self.provider.posts()}
        self.assertEqual(len(images), len(self.provider.posts()), "descriptions tell the listings of these feeds apart")
        found = {}
        for row in done.rows:
            if row["submissions"] == "1":
                text = self.provider.by_id[row["job_id"]].description
                found[row["id"]] = (text, [address.removeprefix(CDN) for address in images[text]])
        self.assertEqual(len(found), len(images), done)
        return found

    def assert_feed(self, name, expected, *flags, preset=None):
        """The same with the preset found out and with the preset named."""
        self.assertEqual(self.submitted(name, *flags), expected)
        if preset is None:
            return
        shown = self.run_it("check", "--mapping", name, *flags)
        self.assertIn(f"  preset      {preset}: ", shown.out)
        for row in expected:
            self.assertIn(row, shown.out)
        named = self.run_it("plan", name, "--preset", preset, *flags)
        self.assertIn("unchanged", named.out, "the named preset reads the same as the one found out")
        self.assertNotIn("changed ", named.out.replace("unchanged", ""))


class Presets(FeedCase):
    def test_meta_home_listings_in_numbered_columns(self):
        self.assert_feed("meta.tsv", {
            "MH-1": ('A house by the mill, with a "wheel" that still turns.', ["m1/0.jpg", "m1/2.jpg", "m1/10.jpg"]),
            "MH-2": ("A flat on the ninth floor of the tower.", ["m2/0.jpg"])}, preset="meta-home-listings")

    def test_meta_home_listings_with_json_in_a_cell(self):
        self.assert_feed("meta-json.csv", {
            "MJ-1": ("A barn made into a home, with oak beams.", ["j1/a.jpg", "j1/b.jpg"])},
            preset="meta-home-listings")

    def test_google_real_estate(self):
        self.assert_feed("google.csv", {
            "G-10": ("Villa above the bay, with a pool.", ["g10.jpg"]),
            "G-11": ("Loft in a former silk mill.", ["g11.jpg?w=1200&h=800"])}, preset="google-real-estate")

    def test_reso_takes_public_remarks_and_photos_in_their_order(self):
        found = self.submitted("reso.json", code=1)
        self.assertEqual(found, {
            "K-900": ("Sunny house with a porch and a yard.", ["k900/1.jpg", "k900/3.jpg", "k900/10.jpg"])})
        results = (self.folder / "results.csv").read_text(encoding="utf-8")
        self.assertNotIn("PrivateRemarks", results)
        self.assertNotIn("hurry", results)
        shown = self.run_it("check", "--mapping", "reso.json")
        self.assertIn("  preset      reso: ", shown.out)
        self.assertIn("'PublicRemarks' [preset]", shown.out)
        self.assertIn("K-901", shown.out)
        self.assertIn("description: is missing", shown.out)

    def test_rightmove_with_carets(self):
        self.assert_feed("rightmove-caret.blm", {
            "77_A1": ("A terraced house – with a view of the cafés,\nand a long garden.", ["77/00.jpg", "77/01.jpg"]),
            "77_B2": ("Studio near the station, bills paid.", ["77/b0.jpg"])}, preset="rightmove-blm")

    def test_rightmove_with_pipes_and_file_names(self):
        refused = self.run_it("check", self.copy("rightmove-pipe.blm"))
        self.assertEqual(refused.code, 2)
        self.assertIn("--media-base", refused.err)
        self.assert_feed("rightmove-pipe.blm", {
            "88_A1": ("Cottage with two rooms and a stove.", ["88/88_A1_IMG_00.jpg", "88/88_A1_IMG_01.jpg"])},
            "--media-base", CDN + "88/", preset="rightmove-blm")

    def test_poliris_has_no_header(self):
        self.assert_feed("poliris-Annonces.csv", {
            "P-500": ("Maison de ville œuvre d’un maître, 95 m², jardin clos.",
                      ["p500/1.jpg", "p500/2.jpg", "p500/10.jpg", "p500/21.jpg"]),
            "P-501": ("Studio clair, proche de la gare, loué meublé.", ["p501/1.jpg"])}, preset="poliris")

    def test_inside_airbnb_has_one_photo_in_four_sizes(self):
        self.assert_feed("airbnb.csv", {
            "4001": ("A cabin among vines.\n\nTwo rooms, one stove.", ["a4001/picture.jpg"]),
            "4002": ("A room with a desk, and all else cut at the e", ["a4002/picture.jpg"])}, preset="inside-airbnb")

    def test_woocommerce_has_commas_in_addresses(self):
        self.assert_feed("woocommerce.csv", {
            "31": ("House 31 stands on a hill.", ["c_fill,w_800/31/a.jpg", "31/b.jpg"]),
            "32": ("-10 % this month: House 32, by the lake.", ["32/a.jpg"])}, preset="woocommerce")

    def test_shopify_has_a_row_for_each_photo(self):
        self.assert_feed("shopify.csv", {
            "oak-house": ("A house of oak with three rooms.", ["oak/1.jpg", "oak/2.jpg", "oak/3.jpg"]),
            "elm-flat": ("A flat beneath tall elms.", ["elm/1.jpg"])}, preset="shopify")

    def test_homeharvest_repeats_the_first_photo(self):
        host = "http://img.example.test/"
        self.assert_feed("homeharvest.csv", {
            "9000001": ("Ranch with a barn, 4 acres.",
                        [host + "r1-0.jpg?w=1080&q=75", host + "r1-1.jpg?w=1080&q=75"]),
            "9000002": ("A home with one photo and no others.", [host + "r2-0.jpg"])}, preset="homeharvest")


class WithoutPreset(FeedCase):
    def test_a_family_of_columns_with_slashes(self):
        self.assert_feed("apify.csv", {
            "AP-1": ("A house read by a robot, room by room.", ["ap/0.jpg", "ap/1.jpg", "ap/2.jpg", "ap/10.jpg"])})

    def test_captions_beside_addresses_in_one_cell(self):
        self.assert_feed("webtoffee.csv", {
            "W-1": ("House with two photos that have captions.", ["w/1.jpg", "w/2.jpg"])})

    def test_a_json_list_in_a_cell(self):
        self.assert_feed("brightdata.csv", {
            "BD-1": ("Flat with its photos in one list.", ["bd/1.jpg", "bd/2.jpg"])}, "--map", "id=postingId")

    def test_semicolons_in_latin_1_without_photos(self):
        name = self.copy("caixa.csv")
        refused = self.run_it("check", name, "--map", "id=N° do imóvel")
        self.assertEqual(refused.code, 2)
        self.assertIn("caixa.csv:1:1: image_urls: there is no column with images; there are", refused.text)
        self.assertIn("read as windows-1252; first non-ASCII at line 1", refused.text)
        shown = self.run_it("check", "--mapping", name, "--map", "id=N° do imóvel", "--encoding", "latin-1",
                            "--map", "image_urls=Link de acesso")
        for text in ("table, ISO-8859-1, ';' between cells, header on line 1", "8555500000001",
                     "Apartamento, 2 quartos, área de serviço.", "'Descrição' (5) [synonym]"):
            self.assertIn(text, shown.out)

    def test_every_shifted_row_is_refused(self):
        found = self.submitted("ragged.csv", code=1)
        self.assertEqual(found, {f"S-{i}": (f"House {i} with a garden", [f"s/{i}.jpg"]) for i in (1, 4, 7, 10)})
        shown = self.run_it("check", "ragged.csv")
        for line in (3, 4, 6, 7, 9, 10):
            self.assertIn(f"ragged.csv:{line}:", shown.out)
        self.assertIn("6 fields, header has 5", shown.out)
        self.assertIn("10 rows: 4 valid, 6 invalid", shown.out)

    def test_columns_by_position(self):
        self.assert_feed("positions.csv", {
            f"POS-{i}": (f"Home {i} by the river bank.", [f"pos/{i}-b.jpg", f"pos/{i}-a.jpg"]) for i in (1, 2)},
            "--no-header", "--map", "id=#3", "--map", "description=#4", "--map", "image_urls=#2,#5")

    def test_columns_by_synonyms(self):
        self.assert_feed("synonyms.csv", {
            "SY-1": ("Haus mit Garten und Garage am See.", ["sy/1.jpg", "sy/2.jpg"])})


class NoPhotos(FeedCase):
    def test_a_glob_takes_no_column_of_something_else(self):
        self.assert_feed("globs.csv", {"GL-1": ("House found by a glob of columns.", ["gl/1.jpg", "gl/2.jpg", "gl/10.jpg"])},
                         "--map", "id=Ref", "--map", "description=Texte", "--map", "image_urls=*photo*")

    def test_a_glob_that_names_them_takes_them(self):
        self.assert_feed("globs.csv", {"GL-1": ("House found by a glob of columns.", ["gl/agent.jpg"])},
                         "--map", "id=Ref", "--map", "description=Texte", "--map", "image_urls=*_agent*")

    def test_a_mapped_column_is_taken_whatever_its_name(self):
        self.assert_feed("not-photos.csv", {"NP-1": ("House without any photo of itself.", ["np/4.jpg"])},
                         "--map", "image_urls=thumbnail")

    def test_none_of_them_is_a_synonym(self):
        refused = self.run_it("check", self.copy("not-photos.csv"))
        self.assertEqual(refused.code, 2)
        self.assertIn("not-photos.csv:1:1: image_urls: there is no column with images; there are", refused.text)

    def test_none_of_them_joins_a_family(self):
        self.assert_feed("not-photos-beside.csv", {
            "NB-1": ("House with two photos of itself.", ["nb/1.jpg", "nb/2.jpg"])})


class Mapping(FeedCase):
    def test_fields_columns_values_labels_and_what_is_not_used(self):
        self.write("feed.csv", "sep=;\nRef;Texte;Photos;Ville;Prix;;format\n"
                               "A-1;Maison au bord de l'eau, avec un jardin;https://img.example.test/1.jpg;Pau;1;;\n"
                               "A-2;Appartement\x1b[31m au centre;https://img.example.test/2.jpg;Nice;2;;portrait\n"
                               "A-3;Studio clair et calme;https://img.example.test/3.jpg;Brest;3;;\n")
        self.write("reelbatch.yaml", "manifest:\n  labels: [Ville]\n  defaults: {format: square}\n")
        done = self.run_it("check", "--mapping", "feed.csv", "--map", "description=Texte")
        shown = done.out[done.out.index("\nfeed.csv\n") + 1:done.out.index("3 rows: ")]
        self.assertEqual(shown, """\
feed.csv
  format      table, UTF-8, ';' between cells, header on line 2
  preset      none: no known program's columns are all there
  iacrea.auto
    id            'Ref' (1) [synonym]
                  A-1
                  A-2
    image_urls    'Photos' (3) [synonym]
                  https://img.example.test/1.jpg
                  https://img.example.test/2.jpg
    description   'Texte' (2) [--map]
                  Maison au bord de l'eau, avec un jardin
                  Appartement [31m au centre
    format        'format' (7); if empty, the default 'square' [name]
                  square
                  portrait
    not given     kind, account, colors, font, music, display_logo, logo_url,
                  webhook_url
    labels        'Ville' (4)
    not used      'Prix' (5), '' (6)
""")

    def test_it_fits_a_terminal_and_has_no_control_character(self):
        for name in ("airbnb.csv", "rightmove-caret.blm", "homeharvest.csv", "poliris-Annonces.csv"):
            done = self.run_it("check", "--mapping", self.copy(name))
            mapping = done.out[done.out.index(f"\n{name}\n"):]
            for line in mapping.splitlines():
                self.assertLessEqual(len(line), 80, line)
                self.assertTrue(line.isprintable(), line)

    def test_keys_of_json_and_yaml(self):
        for name, text in (
                ("feed.json", '[{"id": "J-1", "kind": null, "photos": ["https://img.example.test/1.jpg"], "city": "Pau", '
                              '"description": "A house with a view of the hills."}]'),
                ("feed.jsonl", '{"id": "J-1", "kind": null, "photos": ["https://img.example.test/1.jpg"], "city": "Pau", '
                               '"description": "A house with a view of the hills."}\n'),
                ("feed.yaml", "jobs:\n- id: J-1\n  kind:\n  photos: ['https://img.example.test/1.jpg']\n  city: Pau\n"
                              "  description: A house with a view of the hills.\n")):
            self.write(name, text)
            done = self.run_it("check", "--mapping", name)
            self.assertEqual(done.code, 0, done)
            for part in ("    id            'id' [name]\n                  J-1\n", "    kind          'kind' [name]\n",
                         "    image_urls    'photos' [synonym]\n                  "
                         '["https://img.example.test/1.jpg"]\n', "    labels        'city'\n"):
                self.assertIn(part, done.out)

    def test_a_file_without_an_id_still_tells_how_it_was_read(self):
        self.write("feed.csv", "name;description\nA;A house with a view of the hills.\n")
        done = self.run_it("check", "--mapping", "feed.csv")
        self.assertEqual(done.code, 2)
        self.assertIn("feed.csv\n  format      table, UTF-8, ';' between cells, header on line 1\n", done.out)


class Folders(FeedCase):
    TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check-feeds"

    def check_feeds(self, *args):
        return subprocess.run([self.TOOL, *args], capture_output=True, text=True, cwd=self.folder,
                              env={**os.environ, "REELBATCH": str(BINARY)})

    def test_every_feed_here_is_read(self):
        done = self.check_feeds(FEEDS, "--record", "record.json", "--update")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("meta.tsv  table, UTF-8, tab between cells, header on line 1  meta-home-listings  2  2  0\n",
                      done.stdout)
        self.assertIn("ragged.csv  table, UTF-8, ',' between cells, header on line 1  none  10  4  6  line 3:",
                      done.stdout)
        readable = {name for name, valid in json.loads((self.folder / "record.json").read_text()).items()
                    if valid is not None}
        feeds = {path.name for path in FEEDS.iterdir() if path.suffix in (".csv", ".tsv", ".blm", ".json")}
        self.assertEqual(feeds - readable, {"not-photos.csv"})  # refused for lack of a column

    def test_a_file_that_was_readable_and_is_not_is_worse(self):
        self.write("feeds/a.csv", (FEEDS / "synonyms.csv").read_bytes())
        self.assertEqual(self.check_feeds("feeds", "--record", "r.json", "--update").returncode, 0)
        self.write("feeds/a.csv", "no id\n1\n")
        done = self.check_feeds("feeds", "--record", "r.json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("WORSE: 1 rows were valid. not readable: ", done.stdout)

    def test_a_name_may_look_like_a_flag(self):
        self.write("-feed.csv", (FEEDS / "synonyms.csv").read_bytes())
        self.assertIn("1 files: 1 readable, 0 worse or failed", self.check_feeds(".").stdout)

    def test_a_crash_is_a_failure(self):
        self.write("feeds/a.csv", "id\n1\n")
        crash = self.write("crash", "#!/bin/sh\nkill -SEGV $$\n")
        crash.chmod(0o755)
        done = subprocess.run([self.TOOL, "feeds"], capture_output=True, text=True, cwd=self.folder,
                              env={**os.environ, "REELBATCH": str(crash)})
        self.assertEqual(done.returncode, 1)
        self.assertIn("CRASHED, exit -11", done.stdout)


if __name__ == "__main__":
    unittest.main()
