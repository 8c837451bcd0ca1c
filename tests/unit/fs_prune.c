/* Which nodes the kernel is asked to let go, and how: by number, and by name where it knows no better. */
#include "engine/base/clock.h"
#include "fs/serve/prune.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>

#include "fs/dir/dir.h"

enum { FILES = PRUNE_ABOVE + 100 };

static struct hub hub;
static struct view *view;
static struct node *root;
static struct prune prune;
static unsigned char told[FILES];
static unsigned tellings, tellings_by_name;
static bool old_kernel;

static struct node *child(unsigned i)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", i);
	return nodes_child(hub.nodes, root, str_of(name));
}

static int on_send(struct hub *which, struct prune *state, const struct prune_entry *entries, unsigned count)
{
	if (!state->by_name && old_kernel)
		return -EINVAL;
	assert_true(count > 0 && count <= PRUNE_AT_ONCE);
	for (unsigned i = 0; i < count; i++) {
		const struct node *node = nodes_find(which->nodes, entries[i].ino);

		assert_non_null(node);
		assert_int_equal(entries[i].parent, root->ino);
		assert_int_equal(entries[i].name != NULL, state->by_name);
		assert_true(!entries[i].name || strcmp(entries[i].name, node->name) == 0);
		told[atoi(node->name)]++;
		tellings++;
		tellings_by_name += entries[i].name != NULL;
	}
	return 0;
}

static void node_leaves(void *user, struct node *node)
{
	dir_child_leaves(node);
}

static void node_freed(void *user, struct node *node)
{
	dir_free(node);
}

static int setup(void **state)
{
	memset(&hub, 0, sizeof(hub));
	memset(told, 0, sizeof(told));
	prune = (struct prune){.send = on_send};
	tellings = tellings_by_name = 0;
	old_kernel = false;
	pthread_mutex_init(&hub.lock, NULL);
	assert_int_equal(view_new(&view), 0);
	view->cache_ttl_ms = 100000;
	assert_int_equal(nodes_new(&hub.nodes), 0);
	nodes_set_hooks(hub.nodes, &(struct nodes_hooks){.leaves = node_leaves, .freed = node_freed});
	assert_int_equal(nodes_add_root(hub.nodes, NODE_BUCKET, view, &root), 0);
	for (unsigned i = 0; i < FILES; i++) {
		struct node *node;
		char name[16];

		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(nodes_add(hub.nodes, root, str_of(name), NODE_FILE, &node), 0);
		node_lookup_add(node);
		node_unref(hub.nodes, node);
	}
	return 0;
}

static int teardown(void **state)
{
	while (hub.dirs.oldest)
		dir_doubt(&hub, dir_node(hub.dirs.oldest));
	nodes_check(hub.nodes);
	nodes_free(hub.nodes);
	view_unref(view);
	pthread_mutex_destroy(&hub.lock);
	return 0;
}

/* One round; what it says of the next. */
static int run_round(void)
{
	int wait_ms = 0;

	prune.due_ms = 0;
	do
		prune_step(&hub, &prune, &wait_ms);
	while (wait_ms == 0);
	return wait_ms;
}

static void test_what_stays(void **state)
{
	struct node *kept[6];

	for (unsigned i = 0; i < 6; i++)
		kept[i] = child(i);
	node_ref(kept[0]); /* open */
	kept[1]->local = true;
	kept[2]->pins = 1;
	node_ref(kept[3]);
	node_forget(hub.nodes, kept[3], 1); /* the kernel does not have it */
	kept[4]->attr.fetched_ms = clock_ms(); /* believed */
	kept[5]->kind = NODE_DIR;
	assert_true(run_round() > 0);
	for (unsigned i = 0; i < FILES; i++)
		assert_int_equal(told[i], i < 6 ? 0 : 1);
	assert_int_equal(atomic_load(&hub.pruned), FILES - 6);
	node_unref(hub.nodes, kept[0]);
	node_unref(hub.nodes, kept[3]);
}

static void test_knowledge_holds_until_it_is_stale(void **state)
{
	hub_lock(&hub);
	assert_int_equal(dir_born(&hub, root), 0);
	hub_unlock(&hub);
	run_round();
	assert_int_equal(tellings, 0);
	view->cache_ttl_ms = 0;
	run_round();
	assert_int_equal(tellings, FILES);
	assert_int_equal(hub.dirs.held, 0);
}

static void test_few_are_left_alone(void **state)
{
	for (unsigned i = 0; i < 101; i++)
		node_forget(hub.nodes, child(i), 1);
	assert_false(prune_wanted(&hub));
	assert_true(run_round() < 0);
	assert_int_equal(tellings, 0);
}

static void test_older_kernel(void **state)
{
	old_kernel = true;
	run_round();
	run_round();
	assert_true(prune.by_name);
	assert_int_equal(tellings, tellings_by_name);
	for (unsigned i = 0; i < FILES; i++)
		assert_true(told[i] > 0);
}

static void test_nothing_found_waits_longer(void **state)
{
	hub_lock(&hub);
	for (unsigned i = 0; i < FILES; i++)
		child(i)->attr.fetched_ms = clock_ms();
	hub_unlock(&hub);
	int first = run_round(), second = run_round();

	assert_true(second > first);
	for (unsigned i = 0; i < 10; i++)
		second = run_round();
	assert_int_equal(second, run_round());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_knowledge_holds_until_it_is_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_few_are_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_older_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_found_waits_longer, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
