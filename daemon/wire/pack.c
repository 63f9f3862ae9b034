#include "wire/pack.h"

/* ---- room */

static __attribute__((noinline)) void grow(struct packer *w, size_t n)
{
    size_t used = (size_t)(w->end - w->p), size = (size_t)(w->end - w->start) * 2;
    while (size - used < n)
        size *= 2;
    unsigned char *start = arena_alloc(w->arena, size + 1);
    memcpy(start + size - used, w->p, used);
    w->start = start;
    w->end = start + size;
    w->p = w->end - used;
}

/* Where n bytes before what is written end. */
static inline unsigned char *room(struct packer *w, size_t n)
{
    if (n > (size_t)(w->p - w->start))
        grow(w, n);
    return w->p;
}

struct slice pack_end(const struct packer *w)
{
    struct slice s = {(const char *)w->p, (size_t)(w->end - w->p)};
    return w->start == w->first ? arena_dup(w->arena, s) : s;
}

/* ---- pieces; p: what stands behind. The start of what was put. */

static inline unsigned char *bytes_before(unsigned char *p, struct slice s)
{
    p -= s.n;
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

static __attribute__((noinline)) unsigned char *long_varint_before(unsigned char *p, uint64_t v)
{
    size_t n = (70u - (unsigned)__builtin_clzll(v)) / 7; /* 7 bits a byte */
    p -= n;
    for (size_t i = 0; i < n - 1; i++, v >>= 7)
        p[i] = (unsigned char)(v | 0x80);
    p[n - 1] = (unsigned char)v;
    return p;
}

static inline unsigned char *varint_before(unsigned char *p, uint64_t v)
{
    if (v >= 0x80)
        return long_varint_before(p, v);
    *--p = (unsigned char)v;
    return p;
}

/* Of one byte, or of two: no contract has a field past 2047. */
static inline unsigned char *tag_before(unsigned char *p, unsigned field, enum proto_wire wire)
{
    unsigned tag = field << 3 | wire;
    if (tag >= 0x80) {
        *--p = (unsigned char)(tag >> 7);
        tag |= 0x80;
    }
    *--p = (unsigned char)tag;
    return p;
}

/* ---- fields */

void pack_raw(struct packer *w, struct slice s)
{
    w->p = bytes_before(room(w, s.n), s);
}

void pack_text_always(struct packer *w, unsigned field, struct slice s)
{
    unsigned char *p = bytes_before(room(w, s.n + PACK_HEAD_BYTES), s);
    w->p = tag_before(varint_before(p, s.n), field, WIRE_LENGTH);
}

void pack_number_always(struct packer *w, unsigned field, uint64_t v)
{
    w->p = tag_before(varint_before(room(w, PACK_HEAD_BYTES), v), field, WIRE_VARINT);
}

void pack_part(struct packer *w, unsigned field, size_t mark)
{
    size_t n = pack_mark(w) - mark;
    w->p = tag_before(varint_before(room(w, PACK_HEAD_BYTES), n), field, WIRE_LENGTH);
}

void pack_texts(struct packer *w, unsigned field, const struct slice *s, size_t n)
{
    while (n-- > 0)
        pack_text_always(w, field, s[n]);
}

void pack_joined(struct packer *w, unsigned field, const struct slice *piece, size_t n)
{
    size_t mark = pack_mark(w);
    while (n-- > 0)
        pack_raw(w, piece[n]);
    pack_part(w, field, mark);
}

void pack_time(struct packer *w, unsigned field, instant_t t)
{
    int64_t seconds;
    int32_t nanos;
    size_t mark = pack_mark(w);
    if (!proto_seconds(t, &seconds, &nanos))
        return;
    pack_number(w, FIELD_TIMESTAMP__NANOS, (uint64_t)nanos);
    pack_number(w, FIELD_TIMESTAMP__SECONDS, (uint64_t)seconds);
    pack_part(w, field, mark);
}

/* ---- any message */

struct slice proto_pack(const ProtobufCMessage *m, struct arena *a)
{
    size_t n = protobuf_c_message_get_packed_size(m);
    unsigned char *p = arena_alloc(a, n + 1);
    protobuf_c_message_pack(m, p);
    return (struct slice){(char *)p, n};
}
