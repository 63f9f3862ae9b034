/* The pages of a mapped file that this process has before it. The page cache keeps them whatever becomes of that, but they count as the
 * process's memory, and readers of a large store soon have all of it before them. */
#ifndef DUBAND_STORE_PAGES_H
#define DUBAND_STORE_PAGES_H

#include <stddef.h>

struct pages {
    char *at; /* NULL: not known, and nothing is done */
    size_t n;
    size_t most; /* bytes, of all files of this process; 0: no bound */
    unsigned looks;
};

#define PAGES_MOST ((size_t)32 << 20) /* if nobody says otherwise */

/* The map of the file, for LMDB does not tell where it is. */
void pages_find(struct pages *p, int fd);
/* Lets go of them when they have become many; those that are needed come back by themselves, and what points into them stays good. */
void pages_hide(const struct pages *p);
/* One more entry is looked at: now and then, the same. One thread. */
void pages_look(struct pages *p);

#endif
