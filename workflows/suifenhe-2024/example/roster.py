#!/usr/bin/env python3
"""Writes the CSV files of this workflow: eleven taskforces, sixteen lead units, eleven members, their counterparts in 牡市 and
the places they compare themselves with (units.csv, relations.csv); 181 indicators (indicators.csv), the frame of 11 and 33
(framework.csv), 313 assignments (assignments.csv). All ids and names are invented. Run it from anywhere; the files stand
beside the workflow.

The shape (which taskforce has several leads, which indicators have several) is fixed in the tables below, so that the
regime's rules for single and joint leads all have something to bite on."""
import csv
import pathlib

HERE = pathlib.Path(__file__).resolve().parent.parent
SINCE = "2024-01-01"
NUMERALS = "一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五 十六".split()
LEADS = {  # taskforce -> its lead units; the first one runs the taskforce's office
    1: [1, 2], 2: [3], 3: [4], 4: [5, 6, 7], 5: [8], 6: [9], 7: [10, 11], 8: [12], 9: [13], 10: [14], 11: [15, 16],
}
INDICATORS = 181
ASSIGNMENTS = {"省级": 274, "市级": 39}


def taskforce_sizes(total=INDICATORS):
    """So many over eleven taskforces as evenly as it goes: the first ones have one more."""
    base, more = divmod(total, len(LEADS))
    return {tf: base + (1 if tf <= more else 0) for tf in LEADS}


def framework():
    """One first-level indicator a taskforce, three second-level ones under it."""
    for tf in LEADS:
        yield f"f-{tf:02}", f"一级指标{NUMERALS[tf - 1]}", "一级", f"tf-{tf:02}"
        for n in range(1, 4):
            yield f"f-{tf:02}-{n}", f"一级指标{NUMERALS[tf - 1]}之二级指标{n}", "二级", f"tf-{tf:02}"


def assignments():
    number = 0
    for source, total in ASSIGNMENTS.items():
        for tf, size in taskforce_sizes(total).items():
            for n in range(1, size + 1):
                number += 1
                yield f"a-{number:03}", f"专班{NUMERALS[tf - 1]}{source}任务{n}", source, f"tf-{tf:02}"


def indicator_leads(tf, n):
    """Joint taskforces share every second indicator; the others go round their leads."""
    leads = LEADS[tf]
    return leads if len(leads) == 1 or n % 2 == 1 else [leads[n % len(leads)]]


def write(name, header, rows):
    with open(HERE / name, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def main():
    organs = [
        ("sfh-chief", "优环领导小组组长", "post", "chief", ""),
        ("sfh-yhb", "市优环办", "organ", "office", "优环领导小组办公室"),
        ("sfh-syj", "市营商局", "organ", "bureau", ""),
        ("sfh-dc", "两办督查室", "organ", "inspection", "市委督查室|市政府督查室"),
        ("sfh-zzb", "市委组织部", "organ", "org-dept", ""),
        ("sfh-jw", "市纪委监委", "organ", "discipline", ""),
    ]
    units = [(i, t, k, r, a, "", "", SINCE, "", "") for i, t, k, r, a in organs]
    relations, indicators = [], []
    for tf in LEADS:
        leader = f"sfh-l{tf:02}"
        units.append((leader, f"牵头市领导{NUMERALS[tf - 1]}", "post", "lead-leader", "", "", "", SINCE, "", ""))
    for tf in LEADS:
        units.append((f"tf-{tf:02}", f"专班{NUMERALS[tf - 1]}", "taskforce", "taskforce", "", f"tf-{tf:02}-l", "",
                      SINCE, "", ""))
    for u in range(1, len(NUMERALS) + 1):
        units.append((f"u-{u:02}", f"牵头单位{NUMERALS[u - 1]}", "organ", "lead", "", f"u-{u:02}-l", f"u-{u:02}-h",
                      SINCE, "", ""))
    number = 0
    for tf, size in taskforce_sizes().items():
        relations.append((f"tf-{tf:02}", "lead-leader", f"sfh-l{tf:02}"))
        relations.append((f"tf-{tf:02}", "office-lead", f"u-{LEADS[tf][0]:02}"))
        for u in LEADS[tf]:
            relations.append((f"tf-{tf:02}", "lead", f"u-{u:02}"))
            relations.append((f"u-{u:02}", "lead-leader", f"sfh-l{tf:02}"))
        for n in range(1, size + 1):
            number += 1
            i = f"i-{number:03}"
            indicators.append((i, f"专班{NUMERALS[tf - 1]}监测指标{n}", f"tf-{tf:02}"))
            relations.append((i, "office-lead", f"u-{LEADS[tf][0]:02}"))
            for u in indicator_leads(tf, n):
                relations.append((i, "lead", f"u-{u:02}"))
    # The rest of those whom the text names: members, counterparts above, and the places to compare with (四（六）).
    units.append(("mdj-yhb", "牡市优环办", "organ", "superior-office", "", "", "", SINCE, "", ""))
    for tf in LEADS:
        units.append((f"mdj-tf-{tf:02}", f"牡市专班{NUMERALS[tf - 1]}", "taskforce", "superior", "", "", "", SINCE, "", ""))
        units.append((f"r-{tf:02}", f"责任单位{NUMERALS[tf - 1]}", "organ", "member", "", f"r-{tf:02}-l", f"r-{tf:02}-h", SINCE, "", ""))
        relations.append((f"tf-{tf:02}", "member", f"r-{tf:02}"))
        relations.append((f"tf-{tf:02}", "superior", f"mdj-tf-{tf:02}"))
        relations.append((f"tf-{tf:02}", "benchmark", "bm-hn"))
    units.append(("sfh-ftz", "自贸片区", "organ", "zone", "", "sfh-ftz-l", "sfh-ftz-h", SINCE, "", ""))
    for u in range(1, len(NUMERALS) + 1):  # whom 五（五）calls on to speak
        units.append((f"u-{u:02}-h", f"牵头单位{NUMERALS[u - 1]}负责人", "post", "principal", "", "", "", SINCE, "", ""))
    units.append(("bm-hn", "桦南县", "place", "model", "", "", "", SINCE, "", ""))
    units.append(("bm-hrb", "哈尔滨市", "place", "model", "", "", "", SINCE, "", ""))
    relations.append(("sfh-ftz", "benchmark", "bm-hrb"))
    write("units.csv", "id name kind roles aliases liaison head from to successor".split(), units)
    write("relations.csv", "subject relation unit from to".split(), [(*r, SINCE, "") for r in relations])
    write("indicators.csv", "id title taskforce".split(), indicators)
    write("framework.csv", "id title level taskforce".split(), framework())
    write("assignments.csv", "id title source taskforce".split(), assignments())


if __name__ == "__main__":
    main()
