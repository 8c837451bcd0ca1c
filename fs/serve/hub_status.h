/*
 * control_reply: the answer of a hub, or of the daemon of one mount.  NULL when memory is short.
 */
#ifndef FERRYFS_FS_SERVE_HUB_STATUS_H
#define FERRYFS_FS_SERVE_HUB_STATUS_H

#include "fs/serve/views.h"

/* A mount with a file system of its own. */
struct control_alone {
	const struct view *view;
	const char *point; /* where it was mounted */
};

/* The objects that the report describes; all lent. */
struct control_report {
	struct hub *hub;
	struct views *views; /* NULL: not a hub, and then: */
	const struct control_alone *alone;
	uint64_t namespace, uptime_ms;
	const char *log;
};

json_t *control_ok(void);
json_t *control_refusal(const char *why);
json_t *control_hello(const struct control_report *report);
/* One view; account: its name (views_account_name). */
json_t *control_view(const struct view *view, const char *point, const char *account, bool ro);
json_t *control_status(const struct control_report *report, const char *point); /* point NULL: of all */

#endif
