/*
 * bearers.c -- PDN connections and EPS bearers of a phone (TS 23.401 clause 4.7): the part of ue.h
 * that keeps them.
 *
 * Both are lists by id: a phone's PDN connections, a PDN connection's bearers with the default
 * bearer first. A phone has eleven bearers at most (EBI 5 to 15), so lists are short.
 */
#include <string.h>

#include "mme/ue.h"

static uint8_t free_ebi(const struct mme_ue *ue)
{
    uint16_t used = 0;

    MME_EACH_PDN(ue, pdn)
    {
        MME_EACH_BEARER(pdn, bearer)
        used |= (uint16_t)NAS_BEARER_BIT(bearer->ebi);
    }
    for (uint8_t ebi = MME_FIRST_EBI; ebi <= MME_LAST_EBI; ebi++) {
        if (!(used & NAS_BEARER_BIT(ebi)))
            return ebi;
    }
    return 0;
}

struct mme_bearer *mme_bearer_new(struct mme_ue *ue, struct mme_pdn *pdn)
{
    uint8_t ebi = free_ebi(ue);
    uint32_t id;
    struct mme_bearer *bearer = ebi ? pool_new(&mme.bearers, &id) : NULL;

    if (!bearer)
        return NULL;
    bearer->ebi = ebi;
    uint32_t *link = &pdn->bearers;
    for (struct mme_bearer *at = mme_bearer_get(*link); at; at = mme_bearer_get(*link))
        link = &at->next;
    *link = id;
    return bearer;
}

void mme_bearer_free(struct mme_pdn *pdn, struct mme_bearer *bearer)
{
    uint32_t *link = &pdn->bearers;

    for (struct mme_bearer *at = mme_bearer_get(*link); at; at = mme_bearer_get(*link)) {
        if (at == bearer) {
            uint32_t id = *link;
            *link = bearer->next;
            pool_delete(&mme.bearers, id);
            return;
        }
        link = &at->next;
    }
}

struct mme_pdn *mme_pdn_new(struct mme_ue *ue, const char *apn)
{
    uint32_t id;
    struct mme_pdn *pdn = pool_new(&mme.pdns, &id);

    if (!pdn)
        return NULL;
    uint32_t *link = &ue->pdns;
    for (struct mme_pdn *at = mme_pdn_get(*link); at; at = mme_pdn_get(*link))
        link = &at->next;
    *link = id;
    pdn->apn = mme_share(apn, strlen(apn) + 1);
    struct mme_bearer *bearer = pdn->apn ? mme_bearer_new(ue, pdn) : NULL;
    if (!bearer) {
        mme_pdn_free(ue, pdn);
        return NULL;
    }
    pdn->ebi = bearer->ebi;
    return pdn;
}

void mme_pdn_free(struct mme_ue *ue, struct mme_pdn *pdn)
{
    uint32_t *link = &ue->pdns;

    while (pdn->bearers)
        mme_bearer_free(pdn, mme_bearer_get(pdn->bearers));
    mme_unshare(pdn->apn);
    for (struct mme_pdn *at = mme_pdn_get(*link); at; at = mme_pdn_get(*link)) {
        if (at == pdn) {
            uint32_t id = *link;
            *link = pdn->next;
            pool_delete(&mme.pdns, id);
            return;
        }
        link = &at->next;
    }
}

struct mme_bearer *mme_bearer_of(const struct mme_ue *ue, uint8_t ebi, struct mme_pdn **whose)
{
    MME_EACH_PDN(ue, pdn)
    {
        MME_EACH_BEARER(pdn, bearer)
        {
            if (bearer->ebi != ebi)
                continue;
            if (whose)
                *whose = pdn;
            return bearer;
        }
    }
    return NULL;
}

struct mme_pdn *mme_pdn_of(const struct mme_ue *ue, uint8_t default_ebi)
{
    MME_EACH_PDN(ue, pdn)
    {
        if (pdn->ebi == default_ebi)
            return pdn;
    }
    return NULL;
}

struct mme_pdn *mme_pdn_of_apn(const struct mme_ue *ue, const char *apn)
{
    MME_EACH_PDN(ue, pdn)
    {
        if (strcasecmp(mme_apn_name(pdn), apn) == 0)
            return pdn;
    }
    return NULL;
}

struct mme_bearer *mme_default_bearer(const struct mme_pdn *pdn)
{
    return mme_bearer_get(pdn->bearers);
}

uint16_t mme_bearer_status(const struct mme_ue *ue)
{
    uint16_t status = 0;

    MME_EACH_PDN(ue, pdn)
    {
        MME_EACH_BEARER(pdn, bearer)
        status |= (uint16_t)NAS_BEARER_BIT(bearer->ebi);
    }
    return status;
}

void mme_bearers_off_air(struct mme_ue *ue)
{
    MME_EACH_PDN(ue, pdn)
    {
        MME_EACH_BEARER(pdn, bearer)
        bearer->is_on_air = false;
    }
}

struct s1ap_ue_aggregate_maximum_bitrate mme_ue_ambr(const struct mme_ue *ue)
{
    const struct mme_subscription *subscription = mme_subscription_of(ue);
    uint64_t downlink = 0, uplink = 0;

    MME_EACH_PDN(ue, pdn)
    {
        downlink += (uint64_t)pdn->ambr_dl_kbps * 1000;
        uplink += (uint64_t)pdn->ambr_ul_kbps * 1000;
    }
    if (subscription && subscription->ambr_dl > 0 &&
        (subscription->ambr_dl < downlink || !downlink))
        downlink = subscription->ambr_dl;
    if (subscription && subscription->ambr_ul > 0 && (subscription->ambr_ul < uplink || !uplink))
        uplink = subscription->ambr_ul;
    const uint64_t limit = 10000000000; /* of the IE without extension */
    return (struct s1ap_ue_aggregate_maximum_bitrate){
        .downlink = downlink < limit ? downlink : limit,
        .uplink = uplink < limit ? uplink : limit,
    };
}

/* ---- Tunnels
 * ---------------------------------------------------------------------------------------------- */

struct mme_tunnel mme_tunnel_of(const struct gtpc_f_teid *f_teid)
{
    struct mme_tunnel tunnel = {0};

    if (!f_teid)
        return tunnel;
    tunnel.teid = f_teid->teid;
    if (f_teid->has_ipv4) {
        memcpy(tunnel.address, &f_teid->ipv4, 4);
        tunnel.len = 4;
    }
    if (f_teid->has_ipv6) {
        memcpy(tunnel.address + tunnel.len, &f_teid->ipv6, 16);
        tunnel.len = (uint8_t)(tunnel.len + 16);
    }
    return tunnel;
}

struct gtpc_f_teid mme_f_teid_of(const struct mme_tunnel *tunnel, uint8_t interface_type)
{
    struct gtpc_f_teid f_teid = {.interface_type = interface_type, .teid = tunnel->teid};

    if (tunnel->len == 4 || tunnel->len == 20) {
        f_teid.has_ipv4 = true;
        memcpy(&f_teid.ipv4, tunnel->address, 4);
    }
    if (tunnel->len == 16 || tunnel->len == 20) {
        f_teid.has_ipv6 = true;
        memcpy(&f_teid.ipv6, tunnel->address + (tunnel->len - 16), 16);
    }
    return f_teid;
}

struct mme_tunnel mme_tunnel_of_s1ap(struct bytes address, uint32_t teid)
{
    struct mme_tunnel tunnel = {.teid = teid};

    if (address.len == 4 || address.len == 16 || address.len == 20) {
        tunnel.len = (uint8_t)address.len;
        memcpy(tunnel.address, address.at, address.len);
    }
    return tunnel;
}
