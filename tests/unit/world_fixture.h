/* A world for the core's tests: instances in an array, ordered by key; a driver that fires timers as the
 * engine does. */
#ifndef DUBAND_WORLD_FIXTURE_H
#define DUBAND_WORLD_FIXTURE_H

#include "program_fixture.h"

struct array_world {
    struct world w;
    const struct program *p;
    struct instance *item[4000];
    size_t n;
    struct number_taken number[16];
    size_t nnumbers;
    bool backwards; /* scans visit in the opposite order */
    struct effects fx;
    struct buf log; /* every turn's effects, as text */
};

FX int world_order(const struct instance *i, int machine, const struct slice *key)
{
    int c = (i->machine > machine) - (i->machine < machine);
    for (int k = 0; k < KEY_PARTS_MAX && c == 0; k++)
        c = slice_cmp(i->key[k], key[k]);
    return c;
}

FX struct instance *world_find(void *ctx, struct arena *a, int machine, const struct slice *key)
{
    struct array_world *w = ctx;
    (void)a;
    for (size_t i = 0; i < w->n; i++)
        if (world_order(w->item[i], machine, key) == 0)
            return w->item[i];
    return NULL;
}

FX void world_scan(void *ctx, struct arena *a, int machine, const struct slice *key, size_t nkey,
                   bool (*visit)(void *arg, struct instance *i), void *arg)
{
    struct array_world *w = ctx;
    (void)a;
    for (size_t i = 0; i < w->n; i++) {
        struct instance *one = w->item[w->backwards ? w->n - 1 - i : i];
        size_t k = 0;
        while (k < nkey && slice_eq(one->key[k], key[k]))
            k++;
        if (one->machine == machine && k == nkey && !visit(arg, one))
            return;
    }
}

FX int64_t world_number(void *ctx, struct slice series, int year)
{
    struct array_world *w = ctx;
    for (size_t i = 0; i < w->nnumbers; i++)
        if (w->number[i].year == year && slice_eq(w->number[i].series, series))
            return w->number[i].last;
    return 0;
}

static struct array_world *fx_worlds[8]; /* of the running test: their logs are freed with it */
static size_t fx_nworlds;

FX struct array_world *world_new(const struct program *p)
{
    struct array_world *w = ARENA_NEW(fx, struct array_world);
    assert_true(fx_nworlds < sizeof fx_worlds / sizeof *fx_worlds);
    fx_worlds[fx_nworlds++] = w;
    w->p = p;
    w->w = (struct world){.ctx = w, .find = world_find, .scan = world_scan, .last_number = world_number};
    return w;
}

/* ---- effects as text */

static const char *const verdict_name[] = {"applied", "no effect", "rejected", "halted"};

FX void log_ids(struct buf *b, const char *mark, const struct slice *id, size_t n)
{
    buf_printf(b, " %s", mark);
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s%.*s", i ? "," : "", SLICE_ARG(id[i]));
}

FX void log_instance(struct buf *b, const struct program *p, const struct instance *i)
{
    const struct machine *m = &p->machines[i->machine];
    buf_printf(b, "  %.*s %.*s turns=%llu%s", SLICE_ARG(instance_print(fx, p, i)),
               SLICE_ARG(m->states[i->state].name), (unsigned long long)i->turns, i->halted ? " halted" : "");
    for (size_t v = 0; v < m->nvars; v++)
        buf_printf(b, " %.*s=%.*s", SLICE_ARG(m->vars[v].name),
                   SLICE_ARG(value_format(fx, &i->vars[v], p->tz)));
    for (size_t c = 0; c < m->ncounts; c++)
        buf_printf(b, " %.*s=%lld", SLICE_ARG(m->counts[c].name), (long long)i->counts[c].n);
    for (size_t t = 0; t < i->ntimers; t++)
        buf_printf(b, " %.*s.%d@%.*s#%lld", SLICE_ARG(m->timers[i->timers[t].def].name), i->timers[t].n,
                   SLICE_ARG(instant_format_local(fx, p->tz, i->timers[t].due)),
                   (long long)i->timers[t].armed);
    buf_printf(b, "\n");
}

FX void log_effects(struct buf *b, const struct program *p, const struct effects *e)
{
    buf_printf(b, "%.*s %s %.*s%.*s %.*s\n", SLICE_ARG(instant_format_local(fx, p->tz, e->now)),
               verdict_name[e->verdict], SLICE_ARG(e->cause.id), SLICE_ARG(e->cause.instance),
               SLICE_ARG(e->cause.timer));
    for (size_t i = 0; i < e->nreasons; i++)
        buf_printf(b, "  because %.*s\n", SLICE_ARG(e->reasons[i]));
    for (size_t i = 0; i < e->ntransitions; i++)
        buf_printf(b, "  %.*s %d→%d\n", SLICE_ARG(instance_print(fx, p, e->transitions[i].instance)),
                   e->transitions[i].from, e->transitions[i].to);
    for (size_t i = 0; i < e->nissued; i++) {
        const struct issued *o = &e->issued[i];
        buf_printf(b, "  %.*s.%d %.*s/%.*s %.*s %.*s 「%.*s」", SLICE_ARG(p->measures[o->measure].name), o->n,
                   SLICE_ARG(o->unit), SLICE_ARG(o->subject), SLICE_ARG(o->basis), SLICE_ARG(o->number),
                   SLICE_ARG(o->body));
        log_ids(b, "to ", o->to, o->nto);
        log_ids(b, "copy ", o->copy, o->ncopy);
        buf_printf(b, "\n");
    }
    for (size_t i = 0; i < e->nchanged; i++)
        log_instance(b, p, e->changed[i]);
}

/* ---- turns */

FX void world_store(struct array_world *w, struct instance *i)
{
    size_t at = 0;
    while (at < w->n && world_order(w->item[at], i->machine, i->key) < 0)
        at++;
    if (at < w->n && world_order(w->item[at], i->machine, i->key) == 0) {
        w->item[at] = i;
        return;
    }
    assert_true(w->n < sizeof w->item / sizeof *w->item);
    memmove(w->item + at + 1, w->item + at, (w->n - at) * sizeof *w->item);
    w->item[at] = i;
    w->n++;
}

/* What holds after any turn. */
FX void check_effects(const struct array_world *w, const struct effects *e)
{
    bool undone = e->verdict == VERDICT_REJECTED || e->verdict == VERDICT_HALTED;
    assert_true(undone == (e->nreasons > 0));
    if (undone)
        assert_int_equal(e->nissued + e->ntransitions + e->nnumbers, 0);
    assert_true(e->verdict != VERDICT_NO_EFFECT || (e->nissued == 0 && e->nchanged == 0));
    for (size_t i = 0; i < e->nchanged; i++) {
        const struct instance *x = e->changed[i];
        const struct instance *before = world_find((void *)w, fx, x->machine, x->key);
        assert_true(before != x && e->was[i] == before);
        assert_int_equal(x->turns, before ? before->turns + 1 : 1);
        for (size_t k = 0; k < i; k++)
            assert_true(world_order(e->changed[k], x->machine, x->key) != 0);
        for (size_t t = 0; t < x->ntimers; t++) {
            assert_true((uint64_t)x->timers[t].armed < x->turns || x->timers[t].due >= e->now);
            assert_true(t == 0 || x->timers[t - 1].def < x->timers[t].def ||
                        (x->timers[t - 1].def == x->timers[t].def && x->timers[t - 1].n < x->timers[t].n));
        }
    }
    for (size_t i = 0; i < e->nissued; i++)
        for (size_t k = 1; k < e->issued[i].nto; k++)
            assert_true(slice_cmp(e->issued[i].to[k - 1], e->issued[i].to[k]) < 0);
}

FX void world_take(struct array_world *w)
{
    check_effects(w, &w->fx);
    log_effects(&w->log, w->p, &w->fx);
    for (size_t i = 0; i < w->fx.nchanged; i++)
        world_store(w, w->fx.changed[i]);
    for (size_t i = 0; i < w->fx.nnumbers; i++) {
        size_t k = 0;
        while (k < w->nnumbers && !(w->number[k].year == w->fx.numbers[i].year &&
                                    slice_eq(w->number[k].series, w->fx.numbers[i].series)))
            k++;
        w->number[k] = w->fx.numbers[i];
        w->nnumbers += k == w->nnumbers;
    }
}

/* Fires every timer due by t, in (due, machine and key, definition, n) order. Returns how many fired. */
FX int world_until(struct array_world *w, instant_t t)
{
    for (int fired = 0;; fired++) {
        struct instance *next = NULL;
        size_t index = 0;
        for (size_t i = 0; i < w->n; i++)
            for (size_t k = 0; k < w->item[i]->ntimers; k++)
                if (!w->item[i]->timers[k].held && w->item[i]->timers[k].due <= t &&
                    (!next || w->item[i]->timers[k].due < next->timers[index].due))
                    next = w->item[i], index = k;
        if (!next)
            return fired;
        assert_true(fired < 100000);
        step_timer(w->p, &w->w, next, index, fx, &w->fx);
        world_take(w);
    }
}

FX instant_t at(const struct program *p, const char *date, int hour, int minute)
{
    date_t d;
    assert_true(date_parse(slice_of(date), &d));
    return tz_instant(p->tz, d, (hour * 60 + minute) * 60000);
}

FX void world_install(struct array_world *w, instant_t now)
{
    struct cause cause = {.source = S("ops"), .id = S("def-1"), .due = INSTANT_NONE, .received = now};
    step_install(w->p, &w->w, now, &cause, fx, &w->fx);
    world_take(w);
    world_until(w, now);
}

/* Fires what is due, then applies the input. */
FX enum verdict world_input(struct array_world *w, struct input in)
{
    world_until(w, in.received);
    step_input(w->p, &w->w, &in, fx, &w->fx);
    world_take(w);
    return w->fx.verdict;
}

/* ---- inputs */

FX struct value record(size_t n, ...) /* name, value pairs */
{
    struct value v = {.tag = VALUE_RECORD};
    va_list ap;
    v.record.n = n;
    v.record.field = ARENA_ARRAY(fx, struct value, n);
    v.record.name = ARENA_ARRAY(fx, struct slice, n);
    va_start(ap, n);
    for (size_t i = 0; i < n; i++) {
        v.record.name[i] = slice_of(va_arg(ap, const char *));
        v.record.field[i] = va_arg(ap, struct value);
    }
    va_end(ap);
    return v;
}

FX struct value list(size_t n, ...) /* texts */
{
    struct value v = {.tag = VALUE_LIST};
    va_list ap;
    v.list.n = n;
    v.list.item = ARENA_ARRAY(fx, struct value, n);
    va_start(ap, n);
    for (size_t i = 0; i < n; i++)
        v.list.item[i] = V_TEXT(va_arg(ap, const char *));
    va_end(ap);
    return v;
}

FX struct input fact(instant_t t, const char *kind, const char *reporter, struct value fields)
{
    return (struct input){.class_ = INPUT_FACT,
                          .workflow = S("w"),
                          .source = S("portal-a"),
                          .id = slice_of(kind),
                          .received = t,
                          .kind = slice_of(kind),
                          .reporter = slice_of(reporter),
                          .fields = fields,
                          .topic = VOICE_EITHER};
}

FX struct input ping(instant_t t, int n)
{
    return fact(t, "ping", "u-01", record(1, "n", V_NUM(n)));
}

FX struct input submission(instant_t t, const char *unit, const char *period, struct value fields)
{
    return (struct input){.class_ = INPUT_SUBMISSION,
                          .source = S("portal-a"),
                          .id = S("s"),
                          .received = t,
                          .obligation = S("progress"),
                          .unit = slice_of(unit),
                          .period = slice_of(period),
                          .fields = fields,
                          .topic = VOICE_SUBMISSIONS};
}

FX struct input review(instant_t t, const char *unit, const char *period, bool accept)
{
    return (struct input){.class_ = INPUT_REVIEW,
                          .source = S("portal-a"),
                          .id = S("r"),
                          .received = t,
                          .obligation = S("progress"),
                          .unit = slice_of(unit),
                          .period = slice_of(period),
                          .accept = accept,
                          .reporter = S("o-1"),
                          .reason = S("不全"),
                          .topic = VOICE_DEADLINES};
}

FX struct input ranking(instant_t t, const char *period, struct input_entry *entries, size_t n)
{
    return (struct input){.class_ = INPUT_RANKING,
                          .source = S("portal-a"),
                          .id = S("k"),
                          .received = t,
                          .ranking = S("indicators"),
                          .period = slice_of(period),
                          .reporter = S("b-1"),
                          .entries = entries,
                          .nentries = n,
                          .topic = VOICE_DEADLINES};
}

/* One indicator's place among ten. */
FX enum verdict place(struct array_world *w, const char *date, const char *period, const char *subject,
                      int rank)
{
    struct input_entry *e = ARENA_NEW(fx, struct input_entry);
    *e = (struct input_entry){slice_of(subject), rank, 10, 1};
    return world_input(w, ranking(at(w->p, date, 9, 0), period, e, 1));
}

/* ---- questions */

FX const struct instance *the(struct array_world *w, int machine, const char *a, const char *b, const char *c,
                              const char *d)
{
    struct slice key[KEY_PARTS_MAX] = {slice_of(a), slice_of(b), slice_of(c), slice_of(d)};
    const struct instance *i = world_find(w, fx, machine, key);
    if (!i)
        fail_msg("no instance %s %s %s %s", a, b, c, d);
    return i;
}

FX int issued_of(const struct effects *e, int measure)
{
    int n = 0;
    for (size_t i = 0; i < e->nissued; i++)
        n += e->issued[i].measure == measure;
    return n;
}

FX const struct issued *first_of(const struct effects *e, int measure)
{
    for (size_t i = 0; i < e->nissued; i++)
        if (e->issued[i].measure == measure)
            return &e->issued[i];
    fail_msg("measure %d was not issued", measure);
    return NULL;
}

FX bool because(const struct effects *e, const char *part)
{
    for (size_t i = 0; i < e->nreasons; i++)
        if (memmem(e->reasons[i].p, e->reasons[i].n, part, strlen(part)))
            return true;
    return false;
}

#define assert_because(e, part)                                                                              \
    do {                                                                                                     \
        if (!because((e), (part)))                                                                           \
            fail_msg("no reason says: %s (first: %.*s)", part, (int)((e)->nreasons ? (e)->reasons[0].n : 0), \
                     (e)->nreasons ? (e)->reasons[0].p : "");                                                \
    } while (0)

FX int fx_setup(void **state)
{
    (void)state;
    fx = arena_new();
    return 0;
}

FX int fx_teardown(void **state)
{
    (void)state;
    while (fx_nworlds)
        buf_free(&fx_worlds[--fx_nworlds]->log);
    arena_free(fx);
    fx = NULL;
    return 0;
}

#define FX_TEST(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)

#endif
