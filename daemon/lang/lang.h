/* The front end: a definition's files → a program, or every mistake in them at once. */
#ifndef DUBAND_LANG_H
#define DUBAND_LANG_H

#include <stdio.h>

#include "core/program.h"

/* The whole closure of a definition: what is published, hashed and stored. Paths are relative to the folder that holds the workflow's own
 * folder: "suifenhe-2024/workflow.yaml", "common/report.yaml", "calendar/cn.csv", "zoneinfo/Asia/Shanghai". Ordered by path. */
struct bundle {
    struct slice root; /* path of the workflow's own file: "suifenhe-2024/workflow.yaml" */
    struct bundle_file {
        struct slice path;
        struct slice shown; /* what diagnostics print: the path as the user gave it, or `path` */
        struct slice content;
    } *files;
    size_t n;
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };
struct diag {
    enum severity severity;
    const char *code;     /* "W0012": stable */
    struct slice file;    /* as shown */
    int line, column;     /* from 1; 0: the file as a whole */
    int width;            /* columns to underline, at least 1 */
    struct slice message; /* what is wrong */
    struct slice expected; /* what was expected, or a hint; may be empty */
    struct slice source;  /* the line itself */
};
struct diags {
    struct arena *arena;
    struct diag *item;
    size_t n, cap;
    size_t errors;
    struct { /* where the last line that was quoted begins: the next one is seldom before it */
        const char *content, *at;
        int line;
    } quoted;
};

/* Reads DIR/workflow.yaml and everything it refers to from disk. What cannot be read is a diagnostic. Memory is d->arena's. */
bool bundle_read(const char *dir, struct bundle *out, struct diags *d);

/* NULL when there is any error. The program keeps pointers into the bundle's bytes, into `a` and into d->arena: all must outlive it.
 * Parses, resolves, checks and compiles; reports everything it finds, ordered by file and line. */
struct program *lang_compile(const struct bundle *b, struct arena *a, struct diags *d);

/* "file:line:column: error W0012: message", the line, the spot underlined with ^^^, "expected: …". */
void diags_print(FILE *f, const struct diags *d, bool color);

/* A YAML document with places, for configuration and scenarios too. See lang/yaml.h. */

#endif
