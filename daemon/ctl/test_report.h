/* How scenarios went: for people, as JSON lines, as JUnit XML. */
#ifndef DUBAND_CTL_TEST_REPORT_H
#define DUBAND_CTL_TEST_REPORT_H

#include "ctl/ctl.h"
#include "ctl/scenario_run.h"

struct test_report {
    const struct ctl_call *call;
    bool verbose;
    size_t passed, failed;
    struct buf junit; /* the testcase elements so far */
};

/* One scenario that ran; ms: how long it took. */
void report_scenario(struct test_report *r, struct slice workflow, const struct scenario_run *run, double ms);
/* A file that is no scenario: its diagnostics are on stderr already. */
void report_unreadable(struct test_report *r, struct slice workflow, const struct bundle_file *file);
void report_coverage(struct test_report *r, struct slice workflow, const struct coverage *c);
/* The last line, and the JUnit file when one is asked for; false after saying why it cannot be written. */
bool report_end(struct test_report *r, const char *junit_path);

#endif
