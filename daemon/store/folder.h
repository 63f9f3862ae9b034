/* A store's folder: made when needed, and held by one opener at a time. */
#ifndef DUBAND_STORE_FOLDER_H
#define DUBAND_STORE_FOLDER_H

#include "store/store.h"

struct folder;

/* write: creates the folder and its parents, and locks it against other processes. Within this process a
 * folder is opened once, whichever way: LMDB breaks silently otherwise. NULL and e when it cannot be had. */
struct folder *folder_open(const char *path, bool write, struct err *e);
void folder_close(struct folder *f);
const char *folder_path(const struct folder *f);

#endif
