/* SPDX-License-Identifier: MIT */
/* server_fixture.h - a bolt_server under test: real sockets, a clock that only moves when told, a scripted app.
 *
 * Routes: GET / and POST /echo are answered at once (with the request's content, or "hello"); GET|POST /later stays open until
 * the test calls fixture_answer(); every other path is answered by bolt_exchange_reply_unmatched(). A test may
 * replace on_request. Any failure of the set-up itself fails the test.
 */
#ifndef SERVER_FIXTURE_H
#define SERVER_FIXTURE_H

#include "bolt/server.h"
#include "support.h"

#define FIXTURE_OPEN_MAX 256

struct fixture {
    struct bolt_server_options options; /* edit before fixture_start() */
    struct bolt_server_app app;
    struct bolt_router *router;
    struct bolt_server *server;
    uint64_t now_ms;
    struct bolt_exchange *open[FIXTURE_OPEN_MAX]; /* /later requests in order of arrival; NULL once answered */
    size_t open_count;
    int requests, disconnects;
    bool in_request; /* on_request is on the stack */
    char seen[4096]; /* "METHOD path;" of every request */
};

/* The client's end of a connection. */
struct client {
    int fd;
    struct bolt_buf received; /* not consumed yet */
    bool eof;
    int error; /* errno of a failed recv, e.g. ECONNRESET */
};

struct answer {
    int status;
    char head[2048];
    struct bolt_slice body; /* copied, valid until the next answer of this client */
    struct bolt_buf storage;
    bool close;
};

void fixture_init(struct fixture *fixture);
void fixture_start(struct fixture *fixture);
void fixture_clear(struct fixture *fixture);
/* init + start */
void fixture_begin(struct fixture *fixture);

/* Runs the server until its fd is not readable any more. */
void fixture_run(struct fixture *fixture);
/* Waits (bounded) until the server's fd is readable, then runs it: for TCP. */
void fixture_wait(struct fixture *fixture);
/* Moves the clock and runs once. */
void fixture_advance(struct fixture *fixture, uint64_t ms);
struct bolt_server_stats fixture_stats(const struct fixture *fixture);

/* The scripted app, for tests that wrap it. */
void fixture_on_request(void *ctx, struct bolt_exchange *exchange);
/* Answers exchange `index` of open[] with 200 and `body`. Does not run the server. */
void fixture_answer(struct fixture *fixture, size_t index, const char *body);
/* A complete 200 response for any exchange. */
void fixture_reply(struct bolt_exchange *exchange, struct bolt_slice body);

/* A socket pair whose other end the server has adopted. */
struct client client_connect(struct fixture *fixture);
/* A TCP connection over loopback, adopted; buffer_bytes > 0 shrinks the socket buffers on both sides. */
struct client client_connect_tcp(struct fixture *fixture, int buffer_bytes);
void client_close(struct client *client);
void client_send(struct client *client, struct bolt_slice octets);
#define client_say(client, text) client_send((client), BOLT_SLICE_LIT(text))
/* Sends what the socket takes; returns the count (0 when it is full or broken). */
size_t client_try_send(struct client *client, struct bolt_slice octets);
/* Collects what has arrived without waiting; returns the number of octets waiting to be consumed. */
size_t client_fetch(struct client *client);
/* Takes the next complete answer out of what was received; false when there is none. */
bool client_answer(struct client *client, struct answer *answer);
/* Sends everything, running the server whenever the socket is full, then waits for the next answer likewise. */
void client_exchange(struct fixture *fixture, struct client *client, struct bolt_slice request, struct answer *answer);
void client_await(struct fixture *fixture, struct client *client, struct answer *answer);
void client_await_eof(struct fixture *fixture, struct client *client);
/* Fails unless the next answer has this status and body. */
void client_expect(struct client *client, int status, const char *body);
/* Fails unless nothing is waiting and the connection is open / ended by a FIN. */
void client_expect_open(struct client *client);
void client_expect_eof(struct client *client);
void answer_clear(struct answer *answer);
bool answer_has(const struct answer *answer, const char *field_line);

/* A listening TCP socket on a port of the kernel's choice. */
int tcp_listener(uint16_t *port);
int tcp_connect(uint16_t port);

#endif
