/* The lister against the embedded server: every key exactly once, whatever the tree, however it is split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include "engine/wire/engine.h"
#include "engine/list/lister.h"
#include "tests/unit/support/server.h"

static const char *argv0;
static struct server server;
static struct engine *engine;
static struct account *account;

/* One listing and what came of it; keys are sorted and compared at the end. */
static struct listing {
	struct task task;
	struct lister_options options;
	struct lister *lister;
	char **keys;
	size_t count, size;
	unsigned pages, held, held_max, cancel_at;
	bool ordered;
	struct page *waiting; /* held back until the next page comes */
	bool hold;
	int error;
	char code[ANSWER_CODE_MAX + 1];
	bool done;
} listing;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

static void add_key(struct str key)
{
	struct buf text;
	buf_init(&text, 4 * KEY_MAX);
	key_encode(&text, key, true);
	if (listing.count == listing.size) {
		listing.size = listing.size * 2 + 1024;
		listing.keys = realloc(listing.keys, listing.size * sizeof(*listing.keys));
		assert_non_null(listing.keys);
	}
	listing.keys[listing.count++] = strdup(buf_text(&text));
	buf_release(&text);
}

static void on_page(void *user, struct page *page)
{
	listing.pages++;
	assert_true(page->count > 0);
	for (unsigned i = 0; i < page->count; i++) {
		add_key(page->entries[i].key);
		if (i > 0 && listing.options.delimiter.data == NULL)
			assert_true(str_cmp(page->entries[i - 1].key, page->entries[i].key) < 0);
	}
	if (listing.cancel_at == listing.pages)
		lister_cancel(listing.lister);
	if (listing.hold && listing.waiting == NULL) {
		listing.waiting = page;
		return;
	}
	if (listing.waiting != NULL) {
		page_free(listing.waiting);
		listing.waiting = NULL;
		lister_credit(listing.lister, 1);
	}
	lister_recycle(listing.lister, page);
}

static void on_done(void *user, int error, const struct s3_answer *answer)
{
	page_free(listing.waiting);
	listing.waiting = NULL;
	pthread_mutex_lock(&lock);
	listing.error = error;
	if (answer != NULL)
		memcpy(listing.code, answer->error.code, sizeof(listing.code));
	listing.done = true;
	pthread_cond_signal(&ended);
	pthread_mutex_unlock(&lock);
}

static void run_start(struct task *task, struct worker *worker)
{
	int err = lister_start(worker, &listing.options, &listing.lister);
	if (err != 0)
		on_done(NULL, err, NULL);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(const char *prefix, const char *delimiter, unsigned streams)
{
	listing.options.account = account;
	listing.options.bucket = STR("keys");
	listing.options.prefix = str_of(prefix);
	listing.options.delimiter = delimiter != NULL ? str_of(delimiter) : STR_NONE;
	listing.options.streams = streams;
	listing.options.credits = listing.options.credits != 0 ? listing.options.credits : streams + 2;
	listing.options.on_page = on_page;
	listing.options.on_done = on_done;
	listing.task.run = run_start;
	server_reset(&server);
	worker_post(engine_worker(engine, 0), &listing.task);
	pthread_mutex_lock(&lock);
	while (!listing.done)
		pthread_cond_wait(&ended, &lock);
	pthread_mutex_unlock(&lock);
	if (listing.count > 0)
		qsort(listing.keys, listing.count, sizeof(*listing.keys), by_text);
	return listing.error;
}

static void listing_free(void)
{
	for (size_t i = 0; i < listing.count; i++)
		free(listing.keys[i]);
	free(listing.keys);
	memset(&listing, 0, sizeof(listing));
}

/* What the server holds, as list() gathers it. */
static void assert_all(const char *prefix)
{
	char *text = server_keys(&server, "keys", prefix), *line = text;
	size_t count = 0, size = listing.count;
	char **keys = calloc(size + 1, sizeof(*keys));
	for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		if (count < size)
			keys[count] = line;
		count++;
		*strchr(line, '\t') = '\0';
	}
	assert_int_equal(count, size);
	/* The server may escape otherwise: compared as bytes. */
	struct buf a, b;
	buf_init(&a, KEY_MAX);
	buf_init(&b, KEY_MAX);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&a);
		key_decode(&a, str_of(keys[i]), false);
		buf_clear(&b);
		key_encode(&b, buf_str(&a), true);
		keys[i] = strdup(buf_text(&b));
	}
	qsort(keys, count, sizeof(*keys), by_text);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(keys[i], listing.keys[i]);
	for (size_t i = 0; i < count; i++)
		free(keys[i]);
	buf_release(&a);
	buf_release(&b);
	free(keys);
	free(text);
}

static int setup(void **state)
{
	static const char *const args[] = {"--bucket=keys", NULL};
	struct engine_options options = {.workers = 1, .inflight = 32, .retries = 4, .timeout_ms = 5000};
	struct account_options account_options = {.addressing = NULL};
	char why[ACCOUNT_WHY_MAX];
	memset(&listing, 0, sizeof(listing));
	server_start(&server, argv0, args);
	assert_int_equal(engine_new(&options, &engine), 0);
	assert_int_equal(account_open(&account_options, &account, why), 0);
	return 0;
}

static int teardown(void **state)
{
	listing_free();
	engine_free(engine);
	account_unref(account);
	server_stop(&server);
	return 0;
}

static void __attribute__((format(printf, 1, 2))) put(const char *format, ...)
{
	char key[256];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(key, sizeof(key), format, args);
	va_end(args);
	server_put(&server, "keys", key, (size_t)len, "x");
}

/* With one stream, several, and small pages, so that there is much to split. */
static void check_ways(const char *prefix)
{
	static const struct {
		unsigned streams, page_size, credits;
		bool hold;
	} ways[] = {
		{1, 0, 0, false}, {4, 0, 0, false}, {8, 50, 0, false}, {16, 7, 40, false}, {8, 50, 3, true}};
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		listing_free();
		listing.options.page_size = ways[i].page_size;
		listing.options.credits = ways[i].credits;
		listing.hold = ways[i].hold;
		assert_int_equal(list(prefix, NULL, ways[i].streams), 0);
		assert_all(prefix);
	}
}

static void test_flat(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=flat&count=3000");
	server_put(&server, "keys", "flat", 4, "x");
	server_put(&server, "keys", "flau", 4, "x");
	check_ways("flat/");
}

static void test_deep(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=deep&count=3000&dirs=4&depth=4");
	check_ways("deep/");
	check_ways("");
}

static void test_skewed(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=s/aaa/one&count=2500");
	for (unsigned i = 0; i < 26; i++)
		put("s/zebra/%u", i);
	put("s/~");
	put("s/!");
	check_ways("s/");
}

static void test_random(void **state)
{
	uint64_t random = 88172645463325252u;
	for (unsigned i = 0; i < 1500; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		if (i % 3 == 0)
			put("r/%08x", (unsigned)(random >> 32));
		else if (i % 3 == 1)
			put("r/%u/x", (unsigned)(random >> 32));
		else
			put("r/x%x/y/z", (unsigned)(random >> 32));
	}
	check_ways("r/");
}

static void test_odd_keys(void **state)
{
	char key[16];
	for (unsigned c = 1; c < 256; c++) {
		int len = snprintf(key, sizeof(key), "o/%c", (int)c);
		server_put(&server, "keys", key, (size_t)len, "x");
		len = snprintf(key, sizeof(key), "o/%c%c/", (int)c, (int)(256 - c));
		server_put(&server, "keys", key, (size_t)len, "x");
		len = snprintf(key, sizeof(key), "o/m\xc3\xa4%c/n", (int)c);
		server_put(&server, "keys", key, (size_t)len, "x");
	}
	for (unsigned i = 0x400; i < 0x500; i++) {
		char point[3] = {(char)(0xc0 | i >> 6), (char)(0x80 | (i & 0x3f)), '\0'};
		int len = snprintf(key, sizeof(key), "o/%s%s", point, point);
		server_put(&server, "keys", key, (size_t)len, "x");
	}
	check_ways("o/");
}

/* Many pages at once cost little more than one after another. */
static void test_few_requests(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=many&count=100000");
	listing.options.credits = 16;
	server_post(&server, "set?latency.list=100"); /* longer than a slow machine reads a page */
	assert_int_equal(list("many/", NULL, 8), 0);
	assert_int_equal(listing.count, 100000);
	print_message("100 pages in %u requests\n", (unsigned)server_count(&server, "list"));
	/* Guesses are a matter of timing: at most one for each page. */
	assert_true(server_count(&server, "list") <= 200);
	assert_true(server_stat(&server, "in_flight_peak") > 1);
}

/* The listing is cut at directories, also where there is one in one at first, and not at guesses. */
static void test_directories(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=only/one/deep&count=20000&dirs=40");
	listing.options.credits = 16;
	listing.options.scout_early = true;
	assert_int_equal(list("only/", NULL, 8), 0);
	assert_int_equal(listing.count, 20000);
	print_message("20 pages in 40 directories in %u requests\n", (unsigned)server_count(&server, "list"));
	assert_true(server_count(&server, "list") <= 45);
}

/* A look at the directories that is refused is no matter: it is the first request, and the listing the
 * second. */
static void test_directories_refused(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=refused&count=3000&dirs=3");
	listing.options.scout_early = true;
	server_fault(&server, "op=list,nth=1,action=403:AccessDenied");
	assert_int_equal(list("refused/", NULL, 8), 0);
	assert_int_equal(listing.count, 3000);
}

/* One that has no answer yet when all is listed is not waited for. */
static void test_directories_late(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=late&count=30&dirs=3");
	listing.options.scout_early = true;
	server_fault(&server, "op=list,nth=1,action=stall:600000");
	assert_int_equal(list("late/", NULL, 8), 0);
	assert_int_equal(listing.count, 30);
}

/* A tree of one page costs one request. */
static void test_small_tree(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=few&count=900&dirs=9");
	assert_int_equal(list("few/", NULL, 8), 0);
	assert_int_equal(listing.count, 900);
	assert_int_equal(server_count(&server, "list"), 1);
}

static void test_nothing(void **state)
{
	assert_int_equal(list("none/", NULL, 4), 0);
	assert_int_equal(listing.pages, 0);
}

static void test_delimiter(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=d&count=600&dirs=300");
	put("d/plain");
	server_put(&server, "keys", "d/", 2, "");
	for (unsigned page_size = 0; page_size <= 14; page_size += 7) {
		listing_free();
		listing.options.page_size = page_size;
		assert_int_equal(list("d/", "/", 4), 0);
		assert_int_equal(listing.count, 302);
		for (size_t i = 1; i < listing.count; i++)
			assert_true(strcmp(listing.keys[i - 1], listing.keys[i]) < 0);
	}
}

static void test_start_after(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=flat&count=3000");
	listing.options.start_after = STR("flat/file001999");
	assert_int_equal(list("flat/", NULL, 4), 0);
	assert_int_equal(listing.count, 1001);
}

static void test_faults(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=flat&count=5000");
	server_fault(&server, "op=list,share=0.1,seed=1,action=503:SlowDown\n"
			      "op=list,share=0.05,seed=2,action=reset\n"
			      "op=list,share=0.05,seed=3,action=truncate");
	check_ways("flat/");
}

static void test_refused(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=flat&count=5000");
	server_fault(&server, "op=list,from=4,action=403:AccessDenied");
	assert_int_equal(list("flat/", NULL, 4), -EACCES);
	assert_string_equal(listing.code, "AccessDenied");
}

static void test_outside(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=flat&count=5000");
	server_fault(&server, "op=list,action=outside");
	assert_int_equal(list("flat/", NULL, 4), -EBADMSG);
}

static void test_cancel(void **state)
{
	server_post(&server, "seed?bucket=keys&prefix=flat&count=20000");
	listing.cancel_at = 5;
	assert_int_equal(list("flat/", NULL, 4), -ECANCELED);
	assert_int_equal(listing.pages, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_flat),
		TEST(test_deep),
		TEST(test_skewed),
		TEST(test_random),
		TEST(test_odd_keys),
		TEST(test_few_requests),
		TEST(test_directories),
		TEST(test_directories_refused),
		TEST(test_directories_late),
		TEST(test_small_tree),
		TEST(test_nothing),
		TEST(test_delimiter),
		TEST(test_start_after),
		TEST(test_faults),
		TEST(test_refused),
		TEST(test_outside),
		TEST(test_cancel),
	};
	argv0 = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
