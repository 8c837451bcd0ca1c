/*
 * Fuzzes the control socket's requests.
 *
 * What is refused has a sentence; what is understood is written as a line that is understood as the same.
 */
#include "fs/control/control.h"
#include "tests/fuzz/fuzz.h"

static void write_again(const struct control_request *request)
{
	struct control_request again;
	struct buf first, second;
	char why[ACCOUNT_WHY_MAX] = "";

	buf_init(&first, 8 * CONTROL_LINE_MAX);
	buf_init(&second, 8 * CONTROL_LINE_MAX);
	must(control_format(request, &first) == 0);
	must(first.len > 1 && memchr(first.data, '\n', first.len) == first.data + first.len - 1);
	/* Escapes may make it longer than what came. */
	if (first.len <= CONTROL_LINE_MAX) {
		must(control_parse(first.data, first.len - 1, &again, why) == 0);
		must(control_format(&again, &second) == 0);
		must(str_eq(buf_str(&first), buf_str(&second)));
		control_request_release(&again);
	}
	buf_release(&first);
	buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_request request;
	char why[ACCOUNT_WHY_MAX] = "";

	if (control_parse((const char *)data, size, &request, why) == 0)
		write_again(&request);
	else
		must(why[0] && memchr(why, '\0', sizeof(why)));
	control_request_release(&request);
	return 0;
}
