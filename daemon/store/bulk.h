/* Many entries for an empty store, in any order: sorted in bounded memory, the last of each key kept, and put in key order, which is the
 * fastest way there is. What does not fit the memory goes to a file without a name, in runs, which are merged. One thread. */
#ifndef DUBAND_BULK_H
#define DUBAND_BULK_H

#include "store/store.h"

struct bulk;

/* folder: where the file goes. bytes: of memory, at least a mebibyte, in every phase; a single entry may need more. */
struct bulk *bulk_new(const char *folder, size_t bytes);
void bulk_free(struct bulk *b); /* NULL is fine */

/* value.p NULL: the key is gone. False and e: the file could not be written, nothing more can be done with it. */
bool bulk_put(struct bulk *b, enum table_id table, struct slice key, struct slice value, struct err *e);

/* No more puts. Then bulk_next yields what is left, by table and key. */
bool bulk_turn(struct bulk *b, struct err *e);
struct bulk_entry {
    enum table_id table;
    struct slice key, value; /* until the next call */
};
/* False: the end, or (*failed, with e) the file could not be read. */
bool bulk_next(struct bulk *b, struct bulk_entry *out, bool *failed, struct err *e);

#endif
