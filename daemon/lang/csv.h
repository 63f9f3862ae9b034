/* RFC 4180 CSV in UTF-8 with places: BOM and CRLF taken, quotes understood; ragged rows and foreign bytes diagnosed. Blanks around an
 * unquoted cell and empty lines mean nothing. At most 16 MB, 64 columns, 200000 rows. */
#ifndef DUBAND_CSV_H
#define DUBAND_CSV_H

#include "lang/lang.h"

struct csv {
    struct slice *header;
    size_t ncolumns;
    struct csv_row {
        int line;
        struct slice *cell; /* ncolumns */
    } *rows;
    size_t n;
    const struct bundle_file *file;
};
struct csv *csv_parse(const struct bundle_file *file, struct diags *d); /* NULL after an error, which is in d */
int csv_column(const struct csv *c, const char *name);                  /* -1: none */

#endif
