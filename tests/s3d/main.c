/* s3d: an S3 server in memory, for tests and demonstrations.  See --help, and admin.h for its back door. */
#include "tests/s3d/http.h"
#include "tests/s3d/options.h"

#include <errno.h>
#include <libxml/parser.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static struct server server;

static void on_signal(int number)
{
	server.quit = true;
}

static void catch_signals(void)
{
	struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
	sigset_t mask;

	/* Blocked except while http_run() waits. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

/* Whole or not at all: whoever waits for the file may read it as soon as it is there. */
static int write_port_file(const char *path, unsigned port)
{
	char *other;
	FILE *file;
	int r = 0;

	if (asprintf(&other, "%s.new.%d", path, (int)getpid()) < 0)
		return -ENOMEM;
	file = fopen(other, "we");
	if (!file || fprintf(file, "%u\n", port) < 0)
		r = -errno;
	if (file && fclose(file) != 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(other, path) < 0)
		r = -errno;
	free(other);
	return r;
}

static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	struct options options = {0};
	pid_t parent = getppid();
	int r = hash_init();

	if (r == 0)
		r = server_init(&server);
	if (r < 0) {
		fprintf(stderr, "s3d: no memory, or OpenSSL has no MD5 or SHA-256\n");
		return 1;
	}
	options_parse(argc, argv, &server, &options);
	catch_signals();
	raise_file_limit();
	if (options.with_parent) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			return 0;
	}
	r = http_start(&server, &options.http);
	if (r < 0) {
		fprintf(stderr, "s3d: can't listen on 127.0.0.1:%u: %s\n", options.http.port, strerror(-r));
		return 1;
	}
	stats_reset(&server);
	if (options.port_file)
		r = write_port_file(options.port_file, server.port);
	if (r < 0)
		fprintf(stderr, "s3d: can't write %s: %s\n", options.port_file, strerror(-r));
	printf("s3d: %s://127.0.0.1:%u\n", server.tls ? "https" : "http", server.port);
	fflush(stdout);
	if (r == 0)
		http_run(&server);
	http_stop(&server);
	options_release(&options);
	server_release(&server);
	hash_release();
	xmlCleanupParser();
	return r < 0;
}
