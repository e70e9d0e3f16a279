/* A filter as an SQL condition with the same answers as filter_select. See filter.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lang/filter.h"

#define IN_LIST_MAX 64 /* longer sets of addresses go to in_net() */

static void put_number(const struct node *node, uint64_t value, struct text *out)
{
    if (node->is_signed)
        text_format(out, "make_timestamp_ns(%lld)", (long long)(value - (UINT64_C(1) << 63)));
    else
        text_u64(out, value);
}

/* WHAT within [low, high]; the ends of the number range are left out, so that the store can use its
 * statistics. */
static void put_range(const struct node *node, const char *what, uint64_t low, uint64_t high,
                      struct text *out)
{
    if (low > high) {
        text_format(out, "(%s IS NOT NULL AND false)", what);
    } else if (low == high) {
        text_format(out, "%s = ", what);
        put_number(node, low, out);
    } else if (high == UINT64_MAX && low > 0) {
        text_format(out, "%s >= ", what);
        put_number(node, low, out);
    } else if (low == 0 && high < UINT64_MAX) {
        text_format(out, "%s <= ", what);
        put_number(node, high, out);
    } else if (low == 0) {
        text_format(out, "%s IS NOT NULL", what);
    } else {
        text_format(out, "%s BETWEEN ", what);
        put_number(node, low, out);
        text_add(out, " AND ");
        put_number(node, high, out);
    }
}

static void put_numbers(const struct node *node, const char *column, struct text *out)
{
    struct text what = { 0 };
    if (node->mask == UINT64_MAX)
        text_add(&what, column);
    else
        text_format(&what, "((%s >> %u) & %llu)", column, node->shift,
                    (unsigned long long)node->mask);
    if (what.is_bad)
        out->is_bad = true;
    else if (node->numbers.count == 0)
        put_range(node, what.data, node->low, node->high, out);
    for (size_t i = 0; i < node->numbers.count && !what.is_bad; i++) {
        if (i > 0)
            text_add(out, " OR ");
        put_range(node, what.data, node->numbers.range[i].low, node->numbers.range[i].high, out);
    }
    text_fini(&what);
}

static void put_addresses(const struct node *node, const char *column, struct text *out)
{
    const struct address_set *set = node->addresses;
    bool is_hosts = set->count <= IN_LIST_MAX;
    for (size_t i = 0; i < set->count && is_hosts; i++)
        is_hosts = set->prefix[i].bits == (set->prefix[i].version == 4 ? 32 : 128);
    if (set->count == 0) {
        text_format(out, "(%s IS NOT NULL AND false)", column);
        return;
    }
    if (!is_hosts)
        text_format(out, "in_net(%s, '", column);
    else
        text_format(out, "%s IN (", column);
    for (size_t i = 0; i < set->count; i++) {
        text_add(out, i == 0 ? "" : is_hosts ? ", " : " ");
        text_add(out, is_hosts ? "'" : "");
        prefix_print(out, &set->prefix[i]);
        text_add(out, is_hosts ? "'" : "");
    }
    text_add(out, is_hosts ? ")" : "')");
}

static void put_field(const struct node *node, enum field_id field, struct text *out)
{
    char column[64];
    snprintf(column, sizeof column, "\"%s\"", fields[field].column);
    text_add(out, node->is_outside ? "NOT (" : "(");
    switch (node->kind) {
    case NODE_NUMBER:
        put_numbers(node, column, out);
        break;
    case NODE_FLAGS:
        text_format(out, "(%s & %llu) = %llu", column, (unsigned long long)node->low,
                    (unsigned long long)node->low);
        break;
    case NODE_ADDRESS:
        put_addresses(node, column, out);
        break;
    case NODE_VERSION:
        text_format(out, "%scontains(%s, ':')", node->low == 6 ? "" : "NOT ", column);
        break;
    case NODE_MAC: {
        text_format(out, "%s = '", column);
        value_print(out, T_MAC, &node->mac, 0);
        text_add(out, "'");
        break;
    }
    default:
        assert(node->kind == NODE_TEXT);
        text_format(out, "%s = ", column);
        text_sql(out, node->text, strlen(node->text));
    }
    text_add(out, ")");
}

static void put_rate(const struct node *node, struct text *out)
{
    /* Wide numbers: octets * 8e9 leaves 64 bits at 2.3 GB. */
    static const char duration[] = "(CASE WHEN \"end\" > \"start\" THEN epoch_ns(\"end\")::HUGEINT "
                                   "- epoch_ns(\"start\")::HUGEINT "
                                   "WHEN \"end\" <= \"start\" THEN 0 END)";
    struct text what = { 0 };
    if (node->rate == RATE_DURATION)
        text_format(&what, "(%s // 1000000)", duration);
    else if (node->rate == RATE_BPP)
        text_add(
            &what,
            "(CASE WHEN packets > 0 THEN bytes // packets WHEN packets = 0 THEN bytes * 0 END)");
    else
        text_format(
            &what,
            "(CASE WHEN %s > 0 THEN (%s::HUGEINT * %s) // %s WHEN %s = 0 THEN %s::HUGEINT * 0 END)",
            duration, node->rate == RATE_PPS ? "packets" : "bytes",
            node->rate == RATE_PPS ? "1000000000" : "8000000000", duration, duration,
            node->rate == RATE_PPS ? "packets" : "bytes");
    text_add(out, node->is_outside ? "NOT (" : "(");
    if (what.is_bad)
        out->is_bad = true;
    else
        put_range(node, what.data, node->low, node->high, out);
    text_add(out, ")");
    text_fini(&what);
}

/*
 * SQL has three truth values and the filter two: unknown is false. That is the same until a NOT
 * turns it around, so conditions below a NOT are made definite; elsewhere they stay plain, and the
 * store can skip whole row groups by them.
 */
static void put_node(const struct node *node, bool is_below_not, struct text *out)
{
    if (node->kind == NODE_ANY) {
        text_add(out, "true");
    } else if (node->kind == NODE_NOT) {
        text_add(out, "NOT (");
        put_node(node->child, true, out);
        text_add(out, ")");
    } else if (node->kind == NODE_AND || node->kind == NODE_OR) {
        text_add(out, node->child == NULL ? "false" : "(");
        for (const struct node *child = node->child; child != NULL; child = child->next) {
            put_node(child, is_below_not, out);
            text_add(out, child->next == NULL ? ")" : node->kind == NODE_AND ? " AND " : " OR ");
        }
    } else {
        text_add(out, is_below_not ? "coalesce(" : "(");
        if (node->kind == NODE_RATE)
            put_rate(node, out);
        for (unsigned i = 0; i < node->field_count; i++) {
            text_add(out, i == 0 ? "" : node->is_both ? " AND " : " OR ");
            put_field(node, node->field[i], out);
        }
        text_add(out, is_below_not ? ", false)" : ")");
    }
}

void filter_sql(const struct filter *filter, struct text *out)
{
    put_node(filter->root, false, out);
}
