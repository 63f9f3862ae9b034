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

void rejections_tell(struct scenario_run *run, struct failure *f)
{
    for (size_t i = 0; i < run->nrefused; i++)
        for (size_t k = 0; k < run->refused[i].nreasons; k++)
            failure_add(run, f,
                        arena_printf(run->arena, "rejected: %.*s", SLICE_ARG(run->refused[i].reason[k])));
}

/* Of the same measure, each key that is other, side by side: "limit: expected 2024-08-09, was 2024-08-10". */
static void tell_differences(struct scenario_run *run, struct failure *f, const issued_t *issued,
                             const struct yaml *pattern)
{
    const struct yaml *measure = yaml_get(pattern, "measure");
    if (measure && !slice_eq(measure->text, json_member(issued, "measure")))
        return;
    struct slice *line;
    size_t n = issued_differences(issued, pattern, run->p->tz, run->arena, &line);
    for (size_t i = 0; i < n; i++)
        failure_add(run, f, arena_printf(run->arena, "  %.*s", SLICE_ARG(line[i])));
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
        if (miss[i].misses == miss[0].misses)
            tell_differences(run, f, run->issued[miss[i].index], pattern);
    }
    if (run->nissued > shown)
        failure_add(run, f, arena_printf(run->arena, "and %zu more, further from it", run->nissued - shown));
    if (!run->nissued)
        failure_add(run, f, S("nothing was issued"));
    rejections_tell(run, f);
    looked_tell(run, f, pattern);
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
    rejections_tell(run, f);
    if (!run->nrefused)
        failure_add(run, f, S("it was not rejected"));
    for (size_t i = 0; i < run->nrefused; i++)
        run->refused[i].foreseen = true; /* told once */
}

/* ---- due dates */

/* How many tasks the obligation makes in periods that begin within the span. */
static size_t count_tasks(const struct scenario_run *run, const struct obligation *o, struct period span,
                          struct slice unit)
{
    size_t n = 0, owed;
    struct owed *pairs;
    struct period q = period_of_date(o->period, period_first(span));
    if (!due_from_calendar(o))
        return 0; /* what events bear, the calendar does not */
    for (; o->period == PERIOD_ONCE || period_first(q) < period_end(span); q = period_step(q, 1)) {
        date_t first = o->period == PERIOD_ONCE ? run->p->effective.from : period_first(q);
        if (first >= period_first(span) && first < period_end(span) && due_in_force(run->p, o, q)) {
            due_owed(run->p, o, q, due_of(run->p, o, q, run->arena).opens, run->arena, &pairs, &owed);
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

/* ---- what checking the definition says */

static bool has(struct slice text, struct slice part)
{
    return memmem(text.p, text.n, part.p, part.n) != NULL;
}

static void check_definition(struct scenario_run *run, const struct yaml *at, const struct yaml *pattern)
{
    const struct yaml *warns = yaml_get(pattern, "warns"), *unit = yaml_get(pattern, "unit");
    struct diags said = {.arena = run->arena};
    (void)at;
    lang_compile(run->bundle, run->arena, &said);
    for (size_t i = 0; i < said.n; i++)
        if (said.item[i].severity == SEVERITY_WARNING && has(said.item[i].message, warns->text) &&
            (!unit || has(said.item[i].message, unit->text)))
            return;
    struct failure *f = scenario_fail(run, pattern, "%.*s", SLICE_ARG(pattern_print(pattern, run->arena)));
    for (size_t i = 0; i < said.n && i < SHOWN_MAX; i++)
        failure_add(run, f, arena_printf(run->arena, "it says: %.*s", SLICE_ARG(said.item[i].message)));
    if (said.n == 0)
        failure_add(run, f, S("it says nothing"));
}

void scenario_check(struct scenario_run *run, const struct scenario_check *c)
{
    static void (*const check[CHECK_KINDS])(struct scenario_run * run, const struct yaml *at,
                                            const struct yaml *pattern) = {
        [CHECK_EXPECT] = check_expect, [CHECK_NONE] = check_none, [CHECK_REJECTED] = check_rejected,
        [CHECK_STATE] = scenario_state_check,   [CHECK_DUE] = check_due,
        [CHECK_SCORE] = scenario_score_check, [CHECK_DEFINITION] = check_definition,
    };
    if (c->kind == CHECK_ONLY)
        check_only(run, c);
    else if (c->kind == CHECK_WITHDRAWN || c->kind == CHECK_PROPOSED)
        scenario_changed_check(run, c);
    else
        for (size_t i = 0; i < c->npatterns; i++)
            check[c->kind](run, c->at, c->pattern[i]);
}
