/* The file of a store, made longer ahead of what is written to it. */
#ifndef DUBAND_AHEAD_H
#define DUBAND_AHEAD_H

#include <stdint.h>

struct ahead {
    int fd;
    uint64_t end; /* bytes that the file is known to have */
};

/* used: bytes of the file that hold something. page: size of what is written at random later. What fails is left to those who write. */
void ahead_of(struct ahead *a, uint64_t used, uint64_t page);

#endif
