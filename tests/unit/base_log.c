#include "unit.h"

#include "base/log.h"

/* What a log call writes to stderr. */
static char *written_by(void (*call)(void))
{
    static char text[8192];
    FILE *f = tmpfile();
    int saved = dup(STDERR_FILENO);
    assert_non_null(f);
    dup2(fileno(f), STDERR_FILENO);
    call();
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void plain(void)
{
    log_warn("督办 %d", 7);
}

static void awkward(void)
{
    log_error("a \"b\" \\ c\nd\te\x7f");
}

static void foreign(void)
{
    log_info("督\xff");
}

static void too_low(void)
{
    log_debug("unseen");
}

static void lines_are_logfmt(void **state)
{
    int year, month, day, hour, minute, second, ms, end = 0;
    (void)state;
    const char *line = written_by(plain);
    assert_int_equal(sscanf(line, "time=%4d-%2d-%2dT%2d:%2d:%2d.%3dZ level=warn msg=\"%n", &year, &month,
                            &day, &hour, &minute, &second, &ms, &end),
                     7);
    assert_true(end > 0 && year >= 2024 && month <= 12);
    assert_string_equal(line + end, "督办 7\"\n");
    line = written_by(awkward);
    assert_non_null(strstr(line, "level=error msg=\"a \\\"b\\\" \\\\ c\\nd\\x09e\\x7f\"\n"));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1); /* one line, whatever is in it */
    assert_non_null(strstr(written_by(foreign), "msg=\"\\xe7\\x9d\\xa3\\xff\""));
}

static void levels_are_kept(void **state)
{
    (void)state;
    assert_string_equal(written_by(too_low), "");
    log_set_level(LOG_DEBUG);
    assert_non_null(strstr(written_by(too_low), "level=debug msg=\"unseen\""));
    log_set_level(LOG_ERROR);
    assert_string_equal(written_by(plain), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_logfmt),
        cmocka_unit_test(levels_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
