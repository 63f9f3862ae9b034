/* What descriptors say of a message, laid out as reading wants it: fields are found by tag, number and name
 * at once. For wire's own files only. */
#ifndef DUBAND_WIRE_LAYOUT_H
#define DUBAND_WIRE_LAYOUT_H

#include "wire/proto.h"

#define LAYOUT_NUMBERS 64 /* fields have 1 to 63 in all contracts, so that a set of them is 64 bits */
#define LAYOUT_TAGS 128   /* of one byte */

/* Fields that messages of several kinds have, found by name once. */
enum layout_name {
    LAYOUT_OBLIGATION,
    LAYOUT_UNIT,
    LAYOUT_ABOUT,
    LAYOUT_PERIOD,
    LAYOUT_KIND,
    LAYOUT_REPORTER,
    LAYOUT_RANKING,
    LAYOUT_GROUNDS,
    LAYOUT_UNTIL,
    LAYOUT_FIELDS,
    LAYOUT_ATTACHMENTS,
    LAYOUT_SELECT,
    LAYOUT_NAMES
};

struct layout_field {
    const ProtobufCFieldDescriptor *f;
    const struct layout *message; /* of a field that is one */
    uint32_t offset, quantifier;  /* of the value, and of its count or of the oneof's case, in the message */
    uint8_t type;                 /* a ProtobufCType */
    uint8_t wire;                 /* an enum proto_wire */
    uint8_t size;                 /* of a value in the message */
    uint8_t number;
    bool list, oneof;
    uint64_t bit, once; /* its number, and all those of its oneof: one of them may come. Of a list: none */
};

struct layout {
    const ProtobufCMessageDescriptor *d;
    const struct rules *rules; /* NULL: none */
    bool google;               /* Struct and its parts, Timestamp */
    unsigned parts;            /* what may hold messages but google's, by number; of a oneof the first */
    const struct layout_field *part[LAYOUT_NUMBERS];
    /* NULL: no such field */
    const struct layout_field *by_number[LAYOUT_NUMBERS], *by_tag[LAYOUT_TAGS];
    const ProtobufCFieldDescriptor *by_name[LAYOUT_NAMES];
    struct layout_field field[];
};

/* Made when it is first asked for, and kept for good. Any thread. */
const struct layout *layout_of(const ProtobufCMessageDescriptor *d);

/* NULL: the message has no such field. */
static inline const struct layout_field *layout_number(const struct layout *l, uint64_t number)
{
    return number < LAYOUT_NUMBERS ? l->by_number[number] : NULL;
}

/* The field of m that the i-th part is now: of a oneof the member that is chosen. NULL: none. */
static inline const struct layout_field *layout_part(const struct layout *l, size_t i,
                                                     const ProtobufCMessage *m)
{
    const struct layout_field *f = l->part[i];
    return f->oneof ? layout_number(l, *(const uint32_t *)((const char *)m + f->quantifier)) : f;
}

#endif
