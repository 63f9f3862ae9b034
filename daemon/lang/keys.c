/* What every section shares: keys checked against a table, the nearest name, registered places. */
#include "lang/compile.h"
#include "lang/diag.h"
#include "lang/yaml_traps.h"

/* ---- keys */

static const char *shape_name(enum yaml_kind kind)
{
    static const char *const name[] = {"nothing", "a text", "a list", "a map"};

    return name[kind];
}

#define UNKNOWN_MAX 20 /* told of one map */

static void report_unknown(struct compiler *c, const struct yaml *key, const struct key_def *def, size_t ndef,
                           const char *what)
{
    struct slice *names = ARENA_ARRAY(c->arena, struct slice, ndef + 1);
    struct slice near = {0}, expected = {0};

    for (size_t i = 0; i < ndef; i++) {
        names[i] = slice_of(def[i].name);
        expected = i == 0 ? names[0] : arena_printf(c->arena, "%.*s, %s", SLICE_ARG(expected), def[i].name);
    }
    near = nearest_name(key->text, names, ndef);
    if (near.n > 0)
        expected = arena_printf(c->arena, "did you mean “%.*s”?", SLICE_ARG(near));
    else
        expected = arena_printf(c->arena, "one of %.*s", SLICE_ARG(expected));
    yaml_diag(c->diags, SEVERITY_ERROR, DIAG_KEY_UNKNOWN, key, expected.p, "“%.*s” is not a key of %s",
              SLICE_ARG(key->text), what);
}

/* False for a key that is not in the table. */
static bool check_pair(struct compiler *c, const struct yaml_pair *pair, const struct key_def *def,
                       size_t ndef, const char *what)
{
    for (size_t i = 0; i < ndef; i++) {
        if (!slice_eq(pair->key->text, slice_of(def[i].name)))
            continue;
        if (def[i].kind != YAML_NULL && pair->value->kind != def[i].kind)
            yaml_diag(c->diags, SEVERITY_ERROR, DIAG_SHAPE,
                      pair->value->kind == YAML_NULL ? pair->key : pair->value,
                      pair->value->kind == YAML_NULL && trap_comment(pair->key)
                          ? "quotes around a text that begins with #: it begins a comment"
                          : shape_name(def[i].kind),
                      "“%s” of %s has %s", def[i].name, what, shape_name(pair->value->kind));
        return true;
    }
    return false;
}

bool keys_check(struct compiler *c, const struct yaml *map, const struct key_def *def, size_t ndef,
                const char *what)
{
    if (map == NULL)
        return false;
    if (trap_map(map, c->diags))
        return false;
    if (map->kind != YAML_MAP) {
        yaml_diag(c->diags, SEVERITY_ERROR, DIAG_SHAPE, map, "a map of keys and values", "%s is %s", what,
                  shape_name(map->kind));
        return false;
    }
    size_t unknown = 0;
    for (size_t i = 0; i < map->n; i++)
        if (!check_pair(c, &map->pairs[i], def, ndef, what) && ++unknown <= UNKNOWN_MAX)
            report_unknown(c, map->pairs[i].key, def, ndef, what);
    for (size_t i = 0; i < ndef; i++)
        if (def[i].required && yaml_get(map, def[i].name) == NULL)
            yaml_diag(c->diags, SEVERITY_ERROR, DIAG_KEY_MISSING, map, NULL, "%s has no “%s”", what,
                      def[i].name);
    return true;
}

/* ---- places */

/* The array doubles whenever its length reaches a power of two, so it needs no capacity of its own. */
static void places_grow(struct compiler *c)
{
    struct program *p = c->program;
    struct place *bigger = NULL;

    if (p->nplaces >= 16 && (p->nplaces & (p->nplaces - 1)) != 0)
        return;
    if (p->nplaces > 0 && p->nplaces < 16)
        return;
    bigger = ARENA_ARRAY(c->arena, struct place, p->nplaces == 0 ? 16 : p->nplaces * 2);
    if (p->nplaces > 0)
        memcpy(bigger, p->places, sizeof *bigger * p->nplaces);
    else
        p->nplaces = 1; /* [0] is nowhere */
    p->places = bigger;
}

uint32_t place_of(struct compiler *c, const struct yaml *at)
{
    struct program *p = c->program;
    struct place *last = NULL;

    if (at == NULL)
        return 0;
    if (p->nplaces > 1) {
        last = &p->places[p->nplaces - 1];
        if (last->line == at->line && last->column == at->column && slice_eq(last->file, at->file->path))
            return (uint32_t)(p->nplaces - 1);
    }
    places_grow(c);
    p->places[p->nplaces] = (struct place){.file = at->file->path, .line = at->line, .column = at->column};
    return (uint32_t)p->nplaces++;
}
