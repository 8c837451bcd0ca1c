/*
 * journal_dir: the directory where the journals of moves lie (journal.h), and the locks on them.
 *
 * A forged journal is a delete order: the directory must belong to the effective user and be closed to
 * others, so must each file, and neither is reached through a symbolic link.  The directory is opened once
 * and kept; files are named relative to it.
 *
 *   NAME.journal   an unfinished move; the process that works on it holds a flock
 *   NAME.new       one that is being begun: becomes NAME.journal when its first line is on disk.  One without
 *                  a lock is of a process that ended before that: nothing was done, and it is removed
 *   NAME.SUFFIX    files of others, by the same rules: fs/host/staged.h
 *
 * Any thread; journal_dir_next by one at a time.
 */
#ifndef FERRYFS_ENGINE_JOURNAL_JOURNAL_DIR_H
#define FERRYFS_ENGINE_JOURNAL_JOURNAL_DIR_H

#include <stdbool.h>
#include <sys/types.h>

#define JOURNAL_SUFFIX ".journal"

enum {
	JOURNAL_NAME_MAX = 63,
	JOURNAL_MACHINE_MAX = 71,
	JOURNAL_WHY_MAX = 512,
};

struct journal_dir;

/* path: absolute.  Made (0700) where its parent exists; make_parents makes those as well.  -EPERM: it belongs
 * to another user or is open to others; -EINVAL, -ENOTDIR, -ELOOP, -EROFS ... with a sentence in why
 * (JOURNAL_WHY_MAX bytes). */
int journal_dir_open(const char *path, bool make_parents, struct journal_dir **ret, char *why);
void journal_dir_free(
	struct journal_dir *dir); /* NULL is fine; journals that were opened in it stay usable */
const char *journal_dir_path(const struct journal_dir *dir);
dev_t journal_dir_device(const struct journal_dir *dir);

/* A new file, locked, under a name that no recovery looks at yet; name has JOURNAL_NAME_MAX + 1 bytes. */
int journal_dir_create(struct journal_dir *dir, int *ret_fd, char *ret_name);
/* Gives the file its lasting name, which replaces the one in name, on disk when this is back. */
int journal_dir_publish(struct journal_dir *dir, char *name);
/* The same for a record of another kind, which only journal_dir_names_of finds. */
int journal_dir_publish_as(struct journal_dir *dir, char *name, const char *suffix);
/* -EBUSY: another holds its lock; -EPERM: not ours alone; -ENOENT: it is gone. */
int journal_dir_lock(struct journal_dir *dir, const char *name, int *ret_fd);
int journal_dir_remove(struct journal_dir *dir, const char *name);

/* The names of the journals that lie there, sorted, as a NULL-terminated array to be freed by
 * journal_names_free.  Removes the files left behind by processes that ended while beginning one. */
int journal_dir_names(struct journal_dir *dir, char ***ret);
/* The same of another kind of record. */
int journal_dir_names_of(struct journal_dir *dir, const char *suffix, char ***ret);
void journal_names_free(char **names);

/* This machine, this boot, this process; for people: to the machine the lock says which process lives. */
struct journal_self {
	char machine[JOURNAL_MACHINE_MAX + 1]; /* /etc/machine-id, else "host:" and the host's name */
	char boot[JOURNAL_MACHINE_MAX + 1];
	pid_t pid;
	unsigned long long start;
};
void journal_self(struct journal_self *ret);

#endif
