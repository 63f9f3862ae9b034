#!/usr/bin/env python3
"""Writes 2022.jsonl: a plausible year of this regime as CloudEvents, one a line, in order of time.

usage: year.py [--seed N] > 2022.jsonl

From the issue on 18 April to the year's scores in January: 六个一 registrations; each month the listed measures of six
counties, what they finish, and spot checks; reports of sixteen units and self-score sheets (on time, late, missed,
returned and filed again); calls and meetings of the lead, a few forgotten; slips, bulletins, circulars, readings; claims
and reviews; the month's publication; and a few matters that go up the whole ladder. The file is the same every time."""
import argparse
import datetime as dt
import json
import random
import sys

ZONE = dt.timezone(dt.timedelta(hours=8))
WORKFLOW = "heihe-2022"
PORTAL, MAIL, LEAD = "portal/taskforces", "mail/self-score", "office/heihe"
RESPONSIBLE = [f"hh-r{i:02}" for i in range(1, 11)]
COUNTIES = [f"hh-c{i:02}" for i in range(1, 7)]
SECTIONS = "一二三四五六七八九十"
MEASURES = {f"m-{i:02}": RESPONSIBLE[(i - 1) % 10] for i in range(1, 21)}
MATTERS = ["诚信品牌", "承诺公示", "诚信七进", "信用评价", "信用修复", "信息目录", "惩戒清单", "码上诚信", "信易贷", "宣传年活动"]
ISSUED = dt.datetime(2022, 4, 18, 9, 0, tzinfo=ZONE)


def at(day, hour=9, minute=0):
    return max(dt.datetime.combine(day, dt.time(hour, minute), ZONE), ISSUED)


class Month:
    def __init__(self, number):
        self.number = number
        self.name = f"2022-{number:02}"
        self.first = max(dt.date(2022, number, 1), ISSUED.date())
        self.last = dt.date(2022 + number // 12, number % 12 + 1, 1) - dt.timedelta(days=1)

    def day(self, n):
        return max(dt.date(2022, self.number, n), self.first)


class Year:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.events = []
        # How diligent a unit is stays much the same over the year.
        self.diligence = {u: self.random.uniform(0.72, 0.98) for u in RESPONSIBLE + COUNTIES}
        self.diligence["hh-c05"] = 0.45
        self.claims = 0

    # ---- records
    def emit(self, when, source, kind, body):
        self.events.append((when, len(self.events), source, kind, body))

    def fact(self, when, what, reporter, source=LEAD, /, **fields):
        fields = {k.replace("_", "-"): v for k, v in fields.items()}
        self.emit(when, source, "Fact", {"fact": {"kind": what, "reporter": reporter, "fields": fields}})

    def lead(self, when, what, /, **fields):
        self.fact(when, what, "hh-lead", **fields)

    def chance(self, p):
        return self.random.random() < p

    # ---- 第九条: two measures for each 责任单位
    def six(self):
        for n, (measure, owner) in enumerate(MEASURES.items()):
            months = [{"month": f"2022-{m:02}", "goal": "按计划推进", "schedule": "当月底前", "route": "先试点后推开",
                       "content": MATTERS[n % 10]} for m in range(4, 13)]
            self.fact(at(dt.date(2022, 4, 19 + n // 10), 10, n), "one-six", owner, PORTAL, measure=measure, owner=owner,
                      leader="分管领导", office="责任科室", plan=f"{measure}.pdf", contact="工作联系人", months=months)
        self.fact(at(dt.date(2022, 4, 21)), "one-six", "hh-r02", PORTAL, measure="m-01", owner="hh-r02", leader="分管领导",
                  office="责任科室", plan="m-01b.pdf", contact="工作联系人", months=months)  # m-01 has its unit: refused

    # ---- 附件2二（一）1, 4: what was listed, done, and not so
    def measures(self, month):
        checked = self.random.sample(COUNTIES, 2)
        for county in COUNTIES:
            n = self.random.randint(5, 8) if (county, month.number) != ("hh-c03", 8) else 0
            listed = sorted(self.random.sample(sorted(MEASURES), n))
            if not listed:
                continue
            self.lead(at(month.day(2), 9, 10), "listed", unit=county, month=month.name, measures=listed, limit=str(month.last))
            done = []
            for measure in listed:
                if self.chance(0.35 + 0.62 * self.diligence[county]):
                    day = month.day(self.random.randint(8, 27))
                    self.fact(at(day, 16, self.random.randint(0, 59)), "measure-done", county, PORTAL, month=month.name,
                              measures=[measure], evidence=[f"{county}-{measure}.pdf"])
                    done.append((day, measure))
            if county in checked:
                day = month.day(26)
                wrong = [m for d, m in done if d < day and self.chance(0.25 * (1.2 - self.diligence[county]) * 2)]
                self.lead(at(day, 15), "spot-check", unit=county, month=month.name, unfinished=wrong)

    # ---- 第七条, 附件1
    def reports(self, month):
        for n, unit in enumerate(RESPONSIBLE + COUNTIES):
            section = SECTIONS[n % 10]
            fields = {"work": [{"item": section, "title": MATTERS[n % 10], "content": "按节点推进", "result": "印发制度一项"}],
                      "progress": "各项任务按节点推进", "results": "见一", "problems": ["数据归集不全"],
                      "next": ["补齐数据"], "seal": "seal.pdf"}
            self.report(month, unit, fields)

    def report(self, month, unit, fields):
        task = {"obligation": "monthly-report", "unit": unit, "period": month.name}
        due = dt.date(2022, month.number, 20)
        how, good = self.random.random(), self.diligence[unit]
        if how > good + 0.35:
            return  # never filed
        day = due + dt.timedelta(days=self.random.randint(1, 8)) if how > good else due - dt.timedelta(days=self.random.randint(0, 6))
        when = at(day, self.random.randint(9, 20), self.random.randint(0, 59))
        if self.chance(0.06):  # no seal: returned at once, filed again the next day
            self.emit(when, PORTAL, "Submission", {"submission": {**task, "fields": {k: v for k, v in fields.items() if k != "seal"}}})
            when += dt.timedelta(days=1)
        self.emit(when, PORTAL, "Submission", {"submission": {**task, "fields": fields}})
        review = when + dt.timedelta(days=self.random.randint(1, 3))
        verdict = {**task, "reporter": "hh-lead"}
        if self.chance(0.05):
            self.emit(review, LEAD, "Review", {"review": {**verdict, "verdict": "RETURN", "reasons": ["与台账不一致"]}})
            self.emit(review + dt.timedelta(days=2), PORTAL, "Submission", {"submission": {**task, "fields": fields}})
            review += dt.timedelta(days=3)
        self.emit(review, LEAD, "Review", {"review": {**verdict, "verdict": "ACCEPT"}})

    # ---- 附件3: by mail; what counts is when it arrives
    def sheets(self, month):
        for county in COUNTIES:
            how, good = self.random.random(), self.diligence[county]
            if how > good + 0.3:
                continue
            written = dt.date(2022, month.number, 23) - dt.timedelta(days=self.random.randint(0, 3))
            arrived = dt.date(2022, month.number, 24) if how > good else written
            points = {"work": self.random.choice([40, 40, 35]), "timely": 5, "news": self.random.randint(1, 5),
                      "dynamic": self.random.randint(0, 3)}
            lines = [{"no": no, "item": item, "ledger": "对照台账逐项说明", "evidence": [f"{county}-{item}.pdf"], "points": points[item]}
                     for no, item in (("一", "work"), ("二", "timely"), ("二", "news"), ("三", "dynamic"))]
            self.fact(at(arrived, self.random.randint(9, 22), self.random.randint(0, 59)), "self-score", county, MAIL, month=month.name,
                      date=str(written), total=sum(points.values()), lines=lines, report=f"{county}-{month.name}.pdf")

    # ---- 附件2二（一）2（2）, 3
    def news_and_claims(self, month):
        for county in COUNTIES:
            for n in range(self.random.randint(0, 4)):
                what = self.random.choice(["高质量信息", "高质量信息", "高质量信息", "编发采用", "报送省级"])
                self.lead(at(month.day(24), 10, n), "news", unit=county, month=month.name, what=what, title=f"信息{n + 1}")
            for n in range(self.random.randint(0, 2)):
                self.claims += 1
                claim = f"d-{self.claims:03}"
                ground = self.random.choice(["新增任务", "调高指标", "地方首创"])
                self.fact(at(month.day(22), 11, n), "dynamic-claim", county, PORTAL, claim=claim, month=month.name, ground=ground,
                          evidence=[f"{claim}.pdf"])
                good = self.chance(0.7)
                fields = {"claims": [claim], "approve": good}
                if good and ground != "地方首创":
                    fields["carried_out"] = True
                self.lead(at(month.day(27), 9, self.claims % 60), "dynamic-decided", **fields)

    # ---- 附件2三（二）, 四
    def scores(self, month):
        for county in COUNTIES:
            if self.chance(0.12):
                self.lead(at(month.day(27), 16), "score-review", unit=county, month=month.name, item="news",
                          points=self.random.randint(0, 4), reason="重复信息不计")
        late = month.number == 10  # published five days into November: the lead's own duty is missed
        day = month.last + dt.timedelta(days=5) if late else month.last
        self.lead(at(day, 17), "scores-published", month=month.name)

    # ---- 第二、四、五、六、八、十一、十二条: the lead's own months
    def lead_duties(self, month):
        everyone = RESPONSIBLE + COUNTIES
        missed = [everyone[month.number % 16]] if month.number in (7, 11) else []
        half = [u for u in everyone[:9] if u not in missed]
        self.lead(at(month.day(6)), "contact", held=str(month.day(6)), **{"with": half}, matter="月度任务")
        rest = [u for u in everyone[9:] if u not in missed]
        self.lead(at(month.day(13)), "contact", held=str(month.day(13)), **{"with": rest}, matter="月度任务")
        if month.number != 9:
            self.lead(at(month.day(10), 17), "meeting", held=str(month.day(10)), kind="每月调度", heard="各单位进展",
                      conveyed="督导考核专班要求", resolved="数据归集", next="下步安排")
        if month.number in (6, 11):
            self.lead(at(month.day(16), 17), "meeting", held=str(month.day(16)), kind="临时会商", cause="市领导临时交办")
        self.lead(at(month.last, 15), "study", month=month.name, limits=f"limits-{month.name}.xlsx", trend="总体平稳")
        self.lead(at(month.day(28)), "reported-up", to="督导考评专班", progress="各项任务按节点推进")
        self.lead(at(month.day(12)), "inspection", number=f"督-{month.number:02}", unit=self.random.choice(everyone),
                  method=self.random.choice(["书面督导", "暗访督导", "实地督导"]), scope="专项行动重点任务")
        self.lead(at(month.day(25), 9, 30), "circular-issued", kind="工作进展", period=month.name, units=RESPONSIBLE,
                  file=f"progress-{month.name}.pdf")
        if month.number % 3 == 0:
            quarter = f"2022Q{month.number // 3}"
            day = month.last + dt.timedelta(days=8) if quarter == "2022Q3" else month.last
            self.lead(at(day, 16), "circular-issued", kind="县区阶段性成绩", period=quarter, units=COUNTIES, file=f"{quarter}.pdf")

    def slips_and_bulletins(self, month):
        for unit in self.random.sample(RESPONSIBLE + COUNTIES, 3):
            matter = f"{month.number}月专报"
            due = month.day(15) + dt.timedelta(days=3)
            self.lead(at(month.day(8), 9, 30), "tip", unit=unit, matter=matter, demand="按督导考评专班要求报送", due=str(due))
            if self.chance(self.diligence[unit]):
                task = {"obligation": "tip-reply", "unit": unit, "about": matter, "period": month.name}
                self.emit(at(due, 16), PORTAL, "Submission", {"submission": task})
                self.emit(at(due, 18), LEAD, "Review", {"review": {**task, "reporter": "hh-lead", "verdict": "ACCEPT"}})
        if month.number == 10:
            return  # nobody sent a bulletin, so nobody owes a digest
        for n, unit in enumerate(self.random.sample(RESPONSIBLE + COUNTIES, 4)):
            self.fact(at(month.day(18 + n), 14), "bulletin", unit, PORTAL, title=f"{MATTERS[n]}动态", file=f"{unit}-{n}.pdf")
        self.lead(at(month.last, 11), "bulletin-issued", month=month.name, file=f"bulletin-{month.name}.pdf")

    # ---- 附件1一（八）
    def readings(self, month):
        for n, county in enumerate(COUNTIES):
            marked = 14 + 3 * (month.number - 4) + 2 * n
            self.emit(at(month.day(19), 10, n), PORTAL, "Reading",
                      {"reading": {"indicator": "code-share", "unit": county, "period": month.name, "reporter": county,
                                   "ratio": {"numerator": str(marked * 100), "denominator": "10000"}}})

    # ---- 第十三条至第十六条
    def ladder(self):
        def step(month, day, what, unit, matter, **fields):
            self.lead(at(dt.date(2022, month, day), 14), what, unit=unit, matter=matter, **fields)

        # One county the whole way: reminded, listed, talked to, referred, and settled in the end.
        step(5, 11, "prompt", "hh-c05", "信易贷", trigger="日常考评发现问题")
        step(5, 30, "still-short", "hh-c05", "信易贷", against="时序进度")  # refused: no listing yet
        step(6, 6, "shortfall", "hh-c05", "信易贷", ground="延迟完成任务", finish_by="2022-07-08")
        step(7, 11, "still-short", "hh-c05", "信易贷", against="完成质效")
        step(8, 15, "still-short", "hh-c05", "信易贷", against="完成质效")
        step(11, 21, "settled", "hh-c05", "信易贷", result="额度达到序时进度")
        # Listed, and put right.
        step(6, 13, "shortfall", "hh-r06", "信息目录", ground="完成任务未达标")
        step(7, 4, "settled", "hh-r06", "信息目录", result="目录重新印发")
        step(9, 5, "shortfall", "hh-c02", "承诺公示", ground="推进工作不力")
        step(9, 26, "settled", "hh-c02", "承诺公示", result="全部公示")
        # Talked to directly.
        step(7, 18, "poor-organisation", "hh-r09", "信易贷")
        step(8, 22, "settled", "hh-r09", "信易贷", result="已建工作专班")
        # Named in a circular, then referred by order; without it, refused.
        step(8, 8, "refer", "hh-c04", "合同清欠", against="时限")
        self.lead(at(dt.date(2022, 8, 30), 10), "circular-issued", kind="任务完成情况", period="2022-08", units=["hh-c03", "hh-c04"],
                  unfinished=[{"unit": "hh-c04", "matter": "合同清欠"}], file="completion-2022-08.pdf")
        step(9, 19, "refer", "hh-c04", "合同清欠", against="时限")
        # 第十五条: on record without the effect, referred with it.
        step(9, 7, "misconduct", "hh-r07", "惩戒清单", ground="责任不清晰", slowed=True, harmed=False)
        step(10, 12, "misconduct", "hh-r07", "惩戒清单", ground="责任不清晰", slowed=True, harmed=True)
        step(10, 19, "misconduct", "hh-r04", "信用评价", ground="协办不配合", joint_with=["hh-r03"], slowed=True, harmed=True)
        step(11, 9, "concealed", "hh-c05", "新官不理旧账", found="实地督导发现未上报")
        step(11, 16, "prompt", "hh-c01", "宣传年活动", trigger="领导重要批示")
        for month, day, unit, matter in ((5, 17, "hh-c02", "归集系统停机"), (8, 3, "hh-r08", "赋码数据错误")):
            when = dt.date(2022, month, day)
            self.fact(at(when, 8, 40), "urgent", unit, PORTAL, matter=matter)
            self.lead(at(when, 9, 5), "contact", held=str(when), **{"with": [unit]}, matter=matter)

    # ---- 附则: flood in July, the mailbox down in September
    def corrections(self):
        select = {"obligations": ["monthly-report"], "units": ["hh-c01", "hh-c06"], "periods": ["2022-07"]}
        self.emit(at(dt.date(2022, 7, 18)), LEAD, "Extend", {"reason": "汛期", "extend": {"select": select, "until": "2022-07-25", "reporter": "hh-lead"}})
        select = {"obligations": ["self-score"], "units": COUNTIES, "periods": ["2022-09"]}
        self.emit(at(dt.date(2022, 9, 23), 12), LEAD, "Excuse", {"reason": "邮箱故障", "excuse": {"select": select, "grounds": "邮箱故障", "reporter": "hh-lead"}})

    # ---- 附件2二（二）
    def year_end(self):
        grounds = ["大督查表扬", "复制推广或表扬", "领导批示肯定", "指标优异优秀", "示范城市", "新华信用杯获奖", "复制推广或表扬"]
        claims = [("hh-c01", g) for g in grounds] + [("hh-c02", "指标优异优秀"), ("hh-c03", "领导批示肯定"), ("hh-c06", "复制推广或表扬")]
        for n, (county, ground) in enumerate(claims, 1):
            self.fact(at(dt.date(2022, 12, 26), 10, n), "innovation-claim", county, PORTAL, claim=f"c-{n:02}", year="2022",
                      ground=ground, evidence=[f"c-{n:02}.pdf"])
        self.lead(at(dt.date(2023, 1, 4), 10), "innovation-decided", claims=[f"c-{n:02}" for n in range(1, 10)], approve=True)
        self.lead(at(dt.date(2023, 1, 4), 11), "innovation-decided", claims=["c-10"], approve=False)
        self.lead(at(dt.date(2023, 1, 10), 16), "year-published", year="2022")

    def write(self, out):
        self.six()
        for number in range(4, 13):
            month = Month(number)
            for part in (self.measures, self.reports, self.sheets, self.news_and_claims, self.scores, self.lead_duties,
                         self.slips_and_bulletins, self.readings):
                part(month)
        self.ladder()
        self.corrections()
        self.year_end()
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
