/*
 * control.c -- see control.h. libmicrohttpd speaks HTTP; it runs inside our loop: its epoll
 * descriptor is one more input of libuv, and its timeouts are a timer. The client side is libcurl.
 */
#include <curl/curl.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/control.h"
#include "base/log.h"
#include "base/loop.h"

#define MAX_ROUTE_TABLES 8
#define MAX_BODY         ((size_t)64 * 1024 * 1024)
#define MAX_CONNECTIONS  32
#define IDLE_SECONDS     30
#define CALL_SECONDS     60
#define STREAM_PROTOCOL  "strowger-stream"

static struct {
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    struct timer timer;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct {
        const struct control_route *routes;
        size_t count;
    } tables[MAX_ROUTE_TABLES];
    size_t table_count;
} control;

struct control_stream {
    struct MHD_UpgradeResponseHandle *handle;
    int fd;
};

/* A request whose body is coming in, until its connection has done with it. */
struct incoming {
    char *body;
    size_t len;
    size_t size;
    bool too_large;
    void (*on_stream)(struct control_stream *stream, void *context);
    void *context; /* of the stream */
    struct control_stream stream;
};

const char *control_argument(const struct control_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

void control_refuse(struct control_answer *answer, int status, const char *format, ...)
{
    char reason[512];
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    answer->status = status;
    answer->json = json_pack("{s:s}", "error", reason);
}

int control_add_routes(const struct control_route *routes, size_t count)
{
    if (control.table_count == MAX_ROUTE_TABLES)
        return -ENOSPC;
    control.tables[control.table_count].routes = routes;
    control.tables[control.table_count++].count = count;
    return 0;
}

static bool path_matches(const char *pattern, const char *path)
{
    size_t len = strlen(pattern);

    return len > 1 && pattern[len - 1] == '/' ? strncmp(pattern, path, len) == 0
                                              : strcmp(pattern, path) == 0;
}

static const struct control_route *find_route(const char *method, const char *path,
                                              bool *path_known)
{
    *path_known = false;
    for (size_t t = 0; t < control.table_count; t++) {
        for (size_t i = 0; i < control.tables[t].count; i++) {
            const struct control_route *route = &control.tables[t].routes[i];
            if (!path_matches(route->path, path))
                continue;
            *path_known = true;
            if (strcmp(route->method, method) == 0)
                return route;
        }
    }
    return NULL;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct control_answer *answer)
{
    const char *type = answer->content_type ? answer->content_type : "application/json";

    if (answer->json) {
        answer->text = json_dumps(answer->json, JSON_COMPACT | JSON_PRESERVE_ORDER);
        answer->text_len = answer->text ? strlen(answer->text) : 0;
        json_decref(answer->json);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->text_len, answer->text, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(answer->text);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", type);
    enum MHD_Result result =
        MHD_queue_response(connection, (unsigned)(answer->status ? answer->status : 200), response);
    MHD_destroy_response(response);
    return result;
}

/* ---- streams ---- */

static void on_timer(struct timer *timer);

int control_stream_fd(const struct control_stream *stream)
{
    return stream->fd;
}

void control_stream_close(struct control_stream *stream)
{
    (void)shutdown(stream->fd, SHUT_RDWR); /* at once: the daemon closes in a turn to come */
    (void)MHD_upgrade_action(stream->handle, MHD_UPGRADE_ACTION_CLOSE);
    timer_start(&control.timer, 0, on_timer);
}

static void on_upgraded(void *context, struct MHD_Connection *connection, void *state,
                        const char *extra, size_t extra_len, MHD_socket fd,
                        struct MHD_UpgradeResponseHandle *handle)
{
    struct incoming *in = context;

    (void)connection;
    (void)state;
    (void)extra; /* callers have nothing to say yet */
    (void)extra_len;
    in->stream = (struct control_stream){handle, fd};
    in->on_stream(&in->stream, in->context);
}

static enum MHD_Result send_stream(struct MHD_Connection *connection, struct incoming *in,
                                   const struct control_answer *answer)
{
    struct MHD_Response *response = MHD_create_response_for_upgrade(on_upgraded, in);
    enum MHD_Result result;

    in->on_stream = answer->stream;
    in->context = answer->stream_context;
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, STREAM_PROTOCOL);
    result = MHD_queue_response(connection, MHD_HTTP_SWITCHING_PROTOCOLS, response);
    MHD_destroy_response(response);
    return result;
}

static void collect_body(struct incoming *in, const char *data, size_t len)
{
    if (in->too_large || len > MAX_BODY - in->len) {
        in->too_large = true;
        return;
    }
    if (in->len + len > in->size) {
        size_t size = (in->len + len) * 2;
        char *body = realloc(in->body, size);
        if (!body) {
            in->too_large = true;
            return;
        }
        in->body = body;
        in->size = size;
    }
    memcpy(in->body + in->len, data, len);
    in->len += len;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **state)
{
    struct incoming *in = *state;
    bool path_known;

    (void)context;
    (void)version;
    if (!in) {
        *state = calloc(1, sizeof(*in));
        return *state ? MHD_YES : MHD_NO;
    }
    if (*data_len > 0) {
        collect_body(in, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }
    const struct control_route *route = find_route(method, url, &path_known);
    struct control_request request = {.method = method,
                                      .path = url,
                                      .body = bytes_of(in->body, in->len),
                                      .connection = connection};
    struct control_answer answer = {0};
    if (in->too_large)
        control_refuse(&answer, 413, "the request is larger than %zu bytes", MAX_BODY);
    else if (route)
        route->handle(&request, &answer);
    else if (path_known)
        control_refuse(&answer, 405, "%s is not possible for %s", method, url);
    else
        control_refuse(&answer, 404, "nothing is known of %s", url);
    return answer.stream ? send_stream(connection, in, &answer) : send_answer(connection, &answer);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    struct incoming *in = *state;

    (void)context;
    (void)connection;
    (void)why;
    if (in) {
        free(in->body);
        free(in->context);
    }
    free(in);
    *state = NULL;
}

static void run_daemon(void);

static void on_timer(struct timer *timer)
{
    (void)timer;
    run_daemon();
}

static void run_daemon(void)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    MHD_run(control.daemon);
    if (MHD_get_timeout(control.daemon, &timeout_ms) == MHD_YES)
        timer_start(&control.timer, timeout_ms, on_timer);
    else
        timer_stop(&control.timer);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)events;
    if (status == 0)
        run_daemon();
}

/* True when a process answers at the address; a socket file without one may be removed. */
static bool somebody_answers(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

    if (fd >= 0)
        close(fd);
    return answers;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    if (somebody_answers(&address))
        return -EADDRINUSE;
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    mode_t before = umask(0177);
    int err = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    umask(before);
    if (err == 0 && listen(fd, MAX_CONNECTIONS) < 0)
        err = -errno;
    if (err < 0) {
        close(fd);
        return err;
    }
    return fd;
}

int control_open(const char *path)
{
    int fd = listen_at(path);

    if (fd < 0)
        return fd;
    control.daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_UPGRADE, 0, NULL, NULL, on_request, NULL,
                         MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                         NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_END);
    if (!control.daemon) {
        close(fd);
        unlink(path);
        return -EIO;
    }
    snprintf(control.path, sizeof(control.path), "%s", path);
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(control.daemon, MHD_DAEMON_INFO_EPOLL_FD);
    uv_poll_init(loop_uv(), &control.poll, info->epoll_fd);
    uv_poll_start(&control.poll, UV_READABLE, on_readable);
    return 0;
}

void control_close(void)
{
    control.table_count = 0;
    if (!control.daemon)
        return;
    timer_stop(&control.timer);
    uv_close((uv_handle_t *)&control.poll, NULL);
    MHD_stop_daemon(control.daemon);
    unlink(control.path);
    control.daemon = NULL;
}

struct received {
    char *data;
    size_t len;
};

static size_t on_received(char *data, size_t size, size_t count, void *argument)
{
    struct received *in = argument;
    size_t len = size * count;
    char *longer = realloc(in->data, in->len + len + 1);

    if (!longer)
        return 0;
    memcpy(longer + in->len, data, len);
    in->data = longer;
    in->len += len;
    longer[in->len] = '\0';
    return len;
}

static int curl_error(CURLcode code, CURL *curl)
{
    long os_error = 0;

    if (code == CURLE_OK)
        return 0;
    if (code == CURLE_OPERATION_TIMEDOUT)
        return -ETIMEDOUT;
    if (code == CURLE_OUT_OF_MEMORY || code == CURLE_WRITE_ERROR)
        return -ENOMEM;
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
    return os_error > 0 ? -(int)os_error : -ECONNREFUSED;
}

int control_call(const char *socket_path, const char *method, const char *target,
                 const char *body_in, char **body, size_t *len, int *status)
{
    struct received in = {0};
    char url[1024];
    long http_status = 0;
    CURL *curl = curl_easy_init();

    if (!curl)
        return -ENOMEM;
    snprintf(url, sizeof(url), "http://strowger%s", target);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)CALL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_received);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &in);
    if (body_in)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body_in);
    int err = curl_error(curl_easy_perform(curl), curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http_status);
    curl_easy_cleanup(curl);
    if (err == 0 && !in.data)
        in.data = calloc(1, 1);
    if (err < 0) {
        free(in.data);
        return err;
    }
    *body = in.data;
    *len = in.len;
    *status = (int)http_status;
    return 0;
}

/* The head of an answer, a byte at a time: what follows it is not ours. Its status, or negative
 * errno. */
static int read_head(int fd)
{
    char head[4096];
    size_t len = 0;
    int status;

    while (len + 1 < sizeof(head)) {
        ssize_t n = read(fd, head + len, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ECONNRESET;
        head[++len] = '\0';
        if (len >= 4 && strcmp(head + len - 4, "\r\n\r\n") == 0)
            return sscanf(head, "HTTP/1.1 %d", &status) == 1 ? status : -EPROTO;
    }
    return -EPROTO;
}

static char *read_rest(int fd)
{
    struct received in = {0};
    char part[4096];
    ssize_t n;

    while ((n = read(fd, part, sizeof(part))) > 0)
        if (on_received(part, 1, (size_t)n, &in) == 0)
            break;
    return in.data;
}

int control_open_stream(const char *socket_path, const char *target, char **refusal)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, status;

    *refusal = NULL;
    if (strlen(socket_path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, socket_path);
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        dprintf(fd,
                "GET %s HTTP/1.1\r\nHost: strowger\r\nConnection: Upgrade\r\n"
                "Upgrade: " STREAM_PROTOCOL "\r\n\r\n",
                target) < 0) {
        status = -errno;
    } else if ((status = read_head(fd)) == MHD_HTTP_SWITCHING_PROTOCOLS) {
        return fd;
    } else if (status >= 0) {
        shutdown(fd, SHUT_WR);
        *refusal = read_rest(fd);
        status = -EPROTO;
    }
    close(fd);
    return status;
}

json_t *control_get_json(const char *socket_path, const char *target)
{
    char *body;
    size_t len;
    int status;

    if (control_call(socket_path, "GET", target, NULL, &body, &len, &status) < 0)
        return NULL;
    json_t *json = status == 200 ? json_loadb(body, len, JSON_DECODE_ANY, NULL) : NULL;
    free(body);
    return json;
}
