#include "fs/core/attrs.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	NUMBER_MAX = 32, /* bytes of a value that is a number; times of rclone have up to 30 */
	SECOND_NS = 1000000000,
	NS_DIGITS = 9,
};

/* Times that fit into the fields of FUSE and the kernel, and a margin. */
#define TIME_MAX ((int64_t)1 << 40)

static bool attrs_number(struct str value, int base, uint64_t max, uint64_t *ret)
{
	char text[NUMBER_MAX + 1], *end;

	if (value.len == 0 || value.len > NUMBER_MAX || !isdigit((unsigned char)value.data[0]))
		return false;
	memcpy(text, value.data, value.len);
	text[value.len] = '\0';
	errno = 0;
	unsigned long long got = strtoull(text, &end, base);

	if (errno || *end || got > max)
		return false;
	*ret = got;
	return true;
}

static bool is_mode(uint64_t mode)
{
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFCHR:
	case S_IFBLK:
		return (mode & ~(uint64_t)(S_IFMT | ALLPERMS)) == 0;
	default:
		return false;
	}
}

/* Decimal with type bits (s3fs), or octal (rclone, or with a leading zero): neither can be taken for the other. */
static void read_mode(struct attrs *attrs, struct str value)
{
	uint64_t mode;
	bool decimal = value.len > 0 && value.data[0] != '0';

	if (!(decimal && attrs_number(value, 10, UINT32_MAX, &mode) && is_mode(mode)) &&
		!(attrs_number(value, 8, UINT32_MAX, &mode) && is_mode(mode)))
		return;
	attrs->mode = (mode_t)(mode & ALLPERMS);
	attrs->has |= ATTRS_MODE;
}

static void read_id(struct attrs *attrs, struct str value, unsigned which, unsigned *ret)
{
	uint64_t id;

	/* The highest stands for "none" in chown(2). */
	if (!attrs_number(value, 10, UINT32_MAX - 1, &id))
		return;
	*ret = (unsigned)id;
	attrs->has |= which;
}

/* "-1.25" is a second and a quarter before 1970. */
static bool read_decimal(struct str value, struct timespec *ret)
{
	bool negative = value.len > 0 && value.data[0] == '-';
	uint64_t seconds, nsec = 0;
	struct str rest = negative ? str_skip(value, 1) : value;
	size_t whole = 0, digits = 0;

	while (whole < rest.len && rest.data[whole] != '.')
		whole++;
	if (!attrs_number(str_n(rest.data, whole), 10, (uint64_t)TIME_MAX, &seconds))
		return false;
	for (size_t at = whole + 1; at < rest.len; at++) {
		if (!isdigit((unsigned char)rest.data[at]) || at > NUMBER_MAX)
			return false;
		if (digits < NS_DIGITS) {
			nsec = nsec * 10 + (uint64_t)(rest.data[at] - '0');
			digits++;
		}
	}
	for (; digits < NS_DIGITS; digits++)
		nsec *= 10;
	*ret = (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = (long)nsec};
	if (negative) {
		ret->tv_sec = -ret->tv_sec - (nsec > 0);
		ret->tv_nsec = nsec > 0 ? SECOND_NS - (long)nsec : 0;
	}
	return true;
}

static void read_time(struct attrs *attrs, struct str value, unsigned which, struct timespec *ret)
{
	if (read_decimal(value, ret))
		attrs->has |= which;
}

void attrs_read(struct attrs *ret, const struct headers *headers)
{
	*ret = (struct attrs){0};
	read_mode(ret, headers_get(headers, STR("x-amz-meta-mode")));
	read_id(ret, headers_get(headers, STR("x-amz-meta-uid")), ATTRS_UID, &ret->uid);
	read_id(ret, headers_get(headers, STR("x-amz-meta-gid")), ATTRS_GID, &ret->gid);
	read_time(ret, headers_get(headers, STR("x-amz-meta-mtime")), ATTRS_MTIME, &ret->mtime);
	read_time(ret, headers_get(headers, STR("x-amz-meta-atime")), ATTRS_ATIME, &ret->atime);
	read_time(ret, headers_get(headers, STR("x-amz-meta-ctime")), ATTRS_CTIME, &ret->ctime);
}

static int write_number(struct headers *headers, struct str name, unsigned value)
{
	char text[NUMBER_MAX];

	snprintf(text, sizeof(text), "%u", value);
	return headers_set(headers, name, str_of(text));
}

static int write_time(struct headers *headers, struct str name, const struct timespec *time)
{
	char text[2 * NUMBER_MAX];
	int64_t seconds = time->tv_sec;
	long nsec = time->tv_nsec;
	bool negative = seconds < 0;

	if (negative) {
		seconds = -seconds - (nsec > 0);
		nsec = nsec > 0 ? SECOND_NS - nsec : 0;
	}
	if (nsec > 0)
		snprintf(text, sizeof(text), "%s%" PRId64 ".%09ld", negative ? "-" : "", seconds, nsec);
	else
		snprintf(text, sizeof(text), "%s%" PRId64, negative ? "-" : "", seconds);
	return headers_set(headers, name, str_of(text));
}

int attrs_write(const struct attrs *attrs, mode_t type, struct headers *headers)
{
	int error = 0;

	if (attrs->has & ATTRS_MODE)
		error = write_number(headers, STR("x-amz-meta-mode"), type | attrs->mode);
	if (error == 0 && (attrs->has & ATTRS_UID))
		error = write_number(headers, STR("x-amz-meta-uid"), attrs->uid);
	if (error == 0 && (attrs->has & ATTRS_GID))
		error = write_number(headers, STR("x-amz-meta-gid"), attrs->gid);
	if (error == 0 && (attrs->has & ATTRS_MTIME))
		error = write_time(headers, STR("x-amz-meta-mtime"), &attrs->mtime);
	if (error == 0 && (attrs->has & ATTRS_ATIME))
		error = write_time(headers, STR("x-amz-meta-atime"), &attrs->atime);
	if (error == 0 && (attrs->has & ATTRS_CTIME))
		error = write_time(headers, STR("x-amz-meta-ctime"), &attrs->ctime);
	return error;
}

void attrs_merge(struct attrs *attrs, const struct attrs *over)
{
	attrs->has |= over->has;
	if (over->has & ATTRS_MODE)
		attrs->mode = over->mode;
	if (over->has & ATTRS_UID)
		attrs->uid = over->uid;
	if (over->has & ATTRS_GID)
		attrs->gid = over->gid;
	if (over->has & ATTRS_MTIME)
		attrs->mtime = over->mtime;
	if (over->has & ATTRS_ATIME)
		attrs->atime = over->atime;
	if (over->has & ATTRS_CTIME)
		attrs->ctime = over->ctime;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool attrs_cover(const struct attrs *attrs, const struct attrs *change)
{
	unsigned has = change->has & ~(unsigned)ATTRS_CTIME;

	if ((attrs->has & has) != has)
		return false;
	return (!(has & ATTRS_MODE) || attrs->mode == change->mode) &&
	       (!(has & ATTRS_UID) || attrs->uid == change->uid) &&
	       (!(has & ATTRS_GID) || attrs->gid == change->gid) &&
	       (!(has & ATTRS_MTIME) || same_time(&attrs->mtime, &change->mtime)) &&
	       (!(has & ATTRS_ATIME) || same_time(&attrs->atime, &change->atime));
}

void attrs_show(const struct attrs *attrs, struct stat *st)
{
	if (attrs->has & ATTRS_MODE)
		st->st_mode = (st->st_mode & S_IFMT) | attrs->mode;
	if (attrs->has & ATTRS_UID)
		st->st_uid = attrs->uid;
	if (attrs->has & ATTRS_GID)
		st->st_gid = attrs->gid;
	if (attrs->has & ATTRS_MTIME)
		st->st_mtim = st->st_atim = st->st_ctim = attrs->mtime;
	if (attrs->has & ATTRS_ATIME)
		st->st_atim = attrs->atime;
	if (attrs->has & ATTRS_CTIME)
		st->st_ctim = attrs->ctime;
}
