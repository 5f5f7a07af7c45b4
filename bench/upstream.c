/* Stands in for OpenAI: answers chat completions as fast as a core can, or paces the events of many streams.

   upstream PORT EVENTS PAUSE_MS

   POST with "stream": true gets EVENTS server-sent events, then [DONE]; all at once with PAUSE_MS 0, else one every
   PAUSE_MS milliseconds, the first at once. A usage event is sent where include_usage asks for it, as OpenAI does it.
   Events are 4 KB for requests that say bench-wide. Every other POST gets about 1 KB of JSON. GET answers how many
   POSTs there were, and how many with SpendAI's key: others may still work off what clients left. Like OpenAI's, each answer
   has a request id and an object id of its own. One thread, epoll, kept-alive connections; ends with its parent. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN = 65536, WIDE = 4096 };

struct conn {
    int fd, gone, queued, waits, wide, usage; /* waits: for the socket to take more */
    int sent;                                 /* events of the stream under way */
    long due;                                 /* microseconds of the next event */
    unsigned long id;                         /* of the answer under way */
    struct conn *next;                        /* all pauses are the same: a queue is enough of a timer */
    size_t have, out_len, out_cap;
    char *out;
    char in[IN];
};

/* What is sent, with the sixteen digits of an answer's id, which begin at place id. */
struct text {
    size_t length, id;
    char bytes[9100];
};

static int poll_fd, events, pause_us;
static long posts, spendai;
static unsigned long ids;
static struct conn *first, *last;
static struct text answer_head, answer, head, event[2], finish[2], usage_event;
static const char done[] = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";

static long now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static void watch(struct conn *c, int how) {
    struct epoll_event e = {.events = EPOLLIN | (c->waits ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poll_fd, how, c->fd, &e);
}

static void drop(struct conn *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    c->gone = 1;
    if (c->queued) return; /* the queue frees it */
    free(c->out);
    free(c);
}

/* What the socket does not take now is kept until it does. Returns 0 when the peer is gone. */
static int put(struct conn *c, const char *data, size_t length) {
    if (!c->out_len) {
        ssize_t n = send(c->fd, data, length, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) return 0;
        if (n > 0) data += n, length -= n;
    }
    if (!length) return 1;
    if (c->out_len + length > c->out_cap) c->out = realloc(c->out, c->out_cap = (c->out_len + length) * 2);
    memcpy(c->out + c->out_len, data, length);
    c->out_len += length;
    if (!c->waits) c->waits = 1, watch(c, EPOLL_CTL_MOD);
    return 1;
}

static int flush(struct conn *c) {
    ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN;
    memmove(c->out, c->out + n, c->out_len -= n);
    if (!c->out_len) c->waits = 0, watch(c, EPOLL_CTL_MOD);
    return 1;
}

static const char digits[] = "0000000000000000";

static void keep(struct text *into, const char *bytes) {
    into->length = strlen(strcpy(into->bytes, bytes));
    into->id = strstr(into->bytes, digits) - into->bytes;
}

static void frame(struct text *into, const char *data) {
    char bytes[9100];
    sprintf(bytes, "%zx\r\n%s\r\n", strlen(data), data);
    keep(into, bytes);
}

static char *add(char *at, const struct text *text, unsigned long id) {
    memcpy(at, text->bytes, text->length);
    for (char *digit = at + text->id + 16; id; id >>= 4) *--digit = "0123456789abcdef"[id & 15];
    return at + text->length;
}

/* The next event of a stream, and its end after the last one. */
static int step(struct conn *c) {
    char buffer[16384], *at = buffer;
    if (!c->sent) at = add(at, &head, c->id);
    c->sent++;
    at = add(at, c->sent == events ? &finish[c->wide] : &event[c->wide], c->id);
    if (c->sent == events && c->usage) at = add(at, &usage_event, c->id);
    if (c->sent == events) at = stpcpy(at, done);
    return put(c, buffer, at - buffer);
}

static int stream(struct conn *c) {
    c->sent = 0;
    if (pause_us) {
        if (!step(c)) return 0;
        if (c->sent == events) return 1;
        c->due = now_us() + pause_us, c->next = NULL, c->queued = 1;
        if (last) last->next = c; else first = c;
        last = c;
        return 1;
    }
    static char all[1 << 20];
    char *at = add(all, &head, c->id);
    for (int n = 1; n < events; n++) at = add(at, &event[0], c->id);
    at = add(at, &finish[0], c->id);
    if (c->usage) at = add(at, &usage_event, c->id);
    return put(c, all, stpcpy(at, done) - all);
}

/* Microseconds until the next event is due; sends those that are. */
static long pace(void) {
    while (first) {
        struct conn *c = first;
        long wait = c->due - now_us();
        if (wait > 0 && !c->gone) return wait;
        first = c->next, c->next = NULL, c->queued = 0;
        if (!first) last = NULL;
        if (c->gone || !step(c)) { drop(c); continue; }
        if (c->sent == events) continue;
        c->due += pause_us, c->queued = 1;
        if (last) last->next = c; else first = c;
        last = c;
    }
    return 1000000;
}

static int says(const char *body, size_t length, const char *name, const char *value) {
    const char *at = memmem(body, length, name, strlen(name));
    if (!at) return 0;
    for (at += strlen(name); at < body + length && (*at == ' ' || *at == ':'); at++) {}
    return (size_t)(body + length - at) >= strlen(value) && !memcmp(at, value, strlen(value));
}

static int respond(struct conn *c, const char *request, const char *body, size_t length) {
    char reply[256];
    if (request[0] != 'P') {
        char words[96];
        int n = sprintf(words, "{\"posts\": %ld, \"spendai\": %ld}", posts, spendai);
        n = sprintf(reply, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", n, words);
        return put(c, reply, n);
    }
    posts++;
    spendai += memmem(request, body - request, "sk-upstream", 11) != NULL;
    c->id = ++ids * 0x9E3779B97F4A7C15; /* in no order, like OpenAI's */
    if (!says(body, length, "\"stream\"", "true")) {
        char whole[8192];
        return put(c, whole, add(add(whole, &answer_head, c->id), &answer, c->id) - whole);
    }
    c->wide = memmem(body, length, "bench-wide", 10) != NULL;
    c->usage = says(body, length, "\"include_usage\"", "true");
    return stream(c);
}

/* Bytes of the first whole request in the buffer, answered; 0: not whole yet; -1: give the connection up. */
static long take(struct conn *c) {
    c->in[c->have] = 0;
    char *end = memmem(c->in, c->have, "\r\n\r\n", 4), *body, *stop = NULL;
    if (!end) return c->have + 1 < IN ? 0 : -1;
    body = end + 4;
    *end = 0;
    char *sized = strcasestr(c->in, "\r\ncontent-length:"), *chunked = strcasestr(c->in, "\r\ntransfer-encoding:");
    *end = '\r';
    if (chunked) {
        stop = memmem(body, c->in + c->have - body, "0\r\n\r\n", 5);
        if (stop) stop += 5;
    } else {
        long length = sized ? atol(sized + 17) : 0;
        if (body + length <= c->in + c->have) stop = body + length;
    }
    if (!stop) return c->have + 1 < IN ? 0 : -1;
    return respond(c, c->in, body, stop - body) ? stop - c->in : -1;
}

static int readable(struct conn *c) {
    ssize_t n = recv(c->fd, c->in + c->have, IN - 1 - c->have, 0);
    if (n <= 0) return n < 0 && errno == EAGAIN;
    c->have += n;
    for (long used; c->have && !c->queued && (used = take(c));) {
        if (used < 0) return 0;
        memmove(c->in, c->in + used, c->have -= used);
    }
    return 1;
}

static void make_answers(void) {
    static const char chunk[] = "data: {\"id\":\"chatcmpl-Bench0000000000000000\",\"object\":\"chat.completion.chunk\","
        "\"created\":1795000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":"
        "\"fp_0123456789\",%s}\n\n";
    static const char top[] = "HTTP/1.1 200 OK\r\ncontent-type: %s\r\nx-request-id: req_0000000000000000\r\n"
        "openai-processing-ms: 1\r\nopenai-version: 2020-10-01\r\n%s\r\n\r\n";
    static const char usage[] = "\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":10,\"total_tokens\":29,"
        "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},\"completion_tokens_details\":"
        "{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}";
    char words[WIDE + 1], plain[9000], filled[8192], size[64], top_bytes[512];
    memset(words, 'w', WIDE), words[WIDE] = 0;
    for (int wide = 0; wide < 2; wide++) {
        sprintf(filled, "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" %s\"},\"logprobs\":null,\"finish_reason\":null}]",
                wide ? words : "word");
        sprintf(plain, chunk, filled), frame(&event[wide], plain);
        sprintf(plain, chunk, "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]");
        frame(&finish[wide], plain);
    }
    sprintf(filled, "\"choices\":[],%s", usage), sprintf(plain, chunk, filled), frame(&usage_event, plain);
    sprintf(top_bytes, top, "text/event-stream; charset=utf-8", "transfer-encoding: chunked"), keep(&head, top_bytes);
    words[384] = 0;
    int n = sprintf(plain, "{\"id\":\"chatcmpl-Bench0000000000000000\",\"object\":\"chat.completion\",\"created\":"
        "1795000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
        "\"content\":\"%s\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],%s,"
        "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\"}", words, usage);
    sprintf(size, "content-length: %d", n);
    sprintf(top_bytes, top, "application/json", size), keep(&answer_head, top_bytes), keep(&answer, plain);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    events = atoi(argv[2]), pause_us = atoi(argv[3]) * 1000;
    if (events < 1 || events > 2000) return 2;
    make_answers();
    ids = time(NULL) * 1000000L; /* so that another upstream's are others */
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (void *)&at, sizeof at) || listen(listener, 8192)) return perror("upstream"), 1;
    poll_fd = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL}, ready[512];
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        long wait = pace();
        struct timespec limit = {wait / 1000000, wait % 1000000 * 1000};
        int n = epoll_pwait2(poll_fd, ready, 512, &limit, NULL);
        for (int i = 0; i < n; i++) {
            struct conn *c = ready[i].data.ptr;
            if (!c) {
                for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                    c = calloc(1, sizeof *c), c->fd = fd, watch(c, EPOLL_CTL_ADD);
                }
            } else if (((ready[i].events & EPOLLOUT) && !flush(c)) || ((ready[i].events & ~EPOLLOUT) && !readable(c))) {
                drop(c);
            }
        }
    }
}
