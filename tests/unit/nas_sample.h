/*
 * nas_sample.h -- a message of every type with every element in it, built from the tables octet by
 * octet (not by the encoder): for the tests and the fuzzer's seeds.
 */
#ifndef STROWGER_TESTS_NAS_SAMPLE_H
#define STROWGER_TESTS_NAS_SAMPLE_H

#include "wire/nas/nas_table.h"

/* Octets that are right for a kind of value, or NULL when any will do. */
static inline const char *nas_sample_value(const struct wire_type *type)
{
    static const struct {
        const struct wire_type *type;
        const char *hex;
    } values[] = {
        {&nas_eps_identity, "f600f1108001012a3b4c5d"},
        {&nas_mobile_identity, "f4c0ffee01"},
        {&nas_tai, "00f1100007"},
        {&nas_tai_list_type, "0100f11000070009"},
        {&nas_lai_type, "00f110abcd"},
        {&nas_plmn_list_type, "00f11000f120"},
        {&nas_ue_network_capability_type, "f0f0c0c0190080"},
        {&nas_ms_network_capability_type, "e5e034"},
        {&nas_ue_security_capability_type, "f0f0c04070"},
        {&nas_eps_network_feature_support_type, "0100"},
        {&nas_bearer_status, "2000"},
        {&nas_pdn_address_type, "0300000000000000010a2d0002"},
        {&nas_eps_qos_type, "01fefefefe4b4b4b4b"},
        {&nas_apn_ambr_type, "fefefafa0302"},
        {&nas_apn_type, "08696e7465726e657403636f6d"},
        {&nas_network_name_type, "90d3f29bfc"},
        {&nas_time_type, "42407131559540"},
        {&nas_pco, "80000d0408080808001002057e"},
        {&nas_tft_type, "2131ff0910c0a80001ffffffff"},
        {&nas_esm_message, "0201d9"},
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (values[i].type == type)
            return values[i].hex;
    }
    return NULL;
}

/* Writes a value: the right octets for its kind, else as many as its row asks for at least. */
static inline void nas_sample_octets(struct writer *w, const struct nas_ie *row)
{
    uint8_t octets[64];
    const char *hex = nas_sample_value(row->type);

    if (hex && !(row->type == &nas_mobile_identity && row->min == 9)) {
        int n = hex_parse(hex, octets, sizeof(octets));
        wr_bytes(w, octets, n > 0 ? (size_t)n : 0);
    } else if (hex) { /* an IMEISV */
        int n = hex_parse("3345129673840327f1", octets, sizeof(octets));
        wr_bytes(w, octets, n > 0 ? (size_t)n : 0);
    } else {
        size_t n =
            row->min > row->type->size || row->type == &wire_bytes ? row->min : row->type->size;
        if (row->type == &wire_u24)
            n = 3;
        for (size_t i = 0; i < n; i++)
            wr_u8(w, (uint8_t)(0x21 + 7 * i));
    }
}

static inline void nas_sample_element(struct writer *w, const struct nas_ie *row)
{
    uint8_t octets[4096];
    struct writer value = writer_of(octets, sizeof(octets));

    switch (row->form) {
    case NAS_V_LOW:
        wr_u8(w, 5);
        return;
    case NAS_V_HIGH:
        if (wr_len(w) > 0)
            w->at[-1] |= 0x60;
        return;
    case NAS_TV_HALF:
        wr_u8(w, row->iei | 3);
        return;
    default:
        break;
    }
    nas_sample_octets(&value, row);
    if (nas_is_optional(row))
        wr_u8(w, row->iei);
    if (row->form == NAS_LV || row->form == NAS_TLV)
        wr_u8(w, (uint8_t)wr_len(&value));
    if (row->form == NAS_LV_E || row->form == NAS_TLV_E)
        wr_u16(w, (uint16_t)wr_len(&value));
    wr_view_of(w, wr_view(&value));
}

/* The message with the first `count` of its rows; false when there is no such message. */
static inline bool nas_sample(struct writer *w, unsigned type, enum eps_direction direction,
                              size_t count)
{
    const struct nas_format *format = nas_format_of((enum nas_message_type)type, direction);

    if (!format)
        return false;
    if (nas_is_esm((enum nas_message_type)type)) {
        wr_u8(w, 5 << 4 | NAS_PROTOCOL_ESM);
        wr_u8(w, 17);
    } else {
        wr_u8(w, NAS_PROTOCOL_EMM);
    }
    wr_u8(w, (uint8_t)type);
    for (size_t i = 0; i < format->count && i < count; i++)
        nas_sample_element(w, &format->rows[i]);
    return true;
}

#endif
