/*
 * Fuzzes header lines.  The first byte: bit 0 chooses between a list of headers and an answer's; the others
 * what is asked of it.  Then lines, as a server sends them.
 *
 * A list holds what was put into it, by a simpler list beside it; an answer's fields are within their bounds,
 * hold only what may go into a later request, and do not depend on how lines end.
 */
#include <errno.h>
#include <strings.h>

#include "s3/answer.h"
#include "tests/fuzz/fuzz.h"

/* ---- a list ---- */

struct pair {
	struct str name, value;
};

static struct pair model[HEADERS_MAX + 1];
static unsigned model_count;

static struct str trim(struct str s)
{
	while (s.len && strchr(" \t", s.data[0]) && s.data[0])
		s = str_skip(s, 1);
	while (s.len && strchr(" \t", s.data[s.len - 1]) && s.data[s.len - 1])
		s.len--;
	return s;
}

static bool same_name(struct str a, struct str b)
{
	return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

static void model_remove(struct str name)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < model_count; i++) {
		if (!same_name(model[i].name, name))
			model[kept++] = model[i];
	}
	model_count = kept;
}

static void check_list(const struct headers *list)
{
	struct str name, value;
	unsigned i = 0;

	must(list->count == model_count && list->count <= HEADERS_MAX && list->text.len <= HEADERS_BYTES_MAX);
	for (size_t at = 0; headers_next(list, &at, &name, &value); i++) {
		must(i < model_count && same_name(name, model[i].name) && str_eq(value, model[i].value));
		for (size_t c = 0; c < name.len; c++)
			must(name.data[c] > ' ' && (name.data[c] < 'A' || name.data[c] > 'Z'));
		must(!strpbrk(value.data, "\r\n"));
		must(headers_get(list, model[i].name).data != NULL);
	}
	must(i == model_count);
}

static void one_change(struct headers *list, struct str name, struct str value, bool set)
{
	int result = set ? headers_set(list, name, value) : headers_add(list, name, value);

	must(result == 0 || result == -EINVAL || result == -EOVERFLOW);
	if (result != 0)
		return;
	if (set)
		model_remove(name);
	if (value.data)
		model[model_count++] = (struct pair){name, trim(value)};
	struct str first = headers_get(list, name);

	must(!value.data ? !first.data : !set || str_eq(first, trim(value)));
}

static void fuzz_list(struct str rest, bool removes)
{
	struct headers list, copy;

	headers_init(&list);
	headers_init(&copy);
	model_count = 0;
	while (rest.len) {
		struct str line = next_part(&rest, '\n');
		bool set = line.len && line.data[0] == '!';
		struct str value = set ? str_skip(line, 1) : line, name = next_part(&value, ':');

		if (set && removes && value.len == 0)
			value = STR_NONE;
		if (value.data || set)
			one_change(&list, name, value, set);
	}
	check_list(&list);
	must(headers_add_all(&copy, &list) == 0);
	check_list(&copy);
	headers_clear(&list);
	must(!headers_get(&list, STR("a")).data && list.count == 0);
	headers_release(&list);
	headers_release(&copy);
}

/* ---- an answer ---- */

static struct answer_parser *parser;
static struct headers found[2];

static bool is_plain(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '"')
			return false;
	}
	return len < size;
}

static int read_head(const struct s3_request *request, struct str rest, const char *end_of_line, int which,
	struct s3_answer *answer)
{
	struct s3_sinks sinks = {.headers = &found[which]};
	struct buf line;

	buf_init(&line, 1 << 16);
	headers_clear(&found[which]);
	answer_parser_begin(parser, request, answer, &sinks);
	answer_parser_header(parser, "HTTP/1.1 200 OK", 15);
	while (rest.len) {
		struct str text = next_part(&rest, '\n');

		while (text.len && text.data[text.len - 1] == '\r')
			text.len--;
		buf_clear(&line);
		must(buf_add_str(&line, text) == 0 && buf_add_text(&line, end_of_line) == 0);
		answer_parser_header(parser, buf_text(&line), line.len);
	}
	buf_release(&line);
	return answer_parser_end(parser);
}

static void check_answer(const struct s3_answer *answer)
{
	struct str name, value;

	must(answer->status >= 0 && answer->status <= 999);
	must(is_plain(answer->etag, sizeof(answer->etag)));
	must(is_plain(answer->version_id, sizeof(answer->version_id)));
	must(is_plain(answer->storage_class, sizeof(answer->storage_class)));
	must(is_plain(answer->region, sizeof(answer->region)) && !strpbrk(answer->region, "/.:@?#"));
	must(strnlen(answer->request_id, sizeof(answer->request_id)) < sizeof(answer->request_id));
	must(answer->retry_after >= -1 && answer->retry_after <= 86400 && answer->tag_count <= 10000);
	for (size_t at = 0; headers_next(&found[0], &at, &name, &value);)
		must(headers_is_object(name));
}

static void fuzz_answer(struct str rest, unsigned asked)
{
	struct s3_request request = {.op = asked & 1 ? S3_HEAD_OBJECT : S3_GET_OBJECT,
		.range_start = asked & 2 ? 7 : 0,
		.range_length = asked & 4 ? 5 : 0};
	struct s3_answer one, two;

	if (!parser) {
		must(answer_parser_new(&parser) == 0);
		headers_init(&found[0]);
		headers_init(&found[1]);
	}
	int result = read_head(&request, rest, "\r\n", 0, &one);

	must(result == 0 || result == -EBADMSG);
	must(read_head(&request, rest, "", 1, &two) == result);
	check_answer(&one);
	must(one.status == two.status && one.size == two.size && one.mtime == two.mtime);
	must(strcmp(one.etag, two.etag) == 0 && one.retry_after == two.retry_after && one.date == two.date);
	must(str_eq(buf_str(&found[0].text), buf_str(&found[1].text)));
	if (result == 0 && one.status == 206 && request.op == S3_GET_OBJECT)
		must(one.range_start < one.size && one.range_start == (asked & 4 ? request.range_start : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 1 << 15)
		return 0;
	struct str rest = str_n((const char *)data + 1, size - 1);

	if (data[0] & 1)
		fuzz_list(rest, data[0] & 2);
	else
		fuzz_answer(rest, data[0] >> 1);
	return 0;
}
