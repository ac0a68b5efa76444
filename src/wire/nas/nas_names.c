/*
 * nas_names.c -- causes in words: TS 24.301 annex A and clauses 9.9.3.9, 9.9.4.4; and which
 * messages are processed without protection.
 */
#include "wire/nas/nas_table.h"

static const char *const common_causes[] = {
    /* 95 and on, the same for EMM and ESM */
    "semantically incorrect message",
    "invalid mandatory information",
    "message type non-existent or not implemented",
    "message type not compatible with the protocol state",
    "information element non-existent or not implemented",
    "conditional ie error",
    "message not compatible with the protocol state",
};
#define FIRST_COMMON 95

static const char *const emm_causes[] = {
    [2] = "imsi unknown in hss",
    [3] = "illegal ue",
    [5] = "imei not accepted",
    [6] = "illegal me",
    [7] = "eps services not allowed",
    [8] = "eps services and non-eps services not allowed",
    [9] = "ue identity cannot be derived by the network",
    [10] = "implicitly detached",
    [11] = "plmn not allowed",
    [12] = "tracking area not allowed",
    [13] = "roaming not allowed in this tracking area",
    [14] = "eps services not allowed in this plmn",
    [15] = "no suitable cells in tracking area",
    [16] = "msc temporarily not reachable",
    [17] = "network failure",
    [18] = "cs domain not available",
    [19] = "esm failure",
    [20] = "mac failure",
    [21] = "synch failure",
    [22] = "congestion",
    [23] = "ue security capabilities mismatch",
    [24] = "security mode rejected, unspecified",
    [25] = "not authorized for this csg",
    [26] = "non-eps authentication unacceptable",
    [31] = "redirection to 5gcn required",
    [35] = "requested service option not authorized in this plmn",
    [39] = "cs service temporarily not available",
    [40] = "no eps bearer context activated",
    [42] = "severe network failure",
};

static const char *const esm_causes[] = {
    [8] = "operator determined barring",
    [26] = "insufficient resources",
    [27] = "missing or unknown apn",
    [28] = "unknown pdn type",
    [29] = "user authentication or authorization failed",
    [30] = "request rejected by serving gw or pdn gw",
    [31] = "request rejected, unspecified",
    [32] = "service option not supported",
    [33] = "requested service option not subscribed",
    [34] = "service option temporarily out of order",
    [35] = "pti already in use",
    [36] = "regular deactivation",
    [37] = "eps qos not accepted",
    [38] = "network failure",
    [39] = "reactivation requested",
    [41] = "semantic error in the tft operation",
    [42] = "syntactical error in the tft operation",
    [43] = "invalid eps bearer identity",
    [44] = "semantic errors in packet filter(s)",
    [45] = "syntactical errors in packet filter(s)",
    [47] = "pti mismatch",
    [49] = "last pdn disconnection not allowed",
    [50] = "pdn type ipv4 only allowed",
    [51] = "pdn type ipv6 only allowed",
    [52] = "single address bearers only allowed",
    [53] = "esm information not received",
    [54] = "pdn connection does not exist",
    [55] = "multiple pdn connections for a given apn not allowed",
    [56] = "collision with network initiated request",
    [57] = "pdn type ipv4v6 only allowed",
    [58] = "pdn type non ip only allowed",
    [59] = "unsupported qci value",
    [60] = "bearer handling not supported",
    [65] = "maximum number of eps bearers reached",
    [66] = "requested apn not supported in current rat and plmn combination",
    [81] = "invalid pti value",
    [112] = "apn restriction value incompatible with active eps bearer context",
    [113] = "multiple accesses to a pdn connection not allowed",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *cause_name(const char *const *names, size_t count, uint8_t cause)
{
    if (cause < count && names[cause])
        return names[cause];
    if (cause >= FIRST_COMMON && cause < FIRST_COMMON + COUNT(common_causes))
        return common_causes[cause - FIRST_COMMON];
    return cause == EMM_CAUSE_PROTOCOL_ERROR ? "protocol error, unspecified" : "unknown";
}

const char *nas_emm_cause_name(uint8_t cause)
{
    return cause_name(emm_causes, COUNT(emm_causes), cause);
}

const char *nas_esm_cause_name(uint8_t cause)
{
    return cause_name(esm_causes, COUNT(esm_causes), cause);
}

/* Who processes a message without protection, and on what condition. */
struct unprotected {
    enum nas_message_type type;
    enum eps_direction direction;
    enum { ALWAYS, IF_IMSI, UNLESS_CSG } condition;
};

/* Uplink: the second list of clause 4.4.4.3, which holds the first. Downlink: clause 4.4.4.2. */
static const struct unprotected unprotected[] = {
    {NAS_ATTACH_REQUEST, EPS_UPLINK, ALWAYS},
    {NAS_IDENTITY_RESPONSE, EPS_UPLINK, IF_IMSI},
    {NAS_AUTHENTICATION_RESPONSE, EPS_UPLINK, ALWAYS},
    {NAS_AUTHENTICATION_FAILURE, EPS_UPLINK, ALWAYS},
    {NAS_SECURITY_MODE_REJECT, EPS_UPLINK, ALWAYS},
    {NAS_DETACH_REQUEST, EPS_UPLINK, ALWAYS},
    {NAS_DETACH_ACCEPT, EPS_UPLINK, ALWAYS},
    {NAS_TRACKING_AREA_UPDATE_REQUEST, EPS_UPLINK, ALWAYS},
    {NAS_SERVICE_REQUEST, EPS_UPLINK, ALWAYS},
    {NAS_EXTENDED_SERVICE_REQUEST, EPS_UPLINK, ALWAYS},
    {NAS_CONTROL_PLANE_SERVICE_REQUEST, EPS_UPLINK, ALWAYS},
    {NAS_IDENTITY_REQUEST, EPS_DOWNLINK, IF_IMSI},
    {NAS_AUTHENTICATION_REQUEST, EPS_DOWNLINK, ALWAYS},
    {NAS_AUTHENTICATION_REJECT, EPS_DOWNLINK, ALWAYS},
    {NAS_ATTACH_REJECT, EPS_DOWNLINK, UNLESS_CSG},
    {NAS_DETACH_ACCEPT, EPS_DOWNLINK, ALWAYS},
    {NAS_TRACKING_AREA_UPDATE_REJECT, EPS_DOWNLINK, UNLESS_CSG},
    {NAS_SERVICE_REJECT, EPS_DOWNLINK, UNLESS_CSG},
};

/* The rejects begin with their cause. */
_Static_assert(offsetof(struct nas_attach_reject, emm_cause) == 0, "cause first");
_Static_assert(offsetof(struct nas_tracking_area_update_reject, emm_cause) == 0, "cause first");
_Static_assert(offsetof(struct nas_service_reject, emm_cause) == 0, "cause first");

static bool is_csg_reject(const struct nas_message *message)
{
    return message->body && *(const uint8_t *)message->body == EMM_CAUSE_NOT_AUTHORIZED_FOR_CSG;
}

static bool is_about_imsi(const struct nas_message *message)
{
    if (!message->body)
        return false;
    if (message->type == NAS_IDENTITY_REQUEST)
        return message->identity_request->identity_type == NAS_ASK_IMSI;
    return message->identity_response->mobile_identity.kind == NAS_IDENTITY_IMSI;
}

bool nas_is_acceptable_unprotected(const struct nas_message *message)
{
    for (size_t i = 0; i < COUNT(unprotected); i++) {
        const struct unprotected *u = &unprotected[i];
        if (u->type != message->type || u->direction != message->direction)
            continue;
        if (u->condition == IF_IMSI)
            return is_about_imsi(message);
        if (u->condition == UNLESS_CSG)
            return !is_csg_reject(message);
        return true;
    }
    return false;
}
