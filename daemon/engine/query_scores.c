/* Scores: what the tallies say, closed or as they would close now, down to each entry and the record that
 * made it. */
#include "core/tally.h"
#include "engine/definition.h"
#include "engine/query_page.h"
#include "engine/row.h"
#include "engine/view.h"

struct scores {
    struct page *page;
    struct view view;
    struct instances instances;
    instant_t now;
    int tally;
    uint64_t at, after; /* scores met; those up to here were on earlier pages */
};

/* ---- rows. Points are texts: exact, with the places that the tally rounds to. */

static void write_points(struct buf *b, const char *name, const struct tally *t, const struct value *v,
                         struct arena *a)
{
    if (v->tag != VALUE_NUMBER)
        row_raw(b, name, S("null"));
    else if (t->rounds)
        row_text(b, name, rat_format_places(a, v->number, t->round));
    else
        row_text(b, name, rat_format(a, v->number));
}

static void write_text(struct buf *b, const char *name, const struct value *v)
{
    row_text(b, name, v->tag == VALUE_TEXT ? v->text : S(""));
}

/* An entry is as exact as it was credited. */
static void write_entry(struct buf *b, const char *name, const struct value *entry, struct arena *a)
{
    const struct value *f = entry->record.field;

    row_open(b, name, '{');
    row_text(b, "points", rat_format(a, f[ENTRY_POINTS].number));
    write_text(b, "reason", &f[ENTRY_REASON]);
    write_text(b, "source", &f[ENTRY_SOURCE]);
    write_text(b, "id", &f[ENTRY_ID]);
    row_instant(b, "at", f[ENTRY_AT].instant);
    row_close(b, '}');
}

static void write_item(struct buf *b, const struct tally *t, const struct tally_score *s,
                       const struct tally_row *row, struct arena *a)
{
    row_open(b, NULL, '{');
    row_text(b, "item", row->name);
    row_text(b, "title", row->title);
    row_text(b, "basis", row->basis);
    write_points(b, "self", t, &row->self, a);
    write_points(b, "points", t, &row->points, a);
    write_points(b, "computed", t, &row->computed, a);
    row_text(b, "bound", row->bound);
    if (row->review != NULL)
        write_entry(b, "review", row->review, a);
    row_open(b, "entries", '[');
    for (size_t i = 0; i < s->entries->list.n; i++)
        if (slice_eq(s->entries->list.item[i].record.field[ENTRY_ITEM].text, row->name))
            write_entry(b, NULL, &s->entries->list.item[i], a);
    row_close(b, ']');
    row_close(b, '}');
}

static void write_score(struct scores *q, const struct instance *i, const struct tally_score *s)
{
    const struct program *p = q->view.program;
    const struct tally *t = &p->tallies[q->tally];
    const struct unit *u = program_unit(p, i->key[0], tz_date(p->tz, q->now, NULL));
    struct buf *b = &q->page->row;

    row_open(b, NULL, '{');
    row_text(b, "workflow", p->id);
    row_text(b, "tally", t->name);
    row_text(b, "title", t->title);
    row_text(b, "basis", t->basis);
    row_text(b, "unit", i->key[0]);
    row_text(b, "unit_title", u != NULL ? u->title : S(""));
    row_text(b, "period", i->key[1]);
    row_yesno(b, "closed", s->closed);
    row_instant(b, "closed_at", s->closed ? i->since : INSTANT_NONE);
    if (s->failed != NULL)
        row_text(b, "failed",
                 arena_printf(q->view.arena, "%.*s:%d: %s", SLICE_ARG(p->places[s->failed_at].file),
                              p->places[s->failed_at].line, s->failed));
    write_points(b, "self_total", t, &s->self_total, q->view.arena);
    write_points(b, "total", t, &s->total, q->view.arena);
    row_open(b, "items", '[');
    for (size_t k = 0; k < s->n; k++)
        write_item(b, t, s, &s->rows[k], q->view.arena);
    row_close(b, ']');
    row_close(b, '}');
    page_add(q->page);
}

/* False: the page is full. A cursor counts the scores before it. */
static bool add_score(struct scores *q, const struct instance *i)
{
    struct tally_score score;
    struct eval base = {.program = q->view.program,
                        .instances = &q->instances,
                        .now = i->state == TALLY_CLOSED ? i->since : q->now,
                        .arena = q->view.arena};

    if (q->at++ < q->after)
        return true;
    if (page_full(q->page)) {
        q->page->out->next = arena_printf(q->view.arena, "%llu", (unsigned long long)q->at - 1);
        return false;
    }
    tally_compute(&base, q->tally, i, &score);
    if (!q->view.failed)
        write_score(q, i, &score);
    return !q->view.failed;
}

/* ---- which */

static bool visit(void *arg, const struct instance *i)
{
    struct scores *q = arg;

    return (q->page->q->unit.n > 0 && !slice_eq(q->page->q->unit, i->key[0])) || add_score(q, i);
}

/* Of one period: everybody who is scored, credited anything or not. */
static void scores_of_period(struct scores *q, struct period period)
{
    const struct program *p = q->view.program;
    const struct tally *t = &p->tallies[q->tally];
    date_t last = period_end(period) - 1, today = tz_date(p->tz, q->now, NULL);
    int *holder;
    size_t n = program_holders(p, t->of, t->nof, last < today ? last : today, q->view.arena, &holder);
    bool room = true;

    for (size_t i = 0; i < n && room && !q->view.failed; i++) {
        struct slice unit = p->units[holder[i]].id;
        const struct slice key[KEY_PARTS_MAX] = {unit, period_format(q->view.arena, period)};

        if (q->page->q->unit.n > 0 && !slice_eq(q->page->q->unit, unit))
            continue;
        const struct instance *found = q->instances.find(q->instances.ctx, t->machine, key);
        if (!q->view.failed)
            room =
                add_score(q, found != NULL ? found : tally_blank(p, q->tally, unit, period, q->view.arena));
    }
}

static bool scores_of_program(struct page *page, const struct program *p)
{
    const struct query *asked = page->q;
    struct period period;
    struct scores q = {.page = page, .view = {page->txn, p, page->arena, page->err, false}};
    bool one = asked->period.n > 0;

    if (asked->after.n > 0 && !parse_u64(asked->after, &q.after))
        return err_set(page->err, "after: not a cursor that a query gave");
    if (one && (!period_parse(asked->period, &period) || period.kind == PERIOD_ONCE))
        return err_set(page->err, "period: “%.*s” is none", SLICE_ARG(asked->period));
    q.instances = view_instances(&q.view);
    q.now = view_clock(&q.view);
    for (q.tally = 0; q.tally < (int)p->ntallies && !q.view.failed && page->out->next.n == 0; q.tally++) {
        const struct tally *t = &p->tallies[q.tally];

        if (asked->machine.n > 0 && !slice_eq(asked->machine, t->name))
            continue;
        if (!one)
            q.instances.scan(q.instances.ctx, t->machine, NULL, 0, visit, &q);
        else if (tally_scores_period(t, period))
            scores_of_period(&q, period);
    }
    return !q.view.failed;
}

bool query_scores(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out,
                  struct err *e)
{
    struct page page = page_begin(t, q, a, out, e);
    struct slice stored;

    if (store_get(t, TABLE_DEFINITION, q->workflow, &stored) != STORE_OK)
        return page_end(&page, true);
    struct definition *d = definition_load(t, q->workflow, stored, e);
    bool ok = d != NULL && scores_of_program(&page, definition_program(d));
    definition_release(d);
    return page_end(&page, ok);
}
