/* Tree → typed core expression: what check.c (the driver), names.c, operate.c and calls.c share. Every
 * function returns NULL after a diagnostic. `want` is what the place hopes for: it gives bare words a
 * meaning, and enforces nothing; check_as enforces. */
#ifndef DUBAND_LANG_CHECK_H
#define DUBAND_LANG_CHECK_H

#include "lang/build.h"
#include "lang/parse.h"
#include "lang/types.h"

struct binder { /* what `where` binds: an item of the list */
    const struct type *item;
    const struct binder *outer;
};
struct open_let { /* lets that are being compiled, so that one which uses itself is found out */
    size_t let;
    const struct open_let *outer;
};

struct checker {
    struct compiler *c;
    const struct scope *scope;
    struct phrase phrase;
    const struct binder *binder;
    const struct open_let *open;
    uint32_t place;
};

extern const struct type type_units; /* a set of them */

/* ---- check.c */
const struct expr *check_ast(struct checker *k, const struct ast *x, const struct type *want);
/* The same, converted to `want` where that is possible and a diagnostic where not. */
const struct expr *check_as(struct checker *k, const struct ast *x, const struct type *want);
/* Both sides of something; a bare word on either side gets its meaning from the other. */
bool check_pair(struct checker *k, const struct ast *x, const struct ast *y, const struct type *want,
                const struct expr **a, const struct expr **b);
struct expr *expr_new(const struct checker *k, enum expr_op op, struct type type, int index);
struct expr *expr_over(const struct checker *k, enum expr_op op, struct type type,
                       const struct expr *const *arg, size_t n);
const struct expr *expr_const(const struct checker *k, struct type type, struct value v);
/* column(x) of each of the rows x: a list. */
const struct expr *expr_column_of(const struct checker *k, const struct expr *rows, int field);
const struct expr *let_value(struct checker *k, size_t let);
/* "expected set of unit, this is a number" at x. */
const struct expr *refuse_type(struct checker *k, const struct ast *x, const char *expected,
                               const struct type *have);
const char *type_shown(const struct checker *k, const struct type *t);

/* ---- names.c */
/* What a bare name means where it stands; NULL without a diagnostic: nothing, a word at most. *failed: it is
 * a let with mistakes. */
const struct expr *name_lookup(struct checker *k, struct slice name, bool *failed);
const struct expr *instance_lookup(struct checker *k, struct slice name,
                                   bool *failed); /* key parts, variables, counters, lets */
const struct expr *meta_lookup(struct checker *k, struct slice name); /* since, due, limit … */
const struct expr *check_name(struct checker *k, const struct ast *x, const struct type *want);
struct names { /* that could have been meant */
    struct slice *item;
    size_t n, cap;
};
void names_add(const struct checker *k, struct names *names, struct slice name);
void names_add_fields(const struct checker *k, struct names *names, const struct field *f, size_t n);
/* `what` “X”, which is not among the names: says which was meant, or what there is. */
const struct expr *refuse_name(struct checker *k, struct slice at, const struct names *names,
                               const char *what);
int field_named(const struct field *f, size_t n, struct slice name);
int slice_named(const struct slice *s, size_t n, struct slice name);
void use_mark(bool *used, int index); /* for lint; used may be NULL */

/* ---- members.c */
const struct expr *check_member(struct checker *k, const struct ast *x);
/* x.name for a unit, a row, a bound record, or a set or list of them; NULL without a diagnostic when there is
 * no such part. */
const struct expr *part_of(struct checker *k, const struct expr *x, struct slice name);
const struct expr *refuse_part(struct checker *k, const struct ast *x, const struct expr *of);
const struct expr *table_column(struct checker *k, const struct expr *row, int table, int column);

/* ---- collections.c */
/* Index into program.collections; -1: no machine has this name. The array may move. */
int collection_named(struct compiler *c, struct slice name);
bool collection_is_named(const struct compiler *c, struct slice name); /* makes none */
void collection_names(const struct checker *k, struct names *names);
/* The machines of tasks that disagree on what this is, so that rows of `tasks` do not have it; NULL: it is no such name. */
const char *collection_clash(const struct checker *k, const struct type *row, struct slice name);
const struct expr *collection_rows(struct checker *k, int collection);
/* Whether instances can be looked at where the expression stands; else says so at `at`. */
bool collection_allowed(struct checker *k, struct slice at, struct slice name);
const struct expr *check_at(struct checker *k, const struct ast *x);
/* narrow.c: rows, looked for by what the condition says of their key. */
const struct expr *collection_narrow(struct checker *k, const struct expr *rows, const struct expr *condition);
/* issued.c */
const struct expr *check_issued(struct checker *k, const struct ast *x);

/* ---- relations.c */
const struct expr *check_of(struct checker *k, const struct ast *x);
const struct expr *check_is(struct checker *k, const struct ast *x);

/* ---- operate.c */
const struct expr *check_binary(struct checker *k, const struct ast *x);
const struct expr *check_if(struct checker *k, const struct ast *x, const struct type *want);
const struct expr *check_moved(struct checker *k, const struct ast *x); /* before, after */
const struct expr *check_neg(struct checker *k, const struct ast *x);

/* ---- calls.c */
const struct expr *check_call(struct checker *k, const struct ast *x);
const struct expr *check_where(struct checker *k, const struct ast *x);
const struct expr *check_extreme(struct checker *k, const struct ast *x, enum expr_op op);

#endif
