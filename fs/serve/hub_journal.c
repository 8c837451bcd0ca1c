#include "fs/serve/hub_journal.h"

#include <errno.h>
#include <stdio.h>

#include "engine/base/log.h"
#include "fs/host/journal_place.h"
#include "fs/serve/recoverer.h"
#include "fs/host/staged.h"

_Static_assert((int)JOURNAL_WHY_MAX <= (int)ACCOUNT_WHY_MAX, "a sentence fits");

int hub_journal_open(struct hub *hub, const char *wanted, char *why)
{
	char reason[JOURNAL_WHY_MAX] = "";
	int error = journal_place_open(wanted, &hub->journal, reason);

	if (error < 0 && wanted) {
		snprintf(why, ACCOUNT_WHY_MAX, "%s", reason);
		return error;
	}
	if (error < 0) {
		hub->journal_error = error;
		log_text(LOG_LEVEL_WARNING, "directories cannot be renamed, see -o journal=DIR: %s", reason);
		return 0;
	}
	error = recoverer_new(hub->engine, hub->journal, &hub->recoverer);
	if (error < 0)
		snprintf(why, ACCOUNT_WHY_MAX, "out of memory");
	return error;
}

void hub_journal_close(struct hub *hub)
{
	recoverer_free(hub->recoverer);
	journal_dir_free(hub->journal);
}

void hub_journal_recover(struct hub *hub, struct account *account)
{
	staged_tell(hub->journal, account);
	recoverer_run(hub->recoverer, account, HUB_JOURNAL_WAIT_MS);
}

unsigned hub_journal_begin(struct hub *hub, struct account *account)
{
	staged_tell(hub->journal, account);
	return recoverer_begin(hub->recoverer, account);
}

bool hub_journal_done(struct hub *hub, unsigned round)
{
	return recoverer_done(hub->recoverer, round);
}
