/*
 * ledger: which requests of the kernel have no answer yet.
 *
 * Only builds with a sanitizer watch a session by it (engine/base/checks.h).  There, libfuse reads requests and
 * writes answers through the ledger.  A second answer to a request aborts the daemon at once.  A request that
 * has no answer when the session is closed aborts it then: the engine is gone by that time, and has completed
 * all that it ever will.  The log line before names the request.  tests/cases/lib.sh fails the case for it.
 *
 * Not entered: messages that the kernel wants no answer to (FORGET, BATCH_FORGET, INTERRUPT, NOTIFY_REPLY), and
 * what refuse_one takes from the device behind libfuse's back.  An answer that the kernel no longer wants
 * (ENOENT) is one all the same.
 *
 * Any thread.  The ledger's lock is a leaf.  Without memory for an entry the ledger gives up and finds nothing.
 */
#ifndef FERRYFS_FS_REQUEST_LEDGER_H
#define FERRYFS_FS_REQUEST_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuse_session;
struct ledger;

struct ledger_entry {
	uint64_t unique; /* the kernel's number of the request */
	uint32_t opcode;
};

/* NULL: no memory. */
struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger); /* may be NULL */

/* A message of len bytes was read from the device. */
void ledger_took(struct ledger *ledger, const void *message, size_t len);
/* An answer, or a notice, that begins with these len bytes is about to be written.  False: it answers a
 * request that was never taken, or was answered before. */
bool ledger_answer(struct ledger *ledger, const void *message, size_t len);
/* How many requests have no answer; *ret is one of them, if there is one. */
size_t ledger_left(struct ledger *ledger, struct ledger_entry *ret);

/* From here on the mounted session reads and writes through the ledger, which outlives it.  One session a
 * process.  0 or -errno. */
int ledger_watch(struct ledger *ledger, struct fuse_session *session);
/* The watched session is at its end: aborts if a request has no answer. */
void ledger_close(struct ledger *ledger);

#endif
