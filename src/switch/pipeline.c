/*
 * pipeline.c -- a packet through the tables (OpenFlow 1.3.5 clauses 5.1 and 5.9 to 5.12).
 *
 * From table to table, a packet takes with it its metadata and an action set. In each table the
 * best flow is found, counted, its meter asked; its apply-actions are carried out on the spot, its
 * write-actions join the set. Where no goto_table follows, the set is carried out in the order of
 * clause 5.10, a group before and instead of an output.
 *
 * Whoever holds the packet last sends it: an output after which nothing more can happen gives the
 * packet itself to the port; any other output gives a copy. So a packet that is forwarded to one
 * place is never copied.
 */
#include <math.h>

#include "base/loop.h"
#include "switch/datapath.h"

const char *const drop_reason_names[DROP_REASONS] = {
    "no_match",  "by_flow", "meter",    "ttl",       "fragment",
    "malformed", "no_port", "no_group", "packet_in", "no_memory",
};

/* The action set: one action of each kind, and one set_field per field (clause 5.10). The kinds are
 * in the order of execution; set_field has its place before SET_QUEUE. */
enum set_place {
    SET_COPY_TTL_IN,
    SET_POP_VLAN,
    SET_POP_MPLS,
    SET_POP_PBB,
    SET_PUSH_MPLS,
    SET_PUSH_PBB,
    SET_PUSH_VLAN,
    SET_COPY_TTL_OUT,
    SET_DEC_MPLS_TTL,
    SET_DEC_NW_TTL,
    SET_MPLS_TTL,
    SET_NW_TTL,
    SET_FIELDS, /* here all of them */
    SET_QUEUE,
    SET_GROUP,
    SET_OUTPUT,
    SET_PLACES
};

static const uint8_t set_places[OFPAT_POP_PBB + 1] = {
    [OFPAT_COPY_TTL_IN] = SET_COPY_TTL_IN,
    [OFPAT_POP_VLAN] = SET_POP_VLAN,
    [OFPAT_POP_MPLS] = SET_POP_MPLS,
    [OFPAT_POP_PBB] = SET_POP_PBB,
    [OFPAT_PUSH_MPLS] = SET_PUSH_MPLS,
    [OFPAT_PUSH_PBB] = SET_PUSH_PBB,
    [OFPAT_PUSH_VLAN] = SET_PUSH_VLAN,
    [OFPAT_COPY_TTL_OUT] = SET_COPY_TTL_OUT,
    [OFPAT_DEC_MPLS_TTL] = SET_DEC_MPLS_TTL,
    [OFPAT_DEC_NW_TTL] = SET_DEC_NW_TTL,
    [OFPAT_SET_MPLS_TTL] = SET_MPLS_TTL,
    [OFPAT_SET_NW_TTL] = SET_NW_TTL,
    [OFPAT_SET_QUEUE] = SET_QUEUE,
    [OFPAT_GROUP] = SET_GROUP,
    [OFPAT_OUTPUT] = SET_OUTPUT,
};

struct action_set {
    bool used;
    uint64_t fields; /* for which there is a set_field */
    const struct of_action *actions[SET_PLACES];
    const struct of_action *set_field[OF_FIELD_COUNT];
};

static void set_clear(struct action_set *set)
{
    set->used = false;
}

static void set_write(struct action_set *set, const struct of_actions *actions)
{
    if (!set->used) {
        memset(set->actions, 0, sizeof(set->actions));
        set->fields = 0;
        set->used = true;
    }
    for (size_t i = 0; i < actions->count; i++) {
        const struct of_action *a = &actions->at[i];

        if (a->type == OFPAT_SET_FIELD) {
            set->set_field[a->set_field.field] = a;
            set->fields |= OF_FIELD_BIT(a->set_field.field);
        } else if (a->type <= OFPAT_POP_PBB) {
            set->actions[set_places[a->type]] = a;
        }
    }
}

/* The set as a list in its order of execution. */
static size_t set_list(const struct action_set *set, const struct of_action **list)
{
    size_t count = 0;

    for (size_t i = 0; i < SET_PLACES; i++) {
        if (i == SET_FIELDS)
            for (uint64_t left = set->fields; left; left &= left - 1)
                list[count++] = set->set_field[__builtin_ctzll(left)];
        else if (set->actions[i] && !(i == SET_OUTPUT && set->actions[SET_GROUP]))
            list[count++] = set->actions[i];
    }
    return count;
}

/* One packet on its way. */
struct run {
    struct datapath *dp;
    struct port *in;  /* counts its drops */
    struct packet *p; /* NULL once it was given away or dropped */
    const struct flow *flow;
    uint8_t table_id;
    uint8_t depth; /* of groups */
    bool sent;     /* somebody got it, or a copy */
};

static void run_tables(struct run *run, uint8_t table_id);
static void execute_group(struct run *run, uint32_t id, bool last);

static void count_drop(struct run *run, enum drop_reason why)
{
    run->in->drops[why]++;
}

static void drop(struct run *run, enum drop_reason why)
{
    if (!run->p)
        return;
    packet_free(run->p);
    run->p = NULL;
    run->sent = true;
    count_drop(run, why);
}

/* The packet to give away: itself when nothing more happens to it, else a copy. */
static struct packet *give(struct run *run, bool last)
{
    struct packet *p = run->p;

    if (last)
        run->p = NULL;
    else
        p = packet_clone(p);
    if (!p)
        count_drop(run, DROP_NO_MEMORY);
    return p;
}

/* ---- output (clause 4.5: reserved ports) ---- */

static void output_to(struct run *run, struct port *port, bool last)
{
    struct packet *p;

    run->sent = true;
    if (!port) {
        count_drop(run, DROP_NO_PORT);
        return;
    }
    p = give(run, last);
    if (p && !port_output(port, p))
        count_drop(run, DROP_NO_PORT);
}

static void output_to_all(struct run *run)
{
    uint32_t in_port = ntohl(run->p->key.in_port);

    run->sent = true;
    for (uint32_t i = 1; i < MAX_PORTS; i++)
        if (run->dp->ports[i] && i != in_port && !(run->dp->ports[i]->ofp_config & OFPPC_NO_FWD))
            output_to(run, run->dp->ports[i], false);
}

static void finish(struct run *run)
{
    if (!run->p)
        return;
    if (run->sent) {
        packet_free(run->p);
        run->p = NULL;
    } else {
        drop(run, DROP_BY_FLOW);
    }
}

static void output_to_table(struct run *run, bool last)
{
    struct run branch = *run;

    run->sent = true;
    branch.p = give(run, last);
    if (!branch.p)
        return;
    branch.sent = false;
    run_tables(&branch, 0);
    finish(&branch);
}

static bool is_table_miss(const struct flow *flow)
{
    return flow && flow->priority == 0 && flow->fields == 0;
}

static void output_to_controller(struct run *run, uint8_t reason, uint16_t max_len)
{
    uint64_t cookie = run->flow ? run->flow->cookie : UINT64_MAX;

    run->sent = true;
    if (run->in->ofp_config & OFPPC_NO_PACKET_IN)
        return;
    if (!run->dp->packet_in || !run->dp->packet_in(run->p, reason, run->table_id, cookie, max_len))
        count_drop(run, DROP_PACKET_IN);
}

static void output(struct run *run, const struct of_action *a, bool last)
{
    uint32_t in_port = ntohl(run->p->key.in_port);

    switch (a->output.port) {
    case OFPP_IN_PORT:
        output_to(run, datapath_port(run->dp, in_port), last);
        break;
    case OFPP_TABLE: /* from a PACKET_OUT alone; checked there */
        output_to_table(run, last);
        break;
    case OFPP_FLOOD:
    case OFPP_ALL:
        output_to_all(run);
        break;
    case OFPP_CONTROLLER:
        output_to_controller(run, is_table_miss(run->flow) ? OFPR_NO_MATCH : OFPR_ACTION,
                             a->output.max_len);
        break;
    default:
        output_to(run, a->output.port == in_port ? NULL : datapath_port(run->dp, a->output.port),
                  last);
    }
}

/* ---- register actions ---- */

/* Bits of a field: offset from its least significant bit, n up to 64; a field is a big-endian
 * number of up to 16 bytes. */
static uint64_t bits_get(const uint8_t *at, unsigned bytes, unsigned offset, unsigned n)
{
    uint64_t value = 0;

    for (unsigned i = n; i-- > 0;) {
        unsigned bit = offset + i;

        value = value << 1 | (at[bytes - 1 - bit / 8] >> bit % 8 & 1);
    }
    return value;
}

static void bits_put(uint8_t *at, unsigned bytes, unsigned offset, unsigned n, uint64_t value)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned bit = offset + i;
        uint8_t *byte = &at[bytes - 1 - bit / 8];

        *byte = (uint8_t)((*byte & ~(1u << bit % 8)) | (unsigned)(value >> i & 1) << bit % 8);
    }
}

static void load_bits(struct packet *p, enum of_field_id id, unsigned offset, unsigned n,
                      uint64_t value)
{
    const struct of_field *f = &of_fields[id];
    uint8_t bytes[16];

    memcpy(bytes, of_key_const_at(&p->key, f), f->bytes);
    bits_put(bytes, f->bytes, offset, n, value);
    packet_set_field(p, id, bytes);
}

static void move_bits(struct packet *p, const struct of_action *a)
{
    const struct of_field *from = &of_fields[a->reg_move.from];
    unsigned done = 0, total = a->reg_move.n_bits;

    while (done < total) {
        unsigned n = total - done > 64 ? 64 : total - done;
        uint64_t value = bits_get(of_key_const_at(&p->key, from), from->bytes,
                                  a->reg_move.from_offset + done, n);

        load_bits(p, a->reg_move.to, a->reg_move.to_offset + done, n, value);
        done += n;
    }
}

/* ---- actions ---- */

static void spent_ttl(struct run *run)
{
    output_to_controller(run, OFPR_INVALID_TTL, OFPCML_NO_BUFFER);
    drop(run, DROP_TTL);
}

static void execute(struct run *run, const struct of_action *a, bool last)
{
    struct packet *p = run->p;

    switch (a->type) {
    case OFPAT_OUTPUT:
        output(run, a, last);
        break;
    case OFPAT_GROUP:
        execute_group(run, a->group_id, last);
        break;
    case OFPAT_SET_FIELD:
        packet_set_field(p, a->set_field.field, a->set_field.value);
        break;
    case OFPAT_COPY_TTL_OUT:
        packet_copy_ttl_out(p);
        break;
    case OFPAT_COPY_TTL_IN:
        packet_copy_ttl_in(p);
        break;
    case OFPAT_SET_MPLS_TTL:
        packet_set_mpls_ttl(p, a->ttl);
        break;
    case OFPAT_DEC_MPLS_TTL:
        if (!packet_dec_mpls_ttl(p))
            spent_ttl(run);
        break;
    case OFPAT_PUSH_VLAN:
        packet_push_vlan(p, a->ethertype);
        break;
    case OFPAT_POP_VLAN:
        packet_pop_vlan(p);
        break;
    case OFPAT_PUSH_MPLS:
        packet_push_mpls(p, a->ethertype);
        break;
    case OFPAT_POP_MPLS:
        packet_pop_mpls(p, a->ethertype);
        break;
    case OFPAT_PUSH_PBB:
        packet_push_pbb(p, a->ethertype);
        break;
    case OFPAT_POP_PBB:
        packet_pop_pbb(p);
        break;
    case OFPAT_SET_NW_TTL:
        packet_set_nw_ttl(p, a->ttl);
        break;
    case OFPAT_DEC_NW_TTL:
        if (!packet_dec_nw_ttl(p))
            spent_ttl(run);
        break;
    case OF_NX_REG_LOAD:
        load_bits(p, a->reg_load.field, a->reg_load.offset, a->reg_load.n_bits, a->reg_load.value);
        break;
    case OF_NX_REG_MOVE:
        move_bits(p, a);
        break;
    default: /* SET_QUEUE: ports have one queue */
        break;
    }
}

/* `last`: nothing happens to the packet after these. */
static void execute_list(struct run *run, const struct of_actions *actions, bool last)
{
    for (size_t i = 0; i < actions->count && run->p; i++)
        execute(run, &actions->at[i], last && i + 1 == actions->count);
}

static void execute_set(struct run *run, const struct action_set *set, bool last)
{
    const struct of_action *list[SET_PLACES + OF_FIELD_COUNT];
    size_t count = set_list(set, list);

    for (size_t i = 0; i < count && run->p; i++)
        execute(run, list[i], last && i + 1 == count);
}

/* ---- groups (clause 5.6) ---- */

static void execute_bucket(struct run *run, struct group *group, uint32_t nth, bool last)
{
    struct bucket *bucket = &group->buckets[nth];
    struct action_set set = {.used = false};
    struct run branch = *run;

    bucket->packets++;
    bucket->bytes += run->p->len;
    branch.p = give(run, last);
    if (!branch.p)
        return;
    set_write(&set, &bucket->config.actions);
    branch.depth++;
    branch.sent = false;
    execute_set(&branch, &set, true);
    finish(&branch);
}

/* A bucket by weight; the same for all packets of a conversation, and when a bucket dies only its
 * share moves: each bucket draws an exponentially distributed number from the conversation's hash,
 * at the rate of its weight, and the least wins. */
static uint32_t select_bucket(struct run *run, const struct group *group)
{
    double least = 0;
    uint32_t chosen = UINT32_MAX, flow_hash = packet_flow_hash(run->p);

    for (uint32_t i = 0; i < group->bucket_count; i++) {
        const struct of_bucket *b = &group->buckets[i].config;
        uint64_t h = (flow_hash ^ (i + 1) * 0x9e3779b97f4a7c15ull) * 0xff51afd7ed558ccdull;
        double drawn;

        if (b->weight == 0 || !bucket_is_live(run->dp, b, 0))
            continue;
        drawn = -log(((double)(h >> 32) + 0.5) / 4294967296.0) / b->weight;
        if (chosen == UINT32_MAX || drawn < least) {
            least = drawn;
            chosen = i;
        }
    }
    return chosen;
}

static uint32_t first_live_bucket(struct run *run, const struct group *group)
{
    for (uint32_t i = 0; i < group->bucket_count; i++)
        if (bucket_is_live(run->dp, &group->buckets[i].config, 0))
            return i;
    return UINT32_MAX;
}

static void execute_group(struct run *run, uint32_t id, bool last)
{
    struct group *group = datapath_group(run->dp, id);
    uint32_t chosen = 0;

    run->sent = true;
    if (!group || run->depth >= GROUP_DEPTH) {
        count_drop(run, DROP_NO_GROUP);
        return;
    }
    group->packets++;
    group->bytes += run->p->len;
    if (group->type == OFPGT_ALL) {
        for (uint32_t i = 0; i < group->bucket_count; i++)
            execute_bucket(run, group, i, false);
        return;
    }
    if (group->type == OFPGT_SELECT)
        chosen = select_bucket(run, group);
    else if (group->type == OFPGT_FF)
        chosen = first_live_bucket(run, group);
    if (chosen >= group->bucket_count)
        count_drop(run, DROP_NO_GROUP);
    else
        execute_bucket(run, group, chosen, last);
}

/* ---- tables ---- */

static void miss(struct run *run)
{
    if (run->table_id == 0 && run->in->driver && run->in->driver->unmatched)
        run->in->driver->unmatched(run->in, run->p);
    drop(run, DROP_NO_MATCH);
}

/* Returns the next table, or NO_TABLE. */
static uint8_t run_table(struct run *run, struct action_set *set)
{
    struct flow *flow = table_lookup(&run->dp->tables.table[run->table_id], &run->p->key);
    const struct program *program;
    bool last;

    run->flow = flow;
    if (!flow) {
        miss(run);
        return NO_TABLE;
    }
    flow->packets++;
    flow->bytes += run->p->len;
    flow->used_us = run->dp->now_us;
    program = flow->program;
    if (program->meter_id) {
        struct meter *meter = datapath_meter(run->dp, program->meter_id);

        if (meter && !meter_apply(meter, run->p, run->dp->now_us)) {
            drop(run, DROP_METER);
            return NO_TABLE;
        }
    }
    last = program->goto_table == NO_TABLE && !program->write && (!set->used || program->clear);
    if (program->apply)
        execute_list(run, program->apply, last);
    if (!run->p)
        return NO_TABLE;
    if (program->clear)
        set_clear(set);
    if (program->write)
        set_write(set, program->write);
    if (program->metadata_mask) {
        uint64_t mask = htobe64(program->metadata_mask);

        run->p->key.metadata = (run->p->key.metadata & ~mask) | (htobe64(program->metadata) & mask);
    }
    return program->goto_table;
}

static void run_tables(struct run *run, uint8_t table_id)
{
    struct action_set set;

    set_clear(&set);
    while (run->p && table_id != NO_TABLE) {
        run->table_id = table_id;
        table_id = run_table(run, &set);
    }
    if (run->p && set.used)
        execute_set(run, &set, true);
}

static void run_packet(struct datapath *dp, struct port *in, struct packet *p)
{
    struct run run = {.dp = dp, .in = in, .p = p};

    if (p->len < ETH_HEADER_SIZE)
        drop(&run, DROP_MALFORMED);
    else if ((p->key.ip_frag & OF_FRAG_ANY) && (dp->fragments & OFPC_FRAG_MASK) == OFPC_FRAG_DROP)
        drop(&run, DROP_FRAGMENT);
    else
        run_tables(&run, 0);
    finish(&run);
}

void pipeline_burst(struct datapath *dp, struct port *in, struct packet **packets, size_t count)
{
    const struct of_key *keys[BURST];

    dp->now_us = clock_now_us();
    if (in->ofp_config & (OFPPC_PORT_DOWN | OFPPC_NO_RECV)) {
        for (size_t i = 0; i < count; i++)
            packet_free(packets[i]);
        in->counters.rx_dropped += count;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        packet_parse(packets[i]);
        keys[i] = &packets[i]->key;
    }
    table_prefetch(&dp->tables.table[0], keys, count);
    for (size_t i = 0; i < count; i++)
        run_packet(dp, in, packets[i]);
}

void pipeline_packet_out(struct datapath *dp, struct packet *p, const struct of_actions *actions)
{
    struct port *in = datapath_port(dp, ntohl(p->key.in_port));
    struct run run = {.dp = dp, .in = in ? in : dp->drops, .p = p};

    dp->now_us = clock_now_us();
    packet_parse(p);
    execute_list(&run, actions, true);
    finish(&run);
}
