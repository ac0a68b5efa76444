/*
 * flows.c -- what a session's PDRs, FARs and QERs mean to a switch; flows.h draws the tables.
 *
 * A PDR with an F-TEID stands in table INGRESS, where its packets come from the network, in LOCAL,
 * where they come from the other gateway inside this switch, or in both:
 *
 *     S1-U and the like (interface type told)      INGRESS
 *     S5/S8-U (told)                               LOCAL; INGRESS too when s5_from_network
 *     not told, source Core (an S-GW's downlink)   as S5/S8-U
 *     not told, source Access, to an exit          both: a P-GW, or an S-GW and P-GW in one
 *     not told, source Access, into a tunnel       INGRESS: an S-GW's uplink
 *
 * A PDR without one stands in DOWNLINK, by the phone's address. Each SDF filter, each IP version
 * and each block of ports gives a flow of its own.
 */
#include <errno.h>
#include <string.h>

#include "controller/flows.h"

_Static_assert(sizeof(struct up_match) == 56, "no padding: matches are compared as bytes");
_Static_assert(sizeof(struct up_action) == 16, "no padding: actions are compared as bytes");

struct list {
    const struct up_environment *env;
    const struct up_switch_view *view;
    const struct up_rules *rules;
    struct up_flow *flows;
    int count; /* or -E2BIG */
};

static void add(struct list *list, const struct up_match *match, const struct up_action *action)
{
    if (list->count < 0)
        return;
    if (list->count == UP_MAX_FLOWS) {
        list->count = -E2BIG;
        return;
    }
    list->flows[list->count++] = (struct up_flow){*match, *action};
}

static uint16_t priority_of(uint32_t precedence)
{
    uint32_t steps = (UP_PRIORITY_FIRST - UP_PRIORITY_LAST) / 2;

    return (uint16_t)(UP_PRIORITY_FIRST - 2 * (precedence < steps ? precedence : steps));
}

/* ---- actions ---- */

/* Gates and the strictest rate of the PDR's QERs. False: nothing may pass. A flow goes through one
 * meter at most (OpenFlow 1.3 clause 5.9). */
static bool apply_qers(const struct list *list, const struct up_pdr *pdr, uint32_t *meter)
{
    bool uplink = up_pdr_is_uplink(pdr);
    uint32_t strictest = UINT32_MAX;

    *meter = 0;
    for (unsigned i = 0; i < pdr->qer_count; i++) {
        const struct up_qer *qer = up_qer_of(list->rules, pdr->qer_id[i]);
        if (!qer)
            continue;
        uint32_t kbps = uplink ? qer->uplink_kbps : qer->downlink_kbps;
        if ((uplink ? qer->uplink_closed : qer->downlink_closed) || (qer->has_rates && kbps == 0))
            return false;
        if (qer->has_rates && kbps < strictest) {
            strictest = kbps;
            *meter = uplink ? qer->uplink_meter : qer->downlink_meter;
        }
    }
    if (!list->view->has_meters)
        *meter = 0;
    return true;
}

static void forward(const struct list *list, const struct up_pdr *pdr, const struct up_far *far,
                    uint8_t table, struct up_action *action)
{
    if (!far->has_outer) {
        action->kind = UP_TO_EXIT;
        action->exit = up_exit_of(list->env, pdr, far);
        return;
    }
    action->tunnel = far->teid;
    if (far->address.s_addr == list->env->address.s_addr) {
        /* From LOCAL there is no way to LOCAL: tables are only ever left forwards. Nobody asks for
         * three gateways. */
        action->kind = table < UP_TABLE_LOCAL ? UP_TO_LOCAL : UP_DROP;
        return;
    }
    action->kind = table == UP_TABLE_INGRESS ? UP_BACK_TO_TUNNEL : UP_TO_TUNNEL;
    action->address = far->address.s_addr;
}

static struct up_action action_of(const struct list *list, const struct up_pdr *pdr, uint8_t table)
{
    const struct up_far *far = up_pdr_far(list->rules, pdr);
    struct up_action action = {.kind = UP_DROP, .pdr_id = pdr->id};
    uint32_t meter;

    if (!far || far->action & PFCP_APPLY_DROP || !apply_qers(list, pdr, &meter))
        return action;
    if (far->action & PFCP_APPLY_BUFF) {
        action.kind = UP_TO_CONTROLLER;
        action.meter = list->view->has_meters ? UP_METER_BUFFERED : 0;
        return action;
    }
    action.meter = meter;
    forward(list, pdr, far, table, &action);
    if (action.kind == UP_DROP)
        return (struct up_action){.kind = UP_DROP, .pdr_id = pdr->id};
    return action;
}

/* ---- matches ---- */

/* Narrows one end of the match to an address. False when the two cannot be met at once. */
static bool narrow(uint8_t *at, uint8_t *prefix, const void *address, uint8_t bits)
{
    unsigned shorter = *prefix < bits ? *prefix : bits;

    if (!up_prefix_equal(at, address, shorter))
        return false;
    if (bits > *prefix) {
        memset(at, 0, 16);
        memcpy(at, address, bits / 8);
        if (bits % 8)
            at[bits / 8] = ((const uint8_t *)address)[bits / 8] & (uint8_t)(0xff00u >> bits % 8);
        *prefix = bits;
    }
    return true;
}

static void add_ports(struct list *list, const struct up_filter *filter, bool uplink,
                      struct up_match match, const struct up_action *action)
{
    struct up_port_mask remote[UP_MAX_PORT_MASKS], local[UP_MAX_PORT_MASKS];
    unsigned remotes = up_port_masks(filter->remote.port_low, filter->remote.port_high, remote);
    unsigned locals = up_port_masks(filter->local.port_low, filter->local.port_high, local);

    for (unsigned r = 0; r < remotes; r++) {
        for (unsigned l = 0; l < locals; l++) {
            const struct up_port_mask *src = uplink ? &local[l] : &remote[r];
            const struct up_port_mask *dst = uplink ? &remote[r] : &local[l];
            match.src_port = src->value;
            match.src_port_mask = src->mask;
            match.dst_port = dst->value;
            match.dst_port_mask = dst->mask;
            add(list, &match, action);
        }
    }
}

static void add_filter(struct list *list, const struct up_filter *filter, bool uplink,
                       struct up_match match, const struct up_action *action)
{
    const struct up_filter_end *src = uplink ? &filter->local : &filter->remote;
    const struct up_filter_end *dst = uplink ? &filter->remote : &filter->local;

    if (filter->version != 0 && filter->version != match.version)
        return;
    if (!narrow(match.src, &match.src_prefix, &src->address, src->prefix) ||
        !narrow(match.dst, &match.dst_prefix, &dst->address, dst->prefix))
        return;
    match.protocol = filter->protocol;
    if (filter->tos_mask)
        match.dscp = (uint8_t)(0x80 | filter->tos >> 2);
    add_ports(list, filter, uplink, match, action);
}

/* The flows of a PDR for one IP version. */
static void add_version(struct list *list, const struct up_pdr *pdr, struct up_match match,
                        uint8_t version, const struct up_action *action)
{
    const void *ue = version == 4 ? (const void *)&pdr->ue4 : (const void *)&pdr->ue6;
    uint8_t bits = version == 4 ? 32 : pdr->ue6_prefix;
    bool has_ue = version == 4 ? pdr->has_ue4 : pdr->has_ue6;

    match.version = version;
    if (has_ue && pdr->ue_is_destination)
        narrow(match.dst, &match.dst_prefix, ue, bits);
    else if (has_ue)
        narrow(match.src, &match.src_prefix, ue, bits);
    for (unsigned i = 0; i < pdr->filter_count; i++)
        add_filter(list, &list->rules->filters[pdr->filter_first + i], up_pdr_is_uplink(pdr), match,
                   action);
    if (pdr->filter_count == 0)
        add(list, &match, action);
}

/* What a phone with an IPv6 prefix says to its router: to link-local and multicast addresses
 * (fe00::/7 holds both). */
static void add_router_flow(struct list *list, const struct up_pdr *pdr, struct up_match match)
{
    struct up_action action = {.kind = UP_TO_CONTROLLER,
                               .pdr_id = pdr->id,
                               .meter = list->view->has_meters ? UP_METER_CONTROL : 0};

    match.version = 6;
    match.priority = UP_PRIORITY_CONTROL;
    match.dst[0] = 0xfe;
    match.dst_prefix = 7;
    add(list, &match, &action);
}

/* A PDR in one table. */
static void add_pdr(struct list *list, const struct up_pdr *pdr, uint8_t table)
{
    struct up_match match = {
        .table = table, .priority = priority_of(pdr->precedence), .tunnel = pdr->teid};
    struct up_action action = action_of(list, pdr, table);

    if (table == UP_TABLE_INGRESS)
        match.in_port = list->view->gtpu_port;
    if (table == UP_TABLE_DOWNLINK) {
        match.tunnel = 0;
        match.in_port = list->view->exit_ports[up_entry_of(list->env, pdr) % UP_MAX_EXITS];
    }
    if (!pdr->has_ue4 && !pdr->has_ue6 && pdr->filter_count == 0) {
        add(list, &match, &action); /* all that comes in the tunnel */
        return;
    }
    bool both = !pdr->has_ue4 && !pdr->has_ue6;
    if (pdr->has_ue4 || both)
        add_version(list, pdr, match, 4, &action);
    if (pdr->has_ue6 || both)
        add_version(list, pdr, match, 6, &action);
    if (pdr->has_ue6 && up_pdr_is_uplink(pdr) && pdr->has_teid && action.kind == UP_TO_EXIT)
        add_router_flow(list, pdr, match);
}

static void add_tunnel_pdr(struct list *list, const struct up_pdr *pdr)
{
    const struct up_far *far = up_pdr_far(list->rules, pdr);
    bool told = pdr->interface_type != UP_NOT_TOLD;
    bool is_s5 = told ? pdr->interface_type == UP_S5_S8_U : !up_pdr_is_uplink(pdr);
    bool is_last =
        !told && up_pdr_is_uplink(pdr) && far && far->action & PFCP_APPLY_FORW && !far->has_outer;

    if (!is_s5 || list->env->s5_from_network)
        add_pdr(list, pdr, UP_TABLE_INGRESS);
    if (is_s5 || is_last)
        add_pdr(list, pdr, UP_TABLE_LOCAL);
}

int up_flows_of(const struct up_environment *env, const struct up_switch_view *view,
                const struct up_rules *rules, struct up_flow flows[UP_MAX_FLOWS])
{
    struct list list = {env, view, rules, flows, 0};

    for (unsigned i = 0; rules && i < rules->pdr_count; i++) {
        if (rules->pdrs[i].has_teid)
            add_tunnel_pdr(&list, &rules->pdrs[i]);
        else
            add_pdr(&list, &rules->pdrs[i], UP_TABLE_DOWNLINK);
    }
    return list.count;
}

/* ---- differences ---- */

bool up_match_equal(const struct up_match *a, const struct up_match *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

bool up_action_equal(const struct up_action *a, const struct up_action *b)
{
    return a->kind == b->kind && a->exit == b->exit && a->tunnel == b->tunnel &&
           a->address == b->address && a->meter == b->meter;
}

static const struct up_flow *same_match(const struct up_flow *flows, int count,
                                        const struct up_flow *flow)
{
    for (int i = 0; i < count; i++)
        if (up_match_equal(&flows[i].match, &flow->match))
            return &flows[i];
    return NULL;
}

void up_flows_difference(const struct up_flow *from, int from_count, const struct up_flow *to,
                         int to_count, void (*put)(void *context, const struct up_flow *flow),
                         void (*take)(void *context, const struct up_flow *flow), void *context)
{
    for (int i = 0; i < to_count; i++) {
        const struct up_flow *before = same_match(from, from_count, &to[i]);
        if (!before || !up_action_equal(&before->action, &to[i].action))
            put(context, &to[i]);
    }
    for (int i = 0; i < from_count; i++)
        if (!same_match(to, to_count, &from[i]))
            take(context, &from[i]);
}

/* The rate of a meter in these rules; 0 when they do not use it. */
static uint32_t meter_rate(const struct up_rules *rules, uint32_t meter)
{
    for (unsigned i = 0; rules && i < rules->qer_count; i++) {
        if (rules->qers[i].uplink_meter == meter)
            return rules->qers[i].uplink_kbps;
        if (rules->qers[i].downlink_meter == meter)
            return rules->qers[i].downlink_kbps;
    }
    return 0;
}

void up_meters_difference(const struct up_rules *from, const struct up_rules *to,
                          void (*put)(void *context, uint32_t meter, uint32_t kbps, bool is_new),
                          void (*take)(void *context, uint32_t meter), void *context)
{
    for (unsigned i = 0; to && i < 2u * to->qer_count; i++) {
        const struct up_qer *qer = &to->qers[i / 2];
        uint32_t meter = i % 2 ? qer->downlink_meter : qer->uplink_meter;
        uint32_t kbps = i % 2 ? qer->downlink_kbps : qer->uplink_kbps;
        uint32_t before = meter ? meter_rate(from, meter) : 0;
        if (meter && put && before != kbps)
            put(context, meter, kbps, before == 0);
    }
    for (unsigned i = 0; from && i < 2u * from->qer_count; i++) {
        const struct up_qer *qer = &from->qers[i / 2];
        uint32_t meter = i % 2 ? qer->downlink_meter : qer->uplink_meter;
        if (meter && take && meter_rate(to, meter) == 0)
            take(context, meter);
    }
}

struct up_match up_clamp_of(const struct up_match *match)
{
    struct up_match clamp = *match;

    clamp.priority++;
    return clamp;
}

/* ---- as OpenFlow ---- */

static void put_address(struct of_match *of, uint8_t version, bool is_source, const uint8_t *at,
                        uint8_t prefix)
{
    if (prefix == 0)
        return;
    if (version == 4) {
        struct in_addr address;
        memcpy(&address, at, sizeof(address));
        of_match_ipv4(of, is_source ? OF_IPV4_SRC : OF_IPV4_DST, address, prefix);
        return;
    }
    struct in6_addr address;
    memcpy(&address, at, sizeof(address));
    of_match_ipv6(of, is_source ? OF_IPV6_SRC : OF_IPV6_DST, &address, prefix);
}

static void put_port(struct of_match *of, const struct up_match *match, bool is_source)
{
    uint16_t port = is_source ? match->src_port : match->dst_port;
    uint16_t mask = is_source ? match->src_port_mask : match->dst_port_mask;
    enum of_field_id id;

    if (mask == 0)
        return;
    if (match->protocol == IP_TCP)
        id = is_source ? OF_TCP_SRC : OF_TCP_DST;
    else if (match->protocol == IP_UDP)
        id = is_source ? OF_UDP_SRC : OF_UDP_DST;
    else
        id = is_source ? OF_SCTP_SRC : OF_SCTP_DST;
    if (mask == UINT16_MAX)
        of_match_set(of, id, port);
    else
        of_match_set_masked(of, id, port, mask);
}

void up_match_to_of(const struct up_match *match, struct of_match *of)
{
    memset(of, 0, sizeof(*of));
    if (match->in_port)
        of_match_set(of, OF_IN_PORT, match->in_port);
    if (match->tunnel)
        of_match_set(of, OF_TUNNEL_ID, match->tunnel);
    if (match->version)
        of_match_set(of, OF_ETH_TYPE, match->version == 4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6);
    if (match->protocol)
        of_match_set(of, OF_IP_PROTO, match->protocol);
    if (match->dscp)
        of_match_set(of, OF_IP_DSCP, match->dscp & 0x3f);
    put_address(of, match->version, true, match->src, match->src_prefix);
    put_address(of, match->version, false, match->dst, match->dst_prefix);
    put_port(of, match, true);
    put_port(of, match, false);
}

static size_t put_actions(const struct up_switch_view *view, const struct up_action *action,
                          struct of_action actions[4])
{
    size_t n = 0;

    switch (action->kind) {
    case UP_TO_TUNNEL:
    case UP_BACK_TO_TUNNEL:
        actions[n++] = of_set_field(OF_TUNNEL_ID, action->tunnel);
        actions[n++] = of_set_field_bytes(OF_TUN_DST, &action->address);
        actions[n++] = of_output(action->kind == UP_TO_TUNNEL ? view->gtpu_port : OFPP_IN_PORT);
        break;
    case UP_TO_LOCAL:
        actions[n++] = of_set_field(OF_TUNNEL_ID, action->tunnel);
        break;
    case UP_TO_CONTROLLER:
        actions[n++] = of_output(OFPP_CONTROLLER);
        break;
    default:
        break;
    }
    return n;
}

static size_t put_instructions(const struct up_switch_view *view, const struct up_action *action,
                               struct up_flow_space *space)
{
    size_t n = 0;
    size_t action_count = put_actions(view, action, space->actions);

    if (action->meter)
        space->instructions[n++] =
            (struct of_instruction){.type = OFPIT_METER, .meter_id = action->meter};
    if (action_count > 0)
        space->instructions[n++] = (struct of_instruction){
            .type = OFPIT_APPLY_ACTIONS, .actions = {space->actions, action_count}};
    if (action->kind == UP_TO_LOCAL)
        space->instructions[n++] =
            (struct of_instruction){.type = OFPIT_GOTO_TABLE, .table_id = UP_TABLE_LOCAL};
    if (action->kind == UP_TO_EXIT)
        space->instructions[n++] = (struct of_instruction){
            .type = OFPIT_GOTO_TABLE, .table_id = (uint8_t)(UP_TABLE_EXIT + action->exit)};
    return n;
}

void up_flow_mod(const struct up_switch_view *view, const struct up_flow *flow, uint8_t command,
                 uint64_t cookie, struct of_flow_mod *mod, struct up_flow_space *space)
{
    bool is_delete = command == OFPFC_DELETE || command == OFPFC_DELETE_STRICT;

    mod->cookie = cookie;
    mod->cookie_mask = 0;
    mod->table_id = flow->match.table;
    mod->command = command;
    mod->idle_timeout = mod->hard_timeout = 0;
    mod->priority = flow->match.priority;
    mod->buffer_id = OFP_NO_BUFFER;
    mod->out_port = OFPP_ANY;
    mod->out_group = OFPG_ANY;
    mod->flags = 0;
    up_match_to_of(&flow->match, &mod->match);
    mod->instructions.at = space->instructions;
    mod->instructions.count = is_delete ? 0 : put_instructions(view, &flow->action, space);
}

bool up_flow_is(const struct up_flow *flow, uint8_t table, uint16_t priority,
                const struct of_match *match)
{
    struct of_match own;

    if (flow->match.table != table || flow->match.priority != priority)
        return false;
    up_match_to_of(&flow->match, &own);
    return of_match_equal(&own, match);
}

/* Compared as written: the codec's order of parts is the same for both. */
bool up_flow_does(const struct up_switch_view *view, const struct up_flow *flow,
                  const struct of_instructions *instructions)
{
    uint8_t own[256], theirs[256];
    struct writer a = writer_of(own, sizeof(own)), b = writer_of(theirs, sizeof(theirs));
    struct up_flow_space space;
    size_t n = put_instructions(view, &flow->action, &space);

    of_encode_instructions(&a, &(struct of_instructions){space.instructions, n});
    of_encode_instructions(&b, instructions);
    return !a.bad && !b.bad && bytes_equal(wr_view(&a), wr_view(&b));
}

void up_flow_print(const struct up_switch_view *view, struct text *t, const struct up_flow *flow)
{
    struct up_flow_space space;
    struct of_match match;

    up_match_to_of(&flow->match, &match);
    text_add(t, "table=%u priority=%u ", flow->match.table, flow->match.priority);
    if (match.fields) {
        of_print_match(t, &match);
        text_add(t, " ");
    }
    struct of_instructions instructions = {space.instructions,
                                           put_instructions(view, &flow->action, &space)};
    of_print_instructions(t, &instructions);
}
