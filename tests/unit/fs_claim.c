/* Claims: random schedules against a model that compares every pair, chains, and threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>

#include "engine/account/account.h"
#include "fs/core/key_lock.h"

static struct account *here, *elsewhere, *here_again;

static struct account *open_account(const char *endpoint)
{
	const struct account_options options = {
		.endpoint_url = endpoint, .region = "us-east-1", .no_sign_request = true};
	char why[ACCOUNT_WHY_MAX];
	struct account *account = NULL;

	assert_int_equal(account_open(&options, &account, why), 0);
	return account;
}

static int setup(void **state)
{
	here = open_account("http://127.0.0.1:1");
	here_again = open_account("http://127.0.0.1:1");
	elsewhere = open_account("http://127.0.0.1:2");
	return 0;
}

static int teardown(void **state)
{
	account_unref(here);
	account_unref(here_again);
	account_unref(elsewhere);
	return 0;
}

static struct claims *new_claims(void)
{
	struct claims *claims = NULL;

	assert_int_equal(claims_new(&claims), 0);
	return claims;
}

static void add(struct claim *claim, const char *key, bool prefix, bool exclusive)
{
	assert_int_equal(claim_add(claim, here, STR("bucket"), str_of(key), prefix, exclusive), 0);
}

/* ---- who conflicts with whom ---- */

struct pair {
	const char *a, *b;
	bool a_prefix, b_prefix, a_exclusive, b_exclusive, conflict;
};

static void test_conflicts(void **state)
{
	static const struct pair pairs[] = {
		{"a", "a", false, false, true, true, true}, {"a", "a", false, false, true, false, true},
		{"a", "a", false, false, false, false, false}, {"a", "b", false, false, true, true, false},
		{"a/", "a/x", true, false, true, true, true}, {"a/x", "a/", false, true, true, false, true},
		{"a/", "a/x", true, false, false, false, false}, {"a/", "ab", true, false, true, true, false},
		{"a/", "a", true, false, true, true, false}, {"a/", "a/b/", true, true, true, true, true},
		{"a/b/", "a/", true, true, false, true, true}, {"a/", "b/", true, true, true, true, false},
		{"", "any", true, false, true, true, true},
		{"a/", "a/", true, false, true, true, true}, /* the marker lies below its prefix */
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct claims *claims = new_claims();
		struct claim a = {0}, b = {0};

		add(&a, pairs[i].a, pairs[i].a_prefix, pairs[i].a_exclusive);
		add(&b, pairs[i].b, pairs[i].b_prefix, pairs[i].b_exclusive);
		assert_int_equal(claim_take(claims, &a), 1);
		int got = claim_take(claims, &b);

		if (got != !pairs[i].conflict)
			fail_msg("pair %zu", i);
		claim_release(claims, &a, 0);
		assert_true(claim_granted(claims, &b));
		claim_release(claims, &b, 0);
		claims_free(claims);
	}
}

static void test_accounts_and_buckets(void **state)
{
	struct claims *claims = new_claims();
	struct claim a = {0}, b = {0}, c = {0}, d = {0};

	assert_int_equal(claim_add(&a, here, STR("one"), STR("key"), false, true), 0);
	assert_int_equal(claim_add(&b, elsewhere, STR("one"), STR("key"), false, true), 0);
	assert_int_equal(claim_add(&c, here_again, STR("one"), STR("key"), false, true), 0);
	assert_int_equal(claim_add(&d, here, STR("two"), STR("key"), false, true), 0);
	assert_int_equal(claim_take(claims, &a), 1);
	assert_int_equal(claim_take(claims, &b), 1); /* another service */
	assert_int_equal(claim_take(claims, &c), 0); /* the same one, by another account */
	assert_int_equal(claim_take(claims, &d), 1); /* another bucket */
	claim_release(claims, &a, -EIO);
	assert_int_equal(c.prior_error, -EIO);
	claim_release(claims, &b, 0);
	claim_release(claims, &c, 0);
	claim_release(claims, &d, 0);
	claims_free(claims);
}

static void test_itself_and_untaken(void **state)
{
	struct claims *claims = new_claims();
	struct claim move = {0}, untaken = {0};

	add(&move, "a/", true, true);
	add(&move, "a/b/", true, true);
	assert_int_equal(claim_add(&move, here, STR("bucket"), STR("c"), false, true), -E2BIG);
	assert_int_equal(claim_take(claims, &move), 1); /* no conflict with itself */
	claim_release(claims, &move, 0);
	add(&untaken, "x", false, true);
	claim_release(claims, &untaken, 0);
	assert_int_equal(claims_count(claims), 0);
	claims_free(claims);
}

static void test_busy(void **state)
{
	struct claims *claims = new_claims();
	struct claim copy = {0}, move = {0};

	add(&copy, "source", false, false);
	add(&copy, "dir/target", false, true);
	add(&move, "tree/", true, true);
	assert_false(claims_busy(claims, here, STR("bucket"), STR("source"), false));
	assert_int_equal(claim_take(claims, &copy), 1);
	assert_int_equal(claim_take(claims, &move), 1);
	assert_false(claims_busy(claims, here, STR("bucket"), STR("source"), false)); /* read only */
	assert_true(claims_busy(claims, here, STR("bucket"), STR("dir/target"), false));
	assert_true(claims_busy(claims, here, STR("bucket"), STR("dir/"), true));
	assert_false(claims_busy(claims, here, STR("bucket"), STR("dir/"), false));
	assert_true(claims_busy(claims, here, STR("bucket"), STR("tree/deep/file"), false));
	assert_false(claims_busy(claims, here, STR("other"), STR("tree/deep/file"), false));
	assert_false(claims_busy(claims, elsewhere, STR("bucket"), STR("tree/deep/file"), false));
	claim_release(claims, &copy, 0);
	claim_release(claims, &move, 0);
	assert_false(claims_busy(claims, here, STR("bucket"), STR("dir/target"), false));
	claims_free(claims);
}

/* ---- random schedule against a model ---- */

enum { LIVE_MAX = 40, STEPS = 60000 };

struct modelled {
	struct claim claim;
	bool used, granted, told;
	uint64_t serial;
	int prior;
	struct {
		char key[16];
		bool prefix, exclusive;
	} item[2];
	unsigned count;
};

static struct modelled live[LIVE_MAX];
static unsigned granted_calls;

static bool model_names_meet(const char *a, bool a_prefix, const char *b, bool b_prefix)
{
	return strcmp(a, b) == 0 || (a_prefix && strncmp(b, a, strlen(a)) == 0) ||
	       (b_prefix && strncmp(a, b, strlen(b)) == 0);
}

static bool model_conflict(const struct modelled *a, const struct modelled *b)
{
	for (unsigned i = 0; i < a->count; i++)
		for (unsigned k = 0; k < b->count; k++)
			if ((a->item[i].exclusive || b->item[k].exclusive) &&
				model_names_meet(
					a->item[i].key, a->item[i].prefix, b->item[k].key, b->item[k].prefix))
				return true;
	return false;
}

static bool model_free(const struct modelled *m)
{
	for (unsigned i = 0; i < LIVE_MAX; i++)
		if (live[i].used && live[i].serial < m->serial && model_conflict(&live[i], m))
			return false;
	return true;
}

static void on_granted(struct claim *claim)
{
	struct modelled *m = claim->user;

	assert_true(m->used);
	assert_false(m->told);
	m->told = true;
	granted_calls++;
}

static void random_items(struct modelled *m)
{
	static const char *const keys[] = {"a", "a/", "a/x", "a/y", "a/b/", "a/b/x", "b", "b/", "b/x", "c"};

	m->count = 1 + (unsigned)(rand() % 2);
	for (unsigned i = 0; i < m->count; i++) {
		const char *key = keys[rand() % 10];

		snprintf(m->item[i].key, sizeof(m->item[i].key), "%s", key);
		m->item[i].prefix = key[strlen(key) - 1] == '/' && rand() % 2;
		m->item[i].exclusive = rand() % 3 > 0;
		add(&m->claim, key, m->item[i].prefix, m->item[i].exclusive);
	}
}

static void model_take(struct claims *claims, struct modelled *m, uint64_t serial)
{
	*m = (struct modelled){.used = true, .serial = serial};
	m->claim.user = m;
	m->claim.granted = on_granted;
	random_items(m);
	int got = claim_take(claims, &m->claim);

	assert_int_equal(got, model_free(m));
	m->granted = m->told = got == 1;
}

static void model_release(struct claims *claims, struct modelled *m)
{
	int error = rand() % 4 == 0 ? -(1 + rand() % 100) : 0;

	for (unsigned i = 0; i < LIVE_MAX; i++)
		if (live[i].used && live[i].serial > m->serial && model_conflict(m, &live[i]) &&
			!live[i].prior)
			live[i].prior = error;
	m->used = false;
	claim_release(claims, &m->claim, error);
}

static void model_compare(struct claims *claims)
{
	unsigned count = 0;

	for (unsigned i = 0; i < LIVE_MAX; i++) {
		struct modelled *m = &live[i];

		if (!m->used)
			continue;
		count++;
		assert_int_equal(claim_granted(claims, &m->claim), model_free(m));
		assert_int_equal(m->told, model_free(m));
		assert_int_equal(m->claim.prior_error, m->prior);
	}
	assert_int_equal(claims_count(claims), count);
}

static void test_against_model(void **state)
{
	struct claims *claims = new_claims();

	srand(7);
	for (uint64_t step = 1; step <= STEPS; step++) {
		struct modelled *m = &live[rand() % LIVE_MAX];

		if (!m->used)
			model_take(claims, m, step);
		else if (m->told)
			model_release(claims, m);
		model_compare(claims);
	}
	/* No deadlock: whatever waits, some claim is granted, until none is left. */
	for (unsigned left = claims_count(claims); left > 0; left = claims_count(claims)) {
		for (unsigned i = 0; i < LIVE_MAX; i++)
			if (live[i].used && live[i].told)
				model_release(claims, &live[i]);
		assert_true(claims_count(claims) < left);
		model_compare(claims);
	}
	assert_true(granted_calls > 1000);
	claims_free(claims);
}

/* ---- a long queue, each of which releases inside granted ---- */

static struct claims *chain_claims;
static unsigned chain_depth, chain_done;

static void on_chain(struct claim *claim)
{
	chain_depth++;
	assert_int_equal(chain_depth, 1);
	chain_done++;
	claim_release(chain_claims, claim, 0);
	chain_depth--;
}

static void test_chain_does_not_recurse(void **state)
{
	enum { LENGTH = 500 };
	struct claim *queue = calloc(LENGTH, sizeof(*queue)), first = {0};

	chain_claims = new_claims();
	add(&first, "k", false, true);
	assert_int_equal(claim_take(chain_claims, &first), 1);
	for (unsigned i = 0; i < LENGTH; i++) {
		queue[i].granted = on_chain;
		add(&queue[i], "k", false, true);
		assert_int_equal(claim_take(chain_claims, &queue[i]), 0);
	}
	claim_release(chain_claims, &first, -EACCES);
	assert_int_equal(chain_done, LENGTH);
	for (unsigned i = 0; i < LENGTH; i++)
		assert_int_equal(queue[i].prior_error, -EACCES);
	free(queue);
	claims_free(chain_claims);
}

/* ---- threads: what is exclusive is alone ---- */

enum { THREADS = 4, ROUNDS = 8000, KEYS = 4 };

static struct claims *shared_claims;
static int holders[KEYS]; /* -1: one who writes; else how many read */
static pthread_mutex_t holders_lock = PTHREAD_MUTEX_INITIALIZER;
static int broken;

struct waiting {
	struct claim claim;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool granted;
};

static void on_wake(struct claim *claim)
{
	struct waiting *waiting = claim->user;

	pthread_mutex_lock(&waiting->lock);
	waiting->granted = true;
	pthread_cond_signal(&waiting->cond);
	pthread_mutex_unlock(&waiting->lock);
}

static void hold(int first, int second, bool exclusive, bool begin)
{
	const int keys[2] = {first, second};

	pthread_mutex_lock(&holders_lock);
	for (int i = 0; i < (first == second ? 1 : 2); i++) {
		int *at = &holders[keys[i]];
		bool write = i == 1 || exclusive;

		if (begin) {
			broken += write ? *at != 0 : *at < 0;
			*at = write ? -1 : *at + 1;
		} else {
			*at = write ? 0 : *at - 1;
		}
	}
	pthread_mutex_unlock(&holders_lock);
}

static void one_round(struct waiting *waiting, unsigned *seed)
{
	static const char *const names[KEYS] = {"k0", "k1", "k2", "k3"};
	int first = (int)(rand_r(seed) % KEYS), second = (int)(rand_r(seed) % KEYS);
	bool exclusive = rand_r(seed) % 2 || first == second;

	memset(&waiting->claim, 0, sizeof(waiting->claim));
	waiting->claim.granted = on_wake;
	waiting->claim.user = waiting;
	waiting->granted = false;
	claim_add(&waiting->claim, here, STR("bucket"), str_of(names[first]), false, exclusive);
	claim_add(&waiting->claim, here, STR("bucket"), str_of(names[second]), false, true);
	if (claim_take(shared_claims, &waiting->claim) == 0) {
		pthread_mutex_lock(&waiting->lock);
		while (!waiting->granted)
			pthread_cond_wait(&waiting->cond, &waiting->lock);
		pthread_mutex_unlock(&waiting->lock);
	}
	hold(first, second, exclusive, true);
	hold(first, second, exclusive, false);
	claim_release(shared_claims, &waiting->claim, 0);
}

static void *thread_run(void *user)
{
	struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
	unsigned seed = (unsigned)(uintptr_t)user;

	for (int i = 0; i < ROUNDS; i++)
		one_round(&waiting, &seed);
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];

	shared_claims = new_claims();
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, thread_run, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(broken, 0);
	assert_int_equal(claims_count(shared_claims), 0);
	claims_free(shared_claims);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_accounts_and_buckets),
		cmocka_unit_test(test_itself_and_untaken),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_chain_does_not_recurse),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
