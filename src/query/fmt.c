/*
 * nfdump's line formats: text with %tags, columns as wide as there. Widths, names of columns and
 * what stands for nothing were read off the output of nfdump 1.7.1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "query/query.h"

enum place {
    C_START,
    C_END,
    C_DURATION,
    C_PROTO,
    C_SRC,
    C_DST,
    C_SPORT,
    C_DPORT,
    C_FLAGS,
    C_TOS,
    C_PACKETS,
    C_BYTES,
    C_REV_PACKETS,
    C_REV_BYTES,
    C_FLOWS,
    C_IN_IF,
    C_OUT_IF,
    C_SRC_AS,
    C_DST_AS,
    C_SRC_MASK,
    C_DST_MASK,
    C_NEXT_HOP,
    C_EXPORTER,
    C_VLAN,
    COLUMNS
};

/* Names that a column goes by in records and in answers; the second may be NULL. */
static const char *const column_names[COLUMNS][2] = {
    [C_START] = { "start", "first" },
    [C_END] = { "end", "last" },
    [C_DURATION] = { "duration" },
    [C_PROTO] = { "proto" },
    [C_SRC] = { "src" },
    [C_DST] = { "dst" },
    [C_SPORT] = { "sport" },
    [C_DPORT] = { "dport" },
    [C_FLAGS] = { "flags" },
    [C_TOS] = { "tos" },
    [C_PACKETS] = { "packets" },
    [C_BYTES] = { "bytes" },
    [C_REV_PACKETS] = { "rev_packets" },
    [C_REV_BYTES] = { "rev_bytes" },
    [C_FLOWS] = { "flows" },
    [C_IN_IF] = { "in_if" },
    [C_OUT_IF] = { "out_if" },
    [C_SRC_AS] = { "src_as" },
    [C_DST_AS] = { "dst_as" },
    [C_SRC_MASK] = { "src_mask" },
    [C_DST_MASK] = { "dst_mask" },
    [C_NEXT_HOP] = { "next_hop" },
    [C_EXPORTER] = { "exporter" },
    [C_VLAN] = { "vlan" },
};

enum tag_kind {
    TAG_TIME,
    TAG_EPOCH,
    TAG_DURATION,
    TAG_PROTO,
    TAG_ADDRESS,
    TAG_ENDPOINT,
    TAG_PORT,
    TAG_NUMBER,
    TAG_AMOUNT,
    TAG_TOTAL,
    TAG_FLAGS,
    TAG_RATE,
    TAG_ICMP,
    TAG_NET,
    TAG_CONSTANT
};

struct tag {
    const char *name;
    enum tag_kind kind;
    enum place column,
        other;         /* other: port of an endpoint, length of a net, second part of a total */
    unsigned detail;   /* rate; high or low octet */
    int width;         /* of the value */
    const char *title; /* as wide as nfdump prints it */
};

/* "In" is what the record's source sent: forward. */
static const struct tag tags[] = {
    { "ts", TAG_TIME, C_START, 0, 0, 23, "Date first seen        " },
    { "te", TAG_TIME, C_END, 0, 0, 23, "Date last seen         " },
    { "tr", TAG_TIME, C_END, 0, 0, 23, "Date flow received     " },
    { "tsr", TAG_EPOCH, C_START, 0, 0, 0, " Date first seen (raw)    " },
    { "ter", TAG_EPOCH, C_END, 0, 0, 0, " Date last seen (raw)     " },
    { "trr", TAG_EPOCH, C_END, 0, 0, 0, " Date received (raw)      " },
    { "td", TAG_DURATION, C_DURATION, 0, 0, 16, "    Duration    " },
    { "pr", TAG_PROTO, C_PROTO, 0, 0, 5, "Proto" },
    { "sa", TAG_ADDRESS, C_SRC, 0, 0, 16, "     Src IP Addr" },
    { "da", TAG_ADDRESS, C_DST, 0, 0, 16, "     Dst IP Addr" },
    { "nh", TAG_ADDRESS, C_NEXT_HOP, 0, 0, 16, "     Next-hop IP" },
    { "nhb", TAG_ADDRESS, COLUMNS, 0, 0, 16, " BGP next-hop IP" },
    { "ra", TAG_ADDRESS, C_EXPORTER, 0, 0, 16, "       Router IP" },
    { "sap", TAG_ENDPOINT, C_SRC, C_SPORT, 0, 16, "     Src IP Addr:Port " },
    { "dap", TAG_ENDPOINT, C_DST, C_DPORT, 0, 16, "     Dst IP Addr:Port " },
    { "sn", TAG_NET, C_SRC, C_SRC_MASK, 0, 16, "        Src Network" },
    { "dn", TAG_NET, C_DST, C_DST_MASK, 0, 16, "        Dst Network" },
    { "sp", TAG_PORT, C_SPORT, 0, 0, 6, "Src Pt" },
    { "dp", TAG_PORT, C_DPORT, 0, 0, 6, "Dst Pt" },
    { "it", TAG_ICMP, C_DPORT, 0, 8, 6, "ICMP-T" },
    { "ic", TAG_ICMP, C_DPORT, 0, 0, 6, "ICMP-C" },
    { "flg", TAG_FLAGS, C_FLAGS, 0, 0, 8, "   Flags" },
    { "tos", TAG_NUMBER, C_TOS, 0, 0, 3, "Tos" },
    { "stos", TAG_NUMBER, C_TOS, 0, 0, 4, "STos" },
    { "dtos", TAG_NUMBER, COLUMNS, 0, 0, 4, "DTos" },
    { "dir", TAG_CONSTANT, COLUMNS, 0, 'I', 3, "Dir" },
    { "pkt", TAG_TOTAL, C_PACKETS, C_REV_PACKETS, 0, 8, " Packets" },
    { "ipkt", TAG_AMOUNT, C_PACKETS, 0, 0, 8, "  In Pkt" },
    { "opkt", TAG_AMOUNT, C_REV_PACKETS, 0, 0, 8, " Out Pkt" },
    { "byt", TAG_TOTAL, C_BYTES, C_REV_BYTES, 0, 8, "   Bytes" },
    { "ibyt", TAG_AMOUNT, C_BYTES, 0, 0, 8, " In Byte" },
    { "obyt", TAG_AMOUNT, C_REV_BYTES, 0, 0, 8, "Out Byte" },
    { "fl", TAG_NUMBER, C_FLOWS, 0, 0, 5, "Flows" },
    { "pps", TAG_RATE, 0, 0, 0, 8, "     pps" },
    { "bps", TAG_RATE, 0, 0, 1, 8, "     bps" },
    { "bpp", TAG_RATE, 0, 0, 2, 6, "   Bpp" },
    { "in", TAG_NUMBER, C_IN_IF, 0, 0, 6, " Input" },
    { "out", TAG_NUMBER, C_OUT_IF, 0, 0, 6, "Output" },
    { "sas", TAG_NUMBER, C_SRC_AS, 0, 0, 6, "Src AS" },
    { "das", TAG_NUMBER, C_DST_AS, 0, 0, 6, "Dst AS" },
    { "smk", TAG_NUMBER, C_SRC_MASK, 0, 0, 5, "SMask" },
    { "dmk", TAG_NUMBER, C_DST_MASK, 0, 0, 5, "DMask" },
    { "svln", TAG_NUMBER, C_VLAN, 0, 0, 5, "SVlan" },
    { "dvln", TAG_NUMBER, COLUMNS, 0, 0, 5, "DVlan" },
    { "sc", TAG_CONSTANT, COLUMNS, 0, '.', 2, "SC" },
    { "dc", TAG_CONSTANT, COLUMNS, 0, '.', 2, "DC" },
    { "exp", TAG_NUMBER, COLUMNS, 0, 0, 6, "Exp ID" },
};
#define TAGS (sizeof tags / sizeof *tags)

static const struct {
    const char *name, *format;
} named[] = {
    { "line", "%ts %td %pr %sap -> %dap %pkt %byt %fl" },
    { "long", "%ts %td %pr %sap -> %dap %flg %tos %pkt %byt %fl" },
    { "extended", "%ts %td %pr %sap -> %dap %flg %tos %pkt %byt %pps %bps %bpp %fl" },
    { "biline", "%ts %td %pr %sap <-> %dap %opkt %ipkt %obyt %ibyt %fl" },
    { "bilong", "%ts %td %pr %sap <-> %dap %flg %tos %opkt %ipkt %obyt %ibyt %fl" },
};

/* A tag, or the text before the next one. */
struct piece {
    const struct tag *tag;
    char *text;
    size_t size;
};

struct fmt {
    struct piece *piece;
    size_t count;
    int index[COLUMNS]; /* in the record type, -1 */
    const struct record_type *type;
    bool is_long_address, is_plain, no_header;
    struct arena arena;
};

bool fmt_is_name(const char *format)
{
    for (size_t i = 0; format != NULL && i < sizeof named / sizeof *named; i++)
        if (strcasecmp(format, named[i].name) == 0)
            return true;
    return format != NULL && strncasecmp(format, "fmt:", 4) == 0;
}

static const struct tag *find_tag(const char *at, size_t *size, struct err *e)
{
    const char *names[TAGS];
    char word[16];
    *size = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    snprintf(word, sizeof word, "%.*s", (int)(*size < sizeof word ? *size : sizeof word - 1), at);
    for (size_t i = 0; i < TAGS; i++) {
        names[i] = tags[i].name;
        if (strcasecmp(word, tags[i].name) == 0)
            return &tags[i];
    }
    const char *nearest = text_nearest(word, names, TAGS);
    err_set(e, WEIR_EUSAGE, "format: no tag '%%%s'; did you mean '%%%s'?", word,
            nearest != NULL ? nearest : "byt");
    return NULL;
}

int fmt_open(struct fmt **fmt, const struct fmt_options *options, const struct record_type *type,
             struct err *e)
{
    const char *format = options->format;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strcasecmp(format, named[i].name) == 0)
            format = named[i].format;
    if (strncasecmp(format, "fmt:", 4) == 0)
        format += 4;
    struct fmt *f = calloc(1, sizeof *f);
    if (f == NULL)
        return err_memory(e, "format", sizeof *f);
    f->type = type;
    f->is_long_address = options->is_long_address;
    f->is_plain = options->is_plain;
    f->no_header = options->no_header;
    for (unsigned c = 0; c < COLUMNS; c++) {
        f->index[c] = record_column_find(type, column_names[c][0]);
        if (f->index[c] < 0 && column_names[c][1] != NULL)
            f->index[c] = record_column_find(type, column_names[c][1]);
    }
    f->piece = arena_take(&f->arena, (strlen(format) + 1) * sizeof *f->piece);
    for (const char *at = format; *at != '\0' && f->piece != NULL;) {
        struct piece *piece = &f->piece[f->count++];
        piece->size = *at == '%' ? 0 : strcspn(at, "%");
        if (*at == '%' && (piece->tag = find_tag(at + 1, &piece->size, e)) == NULL) {
            fmt_close(f);
            return WEIR_EUSAGE;
        }
        piece->text = arena_text(&f->arena, at, piece->size);
        at += piece->size + (piece->tag != NULL);
    }
    *fmt = f;
    return f->piece != NULL ? 0 : err_memory(e, "format", strlen(format) * sizeof *f->piece);
}

void fmt_close(struct fmt *fmt)
{
    if (fmt == NULL)
        return;
    arena_fini(&fmt->arena);
    free(fmt);
}

/* ---- values ---- */

struct row {
    const struct fmt *fmt;
    const struct record_batch *batch;
    unsigned at;
};

/* The number in a column; 0 where there is none, as in nfdump. */
static uint64_t number(const struct row *row, enum place column)
{
    int index = column < COLUMNS ? row->fmt->index[column] : -1;
    if (index < 0 || record_is_null(row->batch, (unsigned)index, row->at))
        return 0;
    enum value_type type = row->batch->type->column[index].type;
    const void *value = record_value(row->batch, (unsigned)index, row->at);
    if (type == T_F64 || type == T_TEXT || type == T_ADDRESS || type == T_MAC)
        return 0;
    switch (value_size(type)) {
    case 1:
        return *(const uint8_t *)value;
    case 2:
        return *(const uint16_t *)value;
    case 4:
        return *(const uint32_t *)value;
    default:
        return *(const uint64_t *)value;
    }
}

static bool address_at(const struct row *row, enum place column, struct address *address)
{
    int index = column < COLUMNS ? row->fmt->index[column] : -1;
    *address = (struct address){ .version = 4 }; /* 0.0.0.0 for none */
    if (index < 0 || record_is_null(row->batch, (unsigned)index, row->at))
        return false;
    const void *value = record_value(row->batch, (unsigned)index, row->at);
    enum value_type type = row->batch->type->column[index].type;
    if (type == T_ADDRESS) {
        memcpy(address, value, sizeof *address);
        return true;
    }
    const struct bytes *text = value;
    char copy[ADDRESS_TEXT_MAX + 8];
    if (type != T_TEXT || text->size >= sizeof copy)
        return false;
    memcpy(copy, text->data, text->size);
    copy[text->size] = '\0';
    copy[strcspn(copy, "/")] = '\0';
    return address_parse(copy, address);
}

static bool is_icmp(const struct row *row)
{
    uint64_t proto = number(row, C_PROTO);
    return proto == 1 || proto == 58;
}

/* Milliseconds, as nfdump keeps them. */
static int64_t duration_ms(const struct row *row)
{
    if (row->fmt->index[C_START] < 0 || row->fmt->index[C_END] < 0)
        return (int64_t)number(row, C_DURATION) / 1000000;
    int64_t start = (int64_t)number(row, C_START), end = (int64_t)number(row, C_END);
    return end > start ? end / 1000000 - start / 1000000 : 0;
}

static void put_time(const struct row *row, enum place column, struct text *out)
{
    struct text t = { 0 };
    text_rfc3339(&t, (int64_t)number(row, column), 3); /* 2026-11-21T19:33:06.625Z */
    if (t.size > 11) {
        t.data[10] = ' ';
        text_put(out, t.data, t.size - 1);
    }
    text_fini(&t);
}

static void put_duration(const struct row *row, const struct tag *tag, struct text *out)
{
    int64_t ms = duration_ms(row), seconds = ms / 1000;
    long long day = seconds / 86400, hour = seconds / 3600 % 24, minute = seconds / 60 % 60,
              second = seconds % 60, rest = ms % 1000;
    if (row->fmt->is_plain) {
        text_format(out, "%*lld.%03lld", tag->width - 4, (long long)seconds, rest);
    } else if (day == 0) {
        text_format(out, "    %02lld:%02lld:%02lld.%03lld", hour, minute, second, rest);
    } else {
        text_format(out, "%2lldd %02lld:%02lld:%02lld.%03lld", day, hour, minute, second, rest);
    }
}

static void put_proto(const struct row *row, const struct tag *tag, struct text *out)
{
    uint8_t proto = (uint8_t)number(row, C_PROTO);
    const char *name = proto == 58 ? "ICMP6" : protocol_name(proto);
    char word[16];
    if (row->fmt->is_plain || name == NULL || (int)strlen(name) > tag->width)
        snprintf(word, sizeof word, "%u", proto);
    else
        snprintf(word, sizeof word, "%s", name);
    for (char *at = word; *at != '\0'; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    text_format(out, "%-*s", tag->width, word);
}

/* Long IPv6 addresses lose their middle: seven characters, two points, seven characters. */
static void put_address(const struct row *row, enum place column, int width,
                        struct address *address, struct text *out)
{
    char word[ADDRESS_TEXT_MAX + 1];
    address_at(row, column, address);
    *address_put(word, address) = '\0';
    size_t size = strlen(word);
    if (row->fmt->is_long_address) {
        width = 39;
    } else if (size > 16) {
        memmove(word + 9, word + size - 7, 8);
        memcpy(word + 7, "..", 2);
    }
    text_format(out, "%*s", width, word);
}

static void put_port(const struct row *row, const struct tag *tag, struct text *out)
{
    if (tag->column == C_DPORT && is_icmp(row)) {
        char word[16];
        uint64_t port = number(row, C_DPORT);
        snprintf(word, sizeof word, "%u.%u", (unsigned)(port >> 8), (unsigned)(port & 255));
        text_format(out, "%*s", tag->width, word);
    } else {
        text_format(out, "%*u", tag->width, (unsigned)number(row, tag->column));
    }
}

static void put_endpoint(const struct row *row, const struct tag *tag, struct text *out)
{
    struct address address;
    put_address(row, tag->column, tag->width, &address, out);
    uint64_t port = number(row, tag->other);
    char word[16];
    if (tag->other == C_DPORT && is_icmp(row))
        snprintf(word, sizeof word, "%u.%u", (unsigned)(port >> 8), (unsigned)(port & 255));
    else
        snprintf(word, sizeof word, "%u", (unsigned)port);
    text_format(out, "%c%-5s", address.version == 6 ? '.' : ':', word);
}

/* "17.4 M" from a million on. */
static void put_amount(uint64_t value, int width, bool is_plain, struct text *out)
{
    static const char units[] = "MGT";
    double scaled = (double)value / 1e6;
    unsigned unit = 0;
    if (is_plain || value < 1000000) {
        text_format(out, "%*llu", width, (unsigned long long)value);
        return;
    }
    while (scaled >= 1000 && units[unit + 1] != '\0') {
        scaled /= 1000;
        unit++;
    }
    text_format(out, "%*.1f %c", width - 2, scaled, units[unit]);
}

static uint64_t rate(const struct row *row, unsigned which)
{
    uint64_t ms = (uint64_t)duration_ms(row);
    uint64_t packets = number(row, C_PACKETS) + number(row, C_REV_PACKETS),
             bytes = number(row, C_BYTES) + number(row, C_REV_BYTES);
    unsigned __int128 amount = which == 0   ? (unsigned __int128)packets * 1000
                               : which == 1 ? (unsigned __int128)bytes * 8000
                                            : bytes;
    uint64_t divisor = which == 2 ? packets : ms;
    return divisor > 0 ? (uint64_t)(amount / divisor) : 0;
}

static void put_net(const struct row *row, const struct tag *tag, struct text *out)
{
    struct address address;
    char word[ADDRESS_TEXT_MAX + 1];
    uint64_t bits = number(row, tag->other);
    address_at(row, tag->column, &address);
    if (bits > 0) /* a length of 0 is none that was told */
        address_cut(&address, (unsigned)bits);
    *address_put(word, &address) = '\0';
    text_format(out, "%*s/%-2u", row->fmt->is_long_address ? 39 : tag->width, word, (unsigned)bits);
}

static void put_tag(const struct row *row, const struct tag *tag, struct text *out)
{
    struct address ignored;
    switch (tag->kind) {
    case TAG_TIME:
        put_time(row, tag->column, out);
        return;
    case TAG_EPOCH:
        text_seconds(out, (int64_t)number(row, tag->column), 3);
        return;
    case TAG_DURATION:
        put_duration(row, tag, out);
        return;
    case TAG_PROTO:
        put_proto(row, tag, out);
        return;
    case TAG_ADDRESS:
        put_address(row, tag->column, tag->width, &ignored, out);
        return;
    case TAG_ENDPOINT:
        put_endpoint(row, tag, out);
        return;
    case TAG_NET:
        put_net(row, tag, out);
        return;
    case TAG_PORT:
        put_port(row, tag, out);
        return;
    case TAG_ICMP:
        text_format(out, "%*u", tag->width,
                    is_icmp(row) ? (unsigned)(number(row, C_DPORT) >> tag->detail & 255) : 0);
        return;
    case TAG_FLAGS:
        flags_print(out, number(row, C_PROTO) == 6 ? (uint16_t)number(row, C_FLAGS) : 0);
        return;
    case TAG_NUMBER: {
        uint64_t value = number(row, tag->column);
        text_format(out, "%*llu", tag->width,
                    (unsigned long long)(tag->column == C_FLOWS && value == 0 ? 1 : value));
        return;
    }
    case TAG_AMOUNT:
        put_amount(number(row, tag->column), tag->width, row->fmt->is_plain, out);
        return;
    case TAG_TOTAL:
        put_amount(number(row, tag->column) + number(row, tag->other), tag->width,
                   row->fmt->is_plain, out);
        return;
    case TAG_RATE:
        put_amount(rate(row, tag->detail), tag->width, row->fmt->is_plain || tag->detail == 2, out);
        return;
    case TAG_CONSTANT:
        for (int i = tag->detail == '.' ? 0 : tag->width - 1; i < tag->width; i++)
            text_format(out, "%*c", tag->detail == '.' ? 1 : tag->width, (char)tag->detail);
        return;
    }
}

/* ---- lines ---- */

void fmt_header(const struct fmt *fmt, struct text *out)
{
    if (fmt->no_header)
        return;
    for (size_t i = 0; i < fmt->count; i++) {
        const struct tag *tag = fmt->piece[i].tag;
        bool is_address = tag != NULL && (tag->kind == TAG_ADDRESS || tag->kind == TAG_ENDPOINT ||
                                          tag->kind == TAG_NET);
        if (is_address && fmt->is_long_address)
            text_format(out, "%*s", 39 - tag->width, "");
        if (tag != NULL) {
            text_add(out, tag->title);
        } else { /* blanks above the text between the columns */
            text_format(out, "%*s", (int)fmt->piece[i].size, "");
        }
    }
    text_char(out, '\n');
}

void fmt_rows(const struct fmt *fmt, const struct record_batch *batch, struct text *out)
{
    for (unsigned at = 0; at < batch->count; at++) {
        struct row row = { fmt, batch, at };
        for (size_t i = 0; i < fmt->count; i++) {
            if (fmt->piece[i].tag != NULL)
                put_tag(&row, fmt->piece[i].tag, out);
            else
                text_put(out, fmt->piece[i].text, fmt->piece[i].size);
        }
        text_char(out, '\n');
    }
}
