#include "fs/host/staging_room.h"

#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "s3/size.h"

enum { SAY_AGAIN_S = 60 };

/* Written before threads start. */
static struct staging_reserve kept_reserve = {.per_cent = STAGING_RESERVE_PER_CENT};
static atomic_llong shortage_said_s; /* CLOCK_MONOTONIC; 0: never */

int staging_reserve_parse(const char *text, struct staging_reserve *ret)
{
	struct staging_reserve reserve = {0};
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	unsigned long per_cent = strtoul(text, &end, 10);

	if (end[0] == '%' && !end[1]) {
		if (errno || per_cent > 100)
			return -EINVAL;
		reserve.per_cent = (unsigned)per_cent;
	} else if (!size_parse(text, &reserve.bytes)) {
		return -EINVAL;
	}
	*ret = reserve;
	return 0;
}

void staging_room_keep(const struct staging_reserve *reserve)
{
	kept_reserve = *reserve;
}

static void say_short(uint64_t room, uint64_t reserve)
{
	struct timespec now;
	long long said = atomic_load(&shortage_said_s);

	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((said && now.tv_sec - said < SAY_AGAIN_S) ||
		!atomic_compare_exchange_strong(&shortage_said_s, &said, now.tv_sec))
		return;
	log_text(LOG_LEVEL_ERROR,
		"the staging disk has %llu KiB left for users, and staging_reserve keeps %llu KiB free: "
		"writes "
		"fail with ENOSPC until there is more",
		(unsigned long long)(room >> 10), (unsigned long long)(reserve >> 10));
}

/* No block is missing below the end of the file, and nothing is written behind it. */
static bool has_blocks(int fd, uint64_t off, uint64_t len)
{
	struct stat st;

	return fstat(fd, &st) == 0 && off + len <= (uint64_t)st.st_size &&
	       (uint64_t)st.st_blocks * 512 >= (uint64_t)st.st_size;
}

int staging_room(int fd, uint64_t off, uint64_t len)
{
	struct statvfs st;

	if (kept_reserve.per_cent == 0 && kept_reserve.bytes == 0)
		return 0;
	while (fstatvfs(fd, &st) < 0)
		if (errno != EINTR)
			return -errno;
	/* A file system without a size of its own has no end either. */
	if (st.f_blocks == 0)
		return 0;
	uint64_t size = (uint64_t)st.f_blocks * st.f_frsize, room = (uint64_t)st.f_bavail * st.f_frsize;
	uint64_t reserve = kept_reserve.per_cent ? size / 100 * kept_reserve.per_cent : kept_reserve.bytes;

	if ((room >= reserve && room - reserve >= len) || has_blocks(fd, off, len))
		return 0;
	say_short(room, reserve);
	return -ENOSPC;
}

int staging_write(int fd, const char *data, size_t len, uint64_t off)
{
	int error = staging_room(fd, off, len);

	while (error == 0 && len > 0) {
		ssize_t wrote = pwrite(fd, data, len, (off_t)off);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote < 0 ? -errno : -EIO;
		data += wrote;
		len -= (size_t)wrote;
		off += (uint64_t)wrote;
	}
	return error;
}
