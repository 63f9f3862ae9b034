"""dubanctl as people run it: what it prints and how it exits; against a daemon, and against servers that misbehave."""
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import unittest

from daemon import ROOT, SUIFENHE, Daemon, program

YEAR = SUIFENHE / "example" / "2024.jsonl"
DONE, PROBLEMS, USAGE, COULD_NOT = range(4)


def ctl(*arguments, url=None, stdin=None, cwd=ROOT):
    environment = {k: v for k, v in os.environ.items() if k != "DUBAN_URL"}
    if url:
        environment["DUBAN_URL"] = url
    return subprocess.run([program("dubanctl"), *map(str, arguments)], input=stdin, capture_output=True, text=True, cwd=cwd,
                          env=environment, timeout=120)


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def dispatch(number, **changes):
    """An event that suifenhe-2024 takes."""
    fields = {"held": "2024-03-01", "of": ["tf-01"], "kind": "优环办调度", "result": "已部署"}
    return {"specversion": "1.0", "id": f"e{number}", "source": "test", "type": "duban.v1.Fact", "time": "2024-03-05T01:00:00Z",
            "datacontenttype": "application/json",
            "data": {"workflow": "suifenhe-2024",
                     "fact": {"kind": "dispatch", "reporter": "sfh-yhb", "fields": {**fields, **changes}}}}


class Case(unittest.TestCase):
    def expect(self, done, status):
        self.assertEqual(done.returncode, status, f"{done.args}\n{done.stdout}\n{done.stderr}")
        self.assertNotIn("Sanitizer", done.stderr)
        return done


class Usage(Case):
    def test_nothing_asked(self):
        done = self.expect(ctl(), USAGE)
        self.assertIn("usage: dubanctl COMMAND", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_help_lists_every_command_and_each_has_its_own(self):
        names = [line.split()[0] for line in ctl("help").stdout.splitlines() if line.startswith("  ")]
        self.assertEqual(names, "new check test simulate explain due diff graph schema reference publish send play tasks cases scores measures document proposals decide history events workflows topics status rejected migrate-bus verify".split())
        for name in names:
            for arguments in (("help", name), (name, "--help")):
                done = self.expect(ctl(*arguments), DONE)
                self.assertIn(f"usage: dubanctl {name}", done.stdout)
                self.assertEqual("one JSON object a line" in done.stdout, name not in ("new", "graph", "schema", "reference", "document"))

    def test_slips_are_guessed_at(self):
        for arguments, said in (
                (("tset", "x"), "did you mean 'test'?"),
                (("test", "--junt", "x", "y"), "did you mean --junit?"),
                (("test", "--verbose=1", "x"), "--verbose takes no value"),
                (("test", "--json=1", "x"), "--json takes no value"),
                (("graph", SUIFENHE, "--json"), "no option --json"),
                (("due", SUIFENHE, "--from", "2024-03-01", "--to", "2024-03-02", "--ics", "todos", "--json"), "either --ics or --json"),
                (("due", SUIFENHE), "--from DAY is needed"),
                (("due", SUIFENHE, "--from"), "--from needs a value"),
                (("due", SUIFENHE, "--from", "2024-02-30", "--to", "2024-03-01"), "'2024-02-30' is no date"),
                (("due", SUIFENHE, "--from", "2024-03-02", "--to", "2024-03-01"), "is before"),
                (("due", SUIFENHE, "--from", "2024-03-01", "--to", "2024-03-02", "--unit", "nobody"), "'nobody' is no unit"),
                (("simulate", SUIFENHE, "--events", YEAR, "--until", "soon"), "'soon' is no time"),
                (("check",), "expected DIR…"),
                (("tasks", "surplus"), "expected no argument"),
                (("tasks", "--limit", "0"), "'0' is no number of rows"),
                (("tasks", "--url", "https://x"), "plain HTTP"),
                (("topics", "create"), "--bootstrap HOST:PORT is needed"),
                (("topics", "warnings", "--from", "-1"), "is no offset"),
                (("play", YEAR, "--speed", "0"), "is no speed"),
                (("play", YEAR, "--until", "soon"), "is no time"),
                (("events", "a"), "expected SOURCE ID"),
                (("help", "nosuch"), "no command 'nosuch'")):
            with self.subTest(arguments=arguments):
                self.assertIn(said, self.expect(ctl(*arguments), USAGE).stderr)

    def test_nobody_there(self):
        for arguments in (("tasks",), ("workflows",), ("topics",), ("events", "a", "b"), ("send", YEAR), ("publish", SUIFENHE)):
            with self.subTest(arguments=arguments):
                done = self.expect(ctl(*arguments, url="http://127.0.0.1:1"), COULD_NOT)
                self.assertIn("is duband running at http://127.0.0.1:1?", done.stderr + done.stdout)

    def test_unreadable_file(self):
        for arguments in (("send", "/nonexistent"), ("play", "/nonexistent"), ("simulate", SUIFENHE, "--events", "/nonexistent")):
            self.assertIn("/nonexistent: No such file", self.expect(ctl(*arguments), COULD_NOT).stderr)


class Folder(Case):
    """A copy of the workflow that a test may spoil."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "workflows"
        shutil.copytree(ROOT / "workflows", self.folder)
        self.workflow = self.folder / "suifenhe-2024"

    def scenario(self, text):
        for old in (self.workflow / "scenarios").iterdir():
            old.unlink()
        (self.workflow / "scenarios" / "one.yaml").write_text(text)
        return ctl("test", "suifenhe-2024", "--min-coverage", "0", cwd=self.folder)

    def spoil(self, old, new):
        file = self.workflow / "workflow.yaml"
        text = file.read_text()
        self.assertIn(old, text)
        file.write_text(text.replace(old, new, 1))


class Check(Folder):
    def test_fine(self):
        done = self.expect(ctl("check", SUIFENHE), DONE)
        self.assertIn("suifenhe-2024: fine", done.stdout)
        self.assertEqual(self.expect(ctl("check", SUIFENHE, "--json"), DONE).stdout, "")

    def test_bytes_that_are_no_text_are_told_as_json(self):
        for name in ("units.csv", "workflow.yaml"):
            file = self.workflow / name
            kept = file.read_bytes()
            file.write_bytes(kept + b"\n# \xe9\n")
            with self.subTest(file=name):
                (told,) = lines(self.expect(ctl("check", "suifenhe-2024", "--json", cwd=self.folder), PROBLEMS).stdout)
                self.assertEqual((told["code"], told["column"], told["source"]), ("W0004", 3, "# \ufffd"))
            file.write_bytes(kept)

    def test_mistake_is_shown_where_it_is(self):
        self.spoil("go:   warned", "go:   wraned")
        done = self.expect(ctl("check", "suifenhe-2024", cwd=self.folder), PROBLEMS)
        self.assertRegex(done.stderr, r"suifenhe-2024/workflow\.yaml:\d+:\d+: error W0150")
        self.assertIn("^^^^^^", done.stderr)
        self.assertNotIn("\033", done.stderr)
        (diagnostic,) = lines(self.expect(ctl("check", "suifenhe-2024", "--json", cwd=self.folder), PROBLEMS).stdout)
        self.assertEqual((diagnostic["severity"], diagnostic["code"], diagnostic["endColumn"] - diagnostic["column"]), ("error", "W0150", 6))
        for command in (("test",), ("publish",), ("due", "--from", "2024-01-01", "--to", "2024-01-02"), ("simulate", "--events", YEAR)):
            self.expect(ctl(command[0], "suifenhe-2024", *command[1:], cwd=self.folder), PROBLEMS)

    def test_no_such_folder(self):
        self.expect(ctl("check", "/nonexistent"), PROBLEMS)


class Due(Case):
    def test_a_year_of_dispatches(self):
        rows = lines(self.expect(ctl("due", SUIFENHE, "--from", "2024-01-01", "--to", "2024-12-31", "--json"), DONE).stdout)
        dispatches = [row for row in rows if row.get("obligation") == "dispatch-by-office"]  # others are of the schedule
        self.assertEqual(len(dispatches), 132)
        self.assertEqual(set(dispatches[0]) - {"day", "provisional", "about"},
                         {"obligation", "basis", "unit", "period", "nominal", "effective", "reason"})
        self.assertEqual(dispatches[0]["basis"], "三（一）")
        self.assertEqual(rows, sorted(rows, key=lambda row: row["effective"]))

    def test_one_unit_as_a_table(self):
        done = self.expect(ctl("due", SUIFENHE, "--from", "2024-03-31", "--to", "2024-03-31", "--unit", "tf-01"), DONE)
        self.assertIn("8 due", done.stdout)
        self.assertIn("last day of 2024Q1", done.stdout)
        self.assertIn("0 due", ctl("due", SUIFENHE, "--from", "2024-03-30", "--to", "2024-03-30", "--unit", "tf-01").stdout)


class Simulate(Case):
    def run_events(self, events, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
            f.write("".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events))
            f.flush()
            return ctl("simulate", SUIFENHE, "--events", f.name, *options)

    def test_a_year_is_the_same_every_time(self):
        one, two = (self.expect(ctl("simulate", SUIFENHE, "--events", YEAR, "--until", "2025-02-15", "--json"), DONE) for _ in range(2))
        self.assertEqual(one.stdout, two.stdout)
        records = lines(one.stdout)
        self.assertEqual({r["topic"] for r in records}, {"duban.warnings", "duban.supervision", "duban.notifications"})
        self.assertEqual(len({r["id"] for r in records}), len(records))
        wanted = "topic id type measure level basis workflow unit subject task period due limit time caused_by rule recipients".split()
        for record in records:
            self.assertLessEqual(set(wanted), set(record))

    def test_rejections_are_told_and_are_no_failure(self):
        done = self.expect(self.run_events([dispatch(1), dispatch(2, held="2024-03-09"), dispatch(1)]), DONE)
        self.assertIn("rejected: e2 from test: 调度日期晚于报送时间（三（一））", done.stderr)
        self.assertIn("3 events, 1 rejected, 1 duplicates", done.stdout)

    def test_an_event_without_a_time_cannot_be_simulated(self):
        event = dispatch(1)
        del event["time"]
        self.assertIn("has no `time`", self.expect(self.run_events([event]), COULD_NOT).stderr)

    def test_until_leaves_out_what_comes_later(self):
        self.assertIn("0 events", self.run_events([dispatch(1)], "--until", "2024-03-01").stdout)
        self.assertIn("1 events", self.run_events([dispatch(1)], "--until", "2024-03-05 09:00").stdout)


FAILING = """scenario: 一次预警
covers: [五（一）T1]
at:
  - 2024-04-10 09:00: {ranking: indicators, period: 2024Q1, positions: {i-017: 10 of 10}}
  - expect: {measure: warning, unit: u-01, subject: i-018, basis: 五(一)}
  - only:
      - {measure: warning, unit: u-01, copy: [sfh-l01]}
  - none: {measure: warning, unit: u-02}
  - state: {machine: card, unit: u-01, subject: i-017, state: yellow}
  - 2024-04-11 09:00: {accepted: {by: u-03, unit: u-03, subject: 甲, pass: yes}}
  - 2024-04-11 09:00: {rectified: {by: u-03, subject: 甲, file: r.pdf}}
  - rejected: {because: 甲}
"""
U01 = ("2024-04-10 09:00 warning unit u-01 subject i-017 period 2024Q1 basis 五（一） document 预警提醒函 number 绥营督〔2024〕1号 "
       "to [u-01] copy [sfh-l01] (suifenhe-2024/workflow.yaml:{0})")
U02 = U01.replace("u-01", "u-02").replace("1号", "2号")
FAILED = f"""suifenhe-2024/scenarios/one.yaml:5:13: 一次预警
  expected  {{measure: warning, unit: u-01, subject: i-018, basis: 五(一)}}
  happened  {U01}: other subject
              subject: expected i-018, was i-017
            {U02}: other unit, subject
            and 620 more, further from it
suifenhe-2024/scenarios/one.yaml:6:5: 一次预警
  expected  only what is listed
  happened  besides: {U02}
suifenhe-2024/scenarios/one.yaml:8:11: 一次预警
  expected  no {{measure: warning, unit: u-02}}
  happened  {U02}
suifenhe-2024/scenarios/one.yaml:9:12: 一次预警
  expected  {{machine: card, unit: u-01, subject: i-017, state: yellow}}
  happened  its state is warned
            not taken: suifenhe-2024/workflow.yaml:{{1}} when ranked if event.low and low ≥ params.yellow-at → yellow, of card/u-01/i-017 in clear at 2024-04-10 09:00
              event.low → yes
              low ≥ params.yellow-at: 1 ≥ 2 → no
suifenhe-2024/scenarios/one.yaml:10:24: 一次预警
  expected  this event is taken (no `rejected:` follows it)
  happened  rejected: reporter: u-03 may not report accepted: only bureau
suifenhe-2024/scenarios/one.yaml:12:5: 一次预警
  expected  rejected because of “甲”
  happened  it was not rejected
"""


class Scenarios(Folder):
    def test_suifenhe_passes_and_says_what_it_reaches(self):
        done = self.expect(ctl("test", SUIFENHE, "-v"), DONE)
        self.assertRegex(done.stdout, r" (\d+) of \1 measures reached\n")
        self.assertRegex(done.stdout.splitlines()[-1], r"^\d+ passed, 0 failed$")
        *scenarios, last = lines(self.expect(ctl("test", SUIFENHE, "--json"), DONE).stdout)
        self.assertTrue(all(s["passed"] and not s["failures"] for s in scenarios))
        self.assertEqual(set(last["coverage"]), {"articles", "states", "transitions", "measures"})

    def test_a_failure_says_what_happened_instead(self):
        done = self.expect(self.scenario(FAILING), PROBLEMS)
        rule = next(n for n, line in enumerate((self.workflow / "workflow.yaml").read_text().splitlines(), 1)
                    if line == "      warned:")  # the state whose entry issues it
        text = (self.workflow / "workflow.yaml").read_text().splitlines()
        untaken = next(n for n, line in enumerate(text, 1) if "yellow-at" in line and "low" in line and "if:" in line) - 1
        wanted = FAILED.replace("{0}", str(rule)).replace("{1}", str(untaken))
        self.assertEqual(done.stdout[:len(wanted)], wanted)
        self.assertEqual(done.stdout.splitlines()[-1], "0 passed, 1 failed")

    def test_junit_and_json_say_the_same(self):
        self.scenario(FAILING)
        done = self.expect(ctl("test", "suifenhe-2024", "--json", "--junit", "out.xml", cwd=self.folder), PROBLEMS)
        scenario = lines(done.stdout)[0]
        self.assertEqual([f["line"] for f in scenario["failures"]], [5, 6, 8, 9, 10, 12])
        xml = (self.folder / "out.xml").read_text()
        self.assertEqual(xml.count("<failure"), 6)
        self.assertIn('tests="1" failures="1"', xml)
        self.expect(ctl("test", "suifenhe-2024", "--junit", "/nonexistent/x.xml", cwd=self.folder), COULD_NOT)

    def test_given_events_come_first(self):
        done = self.scenario("""scenario: 已有预警
given:
  - slow: {unit: u-03, subject: 甲, degree: 推进缓慢}
  - 2024-02-01 09:00: {slow: {unit: u-04, subject: 甲, degree: 推进缓慢}}
at:
  - state: {machine: card, unit: u-03, subject: 甲, state: warned}
  - 2024-03-01: {slow: {unit: u-03, subject: 甲, degree: 严重滞后}}
  - expect: {measure: yellow-card, unit: u-03, level: yellow}
  - none: {measure: yellow-card, unit: u-04}
""")
        self.expect(done, DONE)

    def test_only_pairs_each_with_one_of_its_own(self):
        """The first pattern fits both warnings, the second only one: a greedy choice would fail."""
        for first, status in (("{measure: warning}", DONE), ("{measure: warning, unit: u-01}", PROBLEMS)):
            done = self.scenario(f"""scenario: 两家
at:
  - 2024-04-10 09:00: {{ranking: indicators, period: 2024Q1, positions: {{i-017: 10 of 10}}}}
  - only:
      - {first}
      - {{measure: warning, unit: u-01}}
""")
            self.expect(done, status)

    def test_slips_in_a_scenario_never_pass(self):
        for step, said in (
                ("expct: {measure: warning}", "did you mean “expect”?"),
                ("none: {measure: warnin}", "did you mean “warning”?"),
                ("none: {mesure: warning}", "did you mean “measure”?"),
                ("none: {unit: u-0l}", "not the id of a unit"),
                ("none: {level: rde}", "did you mean “red”?"),
                ("none: {obligation: dispatch}", "not an obligation"),
                ("none: {period: 2024-13}", "is no period"),
                ("none: {limit: soon}", "is no time"),
                ("none: 5", "takes maps"),
                ("expect: []", "says nothing"),
                ("state: {machine: crd, state: red}", "did you mean “card”?"),
                ("state: {machine: card, state: rde}", "did you mean “red”?"),
                ("state: {machine: card, state: red, about: x}", "is not a key of state"),
                ("due: {obligation: dispatch-by-office, tasks: 1}", "names no span"),
                ("2024-04-10 0900: {slow: {}}", "is no time"),
                ("2024-04-10: {slwo: {}}", "did you mean “slow”?"),
                ("2024-04-10: {rectified: {subject: 甲, file: x}}", "nobody is named who reports it"),
                ("2024-04-10: {ranking: indicators, period: 2024Q1, positions: {i-017: last}}", "no place in a ranking"),
                ("2024-04-10: {ranking: indicator, period: 2024Q1, positions: {}}", "did you mean “indicators”?"),
                ("2024-04-10: {submit: {obligation: task-progress, unit: tf-01, perod: 2024Q1}}", "did you mean “period”?"),
                ("2024-04-10: {slow: {}, dispatch: {}}", "a map with 2 keys is no event"),
                ("until 2024-04-99: []", "is no time")):
            with self.subTest(step=step):
                done = self.expect(self.scenario(f"scenario: x\nat:\n  - {step}\n"), PROBLEMS)
                self.assertIn(said, done.stderr)
                self.assertIn("suifenhe-2024/scenarios/one.yaml:3:", done.stderr)
        self.assertIn("earlier than the step before", self.scenario("scenario: x\nat:\n  - until 2024-04-02: []\n  - until 2024-04-01: []\n").stderr)
        self.assertIn("did you mean “covers”?", self.scenario("scenario: x\ncover: [a]\nat: []\n").stderr)

    def test_a_warning_of_the_definition_may_be_expected(self):
        self.spoil("defaults:\n", "roster-checks:\n  - {basis: 二, each: bureau, that: liaison is given, else: 未登记联络员}\ndefaults:\n")
        warned = "scenario: x\nat:\n  - check: {warns: 未登记联络员, unit: %s}\n"
        self.expect(self.scenario(warned % "sfh-syj"), DONE)
        failed = self.expect(self.scenario(warned % "sfh-yhb"), PROBLEMS)
        self.assertIn("it says: 二 未登记联络员: sfh-syj", failed.stdout)

    def test_no_scenarios_at_all(self):
        shutil.rmtree(self.workflow / "scenarios")
        self.expect(ctl("test", "suifenhe-2024", cwd=self.folder), COULD_NOT)


class WithDaemon(Case):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(time="events"))
        cls.url = cls.daemon.url
        published = ctl("publish", SUIFENHE, "--reason", "test", url=cls.url)
        assert published.returncode == DONE and "in force" in published.stdout, published
        cls.played = ctl("play", YEAR, "--until", "2025-02-25T00:00:00+08:00", url=cls.url)

    def ctl(self, *arguments, status=DONE, **more):
        return self.expect(ctl(*arguments, url=self.url, **more), status)

    def rows(self, *arguments):
        return lines(self.ctl(*arguments, "--json").stdout)

    def test_playing_the_year_gives_what_simulate_gives(self):
        self.expect(self.played, DONE)
        self.assertEqual(self.played.stdout, f"{len(YEAR.read_text(encoding='utf-8').splitlines())} events sent, 0 refused\n")
        simulated = lines(ctl("simulate", SUIFENHE, "--events", YEAR, "--until", "2025-02-25", "--json").stdout)
        for topic in ("warnings", "supervision", "notifications"):
            records = self.rows("topics", topic)
            wanted = [r for r in simulated if r["topic"] == f"duban.{topic}"]
            self.assertEqual([r["id"] for r in records[:len(wanted)]], [r["id"] for r in wanted])

    def test_publishing_again_changes_nothing(self):
        self.assertIn("in force already", self.ctl("publish", SUIFENHE).stdout)

    def test_workflows(self):
        (row,) = self.rows("workflows")
        self.assertEqual((row["id"], row["timezone"]), ("suifenhe-2024", "Asia/Shanghai"))
        self.assertIn(row["hash"][:12], self.ctl("workflows").stdout)

    def test_tasks_and_their_filters(self):
        everything = self.rows("tasks", "--limit", "5000")
        for obligation, n in (("dispatch-by-office", 132), ("task-progress", 44), ("indicator-list", 44), ("joint-list", 4)):
            self.assertEqual(sum(r["obligation"] == obligation for r in everything), n, obligation)
        self.assertEqual(len(everything), len({(r["obligation"], r["period"], r["unit"], r.get("about")) for r in everything}))
        some = self.rows("tasks", "--unit", "tf-01", "--obligation", "task-progress", "--period", "2024Q1")
        self.assertEqual([(r["unit"], r["obligation"], r["period"]) for r in some], [("tf-01", "task-progress", "2024Q1")])
        table = self.ctl("tasks", "--unit", "tf-01").stdout
        self.assertIn("2024-03-31  2024Q1", table)
        self.assertEqual(len(table.splitlines()), 1 + sum(r["unit"] == "tf-01" for r in everything))

    def test_limits_page_and_say_so(self):
        done = self.ctl("tasks", "--limit", "7", "--json")
        self.assertEqual(len(done.stdout.splitlines()), 7)
        self.assertIn("there is more", done.stderr)

    def test_cases_measures_history(self):
        carded = self.rows("cases", "--state", "red")
        self.assertTrue(carded and all(r["state"] == "red" for r in carded))
        self.assertIn("红牌", self.ctl("cases", "--state", "red").stdout)
        newest, *_ = self.rows("measures", "--measure", "red-card", "--limit", "1")
        self.assertEqual(newest["measure"], "red-card")
        self.assertIn("红牌督办", self.ctl("measures", "--measure", "red-card").stdout)
        self.assertEqual([int(r["sequence"]) for r in self.rows("history", "--limit", "3")], [1, 2, 3])
        self.assertIn("timer open", self.ctl("history", "--limit", "3").stdout)

    def test_topics(self):
        ends = {row["topic"]: row["end"] for row in self.rows("topics")}
        self.assertEqual(ends["duban.supervision"], len(self.rows("topics", "supervision")))
        self.assertEqual([r["offset"] for r in self.rows("topics", "duban.warnings", "--from", str(ends["duban.warnings"] - 2))],
                         [ends["duban.warnings"] - 2, ends["duban.warnings"] - 1])
        self.ctl("topics", "nosuch", status=PROBLEMS)

    def test_follow_waits_for_more(self):
        follow = subprocess.Popen([program("dubanctl"), "topics", "submissions", "--from", "end", "--follow", "--json", "--url", self.url],
                                  stdout=subprocess.PIPE, text=True)
        try:
            stop = threading.Event()

            def keep_sending():
                number = 0
                while not stop.wait(0.05):
                    number += 1
                    ctl("send", "-", url=self.url, stdin=json.dumps(dispatch(f"follow-{number}")))

            sender = threading.Thread(target=keep_sending)
            sender.start()
            record = json.loads(follow.stdout.readline())
            stop.set()
            sender.join()
            self.assertTrue(record["id"].startswith("efollow-"))
        finally:
            follow.kill()
            follow.communicate()

    def test_send_tells_of_each(self):
        bad = dispatch("bad", of=["tf-99"], result=5)
        text = "\n".join(map(json.dumps, [dispatch("good"), bad]))
        done = self.ctl("send", "-", stdin=text, status=PROBLEMS)
        self.assertIn("egood from test: accepted, duban.submissions partition 0 offset ", done.stdout)
        self.assertIn("ebad from test: refused", done.stdout)
        self.assertIn("tf-99", done.stdout)
        self.assertIn("result", done.stdout)
        good, bad = lines(ctl("send", "-", "--json", url=self.url, stdin=text).stdout)
        self.assertEqual((good["status"], good["errors"], bad["status"], len(bad["errors"])), ("accepted", [], "refused", 2))
        self.assertIn("line 1: expected an event", self.ctl("send", "-", stdin="nonsense", status=COULD_NOT).stderr)

    def test_what_became_of_it(self):
        self.ctl("send", "-", stdin=json.dumps(dispatch("asked")))
        self.assertIn("applied", self.ctl("events", "test", "easked", "--wait", "10").stdout)
        self.ctl("events", "test", "never/was here", status=PROBLEMS)
        self.ctl("events", "a", "b", "--wait", "61", status=USAGE)

    def test_play_goes_on_past_a_refused_event(self):
        text = "\n".join(map(json.dumps, [dispatch("p1"), dispatch("p2", of=["tf-99"]), dispatch("p3")]))
        with tempfile.NamedTemporaryFile("w") as f:
            f.write(text)
            f.flush()
            done = self.ctl("play", f.name, status=PROBLEMS)
        self.assertEqual(done.stdout, "2 events sent, 1 refused\n")
        self.assertIn("refused: ep2 from test", done.stderr)
        self.assertIn("applied", self.ctl("events", "test", "ep3", "--wait", "10").stdout)


class Fake(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.server.seen.append((self.path, self.rfile.read(length)))
        script = self.server.script
        status, headers, body = script.pop(0) if len(script) > 1 else script[0]
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Transfer-Encoding" not in headers and "Connection" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class Misbehaving(Case):
    def server(self, *script):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fake)
        server.script, server.seen = list(script), []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server, f"http://127.0.0.1:{server.server_port}"

    ACCEPTED = (202, {}, b'{"topic":"duban.submissions","partition":0,"offset":1,"received":"2024-01-01T00:00:00Z"}')

    def send(self, *script, events=(dispatch(1),)):
        server, url = self.server(*script)
        return server, ctl("send", "-", url=url, stdin="\n".join(map(json.dumps, events)))

    def test_busy_is_asked_again(self):
        server, done = self.send((503, {"Retry-After": "1"}, b'{"errors":["disk full"]}'), self.ACCEPTED)
        self.expect(done, DONE)
        self.assertEqual(len(server.seen), 2)

    def test_a_server_error_ends_it(self):
        server, done = self.send((500, {}, b'{"errors":["it broke"]}'), events=[dispatch(1), dispatch(2)])
        self.expect(done, COULD_NOT)
        self.assertIn("it broke", done.stdout)
        self.assertIn("0 of 2 events were accepted", done.stderr)
        self.assertEqual(len(server.seen), 1)

    def test_an_event_goes_out_byte_for_byte(self):
        text = '{ "specversion":"1.0","id":"x","source":"s","type":"duban.v1.Fact","data":{"n": 26.670} }'
        server, url = self.server(self.ACCEPTED)
        self.expect(ctl("send", "-", url=url, stdin=text), DONE)
        self.assertEqual(server.seen, [("/v1/events", text.encode())])

    def test_broken_answers(self):
        for script, said in (((0, {}, b""), "without an answer"),
                             ((200, {"Content-Length": "50", "Connection": "close"}, b"short"), "did not answer|in the middle"),
                             ((200, {"Transfer-Encoding": "chunked"}, b"zz\r\n"), "malformed")):
            with self.subTest(said=said):
                _, url = self.server(script)
                self.assertRegex(self.expect(ctl("workflows", url=url), COULD_NOT).stderr, said)

    def test_chunked_and_unending_answers(self):
        row = b'{"id":"w","title":"t","hash":"h","timezone":"UTC","since":null}\n'
        for script in ((200, {"Transfer-Encoding": "chunked"}, b"5\r\n" + row[:5] + b"\r\n%x\r\n" % (len(row) - 5) + row[5:] + b"\r\n0\r\n\r\n"),
                       (200, {"Connection": "close"}, row)):
            _, url = self.server(script)
            self.assertEqual(lines(self.expect(ctl("workflows", "--json", url=url), DONE).stdout)[0]["id"], "w")

    def test_not_http_at_all(self):
        _, url = self.server((404, {}, b"<html>"))
        self.assertIn("status 404", self.expect(ctl("tasks", url=url), PROBLEMS).stderr)


if __name__ == "__main__":
    unittest.main()
