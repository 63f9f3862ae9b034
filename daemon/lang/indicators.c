/* Indicators: figures that units report for periods, each with its target. And constants: figures that the
 * text states about itself. */
#include "lang/figures.h"

#include "lang/obligations.h"

/* ---- targets: ≥ 25%, = 100%, > 0 */

static const struct {
    struct slice sign;
    int target;
} signs[] = {{{"≥", 3}, TARGET_GE}, {{"≤", 3}, TARGET_LE}, {{">=", 2}, TARGET_GE}, {{"<=", 2}, TARGET_LE},
             {{">", 1}, TARGET_GT}, {{"<", 1}, TARGET_LT}, {{"=", 1}, TARGET_EQ}};

static void target_read(struct compiler *c, const struct yaml *node, struct indicator *out)
{
    struct slice rest = node->text;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (slice_drop(&rest, signs[i].sign)) {
            out->target = signs[i].target;
            break;
        }
    if (out->target == TARGET_NONE || !rat_parse(rest, &out->target_value)) {
        out->target = TARGET_NONE;
        ERROR_AT(c, TARGET, node, "a sign and a number: ≥ 25%, = 100%, < 3", "“%.*s” is no target",
                 SLICE_ARG(node->text));
    }
}

/* ---- */

static const struct key_def indicator_keys[] = {
    {"title", YAML_NULL, true, "title", NULL, "what people read"},
    {"basis", YAML_SCALAR, true, "article", NULL, "where the text asks for it"},
    {"owed-by", YAML_NULL, false, "units or list", "any unit", "whose readings are taken; sees `event.X`"},
    {"by", YAML_NULL, false, "role or list", "any unit", "who may report them"},
    {"period", YAML_SCALAR, false, "period kind, constant", "any",
     "the only kind of period that a reading may be of"},
    {"target", YAML_SCALAR, false, "target", NULL,
     "`≥ 25%`, `= 100%`, `< 3`: `event.met` tells whether the value is there; n/a without a value"},
};
const struct key_table indicator_table = KEY_TABLE(indicator_keys);

static void indicator_declare(struct compiler *c, const struct declared *d, struct indicator *i)
{
    *i = (struct indicator){.name = d->name, .period = PERIOD_ONCE, .place = place_of(c, d->key)};
    if (!keys_check(c, d->node, indicator_keys, sizeof indicator_keys / sizeof *indicator_keys,
                    arena_printf(c->arena, "indicator %.*s", SLICE_ARG(d->name)).p))
        return;
    const struct yaml *period = yaml_get(d->node, "period"), *target = yaml_get(d->node, "target");
    i->title = read_title(c, yaml_get(d->node, "title"));
    i->basis = read_text(d->node, "basis");
    read_roles(c, yaml_get(d->node, "by"), &i->by, &i->nby);
    if (is_scalar(period))
        read_period_kind(c, period, &i->period);
    if (is_scalar(target))
        target_read(c, target, i);
}

void indicators_declare(struct compiler *c)
{
    struct build *b = build_of(c);
    struct program *p = c->program;
    section_collect(b, "indicators", &b->indicators);
    size_t n = b->indicators.n;
    p->indicators = ARENA_ARRAY(c->arena, struct indicator, n + 1);
    for (size_t i = 0; i < n; i++)
        indicator_declare(c, &b->indicators.item[i], &p->indicators[p->nindicators++]);
    if (n == 0)
        return;
    /* A reading is of one of these, and of no other. */
    struct slice *words = ARENA_ARRAY(c->arena, struct slice, n);
    struct field *f = ARENA_ARRAY(c->arena, struct field, READING_FIELDS);
    for (size_t i = 0; i < n; i++)
        words[i] = p->indicators[i].name;
    memcpy(f, p->kinds[KIND_READING].fields, READING_FIELDS * sizeof *f);
    f[READING_INDICATOR].type = (struct type){.tag = TYPE_ENUM, .words = words, .nwords = n};
    p->kinds[KIND_READING].fields = f;
}

void indicators_compile(struct compiler *c)
{
    struct build *b = build_of(c);
    struct scope s = {.c = c, .kind = KIND_READING};
    for (size_t i = 0; i < b->indicators.n; i++) {
        const struct yaml *owed = yaml_get(b->indicators.item[i].node, "owed-by");
        if (owed)
            c->program->indicators[i].owed_by = owners_read(&s, owed);
    }
}

/* ---- constants */

static const struct key_def constant_keys[] = {
    {"value", YAML_SCALAR, true, "written number", NULL,
     "as the text has it: `313`, `26%`, `近800`; `constants.NAME` in expressions is the number"},
    {"approximate", YAML_SCALAR, false, "yes-no", "by its mark",
     "only roughly so: 近, 约 in front and 余, 多 behind a number say it themselves"},
    {"basis", YAML_SCALAR, false, "article", NULL, "where the text states it"},
    {"note", YAML_SCALAR, false, "text", NULL, "for readers"},
};
const struct key_table constant_table = KEY_TABLE(constant_keys);

static void constant_declare(struct compiler *c, const struct declared *d, struct constant *out)
{
    *out = (struct constant){.name = d->name, .place = place_of(c, d->key)};
    if (!keys_check(c, d->node, constant_keys, sizeof constant_keys / sizeof *constant_keys,
                    arena_printf(c->arena, "constant %.*s", SLICE_ARG(d->name)).p))
        return;
    const struct yaml *value = yaml_get(d->node, "value"), *roughly = yaml_get(d->node, "approximate");
    bool marked = false;
    out->basis = read_text(d->node, "basis");
    if (!is_scalar(value))
        return;
    out->written = value->text;
    if (!rat_parse_written(value->text, &out->value, &marked))
        ERROR_AT(c, NUMBER, value, "a number, as the text has it: 313, 26%, 近800, 1500余",
                 "the constant “%.*s” has no number as its value", SLICE_ARG(d->name));
    out->approximate = read_yesno(c, roughly, marked);
    if (marked && !out->approximate)
        ERROR_AT(c, VALUE, roughly, "approximate: yes", "“%.*s” says itself that it is only roughly so",
                 SLICE_ARG(value->text));
}

void constants_declare(struct compiler *c)
{
    struct build *b = build_of(c);
    struct program *p = c->program;
    section_collect(b, "constants", &b->constants);
    p->constants = ARENA_ARRAY(c->arena, struct constant, b->constants.n + 1);
    for (size_t i = 0; i < b->constants.n; i++)
        constant_declare(c, &b->constants.item[i], &p->constants[p->nconstants++]);
}
