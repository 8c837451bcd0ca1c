#include "fs/core/key_hold.h"

#include <errno.h>

static void key_hold_granted(struct claim *claim);

int key_hold_take(struct key_hold *hold)
{
	bool changed = false;
	int error = hold->kind->locate(hold, &changed);

	if (error == 0)
		error = hold->kind->add(hold, &hold->claim);
	if (error < 0)
		return error;
	hold->claim.granted = key_hold_granted;
	hold->claim.user = hold;
	return claim_take(hold->hub->claims, &hold->claim);
}

/* Gives the claim back, and takes it where the names are now. */
static int key_hold_retake(struct key_hold *hold)
{
	if (hold->retakes++ >= KEY_HOLD_RETAKES_MAX)
		return -EBUSY;
	key_hold_release(hold, 0);
	hub_lock(hold->hub);
	int result = key_hold_take(hold);

	hub_unlock(hold->hub);
	return result;
}

static void key_hold_granted(struct claim *claim)
{
	struct key_hold *hold = claim->user;
	int result = 1;

	while (result == 1) {
		bool changed = false;

		hub_lock(hold->hub);
		int error = hold->kind->locate(hold, &changed);

		hub_unlock(hold->hub);
		if (error < 0 || !changed) {
			hold->kind->ready(hold, error);
			return;
		}
		result = key_hold_retake(hold);
	}
	if (result < 0)
		hold->kind->ready(hold, result);
}

void key_hold_release(struct key_hold *hold, int error)
{
	claim_release(hold->hub->claims, &hold->claim, error);
	hold->claim = (struct claim){0};
}
