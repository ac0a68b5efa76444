/*
 * gtpc_test.c -- GTPv2-C messages: a hand-made one octet by octet, and all of them by their tables:
 * every row decoded and encoded to the same octets, every mandatory row missed, every length cut
 * (TS 29.274).
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "wire/gtp/gtpc_inner.h"

#define ARENA_LIMIT 65536

/* Octets that stand for a value of each type, in the form that the encoder writes. */
static const struct {
    const struct wire_type *type;
    uint8_t octets[32];
    size_t len;
} samples[] = {
    {&gtpc_imsi, {0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x10, 0xf2}, 8},
    {&gtpc_msisdn, {0x94, 0x71, 0x21, 0x43, 0x65, 0xf7}, 6},
    {&gtpc_mei, {0x53, 0x61, 0x90, 0x00, 0x12, 0x34, 0x56, 0x10}, 8},
    {&gtpc_apn, {8, 'i', 'n', 't', 'e', 'r', 'n', 'e', 't'}, 9},
    {&gtpc_cause_type, {70, 0x07, 87, 0, 0, 1}, 6},
    {&gtpc_ambr_type, {0, 0, 0x27, 0x10, 0, 0, 0x4e, 0x20}, 8},
    {&gtpc_nibble, {5}, 1},
    {&gtpc_pdn_type_type, {3}, 1},
    {&gtpc_selection_mode_type, {1}, 1},
    {&gtpc_ip_address_type, {10, 0, 0, 1}, 4},
    {&gtpc_indication_type, {0x08, 0x02, 0x01}, 3},
    {&gtpc_paa_type,
     {3, 64, 0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9, 10, 45, 0, 2},
     22},
    {&gtpc_bearer_qos_type,
     {0x7d, 9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0xff, 0, 0, 0, 3, 0, 0, 0, 0, 4},
     22},
    {&gtpc_flow_qos_type, {9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0xff, 0, 0, 0, 3, 0, 0, 0, 0, 4}, 21},
    {&gtpc_arp_type, {0x41}, 1},
    {&gtpc_serving_network, {0x00, 0xf1, 0x10}, 3},
    {&gtpc_uli_type, {0x18, 0x00, 0xf1, 0x10, 0, 7, 0x00, 0xf1, 0x10, 0, 0, 0x1a, 0x01}, 13},
    {&gtpc_f_teid_type, {0x8a, 0x11, 0x22, 0x33, 0x44, 10, 0, 0, 9}, 9},
    {&gtpc_fq_csid_type, {0x02, 10, 0, 0, 1, 0, 5, 0, 6}, 9},
    {&gtpc_ue_time_zone_type, {0x40, 1}, 2},
    {&gtpc_epc_timer_type, {0x21}, 1},
    {&gtpc_throttling_type, {0x43, 50}, 2},
    {&gtpc_ran_nas_cause_type, {0x10, 0x14}, 2},
    {&gtpc_pco_type, {0x80, 0, 0x0d, 0}, 4},
    {&wire_u8, {0x5a}, 1},
    {&wire_u16, {0x08, 0x00}, 2},
    {&wire_u32, {1, 2, 3, 4}, 4},
    {&wire_bytes, {0xde, 0xad}, 2},
    {&wire_ascii, {'n', 'o', 'd', 'e'}, 4},
};

static void write_group(struct writer *w, const struct wire_group *group,
                        const struct wire_ie *without, bool twice);

static void write_sample(struct writer *w, const struct wire_ie *row, const struct wire_ie *without,
                         bool twice)
{
    wr_u8(w, (uint8_t)row->id);
    size_t length_at = wr_len(w);
    wr_u16(w, 0);
    wr_u8(w, row->instance);
    if (row->type->group) {
        write_group(w, row->type->group, without, twice);
    } else {
        size_t i = 0;
        while (i < sizeof(samples) / sizeof(samples[0]) && samples[i].type != row->type)
            i++;
        assert_true(i < sizeof(samples) / sizeof(samples[0])); /* a type without a sample */
        wr_bytes(w, samples[i].octets, samples[i].len);
    }
    wr_patch_u16(w, length_at, (uint16_t)(wr_len(w) - length_at - 3));
}

/* All elements of a group, lists with two values if `twice`; leaves out the row `without`. */
static void write_group(struct writer *w, const struct wire_group *group,
                        const struct wire_ie *without, bool twice)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct wire_ie *row = &group->rows[i];
        bool is_list = row->presence == WIRE_LIST || row->presence == WIRE_LIST_MANDATORY;
        if (row == without)
            continue;
        write_sample(w, row, without, twice);
        if (is_list && twice)
            write_sample(w, row, without, twice);
    }
}

static struct bytes make_message(uint8_t *space, size_t size, const struct gtpc_kind *kind,
                                 const struct wire_ie *without)
{
    bool has_teid = kind->type > GTPC_VERSION_NOT_SUPPORTED;
    struct writer w = writer_of(space, size);

    wr_u8(&w, has_teid ? 0x48 : 0x40);
    wr_u8(&w, kind->type);
    wr_u16(&w, 0);
    if (has_teid)
        wr_u32(&w, 0xabcdef01);
    wr_u24(&w, 0x123456);
    wr_u8(&w, 0);
    if (kind->group)
        write_group(&w, kind->group, without, true);
    wr_patch_u16(&w, 2, (uint16_t)(wr_len(&w) - 4));
    assert_false(w.bad);
    return wr_view(&w);
}

static void every_row_of_every_message_survives(void **state)
{
    (void)state;
    static uint8_t space[16384], again[16384];
    static char line[32768];
    struct arena arena;
    unsigned kinds = 0;

    arena_init(&arena, ARENA_LIMIT);
    for (unsigned type = 0; type < 256; type++) {
        const struct gtpc_kind *kind = gtpc_kind((uint8_t)type);
        struct gtpc_message message;
        if (!kind)
            continue;
        kinds++;
        struct bytes datagram = make_message(space, sizeof(space), kind, NULL);
        arena_reset(&arena);
        assert_int_equal(gtpc_decode(datagram, &arena, &message), 0);
        assert_ptr_equal(message.kind, kind);
        assert_int_equal(message.header.sequence, 0x123456);
        struct writer w = writer_of(again, sizeof(again));
        assert_int_equal(gtpc_encode(&w, &message.header, message.body), 0);
        assert_int_equal(wr_len(&w), datagram.len);
        assert_memory_equal(again, datagram.at, datagram.len);
        struct text t = text_in(line, sizeof(line));
        gtpc_print(&t, &message.header, message.body);
        assert_false(t.cut);
        assert_ptr_equal(strstr(line, kind->name), line);
        if (kind->group)
            for (size_t i = 0; i < kind->group->count; i++)
                assert_non_null(strstr(line, kind->group->rows[i].name));
    }
    assert_int_equal(kinds, 37);
    arena_free(&arena);
}

static void a_missing_mandatory_element_is_named(void **state)
{
    (void)state;
    static uint8_t space[16384];
    struct arena arena;

    arena_init(&arena, ARENA_LIMIT);
    for (unsigned type = 0; type < 256; type++) {
        const struct gtpc_kind *kind = gtpc_kind((uint8_t)type);
        struct gtpc_message message;
        for (size_t i = 0; kind && kind->group && i < kind->group->count; i++) {
            const struct wire_ie *row = &kind->group->rows[i];
            bool needed = row->presence == WIRE_MANDATORY || row->presence == WIRE_LIST_MANDATORY;
            struct bytes datagram = make_message(space, sizeof(space), kind, row);
            arena_reset(&arena);
            assert_int_equal(gtpc_decode(datagram, &arena, &message), needed ? -EINVAL : 0);
            if (!needed)
                continue;
            assert_int_equal(message.fault.kind, WIRE_FAULT_MISSING);
            struct gtpc_cause cause = gtpc_cause_of_fault(&message.fault);
            assert_int_equal(cause.value, GTPC_CAUSE_MANDATORY_IE_MISSING);
            assert_true(cause.has_offending);
            assert_int_equal(cause.offending_type, row->id);
            assert_int_equal(cause.offending_instance, row->instance);
        }
    }
    arena_free(&arena);
}

/* In a mandatory bearer context a missing QoS is told; in an optional group the group is left out.
 */
static void what_is_missing_inside_a_group_is_named(void **state)
{
    (void)state;
    static uint8_t space[16384];
    const struct gtpc_kind *kind = gtpc_kind(GTPC_CREATE_SESSION_REQUEST);
    const struct wire_group *bearer = NULL;
    struct gtpc_message message;
    struct arena arena;

    for (size_t i = 0; i < kind->group->count; i++)
        if (kind->group->rows[i].id == GTPC_IE_BEARER_CONTEXT && kind->group->rows[i].instance == 0)
            bearer = kind->group->rows[i].type->group;
    assert_non_null(bearer);
    arena_init(&arena, ARENA_LIMIT);
    for (size_t i = 0; i < bearer->count; i++) {
        if (bearer->rows[i].presence != WIRE_MANDATORY)
            continue;
        struct bytes datagram = make_message(space, sizeof(space), kind, &bearer->rows[i]);
        assert_int_equal(gtpc_decode(datagram, &arena, &message), -EINVAL);
        assert_int_equal(message.fault.kind, WIRE_FAULT_MISSING);
        assert_int_equal(message.fault.id, bearer->rows[i].id);
    }
    arena_free(&arena);
}

static void no_length_is_read_past(void **state)
{
    (void)state;
    static uint8_t space[16384];
    struct arena arena;

    arena_init(&arena, ARENA_LIMIT);
    for (unsigned type = 0; type < 256; type++) {
        const struct gtpc_kind *kind = gtpc_kind((uint8_t)type);
        if (!kind)
            continue;
        struct bytes datagram = make_message(space, sizeof(space), kind, NULL);
        for (size_t n = 0; n < datagram.len; n++) {
            uint8_t *copy = unit_copy(datagram.at, n);
            struct gtpc_message message;
            arena_reset(&arena);
            assert_int_equal(gtpc_decode(bytes_of(copy, n), &arena, &message), -EBADMSG);
            if (n >= 12) { /* the header's length right, the elements cut */
                copy[2] = (uint8_t)((n - 4) >> 8);
                copy[3] = (uint8_t)(n - 4);
                arena_reset(&arena);
                (void)gtpc_decode(bytes_of(copy, n), &arena, &message);
            }
            free(copy);
        }
    }
    arena_free(&arena);
}

static const uint8_t delete_session_request[] = {
    0x48, 36, 0, 24, 0,    0, 0, 1, 0, 0, 7,    0, /* TEID 1, sequence 7 */
    73,   0,  1, 0,  5,                            /* EBI 5 */
    77,   0,  7, 0,  0x08, 0, 0, 0, 0, 0, 0x10,    /* OI, and a flag of a later release */
};

static void a_delete_session_request_by_hand(void **state)
{
    (void)state;
    struct gtpc_message message;
    struct arena arena;

    arena_init(&arena, ARENA_LIMIT);
    assert_int_equal(gtpc_decode(bytes_of(delete_session_request, sizeof(delete_session_request)),
                                 &arena, &message),
                     0);
    assert_int_equal(message.header.teid, 1);
    assert_int_equal(message.header.sequence, 7);
    assert_int_equal(*message.delete_session_request->lbi, 5);
    assert_true(*message.delete_session_request->indication & GTPC_OI);
    assert_false(*message.delete_session_request->indication & GTPC_SI);
    assert_null(message.delete_session_request->cause);
    assert_null(message.recovery);
    arena_free(&arena);
}

static void a_create_session_request_by_hand(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        0x48, 32, 0,  120,  0,    0,    0,    0,    0,    0,    1,    0,   1,
        0,    8,  0,  0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0xf1,         /* 001010000000001 */
        83,   0,  3,  0,    0x00, 0xf1, 0x10,                                 /* 001/01 */
        82,   0,  1,  0,    6,                                                /* E-UTRAN */
        87,   0,  9,  0,    0x8a, 0,    0,    0,    0x11, 127,  0,    0,   2, /* S11 MME */
        87,   0,  9,  1,    0x87, 0,    0,    0,    0,    127,  0,    0,   5, /* S5 PGW */
        71,   0,  9,  0,    8,    'i',  'n',  't',  'e',  'r',  'n',  'e', 't',
        99,   0,  1,  0,    1,                         /* IPv4 */
        79,   0,  5,  0,    1,    0,    0,    0,    0, /* dynamic address */
        93,   0,  31, 0,    73,   0,    1,    0,    5,    80,   0,    22,  0,
        0x7c, 9,  0,  0,    0,    0,    0,    0,    0,    0,    0,    0,   0,
        0,    0,  0,  0,    0,    0,    0,    0,    0,
    };
    struct gtpc_bearer_to_be_created bearer = {
        .ebi = 5,
        .qos = {.arp = {.priority_level = 15, .pre_emption_capability_disabled = true}, .qci = 9},
    };
    struct gtpc_f_teid pgw = {.interface_type = GTPC_S5_S8_PGW_GTP_C, .has_ipv4 = true};
    struct gtpc_create_session_request request = {
        .imsi = "001010000000001",
        .serving_network = &(struct plmn){1, 1, 2},
        .rat_type = GTPC_RAT_EUTRAN,
        .sender = {.interface_type = GTPC_S11_MME_GTP_C, .has_ipv4 = true, .teid = 0x11},
        .pgw = &pgw,
        .apn = "internet",
        .pdn_type = &(uint8_t){GTPC_PDN_IPV4},
        .paa = &(struct gtpc_paa){.pdn_type = GTPC_PDN_IPV4},
        .bearers = {&bearer, 1},
    };
    struct gtpc_header header = {.type = GTPC_CREATE_SESSION_REQUEST, .sequence = 1};
    uint8_t space[200];
    struct writer w = writer_of(space, sizeof(space));

    inet_pton(AF_INET, "127.0.0.2", &request.sender.ipv4);
    inet_pton(AF_INET, "127.0.0.5", &pgw.ipv4);
    assert_int_equal(gtpc_encode(&w, &header, &request), 0);
    assert_int_equal(wr_len(&w), sizeof(expected));
    assert_memory_equal(space, expected, sizeof(expected));

    char line[512];
    struct text t = text_in(line, sizeof(line));
    gtpc_trace_printer(wr_view(&w), &t);
    assert_string_equal(
        line,
        "Create Session Request teid=0 seq=1 imsi=001010000000001 serving_network=00101 rat_type=6 "
        "sender=S11-MME:0x11@127.0.0.2 pgw=S5-C-PGW:0@127.0.0.5 apn=internet pdn_type=1 "
        "paa=IPv4,0.0.0.0 "
        "bearers={ebi=5 qos=qci=9,arp=15,pre-emptable}");

    for (size_t room = 0; room < sizeof(expected); room++) {
        w = writer_of(space, room);
        assert_int_equal(gtpc_encode(&w, &header, &request), -EMSGSIZE);
    }
}

static int decode_one(struct bytes elements, uint8_t type, struct arena *arena,
                      struct gtpc_message *message)
{
    static uint8_t space[1024];
    struct writer w = writer_of(space, sizeof(space));

    wr_u8(&w, 0x48);
    wr_u8(&w, type);
    wr_u16(&w, (uint16_t)(elements.len + 8));
    wr_u32(&w, 1);
    wr_u32(&w, 0x100);
    wr_view_of(&w, elements);
    arena_reset(arena);
    return gtpc_decode(wr_view(&w), arena, message);
}

static void unknown_repeated_and_misplaced_elements_are_ignored(void **state)
{
    (void)state;
    struct gtpc_message message;
    struct arena arena;

    arena_init(&arena, ARENA_LIMIT);
    /* Release Access Bearers Response: the cause once more, an EBI it does not have, cause instance
     * 1, an unknown element */
    assert_int_equal(decode_one(BYTES(254, 0, 3, 0, 1, 2, 3, 2, 0, 2, 1, 64, 0, 2, 0, 2, 0, 16, 0,
                                      2, 0, 2, 0, 72, 0, 73, 0, 1, 0, 5, 3, 0, 1, 0, 9),
                                GTPC_RELEASE_ACCESS_BEARERS_RESPONSE, &arena, &message),
                     0);
    assert_int_equal(message.release_access_bearers_response->cause.value,
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(*message.recovery, 9);
    arena_free(&arena);
}

static void broken_elements(void **state)
{
    (void)state;
    struct gtpc_message message;
    struct arena arena;

    arena_init(&arena, ARENA_LIMIT);
    /* an optional one with too short a value is left out */
    assert_int_equal(decode_one(BYTES(2, 0, 2, 0, 16, 0, 3, 0, 0, 0),
                                GTPC_RELEASE_ACCESS_BEARERS_RESPONSE, &arena, &message),
                     0);
    assert_null(message.recovery);
    /* a mandatory one is a fault */
    assert_int_equal(
        decode_one(BYTES(2, 0, 1, 0, 16), GTPC_RELEASE_ACCESS_BEARERS_RESPONSE, &arena, &message),
        -EINVAL);
    assert_int_equal(gtpc_cause_of_fault(&message.fault).value, GTPC_CAUSE_MANDATORY_IE_INCORRECT);
    assert_int_equal(gtpc_cause_of_fault(&message.fault).offending_type, GTPC_IE_CAUSE);
    /* a length past the end */
    assert_int_equal(decode_one(BYTES(2, 0, 2, 0, 16, 0, 3, 0, 2, 0, 1),
                                GTPC_RELEASE_ACCESS_BEARERS_RESPONSE, &arena, &message),
                     -EINVAL);
    assert_int_equal(gtpc_cause_of_fault(&message.fault).value, GTPC_CAUSE_INVALID_LENGTH);
    assert_int_equal(gtpc_cause_of_fault(&message.fault).offending_type, GTPC_IE_RECOVERY);
    assert_int_equal(message.release_access_bearers_response->cause.value, 16);
    /* half an element header */
    assert_int_equal(decode_one(BYTES(2, 0, 2, 0, 16, 0, 3, 0),
                                GTPC_RELEASE_ACCESS_BEARERS_RESPONSE, &arena, &message),
                     -EINVAL);
    arena_free(&arena);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    static uint8_t space[16384];
    struct bytes datagram =
        make_message(space, sizeof(space), gtpc_kind(GTPC_CREATE_SESSION_REQUEST), NULL);
    struct gtpc_message message;
    struct arena arena;

    for (size_t limit = 0; limit < 4096; limit += 64) {
        arena_init(&arena, limit);
        int err = gtpc_decode(datagram, &arena, &message);
        assert_true(err == -ENOMEM || err == 0);
        if (err < 0 && message.body)
            assert_int_equal(gtpc_cause_of_fault(&message.fault).value,
                             GTPC_CAUSE_NO_MEMORY_AVAILABLE);
        arena_free(&arena);
    }
}

static void headers(void **state)
{
    (void)state;
    struct gtpc_header header;
    struct bytes body, rest;

    /* Echo without TEID */
    assert_int_equal(
        gtpc_read_header(BYTES(0x40, 1, 0, 9, 0, 0, 5, 0, 3, 0, 1, 0, 7), &header, &body, &rest),
        0);
    assert_false(header.has_teid);
    assert_int_equal(header.sequence, 5);
    assert_int_equal(body.len, 5);
    assert_int_equal(rest.len, 0);
    /* priority */
    assert_int_equal(
        gtpc_read_header(BYTES(0x4c, 32, 0, 8, 0, 0, 0, 1, 0, 0, 5, 0x90), &header, &body, &rest),
        0);
    assert_true(header.has_priority);
    assert_int_equal(header.priority, 9);
    /* piggybacked message behind it, or rubbish without the flag */
    assert_int_equal(gtpc_read_header(BYTES(0x58, 33, 0, 8, 0, 0, 0, 1, 0, 0, 5, 0, 0x48, 95),
                                      &header, &body, &rest),
                     0);
    assert_int_equal(rest.len, 2);
    assert_int_equal(gtpc_read_header(BYTES(0x48, 33, 0, 8, 0, 0, 0, 1, 0, 0, 5, 0, 0x48, 95),
                                      &header, &body, &rest),
                     0);
    assert_int_equal(rest.len, 0);
    /* lengths that cannot be */
    assert_int_equal(
        gtpc_read_header(BYTES(0x48, 33, 0, 7, 0, 0, 0, 1, 0, 0, 5, 0), &header, &body, &rest),
        -EBADMSG);
    assert_int_equal(
        gtpc_read_header(BYTES(0x48, 33, 0, 9, 0, 0, 0, 1, 0, 0, 5, 0), &header, &body, &rest),
        -EBADMSG);
    assert_int_equal(gtpc_read_header(BYTES(0x40, 1, 0, 3, 0, 0, 5, 0), &header, &body, &rest),
                     -EBADMSG);
    /* other versions */
    assert_int_equal(gtpc_read_header(BYTES(0x60, 1, 0, 4, 0, 0, 5, 0), &header, &body, &rest),
                     -EPROTONOSUPPORT);
    assert_int_equal(header.sequence, 5);
    assert_int_equal(
        gtpc_read_header(BYTES(0x32, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0), &header, &body, &rest),
        -EPROTONOSUPPORT);
}

static void unknown_types_are_told(void **state)
{
    (void)state;
    struct gtpc_message message;
    struct arena arena;
    uint8_t space[20];
    struct writer w = writer_of(space, sizeof(space));

    arena_init(&arena, ARENA_LIMIT);
    assert_int_equal(decode_one(BYTES(2, 0, 2, 0, 16, 0), 250, &arena, &message), -EOPNOTSUPP);
    assert_null(gtpc_message_name(250));
    assert_int_equal(gtpc_encode(&w, &(struct gtpc_header){.type = 250}, NULL), -EINVAL);
    assert_true(w.bad);
    arena_free(&arena);
}

static void refusals(void **state)
{
    (void)state;
    uint8_t space[64];
    struct writer w = writer_of(space, sizeof(space));
    struct gtpc_header header = {
        .type = GTPC_CREATE_SESSION_RESPONSE, .teid = 0x11, .sequence = 0x010203};
    struct gtpc_cause cause = {.value = GTPC_CAUSE_MANDATORY_IE_MISSING,
                               .has_offending = true,
                               .offending_type = GTPC_IE_F_TEID,
                               .offending_instance = 1};

    assert_int_equal(gtpc_encode_refusal(&w, &header, &cause), 0);
    assert_true(bytes_equal(wr_view(&w), BYTES(0x48, 33, 0, 18, 0, 0, 0, 0x11, 1, 2, 3, 0, 2, 0, 6,
                                               0, 70, 0, 87, 0, 0, 1)));
    w = writer_of(space, sizeof(space));
    gtpc_encode_version_not_supported(&w, 9);
    assert_true(bytes_equal(wr_view(&w), BYTES(0x40, 3, 0, 4, 0, 0, 9, 0)));
}

static void every_answer_is_the_next_type(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        const struct gtpc_kind *kind = gtpc_kind((uint8_t)type);
        if (!kind || kind->answer == 0)
            continue;
        assert_int_equal(kind->answer, type + 1);
        assert_int_equal(gtpc_kind(kind->answer)->role, GTPC_RESPONSE);
    }
}

static void causes_have_names(void **state)
{
    (void)state;
    assert_string_equal(gtpc_cause_name(GTPC_CAUSE_REQUEST_ACCEPTED), "Request accepted");
    assert_null(gtpc_cause_name(255));
    assert_true(gtpc_cause_is_accepted(19));
    assert_false(gtpc_cause_is_accepted(64));
    assert_false(gtpc_cause_is_accepted(8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_every_message_survives),
        cmocka_unit_test(a_missing_mandatory_element_is_named),
        cmocka_unit_test(what_is_missing_inside_a_group_is_named),
        cmocka_unit_test(no_length_is_read_past),
        cmocka_unit_test(a_delete_session_request_by_hand),
        cmocka_unit_test(a_create_session_request_by_hand),
        cmocka_unit_test(unknown_repeated_and_misplaced_elements_are_ignored),
        cmocka_unit_test(broken_elements),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(headers),
        cmocka_unit_test(unknown_types_are_told),
        cmocka_unit_test(refusals),
        cmocka_unit_test(every_answer_is_the_next_type),
        cmocka_unit_test(causes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
