/*
 * trace.c -- `strowger trace`: one ladder of the messages that all functions have sent and
 * received.
 *
 * Each process keeps a ring of its messages (base/trace.h). Here the rings are read over the
 * control sockets and merged by time. A message between two functions of the network is in two
 * rings, once sent and once received: same protocol, same bytes, opposite direction, a moment
 * apart. It is shown once, from the one to the other. Who is at the ends, peers.h knows; what a
 * line says, ladder.h.
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
#include "manager/ladder.h"
#include "manager/pcapng.h"
#include "manager/peers.h"

#define APART_US  2000000 /* between sending and receiving at most */
#define SKEW_US   5000    /* a receiver may have recorded a little before the sender did */
#define SETTLE_US 500000
#define POLL_US   300000
#define MAX_RINGS 32
#define PAGE      2000 /* records in one answer of a function */
#define TEXT_SIZE 8400 /* of a message in words */
#define NAME_SIZE 64
#define WRONG_MAX 20 /* refusals told again at the end */

static const char help[] =
    "Shows the messages between the functions as a ladder: time, from, to, interface, message, and "
    "how it\n"
    "ended: refusals in red. Lines are cut to the terminal's width; what is cut is in --long, in a "
    "pipe and in\n"
    "the capture. A message that was sent again is marked so. Keys are never shown.\n\n"
    "Usage: strowger trace [options]\n\n"
    "  -i, --imsi IMSI    only about this subscriber\n"
    "  -p, --pcap FILE    write them to FILE for Wireshark (NAS deciphered), instead of printing;\n"
    "                     '-' is the standard output. It holds what was on the wire, keys too\n"
    "  -f, --follow       go on with what comes\n"
    "  -l, --long         whole messages, uncut\n"
    "  -j, --json         a JSON object per message\n"
    "  -n, --network NAME when several networks are up\n\n"
    "Examples:\n"
    "  strowger trace --imsi 001010000000001\n"
    "  strowger trace --long | grep -i reject\n"
    "  strowger trace --pcap attach.pcapng && wireshark -o nas-eps.null_decipher:FALSE "
    "attach.pcapng\n"
    "  strowger trace -f --pcap - | wireshark -k -i -\n";

struct event {
    uint64_t time_us;
    uint64_t hash;  /* of protocol and bytes */
    unsigned ring;  /* whose */
    unsigned other; /* ring at the other end + 1; 0: unknown */
    bool sent;
    bool paired; /* the received half, shown by the sent one */
    bool again;  /* the same request once more */
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
    struct peers peers;
    bool failed;
    bool json;
    bool whole;
    bool headed;
    struct table_style style;
    size_t widest;          /* name of an end, so far */
    char *wrong[WRONG_MAX]; /* malloc'ed lines about refusals */
    size_t wrong_count;     /* of all, also of those that are not kept */
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
    peers_learn_function(&trace.peers, trace.rings[ring].name, e->local);
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

    json_array_foreach(records, i, record) peers_learn_function(
        &trace.peers, trace.rings[ring].name, json_string_value(json_object_get(record, "local")));
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

/* Names of eNodeBs and phones. */
static void read_names(void)
{
    json_t *enbs = client_get(trace.directory, "mme", "/state?what=enbs", NULL);
    json_t *phones = client_get(trace.directory, "lab", "/state?what=phones&limit=2000", NULL);

    peers_learn_enbs(&trace.peers, enbs);
    peers_learn_phones(&trace.peers, phones);
    json_decref(enbs);
    json_decref(phones);
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

static bool is_imsi(const char *subject)
{
    return subject[0] && strspn(subject, "0123456789") == strlen(subject);
}

/* A subject that is not known yet may be anybody's. */
static bool subjects_fit(const struct event *a, const struct event *b)
{
    return !is_imsi(a->subject) || !is_imsi(b->subject) || strcmp(a->subject, b->subject) == 0;
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
    if (!is_imsi(sent->subject) && received->subject[0])
        memcpy(sent->subject, received->subject, sizeof(sent->subject));
    if (!sent->text[0]) {
        char *text = sent->text;
        sent->text = received->text;
        received->text = text;
    }
}

/* UDP requests are sent again, byte for byte, when no answer comes (TS 29.274 clause 7.6, TS 29.244
 * clause 6.4). Neighbours of the same bytes are in the order of time. */
static void mark_repeated(struct event *first, struct event *end)
{
    bool udp = strcmp(first->protocol, "GTPv2") == 0 || strcmp(first->protocol, "PFCP") == 0;

    for (struct event *e = first + 1; udp && e < end && e->hash == first->hash; e++) {
        if (e->sent && e->ring == first->ring && strcmp(e->peer, first->peer) == 0)
            e->again = true;
    }
}

static void pair(void)
{
    qsort(trace.events, trace.count, sizeof(*trace.events), by_bytes);
    for (size_t i = 0; i < trace.count; i++) {
        struct event *sent = &trace.events[i];
        if (sent->sent && !sent->again)
            mark_repeated(sent, trace.events + trace.count);
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
                !addresses_fit(sent, received) || !subjects_fit(sent, received))
                continue;
            join(sent, received);
            break;
        }
    }
    qsort(trace.events, trace.count, sizeof(*trace.events), by_time);
}

/* ---- printing ---- */

static const char *near_end(const struct event *e)
{
    const char *other = e->other ? trace.rings[e->other - 1].name : "";

    return peers_name(&trace.peers, e->protocol, trace.rings[e->ring].name, e->local, e->subject,
                      other);
}

static const char *far_end(const struct event *e)
{
    const char *other = e->other ? trace.rings[e->other - 1].name : NULL;

    return peers_name(&trace.peers, e->protocol, other, e->peer, e->subject,
                      trace.rings[e->ring].name);
}

static const char *from_of(const struct event *e)
{
    return e->sent ? near_end(e) : far_end(e);
}

static const char *to_of(const struct event *e)
{
    return e->sent ? far_end(e) : near_end(e);
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

/* One line, in parts: a part is printed as far as there is room for it. */
struct line {
    size_t used, room; /* columns; room 0: endless */
};

static void put(struct line *line, const char *style, const char *part)
{
    size_t len = strlen(part);

    if (line->room > 0 && line->used + len > line->room)
        len = line->room - line->used;
    if (len == 0)
        return;
    bool styled = trace.style.colour && style[0];
    printf("%s%.*s%s", styled ? style : "", (int)len, part, styled ? "\033[0m" : "");
    line->used += len;
}

/* Name and cause of a message stand out. */
static const struct {
    const char *name, *cause;
} styles[] = {
    [LADDER_NEUTRAL] = {"\033[1m", ""},
    [LADDER_CAUSE] = {"\033[1m", "\033[33m"},
    [LADDER_ACCEPTED] = {"\033[1m", "\033[32m"},
    [LADDER_REJECTED] = {"\033[1;31m", "\033[31m"},
};

static void time_text(struct text *t, uint64_t time_us)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm at;

    localtime_r(&seconds, &at);
    text_add(t, "%02d:%02d:%02d.%06u", at.tm_hour, at.tm_min, at.tm_sec,
             (unsigned)(time_us % 1000000));
}

/* Time, both ends, interface, and the subscriber unless all is about one. */
static void print_columns(struct line *line, const char *style, const char *at, const char *from,
                          const char *to, const char *interface, const char *subscriber)
{
    char columns[400];
    struct text t = text_in(columns, sizeof(columns));
    int width = (int)trace.widest;

    text_add(&t, "%-15s  %-*s  %-*s  %-8s  ", at, width, from, width, to, interface);
    if (!trace.imsi)
        text_add(&t, "%-15s  ", subscriber);
    put(line, style, columns);
}

static void print_head(void)
{
    struct line line = {0, trace.style.width};

    if (!trace.headed) {
        print_columns(&line, "\033[1m", "TIME", "FROM", "TO", "ON", "SUBSCRIBER");
        put(&line, "\033[1m", "MESSAGE");
        printf("\n");
    }
    trace.headed = true;
}

/* Kept for the end, whole. */
static void note_refusal(const struct event *e, const char *at)
{
    char line[TEXT_SIZE + 400];

    if (trace.wrong_count++ >= WRONG_MAX || trace.follow)
        return;
    snprintf(line, sizeof(line), "%s  %s to %s%s%s  %s", at, from_of(e), to_of(e),
             !trace.imsi && e->subject[0] ? ", " : "", trace.imsi ? "" : e->subject, e->text);
    trace.wrong[trace.wrong_count - 1] = strdup(line);
}

static void print_event(const struct event *e, const struct ladder_message *m)
{
    char at[32];
    struct text time = text_in(at, sizeof(at));
    struct line line = {0, trace.whole ? 0 : trace.style.width};

    time_text(&time, e->time_us);
    print_head();
    print_columns(&line, "", at, from_of(e), to_of(e),
                  interface_of(e->protocol, trace.rings[e->ring].name,
                               e->other ? trace.rings[e->other - 1].name : far_end(e)),
                  e->subject[0] ? e->subject : "-");
    put(&line, styles[m->outcome].name, m->name.at);
    if (e->again)
        put(&line, "\033[33m", " (again)");
    put(&line, "", " ");
    put(&line, styles[m->outcome].cause, m->cause.at);
    put(&line, "", m->cause.len > 0 ? " " : "");
    put(&line, "", m->rest.at);
    printf("\n");
    if (m->outcome == LADDER_REJECTED)
        note_refusal(e, at);
}

static void print_json(const struct event *e, const struct ladder_message *m)
{
    char at[40];
    time_t seconds = (time_t)(e->time_us / 1000000);
    struct tm utc;
    size_t len = strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));

    snprintf(at + len, sizeof(at) - len, ".%06uZ", (unsigned)(e->time_us % 1000000));
    json_t *json = json_pack(
        "{s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:s}", "time", at, "time_us",
        (json_int_t)e->time_us, "from", from_of(e), "to", to_of(e), "interface",
        interface_of(e->protocol, trace.rings[e->ring].name,
                     e->other ? trace.rings[e->other - 1].name : far_end(e)),
        "protocol", e->protocol, "imsi", e->subject, "message", m->name.at, "cause", m->cause.at,
        "outcome", ladder_outcome_name(m->outcome), "again", e->again, "text", e->text);
    json_dumpf(json, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    printf("\n");
    json_decref(json);
}

static void tell_event(const struct event *e)
{
    char name[TEXT_SIZE], cause[TEXT_SIZE], rest[TEXT_SIZE];
    struct ladder_message m = {
        .name = text_in(name, sizeof(name)),
        .cause = text_in(cause, sizeof(cause)),
        .rest = text_in(rest, sizeof(rest)),
    };

    ladder_read(&m, e->protocol, e->text[0] ? e->text : e->protocol, trace.whole);
    if (trace.json)
        print_json(e, &m);
    else
        print_event(e, &m);
}

/* Why did it fail? */
static void print_refusals(void)
{
    if (trace.wrong_count > 0 && !trace.json && !trace.follow)
        printf("\n%s%zu of these messages refuse%s something:%s\n",
               trace.style.colour ? "\033[1;31m" : "", trace.wrong_count,
               trace.wrong_count == 1 ? "s" : "", trace.style.colour ? "\033[0m" : "");
    for (size_t i = 0; i < trace.wrong_count && i < WRONG_MAX; i++) {
        if (trace.wrong[i])
            printf("%s\n", trace.wrong[i]);
        free(trace.wrong[i]);
    }
    if (trace.wrong_count > WRONG_MAX)
        printf("... and %zu more\n", trace.wrong_count - WRONG_MAX);
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
    const char *colon = strrchr(text, ':');

    snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - text) : 0, text);
    if (!host[0])
        return address;
    uint16_t port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
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
    char comment[200];

    for (size_t i = 0; i < sizeof(dissectors) / sizeof(dissectors[0]); i++) {
        if (strcmp(dissectors[i].protocol, e->protocol) != 0)
            continue;
        snprintf(comment, sizeof(comment), "%s to %s%s%s", from_of(e), to_of(e),
                 e->subject[0] ? ", subscriber " : "", e->subject);
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

/* The columns of the ends are as wide as what comes in them. */
static void measure(void)
{
    for (size_t i = 0; i < trace.count; i++) {
        const struct event *e = &trace.events[i];
        size_t from = strlen(from_of(e)), to = strlen(to_of(e));
        if (!e->paired && from > trace.widest)
            trace.widest = from;
        if (!e->paired && to > trace.widest)
            trace.widest = to;
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
            tell_event(e);
        event_free(e);
    }
    trace.count = kept;
    fflush(trace.pcap ? trace.pcap : stdout);
}

/* ---- the verb ---- */

static int run(void)
{
    if (peers_init(&trace.peers) < 0)
        return 1;
    trace.style = table_style_of(stdout);
    trace.whole = trace.whole || trace.style.width == 0;
    trace.widest = sizeof("controller") - 1;
    do {
        read_all();
        read_names();
        pair();
        measure();
        show_until(trace.follow ? clock_wall_us() - SETTLE_US : UINT64_MAX);
        if (trace.follow)
            usleep(POLL_US);
    } while (trace.follow && !trace.failed);
    print_refusals();
    peers_free(&trace.peers);
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
        {"long", no_argument, NULL, 'l'},       {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    static char directory[RUN_PATH_SIZE];
    const char *network = NULL, *pcap = NULL;
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "i:p:fljn:h", longs, NULL)) != -1) {
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
        case 'l':
            trace.whole = true;
            break;
        case 'j':
            trace.json = true;
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
