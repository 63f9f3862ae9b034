/* A workflow's folder as an event, when it differs from what is in force. */
#include "engine/node_private.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "engine/query.h"

#define DURABLE_S 60

/* ---- waiting for an append. Whoever comes last frees it: the wait may be over before the answer is there.
 */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done, ok, left;
    struct err why;
};

static void waiting_free(struct waiting *x)
{
    pthread_mutex_destroy(&x->lock);
    pthread_cond_destroy(&x->answered);
    free(x);
}

static void answer(void *ctx, const struct append_result *r)
{
    struct waiting *x = ctx;

    pthread_mutex_lock(&x->lock);
    bool left = x->left;
    x->done = true;
    x->ok = r->ok;
    if (!r->ok)
        err_set(&x->why, "%s", r->why);
    pthread_cond_signal(&x->answered);
    pthread_mutex_unlock(&x->lock);
    if (left)
        waiting_free(x);
}

static bool append_and_wait(struct node *n, const struct cloud_event *event, struct err *e)
{
    struct waiting *x = mem_alloc(sizeof *x);
    struct timespec until;

    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->answered, NULL);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DURABLE_S;
    node_append(n, TOPIC_DEADLINES, event, answer, x);

    pthread_mutex_lock(&x->lock);
    while (!x->done && pthread_cond_timedwait(&x->answered, &x->lock, &until) != ETIMEDOUT)
        ;
    bool done = x->done, ok = x->done && x->ok;
    x->left = true;
    if (!ok)
        err_set(e, "%s", done ? x->why.text : "the log did not answer in time; publishing again is safe");
    pthread_mutex_unlock(&x->lock);
    if (done)
        waiting_free(x);
    return ok;
}

/* ---- which event */

/* The same closure may come into force again after another one: its event then needs an id of its own. */
static bool was_applied(struct node *n, const struct cloud_event *event, struct arena *a)
{
    struct err why;
    struct slice json;
    struct store_txn *t = node_read(n, node_partition_of(n, event->workflow), &why);
    bool applied = t != NULL && query_event(t, event->source, event->id, a, &json) == QUERY_APPLIED;

    store_abort(t);
    return applied;
}

bool node_publish(struct node *n, const char *dir, struct slice actor, struct slice reason,
                    struct diags *d, struct node_published *out, struct err *e)
{
    struct bundle b;
    const struct program *p = bundle_read(dir, &b, d) ? lang_compile(&b, d->arena, d) : NULL;
    struct cloud_event event;
    struct slice in_force;
    unsigned nth = 1;

    *out = (struct node_published){.source = S("duband")};
    if (p == NULL)
        return err_set(e, "%s: the workflow does not pass its checks", dir);
    out->workflow = p->id;
    out->unchanged =
        node_in_force(n, p->id, d->arena, &in_force) && slice_eq(in_force, definition_hash(&b, d->arena));
    if (out->unchanged)
        return true;

    instant_t time = n->options.events_time ? definition_start(p, worker_now()) : worker_now();
    do
        definition_event(&b, p->id, actor, reason, nth++, time, d->arena, &event);
    while (was_applied(n, &event, d->arena));
    out->id = event.id;
    out->elsewhere = node_place(n, node_partition_of(n, p->id)) != NODE_HERE;
    return append_and_wait(n, &event, e);
}
