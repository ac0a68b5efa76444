/*
 * pco.c -- see pco.h.
 *
 * First octet: extension bit, spare, and the configuration protocol, of which only "PPP for use
 * with IP" (0) exists. Then containers of id (2), length (1), contents.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "wire/gtp/pco.h"

#define FIRST_OCTET   0x80
#define PROTOCOL_MASK 0x07

int pco_decode(struct bytes octets, struct pco *pco)
{
    struct reader r = reader_of_bytes(octets);

    pco->count = 0;
    if (rd_u8(&r) & PROTOCOL_MASK)
        return -EBADMSG;
    while (rd_left(&r) > 0) {
        struct pco_container container = {.id = rd_u16(&r)};
        size_t length = rd_u8(&r);
        container.content = rd_view(&r, length);
        if (!r.bad)
            pco_add(pco, container.id, container.content);
    }
    return r.bad ? -EBADMSG : 0;
}

void pco_encode(struct writer *w, const struct pco *pco)
{
    wr_u8(w, FIRST_OCTET);
    for (size_t i = 0; i < pco->count; i++) {
        if (pco->at[i].content.len > UINT8_MAX)
            wr_fail(w);
        wr_u16(w, pco->at[i].id);
        wr_u8(w, (uint8_t)pco->at[i].content.len);
        wr_view_of(w, pco->at[i].content);
    }
}

bool pco_add(struct pco *pco, uint16_t id, struct bytes content)
{
    if (pco->count == PCO_MAX_CONTAINERS)
        return false;
    pco->at[pco->count++] = (struct pco_container){id, content};
    return true;
}

const struct pco_container *pco_find(const struct pco *pco, uint16_t id)
{
    for (size_t i = 0; i < pco->count; i++)
        if (pco->at[i].id == id)
            return &pco->at[i];
    return NULL;
}

/* IPCP: code, identifier, length of all; then options of type, length of all, value. */
static void take_ipcp_address(struct reader *option, bool *has, struct in_addr *address)
{
    *has = true;
    rd_bytes(option, address, sizeof(*address));
}

static void take_ipcp_option(struct reader *packet, struct ipcp *ipcp)
{
    const uint8_t *start = packet->at;
    uint8_t type = rd_u8(packet);
    uint8_t length = rd_u8(packet);

    if (length < 2) {
        rd_fail(packet);
        return;
    }
    struct reader option = rd_sub(packet, length - 2u);
    if (type == IPCP_IP_ADDRESS)
        take_ipcp_address(&option, &ipcp->has_ip_address, &ipcp->ip_address);
    else if (type == IPCP_PRIMARY_DNS)
        take_ipcp_address(&option, &ipcp->has_primary_dns, &ipcp->primary_dns);
    else if (type == IPCP_SECONDARY_DNS)
        take_ipcp_address(&option, &ipcp->has_secondary_dns, &ipcp->secondary_dns);
    else if (ipcp->unknown.len == 0)
        ipcp->unknown = bytes_of(start, length);
    else if (ipcp->unknown.at + ipcp->unknown.len == start)
        ipcp->unknown.len += length;
    rd_join(packet, &option);
}

int ipcp_decode(struct bytes packet, struct ipcp *ipcp)
{
    struct reader r = reader_of_bytes(packet);

    *ipcp = (struct ipcp){.code = rd_u8(&r)};
    ipcp->identifier = rd_u8(&r);
    size_t length = rd_u16(&r);
    if (length < 4)
        return -EBADMSG;
    struct reader options = rd_sub(&r, length - 4);
    while (rd_left(&options) > 0)
        take_ipcp_option(&options, ipcp);
    return options.bad ? -EBADMSG : 0;
}

static void put_ipcp_address(struct writer *w, bool has, uint8_t type, struct in_addr address)
{
    if (!has)
        return;
    wr_u8(w, type);
    wr_u8(w, 2 + sizeof(address));
    wr_bytes(w, &address, sizeof(address));
}

void ipcp_encode(struct writer *w, const struct ipcp *ipcp)
{
    size_t start = wr_len(w);

    wr_u8(w, ipcp->code);
    wr_u8(w, ipcp->identifier);
    wr_u16(w, 0);
    wr_view_of(w, ipcp->unknown);
    put_ipcp_address(w, ipcp->has_ip_address, IPCP_IP_ADDRESS, ipcp->ip_address);
    put_ipcp_address(w, ipcp->has_primary_dns, IPCP_PRIMARY_DNS, ipcp->primary_dns);
    put_ipcp_address(w, ipcp->has_secondary_dns, IPCP_SECONDARY_DNS, ipcp->secondary_dns);
    wr_patch_u16(w, start + 2, (uint16_t)(wr_len(w) - start));
}

/* One answer being written: what it offers, where it goes. */
struct answer {
    const struct pco_offer *offer;
    struct writer *w;
};

static void put(struct answer *answer, uint16_t id, const void *content, size_t length)
{
    wr_u16(answer->w, id);
    wr_u8(answer->w, (uint8_t)length);
    wr_bytes(answer->w, content, length);
}

static void put_ipv4s(struct answer *answer, uint16_t id, const struct in_addr addresses[2])
{
    for (size_t i = 0; i < 2; i++)
        if (addresses[i].s_addr)
            put(answer, id, &addresses[i], sizeof(addresses[i]));
}

static void put_ipv6s(struct answer *answer, uint16_t id, const struct in6_addr addresses[2])
{
    for (size_t i = 0; i < 2; i++)
        if (!IN6_IS_ADDR_UNSPECIFIED(&addresses[i]))
            put(answer, id, &addresses[i], sizeof(addresses[i]));
}

/* The rules of IPCP (RFC 1332 clause 3): what cannot be given is rejected; what is to be another
 * value is told by a Nak; else an Ack repeats the request. */
static void answer_ipcp(struct answer *answer, const struct pco_container *asked)
{
    const struct pco_offer *offer = answer->offer;
    struct ipcp request, reply;
    uint8_t packet[UINT8_MAX];
    struct writer w = writer_of(packet, sizeof(packet));

    if (ipcp_decode(asked->content, &request) < 0 || request.code != IPCP_CONFIGURE_REQUEST)
        return;
    reply = request;
    reply.has_ip_address = request.has_ip_address && !offer->ue_ipv4.s_addr;
    reply.has_primary_dns = request.has_primary_dns && !offer->dns_ipv4[0].s_addr;
    reply.has_secondary_dns = request.has_secondary_dns && !offer->dns_ipv4[1].s_addr;
    reply.code = IPCP_CONFIGURE_REJECT;
    if (reply.unknown.len == 0 && !reply.has_ip_address && !reply.has_primary_dns &&
        !reply.has_secondary_dns) {
        reply.has_ip_address =
            request.has_ip_address && request.ip_address.s_addr != offer->ue_ipv4.s_addr;
        reply.ip_address = offer->ue_ipv4;
        reply.has_primary_dns =
            request.has_primary_dns && request.primary_dns.s_addr != offer->dns_ipv4[0].s_addr;
        reply.primary_dns = offer->dns_ipv4[0];
        reply.has_secondary_dns =
            request.has_secondary_dns && request.secondary_dns.s_addr != offer->dns_ipv4[1].s_addr;
        reply.secondary_dns = offer->dns_ipv4[1];
        reply.code = IPCP_CONFIGURE_NAK;
        if (!reply.has_ip_address && !reply.has_primary_dns && !reply.has_secondary_dns) {
            reply = request;
            reply.code = IPCP_CONFIGURE_ACK;
        }
    }
    ipcp_encode(&w, &reply);
    if (!w.bad)
        put(answer, PCO_IPCP, packet, wr_len(&w));
}

/* PAP Authenticate-Ack with an empty message (RFC 1334 clause 2.2.2), CHAP Success (RFC 1994
 * clause 4.2). Of CHAP's packets only the response is answered. */
static void answer_authentication(struct answer *answer, const struct pco_container *asked)
{
    enum { PAP_REQUEST = 1, PAP_ACK = 2, CHAP_RESPONSE = 2, CHAP_SUCCESS = 3 };
    bool is_pap = asked->id == PCO_PAP;
    uint8_t reply[5] = {is_pap ? PAP_ACK : CHAP_SUCCESS, 0, 0, is_pap ? 5 : 4, 0};

    if (asked->content.len < 4 || asked->content.at[0] != (is_pap ? PAP_REQUEST : CHAP_RESPONSE))
        return;
    reply[1] = asked->content.at[1];
    put(answer, asked->id, reply, reply[3]);
}

static void answer_container(struct answer *answer, const struct pco_container *asked)
{
    const struct pco_offer *offer = answer->offer;
    static const uint8_t network_initiated_too[] = {0x02}; /* clause 10.5.6.3: MS/NW */
    uint8_t mtu[2] = {(uint8_t)(offer->mtu >> 8), (uint8_t)offer->mtu};

    switch (asked->id) {
    case PCO_IPCP:
        answer_ipcp(answer, asked);
        break;
    case PCO_PAP:
    case PCO_CHAP:
        answer_authentication(answer, asked);
        break;
    case PCO_DNS_SERVER_IPV4_ADDRESS:
        put_ipv4s(answer, asked->id, offer->dns_ipv4);
        break;
    case PCO_DNS_SERVER_IPV6_ADDRESS:
        put_ipv6s(answer, asked->id, offer->dns_ipv6);
        break;
    case PCO_P_CSCF_IPV4_ADDRESS:
        put_ipv4s(answer, asked->id, offer->p_cscf_ipv4);
        break;
    case PCO_P_CSCF_IPV6_ADDRESS:
        put_ipv6s(answer, asked->id, offer->p_cscf_ipv6);
        break;
    case PCO_IPV4_LINK_MTU:
        if (offer->mtu)
            put(answer, asked->id, mtu, sizeof(mtu));
        break;
    case PCO_BEARER_CONTROL_MODE:
        put(answer, asked->id, network_initiated_too, sizeof(network_initiated_too));
        break;
    default: /* what the gateway has no answer for is left out */
        break;
    }
}

int pco_answer(struct bytes request, const struct pco_offer *offer, struct writer *w)
{
    struct answer answer = {offer, w};
    size_t start = wr_len(w);
    struct pco asked;

    if (pco_decode(request, &asked) < 0)
        return -EBADMSG;
    wr_u8(w, FIRST_OCTET);
    for (size_t i = 0; i < asked.count; i++) {
        bool again = pco_find(&asked, asked.at[i].id) != &asked.at[i];
        struct writer before = *w;
        if (!again || asked.at[i].id == PCO_IPCP)
            answer_container(&answer, &asked.at[i]);
        if (w->bad || wr_len(w) - start > PCO_MAX_SIZE)
            *w = before; /* no room for this one; a smaller one may still fit */
    }
    if (wr_len(w) - start > 1)
        return (int)(wr_len(w) - start);
    w->at = w->start + start;
    return 0;
}

static const struct {
    uint16_t id;
    const char *name;
} container_names[] = {
    {PCO_P_CSCF_IPV6_ADDRESS, "p-cscf6"},
    {PCO_IM_CN_SUBSYSTEM_SIGNALING_FLAG, "im-cn-flag"},
    {PCO_DNS_SERVER_IPV6_ADDRESS, "dns6"},
    {PCO_BEARER_CONTROL_MODE, "bcm"},
    {PCO_IP_ADDRESS_ALLOCATION_VIA_NAS, "address-via-nas"},
    {PCO_IPV4_ADDRESS_ALLOCATION_VIA_DHCPV4, "address-via-dhcp"},
    {PCO_P_CSCF_IPV4_ADDRESS, "p-cscf"},
    {PCO_DNS_SERVER_IPV4_ADDRESS, "dns"},
    {PCO_MSISDN, "msisdn"},
    {PCO_IPV4_LINK_MTU, "mtu"},
    {PCO_PAP, "pap"},
    {PCO_CHAP, "chap"},
    {PCO_IPCP, "ipcp"},
};

static void print_container(struct text *t, const struct pco_container *container)
{
    char address[INET6_ADDRSTRLEN];
    const char *name = NULL;

    for (size_t i = 0; i < sizeof(container_names) / sizeof(container_names[0]); i++)
        if (container_names[i].id == container->id)
            name = container_names[i].name;
    if (name)
        text_add(t, "%s", name);
    else
        text_add(t, "%#x", container->id);
    if (container->content.len == 0)
        return;
    text_add(t, "=");
    if (container->id == PCO_PAP || container->id == PCO_CHAP)
        text_add(t, "..."); /* a password may be in it */
    else if (container->content.len == 4 && container->id != PCO_IPCP)
        text_add(t, "%s", inet_ntop(AF_INET, container->content.at, address, sizeof(address)));
    else if (container->content.len == 16)
        text_add(t, "%s", inet_ntop(AF_INET6, container->content.at, address, sizeof(address)));
    else
        text_hex(t, container->content);
}

void pco_print(struct text *t, struct bytes octets)
{
    struct pco pco;
    bool broken = pco_decode(octets, &pco) < 0;

    text_add(t, "{");
    for (size_t i = 0; i < pco.count; i++) {
        text_add(t, "%s", i ? " " : "");
        print_container(t, &pco.at[i]);
    }
    text_add(t, "%s}", broken ? " broken" : "");
}
