/* Types: as the language writes them, and which may stand for which. */
#include "lang/types.h"

#include "lang/build.h"

#define TYPE_WORDS_MAX 200

/* ---- which may stand for which */

bool type_is_text(const struct type *t)
{
    return t->tag == TYPE_TEXT || t->tag == TYPE_ENUM || t->tag == TYPE_UNIT || t->tag == TYPE_ROW ||
           t->tag == TYPE_ATTACHMENT;
}

bool type_is_many(const struct type *t)
{
    return t->tag == TYPE_SET || t->tag == TYPE_LIST;
}

bool type_has_word(const struct type *t, struct slice word)
{
    for (size_t i = 0; t->tag == TYPE_ENUM && i < t->nwords; i++)
        if (slice_eq(t->words[i], word))
            return true;
    return false;
}

static bool record_accepts(const struct type *want, const struct type *have)
{
    if (want->nfields != have->nfields)
        return false;
    for (size_t i = 0; i < want->nfields; i++)
        if (!slice_eq(want->fields[i].name, have->fields[i].name) ||
            !type_accepts(&want->fields[i].type, &have->fields[i].type))
            return false;
    return true;
}

static bool words_within(const struct type *want, const struct type *have)
{
    for (size_t i = 0; i < have->nwords; i++)
        if (!type_has_word(want, have->words[i]))
            return false;
    return true;
}

static bool periods_agree(const struct type *a, const struct type *b)
{
    return a->period_kind == b->period_kind || a->period_kind == PERIOD_ONCE || b->period_kind == PERIOD_ONCE;
}

/* n/a may turn up wherever a value does: everything that takes values says what it makes of it, so `optional`
 * is no obstacle. */
bool type_accepts(const struct type *want, const struct type *have)
{
    if (want->tag == TYPE_TEXT)
        return type_is_text(have);
    if (want->tag == TYPE_LIST)
        return type_is_many(have) && type_accepts(want->of, have->of);
    if (want->tag != have->tag)
        return false;
    switch (want->tag) {
    case TYPE_ENUM:
        return words_within(want, have);
    case TYPE_PERIOD:
        return periods_agree(want, have);
    case TYPE_ROW:
        return want->table == have->table;
    case TYPE_SET:
        return type_accepts(want->of, have->of);
    case TYPE_RECORD:
        return record_accepts(want, have);
    default:
        return true;
    }
}

bool type_comparable(const struct type *a, const struct type *b)
{
    if (type_is_many(a) && type_is_many(b))
        return type_comparable(a->of, b->of);
    if (type_is_text(a) && type_is_text(b) && (a->tag == TYPE_TEXT || b->tag == TYPE_TEXT))
        return true;
    if ((a->tag == TYPE_DATE && b->tag == TYPE_INSTANT) || (a->tag == TYPE_INSTANT && b->tag == TYPE_DATE))
        return true; /* as dates */
    if (a->tag != b->tag || a->tag == TYPE_RECORD)
        return false;
    for (size_t i = 0; a->tag == TYPE_ENUM && i < a->nwords; i++)
        if (type_has_word(b, a->words[i]))
            return true;
    return a->tag != TYPE_ENUM && (a->tag != TYPE_PERIOD || periods_agree(a, b)) &&
           (a->tag != TYPE_ROW || a->table == b->table);
}

bool type_is_ordered(const struct type *t)
{
    return t->tag == TYPE_NUMBER || t->tag == TYPE_DATE || t->tag == TYPE_INSTANT || t->tag == TYPE_PERIOD;
}

static void words_join(struct arena *arena, const struct type *a, const struct type *b, struct type *out)
{
    struct slice *words = ARENA_ARRAY(arena, struct slice, a->nwords + b->nwords);
    size_t n = 0;

    for (size_t i = 0; i < a->nwords; i++)
        words[n++] = a->words[i];
    for (size_t i = 0; i < b->nwords; i++)
        if (!type_has_word(a, b->words[i]))
            words[n++] = b->words[i];
    out->words = words;
    out->nwords = n;
}

bool type_unify(struct arena *arena, const struct type *a, const struct type *b, struct type *out)
{
    struct type of;

    *out = *a;
    out->optional = a->optional || b->optional;
    if (type_is_many(a) && type_is_many(b)) {
        if (!type_unify(arena, a->of, b->of, &of))
            return false;
        out->tag = a->tag == b->tag ? a->tag : TYPE_LIST;
        out->of = type_dup(arena, &of);
        return true;
    }
    if (a->tag == TYPE_ENUM && b->tag == TYPE_ENUM) {
        words_join(arena, a, b, out);
        return true;
    }
    if (a->tag == TYPE_PERIOD && b->tag == TYPE_PERIOD && a->period_kind != b->period_kind) {
        out->period_kind = PERIOD_ONCE;
        return true;
    }
    if (type_accepts(a, b) || type_accepts(b, a)) {
        if (!type_accepts(a, b))
            *out = *b;
        out->optional = a->optional || b->optional;
        return true;
    }
    if (!type_is_text(a) || !type_is_text(b))
        return false;
    *out = (struct type){.tag = TYPE_TEXT, .optional = a->optional || b->optional};
    return true;
}

const struct type *type_dup(struct arena *a, const struct type *t)
{
    struct type *copy = ARENA_NEW(a, struct type);

    *copy = *t;
    return copy;
}

/* ---- as the language writes them */

static struct slice trim(struct slice s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\n'))
        s = (struct slice){s.p + 1, s.n - 1};
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\n'))
        s.n--;
    return s;
}

static bool drop(struct slice *s, struct slice prefix)
{
    if (s->n < prefix.n || memcmp(s->p, prefix.p, prefix.n) != 0)
        return false;
    *s = trim((struct slice){s->p + prefix.n, s->n - prefix.n});
    return true;
}

static const struct named_type {
    const char *name;
    struct type type;
} named_types[] = {
    {"text", {.tag = TYPE_TEXT}},
    {"number", {.tag = TYPE_NUMBER}},
    {"yes-no", {.tag = TYPE_YESNO}},
    {"date", {.tag = TYPE_DATE}},
    {"instant", {.tag = TYPE_INSTANT}},
    {"duration", {.tag = TYPE_DURATION}},
    {"unit", {.tag = TYPE_UNIT}},
    {"attachment", {.tag = TYPE_ATTACHMENT}},
    {"period", {.tag = TYPE_PERIOD, .period_kind = PERIOD_ONCE}},
    {"day", {.tag = TYPE_PERIOD, .period_kind = PERIOD_DAY}},
    {"week", {.tag = TYPE_PERIOD, .period_kind = PERIOD_WEEK}},
    {"month", {.tag = TYPE_PERIOD, .period_kind = PERIOD_MONTH}},
    {"quarter", {.tag = TYPE_PERIOD, .period_kind = PERIOD_QUARTER}},
    {"half", {.tag = TYPE_PERIOD, .period_kind = PERIOD_HALF}},
    {"year", {.tag = TYPE_PERIOD, .period_kind = PERIOD_YEAR}},
};
#define NAMED_TYPES (sizeof named_types / sizeof *named_types)

static bool unknown_type(const struct phrase *p, struct slice name)
{
    const struct program *program = p->c->program;
    struct slice *names = ARENA_ARRAY(p->c->arena, struct slice, NAMED_TYPES + program->ntables);
    struct slice near = {0};
    const char *expected = "text, number, yes-no, date, instant, duration, unit, attachment, a period "
                           "(month, quarter …), the row of a "
                           "table, words (A | B), or set of, list of, optional one of these";

    for (size_t i = 0; i < NAMED_TYPES; i++)
        names[i] = slice_of(named_types[i].name);
    for (size_t i = 0; i < program->ntables; i++)
        names[NAMED_TYPES + i] = program->tables[i].row;
    near = nearest_name(name, names, NAMED_TYPES + program->ntables);
    if (near.n > 0)
        expected = arena_printf(p->c->arena, "did you mean “%.*s”?", SLICE_ARG(near)).p;
    phrase_diag(p, SEVERITY_ERROR, DIAG_TYPE_UNKNOWN, name, expected, "“%.*s” is not a type",
                SLICE_ARG(name));
    return false;
}

static bool words_compile(const struct phrase *p, struct slice text, struct type *out)
{
    struct slice *words = ARENA_ARRAY(p->c->arena, struct slice, TYPE_WORDS_MAX);
    size_t n = 0, start = 0;

    for (size_t i = 0; i <= text.n; i++) {
        struct slice word = {0};

        if (i < text.n && text.p[i] != '|')
            continue;
        word = trim((struct slice){text.p + start, i - start});
        start = i + 1;
        *out = (struct type){.tag = TYPE_ENUM, .words = words, .nwords = n};
        if (word.n == 0 || !slice_is_printable(word) || n == TYPE_WORDS_MAX || type_has_word(out, word)) {
            phrase_diag(p, SEVERITY_ERROR, DIAG_TYPE_UNKNOWN, word.n > 0 ? word : text,
                        "different words with | between them, at most 200",
                        word.n == 0           ? "a word is missing"
                        : n == TYPE_WORDS_MAX ? "too many words"
                                              : "this word stands here twice, or holds a control character");
            return false;
        }
        words[n++] = word;
    }
    *out = (struct type){.tag = TYPE_ENUM, .words = words, .nwords = n};
    return true;
}

static bool text_compile(const struct phrase *p, struct slice text, struct type *out)
{
    bool optional = drop(&text, S("optional ")), set = drop(&text, S("set of ")),
         list = !set && drop(&text, S("list of "));
    const struct program *program = p->c->program;
    bool found = false;

    if (text.n > 0 && memchr(text.p, '|', text.n) != NULL) {
        found = words_compile(p, text, out);
        if (!found)
            return false;
    }
    for (size_t i = 0; i < NAMED_TYPES && !found; i++) {
        found = slice_eq(text, slice_of(named_types[i].name));
        *out = named_types[i].type;
    }
    for (size_t i = 0; i < program->ntables && !found; i++) {
        found = slice_eq(text, program->tables[i].row);
        *out = (struct type){.tag = TYPE_ROW, .table = (int)i};
    }
    if (!found)
        return unknown_type(p, text);
    if (set || list)
        *out = (struct type){.tag = set ? TYPE_SET : TYPE_LIST, .of = type_dup(p->c->arena, out)};
    out->optional = optional;
    return true;
}

static bool record_compile(struct compiler *c, const struct yaml *map, struct type *out)
{
    struct field *fields = ARENA_ARRAY(c->arena, struct field, map->n + 1);
    bool ok = true;

    for (size_t i = 0; i < map->n; i++) {
        fields[i].name = map->pairs[i].key->text;
        ok = name_check(c, map->pairs[i].key, "a field of rows") && ok;
        ok = type_compile(c, map->pairs[i].value, &fields[i].type) && ok;
    }
    *out = (struct type){.tag = TYPE_RECORD, .fields = fields, .nfields = map->n};
    return ok;
}

/* {list of: {name: type …}} or {list of: type}. */
static bool list_compile(struct compiler *c, const struct yaml *node, struct type *out)
{
    struct slice key = node->n == 1 ? node->pairs[0].key->text : (struct slice){0};
    const struct yaml *of = node->n == 1 ? node->pairs[0].value : NULL;
    bool optional = drop(&key, S("optional "));
    struct type item = {0};

    if (!slice_eq(key, S("list of"))) {
        yaml_diag(c->diags, SEVERITY_ERROR, DIAG_TYPE_UNKNOWN, node, "`list of: {name: type, …}`",
                  "this map is not a type");
        return false;
    }
    if (!(of->kind == YAML_MAP && yaml_get(of, "list of") == NULL ? record_compile(c, of, &item)
                                                                  : type_compile(c, of, &item)))
        return false;
    *out = (struct type){.tag = TYPE_LIST, .of = type_dup(c->arena, &item), .optional = optional};
    return true;
}

bool type_compile(struct compiler *c, const struct yaml *node, struct type *out)
{
    struct phrase p = {.c = c, .node = node, .text = node->text};

    *out = (struct type){.tag = TYPE_TEXT};
    if (node->kind == YAML_SCALAR)
        return text_compile(&p, trim(node->text), out);
    if (node->kind == YAML_MAP)
        return list_compile(c, node, out);
    yaml_diag(c->diags, SEVERITY_ERROR, DIAG_SHAPE, node, "a type, such as text or optional date",
              "the type is %s", node->kind == YAML_NULL ? "missing" : "a list");
    return false;
}
