/* Readings of a scenario: reading: {indicator: code-share, unit: hh-c01, period: 2024-05, value: 26%}, or
 * ratio: 28/39, or not-applicable: yes. */
#include "ctl/scenario_event.h"
#include "lang/diag.h"

static const struct key_def reading_keys[] = {
    {"indicator", YAML_SCALAR, true, "name", NULL, "of what"},
    {"unit", YAML_SCALAR, true, "unit", NULL, "whose"},
    {"period", YAML_SCALAR, true, "period", NULL, "of when"},
    {"by", YAML_SCALAR, false, "unit", "the unit, else the only one who may", "who reports it"},
    {"value", YAML_SCALAR, false, "value", NULL, "`26%`, `1500余`; one of value, ratio and not-applicable"},
    {"ratio", YAML_SCALAR, false, "text", NULL, "`28/39`; `0/0` is n/a"},
    {"not-applicable", YAML_SCALAR, false, "yes-no", NULL, "there is nothing to measure"},
    {"approximate", YAML_SCALAR, false, "yes-no", "as written", "only roughly so"},
};
const struct key_table scenario_reading_table = KEY_TABLE(reading_keys);

static void put_ratio(json_t *o, const struct draft *d, const struct yaml *ratio)
{
    const char *slash = ratio->text.n ? memchr(ratio->text.p, '/', ratio->text.n) : NULL;
    json_t *r = json_object();
    json_object_set_new(o, "ratio", r);
    if (!slash) {
        yaml_diag(d->r->diags, SEVERITY_ERROR, DIAG_VALUE, ratio, "ratio: 28/39", "this is no ratio");
        return;
    }
    size_t n = (size_t)(slash - ratio->text.p);
    json_object_set_new(r, "numerator", json_text((struct slice){ratio->text.p, n}));
    json_object_set_new(r, "denominator", json_text((struct slice){slash + 1, ratio->text.n - n - 1}));
}

/* The unit itself where it may, else whoever may. */
static struct slice reader(const struct draft *d)
{
    const struct program *p = d->r->p;
    struct slice name = yaml_get(d->body, "indicator")->text, unit = yaml_get(d->body, "unit")->text;
    date_t day = d->time == INSTANT_NONE ? p->effective.from : tz_date(p->tz, d->time, NULL);
    const struct unit *u = program_unit(p, unit, day);
    const struct indicator *i = NULL;
    for (size_t k = 0; k < p->nindicators && !i; k++)
        i = slice_eq(p->indicators[k].name, name) ? &p->indicators[k] : NULL;
    if (yaml_get(d->body, "by"))
        return yaml_get(d->body, "by")->text;
    bool itself = !i || i->nby == 0;
    for (size_t k = 0; i && u && k < i->nby; k++)
        itself |= unit_has_role(u, i->by[k]);
    return itself ? unit : scenario_reporter(d, i->by, i->nby);
}

static json_t *fill_reading(struct draft *d)
{
    static const char *const members[] = {"indicator", "unit", "period"};
    const struct yaml *value = yaml_get(d->body, "value"), *ratio = yaml_get(d->body, "ratio"),
                      *none = yaml_get(d->body, "not-applicable"),
                      *roughly = yaml_get(d->body, "approximate");
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        json_object_set_new(o, members[i], scenario_value(yaml_get(d->body, members[i])));
    json_object_set_new(o, "reporter", json_text(reader(d)));
    if (!value + !ratio + !none != 2)
        yaml_diag(d->r->diags, SEVERITY_ERROR, DIAG_KEY_MISSING, d->key,
                  "value: 26%, ratio: 28/39 or not-applicable: yes", "a reading has one of them");
    if (value)
        json_object_set_new(o, "number", scenario_value(value));
    if (ratio)
        put_ratio(o, d, ratio);
    if (none)
        json_object_set_new(o, "not_applicable", json_boolean(slice_eq(none->text, S("yes"))));
    if (roughly)
        json_object_set_new(o, "approximate", json_boolean(slice_eq(roughly->text, S("yes"))));
    return o;
}

const struct form reading_form = {
    "reading", "Reading", "reading", reading_keys, sizeof reading_keys / sizeof *reading_keys, fill_reading};
