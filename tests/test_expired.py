"""A group that was stopped for two weeks: its committed offsets have expired. The last marker decides, and nothing is lost or said twice; what retention
removed meanwhile is told, and holds up its own partition only."""
import os
import shutil
import sys
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "kafka"))
import admin  # noqa: E402
import oracle  # noqa: E402
import test_kafka  # noqa: E402

PATIENCE_S = 60
UNHELD = {"kafka.properties.session.timeout.ms": 2000, "kafka.properties.transaction.timeout.ms": 2000}  # a static member is forgotten after that


class Expired(test_kafka.OnBroker):
    def expire(self, cluster, partitions):
        """What two weeks do. The group must have lost its members first, as it has by then."""
        end, group = time.monotonic() + PATIENCE_S, f"g-{cluster.prefix[:-1]}"
        while (answer := admin.delete_offsets(self.broker.bootstrap, group, [cluster.name(t) for t in oracle.INPUTS], partitions)) != (
                0, [0] * 2 * partitions):
            self.assertLess(time.monotonic(), end, f"the offsets cannot be deleted: {answer}")
            time.sleep(0.05)

    def test_the_last_marker_decides(self):
        events, want = oracle.year_with_sentinel()
        cluster = self.cluster()
        d = self.node(cluster, time="events", **UNHELD).start()
        quarter = len(events) // 4
        parts = [events[i * quarter:(i + 1) * quarter if i < 3 else len(events)] for i in range(4)]
        for i, part in enumerate(parts):
            d.accept(part)
            if i == 1:
                d.kill()  # with work left, perhaps in the middle of a batch
            elif i < 3:
                d.applied(part[-1]["source"], part[-1]["id"])
                d.stop()
            if i == 3:
                break
            self.expire(cluster, 1)
            if i == 2:
                shutil.rmtree(d.data)  # and another machine
            d.start()
        d.applied("test", "sentinel")
        self.same(cluster, want, 500)
        self.chain(cluster)
        d.stop()

    def test_what_retention_has_removed_is_told(self):
        cluster = self.cluster(partitions=2)
        d = self.node(cluster, oracle.ALARM, **UNHELD).start()
        d.accept([oracle.asked("office", 1, "o-1", "tax", time.time() + 3600)])
        d.applied("office", "asked-1")
        held = next(r.partition for r in cluster.read("duban.deadlines") if r.header("ce_id") == "asked-1")
        d.stop()
        for n in range(3):
            cluster.portal(oracle.answered("portal", n, "o-1", "tax"), "duban.submissions")
        self.expire(cluster, 2)
        low = admin.delete_records(self.broker.bootstrap, cluster.name("duban.submissions"), held, -1)
        self.assertGreaterEqual(low, 3)  # barriers lie there, too
        d.launch()
        d.serves()
        d.await_log("no longer holds offset")
        d.await_unready("retention removed what was not read yet", f"partition {held}", cluster.name("duban.submissions"))
        self.assertEqual([c["state"] for c in d.get("/v1/cases").rows] or ["waiting"], ["waiting"])
        d.stop()


if __name__ == "__main__":
    unittest.main()
