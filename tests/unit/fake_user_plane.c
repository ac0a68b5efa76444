/*
 * fake_user_plane.c -- see fake_user_plane.h.
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/base.h"
#include "fake_user_plane.h"

struct fake_far *fake_far(struct fake_session *session, uint32_t id)
{
    for (size_t i = 0; i < session->far_count; i++)
        if (session->fars[i].id == id)
            return &session->fars[i];
    return NULL;
}

struct fake_pdr *fake_pdr(struct fake_session *session, uint16_t id)
{
    for (size_t i = 0; i < session->pdr_count; i++)
        if (session->pdrs[i].id == id)
            return &session->pdrs[i];
    return NULL;
}

struct fake_session *fake_session_at(struct fake_user_plane *plane, size_t n)
{
    for (size_t i = 0; i < FAKE_MAX_SESSIONS; i++)
        if (plane->sessions[i].up_seid && n-- == 0)
            return &plane->sessions[i];
    return NULL;
}

struct fake_session *fake_session_of(struct fake_user_plane *plane, const char *imsi)
{
    for (size_t i = 0; i < FAKE_MAX_SESSIONS; i++)
        if (plane->sessions[i].up_seid && strcmp(plane->sessions[i].imsi, imsi) == 0)
            return &plane->sessions[i];
    return NULL;
}

static struct fake_session *find(struct fake_user_plane *plane, uint64_t seid)
{
    for (size_t i = 0; i < FAKE_MAX_SESSIONS; i++)
        if (seid && plane->sessions[i].up_seid == seid)
            return &plane->sessions[i];
    return NULL;
}

static void accept_association(struct fake_user_plane *plane, uint32_t transaction, uint32_t peer)
{
    /* Each control plane has a range of its own, by the order of peers. */
    struct pfcp_user_plane_ip_resource_information resource = {.has_ipv4 = true,
                                                               .ipv4 = plane->gtpu,
                                                               .teid_range_bits = 3,
                                                               .teid_range =
                                                                   (uint8_t)((peer & 7) << 5)};
    uint32_t features = plane->chooses ? PFCP_UP_FTUP | PFCP_UP_EMPU : PFCP_UP_EMPU;
    struct pfcp_association_setup_response response = {
        .node_id = pfcp_own_node_id(plane->pfcp),
        .cause = PFCP_CAUSE_REQUEST_ACCEPTED,
        .recovery_time_stamp = plane->recovery,
        .up_function_features = &features,
        .user_plane_ip_resource_information = {&resource, plane->chooses ? 0 : 1},
    };

    plane->associations++;
    plane->forgets = false;
    assert_int_equal(pfcp_answer(plane->pfcp, transaction, 0, &response), 0);
}

static void take_pdr(struct fake_user_plane *plane, struct fake_session *session,
                     const struct pfcp_create_pdr *from, struct pfcp_created_pdr *created,
                     struct pfcp_f_teid *f_teid)
{
    struct fake_pdr *pdr = &session->pdrs[session->pdr_count++];

    assert_true(session->pdr_count <= FAKE_MAX_RULES);
    *pdr = (struct fake_pdr){.id = from->pdr_id,
                             .source = from->pdi.source_interface,
                             .far_id = from->far_id ? *from->far_id : 0};
    *created = (struct pfcp_created_pdr){.pdr_id = from->pdr_id};
    if (from->pdi.local_f_teid) {
        *f_teid = *from->pdi.local_f_teid;
        if (f_teid->choose) {
            assert_true(plane->chooses);
            *f_teid = (struct pfcp_f_teid){
                .has_ipv4 = true, .teid = ++plane->next_teid, .ipv4 = plane->gtpu};
            created->local_f_teid = f_teid;
        }
        pdr->teid = f_teid->teid;
        pdr->address = f_teid->ipv4;
        assert_true(pdr->teid != 0);
    }
    if ((pdr->has_ue = from->pdi.ue_ip_address))
        pdr->ue = *from->pdi.ue_ip_address;
    if (from->pdi.network_instance && from->pdi.network_instance->len < sizeof(pdr->network))
        memcpy(pdr->network, from->pdi.network_instance->at, from->pdi.network_instance->len);
}

static void take_far(struct fake_session *session, const struct pfcp_create_far *from)
{
    struct fake_far *far = &session->fars[session->far_count++];
    const struct pfcp_forwarding_parameters *forwarding = from->forwarding_parameters;

    assert_true(session->far_count <= FAKE_MAX_RULES);
    *far = (struct fake_far){.id = from->far_id, .action = from->apply_action};
    if (!forwarding)
        return;
    far->destination = forwarding->destination_interface;
    if ((far->has_header = forwarding->outer_header_creation)) {
        far->teid = forwarding->outer_header_creation->teid;
        far->address = forwarding->outer_header_creation->ipv4;
    }
}

static struct fake_session *free_place(struct fake_user_plane *plane, uint64_t cp_seid,
                                       uint32_t peer)
{
    for (size_t i = 0; i < FAKE_MAX_SESSIONS; i++)
        if (plane->sessions[i].up_seid && plane->sessions[i].cp_seid == cp_seid &&
            plane->sessions[i].peer == peer) {
            plane->count--; /* established again: it replaces the old one */
            return &plane->sessions[i];
        }
    for (size_t i = 0; i < FAKE_MAX_SESSIONS; i++)
        if (!plane->sessions[i].up_seid)
            return &plane->sessions[i];
    return NULL;
}

static void establish(struct fake_user_plane *plane, uint32_t peer, uint32_t transaction,
                      const struct pfcp_session_establishment_request *request)
{
    struct fake_session *session = free_place(plane, request->cp_f_seid.seid, peer);
    struct pfcp_created_pdr created[FAKE_MAX_RULES];
    struct pfcp_f_teid f_teids[FAKE_MAX_RULES];

    assert_non_null(session);
    *session = (struct fake_session){
        .up_seid = ++plane->next_seid, .cp_seid = request->cp_f_seid.seid, .peer = peer};
    plane->count++;
    plane->establishments++;
    if (request->user_id)
        memcpy(session->imsi, request->user_id->imsi, sizeof(session->imsi));
    for (size_t i = 0; i < request->create_pdr.count; i++)
        take_pdr(plane, session, &request->create_pdr.at[i], &created[i], &f_teids[i]);
    for (size_t i = 0; i < request->create_far.count; i++)
        take_far(session, &request->create_far.at[i]);
    session->has_urr = request->create_urr.count > 0;
    if ((session->has_ambr =
             request->create_qer.count > 0 && request->create_qer.at[0].maximum_bit_rate))
        session->ambr = *request->create_qer.at[0].maximum_bit_rate;
    struct pfcp_f_seid own = pfcp_own_f_seid(plane->pfcp, session->up_seid);
    struct pfcp_session_establishment_response response = {
        .node_id = pfcp_own_node_id(plane->pfcp),
        .cause = PFCP_CAUSE_REQUEST_ACCEPTED,
        .up_f_seid = &own,
        .created_pdr = {created, plane->chooses ? request->create_pdr.count : 0},
    };
    pfcp_answer(plane->pfcp, transaction, session->cp_seid, &response);
}

static void modify(struct fake_user_plane *plane, struct fake_session *session,
                   uint32_t transaction, const struct pfcp_session_modification_request *request)
{
    struct pfcp_session_modification_response response = {.cause = PFCP_CAUSE_REQUEST_ACCEPTED};

    plane->modifications++;
    session->modifications++;
    for (size_t i = 0; i < request->update_far.count; i++) {
        const struct pfcp_update_far *update = &request->update_far.at[i];
        const struct pfcp_update_forwarding_parameters *forwarding =
            update->update_forwarding_parameters;
        struct fake_far *far = fake_far(session, update->far_id);
        assert_non_null(far);
        if (update->apply_action)
            far->action = *update->apply_action;
        if (!forwarding)
            continue;
        if (forwarding->destination_interface)
            far->destination = *forwarding->destination_interface;
        if (forwarding->outer_header_creation) {
            far->has_header = true;
            far->teid = forwarding->outer_header_creation->teid;
            far->address = forwarding->outer_header_creation->ipv4;
        }
        if (forwarding->pfcpsmreq_flags && *forwarding->pfcpsmreq_flags & PFCP_SMREQ_SNDEM)
            session->end_markers++;
    }
    if (request->pfcpsmreq_flags && *request->pfcpsmreq_flags & PFCP_SMREQ_DROBU)
        session->drops++;
    if (request->update_bar && request->update_bar->downlink_data_notification_delay)
        session->delay = *request->update_bar->downlink_data_notification_delay;
    pfcp_answer(plane->pfcp, transaction, session->cp_seid, &response);
}

static void delete (struct fake_user_plane *plane, struct fake_session *session,
                    uint32_t transaction)
{
    struct pfcp_volume volume = {
        .has_uplink = true, .has_downlink = true, .uplink = 1000, .downlink = 2000};
    struct pfcp_usage_report report = {
        .urr_id = 1, .usage_report_trigger = PFCP_USAGE_TERMR, .volume_measurement = &volume};
    struct pfcp_session_deletion_response response = {.cause = PFCP_CAUSE_REQUEST_ACCEPTED,
                                                      .usage_report = {&report, session->has_urr}};
    uint64_t cp_seid = session->cp_seid;

    plane->deletions++;
    plane->count--;
    *session = (struct fake_session){0};
    pfcp_answer(plane->pfcp, transaction, cp_seid, &response);
}

static void take_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                         const struct pfcp_message *request)
{
    struct fake_user_plane *plane = owner;
    struct fake_session *session = find(plane, request->header.seid);

    if (request->header.type == PFCP_ASSOCIATION_SETUP_REQUEST) {
        accept_association(plane, transaction, udp_peer_id(peer));
    } else if (plane->ignored > 0) {
        plane->ignored--;
        udp_abandon(pfcp_udp(plane->pfcp), transaction);
    } else if (plane->forgets) {
        pfcp_refuse(plane->pfcp, transaction, 0, PFCP_CAUSE_NO_ESTABLISHED_PFCP_ASSOCIATION, 0);
    } else if (plane->refusals > 0) {
        plane->refusals--;
        pfcp_refuse(plane->pfcp, transaction, session ? session->cp_seid : 0, plane->refuse, 0);
    } else if (request->header.type == PFCP_SESSION_ESTABLISHMENT_REQUEST) {
        establish(plane, udp_peer_id(peer), transaction, request->body);
    } else if (!session) {
        pfcp_refuse(plane->pfcp, transaction, 0, PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND, 0);
    } else if (request->header.type == PFCP_SESSION_MODIFICATION_REQUEST) {
        modify(plane, session, transaction, request->body);
    } else {
        delete (plane, session, transaction);
    }
}

static const struct pfcp_handler handler = {.request = take_request};

static void open_endpoint(struct fake_user_plane *plane)
{
    struct udp_settings settings = udp_settings_default();

    settings.timeout_ms = 50;
    settings.probe_interval_ms = 0;
    assert_int_equal(pfcp_open((struct sockaddr *)&plane->address, &settings, plane->recovery,
                               &handler, plane, &plane->pfcp),
                     0);
}

void fake_user_plane_open(struct fake_user_plane *plane, const char *address, uint32_t recovery)
{
    *plane =
        (struct fake_user_plane){.recovery = recovery, .next_teid = 0x900, .next_seid = 0x7700};
    plane->address.sin_family = AF_INET;
    inet_pton(AF_INET, address, &plane->address.sin_addr);
    plane->gtpu.s_addr = htonl(0x0a000001);
    open_endpoint(plane);
}

void fake_user_plane_close(struct fake_user_plane *plane)
{
    if (plane->pfcp)
        pfcp_close(plane->pfcp);
    plane->pfcp = NULL;
}

void fake_user_plane_restart(struct fake_user_plane *plane)
{
    fake_user_plane_close(plane);
    plane->recovery++;
    plane->count = 0;
    memset(plane->sessions, 0, sizeof(plane->sessions));
    open_endpoint(plane);
}

struct report {
    struct fake_user_plane *plane;
    struct fake_session *session;
    struct pfcp_session_report_request *body;
};

static void send_report(void *argument)
{
    const struct report *report = argument;
    struct fake_user_plane *plane = report->plane;
    struct udp_peer *peer = udp_peer_get(pfcp_udp(plane->pfcp), report->session->peer);
    struct pfcp_message *answer;

    if (pfcp_request(peer, report->session->cp_seid, PFCP_SESSION_REPORT_REQUEST, report->body,
                     &answer) == 0 &&
        ((struct pfcp_session_report_response *)answer->body)->cause == PFCP_CAUSE_REQUEST_ACCEPTED)
        plane->report_answers++;
}

void fake_report_data(struct fake_user_plane *plane, struct fake_session *session)
{
    uint16_t pdr_id = 2;
    struct pfcp_downlink_data_report data = {.pdr_id = {&pdr_id, 1}};
    struct pfcp_session_report_request body = {.report_type = PFCP_REPORT_DLDR,
                                               .downlink_data_report = &data};
    struct report report = {plane, session, &body};

    fiber_spawn("report", send_report, &report);
}

void fake_report_error(struct fake_user_plane *plane, struct fake_session *session, uint32_t teid,
                       struct in_addr address)
{
    struct pfcp_f_teid remote = {.has_ipv4 = true, .teid = teid, .ipv4 = address};
    struct pfcp_error_indication_report error = {.remote_f_teid = {&remote, 1}};
    struct pfcp_session_report_request body = {.report_type = PFCP_REPORT_ERIR,
                                               .error_indication_report = &error};
    struct report report = {plane, session, &body};

    fiber_spawn("report", send_report, &report);
}
