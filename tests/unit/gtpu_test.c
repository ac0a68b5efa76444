/*
 * gtpu_test.c -- GTP-U headers, extension chains and path messages, byte by byte (TS 29.281).
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "wire/gtp/gtpu.h"

static void a_g_pdu_is_eight_octets_and_the_packet(void **state)
{
    (void)state;
    struct bytes datagram = BYTES(0x30, 255, 0, 3, 0x12, 0x34, 0x56, 0x78, 'a', 'b', 'c');
    struct gtpu_header header;
    uint8_t fast[GTPU_HEADER_SIZE], slow[16];

    assert_int_equal(gtpu_read(datagram, &header), 0);
    assert_int_equal(header.type, GTPU_G_PDU);
    assert_int_equal(header.teid, 0x12345678);
    assert_int_equal(header.payload.len, 3);
    assert_memory_equal(header.payload.at, "abc", 3);
    assert_false(header.has_sequence);

    gtpu_write_g_pdu_header(fast, 0x12345678, 3);
    assert_memory_equal(fast, datagram.at, sizeof(fast));
    struct writer w = writer_of(slow, sizeof(slow));
    gtpu_write(&w, &header, 3);
    assert_int_equal(wr_len(&w), sizeof(fast));
    assert_memory_equal(slow, fast, sizeof(fast));
}

/* Clause 5.1: the four octets are there if any of the three flags is set. */
static void any_flag_brings_the_optional_octets(void **state)
{
    (void)state;
    for (uint8_t flags = 1; flags < 8; flags++) {
        uint8_t datagram[] = {
            (uint8_t)(0x30 | flags), 255, 0, 5, 0, 0, 0, 9, 0x11, 0x22, 0x33, 0, 'x'};
        struct gtpu_header header;
        assert_int_equal(gtpu_read(bytes_of(datagram, sizeof(datagram)), &header), 0);
        assert_int_equal(header.payload.len, 1);
        assert_int_equal(header.payload.at[0], 'x');
        assert_int_equal(header.has_sequence, !!(flags & 2));
        assert_int_equal(header.sequence, flags & 2 ? 0x1122 : 0);
        assert_int_equal(header.has_n_pdu, flags & 1);
        assert_int_equal(header.n_pdu, flags & 1 ? 0x33 : 0);
    }
}

static void next_type_without_the_e_flag_means_nothing(void **state)
{
    (void)state;
    struct gtpu_header header;

    assert_int_equal(gtpu_read(BYTES(0x32, 255, 0, 5, 0, 0, 0, 9, 0, 1, 0, 0x85, 'x'), &header), 0);
    assert_int_equal(header.first_extension, 0);
    assert_int_equal(header.payload.len, 1);
}

static bool knows_pdcp(uint8_t type)
{
    return type == GTPU_PDCP_PDU_NUMBER;
}

static void a_chain_of_extensions_is_walked(void **state)
{
    (void)state;
    struct bytes datagram = BYTES(0x34, 255, 0, 17, 0, 0, 0, 1, 0, 0, 0, 0xc0, /* E: PDCP */
                                  1, 0xaa, 0xbb, 0x85,                         /* then container */
                                  2, 1, 2, 3, 4, 5, 6, 0,                      /* the last one */
                                  0x45);
    struct gtpu_header header;
    struct gtpu_extension extension;
    uint8_t copy[32];

    assert_int_equal(gtpu_read(datagram, &header), 0);
    assert_int_equal(header.first_extension, 0xc0);
    assert_int_equal(header.extensions.len, 12);
    assert_int_equal(header.payload.len, 1);
    assert_int_equal(gtpu_unsupported_extension(&header, knows_pdcp), GTPU_PDU_SESSION_CONTAINER);

    uint8_t type = header.first_extension;
    struct bytes chain = header.extensions;
    assert_true(gtpu_next_extension(&type, &chain, &extension));
    assert_int_equal(extension.type, 0xc0);
    assert_int_equal(extension.content.len, 2);
    assert_int_equal(extension.content.at[1], 0xbb);
    assert_true(gtpu_next_extension(&type, &chain, &extension));
    assert_int_equal(extension.type, 0x85);
    assert_int_equal(extension.content.len, 6);
    assert_false(gtpu_next_extension(&type, &chain, &extension));

    struct writer w = writer_of(copy, sizeof(copy));
    gtpu_write(&w, &header, header.payload.len);
    wr_view_of(&w, header.payload);
    assert_true(bytes_equal(wr_view(&w), datagram));
}

static void broken_chains_are_refused(void **state)
{
    (void)state;
    struct gtpu_header header;

    /* a length of 0 would never end */
    assert_int_equal(
        gtpu_read(BYTES(0x34, 255, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0x85, 0, 1, 2, 0), &header),
        -EBADMSG);
    /* longer than what is left */
    assert_int_equal(
        gtpu_read(BYTES(0x34, 255, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0x85, 2, 1, 2, 0), &header),
        -EBADMSG);
    /* announces one more, and ends */
    assert_int_equal(
        gtpu_read(BYTES(0x34, 255, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 1, 2, 0x85), &header),
        -EBADMSG);
}

static void the_length_must_fit(void **state)
{
    (void)state;
    struct gtpu_header header;

    assert_int_equal(gtpu_read(BYTES(0x30, 255, 0, 4, 0, 0, 0, 1, 1, 2, 3), &header), -EBADMSG);
    assert_int_equal(gtpu_read(BYTES(0x30, 255, 0, 2, 0, 0, 0, 1, 1, 2, 3), &header), 0);
    assert_int_equal(header.payload.len, 2); /* what lies behind is none of it */
    assert_int_equal(gtpu_read(BYTES(0x32, 255, 0, 3, 0, 0, 0, 1, 1, 2, 3), &header), -EBADMSG);
    assert_int_equal(gtpu_read(BYTES(0x30, 255, 0, 0, 0, 0, 0, 1), &header), 0);
    assert_int_equal(header.payload.len, 0);
}

static void other_versions_are_told_apart(void **state)
{
    (void)state;
    struct gtpu_header header;

    assert_int_equal(gtpu_read(BYTES(0x10, 1, 0, 0, 0, 0, 0, 0), &header), -EPROTONOSUPPORT);
    assert_int_equal(gtpu_read(BYTES(0x48, 1, 0, 0, 0, 0, 0, 0), &header), -EPROTONOSUPPORT);
    assert_int_equal(gtpu_read(BYTES(0x20, 1, 0, 0, 0, 0, 0, 0), &header),
                     -EPROTONOSUPPORT); /* GTP' */
}

static void echo_has_a_sequence_number_and_recovery(void **state)
{
    (void)state;
    uint8_t space[32];
    struct writer w = writer_of(space, sizeof(space));

    gtpu_write_echo_request(&w, 0x0102);
    assert_true(bytes_equal(wr_view(&w), BYTES(0x32, 1, 0, 4, 0, 0, 0, 0, 1, 2, 0, 0)));
    w = writer_of(space, sizeof(space));
    gtpu_write_echo_response(&w, 0x0102);
    assert_true(bytes_equal(wr_view(&w), BYTES(0x32, 2, 0, 6, 0, 0, 0, 0, 1, 2, 0, 0, 14, 0)));
    w = writer_of(space, 13);
    gtpu_write_echo_response(&w, 1);
    assert_true(w.bad);
}

static void error_indication_names_teid_and_address(void **state)
{
    (void)state;
    struct gtpu_error_indication error = {.teid = 0xcafe0001, .udp_port = 0x8765}, read;
    struct gtpu_header header;
    uint8_t space[64];
    struct writer w = writer_of(space, sizeof(space));

    error.ipv4.s_addr = htonl(0x0a000001);
    gtpu_write_error_indication(&w, &error);
    assert_true(
        bytes_equal(wr_view(&w), BYTES(0x36, 26, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0x87, 0x65, 0,
                                       16, 0xca, 0xfe, 0, 1, 133, 0, 4, 10, 0, 0, 1)));
    assert_int_equal(gtpu_read(wr_view(&w), &header), 0);
    assert_int_equal(gtpu_read_error_indication(&header, &read), 0);
    assert_int_equal(read.teid, error.teid);
    assert_int_equal(read.udp_port, error.udp_port);
    assert_int_equal(read.ipv4.s_addr, error.ipv4.s_addr);

    error = (struct gtpu_error_indication){.teid = 7, .is_ipv6 = true};
    inet_pton(AF_INET6, "2001:db8::1", &error.ipv6);
    w = writer_of(space, sizeof(space));
    gtpu_write_error_indication(&w, &error);
    assert_int_equal(gtpu_read(wr_view(&w), &header), 0);
    assert_int_equal(gtpu_read_error_indication(&header, &read), 0);
    assert_true(read.is_ipv6);
    assert_memory_equal(&read.ipv6, &error.ipv6, 16);
    assert_int_equal(read.udp_port, 0);
}

static void a_broken_error_indication_is_refused(void **state)
{
    (void)state;
    struct gtpu_error_indication read;
    struct gtpu_header header;

    /* without address, with an address of 5 octets, with a length past the end, behind an unknown
     * fixed one */
    assert_int_equal(gtpu_read(BYTES(0x30, 26, 0, 5, 0, 0, 0, 0, 16, 0, 0, 0, 1), &header), 0);
    assert_int_equal(gtpu_read_error_indication(&header, &read), -EBADMSG);
    assert_int_equal(
        gtpu_read(BYTES(0x30, 26, 0, 13, 0, 0, 0, 0, 16, 0, 0, 0, 1, 133, 0, 5, 1, 2, 3, 4, 5),
                  &header),
        0);
    assert_int_equal(gtpu_read_error_indication(&header, &read), -EBADMSG);
    assert_int_equal(
        gtpu_read(BYTES(0x30, 26, 0, 12, 0, 0, 0, 0, 16, 0, 0, 0, 1, 133, 0, 5, 1, 2, 3, 4),
                  &header),
        0);
    assert_int_equal(gtpu_read_error_indication(&header, &read), -EBADMSG);
    assert_int_equal(
        gtpu_read(BYTES(0x30, 26, 0, 14, 0, 0, 0, 0, 99, 0, 16, 0, 0, 0, 1, 133, 0, 4, 1, 2, 3, 4),
                  &header),
        0);
    assert_int_equal(gtpu_read_error_indication(&header, &read), -EBADMSG);
    /* a private extension before is skipped */
    assert_int_equal(gtpu_read(BYTES(0x30, 26, 0, 17, 0, 0, 0, 0, 255, 0, 2, 1, 1, 16, 0, 0, 0, 1,
                                     133, 0, 4, 1, 2, 3, 4),
                               &header),
                     0);
    assert_int_equal(gtpu_read_error_indication(&header, &read), 0);
    assert_int_equal(read.teid, 1);
}

static void supported_extension_headers_have_one_length_octet(void **state)
{
    (void)state;
    uint8_t space[32];
    struct writer w = writer_of(space, sizeof(space));
    struct gtpu_header header;
    struct bytes types;

    gtpu_write_supported_extension_headers(&w, 5, BYTES(0xc0, 0x40));
    assert_true(bytes_equal(wr_view(&w),
                            BYTES(0x32, 31, 0, 8, 0, 0, 0, 0, 0, 5, 0, 0, 141, 2, 0xc0, 0x40)));
    assert_int_equal(gtpu_read(wr_view(&w), &header), 0);
    assert_int_equal(gtpu_read_supported_extension_headers(&header, &types), 0);
    assert_true(bytes_equal(types, BYTES(0xc0, 0x40)));
    header.payload.len = 3;
    assert_int_equal(gtpu_read_supported_extension_headers(&header, &types), -EBADMSG);
}

static void an_end_marker_is_a_header(void **state)
{
    (void)state;
    uint8_t space[8];
    struct writer w = writer_of(space, sizeof(space));

    gtpu_write_end_marker(&w, 0x01020304);
    assert_true(bytes_equal(wr_view(&w), BYTES(0x30, 254, 0, 0, 1, 2, 3, 4)));
}

static void a_packet_too_long_for_the_length_field_is_refused(void **state)
{
    (void)state;
    uint8_t space[16];
    struct writer w = writer_of(space, sizeof(space));

    gtpu_write(&w, &(struct gtpu_header){.type = GTPU_G_PDU, .has_sequence = true}, 65532);
    assert_true(w.bad);
    w = writer_of(space, sizeof(space));
    gtpu_write(&w, &(struct gtpu_header){.type = GTPU_G_PDU, .has_sequence = true}, 65531);
    assert_false(w.bad);
}

/* Under AddressSanitizer this shows a read past the end. */
static void truncation_is_never_read_past(void **state)
{
    (void)state;
    struct bytes whole = BYTES(0x36, 26, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0x87, 0x65, 0, 16,
                               0xca, 0xfe, 0, 1, 133, 0, 4, 10, 0, 0, 1);
    for (size_t n = 0; n < whole.len; n++) {
        uint8_t *copy = unit_copy(whole.at, n);
        struct gtpu_header header;
        assert_int_equal(gtpu_read(bytes_of(copy, n), &header), -EBADMSG);
        free(copy);
    }
    /* the length told right, what is inside cut */
    for (size_t n = 8; n < whole.len; n++) {
        uint8_t *copy = unit_copy(whole.at, n);
        struct gtpu_header header;
        struct gtpu_error_indication error;
        copy[3] = (uint8_t)(n - 8);
        if (gtpu_read(bytes_of(copy, n), &header) == 0)
            assert_int_equal(gtpu_read_error_indication(&header, &error), -EBADMSG);
        free(copy);
    }
}

static void messages_print_on_one_line(void **state)
{
    (void)state;
    char line[200];
    struct text t = text_in(line, sizeof(line));

    gtpu_trace_printer(BYTES(0x36, 26, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0x87, 0x65, 0, 16, 0xca,
                             0xfe, 0, 1, 133, 0, 4, 10, 0, 0, 1),
                       &t);
    assert_string_equal(
        line, "Error Indication teid=0 seq=0 extension=0x40:8765 unknown=0xcafe0001 at=10.0.0.1");
    t = text_in(line, sizeof(line));
    gtpu_trace_printer(BYTES(0x30, 99, 0, 0, 0, 0, 0, 1), &t);
    assert_string_equal(line, "message 99 teid=0x1");
    t = text_in(line, sizeof(line));
    gtpu_trace_printer(BYTES(0x30, 99), &t);
    assert_string_equal(line, "not GTP-U: 2 octets");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_g_pdu_is_eight_octets_and_the_packet),
        cmocka_unit_test(any_flag_brings_the_optional_octets),
        cmocka_unit_test(next_type_without_the_e_flag_means_nothing),
        cmocka_unit_test(a_chain_of_extensions_is_walked),
        cmocka_unit_test(broken_chains_are_refused),
        cmocka_unit_test(the_length_must_fit),
        cmocka_unit_test(other_versions_are_told_apart),
        cmocka_unit_test(echo_has_a_sequence_number_and_recovery),
        cmocka_unit_test(error_indication_names_teid_and_address),
        cmocka_unit_test(a_broken_error_indication_is_refused),
        cmocka_unit_test(supported_extension_headers_have_one_length_octet),
        cmocka_unit_test(an_end_marker_is_a_header),
        cmocka_unit_test(a_packet_too_long_for_the_length_field_is_refused),
        cmocka_unit_test(truncation_is_never_read_past),
        cmocka_unit_test(messages_print_on_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
