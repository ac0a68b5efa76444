/*
 * gtpc_places.c -- the values of GTPv2-C elements that tell an address or a place: F-TEID, PDN
 * address, user location, networks. See gtpc_types.c for the others, and for what holds for all.
 */
#include <arpa/inet.h>

#include "wire/gtp/gtpc_inner.h"

static void add_address(struct text *t, int family, const void *address)
{
    char printed[INET6_ADDRSTRLEN];

    text_add(t, "%s", inet_ntop(family, address, printed, sizeof(printed)));
}

/* Clause 8.9: the length tells the family. */
DECODER(decode_ip_address)
{
    struct gtpc_ip_address *address = value;

    UNUSED(type);
    UNUSED(context);
    address->is_ipv6 = rd_left(r) >= sizeof(address->ipv6);
    if (address->is_ipv6)
        rd_bytes(r, &address->ipv6, sizeof(address->ipv6));
    else
        rd_bytes(r, &address->ipv4, sizeof(address->ipv4));
}

ENCODER(encode_ip_address)
{
    const struct gtpc_ip_address *address = value;

    UNUSED(type);
    if (address->is_ipv6)
        wr_bytes(w, &address->ipv6, sizeof(address->ipv6));
    else
        wr_bytes(w, &address->ipv4, sizeof(address->ipv4));
}

PRINTER(print_ip_address)
{
    const struct gtpc_ip_address *address = value;

    UNUSED(type);
    if (address->is_ipv6)
        add_address(t, AF_INET6, &address->ipv6);
    else
        add_address(t, AF_INET, &address->ipv4);
}

const struct wire_type gtpc_ip_address_type = TYPE(struct gtpc_ip_address, ip_address);

/* Clause 8.14. */
DECODER(decode_paa)
{
    struct gtpc_paa *paa = value;

    UNUSED(type);
    UNUSED(context);
    paa->pdn_type = rd_u8(r) & 7;
    if (paa->pdn_type < GTPC_PDN_IPV4 || paa->pdn_type > GTPC_PDN_NON_IP)
        rd_fail(r);
    if (paa->pdn_type == GTPC_PDN_IPV6 || paa->pdn_type == GTPC_PDN_IPV4V6) {
        paa->prefix_bits = rd_u8(r);
        rd_bytes(r, &paa->ipv6, sizeof(paa->ipv6));
        if (paa->prefix_bits > 128)
            rd_fail(r);
    }
    if (paa->pdn_type == GTPC_PDN_IPV4 || paa->pdn_type == GTPC_PDN_IPV4V6)
        rd_bytes(r, &paa->ipv4, sizeof(paa->ipv4));
}

ENCODER(encode_paa)
{
    const struct gtpc_paa *paa = value;

    UNUSED(type);
    wr_u8(w, paa->pdn_type & 7);
    if (paa->pdn_type == GTPC_PDN_IPV6 || paa->pdn_type == GTPC_PDN_IPV4V6) {
        wr_u8(w, paa->prefix_bits);
        wr_bytes(w, &paa->ipv6, sizeof(paa->ipv6));
    }
    if (paa->pdn_type == GTPC_PDN_IPV4 || paa->pdn_type == GTPC_PDN_IPV4V6)
        wr_bytes(w, &paa->ipv4, sizeof(paa->ipv4));
}

PRINTER(print_paa)
{
    static const char *const names[] = {"?", "IPv4", "IPv6", "IPv4v6", "non-IP", "?", "?", "?"};
    const struct gtpc_paa *paa = value;

    UNUSED(type);
    text_add(t, "%s", names[paa->pdn_type & 7]);
    if (paa->pdn_type == GTPC_PDN_IPV4 || paa->pdn_type == GTPC_PDN_IPV4V6) {
        text_add(t, ",");
        add_address(t, AF_INET, &paa->ipv4);
    }
    if (paa->pdn_type == GTPC_PDN_IPV6 || paa->pdn_type == GTPC_PDN_IPV4V6) {
        text_add(t, ",");
        add_address(t, AF_INET6, &paa->ipv6);
        text_add(t, "/%u", paa->prefix_bits);
    }
}

const struct wire_type gtpc_paa_type = TYPE(struct gtpc_paa, paa);

/* Clause 8.18. */
DECODER(decode_serving_network)
{
    UNUSED(type);
    UNUSED(context);
    *(struct plmn *)value = rd_plmn(r);
}

ENCODER(encode_serving_network)
{
    UNUSED(type);
    wr_plmn(w, value);
}

PRINTER(print_serving_network)
{
    UNUSED(type);
    text_plmn(t, value);
}

const struct wire_type gtpc_serving_network = TYPE(struct plmn, serving_network);

/* Clause 8.21: flags, then the places in the order of the flags' bits. */
enum {
    ULI_CGI = 0x01,
    ULI_SAI = 0x02,
    ULI_RAI = 0x04,
    ULI_TAI = 0x08,
    ULI_ECGI = 0x10,
    ULI_LAI = 0x20,
    ULI_MACRO = 0x40,
    ULI_EXTENDED_MACRO = 0x80,
};

static void rd_area(struct reader *r, struct gtpc_area *area, bool has_code)
{
    area->plmn = rd_plmn(r);
    area->lac = rd_u16(r);
    if (has_code)
        area->code = rd_u16(r);
}

static void wr_area(struct writer *w, const struct gtpc_area *area, bool has_code)
{
    wr_plmn(w, &area->plmn);
    wr_u16(w, area->lac);
    if (has_code)
        wr_u16(w, area->code);
}

DECODER(decode_uli)
{
    struct gtpc_uli *uli = value;
    uint8_t flags = rd_u8(r);
    uint32_t id;

    UNUSED(type);
    UNUSED(context);
    if ((uli->has_cgi = flags & ULI_CGI))
        rd_area(r, &uli->cgi, true);
    if ((uli->has_sai = flags & ULI_SAI))
        rd_area(r, &uli->sai, true);
    if ((uli->has_rai = flags & ULI_RAI))
        rd_area(r, &uli->rai, true);
    if ((uli->has_tai = flags & ULI_TAI)) {
        uli->tai.plmn = rd_plmn(r);
        uli->tai.tac = rd_u16(r);
    }
    if ((uli->has_ecgi = flags & ULI_ECGI)) {
        uli->ecgi.plmn = rd_plmn(r);
        uli->ecgi.cell_id = rd_u32(r) & 0xfffffff;
    }
    if ((uli->has_lai = flags & ULI_LAI))
        rd_area(r, &uli->lai, false);
    if ((uli->has_macro = flags & ULI_MACRO)) {
        uli->macro.plmn = rd_plmn(r);
        uli->macro.id = rd_u24(r) & 0xfffff;
    }
    if ((uli->has_extended_macro = flags & ULI_EXTENDED_MACRO)) {
        uli->extended_macro.plmn = rd_plmn(r);
        id = rd_u24(r);
        uli->extended_macro.is_short = id & 0x800000;
        uli->extended_macro.id = id & (uli->extended_macro.is_short ? 0x3ffff : 0x1fffff);
    }
}

ENCODER(encode_uli)
{
    const struct gtpc_uli *uli = value;

    UNUSED(type);
    wr_u8(w, (uint8_t)((uli->has_cgi ? ULI_CGI : 0) | (uli->has_sai ? ULI_SAI : 0) |
                       (uli->has_rai ? ULI_RAI : 0) | (uli->has_tai ? ULI_TAI : 0) |
                       (uli->has_ecgi ? ULI_ECGI : 0) | (uli->has_lai ? ULI_LAI : 0) |
                       (uli->has_macro ? ULI_MACRO : 0) |
                       (uli->has_extended_macro ? ULI_EXTENDED_MACRO : 0)));
    if (uli->has_cgi)
        wr_area(w, &uli->cgi, true);
    if (uli->has_sai)
        wr_area(w, &uli->sai, true);
    if (uli->has_rai)
        wr_area(w, &uli->rai, true);
    if (uli->has_tai) {
        wr_plmn(w, &uli->tai.plmn);
        wr_u16(w, uli->tai.tac);
    }
    if (uli->has_ecgi) {
        wr_plmn(w, &uli->ecgi.plmn);
        wr_u32(w, uli->ecgi.cell_id & 0xfffffff);
    }
    if (uli->has_lai)
        wr_area(w, &uli->lai, false);
    if (uli->has_macro) {
        wr_plmn(w, &uli->macro.plmn);
        wr_u24(w, uli->macro.id & 0xfffff);
    }
    if (uli->has_extended_macro) {
        wr_plmn(w, &uli->extended_macro.plmn);
        wr_u24(w,
               (uli->extended_macro.is_short ? 0x800000 : 0) |
                   (uli->extended_macro.id & (uli->extended_macro.is_short ? 0x3ffff : 0x1fffff)));
    }
}

static void print_area(struct text *t, const char *name, const struct gtpc_area *area)
{
    text_add(t, "%s=", name);
    text_plmn(t, &area->plmn);
    text_add(t, "-%u-%u,", area->lac, area->code);
}

static void print_macro(struct text *t, const char *name, const struct gtpc_macro_enodeb_id *enodeb)
{
    text_add(t, "%s=", name);
    text_plmn(t, &enodeb->plmn);
    text_add(t, "-%#x,", enodeb->id);
}

PRINTER(print_uli)
{
    const struct gtpc_uli *uli = value;

    UNUSED(type);
    text_add(t, "{");
    if (uli->has_cgi)
        print_area(t, "cgi", &uli->cgi);
    if (uli->has_sai)
        print_area(t, "sai", &uli->sai);
    if (uli->has_rai)
        print_area(t, "rai", &uli->rai);
    if (uli->has_lai)
        print_area(t, "lai", &uli->lai);
    if (uli->has_macro)
        print_macro(t, "enodeb", &uli->macro);
    if (uli->has_extended_macro)
        print_macro(t, "enodeb", &uli->extended_macro);
    if (uli->has_tai) {
        text_add(t, "tai=");
        text_plmn(t, &uli->tai.plmn);
        text_add(t, "-%u", uli->tai.tac);
    }
    if (uli->has_ecgi) {
        text_add(t, "%secgi=", uli->has_tai ? "," : "");
        text_plmn(t, &uli->ecgi.plmn);
        text_add(t, "-%#x", uli->ecgi.cell_id);
    }
    text_add(t, "}");
}

const struct wire_type gtpc_uli_type = TYPE(struct gtpc_uli, uli);

/* Clause 8.22. */
enum { F_TEID_V4 = 0x80, F_TEID_V6 = 0x40, F_TEID_INTERFACE = 0x3f };

DECODER(decode_f_teid)
{
    struct gtpc_f_teid *f_teid = value;
    uint8_t flags = rd_u8(r);

    UNUSED(type);
    UNUSED(context);
    f_teid->interface_type = flags & F_TEID_INTERFACE;
    f_teid->has_ipv4 = flags & F_TEID_V4;
    f_teid->has_ipv6 = flags & F_TEID_V6;
    f_teid->teid = rd_u32(r);
    if (f_teid->has_ipv4)
        rd_bytes(r, &f_teid->ipv4, sizeof(f_teid->ipv4));
    if (f_teid->has_ipv6)
        rd_bytes(r, &f_teid->ipv6, sizeof(f_teid->ipv6));
    if (!f_teid->has_ipv4 && !f_teid->has_ipv6)
        rd_fail(r);
}

ENCODER(encode_f_teid)
{
    const struct gtpc_f_teid *f_teid = value;

    UNUSED(type);
    wr_u8(w, (uint8_t)((f_teid->has_ipv4 ? F_TEID_V4 : 0) | (f_teid->has_ipv6 ? F_TEID_V6 : 0) |
                       (f_teid->interface_type & F_TEID_INTERFACE)));
    wr_u32(w, f_teid->teid);
    if (f_teid->has_ipv4)
        wr_bytes(w, &f_teid->ipv4, sizeof(f_teid->ipv4));
    if (f_teid->has_ipv6)
        wr_bytes(w, &f_teid->ipv6, sizeof(f_teid->ipv6));
}

PRINTER(print_f_teid)
{
    static const char *const names[] = {
        [GTPC_S1_U_ENODEB] = "S1-U-eNB",     [GTPC_S1_U_SGW] = "S1-U-SGW",
        [GTPC_S5_S8_SGW_GTP_U] = "S5-U-SGW", [GTPC_S5_S8_PGW_GTP_U] = "S5-U-PGW",
        [GTPC_S5_S8_SGW_GTP_C] = "S5-C-SGW", [GTPC_S5_S8_PGW_GTP_C] = "S5-C-PGW",
        [GTPC_S11_MME_GTP_C] = "S11-MME",    [GTPC_S11_S4_SGW_GTP_C] = "S11-SGW",
    };
    const struct gtpc_f_teid *f_teid = value;
    size_t interface = f_teid->interface_type;

    UNUSED(type);
    if (interface < sizeof(names) / sizeof(names[0]) && names[interface])
        text_add(t, "%s:", names[interface]);
    else
        text_add(t, "%zu:", interface);
    text_add(t, "%#x", f_teid->teid);
    if (f_teid->has_ipv4) {
        text_add(t, "@");
        add_address(t, AF_INET, &f_teid->ipv4);
    }
    if (f_teid->has_ipv6) {
        text_add(t, "@");
        add_address(t, AF_INET6, &f_teid->ipv6);
    }
}

const struct wire_type gtpc_f_teid_type = TYPE(struct gtpc_f_teid, f_teid);

/* Clause 8.62. */
DECODER(decode_fq_csid)
{
    struct gtpc_fq_csid *fq_csid = value;
    uint8_t octet = rd_u8(r);

    UNUSED(type);
    UNUSED(context);
    fq_csid->node_id_type = octet >> 4;
    fq_csid->count = octet & 15;
    if (fq_csid->node_id_type == 0)
        rd_bytes(r, &fq_csid->ipv4, sizeof(fq_csid->ipv4));
    else if (fq_csid->node_id_type == 1)
        rd_bytes(r, &fq_csid->ipv6, sizeof(fq_csid->ipv6));
    else if (fq_csid->node_id_type == 2)
        fq_csid->node_number = rd_u32(r);
    else
        rd_fail(r);
    for (size_t i = 0; i < fq_csid->count; i++)
        fq_csid->csid[i] = rd_u16(r);
}

ENCODER(encode_fq_csid)
{
    const struct gtpc_fq_csid *fq_csid = value;

    UNUSED(type);
    if (fq_csid->node_id_type > 2 || fq_csid->count > GTPC_MAX_CSIDS) {
        wr_fail(w);
        return;
    }
    wr_u8(w, (uint8_t)(fq_csid->node_id_type << 4 | fq_csid->count));
    if (fq_csid->node_id_type == 0)
        wr_bytes(w, &fq_csid->ipv4, sizeof(fq_csid->ipv4));
    else if (fq_csid->node_id_type == 1)
        wr_bytes(w, &fq_csid->ipv6, sizeof(fq_csid->ipv6));
    else
        wr_u32(w, fq_csid->node_number);
    for (size_t i = 0; i < fq_csid->count; i++)
        wr_u16(w, fq_csid->csid[i]);
}

PRINTER(print_fq_csid)
{
    const struct gtpc_fq_csid *fq_csid = value;

    UNUSED(type);
    if (fq_csid->node_id_type == 0)
        add_address(t, AF_INET, &fq_csid->ipv4);
    else if (fq_csid->node_id_type == 1)
        add_address(t, AF_INET6, &fq_csid->ipv6);
    else
        text_add(t, "%#x", fq_csid->node_number);
    for (size_t i = 0; i < fq_csid->count; i++)
        text_add(t, ",%u", fq_csid->csid[i]);
}

const struct wire_type gtpc_fq_csid_type = TYPE(struct gtpc_fq_csid, fq_csid);
