/* dubanctl diff: what one definition says otherwise than another, and what would have come of it. */
#include "ctl/diff.h"

#include "ctl/json.h"

const char *const change_words[] = {[CHANGE_ADDED] = "added",
                                    [CHANGE_REMOVED] = "removed",
                                    [CHANGE_CHANGED] = "changed",
                                    [CHANGE_MOVED] = "moved"};

struct change *change_add(struct changes *c, enum change_kind kind)
{
    struct change *x = arena_push(c->arena, &c->item, &c->n, &c->cap, sizeof *x);
    x->kind = kind;
    return x;
}

static void print_json(const struct change *c)
{
    json_print(stdout,
               json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "change", change_words[c->kind], "thing",
                         json_text(c->thing), "path", json_text(c->path), "was", json_text(c->was), "is",
                         json_text(c->is), "old", json_text(c->old_place), "new", json_text(c->new_place)));
}

/* "obligation monthly (月报): due was day 24, is day 25  (a/workflow.yaml:31 → b/workflow.yaml:31)" */
static void print_text(const struct change *c)
{
    printf("%.*s: %.*s%s", SLICE_ARG(c->thing), SLICE_ARG(c->path), c->path.n ? " " : "");
    switch (c->kind) {
    case CHANGE_CHANGED:
        printf("was %.*s, is %.*s", SLICE_ARG(c->was.n ? c->was : S("empty")),
               SLICE_ARG(c->is.n ? c->is : S("empty")));
        break;
    case CHANGE_MOVED:
        printf("stands elsewhere in the order");
        break;
    case CHANGE_ADDED:
        printf("is new%s%.*s", c->is.n ? ": " : "", SLICE_ARG(c->is));
        break;
    case CHANGE_REMOVED:
        printf("is gone%s%.*s", c->was.n ? "; it was " : "", SLICE_ARG(c->was));
        break;
    }
    bool both = c->old_place.n && c->new_place.n;
    if (c->old_place.n || c->new_place.n)
        printf("  (%.*s%s%.*s)", SLICE_ARG(c->old_place), both ? " → " : "", SLICE_ARG(c->new_place));
    putchar('\n');
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct bundle old, now;
    struct program *was, *is;
    struct changes c = {.arena = call->arena};
    if (!ctl_load(call, call->argument[0], &old, &was) || !ctl_load(call, call->argument[1], &now, &is))
        return CTL_PROBLEMS;
    diff_documents(&c, &old, &now);
    diff_rows(&c, &old, &now);
    for (size_t i = 0; i < c.n; i++)
        (call->json ? print_json : print_text)(&c.item[i]);
    if (!call->json)
        printf("%zu change%s in the definition\n", c.n, c.n == 1 ? "" : "s");
    const char *folder = ctl_value(call, "state");
    const struct definition_side left = {&old, was}, right = {&now, is};
    return folder ? diff_state(call, &left, &right, folder) : CTL_DONE;
}

const struct ctl_command ctl_diff = {
    .name = "diff",
    .arguments = "OLD NEW",
    .summary = "what a definition says otherwise than another; with state, what would have come of it",
    .least = 2,
    .most = 2,
    .options = {{"state", "FOLDER",
                 "a stopped daemon's data folder, or a copy: its history is run under both", false}},
    .run = run,
};
