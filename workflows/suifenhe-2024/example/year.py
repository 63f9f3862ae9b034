#!/usr/bin/env python3
"""Writes 2024.jsonl: a plausible year of this regime as CloudEvents, one a line, in order of time.

usage: year.py [--seed N] > 2024.jsonl

Every quarter's places of 181 indicators among ten counties; monthly calls by the office (a few forgotten, a few
reported too late); quarterly reports of eleven taskforces (on time, late, missed, returned and refiled); matters that
the bureau finds slow; cards that are rectified in time, too late, or not at all, and accepted or not. What a card's
unit does is decided when its places are known, from the same seed, so the file is the same every time."""
import argparse
import csv
import datetime as dt
import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
ZONE = dt.timezone(dt.timedelta(hours=8))
WORKFLOW = "suifenhe-2024"
PLACES = 10
TAIL, MIDDLE = 3, 5
PORTAL, OFFICE, BUREAU = "portal/taskforces", "office/suifenhe", "bureau/suifenhe"


def at(day, hour=9, minute=0):
    return dt.datetime.combine(day, dt.time(hour, minute), ZONE)


def month_end(year, month):
    return (dt.date(year + month // 12, month % 12 + 1, 1)) - dt.timedelta(days=1)


class Year:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.events = []
        self.leads = {}
        for row in csv.DictReader(open(HERE / "relations.csv", encoding="utf-8")):
            if row["relation"] == "lead":
                self.leads.setdefault(row["subject"], []).append(row["unit"])
        self.indicators = [r["id"] for r in csv.DictReader(open(HERE / "indicators.csv", encoding="utf-8"))]
        self.taskforces = sorted(s for s in self.leads if s.startswith("tf-"))
        # How good an indicator is, and how diligent a unit, stays much the same over the year.
        self.strength = {i: self.random.gauss(0, 1) for i in self.indicators}
        units = sorted({u for us in self.leads.values() for u in us})
        self.diligence = {u: self.random.uniform(0.35, 0.98) for u in units + self.taskforces}
        self.low = {}  # (unit, indicator) -> low places so far

    def emit(self, when, source, kind, body):
        self.events.append((when, len(self.events), source, kind, body))

    def fact(self, when, source, what, reporter, **fields):
        self.emit(when, source, "Fact", {"fact": {"kind": what, "reporter": reporter, "fields": fields}})

    # ---- 三（一）: the office calls each taskforce once a month
    def dispatches(self):
        for month in range(1, 13):
            last = month_end(2024, month)
            for tf in self.taskforces:
                if self.random.random() < 0.04:
                    continue  # forgotten
                held = last - dt.timedelta(days=self.random.randint(0, 20))
                late = self.random.random() < 0.03
                told = last + dt.timedelta(days=6) if late else held
                self.fact(at(told, 17, self.random.randint(0, 59)), OFFICE, "dispatch", "sfh-yhb", held=str(held),
                          of=[tf], kind="优环办调度", result="已部署下步工作")

    # ---- 三（三）、四（一）: quarterly reports
    def reports(self):
        parts = {
            "task-progress": {"progress": "各项任务按节点推进", "effect": "办理时限压缩三成"},
            "indicator-list": {"indicators": "indicators.xlsx", "evidence": "evidence.zip", "signature": "已签字"},
        }
        for quarter in range(1, 5):
            last = month_end(2024, quarter * 3)
            for tf in self.taskforces:
                for obligation, fields in parts.items():
                    self.report(f"2024Q{quarter}", last, tf, obligation, fields)

    def report(self, period, last, tf, obligation, fields):
        task = {"obligation": obligation, "unit": tf, "period": period}
        how = self.random.random()
        good = self.diligence[tf]
        if how > good + 0.30:
            return  # never filed: missed
        if how > good:
            filed = last + dt.timedelta(days=self.random.randint(1, 9))
        else:
            filed = last - dt.timedelta(days=self.random.randint(0, 12))
        when = at(filed, self.random.randint(9, 23), self.random.randint(0, 59))
        if self.random.random() < 0.10:  # a part is forgotten: returned at once, filed again the next day
            some = dict(list(fields.items())[1:])
            self.emit(when, PORTAL, "Submission", {"submission": {**task, "fields": some}})
            when += dt.timedelta(days=1)
        self.emit(when, PORTAL, "Submission", {"submission": {**task, "fields": fields}})
        review = when + dt.timedelta(days=self.random.randint(1, 3))
        verdict = {**task, "reporter": "sfh-yhb"}
        if self.random.random() < 0.08:
            self.emit(review, OFFICE, "Review", {"review": {**verdict, "verdict": "RETURN", "reasons": ["数据与台账不一致"]}})
            again = review + dt.timedelta(days=2)
            self.emit(again, PORTAL, "Submission", {"submission": {**task, "fields": fields}})
            review = again + dt.timedelta(days=1)
        self.emit(review, OFFICE, "Review", {"review": {**verdict, "verdict": "ACCEPT"}})

    # ---- 五: places, and what the leads of low indicators do about their cards
    def rankings(self):
        for quarter in range(1, 5):
            day = month_end(2024, quarter * 3) + dt.timedelta(days=10)
            entries = []
            for i in self.indicators:
                score = self.strength[i] + self.random.gauss(0, 0.6)
                rank = min(PLACES, max(1, round(PLACES / 2 - 1.6 * score)))
                entries.append({"subject": i, "rank": rank, "places": PLACES, "tied": 1})
            self.emit(at(day, 10), BUREAU, "Ranking",
                      {"ranking": {"ranking": "indicators", "period": f"2024Q{quarter}", "reporter": "sfh-syj",
                                   "entries": entries}})
            for entry in entries:
                if entry["rank"] > PLACES - TAIL:
                    for unit in self.leads[entry["subject"]]:
                        self.react(day, unit, entry["subject"])

    def react(self, day, unit, indicator):
        """A second or later low place hangs a card: thirty days to put it right."""
        low = self.low[unit, indicator] = self.low.get((unit, indicator), 0) + 1
        if low < 2:
            return
        self.card_answered(day, unit, indicator)
        self.strength[indicator] += 1.4 * self.diligence[unit]  # work on it helps the next quarter's place

    def card_answered(self, day, unit, subject):
        how = self.random.random()
        good = self.diligence[unit]
        if how > good + 0.2:
            return  # nothing happens within the limit
        late = how > good
        done = day + dt.timedelta(days=self.random.randint(31, 45) if late else self.random.randint(7, 29))
        self.fact(at(done, 15), PORTAL, "rectified", unit, subject=subject, file=f"{unit}-{subject}.pdf")
        seen = done + dt.timedelta(days=self.random.randint(2, 8))
        passed = self.random.random() < 0.9
        self.fact(at(seen, 11), BUREAU, "accepted", "sfh-syj", unit=unit, subject=subject, **{"pass": passed})
        if late and self.random.random() < 0.3:
            self.fact(at(seen, 16), BUREAU, "limit-waived", "sfh-syj", unit=unit, subject=subject, reason="汛期影响，准予延后")

    def matters(self):
        for n, subject in enumerate(["不动产登记提速", "水电气联合报装", "政务服务好差评", "招投标全流程电子化", "涉企检查备案"]):
            day = dt.date(2024, 2 + 2 * n, 19)
            unit = self.random.choice(sorted(self.diligence)[-16:])
            self.fact(at(day, 14), BUREAU, "slow", "sfh-syj", unit=unit, subject=subject, degree="推进缓慢")
            if n % 2 == 0:
                worse = day + dt.timedelta(days=45)
                self.fact(at(worse, 14), BUREAU, "slow", "sfh-syj", unit=unit, subject=subject, degree="严重滞后")
                self.card_answered(worse, unit, subject)

    def write(self, out):
        self.dispatches()
        self.reports()
        self.rankings()
        self.matters()
        self.events.sort(key=lambda e: e[:2])
        for n, (when, _, source, kind, body) in enumerate(self.events, 1):
            event = {
                "specversion": "1.0", "id": f"y2024-{n:05}", "source": source, "type": f"duban.v1.{kind}",
                "time": when.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "datacontenttype": "application/json", "data": {"workflow": WORKFLOW, **body},
            }
            out.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=2024)
    Year(arguments.parse_args().seed).write(sys.stdout)


if __name__ == "__main__":
    main()
