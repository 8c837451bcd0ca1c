#include "engine/wire/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bits of a table entry. */
enum { WANT_IN = 1, WANT_OUT = 2, WANT = 3, IN_SET_SHIFT = 2, OURS = 16 };

static bool table_reach(struct sockets *sockets, int fd)
{
	size_t size = sockets->size ? sockets->size : 1024;
	uint8_t *table;

	if ((size_t)fd < sockets->size)
		return true;
	while ((size_t)fd >= size)
		size *= 2;
	table = realloc(sockets->table, size);
	if (!table)
		return false;
	memset(table + sockets->size, 0, size - sockets->size);
	sockets->table = table;
	sockets->size = size;
	return true;
}

/* Brings the kernel's set to `want` for fd. */
static int watch(struct sockets *sockets, int fd, unsigned want)
{
	uint8_t *entry = &sockets->table[fd];
	unsigned have = (*entry >> IN_SET_SHIFT) & WANT;
	struct epoll_event event = {.data.fd = fd};
	int op = want ? (have ? EPOLL_CTL_MOD : EPOLL_CTL_ADD) : EPOLL_CTL_DEL;

	if (have == want)
		return 0;
	event.events = (want & WANT_IN ? EPOLLIN : 0u) | (want & WANT_OUT ? EPOLLOUT : 0u);
	if (epoll_ctl(sockets->epoll, op, fd, &event) < 0) {
		/* A descriptor of libcurl's own may have been closed, or closed and opened anew, behind our
		 * back. */
		if (op == EPOLL_CTL_MOD && errno == ENOENT)
			op = EPOLL_CTL_ADD;
		else if (op == EPOLL_CTL_ADD && errno == EEXIST)
			op = EPOLL_CTL_MOD;
		else if (op == EPOLL_CTL_DEL)
			op = 0;
		else
			return -errno;
		if (op && epoll_ctl(sockets->epoll, op, fd, &event) < 0)
			return -errno;
	}
	*entry = (uint8_t)((*entry & ~(WANT << IN_SET_SHIFT)) | want << IN_SET_SHIFT);
	return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket)
{
	struct sockets *sockets = user;
	unsigned want = what == CURL_POLL_IN	  ? WANT_IN
			: what == CURL_POLL_OUT	  ? WANT_OUT
			: what == CURL_POLL_INOUT ? WANT
						  : 0;

	if (!table_reach(sockets, fd)) {
		sockets->broken = true;
		return 0;
	}
	sockets->table[fd] = (uint8_t)((sockets->table[fd] & ~WANT) | want);
	if (!want && sockets->table[fd] & OURS)
		return 0;
	if (watch(sockets, fd, want) < 0)
		sockets->broken = true;
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
	struct sockets *sockets = user;

	sockets->timer_set = timeout_ms >= 0;
	if (timeout_ms >= 0)
		sockets->timer_due_ms = *sockets->now_ms + (uint64_t)timeout_ms;
	return 0;
}

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct sockets *sockets = user;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	if (fd < 0)
		return CURL_SOCKET_BAD;
	if (!table_reach(sockets, fd)) {
		close(fd);
		return CURL_SOCKET_BAD;
	}
	sockets->table[fd] = OURS;
	sockets->opened++;
	return fd;
}

static int on_close(void *user, curl_socket_t fd)
{
	struct sockets *sockets = user;

	if ((size_t)fd < sockets->size)
		sockets->table[fd] = 0;
	return close(fd);
}

CURLcode sockets_adopt(struct sockets *sockets, CURL *easy)
{
	CURLcode error = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);

	error = error ? error : curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets);
	error = error ? error : curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	return error ? error : curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets);
}

int sockets_init(struct sockets *sockets, int event, uint64_t *now_ms)
{
	struct epoll_event watched = {.events = EPOLLIN, .data.fd = event};
	int error = -ENOMEM;

	*sockets = (struct sockets){.epoll = -1, .event = event, .now_ms = now_ms};
	sockets->multi = curl_multi_init();
	if (!sockets->multi)
		goto out;
	sockets->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (sockets->epoll < 0 || epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, event, &watched) < 0) {
		error = -errno;
		goto out;
	}
	if (curl_multi_setopt(sockets->multi, CURLMOPT_SOCKETFUNCTION, on_socket) ||
		curl_multi_setopt(sockets->multi, CURLMOPT_SOCKETDATA, sockets) ||
		curl_multi_setopt(sockets->multi, CURLMOPT_TIMERFUNCTION, on_timer) ||
		curl_multi_setopt(sockets->multi, CURLMOPT_TIMERDATA, sockets))
		goto out;
	return 0;
out:
	sockets_release(sockets);
	return error;
}

void sockets_release(struct sockets *sockets)
{
	if (sockets->multi)
		curl_multi_cleanup(sockets->multi);
	if (sockets->epoll >= 0)
		close(sockets->epoll);
	free(sockets->table);
	*sockets = (struct sockets){.epoll = -1};
}

/* One event: 1 when it was the mailbox's. */
static int act(struct sockets *sockets, const struct epoll_event *event)
{
	int fd = event->data.fd, bits = 0, running;

	if (fd == sockets->event)
		return 1;
	if (!((size_t)fd < sockets->size && sockets->table[fd] & WANT)) {
		/* An idle connection was closed by its peer; libcurl finds out when it looks at it next. */
		if ((size_t)fd < sockets->size && watch(sockets, fd, 0) < 0)
			sockets->broken = true;
		return 0;
	}
	if (event->events & (EPOLLIN | EPOLLHUP))
		bits |= CURL_CSELECT_IN;
	if (event->events & EPOLLOUT)
		bits |= CURL_CSELECT_OUT;
	if (event->events & EPOLLERR)
		bits |= CURL_CSELECT_ERR;
	if (curl_multi_socket_action(sockets->multi, fd, bits, &running))
		sockets->broken = true;
	return 0;
}

int sockets_wait(struct sockets *sockets, int timeout_ms, void (*woken)(void *user), void *user)
{
	struct epoll_event events[SOCKETS_A_TURN];
	int count = epoll_wait(sockets->epoll, events, SOCKETS_A_TURN, timeout_ms), mail = 0;

	if (count < 0 && errno != EINTR)
		sockets->broken = true;
	sockets->drained = count < SOCKETS_A_TURN;
	woken(user);
	for (int i = 0; i < count; i++)
		mail |= act(sockets, &events[i]);
	return mail;
}

bool sockets_run_timer(struct sockets *sockets)
{
	int running;

	if (!sockets->timer_set || sockets->timer_due_ms > *sockets->now_ms)
		return false;
	sockets->timer_set = false;
	if (curl_multi_socket_action(sockets->multi, CURL_SOCKET_TIMEOUT, 0, &running))
		sockets->broken = true;
	return true;
}

uint64_t sockets_timer(const struct sockets *sockets)
{
	if (!sockets->timer_set)
		return UINT64_MAX;
	return sockets->timer_due_ms > *sockets->now_ms ? sockets->timer_due_ms - *sockets->now_ms : 0;
}
