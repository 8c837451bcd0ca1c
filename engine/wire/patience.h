/*
 * patience: for how long a call that fails is tried again; call.h has the table.  A lone call's server errors
 * are waited out for LONE_MS at least, where `limit` allows that.
 *
 * Worker thread only.
 */
#ifndef FERRYFS_ENGINE_WIRE_PATIENCE_H
#define FERRYFS_ENGINE_WIRE_PATIENCE_H

#include "engine/wire/worker.h"

/* Kinds of failures that may pass. */
enum fault {
	FAULT_SLOWED, /* a slow-down */
	FAULT_ANSWERED, /* a server error */
	FAULT_SILENT, /* no connection, no answer, half of one */
};

/* The service has failed every call for as long as any call may be made to wait. */
bool patience_service_is_dead(const struct worker *worker, const struct window *window);
/* After a failure that was counted (call->failed, call->slowed): is it the end of the call? */
bool patience_ends(struct call *call, enum fault fault);

#endif
