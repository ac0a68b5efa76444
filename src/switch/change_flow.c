/*
 * change_flow.c -- OFPT_FLOW_MOD (OpenFlow 1.3.5 clause 6.4) and what actions and instructions may
 * be (clauses 5.9 to 5.12).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/loop.h"
#include "switch/change.h"

#define KNOWN_FLAGS                                                                         \
    (OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP | OFPFF_RESET_COUNTS | OFPFF_NO_PKT_COUNTS | \
     OFPFF_NO_BYT_COUNTS)

/* ---- actions ---- */

static of_error check_port(uint32_t port, bool packet_out)
{
    switch (port) {
    case OFPP_IN_PORT:
    case OFPP_NORMAL:
    case OFPP_FLOOD:
    case OFPP_ALL:
    case OFPP_CONTROLLER:
        return 0;
    case OFPP_TABLE: /* clause 4.5: only in packet-out */
        return packet_out ? 0 : OFPBAC_BAD_OUT_PORT;
    default: /* a port that is not there may come */
        return port > 0 && port <= OFPP_MAX ? 0 : OFPBAC_BAD_OUT_PORT;
    }
}

static bool is_vlan_type(uint16_t type)
{
    return type == ETH_TYPE_VLAN || type == ETH_TYPE_SERVICE_VLAN;
}

static bool is_mpls_type(uint16_t type)
{
    return type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MULTICAST;
}

/* What the packets of a flow look like while its actions are carried out, as far as the match
 * tells: `known` false means that nothing is known and every action could apply. */
struct shape {
    struct of_key key;
    bool known;
};

static of_error require(const struct shape *s, bool holds)
{
    return !s->known || holds ? 0 : OFPBAC_MATCH_INCONSISTENT;
}

static bool shape_is_ip(const struct shape *s)
{
    uint16_t type = ntohs(s->key.eth_type);

    return type == ETH_TYPE_IPV4 || type == ETH_TYPE_IPV6;
}

static of_error check_set_field(struct shape *s, enum of_field_id id, const uint8_t *value)
{
    const struct of_field *f = &of_fields[id];

    if (id == OF_VLAN_VID && !(value[0] & OFPVID_PRESENT >> 8))
        return OFPBAC_BAD_SET_ARGUMENT; /* a tag is taken away by pop_vlan */
    if (s->known && (!of_field_allowed(f, &s->key) ||
                     (id == OF_VLAN_VID && !(s->key.vlan_vid & htons(OFPVID_PRESENT)))))
        return OFPBAC_MATCH_INCONSISTENT;
    memcpy(of_key_at(&s->key, f), value, f->bytes);
    return 0;
}

static of_error check_tag(struct shape *s, const struct of_action *a)
{
    uint16_t type = ntohs(s->key.eth_type);
    bool no_tag = s->known && !(s->key.vlan_vid & htons(OFPVID_PRESENT));

    switch (a->type) {
    case OFPAT_PUSH_VLAN:
        s->key.vlan_vid |= htons(OFPVID_PRESENT);
        return is_vlan_type(a->ethertype) ? 0 : OFPBAC_BAD_ARGUMENT;
    case OFPAT_POP_VLAN:
        s->key.vlan_vid = 0;
        return require(s, !no_tag);
    case OFPAT_PUSH_MPLS:
        s->key.eth_type = htons(a->ethertype);
        return is_mpls_type(a->ethertype) ? 0 : OFPBAC_BAD_ARGUMENT;
    case OFPAT_POP_MPLS:
        s->key.eth_type = htons(a->ethertype);
        s->key.ip_proto = 0;
        return require(s, is_mpls_type(type));
    case OFPAT_PUSH_PBB:
        s->key.eth_type = htons(a->ethertype);
        s->key.vlan_vid = 0;
        return a->ethertype == ETH_TYPE_PBB ? 0 : OFPBAC_BAD_ARGUMENT;
    default: /* OFPAT_POP_PBB: what is inside is not known */
        s->known = s->known && type != ETH_TYPE_PBB;
        return require(s, false);
    }
}

static of_error check_action(struct datapath *dp, struct shape *s, const struct of_action *a,
                             bool packet_out)
{
    static const uint8_t zero[16];
    uint16_t type = ntohs(s->key.eth_type);

    switch (a->type) {
    case OFPAT_OUTPUT:
        return check_port(a->output.port, packet_out);
    case OFPAT_GROUP:
        return datapath_group(dp, a->group_id) ? 0 : OFPBAC_BAD_OUT_GROUP;
    case OFPAT_SET_FIELD:
        return check_set_field(s, a->set_field.field, a->set_field.value);
    case OF_NX_REG_LOAD:
        return check_set_field(s, a->reg_load.field,
                               a->reg_load.field == OF_VLAN_VID ? (const uint8_t *)"\x10" : zero);
    case OF_NX_REG_MOVE:
        return require(s, of_field_allowed(&of_fields[a->reg_move.from], &s->key) &&
                              of_field_allowed(&of_fields[a->reg_move.to], &s->key));
    case OFPAT_SET_NW_TTL:
    case OFPAT_DEC_NW_TTL:
        return require(s, shape_is_ip(s));
    case OFPAT_SET_MPLS_TTL:
    case OFPAT_DEC_MPLS_TTL:
    case OFPAT_COPY_TTL_IN:
    case OFPAT_COPY_TTL_OUT:
        return require(s, is_mpls_type(type));
    case OFPAT_SET_QUEUE:
        return 0;
    default:
        return check_tag(s, a);
    }
}

static of_error check_list(struct datapath *dp, const struct of_actions *actions,
                           struct shape *shape, bool packet_out)
{
    for (size_t i = 0; i < actions->count; i++) {
        of_error error = check_action(dp, shape, &actions->at[i], packet_out);

        if (error)
            return error;
    }
    return 0;
}

of_error check_actions(struct datapath *dp, const struct of_actions *actions,
                       const struct of_match *match, bool packet_out)
{
    struct shape shape = {.known = match != NULL};

    if (match)
        shape.key = match->value;
    return check_list(dp, actions, &shape, packet_out);
}

/* ---- instructions ---- */

static bool has_table(const struct datapath *dp, uint8_t table_id)
{
    return table_id < TABLES && !dp->tables.table[table_id].removed;
}

/* Actions of the set are carried out in an order of their own: they are looked at without order,
 * and may not use registers' actions, which have no place in it. */
static of_error check_write_actions(struct datapath *dp, const struct of_actions *actions,
                                    const struct shape *after)
{
    for (size_t i = 0; i < actions->count; i++) {
        struct shape shape = *after;
        of_error error;

        if (actions->at[i].type > OFPAT_EXPERIMENTER)
            return OFPBAC_BAD_TYPE;
        shape.known = false;
        error = check_action(dp, &shape, &actions->at[i], false);
        if (error)
            return error;
    }
    return 0;
}

/* Clause 5.9: in this order instructions are carried out, so what one leaves is what the next
 * finds. */
static of_error check_instructions(struct datapath *dp, const struct of_flow_mod *mod)
{
    struct shape shape = {.key = mod->match.value, .known = true};

    for (size_t i = 0; i < mod->instructions.count; i++) {
        const struct of_instruction *in = &mod->instructions.at[i];
        of_error error = 0;

        switch (in->type) {
        case OFPIT_GOTO_TABLE:
            if (in->table_id <= mod->table_id || !has_table(dp, in->table_id))
                error = OFPBIC_BAD_TABLE_ID;
            break;
        case OFPIT_METER:
            if (!datapath_meter(dp, in->meter_id))
                error = OFPMMFC_UNKNOWN_METER;
            break;
        case OFPIT_APPLY_ACTIONS:
            error = check_list(dp, &in->actions, &shape, false);
            break;
        case OFPIT_WRITE_ACTIONS:
            error = check_write_actions(dp, &in->actions, &shape);
            break;
        default:
            break;
        }
        if (error)
            return error;
    }
    return 0;
}

/* ---- commands ---- */

static of_error no_room(int err)
{
    return err == -ENOSPC ? OFPFMFC_TABLE_FULL : err == -ENOMEM ? OFPFMFC_UNKNOWN : 0;
}

static struct flow *make_flow(struct datapath *dp, const struct of_flow_mod *mod)
{
    struct flow *flow =
        flow_new(&dp->tables, mod->table_id, mod->priority, &mod->match, &mod->instructions);

    if (!flow)
        return NULL;
    flow->cookie = mod->cookie;
    flow->idle_timeout = mod->idle_timeout;
    flow->hard_timeout = mod->hard_timeout;
    flow->flags = mod->flags;
    flow->created_us = clock_now_us();
    return flow;
}

/* An identical match and priority is replaced, without a flow-removed message; its counters stay
 * unless they are to be reset. */
static of_error add(struct transaction *t, const struct of_flow_mod *mod)
{
    struct tables *tables = &t->dp->tables;
    struct flow *old = table_find(tables, mod->table_id, mod->priority, &mod->match);
    struct flow *flow;
    int err;

    if ((mod->flags & OFPFF_CHECK_OVERLAP) &&
        table_overlaps(tables, mod->table_id, mod->priority, &mod->match))
        return OFPFMFC_OVERLAP;
    flow = make_flow(t->dp, mod);
    if (!flow)
        return OFPFMFC_UNKNOWN;
    err = old ? change_replace_flow(t, old, flow, mod->flags & OFPFF_RESET_COUNTS, false)
              : change_add_flow(t, flow, false);
    if (err < 0)
        change_discard_flow(flow);
    return no_room(err);
}

struct modifying {
    struct transaction *t;
    const struct of_flow_mod *mod;
};

static int modify_flow(struct flow *old, void *context)
{
    struct modifying *m = context;
    struct flow *flow = flow_new_like(&m->t->dp->tables, old, &m->mod->instructions);
    int err = flow ? change_replace_flow(m->t, old, flow, m->mod->flags & OFPFF_RESET_COUNTS, true)
                   : -ENOMEM;

    if (err < 0 && flow)
        change_discard_flow(flow);
    return err;
}

static int delete_flow(struct flow *flow, void *context)
{
    struct modifying *m = context;

    return change_remove_flow(m->t, flow, OFPRR_DELETE, false);
}

static bool strict_filter_passes(const struct flow *flow, const struct of_flow_mod *mod,
                                 bool outputs)
{
    if ((flow->cookie ^ mod->cookie) & mod->cookie_mask)
        return false;
    return !outputs ||
           ((mod->out_port == OFPP_ANY || flow_outputs_to(flow, mod->out_port, OFPG_ANY)) &&
            (mod->out_group == OFPG_ANY || flow_outputs_to(flow, OFPP_ANY, mod->out_group)));
}

static int each_strict(struct transaction *t, const struct of_flow_mod *mod, bool outputs,
                       int (*each)(struct flow *flow, void *context), void *context)
{
    unsigned first = mod->table_id == OFPTT_ALL ? 0 : mod->table_id;
    unsigned last = mod->table_id == OFPTT_ALL ? TABLES - 1 : mod->table_id;
    int err = 0;

    for (unsigned i = first; i <= last && err == 0; i++) {
        struct flow *flow = table_find(&t->dp->tables, (uint8_t)i, mod->priority, &mod->match);

        if (flow && strict_filter_passes(flow, mod, outputs))
            err = each(flow, context);
    }
    return err;
}

static int each_loose(struct transaction *t, const struct of_flow_mod *mod, bool outputs,
                      int (*each)(struct flow *flow, void *context), void *context)
{
    struct flow_filter filter = {
        .table_id = mod->table_id,
        .match = &mod->match,
        .cookie = mod->cookie,
        .cookie_mask = mod->cookie_mask,
        .out_port = outputs ? mod->out_port : OFPP_ANY,
        .out_group = outputs ? mod->out_group : OFPG_ANY,
    };

    return tables_each(&t->dp->tables, &filter, each, context);
}

of_error change_flow_mod(struct transaction *t, const struct of_flow_mod *mod)
{
    struct modifying m = {t, mod};
    bool deletes = mod->command == OFPFC_DELETE || mod->command == OFPFC_DELETE_STRICT;
    of_error error;

    if (mod->command > OFPFC_DELETE_STRICT)
        return OFPFMFC_BAD_COMMAND;
    if (!has_table(t->dp, mod->table_id) && !(deletes && mod->table_id == OFPTT_ALL))
        return OFPFMFC_BAD_TABLE_ID;
    if (mod->flags & ~KNOWN_FLAGS)
        return OFPFMFC_BAD_FLAGS;
    if (!deletes) {
        if (mod->buffer_id != OFP_NO_BUFFER)
            return OFPBRC_BUFFER_UNKNOWN;
        error = check_instructions(t->dp, mod);
        if (error)
            return error;
    }
    switch (mod->command) {
    case OFPFC_ADD:
        return add(t, mod);
    case OFPFC_MODIFY:
        return no_room(each_loose(t, mod, false, modify_flow, &m));
    case OFPFC_MODIFY_STRICT:
        return no_room(each_strict(t, mod, false, modify_flow, &m));
    case OFPFC_DELETE:
        return no_room(each_loose(t, mod, true, delete_flow, &m));
    default:
        return no_room(each_strict(t, mod, true, delete_flow, &m));
    }
}
