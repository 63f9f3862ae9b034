/* What the phases of declared things share: the things themselves with their yaml, and readers of small
 * shapes. Positions agree: params, rankings, obligations, documents and measures stand in the program as in
 * their section; events from KIND_DECLARED on; machines one later, after the built-in generator. */
#ifndef DUBAND_BUILD_H
#define DUBAND_BUILD_H

#include "lang/compile.h"
#include "lang/diag.h"

struct declared {
    struct slice name;
    const struct yaml *key, *node; /* node may be of any shape: whoever reads it has it checked */
    bool own;                      /* of the workflow's file, not of a fragment */
};
struct section {
    struct declared *item;
    size_t n, cap;
};

struct build {
    struct compiler c; /* first: every phase is handed this */
    struct section schedules;
    bool *task_borne; /* by obligation: some rule bears tasks of it */
    struct section params, tables, events, rankings, obligations, documents, measures, machines;
    bool *document_used;
    struct section tallies;
    struct section indicators, constants, ledgers, lives; /* lives: machines of: row, of which ledgers make theirs */
    struct ledger *ledger;                                /* lang/ledgers.h */
    size_t nledgers;
    struct tally_use *tally_use; /* by tally: what credits it */
    size_t machines_cap;
    bool roster_sound; /* no mistake in it: what it says can be counted on */
    size_t kinds_cap;
};
static inline struct build *build_of(struct compiler *c)
{
    return (struct build *)c;
}

#define ERROR_AT(c, name, at, expected, ...)                                                                 \
    yaml_diag((c)->diags, SEVERITY_ERROR, DIAG_##name, at, expected, __VA_ARGS__)
#define WARN_AT(c, name, at, expected, ...)                                                                  \
    yaml_diag((c)->diags, SEVERITY_WARNING, DIAG_##name, at, expected, __VA_ARGS__)

/* ---- files: a path as the definition writes it, relative to the folder of the workflow's own file. NULL:
 * not in the bundle. */
const struct bundle_file *file_beside(const struct compiler *c, struct slice path);
/* The same relative to the folder of the file that `at` stands in, a fragment's perhaps. */
const struct bundle_file *file_by(const struct compiler *c, const struct yaml *at, struct slice path);
const struct bundle_file *file_at(const struct compiler *c,
                                  struct slice path); /* a bundle path as it stands */
/* A place inside a file that no yaml node stands for. */
struct yaml place_in(const struct bundle_file *file, int line, struct slice text);

/* ---- sections */
#define NAMES_MAX 1000 /* in one section or map of names: what grows with the square of them stays small */
/* How many pairs a map has; more than NAMES_MAX are diagnosed and left out. 0 for what is no map. */
size_t map_size(struct compiler *c, const struct yaml *map);
/* All entries of the map `key` in the fragments and then in the workflow; a name declared twice is diagnosed,
 * and kept once. */
void section_collect(struct build *b, const char *key, struct section *out);
int section_find(const struct section *s, struct slice name); /* -1: none */
/* "did you mean `x`?", or the names there are; NULL when there is none. */
const char *section_hint(struct compiler *c, const struct section *s, struct slice got);
const char *name_hint(struct compiler *c, struct slice got, const struct slice *name, size_t n);
/* Plain words of letters, digits and minus (any script): what may be named in an expression. */
bool name_check(struct compiler *c, const struct yaml *at, const char *what);
/* The same of a name that stands alone in expressions, and so must not be a word of theirs. */
bool name_check_bare(struct compiler *c, const struct yaml *at, const char *what);

/* ---- readers. Shapes were checked by keys_check: a node of another shape is passed over in silence. */
struct slice read_text(const struct yaml *map, const char *key); /* empty: absent */
/* A title: text, or a map with `zh:`. */
struct slice read_title(struct compiler *c, const struct yaml *node);
/* The items of a list; none for anything else. */
size_t read_items(const struct yaml *node, const struct yaml *const **item);
/* The texts of a list, or the one text that stands in its place; anything else is diagnosed. NULL: none. */
size_t read_scalars(struct compiler *c, const struct yaml *node, const struct yaml ***out,
                    const char *expected);
bool is_scalar(const struct yaml *node);
/* The scalar itself, or the value's scalar of the parameter that it names: `params.X`. NULL after a
 * diagnostic. */
const struct yaml *read_constant(struct compiler *c, const struct yaml *node);
/* The position of the word among `words`; -1 after a diagnostic. */
int read_word(struct compiler *c, const struct yaml *node, const char *const *words, size_t n,
              const char *what);
bool read_duration(struct compiler *c, const struct yaml *node, struct duration *out);
bool read_number(struct compiler *c, const struct yaml *node, struct rat *out);
bool read_count(struct compiler *c, const struct yaml *node, int least, int most,
                int *out); /* a whole number */
bool read_yesno(struct compiler *c, const struct yaml *node, bool absent);
bool read_period_kind(struct compiler *c, const struct yaml *node, enum period_kind *out);
int read_role(struct compiler *c, const struct yaml *node); /* -1 after a diagnostic */
void read_roles(struct compiler *c, const struct yaml *node, int **role, size_t *n);
/* "2024-01-01/2024-12-31", both days included; either side may be empty. */
bool read_span(struct compiler *c, const struct yaml *node, struct span *out);

/* ---- text */
struct slice slice_trim(struct slice s);
bool slice_drop(struct slice *s, struct slice prefix); /* takes the prefix and blanks after it away */
/* Up to the next `at` (or all of it); *s goes on after it. */
struct slice slice_cut(struct slice *s, char at);

/* ---- shared between phases */
/* The kind that `when:`, `each:`, `reach:` … mean by a name: in a task machine the built-in ones first,
 * elsewhere the declared ones. */
int kind_named(const struct compiler *c, struct slice name, bool task);
/* The same with a diagnostic. */
int read_kind(struct compiler *c, const struct yaml *node, bool task);
/* An expression built by hand. */
const struct expr *expr_make(struct compiler *c, enum expr_op op, int index, struct type type,
                             const struct yaml *at);
/* Addressees: a scalar or list of units, texts or sets of units. */
void read_addressees(struct compiler *c, const struct scope *s, const struct yaml *node,
                     const struct expr ***out, size_t *n);
/* An expression of one unit or a set of them, with an optional leading `each`. texts: a liaison or a head,
 * who need be no unit, will do. */
const struct expr *read_units(const struct scope *s, const struct yaml *node, bool texts);
/* 「{unit.title}：{title}」: literal text and expressions in turn; their mistakes are told of `what`. */
void words_read(const struct scope *s, const struct yaml *node, const char *what, struct words *out);
/* What `attachments` of a document names. */
void attachments_compile(struct compiler *c, const struct yaml *document, struct document *d);
/* The name of an obligation, as events and tasks carry it: one of those there are. */
struct type obligation_type(struct compiler *c);
/* Whether the value could name one `want`, or a set or list of it. */
bool type_names(const struct type *want, const struct type *have);
extern const struct type type_yesno, type_number, type_text, type_unit, type_instant;

#endif
