/* Ended records to columns, see record.h. A column that no row has a value for is never made. */
#include <assert.h>
#include <string.h>

#include "flow/record.h"

#define FLOW_COLUMN(name) RECORD_COLUMN(flow, name)

static bool is_address_key(const struct flow_options *o, unsigned side)
{
    return o->mask.address[side][0] != 0;
}

/* Columns that every row has a value in. */
static bool make_columns(struct flow_rows *rows)
{
    struct record_batch *b = rows->batch;
    struct flow_columns *c = &rows->column;
    const struct flow_options *o = rows->options;
    bool is_made = true;
    *c = (struct flow_columns){ 0 };
#define MAKE(column, when)                                                                         \
    is_made =                                                                                      \
        is_made && (!(when) || (c->column = record_batch_column(b, FLOW_COLUMN(column))) != NULL)
    MAKE(start, true);
    MAKE(end, true);
    MAKE(proto, o->mask.proto != 0);
    MAKE(src, is_address_key(o, 0));
    MAKE(sport, o->mask.port[0] != 0);
    MAKE(dst, is_address_key(o, 1));
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

/* A value in a column that few rows have: made at the first one, with all rows empty until they get
 * a value. */
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
    if (r->vlan != 0) {
        uint16_t *vlan = sparse(rows, FLOW_COLUMN(vlan), row);
        if (vlan != NULL)
            *vlan = (uint16_t)(r->vlan - 1);
    }
    if (r->tunnel != TUNNEL_NONE) {
        struct bytes *tunnel = sparse(rows, FLOW_COLUMN(tunnel), row);
        const char *name = tunnel_names[r->tunnel < TUNNEL_KINDS ? r->tunnel : TUNNEL_NONE];
        if (tunnel != NULL)
            *tunnel = (struct bytes){ .data = (const uint8_t *)name, .size = strlen(name) };
    }
    if (r->state & RECORD_MAC) {
        struct mac *dst = sparse(rows, FLOW_COLUMN(dst_mac), row),
                   *src = sparse(rows, FLOW_COLUMN(src_mac), row);
        if (dst != NULL && src != NULL) {
            memcpy(dst->octet, r->mac, 6);
            memcpy(src->octet, r->mac + 6, 6);
        }
    }
}

/* The Community ID of what the row says. */
static void add_community_id(struct flow_rows *rows, unsigned row)
{
    const struct flow_columns *c = &rows->column;
    struct text id = { 0 };
    if (c->src == NULL || c->dst == NULL || c->proto == NULL || c->sport == NULL ||
        c->dport == NULL)
        return;
    community_id(&c->src[row], &c->dst[row], c->proto[row], c->sport[row], c->dport[row], &id);
    struct bytes *to = id.size > 0 ? sparse(rows, FLOW_COLUMN(community_id), row) : NULL;
    const char *kept = to != NULL ? arena_text(&rows->batch->arena, id.data, id.size) : NULL;
    if (to != NULL)
        *to = (struct bytes){ .data = (const uint8_t *)kept, .size = kept != NULL ? id.size : 0 };
    if (id.is_bad || (to != NULL && kept == NULL))
        rows->failed = WEIR_EMEMORY;
    text_fini(&id);
}

/* Address of the first (0) or second (1) endpoint. */
static inline void put_address(struct address *to, const struct flow_record *r, unsigned side)
{
    uint64_t words[2] = { 0 };
    to->version = tail_version(r->tail);
    if (to->version == 6) {
        words[0] = r->address[side];
        words[1] = side ? r->address[2] : r->front;
    } else {
        uint32_t half = (uint32_t)(r->front >> (side ? 32 : 0));
        memcpy(words, &half, sizeof half);
    }
    memcpy(to->octet, words, sizeof words);
}

void flow_rows_add(struct flow_rows *rows, const struct flow_record *r, enum flow_end reason)
{
    assert(reason >= FLOW_END_IDLE && reason <= FLOW_END_RESOURCES);
    if ((r->packets[0] | r->packets[1]) == 0) /* its packet has not been counted yet */
        return;
    if (!rows_begin(rows))
        return;
    const struct flow_columns *c = &rows->column;
    bool is_closed = r->state & RECORD_CLOSED;
    unsigned row = rows->batch->count++, front = r->state & RECORD_REVERSED, back = front ^ 1;
    rows->ledger->in[STAGE_record]++;
    c->start[row] = r->first_ns;
    c->end[row] = r->last_ns;
    if (c->proto != NULL)
        c->proto[row] = tail_proto(r->tail);
    if (c->src != NULL)
        put_address(&c->src[row], r, front);
    if (c->sport != NULL) /* of ICMP, see flow_key_pair_icmp */
        c->sport[row] = flow_is_icmp(tail_proto(r->tail)) ? 0 : tail_port(r->tail, front);
    if (c->dst != NULL)
        put_address(&c->dst[row], r, back);
    if (c->dport != NULL)
        c->dport[row] = tail_port(r->tail, back);
    c->flags[row] = r->tcp_flags[front];
    c->tos[row] = r->tos;
    c->packets[row] = r->packets[front];
    c->bytes[row] = r->octets[front];
    c->flows[row] = 1;
    if (c->rev_packets != NULL) {
        c->rev_packets[row] = r->packets[back];
        c->rev_bytes[row] = r->octets[back];
        c->rev_flags[row] = r->tcp_flags[back];
    }
    c->in_if[row] = r->interface;
    c->end_reason[row] =
        (uint8_t)(is_closed && reason != FLOW_END_RESOURCES ? FLOW_END_DETECTED : reason);
    c->ttl[row] = r->ttl;
    if ((r->out_of_order | r->fragments) != 0) { /* the columns are zero from the start */
        c->out_of_order[row] = r->out_of_order;
        c->fragments[row] = r->fragments;
    }
    if ((r->state & RECORD_MAC) != 0 || r->vlan != 0 || r->tunnel != TUNNEL_NONE)
        add_sparse(rows, r, row);
    if (rows->options->has_community_id)
        add_community_id(rows, row);
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
