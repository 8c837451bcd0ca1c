/*
 * dir: the knowledge of a directory's content, and for how long it is believed.
 *
 * Knowledge is WHOLE (every child that exists is a node below; a name without a node does not exist) or none.
 * It becomes whole when the directory was just created here, or was listed to its end, and is believed for
 * the view's cache_ttl; what this mount itself changes keeps it exact.  While knowledge is fresh the child
 * nodes are held by it (bounded by DIR_HELD_MAX over the hub; past that the oldest knowledge is given up), so
 * that forgotten names can be answered.
 *
 * Of a directory too long for that a part can be known: that there is nothing from some name on
 * (fs/dir/dir_tail.h), for as long; what comes to be there is held likewise.
 *
 * Asking takes time, and names change meanwhile.  Whoever asks S3 about a directory's names (a listing, a
 * lookup's HEAD) is a watcher from before the question until its answer is applied; what this mount removes
 * while there are watchers is remembered, so that an old answer does not bring it back.
 *
 * All under hub.lock.  Memory that is short only makes less known.
 */
#ifndef FERRYFS_FS_DIR_DIR_H
#define FERRYFS_FS_DIR_DIR_H

#include "fs/core/hub.h"

enum {
	DIR_HELD_MAX = 200000,
	DIR_REMOVED_MAX =
		1
		<< 17, /* names remembered a directory while it has watchers; past it no answer is believed */
};

/* Is everything known, and fresh enough to be believed? */
bool dir_whole(const struct node *directory, uint64_t now_ms);
/* Is it known, and fresh enough to be believed, that S3 has nothing at this key of the directory?  What this
 * mount has there is a node. */
bool dir_nothing_at(const struct hub *hub, const struct node *directory, struct str key, uint64_t now_ms);
/* This mount just made it: empty and known.  -ENOMEM leaves nothing known. */
int dir_born(struct hub *hub, struct node *directory);
/* Gives up what is known (an error made it doubtful, or somebody else changed it). */
void dir_doubt(struct hub *hub, struct node *directory);
/* Gives up all knowledge that is no longer fresh. */
void dirs_reap(struct hub *hub);
/* The node of the directory that the knowledge is of. */
struct node *dir_node(const struct dir *dir);
/* The directory's node is about to be freed (called by node.c): no child is left. */
void dir_free(struct node *directory);

/* A child came to exist here (created, made, renamed to this place, listed): knowledge holds its node from
 * now on. */
void dir_child_added(struct hub *hub, struct node *child);
/* Called by node.c when a child is detached, moved away, or freed: gives back the ref of knowledge, which
 * must not be the last; a child freed although it may exist ends knowledge. */
void dir_child_leaves(struct node *child);
/* This mount removed the name (before nodes_detach or nodes_move): remembered for the watchers. */
void dir_removed(struct node *directory, struct str name);
/* S3 acknowledged this child: directories around it that only this mount knew of (node.local) exist there
 * too. */
void dir_landed(const struct node *child);
/* Is there a child of this directory that S3 has, other than this one (NULL: any)?  Says so only for what is
 * known. */
bool dir_has_other(const struct node *directory, const struct node *child);

/* ---- watchers ---- */
struct dir_watch {
	struct node *directory; /* referenced; NULL: none */
	uint64_t started_ms;
	unsigned epoch; /* of the knowledge, when it began */
	bool doubted; /* memory was short: believe nothing */
};
void dir_watch_begin(struct hub *hub, struct node *directory, struct dir_watch *ret);
/* Did this mount remove the name since the watch began? */
bool dir_watch_removed(const struct dir_watch *watch, struct str name);
/* Can it still be told?  When not, what is no node yet must be asked for again before it is believed. */
bool dir_watch_believable(const struct dir_watch *watch);
/* A listing has come to its end and every entry was told by dir_child_added: nodes that were not seen have
 * vanished, and knowledge is whole if nothing shook it meanwhile. */
void dir_watch_listed(struct hub *hub, struct dir_watch *watch);
/* S3 was asked what there is after this key: nothing (to is STR_NONE), or what was taken into the nodes, up to
 * that key. */
void dir_watch_tail(struct hub *hub, struct dir_watch *watch, struct str key, struct str to);
void dir_watch_end(struct hub *hub, struct dir_watch *watch);

/* ---- misses: when to ask for more than the name ---- */
enum dir_question { DIR_ASK_NAME, DIR_ASK_LISTING, DIR_ASK_TAIL };
/* A lookup of this process found nothing known here: what shall it ask for?  Having said the listing it does
 * not for a while, until a listing makes knowledge whole: a directory of millions is not fetched again and
 * again.  Then it is what is there from the name on: a page, while the names that are missed come in the order
 * of their keys.  key: of the name. */
enum dir_question dir_miss(struct node *directory, pid_t pid, struct str key, uint64_t now_ms);

/* Does the marker object "dir/" exist at the server, as far as known?  -1: not known. */
int dir_marker(const struct node *directory);
void dir_set_marker(struct node *directory, bool exists);
/* Was the marker listed as empty and of class STANDARD?  dir_set_marker says no. */
bool dir_marker_plain(const struct node *directory);
void dir_set_marker_plain(struct node *directory);

#endif
