/* dubanctl check: every mistake in a workflow's folder. */
#include "ctl/check.h"

#include <strings.h>

#include "ctl/json.h"
#include "lang/diag.h"

static void print_json(const struct diag *d)
{
    json_t *o = json_object();
    json_object_set_new(o, "file", json_text(d->file));
    json_object_set_new(o, "line", json_integer(d->line));
    json_object_set_new(o, "column", json_integer(d->column));
    json_object_set_new(o, "endColumn", json_integer(d->column + (d->column ? d->width : 0)));
    json_object_set_new(o, "severity", json_string(d->severity == SEVERITY_ERROR ? "error" : "warning"));
    json_object_set_new(o, "code", json_string(d->code));
    json_object_set_new(o, "message", json_text(d->message));
    json_object_set_new(o, "expected", json_text(d->expected));
    json_object_set_new(o, "source", json_text(d->source));
    json_print(stdout, o);
}

static void report(const struct ctl_call *call, const struct diags *d)
{
    if (call->json)
        for (size_t i = 0; i < d->n; i++)
            print_json(&d->item[i]);
    else
        diags_print(stderr, d, ctl_colours(stderr));
}

bool ctl_load(const struct ctl_call *call, const char *dir, struct bundle *b, struct program **p)
{
    struct diags d = {.arena = call->arena};
    struct program *made = bundle_read(dir, b, &d) ? lang_compile(b, call->arena, &d) : NULL;
    report(call, &d);
    if (!made && !d.errors)
        ctl_fail(call, CTL_PROBLEMS, "%s: refused", dir);
    if (p)
        *p = made;
    return made != NULL;
}

/* ---- --explain: what a code means */

static void print_lines(const char *head, const char *text)
{
    printf("  %s  ", head);
    for (; *text; text++) {
        putchar(*text);
        if (*text == '\n')
            printf("%*s", (int)strlen(head) + 4, "");
    }
    putchar('\n');
}

static void explain_json(const char *code, const struct diag_note *note)
{
    json_print(stdout, json_pack("{s:s, s:s, s:s, s:s, s:s}", "code", code, "title", diag_title(code), "why",
                                 note->why, "mistake", note->mistake, "repair", note->repair));
}

static void explain_text(const char *code, const struct diag_note *note)
{
    printf("%s: %s\n\n%s\n\n", code, diag_title(code), note->why);
    print_lines("mistake", note->mistake);
    print_lines("repair ", note->repair);
}

/* A cell of a Markdown table: a span of code for each line. */
static void print_cell(const char *text)
{
    for (const char *end; *text; text = *end ? end + 1 : end) {
        end = text + strcspn(text, "\n");
        while (*text == ' ')
            text++;
        putchar('`');
        for (const char *p = text; p < end; p++)
            *p == '|'    ? (void)fputs("\\|", stdout)
            : *p == '\t' ? (void)fputs("→", stdout)
                         : (void)putchar(*p);
        fputs(*end ? "`<br>" : "`", stdout);
    }
}

static void explain_markdown(const char *code, const struct diag_note *note)
{
    printf("| `%s` | %s. ", code, diag_title(code));
    for (const char *p = note->why; *p; p++)
        *p == '|' ? (void)fputs("\\|", stdout) : (void)putchar(*p);
    fputs(" | ", stdout);
    print_cell(note->mistake);
    fputs(" | ", stdout);
    print_cell(note->repair);
    fputs(" |\n", stdout);
}

static enum ctl_exit explain(const struct ctl_call *call, const char *which)
{
    bool all = !strcmp(which, "all");
    size_t said = 0;
    if (all && !call->json)
        fputs("| code | what | written | write |\n|--|--|--|--|\n", stdout);
    for (size_t i = 0; diag_code(i); i++) {
        const char *code = diag_code(i);
        const struct diag_note *note = diag_explain(code);
        if (!note || (!all && strcasecmp(which, code) != 0))
            continue;
        (call->json ? explain_json : all ? explain_markdown : explain_text)(code, note);
        said++;
    }
    return said ? CTL_DONE
                : ctl_fail(call, CTL_USAGE,
                           "no diagnostic has the code '%s'; they look like W0123, and `all` "
                           "lists them",
                           which);
}

static enum ctl_exit run(struct ctl_call *call)
{
    enum ctl_exit worst = CTL_DONE;
    if (ctl_value(call, "explain"))
        return explain(call, ctl_value(call, "explain"));
    if (!call->nargs)
        return ctl_fail(call, CTL_USAGE, "expected DIR…; `dubanctl help check` tells more");
    for (int i = 0; i < call->nargs; i++) {
        struct bundle b;
        struct program *p;
        if (!ctl_load(call, call->argument[i], &b, &p))
            worst = CTL_PROBLEMS;
        else if (!call->json)
            printf("%.*s: fine: %zu obligations, %zu machines, %zu measures, %zu units\n", SLICE_ARG(p->id),
                   p->nobligations, p->nmachines - 1 - (p->issued > 0), p->nmeasures, p->nunits);
    }
    return worst;
}

const struct ctl_command ctl_check = {
    .name = "check",
    .arguments = "DIR…",
    .summary = "every mistake in workflows, each with its place and what was expected",
    .least = 0,
    .most = -1,
    .options = {{"explain", "CODE", "what a diagnostic means, with its repair; all: every one, as Markdown",
                 false}},
    .run = run,
};
