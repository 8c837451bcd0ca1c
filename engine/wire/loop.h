/*
 * loop: the thread of a worker.  One turn:
 *
 *   wait (epoll) -> libcurl's sockets -> answers that are complete -> mailbox -> timers -> on_done of the
 *   calls that have ended -> queued calls onto the wire -> libcurl's timer (starts them) -> again
 *
 * Inside a libcurl callback the loop starts no attempt and calls no caller back but a GET's on_data.
 *
 * An attempt that seems overdue is not timed out in that turn: its answer may lie in its socket, unread, for
 * one turn looks at a few sockets only, and the process may have been stopped.  It is timed out once every
 * socket that was readable then has been looked at (worker.judging).
 */
#ifndef FERRYFS_ENGINE_WIRE_LOOP_H
#define FERRYFS_ENGINE_WIRE_LOOP_H

#include "engine/wire/worker.h"

/* After worker_init, before the thread starts.  -ENOMEM. */
int loop_init(struct worker *worker);
/* The thread; user is the worker. */
void *loop_run(void *user);
/* Cancels every call, runs the posted tasks and calls back; false when there was nothing.  The worker's
 * thread, or after its end the thread that frees the engine. */
bool loop_settle(struct worker *worker);
/* After the thread has ended and loop_settle found nothing left: ends the worker's attempts. */
void loop_release(struct worker *worker);

#endif
