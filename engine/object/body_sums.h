/*
 * body_sums: the digests of a body that an upload sends, taken in one pass over the file.
 *
 * SHA-256 is part of the signature.  S3 wants a digest that stands in a header of its own besides: a bucket
 * with Object Lock refuses a PutObject or UploadPart without Content-MD5 or x-amz-checksum-* (AWS,
 * "PutObject").  MD5 is the one that every service knows; Swift, Ceph 16 and MinIO of 2019 know no
 * x-amz-checksum-*.  Where OpenSSL has no MD5 (FIPS) the SHA-256 goes out as x-amz-checksum-sha256 instead.
 *
 * A value.  Any thread; the file is read by pread.
 */
#ifndef FERRYFS_ENGINE_OBJECT_BODY_SUMS_H
#define FERRYFS_ENGINE_OBJECT_BODY_SUMS_H

#include "s3/sign.h"

struct body_sums {
	char sha256[SHA256_HEX + 1]; /* in hex */
	char md5[MD5_BASE64 + 1]; /* in base64; "" where OpenSSL has no MD5 */
	char md5_hex[MD5_HEX + 1]; /* as an ETag has it; "" likewise */
};

/* Of length bytes from start on.  -EIO when the file is shorter, pread's error, -ENOMEM. */
int body_sums_take(struct body_sums *sums, int fd, uint64_t start, uint64_t length);

/* Has OpenSSL an MD5 in this process? */
bool body_sums_has_md5(void);

#endif
