/*
 * trace.c -- `strowger trace`: one ladder of the messages that all functions have sent and
 * received.
 *
 * Each process keeps a ring of its messages (base/trace.h). Here the rings are read over the
 * control sockets and merged by time. A message between two functions of the network is in two
 * rings, once sent and once received: same protocol, same bytes, opposite direction, a moment
 * apart. It is shown once, from the one to the other. A peer that is no function of ours is shown
 * by its address.
 *
 * Following (-f) reads again and again, and holds messages back for a moment so that the other half
 * can come.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "manager/inner.h"
#include "manager/pcapng.h"

#define APART_US  2000000 /* between sending and receiving at most */
#define SKEW_US   5000    /* a receiver may have recorded a little before the sender did */
#define SETTLE_US 500000
#define POLL_US   300000
#define MAX_RINGS 32
#define PAGE      2000 /* records in one answer of a function */
#define TEXT_SIZE 1100

static const char help[] =
    "Shows the messages between the functions as a ladder: time, from, to, interface, message.\n\n"
    "Usage: strowger trace [options]\n\n"
    "  -i, --imsi IMSI    only about this subscriber\n"
    "  -p, --pcap FILE    write them to FILE for Wireshark (NAS deciphered), instead of printing\n"
    "  -f, --follow       go on with what comes\n"
    "  -n, --network NAME when several networks are up\n\n"
    "Examples:\n"
    "  strowger trace --imsi 001010000000001\n"
    "  strowger trace --pcap attach.pcapng && wireshark attach.pcapng\n"
    "  strowger trace -f\n";

struct event {
    uint64_t time_us;
    uint64_t hash;  /* of protocol and bytes */
    unsigned ring;  /* whose */
    unsigned other; /* ring at the other end + 1; 0: unknown */
    bool sent;
    bool paired; /* the received half, shown by the sent one */
    char protocol[16];
    char local[64], peer[64];
    char subject[24];
    char *text;
    uint8_t *bytes;
    size_t len;
};

static struct {
    const char *directory;
    const char *imsi;
    FILE *pcap;
    bool follow;
    struct {
        char name[32];
        json_int_t pid;
        uint64_t sequence; /* read up to here */
    } rings[MAX_RINGS];
    unsigned ring_count;
    struct event *events;
    size_t count, room;
    json_t *owners; /* address with port, and without, to ring number */
    bool failed;
    unsigned width;
    bool headed;
} trace;

/* ---- reading rings ---- */

static unsigned ring_of(const char *name)
{
    for (unsigned i = 0; i < trace.ring_count; i++) {
        if (strcmp(trace.rings[i].name, name) == 0)
            return i;
    }
    if (trace.ring_count == MAX_RINGS)
        return MAX_RINGS;
    snprintf(trace.rings[trace.ring_count].name, sizeof(trace.rings[0].name), "%s", name);
    return trace.ring_count++;
}

static void copy_text(char *to, size_t size, const json_t *value)
{
    snprintf(to, size, "%s", json_is_string(value) ? json_string_value(value) : "");
}

static void without_port(char *to, size_t size, const char *address)
{
    const char *colon = strrchr(address, ':');

    snprintf(to, size, "%.*s", colon ? (int)(colon - address) : 0, address);
}

/* The ring's process owns this address; without the port only as long as nobody else claims it. */
static void learn_owner(unsigned ring, const char *local)
{
    char host[64];

    if (!local || !local[0])
        return;
    without_port(host, sizeof(host), local);
    json_object_set_new(trace.owners, local, json_integer(ring + 1));
    const json_t *known = json_object_get(trace.owners, host);
    if (!known)
        json_object_set_new(trace.owners, host, json_integer(ring + 1));
    else if (json_integer_value(known) != ring + 1)
        json_object_set_new(trace.owners, host, json_integer(0));
}

static void event_free(struct event *e)
{
    free(e->text);
    free(e->bytes);
}

static bool add_event(unsigned ring, const json_t *record)
{
    if (trace.count == trace.room) {
        size_t room = trace.room ? trace.room * 2 : 1024;
        struct event *grown = realloc(trace.events, room * sizeof(*grown));
        if (!grown)
            return false;
        trace.events = grown;
        trace.room = room;
    }
    const char *hex = json_string_value(json_object_get(record, "hex"));
    const char *text = json_string_value(json_object_get(record, "text"));
    struct event *e = &trace.events[trace.count];
    *e = (struct event){.ring = ring,
                        .time_us = (uint64_t)json_integer_value(json_object_get(record, "time_us")),
                        .sent = json_is_true(json_object_get(record, "sent"))};
    copy_text(e->protocol, sizeof(e->protocol), json_object_get(record, "protocol"));
    copy_text(e->local, sizeof(e->local), json_object_get(record, "local"));
    copy_text(e->peer, sizeof(e->peer), json_object_get(record, "peer"));
    copy_text(e->subject, sizeof(e->subject), json_object_get(record, "imsi"));
    size_t size = hex ? strlen(hex) / 2 : 0;
    e->text = strdup(text ? text : "");
    e->bytes = malloc(size + 1);
    int len = e->bytes && hex ? hex_parse(hex, e->bytes, size) : 0;
    if (!e->text || !e->bytes || len < 0) {
        event_free(e);
        return false;
    }
    e->len = (size_t)len;
    e->hash = map_hash_bytes(e->bytes, e->len, map_hash_bytes(e->protocol, strlen(e->protocol), 0));
    learn_owner(ring, e->local);
    trace.count++;
    return true;
}

/* A function that was started again counts from the beginning again. */
static void look_whether_it_is_the_same(unsigned ring)
{
    json_t *process = client_get(trace.directory, trace.rings[ring].name, "/process", NULL);
    json_int_t pid = json_integer_value(json_object_get(process, "pid"));

    if (process && pid != trace.rings[ring].pid)
        trace.rings[ring].sequence = 0;
    if (process)
        trace.rings[ring].pid = pid;
    json_decref(process);
}

/* A function's addresses, also from messages that are not about the subscriber wanted. */
static void read_owner(unsigned ring)
{
    json_t *records = client_get(trace.directory, trace.rings[ring].name, "/trace", NULL);
    size_t i;
    json_t *record;

    json_array_foreach(records, i, record)
        learn_owner(ring, json_string_value(json_object_get(record, "local")));
    json_decref(records);
}

/* Reads what a function has recorded since last time. */
static void read_ring(unsigned ring)
{
    size_t got = PAGE, i;
    json_t *record;

    look_whether_it_is_the_same(ring);
    if (trace.imsi && trace.rings[ring].sequence == 0)
        read_owner(ring);
    while (got >= PAGE) {
        char target[128];
        snprintf(target, sizeof(target), "/trace?after=%llu%s%s",
                 (unsigned long long)trace.rings[ring].sequence, trace.imsi ? "&imsi=" : "",
                 trace.imsi ? trace.imsi : "");
        json_t *records = client_get(trace.directory, trace.rings[ring].name, target, NULL);
        got = json_array_size(records);
        json_array_foreach(records, i, record)
        {
            trace.rings[ring].sequence =
                (uint64_t)json_integer_value(json_object_get(record, "sequence"));
            add_event(ring, record);
        }
        json_decref(records);
    }
}

static void read_all(void)
{
    json_t *names = client_functions(trace.directory);
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name)
    {
        unsigned ring = ring_of(json_string_value(name));
        if (ring < MAX_RINGS)
            read_ring(ring);
    }
    json_decref(names);
}

/* ---- two halves of one message ---- */

static int by_bytes(const void *a, const void *b)
{
    const struct event *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->time_us < y->time_us ? -1 : x->time_us > y->time_us;
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;

    if (x->time_us != y->time_us)
        return x->time_us < y->time_us ? -1 : 1;
    return x->sent > y->sent ? -1 : x->sent < y->sent;
}

static bool addresses_fit(const struct event *sent, const struct event *received)
{
    bool there = sent->local[0] && received->peer[0], back = sent->peer[0] && received->local[0];

    return (!there || strcmp(sent->local, received->peer) == 0) &&
           (!back || strcmp(sent->peer, received->local) == 0);
}

/* Two processes may know the subscriber by different names; what is known better is shown. */
static void join(struct event *sent, struct event *received)
{
    sent->other = received->ring + 1;
    received->other = sent->ring + 1;
    received->paired = true;
    if (!sent->subject[0])
        memcpy(sent->subject, received->subject, sizeof(sent->subject));
    if (!sent->text[0]) {
        char *text = sent->text;
        sent->text = received->text;
        received->text = text;
    }
}

static void pair(void)
{
    qsort(trace.events, trace.count, sizeof(*trace.events), by_bytes);
    for (size_t i = 0; i < trace.count; i++) {
        struct event *sent = &trace.events[i];
        if (!sent->sent || sent->other)
            continue;
        size_t from = i;
        while (from > 0 && trace.events[from - 1].hash == sent->hash &&
               trace.events[from - 1].time_us + SKEW_US > sent->time_us)
            from--;
        for (size_t k = from; k < trace.count && trace.events[k].hash == sent->hash &&
                              trace.events[k].time_us < sent->time_us + APART_US;
             k++) {
            struct event *received = &trace.events[k];
            if (received->sent || received->paired || received->ring == sent->ring ||
                !addresses_fit(sent, received))
                continue;
            join(sent, received);
            break;
        }
    }
    qsort(trace.events, trace.count, sizeof(*trace.events), by_time);
}

/* ---- printing ---- */

static const char *far_end(const struct event *e)
{
    char host[64];
    json_int_t owner = json_integer_value(json_object_get(trace.owners, e->peer));

    if (e->other)
        return trace.rings[e->other - 1].name;
    if (owner == 0) {
        without_port(host, sizeof(host), e->peer);
        owner = json_integer_value(json_object_get(trace.owners, host));
    }
    if (owner > 0 && owner != e->ring + 1) /* two functions may share an address */
        return trace.rings[owner - 1].name;
    if (e->peer[0])
        return e->peer;
    return strcmp(e->protocol, "NAS") == 0 ? "phone" : "?";
}

/* How the specifications call what is between two functions. */
static const struct {
    const char *protocol, *one, *other; /* NULL: any */
    const char *interface;
} interfaces[] = {
    {"S1AP", NULL, NULL, "S1-MME"},       {"NAS", NULL, NULL, "NAS"},
    {"Diameter", "hss", NULL, "S6a"},     {"GTPv2", "mme", NULL, "S11"},
    {"GTPv2", "pgw", NULL, "S5/S8"},      {"PFCP", "sgw", NULL, "Sxa"},
    {"PFCP", "pgw", NULL, "Sxb"},         {"GTP-U", "lab", NULL, "S1-U"},
    {"OpenFlow", NULL, NULL, "OpenFlow"},
};

static const char *interface_of(const char *protocol, const char *a, const char *b)
{
    for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++) {
        const char *one = interfaces[i].one;
        if (strcmp(interfaces[i].protocol, protocol) == 0 &&
            (!one || strcmp(one, a) == 0 || strcmp(one, b) == 0))
            return interfaces[i].interface;
    }
    return protocol;
}

static void print_event(const struct event *e)
{
    const char *near = trace.rings[e->ring].name, *far = far_end(e);
    const char *from = e->sent ? near : far, *to = e->sent ? far : near;
    time_t seconds = (time_t)(e->time_us / 1000000);
    char line[TEXT_SIZE + 200];
    struct text t = text_in(line, sizeof(line));
    struct tm at;

    if (!trace.headed)
        printf("%-15s  %-16s %-16s %-8s %-15s %s\n", "TIME", "FROM", "TO", "BETWEEN", "SUBSCRIBER",
               "MESSAGE");
    trace.headed = true;
    localtime_r(&seconds, &at);
    text_add(&t, "%02d:%02d:%02d.%06u  %-16s %-16s %-8s %-15s %s", at.tm_hour, at.tm_min, at.tm_sec,
             (unsigned)(e->time_us % 1000000), from, to, interface_of(e->protocol, near, far),
             e->subject[0] ? e->subject : "-", e->text[0] ? e->text : e->protocol);
    printf("%.*s\n", trace.width ? (int)trace.width : (int)t.len, line);
}

/* ---- capture file ---- */

static const struct {
    const char *protocol, *dissector;
    uint32_t port_type;
} dissectors[] = {
    {"S1AP", "s1ap", PCAPNG_SCTP},        {"NAS", "nas-eps_plain", PCAPNG_NONE},
    {"Diameter", "diameter", PCAPNG_TCP}, {"GTPv2", "gtpv2", PCAPNG_UDP},
    {"GTP-U", "gtp", PCAPNG_UDP},         {"PFCP", "pfcp", PCAPNG_UDP},
    {"OpenFlow", "openflow", PCAPNG_TCP},
};

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    char host[64];

    without_port(host, sizeof(host), text);
    if (!host[0])
        return address;
    uint16_t port = htons((uint16_t)strtoul(strrchr(text, ':') + 1, NULL, 10));
    size_t len = strlen(host);
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1)
            v6->sin6_family = AF_INET6, v6->sin6_port = port;
    } else if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = port;
    }
    return address;
}

static void write_event(const struct event *e)
{
    const char *near = trace.rings[e->ring].name, *far = far_end(e);
    char comment[200];

    for (size_t i = 0; i < sizeof(dissectors) / sizeof(dissectors[0]); i++) {
        if (strcmp(dissectors[i].protocol, e->protocol) != 0)
            continue;
        snprintf(comment, sizeof(comment), "%s to %s%s%s", e->sent ? near : far,
                 e->sent ? far : near, e->subject[0] ? ", subscriber " : "", e->subject);
        struct pcapng_message m = {
            .time_us = e->time_us,
            .dissector = dissectors[i].dissector,
            .from = address_of(e->sent ? e->local : e->peer),
            .to = address_of(e->sent ? e->peer : e->local),
            .port_type = dissectors[i].port_type,
            .comment = comment,
            .message = bytes_of(e->bytes, e->len),
        };
        if (pcapng_add(trace.pcap, &m) < 0)
            trace.failed = true;
        return;
    }
}

/* Shows all events up to a time and forgets them. */
static void show_until(uint64_t time_us)
{
    size_t kept = 0;

    for (size_t i = 0; i < trace.count; i++) {
        struct event *e = &trace.events[i];
        if (e->time_us > time_us) {
            trace.events[kept++] = *e;
            continue;
        }
        if (!e->paired && trace.pcap)
            write_event(e);
        else if (!e->paired)
            print_event(e);
        event_free(e);
    }
    trace.count = kept;
    fflush(trace.pcap ? trace.pcap : stdout);
}

/* ---- the verb ---- */

static int run(void)
{
    trace.owners = json_object();
    trace.width = table_style_of(stdout).width;
    do {
        read_all();
        pair();
        show_until(trace.follow ? clock_wall_us() - SETTLE_US : UINT64_MAX);
        if (trace.follow)
            usleep(POLL_US);
    } while (trace.follow && !trace.failed);
    json_decref(trace.owners);
    free(trace.events);
    if (trace.pcap && fclose(trace.pcap) != 0)
        trace.failed = true;
    if (trace.failed)
        fprintf(stderr, "strowger: the capture file could not be written: %s\n", strerror(errno));
    return trace.failed;
}

static int open_pcap(const char *name)
{
    trace.pcap = strcmp(name, "-") == 0 ? stdout : fopen(name, "we");
    if (trace.pcap && pcapng_begin(trace.pcap) == 0)
        return 0;
    fprintf(stderr, "strowger: %s: %s\n", name, strerror(errno));
    return -EIO;
}

int trace_main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"imsi", required_argument, NULL, 'i'}, {"pcap", required_argument, NULL, 'p'},
        {"follow", no_argument, NULL, 'f'},     {"network", required_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    static char directory[RUN_PATH_SIZE];
    const char *network = NULL, *pcap = NULL;
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "i:p:fn:h", longs, NULL)) != -1) {
        switch (c) {
        case 'i':
            trace.imsi = optarg;
            break;
        case 'p':
            pcap = optarg;
            break;
        case 'f':
            trace.follow = true;
            break;
        case 'n':
            network = optarg;
            break;
        default:
            fputs(help, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
    }
    if (trace.imsi && strspn(trace.imsi, "0123456789") != strlen(trace.imsi)) {
        fprintf(stderr, "strowger: '%s' is no IMSI (15 digits)\n", trace.imsi);
        return 2;
    }
    if (client_find_network(network, directory, sizeof(directory)) < 0)
        return 1;
    trace.directory = directory;
    if (pcap && open_pcap(pcap) < 0)
        return 1;
    return run();
}
