/* SPDX-License-Identifier: MIT */
/* http1_stamp.c - the Date and Server fields, rendered once per second (RFC 9110 sections 5.6.7, 6.6.1, 10.2.4).
 *
 * Days become a civil date by counting in years that begin on 1 March, so that the leap day is the last day of
 * a year and month lengths follow one formula; 400 such years always have 146097 days.
 */
#include "bolt/http1_write.h"
#include "http1_scan.h"

#define DAY_S 86400
#define ERA_DAYS 146097          /* 400 years */
#define EPOCH_SHIFT_DAYS 719468  /* 0000-03-01 to 1970-01-01 */
#define LAST_UNIX_S 253402300799 /* 9999-12-31 23:59:59, the last IMF-fixdate */

struct civil_date {
    unsigned year, month, day; /* month and day from 1 */
};

static struct civil_date civil_from_days(int64_t unix_days)
{
    unsigned days = (unsigned)(unix_days + EPOCH_SHIFT_DAYS);
    unsigned era = days / ERA_DAYS;
    unsigned of_era = days % ERA_DAYS;
    /* take out the leap days of 4, 100 and 400 years: what is left are years of 365 days */
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned from_march = (5 * of_year + 2) / 153; /* five months from March have 153 days, twice */
    struct civil_date date;
    date.day = of_year - (153 * from_march + 2) / 5 + 1;
    date.month = from_march < 10 ? from_march + 3 : from_march - 9;
    date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
    return date;
}

static char *put_digits(char *to, unsigned value, unsigned width)
{
    for (unsigned i = width; i-- > 0; value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + width;
}

static char *put_text(char *to, const char *text, size_t len)
{
    memcpy(to, text, len);
    return to + len;
}

/* "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */
static char *put_date(char *to, int64_t unix_s)
{
    static const char weekdays[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t days = unix_s / DAY_S;
    unsigned second = (unsigned)(unix_s % DAY_S);
    struct civil_date date = civil_from_days(days);
    to = put_text(to, "date: ", 6);
    to = put_text(to, weekdays + 3 * (days % 7), 3);
    to = put_text(to, ", ", 2);
    to = put_digits(to, date.day, 2);
    *to++ = ' ';
    to = put_text(to, months + 3 * (date.month - 1), 3);
    *to++ = ' ';
    to = put_digits(to, date.year, 4);
    *to++ = ' ';
    to = put_digits(to, second / 3600, 2);
    *to++ = ':';
    to = put_digits(to, second / 60 % 60, 2);
    *to++ = ':';
    to = put_digits(to, second % 60, 2);
    return put_text(to, " GMT\r\n", 6);
}

void bolt_http1_stamp_update(struct bolt_http1_stamp *stamp, int64_t unix_s, struct bolt_slice server)
{
    if (stamp->len && stamp->unix_s == unix_s)
        return;
    int64_t shown = unix_s < 0 ? 0 : unix_s > LAST_UNIX_S ? LAST_UNIX_S : unix_s;
    char *to = put_date(stamp->text, shown);
    size_t room = sizeof(stamp->text) - (size_t)(to - stamp->text) - (sizeof("server: \r\n") - 1);
    size_t shown_len = server.len < room ? server.len : room;
    if (server.len && bolt_scan_value(server.ptr, server.ptr + shown_len) == server.ptr + shown_len) {
        to = put_text(to, "server: ", 8);
        to = put_text(to, server.ptr, shown_len);
        to = put_text(to, "\r\n", 2);
    }
    stamp->len = (uint16_t)(to - stamp->text);
    stamp->unix_s = unix_s;
}
