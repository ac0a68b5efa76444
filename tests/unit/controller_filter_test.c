/*
 * controller_filter_test.c -- SDF filters: what is read, what is refused, what matches, and port
 * ranges as masks.
 */
#include "unit.h"

#include <errno.h>

#include "controller/filter.h"

static int read_line(const char *line, struct up_filter *filter)
{
    struct pfcp_sdf_filter sdf = {.has_flow_description = true,
                                  .flow_description = bytes_of(line, strlen(line))};

    return up_filter_read(&sdf, filter);
}

static void lines_that_are_filters(void **state)
{
    struct up_filter f;

    (void)state;
    assert_int_equal(read_line("permit out ip from any to assigned", &f), 0);
    assert_int_equal(f.version, 0);
    assert_int_equal(f.protocol, 0);
    assert_int_equal(f.remote.prefix + f.local.prefix, 0);
    assert_true(up_ports_any(&f.remote) && up_ports_any(&f.local));

    assert_int_equal(read_line("permit out 17 from 192.0.2.129/25 5060 to 10.45.0.2 1000-2000", &f),
                     0);
    assert_int_equal(f.version, 4);
    assert_int_equal(f.protocol, IP_UDP);
    assert_int_equal(f.remote.prefix, 25);
    assert_memory_equal(&f.remote.address, "\xc0\x00\x02\x80",
                        4); /* bits behind the prefix are cleared */
    assert_int_equal(f.remote.port_low, 5060);
    assert_int_equal(f.remote.port_high, 5060);
    assert_int_equal(f.local.prefix, 32);
    assert_int_equal(f.local.port_low, 1000);
    assert_int_equal(f.local.port_high, 2000);

    /* "in" is the same seen from the other side. */
    assert_int_equal(read_line("permit in 6 from assigned 80 to 2001:db8::1 443", &f), 0);
    assert_int_equal(f.version, 6);
    assert_int_equal(f.remote.prefix, 128);
    assert_int_equal(f.remote.port_low, 443);
    assert_int_equal(f.local.port_low, 80);
    assert_int_equal(read_line("  permit   out  ip  from  any   to   any  ", &f), 0);
}

static void lines_that_are_not(void **state)
{
    static const struct {
        const char *line;
        int err;
    } cases[] = {
        {"", -EINVAL},
        {"permit", -EINVAL},
        {"deny out ip from any to any", -EINVAL},
        {"permit both ip from any to any", -EINVAL},
        {"permit out tcp from any to any", -EINVAL},
        {"permit out 256 from any to any", -EINVAL},
        {"permit out ip to any from any", -EINVAL},
        {"permit out ip from any", -EINVAL},
        {"permit out ip from any to", -EINVAL},
        {"permit out ip from 300.0.0.1 to any", -EINVAL},
        {"permit out ip from 10.0.0.0/33 to any", -EINVAL},
        {"permit out ip from 10.0.0.0/x to any", -EINVAL},
        {"permit out ip from 10.0.0.1 to 2001:db8::1", -EINVAL},
        {"permit out 6 from any 70000 to any", -EINVAL},
        {"permit out 6 from any 20-10 to any", -EINVAL},
        {"permit out 6 from any 80,443 to any", -ENOTSUP},
        {"permit out ip from !10.0.0.1 to any", -ENOTSUP},
        {"permit out ip from any to any established", -ENOTSUP},
        {"permit out ip from any 80 to any", -ENOTSUP}, /* ports of which protocol? */
        {"permit out 1 from any 80 to any", -ENOTSUP},
        {"permit out ip from "
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa to any",
         -EINVAL},
    };
    struct up_filter f;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(read_line(cases[i].line, &f), cases[i].err);
    struct pfcp_sdf_filter spi = {.has_security_parameter_index = true};
    assert_int_equal(up_filter_read(&spi, &f), -ENOTSUP);
    struct pfcp_sdf_filter label = {.has_flow_label = true};
    assert_int_equal(up_filter_read(&label, &f), -ENOTSUP);
    struct pfcp_sdf_filter ecn = {.has_tos_traffic_class = true, .tos_traffic_class = 0x0103};
    assert_int_equal(up_filter_read(&ecn, &f), -ENOTSUP);
    struct pfcp_sdf_filter dscp = {.has_tos_traffic_class = true,
                                   .tos_traffic_class = 0xb9fc,
                                   .has_filter_id = true,
                                   .filter_id = 3};
    assert_int_equal(up_filter_read(&dscp, &f), 0);
    assert_int_equal(f.tos, 0xb8);
    assert_int_equal(f.id, 3);
}

static struct net_packet packet4(const char *src, uint16_t src_port, const char *dst,
                                 uint16_t dst_port)
{
    struct net_packet p = {
        .version = 4, .protocol = IP_UDP, .tos = 0xb8, .src_port = src_port, .dst_port = dst_port};

    p.src.family_size = p.dst.family_size = 4;
    inet_pton(AF_INET, src, &p.src.v4);
    inet_pton(AF_INET, dst, &p.dst.v4);
    return p;
}

static void packets_match_either_way(void **state)
{
    struct up_filter f;

    (void)state;
    assert_int_equal(read_line("permit out 17 from 192.0.2.0/24 5060 to assigned 1000-2000", &f),
                     0);
    struct net_packet down = packet4("192.0.2.7", 5060, "10.45.0.2", 1500);
    struct net_packet up = packet4("10.45.0.2", 1500, "192.0.2.7", 5060);
    assert_true(up_filter_matches(&f, true, &down));
    assert_false(up_filter_matches(&f, true, &up));
    assert_true(up_filter_matches(&f, false, &up));
    down.dst_port = 2000;
    assert_true(up_filter_matches(&f, true, &down));
    down.dst_port = 2001;
    assert_false(up_filter_matches(&f, true, &down));
    struct net_packet elsewhere = packet4("192.0.3.7", 5060, "10.45.0.2", 1500);
    assert_false(up_filter_matches(&f, true, &elsewhere));
    up.protocol = IP_TCP;
    assert_false(up_filter_matches(&f, false, &up));
    f.tos_mask = 0xfc;
    f.tos = 0x28;
    down.dst_port = 1500;
    assert_false(up_filter_matches(&f, true, &down));
    f.tos = 0xb8;
    assert_true(up_filter_matches(&f, true, &down));
    f.version = 6;
    assert_false(up_filter_matches(&f, true, &down));
}

/* Every port is in exactly one of the blocks if it is in the range, in none if not. */
static void ranges_are_covered_exactly(void **state)
{
    static const uint16_t ranges[][2] = {{0, 65535},   {1, 65535},  {0, 65534},     {1, 65534},
                                         {80, 80},     {0, 0},      {65535, 65535}, {1000, 2000},
                                         {1024, 2047}, {1023, 2048}};

    (void)state;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        struct up_port_mask masks[UP_MAX_PORT_MASKS];
        unsigned n = up_port_masks(ranges[i][0], ranges[i][1], masks);
        assert_in_range(n, 1, UP_MAX_PORT_MASKS);
        for (uint32_t port = 0; port <= 65535; port++) {
            unsigned hits = 0;
            for (unsigned m = 0; m < n; m++)
                hits += (port & masks[m].mask) == masks[m].value;
            if (hits != (port >= ranges[i][0] && port <= ranges[i][1]))
                fail_msg("port %u of %u-%u: %u hits", port, ranges[i][0], ranges[i][1], hits);
        }
    }
    struct up_port_mask all[UP_MAX_PORT_MASKS];
    assert_int_equal(up_port_masks(0, 65535, all), 1);
    assert_int_equal(all[0].mask, 0);
}

static void prefixes_compare_to_the_bit(void **state)
{
    static const uint8_t a[] = {0xff, 0x0f}, b[] = {0xff, 0x0e};

    (void)state;
    assert_true(up_prefix_equal(a, b, 0));
    assert_true(up_prefix_equal(a, b, 15));
    assert_false(up_prefix_equal(a, b, 16));
    assert_true(up_prefix_equal(a, a, 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_are_filters),      cmocka_unit_test(lines_that_are_not),
        cmocka_unit_test(packets_match_either_way),    cmocka_unit_test(ranges_are_covered_exactly),
        cmocka_unit_test(prefixes_compare_to_the_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
