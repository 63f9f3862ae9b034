/* Messages ↔ JSON text by the proto3 mapping, with the fields' original names. For wire's own files only. */
#ifndef DUBAND_WIRE_JSON_H
#define DUBAND_WIRE_JSON_H

#include <jansson.h>

#include "wire/proto.h"

/* SPARSE leaves out what is not set, as the mapping does by default; FULL shows every field of the outermost
 * message (absent ones as "" [] null 0). */
enum json_form { JSON_SPARSE, JSON_FULL };

void json_put_member(struct buf *b, const char *name,
                     struct slice text);             /* ,"name":"text": no comma after { */
void json_put_name(struct buf *b, const char *name); /* ,"name": */
void json_put_message(struct buf *b, const ProtobufCMessage *m, enum json_form form);
/* The members alone, to go on in an object already begun; those named in `skip` (NULL-terminated, may be
 * NULL) are left out. */
void json_put_members(struct buf *b, const ProtobufCMessage *m, enum json_form form, const char *const *skip);

/* Parsed text: strict (no duplicate names, no trailing bytes, UTF-8), and bounded. NULL and a reason. Ends
 * with json_decref. */
json_t *json_parse(struct slice text, struct reasons *why);
/* A message from an object. Unknown names, wrong types and values out of range: one reason each. NULL if
 * there was any. */
ProtobufCMessage *json_read_message(const ProtobufCMessageDescriptor *d, json_t *v, struct arena *a,
                                    struct reasons *why);
bool json_read_base64(struct slice text, struct arena *a, struct slice *out);

#endif
