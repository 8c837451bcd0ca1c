/*
 * node: the thing behind an inode number: a parent, a name, a kind, and attributes with an age.
 *
 * Nodes form the tree of one hub.  A node knows its parent and name, never its path, so that a renamed
 * directory is one pointer and open files below follow.  Inode numbers rise, are used again only for the
 * same name of the same directory (fs/core/node_numbers.h), and nodes made from a listing get theirs in the listing's
 * order where they are new: cp visits a directory by inode number, and the batch reads that as evidence.
 *
 * Life: a node lives while anything holds it:
 *   lookups  entries that the kernel was told of and has not forgotten (FUSE lookup count)
 *   refs     children (each holds its parent), open handles, parked requests, fresh knowledge of a directory
 * A node that nothing holds is freed.  A node taken out of its directory (unlinked, renamed over)
 * is `gone`: reachable by number until it is forgotten, no longer by name.
 *
 * All fields are protected by the hub's lock (struct hub.lock); every function here is called with it held
 * unless it says otherwise.  Own hash tables: two intrusive chains cost 16 bytes a node where uthash's two
 * handles cost 112, and a recursive copy of a million files makes a million nodes.
 */
#ifndef FERRYFS_FS_CORE_NODE_H
#define FERRYFS_FS_CORE_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include "fs/core/attrs.h"
#include "fs/core/view.h"
#include "s3/page.h"

enum node_kind {
	NODE_HUB, /* children: services */
	NODE_SERVICE, /* an account; children: buckets */
	NODE_BUCKET,
	NODE_DIR, /* a prefix inside a bucket */
	NODE_FILE,
};

/*
 * A file's time.  S3's answers disagree about one and the same object: listings and copies give milliseconds,
 * HEAD whole seconds (Swift's: rounded up), a PUT gives none but the clock of its answer.  So
 *
 *   - of what S3 says only the whole seconds are taken.  That is what every service can say in every answer, so
 *     that another mount, a remount and a node that was forgotten show the same; the milliseconds are lost.
 *     (A service that has them in HEAD, too, breaks RFC 9110, and loses nothing that a program can rely on.)
 *   - the time that was shown stays for as long as S3 shows the same content: the same size, with the same ETag
 *     or the same Last-Modified.  So it survives being listed, looked up, aged, renamed, and saved: a saved file
 *     keeps the time that stat gave while it was written.
 *   - a service that gives no time that can be read shows the time its view began.
 *
 * The price: identical bytes stored anew by somebody else show their new time only once the node was forgotten.
 * A directory has no time at S3 that every answer has: it shows when it was made here, else when the daemon
 * began (struct view.since), and that stays.
 */
struct node_attr {
	uint64_t size;
	int64_t mtime; /* seconds since 1970; 0: unknown */
	int32_t mtime_nsec;
	int64_t modified; /* Last-Modified as S3 last said it of this content; 0: not said since it was made here
			   */
	uint32_t version; /* another one each time they are set: node_stamp */
	char *etag; /* without quotes; NULL: unknown; owned */
	char *storage_class; /* NULL: STANDARD or unknown; owned */
	uint64_t fetched_ms; /* CLOCK_MONOTONIC (coarse) when this was true at the server; 0: never */
	/* -o attrs=meta: what the object's metadata keeps; NULL: not known (listings do not have it); owned.  A
	 * file's is of this ETag and this `modified`, and goes with them; a directory's, of its marker, is as old
	 * as attrs_ms says. */
	struct attrs *attrs;
	uint64_t attrs_ms;
};

struct dir; /* fs/dir/dir.h: what is known of a directory's content */
struct draft; /* fs/file/draft.h: content written or copied here that S3 does not have yet */

struct node {
	uint64_t ino;
	struct node *parent; /* NULL: root */
	enum node_kind kind : 8;
	bool gone;
	bool local; /* made by this mount (attributes exact whatever their age) until `fetched_ms` says
		       otherwise */
	bool held; /* fs/dir/dir.c only: one of the refs is its directory's knowledge; dir_child_leaves gives it
		      back */
	uint16_t
		pins; /* fs/serve/views.c only: views that show it or what is below: it stays, whatever S3 lists */
	/* fs/early/early.c only: how many batches' rm emptied this directory and are about to remove it.  S3 may have no key
	 * of it any more, but those processes must find it. */
	uint16_t emptied;
	uint16_t name_len;
	uint32_t refs;
	uint32_t lookups; /* UINT32_MAX: so many or more */
	struct view *view; /* set on a view's root only */
	struct dir *dir; /* directories; NULL: nothing known */
	struct draft *draft; /* files; NULL: the object is all there is */
	struct node_attr attr;
	struct node *ino_next, *name_next; /* hash chains */
	struct node *child_next, *child_prev, *children; /* siblings of one parent */
	char *name; /* NUL-terminated; in room, or on the heap where a rename made it longer */
	uint16_t room_size; /* private: bytes in room */
	char room[];
};

struct nodes; /* the tables */

int nodes_new(struct nodes **ret);
void nodes_free(struct nodes *nodes); /* frees every node */
/* The work of the floors above when a node goes.  Under the lock that protects the nodes; neither may ref that node nor drop a
 * ref of another. */
struct nodes_hooks {
	/* The node is about to leave its parent's names, and is still there: the directory forgets it. */
	void (*leaves)(void *user, struct node *node);
	/* The node is about to be freed, its parent still there: its dir and its draft are freed. */
	void (*freed)(void *user, struct node *node);
	void *user;
};

/* Copies the hooks; once, before any node is added.  Without them nothing may hang on a node. */
void nodes_set_hooks(struct nodes *nodes, const struct nodes_hooks *hooks);
uint64_t nodes_count(const struct nodes *nodes);
/* So many, some 4 MiB, are worth the kernel's while: beyond them it is asked for nodes back (fs/serve/prune.h). */
enum { NODES_MANY = 16384 };

/* The root, ino 1.  view may be NULL (a hub's own root). */
int nodes_add_root(struct nodes *nodes, enum node_kind kind, struct view *view, struct node **ret);
/* NULL when there is none. */
struct node *nodes_find(struct nodes *nodes, uint64_t ino);
struct node *nodes_child(struct nodes *nodes, const struct node *parent, struct str name);
/* Is the node `above` itself, or below it?  node NULL: no. */
bool node_is_below(const struct node *node, const struct node *above);
/* Is the object of this name known as one beside a directory (fs/core/odd_name.h)?  *ret_name is that name, in buf. */
bool nodes_beside(struct nodes *nodes, const struct node *parent, struct str name, struct odd_text *buf,
	struct str *ret_name);
/* A new child; -EEXIST when the name is taken, -EINVAL when it is no key_name_ok.  The caller gets one ref.
 */
int nodes_add(
	struct nodes *nodes, struct node *parent, struct str name, enum node_kind kind, struct node **ret);
/* Out of its directory: name is free, node->gone.  This, nodes_move and the freeing of a node that is not
 * gone call dir_child_leaves(node) first; a directory's freeing calls dir_free(node).  The caller holds a
 * ref. */
void nodes_detach(struct nodes *nodes, struct node *node);
/* Re-parents; the new name must be free there (detach what was): else -EEXIST.  -EINVAL: into itself or
 * below, or a node that is gone; -ENOMEM.  A failure changes nothing.  The node's address stays. */
int nodes_move(struct nodes *nodes, struct node *node, struct node *parent, struct str name);

struct node *node_ref(struct node *node);
void node_unref(struct nodes *nodes, struct node *node);
void node_lookup_add(struct node *node); /* one fuse_reply_entry or readdirplus entry */
void node_forget(struct nodes *nodes, struct node *node, uint64_t count);

/* The whole table against its invariants, by assert; nothing under NDEBUG.  Slow: for tests, shutdown, and
 * every transition in sanitizer builds (table_changed). */
void nodes_check(const struct nodes *nodes);

bool node_is_dir(const struct node *node);
struct view *node_view(const struct node *node); /* the nearest above or at it; NULL above every view */

/* Takes size, times, ETag, class of what this mount itself made, as true now (`local` ends; attrs stay); -ENOMEM
 * leaves it as it was. */
int node_set_attr(struct node *node, uint64_t size, int64_t mtime, int32_t nsec, struct str etag,
	struct str storage_class);
/* Takes the attributes that a listing or a HEAD gave. */
struct node_said {
	uint64_t size;
	int64_t modified; /* 0: not said */
	struct str etag, storage_class;
};
/* Takes that as true now, the time by the rule at struct node_attr.  1: the content is another than was known;
 * 0; -ENOMEM leaves it as it was. */
int node_learn(struct node *node, const struct node_said *said);
/* All that is known of one node becomes known of another.  -ENOMEM. */
int node_copy_attr(struct node *node, const struct node_attr *attr);
/* Another value as soon as anything new was learnt of the node: what was asked for before is then outdated.
 * (The clock of fetched_ms is coarse, 4 ms: a write and the question before it may fall into one tick.) */
uint64_t node_stamp(const struct node *node);
/* Not older than the view's cache_ttl, or `local`.  Directories always are: nothing of theirs is asked for.
 */
bool node_attr_fresh(const struct node *node, uint64_t now_ms);
/* Does metadata keep its mode, owner and times (-o attrs=meta, and it has a key)? */
bool node_keeps_attrs(const struct node *node);
/* Is what node_stat shows of mode, owner and times true, so far as is known?  Where it is not, the kernel may not
 * believe it, and stat asks by HEAD. */
bool node_attrs_known(const struct node *node, uint64_t now_ms);
/* Takes the attributes that the metadata keeps, as true now; NULL: not known any more.  -ENOMEM: then they are not known. */
int node_set_attrs(struct node *node, const struct attrs *attrs);

#endif
