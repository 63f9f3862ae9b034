"""Each regime's example year: its generator makes it again byte for byte, its outputs are those that stand beside it, and no measure of the
regime is missing among them.

`make years` writes both anew and shows what changed."""
import difflib
import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
YEARS = sorted(path for path in (ROOT / "workflows").glob("*/example/[0-9]*.jsonl"))
RULE = re.compile(r" +\(\S+:\d+\)$", re.MULTILINE)  # file and line: every comment in a workflow moves them
ISSUED = re.compile(r"^(\S+) .* (\d+)$")


def outputs(events):
    """What a reader sees of the year: every measure in its order, what was rejected, and the sums."""
    build = pathlib.Path(os.environ.get("B", "build"))
    program = (build if build.is_absolute() else ROOT / build) / "dubanctl"
    workflow = events.parent.parent
    done = subprocess.run([program, "simulate", workflow.relative_to(ROOT), "--events", events, "--until", f"{int(events.stem) + 1}-03-01"],
                          cwd=ROOT, capture_output=True, text=True, timeout=300)
    rejected = [line for line in done.stderr.splitlines() if line.startswith("rejected: ")]
    return RULE.sub("", done.stdout).rstrip("\n") + "\n" + "".join(f"{line}\n" for line in rejected)


class Years(unittest.TestCase):
    def test_generators_make_them_again(self):
        for events in YEARS:
            with self.subTest(events.parent.parent.name):
                made = subprocess.run([sys.executable, events.parent / "year.py"], capture_output=True, check=True, timeout=120).stdout
                self.assertEqual(made, events.read_bytes(), f"{events.relative_to(ROOT)} is not what year.py makes: make years")

    def test_outputs_are_those_beside_them(self):
        for events in YEARS:
            with self.subTest(events.parent.parent.name):
                golden, got = events.with_suffix(".txt"), outputs(events)
                wanted = golden.read_text(encoding="utf-8") if golden.exists() else ""
                shown = "\n".join(list(difflib.unified_diff(wanted.splitlines(), got.splitlines(), "as it stands", "as it is", lineterm="", n=1))[:60])
                self.assertTrue(got == wanted, f"{golden.relative_to(ROOT)} (make years):\n{shown}")

    def test_every_measure_is_issued(self):
        for events in YEARS:
            with self.subTest(events.parent.parent.name):
                sums = outputs(events).split("\nmeasure ", 1)[1]
                never = [m.group(1) for m in map(ISSUED.match, sums.splitlines()) if m and m.group(2) == "0"]
                self.assertEqual(never, [])


def update():
    for events in YEARS:
        events.write_bytes(subprocess.run([sys.executable, events.parent / "year.py"], capture_output=True, check=True, timeout=120).stdout)
        events.with_suffix(".txt").write_text(outputs(events), encoding="utf-8")
        print(events.with_suffix("").relative_to(ROOT))


if __name__ == "__main__":
    update() if sys.argv[1:] == ["update"] else unittest.main()
