#!/usr/bin/env python3
"""Results for people, for CI systems and for Prometheus: the same rows and sums as in results.json."""

import html.parser
import json
import re
import unittest
import xml.etree.ElementTree

from harness import Answer, Case, row

STATES = ["done", "failed", "timed_out", "in_flight", "held", "planned", "invalid"]
OUTPUTS = ("-o", "r.html", "-o", "r.xml", "-o", "r.prom", "-o", "r.json", "-o", "results.csv")
NASTY = "<script>alert(\"1\")</script> & 'x'"


class Page(html.parser.HTMLParser):
    """The elements and attributes of a page, its rows' classes and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.rows, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "tr" and "row" in (dict(attrs).get("class") or "").split():
            self.rows.append(dict(attrs)["class"].split()[1])

    def handle_data(self, data):
        self.text += data


class Formats(Case):
    def setUp(self):
        super().setUp()
        self.provider.on_submit(Answer(422, {"error": f"too dark {NASTY}"}), ref="A-2")
        self.provider.on_submit(Answer(lost="after"), ref="A-3")
        self.manifest([row("A-1", agency=NASTY), row("A-2"), row("A-3"), row("A-4", description="short"), row("A-5"),
                       row(NASTY, description="short")])
        self.done = self.run_feed("--max-in-flight", "1", "--limit", "3", *OUTPUTS, code=4)
        self.json = json.loads(self.text("r.json"))

    def text(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def test_junit(self):
        suites = xml.etree.ElementTree.fromstring(self.text("r.xml"))
        suite = suites[0]
        self.assertEqual((suites.tag, suite.tag), ("testsuites", "testsuite"))
        self.assertRegex(suite.get("timestamp"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")
        cases = suite.findall("testcase")
        self.assertEqual([case.get("name") for case in cases], [r["id"] for r in self.json["rows"]])
        told = {"done": None, "failed": "failure", "invalid": "failure", "held": "error", "planned": "skipped"}
        for case, shown in zip(cases, self.json["rows"]):
            self.assertEqual((case.get("classname"), case.get("file"), case.get("line")),
                             (shown["kind"], shown["file"], str(shown["line"])))
            found = [e for e in case if e.tag != "system-out"]
            self.assertEqual([e.tag for e in found], [told[shown["state"]]] if told[shown["state"]] else [])
            if found:
                self.assertEqual(found[0].get("message"), f"{shown['state']}: {shown['reason']}")
            self.assertEqual(case.findtext("system-out"), shown["url"])
        for name, tag in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]:
            self.assertEqual(suite.get(name), str(len(suite.findall(f"testcase/{tag}"))))
            self.assertEqual(suites.get(name), suite.get(name))
        self.assertEqual(suite.get("tests"), "6")
        self.assertAlmostEqual(float(cases[0].get("time")), self.json["rows"][0]["seconds"], places=3)

    def test_metrics(self):
        values, typed = {}, set()
        for line in self.text("r.prom").splitlines():
            if line.startswith("# TYPE "):
                typed.add(line.split()[2])
            elif not line.startswith("#"):
                name, labels, value = re.fullmatch(r"(\w+)(\{\w+=\"(?:[^\"\\]|\\.)*\"\})? (\S+)", line).groups()
                self.assertIn(name, typed)
                self.assertNotIn((name, labels), values)
                values[name, labels] = float(value)
        for state in STATES:
            self.assertEqual(values["reelbatch_run_rows", f'{{state="{state}"}}'], self.json["counts"][state], state)
        self.assertEqual(values["reelbatch_run_submissions", None], 3)
        self.assertEqual(values["reelbatch_run_exit_code", None], 4)
        for name, value in self.json["credits"]["iacrea"].items():
            sample = values.get((f"reelbatch_credits_{name}", '{account="iacrea"}'))
            self.assertEqual(sample, value, name)  # what is unknown is left out
        self.assertNotIn("reelbatch_run_stopped", {name for name, _ in values})

    def test_page(self):
        text = self.text("r.html")
        page = Page(text)
        self.assertIn("default-src 'none'", text)
        for tag in ("script", "iframe", "img", "link", "object"):
            self.assertNotIn(tag, page.tags)
        self.assertFalse([name for name, _ in page.attributes if name.startswith("on")])
        states = [r["state"] for r in self.json["rows"]]
        self.assertEqual(sorted(page.rows), sorted(states))
        self.assertEqual(page.rows[-1], "done")  # what went wrong comes first
        self.assertEqual([value for name, value in page.attributes if name == "href"], [self.json["rows"][0]["url"]])
        for shown in self.json["rows"]:
            self.assertIn(shown["id"], page.text)
            if shown["state"] != "done":
                self.assertIn(shown["reason"], page.text)
        self.assertIn(f"agency: {NASTY}"[:60], page.text)

    def test_report_writes_the_same_again(self):
        before = {name: self.text(name) for name in ("r.html", "r.xml", "r.prom")}
        for name in before:
            (self.folder / name).unlink()
        self.assertEqual(self.run_it("report", *OUTPUTS).code, 0)
        self.assertEqual({name: self.text(name) for name in before}, before)


if __name__ == "__main__":
    unittest.main()
