/*
 * gtpc_types_test.c -- the values of GTPv2-C elements (TS 29.274 clause 8): octets, what they mean
 * in words, the same octets again, and every shorter length refused.
 */
#include "gtp_unit.h"

#include "wire/gtp/gtpc_inner.h"

static const struct {
    const struct wire_type *type;
    size_t len;      /* of what is encoded */
    size_t shortest; /* decodable length; all below are refused */
    uint8_t octets[40];
    const char *text;
} values[] = {
    {&gtpc_imsi, 8, 1, {0x00, 0x01, 0x01, 0x21, 0x43, 0x65, 0x87, 0xf9}, "001010123456789"},
    {&gtpc_imsi, 7, 1, {0x62, 0x02, 0x99, 0x21, 0x43, 0x65, 0x87}, "26209912345678"},
    {&gtpc_mei, 8, 1, {0x53, 0x61, 0x90, 0x00, 0x12, 0x34, 0x56, 0xf1}, "351609002143651"},
    {&gtpc_apn,
     13,
     4,
     {3, 'i', 'm', 's', 8, 'o', 'p', 'e', 'r', 'a', 't', 'o', 'r'},
     "ims.operator"},
    {&gtpc_cause_type, 2, 2, {16, 0}, "16(Request accepted)"},
    {&gtpc_cause_type, 2, 2, {64, 1}, "64(Context Not Found),remote"},
    {&gtpc_cause_type, 2, 2, {200, 6}, "200"},
    {&gtpc_cause_type, 6, 2, {70, 0, 93, 0, 0, 1}, "70(Mandatory IE missing),offending=93/1"},
    {&gtpc_ambr_type, 8, 8, {0, 0, 0x27, 0x10, 0, 0, 0x4e, 0x20}, "10000/20000kbps"},
    {&gtpc_nibble, 1, 1, {15}, "15"},
    {&gtpc_ip_address_type, 4, 4, {192, 0, 2, 1}, "192.0.2.1"},
    {&gtpc_ip_address_type,
     16,
     4,
     {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
     "2001:db8::1"},
    {&gtpc_indication_type, 2, 1, {0x88, 0x02}, "DAF,OI,SI"},
    {&gtpc_indication_type, 8, 1, {0x01, 0, 0, 0, 0, 0x10, 0, 0x80}, "SGWCI,PMTSMI,0x8000"},
    {&gtpc_paa_type, 5, 5, {1, 10, 45, 0, 2}, "IPv4,10.45.0.2"},
    {&gtpc_paa_type,
     18,
     18,
     {2, 64, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1},
     "IPv6,2001:db8:0:5::1/64"},
    {&gtpc_paa_type,
     22,
     22,
     {3, 64, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 10, 45, 0, 2},
     "IPv4v6,10.45.0.2,2001:db8:0:5::1/64"},
    {&gtpc_paa_type, 1, 1, {4}, "non-IP"},
    {&gtpc_arp_type, 1, 1, {0x48}, "2,pre-emptable"},
    {&gtpc_arp_type, 1, 1, {0x05}, "1,may-pre-empt"},
    {&gtpc_bearer_qos_type,
     22,
     22,
     {0x7d, 1, 0, 0, 0, 0, 128, 0, 0, 0, 0, 129, 0, 0, 0, 0, 64, 0xff, 0xff, 0xff, 0xff, 0xff},
     "qci=1,mbr=128/129kbps,gbr=64/1099511627775kbps,arp=15"},
    {&gtpc_flow_qos_type, 21, 21, {9}, "qci=9"},
    {&gtpc_serving_network, 3, 3, {0x13, 0x00, 0x14}, "310410"},
    {&gtpc_uli_type,
     13,
     13,
     {0x18, 0x00, 0xf1, 0x10, 0, 7, 0x00, 0xf1, 0x10, 0x00, 0x00, 0x1a, 0x01},
     "{tai=00101-7,ecgi=00101-0x1a01}"},
    {&gtpc_uli_type,
     27,
     27,
     {0x27, 0x00, 0xf1, 0x10, 0, 1, 0, 2, 0x00, 0xf1, 0x10, 0, 3, 0,
      4,    0x00, 0xf1, 0x10, 0, 5, 0, 6, 0x00, 0xf1, 0x10, 0, 7},
     "{cgi=00101-1-2,sai=00101-3-4,rai=00101-5-6,lai=00101-7-0,}"},
    {&gtpc_uli_type,
     13,
     13,
     {0xc0, 0x00, 0xf1, 0x10, 0x01, 0x23, 0x45, 0x00, 0xf1, 0x10, 0x83, 0xff, 0xff},
     "{enodeb=00101-0x12345,enodeb=00101-0x3ffff,}"},
    {&gtpc_f_teid_type, 9, 9, {0x80, 0, 0, 0, 1, 10, 0, 0, 1}, "S1-U-eNB:0x1@10.0.0.1"},
    {&gtpc_f_teid_type,
     21,
     21,
     {0x41, 0, 0, 0, 1, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
     "S1-U-SGW:0x1@2001:db8::1"},
    {&gtpc_f_teid_type,
     25,
     25,
     {0xfd, 0xff, 0xff, 0xff, 0xff, 10, 0, 0, 1, 0x20, 1, 0xd, 0xb8,
      0,    0,    0,    0,    0,    0,  0, 0, 0, 0,    0, 1},
     "61:0xffffffff@10.0.0.1@2001:db8::1"},
    {&gtpc_fq_csid_type, 9, 9, {0x02, 10, 0, 0, 1, 0, 5, 0, 6}, "10.0.0.1,5,6"},
    {&gtpc_fq_csid_type, 7, 7, {0x21, 0x12, 0x34, 0x56, 0x78, 0, 5}, "0x12345678,5"},
    {&gtpc_fq_csid_type,
     17,
     17,
     {0x10, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
     "2001:db8::1"},
    {&gtpc_ue_time_zone_type, 2, 2, {0x40, 1}, "+01:00+1h"},
    {&gtpc_ue_time_zone_type, 2, 2, {0x4a, 0}, "-06:00"},
    {&gtpc_epc_timer_type, 1, 1, {0x2a}, "600s"},
    {&gtpc_epc_timer_type, 1, 1, {0xe0}, "infinite"},
    {&gtpc_throttling_type, 2, 2, {0x03, 50}, "50% for 6s"},
    {&gtpc_ran_nas_cause_type, 2, 1, {0x10, 0x14}, "1/0/14"},
    {&gtpc_pco_type, 7, 0, {0x80, 0, 0x10, 2, 0x05, 0xdc}, "{mtu=05dc broken}"},
};

static bool decode(const struct wire_type *type, const void *at, size_t len, void *value,
                   struct arena *arena)
{
    struct wire_context context = {.arena = arena};
    uint8_t *copy = unit_copy(at, len);
    struct reader r = reader_of(copy, len);

    type->decode(type, &r, value, &context);
    bool good = !r.bad;
    free(copy);
    return good;
}

static void octets_words_and_octets_again(void **state)
{
    (void)state;
    static uint8_t value[512];
    struct arena arena;

    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const struct wire_type *type = values[i].type;
        uint8_t again[64];
        char line[200];
        struct writer w = writer_of(again, sizeof(again));
        struct text t = text_in(line, sizeof(line));
        struct reader r = reader_of(values[i].octets, values[i].len);
        struct wire_context context = {.arena = &arena};

        assert_true(type->size <= sizeof(value));
        memset(value, 0, sizeof(value));
        type->decode(type, &r, value, &context);
        assert_false(r.bad);
        type->print(type, &t, value);
        assert_string_equal(line, values[i].text);
        type->encode(type, &w, value);
        assert_false(w.bad);
        assert_int_equal(wr_len(&w), values[i].len);
        assert_memory_equal(again, values[i].octets, values[i].len);
    }
    arena_free(&arena);
}

static void shorter_ones_are_refused(void **state)
{
    (void)state;
    static uint8_t value[512];
    struct arena arena;

    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        for (size_t n = 0; n < values[i].len; n++) {
            if (values[i].type == &gtpc_ran_nas_cause_type || values[i].type == &gtpc_pco_type)
                continue;
            memset(value, 0, sizeof(value));
            bool good = decode(values[i].type, values[i].octets, n, value, &arena);
            if (n < values[i].shortest)
                assert_false(good);
        }
    arena_free(&arena);
}

/* Later releases append to values. */
static void longer_ones_are_taken(void **state)
{
    (void)state;
    static uint8_t value[512];
    struct arena arena;

    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const struct wire_type *type = values[i].type;
        uint8_t longer[48] = {0};
        bool grows = type == &gtpc_imsi || type == &gtpc_mei || type == &gtpc_apn ||
                     type == &gtpc_ran_nas_cause_type || type == &gtpc_pco_type;
        if (grows)
            continue;
        memcpy(longer, values[i].octets, values[i].len);
        memset(value, 0, sizeof(value));
        assert_true(decode(type, longer, values[i].len + 2, value, &arena));
    }
    arena_free(&arena);
}

static const struct {
    const struct wire_type *type;
    size_t len;
    uint8_t octets[24];
} wrong[] = {
    {&gtpc_imsi, 2, {0x1a, 0xf2}},                       /* not a digit */
    {&gtpc_imsi, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}},        /* 18 digits */
    {&gtpc_apn, 3, {2, '*', 'a'}},                       /* not an APN's character */
    {&gtpc_apn, 2, {0, 1}},                              /* an empty label */
    {&gtpc_paa_type, 5, {0, 1, 2, 3, 4}},                /* PDN type 0 */
    {&gtpc_paa_type, 1, {7}},                            /* PDN type 7 */
    {&gtpc_paa_type, 18, {2, 129}},                      /* a prefix of 129 bits */
    {&gtpc_f_teid_type, 5, {0x0a, 0, 0, 0, 1}},          /* no address */
    {&gtpc_serving_network, 3, {0x0b, 0xf1, 0x10}},      /* MCC digit 11 */
    {&gtpc_fq_csid_type, 5, {0x30, 1, 2, 3, 4}},         /* node id type 3 */
    {&gtpc_uli_type, 6, {0x08, 0x0c, 0xf1, 0x10, 0, 1}}, /* MCC digit 12 */
};

static void wrong_values_are_refused(void **state)
{
    (void)state;
    static uint8_t value[512];
    struct arena arena;

    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        memset(value, 0, sizeof(value));
        assert_false(decode(wrong[i].type, wrong[i].octets, wrong[i].len, value, &arena));
    }
    arena_free(&arena);
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    uint8_t space[64];
    struct writer w = writer_of(space, sizeof(space));

    gtpc_fq_csid_type.encode(&gtpc_fq_csid_type, &w, &(struct gtpc_fq_csid){.count = 16});
    assert_true(w.bad);
    w = writer_of(space, sizeof(space));
    gtpc_imsi.encode(&gtpc_imsi, &w, "12x4");
    assert_true(w.bad);
    w = writer_of(space, sizeof(space));
    gtpc_serving_network.encode(&gtpc_serving_network, &w, &(struct plmn){1000, 1, 2});
    assert_true(w.bad);
}

static void timers(void **state)
{
    (void)state;
    assert_int_equal(gtpc_epc_timer_seconds(gtpc_epc_timer_of(1)), 2);
    assert_int_equal(gtpc_epc_timer_seconds(gtpc_epc_timer_of(62)), 62);
    assert_int_equal(gtpc_epc_timer_seconds(gtpc_epc_timer_of(63)), 120);
    assert_int_equal(gtpc_epc_timer_seconds(gtpc_epc_timer_of(3600)), 3600);
    assert_int_equal(gtpc_epc_timer_seconds(gtpc_epc_timer_of(3601)), 4200);
    assert_int_equal(gtpc_epc_timer_seconds(gtpc_epc_timer_of(36000 * 31)), 36000 * 31);
    assert_int_equal(gtpc_epc_timer_seconds(gtpc_epc_timer_of(UINT32_MAX)), UINT32_MAX);
    assert_int_equal(gtpc_epc_timer_seconds(gtpc_epc_timer_of(0)), 0);
}

static void f_teids_of_addresses(void **state)
{
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct gtpc_f_teid f_teid = gtpc_f_teid_of(GTPC_S11_MME_GTP_C, 5, (struct sockaddr *)&in);

    assert_true(f_teid.has_ipv4 && !f_teid.has_ipv6);
    assert_int_equal(f_teid.ipv4.s_addr, 0x0100007f);
    f_teid = gtpc_f_teid_of(GTPC_S11_MME_GTP_C, 5, (struct sockaddr *)&in6);
    assert_true(!f_teid.has_ipv4 && f_teid.has_ipv6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_words_and_octets_again),
        cmocka_unit_test(shorter_ones_are_refused),
        cmocka_unit_test(longer_ones_are_taken),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(timers),
        cmocka_unit_test(f_teids_of_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
