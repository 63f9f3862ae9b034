/* dubanctl schema: what may be written where, as a JSON Schema (draft-07) for editors and validators. Every
 * map and every shape is a definition; shapes are read as grammar.h says. */
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/scenario_grammar.h"
#include "ctl/shapes.h"

struct schema {
    const struct grammar *g;
    json_t *definitions;
    struct ctl_call *call;
};

static json_t *shape_schema(struct schema *s, struct slice shape);

static json_t *typed(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

/* Other readers of YAML take `2024`, `1.5` and `true` for no texts. */
static json_t *scalar_schema(const char *pattern, bool number)
{
    json_t *o = number ? json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean") : typed("string");
    if (pattern)
        json_object_set_new(o, "pattern", json_string(pattern));
    return o;
}

static json_t *any_of(json_t *list)
{
    if (json_array_size(list) != 1)
        return json_pack("{s:o}", "anyOf", list);
    json_t *only = json_incref(json_array_get(list, 0));
    json_decref(list);
    return only;
}

/* ---- definitions */

static json_t *key_schema(struct schema *s, const char *shape, const char *meaning, const char *fallback,
                          bool required)
{
    json_t *o = shape_schema(s, slice_of(shape));
    struct arena *a = s->call->arena;
    const char *text =
        fallback && !required ? arena_printf(a, "%s (default: %s)", meaning, fallback).p : meaning;
    if (!json_object_get(o, "$ref")) {
        json_object_set_new(o, "description", json_string(text));
        return o;
    }
    return json_pack("{s:[o],s:s}", "allOf", o, "description", text); /* draft-07 hears nothing beside $ref */
}

static json_t *keys_schema(struct schema *s, const struct map_def *m)
{
    json_t *properties = json_object(), *patterns = json_object(), *required = json_array();
    json_t *o = json_pack("{s:s,s:o}", "type", "object", "properties", properties);
    bool open = false;
    for (size_t i = 0; m->keys && i < m->keys->n; i++) {
        const struct key_def *k = &m->keys->key[i];
        json_object_set_new(properties, k->name,
                            key_schema(s, k->shape, k->meaning, k->fallback, k->required));
        if (k->required || (k->fallback && !strcmp(k->fallback, "required")))
            json_array_append_new(required, json_string(k->name));
    }
    for (int i = 0; i < 2 && m->other[i].name; i++) {
        json_t *value = key_schema(s, m->other[i].shape, m->other[i].meaning, NULL, false);
        if (m->other[i].pattern)
            json_object_set_new(patterns, m->other[i].pattern, value);
        else
            json_object_set_new(o, "additionalProperties", value);
        open |= !m->other[i].pattern;
    }
    if (json_object_size(patterns))
        json_object_set(o, "patternProperties", patterns);
    if (json_array_size(required))
        json_object_set(o, "required", required);
    if (!open)
        json_object_set_new(o, "additionalProperties", json_false());
    json_decref(patterns);
    json_decref(required);
    return o;
}

static json_t *map_schema(struct schema *s, const struct map_def *m)
{
    json_t *o = keys_schema(s, m);
    return m->alone ? any_of(json_pack("[o,o]", shape_schema(s, slice_of(m->alone)), o)) : o;
}

/* {"$ref": …} to the definition, which is made where it is first asked for. */
static json_t *reference(struct schema *s, struct slice name)
{
    const struct map_def *m = grammar_map(s->g, name.p, name.n);
    const struct shape_def *word = m ? NULL : grammar_shape(s->g, name.p, name.n);
    const char *key = arena_dup(s->call->arena, name).p;
    if (!m && !word) {
        ctl_fail(s->call, CTL_COULD_NOT, "nothing says what “%s” looks like", key);
        exit(CTL_COULD_NOT);
    }
    if (!json_object_get(s->definitions, key)) {
        json_object_set_new(s->definitions, key, json_object()); /* it may name itself */
        json_t *made = m          ? map_schema(s, m)
                       : word->is ? shape_schema(s, slice_of(word->is))
                                  : scalar_schema(word->pattern, word->number);
        json_object_update(json_object_get(s->definitions, key), made);
        json_decref(made);
    }
    return json_pack(
        "{s:o}", "$ref",
        json_text(arena_printf(s->call->arena, "#/definitions/%s", json_pointer(s->call->arena, name))));
}

/* ---- shapes */

static json_t *words_schema(struct slice words)
{
    json_t *list = json_array();
    while (words.n)
        json_array_append_new(list, json_text(shape_cut(&words, "|")));
    return json_pack("{s:o}", "enum", list);
}

static json_t *range_schema(long least, long most)
{
    return json_pack("{s:s,s:I,s:I}", "type", "integer", "minimum", (json_int_t)least, "maximum",
                     (json_int_t)most);
}

static json_t *one_schema(struct schema *s, struct slice shape)
{
    long least, most;
    if (shape_drop(&shape, "list of "))
        return json_pack("{s:s,s:o}", "type", "array", "items", one_schema(s, shape));
    if (shape_drop(&shape, "map of "))
        return json_pack("{s:s,s:o}", "type", "object", "additionalProperties", one_schema(s, shape));
    if (slice_eq(shape, S("nothing")))
        return typed("null");
    if (slice_eq(shape, S("anything")))
        return json_object();
    if (memchr(shape.p, '|', shape.n))
        return words_schema(shape);
    if (shape_range(shape, &least, &most))
        return range_schema(least, most);
    return reference(s, shape);
}

static json_t *shape_schema(struct schema *s, struct slice shape)
{
    bool constant = shape_constant(&shape);
    json_t *list = json_array();
    struct slice first = S("");
    while (shape.n) {
        struct slice one = shape_cut(&shape, " or ");
        if (slice_eq(one, S("list")))
            json_array_append_new(list,
                                  json_pack("{s:s,s:o}", "type", "array", "items", one_schema(s, first)));
        else
            json_array_append_new(list, one_schema(s, one));
        first = first.n ? first : one;
    }
    if (constant)
        json_array_append_new(list, scalar_schema("^params\\.", false));
    return any_of(list);
}

/* ---- */

/* A workflow, or a fragment: by its first key. */
static json_t *workflow_root(struct schema *s)
{
    return json_pack("{s:{s:[s]},s:o,s:o}", "if", "required", "fragment", "then", reference(s, S("fragment")),
                     "else", reference(s, S("workflow")));
}

static json_t *scenario_root(struct schema *s)
{
    return json_pack("{s:[o]}", "allOf", reference(s, S("scenario")));
}

static const struct {
    const char *name, *title;
    const struct grammar *g;
    json_t *(*root)(struct schema *s);
} schemas[] = {{"workflow", "duband workflow or fragment", &workflow_grammar, workflow_root},
               {"scenario", "duband scenario", &scenario_grammar, scenario_root}};

static enum ctl_exit run(struct ctl_call *call)
{
    const char *name = call->nargs ? call->argument[0] : "workflow";
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        if (strcmp(schemas[i].name, name))
            continue;
        struct schema s = {schemas[i].g, json_object(), call};
        json_t *o = json_pack("{s:s,s:s}", "$schema", "http://json-schema.org/draft-07/schema#", "title",
                              schemas[i].title);
        json_t *root = schemas[i].root(&s);
        json_object_update(o, root);
        json_object_set_new(o, "definitions", s.definitions);
        json_dumpf(o, stdout, JSON_INDENT(1));
        fputc('\n', stdout);
        json_decref(root);
        json_decref(o);
        return CTL_DONE;
    }
    return ctl_fail(call, CTL_USAGE, "no schema of '%s': workflow, or scenario", name);
}

const struct ctl_command ctl_schema = {
    .name = "schema",
    .arguments = "[workflow|scenario]",
    .summary = "what may be written where, as a JSON Schema for editors",
    .least = 0,
    .most = 1,
    .one_form = true,
    .run = run,
};
