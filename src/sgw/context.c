/*
 * context.c -- see context.h: phones, sessions and bearers come, are found and go.
 */
#include <errno.h>
#include <stdlib.h>

#include "sgw/context.h"

#define TUNNEL_BITS 1 /* two tunnels a bearer */

enum { TUNNEL_S1_U, TUNNEL_S5_U };

int sgw_contexts_open(void)
{
    pool_init(&sgw.ues, sizeof(struct sgw_ue), sgw.config->max_ues);
    pool_init(&sgw.sessions, sizeof(struct sgw_session), sgw.config->max_sessions);
    pool_init(&sgw.bearers, sizeof(struct sgw_bearer), sgw.config->max_sessions);
    map_init(&sgw.ue_by_imsi);
    arena_init(&sgw.arena, 65536);
    return 0;
}

void sgw_contexts_close(void)
{
    struct sgw_ue *ue;
    uint32_t id = 0;

    while ((ue = pool_next(&sgw.ues, &id))) {
        struct gtpc_mail *mail;
        while ((mail = gtpc_mailbox_take(&ue->mailbox)))
            free(mail);
    }
    pool_free(&sgw.ues);
    pool_free(&sgw.sessions);
    pool_free(&sgw.bearers);
    map_free(&sgw.ue_by_imsi);
    arena_free(&sgw.arena);
}

struct sgw_ue *sgw_ue_get(uint32_t id)
{
    return pool_get(&sgw.ues, id);
}

struct sgw_ue *sgw_ue_by_imsi(const char *imsi)
{
    return sgw_ue_get((uint32_t)map_get(&sgw.ue_by_imsi, imsi_key(imsi)));
}

struct sgw_ue *sgw_ue_new(const char *imsi)
{
    uint32_t id;
    struct sgw_ue *ue = pool_new(&sgw.ues, &id);

    if (!ue)
        return NULL;
    if (map_set(&sgw.ue_by_imsi, imsi_key(imsi), id) < 0) {
        pool_delete(&sgw.ues, id);
        return NULL;
    }
    ue->id = id;
    snprintf(ue->imsi, sizeof(ue->imsi), "%s", imsi);
    return ue;
}

static void release_peer(struct gtpc_endpoint *endpoint, uint32_t id)
{
    struct udp_peer *peer = udp_peer_get(gtpc_udp(endpoint), id);

    if (peer)
        udp_peer_release(peer);
}

void sgw_ue_free(struct sgw_ue *ue)
{
    release_peer(sgw.s11, ue->mme);
    map_remove(&sgw.ue_by_imsi, imsi_key(ue->imsi));
    pool_delete(&sgw.ues, ue->id);
}

void sgw_ue_set_mme(struct sgw_ue *ue, struct udp_peer *mme, uint32_t teid)
{
    ue->mme_teid = teid;
    if (ue->mme == udp_peer_id(mme))
        return;
    release_peer(sgw.s11, ue->mme);
    ue->mme = udp_peer_id(mme);
    udp_peer_use(mme);
}

struct sgw_session *sgw_session_get(uint32_t id)
{
    return pool_get(&sgw.sessions, id);
}

struct sgw_session *sgw_session_new(struct sgw_ue *ue, enum gtpc_cause_value *cause)
{
    uint32_t id;
    int plane = user_planes_take(sgw.planes);

    *cause = GTPC_CAUSE_NO_RESOURCES_AVAILABLE;
    if (plane < 0)
        return NULL;
    struct sgw_session *session = pool_new(&sgw.sessions, &id);
    if (!session) {
        user_planes_give_back(sgw.planes, (uint8_t)plane);
        return NULL;
    }
    session->id = id;
    session->plane = (uint8_t)plane;
    session->ue = ue->id;
    session->next = ue->sessions;
    ue->sessions = id;
    return session;
}

void sgw_session_set_pgw(struct sgw_session *session, struct udp_peer *pgw)
{
    session->pgw = udp_peer_id(pgw);
    udp_peer_use(pgw);
}

void sgw_session_free(struct sgw_session *session)
{
    struct sgw_ue *ue = sgw_ue_get(session->ue);
    uint32_t *link = &ue->sessions;

    for (struct sgw_bearer *bearer; (bearer = sgw_bearer_get(session->bearers));) {
        session->bearers = bearer->next;
        pool_delete(&sgw.bearers, bearer->id);
    }
    while (*link != session->id)
        link = &sgw_session_get(*link)->next;
    *link = session->next;
    release_peer(sgw.s5, session->pgw);
    user_planes_give_back(sgw.planes, session->plane);
    pool_delete(&sgw.sessions, session->id);
}

struct sgw_bearer *sgw_bearer_get(uint32_t id)
{
    return pool_get(&sgw.bearers, id);
}

/* The tunnels' ends at the user plane; left open where it wants to choose them. */
static int take_tunnels(struct sgw_session *session, struct sgw_bearer *bearer)
{
    struct pfcp_f_teid f_teid;
    int err = user_plane_f_teid(sgw.planes, session->plane, PFCP_INTERFACE_ACCESS, bearer->id,
                                TUNNEL_S1_U, &f_teid);

    if (err < 0)
        return err;
    if (!f_teid.choose)
        bearer->s1_u = sgw_end_of_pfcp(&f_teid);
    err = user_plane_f_teid(sgw.planes, session->plane, PFCP_INTERFACE_CORE, bearer->id,
                            TUNNEL_S5_U, &f_teid);
    if (err == 0 && !f_teid.choose)
        bearer->s5_u = sgw_end_of_pfcp(&f_teid);
    return err;
}

struct sgw_bearer *sgw_bearer_new(struct sgw_session *session, uint8_t ebi,
                                  enum gtpc_cause_value *cause)
{
    uint32_t id;
    struct sgw_bearer *bearer = pool_new(&sgw.bearers, &id), *other;
    uint8_t number = 1;

    *cause = GTPC_CAUSE_NO_RESOURCES_AVAILABLE;
    if (!bearer)
        return NULL;
    for (other = sgw_bearer_get(session->bearers); other; other = sgw_bearer_get(other->next))
        if (other->number >= number)
            number = (uint8_t)(other->number + 1);
    *bearer = (struct sgw_bearer){
        .id = id, .session = session->id, .next = session->bearers, .ebi = ebi, .number = number};
    if (take_tunnels(session, bearer) < 0) {
        pool_delete(&sgw.bearers, id);
        return NULL;
    }
    session->bearers = id;
    return bearer;
}

struct sgw_bearer *sgw_ue_bearer(const struct sgw_ue *ue, uint8_t ebi)
{
    struct sgw_session *session = sgw_session_get(ue->sessions);

    for (; session; session = sgw_session_get(session->next)) {
        struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);
        for (; bearer; bearer = sgw_bearer_get(bearer->next))
            if (bearer->ebi == ebi)
                return bearer;
    }
    return NULL;
}

struct sgw_session *sgw_ue_session(const struct sgw_ue *ue, uint8_t default_ebi)
{
    struct sgw_session *session = sgw_session_get(ue->sessions);

    while (session && session->default_ebi != default_ebi)
        session = sgw_session_get(session->next);
    return session;
}

static struct sgw_tunnel_end make_end(uint32_t teid, bool has_ipv4, const struct in_addr *ipv4,
                                      const struct in6_addr *ipv6)
{
    struct sgw_tunnel_end end = {.teid = teid, .is_set = true, .is_ipv6 = !has_ipv4};

    if (has_ipv4)
        end.ipv4 = *ipv4;
    else
        end.ipv6 = *ipv6;
    return end;
}

struct sgw_tunnel_end sgw_end_of_gtpc(const struct gtpc_f_teid *f_teid)
{
    return make_end(f_teid->teid, f_teid->has_ipv4, &f_teid->ipv4, &f_teid->ipv6);
}

struct sgw_tunnel_end sgw_end_of_pfcp(const struct pfcp_f_teid *f_teid)
{
    return make_end(f_teid->teid, f_teid->has_ipv4, &f_teid->ipv4, &f_teid->ipv6);
}

struct gtpc_f_teid sgw_end_to_gtpc(const struct sgw_tunnel_end *end, uint8_t interface_type)
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

bool sgw_ends_equal(const struct sgw_tunnel_end *a, const struct sgw_tunnel_end *b)
{
    if (a->is_set != b->is_set || a->is_ipv6 != b->is_ipv6 || a->teid != b->teid)
        return false;
    return a->is_ipv6 ? memcmp(&a->ipv6, &b->ipv6, sizeof(a->ipv6)) == 0
                      : a->ipv4.s_addr == b->ipv4.s_addr;
}
