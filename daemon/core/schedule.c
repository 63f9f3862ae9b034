/* What happens on a day and is nobody's task. Each schedule is an instance of the generator's machine under
 * the key "schedule NAME", which no obligation's name can be; its one timer stands at 00:00 of its day in
 * next_period.
 *
 * Invariant: every period before next_period has had its event, or its day was past when the schedule was
 * taken into force. */
#include "core/turn.h"

#define GENERATOR 0
#define TIMER_OPEN 0
#define PERIODS_MAX                                                                                          \
    800 /* looked through for one in which the rule falls: two years of days, and centuries of years */

static const struct slice prefix = {"schedule ", 9};

static const struct schedule *schedule_of(const struct turn *t, const struct touched *x)
{
    struct slice name = x->i.key[0];
    if (name.n <= prefix.n || memcmp(name.p, prefix.p, prefix.n) != 0)
        return NULL;
    name = (struct slice){name.p + prefix.n, name.n - prefix.n};
    for (size_t i = 0; i < t->p->nschedules; i++)
        if (slice_eq(t->p->schedules[i].name, name))
            return &t->p->schedules[i];
    return NULL;
}

bool is_schedule(const struct touched *x)
{
    return x->i.key[0].n > prefix.n && memcmp(x->i.key[0].p, prefix.p, prefix.n) == 0;
}

/* The first period from `q` on that is scheduled and whose day has not passed; false: there is none. */
static bool next_day(struct turn *t, const struct schedule *s, struct period q, struct period *out,
                     instant_t *at)
{
    struct span span = due_span(t->p, s->effective);
    if (span.from != DATE_NONE && period_first(q) < span.from) {
        q = period_of_date(s->each, span.from);
        q = period_first(q) < span.from ? period_step(q, 1) : q;
    }
    for (int i = 0; i < PERIODS_MAX && span_has(span, period_first(q)); i++, q = period_step(q, 1)) {
        struct due due = due_schedule(t->p, s, q, t->arena);
        if (due.day == DATE_NONE || due.day < t->today)
            continue;
        *out = q;
        *at = due.effective;
        return true;
    }
    return false;
}

static void schedule_arm(struct turn *t, struct touched *x, const struct schedule *s, struct period from)
{
    struct period q;
    instant_t at;
    timers_cancel(t, x, TIMER_OPEN);
    if (!next_day(t, s, from, &q, &at))
        return;
    x->i.next_period = q;
    timers_insert(t, x, TIMER_OPEN, 0, at, at);
}

/* The event's fields are the period and, of a schedule for roles, the unit; others are not given. */
static void schedule_raise(struct turn *t, const struct schedule *s, struct period period, struct slice unit)
{
    const struct kind *k = &t->p->kinds[s->kind];
    struct event ev = {
        .kind = s->kind, .field = ARENA_ARRAY(t->arena, struct value, k->nfields), .received = t->now};
    int f = kind_field(k, S("period")), u = kind_field(k, S("unit"));
    if (f >= 0)
        ev.field[f] = (struct value){.tag = VALUE_PERIOD, .period = period};
    if (u >= 0 && unit.n)
        ev.field[u] = (struct value){.tag = VALUE_TEXT, .text = unit};
    turn_queue(t, &ev);
}

void schedule_open(struct turn *t, struct touched *x)
{
    const struct schedule *s = schedule_of(t, x);
    struct period period = x->i.next_period;
    if (!s || period.kind != s->each)
        return; /* taken out of the definition */
    if (s->nfor_roles == 0)
        schedule_raise(t, s, period, S(""));
    int *held;
    size_t n = program_holders(t->p, s->for_roles, s->nfor_roles, t->today, t->arena, &held);
    for (size_t i = 0; i < n && !t->failed; i++)
        schedule_raise(t, s, period, t->p->units[held[i]].id);
    x->i.next_period = period_step(period, 1);
    schedule_arm(t, x, s, x->i.next_period);
}

/* From today on; of one that stands already, from the first period that has not had its event. */
static void install_schedule(struct turn *t, const struct schedule *s)
{
    struct slice key[KEY_PARTS_MAX] = {
        arena_printf(t->arena, "%.*s%.*s", SLICE_ARG(prefix), SLICE_ARG(s->name))};
    struct touched *x = overlay_find(t, GENERATOR, key);
    struct period from = period_step(period_of_date(s->each, t->today), -1 - s->at.periods_later), q;
    instant_t at;
    if (x && x->i.next_period.kind == s->each && period_cmp(x->i.next_period, from) > 0)
        from = x->i.next_period;
    bool stands = x && !x->i.halted && x->i.ntimers == 1 && next_day(t, s, from, &q, &at) &&
                  period_eq(x->i.next_period, q) && x->i.timers[0].nominal == at;
    if (t->failed || stands || (!x && !next_day(t, s, from, &q, &at)))
        return;
    bool fresh = !x;
    if (fresh && !(x = overlay_birth(t, GENERATOR, key)))
        return;
    overlay_change(t, x);
    x->i.state = t->p->machines[GENERATOR].initial;
    x->i.since = fresh ? t->now : x->i.since;
    x->i.halted = false;
    if (fresh)
        x->i.next_period = from;
    schedule_arm(t, x, s, from);
}

void schedules_install(struct turn *t)
{
    for (size_t i = 0; i < t->p->nschedules && !t->failed; i++)
        install_schedule(t, &t->p->schedules[i]);
}
