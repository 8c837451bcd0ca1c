#include "engine/wire/work_clock.h"

uint64_t clock_turn(struct clock *clock, uint64_t raw_ms, uint64_t waited_ms)
{
	uint64_t gone = clock->raw_ms ? raw_ms - clock->raw_ms : 0;

	if (gone > waited_ms + CLOCK_PAUSE_MS)
		clock->paused_ms += gone - waited_ms;
	clock->raw_ms = raw_ms;
	return raw_ms - clock->paused_ms;
}
