/* An account as values, and from them. */
#include <errno.h>
#include <stdlib.h>
#include "engine/account/account_internal.h"

_Static_assert(sizeof(((struct account_resolved *)0)->profile) == PROFILE_NAME_MAX + 1, "profile's bound");

static int account_resolved_copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

int account_export(struct account *account, struct account_resolved *ret)
{
	struct account_source *source = &account->source;
	int error;

	*ret = (struct account_resolved){
		.endpoint = account->endpoint,
		.by_region = account->by_region,
		.request_payer = account->request_payer,
		.from_environment = account->from_environment,
	};
	strcpy(ret->region, account->region);
	pthread_mutex_lock(&account->renew_lock);
	ret->credentials = *account_credentials(account);
	ret->profile_named = source->profile_named;
	ret->no_sign_request = source->no_sign_request;
	strcpy(ret->profile, source->profile);
	error = account_resolved_copy_text(&ret->credentials_path, source->credentials_path);
	if (error == 0)
		error = account_resolved_copy_text(&ret->config_path, source->config_path);
	pthread_mutex_unlock(&account->renew_lock);
	return error < 0 ? error : account_resolved_copy_text(&ret->ca_bundle, account->ca_bundle);
}

int account_from_resolved(const struct account_resolved *resolved, struct account **ret)
{
	struct account *account = account_alloc();
	int error;

	if (!account)
		return -ENOMEM;
	account->endpoint = resolved->endpoint;
	account->by_region = resolved->by_region;
	account->request_payer = resolved->request_payer;
	account->from_environment = resolved->from_environment;
	strcpy(account->region, resolved->region);
	account->source = (struct account_source){
		.profile_named = resolved->profile_named,
		.profile_option = true, /* the environment here is another one's */
		.no_sign_request = resolved->no_sign_request,
		.fixed = resolved->from_environment,
	};
	strcpy(account->source.profile, resolved->profile);
	error = account_resolved_copy_text(&account->source.credentials_path, resolved->credentials_path);
	if (error == 0)
		error = account_resolved_copy_text(&account->source.config_path, resolved->config_path);
	if (error == 0)
		error = account_resolved_copy_text(&account->ca_bundle, resolved->ca_bundle);
	if (error == 0)
		error = account_publish(account, &resolved->credentials);
	if (error < 0)
		account_unref(account);
	else
		*ret = account;
	return error;
}

void account_resolved_release(struct account_resolved *resolved)
{
	credentials_wipe(&resolved->credentials);
	free(resolved->ca_bundle);
	free(resolved->credentials_path);
	free(resolved->config_path);
	*resolved = (struct account_resolved){0};
}
