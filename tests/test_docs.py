"""workflows/README.md holds to what is built: its whole example passes, and its keys, functions, types and words are the language's."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "workflows" / "README.md"
EXAMPLE = "hall-2024"
# Every table of keys: those of definitions, and those of scenarios.
SOURCES = [*sorted((ROOT / "daemon" / "lang").glob("*.c")), *sorted((ROOT / "daemon" / "ctl").glob("scenario_*.c"))]
KEY_TABLE = re.compile(r"struct (?:key_def|pattern_key) (\w+)\[[^]]*\] = \{(.*?)\};", re.DOTALL)
KEY = re.compile(r'\{\s*"([^"]+)",')
FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"^`" + EXAMPLE + r"/([^`]+)`\n\n```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
KEYS_HEADER = re.compile(r"^\| key( of a \w+)? \|")


def dubanctl(*arguments):
    build = pathlib.Path(os.environ.get("B", "build"))
    program = (build if build.is_absolute() else ROOT / build) / "dubanctl"
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def key_tables():
    """("lang/rules.c: keys", ["when", …]) for each table that has names in it."""
    found = []
    for source in SOURCES:
        for name, body in KEY_TABLE.findall(source.read_text(encoding="utf-8")):
            keys = KEY.findall(body)
            if keys:
                found.append((f"{source.parent.name}/{source.name}: {name}", keys))
    return found


def names_in(source, pattern):
    return re.findall(pattern, (ROOT / "daemon" / source).read_text(encoding="utf-8"))


def code_words(text):
    """The words that stand in code, in lines or in blocks."""
    code = FENCE.findall(text) + re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    return set(re.findall(r"[\w-]+", "\n".join(code)))


def sections(text):
    """{heading: text}; # inside a block of code is no heading."""
    out, heading, fenced = {}, "", False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            heading = line.strip("# \n")
        out[heading] = out.get(heading, "") + line
    return out


def documented_keys(text):
    """What the first column of each table of keys names."""
    found, inside = set(), False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
        elif KEYS_HEADER.match(line):
            inside = True
        elif inside:
            found |= set(re.findall(r"`([^`]+)`", line.split("|")[1]))
    return found


class Example(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="duband-docs-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        for shared in ("common", "calendar"):
            shutil.copytree(ROOT / "workflows" / shared, cls.folder / shared)
        cls.files = dict(FILE.findall(README.read_text(encoding="utf-8")))
        for name, content in cls.files.items():
            path = cls.folder / EXAMPLE / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def test_is_whole(self):
        self.assertLessEqual({"workflow.yaml", "units.csv"}, set(self.files))
        self.assertTrue([name for name in self.files if name.startswith("scenarios/")])

    def test_check_finds_nothing(self):
        done = dubanctl("check", self.folder / EXAMPLE)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_scenarios_pass(self):
        done = dubanctl("test", self.folder / EXAMPLE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"{len(self.files) - 2} passed, 0 failed", done.stdout)


class Reference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = README.read_text(encoding="utf-8")
        cls.tables = key_tables()
        cls.sections = {heading: code_words(part) for heading, part in sections(cls.text).items()}

    def test_tables_were_found(self):
        self.assertGreater(len(self.tables), 25, "the pattern no longer fits the tables of keys")
        known = {key for _, keys in self.tables for key in keys}
        self.assertLessEqual({"workflow", "obligations", "missed-after", "born-by", "part-of", "scenario", "because"}, known)

    def test_every_key_is_told_together_with_its_neighbours(self):
        """Some one section names all keys of a table: elsewhere the word would mean something else."""
        for name, keys in self.tables:
            with self.subTest(name):
                missing = min((set(keys) - words for words in self.sections.values()), key=len)
                self.assertEqual(missing, set(), f"{name} has keys that no section tells")

    def test_no_key_is_made_up(self):
        known = {key for _, keys in self.tables for key in keys}
        self.assertGreater(len(documented_keys(self.text)), 60)
        self.assertEqual(documented_keys(self.text) - known, set())

    def test_functions_types_and_words(self):
        words = code_words(self.text)
        for what, source, pattern in [("function", "lang/calls.c", r'\{"([\w-]+)", "\1\('),
                                      ("type", "lang/types.c", r'\{"([\w-]+)", \{\.tag = TYPE_'),
                                      ("name", "lang/names.c", r'\{"(\w+)", INSTANCE_'),
                                      ("part", "lang/members.c", r'= \{\{"([\w-]+)", \d+\}'),
                                      ("action", "lang/action.c", r'\{"(\w+)", ACTION_'),
                                      ("name in measures", "core/program.c", r'= \{\{"(\w+)", \d+\}')]:
            names = names_in(source, pattern)
            with self.subTest(what):
                self.assertGreater(len(names), 3, f"the pattern no longer fits {source}")
                self.assertEqual([name for name in names if name not in words], [])
        levels = re.findall(r'"(\w+)"', names_in("lang/measures.c", r"levels\[\] = \{([^}]*)\};")[0])
        self.assertEqual([level for level in levels if level not in words], [])


if __name__ == "__main__":
    unittest.main()
