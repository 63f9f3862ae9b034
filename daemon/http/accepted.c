/* Who was answered 202 a moment ago may ask at once what became of it, before the turn is committed. */
#include <stdlib.h>

#include "http/state.h"

#define ACCEPTED_MAX 8192

struct accepted {
    struct {
        unsigned char digest[32];
    } item[ACCEPTED_MAX]; /* a ring */
    size_t next, n;
};

struct accepted *accepted_new(void)
{
    return mem_alloc(sizeof(struct accepted));
}

void accepted_free(struct accepted *a)
{
    free(a);
}

static void digest_of(struct slice source, struct slice id, unsigned char out[32])
{
    const struct slice part[] = {source, id};

    wire_digest(out, part, 2);
}

void accepted_add(struct accepted *a, struct slice source, struct slice id)
{
    digest_of(source, id, a->item[a->next].digest);
    a->next = (a->next + 1) % ACCEPTED_MAX;
    if (a->n < ACCEPTED_MAX)
        a->n++;
}

bool accepted_has(const struct accepted *a, struct slice source, struct slice id)
{
    unsigned char wanted[32];

    digest_of(source, id, wanted);
    for (size_t i = 0; i < a->n; i++)
        if (memcmp(a->item[i].digest, wanted, sizeof wanted) == 0)
            return true;
    return false;
}
