/*
 * What plain SQL lacks for addresses, which are text in the lake:
 *
 *   in_net(address, '192.0.2.0/24 2001:db8::/32 ...')   is it in one of them?
 *   ip_key(address)                                     octets that rise as addresses do: version,
 * then address ip_net(address, bits, version)                      its network as text; addresses
 * of another version than 4 or 6 stay whole, 0 = both
 *
 * All are NULL for NULL; for what is no address in_net is false and the others are NULL.
 */
#include <duckdb.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/store_inside.h"

/* One argument of a call. */
struct argument {
    void *data;
    uint64_t *valid;
};

static struct argument argument_of(duckdb_data_chunk input, idx_t index)
{
    duckdb_vector vector = duckdb_data_chunk_get_vector(input, index);
    return (struct argument){ duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector) };
}

static bool has_value(const struct argument *a, idx_t row)
{
    return a->valid == NULL || duckdb_validity_row_is_valid(a->valid, row);
}

static struct bytes text_of(const struct argument *a, idx_t row)
{
    duckdb_string_t *value = (duckdb_string_t *)a->data + row;
    return (struct bytes){ (const uint8_t *)duckdb_string_t_data(value),
                           duckdb_string_t_length(*value) };
}

static bool address_of(const struct argument *a, idx_t row, struct address *address)
{
    char copy[ADDRESS_TEXT_MAX];
    if (!has_value(a, row))
        return false;
    struct bytes text = text_of(a, row);
    if (text.size >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return address_parse(copy, address);
}

static void set_null(duckdb_vector output, idx_t row)
{
    duckdb_vector_ensure_validity_writable(output);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
}

/* ---- in_net ---- */

/* The set of a question: nearly always a constant, parsed once and shared by all threads. */
struct known_set {
    int refs; /* touched atomically only */
    struct address_set *set;
};

static void known_set_unref(void *data)
{
    struct known_set *known = data;
    if (__atomic_sub_fetch(&known->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    address_set_free(known->set);
    free(known);
}

static void *known_set_ref(void *data)
{
    __atomic_add_fetch(&((struct known_set *)data)->refs, 1, __ATOMIC_RELAXED);
    return data;
}

static void know_set(duckdb_bind_info info, const char *text)
{
    struct err e;
    struct known_set *known = calloc(1, sizeof *known);
    if (known == NULL) {
        duckdb_scalar_function_bind_set_error(info, "in_net: out of memory");
        return;
    }
    known->refs = 1;
    if (address_set_parse(text, strlen(text), &known->set, &e) < 0) {
        free(known);
        err_wrap(&e, "in_net");
        duckdb_scalar_function_bind_set_error(info, e.text);
        return;
    }
    duckdb_scalar_function_set_bind_data(info, known, known_set_unref);
    duckdb_scalar_function_set_bind_data_copy(info, known_set_ref);
}

static void in_net_bind(duckdb_bind_info info)
{
    duckdb_expression nets = duckdb_scalar_function_bind_get_argument(info, 1);
    duckdb_client_context context = NULL;
    duckdb_value value = NULL;
    duckdb_scalar_function_get_client_context(info, &context);
    if (duckdb_expression_is_foldable(nets)) {
        duckdb_error_data error = duckdb_expression_fold(context, nets, &value);
        if (!duckdb_error_data_has_error(error) && !duckdb_is_null_value(value)) {
            char *text = duckdb_get_varchar(value);
            know_set(info, text != NULL ? text : "");
            duckdb_free(text);
        }
        duckdb_destroy_value(&value);
        duckdb_destroy_error_data(&error);
    }
    duckdb_destroy_client_context(&context);
    duckdb_destroy_expression(&nets);
}

static void in_net(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    struct argument address = argument_of(input, 0), nets = argument_of(input, 1);
    bool *answer = duckdb_vector_get_data(output);
    const struct known_set *known = duckdb_scalar_function_get_bind_data(info);
    for (idx_t i = 0, count = duckdb_data_chunk_get_size(input); i < count; i++) {
        struct address a;
        answer[i] = false;
        if (!has_value(&address, i) || (known == NULL && !has_value(&nets, i))) {
            set_null(output, i);
        } else if (!address_of(&address, i, &a)) {
            continue;
        } else if (known != NULL) {
            answer[i] = address_set_has(known->set, &a);
        } else { /* a set that differs from row to row */
            struct bytes text = text_of(&nets, i);
            struct address_set *set;
            struct err e;
            if (address_set_parse((const char *)text.data, text.size, &set, &e) < 0) {
                err_wrap(&e, "in_net");
                duckdb_scalar_function_set_error(info, e.text);
                return;
            }
            answer[i] = address_set_has(set, &a);
            address_set_free(set);
        }
    }
}

/* ---- ip_key, ip_net ---- */

static void ip_key(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    (void)info;
    struct argument address = argument_of(input, 0);
    for (idx_t i = 0, count = duckdb_data_chunk_get_size(input); i < count; i++) {
        struct address a;
        char key[17];
        if (!address_of(&address, i, &a)) {
            set_null(output, i);
            continue;
        }
        key[0] = (char)a.version;
        memcpy(key + 1, a.octet, 16);
        duckdb_vector_assign_string_element_len(output, i, key, a.version == 4 ? 5 : 17);
    }
}

static void ip_net(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    (void)info;
    struct argument address = argument_of(input, 0), bits = argument_of(input, 1),
                    version = argument_of(input, 2);
    for (idx_t i = 0, count = duckdb_data_chunk_get_size(input); i < count; i++) {
        struct address a;
        if (!has_value(&bits, i) || !has_value(&version, i) || !address_of(&address, i, &a)) {
            set_null(output, i);
            continue;
        }
        unsigned all = a.version == 4 ? 32 : 128;
        int64_t kept = ((int64_t *)bits.data)[i], only = ((int64_t *)version.data)[i];
        bool is_net = kept >= 0 && kept < all && (only == 0 || only == a.version);
        if (is_net)
            address_cut(&a, (unsigned)kept);
        char text[ADDRESS_TEXT_MAX + 8], *end = address_put(text, &a);
        if (is_net)
            end += snprintf(end, 8, "/%lld", (long long)kept);
        duckdb_vector_assign_string_element_len(output, i, text, (idx_t)(end - text));
    }
}

/* ---- registering ---- */

static int add(duckdb_connection connection, const char *name, duckdb_type answer,
               const duckdb_type *arguments, unsigned argument_count, duckdb_scalar_function_t run,
               duckdb_scalar_function_bind_t bind, struct err *e)
{
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_scalar_function_set_name(function, name);
    for (unsigned i = 0; i <= argument_count; i++) {
        duckdb_logical_type type =
            duckdb_create_logical_type(i < argument_count ? arguments[i] : answer);
        if (i < argument_count)
            duckdb_scalar_function_add_parameter(function, type);
        else
            duckdb_scalar_function_set_return_type(function, type);
        duckdb_destroy_logical_type(&type);
    }
    duckdb_scalar_function_set_special_handling(function); /* NULL for NULL is ours to say */
    duckdb_scalar_function_set_function(function, run);
    if (bind != NULL)
        duckdb_scalar_function_set_bind(function, bind);
    duckdb_state state = duckdb_register_scalar_function(connection, function);
    duckdb_destroy_scalar_function(&function);
    return state == DuckDBSuccess
               ? 0
               : err_set(e, WEIR_ESYSTEM, "store: DuckDB did not take %s()", name);
}

int store_functions_register(void *connection, struct err *e)
{
    static const duckdb_type texts[] = { DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_VARCHAR };
    static const duckdb_type net[] = { DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_BIGINT,
                                       DUCKDB_TYPE_BIGINT };
    int code = add(connection, "in_net", DUCKDB_TYPE_BOOLEAN, texts, 2, in_net, in_net_bind, e);
    if (code == 0)
        code = add(connection, "ip_key", DUCKDB_TYPE_BLOB, texts, 1, ip_key, NULL, e);
    return code == 0 ? add(connection, "ip_net", DUCKDB_TYPE_VARCHAR, net, 3, ip_net, NULL, e)
                     : code;
}
