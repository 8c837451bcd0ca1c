#include <errno.h>
#include <stdio.h>
#include "s3/endpoint.h"
#include "s3/key.h"

enum { DNS_LABEL_MAX = 63, PORT_MAX = 65535 };

static bool endpoint_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_alnum(char c)
{
	return endpoint_is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* Copies a host in lower case.  "[...]" may hold the characters of an IPv6 address. */
static int read_host(struct str host, char ret[ENDPOINT_HOST_MAX])
{
	bool v6 = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';

	if (host.len == 0 || host.len >= ENDPOINT_HOST_MAX)
		return -EINVAL;
	for (size_t i = 0; i < host.len; i++) {
		char c = host.data[i];
		bool ok = is_alnum(c) || c == '.' || (v6 ? c == ':' : c == '-' || c == '_');

		if (v6 && (i == 0 || i == host.len - 1))
			ok = true;
		if (!ok)
			return -EINVAL;
	}
	for (size_t i = 0; i < host.len; i++)
		ret[i] = host.data[i] >= 'A' && host.data[i] <= 'Z' ? (char)(host.data[i] - 'A' + 'a')
								    : host.data[i];
	ret[host.len] = '\0';
	return 0;
}

/* ":9000" or "" */
static int read_port(struct str s, bool tls, unsigned short *ret)
{
	unsigned port = 0;

	if (s.len == 0) {
		*ret = 0;
		return 0;
	}
	if (s.len < 2 || s.len > 6 || s.data[0] != ':')
		return -EINVAL;
	for (size_t i = 1; i < s.len; i++) {
		if (!endpoint_is_digit(s.data[i]))
			return -EINVAL;
		port = port * 10 + (unsigned)(s.data[i] - '0');
	}
	if (port == 0 || port > PORT_MAX)
		return -EINVAL;
	/* The scheme's own is left out of the Host header by libcurl, so it must be of the signed one. */
	*ret = port == (tls ? 443 : 80) ? 0 : (unsigned short)port;
	return 0;
}

/* A base path of characters that are signed and sent as they stand. */
static int read_base(struct str path, char ret[ENDPOINT_HOST_MAX])
{
	while (path.len && path.data[path.len - 1] == '/')
		path.len--;
	if (path.len >= ENDPOINT_HOST_MAX)
		return -EINVAL;
	for (size_t i = 0; i < path.len; i++) {
		if (!is_alnum(path.data[i]) && !strchr("/-._~", path.data[i]))
			return -EINVAL;
	}
	if (path.len)
		memcpy(ret, path.data, path.len);
	ret[path.len] = '\0';
	return 0;
}

static bool is_aws_host(const char *host)
{
	struct str s = str_of(host);

	return str_has_suffix(s, STR(".amazonaws.com")) || str_has_suffix(s, STR(".amazonaws.com.cn"));
}

int endpoint_parse(const char *url, struct endpoint *ret)
{
	struct endpoint e = {.addressing = ADDRESSING_AUTO};
	struct str rest = str_of(url);
	size_t authority, host;
	int error;

	e.tls = str_has_prefix(rest, STR("https://"));
	if (!e.tls && !str_has_prefix(rest, STR("http://")))
		return -EINVAL;
	rest = str_skip(rest, e.tls ? 8 : 7);
	authority = strcspn(rest.data, "/?#");
	if (rest.data[0] == '[') {
		const char *bracket = memchr(rest.data, ']', authority);

		host = bracket ? (size_t)(bracket - rest.data) + 1 : authority;
	} else {
		host = strcspn(rest.data, ":/?#");
	}
	error = read_host(str_n(rest.data, host), e.host);
	if (!error)
		error = read_port(str_n(rest.data + host, authority - host), e.tls, &e.port);
	if (!error)
		error = read_base(str_skip(rest, authority), e.path);
	if (error)
		return error;
	e.aws = is_aws_host(e.host);
	*ret = e;
	return 0;
}

struct partition {
	const char *prefix; /* of its regions */
	const char *name, *suffix; /* of its hosts */
};

/* botocore, partitions.json */
static const struct partition *region_partition(const char *region)
{
	static const struct partition partitions[] = {
		{"cn-", "aws-cn", "amazonaws.com.cn"},
		{"us-gov-", "aws-us-gov", "amazonaws.com"},
		{"us-iso-", "aws-iso", "c2s.ic.gov"},
		{"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},
		{"us-isof-", "aws-iso-f", "csp.hci.ic.gov"},
		{"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"},
		{"eusc-", "aws-eusc", "amazonaws.eu"},
		{"", "aws", "amazonaws.com"},
	};
	const struct partition *partition = partitions;

	while (!str_has_prefix(str_of(region), str_of(partition->prefix)))
		partition++;
	return partition;
}

const char *endpoint_partition(const char *region)
{
	return region_partition(region)->name;
}

int endpoint_for_region(const char *region, unsigned variants, struct endpoint *ret)
{
	struct endpoint e = {.tls = true, .aws = true, .addressing = ADDRESSING_AUTO, .variants = variants};
	struct str s = str_of(region);

	if (s.len == 0 || s.len > REGION_MAX)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_lower(s.data[i]) && !endpoint_is_digit(s.data[i]) && s.data[i] != '-')
			return -EINVAL;
	}
	snprintf(e.host, sizeof(e.host), "s3%s%s.%s.%s", variants & ENDPOINT_FIPS ? "-fips" : "",
		variants & ENDPOINT_DUALSTACK ? ".dualstack" : "", region, region_partition(region)->suffix);
	*ret = e;
	return 0;
}

bool endpoint_bucket_ok(struct str bucket)
{
	if (bucket.len < 3 || bucket.len > BUCKET_MAX)
		return false;
	for (size_t i = 0; i < bucket.len; i++) {
		char c = bucket.data[i];

		if (!is_alnum(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

/* AWS, "General purpose bucket naming rules": lower case, digits, hyphens and single dots, letters or digits
 * at each end; no IP address. */
static bool is_host_name(struct str bucket)
{
	bool letter = false;

	if (bucket.len < 3 || bucket.len > DNS_LABEL_MAX)
		return false;
	for (size_t i = 0; i < bucket.len; i++) {
		char c = bucket.data[i];
		bool edge = i == 0 || i == bucket.len - 1 || c == '.' || bucket.data[i - 1] == '.' ||
			    bucket.data[i + 1] == '.';

		if (c == '.' ? i == 0 || i == bucket.len - 1 || bucket.data[i - 1] == '.'
			     : !is_lower(c) && !endpoint_is_digit(c) && (c != '-' || edge))
			return false;
		if (!endpoint_is_digit(c) && c != '.')
			letter = true;
	}
	return letter || !memchr(bucket.data, '.', bucket.len);
}

bool endpoint_virtual(const struct endpoint *endpoint, struct str bucket)
{
	if (endpoint->addressing == ADDRESSING_PATH || !is_host_name(bucket))
		return false;
	if (endpoint->addressing == ADDRESSING_VIRTUAL)
		return true;
	return endpoint->aws && !(endpoint->tls && memchr(bucket.data, '.', bucket.len));
}

static int add_authority(const struct endpoint *endpoint, struct buf *ret)
{
	buf_add_text(ret, endpoint->host);
	if (endpoint->port) {
		buf_add_char(ret, ':');
		buf_add_uint(ret, endpoint->port);
	}
	return ret->error;
}

int endpoint_host(const struct endpoint *endpoint, struct str bucket, struct buf *ret)
{
	if (bucket.data && endpoint_virtual(endpoint, bucket)) {
		buf_add_str(ret, bucket);
		buf_add_char(ret, '.');
	}
	return add_authority(endpoint, ret);
}

int endpoint_path(const struct endpoint *endpoint, struct str bucket, struct str key, struct buf *ret)
{
	bool in_path = bucket.data && !endpoint_virtual(endpoint, bucket);

	buf_add_text(ret, endpoint->path);
	if (in_path) {
		buf_add_char(ret, '/');
		key_encode(ret, bucket, false);
	}
	if (key.data || !in_path)
		buf_add_char(ret, '/');
	return key_encode(ret, key, true);
}

bool endpoint_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0 && strcmp(a->path, b->path) == 0;
}

int endpoint_url(const struct endpoint *endpoint, struct buf *ret)
{
	buf_add_text(ret, endpoint->tls ? "https://" : "http://");
	add_authority(endpoint, ret);
	return buf_add_text(ret, endpoint->path);
}
