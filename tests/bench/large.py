#!/usr/bin/env python3
"""Makes a large definition and a year of its events: 10,000 lines of YAML, 5,000 units, 500 obligations.

usage: large.py FOLDER [SEED]

FOLDER/large/ holds the workflow, FOLDER/large/year.jsonl its events; calendar/ beside it is that of workflows/. Duties come in
families: each family has a life of its tasks and a ladder of its own. The seed says who reports how many days before or after
the due day; the definition is the same for every seed."""
import calendar
import json
import pathlib
import random
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
UNITS, OBLIGATIONS, FAMILIES = 5_000, 500, 25
PER_ROLE = 10                       # holders of each duty's role: every unit holds one of them, so it owes one duty
PERIODS = ["month", "month", "quarter", "year"]
YEAR = 2024

HEAD = """\
workflow:  large
title:     {zh: 大型制度, en: A large regime}
timezone:  Asia/Shanghai
calendar:  cn
effective: 2024-01-01/2024-12-31
units:     units.csv
relations: relations.csv
"""
PARAM = """\
  at-{n}:
    value: {value}
    why:   第{n}条：一年内逾期{value}次
  within-{n}:
    value: {days}d
    why:   第{n}条：限{days}日内整改
"""
OBLIGATION = """\
  duty-{n:03}:
    title:    第{n}项报送
    basis:    二（{n}）
    owed-by:  role-{n:03}
    to:       office
    period:   {period}
    due:      day {day}
    roll:     next
    remind:   [3d, 1d]
    missed-after: 10d
    return-grace: 3d
    fields:
      cases:  number
      note:   optional text
    machine:  life-{family}
"""
EVENT = """\
  confirmed-{n}:
    by:     [office]
    voice:  deadlines
    fields: {{unit: unit, pass: yes-no, note: optional text}}
    refuse:
      - if:  event.by = event.unit
        say: 不得自行认定（四（{n}））
"""
MEASURE = """\
  reminder-{n}:
    title: 提示{n}
    level: reminder
    topic: notifications
    basis: obligation
    to:    [unit.liaison]
    body:  "{{unit.title}}：{{obligation}}（{{period}}）应于{{due}}前报送。"
  late-notice-{n}:
    title: 逾期提醒{n}
    level: warning
    topic: warnings
    basis: obligation
    to:    [unit]
    copy:  [obligation.to]
  circular-{n}:
    title: 通报{n}
    level: circular
    topic: supervision
    basis: 三（{n}）
    to:    [unit]
    copy:  [office, superior of unit]
    limit: params.within-{n}
    body:  "{{unit.title}}：一年内多次逾期，予以通报，请于{{limit}}前整改。"
  cleared-{n}:
    title: 销号{n}
    level: lift
    topic: supervision
    basis: 四（{n}）
    to:    [unit]
  interview-{n}:
    title: 约谈{n}
    level: interview
    topic: supervision
    basis: 四（{n}）
    to:    [superior of unit]
"""
MACHINES = """\
  life-{n}:
    title: 报送{n}
    of:    task
    initial: open
    states:
      open:
        title: 待报
        timers:
          remind:  each of obligation.remind before due
          overdue: at due
        rules:
          - {{when: timer remind, do: [measure: reminder-{n}]}}
          - {{when: submitted, go: filed}}
          - {{when: timer overdue, go: overdue}}
      overdue:
        title: 逾期
        enter:
          - measure: late-notice-{n}
          - raise: late-{n}
        timers:
          give-up: obligation.missed-after after entry
        rules:
          - {{when: submitted, go: filed}}
          - {{when: timer give-up, go: missed}}
      filed:
        title: 已报
        rules:
          - {{when: submitted, do: []}}
          - {{when: returned, go: open}}
          - {{when: accepted, go: done}}
      missed: {{title: 漏报, final: yes}}
      done:   {{title: 办结, final: yes}}
  conduct-{n}:
    title:   逾期 → 通报 → 销号
    per:     [unit]
    born-by: [late-{n}]
    vars:
      warned: {{type: yes-no, start: no}}
    counts:
      lates: {{each: late-{n}, within: year}}
    initial: plain
    states:
      plain:
        title: 正常
        rules:
          - when: late-{n}
            if:   lates ≥ params.at-{n} and not warned
            do:
              - set: warned
            go:   circulated
      circulated:
        title: 已通报
        enter: [measure: circular-{n}]
        timers:
          limit: at limit
        rules:
          - when: confirmed-{n}
            if:   event.pass
            do:   [measure: cleared-{n}]
            go:   plain
          - when: timer limit
            do:   [measure: interview-{n}]
            go:   summoned
      summoned:
        title: 已约谈
        rules:
          - when: confirmed-{n}
            if:   event.pass
            do:   [measure: cleared-{n}]
            go:   plain
"""


def duty(n):
    return {"n": n, "period": PERIODS[n % len(PERIODS)], "day": 5 + n % 20, "family": n % FAMILIES + 1}


def definition():
    families = range(1, FAMILIES + 1)
    return "".join([
        HEAD,
        "\nparams:\n", *(PARAM.format(n=n, value=2 + n % 3, days=10 + n % 20) for n in families),
        "\nobligations:\n", *(OBLIGATION.format(**duty(n)) for n in range(1, OBLIGATIONS + 1)),
        "\nevents:\n", *(EVENT.format(n=n) for n in families),
        "\nmeasures:\n", *(MEASURE.format(n=n) for n in families),
        "\nmachines:\n", *(MACHINES.format(n=n) for n in families)])


def roster():
    yield "id,name,kind,roles,aliases,liaison,head,from,to,successor"
    yield "office,督办办,organ,office,,,,2024-01-01,,"
    for n in range(1, UNITS):
        role = (n - 1) // PER_ROLE + 1
        yield f"u-{n:04},第{n}单位,organ,role-{role:03},第{n}办,u-{n:04}-liaison,u-{n:04}-head,2024-01-01,,"


def relations():
    yield "subject,relation,unit,from,to"
    for n in range(1, UNITS):
        yield f"u-{n:04},superior,u-{(n // 50) * 50 + 1:04},2024-01-01,"


def periods(kind):
    """Each period of the year with its last month."""
    if kind == "month":
        return [(f"{YEAR}-{m:02}", m) for m in range(1, 13)]
    return [(f"{YEAR}Q{q}", 3 * q) for q in range(1, 5)] if kind == "quarter" else [(f"{YEAR}", 12)]


def filing_time(rnd, day, month):
    """One in twenty is some days late, one in a hundred never comes."""
    luck = rnd.random()
    if luck < 0.01:
        return None
    day = day + rnd.randint(4, 7) if luck < 0.06 else rnd.randint(1, day)
    day = min(day, calendar.monthrange(YEAR, month)[1])
    return f"{YEAR}-{month:02}-{day:02}T{rnd.randint(8, 17):02}:{rnd.randint(0, 59):02}:00+08:00"


def filings(rnd):
    for n in range(1, OBLIGATIONS + 1):
        d = duty(n)
        for unit in range((n - 1) * PER_ROLE + 1, min(n * PER_ROLE, UNITS - 1) + 1):
            for period, month in periods(d["period"]):
                when = filing_time(rnd, d["day"], month)
                if when:
                    yield when, {"obligation": f"duty-{n:03}", "unit": f"u-{unit:04}", "period": period,
                                 "fields": {"cases": rnd.randint(1, 500)}}


def events(rnd):
    for n, (when, body) in enumerate(sorted(filings(rnd), key=lambda f: f[0]), 1):
        yield {"specversion": "1.0", "id": f"large-{n}", "source": "bench", "type": "duban.v1.Submission", "time": when,
               "data": {"workflow": "large", "submission": body}}


def make(folder, seed=1):
    """Returns the workflow's folder."""
    large = pathlib.Path(folder) / "large"
    large.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "workflows" / "calendar", pathlib.Path(folder) / "calendar", dirs_exist_ok=True)
    (large / "workflow.yaml").write_text(definition())
    (large / "units.csv").write_text("\n".join(roster()) + "\n")
    (large / "relations.csv").write_text("\n".join(relations()) + "\n")
    year = (json.dumps(e, ensure_ascii=False) for e in events(random.Random(seed)))
    (large / "year.jsonl").write_text("\n".join(year) + "\n")
    return large


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    print(make(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1))
