"""The recogniser of the broker's own fault (markers.py), on that fault's trace: a transaction that was committed, its marker gone from a partition."""
import pathlib
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent))
import broker as brokers  # noqa: E402
import markers  # noqa: E402
import oracle  # noqa: E402
from portal import Portal  # noqa: E402

CONTROL, BATCH_HEAD = 0x20, 12  # bit of a batch's attributes; its offset and its length
ATTRIBUTES_AT = 21
DERIVED = ["*.snapshot", "*.index", "*.timeindex", "*.txnindex"]


def cut_marker(folder, topic, partition):
    """Takes the last batch out of a stopped broker's partition, which must be a marker, and whatever else remembers it."""
    place = folder / "data" / f"{topic}-{partition}"
    segment = max(place.glob("*.log"))
    data, at, last = segment.read_bytes(), 0, 0
    while at < len(data):
        last, at = at, at + BATCH_HEAD + struct.unpack_from(">i", data, at + 8)[0]
    assert struct.unpack_from(">h", data, last + ATTRIBUTES_AT)[0] & CONTROL, "the last batch is no marker"
    segment.write_bytes(data[:last])
    for pattern in DERIVED:
        for file in place.glob(pattern):
            file.unlink()
    for name in ["recovery-point-offset-checkpoint", "replication-offset-checkpoint", ".kafka_cleanshutdown"]:
        (folder / "data" / name).unlink(missing_ok=True)


class Markers(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="duban-markers-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.broker = brokers.Broker(folder, brokers.jars(brokers.FAULT_VERSION, oracle.BUILD))
        self.addCleanup(self.broker.kill)
        self.broker.start()
        self.cluster = oracle.Cluster(self.broker.bootstrap)
        self.cluster.create(1)

    def send(self, portal, topic, value):
        portal.send(topic, b"k", value, {"ce_id": value.decode()})

    def test_missing_marker_is_recognised_and_nothing_else_is(self):
        with Portal(self.broker.bootstrap, "worker-1") as done, Portal(self.broker.bootstrap, "worker-2", transaction_ms=60000) as going:
            for portal, value in [(done, b"a"), (done, b"b")]:
                portal.begin()
                self.send(portal, "duban.warnings", value)
                self.send(portal, "duban.supervision", value)
                portal.commit()
            going.begin()
            self.send(going, "duban.notifications", b"open")
            going.flush(30)
            self.assertEqual(markers.lost(self.broker.bootstrap), [], "a transaction that goes on is no fault")
            self.broker.kill()
            cut_marker(self.broker.folder, "duban.supervision", 0)
            self.broker.start()
            self.assertEqual([r.value for r in self.cluster.read("duban.warnings")], [b"a", b"b"])
            self.assertEqual([r.value for r in self.cluster.read("duban.supervision")], [b"a"], "what was committed is held back")
            found = markers.lost(self.broker.bootstrap)
            self.assertEqual([(f.topic, f.partition, f.transactional_id, f.state) for f in found],
                             [("duban.supervision", 0, "worker-1", "CompleteCommit")])
            self.assertIn("marker was lost", str(found[0]))
            going.commit()
            self.broker.kill()
            self.broker.start()
            self.assertEqual(markers.lost(self.broker.bootstrap), found, "starting again does not cure it")


if __name__ == "__main__":
    unittest.main()
