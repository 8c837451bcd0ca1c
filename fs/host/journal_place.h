/*
 * journal_place: where this user's journals lie.
 *
 * The option, else $FERRYFS_JOURNAL, else /var/lib/ferryfs for root and $XDG_STATE_HOME/ferryfs
 * (~/.local/state/ferryfs) for others; never on a ferryfs mount.  A default one is made with the directories
 * above it.
 */
#ifndef FERRYFS_FS_HOST_JOURNAL_PLACE_H
#define FERRYFS_FS_HOST_JOURNAL_PLACE_H

#include "engine/journal/journal_dir.h"

/* wanted NULL: no option.  -errno with a sentence in why (JOURNAL_WHY_MAX bytes). */
int journal_place_open(const char *wanted, struct journal_dir **ret, char *why);

#endif
