/*
 * Fuzzes s3:// URLs, what cp and mv make of two of them, endpoint URLs and regions.  The first byte chooses;
 * lines are the texts.
 *
 * A URL that was read and is written again reads the same; an address holds nothing but what may stand in a
 * request line, and decodes to the bucket and key it was made for; a move never goes into its own source.
 */
#include "fs/cmd/address.h"
#include "tests/fuzz/fuzz.h"

enum { SIZE = 1 << 16 };

static void check_s3(const char *text)
{
	struct s3_url url, again;
	struct buf buf;

	memset(&url, 0x5a, sizeof(url));
	again = url;
	if (s3_url_parse(text, &url) != 0) {
		must(memcmp(&url, &again, sizeof(url)) == 0);
		return;
	}
	must(url.key_len == strlen(url.key) && url.key_len <= KEY_MAX);
	must(!url.bucket[0] ? !url.key_len : endpoint_bucket_ok(str_of(url.bucket)));
	buf_init(&buf, SIZE);
	must(buf_addf(&buf, "s3://%s%s%s", url.bucket, url.bucket[0] ? "/" : "", url.key) == 0);
	must(s3_url_parse(buf_text(&buf), &again) == 0);
	must(strcmp(url.bucket, again.bucket) == 0 && strcmp(url.key, again.key) == 0);
	must(str_has_prefix(buf_str(&buf), str_of(text)));
	buf_release(&buf);
}

static bool below(struct str key, struct str prefix)
{
	return str_has_prefix(key, prefix);
}

static void check_places(const char *from, const char *to, bool recursive)
{
	struct address source, destination;
	char why[ADDRESS_WHY_MAX] = "";

	if (address_source(from, recursive, &source, why) != 0) {
		must(why[0] && memchr(why, '\0', sizeof(why)));
		return;
	}
	must(source.bucket[0] && source.key_len == strlen(source.key) && source.key_len <= KEY_MAX + 1);
	must(!recursive || !source.key_len || source.key[source.key_len - 1] == '/');
	must(recursive || source.key_len > 0);
	why[0] = '\0';
	if (address_destination(to, recursive, &source, &destination, why) != 0) {
		must(why[0] && memchr(why, '\0', sizeof(why)));
		return;
	}
	bool one_bucket = strcmp(source.bucket, destination.bucket) == 0;

	must(destination.bucket[0] && destination.key_len == strlen(destination.key));
	must(!recursive || !destination.key_len || destination.key[destination.key_len - 1] == '/');
	must(recursive || (destination.key_len > 0 && destination.key_len <= KEY_MAX));
	must(!one_bucket || !str_eq(address_key(&source), address_key(&destination)));
	if (!recursive)
		return;
	if (one_bucket && below(address_key(&destination), address_key(&source))) {
		must(address_check_move(&source, &destination, true, why) < 0);
		must(str_eq(address_exclude(&source, &destination), address_key(&destination)));
	} else {
		must(address_check_move(&source, &destination, true, why) == 0);
		must(address_exclude(&source, &destination).data == NULL);
	}
}

/* bucket and key: of an address. */
static void check_address(const struct endpoint *endpoint, struct str bucket, struct str key)
{
	struct buf host, path, plain, wanted;

	buf_init(&host, SIZE);
	buf_init(&path, SIZE);
	buf_init(&plain, SIZE);
	buf_init(&wanted, SIZE);
	must(endpoint_host(endpoint, bucket, &host) == 0 && endpoint_path(endpoint, bucket, key, &path) == 0);
	must(strspn(buf_text(&host), "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == host.len);
	must(path.data[0] == '/' && !strpbrk(path.data, " ?#\\\r\n") && strlen(path.data) == path.len);
	buf_add_text(&wanted, endpoint->path);
	if (bucket.data && !endpoint_virtual(endpoint, bucket)) {
		buf_add_char(&wanted, '/');
		buf_add_str(&wanted, bucket);
	} else if (bucket.data) {
		must(str_has_prefix(buf_str(&host), bucket) && host.data[bucket.len] == '.');
		must(endpoint->addressing != ADDRESSING_PATH);
	}
	if (key.data || wanted.len == strlen(endpoint->path))
		buf_add_char(&wanted, '/');
	buf_add_str(&wanted, key);
	must(key_decode(&plain, buf_str(&path), false) == 0 && str_eq(buf_str(&plain), buf_str(&wanted)));
	buf_release(&host);
	buf_release(&path);
	buf_release(&plain);
	buf_release(&wanted);
}

static void check_endpoint(const struct endpoint *endpoint, struct str bucket, struct str key)
{
	struct endpoint again, e = *endpoint;
	struct buf url, second;

	must(e.host[0] && memchr(e.host, '\0', sizeof(e.host)) && memchr(e.path, '\0', sizeof(e.path)));
	must(!e.path[0] || (e.path[0] == '/' && e.path[strlen(e.path) - 1] != '/'));
	must(e.port != (e.tls ? 443 : 80));
	buf_init(&url, SIZE);
	buf_init(&second, SIZE);
	must(endpoint_url(&e, &url) == 0 && endpoint_parse(buf_text(&url), &again) == 0);
	must(endpoint_same(&e, &again) && e.tls == again.tls);
	must(endpoint_url(&again, &second) == 0 && str_eq(buf_str(&url), buf_str(&second)));
	buf_release(&url);
	buf_release(&second);
	for (int i = ADDRESSING_AUTO; i <= ADDRESSING_VIRTUAL; i++) {
		e.addressing = (enum endpoint_addressing)i;
		check_address(&e, STR_NONE, STR_NONE);
		if (!endpoint_bucket_ok(bucket))
			continue;
		check_address(&e, bucket, STR_NONE);
		if (key.len > 0)
			check_address(&e, bucket, key);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct endpoint endpoint;

	if (size < 1 || size > SIZE / 8)
		return 0;
	struct str rest = str_n((const char *)data + 1, size - 1);
	char *first = text_of(next_part(&rest, '\n'));
	struct str bucket = rest, key;
	char *second = text_of(next_part(&bucket, '\n'));

	key = bucket;
	bucket = str_of(second);
	switch (data[0] % 4) {
	case 0:
		check_s3(first);
		check_places(first, second, data[0] & 4);
		break;
	case 1:
		if (endpoint_parse(first, &endpoint) == 0)
			check_endpoint(&endpoint, bucket, key);
		break;
	case 2:
		if (endpoint_for_region(first, 0, &endpoint) == 0) {
			must(endpoint.tls && endpoint.aws);
			check_endpoint(&endpoint, bucket, key);
		}
		break;
	default:
		check_s3(first);
		check_places(second, first, data[0] & 4);
	}
	free(first);
	free(second);
	return 0;
}
