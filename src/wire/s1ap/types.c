/*
 * types.c -- S1AP's types as tables (TS 36.413 clause 9.3.4, release 16): numbers, enumerations,
 * identities and what most messages are made of. types_handover.c and types_warning.c hold the
 * rest; ies.h the C structs; aper_type.h explains the tables.
 */
#include "wire/s1ap/types.h"

const struct aper_container s1ap_no_extensions = {NULL, 0};

/* ---- numbers ---- */

INTEGER(mme_ue_s1ap_id, "MME-UE-S1AP-ID", uint32_t, 0, 4294967295);
INTEGER(enb_ue_s1ap_id, "ENB-UE-S1AP-ID", uint32_t, 0, 16777215);
static INTEGER(procedure_code, "ProcedureCode", uint8_t, 0, 255);
static INTEGER(protocol_ie_id, "ProtocolIE-ID", uint16_t, 0, 65535);
INTEGER(bit_rate, "BitRate", uint64_t, 0, 10000000000);
INTEGER_EXT(extended_bit_rate, "ExtendedBitRate", uint64_t, 10000000001, 4000000000000);
INTEGER_EXT(e_rab_id, "E-RAB-ID", uint8_t, 0, 15);
INTEGER(qci, "QCI", uint8_t, 0, 255);
INTEGER(priority_level, "PriorityLevel", uint8_t, 0, 15);
INTEGER(packet_loss_rate, "Packet-LossRate", uint16_t, 0, 1000);
static INTEGER(next_hop_chaining_count, "NextHopChainingCount", uint8_t, 0, 7);
INTEGER(relative_mme_capacity, "RelativeMMECapacity", uint8_t, 0, 255);
INTEGER(subscriber_profile_id_for_rfp, "SubscriberProfileIDforRFP", uint16_t, 1, 256);
INTEGER(dcn_id, "DCN-ID", uint16_t, 0, 65535);
INTEGER(ue_usage_type, "UE-Usage-Type", uint8_t, 0, 255);
INTEGER(routing_id, "Routing-ID", uint8_t, 0, 255);
INTEGER(traffic_load_reduction_indication, "TrafficLoadReductionIndication", uint8_t, 1, 99);
INTEGER(eutran_round_trip_delay_estimation_info, "EUTRANRoundTripDelayEstimationInfo", uint16_t, 0,
        2047);
INTEGER(usage_count, "UsageCount", uint64_t, 0, UINT64_MAX);
/* (1..30|40|50|60|80|100|120|150|180|181, ...): PER sees the outer bounds only. */
INTEGER_EXT(expected_period, "ExpectedActivityPeriod", uint8_t, 1, 181);
INTEGER_EXT(periodic_time, "PeriodicTime", uint16_t, 1, 3600);
INTEGER_EXT(time_of_day, "TimeOfDay", uint32_t, 0, 86399);
INTEGER_EXT(paging_attempt_count, "PagingAttemptCount", uint8_t, 1, 16);

/* ---- bit strings and octet strings that are numbers ---- */

static BITS(cell_identity, "CellIdentity", uint32_t, 28);
BITS(csg_id, "CSG-Id", uint32_t, 27);
BITS(ue_identity_index_value, "UEIdentityIndexValue", uint16_t, 10);
BITS(extended_ue_identity_index_value, "Extended-UEIdentityIndexValue", uint16_t, 14);
BITS(nb_iot_ue_identity_index_value, "NB-IoT-UEIdentityIndexValue", uint16_t, 12);
static BITS(nr_cell_identity, "NRCellIdentity", uint64_t, 36);
BITS(masked_imeisv, "Masked-IMEISV", uint64_t, 64);
BITS(interfaces_to_trace, "InterfacesToTrace", uint8_t, 8);
BITS(ue_application_layer_measurement_capability, "UE-Application-Layer-Measurement-Capability",
     uint8_t, 8);
BITS(additional_rrm_priority_index, "AdditionalRRMPriorityIndex", uint32_t, 32);
static BITS(nas_mac, "DL-NAS-MAC", uint16_t, 16);
static BITS(ul_nas_count, "UL-NAS-Count", uint8_t, 5);
BITS(day_of_week, "DayOfWeek", uint8_t, 7);
static BITS_EXT(security_algorithms, "EncryptionAlgorithms", uint16_t, 16);

OCTETS_NUMBER(tac, "TAC", uint16_t, 2);
OCTETS_NUMBER(lac, "LAC", uint16_t, 2);
static OCTETS_NUMBER(ci, "CI", uint16_t, 2);
OCTETS_NUMBER(rac, "RAC", uint8_t, 1);
OCTETS_NUMBER(mme_group_id, "MME-Group-ID", uint16_t, 2);
static OCTETS_NUMBER(mme_code, "MME-Code", uint8_t, 1);
static OCTETS_NUMBER(m_tmsi, "M-TMSI", uint32_t, 4);
OCTETS_NUMBER(gtp_teid, "GTP-TEID", uint32_t, 4);
OCTETS_NUMBER(correlation_id, "Correlation-ID", uint32_t, 4);
OCTETS_NUMBER(port_number, "Port-Number", uint16_t, 2);
OCTETS_NUMBER(timestamp, "Timestamp", uint32_t, 4);
static OCTETS_NUMBER(five_gs_tac, "FiveGSTAC", uint32_t, 3);

/* ---- other strings ---- */

const struct aper_type s1ap_type_e_utran_trace_id = {
    .ops = &aper_octets_fixed, .name = "E-UTRAN-Trace-ID", .size = 8, .lower = 8, .upper = 8};
const struct aper_type s1ap_type_security_key = {.ops = &aper_bits_fixed,
                                                 .name = "SecurityKey",
                                                 .size = sizeof(struct s1ap_security_key),
                                                 .secret = true,
                                                 .lower = 256,
                                                 .upper = 256};
const struct aper_type s1ap_type_octets = {.ops = &aper_octet_string,
                                           .name = "OCTET STRING",
                                           .size = sizeof(struct bytes),
                                           .upper = APER_UNBOUNDED};
const struct aper_type s1ap_type_lhn_id = {.ops = &aper_octet_string,
                                           .name = "LHN-ID",
                                           .size = sizeof(struct bytes),
                                           .lower = 32,
                                           .upper = 256};
const struct aper_type s1ap_type_name = {.ops = &aper_printable,
                                         .name = "ENBname",
                                         .size = sizeof(struct bytes),
                                         .extensible = true,
                                         .lower = 1,
                                         .upper = 150};
const struct aper_type s1ap_type_opaque = {
    .ops = &aper_opaque, .name = "ANY", .size = sizeof(struct bytes)};
const struct aper_type s1ap_type_plmn = {.ops = &s1ap_plmn_ops,
                                         .name = "PLMNidentity",
                                         .size = sizeof(struct plmn),
                                         .lower = 3,
                                         .upper = 3};
static const struct aper_type s1ap_type_imsi = {
    .ops = &s1ap_imsi_ops, .name = "IMSI", .size = IMSI_SIZE, .lower = 3, .upper = 8};
const struct aper_type s1ap_type_transport_layer_address = {.ops = &s1ap_address_ops,
                                                            .name = "TransportLayerAddress",
                                                            .size = sizeof(struct bytes),
                                                            .extensible = true,
                                                            .lower = 1,
                                                            .upper = 160};
static const struct aper_type s1ap_type_en_gnb_id = {.ops = &s1ap_gnb_id_ops,
                                                     .name = "En-gNB-ID",
                                                     .size = sizeof(struct s1ap_gnb_id),
                                                     .extensible = true,
                                                     .lower = 22,
                                                     .upper = 32};
const struct aper_type s1ap_type_gnb_id = {.ops = &s1ap_gnb_id_ops,
                                           .name = "GNB-ID",
                                           .size = sizeof(struct s1ap_gnb_id),
                                           .lower = 22,
                                           .upper = 32};

/* ---- identities ---- */

static const struct aper_field tai_fields[] = {
    F(tai, plmn, plmn),
    F(tai, tac, tac),
};
SEQUENCE(tai, "TAI", struct tai, tai_fields, s1ap_no_extensions);

static const struct aper_field ecgi_fields[] = {
    F(ecgi, plmn, plmn),
    F(ecgi, cell_id, cell_identity),
};
SEQUENCE(ecgi, "EUTRAN-CGI", struct ecgi, ecgi_fields, s1ap_no_extensions);

static const struct aper_field gummei_fields[] = {
    F(gummei, plmn, plmn),
    F(gummei, mme_group_id, mme_group_id),
    F(gummei, mme_code, mme_code),
};
SEQUENCE(gummei, "GUMMEI", struct gummei, gummei_fields, s1ap_no_extensions);

static const struct aper_field additional_guti_fields[] = {
    F(s1ap_additional_guti, gummei, gummei),
    F(s1ap_additional_guti, m_tmsi, m_tmsi),
};
SEQUENCE(additional_guti, "Additional-GUTI", struct s1ap_additional_guti, additional_guti_fields,
         s1ap_no_extensions);

static const struct aper_field s_tmsi_fields[] = {
    F(s1ap_s_tmsi, mme_code, mme_code),
    F(s1ap_s_tmsi, m_tmsi, m_tmsi),
};
SEQUENCE(s_tmsi, "S-TMSI", struct s1ap_s_tmsi, s_tmsi_fields, s1ap_no_extensions);

static const struct aper_field lai_fields[] = {
    F(s1ap_lai, plmn, plmn),
    F(s1ap_lai, lac, lac),
};
SEQUENCE(lai, "LAI", struct s1ap_lai, lai_fields, s1ap_no_extensions);

static const struct aper_field cgi_fields[] = {
    F(s1ap_cgi, plmn, plmn),
    F(s1ap_cgi, lac, lac),
    F(s1ap_cgi, ci, ci),
    F_OPT(s1ap_cgi, rac, rac),
};
SEQUENCE(cgi, "CGI", struct s1ap_cgi, cgi_fields, s1ap_no_extensions);

static BITS(macro_enb_id, "MacroENB-ID", uint32_t, 20);
static BITS(home_enb_id, "HomeENB-ID", uint32_t, 28);
static BITS(short_macro_enb_id, "Short-macroENB-ID", uint32_t, 18);
static BITS(long_macro_enb_id, "Long-macroENB-ID", uint32_t, 21);

static const struct aper_field enb_id_alternatives[] = {
    ALTERNATIVE(s1ap_enb_id, "macro", id, macro_enb_id),
    ALTERNATIVE(s1ap_enb_id, "home", id, home_enb_id),
    ALTERNATIVE(s1ap_enb_id, "short_macro", id, short_macro_enb_id),
    ALTERNATIVE(s1ap_enb_id, "long_macro", id, long_macro_enb_id),
};
static CHOICE_EXT(enb_id, "ENB-ID", struct s1ap_enb_id, enb_id_alternatives, 2);

static const struct aper_field global_enb_id_fields[] = {
    F(s1ap_global_enb_id, plmn, plmn),
    F(s1ap_global_enb_id, enb_id, enb_id),
};
SEQUENCE(global_enb_id, "Global-ENB-ID", struct s1ap_global_enb_id, global_enb_id_fields,
         s1ap_no_extensions);

static const struct aper_field nr_cgi_fields[] = {
    F(s1ap_nr_cgi, plmn, plmn),
    F(s1ap_nr_cgi, nr_cell_identity, nr_cell_identity),
};
static SEQUENCE(nr_cgi, "NR-CGI", struct s1ap_nr_cgi, nr_cgi_fields, s1ap_no_extensions);

static const struct aper_field ps_cell_information_fields[] = {
    ONLY("ncgi", struct s1ap_nr_cgi, nr_cgi),
};
SEQUENCE(ps_cell_information, "PSCellInformation", struct s1ap_nr_cgi, ps_cell_information_fields,
         s1ap_no_extensions);

static const struct aper_field five_gs_tai_fields[] = {
    F(s1ap_5gs_tai, plmn, plmn),
    F(s1ap_5gs_tai, tac, five_gs_tac),
};
SEQUENCE(five_gs_tai, "FiveGSTAI", struct s1ap_5gs_tai, five_gs_tai_fields, s1ap_no_extensions);

static const struct aper_field user_location_information_fields[] = {
    F(s1ap_user_location_information, eutran_cgi, ecgi),
    F(s1ap_user_location_information, tai, tai),
};
static const struct aper_row user_location_information_rows[] = {
    O(s1ap_user_location_information, ps_cell_information, PS_CELL_INFORMATION, IGNORE,
      ps_cell_information),
};
EXTENSIONS(user_location_information);
SEQUENCE(user_location_information, "UserLocationInformation",
         struct s1ap_user_location_information, user_location_information_fields,
         user_location_information_extensions);

static const struct aper_field connection_fields[] = {
    F_OPT(s1ap_ue_associated_logical_s1_connection, mme_ue_s1ap_id, mme_ue_s1ap_id),
    F_OPT(s1ap_ue_associated_logical_s1_connection, enb_ue_s1ap_id, enb_ue_s1ap_id),
};
static SEQUENCE(connection, "UE-associatedLogicalS1-ConnectionItem",
                struct s1ap_ue_associated_logical_s1_connection, connection_fields,
                s1ap_no_extensions);
ITEM(connection_item_reset, UE_ASSOCIATED_LOGICAL_S1_CONNECTION_ITEM, REJECT, connection);
ITEM(connection_item_acknowledged, UE_ASSOCIATED_LOGICAL_S1_CONNECTION_ITEM, IGNORE, connection);
static ITEM_LIST(connections_to_reset, "UE-associatedLogicalS1-ConnectionListRes",
                 connection_item_reset, 1, 256);
ITEM_LIST(connections_acknowledged, "UE-associatedLogicalS1-ConnectionListResAck",
          connection_item_acknowledged, 1, 256);

static const struct aper_field reset_type_alternatives[] = {
    ALTERNATIVE(s1ap_reset_type, "s1_interface", reset_all, flag),
    ALTERNATIVE_LIST(s1ap_reset_type, "part", part, connections_to_reset),
};
CHOICE_EXT(reset_type, "ResetType", struct s1ap_reset_type, reset_type_alternatives, 2);

static const struct aper_field ue_s1ap_id_pair_fields[] = {
    F(s1ap_ue_s1ap_ids, mme_ue_s1ap_id, mme_ue_s1ap_id),
    F(s1ap_ue_s1ap_ids, enb_ue_s1ap_id, enb_ue_s1ap_id),
};
static SEQUENCE(ue_s1ap_id_pair, "UE-S1AP-ID-pair", struct s1ap_ue_s1ap_ids, ue_s1ap_id_pair_fields,
                s1ap_no_extensions);
static const struct aper_field ue_s1ap_ids_alternatives[] = {
    ONLY("pair", struct s1ap_ue_s1ap_ids, ue_s1ap_id_pair),
    ALTERNATIVE(s1ap_ue_s1ap_ids, "mme_ue_s1ap_id", mme_ue_s1ap_id, mme_ue_s1ap_id),
};
CHOICE_EXT(ue_s1ap_ids, "UE-S1AP-IDs", struct s1ap_ue_s1ap_ids, ue_s1ap_ids_alternatives, 2);

static const struct aper_field ue_paging_id_alternatives[] = {
    ALTERNATIVE(s1ap_ue_paging_id, "s_tmsi", s_tmsi, s_tmsi),
    ALTERNATIVE(s1ap_ue_paging_id, "imsi", imsi, imsi),
};
CHOICE_EXT(ue_paging_id, "UEPagingID", struct s1ap_ue_paging_id, ue_paging_id_alternatives, 2);

static const struct aper_field tai_item_fields[] = {
    ONLY("tai", struct tai, tai),
};
static SEQUENCE(tai_item_value, "TAIItem", struct tai, tai_item_fields, s1ap_no_extensions);
ITEM(tai_item, TAI_ITEM, IGNORE, tai_item_value);
ITEM_LIST(tai_list, "TAIList", tai_item, 1, 256);

static const struct aper_field csg_id_item_fields[] = {
    ONLY("csg_id", uint32_t, csg_id),
};
static SEQUENCE(csg_id_item, "CSG-IdList-Item", uint32_t, csg_id_item_fields, s1ap_no_extensions);
LIST(csg_id_list, "CSG-IdList", csg_id_item, 1, 256);

static const struct aper_field csg_membership_info_fields[] = {
    F(s1ap_csg_membership_info, csg_membership_status, csg_membership_status),
    F(s1ap_csg_membership_info, csg_id, csg_id),
    F_OPT(s1ap_csg_membership_info, cell_access_mode, flag),
    F_OPT(s1ap_csg_membership_info, plmn, plmn),
};
SEQUENCE(csg_membership_info, "CSGMembershipInfo", struct s1ap_csg_membership_info,
         csg_membership_info_fields, s1ap_no_extensions);

/* ---- S1 setup ---- */

static LIST(broadcast_plmns, "BPLMNs", plmn, 1, 6);
static LIST(served_plmns, "ServedPLMNs", plmn, 1, 32);
static LIST(served_group_ids, "ServedGroupIDs", mme_group_id, 1, 65535);
static LIST(served_mmecs, "ServedMMECs", mme_code, 1, 256);

static const struct aper_field supported_ta_fields[] = {
    F(s1ap_supported_ta, tac, tac),
    F_LIST(s1ap_supported_ta, broadcast_plmns, broadcast_plmns),
};
static const struct aper_row supported_ta_rows[] = {
    O(s1ap_supported_ta, nb_iot, RAT_TYPE, REJECT, flag),
};
EXTENSIONS(supported_ta);
static SEQUENCE(supported_ta, "SupportedTAs-Item", struct s1ap_supported_ta, supported_ta_fields,
                supported_ta_extensions);
LIST(supported_tas, "SupportedTAs", supported_ta, 1, 256);

static const struct aper_field served_gummei_fields[] = {
    F_LIST(s1ap_served_gummei, served_plmns, served_plmns),
    F_LIST(s1ap_served_gummei, served_group_ids, served_group_ids),
    F_LIST(s1ap_served_gummei, served_mmecs, served_mmecs),
};
static const struct aper_row served_gummei_rows[] = {
    O(s1ap_served_gummei, gummei_type, GUMMEI_TYPE, IGNORE, gummei_type),
};
EXTENSIONS(served_gummei);
static SEQUENCE(served_gummei, "ServedGUMMEIsItem", struct s1ap_served_gummei, served_gummei_fields,
                served_gummei_extensions);
LIST(served_gummeis, "ServedGUMMEIs", served_gummei, 1, 8);
LIST(gummei_list, "GUMMEIList", gummei, 1, 256);

static const struct aper_field served_dcn_fields[] = {
    F(s1ap_served_dcn, dcn_id, dcn_id),
    F(s1ap_served_dcn, relative_dcn_capacity, relative_mme_capacity),
};
static SEQUENCE(served_dcn, "ServedDCNsItem", struct s1ap_served_dcn, served_dcn_fields,
                s1ap_no_extensions);
LIST(served_dcns, "ServedDCNs", served_dcn, 0, 32);

static const struct aper_field connected_en_gnb_fields[] = {
    F(s1ap_connected_en_gnb, en_gnb_id, en_gnb_id),
    F_LIST(s1ap_connected_en_gnb, supported_tas, supported_tas),
};
static SEQUENCE(connected_en_gnb, "ConnectedengNBItem", struct s1ap_connected_en_gnb,
                connected_en_gnb_fields, s1ap_no_extensions);
LIST(connected_en_gnb_list, "ConnectedengNBList", connected_en_gnb, 1, 256);

static const struct aper_field overload_response_alternatives[] = {
    ALTERNATIVE(s1ap_overload_response, "overload_action", overload_action, overload_action),
};
CHOICE_EXT(overload_response, "OverloadResponse", struct s1ap_overload_response,
           overload_response_alternatives, 1);

/* ---- errors ---- */

static const struct aper_field cause_alternatives[] = {
    ALTERNATIVE(s1ap_cause, "radio_network", value, cause_radio_network),
    ALTERNATIVE(s1ap_cause, "transport", value, cause_transport),
    ALTERNATIVE(s1ap_cause, "nas", value, cause_nas),
    ALTERNATIVE(s1ap_cause, "protocol", value, cause_protocol),
    ALTERNATIVE(s1ap_cause, "misc", value, cause_misc),
};
CHOICE_EXT(cause, "Cause", struct s1ap_cause, cause_alternatives, 5);

static const struct aper_field diagnostics_ie_fields[] = {
    F(s1ap_criticality_diagnostics_ie, ie_criticality, criticality),
    F(s1ap_criticality_diagnostics_ie, ie_id, protocol_ie_id),
    F(s1ap_criticality_diagnostics_ie, type_of_error, type_of_error),
};
static SEQUENCE(diagnostics_ie, "CriticalityDiagnostics-IE-Item",
                struct s1ap_criticality_diagnostics_ie, diagnostics_ie_fields, s1ap_no_extensions);
static LIST(diagnostics_ie_list, "CriticalityDiagnostics-IE-List", diagnostics_ie, 1, 256);

static const struct aper_field criticality_diagnostics_fields[] = {
    F_OPT(s1ap_criticality_diagnostics, procedure_code, procedure_code),
    F_OPT(s1ap_criticality_diagnostics, triggering_message, triggering_message),
    F_OPT(s1ap_criticality_diagnostics, procedure_criticality, criticality),
    F_OPT_LIST(s1ap_criticality_diagnostics, ies, diagnostics_ie_list),
};
SEQUENCE(criticality_diagnostics, "CriticalityDiagnostics", struct s1ap_criticality_diagnostics,
         criticality_diagnostics_fields, s1ap_no_extensions);

/* ---- security ---- */

static const struct aper_field ue_security_capabilities_fields[] = {
    F(s1ap_ue_security_capabilities, encryption_algorithms, security_algorithms),
    F(s1ap_ue_security_capabilities, integrity_protection_algorithms, security_algorithms),
};
/* NRUESecurityCapabilities looks the same. */
SEQUENCE(ue_security_capabilities, "UESecurityCapabilities", struct s1ap_ue_security_capabilities,
         ue_security_capabilities_fields, s1ap_no_extensions);

static const struct aper_field security_context_fields[] = {
    F(s1ap_security_context, next_hop_chaining_count, next_hop_chaining_count),
    F(s1ap_security_context, next_hop_parameter, security_key),
};
SEQUENCE(security_context, "SecurityContext", struct s1ap_security_context, security_context_fields,
         s1ap_no_extensions);

static const struct aper_field dl_cp_security_information_fields[] = {
    F(s1ap_dl_cp_security_information, dl_nas_mac, nas_mac),
};
SEQUENCE(dl_cp_security_information, "DL-CP-SecurityInformation",
         struct s1ap_dl_cp_security_information, dl_cp_security_information_fields,
         s1ap_no_extensions);

static const struct aper_field ul_cp_security_information_fields[] = {
    F(s1ap_ul_cp_security_information, ul_nas_mac, nas_mac),
    F(s1ap_ul_cp_security_information, ul_nas_count, ul_nas_count),
};
SEQUENCE(ul_cp_security_information, "UL-CP-SecurityInformation",
         struct s1ap_ul_cp_security_information, ul_cp_security_information_fields,
         s1ap_no_extensions);
