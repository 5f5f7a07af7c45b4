/* Many clients of streams in one process: when does the first token come, when the last, does every stream end well?

   streams PORT COUNT PER_SECOND EVENTS PAUSE_MS SLOW_EVERY LIMIT_SECONDS REQUEST WIDE_REQUEST

   Starts COUNT streams, PER_SECOND of them a second, each on a connection of its own; the requests are files with whole
   HTTP requests. Of every SLOW_EVERY streams (0: of none) one reads about 3 KB twice a second and one stops reading after its first
   event and hangs up when all others are done; both ask for wide events and take small segments into a small buffer, so
   that what they leave unread piles up in the gateway and not in the kernel. Prints JSON, times in milliseconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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

enum kind { USUAL, SLOW, STALLED };
enum { STEP = 4096, OVERLAP = 16 };

struct stream {
    int fd, seen, status, live;
    enum kind kind;
    long began, first, next; /* microseconds; next: when a slow one reads again */
    int kept;                       /* bytes of the last read kept before the new ones: words may be torn */
    char buffer[OVERLAP + 16384];
};

static int poll_fd, count, events, pause_ms, live, peak;
static int complete[3], cut[3], refused;
static double *firsts, *lates;
static int first_count, late_count;

static long now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static void end(struct stream *s, int well) {
    close(s->fd);
    s->live = 0, live--;
    if (s->status && s->status != 200) refused++;
    else if (well && s->seen > events) complete[s->kind]++;
    else cut[s->kind]++;
    if (s->kind != USUAL || !s->first) return;
    firsts[first_count++] = (s->first - s->began) / 1e3;
    if (well) lates[late_count++] = (now_us() - s->began) / 1e3 - (events - 1) * (double)pause_ms;
}

/* Reads up to so many bytes. Counts events (and [DONE], which is one more); the end is the last chunk's framing. */
static void take(struct stream *s, size_t most) {
    ssize_t n = recv(s->fd, s->buffer + s->kept, most, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return end(s, 0);
    size_t length = s->kept + n;
    if (!s->status) s->status = length > 12 ? atoi(s->buffer + 9) : 0;
    const char word[] = "\ndata: ";
    char *at = s->buffer, *stop = s->buffer + length;
    while ((at = memmem(at, stop - at, word, 7))) {
        at += 7;
        if (at <= s->buffer + s->kept) continue; /* counted when it came */
        if (!s->seen++) s->first = now_us();
    }
    if (length >= 7 && !memcmp(stop - 7, "\r\n0\r\n\r\n", 7)) return end(s, 1);
    int keep = length < OVERLAP ? (int)length : OVERLAP;
    memmove(s->buffer, stop - keep, keep);
    s->kept = keep;
}

static void begin(struct stream *s, int index, int slow_every, struct sockaddr_in *to, char *request[2], size_t size[2]) {
    int yes = 1, segment = 1400, small = STEP;
    if (slow_every) s->kind = index % slow_every == 0 ? SLOW : index % slow_every == slow_every / 2 ? STALLED : USUAL;
    s->began = now_us();
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (s->kind != USUAL) {
        setsockopt(s->fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
        setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }
    s->live = 1;
    if (++live > peak) peak = live;
    int wide = s->kind != USUAL;
    if (connect(s->fd, (void *)to, sizeof *to) || send(s->fd, request[wide], size[wide], MSG_NOSIGNAL) != (ssize_t)size[wide])
        return end(s, 0);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
    if (s->kind != SLOW) epoll_ctl(poll_fd, EPOLL_CTL_ADD, s->fd, &e);
    s->next = s->began;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void figures(const char *name, double *values, int n) {
    qsort(values, n, sizeof *values, by_size);
    if (!n) printf("\"%s\": null, ", name);
    else printf("\"%s\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}, ", name, values[n / 2], values[(int)(n * 0.99)], values[n - 1]);
}

static char *whole(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) exit((perror(path), 1));
    char *data = malloc(1 << 16);
    *size = fread(data, 1, 1 << 16, file);
    fclose(file);
    return data;
}

int main(int argc, char **argv) {
    if (argc != 10) return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    count = atoi(argv[2]), events = atoi(argv[4]), pause_ms = atoi(argv[5]);
    double gap_us = 1e6 / atof(argv[3]);
    int slow_every = atoi(argv[6]), started = 0, stalled = 0;
    char *request[2];
    size_t size[2];
    request[0] = whole(argv[8], &size[0]), request[1] = whole(argv[9], &size[1]);
    struct stream *streams = calloc(count, sizeof *streams);
    firsts = calloc(count, sizeof *firsts), lates = calloc(count, sizeof *lates);
    poll_fd = epoll_create1(0);
    struct epoll_event ready[512];
    long start = now_us(), limit = start + atol(argv[7]) * 1000000L, now;
    while ((now = now_us()) < limit && (started < count || live > stalled)) {
        while (started < count && now >= start + (long)(started * gap_us)) {
            begin(&streams[started], started, slow_every, &to, request, size);
            started++;
        }
        for (int i = 0; slow_every && i < started; i += slow_every) {
            struct stream *s = &streams[i];
            if (s->live && now >= s->next) s->next = now + 500000, take(s, STEP);
        }
        struct timespec wait = {0, 1000000};
        if (started == count && !slow_every) wait.tv_nsec = 50000000;
        else if (started < count && gap_us < 1000) wait.tv_nsec = (long)(gap_us * 1000);
        int n = epoll_pwait2(poll_fd, ready, 512, &wait, NULL);
        for (int i = 0; i < n; i++) {
            struct stream *s = ready[i].data.ptr;
            if (!s->live) continue;
            take(s, 16384);
            if (s->live && s->kind == STALLED && s->seen) stalled++, epoll_ctl(poll_fd, EPOLL_CTL_DEL, s->fd, NULL);
        }
    }
    for (int i = 0; i < started; i++) {
        if (streams[i].live && streams[i].kind == STALLED && streams[i].seen) close(streams[i].fd);
        else if (streams[i].live) end(&streams[i], 0);
    }
    printf("{");
    figures("first_ms", firsts, first_count);
    figures("late_ms", lates, late_count);
    printf("\"started\": %d, \"peak\": %d, \"refused\": %d, \"complete\": %d, \"cut\": %d, \"slow_complete\": %d, \"slow_cut\": %d, "
           "\"stalled\": %d, \"seconds\": %.1f}\n", started, peak, refused, complete[USUAL], cut[USUAL] + cut[STALLED],
           complete[SLOW], cut[SLOW], stalled, (now_us() - start) / 1e6);
    return 0;
}
