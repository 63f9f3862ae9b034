/* A store's folder: made when needed, and held by one opener at a time. */
#ifndef DUBAND_STORE_FOLDER_H
#define DUBAND_STORE_FOLDER_H

#include "store/store.h"

struct folder;

/* write: creates the folder and its parents, and locks it against other processes. Within this process a
 * folder is opened once, whichever way: LMDB breaks silently otherwise. NULL and e when it cannot be had. */
struct folder *folder_open(const char *path, bool write, struct err *e);
void folder_close(struct folder *f);
/* What is said of the folder's content to whoever opens it next. It outlives the process, and the machine's crash. */
enum folder_mark {
    FOLDER_WHOLE,
    FOLDER_PART,    /* it is only a part of something */
    FOLDER_RUNNING, /* written to without waiting for the disk, by this process or one before it since the machine's last start */
    FOLDER_LOST     /* the same, before that: nobody can tell what of it has reached the disk. Found, never set */
};
bool folder_mark(struct folder *f, enum folder_mark m, struct err *e); /* true: it is set, durably */
/* False: it cannot be told, so nothing may follow from it. */
bool folder_marked(const struct folder *f, enum folder_mark *m, struct err *e);
/* True as well when there is no such file. */
bool folder_remove(struct folder *f, const char *name, struct err *e);
/* Files whose names begin so are nobody's once the folder is opened: they go. */
#define FOLDER_SCRATCH "restore-"
bool folder_sweep(struct folder *f, struct err *e);
const char *folder_path(const struct folder *f);

#endif
