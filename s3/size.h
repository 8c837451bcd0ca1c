/*
 * size: bytes as people write them, 8388608, 8M or 8MiB.
 */
#ifndef FERRYFS_S3_SIZE_H
#define FERRYFS_S3_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* A decimal number, then nothing or one of K, M, G and T (of 1,024), with or without "iB", in any case.
 * False, and *ret as it was, for anything else and for numbers past 64 bits. */
bool size_parse(const char *text, uint64_t *ret);

#endif
