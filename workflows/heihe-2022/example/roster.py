#!/usr/bin/env python3
"""Writes units.csv and relations.csv of this workflow: the lead, ten 责任单位 (one for each item of 附件1), six county
taskforces, the two 管委会 that the text is sent to, and the two bodies above; all with invented ids and role names. Run
it from anywhere; the files stand beside the workflow."""
import csv
import pathlib

HERE = pathlib.Path(__file__).resolve().parent.parent
SINCE = "2022-04-01"  # 第七条「自4月起」: tasks of April are born on its first day
NUMERALS = "一 二 三 四 五 六 七 八 九 十".split()
RESPONSIBLE, COUNTIES = 10, 6
WITHOUT_LIAISON = {6}  # 第三条: `dubanctl check` warns of this county
LEAD_NAMES = "市专班|市专班办公室|市专班牵头部门|市营商环境建设监督局"
# One body, four names in the text (第二、五、六、十二、十五、十六条).
ACCOUNTABILITY_NAMES = "督导考评问责工作专班|督导考评专班|督导考核专班|督导考核问责专班"


def carries(unit, county):
    """Which county taskforces carry a 责任单位's tasks: the third one's are everybody's."""
    return unit == 3 or unit * county % 3 != 0


def write(name, header, rows):
    with open(HERE / name, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(header.split())
        out.writerows(rows)


def main():
    units = [
        ("hh-lead", "市专班牵头单位", "organ", "lead|city|office", LEAD_NAMES, "hh-lead-l", "hh-lead-h"),
        ("hh-yhb", "市优化营商环境领导小组办公室", "organ", "optimisation", "市优化办", "", ""),
        ("hh-wz", "市督导考评问责工作专班", "organ", "accountability", ACCOUNTABILITY_NAMES, "", ""),
    ]
    for r in range(1, RESPONSIBLE + 1):
        unit = f"hh-r{r:02}"
        units.append((unit, f"责任单位{NUMERALS[r - 1]}", "organ", "responsible", "", f"{unit}-l", f"{unit}-h"))
    for c in range(1, COUNTIES + 1):
        unit = f"hh-c{c:02}"
        liaison = "" if c in WITHOUT_LIAISON else f"{unit}-l"
        units.append((unit, f"县（市、区）专班{NUMERALS[c - 1]}", "taskforce", "county", "", liaison, f"{unit}-h"))
    units.append(("hh-z01", "自贸片区管委会", "organ", "zone", "", "", ""))
    units.append(("hh-z02", "五大连池管委会", "organ", "zone", "", "", ""))
    relations = [(f"hh-r{r:02}", "counterpart", f"hh-c{c:02}", SINCE, "")
                 for r in range(1, RESPONSIBLE + 1) for c in range(1, COUNTIES + 1) if carries(r, c)]
    write("units.csv", "id name kind roles aliases liaison head from to", [(*u, SINCE, "") for u in units])
    write("relations.csv", "subject relation unit from to", relations)


if __name__ == "__main__":
    main()
