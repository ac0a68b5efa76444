/*
 * peers_test.c -- names of the two ends of a message.
 */
#include "unit.h"

#include "manager/peers.h"

static struct peers peers;

static int begin(void **state)
{
    (void)state;
    json_t *enbs =
        json_pack("[{s:s,s:s},{s:s,s:s},{s:s}]", "name", "enb1", "address", "10.0.1.11:64176",
                  "name", "enb2", "address", "[fd00::12]:51830", "name", "without address");
    json_t *phones = json_pack("[{s:s,s:s}]", "name", "phone1", "imsi", "001010000000001");

    assert_int_equal(peers_init(&peers), 0);
    peers_learn_enbs(&peers, enbs);
    peers_learn_phones(&peers, phones);
    peers_learn_enbs(&peers, NULL);
    peers_learn_function(&peers, "mme", "10.0.0.2:36412");
    peers_learn_function(&peers, "controller", "10.0.0.6:6653");
    peers_learn_function(&peers, "switch", "10.0.0.6:42014");
    peers_learn_function(&peers, "sgw", NULL);
    json_decref(enbs);
    json_decref(phones);
    return 0;
}

static int end(void **state)
{
    (void)state;
    peers_free(&peers);
    return 0;
}

static void expect(const char *want, const char *protocol, const char *function,
                   const char *address, const char *imsi, const char *other)
{
    assert_string_equal(peers_name(&peers, protocol, function, address, imsi, other), want);
}

static void functions_are_found_by_address(void **state)
{
    (void)state;
    expect("mme", "GTPv2", NULL, "10.0.0.2:2123", "", "sgw");
    expect("hss", "Diameter", "hss", "10.0.0.3:3868", "", "mme");
    /* Two on one host: only the port tells. */
    expect("switch", "OpenFlow", NULL, "10.0.0.6:42014", "", "controller");
    expect("switch", "OpenFlow", NULL, "10.0.0.6:1", "", "controller");
    expect("controller", "OpenFlow", NULL, "10.0.0.6:1", "", "switch");
    expect("10.9.9.9:1", "GTPv2", NULL, "10.9.9.9:1", "", "mme");
    expect("?", "GTPv2", NULL, "", "", "mme");
    /* Nobody speaks with itself: another process of its host. */
    expect("10.0.0.2:1", "GTPv2", NULL, "10.0.0.2:1", "", "mme");
}

static void the_radio_has_names(void **state)
{
    (void)state;
    expect("enb1", "S1AP", "lab", "10.0.1.11:64176", "001010000000001", "mme");
    expect("enb1", "S1AP", NULL, "10.0.1.11:1", "", "mme"); /* it came back from another port */
    expect("enb2", "S1AP", NULL, "[fd00::12]:51830", "", "mme");
    expect("lab", "S1AP", "lab", "10.0.1.13:1", "", "mme");
    expect("10.0.1.13:1", "S1AP", NULL, "10.0.1.13:1", "", "mme");
    expect("phone1", "NAS", "lab", "", "001010000000001", "mme");
    expect("phone1", "NAS", NULL, "", "001010000000001", "mme");
    expect("phone", "NAS", NULL, "", "s1 5", "mme");
    expect("mme", "NAS", "mme", "", "001010000000001", "lab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_found_by_address),
        cmocka_unit_test(the_radio_has_names),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
