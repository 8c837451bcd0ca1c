#include "engine/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include "s3/escape.h"

static int log_fd = STDERR_FILENO;
static _Atomic int log_level = LOG_LEVEL_WARNING;

void log_open(int fd, enum log_level level)
{
	log_fd = fd;
	atomic_store(&log_level, (int)level);
	if (fd < 0)
		openlog("ferryfs", LOG_PID, LOG_DAEMON);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

static int syslog_priority(enum log_level level)
{
	static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_DEBUG};

	return priorities[level];
}

static const char *level_word(enum log_level level)
{
	static const char *const words[] = {"error: ", "warning: ", "", "debug: ", "trace: "};

	return words[level];
}

/* line is NUL-terminated and has room for a new line behind its len bytes. */
static void put(enum log_level level, char *line, size_t len)
{
	size_t skip = sizeof("ferryfs: ") - 1;

	/* One line stays one line, and no terminal is written to by accident. */
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	}
	if (log_fd < 0) {
		syslog(syslog_priority(level), "%s", line + skip);
		return;
	}
	line[len] = '\n';
	/* There is no place left to report that the log can't be written. */
	if (write(log_fd, line, len + 1) < 0)
		return;
}

void log_text(enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX + 2];
	va_list args;
	int at, len;

	if (!log_enabled(level))
		return;
	at = snprintf(line, LOG_LINE_MAX, "ferryfs: %s", level_word(level));
	va_start(args, format);
	len = vsnprintf(line + at, (size_t)(LOG_LINE_MAX - at), format, args);
	va_end(args);
	if (len < 0)
		return;
	len += at;
	put(level, line, len < LOG_LINE_MAX ? (size_t)len : LOG_LINE_MAX - 1);
}

static void add_place(struct buf *text, const struct log_call *line)
{
	if (!line->bucket.data)
		return;
	buf_add_text(text, " s3://");
	escape_text(text, line->bucket);
	if (line->key.data) {
		buf_add_char(text, '/');
		escape_text(text, line->key);
	}
}

static void add_answer(struct buf *text, const struct s3_answer *answer)
{
	if (answer->error.code[0]) {
		buf_add_text(text, ": ");
		escape_text(text, str_of(answer->error.code));
	}
	if (answer->status)
		buf_addf(text, "%sHTTP %d", answer->error.code[0] ? ", " : ": ", answer->status);
	if (answer->error.message[0]) {
		buf_add_text(text, ": ");
		escape_text(text, str_of(answer->error.message));
	}
	if (answer->request_id[0]) {
		buf_add_text(text, ", request id ");
		escape_text(text, str_of(answer->request_id));
	}
}

/* ---- the last errors ---- */

static pthread_mutex_t recent_lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_recent recent[LOG_RECENT_MAX]; /* protected by recent_lock, as is recent_count */
static uint64_t recent_count;

static void remember(struct str line)
{
	pthread_mutex_lock(&recent_lock);
	struct log_recent *entry = &recent[recent_count++ % LOG_RECENT_MAX];

	entry->time = (int64_t)time(NULL);
	snprintf(entry->text, sizeof(entry->text), "%.*s", (int)line.len, line.data);
	pthread_mutex_unlock(&recent_lock);
}

unsigned log_recent(struct log_recent *ret, unsigned max)
{
	unsigned count = 0;

	pthread_mutex_lock(&recent_lock);
	for (uint64_t i = recent_count; i > 0 && count < max && count < LOG_RECENT_MAX; i--)
		ret[count++] = recent[(i - 1) % LOG_RECENT_MAX];
	pthread_mutex_unlock(&recent_lock);
	return count;
}

void log_call(enum log_level level, const struct log_call *line)
{
	char room[LOG_LINE_MAX + 2], words[128];
	struct buf text;
	size_t skip;

	if (!log_enabled(level) && level != LOG_LEVEL_ERROR)
		return;
	buf_init(&text, LOG_LINE_MAX - 1);
	buf_addf(&text, "ferryfs: %s", level_word(level));
	skip = text.len;
	buf_add_text(&text, line->what);
	add_place(&text, line);
	if (line->error)
		buf_addf(&text, ": %s", strerror_r(-line->error, words, sizeof(words)));
	if (line->answer)
		add_answer(&text, line->answer);
	if (line->consequence)
		buf_addf(&text, "; %s", line->consequence);
	/* buf left out the part that did not fit. */
	memcpy(room, buf_text(&text), text.len + 1);
	if (level == LOG_LEVEL_ERROR)
		remember(str_skip(str_n(room, text.len), skip));
	if (log_enabled(level))
		put(level, room, text.len);
	buf_release(&text);
}

/* ---- lines said already: 1,024 sets of four hashes, the oldest of a set goes first ---- */

enum { SAID_SETS = 1024, SAID_WAYS = 4 };

static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t said[SAID_SETS][SAID_WAYS]; /* protected by said_lock; 0: empty */
static unsigned char said_next[SAID_SETS]; /* protected by said_lock */

/* Of the text and its end: "a", "bc" and "ab", "c" differ. */
static uint64_t said_hash(uint64_t hash, struct str text)
{
	return str_hash(str_hash(hash, text), STR("\xff"));
}

bool log_once(const char *what, struct str bucket, struct str key)
{
	uint64_t h = said_hash(said_hash(said_hash(STR_HASH_START, str_of(what)), bucket), key);
	unsigned set = (unsigned)(h >> 32) % SAID_SETS;
	bool first = true;

	if (h == 0)
		h = 1;
	pthread_mutex_lock(&said_lock);
	for (unsigned i = 0; i < SAID_WAYS && first; i++)
		first = said[set][i] != h;
	if (first) {
		said[set][said_next[set]] = h;
		said_next[set] = (unsigned char)((said_next[set] + 1) % SAID_WAYS);
	}
	pthread_mutex_unlock(&said_lock);
	return first;
}
