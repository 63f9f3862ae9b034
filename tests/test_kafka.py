"""Kafka, end to end, on a real broker: what a consumer that is none of ours reads, read_committed, is what `dubanctl simulate` says of the inputs as
they stand on the topics, whatever is killed meanwhile."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "kafka"))
import broker as brokers  # noqa: E402
import oracle  # noqa: E402
from node import Node  # noqa: E402

DAEMON_KILLS = 32
BROKER_KILLS = 3


def stored_jars(version):
    build = oracle.BUILD
    lib = build / f"kafka-{version}" / "lib"
    return lib if lib.exists() else brokers.jars(version, build)


class OnBroker(unittest.TestCase):
    """A broker for the class; for each test topics, group and node of its own."""
    version = os.environ.get("KAFKA", brokers.DEFAULT_VERSION)
    count = 0

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="duban-broker-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.broker = brokers.Broker(cls.folder, stored_jars(cls.version)).start()
        cls.addClassCleanup(cls.broker.kill)

    def setUp(self):
        self.broker.start()  # whatever the test before has left

    def tearDown(self):
        process = self.broker.process
        if process.poll() is not None:
            print(f"        the broker ended by itself, with {process.returncode}:\n{self.broker.log.read_text(errors='replace')[-3000:]}", flush=True)

    def cluster(self, partitions=1):
        OnBroker.count += 1
        cluster = oracle.Cluster(self.broker.bootstrap, f"t{OnBroker.count}.")
        cluster.create(partitions)
        return cluster

    def node(self, cluster, workflow=oracle.SUIFENHE, **settings):
        d = Node([workflow], **{"bus": "kafka", "node": f"n-{cluster.prefix[:-1]}", "kafka.prefix": cluster.prefix,
                                "kafka.group": f"g-{cluster.prefix[:-1]}", "kafka.properties.bootstrap.servers": cluster.bootstrap,
                                "kafka.properties.session.timeout.ms": 20000, "kafka.properties.transaction.timeout.ms": 15000, **settings})
        self.addCleanup(d.close)
        return d

    def same(self, cluster, want, least):
        """A transaction's markers may follow its end by a moment."""
        end = time.monotonic() + 20
        while oracle.difference(have := cluster.outputs(), want) and time.monotonic() < end:
            pass
        oracle.check(self, have, want, least)
        return have

    def chain(self, cluster):
        """Whole; of how many records."""
        records = cluster.history()
        self.assertEqual(oracle.unlinked(records)[:3], [])
        return len(records)


def send(d, events, rng):
    """One portal over HTTP, in order, many at a time: the two topics' order on the broker is that of the sending."""
    at = 0
    while at < len(events):
        n = rng.choice([1, 2, 10, 50])
        d.accept(events[at:at + n])
        at += n


class Year(OnBroker):
    def test_outputs_are_those_of_simulate(self):
        rng = oracle.seeded(self)
        events, want = oracle.year_with_sentinel()
        cluster = self.cluster()
        d = self.node(cluster, time="events").start()
        third = len(events) // 3
        send(d, events[:third], rng)
        d.stop()
        d.start()
        send(d, events[third:2 * third], rng)
        d.stop()
        shutil.rmtree(d.data)  # all that it needs is on Kafka
        d.start()
        self.assertGreater(len(d.get("/v1/tasks?open=true").rows), 10)
        send(d, events[2 * third:], rng)
        d.applied("test", "sentinel")
        self.same(cluster, want, 500)
        self.assertEqual([i[3]["id"] for i in sorted(cluster.inputs(), key=lambda i: i[:3])][1:], [e["id"] for e in events])
        self.assertEqual(cluster.read("duban.rejected"), [])
        n = self.chain(cluster)
        d.await_history()
        rows = d.get("/v1/history?limit=1000").rows
        self.assertEqual([int(r["sequence"]) for r in rows], list(range(1, min(n, 1000) + 1)), "history is restored, too")
        d.stop()

    def test_kill_9_while_a_producer_streams(self):
        rng = oracle.seeded(self)
        events, want = oracle.year_with_sentinel()
        cluster = self.cluster()
        d = self.node(cluster, time="events").start()
        d.stop()
        quota, sent, more, failed = [0], [0], threading.Condition(), []

        def stream():
            for i, event in enumerate(events):
                with more:
                    more.wait_for(lambda: quota[0] > i)
                try:
                    cluster.portal(event, oracle.lane_of(event))
                except Exception as error:  # pylint: disable=broad-except
                    failed.append(error)
                with more:
                    sent[0] = i + 1
                    more.notify_all()

        producer = threading.Thread(target=stream, daemon=True)
        producer.start()
        took = 1.0
        for i in range(DAEMON_KILLS):
            d.settings["batch"] = rng.choice([1, 1, 2, 10])
            with more:
                quota[0] = len(events) * (i + 1) // (DAEMON_KILLS + 1)
                more.notify_all()
                if i % 2:  # it finds work when it comes
                    more.wait_for(lambda: sent[0] == quota[0])
            began = time.monotonic()
            d.launch()
            if i % 4 == 2:  # at any instant of its start
                time.sleep(rng.random() * took)
            else:  # while there is work
                d.serves()
                d.await_ready()
                took = time.monotonic() - began
                time.sleep(rng.random() * 0.08)
            d.kill()
        d.settings["batch"] = 10000
        d.start()
        with more:
            quota[0] = len(events)
            more.notify_all()
        producer.join()
        self.assertEqual(failed, [])
        d.applied("test", "sentinel")
        self.same(cluster, want, 500)
        self.chain(cluster)
        all_, committed = len(cluster.history(committed=False)), len(cluster.history())
        print(f"        killed {DAEMON_KILLS} times; {all_ - committed} history records were in transactions that came to nothing", flush=True)
        d.stop()


class Order(OnBroker):
    AHEAD = 1.5  # seconds that an answer is given, at most
    LEAST = 40   # events of each portal, however slow they are

    def test_held_back_and_released(self):
        rng = oracle.seeded(self)
        cluster = self.cluster()
        d = self.node(cluster, oracle.ALARM).start()
        d.stop()
        until = time.time() + 5
        portals = [threading.Thread(target=self.talk, args=(cluster, name, until, random.Random(rng.random()))) for name in "abc"]
        for p in portals:
            p.start()
        for p in portals:
            p.join()
        self.broken(cluster)
        d.settings["batch"] = rng.choice([3, 17, 10000])
        d.launch()
        time.sleep(rng.random())
        d.kill()
        d.start()
        for p in (portals := [threading.Thread(target=self.talk, args=(cluster, name, time.time() + 2, random.Random(rng.random()))) for name in "de"]):
            p.start()
        for p in portals:
            p.join()
        d.accept([oracle.asked("z", 0, "o-2", "silence", time.time() + self.AHEAD + 0.2)])  # the last to fall due, and only the clock tells
        end = time.monotonic() + 60
        while not oracle.rung(cluster, "silence"):
            self.assertLess(time.monotonic(), end, "the clock is silent")
        d.accept([oracle.asked("z", 1, "o-1", "end", time.time() + 3600)])
        d.applied("z", "asked-1")
        inputs = cluster.inputs(lambda r: r.header("ce_source") != "broken" and r.header("ce_id"))
        have = self.same(cluster, oracle.simulate(oracle.ALARM, inputs), 50)
        oracle.on_time(self, inputs, have)
        self.dead_letters(cluster)
        self.chain(cluster)
        d.stop()

    SURE = [("now", 3600.0), ("then", -1.0)]  # an answer in time and a late one, whatever chance brings

    @staticmethod
    def talk(cluster, name, until, rng):
        n = 0
        for subject, ahead in Order.SURE:
            cluster.portal(oracle.asked(f"{name}-sure", subject, "o-1", f"{name}-{subject}", time.time() + ahead), "duban.deadlines")
            cluster.portal(oracle.answered(f"{name}-sure", subject, "o-1", f"{name}-{subject}"), "duban.submissions")
        while time.time() < until or n < Order.LEAST:
            n += 1
            unit, subject, what = f"o-{rng.randrange(1, 4)}", f"s{rng.randrange(20)}", rng.random()
            if what < 0.4:
                cluster.portal(oracle.asked(name, n, unit, subject, time.time() + rng.uniform(-0.3, Order.AHEAD)), "duban.deadlines")
            elif what < 0.85:
                cluster.portal(oracle.answered(name, n, unit, subject), "duban.submissions")
            else:  # early, or late, or twice
                for _ in range(rng.choice([1, 2])):
                    cluster.portal(oracle.clock_record("alarm", ident=f"{name}-{n}"), "duban.deadlines")

    BROKEN = {  # id: (topic, value, headers that differ, a word of each reason)
        "bytes": ("duban.submissions", b"\xff\x00\n{", {}, ["JSON"]),
        "protobuf": ("duban.submissions", b"\xff\xff\n\xff", {"content-type": "application/protobuf"}, []),
        "kind": ("duban.submissions", oracle.answered("broken", 1, "o-1", "x"), {"change": {"kind": "unheard"}}, ["unheard"]),
        "three": ("duban.submissions", oracle.answered("broken", 1, "o-1", "x"),
                  {"change": {"reporter": "o-9", "fields": {"n": "seven", "colour": "red"}}}, ["o-9", "seven", "colour", "subject"]),
        "topic": ("duban.deadlines", oracle.answered("broken", 1, "o-1", "x"), {}, ["duban.submissions"]),
        "refused": ("duban.submissions", oracle.answered("broken", 1, "o-1", "x"), {"change": {"fields": {"subject": "x", "n": 101}}}, ["答复号超过一百"]),
        "type": ("duban.submissions", oracle.answered("broken", 1, "o-1", "x"), {"ce_type": "duban.v1.Nonsense"}, ["Nonsense"]),
        "nowhere": ("duban.submissions", oracle.answered("broken", 1, "o-1", "x"), {"workflow": "nowhere"}, ["nowhere"]),
    }

    def prepared(self, ident):
        topic, value, differ, words = self.BROKEN[ident]
        headers = {"ce_id": ident, "ce_source": "broken", "ce_specversion": "1.0", "ce_type": "duban.v1.Fact", "content-type": "application/json",
                   **{k: v for k, v in differ.items() if k.startswith(("ce_", "content"))}}
        if isinstance(value, dict):
            data = json.loads(json.dumps(value["data"]))
            data["fact"].update(differ.get("change", {}))
            data["workflow"] = differ.get("workflow", "alarm")
            value = json.dumps(data, ensure_ascii=False).encode()
        return topic, differ.get("workflow", "alarm"), value, headers, words

    def broken(self, cluster):
        for ident in self.BROKEN:
            topic, key, value, headers, _ = self.prepared(ident)
            cluster.produce(topic, key, value, headers)
        cluster.produce("duban.submissions", "alarm", b"{}", {"ce_source": "broken"})

    def dead_letters(self, cluster):
        letters = {r.header("duban_ce_id"): r for r in cluster.read("duban.rejected")}
        for ident in self.BROKEN:
            with self.subTest(ident=ident):
                topic, key, value, _, words = self.prepared(ident)
                letter = letters.pop(ident)
                reasons = [text for name, text in letter.headers if name == "duban_reason"]
                self.assertEqual((letter.value, letter.key, letter.header("duban_topic")), (value, key.encode(), topic))
                self.assertTrue(reasons)
                for word in words:
                    self.assertTrue(any(word in reason for reason in reasons), f"{word} is in none of {reasons}")
        bare = letters.pop("")
        reasons = " ".join(text for name, text in bare.headers if name == "duban_reason")
        for word in ["ce_id", "ce_specversion", "ce_type", "content-type"]:
            self.assertIn(word, reasons)
        self.assertEqual(letters, {})

    def test_misplaced_record_is_rejected_with_the_cure(self):
        cluster = self.cluster(partitions=4)
        d = self.node(cluster, oracle.ALARM).start()
        cluster.portal(oracle.asked("right", 1, "o-1", "right", time.time() + 3600), "duban.deadlines")
        cluster.portal(oracle.asked("wrong", 1, "o-1", "wrong", time.time() + 3600), "duban.deadlines", murmur2=False)
        d.applied("right", "asked-1")
        cluster.await_record("duban.rejected", lambda _: True)
        letters = cluster.read("duban.rejected")
        self.assertEqual(len(letters), 1)
        reason = letters[0].header("duban_reason")
        self.assertIn("partitioner=murmur2_random", reason)
        self.assertIn("alarm", reason)
        wrong = next(r for r in cluster.read("duban.deadlines") if r.header("ce_source") == "wrong")
        self.assertEqual((letters[0].partition, letters[0].value), (wrong.partition, wrong.value))
        self.assertEqual(int(letters[0].header("duban_partition")), wrong.partition)
        self.assertEqual([c["subject"] for c in d.get("/v1/cases").rows], ["right"])
        d.stop()


class BrokerAway(OnBroker):
    version = os.environ.get("KAFKA_FAULTS", brokers.FAULT_VERSION)

    def away(self, d):
        d.await_unready("away")
        self.assertEqual(d.get("/healthz").status, 200)

    def test_away_at_the_start_and_later(self):
        cluster = self.cluster()
        self.broker.kill()
        d = self.node(cluster, oracle.ALARM)
        d.launch()
        d.serves()
        self.away(d)
        self.assertEqual(d.get("/").status, 200)
        self.assertEqual(d.post(oracle.asked("early", 1, "o-1", "x", time.time())).status, 503)
        self.broker.start()
        d.await_ready()
        d.accept([oracle.asked("one", 1, "o-1", "x", time.time() + 3600)])
        d.applied("one", "asked-1")
        self.broker.kill()
        self.away(d)
        self.assertEqual([c["subject"] for c in d.get("/v1/cases").rows], ["x"], "reads are served")
        refused = d.post(oracle.asked("two", 1, "o-2", "y", time.time() + 3600))
        self.assertEqual(refused.status, 503, refused.text)
        self.assertIn("Retry-After", refused.headers)
        self.broker.start()
        d.accept([oracle.asked("two", 1, "o-2", "y", time.time() + 3600)])
        d.applied("two", "asked-1")
        d.await_ready()
        d.kill()
        self.broker.kill()
        d.launch()
        d.serves()
        self.assertEqual([c["subject"] for c in d.get("/v1/cases").rows], ["x", "y"], "as they were left")
        self.away(d)
        self.broker.start()
        d.await_ready()
        self.assertEqual([c["subject"] for c in d.get("/v1/cases").rows], ["x", "y"])
        d.stop()

    def test_kill_9_of_the_broker_while_events_stream_in(self):
        rng = oracle.seeded(self)
        events, want = oracle.year_with_sentinel(times=3)
        cluster = self.cluster()
        d = self.node(cluster, time="events", batch=20).start()
        sent, failed, go = [0], [], threading.Semaphore(0)

        def stream():
            try:
                for i in range(BROKER_KILLS + 1):
                    go.acquire()
                    last = len(events) * (i + 1) // (BROKER_KILLS + 1)
                    send(d, events[sent[0]:last], rng)
                    sent[0] = last
            except BaseException as error:  # pylint: disable=broad-except
                failed.append(error)

        portal = threading.Thread(target=stream, daemon=True)
        portal.start()
        for _ in range(BROKER_KILLS):
            go.release()
            time.sleep(0.05 + rng.random() * 0.5)
            self.broker.kill()
            time.sleep(rng.random())
            self.broker.start()
        go.release()
        portal.join()
        self.assertEqual(failed, [])
        d.applied("test", "sentinel")
        self.same(cluster, want, 500)
        self.chain(cluster)
        d.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        unittest.main()
