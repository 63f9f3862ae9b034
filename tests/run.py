#!/usr/bin/env python3
"""Runs tests and ends with one line `N passed, N failed, N skipped`.

usage: run.py [--unit FOLDER]... [--python PATTERN]... [--command NAME=COMMAND]...

  --unit      every program in FOLDER, each a cmocka test that speaks TAP
  --python    test modules of this folder by file pattern (unittest)
  --command   a command that is one test: it passes when it exits with 0
Prints what fails with its output; exits with 1 if anything did. A skipped test prints why."""
import argparse
import fnmatch
import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TAP_LINE = re.compile(r"^(ok|not ok)\b\s*(?:\d+)?\s*-?\s*(.*)$")


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, name, result, detail=""):
        setattr(self, result, getattr(self, result) + 1)
        if result != "passed":
            print(f"{result.upper():7} {name}" + (f"\n{detail}" if detail else ""), flush=True)


def run_unit(tally, folder):
    for program in sorted(pathlib.Path(folder).iterdir()):
        if program.suffix or not os.access(program, os.X_OK):
            continue
        started = time.monotonic()
        done = subprocess.run([program], env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, cwd=HERE.parent, timeout=900)
        text = done.stdout.decode(errors="replace")
        seen = [m.groups() for m in map(TAP_LINE.match, text.splitlines()) if m]
        bad = [what for ok, what in seen if ok == "not ok"]
        for ok, what in seen:
            tally.add(f"{program.name}: {what}", "skipped" if "# SKIP" in what else "passed" if ok == "ok" else "failed")
        if bad or done.returncode != 0 or not seen:
            if not bad:  # a crash, a leak, or no test at all
                tally.add(f"{program.name}: exit status {done.returncode}", "failed")
            print(text[-6000:], flush=True)
        print(f"        {program.name}: {len(seen)} tests, {time.monotonic() - started:.1f} s", flush=True)


class Result(unittest.TestResult):
    def __init__(self, tally):
        super().__init__()
        self.tally = tally

    def addSuccess(self, test):
        self.tally.add(test.id(), "passed")

    def addFailure(self, test, err):
        self.tally.add(test.id(), "failed", self._exc_info_to_string(err, test))

    addError = addFailure

    def addSkip(self, test, reason):
        self.tally.add(test.id(), "skipped", reason)

    def addSubTest(self, test, subtest, err):
        if err:
            self.addFailure(subtest, err)


def run_python(tally, pattern):
    for path in sorted(HERE.glob("**/test_*.py")):
        if "node_modules" in path.parts or not fnmatch.fnmatch(path.name, pattern):
            continue
        started = time.monotonic()
        sys.path[:0] = [str(HERE), str(path.parent)]
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        suite = unittest.defaultTestLoader.loadTestsFromModule(module)
        count = suite.countTestCases()
        suite.run(Result(tally))
        print(f"        {path.name}: {count} tests, {time.monotonic() - started:.1f} s", flush=True)


def run_command(tally, spec):
    name, command = spec.split("=", 1)
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=HERE.parent)
    tally.add(name, "failed" if done.returncode else "passed", done.stdout.decode(errors="replace")[-6000:])
    said = done.stdout.decode(errors="replace").strip().splitlines()[-1:]
    print(f"        {name}" + (f": {said[0][:300]}" if said else ""), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unit", action="append", default=[])
    parser.add_argument("--python", action="append", default=[])
    parser.add_argument("--command", action="append", default=[])
    arguments = parser.parse_args()
    tally = Tally()
    for spec in arguments.command:
        run_command(tally, spec)
    for folder in arguments.unit:
        run_unit(tally, folder)
    for pattern in arguments.python:
        run_python(tally, pattern)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped", flush=True)
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
