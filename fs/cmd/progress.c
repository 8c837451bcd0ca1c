#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "fs/cmd/progress.h"

enum { LINE_MAX_BYTES = 512, COLUMNS_DEFAULT = 80 };

double progress_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int progress_bytes(struct buf *buf, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	unsigned unit = 0;

	/* 1023.95 would be shown as 1024.0. */
	for (; value >= 1023.95 && unit < sizeof(units) / sizeof(units[0]) - 1; unit++)
		value /= 1024;
	if (unit == 0)
		return buf_addf(buf, "%u B", (unsigned)bytes);
	return buf_addf(buf, "%.1f %s", value, units[unit]);
}

int progress_time(struct buf *buf, uint64_t seconds)
{
	unsigned long long minutes = seconds / 60;

	if (minutes < 60)
		return buf_addf(buf, "%llu:%02u", minutes, (unsigned)(seconds % 60));
	return buf_addf(
		buf, "%llu:%02u:%02u", minutes / 60, (unsigned)(minutes % 60), (unsigned)(seconds % 60));
}

int progress_format(struct buf *buf, const struct progress_numbers *numbers, unsigned columns)
{
	uint64_t settled = numbers->done + numbers->failed + numbers->skipped;
	uint64_t left = numbers->found > settled ? numbers->found - settled : 0;
	size_t start = buf->len;

	buf_addf(buf, "%s: %llu of %llu%s objects, %.0f/s", numbers->verb, (unsigned long long)numbers->done,
		(unsigned long long)numbers->found, numbers->listed ? "" : "+", numbers->rate);
	if (numbers->failed)
		buf_addf(buf, ", %llu failed", (unsigned long long)numbers->failed);
	if (numbers->listed && numbers->rate >= 0.01 && (double)left / numbers->rate < 1e6) {
		buf_add_text(buf, ", left ");
		progress_time(buf, (uint64_t)((double)left / numbers->rate + 0.5));
	}
	if (numbers->skipped)
		buf_addf(buf, ", %llu skipped", (unsigned long long)numbers->skipped);
	if (numbers->bytes) {
		buf_add_text(buf, ", ");
		progress_bytes(buf, numbers->bytes);
	}
	if (numbers->retried)
		buf_addf(buf, ", %llu retried", (unsigned long long)numbers->retried);
	buf_addf(buf, ", window %u", numbers->window);
	if (columns && !buf->error && buf->len - start > columns - 1) {
		buf->len = start + columns - 1;
		buf->data[buf->len] = '\0';
	}
	return buf->error;
}

/* COLUMNS wins, as for ps and git. */
static unsigned terminal_columns(int fd)
{
	const char *text = getenv("COLUMNS");
	unsigned long columns = text ? strtoul(text, NULL, 10) : 0;
	struct winsize size;

	if (columns >= 1 && columns <= 10000)
		return (unsigned)columns;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return COLUMNS_DEFAULT;
}

void progress_open(struct progress *progress, int fd, bool quiet)
{
	*progress = (struct progress){
		.active = !quiet && isatty(fd),
		.fd = fd,
		.drawn = progress_now(),
	};
}

static void progress_write(struct progress *progress, const struct buf *line)
{
	/* A terminal that takes no more loses a line of progress, nothing else. */
	if (!line->error && write(progress->fd, line->data, line->len) < 0)
		progress->active = false;
}

/* The rate of the last seconds: an exponential average whose weight fits the time since the last line. */
static double progress_rate(struct progress *progress, uint64_t done, double now)
{
	double passed = now - progress->drawn;
	double rate = (double)(done - progress->rate_done) / passed;
	double weight = passed < 1 ? passed : 1;

	progress->rate = progress->rate_done ? progress->rate + weight * (rate - progress->rate) : rate;
	progress->rate_done = done;
	return progress->rate;
}

void progress_draw(struct progress *progress, struct progress_numbers *numbers)
{
	double now = progress_now();
	struct buf line;

	if (!progress->active || (now - progress->drawn) * 1000 < PROGRESS_INTERVAL_MS)
		return;
	numbers->rate = progress_rate(progress, numbers->done, now);
	progress->drawn = now;
	buf_init(&line, LINE_MAX_BYTES);
	buf_add_char(&line, '\r');
	progress_format(&line, numbers, terminal_columns(progress->fd));
	buf_add_text(&line, "\033[K"); /* ECMA-48 EL: clear to the end of the line */
	progress_write(progress, &line);
	progress->shown = true;
	buf_release(&line);
}

void progress_erase(struct progress *progress)
{
	struct buf line;

	if (!progress->active || !progress->shown)
		return;
	buf_init(&line, LINE_MAX_BYTES);
	buf_add_text(&line, "\r\033[K");
	progress_write(progress, &line);
	progress->shown = false;
	buf_release(&line);
}
