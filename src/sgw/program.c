/*
 * program.c -- what the user plane is told (TS 29.244 on Sxa).
 *
 * A session is one PFCP session. Bearer number n has the rules
 *
 *     PDR 2n-1  from Access, F-TEID S1-U  -> FAR 2n-1  to Core, into the P-GW's tunnel
 *     PDR 2n    from Core,   F-TEID S5-U  -> FAR 2n    to Access, into the eNodeB's tunnel; or kept
 * (BAR 1)
 *
 * The bearers say what is wanted; sgw_program() finds out what that means for the user plane:
 * everything when it has no session (it is new, or it has lost it), else the downlink FARs that are
 * stale. A user plane that knows the session no more ("Session context not found") is given all of
 * it again.
 */
#include <errno.h>

#include "sgw/context.h"

#define BAR_ID 1

/* PDRs, or FARs, of a session at most. */
#define MAX_RULES ((size_t)2 * SGW_MAX_BEARERS)

uint64_t sgw_seid(const struct sgw_session *session)
{
    return (uint64_t)sgw.seid_high << 32 | session->id;
}

struct sgw_session *sgw_session_by_seid(uint64_t seid)
{
    return seid >> 32 == sgw.seid_high ? sgw_session_get((uint32_t)seid) : NULL;
}

static int request(struct sgw_session *session, enum pfcp_message_type type, const void *body,
                   struct pfcp_message **answer)
{
    return user_plane_request(sgw.planes, session->plane, session->up_seid, type, body, answer);
}

static uint8_t apply_action(const struct sgw_bearer *bearer)
{
    static const uint8_t actions[] = {
        [SGW_DOWNLINK_HOLD] = PFCP_APPLY_BUFF,
        [SGW_DOWNLINK_FORWARD] = PFCP_APPLY_FORW,
        [SGW_DOWNLINK_NOTIFY] = PFCP_APPLY_BUFF | PFCP_APPLY_NOCP,
        [SGW_DOWNLINK_DROP] = PFCP_APPLY_DROP,
    };

    return actions[bearer->downlink];
}

static struct pfcp_outer_header_creation header_to(const struct sgw_tunnel_end *end)
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

/* Our end of a tunnel: as it is, or for the user plane to choose. */
static struct pfcp_f_teid f_teid_of(const struct sgw_tunnel_end *end)
{
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

/* The rules of one direction of one bearer, and what their pointers point to. */
struct rule {
    struct pfcp_f_teid f_teid;
    uint8_t removal;
    uint32_t far_id;
    uint8_t bar_id;
    struct pfcp_outer_header_creation header;
    struct pfcp_forwarding_parameters forwarding;
};

static void build_rule(struct rule *rule, const struct sgw_bearer *bearer, bool is_uplink,
                       struct pfcp_create_pdr *pdr, struct pfcp_create_far *far)
{
    const struct sgw_tunnel_end *here = is_uplink ? &bearer->s1_u : &bearer->s5_u;
    const struct sgw_tunnel_end *there = is_uplink ? &bearer->pgw : &bearer->enb;
    uint8_t to = is_uplink ? PFCP_INTERFACE_CORE : PFCP_INTERFACE_ACCESS;

    *rule = (struct rule){
        .f_teid = f_teid_of(here),
        .removal = here->is_ipv6 ? PFCP_REMOVE_GTP_U_UDP_IPV6 : PFCP_REMOVE_GTP_U_UDP_IPV4,
        .far_id = 2u * bearer->number - is_uplink,
        .bar_id = BAR_ID,
        .header = header_to(there),
    };
    rule->forwarding = (struct pfcp_forwarding_parameters){.destination_interface = to,
                                                           .outer_header_creation = &rule->header};
    *pdr = (struct pfcp_create_pdr){
        .pdr_id = (uint16_t)rule->far_id,
        .precedence = 255,
        .pdi = {.source_interface = is_uplink ? PFCP_INTERFACE_ACCESS : PFCP_INTERFACE_CORE,
                .local_f_teid = &rule->f_teid},
        .outer_header_removal = &rule->removal,
        .far_id = &rule->far_id,
    };
    *far = (struct pfcp_create_far){
        .far_id = rule->far_id,
        .apply_action = is_uplink ? PFCP_APPLY_FORW : apply_action(bearer),
        .forwarding_parameters = there->is_set ? &rule->forwarding : NULL,
        .bar_id = is_uplink ? NULL : &rule->bar_id,
    };
    if (is_uplink && !there->is_set)
        far->apply_action = PFCP_APPLY_DROP; /* the P-GW is still to be asked */
}

/* The tunnels that the user plane has chosen. */
static void take_chosen(struct sgw_session *session,
                        const struct pfcp_session_establishment_response *response)
{
    for (size_t i = 0; i < response->created_pdr.count; i++) {
        const struct pfcp_created_pdr *created = &response->created_pdr.at[i];
        struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);
        while (bearer && (created->pdr_id + 1) / 2 != bearer->number)
            bearer = sgw_bearer_get(bearer->next);
        if (!bearer || !created->local_f_teid)
            continue;
        if (created->pdr_id % 2)
            bearer->s1_u = sgw_end_of_pfcp(created->local_f_teid);
        else
            bearer->s5_u = sgw_end_of_pfcp(created->local_f_teid);
    }
}

static void all_told(struct sgw_session *session)
{
    struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);

    for (; bearer; bearer = sgw_bearer_get(bearer->next))
        bearer->is_stale = bearer->has_moved = false;
}

static bool has_all_tunnels(const struct sgw_session *session)
{
    const struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);

    while (bearer && bearer->s1_u.is_set && bearer->s5_u.is_set)
        bearer = sgw_bearer_get(bearer->next);
    return !bearer;
}

static int establish(struct sgw_session *session)
{
    const struct sgw_ue *ue = sgw_ue_get(session->ue);
    struct pfcp_endpoint *pfcp = user_planes_pfcp(sgw.planes);
    struct rule rules[MAX_RULES];
    struct pfcp_create_pdr pdrs[MAX_RULES];
    struct pfcp_create_far fars[MAX_RULES];
    struct pfcp_create_bar bar = {.bar_id = BAR_ID};
    struct pfcp_user_id user_id = {0};
    struct pfcp_message *answer;
    size_t count = 0;

    const struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);
    for (; bearer && count < MAX_RULES; bearer = sgw_bearer_get(bearer->next)) {
        for (int is_uplink = 1; is_uplink >= 0; is_uplink--, count++)
            build_rule(&rules[count], bearer, is_uplink, &pdrs[count], &fars[count]);
    }
    memcpy(user_id.imsi, ue->imsi, sizeof(user_id.imsi));
    if (ue->notification_delay)
        bar.downlink_data_notification_delay = &(uint8_t){ue->notification_delay};
    struct pfcp_session_establishment_request body = {
        .node_id = pfcp_own_node_id(pfcp),
        .cp_f_seid = pfcp_own_f_seid(pfcp, sgw_seid(session)),
        .create_pdr = {pdrs, count},
        .create_far = {fars, count},
        .create_bar = &bar,
        .user_id = &user_id,
    };
    session->up_seid = 0;
    int err = request(session, PFCP_SESSION_ESTABLISHMENT_REQUEST, &body, &answer);
    if (err < 0)
        return err;
    const struct pfcp_session_establishment_response *response = answer->body;
    if (response->cause != PFCP_CAUSE_REQUEST_ACCEPTED)
        user_plane_refused(sgw.planes, session->plane, "establishment", response->cause);
    else if (!response->up_f_seid)
        return -EPROTO;
    err = user_plane_error(response->cause);
    if (err < 0)
        return err == -ENOENT ? -EPROTO : err;
    session->up_seid = response->up_f_seid->seid;
    take_chosen(session, response);
    all_told(session);
    return has_all_tunnels(session) ? 0 : -EPROTO;
}

/* The changes of one modification, and what their pointers point to. */
struct changes {
    size_t count;
    struct pfcp_update_far fars[MAX_RULES];
    struct pfcp_update_forwarding_parameters forwardings[MAX_RULES];
    struct pfcp_outer_header_creation headers[MAX_RULES];
    uint8_t actions[MAX_RULES];
    uint8_t interfaces[MAX_RULES];
};

static void add_change(struct changes *changes, const struct sgw_bearer *bearer, bool is_uplink)
{
    static uint8_t end_marker = PFCP_SMREQ_SNDEM;
    const struct sgw_tunnel_end *there = is_uplink ? &bearer->pgw : &bearer->enb;
    size_t i = changes->count++;

    changes->headers[i] = header_to(there);
    changes->actions[i] = is_uplink ? PFCP_APPLY_FORW : apply_action(bearer);
    changes->interfaces[i] = is_uplink ? PFCP_INTERFACE_CORE : PFCP_INTERFACE_ACCESS;
    changes->forwardings[i] = (struct pfcp_update_forwarding_parameters){
        .destination_interface = &changes->interfaces[i],
        .outer_header_creation = &changes->headers[i],
        .pfcpsmreq_flags = !is_uplink && bearer->has_moved ? &end_marker : NULL,
    };
    changes->fars[i] = (struct pfcp_update_far){
        .far_id = 2u * bearer->number - is_uplink,
        .apply_action = &changes->actions[i],
        .update_forwarding_parameters = there->is_set ? &changes->forwardings[i] : NULL,
    };
}

/* One modification that says what is stale. -ENOENT: the user plane does not know the session. */
static int modify(struct sgw_session *session)
{
    struct changes changes = {0};
    struct pfcp_message *answer;

    const struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);
    for (; bearer; bearer = sgw_bearer_get(bearer->next)) {
        if (!bearer->is_stale || changes.count + 2 > MAX_RULES)
            continue;
        add_change(&changes, bearer, false);
        if (!session->is_established) /* the P-GW was not known when the rules were made */
            add_change(&changes, bearer, true);
    }
    if (changes.count == 0)
        return 0;
    struct pfcp_session_modification_request body = {.update_far = {changes.fars, changes.count}};
    int err = request(session, PFCP_SESSION_MODIFICATION_REQUEST, &body, &answer);
    if (err < 0)
        return err;
    const struct pfcp_session_modification_response *response = answer->body;
    err = user_plane_error(response->cause);
    if (err == 0)
        all_told(session);
    else if (err != -ENOENT)
        user_plane_refused(sgw.planes, session->plane, "modification", response->cause);
    return err;
}

int sgw_program(struct sgw_session *session)
{
    int err = session->up_seid ? modify(session) : -ENOENT;

    return err == -ENOENT ? establish(session) : err;
}

void sgw_program_nothing(struct sgw_session *session)
{
    struct pfcp_message *answer;

    if (session->up_seid)
        (void)user_plane_delete(sgw.planes, session->plane, session->up_seid, &answer);
    session->up_seid = 0;
}

void sgw_program_drop_buffered(struct sgw_session *session)
{
    struct pfcp_session_modification_request body = {.pfcpsmreq_flags =
                                                         &(uint8_t){PFCP_SMREQ_DROBU}};
    struct pfcp_message *answer;

    if (session->up_seid)
        (void)request(session, PFCP_SESSION_MODIFICATION_REQUEST, &body, &answer);
}

void sgw_program_delay(struct sgw_session *session, uint8_t delay)
{
    struct pfcp_create_bar bar = {.bar_id = BAR_ID, .downlink_data_notification_delay = &delay};
    struct pfcp_session_modification_request body = {.update_bar = &bar};
    struct pfcp_message *answer;

    if (session->up_seid)
        (void)request(session, PFCP_SESSION_MODIFICATION_REQUEST, &body, &answer);
}

/* Reports (clause 7.5.8) */
static void take_error_indication(struct sgw_session *session,
                                  const struct pfcp_error_indication_report *report)
{
    struct sgw_ue *ue = sgw_ue_get(session->ue);

    for (size_t i = 0; i < report->remote_f_teid.count; i++) {
        struct sgw_tunnel_end end = sgw_end_of_pfcp(&report->remote_f_teid.at[i]);
        struct sgw_event event = {.kind = SGW_EVENT_ERROR_INDICATION,
                                  .content = bytes_of(&end, sizeof(end))};
        sgw_count(SGW_ERROR_INDICATIONS);
        sgw_post(ue, &event);
        if (!sgw_session_by_seid(sgw_seid(session)))
            return; /* that ended it */
    }
}

static void take_report(void *owner, uint8_t plane, uint64_t seid, uint32_t transaction,
                        const struct pfcp_session_report_request *report)
{
    struct sgw_session *session = sgw_session_by_seid(seid);

    (void)owner;
    if (!session || session->plane != plane) {
        user_planes_answer_report(sgw.planes, transaction, 0, PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND);
        return;
    }
    user_planes_answer_report(sgw.planes, transaction, session->up_seid,
                              PFCP_CAUSE_REQUEST_ACCEPTED);
    if (report->report_type & PFCP_REPORT_DLDR)
        sgw_downlink_data_report(session);
    if (report->report_type & PFCP_REPORT_ERIR && report->error_indication_report &&
        sgw_session_by_seid(seid) == session)
        take_error_indication(session, report->error_indication_report);
}

static const char *subject(void *owner, uint64_t seid)
{
    struct sgw_session *session = sgw_session_by_seid(seid);
    struct sgw_ue *ue = session ? sgw_ue_get(session->ue) : NULL;

    (void)owner;
    return ue ? ue->imsi : "";
}

static void plane_down(void *owner, uint8_t plane)
{
    (void)owner;
    log_warn("user plane %s is lost: its %u sessions wait for it",
             user_plane_name(sgw.planes, plane), user_plane_sessions(sgw.planes, plane));
}

const struct user_planes_handler sgw_planes_handler = {
    .up = sgw_plane_up,
    .down = plane_down,
    .report = take_report,
    .subject = subject,
};
