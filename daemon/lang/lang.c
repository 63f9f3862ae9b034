/* The driver: bundle → documents → phases → a program, or every mistake in it. */
#include "lang/build.h"

static const struct key_def workflow_keys[] = {
    {"workflow", YAML_SCALAR, true, "id", NULL,
     "names the regime in events, records and addresses: up to 64 of a-z, 0-9 and minus"},
    {"title", YAML_NULL, true, "title", NULL, "what people read"},
    {"timezone", YAML_SCALAR, true, "IANA zone", NULL, "all local dates and hours of the regime"},
    {"calendar", YAML_SCALAR, false, "name", "Monday to Friday", "`../calendar/NAME.csv`: what a workday is"},
    {"effective", YAML_SCALAR, true, "FIRST/LAST of days", NULL,
     "periods that begin on these days, both included, are owed, and one that had begun where an obligation's "
     "`from` names it; either side may be empty. Events are heard whenever they come"},
    {"issuer", YAML_SCALAR, false, "role", NULL, "who issues, corrects, decides and changes the roster"},
    {"hold", YAML_SCALAR, false, "yes-no", "`no`", "every measure waits for a decision: see Going live"},
    {"quiet-before", YAML_SCALAR, false, "moment", NULL,
     "what falls before it is taken in, and nothing of it is told to anybody: see Going live"},
    {"units", YAML_SCALAR, true, "CSV file", NULL, "who there is"},
    {"relations", YAML_SCALAR, false, "CSV file", NULL, "who is what of whom"},
    {"use", YAML_LIST, false, "list of file", NULL, "fragments"},
    {"params", YAML_MAP, false, "map of parameter", NULL, "constants with their reasons"},
    {"constants", YAML_MAP, false, "map of constant", NULL, "figures that the text states of itself"},
    {"tables", YAML_MAP, false, "map of table", NULL, "reference rows"},
    {"load-checks", YAML_LIST, false, "list of load check", NULL,
     "what the text says of itself; a definition that fails one is refused"},
    {"roster-checks", YAML_LIST, false, "list of roster check", NULL,
     "what the text wants of each unit of the roster"},
    {"defaults", YAML_MAP, false, "defaults", NULL, "settings that all obligations share"},
    {"events", YAML_MAP, false, "map of event", NULL, "what may be reported, and by whom"},
    {"indicators", YAML_MAP, false, "map of indicator", NULL,
     "figures that units report, with their targets"},
    {"rankings", YAML_MAP, false, "map of ranking", NULL, "places, published or computed"},
    {"tallies", YAML_MAP, false, "map of tally", NULL, "points of units"},
    {"schedule", YAML_MAP, false, "map of occasion", NULL, "what happens on a day and is nobody's task"},
    {"obligations", YAML_MAP, false, "map of obligation", NULL, "who owes what, when"},
    {"documents", YAML_MAP, false, "map of document", NULL, "papers that measures carry"},
    {"measures", YAML_MAP, false, "map of measure", NULL, "what is issued"},
    {"ledgers", YAML_MAP, false, "map of ledger", NULL, "rows that are filed, marked and closed one by one"},
    {"machines", YAML_MAP, false, "map of machine", NULL, "lives: states, rules, timers"},
    {"articles", YAML_LIST, false, "list of text", NULL,
     "the statements of the text, as scenarios cite them under `covers`; one that cites another is wrong"},
    {"silent", YAML_MAP, false, "map of text", NULL,
     "statements that carry no behaviour, each with the reason; counted as covered"},
};
const struct key_table workflow_table = KEY_TABLE(workflow_keys);
static const struct key_def fragment_keys[] = {
    {"fragment", YAML_SCALAR, true, "name", NULL, "names it; the rest as in a workflow"},
    {"params", YAML_MAP, false, "map of parameter", NULL, "constants with their reasons"},
    {"events", YAML_MAP, false, "map of event", NULL, "what may be reported"},
    {"indicators", YAML_MAP, false, "map of indicator", NULL, "figures that units report"},
    {"rankings", YAML_MAP, false, "map of ranking", NULL, "places, published or computed"},
    {"tallies", YAML_MAP, false, "map of tally", NULL, "points of units"},
    {"schedule", YAML_MAP, false, "map of occasion", NULL, "what happens on a day"},
    {"obligations", YAML_MAP, false, "map of obligation", NULL, "who owes what, when"},
    {"documents", YAML_MAP, false, "map of document", NULL, "papers that measures carry"},
    {"measures", YAML_MAP, false, "map of measure", NULL, "what is issued"},
    {"ledgers", YAML_MAP, false, "map of ledger", NULL, "rows that are filed, marked and closed"},
    {"machines", YAML_MAP, false, "map of machine", NULL, "lives: states, rules, timers"},
};
const struct key_table fragment_table = KEY_TABLE(fragment_keys);

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
        documents_compile(c);
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
