/*
 * diameter_service.c -- the node as server: which requests reach a handler, and how their answers
 * find back.
 *
 * A request is checked in the order of RFC 6733 clause 6.1: header, loop, host, realm, application,
 * command; then it is decoded, and what is wrong with its AVPs is answered (clause 7.1.5). Then the
 * room's handler gets it, with an exchange: the connection it came on, its identifiers, and its
 * Session-Id and Proxy-Info, which the answer returns. An exchange outlives its connection; its
 * answer is then dropped, as the client sends the request again elsewhere.
 *
 * Duplicates (clauses 3 and 9.4): a client that lost a connection repeats its request with the T
 * bit and the same Origin-Host and End-to-End Identifier, on whatever connection it has. The newest
 * answers are kept in a ring of bytes, found by a hash of the two; a repeated request that was
 * answered gets that same answer, and one that is still being handled gets its answer where it
 * asked last. Only requests with the T bit are looked up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "link/diameter_inner.h"

#define MAX_SPARE_EXCHANGES 4096u
#define ECHO_SIZE           256u /* Session-Id and Proxy-Info that need no memory of their own */
#define DUPLICATES_BYTES    ((size_t)2 * 1024 * 1024)
#define MAX_PROXIES         16u

struct diameter_exchange {
    struct diameter_exchange *next,
        **link;                 /* of the connection or of the orphans; `next`: of the spare ones */
    struct diameter_node *node; /* NULL: it is over as well */
    struct diameter_connection *connection; /* NULL: it is over */
    const struct diameter_message *request;
    uint32_t hop_by_hop, end_to_end;
    uint64_t key; /* of the duplicates */
    char subject[FIBER_SUBJECT_SIZE];
    struct bytes session_id;
    struct bytes proxy_info[MAX_PROXIES];
    size_t proxy_count;
    uint8_t *more; /* instead of echo, when that is too small */
    uint8_t echo[ECHO_SIZE];
};

/* ---- Duplicates ---- */

/* Positions count up for ever; a position's place in the ring is its remainder. A record is its
 * key, its length, and the answer, and does not wrap: what does not fit before the ring's end
 * begins at its start. */
struct record {
    uint64_t key;
    uint32_t len;  /* of the answer */
    uint32_t size; /* of the record, with what was skipped behind it */
};

struct duplicates {
    struct map by_key;
    uint64_t seed;
    uint64_t first, end; /* positions */
    _Alignas(16) uint8_t ring[DUPLICATES_BYTES];
};

static uint64_t duplicate_key(struct diameter_node *node, struct bytes origin_host,
                              uint32_t end_to_end)
{
    uint64_t seed = node->duplicates ? node->duplicates->seed : 0;

    return map_hash_bytes(origin_host.at, origin_host.len, seed ^ end_to_end);
}

static struct record *record_at(struct duplicates *d, uint64_t position)
{
    return (struct record *)(void *)(d->ring + position % DUPLICATES_BYTES);
}

static void forget_oldest(struct duplicates *d)
{
    struct record *record = record_at(d, d->first);

    if (map_get(&d->by_key, record->key) == d->first + 1)
        map_remove(&d->by_key, record->key);
    d->first += record->size;
}

static void remember_answer(struct diameter_node *node, uint64_t key, struct bytes answer)
{
    struct duplicates *d = node->duplicates;
    size_t size = (sizeof(struct record) + answer.len + 7) & ~(size_t)7;

    if (!d || size > DUPLICATES_BYTES / 4)
        return;
    size_t before_end = DUPLICATES_BYTES - d->end % DUPLICATES_BYTES;
    size_t skip = before_end < size ? before_end : 0;
    /* A record's header must fit before the end, even one that only skips: sizes are multiples of
     * 8, headers 16. */
    if (skip == 0 && before_end - size < sizeof(struct record))
        size = before_end;
    while (d->first != d->end && d->end + skip + size - d->first > DUPLICATES_BYTES)
        forget_oldest(d);
    if (skip > 0) {
        *record_at(d, d->end) = (struct record){.size = (uint32_t)skip};
        d->end += skip;
    }
    struct record *record = record_at(d, d->end);
    *record = (struct record){key, (uint32_t)answer.len, (uint32_t)size};
    memcpy(record + 1, answer.at, answer.len);
    if (map_set(&d->by_key, key, d->end + 1) == 0)
        d->end += size;
}

/* The answer that was given, or an empty view. */
static struct bytes remembered_answer(struct diameter_node *node, uint64_t key)
{
    struct duplicates *d = node->duplicates;
    uint64_t position = d ? map_get(&d->by_key, key) : 0;

    if (position == 0)
        return bytes_of(NULL, 0);
    const struct record *record = record_at(d, position - 1);
    return bytes_of(record + 1, record->len);
}

static void duplicates_init(struct diameter_node *node)
{
    if (node->duplicates)
        return;
    node->duplicates = calloc(1, sizeof(*node->duplicates));
    if (!node->duplicates)
        return; /* then requests are handled twice, which S6a bears */
    map_init(&node->duplicates->by_key);
    node->duplicates->seed = node->duplicates->by_key.seed;
}

/* ---- Exchanges ---- */

static void hang(struct diameter_exchange *x, struct diameter_exchange **list)
{
    x->next = *list;
    x->link = list;
    if (x->next)
        x->next->link = &x->next;
    *list = x;
}

static void attach(struct diameter_exchange *x, struct diameter_connection *c)
{
    x->connection = c;
    c->exchange_count++;
    hang(x, &c->exchanges);
}

/* Off whatever list it is on. */
static void detach(struct diameter_exchange *x)
{
    if (x->link)
        *x->link = x->next;
    if (x->link && x->next)
        x->next->link = x->link;
    x->link = NULL;
    if (x->connection)
        x->connection->exchange_count--;
    x->connection = NULL;
}

static void exchange_free(struct diameter_exchange *x)
{
    struct diameter_node *node = x->node;

    detach(x);
    free(x->more);
    x->more = NULL;
    if (!node || node->spare_count == MAX_SPARE_EXCHANGES) {
        free(x);
        return;
    }
    x->next = node->spare;
    node->spare = x;
    node->spare_count++;
}

void service_forget_connection(struct diameter_connection *c)
{
    while (c->exchanges) {
        struct diameter_exchange *x = c->exchanges;
        detach(x);
        hang(x, &c->node->orphans);
    }
}

void service_free(struct diameter_node *node)
{
    while (node->orphans) {
        struct diameter_exchange *x = node->orphans;
        detach(x);
        x->node = NULL; /* its handler's fiber will still want to answer */
    }
    while (node->spare) {
        struct diameter_exchange *x = node->spare;
        node->spare = x->next;
        free(x);
    }
    if (node->duplicates)
        map_free(&node->duplicates->by_key);
    free(node->duplicates);
}

static struct bytes keep(uint8_t **at, struct bytes text)
{
    struct bytes kept = bytes_of(*at, text.len);

    if (text.len > 0)
        memcpy(*at, text.at, text.len);
    *at += text.len;
    return kept;
}

/* Session-Id and Proxy-Info go back as they came (clauses 6.2, 8.8). */
static int keep_echo(struct diameter_exchange *x, const struct diameter_request_head *head)
{
    size_t size = head->session_id.len;

    for (size_t i = 0; i < head->proxy_info.count; i++)
        size += head->proxy_info.at[i].len;
    if (size > ECHO_SIZE && !(x->more = malloc(size)))
        return -ENOMEM;
    uint8_t *at = x->more ? x->more : x->echo;
    x->session_id = keep(&at, head->session_id);
    x->proxy_count = 0;
    while (x->proxy_count < head->proxy_info.count && x->proxy_count < MAX_PROXIES) {
        x->proxy_info[x->proxy_count] = keep(&at, head->proxy_info.at[x->proxy_count]);
        x->proxy_count++;
    }
    return 0;
}

static struct diameter_exchange *exchange_new(struct diameter_connection *c,
                                              const struct diameter_envelope *envelope,
                                              const struct diameter_message *request,
                                              const struct diameter_request_head *head)
{
    struct diameter_node *node = c->node;
    struct diameter_exchange *x = node->spare;

    if (x) {
        node->spare = x->next;
        node->spare_count--;
    } else if (!(x = malloc(sizeof(*x)))) {
        return NULL;
    }
    x->node = node;
    x->connection = NULL;
    x->link = NULL;
    x->request = request;
    x->hop_by_hop = envelope->header.hop_by_hop;
    x->end_to_end = envelope->header.end_to_end;
    x->key = duplicate_key(node, envelope->origin_host, x->end_to_end);
    x->more = NULL;
    snprintf(x->subject, sizeof(x->subject), "%.*s", (int)envelope->user_name.len,
             (const char *)envelope->user_name.at);
    if (keep_echo(x, head) < 0) {
        exchange_free(x);
        return NULL;
    }
    attach(x, c);
    return x;
}

/* ---- Requests ---- */

static void refuse(struct diameter_connection *c, const struct diameter_envelope *envelope,
                   uint32_t result, struct bytes failed_avp)
{
    static struct log_limit limit;

    diameter_count(DIAMETER_REFUSALS, 1);
    log_limited(&limit, LOG_INFO, "Diameter: command %u of application %u from %s refused: %s",
                envelope->header.command, envelope->header.application, c->peer->host,
                diameter_result_name(result));
    c->peer->answers_sent++;
    (void)connection_refuse(c, envelope,
                            &(struct diameter_refusal){
                                .origin_host = c->node->host,
                                .origin_realm = c->node->realm,
                                .result = result,
                                .failed_avp = failed_avp,
                            });
}

static bool is_supported(const struct diameter_node *node, uint32_t application)
{
    for (size_t i = 0; i < node->application_count; i++) {
        if (node->applications[i].application == application)
            return true;
    }
    return false;
}

static const struct diameter_service *service_of(const struct diameter_node *node,
                                                 const struct diameter_header *header)
{
    for (size_t i = 0; i < node->service_count; i++) {
        const struct diameter_message *request = node->services[i].request;
        if (request->command == header->command && request->application == header->application)
            return &node->services[i];
    }
    return NULL;
}

/* Is this request for us, and one we serve? DIAMETER_SUCCESS, or what to answer. */
static uint32_t check(const struct diameter_connection *c, const struct diameter_envelope *envelope)
{
    const struct diameter_node *node = c->node;

    if (envelope->header.flags & DIAMETER_FLAG_ERROR)
        return DIAMETER_INVALID_HDR_BITS;
    if (diameter_has_passed(envelope, node->host))
        return DIAMETER_LOOP_DETECTED;
    if (envelope->destination_host.len > 0 &&
        !diameter_identity_equal(envelope->destination_host, node->host))
        return DIAMETER_UNABLE_TO_DELIVER;
    if (envelope->destination_realm.len > 0 &&
        !diameter_identity_equal(envelope->destination_realm, node->realm))
        return DIAMETER_REALM_NOT_SERVED;
    if (!is_supported(node, envelope->header.application))
        return DIAMETER_APPLICATION_UNSUPPORTED;
    if (!service_of(node, &envelope->header))
        return DIAMETER_COMMAND_UNSUPPORTED;
    if (node->stopping || c->exchange_count >= node->config->max_pending)
        return DIAMETER_TOO_BUSY;
    return DIAMETER_SUCCESS;
}

/* A request with the T bit: true when its first copy has been, or is being, taken care of. */
static bool is_duplicate(struct diameter_connection *c, const struct diameter_envelope *envelope)
{
    struct diameter_node *node = c->node;
    uint64_t key = duplicate_key(node, envelope->origin_host, envelope->header.end_to_end);
    struct bytes answer = remembered_answer(node, key);

    if (answer.len > 0) {
        struct writer w = connection_writer(c, answer.len);
        wr_view_of(&w, answer);
        wr_patch_u32(&w, 12, envelope->header.hop_by_hop);
        if (!w.bad)
            connection_commit(c, &w, "");
        diameter_count(DIAMETER_DUPLICATES, 1);
        return true;
    }
    for (struct diameter_connection *other = node->connections; other; other = other->next) {
        for (struct diameter_exchange *x = other->exchanges; x; x = x->next) {
            if (x->key != key)
                continue;
            detach(x);
            x->hop_by_hop = envelope->header.hop_by_hop;
            attach(x, c);
            diameter_count(DIAMETER_DUPLICATES, 1);
            return true;
        }
    }
    return false;
}

void service_receive(struct diameter_connection *c, const struct diameter_envelope *envelope,
                     struct bytes whole)
{
    struct diameter_node *node = c->node;
    struct wire_context context = {.arena = &node->arena};

    uint32_t result = check(c, envelope);
    if (result != DIAMETER_SUCCESS) {
        refuse(c, envelope, result, bytes_of(NULL, 0));
        return;
    }
    duplicates_init(node);
    if (envelope->header.flags & DIAMETER_FLAG_RETRANSMITTED && is_duplicate(c, envelope))
        return;
    const struct diameter_service *service = service_of(node, &envelope->header);
    void *request = arena_alloc(&node->arena, service->request->group->size);
    if (!request) {
        refuse(c, envelope, DIAMETER_OUT_OF_SPACE, bytes_of(NULL, 0));
        return;
    }
    if (diameter_decode(service->request, whole, request, &context) < 0) {
        refuse(c, envelope, diameter_fault_result(&context.fault),
               diameter_fault_avp(&context.fault, &node->arena));
        return;
    }
    struct diameter_exchange *x = exchange_new(c, envelope, service->request, request);
    if (!x) {
        refuse(c, envelope, DIAMETER_OUT_OF_SPACE, bytes_of(NULL, 0));
        return;
    }
    service->handle(x, request, node->owner);
}

/* ---- Answers ---- */

int diameter_answer(struct diameter_exchange *exchange, void *answer)
{
    struct diameter_node *node = exchange->node;
    struct diameter_connection *c = exchange->connection;
    struct diameter_answer_head *head = answer;
    uint32_t state = DIAMETER_NO_STATE_MAINTAINED;
    struct diameter_header header = {
        .hop_by_hop = exchange->hop_by_hop,
        .end_to_end = exchange->end_to_end,
    };

    if (!c) {
        exchange_free(exchange);
        return -ENOTCONN;
    }
    if (diameter_result_is_protocol_error(diameter_result_of(head)))
        header.flags |= DIAMETER_FLAG_ERROR;
    head->session_id = exchange->session_id;
    head->origin_host = node->host;
    head->origin_realm = node->realm;
    head->auth_session_state = &state;
    head->proxy_info.at = exchange->proxy_info;
    head->proxy_info.count = exchange->proxy_count;
    size_t from = c->out_len;
    int err = connection_send(c, exchange->request->answer, &header, answer, exchange->subject);
    if (err == 0) {
        c->peer->answers_sent++;
        remember_answer(node, exchange->key, bytes_of(c->out + from, c->out_len - from));
    }
    head->auth_session_state = NULL;
    exchange_free(exchange);
    return err;
}

int diameter_refuse(struct diameter_exchange *exchange, enum diameter_result result,
                    const char *message)
{
    const struct wire_group *group = exchange->request->answer->group;
    struct diameter_answer_head *answer = calloc(1, group->size);
    struct diameter_result_place place;
    struct bytes text = diameter_text_of(message);

    if (!answer) {
        exchange_free(exchange);
        return -ENOMEM;
    }
    diameter_set_result(answer, &place, result);
    answer->error_message = text.len > 0 ? &text : NULL;
    int err = diameter_answer(exchange, answer);
    free(answer);
    return err;
}

struct diameter_node *diameter_exchange_node(const struct diameter_exchange *exchange)
{
    return exchange->node;
}
