/* The list of capture-file formats, and what they share: exact times. */
#include "wire/wire.h"

#define TRACE_FORMAT(name) extern const struct trace_format name##_trace;
#include "wire/traces.def"
#undef TRACE_FORMAT

const struct trace_format *const trace_formats[] = {
#define TRACE_FORMAT(name) &name##_trace,
#include "wire/traces.def"
#undef TRACE_FORMAT
    NULL,
};

const struct trace_format *trace_format_probe(struct bytes head)
{
    for (size_t i = 0; trace_formats[i] != NULL; i++)
        if (trace_formats[i]->probe(head))
            return trace_formats[i];
    return NULL;
}

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

bool trace_time(uint64_t units, bool is_binary, unsigned units_log, int64_t offset_s,
                int64_t *time_ns)
{
    uint64_t seconds = 0, ns = 0;
    if (is_binary) {
        /* The fraction has up to 64 bits, times 10^9 < 2^30: fits 128 bits. Cut, not rounded. */
        uint64_t fraction = units_log >= 64 ? units : units & ((UINT64_C(1) << units_log) - 1);
        seconds = units_log >= 64 ? 0 : units >> units_log;
        ns = units_log >= 128
                 ? 0
                 : (uint64_t)(((unsigned __int128)fraction * 1000000000u) >> units_log);
    } else if (units_log <= 19) {
        uint64_t per_second = power_of_ten(units_log);
        seconds = units / per_second;
        uint64_t fraction = units % per_second;
        ns = units_log <= 9 ? fraction * power_of_ten(9 - units_log)
                            : fraction / power_of_ten(units_log - 9);
    } else if (units_log <= 28) {
        ns = units / power_of_ten(units_log - 9); /* less than a second in all */
    }
    int64_t whole;
    if (seconds > INT64_MAX || __builtin_add_overflow((int64_t)seconds, offset_s, &whole) ||
        __builtin_mul_overflow(whole, NS_PER_S, &whole) ||
        __builtin_add_overflow(whole, (int64_t)ns, &whole))
        return false;
    *time_ns = whole;
    return whole >= -TRACE_TIME_MAX && whole <= TRACE_TIME_MAX;
}
