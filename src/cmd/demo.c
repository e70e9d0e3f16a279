/* weir demo: write the traffic of a made-up office as a capture file. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "demo/demo.h"
#include "wire/wire.h"

#define WRITE_ROOM ((size_t)1 << 18)
#define SNAPLEN    262144

struct demo_command_options {
    const char *path, *start;
    uint64_t seed, hours, hosts;
    bool is_quiet;
};

static const struct option options[] = {
    { "write", 'w', OPTION_TEXT, offsetof(struct demo_command_options, path), "FILE",
      "capture file to write; - is standard output" },
    { "seed", 0, OPTION_COUNT, offsetof(struct demo_command_options, seed), "N",
      "the same number gives the same file (default 1)" },
    { "hours", 0, OPTION_COUNT, offsetof(struct demo_command_options, hours), "N",
      "length, 1 to 8784 (default 24)" },
    { "hosts", 0, OPTION_COUNT, offsetof(struct demo_command_options, hosts), "N",
      "people's machines, 1 to 200 (default 40)" },
    { "start", 0, OPTION_TEXT, offsetof(struct demo_command_options, start), "TIME",
      "time of the first packet (default 2026-01-05T00:00:00Z)" },
    { "quiet", 'q', OPTION_FLAG, offsetof(struct demo_command_options, is_quiet), "",
      "no summary on standard error" },
    { 0 },
};
static const struct option *const tables[] = { options, NULL };

static int demo_run(int argc, char **argv, struct err *e);

const struct command demo_command = {
    .name = "demo",
    .help = "write the traffic of a made-up office to a capture file, always the same",
    .arguments = "-w FILE",
    .examples = "  weir demo -w demo.pcap\n  weir demo --seed 7 --hours 2 --hosts 10 -w - | weir "
                "stat -I 10m -\n",
    .options = tables,
    .run = demo_run,
};

/* Packets to a file through one buffer, because a write per packet is slow. */
struct writer {
    struct packet_sink sink; /* first: the generator sees this */
    struct file *file;
    struct err *e;
    uint8_t *room;
    size_t used;
    uint64_t packets, octets;
};

static int writer_flush(struct writer *w)
{
    int code = file_write(w->file, w->room, w->used, w->e);
    w->used = 0;
    return code;
}

static int writer_push(struct packet_sink *sink, struct packet_batch *batch)
{
    struct writer *w = (struct writer *)sink;
    for (unsigned i = 0; i < batch->count; i++) {
        const struct packet *p = &batch->pkt[i];
        assert(p->caplen <= WRITE_ROOM - PCAP_RECORD_SIZE);
        if (w->used + PCAP_RECORD_SIZE + p->caplen > WRITE_ROOM) {
            int code = writer_flush(w);
            if (code < 0)
                return code;
        }
        pcap_put_record(w->room + w->used, p);
        memcpy(w->room + w->used + PCAP_RECORD_SIZE, p->data, p->caplen);
        w->used += PCAP_RECORD_SIZE + p->caplen;
        w->octets += p->wirelen;
    }
    w->packets += batch->count;
    return 0;
}

static int write_all(const struct demo_options *demo, struct writer *w, struct err *e)
{
    w->room = malloc(WRITE_ROOM);
    if (w->room == NULL)
        return err_memory(e, "demo: output", WRITE_ROOM);
    pcap_put_header(w->room, DEMO_LINK, SNAPLEN);
    w->used = PCAP_HEADER_SIZE;
    int code = demo_generate(demo, &w->sink, e);
    if (code == 0)
        code = writer_flush(w);
    free(w->room);
    return code;
}

/* Check what was asked for and put it into `demo`. */
static int settle(const struct demo_command_options *o, const struct option_list *inputs,
                  struct demo_options *demo, struct err *e)
{
    if (inputs->count > 0)
        return err_set(e, WEIR_EUSAGE, "'%s': takes no input; the file to write goes behind -w",
                       inputs->item[0]);
    if (o->path == NULL)
        return err_set(e, WEIR_EUSAGE, "no file to write; for example 'weir demo -w demo.pcap'");
    if (o->hours < 1 || o->hours > DEMO_HOURS_MAX)
        return err_set(e, WEIR_EUSAGE, "--hours %" PRIu64 ": must be 1 to %d", o->hours,
                       DEMO_HOURS_MAX);
    if (o->hosts < 1 || o->hosts > DEMO_HOSTS_MAX)
        return err_set(e, WEIR_EUSAGE, "--hosts %" PRIu64 ": must be 1 to %d", o->hosts,
                       DEMO_HOSTS_MAX);
    *demo = (struct demo_options){ .seed = o->seed,
                                   .hosts = (unsigned)o->hosts,
                                   .hours = (unsigned)o->hours,
                                   .start_ns = DEMO_START_NS };
    int code = o->start == NULL ? 0 : parse_instant(o->start, &demo->start_ns, "--start", e);
    /* pcap has 32 bits for the seconds. */
    if (code == 0 &&
        (demo->start_ns < 0 ||
         demo->start_ns / NS_PER_S > (int64_t)UINT32_MAX - (int64_t)DEMO_HOURS_MAX * 3600))
        return err_set(e, WEIR_EUSAGE, "--start %s: must be between 1970 and 2105", o->start);
    return code;
}

static void say(const struct demo_options *demo, const struct writer *w, const char *path)
{
    struct text line = { 0 };
    text_format(&line, "weir demo: %s: %" PRIu64 " packets, %" PRIu64 " octets, ", path, w->packets,
                w->octets);
    text_rfc3339(&line, demo->start_ns, 0);
    text_format(&line, " and %u h, %u hosts, seed %" PRIu64, demo->hours, demo->hosts, demo->seed);
    if (!line.is_bad)
        fprintf(stderr, "%s\n", line.data);
    text_fini(&line);
}

static int demo_run(int argc, char **argv, struct err *e)
{
    struct demo_command_options o = { .seed = 1, .hours = 24, .hosts = 40 };
    struct option_list inputs = { 0 };
    struct demo_options demo;
    struct writer w = { .sink = { writer_push }, .e = e };
    int code = command_parse(&demo_command, argc, argv, &o, &inputs, NULL, e);
    if (code == 0)
        code = settle(&o, &inputs, &demo, e);
    if (code == 0)
        code = file_open(&w.file, o.path, FILE_CREATE, e);
    if (code == 0) {
        code = write_all(&demo, &w, e);
        int closed = file_close(w.file, code == 0 ? e : NULL);
        code = code == 0 ? closed : code;
        if (code == 0 && !o.is_quiet)
            say(&demo, &w, o.path);
    }
    option_list_fini(&inputs);
    return code < 0 ? code : 0;
}
