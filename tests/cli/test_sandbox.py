"""What a newcomer tries first: the examples, against the sandbox that the run starts by itself."""

import unittest

from harness import CHECKOUT, Case

# Nothing of a real account may be needed, or used.
NO_KEYS = {"IACREA_API_KEY": None, "IACREA_BASE_URL": None}


class Sandbox(Case):
    def run_example(self, name):
        done = self.run_it("run", "--sandbox", CHECKOUT / "examples" / name, pace=False, env=NO_KEYS)
        self.assertEqual(done.code, 0, done)
        self.assert_posts(0)  # not one of them went to the address of a real account
        return done

    def test_a_manifest_of_several_kinds_and_services(self):
        done = self.run_example("mixed.yaml")
        self.assert_states(done, RH_4001="done", RH_4002="done", RH_4001_voice="done", RH_4002_voice="done")
        accounts = {r["id"]: r["account"] for r in done.rows}
        self.assertEqual(accounts["RH-4002"], "sandbox/iacrea")
        self.assertEqual(accounts["RH-4001-voice"], "sandbox/creatify")
        for row in done.rows:
            self.assertIn("/sandbox/videos/", row["url"])

    def test_what_is_there_is_not_paid_for_again(self):
        self.run_example("voices.csv")
        again = self.run_example("voices.csv")
        self.assertEqual({r["submissions"] for r in again.rows}, {"0"}, again)
        self.assertEqual({r["state"] for r in again.rows}, {"done"}, again)

    def test_every_example_is_valid(self):
        for path in sorted((CHECKOUT / "examples").iterdir()):
            if path.suffix in (".csv", ".yaml") and path.name != "reelbatch.yaml":
                done = self.run_it("check", path, env=NO_KEYS)
                self.assertEqual(done.code, 0, done)


if __name__ == "__main__":
    unittest.main()
