"""The faults. A round is a world of its own in which so many of one kind hit: what is done, and when, by the world's seed; then it is judged."""
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import time
from collections.abc import Callable

import broker as brokers
import oracle
import sites
from world import CEILING_S, PARTITIONS, BrokerBroken, World

FULL_MB = 64
FILLER = 1 << 20, 1 << 16, 1 << 12


# ---- nodes

def kill(world, number, count):
    """kill -9 of a random node mid-batch, again and again; it comes back at once, or when others have taken over."""
    world.begin(1 + number % 3)
    world.stream()
    for _ in range(count):
        world.wait(0.1, 0.8)
        kill_one(world, world.rng.choice(world.nodes))
    world.ready()
    world.finish()


def kill_one(world, node):
    """Where the broker is held still for a moment before, what the node has begun cannot be over when it dies; what it has asked for is done after
    its death."""
    still = world.rng.choice([0, world.rng.uniform(0.002, 0.02), world.rng.uniform(0.02, 0.1)])
    world.hit(f"kill -9 {node.name}, the broker held still for {1000 * still:.0f} ms")
    if still:
        os.kill(world.site.broker.pid, signal.SIGSTOP)
    time.sleep(still)
    node.kill()
    if still:
        os.kill(world.site.broker.pid, signal.SIGCONT)
    if len(world.nodes) > 1 and world.rng.random() < 0.3:
        world.wait(world.session / 1000, world.session / 1000 + 1.5)
    else:
        world.wait(0, 0.3)
    node.settings["batch"] = world.rng.choice([1, 3, 20, 200, 10000])
    node.launch()
    if world.rng.random() < 0.25:  # and once more, at any instant of its start
        world.wait(0, 1)
        world.say(f"kill -9 {node.name} while it starts")
        node.kill()
        node.launch()
    if world.rng.random() < 0.6:
        node.serves()
        world.ready([node])
    else:
        node.serves()


def storm(world, number, count):
    """Nodes join, leave, and stall past the session time-out; then they come back and believe what they knew."""
    world.begin(2 + number % 2)
    world.stream(40)
    for _ in range(count):
        world.wait(0.2, 0.8)
        alive = [n for n in world.nodes if n.process.poll() is None]
        what = world.rng.choice(["join"] * (len(alive) < PARTITIONS) + ["leave"] * (len(alive) > 1) + ["stall", "stall"])
        if what == "join":
            away = [n for n in world.nodes if n.process.poll() is not None]
            node = away[0] if away and (world.rng.random() < 0.5 or len(world.nodes) == PARTITIONS) else world.node()
            world.hit(f"{node.name} joins")
            node.launch()
            node.serves()
        else:
            (leave if what == "leave" else stall)(world, world.rng.choice(alive))
    for node in world.nodes:
        if node.process.poll() is not None:
            node.launch()
            node.serves()
    world.ready()
    world.finish()


def leave(world, node):
    world.hit(f"{node.name} leaves")
    node.stop()


def stall(world, node):
    world.hit(f"{node.name} stands still")
    node.signal(signal.SIGSTOP)
    try:
        world.wait(world.session / 1000 * 0.5, world.session / 1000 + 2)
    finally:
        world.say(f"{node.name} goes on")
        node.signal(signal.SIGCONT)


# ---- state

def stopped(world):
    """A node that has worked and stands; the others go on."""
    world.wait(1, 2)
    node = world.rng.choice([n for n in world.nodes if partitions_of(n)])
    if world.rng.random() < 0.5:
        node.stop()
    else:
        node.kill()
    return node


def partitions_of(node):
    return sorted(p for p in pathlib.Path(node.data).glob("partition-*") if (p / "data.mdb").exists())


def back(world, node):
    """It starts, and serves. Where it halts a partition and says that its folder should be removed, that is done."""
    node.launch()
    node.serves()
    end, removed = time.monotonic() + CEILING_S, 0
    while (answer := node.get("/readyz")).status != 200:
        halted = re.search(r"partition (\d+) is halted.*remove (it|the partition's folder)", answer.text, re.IGNORECASE | re.DOTALL)
        if halted and removed < PARTITIONS:
            removed += 1
            world.say(f"as {node.name} says: {answer.text.strip()}")
            node.stop()
            shutil.rmtree(pathlib.Path(node.data) / f"partition-{halted[1]}")
            node.launch()
            node.serves()
        if time.monotonic() > end:
            world.fail(f"{node.name} does not get ready: {answer.text}")
        time.sleep(0.02)


def spoilt(spoil, nodes):
    """A round in which a node's state is spoilt while it stands, again and again."""
    def run(world, number, count):
        world.begin(nodes[number % len(nodes)])
        world.stream()
        for _ in range(count):
            node = stopped(world)
            spoil(world, node)
            back(world, node)
        world.ready()
        world.finish()
    return run


def delete(world, node):
    which = world.rng.choice([partitions_of(node), partitions_of(node)[:1]])
    world.hit(f"{node.name} loses {[p.name for p in which]}")
    for place in which:
        shutil.rmtree(place)


def set_back(world, node):
    world.say(f"a copy is made of {node.name}'s state")
    copy = world.folder / "older"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(node.data, copy, ignore=shutil.ignore_patterns("http.url"))
    back(world, node)
    world.wait(0.5, 2)
    node.kill() if world.rng.random() < 0.5 else node.stop()
    world.hit(f"the older copy takes the place of {node.name}'s state")
    for place in partitions_of(node):
        shutil.rmtree(place)
    for place in copy.glob("partition-*"):
        shutil.copytree(place, pathlib.Path(node.data) / place.name)


def interchange(world, node):
    places = partitions_of(node)
    if len(places) < 2:  # the others have the rest: it gets a copy of its own, as another's
        places.append(places[0].with_name(f"partition-{(int(places[0].name[-1]) + 1) % PARTITIONS}"))
        shutil.copytree(*places)
    a, b = world.rng.sample(places, 2)
    world.hit(f"{node.name}: {a.name} and {b.name} change places")
    shutil.move(a, world.folder / "aside")
    shutil.move(b, a)
    shutil.move(world.folder / "aside", b)
    world.misplaced |= {a, b}


# ---- disks

def full(world, _, count):
    """Nothing can be written any more where one node keeps its state; later there is room again."""
    with sites.small_disk(FULL_MB) as disk:
        world.node()
        world.node(data=disk / "data")
        world.begin(0)
        node = world.nodes[1]
        world.stream()
        world.ready()
        for _ in range(count):
            world.wait(0.3, 1.5)
            world.hit("the disk fills up")
            fill(disk / "filler")
            world.wait(0.5, 3)
            await_text(world, node, "full")
            world.wait(0.2, 2)
            world.say("there is room again")
            (disk / "filler").unlink()
            world.ready()
        world.finish()
        world.close()


def fill(path):
    """Up to the last page."""
    with open(path, "wb", buffering=0) as filler:
        for size in FILLER:
            with contextlib.suppress(OSError):
                while filler.write(bytes(size)):
                    pass


def await_text(world, node, text):
    end = time.monotonic() + CEILING_S
    while text not in (answer := node.get("/readyz")).text:
        if time.monotonic() > end:
            world.fail(f"{node.name} does not say “{text}”: {answer.text}")
        time.sleep(0.02)


def read_only(world, number, count):
    """The broker's disk is remounted read-only: it gives up. Mended, it is started again."""
    site = world.site
    world.begin(1 + number % 2)
    world.stream()
    for _ in range(count):
        world.wait(0.5, 1.5)
        world.hit("the broker's disk is read-only")
        site.when.touch()
        end = time.monotonic() + CEILING_S
        while site.broker.alive():
            if time.monotonic() > end:
                world.fail("the broker does not end, its disk being read-only")
            time.sleep(0.02)
        world.wait(0.2, 3)
        world.say("the disk can be written to again")
        site.when.unlink()
        site.broker.start()
        world.ready()
    world.finish()


# ---- brokers and the line

def broker_killed(world, number, count):
    world.begin(1 + number % 2)
    world.stream()
    for _ in range(count):
        world.wait(0.3, 1)
        world.hit("kill -9 of the broker")
        world.site.broker.kill()
        world.wait(0, 2)
        world.site.broker.start()
        world.say("the broker is back")
        if world.rng.random() < 0.7:  # or the next one comes while they find their feet
            world.ready()
    world.ready()
    world.finish()


def broker_lost(world, _, count):
    """One of three."""
    world.begin(2, replication=3)
    world.stream()
    for _ in range(count):
        world.wait(0.3, 1)
        which = world.rng.randrange(3)
        world.hit(f"kill -9 of broker {which + 1} of three")
        world.site.broker.brokers[which].kill()
        world.wait(2, 6)
        if world.rng.random() < 0.5:  # all that follows is said by two
            world.quiet()
            world.judge()
            world.stream()
        world.site.broker.start()
        world.say("the broker is back")
        world.wait(0.5, 2)
        world.ready()
    world.finish()


def line(world, _, count):
    """One node's line is bad, the other's is good."""
    proxy = world.site.proxy
    world.node(bootstrap=world.site.line)
    world.node()
    world.begin(0)
    world.stream()
    for _ in range(count):
        world.wait(0.2, 0.8)
        kind, way = world.rng.choice(["cut", "drop", "drop", "delay", "halve"]), world.rng.choice(["to the broker", "to the daemon", "both ways"])
        seconds = world.rng.choice([world.rng.uniform(0.05, 1), world.rng.uniform(1, world.session / 1000 + 2)])
        world.hit(f"the line: {kind}, {way}, for {seconds:.2f} s")
        before = proxy.harmed
        proxy.spoil(kind, way, 0.5, world.rng.random())
        time.sleep(seconds)
        proxy.heal()
        world.say(f"the line is good again; {proxy.harmed - before} pieces or connections were harmed")
    world.ready()
    world.finish()


# ---- the table

@dataclasses.dataclass
class Fault:
    run: Callable
    check: tuple    # rounds of `make check`, and how often it hits in each
    torture: tuple  # the same of `make torture`
    site: type
    title: str


FAULTS = {  # those of one site stand together: it is started once
    "kill": Fault(kill, (3, 4), (50, 20), sites.Site, "kill -9 of nodes"),
    "broker": Fault(broker_killed, (1, 2), (10, 7), sites.Site, "kill -9 of the broker"),
    "storm": Fault(storm, (4, 3), (40, 10), sites.Site, "nodes join, leave, stall"),
    "deleted": Fault(spoilt(delete, [2]), (1, 1), (10, 5), sites.Site, "state deleted"),
    "older": Fault(spoilt(set_back, [2]), (1, 1), (10, 5), sites.Site, "an older copy of the state"),
    "foreign": Fault(spoilt(interchange, [1, 2]), (1, 1), (10, 5), sites.Site, "another partition's state"),
    "full": Fault(full, (1, 1), (5, 4), sites.Site, "the node's disk is full"),
    "read-only": Fault(read_only, (1, 1), (4, 5), sites.FailingDisk, "the broker's disk is read-only"),
    "line": Fault(line, (2, 4), (10, 10), sites.BadLine, "the line is cut, drops, delays, halves"),
    "one-of-three": Fault(broker_lost, (1, 1), (5, 6), sites.ThreeBrokers, "a three-broker cluster loses one"),
}


def stored_jars(version):
    lib = oracle.BUILD / f"kafka-{version}" / "lib"
    return lib if lib.exists() else brokers.jars(version, oracle.BUILD)


def play(site, name, number, seed, count):
    """One round; its figures. Whatever goes wrong says how it is played again, and has them, too."""
    world = World(site.ready(), seed)
    try:
        FAULTS[name].run(world, number, count)
        return world.figures
    except Exception as error:
        place = world.keep_evidence(error)
        kind = BrokerBroken if isinstance(error, BrokerBroken) else AssertionError
        wrong = kind(f"{name}, round {number} (make torture FAULT={name} ROUNDS=1 EACH={count} FIRST={number} SEED={seed}): {error}\n"
                     f"what happened is in {place}:\n  " + "\n  ".join(world.said))
        wrong.figures = world.figures
        raise wrong from error
    finally:
        world.close()
