/* What every command needs: its options' values, complaints, times, files. */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/when.h"

const char *ctl_value(const struct ctl_call *call, const char *name)
{
    for (int i = 0; i < CTL_OPTIONS_MAX && call->command->options[i].name; i++)
        if (!strcmp(call->command->options[i].name, name))
            return call->value[i];
    fprintf(stderr, "dubanctl: bug: %s has no option --%s\n", call->command->name, name);
    abort();
}

enum ctl_exit ctl_fail(const struct ctl_call *call, enum ctl_exit status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "dubanctl %s: ", call->command->name);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    return status;
}

bool ctl_date(const struct ctl_call *call, const char *what, const char *text, date_t *out)
{
    if (date_parse(slice_of(text), out))
        return true;
    ctl_fail(call, CTL_USAGE, "%s: '%s' is no date; expected one like 2024-03-29", what, text);
    return false;
}

bool ctl_time(const struct ctl_call *call, const char *what, const char *text, const struct tz *tz,
              instant_t *out)
{
    if (when_parse(slice_of(text), tz, out))
        return true;
    ctl_fail(call, CTL_USAGE, "%s: '%s' is no time; expected %s", what, text, WHEN_EXPECTED);
    return false;
}

bool ctl_read_file(const struct ctl_call *call, const char *path, struct slice *out)
{
    const size_t most = (size_t)1 << 30;
    FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    if (!f) {
        ctl_fail(call, CTL_COULD_NOT, "%s: %s", path, strerror(errno));
        return false;
    }
    struct buf b = {0};
    size_t got = 1;
    while (got && b.n <= most) {
        buf_reserve(&b, 65536);
        got = fread(b.p + b.n, 1, 65536, f);
        b.n += got;
    }
    bool ok = !ferror(f) && b.n <= most;
    if (!ok)
        ctl_fail(call, CTL_COULD_NOT, "%s: %s", path, b.n > most ? "larger than 1 GiB" : strerror(errno));
    else
        *out = arena_dup(call->arena, buf_slice(&b));
    buf_free(&b);
    if (f != stdin)
        fclose(f);
    return ok;
}

bool ctl_colours(FILE *f)
{
    return isatty(fileno(f)) && !getenv("NO_COLOR");
}
