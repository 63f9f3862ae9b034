#!/usr/bin/env python3
"""bus_kafka against a real broker: order, exactly once through kills of the daemon and of the broker, taking over, and what it says when
something is wrong. What came out is read back with kcat, read_committed, and compared with what the inputs say should have come out.

    test_bus.py [--build build] [--seed N] [--kills 6] [--broker-kills 2] [NAME…]

The test runner takes the same from B and SEED.
"""
import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections import defaultdict
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import broker as brokers  # noqa: E402
import oracle  # noqa: E402

PARTITIONS = 2
FENCED = {"LSAN_OPTIONS": f"suppressions={Path(__file__).resolve().parent / 'fenced.supp'}"}
POINTS = ["begin", "emit", "offsets", "commit", "store"]


class Failed(AssertionError):
    pass


def kcat(bootstrap, topic, form, committed=True):
    level = "read_committed" if committed else "read_uncommitted"
    run = subprocess.run(["kcat", "-b", bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-X", f"isolation.level={level}",
                          "-f", form + "\\n"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60)
    if run.returncode != 0:
        raise Failed(f"kcat could not read {topic}")
    return [line.split(" ") for line in run.stdout.splitlines()]


def expected(bootstrap):
    """Per partition, the outputs that the inputs call for: merged by (receipt, submissions first, offset), each id once."""
    inputs = defaultdict(list)
    for lane, topic in enumerate(["duban.submissions", "duban.deadlines"]):
        for p, offset, when, key, *sent in kcat(bootstrap, topic, "%p %o %T %k %s"):
            if key:  # not a barrier
                inputs[int(p)].append((int(when), lane, int(offset), key, sent[0], int(sent[1])))
    out = {}
    for p, records in inputs.items():
        sums, seen, out[p] = defaultdict(int), set(), []
        for _, _, _, key, number, add in sorted(records):
            if number not in seen:
                seen.add(number)
                sums[key] += add
                out[p].append(f"{number} {key} {sums[key]}")
    return out


def outputs(bootstrap):
    out = defaultdict(list)
    for p, _, *text in sorted(kcat(bootstrap, "duban.warnings", "%p %o %s"), key=lambda r: (int(r[0]), int(r[1]))):
        out[int(p)].append(" ".join(text))
    return out


def by_key(lines):
    """Each key's in their order; history has none between keys."""
    return sorted(lines, key=lambda line: line.split(" ")[1])


def histories(bootstrap):
    """Per partition, by key; what is in a chunk is of its key."""
    out = defaultdict(list)
    for r in oracle.Cluster(bootstrap).history():
        line = r.value.decode()
        if line.split(" ")[1] != r.key.decode():
            raise Failed(f"history partition {r.partition} offset {r.offset}: {line!r} has the key {r.key!r}")
        out[r.partition].append(line)
    return defaultdict(list, {p: by_key(lines) for p, lines in out.items()})


def compare(bootstrap, folders=()):
    called_for, end = expected(bootstrap), time.monotonic() + 20
    wanted = {"duban.warnings": called_for, "duban.history": {p: by_key(lines) for p, lines in called_for.items()}}
    while True:  # a transaction's markers may follow its end by a moment
        topics = {"duban.warnings": outputs(bootstrap), "duban.history": histories(bootstrap)}
        if all(topics[t][p] == lines for t, want in wanted.items() for p, lines in want.items()) or time.monotonic() > end:
            break
    for topic, want in wanted.items():
        for p, lines in want.items():
            have = topics[topic][p]
            if have != lines:
                at = next((i for i, (a, b) in enumerate(zip(have, lines)) if a != b), min(len(have), len(lines)))
                raise Failed(f"{topic} partition {p}: {len(have)} records, {len(lines)} expected; first difference at {at}: "
                             f"{have[at:at + 2]} instead of {lines[at:at + 2]}")
    for folder in folders:
        for p, lines in called_for.items():
            if (folder / f"p{p}").exists():
                compare_store(folder, p, lines)


def compare_store(folder, partition, lines):
    text = subprocess.run([DRIVER, "dump", str(folder), str(partition)], stdout=subprocess.PIPE, text=True, check=True).stdout
    sums = {line.split()[1]: line.split()[2] for line in text.splitlines() if line.startswith("sum")}
    history = sorted(line[8:] for line in text.splitlines() if line.startswith("history"))
    want = {line.split()[1]: line.split()[2] for line in lines}
    if sums != want:
        raise Failed(f"partition {partition}: the store's sums are not those of the outputs")
    if history != sorted(lines):
        raise Failed(f"partition {partition}: the store has {len(history)} history records, {len(lines)} expected")


def drive(*args, **env):
    run = subprocess.run([DRIVER, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                         env={**os.environ, "QUIET": "1", **env})
    if run.returncode != 0:
        raise Failed(f"{args[0]}: {run.stdout[-500:]}")
    return run.stdout


class Worker:
    """The driver at work on a folder; everything it says is kept."""

    all = []

    @classmethod
    def end_all(cls):
        for w in cls.all:
            if w.process.poll() is None:
                w.process.kill()
                w.process.wait()
        cls.all.clear()

    def __init__(self, bootstrap, folder, node="n1", **env):
        self.folder, self.log = Path(folder), Path(f"{folder}.{node}.log")
        self.folder.mkdir(exist_ok=True)
        self.out = open(self.log, "a")
        self.start = self.log.stat().st_size
        self.process = subprocess.Popen([DRIVER, "run", bootstrap, str(folder), node], stdout=self.out, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, env={**os.environ, **{k: str(v) for k, v in env.items()}})

        self.all.append(self)

    def text(self):
        with open(self.log, errors="replace") as f:
            f.seek(self.start)
            return f.read()

    def wait_for(self, what, seconds=40, times=1):
        until = time.monotonic() + seconds
        while self.text().count(what) < times:
            if time.monotonic() > until or self.process.poll() is not None:
                raise Failed(f"\"{what}\" was not said within {seconds} s: {self.text()[-600:]}")
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.end()

    def stop(self, seconds=20):
        self.process.terminate()
        self.end(seconds)
        if "closed" not in self.text():
            raise Failed(f"the worker did not close: {self.text()[-600:]}")

    def end(self, seconds=20):
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"the worker did not end: {self.text()[-600:]}") from None
        finally:
            self.out.close()
        if code not in (0, -signal.SIGKILL):
            raise Failed(f"the worker ended with {code}: {self.text()[-900:]}")


class Sender:
    """Appends beside whatever else happens; tries again what the log did not answer."""

    def __init__(self, bootstrap, count, first):
        self.process = subprocess.Popen([DRIVER, "append", bootstrap, str(count), "7", str(first)],
                                        stdin=subprocess.DEVNULL, env={**os.environ, "QUIET": "1"})
        Worker.all.append(self)

    def done(self, seconds=120):
        if self.process.wait(seconds) != 0:
            raise Failed("the sender failed")


def await_all(bootstrap, count, worker, seconds=90):
    until = time.monotonic() + seconds
    while True:
        have = sum(len(v) for v in outputs(bootstrap).values())
        if have >= count:
            return
        if worker.process.poll() is not None or time.monotonic() > until:
            raise Failed(f"{have} of {count} outputs: {worker.text()[-900:]}")
        time.sleep(0.2)


def exactly_once(folder, bootstrap, rng):
    """kill -9 at random instants and at every named point; half-way the state is taken away."""
    drive("create", bootstrap, PARTITIONS)
    count = 6000
    drive("append", bootstrap, count // 2, rng.randrange(1 << 30))
    kills = [None] * OPTIONS.kills + POINTS * 2
    rng.shuffle(kills)
    sender = None
    state = folder / "state"
    for i, point in enumerate(kills):
        if i == len(kills) // 2:
            sender = Sender(bootstrap, count - count // 2, count)
            shutil.rmtree(state)
        w = Worker(bootstrap, state, BATCH=rng.choice([1, 20, 60]), **({"CRASH": f"{point}:{rng.randrange(1, 12)}"} if point else {}))
        try:
            if point:
                w.process.wait(20)
            else:
                w.wait_for("ready")
                time.sleep(rng.random() * 0.6)
        except subprocess.TimeoutExpired:
            pass  # nothing was left to do for it
        w.kill()
    sender.done()
    w = Worker(bootstrap, state)
    await_all(bootstrap, count, w)
    w.wait_for("complete", times=PARTITIONS)
    w.stop()
    compare(bootstrap, [state])


def paced(folder, bootstrap, rng):
    """Records that come one by one: what arrives while a batch begins goes along with it."""
    drive("create", bootstrap, 1)
    w = Worker(bootstrap, folder / "state")
    w.wait_for("ready")
    drive("append", bootstrap, 3000, rng.randrange(1 << 30), WINDOW="1")
    await_all(bootstrap, 3000, w)
    w.stop()
    taken, batches, _, meanwhile = (int(word) for word in re.search(r"taken (.*)", w.text())[1].split() if word.isdigit())
    if taken != 3000 or not 0 < meanwhile < taken or batches >= 3000:
        raise Failed(w.text()[-200:])
    compare(bootstrap, [folder / "state"])


def rebuilt(folder, bootstrap, rng):
    """A state that is gone comes back from the changelog and the history, killed at each step of that; one that is too old is emptied first."""
    drive("create", bootstrap, PARTITIONS)
    drive("append", bootstrap, 3000, rng.randrange(1 << 30))
    state = folder / "state"
    w = Worker(bootstrap, state)
    await_all(bootstrap, 3000, w)
    w.stop()
    shutil.rmtree(state)
    for _ in range(2 * PARTITIONS - 1):  # whose it is, changelog and history of each; the last is let live
        w = Worker(bootstrap, state, CRASH="store:2")
        w.process.wait(20)
        w.kill()
    w = Worker(bootstrap, state)
    w.wait_for("complete", times=PARTITIONS)
    w.stop()
    compare(bootstrap, [state])
    drive("append", bootstrap, 100, rng.randrange(1 << 30), 3000)
    w = Worker(bootstrap, state, CRASH="store:1")
    w.process.wait(20)
    w.kill()
    drive("topic", bootstrap, "alter", "duban.changelog", 0, "cleanup.policy=compact delete.retention.ms=100")
    w = Worker(bootstrap, state)
    w.wait_for("wipe")
    await_all(bootstrap, 3100, w)
    w.wait_for("complete", times=PARTITIONS)
    w.stop()
    compare(bootstrap, [state])


def broker_killed(folder, bootstrap, rng, broker):
    """The broker is killed under load, and comes back, the first time only when session and transaction have long been over."""
    drive("create", bootstrap, PARTITIONS)
    count = 12000
    drive("append", bootstrap, count // 2, rng.randrange(1 << 30))
    state = folder / "state"
    w = Worker(bootstrap, state, BATCH=20, SESSION_MS=6000, TRANSACTION_MS=5000, **FENCED)
    w.wait_for("ready", times=PARTITIONS)
    sender = Sender(bootstrap, count - count // 2, count)
    for i in range(OPTIONS.broker_kills):
        time.sleep(0.2 + rng.random() * 0.5)
        broker.kill()
        if i == 0:
            w.wait_for("broker away")
        time.sleep(rng.random() * 3 if i else 9)
        broker.start()
    sender.done()
    await_all(bootstrap, count, w, 120)
    w.stop(60)
    compare(bootstrap, [state])


def nodes(folder, bootstrap, rng):
    """A second node joins under load; one is killed and the other takes over from the changelog; one held up long enough is fenced."""
    drive("create", bootstrap, PARTITIONS)
    count, first = 3000, 0
    env = {"SESSION_MS": 6000, "TRANSACTION_MS": 5000, "BATCH": 10, **FENCED}
    one, two = folder / "one", folder / "two"

    def append():
        nonlocal first
        drive("append", bootstrap, count, rng.randrange(1 << 30), first)
        first += count

    append()
    a = Worker(bootstrap, one, "a", **env)
    a.wait_for("ready", times=PARTITIONS)
    b = Worker(bootstrap, two, "b", **env)
    b.wait_for("ready")
    append()
    await_all(bootstrap, first, a)
    append()
    a.kill()
    b.wait_for("ready", times=1 + PARTITIONS)
    await_all(bootstrap, first, b)
    append()
    b.process.send_signal(signal.SIGSTOP)
    a = Worker(bootstrap, one, "a", **env)
    a.wait_for("ready", times=PARTITIONS)
    await_all(bootstrap, first, a)
    b.process.send_signal(signal.SIGCONT)
    b.wait_for("ready", times=2 + PARTITIONS)
    append()
    await_all(bootstrap, first, b)
    a.stop()
    b.stop()
    compare(bootstrap)


def same_node_twice(folder, bootstrap, rng):
    """Of two processes of one name one stands aside, says which setting is wrong, and begins again when the other is gone."""
    drive("create", bootstrap, PARTITIONS)
    drive("append", bootstrap, 3000, rng.randrange(1 << 30))
    session = {"SESSION_MS": 6000, "TRANSACTION_MS": 5000}
    a = Worker(bootstrap, folder / "one", BATCH=1, **session, **FENCED)
    a.wait_for("ready", times=PARTITIONS)
    b = Worker(bootstrap, folder / "two", BATCH=1, **session, **FENCED)
    until = time.monotonic() + 40  # whichever was last to join has the place
    while not (aside := [w for w in (a, b) if "give each node a `node:` of its own" in w.text()]) and time.monotonic() < until:
        time.sleep(0.05)
    if len(aside) != 1:
        raise Failed(f"one of two was to stand aside, {len(aside)} did: {a.text()[-600:]}{b.text()[-600:]}")
    loser, winner = (a, b) if aside == [a] else (b, a)
    ready = loser.text().count("ready")
    await_all(bootstrap, 3000, winner)
    if loser.text().count("ready") != ready or loser.text().count("stands aside") > 2:
        raise Failed(f"it did not stand aside: {loser.text()[-900:]}")
    winner.kill()
    loser.wait_for("ready", times=ready + PARTITIONS)
    a = loser
    await_all(bootstrap, 3000, a)
    a.stop()
    compare(bootstrap, [a.folder])


def says_what_is_wrong(folder, bootstrap, rng, broker):
    """Away at the start, topics that do not exist or do not fit, a state of other topics: said, with the cure, and nothing taken."""
    def topic(what, name, count=0, config=""):
        drive("topic", bootstrap, what, f"duban.{name}", count, config)

    session = {"SESSION_MS": 2000, "TRANSACTION_MS": 2000}  # short, so that the group is soon empty
    broker.stop()
    w = Worker(bootstrap, folder / "state", **session)
    w.wait_for("trouble kafka: broker away")
    broker.start()
    w.wait_for("topic duban.submissions does not exist: kafka-topics.sh")
    topics = ["submissions", "deadlines", "warnings", "supervision", "notifications", "rejected", "changelog", "history"]
    for t in topics:
        topic("create", t, 1 if t == "deadlines" else 2,
              {"submissions": "message.timestamp.type=LogAppendTime"}.get(t, ""))
    w.wait_for("duban.deadlines has 1 partitions where others have 2")
    w.wait_for("--alter --topic duban.deadlines --partitions 2")
    topic("partitions", "deadlines", 2)
    w.wait_for("duban.deadlines has message.timestamp.type=CreateTime, LogAppendTime is needed: kafka-configs.sh")
    topic("alter", "deadlines", 0, "message.timestamp.type=LogAppendTime")
    w.wait_for("duban.changelog has cleanup.policy=delete, compact is needed: kafka-configs.sh")
    w.wait_for("--entity-name duban.changelog --add-config cleanup.policy=compact")
    topic("alter", "changelog", 0, "cleanup.policy=compact")
    w.wait_for("ready", times=PARTITIONS)
    drive("append", bootstrap, 100, rng.randrange(1 << 30))
    await_all(bootstrap, 100, w)
    w.stop()
    drive("commit", bootstrap, "test", "duban.submissions", 0)
    w = Worker(bootstrap, folder / "state", **session)
    w.wait_for("partition 0 is halted: the committed offset of duban.submissions is not duband's own")
    w.wait_for("ready 1")
    w.stop()
    for t in topics:
        topic("delete", t)
    drive("create", bootstrap, PARTITIONS)
    w = Worker(bootstrap, folder / "state")
    w.wait_for("is halted")
    w.stop()
    if outputs(bootstrap):
        raise Failed("a state of other topics was put to work")
    w = Worker(bootstrap, folder / "fresh")
    w.wait_for("ready", times=PARTITIONS)
    broker.kill()
    w.wait_for("trouble kafka: broker away")
    w.stop(5)


VERSION, FAULT_VERSION = os.environ.get("KAFKA", brokers.DEFAULT_VERSION), os.environ.get("KAFKA_FAULTS", brokers.FAULT_VERSION)
SCENARIOS = {  # name: (function, version of the broker, takes the broker)
    "exactly-once": (exactly_once, VERSION, False),
    "paced": (paced, VERSION, False),
    "rebuilt": (rebuilt, VERSION, False),
    "nodes": (nodes, VERSION, False),
    "same-node-twice": (same_node_twice, VERSION, False),
    "says-what-is-wrong": (says_what_is_wrong, VERSION, True),
    "broker-killed": (broker_killed, FAULT_VERSION, True),
}


def run_scenario(name):
    function, version, takes_broker = SCENARIOS[name]
    folder = Path(tempfile.mkdtemp(prefix=f"duban-{name}-"))
    rng = random.Random(f"{OPTIONS.seed} {name}")
    try:
        with brokers.Broker(folder / "broker", brokers.jars(version, OPTIONS.build)) as broker:
            function(folder, broker.bootstrap, rng, *([broker] if takes_broker else []))
    except Exception:
        print(f"{name}: SEED={OPTIONS.seed}; what it left is in {folder}", flush=True)
        raise
    finally:
        Worker.end_all()
    if not OPTIONS.keep:
        shutil.rmtree(folder)


class BusOnKafka(unittest.TestCase):
    """One test for each scenario."""


for scenario in SCENARIOS:
    setattr(BusOnKafka, "test_" + scenario.replace("-", "_"), lambda self, name=scenario: run_scenario(name))


def options(arguments):
    parser = argparse.ArgumentParser(description="bus_kafka against a real broker.")
    parser.add_argument("--build", default=os.environ.get("B", "build"))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", random.randrange(1 << 30))))
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--broker-kills", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="leave the folders where they are")
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(SCENARIOS))
    return parser.parse_args(arguments)


OPTIONS = options([])
DRIVER = str(Path(OPTIONS.build).resolve() / "kafka" / "bus_kafka_test")


def main():
    global OPTIONS, DRIVER
    OPTIONS = options(None)
    DRIVER = str(Path(OPTIONS.build).resolve() / "kafka" / "bus_kafka_test")
    print(f"SEED={OPTIONS.seed}", flush=True)
    names, failed = OPTIONS.names or list(SCENARIOS), 0
    for name in names:
        started = time.monotonic()
        try:
            run_scenario(name)
            print(f"ok {name} ({time.monotonic() - started:.0f} s)", flush=True)
        except (Failed, RuntimeError, subprocess.SubprocessError) as error:
            print(f"FAIL {name}: {error}", flush=True)
            failed += 1
    print(f"{len(names) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
