/* dubanctl's HTTP: addresses, escapes, and answers in whatever pieces they come. */
#include "unit_arena.h"

#include "ctl/client.h"

static void test_urls(void **state)
{
    static const struct {
        const char *url, *host, *port, *prefix; /* host NULL: refused */
    } cases[] = {
        {"http://127.0.0.1:8470", "127.0.0.1", "8470", ""}, {"HTTP://localhost", "localhost", "80", ""},
        {"http://h:1/duban/", "h", "1", "/duban"},          {"http://[::1]:8470/", "::1", "8470", ""},
        {"http://[::1]", "::1", "80", ""},                  {"https://h", NULL, NULL, NULL},
        {"http://", NULL, NULL, NULL},                      {"127.0.0.1:8470", NULL, NULL, NULL},
        {"http://h:0", NULL, NULL, NULL},                   {"http://h:65536", NULL, NULL, NULL},
        {"http://h:x", NULL, NULL, NULL},                   {"http://:80", NULL, NULL, NULL},
        {"http://a b", NULL, NULL, NULL},                   {"http://h\r\nX: y", NULL, NULL, NULL},
        {"http://[::1]x:80", NULL, NULL, NULL},             {"", NULL, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client_url u;
        struct err e;
        bool ok = client_url_parse(slice_of(cases[i].url), arena, &u, &e);
        if (ok != (cases[i].host != NULL))
            fail_msg("'%s': %s", cases[i].url, ok ? "taken" : e.text);
        if (!ok)
            continue;
        assert_slice(u.host, cases[i].host);
        assert_slice(u.port, cases[i].port);
        assert_slice(u.prefix, cases[i].prefix);
    }
}

static void test_escape(void **state)
{
    (void)state;
    assert_slice(client_escape(arena, S("office/suifenhe y1&=%")), "office%2Fsuifenhe%20y1%26%3D%25");
    assert_slice(client_escape(arena, S("甲")), "%E7%94%B2");
    assert_slice(client_escape(arena, S("a-z.A_Z~0")), "a-z.A_Z~0");
}

/* Feeds the text in pieces of `step` bytes; true if an answer came of it. */
static bool feed(const char *text, size_t step, struct client_answer *out, struct err *e)
{
    struct answer_reader r = {0};
    size_t n = strlen(text);
    bool ok = true;
    for (size_t at = 0; ok && at < n && !r.done; at += step) {
        buf_add(&r.in, (struct slice){text + at, n - at < step ? n - at : step});
        ok = answer_take(&r, arena, e);
    }
    if (ok && !r.done) {
        ok = answer_end(&r, e);
        if (ok)
            r.answer.body = arena_dup(arena, buf_slice(&r.body));
    }
    *out = r.answer;
    answer_reader_free(&r);
    return ok;
}

static void test_answers(void **state)
{
    static const struct {
        const char *text;
        int status;
        const char *body;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
        {"HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", 200, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\nA;x=y\r\nlo world!!\r\n0\r\nT: x\r\n\r\n", 200, "hello world!!"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}", 202, "{}"},
        {"HTTP/1.0 200 OK\r\n\r\nto the end", 200, "to the end"},
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"HTTP/1.1 503 Busy\nRetry-After: 7\nContent-Length: 1\n\nx", 503, "x"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step < 80; step++) {
            struct client_answer an;
            struct err e;
            if (!feed(cases[i].text, step, &an, &e))
                fail_msg("case %zu in pieces of %zu: %s", i, step, e.text);
            assert_int_equal(an.status, cases[i].status);
            assert_slice(an.body, cases[i].body);
            assert_int_equal(an.retry_after, an.status == 503 ? 7 : 0);
        }
}

static void test_bad_answers(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "without an answer"},
        {"HTTP/1.1 200 OK\r\nContent-Le", "without an answer"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "in the middle"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", "in the middle"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "malformed"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "malformed"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "length"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "length"},
        {"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "no colon"},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not speak HTTP"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step < 60; step += 7) {
            struct client_answer an;
            struct err e;
            if (feed(cases[i].text, step, &an, &e))
                fail_msg("taken: %s", cases[i].text);
            if (!strstr(e.text, cases[i].why))
                fail_msg("%s: said '%s'", cases[i].text, e.text);
        }
}

static void test_lines(void **state)
{
    struct slice body = S("one\ntwo\n\nlast"), line;
    (void)state;
    assert_true(client_line(&body, &line));
    assert_slice(line, "one");
    assert_true(client_line(&body, &line));
    assert_slice(line, "two");
    assert_true(client_line(&body, &line));
    assert_slice(line, "");
    assert_true(client_line(&body, &line));
    assert_slice(line, "last");
    assert_false(client_line(&body, &line));
}

static void test_errors(void **state)
{
    struct slice *errors;
    const struct client_answer said = {.status = 400, .body = S("{\"errors\":[\"kind: none\",\"unit: none\"]}")};
    const struct client_answer mute = {.status = 502, .body = S("<html>")};
    (void)state;
    assert_int_equal(client_errors(&said, arena, &errors), 2);
    assert_slice(errors[1], "unit: none");
    assert_int_equal(client_errors(&mute, arena, &errors), 1);
    assert_slice(errors[0], "the daemon answered with status 502");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),        cmocka_unit_test(test_escape), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_bad_answers), cmocka_unit_test(test_lines),  cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests_name("ctl_client", tests, setup, teardown);
}
