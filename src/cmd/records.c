/* Records for questions from lake, Parquet, CSV and captures, see records.h. */
#include "cmd/records.h"
#include "cmd/shared.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEEK_OCTETS 64

#define AT(field) offsetof(struct records_command, records.field)
const struct option records_option_table[] = {
    { "read", 'r', OPTION_LIST, AT(read), "PATH",
      "input, the same as an INPUT; - is standard input" },
    { "store", 'R', OPTION_TEXT, AT(lake), "PATH",
      "lake or Parquet file (default without inputs: the lake of this user or system)" },
    { "in", 0, OPTION_TEXT, AT(kind), "KIND",
      "what the inputs are if their content does not tell: capture, csv" },
    { "filter", 'f', OPTION_TEXT, AT(filter), "EXPR",
      "only records that pass, or packets (BPF); words after -- mean the same" },
    { "filter-language", 0, OPTION_TEXT, AT(filter_language), "bpf|flow",
      "settle which of the two it is" },
    { "time", 't', OPTION_TEXT, AT(time), "FROM..TO",
      "only records that touch this time; of captures only its packets" },
    { "from", 0, OPTION_TEXT, AT(from), "TIME", "only from this time on" },
    { "to", 0, OPTION_TEXT, AT(to), "TIME", "only up to and with this time" },
    { "preset", 0, OPTION_TEXT, AT(preset), "NAME",
      "captures: metering as native (default), crl, nfpcapd" },
    { "length", 0, OPTION_TEXT, AT(length), "KIND",
      "captures: bytes are frame, link, ip (default) or payload" },
    { "uni", 0, OPTION_FLAG, AT(is_uni), NULL, "captures: one record per direction" },
    { "sort", 0, OPTION_FLAG, AT(is_sorted), NULL, "captures: merge by time" },
    { "tunnel", 0, OPTION_FLAG, AT(enters_tunnels), NULL,
      "captures: meter the packets inside tunnels" },
    { "memory", 0, OPTION_SIZE, AT(memory_octets), "SIZE",
      "for records of captures and CSV, default a quarter of the machine" },
    { "stats", 0, OPTION_FLAG, AT(has_stats), NULL, "captures: at the end the whole ledger" },
    { "quiet", 'q', OPTION_FLAG, AT(is_quiet), NULL, "captures: no ledger line" },
    { 0 },
};
#undef AT

enum input_kind { INPUT_CAPTURE, INPUT_CSV, INPUT_STORED };

/* ---- what an input is ---- */

/* Is the beginning a line of words, as no capture format has? */
static bool is_header(const uint8_t *data, size_t size)
{
    bool has_letter = false;
    for (size_t i = 0; i < size && data[i] != '\n'; i++) {
        if (!isprint(data[i]) && data[i] != '\r' && data[i] != '\t')
            return false;
        has_letter |= isalpha(data[i]) != 0;
    }
    return has_letter;
}

static int kind_of(const char *path, const char *given, enum input_kind *kind, struct err *e)
{
    struct stat st;
    *kind = INPUT_CAPTURE;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        *kind = INPUT_STORED;
        return 0;
    }
    if (given != NULL) {
        *kind = strcmp(given, "csv") == 0 ? INPUT_CSV : INPUT_CAPTURE;
        return *kind == INPUT_CSV || strcmp(given, "capture") == 0
                   ? 0
                   : err_set(e, WEIR_EUSAGE, "--in = '%s': write capture or csv", given);
    }
    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return 0; /* what cannot be looked at twice is a capture */
    uint8_t data[PEEK_OCTETS];
    struct file *file;
    int code = file_open(&file, path, FILE_READ, e);
    if (code != 0)
        return code;
    int64_t got = file_read(file, data, sizeof data, e);
    file_close(file, NULL);
    if (got >= 4 && memcmp(data, "PAR1", 4) == 0)
        *kind = INPUT_STORED;
    else if (got > 0 && is_header(data, (size_t)got))
        *kind = INPUT_CSV;
    return got < 0 ? (int)got : 0;
}

/* ---- the filter ---- */

static int make_filter(struct records *records, const struct records_options *o, const char *rest,
                       bool is_captures, struct err *e)
{
    enum filter_language language;
    struct text both = { 0 };
    int code = filter_language_parse(o->filter_language, &language, e);
    if (code != 0 || (o->filter == NULL && rest == NULL))
        return code;
    if (!is_captures && language == FILTER_LANGUAGE_BPF)
        return err_set(e, WEIR_EUSAGE,
                       "--filter-language bpf is for captures; records take a flow filter");
    if (o->filter != NULL && rest != NULL)
        text_format(&both, "(%s\n) and (%s\n)", o->filter, rest);
    const char *text = both.data != NULL ? both.data : o->filter != NULL ? o->filter : rest;
    if (both.is_bad)
        code = err_memory(e, "filter", both.room);
    else if (is_captures)
        code = lang_filter_parse_any(text, language, &records->bpf, &records->filter, e);
    else
        code = filter_parse(text, &records->filter, e);
    text_fini(&both);
    records->question.filter = records->filter;
    return code;
}

/* ---- captures ---- */

/* Counts what goes into the store: for the ledger that is the output. */
struct counting_sink {
    struct record_sink sink; /* first */
    struct record_sink *to;
    uint64_t rows;
};

static int counting_push(struct record_sink *sink, struct record_batch *batch)
{
    struct counting_sink *counting = (struct counting_sink *)sink;
    counting->rows += batch->count;
    return counting->to->push(counting->to, batch);
}

static int metering(const struct records_options *o, uint64_t memory_octets,
                    struct engine_options *engine, struct err *e)
{
    struct flow_options *flow = &engine->flow;
    flow->memory_octets = memory_octets;
    engine->worker_count = 1;
    engine->stop = stop_on_signals();
    engine->decode.enter_tunnels = o->enters_tunnels;
    if (!flow_preset(o->preset != NULL ? o->preset : "native", flow))
        return err_set(e, WEIR_EUSAGE, "no preset '%s'; write native, crl or nfpcapd", o->preset);
    if (o->is_uni)
        flow->is_biflow = false;
    if (o->length == NULL)
        return 0;
    int kind = length_kind_parse(o->length);
    if (kind < 0)
        return err_set(e, WEIR_EUSAGE, "--length = '%s': unknown; write frame, link, ip or payload",
                       o->length);
    flow->length = (enum length_kind)kind;
    return 0;
}

static int read_captures(struct records *records, const struct records_options *o,
                         uint64_t memory_octets, struct capture_options *in,
                         struct record_sink *sink, struct err *e)
{
    struct counting_sink counting = { .sink = { counting_push }, .to = sink };
    struct engine_options engine = { .who = o->who,
                                     .packet_filter = records->bpf,
                                     .flows = &counting.sink };
    struct ledger read = { 0 }, sum = { 0 };
    struct capture *capture = NULL;
    int code = metering(o, memory_octets, &engine, e);
    if (code == 0)
        code = capture_open_files(&capture, in, &read, e);
    if (code != 0)
        return code;
    code = engine_meter(capture, &engine, &sum, e);
    sum.in[STAGE_output] += counting.rows;
    sum.out[STAGE_output] += counting.rows;
    ledger_say(&sum, o->has_stats, o->is_quiet);
    records->worst = code == WEIR_EINTERRUPT ? code : capture->worst;
    capture_close(capture);
    return code == WEIR_EINTERRUPT ? 0 : code;
}

/* ---- opening ---- */

static int open_stored(struct records *records, const struct records_options *o, const char *path,
                       struct err *e)
{
    struct text messages = { 0 }, fallback = { 0 };
    int code = path == NULL ? lake_default_path(&fallback, e) : 0;
    if (code == 0)
        code = store_open_lake(&records->store, path != NULL ? path : fallback.data,
                               records->question.from_ns, records->question.to_ns, &messages, e);
    if (!o->is_quiet)
        text_say(&messages, o->who);
    text_fini(&messages);
    text_fini(&fallback);
    return code;
}

/* Captures and CSV files into a store in memory, each kind in the order given. */
static int read_files(struct records *records, const struct records_options *o,
                      const char *const path[], const enum input_kind kind[], size_t count,
                      struct err *e)
{
    struct record_sink *sink;
    struct text messages = { 0 };
    const char **captures = calloc(count, sizeof *captures);
    if (captures == NULL)
        return err_memory(e, "inputs", count * sizeof *captures);
    uint64_t memory = o->memory_octets > 0
                          ? o->memory_octets
                          : memory_default(); /* half for the meter, half for its records */
    int code = store_open_memory(&records->store, &record_types[RECORD_flow], memory / 2, &sink, e);
    struct capture_options in = { .path = captures,
                                  .is_sorted = o->is_sorted,
                                  .from_ns = records->question.from_ns,
                                  .to_ns = records->question.to_ns };
    for (size_t i = 0; i < count && code == 0; i++) {
        if (kind[i] == INPUT_CAPTURE)
            captures[in.path_count++] = path[i];
        else if ((code = csv_read(path[i], &record_types[RECORD_flow], sink, &messages, e)) ==
                 WEIR_EINPUT) {
            text_format(&messages, "%s\n", e->text);
            records->worst = code;
            code = 0;
        }
    }
    if (!o->is_quiet || records->worst != 0)
        text_say(&messages, o->who);
    text_fini(&messages);
    if (code == 0 && in.path_count > 0) {
        code = read_captures(records, o, memory / 2, &in, sink, e);
        if (in.path_count == count) { /* the packets were chosen already */
            records->question.from_ns = INT64_MIN;
            records->question.to_ns = INT64_MAX;
        }
    }
    free(captures);
    return code;
}

int records_open(struct records *records, const struct records_options *o,
                 const struct option_list *inputs, const char *rest, struct err *e)
{
    *records = (struct records){ 0 };
    size_t count = o->read.count + inputs->count, stored = 0, captures = 0;
    const char **path = calloc(count + 1, sizeof *path);
    enum input_kind *kind = calloc(count + 1, sizeof *kind);
    int code = path != NULL && kind != NULL ? 0 : err_memory(e, "inputs", count * sizeof *path);
    for (size_t i = 0; i < count && code == 0; i++) {
        path[i] = i < o->read.count ? o->read.item[i] : inputs->item[i - o->read.count];
        code = kind_of(path[i], o->kind, &kind[i], e);
        stored += kind[i] == INPUT_STORED;
        captures += kind[i] == INPUT_CAPTURE;
    }
    if (code == 0 && (stored > 1 || (stored == 1 && count > 1) || (count > 0 && o->lake != NULL)))
        code = err_set(e, WEIR_EUSAGE,
                       "a lake or Parquet file is the only input; ask about it and the other files "
                       "one after the other");
    if (code == 0)
        code = time_range_parse(o->time, o->from, o->to, &records->question.from_ns,
                                &records->question.to_ns, e);
    if (code == 0)
        code = make_filter(records, o, rest, captures > 0 && captures == count, e);
    if (code == 0)
        code = stored > 0 || count == 0 ? open_stored(records, o, count > 0 ? path[0] : o->lake, e)
                                        : read_files(records, o, path, kind, count, e);
    free(path);
    free(kind);
    return code;
}

int records_close(struct records *records, int code, struct err *e)
{
    store_close(records->store);
    bpf_free(records->bpf);
    filter_free(records->filter);
    if (code == 0 && records->worst == WEIR_EINPUT)
        code = err_set(e, records->worst,
                       "some input was damaged, see above; everything before the damage was used");
    else if (code == 0 && records->worst == WEIR_EINTERRUPT)
        code =
            err_set(e, records->worst, "interrupted; the answer is about what was read until then");
    return code;
}
