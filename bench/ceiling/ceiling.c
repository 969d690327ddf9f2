/* SPDX-License-Identifier: MIT */
/*
 * The upper bound of the benchmark: one epoll loop that answers every complete request with one fixed response.
 *
 * Usage: ceiling PORT BODY_FILE   (listens on 127.0.0.1, answers 200 application/json with the bytes of BODY_FILE)
 *
 * It pays for the same system calls as a real server (epoll_wait, one recv and one send per readable connection)
 * and for next to nothing else: no routing, no headers, no JSON. Framing is just enough to be honest about
 * pipelining and about requests that arrive in pieces: a request ends at the empty line plus Content-Length
 * bytes. Chunked requests are not understood.
 *
 * Invariants
 *  1. connections[fd] belongs to the open descriptor fd; used < sizeof(data) whenever recv is called.
 *  2. A response is never queued: the peer (wrk) has one request in flight per connection, so a send that
 *     does not fit the socket buffer means misuse and closes the connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 1024,
    REQUEST_CAP_BYTES = 16384,
    RESPONSE_CAP_BYTES = 1 << 20,
    EVENTS_PER_WAIT = 256,
};

struct connection {
    size_t used;
    char data[REQUEST_CAP_BYTES];
};

static struct connection connections[CONNECTIONS_MAX];
static char response[RESPONSE_CAP_BYTES];
static size_t response_size;

/* Fills `response` from the body file. Exits with a message when it cannot. */
static void response_load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    static char body[RESPONSE_CAP_BYTES / 2];
    size_t size = fread(body, 1, sizeof(body), file);
    if (ferror(file) || !feof(file)) {
        fprintf(stderr, "%s: cannot be read, or larger than %zu bytes\n", path, sizeof(body));
        exit(1);
    }
    fclose(file);
    int head = snprintf(response, sizeof(response),
                        "HTTP/1.1 200 OK\r\n"
                        "Server: ceiling\r\n"
                        "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                        "Content-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        size);
    memcpy(response + head, body, size);
    response_size = (size_t)head + size;
}

/* Content-Length of a header block of `size` bytes, 0 when absent. */
static size_t content_length(const char *head, size_t size)
{
    static const char name[] = "\r\ncontent-length:";
    const size_t name_size = sizeof(name) - 1;
    for (size_t i = 0; i + name_size < size; i++) {
        if (head[i] == '\r' && strncasecmp(head + i, name, name_size) == 0) {
            return strtoul(head + i + name_size, NULL, 10);
        }
    }
    return 0;
}

/* Size in bytes of the first request in the connection's buffer, 0 while it is incomplete. */
static size_t request_size(const char *data, size_t used)
{
    const char *end = memmem(data, used, "\r\n\r\n", 4);
    if (!end) {
        return 0;
    }
    size_t head = (size_t)(end - data) + 4;
    size_t body = data[0] == 'G' ? 0 : content_length(data, head);
    return body <= used - head ? head + body : 0;
}

/* Answers every complete request in the buffer. False: the connection must be closed. */
static bool connection_answer(int fd, struct connection *connection)
{
    size_t done = 0;
    for (;;) {
        size_t size = request_size(connection->data + done, connection->used - done);
        if (size == 0) {
            break;
        }
        if (send(fd, response, response_size, MSG_NOSIGNAL) != (ssize_t)response_size) {
            return false;
        }
        done += size;
    }
    connection->used -= done;
    memmove(connection->data, connection->data + done, connection->used);
    return connection->used < sizeof(connection->data);
}

/* One readable event. False: the connection must be closed. */
static bool connection_read(int fd, struct connection *connection)
{
    ssize_t got = recv(fd, connection->data + connection->used, sizeof(connection->data) - connection->used, 0);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    connection->used += (size_t)got;
    return got > 0 && connection_answer(fd, connection);
}

static int listener_open(const char *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1024) < 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

static void epoll_watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        perror("epoll_ctl");
        exit(1);
    }
}

static void accept_all(int epoll, int listener)
{
    int fd;
    int on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= CONNECTIONS_MAX || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0) {
            close(fd);
            continue;
        }
        connections[fd].used = 0;
        epoll_watch(epoll, fd);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s PORT BODY_FILE\n", argv[0]);
        return 2;
    }
    response_load(argv[2]);
    int listener = listener_open(argv[1]);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        perror("epoll_create1");
        return 1;
    }
    epoll_watch(epoll, listener);
    for (;;) {
        struct epoll_event events[EVENTS_PER_WAIT];
        int count = epoll_wait(epoll, events, EVENTS_PER_WAIT, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                accept_all(epoll, listener);
            } else if (!connection_read(fd, &connections[fd])) {
                close(fd);
            }
        }
    }
}
