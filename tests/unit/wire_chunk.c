/* History in chunks: what is put together comes apart as it was, and whatever else is there is not lost on the way. */
#include "duban/v1/state.pb-c.h"
#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const size_t lengths[] = {1, 127, 128, 300, 16383, 16384, 70000};
#define NLENGTHS (sizeof lengths / sizeof *lengths)

static struct buf record_of(size_t n, char c)
{
    struct buf b = {0};
    for (size_t i = 0; i < n; i++)
        buf_byte(&b, (unsigned char)c);
    return b;
}

static void test_apart(void **state)
{
    struct buf chunk = {0};
    struct slice rest, one;
    (void)state;
    for (size_t i = 0; i < NLENGTHS; i++) {
        struct buf r = record_of(lengths[i], (char)('a' + i));
        wire_chunk_add(&chunk, buf_slice(&r));
        buf_free(&r);
    }
    rest = buf_slice(&chunk);
    for (size_t i = 0; i < NLENGTHS; i++) {
        struct buf r = record_of(lengths[i], (char)('a' + i));
        assert_true(wire_chunk_next(&rest, &one));
        assert_true(slice_eq(one, buf_slice(&r)));
        buf_free(&r);
    }
    assert_false(wire_chunk_next(&rest, &one));
    buf_free(&chunk);
}

/* The contract's message is what is written. */
static void test_contract(void **state)
{
    unsigned char bytes[64];
    char workflow[] = "a";
    struct buf chunk = {0};
    (void)state;
    for (uint64_t i = 1; i <= 3; i++) {
        Duban__V1__HistoryRecord r = DUBAN__V1__HISTORY_RECORD__INIT;
        r.workflow = workflow;
        r.sequence = i;
        wire_chunk_add(&chunk, (struct slice){(char *)bytes, duban__v1__history_record__pack(&r, bytes)});
    }
    Duban__V1__HistoryChunk *c = duban__v1__history_chunk__unpack(NULL, chunk.n, (const uint8_t *)chunk.p);
    assert_non_null(c);
    assert_int_equal(c->n_records, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(c->records[i]->sequence, i + 1);
    duban__v1__history_chunk__free_unpacked(c, NULL);
    buf_free(&chunk);
}

/* A record by itself begins with its workflow. */
static void test_plain(void **state)
{
    struct slice rest = S("\x0a\x01" "a" "\x10\x01"), whole = rest, one;
    (void)state;
    assert_true(wire_chunk_next(&rest, &one));
    assert_true(slice_eq(one, whole));
    assert_false(wire_chunk_next(&rest, &one));
}

/* Cut off anywhere: whole records come as they are, what is left comes once, and nothing is read behind the end. */
static void test_cut(void **state)
{
    struct buf chunk = {0};
    struct slice one;
    (void)state;
    for (int i = 0; i < 3; i++)
        wire_chunk_add(&chunk, S("record"));
    for (size_t n = 1; n < chunk.n; n++) {
        char *cut = mem_alloc(n); /* of just that size: a sanitizer sees a step too far */
        memcpy(cut, chunk.p, n);
        struct slice rest = {cut, n};
        for (size_t i = 0; i < n / 9; i++) {
            assert_true(wire_chunk_next(&rest, &one));
            assert_true(slice_eq(one, S("record")));
        }
        assert_int_equal(wire_chunk_next(&rest, &one), n % 9 != 0);
        assert_int_equal(one.n, n % 9);
        assert_int_equal(rest.n, 0);
        free(cut);
    }
    buf_free(&chunk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_apart), cmocka_unit_test(test_contract), cmocka_unit_test(test_plain),
                                       cmocka_unit_test(test_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
