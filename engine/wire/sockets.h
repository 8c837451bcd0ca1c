/*
 * sockets: a worker's epoll set, and libcurl's wishes for its sockets and its one timer.
 *
 * libcurl asks for a socket to be watched when a request goes out on it and to be forgotten when the answer
 * is in: two epoll_ctl(2) a request on a connection that is used again and again.  So a socket that we opened
 * for it stays in the set while it is idle, libcurl's wish is noted in a table by descriptor, and only an
 * event that libcurl does not want takes it out.  Closing goes through us, so the table never believes in a
 * descriptor that was closed and opened anew; descriptors that libcurl opened by itself (its resolver's pipe)
 * are watched to the letter.
 *
 * Worker thread only.
 */
#ifndef FERRYFS_ENGINE_WIRE_SOCKETS_H
#define FERRYFS_ENGINE_WIRE_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/* Looked at in one turn.  Few, so that few answers are in memory at once: 22 MiB in all, against 23 with 64
 * and 29 with 256; speed was the same within the noise (five runs each). */
enum { SOCKETS_A_TURN = 32 };

struct sockets {
	int epoll;
	CURLM *multi;
	int event; /* the mailbox's */
	uint8_t *table; /* by descriptor */
	size_t size;
	bool timer_set;
	uint64_t timer_due_ms;
	bool drained; /* the last turn looked at all that were ready */
	bool broken; /* epoll or memory failed us: every attempt must end */
	uint64_t *now_ms; /* lent: the worker's clock */
	uint64_t opened; /* connections so far */
};

/* 0 or -errno.  event is watched for reading; now_ms is lent. */
int sockets_init(struct sockets *sockets, int event, uint64_t *now_ms);
/* After the last easy handle is gone from the multi. */
void sockets_release(struct sockets *sockets);

/* The options of an easy handle that make its connections known here. */
CURLcode sockets_adopt(struct sockets *sockets, CURL *easy);

/* Waits (at most timeout_ms, -1: for ever) and lets libcurl work on the events; 1 when the event is
 * readable, else 0.  The caller brings its clock up to date in `woken`, which is called between waiting and
 * working. */
int sockets_wait(struct sockets *sockets, int timeout_ms, void (*woken)(void *user), void *user);
/* Did the last sockets_wait look at every socket that was ready? */
static inline bool sockets_drained(const struct sockets *sockets)
{
	return sockets->drained;
}
/* Lets libcurl's timer run when it is due (new handles are started by it).  True when it ran. */
bool sockets_run_timer(struct sockets *sockets);
/* Milliseconds until libcurl's timer is due, UINT64_MAX: it has none. */
uint64_t sockets_timer(const struct sockets *sockets);

#endif
