"""What befalls one partition of a node on a real broker: its store fails, the disk fills up behind a commit, its history is cut; a follower
that has nothing to do; the largest record."""
import os
import pathlib
import shutil
import subprocess
import time
import unittest

import oracle
from portal import Portal
from test_nodes import OnNodes, partition_of
from test_restore import State

SOON = 3600


class Store(OnNodes):
    """Writes to one partition's store fail while a file says so."""

    def setUp(self):
        super().setUp()
        source, library = pathlib.Path(__file__).parent / "kafka" / "failing.c", self.folder / "failing.so"
        subprocess.run([os.environ.get("CC", "gcc"), "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self.when = self.folder / "when"
        self.d = self.one("a", workflows=True, workers=1)
        self.d.environment = {"LD_PRELOAD": str(library), "FAILING_WHEN": str(self.when)}
        self.d.start()

    def fails(self, number, words):
        bad, good = self.workflows[0], next(w for w in self.workflows if partition_of(w) != partition_of(self.workflows[0]))
        self.when.write_text(f"{number} partition-{partition_of(bad)}/", encoding="ascii")
        kept = self.asked(bad, "kept", SOON)
        self.post(self.d, kept)
        said = f"partition {partition_of(bad)}: what it has committed cannot be stored"
        self.until(lambda: said in self.d.get("/readyz").text, "it is said", [self.d])
        for part in (words, f"partition-{partition_of(bad)}", "it is tried again"):
            self.assertIn(part, self.d.get("/readyz").text)
        for i in range(3):
            event = self.asked(good, f"served-{i}", SOON)
            self.post(self.d, event)
            self.applied([self.d], event)
        self.assertEqual(self.d.log().count("partition(s) assigned"), 1, "the worker never left the group")
        states = {p["partition"]: p["state"] for p in self.status(self.d)["partitions"]}
        self.assertEqual([p for p, state in states.items() if state != "serving"], [partition_of(bad)], states)
        self.assertEqual(states[partition_of(bad)], "halted")
        self.when.unlink()
        self.applied([self.d], kept)
        self.until(lambda: self.d.get("/readyz").status == 200, "it is well again", [self.d])
        self.d.stop()
        self.same(0)

    def test_disk_full_behind_a_commit(self):
        self.fails(28, "the disk is full")

    def test_disk_broken(self):
        self.fails(5, "Input/output error")


class Idle(OnNodes):
    def test_a_follower_with_nothing_to_do_stays_fresh(self):
        retention = 6000
        driver = oracle.BUILD / "kafka" / "bus_kafka_test"
        subprocess.run([str(driver), "topic", self.broker.bootstrap, "alter", self.ours.name("duban.changelog"), "0",
                        f"cleanup.policy=compact delete.retention.ms={retention}"], check=True, timeout=60, stdin=subprocess.DEVNULL)
        nodes = self.start("a", "b", standby="all")
        a, b = nodes
        for w in self.workflows:
            event = self.asked(w, "only", SOON)
            self.post(a, event)
            self.until(lambda w=w: all(len(d.get(f"/v1/cases?workflow={w}").rows) == 1 for d in nodes), "both have it", nodes)
        idle = time.monotonic() + retention / 1000
        self.until(lambda: time.monotonic() > idle, "nothing happens for long", nodes)
        b.kill()
        b.start()
        self.until(lambda: all(d.get("/readyz").status == 200 for d in nodes), "it follows again", nodes)
        for w in self.workflows:
            self.until(lambda w=w: len(b.get(f"/v1/cases?workflow={w}").rows) == 1, "it is read again", nodes)
        self.assertNotIn("the state was too old", b.log())
        for d in nodes:
            d.stop()


class History(State):
    def test_cut_below_the_last_marker(self):
        cluster = self.cluster()
        d = self.node(cluster, oracle.ALARM).start()
        self.fill(d, self.asked(20))
        d.stop()
        driver, name = str(oracle.BUILD / "kafka" / "bus_kafka_test"), cluster.name("duban.history")
        for what in ("delete", "create"):
            subprocess.run([driver, "topic", self.broker.bootstrap, what, name, "1", "max.message.bytes=20971520 retention.ms=-1"], check=True,
                           timeout=60, stdin=subprocess.DEVNULL)
        shutil.rmtree(d.data / "partition-0")
        d.launch()
        d.serves()
        d.await_log("the log has lost what is between")
        ready = d.get("/readyz")
        self.assertEqual(ready.status, 503)
        for part in ("partition 0:", name, "ends at offset 0", "put a copy of the partition's folder"):
            self.assertIn(part, ready.text)
        self.assertEqual(len(d.get("/v1/cases?limit=100").rows), 20, "it serves all the same")
        d.kill()


class Large(State):
    LARGEST = 8_300_000

    def test_as_large_as_topics_take(self):
        cluster = self.cluster()
        d = self.node(cluster, oracle.ALARM).start()
        event = oracle.answered("portal", 1, "o-1", "x")
        headers = {"ce_id": "large", "ce_source": "portal", "ce_specversion": "1.0", "ce_type": event["type"], "content-type": "application/json"}
        large = b'{"workflow":"alarm","padding":"' + b"x" * self.LARGEST + b'"}'
        with Portal(self.broker.bootstrap, message_bytes=9_000_000) as portal:
            portal.send(cluster.name("duban.submissions"), b"alarm", large, headers)
            portal.flush()
        self.fill(d, self.asked(5))
        outcome = d.outcome("portal", "large").json
        self.assertIn(f"{len(large)} bytes of data; at most", str(outcome))
        letter = next(r for r in cluster.read("duban.rejected") if r.header("duban_ce_id") == "large")
        self.assertTrue(letter.value == large, "the letter has every byte")
        whole = self.whole(d)
        d.kill()
        shutil.rmtree(d.data / "partition-0")
        d.start()
        self.assertEqual(self.whole(d), whole)
        self.assertIn("at most", str(d.outcome("portal", "large").json))
        self.chain(cluster)
        d.stop()


if __name__ == "__main__":
    unittest.main()
