#!/usr/bin/env python3
"""Writes 2022.jsonl: a plausible year of this regime as CloudEvents, one a line, in order of time.

usage: year.py [--seed N] > 2022.jsonl

From the issue on 2022-05-25 to May 2023: meetings with sixteen counties (a few forgotten), monthly reports of twenty-two
units and their ledgers (on time, late, missed, returned and filed again), dynamics and what of them is adopted higher up,
self-checks, inspections that adjust them, monthly and quarterly places, tasks with a date that are done in time or not,
listings with their two limits, talks, settled at last or still open. Some of the taskforce's own duties slip as well. The
file is the same every time."""
import argparse
import csv
import datetime as dt
import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
ZONE = dt.timezone(dt.timedelta(hours=8))
WORKFLOW = "qiqihar-2022"
PORTAL, OFFICE, CITY, LEAD = "portal/taskforces", "office/qiqihar", "taskforce/qiqihar", "lead/qiqihar"
SENDER = {"qq-office": OFFICE, "qq-city": CITY, "qq-lead": LEAD}
FIRST, MONTHS = (2022, 5), 13  # May 2022 to May 2023
DAY = dt.timedelta(days=1)
MATTERS = ["虚假诉讼甄别", "跨区查封协调", "司法鉴定时限", "股东知情权案件统一裁量", "诉讼服务数据口径", "上市公司纠纷联动"]
TASKS = ["出台裁判指引", "清理长期未结案件", "建成示范法庭", "培训审判人员", "公开典型案例", "完善诉调对接", "压缩平均审限", "开展企业走访"]
PLAN = [("小额速裁", "规定任务", "平均审限30日", "组建速裁团队"), ("诉调对接", "规定任务", "诉前化解四成", "联合调解室"),
        ("示范判决", "自选任务", "示范案例三件", "类案指引"), ("一站服务", "亮点工作", "当日立案", "专窗办理")]


def at(day, hour=9, minute=0):
    return dt.datetime.combine(day, dt.time(hour, minute), ZONE)


def day_of(month, n):
    return dt.date(month[0], month[1], n)


def following(month, n=1):
    y, m = month[0], month[1] - 1 + n
    return (y + m // 12, m % 12 + 1)


def last_of(month):
    return day_of(following(month), 1) - DAY


def name(month):
    return f"{month[0]}-{month[1]:02}"


def quarter(month):
    return f"{month[0]}Q{(month[1] + 2) // 3}"


class Year:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.events = []
        rows = list(csv.DictReader(open(HERE / "units.csv", encoding="utf-8")))
        self.counties = [r["id"] for r in rows if r["roles"] == "county"]
        self.responsible = [r["id"] for r in rows if r["roles"] == "responsible"]
        self.supervised = self.responsible + self.counties
        # How diligent a unit is stays much the same over the year.
        self.diligence = {u: self.random.uniform(0.55, 0.99) for u in self.supervised}
        self.months = [following(FIRST, n) for n in range(MONTHS)]

    def emit(self, when, source, kind, body):
        self.events.append((when, len(self.events), source, kind, body))

    def fact(self, when, reporter, what, /, **fields):
        self.emit(when, SENDER.get(reporter, PORTAL), "Fact",
                  {"fact": {"kind": what, "reporter": reporter, "fields": fields}})

    def hour(self):
        return self.random.randint(9, 17)

    def minute(self):
        return self.random.randint(0, 59)

    def some(self, units, n):
        return sorted(self.random.sample(units, n))

    # ---- 五、六、七: exchanges, meetings, issues
    def meetings(self):
        for month in self.months[1:]:
            left = [c for c in self.counties if self.random.random() < 0.12]
            self.consult("qq-city", day_of(month, self.random.randint(2, 7)), [c for c in self.counties if c not in left])
            for c in left:
                if self.random.random() < 0.7:
                    self.consult(c, day_of(month, self.random.randint(10, 27)), [c])
            if month[1] % 3 == 0:
                self.consult("qq-lead", day_of(month, 12), self.some(self.responsible, 4))
            if month[1] % 2 == 0:
                held = day_of(month, 15)
                self.fact(at(held, 16), "qq-lead", "exchange", held=str(held), form="文件", matter=f"{name(month)}进展互通",
                          **{"with": self.some(self.supervised, 6)})
        for n, matter in enumerate(MATTERS):
            month = self.months[1 + 2 * n]
            unit = self.random.choice(self.supervised)
            raised = last_of(month) - self.random.randint(0, 12) * DAY
            self.fact(at(raised, 20), unit, "issue", matter=matter, file="yiti.pdf")
            if n % 3 != 2:  # the others are not discussed within the year, and nobody is late for it
                held = raised + 20 * DAY
                self.fact(at(held, 18), "qq-lead", "session", held=str(held), matters=[matter], result="统一口径，分头落实")

    def consult(self, reporter, held, units):
        self.fact(at(held + self.random.randint(0, 2) * DAY, self.hour(), self.minute()), reporter, "consultation",
                  held=str(held), summary="工作情况", causes="问题原因", remedies="解决对策", supervised="督办事项", **{"with": units})

    # ---- 八、九、十: reports, dynamics, ledgers
    def reports(self):
        parts = {"progress": "各项任务按节点推进", "results": "审限压缩两成", "problems": "鉴定周期较长", "next": "开展联合检查"}
        for month in self.months[1:]:
            for u in self.responsible:
                self.report("work-report", u, name(month), day_of(month, 24), parts)
            for c in self.counties:
                self.report("county-report", c, name(month), day_of(month, 24), {**parts, "ledger": f"{c}-{name(month)}.xlsx"})
        for month in self.months:
            for c in self.counties:
                self.report("dynamics", c, name(month), day_of(following(month), 2), {"content": "工作动态", "highlights": "创新做法"})

    def filed_on(self, unit, last):
        """When a unit files what is due on that day; None: never."""
        how, good = self.random.random(), self.diligence[unit]
        if how > good + 0.25 or how > 0.995:
            return None
        day = last + self.random.randint(1, 8) * DAY if how > good else last - self.random.randint(0, 1 if last.day < 3 else 5) * DAY
        return at(day, self.random.randint(9, 22), self.minute())

    def report(self, obligation, unit, period, last, fields):
        when = self.filed_on(unit, last)
        if not when:
            return
        task = {"obligation": obligation, "unit": unit, "period": period}
        if self.random.random() < 0.06:  # a part is forgotten: returned at once, filed again the next day
            some = dict(list(fields.items())[:-1])
            self.emit(when, PORTAL, "Submission", {"submission": {**task, "fields": some}})
            when += DAY
        self.emit(when, PORTAL, "Submission", {"submission": {**task, "fields": fields}})
        review = when + self.random.randint(1, 3) * DAY
        verdict = {**task, "reporter": "qq-office"}
        if self.random.random() < 0.05:
            self.emit(review, OFFICE, "Review", {"review": {**verdict, "verdict": "RETURN", "reasons": ["数据与台账不一致"]}})
            if self.random.random() < 0.8:
                self.emit(review + DAY, PORTAL, "Submission", {"submission": {**task, "fields": fields}})
                self.emit(review + 2 * DAY, OFFICE, "Review", {"review": {**verdict, "verdict": "ACCEPT"}})
            return
        self.emit(review, OFFICE, "Review", {"review": {**verdict, "verdict": "ACCEPT"}})

    def ledgers(self):
        for c in self.counties:
            day = dt.date(2022, 6, self.random.randint(2, 14))
            for n, (task, kind, goal, means) in enumerate(PLAN):
                self.fact(at(day, 9, n), c, "plan-entry", task=task, kind=kind, goal=goal, means=means, outcome="形成规程")
            self.fact(at(day, 15), c, "founded", plan="fangan.pdf", ledger="taizhang.xlsx", rules="zhidu.pdf")
            for month in self.months[1:]:
                if self.random.random() > self.diligence[c] + 0.1:
                    continue
                task, _, goal, means = PLAN[(month[1] + self.counties.index(c)) % len(PLAN)]
                if self.random.random() < 0.05:
                    means = "另行安排"  # not what the plan says
                when = at(day_of(month, self.random.randint(15, 22)), self.hour(), self.minute())
                for version in range(2 if self.random.random() < 0.2 else 1):
                    self.fact(when + version * dt.timedelta(hours=2), c, "ledger-entry", month=name(month), task=task, means=means,
                              goal=goal, progress=f"完成{(month[1] * 7) % 10 + 1}成", outcome="按期推进", body="县（市）区法院",
                              leader="分管领导", department="民事审判庭", person="部门负责人",
                              **{"finish-by": str(last_of(month))})

    def dynamics(self):
        for n, month in enumerate(self.months[1:]):
            if n == 5:
                continue  # a selection that was forgotten
            self.fact(at(day_of(month, 8), 10), "qq-office", "selected", month=name(month),
                      file="jingxuan.pdf", **{"from": self.some(self.counties, 5)})
        for u in self.responsible[:-1]:  # the last one sends none in 2022
            for year, first in ((2022, 7), (2023, 2)):
                day = dt.date(year, first + self.random.randint(0, 3), self.random.randint(1, 28))
                self.fact(at(day, 11), u, "bulletin", title="多元解纷新做法", file="dongtai.pdf")
        for month in self.months:
            for c in self.some(self.counties, self.random.randint(1, 3)):
                # Some are heard of after the month's places are published: they count for the next.
                day = day_of(following(month), self.random.choice([3, 4, 20]))
                self.fact(at(day, 14, self.minute()), "qq-office", "adopted", unit=c, month=name(month), title="典型做法",
                          where=self.random.choice(["工作动态", "工作动态", "工作简报"]))

    # ---- 八、十八、十九、二十: self-checks, places, circulars
    def scores(self):
        for n, month in enumerate(self.months):
            due = day_of(month, 28)
            for c in self.counties:
                when = self.filed_on(c, due)
                if n == 0 and when and when < at(dt.date(2022, 5, 26)):
                    when = at(dt.date(2022, 5, 27), 15)
                points = round(100 - 22 * (1 - self.diligence[c]) - self.random.uniform(0, 6), 1)
                if when:
                    sheet = {"month": name(month), "item": "work", "points": points}
                    if self.random.random() > 0.04:
                        sheet["report"] = f"{c}-zicha.pdf"
                    if when > at(self.ranked_on(month), 10):
                        continue  # after the places are published there is nothing to file it for but the record
                    self.fact(when, c, "self-check", **sheet)
            for c in self.some(self.counties, 4):
                self.fact(at(due + DAY, 8, self.minute()), "qq-office", "verified", unit=c, month=name(month),
                          means=self.random.choice(["抽查", "联合检查", "数据验证"]), reason="与台账核对",
                          points=self.random.choice([-5, -3.5, -2, -1, 0.5]))
            self.fact(at(self.ranked_on(month), 10), "qq-city", "month-ranked", month=name(month))
            if n and n != 8:
                self.fact(at(self.ranked_on(month) + DAY, 16), "qq-office", "city-report", month=name(month), file="yuebao.pdf",
                          **{"from": ["工作报告", "自查报告", "抽查", "数据验证"]})
            if month[1] % 3 == 0:
                self.quarter(month)

    def ranked_on(self, month):
        """The quarter's last month is published at once: the quarter's places need it."""
        return day_of(month, 29) if month[1] % 3 == 0 else day_of(following(month), 6)

    def quarter(self, month):
        q, end = quarter(month), last_of(month)
        late = month == (2022, 12)
        self.fact(at(end + 3 * DAY if late else end, 15), "qq-city", "quarter-ranked", quarter=q)
        if month == (2022, 9):
            end += 3 * DAY  # a circular that comes after the last week
        self.fact(at(end - DAY, 11), "qq-office", "circular-issued", quarter=q, progress="任务进展", quality="完成质效", problems="存在问题",
                  file="tongbao.pdf")
        if month != (2023, 3):
            self.fact(at(last_of(month) - 2 * DAY, 14), "qq-city", "analysis", quarter=q, covers=self.supervised, file="fenxi.pdf")

    # ---- 十一至十四: what is found, what is learnt
    def findings(self):
        self.fact(at(dt.date(2022, 10, 12), 10), "qq-office", "concealed", unit=self.counties[10], matter="隐瞒未结案件", found="数据验证发现")
        for n, month in enumerate(self.months[1:]):
            unit = self.random.choice(self.supervised)
            day = day_of(month, self.random.randint(8, 26))
            sheet = {"number": f"jc-{n + 1:02}", "unit": unit, "type": ["系统式", "分项式", "联合式"][n % 3],
                     "method": ["书面", "实地", "暗访"][n % 3], "subject": "工作推进" if n % 2 else "制度建设运行"}
            if n % 2:
                sheet["found"] = "台账更新不及时"
                self.fact(at(day + 4 * DAY, 9), "qq-city", "advice", unit=unit, inspection=sheet["number"],
                          problem=f"{name(month)}台账更新不及时", advice="明确专人按月更新")
            self.fact(at(day, 17), "qq-office", "inspection", **sheet)
        for n, (day, unit) in enumerate([(dt.date(2022, 8, 9), self.responsible[0]), (dt.date(2022, 11, 15), self.counties[2]),
                                         (dt.date(2023, 3, 14), self.counties[7])]):
            title = ["集约调解", "示范判决", "股权纠纷速裁"][n]
            self.fact(at(day), unit, "experience", title=title, kind=["成功经验", "优秀成果", "典型案例"][n], file="jingyan.pdf")
            if n != 1:
                self.fact(at(day + 9 * DAY, 15), "qq-office", "recommended", unit=unit, title=title)
        self.fact(at(dt.date(2022, 12, 8), 17), "qq-office", "experience-meeting", held="2022-12-08", **{"with": self.counties})

    # ---- 十五至十七: the ladder
    def tasks(self):
        for n in range(24):
            month = self.months[1 + n % 11]
            unit = self.random.choice(self.supervised)
            matter = f"{TASKS[n % len(TASKS)]}（{name(month)}）"
            given, limit = day_of(month, self.random.randint(1, 9)), day_of(month, self.random.randint(20, 28))
            self.fact(at(given, 10, n), "qq-city", "assigned", unit=unit, matter=matter, limit=str(limit))
            if self.random.random() < self.diligence[unit] - 0.15:
                done = limit - self.random.randint(0, 9) * DAY
                self.fact(at(done, 16), unit, "completed", matter=matter, result="已完成")
            else:
                self.listed(unit, matter, "延迟完成任务", limit + self.random.randint(2, 5) * DAY)
                if self.random.random() < 0.7:
                    self.fact(at(limit + self.random.randint(20, 40) * DAY, 16), unit, "completed", matter=matter, result="已补办")
        self.listed(self.counties[4], "指标质效下滑", "推进工作不力", dt.date(2022, 9, 14))
        self.listed(self.counties[12], "考评数据失实", "完成任务未达标", dt.date(2023, 2, 15))
        for n, trigger in enumerate(["领导重要批示", "监测质效", "日常考评发现问题", "领导重要批示", "其他"]):
            day = day_of(self.months[1 + 2 * n], 11)
            self.fact(at(day, 9), "qq-office", "prompt", unit=self.random.choice(self.supervised), matter=f"{trigger}事项{n + 1}", trigger=trigger)
        self.fact(at(dt.date(2022, 11, 22), 9), "qq-city", "poor-organisation", unit=self.counties[9], matter="专班组织推进")

    def listed(self, unit, matter, ground, day):
        """Thirty days to put it right, sixty to finish; then it is settled, or talked about."""
        first, second = day + 30 * DAY, day + 60 * DAY
        self.fact(at(day, 15), "qq-city", "shortfall", unit=unit, matter=matter, ground=ground,
                  **{"rectify-by": str(first), "finish-by": str(second)})
        how, good = self.random.random(), self.diligence[unit]
        if how < good:  # rectified, mostly in time
            report = first + self.random.randint(-12, 3) * DAY
            self.fact(at(report, 16), unit, "rectified", matter=matter, file="zhenggai.pdf")
            self.fact(at(report + self.random.randint(6, 20) * DAY, 10), "qq-city", "settled", unit=unit, matter=matter, result="验收完结")
            return
        talk = first + self.random.randint(2, 9) * DAY
        self.fact(at(talk, 14), "qq-city", "still-short", unit=unit, matter=matter, against=self.random.choice(["时序进度", "完成质效"]))
        if self.random.random() < 0.6:
            self.fact(at(talk + 10 * DAY, 16), unit, "rectified", matter=matter, file="zhenggai.pdf")
            self.fact(at(second + self.random.randint(-8, 6) * DAY, 10), "qq-city", "settled", unit=unit, matter=matter, result="验收完结")

    def write(self, out):
        for part in (self.meetings, self.reports, self.ledgers, self.dynamics, self.scores, self.findings, self.tasks):
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
