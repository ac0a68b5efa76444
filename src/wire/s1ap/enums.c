/*
 * enums.c -- the enumerations of S1AP as tables: names for printing, and how many values stand
 * before the extension marker (TS 36.413 clause 9.3.4, release 16). Names are the specification's.
 */
#include "wire/s1ap/types.h"

/* ENUMERATED(type, specification name, values in the root, names ...); _EXT: with a "...". */
#define NAMES(c_name, ...) static const char *const c_name##_names[] = {__VA_ARGS__}
#define ENUMERATED_OF(c_name, asn_name, root_count, is_extensible)                    \
    const struct aper_type s1ap_type_##c_name = {.ops = &aper_enumerated,             \
                                                 .name = asn_name,                    \
                                                 .size = sizeof(unsigned),            \
                                                 .extensible = is_extensible,         \
                                                 .count = APER_COUNT(c_name##_names), \
                                                 .root = root_count,                  \
                                                 .names = c_name##_names}
#define ENUMERATED(c_name, asn_name, root_count, ...) \
    NAMES(c_name, __VA_ARGS__);                       \
    ENUMERATED_OF(c_name, asn_name, root_count, false)
#define ENUMERATED_EXT(c_name, asn_name, root_count, ...) \
    NAMES(c_name, __VA_ARGS__);                           \
    ENUMERATED_OF(c_name, asn_name, root_count, true)

/* RelayNode-Indicator, GWContextReleaseIndication and some thirty more: {true, ...}. */
ENUMERATED_EXT(flag, "TRUE", 1, "true");
/* ConcurrentWarningMessageIndicator, KillAllWarningMessages: {true}. */
ENUMERATED(only_flag, "ONLY-TRUE", 1, "true");

ENUMERATED(criticality, "Criticality", 3, "reject", "ignore", "notify");
ENUMERATED(triggering_message, "TriggeringMessage", 3, "initiating-message", "successful-outcome",
           "unsuccessful-outcome");
ENUMERATED_EXT(type_of_error, "TypeOfError", 2, "not-understood", "missing");

ENUMERATED_EXT(
    cause_radio_network, "CauseRadioNetwork", 36, "unspecified", "tx2relocoverall-expiry",
    "successful-handover", "release-due-to-eutran-generated-reason", "handover-cancelled",
    "partial-handover", "ho-failure-in-target-EPC-eNB-or-target-system", "ho-target-not-allowed",
    "tS1relocoverall-expiry", "tS1relocprep-expiry", "cell-not-available", "unknown-targetID",
    "no-radio-resources-available-in-target-cell", "unknown-mme-ue-s1ap-id",
    "unknown-enb-ue-s1ap-id", "unknown-pair-ue-s1ap-id", "handover-desirable-for-radio-reason",
    "time-critical-handover", "resource-optimisation-handover", "reduce-load-in-serving-cell",
    "user-inactivity", "radio-connection-with-ue-lost", "load-balancing-tau-required",
    "cs-fallback-triggered", "ue-not-available-for-ps-service", "radio-resources-not-available",
    "failure-in-radio-interface-procedure", "invalid-qos-combination", "interrat-redirection",
    "interaction-with-other-procedure", "unknown-E-RAB-ID", "multiple-E-RAB-ID-instances",
    "encryption-and-or-integrity-protection-algorithms-not-supported",
    "s1-intra-system-handover-triggered", "s1-inter-system-handover-triggered",
    "x2-handover-triggered", "redirection-towards-1xRTT", "not-supported-QCI-value",
    "invalid-CSG-Id", "release-due-to-pre-emption");
ENUMERATED_EXT(cause_transport, "CauseTransport", 2, "transport-resource-unavailable",
               "unspecified");
ENUMERATED_EXT(cause_nas, "CauseNas", 4, "normal-release", "authentication-failure", "detach",
               "unspecified", "csg-subscription-expiry");
ENUMERATED_EXT(cause_protocol, "CauseProtocol", 7, "transfer-syntax-error",
               "abstract-syntax-error-reject", "abstract-syntax-error-ignore-and-notify",
               "message-not-compatible-with-receiver-state", "semantic-error",
               "abstract-syntax-error-falsely-constructed-message", "unspecified");
ENUMERATED_EXT(cause_misc, "CauseMisc", 6, "control-processing-overload",
               "not-enough-user-plane-processing-resources", "hardware-failure", "om-intervention",
               "unspecified", "unknown-PLMN");

ENUMERATED_EXT(handover_type, "HandoverType", 5, "intralte", "ltetoutran", "ltetogeran",
               "utrantolte", "gerantolte", "eps-to-5gs", "fivegs-to-eps");
ENUMERATED_EXT(rrc_establishment_cause, "RRC-Establishment-Cause", 5, "emergency",
               "highPriorityAccess", "mt-Access", "mo-Signalling", "mo-Data",
               "delay-TolerantAccess", "mo-VoiceCall", "mo-ExceptionData");
ENUMERATED(cn_domain, "CNDomain", 2, "ps", "cs");
ENUMERATED_EXT(paging_drx, "PagingDRX", 4, "v32", "v64", "v128", "v256");
ENUMERATED_EXT(nb_iot_default_paging_drx, "NB-IoT-DefaultPagingDRX", 4, "v128", "v256", "v512",
               "v1024");
ENUMERATED_EXT(paging_priority, "PagingPriority", 8, "priolevel1", "priolevel2", "priolevel3",
               "priolevel4", "priolevel5", "priolevel6", "priolevel7", "priolevel8");
ENUMERATED_EXT(time_to_wait, "TimeToWait", 6, "v1s", "v2s", "v5s", "v10s", "v20s", "v60s");
ENUMERATED_EXT(
    overload_action, "OverloadAction", 3, "reject-non-emergency-mo-dt", "reject-rrc-cr-signalling",
    "permit-emergency-sessions-and-mobile-terminated-services-only",
    "permit-high-priority-sessions-and-mobile-terminated-services-only",
    "reject-delay-tolerant-access",
    "permit-high-priority-sessions-and-exception-reporting-and-mobile-terminated-services-only",
    "not-accept-mo-data-or-delay-tolerant-access-from-CP-CIoT");
ENUMERATED(pre_emption_capability, "Pre-emptionCapability", 2, "shall-not-trigger-pre-emption",
           "may-trigger-pre-emption");
ENUMERATED(pre_emption_vulnerability, "Pre-emptionVulnerability", 2, "not-pre-emptable",
           "pre-emptable");
ENUMERATED_EXT(cs_fallback_indicator, "CSFallbackIndicator", 1, "cs-fallback-required",
               "cs-fallback-high-priority");
ENUMERATED_EXT(restriction, "AdditionalCSFallbackIndicator", 2, "no-restriction", "restriction");
ENUMERATED_EXT(ce_mode_b_restricted, "CE-ModeBRestricted", 2, "restricted", "not-restricted");
ENUMERATED(csg_membership_status, "CSGMembershipStatus", 2, "member", "not-member");
ENUMERATED_EXT(gummei_type, "GUMMEIType", 2, "native", "mapped", "mappedFrom5G");
ENUMERATED_EXT(forbidden_inter_rats, "ForbiddenInterRATs", 4, "all", "geran", "utran", "cdma2000",
               "geranandutran", "cdma2000andutran");
ENUMERATED_EXT(cn_type, "CNType", 1, "fiveGCForbidden", "epc-Forbidden");
ENUMERATED_EXT(trace_depth, "TraceDepth", 6, "minimum", "medium", "maximum",
               "minimumWithoutVendorSpecificExtension", "mediumWithoutVendorSpecificExtension",
               "maximumWithoutVendorSpecificExtension");
ENUMERATED_EXT(event_type, "EventType", 3, "direct", "change-of-serve-cell",
               "stop-change-of-serve-cell");
ENUMERATED_EXT(srvcc_ho_indication, "SRVCCHOIndication", 2, "pSandCS", "cSonly");
ENUMERATED_EXT(authorized, "ProSeDirectDiscovery", 2, "authorized", "not-authorized");
ENUMERATED_EXT(aerial_ue_subscription_information, "AerialUEsubscriptionInformation", 2, "allowed",
               "not-allowed");
ENUMERATED_EXT(voice_support_match_indicator, "VoiceSupportMatchIndicator", 2, "supported",
               "not-supported");
ENUMERATED_EXT(end_indication, "EndIndication", 2, "no-further-data", "further-data-exists");
ENUMERATED_EXT(privacy_indicator, "PrivacyIndicator", 2, "immediate-MDT", "logged-MDT");
ENUMERATED_EXT(cdma2000_rat_type, "Cdma2000RATType", 2, "hRPD", "onexRTT");
ENUMERATED_EXT(cdma2000_ho_status, "Cdma2000HOStatus", 2, "hOSuccess", "hOFailure");
ENUMERATED_EXT(secondary_rat_type, "SecondaryRATType", 1, "nR", "unlicensed");
ENUMERATED_EXT(next_paging_area_scope, "NextPagingAreaScope", 2, "same", "changed");
ENUMERATED_EXT(cell_size, "Cell-Size", 4, "verysmall", "small", "medium", "large");
ENUMERATED_EXT(son_information_request, "SONInformationRequest", 1, "x2TNL-Configuration-Info",
               "time-Synchronisation-Info", "activate-Muting", "deactivate-Muting");
ENUMERATED_EXT(source_of_ue_activity_behaviour, "SourceOfUEActivityBehaviourInformation", 2,
               "subscription-information", "statistics");
ENUMERATED_EXT(expected_ho_interval, "ExpectedHOInterval", 7, "sec15", "sec30", "sec60", "sec90",
               "sec120", "sec180", "long-time");
ENUMERATED_EXT(periodic_communication_indicator, "PeriodicCommunicationIndicator", 2,
               "periodically", "ondemand");
ENUMERATED_EXT(stationary_indication, "StationaryIndication", 2, "stationary", "mobile");
ENUMERATED_EXT(traffic_profile, "TrafficProfile", 3, "single-packet", "dual-packets",
               "multiple-packets");
ENUMERATED_EXT(battery_indication, "BatteryIndication", 3, "battery-powered",
               "battery-powered-not-rechargeable-or-replaceable", "not-battery-powered");
ENUMERATED_EXT(paging_edrx_cycle, "Paging-eDRX-Cycle", 14, "hfhalf", "hf1", "hf2", "hf4", "hf6",
               "hf8", "hf10", "hf12", "hf14", "hf16", "hf32", "hf64", "hf128", "hf256");
ENUMERATED_EXT(nb_iot_paging_edrx_cycle, "NB-IoT-Paging-eDRX-Cycle", 14, "hf2", "hf4", "hf6", "hf8",
               "hf10", "hf12", "hf14", "hf16", "hf32", "hf64", "hf128", "hf256", "hf512", "hf1024");
ENUMERATED_EXT(paging_time_window, "PagingTimeWindow", 16, "s1", "s2", "s3", "s4", "s5", "s6", "s7",
               "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15", "s16");
