#include "ctl/folders.h"

#include <string.h>

static int is_partition(const struct dirent *d)
{
    return strncmp(d->d_name, "partition-", 10) == 0;
}

int folders_of_partitions(const char *data, struct dirent ***entry)
{
    return scandir(data, entry, is_partition, alphasort);
}
