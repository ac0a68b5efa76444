/*
 * session.c -- PFCP sessions: establishment, modification, deletion, and their answers (TS 29.244
 * clause 6.3).
 *
 * A request is turned into rules (rules.h), the rules into messages to the switch (commit.c), and
 * the answer goes out when the switch has confirmed: up_change_done(). A request that cannot be
 * obeyed is refused at once, and nothing has changed.
 *
 * SEIDs and sessions belong to the node that made them; nobody else finds them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/up.h"

/* ---- finding ---- */

struct up_session *up_session_get(uint32_t id)
{
    struct up_session *session = pool_get(&up.sessions, id);

    return session && !session->is_deleting ? session : NULL;
}

struct udp_peer *up_session_peer(const struct up_session *session)
{
    return udp_peer_get(pfcp_udp(up.pfcp), session->peer);
}

/* The session that this node may mean by a SEID. */
struct up_session *up_session_of(const struct up_node *node, uint64_t seid, uint32_t *id)
{
    if (seid >> 32 != up.seid_high)
        return NULL;
    *id = (uint32_t)seid;
    struct up_session *session = up_session_get(*id);
    return session && &up.nodes[session->node] == node ? session : NULL;
}

static uint64_t prefix_key(const struct in6_addr *prefix)
{
    struct reader r = reader_of(prefix, 8);

    return rd_u64(&r);
}

/* A downlink PDR without a tunnel holds the phone's address. */
static bool holds_address(const struct up_pdr *pdr)
{
    return !pdr->has_teid;
}

/* True when another session has this address: a living one, not one that is left from a control
 * plane that has gone. */
static bool is_anothers(uint32_t id, uint32_t owner)
{
    const struct up_session *session = owner && owner != id ? up_session_get(owner) : NULL;

    return session && up.nodes[session->node].is_associated;
}

static bool address_is_taken(uint32_t id, const struct up_rules *rules)
{
    for (unsigned i = 0; i < rules->pdr_count; i++) {
        const struct up_pdr *pdr = &rules->pdrs[i];
        if (!holds_address(pdr))
            continue;
        if (pdr->has_ue4 && is_anothers(id, (uint32_t)map_get(&up.by_ue4, pdr->ue4.s_addr)))
            return true;
        if (pdr->has_ue6 && is_anothers(id, (uint32_t)map_get(&up.by_ue6, prefix_key(&pdr->ue6))))
            return true;
    }
    return false;
}

/* 0 or -ENOMEM. */
static int index_rules(uint32_t id, const struct up_rules *rules)
{
    int err = 0;

    for (unsigned i = 0; i < rules->pdr_count; i++) {
        const struct up_pdr *pdr = &rules->pdrs[i];
        if (pdr->has_teid)
            up_teid_assign(&up.teids, pdr->teid, id);
        if (holds_address(pdr) && pdr->has_ue4)
            err |= map_set(&up.by_ue4, pdr->ue4.s_addr, id);
        if (holds_address(pdr) && pdr->has_ue6)
            err |= map_set(&up.by_ue6, prefix_key(&pdr->ue6), id);
    }
    for (unsigned i = 0; i < rules->far_count; i++)
        if (rules->fars[i].has_outer)
            err |= map_set(&up.by_remote,
                           up_remote_key(rules->fars[i].teid, rules->fars[i].address), id);
    return err ? -ENOMEM : 0;
}

static void unindex_key(struct map *map, uint64_t key, uint32_t id)
{
    if (map_get(map, key) == id)
        map_remove(map, key);
}

/* TEIDs stay theirs until the rules are freed. */
static void unindex_rules(uint32_t id, const struct up_rules *rules)
{
    for (unsigned i = 0; i < rules->pdr_count; i++) {
        const struct up_pdr *pdr = &rules->pdrs[i];
        if (holds_address(pdr) && pdr->has_ue4)
            unindex_key(&up.by_ue4, pdr->ue4.s_addr, id);
        if (holds_address(pdr) && pdr->has_ue6)
            unindex_key(&up.by_ue6, prefix_key(&pdr->ue6), id);
    }
    for (unsigned i = 0; i < rules->far_count; i++)
        if (rules->fars[i].has_outer)
            unindex_key(&up.by_remote, up_remote_key(rules->fars[i].teid, rules->fars[i].address),
                        id);
}

/* The trace shows the switch's messages with the phone's name. */
static void set_subject(const struct up_session *session)
{
    if (up.sw)
        openflow_channel_set_subject(up.sw->channel, session ? session->imsi : NULL);
}

/* What stands against rules that are right by themselves; accepted: nothing. */
static struct up_refusal objection(uint32_t id, const struct up_rules *rules)
{
    if (address_is_taken(id, rules))
        return (struct up_refusal){.cause = PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE,
                                   .offending_ie = PFCP_IE_UE_IP_ADDRESS};
    if (up_flows_of(&up.env, &up.view, rules, up.scratch[0]) < 0)
        return (struct up_refusal){.cause = PFCP_CAUSE_NO_RESOURCES_AVAILABLE};
    return (struct up_refusal){.cause = PFCP_CAUSE_REQUEST_ACCEPTED};
}

static void take_f_seid(struct up_session *session, const struct pfcp_f_seid *f,
                        const struct udp_peer *from)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = f->ipv4};
    struct udp_peer *peer = f->has_ipv4 ? pfcp_peer(up.pfcp, (struct sockaddr *)&address) : NULL;

    session->cp_seid = f->seid;
    session->peer = udp_peer_id(peer ? peer : from);
}

void up_session_end(uint32_t id, struct up_session *session)
{
    up_buffer_free(session);
    up_usage_free(session);
    up_rules_free(&up.env, session->rules, NULL);
    up.nodes[session->node].sessions--;
    pool_delete(&up.sessions, id);
}

/* ---- refusing ---- */

static void refuse_session(uint32_t transaction, uint8_t request_type, uint64_t seid,
                           const struct up_refusal *why)
{
    uint16_t offending = why->offending_ie;
    struct pfcp_failed_rule_id rule = why->rule;

    up_count(UP_REFUSED);
    if (request_type == PFCP_SESSION_ESTABLISHMENT_REQUEST) {
        struct pfcp_session_establishment_response answer = {
            .node_id = pfcp_own_node_id(up.pfcp),
            .cause = (uint8_t)why->cause,
            .offending_ie = offending ? &offending : NULL,
            .failed_rule_id = why->has_rule ? &rule : NULL,
        };
        pfcp_answer(up.pfcp, transaction, seid, &answer);
    } else if (request_type == PFCP_SESSION_MODIFICATION_REQUEST) {
        struct pfcp_session_modification_response answer = {
            .cause = (uint8_t)why->cause,
            .offending_ie = offending ? &offending : NULL,
            .failed_rule_id = why->has_rule ? &rule : NULL,
        };
        pfcp_answer(up.pfcp, transaction, seid, &answer);
    } else {
        pfcp_refuse(up.pfcp, transaction, seid, why->cause, offending);
    }
}

static void refuse_establishment(uint32_t transaction,
                                 const struct pfcp_session_establishment_request *request,
                                 enum pfcp_cause cause)
{
    refuse_session(transaction, PFCP_SESSION_ESTABLISHMENT_REQUEST, request->cp_f_seid.seid,
                   &(struct up_refusal){.cause = cause});
}

/* ---- establishment (clause 6.3.2) ---- */

/* What stands against any new session now; accepted: nothing. */
static enum pfcp_cause obstacle(void)
{
    if (!up.sw || !up.accepts)
        return PFCP_CAUSE_SYSTEM_FAILURE;
    if (!up_has_room())
        return PFCP_CAUSE_PFCP_ENTITY_IN_CONGESTION;
    return PFCP_CAUSE_REQUEST_ACCEPTED;
}

static struct up_session *new_session(struct up_node *node, struct udp_peer *peer,
                                      const struct pfcp_session_establishment_request *request,
                                      uint32_t *id)
{
    struct up_session *session = pool_new(&up.sessions, id);

    if (!session)
        return NULL;
    session->node = (uint8_t)(node - up.nodes);
    node->sessions++;
    take_f_seid(session, &request->cp_f_seid, peer);
    if (request->user_id)
        memcpy(session->imsi, request->user_id->imsi, sizeof(session->imsi));
    return session;
}

void up_session_establishment(struct up_node *node, struct udp_peer *peer, uint32_t transaction,
                              const struct pfcp_session_establishment_request *request)
{
    enum pfcp_cause cause = obstacle();
    struct up_refusal why;
    uint32_t id;

    if (cause != PFCP_CAUSE_REQUEST_ACCEPTED) {
        refuse_establishment(transaction, request, cause);
        return;
    }
    struct up_session *session = new_session(node, peer, request, &id);
    if (!session) {
        refuse_establishment(transaction, request, PFCP_CAUSE_NO_RESOURCES_AVAILABLE);
        return;
    }
    session->rules = up_rules_establish(&up.env, request, up_now_s(), &why);
    if (session->rules)
        why = objection(id, session->rules);
    struct up_change *change = NULL;
    if (session->rules && why.cause == PFCP_CAUSE_REQUEST_ACCEPTED) {
        if (index_rules(id, session->rules) == 0)
            change = up_change_begin(UP_ESTABLISH, id, transaction);
        if (!change) {
            unindex_rules(id, session->rules);
            why = (struct up_refusal){.cause = PFCP_CAUSE_NO_RESOURCES_AVAILABLE};
        }
    }
    if (!change) {
        up_session_end(id, session);
        refuse_session(transaction, PFCP_SESSION_ESTABLISHMENT_REQUEST, request->cp_f_seid.seid,
                       &why);
        return;
    }
    change->after = session->rules;
    session->changed_ms = loop_now_ms();
    set_subject(session);
    up_send_difference(id, change->xid, NULL, session->rules);
    set_subject(NULL);
    up_usage_follow(id, session);
}

/* ---- modification (clause 6.3.3) ---- */

static bool removes_urrs(const struct up_rules *before, const struct up_rules *after)
{
    for (unsigned i = 0; i < before->urr_count; i++)
        if (!up_urr_of(after, before->urrs[i].id))
            return true;
    return false;
}

static bool has_orders(const struct up_orders *orders)
{
    return orders->end_marker_count > 0 || orders->query_count > 0 || orders->query_all;
}

/* Sends what changes, in the order that keeps packets in order: those that waited go out before the
 * flow lets newer ones pass by, and a barrier stands between, as a switch may otherwise turn the
 * two around (OpenFlow 1.3 clause 6.2). */
static void send_modification(uint32_t id, struct up_session *session,
                              const struct up_change *change, const struct up_orders *orders)
{
    set_subject(session);
    if (change->before->urr_count > 0 && (orders->query_count > 0 || orders->query_all ||
                                          removes_urrs(change->before, session->rules)))
        up_usage_query(id, change->xid);
    if (up_buffer_review(id, session, orders->drop_buffered) > 0 && up.sw)
        switch_send(up.sw, &(struct of_message){.type = OFPT_BARRIER_REQUEST,
                                                .xid = openflow_channel_xid(up.sw->channel)});
    up_send_difference(id, change->xid, change->before, session->rules);
    set_subject(NULL);
}

/* The rules and what goes with them; NULL with *why filled. */
static struct up_rules *new_rules(uint32_t id, const struct up_session *session,
                                  const struct pfcp_session_modification_request *request,
                                  struct up_orders *orders, struct up_refusal *why)
{
    struct up_rules *rules;

    *why = (struct up_refusal){.cause = PFCP_CAUSE_PFCP_ENTITY_IN_CONGESTION};
    if (!up_has_room())
        return NULL;
    rules = up_rules_modify(&up.env, session->rules, request, up_now_s(), orders, why);
    if (rules)
        *why = objection(id, rules);
    if (rules && why->cause != PFCP_CAUSE_REQUEST_ACCEPTED) {
        up_rules_free(&up.env, rules, session->rules);
        return NULL;
    }
    return rules;
}

void up_session_modification(uint32_t id, struct up_session *session, const struct udp_peer *peer,
                             uint32_t transaction,
                             const struct pfcp_session_modification_request *request)
{
    struct up_orders orders, *kept = NULL;
    struct up_refusal why;
    struct up_rules *rules = new_rules(id, session, request, &orders, &why);
    struct up_change *change = NULL;

    if (rules && has_orders(&orders))
        kept = malloc(sizeof(*kept));
    if (rules && (kept || !has_orders(&orders)))
        change = up_change_begin(UP_MODIFY, id, transaction);
    if (!change) {
        if (rules)
            why = (struct up_refusal){.cause = PFCP_CAUSE_NO_RESOURCES_AVAILABLE};
        up_rules_free(&up.env, rules, session->rules);
        free(kept);
        refuse_session(transaction, PFCP_SESSION_MODIFICATION_REQUEST, session->cp_seid, &why);
        return;
    }
    if (kept)
        *kept = orders;
    change->orders = kept;
    if (request->cp_f_seid)
        take_f_seid(session, request->cp_f_seid, peer);
    unindex_rules(id, session->rules);
    index_rules(id, rules);
    change->before = session->rules;
    change->after = rules;
    session->rules = rules;
    session->changed_ms = loop_now_ms();
    send_modification(id, session, change, &orders);
    up_usage_follow(id, session);
}

/* ---- deletion (clause 6.3.4) ---- */

void up_session_deletion(uint32_t id, struct up_session *session, uint32_t transaction)
{
    struct up_change *change = up_change_begin(UP_DELETE, id, transaction);

    if (!change) {
        refuse_session(transaction, PFCP_SESSION_DELETION_REQUEST, session->cp_seid,
                       &(struct up_refusal){.cause = PFCP_CAUSE_PFCP_ENTITY_IN_CONGESTION});
        return;
    }
    session->is_deleting = true;
    unindex_rules(id, session->rules);
    set_subject(session);
    if (session->rules->urr_count > 0)
        up_usage_query(id, change->xid);
    up_send_removal(id, change->xid, session->rules);
    up_buffer_free(session);
    set_subject(NULL);
}

void up_session_purge(uint32_t id)
{
    struct up_session *session = up_session_get(id);

    if (session)
        up_session_deletion(id, session, 0);
}

/* ---- answers ---- */

/* The F-TEIDs that were chosen here and that the control plane does not know yet. */
static unsigned created_pdrs(const struct up_rules *rules, const struct up_rules *before,
                             struct pfcp_created_pdr created[UP_MAX_PDRS],
                             struct pfcp_f_teid teids[UP_MAX_PDRS])
{
    unsigned n = 0;

    for (unsigned i = 0; i < rules->pdr_count; i++) {
        const struct up_pdr *pdr = &rules->pdrs[i];
        const struct up_pdr *known = before ? up_pdr_of(before, pdr->id) : NULL;
        if (!pdr->has_teid || !pdr->is_chosen ||
            (known && known->has_teid && known->teid == pdr->teid))
            continue;
        teids[n] =
            (struct pfcp_f_teid){.has_ipv4 = true, .teid = pdr->teid, .ipv4 = up.env.address};
        created[n] = (struct pfcp_created_pdr){.pdr_id = pdr->id, .local_f_teid = &teids[n]};
        n++;
    }
    return n;
}

static void answer_establishment(uint32_t id, const struct up_session *session,
                                 const struct up_change *change)
{
    struct pfcp_created_pdr created[UP_MAX_PDRS];
    struct pfcp_f_teid teids[UP_MAX_PDRS];
    struct pfcp_f_seid own = pfcp_own_f_seid(up.pfcp, up_seid(id));
    struct pfcp_session_establishment_response answer = {
        .node_id = pfcp_own_node_id(up.pfcp),
        .cause = PFCP_CAUSE_REQUEST_ACCEPTED,
        .up_f_seid = &own,
        .created_pdr = {created, created_pdrs(session->rules, NULL, created, teids)},
    };

    pfcp_answer(up.pfcp, change->transaction, session->cp_seid, &answer);
}

static bool is_queried(const struct up_orders *orders, uint32_t urr_id)
{
    if (!orders)
        return false;
    for (unsigned i = 0; i < orders->query_count; i++)
        if (orders->query[i] == urr_id)
            return true;
    return orders->query_all;
}

/* Reports of URRs that were asked for (IMMER) and of those that ended (TERMR). */
static unsigned usage_reports(const struct up_rules *rules, const struct up_change *change,
                              struct pfcp_usage_report *reports, struct up_usage_space *spaces)
{
    unsigned n = 0;

    for (unsigned i = 0; i < rules->urr_count; i++)
        if (change->kind == UP_DELETE || is_queried(change->orders, rules->urrs[i].id)) {
            up_usage_report(&rules->urrs[i],
                            change->kind == UP_DELETE ? PFCP_USAGE_TERMR : PFCP_USAGE_IMMER,
                            &reports[n], &spaces[n]);
            n++;
        }
    for (unsigned i = 0; change->before && i < change->before->urr_count; i++)
        if (!up_urr_of(rules, change->before->urrs[i].id)) {
            up_usage_report(&change->before->urrs[i], PFCP_USAGE_TERMR, &reports[n], &spaces[n]);
            n++;
        }
    return n;
}

static void answer_modification(const struct up_session *session, const struct up_change *change)
{
    struct pfcp_created_pdr created[UP_MAX_PDRS];
    struct pfcp_f_teid teids[UP_MAX_PDRS];
    struct pfcp_usage_report reports[2 * UP_MAX_URRS];
    struct up_usage_space spaces[2 * UP_MAX_URRS];
    struct pfcp_session_modification_response answer = {
        .cause = PFCP_CAUSE_REQUEST_ACCEPTED,
        .created_pdr = {created, created_pdrs(session->rules, change->before, created, teids)},
        .usage_report = {reports, usage_reports(session->rules, change, reports, spaces)},
    };

    pfcp_answer(up.pfcp, change->transaction, session->cp_seid, &answer);
}

static void answer_deletion(const struct up_session *session, const struct up_change *change)
{
    struct pfcp_usage_report reports[2 * UP_MAX_URRS];
    struct up_usage_space spaces[2 * UP_MAX_URRS];
    struct pfcp_session_deletion_response answer = {
        .cause = PFCP_CAUSE_REQUEST_ACCEPTED,
        .usage_report = {reports, usage_reports(session->rules, change, reports, spaces)},
    };

    pfcp_answer(up.pfcp, change->transaction, session->cp_seid, &answer);
}

/* What a switch's refusal is for the control plane. */
static enum pfcp_cause cause_of(const struct up_change *change)
{
    if (change->error == OFPFMFC_TABLE_FULL || change->error == OFPMMFC_OUT_OF_METERS)
        return PFCP_CAUSE_NO_RESOURCES_AVAILABLE;
    return change->error ? PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE
                         : PFCP_CAUSE_SYSTEM_FAILURE;
}

static void log_refusal(const struct up_session *session, const struct up_change *change)
{
    static struct log_limit limit;
    char what[80];
    struct text t = text_in(what, sizeof(what));

    if (change->error)
        of_print_error(&t, change->error);
    else
        text_add(&t, "no switch");
    log_limited(&limit, LOG_WARN, "%s: the switch did not take the session's flows: %s",
                session->imsi[0] ? session->imsi : "a session", what);
}

static void establishment_failed(uint32_t id, struct up_session *session,
                                 const struct up_change *change)
{
    struct up_refusal why = {.cause = cause_of(change)};

    log_refusal(session, change);
    refuse_session(change->transaction, PFCP_SESSION_ESTABLISHMENT_REQUEST, session->cp_seid, &why);
    up_session_purge(id);
}

/* Back to what was before, unless another change has already followed; then the switch is compared
 * as a whole. */
static void modification_failed(uint32_t id, struct up_session *session, struct up_change *change)
{
    struct up_refusal why = {.cause = cause_of(change)};

    log_refusal(session, change);
    if (change->before && session->rules == change->after && !session->is_deleting) {
        struct up_rules *after = session->rules;
        unindex_rules(id, after);
        index_rules(id, change->before);
        session->rules = change->before;
        change->before = NULL;
        up_send_difference(id, 0, after, session->rules);
        up_rules_free(&up.env, after, session->rules);
        up_usage_follow(id, session);
    }
    up_repair_later();
    refuse_session(change->transaction, PFCP_SESSION_MODIFICATION_REQUEST, session->cp_seid, &why);
}

static void modification_done(uint32_t id, struct up_session *session, struct up_change *change)
{
    const struct up_orders *orders = change->orders;

    if (change->has_failed) {
        modification_failed(id, session, change);
        return;
    }
    /* The flow has changed over: nothing follows in the old tunnel (TS 29.281 clause 7.3.2). */
    for (unsigned i = 0; orders && i < orders->end_marker_count; i++)
        up_send_end_marker(orders->end_markers[i].teid, orders->end_markers[i].address);
    up_count(UP_MODIFIED);
    answer_modification(session, change);
}

void up_change_done(struct up_change *change)
{
    struct up_session *session = pool_get(&up.sessions, change->session);

    histogram_observe(&up.answer_time, clock_now_us() - change->began_us);
    if (session && change->kind == UP_ESTABLISH) {
        if (change->has_failed) {
            establishment_failed(change->session, session, change);
        } else {
            up_count(UP_ESTABLISHED);
            answer_establishment(change->session, session, change);
        }
    } else if (session && change->kind == UP_MODIFY) {
        modification_done(change->session, session, change);
    } else if (session) {
        up_count(UP_DELETED);
        if (change->transaction)
            answer_deletion(session, change);
        up_session_end(change->session, session);
        session = NULL;
    }
    up_rules_free(&up.env, change->before, session ? session->rules : NULL);
    free(change->orders);
    change->before = NULL;
    change->orders = NULL;
}
