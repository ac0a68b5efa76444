/*
 * control.h -- every process can be asked: HTTP over a Unix socket in the run directory.
 *
 *   GET /state            the process's state as JSON; /state?what=subscribers and other queries by
 * room GET /metrics          Prometheus text GET /log              the last log lines GET /trace
 * the message trace as JSON; /trace?imsi=...&after=SEQUENCE other                 what the room
 * registers (POST /subscribers, ...)
 *
 * So `curl --unix-socket FILE http://strowger/metrics` works. Only the socket's owner may connect.
 * Handlers run in the loop's thread and answer at once. An answer that goes on and on (packets as
 * they pass) is a stream: HTTP 101, and the socket is the handler's from then on.
 */
#ifndef STROWGER_BASE_CONTROL_H
#define STROWGER_BASE_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cursor.h"

struct control_request {
    const char *method;
    const char *path;
    struct bytes body;
    void *connection; /* for control_argument() */
};

struct control_stream;

struct control_answer {
    int status;               /* HTTP; 200 unless set */
    const char *content_type; /* application/json unless set */
    json_t *json;             /* the answer's body, taken over; or */
    char *text;               /* malloc'ed bytes, taken over, */
    size_t text_len;          /* of this length */
    /* Instead of a body: called with the stream as soon as the answer's head is sent.
     * `stream_context` is malloc'ed and taken over; it lives until the connection ends. Its stream
     * may never come to be, when the caller goes before. */
    void (*stream)(struct control_stream *stream, void *stream_context);
    void *stream_context;
};

/* The stream's socket, which does not block. It stays the stream's: never close() it. */
int control_stream_fd(const struct control_stream *stream);
/* Ends the stream; before control_close(). */
void control_stream_close(struct control_stream *stream);

struct control_route {
    const char *method; /* "GET", "POST", "DELETE", "PUT" */
    const char *path;   /* "/state"; "/subscribers/" matches all that begins so */
    void (*handle)(const struct control_request *request, struct control_answer *answer);
};

/* The value of ?name=... in the request, or NULL. */
const char *control_argument(const struct control_request *request, const char *name);

/* Fills an error answer: {"error": "..."}. */
__attribute__((format(printf, 3, 4))) void control_refuse(struct control_answer *answer, int status,
                                                          const char *format, ...);

/* Opens the socket at `path` (an old one that nobody answers on is replaced). Routes stay where
 * they are. 0 or negative errno; -EADDRINUSE when a live process answers there. */
int control_open(const char *path);
int control_add_routes(const struct control_route *routes, size_t count);
void control_close(void);

/* The other side, for the command line and tests: sends a request to the process behind
 * `socket_path` and waits for the answer. *body is malloc'ed, terminated; *status the HTTP status.
 * 0 or negative errno: -ECONNREFUSED / -ENOENT when nobody is there. */
int control_call(const char *socket_path, const char *method, const char *target,
                 const char *body_in, char **body, size_t *len, int *status);

/* A GET whose answer is a stream: its socket, which blocks and is the caller's, or negative errno;
 * -EPROTO when the answer is another one: *refusal is its body then (malloc'ed, terminated), or
 * NULL. Who has enough says shutdown(SHUT_WR), and reads on until the end. */
int control_open_stream(const char *socket_path, const char *target, char **refusal);

/* control_call with GET and a JSON answer; NULL when that fails or the status is not 200. */
json_t *control_get_json(const char *socket_path, const char *target);

#endif
