/*
 * report.h -- inside this room: from what the decoder met to what the receiver does (report.c).
 */
#ifndef STROWGER_WIRE_S1AP_REPORT_H
#define STROWGER_WIRE_S1AP_REPORT_H

#include <errno.h>

#include "wire/s1ap/procedures.h"

/* Fills `report`, zeroed, about a message that was decoded with result `err`; `header_read`:
 * procedure code, type of message and criticality in `pdu` are as received. Returns what
 * s1ap_decode() returns. */
int s1ap_judge(struct s1ap_report *report, const struct aper_decoder *d, const struct s1ap_pdu *pdu,
               bool header_read, int err);

#endif
