/*
 * openflow_tls.c -- TLS between an OpenFlow stream and its channel (OpenFlow 1.3.5 clause 6.3),
 * by OpenSSL.
 *
 * OpenSSL never sees the socket. Under it lies a BIO of ours whose memory is the stream's: it reads
 * from the bytes that libuv has just received (`raw`), and writes records straight into the queue
 * that libuv writes from. So nothing blocks, and a byte is copied only by the cipher.
 *
 *     received -> raw -> openflow_tls_read() -> the stream's input -> messages
 *     messages -> the stream's queue -> openflow_tls_write() -> wire -> written
 *
 * What goes wrong is said in words, with what to do about it: openflow_tls_problem(). Sessions are
 * not resumed and not renegotiated: channels live for days, and each handshake looks at the
 * certificates again.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/openflow_inner.h"
#include "link/openflow_tls.h"

#define RAW_SIZE     (64 * 1024)
#define PROBLEM_SIZE 320
#define FILE_NAME    128 /* of a file in a log line */

/* The first octet of a record, of the kinds that a connection may begin with (RFC 8446 clause 5.1).
 */
#define RECORD_ALERT     21
#define RECORD_HANDSHAKE 22

struct openflow_tls {
    SSL_CTX *context;
    char certificate[FILE_NAME], ca[FILE_NAME];
};

struct openflow_tls_session {
    SSL *ssl;
    const struct openflow_tls *tls;
    struct openflow_queue *wire;
    bool is_open;   /* the handshake is over */
    bool is_broken; /* nothing more may be said */
    bool has_begun; /* something was received */
    size_t from, to;
    char problem[PROBLEM_SIZE];
    uint8_t raw[RAW_SIZE]; /* from..to was received and is not yet read by OpenSSL */
};

/* ---- the BIO ---- */

static int bio_read(BIO *bio, char *to, int size)
{
    struct openflow_tls_session *session = BIO_get_data(bio);
    size_t n = session->to - session->from;

    BIO_clear_retry_flags(bio);
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (size <= 0)
        return 0;
    if (n > (size_t)size)
        n = (size_t)size;
    memcpy(to, session->raw + session->from, n);
    session->from += n;
    return (int)n;
}

static int bio_write(BIO *bio, const char *from, int size)
{
    struct openflow_tls_session *session = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    uint8_t *to = openflow_queue_reserve(session->wire, (size_t)size);
    if (!to)
        return -1;
    memcpy(to, from, (size_t)size);
    openflow_queue_commit(session->wire, (size_t)size);
    return size;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

/* One for the process, for good: sessions may outlive the struct openflow_tls that they came from.
 */
static BIO_METHOD *bio_method(void)
{
    static BIO_METHOD *method;

    if (!method &&
        (method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "openflow"))) {
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_ctrl);
    }
    return method;
}

/* ---- certificates ---- */

/* Why OpenSSL did not like a file. */
static int complain(struct text *why, const char *key, const char *file, const char *advice)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    text_add(why, "tls.%s: %s: %s (%s)", key, file, advice, reason ? reason : "no reason given");
    ERR_clear_error();
    return -EINVAL;
}

/* A key with a pass phrase is refused; nobody is asked on a terminal. */
static int no_pass_phrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static int load(SSL_CTX *context, const struct openflow_tls_config *config, struct text *why)
{
    STACK_OF(X509_NAME) * names;

    SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
    if (SSL_CTX_use_certificate_chain_file(context, config->certificate) != 1)
        return complain(why, "certificate", config->certificate,
                        "cannot be read as a PEM certificate");
    if (SSL_CTX_use_PrivateKey_file(context, config->private_key, SSL_FILETYPE_PEM) != 1)
        return complain(why, "private_key", config->private_key,
                        "cannot be read as the certificate's PEM key without a pass phrase");
    if (SSL_CTX_check_private_key(context) != 1)
        return complain(why, "private_key", config->private_key,
                        "is not the key of the certificate");
    if (SSL_CTX_load_verify_locations(context, config->ca, NULL) != 1 ||
        !(names = SSL_load_client_CA_file(config->ca)))
        return complain(why, "ca", config->ca, "cannot be read as PEM certificates");
    SSL_CTX_set_client_CA_list(context, names);
    return 0;
}

/* Both sides show a certificate; a certificate in the CA file is good by itself. */
static bool set_rules(SSL_CTX *context)
{
    static const unsigned char name[] = "strowger openflow";

    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_set_session_id_context(context, name, sizeof(name) - 1) == 1;
}

int openflow_tls_open(struct openflow_tls **tls, const struct openflow_tls_config *config,
                      struct text *why)
{
    struct openflow_tls *t;
    int err = -ENOMEM;

    if (!config->certificate || !config->private_key || !config->ca) {
        text_add(why, "ssl: addresses need tls.certificate, tls.private_key and tls.ca");
        return -EINVAL;
    }
    if (!(t = calloc(1, sizeof(*t))))
        return -ENOMEM;
    snprintf(t->certificate, sizeof(t->certificate), "%s", config->certificate);
    snprintf(t->ca, sizeof(t->ca), "%s", config->ca);
    t->context = SSL_CTX_new(TLS_method());
    if (!t->context || !set_rules(t->context) || !bio_method())
        text_add(why, "OpenSSL does not start");
    else
        err = load(t->context, config, why);
    if (err < 0) {
        openflow_tls_close(t);
        return err;
    }
    *tls = t;
    return 0;
}

void openflow_tls_close(struct openflow_tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

/* ---- what went wrong ---- */

/* The peer's alerts that are about our certificate, or that we have none. */
static bool is_about_our_certificate(int reason)
{
    static const int alerts[] = {
        SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,   SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
        SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
        SSL_R_TLSV1_ALERT_ACCESS_DENIED,       SSL_R_TLSV1_ALERT_DECRYPT_ERROR,
        SSL_R_TLSV1_ALERT_UNKNOWN_CA,          SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
    };

    for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
        if (reason == alerts[i])
            return true;
    return false;
}

static void explain(struct openflow_tls_session *session)
{
    unsigned long code = ERR_get_error();
    int reason = ERR_GET_REASON(code);
    long verified = SSL_get_verify_result(session->ssl);
    const char *words = ERR_reason_error_string(code);
    struct text t = text_in(session->problem, sizeof(session->problem));

    if (!words)
        words = "no reason given";
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        text_add(&t, "refused: it shows no certificate; give it one that an authority in %s signed",
                 session->tls->ca);
    else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED || verified != X509_V_OK)
        text_add(&t,
                 "refused: its certificate is not valid here (%s); it must be signed by an "
                 "authority in %s",
                 X509_verify_cert_error_string(verified), session->tls->ca);
    else if (is_about_our_certificate(reason))
        text_add(&t,
                 "it refuses our certificate (%s); the authority that signed %s must be in its CA "
                 "file",
                 words, session->tls->certificate);
    else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
        text_add(&t, "TLS 1.2 or later is needed (%s)", words);
    else
        text_add(&t, "TLS failed: %s", words);
    ERR_clear_error();
}

/* After an OpenSSL call that did not return what it should: a negative errno. */
static int outcome(struct openflow_tls_session *session, int result)
{
    if (session->is_broken)
        return -EPROTO;
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return -ECONNRESET;
    case SSL_ERROR_SYSCALL: /* bio_write() found no memory */
        session->is_broken = true;
        return -ENOMEM;
    default:
        session->is_broken = true;
        explain(session);
        return -EPROTO;
    }
}

/* ---- a session ---- */

struct openflow_tls_session *openflow_tls_session_new(const struct openflow_tls *tls, bool accepts,
                                                      struct openflow_queue *wire)
{
    struct openflow_tls_session *session = malloc(sizeof(*session));
    BIO *bio = NULL;

    if (!session)
        return NULL;
    memset(session, 0, offsetof(struct openflow_tls_session, raw));
    session->tls = tls;
    session->wire = wire;
    session->ssl = SSL_new(tls->context);
    if (!session->ssl || !(bio = BIO_new(bio_method()))) {
        openflow_tls_session_free(session);
        return NULL;
    }
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    if (accepts)
        SSL_set_accept_state(session->ssl);
    else
        SSL_set_connect_state(session->ssl);
    return session;
}

void openflow_tls_session_free(struct openflow_tls_session *session)
{
    if (!session)
        return;
    SSL_free(session->ssl);
    free(session);
}

uv_buf_t openflow_tls_room(struct openflow_tls_session *session)
{
    memmove(session->raw, session->raw + session->from, session->to - session->from);
    session->to -= session->from;
    session->from = 0;
    return uv_buf_init((char *)session->raw + session->to, (unsigned)(RAW_SIZE - session->to));
}

int openflow_tls_received(struct openflow_tls_session *session, size_t n)
{
    bool is_first = !session->has_begun;

    session->to += n;
    session->has_begun = true;
    if (is_first && session->raw[0] != RECORD_HANDSHAKE && session->raw[0] != RECORD_ALERT) {
        snprintf(session->problem, sizeof(session->problem),
                 "refused: it does not speak TLS; say ssl: at the other end, or tcp: here");
        session->is_broken = true;
        return -EPROTO;
    }
    return 0;
}

void openflow_tls_ended(struct openflow_tls_session *session)
{
    if (SSL_is_server(session->ssl) && !session->has_begun) /* who only looked whether we listen */
        return;
    if (!session->is_open && !session->problem[0])
        snprintf(session->problem, sizeof(session->problem),
                 "it closed the connection during the TLS handshake; its log may say why, or it "
                 "does not speak TLS there");
}

int openflow_tls_handshake(struct openflow_tls_session *session)
{
    ERR_clear_error();
    int result = SSL_do_handshake(session->ssl);
    if (result != 1)
        return outcome(session, result);
    session->is_open = true;
    return 0;
}

int openflow_tls_read(struct openflow_tls_session *session, uint8_t *to, size_t size)
{
    ERR_clear_error();
    int n = SSL_read(session->ssl, to, size > INT32_MAX ? INT32_MAX : (int)size);
    return n > 0 ? n : outcome(session, n);
}

int openflow_tls_write(struct openflow_tls_session *session, const void *from, size_t size)
{
    ERR_clear_error();
    int n = SSL_write(session->ssl, from, size > INT32_MAX ? INT32_MAX : (int)size);
    return n > 0 ? n : outcome(session, n);
}

void openflow_tls_end(struct openflow_tls_session *session)
{
    if (!session->is_open || session->is_broken)
        return;
    ERR_clear_error();
    SSL_shutdown(session->ssl);
    session->is_broken = true;
}

const char *openflow_tls_problem(const struct openflow_tls_session *session)
{
    return session->problem;
}
