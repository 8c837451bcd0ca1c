/*
 * outage: has a service answered anything well lately?
 *
 * One call that fails says little: its object may be broken, or the whole service may be away.  The answers
 * that others got meanwhile tell the two apart.  An outage begins with the first failure after a good answer
 * and ends with the next good answer.  Failures that are further apart than OUTAGE_GAP_MS and a time-out
 * belong to different outages: no call asked the service in between.
 *
 * Pure; the clock is passed in; one thread.
 */
#ifndef FERRYFS_ENGINE_WIRE_OUTAGE_H
#define FERRYFS_ENGINE_WIRE_OUTAGE_H

#include <stdint.h>

enum { OUTAGE_GAP_MS = 30000 }; /* retries are at most RETRY_CAP_MS apart */

struct outage {
	uint64_t good; /* number of good answers so far */
	uint64_t since_ms, last_ms; /* the outage's first and last failure; 0: there is none */
	uint64_t failures; /* in it */
};

/* The service answered well: anything but a failure that passes by itself. */
void outage_good(struct outage *outage);
/* An attempt failed.  gap_ms: how much longer than OUTAGE_GAP_MS there may have been no failure. */
void outage_failed(struct outage *outage, unsigned gap_ms, uint64_t now_ms);
/* Milliseconds from the outage's first failure to its last; 0: there is no outage. */
uint64_t outage_ms(const struct outage *outage);

#endif
