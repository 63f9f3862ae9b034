/* Reasons for refusing: short sentences that may be sent to anyone, whatever bytes they quote. */
#include <stdarg.h>
#include <stdio.h>

#include "wire/proto.h"

enum { REASONS_MAX = 32, REASON_BYTES_MAX = 600, PATH_BYTES_MAX = 200 };

size_t proto_character(struct slice s)
{
    for (size_t len = 1; len <= 4 && len <= s.n; len++)
        if (slice_is_utf8((struct slice){s.p, len}))
            return len;
    return 0;
}

/* Foreign bytes may stand in a reason, and the cut at its end may split a character. */
static void clean(char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0, len; i < n; i += len ? len : 1) {
        len = proto_character((struct slice){text + i, n - i});
        if (len == 0)
            text[i] = '?';
        else if (!slice_is_printable((struct slice){text + i, len}))
            text[i] = ' ';
    }
}

static void add_text(struct reasons *r, char *text)
{
    if (r->n >= REASONS_MAX)
        return;
    clean(text);
    struct slice s = r->n == REASONS_MAX - 1 ? S("and more reasons than these") : slice_of(text);
    struct slice *slot = arena_push(r->arena, &r->item, &r->n, &r->cap, sizeof *slot);
    *slot = arena_dup(r->arena, s);
}

void reasons_add(struct reasons *r, const char *fmt, ...)
{
    char text[REASON_BYTES_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    add_text(r, text);
}

/* Prints into b, outermost name first; returns the length, less than size. */
static size_t path_print(const struct path *at, char *b, size_t size)
{
    size_t n = at->up ? path_print(at->up, b, size) : 0;
    const char *dot = n ? "." : "";
    int more = at->index < 0 ? snprintf(b + n, size - n, "%s%s", dot, at->name)
                             : snprintf(b + n, size - n, "%s%s[%d]", dot, at->name, at->index);
    n += (size_t)more;
    return n < size ? n : size - 1;
}

void reasons_at(struct reasons *r, const struct path *at, const char *fmt, ...)
{
    char text[REASON_BYTES_MAX];
    size_t n = 0;
    if (at) {
        n = path_print(at, text, PATH_BYTES_MAX);
        n += (size_t)snprintf(text + n, sizeof text - n, ": ");
    }
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text + n, sizeof text - n, fmt, ap);
    va_end(ap);
    add_text(r, text);
}
