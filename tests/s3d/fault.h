/*
 * Faults and hooks: what goes wrong on purpose.
 *
 * A fault is a comma-separated specification,
 *   op=NAME[,key=GLOB][,bucket=GLOB][,nth=N][,from=N][,count=N][,ms=N][,share=X][,seed=S],action=A
 * op defaults to any.  Every matching request raises `seen`; the fault fires when `seen` is nth (if given),
 * is at least from, it has fired less than count times and first less than ms milliseconds ago, and a deterministic random number is below share. The
 * first fault that fires decides.  Actions:
 *   STATUS[:CODE]     that error, request not done           reset, reset-after   RST before / after doing it
 *   stall[:MS]        no answer (closed after MS)            stall-after[:MS]     done, no answer
 *   truncate          answer cut in its middle               length               Content-Length too large
 *   garbage           200 with random bytes, done            error200[:CODE]      200 with <Error>, not done
 *   outside, doctype  a listing with a key outside its prefix, with a DOCTYPE and an entity
 *   foreign:STATUS    what something that is no S3 answers with this status, request not done: a page, no header of S3
 * The key of a listing is its prefix.
 * op=deletes-key with a status makes that key's result in a DeleteObjects an <Error>.
 *
 * A hook is  when=OP,nth=N[,at=before|after],do=put|delete,bucket=B,key=K[,text=T]: around the nth such
 * request from now on, the server itself overwrites or deletes an object.  Values in both are
 * percent-decoded.
 */
#ifndef S3D_FAULT_H
#define S3D_FAULT_H

#include "tests/s3d/buf.h"
#include "tests/s3d/ops.h"

#include <stdint.h>

enum fault_action {
	FAULT_NONE,
	FAULT_STATUS,
	FAULT_RESET,
	FAULT_RESET_AFTER,
	FAULT_STALL,
	FAULT_STALL_AFTER,
	FAULT_TRUNCATE,
	FAULT_LENGTH,
	FAULT_GARBAGE,
	FAULT_ERROR200,
	FAULT_OUTSIDE,
	FAULT_DOCTYPE,
	FAULT_FOREIGN,
};

/* What a fault decided for one request (a copy: the fault may be cleared meanwhile). */
struct verdict {
	enum fault_action action;
	unsigned status;
	char code[48];
	unsigned ms;
};

struct fault {
	struct fault *next;
	char *spec;
	char *key; /* glob or NULL */
	char *bucket;
	enum op op;
	uint64_t nth, from, count, ms;
	uint64_t first_us; /* when it first fired */
	double share; /* 1: always */
	uint64_t random;
	uint64_t seen, fired;
	struct verdict verdict;
};

struct hook {
	struct hook *next;
	enum op when;
	uint64_t nth, seen;
	bool after, remove;
	char *bucket;
	struct span key; /* allocated */
	char *text;
};

struct faults {
	struct fault *list;
	struct hook *hooks;
	struct req *stalled;
};

struct server;

/* 0, -EINVAL or -ENOMEM. */
int fault_add(struct faults *faults, const char *spec);
int hook_add(struct faults *faults, const char *spec);
void faults_clear(struct faults *faults);
void hooks_clear(struct faults *faults);
/* What happens to this request; FAULT_NONE mostly. */
struct verdict fault_decide(struct faults *faults, enum op op, struct span bucket, struct span key);
/* Runs the hooks due before (or after) a request of this operation. */
void hooks_run(struct server *server, enum op op, bool after);

#endif
