/*
 * control: the messages between the commands and a hub, over the hub's socket.
 *
 * One JSON object a line, at most CONTROL_LINE_MAX bytes with its new line; a request, then its reply, any
 * number of times a connection.  Every request carries the version in which its kind last changed
 * (control_version): another hub still says its status and settles, and refuses a view that it would show
 * otherwise than asked for.  So each change to the fields of `add` counts its version up; an `add` with a
 * field that the hub does not know is refused, too.  Paths and addresses are texts of fs/host/json_text.h.
 *
 *   hello    which daemon is there: pid, namespace, device
 *   add      show this view; the reply names the directory to bind.  Held for the mount point until the
 *            connection ends; by then it is mounted or forgotten
 *   mounted  the mount point that was added is mounted now
 *   settle   answer when nothing is under way below the directory shown at this mount point, or too
 *            long has passed
 *   status   a report
 *
 * There is no request to remove a view or to end: the hub sees each unmount, whichever process made it, and
 * ends when nothing but its own mount is left.
 *
 * Credentials pass through here: lines are wiped, and so is the memory that jansson frees.  Pure; any thread.
 */
#ifndef FERRYFS_FS_CONTROL_CONTROL_H
#define FERRYFS_FS_CONTROL_CONTROL_H

#include <jansson.h>
#include "engine/account/account.h"
#include "fs/core/view.h"
#include "s3/buf.h"

enum {
	CONTROL_VERSION = 1, /* of every kind but add */
	CONTROL_ADD_VERSION = 2,
	CONTROL_LINE_MAX = 64 << 10,
	CONTROL_PATH_MAX = 4096,
	CONTROL_REPLY_MAX = 4 << 20,
	/* A connection whose other side neither sends nor takes a line for so long is cut off. */
	CONTROL_CLIENT_MS = 5000,
	/* The longest answer to `settle` takes: past two attempts without an answer, of 60 s each, and the pause
	 * between them. */
	CONTROL_SETTLE_MS = 150000,
};

enum control_op {
	CONTROL_HELLO,
	CONTROL_ADD,
	CONTROL_MOUNTED,
	CONTROL_SETTLE,
	CONTROL_STATUS,
	CONTROL_OP_COUNT,
};

struct control_request {
	enum control_op op;
	char *point; /* canonical mount point, from "/"; not in hello; NULL for status: all of them; owned */
	/* of add */
	uint64_t namespace; /* inode number of the caller's mount namespace */
	bool no_verify_tls;
	struct view *view; /* owned, without account; staging and source by the url */
	struct account_resolved account;
	char bucket_region[REGION_MAX + 1]; /* where the view's bucket was found to be; "": its account's */
};

/* For jansson, once in a process that uses the functions below, before its threads: memory that jansson frees
 * is wiped. */
void control_init(void);

/* The start of a hub's answer, in every version, to a request of another version than its own; the hub's
 * version number follows. */
#define CONTROL_OTHER_VERSION "this hub speaks version "

int control_version(enum control_op op);

/* A line without its new line.  -EINVAL with a sentence in why (ACCOUNT_WHY_MAX bytes), -EPROTONOSUPPORT for
 * another version, -ENOMEM. ret is to be released also after a failure. */
int control_parse(const char *line, size_t len, struct control_request *ret, char *why);
void control_request_release(struct control_request *request);

/* Appends the line with its new line. */
int control_format(const struct control_request *request, struct buf *ret);

#endif
