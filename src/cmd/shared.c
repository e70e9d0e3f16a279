/* What several commands do alike, see shared.h. */
#include "cmd/shared.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_DEFAULT_MAX (UINT64_C(8) << 30)

static int read_side(const char *text, size_t size, int64_t *ns, struct err *e)
{
    char word[64];
    if (size == 0)
        return 0;
    if (size >= sizeof word)
        return err_set(e, WEIR_EUSAGE, "--time: '%s' is no time", text);
    memcpy(word, text, size);
    word[size] = '\0';
    return parse_instant(word, ns, "--time", e);
}

static int range_parse(const char *text, int64_t *from_ns, int64_t *to_ns, struct err *e)
{
    const char *middle = strstr(text, "..");
    if (middle != NULL) {
        int code = read_side(text, (size_t)(middle - text), from_ns, e);
        return code == 0 ? read_side(middle + 2, strlen(middle + 2), to_ns, e) : code;
    }
    /* Dates have dashes too, so the one with a time on both sides parts them. */
    for (const char *dash = strchr(text, '-'); dash != NULL; dash = strchr(dash + 1, '-'))
        if (dash != text && dash[1] != '\0' &&
            read_side(text, (size_t)(dash - text), from_ns, NULL) == 0 &&
            read_side(dash + 1, strlen(dash + 1), to_ns, NULL) == 0)
            return 0;
    return err_set(e, WEIR_EUSAGE,
                   "--time = '%s': write FROM..TO, either may be left out, for example "
                   "2019-09-15T08:00..2019-09-15T09:00",
                   text);
}

int time_range_parse(const char *time, const char *from, const char *to, int64_t *from_ns,
                     int64_t *to_ns, struct err *e)
{
    *from_ns = INT64_MIN;
    *to_ns = INT64_MAX;
    int code = time != NULL ? range_parse(time, from_ns, to_ns, e) : 0;
    if (code == 0 && from != NULL)
        code = parse_instant(from, from_ns, "--from", e);
    if (code == 0 && to != NULL)
        code = parse_instant(to, to_ns, "--to", e);
    return code;
}

uint64_t memory_default(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t quarter =
        pages > 0 && page > 0 ? (uint64_t)pages / 4 * (uint64_t)page : UINT64_C(1) << 30;
    return quarter < MEMORY_DEFAULT_MAX ? quarter : MEMORY_DEFAULT_MAX;
}

static void on_signal(int number)
{
    file_stop = number;
}

const volatile sig_atomic_t *stop_on_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &file_stop;
}

void ledger_say(const struct ledger *ledger, bool has_stats, bool is_quiet)
{
    struct text out = { 0 };
    if (has_stats)
        ledger_table(ledger, &out);
    if (!is_quiet) {
        ledger_line(ledger, &out);
        text_char(&out, '\n');
    }
    if (out.size > 0)
        fwrite(out.data, 1, out.size, stderr);
    text_fini(&out);
}
