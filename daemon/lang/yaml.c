/* YAML → tree with places, from libfyaml's events. What the language has no use for and people fall over is
 * refused here. */
#include "lang/yaml.h"

#include <libfyaml.h>
#include <stdlib.h>

#include "lang/diag.h"
#include "lang/yaml_traps.h"

#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 500000
#define REFUSED_MAX 5 /* anchors, aliases and tags told of one file */

struct frame { /* a list or map that is being read */
    struct yaml *node;
    struct yaml *key;   /* of the map's next value */
    struct yaml *meant; /* that value, where the key swallowed it */
    size_t cap;
    bool flow;
};

struct reader {
    const struct bundle_file *file;
    struct diags *d;
    struct yaml *root;
    struct frame stack[YAML_DEPTH_MAX];
    size_t depth;
    size_t nodes;
    int documents, refused, traps;
    struct fy_mark last; /* where something without a place of its own is said to stand */
};

/* ---- building the tree */

static void complain(struct reader *r, const char *code, const struct fy_mark *m, int width,
                     const char *expected, const char *what)
{
    diag_add(r->d, SEVERITY_ERROR, code, r->file, m->line + 1, m->column + 1, width, expected, "%s", what);
}

static struct yaml *node_new(struct reader *r, enum yaml_kind kind, struct fy_token *token)
{
    struct yaml *node = ARENA_NEW(r->d->arena, struct yaml);
    const struct fy_mark *m = token != NULL ? fy_token_start_mark(token) : NULL;

    if (m != NULL)
        r->last = *m;
    *node = (struct yaml){.kind = kind,
                          .text = S(""), /* never a null pointer: it goes to memchr and the like */
                          .line = r->last.line + 1,
                          .column = r->last.column + 1,
                          .width = 1,
                          .file = r->file};
    r->nodes++;
    return node;
}

static struct yaml *scalar_new(struct reader *r, struct fy_token *token)
{
    struct yaml *node = node_new(r, YAML_SCALAR, token);
    const struct fy_mark *start = token != NULL ? fy_token_start_mark(token) : NULL;
    const struct fy_mark *end = token != NULL ? fy_token_end_mark(token) : NULL;
    size_t length = 0;
    const char *text = token != NULL ? fy_token_get_text(token, &length) : NULL;
    struct slice content = r->file->content;

    node->quoted = token != NULL && fy_token_scalar_style(token) != FYSS_PLAIN;
    if (length == 0 && !node->quoted) {
        node->kind = YAML_NULL;
        return node;
    }
    /* The file's own bytes where the text is exactly that, so that nothing is copied. */
    if (start != NULL && start->input_pos <= content.n && length <= content.n - start->input_pos &&
        memcmp(content.p + start->input_pos, text, length) == 0)
        node->text = (struct slice){content.p + start->input_pos, length};
    else
        node->text = arena_dup(r->d->arena, (struct slice){text, length});
    if (start != NULL && end != NULL && start->line == end->line && end->column > start->column)
        node->width = end->column - start->column;
    if (start != NULL && node->quoted && start->column == 0) /* a block's text starts after its indentation */
        for (size_t i = start->input_pos; i < content.n && content.p[i] == ' '; i++)
            node->column++;
    return node;
}

/* In {…} and […] a comma ends a plain scalar: `{if: max(a, b) > 1}` is not what it looks like. */
static void check_comma(struct reader *r, const struct yaml *node)
{
    int open = 0;

    if (r->depth == 0 || !r->stack[r->depth - 1].flow || node->kind != YAML_SCALAR || node->quoted)
        return;
    for (size_t i = 0; i < node->text.n; i++)
        open += (node->text.p[i] == '(') - (node->text.p[i] == ')');
    if (open > 0)
        yaml_diag(r->d, SEVERITY_ERROR, DIAG_YAML_COMMA, node,
                  "the expression on a line of its own, or in quotes: inside {…} and […] a comma ends it",
                  "the bracket opened in “%.*s” is not closed", SLICE_ARG(node->text));
}

static void attach_to_map(struct reader *r, struct frame *f, struct yaml *node)
{
    if (f->key == NULL) {
        f->key = node;
        f->meant = node->kind == YAML_SCALAR && !node->quoted ? trap_key(node, r->d, &r->traps) : NULL;
        if (node->kind != YAML_SCALAR) {
            yaml_diag(r->d, SEVERITY_ERROR, DIAG_YAML_KEY, node, "a word", "a key must be a word, not %s",
                      node->kind == YAML_NULL   ? "nothing"
                      : node->kind == YAML_LIST ? "a list"
                                                : "a map");
        }
        return;
    }
    if (f->key->kind == YAML_SCALAR) {
        struct yaml_pair *pair = arena_push(r->d->arena, &f->node->pairs, &f->node->n, &f->cap, sizeof *pair);
        *pair = (struct yaml_pair){f->key, f->meant != NULL && node->kind == YAML_NULL ? f->meant : node};
    }
    f->key = NULL;
}

static void attach(struct reader *r, struct yaml *node)
{
    struct frame *f = r->depth > 0 ? &r->stack[r->depth - 1] : NULL;

    if (f == NULL) {
        r->root = node;
    } else if (f->node->kind == YAML_MAP) {
        attach_to_map(r, f, node);
    } else {
        struct yaml **slot = arena_push(r->d->arena, &f->node->items, &f->node->n, &f->cap, sizeof *slot);
        *slot = node;
    }
}

static int pair_cmp(const void *x, const void *y)
{
    const struct yaml *a = (*(struct yaml_pair *const *)x)->key, *b = (*(struct yaml_pair *const *)y)->key;
    int by = slice_cmp(a->text, b->text);

    if (by == 0)
        by = (a->line > b->line) - (a->line < b->line);
    return by != 0 ? by : (a->column > b->column) - (a->column < b->column);
}

/* Later repeats of a key are diagnosed and dropped. */
static void check_repeats(struct reader *r, struct yaml *map)
{
    struct yaml_pair **sorted = ARENA_ARRAY(r->d->arena, struct yaml_pair *, map->n + 1);
    const struct yaml *first = NULL;
    size_t kept = 0;

    for (size_t i = 0; i < map->n; i++)
        sorted[i] = &map->pairs[i];
    qsort(sorted, map->n, sizeof *sorted, pair_cmp);
    for (size_t i = 0; i < map->n; i++) {
        struct yaml *key = sorted[i]->key;

        if (first == NULL || !slice_eq(first->text, key->text)) {
            first = key;
            continue;
        }
        yaml_diag(r->d, SEVERITY_ERROR, DIAG_YAML_DUPLICATE, key, NULL,
                  "the key “%.*s” stands here a second time: first in line %d", SLICE_ARG(key->text),
                  first->line);
        sorted[i]->value = NULL;
    }
    for (size_t i = 0; i < map->n; i++)
        if (map->pairs[i].value != NULL)
            map->pairs[kept++] = map->pairs[i];
    map->n = kept;
}

/* ---- events */

static void refuse_extras(struct reader *r, struct fy_token *anchor, struct fy_token *tag)
{
    struct fy_token *token = anchor != NULL ? anchor : tag;
    const struct fy_mark *m = token != NULL ? fy_token_start_mark(token) : NULL;
    struct fy_mark at = m != NULL ? *m : r->last;

    if (token == NULL || ++r->refused > REFUSED_MAX)
        return;
    if (anchor != NULL && m != NULL)
        at.column--; /* the parser's begins behind the & */
    complain(r, DIAG_YAML_REFUSED, &at, 1,
             "plain text; quote a text that begins with & ! or *",
             anchor != NULL ? "anchors (&name) are not taken" : "tags (!name) are not taken");
}

static bool open_node(struct reader *r, enum yaml_kind kind, struct fy_token *token)
{
    struct yaml *node = node_new(r, kind, token);
    const struct fy_mark *m = token != NULL ? fy_token_start_mark(token) : NULL;
    struct slice content = r->file->content;

    if (r->depth == YAML_DEPTH_MAX) {
        complain(r, DIAG_YAML_DEPTH, &r->last, 1, "at most 64 levels",
                 "lists and maps are nested too deeply");
        return false;
    }
    attach(r, node);
    r->stack[r->depth++] = (struct frame){
        .node = node,
        .flow = m != NULL && m->input_pos < content.n &&
                (content.p[m->input_pos] == '{' || content.p[m->input_pos] == '['),
    };
    return true;
}

static void on_scalar(struct reader *r, const struct fy_event *e)
{
    struct yaml *node = NULL;

    refuse_extras(r, e->scalar.anchor, e->scalar.tag);
    node = scalar_new(r, e->scalar.value);
    if (node->quoted)
        yaml_check_escapes(node, r->d);
    else if (node->kind == YAML_SCALAR)
        trap_scalar(node, r->d, &r->traps);
    check_comma(r, node);
    attach(r, node);
}

static void on_alias(struct reader *r, const struct fy_event *e)
{
    struct yaml *node = node_new(r, YAML_SCALAR, e->alias.anchor);

    node->column -= node->column > 1; /* the parser's begins behind the * */
    if (++r->refused <= REFUSED_MAX)
        yaml_diag(r->d, SEVERITY_ERROR, DIAG_YAML_REFUSED, node, "plain text; quote a text that begins with *",
                  "aliases (*name) are not taken");
    attach(r, node);
}

static bool on_document(struct reader *r, const struct fy_event *e)
{
    struct fy_document_state *state = e->document_start.document_state;

    if (fy_document_state_version_explicit(state) || fy_document_state_tags_explicit(state)) {
        complain(r, DIAG_YAML_REFUSED, &(struct fy_mark){0}, 1, NULL,
                 "directives (%YAML, %TAG) are not taken");
        return false;
    }
    if (++r->documents == 1)
        return true;
    complain(r, DIAG_YAML_REFUSED, &r->last, 1, "one document a file",
             "a second document (---) begins after this line");
    return false;
}

static bool on_event(struct reader *r, const struct fy_event *e)
{
    if (r->nodes > YAML_NODES_MAX) {
        complain(r, DIAG_TOO_LARGE, &r->last, 1, "at most 500000 values", "the file has too many values");
        return false;
    }
    switch (e->type) {
    case FYET_DOCUMENT_START:
        return on_document(r, e);
    case FYET_MAPPING_START:
        refuse_extras(r, e->mapping_start.anchor, e->mapping_start.tag);
        return open_node(r, YAML_MAP, e->mapping_start.mapping_start);
    case FYET_SEQUENCE_START:
        refuse_extras(r, e->sequence_start.anchor, e->sequence_start.tag);
        return open_node(r, YAML_LIST, e->sequence_start.sequence_start);
    case FYET_MAPPING_END:
        check_repeats(r, r->stack[--r->depth].node);
        return true;
    case FYET_SEQUENCE_END:
        r->depth--;
        return true;
    case FYET_SCALAR:
        on_scalar(r, e);
        return true;
    case FYET_ALIAS:
        on_alias(r, e);
        return true;
    default:
        return true;
    }
}

/* ---- the parser's own errors */

/* Always false. */
static bool report_syntax(struct reader *r, struct fy_diag *diag)
{
    const struct frame *f = r->depth > 0 ? &r->stack[r->depth - 1] : NULL;
    bool flow = f != NULL && f->flow, any = false;
    struct fy_diag_error *error = NULL;
    const char *hint = NULL;
    void *it = NULL;

    while ((error = fy_diag_errors_iterate(diag, &it)) != NULL) {
        int line = error->line, column = error->column;

        if (error->type != FYET_ERROR)
            continue;
        any = true;
        if (flow && strstr(error->msg, "without a closing") !=
                        NULL) { /* said at the end of the file: no help there */
            line = f->node->line;
            column = f->node->column;
        }
        if (traps_in_lines(r->file, r->d, line, error->msg))
            continue;
        hint = traps_hint(error->msg);
        diag_add(r->d, SEVERITY_ERROR, DIAG_YAML_SYNTAX, r->file, line > 0 ? line : 1, column, 1,
                 hint != NULL ? hint
                 : flow ? "write an expression with brackets or commas on a line of its own, or in quotes"
                        : NULL,
                 "%s", error->msg);
    }
    if (!any)
        complain(r, DIAG_YAML_SYNTAX, &r->last, 1, NULL, "the YAML breaks off after this place");
    return false;
}

static bool read_events(struct reader *r, struct fy_parser *parser)
{
    struct fy_event *e = NULL;
    bool ok = true;

    while (ok && (e = fy_parser_parse(parser)) != NULL) {
        ok = on_event(r, e);
        fy_parser_event_free(parser, e);
    }
    return ok;
}

struct yaml *yaml_parse(const struct bundle_file *file, struct diags *d)
{
    struct reader *r = ARENA_NEW(d->arena, struct reader);
    struct fy_diag_cfg diag_cfg;
    struct fy_diag *diag = NULL;
    struct fy_parser *parser = NULL;
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 |
                                        FYPCF_JSON_NONE | FYPCF_DISABLE_RECYCLING};
    bool ok = false;

    r->file = file;
    r->d = d;
    if (!yaml_check_bytes(file, d))
        return NULL;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.colorize = false;
    cfg.diag = diag = fy_diag_create(&diag_cfg);
    if (diag != NULL) {
        fy_diag_set_collect_errors(diag, true);
        parser = fy_parser_create(&cfg);
    }
    if (parser == NULL ||
        fy_parser_set_string(parser, file->content.n > 0 ? file->content.p : "", file->content.n) != 0)
        diag_add(d, SEVERITY_ERROR, DIAG_YAML_SYNTAX, file, 0, 0, 1, NULL, "the YAML parser cannot start");
    else if (read_events(r, parser))
        ok = !fy_parser_get_stream_error(parser) || report_syntax(r, diag);
    if (parser != NULL)
        fy_parser_destroy(parser);
    if (diag != NULL)
        fy_diag_destroy(diag);
    if (ok && r->root == NULL)
        r->root = node_new(r, YAML_NULL, NULL);
    return ok ? r->root : NULL;
}
