/* IPFIX templates from record types, see wire.h. */
#include <assert.h>

#include "wire/wire.h"

#define IPFIX_VERSION      10
#define IPFIX_SET_TEMPLATE 2
#define IPFIX_ENTERPRISE   0x8000 /* high bit of the element id: an enterprise number follows */
#define IPFIX_VARIABLE     0xffff

static uint8_t *put_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    return put_u16(put_u16(at, value >> 16), value & 0xffff);
}

uint16_t ipfix_field_size(enum value_type type, unsigned ip_version)
{
    switch (type) {
    case T_ADDRESS:
        return ip_version == 6 ? 16 : 4;
    case T_MAC:
        return 6;
    case T_TEXT:
        return IPFIX_VARIABLE;
    default:
        return (uint16_t)value_size(type);
    }
}

size_t ipfix_put_template(uint8_t *to, size_t room, uint16_t id, const struct record_type *type,
                          unsigned ip_version)
{
    assert(id >= 256); /* lower numbers are set headers */
    assert(ip_version == 4 || ip_version == 6);
    if (room < 4 + 8 * (size_t)type->column_count)
        return 0;
    uint8_t *count = put_u16(to, id), *at = count + 2;
    unsigned fields_put = 0;
    for (unsigned i = 0; i < type->column_count; i++) {
        if (type->column[i].field == FIELD_NONE)
            continue;
        const struct field *f = &fields[type->column[i].field];
        unsigned element = ip_version == 6 && f->id6 != 0 ? f->id6 : f->id;
        at = put_u16(at, f->pen != 0 ? element | IPFIX_ENTERPRISE : element);
        at = put_u16(at, ipfix_field_size(f->type, ip_version));
        if (f->pen != 0)
            at = put_u32(at, f->pen);
        fields_put++;
    }
    put_u16(count, fields_put);
    return (size_t)(at - to);
}

size_t ipfix_put_templates(uint8_t *to, size_t room, const struct record_type *type)
{
    const size_t header = 16 + 4; /* of the message and of the set */
    size_t size = header;
    bool has_address = false;
    for (unsigned i = 0; i < type->column_count; i++)
        has_address |= type->column[i].type == T_ADDRESS;
    for (unsigned version = 4; version <= (has_address ? 6 : 4); version += 2) {
        size_t put =
            room < size ? 0
                        : ipfix_put_template(to + size, room - size,
                                             version == 4 ? IPFIX_TEMPLATE_IP4 : IPFIX_TEMPLATE_IP6,
                                             type, version);
        if (put == 0)
            return 0;
        size += put;
    }
    uint8_t *at = put_u16(put_u16(to, IPFIX_VERSION), (unsigned)size);
    at = put_u32(put_u32(put_u32(at, 0), 0), 0); /* export time, sequence, observation domain */
    put_u16(put_u16(at, IPFIX_SET_TEMPLATE), (unsigned)(size - 16));
    return size;
}
