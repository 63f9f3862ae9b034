/* What is packed field by field is what protobuf-c packs: turns, instances and records of the changelog at random. Their bytes
 * are read by protobuf-c, which knows every field in them, and packed by it again. */
#include "wire_support.h"

#include "wire/proto.h"

#define ROUNDS 2000

static struct program *p;
static uint64_t seed;

static int setup_program(void **state)
{
    setup(state);
    p = small_program();
    seed = seed_take();
    return 0;
}

/* ---- values at random */

static int64_t dice(int64_t most)
{
    return random_between(&seed, 0, most);
}

static struct slice text(void)
{
    static const size_t lengths[] = {0, 0, 1, 9, 127, 128, 300, 5000};
    size_t n = lengths[dice(dice(30) ? 3 : 7)];
    char *out = arena_alloc(arena, n + 1);

    memset(out, 'a' + (int)dice(25), n);
    return (struct slice){out, n};
}

static struct slice *texts(size_t *n)
{
    struct slice *out = ARENA_ARRAY(arena, struct slice, 4);

    *n = (size_t)dice(3);
    for (size_t i = 0; i < *n; i++)
        out[i] = text();
    return out;
}

static int64_t number(void)
{
    int64_t v = (int64_t)(random_next(&seed) >> dice(63));

    return dice(3) ? v : dice(1) ? -v : 0;
}

static instant_t instant(void)
{
    static const instant_t odd[] = {INSTANT_NONE, INSTANT_MAX, 0, 1, -1, -62135596800000, -62135596799999, 253402300800000};

    return dice(2) ? random_between(&seed, -2000000000000, 2000000000000) : odd[dice(sizeof odd / sizeof *odd - 1)];
}

static struct period period(void)
{
    return (struct period){(enum period_kind)dice(PERIOD_YEAR), (int32_t)dice(2500)};
}

static struct cause cause(void)
{
    struct cause c = {.source = text(), .id = text(), .received = instant(), .due = INSTANT_NONE};

    if (dice(1))
        c.instance = text(), c.timer = text(), c.due = instant(), c.armed = number();
    return c;
}

static struct value value(int depth);

static struct value *values(size_t n, int depth)
{
    struct value *v = ARENA_ARRAY(arena, struct value, n);

    for (size_t i = 0; i < n; i++)
        v[i] = value(depth);
    return v;
}

static void fill_parts(struct value *v, int depth)
{
    size_t n = (size_t)dice(3);

    if (v->tag == VALUE_LIST) {
        v->list.n = n;
        v->list.item = values(n, depth + 1);
        return;
    }
    v->record.n = n;
    v->record.field = values(n, depth + 1);
    if (dice(1))
        v->record.name = ARENA_ARRAY(arena, struct slice, n);
    for (size_t i = 0; v->record.name && i < n; i++)
        v->record.name[i] = text();
}

static struct value value(int depth)
{
    struct value v = {.tag = (enum value_tag)dice(depth < 3 ? VALUE_RECORD : VALUE_PERIOD)};

    if (v.tag == VALUE_YESNO)
        v.yes = dice(1);
    else if (v.tag == VALUE_NUMBER)
        v.number = (struct rat){number(), dice(1) ? 1 : dice(1000) + 1};
    else if (v.tag == VALUE_TEXT)
        v.text = text();
    else if (v.tag == VALUE_DATE)
        v.date = (date_t)number();
    else if (v.tag == VALUE_INSTANT)
        v.instant = instant();
    else if (v.tag == VALUE_DURATION)
        v.duration = (struct duration){(int32_t)number(), (enum duration_unit)dice(DURATION_MONTH)};
    else if (v.tag == VALUE_PERIOD)
        v.period = period();
    else if (v.tag >= VALUE_LIST)
        fill_parts(&v, depth);
    return v;
}

/* ---- instances and turns at random */

static struct task *task(void)
{
    struct task *t = ARENA_NEW(arena, struct task);

    *t = (struct task){.opens = instant(),
                       .nominal = instant(),
                       .due = instant(),
                       .day = (date_t)number(),
                       .provisional = dice(1),
                       .reason = text(),
                       .soft_end = dice(1) ? instant() : 0,
                       .title = text(),
                       .basis = text()};
    t->owners = texts(&t->nowners);
    return t;
}

static struct standing standing(void)
{
    return (struct standing){.paused = dice(1) ? instant() : 0,
                             .asked = dice(1) ? instant() : 0,
                             .asked_until = text(),
                             .request = {text(), text()},
                             .waived = dice(1),
                             .excused = text(),
                             .extended = dice(1) ? instant() : 0};
}

static void fill_by_machine(struct instance *i, const struct machine *m)
{
    for (size_t k = 0; k < m->nkey; k++)
        i->key[k] = text();
    i->vars = values(m->nvars, 0);
    i->counts = ARENA_ARRAY(arena, struct count, m->ncounts);
    for (size_t c = 0; c < m->ncounts; c++)
        i->counts[c] = (struct count){period(), number()};
    i->latest = ARENA_ARRAY(arena, struct latest, m->nlatest);
    for (size_t l = 0; l < m->nlatest; l++)
        i->latest[l].field = dice(1) ? values(m->latest[l].nfields, 0) : NULL;
    i->ntimers = m->ntimers;
    i->timers = ARENA_ARRAY(arena, struct timer, m->ntimers);
    for (size_t t = 0; t < m->ntimers; t++)
        i->timers[t] = (struct timer){(int)t, (int)dice(2), instant(), instant(), number(), (int)dice(3), dice(1)};
    i->state = (int)dice((int64_t)m->nstates) - 1;
    if (m->of == MACHINE_TASK)
        i->task = task();
    i->next_period = period();
}

static struct instance *instance(void)
{
    struct instance *i = ARENA_NEW(arena, struct instance);

    i->machine = (int)dice(CARD);
    fill_by_machine(i, &p->machines[i->machine]);
    i->since = instant();
    i->limit = instant();
    i->born = cause();
    i->last = dice(1) ? i->born : cause();
    i->turns = (uint64_t)number();
    i->halted = dice(1);
    if (dice(1))
        i->standing = standing();
    return i;
}

static struct issued issued(const struct instance *i)
{
    struct issued is = {.measure = (int)dice(2),
                        .instance = i,
                        .unit = text(),
                        .subject = text(),
                        .about = text(),
                        .obligation = text(),
                        .period = period(),
                        .basis = text(),
                        .time = at("2024-04-03T09:00:00Z") + dice(400000000),
                        .due = instant(),
                        .limit = instant(),
                        .body = text(),
                        .document_title = text(),
                        .number = text(),
                        .place = (uint32_t)dice(2),
                        .n = (int)dice(2)};

    is.to = texts(&is.nto);
    is.copy = texts(&is.ncopy);
    if (dice(1)) {
        is.text = (struct document_text){.main = text(), .issuer = text(), .date = (date_t)dice(30000)};
        is.text.to = texts(&is.text.nto);
        is.text.copy = texts(&is.text.ncopy);
        is.text.attachment = texts(&is.text.nattachments);
    }
    return is;
}

static struct transition transition(const struct instance *i)
{
    struct transition t = {.instance = i, .kind = (int)dice(KIND_DECLARED + 1) - 1, .timer = -1, .place = (uint32_t)dice(2)};
    const struct machine *m = &p->machines[i->machine];

    t.from = (int)dice((int64_t)m->nstates) - 1;
    t.to = (int)dice((int64_t)m->nstates) - 1;
    if (t.kind == KIND_TIMER && dice(1))
        t.timer = (int)dice((int64_t)m->ntimers - 1);
    if (dice(4) == 0)
        t.moved_from = i->key;
    if (dice(4) == 0)
        t.moved_to = i->key;
    return t;
}

#define PARTS 3

static struct effects effects(void)
{
    struct effects fx = {.verdict = (enum verdict)dice(VERDICT_HALTED), .cause = cause(), .now = instant()};
    struct slice *proposals = ARENA_ARRAY(arena, struct slice, PARTS);

    fx.changed = ARENA_ARRAY(arena, struct instance *, PARTS);
    fx.was = ARENA_ARRAY(arena, const struct instance *, PARTS);
    fx.issued = ARENA_ARRAY(arena, struct issued, PARTS);
    fx.transitions = ARENA_ARRAY(arena, struct transition, PARTS);
    fx.nchanged = (size_t)dice(PARTS);
    for (size_t i = 0; i < fx.nchanged; i++) {
        fx.changed[i] = instance();
        fx.was[i] = dice(1) ? instance() : NULL;
        if (dice(1))
            fx.issued[fx.nissued++] = issued(fx.changed[i]);
        if (dice(1))
            fx.transitions[fx.ntransitions++] = transition(fx.changed[i]);
        if (dice(3) == 0) {
            struct issued is = issued(fx.changed[i]);
            is.id = text();
            proposals[fx.nproposals++] = wire_proposal_pack(p, &fx, &is, arena);
        }
    }
    fx.proposals = proposals;
    fx.reasons = texts(&fx.nreasons);
    return fx;
}

static struct record record(void)
{
    static const char *const names[] = {"ce_id", "ce_source", "ce_type", "ce_time", "content-type", "\xff", "x"};
    struct record r = {.topic = (enum topic)dice(TOPIC_COUNT - 1),
                       .partition = (int)dice(300) - 1,
                       .offset = number(),
                       .appended = instant(),
                       .key = text(),
                       .value = text(),
                       .header = ARENA_ARRAY(arena, struct header, 8)};

    for (int64_t n = dice(7); n > 0; n--)
        r.header[r.nheaders++] = (struct header){slice_of(names[dice(6)]), dice(5) ? text() : S("a\0b\xff")};
    return r;
}

/* ---- the tests */

static void assert_canonical(const ProtobufCMessageDescriptor *d, struct slice bytes)
{
    struct reasons why = {.arena = arena};

    if (!proto_read(d, bytes, PROTO_STRICT, arena, &why))
        fail_msg("%s: %.*s", d->name, SLICE_ARG(why.item[0]));
    ProtobufCMessage *m = protobuf_c_message_unpack(d, NULL, bytes.n, (const uint8_t *)bytes.p);
    assert_non_null(m);
    size_t n = protobuf_c_message_get_packed_size(m);
    uint8_t *again = arena_alloc(arena, n + 1);
    protobuf_c_message_pack(m, again);
    protobuf_c_message_free_unpacked(m, NULL);
    assert_int_equal(n, bytes.n);
    assert_memory_equal(again, bytes.p, n);
    assert_int_equal(bytes.p[n], 0);
}

static void instances(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        assert_canonical(&duban__v1__instance__descriptor, wire_instance_pack(p, instance(), arena));
        arena_reset(arena);
        p = small_program();
    }
}

static void turns(void **state)
{
    (void)state;
    struct history_head head = {0};

    for (int i = 0; i < ROUNDS; i++) {
        struct effects fx = effects();
        struct record in = record(), *outputs;
        size_t n;

        wire_outputs(p, &fx, arena, &outputs, &n);
        for (size_t o = 0; o < n; o++)
            assert_canonical(outputs[o].topic == TOPIC_WARNINGS      ? &duban__v1__warning__descriptor
                             : outputs[o].topic == TOPIC_SUPERVISION ? &duban__v1__supervision__descriptor
                                                                     : &duban__v1__notification__descriptor,
                             outputs[o].value);
        for (size_t o = 0; o < fx.nproposals; o++)
            assert_canonical(&duban__v1__proposal__descriptor, fx.proposals[o]);
        if (n > 0 && dice(1))
            outputs[n - 1] = in, outputs[n - 1].topic = TOPIC_REJECTED;
        assert_canonical(&duban__v1__history_record__descriptor,
                         wire_history_pack(p, &fx, dice(3) ? &in : NULL, outputs, n, &head, arena));
        arena_reset(arena);
        p = small_program();
    }
}

static struct slice seen_chunk(struct buf *chunk)
{
    buf_clear(chunk);
    for (int64_t n = dice(3); n > 0; n--)
        wire_seen_add(chunk, (struct seen_entry){text(), text()});
    return arena_dup(arena, buf_slice(chunk));
}

static void what_a_log_has(void **state)
{
    (void)state;
    struct buf chunk = {0};

    for (int i = 0; i < ROUNDS; i++) {
        struct record r = record();
        struct marker m = {.batch = (uint64_t)number(),
                           .input_next = {number(), number()},
                           .history_next = number(),
                           .clock_target = instant(),
                           .owner_url = text(),
                           .partitions = (uint32_t)number(),
                           .moved_to = text()};

        assert_canonical(&duban__v1__log_record__descriptor, wire_log_pack(&r, arena));
        assert_canonical(&duban__v1__marker__descriptor, wire_marker_pack(&m, arena));
        assert_canonical(&duban__v1__seen_chunk__descriptor, seen_chunk(&chunk));
        arena_reset(arena);
        p = small_program();
    }
    buf_free(&chunk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_program, teardown)
        TEST(instances),
        TEST(turns),
        TEST(what_a_log_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
