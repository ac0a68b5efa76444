/*
 * mme_subscription_test.c -- subscription data and shared bytes by themselves: taken, changed,
 * removed, shared; the choice of an APN.
 */
#include "mme_world.h"

#include "mme/s6a.h"
#include "mme/shared.h"
#include "mme/ue.h"

static struct mme_ue *ue;

static int setup(void **state)
{
    world_setup(state);
    ue = mme_ue_new();
    return 0;
}

static int teardown(void **state)
{
    if (ue)
        mme_ue_free(ue);
    assert_int_equal(mme_shared_count(), 0);
    assert_int_equal(mme_shared_bytes(), 0);
    return world_teardown(state);
}

/* ---- Shared bytes
 * ---------------------------------------------------------------------------------------- */

static void test_sharing(void **state)
{
    (void)state;
    const struct mme_shared *a = mme_share("one", 3), *b = mme_share("one", 3),
                            *c = mme_share("two", 3);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_int_equal(mme_shared_count(), 2);
    assert_memory_equal(a->bytes, "one", 3);
    mme_unshare(a);
    assert_int_equal(mme_shared_count(), 2);
    mme_unshare(b);
    mme_unshare(c);
    mme_unshare(NULL);
    assert_int_equal(mme_shared_count(), 0);
    const struct mme_shared *empty = mme_share("", 0);
    assert_int_equal(empty->len, 0);
    mme_unshare(empty);
}

/* A thousand phones of one model cost one copy. */
static void test_many_share(void **state)
{
    const struct mme_shared *all[1000];

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        all[i] = mme_share("the same capability", 19);
    assert_int_equal(mme_shared_count(), 1);
    for (unsigned i = 0; i < 1000; i++)
        mme_unshare(all[i]);
}

/* ---- Subscription data
 * -------------------------------------------------------------------------------------- */

static const struct mme_apn *choose(const char *asked, char name[APN_SIZE])
{
    name[0] = '\0';
    return mme_subscription_apn(ue, asked, name);
}

static void test_choice(void **state)
{
    char name[APN_SIZE];

    (void)state;
    assert_null(choose("internet", name)); /* no subscription at all */
    fake_hss.is_second_apn = true;
    assert_int_equal(mme_subscription_take(ue, fake_subscription(), true), 0);
    assert_int_equal(choose(NULL, name)->context_id, 1);
    assert_int_equal(choose("", name)->context_id, 1);
    assert_int_equal(choose("IMS", name)->context_id, 2);
    assert_string_equal(name, "ims");
    assert_int_equal(choose("ims.mnc001.mcc001.gprs", name)->context_id, 2);
    assert_int_equal(choose("ims.MNC001.MCC001.GPRS", name)->context_id, 2);
    assert_null(choose("ims.mnc001.mcc001.gprx", name));
    assert_null(choose("im", name));
    assert_null(choose("imsi", name));
    assert_null(choose(".mnc001.mcc001.gprs", name));
    fake_hss.is_wildcard = true;
    assert_int_equal(mme_subscription_take(ue, fake_subscription(), true), 0);
    assert_int_equal(choose("other.mnc001.mcc001.gprs", name)->context_id, 3);
    assert_string_equal(name, "other");
    assert_int_equal(choose("", name)->context_id, 1);
}

static void test_values(void **state)
{
    uint32_t capable = S6A_PRE_EMPTION_CAPABILITY_ENABLED,
             proof = S6A_PRE_EMPTION_VULNERABILITY_DISABLED;
    struct s6a_eps_subscribed_qos_profile qos = {
        .qos_class_identifier = 7,
        .allocation_retention_priority = {.priority_level = 3,
                                          .pre_emption_capability = &capable,
                                          .pre_emption_vulnerability = &proof},
    };
    struct diameter_address addresses[2] = {{.family = DIAMETER_ADDRESS_IPV4, .ipv4 = {0x0100000a}},
                                            {.family = DIAMETER_ADDRESS_IPV6}};
    struct diameter_address pgw = {.family = DIAMETER_ADDRESS_IPV4, .ipv4 = {0x0200000a}};
    struct s6a_mip6_agent_info agent = {.mip_home_agent_address = {&pgw, 1}};
    struct s6a_ambr ambr = {.max_requested_bandwidth_ul = 5000,
                            .max_requested_bandwidth_dl = 4294967295u};
    struct s6a_apn_configuration apns[2] = {
        {.context_identifier = 4,
         .service_selection = "a",
         .pdn_type = S6A_PDN_IPV4V6,
         .eps_subscribed_qos_profile = &qos,
         .mip6_agent_info = &agent,
         .served_party_ip_address = {addresses, 2},
         .ambr = &ambr},
        {.context_identifier = 5, .service_selection = "b"},
    };
    struct s6a_apn_configuration_profile profile = {.context_identifier = 4,
                                                    .apn_configuration = {apns, 2}};
    struct s6a_subscription_data data = {.apn_configuration_profile = &profile};

    (void)state;
    assert_int_equal(mme_subscription_take(ue, &data, true), 0);
    const struct mme_apn *a = &mme_subscription_of(ue)->apns[0],
                         *b = &mme_subscription_of(ue)->apns[1];
    assert_int_equal(a->qci, 7);
    assert_int_equal(a->arp_priority, 3);
    assert_true(a->may_pre_empt);
    assert_false(a->may_be_pre_empted);
    assert_true(a->has_ipv4 && a->has_ipv6);
    assert_int_equal(a->pgw_len, 4);
    assert_int_equal(a->ambr_ul_kbps, 5);
    assert_int_equal(a->ambr_dl_kbps, 4294967);
    /* What the subscription leaves out. */
    assert_int_equal(b->qci, 9);
    assert_int_equal(b->arp_priority, 15);
    assert_false(b->may_pre_empt);
    assert_true(b->may_be_pre_empted);
    /* The same data of another subscriber is the same copy. */
    struct mme_ue *other = mme_ue_new();
    assert_int_equal(mme_subscription_take(other, &data, true), 0);
    assert_ptr_equal(other->subscription, ue->subscription);
    mme_ue_free(other);
}

static void test_changes(void **state)
{
    struct s6a_apn_configuration more = {.context_identifier = 9, .service_selection = "more"};
    struct s6a_apn_configuration_profile profile = {
        .context_identifier = 9,
        .all_apn_configurations_included_indicator = S6A_MODIFIED_ADDED_APN_CONFIGURATIONS_INCLUDED,
        .apn_configuration = {&more, 1},
    };
    struct s6a_subscription_data data = {.apn_configuration_profile = &profile};
    uint32_t ids[] = {1};
    struct s6a_dsr deletion = {.dsr_flags = S6A_DSR_PDN_SUBSCRIPTION_CONTEXTS,
                               .context_identifier = {ids, 1}};
    char name[APN_SIZE];

    (void)state;
    assert_int_equal(mme_subscription_take(ue, fake_subscription(), true), 0);
    assert_int_equal(mme_subscription_take(ue, &data, false), 0);
    assert_int_equal(mme_subscription_of(ue)->apn_count, 2);
    assert_int_equal(choose("", name)->context_id, 9);
    assert_int_equal(mme_subscription_of(ue)->ambr_dl, 100000000);
    profile.all_apn_configurations_included_indicator = S6A_ALL_APN_CONFIGURATIONS_INCLUDED;
    assert_int_equal(mme_subscription_take(ue, &data, false), 0);
    assert_int_equal(mme_subscription_of(ue)->apn_count, 1);
    assert_int_equal(mme_subscription_remove(ue, &deletion), 0);
    assert_int_equal(mme_subscription_of(ue)->apn_count, 1);
    deletion.dsr_flags = S6A_DSR_COMPLETE_APN_PROFILE | S6A_DSR_MSISDN;
    assert_int_equal(mme_subscription_remove(ue, &deletion), 0);
    assert_int_equal(mme_subscription_of(ue)->apn_count, 0);
    assert_string_equal(ue->msisdn, "");
}

/* ---- Bearers and GUTIs
 * -------------------------------------------------------------------------------------------- */

static void test_bearers(void **state)
{
    struct mme_pdn *first = mme_pdn_new(ue, "internet"), *second = mme_pdn_new(ue, "ims");

    (void)state;
    assert_int_equal(first->ebi, 5);
    assert_int_equal(second->ebi, 6);
    for (unsigned i = 0; i < 9; i++)
        assert_non_null(mme_bearer_new(ue, first));
    assert_null(mme_bearer_new(ue, first)); /* all eleven are taken */
    assert_null(mme_pdn_new(ue, "more"));
    assert_int_equal(mme_bearer_status(ue), 0xffe0);
    mme_pdn_free(ue, first);
    assert_int_equal(mme_bearer_status(ue), 1u << 6);
    assert_ptr_equal(mme_pdn_of_apn(ue, "IMS"), second);
    assert_null(mme_pdn_of(ue, 5));
    assert_int_equal(mme_pdn_new(ue, "internet")->ebi, 5);
}

static void test_gutis(void **state)
{
    (void)state;
    assert_int_equal(mme_ue_reallocate_guti(ue), 0);
    uint32_t first = ue->m_tmsi;
    assert_int_equal(first >> 30, 3);
    assert_int_equal(mme_ue_reallocate_guti(ue), 0);
    assert_ptr_equal(mme_ue_of_m_tmsi(first), ue);
    assert_ptr_equal(mme_ue_of_m_tmsi(ue->m_tmsi), ue);
    uint32_t second = ue->m_tmsi;
    /* One that was never confirmed makes room for the next. */
    assert_int_equal(mme_ue_reallocate_guti(ue), 0);
    assert_null(mme_ue_of_m_tmsi(second));
    assert_ptr_equal(mme_ue_of_m_tmsi(first), ue);
    mme_ue_confirm_guti(ue);
    assert_null(mme_ue_of_m_tmsi(first));
    struct guti guti = mme_ue_guti(ue);
    assert_ptr_equal(mme_ue_of_guti(&guti), ue);
    guti.gummei.mme_group_id++;
    assert_null(mme_ue_of_guti(&guti));
    assert_null(mme_ue_of_m_tmsi(0));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(sharing), T(many_share), T(choice), T(values), T(changes), T(bearers), T(gutis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
