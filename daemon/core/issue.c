/* Issuing a measure: whom it concerns, who gets it, its limit, document number and words. */
#include "core/turn.h"

#include <stdlib.h>

/* ---- lists of ids */

struct ids {
    struct slice *item;
    size_t n, cap;
};

static void ids_add(struct turn *t, struct ids *l, const struct value *v)
{
    if (v->tag == VALUE_TEXT && v->text.n)
        *(struct slice *)arena_push(t->arena, &l->item, &l->n, &l->cap, sizeof *l->item) = v->text;
    for (size_t i = 0; v->tag == VALUE_LIST && i < v->list.n; i++)
        ids_add(t, l, &v->list.item[i]);
}

static int id_cmp(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static bool ids_have(const struct slice *ids, size_t n, struct slice id)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(ids[i], id))
            return true;
    return false;
}

/* Ascending, without repeats and without those in `but`. */
static void ids_settle(struct ids *l, const struct ids *but)
{
    if (l->n > 1)
        qsort(l->item, l->n, sizeof *l->item, id_cmp);
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++)
        if (!(kept && slice_eq(l->item[kept - 1], l->item[i])) &&
            !(but && ids_have(but->item, but->n, l->item[i])))
            l->item[kept++] = l->item[i];
    l->n = kept;
}

/* ---- what it is about */

static void issued_subject(struct turn *t, const struct acting *act, struct issued *out)
{
    const struct instance *i = &act->x->i;
    const struct machine *m = &t->p->machines[i->machine];
    if (i->task) {
        out->obligation = i->key[TASK_OBLIGATION];
        out->period = i->task->period;
        out->about = i->key[TASK_ABOUT];
        out->due = i->task->due == INSTANT_MAX ? INSTANT_NONE : i->task->due;
        return;
    }
    for (size_t k = 0; k < m->nkey; k++) {
        if (m->key[k].type.tag == TYPE_PERIOD)
            period_parse(i->key[k], &out->period);
        else if ((int)k != m->unit_key && out->subject.n == 0)
            out->subject = i->key[k];
    }
    if (out->period.kind == PERIOD_ONCE && act->event)
        event_named_period(t, act->event, &out->period);
}

/* The measure's article; its obligation's; or that of the rule, failing which the machine's. The action's own
 * words win over all. */
static struct slice issued_basis(const struct turn *t, const struct acting *act, const struct action *a,
                                 const struct measure *me)
{
    const struct instance *i = &act->x->i;
    struct slice of_rule = act->rule ? act->rule->basis : S("");
    if (a->basis.n)
        return a->basis;
    if (of_rule.n && (act->in_rule || me->basis_of_rule))
        return of_rule;
    if (me->basis_of_obligation && i->task && i->task->basis.n)
        return i->task->basis;
    if (me->basis_of_obligation && i->task)
        return t->p->obligations[i->task->obligation].basis;
    return me->basis.n ? me->basis : t->p->machines[i->machine].basis;
}

/* Its number is taken when it leaves. */
static void issued_document(struct turn *t, const struct document *d, struct issued *out)
{
    int year, month, day;
    out->document_title = d->title;
    if (d->number_prefix.n == 0 || out->how != ISSUE_OUT)
        return;
    date_to_civil(t->today, &year, &month, &day);
    struct effects *fx = t->out;
    struct number_taken *taken = NULL;
    for (size_t i = 0; i < fx->nnumbers && !taken; i++)
        if (fx->numbers[i].year == year && slice_eq(fx->numbers[i].series, d->number_prefix))
            taken = &fx->numbers[i];
    if (!taken) {
        taken = arena_push(t->arena, &fx->numbers, &fx->nnumbers, &t->numbers_cap, sizeof *taken);
        *taken = (struct number_taken){d->number_prefix, year,
                                       t->w->last_number(t->w->ctx, d->number_prefix, year)};
    }
    taken->last++;
    out->number_series = d->number_prefix;
    out->number = arena_printf(t->arena, "%.*s〔%d〕%lld%.*s", SLICE_ARG(d->number_prefix), year,
                               (long long)taken->last, SLICE_ARG(d->number_suffix));
}

/* ---- its words */

static struct value text_or_na(struct slice s)
{
    return s.n ? (struct value){.tag = VALUE_TEXT, .text = s} : (struct value){.tag = VALUE_NA};
}

static struct value *issued_row(struct turn *t, const struct measure *me, const struct issued *out,
                                const struct task *task)
{
    struct value *row = ARENA_NEW(t->arena, struct value),
                 *f = ARENA_ARRAY(t->arena, struct value, MEASURE_FIELDS);
    *row = (struct value){.tag = VALUE_RECORD, .record = {.field = f, .n = MEASURE_FIELDS}};
    f[MEASURE_UNIT] = text_or_na(out->unit);
    f[MEASURE_SUBJECT] = text_or_na(out->subject);
    f[MEASURE_ABOUT] = text_or_na(out->about);
    f[MEASURE_OBLIGATION] = text_or_na(!task           ? S("")
                                       : task->title.n ? task->title
                                                       : t->p->obligations[task->obligation].title);
    if (out->period.kind != PERIOD_ONCE)
        f[MEASURE_PERIOD] = (struct value){.tag = VALUE_PERIOD, .period = out->period};
    if (out->due != INSTANT_NONE)
        f[MEASURE_DUE] = (struct value){.tag = VALUE_DATE, .date = task->day};
    if (out->limit != INSTANT_NONE)
        f[MEASURE_LIMIT] = (struct value){.tag = VALUE_DATE, .date = tz_date(t->p->tz, out->limit - 1, NULL)};
    f[MEASURE_TIME] = (struct value){.tag = VALUE_INSTANT, .instant = out->time};
    f[MEASURE_TITLE] = text_or_na(me->title);
    f[MEASURE_BASIS] = text_or_na(out->basis);
    f[MEASURE_NUMBER] = text_or_na(out->number);
    return row;
}

struct phrase {
    struct slice part[2 * 7]; /* those of default_body, with marks */
    size_t n;
};

static void phrase_add(struct phrase *w, struct slice mark, struct slice s)
{
    if (s.n == 0)
        return;
    w->part[w->n] = w->n ? mark : S("");
    w->part[w->n + 1] = s;
    w->n += 2;
}

/* For measures that declare no words of their own: title：unit，what，period，limit. */
static struct slice default_body(struct turn *t, const struct value *row)
{
    struct phrase w = {.n = 0};
    const struct value *f = row->record.field;
    static const enum measure_field named[] = {MEASURE_UNIT, MEASURE_SUBJECT, MEASURE_OBLIGATION, MEASURE_ABOUT};
    struct slice mark = S("：");
    phrase_add(&w, S(""), f[MEASURE_TITLE].text);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (f[named[i]].tag == VALUE_TEXT) {
            phrase_add(&w, mark, program_title(t->p, f[named[i]].text, t->today));
            mark = S("，");
        }
    if (f[MEASURE_PERIOD].tag != VALUE_NA)
        phrase_add(&w, S("，"), value_format(t->arena, &f[MEASURE_PERIOD], t->p->tz));
    const struct value *by = f[MEASURE_LIMIT].tag != VALUE_NA ? &f[MEASURE_LIMIT] : &f[MEASURE_DUE];
    if (by->tag != VALUE_NA)
        phrase_add(&w, S("，期限 "), value_format(t->arena, by, t->p->tz));
    return arena_join(t->arena, w.part, w.n);
}

static struct slice issued_body(struct turn *t, const struct acting *act, const struct measure *me,
                                const struct value *row)
{
    if (me->body.n == 0)
        return default_body(t, row);
    struct slice *part = ARENA_ARRAY(t->arena, struct slice, 2 * me->body.n);
    for (size_t i = 0; i < me->body.n && !t->failed; i++) {
        part[2 * i] = me->body.part[i].literal;
        if (me->body.part[i].value) {
            struct value v = turn_eval_row(t, me->body.part[i].value, act, row);
            if (v.tag != VALUE_NA)
                part[2 * i + 1] = value_format(t->arena, &v, t->p->tz);
        }
    }
    return arena_join(t->arena, part, 2 * me->body.n);
}

/* ---- recipients */

static void eval_ids(struct turn *t, const struct acting *act, const struct expr **x, size_t n,
                     const struct value *row, struct ids *out)
{
    for (size_t i = 0; i < n && !t->failed; i++) {
        struct value v = turn_eval_row(t, x[i], act, row);
        ids_add(t, out, &v);
    }
}

static void issued_recipients(struct turn *t, const struct acting *act, const struct action *a,
                              const struct measure *me, const struct value *row, struct issued *out)
{
    struct ids to = {0}, copy = {0};
    eval_ids(t, act, a->nto ? a->to : me->to, a->nto ? a->nto : me->nto, row, &to);
    eval_ids(t, act, a->ncopy ? a->copy : me->copy, a->ncopy ? a->ncopy : me->ncopy, row, &copy);
    if (to.n == 0) /* a unit without a liaison is told itself: no measure is issued into the void */
        ids_add(t, &to, &row->record.field[MEASURE_UNIT]);
    ids_settle(&to, NULL);
    ids_settle(&copy, &to);
    out->to = to.item;
    out->nto = to.n;
    out->copy = copy.item;
    out->ncopy = copy.n;
}

/* ---- the measure */

/* How many this instance issued of it in this turn; *same: one of them for this very unit. */
static int issued_before(const struct turn *t, const struct instance *i, int measure, struct slice unit,
                         bool *same)
{
    int n = 0;
    *same = false;
    for (size_t k = 0; k < t->out->nissued; k++) {
        const struct issued *o = &t->out->issued[k];
        if (o->instance != i || o->measure != measure)
            continue;
        n++;
        *same = *same || slice_eq(o->unit, unit);
    }
    return n;
}

/* Its own, the case's; of a ledger's row also the row's. */
static instant_t issued_limit(const struct turn *t, const struct instance *i, const struct measure *me)
{
    if (me->has_limit)
        return due_limit(t->p, t->now, me->limit);
    return me->limit_of_case || t->p->machines[i->machine].ledger.n ? i->limit : INSTANT_NONE;
}

/* What is taken in of the time before a workflow went live leaves nothing; a re-run knows what left before; on
 * hold, an operator decides. */
static enum may_issue issued_how(const struct turn *t, struct issued *out)
{
    if (t->now < t->p->quiet_before)
        return ISSUE_QUIET;
    if (t->w->may_issue)
        return t->w->may_issue(t->w->ctx, t->out, out);
    return t->p->hold ? ISSUE_PROPOSED : ISSUE_OUT;
}

static void issued_put(struct turn *t, const struct issued *out)
{
    struct issued *slot =
        arena_push(t->arena, &t->out->issued, &t->out->nissued, &t->issued_cap, sizeof *slot);
    *slot = *out;
}

static void issue_to_unit(struct turn *t, const struct acting *act, const struct action *a, struct slice unit)
{
    const struct measure *me = &t->p->measures[a->index];
    struct instance *i = &act->x->i;
    bool same;
    int n = issued_before(t, i, a->index, unit, &same);
    if (same)
        return;
    struct issued out = {.measure = a->index,
                         .instance = i,
                         .unit = unit,
                         .basis = issued_basis(t, act, a, me),
                         .time = t->now,
                         .due = INSTANT_NONE,
                         .limit = issued_limit(t, i, me),
                         .place = act->place,
                         .n = n};
    issued_subject(t, act, &out);
    out.how = issued_how(t, &out);
    bool counts = out.how == ISSUE_OUT || out.how == ISSUE_QUIET;
    if (!counts && me->has_limit)
        out.limit = INSTANT_NONE; /* it runs from when it is issued */
    if (me->document >= 0)
        issued_document(t, &t->p->documents[me->document], &out);
    const struct value *row = issued_row(t, me, &out, i->task);
    issued_recipients(t, act, a, me, row, &out);
    out.body = issued_body(t, act, me, row);
    if (me->document >= 0 && out.how != ISSUE_QUIET && out.how != ISSUE_NOT)
        document_render(t, act, &t->p->documents[me->document], row, &out);
    if (me->has_limit)
        i->limit = out.limit;
    issued_put(t, &out);
    if (counts)
        issue_record(t, act->x, a->index, unit);
}

void issue_proposed(struct turn *t, struct touched *x, const struct proposed *m)
{
    const struct measure *me = &t->p->measures[m->measure];
    const struct task *task = x ? x->i.task : NULL;
    struct acting act = {.x = x, .timer = -1, .place = m->place};
    struct issued out = {.measure = m->measure,
                         .instance = x ? &x->i : NULL,
                         .unit = m->unit,
                         .subject = m->subject,
                         .about = m->about,
                         .obligation = m->obligation,
                         .period = m->period,
                         .basis = m->basis,
                         .to = m->to,
                         .nto = m->nto,
                         .copy = m->copy,
                         .ncopy = m->ncopy,
                         .time = t->now,
                         .due = task && task->due != INSTANT_MAX ? task->due : INSTANT_NONE,
                         .limit = INSTANT_NONE,
                         .place = m->place};
    if (me->has_limit)
        out.limit = due_limit(t->p, t->now, me->limit);
    else if (x)
        out.limit = issued_limit(t, &x->i, me);
    if (me->document >= 0)
        issued_document(t, &t->p->documents[me->document], &out);
    const struct value *row = issued_row(t, me, &out, task);
    out.body = issued_body(t, &act, me, row);
    if (me->document >= 0)
        document_render(t, &act, &t->p->documents[me->document], row, &out);
    if (x && me->has_limit) {
        struct value limit = {.tag = VALUE_INSTANT, .instant = out.limit};
        limit_set(t, x, &limit);
    }
    issued_put(t, &out);
    issue_record(t, x, m->measure, m->unit);
}

void issue_measure(struct turn *t, const struct acting *act, const struct action *a)
{
    const struct instance *i = &act->x->i;
    const struct machine *m = &t->p->machines[i->machine];
    int unit_key = i->task ? TASK_UNIT : m->unit_key;
    struct ids units = {0};
    const struct expr *whom = a->value ? a->value : m->unit;
    for (size_t o = 0; !whom && i->task && o < i->task->nowners && !t->failed; o++)
        issue_to_unit(t, act, a, i->task->owners[o]);
    if (!whom && i->task && i->task->nowners)
        return;
    if (!whom) {
        issue_to_unit(t, act, a, unit_key >= 0 ? i->key[unit_key] : S(""));
        return;
    }
    struct value v = turn_eval(t, whom, act);
    ids_add(t, &units, &v);
    ids_settle(&units, NULL);
    if (!a->value && units.n == 0)
        issue_to_unit(t, act, a, S(""));
    for (size_t u = 0; u < units.n && !t->failed; u++)
        issue_to_unit(t, act, a, units.item[u]);
}
