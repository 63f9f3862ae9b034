/* The page of a document, and the way to it. */
#include "engine/document.h"

#include "engine/keys.h"

static const unsigned char css[] = {
#include "engine/document.css.inc"
};

/* ---- the policy: this style, and nothing else */

static struct slice style(void)
{
    return (struct slice){(const char *)css, sizeof css};
}

struct slice document_policy(struct arena *a)
{
    unsigned char hash[32];
    struct buf b = {0};

    wire_sha256(hash, style());
    wire_json_base64(&b, (struct slice){(const char *)hash, sizeof hash});
    struct slice quoted = buf_slice(&b);
    struct slice policy = arena_printf(a, "default-src 'none'; style-src 'sha256-%.*s'; base-uri 'none'; form-action 'none'",
                                       (int)quoted.n - 2, quoted.p + 1);
    buf_free(&b);
    return policy;
}

/* ---- its parts */

/* <p class="CLASS">BEFORE text AFTER</p>, unless there is no text. */
static void put_line(struct buf *b, const char *class, const char *before, struct slice text, const char *after)
{
    if (text.n == 0)
        return;
    buf_printf(b, "<p class=\"%s\">%s", class, before);
    buf_add_html(b, text);
    buf_printf(b, "%s</p>\n", after);
}

static struct slice joined(struct arena *a, const struct slice *s, size_t n, const char *mark)
{
    struct slice all = S("");

    for (size_t i = 0; i < n; i++)
        all = arena_printf(a, "%.*s%s%.*s", SLICE_ARG(all), i ? mark : "", SLICE_ARG(s[i]));
    return all;
}

static struct slice day_of(struct arena *a, date_t d)
{
    int year, month, day;

    if (d == DATE_NONE)
        return S("");
    date_to_civil(d, &year, &month, &day);
    return arena_printf(a, "%d年%d月%d日", year, month, day);
}

/* The longer the issuer's name, the smaller it is printed. */
static const char *mark_class(struct slice issuer)
{
    size_t characters = 0;

    for (size_t i = 0; i < issuer.n; i++)
        characters += ((unsigned char)issuer.p[i] & 0xc0) != 0x80;
    return characters <= 9 ? "mark" : characters <= 12 ? "mark long" : "mark longer";
}

static void put_head(struct buf *b, const struct document_view *d, struct arena *a)
{
    struct slice policy = document_policy(a);

    buf_printf(b,
               "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"%.*s\">\n<title>%s",
               SLICE_ARG(policy), d->withdrawn.notice.n ? "已撤销：" : "");
    buf_add_html(b, d->title);
    buf_add_html(b, d->number.n ? arena_printf(a, " %.*s", SLICE_ARG(d->number)) : S(""));
    buf_add(b, S("</title>\n<style>"));
    buf_add(b, style());
    buf_add(b, S("</style>\n</head>\n"));
}

/* Above the head, where nothing else stands: that it holds no more, since when and why. */
static void put_withdrawn(struct buf *b, const struct withdrawn_view *w, struct arena *a)
{
    if (w->notice.n == 0)
        return;
    buf_add(b, S("<aside class=\"withdrawn\">\n<p class=\"stamp\">已撤销</p>\n"));
    put_line(b, "since", "撤销日期：", day_of(a, w->date), "");
    put_line(b, "reason", "撤销原因：", w->reason, "");
    put_line(b, "notice", "撤销通知编号：", w->notice, "");
    buf_add(b, S("</aside>\n"));
}

/* One is named as it is, several are numbered by the style. */
static void put_attachments(struct buf *b, const struct document_view *d)
{
    if (d->nattachments == 0)
        return;
    buf_printf(b, "<div class=\"attached\">\n<p>附件：</p>\n<%s>\n", d->nattachments > 1 ? "ol" : "ul");
    for (size_t i = 0; i < d->nattachments; i++) {
        buf_add(b, S("<li>"));
        buf_add_html(b, d->attachment[i]);
        buf_add(b, S("</li>\n"));
    }
    buf_printf(b, "</%s>\n</div>\n", d->nattachments > 1 ? "ol" : "ul");
}

static void put_imprint(struct buf *b, const struct document_view *d, struct slice day, struct arena *a)
{
    put_line(b, "copies", "抄送：", joined(a, d->copy, d->ncopy, "，"), "。");
    if (d->issuer.n) {
        buf_add(b, S("<p class=\"printed\"><span>"));
        buf_add_html(b, d->issuer);
        buf_printf(b, "</span><span>%.*s印发</span></p>\n", SLICE_ARG(day));
    }
}

/* The colophon stands at the foot of the last page, out of the flow; what is hidden keeps the room that it takes. */
static void put_colophon(struct buf *b, const struct document_view *d, struct slice day, struct arena *a)
{
    if (d->ncopy == 0 && d->issuer.n == 0)
        return;
    buf_add(b, S("<div class=\"imprint room\">\n"));
    put_imprint(b, d, day, a);
    buf_add(b, S("</div>\n<footer class=\"imprint colophon\">\n"));
    put_imprint(b, d, day, a);
    buf_add(b, S("</footer>\n"));
}

struct slice document_page(const struct document_view *d, struct arena *a)
{
    struct buf b = {0};
    struct slice day = day_of(a, d->date);

    put_head(&b, d, a);
    buf_printf(&b, "<body>\n<article class=\"page%s\">\n", d->withdrawn.notice.n ? " void" : "");
    put_withdrawn(&b, &d->withdrawn, a);
    buf_add(&b, S("<header>\n"));
    put_line(&b, mark_class(d->issuer), "", d->issuer, "");
    put_line(&b, "number", "", d->number, "");
    buf_add(&b, S("</header>\n<h1>"));
    buf_add_html(&b, d->title);
    buf_add(&b, S("</h1>\n"));
    put_line(&b, "to", "", joined(a, d->to, d->nto, "、"), "：");
    buf_add(&b, S("<div class=\"main\">"));
    buf_add(&b, d->main);
    buf_add(&b, S("</div>\n"));
    put_attachments(&b, d);
    buf_add(&b, S("<div class=\"sign\">\n"));
    put_line(&b, "issuer", "", d->issuer, "");
    put_line(&b, "date", "", day, "");
    buf_add(&b, S("</div>\n"));
    put_colophon(&b, d, day, a);
    buf_add(&b, S("</article>\n</body>\n</html>\n"));
    struct slice page = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return page;
}

/* ---- the way to it */

/* The output that the table leads to. */
static bool find(struct store_txn *t, enum table_id table, struct slice workflow, struct slice id, struct arena *a,
                 const struct record **out, struct err *e)
{
    struct slice at = S(""), history;
    struct record *outputs;
    struct key k;
    size_t n;

    *out = NULL;
    key_document(&k, workflow, id);
    enum store_status st = k.overflow ? STORE_NOT_FOUND : store_get(t, table, key_slice(&k), &at);
    if (st == STORE_FAILED)
        return err_set(e, "%s", store_txn_error(t));
    if (st != STORE_OK || at.n != 16)
        return true;
    uint64_t sequence = get_be64((const unsigned char *)at.p),
             index = get_be64((const unsigned char *)at.p + 8);
    key_history(&k, workflow, sequence);
    st = store_get(t, TABLE_HISTORY, key_slice(&k), &history);
    if (st == STORE_FAILED)
        return err_set(e, "%s", store_txn_error(t));
    if (st != STORE_OK)
        return true; /* history is still being taken in */
    if (!wire_history_outputs(arena_dup(a, history), a, &outputs, &n) || index >= n)
        return err_set(e, "history record %llu of workflow %.*s cannot be read", (unsigned long long)sequence,
                       SLICE_ARG(workflow));
    *out = &outputs[index];
    return true;
}

bool document_find(struct store_txn *t, struct slice workflow, struct slice id, struct arena *a,
                   struct document_view *out, bool *found, struct err *e)
{
    const struct record *document, *withdrawal;

    *found = false;
    if (!find(t, TABLE_DOCUMENT, workflow, id, a, &document, e) ||
        !find(t, TABLE_WITHDRAWN, workflow, id, a, &withdrawal, e))
        return false;
    *found = document != NULL && wire_document(document, a, out);
    if (*found && withdrawal != NULL)
        wire_withdrawn(withdrawal, a, &out->withdrawn);
    return true;
}
