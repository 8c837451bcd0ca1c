/*
 * visit: how far one process has come in the directories that it walks; the evidence that more calls are to
 * come.
 *
 * cp and mv read a directory to its end, sort its entries by inode number, and go through them in that order,
 * one subdirectory after another to its bottom.  So a process at an entry below the highest number of its
 * listing still has to come to the entry with that number, and cannot skip that entry without a call: ferryfs
 * can still correct an early answer.
 *
 * The call that is sure to come is one on the source.  The copy of a file may go anywhere: the name at the
 * destination may be a mount, or a symbolic link from or to another file system, and then no close comes
 * here.  But a file ahead is opened here and a directory ahead is opened and read to its end, and both calls
 * wait for all promises where no entry is ahead of them any more (fs/ops/op_open.c, fs/ops/op_readdir.c).  If
 * the process made the copy of a file of this very directory, or of the directory itself, on this mount, then
 * the copy of its last file comes here as well (`lands`).  Only then may the close do the waiting: a close
 * can report an error without loss.
 *
 * rm goes into a directory, empties it and then removes it: while rm is below a directory that it opened, one
 * more call is always to come.  But once rm was told of a failure it no longer removes the directories around
 * the failed entry: there the order of the entries is the only evidence, as for cp.
 *
 *   visits of a process, the outermost first; each directory was met as an entry of the one before it
 *
 *   listed  broken  last      meaning
 *   no      no      0         being read: `highest` grows with the entries that the process is told
 *   yes     no      0         read to its end, no entry visited yet
 *   yes     no      > 0       the process is at the entry `last`, and has passed all entries before
 *   any     yes     -         an entry came out of order: no evidence from this directory any more
 *
 * An entry that comes out of order, or before the listing's end, breaks the visit of its directory.  If the
 * process opens a directory that is no entry of one on the stack, a new stack begins: this is another operand
 * of the command.
 *
 * Pure: no locks, no I/O; one owner at a time.  All zero at first.
 */
#ifndef FERRYFS_FS_EARLY_WALK_H
#define FERRYFS_FS_EARLY_WALK_H

#include <stdbool.h>
#include <stdint.h>

/* A key has at most 1,024 bytes, and a name takes at least two with its "/": no tree of S3 is deeper (AWS,
 * object keys). */
enum { VISIT_DEPTH_MAX = 512 };

struct visit {
	uint64_t directory; /* inode numbers, as are the next three; 0: none */
	uint64_t parent; /* the directory where the process met it */
	uint64_t highest, last;
	uint64_t id; /* of this opening: the listing of another opening is no evidence for this one */
	bool listed, broken;
	bool lands; /* its entries are copied to a directory of this mount */
	bool kept; /* rm was told of a failure inside: it will not remove this directory */
};

struct visits {
	struct visit *stack;
	unsigned count, size;
	uint64_t next_id;
};

void visits_release(struct visits *visits);

/* The process opened a directory.  Returns the id of this visit, for visit_told and visit_listed; 0 when
 * memory is short or the tree too deep: then there is no evidence from this directory. */
uint64_t visit_opened(struct visits *visits, uint64_t directory, uint64_t parent);
/* The process was given entries up to this inode number (not "." nor ".."). */
void visit_told(struct visits *visits, uint64_t id, uint64_t highest);
/* The process reads the directory once more from the start. */
void visit_rewound(struct visits *visits, uint64_t id);
/* The process is about to get the end of the listing.  Has it still to come to an entry of this listing,
 * or of a directory around it? */
bool visit_listed(struct visits *visits, uint64_t id);
/* The process turns to this entry of a directory that it may be visiting. */
void visit_entry(struct visits *visits, uint64_t directory, uint64_t entry);
/* The process turned to this entry last.  Has it still to come to another entry, here or in a directory
 * around it? */
bool visit_more(const struct visits *visits, uint64_t directory, uint64_t entry);

/* Has the process still to come to an entry of the directories that it visits, wherever it is? */
bool visit_coming(const struct visits *visits);
/* The copy of an entry of this directory was made on this mount. */
void visit_lands(struct visits *visits, uint64_t directory);
/* The process turned to this entry and opens it: can a later call of the process report an error, here or
 * at the copy? */
bool visit_passes(const struct visits *visits, uint64_t directory, uint64_t entry);

/* Is the directory on the stack? */
bool visit_has(const struct visits *visits, uint64_t directory);
/* Does the process visit the directory, and has it not yet passed this entry? */
bool visit_ahead(const struct visits *visits, uint64_t directory, uint64_t entry);

/* rm: is the process inside this directory, and will rm remove the directory? */
bool visit_inside(const struct visits *visits, uint64_t directory);
/* rm turns to this entry, to remove it.  Is another call to come, for the directory or, where rm keeps the
 * directory, for another entry? */
bool visit_removing(struct visits *visits, uint64_t directory, uint64_t entry);
/* rm is told of a failure at its current entry. */
void visit_refused(struct visits *visits);
/* rm asked to remove this directory. */
void visit_left(struct visits *visits, uint64_t directory);

#endif
