/* Shapes (lang/grammar.h) taken apart. */
#ifndef DUBAND_CTL_SHAPES_H
#define DUBAND_CTL_SHAPES_H

#include "base/base.h"

/* What stands before `at`, which is dropped with it; all of it where there is none. */
struct slice shape_cut(struct slice *s, const char *at);
bool shape_drop(struct slice *s, const char *prefix);
bool shape_constant(struct slice *s); /* drops `, constant` */
/* `3 to 9` */
bool shape_range(struct slice s, long *least, long *most);
/* As a part of a JSON pointer in a URI. */
const char *json_pointer(struct arena *a, struct slice name);

#endif
