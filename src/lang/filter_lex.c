/* Filter text to tokens; `@include FILE` goes on in the file and comes back. See filter.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lang/filter.h"

#define NO_SOURCE UINT32_MAX

/* Takes over `text` (malloc'd, `size` octets, `name` is copied). */
static int add_source(struct lexer *lexer, const char *name, char *text, size_t size, struct err *e)
{
    char *copy = strdup(name);
    if (copy == NULL || lexer->source_count == LEX_SOURCES_MAX ||
        size > FILTER_TEXT_MAX - lexer->octets) {
        bool is_memory = copy == NULL;
        free(copy);
        free(text);
        if (is_memory)
            return err_memory(e, "filter", strlen(name));
        return err_set(e, WEIR_EUSAGE, "filter: more than %u files or %u MiB of text",
                       LEX_SOURCES_MAX, FILTER_TEXT_MAX >> 20);
    }
    lexer->octets += size;
    lexer->source[lexer->source_count] = (struct lex_source){ .name = copy,
                                                              .text = text,
                                                              .at = text,
                                                              .end = text + size,
                                                              .line = 1,
                                                              .outer = lexer->current,
                                                              .line_start = text };
    lexer->current = lexer->source_count++;
    return 0;
}

int lexer_init(struct lexer *lexer, const char *text, struct err *e)
{
    *lexer = (struct lexer){ .current = NO_SOURCE };
    char *copy = strdup(text);
    if (copy == NULL)
        return err_memory(e, "filter", strlen(text));
    int code = add_source(lexer, "filter", copy, strlen(text), e);
    return code != 0 ? code : lexer_next(lexer, e);
}

void lexer_fini(struct lexer *lexer)
{
    for (unsigned i = 0; i < lexer->source_count; i++) {
        free(lexer->source[i].name);
        free(lexer->source[i].text);
    }
    lexer->source_count = 0;
}

int lexer_fail(const struct lexer *lexer, const struct token *at, struct err *e, const char *format,
               ...)
{
    if (e == NULL)
        return WEIR_EUSAGE;
    char message[ERR_TEXT_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    return err_set(e, WEIR_EUSAGE, "%s:%u:%u: %s", lexer->source[at->source].name, at->line,
                   at->column, message);
}

/* Blanks and comments; moves on to the outer source at the end of an included one. Returns the
 * first octet of the next token or 0. */
static char skip_blanks(struct lexer *lexer)
{
    for (;;) {
        struct lex_source *s = &lexer->source[lexer->current];
        bool is_comment = false;
        for (; s->at < s->end; s->at++) {
            if (*s->at == '\n') {
                is_comment = false;
                s->line++;
                s->line_start = s->at + 1;
            } else if (*s->at == '#') {
                is_comment = true;
            } else if (!is_comment && *s->at != ' ' && *s->at != '\t' && *s->at != '\r') {
                return *s->at;
            }
        }
        if (s->outer == NO_SOURCE)
            return 0;
        lexer->current = s->outer;
        lexer->depth--;
    }
}

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || strchr("_.:/+-@%*?~$", c) != NULL;
}

/* Words, strings and operators; false if the octet begins none of them. */
static bool read_token(struct lex_source *s, struct token *t)
{
    static const struct {
        const char text[3];
        enum token_kind kind;
        enum compare compare;
    } signs[] = {
        { "&&", TOKEN_AND, 0 },
        { "||", TOKEN_OR, 0 },
        { "!=", TOKEN_COMPARE, COMPARE_NE },
        { ">=", TOKEN_COMPARE, COMPARE_GE },
        { "<=", TOKEN_COMPARE, COMPARE_LE },
        { "==", TOKEN_COMPARE, COMPARE_EQ },
        { "=", TOKEN_COMPARE, COMPARE_EQ },
        { ">", TOKEN_COMPARE, COMPARE_GT },
        { "<", TOKEN_COMPARE, COMPARE_LT },
        { "!", TOKEN_NOT, 0 },
        { "(", TOKEN_OPEN, 0 },
        { ")", TOKEN_CLOSE, 0 },
        { "[", TOKEN_LIST, 0 },
        { "]", TOKEN_LIST_END, 0 },
        { ",", TOKEN_COMMA, 0 },
    };
    t->at = s->at;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t size = strlen(signs[i].text);
        if ((size_t)(s->end - s->at) >= size && memcmp(s->at, signs[i].text, size) == 0) {
            t->kind = signs[i].kind;
            t->compare = signs[i].compare;
            t->size = size;
            s->at += size;
            return true;
        }
    }
    if (*s->at == '\'' || *s->at == '"') {
        const char *close = memchr(s->at + 1, *s->at, (size_t)(s->end - s->at - 1));
        if (close == NULL || memchr(s->at, '\n', (size_t)(close - s->at)) != NULL)
            return false;
        t->kind = TOKEN_STRING;
        t->at = s->at + 1;
        t->size = (size_t)(close - s->at - 1);
        s->at = close + 1;
        return true;
    }
    t->kind = TOKEN_WORD;
    while (s->at < s->end && *s->at != '\0' && is_word_char(*s->at))
        s->at++;
    t->size = (size_t)(s->at - t->at);
    return t->size > 0;
}

/* and, or, not, eq ... are operators, whatever their case. */
static void name_operator(struct token *t)
{
    static const struct {
        const char *text;
        enum token_kind kind;
        enum compare compare;
    } words[] = { { "and", TOKEN_AND, 0 },
                  { "or", TOKEN_OR, 0 },
                  { "not", TOKEN_NOT, 0 },
                  { "eq", TOKEN_COMPARE, COMPARE_EQ },
                  { "ne", TOKEN_COMPARE, COMPARE_NE },
                  { "gt", TOKEN_COMPARE, COMPARE_GT },
                  { "lt", TOKEN_COMPARE, COMPARE_LT },
                  { "ge", TOKEN_COMPARE, COMPARE_GE },
                  { "le", TOKEN_COMPARE, COMPARE_LE } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].text) == t->size && strncasecmp(words[i].text, t->at, t->size) == 0) {
            t->kind = words[i].kind;
            t->compare = words[i].compare;
        }
}

static int read_file(const char *path, char **text, size_t *size, struct err *e)
{
    struct file *file;
    int code = file_open(&file, path, FILE_READ, e);
    if (code != 0)
        return code;
    size_t room = 1 << 16;
    char *data = malloc(room);
    int64_t got = 1;
    *size = 0;
    while (data != NULL && got > 0 && *size <= FILTER_TEXT_MAX) {
        got = file_read(file, data + *size, room - *size, e);
        if (got > 0)
            *size += (size_t)got;
        if (*size == room) {
            char *grown = realloc(data, room *= 2);
            if (grown == NULL)
                free(data);
            data = grown;
        }
    }
    file_close(file, NULL);
    if (data == NULL)
        return err_memory(e, path, room);
    if (got < 0) {
        free(data);
        return (int)got;
    }
    *text = data;
    return 0;
}

/* The word behind `@include` names a file: go on in it. */
static int include(struct lexer *lexer, const struct token *at, struct err *e)
{
    struct lex_source *s = &lexer->source[lexer->current];
    struct token name = *at;
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t'))
        s->at++;
    if (s->at == s->end || !read_token(s, &name) ||
        (name.kind != TOKEN_WORD && name.kind != TOKEN_STRING))
        return lexer_fail(
            lexer, at, e,
            "'@include' needs the name of a file; write for example @include servers.txt");
    if (++lexer->depth > FILTER_INCLUDE_MAX)
        return lexer_fail(lexer, at, e,
                          "more than %u '@include' inside each other; does a file include itself?",
                          FILTER_INCLUDE_MAX);
    char path[4096], *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%.*s", (int)name.size, name.at);
    struct err reason;
    int code = read_file(path, &text, &size, &reason);
    if (code != 0)
        return lexer_fail(lexer, at, e, "%s", reason.text);
    return add_source(lexer, path, text, size, e);
}

int lexer_next(struct lexer *lexer, struct err *e)
{
    struct token *t = &lexer->token;
    for (;;) {
        char c = skip_blanks(lexer);
        struct lex_source *s = &lexer->source[lexer->current];
        *t = (struct token){ .kind = TOKEN_END,
                             .at = s->at,
                             .line = s->line,
                             .source = lexer->current,
                             .column = (unsigned)(s->at - s->line_start) + 1 };
        if (s->at == s->end && c == 0)
            return 0;
        if (!read_token(s, t)) {
            if (c == '\'' || c == '"')
                return lexer_fail(
                    lexer, t, e,
                    "text begins with %c and does not end on this line; close it with %c", c, c);
            return lexer_fail(lexer, t, e,
                              isprint((unsigned char)c) ? "'%c' means nothing here"
                                                        : "octet 0x%02x means nothing here",
                              (unsigned char)c);
        }
        if (t->kind != TOKEN_WORD)
            return 0;
        if (t->size != 8 || strncasecmp(t->at, "@include", 8) != 0) {
            name_operator(t);
            return 0;
        }
        struct token word = *t;
        int code = include(lexer, &word, e);
        if (code != 0)
            return code;
    }
}
