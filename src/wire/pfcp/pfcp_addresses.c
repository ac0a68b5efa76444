/*
 * pfcp_addresses.c -- PFCP values that say where something is (TS 29.244 clause 8.2): nodes,
 * sessions, tunnels, phones.
 *
 * Decoders read what this release knows and leave the rest of a value alone: later releases append
 * to it.
 */
#include <arpa/inet.h>

#include "wire/pfcp/pfcp_types.h"

static void put_ipv4(struct text *t, const char *label, const struct in_addr *address)
{
    char printed[INET_ADDRSTRLEN];

    text_add(t, "%s%s", label, inet_ntop(AF_INET, address, printed, sizeof(printed)));
}

static void put_ipv6(struct text *t, const char *label, const struct in6_addr *address)
{
    char printed[INET6_ADDRSTRLEN];

    text_add(t, "%s%s", label, inet_ntop(AF_INET6, address, printed, sizeof(printed)));
}

/* Clause 8.2.38. */
static void node_id_decode(const struct wire_type *type, struct reader *r, void *value,
                           struct wire_context *context)
{
    struct pfcp_node_id *id = value;

    (void)type;
    (void)context;
    id->type = rd_u8(r) & 0x0f;
    switch (id->type) {
    case PFCP_NODE_ID_IPV4:
        rd_bytes(r, &id->ipv4, sizeof(id->ipv4));
        break;
    case PFCP_NODE_ID_IPV6:
        rd_bytes(r, &id->ipv6, sizeof(id->ipv6));
        break;
    case PFCP_NODE_ID_FQDN:
        id->fqdn = rd_rest(r);
        if (id->fqdn.len == 0)
            rd_fail(r);
        break;
    default:
        rd_fail(r);
    }
}

static void node_id_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct pfcp_node_id *id = value;

    (void)type;
    wr_u8(w, (uint8_t)id->type);
    if (id->type == PFCP_NODE_ID_IPV4)
        wr_bytes(w, &id->ipv4, sizeof(id->ipv4));
    else if (id->type == PFCP_NODE_ID_IPV6)
        wr_bytes(w, &id->ipv6, sizeof(id->ipv6));
    else
        wr_view_of(w, id->fqdn);
}

/* Labels with dots between; what is not a label's length any more is printed as it is. */
static void put_labels(struct text *t, struct bytes labels)
{
    struct reader r = reader_of_bytes(labels);
    const char *between = "";

    while (rd_left(&r) > 0) {
        struct bytes label = rd_view(&r, rd_u8(&r));
        if (r.bad) {
            text_add(t, "?");
            return;
        }
        text_add(t, "%s", between);
        text_escaped(t, label);
        between = ".";
    }
}

static void node_id_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct pfcp_node_id *id = value;

    (void)type;
    if (id->type == PFCP_NODE_ID_IPV4)
        put_ipv4(t, "", &id->ipv4);
    else if (id->type == PFCP_NODE_ID_IPV6)
        put_ipv6(t, "", &id->ipv6);
    else
        put_labels(t, id->fqdn);
}

VALUE_TYPE(node_id);

bool pfcp_node_id_equal(const struct pfcp_node_id *a, const struct pfcp_node_id *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == PFCP_NODE_ID_IPV4)
        return a->ipv4.s_addr == b->ipv4.s_addr;
    if (a->type == PFCP_NODE_ID_IPV6)
        return memcmp(&a->ipv6, &b->ipv6, sizeof(a->ipv6)) == 0;
    return bytes_equal(a->fqdn, b->fqdn);
}

/* Clause 8.2.37. Neither address is a fault: nobody could be answered. */
static void f_seid_decode(const struct wire_type *type, struct reader *r, void *value,
                          struct wire_context *context)
{
    struct pfcp_f_seid *f = value;
    uint8_t flags = rd_u8(r);

    (void)type;
    (void)context;
    f->has_ipv6 = flags & 1;
    f->has_ipv4 = flags & 2;
    f->seid = rd_u64(r);
    if (f->has_ipv4)
        rd_bytes(r, &f->ipv4, sizeof(f->ipv4));
    if (f->has_ipv6)
        rd_bytes(r, &f->ipv6, sizeof(f->ipv6));
    if (!f->has_ipv4 && !f->has_ipv6)
        rd_fail(r);
}

static void f_seid_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct pfcp_f_seid *f = value;

    (void)type;
    wr_u8(w, (uint8_t)(f->has_ipv6 | f->has_ipv4 << 1));
    wr_u64(w, f->seid);
    if (f->has_ipv4)
        wr_bytes(w, &f->ipv4, sizeof(f->ipv4));
    if (f->has_ipv6)
        wr_bytes(w, &f->ipv6, sizeof(f->ipv6));
}

static void f_seid_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct pfcp_f_seid *f = value;

    (void)type;
    text_add(t, "0x%llx", (unsigned long long)f->seid);
    if (f->has_ipv4)
        put_ipv4(t, "@", &f->ipv4);
    if (f->has_ipv6)
        put_ipv6(t, "@", &f->ipv6);
}

VALUE_TYPE(f_seid);

/* Clause 8.2.3. */
static void f_teid_decode(const struct wire_type *type, struct reader *r, void *value,
                          struct wire_context *context)
{
    struct pfcp_f_teid *f = value;
    uint8_t flags = rd_u8(r);

    (void)type;
    (void)context;
    f->has_ipv4 = flags & 1;
    f->has_ipv6 = flags & 2;
    f->choose = flags & 4;
    f->has_choose_id = f->choose && flags & 8;
    if (!f->has_ipv4 && !f->has_ipv6)
        rd_fail(r);
    if (f->choose) {
        f->choose_id = f->has_choose_id ? rd_u8(r) : 0;
        return;
    }
    f->teid = rd_u32(r);
    if (f->has_ipv4)
        rd_bytes(r, &f->ipv4, sizeof(f->ipv4));
    if (f->has_ipv6)
        rd_bytes(r, &f->ipv6, sizeof(f->ipv6));
}

static void f_teid_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct pfcp_f_teid *f = value;

    (void)type;
    wr_u8(w, (uint8_t)(f->has_ipv4 | f->has_ipv6 << 1 | f->choose << 2 |
                       (f->choose && f->has_choose_id) << 3));
    if (f->choose) {
        if (f->has_choose_id)
            wr_u8(w, f->choose_id);
        return;
    }
    wr_u32(w, f->teid);
    if (f->has_ipv4)
        wr_bytes(w, &f->ipv4, sizeof(f->ipv4));
    if (f->has_ipv6)
        wr_bytes(w, &f->ipv6, sizeof(f->ipv6));
}

static void f_teid_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct pfcp_f_teid *f = value;

    (void)type;
    if (f->choose) {
        text_add(t, "choose%s%s", f->has_ipv4 ? "-ipv4" : "", f->has_ipv6 ? "-ipv6" : "");
        if (f->has_choose_id)
            text_add(t, "#%u", f->choose_id);
        return;
    }
    text_add(t, "0x%08x", f->teid);
    if (f->has_ipv4)
        put_ipv4(t, "@", &f->ipv4);
    if (f->has_ipv6)
        put_ipv6(t, "@", &f->ipv6);
}

VALUE_TYPE(f_teid);

/* Clause 8.2.62. */
static void ue_ip_address_decode(const struct wire_type *type, struct reader *r, void *value,
                                 struct wire_context *context)
{
    struct pfcp_ue_ip_address *a = value;
    uint8_t flags = rd_u8(r);

    (void)type;
    (void)context;
    a->has_ipv6 = flags & 0x01;
    a->has_ipv4 = flags & 0x02;
    a->is_destination = flags & 0x04;
    a->has_delegation = flags & 0x08;
    a->choose_ipv4 = flags & 0x10;
    a->choose_ipv6 = flags & 0x20;
    if (a->has_ipv4)
        rd_bytes(r, &a->ipv4, sizeof(a->ipv4));
    if (a->has_ipv6)
        rd_bytes(r, &a->ipv6, sizeof(a->ipv6));
    if (a->has_delegation)
        a->delegation_bits = rd_u8(r);
}

static void ue_ip_address_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct pfcp_ue_ip_address *a = value;

    (void)type;
    wr_u8(w, (uint8_t)(a->has_ipv6 | a->has_ipv4 << 1 | a->is_destination << 2 |
                       a->has_delegation << 3 | a->choose_ipv4 << 4 | a->choose_ipv6 << 5));
    if (a->has_ipv4)
        wr_bytes(w, &a->ipv4, sizeof(a->ipv4));
    if (a->has_ipv6)
        wr_bytes(w, &a->ipv6, sizeof(a->ipv6));
    if (a->has_delegation)
        wr_u8(w, a->delegation_bits);
}

static void ue_ip_address_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct pfcp_ue_ip_address *a = value;

    (void)type;
    text_add(t, "%s", a->is_destination ? "to" : "from");
    if (a->has_ipv4)
        put_ipv4(t, ":", &a->ipv4);
    if (a->has_ipv6)
        put_ipv6(t, ":", &a->ipv6);
    if (a->has_delegation)
        text_add(t, "+%u", a->delegation_bits);
    if (a->choose_ipv4)
        text_add(t, ":choose-ipv4");
    if (a->choose_ipv6)
        text_add(t, ":choose-ipv6");
}

VALUE_TYPE(ue_ip_address);

/* Clause 8.2.56: which fields follow depends on the description. */
#define CREATES_GTP_U (PFCP_CREATE_GTP_U_UDP_IPV4 | PFCP_CREATE_GTP_U_UDP_IPV6)
#define CREATES_IPV4  (PFCP_CREATE_GTP_U_UDP_IPV4 | PFCP_CREATE_UDP_IPV4)
#define CREATES_IPV6  (PFCP_CREATE_GTP_U_UDP_IPV6 | PFCP_CREATE_UDP_IPV6)
#define CREATES_UDP   (PFCP_CREATE_UDP_IPV4 | PFCP_CREATE_UDP_IPV6)

static void outer_header_creation_decode(const struct wire_type *type, struct reader *r,
                                         void *value, struct wire_context *context)
{
    struct pfcp_outer_header_creation *o = value;

    (void)type;
    (void)context;
    o->description = rd_u8(r);
    o->description |= (uint16_t)(rd_u8(r) << 8);
    if (o->description & CREATES_GTP_U)
        o->teid = rd_u32(r);
    if (o->description & CREATES_IPV4)
        rd_bytes(r, &o->ipv4, sizeof(o->ipv4));
    if (o->description & CREATES_IPV6)
        rd_bytes(r, &o->ipv6, sizeof(o->ipv6));
    if (o->description & CREATES_UDP)
        o->port = rd_u16(r);
}

static void outer_header_creation_encode(const struct wire_type *type, struct writer *w,
                                         const void *value)
{
    const struct pfcp_outer_header_creation *o = value;

    (void)type;
    wr_u8(w, (uint8_t)o->description);
    wr_u8(w, (uint8_t)(o->description >> 8));
    if (o->description & CREATES_GTP_U)
        wr_u32(w, o->teid);
    if (o->description & CREATES_IPV4)
        wr_bytes(w, &o->ipv4, sizeof(o->ipv4));
    if (o->description & CREATES_IPV6)
        wr_bytes(w, &o->ipv6, sizeof(o->ipv6));
    if (o->description & CREATES_UDP)
        wr_u16(w, o->port);
}

static void outer_header_creation_print(const struct wire_type *type, struct text *t,
                                        const void *value)
{
    const struct pfcp_outer_header_creation *o = value;

    (void)type;
    if (o->description & CREATES_GTP_U)
        text_add(t, "gtp-u:0x%08x", o->teid);
    else
        text_add(t, "description:0x%04x", o->description);
    if (o->description & CREATES_IPV4)
        put_ipv4(t, "@", &o->ipv4);
    if (o->description & CREATES_IPV6)
        put_ipv6(t, "@", &o->ipv6);
    if (o->description & CREATES_UDP)
        text_add(t, ":%u", o->port);
}

VALUE_TYPE(outer_header_creation);

/* Clause 8.2.71. */
static void remote_gtp_u_peer_decode(const struct wire_type *type, struct reader *r, void *value,
                                     struct wire_context *context)
{
    struct pfcp_remote_gtp_u_peer *peer = value;
    uint8_t flags = rd_u8(r);

    (void)type;
    (void)context;
    peer->has_ipv6 = flags & 1;
    peer->has_ipv4 = flags & 2;
    if (peer->has_ipv4)
        rd_bytes(r, &peer->ipv4, sizeof(peer->ipv4));
    if (peer->has_ipv6)
        rd_bytes(r, &peer->ipv6, sizeof(peer->ipv6));
}

static void remote_gtp_u_peer_encode(const struct wire_type *type, struct writer *w,
                                     const void *value)
{
    const struct pfcp_remote_gtp_u_peer *peer = value;

    (void)type;
    wr_u8(w, (uint8_t)(peer->has_ipv6 | peer->has_ipv4 << 1));
    if (peer->has_ipv4)
        wr_bytes(w, &peer->ipv4, sizeof(peer->ipv4));
    if (peer->has_ipv6)
        wr_bytes(w, &peer->ipv6, sizeof(peer->ipv6));
}

static void remote_gtp_u_peer_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct pfcp_remote_gtp_u_peer *peer = value;

    (void)type;
    if (peer->has_ipv4)
        put_ipv4(t, "", &peer->ipv4);
    if (peer->has_ipv6)
        put_ipv6(t, peer->has_ipv4 ? "/" : "", &peer->ipv6);
}

VALUE_TYPE(remote_gtp_u_peer);

/* Clause 8.2.82. The network instance has no length of its own: it ends where the source
 * interface's octet, or the element, does. */
static void user_plane_ip_resource_information_decode(const struct wire_type *type,
                                                      struct reader *r, void *value,
                                                      struct wire_context *context)
{
    struct pfcp_user_plane_ip_resource_information *u = value;
    uint8_t flags = rd_u8(r);

    (void)type;
    (void)context;
    u->has_ipv4 = flags & 0x01;
    u->has_ipv6 = flags & 0x02;
    u->teid_range_bits = flags >> 2 & 7;
    u->has_network_instance = flags & 0x20;
    u->has_source_interface = flags & 0x40;
    if (u->teid_range_bits)
        u->teid_range = rd_u8(r);
    if (u->has_ipv4)
        rd_bytes(r, &u->ipv4, sizeof(u->ipv4));
    if (u->has_ipv6)
        rd_bytes(r, &u->ipv6, sizeof(u->ipv6));
    if (u->has_network_instance) {
        size_t left = rd_left(r);
        if (left < u->has_source_interface)
            rd_fail(r);
        else
            u->network_instance = rd_view(r, left - u->has_source_interface);
    }
    if (u->has_source_interface)
        u->source_interface = rd_u8(r) & 0x0f;
}

static void user_plane_ip_resource_information_encode(const struct wire_type *type,
                                                      struct writer *w, const void *value)
{
    const struct pfcp_user_plane_ip_resource_information *u = value;

    (void)type;
    wr_u8(w, (uint8_t)(u->has_ipv4 | u->has_ipv6 << 1 | (u->teid_range_bits & 7) << 2 |
                       u->has_network_instance << 5 | u->has_source_interface << 6));
    if (u->teid_range_bits)
        wr_u8(w, u->teid_range);
    if (u->has_ipv4)
        wr_bytes(w, &u->ipv4, sizeof(u->ipv4));
    if (u->has_ipv6)
        wr_bytes(w, &u->ipv6, sizeof(u->ipv6));
    if (u->has_network_instance)
        wr_view_of(w, u->network_instance);
    if (u->has_source_interface)
        wr_u8(w, u->source_interface);
}

static void user_plane_ip_resource_information_print(const struct wire_type *type, struct text *t,
                                                     const void *value)
{
    const struct pfcp_user_plane_ip_resource_information *u = value;

    (void)type;
    text_add(t, "teids:%02x/%u", u->teid_range, u->teid_range_bits);
    if (u->has_ipv4)
        put_ipv4(t, "@", &u->ipv4);
    if (u->has_ipv6)
        put_ipv6(t, "@", &u->ipv6);
    if (u->has_network_instance) {
        text_add(t, "/");
        text_escaped(t, u->network_instance);
    }
    if (u->has_source_interface)
        text_add(t, "/interface:%u", u->source_interface);
}

VALUE_TYPE(user_plane_ip_resource_information);
