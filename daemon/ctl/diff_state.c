/* The inputs of a stopped daemon's history, run through the old and the new definition in memory, each as if
 * it had been in force all along: which measures, states and timers differ. */
#include <stdlib.h>

#include "ctl/diff.h"
#include "ctl/folders.h"
#include "ctl/json.h"
#include "engine/keys.h"
#include "engine/simulate.h"

struct past { /* what came in */
    struct cloud_event *event;
    instant_t *received;
    size_t n, cap, nreceived, received_cap;
    instant_t from, until; /* of the first definition; of the last turn */
    size_t definitions;
};

/* ---- history */

static bool take_turn(struct past *past, struct slice bytes, struct arena *a, struct err *e)
{
    struct history_turn turn;
    struct cloud_event event;
    struct reasons why = {.arena = a};
    if (!wire_history_turn(arena_dup(a, bytes), a, &turn, e))
        return false;
    past->until = turn.now;
    if (slice_eq(turn.type, S("duban.v1.Definition"))) {
        past->from = past->definitions++ ? past->from : turn.now;
        return true;
    }
    if (!turn.input.value.p || !cloud_event_from_headers(turn.input.header, turn.input.nheaders,
                                                         turn.input.key, turn.input.value, &event, &why))
        return true; /* a timer, or what was no event: nothing either definition would hear */
    *(struct cloud_event *)arena_push(a, &past->event, &past->n, &past->cap, sizeof event) = event;
    *(instant_t *)arena_push(a, &past->received, &past->nreceived, &past->received_cap, sizeof(instant_t)) =
        turn.now;
    return true;
}

static bool read_past(struct past *past, struct store *store, struct slice workflow, struct arena *a,
                      struct err *e)
{
    struct store_txn *t = store_begin(store, false, e);
    struct slice at, value;
    struct key prefix;
    bool ok = t != NULL;
    if (!ok)
        return false;
    key_workflow(&prefix, workflow);
    struct store_iter *i = store_iter_new(t, TABLE_HISTORY);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &at, &value);
         ok && more && key_has_prefix(at, key_slice(&prefix)); more = store_iter_next(i, &at, &value))
        ok = take_turn(past, value, a, e);
    if (ok && *store_txn_error(t))
        ok = err_set(e, "%s", store_txn_error(t));
    store_iter_free(i);
    store_abort(t);
    return ok;
}

/* ---- instances, as they are stored */

struct living {
    struct slice name, state, timers;
};
struct population {
    struct arena *arena;
    struct living *item;
    size_t n, cap;
    struct slice *misfit; /* why an instance does not fit the program */
    size_t nmisfits, misfits_cap;
};

static struct slice timers_print(struct arena *a, const struct program *p, const struct instance *i)
{
    struct buf b = {0};
    for (size_t t = 0; t < i->ntimers; t++)
        buf_printf(&b, "%s%.*s %.*s", b.n ? ", " : "",
                   SLICE_ARG(p->machines[i->machine].timers[i->timers[t].def].name),
                   SLICE_ARG(instant_format_local(a, p->tz, i->timers[t].due)));
    struct slice s = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return s;
}

static struct slice key_print(struct arena *a, struct slice key)
{
    struct instance_key parts;
    struct buf b = {0};
    if (!key_instance_parse(key, &parts))
        return S("?");
    buf_add(&b, parts.machine);
    for (size_t k = 0; k < parts.nparts; k++)
        buf_printf(&b, "/%.*s", SLICE_ARG(parts.part[k]));
    struct slice s = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return s;
}

static void take_instance(struct population *l, const struct program *p, struct slice key, struct slice value)
{
    struct err e;
    const struct instance *i = wire_instance_unpack(p, arena_dup(l->arena, value), l->arena, &e);
    if (!i) {
        struct slice *slot = arena_push(l->arena, &l->misfit, &l->nmisfits, &l->misfits_cap, sizeof *slot);
        *slot = arena_printf(l->arena, "%.*s: %s", SLICE_ARG(key_print(l->arena, key)), e.text);
        return;
    }
    struct living *x = arena_push(l->arena, &l->item, &l->n, &l->cap, sizeof *x);
    struct slice state = i->state >= 0 ? p->machines[i->machine].states[i->state].name : S("");
    *x = (struct living){instance_print(l->arena, p, i), arena_dup(l->arena, state),
                         timers_print(l->arena, p, i)};
}

static int living_cmp(const void *x, const void *y)
{
    return slice_cmp(((const struct living *)x)->name, ((const struct living *)y)->name);
}

static bool read_population(struct population *l, struct store *store, const struct program *p,
                            struct arena *a, struct err *e)
{
    struct store_txn *t = store_begin(store, false, e);
    struct slice at, value;
    struct key prefix;
    *l = (struct population){.arena = a};
    if (!t)
        return false;
    key_workflow(&prefix, p->id);
    struct store_iter *i = store_iter_new(t, TABLE_INSTANCE);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &at, &value);
         more && key_has_prefix(at, key_slice(&prefix)); more = store_iter_next(i, &at, &value))
        take_instance(l, p, at, value);
    store_iter_free(i);
    store_abort(t);
    if (l->n)
        qsort(l->item, l->n, sizeof *l->item, living_cmp);
    return true;
}

/* ---- one side's run */

struct measures {
    struct arena *arena, *scratch;
    const struct program *p;
    struct made {
        struct measure_key key;
        struct slice line;
    } * item;
    size_t n, cap;
    uint64_t rejected;
    struct population living;
};

static void take_output(void *ctx, const struct record *r)
{
    struct measures *m = ctx;
    struct measure_view v;
    arena_reset(m->scratch);
    m->rejected += r->topic == TOPIC_REJECTED;
    if (!wire_measure_view(r, m->scratch, &v) || !v.first || v.withdraws.n)
        return;
    struct made *x = arena_push(m->arena, &m->item, &m->n, &m->cap, sizeof *x);
    x->key = wire_measure_key(&v.cause, v.task, v.measure, v.unit);
    x->line = arena_printf(m->arena, "%.*s  %.*s  %.*s  %.*s",
                           SLICE_ARG(instant_format_local(m->scratch, m->p->tz, v.cause.received)),
                           SLICE_ARG(v.title), SLICE_ARG(v.unit), SLICE_ARG(v.task));
}

static int made_cmp(const void *x, const void *y)
{
    const struct made *a = x, *b = y;
    int c = memcmp(a->key.byte, b->key.byte, sizeof a->key.byte);
    return c ? c : slice_cmp(a->line, b->line);
}

static int line_cmp(const void *x, const void *y)
{
    return slice_cmp(*(const struct slice *)x, *(const struct slice *)y);
}

static bool run_side(struct measures *m, const struct definition_side *side, const struct past *past,
                     struct err *e)
{
    struct simulation *s = simulation_of(side->p, side->bundle, past->from, take_output, m, e);
    bool ok = s != NULL;
    for (size_t i = 0; ok && i < past->n; i++) {
        struct outcome out;
        ok = simulation_event(s, &past->event[i], past->received[i], &out, e);
    }
    ok = ok && simulation_until(s, past->until, e) &&
         read_population(&m->living, simulation_store(s), simulation_program(s), m->arena, e);
    simulation_free(s);
    if (m->n)
        qsort(m->item, m->n, sizeof *m->item, made_cmp);
    return ok;
}

/* ---- told */

static void tell(const struct ctl_call *call, const char *what, struct slice line)
{
    if (call->json)
        json_print(stdout, json_pack("{s:s, s:o}", "state", what, "line", json_text(line)));
    else
        printf("%s: %.*s\n", what, SLICE_ARG(line));
}

/* Those of x that y has not, in the order of their lines. */
static size_t tell_missing(const struct ctl_call *call, const char *what, const struct measures *x,
                           const struct measures *y)
{
    struct slice *line = ARENA_ARRAY(call->arena, struct slice, x->n + 1);
    size_t n = 0;
    for (size_t i = 0, k = 0; i < x->n; i++) {
        int c = 1;
        while (k < y->n &&
               (c = memcmp(y->item[k].key.byte, x->item[i].key.byte, sizeof x->item[i].key.byte)) < 0)
            k++;
        if (k == y->n || c != 0)
            line[n++] = x->item[i].line;
    }
    if (n)
        qsort(line, n, sizeof *line, line_cmp);
    for (size_t i = 0; i < n; i++)
        tell(call, what, line[i]);
    return n;
}

struct touched_count {
    size_t states, timers, born, gone;
};

static void tell_living(const struct ctl_call *call, const struct population *was,
                        const struct population *is, struct touched_count *n)
{
    for (size_t i = 0, k = 0; i < was->n || k < is->n;) {
        const struct living *x = i < was->n ? &was->item[i] : NULL, *y = k < is->n ? &is->item[k] : NULL;
        int c = !x ? 1 : !y ? -1 : slice_cmp(x->name, y->name);
        i += c <= 0;
        k += c >= 0;
        n->gone += c < 0;
        n->born += c > 0;
        if (c < 0)
            tell(call, "would not live",
                 arena_printf(call->arena, "%.*s, now %.*s", SLICE_ARG(x->name), SLICE_ARG(x->state)));
        else if (c > 0)
            tell(call, "would live, too",
                 arena_printf(call->arena, "%.*s in %.*s", SLICE_ARG(y->name), SLICE_ARG(y->state)));
        else if (!slice_eq(x->state, y->state)) {
            n->states++;
            tell(call, "other state",
                 arena_printf(call->arena, "%.*s: %.*s → %.*s", SLICE_ARG(x->name), SLICE_ARG(x->state),
                              SLICE_ARG(y->state)));
        } else if (!slice_eq(x->timers, y->timers)) {
            n->timers++;
            tell(call, "timers moved",
                 arena_printf(call->arena, "%.*s: %.*s → %.*s", SLICE_ARG(x->name),
                              SLICE_ARG(x->timers.n ? x->timers : S("none")),
                              SLICE_ARG(y->timers.n ? y->timers : S("none"))));
        }
    }
}

static enum ctl_exit compare(const struct ctl_call *call, const struct definition_side *old,
                             const struct definition_side *now, const struct past *past, struct store *store)
{
    struct err e;
    struct population live;
    struct measures was = {.arena = call->arena, .scratch = arena_new(), .p = old->p},
                    is = {.arena = call->arena, .scratch = arena_new(), .p = now->p};
    bool ok = read_population(&live, store, now->p, call->arena, &e) && run_side(&was, old, past, &e) &&
              run_side(&is, now, past, &e);
    if (ok) {
        for (size_t i = 0; i < live.nmisfits; i++)
            tell(call, "does not fit", live.misfit[i]);
        struct touched_count n = {0};
        size_t gone = tell_missing(call, "measure gone", &was, &is),
               come = tell_missing(call, "measure new", &is, &was);
        tell_living(call, &was.living, &is.living, &n);
        if (!call->json)
            printf("had it been in force since the first publication: %zu measures gone, %zu new, %zu in "
                   "both; %zu "
                   "other states, %zu with other timers, %zu instances gone, %zu new; %zu of %zu live "
                   "instances do not "
                   "fit\n",
                   gone, come, was.n - gone, n.states, n.timers, n.gone, n.born, live.nmisfits,
                   live.n + live.nmisfits);
        if (past->definitions > 1 && !call->json)
            printf("%zu definitions were published in this history; both runs hold to one throughout\n",
                   past->definitions);
    }
    arena_free(was.scratch);
    arena_free(is.scratch);
    return ok ? CTL_DONE : ctl_fail(call, CTL_COULD_NOT, "%s", e.text);
}

/* ---- the folder: one of a partition, or the one that holds them */

/* Opens the store whose history knows the workflow; NULL and e. */
static struct store *try_folder(const char *path, struct slice workflow, struct past *past, struct arena *a,
                                struct err *e)
{
    struct store *s = store_open_readonly(path, e);
    *past = (struct past){.from = INSTANT_NONE, .until = INSTANT_NONE};
    if (s && read_past(past, s, workflow, a, e) && past->definitions)
        return s;
    if (s) {
        if (!past->definitions)
            err_set(e, "%s: no history of %.*s there", path, SLICE_ARG(workflow));
        store_close(s);
    }
    return NULL;
}

static struct store *open_state(const char *folder, struct slice workflow, struct past *past, struct arena *a,
                                struct err *e)
{
    struct dirent **entry;
    int n = folders_of_partitions(folder, &entry);
    struct store *s = NULL;
    if (n <= 0)
        s = try_folder(folder, workflow, past, a, e);
    for (int i = 0; i < n; i++) {
        if (!s)
            s = try_folder(arena_printf(a, "%s/%s", folder, entry[i]->d_name).p, workflow, past, a, e);
        free(entry[i]);
    }
    if (n >= 0)
        free(entry);
    return s;
}

enum ctl_exit diff_state(const struct ctl_call *call, const struct definition_side *old,
                         const struct definition_side *now, const char *folder)
{
    struct past past;
    struct err e;
    if (!slice_eq(old->p->id, now->p->id))
        return ctl_fail(call, CTL_USAGE,
                        "--state compares two definitions of one workflow, not %.*s and %.*s",
                        SLICE_ARG(old->p->id), SLICE_ARG(now->p->id));
    struct store *s = open_state(folder, now->p->id, &past, call->arena, &e);
    if (!s)
        return ctl_fail(call, CTL_COULD_NOT, "--state: %s", e.text);
    enum ctl_exit status = compare(call, old, now, &past, s);
    store_close(s);
    return status;
}
