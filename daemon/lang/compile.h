/* What the phases of the front end share. Phases, one file each, in this order:
 *   bundle.c   files of a definition            yaml.c, csv.c  text → trees with places
 *   roster.c   units, relations, tables         declare.c      names and types of params, events, rankings, measures, machines …
 *   ledgers.c ledger_life.c ledger_rows.c       ledgers → machines                       indicators.c  indicators and constants
 *   token.c, parse.c terms.c, check.c           expressions: text → tokens → tree → typed core expressions (check.c is the driver of
 *                                               names.c members.c relations.c operate.c calls.c); types.c value.c read types and values
 *   obligations.c measures.c machines.c         bodies of the declared things, with their expressions; templates.c those of documents
 *   lint.c     checks of the whole: unreachable, unhandled, unused, cycles, load-checks; roster_checks.c
 *   lang.c     the driver */
#ifndef DUBAND_COMPILE_H
#define DUBAND_COMPILE_H

#include "lang/grammar.h"
#include "lang/yaml.h"

struct compiler {
    struct program *program;
    struct arena *arena;
    struct diags *diags;
    const struct bundle *bundle;
    struct yaml *root;      /* the workflow's document */
    struct yaml **fragment; /* documents of `use:` */
    size_t nfragments;
    bool *param_used, *role_used, *relation_used, *kind_used, *measure_used; /* for lint; grown with the program's arrays */
    void *private_; /* of the phases that need it */
};

/* Where an expression stands, and so what its bare names mean. Bare names resolve in this order: bound row's fields, key parts, variables,
 * counters, lets, `since due opens limit now entry`, roles (a set of units), words of the enum that the other side expects. */
struct scope {
    struct compiler *c;
    struct machine *machine; /* NULL: none. Its keys, vars, counts and lets' names are known already */
    int kind;                /* of the event: names after `event.`; -1: none (a timer, entry actions reached by several kinds) */
    bool in_task;            /* `obligation.X`, `due`, `opens` are there */
    const char *no_instances; /* what stands here, when it cannot look at instances: "a load check"; NULL: it can */
    const struct field *row; /* names of a row bound from outside (a ranking entry …) */
    size_t nrow;
    const struct type *item; /* instead of row: what is bound from outside, by its fields or as `it` */
    const struct binder *bound; /* instead of both: several, one outside the other; see lang/check.h */
    const struct let_source { /* lets are compiled where first used: their yaml by name */
        struct slice name;
        const struct yaml *node;
    } *lets;
    size_t nlets;
    const struct type *entries; /* of a tally's item: the type of `entries`; NULL: there are none */
};

/* Compiles the scalar `node` as an expression of type `want` (NULL: any; `optional` allows n/a). NULL after diagnostics, which point
 * into the scalar: column of the token, underlined. */
const struct expr *expr_compile(const struct scope *s, const struct yaml *node, const struct type *want);
/* The same for a part of a scalar that starts `skip` bytes in. */
const struct expr *expr_compile_part(const struct scope *s, const struct yaml *node, struct slice text, const struct type *want);

/* Compiles s->machine->lets[let] if no expression has used it yet; its mistakes are told once. NULL after them. */
const struct expr *let_compile(const struct scope *s, size_t let);

/* True when a value of type `have` may stand where `want` is wanted. `optional` is no obstacle: n/a may turn up wherever a value does, and
 * whoever must know looks at have->optional. */
bool type_accepts(const struct type *want, const struct type *have);
/* A type as the language writes it: "set of unit", "前 | 后", "optional date", or a map {list of: {…}}. */
bool type_compile(struct compiler *c, const struct yaml *node, struct type *out);

/* A literal scalar as a value of a known type (params, scenario values, table cells): false after a diagnostic. at gives the place. */
bool value_compile(struct compiler *c, const struct yaml *at, struct slice text, const struct type *type, struct value *out);

/* Registers where something stands; 0 for NULL. */
uint32_t place_of(struct compiler *c, const struct yaml *at);

/* Diagnostics: E as severity ERROR, W as WARNING; codes in diag_codes.h, one line each: DIAG(code, "W0001", "title"). */

/* ---- the map reader: every section reads its keys through one table, so that unknown keys, wrong shapes and missing keys are
 * diagnosed alike, with "did you mean". */
/* Diagnoses everything wrong with map's keys; what names the thing ("state yellow"). False when it is no map at all. */
bool keys_check(struct compiler *c, const struct yaml *map, const struct key_def *def, size_t ndef, const char *what);

/* ---- phases; each adds diagnostics and goes on */
bool roster_compile(struct compiler *c); /* false: without a roster there is no sense in looking further */
void declare_all(struct compiler *c);
void obligations_compile(struct compiler *c);
void documents_compile(struct compiler *c); /* their templates */
void measures_compile(struct compiler *c);
void machines_compile(struct compiler *c);
void tallies_compile(struct compiler *c);
void articles_compile(struct compiler *c);
void going_live_compile(struct compiler *c);
void lint_all(struct compiler *c);

/* ---- articles.c */
/* Whether two ways to write an article mean the same: 五（一） and 五(一). */
bool article_same(struct slice a, struct slice b);
int program_article(const struct program *p, struct slice name); /* index into program.articles; -1: none */

#endif
