#include "engine/wire/retry.h"

enum { TOKEN = 1000 };

void retry_budget_init(struct retry_budget *budget, uint64_t now_ms)
{
	*budget = (struct retry_budget){.tokens_milli = (uint64_t)RETRY_BUDGET * TOKEN, .at_ms = now_ms};
}

static void add(struct retry_budget *budget, uint64_t milli)
{
	budget->tokens_milli += milli;
	if (budget->tokens_milli > (uint64_t)RETRY_BUDGET * TOKEN)
		budget->tokens_milli = (uint64_t)RETRY_BUDGET * TOKEN;
}

bool retry_budget_take(struct retry_budget *budget, uint64_t now_ms)
{
	if (now_ms > budget->at_ms) {
		add(budget, (now_ms - budget->at_ms) * RETRY_BUDGET_PER_SECOND);
		budget->at_ms = now_ms;
	}
	if (budget->tokens_milli < TOKEN)
		return false;
	budget->tokens_milli -= TOKEN;
	return true;
}

void retry_budget_give(struct retry_budget *budget)
{
	add(budget, TOKEN);
}

static uint64_t longest(unsigned failed, bool slowed)
{
	uint64_t base = slowed ? RETRY_SLOW_BASE_MS : RETRY_BASE_MS;
	uint64_t cap = slowed ? RETRY_SLOW_CAP_MS : RETRY_CAP_MS;
	unsigned doublings = failed ? failed - 1 : 0;
	uint64_t limit = doublings >= 16 ? cap : base << doublings;

	return limit < cap ? limit : cap;
}

unsigned retry_delay(unsigned failed, bool slowed, uint64_t random)
{
	return (unsigned)(random % (longest(failed, slowed) + 1));
}

unsigned retry_delay_empty(uint64_t random)
{
	return RETRY_CAP_MS / 2 + (unsigned)(random % (RETRY_CAP_MS / 2 + 1));
}

uint64_t retry_course_ms(unsigned retries)
{
	uint64_t total = 0;

	for (unsigned i = 1; i <= retries; i++)
		total += longest(i, false) / 2;
	return total;
}

uint64_t retry_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545F4914F6CDD1DULL;
}
