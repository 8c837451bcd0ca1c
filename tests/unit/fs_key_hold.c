/* A claim on the keys of a name that may move while the claim waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/account/account.h"
#include "fs/core/key_hold.h"

static struct hub hub;
static struct account *account;

/* An operation on one name.  Its key is "k" and a number. */
struct op {
	struct key_hold hold; /* first */
	unsigned at, located; /* where the name is; where it was when it was located last */
	unsigned moves; /* so often it moves between a look and the next */
	int error; /* of locate */
	unsigned readies;
	int result;
};

static int op_locate(struct key_hold *hold, bool *ret_changed)
{
	struct op *op = (struct op *)hold;

	if (op->error < 0)
		return op->error;
	if (op->moves > 0) {
		op->moves--;
		op->at++;
	}
	*ret_changed = op->at != op->located;
	op->located = op->at;
	return 0;
}

static int op_add(struct key_hold *hold, struct claim *claim)
{
	char key[16];

	snprintf(key, sizeof(key), "k%u", ((struct op *)hold)->located);
	return claim_add(claim, account, STR("bucket"), str_of(key), false, true);
}

static void op_ready(struct key_hold *hold, int error)
{
	struct op *op = (struct op *)hold;

	op->readies++;
	op->result = error;
}

static const struct key_hold_kind kind = {.locate = op_locate, .add = op_add, .ready = op_ready};

static struct op op_at(unsigned at)
{
	return (struct op){.hold = {.kind = &kind, .hub = &hub}, .at = at};
}

static int take(struct op *op)
{
	hub_lock(&hub);
	int result = key_hold_take(&op->hold);

	hub_unlock(&hub);
	return result;
}

static int set_up(void **state)
{
	pthread_mutex_init(&hub.lock, NULL);
	return claims_new(&hub.claims);
}

static int tear_down(void **state)
{
	assert_int_equal(claims_count(hub.claims), 0);
	claims_free(hub.claims);
	pthread_mutex_destroy(&hub.lock);
	return 0;
}

static void test_waits(void **state)
{
	struct op first = op_at(1), second = op_at(1), other = op_at(2);

	assert_int_equal(take(&first), 1);
	assert_int_equal(take(&second), 0);
	assert_int_equal(take(&other), 1);
	assert_int_equal(second.readies, 0);
	key_hold_release(&first.hold, 0);
	assert_int_equal(second.readies, 1);
	assert_int_equal(second.result, 0);
	assert_int_equal(first.readies + other.readies, 0);
	key_hold_release(&second.hold, 0);
	key_hold_release(&other.hold, 0);
	/* and once more */
	assert_int_equal(take(&first), 1);
	key_hold_release(&first.hold, 0);
}

/* The name moves to a free key, and to one that is held. */
static void test_moves(void **state)
{
	struct op first = op_at(1), second = op_at(1), third = op_at(1), busy = op_at(3);

	assert_int_equal(take(&first), 1);
	assert_int_equal(take(&second), 0);
	assert_int_equal(take(&third), 0);
	assert_int_equal(take(&busy), 1);
	second.at = 2;
	third.at = 3;
	key_hold_release(&first.hold, 0);
	assert_int_equal(second.readies, 1);
	assert_int_equal(second.located, 2);
	assert_int_equal(third.readies, 0);
	struct op there = op_at(2);

	assert_int_equal(take(&there), 0); /* second holds it */
	key_hold_release(&second.hold, 0);
	assert_int_equal(there.readies, 1);
	key_hold_release(&busy.hold, 0);
	assert_int_equal(third.readies, 1);
	assert_int_equal(third.result, 0);
	key_hold_release(&third.hold, 0);
	key_hold_release(&there.hold, 0);
}

/* A name that never rests is given up. */
static void test_bound(void **state)
{
	struct op first = op_at(1), second = op_at(1);

	assert_int_equal(take(&first), 1);
	assert_int_equal(take(&second), 0);
	second.moves = 1000;
	key_hold_release(&first.hold, 0);
	assert_int_equal(second.readies, 1);
	assert_int_equal(second.result, -EBUSY);
	assert_true(second.moves >= 1000 - 2 * (KEY_HOLD_RETAKES_MAX + 1));
	key_hold_release(&second.hold, 0);
}

static void test_errors(void **state)
{
	struct op first = op_at(1), second = op_at(1), never = op_at(1);

	never.error = -ENOENT;
	assert_int_equal(take(&never), -ENOENT);
	key_hold_release(&never.hold, 0);
	assert_int_equal(take(&first), 1);
	assert_int_equal(take(&second), 0);
	second.error = -ESTALE;
	key_hold_release(&first.hold, -EIO);
	assert_int_equal(second.readies, 1);
	assert_int_equal(second.result, -ESTALE);
	assert_int_equal(second.hold.claim.prior_error, -EIO);
	key_hold_release(&second.hold, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bound, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
	};

	const struct account_options options = {
		.endpoint_url = "http://127.0.0.1:1", .region = "us-east-1", .no_sign_request = true};
	char why[ACCOUNT_WHY_MAX];

	if (account_open(&options, &account, why) < 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	account_unref(account);
	return failed;
}
