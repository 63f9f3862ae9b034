/* Measures: what is issued, to whom, on which basis, with which words. */
#include "lang/build.h"

static const char *const levels[] = {"notice",    "reminder",  "warning",  "circular",
                                     "listing",   "yellow",    "red",      "lift",
                                     "interview", "statement", "referral", "withdrawal"};
static const char *const topics[] = {"notifications", "warnings", "supervision"};

static void basis_read(struct compiler *c, const struct declared *d, struct measure *m)
{
    const struct yaml *node = yaml_get(d->node, "basis");
    if (!is_scalar(node) || node->text.n == 0) {
        ERROR_AT(c, BASIS, node ? node : d->key, "the article, as printed; or obligation, rule or ledger",
                 "measure %.*s has no basis", SLICE_ARG(d->name));
        return;
    }
    if (!(node = read_constant(c, node)))
        return;
    m->basis_of_obligation = slice_eq(node->text, S("obligation"));
    m->basis_of_rule = slice_eq(node->text, S("rule"));
    if (!m->basis_of_obligation && !m->basis_of_rule && !slice_eq(node->text, S("ledger")))
        m->basis = node->text;
}

static void document_read(struct compiler *c, const struct yaml *node, struct measure *m)
{
    struct build *b = build_of(c);
    if (!is_scalar(node))
        return;
    m->document = section_find(&b->documents, node->text);
    if (m->document >= 0)
        b->document_used[m->document] = true;
    else
        ERROR_AT(c, DOCUMENT_UNKNOWN, node, section_hint(c, &b->documents, node->text),
                 "no document “%.*s” is declared", SLICE_ARG(node->text));
}

static void words_broken(struct compiler *c, const struct yaml *node, struct slice text, const char *what)
{
    struct yaml at = *node;
    yaml_place_in(node, (size_t)(text.p - node->text.p), &at.line, &at.column);
    at.width = 1;
    ERROR_AT(c, BODY, &at, "{unit.title}, {subject}, {limit} …; every { with its }", "%s", what);
}

#define WORDS_PARTS_MAX 100

void words_read(const struct scope *s, const struct yaml *node, const char *what, struct words *out)
{
    struct compiler *c = s->c;
    struct slice rest = node->text;
    size_t cap = 0;
    while (rest.n) {
        struct slice literal = slice_cut(&rest, '{');
        bool open = literal.p + literal.n < node->text.p + node->text.n; /* stopped at a brace */
        const char *stray = literal.n ? memchr(literal.p, '}', literal.n) : NULL;
        if (stray)
            words_broken(c, node, (struct slice){stray, 1}, "a } without its {");
        struct template_part *part = arena_push(c->arena, &out->part, &out->n, &cap, sizeof *part);
        part->literal = literal;
        if (!open)
            return;
        if (out->n > WORDS_PARTS_MAX) {
            ERROR_AT(c, TOO_LARGE, node, "at most 100 of {…}", "the %s has too many parts", what);
            return;
        }
        if (!rest.n || !memchr(rest.p, '}', rest.n)) {
            words_broken(c, node, (struct slice){literal.p + literal.n, 1}, "a { without its }");
            return;
        }
        struct slice text = slice_cut(&rest, '}');
        if (slice_trim(text).n == 0)
            words_broken(c, node, text, "nothing stands between { and }");
        else
            part->value = expr_compile_part(s, node, text, NULL);
    }
}

static void limit_read(struct compiler *c, const struct yaml *node, struct measure *m)
{
    const struct yaml *k = read_constant(c, node);
    m->limit_of_case = k && slice_eq(k->text, S("case"));
    struct slice rest = k ? k->text : S("");
    if (slice_drop(&rest, S("event.")))
        ERROR_AT(c, DURATION, node,
                 arena_printf(c->arena, "limit: case, and {limit: %.*s} before the measure where it is issued", SLICE_ARG(k->text)).p,
                 "a measure serves any rule, and knows no event");
    else
        m->has_limit = k && !m->limit_of_case && read_duration(c, node, &m->limit);
}

static const struct key_def measure_keys[] = {
    {"title", YAML_NULL, true, "title", NULL, "what people read"},
    {"level", YAML_SCALAR, true,
     "notice|reminder|warning|circular|listing|yellow|red|lift|interview|statement|referral|withdrawal, "
     "constant",
     NULL,
     "tells consumers who do not know the regime what it is"},
    {"rung", YAML_SCALAR, false, "0 to 99, constant", "0", "its place on a ladder"},
    {"topic", YAML_SCALAR, true, "notifications|warnings|supervision, constant", NULL,
     "where it is published; each recipient gets a notification besides"},
    {"basis", YAML_NULL, false, "article, constant", "required",
     "printed as written, or as the parameter says it; `obligation`: the article of the task's obligation; `rule`: that of the rule, "
     "else of its machine; `ledger`: that of the row's ledger"},
    {"to", YAML_NULL, true, "addressee or list", NULL,
     "`unit`, `unit.liaison`, `unit.head`, a role, `lead of subject`, `obligation.to`; if that is nobody, "
     "the unit itself"},
    {"copy", YAML_NULL, false, "addressee or list", NULL, "those who are in `to` are left out"},
    {"limit", YAML_SCALAR, false, "duration or case, constant", "none; about a ledger's row, the row's",
     "runs from the issue to 24:00 of its last day; becomes the machine's `limit`. `case`: the limit that the "
     "machine has, as `do: [{limit: event.finish-by}, {measure: …}]` set it just before"},
    {"document", YAML_SCALAR, false, "name", NULL, "one of `documents`"},
    {"body", YAML_SCALAR, false, "text", "title, unit, what, period, limit",
     "with `{expression}`; n/a prints as nothing"},
};
const struct key_table measure_table = KEY_TABLE(measure_keys);

static void measure_compile(struct compiler *c, const struct declared *d, struct measure *m)
{
    m->place = place_of(c, d->key);
    if (!keys_check(c, d->node, measure_keys, sizeof measure_keys / sizeof *measure_keys,
                    arena_printf(c->arena, "measure %.*s", SLICE_ARG(d->name)).p))
        return;
    const struct yaml *body = yaml_get(d->node, "body");
    /* A measure serves any machine: it knows what every measure has, and no machine's key. */
    struct scope s = {.c = c, .kind = -1, .in_task = true, .row = measure_row, .nrow = MEASURE_FIELDS};
    m->title = read_title(c, yaml_get(d->node, "title"));
    m->level = (enum measure_level)(
        1 + read_word(c, yaml_get(d->node, "level"), levels, sizeof levels / sizeof *levels, "level"));
    int topic = read_word(c, yaml_get(d->node, "topic"), topics, 3, "topic");
    m->topic = topic < 0 ? TOPIC_OF_NOTIFICATIONS : (enum measure_topic)topic;
    read_count(c, yaml_get(d->node, "rung"), 0, 99, &m->rung);
    basis_read(c, d, m);
    document_read(c, yaml_get(d->node, "document"), m);
    read_addressees(c, &s, yaml_get(d->node, "to"), &m->to, &m->nto);
    if (yaml_get(d->node, "to") && yaml_get(d->node, "to")->kind == YAML_LIST &&
        yaml_get(d->node, "to")->n == 0)
        ERROR_AT(c, SHAPE, yaml_get(d->node, "to"), "to: [unit]", "the measure goes to nobody");
    read_addressees(c, &s, yaml_get(d->node, "copy"), &m->copy, &m->ncopy);
    limit_read(c, yaml_get(d->node, "limit"), m);
    if (is_scalar(body))
        words_read(&s, body, "body", &m->body);
}

void measures_compile(struct compiler *c)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->measures.n; i++)
        measure_compile(c, &b->measures.item[i], &c->program->measures[i]);
}
