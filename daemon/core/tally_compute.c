/* From entries to points: items within their bounds, rounded once each, then the total, rounded once. */
#include "core/expr_ops.h"
#include "core/tally.h"

static const struct type entry_record = {.tag = TYPE_RECORD, .fields = tally_entry, .nfields = ENTRY_FIELDS};
static const struct type result_record = {
    .tag = TYPE_RECORD, .fields = tally_result, .nfields = RESULT_FIELDS};

const struct field tally_entry[ENTRY_FIELDS] = {
    [ENTRY_ITEM] = {{"item", 4}, {.tag = TYPE_TEXT}},
    [ENTRY_POINTS] = {{"points", 6}, {.tag = TYPE_NUMBER}},
    [ENTRY_REASON] = {{"reason", 6}, {.tag = TYPE_TEXT, .optional = true}},
    [ENTRY_SOURCE] = {{"source", 6}, {.tag = TYPE_TEXT}},
    [ENTRY_ID] = {{"id", 2}, {.tag = TYPE_TEXT}},
    [ENTRY_AT] = {{"at", 2}, {.tag = TYPE_INSTANT}},
};
const struct field tally_result[RESULT_FIELDS] = {
    [RESULT_ITEM] = {{"item", 4}, {.tag = TYPE_TEXT}},
    [RESULT_POINTS] = {{"points", 6}, {.tag = TYPE_NUMBER, .optional = true}},
    [RESULT_COMPUTED] = {{"computed", 8}, {.tag = TYPE_NUMBER, .optional = true}},
    [RESULT_BOUND] = {{"bound", 5}, {.tag = TYPE_TEXT, .optional = true}},
};
const struct field tally_vars[TALLY_VARS] = {
    [TALLY_ENTRIES] = {{"entries", 7}, {.tag = TYPE_LIST, .of = &entry_record}},
    [TALLY_SELF] = {{"self", 4}, {.tag = TYPE_LIST, .of = &entry_record}},
    [TALLY_REVIEW] = {{"review", 6}, {.tag = TYPE_LIST, .of = &entry_record}},
    [TALLY_ITEMS] = {{"items", 5}, {.tag = TYPE_LIST, .of = &result_record}},
    [TALLY_TOTAL] = {{"total", 5}, {.tag = TYPE_NUMBER, .optional = true}},
    [TALLY_SELF_TOTAL] = {{"self-total", 10}, {.tag = TYPE_NUMBER, .optional = true}},
};

/* ---- entries */

struct value eval_entries(struct eval *ev, const struct expr *x)
{
    (void)x;
    return ev->entries ? *ev->entries : NA;
}

static struct slice item_of(const struct value *entry)
{
    return entry->record.field[ENTRY_ITEM].text;
}

/* The entries of one item. */
static struct value entries_of(struct arena *a, const struct value *all, struct slice item)
{
    struct value of = {.tag = VALUE_LIST, .list = {ARENA_ARRAY(a, struct value, all->list.n), 0}};
    for (size_t i = 0; i < all->list.n; i++)
        if (slice_eq(item_of(&all->list.item[i]), item))
            of.list.item[of.list.n++] = all->list.item[i];
    return of;
}

/* The last entry of an item; NULL: none. */
static const struct value *entry_of(const struct value *all, struct slice item)
{
    for (size_t i = all->list.n; i-- > 0;)
        if (slice_eq(item_of(&all->list.item[i]), item))
            return &all->list.item[i];
    return NULL;
}

/* ---- one computation */

struct computing {
    struct eval *base;
    const struct tally *t;
    const struct instance *i;
    struct tally_score *out;
};

static void compute_fail(struct computing *c, const char *why, uint32_t place)
{
    if (c->out->failed)
        return;
    c->out->failed = why;
    c->out->failed_at = place;
}

static struct value compute(struct computing *c, const struct expr *x, const struct value *entries,
                            const struct value *row)
{
    struct row bound = {.item = row};
    struct eval ev = *c->base;
    ev.event = NULL;
    ev.instance = c->i;
    ev.entries = entries;
    ev.row = row ? &bound : NULL;
    ev.cost = 0;
    struct value v = expr_eval(&ev, x);
    c->base->cost += ev.cost;
    if (ev.failed)
        compute_fail(c, ev.failed, ev.failed_at ? ev.failed_at->place : x->place);
    return v.tag == VALUE_NUMBER && !c->out->failed ? v : NA;
}

static struct value sum(struct computing *c, const struct value *v, size_t n, uint32_t place)
{
    struct rat total = rat_int(0);
    for (size_t i = 0; i < n; i++) {
        if (v[i].tag != VALUE_NUMBER)
            return NA; /* a total with a hole in it would be a wrong figure */
        if (rat_add(total, v[i].number, &total) != RAT_OK) {
            compute_fail(c, "overflow", place);
            return NA;
        }
    }
    return value_number(total);
}

static struct value sum_of_entries(struct computing *c, const struct value *entries, uint32_t place)
{
    struct value *points = ARENA_ARRAY(c->base->arena, struct value, entries->list.n);
    for (size_t i = 0; i < entries->list.n; i++)
        points[i] = entries->list.item[i].record.field[ENTRY_POINTS];
    return sum(c, points, entries->list.n, place);
}

static struct value rounded(struct computing *c, struct value v, uint32_t place)
{
    if (c->t->rounds && v.tag == VALUE_NUMBER && rat_round(v.number, c->t->round, &v.number) != RAT_OK) {
        compute_fail(c, "overflow", place);
        return NA;
    }
    return v;
}

/* A bound that is n/a cannot be kept, so nothing can be said of the item. */
static struct value bounded(struct computing *c, const struct tally_item *item, const struct value *entries,
                            struct value v, struct slice *bound)
{
    const struct {
        const struct expr *at;
        int beyond; /* how a value compares that lies outside */
        struct slice name;
    } bounds[] = {{item->cap, 1, S("cap")}, {item->floor, -1, S("floor")}};
    for (size_t i = 0; i < 2 && v.tag == VALUE_NUMBER; i++) {
        struct value at = bounds[i].at ? compute(c, bounds[i].at, entries, NULL) : v;
        if (at.tag != VALUE_NUMBER)
            return NA;
        if (rat_cmp(v.number, at.number) * bounds[i].beyond <= 0)
            continue;
        *bound = bounds[i].name;
        v = at;
    }
    return v;
}

static void compute_row(struct computing *c, const struct tally_item *item, struct slice name,
                        struct tally_row *row)
{
    static const struct tally_item unnamed;
    const struct value *vars = c->i->vars;
    const struct tally_item *of = item ? item : &unnamed;
    uint32_t place = item ? item->place : c->t->place;
    struct value entries = entries_of(c->base->arena, &vars[TALLY_ENTRIES], name);
    const struct value *self = entry_of(&vars[TALLY_SELF], name);
    *row = (struct tally_row){.name = name, .title = of->title, .basis = of->basis};
    struct value v = of->value ? compute(c, of->value, &entries, NULL) : sum_of_entries(c, &entries, place);
    v = bounded(c, of, &entries, v, &row->bound);
    row->computed = rounded(c, v, place);
    row->self = self ? self->record.field[ENTRY_POINTS] : NA;
    row->review = entry_of(&vars[TALLY_REVIEW], name);
    row->points = row->review ? rounded(c, row->review->record.field[ENTRY_POINTS], place) : row->computed;
}

/* ---- which rows there are */

static bool name_known(const struct slice *name, size_t n, struct slice wanted)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(name[i], wanted))
            return true;
    return false;
}

/* Items that records name, in the order in which they came: credited, self scored, reviewed. */
static size_t named_items(const struct instance *i, struct arena *a, struct slice **out)
{
    static const enum tally_var lists[] = {TALLY_ENTRIES, TALLY_SELF, TALLY_REVIEW};
    size_t n = 0, most = 0;
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
        most += i->vars[lists[l]].list.n;
    *out = ARENA_ARRAY(a, struct slice, most);
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        const struct value *list = &i->vars[lists[l]];
        for (size_t k = 0; k < list->list.n; k++)
            if (!name_known(*out, n, item_of(&list->list.item[k])))
                (*out)[n++] = item_of(&list->list.item[k]);
    }
    return n;
}

static void compute_rows(struct computing *c)
{
    struct tally_score *out = c->out;
    struct slice *name = NULL;
    size_t n = c->t->nitems ? c->t->nitems : named_items(c->i, c->base->arena, &name);
    out->rows = ARENA_ARRAY(c->base->arena, struct tally_row, n);
    for (; out->n < n && !out->failed; out->n++) {
        const struct tally_item *item = c->t->nitems ? &c->t->items[out->n] : NULL;
        compute_row(c, item, item ? item->name : name[out->n], &out->rows[out->n]);
    }
}

static void compute_total(struct computing *c)
{
    struct tally_score *out = c->out;
    struct value *points = ARENA_ARRAY(c->base->arena, struct value, out->n);
    for (size_t i = 0; i < out->n; i++)
        points[i] = out->rows[i].points;
    struct value row = {.tag = VALUE_RECORD, .record = {.field = points, .n = out->n}};
    struct value v =
        c->t->total ? compute(c, c->t->total, out->entries, &row) : sum(c, points, out->n, c->t->place);
    out->total = rounded(c, v, c->t->place);
}

/* ---- a closed one stays as it was */

static struct slice text_of(const struct value *v)
{
    return v->tag == VALUE_TEXT ? v->text : S("");
}

static void read_closed(struct computing *c)
{
    const struct value *vars = c->i->vars, *items = &vars[TALLY_ITEMS];
    struct tally_score *out = c->out;
    out->closed = true;
    out->total = vars[TALLY_TOTAL];
    out->rows = ARENA_ARRAY(c->base->arena, struct tally_row, items->list.n);
    for (; out->n < items->list.n; out->n++) {
        const struct value *f = items->list.item[out->n].record.field;
        struct tally_row *row = &out->rows[out->n];
        *row = (struct tally_row){.name = f[RESULT_ITEM].text,
                                  .points = f[RESULT_POINTS],
                                  .computed = f[RESULT_COMPUTED],
                                  .bound = text_of(&f[RESULT_BOUND])};
        const struct value *self = entry_of(&vars[TALLY_SELF], row->name);
        row->self = self ? self->record.field[ENTRY_POINTS] : NA;
        row->review = entry_of(&vars[TALLY_REVIEW], row->name);
        for (size_t k = 0; k < c->t->nitems; k++)
            if (slice_eq(c->t->items[k].name, row->name)) {
                row->title = c->t->items[k].title;
                row->basis = c->t->items[k].basis;
            }
    }
}

void tally_compute(struct eval *base, int tally, const struct instance *i, struct tally_score *out)
{
    struct computing c = {base, &base->program->tallies[tally], i, out};
    *out = (struct tally_score){
        .total = NA, .self_total = i->vars[TALLY_SELF_TOTAL], .entries = &i->vars[TALLY_ENTRIES]};
    if (i->state == TALLY_CLOSED) {
        read_closed(&c);
        return;
    }
    compute_rows(&c);
    if (!out->failed)
        compute_total(&c);
}

/* ---- whom and when */

struct instance *tally_blank(const struct program *p, int tally, struct slice unit, struct period period,
                             struct arena *a)
{
    const struct tally *t = &p->tallies[tally];
    struct instance *i = ARENA_NEW(a, struct instance);
    *i = (struct instance){.machine = t->machine,
                           .key = {unit, period_format(a, period)},
                           .state = TALLY_OPEN,
                           .vars = p->machines[t->machine].var_start,
                           .limit = INSTANT_NONE};
    return i;
}

bool tally_scores_period(const struct tally *t, struct period period)
{
    return period.kind == t->period && span_has(t->span, period_first(period));
}

bool tally_scores_unit(const struct program *p, const struct tally *t, struct slice unit,
                       struct period period, date_t today)
{
    date_t last = period_end(period) - 1;
    const struct unit *u = program_unit(p, unit, last < today ? last : today);
    for (size_t r = 0; u && r < t->nof; r++)
        if (unit_has_role(u, t->of[r]))
            return true;
    return false;
}
