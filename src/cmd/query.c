/* weir query: list, join, aggregate and sum up records, or ask in SQL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/records.h"

struct query_command {
    struct output_options output; /* these two first, see records.h */
    struct records_options records;
    uint64_t row_max, record_max;
    const char *keys, *order, *sql, *stat;
    bool is_by_tuple, is_both_ways, is_client_server, is_total, is_long_address;
};

#define AT(field) offsetof(struct query_command, field)
static const struct option options[] = {
    { "aggregate", 'A', OPTION_TEXT, AT(keys), "KEYS",
      "join records by srcip,dstip,srcport,dstport,proto,srcnet/N ... or columns" },
    { "tuple", 'a', OPTION_FLAG, AT(is_by_tuple), NULL, "join records by 5-tuple" },
    { "both", 'b', OPTION_FLAG, AT(is_both_ways), NULL, "both directions of a 5-tuple in one row" },
    { "both-client", 'B', OPTION_FLAG, AT(is_client_server), NULL,
      "the same, towards the lower port" },
    { "stat", 's', OPTION_TEXT, AT(stat), "STAT", "as weir top: srcip/bytes" },
    { "order", 'O', OPTION_TEXT, AT(order), "ORDER",
      "tstart tend duration flows packets bytes pps bps bpp" },
    { "rows", 'n', OPTION_COUNT, AT(row_max), "N",
      "rows of the answer, 0 = all (default; with -s 10)" },
    { "count", 'c', OPTION_COUNT, AT(record_max), "N", "only the first N records that pass" },
    { "totals", 0, OPTION_FLAG, AT(is_total), NULL, "one row with the sums" },
    { "sql", 0, OPTION_TEXT, AT(sql), "SELECT", "a statement that reads; tables flow, ledger" },
    { "long-addresses", '6', OPTION_FLAG, AT(is_long_address), NULL,
      "fmt: IPv6 addresses in full" },
    { 0 },
};
#undef AT
static const struct option *const tables[] = { options, records_option_table, output_option_table,
                                               NULL };

static int query_command_run(int argc, char **argv, struct err *e);

const struct command query_command = {
    .name = "query",
    .help = "list, join, sort and sum up flow records, or ask in SQL",
    .arguments = "[INPUT ...] [-- FILTER]",
    .examples =
        "  weir query capture.pcap -o 'fmt:%td %sa %da %byt' -- ip 192.0.2.1\n"
        "  weir query -A dstport,proto -O bytes -n 20 -R /var/lib/weir -- net 10.0.0.0/8\n"
        "  weir query --sql 'SELECT proto, sum(bytes) FROM flow GROUP BY proto' capture.pcap\n"
        "  -o also takes line, long, extended, biline, bilong and fmt: with nfdump's tags\n",
    .options = tables,
    .run = query_command_run,
};

/* Rows on their way to an output or, as lines, to a file. */
struct asking {
    struct record_sink lines; /* first */
    const struct query_command *o;
    struct output *output;
    struct fmt *fmt;
    struct file *file;
    struct err error;
};

static int push_lines(struct record_sink *sink, struct record_batch *batch)
{
    struct asking *asking = (struct asking *)sink;
    struct text out = { 0 };
    fmt_rows(asking->fmt, batch, &out);
    int code = out.is_bad ? err_memory(&asking->error, "lines", out.room)
                          : file_write(asking->file, out.data, out.size, &asking->error);
    text_fini(&out);
    record_batch_unref(batch);
    return code;
}

static struct record_sink *open_lines(struct asking *asking, const struct record_type *type,
                                      struct err *e)
{
    const struct output_options *o = &asking->o->output;
    struct fmt_options lines = { .format = o->format,
                                 .is_long_address = asking->o->is_long_address,
                                 .is_plain = o->plain_numbers,
                                 .no_header = o->no_header };
    struct text header = { 0 };
    int code = fmt_open(&asking->fmt, &lines, type, e);
    if (code == 0)
        code = file_open(&asking->file, o->path != NULL ? o->path : "-", FILE_CREATE, e);
    if (code == 0) {
        fmt_header(asking->fmt, &header);
        code = file_write(asking->file, header.data, header.size, e);
    }
    text_fini(&header);
    return code == 0 ? &asking->lines : NULL;
}

static struct record_sink *open_sink(void *context, const struct record_type *type, struct err *e)
{
    struct asking *asking = context;
    if (fmt_is_name(asking->o->output.format))
        return open_lines(asking, type, e);
    return output_open(&asking->output, &asking->o->output, type, NULL, e) == 0
               ? &asking->output->sink
               : NULL;
}

static int make_answer(const struct query_command *o, const struct records *records,
                       struct answer *answer, struct err *e)
{
    struct question question = records->question;
    question.record_max = o->record_max;
    question.row_max = o->row_max == UINT64_MAX ? 0 : o->row_max;
    if (o->stat != NULL) {
        question.row_max = o->row_max == UINT64_MAX ? 10 : o->row_max;
        return top_sql(o->stat, &(struct top_options){ .question = question }, answer, e);
    }
    struct query_options asked = {
        .question = question,
        .keys = o->is_by_tuple ? "" : o->keys,
        .joining = o->is_client_server ? JOIN_CLIENT_SERVER
                   : o->is_both_ways   ? JOIN_BOTH_WAYS
                                       : JOIN_NONE,
        .is_total = o->is_total,
        .order = o->order,
    };
    return query_sql(&asked, answer, e);
}

static int ask(const struct query_command *o, const struct records *records, struct err *e)
{
    struct asking asking = { .lines = { push_lines }, .o = o };
    struct answer answer = { 0 };
    struct err later = { 0 };
    int code = 0;
    if (o->sql != NULL) {
        code = store_ask(records->store, o->sql, open_sink, &asking, e);
    } else {
        code = make_answer(o, records, &answer, e);
        if (code == 0)
            code = answer_ask(&answer, records->store, open_sink, &asking, e);
    }
    const struct err *reason = asking.output != NULL ? &asking.output->error : &asking.error;
    if (code < 0 && reason->code < 0)
        code = err_set(e, reason->code, "%s", reason->text);
    if (output_close(asking.output, &later) < 0 && code == 0)
        code = err_set(e, later.code, "%s", later.text);
    if (file_close(asking.file, &later) < 0 && code == 0)
        code = err_set(e, later.code, "%s", later.text);
    fmt_close(asking.fmt);
    answer_fini(&answer);
    return code;
}

static int check(const struct query_command *o, const char *rest, struct err *e)
{
    bool is_asked = o->is_by_tuple || o->keys != NULL || o->is_both_ways || o->is_client_server ||
                    o->is_total || o->stat != NULL;
    if (o->sql != NULL &&
        (is_asked || o->order != NULL || o->records.filter != NULL || rest != NULL))
        return err_set(e, WEIR_EUSAGE,
                       "--sql says it all; put filter, keys and order into the statement");
    if (o->is_by_tuple && o->keys != NULL)
        return err_set(e, WEIR_EUSAGE, "-a and -A exclude each other");
    return 0;
}

static int query_command_run(int argc, char **argv, struct err *e)
{
    struct query_command o = { .output = OUTPUT_DEFAULTS,
                               .records.who = "weir query",
                               .row_max = UINT64_MAX };
    struct option_list inputs = { 0 };
    char *rest = NULL;
    int code = command_parse(&query_command, argc, argv, &o, &inputs, &rest, e);
    bool is_asked = code == 0;
    if (code == 0)
        code = check(&o, rest, e);
    if (is_asked && code == 0) {
        struct records records;
        code = records_open(&records, &o.records, &inputs, rest, e);
        if (code == 0)
            code = ask(&o, &records, e);
        code = records_close(&records, code, e);
    }
    free(rest);
    option_list_fini(&inputs);
    option_list_fini(&o.records.read);
    return code < 0 ? code : 0;
}
