/* Names, folders and who may write there. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lake/inside.h"

int lake_default_path(struct text *path, struct err *e)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (geteuid() == 0)
        text_add(path, "/var/lib/weir/lake");
    else if (state != NULL && state[0] == '/')
        text_format(path, "%s/weir/lake", state);
    else if (home != NULL && home[0] == '/')
        text_format(path, "%s/.local/state/weir/lake", home);
    else
        return err_set(e, WEIR_EUSAGE,
                       "lake: neither HOME nor XDG_STATE_HOME says where the lake is; give --lake "
                       "DIR or -R DIR");
    return path->is_bad ? err_memory(e, "lake", path->size) : 0;
}

/* Crockford's digits, in the order of ASCII so that names sort by time. */
static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

void epoch_print(uint64_t epoch, char to[EPOCH_DIGITS + 1])
{
    for (unsigned i = EPOCH_DIGITS; i-- > 0; epoch >>= 5)
        to[i] = digits[epoch & 31];
    to[EPOCH_DIGITS] = '\0';
}

void hour_path(struct text *out, const char *lake, const char *type, int64_t hour)
{
    int64_t days = hour / 24, rest = hour % 24, year;
    if (rest < 0) {
        rest += 24;
        days--;
    }
    unsigned month, day;
    civil_from_days(days, &year, &month, &day);
    text_format(out, "%s/%s/day=%04lld-%02u-%02u/hour=%lld", lake, type, (long long)year, month,
                day, (long long)rest);
}

bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name), end_size = strlen(end);
    return size > end_size && strcmp(name + size - end_size, end) == 0;
}

/* ---- claims: who writes here ---- */

/* Is the writer of SOURCE-EPOCH alive? Its claim is locked as long as it lives. */
static bool is_alive(const char *lake, const char *name, size_t size)
{
    struct text path = { 0 };
    struct file *claim;
    text_format(&path, "%s/%.*s" CLAIM_SUFFIX, lake, (int)size, name);
    bool alive = path.is_bad;
    if (!alive && file_open(&claim, path.data, FILE_READ, NULL) == 0) {
        alive = flock(file_descriptor(claim), LOCK_SH | LOCK_NB) != 0;
        file_close(claim, NULL);
    }
    text_fini(&path);
    return alive;
}

bool claim_is_alive(const char *lake, const char *name)
{
    const char *number = strrchr(name, '-');
    return number != NULL && is_alive(lake, name, (size_t)(number - name));
}

/* Remove `.part` files under `path` whose writer is dead, `depth` folders down (type, day, hour).
 */
static void remove_parts(const char *lake, const char *path, unsigned depth)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    struct dirent *entry;
    struct text below = { 0 };
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        below.size = 0;
        text_format(&below, "%s/%s", path, entry->d_name);
        if (below.is_bad)
            break;
        if (depth > 0) {
            remove_parts(lake, below.data, depth - 1);
        } else if (ends_with(entry->d_name, SEGMENT_SUFFIX SEGMENT_PART) &&
                   !claim_is_alive(lake, entry->d_name)) {
            file_remove(below.data, NULL);
        }
    }
    text_fini(&below);
    closedir(folder);
}

static void remove_claims(const char *lake)
{
    DIR *folder = opendir(lake);
    struct dirent *entry;
    struct text path = { 0 };
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (!ends_with(entry->d_name, CLAIM_SUFFIX) ||
            is_alive(lake, entry->d_name, strlen(entry->d_name) - strlen(CLAIM_SUFFIX)))
            continue;
        path.size = 0;
        text_format(&path, "%s/%s", lake, entry->d_name);
        if (!path.is_bad)
            file_remove(path.data, NULL);
    }
    text_fini(&path);
    if (folder != NULL)
        closedir(folder);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * (uint64_t)NS_PER_S + (uint64_t)t.tv_nsec;
}

/* False if it was cleared away before the lock was on it. */
static bool claim_lock(struct file *claim, const char *path)
{
    struct stat named, held;
    return flock(file_descriptor(claim), LOCK_EX) == 0 && stat(path, &named) == 0 &&
           fstat(file_descriptor(claim), &held) == 0 && named.st_ino == held.st_ino;
}

void epoch_now(char epoch[EPOCH_DIGITS + 1])
{
    epoch_print(now(), epoch);
}

int claim_open(struct file **claim, struct text *path, const char *lake, const char *source,
               char epoch[EPOCH_DIGITS + 1], struct err *e)
{
    int code = file_make_dirs(lake, e);
    if (code < 0)
        return code;
    remove_parts(lake, lake, 3);
    remove_claims(lake);
    /* Two writers in the same nanosecond: the later one takes the next. */
    for (uint64_t time = now(), last = time + 1000; time < last; time++) {
        epoch_print(time, epoch);
        path->size = 0;
        text_format(path, "%s/%s-%s" CLAIM_SUFFIX, lake, source, epoch);
        if (path->is_bad)
            return err_memory(e, "lake", path->size);
        code = file_open(claim, path->data, FILE_NEW, e);
        if (code < 0 && access(path->data, F_OK) != 0)
            break;
        if (code == 0 && claim_lock(*claim, path->data))
            return 0;
        if (code == 0) {
            file_close(*claim, NULL);
            code = err_set(e, WEIR_EOUTPUT, "cannot lock '%s'", path->data);
        }
    }
    return code;
}
