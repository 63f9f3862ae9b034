#include "ctl/scenario_match.h"

#include <strings.h>

#include "ctl/when.h"
#include "lang/compile.h"

issued_t *issued_read(const struct record *r, struct arena *scratch)
{
    if (r->topic != TOPIC_WARNINGS && r->topic != TOPIC_SUPERVISION && r->topic != TOPIC_NOTIFICATIONS)
        return NULL;
    struct slice text = wire_record_json(r, scratch);
    return json_loadb(text.p, text.n, 0, NULL);
}

bool issued_stands(const struct record *r, const issued_t *o)
{
    if (r->topic != TOPIC_NOTIFICATIONS)
        return true;
    const char *first = json_string_value(json_array_get(json_object_get(o, "recipients"), 0));
    if (!first)
        first = json_string_value(json_array_get(json_object_get(o, "copies"), 0));
    return !json_member(o, "measure_id").n && first && slice_eq(json_member(o, "recipient"), slice_of(first));
}

issued_t *issued_take(const struct record *r, struct arena *scratch)
{
    issued_t *o = issued_read(r, scratch);
    if (!o || issued_stands(r, o))
        return o;
    json_decref(o);
    return NULL;
}

/* ---- one key */

static bool same_text(struct slice want, const json_t *have, const struct tz *tz, struct arena *a)
{
    (void)tz, (void)a;
    return json_is_string(have) &&
           slice_eq(want, (struct slice){json_string_value(have), json_string_length(have)});
}

static bool same_basis(struct slice want, const json_t *have, const struct tz *tz, struct arena *a)
{
    (void)tz, (void)a;
    return json_is_string(have) &&
           article_same(want, (struct slice){json_string_value(have), json_string_length(have)});
}

/* The contract's names of levels are the language's words in capitals. */
static bool same_level(struct slice want, const json_t *have, const struct tz *tz, struct arena *a)
{
    (void)tz, (void)a;
    const char *got = json_string_value(have);
    return got && strlen(got) == want.n && !strncasecmp(got, want.p, want.n);
}

/* A date is the last day; a time the very instant. */
static bool same_limit(struct slice want, const json_t *have, const struct tz *tz, struct arena *a)
{
    (void)a;
    instant_t got, wanted;
    date_t day;
    if (!json_is_string(have) || !instant_parse(slice_of(json_string_value(have)), &got))
        return false;
    if (date_parse(want, &day))
        return tz_date(tz, got - 1, NULL) == day;
    return when_parse(want, tz, &wanted) && wanted == got;
}

static const struct issued_key {
    const char *name, *member;
    bool (*same)(struct slice want, const json_t *have, const struct tz *tz,
                 struct arena *a); /* NULL: a list, compared as a set */
} keys[] = {
    {"measure", "measure", same_text},
    {"unit", "unit", same_text},
    {"subject", "subject", same_text},
    {"about", "about", same_text},
    {"obligation", "obligation", same_text},
    {"period", "period", same_text},
    {"basis", "basis", same_basis},
    {"level", "level", same_level},
    {"limit", "limit", same_limit},
    {"to", "recipients", NULL},
    {"copy", "copies", NULL},
    {"document", "document", same_text},
    {"number", "number", same_text},
};
#define NKEYS (sizeof keys / sizeof *keys)

static bool list_has(const json_t *list, struct slice s)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (same_text(s, json_array_get(list, i), NULL, NULL))
            return true;
    return false;
}

static bool same_list(const struct yaml *want, const json_t *have)
{
    bool same = json_array_size(have) == want->n;
    for (size_t i = 0; i < want->n; i++)
        same = same && list_has(have, want->items[i]->text);
    return same;
}

size_t issued_misses(const issued_t *issued, const struct yaml *pattern, const struct tz *tz, struct arena *a,
                     struct slice *names)
{
    size_t misses = 0;
    if (names)
        *names = (struct slice){0};
    for (size_t k = 0; k < NKEYS; k++) {
        const struct yaml *want = yaml_get(pattern, keys[k].name);
        const json_t *have = json_object_get(issued, keys[k].member);
        if (!want || (keys[k].same ? keys[k].same(want->text, have, tz, a) : same_list(want, have)))
            continue;
        if (names)
            *names = misses ? arena_printf(a, "%.*s, %s", SLICE_ARG(*names), keys[k].name)
                            : slice_of(keys[k].name);
        misses++;
    }
    return misses;
}

/* ---- in words */

static void print_list(struct buf *b, const char *name, const json_t *list)
{
    if (!json_array_size(list))
        return;
    buf_printf(b, " %s [", name);
    for (size_t i = 0; i < json_array_size(list); i++)
        buf_printf(b, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    buf_byte(b, ']');
}

static struct slice local_time(const json_t *o, const char *member, const struct tz *tz, struct arena *a)
{
    instant_t t;
    return instant_parse(json_member(o, member), &t) ? instant_format_local(a, tz, t) : S("");
}

struct slice issued_print(const issued_t *i, const struct tz *tz, struct arena *a)
{
    static const char *const texts[] = {"unit",   "subject", "obligation", "about",
                                        "period", "basis",   "document",   "number"};
    struct buf b = {0};
    instant_t limit;
    buf_add(&b, local_time(i, "time", tz, a));
    buf_printf(&b, " %.*s", SLICE_ARG(json_member(i, "measure")));
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
        if (json_member(i, texts[t]).n)
            buf_printf(&b, " %s %.*s", texts[t], SLICE_ARG(json_member(i, texts[t])));
    if (instant_parse(json_member(i, "limit"), &limit))
        buf_printf(&b, " limit %.*s", SLICE_ARG(date_format(a, tz_date(tz, limit - 1, NULL))));
    print_list(&b, "to", json_object_get(i, "recipients"));
    print_list(&b, "copy", json_object_get(i, "copies"));
    buf_printf(&b, " (%.*s)", SLICE_ARG(json_member(i, "rule")));
    struct slice out = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return out;
}

static void print_value(struct buf *b, const struct yaml *v)
{
    if (v->kind != YAML_LIST) {
        buf_add(b, v->text);
        return;
    }
    buf_byte(b, '[');
    for (size_t i = 0; i < v->n; i++) {
        buf_printf(b, "%s", i ? ", " : "");
        buf_add(b, v->items[i]->text);
    }
    buf_byte(b, ']');
}

static struct slice have_print(const json_t *have, const char *key, const struct tz *tz, struct arena *a)
{
    instant_t limit;
    struct buf b = {0};
    if (json_is_array(have))
        for (size_t i = 0; i < json_array_size(have); i++)
            buf_printf(&b, "%s%s", i ? ", " : "", json_string_value(json_array_get(have, i)));
    else if (!strcmp(key, "limit") && have && instant_parse(slice_of(json_string_value(have)), &limit))
        buf_add(&b, date_format(a, tz_date(tz, limit - 1, NULL)));
    else
        buf_add(&b, json_is_string(have) ? slice_of(json_string_value(have)) : S("nothing"));
    struct slice out = json_is_array(have) ? arena_printf(a, "[%.*s]", (int)b.n, b.p ? b.p : "")
                                           : arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return out;
}

size_t issued_differences(const issued_t *issued, const struct yaml *pattern, const struct tz *tz,
                          struct arena *a, struct slice **line)
{
    size_t n = 0, cap = 0;
    *line = NULL;
    for (size_t k = 0; k < NKEYS; k++) {
        const struct yaml *want = yaml_get(pattern, keys[k].name);
        const json_t *have = json_object_get(issued, keys[k].member);
        if (!want || (keys[k].same ? keys[k].same(want->text, have, tz, a) : same_list(want, have)))
            continue;
        struct buf b = {0};
        struct slice was = have_print(have, keys[k].name, tz, a);
        buf_printf(&b, "%s: expected ", keys[k].name);
        print_value(&b, want);
        buf_printf(&b, ", was %.*s", SLICE_ARG(was));
        *(struct slice *)arena_push(a, line, &n, &cap, sizeof **line) = arena_dup(a, buf_slice(&b));
        buf_free(&b);
    }
    return n;
}

struct slice pattern_print(const struct yaml *pattern, struct arena *a)
{
    struct buf b = {0};
    buf_byte(&b, '{');
    for (size_t i = 0; i < pattern->n; i++) {
        buf_printf(&b, "%s%.*s: ", i ? ", " : "", SLICE_ARG(pattern->pairs[i].key->text));
        print_value(&b, pattern->pairs[i].value);
    }
    buf_byte(&b, '}');
    struct slice out = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return out;
}

/* ---- pairing: a largest matching by augmenting paths, since one pattern may fit what another needs */

struct pairing {
    const bool *fits; /* npatterns × nissued */
    size_t nissued;
    bool *tried; /* by measure */
    int *owner;  /* by measure: its pattern */
};

static bool augment(struct pairing *p, size_t pattern)
{
    for (size_t i = 0; i < p->nissued; i++) {
        if (!p->fits[pattern * p->nissued + i] || p->tried[i])
            continue;
        p->tried[i] = true;
        if (p->owner[i] < 0 || augment(p, (size_t)p->owner[i])) {
            p->owner[i] = (int)pattern;
            return true;
        }
    }
    return false;
}

void issued_pair(issued_t *const *issued, size_t nissued, const struct yaml *const *pattern, size_t npatterns,
                 const struct tz *tz, struct arena *a, int *match)
{
    bool *fits = ARENA_ARRAY(a, bool, npatterns *nissued + 1);
    struct pairing p = {fits, nissued, ARENA_ARRAY(a, bool, nissued + 1), ARENA_ARRAY(a, int, nissued + 1)};
    for (size_t k = 0; k < npatterns; k++)
        for (size_t i = 0; i < nissued; i++)
            fits[k * nissued + i] = issued_misses(issued[i], pattern[k], tz, a, NULL) == 0;
    for (size_t i = 0; i < nissued; i++)
        p.owner[i] = -1;
    for (size_t k = 0; k < npatterns; k++) {
        match[k] = -1;
        memset(p.tried, 0, nissued * sizeof *p.tried);
        augment(&p, k);
    }
    for (size_t i = 0; i < nissued; i++)
        if (p.owner[i] >= 0)
            match[p.owner[i]] = (int)i;
}
