/* Expressions on stdin, a line each → their values on stdout, a line each: a number, yes, no, n/a, or
 * "failed: why". */
#include "core/expr.h"
#include "lang/build.h"

#include <stdio.h>
#include <stdlib.h>

static void told(const struct diags *d)
{
    printf("failed: %s %.*s\n", d->item[0].code, SLICE_ARG(d->item[0].message));
}

static void answer(struct slice text)
{
    struct arena *a = arena_new();
    struct diags diags = {.arena = a};
    struct program program = {0};
    const struct bundle_file file = {.path = S("stdin"), .shown = S("stdin"), .content = text};
    const struct yaml node = {
        .kind = YAML_SCALAR, .text = text, .file = &file, .line = 1, .column = 1, .width = (int)text.n};
    struct compiler c = {.program = &program, .arena = a, .diags = &diags};
    struct scope scope = {.c = &c, .kind = -1};
    const struct expr *x = expr_compile(&scope, &node, NULL);

    if (x == NULL) {
        told(&diags);
    } else {
        struct eval ev = {.program = &program, .arena = a};
        struct value v = expr_eval(&ev, x);

        if (ev.failed)
            printf("failed: %s\n", ev.failed);
        else
            printf("%.*s\n", SLICE_ARG(value_format(a, &v, NULL)));
    }
    arena_free(a);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;

    for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;)
        answer((struct slice){line, (size_t)n - (line[n - 1] == '\n')});
    free(line);
    return 0;
}
