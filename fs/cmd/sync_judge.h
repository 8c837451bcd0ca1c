/*
 * sync_judge: does the destination have a source object already, going by two entries of listings?  Pure.
 *
 * SYNC_MISSING takes what is not there.  SYNC_NEWER takes that, and what is newer than what is there.
 * SYNC_CHANGED takes what is not there, what has another size, and what has another ETag and is newer; where the
 * ETag is another one, the source is not newer, and both ETags look like MD5s, a comparison has to tell.
 */
#ifndef FERRYFS_FS_CMD_SYNC_JUDGE_H
#define FERRYFS_FS_CMD_SYNC_JUDGE_H

#include "fs/cmd/transfer_options.h"
#include "s3/page.h"

/* SYNC_COMPARE: engine/object/compare.h tells. */
enum sync_verdict { SYNC_LEAVE, SYNC_TAKE, SYNC_COMPARE };

/* there: the destination's object, or NULL. */
enum sync_verdict sync_judge(
	enum sync_mode mode, const struct page_entry *source, const struct page_entry *there);

#endif
