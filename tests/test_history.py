"""History on Kafka lies in chunks: several records of a workflow in one record of the topic. Written so, taken apart so, by readers that are none of our
code, and by a daemon that has lost its folder; and records that lie there one by one are history, too."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "kafka"))
import contracts  # noqa: E402
import fold  # noqa: E402
import oracle  # noqa: E402
from portal import Portal  # noqa: E402
from test_kafka import OnBroker  # noqa: E402
from test_migrate_bus import seen  # noqa: E402

EVENTS = 1500            # of each workflow: batches grow until one has more of it than a chunk takes
LARGE, LARGE_ONES = 200_000, 5  # bytes of an event: its record lies in no chunk with others
MOST = 193 << 10         # bytes of a chunk, at most; but a record that is larger by itself
SOON = 3600


def snippet():
    """What the contracts' page tells an auditor to do."""
    section = (oracle.ROOT / "proto" / "README.md").read_text(encoding="utf-8").split("\n## Audit\n", 1)[1].split("\n## ", 1)[0]
    names = {}
    exec(re.search(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)[1], names)  # pylint: disable=exec-used
    return names["records"], names["check"]


class Apart(unittest.TestCase):
    def test_as_it_was(self):
        for take in contracts.history_records, snippet()[0]:
            records = [bytes([10]) * n for n in (1, 127, 128, 300, 16383, 16384, 70000)]
            self.assertEqual(take(contracts.history_chunk(records)), records)
            self.assertEqual(take(b"\x0a\x01a"), [b"\x0a\x01a"])
            self.assertEqual(take(b"\x82\x01\x02\x0a\x00\x82\x01\x81\x00b"), [b"\x0a\x00", b"b"])

    def test_malformed(self):
        whole = contracts.history_chunk([b"first", b"second" * 30])
        ends = {8, len(whole)}
        wrong = [whole[:n] for n in range(2, len(whole)) if n not in ends] + [whole + b"x", whole + b"\x0a\x01a", whole + b"\x82", b"\x82\x01" + b"\xff" * 20]
        for take in contracts.history_records, snippet()[0]:
            for value in wrong:
                with self.subTest(value=value), self.assertRaises((ValueError, IndexError, AssertionError)):
                    take(value)


class Chunks(OnBroker):
    def workflows(self, names):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="duband-history-"))
        self.addCleanup(shutil.rmtree, folder)
        for name in names:
            shutil.copytree(oracle.ALARM, folder / name)
            path = folder / name / "workflow.yaml"
            path.write_text(path.read_text().replace("workflow:  alarm", f"workflow:  {name}", 1))
        return folder

    @staticmethod
    def wait_there(cluster, names):
        """Events of the workflows in turn; between those of the first some large ones, which are refused."""
        with Portal(cluster.bootstrap) as portal:
            for i in range(EVENTS):
                for name in names:
                    Chunks.send(portal, cluster, name, oracle.asked(name, i, f"o-{i % 3 + 1}", f"s{i}", time.time() + SOON))
                if i % (EVENTS // LARGE_ONES) == EVENTS // LARGE_ONES - 100:
                    portal.flush()  # the other topic's place among them is by the instant
                    Chunks.send(portal, cluster, names[0], oracle.answered(names[0], i, "o-1", "x" * LARGE))
                    portal.flush()
            portal.flush()

    @staticmethod
    def send(portal, cluster, name, event):
        portal.send(cluster.name(oracle.lane_of(event)), name.encode(), json.dumps({**event["data"], "workflow": name}).encode(), oracle.headers_of(event))

    def test_a_backlog(self):
        names, cluster = ["alarm-a", "alarm-b"], self.cluster()
        d = self.node(cluster, self.workflows(names))
        d.settings["workflows"] = ",".join(f"{d.settings['workflows']}/{name}" for name in names)
        d.start()
        d.stop()
        self.wait_there(cluster, names)
        d.start()
        for name in names:
            d.applied(name, f"asked-{EVENTS - 1}")
        before = seen(d)
        d.stop()
        chunks, turns = cluster.read("duban.history"), self.chain(cluster)
        self.assertEqual(turns, 2 * (EVENTS + 1) + LARGE_ONES, "the definitions and the events")
        self.assertLess(len(chunks), turns // 10)
        counts = [len(contracts.history_records(r.value)) for r in chunks]
        for r, n in zip(chunks, counts):
            self.assertTrue(r.value.startswith(contracts.CHUNK))
            self.assertTrue(len(r.value) <= MOST or n == 1, f"{n} records in {len(r.value)} bytes")
        self.assertEqual([n for r, n in zip(chunks, counts) if len(r.value) > LARGE], [1] * LARGE_ONES)
        for name in names:
            self.assertGreater(max(len(r.value) for r, n in zip(chunks, counts) if r.key == name.encode() and n > 1), MOST // 2, "none was full")
        self.audited(chunks, turns)
        shutil.rmtree(d.data)
        d.start()
        self.assertEqual(seen(d), before)
        d.stop()
        self.assertEqual(fold.compare(d.data / "partition-0", cluster.read("duban.changelog"), cluster.history()), [])

    def audited(self, chunks, turns):
        records, check = snippet()
        last, n = {}, 0
        for r in chunks:
            for record in records(r.value):
                last[r.key] = check(record, last.get(r.key, bytes(32)))
                n += 1
        self.assertEqual(n, turns)
        with self.assertRaises(AssertionError):
            check(record, bytes(32))

    def emptied(self, cluster):
        driver = oracle.BUILD / "kafka" / "bus_kafka_test"
        for what in "delete", "create":
            subprocess.run([str(driver), "topic", cluster.bootstrap, what, cluster.name("duban.history"), "1", "max.message.bytes=20971520 retention.ms=-1"],
                           check=True, timeout=60, stdin=subprocess.DEVNULL)

    def test_records_by_themselves_between_chunks(self):
        """The same topic as older versions have left it, and as a group leaves it that was changed to this one later."""
        cluster = self.cluster()
        d = self.node(cluster, oracle.ALARM).start()
        for i in range(12):
            d.accept([oracle.asked("office", i, "o-1", f"s{i}", time.time() + SOON)])
            d.applied("office", f"asked-{i}")
        before = seen(d)
        d.stop()
        chunks, history = cluster.read("duban.history"), cluster.history()
        self.assertEqual([r.offset for r in chunks], [2 * i for i in range(len(history))], "a turn a batch, each followed by its transaction's end")
        self.emptied(cluster)
        with Portal(cluster.bootstrap, f"{cluster.prefix}again") as portal:
            for i, (chunk, record) in enumerate(zip(chunks, history)):
                portal.begin()
                portal.send(cluster.name("duban.history"), record.key, chunk.value if i % 3 == 2 else record.value, {})
                portal.commit()
        self.assertEqual([(r.offset, r.value) for r in cluster.history()], [(r.offset, r.value) for r in history])
        shutil.rmtree(d.data)
        d.start()
        self.assertEqual(seen(d), before)
        d.accept([oracle.asked("office", 99, "o-1", "s99", time.time() + SOON)])
        d.applied("office", "asked-99")
        d.stop()
        self.assertEqual(self.chain(cluster), len(history) + 1)
        self.assertTrue(cluster.read("duban.history")[-1].value.startswith(contracts.CHUNK))


if __name__ == "__main__":
    unittest.main()
