/* HistoryChunk: history records behind each other, as they are. */
#include "wire/proto.h"

#include "duban/v1/fields.h"

#define TAG (FIELD_HISTORY_CHUNK__RECORDS << 3 | WIRE_LENGTH)

static void add_varint(struct buf *out, uint64_t v)
{
    for (; v > 127; v >>= 7)
        buf_byte(out, (unsigned char)(v | 128));
    buf_byte(out, (unsigned char)v);
}

void wire_chunk_add(struct buf *chunk, struct slice record)
{
    add_varint(chunk, TAG);
    add_varint(chunk, record.n);
    buf_add(chunk, record);
}

bool wire_chunk_next(struct slice *rest, struct slice *record)
{
    struct slice at = *rest;
    uint64_t tag, n;
    *record = at;
    if (at.n == 0)
        return false;
    if (proto_take_varint(&at, &tag) && tag == TAG && proto_take_varint(&at, &n) && n <= at.n) {
        *record = (struct slice){at.p, (size_t)n};
        *rest = (struct slice){at.p + n, at.n - (size_t)n};
    } else {
        rest->n = 0;
    }
    return true;
}
