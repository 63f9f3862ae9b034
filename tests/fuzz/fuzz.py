#!/usr/bin/env python3
"""Runs the fuzzers from a seed corpus made of what the repository holds, and says how many inputs each tried.

usage: fuzz.py FOLDER [--runs N | --seconds N] [NAME…]

FOLDER holds the fuzzers. SEED=N makes a run again. A finding is kept beside the fuzzer, and the exit status is 1."""
import argparse
import os
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAMES = ("yaml", "csv", "expression", "event", "template")
GUARD = re.compile(r"^\s*(?:- )?(?:if|value|that|only-if|total|middle):\s+(.+?)\s*(?:#.*)?$", re.MULTILINE)
MESSAGES = ("submission review fact reading ranking directive extension_requested extend waive pause resume excuse annul supersede "
            "roster_change definition deadline_reached decide").split()
EVENTS = {
    "submission": '{"obligation":"x","unit":"w-1","period":"2024-01","fields":{"a":1}}',
    "review": '{"obligation":"x","unit":"w-1","period":"2024-01","verdict":"RETURN","reporter":"o","reasons":["缺"]}',
    "fact": '{"kind":"said","reporter":"w-1","fields":{"held":"2024-03-29","points":"7/2","lines":[{"item":"x","points":3}]}}',
    "reading": '{"indicator":"x","unit":"w-1","period":"2024Q1","reporter":"o","ratio":{"numerator":"28","denominator":"39"}}',
    "ranking": '{"ranking":"x","period":"2024Q1","reporter":"o","entries":[{"subject":"a","rank":1,"places":10,"tied":2}]}',
    "directive": '{"obligation":"x","units":["w-1"],"about":"1","title":"办","due":"2024-03-29","reporter":"o"}',
    "extension_requested": '{"obligation":"x","unit":"w-1","period":"2024-01","until":"2024-03-29","grounds":"汛情"}',
    "extend": '{"select":{"obligations":["x"],"units":["w-1"],"due_from":"2024-01-01"},"by":"3d","reporter":"o"}',
    "waive": '{"select":{"roles":["window"]},"reporter":"o"}',
    "pause": '{"select":{"machines":["talk"]},"reporter":"o"}',
    "resume": '{"select":{"states":["open"]},"reporter":"o","extend_due":true}',
    "excuse": '{"select":{"units":["w-1"]},"reporter":"o","grounds":"停电"}',
    "annul": '{"record":{"source":"fuzz","id":"1"},"reporter":"o"}',
    "supersede": '{"record":{"source":"fuzz","id":"1"},"reporter":"o","replacement":{"workflow":"fuzz","fact":{"kind":"said","reporter":"o"}}}',
    "roster_change": '{"from":"2024-03-01","units":[{"id":"w-3","title":"三","roles":["window"]}],'
                     '"successions":[{"from":["w-2"],"to":["w-3"]}]}',
    "definition": '{"hash":"00","root":"fuzz/workflow.yaml","files":[{"path":"fuzz/workflow.yaml","content":"d29ya2Zsb3c6IHg="}]}',
    "deadline_reached": "{}",
    "decide": '{"measure_id":"0","answer":"ISSUE","reporter":"o"}',
}


def seeds(name):
    workflows = [p for folder in ("workflows", "tests/language", "tests/diagnostics") for p in (ROOT / folder).glob("**/*.yaml")]
    if name == "yaml":
        return [p.read_bytes() for p in workflows if "scenarios" not in p.parts and p.stat().st_size < 40000]
    if name == "csv":
        tables = [p for folder in ("workflows", "tests") for p in (ROOT / folder).glob("**/*.csv") if p.stat().st_size < 20000]
        return [bytes([kind]) + p.read_bytes() for p in tables for kind in range(3)]
    if name == "expression":
        return [guard.encode() for p in workflows for guard in GUARD.findall(p.read_text(encoding="utf-8", errors="replace"))]
    if name == "template":
        return [p.read_bytes() for folder in ("workflows", "tests") for p in (ROOT / folder).glob("**/templates/*.html")]
    return [bytes([i]) + f'{{"workflow":"fuzz","{m}":{EVENTS[m]}}}'.encode() for i, m in enumerate(MESSAGES)]


def words():
    """Names and keywords of the language, as a fuzzer's dictionary."""
    found = set(re.findall(r"[A-Za-z][A-Za-z-]+", (ROOT / "workflows" / "README.md").read_text(encoding="utf-8")))
    return "".join(f'"{word}"\n' for word in sorted(found)) + "".join(
        '"' + "".join(f"\\x{byte:02x}" for byte in mark.encode()) + '"\n' for mark in "≥≤≠×÷「」〔〕，：")


def run(folder, name, limit, seed, where):
    corpus = where / name
    corpus.mkdir()
    (where / "words").write_text(words(), encoding="utf-8")
    for i, content in enumerate(seeds(name)):
        (corpus / str(i)).write_bytes(content)
    done = subprocess.run([folder / name, corpus, f"-seed={seed}", limit, "-max_len=20000", "-timeout=20", "-rss_limit_mb=2048",
                           f"-dict={where / 'words'}", f"-artifact_prefix={folder / name}-", "-print_final_stats=1", "-verbosity=0"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode(errors="replace")
    tried = re.search(r"number_of_executed_units: (\d+)", text)
    print(f"{name}: {tried.group(1) if tried else '?'} inputs tried, seed {seed}" + (", FAILED" if done.returncode else ""), flush=True)
    if done.returncode:
        print(text[-8000:], flush=True)
    return done.returncode == 0


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("--runs", type=int, default=0)
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("names", nargs="*", default=NAMES)
    given = options.parse_intermixed_args()
    seed = int(os.environ.get("SEED", "0")) or secrets.randbelow(2**31 - 1) + 1
    limit = f"-runs={given.runs}" if given.runs else f"-max_total_time={given.seconds}"
    with tempfile.TemporaryDirectory() as where:
        good = [run(given.folder.resolve(), name, limit, seed, pathlib.Path(where)) for name in given.names]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
