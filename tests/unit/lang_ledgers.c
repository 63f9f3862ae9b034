/* Ledgers, indicators, constants and roster checks: what is said of each mistake, and what a ledger becomes. */
#include "lang_support.h"

static const char workflow[] = "workflow: t\n"
                               "title: 台账\n"
                               "timezone: Asia/Shanghai\n"
                               "effective: 2024-01-01/2024-12-31\n"
                               "units: units.csv\n"
                               "use: [../common/item.yaml]\n"
                               "constants:\n"
                               "  monitored: {value: 近800, basis: 二}\n"
                               "load-checks:\n"
                               "  - {that: constants.monitored = 800}\n"
                               "roster-checks:\n"
                               "  - {each: county, that: liaison is given, else: 未登记联络员}\n"
                               "indicators:\n"
                               "  share: {title: 占比, basis: 二, owed-by: county, period: month, target: ≥ 89%}\n"
                               "events:\n"
                               "  found: {by: office, fields: {unit: unit, matter: text, helpers: set of unit, limit: optional date}}\n"
                               "  moved: {by: office, fields: {unit: unit, matter: text, who: text, day: date}}\n"
                               "  done: {by: office, fields: {unit: unit, matter: text, result: optional text}}\n"
                               "  back: {by: office, fields: {unit: unit, matter: text}}\n"
                               "  seen: {by: office, fields: {matters: set of text}}\n"
                               "measures:\n"
                               "  told: {title: 交办, level: notice, topic: notifications, basis: ledger, to: [unit]}\n"
                               "ledgers:\n"
                               "  list:\n"
                               "    title: 清单\n"
                               "    basis: 三\n"
                               "    key: [unit, matter]\n"
                               "    filed-by: [found, moved]\n"
                               "    closed-by: done\n"
                               "    reopened-by: back\n"
                               "    marks:\n"
                               "      seen: {when: seen, unit: any, where: matter in event.matters}\n"
                               "    on-file: [measure: told]\n"
                               "    life: item\n"
                               "machines:\n"
                               "  heard:\n"
                               "    title: 关注\n"
                               "    per: [unit, indicator]\n"
                               "    born-by: reading\n"
                               "    reach:\n"
                               "      back: each heard where unit = event.unit\n"
                               "    states:\n"
                               "      one:\n"
                               "        title: 一\n"
                               "        rules:\n"
                               "          - {when: reading, do: [limit: 3d after now]}\n"
                               "          - {when: back, do: []}\n";

static const char life[] = "fragment: item\n"
                           "machines:\n"
                           "  item:\n"
                           "    title: 事项\n"
                           "    of: row\n"
                           "    vars: {late: {type: yes-no, start: no}}\n"
                           "    initial: open\n"
                           "    states:\n"
                           "      open:\n"
                           "        title: 办理中\n"
                           "        timers: {limit: at row.limit}\n"
                           "        rules:\n"
                           "          - {when: timer limit, do: [{set: late}]}\n"
                           "          - {when: amended, do: []}\n"
                           "          - when: closing\n"
                           "            if: event.result is given\n"
                           "            go: closed\n"
                           "          - {when: closing, refuse: 没有结果}\n"
                           "      closed:\n"
                           "        title: 已销号\n"
                           "        rules:\n"
                           "          - {when: reopened, go: open}\n";

static const char units[] = "id,name,roles,liaison,from,to\n"
                            "o,办,office,,2024-01-01,\n"
                            "c,县,county,c-l,2024-01-01,\n";

struct definition {
    struct bench *bench;
    struct bundle_file files[4];
    struct bundle bundle;
    const struct program *program;
};

/* The workflow with the first `from` of the workflow, else of the life or the units, made `to`. */
static struct definition *definition_make(struct bench *b, const char *from, const char *to)
{
    struct definition *d = ARENA_NEW(b->arena, struct definition);
    static const char *const path[] = {"common/item.yaml", "t/units.csv", "t/workflow.yaml"};
    const char *const content[] = {life, units, workflow};
    bool edited = from == NULL;
    d->bench = b;
    for (int i = 2; i >= 0; i--) {
        struct slice s = slice_of(content[i]);
        const char *at = edited ? NULL : strstr(content[i], from);
        if (at) {
            edited = true;
            s = arena_printf(b->arena, "%.*s%s%s", (int)(at - content[i]), content[i], to, at + strlen(from));
        }
        d->files[i] = (struct bundle_file){slice_of(path[i]), slice_of(path[i]), s};
    }
    assert_true(edited);
    d->files[3] = (struct bundle_file){S("zoneinfo/Asia/Shanghai"), S("zoneinfo/Asia/Shanghai"),
                                       disk_read(b->arena, "/usr/share/zoneinfo/Asia/Shanghai")};
    d->bundle = (struct bundle){.root = S("t/workflow.yaml"), .files = d->files, .n = 4};
    return d;
}

static struct definition *definition(const char *from, const char *to)
{
    struct bench *b = bench_new("t/workflow.yaml", slice_of(workflow));
    struct definition *d = definition_make(b, from, to);
    d->program = lang_compile(&d->bundle, b->arena, &b->diags);
    return d;
}

static const struct machine *machine_called(const struct program *p, const char *name)
{
    int i = program_machine(p, slice_of(name));
    assert_true(i > 0);
    return &p->machines[i];
}

static int var_called(const struct machine *m, const char *name)
{
    for (size_t i = 0; i < m->nvars; i++)
        if (slice_eq(m->vars[i].name, slice_of(name)))
            return (int)i;
    return -1;
}

static void test_shape(void **state)
{
    struct definition *d = definition(NULL, NULL);
    struct err e;
    (void)state;
    assert_told(d->bench, "");
    assert_non_null(d->program);
    assert_true(program_check(d->program, &e));
    const struct machine *m = machine_called(d->program, "list");
    static const char *const names[] = {"late", "helpers", "who", "day", "version", "seen", "closed", "result"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(var_called(m, names[i]) >= 0);
    assert_int_equal(m->nvars, sizeof names / sizeof *names); /* `limit` is the row's own, matter and unit its key */
    assert_true(slice_eq(m->ledger, S("清单")));
    assert_int_equal(m->nstates, 2);
    assert_int_equal(m->states[m->initial].body.nrules, 1 + 2 + 1 + 1 + 2); /* timer, amended twice, closing, told twice */
    const struct machine *r = machine_called(d->program, "reading");
    assert_ptr_equal(r, &d->program->machines[d->program->readings]);
    assert_int_equal(r->key[0].type.tag, TYPE_ENUM);
    assert_int_equal(r->ledger.n, 0);
    assert_true(d->program->constants[0].approximate);
    bench_free(d->bench);
}

/* What a ledger has no event for is left out of its life: the states behind it, too. */
static void test_pruned(void **state)
{
    struct definition *d = definition("    closed-by: done\n    reopened-by: back\n", "");
    (void)state;
    assert_non_null(d->program);
    const struct machine *m = machine_called(d->program, "list");
    assert_int_equal(m->nstates, 1);
    assert_false(m->states[0].final);
    bench_free(d->bench);

    d = definition("    reopened-by: back\n", "");
    assert_non_null(d->program);
    m = machine_called(d->program, "list");
    assert_int_equal(m->nstates, 2);
    assert_true(m->states[1].final);
    bench_free(d->bench);
}

static const struct {
    const char *from, *to, *told;
} wrong[] = {
    {"life: item", "life: heard",
     "W0200 34:11+5 the machine “heard” is not one of rows: it has no `of: row`"},
    {"filed-by: [found, moved]", "filed-by: []", "W0180 16:3+5 nothing handles the event “found”; a rule with when:, or an "
     "obligation with counts:\nW0180 17:3+5 nothing handles the event “moved”"},
    {"    filed-by: [found, moved]\n", "", "W0180 16:3+5 "},
    {"filed-by: [found, moved]", "filed-by: [found, movd]", "W0180 17:3+5 nothing handles the event “moved”"},
    {"closed-by: done", "closed-by: submitted", "W0180 18:3+4 nothing handles the event “done”; a rule with when:, or an obligation with counts:\n"
     "W0156 29:16+9 nothing says which “matter” of ledger list"},
    {"who: text, day", "helpers: text, day", "W0202 28:23+5 “helpers” is text here, and set of unit in another; one type"},
    {"limit: optional date", "limit: optional text",
     "W0204 28:16+5 the limit of a row cannot be text, as this event's field “limit” is; a date"},
    {"    life: item", "    limit: event.day\n    life: item", "W0043 34:18+3 an event of kind found has no field “day”"},
    {"    life: item", "    unit: matter\n    life: item", "W0044 34:11+6 this is text; a unit or a set of them"},
    {"    life: item", "    states: {open: {title: 始}}\n    life: item",
     "W0170 19:7+6 nothing leads to state “closed” of machine list; a rule with go: to it\n"
     "W0102 34:14+4 the life item has “open”, too; another name"},
    {"      seen: {when", "      late: {when", "W0202 32:7+4 a row of the ledger “list” has two things called “late”"},
    {"{when: seen, unit: any, where: matter in event.matters}", "{when: seen, who: any}",
     "W0156 32:20+4 nothing says which “matter” of ledger list the event seen reaches"},
    {"{when: seen, unit: any, where: matter in event.matters}", "seen where matter in event.matter",
     "W0043 32:40+6 an event of kind seen has no field “matter”; did you mean “matters”?"},
    {"{when: seen, unit: any, where: matter in event.matters}", "{when: seen, unit: any, wher: yes, matter: event.matters}",
     "W0156 32:37+4 “wher” is neither when, where, for nor a part of the ledger's key"},
    {"filed-by: [found, moved]", "filed-by: [found, {when: moved, for: event.who}]", "W0044 28:42+9 this is text; a set or a list"},
    {"filed-by: [found, moved]", "filed-by: [found, {when: moved, matter: late}]",
     "W0043 28:45+4 nothing here has the name “late”"},
    {"filed-by: [found, moved]", "filed-by: [found, {when: moved, unit: any}]", "W0043 28:43+3 nothing here has the name “any”"},
    {"closed-by: done", "closed-by: back",
     "W0180 18:3+4 nothing handles the event “done”; a rule with when:, or an obligation with counts:\n"
     "W0203 34:11+4 the life item (common/item.yaml:16): an event of kind back has no field “result”"},
    {"at row.limit", "at row.deadline", "W0203 34:11+4 the life item (common/item.yaml:11): this instance has no “deadline”"},
    {"title: 办理中\n", "titel: 办理中\n", "W0030 10:9+5 “titel” is not a key of state open; did you mean “title”?\nW0031 10:9+1 state open has no “title”"},
    {"limit: 3d after now", "limit: 3d", "W0044 46:41+2 a limit cannot be duration; a date or an instant"},
    {"≥ 89%", "89%", "W0206 14:72+3 “89%” is no target; a sign and a number"},
    {"近800, basis", "近800, approximate: no, basis", "W0034 8:41+2 “近800” says itself that it is only roughly so"},
    {"constants.monitored =", "constants.monitord =", "W0043 10:22+8 there is no constant “monitord”; did you mean “monitored”?"},
    {"each: county, that", "each: conty, that", "W0116 12:12+5 no unit has the role “conty”; did you mean “county”?"},
    {"liaison is given, else", "liason is given, else", "W0043 12:26+6 nothing here has the name “liason”"},
    {"县,county,c-l", "县,county,", "W0207 3:1+1 未登记联络员: c 县"},
    {"  heard:\n", "  reading:\n", "W0102 36:3+7 “reading” is the machine that keeps the readings of indicators"},
    {"  heard:\n", "  list:\n",
     "W0180 16:3+5 nothing handles the event “found”; a rule with when:, or an obligation with counts:\n"
     "W0180 17:3+5 nothing handles the event “moved”; a rule with when:, or an obligation with counts:\n"
     "W0180 18:3+4 nothing handles the event “done”; a rule with when:, or an obligation with counts:\n"
     "W0180 20:3+4 nothing handles the event “seen”; a rule with when:, or an obligation with counts:\n"
     "W0182 22:3+4 nothing issues the measure “told”\n"
     "W0102 24:3+4 “list” is a machine already; another name"},
};

static void test_mistakes(void **state)
{
    int failed = 0;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct definition *d = definition(wrong[i].from, wrong[i].to);
        const char *told = bench_told(d->bench);
        if (strncmp(told, wrong[i].told, strlen(wrong[i].told)) != 0) {
            print_error("%s → %s\n   told: %s\n wanted: %s\n", wrong[i].from, wrong[i].to, told, wrong[i].told);
            failed++;
        }
        assert_true((d->program == NULL) == (d->bench->diags.errors > 0));
        bench_free(d->bench);
    }
    assert_int_equal(failed, 0);
}

/* ---- whatever else is written: a program that holds together, or diagnostics */

static struct slice mangle(uint64_t *seed, struct arena *a, struct slice s)
{
    char *copy = arena_alloc(a, s.n + 1);
    size_t at = (size_t)random_between(seed, 0, (int64_t)s.n - 1), n = 0;
    memcpy(copy, s.p, s.n);
    switch (random_next(seed) % 3) {
    case 0: /* a byte changed */
        copy[at] = (char)random_between(seed, 32, 126);
        return (struct slice){copy, s.n};
    case 1: /* a line, or what is left of it, lost */
        while (at + n < s.n && s.p[at + n] != '\n')
            n++;
        memmove(copy + at, copy + at + n, s.n - at - n);
        return (struct slice){copy, s.n - n};
    default: /* one word put in another's place */
        for (n = 0; n < 6 && at + n < s.n && at > 40; n++)
            if (s.p[at + n - 40] != '\n' && s.p[at + n] != '\n')
                copy[at + n] = s.p[at + n - 40];
        return (struct slice){copy, s.n};
    }
}

static void test_mangled(void **state)
{
    uint64_t seed = seed_take();
    int right = 0;
    (void)state;
    for (int i = 0; i < 1500; i++) {
        struct bench *b = bench_new("t/workflow.yaml", slice_of(workflow));
        struct definition *d = definition_make(b, NULL, NULL);
        struct err e;
        for (int64_t k = random_between(&seed, 1, 3); k > 0; k--) {
            struct bundle_file *f = &d->files[random_next(&seed) % 4 ? 2 : 0];
            f->content = mangle(&seed, b->arena, f->content);
        }
        d->program = lang_compile(&d->bundle, b->arena, &b->diags);
        assert_true((d->program == NULL) == (b->diags.errors > 0));
        if (d->program && !program_check(d->program, &e))
            fail_msg("%s in\n%.*s", e.text, SLICE_ARG(d->files[2].content));
        right += d->program != NULL;
        bench_free(b);
    }
    assert_true(right > 0 && right < 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_pruned),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_mangled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
