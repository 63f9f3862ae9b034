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
               "<meta http-equiv=\"Content-Security-Policy\" content=\"%.*s\">\n<title>",
               SLICE_ARG(policy));
    buf_add_html(b, d->title);
    buf_add_html(b, d->number.n ? arena_printf(a, " %.*s", SLICE_ARG(d->number)) : S(""));
    buf_add(b, S("</title>\n<style>"));
    buf_add(b, style());
    buf_add(b, S("</style>\n</head>\n"));
}

static void put_colophon(struct buf *b, const struct document_view *d, struct slice day, struct arena *a)
{
    if (d->ncopy == 0 && d->issuer.n == 0)
        return;
    buf_add(b, S("<footer class=\"colophon\">\n"));
    put_line(b, "copies", "抄送：", joined(a, d->copy, d->ncopy, "，"), "。");
    if (d->issuer.n) {
        buf_add(b, S("<p class=\"printed\"><span>"));
        buf_add_html(b, d->issuer);
        buf_printf(b, "</span><span>%.*s印发</span></p>\n", SLICE_ARG(day));
    }
    buf_add(b, S("</footer>\n"));
}

struct slice document_page(const struct document_view *d, struct arena *a)
{
    struct buf b = {0};
    struct slice day = day_of(a, d->date);

    put_head(&b, d, a);
    buf_add(&b, S("<body>\n<article class=\"page\">\n<header>\n"));
    put_line(&b, mark_class(d->issuer), "", d->issuer, "");
    put_line(&b, "number", "", d->number, "");
    buf_add(&b, S("</header>\n<h1>"));
    buf_add_html(&b, d->title);
    buf_add(&b, S("</h1>\n"));
    put_line(&b, "to", "", joined(a, d->to, d->nto, "、"), "：");
    buf_add(&b, S("<div class=\"main\">"));
    buf_add(&b, d->main);
    buf_add(&b, S("</div>\n<div class=\"sign\">\n"));
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

bool document_find(struct store_txn *t, struct slice workflow, struct slice id, struct arena *a,
                   struct document_view *out, bool *found, struct err *e)
{
    struct slice at, history;
    struct record *outputs;
    struct key k;
    size_t n;

    *found = false;
    key_document(&k, workflow, id);
    if (k.overflow || store_get(t, TABLE_DOCUMENT, key_slice(&k), &at) != STORE_OK || at.n != 16)
        return true;
    uint64_t sequence = get_be64((const unsigned char *)at.p),
             index = get_be64((const unsigned char *)at.p + 8);
    key_history(&k, workflow, sequence);
    if (store_get(t, TABLE_HISTORY, key_slice(&k), &history) != STORE_OK)
        return true; /* history is still being taken in */
    if (!wire_history_outputs(arena_dup(a, history), a, &outputs, &n) || index >= n)
        return err_set(e, "history record %llu of workflow %.*s cannot be read", (unsigned long long)sequence,
                       SLICE_ARG(workflow));
    *found = wire_document(&outputs[index], a, out);
    return true;
}
