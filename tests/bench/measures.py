"""The measurements. Each is a generator of (key, value): a key names a row of the table in bench.py, and comes once for every run."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / os.environ.get("B", "build")
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "kafka")]

import large  # noqa: E402
from broker import Broker, jars  # noqa: E402
from daemon import Daemon  # noqa: E402

RUNS = 3
SUBJECTS = 100_000        # instances, each with a timer armed
STORM = 20_000            # timers of one instant
KAFKA_EVENTS = 150_000
ALONE = 300               # events of the latency run
STARTS = 5
REST, WATCH = 6, 10       # seconds: from the load to the idle figures, and each of the RUNS over which they are taken
POST = 2_000              # events of one request
WORKFLOW = HERE / "load"
SHIPPED = ROOT / "workflows"
YEARS = {p.parent.parent.name: p for p in sorted(SHIPPED.glob("*/example/*.jsonl"))}  # a year of events of each shipped workflow


def say(text):
    print(f"  … {text}", file=sys.stderr, flush=True)


def run_program(*command):
    """Its last line, a JSON object."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


# ---- events of tests/bench/load

def event(run, n, body, when):
    message, name, value = body
    e = {"specversion": "1.0", "id": f"{run}-{n}", "source": "bench", "type": f"duban.v1.{message}",
         "data": {"workflow": "load", name: value}}
    return {**e, "time": when} if when else e


def touch(run, n, subject, when=None):
    fields = {"subject": f"s-{subject:06}", "amount": n}
    return event(run, n, ("Fact", "fact", {"kind": "touch", "reporter": "desk", "fields": fields}), when)


def send(daemon, events):
    """As a portal does: a daemon that is not quite ready yet is asked again."""
    while (status := daemon.post_all(events).status) == 503:
        time.sleep(0.002)
    if status != 202:
        raise RuntimeError(f"an event was not taken: status {status}")


def await_applied(daemon, id):
    while (answer := daemon.outcome("bench", id)).status == 200 and answer.json["status"] == "pending":
        pass
    if answer.status != 200 or answer.json["status"] != "applied":
        raise RuntimeError(f"event {id}: status {answer.status}, {answer.text}")


def load(daemon, run, count, when=None):
    """One event for each of so many subjects; returns when all are applied."""
    for first in range(0, count, POST):
        send(daemon, [touch(run, n, n, when) for n in range(first, min(first + POST, count))])
    await_applied(daemon, f"{run}-{count - 1}")


# ---- what a process takes while nothing happens

def cpu_seconds(pid):
    """Of all its threads. From /proc/PID/task/*/schedstat: nanoseconds, where /proc/PID/stat counts ticks of 10 ms."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that has just ended
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def idle(pid, bus):
    time.sleep(REST)
    for _ in range(RUNS):
        before, began = cpu_seconds(pid), time.monotonic()
        time.sleep(WATCH)
        yield f"{bus}-idle-cpu", 100 * (cpu_seconds(pid) - before) / (time.monotonic() - began)
        status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        yield f"{bus}-idle-memory", int(status["RssAnon"].split()[0]) / 1024


# ---- the measurements

def embedded_rate(folder):
    for i in range(RUNS):
        say(f"embedded against raw LMDB, run {i + 1} of {RUNS}")
        result = run_program(BUILD / "bench" / "embedded", folder / f"embedded-{i}", WORKFLOW)
        yield "embedded-ratio", result["ratio"]
        yield "embedded-rate", result["engine_per_s"]


def deadline_storm(folder):
    for i in range(RUNS):
        say(f"{STORM} deadlines at one instant, run {i + 1} of {RUNS}")
        with Daemon(workflows=[WORKFLOW], data=folder / f"storm-{i}", time="events") as d:
            load(d, "storm", STORM, "2024-03-01T00:00:00Z")
            clock = event("storm", "clock", ("DeadlineReached", "deadline_reached", {}), "2024-04-15T00:00:00Z")
            began = time.monotonic()
            send(d, [clock])
            while not d.get(f"/v1/topics/duban.warnings?from={STORM - 1}&limit=1&wait=10s").rows:
                pass
            yield "storm", time.monotonic() - began


def embedded_daemon(folder):
    """One daemon with 100,000 timers armed: at rest, then killed and started again."""
    say(f"embedded: {SUBJECTS} instances, at rest")
    with Daemon(workflows=[WORKFLOW], data=folder / "armed") as d:
        load(d, "armed", SUBJECTS)
        yield from idle(d.process.pid, "embedded")
        for i in range(STARTS):
            say(f"kill -9 and start, {i + 1} of {STARTS}")
            d.kill()
            began = time.monotonic()
            d.start(ready=False)
            send(d, [touch(f"again-{i}", 0, i)])
            await_applied(d, f"again-{i}-0")
            yield "restart", time.monotonic() - began


def kafka_daemon(folder):
    program = BUILD / "bench" / "kafka_load"
    lib = jars(os.environ.get("KAFKA", "4.3.1"), BUILD)
    with Broker(folder / "broker", lib) as broker:
        subprocess.run([program, "topics", broker.bootstrap], check=True)
        settings = {"bus": "kafka", "node": "bench", "kafka.properties.bootstrap.servers": broker.bootstrap}
        with Daemon(workflows=[WORKFLOW], data=folder / "kafka", **settings) as d:
            load(d, "first", 1)  # the workflow is in force
            for i in range(RUNS):
                say(f"Kafka: {KAFKA_EVENTS} events wait, run {i + 1} of {RUNS}")
                d.stop()
                yield "kafka-rate", backlog(program, broker.bootstrap, d, f"run-{i}")
            for i in range(RUNS):
                say(f"Kafka: one event at a time, run {i + 1} of {RUNS}")
                result = run_program(program, "latency", broker.bootstrap, f"alone-{i}", ALONE)
                yield "kafka-latency", result["p50_ms"]
                yield "kafka-latency-p99", result["p99_ms"]
            say("Kafka: at rest")
            yield from idle(d.process.pid, "kafka")


def backlog(program, bootstrap, daemon, run):
    """Events per second of a daemon that finds them all on the topic."""
    run_program(program, "produce", bootstrap, run, KAFKA_EVENTS, SUBJECTS)
    drain = subprocess.Popen([program, "drain", bootstrap, str(KAFKA_EVENTS)], stdout=subprocess.PIPE,
                             stdin=subprocess.DEVNULL, text=True)
    try:
        if drain.stdout.readline().strip() != "ready":
            raise RuntimeError("kafka_load drain did not start")
        daemon.start()
        result = drain.stdout.readline()
    finally:
        drain.kill()
        drain.wait()
    return json.loads(result)["per_s"]


def run_timed(*command):
    began = time.monotonic()
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return time.monotonic() - began


def shipped_checked(_folder):
    regimes = [SHIPPED / name for name in YEARS]
    for i in range(STARTS):
        say(f"all shipped regimes checked, run {i + 1} of {STARTS}")
        yield "shipped-check", run_timed(BUILD / "dubanctl", "check", *regimes)


def years_simulated(_folder):
    for name, events in YEARS.items():
        for i in range(STARTS):
            say(f"the {name} year, run {i + 1} of {STARTS}")
            yield f"year-{name}", run_timed(BUILD / "dubanctl", "simulate", SHIPPED / name, "--events", events, "--json")


def in_memory(_folder):
    for i in range(RUNS):
        say(f"definitions and turns in memory, run {i + 1} of {RUNS}")
        result = run_program(BUILD / "bench" / "memory", SHIPPED / "suifenhe-2024", WORKFLOW)
        yield "checks", result["checks_per_s"]
        yield "turns", result["turns_per_s"]


def large_definition(folder):
    made = large.make(folder / "definition")
    for i in range(RUNS):
        say(f"a large definition and its year, run {i + 1} of {RUNS}")
        yield "large-check", run_timed(BUILD / "dubanctl", "check", made)
        yield "large-year", run_timed(BUILD / "dubanctl", "simulate", made, "--events", made / "year.jsonl", "--json")


ALL = [embedded_rate, deadline_storm, embedded_daemon, kafka_daemon, in_memory, large_definition, shipped_checked, years_simulated]
