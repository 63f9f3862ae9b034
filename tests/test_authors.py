"""What an author does before publishing: check --explain, new, graph, due --ics, test with coverage, simulate --random, diff, explain."""
import datetime
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from daemon import ROOT, SUIFENHE, Daemon
from test_ctl import COULD_NOT, DONE, PROBLEMS, USAGE, YEAR, Case, Folder, ctl, lines

CODES = re.findall(r'^DIAG\(\w+, "(W\d{4})", "', (ROOT / "daemon" / "lang" / "diag_codes.h").read_text(encoding="utf-8"), re.MULTILINE)


class Explained(Case):
    def test_every_code_has_its_note(self):
        told = lines(self.expect(ctl("check", "--explain", "all", "--json"), DONE).stdout)
        self.assertEqual([t["code"] for t in told], CODES)
        for note in told:
            for part in ("title", "why", "mistake", "repair"):
                self.assertTrue(note[part], note)
            self.assertNotEqual(note["mistake"], note["repair"], note)

    def test_one_code(self):
        done = self.expect(ctl("check", "--explain", "w0173"), DONE)
        self.assertRegex(done.stdout, r"^W0173: [^\n]+\n\n[^\n]+\n\n  mistake  - \{[^\n]+\n           - \{[^\n]+\n  repair   - \{")
        self.assertIn("no diagnostic", self.expect(ctl("check", "--explain", "W9999"), USAGE).stderr)

    def test_as_a_program_reads_it(self):
        with tempfile.TemporaryDirectory() as where:
            shutil.copytree(ROOT / "workflows", pathlib.Path(where) / "w")
            file = pathlib.Path(where) / "w" / "suifenhe-2024" / "workflow.yaml"
            file.write_text(file.read_text(encoding="utf-8").replace("go:   warned", "go:   wraned", 1), encoding="utf-8")
            (one,) = lines(self.expect(ctl("check", "suifenhe-2024", SUIFENHE, "--json", cwd=file.parent.parent), PROBLEMS).stdout)
        self.assertEqual(set(one), {"file", "line", "column", "endColumn", "severity", "code", "message", "expected", "source"})
        self.assertEqual((one["file"], one["severity"], one["code"]), ("suifenhe-2024/workflow.yaml", "error", "W0150"))
        self.assertEqual(one["source"][one["column"] - 1:one["endColumn"] - 1], "wraned")


class New(Case):
    def test_passes_at_once(self):
        with tempfile.TemporaryDirectory() as where:
            self.expect(ctl("new", "hall-2025", cwd=where), DONE)
            done = self.expect(ctl("check", "hall-2025", cwd=where), DONE)
            self.assertEqual(done.stderr, "")
            done = self.expect(ctl("test", "hall-2025", "--min-coverage", "100", cwd=where), DONE)
            self.assertIn("3 of 3 articles covered (100 %), 5 of 5 states, 4 of 4 transitions, 2 of 2 measures", done.stdout)
            for file in (pathlib.Path(where) / "hall-2025").rglob("*.*"):
                self.assertNotIn("NAME", file.read_text(encoding="utf-8"))
            self.assertIn("File exists", self.expect(ctl("new", "hall-2025", cwd=where), COULD_NOT).stderr)
            self.assertIn("is no workflow's id", self.expect(ctl("new", "Hall", cwd=where), USAGE).stderr)


class Tested(Folder):
    def articles(self, text):
        """These in place of the workflow's own, which stand at its end."""
        file = self.workflow / "workflow.yaml"
        own, _, _ = file.read_text(encoding="utf-8").partition("\narticles:\n")
        file.write_text(f"{own}\n{text}\n", encoding="utf-8")

    def test_articles_are_covered_or_not(self):
        self.articles("articles: [五（一）T1, 五（一）T9]\nsilent: {二: 架构}")
        scenario = "scenario: 一\ncovers: [五(一)T1]\nat:\n  - until 2024-01-02: []\n"
        self.expect(self.scenario(scenario), DONE)  # asks for nothing
        done = self.expect(ctl("test", "suifenhe-2024", cwd=self.folder), PROBLEMS)
        self.assertIn("2 of 3 articles covered (66 %)", done.stdout)
        self.assertIn("2 of 3 articles are covered, under 100 %", done.stderr)
        verbose = self.expect(ctl("test", "-v", "suifenhe-2024", cwd=self.folder), PROBLEMS).stdout
        self.assertIn("  not covered: article 五（一）T9\n", verbose)
        self.assertIn("  silent: article 二: 架构\n", verbose)
        self.expect(ctl("test", "suifenhe-2024", "--min-coverage", "66", cwd=self.folder), DONE)
        done = self.expect(ctl("test", "suifenhe-2024", "--min-coverage", "67", cwd=self.folder), PROBLEMS)
        self.assertIn("2 of 3 articles are covered, under 67 %", done.stderr)
        *_, last = lines(ctl("test", "suifenhe-2024", "--json", cwd=self.folder).stdout)
        self.assertEqual(last["coverage"]["articles"], {"reached": 2, "all": 3, "listed": True, "named": ["五（一）T1"],
                                                        "silent": {"二": "架构"}, "unreached": ["五（一）T9"]})
        self.expect(ctl("test", "suifenhe-2024", "--min-coverage", "101", cwd=self.folder), USAGE)

    def test_what_a_pattern_brings(self):
        done = self.expect(ctl("test", "common", "suifenhe-2024", "--min-coverage", "0", cwd=self.folder), DONE)
        self.assertEqual(done.stderr.splitlines()[0], "passed over, no workflow.yaml in it: common")
        self.expect(ctl("test", "nowhere", "suifenhe-2024", "--min-coverage", "0", cwd=self.folder), PROBLEMS)
        self.expect(ctl("test", "common", "common", cwd=self.folder), PROBLEMS)

    def test_an_article_that_is_none(self):
        self.articles("articles: [五（一）T1, 五（一）T2]")
        done = self.expect(self.scenario("scenario: 一\ncovers: [五（一）T3]\nat:\n  - until 2024-01-02: []\n"), PROBLEMS)
        self.assertIn("no article “五（一）T3”", done.stderr)

    def test_the_order_is_the_names_whatever_the_threads(self):
        one = ctl("test", SUIFENHE, self.workflow, "-v", "--jobs", "1").stdout
        many = ctl("test", SUIFENHE, self.workflow, "-v", "--jobs", "7").stdout
        timeless = [re.sub(r"[\d.]+ ms", "", text) for text in (one, many)]
        self.assertEqual(*timeless)
        self.assertEqual(one.count("suifenhe-2024: "), 2)

    def test_a_failure_names_the_rule_that_did_not_hold(self):
        done = self.expect(self.scenario("""scenario: 一
at:
  - 2024-04-10 09:00: {ranking: indicators, period: 2024Q1, positions: {i-017: 10 of 10}}
  - expect: {measure: yellow-card, unit: u-01, subject: i-017}
  - expect: {measure: warning, unit: u-01, subject: i-017, copy: [nobody]}
  - state: {machine: card, unit: u-01, subject: i-017, state: yellow}
"""), PROBLEMS)
        untaken = (r"not taken: suifenhe-2024/workflow\.yaml:\d+ when ranked if event\.low and low ≥ params\.yellow-at → yellow, "
                   r"of card/u-01/i-017 in clear at 2024-04-10 09:00\n"
                   r" +event\.low → yes\n +low ≥ params\.yellow-at: 1 ≥ 2 → no\n")
        self.assertEqual(len(re.findall(untaken, done.stdout)), 2, done.stdout)
        self.assertIn("copy: expected [nobody], was [sfh-l01]\n", done.stdout)


class Calendar(Case):
    SPAN = ("--from", "2024-03-01", "--to", "2024-04-30", "--unit", "tf-05")

    def unfolded(self, kind):
        done = subprocess.run(ctl("due", SUIFENHE, *self.SPAN).args + ["--ics", kind], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, DONE, done.stderr)
        raw = done.stdout
        self.assertTrue(raw.endswith(b"END:VCALENDAR\r\n"))
        for line in raw.split(b"\r\n"):
            self.assertLessEqual(len(line), 75)
            self.assertNotIn(b"\n", line)
            line.decode("utf-8")  # no character is cut in two
        return raw.decode("utf-8").replace("\r\n ", "").split("\r\n")

    def test_todos_are_due_at_the_instant(self):
        rows = lines(ctl("due", SUIFENHE, *self.SPAN, "--json").stdout)
        self.assertTrue(rows)
        told = self.unfolded("todos")
        due = [line[4:] for line in told if line.startswith("DUE:")]
        wanted = [datetime.datetime.fromisoformat(r["effective"].replace("Z", "+00:00")).strftime("%Y%m%dT%H%M%SZ") for r in rows]
        self.assertEqual(due, wanted)
        uids = [line for line in told if line.startswith("UID:")]
        self.assertEqual(len(set(uids)), len(rows))
        self.assertTrue(any("\\, inclusive: until 24:00\\n" in line for line in told if line.startswith("DESCRIPTION:")))
        self.assertEqual(uids, [line for line in self.unfolded("events") if line.startswith("UID:")])

    def test_events_last_the_day(self):
        told = self.unfolded("events")
        self.assertIn("DTSTART;VALUE=DATE:20240331", told)
        self.assertIn("DTEND;VALUE=DATE:20240401", told)
        self.assertIn("neither events nor todos", self.expect(ctl("due", SUIFENHE, *self.SPAN, "--ics", "x"), USAGE).stderr)


class Random(Case):
    def test_the_same_seed_the_same_year(self):
        with tempfile.TemporaryDirectory() as where:
            kept = pathlib.Path(where) / "year.jsonl"
            options = ("--random", "--seed", "5", "--until", "2024-12-31")
            first = self.expect(ctl("simulate", SUIFENHE, *options, "--write", kept, "--json"), DONE).stdout
            self.assertEqual(first, ctl("simulate", SUIFENHE, *options, "--json").stdout)
            self.assertNotEqual(first, ctl("simulate", SUIFENHE, "--random", "--seed", "6", "--until", "2024-12-31", "--json").stdout)
            self.assertEqual(first, ctl("simulate", SUIFENHE, "--events", kept, "--until", "2024-12-31", "--json").stdout)
            kinds = {event["type"] for event in lines(kept.read_text(encoding="utf-8"))}
        self.assertLessEqual({"duban.v1.Submission", "duban.v1.Review", "duban.v1.Fact", "duban.v1.Ranking"}, kinds)

    def test_nothing_is_refused_for_its_types(self):
        """Only what a regime says may refuse; every workflow that is there, some seeds each."""
        seed = int(os.environ.get("SEED", "1"))
        with tempfile.TemporaryDirectory() as where:
            for shared in ("common", "calendar"):
                shutil.copytree(ROOT / "workflows" / shared, pathlib.Path(where) / shared)
            folders = [*(ROOT / "workflows").glob("*/workflow.yaml"), *(ROOT / "tests" / "language").glob("*/workflow.yaml")]
            for folder in sorted(f.parent for f in folders):
                shutil.copytree(folder, pathlib.Path(where) / folder.name)
                for n in range(seed, seed + 2):
                    with self.subTest(workflow=folder.name, seed=n):
                        done = self.expect(ctl("simulate", folder.name, "--random", "--seed", n, cwd=where), DONE)
                        self.assertNotRegex(done.stderr, r": expected |is missing|is no field|: unknown|has no field")

    def test_what_goes_together(self):
        for arguments, said in (((), "either --events FILE or --random"), (("--random", "--events", YEAR), "either --events FILE or --random"),
                                (("--random", "--seed", "x"), "'x' is no whole number"), (("--events", YEAR, "--seed", "1"), "belong to --random")):
            self.assertIn(said, self.expect(ctl("simulate", SUIFENHE, *arguments), USAGE).stderr)


class Why(Case):
    def explain(self, *arguments, status=DONE):
        return self.expect(ctl("explain", SUIFENHE, "--events", YEAR, *arguments), status)

    def test_a_card(self):
        (one,) = lines(self.explain("--measure", "red-card", "--unit", "u-03", "--subject", "i-018", "--json").stdout)
        self.assertEqual(one["article"], ["五（三）"])
        self.assertIn("low ≥ params.red-min: 3 ≥ 3 → yes", one["guard"])
        self.assertRegex(one["rule"][0], r"^suifenhe-2024/workflow\.yaml:\d+, in state yellow$")
        self.assertIn("    if:   event.low and low ≥ params.red-min", one["rule"])
        records = [line for line in one["counter"] if re.match(r"  \d  record ", line)]
        self.assertEqual([re.search(r"period: (\S+),", line)[1] for line in records], ["2024Q1", "2024Q2", "2024Q3"])
        self.assertRegex(one["path"][0], "born → clear")
        self.assertRegex(one["path"][-1], "yellow → red")
        self.assertEqual(one["limit"], ["2024-11-09: 30d after the issue, to 24:00 of that day"])
        text = self.explain(one["measure"]["id"]).stdout
        self.assertEqual(text.count("  guard "), 1)
        self.assertIn("3 ≥ 3 → yes", text)

    def test_by_the_notification_of_any_recipient(self):
        issued = lines(self.expect(ctl("simulate", SUIFENHE, "--events", YEAR, "--json"), DONE).stdout)
        later = [m for m in issued if m["topic"] == "duban.notifications" and m["recipient"] not in m["recipients"][:1]]
        for measure in ("limit-passed", "red-card"):  # a notification only, and that of something published
            one = next(m for m in later if m["measure"] == measure)
            with self.subTest(measure=measure):
                text = self.explain(one["id"]).stdout
                self.assertEqual(text.count("\n  article "), 1)
                self.assertIn(one["task"], text)

    def test_a_due_date(self):
        (one, *_) = lines(self.explain("--measure", "late-notice", "--json").stdout)
        self.assertRegex(one["due"][1], r"^last day of 2024Q1, inclusive: until 24:00")
        self.assertIn("effective 2024-04-01 00:00", one["due"])
        self.assertRegex(one["because"][0], r"^timer overdue of report/")

    def test_why_not(self):
        done = self.explain("card/u-03/i-018", "--why-not")
        self.assertRegex(done.stdout, r"state +red since 2024-10-10 10:00")
        self.assertIn("latest(ranked).rank ≤ latest(ranked).middle: 8 ≤ 5 → no", done.stdout)
        self.assertIn("never looked at in this state", done.stdout)

    def test_nothing_like_it(self):
        self.assertIn("no measure like this", self.explain("--measure", "red-card", "--unit", "nobody", status=PROBLEMS).stderr)
        self.assertIn("expected a measure's id", self.explain(status=USAGE).stderr)


class Drawn(Case):
    def test_mermaid(self):
        page = self.expect(ctl("graph", SUIFENHE), DONE).stdout
        self.assertEqual(page, ctl("graph", SUIFENHE).stdout)
        self.assertEqual(page.count("```mermaid"), page.count("stateDiagram-v2") + 2)
        one = self.expect(ctl("graph", SUIFENHE, "--machine", "card"), DONE).stdout
        self.assertIn(one, page)
        self.assertIn(" : ranked [event.low and low ≥ params.red-min]\n", one)
        self.assertIn("| task-progress | 任务进展和质效 | 三（三） | taskforce | quarter | last day of 2024Q1", page)
        self.assertIn("did you mean card?", self.expect(ctl("graph", SUIFENHE, "--machine", "crad"), USAGE).stderr)

    def test_raises_between_machines(self):
        with tempfile.TemporaryDirectory() as where:
            ctl("new", "hall-2025", cwd=where)
            page = self.expect(ctl("graph", "hall-2025", cwd=where), DONE).stdout
        self.assertRegex(page, r'm1\["报送"\]\n    m2\["逾期 → 预警"\]\n    m1 -- "late" --> m2\n')

    def test_dot_and_svg(self):
        dot = self.expect(ctl("graph", SUIFENHE, "--format", "dot"), DONE).stdout
        self.assertTrue(dot.startswith('digraph "suifenhe-2024" {'))
        if not shutil.which("dot"):
            self.assertIn("install the package graphviz", self.expect(ctl("graph", SUIFENHE, "--format", "svg"), COULD_NOT).stderr)
            self.skipTest("graphviz is not here: SVG is not drawn")
        svg = self.expect(ctl("graph", SUIFENHE, "--format", "svg"), DONE).stdout
        self.assertIn("</svg>", svg)
        self.assertIn("黄牌", svg)


class Compared(Folder):
    def diff(self, *arguments, status=DONE):
        return self.expect(ctl("diff", SUIFENHE, "suifenhe-2024", *arguments, cwd=self.folder), status)

    def changed(self):
        self.spoil("red-min:        {value: 3, ", "red-min:        {value: 4, ")
        self.spoil("            do:   [measure: lift]\n            go:   clear\n", "            do:   [measure: lift]\n            go:   warned\n")
        units = self.workflow / "units.csv"
        units.write_text(units.read_text(encoding="utf-8").replace("tf-05,专班五,", "tf-05,专班五组,"), encoding="utf-8")

    def test_nothing(self):
        self.assertEqual(self.diff().stdout, "0 changes in the definition\n")

    def test_in_words(self):
        self.changed()
        told = {(c["thing"], c["path"]): c for c in lines(self.diff("--json").stdout)}
        self.assertEqual(len(told), 3)
        red = told["parameter red-min", "value"]
        self.assertEqual((red["was"], red["is"]), ("3", "4"))
        self.assertRegex(red["new"], r"^suifenhe-2024/workflow\.yaml:\d+$")
        self.assertEqual(told["units.csv, row tf-05", "name"]["is"], "专班五组")
        rule = told["machine card (预警 → 黄牌 → 红牌 → 摘牌)", "groups.carded.rules[when any, no. 6].go"]
        self.assertEqual((rule["was"], rule["is"]), ("clear", "warned"))
        self.assertIn("parameter red-min: value was 3, is 4  (", self.diff().stdout)

    def test_rules_in_another_order(self):
        first = "          - when: slow\n            if:   event.degree = 推进缓慢\n            go:   warned\n"
        second = "          - when: slow\n            if:   params.yellow-needs = any\n            go:   yellow\n"
        self.spoil(first + second, second + first)
        self.assertEqual([c["change"] for c in lines(self.diff("--json").stdout)], ["moved"])

    def test_with_state(self):
        self.changed()
        with Daemon(time="events") as daemon:
            self.expect(ctl("publish", SUIFENHE, "--reason", "test", url=daemon.url), DONE)
            self.expect(ctl("play", YEAR, "--until", "2024-11-30T00:00:00+08:00", url=daemon.url), DONE)
            daemon.stop()
            said = self.diff("--state", daemon.data).stdout.splitlines()
            same = self.expect(ctl("diff", SUIFENHE, SUIFENHE, "--state", daemon.data), DONE).stdout
        self.assertIn("0 measures gone, 0 new", same)
        self.assertIn("0 of", same)
        gone = [line for line in said if line.startswith("measure gone: ")]
        self.assertTrue(gone)
        self.assertTrue(all("红牌督办" in line for line in gone if "card/" in line and " 2024-10-10 10:00" in line), gone)
        self.assertTrue([line for line in said if re.match(r"other state: card/\S+: red → yellow", line)])
        self.assertIn("/nonexistent", self.expect(ctl("diff", SUIFENHE, SUIFENHE, "--state", "/nonexistent"), COULD_NOT).stderr)


if __name__ == "__main__":
    unittest.main()
