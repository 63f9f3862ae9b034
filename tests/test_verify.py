"""dubanctl verify: whole histories are whole, and whatever is changed, taken out or cut off is found, in a folder and on Kafka."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "kafka"))
import contracts  # noqa: E402
import oracle  # noqa: E402
import test_kafka  # noqa: E402
from node import Node  # noqa: E402

EVENTS = 150
WORKFLOW = "suifenhe-2024"


def verify(*arguments):
    done = subprocess.run([str(oracle.DUBANCTL), "verify", *map(str, arguments), "--json"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


class Changed:
    """A copy of a data folder whose history `change` has edited, by LMDB's own tools: a list of (key, value) in hex."""

    def __init__(self, data, change):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="duban-changed-"))
        shutil.copytree(data, self.folder / "data")
        part = self.folder / "data" / "partition-0"
        dump = subprocess.run(["mdb_dump", "-a", str(part)], capture_output=True, check=True, timeout=60).stdout.decode()
        head, body = dump.split("database=history\n", 1)
        options, rest = body.split("HEADER=END\n", 1)
        lines, tail = rest.split("DATA=END\n", 1)
        lines = lines.splitlines()
        pairs = change(list(zip(lines[::2], lines[1::2])))
        text = "".join(f"{k}\n{v}\n" for k, v in pairs)
        (part / "data.mdb").unlink()
        (part / "lock.mdb").unlink(missing_ok=True)
        subprocess.run(["mdb_load", str(part)], input=f"{head}database=history\n{options}HEADER=END\n{text}DATA=END\n{tail}".encode(), check=True,
                       capture_output=True, timeout=60)

    def __enter__(self):
        return self.folder / "data"

    def __exit__(self, *_):
        shutil.rmtree(self.folder)


def altered(pairs, at):
    """One letter of one record is another."""
    key, value = pairs[at]
    middle = len(value) // 2 - len(value) // 2 % 2 + 1  # the first digit of a byte: a blank begins the line
    return pairs[:at] + [(key, value[:middle] + ("0" if value[middle] != "0" else "1") + value[middle + 1:])] + pairs[at + 1:]


def renumbered(pairs, at):
    """Taken out, and those behind it closed up."""
    keys = [k for k, _ in pairs]
    values = [v for _, v in pairs]
    return list(zip(keys, values[:at] + values[at + 1:]))


class Folder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Node([oracle.SUIFENHE], time="events").start()
        cls.addClassCleanup(cls.d.close)
        events = oracle.year_events()[:EVENTS]
        cls.d.accept(events)
        cls.last = cls.d.applied(events[-1]["source"], events[-1]["id"])["history"]

    def broken(self, change, *told):
        with Changed(self.d.data, change) as data:
            status, rows, err = verify("--data", data)
        self.assertEqual(status, 1, err)
        self.assertEqual([r["workflow"] for r in rows if r["broken"]], [WORKFLOW])
        for text in told:
            self.assertIn(text, err)
        return rows[0]["records"]

    def test_whole_beside_a_running_node(self):
        status, rows, err = verify("--data", self.d.data)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual([(r["workflow"], r["broken"]) for r in rows], [(WORKFLOW, None)])
        records = self.d.get(f"/v1/history?workflow={WORKFLOW}&limit=1000").rows
        self.assertEqual(rows[0]["records"], max(int(r["sequence"]) for r in records))
        done = subprocess.run([str(oracle.DUBANCTL), "verify", "--data", str(self.d.data)], capture_output=True, timeout=60, check=True)
        self.assertIn(rows[0]["hash"], done.stdout.decode())

    def test_a_letter_is_changed(self):
        self.assertEqual(self.broken(lambda pairs: altered(pairs, 20), "history record 21"), 20)

    def test_a_record_is_taken_out(self):
        self.assertEqual(self.broken(lambda pairs: renumbered(pairs, 20), "record 22", "stands where 21 should be"), 20)

    def test_the_end_is_cut_off(self):
        records = len(self.d.get(f"/v1/history?workflow={WORKFLOW}&limit=1000").rows)
        self.assertEqual(self.broken(lambda pairs: pairs[:-3], f"its last record is the {records - 3}th", f"goes on from the {records}th"), records - 3)

    def test_what_it_cannot_read(self):
        with tempfile.TemporaryDirectory() as empty:
            for arguments, told in ((["--data", empty], "no folder partition-N"), ([], "--config FILE or --bootstrap"), (["--data", empty + "/x"], "no folder")):
                status, rows, err = verify(*arguments)
                self.assertIn(status, (2, 3))
                self.assertEqual(rows, [])
                self.assertIn(told, err)


class Topic(test_kafka.OnBroker):
    def test_the_topic_says_the_same_as_the_folder(self):
        cluster = self.cluster(2)
        d = self.node(cluster, time="events").start()
        events = oracle.year_events()[:EVENTS]
        d.accept(events)
        d.applied(events[-1]["source"], events[-1]["id"])
        d.stop()
        where = ["--bootstrap", cluster.bootstrap, "--prefix", cluster.prefix]
        folder = verify("--data", d.data)[1]
        cluster.await_record("duban.history", lambda r: int(contracts.decode("HistoryRecord", r.value)["sequence"]) == folder[0]["records"])
        status, rows, err = verify(*where)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(rows, folder)
        forged = next(r for r in cluster.read("duban.history") if r.key == WORKFLOW.encode())
        cluster.produce("duban.history", forged.key, forged.value, {})
        status, again, err = verify(*where)
        self.assertEqual(status, 1)
        self.assertIn(f"history record 1 of {WORKFLOW} stands where {rows[0]['records'] + 1} should be", err)
        self.assertEqual(again[0]["hash"], rows[0]["hash"])


if __name__ == "__main__":
    unittest.main()
