/* Actions: set, clear, measure, raise, timer, cancel. */
#include "lang/machines.h"

/* Where a list of actions stands. */
struct doing {
    struct machine_at *at;
    const struct scope *scope;
    const struct state_body *body, *group;
};

static const char *var_hint(struct compiler *c, const struct machine *m, struct slice got)
{
    return m->nvars ? field_hint(c, m->vars, m->nvars, got) : "vars: {NAME: {type: …}}";
}

static int var_read(const struct doing *d, const struct yaml *node)
{
    const struct machine *m = d->at->m;
    int i = field_find(m->vars, m->nvars, node->text);
    if (i < 0)
        ERROR_AT(d->at->c, VAR_UNKNOWN, node, var_hint(d->at->c, m, node->text),
                 "machine %.*s has no variable “%.*s”", SLICE_ARG(m->name), SLICE_ARG(node->text));
    return i;
}

/* Each operation reads the map and may yield several actions; a is the next free slot. The number it made is
 * returned. */
static const struct key_def limit_keys[] = {
    {"limit", YAML_SCALAR, true, "expression", NULL,
     "the instance's `limit`, without a measure: a date, whose 24:00 is meant, or an instant"},
};
const struct key_table limit_table = KEY_TABLE(limit_keys);

typedef size_t action_read(const struct doing *d, const struct yaml *node, const struct yaml *what,
                           struct action *a);

static const struct key_def set_keys[] = {
    {"set", YAML_SCALAR, true, "name", NULL, "a variable"},
    {"to", YAML_SCALAR, false, "expression", "yes, of a yes-no", "its new value"},
};
const struct key_table set_table = KEY_TABLE(set_keys);

static size_t set_read(const struct doing *d, const struct yaml *node, const struct yaml *what,
                       struct action *a)
{
    struct compiler *c = d->at->c;
    const struct yaml *to = yaml_get(node, "to");
    keys_check(c, node, set_keys, sizeof set_keys / sizeof *set_keys, "set");
    if (!is_scalar(what) || (a->index = var_read(d, what)) < 0)
        return 0;
    const struct type *type = &d->at->m->vars[a->index].type;
    if (is_scalar(to))
        return (a->value = expr_compile(d->scope, to, type)) != NULL;
    if (type->tag == TYPE_YESNO)
        return 1;
    ERROR_AT(c, ACTION, what, "{set: NAME, to: VALUE}", "“%.*s” is no yes-no: what shall it be?",
             SLICE_ARG(what->text));
    return 0;
}

static const struct key_def clear_keys[] = {
    {"clear", YAML_NULL, true, "name or list", NULL, "variables: back to `start`, or to nothing"},
};
const struct key_table clear_table = KEY_TABLE(clear_keys);

static size_t clear_read(const struct doing *d, const struct yaml *node, const struct yaml *what,
                         struct action *a)
{
    const struct yaml **item;
    size_t n = read_scalars(d->at->c, what, &item, "names of variables"), made = 0;
    keys_check(d->at->c, node, clear_keys, sizeof clear_keys / sizeof *clear_keys, "clear");
    for (size_t i = 0; i < n; i++)
        if ((a[made].index = var_read(d, item[i])) >= 0) {
            a[made].op = ACTION_CLEAR;
            a[made].place = a->place;
            made++;
        }
    return made;
}

static const struct key_def issue_keys[] = {
    {"measure", YAML_SCALAR, true, "name", NULL,
     "issued to the instance's unit; the keys below override its own"},
    {"for", YAML_SCALAR, false, "units", "the instance's unit", "issued to each: `each lead of subject`"},
    {"to", YAML_NULL, false, "addressee or list", "the measure's", "who gets it"},
    {"copy", YAML_NULL, false, "addressee or list", "the measure's", "who gets a copy"},
    {"basis", YAML_SCALAR, false, "article", "the measure's", "printed on it"},
};
const struct key_table issue_table = KEY_TABLE(issue_keys);

static size_t measure_read(const struct doing *d, const struct yaml *node, const struct yaml *what,
                           struct action *a)
{
    struct compiler *c = d->at->c;
    struct build *b = build_of(c);
    const struct yaml *units = yaml_get(node, "for");
    keys_check(c, node, issue_keys, sizeof issue_keys / sizeof *issue_keys, "measure");
    if (!is_scalar(what))
        return 0;
    a->index = section_find(&b->measures, what->text);
    if (a->index < 0) {
        ERROR_AT(c, MEASURE_UNKNOWN, what, section_hint(c, &b->measures, what->text),
                 "no measure “%.*s” is declared", SLICE_ARG(what->text));
        return 0;
    }
    c->measure_used[a->index] = true;
    struct scope s = *d->scope; /* what the measure's own addressees see, and the machine */
    s.row = measure_row;
    s.nrow = MEASURE_FIELDS;
    if (is_scalar(units))
        a->value = read_units(d->scope, units, false);
    a->basis = read_text(node, "basis");
    read_addressees(c, &s, yaml_get(node, "to"), &a->to, &a->nto);
    read_addressees(c, &s, yaml_get(node, "copy"), &a->copy, &a->ncopy);
    return 1;
}

/* The other keys are the event's fields. */
static const struct key_def raise_keys[] = {
    {"raise", YAML_SCALAR, true, "event name", NULL, "an event, queued behind this turn's own; the first `raise` of a name declares it"},
};
const struct key_table raise_table = KEY_TABLE(raise_keys);

/* The expression for one field of the raised event, when the action gives none by name. */
static const struct expr *raise_default(const struct doing *d, const struct kind *k, size_t field,
                                        const struct yaml *what)
{
    const struct machine *m = d->at->m;
    int part = field_find(m->key, m->nkey, k->fields[field].name);
    struct type na = k->fields[field].type;
    if (part >= 0 && type_names(&na, &m->key[part].type))
        return expr_make(d->at->c, EXPR_KEY, part, m->key[part].type, what);
    if (part >= 0) {
        struct compiler *c = d->at->c;
        ERROR_AT(c, RAISE, what,
                 arena_printf(c->arena, "{raise: %.*s, %.*s: …}", SLICE_ARG(k->name), SLICE_ARG(k->fields[field].name)).p,
                 "the event's field “%.*s” is %.*s, and cannot be the key's, which is %.*s",
                 SLICE_ARG(k->fields[field].name), SLICE_ARG(type_format(c->arena, &na)),
                 SLICE_ARG(type_format(c->arena, &m->key[part].type)));
        return NULL;
    }
    if (!na.optional) {
        ERROR_AT(d->at->c, RAISE, what,
                 arena_printf(d->at->c->arena, "{raise: %.*s, %.*s: …}", SLICE_ARG(k->name),
                              SLICE_ARG(k->fields[field].name))
                     .p,
                 "the event's field “%.*s” is not given", SLICE_ARG(k->fields[field].name));
        return NULL;
    }
    return expr_make(d->at->c, EXPR_CONST, 0, na, what);
}

static size_t raise_read(const struct doing *d, const struct yaml *node, const struct yaml *what,
                         struct action *a)
{
    struct compiler *c = d->at->c;
    if (!is_scalar(what)) {
        ERROR_AT(c, SHAPE, what, "the event's name", "raise: names one event");
        return 0;
    }
    a->index = kind_named(c, what->text, false);
    if (a->index < 0)
        return 0; /* its name was diagnosed where it was declared */
    const struct kind *k = &c->program->kinds[a->index];
    if (k->class_ != KIND_CLASS_RAISED && k->class_ != KIND_CLASS_FACT) {
        ERROR_AT(c, RAISE, what, "a name of its own", "“%.*s” comes from outside and cannot be raised",
                 SLICE_ARG(what->text));
        return 0;
    }
    bool ok = true;
    for (size_t i = 0; i < node->n; i++)
        if (node->pairs[i].value != what && field_find(k->fields, k->nfields, node->pairs[i].key->text) < 0) {
            ERROR_AT(c, RAISE, node->pairs[i].key,
                     field_hint(c, k->fields, k->nfields, node->pairs[i].key->text),
                     "the event %.*s has no field “%.*s”", SLICE_ARG(k->name),
                     SLICE_ARG(node->pairs[i].key->text));
            ok = false;
        }
    a->fields = ARENA_ARRAY(c->arena, const struct expr *, k->nfields + 1);
    for (size_t f = 0; f < k->nfields; f++) {
        const struct yaml *given = NULL;
        for (size_t i = 0; i < node->n; i++)
            if (slice_eq(node->pairs[i].key->text, k->fields[f].name) && node->pairs[i].value != what)
                given = node->pairs[i].value;
        if (given && !is_scalar(given))
            ERROR_AT(c, SHAPE, given, "an expression", "a field is one expression");
        else if (given || ok)
            a->fields[f] =
                given ? expr_compile(d->scope, given, &k->fields[f].type) : raise_default(d, k, f, what);
        ok &= a->fields[f] != NULL;
    }
    return ok;
}

static bool timer_index(const struct doing *d, const struct yaml *what, struct action *a)
{
    struct compiler *c = d->at->c;
    const struct machine *m = d->at->m;
    if (!is_scalar(what))
        return false;
    a->index = timer_named(m, d->body, d->group, what->text);
    if (a->index >= 0)
        return true;
    struct slice *known = ARENA_ARRAY(c->arena, struct slice, m->ntimers + 1);
    for (size_t i = 0; i < m->ntimers; i++)
        known[i] = m->timers[i].name;
    ERROR_AT(c, TIMER_UNKNOWN, what, name_hint(c, what->text, known, m->ntimers),
             "no timer “%.*s” is known here", SLICE_ARG(what->text));
    return false;
}

static const struct key_def arm_keys[] = {
    {"timer", YAML_SCALAR, true, "name", NULL, "armed, or moved"},
    {"at", YAML_SCALAR, true, "phrase", NULL, "when"},
};
const struct key_table arm_table = KEY_TABLE(arm_keys);

static size_t timer_read(const struct doing *d, const struct yaml *node, const struct yaml *what,
                         struct action *a)
{
    struct compiler *c = d->at->c;
    const struct yaml *when = yaml_get(node, "at");
    keys_check(c, node, arm_keys, sizeof arm_keys / sizeof *arm_keys, "timer");
    if (!timer_index(d, what, a) || !is_scalar(when))
        return 0;
    a->value = expr_compile(d->scope, when, NULL);
    const struct type *t = a->value ? &a->value->type : NULL;
    if (t && (t->tag == TYPE_LIST || t->tag == TYPE_SET))
        t = t->of;
    if (t && t->tag != TYPE_INSTANT) {
        ERROR_AT(c, EXPR_TYPE, when, "an instant", "a timer cannot be set to %.*s",
                 SLICE_ARG(type_format(c->arena, &a->value->type)));
        return 0;
    }
    return a->value != NULL;
}

static const struct key_def cancel_keys[] = {
    {"cancel", YAML_SCALAR, true, "name", NULL, "a timer: disarmed"},
};
const struct key_table cancel_table = KEY_TABLE(cancel_keys);

static size_t cancel_read(const struct doing *d, const struct yaml *node, const struct yaml *what,
                          struct action *a)
{
    keys_check(d->at->c, node, cancel_keys, sizeof cancel_keys / sizeof *cancel_keys, "cancel");
    return timer_index(d, what, a);
}

static size_t points_read(const struct doing *d, const struct yaml *node, const struct yaml *what, struct action *a)
{
    return score_read(d->at, d->scope, node, what, a);
}

static size_t birth_read(const struct doing *d, const struct yaml *node, const struct yaml *what, struct action *a)
{
    return task_read(d->at, d->scope, node, what, a);
}

/* A date, whose 24:00 is meant, or an instant. */
static size_t limit_read(const struct doing *d, const struct yaml *node, const struct yaml *what, struct action *a)
{
    struct compiler *c = d->at->c;
    keys_check(c, node, limit_keys, sizeof limit_keys / sizeof *limit_keys, "limit");
    a->value = is_scalar(what) ? expr_compile(d->scope, what, NULL) : NULL;
    if (!a->value || a->value->type.tag == TYPE_DATE || a->value->type.tag == TYPE_INSTANT)
        return a->value != NULL;
    ERROR_AT(c, EXPR_TYPE, what, "a date or an instant: event.limit, 10d after now", "a limit cannot be %.*s",
             SLICE_ARG(type_format(c->arena, &a->value->type)));
    return 0;
}

static const struct {
    const char *name;
    enum action_op op;
    action_read *read;
} ops[] = {{"set", ACTION_SET, set_read},
           {"clear", ACTION_CLEAR, clear_read},
           {"measure", ACTION_MEASURE, measure_read},
           {"raise", ACTION_RAISE, raise_read},
           {"timer", ACTION_TIMER, timer_read},
           {"cancel", ACTION_CANCEL, cancel_read},
           {"limit", ACTION_LIMIT, limit_read},
           {"score", ACTION_SCORE, points_read},
           {"task", ACTION_TASK, birth_read}};

void actions_compile(struct machine_at *at, const struct scope *s, const struct yaml *list,
                     const struct state_body *body, const struct state_body *group, struct action **out,
                     size_t *n)
{
    struct doing d = {at, s, body, group};
    const struct yaml *const *item;
    size_t count = read_items(list, &item), room = count + 1;
    for (size_t i = 0; i < count; i++) {
        const struct yaml *clear = yaml_get(item[i], "clear");
        room += clear && clear->kind == YAML_LIST ? clear->n : 0;
    }
    *out = ARENA_ARRAY(at->c->arena, struct action, room);
    *n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct yaml *what = NULL;
        size_t o = 0;
        for (; o < sizeof ops / sizeof *ops && !what; o++)
            what = yaml_get(item[i], ops[o].name);
        if (!what) {
            ERROR_AT(at->c, ACTION, item[i],
                     "set:, clear:, measure:, raise:, timer:, cancel:, limit:, score: or task:", "this is no action");
            continue;
        }
        struct action *a = &(*out)[*n];
        *a = (struct action){.op = ops[o - 1].op, .place = place_of(at->c, what)};
        *n += ops[o - 1].read(&d, item[i], what, a);
    }
}
