/*
 * pcapng_test.c -- the bytes of a capture file. That Wireshark reads them is a peer test's
 * business.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "manager/pcapng.h"

struct block {
    uint32_t type;
    struct reader body; /* without type and both lengths */
};

static uint32_t host32(struct reader *r)
{
    uint32_t value = 0;

    rd_bytes(r, &value, sizeof(value));
    return value;
}

static uint16_t host16(struct reader *r)
{
    uint16_t value = 0;

    rd_bytes(r, &value, sizeof(value));
    return value;
}

/* The next block; both its lengths must agree. */
static struct block next_block(struct reader *r)
{
    struct block b = {.type = host32(r)};
    uint32_t len = host32(r);

    assert_int_equal(len % 4, 0);
    assert_true(len >= 12);
    b.body = rd_sub(r, len - 12);
    assert_int_equal(host32(r), len);
    assert_false(r->bad);
    return b;
}

static void a_file_tells_what_is_in_it(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t size;
    FILE *file = open_memstream(&bytes, &size);

    assert_int_equal(pcapng_begin(file), 0);
    fclose(file);
    struct reader r = reader_of(bytes, size);
    struct block section = next_block(&r), interface = next_block(&r);
    assert_int_equal(section.type, 0x0a0d0d0a);
    assert_int_equal(host32(&section.body), 0x1a2b3c4d);
    assert_int_equal(interface.type, 1);
    assert_int_equal(host16(&interface.body), 252);
    assert_int_equal(rd_left(&r), 0);
    free(bytes);
}

/* A tag of an exported PDU: type, length and content. */
static struct bytes next_tag(struct reader *r, uint16_t *type)
{
    *type = rd_u16(r);
    return rd_view(r, rd_u16(r));
}

static void a_message_carries_its_dissector_and_addresses(void **state)
{
    (void)state;
    struct pcapng_message m = {.time_us = UINT64_C(0x0005a0b0c0d0e0f0),
                               .dissector = "s1ap",
                               .port_type = PCAPNG_SCTP,
                               .comment = "mme to lab",
                               .message = bytes_of("\1\2\3\4\5", 5)};
    struct sockaddr_in *from = (struct sockaddr_in *)&m.from;
    struct sockaddr_in6 *to = (struct sockaddr_in6 *)&m.to;
    char *data = NULL;
    size_t size;
    FILE *file = open_memstream(&data, &size);
    uint16_t type;

    *from = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(36412), .sin_addr.s_addr = htonl(0x0a000001)};
    *to = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = htons(1), .sin6_addr = in6addr_loopback};
    assert_int_equal(pcapng_add(file, &m), 0);
    fclose(file);

    struct reader r = reader_of(data, size);
    struct block b = next_block(&r);
    assert_int_equal(rd_left(&r), 0);
    assert_int_equal(b.type, 6);
    assert_int_equal(host32(&b.body), 0);
    assert_int_equal(host32(&b.body), 0x0005a0b0);
    assert_int_equal(host32(&b.body), 0xc0d0e0f0);
    uint32_t captured = host32(&b.body);
    assert_int_equal(host32(&b.body), captured);
    struct reader packet = rd_sub(&b.body, captured);
    assert_true(bytes_equal(next_tag(&packet, &type), bytes_of("s1ap", 4)));
    assert_int_equal(type, 12);
    assert_true(bytes_equal(next_tag(&packet, &type), bytes_of("\x0a\0\0\1", 4)));
    assert_int_equal(type, 20);
    assert_true(bytes_equal(next_tag(&packet, &type), bytes_of("\0\0\x8e\x3c", 4)));
    assert_int_equal(type, 25);
    assert_true(bytes_equal(next_tag(&packet, &type), bytes_of(&in6addr_loopback, 16)));
    assert_int_equal(type, 23);
    assert_true(bytes_equal(next_tag(&packet, &type), bytes_of("\0\0\0\1", 4)));
    assert_int_equal(type, 26);
    assert_true(bytes_equal(next_tag(&packet, &type), bytes_of("\0\0\0\1", 4)));
    assert_int_equal(type, 24);
    assert_int_equal(next_tag(&packet, &type).len, 0);
    assert_int_equal(type, 0);
    assert_true(bytes_equal(rd_rest(&packet), m.message));
    rd_skip(&b.body, (4 - captured % 4) % 4);
    assert_int_equal(host16(&b.body), 1);
    uint16_t comment = host16(&b.body);
    assert_true(bytes_equal(rd_view(&b.body, comment), bytes_of("mme to lab", 10)));
    rd_skip(&b.body, 2);
    assert_int_equal(host32(&b.body), 0);
    assert_int_equal(rd_left(&b.body), 0);
    assert_false(b.body.bad);
    free(data);
}

static void every_length_is_padded(void **state)
{
    (void)state;
    uint8_t message[9] = {0};

    for (size_t len = 0; len <= sizeof(message); len++) {
        struct pcapng_message m = {.dissector = "gtpv2", .message = bytes_of(message, len)};
        char *data = NULL;
        size_t size;
        FILE *file = open_memstream(&data, &size);
        assert_int_equal(pcapng_add(file, &m), 0);
        fclose(file);
        struct reader r = reader_of(data, size);
        next_block(&r);
        assert_int_equal(rd_left(&r), 0);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_tells_what_is_in_it),
        cmocka_unit_test(a_message_carries_its_dissector_and_addresses),
        cmocka_unit_test(every_length_is_padded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
