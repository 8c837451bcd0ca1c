/*
 * condition: may a write that wants to create only, or to replace one version only, go on after the answer to
 * a HEAD of its destination?
 */
#ifndef FERRYFS_ENGINE_OBJECT_CONDITION_H
#define FERRYFS_ENGINE_OBJECT_CONDITION_H

#include "engine/wire/call.h"

/*
 * 0: it may; -EEXIST: something is there (create only); -ESTALE: another version, or none, is there; or
 * head_error.  if_match: STR_NONE where it creates only.
 */
int condition_check(struct str if_match, int head_error, const struct s3_answer *head);
/* Is this the answer of an enforced If-Match where no object is any more?  (404 has other meanings.) */
bool condition_object_gone(struct str if_match, int error, const struct s3_answer *answer);
/* Milliseconds that go on while this process is stopped or the machine sleeps, as a worker's clock does not:
 * the server goes on, too. */
uint64_t condition_clock_ms(void);
/* Was an object of this Last-Modified made since then (condition_clock_ms), by the server's clock?  Two
 * seconds more count: Last-Modified has whole ones, and the server's clock is an estimate. */
bool condition_is_recent(const struct account *account, int64_t mtime, uint64_t since_ms);
/* HEX{32}, the MD5 of the content unless it is encrypted, or HEX{32}-PARTS: not a probe's. */
bool etag_is_digest(struct str etag);
/* HEX{32} alone: the MD5 of the content, unless it is encrypted with KMS or a customer's key. */
bool etag_is_md5(struct str etag);

#endif
