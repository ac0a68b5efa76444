/*
 * types_handover.c -- S1AP's types of handover and of what eNodeBs tell each other through the MME
 * (TS 36.413 clause 9.3.4, release 16). See types.c.
 */
#include "wire/s1ap/types.h"

/* ---- where to (clause 9.2.1.6) ---- */

static const struct aper_field target_enb_id_fields[] = {
    F(s1ap_target_enb_id, global_enb_id, global_enb_id),
    F(s1ap_target_enb_id, selected_tai, tai),
};
static SEQUENCE(target_enb_id, "TargeteNB-ID", struct s1ap_target_enb_id, target_enb_id_fields,
                s1ap_no_extensions);

/* The only SEQUENCE of S1AP with iE-Extensions and without "...". */
static const struct aper_type s1ap_type_source_enb_id = {.ops = &aper_sequence,
                                                         .name = "SourceeNB-ID",
                                                         .size = sizeof(struct s1ap_target_enb_id),
                                                         .count = APER_COUNT(target_enb_id_fields),
                                                         .fields = target_enb_id_fields,
                                                         .extensions = &s1ap_no_extensions};

static INTEGER(rnc_id, "RNC-ID", uint16_t, 0, 4095);
static INTEGER(extended_rnc_id, "ExtendedRNC-ID", uint16_t, 4096, 65535);
static const struct aper_field target_rnc_id_fields[] = {
    F(s1ap_target_rnc_id, lai, lai),
    F_OPT(s1ap_target_rnc_id, rac, rac),
    F(s1ap_target_rnc_id, rnc_id, rnc_id),
    F_OPT(s1ap_target_rnc_id, extended_rnc_id, extended_rnc_id),
};
static SEQUENCE(target_rnc_id, "TargetRNC-ID", struct s1ap_target_rnc_id, target_rnc_id_fields,
                s1ap_no_extensions);

static const struct aper_field gnb_identity_alternatives[] = {
    ALTERNATIVE(s1ap_gnb_id_choice, "gnb_id", gnb_id, gnb_id),
};
static CHOICE_EXT(gnb_identity, "GNB-Identity", struct s1ap_gnb_id_choice,
                  gnb_identity_alternatives, 1);
static const struct aper_field global_gnb_id_fields[] = {
    F(s1ap_global_gnb_id, plmn, plmn),
    F(s1ap_global_gnb_id, gnb_id, gnb_identity),
};
static SEQUENCE(global_gnb_id, "Global-GNB-ID", struct s1ap_global_gnb_id, global_gnb_id_fields,
                s1ap_no_extensions);
/* GNB and NG-eNB wrap the id in one more SEQUENCE each. */
static const struct aper_field gnb_fields[] = {
    ONLY("global_gnb_id", struct s1ap_global_gnb_id, global_gnb_id),
};
static SEQUENCE(gnb, "GNB", struct s1ap_global_gnb_id, gnb_fields, s1ap_no_extensions);
static const struct aper_field ng_enb_fields[] = {
    ONLY("global_ng_enb_id", struct s1ap_global_enb_id, global_enb_id),
};
static SEQUENCE(ng_enb, "NG-eNB", struct s1ap_global_enb_id, ng_enb_fields, s1ap_no_extensions);
static const struct aper_field global_ran_node_id_alternatives[] = {
    ALTERNATIVE(s1ap_global_ran_node_id, "gnb", gnb, gnb),
    ALTERNATIVE(s1ap_global_ran_node_id, "ng_enb", ng_enb, ng_enb),
};
static CHOICE_EXT(global_ran_node_id, "Global-RAN-NODE-ID", struct s1ap_global_ran_node_id,
                  global_ran_node_id_alternatives, 2);
static const struct aper_field target_ng_ran_node_id_fields[] = {
    F(s1ap_target_ng_ran_node_id, global_ran_node_id, global_ran_node_id),
    F(s1ap_target_ng_ran_node_id, selected_tai, five_gs_tai),
};
static SEQUENCE(target_ng_ran_node_id, "TargetNgRanNode-ID", struct s1ap_target_ng_ran_node_id,
                target_ng_ran_node_id_fields, s1ap_no_extensions);

static const struct aper_field target_id_alternatives[] = {
    ALTERNATIVE(s1ap_target_id, "enb", enb, target_enb_id),
    ALTERNATIVE(s1ap_target_id, "rnc", rnc, target_rnc_id),
    ALTERNATIVE(s1ap_target_id, "cgi", cgi, cgi),
    ALTERNATIVE(s1ap_target_id, "ng_ran_node", ng_ran_node, target_ng_ran_node_id),
};
CHOICE_EXT(target_id, "TargetID", struct s1ap_target_id, target_id_alternatives, 3);

/* ---- status transfer (clause 9.2.1.31) ---- */

static INTEGER(pdcp_sn, "PDCP-SN", uint16_t, 0, 4095);
static INTEGER(hfn, "HFN", uint32_t, 0, 1048575);
static INTEGER(pdcp_sn_extended, "PDCP-SNExtended", uint16_t, 0, 32767);
static INTEGER(hfn_modified, "HFNModified", uint32_t, 0, 131071);
static INTEGER(pdcp_sn_length_18, "PDCP-SNlength18", uint32_t, 0, 262143);
static INTEGER(hfn_sn_length_18, "HFNforPDCP-SNlength18", uint16_t, 0, 16383);

static const struct aper_field count_value_fields[] = {
    F(s1ap_count_value, pdcp_sn, pdcp_sn),
    F(s1ap_count_value, hfn, hfn),
};
static SEQUENCE(count_value, "COUNTvalue", struct s1ap_count_value, count_value_fields,
                s1ap_no_extensions);
static const struct aper_field count_value_extended_fields[] = {
    F(s1ap_count_value, pdcp_sn, pdcp_sn_extended),
    F(s1ap_count_value, hfn, hfn_modified),
};
static SEQUENCE(count_value_extended, "COUNTValueExtended", struct s1ap_count_value,
                count_value_extended_fields, s1ap_no_extensions);
static const struct aper_field count_value_18_fields[] = {
    F(s1ap_count_value_18, pdcp_sn, pdcp_sn_length_18),
    F(s1ap_count_value_18, hfn, hfn_sn_length_18),
};
static SEQUENCE(count_value_18, "COUNTvaluePDCP-SNlength18", struct s1ap_count_value_18,
                count_value_18_fields, s1ap_no_extensions);

static BIT_STRING(receive_status, "ReceiveStatusofULPDCPSDUs", 4096, 4096);
static BIT_STRING(receive_status_extended, "ReceiveStatusOfULPDCPSDUsExtended", 1, 16384);
static BIT_STRING(receive_status_sn_length_18, "ReceiveStatusOfULPDCPSDUsPDCP-SNlength18", 1,
                  131072);

static const struct aper_field status_fields[] = {
    F(s1ap_bearer_subject_to_status_transfer, e_rab_id, e_rab_id),
    F(s1ap_bearer_subject_to_status_transfer, ul_count, count_value),
    F(s1ap_bearer_subject_to_status_transfer, dl_count, count_value),
    F_OPT(s1ap_bearer_subject_to_status_transfer, receive_status_of_ul_pdcp_sdus, receive_status),
};
static const struct aper_row status_rows[] = {
    O(s1ap_bearer_subject_to_status_transfer, ul_count_extended, UL_COUNT_VALUE_EXTENDED, IGNORE,
      count_value_extended),
    O(s1ap_bearer_subject_to_status_transfer, dl_count_extended, DL_COUNT_VALUE_EXTENDED, IGNORE,
      count_value_extended),
    O(s1ap_bearer_subject_to_status_transfer, receive_status_of_ul_pdcp_sdus_extended,
      RECEIVE_STATUS_OF_UL_PDCP_SDUS_EXTENDED, IGNORE, receive_status_extended),
    O(s1ap_bearer_subject_to_status_transfer, ul_count_sn_length_18,
      UL_COUNT_VALUE_PDCP_SN_LENGTH_18, IGNORE, count_value_18),
    O(s1ap_bearer_subject_to_status_transfer, dl_count_sn_length_18,
      DL_COUNT_VALUE_PDCP_SN_LENGTH_18, IGNORE, count_value_18),
    O(s1ap_bearer_subject_to_status_transfer, receive_status_of_ul_pdcp_sdus_sn_length_18,
      RECEIVE_STATUS_OF_UL_PDCP_SDUS_PDCP_SN_LENGTH_18, IGNORE, receive_status_sn_length_18),
};
EXTENSIONS(status);
static SEQUENCE(status, "Bearers-SubjectToStatusTransfer-Item",
                struct s1ap_bearer_subject_to_status_transfer, status_fields, status_extensions);
ITEM(status_item, BEARERS_SUBJECT_TO_STATUS_TRANSFER_ITEM, IGNORE, status);
static ITEM_LIST(status_list, "Bearers-SubjectToStatusTransferList", status_item, 1, 256);
static const struct aper_field enb_status_transfer_container_fields[] = {
    F_LIST(s1ap_enb_status_transfer_container, bearers, status_list),
};
SEQUENCE(enb_status_transfer_container, "ENB-StatusTransfer-TransparentContainer",
         struct s1ap_enb_status_transfer_container, enb_status_transfer_container_fields,
         s1ap_no_extensions);

/* ---- transparent containers between eNodeBs (clauses 9.2.1.7, 9.2.1.8) ---- */

static const struct aper_field e_rab_information_fields[] = {
    F(s1ap_e_rab_information, e_rab_id, e_rab_id),
    F_OPT(s1ap_e_rab_information, dl_forwarding, flag),
};
static SEQUENCE(e_rab_information, "E-RABInformationListItem", struct s1ap_e_rab_information,
                e_rab_information_fields, s1ap_no_extensions);
ITEM(e_rab_information_item, E_RAB_INFORMATION_LIST_ITEM, IGNORE, e_rab_information);
static ITEM_LIST(e_rab_information_list, "E-RABInformationList", e_rab_information_item, 1, 256);

static const struct aper_field cell_type_fields[] = {
    ONLY("cell_size", enum s1ap_cell_size, cell_size),
};
static SEQUENCE(cell_type, "CellType", enum s1ap_cell_size, cell_type_fields, s1ap_no_extensions);
static INTEGER(time_ue_stayed_in_cell, "Time-UE-StayedInCell", uint16_t, 0, 4095);
static INTEGER(time_ue_stayed_in_cell_enhanced_granularity,
               "Time-UE-StayedInCell-EnhancedGranularity", uint16_t, 0, 40950);
static const struct aper_field last_visited_e_utran_cell_fields[] = {
    F(s1ap_last_visited_e_utran_cell, global_cell_id, ecgi),
    F(s1ap_last_visited_e_utran_cell, cell_size, cell_type),
    F(s1ap_last_visited_e_utran_cell, time_ue_stayed_in_cell, time_ue_stayed_in_cell),
};
static const struct aper_row last_visited_e_utran_cell_rows[] = {
    O(s1ap_last_visited_e_utran_cell, time_ue_stayed_in_cell_enhanced_granularity,
      TIME_UE_STAYED_IN_CELL_ENHANCED_GRANULARITY, IGNORE,
      time_ue_stayed_in_cell_enhanced_granularity),
    O(s1ap_last_visited_e_utran_cell, ho_cause, HO_CAUSE, IGNORE, cause),
};
EXTENSIONS(last_visited_e_utran_cell);
static SEQUENCE(last_visited_e_utran_cell, "LastVisitedEUTRANCellInformation",
                struct s1ap_last_visited_e_utran_cell, last_visited_e_utran_cell_fields,
                last_visited_e_utran_cell_extensions);

static const struct aper_type s1ap_type_undefined = {.ops = &aper_null, .name = "NULL"};
static const struct aper_field geran_cell_alternatives[] = {
    {.name = "undefined", .type = &s1ap_type_undefined},
};
static CHOICE_EXT(geran_cell, "LastVisitedGERANCellInformation", struct s1ap_geran_cell,
                  geran_cell_alternatives, 1);

static const struct aper_field last_visited_cell_alternatives[] = {
    ALTERNATIVE(s1ap_last_visited_cell, "e_utran", e_utran, last_visited_e_utran_cell),
    ALTERNATIVE(s1ap_last_visited_cell, "utran", other, octets),
    ALTERNATIVE(s1ap_last_visited_cell, "geran", geran, geran_cell),
    ALTERNATIVE(s1ap_last_visited_cell, "ng_ran", other, octets),
};
static CHOICE_EXT(last_visited_cell, "LastVisitedCell-Item", struct s1ap_last_visited_cell,
                  last_visited_cell_alternatives, 3);
static LIST(ue_history_information, "UE-HistoryInformation", last_visited_cell, 1, 16);

static BITS(mobility_information, "MobilityInformation", uint32_t, 32);
static const struct aper_field source_container_fields[] = {
    F(s1ap_source_enb_to_target_enb_container, rrc_container, octets),
    F_OPT_LIST(s1ap_source_enb_to_target_enb_container, e_rab_information, e_rab_information_list),
    F(s1ap_source_enb_to_target_enb_container, target_cell_id, ecgi),
    F_OPT(s1ap_source_enb_to_target_enb_container, subscriber_profile_id_for_rfp,
          subscriber_profile_id_for_rfp),
    F_LIST(s1ap_source_enb_to_target_enb_container, ue_history_information, ue_history_information),
};
static const struct aper_row source_container_rows[] = {
    O(s1ap_source_enb_to_target_enb_container, mobility_information, MOBILITY_INFORMATION, IGNORE,
      mobility_information),
    O(s1ap_source_enb_to_target_enb_container, ue_history_information_from_the_ue,
      UE_HISTORY_INFORMATION_FROM_THE_UE, IGNORE, octets),
    O(s1ap_source_enb_to_target_enb_container, ims_voice_eps_fallback_from_5g,
      IMS_VOICE_EPS_FALLBACK_FROM_5G, IGNORE, flag),
    O(s1ap_source_enb_to_target_enb_container, additional_rrm_priority_index,
      ADDITIONAL_RRM_PRIORITY_INDEX, IGNORE, additional_rrm_priority_index),
    O(s1ap_source_enb_to_target_enb_container, context_at_source, CONTEXT_AT_SOURCE, IGNORE,
      opaque),
};
EXTENSIONS(source_container);
SEQUENCE(source_enb_to_target_enb_container, "SourceeNB-ToTargeteNB-TransparentContainer",
         struct s1ap_source_enb_to_target_enb_container, source_container_fields,
         source_container_extensions);

static const struct aper_field target_container_fields[] = {
    F(s1ap_target_enb_to_source_enb_container, rrc_container, octets),
};
SEQUENCE(target_enb_to_source_enb_container, "TargeteNB-ToSourceeNB-TransparentContainer",
         struct s1ap_target_enb_to_source_enb_container, target_container_fields,
         s1ap_no_extensions);

/* ---- SON configuration transfer (clause 9.2.3.26) ---- */

static LIST(x2_addresses, "ENBX2TLAs", transport_layer_address, 1, 2);
static const struct aper_field x2_tnl_configuration_info_fields[] = {
    F_LIST(s1ap_x2_tnl_configuration_info, enb_x2_transport_layer_addresses, x2_addresses),
};
static const struct aper_row x2_tnl_configuration_info_rows[] = {
    O(s1ap_x2_tnl_configuration_info, enb_x2_extended_transport_layer_addresses,
      ENB_X2_EXTENDED_TRANSPORT_LAYER_ADDRESSES, IGNORE, opaque),
    O(s1ap_x2_tnl_configuration_info, enb_indirect_x2_transport_layer_addresses,
      ENB_INDIRECT_X2_TRANSPORT_LAYER_ADDRESSES, IGNORE, opaque),
};
EXTENSIONS(x2_tnl_configuration_info);
static SEQUENCE(x2_tnl_configuration_info, "X2TNLConfigurationInfo",
                struct s1ap_x2_tnl_configuration_info, x2_tnl_configuration_info_fields,
                x2_tnl_configuration_info_extensions);

static const struct aper_field son_information_reply_fields[] = {
    F_OPT(s1ap_son_information_reply, x2_tnl_configuration_info, x2_tnl_configuration_info),
};
static const struct aper_row son_information_reply_rows[] = {
    O(s1ap_son_information_reply, time_synchronisation_info, TIME_SYNCHRONISATION_INFO, IGNORE,
      opaque),
    O(s1ap_son_information_reply, muting_pattern_information, MUTING_PATTERN_INFORMATION, IGNORE,
      opaque),
};
EXTENSIONS(son_information_reply);
static SEQUENCE(son_information_reply, "SONInformationReply", struct s1ap_son_information_reply,
                son_information_reply_fields, son_information_reply_extensions);

ITEM(son_information_report_item, SON_INFORMATION_REPORT, IGNORE, opaque);
static const struct aper_type s1ap_type_son_information_report = {
    .ops = &aper_single,
    .name = "SONInformation-Extension",
    .size = sizeof(struct bytes),
    .item = &son_information_report_item};
static const struct aper_field son_information_alternatives[] = {
    ALTERNATIVE(s1ap_son_information, "request", request, son_information_request),
    ALTERNATIVE(s1ap_son_information, "reply", reply, son_information_reply),
    ALTERNATIVE(s1ap_son_information, "report", report, son_information_report),
};
static CHOICE_EXT(son_information, "SONInformation", struct s1ap_son_information,
                  son_information_alternatives, 2);

static const struct aper_field son_configuration_transfer_fields[] = {
    F(s1ap_son_configuration_transfer, target_enb_id, target_enb_id),
    F(s1ap_son_configuration_transfer, source_enb_id, source_enb_id),
    F(s1ap_son_configuration_transfer, son_information, son_information),
};
static const struct aper_row son_configuration_transfer_rows[] = {
    O(s1ap_son_configuration_transfer, x2_tnl_configuration_info, X2_TNL_CONFIGURATION_INFO, IGNORE,
      x2_tnl_configuration_info),
    O(s1ap_son_configuration_transfer, synchronisation_information, SYNCHRONISATION_INFORMATION,
      IGNORE, opaque),
};
EXTENSIONS(son_configuration_transfer);
SEQUENCE(son_configuration_transfer, "SONConfigurationTransfer",
         struct s1ap_son_configuration_transfer, son_configuration_transfer_fields,
         son_configuration_transfer_extensions);

/* ---- CDMA2000 ---- */

static const struct aper_field cdma2000_one_x_srvcc_info_fields[] = {
    F(s1ap_cdma2000_one_x_srvcc_info, meid, octets),
    F(s1ap_cdma2000_one_x_srvcc_info, msi, octets),
    F(s1ap_cdma2000_one_x_srvcc_info, pilot, octets),
};
SEQUENCE(cdma2000_one_x_srvcc_info, "Cdma2000OneXSRVCCInfo", struct s1ap_cdma2000_one_x_srvcc_info,
         cdma2000_one_x_srvcc_info_fields, s1ap_no_extensions);
