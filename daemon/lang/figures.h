/* Indicators and constants, before and after every name is known. */
#ifndef DUBAND_FIGURES_H
#define DUBAND_FIGURES_H

#include "lang/build.h"

void constants_declare(struct compiler *c);
void indicators_declare(
    struct compiler *c); /* after the built-in kinds: a reading's indicator is one of these */
void indicators_compile(struct compiler *c);

#endif
