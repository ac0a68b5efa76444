/*
 * pco.h -- protocol configuration options (TS 24.008 clause 10.5.6.3): what the phone asks of the
 * packet gateway.
 *
 * The phone's request and the gateway's answer travel as octets through NAS, S11 and S5; only the
 * phone and the P-GW look inside. They are a row of containers: an id of 16 bits, a length,
 * contents. Ids below 0x8000... are 3GPP's own (DNS server address, link MTU ...); the others are
 * PPP protocol numbers whose contents are that protocol's packets (IPCP, PAP, CHAP).
 */
#ifndef STROWGER_WIRE_GTP_PCO_H
#define STROWGER_WIRE_GTP_PCO_H

#include <netinet/in.h>

#include "base/cursor.h"
#include "base/text.h"

/* Container ids; the same id means a request from the phone and the value from the network. */
enum pco_id {
    PCO_P_CSCF_IPV6_ADDRESS = 0x0001,
    PCO_IM_CN_SUBSYSTEM_SIGNALING_FLAG = 0x0002,
    PCO_DNS_SERVER_IPV6_ADDRESS = 0x0003,
    PCO_BEARER_CONTROL_MODE = 0x0005,
    PCO_IP_ADDRESS_ALLOCATION_VIA_NAS = 0x000a,
    PCO_IPV4_ADDRESS_ALLOCATION_VIA_DHCPV4 = 0x000b,
    PCO_P_CSCF_IPV4_ADDRESS = 0x000c,
    PCO_DNS_SERVER_IPV4_ADDRESS = 0x000d,
    PCO_MSISDN = 0x000e,
    PCO_IPV4_LINK_MTU = 0x0010,
    PCO_PAP = 0xc023,
    PCO_CHAP = 0xc223,
    PCO_IPCP = 0x8021,
};

#define PCO_MAX_CONTAINERS 32
#define PCO_MAX_SIZE                                                             \
    251 /* octets of the whole (clause 10.5.6.3: 253 with NAS's type and length) \
         */

struct pco_container {
    uint16_t id;
    struct bytes content;
};

struct pco {
    size_t count;
    struct pco_container at[PCO_MAX_CONTAINERS];
};

/* Containers of the octets, as views into them. Containers past PCO_MAX_CONTAINERS are ignored. 0
 * or -EBADMSG: a length that does not fit, no octets, or a configuration protocol that is not "PPP
 * for IP". What comes before a broken container is there also then. */
int pco_decode(struct bytes octets, struct pco *pco);

/* Writes the first octet and the containers; bad when one is longer than 255 octets. */
void pco_encode(struct writer *w, const struct pco *pco);

/* Adds a container whose content the caller keeps; false when full. */
bool pco_add(struct pco *pco, uint16_t id, struct bytes content);

/* The first container with this id, or NULL. */
const struct pco_container *pco_find(const struct pco *pco, uint16_t id);

/* IPCP (RFC 1332, RFC 1877) as it is used here: one packet with addresses of name servers. */
enum ipcp_code {
    IPCP_CONFIGURE_REQUEST = 1,
    IPCP_CONFIGURE_ACK = 2,
    IPCP_CONFIGURE_NAK = 3,
    IPCP_CONFIGURE_REJECT = 4
};

enum ipcp_option {
    IPCP_IP_ADDRESS = 3,
    IPCP_PRIMARY_DNS = 129,
    IPCP_PRIMARY_NBNS = 130,
    IPCP_SECONDARY_DNS = 131,
    IPCP_SECONDARY_NBNS = 132,
};

struct ipcp {
    uint8_t code;
    uint8_t identifier;
    bool has_ip_address, has_primary_dns, has_secondary_dns;
    struct in_addr ip_address, primary_dns, secondary_dns;
    struct bytes unknown; /* decode: options other than these three, as they came, of which the
                             first run is kept */
};

int ipcp_decode(struct bytes packet, struct ipcp *ipcp);
void ipcp_encode(struct writer *w, const struct ipcp *ipcp);

/* What the gateway knows to tell. Zero addresses are not told. */
struct pco_offer {
    struct in_addr dns_ipv4[2];
    struct in6_addr dns_ipv6[2];
    struct in_addr p_cscf_ipv4[2];
    struct in6_addr p_cscf_ipv6[2];
    struct in_addr ue_ipv4; /* acknowledged in IPCP when the phone asks for its address there */
    uint16_t mtu;           /* 0: not told */
};

/* The gateway's answer to the phone's request (TS 29.274 clause 8.13, TS 27.060): each thing asked
 * for that the offer has. PAP and CHAP are acknowledged (the subscription was the proof). Returns
 * the number of octets written; 0 when there is nothing to say, or -EBADMSG for a request that is
 * not PCO. */
int pco_answer(struct bytes request, const struct pco_offer *offer, struct writer *w);

void pco_print(struct text *t, struct bytes octets);

#endif
