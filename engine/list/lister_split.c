/*
 * Where to cut a key range in two when nothing but the keys seen so far is known.
 *
 * The last key seen of a stream, and how many bytes the keys of its last page have in common, give
 * candidates: that key up to some byte within (or just after) the common part, and there a greater byte.
 * "p/00000999" after a page "p/00000000".."p/00000999" gives p/00001 .. p/00009, p/0001 .. p/0009, p/001 ...
 * p/9: each a point further away than the one before, none so near that less than a page lies before it.
 *
 * Likely ones change a digit to a greater digit (numbers count up; which of their leading zeros do is not
 * known), or the first byte that differs within the page to one that keys have been seen to use.  Where there
 * is none of those, any byte is tried that keys have been seen to use.
 *
 *   a range with an end   the middle candidate of the foremost byte that has one: about its middle
 *   one without           the middle of all likely candidates in front of where a guess has found keys
 *                         (hit_at), since how far the keys go is to be found out; if there is none, as above
 *
 * Where nothing lies behind a guess the range has shrunk to it, so that bad guesses do not come again.
 */
#include "engine/list/lister_internal.h"

enum {
	WASTED_FREE = 8, /* guesses that find nothing, always granted */
	SPLITS_SHARE =
		8, /* past two for each stream, one split for so many pages: each costs about half a page */
	CODE_POINT_MAX = 3,
};

/* One byte to try instead of the one at `at`; a lead byte is followed by its least continuation, so that a
 * key of valid UTF-8 gives valid UTF-8 (a start-after that is not is refused by some servers). */
static struct str candidate_tail(unsigned char byte, char tail[CODE_POINT_MAX + 1])
{
	size_t len = 1;
	tail[0] = (char)byte;
	if (byte >= 0xc2 && byte <= 0xdf)
		len = 2;
	else if (byte >= 0xe1 && byte <= 0xef)
		len = 3;
	for (size_t i = 1; i < len; i++)
		tail[i] = '\x80';
	return str_n(tail, len);
}

static bool is_digit(unsigned byte)
{
	return byte >= '0' && byte <= '9';
}

/* Bytes that can stand in a start-after; past ASCII only the lead bytes that candidate_tail completes. */
static bool is_usable(unsigned byte)
{
	if (byte < 0x80)
		return byte >= 0x20 && byte != 0x7f;
	return byte >= 0xc2 && byte <= 0xef && byte != 0xe0;
}

static bool byte_is_tried(const struct stream *stream, bool likely, size_t at, unsigned byte)
{
	unsigned now = (unsigned char)stream->after.data[at];
	if (is_digit(now) && (likely || is_digit(byte)))
		return is_digit(byte);
	if (likely && at < stream->common)
		return false;
	return is_usable(byte) && stream->lister->seen[byte];
}

static bool candidate_in_range(const struct stream *stream, size_t at, struct str tail)
{
	if (!stream->has_end)
		return true;
	struct str end = buf_str(&stream->end), start = str_n(stream->after.data, at);
	if (end.len < at || memcmp(end.data, start.data, at) != 0)
		return str_cmp(start, end) < 0;
	return str_cmp(tail, str_skip(end, at)) < 0;
}

/* Counts the candidates of a stream at one byte; the wanted-th (from 0) goes to ret. */
static unsigned candidates_at(
	const struct stream *stream, bool likely, size_t at, unsigned wanted, struct buf *ret)
{
	unsigned now = (unsigned char)stream->after.data[at], count = 0;
	if (now >= 0x80 && now < 0xc0)
		return 0; /* inside of a code point */
	for (unsigned byte = now + 1; byte < 256; byte++) {
		char tail[CODE_POINT_MAX + 1];
		if (!byte_is_tried(stream, likely, at, byte))
			continue;
		struct str s = candidate_tail((unsigned char)byte, tail);
		if (!candidate_in_range(stream, at, s))
			break;
		if (ret && count == wanted) {
			buf_add(ret, stream->after.data, at);
			buf_add_str(ret, s);
		}
		count++;
	}
	return count;
}

/* The middle of all likely candidates at first .. last - 1, nearest first. */
static bool pick_middle(const struct stream *stream, size_t first, size_t last, struct buf *ret)
{
	unsigned total = 0;
	for (size_t at = first; at < last; at++)
		total += candidates_at(stream, true, at, 0, NULL);
	unsigned left = total / 2;
	for (size_t at = last; total > 0 && at-- > first;) {
		unsigned count = candidates_at(stream, true, at, 0, NULL);
		if (left < count) {
			candidates_at(stream, true, at, left, ret);
			return true;
		}
		left -= count;
	}
	return false;
}

static bool pick_foremost(const struct stream *stream, bool likely, size_t last, struct buf *ret)
{
	for (size_t at = stream->lister->options.prefix.len; at < last; at++) {
		unsigned count = candidates_at(stream, likely, at, 0, NULL);
		if (count == 0)
			continue;
		candidates_at(stream, likely, at, count / 2, ret);
		return true;
	}
	return false;
}

static bool pick(const struct stream *stream, struct buf *ret)
{
	const struct lister *lister = stream->lister;
	size_t first = lister->options.prefix.len;
	size_t last = stream->common < stream->after.len ? stream->common + 1 : stream->after.len;
	size_t known = lister->hit_at < last ? lister->hit_at : last;
	if (!stream->has_end && pick_middle(stream, first, known, ret))
		return true;
	return pick_foremost(stream, true, last, ret) || pick_foremost(stream, false, last, ret);
}

/* The stream that has gone on longest without a split and can be split at *ret. */
static struct stream *best_stream(struct lister *lister, struct buf *ret)
{
	struct stream *best = NULL;
	for (struct stream *s = lister->streams; s; s = s->next) {
		if (s->pages == 0 || !s->has_after || s->first || (best && s->pages <= best->pages))
			continue;
		struct buf guess;
		buf_init(&guess, LISTER_KEY_MAX);
		if (pick(s, &guess) && guess.error == 0) {
			buf_release(ret);
			*ret = guess;
			best = s;
		} else {
			buf_release(&guess);
		}
	}
	return best;
}

/* The parent keeps the keys up to at, the new stream has the rest. */
static struct stream *cut_at(struct lister *lister, struct stream *parent, struct buf *at)
{
	struct stream *child =
		lister_stream_new(lister, buf_str(at), parent->has_end ? buf_str(&parent->end) : STR_NONE);
	if (!child) {
		buf_release(at);
		return NULL;
	}
	buf_release(&parent->end);
	parent->end = *at;
	parent->has_end = true;
	parent->pages = 0;
	return child;
}

/* At a directory; a known one costs nothing to try. */
static struct stream *split_known(struct lister *lister)
{
	struct str point;
	struct stream *parent = lister_scouted(lister, &point);
	struct buf at;
	buf_init(&at, LISTER_KEY_MAX);
	if (!parent || buf_add_str(&at, point) != 0) {
		buf_release(&at);
		return NULL;
	}
	return cut_at(lister, parent, &at);
}

static struct stream *split_guessing(struct lister *lister)
{
	if (lister->splits >= 2 * lister->options.streams + WASTED_FREE + lister->pages / SPLITS_SHARE ||
		lister->wasted >= WASTED_FREE + lister->pages / SPLITS_SHARE)
		return NULL;
	struct buf guess;
	buf_init(&guess, LISTER_KEY_MAX);
	struct stream *parent = best_stream(lister, &guess);
	if (!parent) {
		buf_release(&guess);
		return NULL;
	}
	size_t offset = guess.len - 1;
	struct stream *child = cut_at(lister, parent, &guess);
	if (!child)
		return NULL;
	child->parent = parent;
	child->cut = true;
	child->cut_at = offset;
	lister->splits++;
	return child;
}

struct stream *lister_split(struct lister *lister)
{
	if (lister->unordered || lister->stream_count >= lister->options.streams)
		return NULL;
	struct stream *child = split_known(lister);
	/* A boundary that is about to be known need not be guessed. */
	return child || lister->scouting ? child : split_guessing(lister);
}
