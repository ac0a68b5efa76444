/*
 * mme_fakes.c -- see mme_fakes.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "crypto/crypto.h"
#include "link/path_config.h"
#include "link/restart_counter.h"
#include "mme_fakes.h"

#define MAX_WAITING 16

struct fake_hss fake_hss;
struct fake_sgw fake_sgw;

static struct sctp_association enbs[FAKE_MAX_ENBS];
static const struct sctp_handler *sctp_handler;
static void *sctp_owner;

/* ---- Requests that wait
 * ------------------------------------------------------------------------------------ */

static struct await waiting[MAX_WAITING];

static int wait_somewhere(int timeout_ms)
{
    for (unsigned i = 0; i < MAX_WAITING; i++) {
        if (!await_has_waiter(&waiting[i]))
            return await(&waiting[i], timeout_ms, NULL);
    }
    return -ENOBUFS;
}

/* What becomes of a request in this mode: 0 when it is to be answered. */
static int delay(enum fake_mode mode)
{
    int err;

    switch (mode) {
    case FAKE_IS_AWAY:
        return -EHOSTUNREACH;
    case FAKE_IS_SILENT:
        err = wait_somewhere(5);
        return err == 0 ? -ETIMEDOUT : err;
    case FAKE_WAITS:
        return wait_somewhere(10000);
    default:
        return 0;
    }
}

void fake_release(void)
{
    for (unsigned i = 0; i < MAX_WAITING; i++)
        await_deliver(&waiting[i], NULL);
}

/* ---- SCTP
 * ---------------------------------------------------------------------------------------------------
 */

struct sctp_settings sctp_settings_default(void)
{
    return (struct sctp_settings){.streams = 30};
}

int sctp_listen(const struct sockaddr *local, const struct sctp_settings *settings,
                const struct sctp_handler *handler, void *owner, struct sctp_listener **listener)
{
    (void)local;
    (void)settings;
    sctp_handler = handler;
    sctp_owner = owner;
    *listener = NULL;
    return 0;
}

void sctp_listener_close(struct sctp_listener *listener)
{
    (void)listener;
}

int sctp_send(struct sctp_association *association, uint16_t stream, uint32_t ppid,
              struct bytes payload)
{
    if (!association->is_open)
        return -ENOTCONN;
    if (association->is_full || association->count == FAKE_MAX_QUEUE || ppid != SCTP_PPID_S1AP)
        return -EAGAIN;
    struct fake_message *message = &association->queue[association->count++];
    message->at = malloc(payload.len);
    memcpy(message->at, payload.at, payload.len);
    message->len = payload.len;
    message->stream = stream;
    return 0;
}

void sctp_shutdown(struct sctp_association *association)
{
    association->is_open = false;
}

void sctp_abort(struct sctp_association *association)
{
    association->is_open = false;
}

void sctp_set_owner(struct sctp_association *association, void *owner)
{
    association->owner = owner;
}

uint16_t sctp_streams(const struct sctp_association *association)
{
    return association->is_open ? 30 : 0;
}

static const struct sockaddr *loopback(void)
{
    static struct sockaddr_in address = {.sin_family = AF_INET};

    return (const struct sockaddr *)&address;
}

const struct sockaddr *sctp_peer_address(const struct sctp_association *association)
{
    (void)association;
    return loopback();
}

const struct sockaddr *sctp_local_address(const struct sctp_association *association)
{
    (void)association;
    return loopback();
}

const char *sctp_peer_name(const struct sctp_association *association)
{
    (void)association;
    return "fake eNodeB";
}

const char *sctp_down_text(enum sctp_down reason)
{
    (void)reason;
    return "lost";
}

struct sctp_association *fake_enb_connect(void)
{
    for (unsigned i = 0; i < FAKE_MAX_ENBS; i++) {
        if (enbs[i].is_used)
            continue;
        enbs[i].is_used = enbs[i].is_open = true;
        enbs[i].owner = NULL;
        enbs[i].number = i;
        sctp_handler->up(&enbs[i], sctp_owner);
        return &enbs[i];
    }
    return NULL;
}

void fake_enb_send(struct sctp_association *enb, const void *bytes, size_t len)
{
    struct sctp_message message = {.payload = bytes_of(bytes, len), .ppid = SCTP_PPID_S1AP};

    if (enb->is_open)
        sctp_handler->message(enb, enb->owner, &message);
}

void fake_enb_send_message(struct sctp_association *enb, enum s1ap_message message,
                           const void *body)
{
    uint8_t *buffer = malloc(65536);
    struct writer w = writer_of(buffer, 65536);

    if (s1ap_encode(&w, message, body) == 0)
        fake_enb_send(enb, buffer, wr_len(&w));
    else
        abort(); /* the test is wrong */
    free(buffer);
}

void fake_enb_lose(struct sctp_association *enb)
{
    if (!enb->is_open)
        return;
    enb->is_open = false;
    sctp_handler->down(enb, enb->owner, SCTP_DOWN_LOST);
}

bool fake_enb_take(struct sctp_association *enb, struct bytes *message)
{
    if (enb->first == enb->count)
        return false;
    *message = bytes_of(enb->queue[enb->first].at, enb->queue[enb->first].len);
    enb->first++;
    return true;
}

/* ---- HSS
 * ----------------------------------------------------------------------------------------------------------
 */

const struct config_schema diameter_config_schema = {
    .name = "s6a", .help = "fake", .size = sizeof(struct diameter_config)};

static const struct diameter_service *services;
static size_t service_count;
static struct diameter_result_place places[4];

int diameter_node_start(const struct diameter_node_settings *settings, struct diameter_node **node)
{
    static int anything;

    services = settings->services;
    service_count = settings->service_count;
    *node = (struct diameter_node *)(void *)&anything;
    return 0;
}

void diameter_node_stop(struct diameter_node *node, enum diameter_disconnect_cause cause,
                        void (*stopped)(void *owner), void *owner)
{
    (void)node;
    (void)cause;
    for (unsigned i = 0; i < MAX_WAITING; i++)
        await_fail(&waiting[i], -ECANCELED);
    stopped(owner);
}

json_t *diameter_node_state(const struct diameter_node *node)
{
    (void)node;
    return json_array();
}

static int make_vector(struct s6a_e_utran_vector *to, const struct plmn *visited)
{
    static uint8_t xres[8];
    struct milenage sim;
    struct milenage_vector vector;
    uint8_t sn_id[3];
    struct writer w = writer_of(sn_id, sizeof(sn_id));

    memcpy(sim.k, fake_hss.k, 16);
    memcpy(sim.opc, fake_hss.opc, 16);
    memset(to, 0, sizeof(*to));
    for (unsigned i = 0; i < 16; i++)
        to->rand[i] = (uint8_t)(i + fake_hss.sqn * 7);
    milenage_make(&sim, to->rand, fake_hss.sqn, MILENAGE_AMF_SEPARATION, &vector);
    fake_hss.sqn += 32;
    memcpy(to->autn, vector.autn, 16);
    memcpy(xres, vector.res, 8);
    to->xres = bytes_of(xres, 8);
    wr_plmn(&w, visited);
    return kdf_kasme(vector.ck, vector.ik, sn_id, vector.autn, to->kasme);
}

static void answer_air(const struct s6a_air *request, struct s6a_aia *answer)
{
    static struct s6a_e_utran_vector vector;
    static struct s6a_authentication_info info;
    const struct s6a_resynchronization_info *resync =
        request->requested_eutran_authentication_info->re_synchronization_info;
    struct milenage sim;

    fake_hss.airs++;
    if (resync) {
        memcpy(sim.k, fake_hss.k, 16);
        memcpy(sim.opc, fake_hss.opc, 16);
        fake_hss.resyncs++;
        milenage_auts_open(&sim, resync->rand, resync->auts, &fake_hss.sqn);
        fake_hss.sqn += 32;
    }
    if (fake_hss.air == FAKE_IS_BROKEN)
        return;
    make_vector(&vector, &request->visited_plmn_id);
    info.e_utran_vector.at = &vector;
    info.e_utran_vector.count = 1;
    answer->authentication_info = &info;
}

struct s6a_subscription_data *fake_subscription(void)
{
    static struct s6a_ambr ambr = {.max_requested_bandwidth_ul = 50000000,
                                   .max_requested_bandwidth_dl = 100000000};
    static struct s6a_eps_subscribed_qos_profile qos = {
        .qos_class_identifier = 9, .allocation_retention_priority = {.priority_level = 8}};
    static struct s6a_apn_configuration apns[S6A_MAX_APNS + 20];
    static struct s6a_apn_configuration_profile profile;
    static struct s6a_subscription_data data;
    static char msisdn[MSISDN_SIZE] = "491700000001";
    static uint32_t status, restriction, barring;
    size_t count = 0;

    memset(apns, 0, sizeof(apns));
    status = fake_hss.is_barred ? S6A_OPERATOR_DETERMINED_BARRING : S6A_SERVICE_GRANTED;
    barring = fake_hss.is_barred ? S6A_ODB_ALL_PACKET : 0;
    restriction = fake_hss.is_without_lte ? S6A_WB_E_UTRAN_NOT_ALLOWED : 0;
    apns[count++] = (struct s6a_apn_configuration){.context_identifier = 1,
                                                   .pdn_type = fake_hss.pdn_type,
                                                   .service_selection = "internet",
                                                   .eps_subscribed_qos_profile = &qos,
                                                   .ambr = &ambr};
    if (fake_hss.is_second_apn)
        apns[count++] = (struct s6a_apn_configuration){.context_identifier = 2,
                                                       .pdn_type = S6A_PDN_IPV4V6,
                                                       .service_selection = "ims",
                                                       .eps_subscribed_qos_profile = &qos,
                                                       .ambr = &ambr};
    if (fake_hss.is_wildcard)
        apns[count++] = (struct s6a_apn_configuration){.context_identifier = 3,
                                                       .pdn_type = S6A_PDN_IPV4,
                                                       .service_selection = "*",
                                                       .ambr = &ambr};
    for (unsigned i = 0; i < fake_hss.more_apns && count < S6A_MAX_APNS + 20; i++) {
        apns[count] = apns[0];
        apns[count].context_identifier = 100 + i;
        snprintf(apns[count].service_selection, APN_SIZE, "apn%u", i);
        count++;
    }
    profile = (struct s6a_apn_configuration_profile){.context_identifier = 1};
    profile.apn_configuration.at = apns;
    profile.apn_configuration.count = fake_hss.is_without_apn ? 0 : count;
    data = (struct s6a_subscription_data){.subscriber_status = &status,
                                          .msisdn = &msisdn,
                                          .access_restriction_data = &restriction,
                                          .operator_determined_barring = &barring,
                                          .ambr = &ambr,
                                          .apn_configuration_profile = &profile};
    return &data;
}

static enum fake_mode mode_of(const struct diameter_message *message)
{
    return message == &s6a_air_message   ? fake_hss.air
           : message == &s6a_ulr_message ? fake_hss.ulr
           : message == &s6a_pur_message ? fake_hss.pur
                                         : fake_hss.nor;
}

int diameter_request(struct diameter_node *node, const struct diameter_message *message,
                     void *request, void *answer, uint32_t timeout_ms)
{
    enum fake_mode mode = mode_of(message);
    struct diameter_answer_head *head = answer;

    (void)node;
    (void)timeout_ms;
    memset(answer, 0, message->answer->group->size);
    if (message == &s6a_ulr_message)
        fake_hss.last_ulr_flags = ((const struct s6a_ulr *)request)->ulr_flags;
    if (message == &s6a_nor_message && ((const struct s6a_nor *)request)->nor_flags)
        fake_hss.last_nor_flags = *((const struct s6a_nor *)request)->nor_flags;
    fake_hss.ulrs += message == &s6a_ulr_message;
    fake_hss.purs += message == &s6a_pur_message;
    fake_hss.nors += message == &s6a_nor_message;
    int err = delay(mode);
    if (err < 0)
        return err;
    diameter_set_result(head, &places[0],
                        mode == FAKE_REFUSES ? fake_hss.refusal : DIAMETER_SUCCESS);
    if (mode == FAKE_REFUSES)
        return 0;
    if (message == &s6a_air_message) {
        memcpy(fake_hss.last_imsi, ((const struct s6a_air *)request)->imsi, IMSI_SIZE);
        answer_air(request, answer);
    } else if (message == &s6a_ulr_message && mode != FAKE_IS_BROKEN) {
        ((struct s6a_ula *)answer)->subscription_data =
            fake_hss.no_own_data ? NULL : fake_subscription();
    }
    return 0;
}

int diameter_answer(struct diameter_exchange *exchange, void *answer)
{
    (void)exchange;
    fake_hss.answers++;
    fake_hss.last_result = diameter_result_of(answer);
    return 0;
}

void fake_hss_ask(const struct diameter_message *message, void *request)
{
    for (size_t i = 0; i < service_count; i++) {
        if (services[i].request == message)
            services[i].handle(NULL, request, NULL);
    }
}

/* ---- S-GW
 * ------------------------------------------------------------------------------------------------------------
 */

const struct config_schema gtpc_path_config_schema = {
    .name = "s11", .help = "fake", .size = sizeof(struct gtpc_path_config)};

static bool parse_nothing(const struct config_field *field, const char *text, void *value,
                          struct text *why)
{
    (void)field;
    (void)text;
    (void)why;
    ((struct sockaddr *)value)->sa_family = AF_INET;
    return true;
}

const struct config_type path_address_type = {"an address", parse_nothing};

static const struct gtpc_handler *gtpc_handler;
static uint32_t sgw_users;
static struct udp_peer *const sgw_peer = (struct udp_peer *)(void *)&sgw_users;

struct udp_settings gtpc_path_settings(const struct gtpc_path_config *config)
{
    (void)config;
    return (struct udp_settings){0};
}

int restart_counter_next(const char *path, struct restart_counter *counter)
{
    (void)path;
    *counter = (struct restart_counter){.gtp = 1};
    return 0;
}

int gtpc_open(const struct sockaddr *local, const struct udp_settings *settings, uint8_t recovery,
              uint8_t node_features, const struct gtpc_handler *handler, void *owner,
              struct gtpc_endpoint **endpoint)
{
    static int anything;

    (void)local;
    (void)settings;
    (void)recovery;
    (void)node_features;
    (void)owner;
    gtpc_handler = handler;
    *endpoint = (struct gtpc_endpoint *)(void *)&anything;
    return 0;
}

void gtpc_close(struct gtpc_endpoint *endpoint)
{
    (void)endpoint;
    for (unsigned i = 0; i < MAX_WAITING; i++)
        await_fail(&waiting[i], -ECANCELED);
}

struct udp_endpoint *gtpc_udp(struct gtpc_endpoint *endpoint)
{
    return (struct udp_endpoint *)(void *)endpoint;
}

struct udp_peer *gtpc_peer(struct gtpc_endpoint *endpoint, const struct sockaddr *address)
{
    (void)endpoint;
    (void)address;
    return sgw_peer;
}

struct udp_peer *gtpc_peer_of(struct gtpc_endpoint *endpoint, const struct gtpc_f_teid *f_teid)
{
    (void)endpoint;
    (void)f_teid;
    return sgw_peer;
}

struct gtpc_f_teid gtpc_own_f_teid(const struct gtpc_endpoint *endpoint, uint8_t interface_type,
                                   uint32_t teid)
{
    (void)endpoint;
    return (struct gtpc_f_teid){.interface_type = interface_type, .teid = teid, .has_ipv4 = true};
}

const uint8_t *gtpc_recovery_for(struct udp_peer *peer)
{
    (void)peer;
    return NULL;
}

uint32_t udp_peer_id(const struct udp_peer *peer)
{
    (void)peer;
    return 77;
}

struct udp_peer *udp_peer_get(struct udp_endpoint *endpoint, uint32_t id)
{
    (void)endpoint;
    return id == 77 ? sgw_peer : NULL;
}

struct udp_peer *udp_peer_next(struct udp_endpoint *endpoint, uint32_t *id)
{
    (void)endpoint;
    *id = *id == 0 ? 77 : 0;
    return *id ? sgw_peer : NULL;
}

void udp_peer_use(struct udp_peer *peer)
{
    (void)peer;
    sgw_users++;
}

void udp_peer_release(struct udp_peer *peer)
{
    (void)peer;
    sgw_users--;
}

uint32_t udp_peer_users(const struct udp_peer *peer)
{
    (void)peer;
    return sgw_users;
}

const char *udp_peer_name(const struct udp_peer *peer)
{
    (void)peer;
    return "fake S-GW";
}

bool udp_peer_is_up(const struct udp_peer *peer)
{
    (void)peer;
    return true;
}

static struct {
    struct gtpc_message message;
    struct gtpc_create_session_response create;
    struct gtpc_modify_bearer_response modify;
    struct gtpc_release_access_bearers_response release;
    struct gtpc_delete_session_response remove;
    struct gtpc_f_teid control, user;
    struct gtpc_paa paa;
    struct gtpc_bearer_created bearer;
    struct bytes pco;
} sgw;

static struct gtpc_cause cause_for(enum fake_mode mode)
{
    return (struct gtpc_cause){.value = mode == FAKE_REFUSES ? fake_sgw.refusal
                                                             : GTPC_CAUSE_REQUEST_ACCEPTED};
}

static void create_session(const struct gtpc_create_session_request *request)
{
    static const uint8_t pco[] = {0x80, 0x00, 0x0d, 0x04, 8, 8, 8, 8};
    uint8_t type = fake_sgw.granted_pdn_type ? fake_sgw.granted_pdn_type : request->paa->pdn_type;

    sgw.create = (struct gtpc_create_session_response){.cause = cause_for(fake_sgw.create)};
    fake_sgw.last_pdn_type = request->paa->pdn_type;
    memcpy(fake_sgw.last_apn, request->apn, APN_SIZE);
    if (fake_sgw.create == FAKE_REFUSES || fake_sgw.create == FAKE_IS_BROKEN)
        return;
    if (fake_sgw.cause)
        sgw.create.cause.value = fake_sgw.cause;
    fake_sgw.mme_teid = request->sender.teid;
    fake_sgw.sessions++;
    sgw.control = (struct gtpc_f_teid){.interface_type = GTPC_S11_S4_SGW_GTP_C,
                                       .has_ipv4 = true,
                                       .teid = 0x1000 + request->sender.teid,
                                       .ipv4 = {htonl(0x7f000003)}};
    sgw.user = (struct gtpc_f_teid){.interface_type = GTPC_S1_U_SGW,
                                    .has_ipv4 = true,
                                    .teid = 0x2000 + fake_sgw.sessions,
                                    .ipv4 = {htonl(0x7f000004)}};
    sgw.paa = (struct gtpc_paa){
        .pdn_type = type, .prefix_bits = 64, .ipv4 = {htonl(0x0a2d0000 + fake_sgw.creates + 1)}};
    sgw.paa.ipv6.s6_addr[0] = 0x20;
    sgw.paa.ipv6.s6_addr[1] = 0x01;
    sgw.paa.ipv6.s6_addr[15] = 1;
    sgw.bearer = (struct gtpc_bearer_created){.ebi = request->bearers.at[0].ebi,
                                              .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
                                              .s1_u_sgw = &sgw.user};
    sgw.pco = bytes_of(pco, sizeof(pco));
    sgw.create.sender = &sgw.control;
    sgw.create.pgw = &sgw.control;
    sgw.create.paa = &sgw.paa;
    sgw.create.pco = &sgw.pco;
    sgw.create.bearers.at = &sgw.bearer;
    sgw.create.bearers.count = 1;
}

int gtpc_request(struct udp_peer *peer, uint32_t teid, enum gtpc_message_type type,
                 const void *body, struct gtpc_message **answer)
{
    enum fake_mode mode = type == GTPC_CREATE_SESSION_REQUEST           ? fake_sgw.create
                          : type == GTPC_MODIFY_BEARER_REQUEST          ? fake_sgw.modify
                          : type == GTPC_RELEASE_ACCESS_BEARERS_REQUEST ? fake_sgw.release
                                                                        : fake_sgw.remove;

    (void)peer;
    (void)teid;
    fake_sgw.creates += type == GTPC_CREATE_SESSION_REQUEST;
    fake_sgw.modifies += type == GTPC_MODIFY_BEARER_REQUEST;
    fake_sgw.releases += type == GTPC_RELEASE_ACCESS_BEARERS_REQUEST;
    fake_sgw.removes += type == GTPC_DELETE_SESSION_REQUEST;
    if (type == GTPC_MODIFY_BEARER_REQUEST) {
        const struct gtpc_modify_bearer_request *request = body;
        fake_sgw.last_enb_teid = request->bearers.at[0].s1_u_enodeb->teid;
    }
    int err = delay(mode);
    if (err < 0)
        return err;
    sgw.message = (struct gtpc_message){0};
    *answer = &sgw.message;
    switch (type) {
    case GTPC_CREATE_SESSION_REQUEST:
        create_session(body);
        sgw.message.create_session_response = &sgw.create;
        return 0;
    case GTPC_MODIFY_BEARER_REQUEST:
        sgw.modify = (struct gtpc_modify_bearer_response){.cause = cause_for(mode)};
        sgw.message.modify_bearer_response = &sgw.modify;
        return 0;
    case GTPC_RELEASE_ACCESS_BEARERS_REQUEST:
        sgw.release = (struct gtpc_release_access_bearers_response){.cause = cause_for(mode)};
        sgw.message.release_access_bearers_response = &sgw.release;
        return 0;
    default:
        fake_sgw.sessions--;
        sgw.remove = (struct gtpc_delete_session_response){.cause = cause_for(mode)};
        sgw.message.delete_session_response = &sgw.remove;
        return 0;
    }
}

int gtpc_notify(struct udp_peer *peer, uint32_t teid, enum gtpc_message_type type, const void *body)
{
    (void)peer;
    (void)teid;
    fake_sgw.commands += type == GTPC_DELETE_BEARER_COMMAND;
    if (type == GTPC_DOWNLINK_DATA_NOTIFICATION_FAILURE_INDICATION) {
        fake_sgw.failures++;
        fake_sgw.last_failure =
            ((const struct gtpc_downlink_data_notification_failure_indication *)body)->cause.value;
    }
    return 0;
}

int gtpc_answer(struct gtpc_endpoint *endpoint, uint32_t transaction, uint32_t teid,
                const void *body)
{
    (void)endpoint;
    (void)teid;
    fake_sgw.answers++;
    fake_sgw.last_transaction = transaction;
    /* Every answer begins with its cause. */
    fake_sgw.last_cause = ((const struct gtpc_cause *)body)->value;
    return 0;
}

int gtpc_refuse(struct gtpc_endpoint *endpoint, uint32_t transaction, uint32_t teid,
                enum gtpc_cause_value cause)
{
    (void)endpoint;
    (void)teid;
    fake_sgw.refusals++;
    fake_sgw.last_transaction = transaction;
    fake_sgw.last_cause = (uint8_t)cause;
    return 0;
}

void fake_sgw_ask(uint32_t transaction, enum gtpc_message_type type, uint32_t teid, void *body)
{
    struct gtpc_message message = {
        .header = {.type = (uint8_t)type, .has_teid = true, .teid = teid, .sequence = transaction},
        .kind = gtpc_kind((uint8_t)type),
        .body = body,
    };

    gtpc_handler->request(NULL, sgw_peer, transaction, &message);
}

void fake_sgw_restart(void)
{
    gtpc_handler->peer_restarted(NULL, sgw_peer);
}

/* ---- All
 * ----------------------------------------------------------------------------------------------------------------
 */

void fake_reset(void)
{
    for (unsigned i = 0; i < FAKE_MAX_ENBS; i++) {
        for (unsigned j = 0; j < enbs[i].count; j++)
            free(enbs[i].queue[j].at);
        enbs[i].is_used = enbs[i].is_open = enbs[i].is_full = false;
        enbs[i].first = enbs[i].count = 0;
    }
    memset(&fake_hss, 0, sizeof(fake_hss));
    memset(&fake_sgw, 0, sizeof(fake_sgw));
    memset(waiting, 0, sizeof(waiting));
    sgw_users = 0;
    fake_hss.sqn = 0x1000;
    for (unsigned i = 0; i < 16; i++) {
        fake_hss.k[i] = (uint8_t)(0x10 + i);
        fake_hss.opc[i] = (uint8_t)(0x80 + i);
    }
}
