/*
 * context.c -- see context.h: phones, sessions, networks and addresses come, are found and go.
 */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "pgw/context.h"
#include "wire/gtp/gtp.h"

/* ---- Networks ---- */

static void offer_address(const struct sockaddr_storage *address, struct in_addr ipv4[2],
                          struct in6_addr ipv6[2])
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;

    for (size_t i = 0; i < 2; i++) {
        if (address->ss_family == AF_INET && !ipv4[i].s_addr) {
            ipv4[i] = v4->sin_addr;
            return;
        }
        if (address->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&ipv6[i])) {
            ipv6[i] = v6->sin6_addr;
            return;
        }
    }
}

int pgw_apn_open(struct pgw_apn *apn, const struct pgw_apn_config *config, bool *is_ipv6)
{
    int err = 0;

    *apn = (struct pgw_apn){.config = config, .offer = {.mtu = config->mtu}};
    *is_ipv6 = false;
    for (size_t i = 0; err == 0 && i < config->ipv4_pools.count; i++)
        err = address_pool_init4(&apn->pools[apn->pool_count++], &config->ipv4_pools.at[i]);
    for (size_t i = 0; err == 0 && i < config->ipv6_pools.count; i++) {
        *is_ipv6 = true;
        err = address_pool_init6(&apn->pools[apn->pool_count++], &config->ipv6_pools.at[i]);
    }
    apn->has_ipv4 = config->ipv4_pools.count > 0;
    apn->has_ipv6 = config->ipv6_pools.count > 0;
    for (size_t i = 0; i < config->dns.count; i++)
        offer_address(&config->dns.at[i], apn->offer.dns_ipv4, apn->offer.dns_ipv6);
    for (size_t i = 0; i < config->p_cscf.count; i++)
        offer_address(&config->p_cscf.at[i], apn->offer.p_cscf_ipv4, apn->offer.p_cscf_ipv6);
    return err;
}

void pgw_apn_close(struct pgw_apn *apn)
{
    for (size_t i = 0; i < apn->pool_count; i++)
        address_pool_free(&apn->pools[i]);
    apn->pool_count = 0;
}

static bool pools_overlap(const struct address_pool *a, const struct address_pool *b)
{
    if (a->is_ipv6 != b->is_ipv6)
        return false;
    return a->is_ipv6 ? address_pool_has6(a, &b->base6) || address_pool_has6(b, &a->base6)
                      : address_pool_has4(a, b->base4) || address_pool_has4(b, a->base4);
}

bool pgw_apns_overlap(const struct pgw_apn *a, const struct pgw_apn *b)
{
    for (size_t i = 0; i < a->pool_count; i++)
        for (size_t k = 0; k < b->pool_count; k++)
            if (&a->pools[i] != &b->pools[k] && pools_overlap(&a->pools[i], &b->pools[k]))
                return true;
    return false;
}

/* Length of the network identifier: all before ".mncNNN.mccNNN.gprs". */
static size_t network_identifier(const char *apn)
{
    static const char shape[] = ".mnc000.mcc000.gprs";
    size_t len = strlen(apn), tail = sizeof(shape) - 1;

    if (len <= tail)
        return len;
    for (size_t i = 0; i < tail; i++) {
        char c = apn[len - tail + i];
        bool is_digit = c >= '0' && c <= '9';
        if (shape[i] == '0' ? !is_digit : strncasecmp(&c, &shape[i], 1) != 0)
            return len;
    }
    return len - tail;
}

struct pgw_apn *pgw_apn_named(const char *apn)
{
    size_t len = network_identifier(apn);
    struct pgw_apn *any = NULL;

    for (size_t i = 0; i < pgw.apn_count; i++) {
        const char *name = pgw.apns[i].config->name;
        if (strlen(name) == len && strncasecmp(name, apn, len) == 0)
            return &pgw.apns[i];
        if (strcmp(name, "*") == 0)
            any = &pgw.apns[i];
    }
    return any;
}

int pgw_contexts_open(void)
{
    const struct pgw_config *config = pgw.config;
    bool is_ipv6;
    int err = 0;

    pool_init(&pgw.ues, sizeof(struct pgw_ue), config->max_sessions);
    pool_init(&pgw.sessions, sizeof(struct pgw_session), config->max_sessions);
    map_init(&pgw.ue_by_imsi);
    arena_init(&pgw.arena, 65536);
    for (size_t i = 0; err == 0 && i < config->apns.count; i++)
        err = pgw_apn_open(&pgw.apns[pgw.apn_count++], &config->apns.at[i], &is_ipv6);
    return err;
}

void pgw_contexts_close(void)
{
    struct pgw_ue *ue;
    uint32_t id = 0;

    while ((ue = pool_next(&pgw.ues, &id))) {
        struct gtpc_mail *mail;
        while ((mail = gtpc_mailbox_take(&ue->mailbox)))
            free(mail);
    }
    pool_free(&pgw.ues);
    pool_free(&pgw.sessions);
    map_free(&pgw.ue_by_imsi);
    arena_free(&pgw.arena);
    for (size_t i = 0; i < pgw.apn_count; i++)
        pgw_apn_close(&pgw.apns[i]);
    pgw.apn_count = 0;
}

/* ---- Phones and sessions ---- */

struct pgw_ue *pgw_ue_get(uint32_t id)
{
    return pool_get(&pgw.ues, id);
}

struct pgw_ue *pgw_ue_by_imsi(const char *imsi)
{
    return pgw_ue_get((uint32_t)map_get(&pgw.ue_by_imsi, imsi_key(imsi)));
}

struct pgw_ue *pgw_ue_new(const char *imsi)
{
    uint32_t id;
    struct pgw_ue *ue = pool_new(&pgw.ues, &id);

    if (!ue)
        return NULL;
    if (map_set(&pgw.ue_by_imsi, imsi_key(imsi), id) < 0) {
        pool_delete(&pgw.ues, id);
        return NULL;
    }
    ue->id = id;
    snprintf(ue->imsi, sizeof(ue->imsi), "%s", imsi);
    return ue;
}

void pgw_ue_free(struct pgw_ue *ue)
{
    map_remove(&pgw.ue_by_imsi, imsi_key(ue->imsi));
    pool_delete(&pgw.ues, ue->id);
}

struct pgw_session *pgw_session_get(uint32_t id)
{
    return pool_get(&pgw.sessions, id);
}

struct pgw_apn *pgw_session_apn(const struct pgw_session *session)
{
    return &pgw.apns[session->apn];
}

struct pgw_session *pgw_session_new(struct pgw_ue *ue, struct pgw_apn *apn)
{
    uint32_t id;
    int plane = user_planes_take(pgw.planes);
    struct pfcp_f_teid f_teid;

    if (plane < 0)
        return NULL;
    struct pgw_session *session = pool_new(&pgw.sessions, &id);
    if (!session ||
        user_plane_f_teid(pgw.planes, (uint8_t)plane, PFCP_INTERFACE_ACCESS, id, 0, &f_teid) < 0) {
        if (session)
            pool_delete(&pgw.sessions, id);
        user_planes_give_back(pgw.planes, (uint8_t)plane);
        return NULL;
    }
    session->id = id;
    session->plane = (uint8_t)plane;
    session->apn = (uint8_t)(apn - pgw.apns);
    session->ue = ue->id;
    session->next = ue->sessions;
    session->charging_id = ++pgw.last_charging_id;
    session->began_s = clock_wall_us() / 1000000;
    if (!f_teid.choose)
        session->s5_u = pgw_end_of_pfcp(&f_teid);
    ue->sessions = id;
    apn->sessions++;
    return session;
}

static void release_sgw(struct pgw_session *session)
{
    struct udp_peer *peer = udp_peer_get(gtpc_udp(pgw.s5), session->sgw);

    if (peer)
        udp_peer_release(peer);
}

void pgw_session_set_sgw(struct pgw_session *session, struct udp_peer *sgw, uint32_t teid)
{
    session->sgw_teid = teid;
    if (session->sgw == udp_peer_id(sgw))
        return;
    release_sgw(session);
    session->sgw = udp_peer_id(sgw);
    udp_peer_use(sgw);
}

/* Addresses that no pool has are not found in any. */
static void give_back_addresses(struct pgw_session *session)
{
    struct pgw_apn *apn = pgw_session_apn(session);

    for (size_t i = 0; i < apn->pool_count; i++) {
        if (session->ipv4.s_addr)
            address_pool_give_back4(&apn->pools[i], session->ipv4);
        if (!IN6_IS_ADDR_UNSPECIFIED(&session->ipv6))
            address_pool_give_back6(&apn->pools[i], &session->ipv6);
    }
}

void pgw_session_free(struct pgw_session *session)
{
    struct pgw_ue *ue = pgw_ue_get(session->ue);
    uint32_t *link = &ue->sessions;

    while (*link != session->id)
        link = &pgw_session_get(*link)->next;
    *link = session->next;
    give_back_addresses(session);
    release_sgw(session);
    user_planes_give_back(pgw.planes, session->plane);
    pgw_session_apn(session)->sessions--;
    pool_delete(&pgw.sessions, session->id);
}

struct pgw_session *pgw_ue_session(const struct pgw_ue *ue, uint8_t ebi)
{
    struct pgw_session *session = pgw_session_get(ue->sessions);

    while (session && session->ebi != ebi)
        session = pgw_session_get(session->next);
    return session;
}

/* ---- Addresses ---- */

static bool take_ipv4(struct pgw_apn *apn, struct in_addr wanted, struct in_addr *got)
{
    for (size_t i = 0; i < apn->pool_count; i++) {
        struct address_pool *pool = &apn->pools[i];
        if (wanted.s_addr ? address_pool_claim4(pool, wanted) : address_pool_take4(pool, got)) {
            if (wanted.s_addr)
                *got = wanted;
            return true;
        }
    }
    return false;
}

static bool take_ipv6(struct pgw_apn *apn, const struct in6_addr *wanted, struct in6_addr *got)
{
    for (size_t i = 0; i < apn->pool_count; i++) {
        struct address_pool *pool = &apn->pools[i];
        if (wanted ? address_pool_claim6(pool, wanted) : address_pool_take6(pool, got)) {
            if (wanted)
                memcpy(got, wanted, 8); /* the prefix; the interface identifier is ours to give */
            return true;
        }
    }
    return false;
}

/* An identifier that no two phones have at the same time, and that is nobody's well-known one
 * (fe80::1 is the router). */
static void set_interface_identifier(struct pgw_session *session)
{
    uint8_t *identifier = &session->ipv6.s6_addr[8];

    identifier[0] = 0x02; /* locally made (RFC 4291 appendix A) */
    identifier[4] = (uint8_t)(session->id >> 24);
    identifier[5] = (uint8_t)(session->id >> 16);
    identifier[6] = (uint8_t)(session->id >> 8);
    identifier[7] = (uint8_t)session->id;
}

bool pgw_take_addresses(struct pgw_session *session, const struct gtpc_paa *wanted,
                        enum gtpc_cause_value *cause)
{
    struct pgw_apn *apn = pgw_session_apn(session);
    bool wants4 = session->pdn_type != GTPC_PDN_IPV6, wants6 = session->pdn_type != GTPC_PDN_IPV4;
    struct in_addr ipv4 = wanted ? wanted->ipv4 : (struct in_addr){0};
    bool static6 = wanted && wants6 && !IN6_IS_ADDR_UNSPECIFIED(&wanted->ipv6);

    *cause = ipv4.s_addr || static6 ? GTPC_CAUSE_NO_RESOURCES_AVAILABLE
                                    : GTPC_CAUSE_ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED;
    if (wants4 && !take_ipv4(apn, ipv4, &session->ipv4))
        return false;
    if (wants6 && !take_ipv6(apn, static6 ? &wanted->ipv6 : NULL, &session->ipv6))
        return false;
    if (wants6)
        set_interface_identifier(session);
    return true;
}

/* ---- Ends of tunnels ---- */

static struct pgw_tunnel_end make_end(uint32_t teid, bool has_ipv4, const struct in_addr *ipv4,
                                      const struct in6_addr *ipv6)
{
    struct pgw_tunnel_end end = {.teid = teid, .is_set = true, .is_ipv6 = !has_ipv4};

    if (has_ipv4)
        end.ipv4 = *ipv4;
    else
        end.ipv6 = *ipv6;
    return end;
}

struct pgw_tunnel_end pgw_end_of_gtpc(const struct gtpc_f_teid *f_teid)
{
    return make_end(f_teid->teid, f_teid->has_ipv4, &f_teid->ipv4, &f_teid->ipv6);
}

struct pgw_tunnel_end pgw_end_of_pfcp(const struct pfcp_f_teid *f_teid)
{
    return make_end(f_teid->teid, f_teid->has_ipv4, &f_teid->ipv4, &f_teid->ipv6);
}

struct gtpc_f_teid pgw_end_to_gtpc(const struct pgw_tunnel_end *end, uint8_t interface_type)
{
    struct gtpc_f_teid f_teid = {.interface_type = interface_type,
                                 .teid = end->teid,
                                 .has_ipv4 = !end->is_ipv6,
                                 .has_ipv6 = end->is_ipv6};

    if (end->is_ipv6)
        f_teid.ipv6 = end->ipv6;
    else
        f_teid.ipv4 = end->ipv4;
    return f_teid;
}

bool pgw_ends_equal(const struct pgw_tunnel_end *a, const struct pgw_tunnel_end *b)
{
    if (a->is_set != b->is_set || a->is_ipv6 != b->is_ipv6 || a->teid != b->teid)
        return false;
    return a->is_ipv6 ? memcmp(&a->ipv6, &b->ipv6, sizeof(a->ipv6)) == 0
                      : a->ipv4.s_addr == b->ipv4.s_addr;
}
