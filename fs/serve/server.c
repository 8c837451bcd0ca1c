/*
 * A connection's life:
 *
 *   READING   a line is to come; CLIENT_MS from the connection or the last reply on
 *   ADDING    its view is there, but moves that its account left are being finished or undone;
 *             HUB_JOURNAL_WAIT_MS
 *   SETTLING  its reply is due when the mount that it asked about is settled; SETTLE_MS
 *   WRITING   the reply is on its way; CLIENT_MS; then READING
 *
 * A client that added a view holds it for its mount point; when the connection ends the view is mounted or
 * goes.
 */
#include "fs/serve/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "fs/host/json_text.h"
#include "fs/serve/hub_journal.h"

enum {
	SETTLE_STEP_MS = 10,
	/* Past the 3 s for which a helper of this daemon may hold the superblock while it looks at a caller's working
	 * directory: what is held longer is held by another process. */
	KEPT_MS = 4000,
	UNREAD_MS = 100,
};

enum client_state { READING, ADDING, SETTLING, WRITING };

struct client {
	int fd; /* -1: free */
	enum client_state state;
	uint64_t deadline_ms;
	char *added; /* the mount point it holds; owned */
	json_t *held; /* ADDING: the reply; owned */
	unsigned round; /* of hub_journal_begin */
	char *settling;
	struct buf in, out;
	size_t sent;
};

struct control_server {
	struct control_server_options options;
	pthread_t thread;
	int wake_fd, mounts_fd;
	struct client clients[CONTROL_CLIENTS_MAX];
	uint64_t started_ms, left_ms; /* left_ms 0: not yet */
	bool had_views, kept;
};

/* ---- clients ---- */

static void client_close(struct control_server *server, struct client *client)
{
	close(client->fd);
	client->fd = -1;
	if (client->in.data)
		explicit_bzero(client->in.data, client->in.size);
	buf_release(&client->in);
	buf_release(&client->out);
	if (client->added)
		views_asked(server->options.views, client->added);
	free(client->added);
	free(client->settling);
	json_decref(client->held);
	client->added = client->settling = NULL;
	client->held = NULL;
}

static bool peer_ok(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void take_clients(struct control_server *server)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *client = &server->clients[i];

		if (client->fd >= 0)
			continue;
		int fd = accept4(server->options.listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		if (!peer_ok(fd)) {
			close(fd);
			continue;
		}
		*client = (struct client){.fd = fd, .deadline_ms = clock_ms() + CONTROL_CLIENT_MS};
		buf_init(&client->in, CONTROL_LINE_MAX);
		buf_init(&client->out, CONTROL_REPLY_MAX);
	}
}

/* Takes the object. */
static void server_reply(struct client *client, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	buf_clear(&client->out);
	buf_add_text(&client->out, text ? text : "{\"ok\":false,\"error\":\"memory is short\"}");
	buf_add_char(&client->out, '\n');
	free(text);
	json_decref(object);
	client->sent = 0;
	client->state = WRITING;
	client->deadline_ms = clock_ms() + (client->added ? CONTROL_MOUNT_MS : CONTROL_CLIENT_MS);
}

/* ---- requests ---- */

static json_t *server_add(
	struct control_server *server, struct client *client, struct control_request *request)
{
	char why[ACCOUNT_WHY_MAX] = "";
	struct buf path;
	json_t *object;

	if (!server->options.views)
		return control_refusal("this is no hub");
	if (request->namespace != server->options.namespace)
		return control_refusal("this hub is of another mount namespace");
	if (request->no_verify_tls != server->options.no_verify_tls)
		return control_refusal("the hub that is running was started with another no_verify_ssl");
	if (client->added)
		return control_refusal("one view a connection");
	char *point = strdup(request->point);

	if (!point)
		return NULL;
	buf_init(&path, CONTROL_LINE_MAX);
	if (views_add(server->options.views, request, &path, why) < 0) {
		object = control_refusal(why);
		free(point);
	} else {
		object = json_pack("{s:b, s:o}", "ok", 1, "path", json_text_new(buf_text(&path)));
		client->added = point;
		client->round = views_recover(server->options.views, point);
		server->had_views = true;
	}
	buf_release(&path);
	return object;
}

/* The view may be mounted once the moves that its account left are settled, or when that takes too long. */
static void adding_step(struct control_server *server, struct client *client)
{
	if (!hub_journal_done(server->options.hub, client->round) && clock_ms() < client->deadline_ms)
		return;
	json_t *object = client->held;

	client->held = NULL;
	server_reply(client, object);
}

static void server_hold(struct control_server *server, struct client *client, json_t *object)
{
	client->held = object;
	client->state = ADDING;
	client->deadline_ms = clock_ms() + HUB_JOURNAL_WAIT_MS;
	adding_step(server, client);
}

static json_t *mounted(struct control_server *server, const struct control_request *request)
{
	if (!server->options.views)
		return control_refusal("this is no hub");
	views_sync(server->options.views);
	if (!views_mounted(server->options.views, request->point))
		return control_refusal("it is not mounted");
	return control_ok();
}

static void server_settle(
	struct control_server *server, struct client *client, struct control_request *request)
{
	client->settling = request->point;
	request->point = NULL;
	client->state = SETTLING;
	client->deadline_ms = clock_ms() + CONTROL_SETTLE_MS;
}

static void settle_step(struct control_server *server, struct client *client)
{
	bool done = server->options.views ? views_settled(server->options.views, client->settling)
					  : claims_count(server->options.hub->claims) == 0;

	if (!done && clock_ms() < client->deadline_ms)
		return;
	free(client->settling);
	client->settling = NULL;
	server_reply(client,
		done ? control_ok() : control_refusal("still under way after two minutes and a half"));
}

static void server_answer(struct control_server *server, struct client *client, const char *line, size_t len)
{
	struct control_request request;
	char why[ACCOUNT_WHY_MAX] = "";
	const struct control_report report = {.hub = server->options.hub,
		.views = server->options.views,
		.alone = server->options.alone,
		.namespace = server->options.namespace,
		.log = server->options.log,
		.uptime_ms = clock_ms() - server->started_ms};

	if (control_parse(line, len, &request, why) < 0) {
		server_reply(client, control_refusal(why));
	} else if (request.op == CONTROL_SETTLE) {
		server_settle(server, client, &request);
	} else {
		json_t *object = request.op == CONTROL_HELLO	 ? control_hello(&report)
				 : request.op == CONTROL_ADD	 ? server_add(server, client, &request)
				 : request.op == CONTROL_MOUNTED ? mounted(server, &request)
								 : control_status(&report, request.point);

		if (request.op == CONTROL_ADD && json_is_true(json_object_get(object, "ok")))
			server_hold(server, client, object);
		else
			server_reply(client, object);
	}
	control_request_release(&request);
}

/* False: it is over. */
static bool client_read(struct control_server *server, struct client *client)
{
	char piece[4096];
	ssize_t got = recv(client->fd, piece, sizeof(piece), 0);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	if (got == 0)
		return false;
	/* One request at a time: nothing may follow its end before the reply was sent. */
	bool whole = piece[got - 1] == '\n';
	bool good = buf_add(&client->in, piece, (size_t)got) == 0 &&
		    (!whole || !memchr(client->in.data, '\n', client->in.len - 1));

	explicit_bzero(piece, sizeof(piece));
	if (!good)
		return false;
	if (whole) {
		server_answer(server, client, client->in.data, client->in.len - 1);
		explicit_bzero(client->in.data, client->in.len);
		buf_clear(&client->in);
	}
	return true;
}

static bool client_write(struct client *client)
{
	ssize_t put = send(
		client->fd, client->out.data + client->sent, client->out.len - client->sent, MSG_NOSIGNAL);

	if (put < 0)
		return errno == EAGAIN || errno == EINTR;
	client->sent += (size_t)put;
	if (client->sent == client->out.len) {
		client->state = READING;
		client->deadline_ms = clock_ms() + (client->added ? CONTROL_MOUNT_MS : CONTROL_CLIENT_MS);
	}
	return true;
}

static void client_step(struct control_server *server, struct client *client, short events)
{
	bool good = true;

	if (client->state == SETTLING || client->state == ADDING) {
		/* The client that asked may have gone. */
		good = !(events & (POLLHUP | POLLERR));
		if (good && client->state == SETTLING)
			settle_step(server, client);
		else if (good)
			adding_step(server, client);
	} else if (client->state == READING && (events & (POLLIN | POLLHUP | POLLERR))) {
		good = client_read(server, client);
	} else if (client->state == WRITING && (events & (POLLOUT | POLLHUP | POLLERR))) {
		good = client_write(client);
	}
	if (!good || clock_ms() >= client->deadline_ms)
		client_close(server, client);
}

/* ---- the end ---- */

static bool any_client(const struct control_server *server)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (server->clients[i].fd >= 0)
			return true;
	return false;
}

static void leave_if_unused(struct control_server *server)
{
	if (!server->options.views || server->left_ms || any_client(server) ||
		views_used(server->options.views))
		return;
	if (!server->had_views && clock_ms() - server->started_ms < CONTROL_UNUSED_MS)
		return;
	server->left_ms = clock_ms();
	close(server->options.listen_fd);
	server->options.listen_fd = -1;
	server->options.on_leave(server->options.user);
	views_detach_home(server->options.views);
}

static void see_kept(struct control_server *server)
{
	if (!server->left_ms || server->kept || clock_ms() - server->left_ms < KEPT_MS)
		return;
	server->kept = true;
	server->options.on_kept(server->options.user);
}

/* ---- the loop ---- */

static uint64_t hub_until(const struct control_server *server, uint64_t now)
{
	uint64_t until = UINT64_MAX;

	if (!server->had_views)
		until = server->started_ms + CONTROL_UNUSED_MS;
	if (server->left_ms && !server->kept && server->left_ms + KEPT_MS < until)
		until = server->left_ms + KEPT_MS;
	if (views_unread(server->options.views) && now + UNREAD_MS < until)
		until = now + UNREAD_MS;
	return until;
}

static int next_timeout(const struct control_server *server)
{
	uint64_t now = clock_ms(), until = UINT64_MAX;

	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		const struct client *client = &server->clients[i];

		if (client->fd < 0)
			continue;
		if (client->state == SETTLING || client->state == ADDING)
			return SETTLE_STEP_MS;
		if (client->deadline_ms < until)
			until = client->deadline_ms;
	}
	if (server->options.views && hub_until(server, now) < until)
		until = hub_until(server, now);
	if (until == UINT64_MAX)
		return -1;
	/* The clock is coarse: waits a little longer, so that poll does not return a moment too early, again
	 * and again. */
	return until > now ? (int)(until - now) + 5 : 5;
}

static void *server_run(void *user)
{
	struct control_server *server = user;
	struct pollfd fds[3 + CONTROL_CLIENTS_MAX];

	for (;;) {
		fds[0] = (struct pollfd){.fd = server->wake_fd, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = server->mounts_fd, .events = POLLPRI};
		fds[2] = (struct pollfd){.fd = server->options.listen_fd, .events = POLLIN};
		bool room = false;

		for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
			const struct client *client = &server->clients[i];

			room |= client->fd < 0;
			fds[3 + i] = (struct pollfd){.fd = client->fd,
				.events = client->state == WRITING   ? POLLOUT
					  : client->state == READING ? POLLIN
								     : 0};
		}
		if (!room)
			fds[2].fd = -1;
		if (poll(fds, 3 + CONTROL_CLIENTS_MAX, next_timeout(server)) < 0 && errno != EINTR)
			log_text(LOG_LEVEL_ERROR, "control: poll: %s", strerror(errno));
		if (fds[0].revents)
			return NULL;
		if (server->options.views && (fds[1].revents || views_unread(server->options.views)))
			views_sync(server->options.views);
		for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
			if (server->clients[i].fd >= 0)
				client_step(server, &server->clients[i], fds[3 + i].revents);
		if (fds[2].revents)
			take_clients(server);
		leave_if_unused(server);
		see_kept(server);
	}
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

int control_server_new(const struct control_server_options *options, struct control_server **ret)
{
	struct control_server *server = calloc(1, sizeof(*server));
	int error = -ENOMEM;

	if (!server)
		goto out;
	server->options = *options;
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
		server->clients[i].fd = -1;
	server->started_ms = clock_ms();
	server->wake_fd = eventfd(0, EFD_CLOEXEC);
	/* poll(2) says POLLPRI when a mount came or went since the last read (proc_pid_mountinfo(5)). */
	server->mounts_fd = options->views ? open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC) : -1;
	error = server->wake_fd < 0 || (options->views && server->mounts_fd < 0)
			? -errno
			: -pthread_create(&server->thread, NULL, server_run, server);
	if (error == 0) {
		*ret = server;
		return 0;
	}
	close_fd(server->wake_fd);
	close_fd(server->mounts_fd);
	free(server);
out:
	close(options->listen_fd);
	return error;
}

void control_server_free(struct control_server *server)
{
	const uint64_t one = 1;

	if (!server)
		return;
	if (write(server->wake_fd, &one, sizeof(one)) < 0)
		log_text(LOG_LEVEL_ERROR, "control: eventfd: %s", strerror(errno));
	pthread_join(server->thread, NULL);
	if (server->options.listen_fd >= 0) {
		close(server->options.listen_fd);
		server->options.on_leave(server->options.user);
	}
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (server->clients[i].fd >= 0)
			client_close(server, &server->clients[i]);
	close_fd(server->wake_fd);
	close_fd(server->mounts_fd);
	free(server);
}
