#include "base/rat.h"

static bool take_front(struct slice *s, struct slice mark)
{
    if (s->n < mark.n || memcmp(s->p, mark.p, mark.n) != 0)
        return false;
    *s = (struct slice){s->p + mark.n, s->n - mark.n};
    return true;
}

static bool take_back(struct slice *s, struct slice mark)
{
    if (s->n < mark.n || memcmp(s->p + s->n - mark.n, mark.p, mark.n) != 0)
        return false;
    s->n -= mark.n;
    return true;
}

bool rat_parse_written(struct slice s, struct rat *out, bool *approximate)
{
    bool front = take_front(&s, S("近")) || take_front(&s, S("约"));
    bool back = take_back(&s, S("余")) || take_back(&s, S("多"));
    *approximate = front || back;
    return rat_parse(s, out);
}
