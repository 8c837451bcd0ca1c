/*
 * staging_room: the room on the disk of the staging directory, and writing there.
 *
 * A daemon that runs as root could fill a disk to its last block, past the part that is kept for root and past
 * what its users could write there themselves.  So content goes to a staging file only while a reserve stays
 * free of what an ordinary user has there (statvfs(3), f_bavail); else the answer is -ENOSPC, as the disk's own
 * would be, and the log says so once in a while.  Bytes that already have their blocks are always written.
 *
 * One staging directory a process.  Any thread; several at once may each go past the reserve by one write.
 */
#ifndef FERRYFS_FS_HOST_STAGING_ROOM_H
#define FERRYFS_FS_HOST_STAGING_ROOM_H

#include <stddef.h>
#include <stdint.h>

struct staging_reserve {
	unsigned per_cent; /* of the file system's size, 0 to 100 */
	uint64_t bytes; /* with per_cent 0 */
};

enum { STAGING_RESERVE_PER_CENT = 5 }; /* the default */

/* "N%", or a size in bytes, K, M, G or T; 0 keeps nothing back.  -EINVAL. */
int staging_reserve_parse(const char *text, struct staging_reserve *ret);

/* Before threads start; without it the default holds. */
void staging_room_keep(const struct staging_reserve *reserve);
/* May so many bytes be written there?  0, -ENOSPC, or -errno. */
int staging_room(int fd, uint64_t off, uint64_t len);
/* All of it, or -errno. */
int staging_write(int fd, const char *data, size_t len, uint64_t off);

#endif
