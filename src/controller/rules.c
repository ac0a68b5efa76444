/*
 * rules.c -- looking into a session's rules: finding them, what they use, where packets go, and
 * which packet is whose. rules.h tells what rules are; draft.c makes them.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/rules.h"

/* ---- finding ---- */

const struct up_pdr *up_pdr_of(const struct up_rules *rules, uint16_t id)
{
    for (unsigned i = 0; i < rules->pdr_count; i++)
        if (rules->pdrs[i].id == id)
            return &rules->pdrs[i];
    return NULL;
}

const struct up_far *up_far_of(const struct up_rules *rules, uint32_t id)
{
    for (unsigned i = 0; i < rules->far_count; i++)
        if (rules->fars[i].id == id)
            return &rules->fars[i];
    return NULL;
}

const struct up_qer *up_qer_of(const struct up_rules *rules, uint32_t id)
{
    for (unsigned i = 0; i < rules->qer_count; i++)
        if (rules->qers[i].id == id)
            return &rules->qers[i];
    return NULL;
}

struct up_urr *up_urr_of(const struct up_rules *rules, uint32_t id)
{
    for (unsigned i = 0; i < rules->urr_count; i++)
        if (rules->urrs[i].id == id)
            return &rules->urrs[i];
    return NULL;
}

/* ---- TEIDs and meters that a block uses ---- */

bool up_rules_use_teid(const struct up_rules *rules, uint32_t teid)
{
    for (unsigned i = 0; i < rules->pdr_count; i++)
        if (rules->pdrs[i].has_teid && rules->pdrs[i].teid == teid)
            return true;
    return false;
}

static bool uses_meter(const struct up_rules *rules, uint32_t meter)
{
    for (unsigned i = 0; i < rules->qer_count; i++)
        if (rules->qers[i].uplink_meter == meter || rules->qers[i].downlink_meter == meter)
            return true;
    return false;
}

static void give_back_meter(const struct up_environment *env, uint32_t meter,
                            const struct up_rules *keeper)
{
    if (meter != 0 && env->meters && !(keeper && uses_meter(keeper, meter)))
        up_meter_release(env->meters, meter);
}

void up_rules_give_back(const struct up_environment *env, const struct up_rules *rules,
                        const struct up_rules *keeper)
{
    for (unsigned i = 0; i < rules->pdr_count; i++) {
        const struct up_pdr *pdr = &rules->pdrs[i];
        if (pdr->has_teid && !(keeper && up_rules_use_teid(keeper, pdr->teid)))
            up_teid_release(env->teids, pdr->teid);
    }
    for (unsigned i = 0; i < rules->qer_count; i++) {
        give_back_meter(env, rules->qers[i].uplink_meter, keeper);
        give_back_meter(env, rules->qers[i].downlink_meter, keeper);
    }
}

void up_rules_free(const struct up_environment *env, struct up_rules *rules,
                   const struct up_rules *keeper)
{
    if (!rules)
        return;
    up_rules_give_back(env, rules, keeper);
    free(rules);
}

/* ---- exits ---- */

uint8_t up_exit_of(const struct up_environment *env, const struct up_pdr *pdr,
                   const struct up_far *far)
{
    if (far->exit != UP_NO_EXIT)
        return far->exit;
    /* An uplink PDR's network instance is that of its tunnel, which need not be an exit's name. */
    if (pdr->exit != UP_NO_EXIT && pdr->exit != UP_UNKNOWN_EXIT)
        return pdr->exit;
    return env->exit_of(env->context, NULL);
}

uint8_t up_entry_of(const struct up_environment *env, const struct up_pdr *pdr)
{
    return pdr->exit != UP_NO_EXIT ? pdr->exit : env->exit_of(env->context, NULL);
}

/* ---- a packet and a PDR ---- */

static bool ue_matches(const struct up_pdr *pdr, const struct net_packet *packet)
{
    const struct net_address *ue = pdr->ue_is_destination ? &packet->dst : &packet->src;

    if (!pdr->has_ue4 && !pdr->has_ue6)
        return true;
    if (packet->version == 4)
        return pdr->has_ue4 && ue->v4.s_addr == pdr->ue4.s_addr;
    return pdr->has_ue6 && up_prefix_equal(&ue->v6, &pdr->ue6, pdr->ue6_prefix);
}

bool up_pdr_matches(const struct up_rules *rules, const struct up_pdr *pdr, uint32_t teid,
                    const struct net_packet *packet)
{
    if (pdr->has_teid ? pdr->teid != teid : teid != 0)
        return false;
    if (packet->version == 0 || !ue_matches(pdr, packet))
        return false;
    for (unsigned i = 0; i < pdr->filter_count; i++)
        if (up_filter_matches(&rules->filters[pdr->filter_first + i], !up_pdr_is_uplink(pdr),
                              packet))
            return true;
    return pdr->filter_count == 0;
}
