/* Directives of a scenario: directive: {obligation: errand, units: [w-01], about: d-1, title: …, due:
 * 2024-03-29}. */
#include "ctl/scenario_event.h"
#include "lang/diag.h"

static const struct key_def directive_keys[] = {
    {"obligation", YAML_SCALAR, true, "name", NULL, "one that is `born-by: directive`"},
    {"unit", YAML_SCALAR, false, "unit", NULL, "who shall do it; one of unit and units"},
    {"units", YAML_LIST, false, "list of unit", NULL, "a task for each"},
    {"about", YAML_SCALAR, true, "text", NULL, "its number: tells it from others"},
    {"title", YAML_SCALAR, true, "text", NULL, "what is to be done"},
    {"source", YAML_SCALAR, false, "text", NULL, "where it comes from"},
    {"due", YAML_SCALAR, false, "date", "never", "its last day"},
    {"basis", YAML_SCALAR, false, "text", "the obligation's", "what measures cite"},
    {"by", YAML_SCALAR, false, "unit", "the only one who may", "who gives it"},
};
const struct key_table scenario_directive_table = KEY_TABLE(directive_keys);

static json_t *fill_directive(struct draft *d)
{
    static const char *const members[] = {"obligation", "about", "title", "source", "due", "basis", "units"};
    const struct program *p = d->r->p;
    const struct yaml *unit = yaml_get(d->body, "unit"), *units = yaml_get(d->body, "units");
    int o = program_obligation(p, yaml_get(d->body, "obligation")->text);
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (yaml_get(d->body, members[i]))
            json_object_set_new(out, members[i], scenario_value(yaml_get(d->body, members[i])));
    if (!unit == !units)
        yaml_diag(d->r->diags, SEVERITY_ERROR, DIAG_KEY_MISSING, d->key, "unit: UNIT, or units: [UNIT, …]",
                  "a directive goes to one unit, or to several");
    if (unit)
        json_object_set_new(out, "units", json_pack("[o]", json_text(unit->text)));
    json_object_set_new(out, "reporter",
                        json_text(scenario_reporter(d, o >= 0 ? p->obligations[o].by : NULL,
                                                    o >= 0 ? p->obligations[o].nby : 0)));
    return out;
}

const struct form directive_form = {
    "directive",   "Directive", "directive", directive_keys, sizeof directive_keys / sizeof *directive_keys,
    fill_directive};
