"""The pages of workflows/ hold to what is built: the tutorial goes as it is told, the whole example passes, every key has its place in
the reference, and the JSON Schemas say what the program says."""
import json
import pathlib
import re
import shutil
import tempfile
import textwrap
import unittest

import schema
from docs import MODELINE, PAGES, ROOT, SCHEMAS, SHIPPED, WORKFLOWS, dubanctl, filled, printed

README, REFERENCE = WORKFLOWS / "README.md", WORKFLOWS / "REFERENCE.md"
EXAMPLE = "hall-2024"
SOURCES = sorted([*(ROOT / "daemon" / "lang").glob("*.c"), *(ROOT / "daemon" / "ctl").glob("*.c")])
FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"^`" + EXAMPLE + r"/([^`]+)`\n\n```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^### (.*)$", re.MULTILINE)
ALIKE = {"scenario check"}  # the same keys as those of a step


def names_in(source, pattern):
    return re.findall(pattern, (ROOT / "daemon" / source).read_text(encoding="utf-8"))


def code_words(text):
    """The words that stand in code, in lines or in blocks."""
    code = FENCE.findall(text) + re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    return set(re.findall(r"[\w-]+", "\n".join(code)))


class Example(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="duband-docs-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        for shared in ("common", "calendar"):
            shutil.copytree(WORKFLOWS / shared, cls.folder / shared)
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


class Pages(unittest.TestCase):
    def test_hold_what_the_program_prints(self):
        """The tables, the diagnostics, and the tutorial from its first command to its last."""
        for page in PAGES:
            with self.subTest(page.name):
                self.assertEqual(page.read_text(encoding="utf-8"), filled(page), "`make docs` writes it")

    def test_every_map_has_its_place_in_the_reference(self):
        maps = set(HEADING.findall(printed("reference")))
        text = REFERENCE.read_text(encoding="utf-8")
        told = set()
        for command in re.findall(r"<!-- dubanctl reference (.*?) -->", text):
            told |= {quoted or word for quoted, word in re.findall(r"'([^']+)'|([^'\s]+)", command)}
        self.assertGreater(len(maps), 60)
        self.assertEqual(maps - told - ALIKE, set())

    def test_every_table_is_listed(self):
        """A table of keys that no grammar names would be in neither the reference nor the schemas."""
        tables = [name for source in SOURCES for name in re.findall(r"struct key_def (\w+)\[\] = ", source.read_text(encoding="utf-8"))]
        listed = [name for source in SOURCES for name in re.findall(r"= KEY_TABLE\((\w+)\);", source.read_text(encoding="utf-8"))]
        self.assertGreater(len(tables), 60)
        self.assertEqual(sorted(tables), sorted(listed))

    def test_every_key_says_what_it_is(self):
        rows = re.findall(r"^\| (?!key|--)(.*) \|$", printed("reference"), re.MULTILINE)
        self.assertGreater(len(rows), 400)
        for row in rows:
            self.assertTrue(all(cell.strip() for n, cell in enumerate(re.split(r" \| ", row)) if n in (1, 3)), row)

    def test_shapes_agree_with_the_kinds_that_are_read(self):
        """A key that is read as a list has a shape that is one, and so on."""
        maps = {name.removeprefix("scenario ") for name in HEADING.findall(printed("reference"))}
        fits = {"YAML_MAP": lambda shape: shape.startswith("map of ") or shape in maps | {"event"}, "YAML_LIST": lambda shape: shape.startswith("list of "),
                "YAML_SCALAR": lambda shape: not re.search(r"\b(map|list) of |\bor list\b", shape), "YAML_NULL": lambda shape: True}
        keys = [k for source in SOURCES for k in re.findall(r'\{"([^"]+)", (YAML_\w+), (?:true|false),\s*"([^"]*)"', source.read_text(encoding="utf-8"))]
        self.assertGreater(len(keys), 400)
        self.assertEqual([k for k in keys if not fits[k[1]](k[2])], [])

    def test_links_lead_somewhere(self):
        for page in PAGES:
            for target, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", page.read_text(encoding="utf-8")):
                path = page.parent / target if target else page
                with self.subTest(f"{page.name}: {target}#{anchor}"):
                    self.assertTrue(path.exists())
                    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
                    anchors = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
                    self.assertTrue(not anchor or anchor in anchors, sorted(anchors))

    def test_functions_types_and_words(self):
        words = code_words(REFERENCE.read_text(encoding="utf-8"))
        for what, source, pattern in [("function", "lang/calls.c", r'\{"([\w-]+)", "\1\('),
                                      ("type", "lang/types.c", r'\{"([\w-]+)", \{\.tag = TYPE_'),
                                      ("name", "lang/names.c", r'\{"([\w-]+)", INSTANCE_'),
                                      ("part", "lang/members.c", r'= \{\{"([\w-]+)", \d+\}'),
                                      ("kind of event", "lang/kinds.c", r'\[KIND_\w+\] = "([\w-]+)"'),
                                      ("action", "lang/action.c", r'\{"(\w+)", ACTION_'),
                                      ("week", "core/due.c", r'\[WINDOW_\w+\] = "([\w-]+)"'),
                                      ("name in measures", "core/program.c", r'= \{\{"(\w+)", \d+\}')]:
            names = names_in(source, pattern)
            with self.subTest(what):
                self.assertGreater(len(names), 3, f"the pattern no longer fits {source}")
                self.assertEqual([name for name in names if name not in words], [])

    def test_words_of_a_key_are_those_that_are_read(self):
        """Where a shape spells words out, the reader has the same."""
        spelt = re.findall(r'"((?:[\w-]+\|)+[\w-]+)', "".join(s.read_text(encoding="utf-8") for s in SOURCES))
        for source, pattern in [("lang/measures.c", r"levels\[\] = \{([^}]*)\};"), ("lang/measures.c", r"topics\[\] = \{([^}]*)\};"),
                                ("lang/kinds.c", r"voices\[\] = \{([^}]*)\};"), ("lang/obligations.c", r"cutoffs\[\] = \{([^}]*)\};"),
                                ("lang/obligations.c", r"rolls\[\] = \{([^}]*)\};"), ("lang/machines.c", r"modes\[\] = \{([^}]*)\};"),
                                ("lang/outline.c", r"of\[\] = \{([^}]*)\};"), ("lang/roster_checks.c", r"levels\[\] = \{([^}]*)\};")]:
            with self.subTest(f"{source}: {pattern}"):
                self.assertIn("|".join(re.findall(r'"([\w-]+)"', names_in(source, pattern)[0])), spelt)

    def test_every_form_of_an_event_is_told(self):
        """The short hands that scenarios read, and those that the reference and the schema have."""
        read = [name for source in SOURCES if source.name.startswith("scenario_")
                for name in re.findall(r'"([\w-]+)",\s+"[A-Z]\w+",\s+"\w+",\s+(?:KEYS|\w+_keys)', source.read_text(encoding="utf-8"))]
        told = names_in("ctl/scenario_grammar.c", r'\{"([\w-]+)", YAML_MAP')
        self.assertEqual(sorted(set(read)), sorted(told))


class Schemas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workflow, cls.scenario = (schema.validator(json.loads(printed(command))) for command in SCHEMAS.values())

    def test_are_those_that_the_program_prints(self):
        for path, command in SCHEMAS.items():
            with self.subTest(path.name):
                self.assertEqual(path.read_text(encoding="utf-8"), printed(command), "`make docs` writes it")

    def test_what_checks_validates(self):
        for folder in (WORKFLOWS, ROOT / "tests" / "language"):
            for validator, pattern in ((self.workflow, "*/*.yaml"), (self.scenario, "*/scenarios/*.yaml")):
                files = sorted(folder.glob(pattern))
                self.assertGreater(len(files), 4)
                for file in files:
                    with self.subTest(str(file.relative_to(ROOT))):
                        self.assertEqual(schema.complaints(validator, file.read_text(encoding="utf-8")), [])

    def test_shipped_files_name_their_schema(self):
        for path, named in SHIPPED:
            with self.subTest(str(path.relative_to(ROOT))):
                self.assertEqual(path.read_text(encoding="utf-8").splitlines()[0], MODELINE + named, "`make docs` writes it")
                self.assertTrue((path.parent / named).is_file())

    def test_examples_of_the_reference_validate(self):
        """Blocks and one-line examples: sections of a workflow, one obligation, steps of a scenario, actions, expressions."""
        text = REFERENCE.read_text(encoding="utf-8")
        sections = self.workflow.schema["definitions"]["workflow"]["properties"]
        blocks = [textwrap.dedent(block) for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]
        lines = [line for line in re.findall(r"^`(\w[\w-]*: \{.*\})`$", text, re.MULTILINE)]
        self.assertGreater(len(blocks), 10)
        self.assertGreater(len(lines), 3)
        for block in blocks + lines:
            with self.subTest(block.splitlines()[0]):
                self.assertTrue(self.fits_some(schema.load(block), sections), block)

    def fits_some(self, value, sections):
        def fits(validator, part):
            whole = {**part, "definitions": validator.schema["definitions"]}
            return schema.validator(whole).is_valid(value)
        if isinstance(value, list):
            return fits(self.scenario, {"items": {"$ref": "#/definitions/step"}}) or fits(self.workflow, {"items": {"$ref": "#/definitions/action"}})
        if set(value) <= set(sections):
            return fits(self.workflow, {"properties": sections})
        if set(value) == {"rules"}:
            return fits(self.workflow, {"properties": {"rules": {"items": {"$ref": "#/definitions/rule"}}}})
        return any(fits(self.workflow, {"additionalProperties": {"$ref": "#/definitions/" + name}}) for name in ("obligation", "expression"))

    def spoilt(self, validator, file, old, new):
        text = file.read_text(encoding="utf-8")
        self.assertIn(old, text)
        return schema.complaints(validator, text.replace(old, new, 1))

    def test_one_that_is_not_there(self):
        for command in (("schema", "wrokflow"), ("reference", "rule", "rool")):
            done = dubanctl(*command)
            self.assertEqual((done.returncode, done.stdout), (2, ""), command)
            self.assertIn(command[-1], done.stderr)

    def test_mistakes_do_not_validate(self):
        births, windows = (ROOT / "tests" / "language" / name / "workflow.yaml" for name in ("births", "windows"))
        for file, old, new in [(births, "timezone:", "timezon:"), (births, "calendar:", "calender:"), (births, "effective: 2024-01-01/2024-12-31", "effective: 2024"),
                               (births, "timezone:  Asia/Shanghai", ""), (births, "machine: duty", "machine: [duty]"),
                               (births, "level: notice", "level: orange"), (births, "states:", "state:"), (births, "jointly:  yes", "jointly:  perhaps"),
                               (births, "    fields: {unit: unit, problem: text}", "    fields: [unit, problem]"), (births, "- {when: quarter-opens, do", "- {wen: quarter-opens, do"),
                               (births, "[measure: call]", "[mesure: call]"), (births, "remind: [1d]", "remind: [1 day]"),
                               (births, "due:      day 10 of first month", "due:      10日"), (windows, "week:    workdays", "week:    work days"),
                               (windows, "{rrule: ", "{rule: "), (births, "tables:", "fragment: x\ntables:")]:
            with self.subTest(f"{old} → {new}"):
                self.assertNotEqual(self.spoilt(self.workflow, file, old, new), [])

    def test_mistakes_of_scenarios_do_not_validate(self):
        file = ROOT / "tests" / "language" / "births" / "scenarios" / "directive.yaml"
        for old, new in [("covers:", "cover:"), ("- expect:", "- expects:"), ("because:", "becuase:"), ("2024-04-01 09:00: {directive", "1 April: {directive"),
                         ("until 2024-12-31:", "until the end:"), ("due: 2024-04-10", "due: 10.4."), ("units: [t-01, t-02]", "units: t-01"),
                         ("measure: late-notice, ", "mesure: late-notice, "), ("obligation: errand, ", "")]:
            with self.subTest(f"{old} → {new}"):
                self.assertNotEqual(self.spoilt(self.scenario, file, old, new), [])


if __name__ == "__main__":
    unittest.main()
