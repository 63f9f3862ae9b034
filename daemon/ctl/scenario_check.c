/* The checks of a scenario, and what to say of one that does not hold. */
#include "ctl/scenario_run.h"
#include "core/due.h"
#include "engine/query.h"

#include <stdlib.h>

#define SHOWN_MAX 5 /* measures told of a failing check */

/* ---- what was issued */

struct miss {
    size_t misses, index;
    struct slice names;
};

static int miss_cmp(const void *x, const void *y)
{
    const struct miss *a = x, *b = y;
    if (a->misses != b->misses)
        return a->misses < b->misses ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static void tell_rejections(struct scenario_run *run, struct failure *f)
{
    for (size_t i = 0; i < run->nrefused; i++)
        for (size_t k = 0; k < run->refused[i].nreasons; k++)
            failure_add(run, f,
                        arena_printf(run->arena, "rejected: %.*s", SLICE_ARG(run->refused[i].reason[k])));
}

/* What happened instead, nearest first. */
static void tell_issued(struct scenario_run *run, struct failure *f, const struct yaml *pattern)
{
    struct miss *miss = ARENA_ARRAY(run->arena, struct miss, run->nissued + 1);
    for (size_t i = 0; i < run->nissued; i++) {
        miss[i].index = i;
        miss[i].misses = issued_misses(run->issued[i], pattern, run->p->tz, run->arena, &miss[i].names);
    }
    qsort(miss, run->nissued, sizeof *miss, miss_cmp);
    size_t shown = 0;
    for (size_t i = 0; i < run->nissued && i < SHOWN_MAX && miss[i].misses <= miss[0].misses + 1;
         i++, shown++) {
        struct slice line = issued_print(run->issued[miss[i].index], run->p->tz, run->arena);
        failure_add(run, f,
                    arena_printf(run->arena, "%.*s: other %.*s", SLICE_ARG(line), SLICE_ARG(miss[i].names)));
    }
    if (run->nissued > shown)
        failure_add(run, f, arena_printf(run->arena, "and %zu more, further from it", run->nissued - shown));
    if (!run->nissued)
        failure_add(run, f, S("nothing was issued"));
    tell_rejections(run, f);
}

static void check_expect(struct scenario_run *run, const struct yaml *at, const struct yaml *pattern)
{
    (void)at;
    for (size_t i = 0; i < run->nissued; i++)
        if (!issued_misses(run->issued[i], pattern, run->p->tz, run->arena, NULL))
            return;
    tell_issued(run, scenario_fail(run, pattern, "%.*s", SLICE_ARG(pattern_print(pattern, run->arena))),
                pattern);
}

static void check_none(struct scenario_run *run, const struct yaml *at, const struct yaml *pattern)
{
    (void)at;
    struct failure *f = NULL;
    for (size_t i = 0; i < run->nissued; i++) {
        if (issued_misses(run->issued[i], pattern, run->p->tz, run->arena, NULL))
            continue;
        if (!f)
            f = scenario_fail(run, pattern, "no %.*s", SLICE_ARG(pattern_print(pattern, run->arena)));
        failure_add(run, f, issued_print(run->issued[i], run->p->tz, run->arena));
    }
}

/* ---- only: what is issued by the machines that can issue what is listed; the rest of the regime goes on
 * beside it */

static bool body_issues(const struct state_body *b, int measure)
{
    for (size_t i = 0; i < b->nenter; i++)
        if (b->enter[i].op == ACTION_MEASURE && b->enter[i].index == measure)
            return true;
    for (size_t i = 0; i < b->nleave; i++)
        if (b->leave[i].op == ACTION_MEASURE && b->leave[i].index == measure)
            return true;
    for (size_t r = 0; r < b->nrules; r++)
        for (size_t i = 0; i < b->rules[r].nactions; i++)
            if (b->rules[r].actions[i].op == ACTION_MEASURE && b->rules[r].actions[i].index == measure)
                return true;
    return false;
}

static bool machine_issues(const struct machine *m, int measure)
{
    bool issues = body_issues(&m->any_state, measure);
    for (size_t i = 0; i < m->nstates; i++)
        issues = issues || body_issues(&m->states[i].body, measure);
    for (size_t i = 0; i < m->ngroups; i++)
        issues = issues || body_issues(&m->groups[i].body, measure);
    return issues;
}

/* Whether a machine's measures are what the list is about. An empty list, or a pattern without a measure, is
 * about all. */
static bool machine_meant(const struct program *p, const struct machine *m, const struct scenario_check *c)
{
    for (size_t k = 0; k < c->npatterns; k++) {
        const struct yaml *name = yaml_get(c->pattern[k], "measure");
        if (!name)
            return true;
        for (size_t i = 0; i < p->nmeasures; i++)
            if (slice_eq(p->measures[i].name, name->text) && machine_issues(m, (int)i))
                return true;
    }
    return c->npatterns == 0;
}

/* The issued measures that the list must name, in order. */
static size_t measures_meant(const struct scenario_run *run, const struct scenario_check *c, issued_t **out)
{
    size_t n = 0;
    for (size_t i = 0; i < run->nissued; i++) {
        struct slice task = json_member(run->issued[i], "task");
        const char *slash = task.n ? memchr(task.p, '/', task.n) : NULL;
        int m = program_machine(run->p, (struct slice){task.p, slash ? (size_t)(slash - task.p) : task.n});
        if (m < 0 || machine_meant(run->p, &run->p->machines[m], c))
            out[n++] = run->issued[i];
    }
    return n;
}

static void tell_besides(struct scenario_run *run, struct failure *f, issued_t **meant, const bool *taken,
                         size_t n)
{
    size_t told = 0;
    for (size_t i = 0; i < n; i++)
        if (!taken[i] && told++ < SHOWN_MAX)
            failure_add(run, f,
                        arena_printf(run->arena, "besides: %.*s",
                                     SLICE_ARG(issued_print(meant[i], run->p->tz, run->arena))));
    if (told > SHOWN_MAX)
        failure_add(run, f, arena_printf(run->arena, "and %zu more", told - SHOWN_MAX));
}

static void check_only(struct scenario_run *run, const struct scenario_check *c)
{
    int *match = ARENA_ARRAY(run->arena, int, c->npatterns + 1);
    bool *taken = ARENA_ARRAY(run->arena, bool, run->nissued + 1);
    issued_t **meant = ARENA_ARRAY(run->arena, issued_t *, run->nissued + 1);
    size_t n = measures_meant(run, c, meant), matched = 0;
    issued_pair(meant, n, c->pattern, c->npatterns, run->p->tz, run->arena, match);
    for (size_t k = 0; k < c->npatterns; k++) {
        matched += match[k] >= 0;
        if (match[k] >= 0)
            taken[match[k]] = true;
        else
            tell_issued(run,
                        scenario_fail(run, c->pattern[k], "%.*s",
                                      SLICE_ARG(pattern_print(c->pattern[k], run->arena))),
                        c->pattern[k]);
    }
    if (matched < n)
        tell_besides(run, scenario_fail(run, c->at, "only what is listed"), meant, taken, n);
}

/* ---- rejections */

static void check_rejected(struct scenario_run *run, const struct yaml *at, const struct yaml *pattern)
{
    struct slice because = yaml_get(pattern, "because")->text;
    bool found = false;
    for (size_t i = 0; i < run->nrefused; i++)
        for (size_t k = 0; k < run->refused[i].nreasons; k++)
            if (memmem(run->refused[i].reason[k].p, run->refused[i].reason[k].n, because.p, because.n))
                found = run->refused[i].foreseen = true;
    if (found)
        return;
    struct failure *f = scenario_fail(run, at, "rejected because of “%.*s”", SLICE_ARG(because));
    tell_rejections(run, f);
    if (!run->nrefused)
        failure_add(run, f, S("it was not rejected"));
    for (size_t i = 0; i < run->nrefused; i++)
        run->refused[i].foreseen = true; /* told once */
}

/* ---- states */

/* A part of the instance's key, or empty: tasks have theirs beside the state, cases in `key`. */
static struct slice key_part(const json_t *row, struct slice name)
{
    char text[64];
    const json_t *parts = json_object_get(row, "key");
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    return json_member(parts ? parts : row, text);
}

static bool instance_fits(const json_t *row, const struct yaml *pattern)
{
    for (size_t i = 0; i < pattern->n; i++) {
        struct slice name = pattern->pairs[i].key->text;
        if (!slice_eq(name, S("machine")) && !slice_eq(name, S("state")) &&
            !slice_eq(key_part(row, name), pattern->pairs[i].value->text))
            return false;
    }
    return true;
}

struct states_found {
    size_t n, right;
    struct slice last; /* the state of the last one that was not right */
};

static void count_states(const struct query_result *rows, const struct yaml *pattern, struct arena *a,
                         struct states_found *out)
{
    for (size_t i = 0; i < rows->n; i++) {
        json_t *row = json_loadb(rows->row[i].p, rows->row[i].n, 0, NULL);
        if (instance_fits(row, pattern)) {
            bool right = slice_eq(json_member(row, "state"), yaml_get(pattern, "state")->text);
            out->n++;
            out->right += right;
            if (!right)
                out->last = arena_dup(a, json_member(row, "state"));
        }
        json_decref(row);
    }
}

static bool find_states(struct scenario_run *run, const struct yaml *pattern, struct states_found *out,
                        struct err *e)
{
    const struct machine *m = &run->p->machines[program_machine(run->p, yaml_get(pattern, "machine")->text)];
    const struct yaml *unit = m->of == MACHINE_TASK || m->unit_key >= 0 ? yaml_get(pattern, "unit") : NULL;
    struct query q = {.workflow = run->p->id, .machine = m->name, .limit = 1000000};
    struct query_result rows;
    if (unit && (m->of == MACHINE_TASK || slice_eq(m->key[m->unit_key].name, S("unit"))))
        q.unit = unit->text;
    struct store_txn *t = store_begin(simulation_store(run->simulation), false, e);
    if (!t)
        return false;
    bool ok = (m->of == MACHINE_TASK ? query_tasks : query_cases)(t, &q, run->arena, &rows, e);
    store_abort(t);
    *out = (struct states_found){0};
    if (ok)
        count_states(&rows, pattern, run->arena, out);
    return ok;
}

static void check_state(struct scenario_run *run, const struct yaml *at, const struct yaml *pattern)
{
    struct states_found found;
    struct err e;
    (void)at;
    if (!find_states(run, pattern, &found, &e)) {
        failure_add(run, scenario_fail(run, pattern, "a state to look at"),
                    arena_dup(run->arena, slice_of(e.text)));
        return;
    }
    if (found.n == 1 && found.right == 1)
        return;
    struct failure *f = scenario_fail(run, pattern, "%.*s", SLICE_ARG(pattern_print(pattern, run->arena)));
    if (!found.n)
        failure_add(run, f, S("there is none with this key"));
    else if (found.n > 1)
        failure_add(run, f,
                    arena_printf(run->arena,
                                 "%zu have this key, %zu of them in this state: name more of its key",
                                 found.n, found.right));
    else
        failure_add(run, f, arena_printf(run->arena, "its state is %.*s", SLICE_ARG(found.last)));
    tell_rejections(run, f);
}

/* ---- due dates */

/* How many tasks the obligation makes in periods that begin within the span. */
static size_t count_tasks(const struct scenario_run *run, const struct obligation *o, struct period span,
                          struct slice unit)
{
    size_t n = 0, owed;
    struct owed *pairs;
    struct period q = period_of_date(o->period, period_first(span));
    for (; o->period == PERIOD_ONCE || period_first(q) < period_end(span); q = period_step(q, 1)) {
        date_t first = o->period == PERIOD_ONCE ? run->p->effective.from : period_first(q);
        if (first >= period_first(span) && first < period_end(span) && due_in_force(run->p, o, q)) {
            due_owed(run->p, o, q, tz_instant(run->p->tz, first, 0), run->arena, &pairs, &owed);
            for (size_t i = 0; i < owed; i++)
                n += !unit.n || slice_eq(pairs[i].unit, unit);
        }
        if (o->period == PERIOD_ONCE)
            break;
    }
    return n;
}

static void check_due(struct scenario_run *run, const struct yaml *at, const struct yaml *pattern)
{
    const struct obligation *o =
        &run->p->obligations[program_obligation(run->p, yaml_get(pattern, "obligation")->text)];
    const struct yaml *year = yaml_get(pattern, "year"), *unit = yaml_get(pattern, "unit");
    struct period span;
    uint64_t want;
    (void)at;
    if (!period_parse((year ? year : yaml_get(pattern, "period"))->text, &span) ||
        !parse_u64(yaml_get(pattern, "tasks")->text, &want))
        return; /* said when it was read */
    size_t have = count_tasks(run, o, span, unit ? unit->text : S(""));
    if (have != want)
        failure_add(run, scenario_fail(run, pattern, "%.*s", SLICE_ARG(pattern_print(pattern, run->arena))),
                    arena_printf(run->arena, "there are %zu tasks", have));
}

void scenario_check(struct scenario_run *run, const struct scenario_check *c)
{
    static void (*const check[CHECK_KINDS])(struct scenario_run * run, const struct yaml *at,
                                            const struct yaml *pattern) = {
        [CHECK_EXPECT] = check_expect, [CHECK_NONE] = check_none, [CHECK_REJECTED] = check_rejected,
        [CHECK_STATE] = check_state,   [CHECK_DUE] = check_due,
    };
    if (c->kind == CHECK_ONLY)
        check_only(run, c);
    else
        for (size_t i = 0; i < c->npatterns; i++)
            check[c->kind](run, c->at, c->pattern[i]);
}
