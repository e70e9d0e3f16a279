/*
 * Which segments there are: every file is checked by itself before anybody opens it, so that a
 * broken or foreign one is named and left out. Needs no DuckDB: what is asked for stands in the
 * footer.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lake/inside.h"

#define FOOTER_GUESS ((size_t)64 << 10) /* read at once; most footers are smaller */
#define FOOTER_MAX   ((size_t)256 << 20)
#define READ_OCTETS  ((size_t)1 << 20)

/* ---- one file ---- */

static bool digits_value(struct bytes digits, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < digits.size; i++) {
        uint8_t c = digits.data[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
            return false;
        *value = *value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return digits.size == SEGMENT_SUM_DIGITS;
}

static int64_t number_of(struct bytes text, int64_t missing)
{
    char copy[24];
    if (text.size == 0 || text.size >= sizeof copy)
        return missing;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    char *end;
    long long value = strtoll(copy, &end, 10);
    return *end == '\0' ? value : missing;
}

static void copy_text(char *to, size_t room, struct bytes from)
{
    size_t size = from.size < room ? from.size : room - 1;
    if (size > 0)
        memcpy(to, from.data, size);
    to[size] = '\0';
}

/* Footer and tail of a file; *end is malloc'ed. */
static int read_end(struct file *file, uint64_t octets, uint8_t **end, size_t *size, struct err *e)
{
    uint8_t head[4];
    *end = NULL;
    if (octets < sizeof head + FOOTER_TAIL)
        return err_set(e, WEIR_EINPUT, "%llu octets are too few for a Parquet file",
                       (unsigned long long)octets);
    *size = octets < FOOTER_GUESS ? (size_t)octets : FOOTER_GUESS;
    for (;;) {
        uint8_t *more = realloc(*end, *size);
        if (more == NULL)
            return err_memory(e, "footer", *size);
        *end = more;
        int code = file_read_at(file, octets - *size, *end, *size, e);
        if (code == 0)
            code = file_read_at(file, 0, head, sizeof head, e);
        if (code < 0)
            return code;
        if (memcmp(head, "PAR1", 4) != 0 || memcmp(*end + *size - 4, "PAR1", 4) != 0)
            return err_set(e, WEIR_EINPUT, "not a whole Parquet file (no 'PAR1' at both ends)");
        uint64_t length = (uint64_t)load_le32(*end + *size - FOOTER_TAIL) + FOOTER_TAIL;
        if (length > octets - sizeof head || length > FOOTER_MAX)
            return err_set(e, WEIR_EINPUT, "its footer of %llu octets does not fit",
                           (unsigned long long)length);
        if (length <= *size) {
            memmove(*end, *end + *size - length, (size_t)length);
            *size = (size_t)length;
            return 0;
        }
        *size = (size_t)length;
    }
}

/* Does the footer's own checksum fit? Files too big to have one pass. */
static bool is_footer_sound(uint8_t *end, size_t size, const struct footer *footer)
{
    uint64_t wanted;
    if (!digits_value(footer->footer, &wanted))
        return false;
    if (wanted == 0)
        return true;
    memset(end + (footer->footer.data - end), '0', SEGMENT_SUM_DIGITS);
    struct sum sum;
    sum_init(&sum);
    sum_add(&sum, end, size);
    return sum_end(&sum) == wanted;
}

/* Read what `segment->path` says of itself. `is_named`: the user gave this very file, so it may be
 * of other origin. *body = checksum of what is before the footer, 0 = none; *footer_octets with the
 * tail. */
static int segment_read(struct lake_segment *segment, bool is_named, uint64_t *body,
                        uint64_t *footer_octets, struct err *e)
{
    struct file *file;
    uint8_t *end = NULL;
    size_t size = 0;
    int code = file_open(&file, segment->path, FILE_READ, e);
    if (code < 0)
        return code;
    if (!file_is_regular(file, &segment->octets))
        code = err_set(e, WEIR_EINPUT, "not a file");
    if (code == 0)
        code = read_end(file, segment->octets, &end, &size, e);
    struct footer footer = { 0 };
    if (code == 0 && !footer_parse((struct bytes){ end, size - FOOTER_TAIL }, &footer))
        code = err_set(e, WEIR_EINPUT, "its footer is damaged");
    else if (code == 0 && footer.type == NULL && (!is_named || footer.columns == 0))
        code = err_set(e, WEIR_EINPUT, "not written by weir");
    else if (code == 0 && footer.type != NULL && !is_footer_sound(end, size, &footer))
        code = err_set(e, WEIR_EINPUT, "its footer is damaged (checksum)");
    *body = 0;
    if (code == 0) {
        digits_value(footer.body, body);
        *footer_octets = size;
        segment->is_ours = footer.type != NULL;
        segment->type = footer.type ? footer.type : &record_types[RECORD_flow];
        segment->rows = footer.rows;
        segment->columns = footer.columns;
        copy_text(segment->source, sizeof segment->source, footer.source);
        copy_text(segment->epoch, sizeof segment->epoch, footer.epoch);
        segment->number = (uint64_t)number_of(footer.number, 0);
        segment->first_ns = number_of(footer.first, INT64_MIN);
        segment->last_ns = number_of(footer.last, INT64_MAX);
        segment->sampling = (uint64_t)number_of(footer.sampling, 0);
        segment->lost = (uint64_t)number_of(footer.lost, 0);
        if (number_of(footer.meta_rows, (int64_t)footer.rows) != (int64_t)footer.rows)
            code =
                err_set(e, WEIR_EINPUT, "its footer contradicts itself about the number of rows");
    }
    free(end);
    file_close(file, NULL);
    return code;
}

int lake_segment_verify(const struct lake_segment *segment, struct err *e)
{
    struct lake_segment again = { .path = segment->path };
    uint64_t wanted, footer_octets;
    if (segment_read(&again, !segment->is_ours, &wanted, &footer_octets, e) < 0)
        return e->code = WEIR_ENO;
    if (wanted == 0) /* of other origin, or too big to have a checksum */
        return 0;
    struct file *file;
    struct sum sum;
    uint8_t *buffer = malloc(READ_OCTETS);
    if (buffer == NULL)
        return err_memory(e, "verify", READ_OCTETS);
    sum_init(&sum);
    int code = file_open(&file, segment->path, FILE_READ, e);
    if (code == 0) {
        for (uint64_t at = 0, end = again.octets - footer_octets; at < end && code == 0;) {
            size_t size = end - at < READ_OCTETS ? (size_t)(end - at) : READ_OCTETS;
            code = file_read_at(file, at, buffer, size, e);
            sum_add(&sum, buffer, code == 0 ? size : 0);
            at += size;
        }
        file_close(file, NULL);
    }
    free(buffer);
    if (code < 0)
        return e->code = WEIR_ENO;
    return sum_end(&sum) == wanted ? 0 : err_set(e, WEIR_ENO, "its data is damaged (checksum)");
}

/* ---- the folders ---- */

struct walk {
    struct lake_list *list;
    const char *lake;
    int64_t from_ns, to_ns;
    struct text *messages;
    struct err *e;
};

static void leave_out(struct walk *w, const char *path, const char *reason)
{
    if (w->messages != NULL)
        text_format(w->messages, "lake: left out '%s': %s\n", path, reason);
}

static int take_file(struct walk *w, const char *path, bool is_named,
                     const struct record_type *type)
{
    struct lake_segment segment = { .path = path };
    uint64_t body, footer_octets;
    struct err reason;
    if (segment_read(&segment, is_named, &body, &footer_octets, &reason) < 0) {
        if (is_named)
            return err_set(w->e, WEIR_EINPUT, "cannot use '%s': %s", path, reason.text);
        leave_out(w, path, reason.text);
        return 0;
    }
    if (!is_named && segment.type != type) {
        leave_out(w, path, "it is of another record type than its folder");
        return 0;
    }
    if ((type != NULL && segment.type != type) || segment.last_ns < w->from_ns ||
        segment.first_ns >= w->to_ns)
        return 0;
    struct lake_list *list = w->list;
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 64 : 2 * list->room;
        struct lake_segment *more = realloc(list->segment, room * sizeof *more);
        if (more == NULL)
            return err_memory(w->e, "list of segments", room * sizeof *more);
        list->segment = more;
        list->room = room;
    }
    segment.path = arena_text(&list->arena, path, strlen(path));
    if (segment.path == NULL)
        return err_memory(w->e, "list of segments", strlen(path));
    list->segment[list->count++] = segment;
    return 0;
}

static int take_entry(struct walk *w, const char *path, const char *name,
                      const struct record_type *type)
{
    if (ends_with(name, SEGMENT_SUFFIX SEGMENT_PART)) {
        if (!claim_is_alive(w->lake, name))
            leave_out(w, path, "its writer died before it was complete");
        return 0;
    }
    if (!ends_with(name, SEGMENT_SUFFIX)) {
        leave_out(w, path, "not a segment");
        return 0;
    }
    return take_file(w, path, false, type);
}

/* Number N of "NAME=N", "day=YYYY-MM-DD" in days since 1970; INT64_MIN if the name is another. */
static int64_t folder_value(const char *name, bool is_day)
{
    unsigned year, month, day, hour;
    int end = 0;
    if (is_day && sscanf(name, "day=%4u-%2u-%2u%n", &year, &month, &day, &end) == 3 &&
        name[end] == '\0' && month >= 1 && month <= 12)
        return days_from_civil(year, month, day);
    if (!is_day && sscanf(name, "hour=%2u%n", &hour, &end) == 1 && name[end] == '\0' && hour < 24)
        return hour;
    return INT64_MIN;
}

/* Can rows that start in [start, start + length) overlap the range asked for? In seconds, against
 * overflow. */
static bool is_in_range(const struct walk *w, int64_t start_s, int64_t length_s)
{
    int64_t from_s = w->from_ns / NS_PER_S - 1, to_s = w->to_ns / NS_PER_S + 1;
    return start_s < to_s && start_s + length_s + LAKE_RECORD_LONGEST_NS / NS_PER_S > from_s;
}

static int walk_folder(struct walk *w, const char *path, const struct record_type *type,
                       int64_t day, unsigned depth)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    struct text below = { 0 };
    int code = 0;
    while (folder != NULL && code == 0 && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        below.size = 0;
        text_format(&below, "%s/%s", path, entry->d_name);
        if (below.is_bad) {
            code = err_memory(w->e, "list of segments", below.size);
        } else if (depth == 0) {
            code = take_entry(w, below.data, entry->d_name, type);
        } else {
            int64_t value = folder_value(entry->d_name, depth == 2);
            if (value == INT64_MIN)
                leave_out(w, below.data, "not a folder of a lake");
            else if (is_in_range(w, depth == 2 ? value * 86400 : day * 86400 + value * 3600,
                                 depth == 2 ? 86400 : 3600))
                code = walk_folder(w, below.data, type, value, depth - 1);
        }
    }
    if (folder != NULL)
        closedir(folder);
    text_fini(&below);
    return code;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct lake_segment *)a)->path, ((const struct lake_segment *)b)->path);
}

int lake_list_open(struct lake_list *list, const char *path, const struct record_type *type,
                   int64_t from_ns, int64_t to_ns, struct text *messages, struct err *e)
{
    *list = (struct lake_list){ 0 };
    struct walk w = { list, path, from_ns, to_ns, messages, e };
    struct stat st;
    int code = 0;
    if (stat(path, &st) != 0)
        return err_set(e, WEIR_EINPUT,
                       "lake: no folder '%s'; 'weir flow --lake DIR FILE' writes one", path);
    if (!S_ISDIR(st.st_mode))
        code = take_file(&w, path, true, type);
    for (unsigned i = 0; i < RECORD_COUNT && S_ISDIR(st.st_mode) && code == 0; i++) {
        struct text folder = { 0 };
        if (type != NULL && type != &record_types[i])
            continue;
        text_format(&folder, "%s/%s", path, record_types[i].name);
        code = folder.is_bad ? err_memory(e, "list of segments", folder.size)
                             : walk_folder(&w, folder.data, &record_types[i], 0, 2);
        text_fini(&folder);
    }
    if (code < 0) {
        lake_list_close(list);
        return code;
    }
    if (list->count > 0)
        qsort(list->segment, list->count, sizeof *list->segment, by_path);
    return 0;
}

void lake_list_close(struct lake_list *list)
{
    free(list->segment);
    arena_fini(&list->arena);
    *list = (struct lake_list){ 0 };
}
