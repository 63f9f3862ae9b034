/* The maps of a scenario's checks: every key and every name in them is known, so that no slip makes a `none:`
 * hold for nothing. */
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

struct pattern_key {
    const char *name;
    enum yaml_kind kind;
    bool required;
    void (*check)(struct scenario_reader *r, const struct yaml *v); /* NULL: any text */
};

static const struct pattern_key issued_keys[] = {
    {"measure", YAML_SCALAR, false, check_measure},
    {"unit", YAML_SCALAR, false, check_unit},
    {"subject", YAML_SCALAR, false, NULL},
    {"about", YAML_SCALAR, false, NULL},
    {"obligation", YAML_SCALAR, false, check_obligation},
    {"period", YAML_SCALAR, false, check_period},
    {"basis", YAML_SCALAR, false, NULL},
    {"level", YAML_SCALAR, false, check_level},
    {"limit", YAML_SCALAR, false, check_when},
    {"to", YAML_LIST, false, NULL},
    {"copy", YAML_LIST, false, NULL},
    {"document", YAML_SCALAR, false, NULL},
    {"number", YAML_SCALAR, false, NULL},
};
static const struct pattern_key rejected_keys[] = {{"because", YAML_SCALAR, true, NULL}};
static const struct pattern_key definition_keys[] = {{"warns", YAML_SCALAR, true, NULL},
                                                     {"unit", YAML_SCALAR, false, check_unit}};
static const struct pattern_key due_keys[] = {
    {"obligation", YAML_SCALAR, true, check_obligation}, {"year", YAML_SCALAR, false, check_period},
    {"period", YAML_SCALAR, false, check_period},        {"unit", YAML_SCALAR, false, check_unit},
    {"tasks", YAML_SCALAR, true, check_number},
};
#define PATTERN_KEYS_MAX (sizeof issued_keys / sizeof *issued_keys)

static void check_table(struct scenario_reader *r, const struct yaml *map, const struct pattern_key *table,
                        size_t n, const char *what)
{
    struct compiler c = {.arena = r->arena, .diags = r->diags};
    struct key_def def[PATTERN_KEYS_MAX] = {{NULL, YAML_NULL, false}};
    for (size_t i = 0; i < n; i++)
        def[i] = (struct key_def){table[i].name, table[i].kind, table[i].required};
    keys_check(&c, map, def, n, what);
    for (size_t i = 0; i < n; i++) {
        const struct yaml *v = yaml_get(map, table[i].name);
        if (v && v->kind == YAML_SCALAR && table[i].check)
            table[i].check(r, v);
    }
}

void scenario_measure_check(struct scenario_reader *r, const struct yaml *map)
{
    for (size_t i = 0; i < sizeof issued_keys / sizeof *issued_keys; i++) {
        const struct yaml *v = yaml_get(map, issued_keys[i].name);
        if (v && v->kind == YAML_SCALAR && issued_keys[i].check)
            issued_keys[i].check(r, v);
    }
}

void scenario_pattern_check(struct scenario_reader *r, enum check_kind kind, const struct yaml *map)
{
    switch (kind) {
    case CHECK_EXPECT:
    case CHECK_WITHDRAWN:
    case CHECK_PROPOSED:
    case CHECK_NONE:
    case CHECK_ONLY:
        check_table(r, map, issued_keys, sizeof issued_keys / sizeof *issued_keys, "a measure");
        return;
    case CHECK_REJECTED:
        check_table(r, map, rejected_keys, sizeof rejected_keys / sizeof *rejected_keys, "rejected");
        return;
    case CHECK_DUE:
        check_table(r, map, due_keys, sizeof due_keys / sizeof *due_keys, "due");
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
        check_table(r, map, definition_keys, sizeof definition_keys / sizeof *definition_keys, "check");
        return;
    case CHECK_KINDS:
        return;
    }
}
