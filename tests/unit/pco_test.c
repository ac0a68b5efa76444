/*
 * pco_test.c -- protocol configuration options and the P-GW's answer to them (TS 24.008
 * clause 10.5.6.3, RFC 1332, RFC 1877).
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "wire/gtp/pco.h"

/* What a phone sends: IPCP asking for name servers, DNS by container in both families, MTU, P-CSCF,
 * an address via NAS. */
static const uint8_t phone_request[] = {
    0x80, 0x80, 0x21, 0x10, 1,    7,    0,    16,   129,  6,    0,    0,    0,    0,
    131,  6,    0,    0,    0,    0,    0x00, 0x0d, 0x00, 0x00, 0x03, 0x00, 0x00, 0x10,
    0x00, 0x00, 0x0c, 0x00, 0x00, 0x0a, 0x00, 0x12, 0x34, 0x02, 9,    9, /* an operator's own */
};

static struct pco_offer offer(void)
{
    struct pco_offer offer = {.mtu = 1400};

    inet_pton(AF_INET, "8.8.8.8", &offer.dns_ipv4[0]);
    inet_pton(AF_INET, "8.8.4.4", &offer.dns_ipv4[1]);
    inet_pton(AF_INET6, "2001:4860:4860::8888", &offer.dns_ipv6[0]);
    inet_pton(AF_INET, "10.45.0.2", &offer.ue_ipv4);
    return offer;
}

static void containers_are_read_in_order(void **state)
{
    (void)state;
    struct pco pco;
    uint8_t again[64];
    struct writer w = writer_of(again, sizeof(again));

    assert_int_equal(pco_decode(bytes_of(phone_request, sizeof(phone_request)), &pco), 0);
    assert_int_equal(pco.count, 7);
    assert_int_equal(pco.at[0].id, PCO_IPCP);
    assert_int_equal(pco.at[0].content.len, 16);
    assert_int_equal(pco_find(&pco, 0x1234)->content.len, 2);
    assert_null(pco_find(&pco, PCO_PAP));
    pco_encode(&w, &pco);
    assert_true(bytes_equal(wr_view(&w), bytes_of(phone_request, sizeof(phone_request))));
}

static void the_answer_has_what_was_asked_for(void **state)
{
    (void)state;
    struct pco_offer what = offer();
    uint8_t space[PCO_MAX_SIZE];
    struct writer w = writer_of(space, sizeof(space));
    static const uint8_t expected[] = {
        0x80, 0x80, 0x21, 0x10, 3,    7,    0,    16,   129,  6,    8,    8,    8,
        8,    131,  6,    8,    8,    4,    4, /* Configure-Nak */
        0x00, 0x0d, 0x04, 8,    8,    8,    8,    0x00, 0x0d, 0x04, 8,    8,    4,
        4,    0x00, 0x03, 0x10, 0x20, 1,    0x48, 0x60, 0x48, 0x60, 0,    0,    0,
        0,    0,    0,    0,    0,    0x88, 0x88, 0x00, 0x10, 0x02, 0x05, 0x78,
    };

    assert_int_equal(pco_answer(bytes_of(phone_request, sizeof(phone_request)), &what, &w),
                     sizeof(expected));
    assert_memory_equal(space, expected, sizeof(expected));
}

static int answer_to(struct bytes request, const struct pco_offer *what, uint8_t *space,
                     size_t size)
{
    struct writer w = writer_of(space, size);

    return pco_answer(request, what, &w);
}

static void ipcp_acknowledges_what_is_right_and_rejects_what_it_has_not(void **state)
{
    (void)state;
    struct pco_offer what = offer();
    uint8_t space[PCO_MAX_SIZE];

    /* the right address and server: Ack, unchanged */
    assert_int_equal(
        answer_to(BYTES(0x80, 0x80, 0x21, 16, 1, 9, 0, 16, 3, 6, 10, 45, 0, 2, 129, 6, 8, 8, 8, 8),
                  &what, space, sizeof(space)),
        20);
    assert_memory_equal(
        space, BYTES(0x80, 0x80, 0x21, 16, 2, 9, 0, 16, 3, 6, 10, 45, 0, 2, 129, 6, 8, 8, 8, 8).at,
        20);
    /* a compression protocol: Reject, with that option only */
    assert_int_equal(answer_to(BYTES(0x80, 0x80, 0x21, 16, 1, 9, 0, 16, 2, 6, 0, 0x2d, 15, 1, 129,
                                     6, 0, 0, 0, 0),
                               &what, space, sizeof(space)),
                     14);
    assert_memory_equal(space, BYTES(0x80, 0x80, 0x21, 10, 4, 9, 0, 10, 2, 6, 0, 0x2d, 15, 1).at,
                        14);
    /* a second server that does not exist: Reject of it */
    what.dns_ipv4[1].s_addr = 0;
    assert_int_equal(
        answer_to(BYTES(0x80, 0x80, 0x21, 16, 1, 9, 0, 16, 129, 6, 0, 0, 0, 0, 131, 6, 0, 0, 0, 0),
                  &what, space, sizeof(space)),
        14);
    assert_memory_equal(space, BYTES(0x80, 0x80, 0x21, 10, 4, 9, 0, 10, 131, 6, 0, 0, 0, 0).at, 14);
    /* an Ack, or a broken packet, gets nothing */
    assert_int_equal(answer_to(BYTES(0x80, 0x80, 0x21, 4, 2, 9, 0, 4), &what, space, sizeof(space)),
                     0);
    assert_int_equal(answer_to(BYTES(0x80, 0x80, 0x21, 4, 1, 9, 0, 5), &what, space, sizeof(space)),
                     0);
    assert_int_equal(
        answer_to(BYTES(0x80, 0x80, 0x21, 6, 1, 9, 0, 6, 3, 1), &what, space, sizeof(space)), 0);
    assert_int_equal(
        answer_to(BYTES(0x80, 0x80, 0x21, 8, 1, 9, 0, 8, 3, 4, 1, 2), &what, space, sizeof(space)),
        0);
}

static void passwords_are_acknowledged(void **state)
{
    (void)state;
    struct pco_offer what = offer();
    uint8_t space[PCO_MAX_SIZE];

    assert_int_equal(answer_to(BYTES(0x80, 0xc0, 0x23, 8, 1, 5, 0, 8, 1, 'a', 1, 'b'), &what, space,
                               sizeof(space)),
                     9);
    assert_memory_equal(space, BYTES(0x80, 0xc0, 0x23, 5, 2, 5, 0, 5, 0).at, 9);
    /* CHAP: the challenge gets nothing, the response success */
    assert_int_equal(answer_to(BYTES(0x80, 0xc2, 0x23, 4, 1, 5, 0, 4, 0xc2, 0x23, 4, 2, 6, 0, 4),
                               &what, space, sizeof(space)),
                     0);
    assert_int_equal(answer_to(BYTES(0x80, 0xc2, 0x23, 4, 2, 6, 0, 4), &what, space, sizeof(space)),
                     8);
    assert_memory_equal(space, BYTES(0x80, 0xc2, 0x23, 4, 3, 6, 0, 4).at, 8);

    char line[100];
    struct text t = text_in(line, sizeof(line));
    pco_print(&t, BYTES(0x80, 0xc0, 0x23, 8, 1, 5, 0, 8, 1, 'a', 1, 'b', 0, 13, 4, 8, 8, 8, 8));
    assert_string_equal(line, "{pap=... dns=8.8.8.8}"); /* and never the password */
}

static void a_thing_asked_for_twice_is_told_once(void **state)
{
    (void)state;
    struct pco_offer what = offer();
    uint8_t space[PCO_MAX_SIZE];

    assert_int_equal(answer_to(BYTES(0x80, 0, 0x10, 0, 0, 0x10, 0), &what, space, sizeof(space)),
                     6);
}

static void nothing_known_gives_no_answer(void **state)
{
    (void)state;
    struct pco_offer nothing = {0};
    uint8_t space[PCO_MAX_SIZE];

    assert_int_equal(
        answer_to(BYTES(0x80, 0, 0x0d, 0, 0, 0x10, 0, 0, 0x0c, 0), &nothing, space, sizeof(space)),
        0);
    assert_int_equal(answer_to(BYTES(0x80), &nothing, space, sizeof(space)), 0);
}

static void the_answer_keeps_to_the_room(void **state)
{
    (void)state;
    struct pco_offer what = offer();
    uint8_t space[PCO_MAX_SIZE];

    for (size_t room = 1; room < 70; room++) {
        struct writer w = writer_of(space, room);
        int len = pco_answer(bytes_of(phone_request, sizeof(phone_request)), &what, &w);
        struct pco pco;
        assert_in_range(len, 0, room);
        assert_false(w.bad);
        if (len > 0)
            assert_int_equal(pco_decode(bytes_of(space, (size_t)len), &pco), 0);
    }
}

static void broken_ones_are_refused(void **state)
{
    (void)state;
    struct pco_offer what = offer();
    uint8_t space[PCO_MAX_SIZE];
    struct pco pco;

    assert_int_equal(pco_decode(bytes_of(NULL, 0), &pco), -EBADMSG);
    assert_int_equal(pco_decode(BYTES(0x81), &pco), -EBADMSG);
    assert_int_equal(answer_to(BYTES(0x80, 0, 0x0d, 1), &what, space, sizeof(space)), -EBADMSG);
    for (size_t n = 0; n < sizeof(phone_request); n++) {
        uint8_t *copy = unit_copy(phone_request, n);
        (void)pco_decode(bytes_of(copy, n), &pco);
        free(copy);
    }
}

static void too_many_containers_are_cut(void **state)
{
    (void)state;
    uint8_t many[1 + 3 * (PCO_MAX_CONTAINERS + 5)] = {0x80};
    struct pco pco;

    assert_int_equal(pco_decode(bytes_of(many, sizeof(many)), &pco), 0);
    assert_int_equal(pco.count, PCO_MAX_CONTAINERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers_are_read_in_order),
        cmocka_unit_test(the_answer_has_what_was_asked_for),
        cmocka_unit_test(ipcp_acknowledges_what_is_right_and_rejects_what_it_has_not),
        cmocka_unit_test(passwords_are_acknowledged),
        cmocka_unit_test(a_thing_asked_for_twice_is_told_once),
        cmocka_unit_test(nothing_known_gives_no_answer),
        cmocka_unit_test(the_answer_keeps_to_the_room),
        cmocka_unit_test(broken_ones_are_refused),
        cmocka_unit_test(too_many_containers_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
