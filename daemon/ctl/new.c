/* dubanctl new: a small whole workflow to begin with. */
#include <errno.h>
#include <sys/stat.h>

#include "ctl/ctl.h"

/* The texts: NAME stands for the workflow's id. */
static const struct skeleton {
    const char *path, *text;
} files[] = {
    {"workflow.yaml",
     "# A regime beside its text: each duty and measure says its article. What every key means stands in "
     "workflows/REFERENCE.md;\n"
     "# `dubanctl check NAME` says every mistake at its place, `dubanctl test NAME` plays what stands in "
     "scenarios/.\n"
     "workflow:  NAME\n"
     "title:     NAME\n"
     "timezone:  Asia/Shanghai\n"
     "effective: 2024-01-01/2024-12-31            # tasks of periods that begin within it are owed\n"
     "units:     units.csv                        # who there is, and in which role\n"
     "\n"
     "# The statements of the text, as scenarios cite them; those that ask for nothing stand under `silent` "
     "with the reason.\n"
     "articles: [第二条, 第三条]\n"
     "silent:\n"
     "  第一条: 宗旨，无时限\n"
     "\n"
     "# What the text leaves open is decided here, with the reason.\n"
     "params:\n"
     "  warn-at: {value: 2, why: 第三条：逾期2次}\n"
     "\n"
     "# Who owes what, when.\n"
     "obligations:\n"
     "  monthly:                                  # 第二条: each window reports by the 25th of each month\n"
     "    title:    月报\n"
     "    basis:    第二条\n"
     "    owed-by:  window                        # a role of units.csv: one task for each that holds it\n"
     "    to:       office\n"
     "    period:   month\n"
     "    due:      day 25                        # 24:00 of that day\n"
     "    fields:   {cases: number}\n"
     "    requires: [cases]\n"
     "    machine:  report\n"
     "\n"
     "# What is done to whom.\n"
     "measures:\n"
     "  reminder: {title: 逾期提醒, level: reminder, topic: notifications, basis: obligation, to: [unit]}\n"
     "  warning:\n"
     "    title: 预警\n"
     "    level: warning\n"
     "    topic: warnings\n"
     "    basis: 第三条\n"
     "    to:    [unit]\n"
     "    copy:  [office]\n"
     "\n"
     "machines:\n"
     "  report:                                   # the life of one task\n"
     "    title:   报送\n"
     "    of:      task\n"
     "    initial: open\n"
     "    states:\n"
     "      open:\n"
     "        title:  待报\n"
     "        timers: {overdue: at due}\n"
     "        rules:\n"
     "          - {when: submitted, go: filed}\n"
     "          - {when: timer overdue, go: late}\n"
     "      late:\n"
     "        title: 逾期\n"
     "        enter: [measure: reminder, raise: late]   # the machine below hears it\n"
     "        rules:\n"
     "          - {when: submitted, go: filed}\n"
     "      filed: {title: 已报, final: yes}\n"
     "  conduct:                                  # 第三条: kept for each unit that was ever late\n"
     "    title:   逾期 → 预警\n"
     "    per:     [unit]\n"
     "    born-by: [late]\n"
     "    counts:\n"
     "      lates: {each: late, within: year}\n"
     "    initial: plain\n"
     "    states:\n"
     "      plain:\n"
     "        title: 正常\n"
     "        rules:\n"
     "          - when: late\n"
     "            if:   lates ≥ params.warn-at    # a condition with a comma stands on a line of its own\n"
     "            go:   warned\n"
     "      warned: {title: 已预警, enter: [measure: warning], final: yes}\n"},
    {"units.csv", "id,name,kind,roles,liaison,head,from,to\n"
                  "office,办公室,organ,office,,,2024-01-01,\n"
                  "w-01,窗口一,window,window,,,2024-01-01,\n"
                  "w-02,窗口二,window,window,,,2024-01-01,\n"},
    {"scenarios/late.yaml",
     "scenario: 逾期提醒；一年内两次，予以预警\n"
     "covers: [第二条, 第三条]                     # articles of workflow.yaml\n"
     "at:\n"
     "  - due: {obligation: monthly, year: 2024, tasks: 24}\n"
     "  - 2024-01-25 23:59: {submit: {obligation: monthly, unit: w-01, period: 2024-01, fields: {cases: "
     "12}}}\n"
     "  - until 2024-01-26 00:00:                 # nothing comes in, time runs on\n"
     "      - expect: {measure: reminder, unit: w-02, period: 2024-01, basis: 第二条}\n"
     "      - none: {measure: reminder, unit: w-01}\n"
     "      - none: {measure: warning}            # once is not yet twice\n"
     "  - 2024-01-29 09:00: {submit: {obligation: monthly, unit: w-02, period: 2024-01, fields: {cases: "
     "8}}}\n"
     "  - 2024-02-20 09:00: {submit: {obligation: monthly, unit: w-01, period: 2024-02, fields: {cases: "
     "9}}}\n"
     "  - until 2024-02-26:\n"
     "      - expect: {measure: warning, unit: w-02, basis: 第三条, copy: [office]}\n"
     "  - state: {machine: conduct, unit: w-02, state: warned}\n"},
    {"README.md", "# NAME\n\n"
                  "## Article → where it is\n\n"
                  "| article | where | scenarios |\n|--|--|--|\n"
                  "| 第二条 each window reports by the 25th | obligation `monthly` | late |\n"
                  "| 第三条 a warning after two late ones | machine `conduct` | late |\n\n"
                  "## What the text leaves open\n\n"
                  "| parameter | value | why |\n|--|--|--|\n"
                  "| `warn-at` | 2 | 「逾期2次」 |\n"},
};

static bool id_fits(struct slice id)
{
    bool fits = id.n > 0 && id.n <= 64;
    for (size_t i = 0; i < id.n; i++)
        fits = fits &&
               (id.p[i] == '-' || (id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'z'));
    return fits && id.p[0] >= 'a' && id.p[0] <= 'z';
}

static void write_text(FILE *f, const char *text, struct slice id)
{
    for (const char *at; (at = strstr(text, "NAME")); text = at + 4) {
        fwrite(text, 1, (size_t)(at - text), f);
        fwrite(id.p, 1, id.n, f);
    }
    fputs(text, f);
}

static bool write_file(const struct ctl_call *call, const char *folder, const struct skeleton *s,
                       struct slice id)
{
    const char *path = arena_printf(call->arena, "%s/%s", folder, s->path).p;
    FILE *f = fopen(path, "wx");
    bool ok = f != NULL;
    if (f) {
        write_text(f, s->text, id);
        ok = !ferror(f);
        ok = fclose(f) == 0 && ok;
    }
    if (!ok)
        ctl_fail(call, CTL_COULD_NOT, "%s: %s", path, strerror(errno));
    return ok;
}

static enum ctl_exit run(struct ctl_call *call)
{
    const char *folder = call->argument[0], *slash = strrchr(folder, '/');
    struct slice id = slice_of(slash ? slash + 1 : folder);
    if (!id_fits(id))
        return ctl_fail(call, CTL_USAGE,
                        "'%.*s' is no workflow's id: up to 64 of a-z, 0-9 and minus, a letter first",
                        SLICE_ARG(id));
    if (mkdir(folder, 0777) != 0 || mkdir(arena_printf(call->arena, "%s/scenarios", folder).p, 0777) != 0)
        return ctl_fail(call, CTL_COULD_NOT, "%s: %s", folder, strerror(errno));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!write_file(call, folder, &files[i], id))
            return CTL_COULD_NOT;
    printf("%s: made. `dubanctl check %s` and `dubanctl test %s` pass; change it from there.\n", folder,
           folder, folder);
    return CTL_DONE;
}

const struct ctl_command ctl_new = {
    .name = "new",
    .arguments = "[FOLDER/]NAME",
    .summary = "a commented workflow to begin with, which passes check and test",
    .least = 1,
    .most = 1,
    .one_form = true,
    .run = run,
};
