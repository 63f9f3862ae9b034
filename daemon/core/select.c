/* Selectors: which tasks and cases a correction is for. Names are resolved first, then as few keys are walked
 * as what is given allows. */
#include "core/correct.h"

#include <stdlib.h>

struct names {
    struct slice *item;
    size_t n;
};

struct choice {
    struct turn *t;
    const struct selector *s;
    struct names units, subjects, periods; /* as keys have them */
    int *role;
    size_t nroles;
    bool *machine; /* by index: may be meant */
    struct selection *out;
};

static bool has(const struct slice *list, size_t n, struct slice one)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(list[i], one))
            return true;
    return false;
}

static bool narrows(size_t n, const struct slice *list, struct slice one)
{
    return n > 0 && !has(list, n, one);
}

static void unknown(struct choice *c, const char *part, const char *what, struct slice name)
{
    problem_add(&c->t->why, "select.%s: no %s \"%.*s\" in %.*s", part, what, SLICE_ARG(name),
                SLICE_ARG(c->t->p->id));
}

/* ---- names */

/* Its own id, whenever it was in force, else an alias of today's. */
static struct slice unit_named(const struct turn *t, struct slice name)
{
    for (size_t i = 0; i < t->p->nunits; i++)
        if (slice_eq(t->p->units[i].id, name))
            return name;
    const struct unit *u = program_unit(t->p, name, t->today);
    return u ? u->id : S("");
}

static void resolve_units(struct choice *c)
{
    const struct selector *s = c->s;
    c->units = (struct names){ARENA_ARRAY(c->t->arena, struct slice, s->nunits), s->nunits};
    for (size_t i = 0; i < s->nunits; i++) {
        c->units.item[i] = unit_named(c->t, s->units[i]);
        if (c->units.item[i].n == 0)
            unknown(c, "units", "unit", s->units[i]);
    }
    c->subjects = (struct names){ARENA_ARRAY(c->t->arena, struct slice, s->nsubjects), s->nsubjects};
    for (size_t i = 0; i < s->nsubjects;
         i++) { /* a unit, a row's key, or words of a directive: anything may be one */
        c->subjects.item[i] = unit_named(c->t, s->subjects[i]);
        if (c->subjects.item[i].n == 0)
            c->subjects.item[i] = s->subjects[i];
    }
}

static void resolve_roles(struct choice *c)
{
    const struct selector *s = c->s;
    c->role = ARENA_ARRAY(c->t->arena, int, s->nroles);
    for (size_t i = 0; i < s->nroles; i++) {
        int role = program_role(c->t->p, s->roles[i]);
        if (role >= 0)
            c->role[c->nroles++] = role;
        else
            unknown(c, "roles", "role", s->roles[i]);
    }
}

static void resolve_task_parts(struct choice *c)
{
    const struct selector *s = c->s;
    struct turn *t = c->t;
    for (size_t i = 0; i < s->nobligations; i++)
        if (program_obligation(t->p, s->obligations[i]) < 0)
            unknown(c, "obligations", "obligation", s->obligations[i]);
    c->periods.item = ARENA_ARRAY(t->arena, struct slice, s->nperiods);
    for (size_t i = 0; i < s->nperiods; i++) {
        struct period period;
        if (period_parse(s->periods[i], &period))
            c->periods.item[c->periods.n++] = period_format(t->arena, period);
        else
            problem_add(&t->why, "select.periods: \"%.*s\" is no period", SLICE_ARG(s->periods[i]));
    }
    if (s->due_from != DATE_NONE && s->due_until != DATE_NONE && s->due_from > s->due_until)
        problem_add(&t->why, "select.due_from: %.*s is later than due_until, %.*s",
                    SLICE_ARG(date_format(t->arena, s->due_from)),
                    SLICE_ARG(date_format(t->arena, s->due_until)));
}

/* What the program keeps for itself is nobody's case. */
static bool is_internal(const struct program *p, int machine)
{
    return p->machines[machine].of == MACHINE_GENERATOR || p->machines[machine].hidden ||
           machine == p->readings;
}

static void resolve_machines(struct choice *c, bool tasks_only)
{
    const struct program *p = c->t->p;
    const struct selector *s = c->s;
    bool tasks =
        tasks_only || s->nobligations || s->nperiods || s->due_from != DATE_NONE || s->due_until != DATE_NONE;
    c->machine = ARENA_ARRAY(c->t->arena, bool, p->nmachines);
    for (size_t m = 0; m < p->nmachines; m++)
        c->machine[m] = !is_internal(p, (int)m) && (!tasks || p->machines[m].of == MACHINE_TASK) &&
                        !narrows(s->nmachines, s->machines, p->machines[m].name);
    for (size_t i = 0; i < s->nmachines; i++) {
        int machine = program_machine(p, s->machines[i]);
        if (machine < 0 || is_internal(p, machine))
            unknown(c, "machines", "machine", s->machines[i]);
    }
}

static void resolve_states(struct choice *c)
{
    const struct program *p = c->t->p;
    for (size_t i = 0; i < c->s->nstates; i++) {
        bool found = false;
        for (size_t m = 0; m < p->nmachines && !found; m++)
            found = !is_internal(p, (int)m) && machine_state(&p->machines[m], c->s->states[i]) >= 0 &&
                    !narrows(c->s->nmachines, c->s->machines, p->machines[m].name);
        if (!found)
            unknown(c, "states", "state", c->s->states[i]);
    }
}

/* ---- matching */

/* The units that the instance is about. */
static struct names units_of(struct turn *t, struct touched *x)
{
    const struct instance *i = &x->i;
    const struct machine *m = &t->p->machines[i->machine];
    struct names units = {ARENA_NEW(t->arena, struct slice), 1};
    if (i->task && i->task->nowners)
        return (struct names){i->task->owners, i->task->nowners};
    if (i->task || m->unit_key >= 0) {
        *units.item = i->key[i->task ? TASK_UNIT : m->unit_key];
        return units;
    }
    struct acting act = {.x = x, .timer = -1};
    struct value v = turn_eval(t, m->unit, &act);
    units.n = 0;
    if (v.tag == VALUE_LIST)
        units.item = ARENA_ARRAY(t->arena, struct slice, v.list.n);
    for (size_t k = 0; k < (v.tag == VALUE_LIST ? v.list.n : 1); k++) {
        const struct value *one = v.tag == VALUE_LIST ? &v.list.item[k] : &v;
        if (one->tag == VALUE_TEXT)
            units.item[units.n++] = one->text;
    }
    return units;
}

static bool unit_fits(struct choice *c, struct touched *x)
{
    if (c->units.n == 0 && c->nroles == 0)
        return true;
    struct names units = units_of(c->t, x);
    for (size_t i = 0; i < units.n; i++) {
        const struct unit *u = program_unit(c->t->p, units.item[i], c->t->today);
        bool holds = c->nroles == 0;
        for (size_t r = 0; u && r < c->nroles && !holds; r++)
            holds = unit_has_role(u, c->role[r]);
        if (holds && !narrows(c->units.n, c->units.item, units.item[i]))
            return true;
    }
    return false;
}

static bool subject_fits(const struct choice *c, const struct instance *i)
{
    const struct machine *m = &c->t->p->machines[i->machine];
    if (c->subjects.n == 0 || i->task)
        return !narrows(c->subjects.n, c->subjects.item, i->key[TASK_ABOUT]);
    for (size_t k = 0; k < m->nkey; k++)
        if ((int)k != m->unit_key && m->key[k].type.tag != TYPE_PERIOD &&
            has(c->subjects.item, c->subjects.n, i->key[k]))
            return true;
    return false;
}

static bool task_fits(const struct choice *c, const struct instance *i)
{
    const struct selector *s = c->s;
    bool dated = s->due_from != DATE_NONE || s->due_until != DATE_NONE;
    if (!i->task)
        return true; /* its machine was passed over, if a part is about tasks alone */
    if (dated && (i->task->due == INSTANT_MAX || (s->due_from != DATE_NONE && i->task->day < s->due_from) ||
                  (s->due_until != DATE_NONE && i->task->day > s->due_until)))
        return false;
    return !narrows(s->nobligations, s->obligations, i->key[TASK_OBLIGATION]) &&
           !narrows(c->periods.n, c->periods.item, i->key[TASK_PERIOD]);
}

static void consider(struct choice *c, struct touched *found)
{
    struct turn *t = c->t;
    const struct instance *i = &found->i;
    if (i->state < 0 || !c->machine[i->machine] || !task_fits(c, i) || !subject_fits(c, i) ||
        narrows(c->s->nstates, c->s->states, t->p->machines[i->machine].states[i->state].name) ||
        !unit_fits(c, found))
        return;
    struct touched *x = overlay_find(t, i->machine, i->key);
    if (x)
        *(struct touched **)arena_push(t->arena, &c->out->item, &c->out->n, &c->out->cap, sizeof x) = x;
}

/* ---- walking */

static void walk(struct choice *c, int machine, const struct slice *key, size_t nkey)
{
    struct turn *t = c->t;
    size_t n = 0;
    struct touched **found = overlay_scan(t, machine, key, nkey, &n);
    c->out->seen += n;
    if (t->failed || c->out->seen > STEP_INSTANCES_MAX) {
        turn_fail(
            t,
            "select: more than %d tasks and cases to look at: name obligations, periods or units, so that "
            "they are fewer",
            STEP_INSTANCES_MAX);
        return;
    }
    for (size_t i = 0; i < n && !t->failed; i++)
        consider(c, found[i]);
}

static void walk_units(struct choice *c, int machine, struct slice *key, size_t part)
{
    for (size_t u = 0; u < c->units.n && !c->t->failed; u++) {
        key[part] = c->units.item[u];
        walk(c, machine, key, part + 1);
    }
}

static void walk_tasks(struct choice *c, int machine)
{
    const struct program *p = c->t->p;
    for (size_t o = 0; o < p->nobligations && !c->t->failed; o++) {
        const struct obligation *ob = &p->obligations[o];
        struct slice key[KEY_PARTS_MAX] = {ob->name};
        if (ob->machine != machine || narrows(c->s->nobligations, c->s->obligations, ob->name))
            continue;
        if (c->periods.n == 0)
            walk(c, machine, key, 1);
        for (size_t i = 0; i < c->periods.n && !c->t->failed; i++) {
            key[TASK_PERIOD] = c->periods.item[i];
            if (c->units.n && !ob->jointly) /* a joint task is kept under one of its owners */
                walk_units(c, machine, key, TASK_UNIT);
            else
                walk(c, machine, key, 2);
        }
    }
}

static void walk_cases(struct choice *c, int machine)
{
    const struct machine *m = &c->t->p->machines[machine];
    struct slice key[KEY_PARTS_MAX] = {{NULL, 0}};
    if (m->unit_key == 0 && c->units.n)
        walk_units(c, machine, key, 0);
    else if (m->unit_key > 0 && m->key[0].type.tag != TYPE_PERIOD && m->nkey == 2 && c->subjects.n)
        for (size_t i = 0; i < c->subjects.n && !c->t->failed; i++) {
            key[0] = c->subjects.item[i];
            walk(c, machine, key, 1);
        }
    else
        walk(c, machine, key, 0);
}

/* ---- printed keys */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static struct slice part_parse(struct arena *a, struct slice text)
{
    char *out = arena_alloc(a, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int high = text.p[i] == '%' && i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.p[i + 2]) : -1;
        out[n++] = low >= 0 ? (char)(high << 4 | low) : text.p[i];
        i += low >= 0 ? 2 : 0;
    }
    return (struct slice){out, n};
}

/* The next part of a printed key; *more: others follow. */
static struct slice part_next(struct arena *a, struct slice *rest, bool *more)
{
    const char *slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
    struct slice part = {rest->p, slash ? (size_t)(slash - rest->p) : rest->n};
    *more = slash != NULL;
    *rest = (struct slice){rest->p + part.n + *more, rest->n - part.n - *more};
    return part_parse(a, part);
}

bool instance_parse(struct arena *a, const struct program *p, struct slice printed, int *machine,
                    struct slice *key)
{
    bool more;
    struct slice rest = printed;
    size_t n = 0;
    *machine = program_machine(p, part_next(a, &rest, &more));
    memset(key, 0, KEY_PARTS_MAX * sizeof *key);
    if (*machine < 0)
        return false;
    size_t nkey = p->machines[*machine].nkey;
    while (more && n < nkey)
        key[n++] = part_next(a, &rest, &more);
    return !more && (n == nkey || n + 1 == nkey); /* what is about nothing prints without its last part */
}

static void take_printed(struct choice *c, struct slice printed)
{
    struct turn *t = c->t;
    struct slice key[KEY_PARTS_MAX];
    int machine;
    struct touched *x = NULL;
    const struct obligation *task = NULL; /* that the calendar may not have borne yet */
    struct period period;
    if (instance_parse(t->arena, t->p, printed, &machine, key) && !is_internal(t->p, machine)) {
        int o = t->p->machines[machine].of == MACHINE_TASK ? program_obligation(t->p, key[TASK_OBLIGATION]) : -1;
        x = overlay_find(t, machine, key);
        if (o >= 0 && period_parse(key[TASK_PERIOD], &period))
            task = &t->p->obligations[o];
    }
    if (x)
        consider(c, x);
    else if (!t->failed && (!task || check_opened(t, task, period)))
        unknown(c, "tasks", "task or case", printed);
}

/* ---- */

static int by_key(const void *a, const void *b)
{
    const struct instance *x = &(*(struct touched *const *)a)->i, *y = &(*(struct touched *const *)b)->i;
    return x->machine != y->machine ? (x->machine < y->machine ? -1 : 1) : instance_key_cmp(x->key, y->key);
}

static void settle(struct selection *out)
{
    size_t kept = 0;
    if (out->n)
        qsort(out->item, out->n, sizeof *out->item, by_key);
    for (size_t i = 0; i < out->n; i++)
        if (kept == 0 || out->item[kept - 1] != out->item[i])
            out->item[kept++] = out->item[i];
    out->n = kept;
}

/* Nothing fits: of obligations and periods that are named, the calendar may not have borne the tasks yet. False: that
 * is not why. */
static bool say_unopened(struct choice *c)
{
    const struct program *p = c->t->p;
    bool said = false;
    for (size_t i = 0; i < c->s->nobligations; i++) {
        const struct obligation *o = &p->obligations[program_obligation(p, c->s->obligations[i])];
        struct period period;
        for (size_t k = 0; k < c->periods.n; k++)
            if (period_parse(c->periods.item[k], &period) && !check_opened(c->t, o, period))
                said = true;
    }
    return said;
}

void select_instances(struct turn *t, const struct selector *s, bool tasks_only, struct selection *out)
{
    struct choice c = {.t = t, .s = s, .out = out};
    size_t problems = t->why.n;
    resolve_task_parts(&c);
    resolve_units(&c);
    resolve_roles(&c);
    resolve_machines(&c, tasks_only);
    resolve_states(&c);
    for (size_t i = 0; i < s->ntasks && !t->failed; i++)
        take_printed(&c, s->tasks[i]);
    if (t->why.n > problems || t->failed)
        return;
    for (size_t m = 0; m < t->p->nmachines && s->ntasks == 0 && !t->failed; m++)
        if (c.machine[m])
            (t->p->machines[m].of == MACHINE_TASK ? walk_tasks : walk_cases)(&c, (int)m);
    settle(out);
    if (out->n == 0 && !t->failed && !say_unopened(&c))
        problem_add(&t->why, "select: no %s fits", tasks_only ? "task" : "task or case");
}
