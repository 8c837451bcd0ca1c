#include "engine/base/clock.h"
#include "fs/dir/dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fs/dir/dir_answer.h"

static struct hub hub;
static struct view *view;
static struct node *root;

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
	pthread_mutex_init(&hub.lock, NULL);
	assert_int_equal(view_new(&view), 0);
	view->cache_ttl_ms = 100000;
	strcpy(view->url.bucket, "bucket");
	assert_int_equal(claims_new(&hub.claims), 0);
	assert_int_equal(nodes_new(&hub.nodes), 0);
	nodes_set_hooks(hub.nodes, &(struct nodes_hooks){.leaves = node_leaves, .freed = node_freed});
	assert_int_equal(nodes_add_root(hub.nodes, NODE_BUCKET, view, &root), 0);
	return 0;
}

static int teardown(void **state)
{
	while (hub.dirs.oldest)
		dir_doubt(&hub, dir_node(hub.dirs.oldest));
	nodes_check(hub.nodes);
	nodes_free(hub.nodes);
	claims_free(hub.claims);
	view_unref(view);
	pthread_mutex_destroy(&hub.lock);
	return 0;
}

static struct node *seen_at(struct dir_watch *watch, const char *name, uint64_t asked_ms)
{
	struct seen seen = {
		.name = str_of(name), .kind = NODE_FILE, .size = 7, .etag = STR("e"), .asked_ms = asked_ms};
	struct node *node = NULL;

	return seen_apply(&hub, watch, &seen, &node) == 0 ? node : NULL;
}

static void see(struct dir_watch *watch, const char *name)
{
	struct node *node = seen_at(watch, name, watch->started_ms);

	assert_non_null(node);
	node_unref(hub.nodes, node);
}

static struct node *child(const char *name)
{
	return nodes_child(hub.nodes, root, str_of(name));
}

static void test_listing_is_held(void **state)
{
	struct dir_watch watch;

	dir_watch_begin(&hub, root, &watch);
	see(&watch, "a");
	see(&watch, "b");
	assert_false(dir_whole(root, clock_ms()));
	dir_watch_listed(&hub, &watch);
	dir_watch_end(&hub, &watch);
	assert_true(dir_whole(root, clock_ms()));
	assert_false(dir_whole(root, clock_ms() + 200000));
	assert_int_equal(hub.dirs.held, 2);
	assert_non_null(child("a"));
	dir_doubt(&hub, root);
	assert_int_equal(hub.dirs.held, 0);
	assert_null(child("a"));
	assert_false(dir_whole(root, clock_ms()));
}

static void test_unfinished_listing_holds_nothing(void **state)
{
	struct dir_watch watch;

	dir_watch_begin(&hub, root, &watch);
	see(&watch, "a");
	assert_int_equal(hub.dirs.held, 1);
	dir_watch_end(&hub, &watch);
	assert_int_equal(hub.dirs.held, 0);
	assert_null(child("a"));
}

static void test_what_is_not_listed_vanishes(void **state)
{
	struct dir_watch watch;
	struct node *old, *local;

	assert_int_equal(nodes_add(hub.nodes, root, STR("old"), NODE_FILE, &old), 0);
	old->attr.fetched_ms = 1;
	assert_int_equal(nodes_add(hub.nodes, root, STR("local"), NODE_FILE, &local), 0);
	local->local = true;
	dir_watch_begin(&hub, root, &watch);
	see(&watch, "a");
	dir_watch_listed(&hub, &watch);
	dir_watch_end(&hub, &watch);
	assert_true(old->gone);
	assert_false(local->gone);
	assert_true(dir_whole(root, clock_ms()));
	node_unref(hub.nodes, old);
	node_unref(hub.nodes, local);
	/* Held, so it is still known. */
	assert_non_null(child("local"));
}

static void test_removed_stays_removed(void **state)
{
	struct dir_watch watch;

	dir_watch_begin(&hub, root, &watch);
	assert_false(dir_watch_removed(&watch, STR("a")));
	for (unsigned i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u", i);
		dir_removed(root, str_of(name));
	}
	dir_removed(root, STR("a"));
	assert_null(seen_at(&watch, "a", watch.started_ms));
	assert_true(dir_watch_removed(&watch, STR("999")));
	assert_non_null(child("a") ? NULL : root);
	see(&watch, "b");
	dir_watch_listed(&hub, &watch);
	dir_watch_end(&hub, &watch);
	assert_true(dir_whole(root, clock_ms()));
	assert_null(child("a"));
	/* Nobody watches any more: the next question is asked after the removal. */
	dir_watch_begin(&hub, root, &watch);
	see(&watch, "a");
	dir_watch_end(&hub, &watch);
}

static void test_too_much_removed_is_doubted(void **state)
{
	struct dir_watch watch;

	dir_watch_begin(&hub, root, &watch);
	for (unsigned i = 0; dir_watch_believable(&watch); i++) {
		char name[16];

		assert_true(i < 2 * DIR_REMOVED_MAX);
		snprintf(name, sizeof(name), "%u", i);
		dir_removed(root, str_of(name));
	}
	struct node *node = seen_at(&watch, "a", watch.started_ms);

	assert_int_equal(node->attr.fetched_ms, 0);
	node_unref(hub.nodes, node);
	dir_watch_listed(&hub, &watch);
	dir_watch_end(&hub, &watch);
	assert_false(dir_whole(root, clock_ms()));
}

static void test_doubt_during_a_listing(void **state)
{
	struct dir_watch watch;

	dir_watch_begin(&hub, root, &watch);
	see(&watch, "a");
	dir_doubt(&hub, root);
	dir_watch_listed(&hub, &watch);
	dir_watch_end(&hub, &watch);
	assert_false(dir_whole(root, clock_ms()));
}

static void test_old_answer_does_not_win(void **state)
{
	struct dir_watch watch;
	struct node *node;

	assert_int_equal(nodes_add(hub.nodes, root, STR("a"), NODE_FILE, &node), 0);
	assert_int_equal(node_set_attr(node, 100, 0, 0, STR("new"), STR_NONE), 0);
	dir_watch_begin(&hub, root, &watch);
	node_unref(hub.nodes, seen_at(&watch, "a", node->attr.fetched_ms - 1));
	assert_int_equal(node->attr.size, 100);
	node_unref(hub.nodes, seen_at(&watch, "a", node->attr.fetched_ms + 1));
	assert_int_equal(node->attr.size, 7);
	/* Nor does "nothing", unless it was asked later. */
	seen_nothing(&hub, &watch, STR("a"), node->attr.fetched_ms - 1);
	assert_false(node->gone);
	seen_nothing(&hub, &watch, STR("a"), node->attr.fetched_ms + 1);
	assert_true(node->gone);
	dir_watch_end(&hub, &watch);
	node_unref(hub.nodes, node);
}

static void test_kind_changes(void **state)
{
	struct dir_watch watch;
	struct node *file, *dir = NULL;

	assert_int_equal(nodes_add(hub.nodes, root, STR("a"), NODE_FILE, &file), 0);
	assert_int_equal(node_set_attr(file, 100, 0, 0, STR("e"), STR_NONE), 0);
	dir_watch_begin(&hub, root, &watch);
	struct seen seen = {.name = STR("a"), .kind = NODE_DIR, .asked_ms = file->attr.fetched_ms + 1};

	assert_int_equal(seen_apply(&hub, &watch, &seen, &dir), 0);
	assert_true(file->gone);
	assert_ptr_not_equal(dir, file);
	assert_true(dir->ino > file->ino);
	node_unref(hub.nodes, dir);
	node_unref(hub.nodes, file);
	dir_watch_end(&hub, &watch);
}

static void test_born_and_forgotten(void **state)
{
	struct node *dir, *file;

	assert_int_equal(nodes_add(hub.nodes, root, STR("d"), NODE_DIR, &dir), 0);
	assert_int_equal(dir_born(&hub, dir), 0);
	assert_true(dir_whole(dir, clock_ms()));
	/* A child that knowledge was not told of, freed although it may exist: knowledge ends. */
	assert_int_equal(nodes_add(hub.nodes, dir, STR("f"), NODE_FILE, &file), 0);
	node_unref(hub.nodes, file);
	assert_false(dir_whole(dir, clock_ms()));
	assert_int_equal(dir_born(&hub, dir), 0);
	assert_int_equal(nodes_add(hub.nodes, dir, STR("f"), NODE_FILE, &file), 0);
	dir_child_added(&hub, file);
	node_unref(hub.nodes, file);
	assert_true(dir_whole(dir, clock_ms()));
	assert_ptr_equal(nodes_child(hub.nodes, dir, STR("f")), file);
	/* Removed here: still whole. */
	node_ref(file);
	nodes_detach(hub.nodes, file);
	node_unref(hub.nodes, file);
	assert_true(dir_whole(dir, clock_ms()));
	assert_int_equal(hub.dirs.held, 0);
	node_unref(hub.nodes, dir);
}

static void test_move_between_directories(void **state)
{
	struct node *a, *b, *file;

	assert_int_equal(nodes_add(hub.nodes, root, STR("a"), NODE_DIR, &a), 0);
	assert_int_equal(nodes_add(hub.nodes, root, STR("b"), NODE_DIR, &b), 0);
	assert_int_equal(dir_born(&hub, a), 0);
	assert_int_equal(dir_born(&hub, b), 0);
	assert_int_equal(nodes_add(hub.nodes, a, STR("f"), NODE_FILE, &file), 0);
	dir_child_added(&hub, file);
	assert_int_equal(nodes_move(hub.nodes, file, b, STR("g")), 0);
	assert_false(file->held);
	dir_child_added(&hub, file);
	assert_true(dir_whole(a, clock_ms()) && dir_whole(b, clock_ms()));
	assert_int_equal(hub.dirs.held, 1);
	node_unref(hub.nodes, file);
	node_unref(hub.nodes, a);
	node_unref(hub.nodes, b);
}

static void test_others(void **state)
{
	struct node *dir, *one, *two;

	assert_int_equal(nodes_add(hub.nodes, root, STR("d"), NODE_DIR, &dir), 0);
	assert_int_equal(nodes_add(hub.nodes, dir, STR("1"), NODE_FILE, &one), 0);
	assert_false(dir_has_other(dir, one));
	assert_int_equal(nodes_add(hub.nodes, dir, STR("2"), NODE_FILE, &two), 0);
	two->local = true;
	assert_false(dir_has_other(dir, one));
	assert_int_equal(node_set_attr(two, 1, 1, 0, STR("e"), STR_NONE), 0);
	assert_true(dir_has_other(dir, one));
	assert_false(dir_has_other(dir, two));
	node_unref(hub.nodes, one);
	node_unref(hub.nodes, two);
	node_unref(hub.nodes, dir);
}

static void test_misses(void **state)
{
	struct dir_watch watch;

	assert_int_equal(dir_miss(root, 10, STR("k"), 1000), DIR_ASK_NAME);
	assert_int_equal(dir_miss(root, 11, STR("k"), 1001), DIR_ASK_NAME);
	assert_int_equal(dir_miss(root, 11, STR("k"), 1002), DIR_ASK_LISTING);
	/* It is being fetched, or was too long: not again. */
	assert_int_equal(dir_miss(root, 11, STR("k"), 1003), DIR_ASK_TAIL);
	assert_int_equal(dir_miss(root, 11, STR("k"), 1000 + 50000), DIR_ASK_NAME);
	assert_int_equal(dir_miss(root, 0, STR("k"), 1004), DIR_ASK_NAME);
	/* A page was just asked for: what is in it is not asked for by another page, but what comes after it. */
	dir_watch_begin(&hub, root, &watch);
	dir_watch_tail(&hub, &watch, STR("a"), STR("m"));
	dir_miss(root, 12, STR("k"), watch.started_ms + 1);
	assert_int_equal(dir_miss(root, 12, STR("k"), watch.started_ms + 2), DIR_ASK_LISTING);
	assert_int_equal(dir_miss(root, 12, STR("k"), watch.started_ms + 3), DIR_ASK_NAME);
	assert_int_equal(dir_miss(root, 12, STR("m-"), watch.started_ms + 4), DIR_ASK_TAIL);
	dir_miss(root, 12, STR("k"), watch.started_ms + 1900);
	assert_int_equal(dir_miss(root, 12, STR("k"), watch.started_ms + 2100), DIR_ASK_TAIL);
	dir_watch_end(&hub, &watch);
}

static bool nothing_at(const char *key)
{
	return dir_nothing_at(&hub, root, str_of(key), clock_ms());
}

static void learn_tail(const char *key)
{
	struct dir_watch watch;

	dir_watch_begin(&hub, root, &watch);
	dir_watch_tail(&hub, &watch, str_of(key), STR_NONE);
	dir_watch_end(&hub, &watch);
}

static void test_tail(void **state)
{
	struct node *node;

	learn_tail("m");
	assert_true(nothing_at("m"));
	assert_true(nothing_at("m-"));
	assert_true(nothing_at("z"));
	assert_false(nothing_at("lz"));
	assert_false(nothing_at("z/x"));
	assert_false(dir_nothing_at(&hub, root, STR("z"), clock_ms() + 200000));
	/* What is made there from now on is a node for as long. */
	assert_int_equal(nodes_add(hub.nodes, root, STR("n"), NODE_FILE, &node), 0);
	dir_child_added(&hub, node);
	node_unref(hub.nodes, node);
	assert_non_null(child("n"));
	assert_int_equal(hub.dirs.held, 1);
	hub.dirs.moves++;
	assert_false(nothing_at("z"));
	hub.dirs.moves--;
	dir_doubt(&hub, root);
	assert_false(nothing_at("z"));
	assert_null(child("n"));
	assert_int_equal(hub.dirs.held, 0);
}

/* A node at or after the tail that goes although it may exist ends it; one before it does not. */
static void test_tail_is_lost(void **state)
{
	struct node *before, *after;

	assert_int_equal(nodes_add(hub.nodes, root, STR("a"), NODE_FILE, &before), 0);
	assert_int_equal(nodes_add(hub.nodes, root, STR("n"), NODE_FILE, &after), 0);
	learn_tail("m");
	node_unref(hub.nodes, before);
	assert_true(nothing_at("z"));
	node_unref(hub.nodes, after);
	assert_false(nothing_at("z"));
}

/* A child that went while S3 was asked may be what the answer does not show. */
static void test_tail_asked_before(void **state)
{
	struct dir_watch watch;
	struct node *node;

	assert_int_equal(nodes_add(hub.nodes, root, STR("n"), NODE_FILE, &node), 0);
	dir_watch_begin(&hub, root, &watch);
	node_unref(hub.nodes, node);
	dir_watch_tail(&hub, &watch, STR("m"), STR_NONE);
	dir_watch_end(&hub, &watch);
	assert_false(nothing_at("z"));
}

static void test_marker(void **state)
{
	assert_int_equal(dir_marker(root), -1);
	dir_set_marker(root, false);
	assert_int_equal(dir_marker(root), 0);
	dir_set_marker(root, true);
	assert_int_equal(dir_marker(root), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_listing_is_held),
		TEST(test_unfinished_listing_holds_nothing),
		TEST(test_what_is_not_listed_vanishes),
		TEST(test_removed_stays_removed),
		TEST(test_too_much_removed_is_doubted),
		TEST(test_doubt_during_a_listing),
		TEST(test_old_answer_does_not_win),
		TEST(test_kind_changes),
		TEST(test_born_and_forgotten),
		TEST(test_move_between_directories),
		TEST(test_others),
		TEST(test_misses),
		TEST(test_tail),
		TEST(test_tail_is_lost),
		TEST(test_tail_asked_before),
		TEST(test_marker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
