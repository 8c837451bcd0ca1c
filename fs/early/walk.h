/*
 * visit: how far one process has come in the directories that it walks; the evidence that more is to come.
 *
 * cp and mv read a directory to its end, sort what they read by inode number, and go through it in that
 * order, one subdirectory after another to its bottom.  So a process that is at an entry below the highest
 * number of its own listing still has that one before it, and cannot pass over it in silence: an answer given
 * early can still be put right.
 *
 * The call that is sure to come is one on the source.  What is made of a file may go anywhere: the name at the
 * destination may be a mount, or a symbolic link from or to another file system, and then no close comes here.
 * But a file ahead is opened here and a directory ahead is opened and read to its end, and both calls wait
 * for everything where nothing is ahead of them any more (fs/ops/op_open.c, fs/ops/op_readdir.c).  Only where a file
 * of this very directory, or the directory itself, was made by the process in a place of ours does its last
 * file go there as well (`lands`): then the close, which loses nothing by telling, may do the waiting.
 *
 * rm goes into a directory and, having emptied it, removes it: below a
 * directory that it opened there is always one more call to come.  But once it was told of a failure it no
 * longer removes the directories around that: there the order of its entries is all the evidence, as for cp.
 *
 *   visits of a process, the outermost first; each directory was met as an entry of the one before it
 *
 *   listed  broken  last      meaning
 *   no      no      0         being read: `highest` grows with what the process is told
 *   yes     no      0         read to its end, nothing of it visited yet
 *   yes     no      > 0       `last` is the entry the process is at; all before it are behind it
 *   any     yes     -         something came out of order: no evidence from this directory any more
 *
 * An entry that comes out of order, or before the listing's end, breaks the visit of its directory.  A
 * directory opened that is no entry of one on the stack begins a new stack: another operand of the command.
 *
 * Pure: no locks, no I/O; one owner at a time.  All zero at first.
 */
#ifndef FERRYFS_FS_EARLY_WALK_H
#define FERRYFS_FS_EARLY_WALK_H

#include <stdbool.h>
#include <stdint.h>

/* A key is at most 1,024 bytes and a name at least one with its "/": no tree of S3 is deeper (AWS, object
 * keys). */
enum { VISIT_DEPTH_MAX = 512 };

struct visit {
	uint64_t directory; /* inode numbers, as are the next three; 0: none */
	uint64_t parent; /* where it was met */
	uint64_t highest, last;
	uint64_t id; /* of this opening: a listing told to another one says nothing about it */
	bool listed, broken;
	bool lands; /* what is in it is copied to a directory of ours */
	bool kept; /* rm was told of a failure inside: it will not remove this directory */
};

struct visits {
	struct visit *stack;
	unsigned count, size;
	uint64_t next_id;
};

void visits_release(struct visits *visits);

/* The process opened a directory.  The id of this visit, for visit_told and visit_listed; 0 when memory is
 * short or the tree too deep: then nothing is known of it. */
uint64_t visit_opened(struct visits *visits, uint64_t directory, uint64_t parent);
/* Entries up to this inode number were handed to the process (not "." nor ".."). */
void visit_told(struct visits *visits, uint64_t id, uint64_t highest);
/* It reads the directory once more from the start. */
void visit_rewound(struct visits *visits, uint64_t id);
/* The end of the listing is about to be handed out.  Is something of it, or beyond it, still to come? */
bool visit_listed(struct visits *visits, uint64_t id);
/* The process turns to this entry of a directory that it may be visiting. */
void visit_entry(struct visits *visits, uint64_t directory, uint64_t entry);
/* It is at this entry, having turned to it last of all: is another one to come, here or in a directory around
 * it? */
bool visit_more(const struct visits *visits, uint64_t directory, uint64_t entry);

/* Is an entry of what it visits still to come, wherever the process is? */
bool visit_coming(const struct visits *visits);
/* Something of this directory was made in a place of ours. */
void visit_lands(struct visits *visits, uint64_t directory);
/* The process opens this entry, having turned to it: will a later call of its tell, here or at its copy? */
bool visit_passes(const struct visits *visits, uint64_t directory, uint64_t entry);

/* Is the directory on the stack? */
bool visit_has(const struct visits *visits, uint64_t directory);
/* Is the entry one of a directory that the process visits, and not behind it yet? */
bool visit_ahead(const struct visits *visits, uint64_t directory, uint64_t entry);

/* rm: is the process inside this directory, and will it remove it? */
bool visit_inside(const struct visits *visits, uint64_t directory);
/* rm: it turns to this entry, to remove it.  Is another call to come, for the directory or, where it is kept,
 * for another entry? */
bool visit_removing(struct visits *visits, uint64_t directory, uint64_t entry);
/* rm: it is told of a failure at the entry where it is. */
void visit_refused(struct visits *visits);
/* rm: it asked for this directory to be removed. */
void visit_left(struct visits *visits, uint64_t directory);

#endif
