/* issued(M): a mark that this instance keeps. issued(M to U): what the machine of all that was issued keeps.
 */
#include "lang/check.h"
#include "lang/kinds.h"

static int measure_named(struct checker *k, const struct ast *x)
{
    const struct program *p = k->c->program;
    struct names names = {0};

    for (size_t i = 0; i < p->nmeasures; i++) {
        if (slice_eq(p->measures[i].name, x->name))
            return (int)i;
        names_add(k, &names, p->measures[i].name);
    }
    refuse_name(k, x->name_at, &names, "there is no measure");
    return -1;
}

/* The hidden variable that says so; made when first asked for. */
static int mark_of(struct checker *k, struct machine *m, int measure)
{
    struct arena *arena = k->c->arena;
    size_t vars = m->nvars, starts = m->nvars, marks = m->nissued_marks;

    for (size_t i = 0; i < m->nissued_marks; i++)
        if (m->issued_marks[i].measure == measure)
            return m->issued_marks[i].var;
    size_t vars_cap = vars, starts_cap = starts, marks_cap = marks; /* full: each is added once */
    *(struct field *)arena_push(arena, &m->vars, &m->nvars, &vars_cap, sizeof *m->vars) =
        (struct field){arena_printf(arena, "issued %.*s", SLICE_ARG(k->c->program->measures[measure].name)),
                       {.tag = TYPE_YESNO, .optional = true}};
    arena_push(arena, &m->var_start, &starts, &starts_cap, sizeof *m->var_start);
    struct issued_mark *mark =
        arena_push(arena, &m->issued_marks, &m->nissued_marks, &marks_cap, sizeof *mark);
    *mark = (struct issued_mark){measure, (int)vars};
    return mark->var;
}

static const struct expr *given(struct checker *k, const struct expr *x)
{
    return expr_over(k, EXPR_IS_GIVEN, type_yesno, &x, 1);
}

static const struct expr *issued_here(struct checker *k, const struct ast *x, int measure)
{
    struct machine *m = k->scope->machine;

    if (m == NULL) {
        phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_ISSUED, x->text,
                    arena_printf(k->c->arena, "issued(%.*s to unit)", SLICE_ARG(x->name)).p,
                    "there is no instance here that could have issued it");
        return NULL;
    }
    int var = mark_of(k, m, measure);
    return given(k, expr_new(k, EXPR_VAR, m->vars[var].type, var));
}

/* In every program: what was kept for one definition is not lost to the next that asks. */
void issued_declare(struct compiler *c)
{
    static const struct field key[] = {{{"measure", 7}, {.tag = TYPE_TEXT}},
                                       {{"unit", 4}, {.tag = TYPE_UNIT}}};
    static const struct field vars[] = {[ISSUED_N] = {{"n", 1}, {.tag = TYPE_NUMBER}},
                                        [ISSUED_FIRST] = {{"first", 5}, {.tag = TYPE_INSTANT}},
                                        [ISSUED_LAST] = {{"last", 4}, {.tag = TYPE_INSTANT}}};
    struct program *p = c->program;

    p->issued = machine_add(c, S("issued to"), NULL);
    struct machine *m = &p->machines[p->issued];
    m->title = S("措施记录");
    m->nkey = 2;
    memcpy(m->key, key, sizeof key);
    m->unit_key = 1;
    m->vars = ARENA_ARRAY(c->arena, struct field, ISSUED_VARS);
    memcpy(m->vars, vars, sizeof vars);
    m->var_start = ARENA_ARRAY(c->arena, struct value, ISSUED_VARS);
    m->nvars = ISSUED_VARS;
    m->states = ARENA_NEW(c->arena, struct state);
    *m->states = (struct state){.name = S("kept"), .title = S("在案"), .group = -1};
    m->nstates = 1;
    m->hidden = true;
}

static const struct expr *issued_anywhere(struct checker *k, const struct ast *x, int measure)
{
    const struct expr *unit = check_ast(k, x->arg[0], &type_unit), *at = NULL;
    struct program *p = k->c->program;

    if (unit == NULL || !collection_allowed(k, x->text, x->text))
        return NULL;
    if (!type_comparable(&type_unit, &unit->type))
        return refuse_type(k, x->arg[0], "a unit", &unit->type);
    p->measures[measure].on_record = true;
    int collection = collection_named(k->c, p->machines[p->issued].name);
    const struct expr *key[] = {
        expr_const(k, type_text, (struct value){.tag = VALUE_TEXT, .text = p->measures[measure].name}), unit};
    struct expr *row = expr_over(k, EXPR_AT, p->collections[collection].row, key, 2);
    row->index = collection;
    at = given(k, row);
    /* To a unit that is n/a: nobody can tell. */
    return expr_over(k, EXPR_IF, (struct type){.tag = TYPE_YESNO, .optional = true},
                     (const struct expr *[]){given(k, unit), at}, 2);
}

const struct expr *check_issued(struct checker *k, const struct ast *x)
{
    int measure = measure_named(k, x);

    if (measure < 0)
        return NULL;
    return x->nargs == 0 ? issued_here(k, x, measure) : issued_anywhere(k, x, measure);
}
