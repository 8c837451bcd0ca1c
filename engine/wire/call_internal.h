/*
 * call_internal: the worker's loop and its calls (call.h).  Worker thread only.
 */
#ifndef FERRYFS_ENGINE_WIRE_CALL_INTERNAL_H
#define FERRYFS_ENGINE_WIRE_CALL_INTERNAL_H

#include "engine/wire/worker.h"

/* The attempt on the wire is over: decides whether there is another.  outcome: 0 a whole answer, else -errno.
 */
void call_attempt_over(struct call *call, int outcome);
/* Has the answer to the call's attempt been silent, or dripping, for too long? */
bool call_is_overdue(const struct call *call);
/* Ends the overdue attempt with -ETIMEDOUT. */
void call_time_out(struct call *call);
/* Puts the call on the wire. */
void call_launch(struct call *call);
/* A queued call ends without another attempt: its service is dead (patience.h). */
void call_give_up(struct call *call);
/* Calls on_done of all calls that have ended, and of those that end meanwhile.  True when there was one. */
bool call_run_ended(struct worker *worker);

#endif
