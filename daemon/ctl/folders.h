/* What a data folder holds of partitions. */
#ifndef DUBAND_CTL_FOLDERS_H
#define DUBAND_CTL_FOLDERS_H

#include <dirent.h>

/* As scandir, whose entries the caller frees: the folders partition-N in `data`, by name. */
int folders_of_partitions(const char *data, struct dirent ***entry);

#endif
