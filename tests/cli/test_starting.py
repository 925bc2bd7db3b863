#!/usr/bin/env python3
"""The first minutes: files to start from, and a shell that knows the commands."""

import re
import subprocess
import unittest

from harness import BINARY, Case

COMMANDS = ["check", "plan", "run", "resume", "status", "report", "credits", "resolve", "ledger verify", "ledger backup",
            "sandbox", "init", "completion"]


class Init(Case):
    def text(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def test_what_it_writes_works_as_it_is(self):
        done = self.run_it("init")
        self.assertEqual(done.code, 0, done)
        self.assertIn("wrote reelbatch.yaml and listings.csv", done.out)
        self.assertIn("2 rows: 2 valid, 0 invalid", self.run_it("check", "listings.csv").out)
        self.assertEqual(self.run_it("plan", "listings.csv").code, 0)
        done = self.run_it("run", "--sandbox", "listings.csv")
        self.assertEqual(done.code, 0, done)
        self.assertEqual([r["state"] for r in done.rows], ["done", "done"])

    def test_every_setting_that_is_commented_out_is_one(self):
        self.run_it("init")
        config = self.text("reelbatch.yaml")
        used, count = re.subn(r"(?m)^#(?!#)", "", config)
        self.assertGreater(count, 15)
        self.write("reelbatch.yaml", used.replace("min_rows: 100", "min_rows: 1").replace("preset: auto", "preset: none")
                   .replace("  map: ", "  #"))
        done = self.run_it("check", "listings.csv")
        self.assertEqual((done.code, done.err), (0, ""), done)
        self.write("reelbatch.yaml", used.replace("outage_timeout", "outage_timeuot"))
        self.assertIn("outage_timeuot", self.run_it("check", "listings.csv").err)

    def test_nothing_is_overwritten(self):
        self.write("listings.csv", "mine")
        done = self.run_it("init")
        self.assertEqual(done.code, 2, done)
        self.assertIn("listings.csv is there already; nothing was written", done.err)
        self.assertEqual(self.text("listings.csv"), "mine")
        self.assertFalse((self.folder / "reelbatch.yaml").exists())

    def test_another_folder(self):
        (self.folder / "there").mkdir()
        self.assertEqual(self.run_it("init", "there").code, 0)
        self.assertTrue((self.folder / "there" / "reelbatch.yaml").is_file())
        self.assertEqual(self.run_it("init", "nowhere").code, 7)
        self.assertEqual(self.run_it("init", "a", "b").code, 2)


class Completion(Case):
    def script(self, shell):
        done = self.run_it("completion", shell)
        self.assertEqual((done.code, done.err), (0, ""), done)
        return done.out

    def bash(self, *words):
        """What bash offers for the last of `words`."""
        line = " ".join(f"'{word}'" for word in words)
        ask = f'COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _reelbatch; printf "%s\\n" "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", self.script("bash") + ask], capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completes_commands_options_and_words(self):
        for words, offered in [
            (["reelbatch", "re"], ["resume", "report", "resolve"]),
            (["reelbatch", "--v"], ["--version"]),
            (["reelbatch", "run", "--allow"], ["--allow-invalid-start", "--allow-mass-change", "--allow-shrink",
                                               "--allow-lost-journal"]),
            (["reelbatch", "run", "feed"], []),  # left to the names of files
            (["reelbatch", "ledger", ""], ["verify", "backup", "--help"]),
            (["reelbatch", "ledger", "v"], ["verify"]),
            (["reelbatch", "ledger", "verify", "--led"], ["--ledger"]),
            (["reelbatch", "resolve", "A-1", "a"], ["adopt"]),
            (["reelbatch", "completion", "z"], ["zsh"]),
            (["reelbatch", "check", "--max-cr"], []),
        ]:
            with self.subTest(words=words):
                self.assertEqual(self.bash(*words), offered)

    def test_every_shell_is_told_of_every_command_and_option(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.script(shell)
            for command in COMMANDS:
                for word in command.split():
                    self.assertRegex(script, rf"\b{word}\b", shell)
                shown = subprocess.run([str(BINARY), *command.split(), "--help"], capture_output=True, text=True).stdout
                for option in re.findall(r"(?m)^ +(?:-\w, )?--([a-z-]+)", shown):
                    known = rf"-l {option}\b" if shell == "fish" else rf"--{option}\b"
                    self.assertRegex(script, known, f"{shell}: {command}")

    def test_an_unknown_shell_is_refused(self):
        done = self.run_it("completion", "fishh")
        self.assertEqual(done.code, 2)
        self.assertIn("'fishh' is not one of bash, zsh, fish (did you mean 'fish'?)", done.err)


if __name__ == "__main__":
    unittest.main()
