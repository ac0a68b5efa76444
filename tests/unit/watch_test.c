/*
 * watch_test.c -- what a process shows of itself: text, log, metrics, trace, and the control
 * socket.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/control.h"
#include "base/fiber.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metric.h"
#include "base/text.h"
#include "base/trace.h"

static void text_is_cut_not_overrun(void **state)
{
    (void)state;
    char room[6];
    struct text t = text_in(room, sizeof(room));

    text_add(&t, "abc");
    text_hex(&t, bytes_of("\x1f\x2e", 2));
    assert_string_equal(room, "abc1f");
    assert_true(t.cut);
    t = text_in(room, 1);
    text_add(&t, "x");
    assert_string_equal(room, "");
    t = text_in(room, sizeof(room));
    text_escaped(&t, bytes_of("a\n", 2));
    assert_string_equal(room, "a\\x0a");
}

static void hex_is_parsed_strictly(void **state)
{
    (void)state;
    uint8_t out[3];

    assert_int_equal(hex_parse("01 aB:ff", out, 3), 3);
    assert_memory_equal(out, "\x01\xab\xff", 3);
    assert_int_equal(hex_parse("0", out, 3), -EINVAL);
    assert_int_equal(hex_parse("0x", out, 3), -EINVAL);
    assert_int_equal(hex_parse("01020304", out, 3), -ENOSPC);
    assert_int_equal(hex_parse("", out, 3), 0);
}

static unsigned lines_seen;

static void count_line(const char *line, void *argument)
{
    if (strstr(line, argument))
        lines_seen++;
}

static void repeated_lines_are_limited(void **state)
{
    (void)state;
    static char word[] = "flood";
    struct log_limit limit = {0};
    int saved = dup(STDERR_FILENO);

    log_init("test", LOG_INFO);
    assert_non_null(freopen("/dev/null", "w", stderr));
    for (int i = 0; i < 1000; i++)
        log_limited(&limit, LOG_WARN, "flood of %d", i);
    log_debug("flood that nobody asked for");
    dup2(saved, STDERR_FILENO);
    close(saved);
    lines_seen = 0;
    log_recent(count_line, word);
    assert_in_range(lines_seen, LOG_BURST, 2 * LOG_BURST); /* a second may begin in between */
}

static void metrics_are_prometheus_text(void **state)
{
    (void)state;
    static struct metric table[] = {
        {"x_total", "kind=\"a\"", "things", METRIC_COUNTER, NULL, 0},
        {"x_total", "kind=\"b\"", NULL, METRIC_COUNTER, NULL, 0},
    };
    static struct histogram h = {.name = "t_seconds", .help = "time"};
    static char buffer[16384];
    struct text t = text_in(buffer, sizeof(buffer));

    metric_register(table, 2);
    histogram_register(&h);
    metric_add(&table[1], 3);
    for (unsigned i = 1; i <= 100; i++)
        histogram_observe(&h, i * 10);
    metric_print(&t);
    assert_non_null(strstr(buffer, "# HELP x_total things\n# TYPE x_total counter\n"
                                   "x_total{kind=\"a\"} 0\nx_total{kind=\"b\"} 3\n"));
    assert_non_null(strstr(buffer, "t_seconds_bucket{le=\"+Inf\"} 100\n"));
    assert_non_null(strstr(buffer, "process_resident_memory_bytes "));
    assert_int_equal(histogram_quantile_us(&h, 0.5), 512);
    assert_int_equal(histogram_quantile_us(&h, 0.99), 1024);
    metric_forget_all();
}

/* ---- trace ---- */

struct seen {
    unsigned count;
    uint64_t last;
    size_t bytes;
};

static bool count_record(const struct trace_record *r, void *argument)
{
    struct seen *seen = argument;

    assert_true(r->sequence > seen->last);
    for (size_t i = 0; i < r->message.len; i++)
        assert_int_equal(r->message.at[i], (uint8_t)r->message.len);
    seen->last = r->sequence;
    seen->count++;
    seen->bytes += r->message.len;
    return true;
}

static void the_ring_keeps_the_newest(void **state)
{
    (void)state;
    uint8_t message[700];
    struct seen seen = {0};
    uint32_t random = 3;

    assert_int_equal(trace_init(10000), 0);
    for (int i = 0; i < 5000; i++) {
        random = random * 1664525u + 1013904223u;
        size_t len = random >> 16 & 511;
        memset(message, (int)len, sizeof(message));
        trace_message(TRACE_S1AP, true, NULL, NULL, "x", bytes_of(message, len));
    }
    trace_each(0, NULL, count_record, &seen);
    assert_int_equal(seen.last, 5000);
    assert_in_range(seen.count, 10, 60);
    /* A message larger than the ring can hold is left out, not a crash. */
    static uint8_t huge[20000];
    trace_message(TRACE_S1AP, true, NULL, NULL, "x", bytes_of(huge, sizeof(huge)));
    trace_free();
    trace_message(TRACE_S1AP, true, NULL, NULL, "x", bytes_of(message, 1));
}

static void print_sent(struct bytes message, struct text *t)
{
    text_add(t, "sent %zu", message.len);
}

static void print_received(struct bytes message, struct text *t)
{
    text_add(t, "received %zu", message.len);
}

static const char *told(const json_t *records, size_t i, const char *key)
{
    return json_string_value(json_object_get(json_array_get(records, i), key));
}

/* Each direction has its words, and an early subject is told by the name that it got. */
static void records_are_told_in_words(void **state)
{
    (void)state;
    assert_int_equal(trace_init(10000), 0);
    trace_set_printers(TRACE_NAS, print_sent, print_received);
    trace_message(TRACE_NAS, false, NULL, NULL, "s1 5", bytes_of("abc", 3));
    trace_message(TRACE_NAS, true, NULL, NULL, "s1 6", bytes_of("ab", 2));
    trace_alias("s1 5", "001010000000001");
    trace_message(TRACE_NAS, true, NULL, NULL, "001010000000001", bytes_of("a", 1));
    json_t *records = trace_json(0, NULL, 100);
    assert_int_equal(json_array_size(records), 3);
    assert_string_equal(told(records, 0, "text"), "received 3");
    assert_string_equal(told(records, 0, "imsi"), "001010000000001");
    assert_string_equal(told(records, 1, "text"), "sent 2");
    assert_string_equal(told(records, 1, "imsi"), "s1 6");
    assert_string_equal(told(records, 2, "imsi"), "001010000000001");
    json_decref(records);
    trace_set_printer(TRACE_NAS, NULL);
    trace_free();
}

static void a_subject_learnt_late_finds_the_early_messages(void **state)
{
    (void)state;
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(36412)};
    struct sockaddr_in6 peer = {.sin6_family = AF_INET6, .sin6_port = htons(1)};

    inet_pton(AF_INET, "127.0.0.2", &local.sin_addr);
    inet_pton(AF_INET6, "::1", &peer.sin6_addr);
    trace_init(65536);
    trace_message(TRACE_S1AP, false, (struct sockaddr *)&local, (struct sockaddr *)&peer, "ue 1",
                  bytes_of("\x01", 1));
    trace_message(TRACE_S1AP, true, NULL, NULL, "ue 2", bytes_of("\x02", 1));
    trace_alias("ue 1", "001010000000001");
    trace_message(TRACE_DIAMETER, true, NULL, NULL, "001010000000001", bytes_of("\x03", 1));
    json_t *list = trace_json(0, "001010000000001", 100);
    assert_int_equal(json_array_size(list), 2);
    json_t *first = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(first, "local")), "127.0.0.2:36412");
    assert_string_equal(json_string_value(json_object_get(first, "peer")), "[::1]:1");
    assert_string_equal(json_string_value(json_object_get(first, "hex")), "01");
    uint64_t sequence = (uint64_t)json_integer_value(json_object_get(first, "sequence"));
    json_decref(list);
    list = trace_json(sequence, NULL, 100);
    assert_int_equal(json_array_size(list), 2);
    json_decref(list);
    trace_free();
}

/* ---- control socket: the client blocks, so it runs in a thread of its own ---- */

static void echo(const struct control_request *request, struct control_answer *answer)
{
    const char *word = control_argument(request, "word");

    answer->json =
        json_pack("{s:s,s:I}", "word", word ? word : "", "body", (json_int_t)request->body.len);
}

static const struct control_route routes[] = {{"GET", "/echo", echo}, {"POST", "/echo/", echo}};

struct call {
    const char *method, *target, *body;
    char path[64];
    char *answer;
    size_t len;
    int status, result;
};

static void *make_call(void *argument)
{
    struct call *c = argument;

    c->result =
        control_call(c->path, c->method, c->target, c->body, &c->answer, &c->len, &c->status);
    return NULL;
}

static void call_through_the_loop(struct call *c)
{
    pthread_t thread;

    pthread_create(&thread, NULL, make_call, c);
    for (int i = 0; i < 100 && pthread_tryjoin_np(thread, NULL) != 0; i++)
        loop_run_for(20);
}

static void the_control_socket_answers(void **state)
{
    (void)state;
    static struct call calls[] = {
        {.method = "GET", .target = "/echo?word=hello", .status = 0},
        {.method = "POST", .target = "/echo/any?word=x", .body = "12345"},
        {.method = "POST", .target = "/echo"},
        {.method = "GET", .target = "/nothing"},
    };
    static const struct {
        int status;
        const char *answer;
    } expected[] = {{200, "{\"word\":\"hello\",\"body\":0}"},
                    {200, "{\"word\":\"x\",\"body\":5}"},
                    {405, "{\"error\":\"POST is not possible for /echo\"}"},
                    {404, "{\"error\":\"nothing is known of /nothing\"}"}};
    char path[64];

    snprintf(path, sizeof(path), "/tmp/strowger-watch-%d.sock", (int)getpid());
    assert_int_equal(loop_init(), 0);
    control_add_routes(routes, 2);
    assert_int_equal(control_open(path), 0);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        strcpy(calls[i].path, path);
        call_through_the_loop(&calls[i]);
        assert_int_equal(calls[i].result, 0);
        assert_int_equal(calls[i].status, expected[i].status);
        assert_string_equal(calls[i].answer, expected[i].answer);
        free(calls[i].answer);
    }
    /* A second process finds the socket taken; when the first has gone it may have it. */
    assert_int_equal(control_open(path), -EADDRINUSE);
    control_close();
    assert_int_equal(access(path, F_OK), -1);
    struct call late = {.method = "GET", .target = "/echo"};
    strcpy(late.path, path);
    make_call(&late);
    assert_true(late.result < 0);
    loop_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_not_overrun),
        cmocka_unit_test(hex_is_parsed_strictly),
        cmocka_unit_test(repeated_lines_are_limited),
        cmocka_unit_test(metrics_are_prometheus_text),
        cmocka_unit_test(the_ring_keeps_the_newest),
        cmocka_unit_test(records_are_told_in_words),
        cmocka_unit_test(a_subject_learnt_late_finds_the_early_messages),
        cmocka_unit_test(the_control_socket_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
