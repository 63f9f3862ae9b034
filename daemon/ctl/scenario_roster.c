/* A change of the roster in a scenario:
 *
 *   roster:
 *     from: 2024-07-01
 *     units: [{id: w-09, name: 综合窗口, roles: window}]          the columns of units.csv
 *     ended: [w-03]
 *     relations: [{subject: i-017, relation: lead, unit: w-09}]
 *     ended-relations: […]
 *     successions: [{from: [w-01, w-02], to: w-09}]              several `to`: and counts, cases, tasks: who inherits
 */
#include "core/roster.h"
#include "ctl/scenario_event.h"
#include "lang/diag.h"

static const struct key_def roster_keys[] = {
    {"from", YAML_SCALAR, true},     {"units", YAML_LIST, false},           {"ended", YAML_NULL, false},
    {"relations", YAML_LIST, false}, {"ended-relations", YAML_LIST, false}, {"successions", YAML_LIST, false},
    {"by", YAML_SCALAR, false},      {"reason", YAML_SCALAR, false},
};
static const struct key_def unit_keys[] = {
    {"id", YAML_SCALAR, true},    {"name", YAML_SCALAR, true}, {"kind", YAML_SCALAR, false}, {"liaison", YAML_SCALAR, false},
    {"head", YAML_SCALAR, false}, {"roles", YAML_NULL, false}, {"aliases", YAML_NULL, false},
};
static const struct key_def relation_keys[] = {
    {"subject", YAML_SCALAR, true}, {"relation", YAML_SCALAR, true}, {"unit", YAML_SCALAR, true}};
static const struct key_def succession_keys[] = {
    {"from", YAML_NULL, true},      {"to", YAML_NULL, true},      {"counts", YAML_SCALAR, false},
    {"cases", YAML_SCALAR, false}, {"tasks", YAML_SCALAR, false},
};

/* What the keys are called in the event, where that is not the same. */
static const struct {
    const char *key, *member;
} members[] = {{"name", "title"},          {"counts", "heir_of_counts"}, {"cases", "heir_of_cases"},
               {"tasks", "heir_of_tasks"}, {"by", "reporter"}};

static const char *member_of(const char *key)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i].key, key) == 0)
            return members[i].member;
    return key;
}

/* A text may stand for a list of one. */
static json_t *texts(const struct yaml *v)
{
    json_t *list = json_array();
    for (size_t i = 0; v->kind == YAML_LIST && i < v->n; i++)
        json_array_append_new(list, scenario_value(v->items[i]));
    if (v->kind != YAML_LIST)
        json_array_append_new(list, scenario_value(v));
    return list;
}

static json_t *item(struct draft *d, const struct yaml *at, const struct key_def *keys, size_t n, const char *what)
{
    struct compiler c = {.arena = d->r->arena, .diags = d->r->diags};
    json_t *o = json_object();
    if (!keys_check(&c, at, keys, n, what))
        return o;
    for (size_t i = 0; i < n; i++) {
        const struct yaml *v = yaml_get(at, keys[i].name);
        if (v)
            json_object_set_new(o, member_of(keys[i].name), keys[i].kind == YAML_NULL ? texts(v) : scenario_value(v));
    }
    return o;
}

static void items(struct draft *d, json_t *to, const char *key, const char *member, const struct key_def *keys, size_t n)
{
    const struct yaml *list = yaml_get(d->body, key);
    json_t *all = json_array();
    for (size_t i = 0; list && i < list->n; i++)
        json_array_append_new(all, item(d, list->items[i], keys, n, key));
    json_object_set_new(to, member, all);
}

#define KEYS(k) k, sizeof k / sizeof *k

static json_t *fill_roster(struct draft *d)
{
    json_t *o = json_object();
    for (const char *const *key = (const char *const[]){"from", "by", NULL}; *key; key++)
        if (yaml_get(d->body, *key))
            json_object_set_new(o, member_of(*key), scenario_value(yaml_get(d->body, *key)));
    if (yaml_get(d->body, "ended"))
        json_object_set_new(o, "ended", texts(yaml_get(d->body, "ended")));
    items(d, o, "units", "units", KEYS(unit_keys));
    items(d, o, "relations", "relations", KEYS(relation_keys));
    items(d, o, "ended-relations", "ended_relations", KEYS(relation_keys));
    items(d, o, "successions", "successions", KEYS(succession_keys));
    if (yaml_get(d->body, "reason"))
        d->reason = yaml_get(d->body, "reason")->text;
    return o;
}

static const struct form roster_form = {"roster", "RosterChange", "roster_change", KEYS(roster_keys), fill_roster};

const struct form *scenario_roster(const struct program *p, struct slice name)
{
    int kind = program_kind(p, name);
    bool declared = kind >= 0 && p->kinds[kind].class_ == KIND_CLASS_FACT;
    return !declared && slice_eq(name, slice_of(roster_form.name)) ? &roster_form : NULL;
}

void scenario_roster_take(struct scenario_reader *r, const struct cloud_event *e)
{
    struct reasons why = {.arena = r->arena};
    struct input in;
    if (slice_eq(e->type, S("duban.v1.RosterChange")) && wire_input(e, r->arena, &in, &why))
        r->p = program_with_roster(r->p, &in.roster, 1, r->arena);
}
