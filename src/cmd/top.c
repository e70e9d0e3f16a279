/* weir top: what stands first by a key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/records.h"

struct top_command {
    struct output_options output; /* these two first, see records.h */
    struct records_options records;
    uint64_t row_max;
    const char *layout;
    bool has_sides, is_distinct;
};

static const struct option options[] = {
    { "rows", 'n', OPTION_COUNT, offsetof(struct top_command, row_max), "N",
      "rows, 0 = all; default 10" },
    { "sides", 0, OPTION_FLAG, offsetof(struct top_command, has_sides), NULL,
      "sent and received apart: tx_ and rx_ columns" },
    { "distinct", 0, OPTION_FLAG, offsetof(struct top_command, is_distinct), NULL,
      "only how many different values there are" },
    { "layout", 0, OPTION_TEXT, offsetof(struct top_command, layout), "NAME",
      "nfdump: count and cut as nfdump does" },
    { 0 },
};
static const struct option *const tables[] = { options, records_option_table, output_option_table,
                                               NULL };

static int top_command_run(int argc, char **argv, struct err *e);

const struct command top_command = {
    .name = "top",
    .help = "who and what stands first: addresses, ports, protocols, pairs",
    .arguments = "[STAT[:p][/ORDER] ...] [INPUT ...] [-- FILTER]",
    .examples = "  weir top capture.pcap.gz                     who talks most, ip/bytes\n"
                "  weir top srcip/bytes dstport:p -n 5 capture.pcap -- proto tcp\n"
                "  weir top pair/packets -R /var/lib/weir -t 2026-11-21..2026-11-22\n"
                "  STAT: srcip dstip ip srcport dstport port proto tos srcas dstas as inif outif "
                "if vlan srcmac dstmac mac\n"
                "        nexthop exporter end_reason tunnel srcnet/N dstnet/N, pair, matrix, conv, "
                "record, row\n"
                "  ORDER: flows (default) packets bytes pps bps bpp duration\n",
    .options = tables,
    .run = top_command_run,
};

struct asking {
    const struct output_options *options;
    struct output *output;
};

static struct record_sink *open_sink(void *context, const struct record_type *type, struct err *e)
{
    struct asking *asking = context;
    return output_open(&asking->output, asking->options, type, NULL, e) == 0 ? &asking->output->sink
                                                                             : NULL;
}

static int ask(const struct top_command *o, const struct records *records, const char *stat,
               struct err *e)
{
    struct top_options asked = { .question = records->question,
                                 .has_sides = o->has_sides,
                                 .is_distinct = o->is_distinct,
                                 .is_nfdump = o->layout != NULL };
    struct asking asking = { .options = &o->output };
    struct answer answer = { 0 };
    struct err later = { 0 };
    asked.question.row_max = o->row_max;
    int code = top_sql(stat, &asked, &answer, e);
    if (code == 0)
        code = answer_ask(&answer, records->store, open_sink, &asking, e);
    if (code < 0 && asking.output != NULL && asking.output->error.code < 0)
        code = err_set(e, asking.output->error.code, "%s", asking.output->error.text);
    if (output_close(asking.output, &later) < 0 && code == 0)
        code = err_set(e, later.code, "%s", later.text);
    answer_fini(&answer);
    return code;
}

/* How many of the words are STATs: they stand before the inputs. */
static int count_stats(const struct option_list *words, size_t *count, struct err *e)
{
    for (*count = 0; *count < words->count && top_is_stat(words->item[*count]); (*count)++)
        ;
    if (*count == words->count || access(words->item[*count], F_OK) == 0 ||
        strcmp(words->item[*count], "-") == 0 || strchr(words->item[*count], '.') != NULL)
        return 0;
    /* Neither a STAT nor a file: more likely a slip in the first than in the second. */
    struct answer answer = { 0 };
    int code = *count == 0 ? top_sql(words->item[0], &(struct top_options){ 0 }, &answer, e) : 0;
    answer_fini(&answer);
    return code;
}

static int ask_all(const struct top_command *o, const struct records *records,
                   const struct option_list *words, size_t stats, struct err *e)
{
    static const char who_talks_most[] = "ip/bytes";
    int code = 0;
    if (stats == 0)
        return ask(o, records, who_talks_most, e);
    for (size_t i = 0; i < stats && code == 0; i++) {
        bool is_several = stats > 1;
        if (is_several && i > 0)
            printf("\n");
        if (is_several && (o->output.format != NULL ? strcmp(o->output.format, "table") == 0
                                                    : isatty(STDOUT_FILENO)))
            printf("%s\n", words->item[i]);
        fflush(stdout); /* the output writes past stdio */
        code = ask(o, records, words->item[i], e);
    }
    return code;
}

static int top_command_run(int argc, char **argv, struct err *e)
{
    struct top_command o = { .output = OUTPUT_DEFAULTS, .records.who = "weir top", .row_max = 10 };
    struct option_list words = { 0 };
    char *rest = NULL;
    size_t stats = 0;
    int code = command_parse(&top_command, argc, argv, &o, &words, &rest, e);
    bool is_asked = code == 0;
    if (code == 0)
        code = count_stats(&words, &stats, e);
    if (code == 0 && o.layout != NULL && strcmp(o.layout, "nfdump") != 0)
        code = err_set(e, WEIR_EUSAGE, "--layout = '%s': write nfdump", o.layout);
    if (code == 0 && stats > 1 && o.output.path != NULL && strcmp(o.output.path, "-") != 0)
        code = err_set(e, WEIR_EUSAGE,
                       "one file takes one STAT; leave --write or the other STATs out");
    if (is_asked && code == 0) {
        struct records records;
        struct option_list inputs = { words.item + stats, words.count - stats };
        code = records_open(&records, &o.records, &inputs, rest, e);
        if (code == 0)
            code = ask_all(&o, &records, &words, stats, e);
        code = records_close(&records, code, e);
    }
    free(rest);
    option_list_fini(&words);
    option_list_fini(&o.records.read);
    return code < 0 ? code : 0;
}
