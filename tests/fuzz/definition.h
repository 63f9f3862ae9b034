/* A small definition for fuzzers to put their bytes into: one file of it is replaced by what is being tried. */
#ifndef FUZZ_DEFINITION_H
#define FUZZ_DEFINITION_H

#include <stdio.h>
#include <stdlib.h>

#include "engine/simulate.h"

#define FUZZ_DAY ((int64_t)86400000)

static const char fuzz_workflow[] = "workflow: fuzz\n"
                                    "title: 试验\n"
                                    "timezone: UTC\n"
                                    "effective: 2024-01-01/2024-12-31\n"
                                    "units: units.csv\n"
                                    "relations: relations.csv\n"
                                    "tables:\n"
                                    "  things: {file: things.csv, row: thing, key: id, columns: {title: text, points: number}}\n"
                                    "events:\n"
                                    "  said:\n"
                                    "    by: [office, window]\n"
                                    "    dated: held\n"
                                    "    fields:\n"
                                    "      held: optional date\n"
                                    "      of: optional set of unit\n"
                                    "      thing: optional thing\n"
                                    "      points: optional number\n"
                                    "      kind: optional 好 | 差\n"
                                    "      lines: {list of: {item: text, points: number}}\n"
                                    "documents:\n"
                                    "  paper: {title: 文书, number: 试〔year〕n号, issuer: office, template: paper.html}\n"
                                    "measures:\n"
                                    "  note: {title: 提示, level: notice, topic: notifications, basis: 一, to: [unit], document: paper}\n"
                                    "machines:\n"
                                    "  talk:\n"
                                    "    title: 谈\n"
                                    "    per: [unit]\n"
                                    "    born-by: [said]\n"
                                    "    counts:\n"
                                    "      times: {each: said, within: year}\n"
                                    "    vars:\n"
                                    "      last: {type: optional date}\n"
                                    "    initial: open\n"
                                    "    states:\n"
                                    "      open:\n"
                                    "        title: 开\n"
                                    "        rules:\n"
                                    "          - when: said\n"
                                    "            if:   \"%s\"\n"
                                    "            do:   [measure: note]\n"
                                    "            go:   shut\n"
                                    "          - {when: said, do: [{set: last, to: event.held}]}\n"
                                    "      shut: {title: 关, final: yes}\n";
static const char fuzz_units[] = "id,name,kind,roles,liaison,head,from,to\n"
                                 "o,办,organ,office,,o-head,,\n"
                                 "w-1,窗口一,window,window,l-1,h-1,2024-01-01,\n"
                                 "w-2,窗口二,window,window|lead,,,2024-01-01,2024-06-30\n";
static const char fuzz_relations[] = "subject,relation,unit,from,to\na,lead,w-1,,\na,lead,w-2,,\nb,lead,w-2,,\n";
static const char fuzz_things[] = "id,title,points\na,甲,1.5\nb,乙,2\n";

static const char fuzz_paper[] = "<p>{unit}：{title}。</p><ul>{each units by title}<li>{position}{title}</li>{end}</ul>\n";

/* The zone as the machine's tzdata has it: a part of every definition. */
static inline struct slice fuzz_zone(void)
{
    static char text[16384];
    static size_t n;
    FILE *f = n ? NULL : fopen("/usr/share/zoneinfo/UTC", "rb");
    if (f) {
        n = fread(text, 1, sizeof text, f);
        fclose(f);
    }
    return (struct slice){text, n};
}

enum fuzz_file { FUZZ_WORKFLOW, FUZZ_UNITS, FUZZ_RELATIONS, FUZZ_THINGS, FUZZ_FILES };

/* The definition's files, ordered by path; guard stands in the rule's condition. */
static inline struct bundle fuzz_bundle(struct arena *a, const char *guard)
{
    struct bundle b = {.root = S("fuzz/workflow.yaml"), .n = 6};
    int n = snprintf(NULL, 0, fuzz_workflow, guard);
    char *text = arena_alloc(a, (size_t)n + 1);
    snprintf(text, (size_t)n + 1, fuzz_workflow, guard);
    b.files = ARENA_ARRAY(a, struct bundle_file, 6);
    b.files[0] = (struct bundle_file){.path = S("fuzz/relations.csv"), .content = slice_of(fuzz_relations)};
    b.files[1] = (struct bundle_file){.path = S("fuzz/things.csv"), .content = slice_of(fuzz_things)};
    b.files[2] = (struct bundle_file){.path = S("fuzz/units.csv"), .content = slice_of(fuzz_units)};
    b.files[3] = (struct bundle_file){.path = S("fuzz/workflow.yaml"), .content = {text, (size_t)n}};
    b.files[4] = (struct bundle_file){.path = S("fuzz/templates/paper.html"), .content = slice_of(fuzz_paper)};
    b.files[5] = (struct bundle_file){.path = S("zoneinfo/UTC"), .content = fuzz_zone()};
    for (size_t i = 0; i < b.n; i++)
        b.files[i].shown = b.files[i].path;
    return b;
}

/* What the front end promises: a program that step can rely on, or errors that stand somewhere. */
static inline const struct program *fuzz_compile(const struct bundle *b, struct arena *a)
{
    struct diags d = {.arena = a};
    struct err e = {.text = ""};
    const struct program *p = lang_compile(b, a, &d);
    if ((p == NULL) != (d.errors > 0) || (p != NULL && !program_check(p, &e))) {
        fprintf(stderr, "broken promise: %s, %zu errors: %s\n", p ? "a program" : "none", d.errors, e.text);
        abort();
    }
    return p;
}

#endif
