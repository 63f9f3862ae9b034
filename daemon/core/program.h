/* A program: one workflow, compiled. Immutable; made by lang, run by step. Everything lives in one arena. */
#ifndef DUBAND_PROGRAM_H
#define DUBAND_PROGRAM_H

#include "core/expr.h"

#define KEY_PARTS_MAX 4
#define KEY_BYTES_MAX 400 /* of all parts of an instance's key together, so that every index key fits LMDB's 511 */

/* Where something stands in the definition: "suifenhe-2024/workflow.yaml:123". */
struct place {
    struct slice file;
    int line;
    int column;
};

struct span { /* of local dates, half open; DATE_NONE at either side: unbounded */
    date_t from;
    date_t until;
};

/* ---- roster */

struct unit {
    struct slice id, title, kind, liaison, head, successor;
    int *roles; /* indices into program.roles */
    size_t nroles;
    struct slice *aliases;
    size_t naliases;
    struct span in_force;
};

struct relation_row { /* ordered by subject, then relation, then unit */
    struct slice subject;
    int relation; /* index into program.relations */
    int unit;     /* index into program.units */
    struct span in_force;
};

struct table {
    struct slice name; /* the collection: indicators */
    struct slice row;  /* the type of one key: indicator */
    const struct field *columns;
    size_t ncolumns;
    int key_column;
    struct table_row {
        struct slice key;
        struct value *column; /* by position */
        struct span in_force;
    } *rows; /* ordered by key */
    size_t nrows;
};

/* ---- names with values */

struct param {
    struct slice name;
    struct type type;
    struct value value;
    struct slice why;
    uint32_t place;
};

/* ---- events */

/* Every event that reaches machines is of a kind. Built-in kinds come first, at these indices. */
enum builtin_kind {
    KIND_SUBMITTED, /* fields: unit, about, obligation, period */
    KIND_ACCEPTED,  /* a Review; same fields, and reason */
    KIND_RETURNED,
    KIND_COUNTED, /* a record that the task's obligation counts; same fields */
    KIND_TIMER,   /* never queued: rules say `when: timer NAME` */
    KIND_DECLARED /* first index of the declared, ranking and raised kinds */
};

enum kind_class {
    KIND_CLASS_BUILTIN,
    KIND_CLASS_FACT,          /* declared under `events:`; arrives as Fact */
    KIND_CLASS_RANKING,       /* "ranking NAME": the list as a whole; fields period, places (number) */
    KIND_CLASS_RANKING_ENTRY, /* "ranked" (one ranking) or "ranked NAME": one entry */
    KIND_CLASS_RAISED         /* made by a rule's `raise:` */
};

enum voice { VOICE_SUBMISSIONS, VOICE_DEADLINES, VOICE_EITHER }; /* which topic may carry a record */

struct kind {
    struct slice name;
    enum kind_class class_;
    const struct field *fields; /* field "unit", where not declared, is the reporter for facts */
    size_t nfields;
    int *by; /* roles that may report it; empty: any unit of the roster */
    size_t nby;
    struct slice *from; /* CloudEvents sources that may send it; empty: any */
    size_t nfrom;
    enum voice voice;
    int dated;   /* field index that says when it happened, or -1 */
    int ranking; /* index into rankings, for the ranking classes; else -1 */
    struct refusal {
        const struct expr *if_;
        struct slice say;
    } *refuse;
    size_t nrefuse;
    uint32_t place;
};

struct ranking {
    struct slice name, title, basis;
    struct type of; /* of an entry's subject: row of a table, or unit */
    struct slice of_name; /* the entry's field that holds it: "indicator" */
    enum period_kind period;
    int *by; /* roles that may publish it */
    size_t nby;
    int no_tail_under;
    /* Over the entry's fields (`places`, `rank`, `tied`): a row bound from outside, at enum ranked_field's positions. */
    const struct expr *tail;   /* number of last places that are low; NULL: none */
    const struct expr *middle; /* a place at or above it is never low; NULL: no rule */
    int kind_list, kind_entry; /* indices into kinds */
    uint32_t place;
};
/* Fields of KIND_CLASS_RANKING_ENTRY, at these positions: */
enum ranked_field {
    RANKED_SUBJECT, /* named by ranking.of_name */
    RANKED_PERIOD,
    RANKED_RANK,   /* 1 is best */
    RANKED_PLACES, /* how many are ranked */
    RANKED_TIED,   /* how many share the rank, itself included */
    RANKED_LOW,    /* yes-no: the tied group touches the last `tail` places and does not reach the middle */
    RANKED_LAST,   /* yes-no: the tied group touches the last place */
    RANKED_MIDDLE, /* number: the middle place */
    RANKED_FIELDS
};

/* ---- due dates */

enum due_kind {
    DUE_NONE,     /* tracked, never overdue */
    DUE_END,      /* the period's last day */
    DUE_DAY,      /* day n of the period's last month (of its only month), clipped to the month's end */
    DUE_FIRST_DAY_N, /* day n counted from the period's first day */
    DUE_WEEKDAY,  /* weekday n (1 Monday) of the period's last week */
    DUE_FIELD     /* a date that the birth event carries */
};
enum due_roll { ROLL_NONE, ROLL_NEXT, ROLL_PREVIOUS };
struct due_rule {
    enum due_kind kind;
    int n;
    int periods_later;   /* 0: within the period; 1: in the next one … */
    enum due_roll roll;
    bool exclusive;      /* cutoff: the due instant is 00:00 of the day instead of 24:00 */
    const struct expr *field;
};

/* ---- obligations */

struct obligation {
    struct slice name, title, basis;
    const struct expr *owed_by; /* set of unit, evaluated at birth; may use `about` (EXPR_KEY 3 of the task's key) */
    int *about_roles;           /* one task for each holder; empty: `about` is empty */
    size_t nabout_roles;
    int *to; /* roles that receive and review it */
    size_t nto;
    enum period_kind period;
    struct due_rule due;
    struct span effective; /* periods that begin within it are owed */
    struct rat at_least;
    struct obligation_counts { /* which records count, as KIND_COUNTED */
        int kind;
        const struct expr *where; /* over the event and the task's key */
    } *counts;
    size_t ncounts;
    struct duration *remind; /* longest first */
    size_t nremind;
    struct duration missed_after, return_grace, settle;
    const struct field *fields; /* of its Submission */
    size_t nfields;
    bool *required; /* per field: missing → returned at once */
    int machine;
    uint32_t place;
};

/* ---- measures */

enum measure_topic { TOPIC_OF_NOTIFICATIONS, TOPIC_OF_WARNINGS, TOPIC_OF_SUPERVISION };

/* What kind of step a measure is, for consumers who do not know the regime. Same order as duban.v1.Level, which adds 0 = unspecified. */
enum measure_level {
    LEVEL_NOTICE = 1,
    LEVEL_REMINDER,
    LEVEL_WARNING,
    LEVEL_CIRCULAR,
    LEVEL_LISTING,
    LEVEL_YELLOW,
    LEVEL_RED,
    LEVEL_LIFT,
    LEVEL_INTERVIEW,
    LEVEL_STATEMENT,
    LEVEL_REFERRAL,
    LEVEL_WITHDRAWAL
};

struct template_part { /* literal text, then the value of an expression (NULL at the end) */
    struct slice literal;
    const struct expr *value;
};

struct measure {
    struct slice name, title;
    struct slice basis; /* the article; empty: of the obligation (basis_of_obligation) or of the rule (basis_of_rule) */
    bool basis_of_obligation, basis_of_rule;
    enum measure_level level;
    int rung;
    enum measure_topic topic;
    const struct expr **to, **copy; /* each a unit, text, or set of them */
    size_t nto, ncopy;
    bool has_limit;
    struct duration limit;      /* from the moment of issue; ends at 24:00 local of the last day */
    int document;               /* index into documents, or -1 */
    struct template_part *body; /* of the notification */
    size_t nbody;
    uint32_t place;
};

/* What `to:`, `copy:` and `body:` of a measure may name beside roles, relations, tables, params and `obligation.X`: a row bound from
 * outside, with these fields at these positions. (A measure serves any machine, so it knows no machine's key.) */
enum measure_field {
    MEASURE_UNIT,       /* optional unit: whom it is issued to */
    MEASURE_SUBJECT,    /* optional text: the instance's key part that is neither unit nor period */
    MEASURE_ABOUT,      /* optional unit: of a task */
    MEASURE_OBLIGATION, /* optional text: the task's obligation's title */
    MEASURE_PERIOD,     /* optional period: of the task, of the key, else of the event */
    MEASURE_DUE,        /* optional date: the last day in time, of a task */
    MEASURE_LIMIT,      /* optional date: the last day of the measure's limit */
    MEASURE_TIME,       /* instant of issue */
    MEASURE_TITLE,      /* text: the measure's own title */
    MEASURE_BASIS,      /* text */
    MEASURE_NUMBER,     /* optional text: the document's number */
    MEASURE_FIELDS
};
extern const struct field measure_row[MEASURE_FIELDS]; /* unit subject about obligation period due limit time title basis number */

struct document {
    struct slice name, title;
    struct slice number_prefix, number_suffix; /* 绥营督〔 … 〕 n 号: prefix 〔year〕 n suffix; empty prefix: not numbered */
    uint32_t place;
};

/* ---- machines */

enum action_op { ACTION_SET, ACTION_CLEAR, ACTION_MEASURE, ACTION_RAISE, ACTION_TIMER, ACTION_CANCEL };
struct action {
    enum action_op op;
    int index;                /* variable, measure, kind, or timer */
    const struct expr *value; /* SET: NULL means yes; TIMER: when; MEASURE: `for:` a unit or set of units, or NULL */
    const struct expr **to, **copy; /* MEASURE: override the measure's own, when given */
    size_t nto, ncopy;
    struct slice basis;         /* MEASURE: override */
    const struct expr **fields; /* RAISE: one for each field of the kind, in its order */
    uint32_t place;
};

struct rule {
    int kind;  /* index into program.kinds; -1: `when: any` */
    int timer; /* when kind is KIND_TIMER: index into machine.timers */
    const struct expr *if_;
    struct action *actions;
    size_t nactions;
    int go; /* state, or -1: stay */
    struct slice refuse; /* not empty: undo the whole turn and say this */
    struct slice basis;  /* overrides the measure's */
    uint32_t place;
};

struct timer_def {
    struct slice name;
    const struct expr *when; /* an instant, or a list of instants; NA: not armed. NULL: armed only by an action */
    bool keep;               /* survives leaving the state it was set in */
    uint32_t place;
};

struct state_body { /* of a state, a group, or any-state */
    struct action *enter, *leave;
    size_t nenter, nleave;
    int *timers; /* indices into machine.timers: armed on entry, in this order */
    size_t ntimers;
    struct rule *rules;
    size_t nrules;
};

struct state {
    struct slice name, title;
    bool final;
    int group; /* index into machine.groups, or -1 */
    struct state_body body;
    uint32_t place;
};

struct count_def { /* a fold over the instance's own records of one kind */
    struct slice name;
    int kind;
    const struct expr *if_;
    enum period_kind within; /* ONCE: over its whole life */
    bool consecutive;        /* a record for which `if_` does not hold sets it back to 0 */
};

struct reach { /* which instances an event of `kind` reaches: one expression for each key part; a set fans out */
    int kind;
    const struct expr **key;
    bool born; /* an instance that does not exist yet is created */
};

enum machine_of {
    MACHINE_PLAIN,
    MACHINE_TASK,     /* key parts: obligation, period, unit, about */
    MACHINE_GENERATOR /* program.machines[0], built in: key part obligation; its one timer opens the next period's tasks */
};
enum task_key { TASK_OBLIGATION, TASK_PERIOD, TASK_UNIT, TASK_ABOUT };

struct machine {
    struct slice name, title, basis;
    enum machine_of of;
    struct field key[KEY_PARTS_MAX];
    size_t nkey;
    int unit_key; /* which key part names the unit, or -1 */
    struct reach *reach; /* for tasks empty: the built-in kinds name their task */
    size_t nreach;
    struct count_def *counts;
    size_t ncounts;
    struct field *vars;
    struct value *var_start;
    size_t nvars;
    struct latest_def { /* the last record of a kind that reached the instance, as far as expressions ask for it */
        int kind;
        int *fields; /* field indices kept; -1 stands for `received` */
        size_t nfields;
    } *latest;
    size_t nlatest;
    struct let {
        struct slice name;
        const struct expr *value;
    } *lets;
    size_t nlets;
    struct timer_def *timers;
    size_t ntimers;
    struct state *states;
    size_t nstates;
    struct group {
        struct slice name;
        struct state_body body;
    } *groups;
    size_t ngroups;
    struct state_body any_state; /* only its rules */
    int initial;
    uint32_t place;
};

/* ---- the whole */

struct program {
    struct slice id;    /* the workflow's id */
    struct slice title; /* zh */
    struct slice hash;  /* of the definition's closure, hex; set by whoever loads it */
    const struct tz *tz;
    struct slice timezone;
    const struct calendar *calendar;
    struct span effective;
    int issuer; /* role, or -1 */

    struct slice *roles;
    size_t nroles;
    struct unit *units; /* ordered by id, then from */
    size_t nunits;
    struct type unit_type; /* record: id, title, kind, role (set of text) */
    struct slice *relations;
    size_t nrelations;
    struct relation_row *relation_rows;
    size_t nrelation_rows;
    struct table *tables;
    size_t ntables;
    struct param *params;
    size_t nparams;
    struct kind *kinds;
    size_t nkinds;
    struct ranking *rankings;
    size_t nrankings;
    struct obligation *obligations;
    size_t nobligations;
    struct document *documents;
    size_t ndocuments;
    struct measure *measures;
    size_t nmeasures;
    struct machine *machines; /* [0] is the generator */
    size_t nmachines;
    struct place *places; /* [0] is nowhere */
    size_t nplaces;
};

bool span_has(struct span s, date_t d);

/* Look-ups; -1 or NULL when there is none. Ids and aliases are matched exactly. */
int program_machine(const struct program *p, struct slice name);
int program_obligation(const struct program *p, struct slice name);
int program_kind(const struct program *p, struct slice name);
int program_ranking(const struct program *p, struct slice name);
int program_role(const struct program *p, struct slice name);
int program_relation(const struct program *p, struct slice name);
int machine_state(const struct machine *m, struct slice name);
/* The unit with this id (or alias) in force on the local date d. */
const struct unit *program_unit(const struct program *p, struct slice id, date_t d);
bool unit_has_role(const struct unit *u, int role);
const struct table_row *table_find(const struct table *t, struct slice key, date_t d);
/* The invariants that step relies on (indices in range, types present …); tests and fuzzers call it. */
bool program_check(const struct program *p, struct err *e);

#endif
