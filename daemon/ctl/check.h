/* Loading a workflow's folder, for every command that takes one. */
#ifndef DUBAND_CTL_CHECK_H
#define DUBAND_CTL_CHECK_H

#include "ctl/ctl.h"
#include "lang/lang.h"

/* Reads and compiles DIR; prints its diagnostics (with --json as JSON lines). False when there is an error:
 * the command ends with CTL_PROBLEMS. Bundle and program live in call->arena; p may be NULL. */
bool ctl_load(const struct ctl_call *call, const char *dir, struct bundle *b, struct program **p);

#endif
