/* Intervals of time, see interval.h. */
#include "cmd/interval.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* "3mo" or "2y" as months; false if it is neither. */
static bool parse_months(const char *text, int64_t *months)
{
    char *end;
    if (*text < '1' || *text > '9')
        return false;
    long count = strtol(text, &end, 10);
    bool is_month = strcmp(end, "mo") == 0, is_year = strcmp(end, "y") == 0;
    if ((!is_month && !is_year) || count > 12000)
        return false;
    *months = count * (is_year ? 12 : 1);
    return true;
}

int interval_parse_length(const char *text, struct interval_grid *grid, struct err *e)
{
    grid->length_ns = grid->months = 0;
    if (strcmp(text, "-1") == 0 || parse_months(text, &grid->months))
        return 0;
    int code = parse_duration(text, &grid->length_ns, "--interval", e);
    if (code == 0 && grid->length_ns == 0)
        return err_set(e, WEIR_EUSAGE,
                       "--interval: '%s' is no time at all; write for example 500ms, 10s or 1mo, "
                       "-1 for the whole input",
                       text);
    return code;
}

int interval_parse_align(const char *text, int64_t zone_offset_ns, struct interval_grid *grid,
                         struct err *e)
{
    grid->origin_ns = -zone_offset_ns;
    grid->align = ALIGN_CLOCK;
    if (text == NULL || strcmp(text, "clock") == 0)
        return 0;
    grid->align = ALIGN_FIRST;
    if (strcmp(text, "first") == 0)
        return 0;
    if (grid->months > 0)
        return err_set(
            e, WEIR_EUSAGE,
            "--align: months and years follow the calendar; leave --align out, or give days");
    grid->align = ALIGN_AT;
    return parse_instant(text, &grid->origin_ns, "--align (first, clock or an instant)", e);
}

int interval_parse_zone(const char *text, int64_t *offset_ns, struct err *e)
{
    *offset_ns = 0;
    if (text == NULL || strcmp(text, "UTC") == 0 || strcmp(text, "Z") == 0)
        return 0;
    /* An instant with this offset says how far it is from 1970. */
    struct text instant = { 0 };
    text_format(&instant, "1970-01-01T00:00:00%s", text);
    int64_t ns = 0;
    int code =
        *text == '+' || *text == '-' ? parse_instant(instant.data, &ns, "--tz", NULL) : WEIR_EUSAGE;
    text_fini(&instant);
    if (code != 0)
        return err_set(e, WEIR_EUSAGE, "--tz: '%s' is no offset; write UTC or for example +02:00",
                       text);
    *offset_ns = -ns;
    return 0;
}

void interval_begin(struct interval_grid *grid, int64_t first_ns)
{
    if (grid->align == ALIGN_FIRST && grid->months == 0)
        grid->origin_ns = first_ns;
}

/* Kept within half of int64_t, so that numbers beside it exist: with 1 ns per interval that is
 * +-146 years. */
static int64_t floor_div(__int128 a, int64_t b)
{
    __int128 quotient = a / b - (a % b != 0 && (a < 0) != (b < 0));
    return quotient < INT64_MIN / 2   ? INT64_MIN / 2
           : quotient > INT64_MAX / 2 ? INT64_MAX / 2
                                      : (int64_t)quotient;
}

int64_t interval_index(const struct interval_grid *grid, int64_t time_ns)
{
    __int128 since = (__int128)time_ns - grid->origin_ns;
    if (grid->months == 0)
        return grid->length_ns == 0 ? 0 : floor_div(since, grid->length_ns);
    int64_t year;
    unsigned month, day;
    /* Calendar months count from 1970 in the zone, wherever the clock's origin is. */
    civil_from_days(floor_div(since, 86400 * NS_PER_S), &year, &month, &day);
    return floor_div((year - 1970) * 12 + (int64_t)month - 1, grid->months);
}

int64_t interval_start(const struct interval_grid *grid, int64_t index)
{
    __int128 start;
    if (grid->months == 0) {
        start = (__int128)index * grid->length_ns;
    } else {
        int64_t month = index * grid->months, year = floor_div(month, 12);
        start = (__int128)days_from_civil(1970 + year, (unsigned)(month - year * 12) + 1, 1) *
                86400 * NS_PER_S;
    }
    start += grid->origin_ns;
    return start < INT64_MIN ? INT64_MIN : start > INT64_MAX ? INT64_MAX : (int64_t)start;
}
