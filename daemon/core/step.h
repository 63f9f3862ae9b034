/* The core: one input or one timer, applied to completion. Pure: no clock, no I/O, no global state.
 * The same program, world and input give the same effects, byte for byte, everywhere. */
#ifndef DUBAND_STEP_H
#define DUBAND_STEP_H

#include "core/program.h"

/* ---- what comes in */

enum input_class {
    INPUT_SUBMISSION,
    INPUT_REVIEW,
    INPUT_FACT,
    INPUT_RANKING,
    INPUT_CLOCK,      /* handled by the caller: it only moves the clock */
    INPUT_DEFINITION, /* handled by the caller, through step_install */
    INPUT_READING,
    INPUT_DIRECTIVE,
    INPUT_EXTENSION_REQUEST,
    INPUT_EXTEND,
    INPUT_WAIVE,
    INPUT_PAUSE,
    INPUT_RESUME,
    INPUT_EXCUSE,
    INPUT_ROSTER,
    INPUT_ANNUL,     /* these three are handled by the caller: they need the workflow's history */
    INPUT_SUPERSEDE,
    INPUT_DECIDE,
    INPUT_REDRIVE,  /* handled by the caller: what it holds is what is stepped */
    INPUT_OTHER       /* in the contract, but not acted on by this version: rejected with a reason that names it */
};

struct input_entry { /* of a ranking */
    struct slice subject;
    int64_t rank, places, tied; /* 0: not given. All ranks given and places not: computed from the list */
};

/* Which tasks and cases a correction is for: a part that is given narrows to any of its values. */
struct selector {
    struct slice *obligations, *units, *subjects, *periods, *roles, *machines, *states, *tasks;
    size_t nobligations, nunits, nsubjects, nperiods, nroles, nmachines, nstates, ntasks;
    date_t due_from, due_until; /* DATE_NONE: not given; both days included */
};

struct record_ref {
    struct slice source, id; /* empty: not given */
};

/* The roster from a date on, see proto. Texts are as written; step checks them. */
struct roster_change {
    date_t from;
    struct roster_unit {
        struct slice id, title, kind, liaison, head, *roles, *aliases;
        size_t nroles, naliases;
    } *units;
    size_t nunits;
    struct slice *ended;
    size_t nended;
    struct roster_relation {
        struct slice subject, relation, unit;
    } *relations, *ended_relations;
    size_t nrelations, nended_relations;
    struct roster_succession {
        struct slice *from, *to, heir_of_counts, heir_of_cases, heir_of_tasks;
        size_t nfrom, nto;
    } *successions;
    size_t nsuccessions;
};

/* A decoded record. Values in `fields` are untyped (texts, numbers, yes-no, lists, records with names): step gives them types. */
struct input {
    enum input_class class_;
    struct slice workflow, source, id;
    instant_t received;
    struct slice class_name;  /* "submission", "extend" …: for messages */
    struct slice actor, reason;
    struct slice obligation, unit, about, period, kind, reporter, ranking; /* as far as the class has them */
    bool accept;              /* a review: accepted, else returned */
    struct value fields;      /* VALUE_RECORD with names, or NA */
    struct input_entry *entries;
    size_t nentries;
    enum voice topic; /* which log it came by */

    struct selector select; /* corrections */
    struct slice until;     /* a date as written: extension asked or granted; a directive's due */
    bool has_by;            /* extend: by this instead */
    struct duration by;
    bool refused;           /* extend: the request is refused */
    struct record_ref request; /* extend: which request; supersede, annul: which record */
    bool extend_due;        /* resume */
    struct slice grounds, title, from_whom, basis; /* extension request, excuse; directive: title, source, basis */
    struct slice *units;    /* directive */
    size_t nunits;
    struct input_attachment {
        struct slice name, uri;
    } *attachments;
    size_t nattachments;
    struct slice measure_id; /* annul, decide */
    bool issue;              /* decide: issue, else decline */
    struct slice replacement; /* supersede: the packed InputEvent */
    instant_t received_as;   /* supersede: INSTANT_NONE: as the replaced record */
    bool reissue;
    const struct roster_change *roster;
    struct input_reading {
        struct slice indicator, number, numerator, denominator, written; /* numbers as texts; empty: not given */
        bool not_applicable, approximate;
    } reading;
};

/* A typed event, as machines see it. */
struct event {
    int kind;
    struct value *field; /* program->kinds[kind].nfields of them */
    instant_t received;
    struct slice by; /* reporter: a unit id, or empty */
    const struct instance *to; /* a correction's: what it was done to; NULL: reaches whatever its fields say */
};

/* ---- the world: what a turn reads and changes */

struct timer {
    int def; /* index into machine.timers */
    int n;   /* which of several instants */
    instant_t due; /* when it fires: never before it was armed */
    instant_t nominal;
    int64_t armed; /* instance.turns when it was armed: makes the cause of each firing unique */
    int hops;      /* timers in a row that fired at `due` itself and led to it */
    bool held;     /* stands still: paused, or waiting for a decision about more time. Not in the index; `due` is then what it was */
};

struct task {
    int obligation;
    struct period period;
    instant_t opens, nominal, due;
    date_t day;
    bool provisional;
    struct slice reason;
    instant_t soft_end;          /* 0: none */
    struct slice title, basis;   /* of a directive's; empty: the obligation's */
    struct slice *owners;        /* of a joint task: all of them, by id; else none */
    size_t nowners;
};

/* What corrections made of a task or case. All zero: nothing. */
struct standing {
    instant_t paused;     /* since then its timers stand still; 0: they run */
    instant_t asked;      /* when more time was asked for, and not decided yet; 0: not */
    struct slice asked_until;
    struct record_ref request;
    bool waived;
    struct slice excused; /* the grounds; nothing follows from its being late or missed */
    instant_t extended;   /* when more time was last given; 0: never */
};

struct cause { /* what made something happen: an input or a timer */
    struct slice source, id; /* of the input; empty for a timer */
    struct slice instance, timer; /* printed key, name */
    instant_t due;
    int64_t armed;
    instant_t received; /* the input's receipt time; the timer's due */
};

struct instance {
    int machine;
    struct slice key[KEY_PARTS_MAX];
    int state; /* -1: not born yet */
    instant_t since;
    struct value *vars;
    struct count {
        struct period window; /* ONCE when the fold has no window */
        int64_t n;
    } *counts;
    struct latest { /* by machine.latest; fields NULL: none yet */
        struct value *field;
    } *latest;
    struct timer *timers; /* ordered by def, n */
    size_t ntimers;
    struct task *task; /* MACHINE_TASK only */
    instant_t limit;   /* of the last measure that carries one; INSTANT_NONE */
    struct period next_period; /* MACHINE_GENERATOR only */
    struct cause born, last;   /* the record that created it, that last changed it */
    uint64_t turns;            /* how many turns changed it */
    bool halted;               /* its timer's turn broke a limit; timers are disarmed */
    bool migrated;             /* it was stored in a state that its machine's `migrate` maps; not stored itself */
    struct standing standing;
};

/* ---- looking on: for people who ask why. Nothing of a turn depends on it, and without a watch it costs a comparison a rule. */

enum watched_what {
    WATCHED_RULE, /* a rule was looked at; it holds: it is taken */
    WATCHED_COUNT /* a counter folded an event in; it holds: counted */
};
struct watched {
    enum watched_what what;
    const struct program *program;
    const struct instance *instance; /* as it is at this moment */
    const struct event *event;       /* NULL: a timer */
    int timer;                       /* that fires; or -1 */
    const struct cause *cause;
    instant_t now;
    const struct rule *rule;       /* WATCHED_RULE */
    const struct count_def *count; /* WATCHED_COUNT */
    int64_t n;                     /* WATCHED_COUNT: what it has counted now */
    bool holds;
    const struct eval *eval; /* as the condition saw it: a copy of it evaluates the condition's parts */
};
struct watch {
    void *ctx;
    void (*seen)(void *ctx, const struct watched *w); /* what it points to is valid during the call only */
};

enum may_issue {
    ISSUE_OUT,
    ISSUE_QUIET,    /* counts as issued; nothing leaves, and no document number is taken */
    ISSUE_PROPOSED, /* kept for an operator to decide: does not count as issued, and its limit does not run */
    ISSUE_NOT       /* does not count as issued, and never will */
};
struct effects;
struct issued;

/* What a turn may ask. Memory comes from `a`. All calls see the state before this turn. */
struct world {
    void *ctx;
    /* NULL: there is none. */
    struct instance *(*find)(void *ctx, struct arena *a, int machine, const struct slice *key);
    /* Visits instances whose first `nkey` key parts equal `key`, in key order, until `visit` returns false. */
    void (*scan)(void *ctx, struct arena *a, int machine, const struct slice *key, size_t nkey,
                 bool (*visit)(void *arg, struct instance *i), void *arg);
    /* The last number given to this series in this year; 0: none yet. */
    int64_t (*last_number)(void *ctx, struct slice series, int year);
    /* What a re-run knows better. NULL, as in any first run: nothing. */
    bool (*excused)(void *ctx, int machine, const struct slice *key, struct slice *grounds); /* of an instance about to be born */
    enum may_issue (*may_issue)(void *ctx, const struct effects *so_far, struct issued *m); /* asked for each measure before it counts as issued; may set its id */
    const struct watch *watch; /* NULL: nobody looks on */
};

/* ---- what comes out */

enum verdict {
    VERDICT_APPLIED,
    VERDICT_NO_EFFECT, /* valid, but no rule took it */
    VERDICT_REJECTED,  /* nothing changed; `reasons` says why, all of them */
    VERDICT_HALTED     /* a timer's turn broke a limit: only `changed` (the halted instance) and reasons count */
};

struct transition {
    const struct instance *instance; /* as it is after the turn */
    int from, to;                    /* states; from -1: born; equal: stayed, but a rule was taken */
    int kind;                        /* event kind; KIND_TIMER with `timer` */
    int timer;                       /* index into the machine's timers; -1: none, or born by its generator's timer */
    uint32_t place; /* of the rule; 0 for a birth */
    /* A succession handed it over: the other's key, KEY_PARTS_MAX parts. Gone: `to` is -1. Come: `from` is the state that was there, or that
     * it came in. NULL: no succession. */
    const struct slice *moved_from, *moved_to;
};

struct issued {
    int measure;
    const struct instance *instance; /* the instance that issued it, as it is after the turn */
    struct slice unit, subject, about;  /* empty where there is none */
    struct slice obligation;            /* of a task */
    struct period period;               /* ONCE: none */
    struct slice basis;
    struct slice *to, *copy; /* ids of recipients: ascending, no repeats; copy without those in to */
    size_t nto, ncopy;
    instant_t time;  /* now */
    instant_t due;   /* of the task, or INSTANT_NONE */
    instant_t limit; /* INSTANT_NONE */
    struct slice body;            /* rendered */
    struct slice document_title;  /* empty: none */
    struct slice number;          /* the document's, or empty */
    struct slice number_series;   /* what to count up: see effects.numbers */
    struct document_text {        /* what the document says, as of this moment */
        struct slice main;        /* HTML of p table tr th td ul ol li strong br, without attributes; empty: no document, or nothing leaves */
        struct slice issuer;      /* titles */
        struct slice *to, *copy;
        size_t nto, ncopy;
        struct slice *attachment; /* names */
        size_t nattachments;
        date_t date;
    } text;
    uint32_t place;               /* of the rule or state that issued it */
    int n; /* counts measures of the same name from the same instance in this turn, from 0 */
    enum may_issue how;
    struct slice id; /* empty: as wire makes it */
};

struct effects {
    enum verdict verdict;
    struct slice *reasons;
    size_t nreasons;
    struct instance **changed; /* new states to store, each once, in the order first touched */
    const struct instance **was; /* of each of changed: as the world gave it; NULL: born in this turn */
    size_t nchanged;
    const struct instance **removed; /* as the world gave them: gone, by a succession */
    size_t nremoved;
    const struct roster_change *roster; /* to be kept, and to hold from the next turn on; NULL: none */
    struct transition *transitions;
    size_t ntransitions;
    struct issued *issued; /* in the order made */
    size_t nissued;
    struct number_taken {
        struct slice series;
        int year;
        int64_t last;
    } *numbers;
    size_t nnumbers;
    struct cause cause;
    instant_t now;
    const struct slice *proposals; /* packed, for history; set by whoever stores the turn */
    size_t nproposals;
};

#define STEP_QUEUE_MAX 10000     /* events in one turn */
#define STEP_INSTANCES_MAX 10000 /* instances touched in one turn */
#define STEP_COST_MAX 50000000u  /* expression nodes visited in one turn */
#define STEP_ANY_MAX 16          /* `when: any` rules in a row for one instance and event */
#define STEP_HOPS_MAX 16         /* timers in a row, each armed by the one before for the instant at which it fired */

/* An input of class SUBMISSION, REVIEW, FACT, RANKING or OTHER. now = in->received. All memory of the result is the arena's. */
void step_input(const struct program *p, const struct world *w, const struct input *in, struct arena *a, struct effects *out);

/* Fires timer `index` of the instance; now = that timer's due instant. The caller guarantees that it is the earliest due. */
void step_timer(const struct program *p, const struct world *w, struct instance *i, size_t index, struct arena *a,
                struct effects *out);

/* Takes the program into force at `now`: arms a generator for each obligation that has none. Periods whose due instant is already past are
 * not owed. The caller has checked that live states exist in p. */
void step_install(const struct program *p, const struct world *w, instant_t now, const struct cause *cause, struct arena *a,
                  struct effects *out);

/* A measure that was proposed is issued now, by the instance that would have issued it. */
struct proposed {
    int measure;
    int machine;
    struct slice key[KEY_PARTS_MAX];
    struct slice unit, subject, about, obligation, basis;
    struct period period;
    struct slice *to, *copy;
    size_t nto, ncopy;
    uint32_t place;
};
void step_issue(const struct program *p, const struct world *w, const struct proposed *m, instant_t now, const struct cause *cause,
                struct arena *a, struct effects *out);

/* "card/u-01/i-017": for people, logs and causes. */
struct slice instance_print(struct arena *a, const struct program *p, const struct instance *i);
/* Back again: key gets KEY_PARTS_MAX parts. False: no machine of p could have printed it. */
bool instance_parse(struct arena *a, const struct program *p, struct slice printed, int *machine, struct slice *key);

#endif
