/*
 * sign: what one signature and one CopyObject on the wire cost, in microseconds.  Prints; asserts nothing of
 * time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "s3/request.h"

enum { ROUNDS = 200000, WARM = 1000 };

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void check(int r, const char *what)
{
	if (r) {
		fprintf(stderr, "%s: %d\n", what, r);
		exit(1);
	}
}

static void bench_signature(struct signer *signer, const struct credentials *credentials)
{
	struct sign_header headers[] = {
		{STR("host"), STR("127.0.0.1:9000")},
		{STR("x-amz-content-sha256"), STR("UNSIGNED-PAYLOAD")},
		{STR("x-amz-copy-source"),
			STR("/source-bucket/a/prefix/of/some/length/object-0000123456.bin")},
		{STR("x-amz-copy-source-if-match"), STR("\"d41d8cd98f00b204e9800998ecf8427e\"")},
		{STR("x-amz-date"), STR("20261123T010203Z")},
	};
	struct sign_input input = {
		.method = STR("PUT"),
		.path = STR("/bucket/another/prefix/of/some/length/object-0000123456.bin"),
		.query = STR(""),
		.headers = headers,
		.header_count = 5,
		.payload = STR("UNSIGNED-PAYLOAD"),
		.region = STR("us-east-1"),
		.service = STR("s3"),
		.now = 1795395723,
	};
	struct buf out;
	double start = 0;

	buf_init(&out, 4096);
	for (int i = 0; i < ROUNDS + WARM; i++) {
		if (i == WARM)
			start = now_us();
		buf_clear(&out);
		check(signer_sign(signer, credentials, &input, &out), "signer_sign");
	}
	printf("signature             %6.2f us\n", (now_us() - start) / ROUNDS);
	start = now_us();
	for (int i = 0; i < ROUNDS / 10; i++) {
		input.now += 86400;
		buf_clear(&out);
		check(signer_sign(signer, credentials, &input, &out), "signer_sign");
	}
	printf("signature, new day    %6.2f us\n", (now_us() - start) / (ROUNDS / 10));
	buf_release(&out);
}

static void bench_copy(struct signer *signer, const struct credentials *credentials)
{
	struct endpoint endpoint;
	struct s3_target target = {
		.endpoint = &endpoint, .credentials = credentials, .region = STR("us-east-1")};
	struct s3_request request = {
		.op = S3_COPY_OBJECT,
		.bucket = STR("bucket"),
		.key = STR("another/prefix of some/length/object-0000123456.bin"),
		.source_bucket = STR("source-bucket"),
		.source_key = STR("a/prefix of some/length/object-0000123456.bin"),
		.source_if_match = STR("d41d8cd98f00b204e9800998ecf8427e"),
	};
	struct s3_wire wire;
	double start = 0;

	check(endpoint_parse("http://127.0.0.1:9000", &endpoint), "endpoint_parse");
	s3_wire_init(&wire);
	for (int i = 0; i < ROUNDS + WARM; i++) {
		if (i == WARM)
			start = now_us();
		check(s3_wire_build(&wire, &request, &target, signer, 1795395723 + i / 10000),
			"s3_wire_build");
	}
	printf("CopyObject, whole     %6.2f us\n", (now_us() - start) / ROUNDS);
	s3_wire_release(&wire);
}

int main(void)
{
	struct credentials credentials = {0};
	struct signer *signer;

	check(credentials_set(&credentials, STR("AKIAIOSFODNN7EXAMPLE"),
		      STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), STR_NONE),
		"credentials_set");
	check(signer_new(&signer), "signer_new");
	bench_signature(signer, &credentials);
	bench_copy(signer, &credentials);
	signer_free(signer);
	return 0;
}
