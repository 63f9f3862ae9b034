/* Bytes against a layout: what fits is put into a message on the way. Every event's bytes come through here:
 * what is usual (a tag and a length of one byte, ASCII) is tried first, and inline. */
#include "wire/layout.h"

enum {
    DEPTH_MAX = 100,       /* messages within messages; the usual limit of protobuf */
    MESSAGES_MAX = 200000, /* messages in one record: bounds what a small record can unpack to */
    FIELD_NUMBER_MAX = 536870911,
    ROOM_FIRST = 8 /* items of a list */
};

struct check {
    enum proto_mode mode;
    struct arena *arena; /* the message's */
    struct reasons *why;
    size_t messages;
};

/* A message that is being read. */
struct part {
    const struct layout *l;
    char *m;
    const struct path *at;
    uint64_t seen; /* numbers of the fields that may come once */
    int depth;
};

/* A field as it stands in bytes. */
struct taken {
    uint64_t tag;
    uint64_t number;   /* of a varint, else the length of its bytes */
    const char *value; /* its length included */
    const char *bytes;
};

/* ---- off the bytes: `p` moves behind what is taken */

struct varint {
    const char *after; /* NULL: there is none */
    uint64_t v;
};

static struct varint long_varint(const char *p, const char *end)
{
    uint64_t v = 0;
    for (unsigned shift = 0; p < end && shift < 70; shift += 7) {
        unsigned char c = (unsigned char)*p++;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return (struct varint){shift == 63 && c > 1 ? NULL : p, v}; /* no more than 64 bits */
    }
    return (struct varint){NULL, 0};
}

static inline bool take_varint(const char **p, const char *end, uint64_t *out)
{
    if (*p < end && (signed char)**p >= 0) { /* nearly all of them */
        *out = (unsigned char)*(*p)++;
        return true;
    }
    struct varint v = long_varint(*p, end);
    *p = v.after;
    *out = v.v;
    return v.after;
}

bool proto_take_varint(struct slice *rest, uint64_t *out)
{
    const char *p = rest->p, *end = p + rest->n;
    if (!take_varint(&p, end, out))
        return false;
    *rest = (struct slice){p, (size_t)(end - p)};
    return true;
}

static inline bool take_value(const char **p, const char *end, struct taken *t)
{
    unsigned wire = t->tag & 7;
    t->value = t->bytes = *p;
    if (wire == WIRE_LENGTH) {
        if (!take_varint(p, end, &t->number))
            return false;
    } else if (wire == WIRE_VARINT) {
        return take_varint(p, end, &t->number);
    } else if (wire == WIRE_64BIT || wire == WIRE_32BIT) {
        t->number = wire == WIRE_64BIT ? 8 : 4;
    } else { /* groups, which proto3 does not have, and types that do not exist */
        return false;
    }
    t->bytes = *p;
    if (t->number > (size_t)(end - *p))
        return false;
    *p += t->number;
    return true;
}

/* *f: as what it is known; NULL: it is not. */
static inline bool take_field(const char **p, const char *end, const struct layout *l, struct taken *t,
                              const struct layout_field **f)
{
    t->tag = (unsigned char)**p;
    *f = t->tag < LAYOUT_TAGS ? l->by_tag[t->tag] : NULL;
    if (*f) {
        ++*p;
        return take_value(p, end, t);
    }
    if (!take_varint(p, end, &t->tag) || t->tag >> 3 == 0 || t->tag >> 3 > FIELD_NUMBER_MAX)
        return false;
    *f = layout_number(l, t->tag >> 3);
    return take_value(p, end, t);
}

/* ---- what does not fit */

/* A Struct's inner names say nothing to its sender. */
static const struct path *path_of(const struct part *in, const struct path *field)
{
    return in->l->google ? in->at : field;
}

static bool refuse(struct check *c, const struct part *in, const struct layout_field *f, const char *what)
{
    struct path here = {in->at, f->f->name, -1};
    reasons_at(c->why, path_of(in, &here), "%s", what);
    return false;
}

static bool refuse_again(struct check *c, const struct part *in, const struct layout_field *f,
                         uint64_t before)
{
    if (before & f->bit)
        return refuse(c, in, f, "given twice");
    struct path here = {in->at, f->f->name, -1};
    const struct layout_field *first = layout_number(in->l, (unsigned)__builtin_ctzll(before));
    reasons_at(c->why, path_of(in, &here), "given beside %s: only one of them may be", first->f->name);
    return false;
}

/* Asked of what others send: a field comes once, and of a oneof one member. */
static inline bool first_time(struct check *c, struct part *in, const struct layout_field *f)
{
    uint64_t before = in->seen & f->once;
    in->seen |= f->bit;
    return !before || refuse_again(c, in, f, before);
}

/* Asked of what others send, too. */
static bool number_fits(struct check *c, const struct part *in, const struct layout_field *f, uint64_t v)
{
    if (f->type == PROTOBUF_C_TYPE_UINT32 && v > UINT32_MAX)
        return refuse(c, in, f, "a number too large for its field");
    if (f->type != PROTOBUF_C_TYPE_ENUM ||
        protobuf_c_enum_descriptor_get_value(f->f->descriptor, (int)(uint32_t)v))
        return true;
    struct path here = {in->at, f->f->name, -1};
    reasons_at(c->why, path_of(in, &here), "%lld is no value of %s that this version knows",
               (long long)(int32_t)(uint32_t)v, ((const ProtobufCEnumDescriptor *)f->f->descriptor)->name);
    return false;
}

/* ---- texts */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Not 0: a byte is not ASCII, or is NUL. */
static inline uint64_t odd_in(uint64_t eight)
{
    return (eight | (eight - EACH(1))) & EACH(0x80);
}

static inline uint64_t copy_eight(char *to, const char *from)
{
    uint64_t eight;
    memcpy(&eight, from, sizeof eight);
    memcpy(to, &eight, sizeof eight);
    return odd_in(eight);
}

/* Less than eight bytes, as they stand in memory (little-endian machines), and zeros behind them. */
static inline uint64_t few_bytes(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    uint32_t first, last;
    if (s.n < 4)
        return s.n ? p[0] | (uint64_t)p[s.n / 2] << 8 * (s.n / 2) | (uint64_t)p[s.n - 1] << 8 * (s.n - 1) : 0;
    memcpy(&first, p, sizeof first);
    memcpy(&last, p + s.n - sizeof last, sizeof last);
    return first | (uint64_t)last << 8 * (s.n - sizeof last);
}

/* A copy that ends in NUL. *plain: it is ASCII, and there is no NUL in it. */
static inline char *copy_text(struct arena *a, struct slice s, bool *plain)
{
    uint64_t odd = 0;
    if (s.n < 8) {
        uint64_t eight = few_bytes(s);
        char *to = arena_alloc(a, sizeof eight);
        memcpy(to, &eight, sizeof eight);
        *plain = !odd_in(eight | EACH(1) << 8 * s.n);
        return to;
    }
    char *to = arena_alloc(a, s.n + 1);
    for (size_t i = 0; i < s.n - 8; i += 8)
        odd |= copy_eight(to + i, s.p + i);
    *plain = !(odd | copy_eight(to + s.n - 8, s.p + s.n - 8));
    return to;
}

static bool text_fits(struct check *c, const struct part *in, const struct layout_field *f, struct slice s)
{
    if (!slice_is_utf8(s))
        return refuse(c, in, f, "the text is not UTF-8");
    return !memchr(s.p, 0, s.n) || refuse(c, in, f, "the text has a NUL byte in it");
}

/* ---- into the message */

/* The room of a list doubles: it is full whenever its length is a power of two. */
static inline bool room_ends(size_t n)
{
    return (n & (n - 1)) == 0 && (n == 0 || n >= ROOM_FIRST);
}

static void *more_room(struct check *c, const void *items, size_t n, size_t size)
{
    void *more = arena_alloc(c->arena, (n ? n * 2 : ROOM_FIRST) * size);
    if (n)
        memcpy(more, items, n * size);
    return more;
}

static void *list_slot(struct check *c, const struct layout_field *f, char *m)
{
    size_t *n = (size_t *)(m + f->quantifier);
    char **items = (char **)(m + f->offset);
    if (room_ends(*n))
        *items = more_room(c, *items, *n, f->size);
    return *items + (*n)++ * f->size;
}

/* Where the value goes. A member of a oneof takes the place of whatever was there. */
static inline void *slot(struct check *c, const struct layout_field *f, char *m)
{
    if (f->list)
        return list_slot(c, f, m);
    if (f->oneof)
        *(uint32_t *)(m + f->quantifier) = f->number;
    return m + f->offset;
}

static void put_number(ProtobufCType type, void *at, uint64_t v)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)at = v;
        return;
    case PROTOBUF_C_TYPE_SINT64:
        *(uint64_t *)at = v >> 1 ^ -(v & 1);
        return;
    case PROTOBUF_C_TYPE_SINT32:
        *(uint32_t *)at = (uint32_t)v >> 1 ^ -((uint32_t)v & 1);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = v != 0;
        return;
    default:
        *(uint32_t *)at = (uint32_t)v;
    }
}

static bool check_fields(struct check *c, struct part *in, struct slice bytes);

/* One that comes again, in a record of our own, adds to the first; not so in a oneof. */
static inline bool put_part(struct check *c, const struct part *in, const struct layout_field *f,
                            struct slice bytes, ProtobufCMessage **m)
{
    struct path here = {in->at, f->f->name, -1};
    if (in->depth == DEPTH_MAX)
        return refuse(c, in, f, "nested too deep");
    if (++c->messages > MESSAGES_MAX)
        return refuse(c, in, f, "too many parts");
    if (!*m || f->oneof)
        *m = proto_new(f->message->d, c->arena);
    struct part part = {f->message, (char *)*m, path_of(in, &here), 0, in->depth + 1};
    return check_fields(c, &part, bytes);
}

static inline bool put_field(struct check *c, const struct part *in, const struct layout_field *f,
                             const struct taken *t)
{
    struct slice bytes = {t->bytes, t->number};
    bool plain;
    if ((t->tag & 7) != f->wire)
        return refuse(c, in, f, "encoded as another type than the contract's");
    void *to = slot(c, f, in->m);
    if (f->type == PROTOBUF_C_TYPE_STRING) {
        *(char **)to = copy_text(c->arena, bytes, &plain);
        return plain || text_fits(c, in, f, bytes);
    }
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        return put_part(c, in, f, bytes, to);
    if (f->wire == WIRE_VARINT) {
        put_number(f->type, to, t->number);
        return c->mode == PROTO_LENIENT || number_fits(c, in, f, t->number);
    }
    if (f->type == PROTOBUF_C_TYPE_BYTES)
        *(ProtobufCBinaryData *)to = proto_bytes(arena_dup(c->arena, bytes));
    else
        memcpy(to, bytes.p, bytes.n); /* little-endian machines */
    return true;
}

/* What a newer version wrote goes along when the message is packed again. */
static bool keep_unknown(struct check *c, const struct part *in, uint64_t tag, struct slice value)
{
    ProtobufCMessage *m = (void *)in->m;
    size_t n = m->n_unknown_fields++;
    if (room_ends(n))
        m->unknown_fields = more_room(c, m->unknown_fields, n, sizeof *m->unknown_fields);
    m->unknown_fields[n] =
        (ProtobufCMessageUnknownField){.tag = (uint32_t)(tag >> 3),
                                       .wire_type = tag & 7,
                                       .len = value.n,
                                       .data = proto_bytes(arena_dup(c->arena, value)).data};
    if (c->mode == PROTO_STRICT)
        reasons_at(c->why, in->at, "field %u of %s is not known to this version", (unsigned)(tag >> 3),
                   in->l->d->name);
    return c->mode == PROTO_LENIENT;
}

/* Once the framing is broken nothing after it can be read; all other faults are collected. */
static bool check_fields(struct check *c, struct part *in, struct slice bytes)
{
    bool fine = true;
    for (const char *p = bytes.p, *end = p + bytes.n; p < end;) {
        const char *start = p;
        struct taken t;
        const struct layout_field *f;
        if (!take_field(&p, end, in->l, &t, &f)) {
            reasons_at(c->why, in->at, "byte %zu of %zu: not a field of %s, or cut short",
                       (size_t)(start - bytes.p), bytes.n, in->l->d->name);
            return false;
        }
        if (f && c->mode == PROTO_STRICT && !first_time(c, in, f))
            fine = false;
        if (f ? put_field(c, in, f, &t)
              : keep_unknown(c, in, t.tag, (struct slice){t.value, (size_t)(p - t.value)}))
            continue;
        fine = false;
        if (c->messages > MESSAGES_MAX)
            return false;
    }
    return fine;
}

ProtobufCMessage *proto_read(const ProtobufCMessageDescriptor *d, struct slice bytes, enum proto_mode mode,
                             struct arena *a, struct reasons *why)
{
    struct check c = {.mode = mode, .arena = a, .why = why, .messages = 1};
    const struct layout *l = layout_of(d);
    ProtobufCMessage *m = proto_new(d, a);
    struct part part = {.l = l, .m = (char *)m};
    return !bytes.n || check_fields(&c, &part, bytes) ? m : NULL;
}
