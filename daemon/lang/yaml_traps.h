/* What looks like YAML and is none: full-width punctuation, blanks that are no spaces, texts that begin with
 * a sign of YAML's. */
#ifndef DUBAND_YAML_TRAPS_H
#define DUBAND_YAML_TRAPS_H

#include "lang/yaml.h"

/* After the parser gave up at `line` with `said`: tells every such thing in the file's lines. True if one of
 * them is why. */
bool traps_in_lines(const struct bundle_file *file, struct diags *d, int line, const char *said);
/* What helps with a message of the parser's; NULL: nothing known. */
const char *traps_hint(const char *said);

/* Of a key without quotes: 「title：督办」 is one word to YAML. Told, and taken apart: the value that was
 * meant, or NULL. */
#define TRAPS_MAX 20 /* told of one file, and of one tree */
struct yaml *trap_key(struct yaml *key, struct diags *d, int *told);
/* Of a text without quotes: blanks at its ends that YAML keeps: told, and taken away; a tab in it. */
void trap_scalar(struct yaml *node, struct diags *d, int *told);
/* Of a text where a map should be: whether it is one with a full-width colon in it. Told. */
bool trap_map(const struct yaml *node, struct diags *d);
/* Whether a # follows the key where its value should stand. */
bool trap_comment(const struct yaml *key);

#endif
