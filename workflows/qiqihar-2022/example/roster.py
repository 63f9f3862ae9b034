#!/usr/bin/env python3
"""Writes units.csv of this workflow: the taskforce with its lead unit, office and leaders, six responsible units and
sixteen county taskforces, all with invented ids and role names. Run it from anywhere; the file stands beside the workflow."""
import csv
import pathlib

HERE = pathlib.Path(__file__).resolve().parent.parent
SINCE = "2022-01-01"  # the year, the quarter and the month of the issue are owed by who was there when they began
NUMERALS = "一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五 十六".split()
RESPONSIBLE, COUNTIES = 6, 16
WITHOUT_LIAISON = {6}  # this county's liaison is not registered: the unit itself is told

ORGANS = [
    ("qq-city", "市级工作专班", "taskforce", "city", "保护中小投资者指标专班"),
    ("qq-lead", "牵头单位", "organ", "lead", "市法院"),
    ("qq-office", "市级工作专班办公室", "organ", "office", "市法院民四庭"),
    ("qq-chief", "专班组长", "post", "chief", ""),
    ("qq-vice1", "专班副组长一", "post", "vice", ""),
    ("qq-vice2", "专班副组长二", "post", "vice", ""),
    ("qq-yhb", "市优化营商环境领导小组办公室", "organ", "optimisation", "市优化办"),
    ("qq-province", "省保小专班", "taskforce", "province", "保护中小投资者省专班"),
]


def main():
    rows = [(i, name, kind, role, aliases, "", "", SINCE, "") for i, name, kind, role, aliases in ORGANS]
    for n in range(1, RESPONSIBLE + 1):
        unit = f"qq-r{n:02}"
        rows.append((unit, f"责任单位{NUMERALS[n - 1]}", "organ", "responsible", "", f"{unit}-l", f"{unit}-h", SINCE, ""))
    for n in range(1, COUNTIES + 1):
        unit = f"qq-c{n:02}"
        liaison = "" if n in WITHOUT_LIAISON else f"{unit}-l"
        rows.append((unit, f"县（市）区专班{NUMERALS[n - 1]}", "taskforce", "county", "", liaison, f"{unit}-h", SINCE, ""))
    with open(HERE / "units.csv", "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow("id name kind roles aliases liaison head from to".split())
        out.writerows(rows)


if __name__ == "__main__":
    main()
