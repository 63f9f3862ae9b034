/* A small workflow built by hand, "w": for the core's tests, which have no compiler. */
#ifndef DUBAND_PROGRAM_FIXTURE_H
#define DUBAND_PROGRAM_FIXTURE_H

#include "program_builder.h"

/* ---- the workflow "w" */

enum { ROLE_BUREAU, ROLE_LEAD, ROLE_OFFICE, ROLE_TASKFORCE };
enum { REL_LEADS };
enum {
    K_RANKING = KIND_DECLARED,
    K_RANKED,
    K_SLOW,
    K_RECTIFIED,
    K_ACCEPT,
    K_DISPATCH,
    K_PING,
    K_BOUNCE,
    K_MISSED,
    K_COUNT
};
enum { M_GENERATOR, M_REPORT, M_DUTY, M_CARD, M_LOG, M_ECHO, M_LADDER, M_MACHINES };
enum { ME_REMINDER, ME_LATE, ME_RETURN, ME_WARNING, ME_YELLOW, ME_RED, ME_LIFT, ME_FLAG, ME_NOTE, ME_COUNT };
enum { OB_REPORT, OB_DISPATCH, OB_COUNT };
enum { CARD_CLEAR, CARD_WARNED, CARD_YELLOW, CARD_RED };
enum { REPORT_OPEN, REPORT_FILED, REPORT_RETURNED, REPORT_OVERDUE, REPORT_MISSED, REPORT_DONE };
enum { DUTY_SHORT, DUTY_MET, DUTY_UNMET };

FX void build_roster(struct program *p)
{
    static const char *const id[] = {"b-1", "o-1", "tf-01", "tf-02", "u-01", "u-02"};
    static const int role[] = {ROLE_BUREAU,    ROLE_OFFICE, ROLE_TASKFORCE,
                               ROLE_TASKFORCE, ROLE_LEAD,   ROLE_LEAD};
    PUT(p->roles, p->nroles, struct slice, WORD("bureau"), WORD("lead"), WORD("office"), WORD("taskforce"));
    p->nunits = 6;
    p->units = ARENA_ARRAY(fx, struct unit, p->nunits);
    for (size_t i = 0; i < p->nunits; i++) {
        struct unit *u = &p->units[i];
        *u = (struct unit){.id = slice_of(id[i]),
                           .title = arena_printf(fx, "单位%zu", i),
                           .kind = S("organ"),
                           .in_force = {DATE_NONE, DATE_NONE}};
        PUT(u->roles, u->nroles, int, role[i]);
    }
    p->units[2].liaison = S("tf-01-l");
    PUT(p->units[0].aliases, p->units[0].naliases, struct slice, WORD("营商局"));
    program_index(p, fx);
    struct span always = {DATE_NONE, DATE_NONE};
    PUT(p->relations, p->nrelations, struct slice, WORD("leads"));
    PUT(p->relation_rows, p->nrelation_rows, struct relation_row, {WORD("i-011"), REL_LEADS, 4, always},
        {WORD("i-017"), REL_LEADS, 4, always}, {WORD("i-017"), REL_LEADS, 5, always});
    p->ntables = 1;
    struct table *t = p->tables = ARENA_NEW(fx, struct table);
    *t = (struct table){.name = S("indicators"), .row = S("indicator")};
    PUT(t->columns, t->ncolumns, struct field, field("id", TYPE_TEXT, false),
        field("title", TYPE_TEXT, false));
    static const char *const row[][2] = {{"i-011", "开办企业"}, {"i-017", "纳税"}};
    t->nrows = 2;
    t->rows = ARENA_ARRAY(fx, struct table_row, t->nrows);
    for (size_t i = 0; i < t->nrows; i++) {
        t->rows[i] = (struct table_row){.key = slice_of(row[i][0]), .in_force = always};
        t->rows[i].column = ARENA_ARRAY(fx, struct value, 2);
        t->rows[i].column[0] = V_TEXT(row[i][0]);
        t->rows[i].column[1] = V_TEXT(row[i][1]);
    }
    struct field *f = ARENA_ARRAY(fx, struct field, 4);
    f[0] = field("id", TYPE_UNIT, false), f[1] = field("title", TYPE_TEXT, false),
    f[2] = field("kind", TYPE_TEXT, false);
    struct type *text = ARENA_NEW(fx, struct type);
    text->tag = TYPE_TEXT;
    f[3] = field("role", TYPE_SET, false), f[3].type.of = text;
    p->unit_type = (struct type){.tag = TYPE_RECORD, .fields = f, .nfields = 4};
}

FX void build_kinds(struct program *p)
{
    static const struct slice name[] = {
        WORD("submitted"),          WORD("accepted"), WORD("returned"), WORD("counted"),   WORD("timer"),
        WORD("reading"),            WORD("directive"), WORD("extension-requested"), WORD("extension-refused"), WORD("extended"),
        WORD("waived"),             WORD("paused"),   WORD("resumed"),  WORD("excused"),
        WORD("ranking indicators"), WORD("ranked"),   WORD("slow"),     WORD("rectified"), WORD("accept"),
        WORD("dispatch"),           WORD("ping"),     WORD("bounce"),   WORD("missed")};
    static const enum kind_class class_[] = {
        [K_RANKING] = KIND_CLASS_RANKING, [K_RANKED] = KIND_CLASS_RANKING_ENTRY,
        [K_SLOW] = KIND_CLASS_FACT,       [K_RECTIFIED] = KIND_CLASS_FACT,
        [K_ACCEPT] = KIND_CLASS_FACT,     [K_DISPATCH] = KIND_CLASS_FACT,
        [K_PING] = KIND_CLASS_FACT,       [K_BOUNCE] = KIND_CLASS_RAISED,
        [K_MISSED] = KIND_CLASS_RAISED};
    struct field quarter = field("period", TYPE_PERIOD, false), period = field("period", TYPE_PERIOD, false);
    struct field indicator = field("indicator", TYPE_ROW, false), degree = field("degree", TYPE_ENUM, false);
    struct field of = field("of", TYPE_SET, false);
    struct type *unit = ARENA_NEW(fx, struct type);
    unit->tag = TYPE_UNIT;
    of.type.of = unit;
    quarter.type.period_kind = PERIOD_QUARTER;
    PUT(degree.type.words, degree.type.nwords, struct slice, WORD("推进缓慢"), WORD("严重滞后"));
    p->nkinds = K_COUNT;
    struct kind *k = p->kinds = ARENA_ARRAY(fx, struct kind, K_COUNT);
    for (int i = 0; i < K_COUNT; i++)
        k[i] = (struct kind){.name = name[i],
                             .class_ = class_[i],
                             .dated = -1,
                             .ranking = i == K_RANKING || i == K_RANKED ? 0 : -1};
    struct field u = field("unit", TYPE_UNIT, false), about = field("about", TYPE_UNIT, true);
    struct field o = field("obligation", TYPE_TEXT, false), why = field("reason", TYPE_TEXT, true);
    for (int i = KIND_SUBMITTED; i <= KIND_EXCUSED; i++)
        if (i <= KIND_COUNTED || i >= KIND_ASKED)
            PUT(k[i].fields, k[i].nfields, struct field, u, about, o, period, why);
    PUT(k[K_MISSED].fields, k[K_MISSED].nfields, struct field, u, o, about, period);
    PUT(k[K_RANKING].fields, k[K_RANKING].nfields, struct field, quarter,
        field("places", TYPE_NUMBER, false));
    PUT(k[K_RANKED].fields, k[K_RANKED].nfields, struct field, indicator, quarter,
        field("rank", TYPE_NUMBER, false), field("places", TYPE_NUMBER, false),
        field("tied", TYPE_NUMBER, false), field("low", TYPE_YESNO, false), field("last", TYPE_YESNO, false),
        field("middle", TYPE_NUMBER, true));
    PUT(k[K_SLOW].fields, k[K_SLOW].nfields, struct field, u, field("subject", TYPE_TEXT, false), degree);
    PUT(k[K_SLOW].by, k[K_SLOW].nby, int, ROLE_BUREAU);
    PUT(k[K_RECTIFIED].fields, k[K_RECTIFIED].nfields, struct field, field("subject", TYPE_TEXT, false));
    PUT(k[K_RECTIFIED].by, k[K_RECTIFIED].nby, int, ROLE_LEAD);
    PUT(k[K_ACCEPT].fields, k[K_ACCEPT].nfields, struct field, u, field("subject", TYPE_TEXT, false),
        field("pass", TYPE_YESNO, false));
    k[K_ACCEPT].voice = VOICE_DEADLINES;
    PUT(k[K_DISPATCH].fields, k[K_DISPATCH].nfields, struct field, field("held", TYPE_DATE, false), of,
        field("result", TYPE_TEXT, true));
    k[K_DISPATCH].dated = 0;
    PUT(k[K_DISPATCH].by, k[K_DISPATCH].nby, int, ROLE_OFFICE, ROLE_TASKFORCE);
    PUT(k[K_DISPATCH].from, k[K_DISPATCH].nfrom, struct slice, WORD("portal-a"));
    PUT(k[K_DISPATCH].refuse, k[K_DISPATCH].nrefuse, struct refusal,
        {X_EQ(X1(EXPR_QUANT_COUNT, 0, X_EVENT(1)), X_NUM(0)), WORD("没有调度对象")});
    PUT(k[K_PING].fields, k[K_PING].nfields, struct field, field("n", TYPE_NUMBER, false));
    PUT(k[K_BOUNCE].fields, k[K_BOUNCE].nfields, struct field, u, field("n", TYPE_NUMBER, true));
    p->nrankings = 1;
    struct ranking *r = p->rankings = ARENA_NEW(fx, struct ranking);
    *r = (struct ranking){.name = S("indicators"),
                          .tally = -1,
                          .of = {.tag = TYPE_ROW},
                          .of_name = S("indicator"),
                          .period = PERIOD_QUARTER,
                          .no_tail_under = 4,
                          .kind_list = K_RANKING,
                          .kind_entry = K_RANKED};
    PUT(r->by, r->nby, int, ROLE_BUREAU);
    r->tail = X_NUM(3);
    r->middle = X1(EXPR_CEIL, 0, X2(EXPR_DIV, X_ROW(RANKED_PLACES), X_NUM(2)));
}

FX void build_measures(struct program *p)
{
    static const char *const name[] = {"reminder", "late-notice", "return-slip", "warning", "yellow-card",
                                       "red-card", "lift",        "flag",        "note"};
    PUT(p->documents, p->ndocuments, struct document,
        {WORD("slip"), WORD("督办单"), WORD("绥营督"), WORD("号"), .place = 0});
    p->nmeasures = ME_COUNT;
    struct measure *m = p->measures = ARENA_ARRAY(fx, struct measure, ME_COUNT);
    for (int i = 0; i < ME_COUNT; i++) {
        m[i] = (struct measure){.name = slice_of(name[i]),
                                .title = slice_of(name[i]),
                                .basis = S("五（一）"),
                                .level = LEVEL_NOTICE,
                                .document = -1};
        PUT(m[i].to, m[i].nto, const struct expr *, X_ROW(MEASURE_UNIT));
    }
    for (int i = ME_REMINDER; i <= ME_RETURN; i++)
        m[i].basis = S(""), m[i].basis_of_obligation = true;
    PUT(m[ME_REMINDER].to, m[ME_REMINDER].nto, const struct expr *,
        X1(EXPR_UNIT_ATTR, UNIT_LIAISON, X_ROW(MEASURE_UNIT)));
    PUT(m[ME_LATE].copy, m[ME_LATE].ncopy, const struct expr *, X0(EXPR_OBLIGATION, OBLIGATION_TO));
    PUT(m[ME_WARNING].copy, m[ME_WARNING].ncopy, const struct expr *,
        X1(EXPR_RELATION, REL_LEADS, X_ROW(MEASURE_SUBJECT)));
    for (int i = ME_YELLOW; i <= ME_RED; i++)
        m[i].has_limit = true, m[i].limit = days(30), m[i].document = 0;
    m[ME_NOTE].basis = S(""), m[ME_NOTE].basis_of_rule = true;
    PUT(m[ME_RED].body.part, m[ME_RED].body.n, struct template_part,
        {WORD("请"), X1(EXPR_UNIT_ATTR, UNIT_TITLE, X_ROW(MEASURE_UNIT))}, {WORD("于"), X_ROW(MEASURE_LIMIT)},
        {WORD("前整改，文号"), X_ROW(MEASURE_NUMBER)}, {WORD("。"), NULL});
}

FX void build_report(struct machine *m) /* workflows/common/report.yaml */
{
    enum { REMIND, OVERDUE, GRACE, GIVE_UP };
    static const char *const name[] = {"open", "filed", "returned", "overdue", "missed", "done"};
    m->name = S("report");
    task_key(m);
    PUT(m->vars, m->nvars, struct field, field("late", TYPE_YESNO, false),
        field("missed", TYPE_YESNO, false));
    PUT(m->var_start, m->nvars, struct value, V_YES(false), V_YES(false));
    machine_states(m, 6, name);
    const struct expr *due = X_META(INSTANCE_DUE);
    PUT(m->timers, m->ntimers, struct timer_def,
        {WORD("remind"), X2(EXPR_BEFORE, X0(EXPR_OBLIGATION, OBLIGATION_REMIND), due), false, 6},
        {WORD("overdue"), due, false, 6},
        {WORD("grace"),
         X2(EXPR_MAX, due,
            X2(EXPR_AFTER, X0(EXPR_OBLIGATION, OBLIGATION_RETURN_GRACE), X_META(INSTANCE_SINCE))),
         false, 6},
        {WORD("give-up"), X2(EXPR_AFTER, X0(EXPR_OBLIGATION, OBLIGATION_MISSED_AFTER), due), false, 6});
    struct state *s = m->states;
    struct rule remind = doing(on_timer(REMIND, NULL, -1), act(ACTION_MEASURE, ME_REMINDER, NULL));
    TIMERS(s[REPORT_OPEN].body, REMIND, OVERDUE);
    RULES(s[REPORT_OPEN].body, remind, on(KIND_SUBMITTED, NULL, REPORT_FILED),
          on_timer(OVERDUE, NULL, REPORT_OVERDUE));
    RULES(s[REPORT_FILED].body, on(KIND_RETURNED, NULL, REPORT_RETURNED),
          on(KIND_ACCEPTED, NULL, REPORT_DONE));
    ENTER(s[REPORT_RETURNED].body, act(ACTION_MEASURE, ME_RETURN, NULL));
    TIMERS(s[REPORT_RETURNED].body, REMIND, GRACE);
    RULES(s[REPORT_RETURNED].body, remind, on(KIND_SUBMITTED, NULL, REPORT_FILED),
          on_timer(GRACE, NULL, REPORT_OVERDUE));
    ENTER(s[REPORT_OVERDUE].body, act(ACTION_SET, 0, NULL), act(ACTION_MEASURE, ME_LATE, NULL));
    TIMERS(s[REPORT_OVERDUE].body, GIVE_UP);
    RULES(s[REPORT_OVERDUE].body, on(KIND_SUBMITTED, NULL, REPORT_FILED),
          on_timer(GIVE_UP, NULL, REPORT_MISSED));
    ENTER(s[REPORT_MISSED].body, act(ACTION_SET, 1, NULL),
          act_raise(K_MISSED, X_KEY(TASK_UNIT), X_KEY(TASK_OBLIGATION), X_KEY(TASK_ABOUT),
                    x_period_key(TASK_PERIOD)));
    RULES(s[REPORT_MISSED].body, on(KIND_SUBMITTED, NULL, REPORT_DONE));
    s[REPORT_DONE].final = true;
}

FX void build_duty(struct machine *m) /* workflows/common/duty.yaml */
{
    static const char *const name[] = {"short", "met", "unmet"};
    m->name = S("duty");
    task_key(m);
    PUT(m->counts, m->ncounts, struct count_def, {WORD("done"), KIND_COUNTED, NULL, PERIOD_ONCE, false});
    machine_states(m, 3, name);
    PUT(m->timers, m->ntimers, struct timer_def,
        {WORD("end"), X2(EXPR_AFTER, X0(EXPR_OBLIGATION, OBLIGATION_SETTLE), X_META(INSTANCE_DUE)), false,
         6});
    TIMERS(m->states[DUTY_SHORT].body, 0);
    RULES(m->states[DUTY_SHORT].body,
          on(KIND_COUNTED, X_GE(X0(EXPR_COUNT, 0), X0(EXPR_OBLIGATION, OBLIGATION_AT_LEAST)), DUTY_MET),
          on_timer(0, NULL, DUTY_UNMET));
    ENTER(m->states[DUTY_UNMET].body, act(ACTION_MEASURE, ME_LATE, NULL));
    m->states[DUTY_MET].final = m->states[DUTY_UNMET].final = true;
}

FX void build_card(struct machine *m) /* warning → yellow → red → lift, as suifenhe's 五（三） */
{
    enum { RECTIFIED, IN_TIME, PASSED };
    static const char *const name[] = {"clear", "warned", "yellow", "red"};
    m->name = S("card");
    m->basis = S("五（三）");
    m->nkey = 2;
    m->key[0] = field("unit", TYPE_UNIT, false);
    m->key[1] = field("subject", TYPE_TEXT, false);
    m->nreach = 4;
    m->reach = ARENA_ARRAY(fx, struct reach, 4);
    m->reach[0] = (struct reach){.kind = K_RANKED, .born = true};
    size_t n;
    PUT(m->reach[0].key, n, const struct expr *, X1(EXPR_RELATION, REL_LEADS, X_EVENT(RANKED_SUBJECT)),
        X_EVENT(RANKED_SUBJECT));
    m->reach[1] = (struct reach){.kind = K_SLOW, .born = true};
    PUT(m->reach[1].key, n, const struct expr *, X_EVENT(0), X_EVENT(1));
    m->reach[2] = (struct reach){.kind = K_RECTIFIED};
    PUT(m->reach[2].key, n, const struct expr *, X0(EXPR_EVENT_META, EVENT_BY), X_EVENT(0));
    m->reach[3] = (struct reach){.kind = K_ACCEPT};
    PUT(m->reach[3].key, n, const struct expr *, X_EVENT(0), X_EVENT(1));
    (void)n;
    PUT(m->counts, m->ncounts, struct count_def,
        {WORD("low"), K_RANKED, X_EVENT(RANKED_LOW), PERIOD_YEAR, false});
    PUT(m->vars, m->nvars, struct field, field("rectified", TYPE_INSTANT, true),
        field("in-time", TYPE_YESNO, false), field("passed", TYPE_YESNO, false));
    PUT(m->var_start, m->nvars, struct value, {.tag = VALUE_NA}, V_YES(false), V_YES(false));
    m->nlatest = 1;
    m->latest = ARENA_NEW(fx, struct latest_def);
    m->latest[0].kind = K_RANKED;
    PUT(m->latest[0].fields, m->latest[0].nfields, int, -1, RANKED_RANK, RANKED_MIDDLE);
    const struct expr *since = X_META(INSTANCE_SINCE), *limit = X_META(INSTANCE_LIMIT),
                      *low = X0(EXPR_COUNT, 0);
    PUT(m->lets, m->nlets, struct let,
        {WORD("risen"), X_AND(X2(EXPR_GT, x_op(EXPR_LATEST, 0, 0, 0), since),
                              X2(EXPR_LE, x_op(EXPR_LATEST, 0, 1, 0), x_op(EXPR_LATEST, 0, 2, 0)))});
    PUT(m->timers, m->ntimers, struct timer_def, {WORD("limit"), limit, false, 6});
    machine_states(m, 4, name);
    const struct expr *is_low = X_EVENT(RANKED_LOW), *slow = X_EQ(X_EVENT(2), X_TEXT("推进缓慢"));
    struct rule red = on(K_RANKED, X_AND(is_low, X_GE(low, X_NUM(3))), CARD_RED);
    struct rule yellow = on(K_RANKED, X_AND(is_low, X_GE(low, X_NUM(2))), CARD_YELLOW);
    RULES(m->states[CARD_CLEAR].body, red, yellow, on(K_RANKED, is_low, CARD_WARNED),
          on(K_SLOW, slow, CARD_WARNED), on(K_SLOW, NULL, CARD_YELLOW));
    ENTER(m->states[CARD_WARNED].body, act(ACTION_MEASURE, ME_WARNING, NULL));
    RULES(m->states[CARD_WARNED].body, yellow, on(K_SLOW, X1(EXPR_NOT, 0, slow), CARD_YELLOW));
    ENTER(m->states[CARD_YELLOW].body, act(ACTION_MEASURE, ME_YELLOW, NULL));
    RULES(m->states[CARD_YELLOW].body, red);
    ENTER(m->states[CARD_RED].body, act(ACTION_MEASURE, ME_RED, NULL));
    m->states[CARD_YELLOW].group = m->states[CARD_RED].group = 0;
    m->ngroups = 1;
    m->groups = ARENA_NEW(fx, struct group);
    m->groups[0].name = S("carded");
    struct state_body *g = &m->groups[0].body;
    ENTER(*g, act(ACTION_CLEAR, RECTIFIED, NULL), act(ACTION_CLEAR, IN_TIME, NULL),
          act(ACTION_CLEAR, PASSED, NULL));
    TIMERS(*g, 0);
    const struct expr *received = X0(EXPR_EVENT_META, EVENT_RECEIVED);
    struct action flag = act(ACTION_MEASURE, ME_FLAG, NULL);
    flag.basis = S("五（四）");
    RULES(*g,
          doing2(on(K_RECTIFIED, NULL, -1), act(ACTION_SET, RECTIFIED, received),
                 act(ACTION_SET, IN_TIME, X2(EXPR_LT, received, limit))),
          doing(on(K_ACCEPT, NULL, -1), act(ACTION_SET, PASSED, X_EVENT(2))),
          doing(on_timer(0, X1(EXPR_NOT, 0, X_VAR(IN_TIME)), -1), flag),
          doing(on(-1,
                   X_AND(X_AND(X_VAR(IN_TIME), X_VAR(PASSED)),
                         X2(EXPR_OR, X0(EXPR_LET, 0), X1(EXPR_NOT, 0, X1(EXPR_IS_ROW, 0, X_KEY(1))))),
                   CARD_CLEAR),
                act(ACTION_MEASURE, ME_LIFT, NULL)));
}

/* Reached by ping before echo is: shows that a refusal later in the turn undoes what it did. */
FX void build_log(struct machine *m)
{
    static const char *const name[] = {"ready"};
    size_t n;
    m->name = S("log");
    m->nkey = 1;
    m->key[0] = field("unit", TYPE_UNIT, false);
    m->nreach = 2;
    m->reach = ARENA_ARRAY(fx, struct reach, 2);
    m->reach[0] = (struct reach){.kind = K_PING, .born = true};
    PUT(m->reach[0].key, n, const struct expr *, X0(EXPR_EVENT_META, EVENT_BY));
    m->reach[1] = (struct reach){.kind = K_MISSED, .born = true};
    PUT(m->reach[1].key, n, const struct expr *, X_EVENT(0));
    (void)n;
    PUT(m->counts, m->ncounts, struct count_def,
        {WORD("run"), K_PING, X_GE(X_EVENT(0), X_NUM(0)), PERIOD_ONCE, true},
        {WORD("missed"), K_MISSED, NULL, PERIOD_YEAR, false});
    machine_states(m, 1, name);
    struct rule note =
        doing2(on(K_PING, NULL, -1), act(ACTION_MEASURE, ME_NOTE, NULL), act(ACTION_MEASURE, ME_NOTE, NULL));
    note.basis = S("六（一）");
    RULES(m->any_state, note, on(K_MISSED, NULL, -1));
}

/* ping n: 1 raises a storm, 2 makes an `any` rule hold for ever, 3 sets a timer whose turn storms, 4 refuses,
 * 5 sets a timer that is kept and one that is not, 6 leaves the state, 7 divides by nothing, 8 overflows,
 * 9 sets a timer that sets itself again at once */
FX void build_echo(struct machine *m)
{
    static const char *const name[] = {"here", "there"};
    size_t n;
    m->name = S("echo");
    m->nkey = 1;
    m->key[0] = field("unit", TYPE_UNIT, false);
    m->nreach = 2;
    m->reach = ARENA_ARRAY(fx, struct reach, 2);
    m->reach[0] = (struct reach){.kind = K_PING, .born = true};
    PUT(m->reach[0].key, n, const struct expr *, X0(EXPR_EVENT_META, EVENT_BY));
    m->reach[1] = (struct reach){.kind = K_BOUNCE};
    PUT(m->reach[1].key, n, const struct expr *, X_EVENT(0));
    (void)n;
    PUT(m->vars, m->nvars, struct field, field("stuck", TYPE_YESNO, false), field("x", TYPE_NUMBER, true));
    PUT(m->var_start, m->nvars, struct value, V_YES(false), {.tag = VALUE_NA});
    PUT(m->timers, m->ntimers, struct timer_def, {WORD("storm"), NULL, false, 6},
        {WORD("kept"), NULL, true, 6}, {WORD("dropped"), NULL, false, 6},
        {WORD("again"), NULL, false, 6});
    machine_states(m, 2, name);
    const struct expr *i = X_EVENT(0),
                      *tomorrow =
                          X2(EXPR_AFTER, x_const((struct value){.tag = VALUE_DURATION, .duration = days(1)}),
                             X_META(INSTANCE_NOW));
    struct action bounce = act_raise(K_BOUNCE, X_KEY(0), X_NUM(0), NULL, NULL);
    struct rule refuse = on(K_PING, X_EQ(i, X_NUM(4)), -1);
    refuse.refuse = S("不予受理");
    const struct expr *big = X_NUM(INT64_MAX);
    RULES(m->states[0].body, doing(on(K_PING, X_EQ(i, X_NUM(1)), -1), bounce),
          doing2(on(K_BOUNCE, NULL, -1), bounce, bounce),
          doing(on(K_PING, X_EQ(i, X_NUM(2)), -1), act(ACTION_SET, 0, NULL)),
          doing(on(K_PING, X_EQ(i, X_NUM(3)), -1), act(ACTION_TIMER, 0, tomorrow)),
          doing(on_timer(0, NULL, -1), bounce), refuse,
          doing2(on(K_PING, X_EQ(i, X_NUM(5)), -1), act(ACTION_TIMER, 1, tomorrow),
                 act(ACTION_TIMER, 2, tomorrow)),
          on(K_PING, X_EQ(i, X_NUM(6)), 1),
          doing(on(K_PING, X_EQ(i, X_NUM(7)), -1), act(ACTION_SET, 1, X2(EXPR_DIV, X_NUM(1), X_NUM(0)))),
          doing(on(K_PING, X_EQ(i, X_NUM(8)), -1), act(ACTION_SET, 1, X2(EXPR_MUL, big, big))),
          doing(on(K_PING, X_EQ(i, X_NUM(9)), -1), act(ACTION_TIMER, 3, X_META(INSTANCE_NOW))),
          doing(on_timer(3, NULL, -1), act(ACTION_TIMER, 3, X_META(INSTANCE_NOW))),
          on(-1, X_VAR(0), -1));
    LEAVE(m->states[0].body, act(ACTION_CANCEL, 0, NULL));
}

/* Keyed by the quarter: reached by the list as a whole. */
FX void build_ladder(struct machine *m)
{
    static const char *const name[] = {"ready"};
    size_t n;
    m->name = S("circular");
    m->basis = S("五（五）");
    m->nkey = 1;
    m->unit_key = -1;
    m->key[0] = field("period", TYPE_PERIOD, false);
    m->nreach = 1;
    m->reach = ARENA_NEW(fx, struct reach);
    m->reach[0] = (struct reach){.kind = K_RANKING, .born = true};
    PUT(m->reach[0].key, n, const struct expr *, X_EVENT(0));
    (void)n;
    machine_states(m, 1, name);
    RULES(m->states[0].body,
          doing(on(K_RANKING, NULL, -1), act(ACTION_MEASURE, ME_NOTE, X0(EXPR_ROLE, ROLE_LEAD))));
}

FX void build_obligations(struct program *p)
{
    p->nobligations = OB_COUNT;
    struct obligation *o = p->obligations = ARENA_ARRAY(fx, struct obligation, OB_COUNT);
    struct span year = {date_from_civil(2024, 1, 1), date_from_civil(2025, 1, 1)};
    o[OB_REPORT] = (struct obligation){.name = S("progress"),
                                       .title = S("进展"),
                                       .basis = S("三（三）"),
                                       .period = PERIOD_MONTH,
                                       .due = {.kind = DUE_DAY, .n = 24},
                                       .effective = year,
                                       .missed_after = days(10),
                                       .return_grace = days(3),
                                       .machine = M_REPORT};
    o[OB_REPORT].owed_by = X0(EXPR_ROLE, ROLE_TASKFORCE);
    PUT(o[OB_REPORT].to, o[OB_REPORT].nto, int, ROLE_OFFICE);
    PUT(o[OB_REPORT].remind, o[OB_REPORT].nremind, struct duration, days(3), days(1));
    PUT(o[OB_REPORT].fields, o[OB_REPORT].nfields, struct field, field("progress", TYPE_TEXT, false),
        field("quality", TYPE_TEXT, false), field("score", TYPE_NUMBER, true));
    PUT(o[OB_REPORT].required, o[OB_REPORT].nfields, bool, true, true, false);
    o[OB_DISPATCH] = (struct obligation){.name = S("dispatch-by-office"),
                                         .title = S("优环办调度"),
                                         .basis = S("三（一）"),
                                         .period = PERIOD_MONTH,
                                         .due = {.kind = DUE_END},
                                         .effective = year,
                                         .at_least = rat_int(1),
                                         .settle = days(3),
                                         .machine = M_DUTY};
    o[OB_DISPATCH].owed_by = X0(EXPR_ROLE, ROLE_OFFICE);
    PUT(o[OB_DISPATCH].about_roles, o[OB_DISPATCH].nabout_roles, int, ROLE_TASKFORCE);
    PUT(o[OB_DISPATCH].counts, o[OB_DISPATCH].ncounts, struct obligation_counts,
        {K_DISPATCH, X2(EXPR_HAS, X_EVENT(1), X_KEY(TASK_ABOUT))});
}

FX struct program *fixture_program(void)
{
    struct program *p = ARENA_NEW(fx, struct program);
    *p = (struct program){.id = S("w"), .title = S("制度"), .timezone = S("Asia/Shanghai"), .issuer = -1};
    p->tz = fixed_zone("CST-8");
    p->effective = (struct span){DATE_NONE, DATE_NONE};
    p->nplaces = 7;
    p->places = ARENA_ARRAY(fx, struct place, 7);
    for (int i = 0; i < 7; i++)
        p->places[i] = (struct place){S("w/workflow.yaml"), i, 1};
    build_roster(p);
    build_kinds(p);
    build_measures(p);
    p->nmachines = M_MACHINES;
    struct machine *m = p->machines = ARENA_ARRAY(fx, struct machine, M_MACHINES);
    m[M_GENERATOR] =
        (struct machine){.name = S("generator"), .of = MACHINE_GENERATOR, .nkey = 1, .unit_key = -1};
    m[M_GENERATOR].key[0] = field("obligation", TYPE_TEXT, false);
    PUT(m[M_GENERATOR].timers, m[M_GENERATOR].ntimers, struct timer_def, {WORD("open"), NULL, false, 0});
    static const char *const only[] = {"waiting"};
    machine_states(&m[M_GENERATOR], 1, only);
    build_report(&m[M_REPORT]);
    build_duty(&m[M_DUTY]);
    build_card(&m[M_CARD]);
    build_log(&m[M_LOG]);
    build_echo(&m[M_ECHO]);
    build_ladder(&m[M_LADDER]);
    build_obligations(p);
    struct err e = {""};
    if (!program_check(p, &e))
        fail_msg("%s", e.text);
    return p;
}

#endif
