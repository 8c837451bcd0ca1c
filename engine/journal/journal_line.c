#include "engine/journal/journal_line.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIELDS_MAX = 16, CRC_DIGITS = 8, HEAD = CRC_DIGITS + 1 };

/* ---- checksum ---- */

static uint32_t crc_table[256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_fill(void)
{
	/* Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;
		for (unsigned bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0x82f63b78 : 0);
		crc_table[i] = value;
	}
}

uint32_t journal_crc(const void *data, size_t len)
{
	const unsigned char *at = data;
	uint32_t crc = 0xffffffff;
	pthread_once(&crc_once, crc_fill);
	for (size_t i = 0; i < len; i++)
		crc = crc >> 8 ^ crc_table[(crc ^ at[i]) & 0xff];
	return ~crc;
}

/* ---- to text ---- */

static const char digits[] = "0123456789abcdef";

static void put_text(struct buf *buf, struct str text)
{
	size_t plain = 0;
	buf_add_char(buf, ' ');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c > 0x20 && c < 0x7f && c != '%' && c != '=')
			continue;
		char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
		buf_add(buf, text.data + plain, i - plain);
		buf_add(buf, escaped, sizeof(escaped));
		plain = i + 1;
	}
	if (text.len > plain)
		buf_add(buf, text.data + plain, text.len - plain);
}

static void put_number(struct buf *buf, int64_t number)
{
	buf_add_char(buf, ' ');
	if (number < 0)
		buf_add_char(buf, '-');
	buf_add_uint(buf, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

static void put_size(struct buf *buf, uint64_t number)
{
	buf_add_char(buf, ' ');
	buf_add_uint(buf, number);
}

static size_t put_begin(struct buf *buf, enum journal_kind kind)
{
	size_t at = buf->len;
	buf_add_text(buf, "00000000 ");
	buf_add_char(buf, (char)kind);
	return at;
}

static int put_end(struct buf *buf, size_t at)
{
	if (buf->error == 0 && buf->len - at >= JOURNAL_LINE_MAX)
		buf->error = -EOVERFLOW;
	if (buf->error == 0) {
		uint32_t crc = journal_crc(buf->data + at + HEAD, buf->len - at - HEAD);
		for (unsigned i = 0; i < CRC_DIGITS; i++)
			buf->data[at + i] = digits[crc >> (28 - 4 * i) & 15];
		buf_add_char(buf, '\n');
	}
	if (buf->error != 0)
		buf->len = at; /* the buffer keeps its error: no caller goes on with half a line */
	return buf->error;
}

static void put_side(struct buf *buf, const struct journal_side *side)
{
	put_text(buf, side->service);
	put_text(buf, side->who);
	put_text(buf, side->bucket);
	put_text(buf, side->prefix);
}

int journal_put_intent(struct buf *buf, const struct journal_intent *intent)
{
	size_t at = put_begin(buf, JOURNAL_INTENT);
	put_number(buf, JOURNAL_VERSION);
	put_side(buf, &intent->source);
	put_side(buf, &intent->destination);
	put_text(buf, intent->fresh ? STR("fresh") : STR(""));
	put_text(buf, intent->machine);
	put_text(buf, intent->boot);
	put_number(buf, intent->pid);
	put_size(buf, intent->pid_start);
	put_number(buf, intent->time);
	return put_end(buf, at);
}

static void put_etag(struct buf *buf, const struct journal_line *line)
{
	if (line->same_etag)
		buf_add_text(buf, " =");
	else
		put_text(buf, line->etag);
}

int journal_put(struct buf *buf, const struct journal_line *line)
{
	size_t at = put_begin(buf, line->kind);
	bool answers = line->kind != JOURNAL_KEY && line->kind != JOURNAL_ALL;
	if (answers)
		put_size(buf, line->page);
	if (line->kind == JOURNAL_PAGE || line->kind == JOURNAL_ALL)
		put_size(buf, line->count);
	else
		put_size(buf, line->index);
	if (line->kind == JOURNAL_KEY || line->kind == JOURNAL_UPLOAD)
		put_text(buf, line->text);
	if (line->kind == JOURNAL_KEY || line->kind == JOURNAL_COPIED || line->kind == JOURNAL_EXPECT)
		put_etag(buf, line);
	if (line->kind == JOURNAL_COPIED)
		put_text(buf, line->text);
	if (line->kind == JOURNAL_PAGE || line->kind == JOURNAL_KEY || line->kind == JOURNAL_COPIED)
		put_number(buf, line->time);
	if (line->kind == JOURNAL_KEY) {
		put_number(buf, line->nsec);
		put_size(buf, line->size);
		put_text(buf, line->large ? STR("L") : STR(""));
	}
	return put_end(buf, at);
}

/* ---- from text ---- */

static int hex(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

struct line_fields {
	struct str raw[FIELDS_MAX]; /* as written */
	unsigned count, at;
	bool bad;
};

static bool split(struct line_fields *fields, char *line, size_t len)
{
	char *end = line + len;
	while (fields->count < FIELDS_MAX) {
		char *space = memchr(line, ' ', (size_t)(end - line));
		char *stop = space ? space : end;
		fields->raw[fields->count++] = str_n(line, (size_t)(stop - line));
		if (!space)
			return true;
		line = space + 1;
	}
	return false;
}

static struct str next_raw(struct line_fields *fields)
{
	if (fields->at < fields->count)
		return fields->raw[fields->at++];
	fields->bad = true;
	return STR("");
}

/* Unescapes in place: the result is never longer. */
static struct str next_text(struct line_fields *fields)
{
	struct str raw = next_raw(fields);
	char *from = (char *)raw.data;
	size_t len = 0;
	for (size_t i = 0; i < raw.len; i++) {
		if (from[i] != '%') {
			fields->bad |= from[i] == '=' || from[i] <= 0x20 || from[i] >= 0x7f;
			from[len++] = from[i];
			continue;
		}
		int high = i + 2 < raw.len ? hex(from[i + 1]) : -1, low = high < 0 ? -1 : hex(from[i + 2]);
		if (low < 0) {
			fields->bad = true;
			break;
		}
		from[len++] = (char)(high << 4 | low);
		i += 2;
	}
	return str_n(raw.data, len);
}

static uint64_t next_size(struct line_fields *fields)
{
	struct str raw = next_raw(fields);
	uint64_t value = 0;
	fields->bad |= raw.len == 0;
	for (size_t i = 0; i < raw.len; i++) {
		unsigned digit = (unsigned)(raw.data[i] - '0');
		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, digit, &value)) {
			fields->bad = true;
			return 0;
		}
	}
	return value;
}

static int64_t next_number(struct line_fields *fields)
{
	bool minus = fields->at < fields->count && fields->raw[fields->at].len > 0 &&
		     fields->raw[fields->at].data[0] == '-';
	if (minus)
		fields->raw[fields->at] = str_skip(fields->raw[fields->at], 1);
	uint64_t value = next_size(fields);
	if (value > INT64_MAX) {
		fields->bad = true;
		return 0;
	}
	return minus ? -(int64_t)value : (int64_t)value;
}

static unsigned next_index(struct line_fields *fields)
{
	uint64_t value = next_size(fields);
	fields->bad |= value >= JOURNAL_PAGE_KEYS_MAX;
	return fields->bad ? 0 : (unsigned)value;
}

static void next_etag(struct line_fields *fields, struct journal_line *ret)
{
	ret->same_etag = fields->at < fields->count && str_eq(fields->raw[fields->at], STR("="));
	if (ret->same_etag)
		fields->at++;
	else
		ret->etag = next_text(fields);
}

static bool next_flag(struct line_fields *fields, struct str word)
{
	struct str raw = next_raw(fields);
	fields->bad |= raw.len > 0 && !str_eq(raw, word);
	return raw.len > 0;
}

static struct journal_side next_side(struct line_fields *fields)
{
	struct journal_side side;
	side.service = next_text(fields);
	side.who = next_text(fields);
	side.bucket = next_text(fields);
	side.prefix = next_text(fields);
	return side;
}

static void parse_intent(struct line_fields *fields, struct journal_intent *ret)
{
	fields->bad |= next_number(fields) != JOURNAL_VERSION;
	ret->source = next_side(fields);
	ret->destination = next_side(fields);
	ret->fresh = next_flag(fields, STR("fresh"));
	ret->machine = next_text(fields);
	ret->boot = next_text(fields);
	ret->pid = next_number(fields);
	ret->pid_start = next_size(fields);
	ret->time = next_number(fields);
}

static void parse_key(struct line_fields *fields, struct journal_line *ret)
{
	ret->index = next_index(fields);
	ret->text = next_text(fields);
	ret->etag = next_text(fields);
	ret->time = next_number(fields);
	int64_t nsec = next_number(fields);
	fields->bad |= nsec < 0 || nsec >= 1000000000;
	ret->nsec = fields->bad ? 0 : (int32_t)nsec;
	ret->size = next_size(fields);
	ret->large = next_flag(fields, STR("L"));
}

static void parse_fields(struct line_fields *fields, struct journal_line *ret)
{
	if (ret->kind == JOURNAL_INTENT) {
		parse_intent(fields, &ret->intent);
		return;
	}
	if (ret->kind == JOURNAL_KEY) {
		parse_key(fields, ret);
		return;
	}
	if (ret->kind == JOURNAL_ALL) {
		ret->count = next_size(fields);
		return;
	}
	ret->page = next_size(fields);
	switch (ret->kind) {
	case JOURNAL_PAGE:
		ret->count = next_size(fields);
		fields->bad |= ret->count > JOURNAL_PAGE_KEYS_MAX;
		ret->time = next_number(fields);
		return;
	case JOURNAL_COPIED:
		ret->index = next_index(fields);
		next_etag(fields, ret);
		ret->text = next_text(fields);
		ret->time = next_number(fields);
		return;
	case JOURNAL_REFUSED:
		ret->index = next_index(fields);
		return;
	case JOURNAL_UPLOAD:
		ret->index = next_index(fields);
		ret->text = next_text(fields);
		return;
	case JOURNAL_EXPECT:
		ret->index = next_index(fields);
		next_etag(fields, ret);
		return;
	default:
		fields->bad = true;
	}
}

static bool checksum_ok(const char *line, size_t len)
{
	uint32_t wanted = 0;
	if (len < HEAD + 1 || line[CRC_DIGITS] != ' ')
		return false;
	for (unsigned i = 0; i < CRC_DIGITS; i++) {
		int digit = hex(line[i]);
		if (digit < 0)
			return false;
		wanted = wanted << 4 | (uint32_t)digit;
	}
	return wanted == journal_crc(line + HEAD, len - HEAD);
}

int journal_parse(char *line, size_t len, struct journal_line *ret)
{
	struct line_fields fields = {.count = 0};
	struct journal_line parsed = {.etag = STR_NONE};
	if (len >= JOURNAL_LINE_MAX || !checksum_ok(line, len) || !split(&fields, line + HEAD, len - HEAD) ||
		fields.raw[0].len != 1)
		return -EBADMSG;
	parsed.kind = (enum journal_kind)next_raw(&fields).data[0];
	parse_fields(&fields, &parsed);
	if (fields.bad || fields.at != fields.count)
		return -EBADMSG;
	*ret = parsed;
	return 0;
}
