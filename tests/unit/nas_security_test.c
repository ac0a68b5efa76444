/*
 * nas_security_test.c -- NAS security: a recorded attach with its real keys, then both ends of ours
 * against each other, replay, loss, wrap-around and forgery.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/nas/nas.h"

static struct arena arena;
static struct nas_security_context mme, phone;
static struct nas_opened opened;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static void hex(const char *digits, void *to, size_t size)
{
    assert_int_equal(hex_parse(digits, to, size), size);
}

/* A phone and a core of another make, EIA1 and EEA0, the SIM being the publicly known default one
 * of that phone: every message's MAC is right under keys we derive from K. */
static void a_recorded_attach_checks_out(void **state)
{
    (void)state;
    static const struct {
        enum eps_direction direction;
        uint32_t count;
        const char *pdu, *plain;
    } recorded[] = {
        {EPS_DOWNLINK, 0, "3780eb034800075d010002f070", "075d010002f070"},
        {EPS_UPLINK, 0, "478af2cffe00075e", "075e"},
        {EPS_DOWNLINK, 1,
         "27ee62eb44010742013e060000f1100007001d5201c10107070673727361706e0501ac100002270880000d040"
         "8080808500bf600"
         "f11000011ad0fd14c21300f11000062305f4d0fd14c2",
         "0742013e060000f1100007001d5201c10107070673727361706e0501ac100002270880000d0408080808500bf"
         "600f11000011ad0"
         "fd14c21300f11000062305f4d0fd14c2"},
        {EPS_UPLINK, 1, "27e8e9049101074300035200c2", "074300035200c2"},
        {EPS_DOWNLINK, 2,
         "27d8e3cba4020761431882d3b7997e0fcbcb2069989c7e83a6f939bddc9e83a4412745078673f95c1a7402476"
         "2112231011000",
         "0761431882d3b7997e0fcbcb2069989c7e83a6f939bddc9e83a4412745078673f95c1a7402476211223101100"
         "0"},
        {EPS_UPLINK, 2, "1729043687020745090bf600f11000011ad0fd14c2",
         "0745090bf600f11000011ad0fd14c2"},
    };
    struct milenage sim;
    struct milenage_vector vector;
    uint8_t rand[16], autn[16], res[8], kasme[32];
    uint64_t sqn;

    hex("00112233445566778899aabbccddeeff", sim.k, 16);
    hex("63bfa50ee6523365ff14c1f45f88737d", sim.opc, 16);
    hex("ef555b60ed1b7380594dcfe1a725244a", rand, 16);
    hex("9f8c7704cc6a8000b7fea930a4d0eeb0", autn, 16);
    hex("926c1d75a767e9fc", res, 8);
    assert_int_equal(milenage_autn_open(&sim, rand, autn, &vector, &sqn, NULL), 0);
    assert_int_equal(sqn, 0x1234);
    assert_memory_equal(vector.res, res, 8);
    assert_int_equal(
        kdf_kasme(vector.ck, vector.ik, (const uint8_t[]){0x00, 0xf1, 0x10}, autn, kasme), 0);
    assert_int_equal(nas_security_start(&mme, kasme, 0, EPS_ALGORITHM_NULL, EPS_ALGORITHM_SNOW_3G),
                     0);
    phone = mme;
    for (unsigned i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
        uint8_t pdu[128], plain[128], made[128];
        int n = hex_parse(recorded[i].pdu, pdu, sizeof(pdu));
        int m = hex_parse(recorded[i].plain, plain, sizeof(plain));
        struct writer w = writer_of(made, sizeof(made));
        assert_int_equal(
            nas_unprotect(&mme, recorded[i].direction, bytes_of(pdu, (size_t)n), &arena, &opened),
            0);
        assert_int_equal(opened.count, recorded[i].count);
        assert_int_equal(opened.plain.len, m);
        assert_memory_equal(opened.plain.at, plain, (size_t)m);
        /* Protected again by us it is the same. */
        assert_int_equal(nas_protect(&phone, recorded[i].direction,
                                     (enum nas_security_header)(pdu[0] >> 4), opened.plain, &w),
                         0);
        assert_int_equal(wr_len(&w), n);
        assert_memory_equal(made, pdu, (size_t)n);
    }
}

static void start_both(unsigned eea, unsigned eia)
{
    uint8_t kasme[32];

    for (unsigned i = 0; i < sizeof(kasme); i++)
        kasme[i] = (uint8_t)(i * 5 + 1);
    arena_reset(&arena);
    assert_int_equal(nas_security_start(&mme, kasme, 3, eea, eia), 0);
    phone = mme;
}

static struct bytes uplink(enum nas_security_header header, const char *plain, size_t len)
{
    uint8_t *room = arena_alloc(&arena, 512);
    struct writer w = writer_of(room, 512);

    assert_int_equal(nas_protect(&phone, EPS_UPLINK, header, bytes_of(plain, len), &w), 0);
    return wr_view(&w);
}

static void every_algorithm_both_ways(void **state)
{
    (void)state;
    static const char plain[] = "\x07\x61 this is an EMM information of some length";

    for (unsigned eea = 0; eea < 4; eea++) {
        for (unsigned eia = 0; eia < 4; eia++) {
            start_both(eea, eia);
            for (unsigned n = 0; n < 600; n++) { /* past a wrap of the sequence number, twice */
                enum nas_security_header header = n % 2 ? NAS_INTEGRITY_CIPHERED : NAS_INTEGRITY;
                struct bytes pdu = uplink(header, plain, sizeof(plain));
                assert_int_equal(pdu.at[5], n & 255);
                assert_true((memcmp(pdu.at + 6, plain, sizeof(plain)) == 0) ==
                            (n % 2 == 0 || eea == 0));
                assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, pdu, &arena, &opened), 0);
                assert_int_equal(opened.count, n);
                assert_int_equal(opened.security, header);
                assert_int_equal(opened.plain.len, sizeof(plain));
                assert_memory_equal(opened.plain.at, plain, sizeof(plain));
                if (n % 50 == 0)
                    arena_reset(&arena);
            }
            assert_int_equal(mme.ul_count, 600);
            assert_int_equal(mme.dl_count, 0);
        }
    }
    uint8_t kasme[32] = {0};
    assert_int_equal(nas_security_start(&mme, kasme, 0, 4, 2), -ENOTSUP);
    assert_int_equal(nas_security_start(&mme, kasme, 0, 2, 4), -ENOTSUP);
    assert_true(sizeof(struct nas_security_context) <= 76);
}

static void directions_have_their_own_counts_and_streams(void **state)
{
    (void)state;
    uint8_t down[64];
    struct writer w = writer_of(down, sizeof(down));

    start_both(2, 2);
    struct bytes up = uplink(NAS_INTEGRITY_CIPHERED, "\x07\x5e", 2);
    assert_int_equal(
        nas_protect(&mme, EPS_DOWNLINK, NAS_INTEGRITY_CIPHERED, bytes_of("\x07\x5e", 2), &w), 0);
    assert_memory_not_equal(up.at, down, wr_len(&w));
    assert_int_equal(nas_unprotect(&phone, EPS_DOWNLINK, wr_view(&w), &arena, &opened), 0);
    assert_int_equal(nas_unprotect(&mme, EPS_DOWNLINK, up, &arena, &opened),
                     -EACCES); /* sent back to its sender */
}

static void nothing_is_accepted_twice(void **state)
{
    (void)state;
    start_both(2, 2);
    struct bytes first = uplink(NAS_INTEGRITY, "\x07\x5e", 2);
    struct bytes second = uplink(NAS_INTEGRITY, "\x07\x5e", 2);

    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, first, &arena, &opened), 0);
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, first, &arena, &opened), -EACCES);
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, second, &arena, &opened), 0);
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, first, &arena, &opened), -EACCES);
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, second, &arena, &opened), -EACCES);
    assert_int_equal(mme.ul_count, 2);
}

static void lost_messages_leave_a_gap(void **state)
{
    (void)state;
    start_both(1, 1);
    for (unsigned lost = 0; lost < 255; lost++)
        uplink(NAS_INTEGRITY, "\x07\x5e", 2);
    assert_int_equal(
        nas_unprotect(&mme, EPS_UPLINK, uplink(NAS_INTEGRITY, "\x07\x5e", 2), &arena, &opened), 0);
    assert_int_equal(opened.count, 255);
    for (unsigned lost = 0; lost < 256; lost++) /* too many: the guess of the COUNT is wrong */
        uplink(NAS_INTEGRITY, "\x07\x5e", 2);
    assert_int_equal(
        nas_unprotect(&mme, EPS_UPLINK, uplink(NAS_INTEGRITY, "\x07\x5e", 2), &arena, &opened),
        -EACCES);
}

static void no_bit_may_be_changed(void **state)
{
    (void)state;
    for (unsigned eia = 1; eia < 4; eia++) {
        start_both(2, eia);
        struct bytes pdu = uplink(NAS_INTEGRITY_CIPHERED, "\x07\x43\x00\x03\x52\x00\xc2", 7);
        struct nas_security_context before = mme;
        for (unsigned bit = 8; bit < pdu.len * 8; bit++) {
            uint8_t forged[32];
            memcpy(forged, pdu.at, pdu.len);
            forged[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(
                nas_unprotect(&mme, EPS_UPLINK, bytes_of(forged, pdu.len), &arena, &opened),
                -EACCES);
            assert_memory_equal(&mme, &before, sizeof(mme)); /* as it was */
        }
        assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, pdu, &arena, &opened), 0);
    }
}

static void service_requests_both_ways(void **state)
{
    (void)state;
    for (unsigned eia = 1; eia < 4; eia++) {
        start_both(2, eia);
        for (unsigned n = 0; n < 100; n++) {
            uint8_t octets[4];
            struct writer w = writer_of(octets, sizeof(octets));
            uint32_t count;
            assert_int_equal(nas_protect_service_request(&phone, &w, &count), 0);
            assert_int_equal(count, n);
            assert_int_equal(octets[0], 0xc7);
            assert_int_equal(octets[1], 3 << 5 | (n & 31));
            assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, wr_view(&w), &arena, &opened), 0);
            assert_int_equal(opened.count, n);
            assert_int_equal(opened.security, NAS_SERVICE_REQUEST_HEADER);
            assert_int_equal(opened.plain.len, 4);
            assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, wr_view(&w), &arena, &opened),
                             -EACCES);
            octets[3] ^= 1;
            assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, wr_view(&w), &arena, &opened),
                             -EACCES);
        }
    }
    /* After an ordinary message the count goes on. */
    assert_int_equal(
        nas_unprotect(&mme, EPS_UPLINK, uplink(NAS_INTEGRITY, "\x07\x5e", 2), &arena, &opened), 0);
    assert_int_equal(opened.count, 100);
    uint8_t octets[3];
    struct writer w = writer_of(octets, sizeof(octets));
    uint32_t count;
    assert_int_equal(nas_protect_service_request(&phone, &w, &count), -ENOSPC);
}

static void counts_end_before_they_wrap(void **state)
{
    (void)state;
    uint8_t octets[64];
    uint32_t count;
    struct writer w = writer_of(octets, sizeof(octets));

    start_both(2, 2);
    mme.ul_count = phone.ul_count = NAS_COUNT_LIMIT - 1;
    assert_int_equal(
        nas_unprotect(&mme, EPS_UPLINK, uplink(NAS_INTEGRITY, "\x07\x5e", 2), &arena, &opened), 0);
    assert_int_equal(opened.count, NAS_COUNT_LIMIT - 1);
    assert_int_equal(nas_protect(&phone, EPS_UPLINK, NAS_INTEGRITY, bytes_of("\x07\x5e", 2), &w),
                     -EOVERFLOW);
    assert_int_equal(nas_protect_service_request(&phone, &w, &count), -EOVERFLOW);
    phone.ul_count = 0; /* even were a phone to start again, the MME does not */
    assert_int_equal(
        nas_unprotect(&mme, EPS_UPLINK, uplink(NAS_INTEGRITY, "\x07\x5e", 2), &arena, &opened),
        -EACCES);
}

static void without_integrity_algorithm_the_mac_is_zero(void **state)
{
    (void)state;
    start_both(0, 0);
    struct bytes pdu = uplink(NAS_INTEGRITY, "\x07\x5e", 2);
    uint8_t forged[8];

    assert_memory_equal(pdu.at + 1, "\0\0\0\0", 4);
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, pdu, &arena, &opened), 0);
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, pdu, &arena, &opened),
                     0);                /* no replay protection: TS 33.401 5.1.4.1 */
    mme.ul_count = NAS_COUNT_LIMIT - 1; /* nor can replays use the COUNT up */
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, pdu, &arena, &opened), 0);
    memcpy(forged, pdu.at, 8);
    forged[4] = 1;
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, bytes_of(forged, 8), &arena, &opened),
                     -EACCES);
}

static void malformed_outsides_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int err;
    } sets[] = {
        {"", -EBADMSG},
        {"c7", -EBADMSG},
        {"c700", -EBADMSG},
        {"c70000", -EBADMSG},
        {"c7000000", -EACCES},
        {"f7000000", -EACCES},
        {"17", -EBADMSG},
        {"170000000000", -EBADMSG},
        {"17000000000007", -EBADMSG},
        {"1700000000000741", -EACCES},
        {"2700000000000741", -EACCES},
        {"5700000000000741", -ENOTSUP},
        {"6700000000000741", -EBADMSG},
        {"b700000000000741", -EBADMSG},
        {"0741", -EBADMSG},
        {"5201c1", -EBADMSG},
        {"5201", -EBADMSG},
        {"0841", -EBADMSG},
    };

    start_both(2, 2);
    for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        uint8_t *exact = malloc(16);
        assert_non_null(exact);
        int n = hex_parse(sets[i].hex, exact, 16);
        uint8_t *pdu = malloc(n > 0 ? (size_t)n : 1);
        assert_non_null(pdu);
        memcpy(pdu, exact, (size_t)n);
        assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, bytes_of(pdu, (size_t)n), &arena, &opened),
                         sets[i].err);
        free(pdu);
        free(exact);
    }
    assert_int_equal(mme.ul_count, 0);
}

static void what_cannot_be_protected_is_refused(void **state)
{
    (void)state;
    uint8_t octets[8];
    struct writer w = writer_of(octets, sizeof(octets));
    struct bytes plain = bytes_of("\x07\x5e", 2);

    start_both(2, 2);
    assert_int_equal(nas_protect(&phone, EPS_UPLINK, NAS_PLAIN, plain, &w), -EINVAL);
    assert_int_equal(nas_protect(&phone, EPS_UPLINK, NAS_INTEGRITY_PARTLY_CIPHERED, plain, &w),
                     -EINVAL);
    assert_int_equal(nas_protect(&phone, EPS_UPLINK, NAS_SERVICE_REQUEST_HEADER, plain, &w),
                     -EINVAL);
    assert_int_equal(
        nas_protect(&phone, EPS_UPLINK, NAS_INTEGRITY, bytes_of("\x07\x5e\x00", 3), &w), -ENOSPC);
    assert_int_equal(phone.ul_count, 0);

    struct arena none;
    arena_init(&none, 0);
    struct bytes pdu = uplink(NAS_INTEGRITY_CIPHERED, "\x07\x5e", 2);
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, pdu, &none, &opened), -ENOMEM);
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, pdu, &arena, &opened), 0);
}

static void messages_are_encoded_and_protected_at_once(void **state)
{
    (void)state;
    uint8_t octets[64], twice[64];
    struct writer w = writer_of(octets, sizeof(octets)), v = writer_of(twice, sizeof(twice));
    struct nas_emm_cause_only status = {EMM_CAUSE_PROTOCOL_ERROR};
    struct nas_message m = {.type = NAS_EMM_STATUS, .direction = EPS_UPLINK, .emm_status = &status};

    start_both(3, 3);
    struct nas_security_context other = phone;
    assert_int_equal(nas_encode_protected(&phone, NAS_INTEGRITY_CIPHERED, &m, &w), 0);
    assert_int_equal(
        nas_protect(&other, EPS_UPLINK, NAS_INTEGRITY_CIPHERED, bytes_of("\x07\x60\x6f", 3), &v),
        0);
    assert_true(bytes_equal(wr_view(&w), wr_view(&v)));
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, wr_view(&w), &arena, &opened), 0);
    for (size_t size = 0; size < 9; size++) {
        w = writer_of(octets, size);
        assert_int_equal(nas_encode_protected(&phone, NAS_INTEGRITY_CIPHERED, &m, &w), -ENOSPC);
    }
    assert_int_equal(nas_encode_protected(&phone, NAS_PLAIN, &m, &w), -EINVAL);
    assert_int_equal(phone.ul_count, 1);
}

/* Clause 4.4.2: what a phone does with a Security Mode Command, whose context it does not yet have.
 */
static void a_phone_makes_its_context_from_the_command(void **state)
{
    (void)state;
    uint8_t kasme[32] = {7}, octets[64], answer[64];
    struct nas_ue_network_capability capability = {2, {0xf0, 0x70}};
    struct nas_security_mode_command command = {
        .selected_eea = 2,
        .selected_eia = 2,
        .nas_ksi = 1,
        .replayed_ue_security_capabilities = nas_ue_security_capability_of(&capability, NULL)};
    struct nas_message m = {.type = NAS_SECURITY_MODE_COMMAND,
                            .direction = EPS_DOWNLINK,
                            .security_mode_command = &command};
    struct writer w = writer_of(octets, sizeof(octets)), a = writer_of(answer, sizeof(answer));
    struct nas_header header;
    struct nas_message inner;
    struct nas_fault fault;

    arena_reset(&arena);
    assert_int_equal(nas_security_start(&mme, kasme, 1, 2, 2), 0);
    assert_int_equal(nas_encode_protected(&mme, NAS_INTEGRITY_NEW, &m, &w), 0);

    assert_int_equal(nas_header_read(wr_view(&w), &header), 0);
    assert_int_equal(header.security, NAS_INTEGRITY_NEW);
    assert_int_equal(nas_decode(header.inner, EPS_DOWNLINK, &arena, &inner, &fault), 0);
    assert_int_equal(nas_security_start(&phone, kasme, inner.security_mode_command->nas_ksi,
                                        inner.security_mode_command->selected_eea,
                                        inner.security_mode_command->selected_eia),
                     0);
    assert_int_equal(nas_unprotect(&phone, EPS_DOWNLINK, wr_view(&w), &arena, &opened), 0);

    m = (struct nas_message){.type = NAS_SECURITY_MODE_COMPLETE,
                             .direction = EPS_UPLINK,
                             .security_mode_complete = &(struct nas_security_mode_complete){0}};
    assert_int_equal(nas_encode_protected(&phone, NAS_INTEGRITY_CIPHERED_NEW, &m, &a), 0);
    assert_int_equal(nas_unprotect(&mme, EPS_UPLINK, wr_view(&a), &arena, &opened), 0);
    assert_memory_equal(opened.plain.at, "\x07\x5e", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_attach_checks_out),
        cmocka_unit_test(every_algorithm_both_ways),
        cmocka_unit_test(directions_have_their_own_counts_and_streams),
        cmocka_unit_test(nothing_is_accepted_twice),
        cmocka_unit_test(lost_messages_leave_a_gap),
        cmocka_unit_test(no_bit_may_be_changed),
        cmocka_unit_test(service_requests_both_ways),
        cmocka_unit_test(counts_end_before_they_wrap),
        cmocka_unit_test(without_integrity_algorithm_the_mac_is_zero),
        cmocka_unit_test(malformed_outsides_are_refused),
        cmocka_unit_test(what_cannot_be_protected_is_refused),
        cmocka_unit_test(messages_are_encoded_and_protected_at_once),
        cmocka_unit_test(a_phone_makes_its_context_from_the_command),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
