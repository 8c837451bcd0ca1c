/* The states of a draft (fs/file/draft.h) and what may be done in each. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/file/draft_internal.h"
#include "fs/file/handle.h"
#include "fs/file/upkeep.h"

struct bench {
	struct hub hub;
	struct node *root, *source, *file;
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	assert_int_equal(nodes_new(&bench->hub.nodes), 0);
	assert_int_equal(files_new(&bench->hub.files), 0);
	assert_int_equal(nodes_add_root(bench->hub.nodes, NODE_BUCKET, NULL, &bench->root), 0);
	assert_int_equal(
		nodes_add(bench->hub.nodes, bench->root, STR("source"), NODE_FILE, &bench->source), 0);
	assert_int_equal(nodes_add(bench->hub.nodes, bench->root, STR("file"), NODE_FILE, &bench->file), 0);
	pthread_mutex_init(&bench->hub.lock, NULL);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	if (bench->file->draft)
		draft_trash(draft_detach(&bench->hub, bench->file));
	files_free(&bench->hub);
	nodes_free(bench->hub.nodes);
	pthread_mutex_destroy(&bench->hub.lock);
	free(bench);
	return 0;
}

static struct draft *make_empty(struct bench *bench)
{
	int to_close = -1;

	assert_int_equal(draft_make_empty(&bench->hub, bench->file, &to_close), 0);
	if (to_close >= 0)
		close(to_close);
	return bench->file->draft;
}

static int64_t copy(struct bench *bench, uint64_t from, uint64_t to, uint64_t len, bool *ret_whole)
{
	const struct draft_range range = {.source = bench->source,
		.etag = STR("e1"),
		.source_size = 1000,
		.from = from,
		.to = to,
		.len = len};

	*ret_whole = false;
	return draft_copy(&bench->hub, bench->file, &range, ret_whole);
}

static int file(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_empty(void **state)
{
	struct bench *bench = *state;
	struct draft *draft = make_empty(bench);

	assert_true(draft_dirty(draft));
	assert_true(draft->existed); /* the node is not `local` */
	assert_int_equal(draft_size(draft), 0);
	assert_int_equal(draft_read_step(draft), DRAFT_GO);
	assert_int_equal(draft_edit_step(draft), DRAFT_LOAD); /* of nothing: it needs its file */
	assert_int_equal(draft_flush_step(draft), DRAFT_STORE);
}

static void test_copy_in_pieces(void **state)
{
	struct bench *bench = *state;
	struct draft *draft = make_empty(bench);
	bool whole;

	assert_int_equal(copy(bench, 0, 0, 600, &whole), 600);
	assert_false(whole);
	assert_int_equal(draft_size(draft), 600);
	assert_int_equal(draft_flush_step(draft), DRAFT_LOAD);
	assert_int_equal(draft_read_step(draft), DRAFT_LOAD);
	/* Neither a gap nor what is there already. */
	assert_int_equal(copy(bench, 700, 700, 10, &whole), -EOPNOTSUPP);
	assert_int_equal(copy(bench, 0, 0, 600, &whole), -EOPNOTSUPP);
	assert_int_equal(draft_size(draft), 600);
	/* More than there is becomes what there is. */
	assert_int_equal(copy(bench, 600, 600, 5000, &whole), 400);
	assert_true(whole);
	assert_int_equal(draft_flush_step(draft), DRAFT_STORE);
	assert_int_equal(draft_read_step(draft), DRAFT_STORE);
	assert_int_equal(copy(bench, 1000, 1000, 1, &whole), -EOPNOTSUPP);
}

static void test_not_a_copy(void **state)
{
	struct bench *bench = *state;
	bool whole;

	assert_int_equal(copy(bench, 0, 0, 1000, &whole), -EOPNOTSUPP); /* nothing was truncated */
	make_empty(bench);
	assert_int_equal(copy(bench, 1, 0, 10, &whole), -EOPNOTSUPP);
	assert_int_equal(copy(bench, 0, 1, 10, &whole), -EOPNOTSUPP);
	assert_int_equal(copy(bench, 5, 5, 10, &whole), -EOPNOTSUPP);
	bench->file->draft->disowned = true;
	assert_int_equal(copy(bench, 0, 0, 1000, &whole), -EOPNOTSUPP);
}

static void test_copy_waits(void **state)
{
	struct bench *bench = *state;
	struct draft *draft = make_empty(bench);
	bool whole;

	draft->activity = DRAFT_STORING;
	assert_int_equal(copy(bench, 0, 0, 1000, &whole), -EAGAIN);
	draft->activity = DRAFT_IDLE;
}

static void test_copy_becomes_data(void **state)
{
	struct bench *bench = *state;
	struct draft *draft = make_empty(bench);
	bool whole;
	uint32_t refs = bench->source->refs;

	assert_int_equal(copy(bench, 0, 0, 600, &whole), 600);
	assert_int_equal(bench->source->refs, refs + 1);
	assert_ptr_equal(bench->hub.files->copies, draft);
	draft->activity = DRAFT_LOADING;
	draft_check(draft);
	assert_int_equal(draft_edit_step(draft), DRAFT_WAIT);
	assert_int_equal(draft_read_step(draft), DRAFT_WAIT);
	assert_int_equal(draft_flush_step(draft), DRAFT_WAIT);
	/* A failure leaves it what it was, and is not tried again by itself. */
	draft_loaded(draft, -EIO, -1, 0);
	draft_check(draft);
	assert_int_equal(draft->content, DRAFT_COPY);
	assert_int_equal(draft->error, -EIO);
	draft->activity = DRAFT_LOADING;
	draft_source_drop(&bench->hub, draft);
	assert_int_equal(bench->source->refs, refs);
	assert_null(bench->hub.files->copies);
	draft_loaded(draft, 0, file(), 600);
	draft_check(draft);
	assert_int_equal(draft->content, DRAFT_DATA);
	assert_int_equal(draft->error, 0);
	assert_true(draft_dirty(draft));
	assert_int_equal(draft_edit_step(draft), DRAFT_GO);
	assert_int_equal(draft_flush_step(draft), DRAFT_STORE);
}

static void test_object(void **state)
{
	struct bench *bench = *state;
	struct draft *draft = draft_new(DRAFT_OBJECT, true);

	bench->file->draft = draft;
	draft->size = 500;
	draft->activity = DRAFT_LOADING;
	draft_check(draft);
	assert_false(draft_dirty(draft));
	assert_int_equal(draft_flush_step(draft), DRAFT_GO);
	draft_loaded(draft, 0, file(), 500);
	assert_false(draft_dirty(draft));
	/* Less was kept: that is a change already. */
	close(draft->fd);
	draft->fd = -1;
	draft->content = DRAFT_OBJECT;
	draft_loaded(draft, 0, file(), 100);
	assert_true(draft_dirty(draft));
	assert_int_equal(draft_size(draft), 100);
	draft_check(draft);
}

static void test_storing(void **state)
{
	struct bench *bench = *state;
	struct draft *draft = make_empty(bench);

	draft_loaded(draft, 0, file(), 0);
	draft->io = 1;
	assert_int_equal(draft_edit_step(draft), DRAFT_GO); /* writers go on beside each other */
	assert_int_equal(draft_flush_step(draft), DRAFT_WAIT);
	draft->io = 0;
	draft->activity = DRAFT_STORING;
	draft_check(draft);
	assert_int_equal(draft_read_step(draft), DRAFT_GO);
	assert_int_equal(draft_edit_step(draft), DRAFT_WAIT);
	draft_stored(draft, -EACCES);
	assert_true(draft_dirty(draft));
	assert_int_equal(draft->error, -EACCES);
	draft->untold = true;
	assert_int_equal(draft_take_untold(draft), -EACCES);
	assert_int_equal(draft_take_untold(draft), 0);
	/* Tried again. */
	assert_int_equal(draft_flush_step(draft), DRAFT_STORE);
	draft->activity = DRAFT_STORING;
	draft_stored(draft, 0);
	assert_false(draft_dirty(draft));
	assert_true(draft->existed);
	assert_int_equal(draft->error, 0);
	assert_int_equal(draft_flush_step(draft), DRAFT_GO);
	draft_check(draft);
	draft_changed(draft);
	assert_true(draft_dirty(draft));
}

static void test_disowned(void **state)
{
	struct bench *bench = *state;
	struct draft *draft = make_empty(bench);
	bool whole;

	assert_int_equal(copy(bench, 0, 0, 1000, &whole), 1000);
	draft_disown(&bench->hub, bench->file);
	assert_ptr_equal(bench->file->draft, draft);
	assert_false(draft_dirty(draft));
	assert_int_equal(draft_flush_step(draft), DRAFT_GO);
	/* It can't be made, but it can be read. */
	assert_int_equal(draft_read_step(draft), DRAFT_LOAD);
}

static void test_emptied(void **state)
{
	struct bench *bench = *state;
	struct draft *draft = make_empty(bench);
	int fd = file(), to_close = -1;

	draft_loaded(draft, 0, fd, 0);
	draft->size = 77;
	assert_int_equal(draft_make_empty(&bench->hub, bench->file, &to_close), 0);
	assert_int_equal(to_close, fd);
	close(fd);
	assert_ptr_equal(bench->file->draft, draft);
	assert_int_equal(draft_size(draft), 0);
	draft_check(draft);
}

/* What may be there when it is stored (fs/file/draft.h, "The object that a draft replaces"). */
static void test_condition(void **state)
{
	struct bench *bench = *state;
	struct draft *draft = make_empty(bench);
	int to_close = -1;

	assert_false(draft->create_only);
	assert_false(draft_is_conflict(draft, -EEXIST));
	draft_create_only(draft, true);
	assert_true(draft_is_conflict(draft, -EEXIST));
	assert_false(draft_is_conflict(draft, -EACCES));
	/* Emptied by who made it. */
	make_empty(bench);
	assert_true(draft->create_only);
	/* Not O_EXCL: emptied is overwritten. */
	draft_create_only(draft, false);
	assert_int_equal(draft_make_empty(&bench->hub, bench->file, &to_close), 0);
	assert_false(draft->create_only);
	/* Stored: an object of ours, from which it goes on. */
	draft_create_only(draft, true);
	draft_loaded(draft, 0, file(), 0);
	draft->activity = DRAFT_STORING;
	draft_stored(draft, 0);
	assert_false(draft->create_only);
	draft_based(draft, "e1");
	assert_true(draft_is_conflict(draft, -ESTALE));
	draft_follow(draft, "e0", "e2");
	assert_string_equal(draft->base, "e1");
	draft_follow(draft, "e1", "e2");
	assert_string_equal(draft->base, "e2");
	draft_based(draft, "");
	assert_true(draft->create_only);
	close(draft->fd);
	draft->fd = -1;
	draft->content = DRAFT_EMPTY;
}

/* ---- who waits ---- */

struct waiter {
	struct draft_wait wait;
	unsigned number;
	struct waiter *then; /* woken from inside */
};

static unsigned order[8], woken;

static void wake(struct draft_wait *wait, enum draft_activity ended, int error)
{
	struct waiter *waiter = (struct waiter *)wait;

	assert_int_equal(ended, DRAFT_LOADING);
	assert_int_equal(error, -EIO);
	if (waiter->then)
		draft_run_waits(&waiter->then->wait, ended, error);
	order[woken++] = waiter->number;
}

static void test_waits(void **state)
{
	struct bench *bench = *state;
	struct draft *draft = make_empty(bench);
	struct waiter third = {.wait.run = wake, .number = 3};
	struct waiter first = {.wait.run = wake, .number = 1, .then = &third};
	struct waiter second = {.wait.run = wake, .number = 2};

	draft->activity = DRAFT_STORING;
	draft_await(draft, &first.wait);
	draft_await(draft, &second.wait);
	draft->activity = DRAFT_IDLE;
	woken = 0;
	draft_run_waits(draft_take_waits(draft), DRAFT_LOADING, -EIO);
	assert_null(draft->first);
	assert_int_equal(woken, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(order[i], i + 1);
}

/* When content of a file that stays open is stored by itself (fs/file/upkeep.h). */
static void test_due(void **state)
{
	struct bench *bench = *state;
	struct draft *draft = make_empty(bench);

	draft_loaded(draft, 0, file(), 0);
	draft->dirty_ms = 1000;
	draft->changed_ms = 2000;
	draft->size = 10;
	assert_int_equal(upkeep_due(draft, 0, false), UINT64_MAX);
	assert_int_equal(upkeep_due(draft, 30000, false), 32000);
	draft->changed_ms = 290000; /* written all the time */
	assert_int_equal(upkeep_due(draft, 30000, false), 301000);
	/* A log: soon, twice, then less and less often. */
	assert_int_equal(upkeep_due(draft, 30000, true), 4000);
	draft->rounds = 1;
	assert_int_equal(upkeep_due(draft, 30000, true), 4000);
	draft->rounds = 2;
	assert_int_equal(upkeep_due(draft, 30000, true), 7000);
	draft->rounds = 1000;
	assert_int_equal(upkeep_due(draft, 30000, true), 31000);
	draft->size = UPKEEP_SMALL + 1;
	assert_int_equal(upkeep_due(draft, 30000, true), 301000);
	/* One that takes long goes on for a tenth of the time at most; one that failed waits. */
	draft->tried_ms = 300000;
	draft->took_ms = 5000;
	assert_int_equal(upkeep_due(draft, 30000, false), 350000);
	draft->took_ms = 1;
	draft->error = -EIO;
	assert_int_equal(upkeep_due(draft, 30000, false), 600000);
	draft->conflict = true;
	assert_int_equal(upkeep_due(draft, 30000, false), UINT64_MAX);
	draft->conflict = false;
	draft->error = 0;
	draft->dirty = false;
	assert_int_equal(upkeep_due(draft, 30000, false), UINT64_MAX);
	/* What was emptied replaces nothing by itself; a new empty file does not, either. */
	draft = make_empty(bench);
	draft->existed = true;
	assert_int_equal(upkeep_due(draft, 30000, false), UINT64_MAX);
	draft->existed = false;
	assert_int_not_equal(upkeep_due(draft, 30000, false), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_copy_in_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_a_copy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_copy_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_copy_becomes_data, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_object, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_storing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_disowned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_emptied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_condition, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_due, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
