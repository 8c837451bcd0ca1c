/* A name has its inode number again after the kernel has let go of it, and what is another file has another one. */
#include "fs/core/node_numbers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "fs/core/node.h"

static void test_taken_once(void **state)
{
	struct node_numbers *numbers = node_numbers_new();

	assert_non_null(numbers);
	assert_int_equal(node_numbers_take(numbers, 7), 0);
	node_numbers_put(numbers, 7, 70);
	node_numbers_put(numbers, 7 + NUMBERS_MAX, 80);
	assert_int_equal(node_numbers_take(numbers, 7), 70);
	assert_int_equal(node_numbers_take(numbers, 7), 0);
	assert_int_equal(node_numbers_take(numbers, 7 + NUMBERS_MAX), 80);
	node_numbers_put(numbers, 7, 70);
	node_numbers_put(numbers, 7, 71);
	assert_int_equal(node_numbers_take(numbers, 7), 71);
	assert_int_equal(node_numbers_take(numbers, 7), 0);
	node_numbers_free(numbers);
}

static void test_the_newest_stay(void **state)
{
	enum { SAME = 20 };
	struct node_numbers *numbers = node_numbers_new();
	unsigned kept = 0;

	for (uint64_t i = 0; i < SAME; i++)
		node_numbers_put(numbers, i * NUMBERS_MAX, i + 1);
	for (uint64_t i = SAME; i-- > 0;) {
		uint64_t ino = node_numbers_take(numbers, i * NUMBERS_MAX);

		assert_true(ino == 0 || ino == i + 1);
		/* None is there once a newer one is not. */
		assert_true(ino == 0 || kept == SAME - 1 - i);
		kept += ino != 0;
	}
	assert_true(kept > 1 && kept < SAME);
	node_numbers_free(numbers);
}

static void test_without_memory(void **state)
{
	node_numbers_put(NULL, 1, 2);
	assert_int_equal(node_numbers_take(NULL, 1), 0);
	node_numbers_free(NULL);
}

static struct node *add(struct nodes *nodes, struct node *parent, const char *name, enum node_kind kind)
{
	struct node *node;

	assert_int_equal(nodes_add(nodes, parent, str_of(name), kind, &node), 0);
	return node;
}

static void test_nodes(void **state)
{
	struct nodes *nodes;
	struct node *root, *node, *directory;

	assert_int_equal(nodes_new(&nodes), 0);
	assert_int_equal(nodes_add_root(nodes, NODE_BUCKET, NULL, &root), 0);
	directory = add(nodes, root, "d", NODE_DIR);
	node = add(nodes, directory, "f", NODE_FILE);
	uint64_t ino = node->ino, of_directory = directory->ino;

	/* Forgotten, with its directory. */
	node_unref(nodes, node);
	node_unref(nodes, directory);
	assert_null(nodes_find(nodes, ino));
	directory = add(nodes, root, "d", NODE_DIR);
	assert_int_equal(directory->ino, of_directory);
	node = add(nodes, directory, "f", NODE_FILE);
	assert_int_equal(node->ino, ino);
	/* Another kind, another directory, another name. */
	node_unref(nodes, node);
	node = add(nodes, directory, "f", NODE_DIR);
	assert_int_not_equal(node->ino, ino);
	nodes_detach(nodes, node);
	node_unref(nodes, node);
	node = add(nodes, root, "f", NODE_FILE);
	assert_int_not_equal(node->ino, ino);
	node_unref(nodes, node);
	/* Removed: what is made there next is another file. */
	node = add(nodes, directory, "f", NODE_FILE);
	assert_int_equal(node->ino, ino);
	nodes_detach(nodes, node);
	node_unref(nodes, node);
	node = add(nodes, directory, "f", NODE_FILE);
	assert_int_not_equal(node->ino, ino);
	/* Moved: it has its number there, and what comes to its old place has another. */
	ino = node->ino;
	assert_int_equal(nodes_move(nodes, node, root, STR("moved")), 0);
	struct node *other = add(nodes, directory, "f", NODE_FILE);

	assert_int_not_equal(other->ino, ino);
	node_unref(nodes, node);
	node = add(nodes, root, "moved", NODE_FILE);
	assert_int_equal(node->ino, ino);
	nodes_free(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_once),
		cmocka_unit_test(test_the_newest_stay),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
