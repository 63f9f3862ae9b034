/* A small definition that is right, with every construct in it. Each test changes a word of it, so its lines
 * stay where they are. */
#ifndef DUBAND_LANG_DEFINITION_H
#define DUBAND_LANG_DEFINITION_H

#include "lang_support.h"

/* clang-format off */
static const char workflow_text[] = "workflow: t-2024\n"                                                                    /* 1 */
                                    "title: {zh: 试验, en: Trial}\n"
                                    "timezone: Asia/Shanghai\n"
                                    "calendar: cn\n"
                                    "effective: 2024-01-01/2024-12-31\n"                                                   /* 5 */
                                    "issuer: office\n"
                                    "units: units.csv\n"
                                    "relations: relations.csv\n"
                                    "use: [../common/report.yaml, ../common/duty.yaml]\n"
                                    "params:\n"                                                                             /* 10 */
                                    "  tail: {value: 3, why: 后三位}\n"
                                    "  window: {value: year}\n"
                                    "  within: {value: 30d}\n"
                                    "tables:\n"
                                    "  indicators: {file: indicators.csv, row: indicator, key: id, columns: {title: text, taskforce: unit}}\n"
                                    "load-checks:\n"                                                                        /* 16 */
                                    "  - {basis: 二, that: count(taskforce) = 2}\n"
                                    "events:\n"
                                    "  dispatch:\n"
                                    "    by: [office]\n"                                                                    /* 20 */
                                    "    dated: held\n"
                                    "    fields: {held: date, of: set of unit, kind: 甲 | 乙}\n"
                                    "    refuse:\n"
                                    "      - {if: event.held > event.received, say: 日期晚于报送}\n"
                                    "  rectified: {by: [lead], fields: {subject: text}}\n"                                  /* 25 */
                                    "  accepted: {by: [bureau], voice: deadlines, fields: {unit: unit, subject: text, pass: yes-no}}\n"
                                    "rankings:\n"
                                    "  indicators:\n"
                                    "    title: 排名\n"
                                    "    basis: 五\n"                                                                       /* 30 */
                                    "    of: indicator\n"
                                    "    period: quarter\n"
                                    "    received: by bureau\n"
                                    "    tail: params.tail\n"
                                    "    middle: ceil(places ÷ 2)\n"                                                        /* 35 */
                                    "    no-tail-under: 4\n"
                                    "obligations:\n"
                                    "  progress:\n"
                                    "    title: 进展\n"
                                    "    basis: 三\n"                                                                       /* 40 */
                                    "    owed-by: taskforce\n"
                                    "    to: office\n"
                                    "    period: quarter\n"
                                    "    due: day 24\n"
                                    "    fields: {text: text, file: optional attachment}\n"                                 /* 45 */
                                    "    requires: [text]\n"
                                    "    machine: report\n"
                                    "  calls:\n"
                                    "    title: 调度\n"
                                    "    basis: 三（一）\n"                                                                 /* 50 */
                                    "    owed-by: office\n"
                                    "    about: taskforce\n"
                                    "    period: month\n"
                                    "    at-least: 1\n"
                                    "    counts: dispatch where event.kind = 甲 and event.of has about\n"                   /* 55 */
                                    "    machine: duty\n"
                                    "documents:\n"
                                    "  slip: {title: 督办单, number: 督〔year〕n号}\n"
                                    "measures:\n"
                                    "  warning: {title: 预警, level: warning, rung: 1, topic: warnings, basis: 五（一）, to: [unit]}\n" /* 60 */
                                    "  yellow:\n"
                                    "    title: 黄牌\n"
                                    "    level: yellow\n"
                                    "    topic: supervision\n"
                                    "    basis: 五（三）\n"                                                                 /* 65 */
                                    "    to: [unit, unit.liaison]\n"
                                    "    copy: [office]\n"
                                    "    limit: params.within\n"
                                    "    document: slip\n"
                                    "    body: \"{unit.title}：{subject}，{limit}前整改。\"\n"                              /* 70 */
                                    "machines:\n"
                                    "  card:\n"
                                    "    title: 预警到黄牌\n"
                                    "    basis: 五（三）\n"
                                    "    per: [unit, subject]\n"                                                            /* 75 */
                                    "    reach:\n"
                                    "      ranked: {unit: each lead of event.indicator, subject: event.indicator}\n"
                                    "    born-by: [ranked]\n"
                                    "    counts:\n"
                                    "      low: {each: ranked, if: event.low, within: params.window, mode: cumulative}\n"   /* 80 */
                                    "    vars:\n"
                                    "      passed: {type: yes-no, start: no}\n"
                                    "      told: {type: optional instant}\n"
                                    "    let:\n"
                                    "      risen: latest(ranked).rank ≤ latest(ranked).middle\n"                            /* 85 */
                                    "    initial: clear\n"
                                    "    states:\n"
                                    "      clear:\n"
                                    "        title: 正常\n"
                                    "        rules:\n"                                                                      /* 90 */
                                    "          - {when: ranked, if: event.low and low ≥ 2, go: yellow}\n"
                                    "          - {when: ranked, if: event.low, do: [measure: warning]}\n"
                                    "      yellow:\n"
                                    "        title: 黄牌\n"
                                    "        part-of: carded\n"                                                             /* 95 */
                                    "        enter: [measure: yellow]\n"
                                    "    groups:\n"
                                    "      carded:\n"
                                    "        enter: [clear: [passed, told]]\n"
                                    "        timers:\n"                                                                     /* 100 */
                                    "          limit: at limit\n"
                                    "        rules:\n"
                                    "          - {when: rectified, do: [{set: told, to: event.received}]}\n"
                                    "          - {when: accepted, do: [{set: passed, to: event.pass}]}\n"
                                    "          - {when: timer limit, do: [raise: passed-limit]}\n"                          /* 105 */
                                    "          - {when: any, if: passed and told is given and risen, go: clear}\n"
                                    "  ladder:\n"
                                    "    title: 累计\n"
                                    "    per: [unit]\n"
                                    "    born-by: [missed, passed-limit]\n"                                                 /* 110 */
                                    "    states:\n"
                                    "      watch:\n"
                                    "        title: 关注\n"
                                    "        rules:\n"
                                    "          - {when: missed, do: [{measure: warning, basis: 六, to: [unit.head], for: lead of event.unit}]}\n"
                                    "          - {when: passed-limit, do: [{timer: again, at: 3d after now}]}\n"            /* 116 */
                                    "          - {when: timer again, do: []}\n";

/* clang-format on */
static const char units_text[] = "id,name,kind,roles,aliases,liaison,head,from,to,successor\n"
                                 "yhb,优环办,organ,office,优办|环办,,,2024-01-01,,\n"
                                 "syj,营商局,organ,bureau,,,,2024-01-01,,\n"
                                 "tf-1,专班一,taskforce,taskforce,,tf-1-l,,2024-01-01,,\n"
                                 "tf-2,专班二,taskforce,taskforce,,,,2024-01-01,,\n"
                                 "u-1,单位一,organ,lead,,u-1-l,u-1-h,2024-01-01,,\n";
static const char relations_text[] = "subject,relation,unit,from,to\n"
                                     "i-1,lead,u-1,2024-01-01,\n"
                                     "tf-1,lead,u-1,2024-01-01,\n";
static const char indicators_text[] = "id,title,taskforce\n"
                                      "i-1,指标一,tf-1\n"
                                      "i-2,指标二,tf-2\n";
static const char calendar_text[] = "date,kind,name\n2024-01-01,off,元旦\n2024-02-04,work,春节\n";

enum { WORKFLOW, UNITS, RELATIONS, INDICATORS, CALENDAR, REPORT, DUTY, ZONE, FILES };

struct definition {
    struct arena *arena;
    struct bundle bundle;
    struct bundle_file file[FILES];
    struct diags diags;
    struct program *program;
};

static inline struct definition *definition_new(void)
{
    static const char *const path[FILES] = {"t/workflow.yaml",  "t/units.csv",           "t/relations.csv",
                                            "t/indicators.csv", "calendar/cn.csv",       "common/report.yaml",
                                            "common/duty.yaml", "zoneinfo/Asia/Shanghai"};
    struct arena *a = arena_new();
    struct definition *d = ARENA_NEW(a, struct definition);
    const struct slice content[FILES] = {slice_of(workflow_text),
                                         slice_of(units_text),
                                         slice_of(relations_text),
                                         slice_of(indicators_text),
                                         slice_of(calendar_text),
                                         disk_read(a, "workflows/common/report.yaml"),
                                         disk_read(a, "workflows/common/duty.yaml"),
                                         disk_read(a, "/usr/share/zoneinfo/Asia/Shanghai")};

    d->arena = a;
    d->diags.arena = a;
    for (int i = 0; i < FILES; i++)
        d->file[i] = (struct bundle_file){
            .path = slice_of(path[i]), .shown = slice_of(path[i]), .content = arena_dup(a, content[i])};
    d->bundle = (struct bundle){.root = slice_of(path[WORKFLOW]), .files = d->file, .n = FILES};
    return d;
}

static inline void definition_free(struct definition *d)
{
    arena_free(d->arena);
}

/* Replaces the first `from` of a file. */
static inline void definition_edit(struct definition *d, int file, const char *from, const char *to)
{
    struct slice old = d->file[file].content;
    const char *at = memmem(old.p, old.n, from, strlen(from));

    if (at == NULL)
        fail_msg("no “%s” to replace", from);
    d->file[file].content =
        arena_printf(d->arena, "%.*s%s%s", (int)(at - old.p), old.p, to, at + strlen(from));
}

static inline const char *definition_told(struct definition *d)
{
    struct slice all = {"", 0};

    for (size_t i = 0; i < d->diags.n; i++) {
        const struct diag *x = &d->diags.item[i];
        all = arena_printf(d->arena, "%.*s%s%s %.*s:%d:%d %.*s%s%.*s", SLICE_ARG(all), i ? "\n" : "", x->code,
                           SLICE_ARG(x->file), x->line, x->column, SLICE_ARG(x->message),
                           x->expected.n ? "; " : "", SLICE_ARG(x->expected));
    }
    return all.p;
}

static inline struct program *definition_compile(struct definition *d)
{
    d->program = lang_compile(&d->bundle, d->arena, &d->diags);
    return d->program;
}

#endif
