/* Time of the stream, see flow.h. */
#include "flow/flow.h"

static int64_t full_second(int64_t time_ns)
{
    int64_t rest = time_ns % NS_PER_S;
    if (rest < 0)
        rest += NS_PER_S;
    return time_ns >= INT64_MIN + NS_PER_S ? time_ns - rest : INT64_MIN;
}

unsigned flow_clock_run(struct flow_clock *clock, const struct packet_batch *batch, unsigned first, unsigned last, int64_t seen_ns[])
{
    if (!clock->is_started && first < last) {
        flow_clock_turn(clock, &batch->pkt[first]);
        clock->newest_ns = batch->pkt[first].time_ns;
        clock->is_started = true;
    }
    int64_t second = clock->second_ns, newest = clock->newest_ns;
    unsigned i = first;
    for (; i < last; i++) {
        int64_t time = batch->pkt[i].time_ns;
        newest = time > newest ? time : newest;
        seen_ns[i] = time;
        if ((uint64_t)time - (uint64_t)second < (uint64_t)NS_PER_S) /* within the second; wraps when it is before */
            continue;
        if (time > second)
            second = full_second(time);
        else if ((uint64_t)second - (uint64_t)time <= (uint64_t)FLOW_CLOCK_BACK_NS)
            seen_ns[i] = second;
        else
            break;
    }
    clock->second_ns = second;
    clock->newest_ns = newest;
    return i;
}

void flow_clock_turn(struct flow_clock *clock, const struct packet *packet)
{
    clock->second_ns = full_second(packet->time_ns);
}
