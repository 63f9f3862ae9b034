/* A small regime built by hand, and builders for expressions over it. */
#ifndef DUBAND_CORE_REGIME_H
#define DUBAND_CORE_REGIME_H

#include "unit.h"

#include "core/program.h"
#include "core/step.h"

/* ---- a small regime: three bureaus (one merged into another at mid-year), an office, two indicators */

static struct arena *arena;
static date_t mid_year;

enum { ROLE_OFFICE, ROLE_BUREAU };
enum { RELATION_LEAD, RELATION_LEADER };

static int office_roles[] = {ROLE_OFFICE}, bureau_roles[] = {ROLE_BUREAU};
static struct slice old_names[] = {{"old-c", 5}};
static struct unit units[] = {
    {.id = {"b-1", 3},
     .title = {"一局", 6},
     .kind = {"organ", 5},
     .head = {"post-1", 6},
     .roles = bureau_roles,
     .nroles = 1},
    {.id = {"b-2", 3}, .title = {"二局", 6}, .kind = {"organ", 5}, .roles = bureau_roles, .nroles = 1},
    {.id = {"b-3", 3}, .title = {"三局", 6}, .kind = {"organ", 5}, .roles = bureau_roles, .nroles = 1},
    {.id = {"b-3", 3},
     .title = {"新三局", 9},
     .kind = {"organ", 5},
     .roles = bureau_roles,
     .nroles = 1,
     .aliases = old_names,
     .naliases = 1},
    {.id = {"office", 6},
     .title = {"优环办", 9},
     .kind = {"office", 6},
     .liaison = {"张三", 6},
     .roles = office_roles,
     .nroles = 1},
};
static struct relation_row relation_rows[] = {
    {{"i-1", 3}, RELATION_LEAD, 0, {DATE_NONE, DATE_NONE}},
    {{"i-1", 3}, RELATION_LEAD, 1, {DATE_NONE, DATE_NONE}}, /* until mid-year */
    {{"i-1", 3}, RELATION_LEADER, 4, {DATE_NONE, DATE_NONE}},
    {{"i-2", 3}, RELATION_LEAD, 1, {DATE_NONE, DATE_NONE}},
};
static struct slice roles[] = {{"office", 6}, {"bureau", 6}}, relations[] = {{"lead", 4}, {"leader", 6}};
static const struct field columns[] = {{{"id", 2}, {.tag = TYPE_TEXT}},
                                       {{"target", 6}, {.tag = TYPE_NUMBER}},
                                       {{"owner", 5}, {.tag = TYPE_UNIT, .optional = true}}};
static struct value row_1[3], row_2[3], row_3[3];
static struct table_row table_rows[] = {{{"i-1", 3}, row_1, {DATE_NONE, DATE_NONE}},
                                        {{"i-2", 3}, row_2, {DATE_NONE, DATE_NONE}},
                                        {{"i-3", 3}, row_3, {DATE_NONE, DATE_NONE}}};
static struct table tables[] = {{{"indicators", 10}, {"indicator", 9}, columns, 3, 0, table_rows, 3}};
static struct param params[] = {{.name = {"tail", 4}}};
static const struct field event_fields[] = {{{"score", 5}, {.tag = TYPE_NUMBER}},
                                            {{"note", 4}, {.tag = TYPE_TEXT, .optional = true}}};
static struct kind kinds[KIND_DECLARED + 1];
static const struct field unit_fields[4];
static struct let lets[4];
static struct machine machines[2];
static struct obligation obligations[1];
static struct program program;

static inline struct value na(void)
{
    return (struct value){.tag = VALUE_NA};
}
static inline struct value yes(bool v)
{
    return (struct value){.tag = VALUE_YESNO, .yes = v};
}
static inline struct value num(int64_t n, int64_t d)
{
    return (struct value){.tag = VALUE_NUMBER, .number = {n, d}};
}
static inline struct value text(const char *z)
{
    return (struct value){.tag = VALUE_TEXT, .text = slice_of(z)};
}
static inline struct value day(const char *z)
{
    struct value v = {.tag = VALUE_DATE};
    assert_true(date_parse(slice_of(z), &v.date));
    return v;
}
static inline struct value at(const char *z)
{
    struct value v = {.tag = VALUE_INSTANT};
    assert_true(instant_parse(slice_of(z), &v.instant));
    return v;
}
static inline struct value lasting(const char *z)
{
    struct value v = {.tag = VALUE_DURATION};
    assert_true(duration_parse(slice_of(z), &v.duration));
    return v;
}
static inline struct value period(const char *z)
{
    struct value v = {.tag = VALUE_PERIOD};
    assert_true(period_parse(slice_of(z), &v.period));
    return v;
}

static inline int make_program(void **state)
{
    (void)state;
    arena = arena_new();
    mid_year = date_from_civil(2024, 7, 1);
    units[2].in_force = units[0].in_force = units[1].in_force = units[4].in_force =
        (struct span){DATE_NONE, DATE_NONE};
    units[2].in_force.until = mid_year;
    units[3].in_force = (struct span){mid_year, DATE_NONE};
    relation_rows[1].in_force.until = mid_year;
    row_1[0] = text("i-1"), row_1[1] = num(1, 4), row_1[2] = text("b-1");
    row_2[0] = text("i-2"), row_2[1] = num(1, 2), row_2[2] = text("b-2");
    row_3[0] = text("i-3"), row_3[1] = na(), row_3[2] = na();
    params[0].value = num(3, 1);
    params[0].type = (struct type){.tag = TYPE_NUMBER};
    kinds[KIND_DECLARED] = (struct kind){.name = {"slow", 4},
                                         .class_ = KIND_CLASS_FACT,
                                         .fields = event_fields,
                                         .nfields = 2,
                                         .dated = -1,
                                         .ranking = -1};
    for (int i = 0; i < KIND_DECLARED; i++)
        kinds[i].dated = kinds[i].ranking = -1;
    machines[0] = (struct machine){
        .name = {"generator", 9}, .of = MACHINE_GENERATOR, .nkey = 1, .ntimers = 1, .unit_key = -1};
    machines[0].timers = ARENA_NEW(arena, struct timer_def);
    machines[1] = (struct machine){
        .name = {"card", 4}, .of = MACHINE_TASK, .nkey = 4, .unit_key = 2, .lets = lets, .nstates = 1};
    machines[1].states = ARENA_NEW(arena, struct state);
    machines[1].states[0] = (struct state){.name = {"open", 4}, .group = -1};
    machines[1].vars = ARENA_ARRAY(arena, struct field, 2);
    machines[1].var_start = ARENA_ARRAY(arena, struct value, 2);
    machines[1].nvars = 2;
    machines[1].counts = ARENA_NEW(arena, struct count_def);
    machines[1].counts[0].kind = KIND_DECLARED;
    machines[1].ncounts = 1;
    program = (struct program){.id = {"test", 4},
                               .units = units,
                               .nunits = 5,
                               .roles = roles,
                               .nroles = 2,
                               .relations = relations,
                               .nrelations = 2,
                               .relation_rows = relation_rows,
                               .nrelation_rows = 4,
                               .tables = tables,
                               .ntables = 1,
                               .params = params,
                               .nparams = 1,
                               .kinds = kinds,
                               .nkinds = KIND_DECLARED + 1,
                               .machines = machines,
                               .nmachines = 2,
                               .obligations = obligations,
                               .issuer = -1,
                               .unit_type = {.tag = TYPE_RECORD, .fields = unit_fields, .nfields = 4}};
    program_index(&program, arena);
    return 0;
}

static inline int free_program(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* ---- building and running expressions */

static inline struct expr *node(enum expr_op op, size_t nargs, ...)
{
    struct expr *x = ARENA_NEW(arena, struct expr);
    va_list ap;
    x->op = op;
    x->nargs = nargs;
    x->arg = ARENA_ARRAY(arena, const struct expr *, nargs);
    va_start(ap, nargs);
    for (size_t i = 0; i < nargs; i++)
        x->arg[i] = va_arg(ap, const struct expr *);
    va_end(ap);
    return x;
}

static inline struct expr *name(enum expr_op op, int index)
{
    struct expr *x = node(op, 0);
    x->index = index;
    return x;
}

static inline struct expr *constant(struct value v)
{
    struct expr *x = node(EXPR_CONST, 0);
    x->constant = v;
    return x;
}

static inline struct expr *list(size_t n, ...)
{
    struct expr *x = node(EXPR_LIST, 0);
    va_list ap;
    x->nargs = n;
    x->arg = ARENA_ARRAY(arena, const struct expr *, n);
    va_start(ap, n);
    for (size_t i = 0; i < n; i++)
        x->arg[i] = constant(va_arg(ap, struct value));
    va_end(ap);
    return x;
}

static inline struct expr *as_set(struct expr *x)
{
    static const struct type any = {.tag = TYPE_TEXT};
    x->type = (struct type){.tag = TYPE_SET, .of = &any};
    return x;
}

static inline struct expr *with_index(struct expr *x, int index, int index2)
{
    x->index = index;
    x->index2 = index2;
    return x;
}

static inline struct eval fresh(void)
{
    return (struct eval){.program = &program, .arena = arena, .now = at("2024-04-10T01:00:00Z").instant};
}

static inline struct value run(const struct expr *x)
{
    struct eval ev = fresh();
    struct value v = expr_eval(&ev, x);
    if (ev.failed)
        fail_msg("failed: %s", ev.failed);
    assert_int_equal(ev.depth, 0);
    return v;
}

static inline void expect(const struct expr *x, const char *wanted)
{
    struct value v = run(x);
    assert_slice(value_format(arena, &v, NULL), wanted);
}

#define REGIME_TEST(f) cmocka_unit_test_setup_teardown(f, make_program, free_program)

#endif
