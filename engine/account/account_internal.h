/*
 * account_internal: the parts of an account, for account*.c.
 */
#ifndef FERRYFS_ENGINE_ACCOUNT_ACCOUNT_INTERNAL_H
#define FERRYFS_ENGINE_ACCOUNT_ACCOUNT_INTERNAL_H

#include <pthread.h>
#include "engine/account/account.h"
#include "s3/profile.h"

enum {
	ACCOUNT_REGIONS_MAX = 256, /* learnt; past it the oldest is forgotten */
	ACCOUNT_KEPT_MAX = 4, /* superseded credentials that may still be in use */
	ACCOUNT_RENEW_PAUSE_S = 5,
};

/* Where settings come from, so that credentials can be read anew from the same place. */
struct account_source {
	char profile[PROFILE_NAME_MAX + 1];
	bool profile_named; /* by option or environment: then it must exist */
	bool profile_option; /* by option: the environment's keys don't count (as the AWS CLI) */
	bool no_sign_request;
	bool fixed; /* they came from another process's environment: there is nothing to read anew */
	char *credentials_path, *config_path; /* NULL: no home, or the variable was empty */
};

/* The findings. */
struct account_found {
	struct credentials credentials;
	struct profile profile;
	bool from_environment;
};

int account_source_init(struct account_source *source, const struct account_options *options, char *why);
void account_source_release(struct account_source *source);
/* Reads environment and files.  -EACCES, -EINVAL, -ENOENT, -ENOMEM with a sentence in why. */
int account_source_read(struct account_source *source, struct account_found *ret, char *why);

struct account_region_entry {
	char *bucket;
	char region[REGION_MAX + 1];
};

struct account {
	atomic_uint refs;
	uint64_t serial; /* constant */
	struct endpoint endpoint;
	bool request_payer;
	bool from_environment; /* the credentials, at account_open */
	bool by_region; /* the endpoint is AWS's of the default region */
	char region[REGION_MAX + 1];
	char *ca_bundle;
	struct account_source source; /* protected by renew_lock after account_open */

	pthread_mutex_t renew_lock;
	int64_t renewed_s; /* monotonic; protected by renew_lock */
	struct credentials *kept[ACCOUNT_KEPT_MAX]; /* superseded, oldest first; protected by renew_lock */
	_Atomic(struct credentials *) credentials;

	pthread_mutex_t region_lock;
	struct account_region_entry regions[ACCOUNT_REGIONS_MAX]; /* protected by region_lock */
	unsigned region_count, region_next; /* protected by region_lock */
	atomic_uint region_generation;

	_Atomic int64_t clock_offset;
	_Atomic int64_t date_offset; /* of the Date that was seen */
	atomic_bool date_seen;
	atomic_int traits[TRAIT_COUNT];
};

/* account_settings.c: enum endpoint_variant, by the profile and AWS_USE_FIPS_ENDPOINT,
 * AWS_USE_DUALSTACK_ENDPOINT. */
unsigned account_settings_variants(const struct profile *profile);
/* One warning for each setting that is known and has no effect here. */
void account_settings_warn(const struct profile *profile, bool by_region);

/* For account.c and account_resolved.c. */
struct account *account_alloc(void); /* one reference; NULL: memory is short */
int account_publish(struct account *account, const struct credentials *credentials);

#endif
