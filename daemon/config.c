#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lang/compile.h"
#include "lang/diag.h"

#define FILE_MAX ((size_t)1 << 20)

struct option;
/* Takes one value. False and e: what was expected instead. */
typedef bool take_value(struct config *c, const struct option *o, struct slice text, struct err *e);

static take_value take_text, take_word, take_count, take_bound, take_list;

static const struct option {
    const char *section, *key; /* section NULL: the file's top */
    take_value *take;          /* NULL: a map of any keys */
    size_t offset;             /* in struct config */
    const char *fallback;      /* the default, as --set would have it; NULL: see help */
    const char *words;         /* of take_word, in the order of their numbers; of take_count and take_bound, the most */
    const char *help;
} options[] = {
#define AT(field) offsetof(struct config, field)
    {NULL, "data", take_text, AT(data), "/var/lib/duband", NULL,
     "folder of the state and, with `bus: local`, of the log"},
    {NULL, "listen", take_text, AT(listen), "127.0.0.1:8470", NULL,
     "HTTP: a loopback address and a port; port 0: a free one"},
    {NULL, "bus", take_word, AT(bus), "local", "local kafka", "the embedded log, or Kafka"},
    {NULL, "time", take_word, AT(time), "log", "log events",
     "receipt time: the log's append time, or the events' own (replays)"},
    {NULL, "batch", take_count, AT(batch), "10000", "100000", "most records of one transaction, 1 to 100000"},
    {NULL, "sync", take_word, AT(sync), "auto", "auto batch close",
     "when the state reaches the disk: with each batch, or on closing (Kafka has it); auto: close with `bus: kafka`"},
    {NULL, "mapped", take_bound, AT(mapped), "32", "1048576",
     "most megabytes of the state's files in the process's memory; 0: all that is used, faster with a large state"},
    {NULL, "workers", take_count, AT(workers), "1", "64",
     "threads that share the partitions out between them, 1 to 64; with `bus: local` only 1"},
    {NULL, "standby", take_word, AT(standby), "none", "none all",
     "follow the partitions that other nodes hold: to read them here, and to take over at once"},
    {NULL, "log", take_word, AT(log), "info", "debug info warn error", "least level of the log's lines"},
    {NULL, "workflows", take_list, AT(workflows), "", NULL,
     "folders published at start, and on SIGHUP, when they changed"},
    {NULL, "node", take_text, AT(node), NULL, NULL, "stable name of this node; default: the host's name"},
    {"kafka", "group", take_text, AT(kafka_group), "duband", NULL,
     "consumer group; also the stem of transactional ids"},
    {"kafka", "prefix", take_text, AT(kafka_prefix), "duban.", NULL, "of the topics' names"},
    {"kafka", "properties", NULL, AT(properties), NULL, NULL,
     "librdkafka's own settings: bootstrap.servers, security.* …"},
#undef AT
};
#define NOPTIONS (sizeof options / sizeof *options)

static void *field_of(struct config *c, const struct option *o)
{
    return (char *)c + o->offset;
}

/* ---- values */

static bool take_text(struct config *c, const struct option *o, struct slice text, struct err *e)
{
    if (text.n == 0 || !slice_is_printable(text))
        return err_set(e, "a text that is not empty");
    *(const char **)field_of(c, o) = arena_dup(c->arena, text).p;
    return true;
}

static bool take_word(struct config *c, const struct option *o, struct slice text, struct err *e)
{
    const char *at = o->words;

    for (int i = 0; *at != 0; i++) {
        size_t n = strcspn(at, " ");

        if (slice_eq(text, (struct slice){at, n})) {
            *(int *)field_of(c, o) = i;
            return true;
        }
        at += n + strspn(at + n, " ");
    }
    return err_set(e, "one of %s", o->words);
}

static bool take_count(struct config *c, const struct option *o, struct slice text, struct err *e)
{
    uint64_t n, most;

    parse_u64(slice_of(o->words), &most);
    if (!parse_u64(text, &n) || n < 1 || n > most)
        return err_set(e, "a number from 1 to %s", o->words);
    *(size_t *)field_of(c, o) = (size_t)n;
    return true;
}

/* None: 0. */
static bool take_bound(struct config *c, const struct option *o, struct slice text, struct err *e)
{
    if (slice_eq(text, S("0"))) {
        *(size_t *)field_of(c, o) = 0;
        return true;
    }
    return take_count(c, o, text, e) || err_set(e, "a number from 0 to %s", o->words);
}

static bool add_folder(struct config *c, struct config_list *list, struct slice text, struct err *e)
{
    if (text.n == 0 || !slice_is_printable(text))
        return err_set(e, "the path of a folder");
    const char **slot = arena_push(c->arena, &list->item, &list->n, &list->cap, sizeof *slot);
    *slot = arena_dup(c->arena, text).p;
    return true;
}

/* "a,b": replaces the list. */
static bool take_list(struct config *c, const struct option *o, struct slice text, struct err *e)
{
    struct config_list *list = field_of(c, o);

    *list = (struct config_list){NULL, 0, 0};
    while (text.n > 0) {
        const char *comma = memchr(text.p, ',', text.n);
        struct slice part = {text.p, comma != NULL ? (size_t)(comma - text.p) : text.n};
        size_t used = part.n + (comma != NULL);

        if (!add_folder(c, list, part, e))
            return false;
        text.p += used;
        text.n -= used;
    }
    return true;
}

static bool put_property(struct config *c, struct slice name, struct slice value, struct err *e)
{
    struct config_map *map = &c->properties;

    if (name.n == 0 || !slice_is_printable(name) || !slice_is_printable(value))
        return err_set(e, "a setting of librdkafka");
    struct config_pair pair = {arena_dup(c->arena, name), arena_dup(c->arena, value)};
    for (size_t i = 0; i < map->n; i++)
        if (slice_eq(map->item[i].name, name)) {
            map->item[i] = pair;
            return true;
        }
    struct config_pair *slot = arena_push(c->arena, &map->item, &map->n, &map->cap, sizeof *slot);
    *slot = pair;
    return true;
}

/* ---- defaults */

void config_init(struct config *c)
{
    char host[256] = "";
    struct err why;

    *c = (struct config){.arena = arena_new()};
    for (size_t i = 0; i < NOPTIONS; i++)
        if (options[i].fallback != NULL)
            options[i].take(c, &options[i], slice_of(options[i].fallback), &why);
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == 0)
        snprintf(host, sizeof host, "duband");
    c->node = arena_dup(c->arena, slice_of(host)).p;
}

void config_free(struct config *c)
{
    arena_free(c->arena);
}

bool config_agrees(const struct config *c, struct err *e)
{
    if (c->bus == 0 && c->sync == 2)
        return err_set(e, "sync: close cannot be with bus: local, whose log is nowhere else; batch or auto was expected, or bus: kafka");
    return c->bus == 1 || c->workers == 1 ||
           err_set(e, "workers: %zu cannot be with bus: local, whose log has one partition; 1 was expected, or bus: kafka", c->workers);
}

/* ---- the file */

static void bad_value(struct diags *d, const struct yaml *at, const struct option *o,
                      const struct err *expected)
{
    yaml_diag(d, SEVERITY_ERROR, DIAG_VALUE, at, expected->text, "“%.*s” is no value for %s%s%s",
              SLICE_ARG(at->text), o->section != NULL ? o->section : "", o->section != NULL ? "." : "",
              o->key);
}

static void bad_shape(struct diags *d, const struct yaml *at, const char *expected, const struct option *o)
{
    yaml_diag(d, SEVERITY_ERROR, DIAG_SHAPE, at, expected, "this cannot be the value of “%s”", o->key);
}

static void read_list(struct config *c, const struct option *o, const struct yaml *v, struct diags *d)
{
    struct config_list *list = field_of(c, o);
    struct err expected;

    *list = (struct config_list){NULL, 0, 0};
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i]->kind != YAML_SCALAR)
            bad_shape(d, v->items[i], "the path of a folder", o);
        else if (!add_folder(c, list, v->items[i]->text, &expected))
            bad_value(d, v->items[i], o, &expected);
}

static void read_map(struct config *c, const struct option *o, const struct yaml *v, struct diags *d)
{
    struct err expected;

    for (size_t i = 0; i < v->n; i++)
        if (v->pairs[i].value->kind != YAML_SCALAR)
            bad_shape(d, v->pairs[i].value, "a text", o);
        else if (!put_property(c, v->pairs[i].key->text, v->pairs[i].value->text, &expected))
            bad_value(d, v->pairs[i].value, o, &expected);
}

static void read_option(struct config *c, const struct option *o, const struct yaml *v, struct diags *d)
{
    struct err expected;

    if (v->kind == YAML_SCALAR && o->take != NULL && o->take != take_list) {
        if (!o->take(c, o, v->text, &expected))
            bad_value(d, v, o, &expected);
    } else if (v->kind == YAML_LIST) {
        read_list(c, o, v, d);
    } else if (v->kind == YAML_MAP) {
        read_map(c, o, v, d);
    }
}

static enum yaml_kind shape_of(const struct option *o)
{
    return o->take == NULL ? YAML_MAP : o->take == take_list ? YAML_LIST : YAML_SCALAR;
}

/* One map of the file: its keys against the table, then their values. */
static void read_section(struct config *c, const char *section, const struct yaml *map, struct diags *d)
{
    struct compiler keys = {.arena = d->arena, .diags = d};
    struct key_def def[NOPTIONS + 1];
    size_t n = 0;

    for (size_t i = 0; i < NOPTIONS; i++)
        if ((section == NULL) == (options[i].section == NULL))
            def[n++] = (struct key_def){.name = options[i].key, .kind = shape_of(&options[i])};
    if (section == NULL)
        def[n++] = (struct key_def){.name = "kafka", .kind = YAML_MAP};
    keys_check(&keys, map, def, n, section != NULL ? section : "the configuration");
    for (size_t i = 0; i < NOPTIONS; i++) {
        const struct yaml *v =
            (section == NULL) == (options[i].section == NULL) ? yaml_get(map, options[i].key) : NULL;

        if (v != NULL && v->kind == shape_of(&options[i]))
            read_option(c, &options[i], v, d);
    }
}

static bool read_file(const char *path, struct arena *a, struct slice *out, struct err *e)
{
    FILE *f = fopen(path, "re");
    struct buf text = {0};
    size_t n = 1;

    if (f == NULL)
        return err_set(e, "cannot be read: %s", strerror(errno));
    while (n > 0 && text.n <= FILE_MAX) {
        buf_reserve(&text, 4096);
        n = fread(text.p + text.n, 1, 4096, f);
        text.n += n;
    }
    bool ok = ferror(f) == 0 ? text.n <= FILE_MAX || err_set(e, "is larger than 1 MiB")
                             : err_set(e, "cannot be read: %s", strerror(errno));
    fclose(f);
    *out = arena_dup(a, buf_slice(&text));
    buf_free(&text);
    return ok;
}

bool config_read(struct config *c, const char *path, struct diags *d)
{
    struct bundle_file *file = ARENA_NEW(d->arena, struct bundle_file);
    struct err why;

    file->path = file->shown = slice_of(path);
    if (!read_file(path, d->arena, &file->content, &why)) {
        diag_add(d, SEVERITY_ERROR, DIAG_FILE, file, 0, 0, 1, NULL, "%s", why.text);
        return false;
    }
    const struct yaml *root = yaml_parse(file, d);
    if (root != NULL && root->kind != YAML_NULL) {
        const struct yaml *kafka = yaml_get(root, "kafka");

        read_section(c, NULL, root, d);
        if (kafka != NULL && kafka->kind == YAML_MAP)
            read_section(c, "kafka", kafka, d);
    }
    diags_sort(d);
    return d->errors == 0;
}

/* ---- --set */

static struct slice full_name(const struct option *o, struct arena *a)
{
    return o->section != NULL ? arena_printf(a, "%s.%s", o->section, o->key) : slice_of(o->key);
}

bool config_set(struct config *c, const char *setting, struct err *e)
{
    static const char properties[] = "kafka.properties.";
    const char *equals = strchr(setting, '=');
    struct slice name = {setting, equals != NULL ? (size_t)(equals - setting) : 0}, candidates[NOPTIONS];
    struct err expected;

    if (name.n == 0)
        return err_set(e, "--set %s: expected KEY=VALUE", setting);
    struct slice value = slice_of(equals + 1);
    if (name.n > sizeof properties - 1 && memcmp(name.p, properties, sizeof properties - 1) == 0) {
        name = (struct slice){name.p + sizeof properties - 1, name.n - (sizeof properties - 1)};
        return put_property(c, name, value, &expected) ||
               err_set(e, "--set %s: expected %s", setting, expected.text);
    }
    for (size_t i = 0; i < NOPTIONS; i++) {
        candidates[i] = full_name(&options[i], c->arena);
        if (!slice_eq(candidates[i], name) || options[i].take == NULL)
            continue;
        return options[i].take(c, &options[i], value, &expected) ||
               err_set(e, "--set %s: expected %s", setting, expected.text);
    }
    struct slice near = nearest_name(name, candidates, NOPTIONS);
    return near.n > 0 ? err_set(e, "--set %s: no such key; did you mean “%.*s”?", setting, SLICE_ARG(near))
                      : err_set(e, "--set %s: no such key; duband --help lists them", setting);
}

/* ---- help */

void config_help(FILE *f)
{
    struct arena *a = arena_new();

    for (size_t i = 0; i < NOPTIONS; i++) {
        struct slice name = full_name(&options[i], a);

        fprintf(f, "  %-17.*s %s", SLICE_ARG(name), options[i].help);
        if (options[i].take == take_word)
            fprintf(f, " (%s)", options[i].words);
        if (options[i].fallback != NULL && options[i].fallback[0] != 0)
            fprintf(f, "; default: %s", options[i].fallback);
        fputc('\n', f);
    }
    arena_free(a);
}
