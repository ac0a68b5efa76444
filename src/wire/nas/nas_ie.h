/*
 * nas_ie.h -- the values inside NAS messages: TS 24.301 clause 9.9, TS 24.008 clause 10.5.
 *
 * Included by nas.h; other rooms include that one.
 *
 * A value whose meaning somebody needs is a struct here. Half-octet values (attach type, key set
 * identifier, ...) are a uint8_t holding the four bits as they are, with their constants below.
 * Values that an LTE core only stores or passes on (classmarks, codec lists, containers) are a
 * `struct bytes`, a view of the received message. Capabilities are held in octets inside the
 * struct, as they outlive the message.
 */
#ifndef STROWGER_WIRE_NAS_NAS_IE_H
#define STROWGER_WIRE_NAS_NAS_IE_H

#include <netinet/in.h>

#include "wire/ids.h"
#include "wire/tlv.h"

/* ---- Half-octet and one-octet values ------------------------------------- */

/* NAS key set identifier (clause 9.9.3.21): bit 4 says mapped, bits 1 to 3 are the identifier. */
#define NAS_KSI_NO_KEY 7
#define NAS_KSI_MAPPED 8 /* flag: the context was mapped from UTRAN/GERAN */

/* 9.9.3.11 */
enum nas_attach_type {
    NAS_ATTACH_EPS = 1,
    NAS_ATTACH_COMBINED = 2, /* EPS/IMSI */
    NAS_ATTACH_EMERGENCY = 6,
};

/* 9.9.3.10 */
enum nas_attach_result {
    NAS_ATTACH_RESULT_EPS_ONLY = 1,
    NAS_ATTACH_RESULT_COMBINED = 2,
};

/* Detach type (9.9.3.7): the low three bits; bit 4 from the UE is "switch off". */
#define NAS_DETACH_SWITCH_OFF 8
enum nas_detach_type_uplink {
    NAS_DETACH_EPS = 1,
    NAS_DETACH_IMSI = 2,
    NAS_DETACH_COMBINED = 3,
};
enum nas_detach_type_downlink {
    NAS_DETACH_REATTACH_REQUIRED = 1,
    NAS_DETACH_REATTACH_NOT_REQUIRED = 2,
    NAS_DETACH_NETWORK_IMSI = 3,
};

/* EPS update type (9.9.3.14): the low three bits; bit 4 is the "active" flag. */
#define NAS_UPDATE_ACTIVE 8
enum nas_update_type {
    NAS_UPDATE_TA = 0,
    NAS_UPDATE_COMBINED = 1,
    NAS_UPDATE_COMBINED_IMSI_ATTACH = 2,
    NAS_UPDATE_PERIODIC = 3,
};

/* 9.9.3.13 */
enum nas_update_result {
    NAS_UPDATE_RESULT_TA = 0,
    NAS_UPDATE_RESULT_COMBINED = 1,
    NAS_UPDATE_RESULT_TA_ISR = 4,
    NAS_UPDATE_RESULT_COMBINED_ISR = 5,
};

/* TS 24.008 clause 10.5.5.9: what Identity Request asks for */
enum nas_identity_type2 {
    NAS_ASK_IMSI = 1,
    NAS_ASK_IMEI = 2,
    NAS_ASK_IMEISV = 3,
    NAS_ASK_TMSI = 4,
};

/* 9.9.4.10; 4 is "unused" and to be taken as IPv6; 0 and 7 are reserved */
enum nas_pdn_type {
    NAS_PDN_IPV4 = 1,
    NAS_PDN_IPV6 = 2,
    NAS_PDN_IPV4V6 = 3,
    NAS_PDN_NON_IP = 5,
};

/* 9.9.4.14 */
enum nas_request_type {
    NAS_REQUEST_INITIAL = 1,
    NAS_REQUEST_HANDOVER = 2,
    NAS_REQUEST_UNUSED = 3, /* to be taken as initial request */
    NAS_REQUEST_EMERGENCY = 4,
};

/* 9.9.3.27 */
enum nas_service_type {
    NAS_SERVICE_CSFB_MOBILE_ORIGINATING = 0,
    NAS_SERVICE_CSFB_MOBILE_TERMINATING = 1,
    NAS_SERVICE_CSFB_EMERGENCY = 2,
    NAS_SERVICE_PACKET = 8,
};

#define NAS_IMEISV_REQUESTED 1 /* 9.9.3.18 */
#define NAS_ESM_INFORMATION_TRANSFER \
    1                          /* 9.9.4.5: security protected ESM information transfer required */
#define NAS_GUTI_TYPE_NATIVE 0 /* Old GUTI type (9.9.3.45) */
#define NAS_GUTI_TYPE_MAPPED 1

/* ---- Identities ---------------------------------------------------------- */

enum nas_identity_kind {
    NAS_IDENTITY_NONE,
    NAS_IDENTITY_IMSI,
    NAS_IDENTITY_IMEI,
    NAS_IDENTITY_IMEISV,
    NAS_IDENTITY_TMSI,
    NAS_IDENTITY_TMGI,
    NAS_IDENTITY_GUTI,
};

/* EPS mobile identity (9.9.3.12: IMSI, IMEI, GUTI) and mobile identity (TS 24.008 clause 10.5.1.4:
 * all but GUTI). An IMSI has 6 to 15 digits, an IMEI 15, an IMEISV 16; anything else is refused. */
struct nas_identity {
    enum nas_identity_kind kind;
    union {
        char imsi[IMSI_SIZE];
        char imei[IMEI_SIZE]; /* IMEI and IMEISV */
        struct guti guti;
        uint32_t tmsi; /* TMSI, P-TMSI or M-TMSI */
        /* NONE, TMGI: the value as it is; left empty, NONE is sent as three zeros */
        struct bytes octets;
    };
};

struct nas_lai { /* TS 24.008 clause 10.5.1.3 */
    struct plmn plmn;
    uint16_t lac;
};

/* Tracking area identity list (9.9.3.33) as one list of TAIs. On the wire it is made of partial
 * lists; `list` says the kind of partial list a TAI travels in, and `starts` that it is the first
 * of its partial list, so that what was received is sent alike. To build a list fill in `tai` (and
 * `list`, if not 0): a partial list is begun wherever one is needed. */
#define NAS_TAI_LIST_MAX 16

enum nas_partial_tai_list {
    NAS_TAIS_OF_ONE_PLMN = 0, /* TACs in any order */
    NAS_TAIS_CONSECUTIVE = 1, /* one TAC and a number */
    NAS_TAIS_OF_SEVERAL_PLMNS = 2,
};

struct nas_tai_list {
    uint8_t count; /* 1..16 */
    struct nas_tai_list_element {
        struct tai tai;
        uint8_t list; /* enum nas_partial_tai_list */
        bool starts;
    } at[NAS_TAI_LIST_MAX];
};

#define NAS_PLMN_LIST_MAX 15
struct nas_plmn_list { /* TS 24.008 clause 10.5.1.13 */
    uint8_t count;
    struct plmn at[NAS_PLMN_LIST_MAX];
};

/* ---- Capabilities -------------------------------------------------------- */

/* UE network capability (9.9.3.34): octets 3 onwards. [0] EEA0..7 from bit 8 down, [1] EIA0..7, [2]
 * UEA0..7, [3] UCS2 and UIA1..7, then features. What a later release appends beyond 13 octets is
 * not kept. */
struct nas_ue_network_capability {
    uint8_t len; /* 2..13 */
    uint8_t octets[13];
};

/* MS network capability (TS 24.008 clause 10.5.5.12). */
struct nas_ms_network_capability {
    uint8_t len; /* 2..8 */
    uint8_t octets[8];
};

/* UE security capability (9.9.3.36): EEA, EIA, UEA, UIA, GEA. */
struct nas_ue_security_capability {
    uint8_t len; /* 2, 4 or 5 */
    uint8_t octets[5];
};

/* Bit of algorithm n in an octet of EEAs or EIAs. */
static inline bool nas_supports_algorithm(uint8_t octet, unsigned n)
{
    return n < 8 && octet & 0x80u >> n;
}

/* What the MME replays in Security Mode Command: from the UE network capability and, when the UE
 * sent one, the MS network capability (else NULL). */
struct nas_ue_security_capability
nas_ue_security_capability_of(const struct nas_ue_network_capability *ue,
                              const struct nas_ms_network_capability *ms);

/* EPS network feature support (9.9.3.12A). */
#define NAS_EPS_FEATURE_IMS_VOICE_S1 0x01 /* in octets[0] */
#define NAS_EPS_FEATURE_EMERGENCY_S1 0x02
struct nas_eps_network_feature_support {
    uint8_t len; /* 1 or 2 */
    uint8_t octets[2];
};

/* ---- Timers -------------------------------------------------------------- */

/* Timer values are kept as their octet: a unit and a number. These turn it to seconds and back; a
 * duration that cannot be said exactly is rounded up, and cut at the longest there is. */
#define NAS_TIMER_DEACTIVATED UINT32_MAX

uint32_t
nas_gprs_timer_seconds(uint8_t octet); /* GPRS timer and GPRS timer 2: 9.9.3.16, 9.9.3.16A */
uint8_t nas_gprs_timer(uint32_t seconds);
uint32_t nas_gprs_timer3_seconds(uint8_t octet); /* GPRS timer 3: TS 24.008 clause 10.5.7.4a */
uint8_t nas_gprs_timer3(uint32_t seconds);

/* ---- Sessions and bearers ------------------------------------------------ */

/* PDN address (9.9.4.9). */
struct nas_pdn_address {
    uint8_t type;            /* enum nas_pdn_type */
    uint8_t interface_id[8]; /* IPv6 and IPv4v6 */
    struct in_addr ipv4;     /* IPv4 and IPv4v6 */
};

/* EPS quality of service (9.9.4.3): QCI and, for a GBR bearer, four bit rates, whose octets are
 * kept as received. Rates come in sets of four: the base, the extended, the extended-2 octets. */
struct nas_eps_qos {
    uint8_t qci;
    uint8_t rate_octets; /* 0, 4, 8 or 12 */
    uint8_t rates[12];   /* MBR uplink, MBR downlink, GBR uplink, GBR downlink; the same extended;
                            extended-2 */
};

enum nas_eps_qos_rate {
    NAS_MBR_UPLINK,
    NAS_MBR_DOWNLINK,
    NAS_GBR_UPLINK,
    NAS_GBR_DOWNLINK,
};

/* A rate of the bearer in kbit/s; 0 when it has none. */
uint64_t nas_eps_qos_kbps(const struct nas_eps_qos *qos, enum nas_eps_qos_rate which);

/* A GBR bearer's QoS with rates in kbit/s in the order above; what the coding cannot say is rounded
 * up. */
struct nas_eps_qos nas_eps_qos_gbr(uint8_t qci, const uint64_t kbps[4]);

/* APN aggregate maximum bit rate (9.9.4.2), as octets: downlink, uplink; the same extended;
 * extended-2. */
struct nas_apn_ambr {
    uint8_t len; /* 2, 4 or 6 */
    uint8_t octets[6];
};

uint64_t nas_apn_ambr_downlink_kbps(const struct nas_apn_ambr *ambr);
uint64_t nas_apn_ambr_uplink_kbps(const struct nas_apn_ambr *ambr);
struct nas_apn_ambr nas_apn_ambr(uint64_t downlink_kbps, uint64_t uplink_kbps);

/* EPS bearer context status (9.9.2.1): bit n is EPS bearer identity n. */
#define NAS_BEARER_BIT(ebi) (1u << (ebi))

struct nas_apn {         /* TS 24.008 clause 10.5.6.1 */
    char name[APN_SIZE]; /* with dots */
};

/* ---- Names and times ----------------------------------------------------- */

/* Network name (TS 24.008 clause 10.5.3.5a). */
struct nas_network_name {
    uint8_t coding;     /* 0: GSM 7-bit alphabet, 1: UCS2 */
    bool add_initials;  /* "add CI": the phone shows the country's initials too */
    uint8_t spare_bits; /* in the last octet */
    struct bytes text;  /* coded */
};

/* A name in the GSM alphabet, packed into `buffer`, which must live as long as the result.
 * Characters outside printable ASCII become '?'; what does not fit is cut. */
struct nas_network_name nas_network_name(const char *name, uint8_t *buffer, size_t size);

/* Universal time and local time zone (TS 24.008 clause 10.5.3.9). */
struct nas_time {
    uint8_t year; /* 0..99 */
    uint8_t month, day, hour, minute, second;
    int8_t zone_quarters; /* of an hour, east positive */
};

/* ---- Protocol configuration options -------------------------------------- */

/* PCO (TS 24.008 clause 10.5.6.3) is kept as bytes in messages and passed on between NAS and
 * GTPv2-C; the phone and the P-GW look inside. Identifiers below 0x0100 are containers whose
 * meaning depends on direction. */
enum nas_pco_id {
    NAS_PCO_P_CSCF_IPV6 = 0x0001,
    NAS_PCO_IMS_SIGNALLING = 0x0002,
    NAS_PCO_DNS_IPV6 = 0x0003,
    NAS_PCO_BEARER_CONTROL = 0x0005,
    NAS_PCO_ADDRESS_VIA_NAS = 0x000a,
    NAS_PCO_ADDRESS_VIA_DHCP = 0x000b,
    NAS_PCO_P_CSCF_IPV4 = 0x000c,
    NAS_PCO_DNS_IPV4 = 0x000d,
    NAS_PCO_MSISDN = 0x000e,
    NAS_PCO_IPV4_MTU = 0x0010,
    NAS_PCO_P_CSCF_RESELECTION = 0x0012,
    NAS_PCO_IPCP = 0x8021,
    NAS_PCO_LCP = 0xc021,
    NAS_PCO_PAP = 0xc023,
    NAS_PCO_CHAP = 0xc223,
};

struct nas_pco_container {
    uint16_t id;
    struct bytes contents; /* at most 255 octets */
};

/* Takes the next container from a reader over the PCO's value behind its first octet (the
 * configuration protocol); false at the end or when it is broken (then the reader is bad). */
bool nas_pco_next(struct reader *r, struct nas_pco_container *container);

void nas_pco_begin(struct writer *w); /* writes that first octet */
void nas_pco_add(struct writer *w, uint16_t id, struct bytes contents);

/* What a phone asks for. */
struct nas_pco_request {
    bool ipcp; /* DNS servers by IPCP, with the identifier of its Configure-Request */
    uint8_t ipcp_id;
    bool dns_ipv4, dns_ipv6;
    bool p_cscf_ipv4, p_cscf_ipv6;
    bool ipv4_mtu;
    bool ims_signalling;
    bool bearer_control; /* the UE supports network requested bearer control */
    bool address_via_nas, address_via_dhcp;
    struct bytes pap;  /* the PPP packet of an Authenticate-Request; empty when none */
    struct bytes chap; /* of a Response */
};

#define NAS_PCO_SERVERS_MAX 4

/* What the network gave. */
struct nas_pco_answer {
    unsigned dns_ipv4_count, dns_ipv6_count, p_cscf_ipv4_count, p_cscf_ipv6_count;
    struct in_addr dns_ipv4[NAS_PCO_SERVERS_MAX];
    struct in6_addr dns_ipv6[NAS_PCO_SERVERS_MAX];
    struct in_addr p_cscf_ipv4[NAS_PCO_SERVERS_MAX];
    struct in6_addr p_cscf_ipv6[NAS_PCO_SERVERS_MAX];
    uint16_t ipv4_mtu; /* 0: not told */
};

/* The phone's end; the P-GW's is in wire/gtp/pco.h. Reading returns 0, or -EBADMSG with what was
 * read before the fault; each server is told once, and servers past the number kept are left out.
 */
void nas_pco_write_request(struct writer *w, const struct nas_pco_request *request);
int nas_pco_read_answer(struct bytes pco, struct nas_pco_answer *answer);
void nas_pco_print(struct text *t, struct bytes pco);

/* ---- Traffic flow templates ---------------------------------------------- */

/* TFT and traffic flow aggregate (TS 24.008 clause 10.5.6.12), kept as bytes in messages as PCO is.
 */
enum nas_tft_operation {
    NAS_TFT_IGNORE = 0,
    NAS_TFT_CREATE = 1,
    NAS_TFT_DELETE = 2,
    NAS_TFT_ADD_FILTERS = 3,
    NAS_TFT_REPLACE_FILTERS = 4,
    NAS_TFT_DELETE_FILTERS = 5,
    NAS_TFT_NO_OPERATION = 6,
};

enum nas_packet_filter_direction {
    NAS_FILTER_PRE_RELEASE_7 = 0,
    NAS_FILTER_DOWNLINK = 1,
    NAS_FILTER_UPLINK = 2,
    NAS_FILTER_BIDIRECTIONAL = 3,
};

enum nas_packet_filter_component {
    NAS_FILTER_IPV4_REMOTE = 0x10,
    NAS_FILTER_IPV4_LOCAL = 0x11,
    NAS_FILTER_IPV6_REMOTE = 0x20,
    NAS_FILTER_IPV6_REMOTE_PREFIX = 0x21,
    NAS_FILTER_IPV6_LOCAL_PREFIX = 0x23,
    NAS_FILTER_PROTOCOL = 0x30,
    NAS_FILTER_LOCAL_PORT = 0x40,
    NAS_FILTER_LOCAL_PORT_RANGE = 0x41,
    NAS_FILTER_REMOTE_PORT = 0x50,
    NAS_FILTER_REMOTE_PORT_RANGE = 0x51,
    NAS_FILTER_SPI = 0x60,
    NAS_FILTER_TRAFFIC_CLASS = 0x70,
    NAS_FILTER_FLOW_LABEL = 0x80,
};

#define NAS_TFT_FILTERS_MAX 16

struct nas_packet_filter {
    uint8_t id;
    uint8_t direction;       /* enum nas_packet_filter_direction */
    uint8_t precedence;      /* evaluation precedence; lower is looked at first */
    struct bytes components; /* type, value, type, value ... : walk with nas_packet_filter_next() */
};

struct nas_tft {
    uint8_t operation; /* enum nas_tft_operation */
    uint8_t filter_count;
    bool has_parameters;
    struct nas_packet_filter filters[NAS_TFT_FILTERS_MAX]; /* only ids when filters are deleted */
    struct bytes parameters;
};

/* 0, or -EBADMSG for a syntactical error in the TFT operation or in packet filters (ESM causes #42,
 * #45). */
int nas_tft_decode(struct bytes value, struct nas_tft *tft);
void nas_tft_encode(struct writer *w, const struct nas_tft *tft);
/* Takes the next component of a filter, false at the end or when it is unknown or broken (then
 * bad). */
bool nas_packet_filter_next(struct reader *r, uint8_t *component, struct bytes *value);
void nas_tft_print(struct text *t, struct bytes value);

#endif
