/*
 * views: which directories of a hub are shown where, with which credentials.
 *
 * The hub's tree is account / bucket / key.  A view is a directory of it with options; its mount point is a
 * bind mount that the command makes, and the kernel's list of mounts says when it is there and when it is not
 * any more, whichever process unmounts it.
 *
 *   pending   asked for; the command that asked is still connected
 *   mounted   seen in /proc/self/mountinfo, known by its mount's number from then on
 *   former    not there any more; another mount namespace that was made meanwhile may still show it, so it
 *             stays until a view comes that overlaps it, or the kernel has forgotten its directory
 *
 * The nodes on the way to a view are pinned: they stay, even when S3 does not list them.  A view's options
 * hang on its directory's node and hold below it as far as the next one.  Views that overlap must agree in
 * account, owner, modes and attrs, since a key is one inode however many views show it.
 *
 * Options and accounts are kept until the hub ends, because anything under way may be using them: equal ones
 * are one, and there is a bound to how many differ.  One thread at a time (the control thread; the main one
 * before and after it).
 */
#ifndef FERRYFS_FS_SERVE_VIEWS_H
#define FERRYFS_FS_SERVE_VIEWS_H

#include "fs/control/control.h"
#include "fs/core/hub.h"

enum {
	VIEWS_SHOWN_MAX = 256,
	VIEWS_FORMER_MAX = 256, /* past it the oldest goes */
	VIEWS_OPTIONS_MAX = 1024,
	VIEWS_ACCOUNTS_MAX = 64,
};

struct views;

struct views_options {
	struct hub *hub; /* its root a NODE_HUB */
	const char *home; /* where the hub itself is mounted; copied */
	dev_t dev;
	const char *const *paths; /* canonical, of the daemon's own files; NULL at the end; lent */
};

int views_new(const struct views_options *options, struct views **ret);
/* After hub_free, since the hub's nodes point here.  Accepts NULL. */
void views_free(struct views *views);

/* Makes a view pending.  Appends to ret_path the directory to bind.  -errno with a sentence in why
 * (ACCOUNT_WHY_MAX bytes). */
int views_add(struct views *views, struct control_request *request, struct buf *ret_path, char *why);
/* Begins to finish or undo the moves that its account left: a round for hub_journal_done; 0: the view is read
 * only, or not there. */
unsigned views_recover(struct views *views, const char *point);
/* The client that asked for this mount point has gone: the view is mounted by now, or forgotten. */
void views_asked(struct views *views, const char *point);
/* Reads the list of mounts. */
void views_sync(struct views *views);
/* Could the list not be read (memory, descriptors)?  The mounts known before are taken as still there; the
 * list is worth reading again. */
bool views_unread(const struct views *views);
bool views_mounted(const struct views *views, const char *point);
/* Is anything of the hub mounted, here, beside itself, or about to be? */
bool views_used(const struct views *views);
/* Is nothing under way below the directory that is shown there?  True where nothing is shown. */
bool views_settled(const struct views *views, const char *point);

/* Takes every mount of the hub away, lazily: the views, then the hub itself. */
void views_detach(struct views *views);
void views_detach_home(struct views *views);

/* An array; point NULL: of all. */
json_t *views_status(const struct views *views, const char *point);

/* HOST[:PORT]-ACCESSKEY, fit for a name; its length. */
size_t views_account_name(struct account *account, char *ret, size_t size);

#endif
