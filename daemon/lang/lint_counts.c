/* What counts without a condition: a report by one owner, of what several owe each for itself, would count for all of them. */
#include "core/due.h"
#include "lang/lint.h"

static bool several_owe(const struct owed *pairs, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (!slice_eq(pairs[i].unit, pairs[0].unit))
            return true;
    return false;
}

/* The field of the event that says whose it is: its unit, else who reports it. */
static const char *whose(const struct kind *k)
{
    int f = field_find(k->fields, k->nfields, S("unit"));
    return f >= 0 && k->fields[f].type.tag == TYPE_UNIT ? "event.unit" : "event.by";
}

void lint_counts(struct compiler *c, const struct declared *d, const struct obligation *o, const struct owed *pairs, size_t n)
{
    const struct yaml *counts = yaml_get(d->node, "counts");
    if (o->jointly || c->diags->errors || !several_owe(pairs, n))
        return;
    for (size_t i = 0; i < o->ncounts; i++) {
        const struct kind *k = &c->program->kinds[o->counts[i].kind];
        const struct yaml *at = counts->kind == YAML_LIST ? counts->items[i] : counts;
        if (!o->counts[i].where && (k->class_ == KIND_CLASS_FACT || o->counts[i].kind == KIND_READING))
            WARN_AT(c, COUNTS_FOR_ALL, at,
                    arena_printf(c->arena, "%.*s where %s = unit; where yes, if one is meant to do for all", SLICE_ARG(k->name),
                                 whose(k))
                        .p,
                    "several units owe “%.*s”, and each “%.*s” counts for every one of them", SLICE_ARG(d->name),
                    SLICE_ARG(k->name));
    }
}
