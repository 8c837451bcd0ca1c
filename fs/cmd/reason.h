/*
 * reason: why something failed, in one sentence for a person.
 *
 * The service's own words come first: "CODE: MESSAGE (request id ID)".  Where it did not answer, libcurl's do,
 * with scheme, host and port of the endpoint that was asked; where what answered is no S3, that is said.  Texts
 * from outside are escaped.  Any thread.
 */
#ifndef FERRYFS_FS_CMD_REASON_H
#define FERRYFS_FS_CMD_REASON_H

#include "engine/account/account.h"
#include "engine/job/job.h"
#include "s3/answer.h"

struct reason {
	int error; /* -errno of the engine */
	int status; /* HTTP; 0: nothing was answered, or it is not known */
	const char *code, *message, *request_id; /* lent; "" or NULL: none */
	const struct account *account; /* who was asked; NULL: its endpoint is left out */
};

struct reason reason_of_answer(int error, const struct s3_answer *answer, const struct account *account);
struct reason reason_of_job(const struct job_error *error, const struct account *account);

int reason_text(struct buf *buf, const struct reason *reason);

/* Does libcurl's message of a failed handshake say that the other side spoke no TLS? */
bool reason_is_no_tls(const char *message);
/* Does the message say that the connection ended inside the handshake?  Some servers of plain HTTP close or reset the
 * connection when they read the first bytes of TLS. */
bool reason_is_broken_handshake(const char *message);

#endif
