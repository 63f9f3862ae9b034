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
    INPUT_OTHER       /* in the contract, but not acted on by this version: rejected with a reason that names it */
};

struct input_entry { /* of a ranking */
    struct slice subject;
    int64_t rank, places, tied; /* 0: not given. All ranks given and places not: computed from the list */
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
};

/* A typed event, as machines see it. */
struct event {
    int kind;
    struct value *field; /* program->kinds[kind].nfields of them */
    instant_t received;
    struct slice by; /* reporter: a unit id, or empty */
};

/* ---- the world: what a turn reads and changes */

struct timer {
    int def; /* index into machine.timers */
    int n;   /* which of several instants */
    instant_t due; /* when it fires: never before it was armed */
    instant_t nominal;
    int64_t armed; /* instance.turns when it was armed: makes the cause of each firing unique */
    int hops;      /* timers in a row that fired at `due` itself and led to it */
};

struct task {
    int obligation;
    struct period period;
    instant_t opens, nominal, due;
    date_t day;
    bool provisional;
    struct slice reason;
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
};

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
    uint32_t place;               /* of the rule or state that issued it */
    int n; /* counts measures of the same name from the same instance in this turn, from 0 */
};

struct effects {
    enum verdict verdict;
    struct slice *reasons;
    size_t nreasons;
    struct instance **changed; /* new states to store, each once, in the order first touched */
    const struct instance **was; /* of each of changed: as the world gave it; NULL: born in this turn */
    size_t nchanged;
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

/* "card/u-01/i-017": for people, logs and causes. */
struct slice instance_print(struct arena *a, const struct program *p, const struct instance *i);

#endif
