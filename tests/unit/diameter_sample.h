/*
 * diameter_sample.h -- a message with every AVP of its table present, made by walking the table.
 * For the codec's round trips, the fuzzer's seeds and the peer test that shows everything we can
 * send to another dissector.
 */
#ifndef STROWGER_TESTS_DIAMETER_SAMPLE_H
#define STROWGER_TESTS_DIAMETER_SAMPLE_H

#include <arpa/inet.h>

#include "wire/diameter/avp.h"

static inline void sample_group(const struct wire_group *group, void *message, struct arena *arena);

struct sample_list {
    void *at;
    size_t count;
};

static inline void sample_value(const struct wire_ie *row, void *value, struct arena *arena)
{
    const struct wire_type *type = row->type;
    const struct diameter_format_facts *facts = type->group ? NULL : type->more;

    if (type->group)
        sample_group(type->group, value, arena);
    else if (type == &diameter_address_type)
        *(struct diameter_address *)value = (struct diameter_address){
            .family = DIAMETER_ADDRESS_IPV4, .ipv4.s_addr = htonl(0x0a000001)};
    else if (type == &diameter_imsi_type)
        strcpy(value, "001010123456789");
    else if (type == &diameter_msisdn_type)
        strcpy(value, "491711234567");
    else if (type == &diameter_apn_type)
        strcpy(value, "internet");
    else if (type == &diameter_plmn_type)
        *(struct plmn *)value = (struct plmn){1, 1, 2};
    else if (type == &diameter_tai_type)
        *(struct tai *)value = (struct tai){{1, 1, 2}, 7};
    else if (type == &diameter_ecgi_type)
        *(struct ecgi *)value = (struct ecgi){{1, 1, 2}, 0x1234567};
    else if (type == &diameter_secret16_type || type == &diameter_secret32_type ||
             type == &diameter_resync_type)
        memset(value, 0x5a, type->size);
    else if (type == &diameter_secret_type)
        *(struct bytes *)value = bytes_of("12345678", 8);
    else if (type == &diameter_identity_type)
        *(struct bytes *)value = diameter_text_of("node.epc.example");
    else if (type == &diameter_utf8_type)
        *(struct bytes *)value = diameter_text_of("12345678901234");
    else if (row->id == 284) /* Proxy-Info: Proxy-Host and Proxy-State */
        *(struct bytes *)value =
            bytes_of("\0\0\1\x18\x40\0\0\x0cprox\0\0\0\x21\x40\0\0\x0c-abc", 24);
    else if (row->id == 279) /* Failed-AVP: an Origin-Host */
        *(struct bytes *)value = bytes_of("\0\0\1\x08\x40\0\0\x0c"
                                          "node",
                                          12);
    else if (type == &diameter_octets_type)
        *(struct bytes *)value = bytes_of("\x12\x34", 2);
    else
        *(uint32_t *)value = facts && facts->names ? facts->names[0].value : 1;
}

static inline void sample_group(const struct wire_group *group, void *message, struct arena *arena)
{
    memset(message, 0, group->size);
    for (size_t i = 0; i < group->count; i++) {
        const struct wire_ie *row = &group->rows[i];
        uint8_t *field = (uint8_t *)message + row->offset;
        if (row->presence == WIRE_MANDATORY) {
            sample_value(row, field, arena);
        } else if (row->presence == WIRE_OPTIONAL) {
            void *value = arena_alloc(arena, row->type->size);
            sample_value(row, value, arena);
            memcpy(field, &value, sizeof(value));
        } else {
            struct sample_list list = {arena_array(arena, 2, row->type->size), 2};
            sample_value(row, list.at, arena);
            sample_value(row, (uint8_t *)list.at + row->type->size, arena);
            memcpy(field, &list, sizeof(list));
        }
    }
}

/* The n-th message of all tables, or NULL. */
static inline const struct diameter_message *sample_message(size_t n)
{
    if (n < diameter_base_messages.count)
        return diameter_base_messages.messages[n];
    n -= diameter_base_messages.count;
    return n < s6a_messages.count ? s6a_messages.messages[n] : NULL;
}

/* Its bytes, complete. */
static inline struct bytes sample_bytes(const struct diameter_message *message, struct arena *arena)
{
    const struct diameter_header header = {.hop_by_hop = 0x01020304, .end_to_end = 0x05060708};
    void *value = arena_alloc(arena, message->group->size);
    uint8_t *at = arena_alloc(arena, 8192);
    struct writer w = writer_of(at, 8192);

    sample_group(message->group, value, arena);
    diameter_encode(&w, message, &header, value);
    return w.bad ? bytes_of(NULL, 0) : wr_view(&w);
}

#endif
