/*
 * openflow_pump.c -- an OpenFlow 1.3 controller that does nothing but keep a switch busy.
 *
 *   openflow_pump ADDRESS:PORT add SHAPE FROM TO BUNDLE TUN_DST   rules of rules.h
 *   openflow_pump ADDRESS:PORT delete                             all flows
 *   openflow_pump ADDRESS:PORT packet-ins MS                      counts them
 *
 * All messages are encoded before the clock starts, and written as fast as the switch takes them;
 * the clock stops at the reply to a barrier behind the last. BUNDLE is how many flow mods go into
 * a bundle (extension 230, atomic and ordered), 0 for none. Prints messages and seconds. An error
 * from the switch ends it with that error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rules.h"
#include "wire/openflow/openflow.h"

#define MESSAGE_ROOM \
    512 /* one flow mod in its bundle's envelope, and what opens and ends a bundle */
#define XID_BARRIER 0xfffffff0u
#define SILENCE_MS  120000 /* of a switch, after which it is given up */

static struct pump {
    int fd;
    struct writer out; /* everything that is to be sent */
    uint8_t in[1 << 20];
    size_t have;
    uint64_t packet_ins;
    bool barrier;
} pump;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "openflow_pump: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    exit(1);
}

/* ---- the messages ---- */

static void put(const struct of_message *m)
{
    of_encode(&pump.out, m);
    if (pump.out.bad)
        fail("no room for a message");
}

static void make_room(size_t messages)
{
    size_t size = (messages + 16) * MESSAGE_ROOM;
    uint8_t *at = malloc(size);

    if (!at)
        fail("no memory for %zu messages", messages);
    pump.out = writer_of(at, size);
}

static void put_barrier(void)
{
    put(&(struct of_message){.type = OFPT_BARRIER_REQUEST, .xid = XID_BARRIER});
}

static struct of_match match_of(enum shape shape, const struct rule *r)
{
    struct of_match m = {0};

    of_match_set(&m, OF_IN_PORT, shape == SHAPE_DECAP ? 3 : 1);
    if (shape == SHAPE_DECAP)
        of_match_set(&m, OF_TUNNEL_ID, r->teid);
    if (shape == SHAPE_FIVE || shape == SHAPE_PREFIX || shape == SHAPE_ENCAP)
        of_match_set(&m, OF_ETH_TYPE, 0x0800);
    if (shape == SHAPE_FIVE) {
        of_match_set(&m, OF_IP_PROTO, IPPROTO_UDP);
        of_match_set(&m, OF_IPV4_SRC, r->src);
        of_match_set(&m, OF_IPV4_DST, r->dst);
        of_match_set(&m, OF_UDP_SRC, r->src_port);
        of_match_set(&m, OF_UDP_DST, r->dst_port);
    }
    if (shape == SHAPE_ENCAP)
        of_match_set(&m, OF_IPV4_DST, r->dst);
    if (shape == SHAPE_PREFIX)
        of_match_ipv4(&m, OF_IPV4_DST, (struct in_addr){htonl(r->dst)}, r->length);
    return m;
}

static void put_flow(enum shape shape, uint32_t i, uint32_t tun_dst, uint32_t bundle)
{
    static const uint32_t outputs[SHAPES] = {2, 2, 2, 1, 3, OFPP_CONTROLLER};
    struct rule r = rule_make(shape, i);
    struct of_action actions[3];
    size_t count = 0;
    struct of_instruction apply = {.type = OFPIT_APPLY_ACTIONS};
    struct of_message m = {.type = OFPT_FLOW_MOD, .xid = i + 1};
    uint8_t room[MESSAGE_ROOM];
    struct writer w = writer_of(room, sizeof(room));

    if (shape == SHAPE_ENCAP) {
        actions[count++] = of_set_field(OF_TUNNEL_ID, r.teid);
        actions[count++] = of_set_field(OF_TUN_DST, tun_dst);
    }
    actions[count++] = of_output(outputs[shape]);
    apply.actions = (struct of_actions){actions, count};
    m.flow_mod = (struct of_flow_mod){.priority = shape == SHAPE_PREFIX ? r.length : 100,
                                      .buffer_id = OFP_NO_BUFFER,
                                      .out_port = OFPP_ANY,
                                      .out_group = OFPG_ANY,
                                      .match = match_of(shape, &r),
                                      .instructions = {&apply, 1}};
    if (!bundle) {
        put(&m);
        return;
    }
    of_encode(&w, &m);
    put(&(struct of_message){.type = OFPT_ONF_BUNDLE_ADD,
                             .xid = m.xid,
                             .bundle_add = {bundle, OFPBF_ATOMIC | OFPBF_ORDERED, wr_view(&w)}});
}

static void put_bundle_control(uint32_t bundle, enum ofp_bundle_ctrl_type type)
{
    put(&(struct of_message){.type = OFPT_ONF_BUNDLE_CONTROL,
                             .xid = bundle,
                             .bundle_control = {bundle, type, OFPBF_ATOMIC | OFPBF_ORDERED}});
}

static void put_flows(enum shape shape, uint32_t from, uint32_t to, uint32_t per_bundle,
                      uint32_t tun_dst)
{
    uint32_t bundle = 0;

    make_room((size_t)(to - from) + (per_bundle ? (to - from) / per_bundle * 2 : 0));
    for (uint32_t i = from; i < to; i++) {
        if (per_bundle && (i - from) % per_bundle == 0)
            put_bundle_control(++bundle, OFPBCT_OPEN_REQUEST);
        put_flow(shape, i, tun_dst, bundle);
        if (per_bundle && ((i - from) % per_bundle == per_bundle - 1 || i == to - 1))
            put_bundle_control(bundle, OFPBCT_COMMIT_REQUEST);
    }
    put_barrier();
}

static void put_delete(void)
{
    make_room(1);
    put(&(struct of_message){.type = OFPT_FLOW_MOD,
                             .xid = 1,
                             .flow_mod = {.table_id = OFPTT_ALL,
                                          .command = OFPFC_DELETE,
                                          .buffer_id = OFP_NO_BUFFER,
                                          .out_port = OFPP_ANY,
                                          .out_group = OFPG_ANY}});
    put_barrier();
}

/* ---- the connection ---- */

static void send_now(const uint8_t *at, size_t len)
{
    while (len) {
        ssize_t n = send(pump.fd, at, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){pump.fd, POLLOUT, 0}, 1, SILENCE_MS);
            continue;
        }
        if (n <= 0)
            fail("the switch closed the connection");
        at += n;
        len -= (size_t)n;
    }
}

static void answer_echo(const uint8_t *message, size_t len)
{
    uint8_t reply[64];

    if (len > sizeof(reply))
        return;
    memcpy(reply, message, len);
    reply[1] = OFPT_ECHO_REPLY;
    send_now(reply, len);
}

static void handle(const uint8_t *message, size_t len)
{
    if (message[1] == OFPT_ERROR && len >= 12)
        fail("the switch answers error type %u code %u", message[8] << 8 | message[9],
             message[10] << 8 | message[11]);
    if (message[1] == OFPT_ECHO_REQUEST)
        answer_echo(message, len);
    if (message[1] == OFPT_BARRIER_REPLY)
        pump.barrier = true;
    if (message[1] == OFPT_PACKET_IN)
        pump.packet_ins++;
}

/* Reads what there is and handles whole messages. */
static void take(void)
{
    size_t used = 0, len;
    ssize_t n = recv(pump.fd, pump.in + pump.have, sizeof(pump.in) - pump.have, MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN))
        fail("the switch closed the connection");
    if (n > 0)
        pump.have += (size_t)n;
    while (pump.have - used >= OFP_HEADER_SIZE) {
        len = of_message_length(pump.in + used);
        if (len == 0)
            fail("the switch sent garbage");
        if (len > pump.have - used)
            break;
        handle(pump.in + used, len);
        used += len;
    }
    memmove(pump.in, pump.in + used, pump.have - used);
    pump.have -= used;
}

/* Writes everything and waits for the barrier's reply; returns the seconds that took. */
static double exchange(void)
{
    double start = now_s();
    size_t sent = 0, all = wr_len(&pump.out);

    while (!pump.barrier) {
        struct pollfd p = {pump.fd, (short)(POLLIN | (sent < all ? POLLOUT : 0)), 0};

        if (poll(&p, 1, SILENCE_MS) <= 0)
            fail("the switch is silent");
        if (p.revents & POLLOUT && sent < all) {
            ssize_t n = send(pump.fd, pump.out.start + sent, all - sent, MSG_NOSIGNAL);

            if (n > 0)
                sent += (size_t)n;
        }
        if (p.revents & (POLLIN | POLLHUP | POLLERR))
            take();
    }
    return now_s() - start;
}

static void count_packet_ins(int ms)
{
    double start, end;

    while (pump.packet_ins == 0) {
        if (poll(&(struct pollfd){pump.fd, POLLIN, 0}, 1, 5000) <= 0)
            fail("no packet-in comes");
        take();
    }
    pump.packet_ins = 0;
    start = now_s();
    end = start + ms / 1e3;
    while (now_s() < end) {
        poll(&(struct pollfd){pump.fd, POLLIN, 0}, 1, 10);
        take();
    }
    printf("%llu %.6f\n", (unsigned long long)pump.packet_ins, now_s() - start);
}

static void open_connection(char *where)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    char *colon = strchr(where, ':');
    int one = 1;

    if (!colon)
        fail("%s is not ADDRESS:PORT", where);
    *colon = 0;
    to.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, where, &to.sin_addr) != 1)
        fail("%s is not an address", where);
    pump.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(pump.fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        fail("%s does not answer: %s", where, strerror(errno));
    setsockopt(pump.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    fcntl(pump.fd, F_SETFL, O_NONBLOCK);
}

/* Packet-ins are wanted whole, also by a controller that came to the switch and not it to us. */
static void greet(void)
{
    make_room(4);
    put(&(struct of_message){.type = OFPT_HELLO, .hello = {1u << OFP_VERSION}});
    put(&(struct of_message){.type = OFPT_SET_CONFIG, .xid = 2, .config = {0, OFPCML_NO_BUFFER}});
    put_barrier();
    exchange();
    pump.barrier = false;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        fail("usage: openflow_pump ADDRESS:PORT add SHAPE FROM TO BUNDLE TUN_DST | delete | "
             "packet-ins MS");
    open_connection(argv[1]);
    greet();
    if (strcmp(argv[2], "add") == 0 && argc == 8) {
        uint32_t from = (uint32_t)atoi(argv[4]), to = (uint32_t)atoi(argv[5]);
        int shape = shape_named(argv[3]);

        if (shape < 0 || from > to)
            fail("no such rules");
        put_flows((enum shape)shape, from, to, (uint32_t)atoi(argv[6]), ntohl(inet_addr(argv[7])));
        printf("%u %.6f\n", to - from, exchange());
    } else if (strcmp(argv[2], "delete") == 0) {
        put_delete();
        printf("1 %.6f\n", exchange());
    } else if (strcmp(argv[2], "packet-ins") == 0 && argc == 4) {
        count_packet_ins(atoi(argv[3]));
    } else {
        fail("what is \"%s\"?", argv[2]);
    }
    return 0;
}
