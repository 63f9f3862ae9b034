"""Due dates against an independent oracle: days counted one by one, the calendar's file, zoneinfo, and python-dateutil for recurrence
rules. Fifty years of random rules, windows, rolls, cut-offs, periods and zones. SEED= repeats a run."""
import csv
import datetime as dt
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest
import zoneinfo

from dateutil import rrule

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("B", "build"))
DUBANCTL = (BUILD if BUILD.is_absolute() else ROOT / BUILD) / "dubanctl"
FIRST, LAST = dt.date(2000, 1, 1), dt.date(2049, 12, 31)
DAY = dt.timedelta(days=1)
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Tehran",
         "Africa/Casablanca", "Pacific/Apia"]
MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
WORKFLOWS, OBLIGATIONS = 4, 22


class Calendar:
    def __init__(self, path=None):
        self.special = {}
        if path:
            with open(path, encoding="utf-8") as f:
                self.special = {dt.date.fromisoformat(r["date"]): r["kind"] == "work" for r in csv.DictReader(f)}
        self.known = dt.date(max(d.year for d in self.special), 12, 31) if self.special else None

    def works(self, day):
        return self.special.get(day, day.weekday() < 5)

    def roll(self, day, direction):
        while direction and not self.works(day):
            day += direction * DAY
        return day


# ---- periods: a name, its first day and the day after its last

def month_start(index):
    return dt.date(index // 12, index % 12 + 1, 1)


def period(kind, index):
    if kind == "day":
        first = dt.date.fromordinal(index)
        return first.isoformat(), first, first + DAY
    if kind == "week":
        first = dt.date.fromordinal(7 * index + 1)  # 1 is a Monday
        return "{0}-W{1:02}".format(*first.isocalendar()), first, first + 7 * DAY
    n = MONTHS[kind]
    first, end = month_start(index * n), month_start((index + 1) * n)
    part = (first.month - 1) // n + 1
    name = {"month": f"{first.year}-{first.month:02}", "quarter": f"{first.year}Q{part}", "half": f"{first.year}H{part}",
            "year": str(first.year)}[kind]
    return name, first, end


def index_of(kind, day):
    if kind == "day":
        return day.toordinal()
    if kind == "week":
        return (day.toordinal() - 1) // 7
    return (day.year * 12 + day.month - 1) // MONTHS[kind]


def days(first, end):
    return [first + i * DAY for i in range((end - first).days)]


def month_of(first, end, which):
    """The days of the first or last month; of a shorter span, its own."""
    if (end - first).days < 28:
        return days(first, end)
    some = first if which == "first" else end - DAY
    begin = some.replace(day=1)
    return days(begin, (begin + 31 * DAY).replace(day=1))


# ---- rules: as the workflow writes them, and as the oracle finds the day

def window(month, first, definition, calendar):
    """The days of the window, found by looking at each."""
    if definition == "days":
        return month[:7] if first else month[-7:]
    if definition == "workdays":
        work = [d for d in month if calendar.works(d)]
        work = work[:5] if first else work[-5:]
        return days(work[0], work[-1] + DAY)
    weeks = {}
    for d in month:
        weeks.setdefault(d.toordinal() - d.weekday(), []).append(d)
    whole = [w for w in weeks.values() if definition == "week" or len(w) == 7]
    return whole[0 if first else -1]


def day_of_month(month, n):
    return month[min(n, len(month)) - 1]


class Rule:
    """kind: what sort of rule; later: of the next period; which: month of the period."""

    def __init__(self, rng, each):
        self.each, self.later, self.which, self.n, self.window = each, 0, "last", 0, None
        kinds = ["last day", "workday", "last workday", "weekday", "rrule"]
        if each == "day":
            kinds = ["last day"]
        elif each != "week":
            kinds += ["day", "day", "first week", "last week", "first week", "last week"]
        self.kind = rng.choice(kinds)
        self.text = self.kind
        if self.kind in ("day", "workday"):
            self.n = rng.randint(1, 7 if each == "week" else 31 if self.kind == "day" else 12)
            self.text = f"{self.kind} {self.n}"
        if self.kind in ("day", "workday", "last workday") and each != "week" and rng.random() < 0.5:
            self.which, self.later, words = rng.choice(
                [("first", 0, "first month"), ("last", 0, "last month"), ("first", 1, "next month"), ("first", 1, f"next {each}")])
            self.text += f" of {words}"
        if self.kind in ("first week", "last week"):
            self.window = rng.choice(["days", "week", "full-week", "workdays"])
            self.which = self.kind.split()[0]
        if self.kind == "weekday":
            self.n = rng.randrange(7)
            self.text = WEEKDAYS[self.n]
        if self.kind == "rrule":
            self.rule = random_rrule(rng)
            self.text = f'{{rrule: "{self.rule}"}}'

    def day(self, index, calendar):
        _, first, end = period(self.each, index + self.later)
        month = month_of(first, end, self.which)
        if self.kind == "last day":
            return end - DAY
        if self.kind == "day":
            return day_of_month(month, self.n)
        if self.kind == "weekday":
            return [d for d in days(first, end) if d.weekday() == self.n][-1]
        if self.window:
            return window(month, self.kind == "first week", self.window, calendar)[-1]
        if self.kind == "rrule":
            start = dt.datetime.combine(first, dt.time())
            found = rrule.rrulestr(self.rule, dtstart=start).between(start, dt.datetime.combine(end - DAY, dt.time()), inc=True)
            return found[-1].date() if found else None
        work = [d for d in month if calendar.works(d)]
        if not work:
            return month[-1]
        return work[-1] if self.kind == "last workday" else work[min(self.n, len(work)) - 1]

    def asks_calendar(self):
        return self.kind in ("workday", "last workday") or self.window == "workdays"

    def last_asked(self, index):
        _, first, end = period(self.each, index + self.later)
        return month_of(first, end, self.which)[-1]


def random_rrule(rng):
    """Only what a month, a year or a week of the rule's own can hold."""
    some = rng.sample(["MO", "TU", "WE", "TH", "FR", "SA", "SU"], rng.randint(1, 3))
    months = ",".join(str(m) for m in sorted(rng.sample(range(1, 13), rng.randint(1, 6))))
    parts = rng.choice([
        ["FREQ=WEEKLY", "BYDAY=" + ",".join(some)],
        ["FREQ=WEEKLY", "BYDAY=" + some[0], f"BYMONTH={months}"],
        ["FREQ=MONTHLY", "BYDAY=" + rng.choice(["-1", "1", "2", "3", "-2", "5"]) + some[0]],
        ["FREQ=MONTHLY", f"BYMONTHDAY={rng.choice([1, 10, 15, 28, 29, 30, 31, -1, -3])}"],
        ["FREQ=MONTHLY", "BYDAY=" + ",".join(some), f"BYSETPOS={rng.choice([-1, 1, 2])}"],
        ["FREQ=MONTHLY", f"BYDAY={some[0]}", "BYMONTHDAY=8,9,10,11,12,13,14"],
        ["FREQ=MONTHLY", f"BYMONTH={months}", "BYMONTHDAY=" + str(rng.randint(1, 28))],
        ["FREQ=YEARLY", f"BYMONTH={months}", f"BYDAY=-1{some[0]}"],
        ["FREQ=YEARLY", f"BYMONTH={months}", f"BYMONTHDAY={rng.randint(1, 28)}"],
        ["FREQ=YEARLY", f"BYYEARDAY={rng.choice([1, 60, 100, 200, 365, -1])}"],
        ["FREQ=YEARLY", f"BYWEEKNO={rng.randint(2, 51)}", "BYDAY=" + some[0]],
        ["FREQ=MONTHLY", "BYDAY=MO,TU,WE,TH,FR", f"BYSETPOS={rng.choice([-1, -2, 5])}", "WKST=SU"],
        ["FREQ=DAILY"]])
    return ";".join(parts)


class Obligation:
    def __init__(self, rng, name, calendar):
        self.name, self.calendar = name, calendar
        self.each = rng.choice(["week", "month", "month", "month", "quarter", "half", "year"])
        self.rule = Rule(rng, self.each)
        while not any(self.rule.day(i, calendar) for i in range(index_of(self.each, FIRST) + 1, index_of(self.each, FIRST) + 13)):
            self.rule = Rule(rng, self.each)
        self.roll = rng.choice(["none", "next", "previous"])
        # A task due at the instant at which it opens is refused, rightly; that instant is not what is looked for here.
        early = self.rule.kind in ("workday", "weekday", "rrule") or self.rule.n == 1 or self.each == "week"
        self.exclusive = not early and rng.random() < 0.4
        self.soft = Rule(rng, self.each) if self.each not in ("day", "week") and rng.random() < 0.3 else None
        if self.soft and self.rule.window and self.soft.window:
            self.soft.window = self.rule.window

    def yaml(self):
        lines = [f"  {self.name}:", "    title: t", "    basis: b", "    owed-by: one", f"    period: {self.each}",
                 f"    due: {self.rule.text}", f"    roll: {self.roll}", "    machine: report",
                 f"    cutoff: {'exclusive' if self.exclusive else 'inclusive'}"]
        if self.rule.window or (self.soft and self.soft.window):
            lines.append(f"    week: {self.rule.window or self.soft.window}")
        if self.soft:
            lines.append(f"    soft: {self.soft.text}")
        return "\n".join(lines)

    def instant(self, day, zone):
        wall = dt.datetime.combine(day if self.exclusive else day + DAY, dt.time(), tzinfo=zone)
        return wall.astimezone(dt.timezone.utc)

    def settle(self, rule, index, zone):
        """The effective day, the nominal and effective instants; None: it does not fall."""
        calendar, nominal = self.calendar, rule.day(index, self.calendar)
        if nominal is None:
            return None
        day = calendar.roll(nominal, {"none": 0, "next": 1, "previous": -1}[self.roll])
        opens = dt.datetime.combine(period(self.each, index)[1], dt.time(), tzinfo=zone).astimezone(dt.timezone.utc)
        if day < nominal and self.instant(day, zone) <= opens:
            day = nominal
        known = calendar.known
        provisional = known is not None and ((rule.asks_calendar() and rule.last_asked(index) > known) or
                                             (self.roll != "none" and (nominal > known or day > known)))
        return day, self.instant(nominal, zone), self.instant(day, zone), provisional

    def rows(self, zone):
        rows = []
        for index in range(index_of(self.each, FIRST), index_of(self.each, LAST) + 1):
            name, first, _ = period(self.each, index)
            due = self.settle(self.rule, index, zone) if FIRST <= first <= LAST else None
            if not due:
                continue
            soft = self.settle(self.soft, index, zone) if self.soft else None
            rows.append({"obligation": self.name, "period": name, "day": due[0].isoformat(), "nominal": stamp(due[1]),
                         "effective": stamp(due[2]), "provisional": due[3], "soft_end": stamp(soft[2]) if soft else None})
        return rows


def stamp(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def random_calendar(rng, path):
    """Years of holidays of up to nine days and of make-up workdays."""
    rows, day = [], dt.date(2003, 1, 1)
    while day.year < 2030:
        day += rng.randint(10, 60) * DAY
        for _ in range(rng.randint(1, 9)):
            rows.append((day, "off"))
            day += DAY
        day += rng.randint(2, 6) * DAY
        if day.weekday() >= 5:
            rows.append((day, "work"))
            day += DAY
    path.write_text("date,kind,name\n" + "".join(f"{d},{k},x\n" for d, k in rows), encoding="utf-8")


class DueOracle(unittest.TestCase):
    def setUp(self):
        self.seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
        print(f"test_due_oracle: SEED={self.seed}", flush=True)
        self.rng = random.Random(self.seed)
        self.where = pathlib.Path(tempfile.mkdtemp(prefix="duban-due-"))
        self.addCleanup(shutil.rmtree, self.where)
        shutil.copytree(ROOT / "workflows" / "common", self.where / "common")
        shutil.copytree(ROOT / "workflows" / "calendar", self.where / "calendar")
        random_calendar(self.rng, self.where / "calendar" / "made.csv")

    def due(self, first, last):
        done = subprocess.run([DUBANCTL, "due", "random", "--from", str(first), "--to", str(last), "--json"], cwd=self.where,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        keys = ("obligation", "period", "day", "nominal", "effective", "provisional", "soft_end")
        rows = [row for row in map(json.loads, done.stdout.splitlines()) if "obligation" in row]  # warnings are among them
        self.assertEqual([row["effective"] for row in rows], sorted(row["effective"] for row in rows))
        return [{k: row.get(k) for k in keys} for row in rows]

    def write(self, zone, name, obligations):
        folder = self.where / "random"
        folder.mkdir(exist_ok=True)
        (folder / "units.csv").write_text("id,name,roles,from,to\nu-1,u,one,1990-01-01,\n", encoding="utf-8")
        calendar = f"calendar: {name}\n" if name else ""
        (folder / "workflow.yaml").write_text(
            f"workflow: random\ntitle: t\ntimezone: {zone}\n{calendar}effective: {FIRST}/{LAST}\nunits: units.csv\n"
            "use: [../common/report.yaml]\nobligations:\n" + "\n".join(o.yaml() for o in obligations) + "\n", encoding="utf-8")

    def compare(self, wanted, got, what):
        def key(row):
            return row["effective"], int(row["obligation"][2:]), row["period"]
        wanted = sorted(wanted, key=key)
        got = sorted(got, key=key)
        for a, b in zip(wanted, got):
            self.assertEqual(a, b, f"{what}; SEED={self.seed}")
        self.assertEqual(len(wanted), len(got), f"{what}; SEED={self.seed}")

    def test_random_rules(self):
        for _ in range(WORKFLOWS):
            zone, name = self.rng.choice(ZONES), self.rng.choice(["cn", "made", "made", None])
            calendar = Calendar(self.where / "calendar" / f"{name}.csv") if name else Calendar()
            obligations = [Obligation(self.rng, f"o-{i}", calendar) for i in range(OBLIGATIONS)]
            self.write(zone, name, obligations)
            wanted = [row for o in obligations for row in o.rows(zoneinfo.ZoneInfo(zone))]
            what = f"{zone}, calendar {name}\n" + (self.where / "random" / "workflow.yaml").read_text(encoding="utf-8")
            self.compare(wanted, self.due(FIRST, LAST + 400 * DAY), what)
            first = FIRST + self.rng.randrange(18000) * DAY
            last = first + self.rng.randrange(200) * DAY
            self.compare([r for r in wanted if str(first) <= r["day"] <= str(last)], self.due(first, last), what)
            if name:
                self.assertTrue(any(r["provisional"] for r in wanted) and not all(r["provisional"] for r in wanted), what)


if __name__ == "__main__":
    unittest.main()
