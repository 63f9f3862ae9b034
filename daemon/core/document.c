/* What a document says: its main text from the template, and the titles of those it names, as of the moment of issue. Values
 * print as official documents write them: units by their titles, 2024年8月9日, 是; n/a prints as nothing. */
#include "core/turn.h"

#include <stdlib.h>

const struct field document_each[EACH_FIELDS] = {
    [EACH_POSITION] = {{"position", 8}, {.tag = TYPE_NUMBER}},
};

struct writing {
    struct turn *t;
    const struct acting *act;
    const struct document *d;
    struct buf out;
    bool plain; /* a line of text, not HTML */
};

/* ---- text into HTML */

/* A text without a template: a paragraph a line. */
static void put_paragraphs(struct buf *b, struct slice s)
{
    while (s.n) {
        const char *end = memchr(s.p, '\n', s.n);
        struct slice line = {s.p, end ? (size_t)(end - s.p) : s.n};
        if (line.n) {
            buf_add(b, S("<p>"));
            buf_add_html(b, line);
            buf_add(b, S("</p>"));
        }
        size_t used = line.n + (end != NULL);
        s = (struct slice){s.p + used, s.n - used};
    }
}

/* ---- values as people read them */

static void put_date(struct buf *b, date_t d)
{
    int year, month, day;
    date_to_civil(d, &year, &month, &day);
    buf_printf(b, "%d年%d月%d日", year, month, day);
}

static void put_instant(struct buf *b, const struct tz *tz, instant_t t)
{
    int64_t ms;
    put_date(b, tz_date(tz, t, &ms));
    buf_printf(b, "%d时%02d分", (int)(ms / 3600000), (int)(ms / 60000 % 60));
}

static void put_period(struct buf *b, struct period p)
{
    static const char *const quarter[] = {"一", "二", "三", "四"};
    int year, month, day;
    date_to_civil(period_first(p), &year, &month, &day);
    switch (p.kind) {
    case PERIOD_ONCE:
        return;
    case PERIOD_DAY:
        put_date(b, period_first(p));
        return;
    case PERIOD_WEEK:
        put_date(b, period_first(p));
        buf_add(b, S("至"));
        put_date(b, period_end(p) - 1);
        return;
    case PERIOD_MONTH:
        buf_printf(b, "%d年%d月", year, month);
        return;
    case PERIOD_QUARTER:
        buf_printf(b, "%d年第%s季度", year, quarter[(month - 1) / 3]);
        return;
    case PERIOD_HALF:
        buf_printf(b, "%d年%s半年", year, month == 1 ? "上" : "下");
        return;
    case PERIOD_YEAR:
        buf_printf(b, "%d年", year);
        return;
    }
}

static void put_duration(struct buf *b, struct duration d)
{
    static const char *const unit[] = {
        [DURATION_MINUTE] = "分钟",      [DURATION_HOUR] = "小时", [DURATION_DAY] = "日",
        [DURATION_WORKDAY] = "个工作日", [DURATION_WEEK] = "周",   [DURATION_MONTH] = "个月"};
    buf_printf(b, "%d%s", (int)d.n, unit[d.unit]);
}

static void put_text(struct writing *w, struct slice s)
{
    if (w->plain)
        buf_add(&w->out, s);
    else
        buf_add_html(&w->out, s);
}

/* Units and rows by their titles; obligations, the words of tasks' `obligation`, too. */
static struct slice text_read(const struct turn *t, const struct type *type, bool named, struct slice text)
{
    const struct program *p = t->p;
    int o = type->tag == TYPE_ENUM && type->nwords == p->nobligations ? program_obligation(p, text) : -1;
    if (o >= 0)
        return p->obligations[o].title;
    return named || type->tag == TYPE_UNIT || type->tag == TYPE_ROW ? program_title(p, text, t->today) : text;
}

static void put_value(struct writing *w, const struct type *type, bool named, const struct value *v)
{
    struct turn *t = w->t;
    struct buf *b = &w->out;
    switch (v->tag) {
    case VALUE_NA:
    case VALUE_RECORD: /* the compiler lets none through */
        return;
    case VALUE_YESNO:
        buf_add(b, v->yes ? S("是") : S("否"));
        return;
    case VALUE_TEXT:
        put_text(w, text_read(t, type, named, v->text));
        return;
    case VALUE_NUMBER:
        put_text(w, value_format(t->arena, v, t->p->tz));
        return;
    case VALUE_DATE:
        put_date(b, v->date);
        return;
    case VALUE_INSTANT:
        put_instant(b, t->p->tz, v->instant);
        return;
    case VALUE_DURATION:
        put_duration(b, v->duration);
        return;
    case VALUE_PERIOD:
        put_period(b, v->period);
        return;
    case VALUE_LIST:
        for (size_t i = 0; i < v->list.n; i++) {
            buf_add(b, i ? S("、") : S(""));
            put_value(w, type->of ? type->of : type, named, &v->list.item[i]);
        }
        return;
    }
}

/* ---- the template */

static void put_parts(struct writing *w, size_t from, size_t end, const struct row *row, int loops);

struct sorted {
    struct value by, *item;
    size_t at;
};

/* By the key, n/a last; equal ones stay in their order. */
static int sorted_cmp(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    bool x_na = x->by.tag == VALUE_NA, y_na = y->by.tag == VALUE_NA;
    int order = x_na || y_na ? x_na - y_na : value_cmp(&x->by, &y->by);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static struct sorted *sorted_items(struct writing *w, const struct document_part *each, const struct value *rows,
                                   const struct row *outer)
{
    struct sorted *s = ARENA_ARRAY(w->t->arena, struct sorted, rows->list.n);
    for (size_t i = 0; i < rows->list.n && !w->t->failed; i++) {
        struct value position = {.tag = VALUE_NUMBER, .number = rat_int((int64_t)i + 1)},
                     counted = {.tag = VALUE_RECORD, .record = {.field = &position, .n = EACH_FIELDS}};
        const struct row count = {&counted, outer}, item = {&rows->list.item[i], &count};
        s[i] = (struct sorted){.item = &rows->list.item[i], .at = i};
        s[i].by = turn_eval_rows(w->t, each->by, w->act, &item);
    }
    if (rows->list.n && each->by)
        qsort(s, rows->list.n, sizeof *s, sorted_cmp);
    return s;
}

static void put_each(struct writing *w, size_t at, const struct value *rows, const struct row *outer, int loops)
{
    const struct document_part *each = &w->d->part[at];
    if (rows->tag != VALUE_LIST)
        return;
    struct sorted *s = sorted_items(w, each, rows, outer);
    for (size_t i = 0; i < rows->list.n && !w->t->failed; i++) {
        struct value position = {.tag = VALUE_NUMBER, .number = rat_int((int64_t)i + 1)},
                     counted = {.tag = VALUE_RECORD, .record = {.field = &position, .n = EACH_FIELDS}};
        const struct row count = {&counted, outer}, item = {s[i].item, &count};
        put_parts(w, at + 1, each->end, &item, loops + 1);
    }
}

/* The measure's subject is a text that mostly is a row's key: each loop binds two rows before the measure's own. */
static bool is_subject(const struct expr *x, int loops)
{
    return x->op == EXPR_ROW_FIELD && x->index == MEASURE_SUBJECT && x->index2 == 2 * loops;
}

static void put_parts(struct writing *w, size_t from, size_t end, const struct row *row, int loops)
{
    for (size_t i = from; i < end && !w->t->failed; i++) {
        const struct document_part *part = &w->d->part[i];
        buf_add(&w->out, part->html);
        if (!part->value)
            continue;
        struct value v = turn_eval_rows(w->t, part->value, w->act, row);
        if (part->end) {
            put_each(w, i, &v, row, loops);
            i = part->end - 1;
        } else {
            put_value(w, &part->value->type, is_subject(part->value, loops), &v);
        }
        if (w->out.n > DOCUMENT_TEXT_MAX)
            turn_fail_at(w->t, part->value->place, "the document is longer than 256 KiB");
    }
}

/* ---- what goes with it: names of which nothing is left are left out */

static struct slice name_of(struct writing *w, const struct words *words, const struct row *row)
{
    buf_clear(&w->out);
    for (size_t i = 0; i < words->n && !w->t->failed; i++) {
        const struct template_part *part = &words->part[i];
        put_text(w, part->literal);
        if (!part->value)
            continue;
        struct value v = turn_eval_rows(w->t, part->value, w->act, row);
        put_value(w, &part->value->type, is_subject(part->value, 0), &v);
        if (w->out.n > ATTACHMENT_NAME_MAX)
            turn_fail_at(w->t, part->value->place, "the name of an attachment is longer than 1000 bytes");
    }
    return arena_dup(w->t->arena, buf_slice(&w->out));
}

static void put_attachments(struct writing *w, const struct row *row, struct document_text *out)
{
    out->attachment = ARENA_ARRAY(w->t->arena, struct slice, w->d->nattachments);
    w->plain = true;
    for (size_t i = 0; i < w->d->nattachments && !w->t->failed; i++) {
        struct slice name = name_of(w, &w->d->attachment[i], row);
        if (name.n)
            out->attachment[out->nattachments++] = name;
    }
}

/* ---- */

static struct slice *titles_of(struct turn *t, const struct slice *id, size_t n)
{
    struct slice *title = ARENA_ARRAY(t->arena, struct slice, n);
    for (size_t i = 0; i < n; i++)
        title[i] = program_title(t->p, id[i], t->today);
    return title;
}

static struct slice issuer_of(struct turn *t, const struct document *d)
{
    int *unit;
    if (d->issuer < 0 || program_holders(t->p, &d->issuer, 1, t->today, t->arena, &unit) == 0)
        return S("");
    return t->p->units[unit[0]].title;
}

void document_render(struct turn *t, const struct acting *act, const struct document *d, const struct value *row,
                     struct issued *out)
{
    struct writing w = {.t = t, .act = act, .d = d};
    const struct row measure = {.item = row};
    if (d->nparts)
        put_parts(&w, 0, d->nparts, &measure, 0);
    else
        put_paragraphs(&w.out, out->body);
    out->text = (struct document_text){.main = arena_dup(t->arena, buf_slice(&w.out)),
                                       .issuer = issuer_of(t, d),
                                       .to = titles_of(t, out->to, out->nto),
                                       .copy = titles_of(t, out->copy, out->ncopy),
                                       .nto = out->nto,
                                       .ncopy = out->ncopy,
                                       .date = t->today};
    put_attachments(&w, &measure, &out->text);
    buf_free(&w.out);
}
