"""What a batch asks of the broker, and when: few requests for events that come one by one, no 20 ms for librdkafka to try again, and as many events
as there are in each batch. Seen from the calls of librdkafka, which a preloaded library writes down."""
import json
import pathlib
import re
import shutil
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "kafka"))
import oracle  # noqa: E402
from node import preloaded  # noqa: E402
from portal import Portal  # noqa: E402
from test_kafka import OnBroker  # noqa: E402

SOON = 3600
FEW = 256        # events of a batch from which on there is a backlog
BACKLOG = 6000   # events: more than a megabyte of outputs in one batch


class Pace(OnBroker):
    def setUp(self):
        super().setUp()
        self.mine = pathlib.Path(tempfile.mkdtemp(prefix="duband-pace-"))
        self.addCleanup(shutil.rmtree, self.mine)
        self.calls = self.mine / "calls"
        self.ours = self.cluster()
        self.d = self.node(self.ours, oracle.ALARM)
        self.d.environment = {"LD_PRELOAD": preloaded("calls", self.mine), "CALLS": str(self.calls)}
        self.sent = 0

    def event(self):
        self.sent += 1
        return oracle.asked("pace", self.sent, "o-1", f"s-{self.sent}", time.time() + SOON)

    def send(self, portal, event):
        portal.send(self.ours.name(oracle.lane_of(event)), b"alarm", json.dumps(event["data"]).encode(), oracle.headers_of(event))

    def batches(self):
        """Of each that was made final, what was called from its begin on."""
        return [part.split("\n") for part in re.findall(r"^begin\n((?:(?!begin\n).*\n)*?committed\n)", self.calls.read_text(), re.MULTILINE)]

    def outputs(self, batch):
        """Where in the batch its records were sent."""
        inputs = [f"produce {self.ours.name(topic)}" for topic in oracle.INPUTS]
        return [i for i, call in enumerate(batch) if call.startswith("produce ") and call not in inputs]

    def barriers(self, batch):
        return [i for i, call in enumerate(batch) if call in [f"produce {self.ours.name(topic)}" for topic in oracle.INPUTS]]

    def events(self, batch):
        return batch.count(f"produce {self.ours.name('duban.history')}")

    def parts(self, batch):
        """Were offsets sent as it began? And what was called after that."""
        early = batch.index("least 1") if batch.count("offsets") > 1 else -1
        if early >= 0:
            self.assertEqual(batch[:early], ["least 65536", "offsets"])
        return early >= 0, batch[early + 1:]

    def check_small(self, batch):
        """The offsets before all else; from then on until the records are stored, what the broker sends waits. Where they were sent as the batch
        began, nothing waits while it is made, and those it ends with follow the records."""
        early, batch = self.parts(batch)
        held, free = batch.index("least 65536"), batch.index("least 1")
        outputs = self.outputs(batch)
        offsets = batch.index("offsets")
        self.assertTrue(outputs[-2] < offsets if early else offsets < outputs[0], batch)
        marker = outputs[-1]
        self.assertTrue(held < outputs[0] and max(offsets, outputs[-2]) < free < marker < batch.index("commit"), batch)
        return early

    def test_one_event(self):
        self.d.start()
        event = self.event()
        self.d.post(event)
        self.d.applied("pace", event["id"])
        self.d.stop()
        batches = self.batches()
        self.assertEqual([self.events(batch) for batch in batches if self.events(batch)], [1, 1], "the definition, and the event")
        for batch in batches:
            if self.events(batch):
                self.check_small(batch)

    def test_barrier_ahead(self):
        """While events come, that of the next batch is placed before this one is final, not before its records are stored; and one of its own as it
        begins, once its offsets were taken."""
        self.d.start()
        end, ahead, early = time.monotonic() + 60, [], []
        with Portal(self.ours.bootstrap) as portal:
            while not (ahead and early) and time.monotonic() < end:
                for _ in range(20):
                    self.send(portal, self.event())
                portal.flush()
                batches = [batch for batch in self.batches() if self.events(batch)]
                early = [batch for batch in batches if batch.count("offsets") > 1]
                ahead = [batch for batch in batches if any(at > self.outputs(batch)[-2] for at in self.barriers(batch))]
        self.assertTrue(ahead and early, f"none in {self.sent} events")
        for batch in ahead + early:
            if self.events(batch) < FEW:
                self.assertEqual(self.check_small(batch), batch in early)
            first, last = self.outputs(batch)[0], self.outputs(batch)[-2]
            for at in self.barriers(batch):
                self.assertTrue(batch.index("offsets") < at < first or last < at < batch.index("commit"), batch)
        self.d.applied("pace", f"asked-{self.sent}")
        self.d.stop()

    def test_backlog(self):
        self.d.start()
        self.d.stop()
        with Portal(self.ours.bootstrap) as portal:
            for _ in range(BACKLOG):
                self.send(portal, self.event())
            portal.flush()
        self.calls.unlink()
        self.d.start()
        self.d.applied("pace", f"asked-{self.sent}")
        self.d.stop()
        batches = [batch for batch in self.batches() if self.events(batch)]
        self.assertEqual(sum(map(self.events, batches)), BACKLOG)
        for batch in batches:
            if self.events(batch) < FEW:
                self.check_small(batch)
            else:
                self.assertNotIn("least 65536", self.parts(batch)[1], "what is fetched meanwhile is wanted")
        large = [batch for batch in batches if self.outputs(batch)[0] < batch.index("offsets")]
        self.assertTrue(large, "more than a megabyte is not kept back")
