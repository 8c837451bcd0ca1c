/*
 * endpoint: where an S3 service is, and how a bucket is named in its addresses.
 *
 * Made from an endpoint URL, or, where none is given, for AWS from a region (s3.REGION.amazonaws.com, the
 * China and other partitions by region name).  A value: copy it freely.  Pure; any thread.
 *
 * Addressing (AWS, "Virtual hosting of general purpose buckets"): virtual-hosted is used for AWS itself, path
 * style for every other endpoint, for buckets that are no DNS label, and for buckets with dots under TLS,
 * since a wildcard certificate does not cover such a name.  The `addressing` option (auto, path, virtual)
 * overrides.
 */
#ifndef FERRYFS_S3_ENDPOINT_H
#define FERRYFS_S3_ENDPOINT_H

#include "s3/buf.h"

enum {
	ENDPOINT_HOST_MAX = 256,
	REGION_MAX = 64,
	BUCKET_MAX = 255, /* AWS allows 63; older buckets and other servers up to 255 */
};

/* Of AWS's endpoints found by region: hosts with FIPS 140 modules; with IPv6 addresses too. */
enum endpoint_variant { ENDPOINT_FIPS = 1, ENDPOINT_DUALSTACK = 2 };

enum endpoint_addressing { ADDRESSING_AUTO, ADDRESSING_PATH, ADDRESSING_VIRTUAL };

struct endpoint {
	bool tls;
	bool aws; /* made from a region, or an amazonaws.com host */
	unsigned short port; /* 0: the scheme's own */
	enum endpoint_addressing addressing;
	unsigned variants; /* enum endpoint_variant, where it was made from a region */
	char host[ENDPOINT_HOST_MAX]; /* IPv6 with its brackets */
	char path[ENDPOINT_HOST_MAX]; /* "" or "/base" without a trailing slash */
};

/* "http://127.0.0.1:9000", "https://host[/base]".  -EINVAL for another scheme, user info, a query, a bad
 * port. */
int endpoint_parse(const char *url, struct endpoint *ret);

/* The AWS endpoint of a region, in these variants. */
int endpoint_for_region(const char *region, unsigned variants, struct endpoint *ret);
/* The partition of AWS that a region is in: "aws", "aws-cn", "aws-us-gov" ...  Accounts, buckets and keys of
 * one are nothing to another. */
const char *endpoint_partition(const char *region);

/* Is bucket a name that can stand in an address at all: 3 to BUCKET_MAX of A-Za-z0-9._- ? */
bool endpoint_bucket_ok(struct str bucket);

/* Does this bucket go into the host name? */
bool endpoint_virtual(const struct endpoint *endpoint, struct str bucket);

/* Appends the Host header's value for this bucket (STR_NONE for the service itself), with the port unless it
 * is the scheme's own. */
int endpoint_host(const struct endpoint *endpoint, struct str bucket, struct buf *ret);

/* Appends the encoded absolute path of bucket and key (each may be STR_NONE), as it is signed and sent:
 * "/b/a%20b". */
int endpoint_path(const struct endpoint *endpoint, struct str bucket, struct str key, struct buf *ret);

/* Are requests to both sent to the same service (scheme aside)? */
bool endpoint_same(const struct endpoint *a, const struct endpoint *b);

/* "https://host:port/base" for messages and for sameness. */
int endpoint_url(const struct endpoint *endpoint, struct buf *ret);

#endif
