/* Keys of the store's tables. Names and key parts hold no control characters, so a NUL ends each of them and
 * byte order is the order of the tuples. Integers are big-endian, signed ones with the sign bit flipped. LMDB
 * takes 511 bytes: a name budget is checked when a definition is published, key parts by the core.
 *
 *   TABLE_DEFINITION  workflow                                             → InputEvent that published it
 *   TABLE_INSTANCE    workflow 0 machine 0 part 0 …                        → state.proto
 *   TABLE_NUMBER      workflow 0 series 0 year:u32                         → last:u64
 *                     workflow 0 0 roster 0 n:u32                          → RosterChange, in the order taken
 *                     workflow 0 0                                         → the workflow's own numbers: see
 *                                                                            struct flow
 *   TABLE_SEEN_CHUNK  month:u32 batch:u64 part:u32                         → "", in the changelog SeenChunk
 *   TABLE_SEEN        month:u32 workflow 0 source 0 id                     → digest:16 sequence:u64 and, of what
 *                     or, of a long one, month:u32 workflow 0 1 hash:16      was rejected, the reasons
 *   TABLE_TIMER       workflow 0 due:s64 machine 0 part 0 … timer 0 n:u32  → "": the timer is due then, or was once
 *   TABLE_HISTORY     workflow 0 sequence:u64                              → HistoryRecord
 *   TABLE_MEASURE     workflow 0 sequence:u64 output:u32                   → ""
 *   TABLE_DOCUMENT    workflow 0 id                                        → sequence:u64 output:u64
 *   TABLE_WITHDRAWN   workflow 0 id                                        → sequence:u64 output:u64
 *   TABLE_PROPOSAL    workflow 0 id                                        → Proposal
 *   TABLE_META        a name
 */
#ifndef DUBAND_ENGINE_KEYS_H
#define DUBAND_ENGINE_KEYS_H

#include "core/program.h"
#include "store/store.h"

#define KEY_MAX 511
/* What workflow, machine and timer names may need together, so that the longest timer key fits: 511 - 400 for
 * the parts and their NULs, 3 NULs, due and n. */
#define KEY_NAMES_MAX (KEY_MAX - KEY_BYTES_MAX - KEY_PARTS_MAX - 3 - 8 - 4)

struct key {
    size_t n;
    bool overflow; /* longer than KEY_MAX: what is in `byte` is no key */
    char byte[KEY_MAX];
};

static inline struct slice key_slice(const struct key *k)
{
    return (struct slice){k->byte, k->n};
}

void key_start(struct key *k);
void key_name(struct key *k, struct slice name); /* and its NUL */
void key_bytes(struct key *k, struct slice bytes);
void key_u32(struct key *k, uint32_t v);

void key_workflow(struct key *k, struct slice workflow); /* the prefix of all that is a workflow's */
/* nparts may be less than the machine's: a prefix. */
void key_instance(struct key *k, struct slice workflow, struct slice machine, const struct slice *part,
                  size_t nparts);
void key_number(struct key *k, struct slice workflow, struct slice series, int year);
void key_flow(struct key *k, struct slice workflow);
void key_roster(struct key *k, struct slice workflow, uint32_t n);
/* A key of TABLE_NUMBER that key_roster made. */
bool key_is_roster(struct slice key, struct slice *workflow);
void key_month(struct key *k, int32_t month); /* the prefix of all that was received in it */
void key_seen(struct key *k, int32_t month, struct slice workflow, struct slice id);
void key_seen_chunk(struct key *k, int32_t month, uint64_t batch, uint32_t part);
void key_timer(struct key *k, struct slice workflow, instant_t due, struct slice machine,
               const struct slice *part, size_t nparts, struct slice timer, int n);
void key_timers_from(struct key *k, struct slice workflow,
                     instant_t due); /* where timers of that instant begin */
void key_history(struct key *k, struct slice workflow, uint64_t sequence);
void key_proposal(struct key *k, struct slice workflow, struct slice id);
void key_document(struct key *k, struct slice workflow, struct slice id);
void key_measure(struct key *k, struct slice workflow, uint64_t sequence, uint32_t output);

/* The parts of a key found in a table; slices point into it. False: no such key. */
struct timer_key {
    struct slice workflow, instance /* machine 0 part 0 … */, timer;
    instant_t due;
    int n;
};
bool key_timer_parse(struct slice key, struct timer_key *out);
struct instance_key {
    struct slice workflow, machine, part[KEY_PARTS_MAX];
    size_t nparts;
};
bool key_instance_parse(struct slice key, struct instance_key *out);
/* workflow 0 sequence …: of history and measures. */
bool key_sequence_parse(struct slice key, struct slice *workflow, uint64_t *sequence, struct slice *rest);
bool key_month_parse(struct slice key, int32_t *month, struct slice *rest);
bool key_seen_parse(struct slice key, int32_t *month, struct slice *workflow);
bool key_seen_chunk_parse(struct slice key, int32_t *month);

/* The name up to the next NUL; moves *rest behind it. False when there is none. */
bool key_take_name(struct slice *rest, struct slice *name);
bool key_has_prefix(struct slice key, struct slice prefix);

/* Names in TABLE_META. */
#define META_POSITIONS S("positions") /* s64 of the next offset wanted of each input topic */
#define META_CLOCK S("clock")         /* s64: the clock's target */
#define META_BATCH S("batch")         /* u64: the last batch committed */
#define META_OWNER S("owner")         /* URL of the node that committed the last batch */
#define META_REINDEX "reindex/" /* and a workflow: its timers must be derived from its instances again */

#endif
