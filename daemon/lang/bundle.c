/* A definition's closure, read from disk: the workflow's own file, then everything that it and its fragments
 * name. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lang/diag.h"
#include "lang/yaml.h"

#define BUNDLE_FILES_MAX 256
#define BUNDLE_BYTES_MAX ((size_t)16 << 20) /* of all files together */
#define ZONEINFO "/usr/share/zoneinfo"

struct gather {
    struct diags *d;
    struct bundle *out;
    struct slice dir;    /* the workflow's folder, as the user gave it */
    struct slice parent; /* what holds it: a real path */
    struct slice own;    /* its own name in there */
    size_t bytes;        /* of what was read */
};

/* ---- paths */

static struct slice last_part(struct slice path)
{
    size_t i = path.n;

    while (i > 0 && path.p[i - 1] != '/')
        i--;
    return (struct slice){path.p + i, path.n - i};
}

static struct slice folder_of(struct slice path)
{
    size_t name = last_part(path).n;

    return (struct slice){path.p, path.n > name ? path.n - name - 1 : 0};
}

/* "a/b/../c/./d" → "a/c/d". False when it climbs past its start. */
static bool path_flatten(struct arena *a, struct slice path, struct slice *out)
{
    char *text = arena_alloc(a, path.n + 1);
    size_t n = 0, start = 0;

    for (size_t i = 0; i <= path.n; i++) {
        struct slice part = {path.p + start, i - start};

        if (i < path.n && path.p[i] != '/')
            continue;
        start = i + 1;
        if (part.n == 0 || slice_eq(part, S(".")))
            continue;
        if (slice_eq(part, S(".."))) {
            if (n == 0)
                return false;
            while (n > 0 && text[n - 1] != '/')
                n--;
            n -= n > 0;
            continue;
        }
        if (n > 0)
            text[n++] = '/';
        memcpy(text + n, part.p, part.n);
        n += part.n;
    }
    *out = (struct slice){text, n};
    return n > 0;
}

/* How the user would name the file: their folder, without detours where they can be told from the text alone.
 */
static struct slice path_shown(struct gather *g, struct slice path)
{
    struct slice inside = g->own, shown = {0}, joined = {0};
    bool absolute = g->dir.n > 0 && g->dir.p[0] == '/';

    if (path.n > inside.n && memcmp(path.p, inside.p, inside.n) == 0 && path.p[inside.n] == '/')
        joined = arena_printf(g->d->arena, "%.*s/%.*s", SLICE_ARG(g->dir), (int)(path.n - inside.n - 1),
                              path.p + inside.n + 1);
    else
        joined = arena_printf(g->d->arena, "%.*s/../%.*s", SLICE_ARG(g->dir), SLICE_ARG(path));
    if (!path_flatten(g->d->arena, joined, &shown))
        return joined;
    return absolute ? arena_printf(g->d->arena, "/%.*s", SLICE_ARG(shown)) : shown;
}

/* ---- reading */

static void complain(struct gather *g, const struct yaml *at, const char *code, struct slice shown,
                     const char *why)
{
    if (at != NULL)
        yaml_diag(g->d, SEVERITY_ERROR, code, at, NULL, "%.*s: %s", SLICE_ARG(shown), why);
    else
        diag_add(g->d, SEVERITY_ERROR, code, &(struct bundle_file){.shown = shown}, 0, 0, 1, NULL, "%s", why);
}

static bool read_open_file(struct gather *g, int fd, const struct stat *st, struct slice *out,
                           const char **why)
{
    size_t size = (size_t)st->st_size, n = 0;
    char *bytes = NULL;

    if (!S_ISREG(st->st_mode)) {
        *why = "not a regular file";
        return false;
    }
    if (st->st_size > (off_t)BUNDLE_BYTES_MAX || (size_t)st->st_size > BUNDLE_BYTES_MAX - g->bytes) {
        *why = "the files of a definition have at most 16 MB together";
        return false;
    }
    bytes = arena_alloc(g->d->arena, size + 1);
    while (n < size) {
        ssize_t got = read(fd, bytes + n, size - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            *why = strerror(errno);
            return false;
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    g->bytes += n;
    *out = (struct slice){bytes, n};
    return true;
}

/* root: the real folder that the file must stay in. */
static bool read_file(struct gather *g, const char *full, struct slice root, struct slice *out,
                      const char **why)
{
    char real[PATH_MAX];
    struct stat st;
    bool ok = false;
    int fd = -1;

    if (realpath(full, real) == NULL) {
        *why = strerror(errno);
        return false;
    }
    if (root.n > 1 && (strncmp(real, root.p, root.n) != 0 || real[root.n] != '/')) {
        *why = "a link that leads out of the folder that holds the workflow's own";
        return false;
    }
    fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0)
        *why = strerror(errno);
    else
        ok = read_open_file(g, fd, &st, out, why);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Adds a file at its bundle path; one that is there already is not read again. NULL after a diagnostic, or,
 * where `optional`, in silence. */
static struct bundle_file *add_file(struct gather *g, const struct yaml *at, struct slice path,
                                    const char *full, struct slice root, bool optional)
{
    struct bundle *b = g->out;
    struct slice content = {0}, shown = root.n > 0 ? path_shown(g, path) : path;
    const char *why = "";

    for (size_t i = 0; i < b->n; i++)
        if (slice_eq(b->files[i].path, path))
            return &b->files[i];
    if (b->n == BUNDLE_FILES_MAX) {
        complain(g, at, DIAG_TOO_LARGE, shown, "a definition has at most 256 files");
        return NULL;
    }
    if (!read_file(g, full, root, &content, &why)) {
        if (!optional)
            complain(g, at, DIAG_FILE, shown, why);
        return NULL;
    }
    b->files[b->n] =
        (struct bundle_file){.path = arena_dup(g->d->arena, path), .shown = shown, .content = content};
    return &b->files[b->n++];
}

/* A file that `node` of a file in `folder` (a bundle path) names. */
static struct bundle_file *add_named(struct gather *g, struct slice folder, const struct yaml *node,
                                     const char *prefix, const char *suffix, bool optional)
{
    struct slice path = {0}, joined = {0}, full = {0};

    if (node == NULL || node->kind != YAML_SCALAR)
        return NULL; /* of another shape: the compiler says so */
    joined =
        arena_printf(g->d->arena, "%.*s/%s%.*s%s", SLICE_ARG(folder), prefix, SLICE_ARG(node->text), suffix);
    if (node->text.n == 0 || node->text.p[0] == '/' || !slice_is_printable(node->text) ||
        !path_flatten(g->d->arena, joined, &path)) {
        yaml_diag(g->d, SEVERITY_ERROR, DIAG_PATH, node,
                  "a path relative to this file, within the folder that holds the workflow's own",
                  "“%.*s” is not a path that a definition may name", SLICE_ARG(node->text));
        return NULL;
    }
    full = arena_printf(g->d->arena, "%.*s/%.*s", SLICE_ARG(g->parent), SLICE_ARG(path));
    return add_file(g, node, path, full.p, g->parent, optional);
}

/* ---- what the files name */

static bool is_plain_name(struct slice s, const char *more)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
              strchr(more, c) != NULL) ||
            c == '\0')
            return false;
    }
    return s.n > 0;
}

static void add_calendar(struct gather *g, const struct yaml *node)
{
    if (node == NULL || node->kind != YAML_SCALAR)
        return;
    if (is_plain_name(node->text, "_"))
        add_named(g, g->own, node, "../calendar/", ".csv", false);
    else
        yaml_diag(g->d, SEVERITY_ERROR, DIAG_PATH, node,
                  "the name of a file in the folder calendar, as in `calendar: cn`",
                  "“%.*s” is not the name of a calendar", SLICE_ARG(node->text));
}

static void add_zone(struct gather *g, const struct yaml *node)
{
    struct slice path = {0}, full = {0};

    if (node == NULL || node->kind != YAML_SCALAR)
        return;
    if (!is_plain_name(node->text, "_+/") || !path_flatten(g->d->arena, node->text, &path) ||
        !slice_eq(path, node->text)) {
        yaml_diag(g->d, SEVERITY_ERROR, DIAG_PATH, node, "an IANA name such as Asia/Shanghai",
                  "“%.*s” is not a time zone", SLICE_ARG(node->text));
        return;
    }
    full = arena_printf(g->d->arena, "%s/%.*s", ZONEINFO, SLICE_ARG(path));
    path = arena_printf(g->d->arena, "zoneinfo/%.*s", SLICE_ARG(path));
    add_file(g, node, path, full.p, (struct slice){0}, false);
}

/* Templates stand in templates/ beside the file that names them. Those that are not there are the compiler's
 * to report. */
static void add_templates(struct gather *g, struct slice folder, const struct yaml *root)
{
    const struct yaml *documents = yaml_get(root, "documents");

    if (documents == NULL || documents->kind != YAML_MAP)
        return;
    for (size_t i = 0; i < documents->n; i++)
        add_named(g, folder, yaml_get(documents->pairs[i].value, "template"), "templates/", "", true);
}

static void add_fragment(struct gather *g, const struct yaml *node)
{
    struct bundle_file *file = add_named(g, g->own, node, "", "", false);
    struct diags aside = {.arena = g->d->arena}; /* its mistakes are told when it is compiled */
    struct yaml *root = file != NULL ? yaml_parse(file, &aside) : NULL;

    if (root != NULL)
        add_templates(g, folder_of(file->path), root);
}

static void add_all(struct gather *g, const struct yaml *root)
{
    const struct yaml *use = yaml_get(root, "use"), *tables = yaml_get(root, "tables");

    add_named(g, g->own, yaml_get(root, "units"), "", "", false);
    add_named(g, g->own, yaml_get(root, "relations"), "", "", false);
    if (tables != NULL && tables->kind == YAML_MAP)
        for (size_t i = 0; i < tables->n; i++)
            add_named(g, g->own, yaml_get(tables->pairs[i].value, "file"), "", "", false);
    if (use != NULL && use->kind == YAML_LIST)
        for (size_t i = 0; i < use->n; i++)
            add_fragment(g, use->items[i]);
    else if (use != NULL)
        add_fragment(g, use);
    add_calendar(g, yaml_get(root, "calendar"));
    add_zone(g, yaml_get(root, "timezone"));
    add_templates(g, g->own, root);
}

static int file_cmp(const void *x, const void *y)
{
    return slice_cmp(((const struct bundle_file *)x)->path, ((const struct bundle_file *)y)->path);
}

bool bundle_read(const char *dir, struct bundle *out, struct diags *d)
{
    struct gather g = {.d = d, .out = out, .dir = slice_of(dir)};
    struct bundle_file *file = NULL;
    struct yaml *root = NULL;
    size_t errors = d->errors;
    char real[PATH_MAX];

    *out = (struct bundle){.files = ARENA_ARRAY(d->arena, struct bundle_file, BUNDLE_FILES_MAX)};
    while (g.dir.n > 1 && g.dir.p[g.dir.n - 1] == '/')
        g.dir.n--;
    if (realpath(dir, real) == NULL || strcmp(real, "/") == 0) {
        complain(&g, NULL, DIAG_FILE, g.dir,
                 strcmp(dir, "/") == 0 ? "not a workflow's folder" : strerror(errno));
        return false;
    }
    g.own = arena_dup(d->arena, last_part(slice_of(real)));
    g.parent = arena_dup(d->arena, folder_of(slice_of(real)));
    out->root = arena_printf(d->arena, "%.*s/workflow.yaml", SLICE_ARG(g.own));
    file = add_file(&g, NULL, out->root, arena_printf(d->arena, "%s/workflow.yaml", real).p,
                    g.parent.n > 0 ? g.parent : S("/"), false);
    if (file == NULL)
        return false;
    root = yaml_parse(file, d);
    if (root != NULL)
        add_all(&g, root);
    qsort(out->files, out->n, sizeof *out->files, file_cmp);
    diags_sort(d);
    return d->errors == errors;
}
