/* Messages as bytes, straight from what they tell of. They are written from the end: how long a part is is
 * known when its turn comes, so that nothing is measured first. Fields are therefore put in the reverse of
 * their order. What is empty or zero is left out, as proto3 has it. For wire's own files only. */
#ifndef DUBAND_WIRE_PACK_H
#define DUBAND_WIRE_PACK_H

#include "duban/v1/fields.h"
#include "wire/proto.h"

#define PACK_FIRST_BYTES 2048u
#define PACK_HEAD_BYTES 20u /* at most, of a tag and a length or number */

/* What is written stands from p to the end. */
struct packer {
    struct arena *arena;
    unsigned char *start, *p, *end;
    unsigned char first[PACK_FIRST_BYTES]; /* longer ones move to the arena */
};

static inline void pack_begin(struct packer *w, struct arena *a)
{
    w->arena = a;
    w->start = w->first;
    w->p = w->end = w->first + sizeof w->first;
}

/* Where there is room for all that is to come. */
static inline void pack_begin_in(struct packer *w, char *room, size_t n)
{
    w->arena = NULL;
    w->start = (unsigned char *)room;
    w->p = w->end = w->start + n;
}

/* What was written, in the arena, with a NUL behind it. */
struct slice pack_end(const struct packer *w);

/* Bytes as they are: fields packed before, a piece of a text. */
void pack_raw(struct packer *w, struct slice s);

/* The value even if it is empty or zero: of a list, or of a oneof. */
void pack_text_always(struct packer *w, unsigned field, struct slice s);
void pack_number_always(struct packer *w, unsigned field, uint64_t v);

/* Of a text or bytes. */
static inline void pack_text(struct packer *w, unsigned field, struct slice s)
{
    if (s.n)
        pack_text_always(w, field, s);
}

static inline void pack_number(struct packer *w, unsigned field, uint64_t v)
{
    if (v)
        pack_number_always(w, field, v);
}

/* As a field of type sint32 or sint64 has it. */
static inline uint64_t pack_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

void pack_texts(struct packer *w, unsigned field, const struct slice *s, size_t n);
/* One text of many pieces. */
void pack_joined(struct packer *w, unsigned field, const struct slice *piece, size_t n);
/* A Timestamp, where there is one: see proto_timestamp. */
void pack_time(struct packer *w, unsigned field, instant_t t);

/* A message within: its fields are put between the two. */
static inline size_t pack_mark(const struct packer *w)
{
    return (size_t)(w->end - w->p);
}
void pack_part(struct packer *w, unsigned field, size_t mark);

#endif
