/*
 * errors.c -- the names of OpenFlow's errors (clause 7.4.4), in the order of their numbers.
 */
#include "wire/openflow/openflow.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const hello_failed[] = {"INCOMPATIBLE", "EPERM"};
static const char *const bad_request[] = {
    "BAD_VERSION",    "BAD_TYPE",
    "BAD_MULTIPART",  "BAD_EXPERIMENTER",
    "BAD_EXP_TYPE",   "EPERM",
    "BAD_LEN",        "BUFFER_EMPTY",
    "BUFFER_UNKNOWN", "BAD_TABLE_ID",
    "IS_SLAVE",       "BAD_PORT",
    "BAD_PACKET",     "MULTIPART_BUFFER_OVERFLOW",
};
static const char *const bad_action[] = {
    "BAD_TYPE",
    "BAD_LEN",
    "BAD_EXPERIMENTER",
    "BAD_EXP_TYPE",
    "BAD_OUT_PORT",
    "BAD_ARGUMENT",
    "EPERM",
    "TOO_MANY",
    "BAD_QUEUE",
    "BAD_OUT_GROUP",
    "MATCH_INCONSISTENT",
    "UNSUPPORTED_ORDER",
    "BAD_TAG",
    "BAD_SET_TYPE",
    "BAD_SET_LEN",
    "BAD_SET_ARGUMENT",
};
static const char *const bad_instruction[] = {
    "UNKNOWN_INST",     "UNSUP_INST",   "BAD_TABLE_ID", "UNSUP_METADATA", "UNSUP_METADATA_MASK",
    "BAD_EXPERIMENTER", "BAD_EXP_TYPE", "BAD_LEN",      "EPERM",          "DUP_INST",
};
static const char *const bad_match[] = {
    "BAD_TYPE",  "BAD_LEN",   "BAD_TAG",  "BAD_DL_ADDR_MASK", "BAD_NW_ADDR_MASK", "BAD_WILDCARDS",
    "BAD_FIELD", "BAD_VALUE", "BAD_MASK", "BAD_PREREQ",       "DUP_FIELD",        "EPERM",
};
static const char *const flow_mod_failed[] = {
    "UNKNOWN", "TABLE_FULL",  "BAD_TABLE_ID", "OVERLAP",
    "EPERM",   "BAD_TIMEOUT", "BAD_COMMAND",  "BAD_FLAGS",
};
static const char *const group_mod_failed[] = {
    "GROUP_EXISTS",      "INVALID_GROUP",  "WEIGHT_UNSUPPORTED",
    "OUT_OF_GROUPS",     "OUT_OF_BUCKETS", "CHAINING_UNSUPPORTED",
    "WATCH_UNSUPPORTED", "LOOP",           "UNKNOWN_GROUP",
    "CHAINED_GROUP",     "BAD_TYPE",       "BAD_COMMAND",
    "BAD_BUCKET",        "BAD_WATCH",      "EPERM",
};
static const char *const port_mod_failed[] = {"BAD_PORT", "BAD_HW_ADDR", "BAD_CONFIG",
                                              "BAD_ADVERTISE"};
static const char *const table_mod_failed[] = {"BAD_TABLE", "BAD_CONFIG", "EPERM"};
static const char *const queue_op_failed[] = {"BAD_PORT", "BAD_QUEUE"};
static const char *const switch_config_failed[] = {"BAD_FLAGS", "BAD_LEN"};
static const char *const role_request_failed[] = {"STALE", "UNSUP", "BAD_ROLE"};
static const char *const meter_mod_failed[] = {
    "UNKNOWN",  "METER_EXISTS", "INVALID_METER", "UNKNOWN_METER",  "BAD_COMMAND",   "BAD_FLAGS",
    "BAD_RATE", "BAD_BURST",    "BAD_BAND",      "BAD_BAND_VALUE", "OUT_OF_METERS", "OUT_OF_BANDS",
};
static const char *const table_features_failed[] = {
    "BAD_TABLE", "BAD_METADATA", "BAD_TYPE", "BAD_LEN", "BAD_ARGUMENT", "EPERM",
};
static const char *const bundle_failed[] = {
    "UNKNOWN",       "EPERM",          "BAD_ID",    "BUNDLE_EXIST",
    "BUNDLE_CLOSED", "OUT_OF_BUNDLES", "BAD_TYPE",  "BAD_FLAGS",
    "MSG_BAD_LEN",   "MSG_BAD_XID",    "MSG_UNSUP", "MSG_CONFLICT",
    "MSG_TOO_MANY",  "MSG_FAILED",     "TIMEOUT",   "BUNDLE_IN_PROGRESS",
};

static const struct {
    of_error error;
    const char *name;
} extensions[] = {
    {NXBRC_MUST_BE_ZERO, "BAD_REQUEST/MUST_BE_ZERO"},
    {NXMOFC_MONITOR_EXISTS, "FLOW_MONITOR_FAILED/MONITOR_EXISTS"},
    {NXMOFC_BAD_FLAGS, "FLOW_MONITOR_FAILED/BAD_FLAGS"},
    {NXMOFC_UNKNOWN_MONITOR, "FLOW_MONITOR_FAILED/UNKNOWN_MONITOR"},
    {ONF_ASYNC_INVALID, "ASYNC_CONFIG_FAILED/INVALID"},
    {ONF_ASYNC_UNSUPPORTED, "ASYNC_CONFIG_FAILED/UNSUPPORTED"},
    {ONF_MULTIPART_REQUEST_TIMEOUT, "BAD_REQUEST/MULTIPART_REQUEST_TIMEOUT"},
};

static const struct {
    const char *name;
    const char *const *codes;
    size_t count;
} types[] = {
#define TYPE(name, codes)         \
    {                             \
        name, codes, COUNT(codes) \
    }
    TYPE("HELLO_FAILED", hello_failed),
    TYPE("BAD_REQUEST", bad_request),
    TYPE("BAD_ACTION", bad_action),
    TYPE("BAD_INSTRUCTION", bad_instruction),
    TYPE("BAD_MATCH", bad_match),
    TYPE("FLOW_MOD_FAILED", flow_mod_failed),
    TYPE("GROUP_MOD_FAILED", group_mod_failed),
    TYPE("PORT_MOD_FAILED", port_mod_failed),
    TYPE("TABLE_MOD_FAILED", table_mod_failed),
    TYPE("QUEUE_OP_FAILED", queue_op_failed),
    TYPE("SWITCH_CONFIG_FAILED", switch_config_failed),
    TYPE("ROLE_REQUEST_FAILED", role_request_failed),
    TYPE("METER_MOD_FAILED", meter_mod_failed),
    TYPE("TABLE_FEATURES_FAILED", table_features_failed),
};

void of_print_error(struct text *t, of_error error)
{
    uint16_t type = OF_ERROR_TYPE(error), code = OF_ERROR_CODE(error);

    for (size_t i = 0; i < COUNT(extensions); i++)
        if (extensions[i].error == error) {
            text_add(t, "%s", extensions[i].name);
            return;
        }
    if (type == OFPET_EXPERIMENTER && code >= OFPBFC_UNKNOWN &&
        code - OFPBFC_UNKNOWN < (int)COUNT(bundle_failed))
        text_add(t, "BUNDLE_FAILED/%s", bundle_failed[code - OFPBFC_UNKNOWN]);
    else if (type < COUNT(types) && code < types[type].count)
        text_add(t, "%s/%s", types[type].name, types[type].codes[code]);
    else if (type < COUNT(types))
        text_add(t, "%s/%u", types[type].name, code);
    else
        text_add(t, "error %u/%u", type, code);
}
