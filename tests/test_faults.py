"""Kafka under fire: what a consumer that is none of ours reads is what `dubanctl simulate` says of the topics, 0 lost, 0 twice, 0 out of order, and every
store is the fold of its changelog, whatever fails. The rounds are those of tests/kafka/faults.py; `make torture` plays many more of them.

    SEED=N repeats a run; a failure names the round to repeat."""
import os
import pathlib
import random
import sys
import time
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent / "kafka")]
import broker as brokers  # noqa: E402
from faults import FAULTS, play, stored_jars  # noqa: E402
from world import Figures  # noqa: E402

VERSION = os.environ.get("KAFKA_FAULTS", brokers.FAULT_VERSION)


class Faults(unittest.TestCase):
    sites = {}

    @classmethod
    def tearDownClass(cls):
        for site in cls.sites.values():
            site.close()
        cls.sites.clear()

    def site(self, kind):
        """Those of one kind share it; of two kinds only one runs."""
        if kind not in self.sites:
            self.tearDownClass()
            self.sites[kind] = kind(stored_jars(VERSION))
        return self.sites[kind]

    def rounds(self, name):
        fault, total, began = FAULTS[name], Figures(), time.monotonic()
        seed = int(os.environ.get("SEED") or random.randrange(1 << 30))
        print(f"        {self.id()}: SEED={seed}", flush=True)
        rounds, each = fault.check
        for number in range(rounds):
            total.add(play(self.site(fault.site), name, number, seed + number, each))
        print(f"        {fault.title}: {total.faults} faults in {total.rounds} rounds, {total.outputs} outputs, {total.lost} lost, {total.twice} twice, "
              f"{total.disordered} out of order; slowest recovery {total.slowest:.1f} s; {time.monotonic() - began:.0f} s", flush=True)


def _test(name):
    return lambda self: self.rounds(name)


for _i, _name in enumerate(FAULTS):
    setattr(Faults, f"test_{_i:02}_{_name.replace('-', '_')}", _test(_name))


if __name__ == "__main__":
    unittest.main()
