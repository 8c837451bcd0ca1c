#include "fs/early/batch_status.h"

#include "engine/base/clock.h"
#include "fs/early/batch_internal.h"
#include "fs/core/hub.h"

struct row {
	pid_t pid;
	enum caller_tool tool;
	uint64_t done, running_ms;
	unsigned promised;
};

/* Allocates nothing under the lock: every call of such a process takes that lock. */
static unsigned take_rows(struct batches *batches, struct row rows[BATCH_STATUS_MAX])
{
	uint64_t now = clock_ms();
	unsigned count = 0;

	pthread_mutex_lock(&batches->lock);
	for (unsigned i = 0; i < BATCH_SLOTS; i++)
		for (const struct batch *batch = batches->slots[i]; batch && count < BATCH_STATUS_MAX;
			batch = batch->next)
			if (batch->kept > 0 || batch->outstanding > 0)
				rows[count++] = (struct row){
					.pid = batch->caller.pid,
					.tool = batch->caller.tool,
					.done = batch->kept,
					.promised = batch->outstanding,
					.running_ms = now - batch->began_ms,
				};
	pthread_mutex_unlock(&batches->lock);
	return count;
}

json_t *batches_status(struct batches *batches)
{
	struct row rows[BATCH_STATUS_MAX];
	unsigned count = take_rows(batches, rows);
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(array,
			json_pack("{s:i, s:s, s:I, s:i, s:I}", "pid", (int)rows[i].pid, "tool",
				caller_tool_name(rows[i].tool), "done", (json_int_t)rows[i].done, "promised",
				(int)rows[i].promised, "running_ms", (json_int_t)rows[i].running_ms));
	return array;
}
