#include "ctl/json.h"

json_t *json_text(struct slice s)
{
    return json_stringn_nocheck(s.p ? s.p : "", s.n);
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
