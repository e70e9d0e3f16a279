/* Record batches, see schema.h. */
#include <assert.h>
#include <stdlib.h>

#include "schema/schema.h"

size_t value_size(enum value_type type)
{
    static const uint8_t sizes[VALUE_TYPES] = {
        [T_U8] = 1,   [T_U16] = 2,  [T_U32] = 4,      [T_U64] = 8,
        [T_I64] = 8,  [T_F64] = 8,  [T_TIME] = 8,     [T_DURATION] = 8,
        [T_MAC] = sizeof(struct mac), [T_ADDRESS] = sizeof(struct address), [T_TEXT] = sizeof(struct bytes),
        [T_FLAGS] = 2, [T_PROTO] = 1, [T_REASON] = 1,
    };
    assert(type < VALUE_TYPES);
    return sizes[type];
}

struct record_batch *record_batch_new(const struct record_type *type, unsigned capacity)
{
    assert(type->column_count <= RECORD_COLUMNS_MAX);
    assert(capacity > 0);
    struct record_batch *batch = calloc(1, sizeof *batch);
    if (batch != NULL)
        *batch = (struct record_batch){ .type = type, .capacity = capacity, .refs = 1 };
    return batch;
}

void *record_batch_column(struct record_batch *batch, unsigned index)
{
    assert(!batch->is_sealed);
    assert(index < batch->type->column_count);
    struct column *c = &batch->column[index];
    if (c->data == NULL)
        c->data = calloc(batch->capacity, value_size(batch->type->column[index].type));
    return c->data;
}

int record_batch_set_null(struct record_batch *batch, unsigned index, unsigned row)
{
    assert(!batch->is_sealed);
    assert(row < batch->capacity);
    struct column *c = &batch->column[index];
    if (c->data == NULL) /* no row has a value anyway */
        return 0;
    if (c->is_null == NULL && (c->is_null = calloc(batch->capacity, 1)) == NULL)
        return -1;
    c->is_null[row] = 1;
    return 0;
}

void record_batch_seal(struct record_batch *batch)
{
    assert(batch->count <= batch->capacity);
    batch->is_sealed = true;
}

struct record_batch *record_batch_ref(struct record_batch *batch)
{
    assert(batch->is_sealed);
    __atomic_add_fetch(&batch->refs, 1, __ATOMIC_RELAXED);
    return batch;
}

void record_batch_unref(struct record_batch *batch)
{
    if (batch == NULL || __atomic_sub_fetch(&batch->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (unsigned i = 0; i < batch->type->column_count; i++) {
        free(batch->column[i].data);
        free(batch->column[i].is_null);
    }
    /* A dynamic type may live in the arena: nothing of `batch` is read after this. */
    arena_fini(&batch->arena);
    free(batch);
}
