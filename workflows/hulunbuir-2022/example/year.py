#!/usr/bin/env python3
"""Writes 2022.jsonl: a plausible year of this campaign as CloudEvents, one a line, in order of time.

usage: year.py [--seed N] > 2022.jsonl

The list of tasks handed down level by level; opinions heard, answered and mended; three ledgers; 39 assigned cases of which
28 are cleared by the end of April and a few more later; the daily stock; the counters that the report states, month by month up
to their published values; visits of the chambers each quarter, a few forgotten; requirements of the inspectors. The file is
the same every time."""
import argparse
import datetime as dt
import json
import random
import sys

ZONE = dt.timezone(dt.timedelta(hours=8))
WORKFLOW = "hulunbuir-2022"
COURTS = ["hl-court", "hl-hlr", "hl-yks", "hl-mq", "hl-arq", "hl-xyq", "hl-elc", "hl-ewk"] + [f"hl-b{n:02}" for n in range(8, 15)]
CHAMBERS = {f"ewk-c{n}": [f"ewk-j{2 * n - 1}", f"ewk-j{2 * n}"] for n in (1, 2, 3)}
DEPARTMENTS = ["hl-d1", "hl-d2", "hl-d3", "hl-d4"]
PORTAL, LEAD, ABOVE = "portal/courts", "court/hulunbuir", "court/region"
FINAL = {  # as the report states them, at the end of April
    "studies": 138, "trainings": 74, "seminars": 60, "bulletins": 46, "cases-sorted": 84, "case-seminars": 37, "cases-out": 53,
    "talks": 31, "firms": 72, "heard": 240, "answered": 124, "fixed-at-once": 112, "remedies": 114, "concluded": 3104,
    "finance": 307, "finance-paid": 2.39, "executed": 818, "executed-paid": 1.66, "it-results": 20, "service-results": 31,
}


def at(day, hour=9, minute=0):
    return dt.datetime.combine(day, dt.time(hour, minute), ZONE)


def days(n):
    return dt.timedelta(days=n)


class Year:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.events = []

    def emit(self, when, source, kind, body):
        self.events.append((when, len(self.events), source, kind, body))

    def fact(self, when, source, what, reporter, /, **fields):
        self.emit(when, source, "Fact", {"fact": {"kind": what, "reporter": reporter, "fields": fields}})

    def reading(self, when, indicator, unit, **value):
        self.emit(when, PORTAL, "Reading", {"reading": {"indicator": indicator, "unit": unit, "period": "2022", "reporter": unit,
                                                        **value}})

    # ---- 加强组织领导: one level after another
    def tasks(self):
        for n in range(1, 7):
            day = dt.date(2022, 2, 21) + days(n)
            self.fact(at(day), LEAD, "task-listed", "hl-court", ref=f"rw-{n}", task=f"重点任务{n}")
            for court in self.random.sample(COURTS[1:], 4) + ["hl-ewk"] * (n == 1):
                self.fact(at(day + days(1), 10), LEAD, "passed-down", "hl-court", ref=f"rw-{n}", to=court)
        self.fact(at(dt.date(2022, 2, 28)), PORTAL, "passed-down", "hl-ewk", ref="rw-1", to="ewk-c1")
        self.fact(at(dt.date(2022, 3, 1)), PORTAL, "passed-down", "ewk-c1", ref="rw-1", to="ewk-j1")

    # ---- 广泛开门纳谏
    def opinions(self):
        for n in range(1, 41):
            court = self.random.choice(COURTS)
            day = dt.date(2022, 2, 28) + days(self.random.randint(0, 45))
            self.fact(at(day, 9, n % 60), PORTAL, "opinion", court, ref=f"yj-{n:02}", matter="企业意见建议")
            if n % 2:
                self.fact(at(day + days(2), 15), PORTAL, "fed-back", court, ref=f"yj-{n:02}")
                if n % 12 != 1:
                    self.fact(at(day + days(4), 15), PORTAL, "fixed", court, ref=f"yj-{n:02}", result="立行立改")
        for n in range(1, 13):
            unit = self.random.choice(DEPARTMENTS)
            day = dt.date(2022, 3, 14) + days(n)
            self.fact(at(day), LEAD, "remedy", "hl-court", unit=unit, ref=f"cs-{n:02}", measure="常态化沟通联络", limit=str(day + days(30)))
            self.put_right(unit, f"cs-{n:02}", day, 30)
        for n in range(1, 28):
            day = dt.date(2022, 3, 1) + days(n)
            self.fact(at(day, 11), LEAD, "advice-sent", "hl-court", ref=f"jy-{n:02}", to="某单位", matter="完善管理")
            if n <= 19:
                self.fact(at(day + days(20), 11), LEAD, "advice-answered", "hl-court", ref=f"jy-{n:02}", reply="已采纳")
        self.reading(at(dt.date(2022, 4, 29)), "advice-back", "hl-court", ratio={"numerator": "19", "denominator": "27"})

    def exchange(self):
        self.fact(at(dt.date(2022, 4, 20)), LEAD, "exchange-told", "hl-court", meeting="大讨论活动对照检视研讨交流会",
                  found="对照九个“是否”逐项检视，问题均已列入台账，逐项明确整改措施、完成时限、牵头领导和责任部门。")

    def put_right(self, unit, ref, day, limit):
        how = self.random.random()
        if how > 0.95:
            return
        done = day + days(limit + self.random.randint(2, 9) if how > 0.8 else self.random.randint(5, limit - 1))
        self.fact(at(done, 16), PORTAL, "put-right", unit, ref=ref, result="已整改")

    # ---- 紧抓整改落实
    def books(self):
        kinds = [("班子及成员", ["hl-board"]), ("职能部门", DEPARTMENTS), ("开门纳谏案件", DEPARTMENTS)]
        for b, (book, units) in enumerate(kinds):
            for n in range(1, 7):
                unit, ref = self.random.choice(units), f"tz-{b + 1}{n:02}"
                day = dt.date(2022, 3, 21) + days(2 * n)
                self.fact(at(day, 10), LEAD, "entered", "hl-court", book=book, unit=unit, ref=ref, problem=f"问题{n}", measure="逐项整改",
                          limit=str(day + days(40)), leader="分管院领导")
                self.put_right(unit, ref, day, 40)
                if b == 1 and n == 1:
                    self.fact(at(day + days(120)), LEAD, "relapsed", "hl-court", unit=unit, ref=ref)
                    self.fact(at(day + days(140)), PORTAL, "put-right", unit, ref=ref, result="再次整改")

    # ---- 开展案件专项清理
    def cases(self):
        for n in range(1, 40):
            court = COURTS[n % len(COURTS)]
            self.fact(at(dt.date(2022, 3, 1), 9, n % 60), ABOVE, "case-assigned", "hl-high", case=f"gy-{n:02}", holder=court, source="高院交办")
            done = dt.date(2022, 3, 10) + days(n) if n <= 28 else dt.date(2022, 5, 10) + days(9 * (n - 28))
            if n <= 36:
                self.fact(at(done, 17), PORTAL, "case-cleared", court, case=f"gy-{n:02}", result="已清结")
        for n in range(1, 16):
            court = self.random.choice(COURTS)
            self.fact(at(dt.date(2022, 3, 7), 9, n), LEAD, "case-assigned", "hl-court", case=f"zx-{n:02}", holder=court, source="自行排查")
            if n % 4:
                self.fact(at(dt.date(2022, 3, 20) + days(5 * n), 17), PORTAL, "case-cleared", court, case=f"zx-{n:02}", result="已结")
        self.emit(at(dt.date(2022, 4, 28)), ABOVE, "Ranking", {"ranking": {
            "ranking": "places", "period": "2022", "reporter": "hl-high",
            "entries": [{"subject": "hl-court", "rank": 2, "places": 12, "tied": 1}]}})
        stock, day = 64, dt.date(2022, 3, 1)
        while day <= dt.date(2022, 12, 31):
            added = self.random.choice([0, 0, 0, 1, 1, 2])
            stock = max(0, stock + added - self.random.choice([0, 0, 1, 1, 2]))
            if self.random.random() < 0.96:
                self.fact(at(day, 18), LEAD, "tracked", "hl-court", day=str(day), stock=stock, added=added)
            day += days(1)

    # ---- the counters, up to what the report states
    def counters(self):
        for k, day in enumerate([dt.date(2022, 2, 28), dt.date(2022, 3, 31), dt.date(2022, 4, 29)], 1):
            for name, value in FINAL.items():
                now = round(value * k / 3, 2) if isinstance(value, float) else value * k // 3
                self.reading(at(day, 17), name, "hl-court", number=str(now))
        for name, number in [("articles", "1500"), ("articles-high", "300")]:
            self.reading(at(dt.date(2022, 4, 29), 18), name, "hl-court", number=number, approximate=True, asWritten=f"{number}余")
        for name, value in [("delivered", "2239"), ("delivered-to", "8288"), ("delivered-ok", "79.5%")]:
            self.reading(at(dt.date(2022, 4, 29), 18), name, "hl-arq", number=value)
        for n, court in enumerate(COURTS):
            self.fact(at(dt.date(2022, 3, 2), 9, n), PORTAL, "refund-online", court, stage="办理中")
            if n < 9:
                self.fact(at(dt.date(2022, 4, 6), 9, n), PORTAL, "refund-online", court, stage="完成")

    # ---- 亮点
    def highlights(self):
        for n in range(1, 19):
            self.fact(at(dt.date(2022, 3, 5) + days(2 * n)), LEAD, "system-made", "hl-court", ref=f"zd-{n:02}", title=f"制度{n}",
                      kind="框架" if n <= 2 else "配套")
        for n, court in enumerate(COURTS[1:], 19):
            self.fact(at(dt.date(2022, 4, 1) + days(n - 18)), PORTAL, "system-made", court, ref=f"zd-{n:02}", title="具体制度", kind="基层")
        for day, who, matter, kind, people in [(dt.date(2022, 4, 18), "hl-arb", "某厂欠薪", "集体", 26), (dt.date(2022, 6, 2), "hl-hlr", "某店欠薪", "集体", 4),
                                               (dt.date(2022, 9, 21), "hl-yks", "工地讨薪", "突发紧急", 7)]:
            self.fact(at(day, 20), PORTAL, "mass-dispute", who, matter=matter, kind=kind, people=people)
        for n, (chamber, judges) in enumerate(CHAMBERS.items()):
            for k, judge in enumerate(judges):
                if judge != "ewk-j6":
                    links = [f"qy-{(6 * n + 3 * k + i) % 24 + 1:02}" for i in range(3)]
                    self.fact(at(dt.date(2022, 2, 15 + n), 10 + k), PORTAL, "linked", judge, enterprises=links)
            for quarter in range(1, 5):
                if (n, quarter) == (2, 3):
                    continue  # a quarter without a visit
                held = dt.date(2022, 3 * quarter - 1, 10) + days(self.random.randint(0, 40))
                way = "线上" if (n, quarter) == (1, 2) else "走访"
                self.fact(at(held + days(1)), PORTAL, "visited", chamber, held=str(held), way=way, enterprise=f"qy-{6 * n + quarter:02}", judges=judges)

    # ---- 下一步
    def inspectors(self):
        due = "2022-06-30"
        units = ["hl-court", "hl-hlr", "hl-mq", "hl-ewk"]
        for n, title in enumerate(["深化整改落实", "推进建章立制"], 1):
            self.emit(at(dt.date(2022, 5, 16)), "inspectors/sixth", "Directive", {"directive": {
                "obligation": "required", "units": units, "about": f"yq-{n}", "title": title, "source": "自治区第六督导组", "due": due,
                "basis": "下一步", "reporter": "hl-sixth"}})
            for k, unit in enumerate(units):
                task = {"obligation": "required", "unit": unit, "about": f"yq-{n}"}
                done = at(dt.date(2022, 6, 20) + days(5 * k if n == 2 else k), 15)
                if k == 1:
                    self.emit(done - days(1), PORTAL, "Submission", {"submission": {**task, "fields": {}}})
                self.emit(done, PORTAL, "Submission", {"submission": {**task, "fields": {"result": "已落实"}}})
                self.emit(done + days(2), LEAD, "Review", {"review": {**task, "reporter": "hl-court", "verdict": "ACCEPT"}})

    def write(self, out):
        for part in (self.tasks, self.opinions, self.exchange, self.books, self.cases, self.counters, self.highlights, self.inspectors):
            part()
        self.events.sort(key=lambda e: e[:2])
        for n, (when, _, source, kind, body) in enumerate(self.events, 1):
            event = {
                "specversion": "1.0", "id": f"y2022-{n:05}", "source": source, "type": f"duban.v1.{kind}",
                "time": when.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "datacontenttype": "application/json", "data": {"workflow": WORKFLOW, **body},
            }
            out.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=2022)
    Year(arguments.parse_args().seed).write(sys.stdout)


if __name__ == "__main__":
    main()
