/*
 * hub_journal: a hub's directory for journals, and the recovery of the moves that other processes left there.
 *
 * Without a directory that can be used the mount serves, but for renames of directories, which fail with the
 * reason; one that was asked for by name must be usable, or there is no mount.
 */
#ifndef FERRYFS_FS_SERVE_HUB_JOURNAL_H
#define FERRYFS_FS_SERVE_HUB_JOURNAL_H

#include "fs/core/hub.h"

enum { HUB_JOURNAL_WAIT_MS = 10000 }; /* a command that mounts waits 30 s for its answer */

/* Once, before the hub serves; wanted NULL: the default.  -errno with a sentence in why (ACCOUNT_WHY_MAX
 * bytes). */
int hub_journal_open(struct hub *hub, const char *wanted, char *why);
/* From hub_free. */
void hub_journal_close(struct hub *hub);
/* A view of this account begins: moves that the account left are finished or undone, before this call returns
 * if that takes no longer than HUB_JOURNAL_WAIT_MS. */
void hub_journal_recover(struct hub *hub, struct account *account);
/* The same for a caller that must not wait: begins a round (0: there is nothing to begin).  Then: is that
 * round over? */
unsigned hub_journal_begin(struct hub *hub, struct account *account);
bool hub_journal_done(struct hub *hub, unsigned round);

#endif
