/* What is packed and read here is what protobuf-c packs and reads: messages of every kind, filled at random. */
#include "wire_support.h"

#include "wire/pack.h"

#define ROUNDS 3000
#define DEPTH_MOST 5

static uint64_t seed;

static int64_t dice(int64_t most)
{
    return random_between(&seed, 0, most);
}

/* Of any length: short ones mostly. */
static uint64_t number(void)
{
    uint64_t v = (uint64_t)dice(INT64_MAX - 1) * 2 + (uint64_t)dice(1);

    return v >> dice(63);
}

static char *text(void)
{
    static const size_t lengths[] = {0, 1, 5, 127, 128, 300, 3000};
    size_t n = lengths[dice(dice(9) ? 3 : 6)];
    char *out = arena_alloc(arena, n + 1);

    memset(out, 'a' + (int)dice(25), n);
    return out;
}

static ProtobufCMessage *message(const ProtobufCMessageDescriptor *d, int depth);

static void put(const ProtobufCFieldDescriptor *f, void *at, int depth)
{
    uint64_t v = dice(2) ? number() : 0;
    double real = dice(2) ? (double)(int64_t)number() / 1000 : 0;

    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)at = text();
        break;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)at = proto_bytes(slice_of(text()));
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)at = message(f->descriptor, depth + 1);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        memcpy(at, &real, sizeof real);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT64:
        memcpy(at, &v, 8);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = (int)dice(1);
        break;
    default:
        memcpy(at, &(uint32_t){(uint32_t)v}, 4);
    }
}

static void put_list(const ProtobufCFieldDescriptor *f, char *m, int depth)
{
    size_t n = (size_t)dice(3);
    size_t size = proto_sizes[f->type];
    char *items = arena_alloc(arena, n * size + 1);

    for (size_t i = 0; i < n; i++)
        put(f, items + i * size, depth);
    memcpy(m + f->offset, &items, sizeof items);
    memcpy(m + f->quantifier_offset, &n, sizeof n);
}

static void add_unknown(ProtobufCMessage *m)
{
    static uint8_t varint[] = {0x96, 0x01}, bytes[] = {3, 'x', 'y', 'z'}; /* 150 */

    m->n_unknown_fields = (unsigned)dice(2);
    m->unknown_fields = ARENA_ARRAY(arena, ProtobufCMessageUnknownField, 2);
    m->unknown_fields[0] = (ProtobufCMessageUnknownField){2047, PROTOBUF_C_WIRE_TYPE_VARINT, 2, varint};
    m->unknown_fields[1] = (ProtobufCMessageUnknownField){77, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, 4, bytes};
}

static ProtobufCMessage *message(const ProtobufCMessageDescriptor *d, int depth)
{
    ProtobufCMessage *m = proto_new(d, arena);

    for (unsigned i = 0; i < d->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &d->fields[i];
        bool part = f->type == PROTOBUF_C_TYPE_MESSAGE;

        if (dice(2) == 0 || (part && depth >= DEPTH_MOST))
            continue;
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            put_list(f, (char *)m, depth);
            continue;
        }
        if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
            memset((char *)m + f->offset, 0, f->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) : 8);
            *(uint32_t *)((char *)m + f->quantifier_offset) = f->id;
            if (dice(9) == 0 && (part || f->type == PROTOBUF_C_TYPE_STRING))
                continue; /* the case says so, but nothing is there */
        }
        put(f, (char *)m + f->offset, depth);
    }
    if (dice(3) == 0)
        add_unknown(m);
    return m;
}

/* ---- field by field, as whoever packs an instance does it */

static void pack_message(struct packer *w, const ProtobufCMessage *m);

static uint64_t number_at(ProtobufCType type, const void *at)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_ENUM:
        return (uint64_t) * (const int32_t *)at;
    case PROTOBUF_C_TYPE_UINT32:
        return *(const uint32_t *)at;
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)at != 0;
    case PROTOBUF_C_TYPE_SINT32:
        return pack_zigzag(*(const int32_t *)at);
    case PROTOBUF_C_TYPE_SINT64:
        return pack_zigzag(*(const int64_t *)at);
    default:
        return *(const uint64_t *)at;
    }
}

static void pack_value(struct packer *w, const ProtobufCFieldDescriptor *f, const void *at, bool always)
{
    size_t mark = pack_mark(w);

    if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
        if (*(ProtobufCMessage *const *)at) {
            pack_message(w, *(ProtobufCMessage *const *)at);
            pack_part(w, f->id, mark);
        }
    } else if (f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_BYTES) {
        bool text = f->type == PROTOBUF_C_TYPE_STRING;
        struct slice s = text ? slice_of(*(char *const *)at) : proto_slice(*(const ProtobufCBinaryData *)at);
        (always ? pack_text_always : pack_text)(w, f->id, s);
    } else {
        (always ? pack_number_always : pack_number)(w, f->id, number_at(f->type, at));
    }
}

/* What a member of a oneof points at may be missing although the case names it. */
static void pack_field(struct packer *w, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    const char *at = (const char *)m + f->offset;
    bool oneof = f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;

    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        for (size_t n = *(const size_t *)((const char *)m + f->quantifier_offset); n-- > 0;)
            pack_value(w, f, *(const char *const *)at + n * proto_sizes[f->type], true);
    } else if (!oneof || (*(const uint32_t *)((const char *)m + f->quantifier_offset) == f->id &&
                          (f->type != PROTOBUF_C_TYPE_STRING || *(char *const *)at))) {
        pack_value(w, f, at, oneof);
    }
}

static void pack_message(struct packer *w, const ProtobufCMessage *m)
{
    for (unsigned i = m->n_unknown_fields; i-- > 0;) /* those of add_unknown */
        if (m->unknown_fields[i].wire_type == PROTOBUF_C_WIRE_TYPE_VARINT)
            pack_number(w, m->unknown_fields[i].tag, 150);
        else
            pack_text(w, m->unknown_fields[i].tag, S("xyz"));
    for (unsigned i = m->descriptor->n_fields; i-- > 0;)
        pack_field(w, m, &m->descriptor->fields[i]);
}

static void assert_same(struct slice got, const ProtobufCMessage *m)
{
    struct slice expected = proto_pack(m, arena);

    assert_int_equal(got.n, expected.n);
    assert_memory_equal(got.p, expected.p, got.n);
}

static struct slice packed_within(const ProtobufCMessage *m, char *room, size_t n)
{
    struct packer w;

    pack_begin_in(&w, room, n);
    pack_message(&w, m);
    return (struct slice){(char *)w.p, pack_mark(&w)};
}

static void assert_packed(const ProtobufCMessage *m)
{
    size_t before = (size_t)dice(40), room = protobuf_c_message_get_packed_size(m) + PACK_HEAD_BYTES, all = before + room + 40;
    char *bytes = memset(arena_alloc(arena, all), 'x', all);
    struct packer w;

    pack_begin(&w, arena);
    pack_message(&w, m);
    struct slice got = pack_end(&w);
    assert_same(got, m);
    assert_int_equal(got.p[got.n], 0);
    assert_same(packed_within(m, bytes + before, room), m);
    for (size_t i = 0; i < all; i++)
        if (i < before || i >= before + room)
            assert_int_equal(bytes[i], 'x');
}

static const ProtobufCMessageDescriptor *const all[] = {
    &duban__v1__instance__descriptor, &duban__v1__history_record__descriptor, &duban__v1__notification__descriptor,
    &duban__v1__proposal__descriptor, &duban__v1__value__descriptor,          &duban__v1__input_event__descriptor,
    &google__protobuf__struct__descriptor,
};
#define KINDS (sizeof all / sizeof *all)
#define OWN_KINDS 5 /* the first of them: what is packed field by field, and has no doubles */

static void random_messages(void **state)
{
    (void)state;
    seed = seed_take();
    for (size_t i = 0; i < ROUNDS; i++) {
        assert_packed(message(all[i % OWN_KINDS], 0));
        arena_reset(arena);
    }
}

static bool says(struct slice reason, const char *what)
{
    return memmem(reason.p, reason.n, what, strlen(what)) != NULL;
}

/* Parts that come twice are put together, by rules of each reader's own. Of very many reasons not all are told. */
static bool comes_twice(const ProtobufCMessageDescriptor *d, struct slice bytes)
{
    struct reasons why = {.arena = arena};

    proto_read(d, bytes, PROTO_STRICT, arena, &why);
    for (size_t i = 0; i < why.n; i++)
        if (says(why.item[i], "given twice") || says(why.item[i], "given beside") ||
            says(why.item[i], "and more reasons"))
            return true;
    return false;
}

/* Whatever is taken is taken as protobuf-c takes it. */
static bool assert_read(const ProtobufCMessageDescriptor *d, struct slice bytes)
{
    struct reasons why = {.arena = arena};
    const ProtobufCMessage *m = proto_read(d, bytes, PROTO_LENIENT, arena, &why);

    if (m == NULL) {
        assert_true(why.n > 0);
        return false;
    }
    ProtobufCMessage *theirs = protobuf_c_message_unpack(d, NULL, bytes.n, (const uint8_t *)bytes.p);
    assert_non_null(theirs);
    struct slice a = proto_pack(m, arena), b = proto_pack(theirs, arena);
    if (!comes_twice(d, bytes) && (a.n != b.n || memcmp(a.p, b.p, a.n) != 0))
        fail_msg("%s of %zu bytes is read otherwise", d->name, bytes.n);
    protobuf_c_message_free_unpacked(theirs, NULL);
    return true;
}

static void random_bytes(void **state)
{
    (void)state;
    size_t taken = 0;

    seed = seed_take();
    for (size_t i = 0; i < ROUNDS; i++) {
        const ProtobufCMessageDescriptor *d = all[i % KINDS];
        struct slice one = proto_pack(message(d, 2), arena), two = proto_pack(message(d, 2), arena);

        assert_true(assert_read(d, one));
        for (int n = 0; n < 5; n++) {
            struct slice damaged = arena_join(arena, (const struct slice[]){one, two}, n > 2 ? 2 : 1);
            char *bytes = (char *)(uintptr_t)damaged.p;

            for (int64_t k = dice(2); damaged.n > 0 && k >= 0; k--)
                bytes[dice((int64_t)damaged.n - 1)] = (char)dice(255);
            taken += assert_read(d, damaged);
        }
        arena_reset(arena);
    }
    assert_true(taken > ROUNDS / 10);
}

/* Lists of numbers would be packed, which neither side here does. */
static void no_lists_of_numbers(const ProtobufCMessageDescriptor *d, int depth)
{
    for (unsigned i = 0; i < d->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &d->fields[i];

        assert_true(f->label != PROTOBUF_C_LABEL_REPEATED || proto_wires[f->type] == WIRE_LENGTH);
        if (f->type == PROTOBUF_C_TYPE_MESSAGE && depth < DEPTH_MOST)
            no_lists_of_numbers(f->descriptor, depth + 1);
    }
}

static void all_contracts(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++)
        no_lists_of_numbers(all[i], 0);
}

/* The last text counts, lists are one list, and a part goes on. */
static void fields_that_come_twice(void **state)
{
    (void)state;
    struct reasons why = {.arena = arena};
    Duban__V1__HistoryRecord one = DUBAN__V1__HISTORY_RECORD__INIT, two = one;
    Duban__V1__CausedBy first = DUBAN__V1__CAUSED_BY__INIT, second = first;
    char *reasons[] = {proto_text(arena, S("a")), proto_text(arena, S("b")), proto_text(arena, S("c"))};

    one.cause = &first, two.cause = &second;
    first.source = proto_text(arena, S("s")), second.id = proto_text(arena, S("i"));
    one.workflow = proto_text(arena, S("x")), two.workflow = proto_text(arena, S("y"));
    one.reasons = reasons, one.n_reasons = 3;
    two.reasons = reasons, two.n_reasons = 2;
    const struct slice both[] = {proto_pack(&one.base, arena), proto_pack(&two.base, arena)};
    const ProtobufCMessageDescriptor *d = &duban__v1__history_record__descriptor;
    struct slice bytes = arena_join(arena, both, 2);
    const Duban__V1__HistoryRecord *m = (const void *)proto_read(d, bytes, PROTO_LENIENT, arena, &why);
    assert_non_null(m);
    assert_string_equal(m->workflow, "y");
    assert_int_equal(m->n_reasons, 5);
    assert_string_equal(m->reasons[4], "b");
    assert_string_equal(m->cause->source, "s");
    assert_string_equal(m->cause->id, "i");
    assert_null(proto_read(d, bytes, PROTO_STRICT, arena, &why));
}

/* As many as fit: what is kept of them grows with their number. */
static void many_unknown_fields(void **state)
{
    (void)state;
    size_t n = 1 << 19;
    char *bytes = arena_alloc(arena, n * 4);

    for (size_t i = 0; i < n; i++)
        memcpy(bytes + i * 4, "\xf8\xff\x03\x01", 4);
    assert_true(assert_read(&duban__v1__rational__descriptor, (struct slice){bytes, n * 4}));
}

/* Far longer than what it begins with. */
static void long_values(void **state)
{
    (void)state;
    for (size_t n = PACK_FIRST_BYTES - 100; n < PACK_FIRST_BYTES + 100; n++) {
        Duban__V1__Notification m = DUBAN__V1__NOTIFICATION__INIT;

        m.body = memset(arena_alloc(arena, n + 1), 'b', n);
        m.id = memset(arena_alloc(arena, n * 300 + 1), 'i', n * 300);
        assert_packed(&m.base);
        arena_reset(arena);
    }
}

static void extreme_numbers(void **state)
{
    (void)state;
    static const int64_t v[] = {INT64_MIN, INT32_MIN, -64, -1, 0, 1, 63, 64, 127, 128, INT32_MAX, INT64_MAX};

    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        Duban__V1__Rational r = DUBAN__V1__RATIONAL__INIT;
        Duban__V1__Duration d = DUBAN__V1__DURATION__INIT;
        Google__Protobuf__Timestamp t = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

        r.num = r.den = v[i];
        d.n = (int32_t)v[i];
        d.unit = (uint32_t)v[i];
        t.seconds = v[i];
        t.nanos = (int32_t)v[i];
        assert_packed(&r.base);
        assert_packed(&d.base);
        assert_packed(&t.base);
    }
}

static void times(void **state)
{
    (void)state;
    static const instant_t odd[] = {
        INSTANT_NONE,    INSTANT_MAX,    0, 1, 999, 1000, -1, -1000, -1001, -62135596800000, -62135596799999, -62135596799000,
        253402300799999, 253402300800000};

    seed = seed_take();
    for (size_t i = 0; i < ROUNDS; i++) {
        instant_t t = i < sizeof odd / sizeof *odd ? odd[i] : random_between(&seed, -70000000000000, 300000000000000);
        Duban__V1__HistoryRecord m = DUBAN__V1__HISTORY_RECORD__INIT;
        struct packer w;

        m.now = proto_timestamp(arena, t);
        pack_begin(&w, arena);
        pack_time(&w, FIELD_HISTORY_RECORD__NOW, t);
        assert_same(pack_end(&w), &m.base);
        arena_reset(arena);
    }
}

static void texts_of_many_pieces(void **state)
{
    (void)state;
    const struct slice piece[] = {S("a"), S(""), S("bc"), S("def")};
    Duban__V1__HistoryRecord m = DUBAN__V1__HISTORY_RECORD__INIT;
    char *reasons[] = {proto_text(arena, piece[0]), proto_text(arena, piece[1]), proto_text(arena, piece[2])};
    struct packer w;

    m.workflow = proto_text(arena, S("abcdef"));
    m.reasons = reasons, m.n_reasons = 3;
    pack_begin(&w, arena);
    pack_texts(&w, FIELD_HISTORY_RECORD__REASONS, piece, 3);
    pack_joined(&w, FIELD_HISTORY_RECORD__WORKFLOW, piece, 4);
    assert_same(pack_end(&w), &m.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(random_messages),
        TEST(random_bytes),
        TEST(fields_that_come_twice),
        TEST(all_contracts),
        TEST(many_unknown_fields),
        TEST(long_values),
        TEST(extreme_numbers),
        TEST(times),
        TEST(texts_of_many_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
