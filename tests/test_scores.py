"""Scores of a running daemon: each item with its entries and the records they came from, over HTTP and by dubanctl."""
import json
import os
import pathlib
import subprocess
import unittest

from daemon import Daemon, event, program

DEDUCTIONS = pathlib.Path(__file__).resolve().parent / "language" / "deductions"
SCORES = "/v1/workflows/deductions/scores"


def fact(id, kind, time="2024-03-20T01:00:00Z", **fields):
    data = {"workflow": "deductions", "fact": {"kind": kind, "reporter": "yhb", "fields": fields}}
    return event(id, data, source="office/yhb", time=time)


def deduction(id, unit, item, points, **more):
    return fact(id, "deduction", unit=unit, quarter="2024Q1", item=item, points=points, **more)


class Scores(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = cls.enterClassContext(Daemon(workflows=[DEDUCTIONS], time="events"))
        events = [deduction("d-1", "zb-1", "材料不全", "1.5", found="缺签字"),
                  deduction("d-2", "zb-1", "材料不全", "0.25"),
                  deduction("d-3", "zb-2", "迟报", "1/3"),
                  fact("f-1", "deductions-final", time="2024-04-05T01:00:00Z", quarter="2024Q1"),
                  fact("d-4", "deduction", time="2024-04-20T01:00:00Z", unit="zb-1", quarter="2024Q2", item="迟报", points="1")]
        assert cls.d.post_all(events).status == 202
        assert cls.d.outcome("office/yhb", "d-4").json["status"] == "applied"

    def scores(self, query=""):
        answer = self.d.get(SCORES + query)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.rows

    def ctl(self, *arguments):
        done = subprocess.run([program("dubanctl"), "scores", "--workflow", "deductions", *arguments], capture_output=True, text=True,
                              timeout=60, env={**os.environ, "DUBAN_URL": self.d.url})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_closed_with_every_entry_explained(self):
        first, second, third = self.scores("?period=2024Q1&tally=deductions")
        self.assertEqual((first["unit"], first["unit_title"], first["closed"], first["total"]), ("zb-1", "专班一", True, "1.75"))
        self.assertEqual(first["closed_at"], "2024-04-05T01:00:00Z")
        (item,) = first["items"]
        self.assertEqual((item["item"], item["points"], item["self"]), ("材料不全", "1.75", None))
        self.assertEqual([(e["points"], e["reason"], e["source"], e["id"], e["at"]) for e in item["entries"]],
                         [("1.5", "缺签字", "office/yhb", "d-1", "2024-03-20T01:00:00Z"),
                          ("0.25", "", "office/yhb", "d-2", "2024-03-20T01:00:00Z")])
        self.assertEqual(second["total"], "1/3")  # exact: nothing rounds it
        self.assertEqual((third["unit"], third["total"], third["items"]), ("zb-3", "0", []))

    def test_open_as_it_would_close_now(self):
        (open_,) = self.scores("?period=2024Q2&unit=zb-1")
        self.assertEqual((open_["closed"], open_["closed_at"], open_["total"]), (False, None, "1"))
        self.assertEqual(len(self.scores("?period=2024Q2")), 3)  # whoever is scored, credited anything or not

    def test_without_a_period_what_is_on_record(self):
        self.assertEqual([(s["unit"], s["period"]) for s in self.scores()],
                         [("zb-1", "2024Q1"), ("zb-1", "2024Q2"), ("zb-2", "2024Q1"), ("zb-3", "2024Q1")])

    def test_pages(self):
        seen, after = [], ""
        while after is not None:
            answer = self.d.get(f"{SCORES}?limit=1" + (f"&after={after}" if after else ""))
            self.assertLessEqual(len(answer.rows), 1)
            seen += [(s["unit"], s["period"]) for s in answer.rows]
            after = answer.headers.get("X-Next")
        self.assertEqual(seen, [(s["unit"], s["period"]) for s in self.scores()])

    def test_what_is_not_there(self):
        self.assertEqual(self.d.get("/v1/workflows/other/scores").rows, [])
        self.assertEqual(self.scores("?tally=other"), [])
        self.assertEqual(self.scores("?period=2024-01"), [])  # a month is no quarter
        self.assertEqual(self.d.get(SCORES + "?period=soon").status, 400)
        self.assertEqual(self.d.get(SCORES + "?colour=red").status, 400)
        self.assertEqual(self.d.get(SCORES + "?after=0-x").status, 400)

    def test_dubanctl(self):
        rows = [json.loads(line) for line in self.ctl("--json").splitlines()]
        self.assertEqual(rows, self.scores())
        shown = self.ctl("--period", "2024Q1", "--unit", "zb-1")
        self.assertRegex(shown, r"2024Q1 +专班一 +核验扣分 +1\.75 +published")
        self.assertRegex(shown, r"\+1\.5 +缺签字: d-1 from office/yhb")
        self.assertIn("provisional", self.ctl("--period", "2024Q2", "--unit", "zb-1"))

    def test_they_are_no_cases(self):
        self.assertNotIn("deductions", {row["machine"] for row in self.d.get("/v1/cases").rows})


if __name__ == "__main__":
    unittest.main()
