/* The head of a request, its query string and its chunks: what is taken, what is refused, and that no bytes
 * break it. */
#include "http/request.h"

#include "unit.h"

static int parse(const char *text, struct http_request *r)
{
    const char *why = NULL;
    int status = http_parse_head(slice_of(text), r, &why);

    assert_true((status == 0) == (why == NULL));
    return status;
}

static void check_slice(struct slice s, const char *expected)
{
    assert_true(slice_eq(s, slice_of(expected)));
}

static void test_a_request(void **state)
{
    struct http_request r;

    (void)state;
    assert_int_equal(parse("POST /v1/events?a=1&b HTTP/1.1\r\nHost: localhost:1\r\nContent-Length: "
                           "12\r\nX-Y:  a b \t\r\n\r\n",
                           &r),
                     0);
    check_slice(r.method, "POST");
    check_slice(r.path, "/v1/events");
    check_slice(r.query, "a=1&b");
    check_slice(http_header(&r, "x-y"), "a b");
    check_slice(http_header(&r, "CONTENT-length"), "12");
    check_slice(http_header(&r, "absent"), "");
    assert_true(r.keep_alive && !r.chunked && r.length == 12 && r.minor == 1);
    assert_int_equal(parse("GET http://localhost/x HTTP/1.1\nHost: localhost\n\n", &r), 0);
    check_slice(r.path, "/x");
}

static void test_connection(void **state)
{
    struct http_request r;

    (void)state;
    assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n", &r), 0);
    assert_false(r.keep_alive);
    assert_int_equal(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &r), 0);
    assert_true(r.keep_alive);
    assert_int_equal(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, close\r\n\r\n", &r), 0);
    assert_false(r.keep_alive);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        int status;
    } bad[] = {{"\r\n", 400},
               {"GET\r\n\r\n", 400},
               {"GET / HTTP/1.1\r\n\r\n", 400},
               {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
               {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
               {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
               {"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
               {"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
               {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
               {"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400},
               {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
               {"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400},
               {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400},
               {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400},
               {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
               {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
               {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
               {"GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417}};
    struct http_request r;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(parse(bad[i].text, &r), bad[i].status);
}

static void test_length_of_a_head(void **state)
{
    (void)state;
    assert_int_equal(http_head_length(S("")), 0);
    assert_int_equal(http_head_length(S("a\r\nb\r\n")), 0);
    assert_int_equal(http_head_length(S("a\r\n\r\nrest")), 5);
    assert_int_equal(http_head_length(S("a\n\nrest")), 3);
    assert_int_equal(http_head_length(S("a\r\n\r")), 0);
}

static void test_percent(void **state)
{
    struct arena *a = arena_new();
    struct slice out;

    (void)state;
    assert_true(http_percent_decode(S("a%2Fb%e4%B8%80+"), false, a, &out));
    check_slice(out, "a/b一+");
    assert_true(http_percent_decode(S("a+b"), true, a, &out));
    check_slice(out, "a b");
    assert_true(http_percent_decode(S("%41"), false, a, &out));
    check_slice(out, "A");
    assert_false(http_percent_decode(S("%"), false, a, &out));
    assert_false(http_percent_decode(S("%4"), false, a, &out));
    assert_false(http_percent_decode(S("%4g"), false, a, &out));
    assert_false(http_percent_decode(S("%00"), false, a, &out));
    assert_false(http_percent_decode(S("%ff"), false, a, &out));
    arena_free(a);
}

static void test_query(void **state)
{
    struct arena *a = arena_new();
    struct slice query = S("a=1&&b&c=x%3Dy&d=%"), name, value;
    bool bad;

    (void)state;
    assert_true(http_query_next(&query, a, &name, &value, &bad));
    check_slice(name, "a");
    check_slice(value, "1");
    assert_true(http_query_next(&query, a, &name, &value, &bad));
    check_slice(name, "b");
    check_slice(value, "");
    assert_true(http_query_next(&query, a, &name, &value, &bad));
    check_slice(value, "x=y");
    assert_false(http_query_next(&query, a, &name, &value, &bad));
    assert_true(bad);
    assert_false(http_query_next(&query, a, &name, &value, &bad));
    assert_false(bad);
    arena_free(a);
}

/* The same body, whatever pieces it comes in. */
static void test_chunks_in_any_pieces(void **state)
{
    const struct slice text = S("3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\nNEXT");

    (void)state;
    for (size_t piece = 1; piece <= text.n; piece++) {
        struct http_chunks c = {CHUNK_SIZE, 0};
        struct buf body = {0};
        size_t from = 0;

        for (size_t end = piece; c.state != CHUNK_DONE; end += piece) {
            size_t used;
            bool too_large;

            end = end < text.n ? end : text.n;
            assert_true(http_chunks_feed(&c, (struct slice){text.p + from, end - from}, &body, 13, &used,
                                         &too_large));
            from += used;
        }
        check_slice(buf_slice(&body), "abc0123456789");
        check_slice((struct slice){text.p + from, text.n - from}, "NEXT");
        buf_free(&body);
    }
}

static void test_chunks_refused(void **state)
{
    static const char *const bad[] = {"x\r\n", "\r\n", "-1\r\n", "1\r\nab\r\n", "10000000000000000\r\n",
                                      "1 \rx"};
    size_t used;
    bool too_large;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad - 1; i++) {
        struct http_chunks c = {CHUNK_SIZE, 0};
        struct buf body = {0};

        assert_false(http_chunks_feed(&c, slice_of(bad[i]), &body, 100, &used, &too_large));
        assert_false(too_large);
        buf_free(&body);
    }
    struct http_chunks c = {CHUNK_SIZE, 0};
    struct buf body = {0};
    assert_false(http_chunks_feed(&c, S("5\r\nabcde"), &body, 4, &used, &too_large));
    assert_true(too_large);
    buf_free(&body);
}

/* Mutations of a good request never make it read past its end (the sanitizers watch), nor point outside it.
 */
static void test_mutations(void **state)
{
    static const char good[] = "POST /v1/events?a=%41&b=2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                               "5\r\nExpect: 100-continue\r\n\r\n";
    uint64_t seed = seed_take();
    struct arena *a = arena_new();

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t n = sizeof good - 1 - (size_t)(random_next(&seed) % 8);
        char *text = mem_alloc(n);
        struct http_request r;
        const char *why;

        memcpy(text, good, n);
        for (int k = 0; k < 3; k++)
            text[random_next(&seed) % n] = (char)random_next(&seed);
        if (http_parse_head((struct slice){text, n}, &r, &why) == 0) {
            struct slice query = r.query, name, value;
            bool bad;

            assert_true(r.path.p >= text && r.path.p + r.path.n <= text + n);
            while (http_query_next(&query, a, &name, &value, &bad))
                ;
        }
        free(text);
        arena_reset(a);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request),
        cmocka_unit_test(test_connection),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_length_of_a_head),
        cmocka_unit_test(test_percent),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_chunks_in_any_pieces),
        cmocka_unit_test(test_chunks_refused),
        cmocka_unit_test(test_mutations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
