/* Which rows an event reaches, and what it says of them. */
#include "lang/ledgers.h"

/* ---- conditions */

/* Whether the value is a matter of the event (and the roster) alone. */
static bool of_event(const struct expr *x)
{
    static const enum expr_op of_row[] = {EXPR_KEY,     EXPR_VAR,        EXPR_COUNT,     EXPR_LATEST,
                                          EXPR_LET,     EXPR_META,       EXPR_ROW_FIELD, EXPR_ROW,
                                          EXPR_ENTRIES, EXPR_OBLIGATION, EXPR_INSTANCES, EXPR_AT};
    for (size_t i = 0; i < sizeof of_row / sizeof *of_row; i++)
        if (x->op == of_row[i])
            return false;
    for (size_t i = 0; i < x->nargs; i++)
        if (x->arg[i] && !of_event(x->arg[i]))
            return false;
    return true;
}

static bool is_key(const struct expr *x, size_t part)
{
    return x->op == EXPR_KEY && x->index == (int)part;
}

static bool is_many(const struct expr *x)
{
    return x->type.tag == TYPE_SET || x->type.tag == TYPE_LIST;
}

/* What a condition says that part of the key must be (or be one of); NULL: it leaves that open. */
static const struct expr *part_said(const struct expr *x, size_t part)
{
    const struct expr *said = NULL;
    if (!x)
        return NULL;
    for (size_t i = 0; x->op == EXPR_AND && i < x->nargs && !said; i++)
        said = part_said(x->arg[i], part);
    for (size_t i = 0; x->op == EXPR_EQ && i < 2 && !said; i++)
        if (is_key(x->arg[i], part))
            said = x->arg[1 - i];
    if (x->op == EXPR_IN && is_key(x->arg[0], part) && is_many(x->arg[1]))
        said = x->arg[1];
    if (x->op == EXPR_HAS && is_key(x->arg[1], part) && is_many(x->arg[0]))
        said = x->arg[0];
    return said && of_event(said) ? said : NULL;
}

static const struct expr *join(struct machine_at *at, enum expr_op op, const struct expr *a,
                               const struct expr *b, const struct yaml *place)
{
    struct expr *x = ARENA_NEW(at->c->arena, struct expr);
    const struct expr **arg = ARENA_ARRAY(at->c->arena, const struct expr *, 2);
    arg[0] = a;
    arg[1] = b;
    *x = (struct expr){.op = op, .type = type_yesno, .arg = arg, .nargs = 2, .place = place_of(at->c, place)};
    return x;
}

static const struct expr *number(struct machine_at *at, int64_t n, const struct yaml *place)
{
    struct expr *x = ARENA_NEW(at->c->arena, struct expr);
    *x = (struct expr){.op = EXPR_CONST,
                       .type = type_number,
                       .constant = {.tag = VALUE_NUMBER, .number = rat_int(n)},
                       .place = place_of(at->c, place)};
    return x;
}

/* ---- an event's kind and condition */

static bool binding_resolve(struct machine_at *at, struct binding *b, bool files)
{
    struct compiler *c = at->c;
    if (b->kind < 0)
        b->kind = read_kind(c, b->at, false);
    if (b->kind < 0)
        return false;
    if (b->kind == KIND_TIMER || (b->kind < KIND_READING && files)) {
        ERROR_AT(c, LEDGER_EVENT, b->at,
                 "an event of events:, a ranking's entry, or one that a machine raises",
                 "“%.*s” tells of tasks, and files no row", SLICE_ARG(b->at->text));
        return false;
    }
    c->kind_used[b->kind] = true;
    struct scope s = files ? (struct scope){.c = c} : at->scope;
    s.kind = b->kind;
    if (b->condition.n)
        b->where = expr_compile_part(&s, b->condition_at, b->condition, &type_yesno);
    return b->condition.n == 0 || b->where;
}

/* ---- reach */

static const struct key_def row_event_keys[] = {
    {"when", YAML_SCALAR, true, "event name", NULL, "a declared event, a ranking's entry, or one that a machine raises"},
    {"where", YAML_SCALAR, false, "condition", "always", "over the event, and the row by its key and fields"},
    {"for", YAML_SCALAR, false, "expression", NULL,
     "`each of X`: a row for each; the parts are evaluated for each, as `it` or by its fields"},
};
const struct key_table row_event_table = KEY_TABLE(row_event_keys);

static bool row_event_key(struct slice name)
{
    for (size_t i = 0; i < row_event_table.n; i++)
        if (slice_eq(name, slice_of(row_event_table.key[i].name)))
            return true;
    return false;
}

static void parts_check(struct machine_at *at, const struct binding *b)
{
    struct compiler *c = at->c;
    for (size_t i = 0; b->parts && i < b->parts->n; i++) {
        const struct yaml *key = b->parts->pairs[i].key;
        if (!row_event_key(key->text) && field_find(at->m->key, at->m->nkey, key->text) < 0)
            ERROR_AT(c, REACH, key, field_hint(c, at->m->key, at->m->nkey, key->text),
                     "“%.*s” is neither when, where, for nor a part of the ledger's key",
                     SLICE_ARG(key->text));
    }
}

static const struct yaml *part_given(const struct binding *b, struct slice name)
{
    for (size_t i = 0; b->parts && i < b->parts->n; i++)
        if (slice_eq(b->parts->pairs[i].key->text, name))
            return b->parts->pairs[i].value;
    return NULL;
}

/* False after a diagnostic; *out NULL: any row. */
static bool binding_part(struct machine_at *at, const struct scope *s, const struct binding *b, size_t part,
                         bool files, const struct expr **out)
{
    struct compiler *c = at->c;
    const struct field *key = &at->m->key[part];
    const struct yaml *given = part_given(b, key->name);
    *out = NULL;
    if (given && !is_scalar(given)) {
        ERROR_AT(c, SHAPE, given, "an expression", "a key part is one expression");
        return false;
    }
    if (given && !files && slice_eq(slice_trim(given->text), S("any")))
        return true;
    if (given)
        return (*out = reach_given(at, s, part, given)) != NULL;
    if (!files && (*out = part_said(b->where, part)) != NULL && type_names(&key->type, &(*out)->type))
        return true;
    *out = reach_default(at, b->kind, part, b->at);
    if (*out)
        return reach_fits(at, part, *out, b->at);
    if (!files && b->where)
        return true;
    reach_missing(
        at, b->kind, part, b->at,
        arena_printf(c->arena, "{when: %.*s, %.*s: …}", SLICE_ARG(b->at->text), SLICE_ARG(key->name)).p);
    return false;
}

/* `for: each X`: the parts are evaluated for each item, as `it` or by its fields. */
static bool binding_each(struct machine_at *at, const struct binding *b, struct scope *s, struct reach *r)
{
    const struct yaml *node = part_given(b, S("for"));
    if (!node)
        return true;
    r->each = is_scalar(node) ? reach_set(s, node) : NULL;
    if (!r->each)
        return false;
    if (r->each->type.tag != TYPE_SET && r->each->type.tag != TYPE_LIST) {
        ERROR_AT(at->c, EXPR_TYPE, node, "a set or a list", "this is %.*s",
                 SLICE_ARG(type_format(at->c->arena, &r->each->type)));
        return false;
    }
    s->item = r->each->type.of;
    return true;
}

static void binding_reach(struct machine_at *at, struct binding *b, bool files)
{
    struct machine *m = at->m;
    if (!binding_resolve(at, b, files) || m->nkey == 0)
        return;
    struct scope s = {.c = at->c, .kind = b->kind};
    struct reach r = {.kind = b->kind,
                      .where = b->where,
                      .key = ARENA_ARRAY(at->c->arena, const struct expr *, m->nkey),
                      .born = files};
    parts_check(at, b);
    bool whole = binding_each(at, b, &s, &r);
    for (size_t i = 0; i < m->nkey && whole; i++)
        whole &= binding_part(at, &s, b, i, files, &r.key[i]);
    if (whole)
        m->reach[m->nreach++] = r;
}

/* ---- fills */

struct filling {
    struct machine_at *at;
    struct ledger *l;
    size_t cap;
};

static void fill_add(struct filling *f, int kind, const struct expr *if_, int var, const struct expr *value)
{
    struct machine *m = f->at->m;
    struct fill *fill = arena_push(f->at->c->arena, &m->fills, &m->nfills, &f->cap, sizeof *fill);
    *fill = (struct fill){kind, if_, var, value};
}

/* When any of the filings by this kind is meant: NULL always. */
static const struct expr *filed_when(const struct filling *f, int kind)
{
    const struct expr *any = NULL;
    for (size_t i = 0; i < f->l->filed.n; i++) {
        const struct binding *b = &f->l->filed.item[i];
        if (b->kind != kind)
            continue;
        if (!b->where)
            return NULL;
        any = any ? join(f->at, EXPR_OR, any, b->where, b->at) : b->where;
    }
    return any;
}

static const struct expr *limit_value(const struct filling *f, const struct binding *b)
{
    struct compiler *c = f->at->c;
    const struct kind *k = &c->program->kinds[b->kind];
    const struct yaml *node = yaml_get(f->l->node, "limit");
    struct scope s = f->at->scope;
    s.kind = b->kind;
    int field = field_find(k->fields, k->nfields, S("limit"));
    const struct expr *x = is_scalar(node) ? expr_compile(&s, node, NULL)
                           : field >= 0    ? expr_make(c, EXPR_EVENT, field, k->fields[field].type, b->at)
                                           : NULL;
    if (!x || x->type.tag == TYPE_DATE || x->type.tag == TYPE_INSTANT)
        return x;
    ERROR_AT(c, LEDGER_LIMIT, node ? node : b->at, "a date, whose 24:00 is meant, or an instant",
             "the limit of a row cannot be %.*s%s", SLICE_ARG(type_plain(c, &x->type)),
             node ? "" : ", as this event's field “limit” is");
    return NULL;
}

/* A filing says the row anew: what it does not give is no longer there. */
static void filing_fills(struct filling *f, const struct binding *b)
{
    struct compiler *c = f->at->c;
    const struct machine *m = f->at->m;
    const struct kind *k = &c->program->kinds[b->kind];
    const struct expr *when = filed_when(f, b->kind), *limit = limit_value(f, b);
    const struct expr *version = expr_make(c, EXPR_VAR, f->l->version, type_number, b->at);
    for (size_t i = 0; i < k->nfields; i++) {
        int var = field_find(m->vars, m->nvars, k->fields[i].name);
        if (var >= 0 && !slice_eq(k->fields[i].name, S("limit")))
            fill_add(f, b->kind, when, var, expr_make(c, EXPR_EVENT, (int)i, k->fields[i].type, b->at));
    }
    struct expr *next = ARENA_NEW(c->arena, struct expr);
    *next = *join(f->at, EXPR_ADD, version, number(f->at, 1, b->at), b->at);
    next->type = type_number;
    fill_add(f, b->kind, when, f->l->version, next);
    if (limit)
        fill_add(f, b->kind, when, FILL_LIMIT, limit);
}

static void fills_make(struct machine_at *at, struct ledger *l)
{
    struct filling f = {.at = at, .l = l};
    for (size_t i = 0; i < l->filed.n; i++) {
        bool known = l->filed.item[i].kind < 0;
        for (size_t k = 0; k < i && !known; k++)
            known = l->filed.item[k].kind == l->filed.item[i].kind;
        if (!known)
            filing_fills(&f, &l->filed.item[i]);
    }
    for (size_t i = 0; i < l->nmarks; i++)
        for (size_t k = 0; k < l->marks[i].by.n && l->marks[i].var >= 0; k++)
            if (l->marks[i].by.item[k].kind >= 0)
                fill_add(&f, l->marks[i].by.item[k].kind, l->marks[i].by.item[k].where, l->marks[i].var,
                         NULL);
}

/* ---- the whole */

size_t ledger_bindings(const struct ledger *l)
{
    size_t n = l->filed.n + l->closed.n + l->reopened.n;
    for (size_t i = 0; i < l->nmarks; i++)
        n += l->marks[i].by.n;
    return n;
}

static size_t reach_all(struct machine_at *at, struct bindings *b, bool files, int *kind)
{
    for (size_t i = 0; i < b->n; i++) {
        binding_reach(at, &b->item[i], files);
        kind[i] = b->item[i].kind;
    }
    return b->n;
}

size_t ledger_reach(struct machine_at *at, struct ledger *l, int *kind)
{
    size_t n = reach_all(at, &l->filed, true, kind);
    n += reach_all(at, &l->closed, false, kind + n);
    n += reach_all(at, &l->reopened, false, kind + n);
    for (size_t i = 0; i < l->nmarks; i++)
        n += reach_all(at, &l->marks[i].by, false, kind + n);
    fills_make(at, l);
    return n;
}

void ledger_guard(struct machine_at *at, const struct yaml *node, struct rule *r)
{
    const struct ledger *l = ledger_of(at->c, at->m);
    for (size_t i = 0; l && i < l->nrules; i++) {
        const struct row_rule *rule = &l->rules[i];
        if (rule->rule != node)
            continue;
        const struct expr *guard = rule->by->where;
        if (rule->event == ROW_FILED || rule->event == ROW_AMENDED) {
            const struct expr *version = expr_make(at->c, EXPR_VAR, l->version, type_number, rule->by->at);
            const struct expr *which = join(at, rule->event == ROW_FILED ? EXPR_EQ : EXPR_NE, version,
                                            number(at, 1, rule->by->at), rule->by->at);
            guard = guard ? join(at, EXPR_AND, which, guard, rule->by->at) : which;
        }
        if (guard)
            r->if_ = r->if_ ? join(at, EXPR_AND, guard, r->if_, node) : guard;
        return;
    }
}

/* A life is right or wrong only together with the ledger whose rows live it. */
void ledger_blame(struct machine_at *at, const struct ledger *l, size_t before)
{
    struct compiler *c = at->c;
    struct diags *d = c->diags;
    const struct yaml *life = yaml_get(l->node, "life");
    if (!l->life || before > d->n)
        return;
    for (size_t i = before, n = d->n; i < n; i++) {
        struct diag was = d->item[i];
        bool names = was.code == DIAG_EXPR_NAME || was.code == DIAG_EXPR_TYPE ||
                     was.code == DIAG_EXPR_OPERAND || was.code == DIAG_EXPR_CONTEXT;
        if (!names || !slice_eq(was.file, l->life->key->file->shown) || was.line < l->life->key->line)
            continue;
        ERROR_AT(c, LEDGER_LIFE, life, was.expected.n ? was.expected.p : NULL,
                 "the life %.*s (%.*s:%d): %.*s", SLICE_ARG(l->life->name), SLICE_ARG(was.file), was.line,
                 SLICE_ARG(was.message));
        d->item[i] = d->item[d->n - 1]; /* in its place: they are sorted at the end */
        d->n--;
        d->errors--;
    }
}
