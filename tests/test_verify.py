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
import fold  # noqa: E402
import oracle  # noqa: E402
import test_kafka  # noqa: E402
from node import Node  # noqa: E402
from portal import Portal  # noqa: E402

EVENTS = 150
WORKFLOW = "suifenhe-2024"


def verify(*arguments):
    done = subprocess.run([str(oracle.DUBANCTL), "verify", *map(str, arguments), "--json"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def sequence(record):
    return int(contracts.decode("HistoryRecord", record)["sequence"])


class Changed:
    """A copy of a data folder whose history `change` has edited, by LMDB's own tools: a list of (key, value) in hex, each entry by itself or as it lies
    in its block."""

    def __init__(self, data, change, blocks=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="duban-changed-"))
        shutil.copytree(data, self.folder / "data")
        part = self.folder / "data" / "partition-0"
        dump = subprocess.run(["mdb_dump", "-a", str(part)], capture_output=True, check=True, timeout=60).stdout.decode()
        head, body = dump.split("database=history\n", 1)
        options, rest = body.split("HEADER=END\n", 1)
        lines, tail = rest.split("DATA=END\n", 1)
        lines = lines.splitlines()
        pairs = [(bytes.fromhex(k), bytes.fromhex(v)) for k, v in zip(lines[::2], lines[1::2])]
        if not blocks:
            pairs = [entry for block in pairs for entry in fold.entries(*block)]
        pairs = change([(f" {k.hex()}", f" {v.hex()}") for k, v in pairs])
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

    def test_a_block_is_damaged(self):
        """What cannot be unpacked is not taken for the end of history."""
        for at in (0, 1, -1):
            with Changed(self.d.data, lambda pairs, at=at: [(k, v[:len(v) // 4 * 2 + 1] if i == at % len(pairs) else v) for i, (k, v) in enumerate(pairs)],
                         blocks=True) as data:
                status, rows, err = verify("--data", data)
            self.assertNotIn(status, (0, 1))
            self.assertEqual(rows, [])
            self.assertIn("history: a block of entries is damaged", err)

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
        cluster.await_record("duban.history", lambda r: sequence(contracts.history_records(r.value)[-1]) == folder[0]["records"])
        status, rows, err = verify(*where)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(rows, folder)
        forged = next(r for r in cluster.read("duban.history") if r.key == WORKFLOW.encode())
        cluster.produce("duban.history", forged.key, forged.value, {})
        status, again, err = verify(*where)
        self.assertEqual(status, 1)
        self.assertIn(f"history record 1 of {WORKFLOW} stands where {rows[0]['records'] + 1} should be", err)
        self.assertEqual(again[0]["hash"], rows[0]["hash"])

    def said_of(self, values):
        """What is said of a topic that has them, of the one workflow."""
        cluster = self.cluster()
        with Portal(cluster.bootstrap) as portal:
            for value in values:
                portal.send(cluster.name("duban.history"), WORKFLOW.encode(), value, {})
            portal.flush()
        status, rows, err = verify("--bootstrap", cluster.bootstrap, "--prefix", cluster.prefix)
        self.assertEqual([(r["workflow"], r["broken"] is None) for r in rows], [(WORKFLOW, status == 0)])
        return status, rows[0]["records"], rows[0]["hash"], err

    def test_chunks_and_records_by_themselves(self):
        with Node([oracle.SUIFENHE], time="events") as d:
            events = oracle.year_events()[:EVENTS]
            d.accept(events)
            d.applied(events[-1]["source"], events[-1]["id"])
            pairs = list(fold.stored_history(d.data / "partition-0").items())
        records = [value for key, value in sorted(pairs) if key.startswith(WORKFLOW.encode())]
        self.assertGreater(len(records), 40)
        chunk = contracts.history_chunk
        tens = [records[i:i + 10] for i in range(0, len(records), 10)]
        whole = 0, len(records), records[-1][-32:].hex(), ""
        self.assertEqual(self.said_of(map(chunk, tens)), whole)
        self.assertEqual(self.said_of(records), whole)
        self.assertEqual(self.said_of([*tens[0], chunk(tens[1]), *tens[2], *map(chunk, tens[3:])]), whole)
        letter = bytearray(records[14])
        letter[len(letter) // 2] ^= 1
        other = records[14].replace(WORKFLOW.encode(), b"suifenhe-2023", 1)
        for instead, holds, told in (
                (chunk(tens[1][:4] + [bytes(letter)] + tens[1][5:]), 14, "history record 15"),
                (chunk(tens[1][:4] + tens[1][5:]), 14, "record 16 of suifenhe-2024 stands where 15 should be"),
                (chunk(tens[1][:4] + [tens[1][5], tens[1][4]] + tens[1][6:]), 14, "record 16 of suifenhe-2024 stands where 15 should be"),
                (chunk(tens[1][:4] + [other] + tens[1][5:]), 14, "the record that should be its 15th is of suifenhe-2023"),
                (chunk(tens[1] + tens[1][-1:]), 20, "record 20 of suifenhe-2024 stands where 21 should be"),
                (chunk(tens[1])[:-1], 19, "history record 20"),
                (chunk(tens[1][:4]) + b"\x82\x01\x80", 14, "history record 15")):
            with self.subTest(told=told):
                status, count, digest, err = self.said_of([chunk(tens[0]), instead, *map(chunk, tens[2:])])
                self.assertEqual((status, count, digest), (1, holds, records[holds - 1][-32:].hex()), err)
                self.assertIn(told, err)


if __name__ == "__main__":
    unittest.main()
