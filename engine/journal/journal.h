/*
 * journal: the steps that a move has begun, outside of memory and on disk, so that the process that comes
 * after a crash can finish or undo it.
 *
 * One append-only file a move (journal_dir.h says where, journal_line.h its lines), locked while its move
 * lives.  Its worth lies in the order:
 *
 *   intent            on disk before anything else happens
 *   keys of a page    written before the first of their copies is sent
 *   answers           written after they came, some at a time
 *   all copied        on disk, and with it all before it, before the first delete is sent
 *   the file removed  when all is deleted, or all undone, or nothing is left that could be done
 *
 * So without the last line no source was deleted by us; with it every copy was acknowledged.  Reading stops
 * at the first line that is damaged or torn: the lines behind it never happened, and that is the safe side,
 * since the line that permits deletes comes last.  Keys that the kernel had not written when the power failed
 * are missing from it: their copies stay where they are, and nothing is lost.
 *
 * In memory there are a few words a page of keys (an index), and one page while it is read.  A write that
 * fails (ENOSPC) fails the move; its lines are kept in memory, for the undo.
 *
 * Writers: any thread.  journal_rewind, journal_next, journal_finish, journal_free: one owner, after the last
 * writer.
 */
#ifndef FERRYFS_ENGINE_JOURNAL_JOURNAL_H
#define FERRYFS_ENGINE_JOURNAL_JOURNAL_H

#include "engine/journal/journal_dir.h"
#include "engine/journal/journal_line.h"

enum { JOURNAL_NO_PAGE = -1 };

struct journal;

/* The directory is lent until the journal is finished or freed.  -ENOSPC, -EROFS, ... */
int journal_new(struct journal_dir *dir, const struct journal_intent *intent, struct journal **ret);
/* The journal of this name, for recovery: locked, read through once.  -EBUSY: it is being worked on; -ENOENT:
 * it is gone; -EPERM: not ours alone; -EBADMSG: not even its intent can be read. */
int journal_open(struct journal_dir *dir, const char *name, struct journal **ret);
/* Removes the file; then as journal_free. */
int journal_finish(struct journal *journal);
/* The file stays, unlocked: for a recovery.  NULL is fine. */
void journal_free(struct journal *journal);

const struct journal_intent *journal_intent(const struct journal *journal); /* lent */
bool journal_all_copied(const struct journal *journal);
uint64_t journal_copied(const struct journal *journal); /* answers of copies */
uint64_t journal_keys(const struct journal *journal);
/* Does it hold a key with a copy in parts that has no answer? */
bool journal_has_uploads(const struct journal *journal);
bool journal_empty(const struct journal *journal); /* no key yet */
/* When its file was last written, by this machine's clock; 0: not known. */
int64_t journal_written(const struct journal *journal);

/* ---- writing ---- */

/* A page of `count` K lines (answers name its number); one write.  time: by the server's clock. */
int journal_page(struct journal *journal, struct str lines, unsigned count, int64_t time, int64_t *ret_page);
/* C, F, U or E lines of one page.  After a failure they count for the undo all the same. */
int journal_answers(struct journal *journal, int64_t number, struct str lines, unsigned copied);
/* The line that permits deletes, on disk when this is back. */
int journal_write_all_copied(struct journal *journal);

/* ---- reading ---- */

void journal_rewind(struct journal *journal);
/* The next page that has any entries, as record.h writes them, into ret (cleared first): the copied keys;
 * with `unknown` also keys with a copy that was neither acknowledged nor refused.  -ENODATA at the end;
 * -EBADMSG; -ENOMEM. */
int journal_next(struct journal *journal, bool unknown, struct buf *ret);

#endif
