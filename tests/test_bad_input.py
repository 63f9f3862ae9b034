"""Files as large and as odd as anybody can make them: a diagnostic, soon, in bounded memory. VERBOSE=1 prints what each took."""
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "diagnostics"
BASE = CASES / "nothing-wrong"
MB = 1 << 20
SIZE = 15 * MB  # a little less than what is read at all
SECONDS = 20    # of work; what is usual is well under one
KB_MAX = 400 * 1024


def repeated(piece, size=SIZE):
    """What a file is made of, piece by piece: nothing large is kept here, or the program that is measured would begin with it."""
    piece = piece.encode() if isinstance(piece, str) else piece
    for _ in range(size // MB):
        yield piece * (MB // len(piece))


def numbered(line, size=SIZE):
    n = 0
    while size > 0:
        out = b"".join(line.format(i).encode() for i in range(n, n + 10000))
        n, size = n + 10000, size - len(out)
        yield out


def around(old, *new):
    """The workflow with something in the place of the first `old`."""
    before, after = BASE.joinpath("workflow.yaml").read_bytes().split(old.encode(), 1)
    return (before, *new, after)


# What is in the file, what it is made of, one of the codes that are told.
YAML = [
    ("brackets", [repeated("[")], "W0014"),
    ("braces", [repeated("{a: ")], "W0014"),
    ("lists in lists", [repeated("- ")], "W0014"),
    ("keys in keys", [repeated("? ")], "W0014|W0015"),
    ("maps in maps", [(b" " * i + b"a:\n" for i in range(5000))], "W0014"),
    ("a list on one line", [b"articles: [", repeated("x, "), b"x]\n"], "W0003"),
    ("lists on one line", [b"articles: [", repeated("[], "), b"[]]\n"], "W0003"),
    ("a list never closed", [b"articles: [", repeated("x, ")], "W0003"),
    ("one text", [b"title: ", repeated("督")], "W0031"),
    ("one quoted text", [b'title: "', repeated("x"), b'"\n'], "W0031"),
    ("a quote never closed", [b'title: "', repeated("x y\n ")], "W0019"),
    ("one key", [repeated("k"), b": 1\n"], "W0010|W0030"),
    ("one comment", [b"# ", repeated("x")], "W0032"),
    ("comments", [repeated("# x\n")], "W0032"),
    ("empty lines", [repeated("\n")], "W0032"),
    ("blanks", [repeated(" ")], "W0032"),
    ("many values", [repeated("- x\n")], "W0003"),
    ("many keys", [numbered("k{}: 1\n")], "W0003"),
    ("unknown keys", [BASE.joinpath("workflow.yaml").read_bytes(), numbered("k{}: 1\n", 2 * MB)], "W0030"),
    ("one key again and again", [repeated("title: x\n", 2 * MB)], "W0013"),
    ("anchors", [numbered("- &a{} x\n")], "W0012"),
    ("an alias bomb", [b"a0: &a0 [x, x]\n", numbered("b{0}: [*a0, *a0, *a0, *a0]\n")], "W0012"),
    ("tags", [repeated("- !x y\n")], "W0012"),
    ("documents", [repeated("---\n")], "W0012"),
    ("colons", [repeated(":")], "W0030|W0010"),
    ("colons with blanks", [repeated("a: ")], "W0010"),
    ("full-width colons", [repeated("a：1\n")], "W0017"),
    ("full-width colons in a map", [b"title: x\n", repeated("a：1\n")], "W0017"),
    ("foreign blanks", [repeated("\u3000a: 1\n", 2 * MB)], "W0018"),
    ("foreign blanks beside values", [numbered("a{0}: \u3000{0}\n", 5 * MB)], "W0018"),
    ("tabs", [repeated("\ta: 1\n")], "W0011"),
    ("one line of tabs", [repeated("\t")], "W0011"),
    ("bytes that are no text", [repeated(b"\xff")], "W0004|W0023"),
    ("zeros", [repeated(b"\0")], "W0004|W0023"),
    ("GBK", [repeated("督办试验\n".encode("gbk"))], "W0023"),
    ("an expression of brackets", [*around("passed\n", repeated("("), b"\n")], "W0042"),
    ("an expression of sums", [*around("passed\n", b"times > 1", repeated(" + 1"), b"\n")], "W0042"),
    ("words of a type", [*around("推进缓慢", numbered("甲{} | ", 3 * MB), "推进缓慢".encode())], "W0033"),
    ("placeholders", [*around("limit: params.within", b'limit: params.within\n    body: "', repeated("{unit.titel}", 3 * MB), b'"')],
     "W0003"),
    ("misspelt actions", [*around("[measure: warning]", b"[", repeated("measure: warnin, ", MB), b"measure: warning]")], "W0152"),
]
CSV = [
    ("a million rows", [b"id,name,roles\n", numbered("u-{},x,organ\n")], "W0003"),
    ("as many units as may be", [b"id,name,roles\n", numbered("u-{},x,organ\n", 2 * MB)], "W0113"),
    ("a role for each unit", [b"id,name,roles\n", numbered("u-{0},x,r-{0}\n", 3 * MB)], "W0003"),
    ("many roles of one unit", [b"id,name,roles\nu-1,x,", numbered("r-{}|", 3 * MB)], "W0003"),
    ("many aliases of one unit", [b"id,name,roles,aliases\nu-1,x,organ,", numbered("r-{}|", 3 * MB)], "W0113"),
    ("columns", [repeated("a,")], "W0021"),
    ("one cell", [b"id,name,roles\n", repeated("x")], "W0021"),
    ("one quoted cell", [b'id,name,roles\n"', repeated('""'), b'",x,y\n'], "W0110"),
    ("quotes", [b"id,name,roles\n", repeated('"')], "W0020|W0021"),
    ("quoted cells", [b"id,name,roles\n", repeated('"",')], "W0021"),
    ("empty lines", [b"id,name,roles\n", repeated("\n")], "W0025"),
    ("one unit again and again", [b"id,name,roles\n", repeated("u,x,organ\n", MB)], "W0111"),
    ("carriage returns", [repeated("\r")], "W0023"),
    ("full-width commas", [repeated("甲，乙\n")], "W0024"),
]


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        build = pathlib.Path(os.environ.get("B", "build"))
        cls.program = (build if build.is_absolute() else ROOT / build) / "dubanctl"
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="duband-bad-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        shutil.copytree(CASES / "common", cls.folder / "common")
        shutil.copytree(BASE, cls.folder / "w")

    def write(self, name, parts):
        with open(self.folder / "w" / name, "wb") as f:
            for part in parts:
                for piece in [part] if isinstance(part, bytes) else part:
                    f.write(piece)

    def check(self, what, name, parts):
        """What check says of the folder with this in the file, and the kilobytes that it took."""
        path = self.folder / "w" / name
        kept = path.read_bytes()
        try:
            self.write(name, parts)
            with open(self.folder / "said", "wb+") as out:
                child = subprocess.Popen([self.program, "check", "w"], cwd=self.folder, stdout=out, stderr=out,
                                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS)))
                _, status, usage = os.wait4(child.pid, 0)
                child.returncode = os.waitstatus_to_exitcode(status)
                out.seek(0)
                said = out.read(MB).decode(errors="replace")
        finally:
            path.write_bytes(kept)
        took = usage.ru_utime + usage.ru_stime
        if os.environ.get("VERBOSE"):
            print(f"{took:6.2f} s {usage.ru_maxrss // 1024:5} MB  {name}: {what}: {said[:100].splitlines()[:1]}", flush=True)
        self.assertIn(child.returncode, (0, 1), f"after {took:.1f} s: {said[:2000]}")
        return said, usage.ru_maxrss

    def all_are_told(self, name, cases):
        for what, parts, codes in cases:
            with self.subTest(what):
                said, kilobytes = self.check(what, name, parts)
                self.assertRegex(said, codes)
                self.assertLess(kilobytes, KB_MAX)

    def test_yaml(self):
        self.all_are_told("workflow.yaml", YAML)

    def test_csv(self):
        self.all_are_told("units.csv", CSV)

    def test_a_hundred_megabytes(self):
        for name in ("workflow.yaml", "units.csv"):
            with self.subTest(name):
                said, kilobytes = self.check("100 MB", name, [repeated("- title: 督办\n", 101 * MB)])
                self.assertIn("at most 16 MB", said)
                self.assertLess(kilobytes, 60 * 1024)  # it was not read


if __name__ == "__main__":
    unittest.main()
