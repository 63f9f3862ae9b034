/* The driver: bundle → documents → phases → a program, or every mistake in it. */
#include "lang/build.h"

static const struct key_def workflow_keys[] = {
    {"workflow", YAML_SCALAR, true},  {"title", YAML_NULL, true},        {"timezone", YAML_SCALAR, true},
    {"calendar", YAML_SCALAR, false}, {"effective", YAML_SCALAR, true},  {"issuer", YAML_SCALAR, false},
    {"hold", YAML_SCALAR, false},     {"quiet-before", YAML_SCALAR, false},
    {"units", YAML_SCALAR, true},     {"relations", YAML_SCALAR, false}, {"use", YAML_LIST, false},
    {"params", YAML_MAP, false},      {"tables", YAML_MAP, false},       {"load-checks", YAML_LIST, false},
    {"defaults", YAML_MAP, false},    {"events", YAML_MAP, false},       {"rankings", YAML_MAP, false},
    {"obligations", YAML_MAP, false}, {"documents", YAML_MAP, false},    {"measures", YAML_MAP, false},
    {"machines", YAML_MAP, false},    {"silent", YAML_MAP, false},      {"schedule", YAML_MAP, false},
    {"articles", YAML_LIST, false},   {"ledgers", YAML_MAP, false},    {"indicators", YAML_MAP, false},
    {"constants", YAML_MAP, false},   {"roster-checks", YAML_LIST, false},   {"tallies", YAML_MAP, false}};
static const struct key_def fragment_keys[] = {
    {"fragment", YAML_SCALAR, true}, {"params", YAML_MAP, false},   {"events", YAML_MAP, false},
    {"documents", YAML_MAP, false},  {"measures", YAML_MAP, false}, {"machines", YAML_MAP, false}};

static void fragment_add(struct compiler *c, const struct yaml *node)
{
    if (!is_scalar(node)) {
        ERROR_AT(c, SHAPE, node, "a file: ../common/report.yaml", "use: lists files");
        return;
    }
    const struct bundle_file *file = file_beside(c, node->text);
    if (!file) {
        ERROR_AT(c, FILE, node, "a file beside the workflow: ../common/report.yaml", "there is no file %.*s",
                 SLICE_ARG(node->text));
        return;
    }
    for (size_t i = 0; i < c->nfragments; i++)
        if (c->fragment[i]->file == file) {
            ERROR_AT(c, DECLARED_TWICE, node, NULL, "%.*s is used twice", SLICE_ARG(node->text));
            return;
        }
    struct yaml *root = yaml_parse(file, c->diags);
    if (!root)
        return;
    if (!yaml_get(root, "fragment")) {
        ERROR_AT(c, FRAGMENT, node, "a file that begins with fragment: NAME", "%.*s is no fragment",
                 SLICE_ARG(node->text));
        return;
    }
    keys_check(c, root, fragment_keys, sizeof fragment_keys / sizeof *fragment_keys, "a fragment");
    c->fragment[c->nfragments++] = root;
}

/* The workflow's document and its fragments. False: there is nothing to go on with. */
static bool documents_read(struct compiler *c)
{
    const struct bundle_file *file = file_at(c, c->bundle->root);
    if (!file) {
        struct bundle_file missing = {.path = c->bundle->root, .shown = c->bundle->root};
        struct yaml at = {.file = arena_alloc(c->arena, sizeof missing)};
        memcpy((void *)(uintptr_t)at.file, &missing, sizeof missing);
        ERROR_AT(c, FILE, &at, "a folder with a workflow.yaml", "there is no %.*s",
                 SLICE_ARG(c->bundle->root));
        return false;
    }
    c->root = yaml_parse(file, c->diags);
    if (!c->root ||
        !keys_check(c, c->root, workflow_keys, sizeof workflow_keys / sizeof *workflow_keys, "a workflow"))
        return false;
    const struct yaml *const *item;
    size_t n = read_items(yaml_get(c->root, "use"), &item);
    c->fragment = ARENA_ARRAY(c->arena, struct yaml *, n + 1);
    for (size_t i = 0; i < n; i++)
        fragment_add(c, item[i]);
    return true;
}

struct program *lang_compile(const struct bundle *bundle, struct arena *a, struct diags *d)
{
    struct build b = {.c = {.arena = a, .diags = d, .bundle = bundle}};
    struct compiler *c = &b.c;
    struct program *p = ARENA_NEW(a, struct program);
    c->program = p;
    p->issuer = -1;
    p->quiet_before = INSTANT_NONE;
    size_t errors = d->errors;
    if (documents_read(c) && roster_compile(c)) {
        declare_all(c);
        obligations_compile(c);
        measures_compile(c);
        machines_compile(c);
        going_live_compile(c);
        tallies_compile(c);
        articles_compile(c);
        program_index(p, a);
        lint_all(c);
    }
    diags_sort(d);
    return d->errors == errors ? p : NULL;
}
