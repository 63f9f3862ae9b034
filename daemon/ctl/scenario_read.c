/* Scenario files: from YAML to steps. */
#include "ctl/scenario_grammar.h"
#include "ctl/scenario.h"
#include "ctl/when.h"
#include "lang/compile.h"
#include "lang/diag.h"

static const struct key_def step_keys[] = {
    [CHECK_EXPECT] = {"expect", YAML_NULL, false, "issued or list", NULL, "a measure like this was issued"},
    [CHECK_NONE] = {"none", YAML_NULL, false, "issued or list", NULL, "no measure like this was; `none: {}`: none at all"},
    [CHECK_ONLY] = {"only", YAML_NULL, false, "list of issued", NULL,
                    "exactly these, of what those machines issued that can issue any of the measures listed; `only: []`, and a pattern "
                    "without `measure`, is about all machines"},
    [CHECK_REJECTED] = {"rejected", YAML_NULL, false, "rejected or list", NULL,
                        "an event of this step was rejected; one that is, without such a check, fails the scenario"},
    [CHECK_WITHDRAWN] = {"withdrawn", YAML_NULL, false, "issued or list", NULL,
                         "a measure that went out was withdrawn; `withdrawn: []`: none was"},
    [CHECK_PROPOSED] = {"proposed", YAML_NULL, false, "issued or list", NULL,
                        "a measure waits for a decision since then; `proposed: []`: none does"},
    [CHECK_STATE] = {"state", YAML_NULL, false, "instance or list", NULL,
                     "one instance: its state, variables and counts; parts of its key, enough to name exactly one"},
    [CHECK_DUE] = {"due", YAML_NULL, false, "due or list", NULL, "how many tasks there are"},
    [CHECK_SCORE] = {"score", YAML_NULL, false, "scored or list", NULL, "what a tally says"},
    [CHECK_DEFINITION] = {"check", YAML_NULL, false, "warned or list", NULL, "what checking the definition says"},
};
const struct key_table scenario_step_table = KEY_TABLE(step_keys);

static bool starts_with(struct slice s, struct slice with)
{
    return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

static int check_named(struct slice name)
{
    for (int k = 0; k < CHECK_KINDS; k++)
        if (slice_eq(name, slice_of(step_keys[k].name)))
            return k;
    return -1;
}

/* ---- checks */

static void add_pattern(struct scenario_reader *r, struct scenario_check *c, const struct yaml *map)
{
    if (map->kind != YAML_MAP) {
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_SHAPE, map, "a map such as {measure: …, unit: …}",
                  "“%s” takes maps", step_keys[c->kind].name);
        return;
    }
    scenario_pattern_check(r, c->kind, map);
    *(const struct yaml **)arena_push(r->arena, &c->pattern, &c->npatterns, &c->cap, sizeof *c->pattern) =
        map;
}

static void read_check(struct scenario_reader *r, struct scenario_step *step, enum check_kind kind,
                       const struct yaml_pair *pair)
{
    struct scenario_check *c =
        arena_push(r->arena, &step->checks, &step->nchecks, &step->checks_cap, sizeof *step->checks);
    *c = (struct scenario_check){.kind = kind, .at = pair->key};
    if (pair->value->kind == YAML_LIST)
        for (size_t i = 0; i < pair->value->n; i++)
            add_pattern(r, c, pair->value->items[i]);
    else
        add_pattern(r, c, pair->value);
    if (!c->npatterns && kind != CHECK_ONLY && kind != CHECK_WITHDRAWN && kind != CHECK_PROPOSED)
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_SHAPE, pair->key, "a map, or a list of them",
                  "“%s” says nothing", step_keys[kind].name);
}

/* ---- steps */

static struct scenario_step *add_step(struct scenario_reader *r, instant_t time, const struct yaml *at)
{
    struct scenario *s = r->s;
    struct scenario_step *step = arena_push(r->arena, &s->steps, &s->nsteps, &s->steps_cap, sizeof *s->steps);
    *step = (struct scenario_step){.time = time, .at = at};
    return step;
}

/* A new step at the time that the key names; NULL after a diagnostic. */
static struct scenario_step *read_time(struct scenario_reader *r, const struct yaml *key, struct slice text)
{
    instant_t time, last = r->s->steps[r->s->nsteps - 1].time;
    if (!when_parse(text, r->p->tz, &time)) {
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_VALUE, key, WHEN_EXPECTED, "“%.*s” is no time",
                  SLICE_ARG(text));
        return NULL;
    }
    if (last != INSTANT_NONE && time < last) {
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_VALUE, key, "steps in the order of time",
                  "this is earlier than the step before");
        return NULL;
    }
    return add_step(r, time, key);
}

static void unknown_key(struct scenario_reader *r, const struct yaml *key)
{
    struct slice names[CHECK_KINDS + 1];
    for (int k = 0; k < CHECK_KINDS; k++)
        names[k] = slice_of(step_keys[k].name);
    names[CHECK_KINDS] = S("until");
    struct slice near = nearest_name(key->text, names, CHECK_KINDS + 1);
    struct slice expected = near.n ? arena_printf(r->arena, "did you mean “%.*s”?", SLICE_ARG(near))
                                   : S("a time, `until TIME`, expect, none, only, rejected, withdrawn, proposed, state, due, score or check");
    yaml_diag(r->diags, SEVERITY_ERROR, DIAG_KEY_UNKNOWN, key, expected.p,
              "“%.*s” is not a step of a scenario", SLICE_ARG(key->text));
}

static void read_checks(struct scenario_reader *r, const struct yaml *map);

static void read_until(struct scenario_reader *r, const struct yaml_pair *pair)
{
    const struct yaml *v = pair->value;
    struct slice text = {pair->key->text.p + 6, pair->key->text.n - 6};
    if (!read_time(r, pair->key, text))
        return;
    if (v->kind == YAML_LIST)
        for (size_t i = 0; i < v->n; i++)
            read_checks(r, v->items[i]);
    else if (v->kind == YAML_MAP)
        read_checks(r, v);
    else if (v->kind != YAML_NULL)
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_SHAPE, v, "a list of checks", "“until” has something else");
}

static void read_pair(struct scenario_reader *r, const struct yaml_pair *pair)
{
    int kind = check_named(pair->key->text);
    if (kind >= 0)
        read_check(r, &r->s->steps[r->s->nsteps - 1], (enum check_kind)kind, pair);
    else if (starts_with(pair->key->text, S("until ")))
        read_until(r, pair);
    else if (pair->key->text.n && pair->key->text.p[0] >= '0' && pair->key->text.p[0] <= '9') {
        struct scenario_step *step = read_time(r, pair->key, pair->key->text);
        if (step)
            scenario_events_read(r, step, pair->value);
    } else
        unknown_key(r, pair->key);
}

static void read_checks(struct scenario_reader *r, const struct yaml *map)
{
    if (map->kind != YAML_MAP) {
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_SHAPE, map, "TIME: EVENT, or a check such as expect: {…}",
                  "a step is a map");
        return;
    }
    for (size_t i = 0; i < map->n; i++)
        read_pair(r, &map->pairs[i]);
}

/* What was before: events with a time, or without one, then at the start. */
static void read_given(struct scenario_reader *r, const struct yaml *list)
{
    if (list->kind != YAML_LIST) {
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_SHAPE, list, "a list of events",
                  "“given” has something else");
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        const struct yaml *item = list->items[i];
        bool timed = item->kind == YAML_MAP && item->n == 1 && item->pairs[0].key->text.n &&
                     item->pairs[0].key->text.p[0] >= '0' && item->pairs[0].key->text.p[0] <= '9';
        if (timed)
            read_pair(r, &item->pairs[0]);
        else
            scenario_events_read(r, &r->s->steps[0], item);
    }
}

/* Where the definition lists its articles, a scenario cites one of them. */
static void check_article(struct scenario_reader *r, const struct yaml *at)
{
    const struct program *p = r->p;
    struct slice *names = ARENA_ARRAY(r->arena, struct slice, p->narticles + 1);
    bool listed = false;
    for (size_t i = 0; i < p->narticles; i++) {
        names[i] = p->articles[i].name;
        listed = listed || !p->articles[i].silent.n;
    }
    if (!listed || program_article(p, at->text) >= 0)
        return;
    struct slice near = nearest_name(at->text, names, p->narticles);
    yaml_diag(r->diags, SEVERITY_ERROR, DIAG_WORD, at,
              near.n ? arena_printf(r->arena, "did you mean “%.*s”?", SLICE_ARG(near)).p
                     : "an article that the workflow lists under articles:",
              "the workflow has no article “%.*s”", SLICE_ARG(at->text));
}

static void read_covers(struct scenario_reader *r, const struct yaml *list)
{
    struct scenario *s = r->s;
    if (list->kind != YAML_LIST) {
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_SHAPE, list, "a list of articles: [五（一）T1]",
                  "“covers” has something else");
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        check_article(r, list->items[i]);
        *(struct slice *)arena_push(r->arena, &s->covers, &s->ncovers, &s->covers_cap, sizeof *s->covers) =
            list->items[i]->text;
    }
}

static const struct key_def scenario_keys[] = {
    {"scenario", YAML_SCALAR, true, "text", NULL, "a sentence: what it shows"},
    {"covers", YAML_LIST, false, "list of text", NULL, "articles, counted by `test`"},
    {"given", YAML_LIST, false, "list of given", NULL,
     "events before, with a time as their key or without: at the start"},
    {"at", YAML_LIST, true, "list of step", NULL, "what comes in, and what must hold"},
};
const struct key_table scenario_table = KEY_TABLE(scenario_keys);

bool scenario_read(const struct program *p, const struct bundle_file *file, struct arena *a, struct diags *d,
                   struct scenario *out)
{
    struct scenario_reader r = {.p = p, .arena = a, .diags = d, .s = out};
    struct compiler c = {.arena = a, .diags = d};
    size_t errors = d->errors;
    *out = (struct scenario){.file = file, .title = file->shown};
    struct yaml *root = yaml_parse(file, d);
    if (!root || !keys_check(&c, root, scenario_keys, sizeof scenario_keys / sizeof *scenario_keys, "a scenario"))
        return false;
    if (d->errors != errors)
        return false;
    out->title = yaml_get(root, "scenario")->text;
    add_step(&r, INSTANT_NONE, NULL);
    if (yaml_get(root, "covers"))
        read_covers(&r, yaml_get(root, "covers"));
    if (yaml_get(root, "given"))
        read_given(&r, yaml_get(root, "given"));
    const struct yaml *at = yaml_get(root, "at");
    for (size_t i = 0; i < at->n; i++)
        read_checks(&r, at->items[i]);
    return d->errors == errors;
}
