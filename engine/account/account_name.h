/*
 * account_name: a name of an account for places where it must be found again later and no secret may stand.
 *
 * The service is its URL, or "aws" where the endpoint follows from the region. The identity is "key:ID" for
 * lasting keys (an access key's id is no secret: it is in every presigned URL), "profile:NAME" for temporary
 * ones (their ids change by the hour), and "anonymous".  Any thread.
 */
#ifndef FERRYFS_ENGINE_ACCOUNT_ACCOUNT_NAME_H
#define FERRYFS_ENGINE_ACCOUNT_ACCOUNT_NAME_H

#include "engine/account/account.h"
#include "s3/buf.h"

/* Appends; buf's errors. */
int account_service_name(const struct account *account, struct buf *ret);
int account_who_name(struct account *account, struct buf *ret);

#endif
