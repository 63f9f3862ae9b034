/* Bytes that are no UTF-8 text: which encoding they are in, told by name. */
#ifndef DUBAND_ENCODING_H
#define DUBAND_ENCODING_H

#include "lang/lang.h"

/* Says so, once, of a file in GBK, GB18030, UTF-16 or UTF-32, and of one whose lines end with CR alone: false
 * then. What is wrong with single bytes of a file in UTF-8 is not looked at. */
bool encoding_check(const struct bundle_file *file, struct diags *d);

#endif
