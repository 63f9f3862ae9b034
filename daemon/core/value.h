/* Values and their static types. Plain data; everything they point to belongs to an arena or to the program. */
#ifndef DUBAND_VALUE_H
#define DUBAND_VALUE_H

#include "base/base.h"
#include "base/civil.h"
#include "base/rat.h"

/* What a value is at run time. Units, table rows, enum words and attachments are text. */
enum value_tag {
    VALUE_NA, /* not there, or not applicable: neither yes nor no, equal to nothing */
    VALUE_YESNO,
    VALUE_NUMBER,
    VALUE_TEXT,
    VALUE_DATE,
    VALUE_INSTANT,
    VALUE_DURATION,
    VALUE_PERIOD,
    VALUE_LIST,  /* a set is a list whose items ascend without repeats */
    VALUE_RECORD /* fields by position, as its type lists them; untyped input carries names */
};

struct value {
    enum value_tag tag;
    union {
        bool yes;
        struct rat number;
        struct slice text;
        date_t date;
        instant_t instant;
        struct duration duration;
        struct period period;
        struct {
            struct value *item;
            size_t n;
        } list;
        struct {
            struct value *field;
            struct slice *name; /* NULL once typed */
            size_t n;
        } record;
    };
};

/* Total order within one tag (lists and records item by item); different tags order by tag. NA equals only NA here:
 * this is for sorting and for storage, not the language's `=`. */
int value_cmp(const struct value *a, const struct value *b);
struct value value_copy(struct arena *a, const struct value *v); /* deep */
/* As people write it: yes, 3.5, 2024-03-29, 2024Q1, [a, b]; instants in the zone tz (NULL: UTC). */
struct slice value_format(struct arena *a, const struct value *v, const struct tz *tz);

/* What the language knows about a value before anything runs. */
enum type_tag {
    TYPE_YESNO,
    TYPE_NUMBER,
    TYPE_TEXT,
    TYPE_ENUM, /* one of `words` */
    TYPE_DATE,
    TYPE_INSTANT,
    TYPE_DURATION,
    TYPE_PERIOD, /* of period_kind; PERIOD_ONCE here means: of any kind */
    TYPE_UNIT,   /* the id of a unit of the roster */
    TYPE_ROW,    /* the key of a row of `table` */
    TYPE_ATTACHMENT, /* a reference: name or URL */
    TYPE_SET,        /* of `of` */
    TYPE_LIST,       /* of `of` */
    TYPE_RECORD      /* of `fields` */
};

struct type {
    enum type_tag tag;
    bool optional;
    enum period_kind period_kind;
    int table; /* index into program.tables */
    const struct type *of;
    const struct slice *words;
    size_t nwords;
    const struct field *fields;
    size_t nfields;
};

struct field {
    struct slice name;
    struct type type;
};

/* "set of unit", "前 | 后", "optional date": as a diagnostic or a rejection says what was expected. */
struct slice type_format(struct arena *a, const struct type *t);

#endif
