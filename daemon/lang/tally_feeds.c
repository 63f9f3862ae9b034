/* What records do to tallies: credit items, fill the self column, review, close. */
#include "lang/tallies.h"

static const struct key_def credit_keys[] = {
    {"each", YAML_SCALAR, true, "event name", NULL, "records of it are credited"},
    {"if", YAML_SCALAR, false, "condition", "all", "which of them; over the event"},
    {"points", YAML_SCALAR, true, "number expression", NULL, "how many each brings; over the event"},
    {"item", YAML_SCALAR, false, "text expression", "the item it stands in; else needed",
     "which item the record names; over the event"},
    {"unit", YAML_SCALAR, false, "units", "the event's", "whose points these are; over the event"},
    {"period", YAML_SCALAR, false, "period expression", "the one it belongs to", "when; over the event"},
    {"reason", YAML_SCALAR, false, "text expression", NULL, "kept with the entry; over the event"},
};
const struct key_table credit_table = KEY_TABLE(credit_keys);

/* ---- expressions */

const struct expr *tally_period_read(const struct scope *s, const struct tally *t, const struct yaml *node)
{
    const struct expr *x = expr_compile(s, node, NULL);
    bool period = x && x->type.tag == TYPE_PERIOD &&
                  (x->type.period_kind == PERIOD_ONCE || x->type.period_kind <= t->period);
    if (!x || period || x->type.tag == TYPE_DATE || x->type.tag == TYPE_INSTANT)
        return x;
    ERROR_AT(s->c, EXPR_TYPE, node,
             arena_printf(s->c->arena, "a %s, or a day in one", period_kind_name(t->period)).p,
             "this is %.*s, which does not say which %s", SLICE_ARG(type_format(s->c->arena, &x->type)),
             period_kind_name(t->period));
    return NULL;
}

static int item_find(const struct tally *t, struct slice name)
{
    for (size_t i = 0; i < t->nitems; i++)
        if (slice_eq(t->items[i].name, name))
            return (int)i;
    return -1;
}

static const char *item_hint(struct compiler *c, const struct tally *t, struct slice got)
{
    struct slice *name = ARENA_ARRAY(c->arena, struct slice, t->nitems + 1);
    for (size_t i = 0; i < t->nitems; i++)
        name[i] = t->items[i].name;
    return name_hint(c, got, name, t->nitems);
}

/* Words that stand for items: each must be one. Any text may be; the record has to name one then. */
static bool words_are_items(struct compiler *c, int tally, const struct type *type, const struct yaml *at)
{
    const struct tally *t = &c->program->tallies[tally];
    struct tally_use *use = &build_of(c)->tally_use[tally];
    if (type->tag != TYPE_ENUM || t->nitems == 0) {
        use->named = true;
        return true;
    }
    for (size_t w = 0; w < type->nwords; w++) {
        int item = item_find(t, type->words[w]);
        if (item < 0) {
            ERROR_AT(c, TALLY_UNKNOWN, at, item_hint(c, t, type->words[w]),
                     "tally %.*s has no item “%.*s”, which may be meant here", SLICE_ARG(t->name),
                     SLICE_ARG(type->words[w]));
            return false;
        }
        use->item[item] = true;
    }
    return true;
}

const struct expr *tally_item_read(const struct scope *s, int tally, const struct yaml *node)
{
    struct compiler *c = s->c;
    const struct expr *x = expr_compile(s, node, NULL);
    if (!x)
        return NULL;
    if (x->type.tag != TYPE_TEXT && x->type.tag != TYPE_ENUM && x->type.tag != TYPE_ROW &&
        x->type.tag != TYPE_UNIT) {
        ERROR_AT(c, EXPR_TYPE, node, "a text that names an item", "this is %.*s",
                 SLICE_ARG(type_format(c->arena, &x->type)));
        return NULL;
    }
    return words_are_items(c, tally, &x->type, node) ? x : NULL;
}

/* ---- feeds */

static const struct expr *optional_of(const struct scope *s, const struct yaml *node, const struct type *type,
                                      bool *ok)
{
    const struct expr *x = is_scalar(node) ? expr_compile(s, node, type) : NULL;
    *ok &= x || !node;
    return x;
}

void tally_feed_read(struct tally_at *at, const struct yaml *node, int item, bool inside)
{
    struct compiler *c = at->c;
    const struct yaml *named = yaml_get(node, "item"), *unit = yaml_get(node, "unit"),
                      *period = yaml_get(node, "period");
    bool ok = true;
    if (!inside &&
        !keys_check(c, node, credit_keys, sizeof credit_keys / sizeof *credit_keys, "what credits a tally"))
        return;
    if (inside && !yaml_get(node, "points"))
        ERROR_AT(c, KEY_MISSING, yaml_get(node, "each"), "points: 1",
                 "nothing says how many points each brings");
    struct tally_feed *f = &at->t->feeds[at->t->nfeeds];
    *f = (struct tally_feed){.kind = read_kind(c, yaml_get(node, "each"), false),
                             .fixed_item = item,
                             .place = place_of(c, yaml_get(node, "each"))};
    if (item >= 0)
        build_of(c)->tally_use[at->index].item[item] = true;
    if (f->kind < 0)
        return;
    struct scope s = {.c = c, .kind = f->kind};
    f->where = optional_of(&s, yaml_get(node, "if"), &type_yesno, &ok);
    f->points = optional_of(&s, yaml_get(node, "points"), &type_number, &ok);
    f->reason = optional_of(&s, yaml_get(node, "reason"), &type_text, &ok);
    if (is_scalar(unit))
        ok &= (f->unit = read_units(&s, unit, false)) != NULL;
    if (is_scalar(period))
        ok &= (f->period = tally_period_read(&s, at->t, period)) != NULL;
    if (item < 0 && is_scalar(named))
        ok &= (f->item = tally_item_read(&s, at->index, named)) != NULL;
    else if (item < 0)
        ERROR_AT(c, KEY_MISSING, node, "item: event.FIELD", "nothing says which item the points are for");
    if (item < 0)
        build_of(c)->tally_use[at->index].named = true;
    at->t->nfeeds += ok && f->points && (item >= 0 || f->item);
}

/* ---- columns */

/* Where a line says its item and points; false: it does not. */
static bool line_read(const struct field *f, size_t n, struct tally_column *out)
{
    out->item = field_find(f, n, S("item"));
    out->points = field_find(f, n, S("points"));
    out->reason = field_find(f, n, S("reason"));
    if (out->reason >= 0 && f[out->reason].type.tag != TYPE_TEXT && f[out->reason].type.tag != TYPE_ENUM)
        out->reason = -1;
    return out->item >= 0 && out->points >= 0 && f[out->points].type.tag == TYPE_NUMBER &&
           (f[out->item].type.tag == TYPE_TEXT || f[out->item].type.tag == TYPE_ENUM);
}

/* The event's own fields, or those of the lines that one of its fields lists. */
static const struct field *column_find(const struct kind *k, struct tally_column *out)
{
    out->lines = -1;
    if (line_read(k->fields, k->nfields, out))
        return k->fields;
    for (size_t i = 0; i < k->nfields; i++) {
        const struct type *t = &k->fields[i].type;
        if (t->tag == TYPE_LIST && t->of->tag == TYPE_RECORD &&
            line_read(t->of->fields, t->of->nfields, out)) {
            out->lines = (int)i;
            return t->of->fields;
        }
    }
    return NULL;
}

void tally_column_read(struct tally_at *at, const struct yaml *node, bool self, struct tally_column *out)
{
    struct compiler *c = at->c;
    if (!is_scalar(node))
        return;
    int kind = read_kind(c, node, false);
    if (kind < 0)
        return;
    const struct kind *k = &c->program->kinds[kind];
    *out = (struct tally_column){.kind = -1, .place = place_of(c, node)};
    const struct field *line = column_find(k, out);
    if (!line) {
        ERROR_AT(c, TALLY_COLUMN, node,
                 self ? "an event with a list of {item: text, points: number}"
                      : "an event with fields item and points",
                 "“%.*s” does not say which item gets how many points", SLICE_ARG(node->text));
        return;
    }
    if (!words_are_items(c, at->index, &line[out->item].type, node))
        return;
    int total = field_find(k->fields, k->nfields, S("total"));
    out->total = self && total >= 0 && k->fields[total].type.tag == TYPE_NUMBER ? total : -1;
    out->kind = kind;
}

/* ---- closing */

/* Without a period of its own the record would close that of its receipt. */
static bool names_period(const struct kind *k, enum period_kind kind)
{
    if (k->dated >= 0 && k->fields[k->dated].type.tag != TYPE_PERIOD)
        return true;
    for (size_t f = 0; f < k->nfields; f++)
        if (k->fields[f].type.tag == TYPE_PERIOD && k->fields[f].type.period_kind <= kind)
            return true;
    return false;
}

void tally_closes_read(struct tally_at *at, const struct yaml *node)
{
    static const struct slice where = {" where ", 7};
    struct compiler *c = at->c;
    if (!is_scalar(node))
        return;
    struct slice name = node->text, condition = {0};
    const char *p = memmem(name.p ? name.p : "", name.n, where.p, where.n);
    if (p) {
        condition = (struct slice){p + where.n, (size_t)(name.p + name.n - p) - where.n};
        name.n = (size_t)(p - name.p);
    }
    struct yaml on = *node;
    on.text = slice_trim(name);
    on.width = on.text.n ? char_count(on.text) : 1;
    at->t->closes_kind = read_kind(c, &on, false);
    if (at->t->closes_kind < 0)
        return;
    if (!names_period(&c->program->kinds[at->t->closes_kind], at->t->period))
        ERROR_AT(
            c, TALLY_CLOSES, &on,
            arena_printf(c->arena, "an event with a field of type %s", period_kind_name(at->t->period)).p,
            "“%.*s” does not say which %s is published", SLICE_ARG(on.text), period_kind_name(at->t->period));
    struct field *row = ARENA_NEW(c->arena, struct field);
    *row = (struct field){S("period"), {.tag = TYPE_PERIOD, .period_kind = at->t->period}};
    struct scope s = {.c = c, .kind = at->t->closes_kind, .row = row, .nrow = 1};
    if (p)
        at->t->closes_where = expr_compile_part(&s, node, condition, &type_yesno);
}
