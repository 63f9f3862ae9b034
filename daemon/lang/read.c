/* Readers of small shapes: words, durations, roles, spans, addressees. */
#include "lang/build.h"
#include "lang/meant.h"

const struct type type_yesno = {.tag = TYPE_YESNO};
const struct type type_number = {.tag = TYPE_NUMBER};
const struct type type_text = {.tag = TYPE_TEXT};
const struct type type_unit = {.tag = TYPE_UNIT};
const struct type type_instant = {.tag = TYPE_INSTANT};

/* ---- text */

struct slice slice_trim(struct slice s)
{
    while (s.n && s.p[0] == ' ') {
        s.p++;
        s.n--;
    }
    while (s.n && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

static bool slice_starts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

bool slice_drop(struct slice *s, struct slice prefix)
{
    if (!slice_starts(*s, prefix))
        return false;
    *s = slice_trim((struct slice){s->p + prefix.n, s->n - prefix.n});
    return true;
}

struct slice slice_cut(struct slice *s, char at)
{
    const char *p = s->n ? memchr(s->p, at, s->n) : NULL;
    size_t n = p ? (size_t)(p - s->p) : s->n;
    struct slice head = {s->p, n};
    size_t used = p ? n + 1 : n;
    *s = (struct slice){used ? s->p + used : s->p, s->n - used};
    return head;
}

/* ---- shapes */

bool is_scalar(const struct yaml *node)
{
    return node && node->kind == YAML_SCALAR;
}

struct slice read_text(const struct yaml *map, const char *key)
{
    const struct yaml *node = yaml_get(map, key);
    return is_scalar(node) ? node->text : (struct slice){0};
}

static const struct key_def titles_keys[] = {
    {"zh", YAML_SCALAR, true, "text", NULL, "what is issued carries this one"},
    {"en", YAML_SCALAR, false, "text", NULL, "for readers"},
};
const struct key_table titles_table = KEY_TABLE(titles_keys);

struct slice read_title(struct compiler *c, const struct yaml *node)
{
    if (!node || node->kind == YAML_SCALAR)
        return node ? node->text : (struct slice){0};
    if (node->kind == YAML_NULL) {
        ERROR_AT(c, SHAPE, node, "a text; in quotes if it begins with #", "the title is nothing");
        return (struct slice){0};
    }
    keys_check(c, node, titles_keys, sizeof titles_keys / sizeof *titles_keys, "title");
    return read_text(node, "zh");
}

size_t read_items(const struct yaml *node, const struct yaml *const **item)
{
    *item = NULL;
    if (!node || node->kind != YAML_LIST)
        return 0;
    *item = (const struct yaml *const *)node->items;
    return node->n;
}

size_t read_scalars(struct compiler *c, const struct yaml *node, const struct yaml ***out,
                    const char *expected)
{
    size_t n = 0;
    *out = NULL;
    if (!node)
        return 0;
    size_t most = node->kind == YAML_LIST ? node->n : 1;
    *out = ARENA_ARRAY(c->arena, const struct yaml *, most + 1);
    for (size_t i = 0; i < most; i++) {
        const struct yaml *one = node->kind == YAML_LIST ? node->items[i] : node;
        if (is_scalar(one))
            (*out)[n++] = one;
        else
            ERROR_AT(c, SHAPE, one, expected, "expected a text here");
    }
    return n;
}

const struct yaml *read_constant(struct compiler *c, const struct yaml *node)
{
    struct build *b = build_of(c);
    if (!is_scalar(node))
        return NULL;
    if (node->quoted || !slice_starts(node->text, S("params.")))
        return node;
    struct slice name = {node->text.p + 7, node->text.n - 7};
    int i = section_find(&b->params, name);
    if (i < 0) {
        ERROR_AT(c, PARAM_UNKNOWN, node, section_hint(c, &b->params, name), "no parameter “%.*s” is declared",
                 SLICE_ARG(name));
        return NULL;
    }
    c->param_used[i] = true;
    if (yaml_get(b->params.item[i].node, "versions")) {
        ERROR_AT(c, PARAM_DATED, node, "a value, or a parameter without versions:",
                 "this is settled once and for all, and “%.*s” changes with time", SLICE_ARG(name));
        return NULL;
    }
    const struct yaml *value = yaml_get(b->params.item[i].node, "value");
    return is_scalar(value) ? value : NULL; /* unset: diagnosed where it is declared */
}

/* Where a constant was written, for messages: the parameter's own place says more than `params.X` does. */
static const char *constant_name(struct compiler *c, const struct yaml *node, const struct yaml *constant)
{
    if (node == constant)
        return "";
    return arena_printf(c->arena, " (%.*s)", SLICE_ARG(node->text)).p;
}

int read_word(struct compiler *c, const struct yaml *node, const char *const *words, size_t n,
              const char *what)
{
    const struct yaml *k = read_constant(c, node);
    if (!k)
        return -1;
    struct slice *name = ARENA_ARRAY(c->arena, struct slice, n + 1);
    for (size_t i = 0; i < n; i++) {
        name[i] = slice_of(words[i]);
        if (slice_eq(k->text, name[i]))
            return (int)i;
    }
    ERROR_AT(c, WORD, node, name_hint(c, k->text, name, n), "“%.*s”%s is no %s", SLICE_ARG(k->text),
             constant_name(c, node, k), what);
    return -1;
}

bool read_duration(struct compiler *c, const struct yaml *node, struct duration *out)
{
    const struct yaml *k = read_constant(c, node);
    if (!k)
        return false;
    if (duration_parse(k->text, out))
        return true;
    ERROR_AT(c, DURATION, node,
             meant_hint(c->arena, MEANT_DURATION, k->text, "a length of time: 3d, 2h, 2w, 1mo, 5 workdays"), "“%.*s”%s is no duration",
             SLICE_ARG(k->text), constant_name(c, node, k));
    return false;
}

bool read_number(struct compiler *c, const struct yaml *node, struct rat *out)
{
    const struct yaml *k = read_constant(c, node);
    if (!k)
        return false;
    if (rat_parse(k->text, out))
        return true;
    ERROR_AT(c, NUMBER, node, meant_hint(c->arena, MEANT_NUMBER, k->text, "a number: 3, 0.5, 70%"), "“%.*s”%s is no number", SLICE_ARG(k->text),
             constant_name(c, node, k));
    return false;
}

bool read_count(struct compiler *c, const struct yaml *node, int least, int most, int *out)
{
    struct rat r;
    if (!read_number(c, node, &r))
        return false;
    if (r.den == 1 && r.num >= least && r.num <= most) {
        *out = (int)r.num;
        return true;
    }
    ERROR_AT(c, NUMBER, node, arena_printf(c->arena, "a whole number from %d to %d", least, most).p,
             "“%.*s” is out of range", SLICE_ARG(node->text));
    return false;
}

bool read_yesno(struct compiler *c, const struct yaml *node, bool absent)
{
    static const char *const words[] = {"no", "yes"};
    if (!is_scalar(node))
        return absent;
    const struct yaml *k = read_constant(c, node);
    struct slice meant = k ? meant_by(c->arena, MEANT_YESNO, k->text) : S("");
    if (meant.n) { /* what YAML itself takes for one: told, and taken so, that nothing else seems wrong for it */
        ERROR_AT(c, WORD, node, meant_hint(c->arena, MEANT_YESNO, k->text, NULL), "“%.*s”%s is no yes or no",
                 SLICE_ARG(k->text), constant_name(c, node, k));
        return slice_eq(meant, S("yes"));
    }
    int i = k ? read_word(c, node, words, 2, "yes or no") : -1;
    return i < 0 ? absent : i == 1;
}

bool read_period_kind(struct compiler *c, const struct yaml *node, enum period_kind *out)
{
    static const char *const words[] = {"day", "week", "month", "quarter", "half", "year"};
    const struct yaml *k = read_constant(c, node);
    if (k && meant_by(c->arena, MEANT_KIND, k->text).n) {
        ERROR_AT(c, WORD, node, meant_hint(c->arena, MEANT_KIND, k->text, NULL), "“%.*s”%s is no period", SLICE_ARG(k->text),
                 constant_name(c, node, k));
        return false;
    }
    int i = k ? read_word(c, node, words, sizeof words / sizeof *words, "period") : -1;
    return i >= 0 && period_kind_parse(slice_of(words[i]), out);
}

/* Both days as they should stand, where that can be told. */
static const char *span_meant(struct compiler *c, struct slice from, struct slice until)
{
    struct slice first = meant_by(c->arena, MEANT_DATE, from), last = meant_by(c->arena, MEANT_DATE, until);
    if (first.n == 0 && last.n == 0)
        return "two days, both included: 2024-01-01/2024-12-31";
    return arena_printf(c->arena, "did you mean “%.*s/%.*s”?", SLICE_ARG(first.n ? first : from),
                        SLICE_ARG(last.n ? last : until))
        .p;
}

bool read_span(struct compiler *c, const struct yaml *node, struct span *out)
{
    *out = (struct span){DATE_NONE, DATE_NONE};
    if (!is_scalar(node))
        return false;
    struct slice rest = node->text;
    struct slice from = slice_trim(slice_cut(&rest, '/')), until = slice_trim(rest);
    bool two = memchr(node->text.p, '/', node->text.n) != NULL;
    if (!two || (from.n && !date_parse(from, &out->from)) || (until.n && !date_parse(until, &out->until))) {
        ERROR_AT(c, EFFECTIVE, node, span_meant(c, from, until), "“%.*s” is no span of dates", SLICE_ARG(node->text));
        return false;
    }
    if (until.n)
        out->until++;
    if (from.n && until.n && out->from >= out->until) {
        ERROR_AT(c, EFFECTIVE, node, "the earlier day first", "the span ends before it begins");
        return false;
    }
    return true;
}

/* ---- roles and addressees */

int read_role(struct compiler *c, const struct yaml *node)
{
    struct program *p = c->program;
    for (size_t i = 0; i < p->nroles; i++)
        if (slice_eq(p->roles[i], node->text)) {
            c->role_used[i] = true;
            return (int)i;
        }
    ERROR_AT(c, ROLE_UNKNOWN, node, name_hint(c, node->text, p->roles, p->nroles),
             "no unit has the role “%.*s”", SLICE_ARG(node->text));
    return -1;
}

void read_roles(struct compiler *c, const struct yaml *node, int **role, size_t *n)
{
    const struct yaml **item;
    size_t count = read_scalars(c, node, &item, "the name of a role");
    *n = 0;
    *role = ARENA_ARRAY(c->arena, int, count + 1);
    for (size_t i = 0; i < count; i++) {
        int r = read_role(c, item[i]);
        if (r >= 0)
            (*role)[(*n)++] = r;
    }
}

bool type_names(const struct type *want, const struct type *have)
{
    struct type t = *want;
    t.optional = true;
    if (have->tag == TYPE_SET || have->tag == TYPE_LIST)
        have = have->of;
    if (type_accepts(&t, have))
        return true;
    return want->tag == TYPE_TEXT &&
           (have->tag == TYPE_UNIT || have->tag == TYPE_ROW || have->tag == TYPE_ENUM);
}

const struct expr *read_units(const struct scope *s, const struct yaml *node, bool texts)
{
    struct slice text = slice_trim(node->text);
    if (!slice_drop(&text, S("each of ")))
        slice_drop(&text, S("each "));
    const struct expr *x = expr_compile_part(s, node, text, NULL);
    if (!x || type_names(&type_unit, &x->type))
        return x;
    const struct type *t = x->type.tag == TYPE_SET || x->type.tag == TYPE_LIST ? x->type.of : &x->type;
    if (texts && t->tag == TYPE_TEXT)
        return x;
    ERROR_AT(s->c, EXPR_TYPE, node, texts ? "a unit, a text or a set of them" : "a unit or a set of them",
             "this is %.*s", SLICE_ARG(type_format(s->c->arena, &x->type)));
    return NULL;
}

void read_addressees(struct compiler *c, const struct scope *s, const struct yaml *node,
                     const struct expr ***out, size_t *n)
{
    const struct yaml **item;
    size_t count =
        read_scalars(c, node, &item, "who it goes to: unit, unit.liaison, a role, lead of subject");
    *n = 0;
    *out = ARENA_ARRAY(c->arena, const struct expr *, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct expr *x = read_units(s, item[i], true);
        if (x)
            (*out)[(*n)++] = x;
    }
}

const struct expr *expr_make(struct compiler *c, enum expr_op op, int index, struct type type,
                             const struct yaml *at)
{
    struct expr *x = ARENA_NEW(c->arena, struct expr);
    x->op = op;
    x->index = index;
    x->type = type;
    x->place = place_of(c, at);
    return x;
}
