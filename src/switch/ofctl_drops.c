/*
 * ofctl_drops.c -- `strowger switch drops`: why packets are dropped, for some seconds, by port,
 * table, flow and reason. It is a mirror of dropped packets (ofctl_mirror.c), added up here: the
 * comment of each packet says why, its first bytes give an example.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "switch/ofctl.h"
#include "switch/ofctl_stream.h"
#include "switch/packet.h"

#define SECONDS   5
#define ROWS_MAX  1000
#define SNAPLEN   128
#define TEXT_SIZE 1100

struct row {
    char why[TEXT_SIZE]; /* the comment */
    char example[160];
    uint64_t packets;
};

struct tally {
    struct ofctl_stream stream;
    struct row *rows; /* ROWS_MAX */
    size_t count;
    uint64_t packets, beyond; /* in all; for which there was no row */
};

/* ---- examples ---- */

static void add_end(struct text *t, const struct of_key *k, const void *v4, const uint8_t *v6,
                    uint16_t port)
{
    char address[INET6_ADDRSTRLEN] = "?";
    bool is_v6 = k->eth_type == htons(0x86dd);

    inet_ntop(is_v6 ? AF_INET6 : AF_INET, is_v6 ? (const void *)v6 : v4, address, sizeof(address));
    text_add(t, port ? (is_v6 ? "[%s]" : "%s") : "%s", address);
    if (port)
        text_add(t, ":%u", ntohs(port));
}

static void add_ip(struct text *t, const struct of_key *k)
{
    static const struct {
        uint8_t protocol;
        const char *name;
    } names[] = {{IP_ICMP, "icmp"},
                 {IP_ICMPV6, "icmp6"},
                 {IP_TCP, "tcp"},
                 {IP_UDP, "udp"},
                 {IP_SCTP, "sctp"}};
    const char *name = NULL;
    bool ports = k->ip_proto == IP_TCP || k->ip_proto == IP_UDP || k->ip_proto == IP_SCTP;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].protocol == k->ip_proto)
            name = names[i].name;
    if (name)
        text_add(t, "%s ", name);
    else
        text_add(t, "ip protocol %u ", k->ip_proto);
    add_end(t, k, &k->ipv4_src, k->ipv6_src, ports ? k->l4_src : 0);
    text_add(t, " > ");
    add_end(t, k, &k->ipv4_dst, k->ipv6_dst, ports ? k->l4_dst : 0);
}

static void add_macs(struct text *t, const struct of_key *k)
{
    const uint8_t *s = k->eth_src, *d = k->eth_dst;

    text_add(t, "%02x:%02x:%02x:%02x:%02x:%02x > %02x:%02x:%02x:%02x:%02x:%02x", s[0], s[1], s[2],
             s[3], s[4], s[5], d[0], d[1], d[2], d[3], d[4], d[5]);
}

/* The packet in a few words. What is not there of it counts as zeros, so that lengths are right. */
static void summarize(struct text *t, const struct pcapng_packet *captured)
{
    struct packet *p = packet_new_for(captured->len);
    const struct of_key *k;

    if (!p)
        return;
    p->len = captured->len;
    memset(p->data, 0, p->len);
    memcpy(p->data, captured->body.at, captured->body.len < p->len ? captured->body.len : p->len);
    packet_enter(p, 0);
    packet_parse(p);
    k = &p->key;
    if (k->eth_type == htons(0x0800) || k->eth_type == htons(0x86dd)) {
        add_ip(t, k);
    } else if (k->eth_type == htons(0x0806)) {
        text_add(t, "arp ");
        add_end(t, k, &k->arp_spa, NULL, 0);
        text_add(t, " > ");
        add_end(t, k, &k->arp_tpa, NULL, 0);
    } else {
        text_add(t, "0x%04x ", ntohs(k->eth_type));
        add_macs(t, k);
    }
    if (k->vlan_vid)
        text_add(t, " vlan %u", ntohs(k->vlan_vid) & 0xfff);
    text_add(t, ", %u bytes", captured->len);
    packet_free(p);
}

/* ---- adding up ---- */

static void count_packet(struct ofctl_stream *s, struct bytes block,
                         const struct pcapng_packet *packet, struct bytes comment)
{
    struct tally *tally = container_of(s, struct tally, stream);
    char why[TEXT_SIZE];
    struct row *row = tally->rows, *end = row + tally->count;

    (void)block;
    snprintf(why, sizeof(why), "%.*s", (int)comment.len, (const char *)comment.at);
    tally->packets++;
    while (row < end && strcmp(row->why, why) != 0)
        row++;
    if (row == end) {
        struct text t = text_in(row->example, sizeof(row->example));

        if (tally->count == ROWS_MAX) {
            tally->beyond++;
            return;
        }
        tally->count++;
        memcpy(row->why, why, sizeof(why));
        summarize(&t, packet);
    }
    row->packets++;
}

static void pass_over(struct ofctl_stream *s, struct bytes block)
{
    (void)s;
    (void)block;
}

/* ---- telling ---- */

/* The word behind NAME= of a comment; a flow goes to its end. "" when there is none. */
static const char *word_of(const char *why, const char *name, char *to, size_t size)
{
    char pattern[32];
    const char *at;

    snprintf(pattern, sizeof(pattern), " %s=", name);
    at = strstr(why, pattern);
    if (!at) {
        *to = '\0';
        return to;
    }
    at += strlen(pattern);
    snprintf(to, size, "%.*s", (int)(strcmp(name, "flow") == 0 ? strlen(at) : strcspn(at, " ")),
             at);
    return to;
}

static json_t *row_json(const struct row *row)
{
    char reason[64], port[64], table[16], cookie[32], flow[TEXT_SIZE];

    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "packets", (json_int_t)row->packets,
                     "reason", word_of(row->why, "reason", reason, sizeof(reason)), "port",
                     word_of(row->why, "port", port, sizeof(port)), "table",
                     word_of(row->why, "table", table, sizeof(table)), "cookie",
                     word_of(row->why, "cookie", cookie, sizeof(cookie)), "flow",
                     *word_of(row->why, "flow", flow, sizeof(flow)) ? flow : "no match", "example",
                     row->example);
}

static int most_first(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return x->packets < y->packets ? 1 : x->packets > y->packets ? -1 : 0;
}

static void print_tally(const struct tally *tally, const struct ofctl_options *options,
                        unsigned seconds)
{
    json_t *list = json_array();
    uint64_t lost = tally->stream.lost_in_ring + tally->stream.lost_by_reader + tally->beyond;

    qsort(tally->rows, tally->count, sizeof(*tally->rows), most_first);
    for (size_t i = 0; i < tally->count; i++)
        json_array_append_new(list, row_json(&tally->rows[i]));
    if (options->json) {
        json_dumpf(list, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        printf("\n");
    } else {
        if (tally->count)
            table_print(stdout, list, table_style_of(stdout));
        printf("%llu packets dropped in %u s", (unsigned long long)tally->packets, seconds);
        printf(lost ? "; %llu more are not in this list\n" : "\n", (unsigned long long)lost);
    }
    json_decref(list);
}

int ofctl_drops(const struct ofctl_options *options, const char *socket, int argc, char **argv)
{
    struct tally tally = {.stream = {.packet = count_packet, .other = pass_over}};
    unsigned long seconds = argc ? strtoul(argv[0], NULL, 10) : SECONDS;
    char target[64];
    int code;

    if (seconds == 0 || seconds > 86400)
        return ofctl_fail("drops: '%s' is no number of seconds up to 86400", argv[0]), 2;
    if (!(tally.rows = calloc(ROWS_MAX, sizeof(*tally.rows))))
        return ofctl_fail("no memory");
    snprintf(target, sizeof(target), "/mirror?drops=1&snaplen=%d", SNAPLEN);
    code = ofctl_stream_run(&tally.stream, socket, target, (unsigned)seconds);
    if (code == 0)
        print_tally(&tally, options, (unsigned)seconds);
    free(tally.rows);
    return code;
}
