#include "http/titles.h"

#include "engine/row.h"

const struct program *titles_program(struct titles *t, struct slice workflow)
{
    struct slice stored;
    struct err why;

    if (t->workflow.n > 0 && slice_eq(t->workflow, workflow))
        return t->definition != NULL ? definition_program(t->definition) : NULL;
    definition_release(t->definition);
    t->definition = NULL;
    t->workflow = arena_dup(t->arena, workflow);
    if (store_get(t->txn, TABLE_DEFINITION, workflow, &stored) == STORE_OK)
        t->definition = definition_load(t->txn, workflow, stored, &why);
    return t->definition != NULL ? definition_program(t->definition) : NULL;
}

void titles_end(struct titles *t)
{
    definition_release(t->definition);
    *t = (struct titles){.txn = NULL};
}

/* ---- what an id is called */

static struct slice unit_title(const struct program *p, struct slice id)
{
    struct slice title = S("");

    for (size_t i = 0; i < p->nunits; i++) {
        const struct unit *u = &p->units[i];
        bool is = slice_eq(u->id, id);

        for (size_t k = 0; !is && k < u->naliases; k++)
            is = slice_eq(u->aliases[k], id);
        if (is)
            title = u->title; /* of several spans of dates, the last */
    }
    return title;
}

static struct slice row_title(const struct table *table, struct slice key)
{
    for (size_t c = 0; c < table->ncolumns; c++) {
        if (!slice_eq(table->columns[c].name, S("title")))
            continue;
        for (size_t r = 0; r < table->nrows; r++)
            if (slice_eq(table->rows[r].key, key) && table->rows[r].column[c].tag == VALUE_TEXT)
                return table->rows[r].column[c].text;
    }
    return S("");
}

static struct slice subject_title(const struct program *p, struct slice id)
{
    for (size_t i = 0; i < p->ntables; i++) {
        struct slice title = row_title(&p->tables[i], id);

        if (title.n > 0)
            return title;
    }
    return unit_title(p, id);
}

static struct slice obligation_title(const struct program *p, struct slice name)
{
    int o = program_obligation(p, name);

    return o >= 0 ? p->obligations[o].title : S("");
}

/* ---- what a state stands for: the highest rung that entering it issues */

static int highest(const struct program *p, const struct state_body *body, int level)
{
    for (size_t i = 0; i < body->nenter; i++)
        if (body->enter[i].op == ACTION_MEASURE) {
            int of_this = (int)p->measures[body->enter[i].index].level;

            if (of_this >= LEVEL_WARNING && of_this <= LEVEL_RED && of_this > level)
                level = of_this;
        }
    return level;
}

static struct slice state_level(const struct program *p, struct slice machine, struct slice state)
{
    static const char *const name[] = {[LEVEL_WARNING] = "WARNING",
                                       [LEVEL_CIRCULAR] = "CIRCULAR",
                                       [LEVEL_LISTING] = "LISTING",
                                       [LEVEL_YELLOW] = "YELLOW",
                                       [LEVEL_RED] = "RED"};
    int m = program_machine(p, machine), s = m >= 0 ? machine_state(&p->machines[m], state) : -1, level = 0;

    if (s < 0)
        return S("");
    const struct state *at = &p->machines[m].states[s];
    level = highest(p, &at->body, 0);
    if (at->group >= 0)
        level = highest(p, &p->machines[m].groups[at->group].body, level);
    return level > 0 ? slice_of(name[level]) : S("");
}

/* ---- */

static struct slice text_of(struct slice row, const char *name, struct arena *a)
{
    struct slice text = S("");

    return row_text_member(row, name, a, &text) ? text : S("");
}

struct slice titles_add(struct titles *t, struct slice row, struct arena *a)
{
    static const struct {
        const char *id, *title;
        struct slice (*find)(const struct program *p, struct slice id);
    } member[] = {{"unit", "unit_title", unit_title},
                  {"about", "about_title", unit_title},
                  {"subject", "subject_title", subject_title},
                  {"obligation", "obligation_title", obligation_title}};
    const struct program *p = titles_program(t, text_of(row, "workflow", a));
    struct slice state = text_of(row, "state", a), raw;
    struct buf b = {0};

    if (p == NULL || row.n < 2)
        return row;
    buf_add(&b, (struct slice){row.p, row.n - 1});
    for (size_t i = 0; i < sizeof member / sizeof *member; i++) {
        struct slice id = text_of(row, member[i].id, a);

        if (id.n > 0 && !row_member(row, member[i].title, &raw))
            row_text(&b, member[i].title, member[i].find(p, id));
    }
    if (state.n > 0 && !row_member(row, "level", &raw))
        row_text(&b, "level", state_level(p, text_of(row, "machine", a), state));
    buf_byte(&b, '}');
    struct slice out = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return out;
}
