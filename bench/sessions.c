/* Both ends of many WebSocket sessions: a stand-in for OpenAI, and the clients. One thread each, epoll.

   sessions upstream PORT

   Accepts every upgrade. To a message that says "bench EVENTS PAUSE_MS" it answers with a response of EVENTS messages:
   response.created, deltas, and the terminal event with its usage; one every PAUSE_MS milliseconds, the first at once.
   On a path with /realtime they are Realtime's events, with 4 KB of audio in each delta. Each message says in "at" when
   it was sent. GET answers how many responses were asked for.

   sessions clients PORT PATH HEADERS

   HEADERS: more lines of the upgrade request, ended by \r\n. Reads one command a line, answers each with a line of JSON:

   open COUNT AT_ONCE SECONDS    open COUNT sessions more, AT_ONCE of them at the same time, for SECONDS at most
   talk COUNT EVENTS PAUSE_MS SECONDS    the newest COUNT sessions ask for one response after the other; the others, which
                                 are idle, send one ping each, evenly over the SECONDS; times are in microseconds

   Both read the same clock, so that the time a message took is the difference. Ends with its parent. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN = 65536, AUDIO = 4096, TEXT = 1, CLOSE = 8, PING = 9, PONG = 10, MASK = 0x80, KEPT = 1 << 22 };

struct conn {
    int fd, open, realtime, waits;
    int count, sent, pause, queued;    /* upstream: the response under way */
    long number, due;
    struct conn *next;
    int asked;                         /* clients: whether a response is under way */
    long began, pinged;
    char *out;
    size_t have, out_len, out_cap;
    char in[IN];
};

static int poll_fd, is_client;
static char audio[AUDIO + 1];

static long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void watch(struct conn *c, int how) {
    struct epoll_event e = {.events = EPOLLIN | (c->waits ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poll_fd, how, c->fd, &e);
}

/* What the socket does not take now is kept until it does. */
static void put(struct conn *c, const char *data, size_t length) {
    if (c->fd < 0) return;
    if (!c->out_len) {
        ssize_t n = send(c->fd, data, length, MSG_NOSIGNAL);
        if (n > 0) data += n, length -= n;
    }
    if (!length) return;
    if (c->out_len + length > c->out_cap) c->out = realloc(c->out, c->out_cap = (c->out_len + length) * 2);
    memcpy(c->out + c->out_len, data, length);
    c->out_len += length;
    if (!c->waits) c->waits = 1, watch(c, EPOLL_CTL_MOD);
}

static void flush(struct conn *c) {
    ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
    if (n > 0) memmove(c->out, c->out + n, c->out_len -= n);
    if (!c->out_len) c->waits = 0, watch(c, EPOLL_CTL_MOD);
}

static void drop(struct conn *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1, c->open = 0;
}

/* A client's frames are masked, with zeros: the reader has the same work as with any other mask. */
static void frame(struct conn *c, int opcode, const char *data, size_t length) {
    char buffer[AUDIO + 1024];
    size_t at = 2;
    buffer[0] = 0x80 | opcode, buffer[1] = length < 126 ? length : 126;
    if (length >= 126) buffer[2] = length >> 8, buffer[3] = length, at = 4;
    if (is_client) buffer[1] |= MASK, memset(buffer + at, 0, 4), at += 4;
    memcpy(buffer + at, data, length);
    put(c, buffer, at + length);
}

static void say(struct conn *c, const char *format, ...) {
    char text[AUDIO + 1000];
    va_list words;
    va_start(words, format);
    int length = vsnprintf(text, sizeof text, format, words);
    va_end(words);
    frame(c, TEXT, text, length);
}

/* SHA-1 of a short text in Base64, for Sec-WebSocket-Accept. */
static uint32_t turned(uint32_t x, int n) { return x << n | x >> (32 - n); }

static void accept_key(const char *text, char *into) {
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}, w[80];
    unsigned char block[128] = {0}, digest[21] = {0};
    size_t length = strlen(text), blocks = (length + 8) / 64 + 1;
    memcpy(block, text, length);
    block[length] = 0x80, block[blocks * 64 - 2] = length * 8 >> 8, block[blocks * 64 - 1] = length * 8;
    for (size_t b = 0; b < blocks; b++) {
        uint32_t a[5];
        for (int i = 0; i < 16; i++) {
            unsigned char *p = block + b * 64 + i * 4;
            w[i] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
        }
        for (int i = 16; i < 80; i++) w[i] = turned(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        memcpy(a, h, sizeof h);
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? (a[1] & a[2]) | (~a[1] & a[3]) : i < 40 || i >= 60 ? a[1] ^ a[2] ^ a[3]
                       : (a[1] & a[2]) | (a[1] & a[3]) | (a[2] & a[3]);
            uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
            uint32_t next = turned(a[0], 5) + f + a[4] + k + w[i];
            a[4] = a[3], a[3] = a[2], a[2] = turned(a[1], 30), a[1] = a[0], a[0] = next;
        }
        for (int i = 0; i < 5; i++) h[i] += a[i];
    }
    for (int i = 0; i < 20; i++) digest[i] = h[i / 4] >> (24 - i % 4 * 8);
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < 21; i += 3) {
        uint32_t three = digest[i] << 16 | digest[i + 1] << 8 | digest[i + 2];
        for (int j = 0; j < 4; j++) *into++ = letters[three >> (18 - 6 * j) & 63];
    }
    strcpy(into - 1, "=");
}

static void got_frame(struct conn *c, int opcode, char *data, size_t length);
static void got_head(struct conn *c);

/* Reads what there is: the head of the upgrade, then whole frames. */
static void receive(struct conn *c) {
    ssize_t n = recv(c->fd, c->in + c->have, IN - 1 - c->have, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return drop(c);
    c->have += n;
    c->in[c->have] = 0;
    char *at = c->in, *stop = c->in + c->have;
    if (!c->open) {
        char *end = strstr(c->in, "\r\n\r\n");
        if (!end) return;
        end[2] = 0;
        got_head(c);
        at = end + 4;
    }
    while (c->fd >= 0 && stop - at >= 2) {
        unsigned char *head = (unsigned char *)at;
        size_t length = head[1] & 127, start = 2;
        if (length == 126) {
            if (stop - at < 4) break;
            length = head[2] << 8 | head[3], start = 4;
        } else if (length == 127) exit(3); /* longer than any message here */
        size_t masked = head[1] & MASK ? 4 : 0;
        if ((size_t)(stop - at) < start + masked + length) break;
        char *data = at + start + masked, *mask = data - 4;
        for (size_t i = 0; masked && i < length; i++) data[i] ^= mask[i & 3];
        at = data + length;
        char kept = *at;
        *at = 0; /* ends the text for strstr */
        int opcode = head[0] & 15;
        if (opcode == PING) frame(c, PONG, data, length);
        else if (opcode == CLOSE) frame(c, CLOSE, data, length < 2 ? 0 : 2), drop(c);
        else got_frame(c, opcode, data, length);
        *at = kept;
    }
    memmove(c->in, at, c->have = stop - at);
}

/* ---- upstream ---- */

static struct conn *first, *last;
static long responses;

static void terminal(struct conn *c) {
    if (c->realtime)
        say(c, "{\"type\":\"response.done\",\"event_id\":\"event_d\",\"response\":{\"id\":\"resp_%ld\",\"object\":\"realtime.response\","
            "\"status\":\"completed\",\"status_details\":null,\"usage\":{\"total_tokens\":300,\"input_tokens\":260,\"output_tokens\":40,"
            "\"input_token_details\":{\"text_tokens\":60,\"audio_tokens\":200,\"cached_tokens\":0},"
            "\"output_token_details\":{\"text_tokens\":10,\"audio_tokens\":30}}},\"at\":%ld}", c->number, now_ns());
    else
        say(c, "{\"type\":\"response.completed\",\"sequence_number\":%d,\"response\":{\"id\":\"resp_%ld\",\"object\":\"response\","
            "\"status\":\"completed\",\"model\":\"gpt-4o-mini-2024-07-18\",\"output\":[{\"type\":\"message\",\"id\":\"msg_1\","
            "\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"word word word\","
            "\"annotations\":[]}]}],\"usage\":{\"input_tokens\":12,\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":9,"
            "\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":21}},\"at\":%ld}", c->sent, c->number, now_ns());
}

/* The next message of a response. */
static void step(struct conn *c) {
    if (c->sent == c->count - 1)
        terminal(c);
    else if (!c->sent)
        say(c, "{\"type\":\"response.created\",\"response\":{\"id\":\"resp_%ld\",\"object\":\"response\",\"status\":\"in_progress\","
            "\"model\":\"gpt-4o-mini-2024-07-18\",\"output\":[],\"usage\":null},\"at\":%ld}", c->number, now_ns());
    else if (c->realtime)
        say(c, "{\"type\":\"response.output_audio.delta\",\"event_id\":\"event_%d\",\"response_id\":\"resp_%ld\",\"item_id\":\"item_1\","
            "\"output_index\":0,\"content_index\":0,\"delta\":\"%s\",\"at\":%ld}", c->sent, c->number, audio, now_ns());
    else
        say(c, "{\"type\":\"response.output_text.delta\",\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,"
            "\"delta\":\" word\",\"sequence_number\":%d,\"at\":%ld}", c->sent, now_ns());
    c->sent++;
}

/* All pauses of one wave are the same: a queue is enough of a timer. */
static void enqueue(struct conn *c) {
    c->due += c->pause * 1000000L, c->next = NULL;
    if (first) last->next = c;
    else first = c;
    last = c;
}

static void answer(struct conn *c, const char *asked) {
    c->sent = 0, c->number = ++responses, c->due = now_ns();
    sscanf(asked, "bench %d %d", &c->count, &c->pause);
    do step(c);
    while (!c->pause && c->sent < c->count);
    if (c->sent < c->count) enqueue(c);
}

static void upgrade(struct conn *c) {
    char key[128], accept[32], head[512];
    char *given = strcasestr(c->in, "\r\nSec-WebSocket-Key:");
    if (!given) {
        char body[64];
        int length = sprintf(body, "{\"responses\":%ld}", responses);
        put(c, head, sprintf(head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", length, body));
        return;
    }
    sscanf(given + 20, " %63[^\r]", key);
    accept_key(strcat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), accept);
    c->open = 1, c->realtime = strstr(c->in, "/realtime") != NULL;
    put(c, head, sprintf(head, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: %s\r\n\r\n", accept));
    if (c->realtime)
        say(c, "{\"type\":\"session.created\",\"event_id\":\"event_s\",\"session\":{\"id\":\"sess_1\",\"object\":\"realtime.session\","
            "\"type\":\"realtime\",\"model\":\"gpt-realtime\",\"expires_at\":0}}");
}

static int listening(int port) {
    struct sockaddr_in on = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (void *)&on, sizeof on) || listen(fd, 4096)) exit((perror("listen"), 1));
    return fd;
}

static void let_in(int listener) {
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct conn *c = calloc(1, sizeof *c);
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        watch(c, EPOLL_CTL_ADD);
    }
}

static void serve(int port) {
    struct epoll_event ready[512], accepts = {.events = EPOLLIN};
    int listener = listening(port);
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &accepts);
    for (;;) {
        long left = first ? first->due - now_ns() : 1000000000;
        struct timespec wait = {0, left < 0 ? 0 : left > 999999999 ? 999999999 : left};
        int n = epoll_pwait2(poll_fd, ready, 512, &wait, NULL);
        for (int i = 0; i < n; i++) {
            struct conn *c = ready[i].data.ptr;
            if (!c) let_in(listener);
            else if (c->fd < 0) continue; /* its memory stays: the queue may hold it */
            else if (ready[i].events & EPOLLOUT) flush(c);
            else receive(c);
        }
        for (long now = now_ns(); first && first->due <= now;) {
            struct conn *c = first;
            first = c->next;
            if (c->fd < 0) continue;
            step(c);
            if (c->sent < c->count) enqueue(c);
        }
    }
}

/* ---- clients ---- */

static struct conn **sessions;
static int session_count, opening, opened, failed, live, events, pause_ms, pongs;
static long finished, talk_until;
static struct sockaddr_in to;
static const char *path, *headers;

struct times {
    double *values; /* microseconds; those after KEPT are not kept */
    long count;
} opens, deltas, ends, wholes, pings;

static void note(struct times *t, double ns) {
    if (!t->values) t->values = malloc(KEPT * sizeof *t->values);
    if (t->count < KEPT) t->values[t->count] = ns / 1e3;
    t->count++;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void figures(const char *name, struct times *t) {
    long n = t->count < KEPT ? t->count : KEPT;
    qsort(t->values, n, sizeof *t->values, by_size);
    if (!n) printf("\"%s\": null, ", name);
    else printf("\"%s\": {\"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f}, ", name, t->values[n / 2], t->values[(long)(n * 0.99)], t->values[n - 1]);
    t->count = 0;
}

static void ask(struct conn *c) {
    c->began = now_ns(), c->asked = 1, live++;
    if (c->realtime)
        say(c, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"bench %d %d\"}}", events, pause_ms);
    else
        say(c, "{\"type\":\"response.create\",\"model\":\"gpt-4o-mini\",\"input\":\"bench %d %d\"}", events, pause_ms);
}

static void begun(struct conn *c) {
    note(&opens, now_ns() - c->began);
    opening--, opened++;
}

static void got_frame(struct conn *c, int opcode, char *data, size_t length) {
    if (!is_client) {
        char *asked = strstr(data, "bench ");
        if (asked && c->open) answer(c, asked);
        return;
    }
    if (opcode == PONG) {
        if (c->pinged) note(&pings, now_ns() - c->pinged), pongs++;
        c->pinged = 0;
        return;
    }
    char *at = memmem(length > 40 ? data + length - 40 : data, length > 40 ? 40 : length, "\"at\":", 5);
    long now = now_ns();
    if (!at) {
        if (strstr(data, "session.created")) begun(c);
        else fprintf(stderr, "unexpected: %.300s\n", data), failed++;
        return;
    }
    double took = now - atol(at + 5);
    if (memmem(data, 200 < length ? 200 : length, ".delta\"", 7)) return note(&deltas, took);
    if (memmem(data, 60 < length ? 60 : length, "response.created", 16)) return;
    note(&ends, took), note(&wholes, now - c->began - (events - 1) * 1e6 * pause_ms);
    finished++, live--, c->asked = 0;
    if (now < talk_until) ask(c);
}

static void got_head(struct conn *c) {
    if (!is_client) return upgrade(c);
    if (strncmp(c->in, "HTTP/1.1 101", 12)) return fprintf(stderr, "refused: %.100s\n", c->in), drop(c);
    c->open = 1;
    if (!c->realtime) begun(c);
}

static void begin(void) {
    int yes = 1;
    struct conn *c = sessions[session_count++] = calloc(1, sizeof *c);
    c->began = now_ns(), c->realtime = strstr(path, "/realtime") != NULL;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    opening++;
    if (connect(c->fd, (void *)&to, sizeof to)) return drop(c), (void)(opening--, failed++);
    char head[2048];
    watch(c, EPOLL_CTL_ADD);
    put(c, head, snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", path, headers));
}

/* Handles what came within a millisecond. Returns 1 when there is a command to read. */
static int turn(void) {
    struct epoll_event ready[512];
    int n = epoll_wait(poll_fd, ready, 512, 1), command = 0;
    for (int i = 0; i < n; i++) {
        struct conn *c = ready[i].data.ptr;
        if (!c) { command = 1; continue; }
        if (c->fd < 0) continue;
        int was = opened;
        if (ready[i].events & EPOLLOUT) flush(c);
        else receive(c);
        if (c->fd >= 0) continue;
        failed++;
        if (c->asked) live--, c->asked = 0;
        else if (opened == was && opening) opening--;
    }
    return command;
}

static void open_more(int count, int at_once, double seconds) {
    long start = now_ns(), limit = start + seconds * 1e9;
    int target = session_count + count;
    opened = failed = opening = 0;
    while ((session_count < target || opening) && now_ns() < limit) {
        while (session_count < target && opening < at_once) begin();
        turn();
    }
    printf("{\"opened\": %d, \"failed\": %d, ", opened, failed);
    figures("open_us", &opens);
    printf("\"seconds\": %.3f}\n", (now_ns() - start) / 1e9);
}

static void talk(int count, double seconds) {
    int idle = session_count - count, pinged = 0, asking = 0;
    long start = now_ns(), span = seconds * 1e9, apart = events * 1000000L * pause_ms / count; /* not in step */
    talk_until = start + span;
    finished = failed = pongs = live = 0;
    for (long now; (now = now_ns()) < talk_until + 30000000000L && (now < talk_until || asking < count || live || pongs < pinged);) {
        for (; asking < count && now >= start + apart * asking; asking++)
            if (sessions[idle + asking]->open) ask(sessions[idle + asking]);
        for (; pinged < idle && now >= start + span / idle * pinged; pinged++)
            if (sessions[pinged]->open) sessions[pinged]->pinged = now, frame(sessions[pinged], PING, "bench", 5);
        turn();
    }
    double took = (now_ns() - start) / 1e9;
    long frames = deltas.count;
    printf("{\"responses\": %ld, \"failed\": %d, \"unfinished\": %d, \"deltas\": %ld, \"pings\": %d, \"pongs\": %d, \"seconds\": %.3f, ",
           finished, failed, live, frames, pinged, pongs, took);
    figures("delta_us", &deltas), figures("end_us", &ends), figures("whole_us", &wholes), figures("pong_us", &pings);
    printf("\"idle\": %d}\n", idle);
}

static int clients(int port) {
    struct epoll_event commands = {.events = EPOLLIN};
    char line[256];
    int count, at_once;
    double seconds;
    is_client = 1;
    setvbuf(stdin, NULL, _IONBF, 0);
    to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sessions = calloc(65536, sizeof *sessions);
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, 0, &commands);
    for (;;) {
        if (!turn()) continue;
        if (!fgets(line, sizeof line, stdin)) return 0;
        if (sscanf(line, "open %d %d %lf", &count, &at_once, &seconds) == 3) open_more(count, at_once, seconds);
        else if (sscanf(line, "talk %d %d %d %lf", &count, &events, &pause_ms, &seconds) == 4) talk(count, seconds);
        fflush(stdout);
    }
}

int main(int argc, char **argv) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    poll_fd = epoll_create1(0);
    memset(audio, 'A', AUDIO);
    if (argc == 3 && !strcmp(argv[1], "upstream")) serve(atoi(argv[2]));
    if (argc != 5 || strcmp(argv[1], "clients")) return 2;
    path = argv[3], headers = argv[4];
    return clients(atoi(argv[2]));
}
