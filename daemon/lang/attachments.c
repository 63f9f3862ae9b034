/* What goes with a document: the names that its page lists as 附件：1. … */
#include "lang/check.h"

#define ATTACHMENTS_MAX 99 /* two digits stand before a name */

/* The character of `marks` that stands at the beginning or the end of s; empty: none does. */
static struct slice mark_at(struct slice s, const char *marks, bool end)
{
    for (struct slice left = slice_of(marks); left.n;) {
        size_t n = 1;
        while (n < left.n && ((unsigned char)left.p[n] & 0xc0) == 0x80)
            n++;
        if (s.n >= n && memcmp(end ? s.p + s.n - n : s.p, left.p, n) == 0)
            return (struct slice){end ? s.p + s.n - n : s.p, n};
        left = (struct slice){left.p + n, left.n - n};
    }
    return (struct slice){NULL, 0};
}

/* The length of what the page prints before a name, written in it too: 「附件：」, 「附件1」, 「1.」, 「2、」. */
static size_t own_number(struct slice s)
{
    struct slice rest = s;
    bool worded = slice_drop(&rest, S("附件"));
    size_t digits = 0;
    while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9')
        digits++;
    rest = (struct slice){rest.p + digits, rest.n - digits};
    struct slice mark = mark_at(rest, worded ? "．.、：:" : "．.、", false), behind = {rest.p + mark.n, rest.n - mark.n};
    bool fraction = behind.n && behind.p[0] >= '0' && behind.p[0] <= '9';
    if (mark.n && !fraction && (worded || digits))
        rest = behind;
    else if (!worded || !digits)
        return 0;
    return (size_t)(slice_trim(rest).p - s.p);
}

static void refuse(struct compiler *c, const struct yaml *node, struct slice part, const char *expected, const char *why)
{
    struct yaml at = *node;
    yaml_place_in(node, (size_t)(part.p - node->text.p), &at.line, &at.column);
    at.width = char_count(part);
    ERROR_AT(c, ATTACHMENT, &at, expected, "%s", why);
}

static void name_check_printed(struct compiler *c, const struct yaml *node)
{
    struct slice s = node->text, mark = mark_at(s, "。．.；;，,、：:", true);
    size_t own = own_number(s);
    const char *line = s.n ? memchr(s.p, '\n', s.n) : NULL;
    if (slice_trim(s).n == 0)
        ERROR_AT(c, ATTACHMENT, node, "its name: 考评情况表", "an attachment without a name");
    else if (line)
        ERROR_AT(c, ATTACHMENT, node, "each as an item of a list", "a name of several lines");
    else if (own)
        refuse(c, node, (struct slice){s.p, own}, arena_printf(c->arena, "%.*s", (int)(s.n - own), s.p + own).p,
               "the page prints 附件： and the numbers by itself");
    else if (mark.n)
        refuse(c, node, mark, arena_printf(c->arena, "%.*s", (int)(s.n - mark.n), s.p).p,
               "no mark stands behind the name of an attachment");
}

static void values_check(struct compiler *c, const struct yaml *node, const struct words *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct expr *x = w->part[i].value;
        const struct type *t = x && type_is_many(&x->type) ? x->type.of : x ? &x->type : NULL;
        if (t && t->tag == TYPE_RECORD)
            ERROR_AT(c, TEMPLATE_VALUE, node, "one of its fields", "a row as a whole cannot be printed");
    }
}

void attachments_compile(struct compiler *c, const struct yaml *document, struct document *d)
{
    const struct type row = {.tag = TYPE_RECORD, .fields = measure_row, .nfields = MEASURE_FIELDS};
    const struct binder measure = {.item = &row};
    const struct scope s = {.c = c, .kind = -1, .in_task = true, .bound = &measure};
    const struct yaml *node = yaml_get(document, "attachments"), **name;
    size_t n = read_scalars(c, node, &name, "attachments: [考评情况表]");
    if (node && node->kind == YAML_LIST && node->n == 0)
        ERROR_AT(c, SHAPE, node, "attachments: [考评情况表]", "the list is empty");
    if (n > ATTACHMENTS_MAX) {
        ERROR_AT(c, TOO_LARGE, name[ATTACHMENTS_MAX], "at most 99", "the document has %zu attachments", n);
        return;
    }
    d->attachment = ARENA_ARRAY(c->arena, struct words, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct words *w = &d->attachment[d->nattachments++];
        name_check_printed(c, name[i]);
        words_read(&s, name[i], "name", w);
        values_check(c, name[i], w);
    }
}
