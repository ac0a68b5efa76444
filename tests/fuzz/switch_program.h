/*
 * switch_program.h -- for switch_fuzz.c: bytes as a row of changes and questions that are nearly
 * always meaningful, and a naive model of the tables that every answer is compared with.
 *
 * An instruction is a byte and its arguments, a byte each. Flows have one of a few shapes with few
 * values, so that they meet, chain, make prefixes and fill the cache; groups, meters and bundles
 * come between. The model is a list of what the last commit left; at any time, also in the middle
 * of a bundle and after one was taken back, a reader of the published version must find what the
 * list says.
 */
#ifndef STROWGER_TESTS_SWITCH_PROGRAM_H
#define STROWGER_TESTS_SWITCH_PROGRAM_H

#include "switch/change.h"

#define PROGRAM_TABLES 2
#define MODEL_ROOM     512

struct model_flow {
    uint8_t table;
    uint16_t priority;
    struct of_match match;
};

struct program {
    struct datapath *dp;
    struct port *port;
    struct transaction t;
    bool is_open, has_failed;
    struct table_cache *cache;
    struct model_flow model[MODEL_ROOM];
    size_t count;
};

static inline int program_note(struct flow *flow, void *context)
{
    struct program *p = context;
    struct model_flow *m;

    if (p->count == MODEL_ROOM)
        abort(); /* max_flows does not hold */
    m = &p->model[p->count++];
    m->table = flow->table_id;
    m->priority = flow_priority(flow);
    flow_match(flow, &m->match);
    return 0;
}

/* What is there now is what readers must find from now on. */
static inline void program_learn(struct program *p)
{
    static const struct of_match everything;
    struct flow_filter filter = {
        .table_id = OFPTT_ALL, .match = &everything, .out_port = OFPP_ANY, .out_group = OFPG_ANY};

    p->count = 0;
    (void)tables_each(&p->dp->tables, &filter, program_note, p);
}

static inline void program_address(struct of_match *m, enum of_field_id id, uint8_t a, uint8_t b)
{
    uint8_t value[16] = {0x0a, (uint8_t)(a & 3), (uint8_t)(b & 7), (uint8_t)(a << 4 | b >> 4)};

    if (of_fields[id].bytes == 4)
        of_match_ipv4(m, id, (struct in_addr){htonl(0x0a000000u | (a & 3u) << 16 | (b & 7u) << 8)},
                      (a >> 2) % 33);
    else
        of_match_ipv6(m, id, (const void *)value, (a >> 1) % 129u);
}

/* A match of shape `shape` with values from a and b. */
static inline void program_match(struct of_match *m, uint8_t shape, uint8_t a, uint8_t b)
{
    memset(m, 0, sizeof(*m));
    if (shape & 0x80)
        of_match_set(m, OF_IN_PORT, 1 + (b >> 6));
    switch (shape & 7) {
    case 0:
        of_match_set(m, OF_TUNNEL_ID, a & 7);
        break;
    case 1:
    case 2:
        of_match_set(m, OF_ETH_TYPE, 0x0800);
        program_address(m, OF_IPV4_DST, a, b);
        break;
    case 3:
        of_match_set(m, OF_ETH_TYPE, 0x86dd);
        program_address(m, OF_IPV6_DST, a, b);
        break;
    case 4:
        of_match_set_masked(m, OF_METADATA, (a & 0xf) & (b & 0xf), b & 0xf);
        break;
    case 5:
        of_match_set(m, OF_ETH_TYPE, 0x0800);
        program_address(m, OF_IPV4_SRC, a, b);
        break;
    case 6:
        of_match_set(m, OF_ETH_TYPE, 0x0800);
        of_match_set(m, OF_IP_PROTO, 17);
        of_match_set(m, OF_UDP_DST, a & 7);
        break;
    default:
        break; /* all that come in by a port, or all */
    }
}

static inline void program_ask(struct program *p,
                               of_error (*ask)(struct program *, struct reader *), struct reader *r)
{
    of_error error;

    if (p->is_open) {
        if (!p->has_failed)
            p->has_failed = ask(p, r) != 0;
        return;
    }
    change_begin(&p->t, p->dp);
    error = ask(p, r);
    if (error) {
        change_rollback(&p->t);
    } else {
        change_commit(&p->t);
        program_learn(p);
    }
}

static inline of_error program_flow(struct program *p, struct reader *r)
{
    uint8_t kind = rd_u8(r), shape = rd_u8(r), a = rd_u8(r), b = rd_u8(r), what = rd_u8(r);
    struct of_flow_mod mod = {.command = kind % 5,
                              .table_id = kind / 5 % PROGRAM_TABLES,
                              .buffer_id = OFP_NO_BUFFER,
                              .out_port = OFPP_ANY,
                              .out_group = OFPG_ANY,
                              .cookie = b & 3};
    struct of_action actions[] = {of_output(2), of_output(3)};
    struct of_instruction in[3] = {{.type = OFPIT_APPLY_ACTIONS, .actions = {actions, 1}},
                                   {.type = OFPIT_GOTO_TABLE, .table_id = 1},
                                   {.type = OFPIT_METER, .meter_id = what & 3}};

    program_match(&mod.match, shape, a, b);
    /* Prefixes want priorities as their lengths; some have others. */
    mod.priority =
        what & 0x40 ? what & 7 : 10 + (shape & 7) * 40 + ((shape & 7) == 3 ? a >> 1 : a >> 2);
    mod.cookie_mask = what & 0x80 && mod.command != OFPFC_ADD ? UINT64_MAX : 0;
    mod.flags = what & 0x20 ? OFPFF_RESET_COUNTS : what & 0x10 ? OFPFF_CHECK_OVERLAP : 0;
    mod.idle_timeout = shape & 0x40;
    if (what & 8)
        actions[0] = of_to_group(1 + (what & 3));
    mod.instructions.at = in;
    mod.instructions.count = mod.command >= OFPFC_DELETE ? 0 : mod.table_id == 0 ? 2 : 1;
    if ((what & 4) && mod.command < OFPFC_DELETE)
        in[mod.instructions.count++] = in[2];
    return change_flow_mod(&p->t, &mod);
}

static inline of_error program_group(struct program *p, struct reader *r)
{
    uint8_t kind = rd_u8(r), id = rd_u8(r), how = rd_u8(r);
    struct of_action actions[] = {of_set_field(OF_TUNNEL_ID, how), of_output(2)};
    struct of_bucket buckets[2] = {
        {.watch_port = how & 1 ? 2 : OFPP_ANY, .watch_group = OFPG_ANY, .actions = {actions, 2}},
        {.watch_port = OFPP_ANY, .watch_group = how & 2 ? 1 + (how >> 6) : OFPG_ANY}};
    struct of_group_mod mod = {
        .command = kind % 3,
        .type = kind / 3 % 4,
        .group_id = id & 0x80 ? OFPG_ALL : 1 + (id & 3),
        .buckets = {buckets, kind % 3 == OFPGC_DELETE ? 0 : (size_t)(1 + (how >> 2 & 1))}};

    if (mod.type == OFPGT_SELECT)
        buckets[0].weight = buckets[1].weight = 1;
    if (how & 8)
        actions[1] = of_to_group(1 + (how >> 4 & 3));
    return change_group_mod(&p->t, &mod);
}

static inline of_error program_meter(struct program *p, struct reader *r)
{
    uint8_t kind = rd_u8(r), id = rd_u8(r), rate = rd_u8(r);
    struct of_meter_band band = {.type = rate & 1 ? OFPMBT_DROP : OFPMBT_DSCP_REMARK,
                                 .rate = 1u << rate % 32};
    struct of_meter_mod mod = {.command = kind % 3,
                               .flags = kind & 0x80 ? OFPMF_PKTPS : OFPMF_KBPS,
                               .meter_id = id & 0x80 ? OFPM_ALL : id & 3,
                               .bands = {&band, kind % 3 == OFPMC_DELETE ? 0 : 1}};

    return change_meter_mod(&p->t, &mod);
}

/* Begins a bundle, or ends it: taken back if one of its requests failed, or the bytes say so. */
static inline void program_bundle(struct program *p, struct reader *r)
{
    bool take_back = rd_u8(r) & 1;

    if (!p->is_open) {
        change_begin(&p->t, p->dp);
        p->is_open = true;
        p->has_failed = false;
        return;
    }
    p->is_open = false;
    if (take_back || p->has_failed) {
        change_rollback(&p->t);
    } else {
        change_commit(&p->t);
        program_learn(p);
    }
}

static inline const struct model_flow *program_best(const struct program *p, uint8_t table,
                                                    const struct of_key *key)
{
    const struct model_flow *best = NULL;

    for (size_t i = 0; i < p->count; i++) {
        const struct model_flow *m = &p->model[i];

        if (m->table == table && of_match_covers(&m->match, key) &&
            (!best || m->priority > best->priority))
            best = m;
    }
    return best;
}

static inline void program_compare(const struct program *p, uint8_t table, const struct of_key *key,
                                   const struct rule *found)
{
    const struct model_flow *best = program_best(p, table, key);
    struct of_match match;

    if (!best != !found || (best && best->priority != found->priority))
        abort();
    if (!found)
        return;
    flow_match(flow_of(found), &match);
    if (!of_match_covers(&match, key))
        abort();
}

/* Keys of the same few values, some of them twice, so that the cache is asked for what it has. */
static inline void program_look_up(struct program *p, struct reader *r)
{
    uint64_t chance = (uint64_t)rd_u8(r) << 16 | (uint64_t)rd_u8(r) << 8 | 0x80000001u;
    uint8_t table = rd_u8(r) % PROGRAM_TABLES;
    struct of_key keys[BURST];
    const struct of_key *at[BURST];
    const struct rule *found[BURST];
    uint64_t version = datapath_version(p->dp);

    for (size_t i = 0; i < BURST; i++) {
        struct of_match m;

        chance = chance * 6364136223846793005u + 1442695040888963407u;
        program_match(&m, (uint8_t)(chance >> 60 | 0x80), (uint8_t)(chance >> 40 | 0x80),
                      (uint8_t)(chance >> 48));
        keys[i] = m.value;
        if (ntohs(keys[i].eth_type) == 0x0800) {
            keys[i].ipv4_dst = htonl(0x0a000000u | (uint32_t)(chance >> 33 & 0x3070f));
            keys[i].ip_proto = 17;
        }
        at[i] = &keys[i % 8 == 7 ? i - 1 : i];
    }
    table_lookup_burst(&p->dp->tables, table, version, at, BURST, found, &p->dp->counters.owners[0],
                       p->cache);
    for (size_t i = 0; i < BURST; i++) {
        program_compare(p, table, at[i], found[i]);
        program_compare(p, table, at[i], table_lookup(&p->dp->tables, table, version, at[i]));
    }
}

/* A UDP packet through all of it. */
static inline void program_packet(struct program *p, struct reader *r)
{
    uint8_t frame[60] = {[12] = 8, [14] = 0x45, [17] = 28, [22] = 64, [23] = 17, [39] = 8};
    struct packet *packet;

    frame[26] = frame[30] = 10;
    frame[31] = rd_u8(r) & 3;
    frame[32] = rd_u8(r) & 7;
    packet = packet_copy_of(bytes_of(frame, sizeof(frame)));
    if (!packet)
        return;
    packet_enter(packet, 1);
    pipeline_burst(p->dp->workers[0], p->port, &packet, 1);
    worker_flush(p->dp->workers[0]);
}

/* Runs what the bytes say; a bundle that is open at the end is taken back. */
static inline void program_run(struct program *p, struct bytes code)
{
    struct reader r = reader_of_bytes(code);

    program_learn(p);
    while (rd_left(&r) > 0) {
        switch (rd_u8(&r) % 16) {
        case 0 ... 6:
            program_ask(p, program_flow, &r);
            break;
        case 7:
            program_ask(p, program_group, &r);
            break;
        case 8:
            program_ask(p, program_meter, &r);
            break;
        case 9:
            program_bundle(p, &r);
            break;
        case 10:
            if (!p->is_open)
                (void)reclaim_turn();
            break;
        case 11:
            program_packet(p, &r);
            break;
        default:
            program_look_up(p, &r);
        }
    }
    if (p->is_open)
        change_rollback(&p->t);
    p->is_open = false;
}

#endif
