/*
 * nas_pco.c -- protocol configuration options: TS 24.008 clause 10.5.6.3.
 *
 * The value is an octet (extension bit, configuration protocol 0) and a run of: identifier (2),
 * length (1), contents. Identifiers from 0x8000 on are PPP protocols with a PPP packet inside (RFC
 * 1661); lower ones are containers that mean "please" when the phone sends them empty and an answer
 * when the network sends them. In extended PCO some containers have two octets of length; those
 * (0x0023, 0x0024) are for 5GS and unknown here.
 *
 * MME and S-GW pass PCO on unread. Here is the phone's end, and the printing; the P-GW's end, which
 * gets the octets by GTPv2-C, is in wire/gtp/pco.h.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "wire/nas/nas_table.h"

#define EXTENSION 0x80 /* first octet; configuration protocol 0 is PPP for IP */

/* PPP: RFC 1661 clause 5; IPCP options RFC 1332, RFC 1877. */
enum ppp_code { CONFIGURE_REQUEST = 1, CONFIGURE_ACK = 2, CONFIGURE_NAK = 3 };
#define IPCP_PRIMARY_DNS   129
#define IPCP_SECONDARY_DNS 131
#define PPP_HEADER         4
#define IPCP_DNS_SIZE      6 /* type, length, address */

bool nas_pco_next(struct reader *r, struct nas_pco_container *container)
{
    if (rd_left(r) == 0)
        return false;
    container->id = rd_u16(r);
    container->contents = rd_view(r, rd_u8(r));
    return !r->bad;
}

void nas_pco_begin(struct writer *w)
{
    wr_u8(w, EXTENSION);
}

void nas_pco_add(struct writer *w, uint16_t id, struct bytes contents)
{
    if (contents.len > 255)
        wr_fail(w);
    wr_u16(w, id);
    wr_u8(w, (uint8_t)contents.len);
    wr_view_of(w, contents);
}

/* ---- Requests ------------------------------------------------------------ */

/* The containers of a request that are no more than a wish. */
static const struct wish {
    uint16_t id;
    uint16_t offset; /* of the bool */
} wishes[] = {
    {NAS_PCO_P_CSCF_IPV6, offsetof(struct nas_pco_request, p_cscf_ipv6)},
    {NAS_PCO_IMS_SIGNALLING, offsetof(struct nas_pco_request, ims_signalling)},
    {NAS_PCO_DNS_IPV6, offsetof(struct nas_pco_request, dns_ipv6)},
    {NAS_PCO_BEARER_CONTROL, offsetof(struct nas_pco_request, bearer_control)},
    {NAS_PCO_ADDRESS_VIA_NAS, offsetof(struct nas_pco_request, address_via_nas)},
    {NAS_PCO_ADDRESS_VIA_DHCP, offsetof(struct nas_pco_request, address_via_dhcp)},
    {NAS_PCO_P_CSCF_IPV4, offsetof(struct nas_pco_request, p_cscf_ipv4)},
    {NAS_PCO_DNS_IPV4, offsetof(struct nas_pco_request, dns_ipv4)},
    {NAS_PCO_IPV4_MTU, offsetof(struct nas_pco_request, ipv4_mtu)},
};
#define WISHES (sizeof(wishes) / sizeof(wishes[0]))

/* A server that is asked for is "0.0.0.0" in a Configure-Request. */
static void write_ipcp_dns(struct writer *w, uint8_t option)
{
    wr_u8(w, option);
    wr_u8(w, IPCP_DNS_SIZE);
    wr_zero(w, 4);
}

static void write_ipcp(struct writer *w, const struct nas_pco_request *request)
{
    uint8_t octets[PPP_HEADER + 2 * IPCP_DNS_SIZE];
    struct writer ppp = writer_of(octets, sizeof(octets));

    wr_u8(&ppp, CONFIGURE_REQUEST);
    wr_u8(&ppp, request->ipcp_id);
    wr_u16(&ppp, 0);
    write_ipcp_dns(&ppp, IPCP_PRIMARY_DNS);
    write_ipcp_dns(&ppp, IPCP_SECONDARY_DNS);
    wr_patch_u16(&ppp, 2, (uint16_t)wr_len(&ppp));
    nas_pco_add(w, NAS_PCO_IPCP, wr_view(&ppp));
}

void nas_pco_write_request(struct writer *w, const struct nas_pco_request *request)
{
    nas_pco_begin(w);
    if (request->ipcp)
        write_ipcp(w, request);
    if (request->pap.len > 0)
        nas_pco_add(w, NAS_PCO_PAP, request->pap);
    if (request->chap.len > 0)
        nas_pco_add(w, NAS_PCO_CHAP, request->chap);
    for (size_t i = 0; i < WISHES; i++) {
        if (*((const uint8_t *)request + wishes[i].offset))
            nas_pco_add(w, wishes[i].id, bytes_of(NULL, 0));
    }
}

/* ---- Answers ------------------------------------------------------------- */

/* Adds an address to a list of at most NAS_PCO_SERVERS_MAX, once. */
static void take_address(void *list, unsigned *count, struct bytes contents, size_t size)
{
    uint8_t *at = list;

    if (contents.len != size || *count >= NAS_PCO_SERVERS_MAX)
        return;
    for (unsigned i = 0; i < *count; i++) {
        if (memcmp(at + i * size, contents.at, size) == 0)
            return;
    }
    memcpy(at + *count * size, contents.at, size);
    (*count)++;
}

static void read_ipcp_answer(struct bytes packet, struct nas_pco_answer *answer)
{
    struct reader r = reader_of_bytes(packet);
    uint8_t code = rd_u8(&r);

    rd_skip(&r, 3);
    if (code != CONFIGURE_NAK && code != CONFIGURE_ACK)
        return;
    while (rd_left(&r) >= 2) {
        uint8_t option = rd_u8(&r), size = rd_u8(&r);
        struct bytes value = rd_view(&r, size >= 2 ? size - 2u : SIZE_MAX);
        if (option == IPCP_PRIMARY_DNS || option == IPCP_SECONDARY_DNS)
            take_address(answer->dns_ipv4, &answer->dns_ipv4_count, value, 4);
    }
}

int nas_pco_read_answer(struct bytes pco, struct nas_pco_answer *answer)
{
    struct reader r = reader_of_bytes(pco);
    struct nas_pco_container c;

    *answer = (struct nas_pco_answer){0};
    rd_u8(&r);
    while (nas_pco_next(&r, &c)) {
        switch (c.id) {
        case NAS_PCO_IPCP:
            read_ipcp_answer(c.contents, answer);
            break;
        case NAS_PCO_DNS_IPV4:
            take_address(answer->dns_ipv4, &answer->dns_ipv4_count, c.contents, 4);
            break;
        case NAS_PCO_DNS_IPV6:
            take_address(answer->dns_ipv6, &answer->dns_ipv6_count, c.contents, 16);
            break;
        case NAS_PCO_P_CSCF_IPV4:
            take_address(answer->p_cscf_ipv4, &answer->p_cscf_ipv4_count, c.contents, 4);
            break;
        case NAS_PCO_P_CSCF_IPV6:
            take_address(answer->p_cscf_ipv6, &answer->p_cscf_ipv6_count, c.contents, 16);
            break;
        case NAS_PCO_IPV4_MTU:
            if (c.contents.len == 2)
                answer->ipv4_mtu = (uint16_t)(c.contents.at[0] << 8 | c.contents.at[1]);
            break;
        default:
            break;
        }
    }
    return r.bad ? -EBADMSG : 0;
}

/* ---- Printing ------------------------------------------------------------ */

static const struct {
    uint16_t id;
    const char *name;
} names[] = {
    {NAS_PCO_P_CSCF_IPV6, "p_cscf_ipv6"},
    {NAS_PCO_IMS_SIGNALLING, "ims_signalling"},
    {NAS_PCO_DNS_IPV6, "dns_ipv6"},
    {NAS_PCO_BEARER_CONTROL, "bearer_control"},
    {NAS_PCO_ADDRESS_VIA_NAS, "address_via_nas"},
    {NAS_PCO_ADDRESS_VIA_DHCP, "address_via_dhcp"},
    {NAS_PCO_P_CSCF_IPV4, "p_cscf_ipv4"},
    {NAS_PCO_DNS_IPV4, "dns_ipv4"},
    {NAS_PCO_MSISDN, "msisdn"},
    {NAS_PCO_IPV4_MTU, "ipv4_mtu"},
    {NAS_PCO_P_CSCF_RESELECTION, "p_cscf_reselection"},
    {NAS_PCO_IPCP, "ipcp"},
    {NAS_PCO_LCP, "lcp"},
    {NAS_PCO_PAP, "pap"},
    {NAS_PCO_CHAP, "chap"},
};

static void print_id(struct text *t, uint16_t id)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].id == id) {
            text_add(t, "%s", names[i].name);
            return;
        }
    }
    text_add(t, "0x%04x", id);
}

/* Passwords are secrets: of PAP and CHAP only the length is shown. */
void nas_pco_print(struct text *t, struct bytes pco)
{
    struct reader r = reader_of_bytes(pco);
    struct nas_pco_container c;
    const char *between = "";
    char address[INET6_ADDRSTRLEN];

    rd_u8(&r);
    text_add(t, "{");
    while (nas_pco_next(&r, &c)) {
        text_add(t, "%s", between);
        between = " ";
        print_id(t, c.id);
        if (c.contents.len == 0)
            continue;
        text_add(t, ":");
        if (c.id == NAS_PCO_PAP || c.id == NAS_PCO_CHAP)
            text_add(t, "%zu octets", c.contents.len);
        else if ((c.id == NAS_PCO_DNS_IPV4 || c.id == NAS_PCO_P_CSCF_IPV4) && c.contents.len == 4)
            text_add(t, "%s", inet_ntop(AF_INET, c.contents.at, address, sizeof(address)));
        else if ((c.id == NAS_PCO_DNS_IPV6 || c.id == NAS_PCO_P_CSCF_IPV6) && c.contents.len == 16)
            text_add(t, "%s", inet_ntop(AF_INET6, c.contents.at, address, sizeof(address)));
        else if (c.id == NAS_PCO_IPV4_MTU && c.contents.len == 2)
            text_add(t, "%u", c.contents.at[0] << 8 | c.contents.at[1]);
        else
            text_hex(t, c.contents);
    }
    text_add(t, "%s}", r.bad ? " broken" : "");
}
