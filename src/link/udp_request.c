/*
 * udp_request.c -- see udp_request.h. The endpoint, its calls (our requests) and its transactions
 * (peers' requests); peers are in udp_peer.c, the socket in udp_socket.c.
 *
 * A call lives from udp_request() or a probe until its answer or its last timeout. It is found by
 * its sequence number, and the answer must come from the host that was asked. A transaction lives
 * from the request until its answer cannot be asked for any more: the peer sends it again for
 * timeout x attempts, if it is set up as we are. It is found by sender, sequence number and type.
 * Both kinds of transaction, those in progress and those answered, stand in queues by age, which
 * one timer sweeps; when the table is full the oldest answer is forgotten first.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "link/udp_inner.h"

/* How long a peer's request may stay unanswered before it is forgotten. */
#define PENDING_MS 60000
#define SWEEP_MS   500

/* Messages in one datagram: a response and a piggybacked request. */
#define MAX_MESSAGES 2

struct udp_settings udp_settings_default(void)
{
    return (struct udp_settings){
        .timeout_ms = 3000,
        .attempts = 3,
        .probe_interval_ms = 60000,
        .max_peers = 1024,
        .max_calls = 65536,
        .max_transactions = 65536,
    };
}

/* Queues of transactions, oldest first. */
static void queue_put(struct udp_queue *queue, struct udp_transaction *transaction)
{
    transaction->since_ms = loop_now_ms();
    transaction->next = NULL;
    transaction->previous = queue->last;
    if (queue->last)
        queue->last->next = transaction;
    else
        queue->first = transaction;
    queue->last = transaction;
}

static void queue_take(struct udp_queue *queue, struct udp_transaction *transaction)
{
    if (transaction->previous)
        transaction->previous->next = transaction->next;
    else
        queue->first = transaction->next;
    if (transaction->next)
        transaction->next->previous = transaction->previous;
    else
        queue->last = transaction->previous;
}

static void forget_transaction(struct udp_endpoint *endpoint, struct udp_transaction *transaction)
{
    queue_take(transaction->answer ? &endpoint->answered : &endpoint->pending, transaction);
    if (map_get(&endpoint->transaction_by_key, transaction->key) == transaction->id)
        map_remove(&endpoint->transaction_by_key, transaction->key);
    udp_buffer_release(transaction->answer);
    pool_delete(&endpoint->transactions, transaction->id);
}

static void forget_older(struct udp_endpoint *endpoint, struct udp_queue *queue, uint64_t age_ms)
{
    uint64_t now = loop_now_ms();

    while (queue->first && now - queue->first->since_ms >= age_ms)
        forget_transaction(endpoint, queue->first);
}

static void sweep(struct timer *timer)
{
    struct udp_endpoint *endpoint = container_of(timer, struct udp_endpoint, sweep_timer);

    forget_older(endpoint, &endpoint->answered,
                 (uint64_t)endpoint->settings.timeout_ms * (endpoint->settings.attempts + 1u));
    forget_older(endpoint, &endpoint->pending, PENDING_MS);
    if (endpoint->transactions.count > 0)
        timer_start(&endpoint->sweep_timer, SWEEP_MS, sweep);
}

/* What tells one request from another. */
static uint64_t transaction_key(const struct udp_endpoint *endpoint, const union udp_address *from,
                                const struct udp_head *head)
{
    struct {
        struct in6_addr host;
        uint32_t sequence;
        uint16_t port;
        uint8_t type;
        uint8_t zero;
    } key = {.sequence = head->sequence, .port = udp_address_port(from), .type = head->type};

    if (from->sa.sa_family == AF_INET6)
        key.host = from->in6.sin6_addr;
    else
        memcpy(&key.host, &from->in.sin_addr, sizeof(from->in.sin_addr));
    return map_hash_bytes(&key, sizeof(key), endpoint->transaction_by_key.seed);
}

static bool is_same_request(const struct udp_transaction *transaction,
                            const union udp_address *from, const struct udp_head *head)
{
    return transaction->head.sequence == head->sequence && transaction->head.type == head->type &&
           udp_address_equal(&transaction->from, from);
}

static struct udp_transaction *new_transaction(struct udp_endpoint *endpoint, uint32_t *id)
{
    struct udp_transaction *transaction = pool_new(&endpoint->transactions, id);

    if (transaction || !endpoint->answered.first)
        return transaction;
    forget_transaction(endpoint, endpoint->answered.first);
    return pool_new(&endpoint->transactions, id);
}

static void take_request(struct udp_endpoint *endpoint, struct udp_peer *peer,
                         const union udp_address *from, const struct udp_head *head,
                         struct bytes datagram)
{
    uint64_t key = transaction_key(endpoint, from, head);
    uint32_t id = (uint32_t)map_get(&endpoint->transaction_by_key, key);
    struct udp_transaction *transaction = pool_get(&endpoint->transactions, id);

    if (transaction && is_same_request(transaction, from, head)) {
        endpoint->counters.duplicates++;
        udp_trace_received(peer, "", datagram);
        if (transaction->answer)
            udp_socket_send(&endpoint->socket, from, transaction->answer);
        return;
    }
    transaction = new_transaction(endpoint, &id);
    if (!transaction || map_set(&endpoint->transaction_by_key, key, id) < 0) {
        if (transaction)
            pool_delete(&endpoint->transactions, id);
        endpoint->counters.refused++;
        return;
    }
    transaction->id = id;
    transaction->key = key;
    transaction->from = *from;
    transaction->head = *head;
    transaction->peer = udp_peer_id(peer);
    queue_put(&endpoint->pending, transaction);
    if (!timer_is_running(&endpoint->sweep_timer))
        timer_start(&endpoint->sweep_timer, SWEEP_MS, sweep);
    endpoint->handler->request(endpoint->owner, peer, id, head, datagram);
}

/* Ends a call and tells whoever waits for it; the call is gone then. */
static void end_call(struct udp_endpoint *endpoint, struct udp_call *call, int error,
                     struct bytes answer)
{
    struct udp_waiter *waiter = call->waiter;
    uint32_t peer = call->peer;

    timer_stop(&call->timer);
    map_remove(&endpoint->call_by_sequence, call->sequence);
    udp_buffer_release(call->buffer);
    pool_delete(&endpoint->calls, call->id);
    if (!waiter) {
        if (!endpoint->closing)
            udp_probe_done(endpoint, peer, error, answer);
        return;
    }
    waiter->ended = true;
    if (error < 0) {
        await_fail(&waiter->here, error);
    } else {
        waiter->answer = answer;
        await_deliver(&waiter->here, NULL);
    }
}

static const char *call_subject(const struct udp_call *call)
{
    return call->waiter && call->waiter->here.waiter ? fiber_subject(call->waiter->here.waiter)
                                                     : "";
}

static void take_answer(struct udp_endpoint *endpoint, const union udp_address *from,
                        const struct udp_head *head, struct bytes datagram)
{
    uint32_t id = (uint32_t)map_get(&endpoint->call_by_sequence, head->sequence);
    struct udp_call *call = pool_get(&endpoint->calls, id);

    if (!call || !udp_host_equal(&call->to, from) ||
        (head->answers != 0 && head->answers != call->type)) {
        endpoint->counters.late_answers++;
        return;
    }
    trace_message(endpoint->protocol->trace, false, &endpoint->socket.local.sa, &from->sa,
                  call_subject(call), datagram);
    end_call(endpoint, call, 0, datagram);
}

static void received(struct udp_socket *socket, struct bytes datagram,
                     const union udp_address *from)
{
    struct udp_endpoint *endpoint = container_of(socket, struct udp_endpoint, socket);

    if (endpoint->closing)
        return;
    for (int n = 0; n < MAX_MESSAGES && (n == 0 || datagram.len > 0); n++) {
        struct udp_head head = {0};
        int err = endpoint->protocol->head(datagram, &head);
        if (err < 0) {
            endpoint->counters.malformed++;
            endpoint->handler->malformed(endpoint->owner, &from->sa, datagram, err);
            return;
        }
        struct udp_peer *peer = udp_peer_at(endpoint, &from->sa);
        if (!peer) {
            endpoint->counters.refused++;
            return;
        }
        udp_peer_heard(peer);
        struct bytes message = bytes_of(datagram.at, head.length);
        datagram = bytes_of(datagram.at + head.length, datagram.len - head.length);
        if (head.role == UDP_ROLE_REQUEST)
            take_request(endpoint, peer, from, &head, message);
        else if (head.role == UDP_ROLE_ANSWER)
            take_answer(endpoint, from, &head, message);
        else
            endpoint->handler->request(endpoint->owner, peer, 0, &head, message);
    }
}

static void send_call(struct udp_endpoint *endpoint, struct udp_call *call, const char *subject)
{
    call->attempts++;
    trace_message(endpoint->protocol->trace, true, &endpoint->socket.local.sa, &call->to.sa,
                  subject, bytes_of(call->buffer->data, call->buffer->len));
    udp_socket_send(&endpoint->socket, &call->to, call->buffer);
}

static void call_timed_out(struct timer *timer)
{
    struct udp_call *call = container_of(timer, struct udp_call, timer);
    struct udp_endpoint *endpoint = call->endpoint;

    if (call->attempts >= endpoint->settings.attempts) {
        if (call->waiter)
            endpoint->counters.timeouts++;
        end_call(endpoint, call, -ETIMEDOUT, bytes_of(NULL, 0));
        return;
    }
    endpoint->counters.retransmissions++;
    send_call(endpoint, call, call_subject(call));
    timer_start(&call->timer, endpoint->settings.timeout_ms, call_timed_out);
}

int udp_call_start(struct udp_peer *peer, uint8_t type, uint32_t sequence, struct bytes datagram,
                   struct udp_waiter *waiter, uint32_t *id)
{
    struct udp_endpoint *endpoint = peer->endpoint;
    uint64_t taken;

    if (endpoint->closing)
        return -ECANCELED;
    if (datagram.len > UDP_REQUEST_MAX_DATAGRAM)
        return -EMSGSIZE;
    if (map_find(&endpoint->call_by_sequence, sequence, &taken))
        return -ENOBUFS; /* so many requests wait that the numbers came round */
    struct udp_call *call = pool_new(&endpoint->calls, id);
    if (!call)
        return -ENOBUFS;
    call->buffer = udp_buffer_new(datagram);
    if (!call->buffer || map_set(&endpoint->call_by_sequence, sequence, *id) < 0) {
        udp_buffer_release(call->buffer);
        pool_delete(&endpoint->calls, *id);
        return -ENOMEM;
    }
    call->endpoint = endpoint;
    call->id = *id;
    call->sequence = sequence;
    call->type = type;
    call->peer = udp_peer_id(peer);
    call->to = peer->address;
    call->waiter = waiter;
    timer_start(&call->timer, endpoint->settings.timeout_ms, call_timed_out);
    return 0;
}

void udp_call_send(struct udp_endpoint *endpoint, uint32_t id)
{
    struct udp_call *call = pool_get(&endpoint->calls, id);

    if (call)
        send_call(endpoint, call, "");
}

int udp_request(struct udp_peer *peer, uint8_t type, uint32_t sequence, struct bytes datagram,
                struct bytes *answer)
{
    struct udp_endpoint *endpoint = peer->endpoint;
    struct udp_waiter waiter = {0};
    uint32_t id;
    int err = udp_call_start(peer, type, sequence, datagram, &waiter, &id);

    if (err < 0)
        return err;
    send_call(endpoint, pool_get(&endpoint->calls, id), NULL);
    err = await(&waiter.here, -1, NULL);
    *answer = waiter.answer;
    /* A fiber that was cancelled leaves its call behind; otherwise the call ended before it woke
     * us. */
    struct udp_call *left = waiter.ended ? NULL : pool_get(&endpoint->calls, id);
    if (left)
        end_call(endpoint, left, -ECANCELED, bytes_of(NULL, 0));
    return err;
}

int udp_notify(struct udp_endpoint *endpoint, const struct sockaddr *to, struct bytes datagram)
{
    union udp_address address;

    if (datagram.len > UDP_REQUEST_MAX_DATAGRAM)
        return -EMSGSIZE;
    if (!udp_address_set(&address, to))
        return -EAFNOSUPPORT;
    struct udp_buffer *buffer = udp_buffer_new(datagram);
    if (!buffer)
        return -ENOMEM;
    trace_message(endpoint->protocol->trace, true, &endpoint->socket.local.sa, to, NULL, datagram);
    udp_socket_send(&endpoint->socket, &address, buffer);
    udp_buffer_release(buffer);
    return 0;
}

static struct udp_transaction *find_transaction(const struct udp_endpoint *endpoint, uint32_t id)
{
    return pool_get(&endpoint->transactions, id);
}

bool udp_transaction_head(const struct udp_endpoint *endpoint, uint32_t transaction,
                          struct udp_head *head)
{
    const struct udp_transaction *found = find_transaction(endpoint, transaction);

    if (found)
        *head = found->head;
    return found != NULL;
}

int udp_answer(struct udp_endpoint *endpoint, uint32_t transaction, struct bytes datagram)
{
    struct udp_transaction *found = find_transaction(endpoint, transaction);

    if (!found || found->answer)
        return -ENOENT;
    if (datagram.len > UDP_REQUEST_MAX_DATAGRAM)
        return -EMSGSIZE;
    struct udp_buffer *buffer = udp_buffer_new(datagram);
    if (!buffer)
        return -ENOMEM;
    queue_take(&endpoint->pending, found);
    found->answer = buffer;
    queue_put(&endpoint->answered, found);
    trace_message(endpoint->protocol->trace, true, &endpoint->socket.local.sa, &found->from.sa,
                  NULL, datagram);
    udp_socket_send(&endpoint->socket, &found->from, buffer);
    return 0;
}

void udp_abandon(struct udp_endpoint *endpoint, uint32_t transaction)
{
    struct udp_transaction *found = find_transaction(endpoint, transaction);

    if (found && !found->answer)
        forget_transaction(endpoint, found);
}

/* A number that an earlier life of this process has hardly used: late answers to it are not ours.
 */
static uint32_t first_sequence(void)
{
    uint32_t number = 0;

    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
        number = (uint32_t)clock_wall_us();
    return number;
}

uint32_t udp_next_sequence(struct udp_endpoint *endpoint)
{
    endpoint->sequence = (endpoint->sequence + 1) & endpoint->protocol->sequence_mask;
    if (endpoint->sequence == 0)
        endpoint->sequence = 1;
    return endpoint->sequence;
}

int udp_endpoint_open(const struct sockaddr *local, const struct udp_protocol *protocol,
                      const struct udp_settings *settings, const struct udp_handler *handler,
                      void *owner, struct udp_endpoint **endpoint)
{
    union udp_address address;
    struct udp_endpoint *e = calloc(1, sizeof(*e));

    if (!e)
        return -ENOMEM;
    if (!udp_address_set(&address, local)) {
        free(e);
        return -EAFNOSUPPORT;
    }
    if (udp_address_port(&address) == 0)
        udp_address_set_port(&address, protocol->port);
    e->protocol = protocol;
    e->settings = *settings;
    e->handler = handler;
    e->owner = owner;
    e->sequence = first_sequence();
    e->socket.received = received;
    int err = udp_socket_open(&e->socket, &address.sa, UDP_REQUEST_MAX_DATAGRAM);
    if (err < 0) {
        free(e);
        return err;
    }
    pool_init(&e->peers, sizeof(struct udp_peer), settings->max_peers);
    pool_init(&e->calls, sizeof(struct udp_call), settings->max_calls);
    pool_init(&e->transactions, sizeof(struct udp_transaction), settings->max_transactions);
    map_init(&e->peer_by_host);
    map_init(&e->call_by_sequence);
    map_init(&e->transaction_by_key);
    *endpoint = e;
    return 0;
}

static void socket_closed(uv_handle_t *handle)
{
    uv_poll_t *poll = (uv_poll_t *)(void *)handle;
    struct udp_socket *socket = container_of(poll, struct udp_socket, poll);

    free(container_of(socket, struct udp_endpoint, socket));
}

void udp_endpoint_stop(struct udp_endpoint *endpoint)
{
    struct udp_call *call;
    uint32_t id = 0;

    endpoint->closing = true;
    while ((call = pool_next(&endpoint->calls, &id)))
        end_call(endpoint, call, -ECANCELED, bytes_of(NULL, 0));
    timer_stop(&endpoint->sweep_timer);
    udp_peers_stop(endpoint);
}

void udp_endpoint_close(struct udp_endpoint *endpoint)
{
    udp_endpoint_stop(endpoint);
    while (endpoint->pending.first)
        forget_transaction(endpoint, endpoint->pending.first);
    while (endpoint->answered.first)
        forget_transaction(endpoint, endpoint->answered.first);
    pool_free(&endpoint->peers);
    pool_free(&endpoint->calls);
    pool_free(&endpoint->transactions);
    map_free(&endpoint->peer_by_host);
    map_free(&endpoint->call_by_sequence);
    map_free(&endpoint->transaction_by_key);
    udp_socket_close(&endpoint->socket, socket_closed);
}

const struct sockaddr *udp_endpoint_address(const struct udp_endpoint *endpoint)
{
    return &endpoint->socket.local.sa;
}

struct udp_counters udp_counters(const struct udp_endpoint *endpoint)
{
    struct udp_counters counters = endpoint->counters;

    counters.received = endpoint->socket.datagrams_in;
    counters.sent = endpoint->socket.datagrams_out;
    counters.malformed += endpoint->socket.too_large;
    counters.send_errors = endpoint->socket.send_errors;
    counters.calls = endpoint->calls.count;
    counters.transactions = endpoint->transactions.count;
    counters.peers = endpoint->peers.count;
    return counters;
}
