/*
 * pipeline.c -- a packet through the tables (OpenFlow 1.3.5 clauses 5.1 and 5.9 to 5.12).
 *
 * From table to table, a packet takes with it its metadata and an action set. In each table the
 * best flow is found, counted, its meter asked; its apply-actions are carried out on the spot, its
 * write-actions join the set. Where no goto_table follows, the set is carried out in the order of
 * clause 5.10, a group before and instead of an output.
 *
 * A burst goes through a table together, so that what its packets look for is fetched from memory
 * side by side; packets that go on to different tables go on in turn, lowest first.
 *
 * Whoever holds the packet last sends it: an output after which nothing more can happen gives the
 * packet itself to the port; any other output gives a copy. So a packet that is forwarded to one
 * place is never copied.
 */
#include <math.h>
#include <stdlib.h>

#include "base/loop.h"
#include "switch/ipfix.h"
#include "switch/mirror.h"
#include "switch/underlay.h"

const char *const drop_reason_names[DROP_REASONS] = {
    "no_match",  "by_flow", "meter",    "ttl",       "fragment",
    "malformed", "no_port", "no_group", "packet_in", "no_memory",
};

/* One packet on its way. */
struct run {
    struct worker *w;
    struct port *in;  /* counts its drops */
    struct packet *p; /* NULL once it was given away or dropped */
    const struct rule *rule;
    uint8_t table_id;
    uint8_t depth;               /* of groups */
    bool sent;                   /* somebody got it, or a copy */
    struct action_set *set;      /* NULL: empty */
    struct action_set *room;     /* for it */
    struct ipfix_sample *sample; /* NULL: it is none */
};

static void run_table_from(struct run *run, uint8_t table_id);
static void execute_group(struct run *run, uint32_t id, bool last);

static void run_begin(struct run *run, struct worker *w, struct port *in, struct packet *p)
{
    run->w = w;
    run->in = in;
    run->p = p;
    run->rule = NULL;
    run->table_id = 0;
    run->depth = 0;
    run->sent = false;
    run->set = run->room = NULL;
    run->sample = NULL;
}

/* Part of the packet is dropped, or all; run->p is still there. */
static void count_drop(struct run *run, enum drop_reason why)
{
    const struct lookers *lookers = lookers_of(run->w->dp);

    counter_add(&port_counters_of(run->w, run->in)->drops[why], 1);
    if (run->sample)
        ipfix_note_drop(run->sample, why);
    if (lookers && run->p)
        mirror_see_drop(run->w, lookers, run->in, run->p, why, run->table_id, run->rule);
}

static void drop(struct run *run, enum drop_reason why)
{
    if (!run->p)
        return;
    count_drop(run, why);
    packet_free(run->p);
    run->p = NULL;
    run->sent = true;
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
    if (!port || !port_sends(port)) {
        if (port)
            counter_add(&port_counters_of(run->w, port)->tx_dropped, 1);
        count_drop(run, DROP_NO_PORT);
        return;
    }
    if (run->sample)
        ipfix_note_output(run->sample, port->number);
    p = give(run, last);
    if (p && !worker_queue(run->w, port, p))
        count_drop(run, DROP_NO_PORT);
}

static void output_to_all(struct run *run)
{
    uint32_t in_port = ntohl(run->p->key.in_port);

    run->sent = true;
    for (uint32_t i = 1; i < MAX_PORTS; i++) {
        struct port *port = i == in_port ? NULL : datapath_port(run->w->dp, i);

        if (port && !(port->ofp_config & OFPPC_NO_FWD))
            output_to(run, port, false);
    }
}

/* What an Ethernet switch would do (OFPP_NORMAL): to where the receiver was seen, or to all. */
static void output_normal(struct run *run, bool last)
{
    struct datapath *dp = run->w->dp;
    uint32_t in_port = ntohl(run->p->key.in_port);
    uint32_t to = mac_table_learn_and_find(dp->macs, run->p, run->w->now_us);

    run->sent = true;
    if (to == in_port)
        return; /* it has got there already */
    if (to && datapath_port(dp, to))
        output_to(run, datapath_port(dp, to), last);
    else
        output_to_all(run);
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
    struct run branch;
    struct packet *p = give(run, last);

    run->sent = true;
    if (!p)
        return;
    run_begin(&branch, run->w, run->in, p);
    branch.sample = run->sample;
    run_table_from(&branch, 0);
    finish(&branch);
}

static bool is_table_miss(const struct rule *rule)
{
    /* Not one load of both and the flags between, which change. */
    return rule && rule->priority == 0 && __atomic_load_n(&rule->words, __ATOMIC_RELAXED) == 0;
}

static void output_to_controller(struct run *run, uint8_t reason, uint16_t max_len)
{
    uint64_t cookie = run->rule ? flow_of(run->rule)->cookie : UINT64_MAX;

    run->sent = true;
    if (run->in->ofp_config & OFPPC_NO_PACKET_IN)
        return;
    if (!worker_packet_in(run->w, run->p, reason, run->table_id, cookie, max_len))
        count_drop(run, DROP_PACKET_IN);
}

static void output(struct run *run, uint32_t to, bool last)
{
    uint32_t in_port = ntohl(run->p->key.in_port);

    switch (to) {
    case OFPP_IN_PORT:
        output_to(run, datapath_port(run->w->dp, in_port), last);
        break;
    case OFPP_TABLE: /* from a PACKET_OUT alone; checked there */
        output_to_table(run, last);
        break;
    case OFPP_FLOOD:
    case OFPP_ALL:
        output_to_all(run);
        break;
    case OFPP_NORMAL:
        output_normal(run, last);
        break;
    default:
        output_to(run, to == in_port ? NULL : datapath_port(run->w->dp, to), last);
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

static void move_bits(struct packet *p, const struct op *op)
{
    const struct of_field *from = &of_fields[op->field];
    unsigned done = 0, total = (unsigned)op_data(op, 0);

    while (done < total) {
        unsigned n = total - done > 64 ? 64 : total - done;
        uint64_t value =
            bits_get(of_key_const_at(&p->key, from), from->bytes, (op->number >> 16) + done, n);

        load_bits(p, op->bits, (op->number & 0xffff) + done, n, value);
        done += n;
    }
}

/* ---- actions ---- */

static void spent_ttl(struct run *run)
{
    output_to_controller(run, OFPR_INVALID_TTL, OFPCML_NO_BUFFER);
    drop(run, DROP_TTL);
}

/* What changes headers and is not met with every packet. */
static void execute_rare(struct run *run, const struct op *op)
{
    struct packet *p = run->p;

    switch (op->code) {
    case OP_SET_LONG:
        packet_set_field(p, op->field, (const uint8_t *)(op + 1));
        break;
    case OP_REG_LOAD:
        load_bits(p, op->field, op->number, op->bits, op_data(op, 0));
        break;
    case OP_REG_MOVE:
        move_bits(p, op);
        break;
    case OP_COPY_TTL_OUT:
        packet_copy_ttl_out(p);
        break;
    case OP_COPY_TTL_IN:
        packet_copy_ttl_in(p);
        break;
    case OP_SET_MPLS_TTL:
        packet_set_mpls_ttl(p, (uint8_t)op->number);
        break;
    case OP_DEC_MPLS_TTL:
        if (!packet_dec_mpls_ttl(p))
            spent_ttl(run);
        break;
    case OP_SET_NW_TTL:
        packet_set_nw_ttl(p, (uint8_t)op->number);
        break;
    case OP_PUSH_VLAN:
        packet_push_vlan(p, (uint16_t)op->number);
        break;
    case OP_POP_VLAN:
        packet_pop_vlan(p);
        break;
    case OP_PUSH_MPLS:
        packet_push_mpls(p, (uint16_t)op->number);
        break;
    case OP_POP_MPLS:
        packet_pop_mpls(p, (uint16_t)op->number);
        break;
    case OP_PUSH_PBB:
        packet_push_pbb(p, (uint16_t)op->number);
        break;
    case OP_POP_PBB:
        packet_pop_pbb(p);
        break;
    default: /* SET_QUEUE: ports have one queue */
        break;
    }
}

/* `last`: nothing happens to the packet after this. */
static inline void execute(struct run *run, const struct op *op, bool last)
{
    switch (op->code) {
    case OP_OUTPUT:
        output(run, op->number, last);
        break;
    case OP_CONTROLLER:
        output_to_controller(run, is_table_miss(run->rule) ? OFPR_NO_MATCH : OFPR_ACTION,
                             op_max_len(op));
        break;
    case OP_GROUP:
        execute_group(run, op->number, last);
        break;
    case OP_KEY_32:
        memcpy((uint8_t *)&run->p->key + of_fields[op->field].offset, &op->number, 4);
        break;
    case OP_KEY_64: {
        uint64_t value = htobe64(op->number);

        memcpy((uint8_t *)&run->p->key + of_fields[op->field].offset, &value, 8);
        break;
    }
    case OP_SET:
        packet_set_field(run->p, op->field, (const uint8_t *)&op->number);
        break;
    case OP_DEC_NW_TTL:
        if (!packet_dec_nw_ttl(run->p))
            spent_ttl(run);
        break;
    default:
        execute_rare(run, op);
    }
}

static void execute_list(struct run *run, const struct op *at, size_t count)
{
    const struct op *end = at + count;

    for (const struct op *op = at, *next; op < end && run->p; op = next) {
        next = op_next(op);
        execute(run, op, next == end);
    }
}

static void execute_set(struct run *run)
{
    const struct op *list[SET_LIST_MAX];
    size_t count = action_set_list(run->set, list);

    for (size_t i = 0; i < count && run->p; i++)
        execute(run, list[i], i + 1 == count);
}

/* ---- groups (clause 5.6) ---- */

static void execute_bucket(struct run *run, const struct bucket *bucket, bool last)
{
    struct run branch;
    struct packet *p;

    if (run->w->group_steps == 0) {
        count_drop(run, DROP_NO_GROUP);
        return;
    }
    run->w->group_steps--;
    counter_count(run->w->counters, bucket->counter, run->p->len);
    p = give(run, last);
    if (!p)
        return;
    run_begin(&branch, run->w, run->in, p);
    branch.rule = run->rule;
    branch.sample = run->sample;
    branch.table_id = run->table_id;
    branch.depth = run->depth + 1;
    execute_list(&branch, bucket->ops, bucket->op_count);
    finish(&branch);
}

/* A bucket by weight; the same for all packets of a conversation, and when a bucket dies only its
 * share moves: each bucket draws an exponentially distributed number from the conversation's hash,
 * at the rate of its weight, and the least wins. */
static uint32_t select_bucket(struct run *run, const struct group *group)
{
    double least = 0;
    uint32_t chosen = UINT32_MAX, flow_hash = packet_flow_hash(run->p);
    unsigned steps = GROUP_STEPS;

    for (uint32_t i = 0; i < group->bucket_count; i++) {
        const struct of_bucket *b = &group->buckets[i].config;
        uint64_t h = (flow_hash ^ (i + 1) * 0x9e3779b97f4a7c15ull) * 0xff51afd7ed558ccdull;
        double drawn;

        if (b->weight == 0 || !bucket_is_live(run->w->dp, run->w->version, b, &steps))
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
    unsigned steps = GROUP_STEPS;

    for (uint32_t i = 0; i < group->bucket_count; i++)
        if (bucket_is_live(run->w->dp, run->w->version, &group->buckets[i].config, &steps))
            return i;
    return UINT32_MAX;
}

static void execute_group(struct run *run, uint32_t id, bool last)
{
    struct worker *w = run->w;
    const struct group *group =
        (const struct group *)entry_find(&w->dp->group_index, id, w->version);
    uint32_t chosen = 0;

    run->sent = true;
    if (run->depth == 0)
        w->group_steps = GROUP_STEPS;
    if (!group || run->depth >= GROUP_DEPTH) {
        count_drop(run, DROP_NO_GROUP);
        return;
    }
    counter_count(w->counters, group->counter, run->p->len);
    if (group->type == OFPGT_ALL) {
        for (uint32_t i = 0; i < group->bucket_count && (i == 0 || w->group_steps); i++)
            execute_bucket(run, &group->buckets[i], false);
        return;
    }
    if (group->type == OFPGT_SELECT)
        chosen = select_bucket(run, group);
    else if (group->type == OFPGT_FF)
        chosen = first_live_bucket(run, group);
    if (chosen >= group->bucket_count)
        count_drop(run, DROP_NO_GROUP);
    else
        execute_bucket(run, &group->buckets[chosen], last);
}

/* ---- tables ---- */

static void miss(struct run *run)
{
    const struct port_driver *driver = run->in->driver;

    if (run->table_id == 0 && driver && driver->unmatched)
        driver->unmatched(run->w, run->in, run->p);
    drop(run, DROP_NO_MATCH);
}

static bool pass_meter(struct run *run, uint32_t id)
{
    struct worker *w = run->w;
    struct meter *meter = (struct meter *)entry_find(&w->dp->meter_index, id, w->version);

    if (!meter || meter_apply(w, meter, run->p))
        return true;
    drop(run, DROP_METER);
    return false;
}

/* The instructions that are no actions. False when the packet went. */
static bool instruct(struct run *run, const struct op *op, uint8_t *next_table)
{
    struct of_key *key = &run->p->key;

    switch (op->code) {
    case OP_METER:
        return pass_meter(run, op->number);
    case OP_CLEAR:
        run->set = NULL;
        break;
    case OP_WRITE:
        if (!run->set) {
            run->set = run->room;
            run->set->used = false;
        }
        action_set_write(run->set, op + 1, op->number);
        break;
    case OP_METADATA:
        key->metadata = (key->metadata & ~op_data(op, 1)) | (op_data(op, 0) & op_data(op, 1));
        break;
    default:
        *next_table = (uint8_t)op->number;
    }
    return true;
}

/* Carries out what the rule says. Returns the next table, or NO_TABLE. */
static uint8_t run_rule(struct run *run, const struct rule *rule)
{
    uint8_t next_table = NO_TABLE;
    const struct op *op = rule_ops(rule);
    uint8_t flags = rule_flags(rule);
    bool last = flags & RULE_EMPTY;

    run->rule = rule;
    counter_count(run->w->counters, rule->counter, run->p->len);
    if (flags & RULE_NOTES_USE)
        flow_note_use(rule, run->w->now_us);
    for (; !last; op = op_next_step(op)) {
        last = op->extra & OP_LAST;
        if (op->code < OP_METER)
            execute(run, op, last && !run->set);
        else if (!instruct(run, op, &next_table))
            return NO_TABLE;
        if (!run->p)
            return NO_TABLE;
    }
    return next_table;
}

/* Packets that all are at this table, together. Their next ones stand in next[] then. */
static void run_table(struct worker *w, struct run *runs, const uint8_t *which, size_t count,
                      uint8_t table_id, uint8_t *next)
{
    const struct of_key *keys[BURST];
    const struct rule *rules[BURST];
    struct table_count *counts = &w->tables[table_id];
    size_t matched = 0;

    keys[0] = NULL;
    for (size_t i = 0; i < count; i++)
        keys[i] = &runs[which[i]].p->key;
    table_lookup_burst(&w->dp->tables, table_id, w->version, keys, count, rules, w->counters,
                       w->cache);
    for (size_t i = 0; i < count; i++) {
        struct run *run = &runs[which[i]];

        run->table_id = table_id;
        if (rules[i]) {
            matched++;
            next[which[i]] = run_rule(run, rules[i]);
        } else {
            next[which[i]] = NO_TABLE;
            run->rule = NULL;
            miss(run);
        }
    }
    counter_add(&counts->lookups, count);
    counter_add(&counts->matches, matched);
}

/* Tables are only ever left for later ones (clause 5.1): the packets at the lowest number go
 * first. */
static void run_tables(struct worker *w, struct run *runs, size_t count, uint8_t *next)
{
    struct action_set sets[BURST];

    for (size_t i = 0; i < count; i++)
        runs[i].room = &sets[i];
    for (;;) {
        uint8_t which[BURST], table_id = NO_TABLE;
        size_t here = 0;

        for (size_t i = 0; i < count; i++)
            if (next[i] < table_id)
                table_id = next[i];
        if (table_id == NO_TABLE)
            break;
        for (size_t i = 0; i < count; i++)
            if (next[i] == table_id)
                which[here++] = (uint8_t)i;
        run_table(w, runs, which, here, table_id, next);
    }
    for (size_t i = 0; i < count; i++) {
        if (runs[i].p && runs[i].set)
            execute_set(&runs[i]);
        finish(&runs[i]);
        runs[i].set = runs[i].room = NULL;
    }
}

static void run_table_from(struct run *run, uint8_t table_id)
{
    run_tables(run->w, run, 1, &table_id);
}

/* ---- bursts ---- */

static void worker_begin(struct worker *w)
{
    w->version = datapath_version(w->dp);
    w->now_us = clock_now_us();
}

/* True when the packet enters the tables; else it was dealt with. */
static bool enter(struct run *run)
{
    const struct datapath *dp = run->w->dp;
    struct packet *p = run->p;

    if (run->in->underlays && p->len >= ETH_HEADER_SIZE &&
        !(run->p = p = underlay_take(run->w, run->in, p)))
        return false;
    if (p->len < ETH_HEADER_SIZE)
        drop(run, DROP_MALFORMED);
    else if ((p->key.ip_frag & OF_FRAG_ANY) && (dp->fragments & OFPC_FRAG_MASK) == OFPC_FRAG_DROP)
        drop(run, DROP_FRAGMENT);
    else if (dp->standalone)
        output_normal(run, true);
    else
        return true;
    finish(run);
    return false;
}

/* Somebody looks on while it comes in. */
__attribute__((noinline, cold)) static void look_at(const struct lookers *lookers, struct run *run,
                                                    struct ipfix_sample *sample)
{
    mirror_see(run->w, lookers, MIRROR_IN, run->in, run->p);
    if (lookers->sampler && ipfix_sample(lookers->sampler, run->w, run->in, run->p, sample))
        run->sample = sample;
}

void pipeline_burst(struct worker *w, struct port *in, struct packet **packets, size_t count)
{
    struct run runs[BURST];
    uint8_t next[BURST];
    struct ipfix_sample samples[BURST]; /* of those packets that are some */
    size_t entered = 0, sampled = 0;
    const struct lookers *lookers = lookers_of(w->dp);

    worker_begin(w);
    if (in->ofp_config & (OFPPC_PORT_DOWN | OFPPC_NO_RECV)) {
        for (size_t i = 0; i < count; i++)
            packet_free(packets[i]);
        counter_add(&port_counters_of(w, in)->rx_dropped, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count)
            __builtin_prefetch(packets[i + 1]->data);
        packet_parse(packets[i]);
        packets[i]->ip_at = packets[i]->l3;
        run_begin(&runs[entered], w, in, packets[i]);
        if (lookers) {
            look_at(lookers, &runs[entered], &samples[sampled]);
            sampled += runs[entered].sample != NULL;
        }
        next[entered] = 0;
        entered += enter(&runs[entered]);
    }
    if (in->underlays)
        underlay_deliver(w, in);
    run_tables(w, runs, entered, next);
    if (sampled)
        ipfix_take(lookers->sampler, w, samples, sampled);
}

void pipeline_packet_out(struct worker *w, struct packet *p, const struct of_actions *actions)
{
    struct port *in = datapath_port(w->dp, ntohl(p->key.in_port));
    struct of_instruction apply = {.type = OFPIT_APPLY_ACTIONS, .actions = *actions};
    struct of_instructions instructions = {&apply, 1};
    size_t count = program_size(&instructions);
    struct op *ops = malloc((count + 1) * sizeof(*ops));
    struct run run;

    worker_begin(w);
    packet_parse(p);
    run_begin(&run, w, in ? in : w->dp->drops, p);
    if (ops) {
        program_compile(ops, &instructions);
        execute_list(&run, ops, count);
        free(ops);
    } else {
        drop(&run, DROP_NO_MEMORY);
    }
    finish(&run);
}
