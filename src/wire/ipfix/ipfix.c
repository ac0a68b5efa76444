/*
 * ipfix.c -- see ipfix.h. The tables, and one encoder that goes through them.
 */
#include <string.h>

#include "wire/ipfix/ipfix.h"

#define HEADER_SIZE    16
#define SET_HEAD       4
#define SET_TEMPLATES  2
#define SET_OPTIONS    3
#define FIRST_TEMPLATE 256

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A field of a record: the value lies at `offset` of the struct, as a number in host order or as
 * bytes. */
struct field {
    uint16_t element; /* IANA's number */
    uint8_t size;     /* on the wire */
    uint8_t held;     /* bytes of the number in the struct; 0: as on the wire */
    uint16_t offset;
    uint64_t also; /* bits that are set in the number */
};

#define NUMBER(type, element, size, member)                                       \
    {                                                                             \
        (element), (size), sizeof(((type *)0)->member), offsetof(type, member), 0 \
    }
#define FLOW(element, size, member) NUMBER(struct ipfix_flow, element, size, member)
#define FLOW_BYTES(element, size, member)                            \
    {                                                                \
        (element), (size), 0, offsetof(struct ipfix_flow, member), 0 \
    }

static const struct field common_fields[] = {
    FLOW(1, 8, octets),            /* octetDeltaCount */
    FLOW(2, 8, packets),           /* packetDeltaCount */
    FLOW(152, 8, start_ms),        /* flowStartMilliseconds */
    FLOW(153, 8, end_ms),          /* flowEndMilliseconds */
    FLOW(10, 4, in_port),          /* ingressInterface */
    FLOW(14, 4, out_port),         /* egressInterface */
    FLOW(243, 2, vlan),            /* dot1qVlanId */
    FLOW(4, 1, protocol),          /* protocolIdentifier */
    FLOW(136, 1, end_reason),      /* flowEndReason */
    FLOW(89, 1, forwarding),       /* forwardingStatus */
    FLOW(6, 2, tcp_flags),         /* tcpControlBits */
    FLOW(7, 2, source_port),       /* sourceTransportPort */
    FLOW(11, 2, destination_port), /* destinationTransportPort */
    FLOW(302, 2, selector),        /* selectorId */
};

static const struct field ipv4_fields[] = {
    FLOW_BYTES(8, 4, source),       /* sourceIPv4Address */
    FLOW_BYTES(12, 4, destination), /* destinationIPv4Address */
    FLOW(32, 2, icmp),              /* icmpTypeCodeIPv4 */
};

static const struct field ipv6_fields[] = {
    FLOW_BYTES(27, 16, source),      /* sourceIPv6Address */
    FLOW_BYTES(28, 16, destination), /* destinationIPv6Address */
    FLOW(139, 2, icmp),              /* icmpTypeCodeIPv6 */
};

/* layer2SegmentId (RFC 7133 clause 3.2): the first byte says that it is a VXLAN's. */
static const struct field vxlan_fields[] = {
    {351, 8, 8, offsetof(struct ipfix_flow, tunnel_id), UINT64_C(1) << 56},
};

/* gtpuTEid, as IANA has it for draft-ietf-opsawg-ipfix-gtpu. */
static const struct field gtpu_fields[] = {
    FLOW(507, 4, tunnel_id),
};

#define SAMPLING(element, size, member) NUMBER(struct ipfix_sampling, element, size, member)

/* The selector report of n-out-of-N sampling; the first is the scope. The size of the sample is in
 * no member: see CONSTANT. */
#define CONSTANT(element, size, value)      \
    {                                       \
        (element), (size), 0xff, 0, (value) \
    }
#define RANDOM_N_OUT_OF_N 3

static const struct field sampling_fields[] = {
    SAMPLING(302, 2, selector),          /* selectorId */
    CONSTANT(304, 2, RANDOM_N_OUT_OF_N), /* selectorAlgorithm */
    CONSTANT(309, 4, 1),                 /* samplingSize */
    SAMPLING(310, 4, population),        /* samplingPopulation */
    CONSTANT(305, 4, 1),                 /* samplingPacketInterval: packets taken in a row, and */
    SAMPLING(306, 4, space),             /* samplingPacketSpace: passed over, for who reads those */
};

#define SAMPLING_SCOPES 1

/* The parts of a template. */
struct part {
    const struct field *at;
    size_t count;
};
#define PART(fields)            \
    {                           \
        (fields), COUNT(fields) \
    }

static const struct part version_parts[] = {PART(ipv4_fields), PART(ipv6_fields)};
static const struct part tunnel_parts[IPFIX_TUNNELS] = {
    [IPFIX_VXLAN] = PART(vxlan_fields), [IPFIX_GTPU] = PART(gtpu_fields)};
static const struct part common_part = PART(common_fields);
static const struct part sampling_part = PART(sampling_fields);

#define TEMPLATES        (COUNT(version_parts) * IPFIX_TUNNELS)
#define OPTIONS_TEMPLATE (FIRST_TEMPLATE + TEMPLATES)

/* ---- sets ---- */

static void set_close(struct ipfix_message *m)
{
    if (m->set)
        wr_patch_u16(&m->w, m->set + 2, (uint16_t)(wr_len(&m->w) - m->set));
    m->set = 0;
}

/* Records that follow are in a set of this id. */
static void set_open(struct ipfix_message *m, uint16_t id)
{
    if (m->set && m->set_id == id)
        return;
    set_close(m);
    m->set = wr_len(&m->w);
    m->set_id = id;
    wr_u16(&m->w, id);
    wr_u16(&m->w, 0);
}

void ipfix_begin(struct ipfix_message *m, void *buffer, size_t size)
{
    *m = (struct ipfix_message){.w = writer_of(buffer, size)};
    wr_zero(&m->w, HEADER_SIZE);
}

void ipfix_end(struct ipfix_message *m, uint32_t domain, uint32_t sequence, uint32_t time_s)
{
    set_close(m);
    wr_patch_u16(&m->w, 0, IPFIX_VERSION);
    wr_patch_u16(&m->w, 2, (uint16_t)wr_len(&m->w));
    wr_patch_u32(&m->w, 4, time_s);
    wr_patch_u32(&m->w, 8, sequence);
    wr_patch_u32(&m->w, 12, domain);
}

/* ---- templates ---- */

static void put_specifiers(struct writer *w, const struct part *part)
{
    for (size_t i = 0; i < part->count; i++) {
        wr_u16(w, part->at[i].element);
        wr_u16(w, part->at[i].size);
    }
}

bool ipfix_add_templates(struct ipfix_message *m)
{
    set_open(m, SET_TEMPLATES);
    for (size_t i = 0; i < TEMPLATES; i++) {
        const struct part *version = &version_parts[i / IPFIX_TUNNELS];
        const struct part *tunnel = &tunnel_parts[i % IPFIX_TUNNELS];

        wr_u16(&m->w, (uint16_t)(FIRST_TEMPLATE + i));
        wr_u16(&m->w, (uint16_t)(common_part.count + version->count + tunnel->count));
        put_specifiers(&m->w, &common_part);
        put_specifiers(&m->w, version);
        put_specifiers(&m->w, tunnel);
    }
    set_open(m, SET_OPTIONS);
    wr_u16(&m->w, OPTIONS_TEMPLATE);
    wr_u16(&m->w, (uint16_t)sampling_part.count);
    wr_u16(&m->w, SAMPLING_SCOPES);
    put_specifiers(&m->w, &sampling_part);
    set_close(m);
    return !m->w.bad;
}

/* ---- records ---- */

static uint64_t number_at(const struct field *f, const uint8_t *at)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    switch (f->held) {
    case 1:
        return *at;
    case 2:
        memcpy(&two, at, sizeof(two));
        return two;
    case 4:
        memcpy(&four, at, sizeof(four));
        return four;
    case 8:
        memcpy(&eight, at, sizeof(eight));
        return eight;
    default:
        return 0;
    }
}

static void put_record(struct writer *w, const struct part *part, const void *record)
{
    for (size_t i = 0; i < part->count; i++) {
        const struct field *f = &part->at[i];
        const uint8_t *at = (const uint8_t *)record + f->offset;

        if (f->held)
            wr_uint(w, number_at(f, at) | f->also, f->size);
        else
            wr_bytes(w, at, f->size);
    }
}

/* A record of these parts, in the set of its template. False, and nothing done, when it does not
 * fit. */
static bool add_record(struct ipfix_message *m, uint16_t template_id,
                       const struct part *const parts[], size_t count, const void *record)
{
    const struct ipfix_message before = *m;

    set_open(m, template_id);
    for (size_t i = 0; i < count; i++)
        put_record(&m->w, parts[i], record);
    if (m->w.bad) {
        *m = before;
        return false;
    }
    m->records++;
    return true;
}

bool ipfix_add_flow(struct ipfix_message *m, const struct ipfix_flow *flow)
{
    size_t version = flow->ip_version == 6;
    const struct part *const parts[] = {&common_part, &version_parts[version],
                                        &tunnel_parts[flow->tunnel]};
    uint16_t id = (uint16_t)(FIRST_TEMPLATE + version * IPFIX_TUNNELS + flow->tunnel);

    return add_record(m, id, parts, COUNT(parts), flow);
}

bool ipfix_add_sampling(struct ipfix_message *m, const struct ipfix_sampling *sampling)
{
    const struct part *const parts[] = {&sampling_part};

    return add_record(m, OPTIONS_TEMPLATE, parts, COUNT(parts), sampling);
}
