/* Tallies: 考评, 扣分. Each compiles to a machine of its own, kept per unit and period, open until it is
 * published. */
#include "lang/tallies.h"

static const struct key_def tally_keys[] = {
    {"title", YAML_NULL, true, "title", NULL, "what people read"},
    {"basis", YAML_SCALAR, true, "article", NULL, "where the text scores"},
    {"of", YAML_NULL, true, "role or list", NULL, "who is scored: whoever holds it on the period's last day"},
    {"period", YAML_SCALAR, true, "period kind, constant", NULL, "what one score is for"},
    {"span", YAML_SCALAR, false, "FIRST/LAST of periods", "`effective`",
     "the periods that begin in it are scored"},
    {"let", YAML_MAP, false, "map of expression", NULL, "shared by items and total"},
    {"items", YAML_NULL, true, "map of item or credit or list of credit", NULL,
     "what is scored; with a credit (`each`, `item`, `points`) or a list of them, the records name the "
     "items"},
    {"total", YAML_NULL, false, "number expression", "the sum of all items",
     "over the items' names and the `let`s"},
    {"round", YAML_SCALAR, false, "0 to 9, constant", "exact",
     "places: each item is rounded once, then the total of the rounded items once; half away from zero"},
    {"self", YAML_SCALAR, false, "event name", NULL,
     "the unit's own score: fields `item` and `points`, or a list of lines with them. It stands beside "
     "the points; `total` of the event, else the sum, is the self-total. A new sheet of lines stands in "
     "place of the last"},
    {"review", YAML_SCALAR, false, "event name", NULL,
     "the reviewer's: the same fields, and `reason`. Its points stand in place of what was computed"},
    {"closes", YAML_SCALAR, true, "EVENT where CONDITION", NULL,
     "publication of the period that the event belongs to; the condition sees `event.X` and `period`"},
};
const struct key_table tally_table = KEY_TABLE(tally_keys);

static struct tally_at at_of(struct compiler *c, size_t i)
{
    return (struct tally_at){
        .c = c, .t = &c->program->tallies[i], .index = (int)i, .node = build_of(c)->tallies.item[i].node};
}

/* ---- names */

/* 2022-04/2022-12: periods or days, both included. */
static bool bound_read(struct slice text, bool end, date_t *out)
{
    struct period p;
    date_t d;
    if (text.n == 0)
        return true;
    if (date_parse(text, &d))
        *out = end ? d + 1 : d;
    else if (period_parse(text, &p) && p.kind != PERIOD_ONCE)
        *out = end ? period_end(p) : period_first(p);
    else
        return false;
    return true;
}

/* False after a diagnostic. */
static bool span_parse(struct compiler *c, const struct yaml *node, struct span *out)
{
    struct slice rest = node->text, from = slice_trim(slice_cut(&rest, '/')), until = slice_trim(rest);
    *out = (struct span){DATE_NONE, DATE_NONE};
    bool two = memchr(node->text.p ? node->text.p : "", '/', node->text.n) != NULL;
    if (two && bound_read(from, false, &out->from) && bound_read(until, true, &out->until))
        return true;
    ERROR_AT(c, EFFECTIVE, node, "two periods or days, both included: 2022-04/2022-12",
             "“%.*s” is no span of periods", SLICE_ARG(node->text));
    return false;
}

static void span_read(struct tally_at *at, const struct declared *d)
{
    const struct yaml *node = yaml_get(d->node, "span");
    struct span *own = &at->t->span, all = at->c->program->effective;
    if (is_scalar(node) && !span_parse(at->c, node, own))
        return;
    struct period first = period_of_date(at->t->period, own->from == DATE_NONE ? 0 : own->from);
    if (own->from != DATE_NONE && period_first(first) < own->from)
        first = period_step(first, 1);
    bool outside = all.from != DATE_NONE && own->until != DATE_NONE && own->until <= all.from;
    outside |= all.until != DATE_NONE && own->from != DATE_NONE && own->from >= all.until;
    if (own->from != DATE_NONE && own->until != DATE_NONE && period_first(first) >= own->until)
        ERROR_AT(at->c, TALLY_SPAN, node ? node : d->key, "span: with the beginning of a period in it",
                 "no %s begins in the span of “%.*s”", period_kind_name(at->t->period), SLICE_ARG(d->name));
    else if (outside)
        ERROR_AT(at->c, TALLY_SPAN, node, "a span within effective:", "the workflow is not in force then");
}

static void closed_kind(struct tally_at *at, const struct declared *d)
{
    struct compiler *c = at->c;
    struct tally *t = at->t;
    struct field *f = ARENA_ARRAY(c->arena, struct field, t->nitems + 3);
    struct type points = {.tag = TYPE_NUMBER, .optional = true};
    f[0] = (struct field){S("unit"), {.tag = TYPE_UNIT}};
    f[1] = (struct field){S("period"), {.tag = TYPE_PERIOD, .period_kind = t->period}};
    f[2] = (struct field){S("total"), points};
    for (size_t i = 0; i < t->nitems; i++)
        f[3 + i] = (struct field){t->items[i].name, points};
    t->kind_closed = (int)c->program->nkinds;
    struct kind *k =
        kind_add(c, arena_printf(c->arena, "%.*s closed", SLICE_ARG(d->name)), KIND_CLASS_CLOSED, d->key);
    k->fields = f;
    k->nfields = t->nitems + 3;
    k->dated = 1;
    k->voice = VOICE_EITHER;
}

void tallies_name(struct compiler *c)
{
    struct build *b = build_of(c);
    struct program *p = c->program;
    section_collect(b, "tallies", &b->tallies);
    p->tallies = ARENA_ARRAY(c->arena, struct tally, b->tallies.n + 1);
    b->tally_use = ARENA_ARRAY(c->arena, struct tally_use, b->tallies.n + 1);
    for (size_t i = 0; i < b->tallies.n; i++) {
        const struct declared *d = &b->tallies.item[i];
        struct tally *t = &p->tallies[p->ntallies++];
        struct tally_at at = at_of(c, i);
        *t = (struct tally){.name = d->name,
                            .period = PERIOD_MONTH,
                            .span = p->effective,
                            .self = {.kind = -1},
                            .review = {.kind = -1},
                            .closes_kind = -1,
                            .place = place_of(c, d->key)};
        if (keys_check(c, d->node, tally_keys, sizeof tally_keys / sizeof *tally_keys,
                       arena_printf(c->arena, "tally %.*s", SLICE_ARG(d->name)).p)) {
            t->title = read_title(c, yaml_get(d->node, "title"));
            t->basis = read_text(d->node, "basis");
            read_roles(c, yaml_get(d->node, "of"), &t->of, &t->nof);
            read_period_kind(c, yaml_get(d->node, "period"), &t->period);
            span_read(&at, d);
            t->rounds = read_count(c, yaml_get(d->node, "round"), 0, 9, &t->round);
            tally_items_name(&at);
        }
        b->tally_use[i].item = ARENA_ARRAY(c->arena, bool, t->nitems + 1);
        closed_kind(&at, d);
    }
}

/* ---- machines */

static void lets_declare(struct tally_at *at, struct machine *m)
{
    struct compiler *c = at->c;
    const struct yaml *lets = yaml_get(at->node, "let");
    size_t n = map_size(c, lets);
    m->lets = ARENA_ARRAY(c->arena, struct let, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct yaml *key = lets->pairs[i].key;
        bool twice = slice_eq(key->text, S("unit")) || slice_eq(key->text, S("period"));
        for (size_t k = 0; k < at->t->nitems; k++)
            twice |= slice_eq(at->t->items[k].name, key->text);
        name_check_bare(c, key, "a part of a tally");
        if (twice)
            ERROR_AT(c, DECLARED_TWICE, key, "a name that neither the key nor an item has",
                     "“%.*s” names two things of this tally", SLICE_ARG(key->text));
        m->lets[m->nlets++] = (struct let){.name = key->text};
    }
}

static void machine_fill(struct tally_at *at, struct machine *m)
{
    static const struct {
        struct slice name, title;
    } states[] = {[TALLY_OPEN] = {{"open", 4}, {"记分中", sizeof "记分中" - 1}},
                  [TALLY_CLOSED] = {{"closed", 6}, {"已公布", sizeof "已公布" - 1}}};
    struct compiler *c = at->c;
    m->hidden = true; /* people see scores, not cases */
    m->title = at->t->title;
    m->basis = at->t->basis;
    m->nkey = 2;
    m->unit_key = 0;
    m->key[0] = (struct field){S("unit"), type_unit};
    m->key[1] = (struct field){S("period"), {.tag = TYPE_PERIOD, .period_kind = at->t->period}};
    m->vars = ARENA_ARRAY(c->arena, struct field, TALLY_VARS);
    m->var_start = ARENA_ARRAY(c->arena, struct value, TALLY_VARS);
    m->nvars = TALLY_VARS;
    for (int v = 0; v < TALLY_VARS; v++) {
        m->vars[v] = tally_vars[v];
        if (tally_vars[v].type.tag == TYPE_LIST)
            m->var_start[v].tag = VALUE_LIST;
    }
    m->nstates = sizeof states / sizeof *states;
    m->states = ARENA_ARRAY(c->arena, struct state, m->nstates);
    for (size_t s = 0; s < m->nstates; s++)
        m->states[s] = (struct state){.name = states[s].name,
                                      .title = states[s].title,
                                      .final = s == TALLY_CLOSED,
                                      .group = -1,
                                      .place = m->place};
    lets_declare(at, m);
}

void tallies_declare(struct compiler *c)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->tallies.n; i++) {
        const struct declared *d = &b->tallies.item[i];
        struct tally_at at = at_of(c, i);
        if (program_machine(c->program, d->name) >= 0)
            ERROR_AT(c, DECLARED_TWICE, d->key, "another name", "there is a machine “%.*s” already",
                     SLICE_ARG(d->name));
        at.t->machine = machine_add(c, d->name, d->key);
        machine_fill(&at, &c->program->machines[at.t->machine]);
    }
}

/* ---- expressions */

static void lets_compile(struct tally_at *at)
{
    for (size_t i = 0; i < at->scope.machine->nlets; i++)
        let_compile(&at->scope, i);
}

static void total_compile(struct tally_at *at, const struct yaml *node)
{
    struct scope s = at->scope;
    struct field *row = ARENA_ARRAY(at->c->arena, struct field, at->t->nitems + 1);
    for (size_t i = 0; i < at->t->nitems; i++)
        row[i] = (struct field){at->t->items[i].name, {.tag = TYPE_NUMBER, .optional = true}};
    s.row = row;
    s.nrow = at->t->nitems;
    if (is_scalar(node))
        at->t->total = expr_compile(&s, node, &type_number);
    else if (node)
        ERROR_AT(at->c, SHAPE, node, "an expression over the items: (work + timely) × 70%",
                 "total: is one expression");
}

/* What the items see: the tally's key and lets. What it kept so far is theirs through `entries` alone. */
static void scope_make(struct tally_at *at, struct machine *draft)
{
    struct compiler *c = at->c;
    const struct machine *m = &c->program->machines[at->t->machine];
    const struct yaml *lets = yaml_get(at->node, "let");
    struct let_source *source = ARENA_ARRAY(c->arena, struct let_source, m->nlets + 1);
    for (size_t i = 0; i < m->nlets; i++)
        source[i] = (struct let_source){m->lets[i].name, lets->pairs[i].value};
    *draft = *m;
    draft->nvars = 0;
    at->scope = (struct scope){.c = c,
                               .machine = draft,
                               .kind = -1,
                               .lets = source,
                               .nlets = m->nlets,
                               .entries = &tally_vars[TALLY_ENTRIES].type};
}

void tallies_compile(struct compiler *c)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->tallies.n; i++) {
        const struct declared *d = &b->tallies.item[i];
        struct tally_at at = at_of(c, i);
        struct machine draft;
        if (d->node->kind != YAML_MAP)
            continue;
        scope_make(&at, &draft);
        tally_column_read(&at, yaml_get(d->node, "self"), true, &at.t->self);
        tally_column_read(&at, yaml_get(d->node, "review"), false, &at.t->review);
        tally_closes_read(&at, yaml_get(d->node, "closes"));
        tally_items_compile(&at);
        total_compile(&at, yaml_get(d->node, "total"));
        lets_compile(&at);
        if (draft.nlatest)
            ERROR_AT(c, EXPR_CONTEXT, d->key, "entries, or a collection", "a tally keeps no latest event");
    }
}
