/*
 * control_reply: what a hub answers.  NULL when memory is short.
 */
#ifndef FERRYFS_FS_CONTROL_REPLY_H
#define FERRYFS_FS_CONTROL_REPLY_H

#include "fs/views.h"

/* What is reported; all lent. */
struct control_report {
	struct hub *hub;
	struct views *views;
	uint64_t namespace, uptime_ms;
	const char *log;
};

json_t *control_ok(void);
json_t *control_refusal(const char *why);
json_t *control_hello(const struct control_report *report);
json_t *control_status(const struct control_report *report, const char *point); /* point NULL: of all */

#endif
