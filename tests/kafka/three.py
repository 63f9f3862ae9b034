"""Three brokers that are one cluster (KRaft, each a broker and a controller): one may be lost and nothing is."""
from pathlib import Path

import broker as brokers

COUNT = 3
REPLICATED = """\
node.id={id}
controller.quorum.voters={voters}
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
default.replication.factor=3
min.insync.replicas=2
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
broker.session.timeout.ms=3000
replica.lag.time.max.ms=3000
"""


class Three:
    def __init__(self, folder, lib):
        self.brokers = [brokers.Broker(Path(folder) / f"broker-{i}", lib) for i in range(1, COUNT + 1)]
        voters = ",".join(f"{i}@127.0.0.1:{b.controller}" for i, b in enumerate(self.brokers, 1))
        for i, b in enumerate(self.brokers, 1):
            b.extra = REPLICATED.format(id=i, voters=voters)

    @property
    def bootstrap(self):
        return ",".join(b.bootstrap for b in self.brokers)

    def start(self):
        """Two of three are a quorum: alone none of them would answer."""
        for b in self.brokers:
            if not b.alive():
                b.launch()
        for b in self.brokers:
            b.await_answer()
        return self

    def alive(self):
        return all(b.alive() for b in self.brokers)

    def kill(self):
        for b in self.brokers:
            b.kill()
