#include "wire/layout.h"
#include "wire/rules.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* By the descriptor's address. There is room for many more than all contracts together have. */
#define SLOTS 1024

static _Atomic(struct layout *) slots[SLOTS];

static const char *const names[] = {
    [LAYOUT_OBLIGATION] = "obligation",
    [LAYOUT_UNIT] = "unit",
    [LAYOUT_ABOUT] = "about",
    [LAYOUT_PERIOD] = "period",
    [LAYOUT_KIND] = "kind",
    [LAYOUT_REPORTER] = "reporter",
    [LAYOUT_RANKING] = "ranking",
    [LAYOUT_GROUNDS] = "grounds",
    [LAYOUT_UNTIL] = "until",
    [LAYOUT_FIELDS] = "fields",
    [LAYOUT_ATTACHMENTS] = "attachments",
    [LAYOUT_SELECT] = "select",
};

/* What is being made: messages may hold themselves (Struct does): a layout is known before its fields are. */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
static struct layout *made[SLOTS];
static size_t nmade;

/* Its slot, or the empty one where it belongs. */
static _Atomic(struct layout *) *slot_of(const ProtobufCMessageDescriptor *d)
{
    size_t at = (size_t)((uintptr_t)d >> 4) % SLOTS;
    for (struct layout *l; (l = atomic_load_explicit(&slots[at], memory_order_acquire)) && l->d != d;)
        at = (at + 1) % SLOTS;
    return &slots[at];
}

static struct layout *make(const ProtobufCMessageDescriptor *d);

static uint64_t bit_of(const ProtobufCFieldDescriptor *f)
{
    return f->label == PROTOBUF_C_LABEL_REPEATED ? 0 : UINT64_C(1) << f->id;
}

static uint64_t once_of(const ProtobufCMessageDescriptor *d, const ProtobufCFieldDescriptor *f)
{
    uint64_t once = bit_of(f);
    for (unsigned i = 0; f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF && i < d->n_fields; i++) {
        const ProtobufCFieldDescriptor *g = &d->fields[i];
        if (g->flags & PROTOBUF_C_FIELD_FLAG_ONEOF && g->quantifier_offset == f->quantifier_offset)
            once |= bit_of(g);
    }
    return once;
}

static struct layout_field field_of(const ProtobufCMessageDescriptor *d, const ProtobufCFieldDescriptor *f)
{
    if (f->id >= LAYOUT_NUMBERS)
        abort(); /* a contract was changed: see LAYOUT_NUMBERS */
    return (struct layout_field){.f = f,
                                 .message = f->type == PROTOBUF_C_TYPE_MESSAGE ? make(f->descriptor) : NULL,
                                 .offset = f->offset,
                                 .quantifier = f->quantifier_offset,
                                 .type = (uint8_t)f->type,
                                 .wire = proto_wires[f->type],
                                 .size = proto_sizes[f->type],
                                 .number = (uint8_t)f->id,
                                 .list = f->label == PROTOBUF_C_LABEL_REPEATED,
                                 .oneof = (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0,
                                 .bit = bit_of(f),
                                 .once = once_of(d, f)};
}

static struct layout *find(const ProtobufCMessageDescriptor *d)
{
    struct layout *l = atomic_load_explicit(slot_of(d), memory_order_acquire);
    for (size_t i = 0; !l && i < nmade; i++)
        if (made[i]->d == d)
            l = made[i];
    return l;
}

static bool is_part(const struct layout *l, const struct layout_field *f)
{
    for (unsigned i = 0; i < l->parts; i++)
        if (l->part[i]->once & f->bit)
            return false;
    return f->message && !f->message->google;
}

static void add_field(struct layout *l, struct layout_field *field, const ProtobufCFieldDescriptor *f)
{
    *field = field_of(l->d, f);
    l->by_number[field->number] = field;
    if (field->number < LAYOUT_TAGS >> 3)
        l->by_tag[field->number << 3 | field->wire] = field;
    if (is_part(l, field))
        l->part[l->parts++] = field;
}

static struct layout *make(const ProtobufCMessageDescriptor *d)
{
    struct layout *l = find(d);
    if (l)
        return l;
    l = made[nmade++] = mem_alloc(sizeof *l + d->n_fields * sizeof *l->field);
    *l = (struct layout){
        .d = d, .rules = rules_of(d), .google = strcmp(d->package_name, "google.protobuf") == 0};
    for (unsigned i = 0; i < d->n_fields; i++)
        add_field(l, &l->field[i], &d->fields[i]);
    for (size_t i = 0; i < LAYOUT_NAMES; i++)
        l->by_name[i] = protobuf_c_message_descriptor_get_field_by_name(d, names[i]);
    return l;
}

/* Nobody sees one before all that it holds is there. */
static void publish(void)
{
    while (nmade > 0) {
        struct layout *l = made[--nmade];
        atomic_store_explicit(slot_of(l->d), l, memory_order_release);
    }
}

const struct layout *layout_of(const ProtobufCMessageDescriptor *d)
{
    struct layout *l = atomic_load_explicit(slot_of(d), memory_order_acquire);
    if (l)
        return l;
    pthread_mutex_lock(&making);
    l = make(d);
    publish();
    pthread_mutex_unlock(&making);
    return l;
}
