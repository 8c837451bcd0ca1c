#include "fs/control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "fs/control/control.h"
#include "fs/host/json_text.h"
#include "fs/host/runtime_dir.h"

static int client_connect_to(const struct sockaddr_un *address, int *ret_fd)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

int control_connect(int directory, uint64_t namespace, int *ret_fd)
{
	struct sockaddr_un address;

	runtime_hub_address(directory, namespace, &address);
	return client_connect_to(&address, ret_fd);
}

int control_connect_mount(int directory, dev_t dev, int *ret_fd)
{
	struct sockaddr_un address;

	runtime_mount_address(directory, dev, &address);
	return client_connect_to(&address, ret_fd);
}

static int client_send_all(int fd, const struct buf *line)
{
	size_t sent = 0;

	while (sent < line->len) {
		ssize_t put = send(fd, line->data + sent, line->len - sent, MSG_NOSIGNAL);

		if (put < 0 && errno != EINTR)
			return errno == EPIPE ? -ECONNRESET : -errno;
		if (put > 0)
			sent += (size_t)put;
	}
	return 0;
}

static int receive_line(int fd, unsigned limit_ms, struct buf *line)
{
	int64_t until = (int64_t)clock_exact_ms() + limit_ms;

	while (line->len == 0 || line->data[line->len - 1] != '\n') {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = until - (int64_t)clock_exact_ms();
		char piece[4096];

		if (left <= 0 || poll(&ready, 1, (int)left) == 0)
			return -ETIMEDOUT;
		ssize_t got = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);

		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return -ECONNRESET;
		int error = buf_add(line, piece, (size_t)got);

		if (error < 0)
			return error;
	}
	return 0;
}

static int read_reply(const struct buf *line, json_t **ret, char *why)
{
	json_error_t trouble;
	json_t *object = json_loadb(line->data, line->len, 0, &trouble);
	char *text = NULL;

	if (json_is_true(json_object_get(object, "ok"))) {
		*ret = object;
		return 0;
	}
	if (json_text_get(json_object_get(object, "error"), &text) < 0) {
		json_decref(object);
		snprintf(why, ACCOUNT_WHY_MAX, "the hub's answer cannot be understood");
		return -EPROTO;
	}
	if (strncmp(text, CONTROL_OTHER_VERSION, sizeof(CONTROL_OTHER_VERSION) - 1) == 0)
		snprintf(why, ACCOUNT_WHY_MAX,
			"the hub that runs is of another version of ferryfs and cannot show this: unmount "
			"all that it "
			"shows (ferryfs status lists it) and mount again, or mount with -o hub=no");
	else
		snprintf(why, ACCOUNT_WHY_MAX, "%s", text);
	free(text);
	json_decref(object);
	return -EREMOTEIO;
}

int control_ask(int fd, const struct control_request *request, unsigned limit_ms, json_t **ret, char *why)
{
	struct buf line, answer;
	int error;

	buf_init(&line, CONTROL_LINE_MAX);
	buf_init(&answer, CONTROL_REPLY_MAX);
	error = control_format(request, &line);
	if (error == 0)
		error = client_send_all(fd, &line);
	if (error == 0)
		error = receive_line(fd, limit_ms, &answer);
	if (error < 0)
		snprintf(why, ACCOUNT_WHY_MAX, "the hub: %s", strerror(-error));
	else
		error = read_reply(&answer, ret, why);
	if (line.data)
		explicit_bzero(line.data, line.size);
	buf_release(&line);
	buf_release(&answer);
	return error;
}

char *control_source_of(const char *point)
{
	struct control_request request = {.op = CONTROL_STATUS, .point = (char *)point};
	char why[ACCOUNT_WHY_MAX], *source = NULL;
	json_t *reply = NULL;
	int fd = -1, directory = runtime_dir_open(false, NULL);

	if (directory >= 0 && control_connect(directory, runtime_namespace(), &fd) == 0 &&
		control_ask(fd, &request, CONTROL_CLIENT_MS, &reply, why) == 0) {
		const json_t *view = json_array_get(json_object_get(reply, "views"), 0);

		if (json_text_get(json_object_get(view, "source"), &source) < 0)
			source = NULL;
	}
	json_decref(reply);
	if (fd >= 0)
		close(fd);
	if (directory >= 0)
		close(directory);
	return source;
}
