/*
 * program.c -- what the user plane is told (TS 29.244 on Sxb).
 *
 * A session is one PFCP session with
 *
 *     PDR 1  from Access, F-TEID S5-U, source: the phone's address  -> FAR 1  to Core (the APN's network instance)
 *     PDR 2  from Core, destination: the phone's address            -> FAR 2  to Access, into the S-GW's tunnel
 *     QER 1  APN-AMBR on both          URR 1  volume of both
 *
 * and for IPv6 the prefix of the phone, for which the user plane sends Router Advertisements.
 */
#include <errno.h>

#include "pgw/context.h"

enum { UPLINK = 1, DOWNLINK = 2 }; /* numbers of PDRs and FARs */
#define QER_ID     1
#define URR_ID     1
#define S5_S8_U    1 /* 3GPP interface type (TS 29.244 R16 clause 8.2.118) */
#define PRECEDENCE 255
#define PREFIX_BITS 64

static uint64_t seid_of(const struct pgw_session *session)
{
    return (uint64_t)pgw.seid_high << 32 | session->id;
}

struct pgw_session *pgw_session_by_seid(uint64_t seid)
{
    return seid >> 32 == pgw.seid_high ? pgw_session_get((uint32_t)seid) : NULL;
}

enum gtpc_cause_value pgw_cause_of(int error)
{
    switch (error) {
    case -ENOSPC:
    case -ENETUNREACH:
    case -ENOBUFS:
        return GTPC_CAUSE_NO_RESOURCES_AVAILABLE;
    case -ENOMEM:
        return GTPC_CAUSE_NO_MEMORY_AVAILABLE;
    default:
        return GTPC_CAUSE_SYSTEM_FAILURE;
    }
}

static int error_of(uint8_t cause)
{
    switch (cause) {
    case PFCP_CAUSE_REQUEST_ACCEPTED:
        return 0;
    case PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND:
        return -ENOENT;
    case PFCP_CAUSE_NO_RESOURCES_AVAILABLE:
    case PFCP_CAUSE_PFCP_ENTITY_IN_CONGESTION:
        return -ENOSPC;
    default:
        return -EPROTO;
    }
}

static void refused(const struct pgw_session *session, const char *what, uint8_t cause)
{
    static struct log_limit limit;

    log_limited(&limit, LOG_WARN, "user plane %s refuses session %s: cause %u (%s)",
                user_plane_name(pgw.planes, session->plane), what, cause, pfcp_cause_name(cause));
}

static int request(struct pgw_session *session, enum pfcp_message_type type, const void *body,
                   struct pfcp_message **answer)
{
    return user_plane_request(pgw.planes, session->plane, session->up_seid, type, body, answer);
}

static struct pfcp_ue_ip_address phone_address(const struct pgw_session *session, bool is_destination)
{
    struct pfcp_ue_ip_address address = {
        .has_ipv4 = session->has_ipv4,
        .has_ipv6 = session->has_ipv6,
        .is_destination = is_destination,
        .ipv4 = session->ipv4,
        .ipv6 = session->ipv6,
    };

    /* The whole /64 is the phone's: it makes addresses in it as it likes (RFC 4862). */
    memset(&address.ipv6.s6_addr[PREFIX_BITS / 8], 0, 16 - PREFIX_BITS / 8);
    return address;
}

/* What the rules of a session point to. */
struct rules {
    struct pfcp_f_teid f_teid;
    struct pfcp_ue_ip_address from_phone, to_phone;
    struct bytes network_instance;
    uint8_t removal, interface_type, pdn_type;
    uint32_t uplink_far, downlink_far, qer, urr;
    struct pfcp_outer_header_creation header;
    struct pfcp_forwarding_parameters uplink, downlink;
    struct pfcp_bit_rates rates;
    struct pfcp_user_id user_id;
    struct pfcp_create_pdr pdrs[2];
    struct pfcp_create_far fars[2];
    struct pfcp_create_qer qers[1];
    struct pfcp_create_urr urrs[1];
};

static void fill_values(struct rules *r, const struct pgw_session *session)
{
    const char *apn = pgw.apns[session->apn].config->name;

    *r = (struct rules){
        .f_teid = {.choose = session->s5_u.teid == 0,
                   .has_ipv4 = true,
                   .teid = session->s5_u.teid,
                   .ipv4 = session->s5_u.ipv4},
        .from_phone = phone_address(session, false),
        .to_phone = phone_address(session, true),
        .network_instance = bytes_of(apn, strlen(apn)),
        .removal = PFCP_REMOVE_GTP_U_UDP_IPV4,
        .interface_type = S5_S8_U,
        .pdn_type = session->pdn_type,
        .uplink_far = UPLINK,
        .downlink_far = DOWNLINK,
        .qer = QER_ID,
        .urr = URR_ID,
        .header = {.description = PFCP_CREATE_GTP_U_UDP_IPV4,
                   .teid = session->sgw_u.teid,
                   .ipv4 = session->sgw_u.ipv4},
        .rates = {session->uplink_kbps, session->downlink_kbps},
    };
    memcpy(r->user_id.imsi, session->imsi, sizeof(r->user_id.imsi));
    r->uplink = (struct pfcp_forwarding_parameters){
        .destination_interface = PFCP_INTERFACE_CORE, .network_instance = &r->network_instance};
    r->downlink = (struct pfcp_forwarding_parameters){
        .destination_interface = PFCP_INTERFACE_ACCESS, .outer_header_creation = &r->header};
}

static uint8_t downlink_action(const struct pgw_session *session)
{
    return session->is_suspended ? PFCP_APPLY_DROP : PFCP_APPLY_FORW;
}

static void fill_rules(struct rules *r, const struct pgw_session *session)
{
    r->pdrs[0] = (struct pfcp_create_pdr){
        .pdr_id = UPLINK,
        .precedence = PRECEDENCE,
        .pdi = {.source_interface = PFCP_INTERFACE_ACCESS,
                .local_f_teid = &r->f_teid,
                .ue_ip_address = &r->from_phone,
                .interface_type = &r->interface_type},
        .outer_header_removal = &r->removal,
        .far_id = &r->uplink_far,
        .urr_id = {&r->urr, 1},
        .qer_id = {&r->qer, 1},
    };
    r->pdrs[1] = (struct pfcp_create_pdr){
        .pdr_id = DOWNLINK,
        .precedence = PRECEDENCE,
        .pdi = {.source_interface = PFCP_INTERFACE_CORE,
                .network_instance = &r->network_instance,
                .ue_ip_address = &r->to_phone},
        .far_id = &r->downlink_far,
        .urr_id = {&r->urr, 1},
        .qer_id = {&r->qer, 1},
    };
    r->fars[0] = (struct pfcp_create_far){
        .far_id = UPLINK, .apply_action = PFCP_APPLY_FORW, .forwarding_parameters = &r->uplink};
    r->fars[1] = (struct pfcp_create_far){.far_id = DOWNLINK,
                                          .apply_action = downlink_action(session),
                                          .forwarding_parameters = &r->downlink};
    r->qers[0] = (struct pfcp_create_qer){.qer_id = QER_ID, .maximum_bit_rate = &r->rates};
    r->urrs[0] = (struct pfcp_create_urr){.urr_id = URR_ID, .measurement_method = PFCP_MEASURE_VOLUM};
}

/* The tunnel that the user plane has chosen. */
static void take_chosen(struct pgw_session *session,
                        const struct pfcp_session_establishment_response *response)
{
    for (size_t i = 0; i < response->created_pdr.count; i++) {
        const struct pfcp_created_pdr *created = &response->created_pdr.at[i];
        if (created->pdr_id == UPLINK && created->local_f_teid && created->local_f_teid->has_ipv4)
            session->s5_u = (struct pgw_tunnel_end){created->local_f_teid->teid, created->local_f_teid->ipv4};
    }
}

static int establish(struct pgw_session *session)
{
    struct pfcp_endpoint *pfcp = user_planes_pfcp(pgw.planes);
    struct pfcp_message *answer;
    struct rules r;

    fill_values(&r, session);
    fill_rules(&r, session);
    struct pfcp_session_establishment_request body = {
        .node_id = pfcp_own_node_id(pfcp),
        .cp_f_seid = pfcp_own_f_seid(pfcp, seid_of(session)),
        .create_pdr = {r.pdrs, 2},
        .create_far = {r.fars, 2},
        .create_urr = {r.urrs, 1},
        .create_qer = {r.qers, 1},
        .pdn_type = &r.pdn_type,
        .user_id = &r.user_id,
    };
    session->up_seid = 0;
    int err = request(session, PFCP_SESSION_ESTABLISHMENT_REQUEST, &body, &answer);
    if (err < 0)
        return err;
    const struct pfcp_session_establishment_response *response = answer->body;
    if (response->cause != PFCP_CAUSE_REQUEST_ACCEPTED) {
        refused(session, "establishment", response->cause);
        err = error_of(response->cause);
        return err == -ENOENT ? -EPROTO : err;
    }
    if (!response->up_f_seid)
        return -EPROTO;
    session->up_seid = response->up_f_seid->seid;
    take_chosen(session, response);
    return session->s5_u.teid ? 0 : -EPROTO;
}

static void take_usage(struct pgw_session *session, const struct pfcp_usage_report *reports, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct pfcp_volume *volume = reports[i].volume_measurement;
        if (!volume)
            continue;
        session->uplink_bytes += volume->has_uplink ? volume->uplink : 0;
        session->downlink_bytes += volume->has_downlink ? volume->downlink : 0;
        metric_add(&pgw.metrics[PGW_UPLINK_BYTES], volume->has_uplink ? volume->uplink : 0);
        metric_add(&pgw.metrics[PGW_DOWNLINK_BYTES], volume->has_downlink ? volume->downlink : 0);
    }
}

/* Downlink packets go to another tunnel, or nowhere; the rates are others. */
static int modify(struct pgw_session *session)
{
    struct pfcp_message *answer;
    struct rules r;
    uint8_t action = downlink_action(session), access = PFCP_INTERFACE_ACCESS;

    fill_values(&r, session);
    struct pfcp_update_forwarding_parameters forwarding = {.destination_interface = &access,
                                                           .outer_header_creation = &r.header};
    struct pfcp_update_far far = {.far_id = DOWNLINK,
                                  .apply_action = &action,
                                  .update_forwarding_parameters = &forwarding};
    struct pfcp_update_qer qer = {.qer_id = QER_ID, .maximum_bit_rate = &r.rates};
    struct pfcp_session_modification_request body = {.update_far = {&far, 1}, .update_qer = {&qer, 1}};
    int err = request(session, PFCP_SESSION_MODIFICATION_REQUEST, &body, &answer);
    if (err < 0)
        return err;
    const struct pfcp_session_modification_response *response = answer->body;
    take_usage(session, response->usage_report.at, response->usage_report.count);
    err = error_of(response->cause);
    if (err < 0 && err != -ENOENT)
        refused(session, "modification", response->cause);
    return err;
}

int pgw_program(struct pgw_session *session)
{
    int err = session->up_seid ? modify(session) : -ENOENT;

    return err == -ENOENT ? establish(session) : err;
}

void pgw_program_nothing(struct pgw_session *session)
{
    struct pfcp_session_deletion_request body = {0};
    struct pfcp_message *answer;

    if (session->up_seid && request(session, PFCP_SESSION_DELETION_REQUEST, &body, &answer) == 0) {
        const struct pfcp_session_deletion_response *response = answer->body;
        take_usage(session, response->usage_report.at, response->usage_report.count);
    }
    session->up_seid = 0;
}

/* ---- reports (clause 7.5.8) ---- */

static void take_report(void *owner, uint8_t plane, uint64_t seid, uint32_t transaction,
                        const struct pfcp_session_report_request *report)
{
    struct pgw_session *session = pgw_session_by_seid(seid);

    (void)owner;
    if (!session || session->plane != plane) {
        user_planes_answer_report(pgw.planes, transaction, 0, PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND);
        return;
    }
    user_planes_answer_report(pgw.planes, transaction, session->up_seid, PFCP_CAUSE_REQUEST_ACCEPTED);
    take_usage(session, report->usage_report.at, report->usage_report.count);
    /* The S-GW does not know the tunnel: the connection is dead there (TS 23.007 clause 22.2). */
    if (report->report_type & PFCP_REPORT_ERIR) {
        pgw_count(PGW_ERROR_INDICATIONS);
        pgw_post(session, &(struct pgw_event){.kind = PGW_EVENT_LOST});
    }
}

static const char *subject(void *owner, uint64_t seid)
{
    struct pgw_session *session = pgw_session_by_seid(seid);

    (void)owner;
    return session ? session->imsi : "";
}

static void plane_down(void *owner, uint8_t plane)
{
    (void)owner;
    log_warn("user plane %s is lost: its %u sessions wait for it", user_plane_name(pgw.planes, plane),
             user_plane_sessions(pgw.planes, plane));
}

const struct user_planes_handler pgw_planes_handler = {
    .up = pgw_plane_up,
    .down = plane_down,
    .report = take_report,
    .subject = subject,
};
