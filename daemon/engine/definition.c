#include "engine/definition.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/roster.h"
#include "engine/flow.h"

#define DIAGNOSTICS_MAX 50 /* reasons of one refusal */

struct definition {
    struct definition *next;
    unsigned refs;
    struct arena *arena;
    struct slice workflow, stored;
    struct definition *base; /* with another roster; NULL: as it was published */
    struct slice roster;     /* the changes, packed; empty: none */
    struct bundle bundle;
    struct program *program;
};

/* All that are held now. Compiling one takes tens of milliseconds, looking it up a comparison of its bytes.
 */
static struct definition *held;
static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;

static struct slice hash_of(struct slice root, const struct wire_file *files, size_t n, struct arena *a)
{
    struct slice *part = ARENA_ARRAY(a, struct slice, 1 + 2 * n);
    unsigned char digest[32];

    part[0] = root;
    for (size_t i = 0; i < n; i++) {
        part[1 + 2 * i] = files[i].path;
        part[2 + 2 * i] = files[i].content;
    }
    wire_digest(digest, part, 1 + 2 * n);
    return arena_hex(a, digest, sizeof digest);
}

static struct wire_file *files_of(const struct bundle *b, struct arena *a)
{
    struct wire_file *files = ARENA_ARRAY(a, struct wire_file, b->n);

    for (size_t i = 0; i < b->n; i++)
        files[i] = (struct wire_file){b->files[i].path, b->files[i].content};
    return files;
}

struct slice definition_hash(const struct bundle *b, struct arena *a)
{
    return hash_of(b->root, files_of(b, a), b->n, a);
}

void definition_event(const struct bundle *b, struct slice workflow, struct slice actor, struct slice reason,
                      unsigned nth, instant_t time, struct arena *a, struct cloud_event *out)
{
    struct wire_definition d = {.workflow = workflow, .root = b->root, .files = files_of(b, a), .n = b->n};

    d.hash = hash_of(d.root, d.files, d.n, a);
    *out = (struct cloud_event){.source = S("duband"),
                                .type = S("duban.v1.Definition"),
                                .content_type = S("application/protobuf"),
                                .time = time,
                                .workflow = workflow,
                                .data = wire_definition_pack(&d, actor, reason, a)};
    out->id = nth < 2 ? arena_printf(a, "%.*s-%.*s", SLICE_ARG(workflow), SLICE_ARG(d.hash))
                      : arena_printf(a, "%.*s-%.*s-%u", SLICE_ARG(workflow), SLICE_ARG(d.hash), nth);
}

instant_t definition_start(const struct program *p, instant_t otherwise)
{
    return p->effective.from == DATE_NONE ? otherwise : tz_instant(p->tz, p->effective.from, 0);
}

/* ---- the names that keys are made of */

static void check_names(const struct program *p, struct reasons *why)
{
    for (size_t m = 0; m < p->nmachines; m++) {
        const struct machine *machine = &p->machines[m];
        size_t longest = 0;

        for (size_t i = 0; i < machine->ntimers; i++)
            if (machine->timers[i].name.n > longest)
                longest = machine->timers[i].name.n;
        if (p->id.n + machine->name.n + longest > KEY_NAMES_MAX)
            reasons_add(why,
                        "machine %.*s: its name, its longest timer's and the workflow's id take %zu bytes "
                        "together, at most %d are possible",
                        SLICE_ARG(machine->name), p->id.n + machine->name.n + longest, (int)KEY_NAMES_MAX);
    }
}

static void diagnostics_to_reasons(const struct diags *diags, struct reasons *why)
{
    size_t said = 0;

    for (size_t i = 0; i < diags->n; i++) {
        const struct diag *d = &diags->item[i];

        if (d->severity != SEVERITY_ERROR)
            continue;
        if (said++ == DIAGNOSTICS_MAX) {
            reasons_add(why, "and %zu more errors", diags->errors - DIAGNOSTICS_MAX);
            return;
        }
        reasons_add(why, "%.*s:%d:%d: error %s: %.*s%s%.*s", SLICE_ARG(d->file), d->line, d->column, d->code,
                    SLICE_ARG(d->message), d->expected.n > 0 ? "; expected: " : "", SLICE_ARG(d->expected));
    }
}

/* ---- compiling */

static void definition_free(struct definition *d)
{
    definition_release(d->base);
    arena_free(d->arena);
    free(d);
}

static void copy_files(struct definition *d, const struct wire_definition *from)
{
    d->bundle.root = arena_dup(d->arena, from->root);
    d->bundle.files = ARENA_ARRAY(d->arena, struct bundle_file, from->n);
    d->bundle.n = from->n;
    for (size_t i = 0; i < from->n; i++) {
        struct slice path = arena_dup(d->arena, from->files[i].path);

        d->bundle.files[i] = (struct bundle_file){path, path, arena_dup(d->arena, from->files[i].content)};
    }
}

static struct definition *definition_build(const struct wire_definition *from, struct slice stored,
                                           struct reasons *why)
{
    struct definition *d = mem_alloc(sizeof *d);
    size_t before = why->n;

    d->refs = 1;
    d->arena = arena_new();
    d->workflow = arena_dup(d->arena, from->workflow);
    d->stored = arena_dup(d->arena, stored);
    copy_files(d, from);

    struct slice hash = hash_of(d->bundle.root, from->files, from->n, d->arena);
    if (from->hash.n > 0 && !slice_eq(hash, from->hash)) {
        reasons_add(why, "the definition's hash is %.*s, its files have %.*s", SLICE_ARG(from->hash),
                    SLICE_ARG(hash));
    } else {
        struct diags diags = {.arena = d->arena}; /* texts that were escaped are there, and the program keeps them */

        d->program = lang_compile(&d->bundle, d->arena, &diags);
        if (d->program == NULL)
            diagnostics_to_reasons(&diags, why);
    }
    if (d->program != NULL) {
        d->program->hash = hash;
        if (!slice_eq(d->program->id, from->workflow))
            reasons_add(why, "the definition says `workflow: %.*s`, the event names %.*s",
                        SLICE_ARG(d->program->id), SLICE_ARG(from->workflow));
        check_names(d->program, why);
    } else if (why->n == before) {
        reasons_add(why, "the definition does not compile");
    }
    if (why->n == before)
        return d;
    definition_free(d);
    return NULL;
}

/* ---- sharing */

static struct definition *held_find(struct slice workflow, struct slice stored, struct slice roster)
{
    for (struct definition *d = held; d != NULL; d = d->next)
        if (slice_eq(d->workflow, workflow) && slice_eq(d->roster, roster) && slice_eq(d->stored, stored)) {
            d->refs++;
            return d;
        }
    return NULL;
}

/* Takes the new one among those held; or, where another thread was as quick, gives that one. */
static struct definition *held_add(struct definition *d)
{
    pthread_mutex_lock(&held_lock);
    struct definition *same = held_find(d->workflow, d->stored, d->roster);
    if (same == NULL) {
        d->next = held;
        held = d;
    }
    pthread_mutex_unlock(&held_lock);
    if (same == NULL)
        return d;
    definition_free(d);
    return same;
}

static struct definition *held_look(struct slice workflow, struct slice stored, struct slice roster)
{
    pthread_mutex_lock(&held_lock);
    struct definition *d = held_find(workflow, stored, roster);
    pthread_mutex_unlock(&held_lock);
    return d;
}

static struct definition *definition_take(const struct wire_definition *from, struct slice stored,
                                          struct reasons *why)
{
    struct definition *d = held_look(from->workflow, stored, S(""));

    if (d == NULL)
        d = definition_build(from, stored, why);
    else
        return d;
    return d != NULL ? held_add(d) : NULL;
}

static struct definition *definition_published(struct slice workflow, struct slice stored, struct err *e)
{
    struct definition *d = held_look(workflow, stored, S(""));

    if (d != NULL)
        return d;

    struct arena *a = arena_new();
    struct reasons why = {.arena = a};
    struct wire_definition from;
    const struct cloud_event event = {.id = S("stored"),
                                      .source = S("duband"),
                                      .type = S("duban.v1.Definition"),
                                      .content_type = S("application/protobuf"),
                                      .time = INSTANT_NONE,
                                      .workflow = workflow,
                                      .data = stored};

    if (wire_definition_from_input(&event, a, &from, &why))
        d = definition_take(&from, stored, &why);
    if (d == NULL)
        err_set(e, "the stored definition of workflow %.*s cannot be run by this version: %.*s",
                SLICE_ARG(workflow), SLICE_ARG(why.n > 0 ? why.item[0] : S("unreadable")));
    arena_free(a);
    return d;
}

/* ---- with another roster */

static struct slice roster_join(const struct slice *kept, size_t n, struct arena *a)
{
    struct buf b = {0};

    for (size_t i = 0; i < n; i++) {
        buf_printf(&b, "%zu:", kept[i].n);
        buf_add(&b, kept[i]);
    }
    struct slice all = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return all;
}

static struct definition *roster_build(struct definition *base, struct slice roster, const struct slice *kept,
                                       size_t n, struct err *e)
{
    struct definition *d = mem_alloc(sizeof *d);

    *d = (struct definition){.refs = 1, .arena = arena_new(), .base = base, .bundle = base->bundle};
    d->workflow = base->workflow;
    d->stored = base->stored;
    d->roster = arena_dup(d->arena, roster);
    const struct roster_change **change = ARENA_ARRAY(d->arena, const struct roster_change *, n);
    for (size_t i = 0; i < n; i++)
        if (!wire_roster_unpack(kept[i], d->arena, &change[i], e)) {
            definition_free(d);
            return NULL;
        }
    d->program = program_with_roster(base->program, change, n, d->arena);
    return d;
}

struct definition *definition_load(struct store_txn *t, struct slice workflow, struct slice stored, struct err *e)
{
    struct definition *base = definition_published(workflow, stored, e);
    struct arena *a = arena_new();
    struct slice *kept;
    size_t n = base != NULL ? roster_read(t, workflow, a, &kept) : 0;

    if (n > 0) {
        struct slice roster = roster_join(kept, n, a);
        struct definition *same = held_look(workflow, stored, roster);

        if (same != NULL) {
            definition_release(base);
            base = same;
        } else {
            base = roster_build(base, roster, kept, n, e);
            base = base != NULL ? held_add(base) : NULL;
        }
    }
    arena_free(a);
    return base;
}

struct definition *definition_compile(const struct wire_definition *from, struct slice actor,
                                      struct slice reason, struct reasons *why)
{
    struct arena *a = arena_new();
    struct wire_definition named = *from;

    named.hash = from->hash.n > 0 ? from->hash : hash_of(from->root, from->files, from->n, a);
    struct definition *d = definition_take(&named, wire_definition_pack(&named, actor, reason, a), why);
    arena_free(a);
    return d;
}

struct definition *definition_hold(struct definition *d)
{
    pthread_mutex_lock(&held_lock);
    d->refs++;
    pthread_mutex_unlock(&held_lock);
    return d;
}

void definition_release(struct definition *d)
{
    if (d == NULL)
        return;
    pthread_mutex_lock(&held_lock);
    bool last = --d->refs == 0;
    if (last) {
        struct definition **at = &held;

        while (*at != d)
            at = &(*at)->next;
        *at = d->next;
    }
    pthread_mutex_unlock(&held_lock);
    if (last)
        definition_free(d);
}

const struct program *definition_program(const struct definition *d)
{
    return d->program;
}

struct slice definition_stored(const struct definition *d)
{
    return d->stored;
}
