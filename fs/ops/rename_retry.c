#include "fs/ops/rename_retry.h"

#include <pthread.h>

#include "engine/base/clock.h"

enum { REMEMBERED_MAX = 16, REMEMBERED_MS = 10000 };

struct retry_failure {
	const struct hub *hub; /* compared only */
	pid_t thread;
	uint64_t node, parent; /* the node that was to move, and its new directory */
	uint64_t until_ms;
	int error;
	size_t len;
	char name[KEY_NAME_MAX + 1]; /* the new name */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct retry_failure failures[REMEMBERED_MAX]; /* protected by lock, as is next */
static unsigned next;

void rename_again_remember(struct rename_op *op, int error)
{
	const struct name_end *to = rename_to(op);

	pthread_mutex_lock(&lock);
	struct retry_failure *failure = &failures[next++ % REMEMBERED_MAX];

	*failure = (struct retry_failure){
		.hub = op->base.hub,
		.thread = op->base.parked.thread,
		.node = op->node->ino,
		.parent = to->parent->ino,
		.until_ms = clock_ms() + REMEMBERED_MS,
		.error = error,
		.len = to->len,
	};
	memcpy(failure->name, to->name, to->len);
	pthread_mutex_unlock(&lock);
}

int rename_again_refusal(struct rename_op *op, const struct node *node)
{
	const struct node *into = rename_to(op)->parent;
	uint64_t now = clock_ms();
	int error = 0;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < REMEMBERED_MAX && error == 0; i++) {
		const struct retry_failure *failure = &failures[i];

		if (failure->until_ms > now && failure->hub == op->base.hub &&
			failure->thread == op->base.parked.thread && failure->node == node->ino &&
			into->parent && failure->parent == into->parent->ino &&
			str_eq(str_n(failure->name, failure->len), str_n(into->name, into->name_len)))
			error = failure->error;
	}
	pthread_mutex_unlock(&lock);
	return error;
}
