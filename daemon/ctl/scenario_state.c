/* The check `state`: in which state one instance is, and what its variables and counters hold. */
#include "ctl/scenario_grammar.h"
#include "ctl/scenario_run.h"
#include "ctl/when.h"
#include "engine/query.h"
#include "lang/compile.h"
#include "lang/diag.h"

/* ---- before anything runs: {machine, state, parts of its key, variables, counters, limit, each by its name}
 */

static bool name_expect(struct scenario_reader *r, const struct yaml *at, const char *code, const char *what,
                        const struct slice *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(name[i], at->text))
            return true;
    struct slice near = nearest_name(at->text, name, n);
    yaml_diag(r->diags, SEVERITY_ERROR, code, at,
              near.n ? arena_printf(r->arena, "did you mean “%.*s”?", SLICE_ARG(near)).p : NULL,
              "“%.*s” is not %s", SLICE_ARG(at->text), what);
    return false;
}

static const struct machine *machine_expect(struct scenario_reader *r, const struct yaml *at)
{
    const struct program *p = r->p;
    struct slice *name = ARENA_ARRAY(r->arena, struct slice, p->nmachines + 1);
    for (size_t i = 1; i < p->nmachines; i++)
        name[i - 1] = p->machines[i].name;
    if (!name_expect(r, at, DIAG_MACHINE_UNKNOWN, "a machine or ledger of this workflow", name,
                     p->nmachines - 1))
        return NULL;
    return &p->machines[program_machine(p, at->text)];
}

static const struct key_def instance_keys[] = {
    {"machine", YAML_SCALAR, true, "name", NULL, "which machine or ledger"},
    {"state", YAML_SCALAR, false, "name", NULL, "the state it is in"},
    {"limit", YAML_SCALAR, false, "limit day", NULL, "its limit's last day, or the instant"},
};
const struct key_table scenario_instance_table = KEY_TABLE(instance_keys);

void scenario_state_read(struct scenario_reader *r, const struct yaml *map)
{
    struct compiler c = {.arena = r->arena, .diags = r->diags};
    const struct yaml *machine = yaml_get(map, "machine"), *state = yaml_get(map, "state");
    const struct machine *m = machine ? machine_expect(r, machine) : NULL;
    if (machine && !m)
        return;
    size_t n = 0, room = scenario_instance_table.n + (m ? m->nkey + m->nvars + m->ncounts : 0);
    struct key_def *def = ARENA_ARRAY(r->arena, struct key_def, room);
    for (; n < scenario_instance_table.n; n++)
        def[n] = instance_keys[n];
    for (size_t i = 0; m && i < m->nkey; i++)
        def[n++] = (struct key_def){.name = arena_dup(r->arena, m->key[i].name).p, .kind = YAML_SCALAR};
    for (size_t i = 0; m && i < m->nvars; i++)
        def[n++] = (struct key_def){.name = arena_dup(r->arena, m->vars[i].name).p, .kind = YAML_SCALAR};
    for (size_t i = 0; m && i < m->ncounts; i++)
        def[n++] = (struct key_def){.name = arena_dup(r->arena, m->counts[i].name).p, .kind = YAML_SCALAR};
    keys_check(&c, map, def, n, "state");
    struct slice *names = ARENA_ARRAY(r->arena, struct slice, (m ? m->nstates : 0) + 1);
    for (size_t i = 0; m && i < m->nstates; i++)
        names[i] = m->states[i].name;
    if (state && m)
        name_expect(r, state, DIAG_STATE_UNKNOWN, "a state of this machine", names, m->nstates);
}

/* ---- which instance */

/* A part of the instance's key, or empty: tasks have theirs beside the state, cases in `key`. */
static struct slice key_part(const json_t *row, struct slice name)
{
    char text[64];
    const json_t *parts = json_object_get(row, "key");
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    return json_member(parts ? parts : row, text);
}

static bool has_part(const struct machine *m, struct slice name)
{
    for (size_t i = 0; i < m->nkey; i++)
        if (slice_eq(m->key[i].name, name))
            return true;
    return false;
}

static bool instance_fits(const json_t *row, const struct machine *m, const struct yaml *pattern)
{
    for (size_t i = 0; i < pattern->n; i++) {
        struct slice name = pattern->pairs[i].key->text;
        if (has_part(m, name) && !slice_eq(key_part(row, name), pattern->pairs[i].value->text))
            return false;
    }
    return true;
}

/* ---- what it holds */

static struct slice json_said(struct arena *a, const json_t *v)
{
    if (json_is_boolean(v))
        return json_is_true(v) ? S("yes") : S("no");
    if (json_is_string(v))
        return arena_dup(a, slice_of(json_string_value(v)));
    if (!v || json_is_null(v))
        return S("n/a");
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    struct slice said = arena_dup(a, slice_of(text));
    free(text);
    return said;
}

static struct slice value_said(const json_t *row, struct slice name, struct arena *a)
{
    static const char *const where[] = {"variables", "counters"};
    if (slice_eq(name, S("state")))
        return arena_dup(a, json_member(row, "state"));
    for (int i = 0; i < 2; i++) {
        const json_t *v = json_object_getn(json_object_get(row, where[i]), name.p, name.n);
        if (v)
            return json_said(a, v);
    }
    return S("n/a");
}

/* A number may be written as one likes: 26%, 0.26. */
static bool said_same(struct slice said, struct slice wanted)
{
    struct rat a, b;
    return slice_eq(said, wanted) || (rat_parse(said, &a) && rat_parse(wanted, &b) && rat_cmp(a, b) == 0);
}

/* The limit's last day, or its instant. */
static bool limit_same(const json_t *row, struct slice wanted, const struct tz *tz, struct arena *a,
                       struct slice *said)
{
    instant_t is = INSTANT_NONE, at = INSTANT_NONE;
    date_t day;
    *said = json_said(a, json_object_get(row, "limit"));
    if (!instant_parse(*said, &is))
        return slice_eq(wanted, *said);
    *said = instant_format_local(a, tz, is);
    if (date_parse(wanted, &day))
        return tz_date(tz, is - 1, NULL) == day;
    return when_parse(wanted, tz, &at) && at == is;
}

struct states_found {
    size_t n, right;
    struct slice wrong; /* of the last one that was not right */
};

static bool instance_right(const struct scenario_run *run, const json_t *row, const struct machine *m,
                           const struct yaml *pattern, struct states_found *out)
{
    for (size_t i = 0; i < pattern->n; i++) {
        struct slice name = pattern->pairs[i].key->text, wanted = pattern->pairs[i].value->text, said;
        bool right;
        if (slice_eq(name, S("machine")) || has_part(m, name))
            continue;
        if (slice_eq(name, S("limit"))) {
            right = limit_same(row, wanted, run->p->tz, run->arena, &said);
        } else {
            said = value_said(row, name, run->arena);
            right = said_same(said, wanted);
        }
        if (!right) {
            out->wrong = arena_printf(run->arena, "its %.*s is %.*s", SLICE_ARG(name), SLICE_ARG(said));
            return false;
        }
    }
    return true;
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
    for (size_t i = 0; ok && i < rows.n; i++) {
        json_t *row = json_loadb(rows.row[i].p, rows.row[i].n, 0, NULL);
        if (instance_fits(row, m, pattern)) {
            out->n++;
            out->right += instance_right(run, row, m, pattern, out);
        }
        json_decref(row);
    }
    return ok;
}

void scenario_state_check(struct scenario_run *run, const struct yaml *at, const struct yaml *pattern)
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
        failure_add(run, f, found.wrong);
    rejections_tell(run, f);
    looked_tell(run, f, pattern);
}
