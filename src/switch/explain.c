/*
 * explain.c -- see explain.h.
 *
 * The tables are asked by the data path's own lookup, so the flow that is found is the one that a
 * packet would meet. The actions are carried out on a key alone: a field that is set, a tag that is
 * pushed, a TTL that falls, seen as the next table would see them. What lies under a tag that is
 * popped is not in a key, and the explanation says so.
 *
 * Groups are followed into their buckets: all of them, the first live one, or, for a select group,
 * each that the hash of a conversation might choose. A meter is told, not charged.
 */
#include <stdlib.h>

#include "base/base.h"
#include "switch/conn.h"
#include "switch/explain.h"
#include "wire/openflow/flow_text.h"

#define TEXT_SIZE  4096
#define CANDIDATES 5      /* flows that were passed over are told of */
#define LOOK_AT    100000 /* flows that are looked at to find them */
#define ETH_IPV4   0x0800
#define ETH_IPV6   0x86dd
#define OUTPUTS    64
#define ACTION_SET 16

/* The action set (clause 5.10): one action of each kind, in the order in which they are done. */
struct written_actions {
    struct of_action at[ACTION_SET + OF_FIELD_COUNT];
    size_t count;
};

struct explanation {
    struct datapath *dp;
    struct arena arena; /* of flows' instructions */
    struct of_key key;
    json_t *steps;   /* of the table it is in */
    json_t *outputs; /* ports, as text */
    struct written_actions set;
    const char *end; /* why it goes no further; NULL: it does */
    bool dropped;    /* an action dropped it */
    unsigned depth;
};

/* ---- texts ---- */

/* A packet's key as the match that would name all of it. */
static void key_match(const struct of_key *key, struct of_match *m)
{
    static const uint8_t zeros[16];

    memset(m, 0, sizeof(*m));
    for (size_t i = 0; i < OF_FIELD_COUNT; i++) {
        const struct of_field *f = &of_fields[i];
        const uint8_t *value = of_key_const_at(key, f);

        if (memcmp(value, zeros, f->bytes) != 0 && of_field_allowed(f, key))
            of_match_set_bytes(m, (enum of_field_id)i, value, NULL);
    }
}

static json_t *key_json(const struct of_key *key)
{
    char buffer[TEXT_SIZE];
    struct text t = text_in(buffer, sizeof(buffer));
    struct of_match m;

    key_match(key, &m);
    of_print_match(&t, &m);
    return json_string(buffer);
}

static void print_flow(struct explanation *e, struct text *t, const struct flow *flow)
{
    struct of_instructions instructions = {0};
    struct of_match m;

    flow_match(flow, &m);
    (void)flow_instructions(flow, &instructions, &e->arena);
    text_add(t, "priority=%u%s", flow_priority(flow), m.fields ? "," : "");
    of_print_match(t, &m);
    text_add(t, " actions=");
    of_print_instructions(t, &instructions);
}

__attribute__((format(printf, 3, 4))) static void step(struct explanation *e, const char *what,
                                                       const char *format, ...)
{
    char buffer[512];
    struct text t = text_in(buffer, sizeof(buffer));
    va_list arguments;

    va_start(arguments, format);
    text_vadd(&t, format, arguments);
    va_end(arguments);
    json_array_append_new(e->steps, json_pack("{s:s, s:s, s:i}", "what", what, "effect", buffer,
                                              "depth", (int)e->depth));
}

/* ---- why not that flow ---- */

struct candidate {
    const struct flow *flow;
    unsigned differing; /* fields that do not agree */
    enum of_field_id first;
};

struct candidates {
    const struct of_key *key;
    struct candidate at[CANDIDATES];
    size_t count;
    uint32_t looked_at;
    int above; /* priority; -1: all */
};

static bool field_agrees(const struct of_match *m, const struct of_key *key,
                         const struct of_field *f)
{
    const uint8_t *value = of_key_const_at(&m->value, f), *mask = of_key_const_at(&m->mask, f);
    const uint8_t *have = of_key_const_at(key, f);

    for (size_t i = 0; i < f->bytes; i++)
        if ((have[i] & mask[i]) != value[i])
            return false;
    return true;
}

/* Those are kept that came nearest: fewest fields that differ, then the highest priority. */
static void keep(struct candidates *c, struct candidate new)
{
    size_t i = c->count;

    while (i > 0 && (c->at[i - 1].differing > new.differing ||
                     (c->at[i - 1].differing ==
                      new.differing &&flow_priority(c->at[i - 1].flow) < flow_priority(new.flow))))
        i--;
    if (i == CANDIDATES)
        return;
    size_t last = c->count < CANDIDATES ? c->count++ : CANDIDATES - 1;
    memmove(&c->at[i + 1], &c->at[i], (last - i) * sizeof(c->at[0]));
    c->at[i] = new;
}

static int consider(struct flow *flow, void *context)
{
    struct candidates *c = context;
    struct candidate new = {.flow = flow};
    struct of_match m;

    if (++c->looked_at > LOOK_AT)
        return -1;
    if (flow_priority(flow) <= c->above)
        return 0;
    flow_match(flow, &m);
    for (uint64_t left = m.fields; left; left &= left - 1) {
        enum of_field_id id = (enum of_field_id)__builtin_ctzll(left);

        if (field_agrees(&m, c->key, &of_fields[id]))
            continue;
        if (new.differing++ == 0)
            new.first = id;
    }
    if (new.differing)
        keep(c, new);
    return 0;
}

static json_t *passed_over(struct explanation *e, uint8_t table, const struct flow *found)
{
    static const struct of_match everything;
    struct flow_filter filter = {
        .table_id = table, .match = &everything, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    struct candidates c = {.key = &e->key, .above = found ? flow_priority(found) : -1};
    json_t *list = json_array();

    (void)tables_each(&e->dp->tables, &filter, consider, &c);
    for (size_t i = 0; i < c.count; i++) {
        const struct of_field *f = &of_fields[c.at[i].first];
        char flow[TEXT_SIZE], why[512];
        struct text tf = text_in(flow, sizeof(flow)), tw = text_in(why, sizeof(why));
        struct of_match m;

        flow_match(c.at[i].flow, &m);
        print_flow(e, &tf, c.at[i].flow);
        text_add(&tw, "%s is ", f->name);
        of_print_value(&tw, f, of_key_const_at(&e->key, f));
        text_add(&tw, ", it wants ");
        of_print_field(&tw, f, of_key_const_at(&m.value, f), of_key_const_at(&m.mask, f));
        if (c.at[i].differing > 1)
            text_add(&tw, " (and %u more)", c.at[i].differing - 1);
        json_array_append_new(list, json_pack("{s:s, s:s}", "flow", flow, "why", why));
    }
    return list;
}

/* ---- actions on a key ---- */

static void write_bits(uint8_t *to, unsigned bytes, unsigned offset, unsigned count,
                       const uint8_t *from, unsigned from_bytes, unsigned from_offset)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned source = from_offset + i, target = offset + i;
        bool one = from[from_bytes - 1 - source / 8] >> source % 8 & 1;
        uint8_t bit = (uint8_t)(1u << target % 8);
        uint8_t *at = &to[bytes - 1 - target / 8];

        *at = one ? *at | bit : (uint8_t)(*at & ~bit);
    }
}

/* Fields that are written: "tun_id was 0, is 0x11". */
static void field_written(struct explanation *e, const char *what, enum of_field_id id,
                          const struct of_key *before)
{
    const struct of_field *f = &of_fields[id];
    char buffer[256];
    struct text t = text_in(buffer, sizeof(buffer));

    text_add(&t, "%s was ", f->name);
    of_print_value(&t, f, of_key_const_at(before, f));
    text_add(&t, ", is ");
    of_print_value(&t, f, of_key_const_at(&e->key, f));
    step(e, what, "%s", buffer);
}

static void do_set_field(struct explanation *e, const char *what, const struct of_action *a)
{
    const struct of_field *f = &of_fields[a->set_field.field];
    struct of_key before = e->key;

    if (!f->pipeline && !of_field_allowed(f, &e->key)) {
        step(e, what, "the packet has no %s: nothing happens", f->name);
        return;
    }
    memcpy(of_key_at(&e->key, f), a->set_field.value, f->bytes);
    field_written(e, what, a->set_field.field, &before);
}

static void do_load(struct explanation *e, const char *what, const struct of_action *a)
{
    const struct of_field *f = &of_fields[a->reg_load.field];
    struct of_key before = e->key;
    uint8_t value[8];
    struct writer w = writer_of(value, sizeof(value));

    wr_u64(&w, a->reg_load.value);
    write_bits(of_key_at(&e->key, f), f->bytes, a->reg_load.offset, a->reg_load.n_bits, value,
               sizeof(value), 0);
    field_written(e, what, a->reg_load.field, &before);
}

static void do_move(struct explanation *e, const char *what, const struct of_action *a)
{
    const struct of_field *from = &of_fields[a->reg_move.from], *to = &of_fields[a->reg_move.to];
    struct of_key before = e->key;

    write_bits(of_key_at(&e->key, to), to->bytes, a->reg_move.to_offset, a->reg_move.n_bits,
               of_key_const_at(&before, from), from->bytes, a->reg_move.from_offset);
    field_written(e, what, a->reg_move.to, &before);
}

static void do_ttl(struct explanation *e, const char *what, const struct of_action *a)
{
    uint16_t type = ntohs(e->key.eth_type);
    uint8_t before = e->key.ip_ttl;

    if (a->type == OFPAT_SET_MPLS_TTL || a->type == OFPAT_DEC_MPLS_TTL ||
        a->type == OFPAT_COPY_TTL_OUT || a->type == OFPAT_COPY_TTL_IN) {
        step(e, what, "the TTL of a label is not among the fields: not followed here");
    } else if (type != ETH_IPV4 && type != ETH_IPV6) {
        step(e, what, "the packet is no IP: nothing happens");
    } else if (a->type == OFPAT_SET_NW_TTL) {
        e->key.ip_ttl = a->ttl;
        step(e, what, "nw_ttl was %u, is %u", before, a->ttl);
    } else if (before <= 1) {
        step(e, what, "nw_ttl is %u: it is spent, the packet is dropped (a controller is told)",
             before);
        e->dropped = true;
        e->end = "its TTL is spent";
    } else {
        e->key.ip_ttl--;
        step(e, what, "nw_ttl was %u, is %u", before, e->key.ip_ttl);
    }
}

static void do_push(struct explanation *e, const char *what, const struct of_action *a)
{
    if (a->type == OFPAT_PUSH_VLAN) {
        if (!(e->key.vlan_vid & htons(OFPVID_PRESENT)))
            e->key.vlan_vid = htons(OFPVID_PRESENT);
        step(e, what, "a tag in front; vlan_vid is %u", ntohs(e->key.vlan_vid) & 0xfffu);
    } else {
        e->key.mpls_bos = ntohs(e->key.eth_type) != 0x8847 && ntohs(e->key.eth_type) != 0x8848;
        e->key.eth_type = htons(a->ethertype);
        step(e, what, "eth_type is 0x%04x", a->ethertype);
    }
}

static void do_pop(struct explanation *e, const char *what, const struct of_action *a)
{
    if (a->type == OFPAT_POP_VLAN) {
        bool tagged = e->key.vlan_vid & htons(OFPVID_PRESENT);

        e->key.vlan_vid = 0;
        e->key.vlan_pcp = 0;
        step(e, what, tagged ? "the outer tag goes" : "the packet has no tag: nothing happens");
        return;
    }
    if (a->type == OFPAT_POP_MPLS)
        e->key.eth_type = htons(a->ethertype);
    step(e, what,
         "what lies under the header is not known from here on: give the packet with "
         "--packet from behind it to follow it");
}

static void run_actions(struct explanation *e, const struct of_actions *actions);

static void do_output(struct explanation *e, const char *what, const struct of_action *a)
{
    uint32_t number = a->output.port;
    char buffer[32];
    struct text t = text_in(buffer, sizeof(buffer));
    const struct port *port = datapath_port(e->dp, number);

    of_print_port(&t, number);
    if (number < OFPP_MAX && !port) {
        step(e, what, "there is no port %s: this copy is dropped", buffer);
        return;
    }
    if (port && !port_is_live(port)) {
        step(e, what, "port %s is down: this copy is dropped", port->name);
        return;
    }
    if (number < OFPP_MAX && htonl(number) == e->key.in_port) {
        step(e, what,
             "the packet came in there, and only IN_PORT sends it back: this copy is "
             "dropped");
        return;
    }
    step(e, what, "leaves by %s", port ? port->name : buffer);
    json_array_append_new(e->outputs, json_string(port ? port->name : buffer));
}

/* One bucket, with a packet of its own. */
static void run_bucket(struct explanation *e, const struct group *group, uint32_t i,
                       const char *why)
{
    const struct of_bucket *bucket = &group->buckets[i].config;
    struct of_key before = e->key;
    char buffer[64];

    snprintf(buffer, sizeof(buffer), "bucket %u", i);
    step(e, buffer, "%s", why);
    e->depth++;
    run_actions(e, &bucket->actions);
    e->depth--;
    e->key = before;
    e->end = NULL;
    e->dropped = false;
}

static void do_group(struct explanation *e, const char *what, const struct of_action *a)
{
    const struct group *group = datapath_group(e->dp, a->group_id);
    uint32_t live = 0, total_weight = 0;
    char why[96];

    if (!group || e->depth >= GROUP_DEPTH) {
        step(e, what, group ? "groups stand too deep in groups" : "there is no such group");
        return;
    }
    step(e, what, "a group of type %s, %u buckets", of_group_type_name(group->type),
         group->bucket_count);
    e->depth++;
    for (uint32_t i = 0; i < group->bucket_count; i++)
        total_weight += group->buckets[i].config.weight;
    for (uint32_t i = 0; i < group->bucket_count; i++) {
        const struct of_bucket *bucket = &group->buckets[i].config;
        unsigned steps = GROUP_STEPS;
        bool is_live = bucket_is_live(e->dp, datapath_version(e->dp), bucket, &steps);
        bool takes = group->type == OFPGT_ALL || group->type == OFPGT_INDIRECT ||
                     (group->type == OFPGT_SELECT && is_live && bucket->weight) ||
                     (group->type == OFPGT_FF && is_live && live == 0);

        live += is_live;
        snprintf(why, sizeof(why), "weight %u of %u%s", bucket->weight, total_weight,
                 is_live ? ": one of these, by the conversation's hash" : ", not live");
        if (takes)
            run_bucket(e, group, i,
                       group->type == OFPGT_SELECT ? why
                       : group->type == OFPGT_FF   ? "the first that is live"
                                                   : "");
        else if (group->type == OFPGT_FF || group->type == OFPGT_SELECT)
            step(e, "bucket passed over", "%s",
                 group->type == OFPGT_SELECT ? why
                 : is_live                   ? "one before it is live"
                                             : "what it watches is down");
    }
    e->depth--;
}

static void run_action(struct explanation *e, const struct of_action *a)
{
    char buffer[512];
    struct text t = text_in(buffer, sizeof(buffer));
    struct of_action copy = *a;
    struct of_actions one = {&copy, 1};

    of_print_actions(&t, &one);
    switch (a->type) {
    case OFPAT_OUTPUT:
        do_output(e, buffer, a);
        break;
    case OFPAT_GROUP:
        do_group(e, buffer, a);
        break;
    case OFPAT_SET_FIELD:
        do_set_field(e, buffer, a);
        break;
    case OF_NX_REG_LOAD:
        do_load(e, buffer, a);
        break;
    case OF_NX_REG_MOVE:
        do_move(e, buffer, a);
        break;
    case OFPAT_PUSH_VLAN:
    case OFPAT_PUSH_MPLS:
    case OFPAT_PUSH_PBB:
        do_push(e, buffer, a);
        break;
    case OFPAT_POP_VLAN:
    case OFPAT_POP_MPLS:
    case OFPAT_POP_PBB:
        do_pop(e, buffer, a);
        break;
    case OFPAT_SET_QUEUE:
        step(e, buffer, "for outputs from here on");
        break;
    default:
        do_ttl(e, buffer, a);
    }
}

static void run_actions(struct explanation *e, const struct of_actions *actions)
{
    for (size_t i = 0; i < actions->count && !e->dropped; i++)
        run_action(e, &actions->at[i]);
}

/* ---- the action set ---- */

/* The place of an action in the set's order (clause 5.10). */
static int order_of(const struct of_action *a)
{
    switch (a->type) {
    case OFPAT_COPY_TTL_IN:
        return 1;
    case OFPAT_POP_VLAN:
    case OFPAT_POP_MPLS:
    case OFPAT_POP_PBB:
        return 2;
    case OFPAT_PUSH_MPLS:
        return 3;
    case OFPAT_PUSH_PBB:
        return 4;
    case OFPAT_PUSH_VLAN:
        return 5;
    case OFPAT_COPY_TTL_OUT:
        return 6;
    case OFPAT_DEC_MPLS_TTL:
    case OFPAT_DEC_NW_TTL:
        return 7;
    case OFPAT_SET_QUEUE:
        return 9;
    case OFPAT_GROUP:
        return 10;
    case OFPAT_OUTPUT:
        return 11;
    default:
        return 8;
    }
}

static bool same_kind(const struct of_action *a, const struct of_action *b)
{
    return a->type == b->type &&
           (a->type != OFPAT_SET_FIELD || a->set_field.field == b->set_field.field);
}

static void write_actions(struct explanation *e, const struct of_actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        size_t j = 0;

        while (j < e->set.count && !same_kind(&e->set.at[j], &actions->at[i]))
            j++;
        if (j == sizeof(e->set.at) / sizeof(e->set.at[0]))
            return;
        e->set.at[j] = actions->at[i];
        e->set.count += j == e->set.count;
    }
}

static void run_action_set(struct explanation *e)
{
    bool has_group = false;

    if (e->set.count == 0 || e->dropped)
        return;
    step(e, "the action set", "in the standard's order");
    for (size_t i = 0; i < e->set.count; i++)
        has_group |= e->set.at[i].type == OFPAT_GROUP;
    for (int order = 1; order <= 11; order++)
        for (size_t i = 0; i < e->set.count && !e->dropped; i++) {
            if (order_of(&e->set.at[i]) != order)
                continue;
            if (order == 11 && has_group)
                step(e, "output", "not done: the set has a group");
            else
                run_action(e, &e->set.at[i]);
        }
}

/* ---- tables ---- */

static void tell_meter(struct explanation *e, uint32_t id)
{
    char buffer[96];

    snprintf(buffer, sizeof(buffer), "meter:%u", id);
    step(e, buffer,
         datapath_meter(e->dp, id) ? "may drop the packet when the rate is above its bands"
                                   : "there is no such meter");
}

static void write_metadata(struct explanation *e, uint64_t metadata, uint64_t mask)
{
    uint64_t before = of_key_get(&e->key, OF_METADATA);
    uint64_t after = (before & ~mask) | (metadata & mask);

    of_key_set(&e->key, OF_METADATA, after);
    step(e, "write_metadata", "metadata was 0x%llx, is 0x%llx", (unsigned long long)before,
         (unsigned long long)after);
}

/* Returns the next table, or NO_TABLE. */
static uint8_t run_instruction(struct explanation *e, const struct of_instruction *in)
{
    switch (in->type) {
    case OFPIT_METER:
        tell_meter(e, in->meter_id);
        break;
    case OFPIT_APPLY_ACTIONS:
        run_actions(e, &in->actions);
        break;
    case OFPIT_CLEAR_ACTIONS:
        e->set.count = 0;
        step(e, "clear_actions", "the action set is empty");
        break;
    case OFPIT_WRITE_ACTIONS:
        write_actions(e, &in->actions);
        step(e, "write_actions", "the action set has %zu actions", e->set.count);
        break;
    case OFPIT_WRITE_METADATA:
        write_metadata(e, in->write_metadata.metadata, in->write_metadata.mask);
        break;
    default:
        return in->table_id;
    }
    return NO_TABLE;
}

/* In the order of clause 5.9. Returns the next table, or NO_TABLE. */
static uint8_t run_instructions(struct explanation *e, const struct flow *flow)
{
    static const uint16_t order[] = {OFPIT_METER,         OFPIT_APPLY_ACTIONS,  OFPIT_CLEAR_ACTIONS,
                                     OFPIT_WRITE_ACTIONS, OFPIT_WRITE_METADATA, OFPIT_GOTO_TABLE};
    struct of_instructions instructions = {0};
    uint8_t next = NO_TABLE;

    (void)flow_instructions(flow, &instructions, &e->arena);
    for (size_t n = 0; n < sizeof(order) / sizeof(order[0]); n++)
        for (size_t i = 0; i < instructions.count && !e->dropped; i++)
            if (instructions.at[i].type == order[n])
                next = run_instruction(e, &instructions.at[i]);
    return e->dropped ? NO_TABLE : next;
}

/* One table; the next one, or NO_TABLE. */
static uint8_t run_table(struct explanation *e, uint8_t id, json_t *tables)
{
    const struct rule *rule = table_lookup(&e->dp->tables, id, datapath_version(e->dp), &e->key);
    const struct flow *flow = rule ? flow_of(rule) : NULL;
    char buffer[TEXT_SIZE];
    struct text t = text_in(buffer, sizeof(buffer));
    json_t *row = json_pack("{s:i}", "table", (int)id);
    uint8_t next;

    if (flow)
        print_flow(e, &t, flow);
    else
        text_add(&t, "no flow matches");
    json_object_set_new(row, "flow", json_string(buffer));
    if (flow) {
        snprintf(buffer, sizeof(buffer), "0x%llx", (unsigned long long)flow->cookie);
        json_object_set_new(row, "cookie", json_string(buffer));
    }
    json_object_set_new(row, "passed_over", passed_over(e, id, flow));
    e->steps = json_array();
    json_object_set_new(row, "steps", e->steps);
    json_array_append_new(tables, row);
    if (!flow) {
        e->end = "no flow matches, and there is no table-miss flow";
        return NO_TABLE;
    }
    next = run_instructions(e, flow);
    if (next != NO_TABLE) {
        snprintf(buffer, sizeof(buffer), "goto_table:%u", next);
        step(e, buffer, "%s", "");
    } else {
        run_action_set(e);
    }
    return next;
}

static void add_verdict(struct explanation *e, json_t *answer)
{
    char buffer[1024];
    struct text t = text_in(buffer, sizeof(buffer));
    size_t i;
    json_t *port;

    json_array_foreach(e->outputs, i, port)
        text_add(&t, "%s%s", i ? ", " : "leaves by ", json_string_value(port));
    if (i > 0 && e->end)
        text_add(&t, "; then it ends: %s", e->end);
    else if (i == 0)
        text_add(&t, "dropped: %s", e->end ? e->end : "no action sends it anywhere");
    json_object_set_new(answer, "verdict", json_string(buffer));
}

json_t *explain_packet(struct datapath *dp, const struct of_key *key)
{
    struct explanation e = {.dp = dp, .key = *key, .outputs = json_array()};
    json_t *tables = json_array();
    json_t *answer = json_pack("{s:o, s:o, s:o}", "packet", key_json(key), "tables", tables,
                               "outputs", e.outputs);
    uint8_t table = 0;

    if (!answer)
        return NULL;
    arena_init(&e.arena, 16u << 20);
    while (table != NO_TABLE)
        table = run_table(&e, table, tables);
    json_object_set_new(answer, "packet_after", key_json(&e.key));
    add_verdict(&e, answer);
    arena_free(&e.arena);
    return answer;
}

/* ---- the request ---- */

/* The frame's headers into the key; false when it is none. */
static bool read_frame(const char *hex, struct of_key *key)
{
    uint8_t frame[PACKET_ROOM];
    int len = hex_parse(hex, frame, sizeof(frame));
    struct packet *p = len > 0 ? packet_copy_of(bytes_of(frame, (size_t)len)) : NULL;
    bool valid = false;

    if (p) {
        packet_enter(p, 0);
        packet_parse(p);
        *key = p->key;
        valid = p->valid;
        packet_free(p);
    }
    return valid;
}

/* What the match says goes over what the frame says. */
static void add_fields(struct of_key *key, const struct of_match *m)
{
    for (uint64_t left = m->fields; left; left &= left - 1) {
        const struct of_field *f = &of_fields[__builtin_ctzll(left)];

        memcpy(of_key_at(key, f), of_key_const_at(&m->value, f), f->bytes);
    }
}

void explain_request(const struct control_request *request, struct control_answer *answer)
{
    const char *match = control_argument(request, "match");
    const char *packet = control_argument(request, "packet");
    struct of_key key = {0};
    struct of_parser p = {0};
    struct of_match m;

    if (!match && !packet) {
        control_refuse(answer, 400, "expected ?match=MATCH or ?packet=HEX");
        return;
    }
    if (packet && !read_frame(packet, &key)) {
        control_refuse(answer, 400, "packet= is no whole Ethernet frame in hexadecimal digits");
        return;
    }
    if (match && of_parse_flow_match(&p, match, strlen(match), &m) < 0) {
        control_refuse(answer, 400, "%.*s: %s", (int)p.len, p.at, p.why);
        return;
    }
    if (match)
        add_fields(&key, &m);
    answer->json = explain_packet(&sw.dp, &key);
    if (!answer->json)
        control_refuse(answer, 500, "no memory");
}
