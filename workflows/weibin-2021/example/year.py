#!/usr/bin/env python3
"""Writes 2022.jsonl: a plausible year of this plan as CloudEvents, one a line, in order of time.

usage: year.py [--seed N] > 2022.jsonl

From the day of issue, 9 December 2021, to the assessment of 2022 in January 2023: a meeting and five reports each week (some
late, some never, some without the paper), the week of the Spring Festival waived; complaints, stale cases and disputes that are
closed one by one or left open; monthly figures of five units, taken from those complaints where there are any; quarterly places
of the court's figures; ledgers of rectification with circulars and inspections. The file is the same every time."""
import argparse
import datetime as dt
import json
import random
import sys

ZONE = dt.timezone(dt.timedelta(hours=8))
WORKFLOW = "weibin-2021"
ORGS = ["wb-zfw", "wb-court", "wb-proc", "wb-police", "wb-justice"]
DILIGENCE = {"wb-zfw": 0.97, "wb-court": 0.92, "wb-proc": 0.95, "wb-police": 0.78, "wb-justice": 0.88}
PORTAL, OFFICE, COMMITTEE = "portal/units", "office/weibin", "committee/weibin"
FIRST, LAST = dt.date(2021, 12, 13), dt.date(2022, 12, 31)
HOLIDAY = "2022-W05"  # 31 January to 6 February: no workday at all
TASKS = {"rw-01": ["wb-justice"], "rw-02": ["wb-proc"], "rw-03": ["wb-justice"], "rw-10": ["wb-court", "wb-proc", "wb-police"]}
COMPLAINTS = {  # unit -> channel, figure, complaints a month
    "wb-court": ("法院举报", "tips-solved", 3), "wb-proc": ("12309", "hotline-answered", 1),
    "wb-police": ("5096900", "police-solved", 4), "wb-justice": ("公共法律服务", "justice-solved", 1),
}
SHARES = {"wb-zfw": ("reviewed-by-committee", 60, 0.07), "wb-proc": ("reviewed-by-proc", 40, 0.08),
          "wb-police": ("reviewed-by-police", 30, 0.13)}
COURT = {"summary-procedure": 0.90, "mediated-before": 0.47, "mediation-success": 0.48, "executed-in-time": 0.985,
         "executed-share": 0.25}
PROBLEMS = ["送达周期长", "涉企挂案清理慢", "网上立案退回率高", "保全措施不规范", "法律援助登记不全", "案卷移送超期", "公开答复不足",
            "企业诉求回访少", "执行款发放慢", "热线接通率低"]


def at(day, hour=9, minute=0):
    return dt.datetime.combine(day, dt.time(hour, minute), ZONE)


def days(n):
    return dt.timedelta(days=n)


class Year:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.events = []
        self.complaints = {}  # (unit, month) -> [closed on, or None]

    def emit(self, when, source, kind, body):
        self.events.append((when, len(self.events), source, kind, body))

    def fact(self, when, source, what, reporter, /, **fields):
        self.emit(when, source, "Fact", {"fact": {"kind": what, "reporter": reporter, "fields": fields}})

    def minute(self):
        return self.random.randint(0, 59)

    # ---- 四（一）、二: issued, and answered sooner or later
    def start(self):
        issued = dt.date(2021, 12, 9)
        self.fact(at(issued), COMMITTEE, "issued", "wb-zfw", to=ORGS)
        for n, unit in enumerate(ORGS[:-1]):  # the last never does: 「快速」 is no date
            fields = {"first-responsible": f"{unit}-head", "section-lead": f"{unit}-lead", "taskforce": "zb.pdf",
                      "plan": "fa.pdf", "list": "qd.pdf"}
            task = {"obligation": "setup", "unit": unit, "about": "方案"}
            when = at(issued + days(8 + 9 * n), 10)
            if n == 2:
                some = {k: v for k, v in fields.items() if k != "section-lead"}
                self.emit(when, PORTAL, "Submission", {"submission": {**task, "fields": some}})
                when += days(2)
            self.emit(when, PORTAL, "Submission", {"submission": {**task, "fields": fields}})
        for n, (task, owners) in enumerate(TASKS.items()):
            for unit in owners:
                self.fact(at(dt.date(2022, 3 + 2 * n, 15), 16), PORTAL, "evidence", unit, task=task, effect="形成阶段性成效",
                          file=f"{task}-{unit}.pdf")

    # ---- 三（二）: the weeks
    def weeks(self):
        monday = FIRST
        while monday + days(6) <= LAST:
            year, week, _ = monday.isocalendar()
            self.week(monday, f"{year}-W{week:02}")
            monday += days(7)

    def week(self, monday, period):
        if period == HOLIDAY:
            self.emit(at(monday, 8), COMMITTEE, "Waive", {"waive": {
                "select": {"obligations": ["weekly-meeting", "weekly-report"], "periods": [period]}, "reporter": "wb-zfw"},
                "reason": "春节整周放假"})
            return
        if self.random.random() > 0.05:
            held = monday + days(self.random.choice([0, 0, 1, 2]))
            told = held + days(self.random.choice([0, 0, 0, 1, 8]) if self.random.random() < 0.5 else 0)
            self.fact(at(told, 17, self.minute()), OFFICE, "meeting", "wb-office", held=str(held), kind="推进会",
                      summary="总结上周工作", problems="协调困难问题", **{"next-steps": "部署下步措施"})
        for unit in ORGS:
            self.report(monday, period, unit)
        digest = {"obligation": "digest", "unit": "wb-office", "period": period}
        if self.random.random() < 0.9:
            when = at(monday + days(7), 15, self.minute())
            self.emit(when, OFFICE, "Submission", {"submission": {**digest, "fields": {"summary": f"hz-{period}.pdf"}}})
            self.emit(when + days(1), "district/office", "Review",
                      {"review": {**digest, "reporter": "wb-ysb", "verdict": "ACCEPT"}})

    def report(self, monday, period, unit):
        task = {"obligation": "weekly-report", "unit": unit, "period": period}
        how, good = self.random.random(), DILIGENCE[unit]
        if how > good + 0.12:
            return  # never filed
        day = monday + days(self.random.randint(5, 9) if how > good else self.random.choice([2, 3, 3, 4, 4]))
        when = at(day, self.random.randint(9, 22), self.minute())
        fields = {"progress": "各项任务有序推进", "paper": f"{unit}-{period}.pdf"}
        if self.random.random() < 0.06:  # the paper is forgotten: returned at once
            self.emit(when, PORTAL, "Submission", {"submission": {**task, "fields": {"progress": fields["progress"]}}})
            when += days(1)
        self.emit(when, PORTAL, "Submission", {"submission": {**task, "fields": fields}})
        verdict = {**task, "reporter": "wb-office"}
        seen = when + days(3)
        if self.random.random() < 0.04:
            self.emit(seen, OFFICE, "Review", {"review": {**verdict, "verdict": "RETURN", "reasons": ["未附台账"]}})
            self.emit(seen + days(1), PORTAL, "Submission", {"submission": {**task, "fields": fields}})
            seen += days(2)
        self.emit(seen, OFFICE, "Review", {"review": {**verdict, "verdict": "ACCEPT"}})

    # ---- 二: rows that are closed one by one
    def rows(self):
        for month in range(1, 13):
            first = dt.date(2022, month, 1)
            for unit, (channel, _, usual) in COMPLAINTS.items():
                for n in range(self.random.randint(0, usual)):
                    self.complaint(unit, first + days(self.random.randint(0, 26)), f"{unit[3:]}-{month:02}{n + 1}", channel)
            for n in range(self.random.randint(0, 2)):
                self.stale(first + days(self.random.randint(1, 25)), f"ms-{month:02}{n + 1}")
            if month % 2:
                self.dispute(first + days(11), f"zy-{month:02}")
            self.fact(at(first + days(6), 10), PORTAL, "aid-case", "wb-justice", number=f"fy-{month:02}",
                      applied=str(first + days(4)), matter="欠薪", decision="给予", agency="法律援助中心")
            self.fact(at(first + days(26), 10), PORTAL, "aid-closed", "wb-justice", number=f"fy-{month:02}", result="调解结案")
            self.fact(at(first + days(14), 10), PORTAL, "client-told", "wb-justice", case=f"ls-{month:02}",
                      told="诉前调解、证据和费用")
            if month in (4, 9):
                self.fact(at(first + days(20), 10), PORTAL, "client-told", "wb-justice", case=f"ls-{month:02}", told="补充管辖")
            if month % 3 == 0:
                self.fact(at(first + days(3), 9), PORTAL, "petition", "wb-proc", number=f"xf-{month:02}", matter="合同纠纷")
                self.fact(at(first + days(19), 9), PORTAL, "public-reply", "wb-proc", number=f"xf-{month:02}",
                          consent=month != 6, result="公开答复")

    def complaint(self, unit, day, number, channel):
        self.fact(at(day, 9, self.minute()), PORTAL, "complaint", unit, number=number, on=str(day), channel=channel, matter="企业反映")
        closed = None
        if self.random.random() < DILIGENCE[unit] + 0.02:
            closed = day + days(self.random.randint(1, 12))
            self.fact(at(closed, 15, self.minute()), PORTAL, "replied", unit, number=number, result="已答复并办结")
        self.complaints.setdefault((unit, day.month), []).append(closed)

    def stale(self, day, case):
        self.fact(at(day, 9), PORTAL, "stale-case", "wb-court", case=case, found=str(day))
        done = day if self.random.random() < 0.7 else day + days(self.random.randint(1, 6))
        self.fact(at(done, 17), PORTAL, "stale-settled", "wb-court", case=case, result="排期开庭")

    def dispute(self, day, case):
        self.fact(at(day, 9), PORTAL, "dispute", "wb-court", case=case, matter="股权争议")
        held = day + days(10)
        self.fact(at(held, 17), COMMITTEE, "conference", "wb-zfw", case=case, held=str(held),
                  present=["wb-zfw", "wb-court", "wb-proc", "wb-police"], result="形成一致意见")

    # ---- 二: figures of the month, reported by the fifth of the next; places of the quarter
    def figures(self):
        for month in range(1, 13):
            when = at((dt.date(2022, month, 1) + days(32)).replace(day=5), 10)
            period = f"2022-{month:02}"
            for unit, (_, figure, _) in COMPLAINTS.items():
                closed = self.complaints.get((unit, month), [])
                done = sum(1 for c in closed if c and at(c, 16) < when)
                self.reading(when, figure, unit, period, done, len(closed))
            for unit, (figure, cases, share) in SHARES.items():
                n = 0 if self.random.random() < 0.08 else self.random.randint(cases // 2, cases)
                k = sum(1 for _ in range(n) if self.random.random() < share)
                self.reading(when, figure, unit, period, max(k, n and 1), n)
            for unit in ORGS[:-1]:
                n = self.random.randint(0, 4)
                self.reading(when, "disputes-solved", unit, period, n - (n > 0 and self.random.random() < 0.08), n)
            for figure, mean in COURT.items():
                n = self.random.randint(150, 260)
                self.reading(when, figure, "wb-court", period, min(n, round(n * self.random.gauss(mean, 0.012))), n)
        for quarter in range(1, 5):
            day = (dt.date(2022, 3 * quarter, 1) + days(32)).replace(day=12)
            entries = [{"subject": f, "rank": self.random.randint(1, 7), "places": 12, "tied": 1} for f in COURT]
            self.emit(at(day, 10), COMMITTEE, "Ranking", {"ranking": {"ranking": "court-figures", "period": f"2022Q{quarter}",
                                                                      "reporter": "wb-zfw", "entries": entries}})

    def reading(self, when, figure, unit, period, numerator, denominator):
        self.emit(when, PORTAL, "Reading", {"reading": {
            "indicator": figure, "unit": unit, "period": period, "reporter": unit,
            "ratio": {"numerator": str(numerator), "denominator": str(denominator)}}})

    # ---- 三（二）、三（三）: what comes up, is followed up, and put right
    def supervision(self):
        for n, problem in enumerate(PROBLEMS):
            unit = ORGS[1 + n % 4]
            day = dt.date(2022, 1 + n, 10)
            if n % 3 == 0:
                self.fact(at(day), COMMITTEE, "review-finding", "wb-zfw", unit=unit, problem=problem, case=f"pc-{n + 1:02}")
            elif n % 3 == 1:
                self.fact(at(day), COMMITTEE, "problem", "wb-zfw", unit=unit, problem=problem, source="存在问题",
                          limit=str(day + days(20)))
            else:
                self.fact(at(day), PORTAL, "problem", unit, unit=unit, problem=problem, source="工作清单")
            done = day + days(self.random.randint(10, 30))
            if n % 2:  # slow: told of, and every second of these supervised; the second quarter sees no circular
                told = day + days(85 if n == 3 else 25)
                self.fact(at(told), COMMITTEE, "circulated", "wb-zfw", unit=unit, problem=problem, on=str(told))
                done = told + days(15)
                if n % 4 == 1:
                    self.fact(at(told + days(20)), COMMITTEE, "inspected", "wb-zfw", unit=unit, problem=problem,
                              demand="组织专门力量督办，限时办结")
                    done = told + days(35)
            if n != 7:
                self.fact(at(done, 16), PORTAL, "settled", unit, problem=problem, result="已整改并建立长效机制")
        for n, indicator in enumerate(["执行合同", "办理破产", "保护中小投资者"]):
            more = {"problem": "立案到结案用时长"} if n == 0 else {}
            self.fact(at(dt.date(2022, 5 + n, 24)), COMMITTEE, "followed", "wb-zfw", unit="wb-court", indicator=indicator,
                      progress="总体平稳", **more)
        self.fact(at(dt.date(2022, 8, 3)), PORTAL, "settled", "wb-court", problem="立案到结案用时长", result="流程再造")
        for day, unit, matter in [(dt.date(2022, 3, 17), "wb-court", "某集团破产重整"), (dt.date(2022, 10, 14), "wb-police", "涉企群体报案")]:
            self.fact(at(day, 21, 40), PORTAL, "major", unit, matter=matter)
            self.fact(at(day + days(2), 18), OFFICE, "meeting", "wb-office", held=str(day + days(2)), kind="专题会", matter=matter,
                      summary="听取汇报", problems="研判风险", **{"next-steps": "分工处置"})

    # ---- 三（四）、四（四）
    def end(self):
        for month in range(2, 13, 2):
            unit = self.random.choice(ORGS)
            self.fact(at(dt.date(2022, month, 20), 16), PORTAL, "publicity", unit, on=f"2022-{month:02}-18", title="护企典型案例",
                      media="某报", grade=self.random.choice(["国家级", "省级", "省级", "市级"]))
        for unit in ORGS:
            for item, top in [("省级营商环境评价", 30), ("方案及清单任务", 30), ("指标整改提升", 20), ("日常工作", 10), ("信息报送", 10)]:
                points = round(top * (DILIGENCE[unit] - self.random.random() * 0.1), 1)
                self.fact(at(dt.date(2022, 12, 30)), OFFICE, "assessed", "wb-office", unit=unit, year="2022", item=item, points=points)
        self.fact(at(dt.date(2023, 1, 16)), COMMITTEE, "assessment-published", "wb-chief", year="2022")

    def write(self, out):
        for part in (self.start, self.weeks, self.rows, self.figures, self.supervision, self.end):
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
