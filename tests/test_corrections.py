"""Corrections in a running daemon: what is proposed is listed and decided, what is withdrawn is told, and a kill changes none of it."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from daemon import Daemon, ROOT, event, program


def slow(id, unit, time):
    return event(id, {"workflow": "reruns", "fact": {"kind": "complaint", "reporter": "hall", "fields": {"unit": unit}}}, time=time)


def correction(id, type, body, time):
    return event(id, {"workflow": "reruns", "reason": "查明不实", type.lower(): {"reporter": "hall", **body}}, type=f"duban.v1.{type}", time=time)


class Corrections(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="duband-corrections-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        for shared in ("common", "calendar"):
            shutil.copytree(ROOT / "workflows" / shared, cls.folder / shared)
        shutil.copytree(ROOT / "tests" / "language" / "reruns", cls.folder / "reruns")

    def ctl(self, daemon, *arguments):
        done = subprocess.run([program("dubanctl"), *arguments, "--url", daemon.url], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def send(self, daemon, e):
        self.assertEqual(daemon.post(e).status, 202)
        return daemon.outcome(e["source"], e["id"]).json

    def test_from_annulment_to_decision(self):
        with Daemon(workflows=[self.folder / "reruns"], time="events") as d:
            self.send(d, slow("c1", "w-02", "2024-03-04T01:00:00Z"))
            self.send(d, slow("c2", "w-01", "2024-03-05T01:00:00Z"))
            self.send(d, slow("c3", "w-01", "2024-03-06T01:00:00Z"))
            card = d.get("/v1/measures?workflow=reruns&measure=yellow-card").rows[0]
            with_ = {"fact": {"kind": "complaint", "reporter": "hall", "fields": {"unit": "w-02"}}}
            body = {"record": {"source": "office/test", "id": "c3"}, "replacement": with_}
            what = self.send(d, correction("k1", "Supersede", body, "2024-03-11T01:00:00Z"))
            self.assertEqual(what["status"], "applied", what)

            withdrawn = d.get("/v1/measures?workflow=reruns&measure=withdrawal").rows
            self.assertEqual([w["withdraws"] for w in withdrawn], [card["id"]])
            self.assertEqual(withdrawn[0]["level"], "WITHDRAWAL")
            self.assertIn("查明不实", withdrawn[0]["body"])
            told = [r for r in d.get("/v1/topics/notifications?from=0&limit=1000").rows if r["withdraws"]]
            self.assertEqual([(t["recipient"], t["measure_id"]) for t in told], [("w-01", withdrawn[0]["id"])])
            self.assertTrue(told[0]["cancels"])

            proposed = d.get("/v1/workflows/reruns/proposals").rows
            self.assertEqual([(p["measure"], p["unit"], p["number"]) for p in proposed], [("yellow-card", "w-02", "")])
            status, said = self.ctl(d, "proposals", "reruns")
            self.assertEqual((status, "黄牌" in said), (0, True), said)

            d.kill()
            d.start()
            self.assertEqual(d.get("/v1/workflows/reruns/proposals").rows, proposed)
            status, said = self.ctl(d, "decide", "reruns", proposed[0]["id"], "issue", "--by", "w-01")
            self.assertEqual(status, 1, said)
            self.assertIn("only office", said)
            status, said = self.ctl(d, "decide", "reruns", proposed[0]["id"], "issue", "--by", "hall", "--reason", "属实")
            self.assertEqual(status, 0, said)
            self.assertEqual(d.get("/v1/workflows/reruns/proposals").rows, [])
            card = d.get("/v1/measures?workflow=reruns&measure=yellow-card").rows[0]
            self.assertEqual((card["id"], card["unit"]), (proposed[0]["id"], "w-02"))
            self.assertRegex(card["number"], "^大厅督〔[0-9]+〕[0-9]+号$")
            status, said = self.ctl(d, "decide", "reruns", proposed[0]["id"], "decline", "--by", "hall")
            self.assertEqual(status, 1, said)
            self.assertIn("waits for a decision", said)
            history = d.get("/v1/history?workflow=reruns&limit=1000").rows
            self.assertEqual([p["measure"]["unit"] for h in history for p in h.get("proposed", [])], ["w-02"])


if __name__ == "__main__":
    unittest.main()
