#include "engine/account/account_name.h"

#include "engine/account/account_internal.h"

int account_service_name(const struct account *account, struct buf *ret)
{
	return account->by_region ? buf_add_text(ret, endpoint_partition(account->region))
				  : endpoint_url(&account->endpoint, ret);
}

int account_who_name(struct account *account, struct buf *ret)
{
	const struct credentials *credentials = account_credentials(account);
	if (credentials->anonymous)
		return buf_add_text(ret, "anonymous");
	if (credentials->token[0] == '\0') {
		buf_add_text(ret, "key:");
		return buf_add_text(ret, credentials->access_key);
	}
	pthread_mutex_lock(&account->renew_lock);
	buf_add_text(ret, "profile:");
	buf_add_text(ret, account->source.profile);
	pthread_mutex_unlock(&account->renew_lock);
	return ret->error;
}
