/* The notifier: nothing known to the kernel is left untold, however many notes come at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sched.h>
#include <time.h>

#include "fs/core/notify.h"
#include "fs/serve/prune.h"
#include "fs/serve/pruner.h"

enum { FILES = 40000, DIRS = 3 }; /* more than the notifier's ring has places */

static struct hub hub;
static struct node *dirs[DIRS];
static unsigned char told[DIRS][FILES];
static unsigned inodes_told;
static bool gate_open;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;

static void on_send(struct hub *which, uint64_t ino, struct str name)
{
	pthread_mutex_lock(&gate);
	while (!gate_open)
		pthread_cond_wait(&gate_moved, &gate);
	for (int d = 0; d < DIRS && name.data; d++) {
		if (dirs[d] && dirs[d]->ino == ino)
			told[d][atoi(name.data)] = 1;
	}
	inodes_told += !name.data;
	pthread_cond_broadcast(&gate_moved);
	pthread_mutex_unlock(&gate);
}

static void open_gate(bool open)
{
	pthread_mutex_lock(&gate);
	gate_open = open;
	pthread_cond_broadcast(&gate_moved);
	pthread_mutex_unlock(&gate);
}

static int setup(void **state)
{
	struct node *root;

	memset(&hub, 0, sizeof(hub));
	memset(told, 0, sizeof(told));
	memset(dirs, 0, sizeof(dirs));
	inodes_told = 0;
	pthread_mutex_init(&hub.lock, NULL);
	if (nodes_new(&hub.nodes) < 0 || nodes_add_root(hub.nodes, NODE_BUCKET, NULL, &root) < 0)
		return -1;
	for (int d = 0; d < DIRS; d++) {
		char name[16];

		snprintf(name, sizeof(name), "d%d", d);
		if (nodes_add(hub.nodes, root, str_of(name), NODE_DIR, &dirs[d]) < 0)
			return -1;
	}
	open_gate(false);
	return notifier_new(&hub, on_send, &hub.notifier);
}

static int teardown(void **state)
{
	open_gate(true);
	notifier_free(hub.notifier);
	nodes_free(hub.nodes);
	pthread_mutex_destroy(&hub.lock);
	return 0;
}

static void fill(int d)
{
	char name[16];

	for (int i = 0; i < FILES; i++) {
		struct node *node = NULL;

		snprintf(name, sizeof(name), "%d", i);
		hub_lock(&hub);
		assert_int_equal(nodes_add(hub.nodes, dirs[d], str_of(name), NODE_FILE, &node), 0);
		node_lookup_add(node);
		node_unref(hub.nodes, node);
		notify_entry(&hub, dirs[d]->ino, str_of(name));
		hub_unlock(&hub);
	}
}

static bool all_told(int d)
{
	for (int i = 0; i < FILES; i++)
		if (!told[d][i])
			return false;
	return true;
}

static void await(int d)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 60;
	pthread_mutex_lock(&gate);
	while (!all_told(d)) {
		if (pthread_cond_timedwait(&gate_moved, &gate, &end) != 0)
			fail_msg("directory %d: not everything was told", d);
	}
	pthread_mutex_unlock(&gate);
}

static void test_overflow(void **state)
{
	/* The thread stands in its first call while everything else comes. */
	for (int d = 0; d < DIRS; d++)
		fill(d);
	open_gate(true);
	for (int d = 0; d < DIRS; d++)
		await(d);
}

static void test_names_that_leave_meanwhile(void **state)
{
	char name[16];

	fill(0);
	open_gate(true);
	for (int i = 0; i < FILES; i += 2) {
		snprintf(name, sizeof(name), "%d", i);
		hub_lock(&hub);
		struct node *node = nodes_child(hub.nodes, dirs[0], str_of(name));

		if (node) {
			node_ref(node);
			nodes_detach(hub.nodes, node);
			node_forget(hub.nodes, node, 1);
			node_unref(hub.nodes, node);
		}
		hub_unlock(&hub);
	}
	notify_inode(&hub, dirs[0]->ino);
	/* Stopped in the middle of it, on teardown. */
}

static void test_same_twice(void **state)
{
	notify_inode(&hub, 1); /* the one that waits at the gate, or the first in the ring */
	for (int i = 0; i < 1000; i++)
		notify_inode(&hub, 7);
	open_gate(true);
	notifier_stop(hub.notifier);
	notifier_free(hub.notifier);
	hub.notifier = NULL;
	assert_true(inodes_told <= 3);
	notify_inode(&hub, 9); /* no notifier, no harm */
}

/* One notice is held by a directory that a parked request has locked: nodes are asked back all the same. */
static void test_asks_for_nodes_meanwhile(void **state)
{
	enum { NODES = PRUNE_ABOVE + 100 };

	hub_lock(&hub);
	for (unsigned i = 0; i < NODES; i++) {
		struct node *node;
		char name[16];

		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(nodes_add(hub.nodes, dirs[0], str_of(name), NODE_FILE, &node), 0);
		node_lookup_add(node);
		node_unref(hub.nodes, node);
	}
	hub_unlock(&hub);
	assert_int_equal(pruner_new(&hub, &hub.pruner), 0);
	notify_inode(&hub, 7); /* waits at the gate */
	pruner_wake(hub.pruner);
	while (atomic_load(&hub.pruned) < NODES)
		sched_yield();
	assert_int_equal(inodes_told, 0);
	open_gate(true);
	/* The end of the notifier would drop a notice that it has not begun. */
	pthread_mutex_lock(&gate);
	while (inodes_told == 0)
		pthread_cond_wait(&gate_moved, &gate);
	pthread_mutex_unlock(&gate);
	notifier_free(hub.notifier);
	hub.notifier = NULL;
	pruner_free(hub.pruner);
	assert_int_equal(inodes_told, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_that_leave_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asks_for_nodes_meanwhile, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
