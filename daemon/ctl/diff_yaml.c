#include "ctl/diff.h"
#include "lang/yaml.h"

/* ---- in one line, as an author would write it */

static void print_flow(struct buf *b, const struct yaml *v)
{
    const char *mark = v->kind == YAML_MAP ? "{}" : "[]";
    if (v->kind == YAML_SCALAR)
        buf_add(b, v->text);
    if (v->kind != YAML_MAP && v->kind != YAML_LIST)
        return;
    buf_byte(b, (unsigned char)mark[0]);
    for (size_t i = 0; i < v->n; i++) {
        buf_add(b, i ? S(", ") : S(""));
        if (v->kind == YAML_MAP)
            buf_printf(b, "%.*s: ", SLICE_ARG(v->pairs[i].key->text));
        print_flow(b, v->kind == YAML_MAP ? v->pairs[i].value : v->items[i]);
    }
    buf_byte(b, (unsigned char)mark[1]);
}

static struct slice flow(struct arena *a, const struct yaml *v)
{
    struct buf b = {0};
    print_flow(&b, v);
    struct slice s = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return s;
}

static struct slice place(struct arena *a, const struct yaml *v)
{
    return v && v->line ? arena_printf(a, "%.*s:%d", SLICE_ARG(v->file->shown), v->line) : S("");
}

static bool same(const struct yaml *a, const struct yaml *b)
{
    if (a->kind != b->kind || a->n != b->n)
        return false;
    if (a->kind == YAML_SCALAR)
        return slice_eq(a->text, b->text);
    for (size_t i = 0; i < a->n; i++)
        if (a->kind == YAML_MAP ? !slice_eq(a->pairs[i].key->text, b->pairs[i].key->text) ||
                                      !same(a->pairs[i].value, b->pairs[i].value)
                                : !same(a->items[i], b->items[i]))
            return false;
    return true;
}

/* ---- one thing, from the outside in */

struct spot { /* where the comparison is */
    struct changes *out;
    struct slice thing, path;
};

static void told(const struct spot *s, enum change_kind kind, struct slice part, const struct yaml *was,
                 const struct yaml *is)
{
    struct arena *a = s->out->arena;
    struct change *c = change_add(s->out, kind);
    c->thing = s->thing;
    c->path = arena_printf(a, "%.*s%.*s", SLICE_ARG(s->path), SLICE_ARG(part));
    c->was = was ? flow(a, was) : S("");
    c->is = is ? flow(a, is) : S("");
    c->old_place = place(a, was);
    c->new_place = place(a, is);
}

static void compare(const struct spot *s, const struct yaml *was, const struct yaml *is);

static struct spot inside(const struct spot *s, struct slice part)
{
    struct spot in = *s;
    in.path =
        arena_printf(s->out->arena, "%.*s%s%.*s", SLICE_ARG(s->path), s->path.n ? "." : "", SLICE_ARG(part));
    return in;
}

static const struct yaml_pair *pair_of(const struct yaml *map, struct slice key)
{
    for (size_t i = 0; i < map->n; i++)
        if (slice_eq(map->pairs[i].key->text, key))
            return &map->pairs[i];
    return NULL;
}

static void compare_maps(const struct spot *s, const struct yaml *was, const struct yaml *is)
{
    for (size_t i = 0; i < was->n; i++) {
        const struct yaml_pair *now = pair_of(is, was->pairs[i].key->text);
        struct spot in = inside(s, was->pairs[i].key->text);
        if (now)
            compare(&in, was->pairs[i].value, now->value);
        else
            told(&in, CHANGE_REMOVED, S(""), was->pairs[i].value, NULL);
    }
    for (size_t i = 0; i < is->n; i++)
        if (!pair_of(was, is->pairs[i].key->text)) {
            struct spot in = inside(s, is->pairs[i].key->text);
            told(&in, CHANGE_ADDED, S(""), NULL, is->pairs[i].value);
        }
}

/* ---- lists: rules in their order. What stands in both keeps its place in a longest common subsequence; of
 * the rest, what begins alike was changed, what is alike was moved */

struct pairing {
    const struct yaml *was, *is;
    size_t *with; /* by old item: the new one, plus one; 0: none */
    bool *taken;  /* by new item */
};

static void pair_common(struct pairing *p, struct arena *a)
{
    size_t n = p->was->n, m = p->is->n;
    unsigned *length = ARENA_ARRAY(a, unsigned, (n + 1) * (m + 1));
    for (size_t i = n; i-- > 0;)
        for (size_t k = m; k-- > 0;) {
            unsigned down = length[(i + 1) * (m + 1) + k], right = length[i * (m + 1) + k + 1];
            length[i * (m + 1) + k] = same(p->was->items[i], p->is->items[k])
                                          ? length[(i + 1) * (m + 1) + k + 1] + 1
                                      : down > right ? down
                                                     : right;
        }
    for (size_t i = 0, k = 0; i < n && k < m;) {
        if (same(p->was->items[i], p->is->items[k])) {
            p->with[i] = k + 1;
            p->taken[k] = true;
            i++, k++;
        } else if (length[(i + 1) * (m + 1) + k] >= length[i * (m + 1) + k + 1])
            i++;
        else
            k++;
    }
}

/* Of a rule, what it waits for; of any other map, its first key. */
static struct slice head_of(struct arena *a, const struct yaml *v)
{
    const struct yaml *when = yaml_get(v, "when");
    if (when)
        return arena_printf(a, "when %.*s", SLICE_ARG(flow(a, when)));
    return v->kind == YAML_MAP && v->n ? v->pairs[0].key->text : S("");
}

static bool alike(struct arena *a, const struct yaml *x, const struct yaml *y, bool exactly)
{
    return exactly ? same(x, y)
                   : x->kind == YAML_MAP && y->kind == YAML_MAP && slice_eq(head_of(a, x), head_of(a, y));
}

static void pair_rest(struct pairing *p, struct arena *a, bool exactly, bool *moved)
{
    for (size_t i = 0; i < p->was->n; i++)
        for (size_t k = 0; !p->with[i] && k < p->is->n; k++)
            if (!p->taken[k] && alike(a, p->was->items[i], p->is->items[k], exactly)) {
                p->with[i] = k + 1;
                p->taken[k] = true;
                moved[i] = exactly;
            }
}

static struct slice item_name(struct arena *a, const struct yaml *v, size_t i)
{
    struct slice head = head_of(a, v);
    return head.n ? arena_printf(a, "[%.*s, no. %zu]", SLICE_ARG(head), i + 1)
                  : arena_printf(a, "[%zu]", i + 1);
}

/* Whether the pair of old item i stands on another side of some other pair than before. */
static bool crosses(const struct pairing *p, size_t i)
{
    for (size_t k = 0; k < p->was->n; k++)
        if (p->with[k] && (k < i) != (p->with[k] < p->with[i]) && k != i)
            return true;
    return false;
}

static void compare_items(const struct spot *s, const struct yaml *was, const struct yaml *is)
{
    struct arena *a = s->out->arena;
    struct pairing p = {was, is, ARENA_ARRAY(a, size_t, was->n + 1), ARENA_ARRAY(a, bool, is->n + 1)};
    bool *moved = ARENA_ARRAY(a, bool, was->n + 1);
    pair_common(&p, a);
    pair_rest(&p, a, true, moved);
    pair_rest(&p, a, false, moved);
    for (size_t i = 0; i < was->n; i++) {
        struct spot in = *s;
        in.path = arena_printf(a, "%.*s%.*s", SLICE_ARG(s->path), SLICE_ARG(item_name(a, was->items[i], i)));
        if (!p.with[i])
            told(&in, CHANGE_REMOVED, S(""), was->items[i], NULL);
        else if (moved[i])
            told(&in, CHANGE_MOVED, S(""), was->items[i], is->items[p.with[i] - 1]);
        else {
            const struct yaml *now = is->items[p.with[i] - 1];
            if (!same(was->items[i], now) && crosses(&p, i))
                told(&in, CHANGE_MOVED, S(""), was->items[i], now);
            compare(&in, was->items[i], now);
        }
    }
    for (size_t k = 0; k < is->n; k++)
        if (!p.taken[k])
            told(s, CHANGE_ADDED, item_name(a, is->items[k], k), NULL, is->items[k]);
}

static bool holds_maps(const struct yaml *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i]->kind == YAML_MAP)
            return true;
    return false;
}

#define ITEMS_MAX 1000 /* longer lists are compared as a whole */

static void compare(const struct spot *s, const struct yaml *was, const struct yaml *is)
{
    if (was->kind == YAML_MAP && is->kind == YAML_MAP)
        compare_maps(s, was, is);
    else if (was->kind == YAML_LIST && is->kind == YAML_LIST && (holds_maps(was) || holds_maps(is)) &&
             was->n < ITEMS_MAX && is->n < ITEMS_MAX)
        compare_items(s, was, is);
    else if (!same(was, is))
        told(s, CHANGE_CHANGED, S(""), was, is);
}

/* ---- the whole: sections of the workflow and of its fragments are one */

struct papers {
    const struct yaml *root;
    const struct yaml **file; /* the workflow's, then the fragments */
    size_t n, cap;
};

static void read_documents(struct papers *d, const struct bundle *b, struct arena *a)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < b->n; i++) {
            struct diags silent = {.arena = a};
            struct slice path = b->files[i].path;
            bool root = slice_eq(path, b->root);
            if (root != (pass == 0) || path.n < 5 || memcmp(path.p + path.n - 5, ".yaml", 5) != 0)
                continue;
            const struct yaml *y = yaml_parse(&b->files[i], &silent);
            if (!y || (!root && !yaml_get(y, "fragment")))
                continue;
            if (root)
                d->root = y;
            *(const struct yaml **)arena_push(a, &d->file, &d->n, &d->cap, sizeof *d->file) = y;
        }
}

/* Sections that hold named things, and what one of them is called. */
static const struct {
    const char *key, *noun;
} sections[] = {
    {"params", "parameter"},       {"constants", "constant"}, {"tables", "table"},
    {"events", "event"},           {"rankings", "ranking"},   {"indicators", "indicator"},
    {"obligations", "obligation"}, {"schedule", "schedule"},  {"tallies", "tally"},
    {"ledgers", "ledger"},         {"documents", "document"}, {"measures", "measure"},
    {"machines", "machine"},
};
#define NSECTIONS (sizeof sections / sizeof *sections)

static bool is_section(struct slice key)
{
    for (size_t i = 0; i < NSECTIONS; i++)
        if (slice_eq(key, slice_of(sections[i].key)))
            return true;
    return false;
}

static const struct yaml_pair *thing_of(const struct papers *d, const char *section, struct slice name)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct yaml *map = yaml_get(d->file[i], section);
        const struct yaml_pair *found = map && map->kind == YAML_MAP ? pair_of(map, name) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

static struct slice thing_name(struct arena *a, const char *noun, const struct yaml_pair *pair)
{
    const struct yaml *title = yaml_get(pair->value, "title");
    if (title && title->kind == YAML_MAP)
        title = yaml_get(title, "zh");
    struct slice text = title ? title->text : S("");
    return arena_printf(a, "%s %.*s%s%.*s%s", noun, SLICE_ARG(pair->key->text), text.n ? " (" : "",
                        SLICE_ARG(text), text.n ? ")" : "");
}

static void diff_section(struct changes *c, const struct papers *old, const struct papers *now, size_t which)
{
    const char *key = sections[which].key, *noun = sections[which].noun;
    for (size_t f = 0; f < old->n; f++) {
        const struct yaml *map = yaml_get(old->file[f], key);
        for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++) {
            const struct yaml_pair *is = thing_of(now, key, map->pairs[i].key->text);
            struct spot s = {c, thing_name(c->arena, noun, &map->pairs[i]), S("")};
            if (is)
                compare(&s, map->pairs[i].value, is->value);
            else
                told(&s, CHANGE_REMOVED, S(""), map->pairs[i].value, NULL);
        }
    }
    for (size_t f = 0; f < now->n; f++) {
        const struct yaml *map = yaml_get(now->file[f], key);
        for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
            if (!thing_of(old, key, map->pairs[i].key->text)) {
                struct spot s = {c, thing_name(c->arena, noun, &map->pairs[i]), S("")};
                told(&s, CHANGE_ADDED, S(""), NULL, map->pairs[i].value);
            }
    }
}

/* What stands at the top and is no section. */
static void diff_top(struct changes *c, const struct yaml *was, const struct yaml *is)
{
    struct spot s = {c, S("workflow"), S("")};
    for (size_t i = 0; i < was->n; i++) {
        struct slice key = was->pairs[i].key->text;
        const struct yaml_pair *now = pair_of(is, key);
        struct spot in = inside(&s, key);
        if (is_section(key))
            continue;
        if (now)
            compare(&in, was->pairs[i].value, now->value);
        else
            told(&in, CHANGE_REMOVED, S(""), was->pairs[i].value, NULL);
    }
    for (size_t i = 0; i < is->n; i++) {
        struct slice key = is->pairs[i].key->text;
        struct spot in = inside(&s, key);
        if (!is_section(key) && !pair_of(was, key))
            told(&in, CHANGE_ADDED, S(""), NULL, is->pairs[i].value);
    }
}

void diff_documents(struct changes *c, const struct bundle *old, const struct bundle *now)
{
    struct papers was = {0}, is = {0};
    read_documents(&was, old, c->arena);
    read_documents(&is, now, c->arena);
    if (!was.root || !is.root)
        return;
    diff_top(c, was.root, is.root);
    for (size_t i = 0; i < NSECTIONS; i++)
        diff_section(c, &was, &is, i);
}
