/* Keys, rows and columns of questions as SQL, see question.h. */
#include "query/question.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- rows ---- */

static void put_conditions(const struct question *question, struct text *sql)
{
    const char *joint = " WHERE ";
    if (question->from_ns != INT64_MIN) {
        text_format(sql, "%s\"end\" >= make_timestamp_ns(%lld)", joint,
                    (long long)question->from_ns);
        joint = " AND ";
    }
    if (question->to_ns != INT64_MAX) {
        text_format(sql, "%sstart <= make_timestamp_ns(%lld)", joint, (long long)question->to_ns);
        joint = " AND ";
    }
    if (question->filter != NULL) {
        text_add(sql, joint);
        filter_sql(question->filter, sql);
    }
}

void question_put_rows(const struct question *question, struct text *sql)
{
    text_add(sql, "(SELECT * FROM flow");
    put_conditions(question, sql);
    if (question->record_max > 0)
        text_format(sql, " LIMIT %llu", (unsigned long long)question->record_max);
    text_add(sql, ")");
}

void question_put_directed(const struct question *question, struct text *sql)
{
    /* Column, and what it is seen from the other side; NULL: the same. A record's interfaces are
     * exchanged when it knows both: of captures both directions came in by the one interface that
     * there is. */
    static const struct {
        const char *column, *reverse;
    } columns[] = {
        { "start", NULL },
        { "\"end\"", NULL },
        { "proto", NULL },
        { "src", "dst" },
        { "sport", "dport" },
        { "dst", "src" },
        { "dport", "sport" },
        { "flags", "rev_flags" },
        { "tos", NULL },
        { "packets", "rev_packets" },
        { "bytes", "rev_bytes" },
        { "in_if", "CASE WHEN out_if IS NULL THEN in_if ELSE out_if END" },
        { "out_if", "CASE WHEN out_if IS NULL THEN NULL ELSE in_if END" },
        { "next_hop", NULL },
        { "src_as", "dst_as" },
        { "dst_as", "src_as" },
        { "src_mask", "dst_mask" },
        { "dst_mask", "src_mask" },
        { "vlan", NULL },
        { "src_mac", "dst_mac" },
        { "dst_mac", "src_mac" },
        { "exporter", NULL },
        { "end_reason", NULL },
        { "tunnel", NULL },
        { "coalesce(flows, 1) AS flows", NULL },
    };
    text_add(sql, "(");
    for (unsigned is_reverse = 0; is_reverse <= 1; is_reverse++) {
        text_format(sql, "%sSELECT %s AS is_reverse", is_reverse ? " UNION ALL " : "",
                    is_reverse ? "true" : "false");
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            bool is_other = is_reverse && columns[i].reverse != NULL;
            text_format(sql, ", %s", is_other ? columns[i].reverse : columns[i].column);
            if (is_other)
                text_format(sql, " AS %s", columns[i].column);
        }
        text_add(sql, " FROM ");
        question_put_rows(question, sql);
        if (is_reverse)
            text_add(sql, " WHERE rev_packets > 0");
    }
    text_add(sql, ")");
}

/* A column of several records as one, by the dictionary's rule. */
static void put_merge(const struct field *f, struct text *sql)
{
    static const char *const functions[] = {
        [M_SUM] = "sum", [M_MIN] = "min", [M_MAX] = "max", [M_OR] = "bit_or"
    };
    switch (f->merge) {
    case M_SUM:
        text_format(sql, "sum(\"%s\")::UBIGINT", f->column);
        return;
    case M_FIRST:
        text_format(sql, "arg_min(\"%s\", start)", f->column);
        return;
    case M_KEY: /* no key here: it stays where all records agree */
        text_format(
            sql,
            "CASE WHEN min(\"%s\") = max(\"%s\") AND count(\"%s\") = count(*) THEN min(\"%s\") END",
            f->column, f->column, f->column, f->column);
        return;
    default:
        text_format(sql, "%s(\"%s\")", functions[f->merge], f->column);
    }
}

void question_put_merged(const struct question *question, struct text *sql)
{
    static const enum field_id keys[] = { FIELD_proto, FIELD_src, FIELD_sport, FIELD_dst,
                                          FIELD_dport };
    const struct record_type *flow = &record_types[RECORD_flow];
    text_add(sql, "(SELECT ");
    for (unsigned i = 0; i < flow->column_count; i++) {
        const struct field *f = &fields[flow->column[i].field];
        bool is_key = false;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            is_key |= flow->column[i].field == keys[k];
        text_add(sql, i > 0 ? ", " : "");
        if (is_key)
            text_format(sql, "\"%s\"", f->column);
        else
            put_merge(f, sql);
        if (!is_key)
            text_format(sql, " AS \"%s\"", f->column);
    }
    text_add(sql, " FROM ");
    question_put_rows(question, sql);
    text_add(sql, " GROUP BY proto, src, sport, dst, dport)");
}

/* ---- keys ---- */

static const struct {
    const char *word;
    enum field_id field;
    enum side side;
} key_words[] = {
    { "srcip", FIELD_src, SIDE_SOURCE },
    { "dstip", FIELD_dst, SIDE_DESTINATION },
    { "srcport", FIELD_sport, SIDE_SOURCE },
    { "dstport", FIELD_dport, SIDE_DESTINATION },
    { "srcas", FIELD_src_as, SIDE_SOURCE },
    { "dstas", FIELD_dst_as, SIDE_DESTINATION },
    { "inif", FIELD_in_if, SIDE_SOURCE },
    { "outif", FIELD_out_if, SIDE_DESTINATION },
    { "srcvlan", FIELD_vlan, SIDE_NONE },
    { "srcmac", FIELD_src_mac, SIDE_SOURCE },
    { "dstmac", FIELD_dst_mac, SIDE_DESTINATION },
    { "srcmask", FIELD_src_mask, SIDE_SOURCE },
    { "dstmask", FIELD_dst_mask, SIDE_DESTINATION },
    { "nexthop", FIELD_next_hop, SIDE_NONE },
    { "nhip", FIELD_next_hop, SIDE_NONE },
    { "next", FIELD_next_hop, SIDE_NONE },
    { "router", FIELD_exporter, SIDE_NONE },
    { "ip", FIELD_src, SIDE_EITHER },
    { "port", FIELD_sport, SIDE_EITHER },
    { "as", FIELD_src_as, SIDE_EITHER },
    { "if", FIELD_in_if, SIDE_EITHER },
    { "mac", FIELD_src_mac, SIDE_EITHER },
};

/* Columns of directed rows that are keys by themselves, and their side. */
static const struct {
    enum field_id field;
    enum side side;
} key_columns[] = {
    { FIELD_proto, SIDE_NONE },          { FIELD_src, SIDE_SOURCE },
    { FIELD_dst, SIDE_DESTINATION },     { FIELD_sport, SIDE_SOURCE },
    { FIELD_dport, SIDE_DESTINATION },   { FIELD_tos, SIDE_NONE },
    { FIELD_flags, SIDE_SOURCE },        { FIELD_in_if, SIDE_SOURCE },
    { FIELD_out_if, SIDE_DESTINATION },  { FIELD_next_hop, SIDE_NONE },
    { FIELD_src_as, SIDE_SOURCE },       { FIELD_dst_as, SIDE_DESTINATION },
    { FIELD_src_mask, SIDE_SOURCE },     { FIELD_dst_mask, SIDE_DESTINATION },
    { FIELD_vlan, SIDE_NONE },           { FIELD_src_mac, SIDE_SOURCE },
    { FIELD_dst_mac, SIDE_DESTINATION }, { FIELD_exporter, SIDE_NONE },
    { FIELD_end_reason, SIDE_NONE },     { FIELD_tunnel, SIDE_NONE },
};

static enum field_id other_field(enum field_id field)
{
    static const enum field_id sides[][2] = {
        { FIELD_src, FIELD_dst },         { FIELD_sport, FIELD_dport },
        { FIELD_src_as, FIELD_dst_as },   { FIELD_in_if, FIELD_out_if },
        { FIELD_src_mac, FIELD_dst_mac }, { FIELD_src_mask, FIELD_dst_mask }
    };
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        for (unsigned k = 0; k < 2; k++)
            if (sides[i][k] == field)
                return sides[i][1 - k];
    return field;
}

static void key_of_field(enum field_id field, enum side side, struct key *key)
{
    const struct field *f = &fields[field];
    bool is_address = f->type == T_ADDRESS;
    *key = (struct key){ .side = side, .type = is_address || f->type == T_MAC ? T_TEXT : f->type };
    snprintf(key->expression, sizeof key->expression, "\"%s\"", f->column);
    snprintf(key->other, sizeof key->other, "\"%s\"", fields[other_field(field)].column);
    snprintf(key->name, sizeof key->name, "%s", f->column);
    snprintf(key->sort, sizeof key->sort, is_address ? "ip_key(\"%s\")" : "\"%s\"", f->column);
}

static void put_net(char *to, size_t room, enum field_id field, uint64_t bits, char version)
{
    snprintf(to, room, "ip_net(\"%s\", %llu, %c)", fields[field].column, (unsigned long long)bits,
             version == 't' ? '0' : version);
}

/* "srcnet/24", nfdump's "srcip4/24" and "srcip6/64"; the second only group addresses of their
 * version, the rest stays whole. */
static bool parse_net(const char *word, struct key *key)
{
    static const struct {
        const char *name;
        enum field_id field;
    } nets[] = { { "srcnet/", FIELD_src }, { "dstnet/", FIELD_dst }, { "srcip4/", FIELD_src },
                 { "dstip4/", FIELD_dst }, { "srcip6/", FIELD_src }, { "dstip6/", FIELD_dst } };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        size_t size = strlen(nets[i].name);
        uint64_t bits;
        if (strncasecmp(word, nets[i].name, size) != 0)
            continue;
        char version = word[size - 2];
        if (parse_u64(word + size, 0, version == '4' ? 32 : 128, &bits, "net", NULL) != 0)
            return false;
        key_of_field(nets[i].field, nets[i].field == FIELD_src ? SIDE_SOURCE : SIDE_DESTINATION,
                     key);
        put_net(key->expression, sizeof key->expression, nets[i].field, bits, version);
        put_net(key->other, sizeof key->other, other_field(nets[i].field), bits, version);
        return true;
    }
    return false;
}

int key_parse(const char *text, size_t size, struct key *key, struct err *e)
{
    char word[64];
    const char
        *names[sizeof key_words / sizeof *key_words + sizeof key_columns / sizeof *key_columns + 2];
    size_t count = 0;
    snprintf(word, sizeof word, "%.*s", (int)(size < sizeof word ? size : sizeof word - 1), text);
    for (size_t i = 0; i < sizeof key_words / sizeof *key_words; i++) {
        if (strcasecmp(word, key_words[i].word) == 0) {
            key_of_field(key_words[i].field, key_words[i].side, key);
            return 0;
        }
        names[count++] = key_words[i].word;
    }
    for (size_t i = 0; i < sizeof key_columns / sizeof *key_columns; i++) {
        const struct field *f = &fields[key_columns[i].field];
        if (strcasecmp(word, f->column) == 0 || strcasecmp(word, f->name) == 0) {
            key_of_field(key_columns[i].field, key_columns[i].side, key);
            return 0;
        }
        names[count++] = f->column;
    }
    if (parse_net(word, key))
        return 0;
    names[count++] = "srcnet/24";
    names[count++] = "dstnet/24";
    const char *nearest = text_nearest(word, names, count);
    return err_set(e, WEIR_EUSAGE, "no key '%s'; %s%s%s", word,
                   nearest ? "did you mean " : "write for example srcip, dstport, proto, srcnet/24",
                   nearest ? nearest : "", nearest ? "?" : "");
}

void question_put_flows(const struct key *keys, unsigned count, struct text *sql)
{
    text_add(sql, "CASE WHEN is_reverse");
    for (unsigned i = 0; i < count; i++)
        if (keys[i].side != SIDE_NONE)
            text_format(sql, " AND %s IS NOT DISTINCT FROM %s", keys[i].expression, keys[i].other);
    text_add(sql, " THEN 0 ELSE flows END");
}

/* ---- answers ---- */

void answer_put(struct answer *answer, const char *name, enum value_type type, enum unit unit,
                const char *expression)
{
    assert(answer->column_count < RECORD_COLUMNS_MAX);
    enum field_id field = FIELD_NONE;
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        if (strcmp(fields[i].column, name) == 0 && fields[i].type == type)
            field = (enum field_id)i;
    char *kept = arena_text(&answer->arena, name, strlen(name));
    if (kept == NULL) {
        answer->sql.is_bad = true;
        return;
    }
    text_format(&answer->sql, "%s%s AS \"%s\"", answer->column_count > 0 ? ", " : "", expression,
                name);
    answer->column[answer->column_count++] = (struct column_type){ kept, type, unit, field };
}

void answer_put_rates(struct answer *answer, bool is_cut)
{
    answer_put(answer, "pps", is_cut ? T_U64 : T_F64, U_PACKETS_PER_S,
               is_cut ? "CASE WHEN duration >= 1000000 THEN packets::HUGEINT * 1000 // (duration "
                        "// 1000000) ELSE 0 END::UBIGINT"
                      : "CASE WHEN duration > 0 THEN packets * 1e9 / duration ELSE 0 END::DOUBLE");
    answer_put(answer, "bps", is_cut ? T_U64 : T_F64, U_BITS_PER_S,
               is_cut ? "CASE WHEN duration >= 1000000 THEN bytes::HUGEINT * 8000 // (duration // "
                        "1000000) ELSE 0 END::UBIGINT"
                      : "CASE WHEN duration > 0 THEN bytes * 8e9 / duration ELSE 0 END::DOUBLE");
    answer_put(answer, "bpp", is_cut ? T_U64 : T_F64, U_OCTETS_PER_PACKET,
               is_cut ? "CASE WHEN packets > 0 THEN bytes // packets ELSE 0 END::UBIGINT"
                      : "CASE WHEN packets > 0 THEN bytes / packets ELSE 0 END::DOUBLE");
}

void answer_put_flow_columns(struct answer *answer)
{
    const struct record_type *flow = &record_types[RECORD_flow];
    for (unsigned i = 0; i < flow->column_count; i++) {
        const struct column_type *c = &flow->column[i];
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s\"", c->name);
        answer_put(answer, c->name, c->type == T_ADDRESS || c->type == T_MAC ? T_TEXT : c->type,
                   c->unit, quoted);
        answer->column[answer->column_count - 1].field = c->field;
    }
}

int answer_end(struct answer *answer, struct err *e)
{
    return answer->sql.is_bad ? err_memory(e, "question", answer->sql.room) : 0;
}

void answer_fini(struct answer *answer)
{
    text_fini(&answer->sql);
    arena_fini(&answer->arena);
    *answer = (struct answer){ 0 };
}

/* ---- asking ---- */

/* Gives the store's batches the types that the question knows: a sum that is a duration, a number
 * that is a protocol. */
struct typed_sink {
    struct record_sink sink; /* first */
    struct record_sink *to;
    struct answer *answer;
    record_sink_open open;
    void *context;
};

static int typed_push(struct record_sink *sink, struct record_batch *batch)
{
    struct typed_sink *typed = (struct typed_sink *)sink;
    assert(batch->refs == 1); /* made for us alone */
    batch->type = &typed->answer->type;
    return typed->to->push(typed->to, batch);
}

static bool is_text(enum value_type type)
{
    return type == T_TEXT || type == T_ADDRESS || type == T_MAC;
}

/* Same octets, another meaning. */
static bool is_castable(enum value_type made, enum value_type wanted)
{
    return value_size(made) == value_size(wanted) && !is_text(made) && !is_text(wanted) &&
           made != T_F64 && wanted != T_F64;
}

static struct record_sink *typed_open(void *context, const struct record_type *type, struct err *e)
{
    struct typed_sink *typed = context;
    struct answer *answer = typed->answer;
    assert(type->column_count == answer->column_count);
    for (unsigned i = 0; i < type->column_count; i++)
        if (!is_castable(type->column[i].type, answer->column[i].type))
            answer->column[i].type = type->column[i].type;
    answer->type = (struct record_type){ .name = type->name,
                                         .help = type->help,
                                         .column_count = type->column_count,
                                         .column = answer->column };
    typed->to = typed->open(typed->context, &answer->type, e);
    return typed->to != NULL ? &typed->sink : NULL;
}

int answer_ask(struct answer *answer, struct store *store, record_sink_open open_sink,
               void *context, struct err *e)
{
    struct typed_sink typed = {
        .sink = { typed_push }, .answer = answer, .open = open_sink, .context = context
    };
    return store_ask(store, answer->sql.data, typed_open, &typed, e);
}
