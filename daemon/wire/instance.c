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

/* ---- core → message */

static void put_vars(Duban__V1__Instance *m, const struct machine *machine, const struct instance *i,
                     struct arena *a)
{
    m->n_vars = machine->nvars;
    m->vars = ARENA_ARRAY(a, Duban__V1__NamedValue *, machine->nvars);
    for (size_t v = 0; v < machine->nvars; v++)
        m->vars[v] = stored_named(machine->vars[v].name, &i->vars[v], &machine->vars[v].type, a);
}

static void put_counts(Duban__V1__Instance *m, const struct machine *machine, const struct instance *i,
                       struct arena *a)
{
    m->counts = ARENA_ARRAY(a, Duban__V1__Instance__Count *, machine->ncounts);
    for (size_t c = 0; c < machine->ncounts; c++) {
        const struct count *count = &i->counts[c];
        if (count->n == 0 && count->window.kind == PERIOD_ONCE)
            continue;
        Duban__V1__Instance__Count *out = proto_new(&duban__v1__instance__count__descriptor, a);
        out->name = proto_text(a, machine->counts[c].name);
        out->window = proto_text(a, period_format(a, count->window));
        out->n = count->n;
        m->counts[m->n_counts++] = out;
    }
}

static void put_latest(Duban__V1__Instance *m, const struct program *p, const struct machine *machine,
                       const struct instance *i, struct arena *a)
{
    m->latest = ARENA_ARRAY(a, Duban__V1__Instance__Latest *, machine->nlatest);
    for (size_t l = 0; l < machine->nlatest; l++) {
        const struct latest_def *d = &machine->latest[l];
        if (!i->latest[l].field)
            continue;
        Duban__V1__Instance__Latest *out = proto_new(&duban__v1__instance__latest__descriptor, a);
        out->kind = proto_text(a, p->kinds[d->kind].name);
        out->n_fields = d->nfields;
        out->fields = ARENA_ARRAY(a, Duban__V1__NamedValue *, d->nfields);
        for (size_t f = 0; f < d->nfields; f++)
            out->fields[f] = stored_named(kept_name(p, d, f), &i->latest[l].field[f], kept_type(p, d, f), a);
        m->latest[m->n_latest++] = out;
    }
}

static void put_timers(Duban__V1__Instance *m, const struct machine *machine, const struct instance *i,
                       struct arena *a)
{
    m->n_timers = i->ntimers;
    m->timers = ARENA_ARRAY(a, Duban__V1__Instance__Timer *, i->ntimers);
    for (size_t t = 0; t < i->ntimers; t++) {
        const struct timer *timer = &i->timers[t];
        Duban__V1__Instance__Timer *out = proto_new(&duban__v1__instance__timer__descriptor, a);
        out->name = proto_text(a, machine->timers[timer->def].name);
        out->n = (uint32_t)timer->n;
        out->due_ms = timer->due;
        out->nominal_ms = timer->nominal;
        out->armed = timer->armed;
        out->hops = (uint32_t)timer->hops;
        out->held = timer->held;
        m->timers[t] = out;
    }
}

static Duban__V1__Instance__Task *task_of(const struct task *t, struct arena *a)
{
    Duban__V1__Instance__Task *m = proto_new(&duban__v1__instance__task__descriptor, a);
    m->opens_ms = t->opens;
    m->nominal_ms = t->nominal;
    m->due_ms = t->due;
    m->day = t->day;
    m->provisional = t->provisional;
    m->reason = proto_text(a, t->reason);
    if (t->soft_end) {
        m->soft_end = proto_new(&duban__v1__instant__descriptor, a);
        m->soft_end->ms = t->soft_end;
    }
    m->title = proto_text(a, t->title);
    m->basis = proto_text(a, t->basis);
    m->n_owners = t->nowners;
    m->owners = ARENA_ARRAY(a, char *, t->nowners);
    for (size_t o = 0; o < t->nowners; o++)
        m->owners[o] = proto_text(a, t->owners[o]);
    return m;
}

static Duban__V1__Instance__Standing *standing_of(const struct standing *s, struct arena *a)
{
    if (!s->paused && !s->asked && !s->waived && !s->excused.n && !s->extended)
        return NULL;
    Duban__V1__Instance__Standing *m = proto_new(&duban__v1__instance__standing__descriptor, a);
    m->paused_ms = s->paused;
    m->asked_ms = s->asked;
    m->asked_until = proto_text(a, s->asked_until);
    m->request_source = proto_text(a, s->request.source);
    m->request_id = proto_text(a, s->request.id);
    m->waived = s->waived;
    m->excused = proto_text(a, s->excused);
    m->extended_ms = s->extended;
    return m;
}

static bool same_cause(const struct cause *a, const struct cause *b)
{
    return slice_eq(a->source, b->source) && slice_eq(a->id, b->id) && a->received == b->received &&
           slice_eq(a->timer, b->timer) &&
           (!a->timer.n || (slice_eq(a->instance, b->instance) && a->due == b->due && a->armed == b->armed));
}

struct slice wire_instance_pack(const struct program *p, const struct instance *i, struct arena *a)
{
    const struct machine *machine = &p->machines[i->machine];
    Duban__V1__Instance m = DUBAN__V1__INSTANCE__INIT;
    m.machine = proto_text(a, machine->name);
    m.n_key = machine->nkey;
    m.key = ARENA_ARRAY(a, char *, machine->nkey);
    for (size_t k = 0; k < machine->nkey; k++)
        m.key[k] = proto_text(a, i->key[k]);
    m.state = proto_text(a, i->state < 0 ? S("") : machine->states[i->state].name);
    m.since_ms = i->since;
    put_vars(&m, machine, i, a);
    put_counts(&m, machine, i, a);
    put_latest(&m, p, machine, i, a);
    put_timers(&m, machine, i, a);
    if (i->task)
        m.task = task_of(i->task, a);
    if (i->limit != INSTANT_NONE) {
        m.limit = proto_new(&duban__v1__instant__descriptor, a);
        m.limit->ms = i->limit;
    }
    if (machine->of == MACHINE_GENERATOR)
        m.next_period = proto_text(a, period_format(a, i->next_period));
    m.born = stored_cause(&i->born, a);
    if (!same_cause(&i->born, &i->last))
        m.last = stored_cause(&i->last, a);
    m.turns = i->turns;
    m.halted = i->halted;
    m.standing = standing_of(&i->standing, a);
    return proto_pack(&m.base, a);
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
