#include "fs/host/caller_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/host/caller_helper.h"
#include "fs/host/mountinfo.h"

_Static_assert(
	(size_t)CALLER_FILES_MAX * sizeof(struct caller_file) <= CALLER_ANSWER_MAX, "an answer has room");

struct found {
	struct caller_file *files; /* dev is that of the mount, once it is known */
	unsigned mount[CALLER_FILES_MAX]; /* its id; 0: known */
	size_t count;
};

/* A file with a path, open for writing?  The link itself is looked at, never its target. */
static bool is_written(int directory, const char *name)
{
	struct stat st;
	char first;

	return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IWUSR) &&
	       readlinkat(directory, name, &first, 1) == 1 && first == '/';
}

static bool read_info(
	const char *proc, pid_t pid, const char *name, struct caller_file *ret, unsigned *ret_mount)
{
	char path[128], text[1024];
	unsigned long long ino = 0;

	snprintf(path, sizeof(path), "%s/%ld/fdinfo/%.16s", proc, (long)pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	const char *mount = strstr(text, "mnt_id:"), *inode = strstr(text, "\nino:");

	if (!mount || !inode || sscanf(mount, "mnt_id: %u", ret_mount) != 1 ||
		sscanf(inode, " ino: %llu", &ino) != 1)
		return false;
	*ret = (struct caller_file){.ino = ino};
	return *ret_mount != 0;
}

static bool caller_files_visit(const struct mountinfo_line *line, void *user)
{
	struct found *found = user;

	for (size_t i = 0; i < found->count && line->ferryfs; i++)
		if (found->mount[i] == line->id) {
			found->files[i].dev = line->dev;
			found->mount[i] = 0;
		}
	return false;
}

ssize_t caller_files_read(const char *proc, pid_t pid, void *ret)
{
	struct found found = {.files = ret};
	char path[128];
	const struct dirent *entry;
	size_t kept = 0;

	snprintf(path, sizeof(path), "%s/%ld/fd", proc, (long)pid);
	DIR *entries = opendir(path);

	if (!entries)
		return -errno;
	for (unsigned seen = 0; seen < CALLER_FILES_MAX && (entry = readdir(entries)); seen++)
		if (isdigit((unsigned char)entry->d_name[0]) && is_written(dirfd(entries), entry->d_name) &&
			read_info(proc, pid, entry->d_name, &found.files[found.count],
				&found.mount[found.count]))
			found.count++;
	closedir(entries);
	snprintf(path, sizeof(path), "%s/%ld/mountinfo", proc, (long)pid);
	if (found.count > 0)
		mountinfo_walk_file(path, caller_files_visit, &found);
	for (size_t i = 0; i < found.count; i++)
		if (found.mount[i] == 0)
			found.files[kept++] = found.files[i];
	return (ssize_t)(kept * sizeof(struct caller_file));
}

bool caller_files_has(const void *bytes, size_t len, const struct caller_file *file)
{
	for (size_t at = 0; bytes && at + sizeof(*file) <= len; at += sizeof(*file))
		if (memcmp((const char *)bytes + at, file, sizeof(*file)) == 0)
			return true;
	return false;
}
