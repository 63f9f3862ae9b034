/* dubanctl's command line: finds the command, reads its options, runs it. */
#include "ctl/ctl.h"

#include <errno.h>

#include "base/log.h"
#include "lang/compile.h"

static const struct ctl_command *const commands[] = {
    &ctl_new,   &ctl_check,   &ctl_test, &ctl_simulate, &ctl_explain, &ctl_due, &ctl_diff, &ctl_graph,
    &ctl_schema, &ctl_reference,
    &ctl_publish, &ctl_send,   &ctl_play,
    &ctl_tasks, &ctl_cases, &ctl_scores, &ctl_measures, &ctl_document, &ctl_proposals, &ctl_decide, &ctl_history, &ctl_events,  &ctl_workflows, &ctl_topics, &ctl_status, &ctl_rejected, &ctl_migrate_bus, &ctl_verify,
};
#define NCOMMANDS (sizeof commands / sizeof *commands)

/* ---- help and usage */

static void print_commands(FILE *f)
{
    fputs("usage: dubanctl COMMAND [ARGUMENT…] [--OPTION VALUE…]\n\n", f);
    for (size_t i = 0; i < NCOMMANDS; i++)
        fprintf(f, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n`dubanctl help COMMAND` tells its options. Where rows are printed, --json gives one object a line.\n"
          "Exit status: 0 done, 1 found problems, 2 usage, 3 could not.\n",
          f);
}

static void print_command(const struct ctl_command *c, FILE *f)
{
    fprintf(f, "usage: dubanctl %s%s%s [--OPTION…]\n\n%s\n\n", c->name, *c->arguments ? " " : "",
            c->arguments, c->summary);
    for (const struct ctl_option *o = c->options; o->name; o++)
        fprintf(f, "  --%s%s%-*s %s\n", o->name, o->value ? " " : "",
                (int)(16 - strlen(o->name) - (o->value ? 1 : 0)), o->value ? o->value : "", o->help);
    if (!c->one_form)
        fprintf(f, "  --%-16s %s\n", "json", "one JSON object a line");
}

static const struct ctl_command *find_command(const char *name)
{
    struct slice names[NCOMMANDS];
    for (size_t i = 0; i < NCOMMANDS; i++) {
        if (!strcmp(commands[i]->name, name))
            return commands[i];
        names[i] = slice_of(commands[i]->name);
    }
    struct slice near = nearest_name(slice_of(name), names, NCOMMANDS);
    fprintf(stderr, "dubanctl: no command '%s'", name);
    if (near.n)
        fprintf(stderr, "; did you mean '%.*s'?", SLICE_ARG(near));
    fputs("\n`dubanctl help` lists the commands.\n", stderr);
    return NULL;
}

static bool unknown_option(struct ctl_call *call, const char *name)
{
    struct slice names[CTL_OPTIONS_MAX + 2] = {S("help"), S("json")};
    size_t n = call->command->one_form ? 1 : 2;
    for (const struct ctl_option *o = call->command->options; o->name; o++)
        names[n++] = slice_of(o->name);
    struct slice near = nearest_name(slice_of(name), names, n);
    ctl_fail(call, CTL_USAGE, "no option --%s%s%.*s%s", name, near.n ? "; did you mean --" : "",
             SLICE_ARG(near), near.n ? "?" : "");
    return false;
}

/* One "--name", "--name=value" or "--name value"; *at is its place in argv and moves past what was taken. */
static bool read_option(struct ctl_call *call, char **argv, int *at)
{
    char *name = argv[*at] + 2;
    char *equals = strchr(name, '=');
    if (equals)
        *equals = '\0';
    if (!strcmp(name, "json") && !call->command->one_form) {
        if (equals)
            ctl_fail(call, CTL_USAGE, "--json takes no value");
        return call->json = !equals;
    }
    for (int i = 0; i < CTL_OPTIONS_MAX && call->command->options[i].name; i++) {
        const struct ctl_option *o = &call->command->options[i];
        if (strcmp(o->name, name))
            continue;
        if (!o->value && equals) {
            ctl_fail(call, CTL_USAGE, "--%s takes no value", name);
            return false;
        }
        if (o->value && !equals && !argv[*at + 1]) {
            ctl_fail(call, CTL_USAGE, "--%s needs a value: %s", name, o->value);
            return false;
        }
        const char *before = call->value[i], *value = !o->value ? "" : equals ? equals + 1 : argv[++*at];
        call->value[i] = o->many && before ? arena_printf(call->arena, "%s\n%s", before, value).p : value;
        return true;
    }
    return unknown_option(call, name);
}

static bool read_arguments(struct ctl_call *call, int argc, char **argv)
{
    call->argument = ARENA_ARRAY(call->arena, const char *, (size_t)argc + 1);
    bool options = true;
    for (int i = 0; i < argc; i++) {
        if (options && !strcmp(argv[i], "--"))
            options = false;
        else if (options && !strcmp(argv[i], "-v")) {
            char *verbose[] = {(char[]){"--verbose"}, NULL};
            if (!read_option(call, verbose, &(int){0}))
                return false;
        } else if (options && !strncmp(argv[i], "--", 2)) {
            if (!read_option(call, argv, &i))
                return false;
        } else
            call->argument[call->nargs++] = argv[i];
    }
    const struct ctl_command *c = call->command;
    if (call->nargs < c->least || (c->most >= 0 && call->nargs > c->most)) {
        ctl_fail(call, CTL_USAGE, "expected %s; `dubanctl help %s` tells more",
                 *c->arguments ? c->arguments : "no argument", c->name);
        return false;
    }
    for (int i = 0; i < CTL_OPTIONS_MAX && c->options[i].name; i++)
        if (c->options[i].required && !call->value[i]) {
            ctl_fail(call, CTL_USAGE, "--%s %s is needed", c->options[i].name, c->options[i].value);
            return false;
        }
    return true;
}

static enum ctl_exit help(const char *name)
{
    if (!name) {
        print_commands(stdout);
        return CTL_DONE;
    }
    const struct ctl_command *c = find_command(name);
    if (c)
        print_command(c, stdout);
    return c ? CTL_DONE : CTL_USAGE;
}

int main(int argc, char **argv)
{
    log_set_level(LOG_WARN); /* what an engine reports of its turns is for a daemon's log */
    if (argc < 2) {
        print_commands(stderr);
        return CTL_USAGE;
    }
    if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        return help(argc > 2 ? argv[2] : NULL);
    if (argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")))
        return help(argv[1]);
    struct ctl_call call = {.command = find_command(argv[1])};
    if (!call.command)
        return CTL_USAGE;
    call.arena = arena_new();
    enum ctl_exit status = read_arguments(&call, argc - 2, argv + 2) ? call.command->run(&call) : CTL_USAGE;
    if (fflush(stdout) == EOF)
        status = ctl_fail(&call, CTL_COULD_NOT, "standard output: %s", strerror(errno));
    arena_free(call.arena);
    return (int)status;
}
