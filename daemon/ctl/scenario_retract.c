/* What takes back and sets right, in a scenario:
 *   annul: {record: at 2024-04-10 09:00, reason: …}           a record; `2 at TIME`: the second of that time
 *   annul: {measure: warning, unit: u-01, reason: …}          a measure that went out
 *   supersede: {record: at …, with: {EVENT}, received: TIME}  another in a record's place
 *   late: {received: TIME, with: {EVENT}}                     a record that arrives late
 *   decide: {measure: warning, unit: u-01, answer: issue}     a measure that is proposed */
#include "ctl/scenario_event.h"
#include "ctl/when.h"
#include "lang/diag.h"

static void say(const struct draft *d, const struct yaml *at, const char *code, const char *expected,
                const char *problem)
{
    yaml_diag(d->r->diags, SEVERITY_ERROR, code, at, expected, "%s", problem);
}

/* By the issuer, else by anybody. */
static struct slice operator_of(const struct draft *d)
{
    const struct program *p = d->r->p;
    if (p->issuer < 0 && !yaml_get(d->body, "by") && p->nunits)
        return p->units[0].id;
    return scenario_reporter(d, &p->issuer, p->issuer >= 0);
}

static json_t *begin(struct draft *d)
{
    json_t *o = json_object();
    json_object_set_new(o, "reporter", json_text(operator_of(d)));
    if (yaml_get(d->body, "reason"))
        d->reason = yaml_get(d->body, "reason")->text;
    return o;
}

/* ---- records, by the time at which they came */

#define RECORD_EXPECTED "at 2024-04-10 09:00, or 2 at 2024-04-10 09:00"

static bool record_time(const struct draft *d, const struct yaml *v, uint64_t *nth, instant_t *time)
{
    struct slice text = v->text;
    const char *at = text.n ? memmem(text.p, text.n, "at ", 3) : NULL;
    size_t before = at ? (size_t)(at - text.p) : 0;
    *nth = 0;
    if (!at || (before &&
                (text.p[before - 1] != ' ' || !parse_u64((struct slice){text.p, before - 1}, nth) || !*nth)))
        return false;
    return when_parse((struct slice){at + 3, text.n - before - 3}, d->r->p->tz, time);
}

static const struct scenario_event *record_at(const struct draft *d, instant_t time, uint64_t nth,
                                              uint64_t *n)
{
    const struct scenario_event *found = NULL;
    *n = 0;
    for (size_t s = 0; s < d->r->s->nsteps; s++)
        for (size_t i = 0; d->r->s->steps[s].time == time && i < d->r->s->steps[s].nevents; i++)
            if (++*n == nth || nth == 0)
                found = &d->r->s->steps[s].events[i];
    return found;
}

/* {source, id} of the record; NULL after a diagnostic. */
static json_t *record_ref(const struct draft *d, instant_t *time)
{
    const struct yaml *v = yaml_get(d->body, "record");
    uint64_t nth, n;
    if (!record_time(d, v, &nth, time)) {
        say(d, v, DIAG_VALUE, RECORD_EXPECTED, "this names no record");
        return NULL;
    }
    const struct scenario_event *e = record_at(d, *time, nth, &n);
    if (n == 0 || nth > n) {
        say(d, v, DIAG_VALUE, RECORD_EXPECTED, "there is no such event in the steps before");
        return NULL;
    }
    if (nth == 0 && n > 1) {
        say(d, v, DIAG_VALUE, arena_printf(d->r->arena, "1 at … to %llu at …", (unsigned long long)n).p,
            "several events came then");
        return NULL;
    }
    json_t *ref = json_object();
    json_object_set_new(ref, "source", json_text(e->event.source));
    json_object_set_new(ref, "id", json_text(e->event.id));
    return ref;
}

/* ---- the bodies */

/* Which measure is meant shows when the scenario runs. */
static json_t *of_measure(struct draft *d, const struct yaml *body)
{
    json_t *o = begin(d);
    if (!yaml_get(body, "measure")) {
        json_decref(o);
        say(d, d->key, DIAG_KEY_MISSING, "record: at TIME, or measure: NAME", "nothing is named");
        return NULL;
    }
    scenario_measure_check(d->r, body);
    d->measure = body;
    return o;
}

static json_t *fill_annul(struct draft *d)
{
    instant_t time;
    if (!yaml_get(d->body, "record"))
        return of_measure(d, d->body);
    json_t *ref = record_ref(d, &time), *o = ref ? begin(d) : NULL;
    if (o)
        json_object_set_new(o, "record", ref);
    return o;
}

static bool take_received(const struct draft *d, json_t *o, instant_t *time)
{
    const struct yaml *v = yaml_get(d->body, "received");
    if (v && !when_parse(v->text, d->r->p->tz, time)) {
        say(d, v, DIAG_VALUE, WHEN_EXPECTED, "this is no time");
        return false;
    }
    if (v)
        json_object_set_new(o, "received", json_text(instant_format_utc(d->r->arena, *time)));
    return true;
}

static json_t *fill_supersede(struct draft *d)
{
    const struct yaml *reissue = yaml_get(d->body, "reissue");
    instant_t time = d->time;
    json_t *ref = yaml_get(d->body, "record") ? record_ref(d, &time) : NULL;
    if (yaml_get(d->body, "record") && !ref)
        return NULL;
    json_t *o = begin(d);
    if (ref)
        json_object_set_new(o, "record", ref);
    json_t *with =
        take_received(d, o, &time) ? scenario_event_data(d->r, yaml_get(d->body, "with"), time) : NULL;
    if (!with) {
        json_decref(o);
        return NULL;
    }
    json_object_set_new(o, "replacement", with);
    if (reissue)
        json_object_set_new(o, "reissue", json_boolean(slice_eq(reissue->text, S("yes"))));
    return o;
}

static json_t *fill_decide(struct draft *d)
{
    const struct yaml *answer = yaml_get(d->body, "answer");
    bool issue = slice_eq(answer->text, S("issue"));
    if (!issue && !slice_eq(answer->text, S("decline"))) {
        say(d, answer, DIAG_WORD, "issue or decline", "this is no answer");
        return NULL;
    }
    json_t *o = of_measure(d, d->body);
    if (o)
        json_object_set_new(o, "answer", json_string(issue ? "ISSUE" : "DECLINE"));
    return o;
}

/* ---- */

static const struct key_def annulment_keys[] = {
    {"record", YAML_SCALAR, false, "RECORD", NULL,
     "`at TIME`, `N at TIME`: the event of that time in the steps before; of several, the Nth"},
    {"measure", YAML_SCALAR, false, "name", NULL,
     "instead: the last such warning or supervision; with as much of the following as names it"},
    {"unit", YAML_SCALAR, false, "unit", NULL, "its unit"},
    {"subject", YAML_SCALAR, false, "text", NULL, "its subject"},
    {"about", YAML_SCALAR, false, "text", NULL, "what the task is about"},
    {"obligation", YAML_SCALAR, false, "name", NULL, "its obligation"},
    {"period", YAML_SCALAR, false, "period", NULL, "its period"},
    {"reason", YAML_SCALAR, false, "text", NULL, "why; on record"},
    {"by", YAML_SCALAR, false, "unit", "the only one who may", "who says it"},
};
const struct key_table scenario_annulment_table = KEY_TABLE(annulment_keys);
static const struct key_def replacement_keys[] = {
    {"record", YAML_SCALAR, true, "RECORD", NULL, "the event in whose place another stands"},
    {"with", YAML_MAP, true, "event", NULL, "the event that stands there"},
    {"received", YAML_SCALAR, false, "moment", "that of the record", "when it should have come"},
    {"reissue", YAML_SCALAR, false, "yes-no", "`no`",
     "what newly follows is issued at once, and waits for no decision"},
    {"reason", YAML_SCALAR, false, "text", NULL, "why; on record"},
    {"by", YAML_SCALAR, false, "unit", "the only one who may", "who says it"},
};
const struct key_table scenario_replacement_table = KEY_TABLE(replacement_keys);
static const struct key_def late_keys[] = {
    {"received", YAML_SCALAR, true, "moment", NULL, "when it should have come"},
    {"with", YAML_MAP, true, "event", NULL, "the event"},
    {"reissue", YAML_SCALAR, false, "yes-no", "`no`",
     "what newly follows is issued at once, and waits for no decision"},
    {"reason", YAML_SCALAR, false, "text", NULL, "why; on record"},
    {"by", YAML_SCALAR, false, "unit", "the only one who may", "who says it"},
};
const struct key_table scenario_late_table = KEY_TABLE(late_keys);
static const struct key_def decision_keys[] = {
    {"measure", YAML_SCALAR, false, "name", NULL,
     "the one that is proposed; with as much of the following as names it"},
    {"unit", YAML_SCALAR, false, "unit", NULL, "its unit"},
    {"subject", YAML_SCALAR, false, "text", NULL, "its subject"},
    {"about", YAML_SCALAR, false, "text", NULL, "what the task is about"},
    {"obligation", YAML_SCALAR, false, "name", NULL, "its obligation"},
    {"period", YAML_SCALAR, false, "period", NULL, "its period"},
    {"answer", YAML_SCALAR, true, "issue|decline", NULL, "what becomes of it"},
    {"reason", YAML_SCALAR, false, "text", NULL, "why; on record"},
    {"by", YAML_SCALAR, false, "unit", "the only one who may", "who says it"},
};
const struct key_table scenario_decision_table = KEY_TABLE(decision_keys);

#define KEYS(k) k, sizeof k / sizeof *k
static const struct form forms[] = {
    {"annul", "Annul", "annul", KEYS(annulment_keys), fill_annul},
    {"supersede", "Supersede", "supersede", KEYS(replacement_keys), fill_supersede},
    {"late", "Supersede", "supersede", KEYS(late_keys), fill_supersede},
    {"decide", "Decide", "decide", KEYS(decision_keys), fill_decide},
};

/* An event that the workflow declares under the name goes before. */
const struct form *scenario_retraction(const struct program *p, struct slice name)
{
    int kind = program_kind(p, name);
    if (kind >= 0 && p->kinds[kind].class_ == KIND_CLASS_FACT)
        return NULL;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (slice_eq(name, slice_of(forms[i].name)))
            return &forms[i];
    return NULL;
}
