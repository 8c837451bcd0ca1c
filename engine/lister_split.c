/*
 * Where to cut a key range in two when nothing but the keys seen so far is known.
 *
 * The last key seen of a stream, and how many bytes the keys of its last page have in common, give candidates: that
 * key up to some byte within (or just after) the common part, and there a greater byte.  "p/00000999" after a page
 * "p/00000000".."p/00000999" gives p/00001 .. p/00009, p/0001 .. p/0009, p/001 ... p/9: each a point further away
 * than the one before, none so near that less than a page lies before it.  Which bytes are tried is what keys of
 * this listing have been seen to use, and all digits where there was one, since digits change last.  The middle
 * candidate is taken: where nothing lies behind it, the range has shrunk by half of its candidates; else it has been cut
 * in two parts with keys in both.
 */
#include "engine/lister_private.h"

enum {
	WASTED_FREE = 8,   /* bad guesses that are always granted */
	WASTED_SHARE = 8,  /* and further ones, one for so many pages */
	CODE_POINT_MAX = 3,
};

/* One byte to try instead of the one at `at`; a lead byte is followed by its least continuation, so that a key of
 * valid UTF-8 gives valid UTF-8 (a start-after that is not is refused by some servers). */
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

static bool byte_is_tried(const struct lister *lister, unsigned char now, unsigned byte)
{
	if (now >= '0' && now <= '9' && byte >= '0' && byte <= '9')
		return true;
	if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && byte <= 0xc1) || byte == 0xe0 || byte >= 0xf0)
		return false;
	return lister->seen[byte];
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

/* Counts the candidates of a stream; the wanted-th (from 0), nearest first, goes to ret. */
static unsigned candidates(const struct stream *stream, unsigned wanted, struct buf *ret)
{
	const struct lister *lister = stream->lister;
	struct str after = buf_str(&stream->after);
	size_t prefix = lister->options.prefix.len;
	size_t deepest = stream->common < after.len ? stream->common + 1 : after.len;
	unsigned count = 0;
	for (size_t at = deepest; at-- > prefix;) {
		unsigned char now = (unsigned char)after.data[at];
		if (now >= 0x80 && now < 0xc0)
			continue; /* inside of a code point */
		for (unsigned byte = now + 1u; byte < 256; byte++) {
			char tail[CODE_POINT_MAX + 1];
			if (!byte_is_tried(lister, now, byte))
				continue;
			struct str s = candidate_tail((unsigned char)byte, tail);
			if (!candidate_in_range(stream, at, s))
				break;
			if (ret != NULL && count == wanted) {
				buf_clear(ret);
				buf_add(ret, after.data, at);
				buf_add_str(ret, s);
				return count;
			}
			count++;
		}
	}
	return count;
}

/* The stream that has gone on longest without a split and has candidates. */
static struct stream *best_stream(struct lister *lister, unsigned *ret_candidates)
{
	struct stream *best = NULL;
	for (struct stream *s = lister->streams; s != NULL; s = s->next) {
		if (s->pages == 0 || !s->has_after || s->first || (best != NULL && s->pages <= best->pages))
			continue;
		unsigned count = candidates(s, 0, NULL);
		if (count > 0) {
			best = s;
			*ret_candidates = count;
		}
	}
	return best;
}

struct stream *lister_split(struct lister *lister)
{
	if (lister->unordered || lister->stream_count >= lister->options.streams ||
		lister->wasted > WASTED_FREE + lister->pages / WASTED_SHARE)
		return NULL;
	unsigned count = 0;
	struct stream *parent = best_stream(lister, &count);
	if (parent == NULL)
		return NULL;
	struct buf guess;
	buf_init(&guess, LISTER_KEY_MAX);
	candidates(parent, count / 2, &guess);
	struct stream *child = NULL;
	if (guess.error == 0)
		child = lister_stream_new(lister, buf_str(&guess), parent->has_end ? buf_str(&parent->end) : STR_NONE);
	if (child == NULL) {
		buf_release(&guess);
		return NULL;
	}
	buf_release(&parent->end);
	parent->end = guess;
	parent->has_end = true;
	parent->pages = 0;
	child->parent = parent;
	return child;
}
