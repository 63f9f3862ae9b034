#!/usr/bin/env python3
"""Which lines of the core and of the language the tests reach.

usage: coverage.py BUILD [--least PERCENT] [--missed]

BUILD was made with --coverage, and its tests have run. Prints a line for each file and one for each module; exits with 1 where a module
stays under PERCENT. --missed lists the lines that nothing reached."""
import argparse
import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULES = ("core", "lang")


def lines_of(build, module):
    """{file: {line: times}}, over all programs that ran."""
    found = collections.defaultdict(lambda: collections.defaultdict(int))
    notes = sorted((build / module).glob("*.gcda"))
    if not notes:
        sys.exit(f"coverage.py: no test ran in {build}/{module}")
    said = subprocess.run(["gcov", "--json-format", "--stdout", *map(str, notes)], capture_output=True, text=True, check=True).stdout
    for report in said.splitlines():
        for file in json.loads(report)["files"]:
            if file["file"].startswith(f"daemon/{module}/") and file["file"].endswith(".c"):
                for line in file["lines"]:
                    found[file["file"]][line["line_number"]] += line["count"]
    for source in (ROOT / "daemon" / module).glob("*.c"):  # one that no program linked
        name = str(source.relative_to(ROOT))
        if name not in found and not (build / module / (source.stem + ".gcda")).exists():
            print(f"{name}: nothing ran it")
            found[name][0] = 0
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("build", type=pathlib.Path)
    options.add_argument("--least", type=float, default=0)
    options.add_argument("--missed", action="store_true")
    given = options.parse_args()
    short = False
    for module in MODULES:
        hit = total = 0
        for file, lines in sorted(lines_of(given.build, module).items()):
            reached = sum(1 for times in lines.values() if times)
            hit, total = hit + reached, total + len(lines)
            print(f"{100 * reached / len(lines):6.1f} %  {reached:5}/{len(lines):<5}  {file}")
            if given.missed and reached < len(lines):
                print("          " + ", ".join(str(n) for n, times in sorted(lines.items()) if not times))
        print(f"{100 * hit / total:6.1f} %  {hit:5}/{total:<5}  {module}")
        short = short or 100 * hit / total < given.least
    sys.exit(1 if short else 0)


if __name__ == "__main__":
    main()
