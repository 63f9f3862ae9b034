/* Tree → typed core expression: the driver, constants, lists, conversions and lets. */
#include "lang/check.h"

#define LET_DEPTH_MAX 32

const struct type type_units = {.tag = TYPE_SET, .of = &type_unit};

/* Stands for a let with mistakes, so that they are told once. The program is discarded. */
static const struct expr let_failed = {.op = EXPR_CONST, .type = {.tag = TYPE_YESNO, .optional = true}};

/* ---- making expressions */

struct expr *expr_new(const struct checker *k, enum expr_op op, struct type type, int index)
{
    struct expr *x = ARENA_NEW(k->c->arena, struct expr);

    *x = (struct expr){.op = op, .type = type, .index = index, .place = k->place};
    return x;
}

struct expr *expr_over(const struct checker *k, enum expr_op op, struct type type,
                       const struct expr *const *arg, size_t n)
{
    struct expr *x = expr_new(k, op, type, 0);

    x->nargs = n;
    x->arg = ARENA_ARRAY(k->c->arena, const struct expr *, n + 1);
    for (size_t i = 0; i < n; i++)
        x->arg[i] = arg[i];
    return x;
}

const struct expr *expr_const(const struct checker *k, struct type type, struct value v)
{
    struct expr *x = expr_new(k, EXPR_CONST, type, 0);

    x->constant = v;
    return x;
}

const struct expr *expr_column_of(const struct checker *k, const struct expr *rows, int field)
{
    const struct type *of = &rows->type.of->fields[field].type;
    const struct expr *item = expr_new(k, EXPR_ROW_FIELD, *of, field);
    struct type list = {.tag = TYPE_LIST, .of = of, .optional = rows->type.optional};

    return expr_over(k, EXPR_MAP, list, (const struct expr *[]){rows, item}, 2);
}

/* Rows of a table or of the roster, where their keys are meant: a list of those. Anything else as it is. */
static const struct expr *rows_to_keys(const struct checker *k, const struct expr *x)
{
    const struct expr *source = x;
    const struct program *p = k->c->program;
    struct expr *keys = NULL;
    struct type *of = NULL;
    int column = 0;

    while (source->op == EXPR_WHERE)
        source = source->arg[0];
    if (source->op != EXPR_TABLE_ROWS && source->op != EXPR_UNITS)
        return x;
    of = ARENA_NEW(k->c->arena, struct type);
    *of = source->op == EXPR_UNITS ? type_unit : (struct type){.tag = TYPE_ROW, .table = source->index};
    column = source->op == EXPR_UNITS ? 0 : p->tables[source->index].key_column;
    keys = expr_new(k, EXPR_ROW_FIELD, *of, column);
    return expr_over(k, EXPR_MAP, (struct type){.tag = TYPE_SET, .of = of}, (const struct expr *[]){x, keys},
                     2);
}

/* ---- types */

/* As type_format writes it, but rows by the name that their table gives them. */
const char *type_shown(const struct checker *k, const struct type *t)
{
    struct type plain = *t;

    if (t->tag == TYPE_ROW)
        return arena_dup(k->c->arena, k->c->program->tables[t->table].row).p;
    if (type_is_many(t) && t->of->tag != TYPE_RECORD)
        return arena_printf(k->c->arena, "%s of %s", t->tag == TYPE_SET ? "set" : "list",
                            type_shown(k, t->of))
            .p;
    plain.optional = false;
    return type_format(k->c->arena, &plain).p;
}

const struct expr *refuse_type(struct checker *k, const struct ast *x, const char *expected,
                               const struct type *have)
{
    phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_TYPE, x->text, expected, "this is %s",
                type_shown(k, have));
    return NULL;
}

/* What may be written for something else: one value for a set or list of one, a list of constants for a set,
 * a table's rows for their keys. */
static const struct expr *convert(struct checker *k, const struct expr *x, const struct type *want)
{
    struct expr *copy = NULL;

    if (type_is_many(want) && type_is_many(&x->type) && x->type.of->tag == TYPE_RECORD &&
        want->of->tag != TYPE_RECORD)
        x = rows_to_keys(k, x);
    if (type_accepts(want, &x->type))
        return x;
    if (!type_is_many(want))
        return NULL;
    if (type_accepts(want->of, &x->type))
        return expr_over(k, EXPR_LIST, (struct type){.tag = want->tag, .of = type_dup(k->c->arena, &x->type)},
                         &x, 1);
    if (want->tag == TYPE_SET && (x->op == EXPR_LIST || x->op == EXPR_MAP) &&
        type_accepts(want->of, x->type.of)) {
        copy = expr_new(k, x->op, x->type, 0);
        *copy = *x;
        copy->type.tag = TYPE_SET;
        return copy;
    }
    return NULL;
}

const struct expr *check_as(struct checker *k, const struct ast *x, const struct type *want)
{
    const struct expr *e = check_ast(k, x, want), *as = NULL;

    if (e == NULL || want == NULL)
        return e;
    as = convert(k, e, want);
    if (as != NULL)
        return as;
    if (want->tag == TYPE_YESNO && type_is_many(&e->type))
        return refuse_type(k, x, "yes-no, as any(…) or count(…) > 0 make of a set or list", &e->type);
    return refuse_type(k, x, type_shown(k, want), &e->type);
}

/* A name that nothing is known by: a word, perhaps, whose enum the other side tells. */
static bool is_unresolved(struct checker *k, const struct ast *x)
{
    bool failed = false;

    return x->kind == AST_NAME && name_lookup(k, x->name, &failed) == NULL && !failed;
}

/* An enum's words for a bare word, items of a list, or the enum itself; parameters that hold a word are
 * compared with any word. */
static const struct expr *check_beside(struct checker *k, const struct ast *x, const struct expr *other,
                                       const struct type *want)
{
    if (other->op == EXPR_PARAM && other->type.tag == TYPE_TEXT && is_unresolved(k, x))
        return expr_const(k, type_text, (struct value){.tag = VALUE_TEXT, .text = x->name});
    return check_ast(k, x, want != NULL ? want : &other->type);
}

bool check_pair(struct checker *k, const struct ast *x, const struct ast *y, const struct type *want,
                const struct expr **a, const struct expr **b)
{
    bool swapped = (is_unresolved(k, x) || x->kind == AST_CONST) && !is_unresolved(k, y);
    const struct ast *first = swapped ? y : x, *second = swapped ? x : y;
    const struct expr *one = check_ast(k, first, want);
    const struct expr *two = one != NULL ? check_beside(k, second, one, want) : check_ast(k, second, want);

    *a = swapped ? two : one;
    *b = swapped ? one : two;
    return one != NULL && two != NULL;
}

/* ---- constants and lists */

static const struct expr *check_text_const(struct checker *k, const struct ast *x, const struct type *want)
{
    if (want == NULL || want->tag != TYPE_ENUM)
        return expr_const(k, type_text, x->constant);
    if (type_has_word(want, x->constant.text))
        return expr_const(k, *type_dup(k->c->arena, want), x->constant);
    phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_VALUE, x->text, type_shown(k, want),
                "this is none of the words that may stand here");
    return NULL;
}

static const struct expr *check_const(struct checker *k, const struct ast *x, const struct type *want)
{
    static const enum type_tag tag[] = {[VALUE_NUMBER] = TYPE_NUMBER,
                                        [VALUE_DATE] = TYPE_DATE,
                                        [VALUE_DURATION] = TYPE_DURATION,
                                        [VALUE_PERIOD] = TYPE_PERIOD};
    const struct value *v = &x->constant;
    struct type type = {.tag = TYPE_PERIOD, .period_kind = PERIOD_YEAR};

    if (want != NULL && type_is_many(want))
        want = want->of;
    if (v->tag == VALUE_TEXT)
        return check_text_const(k, x, want);
    /* 2024 is a number, but a year beside periods. */
    if (v->tag == VALUE_NUMBER && want != NULL && want->tag == TYPE_PERIOD && v->number.den == 1 &&
        v->number.num >= 1 && v->number.num <= 9999)
        return expr_const(
            k, type, (struct value){.tag = VALUE_PERIOD, .period = {PERIOD_YEAR, (int32_t)v->number.num}});
    type.tag = tag[v->tag];
    type.period_kind = v->tag == VALUE_PERIOD ? v->period.kind : PERIOD_ONCE;
    return expr_const(k, type, *v);
}

static const struct expr *check_list(struct checker *k, const struct ast *x, const struct type *want)
{
    const struct type *of = want != NULL && type_is_many(want) ? want->of : want;
    const struct expr **item = ARENA_ARRAY(k->c->arena, const struct expr *, x->nargs + 1);
    struct type all = of != NULL ? *of : type_text;
    bool ok = true;

    for (size_t i = 0; i < x->nargs; i++) {
        struct type both;

        item[i] = check_ast(k, x->arg[i], of);
        if (item[i] == NULL) {
            ok = false;
            continue;
        }
        if (type_is_many(&item[i]->type)) {
            refuse_type(k, x->arg[i], "one value: lists do not nest", &item[i]->type);
            ok = false;
        } else if (i == 0 || !ok) {
            all = item[i]->type;
        } else if (type_unify(k->c->arena, &all, &item[i]->type, &both)) {
            all = both;
        } else {
            refuse_type(k, x->arg[i], type_shown(k, &all), &item[i]->type);
            ok = false;
        }
    }
    if (!ok)
        return NULL;
    return expr_over(k, EXPR_LIST, (struct type){.tag = TYPE_LIST, .of = type_dup(k->c->arena, &all)}, item,
                     x->nargs);
}

/* ---- the dispatch */

static const struct expr *check_not(struct checker *k, const struct ast *x)
{
    const struct expr *a = check_as(k, x->arg[0], &type_yesno);

    return a == NULL ? NULL : expr_over(k, EXPR_NOT, a->type, &a, 1);
}

static const struct expr *check_missing(struct checker *k, const struct ast *x)
{
    const struct expr *a = check_ast(k, x->arg[0], NULL);

    return a == NULL ? NULL : expr_over(k, x->negated ? EXPR_IS_GIVEN : EXPR_IS_MISSING, type_yesno, &a, 1);
}

static const struct expr *check_each(struct checker *k, const struct ast *x, const struct type *want)
{
    const struct expr *a = check_ast(k, x->arg[0], want);

    if (a == NULL)
        return NULL;
    if (!type_is_many(&a->type))
        return refuse_type(k, x->arg[0], "a set or a list after `each`", &a->type);
    return rows_to_keys(k, a);
}

static const struct expr *check_lone_latest(struct checker *k, const struct ast *x)
{
    phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_SYNTAX, x->text,
                "a field of it, as in latest(ranked).rank, or .received",
                "the latest event as a whole is no value");
    return NULL;
}

const struct expr *check_ast(struct checker *k, const struct ast *x, const struct type *want)
{
    switch (x->kind) {
    case AST_NAME:
        return check_name(k, x, want);
    case AST_CONST:
        return check_const(k, x, want);
    case AST_MEMBER:
        return check_member(k, x);
    case AST_OF:
        return check_of(k, x);
    case AST_CALL:
        return check_call(k, x);
    case AST_LATEST:
        return check_lone_latest(k, x);
    case AST_ISSUED:
        return check_issued(k, x);
    case AST_AT:
        return check_at(k, x);
    case AST_LIST:
        return check_list(k, x, want);
    case AST_EACH:
        return check_each(k, x, want);
    case AST_WHERE:
        return check_where(k, x);
    case AST_NOT:
        return check_not(k, x);
    case AST_NEG:
        return check_neg(k, x);
    case AST_IF:
        return check_if(k, x, want);
    case AST_BINARY:
        return check_binary(k, x);
    case AST_MISSING:
        return check_missing(k, x);
    case AST_IS:
        return check_is(k, x);
    case AST_LATER:
        return check_extreme(k, x, EXPR_MAX);
    case AST_EARLIER:
        return check_extreme(k, x, EXPR_MIN);
    case AST_BEFORE:
    case AST_AFTER:
        return check_moved(k, x);
    }
    return NULL;
}

/* ---- entry */

static const struct expr *check_phrase(struct checker *k, const struct type *want)
{
    const struct ast *x = parse_phrase(&k->phrase);

    return x == NULL ? NULL : check_as(k, x, want);
}

static const struct expr *compile(const struct scope *s, const struct yaml *node, struct slice text,
                                  const struct type *want, const struct open_let *open)
{
    struct type row = {.tag = TYPE_RECORD, .fields = s->row, .nfields = s->nrow};
    struct binder outside = {.item = s->item != NULL ? s->item : &row};
    struct checker k = {.c = s->c, .scope = s, .phrase = {s->c, node, text}, .open = open};

    if (node->kind != YAML_SCALAR) {
        yaml_diag(s->c->diags, SEVERITY_ERROR, DIAG_SHAPE, node, "an expression",
                  "%s stands where an expression belongs",
                  node->kind == YAML_NULL   ? "nothing"
                  : node->kind == YAML_LIST ? "a list"
                                            : "a map");
        return NULL;
    }
    if (s->bound != NULL)
        k.binder = s->bound;
    else if (s->row != NULL || s->item != NULL)
        k.binder = &outside;
    k.place = place_of(s->c, node);
    return check_phrase(&k, want);
}

const struct expr *expr_compile(const struct scope *s, const struct yaml *node, const struct type *want)
{
    return node == NULL ? NULL : compile(s, node, node->text, want, NULL);
}

const struct expr *expr_compile_part(const struct scope *s, const struct yaml *node, struct slice text,
                                     const struct type *want)
{
    return node == NULL ? NULL : compile(s, node, text, want, NULL);
}

/* ---- lets */

static const struct yaml *let_source(const struct scope *s, struct slice name)
{
    for (size_t i = 0; i < s->nlets; i++)
        if (slice_eq(s->lets[i].name, name))
            return s->lets[i].node;
    return NULL;
}

/* A let serves every rule of its machine, so it sees neither event nor row. */
static const struct expr *let_make(const struct scope *s, size_t let, const struct open_let *open)
{
    struct let *l = &s->machine->lets[let];
    const struct yaml *node = let_source(s, l->name);
    struct scope own = *s;
    struct open_let self = {.let = let, .outer = open};

    if (l->value == NULL && node != NULL) {
        own.kind = -1;
        own.row = NULL;
        own.entries = NULL;
        own.nrow = 0;
        l->value = compile(&own, node, node->text, NULL, &self);
        if (l->value == NULL)
            l->value = &let_failed;
    }
    return l->value == &let_failed ? NULL : l->value;
}

const struct expr *let_value(struct checker *k, size_t let)
{
    const struct machine *m = k->scope->machine;
    size_t depth = 0;

    for (const struct open_let *o = k->open; o != NULL; o = o->outer) {
        if (o->let == let || ++depth == LET_DEPTH_MAX) {
            yaml_diag(k->c->diags, SEVERITY_ERROR, DIAG_EXPR_CYCLE, k->phrase.node, NULL,
                      "the let “%.*s” uses itself, by way of this", SLICE_ARG(m->lets[let].name));
            return NULL;
        }
    }
    return let_make(k->scope, let, k->open);
}

const struct expr *let_compile(const struct scope *s, size_t let)
{
    return let_make(s, let, NULL);
}
