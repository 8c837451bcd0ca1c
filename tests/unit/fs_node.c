/* Nodes: random work against a model, names, places, attributes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>

#include "fs/core/node.h"
#include "fs/core/place.h"
#include "fs/request/node_stat.h"

static struct nodes *new_nodes(void)
{
	struct nodes *nodes = NULL;

	assert_int_equal(nodes_new(&nodes), 0);
	return nodes;
}

static struct node *add_kind(struct nodes *nodes, struct node *parent, const char *name, enum node_kind kind)
{
	struct node *node = NULL;

	assert_int_equal(nodes_add(nodes, parent, str_of(name), kind, &node), 0);
	return node;
}

static void test_life(void **state)
{
	struct nodes *nodes = new_nodes();
	struct node *root, *dir, *file, *other;

	assert_int_equal(nodes_add_root(nodes, NODE_BUCKET, NULL, &root), 0);
	assert_int_equal(root->ino, 1);
	assert_int_equal(nodes_add_root(nodes, NODE_BUCKET, NULL, &other), -EEXIST);
	dir = add_kind(nodes, root, "dir", NODE_DIR);
	file = add_kind(nodes, dir, "file", NODE_FILE);
	assert_true(dir->ino < file->ino);
	assert_int_equal(nodes_add(nodes, dir, STR("file"), NODE_FILE, &other), -EEXIST);
	assert_int_equal(nodes_add(nodes, dir, STR(".."), NODE_FILE, &other), -EINVAL);
	assert_int_equal(nodes_add(nodes, dir, STR("a/b"), NODE_FILE, &other), -EINVAL);
	assert_ptr_equal(nodes_child(nodes, dir, STR("file")), file);
	assert_null(nodes_child(nodes, root, STR("file")));

	uint64_t ino = file->ino, dir_ino = dir->ino;

	/* The child holds its directory, the kernel's lookups hold the child. */
	node_lookup_add(file);
	node_lookup_add(file);
	node_unref(nodes, dir);
	node_unref(nodes, file);
	assert_ptr_equal(nodes_find(nodes, ino), file);
	node_forget(nodes, file, 1);
	assert_ptr_equal(nodes_find(nodes, dir_ino), dir);
	node_forget(nodes, file, 1);
	assert_null(nodes_find(nodes, ino));
	assert_null(nodes_find(nodes, dir_ino));
	assert_int_equal(nodes_count(nodes), 1);
	nodes_check(nodes);
	nodes_free(nodes);
}

static void test_gone(void **state)
{
	struct nodes *nodes = new_nodes();
	struct node *root, *file, *again;

	assert_int_equal(nodes_add_root(nodes, NODE_BUCKET, NULL, &root), 0);
	file = add_kind(nodes, root, "file", NODE_FILE);
	nodes_detach(nodes, file);
	nodes_detach(nodes, file);
	assert_true(file->gone);
	assert_null(nodes_child(nodes, root, STR("file")));
	assert_ptr_equal(nodes_find(nodes, file->ino), file);
	again = add_kind(nodes, root, "file", NODE_FILE);
	assert_true(again->ino > file->ino);
	assert_int_equal(nodes_move(nodes, file, root, STR("other")), -EINVAL);
	nodes_check(nodes);
	node_unref(nodes, file);
	nodes_check(nodes);
	nodes_free(nodes);
}

static void test_move(void **state)
{
	struct nodes *nodes = new_nodes();
	struct node *root, *a, *b, *file;
	char long_name[256];

	assert_int_equal(nodes_add_root(nodes, NODE_BUCKET, NULL, &root), 0);
	a = add_kind(nodes, root, "a", NODE_DIR);
	b = add_kind(nodes, a, "b", NODE_DIR);
	file = add_kind(nodes, b, "f", NODE_FILE);
	memset(long_name, 'x', 255);
	long_name[255] = '\0';
	assert_int_equal(nodes_move(nodes, a, b, STR("c")), -EINVAL);
	assert_int_equal(nodes_move(nodes, a, a, STR("c")), -EINVAL);
	assert_int_equal(nodes_move(nodes, file, root, STR("a")), -EEXIST);
	assert_int_equal(nodes_move(nodes, file, b, STR("f")), 0);
	assert_int_equal(nodes_move(nodes, file, root, str_of(long_name)), 0);
	assert_string_equal(file->name, long_name);
	assert_ptr_equal(nodes_child(nodes, root, str_of(long_name)), file);
	assert_null(nodes_child(nodes, b, STR("f")));
	assert_int_equal(nodes_move(nodes, file, b, str_n(file->name, 10)), 0); /* a name lent from itself */
	assert_string_equal(file->name, "xxxxxxxxxx");
	assert_int_equal(nodes_move(nodes, file, b, STR("g")), 0);
	assert_string_equal(file->name, "g");
	assert_int_equal(nodes_move(nodes, b, root, STR("b")), 0);
	nodes_check(nodes);
	node_unref(nodes, a); /* nothing is below it any more */
	assert_null(nodes_child(nodes, root, STR("a")));
	nodes_check(nodes);
	nodes_free(nodes);
}

static unsigned freed, left;

static void count_leaving(void *user, struct node *node)
{
	left++;
}

static void count_free(void *user, struct node *node)
{
	freed++;
}

static void test_free_hook(void **state)
{
	struct nodes *nodes = new_nodes();
	struct node *root;

	nodes_set_hooks(nodes, &(struct nodes_hooks){.leaves = count_leaving, .freed = count_free});
	assert_int_equal(nodes_add_root(nodes, NODE_BUCKET, NULL, &root), 0);
	node_unref(nodes, add_kind(nodes, root, "a", NODE_DIR));
	assert_int_equal(freed, 1);
	add_kind(nodes, root, "b", NODE_DIR);
	struct node *c = add_kind(nodes, root, "c", NODE_DIR);

	left = 0;
	nodes_detach(nodes, c);
	assert_int_equal(left, 1);
	assert_int_equal(freed, 1);
	nodes_free(nodes);
	assert_int_equal(freed, 4);
	nodes_free(NULL);
}

/* ---- places ---- */

static void check_place(const struct node *node, const char *bucket, const char *key)
{
	struct place place;

	assert_int_equal(node_place(node, &place), 0);
	assert_string_equal(place.bucket, bucket);
	assert_string_equal(place.key, key);
	assert_int_equal(place.key_len, strlen(key));
	assert_int_equal(place.bucket_len, strlen(bucket));
}

static void test_place_kept(void **state)
{
	struct place place = {.bucket = "bucket", .bucket_len = 6, .key = "a/b", .key_len = 3}, *kept = NULL;
	bool changed = false;

	assert_int_equal(place_keep(&kept, &place, &changed), 0);
	assert_true(changed);
	assert_string_equal(kept->key, "a/b");
	assert_true(str_eq(place_bucket(kept), STR("bucket")));
	changed = false;
	place.account = (struct account *)&place;
	assert_int_equal(place_keep(&kept, &place, &changed), 0);
	assert_false(changed);
	assert_ptr_equal(kept->account, place.account);
	place.key_len = KEY_MAX + 1;
	memset(place.key, 'k', place.key_len);
	assert_int_equal(place_keep(&kept, &place, &changed), 0);
	assert_true(changed);
	assert_true(str_eq(place_key(kept), place_key(&place)));
	assert_int_equal(kept->key[KEY_MAX + 1], '\0');
	changed = false;
	memcpy(place.bucket, "bucker", 7);
	assert_int_equal(place_keep(&kept, &place, &changed), 0);
	assert_true(changed);
	free(kept);
}

static void test_place_of_prefix(void **state)
{
	struct nodes *nodes = new_nodes();
	struct view *view = NULL;
	struct node *root, *dir, *file;
	struct place place;
	char name[256];

	assert_int_equal(view_new(&view), 0);
	assert_int_equal(s3_url_parse("s3://bucket/pre/fix/", &view->url), 0);
	assert_int_equal(nodes_add_root(nodes, NODE_DIR, view, &root), 0);
	dir = add_kind(nodes, root, "dir", NODE_DIR);
	file = add_kind(nodes, dir, "file", NODE_FILE);
	check_place(root, "bucket", "pre/fix/");
	check_place(dir, "bucket", "pre/fix/dir/");
	check_place(file, "bucket", "pre/fix/dir/file");
	assert_int_equal(node_child_place(root, STR("new"), false, &place), 0);
	assert_string_equal(place.key, "pre/fix/new");
	assert_int_equal(node_child_place(dir, STR("new"), true, &place), 0);
	assert_string_equal(place.key, "pre/fix/dir/new/");
	assert_ptr_equal(place.view, view);

	/* 1,024 bytes are a key, one more is none. */
	memset(name, 'n', 255);
	name[255] = '\0';
	for (int i = 0; i < 3; i++)
		dir = add_kind(nodes, dir, name, NODE_DIR); /* 12 + 3 * 256 = 780 */
	assert_int_equal(node_child_place(dir, str_n(name, 244), false, &place), 0);
	assert_int_equal(place.key_len, 1024);
	assert_int_equal(node_child_place(dir, str_n(name, 245), false, &place), -ENAMETOOLONG);
	assert_int_equal(node_child_place(dir, str_n(name, 244), true, &place), -ENAMETOOLONG);
	nodes_free(nodes);
	view_unref(view);
}

static void test_place_of_service(void **state)
{
	struct nodes *nodes = new_nodes();
	struct view *view = NULL;
	struct node *root, *bucket, *file;
	struct place place;

	assert_int_equal(view_new(&view), 0);
	assert_int_equal(s3_url_parse("s3://", &view->url), 0);
	assert_int_equal(nodes_add_root(nodes, NODE_SERVICE, view, &root), 0);
	bucket = add_kind(nodes, root, "bucket", NODE_BUCKET);
	file = add_kind(nodes, bucket, "file", NODE_FILE);
	assert_int_equal(node_place(root, &place), -EPERM);
	assert_int_equal(node_child_place(root, STR("name"), false, &place), -EPERM);
	check_place(bucket, "bucket", "");
	check_place(file, "bucket", "file");
	nodes_free(nodes);
	view_unref(view);
}

static void test_fresh(void **state)
{
	struct nodes *nodes = new_nodes();
	struct view *view = NULL;
	struct node *root, *file;

	assert_int_equal(view_new(&view), 0);
	assert_int_equal(s3_url_parse("s3://bucket", &view->url), 0);
	assert_int_equal(nodes_add_root(nodes, NODE_BUCKET, view, &root), 0);
	file = add_kind(nodes, root, "file", NODE_FILE);
	assert_true(node_attr_fresh(root, 1));
	assert_false(node_attr_fresh(file, 1));
	file->local = true;
	assert_true(node_attr_fresh(file, 1));
	assert_int_equal(node_set_attr(file, 5, 6, 7, STR("etag"), STR("GLACIER")), 0);
	assert_false(file->local);
	assert_true(node_attr_fresh(file, file->attr.fetched_ms));
	assert_true(node_attr_fresh(file, file->attr.fetched_ms + 4999));
	assert_false(node_attr_fresh(file, file->attr.fetched_ms + 5000));
	assert_string_equal(file->attr.etag, "etag");
	assert_string_equal(file->attr.storage_class, "GLACIER");
	uint64_t stamp = node_stamp(file);

	assert_int_equal(node_set_attr(file, 1, 2, 3, STR_NONE, STR("")), 0);
	assert_int_not_equal(node_stamp(file), stamp); /* though the clock has not moved */
	assert_null(file->attr.etag);
	assert_null(file->attr.storage_class);

	struct stat st;

	file->attr.size = 513;
	node_stat(file, &st);
	assert_int_equal(st.st_size, 513);
	assert_int_equal(st.st_blocks, 2);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mtim.tv_nsec, 3);
	node_stat(root, &st);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mtim.tv_sec, view->since);
	nodes_free(nodes);
	view_unref(view);
}

/* ---- against a model ---- */

enum { MODEL_MAX = 300, MODEL_STEPS = 40000 };

struct modelled {
	bool alive, gone, is_dir;
	uint64_t ino;
	int parent; /* index; -1: the root */
	char name[40];
	unsigned refs, lookups;
	struct node *node;
};

static struct modelled model[MODEL_MAX];

static bool model_has_children(int at)
{
	for (int i = 0; i < MODEL_MAX; i++)
		if (model[i].alive && model[i].parent == at)
			return true;
	return false;
}

static void model_reap(void)
{
	for (bool again = true; again;) {
		again = false;
		for (int i = 0; i < MODEL_MAX; i++) {
			if (model[i].alive && !model[i].refs && !model[i].lookups && !model_has_children(i)) {
				model[i].alive = false;
				again = true;
			}
		}
	}
}

static int model_child(int parent, const char *name)
{
	for (int i = 0; i < MODEL_MAX; i++)
		if (model[i].alive && !model[i].gone && model[i].parent == parent &&
			strcmp(model[i].name, name) == 0)
			return i;
	return -1;
}

static bool model_below(int at, int above)
{
	while (at >= 0 && at != above)
		at = model[at].parent;
	return at == above;
}

static struct node *model_node(struct node *root, int at)
{
	return at < 0 ? root : model[at].node;
}

static void random_name(char ret[40])
{
	snprintf(ret, 40, "%.*s%d", rand() % 30, "longlonglonglonglonglonglonglong", rand() % 6);
}

/* A directory that is there, or the root. */
static int random_dir(void)
{
	int at = rand() % MODEL_MAX;

	return model[at].alive && model[at].is_dir ? at : -1;
}

static void step_add(struct nodes *nodes, struct node *root, int at)
{
	struct modelled *m = &model[at];
	int parent = random_dir();
	char name[40];
	struct node *node = NULL;

	random_name(name);
	bool is_dir = rand() % 2;
	int got = nodes_add(
		nodes, model_node(root, parent), str_of(name), is_dir ? NODE_DIR : NODE_FILE, &node);

	if (model_child(parent, name) >= 0) {
		assert_int_equal(got, -EEXIST);
		return;
	}
	assert_int_equal(got, 0);
	/* A name that went has its number again. */
	for (int i = 0; i < MODEL_MAX; i++)
		if (!model[i].alive && model[i].ino == node->ino)
			model[i].ino = 0;
	*m = (struct modelled){
		.alive = true, .is_dir = is_dir, .ino = node->ino, .parent = parent, .refs = 1, .node = node};
	strcpy(m->name, name);
}

static void step_move(struct nodes *nodes, struct node *root, int at)
{
	struct modelled *m = &model[at];
	int parent = random_dir();
	char name[40];

	random_name(name);
	int there = model_child(parent, name), wanted = 0;

	if (m->gone || model_below(parent, at))
		wanted = -EINVAL;
	else if (there >= 0)
		wanted = there == at ? 0 : -EEXIST;
	assert_int_equal(nodes_move(nodes, m->node, model_node(root, parent), str_of(name)), wanted);
	if (wanted == 0) {
		m->parent = parent;
		strcpy(m->name, name);
	}
}

static void step_hold(struct nodes *nodes, struct modelled *m)
{
	switch (rand() % 4) {
	case 0:
		node_ref(m->node);
		m->refs++;
		break;
	case 1:
		node_lookup_add(m->node);
		m->lookups++;
		break;
	case 2:
		if (m->refs) {
			m->refs--;
			node_unref(nodes, m->node);
		}
		break;
	default:
		if (m->lookups) {
			unsigned count = 1 + (unsigned)rand() % m->lookups;

			m->lookups -= count;
			node_forget(nodes, m->node, count);
		}
	}
}

static void model_compare(struct nodes *nodes, struct node *root)
{
	uint64_t count = 1;

	for (int i = 0; i < MODEL_MAX; i++) {
		struct modelled *m = &model[i];
		struct node *found = m->ino ? nodes_find(nodes, m->ino) : NULL;

		assert_ptr_equal(found, m->alive ? m->node : NULL);
		if (!m->alive)
			continue;
		count++;
		assert_string_equal(found->name, m->name);
		assert_int_equal(found->gone, m->gone);
		assert_ptr_equal(found->parent, model_node(root, m->parent));
		if (!m->gone)
			assert_ptr_equal(nodes_child(nodes, found->parent, str_of(m->name)), found);
	}
	assert_int_equal(nodes_count(nodes), count);
}

static void test_against_model(void **state)
{
	struct nodes *nodes = new_nodes();
	struct node *root;

	assert_int_equal(nodes_add_root(nodes, NODE_BUCKET, NULL, &root), 0);
	srand(11);
	for (int step = 0; step < MODEL_STEPS; step++) {
		int at = rand() % MODEL_MAX;
		struct modelled *m = &model[at];

		if (!m->alive) {
			step_add(nodes, root, at);
		} else if (rand() % 4 == 0) {
			step_move(nodes, root, at);
		} else if (rand() % 10 == 0) {
			nodes_detach(nodes, m->node);
			m->gone = true;
		} else {
			step_hold(nodes, m);
		}
		model_reap();
		if (step % 20 == 0) {
			model_compare(nodes, root);
			nodes_check(nodes);
		}
	}
	nodes_free(nodes);
}

static void test_many(void **state)
{
	enum { MANY = 200000 };
	struct nodes *nodes = new_nodes();
	struct node *root;
	char name[16];

	assert_int_equal(nodes_add_root(nodes, NODE_BUCKET, NULL, &root), 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i);
		add_kind(nodes, root, name, NODE_FILE);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i);
		struct node *node = nodes_child(nodes, root, str_of(name));

		assert_non_null(node);
		assert_int_equal(node->ino, i + 2);
		node_unref(nodes, node);
	}
	assert_int_equal(nodes_count(nodes), 1);
	nodes_free(nodes);
}

/* What S3 says of the same content never changes its time, in whatever form it says it. */
static void test_times_stay(void **state)
{
	struct nodes *nodes = new_nodes();
	struct node *root, *file;
	struct node_said said = {.size = 5, .modified = 1000, .etag = STR("a"), .storage_class = STR_NONE};

	assert_int_equal(nodes_add_root(nodes, NODE_BUCKET, NULL, &root), 0);
	file = add_kind(nodes, root, "file", NODE_FILE);
	assert_int_equal(node_learn(file, &said), 0);
	assert_int_equal(file->attr.mtime, 1000);
	/* Rounded up elsewhere, or with another ETag at the same time: Swift. */
	said.modified = 1001;
	assert_int_equal(node_learn(file, &said), 0);
	assert_int_equal(file->attr.mtime, 1000);
	said.etag = STR("a-2");
	assert_int_equal(node_learn(file, &said), 1);
	assert_int_equal(file->attr.mtime, 1000);
	/* Another content. */
	said = (struct node_said){.size = 5, .modified = 1003, .etag = STR("b")};
	assert_int_equal(node_learn(file, &said), 1);
	assert_int_equal(file->attr.mtime, 1003);
	/* Saved here, told later. */
	assert_int_equal(node_set_attr(file, 7, 2000, 5, STR("c"), STR_NONE), 0);
	said = (struct node_said){.size = 7, .modified = 2002, .etag = STR("c")};
	assert_int_equal(node_learn(file, &said), 0);
	assert_int_equal(file->attr.mtime, 2000);
	assert_int_equal(file->attr.mtime_nsec, 5);
	said.modified = 0;
	assert_int_equal(node_learn(file, &said), 0);
	assert_int_equal(file->attr.mtime, 2000);
	/* A directory's: the first. */
	struct node *dir = add_kind(nodes, root, "dir", NODE_DIR);

	assert_int_equal(node_learn(dir, &(struct node_said){.modified = 0}), 0);
	assert_int_equal(node_learn(dir, &(struct node_said){.modified = 7}), 0);
	assert_int_equal(dir->attr.mtime, 0);
	node_unref(nodes, dir);
	node_unref(nodes, file);
	node_unref(nodes, root);
	nodes_free(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_times_stay),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_free_hook),
		cmocka_unit_test(test_place_kept),
		cmocka_unit_test(test_place_of_prefix),
		cmocka_unit_test(test_place_of_service),
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
