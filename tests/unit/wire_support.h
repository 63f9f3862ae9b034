/* A small program, made by hand, for the tests of wire. */
#ifndef DUBAND_WIRE_SUPPORT_H
#define DUBAND_WIRE_SUPPORT_H

#include "unit_arena.h"

#include "wire/wire.h"

static inline struct slice bytes_of_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *bytes = arena_alloc(arena, 1 << 16);
    assert_non_null(f);
    size_t n = fread(bytes, 1, 1 << 16, f);
    fclose(f);
    return (struct slice){bytes, n};
}

static inline instant_t at(const char *text)
{
    instant_t t = INSTANT_NONE;
    assert_true(instant_parse(slice_of(text), &t));
    return t;
}

static inline struct period period_at(const char *text)
{
    struct period p;
    assert_true(period_parse(slice_of(text), &p));
    return p;
}

static inline struct slice joined(const struct reasons *why)
{
    struct slice out = S("");
    for (size_t i = 0; i < why->n; i++)
        out = arena_printf(arena, "%.*s%s%.*s", SLICE_ARG(out), i ? " | " : "", SLICE_ARG(why->item[i]));
    return out;
}

/* machines: 0 generator, 1 report (tasks), 2 card */
enum { GENERATOR, REPORT, CARD };

static inline struct program *small_program(void)
{
    static struct field task_key[] = {{{"obligation", 10}, {.tag = TYPE_TEXT}},
                                      {{"period", 6}, {.tag = TYPE_TEXT}},
                                      {{"unit", 4}, {.tag = TYPE_UNIT}},
                                      {{"about", 5}, {.tag = TYPE_UNIT}}};
    static struct field ranked[] = {{{"indicator", 9}, {.tag = TYPE_TEXT}},
                                    {{"period", 6}, {.tag = TYPE_PERIOD, .period_kind = PERIOD_QUARTER}},
                                    {{"rank", 4}, {.tag = TYPE_NUMBER}},
                                    {{"low", 3}, {.tag = TYPE_YESNO}}};
    static struct kind kinds[] = {[KIND_SUBMITTED] = {.name = {"submitted", 9}},
                                  [KIND_ACCEPTED] = {.name = {"accepted", 8}},
                                  [KIND_RETURNED] = {.name = {"returned", 8}},
                                  [KIND_COUNTED] = {.name = {"counted", 7}},
                                  [KIND_TIMER] = {.name = {"timer", 5}},
                                  [KIND_DECLARED] = {.name = {"ranked", 6}, .fields = ranked, .nfields = 4}};
    static struct type text = {.tag = TYPE_TEXT};
    static struct field parts[] = {{{"what", 4}, {.tag = TYPE_TEXT}}, {{"share", 5}, {.tag = TYPE_NUMBER}}};
    static struct field vars[] = {{{"rectified", 9}, {.tag = TYPE_YESNO}},
                                  {{"accepted", 8}, {.tag = TYPE_YESNO}},
                                  {{"note", 4}, {.tag = TYPE_TEXT, .optional = true}},
                                  {{"notes", 5}, {.tag = TYPE_LIST, .of = &text}},
                                  {{"part", 4}, {.tag = TYPE_RECORD, .fields = parts, .nfields = 2}},
                                  {{"asked", 5}, {.tag = TYPE_DURATION, .optional = true}}};
    static struct value starts[] = {{.tag = VALUE_YESNO}, {.tag = VALUE_YESNO}, {.tag = VALUE_NA},
                                    {.tag = VALUE_NA},    {.tag = VALUE_NA},    {.tag = VALUE_NA}};
    static struct count_def counts[] = {{.name = {"low", 3}, .kind = KIND_DECLARED, .within = PERIOD_YEAR}};
    static int kept[] = {0, 1, 2, 3, -1};
    static struct latest_def latest[] = {{.kind = KIND_DECLARED, .fields = kept, .nfields = 5}};
    static struct timer_def card_timers[] = {{.name = {"limit", 5}}, {.name = {"remind", 6}}};
    static struct timer_def report_timers[] = {{.name = {"remind", 6}}, {.name = {"overdue", 7}}};
    static struct timer_def open_timers[] = {{.name = {"open", 4}}};
    static struct state card_states[] = {
        {.name = {"clear", 5}}, {.name = {"warned", 6}}, {.name = {"yellow", 6}}};
    static struct state report_states[] = {{.name = {"open", 4}}, {.name = {"filed", 5}}};
    static struct state idle[] = {{.name = {"waiting", 7}}};
    static struct machine machines[] = {
        [GENERATOR] = {.name = {"generator", 9},
                       .of = MACHINE_GENERATOR,
                       .nkey = 1,
                       .timers = open_timers,
                       .ntimers = 1,
                       .states = idle,
                       .nstates = 1},
        [REPORT] = {.name = {"report", 6},
                    .of = MACHINE_TASK,
                    .nkey = 4,
                    .timers = report_timers,
                    .ntimers = 2,
                    .states = report_states,
                    .nstates = 2},
        [CARD] = {.name = {"card", 4},
                  .nkey = 2,
                  .counts = counts,
                  .ncounts = 1,
                  .vars = vars,
                  .var_start = starts,
                  .nvars = 6,
                  .latest = latest,
                  .nlatest = 1,
                  .timers = card_timers,
                  .ntimers = 2,
                  .states = card_states,
                  .nstates = 3},
    };
    static struct obligation obligations[] = {
        {.name = {"dispatch", 8}, .period = PERIOD_MONTH, .machine = REPORT}};
    static struct measure measures[] = {
        {.name = {"yellow-card", 11},
         .title = {"黄牌", 6},
         .level = LEVEL_YELLOW,
         .rung = 2,
         .topic = TOPIC_OF_SUPERVISION},
        {.name = {"reminder", 8},
         .title = {"报送提示", 12},
         .level = LEVEL_REMINDER,
         .topic = TOPIC_OF_NOTIFICATIONS},
        {.name = {"warning", 7},
         .title = {"预警", 6},
         .level = LEVEL_WARNING,
         .rung = 1,
         .topic = TOPIC_OF_WARNINGS},
    };
    static struct place places[] = {{{"", 0}, 0, 0}, {{"suifenhe-2024/workflow.yaml", 27}, 412, 7}};
    static struct calendar_day days[2];
    static struct calendar calendar = {.days = days, .n = 2};

    memcpy(machines[REPORT].key, task_key, sizeof task_key);
    machines[GENERATOR].key[0] = task_key[0];
    machines[CARD].key[0] = task_key[2];
    machines[CARD].key[1] = (struct field){{"subject", 7}, {.tag = TYPE_TEXT}};
    days[0] = (struct calendar_day){date_from_civil(2024, 4, 4), false, {"清明节", 9}};
    days[1] = (struct calendar_day){date_from_civil(2024, 4, 7), true, {"清明节调休", 15}}; /* a Sunday */
    calendar.known_until = date_from_civil(2024, 12, 31);

    struct program *p = ARENA_NEW(arena, struct program);
    struct err e = {{0}};
    p->id = S("suifenhe-2024");
    p->tz = tz_parse(arena, bytes_of_file("/usr/share/zoneinfo/Asia/Shanghai"), &e);
    assert_non_null(p->tz);
    p->calendar = &calendar;
    p->kinds = kinds;
    p->nkinds = KIND_DECLARED + 1;
    p->obligations = obligations;
    p->nobligations = 1;
    p->measures = measures;
    p->nmeasures = 3;
    p->machines = machines;
    p->nmachines = 3;
    p->places = places;
    p->nplaces = 2;
    return p;
}

static inline struct value text_value(const char *z)
{
    return (struct value){.tag = VALUE_TEXT, .text = slice_of(z)};
}

/* A card as it stands in the middle of its life. */
static inline struct instance *yellow_card(void)
{
    struct instance *i = ARENA_NEW(arena, struct instance);
    i->machine = CARD;
    i->key[0] = S("sfh-fgj");
    i->key[1] = S("i-017");
    i->state = 2;
    i->since = at("2024-07-10T01:00:00Z");
    i->vars = ARENA_ARRAY(arena, struct value, 6);
    i->vars[0] = (struct value){.tag = VALUE_YESNO, .yes = true};
    i->vars[1] = (struct value){.tag = VALUE_YESNO};
    i->counts = ARENA_ARRAY(arena, struct count, 1);
    i->counts[0] = (struct count){period_at("2024"), 2};
    i->latest = ARENA_ARRAY(arena, struct latest, 1);
    struct value *f = i->latest[0].field = ARENA_ARRAY(arena, struct value, 5);
    f[0] = text_value("i-017");
    f[1] = (struct value){.tag = VALUE_PERIOD, .period = period_at("2024Q2")};
    f[2] = (struct value){.tag = VALUE_NUMBER, .number = {9, 1}};
    f[3] = (struct value){.tag = VALUE_YESNO, .yes = true};
    f[4] = (struct value){.tag = VALUE_INSTANT, .instant = i->since};
    i->timers = ARENA_ARRAY(arena, struct timer, 1);
    i->ntimers = 1;
    i->timers[0] = (struct timer){0, 0, at("2024-08-09T16:00:00Z"), at("2024-08-09T16:00:00Z"), 2, 3, false};
    i->limit = at("2024-08-09T16:00:00Z");
    i->born = (struct cause){.source = S("portal-a"),
                             .id = S("rank-2024Q1"),
                             .due = INSTANT_NONE,
                             .received = at("2024-04-10T01:00:00Z")};
    i->last = (struct cause){
        .source = S("portal-a"), .id = S("rank-2024Q2"), .due = INSTANT_NONE, .received = i->since};
    i->turns = 2;
    return i;
}

#endif
