/* Who was answered 202 a moment ago may ask at once what became of it, before the turn is committed. */
#include <stdio.h>
#include <stdlib.h>

#include "http/state.h"

#define ACCEPTED_MAX 8192
#define WORKFLOW_MAX 200 /* bytes; longer ids are refused */

struct accepted {
    struct {
        unsigned char digest[32];
        char workflow[WORKFLOW_MAX + 1];
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

void accepted_add(struct accepted *a, struct slice source, struct slice id, struct slice workflow)
{
    digest_of(source, id, a->item[a->next].digest);
    snprintf(a->item[a->next].workflow, sizeof a->item[a->next].workflow, "%.*s", SLICE_ARG(workflow));
    a->next = (a->next + 1) % ACCEPTED_MAX;
    if (a->n < ACCEPTED_MAX)
        a->n++;
}

struct slice accepted_workflow(const struct accepted *a, struct slice source, struct slice id)
{
    unsigned char wanted[32];

    digest_of(source, id, wanted);
    for (size_t i = 0; i < a->n; i++)
        if (memcmp(a->item[i].digest, wanted, sizeof wanted) == 0)
            return slice_of(a->item[i].workflow);
    return S("");
}
