/* Files and sections: where things are declared, under which names. */
#include "lang/kinds.h"
#include "lang/meant.h"

/* ---- files */

const struct bundle_file *file_at(const struct compiler *c, struct slice path)
{
    for (size_t i = 0; i < c->bundle->n; i++)
        if (slice_eq(c->bundle->files[i].path, path))
            return &c->bundle->files[i];
    return NULL;
}

/* Drops the last component of a path and its slash. */
static struct slice path_up(struct slice path)
{
    while (path.n && path.p[path.n - 1] != '/')
        path.n--;
    if (path.n)
        path.n--;
    return path;
}

static const struct bundle_file *file_in(const struct compiler *c, struct slice dir, struct slice path)
{
    struct slice rest = path;
    while (rest.n) {
        struct slice part = slice_cut(&rest, '/');
        if (part.n == 0 || slice_eq(part, S(".")))
            continue;
        if (slice_eq(part, S("..")))
            dir = path_up(dir);
        else
            dir = dir.n ? arena_printf(c->arena, "%.*s/%.*s", SLICE_ARG(dir), SLICE_ARG(part)) : part;
    }
    return file_at(c, dir);
}

const struct bundle_file *file_beside(const struct compiler *c, struct slice path)
{
    return file_in(c, path_up(c->bundle->root), path);
}

const struct bundle_file *file_by(const struct compiler *c, const struct yaml *at, struct slice path)
{
    return file_in(c, path_up(at->file->path), path);
}

struct yaml place_in(const struct bundle_file *file, int line, struct slice text)
{
    struct yaml at = {.kind = YAML_SCALAR, .line = line, .column = 1, .width = 1, .text = text, .file = file};
    const char *begin = file->content.p, *p = text.p;
    if (!p || p < begin || p >= begin + file->content.n)
        return at; /* a quoted cell was rewritten: the line has to do */
    const char *start = p;
    while (start > begin && start[-1] != '\n')
        start--;
    at.column = 1 + char_count((struct slice){start, (size_t)(p - start)});
    at.width = text.n ? char_count(text) : 1;
    return at;
}

/* ---- names */

const char *name_hint(struct compiler *c, struct slice got, const struct slice *name, size_t n)
{
    struct slice near = nearest_name(got, name, n);
    const char *comma = got.n ? memmem(got.p, got.n, "，", 3) : NULL;
    if (comma || (got.n && (comma = memmem(got.p, got.n, "、", 3)) != NULL))
        return "an ASCII comma between names: [unit, office]";
    if (near.n)
        return arena_printf(c->arena, "did you mean “%.*s”?", SLICE_ARG(near)).p;
    if (n == 0)
        return NULL;
    struct buf b = {0};
    buf_add(&b, n > 1 ? S("one of: ") : S(""));
    for (size_t i = 0; i < n && i < 12; i++)
        buf_printf(&b, "%s%.*s", i ? ", " : "", SLICE_ARG(name[i]));
    if (n > 12)
        buf_add(&b, S(" …"));
    struct slice text = arena_dup(c->arena, buf_slice(&b));
    buf_free(&b);
    return text.p;
}

/* Signs that look like letters of a name and are punctuation; 々 〆 〇 among them are letters. */
static bool is_sign(uint32_t c)
{
    return char_is_foreign_blank(c) || char_is_invisible(c) || (c >= 0x2010 && c <= 0x205e) || (c >= 0x3001 && c <= 0x303f && (c < 0x3005 || c > 0x3007)) ||
           (c >= 0xff00 && c <= 0xff65) || (c >= 0xffe0 && c <= 0xffef);
}

static bool name_has_sign(struct slice s)
{
    size_t length = 0;
    for (size_t i = 0; i < s.n; i += length)
        if (is_sign(char_decode(s.p + i, s.n - i, &length)))
            return true;
    return false;
}

bool name_check_bare(struct compiler *c, const struct yaml *at, const char *what)
{
    static const char *const word[] = {"yes", "no", "and", "or", "not", "if", "then", "else", "in", "has", "is", "where", "before", "after", "of", "it", "now", "this", "event", "params"};
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (slice_eq(at->text, slice_of(word[i]))) {
            ERROR_AT(c, NAME, at, "another name", "“%s” means something in expressions and cannot name %s", word[i], what);
            return false;
        }
    return name_check(c, at, what);
}

bool name_check(struct compiler *c, const struct yaml *at, const char *what)
{
    struct slice s = at->text;
    bool ok =
        s.n > 0 && s.n <= 100 && !(s.p[0] >= '0' && s.p[0] <= '9') && s.p[0] != '-' && s.p[s.n - 1] != '-';
    for (size_t i = 0; ok && i < s.n; i++) {
        unsigned char b = (unsigned char)s.p[i];
        ok = b >= 0x80 || b == '-' || (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') ||
             (b >= 'A' && b <= 'Z');
    }
    ok = ok && !name_has_sign(s);
    if (!ok)
        ERROR_AT(c, NAME, at, "letters, digits and minus, beginning with a letter", "“%.*s” cannot name %s",
                 SLICE_ARG(s), what);
    return ok;
}

int section_find(const struct section *s, struct slice name)
{
    for (size_t i = 0; i < s->n; i++)
        if (slice_eq(s->item[i].name, name))
            return (int)i;
    return -1;
}

const char *section_hint(struct compiler *c, const struct section *s, struct slice got)
{
    struct slice *name = ARENA_ARRAY(c->arena, struct slice, s->n + 1);
    for (size_t i = 0; i < s->n; i++)
        name[i] = s->item[i].name;
    return name_hint(c, got, name, s->n);
}

size_t map_size(struct compiler *c, const struct yaml *map)
{
    size_t n = map && map->kind == YAML_MAP ? map->n : 0;
    if (n <= NAMES_MAX)
        return n;
    ERROR_AT(c, TOO_LARGE, map->pairs[NAMES_MAX].key, arena_printf(c->arena, "at most %d", NAMES_MAX).p,
             "too many names");
    return NAMES_MAX;
}

static void section_add(struct build *b, const struct yaml *map, const char *what, bool own,
                        struct section *out)
{
    struct compiler *c = &b->c;
    size_t n = map_size(c, map);
    for (size_t i = 0; i < n; i++) {
        const struct yaml *key = map->pairs[i].key;
        int before = section_find(out, key->text);
        if (before >= 0) {
            const struct yaml *first = out->item[before].key;
            ERROR_AT(c, DECLARED_TWICE, key,
                     arena_printf(c->arena, "another name; the first stands at %.*s:%d",
                                  SLICE_ARG(first->file->shown), first->line)
                         .p,
                     "“%.*s” is declared twice under %s:", SLICE_ARG(key->text), what);
            continue;
        }
        name_check(c, key, arena_printf(c->arena, "something under %s:", what).p);
        struct declared *d = arena_push(c->arena, &out->item, &out->n, &out->cap, sizeof *d);
        *d = (struct declared){.name = key->text, .key = key, .node = map->pairs[i].value, .own = own};
    }
}

void section_collect(struct build *b, const char *key, struct section *out)
{
    for (size_t i = 0; i < b->c.nfragments; i++)
        section_add(b, yaml_get(b->c.fragment[i], key), key, false, out);
    section_add(b, yaml_get(b->c.root, key), key, true, out);
}

/* ---- kinds */

int kind_named(const struct compiler *c, struct slice name, bool task)
{
    const struct program *p = c->program;
    struct slice entry = name;
    /* With one ranking, `ranked NAME` is `ranked`. */
    if (p->nrankings == 1 && slice_drop(&entry, S("ranked ")) && slice_eq(entry, p->rankings[0].name))
        return p->rankings[0].kind_entry;
    int declared = -1, builtin = -1;
    for (size_t i = 0; i < p->nkinds; i++)
        if (i < KIND_DECLARED ? i != KIND_TIMER && slice_eq(kind_builtin_name((int)i), name)
                              : slice_eq(p->kinds[i].name, name)) {
            int *found = i < KIND_DECLARED ? &builtin : &declared;
            *found = (int)i;
        }
    int first = task ? builtin : declared, second = task ? declared : builtin;
    return first >= 0 ? first : second;
}

int read_kind(struct compiler *c, const struct yaml *node, bool task)
{
    if (!is_scalar(node))
        return -1;
    int kind = kind_named(c, node->text, task);
    if (kind >= 0) {
        c->kind_used[kind] = true;
        return kind;
    }
    const struct program *p = c->program;
    struct slice *name = ARENA_ARRAY(c->arena, struct slice, p->nkinds + 1);
    size_t n = 0;
    for (size_t i = task ? 0 : KIND_DECLARED; i < (task ? KIND_TIMER : p->nkinds); i++)
        name[n++] = i < KIND_DECLARED ? kind_builtin_name((int)i) : p->kinds[i].name;
    struct slice corrections[KIND_DECLARED]; /* meant, maybe; but not what an author has declared */
    size_t ncorrections = 0;
    for (int i = KIND_ASKED; i < KIND_DECLARED; i++)
        corrections[ncorrections++] = kind_builtin_name(i);
    bool meant = !nearest_name(node->text, name, n).n && nearest_name(node->text, corrections, ncorrections).n;
    ERROR_AT(c, EVENT_UNKNOWN, node,
             meant ? name_hint(c, node->text, corrections, ncorrections) : name_hint(c, node->text, name, n),
             "no event “%.*s” is declared", SLICE_ARG(node->text));
    return -1;
}
