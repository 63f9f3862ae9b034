/* Names and types of everything declared, before any expression is read. */
#include "lang/figures.h"
#include "lang/ledgers.h"
#include "lang/meant.h"
#include "lang/obligations.h"

/* ---- the workflow itself */

static void id_read(struct compiler *c)
{
    const struct yaml *node = yaml_get(c->root, "workflow");
    if (!is_scalar(node))
        return;
    bool ok = node->text.n > 0 && node->text.n <= 64;
    for (size_t i = 0; ok && i < node->text.n; i++) {
        char b = node->text.p[i];
        ok = (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || (b == '-' && i > 0);
    }
    if (!ok)
        ERROR_AT(c, WORKFLOW_ID, node, "up to 64 of a-z, 0-9 and minus: suifenhe-2024",
                 "“%.*s” cannot be a workflow's id", SLICE_ARG(node->text));
    c->program->id = node->text;
}

static void head_declare(struct compiler *c)
{
    struct program *p = c->program;
    const struct yaml *issuer = yaml_get(c->root, "issuer");
    id_read(c);
    p->title = read_title(c, yaml_get(c->root, "title"));
    p->effective = (struct span){DATE_NONE, DATE_NONE};
    read_span(c, yaml_get(c->root, "effective"), &p->effective);
    p->issuer = is_scalar(issuer) ? read_role(c, issuer) : -1;
}

/* ---- parameters */

#define PARAM_SORTS (MEANT_YESNO | MEANT_DATE | MEANT_DURATION | MEANT_NUMBER)

/* 1.10 and 007 are numbers, and what shows a number shows 1.1 and 7. */
static bool zeros_lost(struct slice s)
{
    bool point = s.n && memchr(s.p, '.', s.n) != NULL;
    return s.n > 1 && ((s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9') || (point && s.p[s.n - 1] == '0'));
}

/* A constant's type shows in how it is written: yes, 3, 70%, 30d, 2024-03-29; anything else, and what stands in quotes, is a word. */
static void param_value(struct compiler *c, const struct yaml *node, struct param *p)
{
    struct rat number;
    struct duration duration;
    date_t date;
    if (node->quoted) {
        p->type = type_text;
        p->value = (struct value){.tag = VALUE_TEXT, .text = node->text};
    } else if (slice_eq(node->text, S("yes")) || slice_eq(node->text, S("no"))) {
        p->type = type_yesno;
        p->value = (struct value){.tag = VALUE_YESNO, .yes = slice_eq(node->text, S("yes"))};
    } else if (rat_parse(node->text, &number)) {
        p->type = type_number;
        p->value = (struct value){.tag = VALUE_NUMBER, .number = number};
        if (zeros_lost(node->text))
            WARN_AT(c, PARAM_ZEROS, node, "quotes around what is a text and no number: \"1.10\"",
                    "“%.*s” is a number, and shown as %.*s", SLICE_ARG(node->text),
                    SLICE_ARG(value_format(c->arena, &p->value, c->program->tz)));
    } else if (duration_parse(node->text, &duration)) {
        p->type = (struct type){.tag = TYPE_DURATION};
        p->value = (struct value){.tag = VALUE_DURATION, .duration = duration};
    } else if (date_parse(node->text, &date)) {
        p->type = (struct type){.tag = TYPE_DATE};
        p->value = (struct value){.tag = VALUE_DATE, .date = date};
    } else {
        struct slice meant = meant_by(c->arena, PARAM_SORTS, node->text);
        if (meant.n) {
            ERROR_AT(c, PARAM_WORD, node,
                     arena_printf(c->arena, "%s If a text is meant, in quotes", meant_hint(c->arena, PARAM_SORTS, node->text, "")).p,
                     "“%.*s” is a word here", SLICE_ARG(node->text));
            ((struct yaml *)(uintptr_t)node)->text = meant; /* so that it is told once */
            param_value(c, node, p);
            return;
        }
        p->type = type_text;
        p->value = (struct value){.tag = VALUE_TEXT, .text = node->text};
    }
}

static const struct key_def parameter_keys[] = {
    {"value", YAML_NULL, true, "value", NULL,
     "a yes-no, number, duration, date or else a word, by how it is written; in quotes always a word"},
    {"why", YAML_SCALAR, false, "text", NULL, "the article or the reason, for readers"},
    {"versions", YAML_LIST, false, "list of version", NULL, "later values, in the order of their days"},
};
const struct key_table parameter_table = KEY_TABLE(parameter_keys);
static const struct key_def version_keys[] = {
    {"from", YAML_SCALAR, true, "date", NULL, "the first day on which it holds"},
    {"value", YAML_SCALAR, true, "value", NULL, "of the parameter's own type"},
    {"why", YAML_SCALAR, false, "text", NULL, "for readers"},
};
const struct key_table version_table = KEY_TABLE(version_keys);

static void param_version(struct compiler *c, const struct yaml *node, struct param *p)
{
    struct param_version *before = p->nversions ? &p->versions[p->nversions - 1] : NULL,
                         *v = &p->versions[p->nversions];
    const struct yaml *from = yaml_get(node, "from"), *value = yaml_get(node, "value");
    struct param typed = {.name = p->name};
    if (!keys_check(c, node, version_keys, sizeof version_keys / sizeof *version_keys,
                    "a version of a parameter") ||
        !is_scalar(from) || !is_scalar(value))
        return;
    if (!date_parse(from->text, &v->from)) {
        ERROR_AT(c, PARAM_VERSION, from, "the first day on which it counts: 2024-07-01", "“%.*s” is no date",
                 SLICE_ARG(from->text));
        return;
    }
    if (before && before->from >= v->from)
        ERROR_AT(c, PARAM_VERSION, from, "versions in the order of their days",
                 "this version begins no later than the one before it");
    param_value(c, value, &typed);
    if (typed.type.tag != p->type.tag)
        ERROR_AT(c, PARAM_VERSION, value, type_format(c->arena, &p->type).p,
                 "a parameter stays of one type; this is %.*s", SLICE_ARG(type_format(c->arena, &typed.type)));
    v->value = typed.value;
    p->nversions++;
}

static void param_versions(struct compiler *c, const struct yaml *node, struct param *p)
{
    const struct yaml *const *item;
    size_t n = read_items(node, &item);
    p->versions = ARENA_ARRAY(c->arena, struct param_version, n + 1);
    for (size_t i = 0; i < n; i++)
        param_version(c, item[i], p);
}

static void params_declare(struct compiler *c)
{
    struct build *b = build_of(c);
    struct program *p = c->program;
    section_collect(b, "params", &b->params);
    p->params = ARENA_ARRAY(c->arena, struct param, b->params.n + 1);
    c->param_used = ARENA_ARRAY(c->arena, bool, b->params.n + 1);
    for (size_t i = 0; i < b->params.n; i++) {
        const struct declared *d = &b->params.item[i];
        struct param *param = &p->params[p->nparams++];
        *param = (struct param){.name = d->name, .type = type_text, .place = place_of(c, d->key)};
        if (!keys_check(c, d->node, parameter_keys, sizeof parameter_keys / sizeof *parameter_keys,
                        arena_printf(c->arena, "parameter %.*s", SLICE_ARG(d->name)).p))
            continue;
        param->why = read_text(d->node, "why");
        const struct yaml *value = yaml_get(d->node, "value");
        if (value && (!is_scalar(value) || value->text.n == 0))
            ERROR_AT(c, PARAM_UNSET, value->kind == YAML_NULL ? d->key : value,
                     "one value: 3, 70%, 30d, yes, a date or a word", "parameter “%.*s” has no value",
                     SLICE_ARG(d->name));
        else if (value)
            param_value(c, value, param);
        param_versions(c, yaml_get(d->node, "versions"), param);
    }
}

/* ---- documents: the whole of one is its declaration, but for its template (templates.c) */

/* 绥营督〔year〕n号: what stands before the year, and what after the number. */
static void document_number(struct compiler *c, const struct yaml *node, struct document *d)
{
    static const struct slice year = {"〔year〕n", sizeof "〔year〕n" - 1};
    const char *p = node->text.n ? memmem(node->text.p, node->text.n, year.p, year.n) : NULL;
    if (!p || p == node->text.p) {
        ERROR_AT(c, DOCUMENT_NUMBER, node, "the issuer's mark, 〔year〕, n: 绥营督〔year〕n号",
                 "“%.*s” is no document number", SLICE_ARG(node->text));
        return;
    }
    size_t before = (size_t)(p - node->text.p);
    d->number_prefix = (struct slice){node->text.p, before};
    d->number_suffix = (struct slice){p + year.n, node->text.n - before - year.n};
}

static const struct key_def document_keys[] = {
    {"title", YAML_NULL, true, "title", NULL, "printed on what is issued"},
    {"number", YAML_SCALAR, false, "MARK〔year〕n…", "not numbered",
     "counts up per mark and year of issue, without gaps; documents with one mark share a series"},
    {"issuer", YAML_SCALAR, false, "role", "the workflow's `issuer`", "who is named at its head and its end"},
    {"template", YAML_SCALAR, false, "file", "the measure's `body`",
     "its main text: a file in `templates/` beside the file that names it"},
    {"attachments", YAML_NULL, false, "text or list", "none",
     "names of the papers that go with it, with `{expression}`; the page lists them below the main text as 附件：1. …"},
};
const struct key_table document_table = KEY_TABLE(document_keys);

static void documents_declare(struct compiler *c)
{
    struct build *b = build_of(c);
    struct program *p = c->program;
    section_collect(b, "documents", &b->documents);
    p->documents = ARENA_ARRAY(c->arena, struct document, b->documents.n + 1);
    b->document_used = ARENA_ARRAY(c->arena, bool, b->documents.n + 1);
    for (size_t i = 0; i < b->documents.n; i++) {
        const struct declared *d = &b->documents.item[i];
        struct document *doc = &p->documents[p->ndocuments++];
        *doc = (struct document){.name = d->name, .issuer = p->issuer, .place = place_of(c, d->key)};
        if (!keys_check(c, d->node, document_keys, sizeof document_keys / sizeof *document_keys, arena_printf(c->arena, "document %.*s", SLICE_ARG(d->name)).p))
            continue;
        const struct yaml *number = yaml_get(d->node, "number"), *issuer = yaml_get(d->node, "issuer");
        doc->title = read_title(c, yaml_get(d->node, "title"));
        if (is_scalar(number))
            document_number(c, number, doc);
        if (is_scalar(issuer))
            doc->issuer = read_role(c, issuer);
    }
}

/* ---- */

static void raise_count(void *ctx, const struct action_site *site)
{
    size_t *n = ctx;
    *n += yaml_get(site->action, "raise") != NULL;
}

void declare_all(struct compiler *c)
{
    struct build *b = build_of(c);
    struct program *p = c->program;
    head_declare(c);
    params_declare(c);
    section_collect(b, "events", &b->events);
    section_collect(b, "rankings", &b->rankings);
    section_collect(b, "obligations", &b->obligations);
    section_collect(b, "measures", &b->measures);
    section_collect(b, "machines", &b->machines);
    kinds_builtin(c);
    constants_declare(c);
    indicators_declare(c);
    events_declare(c);
    tallies_name(c);
    rankings_declare(c);
    documents_declare(c);
    ledgers_declare(c);
    schedules_declare(c);
    submissions_declare(c);

    size_t raises = 0;
    for (size_t i = 0; i < b->machines.n; i++)
        actions_visit(b->machines.item[i].node, raise_count, &raises);
    c->kind_used = ARENA_ARRAY(c->arena, bool, p->nkinds + raises + 1);
    c->measure_used = ARENA_ARRAY(c->arena, bool, b->measures.n + 1);

    p->measures = ARENA_ARRAY(c->arena, struct measure, b->measures.n + 1);
    for (size_t i = 0; i < b->measures.n; i++)
        p->measures[p->nmeasures++] = (struct measure){.name = b->measures.item[i].name, .document = -1};
    p->obligations = ARENA_ARRAY(c->arena, struct obligation, b->obligations.n + 1);
    for (size_t i = 0; i < b->obligations.n; i++)
        p->obligations[p->nobligations++] = (struct obligation){.name = b->obligations.item[i].name};
    machines_declare(c);
    tallies_declare(c);
    issued_declare(c);
    raises_declare(c);
    kinds_rename(c);
    kinds_compile(c);
    indicators_compile(c);
}
