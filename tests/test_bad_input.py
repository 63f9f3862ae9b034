"""Files as large and as odd as anybody can make them: a diagnostic, soon, in bounded memory."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "diagnostics"
BASE = CASES / "nothing-wrong"
MB = 1 << 20
SIZE = 15 * MB  # one less than what is read at all
SECONDS = 20    # a bound for slow machines; what is usual is a fraction of it
KB_MAX = 700 * 1024


def repeated(piece, size=SIZE):
    piece = piece.encode() if isinstance(piece, str) else piece
    return piece * (size // len(piece))


def numbered(line, size=SIZE):
    out, n = [], 0
    while size > 0:
        out.append(line.format(n).encode())
        size -= len(out[-1])
        n += 1
    return b"".join(out)


HEAD = BASE.joinpath("workflow.yaml").read_bytes()
YAML = {
    "brackets": (repeated("["), "W0014"),
    "braces": (repeated("{a: "), "W0014"),
    "lists in lists": (repeated("- "), "W0014"),
    "keys in keys": (repeated("? "), "W0014|W0010"),
    "maps in maps": (b"".join(b" " * i + b"a:\n" for i in range(5000)), "W0014"),
    "one text": (b"title: " + repeated("督"), "W0031"),
    "one quoted text": (b'title: "' + repeated("x") + b'"\n', "W0031"),
    "an open quote": (b'title: "' + repeated("x y\n "), "W0019"),
    "one key": (repeated("k") + b": 1\n", "W0010|W0030"),
    "one comment": (b"# " + repeated("x"), "W0032"),
    "comments": (repeated("# x\n"), "W0032"),
    "empty lines": (repeated("\n"), "W0032"),
    "blanks": (repeated(" "), "W0032"),
    "many values": (repeated("- x\n"), "W0003"),
    "many keys": (numbered("k{}: 1\n"), "W0003"),
    "many known keys": (HEAD + numbered("k{}: 1\n", 5 * MB), "W0003|W0030"),
    "one key again and again": (repeated("title: x\n", 3 * MB), "W0013"),
    "anchors": (numbered("- &a{} x\n"), "W0012"),
    "an alias bomb": (b"a0: &a0 [x, x]\n" + numbered("b{0}: [*a0, *a0, *a0, *a0]\n"), "W0012"),
    "tags": (repeated("- !x y\n"), "W0012"),
    "documents": (repeated("---\n"), "W0012"),
    "colons": (repeated(":"), "W0032|W0010"),
    "colons with blanks": (repeated("a: "), "W0010"),
    "full-width colons": (repeated("a：1\n"), "W0017"),
    "foreign blanks": (repeated("\u3000a: 1\n"), "W0018"),
    "tabs": (repeated("\ta: 1\n"), "W0011"),
    "one line of tabs": (repeated("\t"), "W0011"),
    "bytes that are no text": (repeated(b"\xff"), "W0004|W0023"),
    "zeros": (repeated(b"\0"), "W0004|W0023"),
    "GBK": (repeated("督办试验\n".encode("gbk")), "W0023"),
    "expression": (HEAD.replace(b"if:   passed", b"if:   " + repeated("(")), "W0042"),
    "sum": (HEAD.replace(b"if:   passed", b"if:   times > 1" + repeated(" + 1")), "W0042"),
    "words": (HEAD.replace("严重滞后".encode(), repeated("甲 | ", 3 * MB) + b"x"), "W0013|W0102|W0033|W0003|W0107|W0034"),
    "placeholders": (HEAD.replace(b"limit: params.within", b'limit: params.within\n    body: "' + repeated("{unit.title}", 3 * MB) + b'"'), "W0003|W0144|W0042|$"),
    "actions": (HEAD.replace(b"[measure: warning]", b"[" + repeated("measure: warning, ", 3 * MB) + b"measure: warning]", 1), "W0003|$"),
    "misspelt actions": (HEAD.replace(b"[measure: warning]", b"[" + repeated("measure: warnin, ", 3 * MB) + b"measure: warning]", 1), "W0152"),
}
CSV = {
    "a million rows": (b"id,name,roles\n" + numbered("u-{},x,organ\n"), "W0003"),
    "as many units as may be": (b"id,name,roles\n" + numbered("u-{},x,organ\n", 3 * MB), "W0116"),
    "as many roles": (b"id,name,roles\n" + numbered("u-{0},x,r-{0}\n", 3 * MB), "W0003"),
    "roles of one unit": (b"id,name,roles\nu-1,x," + numbered("r-{}|", 3 * MB), "W0003"),
    "aliases of one unit": (b"id,name,roles,aliases\nu-1,x,organ," + numbered("r-{}|", 3 * MB), "W0116"),
    "columns": (repeated("a,"), "W0021"),
    "one cell": (b"id,name,roles\n" + repeated("x"), "W0021"),
    "one quoted cell": (b'id,name,roles\n"' + repeated('""') + b'",x,y\n', "W0110"),
    "quotes": (b"id,name,roles\n" + repeated('"'), "W0020|W0021"),
    "quoted cells": (b"id,name,roles\n" + repeated('"",'), "W0021"),
    "empty lines": (b"id,name,roles\n" + repeated("\n"), "W0025"),
    "one unit again and again": (b"id,name,roles\n" + repeated("u,x,organ\n", 2 * MB), "W0111"),
    "carriage returns": (repeated("\r"), "W0023"),
    "full-width commas": (repeated("甲，乙\n"), "W0024"),
}


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        build = pathlib.Path(os.environ.get("B", "build"))
        cls.program = (build if build.is_absolute() else ROOT / build) / "dubanctl"
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="duband-bad-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        shutil.copytree(CASES / "common", cls.folder / "common")
        shutil.copytree(BASE, cls.folder / "w")

    def check(self, name, content, codes):
        """What check says of the folder with `content` in the file: one of the codes, in time and in memory."""
        path = self.folder / "w" / name
        kept = path.read_bytes()
        if content is not None:
            path.write_bytes(content)
        try:
            started = time.monotonic()
            child = subprocess.Popen([self.program, "check", "w"], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            said = child.stdout.read(4 * MB).decode(errors="replace")
            child.stdout.close()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            took = time.monotonic() - started
            if os.environ.get("VERBOSE"):
                print(f"{took:6.2f} s {usage.ru_maxrss // 1024:5} MB", name, said[:150].splitlines()[:1])
            self.assertIn(child.returncode, (0, 1), said[:2000])
            self.assertRegex(said[:200000], codes)
            self.assertLess(took, SECONDS)
            self.assertLess(usage.ru_maxrss, KB_MAX)
        finally:
            path.write_bytes(kept)

    def test_yaml(self):
        for what, (content, codes) in YAML.items():
            with self.subTest(what):
                self.check("workflow.yaml", content, codes)

    def test_csv(self):
        for what, (content, codes) in CSV.items():
            with self.subTest(what):
                self.check("units.csv", content, codes)

    def test_a_hundred_megabytes(self):
        for name in ("workflow.yaml", "units.csv"):
            with self.subTest(name):
                path = self.folder / "w" / name
                kept = path.read_bytes()
                with open(path, "wb") as f:
                    for _ in range(100):
                        f.write(repeated("id,name,roles\n" if name == "units.csv" else "- title: 督办\n", MB))
                size = path.stat().st_size
                self.assertGreater(size, 99 * MB)
                try:
                    self.check_file(name)
                finally:
                    path.write_bytes(kept)

    def check_file(self, name):
        started = time.monotonic()
        child = subprocess.Popen([self.program, "check", "w"], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = child.stdout.read().decode()
        child.stdout.close()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(child.returncode, 1, said)
        self.assertIn("at most 16 MB", said)
        self.assertLess(time.monotonic() - started, SECONDS / 4)
        self.assertLess(usage.ru_maxrss, 100 * 1024)  # it was not read


if __name__ == "__main__":
    unittest.main()
