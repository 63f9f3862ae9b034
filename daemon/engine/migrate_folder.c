/* The folder that is moved: an embedded log's one store, or one for each partition of Kafka's topics. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bus/local_log.h"
#include "engine/keys.h"
#include "engine/migrate.h"

#define STEM "partition-"
/* What is missing is had from the topics that are left. */
#define CURE                                                                                                 \
    "leave one node alone in the group, with this folder, until dubanctl status shows every partition "      \
    "serving with lag 0 and "                                                                                \
    "dubanctl history answers; then stop it and try again"

/* ---- which stores there are */

/* The lowest number that a partition's folder has; -1: there is none. */
static int first_partition(const char *data)
{
    DIR *folder = opendir(data);
    int least = -1;

    for (struct dirent *f; folder != NULL && (f = readdir(folder)) != NULL;) {
        uint64_t id;

        if (strncmp(f->d_name, STEM, sizeof STEM - 1) == 0 &&
            parse_u64(slice_of(f->d_name + sizeof STEM - 1), &id) && id < INT_MAX &&
            (least < 0 || (int)id < least))
            least = (int)id;
    }
    if (folder != NULL)
        closedir(folder);
    return least;
}

/* Whose state it is (empty: nobody's), without touching it: a store that did not get whole is emptied when it
 * is opened to be written to. */
static bool peek(const char *path, struct arena *a, struct slice *origin, struct err *e)
{
    struct stat st;
    struct err why;
    struct slice v;

    *origin = S("");
    if (stat(arena_printf(a, "%s/data.mdb", path).p, &st) != 0)
        return true;
    struct store *s = store_open_readonly(path, &why);
    struct store_txn *t = s != NULL ? store_begin(s, false, &why) : NULL;
    if (t != NULL && store_get(t, TABLE_META, S(BUS_META_ORIGIN), &v) == STORE_OK)
        *origin = arena_dup(a, v);
    store_abort(t);
    if (s != NULL)
        store_close(s);
    return t != NULL || err_set(e, "%s: " CURE, why.text);
}

static bool open_store(struct migrate_store *m, const char *path, int id, struct err *e)
{
    struct slice v;

    *m = (struct migrate_store){
        .id = id, .clock_target = INSTANT_NONE, .next = {-1, -1}, .changelog_next = -1, .history_next = -1};
    m->store = store_open(path, 0, e);
    m->txn = m->store != NULL ? store_begin(m->store, false, e) : NULL;
    if (m->txn == NULL)
        return false;
    if (store_get(m->txn, TABLE_META, META_POSITIONS, &v) == STORE_OK && v.n == 16)
        for (int i = 0; i < 2; i++)
            m->next[i] = get_be64s((const unsigned char *)v.p + 8 * i);
    if (store_get(m->txn, TABLE_META, META_CLOCK, &v) == STORE_OK && v.n == 8)
        m->clock_target = get_be64s((const unsigned char *)v.p);
    if (store_get(m->txn, TABLE_META, META_BATCH, &v) == STORE_OK && v.n == 8)
        m->batch = get_be64((const unsigned char *)v.p);
    return true;
}

/* ---- an embedded log */

static bool open_embedded(struct migrate_source *s, struct arena *a, struct err *e)
{
    struct slice path = arena_printf(a, "%s/" STEM "0", s->data);
    struct migrate_store *m = s->part;
    struct local_log log;
    instant_t last, last_deadline;

    s->nparts = 1;
    if (!open_store(m, path.p, 0, e) || !local_log_open(m->txn, &log, &last, &last_deadline, e))
        return false;
    for (int i = 0; i < 2; i++)
        m->next[i] = m->next[i] < 0 ? 0 : m->next[i];
    memcpy(s->end, log.end, sizeof s->end);
    return s->end[TOPIC_SUBMISSIONS] + s->end[TOPIC_DEADLINES] > 0 ||
           err_set(e, "%s holds no embedded log, or an empty one: there is nothing to move", path.p);
}

/* ---- Kafka's topics */

static bool check_origin(const struct migrate_source *s, const char *path, struct slice packed, int id,
                         struct err *e)
{
    struct bus_kafka_origin of;

    if (!bus_kafka_origin(packed, &of))
        return err_set(e, "%s does not say which topics its state is of: remove it; " CURE, path);
    if (of.partition == id && of.partitions == s->of.partitions && slice_eq(of.cluster, s->of.cluster) &&
        slice_eq(of.prefix, s->of.prefix) && slice_eq(of.group, s->of.group))
        return true;
    return err_set(e,
                   "%s holds partition %d of %d of the topics %.*s* (cluster %.*s, group %.*s), but "
                   "partition %d of %d of %.*s* (cluster %.*s, group "
                   "%.*s) was expected: remove what is of others; " CURE,
                   path, of.partition, of.partitions, SLICE_ARG(of.prefix), SLICE_ARG(of.cluster),
                   SLICE_ARG(of.group), id, s->of.partitions, SLICE_ARG(s->of.prefix),
                   SLICE_ARG(s->of.cluster), SLICE_ARG(s->of.group));
}

static bool check_complete(struct migrate_store *m, const char *path, struct err *e)
{
    int64_t have, want;
    struct slice v;

    if (!bus_kafka_positions(m->txn, &m->changelog_next, &m->history_next, e))
        return false;
    if (store_get(m->txn, TABLE_META, S(BUS_META_PIECE), &v) == STORE_OK)
        return err_set(e, "%s holds a part of a batch only: " CURE, path);
    if (!bus_kafka_lacks_history(m->txn, &have, &want))
        return true;
    return err_set(e, "%s lacks history, offsets %lld to %lld: " CURE, path, (long long)have,
                   (long long)want);
}

static bool open_topics(struct migrate_source *s, struct slice packed, const char *path, struct arena *a,
                        struct err *e)
{
    s->topics = true;
    if (!bus_kafka_origin(packed, &s->of))
        return check_origin(s, path, packed, 0, e);
    s->part = ARENA_ARRAY(a, struct migrate_store, (size_t)s->of.partitions);
    for (int id = 0; id < s->of.partitions; id++) {
        struct slice at = arena_printf(a, "%s/" STEM "%d", s->data, id);
        struct stat st;

        if (stat(at.p, &st) != 0 || !S_ISDIR(st.st_mode))
            return err_set(e, "%s: no such folder; all %d partitions are needed: " CURE, at.p,
                           s->of.partitions);
        if (!peek(at.p, a, &packed, e) || !check_origin(s, at.p, packed, id, e))
            return false;
        s->nparts = id + 1;
        if (!open_store(&s->part[id], at.p, id, e) || !check_complete(&s->part[id], at.p, e))
            return false;
    }
    return true;
}

/* ---- what they hold */

static void add_workflow(struct migrate_source *s, struct slice id, const struct migrate_store *in,
                         size_t *cap, struct arena *a)
{
    *(struct migrate_workflow *)arena_push(a, &s->workflow, &s->nworkflows, cap, sizeof *s->workflow) =
        (struct migrate_workflow){arena_dup(a, id), in};
}

static bool read_workflows(struct migrate_source *s, struct arena *a, struct err *e)
{
    size_t cap = 0;
    bool any = false;

    s->clock_target = INSTANT_NONE;
    for (int p = 0; p < s->nparts; p++) {
        const struct migrate_store *m = &s->part[p];
        struct store_iter *i = store_iter_new(m->txn, TABLE_DEFINITION);
        struct slice key, value;
        bool more = store_iter_seek(i, S(""), &key, &value), fits = true;

        if (more && (!any || m->clock_target < s->clock_target))
            s->clock_target = m->clock_target;
        any |= more;
        for (; more && fits; more = store_iter_next(i, &key, &value)) {
            add_workflow(s, key, m, &cap, a);
            fits = s->nparts == 1 || bus_partition_of(key, s->nparts) == m->id ||
                   err_set(e, "workflow %.*s is in partition %d of %d, where it does not belong: " CURE,
                           SLICE_ARG(key), m->id, s->nparts);
        }
        store_iter_free(i);
        if (!fits)
            return false;
        add_workflow(s, S(""), m, &cap, a);
    }
    return true;
}

bool migrate_open(struct migrate_source *s, const char *data, struct arena *a, struct err *e)
{
    int first = first_partition(data);
    struct slice path = arena_printf(a, "%s/" STEM "%d", data, first < 0 ? 0 : first), origin;

    *s = (struct migrate_source){.data = data, .part = ARENA_NEW(a, struct migrate_store)};
    if (first < 0)
        return err_set(e, "%s: no such folder; the data folder of a stopped node was expected", path.p);
    if (!peek(path.p, a, &origin, e))
        return false;
    if (origin.n == 0 && first > 0)
        return err_set(e, "%s/" STEM "0: no such folder; the data folder of a stopped node was expected",
                       data);
    if (!(origin.n == 0 ? open_embedded(s, a, e) : open_topics(s, origin, path.p, a, e)))
        return false;
    return read_workflows(s, a, e) && migrate_check_whole(s, e);
}

void migrate_close(struct migrate_source *s)
{
    for (int p = 0; p < s->nparts; p++) {
        store_abort(s->part[p].txn);
        if (s->part[p].store != NULL)
            store_close(s->part[p].store);
    }
    s->nparts = 0;
}

static bool mark(struct migrate_store *m, const char *where, struct err *e)
{
    store_abort(m->txn);
    m->txn = NULL;
    struct store_txn *t = store_begin(m->store, true, e);
    if (t == NULL)
        return false;
    if (store_put(t, TABLE_META, S(BUS_META_MOVED), slice_of(where)) != STORE_OK) {
        err_set(e, "%s", store_txn_error(t));
        store_abort(t);
        return false;
    }
    return store_commit(t, e) == STORE_OK;
}

bool migrate_mark(struct migrate_source *s, const char *where, struct err *e)
{
    for (int p = 0; p < s->nparts; p++)
        if (!mark(&s->part[p], where, e))
            return false;
    return true;
}
