#include "core/expr_print.h"

#include "core/step.h"

/* How tightly an operation binds: a part that binds less stands in parentheses. */
enum { LOOSE, IF_THEN, OR, AND, NOT, COMPARED, SUM, PRODUCT, OF, TIGHT };

struct binder { /* what the rows of an enclosing `where` are */
    const struct type *row;
    const struct binder *outer;
};

struct printer {
    struct buf out;
    struct arena *arena;
    const struct expr_names *names;
    const struct binder *binder;
};

static void print(struct printer *p, const struct expr *x, int tightness);

static void word(struct printer *p, struct slice s)
{
    buf_add(&p->out, s);
}

static void arg(struct printer *p, const struct expr *x, size_t i, int tightness)
{
    if (i < x->nargs && x->arg[i])
        print(p, x->arg[i], tightness);
}

/* The second argument, with the rows of the first bound. */
static void bound_arg(struct printer *p, const struct expr *x, int tightness)
{
    struct binder b = {x->nargs ? x->arg[0]->type.of : NULL, p->binder};
    p->binder = &b;
    arg(p, x, 1, tightness);
    p->binder = b.outer;
}

/* ---- one printer for each shape */

typedef void print_op(struct printer *p, const struct expr *x, const char *text);

static void print_infix(struct printer *p, const struct expr *x, const char *text)
{
    static const int inside[] = {
        [EXPR_OR] = OR,       [EXPR_AND] = AND,     [EXPR_ADD] = SUM,    [EXPR_SUB] = SUM,
        [EXPR_MUL] = PRODUCT, [EXPR_DIV] = PRODUCT, [EXPR_BEFORE] = SUM, [EXPR_AFTER] = SUM};
    int level = x->op < sizeof inside / sizeof *inside && inside[x->op] ? inside[x->op] : SUM;
    for (size_t i = 0; i < x->nargs; i++) {
        if (i)
            buf_printf(&p->out, " %s ", text);
        arg(p, x, i, i && (x->op == EXPR_SUB || x->op == EXPR_DIV) ? level + 1 : level);
    }
}

/* `has` compiles to the same: `degree in [严重滞后, 整改不到位]`. */
static void print_member(struct printer *p, const struct expr *x, const char *text)
{
    arg(p, x, x->op == EXPR_HAS, SUM);
    word(p, slice_of(text));
    arg(p, x, x->op == EXPR_IN, SUM);
}

/* `subject is not indicator`, `x not in y`. */
static bool print_negated(struct printer *p, const struct expr *x)
{
    bool member = x->op == EXPR_IN || x->op == EXPR_HAS;
    if (member) {
        print_member(p, x, " not in ");
    } else if (x->op == EXPR_IS_ROW) {
        arg(p, x, 0, OF);
        buf_printf(&p->out, " is not %.*s", SLICE_ARG(p->names->program->tables[x->index].row));
    }
    return member || x->op == EXPR_IS_ROW;
}

static void print_prefix(struct printer *p, const struct expr *x, const char *text)
{
    if (x->op == EXPR_NOT && print_negated(p, x->arg[0]))
        return;
    word(p, slice_of(text));
    arg(p, x, 0, x->op == EXPR_NOT ? NOT : TIGHT);
}

static void print_suffix(struct printer *p, const struct expr *x, const char *text)
{
    arg(p, x, 0, OF);
    word(p, slice_of(text));
}

static void print_call(struct printer *p, const struct expr *x, const char *text)
{
    buf_printf(&p->out, "%s(", text);
    for (size_t i = 0; i < x->nargs; i++) {
        word(p, i ? S(", ") : S(""));
        arg(p, x, i, LOOSE);
    }
    word(p, S(")"));
}

static void print_list(struct printer *p, const struct expr *x, const char *text)
{
    (void)text;
    word(p, S("["));
    for (size_t i = 0; i < x->nargs; i++) {
        word(p, i ? S(", ") : S(""));
        arg(p, x, i, LOOSE);
    }
    word(p, S("]"));
}

static void print_const(struct printer *p, const struct expr *x, const char *text)
{
    (void)text;
    bool quoted = x->constant.tag == VALUE_TEXT && x->type.tag == TYPE_TEXT;
    word(p, quoted ? S("「") : S(""));
    word(p, x->constant.tag == VALUE_NA ? S("n/a")
                                        : value_format(p->arena, &x->constant, p->names->program->tz));
    word(p, quoted ? S("」") : S(""));
}

static void print_param(struct printer *p, const struct expr *x, const char *text)
{
    buf_printf(&p->out, "%s%.*s", text, SLICE_ARG(p->names->program->params[x->index].name));
}

static void print_event(struct printer *p, const struct expr *x, const char *text)
{
    int kind = p->names->kind;
    const struct kind *k = kind >= 0 ? &p->names->program->kinds[kind] : NULL;
    if (k && (size_t)x->index < k->nfields)
        buf_printf(&p->out, "%s%.*s", text, SLICE_ARG(k->fields[x->index].name));
    else
        buf_printf(&p->out, "%s%d", text, x->index + 1);
}

static void print_event_meta(struct printer *p, const struct expr *x, const char *text)
{
    static const char *const name[] = {
        [EVENT_RECEIVED] = "received", [EVENT_BY] = "by", [EVENT_KIND] = "kind"};
    buf_printf(&p->out, "%s%s", text, name[x->index]);
}

/* A name of the instance's own, which a row's field of that name would hide. */
static void own_word(struct printer *p, struct slice name)
{
    for (const struct binder *b = p->binder; b; b = b->outer)
        for (size_t i = 0; b->row && i < b->row->nfields; i++)
            if (slice_eq(b->row->fields[i].name, name)) {
                buf_printf(&p->out, "this.%.*s", SLICE_ARG(name));
                return;
            }
    word(p, name);
}

/* Names of the machine: of its parts, by what the operation is. */
static void print_own(struct printer *p, const struct expr *x, const char *text)
{
    const struct machine *m = p->names->machine;
    size_t i = (size_t)x->index;
    if (m && x->op == EXPR_KEY && i < m->nkey)
        own_word(p, m->key[i].name);
    else if (m && x->op == EXPR_VAR && i < m->nvars)
        own_word(p, m->vars[i].name);
    else if (m && x->op == EXPR_COUNT && i < m->ncounts)
        own_word(p, m->counts[i].name);
    else if (m && x->op == EXPR_LET && i < m->nlets)
        own_word(p, m->lets[i].name);
    else
        buf_printf(&p->out, "%s %d", text, x->index + 1);
}

static void print_latest(struct printer *p, const struct expr *x, const char *text)
{
    const struct machine *m = p->names->machine;
    if (!m || (size_t)x->index >= m->nlatest) {
        buf_printf(&p->out, "%s(…)", text);
        return;
    }
    const struct latest_def *l = &m->latest[x->index];
    const struct kind *k = &p->names->program->kinds[l->kind];
    int field = (size_t)x->index2 < l->nfields ? l->fields[x->index2] : -1;
    buf_printf(&p->out, "%s(%.*s).%.*s", text, SLICE_ARG(k->name),
               SLICE_ARG(field >= 0 ? k->fields[field].name : S("received")));
}

static void print_meta(struct printer *p, const struct expr *x, const char *text)
{
    static const char *const name[] = {
        [INSTANCE_SINCE] = "since",       [INSTANCE_DUE] = "due",     [INSTANCE_OPENS] = "opens",
        [INSTANCE_LIMIT] = "limit",       [INSTANCE_NOW] = "now",     [INSTANCE_OWN_PERIOD] = "period",
        [INSTANCE_SOFT_END] = "soft-end", [INSTANCE_STATE] = "state", [INSTANCE_EXCUSED] = "excused"};
    (void)text;
    own_word(p, slice_of(name[x->index]));
}

static void print_obligation(struct printer *p, const struct expr *x, const char *text)
{
    static const char *const name[] = {[OBLIGATION_REMIND] = "remind",
                                       [OBLIGATION_AT_LEAST] = "at-least",
                                       [OBLIGATION_MISSED_AFTER] = "missed-after",
                                       [OBLIGATION_RETURN_GRACE] = "return-grace",
                                       [OBLIGATION_SETTLE] = "settle",
                                       [OBLIGATION_TITLE] = "title",
                                       [OBLIGATION_TO] = "to"};
    buf_printf(&p->out, "%s%s", text, name[x->index]);
}

static void print_row_field(struct printer *p, const struct expr *x, const char *text)
{
    const struct binder *b = p->binder;
    for (int i = 0; b && i < x->index2; i++)
        b = b->outer;
    if (b && b->row && (size_t)x->index < b->row->nfields)
        word(p, b->row->fields[x->index].name);
    else
        buf_printf(&p->out, "%s %d", text, x->index + 1);
}

static void print_unit_attr(struct printer *p, const struct expr *x, const char *text)
{
    static const char *const name[] = {[UNIT_TITLE] = "title",
                                       [UNIT_LIAISON] = "liaison",
                                       [UNIT_HEAD] = "head",
                                       [UNIT_KIND] = "kind",
                                       [UNIT_ROLES] = "roles"};
    (void)text;
    arg(p, x, 0, TIGHT);
    buf_printf(&p->out, ".%s", name[x->index]);
}

static void print_role(struct printer *p, const struct expr *x, const char *text)
{
    (void)text;
    word(p, p->names->program->roles[x->index]);
}

static void print_relation(struct printer *p, const struct expr *x, const char *text)
{
    (void)text;
    buf_printf(&p->out, "%.*s of ", SLICE_ARG(p->names->program->relations[x->index]));
    arg(p, x, 0, OF);
}

static void print_column(struct printer *p, const struct expr *x, const char *text)
{
    const struct table *t = &p->names->program->tables[x->index];
    (void)text;
    buf_printf(&p->out, "%.*s of ", SLICE_ARG(t->columns[x->index2].name));
    arg(p, x, 0, OF);
}

static void print_is_row(struct printer *p, const struct expr *x, const char *text)
{
    arg(p, x, 0, OF);
    buf_printf(&p->out, "%s%.*s", text, SLICE_ARG(p->names->program->tables[x->index].row));
}

static void print_if(struct printer *p, const struct expr *x, const char *text)
{
    static const char *const before[] = {"if ", " then ", " else "};
    (void)text;
    for (size_t i = 0; i < 3; i++) {
        word(p, slice_of(before[i]));
        arg(p, x, i, i == 2 ? IF_THEN : OR);
    }
}

static void print_period_of(struct printer *p, const struct expr *x, const char *text)
{
    buf_printf(&p->out, "%s%s", period_kind_name((enum period_kind)x->index), text);
    arg(p, x, 0, OF);
}

static void print_rows(struct printer *p, const struct expr *x, const char *text)
{
    (void)text;
    word(p, p->names->program->tables[x->index].name);
}

static void print_where(struct printer *p, const struct expr *x, const char *text)
{
    arg(p, x, 0, OF);
    buf_printf(&p->out, " %s ", text);
    bound_arg(p, x, OR);
}

/* `points of event.lines` */
static void map_of(struct printer *p, const struct expr *x, int tightness)
{
    bound_arg(p, x, OF);
    word(p, S(" of "));
    arg(p, x, 0, tightness);
}

static void print_map(struct printer *p, const struct expr *x, const char *text)
{
    (void)text;
    map_of(p, x, OF);
}

static void print_fold(struct printer *p, const struct expr *x, const char *text)
{
    const struct expr *map = x->nargs > 1 ? x : x->arg[0];
    buf_printf(&p->out, "%s(", text);
    if (x->op == EXPR_QUANT_ALL) {
        arg(p, x, 0, OF);
        word(p, S(" where "));
        bound_arg(p, x, OR);
    } else if (x->nargs > 1 || map->op == EXPR_MAP)
        map_of(p, map, LOOSE);
    else
        arg(p, x, 0, LOOSE);
    word(p, S(")"));
}

/* What narrows the search stands in the condition, too. */
static void print_collection(struct printer *p, const struct expr *x, const char *text)
{
    (void)text;
    word(p, p->names->program->collections[x->index].name);
    if (x->op == EXPR_INSTANCES)
        return;
    word(p, S("["));
    for (size_t i = 0; i < x->nargs; i++) {
        word(p, i ? S(", ") : S(""));
        print(p, x->arg[i], LOOSE);
    }
    word(p, S("]"));
}

static void print_field(struct printer *p, const struct expr *x, const char *text)
{
    const struct type *t = x->nargs ? &x->arg[0]->type : NULL;
    arg(p, x, 0, TIGHT);
    if (t && (size_t)x->index < t->nfields)
        buf_printf(&p->out, "%s%.*s", text, SLICE_ARG(t->fields[x->index].name));
    else
        buf_printf(&p->out, "%s%d", text, x->index + 1);
}

static void print_due_day(struct printer *p, const struct expr *x, const char *text)
{
    buf_printf(&p->out, "%s(%.*s, ", text, SLICE_ARG(p->names->program->obligations[x->index].name));
    arg(p, x, 0, LOOSE);
    word(p, S(")"));
}

static void print_word(struct printer *p, const struct expr *x, const char *text)
{
    (void)x;
    word(p, slice_of(text));
}

static const struct {
    print_op *op;
    const char *text;
    int tightness; /* 0: TIGHT */
} shapes[] = {
    [EXPR_CONST] = {print_const, "", 0},
    [EXPR_PARAM] = {print_param, "params.", 0},
    [EXPR_EVENT] = {print_event, "event.", 0},
    [EXPR_EVENT_META] = {print_event_meta, "event.", 0},
    [EXPR_KEY] = {print_own, "key part", 0},
    [EXPR_VAR] = {print_own, "variable", 0},
    [EXPR_COUNT] = {print_own, "count", 0},
    [EXPR_LATEST] = {print_latest, "latest", 0},
    [EXPR_LET] = {print_own, "let", 0},
    [EXPR_META] = {print_meta, "", 0},
    [EXPR_OBLIGATION] = {print_obligation, "obligation.", 0},
    [EXPR_ROW_FIELD] = {print_row_field, "field", 0},
    [EXPR_ROW] = {print_word, "it", 0},
    [EXPR_UNIT_ATTR] = {print_unit_attr, "", 0},
    [EXPR_ROLE] = {print_role, "", 0},
    [EXPR_RELATION] = {print_relation, "", OF},
    [EXPR_COLUMN] = {print_column, "", OF},
    [EXPR_IS_ROW] = {print_is_row, " is ", COMPARED},
    [EXPR_IS_MISSING] = {print_suffix, " is missing", COMPARED},
    [EXPR_IS_GIVEN] = {print_suffix, " is given", COMPARED},
    [EXPR_NOT] = {print_prefix, "not ", NOT},
    [EXPR_AND] = {print_infix, "and", AND},
    [EXPR_OR] = {print_infix, "or", OR},
    [EXPR_IF] = {print_if, "", IF_THEN},
    [EXPR_EQ] = {print_infix, "=", COMPARED},
    [EXPR_NE] = {print_infix, "≠", COMPARED},
    [EXPR_LT] = {print_infix, "<", COMPARED},
    [EXPR_LE] = {print_infix, "≤", COMPARED},
    [EXPR_GT] = {print_infix, ">", COMPARED},
    [EXPR_GE] = {print_infix, "≥", COMPARED},
    [EXPR_IN] = {print_member, " in ", COMPARED},
    [EXPR_HAS] = {print_member, " in ", COMPARED},
    [EXPR_ADD] = {print_infix, "+", SUM},
    [EXPR_SUB] = {print_infix, "-", SUM},
    [EXPR_MUL] = {print_infix, "×", PRODUCT},
    [EXPR_DIV] = {print_infix, "÷", PRODUCT},
    [EXPR_NEG] = {print_prefix, "-", PRODUCT},
    [EXPR_ROUND] = {print_call, "round", 0},
    [EXPR_CEIL] = {print_call, "ceil", 0},
    [EXPR_FLOOR] = {print_call, "floor", 0},
    [EXPR_MIN] = {print_call, "min", 0},
    [EXPR_MAX] = {print_call, "max", 0},
    [EXPR_BEFORE] = {print_infix, "before", SUM},
    [EXPR_AFTER] = {print_infix, "after", SUM},
    [EXPR_PERIOD_OF] = {print_period_of, " of ", OF},
    [EXPR_PREVIOUS] = {print_call, "previous", 0},
    [EXPR_NEXT] = {print_call, "next", 0},
    [EXPR_LIST] = {print_list, "", 0},
    [EXPR_UNITS] = {print_word, "units", 0},
    [EXPR_TABLE_ROWS] = {print_rows, "", 0},
    [EXPR_WHERE] = {print_where, "where", IF_THEN},
    [EXPR_QUANT_COUNT] = {print_fold, "count", 0},
    [EXPR_QUANT_ANY] = {print_fold, "any", 0},
    [EXPR_QUANT_ALL] = {print_fold, "all", 0},
    [EXPR_QUANT_SUM] = {print_fold, "sum", 0},
    [EXPR_QUANT_MEAN] = {print_fold, "mean", 0},
    [EXPR_MAP] = {print_map, "", OF},
    [EXPR_INSTANCES] = {print_collection, "", 0},
    [EXPR_AT] = {print_collection, "", 0},
    [EXPR_FIELD] = {print_field, ".", 0},
    [EXPR_ENTRIES] = {print_word, "entries", 0},
    [EXPR_DUE_DAY] = {print_due_day, "due-day", 0},
    [EXPR_START_OF] = {print_call, "start-of", 0},
    [EXPR_END_OF] = {print_call, "end-of", 0},
};

static void print(struct printer *p, const struct expr *x, int tightness)
{
    int own = shapes[x->op].tightness ? shapes[x->op].tightness : TIGHT;
    word(p, own < tightness ? S("(") : S(""));
    shapes[x->op].op(p, x, shapes[x->op].text);
    word(p, own < tightness ? S(")") : S(""));
}

struct slice expr_print(struct arena *a, const struct expr_names *names, const struct expr *x)
{
    struct printer p = {.arena = a, .names = names};
    if (!x)
        return S("");
    print(&p, x, LOOSE);
    struct slice text = arena_dup(a, buf_slice(&p.out));
    buf_free(&p.out);
    return text;
}
