/* Corrections of a scenario: extend: {obligation: monthly, unit: w-01, period: 2024-03, until: 2024-04-03},
 * and in bulk. */
#include "ctl/scenario_event.h"
#include "lang/diag.h"

/* What a selector is made of, for one and for several. */
static const struct {
    const char *key, *member;
} parts[] = {
    {"obligation", "obligations"},
    {"obligations", "obligations"},
    {"unit", "units"},
    {"units", "units"},
    {"about", "subjects"},
    {"subject", "subjects"},
    {"subjects", "subjects"},
    {"period", "periods"},
    {"periods", "periods"},
    {"role", "roles"},
    {"roles", "roles"},
    {"machine", "machines"},
    {"machines", "machines"},
    {"state", "states"},
    {"states", "states"},
    {"task", "tasks"},
    {"tasks", "tasks"},
};

static void add_part(json_t *select, const char *member, const struct yaml *v)
{
    json_t *list = json_object_get(select, member);
    if (!list)
        json_object_set_new(select, member, list = json_array());
    for (size_t i = 0; v->kind == YAML_LIST && i < v->n; i++)
        json_array_append_new(list, scenario_value(v->items[i]));
    if (v->kind != YAML_LIST)
        json_array_append_new(list, scenario_value(v));
}

static json_t *selector(const struct draft *d)
{
    json_t *select = json_object();
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (yaml_get(d->body, parts[i].key))
            add_part(select, parts[i].member, yaml_get(d->body, parts[i].key));
    if (yaml_get(d->body, "due-from"))
        json_object_set_new(select, "due_from", scenario_value(yaml_get(d->body, "due-from")));
    if (yaml_get(d->body, "due-until"))
        json_object_set_new(select, "due_until", scenario_value(yaml_get(d->body, "due-until")));
    return select;
}

/* By the issuer, else by who receives the reports of the obligation that is named. */
static struct slice corrector(const struct draft *d)
{
    const struct program *p = d->r->p;
    const struct yaml *name = yaml_get(d->body, "obligation");
    int o = name && name->kind == YAML_SCALAR ? program_obligation(p, name->text) : -1;
    if (p->issuer >= 0)
        return scenario_reporter(d, &p->issuer, 1);
    return scenario_reporter(d, o >= 0 ? p->obligations[o].to : NULL, o >= 0 ? p->obligations[o].nto : 0);
}

static void copy_text(json_t *to, const struct draft *d, const char *key, const char *member)
{
    if (yaml_get(d->body, key))
        json_object_set_new(to, member, scenario_value(yaml_get(d->body, key)));
}

static void copy_yes(json_t *to, const struct draft *d, const char *key, const char *member)
{
    const struct yaml *v = yaml_get(d->body, key);
    if (!v)
        return;
    if (!slice_eq(v->text, S("yes")) && !slice_eq(v->text, S("no")))
        yaml_diag(d->r->diags, SEVERITY_ERROR, DIAG_VALUE, v, "yes or no", "“%.*s” is neither",
                  SLICE_ARG(v->text));
    json_object_set_new(to, member, json_boolean(slice_eq(v->text, S("yes"))));
}

static bool keys_fit(const struct draft *d)
{
    static const struct {
        const char *key, *form;
    } alone[] = {{"until", "extend"},
                 {"for", "extend"},
                 {"refused", "extend"},
                 {"extend-due", "resume"},
                 {"grounds", "excuse"}};
    bool fit = true;
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        const struct yaml *v = yaml_get(d->body, alone[i].key);
        if (!v || slice_eq(d->key->text, slice_of(alone[i].form)))
            continue;
        yaml_diag(d->r->diags, SEVERITY_ERROR, DIAG_KEY_UNKNOWN, v, NULL,
                  "“%s” means nothing here: it belongs to %s", alone[i].key, alone[i].form);
        fit = false;
    }
    return fit;
}

static json_t *fill_correction(struct draft *d)
{
    if (!keys_fit(d))
        return NULL;
    json_t *o = json_object();
    json_object_set_new(o, "select", selector(d));
    json_object_set_new(o, "reporter", json_text(corrector(d)));
    copy_text(o, d, "until", "until");
    copy_text(o, d, "for", "by");
    copy_text(o, d, "grounds", "grounds");
    copy_yes(o, d, "refused", "refused");
    copy_yes(o, d, "extend-due", "extend_due");
    if (yaml_get(d->body, "reason"))
        d->reason = yaml_get(d->body, "reason")->text;
    return o;
}

static json_t *fill_request(struct draft *d)
{
    static const char *const members[] = {"obligation", "unit", "about", "period", "until", "grounds"};
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        copy_text(o, d, members[i], members[i]);
    copy_text(o, d, "by", "reporter");
    return o;
}

/* ---- */

/* Of all but requests. What the last five are for, `alone` says. */
static const struct key_def correction_keys[] = {
    {"obligation", YAML_SCALAR, false, "text", NULL, "tasks of it"},
    {"obligations", YAML_LIST, false, "list of text", NULL, "the same for several"},
    {"unit", YAML_SCALAR, false, "text", NULL, "of this unit"},
    {"units", YAML_LIST, false, "list of text", NULL, "the same for several"},
    {"about", YAML_SCALAR, false, "text", NULL, "about this"},
    {"subject", YAML_SCALAR, false, "text", NULL, "cases of this subject"},
    {"subjects", YAML_LIST, false, "list of text", NULL, "the same for several"},
    {"period", YAML_SCALAR, false, "period", NULL, "of this period"},
    {"periods", YAML_LIST, false, "list of period", NULL, "the same for several"},
    {"role", YAML_SCALAR, false, "text", NULL, "of the units that hold it"},
    {"roles", YAML_LIST, false, "list of text", NULL, "the same for several"},
    {"machine", YAML_SCALAR, false, "text", NULL, "instances of it"},
    {"machines", YAML_LIST, false, "list of text", NULL, "the same for several"},
    {"state", YAML_SCALAR, false, "text", NULL, "those that are in it"},
    {"states", YAML_LIST, false, "list of text", NULL, "the same for several"},
    {"task", YAML_SCALAR, false, "text", NULL, "a printed key: `report/monthly/2024-03/w-01`"},
    {"tasks", YAML_LIST, false, "list of text", NULL, "the same for several"},
    {"due-from", YAML_SCALAR, false, "date", NULL, "tasks due on this day or later"},
    {"due-until", YAML_SCALAR, false, "date", NULL, "or on this day or before"},
    {"by", YAML_SCALAR, false, "unit", "the only one who may", "who makes it"},
    {"reason", YAML_SCALAR, false, "text", NULL, "why; on record"},
    {"until", YAML_SCALAR, false, "date", NULL, "of `extend`: the new last day"},
    {"for", YAML_SCALAR, false, "duration", NULL, "of `extend`: how much longer"},
    {"refused", YAML_SCALAR, false, "yes-no", NULL, "of `extend`: the request is refused"},
    {"extend-due", YAML_SCALAR, false, "yes-no", NULL, "of `resume`: the days paused are added"},
    {"grounds", YAML_SCALAR, false, "text", NULL, "of `excuse`: on what grounds"},
};
const struct key_table scenario_correction_table = KEY_TABLE(correction_keys);
static const struct key_def request_keys[] = {
    {"obligation", YAML_SCALAR, true, "name", NULL, "what is not ready"},
    {"unit", YAML_SCALAR, true, "unit", NULL, "whose task it is"},
    {"about", YAML_SCALAR, false, "text", NULL, "about what"},
    {"period", YAML_SCALAR, false, "period", NULL, "of when"},
    {"until", YAML_SCALAR, true, "date", NULL, "the day that is asked for"},
    {"grounds", YAML_SCALAR, true, "text", NULL, "why"},
    {"by", YAML_SCALAR, false, "unit", "the unit", "who asks"},
};
const struct key_table scenario_request_table = KEY_TABLE(request_keys);

#define KEYS(k) k, sizeof k / sizeof *k
const struct form correction_forms[] = {
    {"extend", "Extend", "extend", KEYS(correction_keys), fill_correction},
    {"waive", "Waive", "waive", KEYS(correction_keys), fill_correction},
    {"pause", "Pause", "pause", KEYS(correction_keys), fill_correction},
    {"resume", "Resume", "resume", KEYS(correction_keys), fill_correction},
    {"excuse", "Excuse", "excuse", KEYS(correction_keys), fill_correction},
    {"extension-requested", "ExtensionRequested", "extension_requested", KEYS(request_keys), fill_request},
};
const size_t correction_nforms = sizeof correction_forms / sizeof *correction_forms;

const struct form *scenario_correction(const struct program *p, struct slice name)
{
    int kind = program_kind(p, name);
    if (kind >= 0 && p->kinds[kind].class_ == KIND_CLASS_FACT)
        return NULL;
    for (size_t i = 0; i < correction_nforms; i++)
        if (slice_eq(name, slice_of(correction_forms[i].name)))
            return &correction_forms[i];
    return NULL;
}
