/* Expressions printed again read as their author wrote them; and what is printed compiles to what prints the
 * same. */
#include "core/expr_print.h"
#include "lang_folder.h"

/* ---- where an expression can stand, and what it became */

static const struct expr *condition(struct program *p, struct expr_names *n)
{
    const struct obligation *o = &p->obligations[program_obligation(p, S("duty-list"))];
    n->machine = &p->machines[o->machine];
    return o->only_if;
}

static const struct expr *refusal(struct program *p, struct expr_names *n)
{
    n->kind = program_kind(p, S("found"));
    return p->kinds[n->kind].refuse[0].if_;
}

static const struct expr *let(struct program *p, struct expr_names *n)
{
    n->machine = &p->machines[program_machine(p, S("quarter"))];
    for (size_t i = 0; i < n->machine->nlets; i++)
        if (slice_eq(n->machine->lets[i].name, S("counts")))
            return n->machine->lets[i].value;
    fail_msg("no let");
    return NULL;
}

static const struct expr *guard(struct program *p, struct expr_names *n)
{
    n->machine = &p->machines[program_machine(p, S("appeal"))];
    const struct rule *r = &n->machine->states[0].body.rules[0];
    n->kind = r->kind;
    return r->if_;
}

static const struct expr *points(struct program *p, struct expr_names *n)
{
    const struct tally *t = &p->tallies[0];
    n->machine = &p->machines[t->machine];
    return t->items[0].value;
}

static const struct slot {
    const char *folder, *from, *to; /* to: with the expression in place of %s */
    const struct expr *(*at)(struct program *p, struct expr_names *n);
} if_owed = {"births", "    only-if: count(lead of unit) > 1\n", "    only-if: \"%s\"\n", condition},
  refused =
      {"births", "    fields: {unit: unit, item: item, limit: date}\n",
       "    fields: {unit: unit, item: item, limit: date}\n    refuse:\n      - {if: \"%s\", say: 不}\n",
       refusal},
  named = {"instances", "      counts: lates - upheld\n", "      counts: \"%s\"\n", let},
  ruled = {"instances", "          - {when: appeal, do: [{set: month, to: event.month}]}\n",
           "          - {when: appeal, if: \"%s\", do: [{set: month, to: event.month}]}\n", guard},
  scored = {"tally", "        value: if N = 0 then params.none-listed else 40 × k ÷ N\n",
            "        value: \"%s\"\n", points};

/* ---- */

static struct slice printed(struct arena *a, const struct slot *s, const char *text)
{
    struct folder *f = folder_new(s->folder);
    char to[600];
    assert_true(strlen(s->to) + strlen(text) < sizeof to);
    const char *at = strstr(s->to, "%s");
    snprintf(to, sizeof to, "%.*s%s%s", (int)(at - s->to), s->to, text, at + 2);
    if (!folder_compile(f, s->from, to))
        return arena_printf(a, "%s", folder_told(f));
    struct expr_names names = {.program = f->program, .kind = -1};
    const struct expr *x = s->at(f->program, &names);
    struct slice out = arena_dup(a, expr_print(a, &names, x));
    folder_free(f);
    return out;
}

static void what_is_printed_is_what_was_written(void **state)
{
    /* clang-format off */
    static const struct {
        const struct slot *slot;
        const char *text, *wanted; /* wanted NULL: the same */
    } written[] = {
        {&if_owed, "count(lead of unit) > 1", NULL},
        {&if_owed, "any(items where class = 优秀 and taskforce = this.unit)", "any(items where class = 优秀 and taskforce = unit)"},
        {&if_owed, "all(items where class = 优秀 or title is missing)", NULL},
        {&if_owed, "unit in taskforce", NULL},
        {&if_owed, "unit not in taskforce", NULL},
        {&if_owed, "not (unit in taskforce or unit in bureau)", NULL},
        {&if_owed, "about is item and about is given", NULL},
        {&if_owed, "about is not item", NULL},
        {&if_owed, "(1 + 2) × 3 = 9 and 1 + 2 × 3 ≠ 9", NULL},
        {&if_owed, "8 - (4 - 2) < 8 ÷ (4 ÷ 2)", NULL},
        {&if_owed, "obligation.to has unit", "unit in obligation.to"},
        {&if_owed, "1d after due ≤ 2 workdays before now", NULL},
        {&if_owed, "period = year of now", NULL},
        {&if_owed, "min(count(items), 3) ≥ round(2.5, 1)", NULL},
        {&refused, "taskforce of event.item = event.unit", NULL},
        {&if_owed, "liaison of unit is given", "unit.liaison is given"},
        {&if_owed, "unit.title = 「督查室」", NULL},
        {&if_owed, "obligation.remind is given", NULL},
        {&if_owed, "count(units where kind = 「organ」) > 0", NULL},
        {&if_owed, "-1 < 0", NULL},
        {&refused, "event.limit < event.received", NULL},
        {&refused, "event.by not in office", NULL},
        {&refused, "class of event.item in [优秀, 一般]", NULL},
        {&refused, "any(items where id = event.item and any(units where id = taskforce))", NULL},
        {&named, "lates - upheld", NULL},
        {&named, "count(tasks where unit = this.unit and late)", NULL},
        {&named, "if lates > 2 then lates else 0 - upheld", NULL},
        {&named, "count(appeal where upheld) + lates", NULL},
        {&named, "(if lates > 2 then 1 else 2) × params.circular-at", NULL},
        {&ruled, "event.month = month of now", NULL},
        {&ruled, "event.received > due-day(monthly, event.month)", NULL},
        {&ruled, "event.received > end-of(event.month)", NULL},
        {&ruled, "tasks[monthly, previous(event.month), event.by].late", NULL},
        {&ruled, "latest(appeal).month = next(event.month) or latest(appeal).received is missing", NULL},
        {&ruled, "upheld or month is given", NULL},
        {&scored, "sum(points of entries) + count(entries)", NULL},
        {&scored, "mean(points of entries where item = 「work」)", NULL},
        {&scored, "count(item of entries)", NULL},
        {&scored, "if 「work」 in item of entries then 1 else 0", NULL},
        {&scored, "count(listed where unit = this.unit and month = this.period and not done) + N",
         "count(listed where unit = this.unit and month = period and not done) + N"},
        {&scored, "count(tasks where period = this.period and late and state ≠ done)", NULL},
        {&scored, "ceil(k ÷ 3) + floor(k ÷ 3)", NULL},
        {&scored, "max(1, 2, count(entries where reason is given))", NULL},
    };
    /* clang-format on */
    struct arena *a = arena_new();
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        const char *wanted = written[i].wanted ? written[i].wanted : written[i].text;
        struct slice once = printed(a, written[i].slot, written[i].text);
        if (!slice_eq(once, slice_of(wanted)))
            print_message("wanted %s\n   was %.*s\n", wanted, SLICE_ARG(once)), wrong++;
    }
    arena_free(a);
    assert_int_equal(wrong, 0);
}

/* Names that nobody can tell print by position. */
static void without_names_positions_stand(void **state)
{
    static const struct {
        struct expr x;
        const char *wanted;
    } bare[] = {
        {{.op = EXPR_KEY, .index = 1}, "key part 2"},    {{.op = EXPR_VAR}, "variable 1"},
        {{.op = EXPR_COUNT, .index = 2}, "count 3"},     {{.op = EXPR_LET}, "let 1"},
        {{.op = EXPR_EVENT, .index = 3}, "event.4"},     {{.op = EXPR_LATEST}, "latest(…)"},
        {{.op = EXPR_ROW_FIELD, .index = 4}, "field 5"}, {{.op = EXPR_ROW}, "it"},
    };
    static const struct expr key = {.op = EXPR_KEY}, *arg[] = {&key};
    const struct expr member = {.op = EXPR_FIELD, .index = 1, .arg = arg, .nargs = 1};
    struct arena *a = arena_new();
    const struct program nothing = {0};
    const struct expr_names names = {.program = &nothing, .kind = -1};
    (void)state;
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        assert_slice(expr_print(a, &names, &bare[i].x), bare[i].wanted);
    assert_slice(expr_print(a, &names, &member), "key part 1.2");
    assert_slice(expr_print(a, &names, NULL), "");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_printed_is_what_was_written),
                                       cmocka_unit_test(without_names_positions_stand)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
