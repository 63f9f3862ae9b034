/* A record, or a timer, that no turn can take: kept aside for people, with all that it takes to run it again: the definitions, the
 * workflows' numbers, and the instances that its turn reads, as they were before it. To know which those are it is tried once more. */
#include "engine/worker_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "engine/keys.h"
#include "engine/row.h"

#define READS_MAX 1000 /* instances that are kept */

static void write_hex(struct buf *b, const char *name, struct slice bytes)
{
    struct buf hex = {0};

    for (size_t i = 0; i < bytes.n; i++)
        buf_printf(&hex, "%02x", (unsigned char)bytes.p[i]);
    row_text(b, name, buf_slice(&hex));
    buf_free(&hex);
}

static void write_record(struct buf *b, const struct record *r)
{
    row_text(b, "topic", slice_of(topic_names[r->topic]));
    row_number(b, "partition", r->partition);
    row_number(b, "offset", r->offset);
    row_instant(b, "appended", r->appended);
    write_hex(b, "key_hex", r->key);
    row_open(b, "headers", '[');
    for (size_t i = 0; i < r->nheaders; i++) {
        row_open(b, NULL, '{');
        write_hex(b, "name_hex", r->header[i].name);
        write_hex(b, "value_hex", r->header[i].value);
        row_close(b, '}');
    }
    row_close(b, ']');
    write_hex(b, "value_hex", r->value);
}

/* ---- the state that its turn reads */

struct reads {
    struct arena *arena;
    struct slice *key;
    size_t n, cap;
    bool more;
};

static void note_read(void *ctx, struct slice key)
{
    struct reads *reads = ctx;

    for (size_t i = 0; i < reads->n && !reads->more; i++)
        if (slice_eq(reads->key[i], key))
            return;
    reads->more |= reads->n == READS_MAX;
    if (!reads->more)
        *(struct slice *)arena_push(reads->arena, &reads->key, &reads->n, &reads->cap, sizeof *reads->key) =
            arena_dup(reads->arena, key);
}

/* Once more, for nobody but the reader: its transaction comes to nothing, and nothing is emitted. */
static void try_again(struct partition *p, const struct record *r, struct reads *reads)
{
    const struct engine_reader reader = {reads, note_read};
    enum bus_status was = p->bus_status;
    struct outcome out;
    struct err why;
    size_t fired;
    struct store_txn *t = store_begin(p->store, true, &why);

    if (t == NULL)
        return;
    p->bus_status = BUS_FAILED;
    engine_tell_reads(p->engine, &reader);
    if (r != NULL)
        engine_apply(p->engine, t, r, reads->arena, &out, &why);
    else
        engine_drain(p->engine, t, p->slice, &fired, &why);
    engine_tell_reads(p->engine, NULL);
    store_abort(t);
    engine_forget(p->engine, &why);
    p->bus_status = was;
}

static void write_entry(struct buf *b, const char *table, struct slice key, struct slice value)
{
    row_open(b, NULL, '{');
    row_text(b, "table", slice_of(table));
    write_hex(b, "key_hex", key);
    buf_add(b, S(",\"value_base64\":"));
    wire_json_base64(b, value);
    row_close(b, '}');
}

static void write_prefix(struct buf *b, struct store_txn *t, enum table_id table, const char *name, const struct key *prefix)
{
    struct store_iter *i = store_iter_new(t, table);
    struct slice key, value;

    for (bool more = store_iter_seek(i, key_slice(prefix), &key, &value); more && key_has_prefix(key, key_slice(prefix));
         more = store_iter_next(i, &key, &value))
        write_entry(b, name, key, value);
    store_iter_free(i);
}

static void write_workflow(struct buf *b, struct store_txn *t, const struct program *program)
{
    struct slice stored;
    struct key prefix;

    row_open(b, NULL, '{');
    row_text(b, "workflow", program->id);
    row_text(b, "hash", program->hash);
    if (store_get(t, TABLE_DEFINITION, program->id, &stored) == STORE_OK) {
        buf_add(b, S(",\"definition_base64\":"));
        wire_json_base64(b, stored);
    }
    key_workflow(&prefix, program->id);
    row_open(b, "numbers", '[');
    write_prefix(b, t, TABLE_NUMBER, "number", &prefix);
    row_close(b, ']');
    row_close(b, '}');
}

static bool is_read(const struct reads *reads, struct slice workflow)
{
    struct key prefix;

    key_workflow(&prefix, workflow);
    for (size_t i = 0; i < reads->n; i++)
        if (key_has_prefix(reads->key[i], key_slice(&prefix)))
            return true;
    return false;
}

static void write_state(struct buf *b, struct partition *p, const struct record *r)
{
    struct reads reads = {.arena = arena_new()};
    const struct program *program[DEFINITIONS_MAX];
    int64_t next[2];
    struct err why;
    struct slice value;

    try_again(p, r, &reads);
    engine_positions(p->engine, next);
    row_number(b, "batch", (int64_t)p->batch);
    row_number(b, "submissions_next", next[0]);
    row_number(b, "deadlines_next", next[1]);
    row_instant(b, "clock_target", engine_clock_target(p->engine));
    struct store_txn *t = store_begin(p->store, false, &why);
    size_t n = t != NULL ? engine_programs(p->engine, program, DEFINITIONS_MAX) : 0;
    row_open(b, "workflows", '[');
    for (size_t i = 0; i < n && i < DEFINITIONS_MAX; i++)
        if (is_read(&reads, program[i]->id) || (r != NULL && slice_eq(r->key, program[i]->id)))
            write_workflow(b, t, program[i]);
    row_close(b, ']');
    row_open(b, "instances", '[');
    for (size_t i = 0; t != NULL && i < reads.n; i++)
        if (store_get(t, TABLE_INSTANCE, reads.key[i], &value) == STORE_OK)
            write_entry(b, "instance", reads.key[i], value);
    row_close(b, ']');
    row_yesno(b, "more_instances", reads.more);
    store_abort(t);
    arena_free(reads.arena);
}

/* ---- the file */

static bool write_file(const char *path, struct slice content)
{
    FILE *f = fopen(path, "w");

    if (f == NULL)
        return false;
    bool ok = fwrite(content.p, 1, content.n, f) == content.n;
    return fclose(f) == 0 && ok;
}

void partition_poison(struct partition *p, const struct record *r, const char *why)
{
    struct buf b = {0}, path = {0};

    row_open(&b, NULL, '{');
    row_text(&b, "reason", slice_of(why));
    if (r != NULL)
        write_record(&b, r);
    write_state(&b, p, r);
    row_close(&b, '}');
    buf_byte(&b, '\n');
    buf_printf(&path, "%s/partition-%d/poison-", p->registry->data, p->id);
    if (r != NULL)
        buf_printf(&path, "%s-%" PRId64 ".json", topic_names[r->topic], r->offset);
    else
        buf_printf(&path, "timer.json");
    buf_byte(&path, 0);

    bool written = write_file(path.p, buf_slice(&b));
    if (r != NULL)
        log_error("partition %d: %s offset %" PRId64 " cannot be taken, the partition stops before it: %s",
                  p->id, topic_names[r->topic], r->offset, why);
    else
        log_error("partition %d: a timer cannot be fired, the partition stops before it: %s", p->id, why);
    if (written)
        log_error("partition %d: it is kept in %s", p->id, path.p);
    else
        log_error("partition %d: %s cannot be written: %s", p->id, path.p, strerror(errno));
    buf_free(&b);
    buf_free(&path);
}
