/* An account's making: from a trail to headed lines. */
#include "core/due.h"

#include "ctl/explain.h"

struct text_lines *account_part(struct account *a, const char *head)
{
    struct account_part *part = arena_push(a->arena, &a->item, &a->n, &a->cap, sizeof *part);
    *part = (struct account_part){head, {.arena = a->arena}};
    return &part->lines;
}

#define HEAD_COLUMNS 10

void account_print(const struct account *a, FILE *f)
{
    fprintf(f, "%.*s\n", SLICE_ARG(a->title));
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < a->item[i].lines.n; k++)
            fprintf(f, "  %-*s %.*s\n", HEAD_COLUMNS, k ? "" : a->item[i].head,
                    SLICE_ARG(a->item[i].lines.item[k]));
}

json_t *account_json(const struct account *a)
{
    json_t *o = json_object();
    json_object_set_new(o, "title", json_text(a->title));
    for (size_t i = 0; i < a->n; i++) {
        json_t *lines = json_object_get(o, a->item[i].head);
        if (!lines) {
            lines = json_array();
            json_object_set_new(o, a->item[i].head, lines);
        }
        for (size_t k = 0; k < a->item[i].lines.n; k++)
            json_array_append_new(lines, json_text(a->item[i].lines.item[k]));
    }
    return o;
}

/* ---- the rule, in its author's words */

static size_t indent_of(const char *line, const char *end)
{
    size_t n = 0;
    while (line + n < end && line[n] == ' ')
        n++;
    return n;
}

/* The lines of the file from the rule's first on, as far as they belong to it: those indented deeper. */
static void add_source(struct account *a, struct text_lines *out, const struct place *at)
{
    const struct bundle_file *file = NULL;
    for (size_t i = 0; i < a->bundle->n; i++)
        if (slice_eq(a->bundle->files[i].shown, at->file) || slice_eq(a->bundle->files[i].path, at->file))
            file = &a->bundle->files[i];
    if (!file)
        return;
    const char *p = file->content.p, *end = p + file->content.n;
    size_t first = 0;
    for (int line = 1; p < end; line++) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        eol = eol ? eol : end;
        size_t indent = indent_of(p, eol);
        if (line > at->line && (p + indent == eol || indent <= first))
            return;
        if (line == at->line)
            first = indent;
        if (line >= at->line)
            lines_add(out, "  %.*s", (int)(eol - p - (ptrdiff_t)first), p + first);
        p = eol + 1;
    }
}

static void add_rule(struct account *a, const struct trail_step *s)
{
    struct text_lines *rule = account_part(a, "rule");
    struct slice at = place_print(a->arena, a->p, s->rule->place);
    lines_add(rule, "%.*s, in state %.*s", SLICE_ARG(at), SLICE_ARG(s->machine->states[s->state].name));
    add_source(a, rule, &a->p->places[s->rule->place]);
    struct text_lines *guard = account_part(a, "guard");
    for (size_t i = 0; i < s->parts.n; i++)
        lines_add(guard, "%.*s", SLICE_ARG(s->parts.item[i]));
}

/* ---- counters that the condition looks at */

static bool looks_at(const struct expr *x, const struct machine *m, enum expr_op op, int index)
{
    if (!x)
        return false;
    if (x->op == op && x->index == index)
        return true;
    if (x->op == EXPR_LET && looks_at(m->lets[x->index].value, m, op, index))
        return true;
    for (size_t i = 0; i < x->nargs; i++)
        if (looks_at(x->arg[i], m, op, index))
            return true;
    return false;
}

/* The records that made the count what it was: from where it last began. */
static void add_count(struct account *a, const struct trail *t, const struct trail_step *rule,
                      const struct count_def *c)
{
    struct text_lines *out = account_part(a, "counter");
    size_t first = 0, last = 0;
    bool any = false;
    for (size_t i = 0; i < t->n && &t->item[i] <= rule; i++) {
        const struct trail_step *s = &t->item[i];
        if (s->what != STEP_COUNTED || s->count != c || !slice_eq(s->instance, rule->instance))
            continue;
        first = s->n <= 1 && s->holds ? i : first;
        last = i;
        any = any || s->holds;
    }
    const struct expr_names names = {a->p, rule->machine, c->kind};
    struct slice condition = expr_print(a->arena, &names, c->if_);
    lines_add(out, "%.*s: each %.*s%s%.*s%s%s%s", SLICE_ARG(c->name), SLICE_ARG(a->p->kinds[c->kind].name),
              condition.n ? ", if " : "", SLICE_ARG(condition), c->within != PERIOD_ONCE ? ", within " : "",
              c->within != PERIOD_ONCE ? period_kind_name(c->within) : "",
              c->consecutive ? ", consecutive" : "");
    for (size_t i = first; any && i <= last; i++) {
        const struct trail_step *s = &t->item[i];
        if (s->what == STEP_COUNTED && s->count == c && s->holds && slice_eq(s->instance, rule->instance))
            lines_add(out, "  %lld  %.*s: %.*s", (long long)s->n, SLICE_ARG(s->cause), SLICE_ARG(s->event));
    }
    if (!any)
        lines_add(out, "  nothing counted yet");
}

/* ---- the way to it, and its dates */

static void add_path(struct account *a, const struct trail *t, struct slice instance, size_t turn)
{
    struct text_lines *out = account_part(a, "path");
    for (size_t i = 0; i < t->n; i++) {
        const struct trail_step *s = &t->item[i];
        if (s->what != STEP_MOVED || s->turn > turn || !slice_eq(s->instance, instance))
            continue;
        lines_add(out, "%.*s  %.*s%s%.*s  %.*s%s%.*s",
                  SLICE_ARG(instant_format_local(a->arena, a->p->tz, s->now)),
                  SLICE_ARG(s->from.n ? s->from : S("born")), slice_eq(s->from, s->to) ? ", stays " : " → ",
                  SLICE_ARG(s->to), SLICE_ARG(s->at), s->at.n ? ", " : "", SLICE_ARG(s->cause));
    }
}

static void add_due(struct account *a, const struct task *task)
{
    const struct obligation *o = &a->p->obligations[task->obligation];
    struct due by_rule = due_of(a->p, o, task->period, a->arena);
    struct text_lines *out = account_part(a, "due");
    struct slice period = period_format(a->arena, task->period);
    lines_add(out, "%.*s %.*s%s%.*s", SLICE_ARG(o->name), SLICE_ARG(o->title), period.n ? ", " : "",
              SLICE_ARG(period));
    lines_add(out, "%.*s", SLICE_ARG(task->reason));
    if (task->nominal != INSTANT_MAX && task->nominal != task->due)
        lines_add(out, "nominal %.*s", SLICE_ARG(instant_format_local(a->arena, a->p->tz, task->nominal)));
    if (by_rule.effective != INSTANT_MAX && by_rule.effective != task->due && task->due != INSTANT_MAX)
        lines_add(out, "by the rule %.*s; moved since",
                  SLICE_ARG(instant_format_local(a->arena, a->p->tz, by_rule.effective)));
    if (task->due != INSTANT_MAX)
        lines_add(out, "effective %.*s%s", SLICE_ARG(instant_format_local(a->arena, a->p->tz, task->due)),
                  task->provisional ? ", provisional" : "");
}

static void add_limit(struct account *a, const json_t *measure)
{
    instant_t limit;
    if (!instant_parse(json_member(measure, "limit"), &limit))
        return;
    for (size_t i = 0; i < a->p->nmeasures; i++)
        if (slice_eq(a->p->measures[i].name, json_member(measure, "measure")) && a->p->measures[i].has_limit)
            lines_add(account_part(a, "limit"), "%.*s: %.*s after the issue, to 24:00 of that day",
                      SLICE_ARG(date_format(a->arena, tz_date(a->p->tz, limit - 1, NULL))),
                      SLICE_ARG(duration_format(a->arena, a->p->measures[i].limit)));
}

static void add_recipients(struct account *a, const json_t *measure)
{
    static const struct {
        const char *head, *member;
    } lists[] = {{"to", "recipients"}, {"copy", "copies"}};
    for (size_t l = 0; l < 2; l++) {
        const json_t *list = json_object_get(measure, lists[l].member);
        struct buf b = {0};
        for (size_t i = 0; i < json_array_size(list); i++)
            buf_printf(&b, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
        if (b.n)
            lines_add(account_part(a, lists[l].head), "%.*s", (int)b.n, b.p);
        buf_free(&b);
    }
}

/* The rule whose taking issued it: the last one of its instance in its turn that issues such a measure. */
static const struct trail_step *taken_rule(const struct trail *t, const json_t *measure, size_t turn)
{
    const struct trail_step *found = NULL;
    int m = -1;
    for (size_t i = 0; i < t->p->nmeasures; i++)
        if (slice_eq(t->p->measures[i].name, json_member(measure, "measure")))
            m = (int)i;
    for (size_t i = 0; i < t->n; i++) {
        const struct trail_step *s = &t->item[i];
        if (s->what == STEP_LOOKED && s->turn == turn && s->holds &&
            slice_eq(s->instance, json_member(measure, "task")) &&
            (!found || rule_issues(s->machine, s->rule, m)))
            found = s;
    }
    return found;
}

static struct slice unit_title(const struct account *a, struct slice id, instant_t at)
{
    const struct unit *u = program_unit(a->p, id, tz_date(a->p->tz, at, NULL));
    return u ? u->title : id;
}

void explain_measure(struct account *a, const struct trail *t, const json_t *measure, size_t turn)
{
    instant_t time = INSTANT_NONE;
    struct slice subject = json_member(measure, "subject"), unit = json_member(measure, "unit"),
                 title = json_member(measure, "title"), name = json_member(measure, "measure"),
                 task = json_member(measure, "task");
    instant_parse(json_member(measure, "time"), &time);
    const struct trail_step *rule = taken_rule(t, measure, turn);
    struct slice whose = S("");
    if (unit.n)
        whose = arena_printf(a->arena, "%.*s (%.*s), ", SLICE_ARG(unit_title(a, unit, time)), SLICE_ARG(unit));
    a->title = arena_printf(a->arena, "%.*s %.*s: %.*s%.*s%s%.*s", SLICE_ARG(title), SLICE_ARG(name),
                            SLICE_ARG(whose), SLICE_ARG(subject), subject.n ? ", " : "",
                            SLICE_ARG(instant_format_local(a->arena, a->p->tz, time)));
    lines_add(account_part(a, "id"), "%.*s", SLICE_ARG(json_member(measure, "id")));
    lines_add(account_part(a, "article"), "%.*s", SLICE_ARG(json_member(measure, "basis")));
    struct slice at = json_member(measure, "rule");
    lines_add(account_part(a, "issued"), "by %.*s, at %.*s", SLICE_ARG(task), SLICE_ARG(at));
    if (rule) {
        struct text_lines *because = account_part(a, "because");
        lines_add(because, "%.*s", SLICE_ARG(rule->cause));
        if (rule->rule->kind != KIND_TIMER)
            lines_add(because, "%.*s", SLICE_ARG(rule->event));
        add_rule(a, rule);
        for (size_t c = 0; c < rule->machine->ncounts; c++)
            if (looks_at(rule->rule->if_, rule->machine, EXPR_COUNT, (int)c))
                add_count(a, t, rule, &rule->machine->counts[c]);
        if (rule->task)
            add_due(a, rule->task);
    }
    add_path(a, t, task, turn);
    add_limit(a, measure);
    add_recipients(a, measure);
}

/* ---- why not */

static void add_untaken(struct account *a, const struct trail *t, struct slice instance, int state,
                        size_t since, const struct rule *r, const struct machine *m)
{
    const struct trail_step *last = NULL;
    for (size_t i = since; i < t->n; i++)
        if (t->item[i].what == STEP_LOOKED && t->item[i].rule->place == r->place &&
            t->item[i].state == state && slice_eq(t->item[i].instance, instance))
            last = &t->item[i];
    struct text_lines *out = account_part(a, "rule");
    struct slice at = place_print(a->arena, a->p, r->place), says = rule_print(a->arena, a->p, m, r);
    lines_add(out, "%.*s %.*s", SLICE_ARG(at), SLICE_ARG(says));
    if (!last) {
        lines_add(out, "  never looked at in this state");
        return;
    }
    lines_add(out, "  %s at %.*s, on %.*s", last->holds ? "taken" : "did not hold",
              SLICE_ARG(instant_format_local(a->arena, a->p->tz, last->now)), SLICE_ARG(last->cause));
    for (size_t i = 0; i < last->parts.n; i++)
        lines_add(out, "    %.*s", SLICE_ARG(last->parts.item[i]));
}

void explain_why_not(struct account *a, const struct trail *t, struct slice instance)
{
    const struct trail_step *moved = NULL;
    for (size_t i = 0; i < t->n; i++)
        if (t->item[i].what == STEP_MOVED && slice_eq(t->item[i].instance, instance) &&
            !slice_eq(t->item[i].from, t->item[i].to))
            moved = &t->item[i];
    a->title = instance;
    if (!moved)
        return;
    const struct machine *m = moved->machine;
    int state = machine_state(m, moved->to);
    size_t since = (size_t)(moved - t->item);
    while (since && t->item[since - 1].turn == moved->turn)
        since--; /* rules are looked at before the turn's moves are told */
    lines_add(account_part(a, "state"), "%.*s since %.*s, by %.*s", SLICE_ARG(moved->to),
              SLICE_ARG(instant_format_local(a->arena, a->p->tz, moved->now)), SLICE_ARG(moved->cause));
    if (state < 0)
        return;
    const struct state *s = &m->states[state];
    const struct state_body *bodies[] = {&s->body, s->group >= 0 ? &m->groups[s->group].body : NULL,
                                         &m->any_state};
    for (size_t b = 0; b < 3; b++)
        for (size_t r = 0; bodies[b] && r < bodies[b]->nrules; r++)
            add_untaken(a, t, instance, state, since, &bodies[b]->rules[r], m);
    add_path(a, t, instance, SIZE_MAX);
}
