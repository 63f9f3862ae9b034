#include "engine/query_page.h"

#define LIMIT_DEFAULT 1000

struct page page_begin(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out,
                       struct err *e)
{
    *out = (struct query_result){.row = NULL};
    return (struct page){.q = q, .txn = t, .arena = a, .out = out, .err = e};
}

bool page_end(struct page *p, bool ok)
{
    buf_free(&p->row);
    if (ok && store_txn_error(p->txn)[0] != 0)
        return err_set(p->err, "%s", store_txn_error(p->txn));
    return ok;
}

bool page_start(const struct page *p, struct key *from, struct key *prefix)
{
    key_start(prefix);
    if (p->q->workflow.n > 0)
        key_name(prefix, p->q->workflow);
    *from = *prefix;
    if (p->q->after.n == 0)
        return true;
    if (!cursor_read(p->q->after, from, p->err))
        return false;
    key_bytes(from, (struct slice){"", 1}); /* the next key after it */
    return true;
}

bool page_full(const struct page *p)
{
    return p->out->n >= (p->q->limit > 0 ? p->q->limit : LIMIT_DEFAULT);
}

void page_add(struct page *p)
{
    struct slice *slot = arena_push(p->arena, &p->out->row, &p->out->n, &p->cap, sizeof *slot);

    *slot = arena_dup(p->arena, buf_slice(&p->row));
    buf_clear(&p->row);
}

void page_more(struct page *p, const struct key *last)
{
    p->out->next = arena_hex(p->arena, last->byte, last->n);
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool cursor_read(struct slice hex, struct key *k, struct err *e)
{
    key_start(k);
    for (size_t i = 0; i + 1 < hex.n && k->n < KEY_MAX; i += 2) {
        int high = nibble(hex.p[i]), low = nibble(hex.p[i + 1]);

        if (high < 0 || low < 0)
            break;
        k->byte[k->n++] = (char)(high << 4 | low);
    }
    return k->n * 2 == hex.n || err_set(e, "after: not a cursor that a query gave");
}
