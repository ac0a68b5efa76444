/*
 * openflow_tls_test.c -- channels with TLS over loopback: certificates made here, both roles
 * against each other, and raw TCP peers that break what they should say.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fiber.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/trace.h"
#include "link/openflow_channel.h"
#include "link/openflow_tls.h"

/* ---- certificates ---- */

static char folder[] = "/tmp/openflow-tls-test-XXXXXX";

static const char *path(const char *name, const char *kind)
{
    static char names[8][128];
    static unsigned at;
    char *to = names[at++ % 8];

    snprintf(to, sizeof(names[0]), "%s/%s.%s", folder, name, kind);
    return to;
}

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

static void write_pem(const char *name, const struct identity *id)
{
    FILE *f = fopen(path(name, "pem"), "w");

    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, id->certificate), 1);
    fclose(f);
    f = fopen(path(name, "key"), "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, id->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
}

/* A certificate that `issuer` signed (NULL: itself), valid until `seconds` from now. */
static struct identity make_identity(const char *name, const struct identity *issuer, bool is_ca,
                                     long seconds)
{
    static long serial;
    struct identity id = {EVP_EC_gen("P-256"), X509_new()};
    X509_NAME *subject = X509_get_subject_name(id.certificate);

    assert_non_null(id.key);
    X509_set_version(id.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(id.certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(id.certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(id.certificate), seconds);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(id.certificate,
                         issuer ? X509_get_subject_name(issuer->certificate) : subject);
    X509_set_pubkey(id.certificate, id.key);
    X509_EXTENSION *constraint = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints,
                                                     is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    X509_add_ext(id.certificate, constraint, -1);
    X509_EXTENSION_free(constraint);
    assert_true(X509_sign(id.certificate, issuer ? issuer->key : id.key, EVP_sha256()) > 0);
    write_pem(name, &id);
    return id;
}

static void free_identity(struct identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->certificate);
}

static int make_certificates(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    struct identity ca = make_identity("ca", NULL, true, 3600);
    struct identity other_ca = make_identity("other-ca", NULL, true, 3600);
    struct identity ids[] = {make_identity("controller", &ca, false, 3600),
                             make_identity("switch", &ca, false, 3600),
                             make_identity("expired", &ca, false, -60),
                             make_identity("stranger", &other_ca, false, 3600),
                             ca,
                             other_ca};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        free_identity(&ids[i]);
    return 0;
}

static int remove_certificates(void **state)
{
    static const char *const names[] = {"ca",      "other-ca", "controller", "switch",
                                        "expired", "stranger", "locked"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unlink(path(names[i], "pem"));
        unlink(path(names[i], "key"));
    }
    return rmdir(folder);
}

static struct openflow_tls *identity_of(const char *name, const char *ca)
{
    struct openflow_tls_config config = {path(name, "pem"), path(name, "key"), path(ca, "pem")};
    char words[400];
    struct text why = text_in(words, sizeof(words));
    struct openflow_tls *tls = NULL;

    if (openflow_tls_open(&tls, &config, &why) < 0)
        fail_msg("%s", words);
    return tls;
}

/* ---- both ends ---- */

struct seen {
    struct openflow_channel *channel;
    unsigned ups, downs, fails, messages;
    int reason;
    size_t bytes;
};

static struct seen controller, client;
static struct openflow_listener *listener;
static struct openflow_tls *controller_tls;

static void came_up(struct openflow_channel *channel)
{
    struct seen *seen = openflow_channel_context(channel);

    seen->channel = channel;
    seen->ups++;
}

static void got(struct openflow_channel *channel, const struct openflow_header *header,
                struct bytes message)
{
    struct seen *seen = openflow_channel_context(channel);

    assert_int_equal(message.len, header->length);
    for (size_t i = OPENFLOW_HEADER_SIZE; i < message.len; i++)
        assert_int_equal(message.at[i], (uint8_t)(i * 7 + header->xid));
    seen->messages++;
    seen->bytes += message.len;
}

static void went_down(struct openflow_channel *channel, int reason)
{
    struct seen *seen = openflow_channel_context(channel);

    seen->downs++;
    seen->reason = reason;
}

static void did_not_come_up(struct openflow_channel *channel, int reason)
{
    struct seen *seen = openflow_channel_context(channel);

    seen->fails++;
    seen->reason = reason;
}

static const struct openflow_user user = {came_up, got, went_down, did_not_come_up};

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void listen_with(uint32_t echo_interval_ms)
{
    struct sockaddr_in address = loopback(0);
    struct openflow_options options = {.user = &user,
                                       .context = &controller,
                                       .tls = controller_tls,
                                       .echo_interval_ms = echo_interval_ms};

    assert_int_equal(openflow_listen(&listener, (struct sockaddr *)&address, &options), 0);
}

static int set_up(void **state)
{
    (void)state;
    memset(&controller, 0, sizeof(controller));
    memset(&client, 0, sizeof(client));
    assert_int_equal(loop_init(), 0);
    controller_tls = identity_of("controller", "ca");
    listen_with(5000);
    return 0;
}

/* What hostile input repeats is logged a few times a second: a test that looks at the log begins in
 * a second of its own. */
static int set_up_log(void **state)
{
    set_up(state);
    loop_run_for(1001);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    openflow_listener_close(listener);
    loop_run_for(20);
    openflow_tls_close(controller_tls);
    loop_free();
    fiber_free_stacks();
    return 0;
}

static void run_until(const unsigned *what, unsigned n)
{
    for (int i = 0; i < 4000 && *what < n; i++)
        loop_run_for(5);
    assert_in_range(*what, n, UINT32_MAX);
}

static struct openflow_channel *connect_with(const struct openflow_tls *tls)
{
    struct sockaddr_in address = loopback(openflow_listener_port(listener));
    struct openflow_options options = {
        .user = &user, .context = &client, .tls = tls, .reconnect_max_ms = 100};
    struct openflow_channel *channel;

    assert_int_equal(openflow_connect(&channel, (struct sockaddr *)&address, &options), 0);
    return channel;
}

/* ---- what the log says ---- */

static const char *wanted;
static bool found;

static void look(const char *line, void *argument)
{
    (void)argument;
    found |= strstr(line, wanted) != NULL;
}

static void assert_logged(const char *words)
{
    wanted = words;
    found = false;
    log_recent(look, NULL);
    if (!found)
        fail_msg("the log does not say: %s", words);
}

/* ---- tests ---- */

static void send_body(struct openflow_channel *channel, uint32_t xid, size_t length)
{
    struct writer w = openflow_reserve(channel, length);

    openflow_header_put(&w, OPENFLOW_1_3, 10, (uint16_t)length, xid);
    for (size_t i = OPENFLOW_HEADER_SIZE; i < length; i++)
        wr_u8(&w, (uint8_t)(i * 7 + xid));
    assert_int_equal(openflow_commit(channel, &w), 0);
}

static void both_show_certificates(void **state)
{
    struct openflow_tls *tls = identity_of("switch", "ca");
    struct openflow_channel *channel = connect_with(tls);

    (void)state;
    run_until(&client.ups, 1);
    run_until(&controller.ups, 1);
    assert_true(openflow_channel_is_tls(channel));
    assert_true(openflow_channel_is_tls(controller.channel));
    assert_int_equal(client.fails, 0);
    /* Messages of many sizes, both ways, whole and in order. */
    size_t total = 0;
    for (uint32_t i = 0; i < 40; i++) {
        size_t length = OPENFLOW_HEADER_SIZE + i * 1600;
        send_body(channel, i, length);
        send_body(controller.channel, i, length);
        total += length;
    }
    run_until(&controller.messages, 40);
    run_until(&client.messages, 40);
    assert_int_equal(controller.bytes, total);
    assert_int_equal(client.bytes, total);
    assert_int_equal(openflow_channel_queued(channel), 0);
    /* A connection that ends is told, and comes back. */
    openflow_close(controller.channel);
    run_until(&client.downs, 1);
    assert_int_equal(client.reason, -ECONNRESET);
    run_until(&client.ups, 2);
    openflow_close(channel);
    run_until(&controller.downs, 1);
    assert_int_equal(controller.reason, -ECONNRESET);
    openflow_tls_close(tls);
}

static unsigned hellos, bodies;

static bool count_record(const struct trace_record *record, void *argument)
{
    (void)argument;
    assert_int_equal(record->protocol, TRACE_OPENFLOW);
    assert_int_equal(record->message.at[0], OPENFLOW_1_3);
    assert_int_not_equal(((const struct sockaddr_in *)&record->peer)->sin_port, 0);
    hellos += record->message.at[1] == 0;
    bodies += record->message.at[1] == 10 && record->message.len == 108 &&
              record->message.at[8] == (uint8_t)(8 * 7 + 5);
    return true;
}

/* Both ends are in this process: each message is there twice. */
static void the_trace_sees_messages_in_clear(void **state)
{
    struct openflow_tls *tls = identity_of("switch", "ca");

    (void)state;
    assert_int_equal(trace_init(1 << 20), 0);
    struct openflow_channel *channel = connect_with(tls);
    run_until(&client.ups, 1);
    run_until(&controller.ups, 1);
    send_body(channel, 5, 108);
    run_until(&controller.messages, 1);
    hellos = bodies = 0;
    trace_each(0, NULL, count_record, NULL);
    assert_int_equal(hellos, 4);
    assert_int_equal(bodies, 2);
    trace_free();
    openflow_close(channel);
    openflow_tls_close(tls);
}

/* More than the kernel and the records made in advance take at once. */
static void a_long_queue_arrives(void **state)
{
    struct openflow_tls *tls = identity_of("switch", "ca");
    struct openflow_channel *channel = connect_with(tls);
    unsigned sent = 0;

    (void)state;
    run_until(&client.ups, 1);
    run_until(&controller.ups, 1);
    while (sent < 300) {
        send_body(channel, sent++, 60000);
    }
    assert_int_equal(openflow_channel_queued(channel), (size_t)sent * 60000);
    run_until(&controller.messages, sent);
    assert_int_equal(controller.bytes, (size_t)sent * 60000);
    assert_int_equal(openflow_channel_queued(channel), 0);
    openflow_close(channel);
    openflow_tls_close(tls);
}

/* ---- refusals ---- */

static void refused(const char *name, const char *ca, const char *words)
{
    struct openflow_tls *tls = identity_of(name, ca);
    struct openflow_channel *channel = connect_with(tls);

    run_until(&client.fails, 2); /* and it tries again */
    assert_int_equal(client.ups, 0);
    assert_int_equal(controller.ups + controller.downs, 0);
    assert_logged(words);
    openflow_close(channel);
    openflow_tls_close(tls);
}

static void another_authority_is_refused(void **state)
{
    (void)state;
    refused("stranger", "ca", "refused: its certificate is not valid here");
    assert_logged("it must be signed by an authority in");
}

static void another_authority_of_the_controller_is_refused(void **state)
{
    (void)state;
    refused("switch", "other-ca", "refused: its certificate is not valid here");
    assert_logged("it refuses our certificate");
}

static void an_expired_certificate_is_refused(void **state)
{
    (void)state;
    refused("expired", "ca", "certificate has expired");
}

/* The CA file may name the peer's certificate itself. */
static void a_certificate_may_be_trusted_by_itself(void **state)
{
    struct openflow_tls *tls = identity_of("switch", "controller");
    struct openflow_channel *channel = connect_with(tls);

    (void)state;
    run_until(&client.ups, 1);
    openflow_close(channel);
    openflow_tls_close(tls);
}

static int raw_connect(void)
{
    struct sockaddr_in address = loopback(openflow_listener_port(listener));
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Runs until the other side has closed; how many bytes came before. */
static size_t read_to_end(int fd)
{
    uint8_t bytes[4096];
    size_t total = 0;

    for (int i = 0; i < 4000; i++) {
        ssize_t n = read(fd, bytes, sizeof(bytes));
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            close(fd);
            return total;
        }
        if (n > 0)
            total += (size_t)n;
        loop_run_for(5);
    }
    fail_msg("the connection was not closed");
    return 0;
}

static void plain_openflow_is_refused(void **state)
{
    static const uint8_t hello[] = {4, 0, 0, 8, 0, 0, 0, 1};
    int fd = raw_connect();

    (void)state;
    assert_int_equal(write(fd, hello, sizeof(hello)), sizeof(hello));
    assert_int_equal(read_to_end(fd), 0);
    assert_logged("it does not speak TLS");
    assert_int_equal(controller.ups, 0);
}

/* A TLS client at a port without TLS. */
static void tls_at_a_plain_port_is_refused(void **state)
{
    struct openflow_tls *tls = identity_of("switch", "ca");
    struct openflow_tls *kept = controller_tls;

    (void)state;
    openflow_listener_close(listener);
    controller_tls = NULL;
    listen_with(5000);
    controller_tls = kept;
    struct openflow_channel *channel = connect_with(tls);
    run_until(&client.fails, 1);
    assert_int_equal(controller.ups, 0);
    assert_true(client.reason == -EPROTO || client.reason == -ECONNRESET);
    openflow_close(channel);
    openflow_tls_close(tls);
}

/* A real client in blocking calls would hang the loop: OpenSSL over memory, carried by hand. */
static size_t shake_hands_without_certificate(int version, int fd)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    uint8_t bytes[8192];
    size_t plain = 0;
    bool ended = false;

    SSL_set_max_proto_version(ssl, version);
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    for (int i = 0; i < 2000 && !ended; i++) {
        (void)SSL_do_handshake(ssl);
        int n = SSL_is_init_finished(ssl) ? SSL_read(ssl, bytes, sizeof(bytes)) : 0;
        plain += n > 0 ? (size_t)n : 0;
        n = BIO_read(out, bytes, sizeof(bytes));
        if (n > 0)
            (void)!write(fd, bytes, (size_t)n);
        loop_run_for(5);
        ssize_t r = read(fd, bytes, sizeof(bytes));
        if (r > 0)
            BIO_write(in, bytes, (int)r);
        ended = r == 0 || (r < 0 && errno != EAGAIN);
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    assert_true(ended);
    return plain;
}

static void no_certificate_is_refused(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(shake_hands_without_certificate(versions[i], raw_connect()), 0);
        assert_logged("refused: it shows no certificate; give it one that an authority in");
        assert_int_equal(controller.ups, 0);
    }
}

static void the_handshake_has_a_time_limit(void **state)
{
    static const uint8_t drops[] = {22, 3, 1, 1, 0, 1};

    (void)state;
    openflow_listener_close(listener);
    listen_with(60);
    int mute = raw_connect();
    int dripping = raw_connect();
    for (size_t i = 0; i < sizeof(drops); i++) {
        (void)!write(dripping, drops + i, 1);
        loop_run_for(5);
    }
    (void)read_to_end(mute);
    (void)read_to_end(dripping);
    assert_int_equal(controller.ups, 0);
    assert_logged("the TLS handshake did not end in time");
}

/* Records that were changed on the way end the connection, not the process. */
static void broken_records_end_it(void **state)
{
    uint8_t garbage[512];
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 50; round++) {
        int fd = raw_connect();
        for (size_t i = 0; i < sizeof(garbage); i++) {
            seed = seed * 1664525 + 1013904223;
            garbage[i] = (uint8_t)(seed >> 24);
        }
        garbage[0] = 22;
        garbage[1] = 3;
        garbage[3] = 0;
        garbage[4] = (uint8_t)(round + 4);
        garbage[5] = 1;
        garbage[6] = garbage[7] = 0;
        assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
        (void)read_to_end(fd);
    }
    assert_int_equal(controller.ups, 0);
}

/* ---- files and configuration ---- */

static void bad_files_are_explained(void **state)
{
    const char *pem = path("switch", "pem"), *key = path("switch", "key"), *ca = path("ca", "pem");
    const struct {
        struct openflow_tls_config config;
        const char *words;
    } cases[] = {
        {{NULL, key, ca}, "need tls.certificate, tls.private_key and tls.ca"},
        {{pem, key, NULL}, "need tls.certificate"},
        {{"/nowhere", key, ca}, "tls.certificate: /nowhere: cannot be read"},
        {{key, key, ca}, "cannot be read as a PEM certificate"},
        {{pem, "/nowhere", ca}, "tls.private_key: /nowhere: cannot be read"},
        {{pem, path("ca", "key"), ca}, "tls.private_key:"},
        {{pem, key, "/nowhere"}, "tls.ca: /nowhere: cannot be read"},
        {{pem, key, key}, "tls.ca:"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char words[400];
        struct text why = text_in(words, sizeof(words));
        struct openflow_tls *tls = NULL;
        assert_true(openflow_tls_open(&tls, &cases[i].config, &why) < 0);
        assert_null(tls);
        assert_non_null(strstr(words, cases[i].words));
    }
}

/* A key that wants a pass phrase is refused and nobody is asked for it. */
static void a_locked_key_is_refused(void **state)
{
    struct openflow_tls_config config = {path("switch", "pem"), path("locked", "key"),
                                         path("ca", "pem")};
    char words[400];
    struct text why = text_in(words, sizeof(words));
    struct openflow_tls *tls = NULL;
    FILE *f = fopen(path("switch", "key"), "r");
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);

    (void)state;
    fclose(f);
    f = fopen(path("locked", "key"), "w");
    assert_int_equal(PEM_write_PrivateKey(f, key, EVP_aes_128_cbc(), (const unsigned char *)"word",
                                          4, NULL, NULL),
                     1);
    fclose(f);
    EVP_PKEY_free(key);
    assert_int_equal(openflow_tls_open(&tls, &config, &why), -EINVAL);
    assert_non_null(strstr(words, "without a pass phrase"));
}

static void endpoints_are_written_as_open_vswitch_does(void **state)
{
    static const struct {
        const char *text;
        bool ok, is_tls;
        int family;
        uint16_t port;
    } cases[] = {
        {"127.0.0.1:6654", true, false, AF_INET, 6654},
        {"tcp:127.0.0.1:6654", true, false, AF_INET, 6654},
        {"ssl:127.0.0.1:6654", true, true, AF_INET, 6654},
        {"ssl:[::1]:1", true, true, AF_INET6, 1},
        {"ssl:127.0.0.1", true, true, AF_INET, 6653},
        {"tcp:[::1]", true, false, AF_INET6, 6653},
        {"127.0.0.1", true, false, AF_INET, 6653},
        {"ssl:", false, false, 0, 0},
        {"udp:127.0.0.1:1", false, false, 0, 0},
        {"tls:127.0.0.1:1", false, false, 0, 0},
        {"ssl:127.0.0.1:70000", false, false, 0, 0},
        {"ssl:ssl:127.0.0.1:1", false, false, 0, 0},
        {"ssl:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         false, false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config_field field = {.size = sizeof(struct openflow_endpoint)};
        struct openflow_endpoint e;
        char words[100];
        struct text why = text_in(words, sizeof(words));
        assert_int_equal(openflow_endpoint_type.parse(&field, cases[i].text, &e, &why),
                         cases[i].ok);
        if (!cases[i].ok)
            continue;
        assert_int_equal(e.is_tls, cases[i].is_tls);
        assert_int_equal(e.address.ss_family, cases[i].family);
        assert_int_equal(ntohs(((struct sockaddr_in *)&e.address)->sin_port), cases[i].port);
    }
}

#define LOGGED(name) cmocka_unit_test_setup_teardown(name, set_up_log, tear_down)
#define TEST(name)   cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_show_certificates),
        TEST(the_trace_sees_messages_in_clear),
        TEST(a_long_queue_arrives),
        LOGGED(another_authority_is_refused),
        LOGGED(another_authority_of_the_controller_is_refused),
        LOGGED(an_expired_certificate_is_refused),
        TEST(a_certificate_may_be_trusted_by_itself),
        LOGGED(plain_openflow_is_refused),
        TEST(tls_at_a_plain_port_is_refused),
        LOGGED(no_certificate_is_refused),
        LOGGED(the_handshake_has_a_time_limit),
        TEST(broken_records_end_it),
        cmocka_unit_test(bad_files_are_explained),
        cmocka_unit_test(a_locked_key_is_refused),
        cmocka_unit_test(endpoints_are_written_as_open_vswitch_does),
    };

    log_init("openflow tls test", LOG_WARN);
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
