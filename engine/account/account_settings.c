/* Settings of a profile and the environment that are about where and how requests go. */
#include <stdlib.h>
#include <strings.h>
#include "engine/account/account_internal.h"
#include "engine/base/log.h"

/* The environment wins over the profile, as in the AWS CLI. */
static bool is_on(const char *variable, const char *setting)
{
	const char *value = getenv(variable);

	return strcasecmp(value && value[0] ? value : setting, "true") == 0;
}

unsigned account_settings_variants(const struct profile *profile)
{
	return (is_on("AWS_USE_FIPS_ENDPOINT", profile->use_fips) ? ENDPOINT_FIPS : 0) |
	       (is_on("AWS_USE_DUALSTACK_ENDPOINT", profile->use_dualstack) ? ENDPOINT_DUALSTACK : 0);
}

static void warn(const char *name, const char *why)
{
	log_text(LOG_LEVEL_WARNING, "%s: %s", name, why);
}

static void warn_of_variables(void)
{
	static const char *const variables[] = {"AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE",
		"AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION",
		"AWS_S3_USE_ARN_REGION", "AWS_SIGV4A_SIGNING_REGION_SET"};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i]);

		if (value && value[0] && strcasecmp(value, "false") != 0)
			warn(variables[i], "this variable has no effect on ferryfs");
	}
}

void account_settings_warn(const struct profile *profile, bool by_region)
{
	unsigned variants = account_settings_variants(profile);

	for (unsigned i = 0; profile_passed_over(i); i++)
		if (profile->passed_over & 1u << i)
			warn(profile_passed_over(i), "this setting of the profile has no effect on ferryfs");
	warn_of_variables();
	if (variants & ENDPOINT_FIPS && !by_region)
		warn("use_fips_endpoint", "no effect: the endpoint URL that is given is used as it is");
	if (variants & ENDPOINT_DUALSTACK && !by_region)
		warn("use_dualstack_endpoint", "no effect: the endpoint URL that is given is used as it is");
}
