/*
 * session: the FUSE session of a hub: mounting, the reading loop, ending.
 *
 * session_open mounts; session_run reads and dispatches on the calling thread until the mount is gone or a
 * signal asks for the end; session_close unmounts where that is still to do.  Between run and close the
 * engine is freed, so that every parked request is answered while there is still someone to take the answer:
 *
 *   session_block_signals   before any thread starts
 *   session_open, session_run
 *   session_settle          the operations under way end, within a limit
 *   engine_free             parked requests are answered (-ECANCELED at worst)
 *   session_end, hub_free, session_close
 *
 * SIGTERM, SIGINT and SIGHUP end it; SIGUSR2 writes the hub's state to the log.  All on one thread, the
 * process's first.
 */
#ifndef FERRYFS_FS_SERVE_SESSION_H
#define FERRYFS_FS_SERVE_SESSION_H

#include <stdbool.h>

struct hub;
struct session;

struct session_options {
	const char *mountpoint; /* canonical; lent */
	const char *source; /* as findmnt shows it */
	bool ro, allow_other, noatime, noexec;
	int fuse_cpu; /* fs/host/fuse_cpu.h */
};

/* Blocks the signals that session_run waits for, in this thread and those it starts. */
void session_block_signals(void);
/* Whether the signals that ask for an end may end the process at once: in this thread, while nothing is
 * mounted and session_run does not wait for them. */
void session_let_signals_end(bool may);

/* Mounts.  On failure a sentence in why (ACCOUNT_WHY_MAX bytes). */
int session_open(struct hub *hub, const struct session_options *options, struct session **ret, char *why);
/* Runs until the end.  on_ready is called once the kernel's first request (INIT) is answered: from then on
 * the mount answers.  Returns 0, or the error of the loop. */
int session_run(struct session *session, void (*on_ready)(void *user), void *user);
/* Did the loop end because nothing is mounted any more? */
bool session_unmounted(const struct session *session);
/* Logs a warning if the kernel ends the whole connection when a request takes too long (fs.fuse.max_request_timeout): a
 * rename of a large directory may. */
void session_log_request_timeout(void);
/* Waits for the parked operations (uploads after the last close among them): long after an unmount, shortly
 * after a signal; logs those that are then cut off.  Closes the directories that programs left open. */
void session_settle(struct session *session);
/* After the engine ended: an operation that has no end by now is logged, and ends builds with a sanitizer.
 * The notifier comes back from the kernel in any case: the requests that the kernel still sends meanwhile are
 * refused. */
void session_end(struct session *session);
void session_close(struct session *session); /* accepts NULL */

#endif
