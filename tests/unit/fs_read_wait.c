/* Which waiting reads a chunk wakes, and which chunks go when there is no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "fs/file/handle.h"
#include "fs/file/read_wait.h"

struct fixture {
	struct hub hub;
	struct handle handle;
};

struct test_read {
	struct read_wait wait; /* first */
	bool answered;
	unsigned ran; /* its number in the order of the runs; 0: not run */
	struct read_wait *then; /* run inside its run */
};

static unsigned runs;

static bool test_read_wanted(const struct read_wait *wait)
{
	return !((const struct test_read *)wait)->answered;
}

static void test_read_run(struct read_wait *wait)
{
	struct test_read *read = (struct test_read *)wait;

	read_wait_run(read->then);
	read->ran = ++runs;
}

static struct test_read read_of(struct fixture *fixture, uint64_t from, uint64_t len)
{
	return (struct test_read){.wait = {.handle = &fixture->handle,
					  .from = from,
					  .len = len,
					  .wanted = test_read_wanted,
					  .run = test_read_run}};
}

static struct chunk *add_chunk(struct fixture *fixture, uint64_t start, size_t len, bool ready)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + 1); /* a test reads no byte of it */
	struct chunk **at = &fixture->handle.ahead.chunks;

	assert_non_null(chunk);
	chunk->hub = &fixture->hub;
	chunk->handle = &fixture->handle;
	chunk->start = start;
	chunk->len = len;
	chunk->ready = ready;
	while (*at && (*at)->start < start)
		at = &(*at)->next;
	chunk_insert(chunk, at);
	return chunk;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	assert_int_equal(files_new(&fixture->hub.files), 0);
	runs = 0;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	chunks_drop(&fixture->hub, &fixture->handle);
	assert_int_equal(fixture->hub.files->chunks.bytes, 0);
	free(fixture->hub.files);
	free(fixture);
	return 0;
}

/* A read is woken when all of its bytes are here, and holds them. */
static void test_all_bytes(void **state)
{
	struct fixture *fixture = *state;
	struct test_read both = read_of(fixture, 50, 100), first = read_of(fixture, 0, 100);
	struct chunk *one = add_chunk(fixture, 0, 100, true), *two = add_chunk(fixture, 100, 100, false);

	read_wait_park(&both.wait);
	read_wait_park(&first.wait);
	struct read_wait *woken = read_wait_chunk_done(&fixture->handle, 0, 100, 0);

	assert_ptr_equal(woken, &first.wait);
	assert_null(woken->next);
	assert_int_equal(first.wait.piece_count, 1);
	two->ready = true;
	woken = read_wait_chunk_done(&fixture->handle, 100, 100, 0);
	assert_ptr_equal(woken, &both.wait);
	assert_int_equal(both.wait.piece_count, 2);
	assert_ptr_equal(both.wait.pieces[0].data, one->data + 50);
	assert_int_equal(both.wait.pieces[0].len, 50);
	assert_int_equal(both.wait.pieces[1].len, 50);
	assert_null(fixture->handle.reads);
	assert_int_equal(one->refs, 2);
	/* dropped, and freed with the last ref */
	chunks_drop(&fixture->hub, &fixture->handle);
	chunks_put(&fixture->hub, first.wait.pieces, 1);
	chunks_put(&fixture->hub, both.wait.pieces, 2);
	free(first.wait.pieces);
	free(both.wait.pieces);
}

static void test_failure(void **state)
{
	struct fixture *fixture = *state;
	struct test_read hit = read_of(fixture, 0, 10), beside = read_of(fixture, 10, 10);

	read_wait_park(&hit.wait);
	read_wait_park(&beside.wait);
	assert_ptr_equal(read_wait_chunk_done(&fixture->handle, 0, 10, -EIO), &hit.wait);
	assert_int_equal(hit.wait.error, -EIO);
	assert_ptr_equal(read_wait_chunk_done(&fixture->handle, 10, 10, READ_WAIT_ANEW), &beside.wait);
	assert_int_equal(beside.wait.error, 0);
	assert_null(beside.wait.pieces);
}

/* Chunks that a read holds or waits for, and those on their way, stay; of the others the oldest go first. */
static void test_room(void **state)
{
	struct fixture *fixture = *state;
	struct chunks *pool = &fixture->hub.files->chunks;
	struct test_read waits = read_of(fixture, CHUNKS_MAX / 4, 1);
	size_t quarter = (size_t)(CHUNKS_MAX / 4);

	add_chunk(fixture, 0, quarter, false);
	add_chunk(fixture, quarter, quarter, true);
	add_chunk(fixture, 2 * quarter, quarter, true);
	add_chunk(fixture, 3 * quarter, quarter, true);
	read_wait_park(&waits.wait);
	assert_true(read_wait_wants(&fixture->handle, quarter, quarter));
	assert_false(read_wait_wants(&fixture->handle, 2 * quarter, quarter));
	assert_true(chunks_make_room(pool, 1));
	assert_false(
		chunks_ready(&fixture->handle, 2 * quarter, 1)); /* the oldest of those that nobody needs */
	assert_true(chunks_ready(&fixture->handle, 3 * quarter, 1));
	assert_true(chunks_make_room(pool, 2 * quarter));
	assert_false(chunks_make_room(pool, 3 * quarter));
	assert_true(chunks_ready(&fixture->handle, quarter, quarter));
	waits.answered = true; /* its program was killed */
	assert_false(read_wait_wants(&fixture->handle, quarter, quarter));
	assert_true(chunks_make_room(pool, 3 * quarter));
	assert_int_equal(chunks_missing(&fixture->handle, 0, CHUNKS_MAX), 3 * quarter);
	fixture->handle.ahead.chunks->ready = true;
}

/* Reads that wait for room run in the order of their coming, one after the other. */
static void test_starved(void **state)
{
	struct fixture *fixture = *state;
	struct test_read reads[3] = {read_of(fixture, 0, 1), read_of(fixture, 1, 1), read_of(fixture, 2, 1)};

	add_chunk(fixture, 0, (size_t)CHUNKS_MAX, true);
	read_wait_starve(&fixture->hub, &reads[0].wait);
	read_wait_starve(&fixture->hub, &reads[1].wait);
	assert_null(read_wait_take_starved(&fixture->hub));
	chunks_drop(&fixture->hub, &fixture->handle);
	struct read_wait *first = read_wait_take_starved(&fixture->hub);

	assert_ptr_equal(first, &reads[0].wait);
	assert_null(read_wait_take_starved(&fixture->hub));
	reads[0].then = &reads[2].wait;
	read_wait_run(first);
	assert_int_equal(reads[0].ran, 1);
	assert_int_equal(reads[1].ran, 2);
	assert_int_equal(reads[2].ran, 3);
	read_wait_run(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failure, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_starved, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
