/*
 * copy_internal: shared by copy.c and copy_parts.c.  Worker thread only.
 */
#ifndef FERRYFS_ENGINE_OBJECT_COPY_INTERNAL_H
#define FERRYFS_ENGINE_OBJECT_COPY_INTERNAL_H

#include "engine/object/copy.h"

/* Ends the copy: on_done comes from inside. */
void copy_finish(struct copy *copy, int error, const struct s3_answer *answer);
/* The same for the result of copy_parts.c, unless the source is to be looked at first, or the copy begun
 * anew.
 */
void copy_settle(struct copy *copy, int error, const struct s3_answer *answer);
/* ETag, version and time of the new object. */
void copy_take_answer(struct copy *copy, const struct s3_answer *answer);
/* Of the source's headers: is its type one to be replaced by the copy's `type`? */
bool copy_type_follows(const struct copy *copy, const struct headers *source);
/* Is this storage class to be asked for by name? */
bool copy_class_is_sent(struct str storage_class);

/* copy_parts.c; ends with copy_settle, never from inside. */
void copy_parts_start(struct copy *copy);
void copy_parts_cancel(struct copy *copy);

#endif
