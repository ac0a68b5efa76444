/*
 * user_planes_test.c -- several user planes: which one takes a session, which tunnels it lends, and
 * what is owed to one that was away.
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/base.h"
#include "fake_user_plane.h"
#include "link/user_planes.h"

#define CONTROL unit_host(1)

static struct fake_user_plane fakes[2];
static struct user_planes *planes;
static struct sockaddr_storage addresses[2];
static struct pfcp_path_config config;
static unsigned ups, downs;

static void up(void *owner, uint8_t plane, bool restarted)
{
    (void)owner;
    (void)plane;
    (void)restarted;
    ups++;
}

static void down(void *owner, uint8_t plane)
{
    (void)owner;
    (void)plane;
    downs++;
}

static void report(void *owner, uint8_t plane, uint64_t seid, uint32_t transaction,
                   const struct pfcp_session_report_request *body)
{
    (void)owner;
    (void)plane;
    (void)seid;
    (void)body;
    user_planes_answer_report(planes, transaction, 0, PFCP_CAUSE_REQUEST_ACCEPTED);
}

static const char *subject(void *owner, uint64_t seid)
{
    (void)owner;
    (void)seid;
    return "";
}

static const struct user_planes_handler handler = {up, down, report, subject};

static struct sockaddr_storage storage(const char *host)
{
    struct sockaddr_storage at = {0};

    ((struct sockaddr_in *)&at)->sin_family = AF_INET;
    inet_pton(AF_INET, host, &((struct sockaddr_in *)&at)->sin_addr);
    return at;
}

static int set_up(void **state)
{
    (void)state;
    ups = downs = 0;
    if (loop_init() < 0)
        return -1;
    for (unsigned i = 0; i < 2; i++) {
        addresses[i] = storage(unit_host(2 + i));
        fake_user_plane_open(&fakes[i], unit_host(2 + i), 1000);
    }
    config = (struct pfcp_path_config){.address = storage(CONTROL),
                                       .user_planes = {addresses, 2},
                                       .t1_ms = 20,
                                       .n1 = 2,
                                       .heartbeat_ms = 30,
                                       .retry_ms = 20,
                                       .teid_range_bits = 1};
    if (user_planes_open(&config, 5000, 1000, 1, &handler, NULL, &planes) < 0)
        return -1;
    for (int i = 0; i < 200 && ups < 2; i++)
        loop_run_for(2);
    return ups == 2 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    if (planes)
        user_planes_close(planes);
    for (unsigned i = 0; i < 2; i++)
        fake_user_plane_close(&fakes[i]);
    loop_run_for(1);
    loop_free();
    fiber_free_stacks();
    return fiber_count() == 0 ? 0 : -1;
}

static void sessions_go_where_there_are_fewest(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++)
        assert_true(user_planes_take(planes) >= 0);
    assert_int_equal(user_plane_sessions(planes, 0), 3);
    assert_int_equal(user_plane_sessions(planes, 1), 3);
    user_planes_give_back(planes, 1);
    assert_int_equal(user_planes_take(planes), 1);
    fake_user_plane_close(&fakes[1]);
    for (int i = 0; i < 200 && downs == 0; i++)
        loop_run_for(2);
    assert_false(user_plane_is_up(planes, 1));
    for (int i = 0; i < 3; i++)
        assert_int_equal(user_planes_take(planes), 0);
    fake_user_plane_close(&fakes[0]);
    for (int i = 0; i < 200 && downs < 2; i++)
        loop_run_for(2);
    assert_int_equal(user_planes_take(planes), -ENETUNREACH);
}

static void every_tunnel_has_a_teid_of_its_own(void **state)
{
    (void)state;
    struct pool pool;
    struct map seen;
    uint32_t id;
    struct pfcp_f_teid f_teid;

    pool_init(&pool, 8, 1000);
    map_init(&seen);
    for (int round = 0; round < 3; round++) { /* the same places in other generations */
        uint32_t ids[1000];
        for (int i = 0; i < 1000; i++) {
            assert_non_null(pool_new(&pool, &id));
            ids[i] = id;
            for (uint8_t tunnel = 0; tunnel < 2; tunnel++) {
                assert_int_equal(
                    user_plane_f_teid(planes, 0, PFCP_INTERFACE_ACCESS, id, tunnel, &f_teid), 0);
                assert_false(f_teid.choose);
                assert_true(f_teid.teid != 0);
                assert_int_equal(f_teid.ipv4.s_addr, fakes[0].gtpu.s_addr);
                assert_false(map_get(&seen, f_teid.teid));
                map_set(&seen, f_teid.teid, 1);
                uint32_t first = (uint32_t)map_get(&seen, UINT64_MAX);
                assert_true(first == 0 ||
                            first == (f_teid.teid >> 29) + 1); /* in the range it was lent */
                map_set(&seen, UINT64_MAX, (f_teid.teid >> 29) + 1);
            }
        }
        for (int i = 0; i < 1000; i++)
            pool_delete(&pool, ids[i]);
    }
    map_free(&seen);
    pool_free(&pool);
    assert_int_equal(user_plane_f_teid(planes, 9, PFCP_INTERFACE_ACCESS, 1, 0, &f_teid),
                     -ENETUNREACH);
}

static void a_range_that_is_too_small_is_refused(void **state)
{
    (void)state;
    struct user_planes *none;
    struct pfcp_f_teid f_teid;

    user_planes_close(planes);
    loop_run_for(1);
    config.teid_range_bits = 7;
    assert_int_equal(user_planes_open(&config, 5000, 16000000, 2, &handler, NULL, &none), -ENOSPC);
    assert_null(none);
    /* the user plane's own range is smaller than ours */
    config.teid_range_bits = 0;
    ups = 0;
    assert_int_equal(user_planes_open(&config, 5000, 16000000, 6, &handler, NULL, &planes), 0);
    for (int i = 0; i < 200 && ups < 2; i++)
        loop_run_for(2);
    assert_int_equal(user_plane_f_teid(planes, 0, PFCP_INTERFACE_ACCESS, 1, 0, &f_teid), -ENOSPC);
}

struct deletion {
    int err;
    bool done;
};

static void delete_one(void *argument)
{
    struct deletion *deletion = argument;
    struct pfcp_message *answer;

    deletion->err = user_plane_delete(planes, 0, 0x7701, &answer);
    deletion->done = true;
}

static void what_is_owed_is_paid(void **state)
{
    (void)state;
    struct deletion deletion = {0};

    fakes[0].sessions[0].up_seid = 0x7701;
    fakes[0].count = 1;
    fakes[0].ignored = 2;
    fiber_spawn("test", delete_one, &deletion);
    for (int i = 0; i < 200 && !deletion.done; i++)
        loop_run_for(2);
    assert_int_equal(deletion.err, -ETIMEDOUT);
    assert_int_equal(user_planes_remembered(planes), 1);
    assert_int_equal(fakes[0].count, 1);
    /* the next deletion that is answered brings it about */
    deletion = (struct deletion){0};
    fakes[0].sessions[1].up_seid = 0x7702;
    fiber_spawn("test", delete_one, &deletion);
    loop_run_for(20);
    assert_true(deletion.done);
    assert_int_equal(fakes[0].count, 0);
    assert_int_equal(user_planes_remembered(planes), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sessions_go_where_there_are_fewest),
        TEST(every_tunnel_has_a_teid_of_its_own),
        TEST(a_range_that_is_too_small_is_refused),
        TEST(what_is_owed_is_paid),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
