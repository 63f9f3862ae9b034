"""dubanctl migrate-bus: half a year on the embedded log, the other half on Kafka, and nobody can tell where the seam is."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "kafka"))
import oracle  # noqa: E402
import test_kafka  # noqa: E402
from node import Node, preloaded  # noqa: E402

PARTITIONS = 3
# Where it dies: the function, its call, and whether that was done; and what the topics hold then: all or nothing.
DEATHS = [("rd_kafka_produceva", 1, False, False), ("rd_kafka_produceva", 700, True, False), ("rd_kafka_flush", 1, True, False),
          ("rd_kafka_flush", 4, True, False), ("rd_kafka_send_offsets_to_transaction", 1, True, False), ("rd_kafka_commit_transaction", 1, False, False),
          ("rd_kafka_commit_transaction", 1, True, True), ("mdb_txn_commit", 3, False, True)]
LIMIT_S = 120


def migrate(data, cluster, *more, env=None):
    command = [str(oracle.DUBANCTL), "migrate-bus", "--data", str(data), "--bootstrap", cluster.bootstrap, "--prefix", cluster.prefix,
               "--group", f"g-{cluster.prefix[:-1]}", "--json", *more]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=False, env={**os.environ, **(env or {})})
    return done.returncode, [json.loads(line) for line in done.stdout.decode().splitlines()], done.stderr.decode()


def seen(d):
    """What a node tells of its state, once its history is there."""
    d.await_history()
    rows = {}
    for what in "tasks", "cases", "measures", "history", "units":
        rows[what], after = [], ""
        while True:
            answer = d.get(f"/v1/{what}?limit=1000{after}" if what != "units" else "/v1/units")
            assert answer.status == 200, answer.text
            rows[what] += sorted(answer.rows, key=json.dumps) if what == "units" else answer.rows
            if "X-Next" not in answer.headers:
                break
            after = f"&after={answer.headers['X-Next']}"
        rows[what].sort(key=lambda r: (r.get("workflow", ""), json.dumps(r, sort_keys=True)))
    return rows


def half_a_year(d, events, due, n=6):
    """It starts and takes half of the events; of the other regime n answers are asked for, the i-th by due(i). Returns how many events that is."""
    d.start()
    d.accept([{**oracle.asked("office", i, f"o-{i % 3 + 1}", f"s{i}", due(i)), "time": "2024-03-01T00:00:00Z"} for i in range(n)])
    half = len(events) // 2
    for at in range(0, half, 50):
        d.accept(events[at:min(at + 50, half)])
    d.applied(events[half - 1]["source"], events[half - 1]["id"])
    d.applied("office", f"asked-{n - 1}")
    return half


def whole(rows):
    return {what: [json.dumps(r, sort_keys=True, ensure_ascii=False) for r in rows[what]] for what in rows}


class Migration(test_kafka.OnBroker):
    def embedded(self):
        d = Node([oracle.SUIFENHE, oracle.ALARM], time="events")
        self.addCleanup(d.close)
        return d

    def leave_pending(self, d, cluster, events, at):
        """Ends with events that are on the log, and that no turn has taken. Returns how many were taken in, and how many of these are left."""
        for _ in range(10):
            d.accept(events[at:at + 40])
            at += 40
            d.kill()
            status, plan, err = migrate(d.data, cluster, "--dry-run")
            self.assertEqual(status, 0, err)
            if (pending := sum(p["pending"] for p in plan)) > 0:
                return at, pending
            d.start()
        self.fail("whatever was accepted had been taken before the kill")

    def outputs_of(self, data):
        """The embedded log's, as a consumer has read them to the end; from a copy, since a start would take what is pending."""
        d = Node(data=data, time="events").start()
        try:
            return oracle.http_outputs(d)
        finally:
            d.close()

    def killed_and_run_again(self, d, cluster):
        library = preloaded("die", self.folder)
        for where, call, done, moved in DEATHS:
            with self.subTest(where=where, call=call, done=done):
                env = {"LD_PRELOAD": library, "ASAN_OPTIONS": "verify_asan_link_order=0", "DIE_IN": where, "DIE_CALL": str(call)}
                if done:
                    env["DIE_DONE"] = "1"
                self.assertEqual(migrate(d.data, cluster, "--take-pending", env=env)[0], -signal.SIGKILL)
                status, plan, err = migrate(d.data, cluster, "--dry-run")
                self.assertEqual((status, [p["before"] for p in plan]), (0, [moved] * PARTITIONS), err)
        status, parts, err = migrate(d.data, cluster)
        self.assertEqual(status, 0, err)
        again = migrate(d.data, cluster)
        self.assertEqual((again[0], [p["before"] for p in again[1]]), (0, [True] * PARTITIONS), again[2])
        self.assertEqual([{**p, "before": True} for p in parts], again[1])
        return parts

    def chains(self, cluster):
        history = cluster.history()
        self.assertEqual(oracle.unlinked(history)[:3], [])
        self.assertEqual({r.key for r in history}, {b"suifenhe-2024", b"alarm"})

    def test_half_a_year_here_and_half_there(self):
        events, want = oracle.year_with_sentinel()
        cluster = self.cluster(PARTITIONS)
        d = self.embedded()
        at = half_a_year(d, events, lambda _: time.time() + 3600)
        d.stop()
        settled = self.outputs_of(d.data)
        d.start()
        before = seen(d)
        at, pending = self.leave_pending(d, cluster, events, at)
        taken = at - pending
        status, _, err = migrate(d.data, cluster)
        self.assertEqual(status, 3)
        self.assertIn(f"{pending} accepted events were not taken", err)
        copy = pathlib.Path(tempfile.mkdtemp(prefix="duban-copy-")) / "data"
        self.addCleanup(shutil.rmtree, copy.parent, ignore_errors=True)
        shutil.copytree(d.data, copy)

        parts = self.killed_and_run_again(d, cluster)
        self.assertEqual(sum(p["pending"] for p in parts), pending)
        self.assertEqual(sum(p["workflows"] for p in parts), 2)
        self.assertGreater(len([p for p in parts if p["state"] > 0]), 0)
        here = self.said_until(copy, cluster, settled)

        k = self.node(cluster, time="events")
        k.settings["workflows"] = f"{oracle.SUIFENHE},{oracle.ALARM}"
        k.start()
        k.applied(events[at - 1]["source"], events[at - 1]["id"])
        old = whole(before)
        self.history_is_back(k, old)
        first = events[len(events) // 2 - 1]  # taken before the move; ids of the first month are forgotten when the year ends
        sequence = k.applied(first["source"], first["id"])["history"]["sequence"]
        k.accept([first])  # a portal that tries again
        after = whole(seen(k))
        self.assertEqual([r for r in old["cases"] if '"alarm"' in r], [r for r in after["cases"] if '"alarm"' in r])
        self.assertEqual(old["units"], after["units"])
        for i in range(at, len(events), 50):
            k.accept(events[i:i + 50])
        k.applied("test", "sentinel")
        self.assertEqual(k.applied(first["source"], first["id"])["history"]["sequence"], sequence)
        end = time.monotonic() + 10
        while oracle.difference(have := self.both(here, cluster), want) and time.monotonic() < end:
            pass
        oracle.check(self, have, want, 500)
        self.chains(cluster)
        self.assertEqual(len(set(r["id"] for t in oracle.OUTPUTS for r in have[t])), sum(len(have[t]) for t in oracle.OUTPUTS))
        print(f"        {taken} events here, {pending} pending, {len(events) - at} there; {[len(here[t]) for t in oracle.OUTPUTS]} outputs here", flush=True)
        k.stop()
        self.starts_no_more(d, cluster)
        status, _, err = migrate(copy, cluster)
        self.assertEqual(status, 3)
        self.assertIn("not empty", err)

    def history_is_back(self, k, old):
        """It comes behind serving. What was there goes on."""
        end = time.monotonic() + 30
        while not set(old["history"]) <= set(whole(seen(k))["history"]):
            self.assertLess(time.monotonic(), end, "the history does not come back")

    def said_until(self, copy, cluster, settled):
        """What the embedded log holds of outputs: of what was taken there, and no more."""
        _, plan, _ = migrate(copy, cluster, "--dry-run")
        self.assertTrue(all(p["before"] for p in plan))
        text = subprocess.run([str(oracle.DUBANCTL), "migrate-bus", "--data", str(copy), "--bootstrap", cluster.bootstrap, "--prefix", cluster.prefix,
                               "--group", f"g-{cluster.prefix[:-1]}", "--dry-run"], capture_output=True, text=True, timeout=LIMIT_S, check=True).stdout
        words = text[text.index("what was said: "):].split()
        counts = dict(zip(oracle.OUTPUTS, (int(words[i]) for i in (3, 5, 7))))
        said = self.outputs_of(copy)  # with what it still takes
        here = {t: said[t][:counts[t]] for t in oracle.OUTPUTS}
        for t in oracle.OUTPUTS:
            self.assertEqual(settled[t], here[t][:len(settled[t])])
        return here

    @staticmethod
    def both(here, cluster):
        """Of the regime whose year it is."""
        there = cluster.outputs()
        return {t: [r for r in here[t] + there[t] if r["workflow"] == "suifenhe-2024"] for t in oracle.OUTPUTS}

    def starts_no_more(self, d, cluster):
        d.launch()
        d.serves()
        d.await_unready("was moved to Kafka")
        d.kill()
        wrong = self.node(cluster, oracle.SUIFENHE, time="events")
        shutil.rmtree(wrong.data)
        shutil.copytree(d.data, wrong.data)
        wrong.launch()
        wrong.serves()
        wrong.await_log("its folder holds an embedded log")
        wrong.kill()

    def test_refused_with_the_cure(self):
        cluster = self.cluster(1)
        d = Node([oracle.ALARM]).start()
        self.addCleanup(d.close)
        d.accept([oracle.asked("office", 1, "o-1", "x", time.time() + 3600)])
        d.applied("office", "asked-1")
        self.refused(d.data, cluster, "in use")
        d.stop()
        with tempfile.TemporaryDirectory() as empty:
            self.refused(empty, cluster, "no such folder")
        missing = oracle.Cluster(self.broker.bootstrap, "nowhere.")
        self.refused(d.data, missing, "kafka-topics.sh")
        self.refused(d.data, oracle.Cluster("127.0.0.1:1", "x."), "127.0.0.1:1")
        cluster.produce("duban.submissions", "alarm", b"{}", {"ce_id": "x"})
        self.refused(d.data, cluster, "not empty")
        d.start()
        self.assertEqual([c["subject"] for c in d.get("/v1/cases").rows], ["x"], "nothing has happened to it")
        d.stop()

    def refused(self, data, cluster, word):
        status, out, err = migrate(data, cluster)
        self.assertEqual((status, out), (3, []))
        self.assertIn(word, err)


if __name__ == "__main__":
    unittest.main()
