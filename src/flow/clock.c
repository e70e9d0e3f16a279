/* Time of the stream, see flow.h. */
#include "flow/flow.h"

static int64_t full_second(int64_t time_ns)
{
    int64_t rest = time_ns % NS_PER_S;
    if (rest < 0)
        rest += NS_PER_S;
    return time_ns >= INT64_MIN + NS_PER_S ? time_ns - rest : INT64_MIN;
}

/* Are all packets [first, last) within the second that runs? Then that is all there is to do. */
static bool is_within(struct flow_clock *clock, const struct packet_batch *batch, unsigned first,
                      unsigned last)
{
    uint64_t outside = 0;
    int64_t newest = clock->newest_ns;
    for (unsigned i = first; i < last; i++) {
        int64_t time = batch->pkt[i].time_ns;
        outside |= (uint64_t)time - (uint64_t)clock->second_ns >=
                   (uint64_t)NS_PER_S; /* wraps when it is before */
        newest = time > newest ? time : newest;
    }
    clock->newest_ns = newest;
    return outside == 0;
}

unsigned flow_clock_run(struct flow_clock *clock, const struct packet_batch *batch, unsigned first,
                        unsigned last, int64_t seen_ns[], bool *is_plain)
{
    if (!clock->is_started && first < last) {
        flow_clock_turn(clock, &batch->pkt[first]);
        clock->newest_ns = batch->pkt[first].time_ns;
        clock->is_started = true;
    }
    *is_plain = is_within(clock, batch, first, last);
    if (*is_plain)
        return last;
    int64_t second = clock->second_ns;
    unsigned i = first;
    for (; i < last; i++) {
        int64_t time = batch->pkt[i].time_ns;
        seen_ns[i] = time;
        if (time >= second)
            second =
                (uint64_t)time - (uint64_t)second < (uint64_t)NS_PER_S ? second : full_second(time);
        else if ((uint64_t)second - (uint64_t)time <= (uint64_t)FLOW_CLOCK_BACK_NS)
            seen_ns[i] = second;
        else
            break;
    }
    clock->second_ns = second;
    return i;
}

void flow_clock_turn(struct flow_clock *clock, const struct packet *packet)
{
    clock->second_ns = full_second(packet->time_ns);
}
