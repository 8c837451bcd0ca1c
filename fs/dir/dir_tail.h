/*
 * dir_tail: "from this key on S3 has nothing in the directory", a value in struct dir.
 *
 * A directory too long to be listed for a lookup is still copied into, and cp goes through the names of its
 * source in the order of their keys: one listing from a name on, which comes back empty, answers for every
 * name after it.  What this mount makes there since then is a node and held, as in a directory that is known
 * whole.
 *
 * Keys, not names, are compared: their order is the server's.  Any rename of a directory ends all tails
 * (moves), since keys are not those of the nodes any more.
 */
#ifndef FERRYFS_FS_DIR_DIR_TAIL_H
#define FERRYFS_FS_DIR_DIR_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "s3/str.h"

struct dir_tail {
	char *key; /* owned; NULL: nothing is known */
	uint64_t asked_ms;
	unsigned moves; /* of the hub's directories, when it was asked */
};

/* Replaces what there was; without memory nothing is known. */
void dir_tail_set(struct dir_tail *tail, struct str key, uint64_t asked_ms, unsigned moves);
void dir_tail_drop(struct dir_tail *tail);
/* Is this key of the same directory, and not before the tail? */
bool dir_tail_covers(const struct dir_tail *tail, struct str key, unsigned moves);

#endif
