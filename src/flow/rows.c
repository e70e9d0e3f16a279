/* Ended records to columns, see record.h. A column that no row has a value for is never made. */
#include <assert.h>
#include <string.h>

#include "flow/record.h"

#define FLOW_COLUMN(name) RECORD_COLUMN(flow, name)

static const struct flow_key no_fields;

static bool is_key(const uint8_t *field, size_t size)
{
    return memcmp(field, &no_fields, size) != 0;
}

/* Columns that every row has a value in. */
static bool make_columns(struct flow_rows *rows)
{
    struct record_batch *b = rows->batch;
    struct flow_columns *c = &rows->column;
    const struct flow_options *o = rows->options;
    bool is_made = true;
    *c = (struct flow_columns){ 0 };
#define MAKE(column, when) is_made = is_made && (!(when) || (c->column = record_batch_column(b, FLOW_COLUMN(column))) != NULL)
    MAKE(start, true);
    MAKE(end, true);
    MAKE(proto, o->mask.proto != 0);
    MAKE(src, is_key(o->mask.address[0], 16));
    MAKE(sport, o->mask.port[0] != 0);
    MAKE(dst, is_key(o->mask.address[1], 16));
    MAKE(dport, o->mask.port[1] != 0);
    MAKE(flags, true);
    MAKE(tos, true);
    MAKE(packets, true);
    MAKE(bytes, true);
    MAKE(flows, true);
    MAKE(rev_packets, o->is_biflow);
    MAKE(rev_bytes, o->is_biflow);
    MAKE(rev_flags, o->is_biflow);
    MAKE(in_if, true);
    MAKE(end_reason, true);
    MAKE(out_of_order, true);
    MAKE(ttl, true);
    MAKE(fragments, true);
#undef MAKE
    return is_made;
}

static bool rows_begin(struct flow_rows *rows)
{
    if (rows->batch != NULL)
        return true;
    if (rows->failed != 0)
        return false;
    rows->batch = record_batch_new(&record_types[RECORD_flow], RECORD_BATCH_ROWS);
    if (rows->batch != NULL && make_columns(rows))
        return true;
    rows->failed = WEIR_EMEMORY;
    record_batch_unref(rows->batch);
    rows->batch = NULL;
    return false;
}

/* A value in a column that few rows have: made at the first one, with all rows empty until they get a value. */
static void *sparse(struct flow_rows *rows, unsigned index, unsigned row)
{
    struct record_batch *b = rows->batch;
    struct column *c = &b->column[index];
    if (c->data == NULL) {
        uint8_t *data = record_batch_column(b, index);
        if (data == NULL || record_batch_set_null(b, index, 0) < 0) {
            rows->failed = WEIR_EMEMORY;
            return NULL;
        }
        memset(c->is_null, 1, b->capacity);
    }
    c->is_null[row] = 0;
    return (uint8_t *)c->data + row * value_size(b->type->column[index].type);
}

static void add_sparse(struct flow_rows *rows, const struct flow_record *r, unsigned row)
{
    if (r->key.vlan != 0) {
        uint16_t *vlan = sparse(rows, FLOW_COLUMN(vlan), row);
        if (vlan != NULL)
            *vlan = (uint16_t)(r->key.vlan - 1);
    }
    if (r->tunnel != TUNNEL_NONE) {
        struct bytes *tunnel = sparse(rows, FLOW_COLUMN(tunnel), row);
        const char *name = tunnel_names[r->tunnel < TUNNEL_KINDS ? r->tunnel : TUNNEL_NONE];
        if (tunnel != NULL)
            *tunnel = (struct bytes){ .data = (const uint8_t *)name, .size = strlen(name) };
    }
    if (r->state & RECORD_MAC) {
        struct mac *dst = sparse(rows, FLOW_COLUMN(dst_mac), row), *src = sparse(rows, FLOW_COLUMN(src_mac), row);
        if (dst != NULL && src != NULL) {
            memcpy(dst->octet, r->mac, 6);
            memcpy(src->octet, r->mac + 6, 6);
        }
    }
}

static inline void put_address(struct address *to, const struct flow_key *key, unsigned side)
{
    memcpy(to->octet, key->address[side], 16);
    to->version = key->version;
}

void flow_rows_add(struct flow_rows *rows, const struct flow_record *r, enum flow_end reason)
{
    assert(reason >= FLOW_END_IDLE && reason <= FLOW_END_RESOURCES);
    if ((r->packets[0] | r->packets[1]) == 0) /* its packet has not been counted yet */
        return;
    if (!rows_begin(rows))
        return;
    const struct flow_columns *c = &rows->column;
    unsigned row = rows->batch->count++;
    rows->ledger->in[STAGE_output]++;
    c->start[row] = r->first_ns;
    c->end[row] = r->last_ns;
    if (c->proto != NULL)
        c->proto[row] = r->key.proto;
    if (c->src != NULL)
        put_address(&c->src[row], &r->key, 0);
    if (c->sport != NULL)
        c->sport[row] = r->key.port[0];
    if (c->dst != NULL)
        put_address(&c->dst[row], &r->key, 1);
    if (c->dport != NULL)
        c->dport[row] = r->key.port[1];
    c->flags[row] = r->tcp_flags[0];
    c->tos[row] = r->tos;
    c->packets[row] = r->packets[0];
    c->bytes[row] = r->octets[0];
    c->flows[row] = 1;
    if (c->rev_packets != NULL) {
        c->rev_packets[row] = r->packets[1];
        c->rev_bytes[row] = r->octets[1];
        c->rev_flags[row] = r->tcp_flags[1];
    }
    c->in_if[row] = r->key.interface;
    c->end_reason[row] = (uint8_t)reason;
    c->ttl[row] = r->ttl;
    if ((r->out_of_order | r->fragments) != 0) { /* the columns are zero from the start */
        c->out_of_order[row] = r->out_of_order;
        c->fragments[row] = r->fragments;
    }
    if ((r->state & RECORD_MAC) != 0 || r->key.vlan != 0 || r->tunnel != TUNNEL_NONE)
        add_sparse(rows, r, row);
    if (rows->batch->count == rows->batch->capacity)
        flow_rows_flush(rows);
}

void flow_rows_flush(struct flow_rows *rows)
{
    struct record_batch *batch = rows->batch;
    if (batch == NULL)
        return;
    rows->batch = NULL;
    record_batch_seal(batch);
    int code = rows->out->push(rows->out, batch);
    if (rows->failed == 0)
        rows->failed = code;
}

void flow_rows_fini(struct flow_rows *rows)
{
    record_batch_unref(rows->batch);
    rows->batch = NULL;
}
