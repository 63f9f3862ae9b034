"""Dead letters: what was refused is listed and shown on either bus, and redriven as it was or repaired, with its effect once."""
import base64
import json
import os
import shutil
import subprocess
import sys
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "kafka"))
import oracle  # noqa: E402
import test_kafka  # noqa: E402
from node import Node  # noqa: E402

PATIENCE_S = 60


class Letters:
    """What both buses have in common. self.d: the daemon."""

    def ctl(self, *arguments):
        done = subprocess.run([str(oracle.DUBANCTL), "rejected", *arguments, "--url", self.d.url], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def listed(self, **filters):
        query = "&".join(f"{k}={v}" for k, v in filters.items())
        answer = self.d.get(f"/v1/rejected?{query}")
        self.assertEqual(answer.status, 200, answer.text)
        return answer.rows

    def letter(self, ident):
        """Of the refused record of this id; as soon as it is there."""
        end = time.monotonic() + PATIENCE_S
        while not (found := [r for r in self.listed(limit=1000) if r["input_id"] == ident]):
            self.assertLess(time.monotonic(), end, f"no dead letter of {ident}")
        return found[0]

    def redrive(self, *arguments):
        status, out, err = self.ctl("redrive", *arguments, "--json")
        return status, json.loads(out) if out else None, err

    def history_of(self, told):
        record = self.d.applied("duban/redrive", f"{told['place']}#{told['redrive']}")["history"]
        self.assertEqual(record["sequence"], told["history"])
        return record


def submission(ident, period, at):
    return {"specversion": "1.0", "id": ident, "source": "portal/a", "type": "duban.v1.Submission", "time": at, "data": {
        "workflow": "suifenhe-2024", "submission": {"obligation": "joint-list", "unit": "sfh-dc", "period": period, "fields": {"list": "x.xlsx"}}}}


class Embedded(Letters, unittest.TestCase):
    def setUp(self):
        self.d = Node([oracle.SUIFENHE], time="events").start()
        self.addCleanup(self.d.close)

    def test_as_it_was_when_its_time_has_come(self):
        early = submission("early", "2024Q3", "2024-01-10T08:30:00Z")
        self.d.accept([early])
        row = self.letter("early")
        self.assertEqual((row["place"], row["state"], row["workflow"]), ("duban.submissions/0/0", "refused", "suifenhe-2024"))
        whole = self.d.get(f"/v1/rejected/{row['id']}").json
        self.assertEqual(json.loads(base64.b64decode(whole["data_base64"])), early["data"])
        self.assertEqual(whole, self.d.get("/v1/rejected/submissions/0/0").json)
        self.assertEqual(whole, self.d.get("/v1/rejected/rejected/0/0").json)
        self.assertIn({"name": "duban_offset", "value": "0"}, whole["headers"])
        self.assertEqual(whole["event"]["submission"]["period"], "2024Q3")

        status, told, err = self.redrive(row["id"], "--reason", "试一次", "--actor", "督查室 王")
        self.assertEqual((status, told["status"]), (1, "rejected"), err)
        self.assertIn("opens at 2024-07-01", err)
        self.d.accept([oracle.clock_record("suifenhe-2024", "2024-07-02T00:00:00Z")])
        status, told, err = self.redrive(row["place"], "--reason", "三季度已开始", "--actor", "督查室 王")
        self.assertEqual((status, told["redrive"], told["status"]), (0, 2, "applied"), err)
        record = self.history_of(told)
        self.assertEqual(record["cause"], {"source": "portal/a", "id": "early"})
        self.assertEqual((record["input"]["type"], record["input"]["id"]), ("duban.v1.Redrive", "duban.submissions/0/0#2"))
        event = record["input"]["event"]
        self.assertEqual((event["actor"], event["reason"]), ("督查室 王", "三季度已开始"))
        self.assertEqual(json.loads(base64.b64decode(event["redrive"]["data"])), early["data"])
        self.assertEqual(self.d.applied("portal/a", "early")["history"]["sequence"], told["history"])

        # Once is enough: by another redrive, or from the portal that tries again.
        status, _, err = self.redrive(row["id"], "--reason", "又一次")
        self.assertEqual(status, 1)
        self.assertIn(f"applied already, see record {told['history']} of the history", err)
        self.d.accept([early])
        self.d.accept([submission("later", "2010Q1", "2024-07-03T00:00:00Z")])
        self.letter("later")
        self.assertEqual(self.d.applied("portal/a", "early")["history"]["sequence"], told["history"])
        self.assertEqual([r["input_id"] for r in self.listed(open="yes")], ["later"], "what was applied since is no work")
        self.assertEqual(self.d.get("/v1/rejected/submissions/0/0").json["state"], "applied")
        self.annulled("portal/a", "early")
        _, out, _ = self.ctl("show", "submissions/0/0")
        self.assertIn("redrive 2  applied", out)
        self.assertIn("督查室 王: 三季度已开始", out)
        self.d.stop()

    def annulled(self, source, ident):
        """History is run again with what the redrive holds, and without."""
        def state():
            rows = self.d.get("/v1/tasks?obligation=joint-list&limit=1000").rows
            return next(r["state"] for r in rows if (r["unit"], r["period"]) == ("sfh-dc", "2024Q3"))

        given = state()
        self.d.accept([{"specversion": "1.0", "id": "annul", "source": "office", "type": "duban.v1.Annul", "time": "2024-07-04T00:00:00Z", "data": {
            "workflow": "suifenhe-2024", "actor": "督查室", "reason": "误报", "annul": {"record": {"source": source, "id": ident}, "reporter": "sfh-yhb"}}}])
        self.d.applied("office", "annul")
        self.assertEqual((given, state()), ("filed", "open"), "and none of its other redrives comes in its place")

    def test_another_event_under_a_known_id_needs_one_of_its_own(self):
        first = oracle.year_events()[0]
        other = json.loads(json.dumps(first))
        other["data"]["fact"]["fields"]["result"] = "另一件事"
        self.d.accept([first])
        self.d.applied(first["source"], first["id"])
        self.d.accept([other])
        row = self.letter(first["id"])
        self.assertEqual(row["state"], "refused", "what was applied under the id is another event")
        for more in [], ["--set", "fact.fields.result=第三件"]:
            status, _, err = self.redrive(row["id"], "--reason", "再", *more)
            self.assertEqual(status, 1)
            self.assertIn("another event under the id", err)
        status, told, err = self.redrive(row["id"], "--reason", "是另一件事", "--id", "own-id", "--set", "fact.fields.result=另一件事")
        self.assertEqual(status, 0, err)
        record = self.history_of(told)
        self.assertEqual(record["cause"], {"source": first["source"], "id": "own-id"})
        self.assertTrue(record["input"]["event"]["redrive"]["repaired"])
        self.d.stop()

    def test_filters_pages_and_bad_questions(self):
        bad = [submission(f"n{i}", f"20{10 + i}Q1", "2024-01-10T08:30:00Z") for i in range(7)]
        self.d.accept(bad)
        self.letter("n6")
        self.assertEqual([r["input_id"] for r in self.listed()], [f"n{i}" for i in reversed(range(7))], "newest first")
        seen, after = [], ""
        while True:
            answer = self.d.get(f"/v1/rejected?limit=3{after}")
            seen += [r["input_id"] for r in answer.rows]
            if "X-Next" not in answer.headers:
                break
            after = f"&after={answer.headers['X-Next']}"
        self.assertEqual(seen, [f"n{i}" for i in reversed(range(7))])
        self.assertEqual([r["input_id"] for r in self.listed(reason="2013Q1")], ["n3"])
        self.assertEqual(len(self.listed(workflow="suifenhe-2024", source="portal%2Fa", since="2024-01-01T00:00:00Z")), 7)
        for none in {"workflow": "other"}, {"source": "b"}, {"since": "2099-01-01T00:00:00Z"}:
            self.assertEqual(self.listed(**none), [])
        for path, status in (("?since=tuesday", 400), ("?after=x", 400), ("?colour=red", 400), ("/a/b/c", 400), ("/nothing", 404), ("/submissions/0/99", 404),
                             ("/submissions/7/0", 404)):
            answer = self.d.get(f"/v1/rejected{path}")
            self.assertEqual(answer.status, status, f"{path}: {answer.text}")
            self.assertTrue(answer.errors)
        for arguments, status, word in ((["redrive", "submissions/0/0"], 2, "--reason"), (["show"], 2, "id"), (["burn"], 2, "redrive"),
                                        (["redrive", "submissions/0/0", "--reason", "x", "--set", "nothing"], 2, "FIELD=VALUE"),
                                        (["redrive", "submissions/0/0", "--reason", "x", "--set", "submission.colour=red"], 1, "colour"),
                                        (["redrive", "submissions/0/0", "--reason", "x", "--topic", "warnings"], 2, "deadlines")):
            got, _, err = self.ctl(*arguments)
            self.assertEqual(got, status, err)
            self.assertIn(word, err)
        self.assertEqual([r["input_type"] for r in self.listed()], ["duban.v1.Submission"] * 7, "nothing was sent")
        self.d.stop()

    def test_what_is_not_redriven(self):
        for body, more, word in (("annul", {"measure_id": "x", "reporter": "sfh-yhb"}, "Annul is not redriven"),
                                 ("deadline_reached", {}, "DeadlineReached is not")):
            inner = base64.b64encode(json.dumps({"workflow": "suifenhe-2024", body: more}).encode()).decode()
            kind = "".join(part.title() for part in body.split("_"))
            data = {"workflow": "suifenhe-2024", "actor": "a", "reason": "r", "redrive": {
                "topic": "duban.deadlines", "source": "s", "id": "i", "type": f"duban.v1.{kind}", "content_type": "application/json", "data": inner}}
            answer = self.d.post({"specversion": "1.0", "id": "x", "source": "duban/redrive", "type": "duban.v1.Redrive", "data": data})
            self.assertEqual(answer.status, 400, answer.text)
            self.assertIn(word, answer.text)
            for lacking in "actor", "reason":
                answer = self.d.post({"specversion": "1.0", "id": "x", "source": "duban/redrive", "type": "duban.v1.Redrive", "data": {**data, lacking: ""}})
                self.assertIn(f"{lacking}: missing", answer.text)
        self.d.stop()


class Kafka(Letters, test_kafka.OnBroker):
    """Records that no HTTP call would have taken."""

    def test_repaired_whatever_was_wrong(self):
        cluster = self.cluster(partitions=2)
        self.d = self.node(cluster, oracle.ALARM).start()
        right = oracle.answered("portal", 1, "o-1", "tax")
        self.d.accept([oracle.asked("office", 1, "o-1", "tax", time.time() + 3600)])
        self.d.applied("office", "asked-1")

        def produce(ident, change, key="alarm", **headers):
            data = json.loads(json.dumps(right["data"]))
            change(data)
            cluster.produce("duban.submissions", key, json.dumps(data).encode(), {**oracle.headers_of({**right, "id": ident}), **headers})

        produce("unit", lambda d: d["fact"].update(reporter="o-9"))
        produce("where", lambda d: d.update(workflow="alarn"), key="alarn")
        cluster.produce("duban.submissions", "alarm", b"\xff\x00{", {"ce_source": "portal"})

        # One field mended.
        row = self.letter("unit")
        self.assertIn("o-9", row["reasons"][0])
        self.assertEqual((row["input_topic"], row["place"].split("/")[0]), ("duban.submissions",) * 2, "the topic's role, whatever kafka.prefix is")
        status, _, err = self.redrive(row["id"], "--reason", "原样")
        self.assertEqual(status, 1)
        self.assertIn("nothing was sent", err)
        status, told, err = self.redrive(row["id"], "--reason", "单位写错", "--set", "fact.reporter=o-1", "--set", "fact.fields.n=7")
        self.assertEqual(status, 0, err)
        self.assertEqual([c["state"] for c in self.d.get("/v1/cases").rows], ["answered"])
        measure = self.d.get("/v1/measures").rows[0]
        self.assertEqual(measure["caused_by"]["id"], "unit", "the effect is the sender's event's")
        self.assertEqual(self.history_of(told)["input"]["event"]["redrive"]["topic"], "duban.submissions")

        # Another workflow: it is found by what it was meant for.
        row = self.letter("where")
        self.assertIn("no workflow alarn", row["reasons"][0])
        self.assertEqual((row["state"], row["workflow"]), ("refused", "alarn"))
        status, _, err = self.redrive(row["id"], "--reason", "名称写错", "--set", "workflow=alarm")
        self.assertEqual(status, 0, err)

        # No envelope, and no event in it either.
        row = self.letter("")
        self.assertEqual(self.redrive(row["id"], "--reason", "原样")[0], 1)
        status, _, err = self.redrive(row["id"], "--reason", "x", "--set", "workflow=alarm")
        self.assertEqual(status, 1)
        self.assertIn("--data FILE", err)
        file = self.folder / "mended.json"
        file.write_text(json.dumps(oracle.answered("portal", 2, "o-2", "water")["data"]))
        status, told, err = self.redrive(row["place"], "--reason", "按来函补录", "--data", str(file))
        self.assertEqual(status, 0, err)
        self.assertEqual(self.history_of(told)["cause"], {"source": "duban/rejected", "id": row["place"]})
        self.assertIn("applied already", self.redrive(row["place"], "--reason", "再补录", "--data", str(file))[2])

        self.assertEqual(self.listed(open="yes"), [])
        self.d.stop()
        shutil.rmtree(self.d.data)  # the letters are on Kafka, what became of them in the state
        self.d.start()
        self.assertEqual(self.listed(open="yes"), [])
        self.assertEqual(len(self.listed()), 4)
        self.d.stop()


if __name__ == "__main__":
    unittest.main()
