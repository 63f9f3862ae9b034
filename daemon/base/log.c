#include "base/log.h"
#include "base/civil.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const level_name[] = {"debug", "info", "warn", "error"};
static atomic_int least_level = LOG_INFO;

void log_set_level(enum log_level least)
{
    atomic_store(&least_level, (int)least);
}

static void add_time(struct buf *b)
{
    struct timespec now;
    int year, month, day;
    clock_gettime(CLOCK_REALTIME, &now);
    int s = (int)(now.tv_sec % 86400);
    date_to_civil((date_t)(now.tv_sec / 86400), &year, &month, &day);
    buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, s / 3600, s / 60 % 60, s % 60,
               (int)(now.tv_nsec / 1000000));
}

static void add_quoted(struct buf *b, struct slice s)
{
    bool text = slice_is_utf8(s);
    buf_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            buf_printf(b, "\\%c", c);
        else if (c == '\n')
            buf_add(b, S("\\n"));
        else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !text))
            buf_printf(b, "\\x%02x", c);
        else
            buf_byte(b, c);
    }
    buf_byte(b, '"');
}

void log_write(enum log_level level, const char *fmt, ...)
{
    if ((int)level < atomic_load(&least_level))
        return;
    struct buf line = {0}, message = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&message, fmt, ap);
    va_end(ap);
    buf_add(&line, S("time="));
    add_time(&line);
    buf_printf(&line, " level=%s msg=", level_name[level]);
    add_quoted(&line, buf_slice(&message));
    buf_byte(&line, '\n');
    if (write(STDERR_FILENO, line.p, line.n) < 0) {
        /* nobody reads the log; there is nobody else to tell */
    }
    buf_free(&message);
    buf_free(&line);
}
