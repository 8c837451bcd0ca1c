#include "fs/caller_ask.h"

#include <stddef.h>

static void run(struct task *task, struct worker *worker)
{
	struct caller_ask *ask = (struct caller_ask *)((char *)task - offsetof(struct caller_ask, task));
	struct caller caller;

	caller_read("/proc", ask->pid, &caller);
	ask->on_done(ask, &caller);
}

void caller_ask(struct worker *worker, struct caller_ask *ask)
{
	ask->task = (struct task){.run = run};
	worker_post(worker, &ask->task);
}
