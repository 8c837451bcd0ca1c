/*
 * run: one run of cp, mv or rm.
 *
 * run_command reads the words, opens the account, and has the work done by one of three: a job (-r), the sync
 * pipeline (cp -r
 * --sync and its like), or single (one object).  All tell what happens to a report; the main thread writes it
 * out, draws progress and listens for Ctrl-C meanwhile (run_attend).
 */
#ifndef FERRYFS_FS_CMD_TRANSFER_RUN_H
#define FERRYFS_FS_CMD_TRANSFER_RUN_H

#include "fs/cmd/address.h"
#include "fs/cmd/progress.h"
#include "fs/cmd/transfer_report.h"
#include "fs/cmd/transfer_options.h"

struct run {
	const char *command; /* "cp" */
	enum job_kind kind;
	struct transfer_options options;
	struct address source, destination;
	struct waiter waiter;
	struct output output;
	struct report report;
	struct progress progress;
	struct engine *engine;
	struct account *account;
	struct journal_dir *journal; /* mv -r */
	bool fresh; /* mv -r: nothing is at the destination, so that the move can be undone */
	struct sync *sync; /* sync_run's, freed after the engine */
	/* outcome, main thread */
	struct job_progress done;
	struct job_error error; /* what ended it early; error 0: nothing did */
	bool told; /* an error was printed already: a failure whatever the numbers say */
};

/* Something under way that the main thread attends to. */
struct run_work {
	atomic_bool done; /* set, then waiter_wake, as the last thing it does */
	void (*cancel)(struct run_work *work);
	void (*progress)(struct run_work *work, struct job_progress *ret);
};

/* Main thread: until work->done. */
void run_attend(struct run *run, struct run_work *work);

/* Should this source entry be taken, going by --include and --exclude?  Any thread. */
bool run_wants(const struct run *run, struct str source_key);

/* The three ways; each fills in the outcome.  0 or -errno where not even a start was possible. */
int single_run(struct run *run);
int sync_run(struct run *run);
void sync_free(struct sync *sync);

/* argv[0] is the command.  help: texts, NULL at the end. */
int run_command(enum job_kind kind, const char *const help[], int argc, char **argv);

#endif
