/* Names for people beside the ids of a row, taken from the definition in force. */
#ifndef DUBAND_HTTP_TITLES_H
#define DUBAND_HTTP_TITLES_H

#include "engine/definition.h"
#include "store/store.h"

/* The definition last looked at: rows of one workflow come together. Give txn and arena; titles_end when
 * done. */
struct titles {
    struct store_txn *txn;
    struct arena *arena; /* at least as long as this */
    struct slice workflow;
    struct definition *definition; /* NULL: the workflow has none, or one that cannot be run */
};
const struct program *titles_program(struct titles *t, struct slice workflow);
void titles_end(struct titles *t);

/* The row with what it lacks of: unit_title, about_title, subject_title, obligation_title, level (of its
 * state: WARNING, YELLOW, RED …). */
struct slice titles_add(struct titles *t, struct slice row, struct arena *a);

#endif
