/* Sets of numbers and of addresses: disjoint sorted ranges behind an index, see filter.h. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lang/filter.h"

#define INDEX_BITS_MAX 18 /* 1 MiB of index at most */

static wide wide_of(const uint64_t word[2])
{
    return (wide)word[0] << 64 | word[1];
}

static int compare_ranges(const void *a, const void *b)
{
    const struct range128 *x = a, *y = b;
    return x->low < y->low ? -1 : x->low > y->low;
}

/* Sort, and join what overlaps or touches; returns how many are left. */
static size_t join_ranges(struct range128 *range, size_t count)
{
    qsort(range, count, sizeof *range, compare_ranges);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 &&
            (range[i].low <= range[kept - 1].high || range[i].low == range[kept - 1].high + 1)) {
            if (range[i].high > range[kept - 1].high)
                range[kept - 1].high = range[i].high;
        } else {
            range[kept++] = range[i];
        }
    }
    return kept;
}

static wide end_of(const struct number_set *set, size_t i)
{
    return set->range6 != NULL ? set->range6[i].high : set->range[i].high;
}

static bool make_index(struct number_set *set)
{
    set->base = set->range6 != NULL ? set->range6[0].low : set->range[0].low;
    set->last = end_of(set, set->count - 1);
    wide span = set->last - set->base;
    unsigned bits = 1;
    while (bits < INDEX_BITS_MAX && (size_t)1 << bits < 2 * set->count)
        bits++;
    while (span >> set->shift >> bits != 0)
        set->shift++;
    size_t buckets = (size_t)(span >> set->shift) + 1;
    set->first = malloc((buckets + 1) * sizeof *set->first);
    if (set->first == NULL)
        return false;
    /* first[b]: the first range that ends in bucket b or later. */
    size_t range = 0;
    for (size_t b = 0; b < buckets; b++) {
        while (range < set->count && (end_of(set, range) - set->base) >> set->shift < b)
            range++;
        set->first[b] = (uint32_t)range;
    }
    set->first[buckets] = (uint32_t)(set->count - 1);
    return true;
}

bool number_set_init_take(struct number_set *set, struct range128 *range, size_t count,
                          bool is_wide)
{
    *set = (struct number_set){ 0 };
    if (count == 0) {
        free(range);
        return true;
    }
    assert(count < UINT32_MAX);
    set->count = join_ranges(range, count);
    if (is_wide) {
        set->range6 = range;
        return make_index(set);
    }
    set->range = malloc(set->count * sizeof *set->range);
    for (size_t i = 0; set->range != NULL && i < set->count; i++)
        set->range[i] = (struct range64){ (uint64_t)range[i].low, (uint64_t)range[i].high };
    free(range);
    return set->range != NULL && make_index(set);
}

bool number_set_has(const struct number_set *set, uint64_t value)
{
    if (set->count == 0 || value < (uint64_t)set->base || value > (uint64_t)set->last)
        return false;
    uint64_t bucket = (value - (uint64_t)set->base) >> set->shift;
    size_t low = set->first[bucket], high = set->first[bucket + 1];
    while (low < high) { /* the first range that ends at or behind the value */
        size_t middle = (low + high) / 2;
        bool is_before = set->range[middle].high < value;
        low = is_before ? middle + 1 : low;
        high = is_before ? high : middle;
    }
    return set->range[low].low <= value;
}

static bool number_set_has_wide(const struct number_set *set, wide value)
{
    if (set->count == 0 || value < set->base || value > set->last)
        return false;
    uint64_t bucket = (uint64_t)((value - set->base) >> set->shift);
    size_t low = set->first[bucket], high = set->first[bucket + 1];
    while (low < high) {
        size_t middle = (low + high) / 2;
        bool is_before = set->range6[middle].high < value;
        low = is_before ? middle + 1 : low;
        high = is_before ? high : middle;
    }
    return set->range6[low].low <= value;
}

void number_set_fini(struct number_set *set)
{
    free(set->range);
    free(set->range6);
    free(set->first);
    *set = (struct number_set){ 0 };
}

/* ---- prefixes ---- */

static void clear_behind(struct prefix *p)
{
    for (unsigned word = 0; word < 2; word++) {
        unsigned kept = p->bits > 64 * word ? p->bits - 64 * word : 0;
        p->word[word] &= kept >= 64 ? UINT64_MAX : kept == 0 ? 0 : UINT64_MAX << (64 - kept);
    }
}

/* Up to three decimal digits, or -1. */
static int small_number(const char *text, size_t size)
{
    int value = 0;
    if (size == 0 || size > 3)
        return -1;
    for (size_t i = 0; i < size; i++) {
        if (!isdigit((unsigned char)text[i]))
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

bool prefix_parse(const char *text, size_t size, struct prefix *prefix)
{
    char address[64];
    const char *slash = memchr(text, '/', size);
    size_t length = slash ? (size_t)(slash - text) : size;
    if (length == 0 || length > sizeof address - 8)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    /* "10/8" and "172.16/12": missing octets are zero, as in nfdump and pcap-filter. */
    if (slash != NULL && strchr(address, ':') == NULL) {
        unsigned points = 0;
        for (size_t i = 0; i < length; i++)
            points += address[i] == '.';
        for (; points < 3; points++, length += 2)
            memcpy(address + length, ".0", 3);
    }
    struct address a;
    if (!address_parse(address, &a))
        return false;
    int most = a.version == 4 ? 32 : 128;
    int bits = slash ? small_number(slash + 1, size - (size_t)(slash - text) - 1) : most;
    if (bits < 0 || bits > most)
        return false;
    *prefix = (struct prefix){ .word = { load_be64(a.octet), load_be64(a.octet + 8) },
                               .version = a.version,
                               .bits = (uint8_t)bits };
    clear_behind(prefix);
    return true;
}

void prefix_print(struct text *out, const struct prefix *prefix)
{
    struct address a = { .version = prefix->version };
    for (unsigned i = 0; i < 16; i++)
        a.octet[i] = (uint8_t)(prefix->word[i / 8] >> (56 - 8 * (i % 8)));
    address_print(out, &a);
    if (prefix->bits < (prefix->version == 4 ? 32 : 128))
        text_format(out, "/%u", prefix->bits);
}

static int compare_prefixes(const void *a, const void *b)
{
    const struct prefix *x = a, *y = b;
    if (x->version != y->version)
        return x->version < y->version ? -1 : 1;
    for (unsigned i = 0; i < 2; i++)
        if (x->word[i] != y->word[i])
            return x->word[i] < y->word[i] ? -1 : 1;
    return (int)x->bits - (int)y->bits;
}

static size_t put_ranges(const struct address_set *set, uint8_t version, struct range128 *range)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct prefix *p = &set->prefix[i];
        if (p->version != version)
            continue;
        wide low = version == 4 ? p->word[0] >> 32 : wide_of(p->word);
        unsigned free_bits = (version == 4 ? 32u : 128u) - p->bits;
        wide behind = free_bits == 128 ? ~(wide)0 : ((wide)1 << free_bits) - 1;
        range[count++] = (struct range128){ low, low | behind };
    }
    return count;
}

struct address_set *address_set_new_take(struct prefix *prefix, size_t count)
{
    struct address_set *set = calloc(1, sizeof *set);
    struct range128 *ip4 = malloc((count + 1) * sizeof *ip4),
                    *ip6 = malloc((count + 1) * sizeof *ip6);
    if (set == NULL || ip4 == NULL || ip6 == NULL) {
        free(set);
        free(ip4);
        free(ip6);
        free(prefix);
        return NULL;
    }
    if (count > 0)
        qsort(prefix, count, sizeof *prefix, compare_prefixes);
    set->prefix = prefix;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || compare_prefixes(&prefix[i], &set->prefix[set->count - 1]) != 0)
            set->prefix[set->count++] = prefix[i];
    bool is_good = number_set_init_take(&set->ip4, ip4, put_ranges(set, 4, ip4), false);
    is_good = number_set_init_take(&set->ip6, ip6, put_ranges(set, 6, ip6), true) && is_good;
    if (!is_good) {
        address_set_free(set);
        return NULL;
    }
    return set;
}

int address_set_parse(const char *text, size_t size, struct address_set **set, struct err *e)
{
    static const char separators[] = " \t\r\n,";
    struct prefix *prefix = NULL;
    size_t count = 0, room = 0;
    for (const char *at = text, *end = text + size; at < end;) {
        if (memchr(separators, *at, sizeof separators - 1) != NULL) {
            at++;
            continue;
        }
        const char *word = at;
        while (at < end && memchr(separators, *at, sizeof separators - 1) == NULL)
            at++;
        if (count == room) {
            room = room ? 2 * room : 16;
            struct prefix *grown = realloc(prefix, room * sizeof *grown);
            if (grown == NULL) {
                free(prefix);
                return err_memory(e, "set of addresses", room * sizeof *grown);
            }
            prefix = grown;
        }
        if (!prefix_parse(word, (size_t)(at - word), &prefix[count++])) {
            free(prefix);
            return err_set(
                e, WEIR_EUSAGE,
                "'%.*s' is no address and no prefix; write for example 192.0.2.0/24 or 2001:db8::1",
                (int)(at - word < 80 ? at - word : 80), word);
        }
    }
    *set = address_set_new_take(prefix, count);
    return *set != NULL ? 0 : err_memory(e, "set of addresses", count * sizeof *prefix);
}

bool address_set_has(const struct address_set *set, const struct address *address)
{
    if (address->version == 4)
        return number_set_has(&set->ip4, load_be32(address->octet));
    return address->version == 6 &&
           number_set_has_wide(&set->ip6, (wide)load_be64(address->octet) << 64 |
                                              load_be64(address->octet + 8));
}

void address_set_free(struct address_set *set)
{
    if (set == NULL)
        return;
    number_set_fini(&set->ip4);
    number_set_fini(&set->ip6);
    free(set->prefix);
    free(set);
}
