#include "engine/object/condition.h"

#include <ctype.h>
#include <errno.h>
#include <time.h>

enum { CLOCK_SLACK = 2 }; /* seconds */

int condition_check(struct str if_match, int head_error, const struct s3_answer *head)
{
	if (if_match.len > 0) {
		if (head_error == 0)
			return str_eq(str_of(head->etag), if_match) ? 0 : -ESTALE;
		return head_error == -ENOENT ? -ESTALE : head_error;
	}
	if (head_error == 0)
		return -EEXIST;
	/* Without s3:ListBucket a missing key is 403 (AWS, HeadObject): nothing is known against it. */
	return head_error == -ENOENT || head_error == -EACCES ? 0 : head_error;
}

bool condition_object_gone(struct str if_match, int error, const struct s3_answer *answer)
{
	return if_match.len > 0 && error == -ENOENT && strcmp(answer->error.code, "NoSuchKey") == 0;
}

uint64_t condition_clock_ms(void)
{
	struct timespec now = {0};
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool condition_is_recent(const struct account *account, int64_t mtime, uint64_t since_ms)
{
	uint64_t ago_ms = condition_clock_ms() - since_ms;
	return mtime + CLOCK_SLACK >= account_server_now(account) - (int64_t)((ago_ms + 999) / 1000);
}

bool etag_is_digest(struct str etag)
{
	size_t n = 0;
	while (n < etag.len && isxdigit((unsigned char)etag.data[n]))
		n++;
	return n == 32 && (n == etag.len || etag.data[n] == '-');
}

bool etag_is_md5(struct str etag)
{
	return etag.len == 32 && etag_is_digest(etag);
}
