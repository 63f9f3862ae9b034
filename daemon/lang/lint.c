/* The driver of the lints, and names that nothing uses. Of fragments nothing is asked: they serve other
 * workflows, too. */
#include "lang/lint.h"

struct yaml place_node(const struct compiler *c, uint32_t place, int width)
{
    const struct place *at = &c->program->places[place];
    return (struct yaml){.kind = YAML_SCALAR,
                         .line = at->line,
                         .column = at->column,
                         .width = width,
                         .file = file_at(c, at->file)};
}

static void unused(struct compiler *c, const struct section *s, const bool *used, const char *code,
                   const char *what)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->item[i].own && !used[i])
            yaml_diag(c->diags, SEVERITY_WARNING, code, s->item[i].key, NULL, "%s “%.*s”", what,
                      SLICE_ARG(s->item[i].name));
}

static void unhandled(struct compiler *c)
{
    struct build *b = build_of(c);
    struct program *p = c->program;
    for (size_t i = 0; i < b->events.n; i++)
        if (b->events.item[i].own && !c->kind_used[KIND_DECLARED + i])
            WARN_AT(c, UNHANDLED, b->events.item[i].key,
                    "a rule with when:, or an obligation with counts:", "nothing handles the event “%.*s”",
                    SLICE_ARG(b->events.item[i].name));
    for (size_t i = 0; i < p->nrankings; i++)
        if (b->rankings.item[i].own && !c->kind_used[p->rankings[i].kind_list] &&
            !c->kind_used[p->rankings[i].kind_entry])
            WARN_AT(c, UNHANDLED, b->rankings.item[i].key, "a rule with when: ranked",
                    "nothing handles the ranking “%.*s”", SLICE_ARG(b->rankings.item[i].name));
    for (size_t i = KIND_DECLARED; i < p->nkinds; i++) {
        const struct kind *k = &p->kinds[i];
        if (k->class_ != KIND_CLASS_RAISED || c->kind_used[i] ||
            !slice_eq(p->places[k->place].file, c->bundle->root))
            continue;
        struct yaml at = place_node(c, k->place, char_count(k->name));
        WARN_AT(c, UNHANDLED, &at, "a machine with when: of this event",
                "nothing handles the raised event “%.*s”", SLICE_ARG(k->name));
    }
}

void lint_all(struct compiler *c)
{
    struct build *b = build_of(c);
    lint_states(c);
    lint_raises(c);
    lint_checks(c);
    lint_roster(c);
    lint_corrections(c);
    lint_roles(c);
    lint_order(c);
    unhandled(c);
    unused(c, &b->params, c->param_used, DIAG_UNUSED_PARAM, "nothing uses the parameter");
    unused(c, &b->measures, c->measure_used, DIAG_UNUSED_MEASURE, "nothing issues the measure");
    unused(c, &b->documents, b->document_used, DIAG_UNUSED_DOCUMENT, "no measure carries the document");
    if (c->diags->errors == 0)
        lint_owed(c);
    if (c->diags->errors == 0)
        lint_soft(c);
}
