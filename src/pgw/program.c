/*
 * program.c -- what the user plane is told (TS 29.244 on Sxb).
 *
 * A session is one PFCP session with the rules
 *
 *     PDR 1  from Access, F-TEID S5-U, UE address  -> FAR 1 to Core (SGi), QER 1, URR 1
 *     PDR 2  from Core (SGi), UE address           -> FAR 2 to Access, into the S-GW's tunnel, QER
 * 1, URR 1 QER 1  the APN-AMBR URR 1  volume and time, reported when the session ends
 *
 * The phone's IPv6 prefix is in the UE address; Router Solicitations are answered by the user
 * plane.
 */
#include <errno.h>

#include "pgw/context.h"

enum { UPLINK = 1, DOWNLINK = 2 }; /* ids of PDRs and FARs */

#define QER_ID 1
#define URR_ID 1

/* 3GPP interface type (TS 29.244 R16 clause 8.2.118): the user plane need not expect this tunnel
 * from an eNodeB. */
#define S5_S8_U 1

uint64_t pgw_seid(const struct pgw_session *session)
{
    return (uint64_t)pgw.seid_high << 32 | session->id;
}

struct pgw_session *pgw_session_by_seid(uint64_t seid)
{
    return seid >> 32 == pgw.seid_high ? pgw_session_get((uint32_t)seid) : NULL;
}

static int request(struct pgw_session *session, enum pfcp_message_type type, const void *body,
                   struct pfcp_message **answer)
{
    return user_plane_request(pgw.planes, session->plane, session->up_seid, type, body, answer);
}

static struct pfcp_outer_header_creation header_to(const struct pgw_tunnel_end *end)
{
    struct pfcp_outer_header_creation header = {
        .description = end->is_ipv6 ? PFCP_CREATE_GTP_U_UDP_IPV6 : PFCP_CREATE_GTP_U_UDP_IPV4,
        .teid = end->teid};

    if (end->is_ipv6)
        header.ipv6 = end->ipv6;
    else
        header.ipv4 = end->ipv4;
    return header;
}

/* Our end of the tunnel: as it is, or for the user plane to choose. */
static struct pfcp_f_teid own_f_teid(const struct pgw_session *session)
{
    const struct pgw_tunnel_end *end = &session->s5_u;
    struct pfcp_f_teid f_teid = {.choose = !end->is_set,
                                 .teid = end->teid,
                                 .has_ipv4 = !end->is_ipv6,
                                 .has_ipv6 = end->is_ipv6};

    if (end->is_ipv6)
        f_teid.ipv6 = end->ipv6;
    else
        f_teid.ipv4 = end->ipv4;
    return f_teid;
}

static struct pfcp_ue_ip_address ue_address(const struct pgw_session *session, bool is_destination)
{
    return (struct pfcp_ue_ip_address){
        .has_ipv4 = session->pdn_type != GTPC_PDN_IPV6,
        .has_ipv6 = session->pdn_type != GTPC_PDN_IPV4,
        .is_destination = is_destination,
        .ipv4 = session->ipv4,
        .ipv6 = session->ipv6,
    };
}

/* All that an establishment points to. */
struct rules {
    struct bytes network;
    struct pfcp_f_teid f_teid;
    struct pfcp_ue_ip_address source, destination;
    struct pfcp_outer_header_creation header;
    struct pfcp_forwarding_parameters to_core, to_access;
    struct pfcp_bit_rates ambr;
    struct pfcp_create_pdr pdrs[2];
    struct pfcp_create_far fars[2];
    struct pfcp_create_qer qer;
    struct pfcp_create_urr urr;
    struct pfcp_user_id user_id;
    uint32_t uplink, downlink, qer_id, urr_id, correlation;
    uint8_t removal, interface_type;
};

static void build_filters(struct rules *rules, const struct pgw_session *session)
{
    rules->uplink = UPLINK;
    rules->downlink = DOWNLINK;
    rules->qer_id = QER_ID;
    rules->urr_id = URR_ID;
    rules->interface_type = S5_S8_U;
    rules->removal =
        session->s5_u.is_ipv6 ? PFCP_REMOVE_GTP_U_UDP_IPV6 : PFCP_REMOVE_GTP_U_UDP_IPV4;
    rules->pdrs[0] = (struct pfcp_create_pdr){
        .pdr_id = UPLINK,
        .precedence = 255,
        .pdi = {.source_interface = PFCP_INTERFACE_ACCESS,
                .local_f_teid = &rules->f_teid,
                .interface_type = &rules->interface_type,
                .ue_ip_address = &rules->source},
        .outer_header_removal = &rules->removal,
        .far_id = &rules->uplink,
        .urr_id = {&rules->urr_id, 1},
        .qer_id = {&rules->qer_id, 1},
    };
    rules->pdrs[1] = (struct pfcp_create_pdr){
        .pdr_id = DOWNLINK,
        .precedence = 255,
        .pdi = {.source_interface = PFCP_INTERFACE_CORE,
                .network_instance = &rules->network,
                .ue_ip_address = &rules->destination},
        .far_id = &rules->downlink,
        .urr_id = {&rules->urr_id, 1},
        .qer_id = {&rules->qer_id, 1},
    };
}

/* A rate that is not limited is as high as can be said: 0 would let nothing pass. */
static uint64_t rate_of(uint32_t kbps)
{
    return kbps ? kbps : UINT32_MAX;
}

static void build_rules(struct rules *rules, const struct pgw_session *session)
{
    const struct pgw_apn_config *apn = pgw_session_apn(session)->config;
    const char *network = apn->network_instance ? apn->network_instance : apn->name;

    *rules = (struct rules){
        .network = bytes_of(network, strlen(network)),
        .f_teid = own_f_teid(session),
        .source = ue_address(session, false),
        .destination = ue_address(session, true),
        .header = header_to(&session->sgw_u),
        .ambr = {rate_of(session->ambr.uplink_kbps), rate_of(session->ambr.downlink_kbps)},
        .correlation = session->charging_id,
    };
    build_filters(rules, session);
    rules->to_core = (struct pfcp_forwarding_parameters){
        .destination_interface = PFCP_INTERFACE_CORE, .network_instance = &rules->network};
    rules->to_access = (struct pfcp_forwarding_parameters){
        .destination_interface = PFCP_INTERFACE_ACCESS, .outer_header_creation = &rules->header};
    rules->fars[0] = (struct pfcp_create_far){.far_id = UPLINK,
                                              .apply_action = PFCP_APPLY_FORW,
                                              .forwarding_parameters = &rules->to_core};
    rules->fars[1] = (struct pfcp_create_far){.far_id = DOWNLINK,
                                              .apply_action = PFCP_APPLY_FORW,
                                              .forwarding_parameters = &rules->to_access};
    rules->qer = (struct pfcp_create_qer){
        .qer_id = QER_ID,
        .qer_correlation_id = &rules->correlation,
        .maximum_bit_rate =
            session->ambr.uplink_kbps || session->ambr.downlink_kbps ? &rules->ambr : NULL,
    };
    rules->urr = (struct pfcp_create_urr){
        .urr_id = URR_ID, .measurement_method = PFCP_MEASURE_VOLUM | PFCP_MEASURE_DURAT};
}

static int take_establishment(struct pgw_session *session,
                              const struct pfcp_session_establishment_response *response)
{
    int err = user_plane_error(response->cause);

    if (err < 0) {
        user_plane_refused(pgw.planes, session->plane, "establishment", response->cause);
        return err == -ENOENT ? -EPROTO : err;
    }
    if (!response->up_f_seid)
        return -EPROTO;
    session->up_seid = response->up_f_seid->seid;
    for (size_t i = 0; i < response->created_pdr.count; i++) {
        const struct pfcp_created_pdr *created = &response->created_pdr.at[i];
        if (created->pdr_id == UPLINK && created->local_f_teid)
            session->s5_u = pgw_end_of_pfcp(created->local_f_teid);
    }
    session->is_stale = session->has_moved = false;
    return session->s5_u.is_set ? 0 : -EPROTO;
}

static int establish(struct pgw_session *session)
{
    const struct pgw_ue *ue = pgw_ue_get(session->ue);
    struct pfcp_endpoint *pfcp = user_planes_pfcp(pgw.planes);
    struct pfcp_message *answer;
    struct rules rules;

    build_rules(&rules, session);
    memcpy(rules.user_id.imsi, ue->imsi, sizeof(rules.user_id.imsi));
    struct pfcp_session_establishment_request body = {
        .node_id = pfcp_own_node_id(pfcp),
        .cp_f_seid = pfcp_own_f_seid(pfcp, pgw_seid(session)),
        .create_pdr = {rules.pdrs, 2},
        .create_far = {rules.fars, 2},
        .create_urr = {&rules.urr, 1},
        .create_qer = {&rules.qer, 1},
        .pdn_type = &session->pdn_type,
        .user_id = &rules.user_id,
    };
    session->up_seid = 0;
    int err = request(session, PFCP_SESSION_ESTABLISHMENT_REQUEST, &body, &answer);
    return err < 0 ? err : take_establishment(session, answer->body);
}

static void take_usage(struct pgw_session *session, const struct pfcp_usage_report *reports,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct pfcp_volume *volume = reports[i].volume_measurement;
        uint64_t uplink = volume && volume->has_uplink ? volume->uplink : 0;
        uint64_t downlink = volume && volume->has_downlink ? volume->downlink : 0;
        session->uplink_bytes += uplink;
        session->downlink_bytes += downlink;
        metric_add(&pgw.metrics[PGW_UPLINK_BYTES], uplink);
        metric_add(&pgw.metrics[PGW_DOWNLINK_BYTES], downlink);
    }
}

/* The tunnel to the S-GW is all that changes. -ENOENT: the user plane does not know the session. */
static int modify(struct pgw_session *session)
{
    struct pfcp_outer_header_creation header = header_to(&session->sgw_u);
    struct pfcp_update_forwarding_parameters forwarding = {
        .outer_header_creation = &header,
        .pfcpsmreq_flags = session->has_moved ? &(uint8_t){PFCP_SMREQ_SNDEM} : NULL};
    struct pfcp_update_far far = {.far_id = DOWNLINK, .update_forwarding_parameters = &forwarding};
    struct pfcp_session_modification_request body = {.update_far = {&far, 1}};
    struct pfcp_message *answer;

    if (!session->is_stale)
        return 0;
    int err = request(session, PFCP_SESSION_MODIFICATION_REQUEST, &body, &answer);
    if (err < 0)
        return err;
    const struct pfcp_session_modification_response *response = answer->body;
    take_usage(session, response->usage_report.at, response->usage_report.count);
    err = user_plane_error(response->cause);
    if (err == 0)
        session->is_stale = session->has_moved = false;
    else if (err != -ENOENT)
        user_plane_refused(pgw.planes, session->plane, "modification", response->cause);
    return err;
}

int pgw_program(struct pgw_session *session)
{
    int err = session->up_seid ? modify(session) : -ENOENT;

    return err == -ENOENT ? establish(session) : err;
}

void pgw_program_nothing(struct pgw_session *session)
{
    struct pfcp_message *answer;

    if (session->up_seid &&
        user_plane_delete(pgw.planes, session->plane, session->up_seid, &answer) == 0) {
        const struct pfcp_session_deletion_response *response = answer->body;
        take_usage(session, response->usage_report.at, response->usage_report.count);
    }
    session->up_seid = 0;
}

/* Reports (clause 7.5.8) */
static void take_error_indication(struct pgw_session *session,
                                  const struct pfcp_error_indication_report *report)
{
    uint32_t id = session->id;

    pgw_count(PGW_ERROR_INDICATIONS);
    for (size_t i = 0; i < report->remote_f_teid.count && pgw_session_get(id); i++) {
        struct pgw_forgotten forgotten = {id, pgw_end_of_pfcp(&report->remote_f_teid.at[i])};
        struct pgw_event event = {.kind = PGW_EVENT_ERROR_INDICATION,
                                  .content = bytes_of(&forgotten, sizeof(forgotten))};
        pgw_post(pgw_ue_get(session->ue), &event);
    }
}

static void take_report(void *owner, uint8_t plane, uint64_t seid, uint32_t transaction,
                        const struct pfcp_session_report_request *report)
{
    struct pgw_session *session = pgw_session_by_seid(seid);

    (void)owner;
    if (!session || session->plane != plane) {
        user_planes_answer_report(pgw.planes, transaction, 0, PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND);
        return;
    }
    user_planes_answer_report(pgw.planes, transaction, session->up_seid,
                              PFCP_CAUSE_REQUEST_ACCEPTED);
    take_usage(session, report->usage_report.at, report->usage_report.count);
    if (report->report_type & PFCP_REPORT_ERIR && report->error_indication_report)
        take_error_indication(session, report->error_indication_report);
}

static const char *subject(void *owner, uint64_t seid)
{
    struct pgw_session *session = pgw_session_by_seid(seid);
    struct pgw_ue *ue = session ? pgw_ue_get(session->ue) : NULL;

    (void)owner;
    return ue ? ue->imsi : "";
}

static void plane_down(void *owner, uint8_t plane)
{
    (void)owner;
    log_warn("user plane %s is lost: its %u sessions wait for it",
             user_plane_name(pgw.planes, plane), user_plane_sessions(pgw.planes, plane));
}

const struct user_planes_handler pgw_planes_handler = {
    .up = pgw_plane_up,
    .down = plane_down,
    .report = take_report,
    .subject = subject,
};
