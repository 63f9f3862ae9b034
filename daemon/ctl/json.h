/* Small conveniences over jansson for commands that read and print JSON. */
#ifndef DUBAND_CTL_JSON_H
#define DUBAND_CTL_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "base/base.h"

json_t *json_text(struct slice s); /* a new string; each byte that is not UTF-8 becomes U+FFFD */
/* The text member `name` of an object, as long as o lives; empty when there is none. */
struct slice json_member(const json_t *o, const char *name);
/* Prints o as one line and lets it go. */
void json_print(FILE *f, json_t *o);

#endif
