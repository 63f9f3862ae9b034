#include "ctl/shapes.h"

struct slice shape_cut(struct slice *s, const char *at)
{
    size_t n = strlen(at);
    const char *p = s->n >= n ? memmem(s->p, s->n, at, n) : NULL;
    struct slice head = {s->p, p ? (size_t)(p - s->p) : s->n};
    size_t used = p ? head.n + n : s->n;
    *s = (struct slice){s->p + used, s->n - used};
    return head;
}

bool shape_drop(struct slice *s, const char *prefix)
{
    size_t n = strlen(prefix);
    if (s->n < n || memcmp(s->p, prefix, n) != 0)
        return false;
    *s = (struct slice){s->p + n, s->n - n};
    return true;
}

bool shape_constant(struct slice *s)
{
    static const char mark[] = ", constant";
    size_t n = sizeof mark - 1;
    if (s->n < n || memcmp(s->p + s->n - n, mark, n) != 0)
        return false;
    s->n -= n;
    return true;
}

bool shape_range(struct slice s, long *least, long *most)
{
    uint64_t from, to;
    struct slice first = shape_cut(&s, " to ");
    if (!parse_u64(first, &from) || !parse_u64(s, &to))
        return false;
    *least = (long)from;
    *most = (long)to;
    return true;
}

const char *json_pointer(struct arena *a, struct slice name)
{
    struct slice out = S("");
    for (size_t i = 0; i < name.n; i++) {
        unsigned char b = (unsigned char)name.p[i];
        bool plain = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '-' ||
                     b == '.';
        out = b == '/' ? arena_printf(a, "%.*s~1", SLICE_ARG(out))
                       : arena_printf(a, plain ? "%.*s%c" : "%.*s%%%02X", SLICE_ARG(out), b);
    }
    return out.n ? out.p : "";
}
