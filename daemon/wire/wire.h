/* Bytes ↔ core. The only user of generated protobuf-c code; JSON by the proto3 mapping with original field names (jansson).
 * Every decoder checks UTF-8, consumes every byte, and returns all reasons for refusing, not the first only. */
#ifndef DUBAND_WIRE_H
#define DUBAND_WIRE_H

#include "core/step.h"

/* ---- CloudEvents 1.0: the envelope of every record on every topic */

struct header {
    struct slice name, value;
};
const struct header *header_find(const struct header *h, size_t n, const char *name); /* the first; NULL: there is none */

struct cloud_event {
    struct slice id, source, type, content_type; /* type "duban.v1.Fact"; content_type application/protobuf or application/json */
    instant_t time;                              /* INSTANT_NONE: not given */
    struct slice workflow;                       /* the record's key on the topic */
    struct slice data;                           /* an InputEvent in content_type's encoding */
};

struct reasons { /* why something was refused; grows in the arena */
    struct arena *arena;
    struct slice *item;
    size_t n, cap;
};
void reasons_add(struct reasons *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One CloudEvent in the JSON structured format (an object's text). `data` becomes JSON text again, exact. */
bool cloud_event_from_json(struct slice json, struct arena *a, struct cloud_event *out, struct reasons *why);
/* A JSON array of them (the batch format), or one object on each line (JSON lines). Reasons say which: "event 3: …", "line 3: …". */
bool cloud_events_from_json_batch(struct slice json, struct arena *a, struct cloud_event **out, size_t *n, struct reasons *why);
/* Kafka's binary mode: ce_id ce_source ce_specversion ce_type ce_time content-type. */
bool cloud_event_from_headers(const struct header *h, size_t n, struct slice key, struct slice value, struct cloud_event *out,
                              struct reasons *why);
/* The headers of Kafka's binary mode, in a fixed order. */
void cloud_event_to_headers(const struct cloud_event *e, struct arena *a, struct header **h, size_t *n);

/* ---- topics */

enum topic {
    TOPIC_SUBMISSIONS,
    TOPIC_DEADLINES,
    TOPIC_WARNINGS,
    TOPIC_SUPERVISION,
    TOPIC_NOTIFICATIONS,
    TOPIC_REJECTED,
    TOPIC_CHANGELOG,
    TOPIC_HISTORY,
    TOPIC_COUNT
};
extern const char *const topic_names[TOPIC_COUNT]; /* "duban.submissions" … */
bool topic_parse(struct slice name, enum topic *out); /* with or without the "duban." */

/* ---- inputs */

#define WIRE_DATA_MAX ((size_t)1 << 20)        /* bytes of an event's data … */
#define WIRE_DEFINITION_MAX ((size_t)4 << 20)  /* … and of a definition's, or a redrive's, which has an event in it; more is refused */
size_t wire_data_max(struct slice type);

/* Decodes the data and checks the envelope against it (type names the body; workflow equals the key). Fills everything but `received`
 * and `topic`. in->class_ INPUT_OTHER for bodies that the contract has and this version does not act on. A definition's files are read with
 * wire_definition_from_input. */
bool wire_input(const struct cloud_event *e, struct arena *a, struct input *in, struct reasons *why);
/* Which topic a body belongs to; VOICE_EITHER only for facts, whose kind decides (see struct kind). */
enum voice wire_voice(const struct input *in);

struct wire_file {
    struct slice path, content;
};
struct wire_definition {
    struct slice workflow, hash, root;
    struct wire_file *files;
    size_t n;
};
bool wire_definition_from_input(const struct cloud_event *e, struct arena *a, struct wire_definition *out, struct reasons *why);
/* An InputEvent (protobuf) that publishes it. */
struct slice wire_definition_pack(const struct wire_definition *d, struct slice actor, struct slice reason, struct arena *a);
/* An InputEvent (protobuf) of a clock record. */
struct slice wire_clock_pack(struct arena *a);
/* A roster change as the state keeps it: a RosterChange. */
struct slice wire_roster_pack(const struct roster_change *c, struct arena *a);
bool wire_roster_unpack(struct slice bytes, struct arena *a, const struct roster_change **out, struct err *e);

/* What a redrive, of which wire_input was true, holds: the event that is tried again, and the topic by which it is taken. */
struct redriven {
    struct cloud_event event; /* its workflow is e's */
    enum topic topic;
    int partition;
    int64_t offset;
};
bool wire_redriven(const struct cloud_event *e, struct arena *a, struct redriven *out, struct reasons *why);
/* Events of these types are not redriven: they are their senders' to send again. */
bool wire_may_redrive(struct slice type);
#define REDRIVEN_SOURCE "duban/rejected" /* of what had no envelope to read; its id: topic/partition/offset */

/* ---- hashes: BLAKE2b */

/* 16 bytes as 32 hex digits, over the parts with their lengths. */
struct slice wire_id(struct arena *a, const struct slice *part, size_t n);
void wire_digest(unsigned char out[32], const struct slice *part, size_t n);

void wire_sha256(unsigned char out[32], struct slice s); /* where others compute it, too */

/* ---- outputs */

/* A record as it stands, or is about to stand, on a topic. */
struct record {
    enum topic topic;
    int partition;
    int64_t offset;     /* -1: not yet appended */
    instant_t appended; /* receipt time, the log's; INSTANT_NONE before */
    struct slice key, value;
    struct header *header;
    size_t nheaders;
};

/* The outputs of one turn, in order: for each measure its Warning or Supervision, then one Notification for each recipient.
 * Ids are hashes of (workflow, cause, instance, measure, n, recipient); partition is left 0. */
void wire_outputs(const struct program *p, const struct effects *fx, struct arena *a, struct record **out, size_t *n);

/* The dead letter of a refused record: key and value as received, its content-type; an envelope of its own (ce_id …, type duban.v1.Rejected);
 * every reason and where it came from in headers duban_reason, duban_topic, duban_partition, duban_offset, duban_ce_*. e may be NULL. */
struct record wire_rejected(const struct record *from, const struct reasons *why, const struct cloud_event *e, struct arena *a);
/* The dead letter of a timer's turn that was halted: no value, headers duban_reason, duban_task, duban_timer. partition is 0. */
struct record wire_halted(const struct program *p, const struct effects *fx, struct arena *a);

/* One output (or input, or history) record as one JSON object on one line: topic, id, type, then the message's fields; times RFC 3339 UTC. */
struct slice wire_record_json(const struct record *r, struct arena *a);

/* A JSON string: quoted and escaped; what is not UTF-8 becomes U+FFFD. And one that is the base64 (RFC 4648) of bytes. */
void wire_json_text(struct buf *b, struct slice s);
void wire_json_base64(struct buf *b, struct slice s);

/* ---- state */

/* Names, not indices, so that state outlives versions of the definition. decode: NULL with why when it does not fit p. */
struct slice wire_instance_pack(const struct program *p, const struct instance *i, struct arena *a);
struct instance *wire_instance_unpack(const struct program *p, struct slice bytes, struct arena *a, struct err *e);

/* History: one record a turn, chained by hash per workflow. */
struct history_head {
    uint64_t sequence; /* of the last record; 0: none */
    unsigned char hash[32];
};
/* in: the input's record, or NULL for a timer. Advances the head. */
struct slice wire_history_pack(const struct program *p, const struct effects *fx, const struct record *in, const struct record *outputs,
                               size_t noutputs, struct history_head *head, struct arena *a);
/* Checks the chain: recomputes the hash of `bytes` and compares the link with `head`, which it advances. */
bool wire_history_verify(struct slice bytes, struct history_head *head, struct err *e);
/* HistoryChunk, as the history topic has it on Kafka. */
void wire_chunk_add(struct buf *chunk, struct slice record);
/* One after the other, until false; moves *rest behind. A value that is no chunk is one record, and so is what of it cannot be read: whoever
 * reads the record says so. */
bool wire_chunk_next(struct slice *rest, struct slice *record);
struct slice wire_history_json(struct slice bytes, struct arena *a);
/* Where a history record belongs, without reading the rest of it; false: it is none. workflow points into it. */
bool wire_history_place(struct slice record, struct slice *workflow, uint64_t *sequence);
/* The outputs that a history record holds, as they were: topic, key, value, headers; partition is the input's. */
bool wire_history_outputs(struct slice bytes, struct arena *a, struct record **out, size_t *n);

/* ---- what corrections read and write */

/* One turn of history, as far as it can be run again. Points into `bytes`. */
struct history_turn {
    uint64_t sequence;
    instant_t now;
    enum verdict verdict;
    struct slice source, id, type; /* of the input; empty for a timer, or when its envelope could not be read */
    struct record input;           /* key, value and envelope; value.p NULL: there was none */
    struct excused {
        struct slice machine, key[KEY_PARTS_MAX], grounds;
        size_t nkey;
    } *excused; /* by this turn */
    size_t nexcused;
};
bool wire_history_turn(struct slice bytes, struct arena *a, struct history_turn *out, struct err *e);
/* The proposals that it made, packed. */
bool wire_history_proposals(struct slice bytes, struct arena *a, struct slice **out, size_t *n);

/* What any Warning, Supervision or Notification says of the measure that it stands for. */
struct measure_view {
    struct slice id, measure_id, withdraws, measure, title, unit, task, recipient;
    struct cause cause;    /* not how often its timer had been armed */
    instant_t valid_until; /* INSTANT_NONE */
    bool reminder;
    bool first; /* of a measure's records: its Warning or Supervision, else the notification of its first recipient */
};
bool wire_measure_view(const struct record *r, struct arena *a, struct measure_view *out);
/* What became of a measure that was taken back. */
struct withdrawn_view {
    struct slice measure, notice, reason; /* ids of both; reason: empty, there is none */
    date_t date;
};
/* The document that goes with a measure, as its page shows it; false: there is none, or another record tells of it. */
struct document_view {
    struct slice id, title, number, issuer, main; /* main: see DocumentText of output.proto */
    struct slice *to, *copy;                      /* titles */
    size_t nto, ncopy;
    struct slice *attachment;
    size_t nattachments;
    date_t date;
    bool first; /* as in measure_view */
    struct withdrawn_view withdrawn; /* notice empty: it holds; a later record says otherwise */
};
bool wire_document(const struct record *r, struct arena *a, struct document_view *out);
bool wire_has_document(const struct record *r); /* the same question, cheaply */
/* What a withdrawal says; false: it is none. */
bool wire_withdrawn(const struct record *r, struct arena *a, struct withdrawn_view *out);
bool wire_is_withdrawal(const struct record *r); /* the same question, cheaply */
/* What makes a measure the same in two runs: cause, instance, measure and unit. Not how often a timer had been armed: that
 * counts what else happened to its instance. */
struct measure_key {
    unsigned char byte[16];
};
struct measure_key wire_measure_key(const struct cause *c, struct slice task, struct slice measure, struct slice unit);

/* A measure that is proposed (fx->issued, how = ISSUE_PROPOSED), as stored. Its id: is->id, or the one that it would go out under. */
struct slice wire_proposal_pack(const struct program *p, const struct effects *fx, const struct issued *is, struct arena *a);
struct proposal {
    struct proposed what;
    struct measure_view view;
    struct slice measure; /* packed */
};
/* False with e when it does not fit p. */
bool wire_proposal_read(const struct program *p, struct slice bytes, struct arena *a, struct proposal *out, struct err *e);
/* What goes out when it is issued: `is` is step_issue's. */
void wire_proposal_outputs(const struct program *p, const struct proposal *m, const struct issued *is, struct arena *a,
                           struct record **out, size_t *n);
struct slice wire_proposal_json(struct slice bytes, struct arena *a);

/* The withdrawal of a measure: to everybody who had it. from: the outputs of the turn that issued it. */
struct withdrawal {
    struct slice source, id, reason; /* of the correction */
    instant_t now;
};
void wire_withdraw(const struct program *p, const struct record *from, size_t nfrom, const struct measure_key *key,
                   const struct withdrawal *w, struct arena *a, struct record **out, size_t *n);

/* The event that a Supersede (in->replacement) puts in the place of the record (source, id). */
bool wire_replacement(const struct input *in, struct slice source, struct slice id, struct arena *a, struct cloud_event *out,
                      struct reasons *why);

/* The embedded log's stored form of a record. */
struct slice wire_log_pack(const struct record *r, struct arena *a);
bool wire_log_unpack(struct slice bytes, struct arena *a, struct record *out, struct err *e);

/* Ids that were seen, many in one changelog record. */
struct seen_entry {
    struct slice key, value; /* of the store's entry; the key behind its month */
};
void wire_seen_add(struct buf *chunk, struct seen_entry entry);
bool wire_seen_unpack(struct slice chunk, struct arena *a, struct seen_entry **out, size_t *n, struct err *e);

/* A changelog marker ends a batch. */
struct marker {
    uint64_t batch;
    int64_t input_next[2];  /* submissions, deadlines */
    int64_t history_next;   /* on the history topic's partition */
    instant_t clock_target;
    struct slice owner_url;
    uint32_t partitions;   /* of the topics; 0: not known */
    struct slice moved_to; /* empty, or where all of this goes on: here it does not */
};
struct slice wire_marker_pack(const struct marker *m, struct arena *a);
bool wire_marker_unpack(struct slice bytes, struct arena *a, struct marker *out, struct err *e);

#endif
