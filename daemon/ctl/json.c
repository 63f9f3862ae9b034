#include "ctl/json.h"

#include "wire/wire.h"

json_t *json_text(struct slice s)
{
    json_t *o = json_stringn(s.p ? s.p : "", s.n);
    if (o)
        return o;
    struct buf b = {0};
    wire_json_text(&b, s);
    o = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    buf_free(&b);
    return o;
}

struct slice json_member(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    return json_is_string(v) ? (struct slice){json_string_value(v), json_string_length(v)}
                             : (struct slice){"", 0};
}

void json_print(FILE *f, json_t *o)
{
    json_dumpf(o, f, JSON_COMPACT);
    fputc('\n', f);
    json_decref(o);
}
