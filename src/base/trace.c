/*
 * trace.c -- see trace.h.
 *
 * The ring is one block of memory. Records lie in it one behind the other, each with a header; when
 * the end is reached, writing goes on at the begin and eats the oldest records. An alias is a
 * record too, so it lives as long as the messages around it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fiber.h"
#include "base/loop.h"
#include "base/trace.h"

#define SUBJECT_SIZE sizeof(((struct trace_record *)0)->subject)
#define ALIAS        TRACE_PROTOCOLS
#define TEXT_SIZE    8192                  /* a message in words at most */
#define FILLER       (TRACE_PROTOCOLS + 1) /* the unused end of the ring */

struct address {
    uint16_t family;
    uint16_t port; /* network order */
    uint8_t bytes[16];
};

struct header {
    uint32_t size; /* of header and data, rounded up to 8 */
    uint32_t len;  /* of the data */
    uint64_t sequence;
    uint64_t time_us;
    uint8_t protocol;
    bool sent;
    char subject[SUBJECT_SIZE];
    struct address local, peer;
};

static struct {
    uint8_t *ring;
    size_t size;
    size_t head; /* where the next record goes */
    size_t tail; /* the oldest record */
    size_t used;
    uint64_t sequence;
    trace_printer printers[TRACE_PROTOCOLS][2]; /* of messages received, sent */
} trace;

static const char *const names[TRACE_PROTOCOLS] = {
    [TRACE_S1AP] = "S1AP",         [TRACE_NAS] = "NAS",    [TRACE_DIAMETER] = "Diameter",
    [TRACE_GTPC] = "GTPv2",        [TRACE_GTPU] = "GTP-U", [TRACE_PFCP] = "PFCP",
    [TRACE_OPENFLOW] = "OpenFlow",
};

const char *trace_protocol_name(enum trace_protocol protocol)
{
    return protocol < TRACE_PROTOCOLS ? names[protocol] : "?";
}

void trace_set_printer(enum trace_protocol protocol, trace_printer printer)
{
    trace_set_printers(protocol, printer, printer);
}

void trace_set_printers(enum trace_protocol protocol, trace_printer sent, trace_printer received)
{
    trace.printers[protocol][true] = sent;
    trace.printers[protocol][false] = received;
}

void trace_free(void)
{
    free(trace.ring);
    trace.ring = NULL;
    trace.size = trace.used = trace.head = trace.tail = 0;
}

int trace_init(size_t ring_bytes)
{
    trace_free();
    if (ring_bytes == 0)
        return 0;
    trace.size = (ring_bytes + 7) & ~(size_t)7;
    trace.ring = malloc(trace.size);
    if (!trace.ring) {
        trace.size = 0;
        return -ENOMEM;
    }
    return 0;
}

bool trace_is_on(void)
{
    return trace.ring != NULL;
}

static struct header *header_at(size_t offset)
{
    return (struct header *)(void *)(trace.ring + offset);
}

static void drop_oldest(void)
{
    size_t size = header_at(trace.tail)->size;

    trace.tail += size;
    trace.used -= size;
    if (trace.tail == trace.size)
        trace.tail = 0;
}

/* Room for one record at the head; NULL when it is larger than the whole ring. */
static struct header *make_room(size_t len)
{
    size_t need = (sizeof(struct header) + len + 7) & ~(size_t)7;

    if (need > trace.size / 2)
        return NULL;
    size_t to_end = trace.size - trace.head;
    size_t filler = need > to_end || to_end - need < sizeof(struct header) ? to_end - need : 0;
    if (need > to_end) {
        /* The rest of the ring becomes a filler record; to_end is 0 or at least a header, by
         * construction. */
        while (trace.size - trace.used < to_end)
            drop_oldest();
        if (to_end > 0) {
            struct header *rest = header_at(trace.head);
            rest->size = (uint32_t)to_end;
            rest->protocol = FILLER;
            trace.used += to_end;
        }
        trace.head = 0;
        filler = 0;
    }
    need += filler; /* a rest too small for a header belongs to this record */
    while (trace.size - trace.used < need)
        drop_oldest();
    struct header *h = header_at(trace.head);
    h->size = (uint32_t)need;
    h->len = (uint32_t)len;
    trace.head = trace.head + need == trace.size ? 0 : trace.head + need;
    trace.used += need;
    return h;
}

static void pack_address(struct address *to, const struct sockaddr *from)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;

    to->family = from ? from->sa_family : AF_UNSPEC;
    if (to->family == AF_INET) {
        to->port = v4->sin_port;
        memcpy(to->bytes, &v4->sin_addr, 4);
    } else if (to->family == AF_INET6) {
        to->port = v6->sin6_port;
        memcpy(to->bytes, &v6->sin6_addr, 16);
    } else {
        to->family = AF_UNSPEC;
    }
}

static void unpack_address(struct sockaddr_storage *to, const struct address *from)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

    memset(to, 0, sizeof(*to));
    to->ss_family = from->family;
    if (from->family == AF_INET) {
        v4->sin_port = from->port;
        memcpy(&v4->sin_addr, from->bytes, 4);
    } else if (from->family == AF_INET6) {
        v6->sin6_port = from->port;
        memcpy(&v6->sin6_addr, from->bytes, 16);
    }
}

static void copy_subject(char *to, const char *from)
{
    size_t len = strnlen(from, SUBJECT_SIZE - 1);

    memcpy(to, from, len);
    memset(to + len, 0, SUBJECT_SIZE - len);
}

static void record(uint8_t protocol, bool sent, const struct sockaddr *local,
                   const struct sockaddr *peer, const char *subject, struct bytes data)
{
    struct header *h = make_room(data.len);

    if (!h)
        return;
    h->sequence = ++trace.sequence;
    h->time_us = clock_wall_us();
    h->protocol = protocol;
    h->sent = sent;
    copy_subject(h->subject, subject);
    pack_address(&h->local, local);
    pack_address(&h->peer, peer);
    if (data.len > 0)
        memcpy(h + 1, data.at, data.len);
}

void trace_message(enum trace_protocol protocol, bool sent, const struct sockaddr *local,
                   const struct sockaddr *peer, const char *subject, struct bytes message)
{
    if (trace.ring)
        record((uint8_t)protocol, sent, local, peer, subject ? subject : fiber_subject(NULL),
               message);
}

void trace_alias(const char *subject, const char *name)
{
    if (trace.ring && strcmp(subject, name) != 0)
        record(ALIAS, false, NULL, NULL, subject, bytes_of(name, strlen(name)));
}

/* Walks over the ring, oldest first: start with at = SIZE_MAX, left = used. */
static const struct header *next_record(size_t *at, size_t *left)
{
    *at = *at == SIZE_MAX ? trace.tail : *at + header_at(*at)->size;
    if (*at == trace.size)
        *at = 0;
    if (*left == 0)
        return NULL;
    const struct header *h = header_at(*at);
    *left -= h->size;
    return h;
}

#define MAX_ALIASES 64

/* The names that mean `subject`: itself and the aliases found in the ring. */
struct names {
    char name[MAX_ALIASES][SUBJECT_SIZE];
    size_t count;
};

static bool is_among(const struct names *all, const char *subject)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strncmp(all->name[i], subject, SUBJECT_SIZE) == 0)
            return true;
    }
    return false;
}

static void collect_names(struct names *all, const char *subject)
{
    size_t at = SIZE_MAX, left = trace.used;
    const struct header *h;

    copy_subject(all->name[0], subject);
    all->count = 1;
    while ((h = next_record(&at, &left)) && all->count < MAX_ALIASES) {
        bool names_it = h->protocol == ALIAS && h->len == strlen(subject) &&
                        memcmp(h + 1, subject, h->len) == 0;
        if (names_it && !is_among(all, h->subject))
            memcpy(all->name[all->count++], h->subject, SUBJECT_SIZE);
    }
}

/* A subject that was no IMSI yet may have got a name soon after. */
#define ALIAS_WITHIN 4096 /* records */

static void resolve(char *subject, size_t at, size_t left)
{
    const struct header *h;

    if (!subject[0] || strspn(subject, "0123456789") == strlen(subject))
        return;
    for (size_t i = 0; i < ALIAS_WITHIN && (h = next_record(&at, &left)); i++) {
        if (h->protocol == ALIAS && strncmp(h->subject, subject, SUBJECT_SIZE) == 0 &&
            h->len < SUBJECT_SIZE) {
            memset(subject, 0, SUBJECT_SIZE);
            memcpy(subject, h + 1, h->len);
            return;
        }
    }
}

void trace_each(uint64_t after, const char *subject,
                bool (*each)(const struct trace_record *record, void *argument), void *argument)
{
    struct names wanted = {.count = 0};
    size_t at = SIZE_MAX, left = trace.used;
    const struct header *h;

    if (!trace.ring)
        return;
    if (subject)
        collect_names(&wanted, subject);
    while ((h = next_record(&at, &left))) {
        if (h->protocol >= TRACE_PROTOCOLS || h->sequence <= after ||
            (subject && !is_among(&wanted, h->subject)))
            continue;
        struct trace_record r = {.sequence = h->sequence,
                                 .time_us = h->time_us,
                                 .protocol = h->protocol,
                                 .sent = h->sent,
                                 .message = bytes_of(h + 1, h->len)};
        copy_subject(r.subject, subject ? subject : h->subject);
        if (!subject)
            resolve(r.subject, at, left);
        unpack_address(&r.local, &h->local);
        unpack_address(&r.peer, &h->peer);
        if (!each(&r, argument))
            return;
    }
}

static json_t *address_json(const struct sockaddr_storage *address)
{
    char host[INET6_ADDRSTRLEN], whole[INET6_ADDRSTRLEN + 10];
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

    if (address->ss_family == AF_INET) {
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        snprintf(whole, sizeof(whole), "%s:%u", host, ntohs(v4->sin_port));
    } else if (address->ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
        snprintf(whole, sizeof(whole), "[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        return json_null();
    }
    return json_string(whole);
}

struct json_list {
    json_t *array;
    size_t at_most;
};

static bool add_json(const struct trace_record *record, void *argument)
{
    struct json_list *list = argument;
    size_t hex_size = 2 * record->message.len + 1;
    char *digits = malloc(hex_size), *words = malloc(TEXT_SIZE);

    if (!digits || !words) {
        free(digits);
        free(words);
        return false;
    }
    struct text hex = text_in(digits, hex_size), t = text_in(words, TEXT_SIZE);
    text_hex(&hex, record->message);
    if (trace.printers[record->protocol][record->sent])
        trace.printers[record->protocol][record->sent](record->message, &t);
    json_array_append_new(
        list->array,
        json_pack("{s:I,s:I,s:s,s:b,s:o,s:o,s:s,s:s,s:s}", "sequence", (json_int_t)record->sequence,
                  "time_us", (json_int_t)record->time_us, "protocol",
                  trace_protocol_name(record->protocol), "sent", record->sent, "local",
                  address_json(&record->local), "peer", address_json(&record->peer), "imsi",
                  record->subject, "text", words, "hex", digits));
    free(digits);
    free(words);
    return json_array_size(list->array) < list->at_most;
}

json_t *trace_json(uint64_t after, const char *subject, size_t at_most)
{
    struct json_list list = {json_array(), at_most};

    trace_each(after, subject, add_json, &list);
    return list.array;
}
