/*
 * types_warning.c -- S1AP's types of public warning (TS 36.413 clause 9.3.4, release 16). See
 * types.c.
 */
#include "wire/s1ap/types.h"

BITS(message_identifier, "MessageIdentifier", uint16_t, 16);
BITS(serial_number, "SerialNumber", uint16_t, 16);
BITS(data_coding_scheme, "DataCodingScheme", uint8_t, 8);
INTEGER(repetition_period, "RepetitionPeriod", uint16_t, 0, 4095);
INTEGER(extended_repetition_period, "ExtendedRepetitionPeriod", uint32_t, 4096, 131071);
INTEGER(number_of_broadcasts, "NumberofBroadcastRequest", uint16_t, 0, 65535);
OCTETS_NUMBER(warning_type, "WarningType", uint16_t, 2);
static OCTETS_NUMBER(emergency_area_id, "EmergencyAreaID", uint32_t, 3);
OCTETS(warning_security_info, "WarningSecurityInfo", 50, 50);
OCTETS(warning_message_contents, "WarningMessageContents", 1, 9600);
OCTETS(warning_area_coordinates, "WarningAreaCoordinates", 1, 1024);

/* ---- where to warn ---- */

static LIST(ecgi_list, "ECGIList", ecgi, 1, 65535);
static LIST(tais, "TAIListforWarning", tai, 1, 65535);
static LIST(emergency_area_ids, "EmergencyAreaIDList", emergency_area_id, 1, 65535);

static const struct aper_field warning_area_list_alternatives[] = {
    ALTERNATIVE_LIST(s1ap_warning_area_list, "cells", cells, ecgi_list),
    ALTERNATIVE_LIST(s1ap_warning_area_list, "tais", tais, tais),
    ALTERNATIVE_LIST(s1ap_warning_area_list, "emergency_areas", emergency_areas,
                     emergency_area_ids),
};
CHOICE_EXT(warning_area_list, "WarningAreaList", struct s1ap_warning_area_list,
           warning_area_list_alternatives, 3);

/* ---- where the warning was sent ---- */

static const struct aper_field completed_cell_fields[] = {
    ONLY("ecgi", struct ecgi, ecgi),
};
static SEQUENCE(completed_cell, "CellID-Broadcast-Item", struct ecgi, completed_cell_fields,
                s1ap_no_extensions);
static LIST(completed_cells, "CellID-Broadcast", completed_cell, 1, 65535);

static const struct aper_field completed_tai_fields[] = {
    F(s1ap_completed_tai, tai, tai),
    F_LIST(s1ap_completed_tai, cells, completed_cells),
};
static SEQUENCE(completed_tai, "TAI-Broadcast-Item", struct s1ap_completed_tai,
                completed_tai_fields, s1ap_no_extensions);
static LIST(completed_tais, "TAI-Broadcast", completed_tai, 1, 65535);

static const struct aper_field completed_area_fields[] = {
    F(s1ap_completed_emergency_area, emergency_area_id, emergency_area_id),
    F_LIST(s1ap_completed_emergency_area, cells, completed_cells),
};
static SEQUENCE(completed_area, "EmergencyAreaID-Broadcast-Item",
                struct s1ap_completed_emergency_area, completed_area_fields, s1ap_no_extensions);
static LIST(completed_areas, "EmergencyAreaID-Broadcast", completed_area, 1, 65535);

static const struct aper_field broadcast_completed_alternatives[] = {
    ALTERNATIVE_LIST(s1ap_broadcast_completed_area_list, "cells", cells, completed_cells),
    ALTERNATIVE_LIST(s1ap_broadcast_completed_area_list, "tais", tais, completed_tais),
    ALTERNATIVE_LIST(s1ap_broadcast_completed_area_list, "emergency_areas", emergency_areas,
                     completed_areas),
};
CHOICE_EXT(broadcast_completed_area_list, "BroadcastCompletedAreaList",
           struct s1ap_broadcast_completed_area_list, broadcast_completed_alternatives, 3);

/* ---- where it was stopped ---- */

static const struct aper_field cancelled_cell_fields[] = {
    F(s1ap_cancelled_cell, ecgi, ecgi),
    F(s1ap_cancelled_cell, number_of_broadcasts, number_of_broadcasts),
};
static SEQUENCE(cancelled_cell, "CellID-Cancelled-Item", struct s1ap_cancelled_cell,
                cancelled_cell_fields, s1ap_no_extensions);
static LIST(cancelled_cells, "CellID-Cancelled", cancelled_cell, 1, 65535);

static const struct aper_field cancelled_tai_fields[] = {
    F(s1ap_cancelled_tai, tai, tai),
    F_LIST(s1ap_cancelled_tai, cells, cancelled_cells),
};
static SEQUENCE(cancelled_tai, "TAI-Cancelled-Item", struct s1ap_cancelled_tai,
                cancelled_tai_fields, s1ap_no_extensions);
static LIST(cancelled_tais, "TAI-Cancelled", cancelled_tai, 1, 65535);

static const struct aper_field cancelled_area_fields[] = {
    F(s1ap_cancelled_emergency_area, emergency_area_id, emergency_area_id),
    F_LIST(s1ap_cancelled_emergency_area, cells, cancelled_cells),
};
static SEQUENCE(cancelled_area, "EmergencyAreaID-Cancelled-Item",
                struct s1ap_cancelled_emergency_area, cancelled_area_fields, s1ap_no_extensions);
static LIST(cancelled_areas, "EmergencyAreaID-Cancelled", cancelled_area, 1, 65535);

static const struct aper_field broadcast_cancelled_alternatives[] = {
    ALTERNATIVE_LIST(s1ap_broadcast_cancelled_area_list, "cells", cells, cancelled_cells),
    ALTERNATIVE_LIST(s1ap_broadcast_cancelled_area_list, "tais", tais, cancelled_tais),
    ALTERNATIVE_LIST(s1ap_broadcast_cancelled_area_list, "emergency_areas", emergency_areas,
                     cancelled_areas),
};
CHOICE_EXT(broadcast_cancelled_area_list, "BroadcastCancelledAreaList",
           struct s1ap_broadcast_cancelled_area_list, broadcast_cancelled_alternatives, 3);

/* ---- after a restart ---- */

LIST(restart_ecgi_list, "ECGIListForRestart", ecgi, 1, 256);
LIST(restart_tai_list, "TAIListForRestart", tai, 1, 2048);
LIST(restart_emergency_area_id_list, "EmergencyAreaIDListForRestart", emergency_area_id, 1, 256);
