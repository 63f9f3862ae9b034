/* YAML as a plain tree with places: every scalar is text. The only user of libfyaml.
 * Bounded: documents up to 16 MB, depth 64, no aliases or anchors, no tags, one document a file. */
#ifndef DUBAND_YAML_H
#define DUBAND_YAML_H

#include "lang/lang.h"

enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_LIST, YAML_MAP };
struct yaml {
    enum yaml_kind kind;
    int line, column; /* from 1; column counts characters */
    int width;        /* of the scalar's text in the source, in characters; 1 for others */
    struct slice text;
    bool quoted; /* the scalar stood in quotes or a block */
    struct yaml_pair {
        struct yaml *key; /* a scalar */
        struct yaml *value;
    } * pairs;           /* YAML_MAP, in the file's order; keys are unique (repeats are diagnosed) */
    struct yaml **items; /* YAML_LIST */
    size_t n;
    const struct bundle_file *file;
};

/* Size, UTF-8, control characters and tabs that indent: false after diagnostics. Part of yaml_parse. */
bool yaml_check_bytes(const struct bundle_file *file, struct diags *d);
/* What escapes ("\x07") put into a text is held to the same. */
void yaml_check_escapes(const struct yaml *text, struct diags *d);
/* NULL after a syntax error, which is in d. An empty file is YAML_NULL. Lesser mistakes (a key that stands
 * twice, an anchor) are in d, too, but leave a tree. */
struct yaml *yaml_parse(const struct bundle_file *file, struct diags *d);
struct yaml *yaml_get(const struct yaml *map, const char *key); /* NULL: absent, or not a map */

/* The place of the byte `offset` of a scalar's text in the source: line and column, from 1. */
void yaml_place_in(const struct yaml *at, size_t offset, int *line, int *column);

/* Adds a diagnostic at the node's place. */
void yaml_diag(struct diags *d, enum severity s, const char *code, const struct yaml *at,
               const char *expected, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#endif
