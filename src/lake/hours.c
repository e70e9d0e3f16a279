/*
 * Rows waiting for their hour. A row lies in the folder of the hour of its start, so each hour of
 * each type has a buffer. Whole batches of one hour are kept as they are; rows of mixed or small
 * batches are copied into the hour's open batch.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lake/inside.h"

#define HOUR_NS         (3600 * NS_PER_S)
#define WHOLE_ROWS      512 /* batches smaller than this are copied together */
#define OPEN_ROWS_FIRST 128 /* room of an hour's first open batch: stray rows are few */

static int64_t hour_of(int64_t ns)
{
    return ns / HOUR_NS - (ns % HOUR_NS < 0);
}

uint64_t batch_octets(const struct record_batch *batch)
{
    uint64_t octets = sizeof *batch + batch->arena.octets;
    for (unsigned i = 0; i < batch->type->column_count; i++) {
        if (batch->column[i].data != NULL)
            octets += batch->capacity * value_size(batch->type->column[i].type);
        if (batch->column[i].is_null != NULL)
            octets += batch->capacity;
    }
    return octets;
}

/* Time in column `index`, or `missing`. */
static int64_t time_at(const struct record_batch *batch, int index, unsigned row, int64_t missing)
{
    if (index < 0 || record_is_null(batch, (unsigned)index, row))
        return missing;
    return ((const int64_t *)batch->column[index].data)[row];
}

/* Rows from `row` on that start in the same hour. */
static unsigned run_length(const struct record_batch *batch, int start, unsigned row)
{
    int64_t hour = hour_of(time_at(batch, start, row, 0));
    unsigned end = row + 1;
    while (end < batch->count && hour_of(time_at(batch, start, end, 0)) == hour)
        end++;
    return end - row;
}

static struct hour *hours_find(struct hours *hours, const struct record_type *type, int64_t number)
{
    for (unsigned i = hours->count; i-- > 0;)
        if (hours->hour[i]->number == number && hours->hour[i]->type == type)
            return hours->hour[i];
    return NULL;
}

static struct hour *hours_new(struct hours *hours, const struct record_type *type, int64_t number)
{
    struct hour *h = malloc(sizeof *h);
    if (h == NULL)
        return NULL;
    *h = (struct hour){ .type = type,
                        .number = number,
                        .octets = sizeof *h,
                        .first_ns = INT64_MAX,
                        .last_ns = INT64_MIN,
                        .sampling_min = UINT64_MAX };
    hours->hour[hours->count++] = h;
    hours->octets += h->octets;
    return h;
}

/* What the footer will say about rows [row, row + count). */
static void note(struct hour *h, const struct record_batch *batch, unsigned row, unsigned count)
{
    int start = record_column_find(h->type, "start"), end = record_column_find(h->type, "end");
    int sampling = record_column_find(h->type, "sampling");
    for (unsigned i = row; i < row + count; i++) {
        int64_t first = time_at(batch, start, i, 0), last = time_at(batch, end, i, first);
        h->first_ns = first < h->first_ns ? first : h->first_ns;
        h->last_ns = last > h->last_ns ? last : h->last_ns;
        h->last_ns = first > h->last_ns ? first : h->last_ns;
    }
    bool is_sampled = sampling >= 0 && batch->column[sampling].data != NULL;
    for (unsigned i = row; i < (is_sampled ? row + count : row + 1); i++) {
        bool is_known = is_sampled && !record_is_null(batch, (unsigned)sampling, i);
        uint64_t rate = is_known ? ((const uint32_t *)batch->column[sampling].data)[i] : 1;
        h->sampling_min = rate < h->sampling_min ? rate : h->sampling_min;
        h->sampling_max = rate > h->sampling_max ? rate : h->sampling_max;
    }
    for (unsigned i = 0; i < h->type->column_count; i++)
        h->columns |= (uint64_t)(batch->column[i].data != NULL) << i;
    h->rows += count;
}

static int hour_keep(struct hour *h, struct record_batch *batch)
{
    if (h->batch_count == h->batch_room) {
        unsigned room = h->batch_room == 0 ? 16 : 2 * h->batch_room;
        struct record_batch **more = realloc(h->batch, room * sizeof *more);
        if (more == NULL)
            return -1;
        h->batch = more;
        h->batch_room = room;
    }
    h->batch[h->batch_count++] = batch;
    return 0;
}

static int hour_close_open(struct hour *h)
{
    if (h->open == NULL)
        return 0;
    record_batch_seal(h->open);
    int code = hour_keep(h, h->open);
    if (code == 0)
        h->open = NULL;
    return code;
}

/* Values [row, row + count) of one column behind the `to->count` rows of `to`. -1 without memory.
 */
static int copy_values(struct record_batch *to, const struct record_batch *from, unsigned index,
                       unsigned row, unsigned count)
{
    const struct column *c = &from->column[index];
    bool was_empty = to->column[index].data == NULL;
    if (c->data == NULL) {
        for (unsigned i = 0; i < count && !was_empty; i++)
            if (record_batch_set_null(to, index, to->count + i) != 0)
                return -1;
        return 0;
    }
    uint8_t *data = record_batch_column(to, index);
    if (data == NULL)
        return -1;
    for (unsigned i = 0; i < to->count && was_empty; i++)
        if (record_batch_set_null(to, index, i) != 0)
            return -1;
    enum value_type type = from->type->column[index].type;
    size_t size = value_size(type);
    memcpy(data + to->count * size, (const uint8_t *)c->data + row * size, count * size);
    for (unsigned i = 0; i < count; i++) {
        if (c->is_null != NULL && c->is_null[row + i] &&
            record_batch_set_null(to, index, to->count + i) != 0)
            return -1;
        if (type != T_TEXT || record_is_null(from, index, row + i))
            continue;
        struct bytes *text = (struct bytes *)data + to->count + i;
        text->data = (uint8_t *)arena_text(&to->arena, (const char *)text->data, text->size);
        if (text->data == NULL)
            return -1;
    }
    return 0;
}

/* Copy rows into the open batch; *done of them fitted. */
static int hour_copy(struct hour *h, const struct record_batch *batch, unsigned row, unsigned count,
                     unsigned *done)
{
    *done = 0;
    if (h->open != NULL && h->open->count == h->open->capacity && hour_close_open(h) != 0)
        return -1;
    if (h->open == NULL) {
        h->open =
            record_batch_new(h->type, h->batch_count == 0 ? OPEN_ROWS_FIRST : RECORD_BATCH_ROWS);
        if (h->open == NULL)
            return -1;
        h->octets += batch_octets(h->open);
    }
    unsigned room = h->open->capacity - h->open->count;
    unsigned fits = count < room ? count : room;
    uint64_t before = batch_octets(h->open);
    int code = 0;
    for (unsigned i = 0; i < h->type->column_count && code == 0; i++)
        code = copy_values(h->open, batch, i, row, fits);
    h->octets += batch_octets(h->open) - before;
    if (code != 0)
        return -1;
    h->open->count += fits;
    *done = fits;
    return 0;
}

int hours_add(struct hours *hours, struct record_batch *batch, unsigned *row)
{
    assert(batch->is_sealed);
    int start = record_column_find(batch->type, "start");
    while (*row < batch->count) {
        int64_t number = hour_of(time_at(batch, start, *row, 0));
        unsigned count = run_length(batch, start, *row);
        struct hour *h = hours_find(hours, batch->type, number);
        if (h == NULL && hours->count == HOURS_MAX)
            return 0;
        if (h == NULL && (h = hours_new(hours, batch->type, number)) == NULL)
            return -1;
        uint64_t before = h->octets;
        int code = 0;
        unsigned done = 0;
        if (count == batch->count && count >= WHOLE_ROWS && count <= RECORD_BATCH_ROWS) {
            code = hour_keep(h, batch);
            if (code == 0) {
                record_batch_ref(batch);
                h->octets += batch_octets(batch);
                done = count;
            }
        } else {
            code = hour_copy(h, batch, *row, count, &done);
        }
        hours->octets += h->octets - before;
        if (code != 0)
            return -1;
        note(h, batch, *row, done);
        *row += done;
    }
    return 0;
}

static struct hour *take(struct hours *hours, unsigned index)
{
    struct hour *h = hours->hour[index];
    hours->hour[index] = hours->hour[--hours->count];
    hours->octets -= h->octets;
    return h;
}

struct hour *hours_take_largest(struct hours *hours)
{
    unsigned best = 0;
    for (unsigned i = 1; i < hours->count; i++)
        if (hours->hour[i]->octets > hours->hour[best]->octets)
            best = i;
    return hours->count > 0 ? take(hours, best) : NULL;
}

struct hour *hours_take_full(struct hours *hours, uint64_t rows_max)
{
    for (unsigned i = 0; i < hours->count; i++)
        if (hours->hour[i]->rows >= rows_max)
            return take(hours, i);
    return NULL;
}

int hour_seal(struct hour *hour)
{
    return hour_close_open(hour);
}

void hour_free(struct hour *hour)
{
    if (hour == NULL)
        return;
    for (unsigned i = 0; i < hour->batch_count; i++)
        record_batch_unref(hour->batch[i]);
    record_batch_unref(hour->open);
    free(hour->batch);
    free(hour);
}
