#include "ctl/event_file.h"

struct splitter {
    struct slice text;
    size_t at;
    int line;
};

static void skip_blank(struct splitter *s)
{
    for (; s->at < s->text.n && strchr(" \t\r\n", s->text.p[s->at]) && s->text.p[s->at]; s->at++)
        s->line += s->text.p[s->at] == '\n';
}

/* Past a string that begins here; false: it never ends. */
static bool skip_string(struct splitter *s)
{
    for (s->at++; s->at < s->text.n && s->text.p[s->at] != '"'; s->at++) {
        if (s->text.p[s->at] == '\n')
            return false;
        if (s->text.p[s->at] == '\\')
            s->at++;
    }
    return s->at++ < s->text.n;
}

/* Past the object that begins here: only brackets and strings matter, the rest is for whoever parses it. */
static bool skip_object(struct splitter *s)
{
    size_t depth = 0;
    while (s->at < s->text.n) {
        char c = s->text.p[s->at];
        if (c == '"') {
            if (!skip_string(s))
                return false;
            continue;
        }
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        s->line += c == '\n';
        s->at++;
        if (!depth)
            return true;
    }
    return false;
}

static bool take_object(struct splitter *s, struct arena *a, struct file_event **out, size_t *n, size_t *cap,
                        struct err *e)
{
    size_t from = s->at;
    int line = s->line;
    if (s->text.p[s->at] != '{')
        return err_set(e, "line %d: expected an event, a JSON object", line);
    if (!skip_object(s))
        return err_set(e, "line %d: an object that begins here does not end", line);
    struct file_event *f = arena_push(a, out, n, cap, sizeof *f);
    *f = (struct file_event){.text = {s->text.p + from, s->at - from}, .line = line};
    return true;
}

/* The commas between an array's elements. */
static bool take_comma(struct splitter *s, struct err *e)
{
    skip_blank(s);
    if (s->at < s->text.n && s->text.p[s->at] == ',') {
        s->at++;
        skip_blank(s);
        return s->at < s->text.n && s->text.p[s->at] != ']'
                   ? true
                   : err_set(e, "line %d: expected an event after the comma", s->line);
    }
    return s->at < s->text.n && s->text.p[s->at] == ']' ? true
                                                        : err_set(e, "line %d: expected , or ]", s->line);
}

bool event_file_split(struct slice text, struct arena *a, struct file_event **out, size_t *n, struct err *e)
{
    struct splitter s = {.text = text, .line = 1};
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    if (text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3))
        s.at = 3;
    skip_blank(&s);
    bool array = s.at < text.n && text.p[s.at] == '[';
    s.at += array;
    for (skip_blank(&s); s.at < text.n && !(array && text.p[s.at] == ']'); skip_blank(&s))
        if (!take_object(&s, a, out, n, &cap, e) || (array && !take_comma(&s, e)))
            return false;
    if (!array)
        return true;
    if (s.at++ == text.n)
        return err_set(e, "line %d: the array does not end", s.line);
    skip_blank(&s);
    return s.at == text.n || err_set(e, "line %d: something follows the array", s.line);
}

bool event_file_read(const struct ctl_call *call, const char *path, struct file_event **out, size_t *n)
{
    struct slice text;
    struct err e;
    if (!ctl_read_file(call, path, &text))
        return false;
    if (!event_file_split(text, call->arena, out, n, &e)) {
        ctl_fail(call, CTL_COULD_NOT, "%s: %s", path, e.text);
        return false;
    }
    for (size_t i = 0; i < *n; i++) {
        struct file_event *f = &(*out)[i];
        f->why.arena = call->arena;
        cloud_event_from_json(f->text, call->arena, &f->event, &f->why);
    }
    if (!*n)
        ctl_fail(call, CTL_COULD_NOT, "%s: no event in it", path);
    return *n > 0;
}
