"""The page in a real browser (Chromium, driven by browser/page.mjs): each of its checks is reported. SHOTS=FOLDER keeps screenshots."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

from daemon import SUIFENHE, event
from node import Node

BROWSER = pathlib.Path(__file__).resolve().parent / "browser"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def slow(id):
    return event(id, {"workflow": "suifenhe-2024", "fact": {"kind": "slow", "reporter": "sfh-syj", "fields": {
        "unit": "u-01", "subject": "浏览器检验", "degree": "推进缓慢"}}}, time="2024-10-19T08:00:00Z", source="bureau/test")


def annul(id, record):
    return event(id, {"workflow": "suifenhe-2024", "reason": "查明不实", "annul": {"reporter": "sfh-yhb", "record": {"source": "bureau/test", "id": record}}},
                 type="duban.v1.Annul", time="2024-10-19T09:00:00Z", source="bureau/test")


@unittest.skipUnless(any(map(shutil.which, CHROMIUM)), "no Chromium")
@unittest.skipUnless((BROWSER / "node_modules" / "playwright-core").is_dir(), "tests/browser: not installed (make browser)")
class Page(unittest.TestCase):
    def setUp(self):
        lines = (SUIFENHE / "example" / "2024.jsonl").read_text(encoding="utf-8").splitlines()
        year = [e for e in map(json.loads, lines) if e["time"] < "2024-10-19"]
        self.d = Node(workflows=[SUIFENHE], time="events").start()
        self.addCleanup(self.d.close)
        self.assertEqual(self.d.post_all(year).status, 202)
        self.assertEqual(self.d.outcome(year[-1]["source"], year[-1]["id"]).json["status"], "applied")

    def do(self, what):
        """What the script asks for. The address stays, so that the page can come back to it."""
        if what == "post":
            self.assertEqual(self.d.post(slow("browser-1")).status, 202)
        elif what == "annul":
            answer = self.d.post(annul("browser-2", "browser-1"))
            self.assertEqual(answer.status, 202, answer.text)
            self.assertEqual(self.d.outcome("bureau/test", "browser-2").json["status"], "applied")
        elif what == "stop":
            self.d.stop()
        elif what == "start":
            self.d.start()

    def test_page(self):
        command = ["node", "page.mjs", self.d.url + "/", *filter(None, [os.environ.get("SHOTS")])]
        with subprocess.Popen(command, cwd=BROWSER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8") as script:
            checks = 0
            for line in script.stdout:
                word, _, rest = line.rstrip("\n").partition(" ")
                if word == "ask":
                    self.do(rest)
                    script.stdin.write("done\n")
                    script.stdin.flush()
                    continue
                checks += 1
                with self.subTest(rest.removeprefix("- ").removeprefix("ok - ")):
                    self.assertEqual(word, "ok", line)
        self.assertEqual(script.returncode, 0)
        self.assertGreater(checks, 30)
        self.d.stop()


if __name__ == "__main__":
    unittest.main()
