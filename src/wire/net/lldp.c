/*
 * lldp.c -- see lldp.h.
 */
#include <errno.h>

#include "wire/net/lldp.h"

enum lldp_tlv {
    LLDP_END = 0,
    LLDP_CHASSIS_ID = 1,
    LLDP_PORT_ID = 2,
    LLDP_TTL = 3,
    LLDP_PORT_DESCRIPTION = 4,
    LLDP_SYSTEM_NAME = 5,
    LLDP_SYSTEM_DESCRIPTION = 6,
    LLDP_ORGANISATION = 127,
};

static void read_organisation(struct reader *body, struct lldp *lldp)
{
    struct lldp_organisation_tlv tlv;

    tlv.oui = rd_u24(body);
    tlv.subtype = rd_u8(body);
    tlv.value = rd_rest(body);
    if (!body->bad && lldp->organisation_count < LLDP_MAX_ORGANISATION_TLVS)
        lldp->organisation[lldp->organisation_count++] = tlv;
}

/* The nth TLV of the PDU: the first three are what they must be. */
static int read_tlv(unsigned nth, uint16_t type, struct reader *body, struct lldp *lldp)
{
    if ((nth < 3 && type != nth + 1) || (nth >= 3 && type >= LLDP_CHASSIS_ID && type <= LLDP_TTL))
        return -EBADMSG;
    switch (type) {
    case LLDP_CHASSIS_ID:
        lldp->chassis_subtype = rd_u8(body);
        lldp->chassis_id = rd_rest(body);
        return lldp->chassis_id.len >= 1 && lldp->chassis_id.len <= 255 ? 0 : -EBADMSG;
    case LLDP_PORT_ID:
        lldp->port_subtype = rd_u8(body);
        lldp->port_id = rd_rest(body);
        return lldp->port_id.len >= 1 && lldp->port_id.len <= 255 ? 0 : -EBADMSG;
    case LLDP_TTL:
        lldp->ttl_s = rd_u16(body);
        return body->bad ? -EBADMSG : 0;
    case LLDP_PORT_DESCRIPTION:
        lldp->port_description = rd_rest(body);
        return 0;
    case LLDP_SYSTEM_NAME:
        lldp->system_name = rd_rest(body);
        return 0;
    case LLDP_SYSTEM_DESCRIPTION:
        lldp->system_description = rd_rest(body);
        return 0;
    case LLDP_ORGANISATION:
        read_organisation(body, lldp);
        return 0;
    default: /* other optional TLVs are skipped */
        return 0;
    }
}

int lldp_read(struct bytes payload, struct lldp *lldp)
{
    struct reader r = reader_of_bytes(payload);
    unsigned nth = 0;

    memset(lldp, 0, sizeof(*lldp));
    while (rd_left(&r) > 0) {
        uint16_t header = rd_u16(&r);
        struct reader body = rd_sub(&r, header & 0x1ff);

        if (r.bad || body.bad)
            return -EBADMSG;
        if (header >> 9 == LLDP_END)
            break;
        if (read_tlv(nth++, header >> 9, &body, lldp) < 0)
            return -EBADMSG;
    }
    return nth >= 3 && !r.bad ? 0 : -EBADMSG;
}

static void write_tlv(struct writer *w, uint16_t type, const uint8_t *head, size_t head_len,
                      struct bytes value)
{
    if (head_len + value.len > 0x1ff) {
        wr_fail(w);
        return;
    }
    wr_u16(w, (uint16_t)(type << 9 | (head_len + value.len)));
    wr_bytes(w, head, head_len);
    wr_view_of(w, value);
}

void lldp_write(struct writer *w, const struct lldp *lldp)
{
    const uint8_t ttl[] = {(uint8_t)(lldp->ttl_s >> 8), (uint8_t)lldp->ttl_s};
    const struct bytes none = {NULL, 0};

    write_tlv(w, LLDP_CHASSIS_ID, &lldp->chassis_subtype, 1, lldp->chassis_id);
    write_tlv(w, LLDP_PORT_ID, &lldp->port_subtype, 1, lldp->port_id);
    write_tlv(w, LLDP_TTL, ttl, 2, none);
    if (lldp->port_description.len)
        write_tlv(w, LLDP_PORT_DESCRIPTION, NULL, 0, lldp->port_description);
    if (lldp->system_name.len)
        write_tlv(w, LLDP_SYSTEM_NAME, NULL, 0, lldp->system_name);
    if (lldp->system_description.len)
        write_tlv(w, LLDP_SYSTEM_DESCRIPTION, NULL, 0, lldp->system_description);
    for (size_t i = 0; i < lldp->organisation_count; i++) {
        const struct lldp_organisation_tlv *o = &lldp->organisation[i];
        const uint8_t head[] = {(uint8_t)(o->oui >> 16), (uint8_t)(o->oui >> 8), (uint8_t)o->oui,
                                o->subtype};

        write_tlv(w, LLDP_ORGANISATION, head, sizeof(head), o->value);
    }
    wr_u16(w, LLDP_END);
}

void lldp_print(struct text *t, const struct lldp *lldp)
{
    text_add(t, "chassis %u:", lldp->chassis_subtype);
    text_escaped(t, lldp->chassis_id);
    text_add(t, " port %u:", lldp->port_subtype);
    text_escaped(t, lldp->port_id);
    text_add(t, " ttl %us", lldp->ttl_s);
    if (lldp->system_name.len) {
        text_add(t, " name ");
        text_escaped(t, lldp->system_name);
    }
}
