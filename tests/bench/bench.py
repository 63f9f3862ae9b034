#!/usr/bin/env python3
"""Measures duband and prints one table: what is required, what was measured. `make bench` builds what this needs and runs it.

usage: bench.py [MEASUREMENT...]     only these (see measures.py: embedded_rate, deadline_storm …)

The build folder is the environment's B, the broker's version KAFKA. Results go to B/bench/results.json, too.
Exit status 1: something fell short. README.md says what each figure means."""
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import unicodedata

import measures

# key, what, "at least" or "at most" (None: for information), how much, unit, decimals
ROWS = [
    ("embedded-ratio", "embedded, of raw LMDB's rate", "≥", 0.5, "", 2),
    ("embedded-rate", "embedded, engine alone", None, None, "events/s", 0),
    ("storm", "20,000 deadlines at one instant, embedded", "≤", 1.0, "s", 3),
    ("embedded-idle-memory", "at rest, embedded: anonymous memory", "≤", 20, "MB", 1),
    ("embedded-idle-cpu", "at rest, embedded: processor", "≤", 0.5, "%", 2),
    ("restart", "kill -9 with 100,000 timers: start to first commit", "≤", 0.3, "s", 3),
    ("kafka-rate", "Kafka, in to out, exactly once, one partition", "≥", 15000, "events/s", 0),
    ("kafka-latency", "Kafka, one event alone, in to out: p50", "≤", 15, "ms", 1),
    ("kafka-latency-p99", "Kafka, one event alone, in to out: p99", None, None, "ms", 1),
    ("kafka-idle-memory", "at rest, Kafka: anonymous memory", "≤", 30, "MB", 1),
    ("kafka-idle-cpu", "at rest, Kafka: processor", "≤", 1.0, "%", 2),
    ("checks", "definitions checked (suifenhe)", None, None, "a second", 1),
    ("turns", "turns in memory", None, None, "a second", 0),
    ("large-check", "10,000 lines, 5,000 units, 500 obligations: check", "≤", 0.5, "s", 3),
    ("large-year", "the same: a year of it, simulated", "≤", 5, "s", 3),
    ("shipped-check", "all shipped regimes, loaded and checked at once", "≤", 0.1, "s", 3),
    *((f"year-{name}", f"the {name} year, simulated", "≤", 0.2, "s", 3) for name in measures.YEARS),
]


def judge(relation, bound, median):
    """How many times as good as required (None: endlessly, or nothing is required), and whether that is enough."""
    if relation is None:
        return None, None
    if relation == "≥":
        return median / bound, median >= bound
    return (bound / median if median else None), median <= bound


def row(key, what, relation, bound, unit, decimals, values):
    median = statistics.median(values)
    times, ok = judge(relation, bound, median)
    show = lambda v: f"{v:,.{decimals}f}"
    spread = f" ({show(min(values))}–{show(max(values))})" if len(values) > 1 else ""
    cells = [what, f"{relation} {bound:,g} {unit}".strip() if relation else "", f"{show(median)} {unit}".strip() + spread,
             f"{times:.2f}" if times else "", {None: "", True: "ok", False: "short"}[ok]]
    result = {"measure": key, "title": what, "relation": relation, "required": bound, "unit": unit, "median": median,
              "min": min(values), "max": max(values), "values": values, "margin": times, "ok": ok}
    return cells, result


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def print_table(rows, head=("measure", "required", "measured: median (min–max)", "ratio", "")):
    rows = [list(head), *rows]
    widths = [max(width(r[i]) for r in rows) for i in range(len(rows[0]))]
    for r in rows:
        print("  ".join(cell + " " * (w - width(cell)) for cell, w in zip(r, widths)).rstrip())


def commit():
    command = ["git", "-C", measures.ROOT, "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()


def main():
    wanted = [m for m in measures.ALL if m.__name__ in sys.argv[1:]] or measures.ALL
    unknown = set(sys.argv[1:]) - {m.__name__ for m in measures.ALL}
    if unknown:
        print(f"{', '.join(sorted(unknown))}: expected {', '.join(m.__name__ for m in measures.ALL)}", file=sys.stderr)
        return 2
    out = measures.BUILD / "bench"
    out.mkdir(parents=True, exist_ok=True)
    folder = measures.pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=out))
    load, values = os.getloadavg()[0], {}
    try:
        for measure in wanted:
            for key, value in measure(folder):
                values.setdefault(key, []).append(value)
    finally:
        shutil.rmtree(folder)
    made = [row(*r, values[r[0]]) for r in ROWS if r[0] in values]
    print(f"{os.cpu_count()} processors; load {load:.1f} before, {os.getloadavg()[0]:.1f} after")
    print_table([cells for cells, _ in made])
    results = [result for _, result in made]
    when = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    document = {"when": when, "commit": commit(), "machine": platform.platform(), "processors": os.cpu_count(),
                "load_before": load, "measures": results}
    (out / "results.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return 1 if any(r["ok"] is False for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
