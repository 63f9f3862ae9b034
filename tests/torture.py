"""`make torture`: the faults of tests/test_faults.py, many times over. Prints how far it is, and a table at the end.

    FAULT=kill,storm  only these     ROUNDS=20  of each, instead of its own count     EACH=4  so often it hits in a round
    SEED=1  the first round's; each next has the next one     FIRST=3  counts rounds from 3 (its number chooses how many nodes there are)
    KAFKA_FAULTS=4.0.1  the broker's version"""
import dataclasses
import os
import pathlib
import random
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent / "kafka"), str(pathlib.Path(__file__).resolve().parent)]
import broker as brokers  # noqa: E402
from faults import FAULTS, play, stored_jars  # noqa: E402
from world import BrokerBroken, Figures  # noqa: E402

COLUMNS = [("rounds", "{}"), ("faults", "{}"), ("inputs", "{}"), ("outputs", "{}"), ("lost", "{}"), ("twice", "{}"), ("disordered", "{}"),
           ("undone", "{}"), ("broken", "{}"), ("slowest", "{:.1f}")]


def rounds_of(name, first, rounds, each, seed, lib):
    """(figures, failures)"""
    fault, total, failed = FAULTS[name], Figures(), []
    site = fault.site(lib)
    try:
        for number in range(first, first + rounds):
            began = time.monotonic()
            try:
                figures = play(site, name, number, seed + number - first, each)
            except BrokerBroken as error:
                figures = dataclasses.replace(error.figures, broken=1)
                site.worlds = 0  # its state stays broken: another one
                print(error, flush=True)
            except AssertionError as error:
                figures = error.figures
                failed.append(str(error))
                print(f"FAILED {error}", flush=True)
            total.add(figures)
            print(f"{name} {number - first + 1}/{rounds} SEED={seed + number - first}: {time.monotonic() - began:.1f} s, {figures.faults} faults, "
                  f"{figures.outputs} outputs, slowest recovery {figures.slowest:.1f} s", flush=True)
    finally:
        site.close()
    return total, failed


def table(rows):
    print("| fault | " + " | ".join(name for name, _ in COLUMNS) + " |")
    print("|--|" + "--|" * len(COLUMNS))
    for name, figures in rows:
        print(f"| {FAULTS[name].title} | " + " | ".join(form.format(getattr(figures, column)) for column, form in COLUMNS) + " |")


def main():
    names = [n for n in os.environ.get("FAULT", "").split(",") if n] or list(FAULTS)
    if unknown := [n for n in names if n not in FAULTS]:
        print(f"torture.py: no fault {unknown[0]!r}; there are {', '.join(FAULTS)}", file=sys.stderr)
        return 2
    seed = int(os.environ.get("SEED") or random.randrange(1 << 30))
    lib = stored_jars(os.environ.get("KAFKA_FAULTS", brokers.FAULT_VERSION))
    rows, failed = [], []
    print(f"SEED={seed}", flush=True)
    for name in names:
        rounds, each = (int(os.environ.get(what) or own) for what, own in zip(("ROUNDS", "EACH"), FAULTS[name].torture))
        figures, wrong = rounds_of(name, int(os.environ.get("FIRST") or 0), rounds, each, seed, lib)
        rows.append((name, figures))
        failed += wrong
    table(rows)
    print(f"{sum(f.rounds for _, f in rows)} rounds, {len(failed)} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
