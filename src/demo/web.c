/* Messages people could read: HTTP/1.1 and print jobs. */
#include "demo/office.h"

#define BODY_STEP 8192

static const char prose[] =
    "<p>The quick packet jumps over the lazy router, and nobody in this office is real.</p>\n";

/* `octets` of body in steps, readable or random. */
static void send_body(struct talk *t, unsigned from, bool is_text, size_t octets)
{
    struct draft *m = &t->office->draft;
    while (octets > 0) {
        size_t step = octets < BODY_STEP ? octets : BODY_STEP;
        m->size = 0;
        while (is_text && m->size < step)
            draft_put(m, prose,
                      step - m->size < sizeof prose - 1 ? step - m->size : sizeof prose - 1);
        if (!is_text)
            demo_draft_random(m, &t->office->dice, step);
        demo_talk_send(t, from, draft_view(m));
        octets -= step;
    }
}

void demo_http_get(struct talk *t, const char *host, const char *path, bool is_page, size_t octets)
{
    struct draft *m = &t->office->draft;
    m->size = 0;
    draft_text(m, "GET ");
    draft_text(m, path);
    draft_text(m, " HTTP/1.1\r\nHost: ");
    draft_text(m, host);
    draft_text(
        m,
        "\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
        "Accept: */*\r\nAccept-Language: en\r\nConnection: keep-alive\r\n\r\n");
    demo_talk_send(t, CLIENT, draft_view(m));

    m->size = 0;
    draft_text(m, "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: ");
    draft_text(m, is_page ? "text/html; charset=utf-8" : "application/octet-stream");
    draft_text(m, "\r\nContent-Length: ");
    demo_draft_number(m, octets);
    draft_text(m, "\r\nConnection: keep-alive\r\n\r\n");
    demo_talk_wait(t, dice_between(&t->office->dice, 1, 40) * NS_PER_MS);
    demo_talk_send(t, SERVER, draft_view(m));
    send_body(t, SERVER, is_page, octets);
}

void demo_print_job(struct talk *t, const char *user, size_t octets)
{
    struct draft *m = &t->office->draft;
    m->size = 0;
    draft_text(m, "\x1b%-12345X@PJL JOB NAME=\"minutes\"\r\n@PJL SET USERNAME=\"");
    draft_text(m, user);
    draft_text(m, "\"\r\n@PJL ENTER LANGUAGE=PCLXL\r\n");
    demo_talk_send(t, CLIENT, draft_view(m));
    send_body(t, CLIENT, false, octets);
    m->size = 0;
    draft_text(m, "\x1b%-12345X@PJL EOJ\r\n\x1b%-12345X");
    demo_talk_send(t, CLIENT, draft_view(m));
    demo_talk_close(t, CLIENT);
}
