/*
 * state.c -- the user plane for who watches: metrics, and views of sessions, flows and control
 * planes as JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controller/up.h"

#define VIEW_LIMIT 1000 /* rows of one view */

static uint64_t count_sessions(void)
{
    return up.sessions.count;
}

void up_state_open(void)
{
    static const struct metric names[UP_METRICS] = {
#define TOTAL(name, labels, help) {"strowger_controller_" name, labels, help, METRIC_COUNTER}
        [UP_ESTABLISHED] = TOTAL("pfcp_session_changes_total", "kind=\"establishment\"",
                                 "PFCP session requests obeyed"),
        [UP_MODIFIED] = TOTAL("pfcp_session_changes_total", "kind=\"modification\"", NULL),
        [UP_DELETED] = TOTAL("pfcp_session_changes_total", "kind=\"deletion\"", NULL),
        [UP_REFUSED] = TOTAL("pfcp_session_refusals_total", NULL, "PFCP session requests refused"),
        [UP_SESSIONS] = {"strowger_controller_pfcp_sessions", NULL, "PFCP sessions now",
                         METRIC_GAUGE, count_sessions},
        [UP_FLOW_MODS] =
            TOTAL("openflow_mods_total", "kind=\"flow\"", "Flow and meter messages sent"),
        [UP_METER_MODS] = TOTAL("openflow_mods_total", "kind=\"meter\"", NULL),
        [UP_BARRIERS] =
            TOTAL("openflow_barriers_total", NULL, "Barriers, each for the changes of one turn"),
        [UP_BUFFERED] = TOTAL("buffered_packets_total", "outcome=\"kept\"",
                              "Downlink packets for sleeping phones"),
        [UP_BUFFER_DROPS] = TOTAL("buffered_packets_total", "outcome=\"dropped\"", NULL),
        [UP_BUFFER_SENT] = TOTAL("buffered_packets_total", "outcome=\"sent\"", NULL),
        [UP_BUFFER_BYTES] = {"strowger_controller_buffered_bytes", NULL,
                             "Bytes that wait for sleeping phones", METRIC_GAUGE},
        [UP_CLAMPS] = TOTAL("clamps_total", NULL, "Sleeping phones silenced in the switch"),
        [UP_DATA_REPORTS] =
            TOTAL("pfcp_reports_total", "kind=\"downlink_data\"", "PFCP session reports sent"),
        [UP_USAGE_REPORTS] = TOTAL("pfcp_reports_total", "kind=\"usage\"", NULL),
        [UP_ERROR_REPORTS] = TOTAL("pfcp_reports_total", "kind=\"error_indication\"", NULL),
        [UP_REPORT_FAILURES] =
            TOTAL("pfcp_report_failures_total", NULL, "PFCP session reports not accepted"),
        [UP_END_MARKERS] =
            TOTAL("gtpu_signals_total", "kind=\"end_marker_sent\"", "GTP-U path messages"),
        [UP_ERROR_INDICATIONS_SENT] =
            TOTAL("gtpu_signals_total", "kind=\"error_indication_sent\"", NULL),
        [UP_ERROR_INDICATIONS_RECEIVED] =
            TOTAL("gtpu_signals_total", "kind=\"error_indication_received\"", NULL),
        [UP_ECHOES] = TOTAL("gtpu_signals_total", "kind=\"echo_answered\"", NULL),
        [UP_ROUTER_ADVERTISEMENTS] =
            TOTAL("neighbour_answers_total", "kind=\"router_advertisement\"",
                  "Answers to ARP and neighbour discovery"),
        [UP_NEIGHBOUR_ANSWERS] = TOTAL("neighbour_answers_total", "kind=\"neighbour\"", NULL),
        [UP_STRAY_PACKETS] = TOTAL("stray_packets_total", NULL, "Packets of no session"),
        [UP_RESYNC_REPAIRED] =
            TOTAL("resync_flows_total", "kind=\"added\"", "Flows corrected by comparing a switch"),
        [UP_RESYNC_REMOVED] = TOTAL("resync_flows_total", "kind=\"removed\"", NULL),
#undef TOTAL
    };

    memcpy(up.metrics, names, sizeof(names));
    metric_register(up.metrics, UP_METRICS);
    up.answer_time = (struct histogram){.name = "strowger_controller_pfcp_answer_seconds",
                                        .help = "From a PFCP session request to its answer"};
    histogram_register(&up.answer_time);
}

/* ---- views ---- */

static bool is_meant(const struct up_session *session, const char *imsi)
{
    return !imsi || strcmp(session->imsi, imsi) == 0;
}

/* "forward to 192.0.2.1 0x11", "buffer" ...: what happens to downlink packets. */
static void put_downlink(struct text *t, const struct up_session *session)
{
    for (unsigned i = 0; i < session->rules->pdr_count; i++) {
        const struct up_pdr *pdr = &session->rules->pdrs[i];
        const struct up_far *far = up_pdr_is_uplink(pdr) ? NULL : up_pdr_far(session->rules, pdr);
        char address[INET_ADDRSTRLEN];
        if (!far)
            continue;
        if (t->len > 0)
            text_add(t, ", ");
        if (far->action & PFCP_APPLY_FORW && far->has_outer)
            text_add(t, "tunnel 0x%x at %s", far->teid,
                     inet_ntop(AF_INET, &far->address, address, sizeof(address)));
        else
            text_add(t, "%s",
                     far->action & PFCP_APPLY_BUFF   ? "buffer"
                     : far->action & PFCP_APPLY_FORW ? "exit"
                                                     : "drop");
    }
}

static void put_addresses(struct text *t, const struct up_session *session)
{
    for (unsigned i = 0; i < session->rules->pdr_count; i++) {
        const struct up_pdr *pdr = &session->rules->pdrs[i];
        char address[INET6_ADDRSTRLEN];
        if (up_pdr_is_uplink(pdr))
            continue;
        if (pdr->has_ue4)
            text_add(t, "%s%s", t->len ? " " : "",
                     inet_ntop(AF_INET, &pdr->ue4, address, sizeof(address)));
        if (pdr->has_ue6)
            text_add(t, "%s%s/%u", t->len ? " " : "",
                     inet_ntop(AF_INET6, &pdr->ue6, address, sizeof(address)), pdr->ue6_prefix);
    }
}

static void put_teids(struct text *t, const struct up_session *session)
{
    for (unsigned i = 0; i < session->rules->pdr_count; i++)
        if (session->rules->pdrs[i].has_teid)
            text_add(t, "%s0x%x", t->len ? " " : "", session->rules->pdrs[i].teid);
}

static json_t *session_row(uint32_t id, const struct up_session *session)
{
    char seid[20], cp_seid[20], downlink[256], addresses[256], teids[256];
    struct text d = text_in(downlink, sizeof(downlink)), a = text_in(addresses, sizeof(addresses)),
                e = text_in(teids, sizeof(teids));
    struct udp_peer *peer = up_session_peer(session);
    size_t bytes;
    uint32_t packets = up_buffer_count(session, &bytes);

    put_downlink(&d, session);
    put_addresses(&a, session);
    put_teids(&e, session);
    snprintf(seid, sizeof(seid), "%" PRIx64, up_seid(id));
    snprintf(cp_seid, sizeof(cp_seid), "%" PRIx64, session->cp_seid);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "imsi", session->imsi,
                     "control_plane", peer ? udp_peer_name(peer) : "-", "seid", seid, "cp_seid",
                     cp_seid, "addresses", addresses, "teids", teids, "downlink", downlink,
                     "buffered", (int)packets, "state", session->is_deleting ? "ending" : "up");
}

json_t *up_state_sessions(const char *imsi)
{
    json_t *all = json_array();
    struct up_session *session;
    uint32_t id = 0;

    while (json_array_size(all) < VIEW_LIMIT && (session = pool_next(&up.sessions, &id)))
        if (is_meant(session, imsi))
            json_array_append_new(all, session_row(id, session));
    return all;
}

static void add_flows(json_t *all, const struct up_session *session)
{
    struct up_flow *flows = up.scratch[0];
    int count = up_flows_of(&up.env, &up.view, session->rules, flows);

    for (int i = 0; i < count; i++) {
        char line[512];
        struct text t = text_in(line, sizeof(line));
        up_flow_print(&up.view, &t, &flows[i]);
        json_array_append_new(all, json_pack("{s:s,s:i,s:s}", "imsi", session->imsi, "pdr",
                                             flows[i].action.pdr_id, "flow", line));
    }
}

json_t *up_state_flows(const char *imsi)
{
    json_t *all = json_array();
    struct up_session *session;
    uint32_t id = 0;

    while (json_array_size(all) < VIEW_LIMIT && (session = pool_next(&up.sessions, &id)))
        if (is_meant(session, imsi))
            add_flows(all, session);
    return all;
}

json_t *up_state_nodes(void)
{
    json_t *all = json_array();

    for (unsigned i = 0; i < UP_MAX_NODES; i++) {
        const struct up_node *node = &up.nodes[i];
        struct udp_peer *peer = udp_peer_get(pfcp_udp(up.pfcp), node->peer);
        if (!node->is_associated || !peer)
            continue;
        json_array_append_new(all, json_pack("{s:s,s:i,s:s,s:f}", "control_plane",
                                             udp_peer_name(peer), "sessions", (int)node->sessions,
                                             "state", udp_peer_is_up(peer) ? "up" : "silent",
                                             "since", (double)node->since_us / 1e6));
    }
    return all;
}

json_t *up_state_summary(void)
{
    char datapath[20] = "-";

    if (up.sw)
        snprintf(datapath, sizeof(datapath), "%016" PRIx64, up.sw->datapath_id);
    return json_pack("{s:s,s:b,s:b,s:i,s:i,s:i,s:I,s:f,s:f}", "switch", datapath, "synchronised",
                     (int)up_is_synchronised(), "ready", up_is_synchronised() && up_sgi_is_ready(),
                     "sessions", (int)up.sessions.count, "meters", (int)up.meters.count, "tunnels",
                     (int)up.teids.owners.count, "buffered_bytes",
                     (json_int_t)up.metrics[UP_BUFFER_BYTES].value, "answer_ms_median",
                     (double)histogram_quantile_us(&up.answer_time, 0.5) / 1000, "answer_ms_99",
                     (double)histogram_quantile_us(&up.answer_time, 0.99) / 1000);
}
