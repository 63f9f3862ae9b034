/* dubanctl: commands as a table. A command is a name, what it does, its options, and a function. */
#ifndef DUBAND_CTL_H
#define DUBAND_CTL_H

#include <stdio.h>

#include "base/base.h"
#include "base/civil.h"

enum ctl_exit { CTL_DONE = 0, CTL_PROBLEMS = 1, CTL_USAGE = 2, CTL_COULD_NOT = 3 };

/* An option as a command declares it: "--from T". Every command has --help besides, and --json unless it is one_form. */
struct ctl_option {
    const char *name;  /* "from" */
    const char *value; /* "T": takes a value; NULL: a switch */
    const char *help;
    bool required;
    bool many; /* may be given several times: its value is all of them, one a line */
};
#define CTL_OPTIONS_MAX 16

struct ctl_call {
    const struct ctl_command *command;
    const char *value[CTL_OPTIONS_MAX]; /* by position in command->options; a switch that is set: "" */
    const char **argument;
    int nargs;
    bool json;
    struct arena *arena; /* for the whole call */
};

struct ctl_command {
    const char *name;
    const char *arguments; /* "DIR…" */
    const char *summary;
    int least, most; /* number of arguments; most -1: any */
    bool one_form;   /* what it prints has a form of its own: no --json */
    struct ctl_option options[CTL_OPTIONS_MAX];
    enum ctl_exit (*run)(struct ctl_call *call);
};

/* The value of an option, or NULL. Asking for one the command does not declare is a bug of ours. */
const char *ctl_value(const struct ctl_call *call, const char *name);
/* One line on stderr, "dubanctl check: …"; returns `status`. */
enum ctl_exit ctl_fail(const struct ctl_call *call, enum ctl_exit status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A time from the command line: RFC 3339, "2024-04-10 09:00" or a date, local in tz. False after saying what
 * was expected. */
bool ctl_time(const struct ctl_call *call, const char *what, const char *text, const struct tz *tz,
              instant_t *out);
bool ctl_date(const struct ctl_call *call, const char *what, const char *text, date_t *out);
/* A whole file ("-": standard input), at most 1 GiB. */
bool ctl_read_file(const struct ctl_call *call, const char *path, struct slice *out);
/* Whether f takes colours: a terminal, and NO_COLOR is not set. */
bool ctl_colours(FILE *f);

/* Each family in a file of its own. */
extern const struct ctl_command ctl_check, ctl_due, ctl_simulate, ctl_test;
extern const struct ctl_command ctl_explain, ctl_diff, ctl_new, ctl_graph;
extern const struct ctl_command ctl_schema, ctl_reference;
extern const struct ctl_command ctl_proposals, ctl_decide, ctl_document;
extern const struct ctl_command ctl_publish, ctl_send, ctl_play;
extern const struct ctl_command ctl_tasks, ctl_cases, ctl_scores, ctl_measures, ctl_history, ctl_events, ctl_workflows,
    ctl_topics, ctl_status, ctl_rejected, ctl_migrate_bus, ctl_verify;

#endif
