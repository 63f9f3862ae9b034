/* The entry points: one input, one timer, one definition. */
#include "core/step.h"

#include "core/turn.h"

#include <assert.h>

static void turn_begin(struct turn *t, const struct program *p, const struct world *w, instant_t now,
                       const struct cause *cause, struct arena *a, struct effects *out)
{
    *out = (struct effects){.cause = *cause, .now = now};
    *t = (struct turn){.p = p,
                       .w = w,
                       .arena = a,
                       .now = now,
                       .today = tz_date(p->tz, now, NULL),
                       .cause = *cause,
                       .out = out};
    t->why.arena = a;
}

static void collect_changed(struct turn *t)
{
    struct overlay *o = &t->overlay;
    struct instance **changed = ARENA_ARRAY(t->arena, struct instance *, o->n);
    const struct instance **was = ARENA_ARRAY(t->arena, const struct instance *, o->n);
    const struct instance **removed = ARENA_ARRAY(t->arena, const struct instance *, o->n);
    size_t n = 0, gone = 0;
    for (size_t i = 0; i < o->n; i++)
        if (o->order[i]->gone && o->order[i]->was) {
            removed[gone++] = o->order[i]->was;
        } else if (o->order[i]->changed && !o->order[i]->gone) {
            was[n] = o->order[i]->was;
            changed[n++] = &o->order[i]->i;
        }
    t->out->changed = changed;
    t->out->was = was;
    t->out->nchanged = n;
    t->out->removed = removed;
    t->out->nremoved = gone;
}

/* A turn that failed leaves nothing but its reasons. */
static void turn_end(struct turn *t)
{
    struct effects *out = t->out;
    if (t->failed || t->why.n) {
        *out = (struct effects){.verdict = VERDICT_REJECTED,
                                .reasons = t->why.item,
                                .nreasons = t->why.n,
                                .cause = t->cause,
                                .now = t->now};
        return;
    }
    collect_changed(t);
    out->verdict = out->nchanged || out->nremoved || out->roster ? VERDICT_APPLIED : VERDICT_NO_EFFECT;
}

void step_input(const struct program *p, const struct world *w, const struct input *in, struct arena *a,
                struct effects *out)
{
    struct turn t;
    struct cause cause = {.source = in->source, .id = in->id, .due = INSTANT_NONE, .received = in->received};
    turn_begin(&t, p, w, in->received, &cause, a, out);
    validate_input(&t, in);
    if (!t.failed && t.why.n == 0)
        turn_run_queue(&t);
    turn_end(&t);
}

/* The instance as it was, with its timers disarmed, until somebody looks at it. */
static void halt(struct turn *t, const struct instance *i)
{
    struct instance *halted = ARENA_NEW(t->arena, struct instance);
    struct instance **changed = ARENA_NEW(t->arena, struct instance *);
    const struct instance **was = ARENA_NEW(t->arena, const struct instance *);
    *halted = *i;
    halted->timers = NULL;
    halted->ntimers = 0;
    halted->halted = true;
    halted->turns++;
    halted->last = t->cause;
    *changed = halted;
    *was = i;
    t->out->verdict = VERDICT_HALTED;
    t->out->changed = changed;
    t->out->was = was;
    t->out->nchanged = 1;
}

void step_timer(const struct program *p, const struct world *w, struct instance *i, size_t index,
                struct arena *a, struct effects *out)
{
    assert(index < i->ntimers);
    struct turn t;
    const struct machine *m = &p->machines[i->machine];
    struct timer timer = i->timers[index];
    struct cause cause = {.instance = instance_print(a, p, i),
                          .timer = m->timers[timer.def].name,
                          .due = timer.due,
                          .armed = timer.armed,
                          .received = timer.due};
    turn_begin(&t, p, w, timer.due, &cause, a, out);
    t.hops = timer.hops + 1;
    struct touched *x = overlay_take(&t, i);
    overlay_change(&t, x);
    timers_remove_at(x, index);
    if (m->of == MACHINE_GENERATOR)
        generator_open(&t, x);
    else
        turn_fire(&t, x, timer.def);
    turn_run_queue(&t);
    turn_end(&t);
    if (out->verdict == VERDICT_REJECTED)
        halt(&t, i);
}

void step_install(const struct program *p, const struct world *w, instant_t now, const struct cause *cause,
                  struct arena *a, struct effects *out)
{
    struct turn t;
    turn_begin(&t, p, w, now, cause, a, out);
    migrate_all(&t); /* first: it takes its instances from the world */
    provisional_install(&t);
    succession_settle(&t);
    generator_install(&t);
    schedules_install(&t);
    turn_end(&t);
}

void step_issue(const struct program *p, const struct world *w, const struct proposed *m, instant_t now,
                const struct cause *cause, struct arena *a, struct effects *out)
{
    struct turn t;
    turn_begin(&t, p, w, now, cause, a, out);
    issue_proposed(&t, overlay_find(&t, m->machine, m->key), m);
    turn_end(&t);
}

/* ---- names */

/* `/` parts the key, so one inside a part is written otherwise: different keys never print alike. */
static struct slice part_print(struct arena *a, struct slice part)
{
    size_t escapes = 0;
    for (size_t i = 0; i < part.n; i++)
        escapes += part.p[i] == '/' || part.p[i] == '%';
    if (!escapes)
        return part;
    char *text = arena_alloc(a, part.n + 2 * escapes + 1), *to = text;
    for (size_t i = 0; i < part.n; i++)
        if (part.p[i] == '/' || part.p[i] == '%') {
            memcpy(to, part.p[i] == '/' ? "%2F" : "%25", 3);
            to += 3;
        } else {
            *to++ = part.p[i];
        }
    return (struct slice){text, (size_t)(to - text)};
}

struct slice instance_print(struct arena *a, const struct program *p, const struct instance *i)
{
    const struct machine *m = &p->machines[i->machine];
    struct slice part[1 + 2 * KEY_PARTS_MAX] = {part_print(a, m->name)};
    size_t nkey = m->nkey, n = 1;
    if (nkey && i->key[nkey - 1].n == 0)
        nkey--; /* a task that is about nothing */
    for (size_t k = 0; k < nkey; k++) {
        part[n++] = S("/");
        part[n++] = part_print(a, i->key[k]);
    }
    return arena_join(a, part, n);
}
