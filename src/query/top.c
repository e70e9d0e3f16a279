/* weir top: what stands first by a key, as SQL. See query.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "query/question.h"

enum layout {
    LAYOUT_VALUE,  /* one key, columns value, first, ... */
    LAYOUT_MATRIX, /* source and destination */
    LAYOUT_PAIR,   /* both ways between two addresses */
    LAYOUT_CONV,   /* both ways of a 5-tuple */
    LAYOUT_RECORD, /* flow records joined by 5-tuple */
    LAYOUT_ROW,    /* flow records */
};

struct stat {
    enum layout layout;
    struct key key;
    bool is_by_proto;
    const char *order; /* name of a column */
};

static const char *const orders[] = {
    "flows", "packets", "bytes", "pps", "bps", "bpp", "duration"
};

static const struct {
    const char *word;
    enum layout layout;
} layouts[] = { { "matrix", LAYOUT_MATRIX }, { "pair", LAYOUT_PAIR },     { "pairs", LAYOUT_PAIR },
                { "conv", LAYOUT_CONV },     { "record", LAYOUT_RECORD }, { "row", LAYOUT_ROW } };

static const char *const missing[] = { "srcgeo", "dstgeo", "geo",    "ethertype",
                                       "name",   "sni",    "service" };

/* Length of the part before ":p" and "/ORDER"; the N of srcnet/N belongs to it. */
static size_t word_size(const char *text)
{
    size_t size = strcspn(text, ":/");
    if (text[size] == '/' && isdigit((unsigned char)text[size + 1]))
        size += 1 + strspn(text + size + 1, "0123456789");
    return size;
}

static int parse_word(const char *text, size_t size, struct stat *stat, struct err *e)
{
    stat->layout = LAYOUT_VALUE;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (strlen(layouts[i].word) == size && strncasecmp(text, layouts[i].word, size) == 0) {
            stat->layout = layouts[i].layout;
            return 0;
        }
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (strlen(missing[i]) == size && strncasecmp(text, missing[i], size) == 0)
            return err_set(
                e, WEIR_EUSAGE,
                "flow records have no column for '%s'; 'weir schema' shows what they have",
                missing[i]);
    return key_parse(text, size, &stat->key, e);
}

static int parse_stat(const char *text, struct stat *stat, struct err *e)
{
    *stat = (struct stat){ .order = orders[0] };
    size_t size = word_size(text);
    int code = parse_word(text, size, stat, e);
    const char *at = text + size;
    if (code == 0 && strncasecmp(at, ":p", 2) == 0) {
        if (stat->layout != LAYOUT_VALUE)
            return err_set(e, WEIR_EUSAGE,
                           "'%s': ':p' goes with single values, for example srcport:p", text);
        stat->is_by_proto = true;
        at += 2;
    }
    if (code != 0 || *at == '\0')
        return code;
    for (size_t i = 0; i < sizeof orders / sizeof *orders && *at == '/'; i++)
        if (strcasecmp(at + 1, orders[i]) == 0) {
            stat->order = orders[i];
            return 0;
        }
    const char *nearest =
        *at == '/' ? text_nearest(at + 1, orders, sizeof orders / sizeof *orders) : NULL;
    return err_set(e, WEIR_EUSAGE, "'%s': no order '%s'; %s%s%s", text, at + (*at == '/'),
                   nearest ? "did you mean "
                           : "write flows, packets, bytes, pps, bps, bpp or duration",
                   nearest ? nearest : "", nearest ? "?" : "");
}

bool top_is_stat(const char *word)
{
    struct stat stat;
    return strchr(word, '.') == NULL && parse_word(word, word_size(word), &stat, NULL) == 0;
}

/* ---- single values ---- */

/* Records seen from one of their sides: columns value, proto, start, end, flows, packets, bytes,
 * tx_*, rx_*. */
static void put_side(const struct stat *stat, const struct top_options *options, bool is_other,
                     struct text *sql)
{
    const char *value = is_other ? stat->key.other : stat->key.expression,
               *against = stat->key.other;
    const char *sent = is_other ? "rev_" : "", *received = is_other ? "" : "rev_";
    text_format(sql, "SELECT %s AS value, proto, start, \"end\", coalesce(flows, 1) AS counted",
                value);
    for (unsigned i = 0; i < 2; i++) {
        const char *unit = i == 0 ? "packets" : "bytes";
        text_format(sql, ", coalesce(%s%s, 0) + coalesce(%s%s, 0) AS %s", sent, unit, received,
                    unit, unit);
        /* A record from a value to itself is sent and received by it, all of it. */
        text_format(
            sql,
            ", coalesce(%s%s, 0) + CASE WHEN %s = %s THEN coalesce(%s%s, 0) ELSE 0 END AS tx_%s",
            sent, unit, stat->key.expression, against, received, unit, unit);
        text_format(
            sql,
            ", coalesce(%s%s, 0) + CASE WHEN %s = %s THEN coalesce(%s%s, 0) ELSE 0 END AS rx_%s",
            received, unit, stat->key.expression, against, sent, unit, unit);
    }
    text_add(sql, " FROM ");
    question_put_rows(&options->question, sql);
    if (is_other && !options->is_nfdump)
        text_format(sql, " WHERE %s IS DISTINCT FROM %s", stat->key.expression, against);
}

static void put_source(const struct stat *stat, const struct top_options *options, struct text *sql)
{
    text_add(sql, "(");
    switch (stat->key.side) {
    case SIDE_EITHER:
        put_side(stat, options, false, sql);
        text_add(sql, " UNION ALL ");
        put_side(stat, options, true, sql);
        break;
    case SIDE_NONE: /* both directions have the same value */
        text_format(sql,
                    "SELECT %s AS value, proto, start, \"end\", coalesce(flows, 1) AS counted, "
                    "packets + coalesce(rev_packets, 0) AS packets, "
                    "bytes + coalesce(rev_bytes, 0) AS bytes, packets AS tx_packets, bytes AS "
                    "tx_bytes, coalesce(rev_packets, 0) AS "
                    "rx_packets, coalesce(rev_bytes, 0) AS rx_bytes FROM ",
                    stat->key.expression);
        question_put_rows(&options->question, sql);
        break;
    default: {
        bool is_source = stat->key.side == SIDE_SOURCE;
        text_format(sql,
                    "SELECT %s AS value, *, %s AS tx_packets, %s AS tx_bytes, %s AS rx_packets, %s "
                    "AS rx_bytes, ",
                    stat->key.expression, is_source ? "packets" : "0", is_source ? "bytes" : "0",
                    is_source ? "0" : "packets", is_source ? "0" : "bytes");
        question_put_flows(&stat->key, 1, sql);
        text_add(sql, " AS counted FROM ");
        question_put_directed(&options->question, sql);
        break;
    }
    }
    text_add(sql, ")");
}

/* Sums over all records that percentages are of. */
static void put_total(const struct top_options *options, struct text *sql)
{
    text_add(sql, "(SELECT sum(coalesce(flows, 1)) AS all_flows, sum(packets + "
                  "coalesce(rev_packets, 0)) AS all_packets, "
                  "sum(bytes + coalesce(rev_bytes, 0)) AS all_bytes FROM ");
    question_put_rows(&options->question, sql);
    text_add(sql, ")");
}

static void put_counters(struct answer *answer, const struct top_options *options)
{
    answer_put(answer, "first", T_TIME, U_NONE, "first");
    answer_put(answer, "last", T_TIME, U_NONE, "last");
    answer_put(answer, "duration", T_DURATION, U_SECONDS, "duration");
    answer_put(answer, "flows", T_U64, U_FLOWS, "flows::UBIGINT");
    answer_put(answer, "flows_pct", T_F64, U_PERCENT, "(100.0 * flows / all_flows)::DOUBLE");
    answer_put(answer, "packets", T_U64, U_PACKETS, "packets::UBIGINT");
    answer_put(answer, "packets_pct", T_F64, U_PERCENT, "(100.0 * packets / all_packets)::DOUBLE");
    answer_put(answer, "bytes", T_U64, U_OCTETS, "bytes::UBIGINT");
    answer_put(answer, "bytes_pct", T_F64, U_PERCENT, "(100.0 * bytes / all_bytes)::DOUBLE");
    answer_put_rates(answer, options->is_nfdump);
    if (!options->has_sides)
        return;
    answer_put(answer, "tx_packets", T_U64, U_PACKETS, "tx_packets::UBIGINT");
    answer_put(answer, "tx_bytes", T_U64, U_OCTETS, "tx_bytes::UBIGINT");
    answer_put(answer, "rx_packets", T_U64, U_PACKETS, "rx_packets::UBIGINT");
    answer_put(answer, "rx_bytes", T_U64, U_OCTETS, "rx_bytes::UBIGINT");
}

/* " ORDER BY ... DESC, keys LIMIT n" */
static void put_end(const struct stat *stat, const struct top_options *options, const char *keys,
                    struct text *sql)
{
    text_format(sql, " ORDER BY %s DESC NULLS LAST, %s", stat->order, keys);
    if (options->question.row_max > 0)
        text_format(sql, " LIMIT %llu", (unsigned long long)options->question.row_max);
}

static const char sums[] =
    "min(start) AS first, max(\"end\") AS last, epoch_ns(max(\"end\")) - epoch_ns(min(start)) AS "
    "duration, "
    "sum(counted) AS flows, sum(packets) AS packets, sum(bytes) AS bytes, sum(tx_packets) AS "
    "tx_packets, "
    "sum(tx_bytes) AS tx_bytes, sum(rx_packets) AS rx_packets, sum(rx_bytes) AS rx_bytes";

static void put_values(const struct stat *stat, const struct top_options *options,
                       struct answer *answer)
{
    struct text *sql = &answer->sql;
    bool is_address = strncmp(stat->key.sort, "ip_key(", 7) == 0;
    const char *keys = stat->is_by_proto ? "value, proto" : "value";
    if (options->is_distinct) {
        text_add(sql, "SELECT ");
        answer_put(answer, "distinct", T_U64, U_NONE, "count(*)::UBIGINT");
        text_format(sql, " FROM (SELECT DISTINCT %s FROM ", keys);
        put_source(stat, options, sql);
        text_add(sql, ")");
        return;
    }
    text_add(sql, "SELECT ");
    answer_put(answer, "value", stat->key.type, U_NONE, "value");
    if (stat->is_by_proto)
        answer_put(answer, "proto", T_PROTO, U_NONE, "proto");
    put_counters(answer, options);
    text_format(sql, " FROM (SELECT %s, %s FROM ", keys, sums);
    put_source(stat, options, sql);
    text_format(sql, " GROUP BY %s), ", keys);
    put_total(options, sql);
    char sort[64];
    snprintf(sort, sizeof sort, "%s NULLS FIRST%s", is_address ? "ip_key(value)" : "value",
             stat->is_by_proto ? ", proto" : "");
    put_end(stat, options, sort, sql);
}

static void put_matrix(const struct stat *stat, const struct top_options *options,
                       struct answer *answer)
{
    struct text *sql = &answer->sql;
    text_add(sql, "SELECT ");
    if (options->is_distinct) {
        answer_put(answer, "distinct", T_U64, U_NONE, "count(*)::UBIGINT");
        text_add(sql, " FROM (SELECT DISTINCT src, dst FROM ");
        question_put_directed(&options->question, sql);
        text_add(sql, ")");
        return;
    }
    answer_put(answer, "src", T_TEXT, U_NONE, "src");
    answer_put(answer, "dst", T_TEXT, U_NONE, "dst");
    put_counters(answer, &(struct top_options){ .is_nfdump = options->is_nfdump });
    text_add(sql, " FROM (SELECT src, dst, min(start) AS first, max(\"end\") AS last, "
                  "epoch_ns(max(\"end\")) - epoch_ns(min(start)) AS "
                  "duration, sum(CASE WHEN is_reverse AND src = dst THEN 0 ELSE flows END) AS "
                  "flows, sum(packets) AS packets, sum(bytes) AS bytes FROM ");
    question_put_directed(&options->question, sql);
    text_add(sql, " GROUP BY src, dst), ");
    put_total(options, sql);
    put_end(stat, options, "ip_key(src) NULLS FIRST, ip_key(dst) NULLS FIRST", sql);
}

/* ---- both ways ---- */

/*
 * Ends a and b in the order of their texts, which is cheap and one order as good as another while
 * grouping; the rows of the answer are turned into the order of the addresses.
 */
static void put_both_ways(const struct stat *stat, const struct top_options *options,
                          struct answer *answer)
{
    struct text *sql = &answer->sql;
    bool is_conv = stat->layout == LAYOUT_CONV;
    const char *keys = is_conv ? "a, b, port_a, port_b, proto" : "a, b";
    text_add(sql, "SELECT ");
    if (options->is_distinct) {
        answer_put(answer, "distinct", T_U64, U_NONE, "count(*)::UBIGINT");
    } else {
        answer_put(answer, "addr_a", T_TEXT, U_NONE, "CASE WHEN turned THEN b ELSE a END");
        if (is_conv)
            answer_put(answer, "port_a", T_U16, U_NONE,
                       "CASE WHEN turned THEN port_b ELSE port_a END");
        answer_put(answer, "addr_b", T_TEXT, U_NONE, "CASE WHEN turned THEN a ELSE b END");
        if (is_conv) {
            answer_put(answer, "port_b", T_U16, U_NONE,
                       "CASE WHEN turned THEN port_a ELSE port_b END");
            answer_put(answer, "proto", T_PROTO, U_NONE, "proto");
        }
        answer_put(answer, "first", T_TIME, U_NONE, "first");
        answer_put(answer, "last", T_TIME, U_NONE, "last");
        answer_put(answer, "duration", T_DURATION, U_SECONDS, "duration");
        answer_put(answer, "packets_ab", T_U64, U_PACKETS,
                   "(CASE WHEN turned THEN packets_ba ELSE packets_ab END)::UBIGINT");
        answer_put(answer, "bytes_ab", T_U64, U_OCTETS,
                   "(CASE WHEN turned THEN bytes_ba ELSE bytes_ab END)::UBIGINT");
        answer_put(answer, "packets_ba", T_U64, U_PACKETS,
                   "(CASE WHEN turned THEN packets_ab ELSE packets_ba END)::UBIGINT");
        answer_put(answer, "bytes_ba", T_U64, U_OCTETS,
                   "(CASE WHEN turned THEN bytes_ab ELSE bytes_ba END)::UBIGINT");
        answer_put(answer, "packets", T_U64, U_PACKETS, "packets::UBIGINT");
        answer_put(answer, "bytes", T_U64, U_OCTETS, "bytes::UBIGINT");
        answer_put(answer, "flows", T_U64, U_FLOWS, "flows::UBIGINT");
    }
    text_format(
        sql,
        " FROM (SELECT *, packets_ab + packets_ba AS packets, bytes_ab + bytes_ba AS bytes, "
        "ip_key(a) > ip_key(b) AS turned, "
        "CASE WHEN duration > 0 THEN (packets_ab + packets_ba) / duration ELSE 0 END AS pps, "
        "CASE WHEN duration > 0 THEN (bytes_ab + bytes_ba) / duration ELSE 0 END AS bps, "
        "CASE WHEN packets_ab + packets_ba > 0 THEN (bytes_ab + bytes_ba) / (packets_ab + "
        "packets_ba) ELSE 0 END AS bpp "
        "FROM (SELECT %s, min(start) AS first, max(\"end\") AS last, epoch_ns(max(\"end\")) - "
        "epoch_ns(min(start)) AS duration, "
        "sum(CASE WHEN is_ab THEN packets ELSE rev_packets END) AS packets_ab, sum(CASE WHEN is_ab "
        "THEN bytes ELSE rev_bytes END) AS "
        "bytes_ab, sum(CASE WHEN is_ab THEN rev_packets ELSE packets END) AS packets_ba, "
        "sum(CASE WHEN is_ab THEN rev_bytes ELSE bytes END) AS bytes_ba, sum(flows) AS flows FROM "
        "(SELECT ",
        keys);
    text_add(
        sql,
        "CASE WHEN is_ab THEN src ELSE dst END AS a, CASE WHEN is_ab THEN dst ELSE src END AS b, "
        "CASE WHEN is_ab THEN sport ELSE dport END AS port_a, CASE WHEN is_ab THEN dport ELSE "
        "sport END AS port_b, "
        "* FROM (SELECT start, \"end\", proto, src, dst, sport, dport, packets, bytes, "
        "coalesce(rev_packets, 0) AS rev_packets, "
        "coalesce(rev_bytes, 0) AS rev_bytes, coalesce(flows, 1) AS flows, ");
    text_format(sql, "src < dst OR (src = dst AND %s) AS is_ab FROM ",
                is_conv ? "coalesce(sport <= dport, true)" : "true");
    question_put_rows(&options->question, sql);
    text_format(sql, ")) GROUP BY %s))", keys);
    if (!options->is_distinct)
        put_end(stat, options,
                is_conv ? "ip_key(addr_a), port_a, ip_key(addr_b), port_b, proto"
                        : "ip_key(addr_a), ip_key(addr_b)",
                sql);
}

/* ---- records ---- */

static void put_records(const struct stat *stat, const struct top_options *options,
                        struct answer *answer)
{
    struct text *sql = &answer->sql;
    text_add(sql, "SELECT ");
    if (options->is_distinct)
        answer_put(answer, "distinct", T_U64, U_NONE, "count(*)::UBIGINT");
    else
        answer_put_flow_columns(answer);
    text_add(
        sql,
        " FROM (SELECT *, epoch_ns(\"end\") - epoch_ns(start) AS sort_duration, packets + "
        "coalesce(rev_packets, 0) AS sort_packets, "
        "bytes + coalesce(rev_bytes, 0) AS sort_bytes, coalesce(flows, 1) AS sort_flows, "
        "CASE WHEN sort_duration > 0 THEN sort_packets / sort_duration ELSE 0 END AS sort_pps, "
        "CASE WHEN sort_duration > 0 THEN sort_bytes / sort_duration ELSE 0 END AS sort_bps, "
        "CASE WHEN sort_packets > 0 THEN sort_bytes / sort_packets ELSE 0 END AS sort_bpp FROM ");
    if (stat->layout == LAYOUT_RECORD)
        question_put_merged(&options->question, sql);
    else
        question_put_rows(&options->question, sql);
    text_add(sql, ")");
    if (options->is_distinct)
        return;
    char order[32];
    snprintf(order, sizeof order, "sort_%s", stat->order);
    put_end(&(struct stat){ .order = order }, options,
            "ip_key(src), ip_key(dst), proto, sport, dport, start", sql);
}

int top_sql(const char *text, const struct top_options *options, struct answer *answer,
            struct err *e)
{
    struct stat stat;
    int code = parse_stat(text, &stat, e);
    if (code != 0)
        return code;
    if (options->has_sides && stat.layout != LAYOUT_VALUE)
        return err_set(e, WEIR_EUSAGE, "'%s' has both sides in it; leave --sides out", text);
    switch (stat.layout) {
    case LAYOUT_VALUE:
        put_values(&stat, options, answer);
        break;
    case LAYOUT_MATRIX:
        put_matrix(&stat, options, answer);
        break;
    case LAYOUT_PAIR:
    case LAYOUT_CONV:
        put_both_ways(&stat, options, answer);
        break;
    case LAYOUT_RECORD:
    case LAYOUT_ROW:
        put_records(&stat, options, answer);
        break;
    }
    return answer_end(answer, e);
}
