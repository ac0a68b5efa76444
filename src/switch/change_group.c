/*
 * change_group.c -- OFPT_GROUP_MOD, OFPT_METER_MOD, OFPT_PORT_MOD, OFPT_TABLE_MOD (OpenFlow 1.3.5
 * clauses 6.5 to 6.7, 7.3.4.2 to 7.3.4.5).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/loop.h"
#include "switch/change.h"

/* ---- groups ---- */

/* One search for loops: a group that it met as deep before need not be searched again, however many
 * ways lead there. */
static uint64_t walk;

static bool was_met(struct group *group, unsigned depth)
{
    if (group->walk == walk && group->walk_depth >= depth)
        return true;
    group->walk = walk;
    group->walk_depth = depth;
    return false;
}

/* Would a packet that enters a group with these actions come back to group `id`? */
static bool leads_to(struct datapath *dp, const struct of_actions *actions, uint32_t id,
                     unsigned depth)
{
    for (size_t i = 0; i < actions->count; i++) {
        struct group *group;

        if (actions->at[i].type != OFPAT_GROUP)
            continue;
        if (actions->at[i].group_id == id || depth >= GROUP_DEPTH)
            return true;
        group = datapath_group(dp, actions->at[i].group_id);
        if (!group || was_met(group, depth))
            continue;
        for (uint32_t b = 0; b < group->bucket_count; b++)
            if (leads_to(dp, &group->buckets[b].config.actions, id, depth + 1))
                return true;
    }
    return false;
}

static of_error check_bucket(struct datapath *dp, const struct of_group_mod *mod,
                             const struct of_bucket *b)
{
    of_error error;

    if (b->weight && mod->type != OFPGT_SELECT)
        return OFPGMFC_INVALID_GROUP;
    if (mod->type == OFPGT_FF && b->watch_port == OFPP_ANY && b->watch_group == OFPG_ANY)
        return OFPGMFC_INVALID_GROUP; /* it would never fail over */
    if ((b->watch_port != OFPP_ANY && !datapath_port(dp, b->watch_port)) ||
        (b->watch_group != OFPG_ANY && !datapath_group(dp, b->watch_group)))
        return OFPGMFC_BAD_WATCH;
    if (leads_to(dp, &b->actions, mod->group_id, 0))
        return OFPGMFC_LOOP;
    for (size_t i = 0; i < b->actions.count; i++)
        if (b->actions.at[i].type > OFPAT_EXPERIMENTER)
            return OFPBAC_BAD_TYPE; /* buckets are action sets */
    error = check_actions(dp, &b->actions, NULL, false);
    return error;
}

static of_error check_group(struct datapath *dp, const struct of_group_mod *mod)
{
    if (mod->type > OFPGT_FF)
        return OFPGMFC_BAD_TYPE;
    if (mod->group_id > OFPG_MAX || (mod->type == OFPGT_INDIRECT && mod->buckets.count != 1))
        return OFPGMFC_INVALID_GROUP;
    walk++;
    for (size_t i = 0; i < mod->buckets.count; i++) {
        of_error error = check_bucket(dp, mod, &mod->buckets.at[i]);

        if (error)
            return error;
    }
    return 0;
}

static of_error put_group(struct transaction *t, const struct of_group_mod *mod, struct group *old)
{
    struct group *group = group_new(t->dp, mod, clock_now_us());

    if (group && old) {
        group->refs = old->refs;
        group->created_us = old->created_us;
    }
    if (!group || change_put_group(t, mod->group_id, group) < 0) {
        if (group)
            group_free(group);
        return OFPGMFC_OUT_OF_GROUPS;
    }
    if (old)
        group_take_counter(group, old);
    return 0;
}

struct deleting {
    struct transaction *t;
    uint8_t reason;
    uint32_t meter_id;
};

static bool flow_is_metered_by(const struct flow *flow, uint32_t meter_id)
{
    const struct op *op = rule_ops(flow->rule); /* it is the first */

    return flow->op_count && op->code == OP_METER && op->number == meter_id;
}

static int delete_flow(struct flow *flow, void *context)
{
    struct deleting *d = context;

    if (d->meter_id && !flow_is_metered_by(flow, d->meter_id))
        return 0;
    return change_remove_flow(d->t, flow, d->reason, false);
}

/* Flows that refer to what is deleted go with it (clauses 6.5 and 6.6). */
static int delete_flows(struct transaction *t, uint32_t group_id, uint32_t meter_id, uint8_t reason)
{
    static const struct of_match everything;
    struct flow_filter filter = {
        .table_id = OFPTT_ALL, .match = &everything, .out_port = OFPP_ANY, .out_group = group_id};
    struct deleting d = {t, reason, meter_id};

    return tables_each(&t->dp->tables, &filter, delete_flow, &d);
}

static bool is_chained(struct datapath *dp, uint32_t id)
{
    size_t at = 0;
    uint64_t key, value;

    while (map_next(&dp->groups, &at, &key, &value)) {
        const struct group *group = (const struct group *)(uintptr_t)value;

        for (uint32_t b = 0; b < group->bucket_count; b++) {
            const struct of_actions *actions = &group->buckets[b].config.actions;

            for (size_t i = 0; i < actions->count; i++)
                if (actions->at[i].type == OFPAT_GROUP && actions->at[i].group_id == id)
                    return true;
        }
    }
    return false;
}

static of_error delete_group(struct transaction *t, struct group *group)
{
    if (group->refs && delete_flows(t, group->id, 0, OFPRR_GROUP_DELETE) < 0)
        return OFPGMFC_OUT_OF_GROUPS;
    return change_put_group(t, group->id, NULL) < 0 ? OFPGMFC_OUT_OF_GROUPS : 0;
}

/* The ids of a map, as removing while walking is not allowed; NULL when memory is out. */
static uint32_t *all_ids(const struct map *map, size_t *count)
{
    uint32_t *ids = malloc((map->count + 1) * sizeof(*ids));
    size_t at = 0;
    uint64_t key, value;

    *count = 0;
    while (ids && map_next(map, &at, &key, &value))
        ids[(*count)++] = (uint32_t)key;
    return ids;
}

static of_error delete_all_groups(struct transaction *t)
{
    size_t count;
    uint32_t *ids = all_ids(&t->dp->groups, &count);
    of_error error = ids ? 0 : OFPGMFC_OUT_OF_GROUPS;

    for (size_t i = 0; i < count && !error; i++)
        error = delete_group(t, datapath_group(t->dp, ids[i]));
    free(ids);
    return error;
}

of_error change_group_mod(struct transaction *t, const struct of_group_mod *mod)
{
    struct group *old = mod->group_id <= OFPG_MAX ? datapath_group(t->dp, mod->group_id) : NULL;
    of_error error;

    switch (mod->command) {
    case OFPGC_ADD:
    case OFPGC_MODIFY:
        if (mod->command == OFPGC_ADD && old)
            return OFPGMFC_GROUP_EXISTS;
        if (mod->command == OFPGC_MODIFY && !old)
            return OFPGMFC_UNKNOWN_GROUP;
        if (!old && t->dp->groups.count >= change_limits()->max_groups)
            return OFPGMFC_OUT_OF_GROUPS;
        error = check_group(t->dp, mod);
        return error ? error : put_group(t, mod, old);
    case OFPGC_DELETE:
        if (mod->group_id == OFPG_ALL)
            return delete_all_groups(t);
        if (mod->group_id > OFPG_MAX)
            return OFPGMFC_INVALID_GROUP;
        if (!old) /* clause 6.5: no error */
            return 0;
        return is_chained(t->dp, mod->group_id) ? (of_error)OFPGMFC_CHAINED_GROUP
                                                : delete_group(t, old);
    default:
        return OFPGMFC_BAD_COMMAND;
    }
}

/* ---- meters ---- */

#define MAX_BANDS 16

static of_error check_meter(const struct of_meter_mod *mod)
{
    uint16_t unit = mod->flags & (OFPMF_KBPS | OFPMF_PKTPS);

    if (mod->meter_id == 0 || mod->meter_id > OFPM_MAX)
        return OFPMMFC_INVALID_METER;
    if ((mod->flags & ~(OFPMF_KBPS | OFPMF_PKTPS | OFPMF_BURST | OFPMF_STATS)) ||
        unit == (OFPMF_KBPS | OFPMF_PKTPS))
        return OFPMMFC_BAD_FLAGS;
    if (mod->bands.count > MAX_BANDS)
        return OFPMMFC_OUT_OF_BANDS;
    for (size_t i = 0; i < mod->bands.count; i++) {
        const struct of_meter_band *b = &mod->bands.at[i];

        if (b->type != OFPMBT_DROP && b->type != OFPMBT_DSCP_REMARK)
            return OFPMMFC_BAD_BAND;
        if (b->rate == 0)
            return OFPMMFC_BAD_RATE;
        if ((mod->flags & OFPMF_BURST) && b->burst_size == 0)
            return OFPMMFC_BAD_BURST;
    }
    return 0;
}

static of_error put_meter(struct transaction *t, const struct of_meter_mod *mod,
                          const struct meter *old)
{
    struct meter *meter = meter_new(t->dp, mod, clock_now_us());

    if (meter && old)
        meter->refs = old->refs;
    if (!meter || change_put_meter(t, mod->meter_id, meter) < 0) {
        if (meter)
            meter_free(meter);
        return OFPMMFC_OUT_OF_METERS;
    }
    return 0;
}

static of_error delete_meter(struct transaction *t, struct meter *meter)
{
    if (meter->refs && delete_flows(t, OFPG_ANY, meter->id, OFPRR_METER_DELETE) < 0)
        return OFPMMFC_OUT_OF_METERS;
    return change_put_meter(t, meter->id, NULL) < 0 ? OFPMMFC_OUT_OF_METERS : 0;
}

static of_error delete_all_meters(struct transaction *t)
{
    size_t count;
    uint32_t *ids = all_ids(&t->dp->meters, &count);
    of_error error = ids ? 0 : OFPMMFC_OUT_OF_METERS;

    for (size_t i = 0; i < count && !error; i++)
        error = delete_meter(t, datapath_meter(t->dp, ids[i]));
    free(ids);
    return error;
}

of_error change_meter_mod(struct transaction *t, const struct of_meter_mod *mod)
{
    struct meter *old = datapath_meter(t->dp, mod->meter_id);
    of_error error;

    switch (mod->command) {
    case OFPMC_ADD:
    case OFPMC_MODIFY:
        error = check_meter(mod);
        if (error)
            return error;
        if (mod->command == OFPMC_ADD && old)
            return OFPMMFC_METER_EXISTS;
        if (mod->command == OFPMC_MODIFY && !old)
            return OFPMMFC_UNKNOWN_METER;
        if (!old && t->dp->meters.count >= change_limits()->max_meters)
            return OFPMMFC_OUT_OF_METERS;
        return put_meter(t, mod, old);
    case OFPMC_DELETE:
        if (mod->meter_id == OFPM_ALL)
            return delete_all_meters(t);
        if (mod->meter_id == 0 || mod->meter_id > OFPM_MAX)
            return OFPMMFC_INVALID_METER;
        return old ? delete_meter(t, old) : 0;
    default:
        return OFPMMFC_BAD_COMMAND;
    }
}

/* ---- ports and tables ---- */

#define KNOWN_PORT_CONFIG   (OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN)
#define KNOWN_PORT_FEATURES 0xffffu /* all bits of enum ofp_port_features */

of_error change_port_mod(struct transaction *t, const struct of_port_mod *mod)
{
    struct port *port = datapath_port(t->dp, mod->port_no);
    uint32_t old;

    if (!port)
        return OFPPMFC_BAD_PORT;
    if (memcmp(port->mac, mod->hw_addr, sizeof(port->mac)) != 0)
        return OFPPMFC_BAD_HW_ADDR;
    if ((mod->mask & ~KNOWN_PORT_CONFIG) || (mod->config & ~KNOWN_PORT_CONFIG))
        return OFPPMFC_BAD_CONFIG;
    if (mod->advertise & ~KNOWN_PORT_FEATURES)
        return OFPPMFC_BAD_ADVERTISE;
    if (change_reserve(t, 1) < 0)
        return OFPPMFC_BAD_CONFIG;
    old = port->wanted_config;
    port->wanted_config = (old & ~mod->mask) | (mod->config & mod->mask);
    if (port->wanted_config != old)
        change_note(t, (struct change){.kind = PORT_CONFIGURED, .port = {port, old}});
    return 0;
}

of_error change_table_mod(struct transaction *t, const struct of_table_mod *mod)
{
    if (mod->table_id != OFPTT_ALL &&
        (mod->table_id >= TABLES || t->dp->tables.table[mod->table_id].removed))
        return OFPTMFC_BAD_TABLE;
    if (mod->config & ~(uint32_t)OFPTC_DEPRECATED_MASK)
        return OFPTMFC_BAD_CONFIG;
    for (unsigned i = 0; i < TABLES; i++) {
        struct table *table = &t->dp->tables.table[i];

        if ((mod->table_id != OFPTT_ALL && mod->table_id != i) || table->config == mod->config)
            continue;
        if (change_reserve(t, 1) < 0)
            return OFPTMFC_BAD_CONFIG;
        change_note(
            t, (struct change){.kind = TABLE_CONFIGURED, .table = {(uint8_t)i, table->config}});
        table->config = mod->config;
    }
    return 0;
}
