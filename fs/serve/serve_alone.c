#include "fs/serve/serve_alone.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/serve/server.h"
#include "fs/serve/socket.h"
#include "fs/host/runtime_dir.h"

struct control_mount {
	struct control_server *server;
	struct control_alone alone;
	struct control_socket socket;
	int directory;
};

static void serve_alone_on_leave(void *user)
{
	const struct control_mount *control = user;

	control_socket_remove(&control->socket);
}

static int serve_alone_start(struct control_mount *control, struct hub *hub, dev_t dev, const char *log)
{
	struct sockaddr_un address;
	char name[64];
	int fd;

	control->directory = runtime_dir_open(true, NULL);
	if (control->directory < 0)
		return control->directory;
	runtime_mount_name(dev, name);
	runtime_mount_address(control->directory, dev, &address);
	fd = control_socket_listen(control->directory, name, &address, &control->socket);
	if (fd < 0)
		return fd;
	const struct control_server_options options = {
		.hub = hub,
		.alone = &control->alone,
		.listen_fd = fd,
		.namespace = runtime_namespace(),
		.log = log,
		.on_leave = serve_alone_on_leave,
		.user = control,
	};
	int error = control_server_new(&options, &control->server);

	if (error < 0)
		control_socket_remove(&control->socket);
	return error;
}

int control_mount_new(
	struct hub *hub, const char *point, dev_t dev, const char *log, struct control_mount **ret)
{
	struct control_mount *control = calloc(1, sizeof(*control));
	int error;

	if (!control)
		return -ENOMEM;
	control->alone = (struct control_alone){.view = hub->view, .point = point};
	error = serve_alone_start(control, hub, dev, log);
	if (error < 0) {
		control_mount_free(control);
		return error;
	}
	*ret = control;
	return 0;
}

void control_mount_free(struct control_mount *control)
{
	if (!control)
		return;
	control_server_free(control->server);
	if (control->directory >= 0)
		close(control->directory);
	free(control);
}
