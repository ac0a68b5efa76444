/*
 * signal.c -- GTP-U's own messages (TS 29.281 clauses 7.2 and 7.3), which are no user's packets.
 *
 * They come from the switch's signalling port as whole frames (switch.h says how), and go out the
 * same way, or from a UDP socket of ours where the switch cannot send them (stock Open vSwitch).
 * Handled here:
 *
 *   Echo Request        answered (our own switch does that by itself)
 *   Error Indication    the other end does not know a tunnel: the session that sends in it is
 *                       reported to its control plane
 *   End Marker          goes on in the tunnel that its packets go on in
 *   G-PDU of nobody's   gets an Error Indication; the flow that brings it here is behind a meter
 *
 * An Error Indication may be about packets that were sent before the session changed (a phone that
 * went idle and came back to the same tunnel), so it counts only when the session still sends there
 * and has not changed for a moment; a tunnel that is really dead says so again. One report a second
 * is enough for a session. And it is believed only when it comes from the address that the tunnel
 * leads to (and a packet for an unknown TEID only tells its sender), so a stranger can end nobody's
 * tunnel by guessing its TEID alone.
 */
#include <errno.h>
#include <unistd.h>

#include "controller/up.h"
#include "wire/gtp/gtpu.h"

#define MAX_ERRORS \
    200 /* Error Indications per second: the meter's limit, for switches without meters */
#define SETTLE_MS    1000 /* packets and their Error Indications are older than that no more */
#define MESSAGE_SIZE 64
#define FRAME_SIZE   256

static struct {
    int socket; /* -1: messages leave by the switch's port */
    uint64_t second;
    unsigned errors; /* Error Indications sent in this second */
} signalling = {.socket = -1};

int up_signal_open(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(GTPU_PORT), .sin_addr = up.config->gtpu.address};
    int one = 1;

    signalling.socket = -1;
    if (up.config->gtpu.signalling != CONTROLLER_SIGNALLING_SOCKET)
        return 0;
    signalling.socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (signalling.socket < 0)
        return -errno;
    setsockopt(signalling.socket, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    /* The address is an interface's of the switch, which may come later than we. */
    setsockopt(signalling.socket, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one));
    if (bind(signalling.socket, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int err = -errno;
        log_error("cannot send GTP-U messages from port %d of the tunnel address: %s", GTPU_PORT,
                  strerror(-err));
        up_signal_close();
        return err;
    }
    return 0;
}

void up_signal_close(void)
{
    if (signalling.socket >= 0)
        close(signalling.socket);
    signalling.socket = -1;
}

/* ---- sending ---- */

static void send_by_socket(struct in_addr to, uint16_t port, struct bytes message)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = to};

    /* One that is lost is lost, as on any link. */
    (void)!sendto(signalling.socket, message.at, message.len, 0, (struct sockaddr *)&address,
                  sizeof(address));
}

static void send_by_port(struct in_addr to, uint16_t port, struct bytes message)
{
    static const uint8_t nobody[6];
    uint8_t frame[FRAME_SIZE];
    struct writer w = writer_of(frame, sizeof(frame));
    struct net_ip ip = {.version = 4,
                        .protocol = IP_UDP,
                        .src = net_address_v4(up.config->gtpu.address),
                        .dst = net_address_v4(to)};
    struct of_action out = of_output(up.signal_port);

    net_write_ethernet(&w, nobody, nobody, ETH_TYPE_IPV4);
    size_t begun = net_ip_begin(&w, &ip);
    net_write_udp(&w, GTPU_PORT, port);
    wr_view_of(&w, message);
    net_ip_end(&w, begun);
    if (!w.bad)
        up_packet_out(&out, 1, wr_view(&w));
}

static void send_signal(struct in_addr to, uint16_t port, const struct writer *message)
{
    if (message->bad)
        return;
    if (signalling.socket >= 0)
        send_by_socket(to, port, wr_view(message));
    else if (up.has_signal_port)
        send_by_port(to, port, wr_view(message));
}

void up_send_end_marker(uint32_t teid, struct in_addr address)
{
    uint8_t message[MESSAGE_SIZE];
    struct writer w = writer_of(message, sizeof(message));

    gtpu_write_end_marker(&w, teid);
    send_signal(address, GTPU_PORT, &w);
    up_count(UP_END_MARKERS);
}

static void send_error_indication(uint32_t teid, struct in_addr to)
{
    uint8_t message[MESSAGE_SIZE];
    struct writer w = writer_of(message, sizeof(message));
    struct gtpu_error_indication error = {.teid = teid, .ipv4 = up.config->gtpu.address};
    uint64_t second = loop_now_ms() / 1000;

    if (second != signalling.second)
        signalling.errors = 0;
    signalling.second = second;
    if (++signalling.errors > MAX_ERRORS)
        return;
    gtpu_write_error_indication(&w, &error);
    send_signal(to, GTPU_PORT, &w);
    up_count(UP_ERROR_INDICATIONS_SENT);
}

/* ---- unknown tunnels ---- */

static bool sends_into(const struct up_rules *rules, uint32_t teid, struct in_addr address)
{
    for (unsigned i = 0; i < rules->far_count; i++) {
        const struct up_far *far = &rules->fars[i];
        if (far->action & PFCP_APPLY_FORW && far->has_outer && far->teid == teid &&
            far->address.s_addr == address.s_addr)
            return true;
    }
    return false;
}

/* Somebody says that this tunnel does not exist. */
static void tunnel_is_dead(uint32_t teid, struct in_addr address)
{
    uint32_t id = (uint32_t)map_get(&up.by_remote, up_remote_key(teid, address));
    struct up_session *session = id ? up_session_get(id) : NULL;
    uint64_t now_ms = loop_now_ms();

    if (!session || !sends_into(session->rules, teid, address) ||
        now_ms - session->changed_ms < SETTLE_MS)
        return;
    if (session->error_ms && now_ms - session->error_ms < SETTLE_MS)
        return;
    session->error_ms = now_ms;
    up_report_error_indication(id, teid, address);
}

static uint32_t tunnel_of(const struct of_packet_in *packet_in)
{
    return (uint32_t)of_match_get(&packet_in->match, OF_TUNNEL_ID);
}

void up_unknown_tunnel(const struct of_packet_in *packet_in)
{
    uint32_t teid = tunnel_of(packet_in);
    struct in_addr from = {htonl((uint32_t)of_match_get(&packet_in->match, OF_TUN_SRC))};

    up_count(UP_STRAY_PACKETS);
    /* A tunnel that exists, but whose PDRs do not take this packet: it is dropped and that is all.
     */
    if (from.s_addr == 0 || up_teid_owner(&up.teids, teid) != 0)
        return;
    send_error_indication(teid, from);
}

/* The other gateway inside this switch does not know the tunnel: what an Error Indication would
 * have told. */
void up_local_miss(const struct of_packet_in *packet_in)
{
    uint32_t teid = tunnel_of(packet_in);

    up_count(UP_STRAY_PACKETS);
    if (up_teid_owner(&up.teids, teid) == 0)
        tunnel_is_dead(teid, up.env.address);
}

/* ---- receiving ---- */

static void error_indication_received(const struct gtpu_header *header, struct in_addr from)
{
    struct gtpu_error_indication error;

    up_count(UP_ERROR_INDICATIONS_RECEIVED);
    if (gtpu_read_error_indication(header, &error) == 0 && !error.is_ipv6 &&
        error.ipv4.s_addr == from.s_addr)
        tunnel_is_dead(error.teid, error.ipv4);
}

/* The FAR that packets of this tunnel follow, through the other gateway if it leads there. */
static const struct up_far *way_of_tunnel(uint32_t teid)
{
    for (unsigned hops = 0; hops < 3; hops++) {
        uint32_t id = up_teid_owner(&up.teids, teid);
        struct up_session *session = id ? up_session_get(id) : NULL;
        const struct up_far *far = NULL;
        for (unsigned i = 0; session && i < session->rules->pdr_count && !far; i++)
            if (session->rules->pdrs[i].has_teid && session->rules->pdrs[i].teid == teid)
                far = up_pdr_far(session->rules, &session->rules->pdrs[i]);
        if (!far || !far->has_outer || far->address.s_addr != up.env.address.s_addr)
            return far;
        teid = far->teid;
    }
    return NULL;
}

static void end_marker_received(uint32_t teid)
{
    const struct up_far *far = way_of_tunnel(teid);

    if (far && far->has_outer && far->action & PFCP_APPLY_FORW)
        up_send_end_marker(far->teid, far->address);
}

static void echo_received(const struct gtpu_header *header, struct in_addr from, uint16_t from_port)
{
    uint8_t message[MESSAGE_SIZE];
    struct writer w = writer_of(message, sizeof(message));

    gtpu_write_echo_response(&w, header->sequence);
    send_signal(from, from_port, &w);
    up_count(UP_ECHOES);
}

void up_signal_packet_in(const struct of_packet_in *packet_in)
{
    struct net_packet packet;
    struct gtpu_header header;

    if (net_read_frame(packet_in->data, &packet) < 0 || packet.version != 4 ||
        packet.protocol != IP_UDP || packet.later_fragment ||
        gtpu_read(packet.payload, &header) < 0)
        return;
    if (header.type == GTPU_ECHO_REQUEST)
        echo_received(&header, packet.src.v4, packet.src_port);
    else if (header.type == GTPU_ERROR_INDICATION)
        error_indication_received(&header, packet.src.v4);
    else if (header.type == GTPU_END_MARKER)
        end_marker_received(header.teid);
}
