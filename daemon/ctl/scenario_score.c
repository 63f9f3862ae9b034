/* The check `score`: what a tally says of a unit and a period, closed or as it would close now. */
#include "core/tally.h"
#include "ctl/scenario_grammar.h"
#include "ctl/scenario_run.h"
#include "engine/query.h"
#include "lang/compile.h"
#include "lang/diag.h"

static const struct key_def scored_keys[] = {
    {"tally", YAML_SCALAR, true, "name", NULL, "which"},
    {"unit", YAML_SCALAR, true, "unit", NULL, "whose"},
    {"period", YAML_SCALAR, true, "period", NULL, "when"},
    {"items", YAML_MAP, false, "map of value", NULL,
     "what they come to, closed or as it would close now; `n/a` for what cannot be told"},
    {"total", YAML_SCALAR, false, "value", NULL, "the same"},
    {"self", YAML_MAP, false, "map of value", NULL, "the unit's own points by item"},
    {"self-total", YAML_SCALAR, false, "value", NULL, "and their total"},
    {"closed", YAML_SCALAR, false, "yes-no", NULL, "whether it is published"},
};
const struct key_table scenario_scored_table = KEY_TABLE(scored_keys);

/* ---- before anything runs */

static void expect_name(struct scenario_reader *r, const struct yaml *at, const char *code, const char *what,
                        const struct slice *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(name[i], at->text))
            return;
    struct slice near = nearest_name(at->text, name, n);
    yaml_diag(r->diags, SEVERITY_ERROR, code, at,
              near.n ? arena_printf(r->arena, "did you mean “%.*s”?", SLICE_ARG(near)).p : NULL,
              "“%.*s” is not %s", SLICE_ARG(at->text), what);
}

static void expect_points(struct scenario_reader *r, const struct yaml *at)
{
    struct rat number;
    if (at && (at->kind != YAML_SCALAR || (!rat_parse(at->text, &number) && !slice_eq(at->text, S("n/a")))))
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_VALUE, at, "35.00, or n/a", "these are no points");
}

static void expect_items(struct scenario_reader *r, const struct tally *t, const struct yaml *map)
{
    struct slice *name = ARENA_ARRAY(r->arena, struct slice, t->nitems + 1);
    for (size_t i = 0; i < t->nitems; i++)
        name[i] = t->items[i].name;
    for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++) {
        if (t->nitems)
            expect_name(r, map->pairs[i].key, DIAG_TALLY_UNKNOWN, "an item of this tally", name, t->nitems);
        expect_points(r, map->pairs[i].value);
    }
}

static void expect_tally(struct scenario_reader *r, const struct yaml *at, int *tally)
{
    const struct program *p = r->p;
    struct slice *name = ARENA_ARRAY(r->arena, struct slice, p->ntallies + 1);
    for (size_t i = 0; i < p->ntallies; i++)
        name[i] = p->tallies[i].name;
    expect_name(r, at, DIAG_TALLY_UNKNOWN, "a tally", name, p->ntallies);
    *tally = program_tally(p, at->text);
}

static void expect_unit(struct scenario_reader *r, const struct yaml *at)
{
    const struct program *p = r->p;
    struct slice *name = ARENA_ARRAY(r->arena, struct slice, p->nunits + 1);
    for (size_t i = 0; i < p->nunits; i++)
        name[i] = p->units[i].id;
    expect_name(r, at, DIAG_ROSTER_UNIT, "a unit", name, p->nunits);
}

void scenario_score_read(struct scenario_reader *r, const struct yaml *map)
{
    struct compiler c = {.arena = r->arena, .diags = r->diags};
    const struct yaml *name = yaml_get(map, "tally"), *unit = yaml_get(map, "unit"),
                      *period = yaml_get(map, "period");
    struct period p;
    int tally;
    size_t errors = r->diags->errors;
    keys_check(&c, map, scored_keys, sizeof scored_keys / sizeof *scored_keys, "score");
    if (r->diags->errors != errors)
        return;
    expect_tally(r, name, &tally);
    expect_unit(r, unit);
    expect_points(r, yaml_get(map, "total"));
    expect_points(r, yaml_get(map, "self-total"));
    if (tally < 0)
        return;
    const struct tally *t = &r->p->tallies[tally];
    expect_items(r, t, yaml_get(map, "items"));
    expect_items(r, t, yaml_get(map, "self"));
    if (!period_parse(period->text, &p) || !tally_scores_period(t, p))
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_VALUE, period,
                  arena_printf(r->arena, "a %s within its span", period_kind_name(t->period)).p,
                  "%.*s does not score “%.*s”", SLICE_ARG(t->name), SLICE_ARG(period->text));
}

/* ---- while it runs */

/* The row of that unit and period, as JSON; NULL: there is none, or e says why it cannot be had. */
static json_t *score_find(struct scenario_run *run, const struct yaml *pattern, struct err *e)
{
    struct query q = {.workflow = run->p->id,
                      .machine = yaml_get(pattern, "tally")->text,
                      .unit = yaml_get(pattern, "unit")->text,
                      .period = yaml_get(pattern, "period")->text};
    struct query_result rows = {.n = 0};
    struct store_txn *t = store_begin(simulation_store(run->simulation), false, e);
    if (!t)
        return NULL;
    bool ok = query_scores(t, &q, run->arena, &rows, e);
    store_abort(t);
    if (ok && rows.n == 0)
        err_set(e, "the tally does not score this unit");
    return ok && rows.n ? json_loadb(rows.row[0].p, rows.row[0].n, 0, NULL) : NULL;
}

static bool points_fit(const json_t *row, const char *member, const struct yaml *want)
{
    const json_t *have = json_object_get(row, member);
    struct rat a, b;
    if (!want)
        return true;
    if (!json_is_string(have))
        return slice_eq(want->text, S("n/a"));
    return rat_parse(want->text, &a) && rat_parse(slice_of(json_string_value(have)), &b) &&
           rat_cmp(a, b) == 0;
}

static const json_t *item_row(const json_t *row, struct slice name)
{
    const json_t *items = json_object_get(row, "items");
    for (size_t i = 0; i < json_array_size(items); i++)
        if (slice_eq(json_member(json_array_get(items, i), "item"), name))
            return json_array_get(items, i);
    return NULL;
}

static bool items_fit(const json_t *row, const char *member, const struct yaml *map)
{
    for (size_t i = 0; map && i < map->n; i++)
        if (!points_fit(item_row(row, map->pairs[i].key->text), member, map->pairs[i].value))
            return false;
    return true;
}

static bool closed_fits(const json_t *row, const struct yaml *want)
{
    return !want || slice_eq(want->text, S("yes")) == json_is_true(json_object_get(row, "closed"));
}

static struct slice points_text(const json_t *row, const char *member)
{
    const json_t *v = json_object_get(row, member);
    return json_is_string(v) ? slice_of(json_string_value(v)) : S("n/a");
}

/* All items, those that were asked for and those that were not. */
static void tell_score(struct scenario_run *run, struct failure *f, const json_t *row)
{
    const json_t *items = json_object_get(row, "items");
    failure_add(run, f,
                arena_printf(run->arena, "%s: total %.*s, self-total %.*s",
                             json_is_true(json_object_get(row, "closed")) ? "closed" : "open",
                             SLICE_ARG(points_text(row, "total")),
                             SLICE_ARG(points_text(row, "self_total"))));
    if (json_member(row, "failed").n)
        failure_add(run, f, arena_dup(run->arena, json_member(row, "failed")));
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        struct slice bound = json_member(item, "bound");
        failure_add(run, f,
                    arena_printf(run->arena, "%.*s %.*s (computed %.*s%s%.*s, self %.*s, %zu entries)",
                                 SLICE_ARG(json_member(item, "item")), SLICE_ARG(points_text(item, "points")),
                                 SLICE_ARG(points_text(item, "computed")), bound.n ? ", at its " : "",
                                 SLICE_ARG(bound), SLICE_ARG(points_text(item, "self")),
                                 json_array_size(json_object_get(item, "entries"))));
    }
}

void scenario_score_check(struct scenario_run *run, const struct yaml *at, const struct yaml *pattern)
{
    struct err e = {.text = "the score cannot be read"};
    json_t *row = score_find(run, pattern, &e);
    (void)at;
    if (!row)
        failure_add(run, scenario_fail(run, pattern, "a score"), arena_dup(run->arena, slice_of(e.text)));
    else if (!points_fit(row, "total", yaml_get(pattern, "total")) ||
             !points_fit(row, "self_total", yaml_get(pattern, "self-total")) ||
             !items_fit(row, "points", yaml_get(pattern, "items")) ||
             !items_fit(row, "self", yaml_get(pattern, "self")) ||
             !closed_fits(row, yaml_get(pattern, "closed")))
        tell_score(run,
                   scenario_fail(run, pattern, "score of %.*s in %.*s for %.*s",
                                 SLICE_ARG(yaml_get(pattern, "unit")->text),
                                 SLICE_ARG(yaml_get(pattern, "tally")->text),
                                 SLICE_ARG(yaml_get(pattern, "period")->text)),
                   row);
    json_decref(row);
}
