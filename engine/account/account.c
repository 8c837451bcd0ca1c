#include "engine/account/account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "engine/account/account_internal.h"

static const char *first_set(const char *a, const char *b)
{
	return a && a[0] ? a : b && b[0] ? b : NULL;
}

static int choose_region(
	struct account *account, const char *option, const struct profile *profile, char *why)
{
	const char *region = first_set(option, first_set(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION")));

	region = first_set(region, first_set(profile->region, "us-east-1"));
	if (strlen(region) > REGION_MAX ||
		strspn(region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "0123456789-_") != strlen(region)) {
		snprintf(why, ACCOUNT_WHY_MAX, "The region is not a region's name.");
		return -EINVAL;
	}
	strcpy(account->region, region);
	return 0;
}

static bool ignores_configured_urls(void)
{
	const char *value = getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");

	return value && strcmp(value, "true") == 0;
}

static int choose_endpoint(
	struct account *account, const char *option, const struct profile *profile, char *why)
{
	const char *url = first_set(option, NULL);
	int error;

	if (!url && !ignores_configured_urls()) {
		url = first_set(getenv("AWS_ENDPOINT_URL_S3"), getenv("AWS_ENDPOINT_URL"));
		url = first_set(url, first_set(profile->endpoint_url_s3, profile->endpoint_url));
	}
	account->by_region = !url;
	error = url ? endpoint_parse(url, &account->endpoint)
		    : endpoint_for_region(
			      account->region, account_settings_variants(profile), &account->endpoint);
	if (error < 0 && url)
		snprintf(why, ACCOUNT_WHY_MAX,
			"The endpoint URL is not one: give http://HOST[:PORT] or "
			"https://HOST[:PORT][/PATH].");
	else if (error < 0)
		snprintf(why, ACCOUNT_WHY_MAX, "There is no AWS endpoint for region %s.", account->region);
	return error;
}

static int choose_addressing(
	struct account *account, const char *option, const struct profile *profile, char *why)
{
	const char *style = first_set(option, first_set(profile->addressing_style, "auto"));

	if (strcmp(style, "auto") == 0)
		account->endpoint.addressing = ADDRESSING_AUTO;
	else if (strcmp(style, "path") == 0)
		account->endpoint.addressing = ADDRESSING_PATH;
	else if (strcmp(style, "virtual") == 0)
		account->endpoint.addressing = ADDRESSING_VIRTUAL;
	else {
		snprintf(why, ACCOUNT_WHY_MAX, "The addressing style is none of auto, path and virtual.");
		return -EINVAL;
	}
	return 0;
}

static int choose_bundle(struct account *account, const struct profile *profile)
{
	const char *path = first_set(getenv("AWS_CA_BUNDLE"), profile->ca_bundle);

	if (!path)
		return 0;
	account->ca_bundle = strdup(path);
	return account->ca_bundle ? 0 : -ENOMEM;
}

int account_publish(struct account *account, const struct credentials *credentials)
{
	struct credentials *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *credentials;
	atomic_store_explicit(&account->credentials, copy, memory_order_release);
	return 0;
}

static void drop_credentials(struct credentials *credentials)
{
	if (!credentials)
		return;
	credentials_wipe(credentials);
	free(credentials);
}

static void account_free(struct account *account)
{
	drop_credentials(atomic_load(&account->credentials));
	for (unsigned i = 0; i < ACCOUNT_KEPT_MAX; i++)
		drop_credentials(account->kept[i]);
	for (unsigned i = 0; i < account->region_count; i++)
		free(account->regions[i].bucket);
	account_source_release(&account->source);
	free(account->ca_bundle);
	pthread_mutex_destroy(&account->renew_lock);
	pthread_mutex_destroy(&account->region_lock);
	free(account);
}

static int open_into(struct account *account, const struct account_options *options,
	struct account_found *found, char *why)
{
	int error = account_source_init(&account->source, options, why);

	if (error == 0)
		error = account_source_read(&account->source, found, why);
	if (error == 0)
		error = choose_region(account, options->region, &found->profile, why);
	if (error == 0)
		error = choose_endpoint(account, options->endpoint_url, &found->profile, why);
	if (error == 0)
		error = choose_addressing(account, options->addressing, &found->profile, why);
	if (error == 0)
		error = choose_bundle(account, &found->profile);
	account->from_environment = found->from_environment;
	if (error == 0)
		account_settings_warn(&found->profile, account->by_region);
	if (error == 0)
		error = account_publish(account, &found->credentials);
	return error;
}

static atomic_uint_least64_t last_serial;

struct account *account_alloc(void)
{
	struct account *account = calloc(1, sizeof(*account));

	if (!account)
		return NULL;
	account->serial = atomic_fetch_add(&last_serial, 1) + 1;
	atomic_init(&account->refs, 1);
	pthread_mutex_init(&account->renew_lock, NULL);
	pthread_mutex_init(&account->region_lock, NULL);
	return account;
}

int account_open(const struct account_options *options, struct account **ret, char *why)
{
	struct account *account = account_alloc();
	struct account_found *found = calloc(1, sizeof(*found));
	int error = -ENOMEM;

	why[0] = '\0';
	if (!account || !found)
		goto out;
	account->request_payer = options->request_payer;
	error = open_into(account, options, found, why);
	if (error == 0) {
		*ret = account;
		account = NULL;
	}
out:
	if (error == -ENOMEM)
		snprintf(why, ACCOUNT_WHY_MAX, "Memory is short.");
	if (account)
		account_free(account);
	if (found) {
		credentials_wipe(&found->credentials);
		profile_wipe(&found->profile);
		free(found);
	}
	return error;
}

struct account *account_ref(struct account *account)
{
	atomic_fetch_add_explicit(&account->refs, 1, memory_order_relaxed);
	return account;
}

void account_unref(struct account *account)
{
	if (account && atomic_fetch_sub_explicit(&account->refs, 1, memory_order_acq_rel) == 1)
		account_free(account);
}

uint64_t account_serial(const struct account *account)
{
	return account->serial;
}

bool account_request_payer(const struct account *account)
{
	return account->request_payer;
}

const struct endpoint *account_endpoint(const struct account *account)
{
	return &account->endpoint;
}

const struct endpoint *account_endpoint_for(
	const struct account *account, const char *region, struct endpoint *space)
{
	if (!account->by_region || strcmp(region, account->region) == 0 ||
		endpoint_for_region(region, account->endpoint.variants, space) < 0)
		return &account->endpoint;
	space->addressing = account->endpoint.addressing;
	return space;
}

const char *account_ca_bundle(const struct account *account)
{
	return account->ca_bundle;
}

const struct credentials *account_credentials(struct account *account)
{
	return atomic_load_explicit(&account->credentials, memory_order_acquire);
}

static bool same_credentials(const struct credentials *a, const struct credentials *b)
{
	return a->anonymous == b->anonymous && strcmp(a->access_key, b->access_key) == 0 &&
	       strcmp(a->secret, b->secret) == 0 && strcmp(a->token, b->token) == 0;
}

static int64_t monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Under renew_lock.  A caller that got the old ones a moment ago is done with them long before they are
 * wiped: renewals are some seconds apart. */
static int supersede(struct account *account, const struct credentials *credentials)
{
	struct credentials *old = atomic_load(&account->credentials);
	int error = account_publish(account, credentials);

	if (error < 0)
		return error;
	drop_credentials(account->kept[0]);
	memmove(account->kept, account->kept + 1, sizeof(account->kept) - sizeof(account->kept[0]));
	account->kept[ACCOUNT_KEPT_MAX - 1] = old;
	return 0;
}

int account_renew(struct account *account)
{
	struct account_found *found = calloc(1, sizeof(*found));
	char why[ACCOUNT_WHY_MAX];
	int64_t now = monotonic_s();
	int error = -EAGAIN;

	if (!found)
		return -ENOMEM;
	pthread_mutex_lock(&account->renew_lock);
	if (account->source.fixed)
		error = -EACCES;
	if (account->source.fixed || (account->renewed_s && now - account->renewed_s < ACCOUNT_RENEW_PAUSE_S))
		goto out;
	account->renewed_s = now ? now : 1;
	error = account_source_read(&account->source, found, why);
	if (error == 0 && same_credentials(&found->credentials, atomic_load(&account->credentials)))
		error = -EACCES;
	if (error == 0)
		error = supersede(account, &found->credentials);
	else if (error != -ENOMEM)
		error = -EACCES;
out:
	pthread_mutex_unlock(&account->renew_lock);
	credentials_wipe(&found->credentials);
	profile_wipe(&found->profile);
	free(found);
	return error;
}

bool account_is_like(struct account *a, struct account *b)
{
	const struct credentials *of_a = account_credentials(a), *of_b = account_credentials(b);

	return account_same_service(a, b) && of_a->anonymous == of_b->anonymous &&
	       strcmp(of_a->access_key, of_b->access_key) == 0 && strcmp(a->region, b->region) == 0 &&
	       a->request_payer == b->request_payer && a->endpoint.tls == b->endpoint.tls &&
	       a->endpoint.addressing == b->endpoint.addressing &&
	       a->endpoint.variants == b->endpoint.variants;
}

int account_adopt(struct account *account, struct account *newer)
{
	const struct credentials *credentials = account_credentials(newer);
	int error = 0;

	pthread_mutex_lock(&account->renew_lock);
	if (!same_credentials(credentials, atomic_load(&account->credentials)))
		error = supersede(account, credentials);
	pthread_mutex_unlock(&account->renew_lock);
	return error;
}

bool account_same_service(const struct account *a, const struct account *b)
{
	return endpoint_same(&a->endpoint, &b->endpoint) ||
	       (a->by_region && b->by_region &&
		       strcmp(endpoint_partition(a->region), endpoint_partition(b->region)) == 0);
}

bool account_same(struct account *a, struct account *b)
{
	if (a == b)
		return true;
	return account_same_service(a, b) && same_credentials(account_credentials(a), account_credentials(b));
}
