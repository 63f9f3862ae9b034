/* Documents: the page of one, laid out by GB/T 9704-2012, and where those that went out are. */
#ifndef DUBAND_DOCUMENT_H
#define DUBAND_DOCUMENT_H

#include "store/store.h"
#include "wire/wire.h"

/* One HTML page that prints on A4: no script, and nothing from outside. With `withdrawn` it is marked so; without, it is as it was
 * issued. */
struct slice document_page(const struct document_view *d, struct arena *a);
/* The Content-Security-Policy under which it shows as it should, and does nothing else. */
struct slice document_policy(struct arena *a);

/* The document of the measure with this id, and whether it was withdrawn. */
bool document_find(struct store_txn *t, struct slice workflow, struct slice id, struct arena *a, struct document_view *out,
                   bool *found, struct err *e);

#endif
