/*
 * Fuzzes the date forms.  Eight bytes are a time, the rest a text.
 *
 * A time written is a time read; what is read agrees with the C library's calendar.
 */
#include <stdio.h>
#include <time.h>

#include "s3/when.h"
#include "tests/fuzz/fuzz.h"

static void check_time(int64_t sec)
{
	const int64_t last = 253402300799; /* 9999-12-31T23:59:59Z */
	char iso[21], amz[17], plain[64], http[64];
	int64_t bounded = sec < 0 ? 0 : sec > last ? last : sec, again;
	time_t t = (time_t)bounded;
	struct tm tm;
	int32_t nsec = -1;

	when_iso(sec, iso);
	when_amz(sec, amz);
	must(gmtime_r(&t, &tm));
	must(strftime(plain, sizeof(plain), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0 && strcmp(plain, iso) == 0);
	must(strftime(plain, sizeof(plain), "%Y%m%dT%H%M%SZ", &tm) > 0 && strcmp(plain, amz) == 0);
	must(when_parse_iso(str_of(iso), &again, &nsec) == 0 && again == bounded && nsec == 0);
	must(strftime(http, sizeof(http), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
	must(when_parse_http(str_of(http), &again) == 0 && again == bounded);
}

/* What was read, as the C library reads the same digits: year, month from 0, day, hour, minute, second. */
static int64_t seconds_of(const char *text, int month, const int at[5])
{
	struct tm tm = {.tm_mon = month};
	int *const fields[] = {&tm.tm_year, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec};

	for (int i = 0; i < 5; i++)
		must(sscanf(text + at[i], i == 0 ? "%4d" : "%2d", fields[i]) == 1);
	tm.tm_year -= 1900;
	return timegm(&tm);
}

static void check_text(struct str s)
{
	static const int iso_at[] = {0, 8, 11, 14, 17}, http_at[] = {12, 5, 17, 20, 23};
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t sec = 77;
	int32_t nsec = 77;
	char *text = text_of(s);
	int month = 0;

	if (when_parse_iso(s, &sec, &nsec) == 0) {
		must(nsec >= 0 && nsec < 1000000000 && sscanf(text + 5, "%2d", &month) == 1);
		must(sec == seconds_of(text, month - 1, iso_at));
	} else {
		must(sec == 77 && nsec == 77);
	}
	sec = 77;
	if (when_parse_http(s, &sec) == 0) {
		char name[4] = {text[8], text[9], text[10], '\0'};

		must(sec == seconds_of(text, (int)(strstr(months, name) - months) / 3, http_at));
	} else {
		must(sec == 77);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t sec = 0;

	if (size < 8)
		return 0;
	for (int i = 0; i < 8; i++)
		sec = sec << 8 | data[i];
	check_time((int64_t)sec);
	check_time((int64_t)(sec % 253402300800));
	check_text(str_n((const char *)data + 8, size - 8));
	return 0;
}
