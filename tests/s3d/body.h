/*
 * The bytes of an object, refcounted and never changed once made, so that a copy costs no bytes.
 *
 * kinds:
 *   BYTES   held in memory
 *   ZERO    `size` zeros, nothing held (a sparse object)
 *   SEED    pseudo-random text made from a seed when read, nothing held
 *   ROPE    pieces of other bodies in a row (multipart)
 *
 * body_bytes_held() is what all BYTES bodies together hold; the server refuses bodies past --max-bytes.
 * Functions that return a body give the caller one reference; NULL is "no memory".
 */
#ifndef S3D_BODY_H
#define S3D_BODY_H

#include "tests/s3d/buf.h"
#include "tests/s3d/hash.h"

#include <stdint.h>

struct body;

/* Takes the buffer's memory (also on failure) and leaves it empty. */
struct body *body_of_buf(struct buf *b);
struct body *body_zero(uint64_t size);
struct body *body_seed(uint64_t seed, uint64_t size);
/* [offset, offset+size) of base, which must lie in it; keeps a reference to what it needs. */
struct body *body_slice(struct body *base, uint64_t offset, uint64_t size);
/* The bodies one after the other; keeps references. */
struct body *body_concat(struct body *const *parts, size_t count);
struct body *body_ref(struct body *body);
void body_unref(struct body *body);

uint64_t body_size(const struct body *body);
/* The bytes where they lie in memory as one piece, else NULL.  Lent. */
const char *body_flat(const struct body *body);
/* Copies up to n bytes at offset; fewer only at the end. */
size_t body_read(const struct body *body, uint64_t offset, char *out, size_t n);
/* MD5 of the content; of ZERO bodies a fixed value derived from the size (hashing 10 GiB of zeros tells
 * nobody anything). */
void body_md5(const struct body *body, unsigned char out[MD5_LEN]);

uint64_t body_bytes_held(void);

#endif
