/* stat: options shared by the native form and the tcpstat preset. */
#ifndef WEIR_CMD_STAT_H
#define WEIR_CMD_STAT_H

#include "cmd/packets.h"

struct stat_options {
    struct packets_command common; /* first, see packets.h */
    const char *interval, *align, *zone, *length, *preset;
    bool skips_empty;
    uint64_t slack;
    /* tcpstat's */
    const char *seconds, *bandwidth, *raw_bandwidth;
    bool with_link_header, is_accounting;
};

/* The rules and lines of tcpstat 1.5, spec/tools.md 9.6. */
int stat_run_tcpstat(const struct stat_options *o, const struct option_list *inputs,
                     const char *rest, struct err *e);

#endif
