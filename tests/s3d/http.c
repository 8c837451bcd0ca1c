#include "tests/s3d/http.h"
#include "tests/s3d/admin.h"
#include "tests/s3d/auth.h"
#include "tests/s3d/reply.h"
#include "tests/s3d/request.h"
#include "tests/s3d/send.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Request line and headers must fit: a key of 1,024 bytes escaped twice over, metadata of 2 KiB, an
 * authorization. */
#define CONNECTION_MEMORY ((size_t)64 << 10)
#define CONNECTIONS_MAX 16384
/*
 * Seconds before an idle connection goes (suspended ones don't count): libmicrohttpd doesn't see the end of a
 * client that came together with its last bytes.
 */
#define IDLE_MAX 600
/* Bodies of requests that carry no object: DeleteObjects of 1,000 keys of 1,024 bytes, escaped. */
#define TEXT_BODY_MAX ((size_t)8 << 20)

/* Latencies from here on may be up to a millisecond longer than asked for. */
#define TICK_FROM_US 5000

static void suspend(struct req *req, enum phase phase)
{
	struct stats *stats = &req->server->stats;

	req->phase = phase;
	if (++stats->suspended > stats->suspended_peak)
		stats->suspended_peak = stats->suspended;
	MHD_suspend_connection(req->conn);
}

static void unstall(struct req *req)
{
	for (struct req **at = &req->server->faults.stalled; *at; at = &(*at)->stalled_next)
		if (*at == req) {
			*at = req->stalled_next;
			return;
		}
}

static void on_timer(struct timer *timer)
{
	struct req *req = (struct req *)((char *)timer - offsetof(struct req, timer));

	if (req->phase == REQ_STALLED)
		unstall(req);
	req->server->stats.suspended--;
	MHD_resume_connection(req->conn);
}

void http_release_stalled(struct server *server)
{
	struct req *req;

	while ((req = server->faults.stalled)) {
		timer_cancel(&server->pace, &req->timer);
		on_timer(&req->timer);
	}
}

/* A request that waits for its latency until after `now`, or NULL. */
static struct req *waiting(const struct pace *pace, uint64_t now)
{
	for (size_t i = 0; i < pace->count; i++) {
		struct req *req = (struct req *)((char *)pace->heap[i] - offsetof(struct req, timer));

		if (pace->heap[i]->due > now && pace->heap[i]->fire == on_timer && req->phase == REQ_WAITING)
			return req;
	}
	return NULL;
}

/* By their timers: a connection that is resumed inside MHD_run would wait for the next event. */
void http_release_waiting(struct server *server)
{
	uint64_t now = now_us();
	struct req *req;

	while ((req = waiting(&server->pace, now))) {
		timer_cancel(&server->pace, &req->timer);
		timer_arm(&server->pace, &req->timer, now); /* its place in the heap is there */
	}
}

static enum MHD_Result stall(struct req *req)
{
	struct server *server = req->server;

	if (req->verdict.ms &&
		timer_arm(&server->pace, &req->timer, now_us() + req->verdict.ms * 1000ull) < 0)
		return MHD_NO;
	req->timer.fire = on_timer;
	req->stalled_next = server->faults.stalled;
	server->faults.stalled = req;
	suspend(req, REQ_STALLED);
	return MHD_YES;
}

/*
 * Closes with RST: connect() to AF_UNSPEC is Linux's disconnect, and resets an established connection at
 * once, where close() after MHD's shutdown() would say FIN first.
 */
static enum MHD_Result reset(struct req *req)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(req->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *conn =
		MHD_get_connection_info(req->conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	struct linger hard = {.l_onoff = 1};

	if (conn && conn->socket_context)
		stats_take_wire(&req->server->stats, conn->socket_context);
	if (fd) {
		setsockopt(fd->connect_fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		if (connect(fd->connect_fd, &nowhere, sizeof(nowhere)) < 0)
			perror("s3d: resetting a connection");
	}
	return MHD_NO;
}

static void fault_error(struct req *req)
{
	const struct verdict *verdict = &req->verdict;
	const char *code = *verdict->code ? verdict->code : NULL;

	if (!code)
		code = verdict->status == 503	? "SlowDown"
		       : verdict->status == 500 ? "InternalError"
		       : verdict->status == 403 ? "AccessDenied"
		       : verdict->status == 404 ? "NoSuchKey"
		       : verdict->status == 429 ? "TooManyRequests"
		       : verdict->status == 412 ? "PreconditionFailed"
						: "InvalidRequest";
	reply_error_as(
		req, verdict->action == FAULT_ERROR200 ? 200 : verdict->status, code, error_message(code));
}

/* Carries the request out and answers; its time has come. */
static enum MHD_Result finish(struct req *req)
{
	struct server *server = req->server;

	switch (req->verdict.action) {
	case FAULT_RESET:
		return reset(req);
	case FAULT_STALL:
		return stall(req);
	case FAULT_STATUS:
	case FAULT_ERROR200:
		fault_error(req);
		return send_reply(req);
	case FAULT_FOREIGN:
		reply_foreign(req, req->verdict.status);
		return send_reply(req);
	default:
		break;
	}
	hooks_run(server, req->op, false);
	op_run(req);
	hooks_run(server, req->op, true);
	if (req->verdict.action == FAULT_RESET_AFTER)
		return reset(req);
	if (req->verdict.action == FAULT_STALL_AFTER)
		return stall(req);
	return send_reply(req);
}

static bool carries_object(enum op op)
{
	return op == OP_PUT || op == OP_UPLOAD_PART;
}

/* What is wrong with a request that could not be taken in. */
static const char *refusal(const struct req *req)
{
	if (req->too_many)
		return "InvalidRequest";
	if (req->too_large)
		return carries_object(req->op) ? "InsufficientStorage" : "EntityTooLarge";
	return "InternalError";
}

/* The whole request is here: may it be done, and when? */
static enum MHD_Result decide(struct req *req)
{
	struct server *server = req->server;
	uint64_t latency, due;

	stats_begin(&server->stats, req->op);
	req->counted = true;
	if (req->op == OP_ADMIN) {
		admin_run(req);
		return send_reply(req);
	}
	if (req->too_many || req->body.failed || req->too_large) {
		reply_error(req, refusal(req));
		return send_reply(req);
	}
	if (!auth_check(req))
		return send_reply(req);
	req->verdict = fault_decide(&server->faults, req->op, req->bucket,
		req->op == OP_LIST ? req_param(req, "prefix") : req->key);
	if (!pace_admit(&server->pace, req->op)) {
		reply_error(req, "SlowDown");
		return send_reply(req);
	}
	latency = pace_latency(&server->pace, req->op);
	if (!latency)
		return finish(req);
	req->timer.fire = on_timer;
	due = now_us() + latency;
	/* libmicrohttpd walks all suspended connections whenever one is resumed: resume those of a
	 * millisecond together. */
	if (latency >= TICK_FROM_US)
		due += 999 - due % 1000;
	if (timer_arm(&server->pace, &req->timer, due) < 0)
		return MHD_NO;
	suspend(req, REQ_WAITING);
	return MHD_YES;
}

static void take_body(struct req *req, const char *data, size_t n)
{
	const struct config *config = &req->server->config;
	size_t max = carries_object(req->op) ? config->max_bytes : TEXT_BODY_MAX;
	uint64_t held = carries_object(req->op) ? body_bytes_held() : 0, length;

	if (req->too_large)
		return;
	if (held > max || req->body.len + n > max - held) {
		req->too_large = true;
		buf_release(&req->body);
		return;
	}
	/* One allocation where the length is known; the kernel gives pages only as they are written. */
	if (!req->body.p && number_of(req_header(req, "content-length"), &length) == 0 &&
		length <= max - held)
		buf_reserve(&req->body, (size_t)length);
	buf_put(&req->body, data, n);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *conn, const char *url, const char *method,
	const char *version, const char *data, size_t *data_n, void **con_cls)
{
	struct req *req = *con_cls;

	if (!req)
		return MHD_NO;
	switch (req->phase) {
	case REQ_NEW:
		req_headers(req, method);
		req->phase = REQ_BODY;
		return MHD_YES;
	case REQ_BODY:
		if (*data_n) {
			take_body(req, data, *data_n);
			*data_n = 0;
			return MHD_YES;
		}
		return decide(req);
	case REQ_WAITING:
		return req->server->quit ? MHD_NO : finish(req);
	case REQ_STALLED:
		return MHD_NO;
	default:
		return MHD_YES;
	}
}

static void *on_target(void *arg, const char *target, struct MHD_Connection *conn)
{
	return req_new(arg, conn, target);
}

static void on_completed(
	void *arg, struct MHD_Connection *conn, void **con_cls, enum MHD_RequestTerminationCode toe)
{
	struct req *req = *con_cls;

	if (!req)
		return;
	timer_cancel(&req->server->pace, &req->timer);
	if (req->phase == REQ_STALLED)
		unstall(req);
	if (req->counted)
		stats_end(&req->server->stats, req->op, req->phase == REQ_ANSWERED ? req->reply.status : 0);
	req_free(req);
	*con_cls = NULL;
}

static void on_connection(
	void *arg, struct MHD_Connection *conn, void **context, enum MHD_ConnectionNotificationCode toe)
{
	struct server *server = arg;
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (toe == MHD_CONNECTION_NOTIFY_STARTED)
		*context = stats_connect(&server->stats, fd ? fd->connect_fd : -1);
	else if (*context)
		stats_disconnect(&server->stats, *context);
}

/* Nothing is decoded by the library: signatures and keys need the raw bytes. */
static size_t leave_escaped(void *arg, struct MHD_Connection *conn, char *text)
{
	return strlen(text);
}

static int listen_on(unsigned *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(address);
	int on = 1, r, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* accepted sockets inherit it */
	if (bind(fd, (struct sockaddr *)&address, n) < 0 || listen(fd, 4096) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &n) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

int http_start(struct server *server, const struct http_options *options)
{
	struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)options->key}, {MHD_OPTION_END, 0, NULL}};
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	unsigned port = options->port;
	int fd = listen_on(&port);

	if (fd < 0)
		return fd;
	if (options->cert)
		flags |= MHD_USE_TLS;
	else
		tls[0].option = MHD_OPTION_END;
	server->tls = options->cert != NULL;
	server->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET,
		fd, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target,
		server, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_MAX, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (!server->daemon) {
		close(fd);
		return -EIO;
	}
	server->port = port;
	return 0;
}

static int64_t wait_us(struct server *server)
{
	int64_t timer = timers_next(&server->pace), us = timer;
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(server->daemon, &ms) == MHD_YES && (us < 0 || (int64_t)ms * 1000 < us))
		us = (int64_t)ms * 1000;
	return us;
}

void http_run(struct server *server)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fd = {.fd = info->epoll_fd, .events = POLLIN};
	sigset_t mask;

	/* Signals arrive only inside ppoll: no stop is lost between the check and the wait. */
	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigdelset(&mask, SIGTERM);
	sigdelset(&mask, SIGINT);
	while (!server->quit) {
		int64_t us = wait_us(server);
		struct timespec wait = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

		if (ppoll(&fd, 1, us < 0 ? NULL : &wait, &mask) < 0 && errno != EINTR)
			break;
		timers_run(&server->pace);
		MHD_run(server->daemon);
	}
}

void http_stop(struct server *server)
{
	server->quit = true;
	http_release_stalled(server);
	while (server->pace.count) {
		struct timer *timer = server->pace.heap[0];

		timer_cancel(&server->pace, timer);
		timer->fire(timer);
	}
	MHD_run(server->daemon);
	MHD_stop_daemon(server->daemon);
	server->daemon = NULL;
}
