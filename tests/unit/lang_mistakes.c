/* Mistakes: what is said of each, at exactly which place; and that no definition, however broken, does more
 * than be refused. */
#include "lang_definition.h"

/* ---- wrong ones: one edit, and the beginning of each line that is said of it */

struct wrong {
    int file;
    const char *from, *to, *told;
};

/* Line by line: as many, and each begins as wanted. What the expressions' own tests see to is wanted by code
 * and place only. */
static bool told_as_wanted(const char *told, const char *wanted)
{
    for (;;) {
        size_t n = strcspn(wanted, "\n"), m = strcspn(told, "\n");
        if (m < n || strncmp(told, wanted, n) != 0 || (told[m] == '\0') != (wanted[n] == '\0'))
            return false;
        if (told[m] == '\0')
            return true;
        told += m + 1;
        wanted += n + 1;
    }
}

static void check_wrong(const struct wrong *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct definition *d = definition_new();
        definition_edit(d, w[i].file, w[i].from, w[i].to);
        definition_compile(d);
        const char *told = definition_told(d);
        if (!told_as_wanted(told, w[i].told))
            fail_msg("%s → %s\n   told: %s\n wanted: %s", w[i].from, w[i].to, told, w[i].told);
        assert_true((d->program == NULL) == (d->diags.errors > 0));
        definition_free(d);
    }
}

static void test_wrong_head(void **state)
{
    /* clang-format off */
    static const struct wrong wrong[] = {
        {WORKFLOW, "workflow: t-2024", "workflow: T 2024",
         "W0100 t/workflow.yaml:1:11 “T 2024” cannot be a workflow's id; up to 64 of a-z, 0-9 and minus: suifenhe-2024"},
        {WORKFLOW, "timezone: Asia/Shanghai", "timezone: Asia/Shangai",
         "W0103 t/workflow.yaml:3:11 there is no time zone “Asia/Shangai”; an IANA name: Asia/Shanghai"},
        {WORKFLOW, "calendar: cn", "calendar: dd",
         "W0001 t/workflow.yaml:4:11 "},
        {WORKFLOW, "2024-01-01/2024-12-31", "2024-12-31/2024-01-01",
         "W0105 t/workflow.yaml:5:12 the span ends before it begins; the earlier day first"},
        {WORKFLOW, "2024-01-01/2024-12-31", "2024",
         "W0105 t/workflow.yaml:5:12 “2024” is no span of dates; two days, both included: 2024-01-01/2024-12-31"},
        {WORKFLOW, "units: units.csv", "units: unit.csv",
         "W0001 t/workflow.yaml:7:8 "},
        {WORKFLOW, "use: [../common/report.yaml, ", "use: [../common/reports.yaml, ../common/report.yaml, ",
         "W0001 t/workflow.yaml:9:7 "},
        {WORKFLOW, "use: [", "use: [../common/duty.yaml, ",
         "W0102 t/workflow.yaml:9:51 ../common/duty.yaml is used twice"},
        {REPORT, "fragment: report", "# nothing",
         "W0106 t/workflow.yaml:9:7 ../common/report.yaml is no fragment; a file that begins with fragment: NAME\n"
         "W0132 t/workflow.yaml:47:14 no machine “report” is declared; duty\n"
         "W0125 t/workflow.yaml:110:15 no event “missed” is declared; did you mean “paused”?\n"
         "W0125 t/workflow.yaml:115:20 no event “missed” is declared; did you mean “paused”?"},
        {WORKFLOW, "issuer: office", "issuer: ofice",
         "W0116 t/workflow.yaml:6:9 no unit has the role “ofice”; did you mean “office”?"},
        {WORKFLOW, "  card:\n", "  9card:\n",
         "W0101 t/workflow.yaml:72:3 “9card” cannot name something under machines:; letters, digits and minus, beginning with a letter"},
        {WORKFLOW, "  warning: {", "  reminder: {title: 提示, level: notice, topic: notifications, basis: 六, to: [unit]}\n  warning: {",
         "W0102 t/workflow.yaml:60:3 “reminder” is declared twice under measures:; another name; the first stands at common/report.yaml:10"},
        {WORKFLOW, "count(taskforce) = 2", "count(taskforce) = 3",
         "W0177 t/workflow.yaml:17:22 this does not hold: 二; on the left is 2, on the right 3"},
    };
    /* clang-format on */
    (void)state;
    check_wrong(wrong, sizeof wrong / sizeof *wrong);
}

static void test_wrong_roster(void **state)
{
    /* clang-format off */
    static const struct wrong wrong[] = {
        {UNITS, "id,name,kind", "id,nam,kind",
         "W0115 t/units.csv:1:1 the column “name” is missing; name\n"
         "W0115 t/units.csv:1:4 the column “nam” means nothing here; did you mean “name”?"},
        {UNITS, "\nsyj,营商局", "\nyhb,营商局",
         "W0111 t/units.csv:3:1 “yhb” stands in line 2 already; ids and aliases of one unit only, or dates that do not overlap"},
        {UNITS, "\nsyj,营商局,organ,bureau,", "\nsyj,营商局,organ,bureau,环办",
         "W0111 t/units.csv:3:1 “环办” stands in line 2 already; ids and aliases of one unit only, or dates that do not overlap"},
        {UNITS, "tf-1,专班一,taskforce,taskforce,,tf-1-l,,2024-01-01,,", "tf-1,专班一,taskforce,taskforce,,tf-1-l,,2024-02-30,,",
         "W0112 t/units.csv:4:39 “2024-02-30” is no date; a date: 2024-03-29"},
        {UNITS, "taskforce,,tf-1-l,,2024-01-01,,", "taskforce,,tf-1-l,,2024-01-01,2023-12-31,",
         "W0112 t/units.csv:4:50 “to” is before “from”; the same day or a later one"},
        {UNITS, "2024-01-01,,\nsyj", "2024-01-01,,u-9\nsyj",
         "W0113 t/units.csv:2:42 there is no unit “u-9”; did you mean “u-1”?"},
        {RELATIONS, "i-1,lead,u-1", "i-1,lead,u-2",
         "W0113 t/relations.csv:2:10 there is no unit “u-2”; the id of a unit of the roster"},
        {RELATIONS, "i-1,lead,u-1,2024-01-01,\n", "i-1,lead,u-1,2024-01-01,\ni-9,lead,u-1,2024-01-01,\n",
         "W0114 t/relations.csv:3:1 nothing is called “i-9”; an id of the roster or a key of a table"},
        {INDICATORS, "i-2,指标二,tf-2", "i-1,指标二,tf-2",
         "W0111 t/indicators.csv:3:1 “i-1” stands twice in the table; each key once, or dates that do not overlap"},
        {INDICATORS, "i-2,指标二,tf-2", "i-2,指标二,tf-9",
         "W0034 t/indicators.csv:3:9 "},
        {INDICATORS, "id,title,taskforce", "id,title,task-force",
         "W0115 t/indicators.csv:1:1 the column “taskforce” is missing; taskforce\n"
         "W0115 t/indicators.csv:1:10 the column “task-force” means nothing here; did you mean “taskforce”?\n"
         "W0114 t/relations.csv:2:1 nothing is called “i-1”; an id of the roster or a key of a table"},
        {CALENDAR, "2024-02-04,work", "2024-02-04,busy",
         "W0104 calendar/cn.csv:3:12 “busy” is no kind of day; off or work"},
        {CALENDAR, "2024-02-04,work", "2024-01-01,work",
         "W0104 calendar/cn.csv:3:1 2024-01-01 stands twice in the calendar; each day once"},
    };
    /* clang-format on */
    (void)state;
    check_wrong(wrong, sizeof wrong / sizeof *wrong);
}

static void test_wrong_params(void **state)
{
    /* clang-format off */
    static const struct wrong wrong[] = {
        {WORKFLOW, "tail: {value: 3, why: 后三位}", "tail: {value: , why: 后三位}",
         "W0121 t/workflow.yaml:11:3 parameter “tail” has no value; one value: 3, 70%, 30d, yes, a date or a word\n"
         "W0044 t/workflow.yaml:34:11 "},
        {WORKFLOW, "limit: params.within", "limit: params.withn",
         "W0181 t/workflow.yaml:13:3 nothing uses the parameter “within”\n"
         "W0120 t/workflow.yaml:68:12 no parameter “withn” is declared; did you mean “within”?"},
        {WORKFLOW, "limit: params.within", "limit: params.tail",
         "W0181 t/workflow.yaml:13:3 nothing uses the parameter “within”\n"
         "W0109 t/workflow.yaml:68:12 “3” (params.tail) is no duration; a length of time: 3d, 2h, 2w, 1mo, 5 workdays"},
        {WORKFLOW, "limit: params.within", "limit: 30 days",
         "W0181 t/workflow.yaml:13:3 nothing uses the parameter “within”\n"
         "W0109 t/workflow.yaml:68:12 “30 days” is no duration; did you mean “30d”?"},
        {WORKFLOW, "limit: params.within", "limit: 20d",
         "W0181 t/workflow.yaml:13:3 nothing uses the parameter “within”"},
    };
    /* clang-format on */
    (void)state;
    check_wrong(wrong, sizeof wrong / sizeof *wrong);
}

static void test_wrong_kinds(void **state)
{
    /* clang-format off */
    static const struct wrong wrong[] = {
        {WORKFLOW, "by: [office]", "by: [offices]",
         "W0116 t/workflow.yaml:20:10 no unit has the role “offices”; did you mean “office”?"},
        {WORKFLOW, "dated: held", "dated: hold",
         "W0122 t/workflow.yaml:21:12 the event has no field “hold”; did you mean “held”?"},
        {WORKFLOW, "dated: held", "dated: kind",
         "W0123 t/workflow.yaml:21:12 “kind” does not say when it happened; a field of type date, instant or period"},
        {WORKFLOW, "event.held > event.received", "event.hold > event.received",
         "W0043 t/workflow.yaml:24:20 "},
        {WORKFLOW, "voice: deadlines", "voice: deadline",
         "W0107 t/workflow.yaml:26:35 “deadline” is no voice; did you mean “deadlines”?"},
        {WORKFLOW, "  rectified: {by", "  ranked: {fields: {subject: text}}\n  rectified: {by",
         "W0102 t/workflow.yaml:25:3 “ranked” means something else after when:; another name\n"
         "W0180 t/workflow.yaml:25:3 nothing handles the event “ranked”; a rule with when:, or an obligation with counts:"},
        {WORKFLOW, "of: indicator\n", "of: indicators\n",
         "W0124 t/workflow.yaml:31:9 “indicators” is no row of a table, no role and not unit; did you mean “indicator”?"},
        {WORKFLOW, "received: by bureau", "received: bureau",
         "W0107 t/workflow.yaml:33:15 “bureau” does not say who publishes it; by ROLE"},
        {WORKFLOW, "no-tail-under: 4", "no-tail-under: four",
         "W0108 t/workflow.yaml:36:20 “four” is no number; a number: 3, 0.5, 70%"},
        {WORKFLOW, "tail: params.tail\n", "tail: low\n",
         "W0181 t/workflow.yaml:11:3 nothing uses the parameter “tail”\n"
         "W0043 t/workflow.yaml:34:11 "},
        {WORKFLOW, "  rectified: {by", "  unheard: {fields: {subject: text}}\n  rectified: {by",
         "W0180 t/workflow.yaml:25:3 nothing handles the event “unheard”; a rule with when:, or an obligation with counts:"},
    };
    /* clang-format on */
    (void)state;
    check_wrong(wrong, sizeof wrong / sizeof *wrong);
}

static void test_wrong_obligations(void **state)
{
    /* clang-format off */
    static const struct wrong wrong[] = {
        {WORKFLOW, "due: day 24", "due: day 32",
         "W0130 t/workflow.yaml:44:10 this is no day of a month; a day from 1 to 31"},
        {WORKFLOW, "due: day 24", "due: the 24th",
         "W0130 t/workflow.yaml:44:10 “the 24th” is not how a due rule is written; did you mean “day 24”?"},
        {WORKFLOW, "due: day 24", "due: day 24 of next month of",
         "W0130 t/workflow.yaml:44:10 this is no day of a period; day N, day N of first month, day N of next month"},
        {WORKFLOW, "period: month\n    at-least", "period: month\n    due: day 3 of next quarter\n    at-least",
         "W0130 t/workflow.yaml:54:10 the next period is of another kind than the obligation's; of next month"},
        {WORKFLOW, "period: month\n    at-least", "period: week\n    due: day 3\n    at-least",
         "W0130 t/workflow.yaml:54:10 a day of the month needs a period of a month or more; last day, or a weekday"},
        {WORKFLOW, "due: day 24", "due: day 24\n    roll: nxt",
         "W0107 t/workflow.yaml:45:11 “nxt” is no roll; did you mean “next”?"},
        {WORKFLOW, "due: day 24", "due: day 24\n    remind: [3d, soon]",
         "W0109 t/workflow.yaml:45:18 “soon” is no duration; a length of time: 3d, 2h, 2w, 1mo, 5 workdays"},
        {WORKFLOW, "due: day 24", "due: day 24\n    from: April",
         "W0105 t/workflow.yaml:45:11 “April” is neither; a period or a day: 2024-03, 2024Q1, 2024-03-29"},
        {WORKFLOW, "due: day 24", "due: day 24\n    from: 2025-01",
         "W0134 t/workflow.yaml:38:3 “progress” never falls due: no quarter begins within its dates; effective, from and until that hold the beginning of a period"},
        {WORKFLOW, "due: day 24", "due: day 1 of first month\n    cutoff: exclusive",
         "W0134 t/workflow.yaml:38:3 “progress” is due at the instant at which its quarter opens: nobody could be in time; a later day, or cutoff: inclusive"},
        {WORKFLOW, "    basis: 三\n", "",
         "W0031 t/workflow.yaml:39:5 "},
        {WORKFLOW, "owed-by: taskforce", "owed-by: [taskforce, lead of nobody]",
         "W0043 t/workflow.yaml:41:34 "},
        {WORKFLOW, "owed-by: taskforce", "owed-by: []",
         "W0133 t/workflow.yaml:41:14 nobody is named; owed-by: a role"},
        {WORKFLOW, "requires: [text]", "requires: {text: yes}",
         "W0032 t/workflow.yaml:46:15 expected a text here; names of fields"},
        {WORKFLOW, "owed-by: taskforce", "owed-by: 3",
         "W0044 t/workflow.yaml:41:14 "},
        {WORKFLOW, "owed-by: taskforce", "owed-by: superior",
         "W0043 t/workflow.yaml:41:14 "},
        {WORKFLOW, "to: office\n    period", "to: offic\n    period",
         "W0116 t/workflow.yaml:42:9 no unit has the role “offic”; did you mean “office”?"},
        {WORKFLOW, "requires: [text]", "requires: [txt]",
         "W0122 t/workflow.yaml:46:16 the obligation has no field “txt”; did you mean “text”?"},
        {WORKFLOW, "machine: report", "machine: reprt",
         "W0132 t/workflow.yaml:47:14 no machine “reprt” is declared; did you mean “report”?"},
        {WORKFLOW, "machine: report", "machine: card",
         "W0132 t/workflow.yaml:47:14 machine “card” is not one of tasks; one of: report, duty"},
        {WORKFLOW, "at-least: 1", "at-least: 0",
         "W0108 t/workflow.yaml:54:15 “0” is out of range; a whole number from 1 to 1000000"},
        {WORKFLOW, "counts: dispatch where", "counts: dispach where",
         "W0180 t/workflow.yaml:19:3 nothing handles the event “dispatch”; a rule with when:, or an obligation with counts:\n"
         "W0125 t/workflow.yaml:55:13 no event “dispach” is declared; did you mean “dispatch”?"},
        {WORKFLOW, "counts: dispatch where event.kind = 甲", "counts: dispatch where event.kind = 丙",
         "W0043 t/workflow.yaml:55:41 "},
        {WORKFLOW, "    at-least: 1\n    counts: dispatch where event.kind = 甲 and event.of has about\n", "",
         "W0180 t/workflow.yaml:19:3 nothing handles the event “dispatch”; a rule with when:, or an obligation with counts:\n"
         "W0131 t/workflow.yaml:48:3 nothing says what counts for “calls”; counts: EVENT where CONDITION"},
        {WORKFLOW, "    requires: [text]\n", "    counts: dispatch\n",
         "W0131 t/workflow.yaml:38:3 its machine hears nothing of what “progress” counts; a machine that hears counted, as duty does"},
    };
    /* clang-format on */
    (void)state;
    check_wrong(wrong, sizeof wrong / sizeof *wrong);
}

static void test_wrong_measures(void **state)
{
    /* clang-format off */
    static const struct wrong wrong[] = {
        {WORKFLOW, "    basis: 五（三）\n    to: [unit, unit.liaison]", "    to: [unit, unit.liaison]",
         "W0140 t/workflow.yaml:61:3 measure yellow has no basis; the article, as printed; or obligation, rule or ledger"},
        {WORKFLOW, "    basis: 五（三）\n    to: [unit, unit.liaison]", "    basis: params.artcle\n    to: [unit, unit.liaison]",
         "W0120 t/workflow.yaml:65:12 no parameter “artcle” is declared; one of: tail, window, within"},
        {WORKFLOW, "limit: params.within", "limit: event.finish-by",
         "W0181 t/workflow.yaml:13:3 nothing uses the parameter “within”\n"
         "W0109 t/workflow.yaml:68:12 a measure serves any rule, and knows no event; limit: case, and {limit: event.finish-by} before the measure where it is issued"},
        {WORKFLOW, "level: yellow", "level: amber",
         "W0107 t/workflow.yaml:63:12 “amber” is no level; one of: notice, reminder, warning, circular, listing, yellow, red, lift, interview, statement, referral, withdrawal"},
        {WORKFLOW, "topic: supervision", "topic: supervisions",
         "W0107 t/workflow.yaml:64:12 “supervisions” is no topic; did you mean “supervision”?"},
        {WORKFLOW, "to: [unit, unit.liaison]", "to: [unit, unit.laison]",
         "W0043 t/workflow.yaml:66:21 "},
        {WORKFLOW, "to: [unit, unit.liaison]", "to: [limit]",
         "W0044 t/workflow.yaml:66:10 "},
        {WORKFLOW, "to: [unit, unit.liaison]", "to: []",
         "W0032 t/workflow.yaml:66:9 the measure goes to nobody; to: [unit]"},
        {WORKFLOW, "copy: [office]", "copy: [ofice]",
         "W0043 t/workflow.yaml:67:12 "},
        {WORKFLOW, "document: slip", "document: slop",
         "W0183 t/workflow.yaml:58:3 no measure carries the document “slip”\n"
         "W0141 t/workflow.yaml:69:15 no document “slop” is declared; did you mean “slip”?"},
        {WORKFLOW, "督〔year〕n号", "督(year)n号",
         "W0142 t/workflow.yaml:58:30 “督(year)n号” is no document number; the issuer's mark, 〔year〕, n: 绥营督〔year〕n号"},
        {WORKFLOW, "title: 督办单,", "title: 督办单, template: slip.html,",
         "W0143 t/workflow.yaml:58:32 there is no template slip.html; a file of the folder templates/, beside this file"},
        {WORKFLOW, "{limit}前整改", "{limits}前整改",
         "W0043 t/workflow.yaml:70:36 "},
        {WORKFLOW, "{limit}前整改", "{limit前整改",
         "W0144 t/workflow.yaml:70:35 a { without its }; {unit.title}, {subject}, {limit} …; every { with its }"},
        {WORKFLOW, "{limit}前整改", "limit}前整改",
         "W0144 t/workflow.yaml:70:40 a } without its {; {unit.title}, {subject}, {limit} …; every { with its }"},
        {WORKFLOW, "[measure: warning]", "[measure: warnin]",
         "W0152 t/workflow.yaml:92:57 no measure “warnin” is declared; did you mean “warning”?"},
        {WORKFLOW, "  warning: {", "  spare: {title: 备, level: notice, topic: notifications, basis: 六, to: [unit]}\n  warning: {",
         "W0182 t/workflow.yaml:60:3 nothing issues the measure “spare”"},
        {WORKFLOW, "  slip: {", "  spare: {title: 备}\n  slip: {",
         "W0183 t/workflow.yaml:58:3 no measure carries the document “spare”"},
    };
    /* clang-format on */
    (void)state;
    check_wrong(wrong, sizeof wrong / sizeof *wrong);
}

static void test_wrong_machines(void **state)
{
    /* clang-format off */
    static const struct wrong wrong[] = {
        {WORKFLOW, "per: [unit, subject]", "per: [unit, subject, unit]",
         "W0102 t/workflow.yaml:75:26 the key part “unit” stands twice"},
        {WORKFLOW, "    per: [unit, subject]\n", "",
         "W0158 t/workflow.yaml:72:3 machine card does not say what it is kept for; per: [unit, subject]\n"
         "W0156 t/workflow.yaml:115:20 nothing says which “unit” of machine ladder the event passed-limit reaches; reach: {passed-limit: {unit: …}}, or a field “unit”"},
        {WORKFLOW, "passed: {type: yes-no, start: no}", "passed: {type: yes-no, start: maybe}",
         "W0034 t/workflow.yaml:82:37 "},
        {WORKFLOW, "told: {type: optional instant}", "low: {type: optional instant}",
         "W0102 t/workflow.yaml:80:7 “low” names two things of this machine; a name that neither the key, nor vars:, counts: or let: has\n"
         "W0045 t/workflow.yaml:91:50 \n"
         "W0153 t/workflow.yaml:99:33 machine card has no variable “told”; one of: passed, low\n"
         "W0153 t/workflow.yaml:103:42 machine card has no variable “told”; one of: passed, low\n"
         "W0043 t/workflow.yaml:106:40 "},
        {WORKFLOW, "{each: ranked,", "{each: rankd,",
         "W0125 t/workflow.yaml:80:19 no event “rankd” is declared; did you mean “ranked”?"},
        {WORKFLOW, "within: params.window", "within: params.within",
         "W0181 t/workflow.yaml:12:3 nothing uses the parameter “window”\n"
         "W0107 t/workflow.yaml:80:50 “30d” (params.within) is no period; one of: day, week, month, quarter, half, year"},
        {WORKFLOW, "mode: cumulative", "mode: cumulativ",
         "W0107 t/workflow.yaml:80:71 “cumulativ” is no way to count; did you mean “cumulative”?"},
        {WORKFLOW, "ranked: {unit: each lead of event.indicator, subject: event.indicator}", "ranked: {unit: each lead of event.indicator}",
         "W0156 t/workflow.yaml:77:7 nothing says which “subject” of machine card the event ranked reaches; reach: {ranked: {subject: …}}, or a field “subject”"},
        {WORKFLOW, "ranked: {unit: each lead of event.indicator,", "ranked: {units: each lead of event.indicator,",
         "W0156 t/workflow.yaml:77:7 nothing says which “unit” of machine card the event ranked reaches; reach: {ranked: {unit: …}}, or a field “unit”\n"
         "W0156 t/workflow.yaml:77:16 “units” is no part of the machine's key; did you mean “unit”?"},
        {WORKFLOW, "subject: event.indicator}", "subject: event.low}",
         "W0044 t/workflow.yaml:77:61 "},
        {WORKFLOW, "fields: {subject: text}}", "fields: {matter: text}}",
         "W0156 t/workflow.yaml:103:20 nothing says which “subject” of machine card the event rectified reaches; reach: {rectified: {subject: …}}, or a field “subject”"},
        {WORKFLOW, "born-by: [ranked]", "born-by: []",
         "W0176 t/workflow.yaml:72:3 nothing creates an instance of machine card; born-by: [EVENT]"},
        {WORKFLOW, "born-by: [ranked]", "born-by: [rankd]",
         "W0125 t/workflow.yaml:78:15 no event “rankd” is declared; did you mean “ranked”?"},
        {WORKFLOW, "    born-by: [ranked]\n", "",
         "W0176 t/workflow.yaml:72:3 nothing creates an instance of machine card; born-by: [EVENT]"},
        {WORKFLOW, "initial: clear", "initial: cleer",
         "W0150 t/workflow.yaml:86:14 machine card has no state “cleer”; did you mean “clear”?"},
        {WORKFLOW, "    initial: clear\n", "",
         "W0160 t/workflow.yaml:72:3 machine card does not say in which state it begins; initial: STATE"},
        {WORKFLOW, "part-of: carded", "part-of: carried",
         "W0150 t/workflow.yaml:95:18 machine card has no group “carried”; did you mean “carded”?"},
        {WORKFLOW, "go: yellow", "go: yelow",
         "W0150 t/workflow.yaml:91:59 machine card has no state “yelow”; did you mean “yellow”?"},
        {WORKFLOW, "when: rectified,", "when: rectifed,",
         "W0180 t/workflow.yaml:25:3 nothing handles the event “rectified”; a rule with when:, or an obligation with counts:\n"
         "W0125 t/workflow.yaml:103:20 no event “rectifed” is declared; did you mean “rectified”?"},
        {WORKFLOW, "if: event.low, do", "if: event.lo, do",
         "W0043 t/workflow.yaml:92:38 "},
        {WORKFLOW, "do: [measure: warning]}", "do: [warning]}",
         "W0154 t/workflow.yaml:92:48 this is no action; set:, clear:, measure:, raise:, timer:, cancel:, limit:, score: or task:"},
        {WORKFLOW, "do: [measure: warning]}", "do: [measures: warning]}",
         "W0154 t/workflow.yaml:92:56 this is no action; set:, clear:, measure:, raise:, timer:, cancel:, limit:, score: or task:"},
        {WORKFLOW, "do: [measure: warning]}", "}",
         "W0155 t/workflow.yaml:92:13 this rule does nothing; go:, do: or refuse:; `do: []` keeps it on record only"},
        {WORKFLOW, "do: [measure: warning]}", "refuse: 不予受理, go: clear}",
         "W0155 t/workflow.yaml:92:61 a rule that refuses does nothing else; refuse: alone, or do: and go:"},
        {WORKFLOW, "{when: timer limit, do: [raise: passed-limit]}", "{when: timer limits, do: [raise: passed-limit]}",
         "W0151 t/workflow.yaml:105:20 no timer “limits” is set here; did you mean “limit”?"},
        {WORKFLOW, "{set: told, to: event.received}", "{set: tld, to: event.received}",
         "W0153 t/workflow.yaml:103:42 machine card has no variable “tld”; did you mean “told”?"},
        {WORKFLOW, "{set: told, to: event.received}", "{set: told}",
         "W0154 t/workflow.yaml:103:42 “told” is no yes-no: what shall it be?; {set: NAME, to: VALUE}"},
        {WORKFLOW, "{set: passed, to: event.pass}", "{set: passed, to: event.subject}",
         "W0044 t/workflow.yaml:104:53 "},
        {WORKFLOW, "clear: [passed, told]", "clear: [passed, tald]",
         "W0153 t/workflow.yaml:99:33 machine card has no variable “tald”; did you mean “told”?"},
        {WORKFLOW, "limit: at limit", "limit: at low",
         "W0044 t/workflow.yaml:101:18 "},
        {WORKFLOW, "if: passed and told is given and risen, go: clear", "do: [set: passed]",
         "W0171 t/workflow.yaml:93:7 nothing leaves state “yellow” of machine card; a rule that goes on, or final: yes\n"
         "W0155 t/workflow.yaml:106:13 a rule for any event that always holds would never end; an if: or a go: that ends it"},
        {WORKFLOW, "do: [raise: passed-limit]", "do: [raise: ranked]",
         "W0157 t/workflow.yaml:105:45 “ranked” comes from outside and cannot be raised; a name of its own\n"
         "W0125 t/workflow.yaml:110:23 no event “passed-limit” is declared; one of: dispatch, rectified, accepted, ranking indicators, ranked, late, missed\n"
         "W0125 t/workflow.yaml:116:20 no event “passed-limit” is declared; one of: dispatch, rectified, accepted, ranking indicators, ranked, late, missed"},
        {WORKFLOW, "do: [raise: passed-limit]", "do: [{raise: dispatch, held: event.held}]",
         "W0046 t/workflow.yaml:105:62 \n"
         "W0125 t/workflow.yaml:110:23 no event “passed-limit” is declared; one of: dispatch, rectified, accepted, ranking indicators, ranked, late, missed\n"
         "W0125 t/workflow.yaml:116:20 no event “passed-limit” is declared; one of: dispatch, rectified, accepted, ranking indicators, ranked, late, missed"},
        {WORKFLOW, "do: [raise: passed-limit]", "do: [{raise: dispatch, hold: 3}]",
         "W0157 t/workflow.yaml:105:56 the event dispatch has no field “hold”; did you mean “held”?\n"
         "W0125 t/workflow.yaml:110:23 no event “passed-limit” is declared; one of: dispatch, rectified, accepted, ranking indicators, ranked, late, missed\n"
         "W0125 t/workflow.yaml:116:20 no event “passed-limit” is declared; one of: dispatch, rectified, accepted, ranking indicators, ranked, late, missed"},
        {WORKFLOW, "{timer: again, at: 3d after now}", "{timer: again, at: low}",
         "W0043 t/workflow.yaml:116:58 "},
        {REPORT, "- {when: submitted, do: []}", "- {when: dispatch, do: []}",
         "W0159 common/report.yaml:63:20 a task does not hear “dispatch”; an obligation's counts: may; submitted, accepted, returned, counted, a correction such as extended, or timer NAME"},
    };
    /* clang-format on */
    (void)state;
    check_wrong(wrong, sizeof wrong / sizeof *wrong);
}

static void test_wrong_lint(void **state)
{
    /* clang-format off */
    static const struct wrong wrong[] = {
        {WORKFLOW, "go: yellow}", "do: []}",
         "W0171 t/workflow.yaml:88:7 nothing leaves state “clear” of machine card; a rule that goes on, or final: yes\n"
         "W0170 t/workflow.yaml:93:7 nothing leads to state “yellow” of machine card; a rule with go: to it"},
        {WORKFLOW, "is given and risen, go: clear}", "is given and risen, do: [measure: warning]}",
         "W0171 t/workflow.yaml:93:7 nothing leaves state “yellow” of machine card; a rule that goes on, or final: yes"},
        {WORKFLOW, "        part-of: carded\n", "        part-of: carded\n        final: yes\n        rules: [{when: ranked, go: clear}]\n",
         "W0172 t/workflow.yaml:97:17 state “yellow” is final, and this rule leaves it; no go:, or a state that is not final"},
        {WORKFLOW, "{when: ranked, if: event.low and low ≥ 2, go: yellow}", "{when: ranked, go: yellow}",
         "W0173 t/workflow.yaml:92:13 this rule is never tried: the one in line 91 always holds; an if: on the earlier rule, or this one first"},
        {WORKFLOW, "          - {when: timer limit, do: [raise: passed-limit]}\n", "          - {when: rectified, if: passed, do: [raise: passed-limit]}\n",
         "W0174 t/workflow.yaml:101:11 no rule of “carded” handles the timer “limit”; a rule with when: timer limit\n"
         "W0173 t/workflow.yaml:105:13 this rule is never tried: the one in line 103 always holds; an if: on the earlier rule, or this one first"},
        {WORKFLOW, "          - {when: timer again, do: []}\n", "",
         "W0174 t/workflow.yaml:116:47 no rule of “ladder” handles the timer “again”; a rule with when: timer again"},
        {WORKFLOW, "do: [{timer: again, at: 3d after now}]}\n          - {when: timer again, do: []}\n", "do: [raise: around]}\n          - {when: around, do: [raise: back]}\n          - {when: back, do: [raise: around]}\n",
         "W0175 t/workflow.yaml:118:38 these events raise one another without end: around → back → around; a timer somewhere in the circle"},
        {WORKFLOW, "do: [{timer: again, at: 3d after now}]}\n          - {when: timer again, do: []}\n", "do: [raise: around]}\n          - {when: around, do: [raise: around]}\n",
         "W0175 t/workflow.yaml:117:40 these events raise one another without end: around → around; a timer somewhere in the circle"},
        {WORKFLOW, "do: [raise: passed-limit]", "do: [raise: passed-limits]",
         "W0180 t/workflow.yaml:105:45 nothing handles the raised event “passed-limits”; a machine with when: of this event\n"
         "W0125 t/workflow.yaml:110:23 no event “passed-limit” is declared; did you mean “passed-limits”?\n"
         "W0125 t/workflow.yaml:116:20 no event “passed-limit” is declared; did you mean “passed-limits”?"},
        {WORKFLOW, "  within: {value: 30d}", "  within: {value: 30d}\n  spare: {value: 1}",
         "W0181 t/workflow.yaml:14:3 nothing uses the parameter “spare”"},
    };
    /* clang-format on */
    (void)state;
    check_wrong(wrong, sizeof wrong / sizeof *wrong);
}

/* Several mistakes at once come all at once, in order of place. */
static void test_all_at_once(void **state)
{
    struct definition *d = definition_new();
    (void)state;

    definition_edit(d, WORKFLOW, "issuer: office", "issuer: ofice");
    definition_edit(d, WORKFLOW, "document: slip", "document: slop");
    definition_edit(d, WORKFLOW, "initial: clear", "initial: cleer");
    definition_edit(d, UNITS, "syj,营商局,organ,bureau,,,,2024-01-01",
                    "syj,营商局,organ,bureau,,,,2024-13-01");
    assert_null(definition_compile(d));
    assert_int_equal(d->diags.errors, 4);
    definition_free(d);
}

static void test_no_workflow(void **state)
{
    struct definition *d = definition_new();
    (void)state;

    d->bundle.root = S("t/other.yaml");
    assert_null(definition_compile(d));
    assert_string_equal(definition_told(d),
                        "W0001 t/other.yaml:0:0 there is no t/other.yaml; a folder with a workflow.yaml");
    definition_free(d);
}

/* Bytes changed, lines lost, doubled or swapped: a program that holds together, or diagnostics; never
 * anything else. */
static void mangle(uint64_t *seed, struct slice *s, struct arena *a)
{
    static const char *const bits[] = {":",     " ",    "{",      "}", "[", "]", ",", "\n",   "\"",
                                       "each ", " of ", "event.", "(", "½", "0", "-", "unit", "any"};
    size_t at = (size_t)random_between(seed, 0, (int64_t)s->n - 1), n = (size_t)random_between(seed, 0, 12);
    const char *bit = bits[random_next(seed) % (sizeof bits / sizeof *bits)];

    if (at + n > s->n)
        n = s->n - at;
    *s = arena_printf(a, "%.*s%s%.*s", (int)at, s->p, random_next(seed) % 3 ? bit : "", (int)(s->n - at - n),
                      s->p + at + n);
}

static void test_mangled(void **state)
{
    uint64_t seed = seed_take();
    int right = 0;
    (void)state;

    for (int i = 0; i < 1500; i++) {
        struct definition *d = definition_new();
        struct err e = {{0}};
        for (int64_t k = random_between(&seed, 1, 3); k > 0; k--)
            mangle(&seed,
                   &d->file[random_next(&seed) % 4 ? WORKFLOW : random_between(&seed, UNITS, DUTY)].content,
                   d->arena);
        const struct program *p = definition_compile(d);
        assert_true((p == NULL) == (d->diags.errors > 0));
        if (p != NULL && !program_check(p, &e))
            fail_msg("%s in\n%.*s", e.text, SLICE_ARG(d->file[WORKFLOW].content));
        right += p != NULL;
        definition_free(d);
    }
    assert_true(right > 0 && right < 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_head),        cmocka_unit_test(test_wrong_roster),
        cmocka_unit_test(test_wrong_params),      cmocka_unit_test(test_wrong_kinds),
        cmocka_unit_test(test_wrong_obligations), cmocka_unit_test(test_wrong_measures),
        cmocka_unit_test(test_wrong_machines),    cmocka_unit_test(test_wrong_lint),
        cmocka_unit_test(test_all_at_once),       cmocka_unit_test(test_no_workflow),
        cmocka_unit_test(test_mangled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
