/* Option tables, see option.h. */
#include "base/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The option that `name` (of `size` letters) names or shortens; NULL with the reason in `e`. */
static const struct option *find_long(const struct option *const *tables, const char *name, size_t size, struct err *e)
{
    const struct option *found = NULL;
    const char *names[256];
    size_t count = 0;
    for (; *tables != NULL; tables++)
        for (const struct option *o = *tables; o->name != NULL; o++) {
            if (strncmp(o->name, name, size) == 0) {
                if (o->name[size] == '\0')
                    return o;
                if (found != NULL) {
                    err_set(e, WEIR_EUSAGE, "'--%.*s' is short for both --%s and --%s; write more of it", (int)size, name,
                            found->name, o->name);
                    return NULL;
                }
                found = o;
            }
            if (count < sizeof names / sizeof *names)
                names[count++] = o->name;
        }
    if (found == NULL) {
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)size, name);
        const char *nearest = text_nearest(word, names, count);
        err_set(e, WEIR_EUSAGE, "no option '--%s'; %s%s%s", word, nearest ? "did you mean --" : "see --help",
                nearest ? nearest : "", nearest ? "?" : "");
    }
    return found;
}

static const struct option *find_letter(const struct option *const *tables, char letter, struct err *e)
{
    for (; *tables != NULL; tables++)
        for (const struct option *o = *tables; o->name != NULL; o++)
            if (o->letter == letter)
                return o;
    err_set(e, WEIR_EUSAGE, "no option '-%c'; see --help", letter);
    return NULL;
}

static int list_add(struct option_list *list, const char *item, struct err *e)
{
    if (list->count >= OPTION_LIST_MAX)
        return err_set(e, WEIR_EUSAGE, "more than %d words given", OPTION_LIST_MAX);
    const char **grown = realloc(list->item, (list->count + 1) * sizeof *grown);
    if (grown == NULL)
        return err_memory(e, "options", (list->count + 1) * sizeof *grown);
    list->item = grown;
    list->item[list->count++] = item;
    return 0;
}

void option_list_fini(struct option_list *list)
{
    free(list->item);
    *list = (struct option_list){ 0 };
}

static bool takes_value(const struct option *o)
{
    return o->kind != OPTION_FLAG && o->kind != OPTION_NOT;
}

static int store(const struct option *o, void *values, const char *value, struct err *e)
{
    char *at = (char *)values + o->offset, what[64];
    snprintf(what, sizeof what, "--%s", o->name);
    switch (o->kind) {
    case OPTION_FLAG:
    case OPTION_NOT: {
        bool given = o->kind == OPTION_FLAG;
        memcpy(at, &given, sizeof given);
        return 0;
    }
    case OPTION_TEXT:
        memcpy(at, &value, sizeof value);
        return 0;
    case OPTION_COUNT:
    case OPTION_SIZE: {
        uint64_t number;
        int code = o->kind == OPTION_COUNT ? parse_u64(value, 0, INT64_MAX, &number, what, e)
                                           : parse_size(value, &number, what, e);
        if (code == 0)
            memcpy(at, &number, sizeof number);
        return code;
    }
    case OPTION_DURATION: {
        int64_t ns = -1;
        int code = 0;
        if (strcmp(value, "none") == 0)
            ns = INT64_MAX;
        else if (strcmp(value, "-1") != 0)
            code = parse_duration(value, &ns, what, e);
        if (code == 0)
            memcpy(at, &ns, sizeof ns);
        return code;
    }
    case OPTION_LIST: {
        struct option_list list;
        memcpy(&list, at, sizeof list);
        int code = list_add(&list, value, e);
        memcpy(at, &list, sizeof list);
        return code;
    }
    }
    return err_set(e, WEIR_EUSAGE, "--%s: unknown kind of option", o->name);
}

static int join_rest(int argc, char **argv, int first, char **rest, struct err *e)
{
    struct text joined = { 0 };
    for (int i = first; i < argc; i++) {
        if (i > first)
            text_char(&joined, ' ');
        text_add(&joined, argv[i]);
    }
    if (joined.is_bad)
        return err_memory(e, "options", joined.room);
    *rest = joined.data;
    return 0;
}

/* One argv word that begins with '-'; may move *i on to the value. */
static int parse_word(int argc, char **argv, int *i, const struct option *const *tables, void *values, struct err *e)
{
    const char *word = argv[*i];
    if (word[1] == '-') {
        const char *equals = strchr(word + 2, '=');
        size_t size = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
        const struct option *o = find_long(tables, word + 2, size, e);
        if (o == NULL)
            return WEIR_EUSAGE;
        if (!takes_value(o)) {
            if (equals != NULL)
                return err_set(e, WEIR_EUSAGE, "--%s takes no value", o->name);
            return store(o, values, NULL, e);
        }
        if (equals == NULL && *i + 1 >= argc)
            return err_set(e, WEIR_EUSAGE, "--%s needs %s; see --help", o->name, o->value);
        return store(o, values, equals ? equals + 1 : argv[++*i], e);
    }
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        const struct option *o = find_letter(tables, *letter, e);
        if (o == NULL)
            return WEIR_EUSAGE;
        if (!takes_value(o)) {
            int code = store(o, values, NULL, e);
            if (code != 0)
                return code;
            continue;
        }
        if (letter[1] == '\0' && *i + 1 >= argc)
            return err_set(e, WEIR_EUSAGE, "-%c needs %s; see --help", *letter, o->value);
        return store(o, values, letter[1] != '\0' ? letter + 1 : argv[++*i], e);
    }
    return 0;
}

int option_parse(int argc, char **argv, const struct option *const *tables, void *values, struct option_list *inputs,
                 char **rest, struct err *e)
{
    for (int i = 1; i < argc; i++) {
        int code;
        if (strcmp(argv[i], "--") == 0) {
            if (rest == NULL)
                return err_set(e, WEIR_EUSAGE, "this command takes no words after '--'");
            return join_rest(argc, argv, i + 1, rest, e);
        }
        if (argv[i][0] == '-' && argv[i][1] != '\0')
            code = parse_word(argc, argv, &i, tables, values, e);
        else
            code = list_add(inputs, argv[i], e);
        if (code != 0)
            return code;
    }
    return 0;
}

void option_help(const struct option *const *tables, struct text *out)
{
    for (; *tables != NULL; tables++)
        for (const struct option *o = *tables; o->name != NULL; o++) {
            char left[80];
            snprintf(left, sizeof left, "%c%c%s--%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                     o->letter ? ", " : "  ", o->name, takes_value(o) ? " " : "", takes_value(o) ? o->value : "");
            text_format(out, "  %-32s %s\n", left, o->help);
        }
}
