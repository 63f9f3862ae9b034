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

/* What is inherited when units end; see roster.h. */
enum heir { HEIR_OF_COUNTS, HEIR_OF_CASES, HEIR_OF_TASKS, HEIRS };

struct unit {
    struct slice id, title, kind, liaison, head;
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
    struct value value; /* from the beginning; of later versions those in force count, by the local date of `now` */
    struct param_version {
        date_t from;
        struct value value;
    } *versions; /* by `from`, ascending */
    size_t nversions;
    struct slice why;
    uint32_t place;
};

/* A figure that the text states about itself: 近800. */
struct constant {
    struct slice name, basis;
    struct rat value;
    bool approximate;
    struct slice written;
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
    KIND_READING, /* fields: enum reading_field */
    KIND_DIRECTIVE, /* births tasks; fields: enum directive_field */
    KIND_ASKED,   /* "extension-requested"; the task's fields and reason. From here to KIND_EXCUSED: what corrections say to the selected */
    KIND_REFUSED, /* "extension-refused" */
    KIND_EXTENDED, /* instances, tasks and cases alike (a case's event has `unit` and `reason` only) */
    KIND_WAIVED,
    KIND_PAUSED,
    KIND_RESUMED,
    KIND_EXCUSED,
    KIND_DECLARED /* first index of the declared, ranking and raised kinds */
};

enum kind_class {
    KIND_CLASS_BUILTIN,
    KIND_CLASS_FACT,          /* declared under `events:`; arrives as Fact */
    KIND_CLASS_RANKING,       /* "ranking NAME": the list as a whole; fields period, places (number) */
    KIND_CLASS_RANKING_ENTRY, /* "ranked" (one ranking) or "ranked NAME": one entry */
    KIND_CLASS_RAISED,        /* made by a rule's `raise:` */
    KIND_CLASS_CLOSED         /* "NAME closed": made when a tally closes */
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
    int *of_roles; /* units that it ranks must hold one of them; empty: any */
    size_t nof_roles;
    int tally;          /* computed from this tally's totals when it closes; -1: received */
    bool lowest_first;  /* of a computed one */
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

/* ---- indicators and their readings */

struct indicator {
    struct slice name, title, basis;
    const struct expr *owed_by; /* NULL: not said */
    int *by;                    /* roles that may report a reading; empty: any unit */
    size_t nby;
    enum period_kind period;    /* ONCE: a reading names any */
    enum { TARGET_NONE, TARGET_EQ, TARGET_LE, TARGET_GE, TARGET_LT, TARGET_GT } target;
    struct rat target_value;
    uint32_t place;
};
/* Fields of KIND_READING, at these positions. The machine `reading` keeps the last of each (indicator, unit, period). */
enum reading_field {
    READING_INDICATOR,
    READING_UNIT,
    READING_PERIOD,
    READING_VALUE, /* optional number: n/a for a denominator of 0 and for what does not apply */
    READING_NUMERATOR,
    READING_DENOMINATOR,
    READING_APPROXIMATE, /* yes-no */
    READING_WRITTEN,     /* optional text: as the source wrote it */
    READING_MET,         /* optional yes-no: against the target; n/a where the value is, or there is no target */
    READING_FIELDS
};
enum directive_field {
    DIRECTIVE_UNIT,
    DIRECTIVE_ABOUT, /* text */
    DIRECTIVE_OBLIGATION,
    DIRECTIVE_TITLE,
    DIRECTIVE_SOURCE, /* optional text */
    DIRECTIVE_DUE,    /* optional date */
    DIRECTIVE_BASIS,  /* optional text */
    DIRECTIVE_FIELDS
};

/* ---- due dates */

enum due_kind {
    DUE_NONE,     /* tracked, never overdue */
    DUE_END,      /* the period's last day */
    DUE_DAY,      /* day n of the period's last month (of its only month), clipped to the month's end */
    DUE_FIRST_DAY_N, /* day n counted from the period's first day */
    DUE_WEEKDAY,  /* weekday n (1 Monday) of the period's last week */
    DUE_FIELD,    /* a day that the birth gives */
    DUE_WINDOW,   /* the last day of a window: first week of the period's first month or last week of its last, by `window` */
    DUE_WORKDAY,  /* the nth workday of the period's last month (of a period shorter than a month: its own); n < 0: from its end */
    DUE_RRULE     /* the last occurrence within the period of an RFC 5545 rule; a period without one is not owed */
};
/* What 「第一周」 and 「最后一周」 mean. */
enum due_window {
    WINDOW_DAYS,      /* days 1 to 7; the last 7 days */
    WINDOW_WEEK,      /* the Monday week that holds the 1st or the last day, clipped to the month */
    WINDOW_FULL_WEEK, /* the first or last whole Monday to Sunday */
    WINDOW_WORKDAYS,  /* the first or last 5 workdays */
    DUE_WINDOWS
};
extern const char *const due_window_name[DUE_WINDOWS]; /* days week full-week workdays */
enum due_roll { ROLL_NONE, ROLL_NEXT, ROLL_PREVIOUS };
struct due_rule {
    enum due_kind kind;
    int n;
    int periods_later;   /* 0: within the period; 1: in the next one … */
    enum due_roll roll;
    bool exclusive;      /* cutoff: the due instant is 00:00 of the day instead of 24:00 */
    enum due_window window;
    bool first;          /* DUE_WINDOW: the first week, else the last; DUE_WORKDAY: of the period's first month */
    struct slice rrule;
};

/* ---- obligations */

struct obligation {
    struct slice name, title, basis;
    const struct expr *owed_by; /* set of unit, evaluated at birth; may use `about` (EXPR_KEY 3 of the task's key) */
    int *about_roles;           /* one task for each holder; empty: `about` is empty */
    size_t nabout_roles;
    int *to; /* roles that receive and review it */
    size_t nto;
    const struct expr *to_units; /* instead of roles: a unit or a set of them, over the task */
    enum period_kind period;
    struct due_rule due;
    struct span effective; /* periods that begin within it are owed, as far as the workflow's end lets them */
    struct rat at_least;
    struct obligation_counts { /* which records count, as KIND_COUNTED */
        int kind;
        const struct expr *where; /* over the event and the task's key */
    } *counts;
    size_t ncounts;
    struct duration *remind; /* longest first */
    size_t nremind;
    struct duration missed_after, return_grace, settle;
    bool has_soft;
    struct due_rule soft; /* 「原则上」: its end is `soft-end`; reminds, and never sanctions */
    const struct expr *only_if; /* over the task's key, when the task would be born; NULL: always */
    bool jointly;               /* one task of all owners; the first by id is its unit */
    struct birth {              /* born by events; with any of these there is no generator */
        int kind;
        const struct expr *where;   /* over the event */
        const struct expr *owed_by; /* unit or set of units, over the event */
        const struct expr *about;   /* text, number, date, period, or a set of texts; NULL: empty */
        const struct expr *period;  /* NULL: that of the event's belonging, or empty for PERIOD_ONCE */
        const struct expr *due;     /* a date, or an instant: its local day; NULL: the obligation's own due rule */
    } *births;
    size_t nbirths;
    bool by_rules;              /* born by rules (ACTION_TASK) alone: no generator either */
    bool about_text;            /* a born task's `about` is free text */
    int *by;                    /* roles that may give directives for it; empty: any unit */
    size_t nby;
    const struct expr *about_each; /* `about: each of tasks`: keys of table rows; NULL: roles, or nothing */
    int filed_by; /* a Fact of this kind is its submission; KIND_SUBMITTED: Submissions are */
    int kind_filed; /* what `refuse` sees as the event: filed_by, or a kind of its own whose fields are `fields`; 0: it refuses nothing */
    const struct expr *filed_unit, *filed_about, *filed_period; /* with filed_by: which task; NULL: the fields of these names */
    struct refusal *refuse; /* of a submission; over its fields and the task's key */
    size_t nrefuse;
    const struct field *fields; /* of its Submission */
    size_t nfields;
    bool *required; /* per field: missing → returned at once */
    int machine;
    uint32_t place;
};

/* ---- what happens on a day: an event on a due rule, of nobody's task */

struct schedule {
    struct slice name, basis;
    enum period_kind each;
    struct due_rule at; /* raised at 00:00 of that day */
    struct span effective;
    int kind;       /* raised; fields: period, and unit when there are roles */
    int *for_roles; /* one event for each holder; empty: one */
    size_t nfor_roles;
    uint32_t place;
};

/* ---- collections: instances as rows of expressions */

enum column_source { COLUMN_NONE, COLUMN_KEY, COLUMN_STATE, COLUMN_SINCE, COLUMN_DUE, COLUMN_LIMIT, COLUMN_VAR, COLUMN_COUNT, COLUMN_EXCUSED };
struct collection { /* of one machine, or `tasks`: of all machines of tasks */
    struct slice name;
    struct type row; /* record; its first fields are the key's parts, in their order */
    int *obligations; /* of tasks: all of the program's, by name */
    size_t nobligations;
    struct collection_machine {
        int machine;
        struct collection_column {
            enum column_source source; /* COLUMN_NONE: this machine has none; n/a */
            int index;                 /* key part, variable or counter */
        } *column; /* by field of the row */
    } *machines;
    size_t nmachines;
};

/* ---- tallies: points of a unit in a period. Each is a machine of its own, key (unit, period), states open and closed. */

struct tally {
    struct slice name, title, basis;
    int *of; /* roles whose holders are scored */
    size_t nof;
    enum period_kind period;
    struct span span; /* of periods that are scored */
    int machine;      /* its instances: key unit, period; variables at enum tally_var's positions */
    struct tally_item {
        struct slice name, title, basis;
        const struct expr *value; /* over the instance and its entries of this item; NULL: their sum */
        const struct expr *cap, *floor;
        uint32_t place;
    } *items; /* empty: items are named by the entries */
    size_t nitems;
    struct tally_feed { /* records that make entries; expressions are over the event */
        int kind;
        const struct expr *where;
        const struct expr *unit, *period; /* NULL: the event's unit, and the period that it belongs to */
        const struct expr *item;          /* NULL: fixed_item */
        int fixed_item;
        const struct expr *points, *reason; /* reason NULL: none */
        uint32_t place;
    } *feeds;
    size_t nfeeds;
    struct tally_column { /* what a record says of items: of one, or of each line of a list */
        int kind;         /* -1: there is no such column */
        int lines;        /* field that lists the lines; -1: the event is the only one */
        int item, points, reason; /* fields of a line; reason -1: none */
        int total;        /* field that states the sum; -1: none */
        uint32_t place;
    } self, review; /* the unit's own score, which stands beside; the review's, which stands in place of what was computed */
    int closes_kind;
    const struct expr *closes_where; /* over the event and the period: a row bound from outside with this one field */
    const struct expr *total; /* over the items' values, a row bound from outside; NULL: their sum */
    bool rounds;
    int round;       /* places: each item once, then the total once, half away from zero */
    int kind_closed; /* "NAME closed": one for each unit; fields unit, period, total, then one for each item */
    uint32_t place;
};
enum tally_state { TALLY_OPEN, TALLY_CLOSED };
/* Variables of a tally's machine. */
enum tally_var {
    TALLY_ENTRIES,    /* list of tally_entry: what was credited */
    TALLY_SELF,       /* list of tally_entry: the last self score */
    TALLY_REVIEW,     /* list of tally_entry: one for each reviewed item */
    TALLY_ITEMS,      /* list of tally_result, when it closed */
    TALLY_TOTAL,      /* number, when it closed */
    TALLY_SELF_TOTAL, /* number: stated by the self score, else the sum of its lines */
    TALLY_VARS
};
enum tally_entry_field {
    ENTRY_ITEM,
    ENTRY_POINTS,
    ENTRY_REASON, /* optional */
    ENTRY_SOURCE, /* of the record that made it; of a timer: its instance */
    ENTRY_ID,     /* of a timer: its name */
    ENTRY_AT,
    ENTRY_FIELDS
};
enum tally_result_field {
    RESULT_ITEM,
    RESULT_POINTS,   /* that count: reviewed, else computed; n/a where they cannot be told */
    RESULT_COMPUTED, /* before a review */
    RESULT_BOUND,    /* "cap" or "floor" where it was one of these that decided */
    RESULT_FIELDS
};
extern const struct field tally_entry[ENTRY_FIELDS], tally_result[RESULT_FIELDS], tally_vars[TALLY_VARS];
#define TALLY_ENTRIES_MAX 500 /* of one unit in one period */

/* ---- what was issued to whom: the variables of the machine program.issued, key measure, unit */

enum issued_var { ISSUED_N /* how often */, ISSUED_FIRST, ISSUED_LAST /* instants */, ISSUED_VARS };

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

struct words { /* of each part its literal text, then the value of its expression (NULL: none) */
    struct template_part {
        struct slice literal;
        const struct expr *value;
    } *part;
    size_t n;
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
    bool limit_of_case; /* it carries the instance's limit, as a measure before it or the action `limit` set it */
    bool has_limit;
    struct duration limit;      /* from the moment of issue; ends at 24:00 local of the last day */
    int document;               /* index into documents, or -1 */
    struct words body;          /* of the notification */
    bool on_record; /* some `issued(M to U)` asks for it: the machine `issued` keeps (measure, unit) */
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
    int issuer; /* a role, whose holder is named at its head and its end; -1: nobody is */
    struct document_part {
        struct slice html;        /* as it stands */
        const struct expr *value; /* then this value; or each of its items, with the parts up to `end`. NULL: the last part */
        const struct expr *by;    /* each: in ascending order of this; NULL: in their own order */
        size_t end;               /* each: the part behind its own; 0: one value */
    } *part;                      /* of its main text */
    size_t nparts;                /* 0: it has no template, and the measure's body is its main text */
    struct words *attachment;     /* the name of each paper that goes with it */
    size_t nattachments;
    uint32_t place;
};
/* What is bound beside each item of an `each`, in the measure's row: the number of the item, from 1. */
enum document_each { EACH_POSITION, EACH_FIELDS };
extern const struct field document_each[EACH_FIELDS];
#define DOCUMENT_TEXT_MAX ((size_t)256 << 10) /* bytes of a main text */
#define ATTACHMENT_NAME_MAX 1000              /* bytes of each name */

/* ---- machines */

enum action_op {
    ACTION_SET,
    ACTION_CLEAR,
    ACTION_MEASURE,
    ACTION_RAISE,
    ACTION_TIMER,
    ACTION_CANCEL,
    ACTION_SCORE, /* index: tally; index2: item, or -1: `item` says its name; value: points; unit, period, reason */
    ACTION_TASK,  /* index: obligation; bears a task of it */
    ACTION_LIMIT  /* value: a date (24:00 of it) or an instant becomes the instance's limit; n/a: it has none */
};
struct action {
    enum action_op op;
    int index;                /* variable, measure, kind, or timer */
    const struct expr *value; /* SET: NULL means yes; TIMER: when; MEASURE: `for:` a unit or set of units, or NULL */
    const struct expr **to, **copy; /* MEASURE: override the measure's own, when given */
    size_t nto, ncopy;
    struct slice basis;         /* MEASURE: override */
    const struct expr **fields; /* RAISE: one for each field of the kind, in its order */
    int index2;
    const struct expr *item, *period, *unit, *about, *due, *reason; /* SCORE, TASK: as far as given */
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
    const struct expr *each;  /* a list: the parts are evaluated for each item, a row bound from outside; NULL: once */
    const struct expr *where; /* over the event; not of a birth: over the instance, too; NULL: always */
    const struct expr **key;  /* NULL: any, of the instances there are; never of a birth */
    bool born; /* an instance that does not exist yet is created */
};

enum machine_of {
    MACHINE_PLAIN,
    MACHINE_TASK,     /* key parts: obligation, period, unit, about */
    MACHINE_GENERATOR /* program.machines[0], built in: key part obligation, or "schedule NAME"; its one timer opens the next period's tasks, or raises
                         the schedule's next event */
};
#define FILL_LIMIT (-1)
enum task_key { TASK_OBLIGATION, TASK_PERIOD, TASK_UNIT, TASK_ABOUT };

struct machine {
    struct slice name, title, basis;
    enum machine_of of;
    struct field key[KEY_PARTS_MAX];
    size_t nkey;
    int unit_key; /* which key part names the unit, or -1 */
    const struct expr *unit; /* whom measures go to, instead of the key part; NULL: that, or nobody by itself */
    struct slice ledger;     /* the title of the ledger that it keeps the rows of; empty: none */
    bool rows;               /* it keeps rows, of a ledger or readings: facts, which hear an event before anybody else */
    struct fill {            /* var := value when a record of `kind` reaches the instance: before its counts, and before the rules */
        int kind;
        const struct expr *if_;
        int var; /* or FILL_LIMIT: the instance's limit, as action `limit` sets it */
        const struct expr *value; /* NULL: yes */
    } *fills;
    size_t nfills;
    struct issued_mark { /* `issued(M)` in this instance: a variable that the issue sets to yes */
        int measure, var;
    } *issued_marks;
    size_t nissued_marks;
    struct migration { /* states of earlier definitions */
        struct slice from;
        int to;
    } *migrate;
    size_t nmigrate;
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
    bool hidden; /* kept for expressions alone: not among the tasks and cases that people see */
    uint32_t place;
};
/* Names with a blank are the compiler's own, which no author can write: not shown to people. */
bool name_is_hidden(struct slice name);

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
    instant_t quiet_before; /* what falls before it is taken in, and nothing of it is issued; INSTANT_NONE */
    bool hold;              /* measures are proposed, and issued when an operator says so */

    struct article { /* of the regime's text, as scenarios cite them */
        struct slice name;
        struct slice silent; /* why it carries no behaviour; empty: it does */
    } *articles;
    size_t narticles;

    struct slice *roles;
    size_t nroles;
    struct unit *units; /* ordered by id, then from */
    size_t nunits;
    struct type unit_type; /* record: id, title, kind, role (set of text) */
    struct slice *relations;
    size_t nrelations;
    struct relation_row *relation_rows;
    size_t nrelation_rows;
    struct succession { /* from unit rows that name a successor, and from roster changes; by day */
        date_t day;     /* the first on which it holds */
        struct slice *from, *to;
        size_t nfrom, nto;
        struct slice heir[HEIRS]; /* each one of `to` */
    } *successions;
    size_t nsuccessions;
    struct role_index { /* by role: the rows that hold it, ascending indices into units; made by program_index */
        int *unit;
        size_t n;
    } *role_holders;
    struct alias_row { /* ordered by alias, then unit; made by program_index */
        struct slice alias;
        int unit;
    } *aliases;
    size_t naliases;
    struct table *tables;
    size_t ntables;
    struct param *params;
    size_t nparams;
    struct kind *kinds;
    size_t nkinds;
    struct ranking *rankings;
    size_t nrankings;
    struct constant *constants;
    size_t nconstants;
    struct indicator *indicators;
    size_t nindicators;
    int readings; /* machine that keeps them; 0: none */
    struct tally *tallies;
    size_t ntallies;
    struct collection *collections;
    size_t ncollections;
    struct schedule *schedules;
    size_t nschedules;
    int issued; /* machine that keeps what was issued to whom, as far as on_record; key measure, unit; 0: none */
    struct obligation *obligations;
    size_t nobligations;
    int *obligations_by_name; /* indices; NULL until program_index has made it */
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
int program_tally(const struct program *p, struct slice name);
int program_role(const struct program *p, struct slice name);
int program_relation(const struct program *p, struct slice name);
int machine_state(const struct machine *m, struct slice name);
/* The unit with this id (or alias) in force on the local date d. */
const struct unit *program_unit(const struct program *p, struct slice id, date_t d);
/* The row of this id, aliases aside. */
const struct unit *program_unit_by_id(const struct program *p, struct slice id, date_t d);
/* The first of the rows with this id, whatever their dates; where it would stand, if there is none. */
size_t program_unit_place(const struct program *p, struct slice id);
/* Whether any row, of whatever dates, has this id; or this id or alias. */
bool program_has_unit(const struct program *p, struct slice id);
bool program_has_party(const struct program *p, struct slice id_or_alias);
bool table_has(const struct table *t, struct slice key); /* on any day */
bool unit_has_role(const struct unit *u, int role);
/* The units in force on d that hold one of the roles, by id: indices into units. */
size_t program_holders(const struct program *p, const int *roles, size_t nroles, date_t d, struct arena *a, int **unit);
/* Makes what the look-ups of units need. Whoever makes a program, or gives it other units, calls it before anything is looked up. */
void program_index(struct program *p, struct arena *a);
/* What people call it: the title of the unit in force on d, or of the first table's row, that has this id; else the id itself. */
struct slice program_title(const struct program *p, struct slice id, date_t d);
const struct table_row *table_find(const struct table *t, struct slice key, date_t d);
/* The invariants that step relies on (indices in range, types present …); tests and fuzzers call it. */
bool program_check(const struct program *p, struct err *e);

#endif
