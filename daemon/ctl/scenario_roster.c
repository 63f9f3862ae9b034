/* A change of the roster in a scenario:
 *
 *   roster:
 *     from: 2024-07-01
 *     units: [{id: w-09, name: 综合窗口, roles: window}]          the columns of units.csv
 *     ended: [w-03]
 *     relations: [{subject: i-017, relation: lead, unit: w-09}]
 *     ended-relations: […]
 *     successions: [{from: [w-01, w-02], to: w-09}]              several `to`: and counts, cases, tasks: who
 * inherits
 */
#include "core/roster.h"
#include "ctl/scenario_event.h"
#include "lang/diag.h"

static const struct key_def roster_keys[] = {
    {"from", YAML_SCALAR, true, "date", NULL, "the date from which it holds; today or past: at once"},
    {"units", YAML_LIST, false, "list of new unit", NULL,
     "rows added; in the place of the row in force, whose end stays. Roles are those that the "
     "definition's units have"},
    {"ended", YAML_NULL, false, "text or list", NULL, "units that end, and nobody takes over"},
    {"relations", YAML_LIST, false, "list of relation", NULL, "rows of `relations` that begin"},
    {"ended-relations", YAML_LIST, false, "list of relation", NULL, "rows that end"},
    {"successions", YAML_LIST, false, "list of succession", NULL, "who takes over from whom"},
    {"by", YAML_SCALAR, false, "unit", "the only one who may",
     "who declares it: a unit with the role `issuer`"},
    {"reason", YAML_SCALAR, false, "text", NULL, "why; on record"},
};
const struct key_table scenario_roster_table = KEY_TABLE(roster_keys);
static const struct key_def new_unit_keys[] = {
    {"id", YAML_SCALAR, true, "text", NULL, "these are the columns of `units.csv`"},
    {"name", YAML_SCALAR, true, "text", NULL, "what people call it"},
    {"kind", YAML_SCALAR, false, "text", NULL, "organ, window …"},
    {"liaison", YAML_SCALAR, false, "text", NULL, "who is reminded"},
    {"head", YAML_SCALAR, false, "text", NULL, "who leads it"},
    {"roles", YAML_NULL, false, "text or list", NULL, "what it is in the regime"},
    {"aliases", YAML_NULL, false, "text or list", NULL, "ids that events may use instead"},
};
const struct key_table scenario_new_unit_table = KEY_TABLE(new_unit_keys);
static const struct key_def relation_keys[] = {
    {"subject", YAML_SCALAR, true, "text", NULL, "a unit or a row of a table"},
    {"relation", YAML_SCALAR, true, "name", NULL, "what the unit is of it"},
    {"unit", YAML_SCALAR, true, "unit", NULL, "who is it"},
};
const struct key_table scenario_relation_table = KEY_TABLE(relation_keys);
static const struct key_def succession_keys[] = {
    {"from", YAML_NULL, true, "text or list", NULL, "who ends; several: a merger"},
    {"to", YAML_NULL, true, "text or list", NULL, "who goes on; several: a split"},
    {"counts", YAML_SCALAR, false, "unit", "the first of `to`", "of a split: who inherits what was counted"},
    {"cases", YAML_SCALAR, false, "unit", "the first of `to`", "the open cases"},
    {"tasks", YAML_SCALAR, false, "unit", "the first of `to`", "the open tasks"},
};
const struct key_table scenario_succession_table = KEY_TABLE(succession_keys);

/* What the keys are called in the event, where that is not the same. */
static const struct {
    const char *key, *member;
} members[] = {{"name", "title"},
               {"counts", "heir_of_counts"},
               {"cases", "heir_of_cases"},
               {"tasks", "heir_of_tasks"},
               {"by", "reporter"}};

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

static json_t *item(struct draft *d, const struct yaml *at, const struct key_def *keys, size_t n,
                    const char *what)
{
    struct compiler c = {.arena = d->r->arena, .diags = d->r->diags};
    json_t *o = json_object();
    if (!keys_check(&c, at, keys, n, what))
        return o;
    for (size_t i = 0; i < n; i++) {
        const struct yaml *v = yaml_get(at, keys[i].name);
        if (v)
            json_object_set_new(o, member_of(keys[i].name),
                                keys[i].kind == YAML_NULL ? texts(v) : scenario_value(v));
    }
    return o;
}

static void items(struct draft *d, json_t *to, const char *key, const char *member,
                  const struct key_def *keys, size_t n)
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
    items(d, o, "units", "units", KEYS(new_unit_keys));
    items(d, o, "relations", "relations", KEYS(relation_keys));
    items(d, o, "ended-relations", "ended_relations", KEYS(relation_keys));
    items(d, o, "successions", "successions", KEYS(succession_keys));
    if (yaml_get(d->body, "reason"))
        d->reason = yaml_get(d->body, "reason")->text;
    return o;
}

static const struct form roster_form = {"roster", "RosterChange", "roster_change", KEYS(roster_keys),
                                        fill_roster};

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
