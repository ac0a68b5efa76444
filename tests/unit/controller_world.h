/*
 * controller_world.h -- for the tests of the user plane: an environment without a switch, and
 * sessions as an S-GW and a P-GW make them.
 */
#ifndef STROWGER_TESTS_CONTROLLER_WORLD_H
#define STROWGER_TESTS_CONTROLLER_WORLD_H

#include <arpa/inet.h>

#include "controller/flows.h"

#define AT(type, ...) (&(type){__VA_ARGS__})

static inline struct in_addr v4(const char *text)
{
    struct in_addr a = {0};

    inet_pton(AF_INET, text, &a);
    return a;
}

static inline struct in6_addr v6(const char *text)
{
    struct in6_addr a;

    inet_pton(AF_INET6, text, &a);
    return a;
}

/* Two exits: "internet" (the default) and "ims". */
static inline uint8_t world_exit_of(void *context, const struct bytes *name)
{
    (void)context;
    if (!name || (name->len == 8 && memcmp(name->at, "internet", 8) == 0))
        return 0;
    return name->len == 3 && memcmp(name->at, "ims", 3) == 0 ? 1 : UP_UNKNOWN_EXIT;
}

struct world {
    struct up_teids teids;
    struct up_meters meters;
    struct up_environment env;
    struct up_switch_view view;
};

/* TEIDs from 0x100, meters from 16, tunnel port 2, exits 1 and 4. */
static inline void world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    up_teids_init(&w->teids, 0x100);
    up_meters_init(&w->meters, UP_METER_FIRST, 64);
    w->env = (struct up_environment){.address = v4("10.0.0.1"),
                                     .teids = &w->teids,
                                     .meters = &w->meters,
                                     .exit_of = world_exit_of};
    w->view = (struct up_switch_view){.gtpu_port = 2, .exit_ports = {1, 4}, .has_meters = true};
}

static inline void world_free(struct world *w)
{
    up_teids_free(&w->teids);
    up_meters_free(&w->meters);
}

static inline struct pfcp_outer_header_creation *tunnel_to(struct pfcp_outer_header_creation *o,
                                                           uint32_t teid, const char *address)
{
    *o = (struct pfcp_outer_header_creation){
        .description = PFCP_CREATE_GTP_U_UDP_IPV4, .teid = teid, .ipv4 = v4(address)};
    return o;
}

/* One bearer of an S-GW: PDR/FAR 1 uplink, into the P-GW's tunnel (teid 0: not known yet); 2
 * downlink, to be buffered. */
struct sgw_sample {
    uint32_t ids[2];
    uint8_t bar_id;
    struct pfcp_f_teid f_teids[2];
    struct pfcp_outer_header_creation to_pgw;
    struct pfcp_forwarding_parameters forward;
    struct pfcp_create_pdr pdrs[2];
    struct pfcp_create_far fars[2];
    struct pfcp_create_bar bar;
    struct pfcp_session_establishment_request request;
};

static inline const struct pfcp_session_establishment_request *
sgw_sample(struct sgw_sample *s, uint32_t pgw_teid, const char *pgw_address)
{
    *s = (struct sgw_sample){.ids = {1, 2}, .bar_id = 1, .bar = {.bar_id = 1}};
    for (unsigned i = 0; i < 2; i++) {
        s->f_teids[i] = (struct pfcp_f_teid){.choose = true, .has_ipv4 = true};
        s->pdrs[i] = (struct pfcp_create_pdr){
            .pdr_id = (uint16_t)(i + 1),
            .precedence = 255,
            .pdi = {.source_interface = i ? PFCP_INTERFACE_CORE : PFCP_INTERFACE_ACCESS,
                    .local_f_teid = &s->f_teids[i]},
            .far_id = &s->ids[i]};
    }
    s->forward = (struct pfcp_forwarding_parameters){
        .destination_interface = PFCP_INTERFACE_CORE,
        .outer_header_creation = tunnel_to(&s->to_pgw, pgw_teid, pgw_address)};
    s->fars[0] =
        (struct pfcp_create_far){.far_id = 1,
                                 .apply_action = pgw_teid ? PFCP_APPLY_FORW : PFCP_APPLY_DROP,
                                 .forwarding_parameters = pgw_teid ? &s->forward : NULL};
    s->fars[1] = (struct pfcp_create_far){
        .far_id = 2, .apply_action = PFCP_APPLY_BUFF | PFCP_APPLY_NOCP, .bar_id = &s->bar_id};
    s->request = (struct pfcp_session_establishment_request){
        .cp_f_seid = {.seid = 0x11, .has_ipv4 = true, .ipv4 = v4("127.0.0.3")},
        .create_pdr = {s->pdrs, 2},
        .create_far = {s->fars, 2},
        .create_bar = &s->bar};
    return &s->request;
}

/* What an S-GW says when the phone has a bearer to an eNodeB: FAR 2 forwards; or sleeps (teid 0).
 */
struct sgw_change {
    uint8_t action, interface, flags;
    struct pfcp_outer_header_creation to_enb;
    struct pfcp_update_forwarding_parameters forward;
    struct pfcp_update_far far;
    struct pfcp_session_modification_request request;
};

static inline const struct pfcp_session_modification_request *
sgw_connects(struct sgw_change *c, uint32_t teid, const char *enb, bool end_marker)
{
    *c = (struct sgw_change){.action = teid ? PFCP_APPLY_FORW : PFCP_APPLY_BUFF | PFCP_APPLY_NOCP,
                             .interface = PFCP_INTERFACE_ACCESS,
                             .flags = PFCP_SMREQ_SNDEM};
    c->forward = (struct pfcp_update_forwarding_parameters){
        .destination_interface = &c->interface,
        .outer_header_creation = teid ? tunnel_to(&c->to_enb, teid, enb) : NULL,
        .pfcpsmreq_flags = end_marker ? &c->flags : NULL};
    c->far = (struct pfcp_update_far){.far_id = 2,
                                      .apply_action = &c->action,
                                      .update_forwarding_parameters = teid ? &c->forward : NULL};
    c->request = (struct pfcp_session_modification_request){.update_far = {&c->far, 1}};
    return &c->request;
}

/* A P-GW's session: PDR 1 uplink to the exit, PDR 2 downlink by address into the S-GW's tunnel, a
 * QER with rates. */
struct pgw_sample {
    uint32_t ids[2], qer_id, urr_id;
    uint8_t interface_type;
    struct pfcp_f_teid f_teid;
    struct pfcp_ue_ip_address ue[2];
    struct bytes apn;
    struct pfcp_outer_header_creation to_sgw;
    struct pfcp_forwarding_parameters forwards[2];
    struct pfcp_create_pdr pdrs[2];
    struct pfcp_create_far fars[2];
    struct pfcp_bit_rates rates;
    struct pfcp_create_qer qer;
    struct pfcp_create_urr urr;
    struct pfcp_session_establishment_request request;
};

static inline const struct pfcp_session_establishment_request *
pgw_sample(struct pgw_sample *s, const char *ue4, const char *ue6, uint32_t sgw_teid,
           const char *sgw_address)
{
    *s = (struct pgw_sample){.ids = {1, 2},
                             .qer_id = 1,
                             .urr_id = 1,
                             .interface_type = UP_S5_S8_U,
                             .f_teid = {.choose = true, .has_ipv4 = true},
                             .apn = bytes_of("internet", 8),
                             .rates = {50000, 100000}};
    for (unsigned i = 0; i < 2; i++) {
        s->ue[i] = (struct pfcp_ue_ip_address){.has_ipv4 = ue4 != NULL,
                                               .has_ipv6 = ue6 != NULL,
                                               .is_destination = i == 1,
                                               .ipv4 = v4(ue4 ? ue4 : "0.0.0.0"),
                                               .ipv6 = v6(ue6 ? ue6 : "::")};
        s->pdrs[i] = (struct pfcp_create_pdr){
            .pdr_id = (uint16_t)(i + 1),
            .precedence = 255,
            .pdi = {.source_interface = i ? PFCP_INTERFACE_SGI_LAN : PFCP_INTERFACE_ACCESS,
                    .local_f_teid = i ? NULL : &s->f_teid,
                    .interface_type = i ? NULL : &s->interface_type,
                    .ue_ip_address = &s->ue[i],
                    .network_instance = &s->apn},
            .far_id = &s->ids[i],
            .urr_id = {&s->urr_id, 1},
            .qer_id = {&s->qer_id, 1}};
    }
    s->forwards[0] = (struct pfcp_forwarding_parameters){
        .destination_interface = PFCP_INTERFACE_SGI_LAN, .network_instance = &s->apn};
    s->forwards[1] = (struct pfcp_forwarding_parameters){
        .destination_interface = PFCP_INTERFACE_ACCESS,
        .outer_header_creation = tunnel_to(&s->to_sgw, sgw_teid, sgw_address)};
    for (unsigned i = 0; i < 2; i++)
        s->fars[i] = (struct pfcp_create_far){.far_id = i + 1,
                                              .apply_action = PFCP_APPLY_FORW,
                                              .forwarding_parameters = &s->forwards[i]};
    s->qer = (struct pfcp_create_qer){.qer_id = 1, .maximum_bit_rate = &s->rates};
    s->urr = (struct pfcp_create_urr){
        .urr_id = 1, .measurement_method = PFCP_MEASURE_VOLUM | PFCP_MEASURE_DURAT};
    s->request = (struct pfcp_session_establishment_request){
        .cp_f_seid = {.seid = 0x22, .has_ipv4 = true, .ipv4 = v4("127.0.0.4")},
        .create_pdr = {s->pdrs, 2},
        .create_far = {s->fars, 2},
        .create_urr = {&s->urr, 1},
        .create_qer = {&s->qer, 1}};
    return &s->request;
}

#endif
