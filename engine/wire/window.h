/*
 * window: how many attempts one worker may have in flight for one account.
 *
 * An account's window, retry budget and outage are its own: one server that is dead or silent takes no place
 * and no retry from the others, and two accounts at one server don't count each other's refusals.
 *
 * | phase    | when                          | each good answer                                     |
 * |----------|-------------------------------|------------------------------------------------------|
 * | opening  | nothing refused so far        | size + 1: doubles each round trip, up to the ceiling  |
 * | regrowth | size < 95 % of the bad level  | size + 1: back in a round trip or two                 |
 * | probing  | at or above it                | some per cent a second, faster above the bad level    |
 *
 * A slow-down, server error, time-out or reset remembers the level it happened at (bad) and halves the size.
 * Answers to attempts that were sent before the last cut change nothing (each attempt carries the number of
 * cuts it was sent under), so that one round trip's refusals count once.  The size grows only while it limits
 * the worker.  In probing the size stays just under the bad level most of the time: that keeps the share of
 * refusals small and the rate near the service's limit; plain additive increase from one half would average
 * at three quarters of it.  The level is the number in flight, but no more than the good answers since the
 * last cut stand for: a service that saves up allowances refuses only far above its rate, when they are used
 * up.
 *
 * Once something was refused, sending is also paced: attempts go out at 5/4 of size per round trip, not in
 * the clumps in which answers came, since a service that counts over some milliseconds refuses clumps at any
 * rate.
 *
 * A service that allows few a second (small: less than SMALL good answers a round trip lately, and a good
 * deal refused) is not met by whole numbers: two in flight may be too many and one too few.  There the pace
 * alone is the measure: attempts go out at size per round trip, size may be a fraction, and one may always be
 * in flight.  A cut goes to 0.7 of the good answers lately, stays there for a trial of some answers, goes on
 * from 0.95 and probes; this is the AWS SDKs' "adaptive" retry mode with a gentler return.  Never fewer than
 * SMALL_LEAST a second go out, by the round trip as it is now.  Only slow-downs bring the size under 1: a
 * server error, a time-out or a reset says that something went wrong, not that one at a time is too much.
 *
 * Not every refusal speaks of the rate: some connections are cut, and some servers refuse at random.  So each
 * cut is also a trial.  With the attempts on the wire at the cut refused at share s, a service that limits
 * the rate will refuse 2s - 1 (none, under a half) of the halved window; one that refuses at random still s.
 * Where the share refused after the cut is nearer to the second, that share is noise: the cut is taken back,
 * and from then on only refusals in excess of the noise count, summed up (a CUSUM test) until they are more
 * than chance. Small shares show only over several trials, so earlier ones count, too, at less and less
 * weight. Every later cut is a trial of the noise as well, and a stretch with less than half of it lowers it.
 * More than NOISE_MAX is never taken for noise: a service that refuses most is left alone, for any reason.
 *
 * The queue of calls that wait for a place is call_queue.h.  Pure: the clock is passed in; one thread.
 */
#ifndef FERRYFS_ENGINE_WIRE_WINDOW_H
#define FERRYFS_ENGINE_WIRE_WINDOW_H

#include "engine/wire/call.h"
#include "engine/wire/call_queue.h"
#include "engine/wire/outage.h"
#include "engine/wire/retry.h"

enum {
	WINDOW_START = 32, /* four doublings from the default ceiling */
	WINDOW_EXTRA = 16, /* places above the window for interactive calls */
};

struct window_tally {
	double answers, bad; /* no whole numbers: older ones count for less */
};

struct window {
	uint64_t account; /* account_serial: the account itself may be gone */
	uint64_t used_ms; /* last touched, for taking the oldest slot */
	unsigned ceiling;
	double size;
	double bad; /* level that the last refusal spoke of; 0: none so far */
	double found; /* the number in flight at the last cut */
	double good; /* good answers since good_from_ms, while the size was the limit */
	uint64_t good_from_ms;
	struct window_tally recent; /* all answers since recent_from_ms, across cuts */
	uint64_t recent_from_ms;
	bool small; /* the last cut found a service that allows few */
	bool said; /* the last refusal was a slow-down */
	double slope; /* probing: growth a second */
	uint64_t grown_ms, cut_ms;
	unsigned cuts; /* number of halvings so far */
	double noise; /* share of the attempts that is refused at any size */
	double excess; /* refusals above the noise since the last cut, and lately */
	struct window_tally before, after; /* the trial: on the wire at the last cut; sent since */
	bool trying; /* the trial is not decided */
	unsigned tried, tried_bad; /* answers since the last cut, while trying, and refusals among them */
	struct window_tally lately; /* since the noise was last looked at */
	double trip_ms; /* smoothed; 0: none so far */
	double pace; /* attempts that may go out now, where paced */
	uint64_t paced_ms;
	unsigned active;
	unsigned queued;
	struct call_list interactive, bulk;

	/* for call.c */
	struct retry_budget budget;
	struct outage outage;
	uint64_t good_of[S3_OP_COUNT]; /* good answers by kind: one kind may be away while others are not */
	bool spent; /* a call's whole course lay in the outage: it speaks for the others */
	int error; /* -errno and words of the outage's last failure */
	struct s3_error words;
};

void window_init(struct window *window, unsigned ceiling, uint64_t now_ms);
/* Bulk calls that may be in flight; at least 1. */
unsigned window_places(const struct window *window);
/* May one more be sent? */
bool window_room(const struct window *window, bool bulk);
/* Brings the pace up to date; before a round of call_queue_pop. */
void window_tick(struct window *window, uint64_t now_ms);
/* Where it is the pace alone that holds something back: look again in so many milliseconds; else 0. */
unsigned window_held_ms(const struct window *window);

/* The facts of an attempt that window_answer needs. */
struct window_ticket {
	unsigned cuts;
	uint64_t sent_ms;
};
/* One is sent. */
struct window_ticket window_send(struct window *window, uint64_t now_ms);

enum window_outcome {
	WINDOW_GOOD, /* an answer, be it an error of S3's */
	WINDOW_BAD, /* slow-down: too many were asked for */
	WINDOW_FAILED, /* server error, time-out, reset: perhaps, or something broke */
	WINDOW_SILENT, /* cancelled: says nothing */
};
void window_answer(
	struct window *window, struct window_ticket ticket, enum window_outcome outcome, uint64_t now_ms);

#endif
