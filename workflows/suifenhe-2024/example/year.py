#!/usr/bin/env python3
"""Writes 2024.jsonl: a plausible year of this regime as CloudEvents, one a line, in order of time.

usage: year.py [--seed N] > 2024.jsonl

Every quarter's places of 181 indicators among ten counties; monthly calls by the office (a few forgotten, a few
reported too late); quarterly reports of eleven taskforces (on time, late, missed, returned and refiled); matters that
the bureau finds slow; cards that are rectified in time, too late, or not at all, and accepted or not. What a card's
unit does is decided when its places are known, from the same seed, so the file is the same every time.

Those are the ladder's events (class Year). All others come from a stream of random numbers of their own (class Rest), so
that neither changes the other: calls and briefings, monitoring, plans, surveys, cases of innovation, findings and
deductions, the chain of lists, spot checks, duty lists, 联动督查, clues and what came of them. Nothing in it is refused."""
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

    def fact(self, when, source, what, reporter, /, **fields):
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

    def make(self):
        self.dispatches()
        self.reports()
        self.rankings()
        self.matters()
        return self

    def numbered(self, prefix):
        """(time, id, source, type, body), in order of time."""
        self.events.sort(key=lambda e: e[:2])
        return [(e[0], f"{prefix}{n:05}", *e[2:]) for n, e in enumerate(self.events, 1)]


class Rest(Year):
    """What the ladder does not need, from random numbers of its own. `year` has been made: its places decide what is listed."""

    def __init__(self, seed, year):
        super().__init__(seed)
        self.diligence = {u: 0.6 + 0.4 * d for u, d in self.diligence.items()}  # the same order, and more care
        self.random = random.Random(f"rest of {seed}")
        self.year = year
        self.of = {}  # (relation, subject) -> units
        for row in csv.DictReader(open(HERE / "relations.csv", encoding="utf-8")):
            self.of.setdefault((row["relation"], row["subject"]), []).append(row["unit"])
        self.taskforce = {r["id"]: r["taskforce"] for r in csv.DictReader(open(HERE / "indicators.csv", encoding="utf-8"))}
        self.several = [tf for tf in self.taskforces if len(self.leads[tf]) > 1]
        self.items = {}  # quarter -> {(unit, item)} of 联动督查

    def chance(self, p):
        return self.random.random() < p

    def does(self, unit):
        """Whether a unit does this month or quarter what it owes: most do, most of the time."""
        return self.chance(0.9 + 0.1 * self.diligence[unit])

    def day(self, first, last):
        return first + dt.timedelta(days=self.random.randint(0, (last - first).days))

    def minute(self, day, hour):
        return at(day, hour, self.random.randint(0, 59))

    def told(self, held):
        """Reported on the day, or a day or two later."""
        return held + dt.timedelta(days=self.random.choice([0, 0, 0, 1, 2]))

    def submit(self, when, obligation, unit, fields, **key):
        self.emit(when, PORTAL, "Submission", {"submission": {"obligation": obligation, "unit": unit, **key, "fields": fields}})

    def dispatch(self, when, source, reporter, held, of, kind, result, **more):
        self.fact(when, source, "dispatch", reporter, held=str(held), of=of, kind=kind, result=result, **more)

    # ---- 三（一）、四（三）: every month
    def months(self):
        for month in range(1, 13):
            first, last = dt.date(2024, month, 1), month_end(2024, month)
            for tf in self.taskforces:
                if self.does(tf):
                    held = self.day(first + dt.timedelta(days=2), last - dt.timedelta(days=5))
                    self.dispatch(self.minute(self.told(held), 17), PORTAL, tf, held, [tf], "专班内部", "任务分解到人")
                superior, leader = self.of["superior", tf][0], self.of["lead-leader", tf][0]
                apart = self.chance(0.15)
                for to in ([superior], [leader]) if apart else ([superior, leader],):
                    if self.does(tf):
                        held = self.day(first + dt.timedelta(days=4), last - dt.timedelta(days=4))
                        self.fact(self.minute(self.told(held), 16), PORTAL, "briefing", tf, held=str(held), to=to,
                                  progress="按节点推进", problems="数据归集不全")

    # ---- 三（一）、三（五）、四（四）: every quarter
    def quarters(self):
        for quarter in range(1, 5):
            first, last = dt.date(2024, quarter * 3 - 2, 1), month_end(2024, quarter * 3)
            name = f"2024Q{quarter}"
            held = self.day(first + dt.timedelta(days=20), last - dt.timedelta(days=10))
            self.dispatch(self.minute(held, 18), OFFICE, "sfh-yhb", held, self.taskforces, "组长调度", "全面部署")
            for tf in self.taskforces:
                if self.chance(0.96):
                    held = self.day(first + dt.timedelta(days=10), last - dt.timedelta(days=6))
                    self.dispatch(self.minute(held, 18), OFFICE, "sfh-yhb", held, [tf], "牵头市领导调度", "明确责任",
                                  chair=self.of["lead-leader", tf][0])
                self.cases(tf, quarter, first, last)
                review = last - dt.timedelta(days=self.random.randint(14, 17))
                self.fact(self.minute(review, 10), PORTAL, "reviewed", self.leads[tf][0], taskforce=tf, quarter=name, opinion="材料属实")
                self.report(name, last, tf, "monitoring", {"figures": f"{tf}-{name}.xlsx", "evidence": f"{tf}-{name}.zip"})
            for tf in self.several:
                if self.chance(0.85):
                    held = self.day(first + dt.timedelta(days=10), last - dt.timedelta(days=10))
                    self.dispatch(self.minute(held, 17), PORTAL, tf, held, [tf], "多牵头联合", "划分职责", present=self.leads[tf])

    def cases(self, tf, quarter, first, last):
        for kind in ("自主创新", "复制创新"):
            if not self.does(tf):
                continue
            case = f"{kind}案例{quarter}"
            talked = self.day(first + dt.timedelta(days=15), last - dt.timedelta(days=20))
            self.fact(self.minute(talked, 11), PORTAL, "talked", tf, case=case, held=str(talked), **{"with": self.of["superior", tf][0]})
            filed = self.day(talked + dt.timedelta(days=3), last - dt.timedelta(days=2))
            self.fact(self.minute(filed, 15), PORTAL, "innovation", tf, quarter=f"2024Q{quarter}", kind=kind, case=case,
                      file=f"{tf}-{quarter}.pdf", **{"filed-to": ["mdj-yhb", "sfh-yhb"]})

    # ---- 三（二）、三（三）、三（四）、四（四）、四（五）: once a year, or now and then
    def plans(self):
        assignments = list(csv.DictReader(open(HERE / "assignments.csv", encoding="utf-8")))
        for n, tf in enumerate(self.taskforces):
            plans = [{"assignment": a["id"], "class": self.random.choice(["优秀", "良好", "一般"]), "plan": "对照标准逐项提升"}
                     for a in assignments if a["taskforce"] == tf]
            if tf != "tf-10":  # has filed none, and no day was set
                self.submit(self.minute(dt.date(2024, 2, 20 + n % 8), 15), "lift-plan", tf, {"plans": plans}, period="2024")
            if n % 4 != 3:
                self.submit(at(dt.date(2024, 2, 26), 9 + n), "innovation-plan", tf, {"plan": f"{tf}-plan.docx"}, period="2024")
            if tf != "tf-09":
                self.submit(self.minute(dt.date(2024, 3, 4 + n), 15), "visit-list", tf, {"list": f"{tf}-visits.xlsx"}, period="2024")
        for tf in self.several:
            mine = [i for i in self.indicators if self.taskforce[i] == tf]
            claims = [{"indicator": i, "unit": u, "part": "按职能划分"} for i in mine if i not in ("i-011", "i-060") for u in self.leads[i]]
            self.fact(self.minute(dt.date(2024, 2, 26), 10), PORTAL, "duty-list", tf, year="2024", list=claims)
        for n, i in enumerate(self.random.sample(self.indicators, 12)):
            limit = dt.date(2024, 6, 30) + dt.timedelta(days=10 * n)
            self.fact(self.minute(dt.date(2024, 4, 15), 9), PORTAL, "project", self.taskforce[i], indicator=i, measures="压缩审批时限",
                      person="科室负责人", limit=str(limit))
            if self.chance(0.8):
                done = limit + dt.timedelta(days=self.random.randint(-20, 4))
                self.fact(self.minute(done, 16), PORTAL, "project-done", self.taskforce[i], indicator=i, result="时限压缩三成")

    def surveys(self):
        for name, third in (("上半年", dt.date(2024, 6, 3)), ("下半年", dt.date(2024, 11, 4))):
            for tf in self.taskforces:
                if self.chance(0.15):
                    continue
                day = third + dt.timedelta(days=self.random.randint(-25, -2) if self.chance(0.85) else self.random.randint(1, 5))
                way = self.random.choice(["问卷调查", "电话回访"])
                self.fact(self.minute(day, 11), PORTAL, "survey", tf, round=name, way=way, visited=self.random.randint(20, 120))
                if self.chance(0.85):
                    self.submit(self.minute(day + dt.timedelta(days=self.random.randint(5, 20)), 10), "call-back", tf,
                                {"brief": f"{tf}-{name}.pdf"}, about=name)
            self.fact(at(third), OFFICE, "third-party-survey", "sfh-yhb", round=name)

    def people(self):
        units = sorted({u for us in self.leads.values() for u in us})
        for n, u in enumerate(units):
            self.fact(self.minute(dt.date(2024, 3, 11 + n % 5), 9), PORTAL, "trained", u, person=f"{u}-p1")
            who = f"{u}-p2" if self.chance(0.12) else f"{u}-p1"
            self.fact(self.minute(dt.date(2024, 5, 20 + n % 5), 14), PORTAL, "answers", u, person=who)
        self.fact(at(dt.date(2024, 8, 12), 10), PORTAL, "staff-changed", "u-07", left="u-07-p1", successor="u-07-p3")
        self.fact(at(dt.date(2024, 8, 26), 9), PORTAL, "trained", "u-07", person="u-07-p3")
        self.fact(at(dt.date(2024, 10, 21), 9), PORTAL, "answers", "u-07", person="u-07-p3")

    def materials(self):
        for n, u in enumerate(["u-01", "u-05", "u-09", "r-02", "r-08", "u-14"]):
            self.fact(self.minute(dt.date(2024, 3 + n, 14), 15), PORTAL, "material", u, item=f"督导核验项{n + 1}", file=f"{u}.pdf",
                      **{"signed-by": f"{u}-h"})
        self.fact(at(dt.date(2024, 6, 24), 9), PORTAL, "commended", "tf-02", title="全省营商环境典型案例", evidence="award.pdf",
                  **{"from": "省优化办"})
        for n, (tf, status, check, found) in enumerate([("tf-04", "已落实", "效果", "企业满意"), ("tf-06", "正在落实", "进度", "过半"),
                                                        ("tf-08", "还未落实", "原因", "上级系统未开放")]):
            why = {"reason": "上级系统未开放"} if status == "还未落实" else {}
            day = dt.date(2024, 7, 15 + n)
            self.fact(at(day, 9), PORTAL, "item-status", tf, item="数据共享", status=status, **why)
            self.fact(at(day + dt.timedelta(days=3), 9), OFFICE, "item-checked", "sfh-yhb", unit=tf, item="数据共享", check=check, found=found)

    # ---- 一、三（六）、四（一）、四（二）: the office
    def office(self):
        for n, (tf, problem) in enumerate([("tf-03", "窗口排队"), ("tf-07", "材料重复提交"), ("tf-11", "惠企政策未兑现")]):
            day = dt.date(2024, 3 + 3 * n, 6)
            self.fact(at(day, 9), OFFICE, "problem", "sfh-yhb", unit=tf, problem=problem)
            if n < 2:
                self.dispatch(at(day, 15), OFFICE, "sfh-yhb", day, [tf], "优环办调度", "当日调度", problem=problem)
        for n, tf in enumerate(["tf-01", "tf-05", "tf-06", "tf-09", "sfh-ftz"]):
            day = dt.date(2024, 4 + n, 22)
            limit = day + dt.timedelta(days=30)
            self.fact(at(day, 10), OFFICE, "finding", "sfh-yhb", unit=tf, problem=f"反馈问题{n + 1}", person="科室负责人", limit=str(limit),
                      source="牡市优环办" if n > 2 else "牡市督导组")
            done = limit + dt.timedelta(days=3 if n == 1 else -5)
            self.fact(at(done, 16), OFFICE, "settled", "sfh-yhb", unit=tf, problem=f"反馈问题{n + 1}", result="已整改到位")
        for n, of in enumerate([["tf-02", "tf-06"], ["tf-01", "tf-04", "tf-10"], ["tf-08"]]):
            day = dt.date(2024, 3 + 4 * n, 18)
            self.fact(at(day, 9), OFFICE, "spot-brief", "sfh-yhb", number=f"第{n + 1}期", of=of, found="进展不平衡", file=f"brief-{n + 1}.pdf")
            if n < 2:
                self.fact(at(day + dt.timedelta(days=4), 9), OFFICE, "brief-instruction", "sfh-yhb", number=f"第{n + 1}期", text="抓紧整改")
        for quarter in range(1, 5):
            last = month_end(2024, quarter * 3)
            for n, step in enumerate(["形成全市清单", "报组长审阅", "组长批示"]):
                text = {"text": "压实责任，补齐短板"} if n == 2 else {}
                self.fact(at(last + dt.timedelta(days=3 + 2 * n), 11), OFFICE, "list-hop", "sfh-yhb", quarter=f"2024Q{quarter}", step=step, **text)
        self.emit(at(dt.date(2024, 6, 11)), OFFICE, "Extend", {"reason": "报送系统升级", "extend": {
            "select": {"obligations": ["monitoring"], "units": ["tf-05", "tf-06"], "periods": ["2024Q2"]}, "until": "2024-07-05",
            "reporter": "sfh-yhb"}})

    def deductions(self):
        items = ["数据不实", "材料缺签字", "整改超期", "台账不全"]
        for quarter in range(1, 5):
            last = month_end(2024, quarter * 3)
            for n, tf in enumerate(self.taskforces):
                left = max(0, 3 - quarter + self.random.randint(0, 1)) if self.chance(0.6) else 0
                for k, item in enumerate(self.random.sample(items, min(left, 3))):
                    self.fact(self.minute(last - dt.timedelta(days=12 - n), 9 + k), OFFICE, "deduction", "sfh-yhb", unit=tf,
                              quarter=f"2024Q{quarter}", item=item, points=self.random.choice([0.5, 1, 1.5]))
                    self.list(quarter + 1, tf, item)
            self.fact(at(last + dt.timedelta(days=6), 16), OFFICE, "deductions-final", "sfh-yhb", quarter=f"2024Q{quarter}")
        for indicator, quarter, points in (("i-011", 2, 1.5), ("i-003", 2, 1), ("i-060", 3, 2), ("i-034", 3, 1)):
            self.fact(at(month_end(2024, quarter * 3) + dt.timedelta(days=12), 10), OFFICE, "indicator-loss", "sfh-yhb", indicator=indicator,
                      quarter=f"2024Q{quarter}", points=points)

    # ---- 五（二）、（四）、（六）
    def list(self, quarter, unit, item):
        self.items.setdefault(quarter, []).append((unit, item))

    def joint(self):
        for _, _, _, kind, body in self.year.events:
            if kind == "Ranking":
                quarter = int(body["ranking"]["period"][-1]) + 1
                for entry in body["ranking"]["entries"]:
                    if entry["rank"] > PLACES - TAIL:
                        for unit in self.leads[entry["subject"]]:
                            self.list(quarter, unit, entry["subject"])
        for quarter in range(1, 5):
            first = dt.date(2024, quarter * 3 - 2, 1)
            name = f"2024Q{quarter}"
            tf = self.random.choice(self.taskforces)
            self.fact(at(first + dt.timedelta(days=7), 9), BUREAU, "key-item", "sfh-dc", unit=tf, quarter=name, item=f"边民互市一件事{quarter}")
            self.list(quarter, tf, f"边民互市一件事{quarter}")
            day = first + dt.timedelta(days=9 if quarter != 3 else 11)  # the third quarter's list is late
            limit = month_end(2024, quarter * 3) - dt.timedelta(days=15)
            self.fact(at(day, 14), BUREAU, "joint-limit", "sfh-syj", quarter=name, items=sorted({i for _, i in self.items[quarter]}), limit=str(limit))
            self.submit(at(day, 16, 30), "joint-list", "sfh-dc", {"list": f"joint-{name}.xlsx"}, period=name)
            for unit, item in self.items[quarter]:
                if self.chance(self.diligence[unit] - 0.05):
                    done = limit - dt.timedelta(days=self.random.randint(-3, 25))
                    self.fact(self.minute(done, 15), BUREAU, "joint-result", "sfh-dc", unit=unit, quarter=name, item=item, result="已整改提升")
            self.submit(at(limit + dt.timedelta(days=8), 10), "joint-report", "sfh-syj", {"situation": f"joint-{name}.pdf"}, period=name)

    def consequences(self):
        self.fact(at(dt.date(2024, 6, 25), 10), BUREAU, "lagging", "sfh-syj", unit="tf-08", quarter="2024Q2", why="整体工作进展迟缓")
        self.fact(at(dt.date(2024, 9, 12), 10), BUREAU, "clue", "sfh-syj", unit="u-12", subject="惠企政策未兑现",
                  ground="损害营商环境或造成不良影响", whom="责任人")
        self.fact(at(dt.date(2024, 11, 20), 10), OFFICE, "clue", "sfh-yhb", unit="u-06", subject="数据共享推诿",
                  ground="不履行或不正确履行职责", whom="专班牵头领导")
        self.fact(at(dt.date(2024, 12, 18), 10), "discipline/suifenhe", "outcome", "sfh-jw", unit="u-12", number="第1号", decision="批评教育")
        self.fact(at(dt.date(2025, 1, 22), 10), "discipline/suifenhe", "outcome", "sfh-zzb", unit="u-06", number="第2号", decision="列入考核参考")

    def make(self):
        for part in (self.months, self.quarters, self.plans, self.surveys, self.people, self.materials, self.office, self.deductions,
                     self.joint, self.consequences):
            part()
        return self


def write(seed, out):
    year = Year(seed).make()
    events = year.numbered("y2024-") + Rest(seed, year).make().numbered("y2024-r")
    for when, ident, source, kind, body in sorted(events, key=lambda e: e[0]):  # at the same time: the ladder's first
        event = {
            "specversion": "1.0", "id": ident, "source": source, "type": f"duban.v1.{kind}",
            "time": when.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "datacontenttype": "application/json", "data": {"workflow": WORKFLOW, **body},
        }
        out.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=2024)
    write(arguments.parse_args().seed, sys.stdout)


if __name__ == "__main__":
    main()
