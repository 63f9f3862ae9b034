/* dubanctl status: a node, and where it says that each partition is. */
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/table.h"

static int64_t number(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    return json_is_integer(v) ? (int64_t)json_integer_value(v) : -1;
}

static struct slice shown(struct arena *a, int64_t n)
{
    return n < 0 ? S("") : arena_printf(a, "%lld", (long long)n);
}

static struct slice progress(const json_t *o, struct arena *a)
{
    int64_t at = number(o, "restored"), all = number(o, "restore");
    if (at < 0 || all < 0)
        return S("");
    return arena_printf(a, "%lld of %lld, %d %%", (long long)at, (long long)all,
                        all > 0 ? (int)(100 * at / all) : 100);
}

static void print_partitions(const json_t *list, struct arena *a)
{
    static const char *const header[] = {"partition", "state", "worker", "batch", "restored", "lag", "age s", "owner"};
    struct table_text t;
    table_text_start(&t, a, header, sizeof header / sizeof *header);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        int64_t age = number(o, "age_ms");
        table_text_cell(&t, shown(a, number(o, "partition")));
        table_text_cell(&t, arena_dup(a, json_member(o, "state")));
        table_text_cell(&t, shown(a, number(o, "worker")));
        table_text_cell(&t, shown(a, number(o, "batch")));
        table_text_cell(&t, progress(o, a));
        table_text_cell(&t, shown(a, number(o, "lag")));
        table_text_cell(&t, shown(a, age < 0 ? age : (age + 999) / 1000));
        table_text_cell(&t, arena_dup(a, json_member(o, "owner")));
    }
    table_text_print(&t, stdout);
}

static void print_status(const json_t *o, struct arena *a)
{
    bool ready = json_is_true(json_object_get(o, "ready"));
    struct slice trouble = json_member(o, "trouble");
    printf("node %.*s, duband %.*s, %lld worker%s: %s\n", SLICE_ARG(json_member(o, "node")),
           SLICE_ARG(json_member(o, "version")), (long long)number(o, "workers"),
           number(o, "workers") == 1 ? "" : "s", trouble.n ? "in trouble" : ready ? "ready" : "not ready yet");
    if (trouble.n)
        printf("%.*s\n", SLICE_ARG(trouble));
    print_partitions(json_object_get(o, "partitions"), a);
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct client_answer an;
    struct client *c = client_open(call);
    if (!c)
        return CTL_USAGE;
    enum ctl_exit status = client_fetch(call, c, S("/v1/status"), 0, call->arena, &an);
    client_close(c);
    if (status != CTL_DONE)
        return status;
    json_t *o = json_loadb(an.body.p, an.body.n, 0, NULL);
    if (!o)
        return ctl_fail(call, CTL_COULD_NOT, "what the daemon answered is no status");
    bool fine = json_is_true(json_object_get(o, "ready")) && !json_member(o, "trouble").n;
    if (call->json) {
        json_print(stdout, o);
        return fine ? CTL_DONE : CTL_PROBLEMS;
    }
    print_status(o, call->arena);
    json_decref(o);
    return fine ? CTL_DONE : CTL_PROBLEMS;
}

const struct ctl_command ctl_status = {
    .name = "status",
    .arguments = "",
    .summary = "a node, its workers, and where each partition is served; ends with 1 when it is not ready",
    .options = {{CLIENT_URL_OPTION}},
    .run = run,
};
