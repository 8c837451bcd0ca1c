#include <curl/curl.h>
#include <errno.h>
#include <strings.h>
#include "s3/when.h"

/* Days are counted from 1970-01-01 by months that begin in March, so that a leap day ends its year (Howard
 * Hinnant, "chrono-Compatible Low-Level Date Algorithms"): some 2 ns, where timegm and gmtime_r take a lock
 * for the zone. */
enum { SECONDS_A_DAY = 86400, DAYS_AN_ERA = 146097, DAYS_TO_1970 = 719468 };

struct civil {
	unsigned year, month, day, hour, minute, second;
};

static const char month_names[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static unsigned month_days(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* -EINVAL for a day or time that no calendar has.  Second 60 is a leap second (RFC 9110) and counts as the
 * next one. */
static int civil_seconds(const struct civil *c, int64_t *ret_sec)
{
	int64_t year, era, year_of_era, day_of_year, days;

	if (c->month < 1 || c->month > 12 || c->day < 1 || c->day > month_days(c->year, c->month))
		return -EINVAL;
	if (c->hour > 23 || c->minute > 59 || c->second > 60)
		return -EINVAL;
	year = (int64_t)c->year - (c->month <= 2);
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * ((c->month + 9) % 12) + 2) / 5 + c->day - 1;
	days = era * DAYS_AN_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
	       DAYS_TO_1970;
	*ret_sec = days * SECONDS_A_DAY + c->hour * 3600 + c->minute * 60 + c->second;
	return 0;
}

/* sec is brought into the years 1970 to 9999, the ones that have four digits. */
static struct civil civil_of(int64_t sec)
{
	const int64_t last = 253402300799; /* 9999-12-31T23:59:59Z */
	struct civil c;
	unsigned days, second, era, day_of_era, year_of_era, day_of_year, month;

	sec = sec < 0 ? 0 : sec > last ? last : sec;
	days = (unsigned)(sec / SECONDS_A_DAY) + DAYS_TO_1970;
	second = (unsigned)(sec % SECONDS_A_DAY);
	era = days / DAYS_AN_ERA;
	day_of_era = days % DAYS_AN_ERA;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	c.day = day_of_year - (153 * month + 2) / 5 + 1;
	c.month = month < 10 ? month + 3 : month - 9;
	c.year = year_of_era + era * 400 + (c.month <= 2);
	c.hour = second / 3600;
	c.minute = second / 60 % 60;
	c.second = second % 60;
	return c;
}

static bool when_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool read_digits(const char *at, unsigned count, unsigned *ret)
{
	unsigned value = 0;

	for (unsigned i = 0; i < count; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		value = value * 10 + (unsigned)(at[i] - '0');
	}
	*ret = value;
	return true;
}

/* "01:02:03" */
static bool read_time(const char *at, struct civil *c)
{
	return read_digits(at, 2, &c->hour) && at[2] == ':' && read_digits(at + 3, 2, &c->minute) &&
	       at[5] == ':' && read_digits(at + 6, 2, &c->second);
}

/* ".000" with one to nine digits; "" is 0. */
static int read_fraction(struct str s, int32_t *ret_nsec)
{
	unsigned nsec;

	if (s.len == 0) {
		*ret_nsec = 0;
		return 0;
	}
	if (s.len < 2 || s.len > 10 || s.data[0] != '.' ||
		!read_digits(s.data + 1, (unsigned)s.len - 1, &nsec))
		return -EINVAL;
	for (size_t digits = s.len - 1; digits < 9; digits++)
		nsec *= 10;
	*ret_nsec = (int32_t)nsec;
	return 0;
}

int when_parse_iso(struct str s, int64_t *ret_sec, int32_t *ret_nsec)
{
	enum { WHOLE = 19 }; /* "2026-11-23T01:02:03" */
	const char *d = s.data;
	struct civil c;
	int32_t nsec;
	int error;

	if (s.len < WHOLE + 1 || s.data[s.len - 1] != 'Z')
		return -EINVAL;
	if (!read_digits(d, 4, &c.year) || d[4] != '-' || !read_digits(d + 5, 2, &c.month) || d[7] != '-' ||
		!read_digits(d + 8, 2, &c.day) || d[10] != 'T' || !read_time(d + 11, &c))
		return -EINVAL;
	error = read_fraction(str_n(d + WHOLE, s.len - WHOLE - 1), &nsec);
	if (error)
		return error;
	error = civil_seconds(&c, ret_sec);
	if (error)
		return error;
	if (ret_nsec)
		*ret_nsec = nsec;
	return 0;
}

int when_parse_http(struct str s, int64_t *ret_sec)
{
	static const char week_days[] = "Mon,Tue,Wed,Thu,Fri,Sat,Sun,";
	const char *d = s.data;
	struct civil c = {0};

	if (s.len != 29 || !str_eq(str_n(d + 25, 4), STR(" GMT")))
		return -EINVAL;
	for (unsigned i = 0; memcmp(d, week_days + i, 4) != 0; i += 4) {
		if (i == 24)
			return -EINVAL;
	}
	for (unsigned i = 0; i < 12; i++) {
		if (memcmp(d + 8, month_names[i], 3) == 0)
			c.month = i + 1;
	}
	if (d[4] != ' ' || !read_digits(d + 5, 2, &c.day) || d[7] != ' ' || d[11] != ' ' ||
		!read_digits(d + 12, 4, &c.year) || d[16] != ' ' || !read_time(d + 17, &c))
		return -EINVAL;
	return civil_seconds(&c, ret_sec);
}

/* ---- the forms of other services ---- */

/* The ".123456" after the seconds of s, or an empty slice at its end. */
static struct str find_fraction(struct str s)
{
	for (size_t i = 1; i + 1 < s.len; i++) {
		size_t end = i + 1;

		if (s.data[i] != '.' || !when_is_digit(s.data[i - 1]))
			continue;
		while (end < s.len && when_is_digit(s.data[end]))
			end++;
		if (end > i + 1)
			return str_n(s.data + i, end - i);
	}
	return str_n(s.data + s.len, 0);
}

/* "Z", "+01:00", "-0130", "" (UTC): seconds to take off. */
static int read_zone(struct str s, int64_t *ret_off)
{
	unsigned hours, minutes;
	bool colon = s.len == 6;

	*ret_off = 0;
	if (s.len == 0 || str_eq(s, STR("Z")) || str_eq(s, STR("z")))
		return 0;
	if ((s.len != 5 && !colon) || (s.data[0] != '+' && s.data[0] != '-') || (colon && s.data[3] != ':'))
		return -EINVAL;
	if (!read_digits(s.data + 1, 2, &hours) || !read_digits(s.data + (colon ? 4 : 3), 2, &minutes) ||
		hours > 23 || minutes > 59)
		return -EINVAL;
	*ret_off = (hours * 60 + minutes) * 60;
	if (s.data[0] == '-')
		*ret_off = -*ret_off;
	return 0;
}

/* "2026-11-23T01:02:03" and "2026-11-23 01:02:03", with any zone; the fraction was taken out. */
static int parse_iso_like(const char *text, int64_t *ret_sec)
{
	enum { WHOLE = 19 };
	char plain[WHOLE + 2];
	struct str s = str_of(text);
	int64_t off;

	if (s.len < WHOLE || !strchr("Tt ", text[10]) || read_zone(str_skip(s, WHOLE), &off) < 0)
		return -EINVAL;
	memcpy(plain, text, WHOLE);
	plain[10] = 'T';
	plain[WHOLE] = 'Z';
	int error = when_parse_iso(str_n(plain, WHOLE + 1), ret_sec, NULL);

	if (error == 0)
		*ret_sec -= off;
	return error;
}

int when_parse(struct str s, int64_t *ret_sec, int32_t *ret_nsec)
{
	char text[64]; /* the longest form, with nine digits of a fraction, has 45 */
	struct str fraction;
	int32_t nsec = 0;
	time_t seconds;

	if (when_parse_iso(s, ret_sec, ret_nsec) == 0)
		return 0;
	while (s.len && s.data[s.len - 1] == ' ')
		s.len--;
	fraction = find_fraction(s);
	if (s.len == 0 || s.len - fraction.len >= sizeof(text) || memchr(s.data, '\0', s.len))
		return -EINVAL;
	size_t before = (size_t)(fraction.data - s.data);

	memcpy(text, s.data, before);
	memcpy(text + before, fraction.data + fraction.len, s.len - before - fraction.len);
	text[s.len - fraction.len] = '\0';
	if (fraction.len > 10)
		fraction.len = 10;
	if (fraction.len && read_fraction(fraction, &nsec) < 0)
		return -EINVAL;
	if (parse_iso_like(text, ret_sec) < 0 && when_parse_http(str_of(text), ret_sec) < 0) {
		/* Only a time of day tells a date from other words and numbers that would be taken for
		 * one. */
		seconds = strchr(text, ':') ? curl_getdate(text, NULL) : -1;
		if (seconds == -1)
			return -EINVAL;
		*ret_sec = seconds;
	}
	if (ret_nsec)
		*ret_nsec = nsec;
	return 0;
}

static char *put_digits(char *at, unsigned value, unsigned count)
{
	for (unsigned i = count; i > 0; i--) {
		at[i - 1] = (char)('0' + value % 10);
		value /= 10;
	}
	return at + count;
}

void when_amz(int64_t sec, char ret[17])
{
	struct civil c = civil_of(sec);
	char *at = put_digits(put_digits(put_digits(ret, c.year, 4), c.month, 2), c.day, 2);

	*at++ = 'T';
	at = put_digits(put_digits(put_digits(at, c.hour, 2), c.minute, 2), c.second, 2);
	*at++ = 'Z';
	*at = '\0';
}

void when_iso(int64_t sec, char ret[21])
{
	struct civil c = civil_of(sec);

	memcpy(ret, "0000-00-00T00:00:00Z", 21);
	put_digits(ret, c.year, 4);
	put_digits(ret + 5, c.month, 2);
	put_digits(ret + 8, c.day, 2);
	put_digits(ret + 11, c.hour, 2);
	put_digits(ret + 14, c.minute, 2);
	put_digits(ret + 17, c.second, 2);
}
