/* Parts of CloudEvents that other files of wire use. */
#ifndef DUBAND_WIRE_EVENT_H
#define DUBAND_WIRE_EVENT_H

#include "wire/proto.h"

enum encoding { ENCODING_UNKNOWN, ENCODING_PROTOBUF, ENCODING_JSON };
enum encoding encoding_of(struct slice content_type);

/* An event's data for printing: whatever can be decoded, unchecked against its envelope. NULL: nothing can.
 */
const Duban__V1__InputEvent *event_message(struct slice content_type, struct slice data, struct arena *a);

#endif
