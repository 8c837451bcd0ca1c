/*
 * curlfloor: bare libcurl, the floor the engine is compared with.
 *
 *   curlfloor [-n OBJECTS] [-i INFLIGHT] [-e] URL
 *
 * One thread, one curl_multi, INFLIGHT easy handles used again and again, requests of a CopyObject's shape
 * (method, header names and lengths) with a signature that is made up: run the server with --no-auth. Nothing
 * is parsed, signed, retried or timed.  Waits in curl_multi_poll, or with -e in epoll with
 * curl_multi_socket_action.  It has not all that the engine saves (with -e two
 * epoll_ctl a request, an answer buffer of 4 KiB, libcurl's own request lines): what the engine must not be
 * far above, not a bound that it can't be below.  The objects k/0 .. k/99 of bucket "bench" must exist
 * (tests/bench/calls puts them).
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { SOURCES = 100 };

struct place {
	CURL *easy;
	struct curl_slist *lines;
};

static CURLM *multi;
static const char *server;
static unsigned long total = 20000, begun, done, bad;
static int epoll = -1;
static long timer_ms = -1;

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	return size * count;
}

static int on_timer(CURLM *handle, long timeout_ms, void *user)
{
	timer_ms = timeout_ms;
	return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket)
{
	struct epoll_event event = {.data.fd = fd};

	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event);
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) < 0)
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	return 0;
}

static void lines_make(struct place *place, unsigned long i)
{
	char text[256];

	curl_slist_free_all(place->lines);
	place->lines = NULL;
	snprintf(text, sizeof(text), "x-amz-copy-source: /bench/k/%lu", i % SOURCES);
	place->lines = curl_slist_append(place->lines, text);
	place->lines = curl_slist_append(place->lines, "x-amz-date: 20260101T000000Z");
	place->lines = curl_slist_append(place->lines,
		"x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	place->lines = curl_slist_append(place->lines,
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/s3/aws4_request, "
		"SignedHeaders=host;x-amz-content-sha256;x-amz-copy-source;x-amz-date, Signature="
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	place->lines = curl_slist_append(place->lines, "Accept:");
	place->lines = curl_slist_append(place->lines, "Content-Length: 0");
}

static void place_start(struct place *place)
{
	char url[512];
	unsigned long i = begun++;

	lines_make(place, i);
	snprintf(url, sizeof(url), "%s/bench/copies/some/where/%08lu", server, i);
	curl_easy_setopt(place->easy, CURLOPT_URL, url);
	curl_easy_setopt(place->easy, CURLOPT_HTTPHEADER, place->lines);
	curl_multi_add_handle(multi, place->easy);
}

static void place_init(struct place *place)
{
	place->easy = curl_easy_init();
	curl_easy_setopt(place->easy, CURLOPT_PRIVATE, place);
	curl_easy_setopt(place->easy, CURLOPT_CUSTOMREQUEST, "PUT");
	curl_easy_setopt(place->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(place->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(place->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(place->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(place->easy, CURLOPT_BUFFERSIZE, 4096L);
	curl_easy_setopt(place->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

static void reap(void)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi, &left))) {
		struct place *place;
		long status = 0;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&place);
		curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		bad += message->data.result != CURLE_OK || status != 200;
		done++;
		curl_multi_remove_handle(multi, place->easy);
		if (begun < total)
			place_start(place);
	}
}

static void turn_poll(void)
{
	int running;

	curl_multi_perform(multi, &running);
	reap();
	curl_multi_poll(multi, NULL, 0, 1000, NULL);
}

static void turn_epoll(void)
{
	struct epoll_event events[256];
	int running, count = epoll_wait(
			     epoll, events, 256, timer_ms < 0 || timer_ms > 1000 ? 1000 : (int)timer_ms);

	for (int i = 0; i < count; i++)
		curl_multi_socket_action(multi, events[i].data.fd,
			(events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
				(events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0),
			&running);
	reap();
	if (count <= 0 || timer_ms == 0)
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

static void report(unsigned inflight, double wall, double cpu)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("| libcurl alone (%s), %u in flight | %.0f objects/s | %.1f us CPU an object | %ld KiB | %lu "
	       "failed |\n",
		epoll < 0 ? "poll" : "epoll", inflight, (double)done / wall, cpu * 1e6 / (double)done,
		usage.ru_maxrss, bad);
}

int main(int argc, char **argv)
{
	unsigned inflight = 512;
	struct place *places;
	double wall, cpu;
	int option;

	while ((option = getopt(argc, argv, "n:i:e")) != -1) {
		if (option == 'n')
			total = strtoul(optarg, NULL, 10);
		else if (option == 'i')
			inflight = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'e')
			epoll = epoll_create1(EPOLL_CLOEXEC);
		else
			return 2;
	}
	if (optind + 1 != argc || inflight == 0) {
		fprintf(stderr, "usage: curlfloor [-n N] [-i INFLIGHT] [-e] URL\n");
		return 2;
	}
	server = argv[optind];
	curl_global_init(CURL_GLOBAL_DEFAULT);
	multi = curl_multi_init();
	places = calloc(inflight, sizeof(*places));
	if (!multi || !places) {
		free(places);
		return 1;
	}
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)inflight);
	if (epoll >= 0) {
		curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
		curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	}
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned i = 0; i < inflight && begun < total; i++) {
		place_init(&places[i]);
		place_start(&places[i]);
	}
	while (done < total) {
		if (epoll < 0)
			turn_poll();
		else
			turn_epoll();
	}
	report(inflight, seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	free(places);
	return bad ? 1 : 0;
}
