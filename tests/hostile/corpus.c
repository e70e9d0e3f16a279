/*
 * hostile CUTS SEED FOLDER...: every file below the folders, whole and cut at CUTS random lengths,
 * goes through capture, decode, meter and output in this process. Made for the sanitizer build.
 * Checked for each: it ends in time, with 0, or with a named damage; the ledger closes at every
 * stage; JSON and JSON lines are valid. A report of the sanitizers or a hang ends a worker process,
 * which is taken for the file's failure; another one goes on with the next file. Ends with "N
 * passed, N failed", files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/engine.h"
#include "json.h"
#include "output/output.h"

#if defined __SANITIZE_ADDRESS__
#define IS_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifdef IS_SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

#define JOBS         2
#define FILES_MAX    65536
#define TABLE_OCTETS (UINT64_C(2) << 20)
#define HANG_S       10 /* for one run, and as much more for each MB of the file */
#define FIRST_FD     100

struct paths {
    char *path[FILES_MAX];
    size_t count;
};

/* What a worker process is at, in memory shared with the parent, which must name the file when the
 * worker dies. */
struct progress {
    size_t file; /* index of the file it is at, or paths.count when done */
    unsigned cut;
    unsigned passed, failed;
    uint64_t runs, packets, records;
};

static void add_files(struct paths *paths, const char *folder)
{
    struct dirent **entry = NULL;
    int count = scandir(folder, &entry, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
        bool is_left_out = entry[i]->d_name[0] == '.' ||
                           strcmp(entry[i]->d_name, "expected") == 0 ||
                           strcmp(entry[i]->d_name, "licences") == 0;
        if (!is_left_out && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
            add_files(paths, path);
        else if (!is_left_out && S_ISREG(info.st_mode) && paths->count < FILES_MAX)
            paths->path[paths->count++] = strdup(path);
        free(entry[i]);
    }
    free(entry);
}

/* A file without a name, at a fixed descriptor so that it has a path. */
static int memory_file(int number)
{
    int fd = memfd_create("hostile", 0);
    if (fd < 0 || dup2(fd, number) < 0)
        return -1;
    close(fd);
    return number;
}

static bool put(int fd, const uint8_t *data, size_t size)
{
    if (ftruncate(fd, 0) < 0)
        return false;
    for (size_t at = 0; at < size;) {
        ssize_t got = pwrite(fd, data + at, size - at, (off_t)at);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

/* The whole file in malloc'ed memory; NULL without. */
static uint8_t *get(int fd, size_t *size)
{
    struct stat info;
    if (fstat(fd, &info) < 0)
        return NULL;
    uint8_t *data = malloc((size_t)info.st_size + 1);
    *size = (size_t)info.st_size;
    for (size_t at = 0; data != NULL && at < *size;) {
        ssize_t got = pread(fd, data + at, *size - at, (off_t)at);
        if (got <= 0) {
            free(data);
            return NULL;
        }
        at += (size_t)got;
    }
    return data;
}

/* Next number of a seeded sequence (splitmix64). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool complain(const char *what, const char *why)
{
    printf("  %s: %s\n", what, why);
    return false;
}

struct fds {
    int in, out;
    char in_path[32], out_path[32];
};

static bool output_is_valid(const struct fds *fds, const char *format)
{
    size_t size;
    uint8_t *text = get(fds->out, &size);
    if (text == NULL)
        return complain("output", strerror(errno));
    bool is_valid = strcmp(format, "jsonl") == 0  ? json_lines_are_valid((const char *)text, size)
                    : strcmp(format, "json") == 0 ? json_is_valid((const char *)text, size)
                                                  : size > 0 && text[size - 1] == '\n';
    free(text);
    return is_valid || complain("output is not valid", format);
}

/* Meter fds->in into fds->out; `way` chooses format and options. */
static bool meter(const struct fds *fds, unsigned way, struct progress *progress)
{
    static const char *const formats[] = { "jsonl", "json", "csv", "jsonl" };
    const char *format = formats[way % 4], *path = fds->in_path;
    struct err e = { 0 };
    struct ledger read = { 0 }, written = { 0 }, sum = { 0 };
    struct capture_options in = {
        .path = &path, .path_count = 1, .from_ns = INT64_MIN, .to_ns = INT64_MAX
    };
    struct output_options out = OUTPUT_DEFAULTS;
    struct engine_options options = { .worker_count = 1, .decode.enter_tunnels = way & 1 };
    struct capture *capture = NULL;
    struct output *output = NULL;
    out.format = format;
    out.path = fds->out_path;
    bool is_good = flow_preset(way & 4 ? "nfpcapd" : "native", &options.flow);
    options.flow.memory_octets = TABLE_OCTETS;

    int code = capture_open_files(&capture, &in, &read, &e);
    if (code < 0)
        return code == WEIR_EINPUT && e.text[0] != '\0' ? is_good : complain("open", e.text);
    if (output_open(&output, &out, &record_types[RECORD_flow], &written, &e) < 0) {
        is_good = complain("output", e.text);
    } else {
        options.flows = &output->sink;
        if (engine_meter(capture, &options, &sum, &e) < 0 && e.code != WEIR_EINPUT)
            is_good = complain("meter", e.text);
        if (output_close(output, &e) < 0)
            is_good = complain("output", e.text);
        written.in[STAGE_output] = sum.out[STAGE_record]; /* all are pushed to the one output */
        ledger_add(&sum, &written);
        enum ledger_stage stage;
        if (!ledger_closes(&sum, &stage))
            is_good = complain("ledger does not close", ledger_stage_names[stage]);
        is_good = output_is_valid(fds, format) && is_good;
        progress->packets += sum.in[STAGE_input];
        progress->records += sum.in[STAGE_record];
    }
    capture_close(capture);
    return is_good;
}

/* A file whole and in its cuts. */
static bool try_file(const char *path, const struct fds *fds, unsigned cuts, uint64_t seed,
                     struct progress *progress)
{
    size_t size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *data = fd < 0 ? NULL : get(fd, &size);
    if (fd >= 0)
        close(fd);
    if (data == NULL)
        return complain("cannot be read", strerror(errno));
    bool is_good = true;
    for (const char *at = path + strlen(path); at > path && at[-1] != '/'; at--)
        seed = seed * 31 + (uint8_t)at[-1];
    for (unsigned cut = 0; cut <= cuts && is_good; cut++) {
        size_t left = cut == 0 ? size : (size_t)(next_random(&seed) % (size + 1));
        progress->cut = cut;
        progress->runs++;
        alarm(HANG_S + HANG_S * (unsigned)(size >> 20));
        is_good = put(fds->in, data, left) && meter(fds, cut, progress);
        alarm(0);
        if (!is_good)
            printf("%s cut to %zu of %zu octets (way %u)\n", path, left, size, cut % 8);
    }
    free(data);
    return is_good;
}

/* Standard error, where every damage is told, goes nowhere; reports of sanitizers still go to the
 * parent's. */
static void silence(void)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
#ifdef IS_SANITIZED
    __sanitizer_set_report_fd((void *)(intptr_t)dup(STDERR_FILENO));
#endif
    dup2(nowhere, STDERR_FILENO);
    close(nowhere);
}

/* One of JOBS: every JOBS-th file. */
static void work(const struct paths *paths, unsigned cuts, uint64_t seed, struct progress *progress)
{
    struct fds fds = { .in = memory_file(FIRST_FD), .out = memory_file(FIRST_FD + 1) };
    silence();
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* clearing huge pages takes longer than most runs */
    snprintf(fds.in_path, sizeof fds.in_path, "/proc/self/fd/%d", fds.in);
    snprintf(fds.out_path, sizeof fds.out_path, "/proc/self/fd/%d", fds.out);
    for (; progress->file < paths->count; progress->file += JOBS) {
        bool is_good = try_file(paths->path[progress->file], &fds, cuts, seed, progress);
        progress->passed += is_good;
        progress->failed += !is_good;
        fflush(stdout);
    }
}

static pid_t start(const struct paths *paths, unsigned cuts, uint64_t seed,
                   struct progress *progress)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        work(paths, cuts, seed, progress);
        exit(0);
    }
    return child;
}

/* Wait for all workers; one that died is told of and started again behind the file it died at. */
static void run_all(const struct paths *paths, unsigned cuts, uint64_t seed,
                    struct progress *progress)
{
    pid_t child[JOBS];
    for (unsigned j = 0; j < JOBS; j++) {
        progress[j].file = j;
        child[j] = start(paths, cuts, seed, &progress[j]);
    }
    int status;
    for (pid_t ended; (ended = wait(&status)) > 0 || errno == EINTR;)
        for (unsigned j = 0; j < JOBS; j++) {
            struct progress *p = &progress[j];
            if (ended != child[j] || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
                continue;
            if (p->file < paths->count) {
                const char *why =
                    WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "hangs" : "died";
                printf("%s %s at cut %u, status %d\n", paths->path[p->file], why, p->cut, status);
                p->file += JOBS;
                p->failed++;
                child[j] = start(paths, cuts, seed, p);
            } else {
                printf("a worker ended with status %d after its last file\n",
                       status); /* leaks are told at the end */
                p->failed++;
            }
        }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: hostile CUTS SEED FOLDER...\n");
        return 2;
    }
    struct paths *paths = calloc(1, sizeof *paths);
    struct progress *progress = mmap(NULL, JOBS * sizeof *progress, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (paths == NULL || progress == MAP_FAILED)
        return 4;
    for (int i = 3; i < argc; i++)
        add_files(paths, argv[i]);
    run_all(paths, (unsigned)strtoul(argv[1], NULL, 10), strtoull(argv[2], NULL, 10), progress);

    struct progress sum = { 0 };
    for (unsigned j = 0; j < JOBS; j++) {
        sum.passed += progress[j].passed;
        sum.failed += progress[j].failed;
        sum.runs += progress[j].runs;
        sum.packets += progress[j].packets;
        sum.records += progress[j].records;
    }
    printf("%zu files, %llu runs, %llu packets, %llu records\n", paths->count,
           (unsigned long long)sum.runs, (unsigned long long)sum.packets,
           (unsigned long long)sum.records);
    printf("%u passed, %u failed\n", sum.passed, sum.failed);
    for (size_t i = 0; i < paths->count; i++)
        free(paths->path[i]);
    free(paths);
    return sum.failed > 0;
}
