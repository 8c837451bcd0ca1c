#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "s3/answer.h"
#include "tests/unit/answer_feed.h"

static struct delete_set *set;

static int make_set(void **state)
{
	return delete_set_new(&set);
}

static int free_set(void **state)
{
	delete_set_free(set);
	return 0;
}

static void writes_the_request(void **state)
{
	struct buf body;
	buf_init(&body, 4096);
	assert_int_equal(delete_set_add(set, STR("a\rb&<>\""), STR_NONE, NULL), 0);
	assert_int_equal(delete_set_add(set, STR("k"), STR("e-1"), NULL), 0);
	assert_int_equal(delete_set_add(set, STR("any"), STR("*"), NULL), 0);
	assert_int_equal(delete_set_body(set, &body), 0);
	assert_string_equal(buf_text(&body), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
					     "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
					     "<Object><Key>a&#13;b&amp;&lt;&gt;&quot;</Key></Object>"
					     "<Object><Key>k</Key><ETag>&quot;e-1&quot;</ETag></Object>"
					     "<Object><Key>any</Key><ETag>*</ETag></Object></Delete>");
	buf_release(&body);
	buf_init(&body, 100);
	assert_int_equal(delete_set_body(set, &body), -EOVERFLOW);
	buf_release(&body);
}

static void refuses_what_xml_cannot_carry(void **state)
{
	static const struct str keys[] = {
		STR("\x01"), STR("a\0b"), STR("\xff"), STR("\xef\xbf\xbe"), STR("")};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(delete_set_add(set, keys[i], STR_NONE, NULL), -EINVAL);
	assert_int_equal(delete_set_add(set, STR("k"), STR("\x01"), NULL), -EINVAL);
	assert_int_equal(delete_set_add(set, STR("k"), STR(""), NULL), -EINVAL);
	char longest[KEY_MAX + 1];
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(delete_set_add(set, str_n(longest, KEY_MAX + 1), STR_NONE, NULL), -EINVAL);
	assert_int_equal(delete_set_add(set, str_n(longest, KEY_MAX), STR_NONE, NULL), 0);
	assert_int_equal(set->count, 1);
}

static void holds_a_thousand(void **state)
{
	char key[KEY_MAX + 1], etag[40];
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < DELETE_SET_MAX; i++) {
			snprintf(key, sizeof(key), "%0*u", KEY_MAX, i);
			snprintf(etag, sizeof(etag), "etag%u", i);
			assert_int_equal(
				delete_set_add(set, str_of(key), i % 2 ? str_of(etag) : STR_NONE, set), 0);
			assert_int_equal(delete_set_add(set, str_of(key), STR_NONE, set),
				i + 1 < DELETE_SET_MAX ? -EEXIST : -E2BIG);
		}
		assert_int_equal(delete_set_add(set, STR("one more"), STR_NONE, NULL), -E2BIG);
		for (unsigned i = 0; i < DELETE_SET_MAX; i++) {
			snprintf(key, sizeof(key), "%0*u", KEY_MAX, i);
			snprintf(etag, sizeof(etag), "etag%u", i);
			struct delete_entry *entry = &set->entries[i];
			assert_true(str_eq(entry->key, str_of(key)));
			assert_true(i % 2 ? str_eq(entry->etag, str_of(etag)) : entry->etag.data == NULL);
			assert_ptr_equal(entry->user, set);
			assert_int_equal(entry->outcome, DELETE_PENDING);
			assert_int_equal(delete_set_result(set, str_of(key), STR_NONE), 0);
			assert_int_equal(entry->outcome, DELETE_DONE);
		}
		delete_set_clear(set);
		assert_int_equal(delete_set_result(set, str_of(key), STR_NONE), -EBADMSG);
	}
}

static void add_abc(void)
{
	assert_int_equal(delete_set_add(set, STR("a"), STR_NONE, NULL), 0);
	assert_int_equal(delete_set_add(set, STR("b"), STR_NONE, NULL), 0);
	assert_int_equal(delete_set_add(set, STR("c\nd"), STR_NONE, NULL), 0);
}

static void failure_wins_within_an_answer(void **state)
{
	add_abc();
	assert_int_equal(delete_set_result(set, STR("a"), STR_NONE), 0);
	assert_int_equal(delete_set_result(set, STR("a"), STR("AccessDenied")), 0);
	assert_int_equal(delete_set_result(set, STR("a"), STR_NONE), 0);
	assert_int_equal(set->entries[0].outcome, DELETE_FAILED);
	assert_string_equal(set->entries[0].code, "AccessDenied");
	assert_int_equal(delete_set_result(set, STR("b"), STR_NONE), 0);
	assert_int_equal(delete_set_result(set, STR("c"), STR_NONE), -EBADMSG);
	/* the next answer: what was gone stays gone, what had failed may go */
	delete_set_retry(set);
	assert_int_equal(set->entries[0].outcome, DELETE_PENDING);
	assert_int_equal(delete_set_result(set, STR("b"), STR("PreconditionFailed")), 0);
	assert_int_equal(set->entries[1].outcome, DELETE_DONE);
	assert_int_equal(delete_set_result(set, STR("a"), STR_NONE), 0);
	assert_int_equal(set->entries[0].outcome, DELETE_DONE);
	assert_int_equal(set->entries[2].outcome, DELETE_PENDING);
}

/* ---- DeleteResult ---- */

struct expected {
	enum delete_outcome a, b, cd;
	const char *b_code;
};

static void check_outcomes(const struct s3_answer *answer, void *user)
{
	const struct expected *expected = user;
	assert_int_equal(s3_answer_errno(answer), 0);
	assert_int_equal(set->entries[0].outcome, expected->a);
	assert_int_equal(set->entries[1].outcome, expected->b);
	assert_string_equal(set->entries[1].code, expected->b_code);
	assert_int_equal(set->entries[2].outcome, expected->cd);
	/* for the next round */
	for (unsigned i = 0; i < 3; i++)
		set->entries[i].outcome = DELETE_PENDING;
}

static void reads_results(void **state)
{
	static const struct {
		struct str body;
		struct expected expected;
	} samples[] = {
		{STR("<?xml version=\"1.0\"?><DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		     "<Deleted><Key>a</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>v"
		     "</DeleteMarkerVersionId></Deleted>"
		     "<Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
		     "<Deleted><Key>c&#10;d</Key></Deleted></DeleteResult>"),
			{DELETE_DONE, DELETE_FAILED, DELETE_DONE, "AccessDenied"}},
		/* no key, no code, a key nobody asked for, a lost key, two keys, a field of something else */
		{STR("<DeleteResult><Deleted/><Error><Key>b</Key></Error><Deleted><Key>zz</Key></Deleted>"
		     "<Deleted><Key>a\x01</Key></Deleted><Deleted><Key>c&#10;d</Key><Key>a</Key></Deleted>"
		     "<Other><Key>a</Key></Other><Deleted><x><Key>a</Key></x></Deleted></DeleteResult>"),
			{DELETE_PENDING, DELETE_FAILED, DELETE_PENDING, "UnknownError"}},
		/* a server that wrote LF where CR was asked for names nobody's key; here it is a key of the
		   set */
		{STR("<DeleteResult><Deleted><Key>c\rd</Key></Deleted></DeleteResult>"),
			{DELETE_PENDING, DELETE_PENDING, DELETE_DONE, ""}},
		{STR("<DeleteResult/>"), {DELETE_PENDING, DELETE_PENDING, DELETE_PENDING, ""}},
	};
	add_abc();
	struct s3_request request = {.op = S3_DELETE_OBJECTS};
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct expected expected = samples[i].expected;
		struct feed feed = {
			request, OK_XML, samples[i].body, {.deletes = set}, 0, check_outcomes, &expected};
		feed_all(&feed);
		feed_cut_off(&feed);
		check_outcomes(&(struct s3_answer){.status = 200}, &expected);
	}
}

static int clear_set(void **state)
{
	delete_set_clear(set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(writes_the_request, clear_set),
		cmocka_unit_test_setup(refuses_what_xml_cannot_carry, clear_set),
		cmocka_unit_test_setup(holds_a_thousand, clear_set),
		cmocka_unit_test_setup(failure_wins_within_an_answer, clear_set),
		cmocka_unit_test_setup(reads_results, clear_set),
	};
	return cmocka_run_group_tests(tests, make_set, free_set);
}
