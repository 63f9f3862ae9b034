/* Events of a scenario, in short hand, → CloudEvents as a portal would send them. Values go as the texts they
 * are: the core gives them their types and has its say about wrong ones, which a scenario may be about. */
#include "ctl/scenario_event.h"
#include "lang/diag.h"

/* ---- who reports */

/* The only unit that holds the role on that day; empty: none or several. */
static struct slice only_holder(struct scenario_reader *r, int role, date_t day)
{
    int *unit;
    size_t n = program_holders(r->p, &role, 1, day, r->arena, &unit);
    return n == 1 ? r->p->units[unit[0]].id : (struct slice){0};
}

/* `by:` of the event, else the only holder of the first role that may. Empty after a diagnostic. */
static struct slice reporter(struct scenario_reader *r, const struct yaml *at, const struct yaml *by,
                             const int *roles, size_t nroles, instant_t time)
{
    if (by)
        return by->text;
    date_t day = time == INSTANT_NONE ? r->p->effective.from : tz_date(r->p->tz, time, NULL);
    struct slice only = nroles ? only_holder(r, roles[0], day) : (struct slice){0};
    if (!only.n && nroles)
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_KEY_MISSING, at, "by: UNIT",
                  "nobody is named who reports it, and not exactly one unit is %.*s",
                  SLICE_ARG(r->p->roles[roles[0]]));
    else if (!only.n)
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_KEY_MISSING, at, "by: UNIT",
                  "nobody is named who reports it");
    return only;
}

/* ---- values */

json_t *scenario_value(const struct yaml *y)
{
    json_t *o = NULL;
    switch (y->kind) {
    case YAML_NULL:
        return json_null();
    case YAML_SCALAR:
        return json_text(y->text);
    case YAML_LIST:
        o = json_array();
        for (size_t i = 0; i < y->n; i++)
            json_array_append_new(o, scenario_value(y->items[i]));
        return o;
    case YAML_MAP:
        o = json_object();
        for (size_t i = 0; i < y->n; i++)
            json_object_setn_new(o, y->pairs[i].key->text.p, y->pairs[i].key->text.n,
                                 scenario_value(y->pairs[i].value));
        return o;
    }
    return o;
}

static void copy_members(json_t *to, const struct yaml *map, const char *const *names)
{
    for (; *names; names++)
        if (yaml_get(map, *names))
            json_object_set_new(to, *names, scenario_value(yaml_get(map, *names)));
}

/* ---- one event */

struct slice scenario_reporter(const struct draft *d, const int *roles, size_t nroles)
{
    return reporter(d->r, d->key, yaml_get(d->body, "by"), roles, nroles, d->time);
}

static const struct key_def submission_keys[] = {
    {"obligation", YAML_SCALAR, true, "name", NULL, "what is filed"},
    {"unit", YAML_SCALAR, true, "unit", NULL, "by whom"},
    {"about", YAML_SCALAR, false, "text", NULL, "about what"},
    {"period", YAML_SCALAR, false, "period", "needed where the obligation recurs", "for when"},
    {"fields", YAML_MAP, false, "map of anything", NULL, "as the obligation declares them"},
    {"attachments", YAML_LIST, false, "list of anything", NULL, "`[{name: list, uri: …}]`"},
};
const struct key_table scenario_submission_table = KEY_TABLE(submission_keys);
static const struct key_def review_keys[] = {
    {"obligation", YAML_SCALAR, true, "name", NULL, "what is reviewed"},
    {"unit", YAML_SCALAR, true, "unit", NULL, "whose"},
    {"about", YAML_SCALAR, false, "text", NULL, "about what"},
    {"period", YAML_SCALAR, false, "period", "needed where the obligation recurs", "of when"},
    {"by", YAML_SCALAR, false, "unit", "the only one who may", "who reviews"},
    {"reasons", YAML_LIST, false, "list of text", NULL, "why it is returned"},
};
const struct key_table scenario_review_table = KEY_TABLE(review_keys);

static json_t *fill_submission(struct draft *d)
{
    static const char *const members[] = {"obligation", "unit",        "about", "period",
                                          "fields",     "attachments", NULL};
    json_t *o = json_object();
    copy_members(o, d->body, members);
    return o;
}

static json_t *fill_review(struct draft *d)
{
    static const char *const members[] = {"obligation", "unit", "about", "period", "reasons", NULL};
    const struct program *p = d->r->p;
    const struct yaml *name = yaml_get(d->body, "obligation");
    int o = name ? program_obligation(p, name->text) : -1;
    json_t *out = json_object();
    copy_members(out, d->body, members);
    json_object_set_new(out, "verdict",
                        json_string(slice_eq(d->key->text, S("accept")) ? "ACCEPT" : "RETURN"));
    struct slice by = reporter(d->r, d->key, yaml_get(d->body, "by"), o >= 0 ? p->obligations[o].to : NULL,
                               o >= 0 ? p->obligations[o].nto : 0, d->time);
    json_object_set_new(out, "reporter", json_text(by));
    return out;
}

static const struct form forms[] = {
    {"submit", "Submission", "submission", submission_keys, sizeof submission_keys / sizeof *submission_keys,
     fill_submission},
    {"accept", "Review", "review", review_keys, sizeof review_keys / sizeof *review_keys, fill_review},
    {"return", "Review", "review", review_keys, sizeof review_keys / sizeof *review_keys, fill_review},
};
#define NFORMS (sizeof forms / sizeof *forms)

/* ---- facts */

static int field_of(const struct kind *k, const char *name)
{
    for (size_t f = 0; f < k->nfields; f++)
        if (slice_eq(k->fields[f].name, slice_of(name)))
            return (int)f;
    return -1;
}

/* The kind that a fact names; -1 after a diagnostic. */
static int fact_kind(struct scenario_reader *r, const struct yaml *key)
{
    const struct program *p = r->p;
    int kind = program_kind(p, key->text);
    if (kind >= 0 && p->kinds[kind].class_ == KIND_CLASS_FACT)
        return kind;
    struct slice *names = ARENA_ARRAY(r->arena, struct slice, p->nkinds + NFORMS + correction_nforms + 1);
    size_t n = 0;
    for (size_t k = 0; k < p->nkinds; k++)
        if (p->kinds[k].class_ == KIND_CLASS_FACT)
            names[n++] = p->kinds[k].name;
    for (size_t f = 0; f < NFORMS; f++)
        names[n++] = slice_of(forms[f].name);
    for (size_t f = 0; f < correction_nforms; f++)
        names[n++] = slice_of(correction_forms[f].name);
    names[n++] = S("ranking");
    struct slice near = nearest_name(key->text, names, n);
    struct slice expected = near.n
                                ? arena_printf(r->arena, "did you mean “%.*s”?", SLICE_ARG(near))
                                : S("an event that the workflow declares, ranking, submit, accept or return");
    yaml_diag(r->diags, SEVERITY_ERROR, DIAG_EVENT_UNKNOWN, key, expected.p, "“%.*s” is not an event",
              SLICE_ARG(key->text));
    return -1;
}

static json_t *fill_fact(struct draft *d)
{
    int kind = fact_kind(d->r, d->key);
    if (kind < 0)
        return NULL;
    const struct kind *k = &d->r->p->kinds[kind];
    const struct yaml *by = field_of(k, "by") < 0 ? yaml_get(d->body, "by") : NULL;
    bool unit_is_reporter = field_of(k, "unit") < 0;
    json_t *fields = json_object();
    for (size_t i = 0; i < d->body->n; i++) {
        const struct yaml_pair *pair = &d->body->pairs[i];
        if (pair->value == by || (unit_is_reporter && slice_eq(pair->key->text, S("unit"))))
            continue;
        json_object_setn_new(fields, pair->key->text.p, pair->key->text.n, scenario_value(pair->value));
    }
    if (!by && unit_is_reporter)
        by = yaml_get(d->body, "unit");
    if (k->nfrom)
        d->source = k->from[0];
    json_t *fact = json_object();
    json_object_set_new(fact, "kind", json_text(k->name));
    json_object_set_new(fact, "reporter", json_text(reporter(d->r, d->key, by, k->by, k->nby, d->time)));
    json_object_set_new(fact, "fields", fields);
    return fact;
}

/* ---- rankings */

static bool take_word(struct slice *s, const char *word)
{
    size_t n = strlen(word);
    if (s->n < n || memcmp(s->p, word, n) != 0)
        return false;
    *s = (struct slice){s->p + n, s->n - n};
    return true;
}

static bool take_number(struct slice *s, uint64_t *out)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    bool ok = parse_u64((struct slice){s->p, n}, out);
    *s = (struct slice){s->p + n, s->n - n};
    return ok;
}

/* "9 of 10", "7 of 10 tied 2" */
static json_t *entry_json(struct scenario_reader *r, const struct yaml_pair *pair)
{
    struct slice rest = pair->value->text;
    uint64_t rank = 0, places = 0, tied = 0;
    bool ok = pair->value->kind == YAML_SCALAR && take_number(&rest, &rank) && take_word(&rest, " of ") &&
              take_number(&rest, &places);
    if (ok && rest.n)
        ok = take_word(&rest, " tied ") && take_number(&rest, &tied) && !rest.n;
    if (!ok) {
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_VALUE, pair->value, "9 of 10, or 7 of 10 tied 2",
                  "this is no place in a ranking");
        return NULL;
    }
    json_t *o = json_object();
    json_object_set_new(o, "subject", json_text(pair->key->text));
    json_object_set_new(o, "rank", json_integer((json_int_t)rank));
    json_object_set_new(o, "places", json_integer((json_int_t)places));
    if (tied)
        json_object_set_new(o, "tied", json_integer((json_int_t)tied));
    return o;
}

static json_t *fill_ranking(struct draft *d)
{
    const struct program *p = d->r->p;
    const struct yaml *name = yaml_get(d->body, "ranking"), *positions = yaml_get(d->body, "positions");
    int ranking = program_ranking(p, name->text);
    if (ranking < 0) {
        struct slice *names = ARENA_ARRAY(d->r->arena, struct slice, p->nrankings);
        for (size_t i = 0; i < p->nrankings; i++)
            names[i] = p->rankings[i].name;
        struct slice near = nearest_name(name->text, names, p->nrankings);
        yaml_diag(d->r->diags, SEVERITY_ERROR, DIAG_EVENT_UNKNOWN, name,
                  near.n ? arena_printf(d->r->arena, "did you mean “%.*s”?", SLICE_ARG(near)).p : NULL,
                  "“%.*s” is not a ranking", SLICE_ARG(name->text));
        return NULL;
    }
    json_t *o = json_object(), *entries = json_array();
    json_object_set_new(o, "ranking", json_text(name->text));
    copy_members(o, d->body, (const char *const[]){"period", NULL});
    const struct ranking *k = &p->rankings[ranking];
    json_object_set_new(o, "reporter",
                        json_text(reporter(d->r, d->key, yaml_get(d->body, "by"), k->by, k->nby, d->time)));
    for (size_t i = 0; i < positions->n; i++) {
        json_t *e = entry_json(d->r, &positions->pairs[i]);
        if (e)
            json_array_append_new(entries, e);
    }
    json_object_set_new(o, "entries", entries);
    return o;
}

/* ---- putting it together */

struct drafted { /* what a draft came to */
    const char *type, *member;
    json_t *body; /* NULL after a diagnostic */
};

static json_t *event_data(const struct draft *d, const struct drafted *e)
{
    json_t *data = json_object();
    json_object_set_new(data, "workflow", json_text(d->r->p->id));
    if (d->reason.n)
        json_object_set_new(data, "reason", json_text(d->reason));
    json_object_set_new(data, e->member, e->body);
    return data;
}

static void add_event(struct draft *d, struct scenario_step *step, const struct drafted *drafted)
{
    struct scenario_reader *r = d->r;
    json_t *data = event_data(d, drafted);
    char *text = json_dumps(data, JSON_COMPACT);
    json_decref(data);
    struct scenario_event *e =
        arena_push(r->arena, &step->events, &step->nevents, &step->events_cap, sizeof *step->events);
    e->at = d->key;
    e->member = drafted->member;
    e->measure = d->measure;
    e->event = (struct cloud_event){
        .id = arena_printf(r->arena, "%.*s-%zu", SLICE_ARG(r->s->file->path), ++r->nevents),
        .source = d->source,
        .type = arena_printf(r->arena, "duban.v1.%s", drafted->type),
        .content_type = S("application/json"),
        .time = d->time,
        .workflow = r->p->id,
        .data = arena_dup(r->arena, slice_of(text)),
    };
    free(text);
    scenario_roster_take(r, &e->event);
}

static bool is_map(struct scenario_reader *r, const struct yaml *y)
{
    if (y->kind != YAML_MAP)
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_SHAPE, y, "a map of its fields", "this is no event");
    return y->kind == YAML_MAP;
}

static const struct key_def publication_keys[] = {
    {"ranking", YAML_SCALAR, true, "name", NULL, "which"},
    {"period", YAML_SCALAR, true, "period", NULL, "of when"},
    {"positions", YAML_MAP, true, "map of place", NULL, "`i-017: 9 of 10`, `i-018: 7 of 10 tied 2`"},
    {"by", YAML_SCALAR, false, "unit", "the only one who may", "who publishes it"},
};
const struct key_table scenario_publication_table = KEY_TABLE(publication_keys);

static struct drafted draft_ranking(struct scenario_reader *r, instant_t time, const struct yaml *at, struct draft *d)
{
    struct compiler c = {.arena = r->arena, .diags = r->diags};
    size_t errors = r->diags->errors;
    *d = (struct draft){
        .r = r, .at = at, .key = at->pairs[0].key, .body = at, .time = time, .source = S("scenario")};
    keys_check(&c, at, publication_keys, sizeof publication_keys / sizeof *publication_keys, "a ranking");
    return (struct drafted){"Ranking", "ranking", r->diags->errors == errors ? fill_ranking(d) : NULL};
}

static struct drafted draft_event(struct scenario_reader *r, instant_t time, const struct yaml *at, struct draft *d)
{
    const struct drafted none = {0};
    if (!is_map(r, at))
        return none;
    if (yaml_get(at, "ranking"))
        return draft_ranking(r, time, at, d);
    if (at->n != 1) {
        yaml_diag(r->diags, SEVERITY_ERROR, DIAG_SHAPE, at, "one event; several as a list",
                  "a map with %zu keys is no event", at->n);
        return none;
    }
    *d = (struct draft){.r = r,
                        .at = at,
                        .key = at->pairs[0].key,
                        .body = at->pairs[0].value,
                        .time = time,
                        .source = S("scenario")};
    struct compiler c = {.arena = r->arena, .diags = r->diags};
    const struct form *form = NULL;
    for (size_t f = 0; f < NFORMS; f++)
        if (slice_eq(d->key->text, slice_of(forms[f].name)))
            form = &forms[f];
    if (!form)
        form = scenario_correction(r->p, d->key->text);
    if (!form)
        form = scenario_retraction(r->p, d->key->text);
    if (!form)
        form = scenario_roster(r->p, d->key->text);
    if (!form && r->p->nindicators && slice_eq(d->key->text, S("reading")))
        form = &reading_form;
    if (!form && slice_eq(d->key->text, slice_of(directive_form.name)) && program_kind(r->p, d->key->text) == KIND_DIRECTIVE)
        form = &directive_form;
    size_t errors = r->diags->errors;
    if (!is_map(r, d->body) || (form && !keys_check(&c, d->body, form->keys, form->nkeys, form->name)) ||
        r->diags->errors != errors)
        return none;
    return form ? (struct drafted){form->type, form->member, form->fill(d)}
                : (struct drafted){"Fact", "fact", fill_fact(d)};
}

static void read_event(struct scenario_reader *r, struct scenario_step *step, const struct yaml *at)
{
    struct draft d;
    struct drafted e = draft_event(r, step->time, at, &d);
    if (e.body)
        add_event(&d, step, &e);
}

json_t *scenario_event_data(struct scenario_reader *r, const struct yaml *at, instant_t time)
{
    struct draft d;
    struct drafted e = draft_event(r, time, at, &d);
    return e.body ? event_data(&d, &e) : NULL;
}

void scenario_events_read(struct scenario_reader *r, struct scenario_step *step, const struct yaml *at)
{
    if (at->kind != YAML_LIST)
        read_event(r, step, at);
    else
        for (size_t i = 0; i < at->n; i++)
            read_event(r, step, at->items[i]);
}
