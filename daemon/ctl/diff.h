/* Two definitions compared: what is said, and what a history would have come to under either. */
#ifndef DUBAND_CTL_DIFF_H
#define DUBAND_CTL_DIFF_H

#include "ctl/check.h"

enum change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED, CHANGE_MOVED };
extern const char *const change_words[];

struct change {
    enum change_kind kind;
    struct slice thing; /* "obligation monthly (月报)", "unit w-03", "workflow" */
    struct slice path;  /* within it: "due", "states.yellow.rules[when ranked]"; empty: the thing itself */
    struct slice was, is;
    struct slice old_place, new_place; /* file:line; empty where there is none */
};
struct changes {
    struct arena *arena;
    struct change *item;
    size_t n, cap;
};
struct change *change_add(struct changes *c, enum change_kind kind);

/* ---- diff_yaml.c: the workflow's file and its fragments, key by key */
void diff_documents(struct changes *c, const struct bundle *old, const struct bundle *now);
/* ---- diff_csv.c: rosters, relations, tables, calendars, row by row; other files as a whole */
void diff_rows(struct changes *c, const struct bundle *old, const struct bundle *now);

/* ---- diff_state.c: prints what the stopped daemon's history in `folder` comes to under both. */
struct definition_side {
    const struct bundle *bundle;
    const struct program *p;
};
enum ctl_exit diff_state(const struct ctl_call *call, const struct definition_side *old,
                         const struct definition_side *now, const char *folder);

#endif
