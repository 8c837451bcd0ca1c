/*
 * account: an endpoint, a region and credentials, and the facts learnt about the service behind it.
 *
 * Reference-counted and shared by all threads; everything below may be called from any thread.  Credentials
 * are found in the order of the AWS CLI: options, environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 * AWS_SESSION_TOKEN, AWS_PROFILE, AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL,
 * AWS_CA_BUNDLE, AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE), then ~/.aws/credentials and ~/.aws/config.
 * AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, or the profile's settings, choose the host where the
 * endpoint is found by region.  A setting that would make another identity act (a role, SSO, a login session,
 * a token) is refused and never passed over for keys that stand beside it.  When a server says ExpiredToken
 * they are read anew from the same place, at most once in some seconds.
 */
#ifndef FERRYFS_ENGINE_ACCOUNT_ACCOUNT_H
#define FERRYFS_ENGINE_ACCOUNT_ACCOUNT_H

#include <stdatomic.h>
#include "s3/credentials.h"
#include "s3/endpoint.h"

struct account_options {
	const char *endpoint_url; /* NULL: environment, profile, AWS by region */
	const char *region;
	const char *profile;
	bool no_sign_request;
	const char *addressing; /* "auto" (NULL), "path", "virtual" */
	bool request_payer; /* the requester pays: said with every request to a bucket */
};

struct account;

enum { ACCOUNT_WHY_MAX = 512 };

/* On failure -EACCES (no credentials found), -EINVAL (an option or file is wrong), -ENOENT (no such profile),
 * -ENOMEM, and one sentence for the user in why (ACCOUNT_WHY_MAX bytes). */
int account_open(const struct account_options *options, struct account **ret, char *why);
struct account *account_ref(struct account *account);
void account_unref(struct account *account);

/* A number of its own for each account of this process, never given twice. */
uint64_t account_serial(const struct account *account);
const struct endpoint *account_endpoint(const struct account *account);
/* Where requests for a bucket of this region go: the account's endpoint, but for AWS found by region the one
 * of that region, made in *space. */
const struct endpoint *account_endpoint_for(
	const struct account *account, const char *region, struct endpoint *space);
bool account_request_payer(const struct account *account);
/* CA bundle the environment or profile names, or NULL. */
const char *account_ca_bundle(const struct account *account);
/* The credentials of now; lent until account_unref, but use at once: renewal supersedes them. */
const struct credentials *account_credentials(struct account *account);
/* Reads them anew; -EAGAIN when that was done a moment ago, -EACCES when they are still the expired ones. */
int account_renew(struct account *account);

/*
 * The findings, as values: an account that one process has opened in its environment, for another one (the
 * daemon) to have.  Renewal there reads the same files and the same profile; credentials from environment
 * variables are never renewed.  Wipe it: it holds the credentials.
 */
struct account_resolved {
	struct endpoint endpoint;
	bool by_region, request_payer, from_environment, profile_named, no_sign_request;
	char region[REGION_MAX + 1];
	char profile[256];
	char *ca_bundle, *credentials_path, *config_path; /* NULL: none; owned */
	struct credentials credentials;
};

/* ret needs account_resolved_release also after a failure (-ENOMEM). */
int account_export(struct account *account, struct account_resolved *ret);
int account_from_resolved(const struct account_resolved *resolved, struct account **ret);
void account_resolved_release(struct account_resolved *resolved);
/* The same access key (or none) for the same service, region and payer: two openings of one account. */
bool account_is_like(struct account *a, struct account *b);
/* Takes the credentials of another opening of the same account, which are newer. */
int account_adopt(struct account *account, struct account *newer);

/* The region requests for bucket are signed for: the one learnt, else the default.  Copies at most
 * REGION_MAX + 1 bytes. */
void account_region(struct account *account, struct str bucket, char *ret);
/* Remembers (bounded table) that bucket is in region. */
void account_learn_region(struct account *account, struct str bucket, struct str region);

/* Seconds to add to our clock to sign requests with the server's: learnt when it refuses ours. */
int64_t account_clock_offset(const struct account *account);
void account_learn_clock(struct account *account, int64_t server_now);

/*
 * The time by the server's clock, to compare with times that it gives (Last-Modified): within two seconds.
 * Learnt from the Date of answers that no cache can have kept, and not used to sign: a proxy that writes a
 * Date of its own must not make signatures wrong.
 */
int64_t account_server_now(const struct account *account);
/* date: of an answer that has just come; quick: its request was sent less than a second ago.  One that is not
 * may have waited somewhere, and its date is only taken where it is later than the time assumed so far. */
void account_see_date(struct account *account, int64_t date, bool quick);

/* Do both reach the same service with the same credentials? */
bool account_same(struct account *a, struct account *b);
/* Same service, with any credentials: can one copy the objects that the other names?  Partitions of AWS are
 * services of their own. */
bool account_same_service(const struct account *a, const struct account *b);

/* How the service treats a condition or feature, learnt on real work. */
enum account_trait {
	TRAIT_COPY_IF_MATCH, /* x-amz-copy-source-if-match */
	TRAIT_DELETE_IF_MATCH, /* ETag in DeleteObjects, If-Match on DELETE */
	TRAIT_DELETE_SET_MATCH, /* NO: a DeleteObjects with an ETag is refused as a whole */
	TRAIT_COPY_CREATE, /* If-None-Match: * on CopyObject's destination */
	TRAIT_PUT_CREATE, /* If-None-Match: * on PutObject */
	TRAIT_PUT_MATCH, /* If-Match on PutObject */
	TRAIT_TAGGING,
	TRAIT_COUNT,
};
enum account_answer { TRAIT_UNKNOWN, TRAIT_YES, TRAIT_NO };
enum account_answer account_trait(const struct account *account, enum account_trait trait);
void account_learn(struct account *account, enum account_trait trait, bool yes);

#endif
