/* Instances as they are stored: by name. */
#include "wire/stored.h"

static const struct type instant_type = {.tag = TYPE_INSTANT};

/* A field that `latest` keeps: of the kind, or (name empty) the receipt time. */
static struct slice kept_name(const struct program *p, const struct latest_def *d, size_t i)
{
    return d->fields[i] < 0 ? S("") : p->kinds[d->kind].fields[d->fields[i]].name;
}

static const struct type *kept_type(const struct program *p, const struct latest_def *d, size_t i)
{
    return d->fields[i] < 0 ? &instant_type : &p->kinds[d->kind].fields[d->fields[i]].type;
}

/* ---- core → bytes */

static void pack_counts(struct packer *w, const struct machine *machine, const struct instance *i)
{
    for (size_t c = machine->ncounts; c-- > 0;) {
        const struct count *count = &i->counts[c];
        size_t mark = pack_mark(w);
        if (count->n == 0 && count->window.kind == PERIOD_ONCE)
            continue;
        pack_number(w, FIELD_INSTANCE__COUNT__N, (uint64_t)count->n);
        pack_text(w, FIELD_INSTANCE__COUNT__WINDOW, period_format(w->arena, count->window));
        pack_text(w, FIELD_INSTANCE__COUNT__NAME, machine->counts[c].name);
        pack_part(w, FIELD_INSTANCE__COUNTS, mark);
    }
}

static void pack_latest(struct packer *w, const struct program *p, const struct machine *machine,
                        const struct instance *i)
{
    for (size_t l = machine->nlatest; l-- > 0;) {
        const struct latest_def *d = &machine->latest[l];
        size_t mark = pack_mark(w);
        if (!i->latest[l].field)
            continue;
        for (size_t f = d->nfields; f-- > 0;)
            stored_pack_named(w, FIELD_INSTANCE__LATEST__FIELDS, kept_name(p, d, f), &i->latest[l].field[f],
                              kept_type(p, d, f));
        pack_text(w, FIELD_INSTANCE__LATEST__KIND, p->kinds[d->kind].name);
        pack_part(w, FIELD_INSTANCE__LATEST, mark);
    }
}

static void pack_timers(struct packer *w, const struct machine *machine, const struct instance *i)
{
    for (size_t n = i->ntimers; n-- > 0;) {
        const struct timer *t = &i->timers[n];
        size_t mark = pack_mark(w);
        pack_number(w, FIELD_INSTANCE__TIMER__HELD, t->held);
        pack_number(w, FIELD_INSTANCE__TIMER__HOPS, (uint32_t)t->hops);
        pack_number(w, FIELD_INSTANCE__TIMER__ARMED, (uint64_t)t->armed);
        pack_number(w, FIELD_INSTANCE__TIMER__NOMINAL_MS, (uint64_t)t->nominal);
        pack_number(w, FIELD_INSTANCE__TIMER__DUE_MS, (uint64_t)t->due);
        pack_number(w, FIELD_INSTANCE__TIMER__N, (uint32_t)t->n);
        pack_text(w, FIELD_INSTANCE__TIMER__NAME, machine->timers[t->def].name);
        pack_part(w, FIELD_INSTANCE__TIMERS, mark);
    }
}

static void pack_task(struct packer *w, const struct task *t)
{
    size_t mark = pack_mark(w);
    pack_texts(w, FIELD_INSTANCE__TASK__OWNERS, t->owners, t->nowners);
    pack_text(w, FIELD_INSTANCE__TASK__BASIS, t->basis);
    pack_text(w, FIELD_INSTANCE__TASK__TITLE, t->title);
    if (t->soft_end)
        stored_pack_instant(w, FIELD_INSTANCE__TASK__SOFT_END, t->soft_end);
    pack_text(w, FIELD_INSTANCE__TASK__REASON, t->reason);
    pack_number(w, FIELD_INSTANCE__TASK__PROVISIONAL, t->provisional);
    pack_number(w, FIELD_INSTANCE__TASK__DAY, pack_zigzag(t->day));
    pack_number(w, FIELD_INSTANCE__TASK__DUE_MS, (uint64_t)t->due);
    pack_number(w, FIELD_INSTANCE__TASK__NOMINAL_MS, (uint64_t)t->nominal);
    pack_number(w, FIELD_INSTANCE__TASK__OPENS_MS, (uint64_t)t->opens);
    pack_part(w, FIELD_INSTANCE__TASK, mark);
}

static void pack_standing(struct packer *w, const struct standing *s)
{
    size_t mark = pack_mark(w);
    if (!s->paused && !s->asked && !s->waived && !s->excused.n && !s->extended)
        return;
    pack_number(w, FIELD_INSTANCE__STANDING__EXTENDED_MS, (uint64_t)s->extended);
    pack_text(w, FIELD_INSTANCE__STANDING__EXCUSED, s->excused);
    pack_number(w, FIELD_INSTANCE__STANDING__WAIVED, s->waived);
    pack_text(w, FIELD_INSTANCE__STANDING__REQUEST_ID, s->request.id);
    pack_text(w, FIELD_INSTANCE__STANDING__REQUEST_SOURCE, s->request.source);
    pack_text(w, FIELD_INSTANCE__STANDING__ASKED_UNTIL, s->asked_until);
    pack_number(w, FIELD_INSTANCE__STANDING__ASKED_MS, (uint64_t)s->asked);
    pack_number(w, FIELD_INSTANCE__STANDING__PAUSED_MS, (uint64_t)s->paused);
    pack_part(w, FIELD_INSTANCE__STANDING, mark);
}

static bool same_cause(const struct cause *a, const struct cause *b)
{
    return slice_eq(a->source, b->source) && slice_eq(a->id, b->id) && a->received == b->received &&
           slice_eq(a->timer, b->timer) &&
           (!a->timer.n || (slice_eq(a->instance, b->instance) && a->due == b->due && a->armed == b->armed));
}

/* What the instance is by its machine: fields 5 to 11. */
static void pack_inside(struct packer *w, const struct program *p, const struct machine *machine,
                        const struct instance *i)
{
    if (machine->of == MACHINE_GENERATOR)
        pack_text(w, FIELD_INSTANCE__NEXT_PERIOD, period_format(w->arena, i->next_period));
    if (i->limit != INSTANT_NONE)
        stored_pack_instant(w, FIELD_INSTANCE__LIMIT, i->limit);
    if (i->task)
        pack_task(w, i->task);
    pack_timers(w, machine, i);
    pack_latest(w, p, machine, i);
    pack_counts(w, machine, i);
    for (size_t v = machine->nvars; v-- > 0;)
        stored_pack_named(w, FIELD_INSTANCE__VARS, machine->vars[v].name, &i->vars[v],
                          &machine->vars[v].type);
}

struct slice wire_instance_pack(const struct program *p, const struct instance *i, struct arena *a)
{
    const struct machine *machine = &p->machines[i->machine];
    struct packer w;
    pack_begin(&w, a);
    pack_standing(&w, &i->standing);
    pack_number(&w, FIELD_INSTANCE__HALTED, i->halted);
    pack_number(&w, FIELD_INSTANCE__TURNS, i->turns);
    if (!same_cause(&i->born, &i->last))
        stored_pack_cause(&w, FIELD_INSTANCE__LAST, &i->last);
    stored_pack_cause(&w, FIELD_INSTANCE__BORN, &i->born);
    pack_inside(&w, p, machine, i);
    pack_number(&w, FIELD_INSTANCE__SINCE_MS, (uint64_t)i->since);
    if (i->state >= 0)
        pack_text(&w, FIELD_INSTANCE__STATE, machine->states[i->state].name);
    pack_texts(&w, FIELD_INSTANCE__KEY, i->key, machine->nkey);
    pack_text(&w, FIELD_INSTANCE__MACHINE, machine->name);
    return pack_end(&w);
}

/* ---- message → core */

/* A variable that the record does not have (an older definition had none) starts as the definition says. */
static bool get_vars(const Duban__V1__Instance *m, const struct machine *machine, struct arena *a,
                     struct instance *i, struct err *e)
{
    i->vars = ARENA_ARRAY(a, struct value, machine->nvars);
    for (size_t v = 0; v < machine->nvars; v++) {
        struct err inner;
        i->vars[v] =
            machine->var_start ? value_copy(a, &machine->var_start[v]) : (struct value){.tag = VALUE_NA};
        for (size_t j = 0; j < m->n_vars; j++)
            if (slice_eq(slice_of(m->vars[j]->name), machine->vars[v].name) &&
                !stored_value_read(m->vars[j]->value, &machine->vars[v].type, a, &i->vars[v], &inner))
                return err_set(e, "machine %s: variable %s: %s", m->machine, m->vars[j]->name, inner.text);
    }
    return true;
}

static bool get_counts(const Duban__V1__Instance *m, const struct machine *machine, struct arena *a,
                       struct instance *i, struct err *e)
{
    i->counts = ARENA_ARRAY(a, struct count, machine->ncounts);
    for (size_t c = 0; c < machine->ncounts; c++)
        for (size_t j = 0; j < m->n_counts; j++) {
            if (!slice_eq(slice_of(m->counts[j]->name), machine->counts[c].name))
                continue;
            i->counts[c].n = m->counts[j]->n;
            if (!period_parse(slice_of(m->counts[j]->window), &i->counts[c].window))
                return err_set(e, "machine %s: counter %s: \"%.40s\" is no period", m->machine,
                               m->counts[j]->name, m->counts[j]->window);
        }
    return true;
}

static bool get_kept(const Duban__V1__Instance__Latest *m, const struct program *p,
                     const struct latest_def *d, struct arena *a, struct latest *out, struct err *e)
{
    out->field = ARENA_ARRAY(a, struct value, d->nfields);
    for (size_t f = 0; f < d->nfields; f++)
        for (size_t j = 0; j < m->n_fields; j++) {
            struct err inner;
            if (slice_eq(slice_of(m->fields[j]->name), kept_name(p, d, f)) &&
                !stored_value_read(m->fields[j]->value, kept_type(p, d, f), a, &out->field[f], &inner))
                return err_set(e, "latest %s: field %s: %s", m->kind, m->fields[j]->name, inner.text);
        }
    return true;
}

static bool get_latest(const Duban__V1__Instance *m, const struct program *p, const struct machine *machine,
                       struct arena *a, struct instance *i, struct err *e)
{
    i->latest = ARENA_ARRAY(a, struct latest, machine->nlatest);
    for (size_t l = 0; l < machine->nlatest; l++)
        for (size_t j = 0; j < m->n_latest; j++)
            if (slice_eq(slice_of(m->latest[j]->kind), p->kinds[machine->latest[l].kind].name) &&
                !get_kept(m->latest[j], p, &machine->latest[l], a, &i->latest[l], e))
                return false;
    return true;
}

static int timer_named(const struct machine *machine, struct slice name)
{
    for (size_t t = 0; t < machine->ntimers; t++)
        if (slice_eq(machine->timers[t].name, name))
            return (int)t;
    return -1;
}

static bool timer_before(const struct timer *a, const struct timer *b)
{
    return a->def != b->def ? a->def < b->def : a->n < b->n;
}

/* In the definition's order, which may not be the order they were stored in. */
static bool get_timers(const Duban__V1__Instance *m, const struct machine *machine, struct arena *a,
                       struct instance *i, struct err *e)
{
    i->timers = ARENA_ARRAY(a, struct timer, m->n_timers);
    for (size_t t = 0; t < m->n_timers; t++) {
        const Duban__V1__Instance__Timer *from = m->timers[t];
        struct timer timer = {timer_named(machine, slice_of(from->name)), (int)from->n, from->due_ms,
                              from->nominal_ms, from->armed, (int)from->hops, from->held};
        if (timer.def < 0 && i->migrated)
            continue; /* of the state that is no more */
        if (timer.def < 0)
            return err_set(e, "machine %s has no timer %s, which is armed", m->machine, from->name);
        size_t at = i->ntimers++;
        for (; at > 0 && timer_before(&timer, &i->timers[at - 1]); at--)
            i->timers[at] = i->timers[at - 1];
        i->timers[at] = timer;
    }
    return true;
}

static bool get_task(const Duban__V1__Instance *m, const struct program *p, struct arena *a,
                     struct instance *i, struct err *e)
{
    if (!m->task)
        return err_set(e, "machine %s: a task's record says nothing of its due date", m->machine);
    const Duban__V1__Instance__Task *from = m->task;
    i->task = ARENA_NEW(a, struct task);
    *i->task = (struct task){.obligation = program_obligation(p, i->key[TASK_OBLIGATION]),
                             .opens = from->opens_ms,
                             .nominal = from->nominal_ms,
                             .due = from->due_ms,
                             .day = from->day,
                             .provisional = from->provisional,
                             .reason = slice_of(from->reason),
                             .soft_end = from->soft_end ? from->soft_end->ms : 0,
                             .title = slice_of(from->title),
                             .basis = slice_of(from->basis),
                             .nowners = from->n_owners};
    i->task->owners = ARENA_ARRAY(a, struct slice, from->n_owners);
    for (size_t o = 0; o < from->n_owners; o++)
        i->task->owners[o] = slice_of(from->owners[o]);
    if (i->task->obligation < 0)
        return err_set(e, "there is no obligation %s, of which there is a task", m->key[TASK_OBLIGATION]);
    if (!period_parse(i->key[TASK_PERIOD], &i->task->period))
        return err_set(e, "machine %s: \"%.40s\" is no period", m->machine, m->key[TASK_PERIOD]);
    return true;
}

static bool get_identity(const Duban__V1__Instance *m, const struct program *p, struct instance *i,
                         struct err *e)
{
    i->machine = program_machine(p, slice_of(m->machine));
    if (i->machine < 0)
        return err_set(e, "there is no machine %s", m->machine);
    const struct machine *machine = &p->machines[i->machine];
    if (m->n_key != machine->nkey)
        return err_set(e, "machine %s has a key of %zu parts, not of %zu", m->machine, machine->nkey,
                       m->n_key);
    for (size_t k = 0; k < m->n_key; k++)
        i->key[k] = slice_of(m->key[k]);
    i->state = *m->state ? machine_state(machine, slice_of(m->state)) : -1;
    for (size_t s = 0; *m->state && i->state < 0 && s < machine->nmigrate; s++)
        if (slice_eq(machine->migrate[s].from, slice_of(m->state))) {
            i->state = machine->migrate[s].to;
            i->migrated = true;
        }
    if (*m->state && i->state < 0)
        return err_set(e, "machine %s has no state %s, in which there is an instance", m->machine, m->state);
    return true;
}

struct instance *wire_instance_unpack(const struct program *p, struct slice bytes, struct arena *a,
                                      struct err *e)
{
    const Duban__V1__Instance *m =
        (const void *)proto_read_own(&duban__v1__instance__descriptor, bytes, "instance record", a, e);
    if (!m)
        return NULL;
    struct instance *i = ARENA_NEW(a, struct instance);
    if (!get_identity(m, p, i, e))
        return NULL;
    const struct machine *machine = &p->machines[i->machine];
    if (!get_vars(m, machine, a, i, e) || !get_counts(m, machine, a, i, e) ||
        !get_latest(m, p, machine, a, i, e) || !get_timers(m, machine, a, i, e) ||
        (machine->of == MACHINE_TASK && !get_task(m, p, a, i, e)))
        return NULL;
    if (machine->of == MACHINE_GENERATOR && !period_parse(slice_of(m->next_period), &i->next_period)) {
        err_set(e, "machine %s: \"%.40s\" is no period", m->machine, m->next_period);
        return NULL;
    }
    i->since = m->since_ms;
    i->limit = m->limit ? m->limit->ms : INSTANT_NONE;
    if (m->born)
        stored_cause_read(m->born, &i->born);
    i->last = i->born;
    if (m->last)
        stored_cause_read(m->last, &i->last);
    i->turns = m->turns;
    i->halted = m->halted;
    if (m->standing)
        i->standing = (struct standing){.paused = m->standing->paused_ms,
                                        .asked = m->standing->asked_ms,
                                        .asked_until = slice_of(m->standing->asked_until),
                                        .request = {slice_of(m->standing->request_source),
                                                    slice_of(m->standing->request_id)},
                                        .waived = m->standing->waived,
                                        .excused = slice_of(m->standing->excused),
                                        .extended = m->standing->extended_ms};
    return i;
}
