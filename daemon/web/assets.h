/* The page's files as bytes in the program: the build turns each file of this folder that is no C into an
 * array. */
#ifndef DUBAND_WEB_ASSETS_H
#define DUBAND_WEB_ASSETS_H

#include "base/base.h"

struct web_asset {
    const char *name; /* index.html */
    const char *content_type;
    const unsigned char *bytes, *end;
};
extern const struct web_asset web_assets[];
extern const size_t web_nassets;

#endif
