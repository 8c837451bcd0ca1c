/*
 * scripted: a server for unit tests, on a thread of its own at 127.0.0.1, that answers the n-th request with
 * the n-th step of a script, whatever is asked, and keeps what was asked.  Included by one test program, not
 * linked.
 */
#ifndef FERRYFS_TESTS_UNIT_SCRIPTED_H
#define FERRYFS_TESTS_UNIT_SCRIPTED_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STEPS_MAX = 32, PEERS_MAX = 64, TEXT_MAX = 16384 };

/* A step is an answer's bytes, or one of these. */
#define RESET "<reset>" /* RST instead of an answer */
#define STALL "<stall>" /* no answer, the connection stays */
#define CLOSING "<close>" /* in front of an answer: the connection is closed after it, unannounced */

struct peer {
	int fd;
	size_t len;
	char text[TEXT_MAX];
};

struct server {
	pthread_t thread;
	int listener, stop[2];
	char url[64];
	const char *steps[STEPS_MAX];
	unsigned step_count;
	struct peer peers[PEERS_MAX];
	pthread_mutex_t lock;
	unsigned requests; /* protected by lock */
	char asked[STEPS_MAX][TEXT_MAX]; /* protected by lock */
};

static void drop(struct peer *peer, bool hard)
{
	struct linger linger = {.l_onoff = 1};

	if (hard)
		setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(peer->fd);
	peer->fd = -1;
}

static void send_text(struct peer *peer, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t sent = send(peer->fd, text, left, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		text += sent;
		left -= (size_t)sent;
	}
}

static void answer(struct server *server, struct peer *peer)
{
	const char *step;
	unsigned n;

	pthread_mutex_lock(&server->lock);
	n = server->requests++;
	if (n < STEPS_MAX)
		strcpy(server->asked[n], peer->text);
	pthread_mutex_unlock(&server->lock);
	/* The last step is for all that come after it. */
	step = server->steps[n < server->step_count ? n : server->step_count - 1];
	peer->len = 0;
	if (strcmp(step, STALL) == 0)
		return;
	if (strcmp(step, RESET) == 0) {
		drop(peer, true);
	} else if (strncmp(step, CLOSING, strlen(CLOSING)) == 0) {
		send_text(peer, step + strlen(CLOSING));
		drop(peer, false);
	} else {
		send_text(peer, step);
	}
}

/* Is the request whole: its header, and as much body as it announces? */
static bool whole(const struct peer *peer)
{
	const char *end = strstr(peer->text, "\r\n\r\n"),
		   *length = strcasestr(peer->text, "\r\ncontent-length:");

	if (!end)
		return false;
	return peer->len >=
	       (size_t)(end + 4 - peer->text) + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

static void take(struct server *server, struct peer *peer)
{
	ssize_t got = recv(peer->fd, peer->text + peer->len, TEXT_MAX - 1 - peer->len, 0);

	if (got <= 0) {
		drop(peer, false);
		return;
	}
	peer->len += (size_t)got;
	peer->text[peer->len] = '\0';
	if (whole(peer))
		answer(server, peer);
}

static void *serve(void *user)
{
	struct server *server = user;

	for (;;) {
		struct pollfd fds[PEERS_MAX + 2] = {{.fd = server->stop[0], .events = POLLIN},
			{.fd = server->listener, .events = POLLIN}};

		for (unsigned i = 0; i < PEERS_MAX; i++)
			fds[i + 2] = (struct pollfd){.fd = server->peers[i].fd, .events = POLLIN};
		poll(fds, PEERS_MAX + 2, -1);
		if (fds[0].revents)
			break;
		for (unsigned i = 0; i < PEERS_MAX; i++) {
			if (server->peers[i].fd >= 0 && fds[i + 2].revents)
				take(server, &server->peers[i]);
		}
		for (unsigned i = 0; fds[1].revents && i < PEERS_MAX; i++) {
			if (server->peers[i].fd < 0) {
				server->peers[i].fd = accept(server->listener, NULL, NULL);
				server->peers[i].len = 0;
				break;
			}
		}
	}
	for (unsigned i = 0; i < PEERS_MAX; i++) {
		if (server->peers[i].fd >= 0)
			close(server->peers[i].fd);
	}
	return NULL;
}

/* Starts it at a port of its own; -1 when the system has none. */
static int server_start(struct server *server, unsigned count, const char *const *steps)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	pthread_mutex_init(&server->lock, NULL);
	for (unsigned i = 0; i < PEERS_MAX; i++)
		server->peers[i].fd = -1;
	memcpy(server->steps, steps, count * sizeof(*steps));
	server->step_count = count;
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->listener < 0 ||
		bind(server->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(server->listener, 64) < 0 ||
		getsockname(server->listener, (struct sockaddr *)&address, &len) < 0 ||
		pipe(server->stop) < 0)
		return -1;
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u", ntohs(address.sin_port));
	return pthread_create(&server->thread, NULL, serve, server) == 0 ? 0 : -1;
}

static void server_stop(struct server *server)
{
	if (write(server->stop[1], "x", 1) == 1)
		pthread_join(server->thread, NULL);
	close(server->listener);
	close(server->stop[0]);
	close(server->stop[1]);
	pthread_mutex_destroy(&server->lock);
}

#endif
