/* Instances as rows: what expressions make of them, and how many are looked at for it. */
#include "lang_definition.h"

#include "core/step.h"

/* ---- a world in an array, by machine and key, that counts what is looked at */

struct shelf {
    const struct program *p;
    struct instance item[200];
    size_t n, visited;
};

static int shelf_order(const struct instance *i, int machine, const struct slice *key)
{
    int c = (i->machine > machine) - (i->machine < machine);
    for (int k = 0; k < KEY_PARTS_MAX && c == 0; k++)
        c = slice_cmp(i->key[k], key[k]);
    return c;
}

static const struct instance *shelf_find(void *ctx, int machine, const struct slice *key)
{
    struct shelf *s = ctx;
    for (size_t i = 0; i < s->n; i++)
        if (shelf_order(&s->item[i], machine, key) == 0)
            return &s->item[i];
    return NULL;
}

static void shelf_scan(void *ctx, int machine, const struct slice *key, size_t nkey,
                       bool (*visit)(void *arg, const struct instance *i), void *arg)
{
    struct shelf *s = ctx;
    for (size_t i = 0; i < s->n; i++) {
        const struct instance *one = &s->item[i];
        size_t k = 0;
        while (k < nkey && slice_eq(one->key[k], key[k]))
            k++;
        if (one->machine != machine || k < nkey)
            continue;
        s->visited++;
        if (!visit(arg, one))
            return;
    }
}

static struct instance *shelf_put(struct arena *a, struct shelf *s, const char *machine,
                                  const char *const *key)
{
    int m = program_machine(s->p, slice_of(machine));
    struct instance *i = &s->item[s->n++];

    assert_true(m > 0 && s->n <= sizeof s->item / sizeof *s->item);
    *i = (struct instance){.machine = m, .limit = INSTANT_NONE};
    for (size_t k = 0; k < s->p->machines[m].nkey; k++)
        i->key[k] = slice_of(key[k]);
    i->vars = ARENA_ARRAY(a, struct value, s->p->machines[m].nvars + 1);
    i->counts = ARENA_ARRAY(a, struct count, s->p->machines[m].ncounts + 1);
    return i;
}

static int by_key(const void *x, const void *y)
{
    const struct instance *b = y;
    return shelf_order(x, b->machine, b->key);
}

static const char *in(struct arena *a, const char *format, int n)
{
    return arena_printf(a, "%.*s%d", (int)strlen(format), format, n).p;
}

/* 100 cards: each of ten units on each of ten subjects; `low` is the sum of the two numbers. 24 tasks of
 * calls: twelve months, two taskforces, each second one missed; 8 of progress: four quarters, two taskforces,
 * that of tf-2 late. */
static void shelf_fill(struct arena *a, struct shelf *s)
{
    for (int u = 0; u < 10; u++)
        for (int t = 0; t < 10; t++)
            shelf_put(a, s, "card", (const char *[]){in(a, "u-", u), in(a, "i-", t)})->counts[0].n = u + t;
    for (int m = 1; m <= 12; m++)
        for (int t = 1; t <= 2; t++) {
            const char *month = arena_printf(a, "2024-%02d", m).p;
            struct instance *i =
                shelf_put(a, s, "duty", (const char *[]){"calls", month, "yhb", in(a, "tf-", t)});
            i->vars[0] = (struct value){.tag = VALUE_YESNO, .yes = m % 2 == 0};
            i->state = m % 2 == 0 ? 2 : 1;
        }
    for (int q = 1; q <= 4; q++)
        for (int t = 1; t <= 2; t++) {
            struct instance *i = shelf_put(
                a, s, "report", (const char *[]){"progress", in(a, "2024Q", q), in(a, "tf-", t), ""});
            i->vars[0] = (struct value){.tag = VALUE_YESNO, .yes = t == 2};
            i->vars[1] = (struct value){.tag = VALUE_YESNO, .yes = false};
        }
    qsort(s->item, s->n, sizeof *s->item, by_key);
}

/* ---- the value of an expression as a let of the machine card, seen from card/u-3/i-4 */

/* The same, looking at everything: what narrows the search must not change what is found. */
static const struct expr *unnarrowed(struct arena *a, const struct expr *x)
{
    struct expr *copy = ARENA_NEW(a, struct expr);

    *copy = *x;
    if (x->op == EXPR_INSTANCES)
        copy->nargs = 0;
    copy->arg = ARENA_ARRAY(a, const struct expr *, x->nargs + 1);
    for (size_t i = 0; i < copy->nargs; i++)
        copy->arg[i] = x->arg[i] ? unnarrowed(a, x->arg[i]) : NULL;
    return copy;
}

static struct slice value_of(struct shelf *s, struct arena *a, const struct expr *x)
{
    const struct slice key[KEY_PARTS_MAX] = {S("u-3"), S("i-4")};
    const struct instances all = {s, shelf_find, shelf_scan};
    struct eval ev = {.program = s->p,
                      .instances = &all,
                      .instance = shelf_find(s, program_machine(s->p, S("card")), key),
                      .arena = a,
                      .now = tz_instant(s->p->tz, date_from_civil(2024, 8, 1), 0)};
    struct value v;

    s->visited = 0;
    v = expr_eval(&ev, x);
    return slice_of(ev.failed ? ev.failed : v.tag == VALUE_NA ? "n/a" : value_format(a, &v, s->p->tz).p);
}

static const struct expr *let_x(struct definition *d)
{
    const struct machine *m = &d->program->machines[program_machine(d->program, S("card"))];

    for (size_t i = 0; i < m->nlets; i++)
        if (slice_eq(m->lets[i].name, S("x")))
            return m->lets[i].value;
    return NULL;
}

static struct definition *compiled(const char *text)
{
    struct definition *d = definition_new();

    definition_edit(d, WORKFLOW, "    let:\n",
                    arena_printf(d->arena, "    let:\n      x: %.*s\n", (int)strlen(text), text).p);
    d->program = lang_compile(&d->bundle, d->arena, &d->diags);
    return d;
}

static void expect(const char *text, const char *wanted, int visited)
{
    struct definition *d = compiled(text);
    struct shelf *s = ARENA_NEW(d->arena, struct shelf);
    struct err e;

    if (!d->program)
        fail_msg("%s: %s", text, definition_told(d));
    if (!program_check(d->program, &e))
        fail_msg("%s: %s", text, e.text);
    s->p = d->program;
    shelf_fill(d->arena, s);
    struct slice got = value_of(s, d->arena, let_x(d));
    if (!slice_eq(got, slice_of(wanted)) || (visited >= 0 && s->visited != (size_t)visited))
        fail_msg("%s: %.*s after looking at %zu; wanted %s after %d", text, SLICE_ARG(got), s->visited,
                 wanted, visited);
    struct slice all = value_of(s, d->arena, unnarrowed(d->arena, let_x(d)));
    if (!slice_eq(got, all))
        fail_msg("%s: %.*s, but %.*s looking at everything", text, SLICE_ARG(got), SLICE_ARG(all));
    definition_free(d);
}

static void refused(const char *text, const char *told)
{
    struct definition *d = compiled(text);

    assert_null(d->program);
    if (!strstr(definition_told(d), told))
        fail_msg("%s: told: %s\nwanted: %s", text, definition_told(d), told);
    definition_free(d);
}

/* ---- */

static void rows_of_a_machine(void **state)
{
    (void)state;
    expect("count(card)", "100", 100);
    expect("count(card where low ≥ 17)", "3", 100);
    expect("sum(low of card where unit = 「u-9」)", "135", 10);
    expect("max(low of card where subject = this.subject)", "13", 100);
    expect("any(card where low > 18)", "no", 100);
    expect("count(card where state = clear)", "100", 100);
    expect("any(unit of card where low = 18)", "yes", 100);
    expect("count(card where unit = this.unit and low of card[unit, subject] = low)", "10", 10);
}

static void rows_of_all_tasks(void **state)
{
    (void)state;
    expect("count(tasks)", "32", 32);
    expect("count(tasks where missed)", "12", 32);
    expect("count(tasks where late)", "4", 32); /* duty has no such variable: n/a is not counted */
    expect("count(duty where missed)", "12", 24);
    expect("count(tasks where obligation = progress and late)", "4", 8);
    expect("count(tasks where state = unmet)", "12", 32);
    expect("count(tasks where about = 「tf-1」)", "12", 32);
    expect("count(tasks where due < now)", "0", 32);
    expect("mean(done of duty)", "0", 24);
}

static void one_by_its_key(void **state)
{
    (void)state;
    expect("card[unit, subject].low", "7", 0);
    expect("low of card[「u-9」, 「i-9」] ≥ 18", "yes", 0);
    expect("low of card[「u-9」, 「none」]", "n/a", 0);
    expect("card[「u-9」, 「none」] is missing", "yes", 0);
    expect("tasks[progress, 2024Q1, 「tf-2」].late", "yes", 0);
    expect("missed of tasks[calls, previous(2024-03), 「yhb」, 「tf-1」]", "yes", 0);
    expect("state of tasks[calls, 2024-02, 「yhb」, 「tf-1」] = unmet", "yes", 0);
}

static void conditions_narrow_the_search(void **state)
{
    (void)state;
    expect("count(card where unit = this.unit)", "10", 10);
    expect("count(card where low > 8 and this.unit = unit)", "4", 10);
    expect("count(card where unit = this.unit and subject = this.subject)", "1", 1);
    expect("count(card where subject = this.subject)", "10", 100);
    expect("count(card where unit = this.unit or low = 0)", "11",
           100); /* not both of them: nothing to narrow by */
    expect("count(tasks where period = 2024-01)", "2", 2);
    expect("count(tasks where quarter of period = 2024Q1)", "8", 8);
    expect("count(tasks where period in 2024Q1 and unit = 「yhb」)", "6", 6);
    expect("count(tasks where obligation = calls and period = 2024-02 and missed)", "2", 2);
    expect("count(tasks where year of period = 2024)", "32", 32);
    expect("count(tasks where quarter of period = quarter of 2024-05-01 and unit = 「tf-1」)", "1", 1);
    expect("count(card where any(card where unit = this.unit and low > 11))", "100", 1100);
    expect("count(indicators where any(card where unit = this.unit and subject = id))", "2", 2);
}

static void logic_of_three_values(void **state)
{
    (void)state;
    expect("any(duty where told of card[this.unit, this.subject] is given)", "no", -1);
    expect("any(card where told > now)", "n/a", 100); /* told is n/a in all of them */
    expect("any(card where told > now or low = 18)", "yes", 100);
    expect("any(card where told > now and low > 18)", "no", 100);
    expect("count(card where told > now)", "0", 100);
    expect("all(card where told > now)", "n/a", 100);
    expect("all(card where told > now or low < 18)", "n/a", 100);
    expect("count(card where unit = card[「none」, this.subject].unit)", "0", 0); /* of nobody knows whom */
    expect("any(card where unit = card[「none」, this.subject].unit)", "n/a", 0);
    expect("low ÷ (low - 7)", "n/a", 0);
    expect("low ÷ (low - 7) > 1 or yes", "yes", 0);
}

static void membership_of_a_period(void **state)
{
    (void)state;
    expect("count(duty where 2024-02-29 in period)", "2", 24);
    expect("count(tasks where 2024-02-29 in period)", "4", 32);
    expect("count(tasks where now in period)", "4", 32);
    expect("2024-03 in 2024Q1 and 2024-W05 in 2024-01 and 2024 not in 2024Q1", "yes", 0);
}

static void due_days(void **state)
{
    (void)state;
    expect("due-day(progress, 2024Q1)", "2024-03-24", 0);
    expect("due-day(calls, month of 2024-02-11)", "2024-02-29", 0);
    expect("end-of(due-day(progress, 2024Q1))", "2024-03-25 00:00", 0);
    expect("1mo after start-of(2024Q1)", "2024-02-01 00:00", 0);
    expect("end-of(month of now) = start-of(next(month of now))", "yes", 0);
    refused("end-of(now) > now", "this is instant; a date or a period");
    refused("due-day(calls, 2024Q1) = 2024-01-01", "this is quarter; month");
    refused("due-day(cals, 2024-01) = 2024-01-01", "did you mean “calls”");
}

static void rows_are_reached(void **state)
{
    static const struct {
        const char *reach, *told; /* NULL: fine */
    } tried[] = {
        {"      accepted: each card where subject = event.subject\n", NULL},
        {"      accepted: {unit: each unit of card where low > 1}\n", NULL},
        {"      accepted: each ladder where unit = event.unit\n", "W0156"},
        {"      accepted: each tasks\n", "W0156"},
        {"      accepted: lead of event.subject\n", "W0156"},
        {"      accepted: each card where subjekt = event.subject\n", "did you mean “subject”"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        struct definition *d = definition_new();
        struct err e;
        definition_edit(d, WORKFLOW, "    reach:\n",
                        arena_printf(d->arena, "    reach:\n%s", tried[i].reach).p);
        d->program = lang_compile(&d->bundle, d->arena, &d->diags);
        if (!tried[i].told && (!d->program || !program_check(d->program, &e)))
            fail_msg("%s%s", tried[i].reach, definition_told(d));
        if (tried[i].told && !strstr(definition_told(d), tried[i].told))
            fail_msg("%stold: %s", tried[i].reach, definition_told(d));
        definition_free(d);
    }
}

static void what_was_issued(void **state)
{
    struct definition *d = compiled("issued(yellow) or issued(warning to unit) or issued(yellow)");
    (void)state;
    if (!d->program)
        fail_msg("%s", definition_told(d));
    const struct program *p = d->program;
    const struct machine *m = &p->machines[program_machine(p, S("card"))];
    assert_int_equal(m->nissued_marks, 1); /* asked twice, kept once */
    assert_true(name_is_hidden(m->vars[m->issued_marks[0].var].name));
    assert_true(p->machines[p->issued].hidden && name_is_hidden(p->machines[p->issued].name));
    for (size_t i = 0; i < p->nmeasures; i++)
        assert_true(p->measures[i].on_record == slice_eq(p->measures[i].name, S("warning")));
    definition_free(d);
}

static void mistakes(void **state)
{
    (void)state;
    refused("card[unit]", "W0051");
    refused("card[unit, subject, 3]", "W0051");
    refused("card[3, subject]", "W0044");
    refused("crad[unit, subject]", "did you mean “card”");
    refused("low of card[unit, subject] > 「a」", "W0045");
    refused("lou of card[unit, subject]", "did you mean “low”");
    refused("count(tasks where obligation = progres)", "did you mean “progress”");
    refused("count(tasks where obligation = 「progres」)", "none of the words");
    refused("count(card where lwo > 1)", "did you mean “low”");
    refused("issued(yelow)", "did you mean “yellow”");
    refused("issued(yellow to 3)", "a unit");
    refused("issued(yellow,)", "W0041");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_machine),
        cmocka_unit_test(rows_of_all_tasks),
        cmocka_unit_test(one_by_its_key),
        cmocka_unit_test(conditions_narrow_the_search),
        cmocka_unit_test(logic_of_three_values),
        cmocka_unit_test(membership_of_a_period),
        cmocka_unit_test(due_days),
        cmocka_unit_test(rows_are_reached),
        cmocka_unit_test(what_was_issued),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
