#include "tests/unit/support/server.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "s3/key.h"

enum { ARGS_MAX = 32, START_SECONDS = 20 };

static void die(const char *what)
{
	fprintf(stderr, "s3d: %s: %s\n", what, strerror(errno));
	abort();
}

static char *program(const char *argv0)
{
	const char *given = getenv("S3D");
	char *path = NULL;
	const char *slash = strrchr(argv0, '/');
	if (given != NULL)
		return strdup(given);
	if (asprintf(&path, "%.*s../s3d", slash != NULL ? (int)(slash - argv0 + 1) : 0, argv0) < 0)
		die("memory");
	return path;
}

static void run_child(const char *path, const char *port_file, const char *const *args)
{
	const char *argv[ARGS_MAX + 6] = {path, "--port=0", "--with-parent", "--port-file", port_file};
	unsigned n = 5;
	for (unsigned i = 0; args != NULL && args[i] != NULL && i < ARGS_MAX; i++)
		argv[n++] = args[i];
	if (freopen("/dev/null", "w", stdout) == NULL)
		_exit(126);
	execv(path, (char *const *)argv);
	_exit(127);
}

/* Polls: the file appears when the server listens. */
static unsigned wait_for_port(struct server *server, const char *port_file)
{
	time_t deadline = time(NULL) + START_SECONDS;
	unsigned port = 0;
	while (port == 0) {
		FILE *file = fopen(port_file, "r");
		if (file != NULL) {
			if (fscanf(file, "%u", &port) != 1)
				port = 0;
			fclose(file);
		}
		if (port == 0 && (time(NULL) > deadline || waitpid(server->pid, NULL, WNOHANG) != 0))
			die("does not start");
		if (port == 0)
			nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
	return port;
}

void server_start(struct server *server, const char *argv0, const char *const *args)
{
	char port_file[] = "/tmp/ferryfs-test-XXXXXX";
	char *path = program(argv0);
	int fd = mkstemp(port_file);
	if (fd < 0)
		die("mkstemp");
	close(fd);
	server->pid = fork();
	if (server->pid < 0)
		die("fork");
	if (server->pid == 0)
		run_child(path, port_file, args);
	server->port = wait_for_port(server, port_file);
	unlink(port_file);
	free(path);
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u", server->port);
	setenv("AWS_ENDPOINT_URL", server->url, 1);
	setenv("AWS_REGION", "us-east-1", 1);
	setenv("AWS_ACCESS_KEY_ID", "test", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "testsecret", 1);
	setenv("AWS_CONFIG_FILE", "/dev/null", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
	unsetenv("AWS_ENDPOINT_URL_S3");
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_PROFILE");
}

void server_stop(struct server *server)
{
	kill(server->pid, SIGTERM);
	waitpid(server->pid, NULL, 0);
}

struct text {
	char *data;
	size_t len;
};

static size_t gather(char *data, size_t size, size_t count, void *user)
{
	struct text *text = user;
	char *grown = realloc(text->data, text->len + size * count + 1);
	if (grown == NULL)
		return 0;
	text->data = grown;
	memcpy(grown + text->len, data, size * count);
	text->len += size * count;
	grown[text->len] = '\0';
	return size * count;
}

char *server_ask(struct server *server, const char *method, const char *path, const char *body)
{
	CURL *curl = curl_easy_init();
	struct text text = {.data = strdup("")};
	char *url = NULL;
	long status = 0;
	if (curl == NULL || asprintf(&url, "%s/_s3d/%s", server->url, path) < 0)
		die("memory");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (strcmp(method, "POST") == 0)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body != NULL ? body : "");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, gather);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK || status / 100 != 2) {
		fprintf(stderr, "%s %s: %s, status %ld: %s\n", method, url, curl_easy_strerror(code), status,
			text.data);
		abort();
	}
	curl_easy_cleanup(curl);
	free(url);
	return text.data;
}

void server_post(struct server *server, const char *format, ...)
{
	va_list args;
	char *path = NULL;
	va_start(args, format);
	if (vasprintf(&path, format, args) < 0)
		die("memory");
	va_end(args);
	free(server_ask(server, "POST", path, NULL));
	free(path);
}

void server_fault(struct server *server, const char *spec)
{
	free(server_ask(server, "POST", "fault", spec));
}

void server_hook(struct server *server, const char *spec)
{
	free(server_ask(server, "POST", "hook", spec));
}

void server_clear(struct server *server)
{
	free(server_ask(server, "DELETE", "fault", NULL));
	free(server_ask(server, "DELETE", "hook", NULL));
}

void server_reset(struct server *server)
{
	server_post(server, "reset");
}

static uint64_t number_of(struct server *server, const char *group, const char *name)
{
	char *text = server_ask(server, "GET", "stats", NULL);
	json_t *json = json_loads(text, 0, NULL);
	json_t *from = group != NULL ? json_object_get(json, group) : json;
	json_int_t value = json_integer_value(json_object_get(from, name));
	json_decref(json);
	free(text);
	return (uint64_t)value;
}

uint64_t server_count(struct server *server, const char *kind)
{
	return number_of(server, "requests", kind);
}

uint64_t server_stat(struct server *server, const char *name)
{
	return number_of(server, NULL, name);
}

static char *encode(const void *data, size_t len)
{
	struct buf buf;
	buf_init(&buf, 3 * len + 1);
	key_encode(&buf, str_n(data, len), false);
	char *text = strdup(buf_text(&buf));
	buf_release(&buf);
	if (text == NULL)
		die("memory");
	return text;
}

char *server_keys(struct server *server, const char *bucket, const char *prefix)
{
	char *encoded = encode(prefix, strlen(prefix)), *path = NULL;
	if (asprintf(&path, "keys?bucket=%s&prefix=%s", bucket, encoded) < 0)
		die("memory");
	char *text = server_ask(server, "GET", path, NULL);
	free(encoded);
	free(path);
	return text;
}

unsigned server_key_count(struct server *server, const char *bucket, const char *prefix)
{
	char *text = server_keys(server, bucket, prefix);
	unsigned count = 0;
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		count++;
	free(text);
	return count;
}

void server_put(struct server *server, const char *bucket, const void *key, size_t len, const char *text)
{
	char *encoded = encode(key, len), *value = encode(text, strlen(text));
	server_post(server, "overwrite?bucket=%s&key=%s&text=%s", bucket, encoded, value);
	free(encoded);
	free(value);
}
