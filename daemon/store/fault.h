/* The one seam through which tests make the store fail. NULL outside tests. */
#ifndef DUBAND_STORE_FAULT_H
#define DUBAND_STORE_FAULT_H

#include "store/store.h"

enum store_fault_point { STORE_FAULT_PUT, STORE_FAULT_COMMIT };

/* Called before the act, on the writer's thread; anything but STORE_OK becomes its result. Set before the
 * store is used. */
extern enum store_status (*store_fault)(enum store_fault_point at);

#endif
