/* Items of tallies: what each is worth, within which bounds. */
#include "lang/tallies.h"

static const struct key_def item_keys[] = {
    {"title", YAML_NULL, true, "title", NULL, "what people read"},
    {"basis", YAML_SCALAR, false, "article", NULL, "where the text gives these points"},
    {"value", YAML_SCALAR, false, "number expression", "`sum of entries`", "what the item comes to"},
    {"cap", YAML_SCALAR, false, "number expression", NULL, "at most; before rounding"},
    {"floor", YAML_SCALAR, false, "number expression", NULL, "at least; before rounding"},
    {"each", YAML_SCALAR, false, "event name", NULL,
     "records of it are credited to the item. Of those that are not scored, or of a period that is not, "
     "nothing is credited"},
    {"if", YAML_SCALAR, false, "condition", "all", "which of them; over the event"},
    {"points", YAML_SCALAR, false, "number expression", "needed with `each`",
     "how many each brings; over the event"},
    {"reason", YAML_SCALAR, false, "text expression", NULL, "kept with the entry; over the event"},
    {"unit", YAML_SCALAR, false, "units", "the event's", "whose points these are; over the event"},
    {"period", YAML_SCALAR, false, "period expression", "the one it belongs to", "when; over the event"},
    {"entries", YAML_LIST, false, "list of credit", NULL, "where several events credit one item"},
};
const struct key_table item_table = KEY_TABLE(item_keys);

/* `items: {each: …}`, or a list of such: the records name the items. */
static bool named_by_records(const struct yaml *items)
{
    return items && (items->kind == YAML_LIST || is_scalar(yaml_get(items, "each")));
}

static void item_name(struct tally_at *at, const struct yaml *key)
{
    static const char *const reserved[] = {"unit", "period", "total", "entries", "each", "it"};
    bool taken = false;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        taken |= slice_eq(key->text, slice_of(reserved[i]));
    if (taken)
        ERROR_AT(at->c, TALLY_ITEM, key, "another name", "“%.*s” means something else in a tally",
                 SLICE_ARG(key->text));
    name_check_bare(at->c, key, "an item");
    at->t->items[at->t->nitems++] = (struct tally_item){.name = key->text, .place = place_of(at->c, key)};
}

void tally_items_name(struct tally_at *at)
{
    const struct yaml *items = yaml_get(at->node, "items");
    if (!items || named_by_records(items))
        return;
    if (items->kind != YAML_MAP) {
        ERROR_AT(at->c, SHAPE, items, "a map of items, or {each: EVENT, item: …, points: …}",
                 "expected what is scored here");
        return;
    }
    size_t n = map_size(at->c, items);
    at->t->items = ARENA_ARRAY(at->c->arena, struct tally_item, n + 1);
    for (size_t i = 0; i < n; i++)
        item_name(at, items->pairs[i].key);
}

/* ---- bounds */

static bool constant_number(struct compiler *c, const struct expr *x, struct rat *out)
{
    const struct value *v = x && x->op == EXPR_CONST   ? &x->constant
                            : x && x->op == EXPR_PARAM ? &c->program->params[x->index].value
                                                       : NULL;
    if (!v || v->tag != VALUE_NUMBER)
        return false;
    *out = v->number;
    return true;
}

static void bounds_compile(struct tally_at *at, const struct yaml *node, struct tally_item *item)
{
    const struct yaml *cap = yaml_get(node, "cap"), *floor = yaml_get(node, "floor");
    struct rat most, least;
    if (is_scalar(cap))
        item->cap = expr_compile(&at->scope, cap, &type_number);
    if (is_scalar(floor))
        item->floor = expr_compile(&at->scope, floor, &type_number);
    if (constant_number(at->c, item->cap, &most) && constant_number(at->c, item->floor, &least) &&
        rat_cmp(most, least) < 0)
        ERROR_AT(at->c, TALLY_BOUNDS, cap, "a cap above the floor", "the cap of “%.*s” lies below its floor",
                 SLICE_ARG(item->name));
}

/* ---- */

static bool item_fed(const struct tally_at *at, size_t item)
{
    const struct tally_use *use = &build_of(at->c)->tally_use[at->index];
    return use->named || use->item[item];
}

static void item_feeds(struct tally_at *at, const struct yaml *node, size_t item)
{
    const struct yaml *const *more;
    size_t n = read_items(yaml_get(node, "entries"), &more);
    if (yaml_get(node, "each"))
        tally_feed_read(at, node, (int)item, true);
    for (size_t i = 0; i < n; i++)
        tally_feed_read(at, more[i], (int)item, false);
}

static void item_compile(struct tally_at *at, const struct yaml_pair *pair, size_t index)
{
    struct compiler *c = at->c;
    struct tally_item *item = &at->t->items[index];
    const struct yaml *node = pair->value, *value = yaml_get(node, "value");
    if (!keys_check(c, node, item_keys, sizeof item_keys / sizeof *item_keys,
                    arena_printf(c->arena, "item %.*s", SLICE_ARG(item->name)).p))
        return;
    item->title = read_title(c, yaml_get(node, "title"));
    item->basis = read_text(node, "basis");
    static const char *const of_feed[] = {"if", "points", "reason", "unit", "period"};
    for (size_t i = 0; i < sizeof of_feed / sizeof *of_feed; i++)
        if (yaml_get(node, of_feed[i]) && !yaml_get(node, "each"))
            ERROR_AT(c, KEY_MISSING, yaml_get(node, of_feed[i]), "each: EVENT",
                     "“%s” is about the records that are credited, and none are named", of_feed[i]);
    item_feeds(at, node, index);
    bounds_compile(at, node, item);
    if (is_scalar(value))
        item->value = expr_compile(&at->scope, value, &type_number);
    else if (!value && !item_fed(at, index))
        ERROR_AT(c, TALLY_ITEM, pair->key,
                 "value:, or each: EVENT, or a rule with score:", "nothing gives “%.*s” points",
                 SLICE_ARG(item->name));
}

static size_t feeds_count(const struct yaml *items)
{
    size_t n = items && items->kind == YAML_LIST ? items->n : 1;
    for (size_t i = 0; items && items->kind == YAML_MAP && i < items->n; i++) {
        const struct yaml *more = yaml_get(items->pairs[i].value, "entries");
        n += 1 + (more && more->kind == YAML_LIST ? more->n : 0);
    }
    return n;
}

void tally_items_compile(struct tally_at *at)
{
    const struct yaml *items = yaml_get(at->node, "items");
    const struct yaml *const *feed;
    size_t n = read_items(items, &feed);
    at->t->feeds = ARENA_ARRAY(at->c->arena, struct tally_feed, feeds_count(items) + 1);
    for (size_t i = 0; i < at->t->nitems; i++)
        item_compile(at, &items->pairs[i], i);
    if (at->t->nitems || !named_by_records(items))
        return;
    if (items->kind == YAML_MAP)
        tally_feed_read(at, items, -1, false);
    for (size_t i = 0; i < n; i++)
        tally_feed_read(at, feed[i], -1, false);
}
