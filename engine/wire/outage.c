#include "engine/wire/outage.h"

void outage_good(struct outage *outage)
{
	outage->good++;
	outage->since_ms = outage->last_ms = outage->failures = 0;
}

void outage_failed(struct outage *outage, unsigned gap_ms, uint64_t now_ms)
{
	/* 0 means none: a clock that begins with 0 is a test's. */
	uint64_t now = now_ms ? now_ms : 1;

	if (outage->since_ms == 0 || now - outage->last_ms > OUTAGE_GAP_MS + (uint64_t)gap_ms)
		*outage = (struct outage){.good = outage->good, .since_ms = now};
	outage->last_ms = now;
	outage->failures++;
}

uint64_t outage_ms(const struct outage *outage)
{
	return outage->last_ms - outage->since_ms;
}
