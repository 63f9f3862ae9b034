/* What corrections and decisions change, in a scenario: withdrawals, proposals, and which measure is meant.
 */
#include "ctl/scenario_run.h"
#include "engine/keys.h"
#include "engine/query.h"

static void list_add(struct scenario_run *run, struct issued_list *l, issued_t *i)
{
    *(issued_t **)arena_push(run->arena, &l->item, &l->n, &l->cap, sizeof *l->item) = i;
}

void issued_clear(struct issued_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        json_decref(l->item[i]);
    l->n = 0;
}

bool withdrawn_take(struct scenario_run *run, issued_t *i)
{
    if (!json_member(i, "withdraws").n)
        return false;
    json_object_set(i, "measure", json_object_get(i, "withdrawn_measure"));
    list_add(run, &run->withdrawn, i);
    return true;
}

void proposed_take(struct scenario_run *run, const json_t *history)
{
    const json_t *all = json_object_get(history, "proposed");
    for (size_t i = 0; i < json_array_size(all); i++)
        list_add(run, &run->proposed, json_incref(json_object_get(json_array_get(all, i), "measure")));
}

/* ---- checks */

static void tell(struct scenario_run *run, struct failure *f, const struct issued_list *l, const char *none)
{
    for (size_t i = 0; i < l->n; i++)
        failure_add(run, f, issued_print(l->item[i], run->p->tz, run->arena));
    if (!l->n)
        failure_add(run, f, slice_of(none));
    rejections_tell(run, f);
}

void scenario_changed_check(struct scenario_run *run, const struct scenario_check *c)
{
    bool withdrawn = c->kind == CHECK_WITHDRAWN;
    const struct issued_list *l = withdrawn ? &run->withdrawn : &run->proposed;
    const char *none = withdrawn ? "nothing was withdrawn" : "nothing was proposed";
    if (!c->npatterns && l->n)
        tell(run, scenario_fail(run, c->at, "%s", none), l, none);
    for (size_t k = 0; k < c->npatterns; k++) {
        bool found = false;
        for (size_t i = 0; i < l->n && !found; i++)
            found = !issued_misses(l->item[i], c->pattern[k], run->p->tz, run->arena, NULL);
        if (!found)
            tell(run,
                 scenario_fail(run, c->pattern[k], "%.*s",
                               SLICE_ARG(pattern_print(c->pattern[k], run->arena))),
                 l, none);
    }
}

/* ---- which measure */

static bool fits(const struct scenario_run *run, struct slice json, const struct yaml *pattern,
                 struct slice *id)
{
    json_t *o = json_loadb(json.p, json.n, 0, NULL);
    bool fit = o && !issued_misses(o, pattern, run->p->tz, run->arena, NULL);
    if (fit)
        *id = arena_dup(run->arena, json_member(o, "id"));
    json_decref(o);
    return fit;
}

static struct slice proposal_id(const struct scenario_run *run, struct store_txn *t,
                                const struct yaml *pattern)
{
    struct store_iter *i = store_iter_new(t, TABLE_PROPOSAL);
    struct slice key, value, id = S("");
    struct key prefix;
    key_workflow(&prefix, run->p->id);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &key, &value);
         more && key_has_prefix(key, key_slice(&prefix)); more = store_iter_next(i, &key, &value))
        if (fits(run, wire_proposal_json(value, run->arena), pattern, &id))
            break;
    store_iter_free(i);
    return id;
}

/* The last one that went out. */
static struct slice issued_id(const struct scenario_run *run, struct store_txn *t, const struct yaml *pattern)
{
    struct query q = {.workflow = run->p->id, .limit = 1000000};
    struct query_result rows;
    struct slice id = S("");
    struct err e;
    if (query_measures(t, &q, run->arena, &rows, &e))
        for (size_t i = 0; i < rows.n && !fits(run, rows.row[i], pattern, &id); i++)
            ;
    return id;
}

bool scenario_event_complete(struct scenario_run *run, const struct scenario_event *e,
                             struct cloud_event *out, struct err *err)
{
    *out = e->event;
    if (!e->measure)
        return true;
    struct store_txn *t = store_begin(simulation_store(run->simulation), false, err);
    if (!t)
        return false;
    bool decide = !strcmp(e->member, "decide");
    struct slice id = (decide ? proposal_id : issued_id)(run, t, e->measure);
    store_abort(t);
    json_t *data = json_loadb(e->event.data.p, e->event.data.n, 0, NULL);
    json_object_set_new(json_object_get(data, e->member), "measure_id", json_text(id.n ? id : S("none")));
    char *text = json_dumps(data, JSON_COMPACT);
    out->data = arena_dup(run->arena, slice_of(text));
    free(text);
    json_decref(data);
    return true;
}
