/* How a workflow goes live, and how one version of it follows another: hold, quiet-before, migrate. */
#include "lang/machines.h"

/* 2024-06-01, or 2024-06-01 09:00, in the workflow's zone. */
static bool moment_parse(struct slice s, const struct tz *tz, instant_t *out)
{
    date_t day;
    if (!date_parse((struct slice){s.p, s.n < 10 ? s.n : 10}, &day))
        return false;
    *out = tz_instant(tz, day, 0);
    if (s.n == 10)
        return true;
    const char *p = s.p + 11;
    bool shaped = s.n == 16 && (s.p[10] == ' ' || s.p[10] == 'T') && p[2] == ':';
    for (int i = 0; shaped && i < 5; i++)
        shaped = i == 2 || (p[i] >= '0' && p[i] <= '9');
    int hour = shaped ? (p[0] - '0') * 10 + (p[1] - '0') : 0,
        minute = shaped ? (p[3] - '0') * 10 + (p[4] - '0') : 0;
    if (!shaped || hour > 23 || minute > 59)
        return false;
    *out = tz_instant(tz, day, (hour * INT64_C(60) + minute) * 60000);
    return true;
}

void going_live_compile(struct compiler *c)
{
    struct program *p = c->program;
    const struct yaml *quiet = yaml_get(c->root, "quiet-before");
    p->hold = read_yesno(c, yaml_get(c->root, "hold"), false);
    if (!is_scalar(quiet) || !p->tz)
        return;
    if (!moment_parse(quiet->text, p->tz, &p->quiet_before))
        ERROR_AT(c, VALUE, quiet, "2024-06-01, or 2024-06-01 09:00", "“%.*s” is no moment",
                 SLICE_ARG(quiet->text));
    else if (p->effective.until != DATE_NONE && p->quiet_before >= tz_instant(p->tz, p->effective.until, 0))
        WARN_AT(c, QUIET, quiet, "a moment within effective:", "the workflow ends before it issues anything");
}

/* Of states that no longer are; what stands for one must be. */
void migrate_compile(struct machine_at *at)
{
    struct compiler *c = at->c;
    struct machine *m = at->m;
    const struct yaml *map = yaml_get(at->node, "migrate");
    size_t n = map_size(c, map);
    m->migrate = ARENA_ARRAY(c->arena, struct migration, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct yaml *from = map->pairs[i].key, *to = map->pairs[i].value;
        if (machine_state(m, from->text) >= 0)
            ERROR_AT(c, MIGRATE, from, "a state that an earlier version had, and this one does not",
                     "“%.*s” is still a state of machine %.*s", SLICE_ARG(from->text), SLICE_ARG(m->name));
        if (!is_scalar(to)) {
            ERROR_AT(c, SHAPE, to, "a state of this machine", "expected a text here");
            continue;
        }
        int state = state_read(at, to);
        if (state >= 0)
            m->migrate[m->nmigrate++] = (struct migration){from->text, state};
    }
}
