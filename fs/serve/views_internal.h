/*
 * views_inside: the parts of views, for views*.c.
 */
#ifndef FERRYFS_FS_SERVE_VIEWS_INTERNAL_H
#define FERRYFS_FS_SERVE_VIEWS_INTERNAL_H

#include "fs/core/place.h"
#include "fs/serve/views.h"

/* An account and its directory below the hub's root. */
struct service {
	struct account *account;
	struct view *base; /* closed, hidden: for the directories above the views */
	struct node *node; /* referenced and pinned for good */
};

/* One mount point; pending until `mounted`. */
struct shown {
	char *point;
	struct view *view; /* of views.options */
	struct service *service;
	struct node **nodes; /* pinned and referenced, the service's first, the view's own last */
	unsigned count;
	bool ro;
	bool mounted;
	bool seen; /* in the list of mounts that is being read */
	unsigned mount; /* its number there */
};

struct views {
	struct hub *hub;
	char *home;
	dev_t dev;
	const char *const *paths;
	struct service services[VIEWS_ACCOUNTS_MAX];
	unsigned service_count;
	struct view *options[VIEWS_OPTIONS_MAX];
	unsigned option_count;
	struct shown *shown[VIEWS_SHOWN_MAX]; /* the latest last */
	unsigned shown_count;
	struct shown *former[VIEWS_FORMER_MAX]; /* the oldest first */
	unsigned former_count;
	bool unread; /* the mounts could not be looked at when they changed */
	unsigned others; /* mounts of the hub that no client asked it for: a user's own bind mounts */
};

/* ---- views_nodes.c; hub.lock is taken inside ---- */

/* The directory of a new account, named so that a person knows it. */
int views_node_service(struct views *views, struct service *service);
/* Finds or makes the nodes that lead to the view's directory and pins them.  Fills nodes and count. */
int views_pin(struct views *views, struct shown *shown, char *why);
void views_unpin(struct views *views, struct shown *shown);
/* Sets the directories' options anew, from the views that are shown. */
void views_dress(struct views *views, struct node *node);
/* The files from this one down look otherwise now than the kernel believes. */
void views_refresh(struct views *views, struct node *node);
/* Where the view is by now ("" for a missing part): directories may have been renamed.  False: the view is
 * gone. */
bool views_place(const struct views *views, const struct shown *shown, struct place *ret);

/* ---- views.c ---- */
/* Takes the view from the shown ones: it never was mounted (gone), or is no longer mounted (former). */
void views_remove(struct views *views, struct shown *shown);
/* Drops former views that the kernel has forgotten, or that overlap this address (NULL: none). */
void views_drop_former(struct views *views, const struct account *account, const struct s3_url *url);

#endif
