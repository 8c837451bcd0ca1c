/*
 * object_option: what the objects that a command or a mount makes are to have: storage class, encryption, ACL.
 *
 * Commands take them as --sse-kms-key-id ID, mounts as -o sse_kms_key_id=ID: object_option takes either
 * spelling, checks the value before any request, and keeps it as the header that says so to S3.  Pure; any
 * thread.
 */
#ifndef FERRYFS_ENGINE_OBJECT_OBJECT_OPTION_H
#define FERRYFS_ENGINE_OBJECT_OBJECT_OPTION_H

#include "s3/headers.h"

/* Sets storage_class, sse (value NULL: AES256), sse_kms_key_id or acl.  0; -ENOENT: not one of these;
 * -EINVAL: a bad value, with a sentence in why (ACCOUNT_WHY_MAX bytes); headers_set's errors. */
int object_option(struct headers *headers, const char *name, const char *value, char *why);

/* What only all of them together show: a KMS key implies aws:kms.  0; -EINVAL: they contradict each other,
 * with a sentence in why; headers_set's errors. */
int object_options_finish(struct headers *headers, char *why);

/* The header of a mount's object options that comes after *at, which starts as 0; NULL at the end. */
const char *object_option_next_header(unsigned *at);
/* Is this a value that the header may have? */
bool object_option_header_ok(const char *header, struct str value);

/* Is word the value of an option that may also stand alone ("--sse aws:kms")? */
bool object_option_takes_word(const char *name, const char *word);

#endif
