#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include "s3/credentials.h"

static void copies(void **state)
{
	static struct credentials c;
	char token[8193];

	memset(token, 't', sizeof(token));
	c.expires = 5;
	assert_int_equal(credentials_set(&c, STR("test:tester"), STR("tes ting"), str_n(token, 8192)), 0);
	assert_string_equal(c.access_key, "test:tester");
	assert_string_equal(c.secret, "tes ting");
	assert_int_equal(strlen(c.token), 8192);
	assert_int_equal(c.expires, 0);
	assert_int_equal(credentials_set(&c, STR("A"), STR("s"), STR_NONE), 0);
	assert_string_equal(c.access_key, "A");
	assert_string_equal(c.token, "");
	assert_int_equal(credentials_set(&c, STR("A"), STR("s"), str_n(token, 8193)), -EOVERFLOW);
	credentials_wipe(&c);
	for (size_t i = 0; i < sizeof(c); i++)
		assert_int_equal(((char *)&c)[i], 0);
}

static void refuses(void **state)
{
	static struct credentials c;
	char many[300];

	memset(many, 'm', sizeof(many));
	strcpy(c.secret, "kept");
	assert_int_equal(credentials_set(&c, STR(""), STR("s"), STR_NONE), -EINVAL);
	assert_int_equal(credentials_set(&c, STR("A"), STR_NONE, STR_NONE), -EINVAL);
	assert_int_equal(credentials_set(&c, STR("A\r\nX: y"), STR("s"), STR_NONE), -EINVAL);
	assert_int_equal(credentials_set(&c, STR("A,B"), STR("s"), STR_NONE), -EINVAL);
	assert_int_equal(credentials_set(&c, STR("A"), STR("s\n"), STR_NONE), -EINVAL);
	assert_int_equal(credentials_set(&c, STR("A"), STR("s"), STR("t t")), -EINVAL);
	assert_int_equal(credentials_set(&c, STR("A\0B"), STR("s"), STR_NONE), -EINVAL);
	assert_int_equal(credentials_set(&c, STR("A\xff"), STR("s"), STR_NONE), -EINVAL);
	assert_int_equal(credentials_set(&c, str_n(many, 129), STR("s"), STR_NONE), -EOVERFLOW);
	assert_int_equal(credentials_set(&c, STR("A"), str_n(many, 257), STR_NONE), -EOVERFLOW);
	assert_string_equal(c.secret, "kept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
