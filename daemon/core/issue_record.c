/* What was issued, kept for `issued(…)` to ask: a mark in the instance, and who got it where anybody may ask.
 */
#include "core/turn.h"

static struct touched *record_of(struct turn *t, int measure, struct slice unit)
{
    struct slice key[KEY_PARTS_MAX] = {t->p->measures[measure].name, unit};
    struct touched *x = overlay_find(t, t->p->issued, key);
    if (!x && !t->failed)
        x = overlay_birth(t, t->p->issued, key);
    return t->failed ? NULL : x;
}

void issue_record(struct turn *t, struct touched *by, int measure, struct slice unit)
{
    const struct machine *m = by ? &t->p->machines[by->i.machine] : NULL;
    for (size_t k = 0; m && k < m->nissued_marks; k++)
        if (m->issued_marks[k].measure == measure) {
            overlay_change(t, by);
            by->i.vars[m->issued_marks[k].var] = (struct value){.tag = VALUE_YESNO, .yes = true};
        }
    struct touched *x = t->p->measures[measure].on_record && unit.n ? record_of(t, measure, unit) : NULL;
    if (!x)
        return;
    const struct value now = {.tag = VALUE_INSTANT, .instant = t->now};
    struct value *var = x->i.vars;
    int64_t before = var[ISSUED_N].tag == VALUE_NUMBER ? var[ISSUED_N].number.num : 0;
    overlay_change(t, x);
    x->i.state = 0;
    var[ISSUED_N] = (struct value){.tag = VALUE_NUMBER, .number = rat_int(before + 1)};
    var[ISSUED_FIRST] = before ? var[ISSUED_FIRST] : now;
    var[ISSUED_LAST] = now;
}
