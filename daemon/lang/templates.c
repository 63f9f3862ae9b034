/* Templates of documents: a small HTML of the main text, with {expression} and {each ROWS} … {end}. */
#include "lang/check.h"
#include "lang/encoding.h"

#define TEMPLATE_BYTES_MAX ((size_t)64 << 10)
#define OPEN_MAX 16 /* tags within each other */
#define LOOPS_MAX 4

enum inside { IN_TOP = 1, IN_TABLE = 2, IN_TR = 4, IN_TEXT = 8, IN_LIST = 16, IN_LI = 32, IN_CELL = 64 };

/* What a template may hold. */
static const struct tag {
    const char *name;
    unsigned in;     /* where it may stand */
    enum inside is;  /* what that is for those in it */
    bool text, empty; /* text may stand in it; it has no end */
} tags[] = {
    {"p", IN_TOP, IN_TEXT, true, false},
    {"table", IN_TOP, IN_TABLE, false, false},
    {"tr", IN_TABLE, IN_TR, false, false},
    {"th", IN_TR, IN_CELL, true, false},
    {"td", IN_TR, IN_CELL, true, false},
    {"ul", IN_TOP | IN_LI, IN_LIST, false, false},
    {"ol", IN_TOP | IN_LI, IN_LIST, false, false},
    {"li", IN_LIST, IN_LI, true, false},
    {"strong", IN_TEXT | IN_LI | IN_CELL, IN_TEXT, true, false},
    {"br", IN_TEXT | IN_LI | IN_CELL, IN_TEXT, false, true},
};
#define TAGS (sizeof tags / sizeof *tags)
#define TAGS_SHOWN "p, table, tr, th, td, ul, ol, li, strong, br, without attributes"

struct loop {
    size_t part, nopen;
    struct slice at;
    struct type count;
    struct binder item, position;
    bool failed;
};

struct reader {
    struct compiler *c;
    const struct bundle_file *file;
    const char *p, *end;
    const char *counted; /* up to here, `line` is known */
    int line;
    struct buf html; /* not yet in a part */
    struct document *d;
    size_t parts_cap;
    struct open {
        const struct tag *tag;
        struct slice at;
    } open[OPEN_MAX];
    size_t nopen;
    struct loop loop[LOOPS_MAX];
    size_t nloops;
    bool strange; /* in a tag that it may not hold; */
    bool told;    /* or in a text out of place: that was said */
    struct type measure; /* the outermost row */
    struct binder outside;
};

/* ---- places */

/* Asked for in ascending order, but for what was opened and never closed. */
static struct yaml place_at(struct reader *r, struct slice part)
{
    if (part.p < r->counted) {
        r->counted = r->file->content.p;
        r->line = 1;
    }
    for (; r->counted < part.p; r->counted++)
        r->line += *r->counted == '\n';
    return place_in(r->file, r->line, part);
}

#define REFUSE(r, name, part, expected, ...)                                                                  \
    do {                                                                                                      \
        struct yaml at_ = place_at(r, part);                                                                  \
        ERROR_AT((r)->c, name, &at_, expected, __VA_ARGS__);                                                  \
    } while (0)

/* ---- parts */

static struct document_part *part_add(struct reader *r)
{
    struct document_part *part =
        arena_push(r->c->arena, &r->d->part, &r->d->nparts, &r->parts_cap, sizeof *part);
    part->html = arena_dup(r->c->arena, buf_slice(&r->html));
    buf_clear(&r->html);
    return part;
}

static enum inside inside(const struct reader *r)
{
    return r->nopen ? r->open[r->nopen - 1].tag->is : IN_TOP;
}

static bool takes_text(const struct reader *r)
{
    return r->nopen && r->open[r->nopen - 1].tag->text;
}

/* ---- tags */

static const struct tag *tag_named(struct slice name)
{
    for (size_t i = 0; i < TAGS; i++)
        if (slice_eq(name, slice_of(tags[i].name)))
            return &tags[i];
    return NULL;
}

static void put_tag(struct reader *r, const struct tag *tag, bool close)
{
    buf_printf(&r->html, "<%s%s>", close ? "/" : "", tag->name);
}

static void open_tag(struct reader *r, const struct tag *tag, struct slice at)
{
    if (!(tag->in & inside(r))) {
        REFUSE(r, TEMPLATE_NESTING, at, "text and lists stand in <p>, <td>, <li>; <td> in <tr>; <tr> in <table>",
               "<%s> cannot stand %s%s%s", tag->name, r->nopen ? "in <" : "by itself",
               r->nopen ? r->open[r->nopen - 1].tag->name : "", r->nopen ? ">" : "");
    }
    put_tag(r, tag, false);
    if (tag->empty)
        return;
    if (r->nopen == OPEN_MAX) {
        REFUSE(r, TEMPLATE_NESTING, at, NULL, "more than %d tags within each other", OPEN_MAX);
        r->p = r->end;
        return;
    }
    r->open[r->nopen++] = (struct open){tag, at};
}

static void close_tag(struct reader *r, const struct tag *tag, struct slice at)
{
    size_t floor = r->nloops ? r->loop[r->nloops - 1].nopen : 0, n = r->nopen;
    while (n > floor && r->open[n - 1].tag != tag)
        n--;
    if (n == floor) {
        REFUSE(r, TEMPLATE_NESTING, at, NULL, "</%s> closes nothing that was opened %s", tag->name,
               r->nloops ? "since {each}" : "before");
        return;
    }
    if (n < r->nopen)
        REFUSE(r, TEMPLATE_NESTING, at,
               arena_printf(r->c->arena, "</%s>", r->open[r->nopen - 1].tag->name).p,
               "<%s> is still open here", r->open[r->nopen - 1].tag->name);
    for (; r->nopen >= n; r->nopen--)
        put_tag(r, r->open[r->nopen - 1].tag, true);
}

static void read_tag(struct reader *r)
{
    const char *end = memchr(r->p, '>', (size_t)(r->end - r->p));
    struct slice all = {r->p, end ? (size_t)(end - r->p) + 1 : 1}, rest = {r->p + 1, end ? all.n - 2 : 0};
    bool close = slice_drop(&rest, S("/")), silent = close && r->strange;
    if (!end) {
        REFUSE(r, TEMPLATE_TAG, all, "&lt; for the sign itself", "a tag that is not closed with >");
        r->p++;
        return;
    }
    r->p = end + 1;
    struct slice name = slice_cut(&rest, ' ');
    const struct tag *tag = tag_named(name);
    if ((!tag && !silent) || (tag && (rest.n || (close && tag->empty))))
        REFUSE(r, TEMPLATE_TAG, all, TAGS_SHOWN, "a template cannot hold %.*s", SLICE_ARG(all));
    r->strange = !tag && !close;
    r->told = false;
    if (tag && close && !tag->empty)
        close_tag(r, tag, all);
    else if (tag && !close)
        open_tag(r, tag, all);
}

/* ---- text */

static void read_entity(struct reader *r)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&nbsp;"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct slice e = slice_of(known[i]);
        if ((size_t)(r->end - r->p) >= e.n && memcmp(r->p, e.p, e.n) == 0) {
            buf_add(&r->html, e);
            r->p += e.n;
            return;
        }
    }
    REFUSE(r, TEMPLATE_TAG, ((struct slice){r->p, 1}), "&amp; &lt; &gt; &nbsp;",
           "& begins none of the signs that a template may name");
    r->p++;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A line break and the blanks around it are nothing: Chinese is written without. */
static void put_run(struct buf *b, struct slice run)
{
    for (size_t i = 0; i < run.n;) {
        size_t from = i;
        bool broken = false;
        while (i < run.n && is_blank(run.p[i]))
            broken |= run.p[i++] == '\n';
        if (i > from && !broken)
            buf_byte(b, ' ');
        if (i < run.n && run.p[i] == '>')
            buf_add(b, S("&gt;"));
        else if (i < run.n)
            buf_byte(b, (unsigned char)run.p[i]);
        i++;
    }
}

static void refuse_text(struct reader *r, struct slice text)
{
    if (!r->strange && !r->told)
        REFUSE(r, TEMPLATE_NESTING, text, "<p>…</p>", "text cannot stand %s",
               r->nopen ? arena_printf(r->c->arena, "in <%s>", r->open[r->nopen - 1].tag->name).p : "by itself");
    r->told = true;
}

static void read_run(struct reader *r)
{
    const char *from = r->p, *first = NULL;
    for (; r->p < r->end && !memchr("<{}&", *r->p, 4); r->p++) {
        if (!first && !is_blank(*r->p))
            first = r->p;
        if ((unsigned char)*r->p < 0x20 && !is_blank(*r->p)) {
            REFUSE(r, TEMPLATE_TAG, ((struct slice){r->p, 1}), NULL, "a control character, code %d", *r->p);
            r->p++;
            return;
        }
    }
    struct slice run = {from, (size_t)(r->p - from)};
    if (takes_text(r))
        put_run(&r->html, run);
    else if (first)
        refuse_text(r, slice_trim((struct slice){first, (size_t)(r->p - first)}));
}

/* ---- braces */

static bool loops_failed(const struct reader *r)
{
    for (size_t i = 0; i < r->nloops; i++)
        if (r->loop[i].failed)
            return true;
    return false;
}

static const struct expr *compile(struct reader *r, struct slice text)
{
    struct scope s = {.c = r->c, .kind = -1, .in_task = true};
    struct yaml node = place_at(r, text), *kept = ARENA_NEW(r->c->arena, struct yaml);
    s.bound = r->nloops ? &r->loop[r->nloops - 1].item : &r->outside;
    *kept = node;
    return expr_compile(&s, kept, NULL);
}

static void read_value(struct reader *r, struct slice text)
{
    if (!takes_text(r))
        refuse_text(r, text);
    if (loops_failed(r)) /* what its rows have is not known */
        return;
    const struct expr *x = compile(r, text);
    const struct type *t = x && type_is_many(&x->type) ? x->type.of : x ? &x->type : NULL;
    if (t && t->tag == TYPE_RECORD) {
        REFUSE(r, TEMPLATE_VALUE, text, "one of its fields, or {each …}", "a row as a whole cannot be printed");
        return;
    }
    part_add(r)->value = x;
}

/* ROWS by KEY: where “by” stands, outside texts; n: nowhere. */
static size_t find_by(struct slice s)
{
    static const char by[] = " by ";
    bool quoted = false;
    size_t at = s.n;
    for (size_t i = 0; i + sizeof by - 1 <= s.n; i++) {
        if (memcmp(s.p + i, "「", 3) == 0 || memcmp(s.p + i, "」", 3) == 0)
            quoted = s.p[i + 2] == "「"[2];
        if (!quoted && memcmp(s.p + i, by, sizeof by - 1) == 0)
            at = i;
    }
    return at;
}

static void each_rows(struct reader *r, struct loop *l, struct slice rows, struct slice by)
{
    const struct expr *x = loops_failed(r) ? NULL : compile(r, rows);
    l->failed = !x || !type_is_many(&x->type);
    if (x && l->failed)
        REFUSE(r, TEMPLATE_EACH, rows, "a set, a list, a table or the rows of a collection",
               "this is one value, and nothing to repeat over");
    part_add(r)->value = x;
    l->count = (struct type){.tag = TYPE_RECORD, .fields = document_each, .nfields = EACH_FIELDS};
    l->position = (struct binder){&l->count, r->nloops ? &r->loop[r->nloops - 1].item : &r->outside};
    l->item = (struct binder){x && !l->failed ? x->type.of : &l->count, &l->position};
    r->nloops++;
    if (by.n == 0 || l->failed)
        return;
    const struct expr *key = compile(r, by);
    if (key && (type_is_many(&key->type) || key->type.tag == TYPE_RECORD))
        REFUSE(r, TEMPLATE_EACH, by, "a number, a date, a text", "rows cannot be put in order by this");
    r->d->part[l->part].by = key;
}

static void read_each(struct reader *r, struct slice all, struct slice text)
{
    size_t by = find_by(text);
    struct slice rows = slice_trim((struct slice){text.p, by}), key = {0};
    if (by < text.n)
        key = slice_trim((struct slice){text.p + by + 4, text.n - by - 4});
    if (r->nloops == LOOPS_MAX) {
        REFUSE(r, TEMPLATE_EACH, all, NULL, "more than %d {each} within each other", LOOPS_MAX);
        r->p = r->end;
        return;
    }
    struct loop *l = &r->loop[r->nloops];
    *l = (struct loop){.part = r->d->nparts, .nopen = r->nopen, .at = all};
    each_rows(r, l, rows, key);
}

static void read_end(struct reader *r, struct slice all)
{
    struct loop *l = r->nloops ? &r->loop[r->nloops - 1] : NULL;
    if (!l) {
        REFUSE(r, TEMPLATE_EACH, all, "{each ROWS} … {end}", "an {end} without its {each}");
        return;
    }
    if (r->nopen != l->nopen)
        REFUSE(r, TEMPLATE_NESTING, all, arena_printf(r->c->arena, "</%s>", r->open[r->nopen - 1].tag->name).p,
               "<%s> was opened since {each}, and is still open", r->open[r->nopen - 1].tag->name);
    r->nopen = l->nopen;
    r->nloops--;
    part_add(r);
    r->d->part[l->part].end = r->d->nparts;
}

static void read_braces(struct reader *r)
{
    const char *end = memchr(r->p, '}', (size_t)(r->end - r->p));
    struct slice all = {r->p, end ? (size_t)(end - r->p) + 1 : 1};
    struct slice text = end ? slice_trim((struct slice){r->p + 1, all.n - 2}) : S("");
    r->p += all.n;
    if (!end)
        REFUSE(r, BODY, all, "every { with its }", "a { without its }");
    else if (text.n == 0)
        REFUSE(r, BODY, all, "{unit.title}, {subject}, {limit} …", "nothing stands between { and }");
    else if (slice_eq(text, S("end")))
        read_end(r, all);
    else if (slice_drop(&text, S("each ")))
        read_each(r, all, text);
    else
        read_value(r, text);
}

/* ---- the whole */

static void read_all(struct reader *r)
{
    while (r->p < r->end)
        switch (*r->p) {
        case '<':
            read_tag(r);
            break;
        case '{':
            read_braces(r);
            break;
        case '&':
            read_entity(r);
            break;
        case '}':
            REFUSE(r, BODY, ((struct slice){r->p, 1}), "every { with its }", "a } without its {");
            r->p++;
            break;
        default:
            read_run(r);
        }
    if (r->nloops)
        REFUSE(r, TEMPLATE_EACH, r->loop[r->nloops - 1].at, "{end}", "an {each} without its {end}");
    else if (r->nopen)
        REFUSE(r, TEMPLATE_NESTING, r->open[r->nopen - 1].at,
               arena_printf(r->c->arena, "</%s>", r->open[r->nopen - 1].tag->name).p, "<%s> is never closed",
               r->open[r->nopen - 1].tag->name);
    if (r->html.n)
        part_add(r);
}

static void template_compile(struct compiler *c, const struct bundle_file *file, struct document *d)
{
    struct reader r = {.c = c, .file = file, .line = 1, .d = d, .counted = file->content.p};
    struct slice s = file->content;
    struct yaml whole = {.file = file, .line = 1, .column = 1, .width = 1};
    if (!encoding_check(file, c->diags))
        return;
    if (s.n > TEMPLATE_BYTES_MAX) {
        ERROR_AT(c, TOO_LARGE, &whole, "at most 64 KiB", "the template has %zu bytes", s.n);
        return;
    }
    if (s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0)
        s = (struct slice){s.p + 3, s.n - 3};
    r.measure = (struct type){.tag = TYPE_RECORD, .fields = measure_row, .nfields = MEASURE_FIELDS};
    r.outside = (struct binder){.item = &r.measure};
    r.p = s.p;
    r.end = s.p + s.n;
    read_all(&r);
    buf_free(&r.html);
    if (d->nparts == 0)
        ERROR_AT(c, TEMPLATE_TAG, &whole, "<p>…</p>", "the template says nothing");
}

void documents_compile(struct compiler *c)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->documents.n; i++) {
        const struct yaml *node = yaml_get(b->documents.item[i].node, "template");
        const struct bundle_file *file =
            is_scalar(node) ? file_by(c, node, arena_printf(c->arena, "templates/%.*s", SLICE_ARG(node->text)))
                            : NULL;
        attachments_compile(c, b->documents.item[i].node, &c->program->documents[i]);
        if (file)
            template_compile(c, file, &c->program->documents[i]);
        else if (is_scalar(node))
            ERROR_AT(c, TEMPLATE, node, "a file of the folder templates/, beside this file",
                     "there is no template %.*s", SLICE_ARG(node->text));
    }
}
