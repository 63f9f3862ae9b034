/* Tasks and cases: instances of the machines in force. */
#include "engine/definition.h"
#include "engine/query_page.h"
#include "engine/row.h"

static bool wanted(struct slice filter, struct slice have)
{
    return filter.n == 0 || slice_eq(filter, have);
}

/* One workflow's share of a query: its definition is held while its rows are read. */
struct shelf {
    struct slice workflow;
    struct definition *definition;
};

static const struct machine *machine_of_key(const struct program *p, const struct instance_key *key)
{
    int m = program_machine(p, key->machine);

    return m >= 0 && p->machines[m].nkey == key->nparts ? &p->machines[m] : NULL;
}

static struct slice part_called(const struct machine *m, const struct instance_key *key, const char *name)
{
    for (size_t i = 0; i < m->nkey; i++)
        if (slice_eq(m->key[i].name, slice_of(name)))
            return key->part[i];
    return S("");
}

/* What a case is about: the first part that is neither its unit nor a period. */
static struct slice subject_of(const struct machine *m, const struct instance_key *key)
{
    for (size_t i = 0; i < m->nkey; i++)
        if ((int)i != m->unit_key && m->key[i].type.tag != TYPE_PERIOD)
            return key->part[i];
    return S("");
}

static struct slice unit_of(const struct machine *m, const struct instance_key *key)
{
    return m->of == MACHINE_TASK ? key->part[TASK_UNIT] : m->unit_key >= 0 ? key->part[m->unit_key] : S("");
}

static bool key_wanted(const struct query *q, const struct machine *m, const struct instance_key *key,
                       bool tasks)
{
    struct slice subject = m->of == MACHINE_TASK ? key->part[TASK_ABOUT] : subject_of(m, key);
    struct slice obligation = m->of == MACHINE_TASK ? key->part[TASK_OBLIGATION] : S("");
    struct slice period = m->of == MACHINE_TASK ? key->part[TASK_PERIOD] : part_called(m, key, "period");

    if (m->of == MACHINE_GENERATOR || m->hidden || (m->of == MACHINE_TASK) != tasks)
        return false;
    return wanted(q->machine, m->name) && wanted(q->unit, unit_of(m, key)) && wanted(q->subject, subject) &&
           wanted(q->obligation, obligation) && wanted(q->period, period);
}

static void write_variables(struct buf *b, const struct machine *m, const struct instance *i)
{
    row_open(b, "variables", '{');
    for (size_t v = 0; v < m->nvars; v++)
        if (!name_is_hidden(m->vars[v].name))
            row_value(b, m->vars[v].name, &i->vars[v]);
    row_close(b, '}');
    row_open(b, "counters", '{');
    for (size_t c = 0; c < m->ncounts; c++) {
        struct value n = {.tag = VALUE_NUMBER, .number = rat_int(i->counts[c].n)};

        row_value(b, m->counts[c].name, &n);
    }
    row_close(b, '}');
}

static void write_timers(struct buf *b, const struct machine *m, const struct instance *i)
{
    row_open(b, "timers", '[');
    for (size_t t = 0; t < i->ntimers; t++) {
        row_open(b, NULL, '{');
        row_text(b, "name", m->timers[i->timers[t].def].name);
        row_instant(b, "due", i->timers[t].due);
        if (i->timers[t].held)
            row_yesno(b, "held", true);
        row_close(b, '}');
    }
    row_close(b, ']');
}

/* What corrections made of it, as far as they did. */
static void write_standing(struct buf *b, const struct standing *s)
{
    if (s->paused)
        row_instant(b, "paused", s->paused);
    if (s->asked)
        row_text(b, "asked_until", s->asked_until);
    if (s->extended)
        row_instant(b, "extended", s->extended);
    if (s->waived)
        row_yesno(b, "waived", true);
    if (s->excused.n)
        row_text(b, "excused", s->excused);
}

static void write_state(struct buf *b, const struct machine *m, const struct instance *i)
{
    const struct state *s = i->state >= 0 ? &m->states[i->state] : NULL;

    row_text(b, "state", s != NULL ? s->name : S(""));
    row_text(b, "state_title", s != NULL ? s->title : S(""));
    row_yesno(b, "final", s != NULL && s->final);
    row_instant(b, "since", i->since);
    if (i->halted)
        row_yesno(b, "halted", true);
    write_standing(b, &i->standing);
}

/* Yes-no variables that people ask tasks for stand beside the state, too. */
static void write_flags(struct buf *b, const struct machine *m, const struct instance *i)
{
    static const char *const flag[] = {"late", "missed"};

    for (size_t f = 0; f < sizeof flag / sizeof *flag; f++)
        for (size_t v = 0; v < m->nvars; v++)
            if (slice_eq(m->vars[v].name, slice_of(flag[f])))
                row_yesno(b, flag[f], i->vars[v].tag == VALUE_YESNO && i->vars[v].yes);
}

static void write_task(struct page *p, const struct program *program, const struct instance_key *key,
                       const struct machine *m, const struct instance *i)
{
    const struct obligation *o = &program->obligations[i->task->obligation];
    const struct unit *u = program_unit(program, key->part[TASK_UNIT], tz_date(program->tz, i->since, NULL));
    struct buf *b = &p->row;

    row_open(b, NULL, '{');
    row_text(b, "workflow", program->id);
    row_text(b, "obligation", o->name);
    row_text(b, "basis", o->basis);
    row_text(b, "title", o->title);
    row_text(b, "unit", key->part[TASK_UNIT]);
    row_text(b, "unit_title", u != NULL ? u->title : S(""));
    row_text(b, "about", key->part[TASK_ABOUT]);
    row_text(b, "period", key->part[TASK_PERIOD]);
    row_text(b, "machine", m->name);
    write_state(b, m, i);
    row_instant(b, "opens", i->task->opens);
    row_instant(b, "due", i->task->due);
    row_text(b, "day",
             i->task->day != DATE_NONE && i->task->due != INSTANT_MAX ? date_format(p->arena, i->task->day)
                                                                      : S(""));
    row_instant(b, "nominal", i->task->nominal);
    row_text(b, "reason", i->task->reason);
    row_yesno(b, "provisional", i->task->provisional);
    write_flags(b, m, i);
    write_variables(b, m, i);
    write_timers(b, m, i);
    row_close(b, '}');
}

static void write_case(struct page *p, const struct program *program, const struct instance_key *key,
                       const struct machine *m, const struct instance *i)
{
    struct slice unit = unit_of(m, key);
    const struct unit *u = program_unit(program, unit, tz_date(program->tz, i->since, NULL));
    struct buf *b = &p->row;

    row_open(b, NULL, '{');
    row_text(b, "workflow", program->id);
    row_text(b, "machine", m->name);
    row_text(b, "title", m->title);
    row_text(b, "basis", m->basis);
    row_text(b, "unit", unit);
    row_text(b, "unit_title", u != NULL ? u->title : S(""));
    row_text(b, "subject", subject_of(m, key));
    row_open(b, "key", '{');
    for (size_t k = 0; k < m->nkey; k++) {
        struct value part = {.tag = VALUE_TEXT, .text = key->part[k]};

        row_value(b, m->key[k].name, &part);
    }
    row_close(b, '}');
    write_state(b, m, i);
    row_instant(b, "limit", i->limit);
    write_variables(b, m, i);
    write_timers(b, m, i);
    row_close(b, '}');
}

static bool add_instance(struct page *p, const struct shelf *shelf, struct slice at, struct slice value,
                         struct arena *scratch, bool tasks)
{
    const struct program *program = definition_program(shelf->definition);
    struct instance_key key;

    if (!key_instance_parse(at, &key))
        return err_set(p->err, "instances: a key of %zu bytes that is none", at.n);
    const struct machine *m = machine_of_key(program, &key);
    if (m == NULL || !key_wanted(p->q, m, &key, tasks))
        return true;
    arena_reset(scratch);
    const struct instance *i = wire_instance_unpack(program, value, scratch, p->err);
    if (i == NULL)
        return false;

    const struct state *s = i->state >= 0 ? &m->states[i->state] : NULL;
    bool closed = (s != NULL && s->final) || i->standing.waived;
    if ((p->q->open_only && closed) || !wanted(p->q->state, s != NULL ? s->name : S("")))
        return true;
    (tasks ? write_task : write_case)(p, program, &key, m, i);
    page_add(p);
    return true;
}

static bool take_shelf(struct page *p, struct slice workflow, struct shelf *shelf)
{
    struct slice stored;

    if (slice_eq(shelf->workflow, workflow))
        return true;
    definition_release(shelf->definition);
    *shelf = (struct shelf){.workflow = arena_dup(p->arena, workflow)};
    if (store_get(p->txn, TABLE_DEFINITION, workflow, &stored) != STORE_OK)
        return err_set(p->err, "workflow %.*s has instances, but its definition is not there",
                       SLICE_ARG(workflow));
    shelf->definition = definition_load(p->txn, workflow, stored, p->err);
    return shelf->definition != NULL;
}

static bool query_instances(struct page *p, bool tasks)
{
    struct arena *scratch = arena_new();
    struct store_iter *i = store_iter_new(p->txn, TABLE_INSTANCE);
    struct shelf shelf = {{NULL, 0}, NULL};
    struct key from, prefix, last;
    struct slice at, value;
    bool ok = page_start(p, &from, &prefix);

    key_start(&last);
    for (bool more = ok && store_iter_seek(i, key_slice(&from), &at, &value);
         ok && more && key_has_prefix(at, key_slice(&prefix)); more = store_iter_next(i, &at, &value)) {
        struct slice rest = at, workflow;

        if (page_full(p)) {
            page_more(p, &last);
            break;
        }
        ok = key_take_name(&rest, &workflow) && take_shelf(p, workflow, &shelf) &&
             add_instance(p, &shelf, at, value, scratch, tasks);
        key_start(&last);
        key_bytes(&last, at);
    }
    store_iter_free(i);
    arena_free(scratch);
    definition_release(shelf.definition);
    return ok;
}

bool query_tasks(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out,
                 struct err *e)
{
    struct page p = page_begin(t, q, a, out, e);

    return page_end(&p, query_instances(&p, true));
}

bool query_cases(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out,
                 struct err *e)
{
    struct page p = page_begin(t, q, a, out, e);

    return page_end(&p, query_instances(&p, false));
}
