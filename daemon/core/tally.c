/* What records and rules do to tallies: entries, self scores, reviews. Whatever comes for a closed one is
 * refused: publication closes a period, and what changes later is a correction. */
#include "core/tally.h"
#include "core/turn.h"

/* ---- for which unit and period */

struct account {
    int tally;
    struct slice unit;
    struct period period;
};

static const struct tally *tally_of(const struct turn *t, const struct account *a)
{
    return &t->p->tallies[a->tally];
}

/* A longer period does not say which of its months is meant. False: none, or the turn failed. */
static bool period_of_value(struct turn *t, const struct tally *y, const struct value *v, struct period *out)
{
    if (v->tag == VALUE_DATE)
        *out = period_of_date(y->period, v->date);
    else if (v->tag == VALUE_INSTANT)
        *out = period_of_date(y->period, tz_date(t->p->tz, v->instant, NULL));
    else if (v->tag == VALUE_PERIOD && v->period.kind != PERIOD_ONCE && v->period.kind <= y->period)
        *out = period_convert(y->period, v->period);
    else if (v->tag == VALUE_PERIOD)
        turn_fail(t, "%.*s scores each %s: %.*s is none", SLICE_ARG(y->name), period_kind_name(y->period),
                  SLICE_ARG(value_format(t->arena, v, t->p->tz)));
    else
        return false;
    return !t->failed;
}

static bool account_period(struct turn *t, const struct expr *x, const struct acting *act, struct account *a)
{
    const struct tally *y = tally_of(t, a);
    if (x) {
        struct value v = turn_eval(t, x, act);
        return period_of_value(t, y, &v, &a->period);
    }
    a->period = act->event ? event_period(t, act->event, y->period) : period_of_date(y->period, t->today);
    return true;
}

/* The event's own: its field of that name, else the reporter. */
static struct slice event_unit(const struct turn *t, const struct event *ev)
{
    int f = kind_field(&t->p->kinds[ev->kind], S("unit"));
    return f >= 0 && ev->field[f].tag == VALUE_TEXT ? ev->field[f].text : ev->by;
}

static bool account_scored(struct turn *t, const struct account *a)
{
    const struct tally *y = tally_of(t, a);
    return tally_scores_period(y, a->period) && tally_scores_unit(t->p, y, a->unit, a->period, t->today);
}

/* The instance, born open if need be; NULL: the turn failed. */
static struct touched *account_open(struct turn *t, const struct account *a, const struct acting *act,
                                    uint32_t place)
{
    const struct tally *y = tally_of(t, a);
    const struct slice key[KEY_PARTS_MAX] = {a->unit, period_format(t->arena, a->period)};
    struct touched *x = overlay_find(t, y->machine, key);
    if (!x && !t->failed)
        x = overlay_birth(t, y->machine, key);
    if (!x || t->failed)
        return NULL;
    if (x->i.state == TALLY_CLOSED) {
        turn_fail(t, "%.*s of %.*s for %.*s is closed: what changes after its publication is a correction",
                  SLICE_ARG(y->name), SLICE_ARG(a->unit), SLICE_ARG(key[1]));
        return NULL;
    }
    struct rule rule = {.place = place};
    struct acting taken = {.x = x, .event = act->event, .timer = act->timer, .rule = &rule};
    overlay_change(t, x);
    turn_record(t, &taken, TALLY_OPEN);
    x->i.state = TALLY_OPEN;
    return x;
}

/* ---- lists in the instance: never written in place */

static struct value list_with(struct turn *t, const struct value *list, struct value added)
{
    struct value *item = ARENA_ARRAY(t->arena, struct value, list->list.n + 1);
    if (list->list.n)
        memcpy(item, list->list.item, list->list.n * sizeof *item);
    item[list->list.n] = added;
    return (struct value){.tag = VALUE_LIST, .list = {item, list->list.n + 1}};
}

static struct value list_without(struct turn *t, const struct value *list, struct slice item)
{
    struct value kept = {.tag = VALUE_LIST, .list = {ARENA_ARRAY(t->arena, struct value, list->list.n), 0}};
    for (size_t i = 0; i < list->list.n; i++)
        if (!slice_eq(list->list.item[i].record.field[ENTRY_ITEM].text, item))
            kept.list.item[kept.list.n++] = list->list.item[i];
    return kept;
}

static struct value text_value(struct slice s)
{
    return (struct value){.tag = VALUE_TEXT, .text = s};
}

/* With the record, or the timer, that it came from. */
static struct value entry_make(struct turn *t, struct slice item, struct rat points, struct value reason)
{
    struct value *f = ARENA_ARRAY(t->arena, struct value, ENTRY_FIELDS);
    bool timer = t->cause.timer.n > 0;
    f[ENTRY_ITEM] = text_value(item);
    f[ENTRY_POINTS] = (struct value){.tag = VALUE_NUMBER, .number = points};
    f[ENTRY_REASON] = reason;
    f[ENTRY_SOURCE] = text_value(timer ? t->cause.instance : t->cause.source);
    f[ENTRY_ID] = text_value(timer ? t->cause.timer : t->cause.id);
    f[ENTRY_AT] = (struct value){.tag = VALUE_INSTANT, .instant = t->now};
    return (struct value){.tag = VALUE_RECORD, .record = {.field = f, .n = ENTRY_FIELDS}};
}

static bool item_known(struct turn *t, const struct tally *y, struct slice item)
{
    for (size_t i = 0; i < y->nitems; i++)
        if (slice_eq(y->items[i].name, item))
            return true;
    if (y->nitems || item.n == 0)
        turn_fail(t, "%.*s has no item “%.*s”", SLICE_ARG(y->name), SLICE_ARG(item));
    return y->nitems == 0 && item.n > 0;
}

/* ---- crediting */

struct credit {
    const struct expr *item, *points, *reason;
    int fixed_item;
    uint32_t place;
};

static void credit_entry(struct turn *t, const struct account *a, const struct credit *c,
                         const struct acting *act)
{
    const struct tally *y = tally_of(t, a);
    struct value item = c->item ? turn_eval(t, c->item, act) : text_value(y->items[c->fixed_item].name);
    struct value points = turn_eval(t, c->points, act), reason = turn_eval(t, c->reason, act);
    if (t->failed || !item_known(t, y, item.tag == VALUE_TEXT ? item.text : S("")))
        return;
    if (points.tag != VALUE_NUMBER) {
        const struct place *at = &t->p->places[c->place];
        turn_fail(t, "%.*s:%d: the points for %.*s are n/a", SLICE_ARG(at->file), at->line,
                  SLICE_ARG(y->name));
        return;
    }
    struct touched *x = account_open(t, a, act, c->place);
    if (!x)
        return;
    struct value *entries = &x->i.vars[TALLY_ENTRIES];
    if (entries->list.n >= TALLY_ENTRIES_MAX)
        turn_fail(t, "%.*s of %.*s for %.*s: more than %d entries", SLICE_ARG(y->name), SLICE_ARG(a->unit),
                  SLICE_ARG(x->i.key[1]), TALLY_ENTRIES_MAX);
    else
        *entries = list_with(t, entries, entry_make(t, item.text, points.number, reason));
}

/* Records about others and about other times are not for the tally. */
static void feed_take(struct turn *t, int tally, const struct tally_feed *f, const struct event *ev)
{
    struct acting act = {.event = ev, .timer = -1};
    struct account a = {.tally = tally};
    struct credit c = {f->item, f->points, f->reason, f->fixed_item, f->place};
    if (!turn_holds(t, f->where, &act) || !account_period(t, f->period, &act, &a))
        return;
    struct value unit = f->unit ? turn_eval(t, f->unit, &act) : text_value(event_unit(t, ev));
    bool many = unit.tag == VALUE_LIST;
    const struct value *one = many ? unit.list.item : &unit;
    for (size_t i = 0; i < (many ? unit.list.n : 1) && !t->failed; i++) {
        if (one[i].tag != VALUE_TEXT)
            continue;
        a.unit = one[i].text;
        if (account_scored(t, &a))
            credit_entry(t, &a, &c, &act);
    }
}

/* A rule that scores means what it says: what cannot be credited is refused. */
void action_score(struct turn *t, const struct acting *act, const struct action *s)
{
    const struct tally *y = &t->p->tallies[s->index];
    struct account a = {.tally = s->index};
    struct credit c = {s->item, s->value, s->reason, s->index2, s->place};
    struct value unit = turn_eval(t, s->unit, act);
    if (!account_period(t, s->period, act, &a) || unit.tag != VALUE_TEXT) {
        if (!t->failed)
            turn_fail(t, "%.*s: nothing says for %s the points are", SLICE_ARG(y->name),
                      unit.tag == VALUE_TEXT ? "which period" : "whom");
        return;
    }
    a.unit = unit.text;
    if (account_scored(t, &a))
        credit_entry(t, &a, &c, act);
    else
        turn_fail(t, "%.*s does not score %.*s for %.*s", SLICE_ARG(y->name), SLICE_ARG(a.unit),
                  SLICE_ARG(period_format(t->arena, a.period)));
}

/* ---- self scores and reviews */

static struct value field_at(const struct value *fields, int f)
{
    return f >= 0 ? fields[f] : (struct value){.tag = VALUE_NA};
}

/* One line of the record; a later one on the same item stands in place of an earlier. */
static void column_line(struct turn *t, const struct tally *y, const struct tally_column *c,
                        const struct value *fields, struct value *list)
{
    struct value item = field_at(fields, c->item), points = field_at(fields, c->points);
    if (item.tag != VALUE_TEXT || points.tag != VALUE_NUMBER || !item_known(t, y, item.text))
        return;
    struct value others = list_without(t, list, item.text);
    *list = list_with(t, &others, entry_make(t, item.text, points.number, field_at(fields, c->reason)));
}

static void column_lines(struct turn *t, const struct tally *y, const struct tally_column *c,
                         const struct event *ev, struct value *list)
{
    const struct value *lines = c->lines >= 0 ? &ev->field[c->lines] : NULL;
    size_t n = !lines ? 1 : lines->tag == VALUE_LIST ? lines->list.n : 0;
    for (size_t i = 0; i < n && !t->failed; i++)
        column_line(t, y, c, lines ? lines->list.item[i].record.field : ev->field, list);
    if (list->list.n > TALLY_ENTRIES_MAX)
        turn_fail(t, "%.*s: more than %d lines", SLICE_ARG(y->name), TALLY_ENTRIES_MAX);
}

/* As the record states it, else of what is on it. */
static struct value self_total(struct turn *t, const struct tally *y, const struct value *list,
                               struct value stated)
{
    struct rat sum = rat_int(0);
    if (stated.tag == VALUE_NUMBER)
        return stated;
    for (size_t i = 0; i < list->list.n; i++)
        if (rat_add(sum, list->list.item[i].record.field[ENTRY_POINTS].number, &sum) != RAT_OK)
            turn_fail(t, "%.*s: overflow", SLICE_ARG(y->name));
    return (struct value){.tag = VALUE_NUMBER, .number = sum};
}

static void column_take(struct turn *t, int tally, const struct tally_column *c, bool self,
                        const struct event *ev)
{
    const struct tally *y = &t->p->tallies[tally];
    struct acting act = {.event = ev, .timer = -1};
    struct account a = {.tally = tally, .unit = event_unit(t, ev), .period = event_period(t, ev, y->period)};
    if (!account_scored(t, &a)) {
        turn_fail(t, "%.*s does not score %.*s for %.*s", SLICE_ARG(y->name), SLICE_ARG(a.unit),
                  SLICE_ARG(period_format(t->arena, a.period)));
        return;
    }
    struct touched *x = account_open(t, &a, &act, c->place);
    if (!x)
        return;
    struct value *list = &x->i.vars[self ? TALLY_SELF : TALLY_REVIEW];
    if (self && c->lines >= 0)
        *list = (struct value){.tag = VALUE_LIST}; /* a whole sheet stands in place of the one before */
    column_lines(t, y, c, ev, list);
    if (self)
        x->i.vars[TALLY_SELF_TOTAL] = self_total(t, y, list, field_at(ev->field, c->total));
}

/* ---- */

void tally_hear(struct turn *t, const struct event *ev)
{
    for (size_t i = 0; i < t->p->ntallies && !t->failed; i++) {
        const struct tally *y = &t->p->tallies[i];
        for (size_t f = 0; f < y->nfeeds && !t->failed; f++)
            if (y->feeds[f].kind == ev->kind)
                feed_take(t, (int)i, &y->feeds[f], ev);
        if (y->self.kind == ev->kind && !t->failed)
            column_take(t, (int)i, &y->self, true, ev);
        if (y->review.kind == ev->kind && !t->failed)
            column_take(t, (int)i, &y->review, false, ev);
        if (y->closes_kind == ev->kind && !t->failed)
            tally_close(t, (int)i, ev);
    }
}
