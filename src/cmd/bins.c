/* A distribution as rows, see bins.h. */
#include "cmd/bins.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LO, HI, COUNT, PERCENT, CUMULATIVE, MEAN, MIN, MAX }; /* BINS_HISTOGRAM */
enum { ECDF_VALUE, ECDF_COUNT, ECDF_CUMULATIVE };            /* BINS_ECDF */
enum { STATISTIC, STATISTIC_VALUE };                         /* BINS_STATISTICS */
enum { COLUMNS_HISTOGRAM = 8, COLUMNS_ECDF = 3, COLUMNS_STATISTICS = 2 };

int bins_table_open(struct bins_table *t, enum bins_kind kind, bool is_time,
                    const struct output_options *options, struct err *e)
{
    enum value_type value = is_time ? T_DURATION : T_U64;
    enum unit unit = is_time ? U_SECONDS : U_NONE;
    const struct column_type histogram[COLUMNS_HISTOGRAM] = {
        [LO] = { "lo", value, unit, FIELD_NONE },
        [HI] = { "hi", value, unit, FIELD_NONE },
        [COUNT] = { "count", T_U64, U_NONE, FIELD_NONE },
        [PERCENT] = { "percent", T_F64, U_PERCENT, FIELD_NONE },
        [CUMULATIVE] = { "cumulative", T_F64, U_NONE, FIELD_NONE },
        [MEAN] = { "mean", T_F64, unit, FIELD_NONE },
        [MIN] = { "min", value, unit, FIELD_NONE },
        [MAX] = { "max", value, unit, FIELD_NONE },
    };
    const struct column_type ecdf[COLUMNS_ECDF] = {
        [ECDF_VALUE] = { "value", value, unit, FIELD_NONE },
        [ECDF_COUNT] = { "count", T_U64, U_NONE, FIELD_NONE },
        [ECDF_CUMULATIVE] = { "cumulative", T_F64, U_NONE, FIELD_NONE },
    };
    const struct column_type statistics[COLUMNS_STATISTICS] = {
        [STATISTIC] = { "statistic", T_TEXT, U_NONE, FIELD_NONE },
        [STATISTIC_VALUE] = { "value", T_F64, U_NONE, FIELD_NONE },
    };
    const struct column_type *from[] = {
        [BINS_HISTOGRAM] = histogram, [BINS_ECDF] = ecdf, [BINS_STATISTICS] = statistics
    };
    static const unsigned counts[] = { [BINS_HISTOGRAM] = COLUMNS_HISTOGRAM,
                                       [BINS_ECDF] = COLUMNS_ECDF,
                                       [BINS_STATISTICS] = COLUMNS_STATISTICS };
    *t = (struct bins_table){ .is_time = is_time };
    memcpy(t->column, from[kind], counts[kind] * sizeof *t->column);
    t->type = (struct record_type){ .name = "distribution",
                                    .help = "how a number is distributed",
                                    .column_count = counts[kind],
                                    .column = t->column };
    return output_open(&t->output, options, &t->type, NULL, e);
}

static int push(struct bins_table *t)
{
    struct record_batch *batch = t->batch;
    if (batch == NULL)
        return 0;
    t->batch = NULL;
    record_batch_seal(batch);
    return t->output->sink.push(&t->output->sink, batch);
}

int bins_table_close(struct bins_table *t, int code, struct err *e)
{
    if (code == 0)
        code = push(t);
    record_batch_unref(t->batch);
    struct err late = { 0 };
    int closed = output_close(t->output, &late);
    return closed != 0 ? err_set(e, closed, "%s", late.text) : code;
}

/* A row to fill; NULL without memory. The one before it is complete. */
static struct column *next_row(struct bins_table *t, unsigned *row, struct err *e)
{
    if (t->batch != NULL && t->batch->count == t->batch->capacity && push(t) != 0)
        return NULL; /* the output keeps the reason */
    if (t->batch == NULL)
        t->batch = record_batch_new(&t->type, RECORD_BATCH_ROWS);
    for (unsigned i = 0; t->batch != NULL && i < t->type.column_count; i++)
        if (record_batch_column(t->batch, i) == NULL) {
            record_batch_unref(t->batch);
            t->batch = NULL;
        }
    if (t->batch == NULL) {
        err_memory(e, "rows", RECORD_BATCH_ROWS);
        return NULL;
    }
    *row = t->batch->count++;
    return t->batch->column;
}

int bins_put_statistic(struct bins_table *t, const char *name, double value, struct err *e)
{
    unsigned row;
    struct column *c = next_row(t, &row, e);
    size_t size = strlen(name);
    const char *kept = c != NULL ? arena_text(&t->batch->arena, name, size) : NULL;
    if (kept == NULL)
        return err_memory(e, "rows", size);
    ((struct bytes *)c[STATISTIC].data)[row] = (struct bytes){ (const uint8_t *)kept, size };
    ((double *)c[STATISTIC_VALUE].data)[row] = value;
    return 0;
}

int bins_put_ecdf(struct bins_table *t, const struct distribution *d, struct err *e)
{
    struct distribution_bucket b;
    uint64_t at = 0, seen = 0;
    while (distribution_next(d, &at, &b)) {
        unsigned row;
        struct column *c = next_row(t, &row, e);
        if (c == NULL)
            return WEIR_EMEMORY;
        seen += b.count;
        ((uint64_t *)c[ECDF_VALUE].data)[row] = b.lo + (b.hi - b.lo) / 2;
        ((uint64_t *)c[ECDF_COUNT].data)[row] = b.count;
        ((double *)c[ECDF_CUMULATIVE].data)[row] = (double)seen / (double)d->count;
    }
    return 0;
}

/* ---- edges ---- */

struct edges {
    uint64_t *at; /* rising; bins are [at[i], at[i + 1]), the last is open */
    size_t count;
};

static int edges_add(struct edges *edges, uint64_t edge, struct err *e)
{
    if (edges->count == BINS_MAX)
        return err_set(e, WEIR_EUSAGE, "--bins: more than %d bins; make them wider", BINS_MAX);
    edges->at[edges->count++] = edge;
    return 0;
}

static int parse_edge(const char *text, bool is_time, uint64_t *edge, struct err *e)
{
    int64_t ns = 0;
    int code = is_time ? parse_duration(text, &ns, "--bins", e)
                       : parse_u64(text, 0, UINT64_MAX, edge, "--bins", e);
    if (is_time)
        *edge = (uint64_t)ns;
    return code;
}

static int edges_listed(struct edges *edges, const char *list, bool is_time, struct err *e)
{
    int code = 0;
    for (const char *at = list; at != NULL && code == 0;) {
        size_t size = strcspn(at, ",");
        char *word = strndup(at, size);
        if (word == NULL)
            return err_memory(e, "--bins", size);
        uint64_t edge = 0;
        code = parse_edge(word, is_time, &edge, e);
        if (code == 0 && edges->count > 0 && edge <= edges->at[edges->count - 1])
            code = err_set(e, WEIR_EUSAGE, "--bins: '%s' is not above the edge before it", word);
        if (code == 0)
            code = edges_add(edges, edge, e);
        free(word);
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
    return code;
}

static int edges_wide(struct edges *edges, uint64_t width, const struct distribution *d,
                      struct err *e)
{
    int code = 0;
    if (width == 0)
        return err_set(e, WEIR_EUSAGE, "--bins: a width of 0 holds nothing");
    uint64_t first = d->count > 0 ? d->min / width * width : 0, last = d->count > 0 ? d->max : 0;
    for (uint64_t edge = first; code == 0; edge += width) {
        code = edges_add(edges, edge, e);
        if (last - edge < width)
            break;
    }
    return code;
}

/* Powers of 2^(1/steps), rounded up, the same number only once: from the last one at or below the
 * smallest value to the largest. */
static int edges_log(struct edges *edges, uint64_t steps, const struct distribution *d,
                     struct err *e)
{
    uint64_t smallest = d->count > 0 ? d->min : 0, largest = d->count > 0 ? d->max : 0, before = 0;
    int code = edges_add(edges, 0, e);
    for (uint64_t i = 0; code == 0 && i < 64 * steps; i++) {
        double power = ceil(exp2((double)i / (double)steps));
        if (power > (double)largest)
            break;
        if ((uint64_t)power <= before)
            continue;
        before = (uint64_t)power;
        if (before <= smallest)
            edges->at[0] = before;
        else
            code = edges_add(edges, before, e);
    }
    return code;
}

/* Freedman and Diaconis: twice the interquartile range over the cube root of n. */
static uint64_t width_fd(const struct distribution *d)
{
    double range = distribution_quantile(d, 0.75) - distribution_quantile(d, 0.25);
    double width = d->count > 0 ? 2 * range / cbrt((double)d->count) : 1;
    double least = d->count > 0 ? (double)(d->max - d->min) / (BINS_MAX - 2)
                                : 1; /* a long tail must not ask for too many */
    width = width > least ? width : least;
    return width < 1 ? 1 : (uint64_t)ceil(width);
}

static int edges_make(struct edges *edges, const char *bins, bool is_time,
                      const struct distribution *d, struct err *e)
{
    uint64_t number = 0;
    if (bins == NULL)
        return edges_log(edges, 1, d, e);
    if (strcmp(bins, "fd") == 0)
        return edges_wide(edges, width_fd(d), d, e);
    if (strncmp(bins, "width:", 6) == 0) {
        int code = parse_edge(bins + 6, is_time, &number, e);
        return code == 0 ? edges_wide(edges, number, d, e) : code;
    }
    if (strncmp(bins, "log:", 4) == 0) {
        int code = parse_u64(bins + 4, 1, 512, &number, "--bins log", e);
        return code == 0 ? edges_log(edges, number, d, e) : code;
    }
    return edges_listed(edges, bins, is_time, e);
}

static int edges_new(struct edges *edges, struct err *e)
{
    *edges = (struct edges){ .at = calloc(BINS_MAX, sizeof *edges->at) };
    return edges->at != NULL ? 0 : err_memory(e, "bins", BINS_MAX * sizeof *edges->at);
}

int bins_check(const char *bins, bool is_time, struct err *e)
{
    struct edges edges;
    struct distribution none = { 0 };
    if (strcmp(bins, "fd") == 0)
        return 0;
    int code = edges_new(&edges, e);
    if (code == 0)
        code = edges_make(&edges, bins, is_time, &none, e);
    free(edges.at);
    return code;
}

/* ---- rows of a histogram ---- */

struct bin {
    uint64_t count, min, max;
    double sum;
};

static void bin_add(struct bin *bin, const struct distribution_bucket *b)
{
    bin->min = bin->count == 0 ? b->lo : bin->min;
    bin->max = b->hi;
    bin->count += b->count;
    bin->sum += ((double)b->lo + (double)b->hi) / 2 * (double)b->count;
}

/* `hi` is UINT64_MAX for the open end. An empty bin has no mean, min and max. */
static int put_bin(struct bins_table *t, uint64_t lo, uint64_t hi, const struct bin *bin,
                   uint64_t before, uint64_t total, struct err *e)
{
    unsigned row;
    struct column *c = next_row(t, &row, e);
    if (c == NULL)
        return WEIR_EMEMORY;
    double n = total > 0 ? (double)total : 1;
    ((uint64_t *)c[LO].data)[row] = lo;
    ((uint64_t *)c[HI].data)[row] = hi;
    ((uint64_t *)c[COUNT].data)[row] = bin->count;
    ((double *)c[PERCENT].data)[row] = 100 * (double)bin->count / n;
    ((double *)c[CUMULATIVE].data)[row] = (double)(before + bin->count) / n;
    ((double *)c[MEAN].data)[row] =
        bin->count > 0 ? bin->sum / (double)bin->count / (t->is_time ? 1e9 : 1) : 0;
    ((uint64_t *)c[MIN].data)[row] = bin->min;
    ((uint64_t *)c[MAX].data)[row] = bin->max;
    int code = hi == UINT64_MAX ? record_batch_set_null(t->batch, HI, row) : 0;
    for (unsigned i = MEAN; i <= MAX && bin->count == 0; i++)
        code |= record_batch_set_null(t->batch, i, row);
    return code == 0 ? 0 : err_memory(e, "rows", RECORD_BATCH_ROWS);
}

int bins_put_histogram(struct bins_table *t, const struct distribution *d, const char *bins,
                       bool is_time, struct err *e)
{
    struct edges edges;
    int code = edges_new(&edges, e);
    if (code == 0)
        code = edges_make(&edges, bins, is_time, d, e);
    struct distribution_bucket b;
    uint64_t at = 0, before = 0;
    bool has_more = distribution_next(d, &at, &b);
    /* Values below the first edge get a row of their own. */
    bool is_below = code == 0 && has_more && b.lo < edges.at[0];
    for (size_t i = 0; code == 0 && i < edges.count + is_below; i++) {
        size_t edge = i - is_below;
        uint64_t lo = is_below && i == 0 ? b.lo : edges.at[edge];
        uint64_t next = is_below && i == 0       ? edges.at[0]
                        : edge + 1 < edges.count ? edges.at[edge + 1]
                                                 : UINT64_MAX;
        bool is_open = edge + 1 == edges.count && !(is_below && i == 0);
        struct bin bin = { 0 };
        for (; has_more && (is_open || b.lo + (b.hi - b.lo) / 2 < next);
             has_more = distribution_next(d, &at, &b))
            bin_add(&bin, &b);
        code = put_bin(t, lo, is_open ? UINT64_MAX : next - 1, &bin, before, d->count, e);
        before += bin.count;
    }
    free(edges.at);
    return code;
}
