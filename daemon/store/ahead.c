/* Linux keeps what is written in one go in large pieces of its cache (folios, on ext4 since 6.16), and writing a page into such
 * a piece later costs it many times as much as into one of its own: it looks at every block of the piece. A state that is
 * filled in large writes and then changed at random would be slow for good. So the file gets its pages one by one beforehand. */
#include "store/ahead.h"

#include <sys/stat.h>
#include <unistd.h>

#define MOST_BYTES (UINT64_C(16) << 20)
#define PART 8 /* of what is used; a small store needs no more */
#define PAGE_MOST 65536

void ahead_of(struct ahead *a, uint64_t used, uint64_t page)
{
    static const char zero[PAGE_MOST];
    uint64_t more = used / PART < MOST_BYTES ? used / PART : MOST_BYTES;
    struct stat st;
    if (used + more / 2 < a->end || page > PAGE_MOST)
        return;
    a->end = fstat(a->fd, &st) == 0 && (uint64_t)st.st_size > used ? (uint64_t)st.st_size : used;
    a->end -= a->end % page;
    while (a->end < used + more && pwrite(a->fd, zero, page, (off_t)a->end) == (ssize_t)page)
        a->end += page;
}
