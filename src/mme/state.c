/*
 * state.c -- what the MME shows of itself (GET /state?what=...), and what an operator can ask of
 * it: eNodeBs, subscribers, procedures, S-GWs, S6a peers; detach a phone. No keys are shown.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/process.h"
#include "base/text.h"
#include "mme/life.h"
#include "mme/run.h"
#include "mme/s1.h"
#include "mme/ue.h"

#define MAX_ROWS 100000

static json_t *text_json(const struct text *t)
{
    return json_string(t->at);
}

static json_t *plmn_json(const struct plmn *plmn)
{
    char buffer[16];
    struct text t = text_in(buffer, sizeof(buffer));

    text_plmn(&t, plmn);
    return text_json(&t);
}

/* ---- eNodeBs
 * ---------------------------------------------------------------------------------------------------
 */

static json_t *tais_json(const struct mme_enb *enb)
{
    json_t *list = json_array();
    char buffer[32];

    for (size_t i = 0; i < enb->tai_count; i++) {
        struct text t = text_in(buffer, sizeof(buffer));
        text_plmn(&t, &enb->tais[i].plmn);
        text_add(&t, "-%u", enb->tais[i].tac);
        json_array_append_new(list, text_json(&t));
    }
    return list;
}

static json_t *enbs_json(void)
{
    json_t *list = json_array();
    uint32_t at = 0;

    for (struct mme_enb *enb = pool_next(&mme.enbs, &at); enb; enb = pool_next(&mme.enbs, &at)) {
        json_t *row = json_object();
        json_object_set_new(row, "enb_id", json_integer(enb->global_id.enb_id.id));
        json_object_set_new(row, "plmn",
                            enb->is_set_up ? plmn_json(&enb->global_id.plmn) : json_null());
        json_object_set_new(row, "name", json_string(enb->name));
        json_object_set_new(row, "address",
                            json_string(enb->association ? sctp_peer_name(enb->association) : ""));
        json_object_set_new(row, "state", json_string(enb->is_set_up ? "up" : "connected"));
        json_object_set_new(row, "tracking_areas", tais_json(enb));
        json_object_set_new(row, "phones", json_integer(enb->s1_count));
        json_object_set_new(row, "seconds",
                            json_integer((json_int_t)((loop_now_ms() - enb->since_ms) / 1000)));
        json_object_set_new(row, "messages_in", json_integer((json_int_t)enb->messages_in));
        json_object_set_new(row, "messages_out", json_integer((json_int_t)enb->messages_out));
        json_array_append_new(list, row);
    }
    return list;
}

/* ---- Subscribers
 * --------------------------------------------------------------------------------------------------
 */

static json_t *guti_json(const struct mme_ue *ue)
{
    char buffer[64];
    struct text t = text_in(buffer, sizeof(buffer));
    struct guti guti = mme_ue_guti(ue);

    if (!ue->m_tmsi)
        return json_null();
    text_plmn(&t, &guti.gummei.plmn);
    text_add(&t, "-%u-%u-%08x", guti.gummei.mme_group_id, guti.gummei.mme_code, guti.m_tmsi);
    return text_json(&t);
}

static const char *state_of(const struct mme_ue *ue)
{
    if (!ue->is_registered)
        return ue->run ? mme_procedure_name(ue->run->procedure) : "deregistered";
    if (mme_ue_is_connected(ue))
        return "connected";
    return ue->is_reachable ? "idle" : "not reachable";
}

static json_t *pdns_json(const struct mme_ue *ue, bool addresses_only)
{
    json_t *list = json_array();
    char address[INET6_ADDRSTRLEN];

    MME_EACH_PDN(ue, pdn)
    {
        json_t *row = addresses_only ? NULL : json_object();
        if (pdn->pdn_type != NAS_PDN_IPV6) {
            inet_ntop(AF_INET, &pdn->ipv4, address, sizeof(address));
            if (addresses_only)
                json_array_append_new(list, json_string(address));
            else
                json_object_set_new(row, "ipv4", json_string(address));
        }
        if (pdn->pdn_type != NAS_PDN_IPV4) {
            inet_ntop(AF_INET6, &pdn->ipv6, address, sizeof(address));
            if (addresses_only)
                json_array_append_new(list, json_string(address));
            else
                json_object_set_new(row, "ipv6", json_string(address));
        }
        if (addresses_only)
            continue;
        json_object_set_new(row, "apn", json_string(mme_apn_name(pdn)));
        json_object_set_new(row, "ebi", json_integer(pdn->ebi));
        json_object_set_new(row, "qci", json_integer(mme_default_bearer(pdn)->qci));
        json_object_set_new(row, "ambr_ul_kbps", json_integer(pdn->ambr_ul_kbps));
        json_object_set_new(row, "ambr_dl_kbps", json_integer(pdn->ambr_dl_kbps));
        json_array_append_new(list, row);
    }
    return list;
}

static void add_place(json_t *row, const struct mme_ue *ue)
{
    const struct mme_enb *enb = mme_enb_get(ue->last_enb);

    json_object_set_new(row, "enb", enb ? json_string(mme_enb_title(enb)) : json_null());
    json_object_set_new(row, "cell", json_integer(ue->ecgi.cell_id));
    json_object_set_new(row, "tac", json_integer(ue->tai.tac));
    json_object_set_new(row, "seen_seconds_ago",
                        json_integer((json_int_t)((loop_now_ms() - ue->seen_ms) / 1000)));
}

static json_t *subscriber_json(const struct mme_ue *ue, bool in_full)
{
    json_t *row = json_object();

    json_object_set_new(row, "imsi", json_string(ue->imsi));
    json_object_set_new(row, "state", json_string(state_of(ue)));
    json_object_set_new(row, "ip", pdns_json(ue, true));
    json_object_set_new(row, "guti", guti_json(ue));
    add_place(row, ue);
    if (!in_full)
        return row;
    json_object_set_new(row, "msisdn", json_string(ue->msisdn));
    json_object_set_new(row, "imeisv", json_string(ue->imeisv));
    json_object_set_new(row, "pdn_connections", pdns_json(ue, false));
    json_object_set_new(row, "integrity", json_sprintf("EIA%u", ue->security.eia));
    json_object_set_new(row, "ciphering", json_sprintf("EEA%u", ue->security.eea));
    json_object_set_new(row, "uplink_nas_count", json_integer(ue->security.ul_count));
    json_object_set_new(row, "downlink_nas_count", json_integer(ue->security.dl_count));
    json_object_set_new(row, "radio_capability_bytes",
                        json_integer((json_int_t)mme_shared_view(ue->radio_capability).len));
    json_object_set_new(row, "s1", json_integer(ue->s1));
    return row;
}

static json_t *subscribers_json(const struct control_request *request)
{
    const char *imsi = request ? control_argument(request, "imsi") : NULL;
    const char *limit_text = request ? control_argument(request, "limit") : NULL;
    size_t limit = limit_text ? strtoul(limit_text, NULL, 10) : MAX_ROWS;
    json_t *list = json_array();
    uint32_t at = 0;

    for (struct mme_ue *ue = pool_next(&mme.ues, &at); ue && json_array_size(list) < limit;
         ue = pool_next(&mme.ues, &at)) {
        if (!imsi || strcmp(imsi, ue->imsi) == 0)
            json_array_append_new(list, subscriber_json(ue, imsi != NULL));
    }
    return list;
}

/* ---- Procedures, gateways, the whole
 * ------------------------------------------------------------------------------------ */

static json_t *procedures_json(void)
{
    json_t *list = json_array();
    uint32_t at = 0;

    for (struct mme_ue *ue = pool_next(&mme.ues, &at); ue; ue = pool_next(&mme.ues, &at)) {
        if (!ue->run)
            continue;
        json_t *row = json_object();
        json_object_set_new(row, "subject", json_string(mme_ue_subject(ue)));
        json_object_set_new(row, "procedure", json_string(mme_procedure_name(ue->run->procedure)));
        json_object_set_new(row, "begun_by", json_string(mme_event_name(ue->run->begun_by)));
        json_object_set_new(row, "waits",
                            json_string(ue->run->wanted ? "phone or eNodeB" : "HSS or S-GW"));
        json_object_set_new(
            row, "milliseconds",
            json_integer((json_int_t)((clock_now_us() - ue->run->began_us) / 1000)));
        json_object_set_new(row, "mail", json_integer(ue->run->mail_count));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *gateways_json(void)
{
    json_t *list = json_array();
    uint32_t id = 0;

    for (struct udp_peer *peer = mme.s11 ? udp_peer_next(gtpc_udp(mme.s11), &id) : NULL; peer;
         peer = udp_peer_next(gtpc_udp(mme.s11), &id)) {
        json_t *row = json_object();
        json_object_set_new(row, "address", json_string(udp_peer_name(peer)));
        json_object_set_new(row, "state", json_string(udp_peer_is_up(peer) ? "up" : "down"));
        json_object_set_new(row, "phones", json_integer(udp_peer_users(peer)));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *summary_json(void)
{
    json_t *row = json_object();
    uint32_t at = 0;
    unsigned registered = 0, connected = 0;

    for (struct mme_ue *ue = pool_next(&mme.ues, &at); ue; ue = pool_next(&mme.ues, &at)) {
        registered += ue->is_registered;
        connected += ue->is_registered && mme_ue_is_connected(ue);
    }
    json_object_set_new(row, "name", json_string(mme.config.name));
    json_object_set_new(row, "enbs", json_integer(mme.enbs.count));
    json_object_set_new(row, "registered", json_integer(registered));
    json_object_set_new(row, "connected", json_integer(connected));
    json_object_set_new(row, "idle", json_integer(registered - connected));
    json_object_set_new(row, "procedures", json_integer(mme.runs));
    json_object_set_new(row, "overloaded", json_boolean(mme.is_overloaded));
    json_object_set_new(row, "shared_contents", json_integer((json_int_t)mme_shared_count()));
    json_int_t bytes = (json_int_t)mme.ues.slot_size + (json_int_t)mme.pdns.slot_size +
                       (json_int_t)mme.bearers.slot_size;
    json_object_set_new(row, "bytes_per_idle_phone", json_integer(bytes));
    return row;
}

const struct process_view mme_views[] = {
    {"enbs", "eNodeBs: id, name, address, tracking areas, connected phones"},
    {"subscribers", "phones: IMSI, state, address, GUTI, place (&imsi=... tells more, &limit=N)"},
    {"procedures", "procedures under way and what they wait for"},
    {"gateways", "S-GWs in use"},
    {"peers", "S6a: the HSS's Diameter peers"},
    {NULL, NULL},
};

json_t *mme_state(const char *what, const struct control_request *request)
{
    if (!what)
        return summary_json();
    if (strcmp(what, "enbs") == 0)
        return enbs_json();
    if (strcmp(what, "subscribers") == 0)
        return subscribers_json(request);
    if (strcmp(what, "procedures") == 0)
        return procedures_json();
    if (strcmp(what, "gateways") == 0)
        return gateways_json();
    if (strcmp(what, "peers") == 0)
        return mme.s6a ? diameter_node_state(mme.s6a) : json_array();
    return NULL;
}

/* ---- What an operator can do
 * ------------------------------------------------------------------------------------------------
 */

/* POST /subscribers/IMSI/detach?reattach=yes */
static void detach_route(const struct control_request *request, struct control_answer *answer)
{
    char imsi[IMSI_SIZE] = "";
    const char *reattach = control_argument(request, "reattach");
    bool again = reattach && strcmp(reattach, "yes") == 0;
    struct mme_ue *ue;

    if (sscanf(request->path, "/subscribers/%15[0-9]/detach", imsi) != 1) {
        control_refuse(answer, 404, "expected /subscribers/IMSI/detach");
        return;
    }
    ue = mme_ue_of_imsi(imsi);
    if (!ue || !ue->is_registered) {
        control_refuse(answer, 404, "%s is not registered here", imsi);
        return;
    }
    mme_post(ue, &(struct mme_event){.kind = MME_DETACH_WANTED,
                                     .how = again ? NAS_DETACH_REATTACH_REQUIRED
                                                  : NAS_DETACH_REATTACH_NOT_REQUIRED});
    answer->json = json_pack("{s:s}", "detaching", imsi);
}

const struct control_route mme_routes[] = {
    {"POST", "/subscribers/", detach_route},
};
const size_t mme_route_count = sizeof(mme_routes) / sizeof(mme_routes[0]);
