/* dubanctl reference: the maps of the language as Markdown tables. workflows/REFERENCE.md holds them between
 * markers. */
#include "ctl/ctl.h"
#include "ctl/scenario_grammar.h"
#include "ctl/shapes.h"

/* ---- cells */

static void put_words(struct slice words)
{
    for (bool first = true; words.n; first = false) {
        struct slice word = shape_cut(&words, "|");
        printf("%s`%.*s`", first ? "" : ", ", SLICE_ARG(word));
    }
}

static bool is_written(struct slice shape)
{
    static const char *const as_is[] = {"FIRST/LAST of days",
                                        "FIRST/LAST of periods",
                                        "EVENT where CONDITION",
                                        "TALLY.total, ORDER",
                                        "TALLY.ITEM",
                                        "MARK〔year〕n…",
                                        "by ROLE",
                                        "none",
                                        "kept",
                                        "competition"};
    for (size_t i = 0; i < sizeof as_is / sizeof *as_is; i++)
        if (slice_eq(shape, slice_of(as_is[i])))
            return true;
    return false;
}

/* Words and forms as they are written stand in code. */
static void put_shape(const char *text)
{
    struct slice shape = slice_of(text);
    bool constant = shape_constant(&shape);
    for (bool first = true; shape.n; first = false) {
        struct slice one = shape_cut(&shape, " or ");
        fputs(first ? "" : " or ", stdout);
        if (memchr(one.p, '|', one.n))
            put_words(one);
        else
            printf(is_written(one) ? "`%.*s`" : "%.*s", SLICE_ARG(one));
    }
    fputs(constant ? ", constant" : "", stdout);
}

struct cells {
    const char *of; /* the map, where a table has several; NULL: one only */
    const char *key, *shape, *fallback, *meaning;
};

static void put_row(const struct cells *r)
{
    if (r->of)
        printf("| %s ", r->of);
    printf("| %s | ", r->key);
    put_shape(r->shape);
    printf(" | %s | %s |\n", r->fallback, r->meaning);
}

/* ---- tables */

static void put_map(struct ctl_call *call, const struct map_def *m, bool several)
{
    const char *of = several ? m->name : NULL;
    for (size_t i = 0; m->keys && i < m->keys->n; i++) {
        const struct key_def *k = &m->keys->key[i];
        const char *fallback = k->required ? "required" : k->fallback ? k->fallback : "none";
        put_row(&(struct cells){of, arena_printf(call->arena, "`%s`", k->name).p, k->shape, fallback,
                                k->meaning});
        of = several ? "" : NULL;
    }
    for (int i = 0; i < 2 && m->other[i].name; i++) {
        put_row(&(struct cells){of, m->other[i].name, m->other[i].shape, "", m->other[i].meaning});
        of = several ? "" : NULL;
    }
    if (m->alone)
        put_row(&(struct cells){of, "", m->alone, "", "alone, in place of the map"});
}

static void put_head(bool several)
{
    fputs(several ? "| of | key | shape | default | meaning |\n|--|--|--|--|--|\n"
                  : "| key | shape | default | meaning |\n|--|--|--|--|\n",
          stdout);
}

static const struct map_def *find_map(const char *name)
{
    bool scenario = !strncmp(name, "scenario ", 9);
    const char *bare = scenario ? name + 9 : name;
    return grammar_map(scenario ? &scenario_grammar : &workflow_grammar, bare, strlen(bare));
}

static void put_all(struct ctl_call *call, const struct grammar *g, const char *of)
{
    for (size_t i = 0; i < g->nmaps; i++) {
        printf("### %s%s\n\n", of, g->map[i].name);
        put_head(false);
        put_map(call, &g->map[i], false);
        fputc('\n', stdout);
    }
}

static enum ctl_exit run(struct ctl_call *call)
{
    for (int i = 0; i < call->nargs; i++)
        if (!find_map(call->argument[i]))
            return ctl_fail(call, CTL_USAGE, "no map '%s'; `dubanctl reference` prints all of them",
                            call->argument[i]);
    if (call->nargs == 0) {
        put_all(call, &workflow_grammar, "");
        put_all(call, &scenario_grammar, "scenario ");
        return CTL_DONE;
    }
    put_head(call->nargs > 1);
    for (int i = 0; i < call->nargs; i++)
        put_map(call, find_map(call->argument[i]), call->nargs > 1);
    return CTL_DONE;
}

const struct ctl_command ctl_reference = {
    .name = "reference",
    .arguments = "[MAP…]",
    .summary = "every key of the language, as the tables of the reference",
    .least = 0,
    .most = -1,
    .one_form = true,
    .run = run,
};
