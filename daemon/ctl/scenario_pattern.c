/* The maps of a scenario's checks: every key and every name in them is known, so that no slip makes a `none:`
 * hold for nothing. */
#include "ctl/scenario_grammar.h"
#include "ctl/scenario.h"
#include "ctl/when.h"
#include "lang/compile.h"
#include "lang/diag.h"

/* Names that a value may be, for "did you mean". */
struct names {
    struct slice *item;
    size_t n, cap;
};

static void add_name(struct scenario_reader *r, struct names *names, struct slice name)
{
    *(struct slice *)arena_push(r->arena, &names->item, &names->n, &names->cap, sizeof *names->item) = name;
}

/* True if v is one of the names; else a diagnostic says that it is no `what`. */
static bool known(struct scenario_reader *r, const struct yaml *v, const struct names *names,
                  const char *code, const char *what)
{
    for (size_t i = 0; i < names->n; i++)
        if (slice_eq(names->item[i], v->text))
            return true;
    struct slice near = nearest_name(v->text, names->item, names->n);
    const char *expected = near.n ? arena_printf(r->arena, "did you mean “%.*s”?", SLICE_ARG(near)).p : NULL;
    yaml_diag(r->diags, SEVERITY_ERROR, code, v, expected, "“%.*s” is not %s", SLICE_ARG(v->text), what);
    return false;
}

/* ---- values of one key */

static void check_measure(struct scenario_reader *r, const struct yaml *v)
{
    struct names names = {0};
    for (size_t i = 0; i < r->p->nmeasures; i++)
        add_name(r, &names, r->p->measures[i].name);
    known(r, v, &names, DIAG_MEASURE_UNKNOWN, "a measure of this workflow");
}

static void check_obligation(struct scenario_reader *r, const struct yaml *v)
{
    struct names names = {0};
    for (size_t i = 0; i < r->p->nobligations; i++)
        add_name(r, &names, r->p->obligations[i].name);
    known(r, v, &names, DIAG_VALUE, "an obligation of this workflow");
}

static void check_unit(struct scenario_reader *r, const struct yaml *v)
{
    struct names names = {0};
    for (size_t i = 0; i < r->p->nunits; i++)
        add_name(r, &names, r->p->units[i].id);
    known(r, v, &names, DIAG_ROSTER_UNIT, "the id of a unit of the roster");
}

static void check_period(struct scenario_reader *r, const struct yaml *v)
{
    struct period p;
    if (!period_parse(v->text, &p))
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_VALUE, v, "2024-03, 2024Q1, 2024H1, 2024 …",
                  "“%.*s” is no period", SLICE_ARG(v->text));
}

static void check_when(struct scenario_reader *r, const struct yaml *v)
{
    instant_t t;
    if (!when_parse(v->text, r->p->tz, &t))
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_VALUE, v, "the limit's last day, or a time",
                  "“%.*s” is no time", SLICE_ARG(v->text));
}

static void check_number(struct scenario_reader *r, const struct yaml *v)
{
    uint64_t n;
    if (!parse_u64(v->text, &n))
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_NUMBER, v, "a whole number", "“%.*s” is none",
                  SLICE_ARG(v->text));
}

static void check_level(struct scenario_reader *r, const struct yaml *v)
{
    static const char *const level[] = {"notice",    "reminder",  "warning",  "circular",
                                        "listing",   "yellow",    "red",      "lift",
                                        "interview", "statement", "referral", "withdrawal"};
    struct names names = {0};
    for (size_t i = 0; i < sizeof level / sizeof *level; i++)
        add_name(r, &names, slice_of(level[i]));
    known(r, v, &names, DIAG_WORD, "a level of measures");
}

/* ---- which keys a check may have */

static const struct key_def issued_keys[] = {
    {"measure", YAML_SCALAR, false, "measure name", NULL, "its name"},
    {"unit", YAML_SCALAR, false, "unit", NULL, "its unit"},
    {"subject", YAML_SCALAR, false, "text", NULL, "its subject"},
    {"about", YAML_SCALAR, false, "text", NULL, "what the task is about"},
    {"obligation", YAML_SCALAR, false, "obligation name", NULL, "its obligation"},
    {"period", YAML_SCALAR, false, "period", NULL, "its period"},
    {"basis", YAML_SCALAR, false, "text", NULL, "its article"},
    {"level", YAML_SCALAR, false, "level", NULL, "its level"},
    {"limit", YAML_SCALAR, false, "limit day", NULL, "its last day, or the instant"},
    {"to", YAML_LIST, false, "list of text", NULL, "the whole list"},
    {"copy", YAML_LIST, false, "list of text", NULL, "the whole list"},
    {"document", YAML_SCALAR, false, "text", NULL, "the document's title"},
    {"number", YAML_SCALAR, false, "text", NULL, "the document's number"},
};
const struct key_table scenario_issued_table = KEY_TABLE(issued_keys);
static const struct key_def rejected_keys[] = {
    {"because", YAML_SCALAR, true, "text", NULL, "stands in one of the reasons"},
};
const struct key_table scenario_rejected_table = KEY_TABLE(rejected_keys);
static const struct key_def warned_keys[] = {
    {"warns", YAML_SCALAR, true, "text", NULL, "stands in a warning of `dubanctl check`"},
    {"unit", YAML_SCALAR, false, "unit", NULL, "stands in it, too"},
};
const struct key_table scenario_warned_table = KEY_TABLE(warned_keys);
static const struct key_def due_keys[] = {
    {"obligation", YAML_SCALAR, true, "obligation name", NULL, "whose tasks are counted"},
    {"year", YAML_SCALAR, false, "period", NULL, "those that begin in it"},
    {"period", YAML_SCALAR, false, "period", NULL, "the same, of another period; one of the two"},
    {"unit", YAML_SCALAR, false, "unit", "all", "those of one unit"},
    {"tasks", YAML_SCALAR, true, "whole number", NULL, "how many"},
};
const struct key_table scenario_due_table = KEY_TABLE(due_keys);

/* What the values of some shapes must be besides. */
static const struct {
    const char *shape;
    void (*check)(struct scenario_reader *r, const struct yaml *v);
} checks[] = {
    {"measure name", check_measure}, {"obligation name", check_obligation}, {"unit", check_unit},         {"period", check_period},
    {"level", check_level},          {"limit day", check_when},             {"whole number", check_number},
};

static void check_values(struct scenario_reader *r, const struct yaml *map, const struct key_table *table)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct yaml *v = yaml_get(map, table->key[i].name);
        for (size_t k = 0; v && v->kind == YAML_SCALAR && k < sizeof checks / sizeof *checks; k++)
            if (strcmp(checks[k].shape, table->key[i].shape) == 0)
                checks[k].check(r, v);
    }
}

static void check_table(struct scenario_reader *r, const struct yaml *map, const struct key_table *table, const char *what)
{
    struct compiler c = {.arena = r->arena, .diags = r->diags};
    keys_check(&c, map, table->key, table->n, what);
    check_values(r, map, table);
}

void scenario_measure_check(struct scenario_reader *r, const struct yaml *map)
{
    check_values(r, map, &scenario_issued_table);
}

void scenario_pattern_check(struct scenario_reader *r, enum check_kind kind, const struct yaml *map)
{
    switch (kind) {
    case CHECK_EXPECT:
    case CHECK_WITHDRAWN:
    case CHECK_PROPOSED:
    case CHECK_NONE:
    case CHECK_ONLY:
        check_table(r, map, &scenario_issued_table, "a measure");
        return;
    case CHECK_REJECTED:
        check_table(r, map, &scenario_rejected_table, "rejected");
        return;
    case CHECK_DUE:
        check_table(r, map, &scenario_due_table, "due");
        if (!yaml_get(map, "year") == !yaml_get(map, "period"))
            yaml_diag(r->diags, SEVERITY_ERROR, DIAG_KEY_MISSING, map, "year: 2024, or period: 2024Q1",
                      "due names no span, or two");
        return;
    case CHECK_STATE:
        scenario_state_read(r, map);
        return;
    case CHECK_SCORE:
        scenario_score_read(r, map);
        return;
    case CHECK_DEFINITION:
        check_table(r, map, &scenario_warned_table, "check");
        return;
    case CHECK_KINDS:
        return;
    }
}
