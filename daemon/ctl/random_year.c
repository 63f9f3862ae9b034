#include "ctl/random_year.h"

#include <stdlib.h>

#include "core/due.h"
#include "core/step.h"
#include "ctl/random_value.h"

#define DAY_MS INT64_C(86400000)
#define EVENTS_MAX 200000

struct year {
    struct chance chance;
    instant_t from, until;
    struct line {
        instant_t time;
        size_t index;
        json_t *event; /* without its id: that comes with the order */
    } * item;
    size_t n, cap;
};

static date_t day_of(const struct year *y, instant_t t)
{
    return tz_date(y->chance.p->tz, t, NULL);
}

/* An event of this type with {workflow, NAME: body}; the body is taken over. Outside the year: let go. */
static void add(struct year *y, instant_t time, struct slice source, const char *type, const char *name,
                json_t *body)
{
    if (time < y->from || time >= y->until || y->n == EVENTS_MAX) {
        json_decref(body);
        return;
    }
    struct line *l = arena_push(y->chance.arena, &y->item, &y->n, &y->cap, sizeof *l);
    *l = (struct line){.time = time, .index = y->n};
    json_t *data = json_object();
    json_object_set_new(data, "workflow", json_text(y->chance.p->id));
    json_object_set_new(data, name, body);
    l->event = json_pack("{s:s, s:o, s:s, s:o, s:s, s:o}", "specversion", "1.0", "source",
                         json_text(source.n ? source : S("random")), "type", type, "time",
                         json_text(instant_format_utc(y->chance.arena, time)), "datacontenttype",
                         "application/json", "data", data);
}

/* ---- reports */

static json_t *task_body(const struct year *y, const struct obligation *o, const struct owed *who,
                         struct period period)
{
    json_t *b = json_object();
    json_object_set_new(b, "obligation", json_text(o->name));
    json_object_set_new(b, "unit", json_text(who->unit));
    if (who->about.n)
        json_object_set_new(b, "about", json_text(who->about));
    if (period.kind != PERIOD_ONCE)
        json_object_set_new(b, "period", json_text(period_format(y->chance.arena, period)));
    return b;
}

/* As a Submission, or as the fact that stands for one. */
static void file(struct year *y, const struct obligation *o, const struct owed *who, struct period period,
                 instant_t at)
{
    struct chance *c = &y->chance;
    if (o->filed_by == KIND_SUBMITTED) {
        json_t *b = task_body(y, o, who, period);
        json_object_set_new(b, "fields", chance_fields(c, o->fields, o->nfields, o->required, at));
        add(y, at, S(""), "duban.v1.Submission", "submission", b);
        return;
    }
    const struct kind *k = &c->p->kinds[o->filed_by];
    json_t *b = json_object(), *fields = chance_fields(c, k->fields, k->nfields, NULL, at);
    json_object_set_new(b, "kind", json_text(k->name));
    json_object_set_new(b, "reporter", json_text(who->unit));
    for (size_t f = 0; f < k->nfields; f++) {
        if (slice_eq(k->fields[f].name, S("unit")) && k->fields[f].type.tag == TYPE_UNIT)
            json_object_set_new(fields, "unit", json_text(who->unit));
        if (slice_eq(k->fields[f].name, S("about")) && who->about.n)
            json_object_set_new(fields, "about", json_text(who->about));
        if (slice_eq(k->fields[f].name, S("period")) && k->fields[f].type.tag == TYPE_PERIOD)
            json_object_set_new(fields, "period", json_text(period_format(c->arena, period)));
    }
    json_object_set_new(b, "fields", fields);
    add(y, at, k->nfrom ? k->from[0] : S(""), "duban.v1.Fact", "fact", b);
}

static void ask_for_time(struct year *y, const struct obligation *o, const struct owed *who,
                         struct period period, instant_t due)
{
    json_t *b = task_body(y, o, who, period);
    json_object_set_new(b, "until", json_text(date_format(y->chance.arena, day_of(y, due) + 7)));
    json_object_set_new(b, "grounds", json_text(S("数据尚待核实")));
    add(y, due - 3 * DAY_MS, S(""), "duban.v1.ExtensionRequested", "extension_requested", b);
}

/* Accepted, or sent back and filed again. */
static void review(struct year *y, const struct obligation *o, const struct owed *who, struct period period,
                   instant_t filed)
{
    struct chance *c = &y->chance;
    for (int round = 0; round < 3; round++) {
        instant_t at = chance_between(c, filed + DAY_MS / 4, filed + 4 * DAY_MS);
        bool accept = chance_of(c, 85);
        struct slice reporter = chance_unit(c, o->to, o->nto, day_of(y, at));
        if (!reporter.n)
            return;
        json_t *b = task_body(y, o, who, period);
        json_object_set_new(b, "verdict", json_string(accept ? "ACCEPT" : "RETURN"));
        json_object_set_new(b, "reporter", json_text(reporter));
        if (!accept)
            json_object_set_new(b, "reasons", json_pack("[s]", "材料不全"));
        add(y, at, S(""), "duban.v1.Review", "review", b);
        if (accept || chance_of(c, 20)) /* some never come back */
            return;
        filed = chance_between(c, at + DAY_MS / 4, at + 4 * DAY_MS);
        file(y, o, who, period, filed);
    }
}

static void report(struct year *y, const struct obligation *o, const struct owed *who, struct period period,
                   const struct due *due)
{
    struct chance *c = &y->chance;
    instant_t end =
        due->effective != INSTANT_MAX ? due->effective : tz_instant(c->p->tz, period_end(period), 0);
    uint64_t luck = chance_below(c, 100);
    if (luck < 8) /* missing */
        return;
    if (luck < 11)
        ask_for_time(y, o, who, period, end);
    bool late = luck < 20;
    instant_t start =
        due->opens + DAY_MS / 3 > end - 15 * DAY_MS ? due->opens + DAY_MS / 3 : end - 15 * DAY_MS;
    instant_t at = late ? chance_between(c, end, end + 20 * DAY_MS) : chance_between(c, start, end);
    file(y, o, who, period, at);
    if (o->nto && o->filed_by == KIND_SUBMITTED && chance_of(c, 90))
        review(y, o, who, period, at);
}

static void reports(struct year *y, const struct obligation *o)
{
    const struct program *p = y->chance.p;
    struct period q = period_of_date(o->period, day_of(y, y->from));
    if (!due_from_calendar(o) || (!o->nfields && o->ncounts))
        return; /* what counts records is met by facts */
    for (; q.kind == PERIOD_ONCE || period_first(q) <= day_of(y, y->until - 1); q = period_step(q, 1)) {
        struct owed *pair;
        size_t n = 0;
        struct due due = due_of(p, o, q, y->chance.arena);
        if (due_in_force(p, o, q) && due_owes(o, &due))
            due_owed(p, o, q, due.opens, y->chance.arena, &pair, &n);
        for (size_t i = 0; i < n; i++)
            report(y, o, &pair[i], q, &due);
        if (q.kind == PERIOD_ONCE)
            return;
    }
}

/* ---- facts */

static bool is_filing(const struct program *p, int kind)
{
    for (size_t i = 0; i < p->nobligations; i++)
        if (p->obligations[i].filed_by == kind)
            return true;
    return false;
}

/* The publication of a tally comes once a period, a week after it. */
static bool closings(struct year *y, int kind)
{
    struct chance *c = &y->chance;
    const struct kind *k = &c->p->kinds[kind];
    const struct tally *t = NULL;
    for (size_t i = 0; i < c->p->ntallies; i++)
        t = c->p->tallies[i].closes_kind == kind ? &c->p->tallies[i] : t;
    if (!t)
        return false;
    struct period q = period_of_date(t->period, day_of(y, y->from));
    for (; q.kind != PERIOD_ONCE && period_end(q) < day_of(y, y->until); q = period_step(q, 1)) {
        instant_t at = tz_instant(c->p->tz, period_end(q) + 7, 9 * 3600000);
        struct slice reporter = chance_unit(c, k->by, k->nby, day_of(y, at));
        json_t *fields = chance_fields(c, k->fields, k->nfields, NULL, at), *b = json_object();
        for (size_t f = 0; f < k->nfields; f++)
            if (k->fields[f].type.tag == TYPE_PERIOD)
                json_object_setn_new(fields, k->fields[f].name.p, k->fields[f].name.n,
                                     json_text(period_format(c->arena, q)));
        json_object_set_new(b, "kind", json_text(k->name));
        json_object_set_new(b, "reporter", json_text(reporter));
        json_object_set_new(b, "fields", fields);
        add(y, at, k->nfrom ? k->from[0] : S(""), "duban.v1.Fact", "fact", b);
    }
    return true;
}

static void facts(struct year *y, int kind)
{
    struct chance *c = &y->chance;
    const struct kind *k = &c->p->kinds[kind];
    uint64_t n = 10 + chance_below(c, 50);
    if (k->class_ != KIND_CLASS_FACT || is_filing(c->p, kind) || closings(y, kind))
        return;
    for (uint64_t i = 0; i < n; i++) {
        instant_t at = chance_between(c, y->from, y->until);
        struct slice reporter = chance_unit(c, k->by, k->nby, day_of(y, at));
        if (!reporter.n)
            continue;
        json_t *b = json_object();
        json_object_set_new(b, "kind", json_text(k->name));
        json_object_set_new(b, "reporter", json_text(reporter));
        json_object_set_new(b, "fields", chance_fields(c, k->fields, k->nfields, NULL, at));
        add(y, at, k->nfrom ? k->from[chance_below(c, k->nfrom)] : S(""), "duban.v1.Fact", "fact", b);
    }
}

/* ---- rankings */

static size_t subjects(struct year *y, const struct ranking *r, date_t day, struct slice **out)
{
    const struct program *p = y->chance.p;
    size_t n = 0, cap = 0;
    *out = NULL;
    if (r->of.tag == TYPE_ROW) {
        const struct table *t = &p->tables[r->of.table];
        for (size_t i = 0; i < t->nrows; i++)
            if (span_has(t->rows[i].in_force, day))
                *(struct slice *)arena_push(y->chance.arena, out, &n, &cap, sizeof **out) = t->rows[i].key;
        return n;
    }
    for (size_t i = 0; i < p->nunits; i++) {
        bool ranked = r->nof_roles == 0;
        for (size_t k = 0; k < r->nof_roles; k++)
            ranked = ranked || unit_has_role(&p->units[i], r->of_roles[k]);
        if (ranked && span_has(p->units[i].in_force, day))
            *(struct slice *)arena_push(y->chance.arena, out, &n, &cap, sizeof **out) = p->units[i].id;
    }
    return n;
}

/* Units are ranked among themselves; a row has its place among ten, near where it was before. */
static json_t *entries(struct year *y, const struct ranking *r, const struct slice *subject, size_t n)
{
    struct chance *c = &y->chance;
    json_t *list = json_array();
    size_t *place = ARENA_ARRAY(c->arena, size_t, n + 1);
    for (size_t i = 0; i < n; i++)
        place[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t k = chance_below(c, i), was = place[i - 1];
        place[i - 1] = place[k];
        place[k] = was;
    }
    for (size_t i = 0; i < n; i++) {
        bool row = r->of.tag == TYPE_ROW;
        uint64_t usual = i * 7 % 10, rank = (usual + chance_below(c, 4)) % 10;
        json_t *o = json_object();
        json_object_set_new(o, "subject", json_text(subject[i]));
        json_object_set_new(o, "rank", json_integer((json_int_t)(row ? rank + 1 : place[i] + 1)));
        json_object_set_new(o, "places", json_integer((json_int_t)(row ? 10 : n)));
        json_array_append_new(list, o);
    }
    return list;
}

static void rankings(struct year *y, const struct ranking *r)
{
    struct chance *c = &y->chance;
    struct period q = period_of_date(r->period, day_of(y, y->from));
    for (; r->tally < 0 && q.kind != PERIOD_ONCE && period_end(q) < day_of(y, y->until);
         q = period_step(q, 1)) {
        instant_t at = tz_instant(c->p->tz, period_end(q) + 9, 10 * 3600000);
        struct slice reporter = chance_unit(c, r->by, r->nby, day_of(y, at)), *subject;
        size_t n = subjects(y, r, day_of(y, at), &subject);
        if (!reporter.n || !n)
            continue;
        json_t *b = json_object();
        json_object_set_new(b, "ranking", json_text(r->name));
        json_object_set_new(b, "period", json_text(period_format(c->arena, q)));
        json_object_set_new(b, "reporter", json_text(reporter));
        json_object_set_new(b, "entries", entries(y, r, subject, n));
        add(y, at, S(""), "duban.v1.Ranking", "ranking", b);
    }
}

/* ---- readings */

static void reading(struct year *y, const struct indicator *x, struct slice unit, struct period q)
{
    struct chance *c = &y->chance;
    instant_t end = tz_instant(c->p->tz, period_end(q), 0), at = chance_between(c, end, end + 8 * DAY_MS);
    struct slice reporter = x->nby ? chance_unit(c, x->by, x->nby, day_of(y, at)) : unit;
    uint64_t luck = chance_below(c, 100);
    if (!reporter.n || luck < 10)
        return;
    json_t *b = json_object();
    json_object_set_new(b, "indicator", json_text(x->name));
    json_object_set_new(b, "unit", json_text(unit));
    json_object_set_new(b, "period", json_text(period_format(c->arena, q)));
    json_object_set_new(b, "reporter", json_text(reporter));
    if (luck < 14)
        json_object_set_new(b, "not_applicable", json_true());
    else if (luck < 60)
        json_object_set_new(b, "ratio",
                            json_pack("{s:o, s:o}", "numerator",
                                      json_text(arena_printf(c->arena, "%d", (int)chance_below(c, 100))),
                                      "denominator",
                                      json_text(arena_printf(c->arena, "%d", (int)chance_below(c, 101)))));
    else
        json_object_set_new(b, "number",
                            json_text(arena_printf(c->arena, "%d.%02d", (int)chance_below(c, 100),
                                                   (int)chance_below(c, 100))));
    add(y, at, S(""), "duban.v1.Reading", "reading", b);
}

static void readings(struct year *y, const struct indicator *x)
{
    struct chance *c = &y->chance;
    enum period_kind kind = x->period == PERIOD_ONCE ? PERIOD_QUARTER : x->period;
    struct period q = period_of_date(kind, day_of(y, y->from));
    for (; period_end(q) <= day_of(y, y->until); q = period_step(q, 1)) {
        struct eval ev = {
            .program = c->p, .now = tz_instant(c->p->tz, period_first(q), 0), .arena = c->arena};
        struct value owners = x->owed_by ? expr_eval(&ev, x->owed_by) : (struct value){.tag = VALUE_NA};
        if (owners.tag == VALUE_TEXT)
            reading(y, x, owners.text, q);
        for (size_t i = 0; owners.tag == VALUE_LIST && i < owners.list.n; i++)
            reading(y, x, owners.list.item[i].text, q);
        struct slice any = owners.tag == VALUE_NA ? chance_unit(c, x->by, x->nby, period_first(q)) : S("");
        if (any.n)
            reading(y, x, any, q);
    }
}

/* ---- directives */

static void directives(struct year *y, const struct obligation *o)
{
    struct chance *c = &y->chance;
    bool takes = false;
    for (size_t i = 0; i < o->nbirths; i++)
        takes = takes || o->births[i].kind == KIND_DIRECTIVE;
    for (uint64_t i = 0, n = takes ? 3 + chance_below(c, 6) : 0; i < n; i++) {
        instant_t at = chance_between(c, y->from, y->until);
        struct slice unit = chance_unit(c, NULL, 0, day_of(y, at)),
                     reporter = chance_unit(c, o->by, o->nby, day_of(y, at));
        if (!unit.n || !reporter.n)
            continue;
        json_t *b = json_pack("{s:[o], s:o, s:s, s:s}", "units", json_text(unit), "about",
                              json_text(arena_printf(c->arena, "交办-%d", (int)chance_below(c, 1000))),
                              "title", "领导批示事项", "source", "领导批示");
        json_object_set_new(b, "obligation", json_text(o->name));
        json_object_set_new(b, "reporter", json_text(reporter));
        if (chance_of(c, 80))
            json_object_set_new(
                b, "due", json_text(date_format(c->arena, day_of(y, at) + 5 + (date_t)chance_below(c, 20))));
        add(y, at, S(""), "duban.v1.Directive", "directive", b);
    }
}

/* ---- the whole */

static int line_cmp(const void *x, const void *y)
{
    const struct line *a = x, *b = y;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static struct slice write_lines(struct year *y, uint64_t seed)
{
    struct buf b = {0};
    if (y->n)
        qsort(y->item, y->n, sizeof *y->item, line_cmp);
    for (size_t i = 0; i < y->n; i++) {
        json_t *e = y->item[i].event;
        json_object_set_new(
            e, "id",
            json_text(arena_printf(y->chance.arena, "r%llu-%06zu", (unsigned long long)seed, i + 1)));
        char *text = json_dumps(e, JSON_COMPACT);
        buf_add(&b, slice_of(text));
        buf_byte(&b, '\n');
        free(text);
        json_decref(e);
    }
    struct slice out = arena_dup(y->chance.arena, buf_slice(&b));
    buf_free(&b);
    return out;
}

struct slice random_year(const struct program *p, uint64_t seed, instant_t from, instant_t until,
                         struct arena *a)
{
    struct year y = {.chance = {seed, p, a}, .from = from, .until = until};
    for (size_t i = 0; i < p->nobligations; i++) {
        reports(&y, &p->obligations[i]);
        directives(&y, &p->obligations[i]);
    }
    for (size_t i = KIND_DECLARED; i < p->nkinds; i++)
        facts(&y, (int)i);
    for (size_t i = 0; i < p->nrankings; i++)
        rankings(&y, &p->rankings[i]);
    for (size_t i = 0; i < p->nindicators; i++)
        readings(&y, &p->indicators[i]);
    return write_lines(&y, seed);
}
