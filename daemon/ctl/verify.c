/* dubanctl verify: are the histories whole, and as they were written? */
#include <stdlib.h>

#include "ctl/cluster.h"
#include "ctl/folders.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "engine/chain.h"

/* ---- from a data folder: a running node's, too */

static bool take_folder(struct chains *c, const char *path, struct err *e)
{
    struct err why;
    struct store *s = store_open_readonly(path, e);
    struct store_txn *t = s ? store_begin(s, false, e) : NULL;
    bool ok = t && (chains_take_store(c, t, &why) || err_set(e, "%s: %s", path, why.text));
    if (t)
        store_abort(t);
    if (s)
        store_close(s);
    return ok;
}

static bool take_data(struct chains *c, const char *data, struct err *e)
{
    struct dirent **entry = NULL;
    int n = folders_of_partitions(data, &entry);
    bool ok = n > 0 || err_set(e, "%s: no folder partition-N there; a node's data folder was expected", data);
    for (int i = 0; i < n; i++) {
        ok = ok && take_folder(c, arena_printf(c->arena, "%s/%s", data, entry[i]->d_name).p, e);
        free(entry[i]);
    }
    free(entry);
    return ok;
}

/* ---- from Kafka */

static bool take_record(void *ctx, const struct record *r)
{
    chains_take(ctx, r->key, r->value);
    return true;
}

static bool take_topic(struct chains *c, const struct bus_kafka_options *o, struct err *e)
{
    struct bus_kafka_reader *r = bus_kafka_reader_open(o, e);
    int n = r ? bus_kafka_reader_partitions(r, TOPIC_HISTORY, e) : -1;
    bool ok = n >= 0;
    for (int p = 0; ok && p < n; p++) {
        int64_t low, end;
        ok = bus_kafka_reader_ends(r, TOPIC_HISTORY, p, &low, &end, e) &&
             bus_kafka_reader_read(r, TOPIC_HISTORY, p, low, end, take_record, c, e);
    }
    bus_kafka_reader_close(r);
    return ok;
}

/* ---- */

static bool take(struct ctl_call *call, struct chains *c, enum ctl_exit *status)
{
    struct bus_kafka_options o;
    struct config config;
    struct err e;
    bool ok;
    if (ctl_value(call, "data")) {
        ok = take_data(c, ctl_value(call, "data"), &e);
    } else {
        config_init(&config);
        *status = CTL_USAGE;
        if (!cluster_read(call, &config, &o)) {
            config_free(&config);
            return false;
        }
        ok = take_topic(c, &o, &e);
        config_free(&config);
    }
    *status = ok ? CTL_DONE : ctl_fail(call, CTL_COULD_NOT, "%s", e.text);
    return ok;
}

static void print(const struct ctl_call *call, const struct chains *c)
{
    static const char *const header[] = {"workflow", "records", "hash of the last"};
    struct table_text t;
    table_text_start(&t, call->arena, header, 3);
    for (size_t i = 0; i < c->n; i++) {
        const struct chain *chain = c->item[i];
        struct slice hash = arena_hex(call->arena, chain->head.hash, sizeof chain->head.hash);
        if (call->json)
            json_print(stdout, json_pack("{s:o, s:I, s:o, s:o}", "workflow", json_text(chain->workflow), "records",
                                         (json_int_t)chain->head.sequence, "hash", json_text(hash), "broken",
                                         chain->broken ? json_text(slice_of(chain->why.text)) : json_null()));
        table_text_cell(&t, chain->workflow);
        table_text_cell(&t, arena_printf(call->arena, "%llu", (unsigned long long)chain->head.sequence));
        table_text_cell(&t, chain->broken ? S("BROKEN") : hash);
    }
    if (!call->json)
        table_text_print(&t, stdout);
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct chains c = {.arena = call->arena};
    enum ctl_exit status;
    if (!take(call, &c, &status))
        return status;
    print(call, &c);
    for (size_t i = 0; i < c.n; i++)
        if (c.item[i]->broken)
            status = ctl_fail(call, CTL_PROBLEMS, "%.*s: %s", SLICE_ARG(c.item[i]->workflow), c.item[i]->why.text);
    return status;
}

const struct ctl_command ctl_verify = {
    .name = "verify",
    .arguments = "",
    .summary = "are the histories whole, and as they were written? Reads every record and follows the chain of hashes; exit status 1: one is broken.\n"
               "Who notes a last hash can tell later that nothing before it was changed",
    .options = {{"data", "DIR", "a node's data folder, running or stopped: also compares where the histories end with the state", false},
                {"config", "FILE", "or the topic duban.history of the cluster in duband's configuration", false},
                {"bootstrap", "HOST:PORT", "or of this broker's", false},
                {"prefix", "TEXT", "of the topics' names; default duban. or the configuration's", false}},
    .run = run,
};
