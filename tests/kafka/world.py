"""One history under faults: four partitions, several workflows over them, portals that stream, nodes that come and go; and at the end the judgement,
by readers that are none of our code.

Everything random comes from one seed. What is random in time is when a fault hits; what is right follows from the topics alone."""
import contextlib
import dataclasses
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent)]
import contracts  # noqa: E402
import fold  # noqa: E402
import markers  # noqa: E402
import oracle  # noqa: E402
from node import Node  # noqa: E402
from portal import Portal, Refused  # noqa: E402

PARTITIONS = 4
WORKFLOWS = 6
CEILING_S = 180  # that long nothing takes unless something is wrong
AHEAD_S = 1.5    # an answer is asked for so far ahead, at most
LEAST = 200      # events that portals have told, however slow they are, when they become quiet
PORTALS, TRANSACTIONAL = 2, 2
SAID = 1500      # characters of one difference
CLOCK = "duban.v1.DeadlineReached"
CHANGELOG, HISTORY = "duban.changelog", "duban.history"
UNITS = ["o-1", "o-2", "o-3"]


def murmur2(key):
    """As Kafka's Java clients hash a key."""
    m, h = 0x5bd1e995, 0x9747b28c ^ len(key)
    for i in range(0, len(key) & ~3, 4):
        k = int.from_bytes(key[i:i + 4], "little") * m & 0xffffffff
        h = (h * m & 0xffffffff) ^ ((k ^ k >> 24) * m & 0xffffffff)
    if rest := key[len(key) & ~3:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & 0xffffffff
    h = (h ^ h >> 13) * m & 0xffffffff
    return (h ^ h >> 15) & 0x7fffffff


@dataclasses.dataclass
class Figures:
    rounds: int = 0
    faults: int = 0
    inputs: int = 0
    outputs: int = 0
    lost: int = 0
    twice: int = 0
    disordered: int = 0
    undone: int = 0      # history records of transactions that came to nothing
    slowest: float = 0.0  # seconds from a fault to the first turn of an event that came after it, of the slowest partition
    broken: int = 0      # rounds that ended in a fault of the broker's own

    def add(self, other):
        for field in dataclasses.fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            setattr(self, field.name, max(mine, theirs) if field.name == "slowest" else mine + theirs)


class Wrong(AssertionError):
    pass


class BrokerBroken(Exception):
    """The broker lost markers of its own: no verdict on us."""


class Snapshot(oracle.Cluster):
    """Each topic is read once."""

    def __init__(self, cluster):
        super().__init__(cluster.bootstrap, cluster.prefix)
        self.kept = {}

    def read(self, topic, committed=True):
        if (topic, committed) not in self.kept:
            self.kept[topic, committed] = super().read(topic, committed)
        return self.kept[topic, committed]

    def is_like(self, other):
        return all(self.read(topic) == other.read(topic) for topic in [*oracle.INPUTS, *oracle.OUTPUTS, "duban.rejected", HISTORY])


class World:
    count = 0

    def __init__(self, site, seed, **settings):
        self.rng, self.seed, self.site, self.settings = random.Random(seed), seed, site, settings
        World.count += 1
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="duban-world-"))
        self.cluster = oracle.Cluster(site.bootstrap, f"w{os.getpid()}-{World.count}.")
        self.nodes, self.streams, self.faults, self.figures, self.said = [], [], [], Figures(rounds=1), []
        self.stop_streams, self.portals, self.told = threading.Event(), 0, 0
        self.misplaced = set()  # folders into which another partition's state was put
        self.session = self.rng.choice([3000, 4500, 6000])
        self.transaction = self.rng.choice([self.session // 2, self.session - 500, self.session])
        self.workflows = self.name_workflows()
        self.standby = self.rng.choice(["none", "all"])
        self.everywhere = self.rng.random() < 0.5  # every node has the workflows configured, or one alone

    def say(self, text):
        """The plan as it is carried out: with the seed, what one needs to understand a failure."""
        self.said.append(f"{time.time() % 1000:7.2f}  {text}")

    def name_workflows(self):
        """One at least for each partition, the rest anywhere."""
        names, of = [], {}
        while len(of) < PARTITIONS or len(names) < WORKFLOWS:
            name = f"alarm-{self.rng.randrange(10 ** 6)}"
            partition = murmur2(name.encode()) % PARTITIONS
            if len(names) - len(of) < WORKFLOWS - PARTITIONS or partition not in of:
                names.append(name)
                of.setdefault(partition, name)
        for name in names:
            shutil.copytree(oracle.ALARM, self.folder / name)
            file = self.folder / name / "workflow.yaml"
            file.write_text(file.read_text().replace("workflow:  alarm", f"workflow:  {name}"))
        return names

    # ---- nodes

    def begin(self, nodes, replication=1, bootstrap=None):
        """The topics, and so many nodes at work; the first has published the workflows."""
        self.cluster.create(PARTITIONS, replication)
        for _ in range(nodes):
            self.node(bootstrap)
        self.nodes[0].settings["workflows"] = ",".join(str(self.folder / name) for name in self.workflows)
        self.nodes[0].start()
        for node in self.nodes[1:]:
            node.launch()
        for node in self.nodes[1:]:
            node.serves()

    def node(self, bootstrap=None, data=None):
        name = f"n{len(self.nodes)}"
        node = Node([self.folder / w for w in self.workflows] if self.everywhere else [], data, **{
            "bus": "kafka", "node": name, "kafka.prefix": self.cluster.prefix, "kafka.group": self.cluster.prefix + "g",
            "kafka.properties.bootstrap.servers": bootstrap or self.site.bootstrap, "batch": self.rng.choice([1, 3, 20, 200, 10000]),
            "workers": self.rng.choice([1, 1, 2]), "standby": self.standby,
            "kafka.properties.session.timeout.ms": self.session, "kafka.properties.heartbeat.interval.ms": 500,
            "kafka.properties.transaction.timeout.ms": self.transaction, **self.settings})
        node.name = name
        self.nodes.append(node)
        return node

    def hit(self, what):
        """A fault, now."""
        self.say(what)
        self.faults.append(int(time.time() * 1000))
        self.figures.faults += 1

    def wait(self, least, most):
        time.sleep(self.rng.uniform(least, most))

    def ready(self, nodes=None, but=()):
        """Until each serves what it holds."""
        for node in (nodes or self.nodes):
            if node in but or node.process.poll() is not None:
                continue
            end = time.monotonic() + CEILING_S
            while (answer := node.get("/readyz")).status != 200:
                if time.monotonic() > end:
                    self.fail(f"{node.name} does not get ready: {answer.text}")
                time.sleep(0.02)

    # ---- portals

    def event(self, name, n, rng):
        """(topic, event) of one of the workflows."""
        self.told += 1
        workflow, unit, subject, what = rng.choice(self.workflows), rng.choice(UNITS), f"s{rng.randrange(12)}", rng.random()
        if what < 0.4:
            event, topic = oracle.asked(name, n, unit, subject, time.time() + rng.uniform(-0.3, AHEAD_S)), oracle.INPUTS[1]
        elif what < 0.95:
            event, topic = oracle.answered(name, n, unit, subject), oracle.INPUTS[0]
        else:
            event, topic = oracle.clock_record(workflow, ident=f"{name}-{n}"), oracle.INPUTS[1]
        return topic, {**event, "data": {**event["data"], "workflow": workflow}}

    def send(self, portal, topic, event):
        portal.send(self.cluster.name(topic), event["data"]["workflow"].encode(), json.dumps(event["data"], ensure_ascii=False).encode(),
                    oracle.headers_of(event))

    def stream(self, pace=60):
        """Portals begin to talk, each so many events a second, until `quiet`."""
        for i in range(PORTALS + TRANSACTIONAL):
            rng = random.Random(self.rng.random())
            target = self.plain if i < PORTALS else self.transactional
            thread = threading.Thread(target=self.guarded, args=(target, f"p{self.portals}", rng, pace), daemon=True)
            self.portals += 1
            self.streams.append(thread)
            thread.start()

    def guarded(self, target, *arguments):
        try:
            target(*arguments)
        except Exception as error:  # pylint: disable=broad-except
            self.say(f"a portal ended: {error!r}")

    def plain(self, name, rng, pace):
        n = 0
        with Portal(self.site.bootstrap) as portal:
            while not self.stop_streams.wait(rng.expovariate(pace)):
                n += 1
                topic, event = self.event(name, n, rng)
                for _ in range(rng.choice([1, 1, 1, 1, 2])):
                    self.send(portal, topic, event)
            portal.flush()

    def transactional(self, name, rng, pace):
        """Commits, aborts and says it again, and now and then is gone in the middle."""
        n, ident, portal, again = 0, 0, None, []
        while not self.stop_streams.is_set():
            try:
                portal = portal or Portal(self.site.bootstrap, f"{self.cluster.prefix}{name}-{ident}")
                portal.begin()
                events = again or [self.event(name, n + i, rng) for i in range(rng.randrange(1, 15))]
                n, again = n + len(events), []
                for topic, event in events:
                    self.send(portal, topic, event)
                    self.stop_streams.wait(rng.expovariate(pace))
                end = rng.random()
                if end < 0.6:
                    portal.commit()
                elif end < 0.9:
                    portal.flush()  # so that there is something to be skipped
                    portal.abort()
                    again = events if rng.random() < 0.5 else []
                else:
                    portal.flush()
                    portal.abandon()
                    portal, ident = None, ident + rng.choice([0, 0, 1])  # under its id it ends the one before; under another that runs out of time
            except (Refused, RuntimeError) as error:
                self.say(f"{name}: {error}")
                if portal:
                    portal.abandon()
                portal = None
                self.stop_streams.wait(0.1)
        if portal:
            portal.abandon()

    def quiet(self):
        """The portals end; each workflow hears of one thing more, which is the last to fall due. Until each has said that it did, too."""
        end = time.monotonic() + CEILING_S
        while self.told < LEAST:
            if time.monotonic() > end:
                self.fail(f"the portals have told {self.told} events in all")
            time.sleep(0.02)
        self.stop_streams.set()
        for thread in self.streams:
            thread.join(CEILING_S)
            if thread.is_alive():
                self.fail("a portal does not end")
        self.streams, self.stop_streams = [], threading.Event()
        number, since = len(self.said), int(time.time() * 1000)
        by = time.time() + AHEAD_S + 0.3
        with Portal(self.site.bootstrap) as portal:
            for workflow in self.workflows:
                event = oracle.asked("sentinel", number, "o-2", f"sentinel-{number}", by)
                self.send(portal, oracle.INPUTS[1], {**event, "data": {**event["data"], "workflow": workflow}})
            portal.flush()
        self.say("the portals are quiet")
        missing, end = set(self.workflows), time.monotonic() + CEILING_S
        while missing:
            missing -= oracle.rung(self.cluster, f"sentinel-{number}", since)
            if missing and time.monotonic() > end:
                self.fail(f"{len(missing)} workflows say nothing of the last event within {CEILING_S} s")
            for node in self.nodes:
                if node.process and node.process.poll() not in (None, 0, -9):
                    self.fail(f"{node.name} ended by itself, with {node.process.returncode}")

    # ---- the judgement

    def fail(self, text):
        broken = []
        with contextlib.suppress(Exception):
            broken = markers.lost(self.site.bootstrap)
        if broken:
            raise BrokerBroken("the broker's own fault: " + "; ".join(map(str, broken)))
        raise Wrong(text)

    def judge(self):
        """Everything that went out against what simulate says of what came in; the topics as they were then."""
        end = time.monotonic() + 10
        while (wrong := self.compare(topics := Snapshot(self.cluster))) and time.monotonic() < end:
            pass  # a transaction's markers may follow its end by a moment
        if wrong:
            self.fail(wrong)
        return topics

    def compare(self, topics):
        figures, wrong, outputs = Figures(), [], topics.outputs()
        for workflow in self.workflows:
            inputs = self.inputs_of(topics, workflow)
            want = oracle.simulate(self.folder / workflow, inputs)
            have = {topic: [r for r in records if r["workflow"] == workflow] for topic, records in outputs.items()}
            figures.inputs += len(inputs)
            figures.outputs += sum(map(len, want.values()))
            self.count_wrong(figures, have, want)
            if text := oracle.difference(have, want):
                wrong.append(f"{workflow}, partition {murmur2(workflow.encode()) % PARTITIONS}: {text[:SAID]}")
        if rejected := topics.read("duban.rejected"):
            wrong.append(f"{len(rejected)} records were rejected: {rejected[0].headers}")
        history = topics.history()
        wrong += oracle.unlinked(history)[:3]
        figures.undone = len(topics.history(committed=False)) - len(history)
        figures.slowest = self.recovery(history)
        figures.rounds, figures.faults = self.figures.rounds, self.figures.faults
        self.figures = figures
        if figures.outputs < 10 * len(self.workflows):
            wrong.append(f"only {figures.outputs} outputs were called for: nothing was shown")
        return "\n".join(wrong[:3])

    @staticmethod
    def inputs_of(topics, workflow):
        """What simulate is to hear. A clock record speaks to all of its partition; a definition that was published more than once has its effect
        once."""
        key, seen, out = workflow.encode(), set(), []
        partition = murmur2(key) % PARTITIONS
        for at in sorted(topics.inputs(lambda r: r.partition == partition and (r.key == key or r.header("ce_type") == CLOCK)), key=lambda i: i[:3]):
            event = at[3]
            if event["type"] == CLOCK:
                event = {**oracle.clock_record(workflow), "id": event["id"], "source": event["source"]}
            if event["type"] != "duban.v1.Definition" or event["id"] not in seen:
                out.append((*at[:3], event))
            seen.add(event["id"])
        return out

    @staticmethod
    def count_wrong(figures, have, want):
        for topic in oracle.OUTPUTS:
            a, b = [r["id"] for r in have[topic]], [r["id"] for r in want[topic]]
            figures.lost += len(set(b) - set(a))
            figures.twice += len(a) - len(set(a))
            known = set(b) & set(a)
            a, b = list(dict.fromkeys(i for i in a if i in known)), [i for i in b if i in known]
            figures.disordered += sum(x != y for x, y in zip(a, b))

    def recovery(self, records):
        """From each fault to the first turn of an event that came after it, in the slowest partition."""
        turns = {}
        for r in records:
            if received := contracts.decode("HistoryRecord", r.value, full=False).get("input", {}).get("received"):
                turns.setdefault(r.partition, []).append((contracts.milliseconds(received), r.appended))
        slowest = 0
        for fault in self.faults:
            for of_partition in turns.values():
                slowest = max([slowest] + [min([appended for received, appended in of_partition if received > fault], default=fault) - fault])
        return slowest / 1000

    def stores(self):
        """The nodes stop; the stores are what the changelog says, the last owner's up to its end."""
        for node in self.nodes:
            if node.process and node.process.poll() is None:
                node.stop()
        topics, wrong, current = Snapshot(self.cluster), [], {}
        for partition in range(PARTITIONS):
            changelog, history = [[r for r in records if r.partition == partition] for records in (topics.read(CHANGELOG), topics.history())]
            for node in self.nodes:
                place = pathlib.Path(node.data) / f"partition-{partition}"
                if (place / "data.mdb").exists() and not self.is_unseen(place, partition):
                    wrong += fold.compare(place, changelog, history, last=False)
                    current[partition] = current.get(partition, False) or not fold.compare(place, changelog, history, last=True)
            if changelog and not current.get(partition):
                wrong.append(f"partition {partition}: no node's store stands at the end of the changelog")
        if wrong:
            self.fail("\n".join(wrong[:6]))

    def is_unseen(self, place, partition):
        """What was put into another partition's place lies there still: its node has not had that partition since."""
        return place in self.misplaced and fold.partition_of(place) != partition

    def finish(self):
        """The whole judgement; the figures."""
        self.quiet()
        judged = self.judge()
        self.stores()
        if not judged.is_like(Snapshot(self.cluster)):
            self.judge()  # the end of the nodes has changed something
        return self.figures

    def keep_evidence(self, why):
        """What a failure leaves: logs, state and plan, in a folder of the build."""
        place = oracle.BUILD / "faults" / f"{World.count}-{self.seed}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        (place / "plan.txt").write_text("\n".join([f"SEED={self.seed}", *self.said, "", str(why)]))
        for node in self.nodes:
            (place / f"{node.name}.log").write_text(node.log())
        with contextlib.suppress(Exception):  # the broker may be away
            self.keep_topics(place)
        return place

    def keep_topics(self, place):
        for topic in oracle.INPUTS:
            committed = {(r.partition, r.offset) for r in self.cluster.read(topic)}
            (place / f"{topic}.txt").write_text("".join(
                f"{r.partition} {r.offset} {contracts.rfc3339(r.appended)} {(r.key or b'').decode()} {r.header('ce_source')} {r.header('ce_id')} "
                f"{'' if (r.partition, r.offset) in committed else 'aborted'}\n" for r in self.cluster.read(topic, committed=False)))
        with open(place / f"{HISTORY}.txt", "w", encoding="utf-8") as out:
            for r in self.cluster.history():
                record = contracts.decode("HistoryRecord", r.value)
                at = record["input"] or {}
                out.write(f"{r.partition} {r.offset} {contracts.rfc3339(r.appended)} {r.key.decode()} {record['sequence']} {record['now']} "
                          f"{record['verdict']} {at.get('topic', 'timer')} {at.get('offset', '')} {at.get('received', '')} {at.get('id', '')}\n")

    def close(self):
        self.stop_streams.set()
        for node in self.nodes:
            node.close()
        for thread in self.streams:
            thread.join(CEILING_S)
        shutil.rmtree(self.folder, ignore_errors=True)
