"""The faults, each as one round in a world of its own: what is done to it, when, by the world's seed."""
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

KILLS = 4
FULL_MB = 64


# ---- nodes

def kill(world, number):
    """kill -9 of a random node mid-batch, again and again; it comes back at once, or when others have taken over."""
    world.begin(1 + number % 3)
    world.stream()
    for _ in range(KILLS):
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


def storm(world, number):
    """Nodes join, leave, and stall past the session time-out; then they come back and believe what they knew."""
    world.begin(2 + number % 2)
    world.stream(40)
    for _ in range(3):
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

def stopped(world, nodes=2):
    """A node that has worked and stands; the others go on."""
    world.begin(nodes)
    world.stream()
    world.wait(1, 2)
    node = world.rng.choice(world.nodes)
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


def deleted(world, _):
    node = stopped(world)
    which = world.rng.choice([partitions_of(node), partitions_of(node)[:1]])
    world.hit(f"{node.name} loses {[p.name for p in which]}")
    for place in which:
        shutil.rmtree(place)
    back(world, node)
    world.finish()


def older(world, _):
    node = stopped(world)
    world.say(f"a copy is made of {node.name}'s state")
    shutil.copytree(node.data, world.folder / "older", ignore=shutil.ignore_patterns("http.url"))
    back(world, node)
    world.wait(0.5, 2)
    node.kill() if world.rng.random() < 0.5 else node.stop()
    world.hit(f"the older copy takes the place of {node.name}'s state")
    for place in partitions_of(node):
        shutil.rmtree(place)
    for place in (world.folder / "older").glob("partition-*"):
        shutil.copytree(place, pathlib.Path(node.data) / place.name)
    back(world, node)
    world.finish()


def foreign(world, number):
    node = stopped(world, 1 + number % 2)
    places = partitions_of(node)
    if len(places) < 2:  # the others have the rest: it gets a copy of its own, as another's
        places.append(places[0].with_name(f"partition-{(int(places[0].name[-1]) + 1) % PARTITIONS}"))
        shutil.copytree(*places)
    a, b = world.rng.sample(places, 2)
    world.hit(f"{node.name}: {a.name} and {b.name} change places")
    shutil.move(a, world.folder / "aside")
    shutil.move(b, a)
    shutil.move(world.folder / "aside", b)
    back(world, node)
    world.finish()


# ---- disks

def full(world, _):
    """Nothing can be written any more where one node keeps its state; later there is room again."""
    with sites.small_disk(FULL_MB) as disk:
        world.node()
        world.node(data=disk / "data")
        world.begin(0)
        node = world.nodes[1]
        world.stream()
        world.ready()
        world.wait(0.3, 1.5)
        world.hit("the disk fills up")
        with open(disk / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while filler.write(bytes(4096)):
                pass
        world.wait(0.5, 3)
        await_text(world, node, "full")
        world.wait(0.2, 2)
        world.say("there is room again")
        (disk / "filler").unlink()
        world.ready()
        world.finish()
        world.close()


def await_text(world, node, text):
    end = time.monotonic() + CEILING_S
    while text not in (answer := node.get("/readyz")).text:
        if time.monotonic() > end:
            world.fail(f"{node.name} does not say “{text}”: {answer.text}")
        time.sleep(0.02)


def read_only(world, number):
    """The broker's disk is remounted read-only: it gives up. Mended, it is started again."""
    site = world.site
    world.begin(1 + number % 2)
    world.stream()
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

def broker_killed(world, number):
    world.begin(1 + number % 2)
    world.stream()
    for _ in range(2):
        world.wait(0.3, 1)
        world.hit("kill -9 of the broker")
        world.site.broker.kill()
        world.wait(0, 2)
        world.site.broker.start()
        world.say("the broker is back")
    world.ready()
    world.finish()


def broker_lost(world, _):
    """One of three."""
    world.begin(2, replication=3)
    world.stream()
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


def line(world, _):
    """One node's line is bad, the other's is good."""
    proxy = world.site.proxy
    world.node(bootstrap=world.site.line)
    world.node()
    world.begin(0)
    world.stream()
    for _ in range(4):
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
    rounds: int   # of `make check`
    torture: int  # of `make torture`
    site: type
    title: str


FAULTS = {  # those of one site stand together: it is started once
    "kill": Fault(kill, 3, 250, sites.Site, "kill -9 of nodes, 4 a round"),
    "broker": Fault(broker_killed, 1, 35, sites.Site, "kill -9 of the broker, 2 a round"),
    "storm": Fault(storm, 4, 200, sites.Site, "nodes join, leave, stall: 3 a round"),
    "deleted": Fault(deleted, 1, 50, sites.Site, "state deleted"),
    "older": Fault(older, 1, 50, sites.Site, "an older copy of the state"),
    "foreign": Fault(foreign, 1, 50, sites.Site, "another partition's state"),
    "full": Fault(full, 1, 20, sites.Site, "the node's disk is full"),
    "read-only": Fault(read_only, 1, 20, sites.FailingDisk, "the broker's disk is read-only"),
    "line": Fault(line, 2, 100, sites.BadLine, "the line is cut, drops, delays, halves: 4 a round"),
    "one-of-three": Fault(broker_lost, 1, 30, sites.ThreeBrokers, "a three-broker cluster loses one"),
}


def stored_jars(version):
    lib = oracle.BUILD / f"kafka-{version}" / "lib"
    return lib if lib.exists() else brokers.jars(version, oracle.BUILD)


def play(site, name, number, seed):
    """One round; its figures. Whatever goes wrong says how it is played again."""
    world = World(site.ready(), seed)
    try:
        FAULTS[name].run(world, number)
        return world.figures
    except Exception as error:
        place = world.keep_evidence(error)
        kind = BrokerBroken if isinstance(error, BrokerBroken) else AssertionError
        raise kind(f"{name}, round {number} (make torture FAULT={name} ROUNDS=1 FIRST={number} SEED={seed}): {error}\n"
                   f"what happened is in {place}:\n  " + "\n  ".join(world.said)) from error
    finally:
        world.close()
