/* Definitions, compiled. What is published is a closure of files; here it becomes a program that any thread
 * may use: immutable, counted, and shared by all who hold the same bytes (the engine, readers, the check
 * before an append). */
#ifndef DUBAND_ENGINE_DEFINITION_H
#define DUBAND_ENGINE_DEFINITION_H

#include "lang/lang.h"
#include "store/store.h"
#include "wire/wire.h"

struct definition;

/* Hex, over the root and every path and content: what identifies a closure. */
struct slice definition_hash(const struct bundle *b, struct arena *a);

/* The event that publishes the bundle: an InputEvent of source `duband`, its id made of workflow, hash and,
 * from the second time on, `nth`. time: INSTANT_NONE: none. */
void definition_event(const struct bundle *b, struct slice workflow, struct slice actor, struct slice reason,
                      unsigned nth, instant_t time, struct arena *a, struct cloud_event *out);
/* When a program that starts fresh is published in a run by event time: the start of its effective span;
 * `otherwise` if it has none. */
instant_t definition_start(const struct program *p, instant_t otherwise);

/* As stored in TABLE_DEFINITION: an InputEvent; with the changes of its roster that are kept beside it. NULL and e when this version cannot
 * run it. */
struct definition *definition_load(struct store_txn *t, struct slice workflow, struct slice stored, struct err *e);
/* As received: checks everything, all reasons at once. */
struct definition *definition_compile(const struct wire_definition *d, struct slice actor,
                                      struct slice reason, struct reasons *why);

struct definition *definition_hold(struct definition *d);
void definition_release(struct definition *d); /* NULL is fine */

const struct program *definition_program(const struct definition *d);
struct slice definition_stored(const struct definition *d);

struct engine;
/* Those in force in an engine, each held for the caller. Returns how many there are. */
size_t engine_definitions(const struct engine *e, struct definition **held, size_t max);

#endif
