/* weir query: records, aggregates, both directions in one row, totals, as SQL. See query.h. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "query/question.h"

#define KEYS_MAX 16

static const struct {
    const char *word, *column;
    bool is_rising;
} orders[] = {
    { "tstart", "first", true }, { "tend", "last", true },        { "duration", "duration", false },
    { "flows", "flows", false }, { "packets", "packets", false }, { "bytes", "bytes", false },
    { "pps", "pps", false },     { "bps", "bps", false },         { "bpp", "bpp", false },
};

/* *order is an index, -1 without an order. */
static int parse_order(const char *word, int *order, struct err *e)
{
    const char *names[sizeof orders / sizeof *orders];
    *order = -1;
    if (word == NULL)
        return 0;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        names[i] = orders[i].word;
        if (strcasecmp(word, orders[i].word) == 0) {
            *order = (int)i;
            return 0;
        }
    }
    const char *nearest = text_nearest(word, names, sizeof names / sizeof *names);
    return err_set(e, WEIR_EUSAGE, "no order '%s'; %s%s%s", word,
                   nearest ? "did you mean "
                           : "write tstart, tend, duration, flows, packets, bytes, pps, bps or bpp",
                   nearest ? nearest : "", nearest ? "?" : "");
}

static void put_limit(const struct query_options *options, struct text *sql)
{
    if (options->question.row_max > 0)
        text_format(sql, " LIMIT %llu", (unsigned long long)options->question.row_max);
}

/* ---- records ---- */

static void put_list(const struct query_options *options, int order, struct answer *answer)
{
    struct text *sql = &answer->sql;
    text_add(sql, "SELECT ");
    answer_put_flow_columns(answer);
    text_add(sql, " FROM ");
    if (order >= 0)
        text_add(
            sql,
            "(SELECT *, start AS sort_first, \"end\" AS sort_last, epoch_ns(\"end\") - "
            "epoch_ns(start) AS sort_duration, "
            "packets + coalesce(rev_packets, 0) AS sort_packets, bytes + coalesce(rev_bytes, 0) AS "
            "sort_bytes, "
            "coalesce(flows, 1) AS sort_flows, "
            "CASE WHEN sort_duration > 0 THEN sort_packets / sort_duration ELSE 0 END AS sort_pps, "
            "CASE WHEN sort_duration > 0 THEN sort_bytes / sort_duration ELSE 0 END AS sort_bps, "
            "CASE WHEN sort_packets > 0 THEN sort_bytes / sort_packets ELSE 0 END AS sort_bpp "
            "FROM ");
    question_put_rows(&options->question, sql);
    if (order >= 0)
        text_format(sql,
                    ") ORDER BY sort_%s%s, start, ip_key(src), ip_key(dst), proto, sport, dport",
                    orders[order].column, orders[order].is_rising ? "" : " DESC");
    put_limit(options, sql);
}

/* ---- aggregates ---- */

static int parse_keys(const char *list, struct key keys[KEYS_MAX], unsigned *count, struct err *e)
{
    if (*list == '\0')
        list = "proto,srcip,srcport,dstip,dstport";
    for (*count = 0; *list != '\0';) {
        size_t size = strcspn(list, ", ");
        if (size > 0 && *count == KEYS_MAX)
            return err_set(e, WEIR_EUSAGE, "more than %u keys", KEYS_MAX);
        if (size > 0) {
            struct key *key = &keys[*count];
            int code = key_parse(list, size, key, e);
            if (code != 0)
                return code;
            if (key->side == SIDE_EITHER)
                return err_set(e, WEIR_EUSAGE, "key '%.*s' is both sides; write src%.*s or dst%.*s",
                               (int)size, list, (int)size, list, (int)size, list);
            for (unsigned i = 0; i < *count; i++)
                if (strcmp(keys[i].name, key->name) == 0)
                    return err_set(e, WEIR_EUSAGE, "two keys of column '%s'; one is enough",
                                   key->name);
            (*count)++;
        }
        list += size + (list[size] != '\0');
    }
    return *count > 0 ? 0 : err_set(e, WEIR_EUSAGE, "no keys; write for example srcip,dstport");
}

static void put_aggregate(const struct query_options *options, const struct key keys[],
                          unsigned count, int order, struct answer *answer)
{
    struct text *sql = &answer->sql;
    text_add(sql, "SELECT ");
    for (unsigned i = 0; i < count; i++) {
        char quoted[32];
        snprintf(quoted, sizeof quoted, "\"%s\"", keys[i].name);
        answer_put(answer, keys[i].name, keys[i].type, U_NONE, quoted);
    }
    answer_put(answer, "first", T_TIME, U_NONE, "first");
    answer_put(answer, "last", T_TIME, U_NONE, "last");
    answer_put(answer, "duration", T_DURATION, U_SECONDS, "duration");
    answer_put(answer, "flows", T_U64, U_FLOWS, "flows::UBIGINT");
    answer_put(answer, "packets", T_U64, U_PACKETS, "packets::UBIGINT");
    answer_put(answer, "bytes", T_U64, U_OCTETS, "bytes::UBIGINT");
    answer_put_rates(answer, false);
    answer_put(answer, "flags", T_FLAGS, U_NONE, "all_flags");
    text_add(sql, " FROM (SELECT ");
    for (unsigned i = 0; i < count; i++)
        text_format(sql, "%s AS \"%s\", ", keys[i].expression, keys[i].name);
    text_add(sql, "min(start) AS first, max(\"end\") AS last, epoch_ns(max(\"end\")) - "
                  "epoch_ns(min(start)) AS duration, sum(");
    question_put_flows(keys, count, sql);
    text_add(sql, ") AS flows, sum(packets) AS packets, sum(bytes) AS bytes, bit_or(flags) AS "
                  "all_flags FROM ");
    question_put_directed(&options->question, sql);
    text_add(sql, " GROUP BY ");
    for (unsigned i = 0; i < count; i++)
        text_format(sql, "%s%s", i > 0 ? ", " : "", keys[i].expression);
    text_format(sql, ") ORDER BY %s%s", order >= 0 ? orders[order].column : "first",
                order >= 0 && !orders[order].is_rising ? " DESC" : "");
    for (unsigned i = 0; i < count; i++)
        text_format(sql, ", %s NULLS FIRST", keys[i].sort);
    put_limit(options, sql);
}

/* ---- both directions in one row ---- */

/*
 * Directed rows of one 5-tuple, ends a and b in the order of their texts. Forward is the direction
 * that began; of two that began in the same moment, the one that its record calls forward. With -B
 * the client is forward, the side with the higher port.
 */
static void put_joined(const struct query_options *options, int order, struct answer *answer)
{
    static const char *const halves[] = { "ab", "ba" };
    struct text *sql = &answer->sql;
    const struct record_type *flow = &record_types[RECORD_flow];
    static const struct {
        enum field_id field;
        const char *expression;
    } columns[] = {
        { FIELD_start, "first" },
        { FIELD_end, "last" },
        { FIELD_proto, "proto" },
        { FIELD_src, "CASE WHEN forward_ab THEN a ELSE b END" },
        { FIELD_sport, "CASE WHEN forward_ab THEN port_a ELSE port_b END" },
        { FIELD_dst, "CASE WHEN forward_ab THEN b ELSE a END" },
        { FIELD_dport, "CASE WHEN forward_ab THEN port_b ELSE port_a END" },
        { FIELD_flags, "CASE WHEN forward_ab THEN flags_ab ELSE flags_ba END" },
        { FIELD_tos, "tos" },
        { FIELD_packets, "(CASE WHEN forward_ab THEN packets_ab ELSE packets_ba END)::UBIGINT" },
        { FIELD_bytes, "(CASE WHEN forward_ab THEN bytes_ab ELSE bytes_ba END)::UBIGINT" },
        { FIELD_flows, "flows::UBIGINT" },
        { FIELD_rev_packets,
          "(CASE WHEN forward_ab THEN packets_ba ELSE packets_ab END)::UBIGINT" },
        { FIELD_rev_bytes, "(CASE WHEN forward_ab THEN bytes_ba ELSE bytes_ab END)::UBIGINT" },
        { FIELD_rev_flags, "CASE WHEN forward_ab THEN flags_ba ELSE flags_ab END" },
    };
    text_add(sql, "SELECT ");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        const struct column_type *c =
            &flow->column[record_column_find(flow, fields[columns[i].field].column)];
        answer_put(answer, c->name, c->type == T_ADDRESS ? T_TEXT : c->type, c->unit,
                   columns[i].expression);
    }
    text_format(
        sql,
        " FROM (SELECT *, packets_ab + packets_ba AS packets, bytes_ab + bytes_ba AS bytes, "
        "epoch_ns(last) - epoch_ns(first) AS duration, "
        "CASE WHEN duration > 0 THEN (packets_ab + packets_ba) / duration ELSE 0 END AS pps, "
        "CASE WHEN duration > 0 THEN (bytes_ab + bytes_ba) / duration ELSE 0 END AS bps, "
        "CASE WHEN packets_ab + packets_ba > 0 THEN (bytes_ab + bytes_ba) / (packets_ab + "
        "packets_ba) ELSE 0 END AS bpp, "
        "%s AS forward_ab FROM (SELECT a, b, port_a, port_b, proto, min(start) AS first, "
        "max(\"end\") AS last, arg_min(tos, start) AS "
        "tos, sum(CASE WHEN is_reverse THEN 0 ELSE flows END) AS flows",
        options->joining == JOIN_CLIENT_SERVER
            ? "CASE WHEN port_a = port_b THEN coalesce(rank_ab <= rank_ba, rank_ab IS NOT NULL) "
              "ELSE port_a > port_b END"
            : "coalesce(rank_ab <= rank_ba, rank_ab IS NOT NULL)");
    for (unsigned i = 0; i < 2; i++) {
        const char *which = i == 0 ? "is_ab" : "NOT is_ab";
        text_format(
            sql,
            ", coalesce(sum(packets) FILTER (WHERE %s), 0) AS packets_%s, coalesce(sum(bytes) "
            "FILTER (WHERE %s), 0) AS bytes_%s, "
            "bit_or(flags) FILTER (WHERE %s) AS flags_%s, "
            "min(epoch_ns(start)::HUGEINT * 2 + is_reverse::INTEGER) FILTER (WHERE %s) AS rank_%s",
            which, halves[i], which, halves[i], which, halves[i], which, halves[i]);
    }
    text_add(sql, " FROM (SELECT *, CASE WHEN is_ab THEN src ELSE dst END AS a, CASE WHEN is_ab "
                  "THEN dst ELSE src END AS b, "
                  "CASE WHEN is_ab THEN sport ELSE dport END AS port_a, CASE WHEN is_ab THEN dport "
                  "ELSE sport END AS port_b FROM "
                  "(SELECT *, src < dst OR (src = dst AND CASE WHEN sport = dport OR sport IS NULL "
                  "THEN NOT is_reverse ELSE sport < dport END) AS "
                  "is_ab FROM ");
    question_put_directed(&options->question, sql);
    text_format(sql,
                ")) GROUP BY a, b, port_a, port_b, proto)) ORDER BY %s%s, first, ip_key(a), "
                "ip_key(b), proto, port_a, port_b",
                order >= 0 ? orders[order].column : "first",
                order >= 0 && !orders[order].is_rising ? " DESC" : "");
    put_limit(options, sql);
}

/* ---- one row ---- */

static void put_total(const struct query_options *options, struct answer *answer)
{
    struct text *sql = &answer->sql;
    text_add(sql, "SELECT ");
    answer_put(answer, "flows", T_U64, U_FLOWS, "flows::UBIGINT");
    answer_put(answer, "packets", T_U64, U_PACKETS, "packets::UBIGINT");
    answer_put(answer, "bytes", T_U64, U_OCTETS, "bytes::UBIGINT");
    answer_put(answer, "first", T_TIME, U_NONE, "first");
    answer_put(answer, "last", T_TIME, U_NONE, "last");
    answer_put_rates(answer, false);
    text_add(sql, " FROM (SELECT coalesce(sum(coalesce(flows, 1)), 0) AS flows, "
                  "coalesce(sum(packets + coalesce(rev_packets, 0)), 0) AS packets, "
                  "coalesce(sum(bytes + coalesce(rev_bytes, 0)), 0) AS bytes, min(start) AS first, "
                  "max(\"end\") AS last, "
                  "epoch_ns(max(\"end\")) - epoch_ns(min(start)) AS duration FROM ");
    question_put_rows(&options->question, sql);
    text_add(sql, ")");
}

int query_sql(const struct query_options *options, struct answer *answer, struct err *e)
{
    struct key keys[KEYS_MAX];
    unsigned count = 0;
    int order, code = parse_order(options->order, &order, e);
    if (code == 0 && options->keys != NULL)
        code = parse_keys(options->keys, keys, &count, e);
    if (code != 0)
        return code;
    if ((options->keys != NULL) + (options->joining != JOIN_NONE) + options->is_total > 1)
        return err_set(e, WEIR_EUSAGE,
                       "keys (-a, -A), both ways (-b, -B) and --totals exclude each other");
    if (options->is_total)
        put_total(options, answer);
    else if (options->joining != JOIN_NONE)
        put_joined(options, order, answer);
    else if (options->keys != NULL)
        put_aggregate(options, keys, count, order, answer);
    else
        put_list(options, order, answer);
    return answer_end(answer, e);
}
