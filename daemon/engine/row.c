#include "engine/row.h"

#include "wire/wire.h"

/* ---- writing */

static void member_text(struct buf *b, struct slice name)
{
    char last = b->n > 0 ? b->p[b->n - 1] : '{';

    if (last != '{' && last != '[')
        buf_byte(b, ',');
    if (name.p == NULL)
        return;
    wire_json_text(b, name);
    buf_byte(b, ':');
}

static void member(struct buf *b, const char *name)
{
    member_text(b, slice_of(name));
}

void row_open(struct buf *b, const char *name, char bracket)
{
    if (b->n > 0)
        member(b, name);
    buf_byte(b, (unsigned char)bracket);
}

void row_close(struct buf *b, char bracket)
{
    buf_byte(b, (unsigned char)bracket);
}

void row_text(struct buf *b, const char *name, struct slice text)
{
    member(b, name);
    wire_json_text(b, text);
}

void row_yesno(struct buf *b, const char *name, bool yes)
{
    member(b, name);
    buf_add(b, yes ? S("true") : S("false"));
}

void row_number(struct buf *b, const char *name, int64_t n)
{
    member(b, name);
    buf_printf(b, "%lld", (long long)n);
}

void row_raw(struct buf *b, const char *name, struct slice json)
{
    member(b, name);
    buf_add(b, json);
}

static void instant_value(struct buf *b, instant_t t)
{
    struct arena *a = arena_new();

    if (t == INSTANT_NONE || t == INSTANT_MAX)
        buf_add(b, S("null"));
    else
        wire_json_text(b, instant_format_utc(a, t));
    arena_free(a);
}

void row_instant(struct buf *b, const char *name, instant_t t)
{
    member(b, name);
    instant_value(b, t);
}

static void value_json(struct buf *b, const struct value *v, struct arena *a)
{
    struct slice text;

    switch (v->tag) {
    case VALUE_NA:
        buf_add(b, S("null"));
        break;
    case VALUE_YESNO:
        buf_add(b, v->yes ? S("true") : S("false"));
        break;
    case VALUE_INSTANT:
        instant_value(b, v->instant);
        break;
    case VALUE_NUMBER:
        text = rat_format(a, v->number);
        if (memchr(text.p, '/', text.n) != NULL)
            wire_json_text(b, text);
        else
            buf_add(b, text);
        break;
    case VALUE_LIST:
        buf_byte(b, '[');
        for (size_t i = 0; i < v->list.n; i++) {
            if (i > 0)
                buf_byte(b, ',');
            value_json(b, &v->list.item[i], a);
        }
        buf_byte(b, ']');
        break;
    default:
        wire_json_text(b, value_format(a, v, NULL));
    }
}

void row_value(struct buf *b, struct slice name, const struct value *v)
{
    struct arena *a = arena_new();

    member_text(b, name);
    value_json(b, v, a);
    arena_free(a);
}

/* ---- finding: what is walked over was written by us, so it is well-formed; the bounds are checked all the
 * same */

static size_t skip_text(struct slice s, size_t at) /* behind the string that starts at `at` */
{
    for (at++; at < s.n && s.p[at] != '"'; at++)
        if (s.p[at] == '\\')
            at++;
    return at < s.n ? at + 1 : s.n;
}

static size_t skip_value(struct slice s, size_t at)
{
    size_t depth = 0;

    while (at < s.n) {
        char c = s.p[at];

        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            break;
        if (c == '"') {
            at = skip_text(s, at);
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        at++;
    }
    return at;
}

static size_t skip_blanks(struct slice s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == ',' || s.p[at] == ':' || s.p[at] == '\n'))
        at++;
    return at;
}

bool row_member(struct slice object, const char *name, struct slice *raw)
{
    struct slice wanted = slice_of(name);
    size_t at = skip_blanks(object, 0);

    if (at == object.n || object.p[at] != '{')
        return false;
    for (at = skip_blanks(object, at + 1); at < object.n && object.p[at] == '"';
         at = skip_blanks(object, at)) {
        size_t key = at, value;

        at = skip_text(object, at);
        struct slice found = {object.p + key + 1, at - key - 2};
        value = skip_blanks(object, at);
        at = skip_value(object, value);
        if (!slice_eq(found, wanted))
            continue;
        *raw = (struct slice){object.p + value, at - value};
        while (raw->n > 0 && raw->p[raw->n - 1] == ' ')
            raw->n--;
        return true;
    }
    return false;
}

static int hex_value(char c)
{
    const char digits[] = "0123456789abcdef";
    const char *at = c != 0 ? strchr(digits, c | 0x20) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

/* The character after a backslash. Ours are short escapes and control characters (\u00XX) only. */
static size_t unescape(struct slice raw, size_t at, char *out)
{
    static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
    const char *known = raw.p[at] != 0 ? strchr(from, raw.p[at]) : NULL;

    if (raw.p[at] == 'u' && at + 4 < raw.n) {
        *out = (char)(hex_value(raw.p[at + 3]) << 4 | hex_value(raw.p[at + 4]));
        return at + 5;
    }
    *out = known != NULL ? to[known - from] : raw.p[at];
    return at + 1;
}

bool row_text_member(struct slice object, const char *name, struct arena *a, struct slice *text)
{
    struct slice raw;

    if (!row_member(object, name, &raw) || raw.n < 2 || raw.p[0] != '"' || raw.p[raw.n - 1] != '"')
        return false;
    raw = (struct slice){raw.p + 1, raw.n - 2};
    char *out = arena_alloc(a, raw.n + 1);
    size_t n = 0;
    for (size_t at = 0; at < raw.n;) {
        if (raw.p[at] == '\\' && at + 1 < raw.n)
            at = unescape(raw, at + 1, &out[n++]);
        else
            out[n++] = raw.p[at++];
    }
    *text = (struct slice){out, n};
    return true;
}
