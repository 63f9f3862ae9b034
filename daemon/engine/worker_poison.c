/* A record, or a timer, that no turn can take: kept aside for people, with everything that is known about it.
 */
#include "engine/worker_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "engine/row.h"

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
    row_close(&b, '}');
    buf_byte(&b, '\n');
    buf_printf(&path, "%s/partition-%d/poison-", p->worker->data, p->id);
    if (r != NULL)
        buf_printf(&path, "%" PRId64 ".json", r->offset);
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
