/*
 * s1ap.c -- see s1ap.h: the S1AP-PDU around every message, and values outside of messages.
 *
 * S1AP-PDU (TS 36.413 clause 9.3.2) is a CHOICE of three forms, each {procedure code, criticality,
 * open type}; the open type holds a SEQUENCE whose only component is the container of IEs. In
 * octets:
 *
 *     form  procedure  criticality  length  00  number of IEs (2)  { id (2)  criticality  length
 * value } ...
 */
#include "wire/s1ap/report.h"

static int decode_body(struct aper_decoder *d, struct bytes content, struct s1ap_pdu *pdu)
{
    const struct s1ap_message_entry *message = &s1ap_messages[pdu->message];
    void *body = arena_alloc(d->in.arena, message->size);

    if (!body)
        return -ENOMEM;
    pdu->body = body;
    pdu->lacking = UINT64_MAX;
    d->in = aper_reader_of(content, d->in.arena);
    bool extended = aper_read_bits(&d->in, 1);
    aper_decode_container(d, message->ies, body, &pdu->lacking);
    if (extended)
        aper_skip_additions(&d->in);
    return d->in.r.bad ? -EBADMSG : 0;
}

static int decode_pdu(struct aper_decoder *d, struct s1ap_pdu *pdu, bool *header_read)
{
    if (aper_read_bits(&d->in, 1)) /* a fourth form (clause 10.3.4.1A) */
        return -EBADMSG;
    pdu->form = (enum s1ap_form)aper_read_number(&d->in, 0, 2);
    pdu->procedure_code = (uint8_t)aper_read_number(&d->in, 0, 255);
    pdu->criticality = (enum s1ap_criticality)aper_read_number(&d->in, 0, 2);
    if (d->in.r.bad)
        return -EBADMSG;
    *header_read = true;
    struct bytes content = aper_read_open(&d->in);
    if (d->in.r.bad)
        return -EBADMSG;

    const struct s1ap_procedure *procedure = s1ap_procedure(pdu->procedure_code);
    if (!procedure || procedure->messages[pdu->form] == S1AP_NO_MESSAGE)
        return -ENOTSUP;
    pdu->message = procedure->messages[pdu->form];
    return decode_body(d, content, pdu);
}

int s1ap_decode(struct bytes message, struct arena *arena, struct s1ap_pdu *pdu,
                struct s1ap_report *report)
{
    struct aper_decoder d = {.in = aper_reader_of(message, arena)};
    bool header_read = false;

    *pdu = (struct s1ap_pdu){0};
    *report = (struct s1ap_report){0};
    int err = decode_pdu(&d, pdu, &header_read);
    return s1ap_judge(report, &d, pdu, header_read, err);
}

static int result_of(const struct aper_writer *out)
{
    if (out->refused)
        return -EINVAL;
    return out->w->bad ? -ENOBUFS : 0;
}

int s1ap_encode(struct writer *w, enum s1ap_message message, const void *body)
{
    struct aper_writer out = aper_writer_of(w);

    if (message == S1AP_NO_MESSAGE || (unsigned)message >= S1AP_MESSAGE_COUNT) {
        aper_refuse(&out);
        return -EINVAL;
    }
    const struct s1ap_message_entry *entry = &s1ap_messages[message];
    aper_write_bits(&out, 0, 1);
    aper_write_number(&out, entry->form, 0, 2);
    aper_write_number(&out, entry->procedure_code, 0, 255);
    aper_write_number(&out, s1ap_procedures[entry->procedure_code].criticality, 0, 2);
    size_t opened = aper_write_open(&out);
    aper_write_bits(&out, 0, 1);
    aper_encode_container(&out, entry->ies, body);
    aper_write_close(&out, opened);
    return result_of(&out);
}

/* ---- what a message is about ---- */

static int row_index(const struct s1ap_pdu *pdu, uint16_t ie_id)
{
    const struct aper_container *ies = s1ap_messages[pdu->message].ies;

    for (unsigned i = 0; ies && i < ies->count; i++)
        if (ies->rows[i].id == ie_id)
            return (int)i;
    return -1;
}

bool s1ap_lacks(const struct s1ap_pdu *pdu, uint16_t ie_id)
{
    int i = row_index(pdu, ie_id);

    return i < 0 || !pdu->body || pdu->lacking >> i & 1;
}

/* The value of an IE of the message, NULL when it is not there. */
static const void *value_of(const struct s1ap_pdu *pdu, uint16_t ie_id)
{
    int i = row_index(pdu, ie_id);

    if (i < 0 || !pdu->body)
        return NULL;
    const struct aper_row *row = &s1ap_messages[pdu->message].ies->rows[i];
    if (row->presence == APER_MANDATORY && pdu->lacking >> i & 1)
        return NULL;
    return aper_row_value(row, pdu->body);
}

const uint32_t *s1ap_mme_ue_s1ap_id(const struct s1ap_pdu *pdu)
{
    const uint32_t *id = value_of(pdu, S1AP_ID_MME_UE_S1AP_ID);
    const struct s1ap_ue_s1ap_ids *ids;

    if (id)
        return id;
    if ((ids = value_of(pdu, S1AP_ID_UE_S1AP_IDS)))
        return &ids->mme_ue_s1ap_id;
    return value_of(pdu, S1AP_ID_SOURCE_MME_UE_S1AP_ID);
}

const uint32_t *s1ap_enb_ue_s1ap_id(const struct s1ap_pdu *pdu)
{
    const uint32_t *id = value_of(pdu, S1AP_ID_ENB_UE_S1AP_ID);
    const struct s1ap_ue_s1ap_ids *ids;

    if (id)
        return id;
    ids = value_of(pdu, S1AP_ID_UE_S1AP_IDS);
    return ids && ids->kind == S1AP_UE_S1AP_ID_PAIR ? &ids->enb_ue_s1ap_id : NULL;
}

uint16_t s1ap_ue_identity_index_value(const char *imsi, unsigned modulus)
{
    uint64_t v = 0;

    for (const char *p = imsi; *p >= '0' && *p <= '9' && p - imsi < IMSI_SIZE - 1; p++)
        v = v * 10 + (uint64_t)(*p - '0');
    return modulus == 0 ? 0 : (uint16_t)(v % modulus);
}

/* ---- values outside of messages ---- */

#define VALUE_TYPE(name, NAME) [S1AP_VALUE_##NAME] = &s1ap_type_##name,
static const struct aper_type *const value_types[S1AP_VALUE_COUNT] = {S1AP_VALUES(VALUE_TYPE)};
#undef VALUE_TYPE

int s1ap_decode_value(struct bytes encoded, struct arena *arena, enum s1ap_value value, void *to)
{
    struct aper_decoder d = {.in = aper_reader_of(encoded, arena)};

    if ((unsigned)value >= S1AP_VALUE_COUNT)
        return -EINVAL;
    memset(to, 0, value_types[value]->size);
    aper_decode(&d, value_types[value], to);
    if (d.in.no_memory)
        return -ENOMEM;
    return d.in.r.bad || d.not_understood ? -EBADMSG : 0;
}

int s1ap_encode_value(struct writer *w, enum s1ap_value value, const void *from)
{
    struct aper_writer out = aper_writer_of(w);

    if ((unsigned)value >= S1AP_VALUE_COUNT) {
        aper_refuse(&out);
        return -EINVAL;
    }
    aper_encode(&out, value_types[value], from);
    return result_of(&out);
}

/* ---- printing ---- */

void s1ap_print_message(struct text *t, enum s1ap_message message, const void *body)
{
    text_add(t, "%s", s1ap_message_name(message));
    if (message != S1AP_NO_MESSAGE && (unsigned)message < S1AP_MESSAGE_COUNT && body)
        aper_print_container(t, s1ap_messages[message].ies, body);
}

void s1ap_print(struct text *t, const struct s1ap_pdu *pdu)
{
    if (pdu->message == S1AP_NO_MESSAGE)
        text_add(t, "unknown message of procedure %u (%s)", pdu->procedure_code,
                 s1ap_procedure_name(pdu->procedure_code));
    else
        s1ap_print_message(t, pdu->message, pdu->body);
}

void s1ap_print_cause(struct text *t, const struct s1ap_cause *cause)
{
    aper_print(t, &s1ap_type_cause, cause);
}

/* More than any message of 64 KiB makes of itself. */
#define TRACE_ARENA_LIMIT ((size_t)1024 * 1024)

void s1ap_trace_printer(struct bytes message, struct text *t)
{
    struct arena arena;
    struct s1ap_pdu pdu;
    struct s1ap_report report;

    arena_init(&arena, TRACE_ARENA_LIMIT);
    if (s1ap_decode(message, &arena, &pdu, &report) == 0)
        s1ap_print(t, &pdu);
    else
        s1ap_print_report(t, &report);
    arena_free(&arena);
}
