/* Rankings that are computed: `computed: monthly.total, highest first`. */
#include "lang/tallies.h"

/* `highest first` and `lowest first`; nothing: the highest. */
static bool lowest_first(struct compiler *c, const struct yaml *node, struct slice order)
{
    bool lowest = slice_eq(order, S("lowest first"));
    if (!lowest && order.n > 0 && !slice_eq(order, S("highest first")))
        ERROR_AT(c, RANKING_COMPUTED, node, "highest first, or lowest first", "“%.*s” is no order",
                 SLICE_ARG(order));
    return lowest;
}

/* Nobody publishes it, and its period is the tally's. */
static void others_check(struct compiler *c, const struct declared *d, const struct ranking *r)
{
    static const char *const received[] = {"by", "received"};
    const struct yaml *period = yaml_get(d->node, "period");
    enum period_kind kind;
    for (size_t i = 0; i < 2; i++)
        if (yaml_get(d->node, received[i]))
            ERROR_AT(c, RANKING_COMPUTED, yaml_get(d->node, received[i]),
                     "computed:, or by: and received:", "what is computed is published by nobody");
    if (is_scalar(period) && read_period_kind(c, period, &kind) && kind != r->period)
        ERROR_AT(c, RANKING_COMPUTED, period, period_kind_name(r->period), "its tally is scored each %s",
                 period_kind_name(r->period));
    if (r->of.tag != TYPE_UNIT)
        ERROR_AT(c, RANKING_COMPUTED, yaml_get(d->node, "of"), "unit, or a role", "a tally scores units");
}

void ranking_computed_read(struct compiler *c, const struct declared *d, struct ranking *r)
{
    struct build *b = build_of(c);
    const struct yaml *node = yaml_get(d->node, "computed");
    if (!is_scalar(node))
        return;
    struct slice order = node->text, total = slice_trim(slice_cut(&order, ',')),
                 name = slice_cut(&total, '.');
    int tally = section_find(&b->tallies, name);
    if (tally < 0) {
        ERROR_AT(c, TALLY_UNKNOWN, node, section_hint(c, &b->tallies, name), "no tally “%.*s” is declared",
                 SLICE_ARG(name));
        return;
    }
    if (!slice_eq(total, S("total"))) {
        ERROR_AT(c, RANKING_COMPUTED, node,
                 arena_printf(c->arena, "%.*s.total, highest first", SLICE_ARG(name)).p,
                 "a ranking is made from a tally's total");
        return;
    }
    r->lowest_first = lowest_first(c, node, slice_trim(order));
    r->tally = tally;
    r->period = c->program->tallies[tally].period;
    others_check(c, d, r);
}
