/*
 * lldp.h -- LLDP (IEEE 802.1AB-2016 clause 8): who is at the other end of a link.
 *
 * An LLDPDU is a row of TLVs (7 bits type, 9 bits length): chassis ID, port ID, time to live,
 * optional ones, and an end. A controller sends one out of every port and learns links from where
 * they come in; it signs them in a TLV of its own (type 127, organisation and subtype). No I/O, no
 * state: any thread.
 */
#ifndef STROWGER_WIRE_NET_LLDP_H
#define STROWGER_WIRE_NET_LLDP_H

#include "base/cursor.h"
#include "base/text.h"

/* Clause 8.5.2.2 and 8.5.3.2: what an ID is. */
enum lldp_chassis_subtype {
    LLDP_CHASSIS_MAC = 4,
    LLDP_CHASSIS_NETWORK = 5,
    LLDP_CHASSIS_LOCAL = 7
};
enum lldp_port_subtype {
    LLDP_PORT_MAC = 3,
    LLDP_PORT_NETWORK = 4,
    LLDP_PORT_NAME = 5,
    LLDP_PORT_LOCAL = 7
};

#define LLDP_MAX_ORGANISATION_TLVS 8

struct lldp_organisation_tlv {
    uint32_t oui; /* 24 bits */
    uint8_t subtype;
    struct bytes value;
};

struct lldp {
    uint8_t chassis_subtype;
    struct bytes chassis_id; /* 1..255 bytes */
    uint8_t port_subtype;
    struct bytes port_id;
    uint16_t ttl_s;
    struct bytes system_name, system_description, port_description; /* empty: not there */
    uint8_t organisation_count;
    struct lldp_organisation_tlv organisation[LLDP_MAX_ORGANISATION_TLVS];
};

/* The payload of an Ethernet frame of type 0x88cc. The three mandatory TLVs must come first, once
 * each, in order (clause 9.2.7.7). Views point into it. 0 or -EBADMSG. */
int lldp_read(struct bytes payload, struct lldp *lldp);
void lldp_write(struct writer *w, const struct lldp *lldp);
void lldp_print(struct text *t, const struct lldp *lldp);

#endif
