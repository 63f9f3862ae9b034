/* The account of one measure, or of what holds an instance where it is: headed lines, for people and as JSON.
 */
#ifndef DUBAND_CTL_EXPLAIN_H
#define DUBAND_CTL_EXPLAIN_H

#include "ctl/trail.h"
#include "lang/lang.h"

struct account {
    struct arena *arena;
    const struct program *p;
    const struct bundle *bundle;
    struct slice title;
    struct account_part {
        const char *head;
        struct text_lines lines;
    } * item;
    size_t n, cap;
};
/* The part's lines, to be added to. */
struct text_lines *account_part(struct account *a, const char *head);
void account_print(const struct account *a, FILE *f);
json_t *account_json(const struct account *a); /* {title, HEAD: [line, …], …} */

/* Why the measure (its record as JSON), issued in turn `turn` of the trail. */
void explain_measure(struct account *a, const struct trail *t, const json_t *measure, size_t turn);
/* Why none of the rules of the state that the instance is in was taken, when each was last looked at. */
void explain_why_not(struct account *a, const struct trail *t, struct slice instance);

#endif
