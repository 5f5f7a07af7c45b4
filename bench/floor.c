/* The least that a proxy with two commits can cost: one client after the other, one thread, every wait blocking.

   floor PORT UPSTREAM_PORT [FD OPEN SETTLE]

   FD: a connection to Postgres, logged in, with the prepared statements `open` and `settle` of one parameter each.
   OPEN, SETTLE: files with the parameters; %1$s becomes the call's id (a UUID), %2$s the time (UTC).
   Requests and answers need a content-length and at most 64 kB. Without FD nothing is written down. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 65536 };
static int database = -1;
static char templates[2][SIZE], id[64], now[64];

static void fail(const char *what) { perror(what), exit(1); }

static void send_all(int fd, const char *data, size_t size) {
    for (ssize_t sent; size; data += sent, size -= sent)
        if ((sent = write(fd, data, size)) <= 0) fail("write");
}

static int http(int fd, char *into) { /* one message with its body; 0: the connection is over */
    int have = 0, whole = 0;
    while (!whole || have < whole) {
        ssize_t got = read(fd, into + have, SIZE - 1 - have);
        if (got <= 0) return 0;
        into[have += got] = 0;
        char *end = strstr(into, "\r\n\r\n"), *length = strcasestr(into, "\r\ncontent-length:");
        if (end && !whole) whole = end + 4 - into + (length && length < end ? atoi(length + 17) : 0);
    }
    return have;
}

static int dial(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static char *number(char *at, uint32_t value) { return value = htonl(value), mempcpy(at, &value, 4); }

static char *begin(char *at, char kind) { return *at = kind, at + 5; }

static char *finish(char *start, char *at) { return number(start + 1, at - start - 1), at; }

static void execute(const char *statement, const char *template) { /* in a transaction of its own: returns once it is committed */
    static char out[SIZE * 2], in[SIZE], value[SIZE];
    int size = sprintf(value, template, id, now), have = 0;
    char *at = begin(out, 'B');
    *at++ = 0; /* no portal */
    at = stpcpy(at, statement) + 1;
    at = mempcpy(at, "\0\0\0\1", 4); /* parameters as text; one */
    at = mempcpy(number(at, size), value, size);
    at = finish(out, (char *)mempcpy(at, "\0\0", 2));
    char *part = at;
    at = finish(part, number(begin(at, 'E') + 1, 0));
    part[5] = 0;
    part = at;
    at = finish(part, begin(at, 'S'));
    send_all(database, out, at - out);
    for (;;) {
        ssize_t got = read(database, in + have, sizeof in - have);
        if (got <= 0) fail("database");
        have += got;
        for (int from = 0; have - from >= 5;) {
            uint32_t length;
            memcpy(&length, in + from + 1, 4);
            if (have - from < (int)(length = ntohl(length) + 1)) break;
            if (in[from] == 'E') fprintf(stderr, "%.*s\n", (int)length - 5, in + from + 5), exit(1);
            if (in[from] == 'Z') return;
            from += length;
        }
    }
}

static void name_call(void) {
    static unsigned long long count;
    struct timespec t;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &t);
    long long ms = t.tv_sec * 1000LL + t.tv_nsec / 1000000;
    sprintf(id, "%08llx-%04llx-7000-8000-%012llx", ms >> 16, ms & 0xffff, ++count);
    int n = strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%S", gmtime_r(&t.tv_sec, &parts));
    sprintf(now + n, ".%03ldZ", t.tv_nsec / 1000000);
}

int main(int argc, char **argv) {
    static char request[SIZE], answer[SIZE];
    if (argc != 3 && argc != 6) return fprintf(stderr, "floor PORT UPSTREAM_PORT [FD OPEN SETTLE]\n"), 2;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, upstream = dial(atoi(argv[2]));
    if (argc > 3) {
        database = atoi(argv[3]);
        fcntl(database, F_SETFL, fcntl(database, F_GETFL) & ~O_NONBLOCK);
        for (int n = 0; n < 2; n++) {
            FILE *file = fopen(argv[4 + n], "r");
            if (!file || !fread(templates[n], 1, SIZE - 1, file)) fail(argv[4 + n]);
        }
    }
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 16)) fail("listen");
    for (int client; (client = accept(listener, NULL, NULL)) >= 0; close(client)) {
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        for (int size; (size = http(client, request));) {
            name_call();
            if (database >= 0) execute("open", templates[0]);
            send_all(upstream, request, size);
            if (!(size = http(upstream, answer))) fail("upstream");
            if (database >= 0) execute("settle", templates[1]);
            send_all(client, answer, size);
        }
    }
    fail("accept");
}
