/* Kinds of events: the built-in ones, declared facts and rankings. */
#include "lang/kinds.h"

struct kind *kind_add(struct compiler *c, struct slice name, enum kind_class class_, const struct yaml *at)
{
    struct build *b = build_of(c);
    struct program *p = c->program;
    struct kind *k = arena_push(c->arena, &p->kinds, &p->nkinds, &b->kinds_cap, sizeof *k);
    *k = (struct kind){.name = name, .class_ = class_, .dated = -1, .ranking = -1, .place = place_of(c, at)};
    return k;
}

/* ---- built in */

static const char *const builtin[KIND_DECLARED] = {
    [KIND_SUBMITTED] = "submitted", [KIND_ACCEPTED] = "accepted", [KIND_RETURNED] = "returned",
    [KIND_COUNTED] = "counted",     [KIND_TIMER] = "timer",       [KIND_READING] = "reading",
    [KIND_DIRECTIVE] = "directive", [KIND_ASKED] = "extension-requested",
    [KIND_REFUSED] = "extension-refused", [KIND_EXTENDED] = "extended",
    [KIND_WAIVED] = "waived",       [KIND_PAUSED] = "paused",     [KIND_RESUMED] = "resumed",
    [KIND_EXCUSED] = "excused",
};

struct slice kind_builtin_name(int kind)
{
    return slice_of(builtin[kind]);
}

static const struct field reading[READING_FIELDS] = {
    [READING_INDICATOR] = {{"indicator", 9}, {.tag = TYPE_TEXT}},
    [READING_UNIT] = {{"unit", 4}, {.tag = TYPE_UNIT}},
    [READING_PERIOD] = {{"period", 6}, {.tag = TYPE_PERIOD}},
    [READING_VALUE] = {{"value", 5}, {.tag = TYPE_NUMBER, .optional = true}},
    [READING_NUMERATOR] = {{"numerator", 9}, {.tag = TYPE_NUMBER, .optional = true}},
    [READING_DENOMINATOR] = {{"denominator", 11}, {.tag = TYPE_NUMBER, .optional = true}},
    [READING_APPROXIMATE] = {{"approximate", 11}, {.tag = TYPE_YESNO}},
    [READING_WRITTEN] = {{"written", 7}, {.tag = TYPE_TEXT, .optional = true}},
    [READING_MET] = {{"met", 3}, {.tag = TYPE_YESNO, .optional = true}},
};

static const struct field directive[DIRECTIVE_FIELDS] = {
    [DIRECTIVE_UNIT] = {{"unit", 4}, {.tag = TYPE_UNIT}},
    [DIRECTIVE_ABOUT] = {{"about", 5}, {.tag = TYPE_TEXT}},
    [DIRECTIVE_OBLIGATION] = {{"obligation", 10}, {.tag = TYPE_TEXT}},
    [DIRECTIVE_TITLE] = {{"title", 5}, {.tag = TYPE_TEXT}},
    [DIRECTIVE_SOURCE] = {{"source", 6}, {.tag = TYPE_TEXT, .optional = true}},
    [DIRECTIVE_DUE] = {{"due", 3}, {.tag = TYPE_DATE, .optional = true}},
    [DIRECTIVE_BASIS] = {{"basis", 5}, {.tag = TYPE_TEXT, .optional = true}},
};

struct type obligation_type(struct compiler *c)
{
    const struct section *s = &build_of(c)->obligations;
    struct slice *words = ARENA_ARRAY(c->arena, struct slice, s->n + 1);
    for (size_t i = 0; i < s->n; i++)
        words[i] = s->item[i].name;
    return s->n ? (struct type){.tag = TYPE_ENUM, .words = words, .nwords = s->n} : type_text;
}

static struct field *fields_set(struct kind *k, const struct field *field, size_t n, struct arena *a)
{
    struct field *copy = ARENA_ARRAY(a, struct field, n);
    memcpy(copy, field, n * sizeof *field);
    k->fields = copy;
    k->nfields = n;
    return copy;
}

void kinds_builtin(struct compiler *c)
{
    struct program *p = c->program;
    struct field task[] = {{S("unit"), {.tag = TYPE_UNIT}},
                           {S("about"), {.tag = TYPE_UNIT, .optional = true}},
                           {S("obligation"), obligation_type(c)},
                           {S("period"), {.tag = TYPE_PERIOD}},
                           {S("reason"), {.tag = TYPE_TEXT, .optional = true}}};
    struct field *f = ARENA_ARRAY(c->arena, struct field, 5);
    memcpy(f, task, sizeof task);
    for (int i = 0; i < KIND_DECLARED; i++) {
        struct kind *k = kind_add(c, slice_of(builtin[i]), KIND_CLASS_BUILTIN, NULL);
        bool review = i == KIND_ACCEPTED || i == KIND_RETURNED, said = review || i >= KIND_ASKED;
        k->fields = f;
        k->nfields = i == KIND_TIMER ? 0 : said ? 5 : 4;
        k->voice = review || i > KIND_ASKED ? VOICE_DEADLINES : VOICE_SUBMISSIONS;
    }
    struct field *some = ARENA_ARRAY(c->arena, struct field, 5);
    memcpy(some, task, sizeof task);
    some[2].type.optional = some[3].type.optional = true;
    for (int i = KIND_EXTENDED; i <= KIND_RESUMED; i++)
        p->kinds[i].fields = some; /* a case's event names no task */
    fields_set(&p->kinds[KIND_READING], reading, READING_FIELDS, c->arena);
    struct field *told = fields_set(&p->kinds[KIND_DIRECTIVE], directive, DIRECTIVE_FIELDS, c->arena);
    told[DIRECTIVE_OBLIGATION].type = task[2].type;
    p->kinds[KIND_DIRECTIVE].voice = VOICE_DEADLINES;
}

/* ---- facts */

struct field *fields_compile(struct compiler *c, const struct yaml *map, size_t *n)
{
    size_t count = map_size(c, map);
    struct field *f = ARENA_ARRAY(c->arena, struct field, count + 1);
    for (size_t i = 0; i < count; i++) {
        f[i].name = map->pairs[i].key->text;
        name_check(c, map->pairs[i].key, "a field");
        if (!type_compile(c, map->pairs[i].value, &f[i].type))
            f[i].type = (struct type){.tag = TYPE_TEXT, .optional = true};
    }
    *n = count;
    return f;
}

int field_find(const struct field *f, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(f[i].name, name))
            return (int)i;
    return -1;
}

const char *field_hint(struct compiler *c, const struct field *f, size_t n, struct slice got)
{
    struct slice *name = ARENA_ARRAY(c->arena, struct slice, n + 1);
    for (size_t i = 0; i < n; i++)
        name[i] = f[i].name;
    return name_hint(c, got, name, n);
}

static void sources_read(struct compiler *c, const struct yaml *node, struct kind *k)
{
    const struct yaml **item;
    size_t n = read_scalars(c, node, &item, "the source of a CloudEvent");
    k->from = ARENA_ARRAY(c->arena, struct slice, n + 1);
    for (size_t i = 0; i < n; i++)
        k->from[k->nfrom++] = item[i]->text;
}

static void dated_read(struct compiler *c, const struct yaml *node, struct kind *k)
{
    if (!is_scalar(node))
        return;
    k->dated = field_find(k->fields, k->nfields, node->text);
    if (k->dated < 0) {
        ERROR_AT(c, FIELD_UNKNOWN, node, field_hint(c, k->fields, k->nfields, node->text),
                 "the event has no field “%.*s”", SLICE_ARG(node->text));
        return;
    }
    enum type_tag tag = k->fields[k->dated].type.tag;
    if (tag != TYPE_DATE && tag != TYPE_INSTANT && tag != TYPE_PERIOD)
        ERROR_AT(c, EVENT_DATED, node, "a field of type date, instant or period",
                 "“%.*s” does not say when it happened", SLICE_ARG(node->text));
}

static const struct key_def event_keys[] = {
    {"title", YAML_NULL, false, "title", NULL, "for readers"},
    {"by", YAML_NULL, false, "role or list", "any unit", "who may report it; the reporter is `event.by`"},
    {"from", YAML_NULL, false, "text or list", "any", "CloudEvents sources that may send it"},
    {"voice", YAML_SCALAR, false, "submissions|deadlines|either, constant", "`submissions`",
     "the topic that may carry it: what the supervised say, or what authority says"},
    {"dated", YAML_SCALAR, false, "field", NULL,
     "the field (date, instant or period) that says when it happened"},
    {"fields", YAML_MAP, false, "map of type", NULL,
     "what it carries; a field `unit` that is not declared is the reporter"},
    {"refuse", YAML_LIST, false, "list of refusal", NULL, "conditions under which the sender is refused"},
};
const struct key_table event_table = KEY_TABLE(event_keys);

void events_declare(struct compiler *c)
{
    static const char *const voices[] = {"submissions", "deadlines", "either"};
    struct section *s = &build_of(c)->events;
    for (size_t i = 0; i < s->n; i++) {
        const struct declared *d = &s->item[i];
        struct kind *k = kind_add(c, d->name, KIND_CLASS_FACT, d->key);
        if (!keys_check(c, d->node, event_keys, sizeof event_keys / sizeof *event_keys,
                        arena_printf(c->arena, "event %.*s", SLICE_ARG(d->name)).p))
            continue;
        read_title(c, yaml_get(d->node, "title"));
        k->fields = fields_compile(c, yaml_get(d->node, "fields"), &k->nfields);
        read_roles(c, yaml_get(d->node, "by"), &k->by, &k->nby);
        sources_read(c, yaml_get(d->node, "from"), k);
        dated_read(c, yaml_get(d->node, "dated"), k);
        int voice = read_word(c, yaml_get(d->node, "voice"), voices, 3, "voice");
        k->voice = voice < 0 ? VOICE_SUBMISSIONS : (enum voice)voice;
    }
}

static const struct key_def refusal_keys[] = {
    {"if", YAML_SCALAR, true, "condition", NULL, "over `event`; of submissions also the task's key"},
    {"say", YAML_SCALAR, true, "text", NULL, "the sentence that the sender gets"},
};
const struct key_table refusal_table = KEY_TABLE(refusal_keys);

static void refusals_compile(struct compiler *c, const struct yaml *list, int kind)
{
    const struct yaml *const *item;
    size_t n = read_items(list, &item);
    struct kind *k = &c->program->kinds[kind];
    struct scope s = {.c = c, .kind = kind};
    k->refuse = ARENA_ARRAY(c->arena, struct refusal, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!keys_check(c, item[i], refusal_keys, sizeof refusal_keys / sizeof *refusal_keys, "a refusal"))
            continue;
        struct refusal r = {.say = read_text(item[i], "say")};
        const struct yaml *condition = yaml_get(item[i], "if");
        if (is_scalar(condition))
            r.if_ = expr_compile(&s, condition, &type_yesno);
        if (r.if_ && r.say.n)
            k->refuse[k->nrefuse++] = r;
    }
}

/* ---- rankings */

/* What is ranked: a table's rows, or units (all of them, or the holders of a role). */
static void ranking_of(struct compiler *c, const struct yaml *node, struct ranking *r)
{
    struct program *p = c->program;
    r->of = (struct type){.tag = TYPE_UNIT};
    r->of_name = S("unit");
    if (!is_scalar(node) || slice_eq(node->text, S("unit")))
        return;
    for (size_t i = 0; i < p->ntables; i++)
        if (slice_eq(p->tables[i].row, node->text)) {
            r->of = (struct type){.tag = TYPE_ROW, .table = (int)i};
            r->of_name = node->text;
            return;
        }
    for (size_t i = 0; i < p->nroles; i++)
        if (slice_eq(p->roles[i], node->text)) {
            c->role_used[i] = true;
            r->of_roles = ARENA_NEW(c->arena, int);
            *r->of_roles = (int)i;
            r->nof_roles = 1;
            return;
        }
    struct slice *name = ARENA_ARRAY(c->arena, struct slice, p->ntables + 1);
    for (size_t i = 0; i < p->ntables; i++)
        name[i] = p->tables[i].row;
    ERROR_AT(c, RANKING_OF, node, p->ntables ? name_hint(c, node->text, name, p->ntables) : "unit, or a role",
             "“%.*s” is no row of a table, no role and not unit", SLICE_ARG(node->text));
    struct slice near = nearest_name(node->text, name, p->ntables);
    for (size_t i = 0; i < p->ntables && near.n; i++)
        if (slice_eq(name[i], near)) { /* what was meant, for the sake of what else is said */
            r->of = (struct type){.tag = TYPE_ROW, .table = (int)i};
            r->of_name = near;
        }
}

static void ranking_kinds(struct compiler *c, const struct declared *d, int index)
{
    struct ranking *r = &c->program->rankings[index];
    struct type period = {.tag = TYPE_PERIOD, .period_kind = r->period};
    struct field *list = ARENA_ARRAY(c->arena, struct field, 2),
                 *entry = ARENA_ARRAY(c->arena, struct field, RANKED_FIELDS);
    list[0] = (struct field){S("period"), period};
    list[1] = (struct field){S("places"), type_number};
    entry[RANKED_SUBJECT] = (struct field){r->of_name, r->of};
    entry[RANKED_PERIOD] = (struct field){S("period"), period};
    entry[RANKED_RANK] = (struct field){S("rank"), type_number};
    entry[RANKED_PLACES] = (struct field){S("places"), type_number};
    entry[RANKED_TIED] = (struct field){S("tied"), type_number};
    entry[RANKED_LOW] = (struct field){S("low"), type_yesno};
    entry[RANKED_LAST] = (struct field){S("last"), type_yesno};
    entry[RANKED_MIDDLE] = (struct field){S("middle"), type_number};
    bool only = build_of(c)->rankings.n == 1;
    struct slice entry_name = only ? S("ranked") : arena_printf(c->arena, "ranked %.*s", SLICE_ARG(d->name));
    r->kind_list = (int)c->program->nkinds;
    r->kind_entry = r->kind_list + 1;
    struct kind *k =
        kind_add(c, arena_printf(c->arena, "ranking %.*s", SLICE_ARG(d->name)), KIND_CLASS_RANKING, d->key);
    *k = (struct kind){.name = k->name,
                       .class_ = k->class_,
                       .fields = list,
                       .nfields = 2,
                       .by = r->by,
                       .nby = r->nby,
                       .voice = VOICE_DEADLINES,
                       .dated = 0,
                       .ranking = index,
                       .place = k->place};
    k = kind_add(c, entry_name, KIND_CLASS_RANKING_ENTRY, d->key);
    *k = (struct kind){.name = k->name,
                       .class_ = k->class_,
                       .fields = entry,
                       .nfields = RANKED_FIELDS,
                       .by = r->by,
                       .nby = r->nby,
                       .voice = VOICE_DEADLINES,
                       .dated = RANKED_PERIOD,
                       .ranking = index,
                       .place = k->place};
}

/* `by: [bureau]`, or as a regime says it: `received: by bureau`. */
static void ranking_by(struct compiler *c, const struct declared *d, struct ranking *r)
{
    const struct yaml *received = yaml_get(d->node, "received");
    read_roles(c, yaml_get(d->node, "by"), &r->by, &r->nby);
    if (!is_scalar(received))
        return;
    struct yaml role = *received;
    if (!slice_drop(&role.text, S("by "))) {
        ERROR_AT(c, WORD, received, "by ROLE", "“%.*s” does not say who publishes it",
                 SLICE_ARG(received->text));
        return;
    }
    role.column += char_count((struct slice){received->text.p, (size_t)(role.text.p - received->text.p)});
    role.width = char_count(role.text);
    read_roles(c, &role, &r->by, &r->nby);
}

/* A declared event may be called as a built-in one is (验收 is `accepted`, too): inside a task's machine the
 * word means the built-in event, elsewhere the declared one. What looks kinds up by name must find the
 * declared one alone. */
void kinds_rename(struct compiler *c)
{
    struct program *p = c->program;
    for (size_t i = 0; i < KIND_DECLARED; i++)
        for (size_t k = KIND_DECLARED; k < p->nkinds; k++)
            if (slice_eq(p->kinds[k].name, slice_of(builtin[i])))
                p->kinds[i].name = arena_printf(c->arena, "task %s", builtin[i]);
}

static void names_check(struct compiler *c)
{
    struct section *s = &build_of(c)->events;
    struct program *p = c->program;
    for (size_t i = 0; i < s->n; i++) {
        bool word = slice_eq(s->item[i].name, S("any")) || slice_eq(s->item[i].name, S("timer"));
        for (size_t k = KIND_DECLARED + s->n; k < p->nkinds && !word; k++)
            word = slice_eq(p->kinds[k].name, s->item[i].name);
        if (word)
            ERROR_AT(c, DECLARED_TWICE, s->item[i].key, "another name",
                     "“%.*s” means something else after when:", SLICE_ARG(s->item[i].name));
    }
}

static const struct key_def ranking_keys[] = {
    {"title", YAML_NULL, false, "title", NULL, "what people read"},
    {"basis", YAML_SCALAR, true, "article", NULL, "where the text ranks them"},
    {"of", YAML_SCALAR, true, "name", NULL,
     "a table's `row`, `unit` or a role; names the entry's field (`unit` for units). Of a role: its "
     "holders on the period's last day, and nobody else"},
    {"period", YAML_SCALAR, false, "period kind, constant", "of a computed one its tally's; else needed",
     "what one list is for"},
    {"by", YAML_NULL, false, "role or list", "any unit", "who may publish it"},
    {"received", YAML_SCALAR, false, "by ROLE", NULL, "says the same as `by`, of one role"},
    {"computed", YAML_SCALAR, false, "TALLY.total, ORDER", "received",
     "`monthly.total, highest first`, or `lowest first`: made when the tally closes, of the units that "
     "have a total. Nobody publishes it"},
    {"ties", YAML_SCALAR, false, "competition", "`competition`", "1-2-2-4, the only way"},
    {"tail", YAML_SCALAR, false, "number expression", "none is low",
     "how many last places are 靠后; over `rank`, `places`, `tied`"},
    {"middle", YAML_SCALAR, false, "number expression", "no middle",
     "a group that reaches this place is not low: `ceil(places ÷ 2)`"},
    {"no-tail-under", YAML_SCALAR, false, "1 to 100000, constant", "0",
     "fewer places than this have no tail"},
};
const struct key_table ranking_table = KEY_TABLE(ranking_keys);

/* A computed one has the period of its tally. */
static void ranking_period(struct compiler *c, const struct declared *d, struct ranking *r)
{
    const struct yaml *period = yaml_get(d->node, "period");
    if (yaml_get(d->node, "computed"))
        ranking_computed_read(c, d, r);
    else if (period)
        read_period_kind(c, period, &r->period);
    else
        ERROR_AT(c, KEY_MISSING, d->key, "period: quarter; or computed: TALLY.total",
                 "ranking %.*s lacks period:", SLICE_ARG(d->name));
}

void rankings_declare(struct compiler *c)
{
    static const char *const ties[] = {"competition"};
    struct section *s = &build_of(c)->rankings;
    struct program *p = c->program;
    p->rankings = ARENA_ARRAY(c->arena, struct ranking, s->n + 1);
    for (size_t i = 0; i < s->n; i++) {
        const struct declared *d = &s->item[i];
        struct ranking *r = &p->rankings[i];
        *r = (struct ranking){.name = d->name, .tally = -1, .period = PERIOD_YEAR, .place = place_of(c, d->key)};
        ranking_of(c, yaml_get(d->node, "of"), r);
        if (keys_check(c, d->node, ranking_keys, sizeof ranking_keys / sizeof *ranking_keys,
                       arena_printf(c->arena, "ranking %.*s", SLICE_ARG(d->name)).p)) {
            r->title = read_title(c, yaml_get(d->node, "title"));
            r->basis = read_text(d->node, "basis");
            ranking_period(c, d, r);
            ranking_by(c, d, r);
            read_word(c, yaml_get(d->node, "ties"), ties, 1, "way to rank ties");
            read_count(c, yaml_get(d->node, "no-tail-under"), 1, 100000, &r->no_tail_under);
        }
        p->nrankings = i + 1;
        ranking_kinds(c, d, (int)i);
    }
    names_check(c);
}

/* ---- the expressions of kinds, once every name is known */

void kinds_compile(struct compiler *c)
{
    struct build *b = build_of(c);
    struct program *p = c->program;
    for (size_t i = 0; i < b->events.n; i++)
        refusals_compile(c, yaml_get(b->events.item[i].node, "refuse"), KIND_DECLARED + (int)i);
    for (size_t i = 0; i < b->rankings.n; i++) {
        struct ranking *r = &p->rankings[i];
        const struct yaml *tail = yaml_get(b->rankings.item[i].node, "tail"),
                          *middle = yaml_get(b->rankings.item[i].node, "middle");
        /* What the tail and the middle decide (low, last, middle) is not there yet. */
        struct scope s = {.c = c, .kind = -1, .row = p->kinds[r->kind_entry].fields, .nrow = RANKED_LOW};
        if (is_scalar(tail))
            r->tail = expr_compile(&s, tail, &type_number);
        if (is_scalar(middle))
            r->middle = expr_compile(&s, middle, &type_number);
    }
}
