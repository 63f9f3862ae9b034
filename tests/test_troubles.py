"""What befalls one partition of a node on a real broker: its store fails, the disk fills up behind a commit, its history is cut; a follower
that has nothing to do; a batch that takes long; records that lie damaged; the largest record."""
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "kafka"))
import fold  # noqa: E402
import oracle  # noqa: E402
from node import preloaded  # noqa: E402
from portal import Portal  # noqa: E402
from test_nodes import HELD, PARTITIONS, OnNodes, partition_of  # noqa: E402
from test_restore import OnState  # noqa: E402

SOON = 3600


class Store(OnNodes):
    """Writes to one partition's store fail while a file says so."""

    def setUp(self):
        super().setUp()
        self.when = self.folder / "when"
        self.d = self.one("a", workflows=True, workers=1, **HELD)
        self.d.environment = {"LD_PRELOAD": preloaded("failing", self.folder), "FAILING_WHEN": str(self.when)}
        self.d.start()

    def fails(self, number, words):
        bad, good = self.workflows[0], next(w for w in self.workflows if partition_of(w) != partition_of(self.workflows[0]))
        self.when.write_text(f"{number} partition-{partition_of(bad)}/", encoding="ascii")
        kept = self.asked(bad, "kept", SOON)
        self.post(self.d, kept)
        said = f"partition {partition_of(bad)}: what it has committed cannot be stored"
        self.d.await_unready(said, words, f"partition-{partition_of(bad)}", "it is tried again")
        for i in range(3):
            event = self.asked(good, f"served-{i}", SOON)
            self.post(self.d, event)
            self.applied([self.d], event)
        self.assertEqual(self.d.log().count("partition(s) assigned"), 1, "the worker never left the group")

        def halted():  # between two attempts
            states = {p["partition"]: p["state"] for p in self.status(self.d)["partitions"]}
            self.assertEqual([p for p, state in states.items() if state != "serving"], [partition_of(bad)], states)
            return states[partition_of(bad)] == "halted"

        self.until(halted, "it says that it is halted", [self.d])
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
    def retain(self, milliseconds):
        driver = oracle.BUILD / "kafka" / "bus_kafka_test"
        subprocess.run([str(driver), "topic", self.broker.bootstrap, "alter", self.ours.name("duban.changelog"), "0",
                        f"cleanup.policy=compact delete.retention.ms={milliseconds}"], check=True, timeout=60, stdin=subprocess.DEVNULL)

    def read_at(self, d):
        """When each store that follows has last noted that it is up to date, in ms."""
        return [struct.unpack(">Q", fold.dump(d.data / f"partition-{p}", "meta")[b"bus.read_at"])[0] - (1 << 63)
                for p in set(range(PARTITIONS)) - set(self.held(d))]

    @staticmethod
    def has_one(d, workflow):
        answer = d.get(f"/v1/cases?workflow={workflow}")
        return answer.status == 200 and len(answer.rows) == 1

    def test_a_follower_with_nothing_to_do_stays_fresh(self):
        retention = 6000  # a state that has not been fresh for half of it is thrown away
        self.retain(retention)
        nodes = self.start("a", "b", standby="all")
        a, b = nodes
        for w in self.workflows:
            event = self.asked(w, "only", SOON)
            self.post(a, event)
            self.until(lambda w=w: all(self.has_one(d, w) for d in nodes), "both have it", nodes)
        idle = time.time() * 1000 + retention
        self.until(lambda: all(at > idle for d in nodes for at in self.read_at(d)), "it notes that it is fresh while nothing happens", nodes)
        self.assertEqual([len(self.read_at(d)) for d in nodes], [PARTITIONS // 2] * 2)
        b.kill()
        self.retain(20 * retention)  # however long its start takes
        b.start()
        self.until(lambda: all(d.get("/readyz").status == 200 for d in nodes), "it follows again", nodes)
        for w in self.workflows:
            self.until(lambda w=w: self.has_one(b, w), "it is read again", nodes)
        self.assertNotIn("the state was too old", b.log())
        for d in nodes:
            d.stop()


class History(OnState):
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
        d.await_unready("the log has lost what is between", "partition 0:", name, "ends at offset 0", "put a copy of the partition's folder")
        self.assertEqual(len(d.get("/v1/cases?limit=100").rows), 20, "it serves all the same")
        d.kill()


class Slow(OnState):
    """The broker ends what takes longer than the transaction's time-out, and what comes again then takes as long again."""
    TRANSACTION_MS, LOOKUP_US, WAITING = 2000, 600, 8000  # so many in batches that only grow: the last takes longer than it may

    def test_a_batch_ends_in_time(self):
        cluster = self.cluster()
        d = self.node(cluster, oracle.ALARM, **{"kafka.properties.transaction.timeout.ms": self.TRANSACTION_MS}).start()
        d.stop()
        events = self.asked(self.WAITING)
        with Portal(self.broker.bootstrap) as portal:
            for event in events:
                portal.send(cluster.name("duban.deadlines"), b"alarm", json.dumps(event["data"]).encode(), oracle.headers_of(event))
            portal.flush()
        d.environment = {"LD_PRELOAD": preloaded("slow", self.folder), "SLOW_US": str(self.LOOKUP_US)}
        began = time.monotonic()
        d.start()
        while d.outcome(events[-1]["source"], events[-1]["id"]).status == 404 and d.log().count("partition(s) assigned") == 2:
            self.assertLess(time.monotonic() - began, 120, "the last of it is not taken")
        took = time.monotonic() - began
        print(f"        {self.WAITING} records in {took:.1f} s, the time-out is {self.TRANSACTION_MS / 1000:g} s", flush=True)
        self.assertEqual(d.log().count("partition(s) assigned"), 2, f"once at each start; then it began again:\n{d.log()[-2000:]}")
        d.applied(events[-1]["source"], events[-1]["id"])
        self.assertGreater(took / 2, self.TRANSACTION_MS / 1000 + 0.5, "half of them in one batch would have been in time: this has shown nothing")
        d.stop()


    def test_so_do_few_long_turns(self):
        cluster = self.cluster()
        d = self.node(cluster, oracle.ALARM, **{"kafka.properties.transaction.timeout.ms": self.TRANSACTION_MS}).start()
        d.stop()
        events = self.asked(60)
        with Portal(self.broker.bootstrap) as portal:
            for event in events:
                portal.send(cluster.name("duban.deadlines"), b"alarm", json.dumps(event["data"]).encode(), oracle.headers_of(event))
            portal.flush()
        d.environment = {"LD_PRELOAD": preloaded("slow", self.folder), "SLOW_US": "50000"}
        d.start()
        d.applied(events[0]["source"], events[0]["id"])
        self.assertNotEqual(d.outcome(events[-1]["source"], events[-1]["id"], wait="0s").json.get("status"), "applied", "all of them were one batch")
        d.applied(events[-1]["source"], events[-1]["id"])
        d.stop()


class Damaged(OnState):
    """A batch of records on the broker's disk whose checksum is wrong."""

    def change(self, cluster, text, to):
        """Bytes of the log of deadlines, where a broker lies that was stopped in good order."""
        self.broker.stop()
        log, = (self.broker.folder / "data" / f"{cluster.name('duban.deadlines')}-0").glob("*.log")
        self.assertEqual(log.read_bytes().count(text), 1)
        log.write_bytes(log.read_bytes().replace(text, to))
        self.broker.start()

    def test_what_lies_behind_it_waits(self):
        cluster = self.cluster()
        d = self.node(cluster, oracle.ALARM).start()
        self.fill(d, self.asked(5))
        d.stop()
        events = self.asked(3, first=5, more="-waits")
        with Portal(self.broker.bootstrap) as portal:
            for event in events:
                portal.send(cluster.name("duban.deadlines"), b"alarm", json.dumps(event["data"]).encode(), oracle.headers_of(event))
                portal.flush()
        self.change(cluster, b"s6-waits", b"s6-wAits")
        d.start(ready=False)
        d.await_unready("cannot be read at offset", "CRC", "it is tried again")
        for event in events[1:]:
            self.assertNotEqual(d.outcome(event["source"], event["id"], wait="1s").json.get("status"), "applied")
        self.change(cluster, b"s6-wAits", b"s6-waits")
        for event in events:
            d.applied(event["source"], event["id"])
        d.await_ready()
        d.stop()
        self.same(cluster, oracle.simulate(oracle.ALARM, cluster.inputs()), 0)


class Large(OnState):
    LARGEST = 8_300_000

    def test_larger_than_may_wait(self):
        """A setting of librdkafka's that leaves no room for one record: said, not tried for ever."""
        cluster = self.cluster()
        d = self.node(cluster, oracle.ALARM, **{"kafka.properties.queue.buffering.max.kbytes": 1000}).start()
        with Portal(self.broker.bootstrap, message_bytes=9_000_000) as portal:
            portal.send(cluster.name("duban.submissions"), b"alarm", b"x" * self.LARGEST, {"content-type": "text/plain"})
            portal.flush()
        d.await_unready(cluster.name("duban.rejected"), f"a record of {self.LARGEST + 5} bytes", "queue.buffering.max.kbytes")
        d.stop()
        d.settings["kafka.properties.queue.buffering.max.kbytes"] = 20_000
        d.start()
        letter = cluster.await_record("duban.rejected", lambda r: r.value == b"x" * self.LARGEST)
        self.assertEqual(letter.key, b"alarm")
        d.stop()

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
        letter = cluster.await_record("duban.rejected", lambda r: r.header("duban_ce_id") == "large")
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
