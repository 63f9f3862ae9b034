/* dubanctl check: every mistake in a workflow's folder. */
#include "ctl/check.h"

#include "ctl/json.h"

static void print_json(const struct diag *d)
{
    json_t *o = json_object();
    json_object_set_new(o, "severity", json_string(d->severity == SEVERITY_ERROR ? "error" : "warning"));
    json_object_set_new(o, "code", json_string(d->code));
    json_object_set_new(o, "file", json_text(d->file));
    json_object_set_new(o, "line", json_integer(d->line));
    json_object_set_new(o, "column", json_integer(d->column));
    json_object_set_new(o, "width", json_integer(d->width));
    json_object_set_new(o, "message", json_text(d->message));
    json_object_set_new(o, "expected", json_text(d->expected));
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

static enum ctl_exit run(struct ctl_call *call)
{
    enum ctl_exit worst = CTL_DONE;
    for (int i = 0; i < call->nargs; i++) {
        struct bundle b;
        struct program *p;
        if (!ctl_load(call, call->argument[i], &b, &p))
            worst = CTL_PROBLEMS;
        else if (!call->json)
            printf("%.*s: fine: %zu obligations, %zu machines, %zu measures, %zu units\n", SLICE_ARG(p->id),
                   p->nobligations, p->nmachines - 1, p->nmeasures, p->nunits);
    }
    return worst;
}

const struct ctl_command ctl_check = {
    .name = "check",
    .arguments = "DIR…",
    .summary = "every mistake in a workflow, each with its place and what was expected",
    .least = 1,
    .most = -1,
    .run = run,
};
