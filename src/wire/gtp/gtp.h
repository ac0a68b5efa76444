/*
 * gtp.h -- the door of the GPRS Tunnelling Protocol: user packets in tunnels, and the talk that
 * sets them up.
 *
 *   gtpu.h   GTP-U (TS 29.281): G-PDU, Echo, Error Indication, End Marker; UDP port 2152
 *   gtpc.h   GTPv2-C (TS 29.274): sessions and bearers between MME, S-GW and P-GW; UDP port 2123
 *   pco.h    protocol configuration options (TS 24.008 clause 10.5.6.3), which GTPv2-C and NAS
 * carry as octets
 *
 * Codecs only: no I/O, no state, memory from the caller's arena; any thread.
 */
#ifndef STROWGER_WIRE_GTP_GTP_H
#define STROWGER_WIRE_GTP_GTP_H

#include "wire/gtp/gtpc.h"
#include "wire/gtp/gtpu.h"
#include "wire/gtp/pco.h"

#endif
