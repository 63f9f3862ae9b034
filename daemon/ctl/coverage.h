/* What the scenarios of a workflow have reached of it. */
#ifndef DUBAND_CTL_COVERAGE_H
#define DUBAND_CTL_COVERAGE_H

#include "ctl/json.h"
#include "core/program.h"

enum covered { COVERED_STATES, COVERED_TRANSITIONS, COVERED_MEASURES, COVERED_SORTS };
extern const char *const covered_names[COVERED_SORTS];

struct coverage {
    struct arena *arena;
    struct covered_item {
        enum covered sort;
        struct slice key;  /* "card.red"; a rule's place, "suifenhe-2024/workflow.yaml:191"; a measure's name */
        struct slice name; /* for people: of a rule, "card.clear: when ranked → yellow (…/workflow.yaml:191)" */
        bool reached;
    } *item;
    size_t n, cap;
    struct covered_article { /* the program's, then those that scenarios name besides */
        struct slice name;
        struct slice silent; /* why it carries no behaviour; empty: it does */
        bool reached;        /* a scenario names it */
    } *article;
    size_t narticles, articles_cap;
    bool articles_known; /* the definition lists them all */
};

void coverage_start(struct coverage *c, const struct program *p, struct arena *a);
/* What `from` has reached, of the same program, is reached in c, too. */
void coverage_join(struct coverage *c, const struct coverage *from);
/* One history record, as JSON. */
void coverage_take(struct coverage *c, const json_t *history);
void coverage_measure(struct coverage *c, struct slice name);
void coverage_article(struct coverage *c, struct slice article);
void coverage_count(const struct coverage *c, enum covered sort, size_t *reached, size_t *all);
/* Articles named or silent, of all. */
void coverage_articles(const struct coverage *c, size_t *reached, size_t *all);

#endif
