#!/usr/bin/env python3
"""Measures duband against Kafka Streams side by side and prints one table. `make bench` builds what this needs and runs it.

usage: compare.py [--quick] [--streams SETTING=VALUE]... [ROW...]
    ROW      load restore latency kill storm idle; all of them without one
    --quick  a tenth of the instances and events, two runs: for a look, not for a figure
    --only S  one side: duband or peer
    --peer W  what the peer does: same (the same work; without this, too) or bare (no history, no checks, no lookup of ids)
    --ids I  what portals name their events by: counter (each its own; without this, too) or random
    --keep   leave the data and the logs of all where they are, and say where
    --streams  a setting of the peer's that is not streams/'s own

Before anything is measured each side shows that it does the work (proof.py).
The build folder is the environment's B, the broker's version KAFKA. Results go to B/bench/compare.json, too.
Exit status 1: something fell short. README.md says what each figure means."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import peers
import proof
from bench import commit, print_table
from broker import Broker, die_with_parent, jars
from measures import BUILD, cpu_seconds, run_program, say

LOADER = BUILD / "bench" / "peer_load"
REST_S = 6     # for what is under way behind the last output, and what a side tidies up when nothing comes
HELD_S = 0.3   # for outputs committed before the kill to arrive: those after it are the next process's


class Scale:
    def __init__(self, quick):
        self.runs = 2 if quick else 3
        self.instances = 100_000 if quick else 1_000_000
        self.events = 100_000 if quick else 500_000  # of a run of `load`
        self.few = 20_000 if quick else 100_000      # instances of the rows below `restore`
        self.pace, self.pace_s = 2_000, 6 if quick else 12
        self.storm, self.storm_lead = 20_000, 15
        self.rest, self.watch = 6, 10


# key, what, required ("≥" or "≤", of the peer's; None: for information), the same in a unit of its own, unit, decimals
ROWS = [
    ("events-per-cpu", "events per client CPU-second", ("≥", 3), None, "", 0),
    ("client-cpu", "the same, as CPU an event", None, None, "µs", 1),
    ("rate", "events/s, two cores shared with the broker", ("≥", 1.5), None, "", 0),
    ("broker-cpu", "the broker's CPU beside it", None, None, "µs/event", 1),
    ("memory", "anonymous memory at that load, peak", ("≤", 1 / 8), None, "MB", 0),
    ("restore", "restore from an empty folder → output", ("≤", 1 / 2), None, "s", 2),
    ("p50", "latency at 2,000/s, p50", ("≤", 1 / 4), None, "ms", 1),
    ("p99", "latency at 2,000/s, p99", ("≤", 2 / 3), None, "ms", 1),
    ("kill", "kill -9 under load → next output", None, ("≤", 1.2), "s", 2),
    ("storm", "20,000 deadlines at once → last output", None, ("≤", 0.35), "s", 3),
    ("idle-cpu", "at rest: processor", None, ("≤", 1.0), "%", 2),
    ("idle-memory", "at rest: anonymous memory", None, ("≤", 30), "MB", 1),
]


# ---- what a process has taken

def cpu_of(pid):
    """User and system time of a process, seconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def anonymous_mb(pid):
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) / 1024


class Peak(threading.Thread):
    """The most anonymous memory seen until it is asked."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.ended = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.05):
            self.most = max(self.most, anonymous_mb(self.pid))

    def stop(self):
        self.ended.set()
        self.join()
        return self.most


# ---- the loader

def outputs_of(events):
    return events + events // 2


class Loader:
    """A run of peer_load that has said it is ready; result() waits for its end."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([LOADER, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=die_with_parent)
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"peer_load {arguments[0]} did not start")

    def result(self):
        text = self.process.stdout.read()
        self.process.stdout.close()
        if self.process.wait() != 0:
            raise RuntimeError("peer_load failed")
        return json.loads(text.splitlines()[-1])


def silence(silences, moment):
    """When the one that the moment lies in ended."""
    for start, end in silences:
        if start < moment < end:
            return end
    raise RuntimeError("outputs went on while the process was held and killed")


class Bench:
    def __init__(self, broker, scale, sides, ids):
        self.broker, self.scale, self.sides, self.ids, self.run, self.loaded = broker, scale, sides, ids, 0, False

    def run_name(self):
        self.run += 1
        return f"run{self.run:02}"

    def produce(self, side, events, subjects, due_ms=0, run=None):
        run_program(LOADER, "produce", self.broker.bootstrap, side.prefix, self.ids, run or self.run_name(), events, subjects, due_ms)

    def drain(self, side, outputs):
        return Loader("drain", self.broker.bootstrap, side.prefix, outputs)

    def backlog(self, side, events, subjects):
        """The process is held while the events are appended. What it took from there to its last output."""
        os.kill(side.pid, signal.SIGSTOP)
        try:
            self.produce(side, events, subjects)
            drain = self.drain(side, outputs_of(events))
            client, broker, peak = cpu_of(side.pid), cpu_of(self.broker.pid), Peak(side.pid)
        finally:
            began = time.time()
            os.kill(side.pid, signal.SIGCONT)
        last = drain.result()["last"]
        time.sleep(REST_S)  # what it does behind the last output is its work, too
        client = cpu_of(side.pid) - client
        return {"rate": events / (last - began), "events-per-cpu": events / client, "client-cpu": client / events * 1e6,
                "broker-cpu": (cpu_of(self.broker.pid) - broker) / events * 1e6, "memory": peak.stop()}

    def pace(self, side, seconds):
        events = self.scale.pace * seconds
        return Loader("rate", self.broker.bootstrap, side.prefix, self.ids, self.run_name(), events, self.scale.few, self.scale.pace)

    # ---- the rows: each yields (side, key, value)

    def each(self, what):
        """Every run of both sides in turn, so that both meet the same noise."""
        for i in range(self.scale.runs):
            for side in self.sides:
                say(f"{side.name}: {what}, run {i + 1} of {self.scale.runs}")
                yield side

    def load(self):
        self.loaded = True
        for side in self.each(f"{self.scale.events} events on {self.scale.instances} instances"):
            for key, value in self.backlog(side, self.scale.events, self.scale.instances).items():
                yield side, key, value

    def restore(self):
        if not self.loaded:  # as many events as if it had been measured
            for _ in self.load():
                pass
        for side in self.each("restore"):
            side.stop()
            side.wipe()
            self.produce(side, 1, 1)
            drain = self.drain(side, 1)
            began = time.time()
            side.launch()
            yield side, "restore", drain.result()["last"] - began
            side.ready()

    def latency(self):
        for side in self.each("latency"):
            result = self.pace(side, self.scale.pace_s).result()
            yield side, "p50", result["p50_ms"]
            yield side, "p99", result["p99_ms"]

    def kill(self):
        for side in self.each("kill -9"):
            loader = self.pace(side, self.scale.pace_s)
            time.sleep(self.scale.pace_s / 3)
            os.kill(side.pid, signal.SIGSTOP)
            time.sleep(HELD_S)
            killed = time.time()
            side.kill()
            side.launch()
            yield side, "kill", silence(loader.result()["silences"], killed) - killed
            side.ready()

    def storm(self):
        for side in self.each("deadlines"):
            due = int(time.time()) + self.scale.storm_lead
            notes = self.drain(side, outputs_of(self.scale.storm))
            self.produce(side, self.scale.storm, self.scale.storm, due * 1000)
            if notes.result()["last"] > due - 1:
                raise RuntimeError("the deadlines came before the events were taken: a longer lead is needed")
            yield side, "storm", self.drain(side, self.scale.storm).result()["last"] - due

    def idle(self):
        time.sleep(self.scale.rest)
        for side in self.each("at rest"):
            before, began = cpu_seconds(side.pid), time.monotonic()
            time.sleep(self.scale.watch)
            yield side, "idle-cpu", 100 * (cpu_seconds(side.pid) - before) / (time.monotonic() - began)
            yield side, "idle-memory", anonymous_mb(side.pid)


LARGE, SMALL = ["load", "restore"], ["latency", "kill", "storm", "idle"]


def measure(broker, folder, scale, names, stem, args):
    """Both sides on topics of their own, filled with instances, then the rows."""
    sides = [peers.Duband(broker, folder, f"{stem}-duband."),
             peers.Streams(broker, folder, f"{stem}-peer.", args.peer, args.streams)]
    sides = [s for s in sides if args.only in (None, s.name)]
    for side in sides:
        subprocess.run([LOADER, "topics", broker.bootstrap, side.prefix], check=True)
    bench, instances = Bench(broker, scale, sides, args.ids), scale.instances if stem == "large" else scale.few
    try:
        for side in sides:
            side.launch()
            side.ready()
            if side.work == "same":
                proof.prove(bench, side)
            say(f"{side.name}: {instances} instances are made")
            filled = bench.backlog(side, instances, instances)
            say("  " + ", ".join(f"{k} {v:,.0f}" for k, v in filled.items()))
        for name in names:
            try:
                for side, key, value in getattr(bench, name)():
                    say(f"  {side.name} {key}: {value:,.3f}")
                    yield side.name, key, value
            except RuntimeError as error:  # what comes next may stand on what has failed
                say(f"{name}: {error}")
                yield None, name, str(error)
                return
    finally:
        for side in sides:
            side.close()


# ---- the table

def row(spec, values):
    key, what, of_peer, own, unit, decimals = spec
    both = {name: values.get((name, key), []) for name in ("duband", "peer")}
    median = {name: statistics.median(v) if v else None for name, v in both.items()}
    show = lambda name: f"{median[name]:,.{decimals}f} {unit}".strip() if both[name] else ""
    ratio = median["duband"] / median["peer"] if all(median.values()) else None
    relation, bound = of_peer or own or (None, None)
    got = ratio if of_peer else median["duband"]
    met = None if relation is None or got is None else got >= bound if relation == "≥" else got <= bound
    required = "" if relation is None else f"{relation} {bound:.3g} ×" if of_peer else f"{relation} {bound:g} {unit}"
    spread = lambda v: f" ({min(v):,.{decimals}f}–{max(v):,.{decimals}f})" if len(v) > 1 else ""
    cells = [what, required, show("duband") + spread(both["duband"]), show("peer") + spread(both["peer"]),
             f"{ratio:.3f}" if ratio is not None else "", {None: "", True: "met", False: "short"}[met]]
    return cells, {"measure": key, "title": what, "relation": relation, "required": bound, "of_peer": bool(of_peer), "unit": unit,
                   **{f"{name}_values": v for name, v in both.items()}, **{f"{name}_median": v for name, v in median.items()},
                   "ratio": ratio, "ok": met}


def main():
    parser = argparse.ArgumentParser(description="duband against Kafka Streams, side by side.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=["duband", "peer"])
    parser.add_argument("--peer", choices=["same", "bare"], default="same")
    parser.add_argument("--ids", choices=["counter", "random"], default="counter")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--streams", action="append", default=[], metavar="SETTING=VALUE")
    parser.add_argument("rows", nargs="*", metavar="ROW")
    args = parser.parse_args()
    if unknown := set(args.rows) - {*LARGE, *SMALL}:
        parser.error(f"{', '.join(sorted(unknown))}: expected {', '.join(LARGE + SMALL)}")
    out = BUILD / "bench"
    out.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="compare-", dir=out))
    began, load, values, failed = time.monotonic(), os.getloadavg()[0], {}, []
    try:
        with Broker(folder / "broker", jars(os.environ.get("KAFKA", "4.3.1"), BUILD)) as broker:
            for stem, all_of in (("large", LARGE), ("small", SMALL)):
                if names := [n for n in all_of if not args.rows or n in args.rows]:
                    for name, key, value in measure(broker, folder, Scale(args.quick), names, stem, args):
                        if name:
                            values.setdefault((name, key), []).append(value)
                        else:
                            failed.append(f"{key}: {value}")
    finally:
        if args.keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder)
    made = [row(spec, values) for spec in ROWS if any(key == spec[0] for _, key in values)]
    print(f"{os.cpu_count()} processors; load {load:.1f} before, {os.getloadavg()[0]:.1f} after; {(time.monotonic() - began) / 60:.0f} min"
          + f"; the peer: {args.peer}; ids: {args.ids}"
          + ("; quick: no figures to go by" if args.quick else ""))
    print_table([cells for cells, _ in made], ["measure", "required", "duband: median (min–max)", "Streams: median (min–max)", "ratio", ""])
    for text in failed:
        print(f"failed: {text}")
    document = {"commit": commit(), "processors": os.cpu_count(), "load_before": load, "quick": args.quick, "peer": args.peer,
                "ids": args.ids, "failed": failed,
                "measures": [m for _, m in made]}
    (out / "compare.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return 1 if failed or any(m["ok"] is False for _, m in made) else 0


if __name__ == "__main__":
    sys.exit(main())
