#!/usr/bin/env python3
"""Fills in what dubanctl prints: the pages of workflows/ between <!-- dubanctl … --> and <!-- end -->, the JSON Schemas there, and the line that names them.
The tutorial of workflows/README.md is done on the way, and shows what its commands print.
usage: docs.py, or make docs. tests/test_docs.py fails when something differs from what this would write."""
import os
import pathlib
import re
import shlex
import subprocess

import tutorial

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORKFLOWS = ROOT / "workflows"
PAGES = sorted(WORKFLOWS.glob("*.md"))
SCHEMAS = {WORKFLOWS / "schema.json": "schema workflow", WORKFLOWS / "scenario.schema.json": "schema scenario"}
# Shipped files, each with the schema that its first line names.
SHIPPED = [*((p, "../schema.json") for p in sorted(WORKFLOWS.glob("*/*.yaml"))),
           *((p, "../../scenario.schema.json") for p in sorted(WORKFLOWS.glob("*/scenarios/*.yaml")))]
MODELINE = "# yaml-language-server: $schema="
MARKER = re.compile(r"(<!-- dubanctl (.*?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def dubanctl(*arguments, **options):
    build = pathlib.Path(os.environ.get("B", "build"))
    program = (build if build.is_absolute() else ROOT / build) / "dubanctl"
    return subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE, text=True, timeout=60, **{"stderr": subprocess.PIPE, **options})


def printed(command):
    done = dubanctl(*shlex.split(command))
    if done.returncode:
        raise SystemExit(f"dubanctl {command}: {done.stderr}")
    return done.stdout


def filled(page):
    text = MARKER.sub(lambda m: m[1] + printed(m[2]) + m[4], page.read_text(encoding="utf-8"))
    return tutorial.done(text, dubanctl) if tutorial.SECTION.search(text) else text


def main():
    for page in PAGES:
        page.write_text(filled(page), encoding="utf-8")
    for path, command in SCHEMAS.items():
        path.write_text(printed(command), encoding="utf-8")
    for path, named in SHIPPED:
        text = path.read_text(encoding="utf-8")
        if not text.startswith(MODELINE):
            path.write_text(f"{MODELINE}{named}\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
