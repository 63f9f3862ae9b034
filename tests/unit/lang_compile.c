/* Whole definitions: what a right one becomes. */
#include "core/due.h"
#include "lang_definition.h"

static struct program *definition_good(struct definition *d)
{
    struct err e = {{0}};

    if (definition_compile(d) == NULL || d->diags.n > 0)
        fail_msg("told: %s", definition_told(d));
    if (!program_check(d->program, &e))
        fail_msg("%s", e.text);
    return d->program;
}

static void test_whole(void **state)
{
    struct definition *d = definition_new();
    const struct program *p = definition_good(d);
    (void)state;

    assert_slice(p->id, "t-2024");
    assert_slice(p->title, "试验");
    assert_int_equal(p->effective.until, date_from_civil(2025, 1, 1));
    assert_int_equal(p->issuer, program_role(p, S("office")));
    assert_int_equal(p->calendar->known_until, date_from_civil(2024, 12, 31));
    assert_int_equal(p->nunits, 5);
    assert_slice(p->units[3].id, "u-1"); /* by id, not by line */
    assert_slice(program_unit(p, S("环办"), date_from_civil(2024, 3, 1))->id, "yhb");
    assert_int_equal(p->nrelation_rows, 2);
    assert_int_equal(p->tables[0].nrows, 2);
    assert_int_equal(p->tables[0].key_column, 2); /* not declared among the columns: put after them */
    assert_int_equal(p->params[2].value.duration.n, 30);
    assert_int_equal(p->machines[0].of, MACHINE_GENERATOR);
    assert_slice(p->machines[0].name, "obligation");
    assert_slice(p->machines[0].timers[0].name, "open");
    definition_free(d);
}

static void test_kinds(void **state)
{
    struct definition *d = definition_new();
    const struct program *p = definition_good(d);
    (void)state;

    /* A declared event may bear a built-in one's name: by name the declared one is found. */
    int accepted = program_kind(p, S("accepted"));
    assert_int_equal(p->kinds[accepted].class_, KIND_CLASS_FACT);
    assert_int_equal(p->kinds[accepted].voice, VOICE_DEADLINES);
    assert_int_equal(p->machines[program_machine(p, S("card"))].groups[0].body.rules[1].kind, accepted);
    const struct machine *report = &p->machines[program_machine(p, S("report"))];
    const struct state *filed = &report->states[machine_state(report, S("filed"))];
    assert_int_equal(filed->body.rules[2].kind, KIND_ACCEPTED);

    const struct kind *entry = &p->kinds[program_kind(p, S("ranked"))];
    assert_int_equal(entry->class_, KIND_CLASS_RANKING_ENTRY);
    assert_int_equal(entry->nfields, RANKED_FIELDS);
    assert_slice(entry->fields[RANKED_SUBJECT].name, "indicator");
    assert_int_equal(entry->nby, 1);
    assert_true(program_kind(p, S("ranking indicators")) >= 0);
    assert_non_null(p->rankings[0].tail);
    assert_non_null(p->rankings[0].middle);

    const struct kind *missed = &p->kinds[program_kind(p, S("missed"))];
    assert_int_equal(missed->class_, KIND_CLASS_RAISED);
    assert_int_equal(missed->nfields, 4);
    assert_slice(missed->fields[0].name, "unit");
    assert_slice(missed->fields[3].name, "period");
    const struct kind *passed = &p->kinds[program_kind(p, S("passed-limit"))];
    assert_int_equal(passed->nfields, 2); /* the card's key */
    assert_slice(passed->fields[1].name, "subject");
    const struct kind *dispatch = &p->kinds[program_kind(p, S("dispatch"))];
    assert_int_equal(dispatch->dated, 0);
    assert_int_equal(dispatch->nrefuse, 1);
    definition_free(d);
}

static void test_obligations(void **state)
{
    struct definition *d = definition_new();
    const struct program *p = definition_good(d);
    const struct obligation *o = &p->obligations[0];
    struct owed *pairs;
    size_t n;
    (void)state;

    assert_int_equal(o->due.kind, DUE_DAY);
    assert_int_equal(o->due.n, 24);
    assert_false(o->due.exclusive);
    assert_int_equal(o->nremind, 2); /* 3d and 1d where nobody says */
    assert_int_equal(o->remind[0].n, 3);
    assert_int_equal(o->missed_after.n, 10);
    assert_true(o->required[0]);
    assert_false(o->required[1]);
    assert_int_equal(o->nto, 1);
    assert_int_equal(p->obligations[1].due.kind, DUE_END);
    assert_int_equal(p->obligations[1].ncounts, 1);
    struct period march = period_of_date(PERIOD_MONTH, date_from_civil(2024, 3, 1));
    due_owed(p, &p->obligations[1], march, tz_instant(p->tz, period_first(march), 0), d->arena, &pairs, &n);
    assert_int_equal(n, 2); /* the office owes one for each taskforce */
    assert_slice(pairs[1].about, "tf-2");
    definition_free(d);
}

static void test_machines(void **state)
{
    struct definition *d = definition_new();
    const struct program *p = definition_good(d);
    const struct machine *card = &p->machines[program_machine(p, S("card"))];
    const struct machine *report = &p->machines[program_machine(p, S("report"))];
    (void)state;

    assert_int_equal(card->nkey, 2);
    assert_int_equal(card->unit_key, 0);
    assert_int_equal(card->nreach, 3); /* ranked, rectified, accepted */
    assert_true(card->reach[0].born);
    assert_false(card->reach[1].born);
    assert_int_equal(card->reach[1].key[0]->op, EXPR_EVENT_META); /* no field unit: the reporter */
    assert_int_equal(card->counts[0].within, PERIOD_YEAR);
    assert_int_equal(card->nlatest, 1);
    assert_int_equal(card->states[1].group, 0);
    assert_int_equal(card->groups[0].body.nenter, 2); /* clear: of two variables */
    assert_int_equal(card->groups[0].body.ntimers, 1);
    assert_int_equal(card->groups[0].body.rules[3].kind, -1);

    /* Timers set alike are one; set otherwise under the same name, another. */
    assert_slice(report->timers[0].name, "remind");
    assert_slice(report->timers[1].name, "overdue");
    assert_slice(report->timers[2].name, "returned.overdue");
    const struct state *returned = &report->states[machine_state(report, S("returned"))];
    assert_int_equal(returned->body.timers[0], 0);
    assert_int_equal(returned->body.timers[1], 2);
    assert_int_equal(returned->body.rules[2].timer, 2);
    assert_int_equal(report->key[TASK_UNIT].type.tag, TYPE_UNIT);

    const struct machine *ladder = &p->machines[program_machine(p, S("ladder"))];
    const struct action *fan = &ladder->states[0].body.rules[0].actions[0];
    assert_int_equal(fan->op, ACTION_MEASURE);
    assert_non_null(fan->value);
    assert_int_equal(fan->nto, 1);
    assert_slice(fan->basis, "六");
    assert_null(ladder->timers[0].when); /* armed by the action only */
    definition_free(d);
}

static void test_measures(void **state)
{
    struct definition *d = definition_new();
    const struct program *p = definition_good(d);
    const struct measure *yellow = NULL, *reminder = NULL;
    (void)state;

    for (size_t i = 0; i < p->nmeasures; i++) {
        if (slice_eq(p->measures[i].name, S("yellow")))
            yellow = &p->measures[i];
        if (slice_eq(p->measures[i].name, S("reminder")))
            reminder = &p->measures[i];
    }
    assert_int_equal(yellow->level, LEVEL_YELLOW);
    assert_int_equal(yellow->topic, TOPIC_OF_SUPERVISION);
    assert_true(yellow->has_limit);
    assert_int_equal(yellow->limit.n, 30);
    assert_int_equal(yellow->nto, 2);
    assert_int_equal(yellow->document, 0);
    assert_int_equal(yellow->body.n, 4);
    assert_slice(yellow->body.part[0].literal, "");
    assert_non_null(yellow->body.part[0].value);
    assert_slice(yellow->body.part[3].literal, "前整改。");
    assert_null(yellow->body.part[3].value);
    assert_slice(p->documents[0].number_prefix, "督");
    assert_slice(p->documents[0].number_suffix, "号");
    assert_true(reminder->basis_of_obligation);
    definition_free(d);
}

/* Due rules, as a regime writes them. */
static void test_due(void **state)
{
    static const struct {
        const char *period, *due;
        enum due_kind kind;
        int n, later;
    } rules[] = {{"month", "last day", DUE_END, 0, 0},
                 {"month", "none", DUE_NONE, 0, 0},
                 {"month", "day 31", DUE_DAY, 31, 0},
                 {"month", "day 5 of next month", DUE_DAY, 5, 1},
                 {"quarter", "day 10 of first month", DUE_FIRST_DAY_N, 10, 0},
                 {"quarter", "day 10 of last month", DUE_DAY, 10, 0},
                 {"quarter", "day 10 of next quarter", DUE_FIRST_DAY_N, 10, 1},
                 {"year", "day 10 of next month", DUE_FIRST_DAY_N, 10, 1},
                 {"week", "Friday", DUE_WEEKDAY, 5, 0},
                 {"month", "周五", DUE_WEEKDAY, 5, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct definition *d = definition_new();
        char edit[64];
        snprintf(edit, sizeof edit, "period: %s\n    due: %s", rules[i].period, rules[i].due);
        definition_edit(d, WORKFLOW, "period: quarter\n    due: day 24", edit);
        const struct due_rule *r = &definition_good(d)->obligations[0].due;
        assert_int_equal(r->kind, rules[i].kind);
        assert_int_equal(r->n, rules[i].n);
        assert_int_equal(r->periods_later, rules[i].later);
        definition_free(d);
    }
}

/* What raises give is typed by what it is given, wherever the raising and the raised one stand. */
static void test_raised_fields(void **state)
{
    struct definition *d = definition_new();
    (void)state;

    definition_edit(d, WORKFLOW, "do: [raise: passed-limit]",
                    "do: [{raise: passed-limit, unit: unit, times: low + 1}]");
    const struct program *p = definition_good(d);
    const struct kind *k = &p->kinds[program_kind(p, S("passed-limit"))];
    assert_int_equal(k->nfields, 2);
    assert_int_equal(k->fields[0].type.tag, TYPE_UNIT);
    assert_int_equal(k->fields[1].type.tag, TYPE_NUMBER);
    definition_free(d);
}

static void test_parameters_stand_in(void **state)
{
    struct definition *d = definition_new();
    (void)state;

    definition_edit(d, WORKFLOW, "window: {value: year}", "window: {value: day 20}");
    definition_edit(d, WORKFLOW, "due: day 24", "due: params.window");
    definition_edit(d, WORKFLOW, "within: params.window", "within: quarter");
    assert_int_equal(definition_good(d)->obligations[0].due.n, 20);
    definition_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),         cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_obligations),   cmocka_unit_test(test_machines),
        cmocka_unit_test(test_measures),      cmocka_unit_test(test_due),
        cmocka_unit_test(test_raised_fields), cmocka_unit_test(test_parameters_stand_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
