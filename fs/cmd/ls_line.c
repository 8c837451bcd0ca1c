#include <stdio.h>
#include <time.h>
#include "fs/cmd/ls_line.h"
#include "s3/escape.h"
#include "s3/when.h"

/* Every zone's offset changes at a whole quarter of an hour, so one conversion serves the whole quarter. */
enum {
	QUARTER = 900,
	TIME_COLUMNS = 19,
	SIZE_COLUMNS = 10,
	CLASS_COLUMNS = 19,
	ETAG_COLUMNS = 34,
	PREFIX_COLUMNS = 30
};

static const char spaces[] = "                                        ";

static void pad(struct buf *buf, size_t have, size_t width)
{
	if (have < width)
		buf_add(buf, spaces, width - have);
}

/* "YYYY-MM-DD HH:MM:SS" in local time; "-" where it is not known. */
static void add_time(struct buf *buf, struct ls_style *style, int64_t when)
{
	int64_t quarter = when >= 0 ? when / QUARTER : (when - QUARTER + 1) / QUARTER;
	unsigned past = (unsigned)(when - quarter * QUARTER), minute;
	time_t start = (time_t)(quarter * QUARTER);
	char text[20];
	struct tm tm;

	if (when == 0) {
		pad(buf, 1, TIME_COLUMNS);
		buf_add_char(buf, '-');
		return;
	}
	if (!style->known || quarter != style->quarter) {
		if (!localtime_r(&start, &tm) || tm.tm_year > 9999 - 1900 || tm.tm_year < -1900) {
			buf_add(buf, spaces, TIME_COLUMNS);
			return;
		}
		strftime(style->minute, sizeof(style->minute), "%Y-%m-%d %H:%M:", &tm);
		style->minute_of_quarter = (unsigned)tm.tm_min;
		style->quarter = quarter;
		style->known = true;
	}
	memcpy(text, style->minute, 17);
	minute = style->minute_of_quarter + past / 60;
	text[14] = (char)('0' + minute / 10 % 6);
	text[15] = (char)('0' + minute % 10);
	text[17] = (char)('0' + past % 60 / 10);
	text[18] = (char)('0' + past % 60 % 10);
	buf_add(buf, text, TIME_COLUMNS);
}

/* Plain ASCII, as nearly all keys are, needs no look at each code point. */
static bool ls_line_is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] < 0x20 || (unsigned char)s.data[i] >= 0x7f ||
			s.data[i] == '\\' || s.data[i] == '"')
			return false;
	return true;
}

static void add_shown(struct buf *buf, struct str s)
{
	if (ls_line_is_plain(s))
		buf_add_str(buf, s);
	else
		escape_text(buf, s);
}

static void add_json(struct buf *buf, struct str s)
{
	if (!ls_line_is_plain(s)) {
		escape_json(buf, s);
		return;
	}
	buf_add_char(buf, '"');
	buf_add_str(buf, s);
	buf_add_char(buf, '"');
}

static void json_line(struct buf *buf, const struct ls_style *style, const struct page_entry *entry)
{
	char when[21];

	when_iso(entry->mtime, when);
	if (style->buckets)
		buf_add_text(buf, "{\"type\":\"bucket\",\"name\":");
	else
		buf_add_text(buf,
			entry->is_prefix ? "{\"type\":\"prefix\",\"key\":" : "{\"type\":\"object\",\"key\":");
	add_json(buf, entry->key);
	if (!style->buckets && !entry->is_prefix) {
		buf_add_text(buf, ",\"size\":");
		buf_add_uint(buf, entry->size);
	}
	if (!entry->is_prefix) {
		buf_addf(buf, entry->mtime ? ",\"mtime\":\"%s\"" : ",\"mtime\":null", when);
	}
	if (!style->buckets && !entry->is_prefix) {
		buf_add_text(buf, ",\"etag\":");
		add_json(buf, entry->etag);
		buf_add_text(buf, ",\"storage_class\":");
		add_json(buf, entry->storage_class.len ? entry->storage_class : STR("STANDARD"));
	}
	buf_add_text(buf, "}\n");
}

static void add_long(struct buf *buf, const struct page_entry *entry)
{
	struct str class = entry->storage_class.len ? entry->storage_class : STR("STANDARD");

	add_shown(buf, class);
	pad(buf, class.len, CLASS_COLUMNS);
	buf_add_char(buf, ' ');
	add_shown(buf, entry->etag);
	pad(buf, entry->etag.len, ETAG_COLUMNS);
	buf_add_char(buf, ' ');
}

static unsigned ls_line_digits(uint64_t value)
{
	unsigned count = 1;

	for (; value >= 10; value /= 10)
		count++;
	return count;
}

int ls_line(struct buf *buf, struct ls_style *style, const struct page_entry *entry)
{
	struct str name = str_skip(entry->key, style->strip < entry->key.len ? style->strip : entry->key.len);

	if (style->json) {
		json_line(buf, style, entry);
		return buf->error;
	}
	if (entry->is_prefix) {
		buf_add(buf, spaces, PREFIX_COLUMNS - 3);
		buf_add_text(buf, "PRE ");
	} else {
		add_time(buf, style, entry->mtime);
		buf_add_char(buf, ' ');
	}
	if (!entry->is_prefix && !style->buckets) {
		pad(buf, ls_line_digits(entry->size), SIZE_COLUMNS);
		buf_add_uint(buf, entry->size);
		buf_add_char(buf, ' ');
		if (style->is_long)
			add_long(buf, entry);
	}
	add_shown(buf, name);
	buf_add_char(buf, '\n');
	return buf->error;
}
