/* What may be written where: one table of keys for each map of the language, beside the code that reads it,
 * and the list of these tables. The reader of maps (keys_check), the JSON Schema and the tables of the
 * reference all come from here, so a key that is added to its table is read, suggested in editors and
 * documented at once. A key without a meaning does not compile. */
#ifndef DUBAND_GRAMMAR_H
#define DUBAND_GRAMMAR_H

#include <stddef.h>

#include "lang/yaml.h"

struct key_def {
    const char *name;
    enum yaml_kind kind; /* YAML_NULL here means any shape */
    bool required;
    const char *shape; /* what it takes, in words that grammar_shape knows: "role or list", "map of rule", "3
                          to 9, constant" */
    const char *fallback; /* what holds without it, as the reference says it; NULL: nothing */
    const char *meaning;  /* one terse sentence, in Markdown */
};
struct key_table {
    const struct key_def *key;
    size_t n;
};
/* Stands after each table: const struct key_table rule_table = KEY_TABLE(rule_keys); */
#define KEY_TABLE(keys)                                                                                      \
    {                                                                                                        \
        keys, sizeof(keys) / sizeof *(keys)                                                                  \
    }

/* A map of the language. */
struct map_def {
    const char *name; /* as shapes call it: "list of rule" */
    const struct key_table *keys;
    const char *alone; /* the shape of what may stand in place of the map: {at: due} or due */
    struct {           /* keys that the author names */
        const char *name, *pattern, *shape, *meaning;
    } other[2];
};
/* A word of shapes that is no map. */
struct shape_def {
    const char *name;
    const char *is;      /* other shapes: "set or clear or …"; NULL: a scalar */
    const char *pattern; /* of the scalar; NULL: any */
    bool number;         /* may look like a number or a yes-no to other readers of YAML */
};
struct grammar {
    const struct map_def *map;
    size_t nmaps;
    const struct shape_def *shape;
    size_t nshapes;
    const struct grammar *base; /* whose shapes are known here, too; NULL: none */
};

/* Shapes are words, joined: `A or B`; `list of A`; `map of A`: whatever names lead to A; `A or list`: a list
 * of A, too; `1 to 9`: a whole number; `a|b`: one of these words. `, constant` at the end: params.NAME may
 * stand for it. */

extern const struct grammar workflow_grammar;
const struct map_def *grammar_map(const struct grammar *g, const char *name, size_t n);     /* NULL: none */
const struct shape_def *grammar_shape(const struct grammar *g, const char *name, size_t n); /* NULL: none */

/* Beside the readers of the maps. */
extern const struct key_table workflow_table, fragment_table, titles_table, parameter_table, version_table,
    constant_table, table_table, load_check_table, roster_check_table, defaults_table, event_table,
    refusal_table, indicator_table, ranking_table, tally_table, item_table, credit_table, occasion_table,
    obligation_table, recurrence_table, filing_table, document_table, measure_table, ledger_table,
    row_event_table, machine_table, count_table, variable_table, state_table, group_table, timer_table,
    rule_table, set_table, clear_table, issue_table, raise_table, arm_table, cancel_table, limit_table,
    score_table, task_table;

#endif
