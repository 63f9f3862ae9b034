/* Measures that were issued, and whether they are what a check names. */
#ifndef DUBAND_CTL_SCENARIO_MATCH_H
#define DUBAND_CTL_SCENARIO_MATCH_H

#include "ctl/json.h"
#include "lang/yaml.h"
#include "wire/wire.h"

/* A measure as its record's JSON. Owned by whoever took it: json_decref. */
typedef json_t issued_t;

/* What a record issued, or NULL: not of these topics. */
issued_t *issued_read(const struct record *r, struct arena *scratch);
/* Each measure stands once: as its warning or supervision, or, if it is a notification only, as the
 * notification of its first recipient. */
bool issued_stands(const struct record *r, const issued_t *i);
/* The measure that a record stands for, or NULL. */
issued_t *issued_take(const struct record *r, struct arena *scratch);
/* How many of the pattern's keys the measure does not agree with. names (may be NULL): which, "limit, to". */
size_t issued_misses(const issued_t *i, const struct yaml *pattern, const struct tz *tz, struct arena *a,
                     struct slice *names);
/* One line for each key that is other: "limit: expected 2024-08-09, was 2024-08-10". Returns how many. */
size_t issued_differences(const issued_t *i, const struct yaml *pattern, const struct tz *tz, struct arena *a,
                          struct slice **line);
/* "2024-07-10 09:00 yellow-card unit u-01 subject i-017 basis 五（三） limit 2024-08-09 to [u-01] copy
 * [sfh-l01] (suifenhe-2024/workflow.yaml:231)" */
struct slice issued_print(const issued_t *i, const struct tz *tz, struct arena *a);
/* "{measure: yellow-card, unit: u-01}" */
struct slice pattern_print(const struct yaml *pattern, struct arena *a);
/* Pairs each pattern with a measure of its own: match[pattern] is a measure's index or -1, as many as can be.
 */
void issued_pair(issued_t *const *issued, size_t nissued, const struct yaml *const *pattern, size_t npatterns,
                 const struct tz *tz, struct arena *a, int *match);

#endif
