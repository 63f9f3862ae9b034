/* The action score: points for an item of a tally. */
#include "lang/tallies.h"

static const struct key_def score_keys[] = {
    {"score", YAML_SCALAR, true, "TALLY.ITEM", NULL, "the item that is credited; `TALLY` alone with `item`"},
    {"points", YAML_SCALAR, true, "number expression", NULL, "how many"},
    {"item", YAML_SCALAR, false, "text expression", NULL, "the item, named as it goes"},
    {"period", YAML_SCALAR, false, "period expression", "the machine's key, else the event's", "when"},
    {"unit", YAML_SCALAR, false, "units", "the machine's key", "whose points these are"},
    {"reason", YAML_SCALAR, false, "text expression", NULL, "kept with the entry"},
};
const struct key_table score_table = KEY_TABLE(score_keys);

/* `monthly.dynamic`, or `deductions` and item: beside it. False after a diagnostic. */
static bool target_read(struct compiler *c, const struct yaml *what, bool named, struct action *a)
{
    struct build *b = build_of(c);
    struct slice item = what->text, tally = slice_cut(&item, '.');
    bool point = memchr(what->text.p ? what->text.p : "", '.', what->text.n) != NULL;
    a->index = section_find(&b->tallies, tally);
    a->index2 = -1;
    if (a->index < 0) {
        ERROR_AT(c, TALLY_UNKNOWN, what, section_hint(c, &b->tallies, tally), "no tally “%.*s” is declared",
                 SLICE_ARG(tally));
        return false;
    }
    const struct tally *t = &c->program->tallies[a->index];
    if (point == named) {
        ERROR_AT(c, TALLY_UNKNOWN, what,
                 t->nitems
                     ? arena_printf(c->arena, "%.*s.%.*s", SLICE_ARG(tally), SLICE_ARG(t->items[0].name)).p
                     : arena_printf(c->arena, "{score: %.*s, item: …, points: …}", SLICE_ARG(tally)).p,
                 named ? "the item is named twice" : "nothing says which item the points are for");
        return false;
    }
    for (size_t i = 0; point && i < t->nitems; i++)
        if (slice_eq(t->items[i].name, item))
            a->index2 = (int)i;
    if (a->index2 >= 0)
        b->tally_use[a->index].item[a->index2] = true;
    if (!point || a->index2 >= 0)
        return true;
    struct slice *name = ARENA_ARRAY(c->arena, struct slice, t->nitems + 1);
    for (size_t i = 0; i < t->nitems; i++)
        name[i] = t->items[i].name;
    ERROR_AT(c, TALLY_UNKNOWN, what,
             t->nitems ? name_hint(c, item, name, t->nitems)
                       : arena_printf(c->arena, "{score: %.*s, item: …, points: …}", SLICE_ARG(tally)).p,
             "tally %.*s has no item “%.*s”", SLICE_ARG(tally), SLICE_ARG(item));
    return false;
}

/* Of the machine's key, where nothing else is said. */
static const struct expr *key_period(const struct machine_at *at, const struct tally *t,
                                     const struct yaml *what)
{
    for (size_t i = 0; i < at->m->nkey; i++) {
        const struct type *type = &at->m->key[i].type;
        if (type->tag == TYPE_PERIOD && (type->period_kind == PERIOD_ONCE || type->period_kind <= t->period))
            return expr_make(at->c, EXPR_KEY, (int)i, *type, what);
    }
    return NULL;
}

bool score_read(struct machine_at *at, const struct scope *s, const struct yaml *node,
                const struct yaml *what, struct action *a)
{
    struct compiler *c = at->c;
    const struct yaml *points = yaml_get(node, "points"), *item = yaml_get(node, "item"),
                      *unit = yaml_get(node, "unit"), *period = yaml_get(node, "period"),
                      *reason = yaml_get(node, "reason");
    size_t errors = c->diags->errors;
    keys_check(c, node, score_keys, sizeof score_keys / sizeof *score_keys, "score");
    if (!is_scalar(what) || !target_read(c, what, item != NULL, a))
        return false;
    const struct tally *t = &c->program->tallies[a->index];
    if (is_scalar(points))
        a->value = expr_compile(s, points, &type_number);
    if (is_scalar(item))
        a->item = tally_item_read(s, a->index, item);
    if (is_scalar(reason))
        a->reason = expr_compile(s, reason, &type_text);
    if (is_scalar(unit))
        a->unit = expr_compile(s, unit, &type_unit);
    else if (at->m->unit_key >= 0)
        a->unit = expr_make(c, EXPR_KEY, at->m->unit_key, type_unit, what);
    else
        ERROR_AT(c, KEY_MISSING, what, "unit: …", "nothing says whose points these are");
    a->period = is_scalar(period) ? tally_period_read(s, t, period) : key_period(at, t, what);
    return c->diags->errors == errors && a->value;
}
