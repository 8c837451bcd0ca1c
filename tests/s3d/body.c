#include "tests/s3d/body.h"

#include <stdlib.h>

enum body_kind { BODY_BYTES, BODY_ZERO, BODY_SEED, BODY_ROPE };

struct piece {
	struct body *body;
	uint64_t offset;
	uint64_t at; /* where the piece begins in the rope */
};

struct body {
	uint32_t refs;
	uint32_t kind;
	uint64_t size;
	union {
		char *bytes; /* own allocation, or `inlined` */
		uint64_t seed;
		struct piece *pieces;
	};
	size_t count; /* of pieces */
	char inlined[];
};

/* Up to here the bytes sit behind the struct: one allocation an object. */
#define INLINE_MAX 4096

static uint64_t held;

static struct body *body_alloc(enum body_kind kind, uint64_t size, size_t extra)
{
	struct body *body = malloc(sizeof(*body) + extra);

	if (body)
		*body = (struct body){.refs = 1, .kind = kind, .size = size};
	return body;
}

struct body *body_of_buf(struct buf *b)
{
	size_t n = b->len;
	struct body *body = b->failed ? NULL : body_alloc(BODY_BYTES, n, n <= INLINE_MAX ? n : 0);

	if (!body)
		goto out;
	held += n;
	if (n <= INLINE_MAX) {
		if (n)
			memcpy(body->inlined, b->p, n);
		body->bytes = body->inlined;
	} else {
		body->bytes = b->p;
		*b = (struct buf){0};
	}
out:
	buf_release(b);
	return body;
}

struct body *body_zero(uint64_t size)
{
	return body_alloc(BODY_ZERO, size, 0);
}

struct body *body_seed(uint64_t seed, uint64_t size)
{
	struct body *body = body_alloc(BODY_SEED, size, 0);

	if (body)
		body->seed = seed;
	return body;
}

/* The pieces of `base` between two offsets, appended; references are taken by the caller at the end. */
static void rope_append(struct body *rope, struct body *base, uint64_t offset, uint64_t size)
{
	if (base->kind != BODY_ROPE) {
		rope->pieces[rope->count++] = (struct piece){base, offset, rope->size};
		rope->size += size;
		return;
	}
	for (size_t i = 0; i < base->count && size; i++) {
		const struct piece *piece = &base->pieces[i];
		uint64_t end = i + 1 < base->count ? base->pieces[i + 1].at : base->size;
		uint64_t n;

		if (offset >= end)
			continue;
		n = end - offset < size ? end - offset : size;
		rope->pieces[rope->count++] =
			(struct piece){piece->body, piece->offset + (offset - piece->at), rope->size};
		rope->size += n;
		offset += n;
		size -= n;
	}
}

static struct body *rope_alloc(size_t pieces)
{
	struct body *rope = body_alloc(BODY_ROPE, 0, 0);

	if (!rope)
		return NULL;
	rope->pieces = calloc(pieces ? pieces : 1, sizeof(*rope->pieces));
	if (!rope->pieces) {
		free(rope);
		return NULL;
	}
	return rope;
}

/* All zeros stays one ZERO body, however it was put together. */
static struct body *rope_finish(struct body *rope)
{
	bool zero = true;

	for (size_t i = 0; i < rope->count; i++) {
		body_ref(rope->pieces[i].body);
		zero = zero && rope->pieces[i].body->kind == BODY_ZERO;
	}
	if (zero) {
		uint64_t size = rope->size;

		body_unref(rope);
		return body_zero(size);
	}
	return rope;
}

static size_t piece_count(const struct body *body)
{
	return body->kind == BODY_ROPE ? body->count : 1;
}

struct body *body_slice(struct body *base, uint64_t offset, uint64_t size)
{
	struct body *rope;

	if (offset == 0 && size == base->size)
		return body_ref(base);
	if (base->kind == BODY_ZERO)
		return body_zero(size);
	rope = rope_alloc(piece_count(base));
	if (!rope)
		return NULL;
	rope_append(rope, base, offset, size);
	return rope_finish(rope);
}

struct body *body_concat(struct body *const *parts, size_t count)
{
	size_t pieces = 0;
	struct body *rope;

	for (size_t i = 0; i < count; i++)
		pieces += piece_count(parts[i]);
	rope = rope_alloc(pieces);
	if (!rope)
		return NULL;
	for (size_t i = 0; i < count; i++)
		rope_append(rope, parts[i], 0, parts[i]->size);
	return rope_finish(rope);
}

struct body *body_ref(struct body *body)
{
	body->refs++;
	return body;
}

void body_unref(struct body *body)
{
	if (!body || --body->refs)
		return;
	if (body->kind == BODY_ROPE) {
		for (size_t i = 0; i < body->count; i++)
			body_unref(body->pieces[i].body);
		free(body->pieces);
	} else if (body->kind == BODY_BYTES) {
		held -= body->size;
		if (body->bytes != body->inlined)
			free(body->bytes);
	}
	free(body);
}

uint64_t body_size(const struct body *body)
{
	return body->size;
}

const char *body_flat(const struct body *body)
{
	return body->kind == BODY_BYTES ? body->bytes : NULL;
}

/* splitmix64 (Steele, Lea, Flood 2014), addressed by position: word i of a seed's text. */
static uint64_t seed_word(uint64_t seed, uint64_t i)
{
	uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Lines of 63 letters and a newline, so that seeded objects are texts. */
static void seed_fill(const struct body *body, uint64_t offset, char *out, size_t n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz .,ABCD";
	uint64_t word = 0, have = UINT64_MAX;

	for (size_t i = 0; i < n; i++) {
		uint64_t at = offset + i;

		if (at / 8 != have) {
			have = at / 8;
			word = seed_word(body->seed, have);
		}
		out[i] = at % 64 == 63 ? '\n' : letters[(word >> (at % 8 * 8)) & 31];
	}
}

static size_t rope_read(const struct body *rope, uint64_t offset, char *out, size_t n)
{
	size_t low = 0, high = rope->count, done = 0;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (rope->pieces[middle].at <= offset)
			low = middle;
		else
			high = middle;
	}
	for (; low < rope->count && done < n; low++) {
		const struct piece *piece = &rope->pieces[low];
		uint64_t end = low + 1 < rope->count ? rope->pieces[low + 1].at : rope->size;
		uint64_t at = offset + done;
		size_t want = n - done < end - at ? n - done : (size_t)(end - at);

		done += body_read(piece->body, piece->offset + (at - piece->at), out + done, want);
	}
	return done;
}

size_t body_read(const struct body *body, uint64_t offset, char *out, size_t n)
{
	if (offset >= body->size)
		return 0;
	if (n > body->size - offset)
		n = (size_t)(body->size - offset);
	switch (body->kind) {
	case BODY_BYTES:
		memcpy(out, body->bytes + offset, n);
		break;
	case BODY_ZERO:
		memset(out, 0, n);
		break;
	case BODY_SEED:
		seed_fill(body, offset, out, n);
		break;
	default:
		return rope_read(body, offset, out, n);
	}
	return n;
}

void body_md5(const struct body *body, unsigned char out[MD5_LEN])
{
	char part[16384];
	uint64_t at = 0;

	hash_md5_start();
	if (body->kind == BODY_ZERO && body->size > 0) {
		hash_md5_more("zero", 4);
		hash_md5_more(&body->size, sizeof(body->size));
	} else if (body->kind == BODY_BYTES) {
		hash_md5_more(body->bytes, body->size);
	} else {
		while (at < body->size) {
			size_t n = body_read(body, at, part, sizeof(part));

			hash_md5_more(part, n);
			at += n;
		}
	}
	hash_md5_end(out);
}

uint64_t body_bytes_held(void)
{
	return held;
}
