/*
 * fake_switch.c -- see fake_switch.h.
 */
#include "unit.h"

#include <stdio.h>

#include "base/arena.h"
#include "fake_switch.h"

struct fake_switch fake;

static struct arena arena, packet_arena;

static void send_message(const struct of_message *m)
{
    struct writer w = openflow_reserve(fake.channel, OFP_MAX_MESSAGE);

    of_encode(&w, m);
    assert_false(w.bad);
    assert_int_equal(openflow_commit(fake.channel, &w), 0);
}

static void note(const char *what)
{
    if (strlen(fake.log) + strlen(what) + 2 < sizeof(fake.log)) {
        strcat(fake.log, what);
        strcat(fake.log, " ");
    }
}

/* ---- tables ---- */

static void add_flow(const struct of_flow_mod *mod)
{
    struct fake_flow *flow = NULL;
    struct writer w;

    for (unsigned i = 0; i < fake.flow_count && !flow; i++)
        if (fake.flows[i].table == mod->table_id && fake.flows[i].priority == mod->priority &&
            of_match_equal(&fake.flows[i].match, &mod->match))
            flow = &fake.flows[i]; /* replaced, counters stay */
    if (!flow) {
        assert_true(fake.flow_count < FAKE_MAX_FLOWS);
        flow = &fake.flows[fake.flow_count++];
        *flow = (struct fake_flow){
            .table = mod->table_id, .priority = mod->priority, .match = mod->match};
    }
    flow->cookie = mod->cookie;
    flow->hard_timeout = mod->hard_timeout;
    w = writer_of(flow->instructions, sizeof(flow->instructions));
    of_encode_instructions(&w, &mod->instructions);
    assert_false(w.bad);
    flow->instructions_len = wr_len(&w);
}

static bool is_deleted(const struct fake_flow *flow, const struct of_flow_mod *mod)
{
    if (mod->table_id != OFPTT_ALL && mod->table_id != flow->table)
        return false;
    if ((flow->cookie & mod->cookie_mask) != (mod->cookie & mod->cookie_mask))
        return false;
    if (mod->command == OFPFC_DELETE_STRICT)
        return flow->priority == mod->priority && of_match_equal(&flow->match, &mod->match);
    assert_int_equal(mod->match.fields, 0); /* the controller deletes by cookie only */
    return true;
}

static void flow_mod(const struct of_message *m, struct bytes wire)
{
    fake.flow_mods++;
    note(m->flow_mod.command == OFPFC_ADD ? "flow" : "delete");
    if (fake.refuses && fake.refuse_after == 0) {
        struct writer w = openflow_reserve(fake.channel, 256);
        of_encode_error(&w, m->xid, fake.refuses, wire);
        openflow_commit(fake.channel, &w);
        return;
    }
    fake.refuse_after -= fake.refuse_after > 0;
    if (m->flow_mod.command == OFPFC_ADD) {
        add_flow(&m->flow_mod);
        return;
    }
    for (unsigned i = 0; i < fake.flow_count;)
        if (is_deleted(&fake.flows[i], &m->flow_mod))
            fake.flows[i] = fake.flows[--fake.flow_count];
        else
            i++;
}

static void meter_mod(const struct of_meter_mod *mod)
{
    unsigned i = 0;

    fake.meter_mods++;
    note("meter");
    while (i < fake.meter_count && fake.meters[i].id != mod->meter_id)
        i++;
    if (mod->command == OFPMC_ADD)
        assert_int_equal(i, fake.meter_count); /* else METER_EXISTS */
    else
        assert_int_not_equal(i, fake.meter_count); /* else UNKNOWN_METER */
    if (mod->command == OFPMC_DELETE) {
        fake.meters[i] = fake.meters[--fake.meter_count];
        return;
    }
    fake.meters[i] = (struct fake_meter){mod->meter_id, mod->bands.at[0].rate, mod->flags};
    fake.meter_count += mod->command == OFPMC_ADD;
}

/* ---- packets ---- */

static void apply(const struct of_actions *actions, struct of_key *key, struct bytes frame,
                  uint8_t table, uint64_t cookie, uint32_t *out);

static void packet_in(const struct of_key *key, uint8_t table, uint64_t cookie, struct bytes frame)
{
    struct of_message m = {.type = OFPT_PACKET_IN,
                           .packet_in = {.buffer_id = OFP_NO_BUFFER,
                                         .total_len = (uint16_t)frame.len,
                                         .reason = OFPR_ACTION,
                                         .table_id = table,
                                         .cookie = cookie,
                                         .data = frame}};

    of_match_set(&m.packet_in.match, OF_IN_PORT, of_key_get(key, OF_IN_PORT));
    if (key->tunnel_id)
        of_match_set(&m.packet_in.match, OF_TUNNEL_ID, of_key_get(key, OF_TUNNEL_ID));
    if (key->tun_src)
        of_match_set(&m.packet_in.match, OF_TUN_SRC, of_key_get(key, OF_TUN_SRC));
    send_message(&m);
}

static void leave(uint32_t port, const struct of_key *key, struct bytes frame)
{
    fake.outs++;
    fake.out.port = port;
    fake.out.tun_id = (uint32_t)of_key_get(key, OF_TUNNEL_ID);
    fake.out.tun_dst.s_addr = key->tun_dst;
    memcpy(fake.out.eth_dst, key->eth_dst, 6);
    fake.out.len = frame.len < sizeof(fake.out.frame) ? frame.len : sizeof(fake.out.frame);
    memcpy(fake.out.frame, frame.at, fake.out.len);
}

static void apply(const struct of_actions *actions, struct of_key *key, struct bytes frame,
                  uint8_t table, uint64_t cookie, uint32_t *out)
{
    for (size_t i = 0; i < actions->count; i++) {
        const struct of_action *a = &actions->at[i];
        if (a->type == OFPAT_SET_FIELD) {
            const struct of_field *f = &of_fields[a->set_field.field];
            memcpy(of_key_at(key, f), a->set_field.value, f->bytes);
        } else if (a->type == OFPAT_OUTPUT) {
            *out = a->output.port;
            if (*out == OFPP_CONTROLLER)
                packet_in(key, table, cookie, frame);
            else
                leave(*out == OFPP_IN_PORT ? (uint32_t)of_key_get(key, OF_IN_PORT) : *out, key,
                      frame);
        }
    }
}

static void fill_key(struct of_key *key, struct bytes frame)
{
    struct net_packet p;

    assert_int_equal(net_read_frame(frame, &p), 0);
    memcpy(key->eth_dst, p.eth_dst, 6);
    memcpy(key->eth_src, p.eth_src, 6);
    of_key_set(key, OF_ETH_TYPE, p.eth_type);
    if (p.version == 0)
        return;
    of_key_set(key, OF_IP_PROTO, p.protocol);
    of_key_set(key, OF_IP_DSCP, p.tos >> 2);
    if (p.version == 4) {
        key->ipv4_src = p.src.v4.s_addr;
        key->ipv4_dst = p.dst.v4.s_addr;
    } else {
        memcpy(key->ipv6_src, p.src.bytes, 16);
        memcpy(key->ipv6_dst, p.dst.bytes, 16);
    }
    if (p.protocol == IP_ICMPV6)
        of_key_set(key, OF_ICMPV6_TYPE, p.icmp_type);
    else {
        key->l4_src = htons(p.src_port);
        key->l4_dst = htons(p.dst_port);
    }
}

static struct fake_flow *look_up(uint8_t table, const struct of_key *key)
{
    struct fake_flow *best = NULL;

    for (unsigned i = 0; i < fake.flow_count; i++) {
        struct fake_flow *flow = &fake.flows[i];
        if (flow->table == table && (!best || flow->priority > best->priority) &&
            of_match_covers(&flow->match, key))
            best = flow;
    }
    return best;
}

uint32_t fake_receive(uint32_t in_port, uint32_t tun_id, const char *tun_src, struct bytes frame)
{
    struct of_key key = {.in_port = 0};
    uint32_t out = 0;
    int table = 0;

    of_key_set(&key, OF_IN_PORT, in_port);
    of_key_set(&key, OF_TUNNEL_ID, tun_id);
    if (tun_src)
        inet_pton(AF_INET, tun_src, &key.tun_src);
    fill_key(&key, frame);
    while (table >= 0) {
        struct fake_flow *flow = look_up((uint8_t)table, &key);
        struct of_instructions instructions;
        if (!flow)
            return 0;
        flow->packets++;
        flow->bytes += frame.len;
        struct reader r = reader_of(flow->instructions, flow->instructions_len);
        arena_reset(&packet_arena);
        assert_int_equal(of_decode_instructions(&r, &instructions, &packet_arena), 0);
        int next = -1;
        for (size_t i = 0; i < instructions.count; i++) {
            if (instructions.at[i].type == OFPIT_APPLY_ACTIONS)
                apply(&instructions.at[i].actions, &key, frame, (uint8_t)table, flow->cookie, &out);
            else if (instructions.at[i].type == OFPIT_GOTO_TABLE)
                next = instructions.at[i].table_id;
        }
        assert_true(next < 0 || next > table);
        table = next;
    }
    return out;
}

void fake_signal(const char *from, uint16_t port, struct bytes gtpu)
{
    static const uint8_t nobody[6];
    uint8_t frame[512];
    struct writer w = writer_of(frame, sizeof(frame));
    struct in_addr src, dst;

    inet_pton(AF_INET, from, &src);
    inet_pton(AF_INET, "10.0.0.1", &dst);
    struct net_ip ip = {
        .version = 4, .protocol = IP_UDP, .src = net_address_v4(src), .dst = net_address_v4(dst)};
    net_write_ethernet(&w, nobody, nobody, ETH_TYPE_IPV4);
    size_t begun = net_ip_begin(&w, &ip);
    net_write_udp(&w, port, 2152);
    wr_view_of(&w, gtpu);
    net_ip_end(&w, begun);
    assert_int_equal(fake_receive(FAKE_SIGNAL, 0, from, wr_view(&w)), OFPP_CONTROLLER);
}

struct bytes fake_udp4(const char *src, const char *dst, uint8_t mark, size_t len)
{
    static const uint8_t nobody[6];
    static uint8_t frame[2048];
    struct writer w = writer_of(frame, sizeof(frame));
    struct in_addr from, to;

    inet_pton(AF_INET, src, &from);
    inet_pton(AF_INET, dst, &to);
    struct net_ip ip = {
        .version = 4, .protocol = IP_UDP, .src = net_address_v4(from), .dst = net_address_v4(to)};
    net_write_ethernet(&w, nobody, nobody, ETH_TYPE_IPV4);
    size_t begun = net_ip_begin(&w, &ip);
    net_write_udp(&w, 1000, 2000);
    for (size_t i = 0; i < len; i++)
        wr_u8(&w, mark);
    net_ip_end(&w, begun);
    assert_false(w.bad);
    return wr_view(&w);
}

struct bytes fake_frame_to(const uint8_t *mac, struct bytes frame)
{
    memcpy((uint8_t *)(uintptr_t)frame.at, mac, 6);
    return frame;
}

/* ---- multipart ---- */

static void emit(void *context, struct bytes message)
{
    (void)context;
    assert_int_equal(openflow_send(fake.channel, message), 0);
}

static void add_port(struct of_multipart_writer *mw, uint32_t number, const char *name)
{
    struct of_port port = {.port_no = number};

    snprintf(port.name, sizeof(port.name), "%s", name);
    of_multipart_add(mw, &port);
}

static void add_flow_stats(struct of_multipart_writer *mw,
                           const struct of_flow_stats_request *request)
{
    for (unsigned i = 0; i < fake.flow_count; i++) {
        const struct fake_flow *flow = &fake.flows[i];
        struct reader r = reader_of(flow->instructions, flow->instructions_len);
        struct of_flow_stats stats = {.table_id = flow->table,
                                      .priority = flow->priority,
                                      .cookie = flow->cookie,
                                      .packet_count = flow->packets,
                                      .byte_count = flow->bytes,
                                      .match = flow->match};
        if ((flow->cookie & request->cookie_mask) != (request->cookie & request->cookie_mask))
            continue;
        assert_int_equal(of_decode_instructions(&r, &stats.instructions, &arena), 0);
        of_multipart_add(mw, &stats);
    }
}

static void multipart(const struct of_message *m)
{
    static uint8_t buffer[OFP_MAX_MESSAGE];
    struct of_multipart_writer mw;
    uint16_t type = m->multipart_request.type;

    if (type == OFPMP_DESC) {
        static struct of_desc desc = {.hw_desc = "a fake", .sw_desc = "1"};
        struct of_message reply = {.type = OFPT_MULTIPART_REPLY, .xid = m->xid};
        reply.multipart_reply.type = OFPMP_DESC;
        reply.multipart_reply.desc = &desc;
        send_message(&reply);
        return;
    }
    if (type == OFPMP_METER_FEATURES) {
        struct of_message reply = {.type = OFPT_MULTIPART_REPLY, .xid = m->xid};
        reply.multipart_reply.type = OFPMP_METER_FEATURES;
        reply.multipart_reply.meter_features.max_meter = fake.has_meters ? 200 : 0;
        send_message(&reply);
        return;
    }
    of_multipart_begin(&mw, buffer, m->xid, type, emit, NULL);
    if (type == OFPMP_PORT_DESC) {
        add_port(&mw, FAKE_SGI, "sgi");
        add_port(&mw, FAKE_GTPU, "gtpu");
        add_port(&mw, FAKE_SIGNAL, "gtpu-signal");
    } else if (type == OFPMP_METER_CONFIG) {
        for (unsigned i = 0; i < fake.meter_count; i++) {
            struct of_meter_band band = {.type = OFPMBT_DROP, .rate = fake.meters[i].rate};
            struct of_meter_config meter = {
                .flags = fake.meters[i].flags, .meter_id = fake.meters[i].id, .bands = {&band, 1}};
            of_multipart_add(&mw, &meter);
        }
    } else if (type == OFPMP_FLOW) {
        fake.flow_dumps++;
        note("stats");
        add_flow_stats(&mw, &m->multipart_request.flow_request);
    }
    of_multipart_end(&mw);
}

/* ---- the channel ---- */

static void barrier_reply(uint32_t xid)
{
    send_message(&(struct of_message){.type = OFPT_BARRIER_REPLY, .xid = xid});
}

void fake_release_barriers(void)
{
    fake.holds_barriers = false;
    for (unsigned i = 0; i < fake.held_count; i++)
        barrier_reply(fake.held[i]);
    fake.held_count = 0;
}

static void barrier(uint32_t xid)
{
    fake.barriers++;
    note("barrier");
    if (!fake.holds_barriers)
        barrier_reply(xid);
    else if (fake.held_count < 64)
        fake.held[fake.held_count++] = xid;
}

static void packet_out(const struct of_packet_out *m)
{
    struct of_key key = {.in_port = 0};
    uint32_t out = 0;

    fake.packet_outs++;
    note("packet-out");
    fill_key(&key, m->data);
    apply(&m->actions, &key, m->data, 0, 0, &out);
}

static void received(struct openflow_channel *channel, const struct openflow_header *header,
                     struct bytes message)
{
    struct of_message m;
    of_error why = 0;

    (void)channel;
    (void)header;
    arena_reset(&arena);
    assert_int_equal(of_decode(&m, message, &arena, &why), 0);
    if (m.type == OFPT_FEATURES_REQUEST)
        send_message(
            &(struct of_message){.type = OFPT_FEATURES_REPLY,
                                 .xid = m.xid,
                                 .features = {.datapath_id = fake.datapath_id, .n_tables = 255}});
    else if (m.type == OFPT_MULTIPART_REQUEST)
        multipart(&m);
    else if (m.type == OFPT_FLOW_MOD)
        flow_mod(&m, message);
    else if (m.type == OFPT_METER_MOD)
        meter_mod(&m.meter_mod);
    else if (m.type == OFPT_BARRIER_REQUEST)
        barrier(m.xid);
    else if (m.type == OFPT_PACKET_OUT)
        packet_out(&m.packet_out);
    else
        assert_int_equal(m.type, OFPT_SET_CONFIG);
}

static void went_down(struct openflow_channel *channel, int reason)
{
    (void)channel;
    (void)reason;
}

static const struct openflow_user user = {NULL, received, went_down};

void fake_connect(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct openflow_options options = {.user = &user, .reconnect_max_ms = 100};

    if (fake.datapath_id == 0)
        fake.datapath_id = 0xabc;
    arena_init(&arena, 1 << 22);
    arena_init(&packet_arena, 1 << 20);
    assert_int_equal(openflow_connect(&fake.channel, (struct sockaddr *)&address, &options), 0);
}

void fake_disconnect(void)
{
    if (fake.channel)
        openflow_close(fake.channel);
    fake.channel = NULL;
    fake.held_count = 0;
    arena_free(&arena);
    arena_free(&packet_arena);
}

void fake_forget(void)
{
    fake.flow_count = 0;
    fake.meter_count = 0;
}

unsigned fake_flows_with_cookie(uint64_t cookie)
{
    unsigned n = 0;

    for (unsigned i = 0; i < fake.flow_count; i++)
        n += fake.flows[i].cookie == cookie;
    return n;
}

const struct fake_flow *fake_find(uint8_t table, const char *match)
{
    struct of_match wanted = {.fields = 0};

    assert_int_equal(of_parse_match(&wanted, match, strlen(match), NULL), 0);
    for (unsigned i = 0; i < fake.flow_count; i++)
        if (fake.flows[i].table == table && of_match_equal(&fake.flows[i].match, &wanted))
            return &fake.flows[i];
    return NULL;
}

void fake_print(void)
{
    for (unsigned i = 0; i < fake.flow_count; i++) {
        const struct fake_flow *flow = &fake.flows[i];
        struct of_instructions instructions;
        struct reader r = reader_of(flow->instructions, flow->instructions_len);
        char line[1024];
        struct text t = text_in(line, sizeof(line));
        arena_reset(&packet_arena);
        of_decode_instructions(&r, &instructions, &packet_arena);
        of_print_match(&t, &flow->match);
        text_add(&t, " -> ");
        of_print_instructions(&t, &instructions);
        printf("table %u priority %u cookie %llx: %s\n", flow->table, flow->priority,
               (unsigned long long)flow->cookie, line);
    }
}
