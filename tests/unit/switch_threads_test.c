/*
 * switch_threads_test.c -- the data path while it changes: three workers make packets and forward
 * them as fast as they can, and the loop's thread changes flows, groups and meters at the same
 * time, alone and in bundles, some of which are taken back. Table 0 passes through all the ways in
 * which a table can be searched.
 *
 * What must hold exactly: a packet that goes by two tables and a group finds them in one version;
 * no packet finds nothing, as at all times there is a flow for it; what flows counted that are
 * there or went is what was sent; every packet came out or was counted as dropped; nothing is left.
 *
 * STRESS_SECONDS makes it longer than two seconds. Run it under ThreadSanitizer, too: `make tsan`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "switch_frames.h"
#include "base/loop.h"
#include "switch/change.h"

#define WORKERS     3
#define SOURCES     3 /* ports 1 to 3 */
#define SINK        4
#define PACKETS     4096 /* in the pool */
#define FILLERS     160
#define CHAIN_GROUP 1 /* that all classes go by */
#define GROUPS      4 /* 2 to 5 come and go; so do meters 1 to 4 */

static struct datapath dp;
static bool stopping;

static struct {
    uint64_t made, out, mixed;
} __attribute__((aligned(64))) by_worker[WORKERS + 1];

static uint64_t told_packets, told, packet_ins, commits, rollbacks, kinds_seen;

/* ---- chance ---- */

static uint32_t random_of(uint64_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 11) % below);
}

static uint64_t chance = 0x1234567;

static uint32_t any(uint32_t below)
{
    return random_of(&chance, below);
}

/* ---- ports: three that make packets in their worker, one that looks at what comes out ---- */

static struct packet *make_packet(uint64_t *state)
{
    static const uint8_t head[] = {2, 0,    0, 0, 0,  2, 2, 0, 0, 0,  0,  1, 8,
                                   0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0};
    uint8_t frame[60] = {0};
    struct packet *p;

    memcpy(frame, head, sizeof(head));
    frame[26] = 10;
    frame[29] = (uint8_t)random_of(state, 8);
    frame[30] = 10;
    frame[31] = (uint8_t)random_of(state, 4);
    frame[32] = (uint8_t)random_of(state, 4);
    frame[33] = (uint8_t)random_of(state, 8);
    frame[35] = (uint8_t)random_of(state, 4);
    frame[37] = (uint8_t)random_of(state, 4);
    frame[39] = 8;
    p = packet_copy_of(bytes_of(frame, sizeof(frame)));
    return p;
}

static bool source_poll(struct worker *w, struct port *p, unsigned queue)
{
    struct packet *packets[BURST];
    size_t count = 0, wanted = 1 + random_of(p->private, BURST);

    (void)queue;
    if (__atomic_load_n(&stopping, __ATOMIC_RELAXED))
        return false;
    while (count < wanted && (packets[count] = make_packet(p->private)))
        packet_enter(packets[count++], p->number);
    by_worker[w->index].made += count;
    pipeline_burst(w, p, packets, count);
    return true;
}

static void sink_send(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    (void)p;
    for (unsigned i = 0; i < count; i++) {
        const uint32_t *reg = packets[i]->key.reg;

        by_worker[w->index].mixed += reg[0] != reg[1] || reg[1] != reg[2];
    }
    by_worker[w->index].out += count;
    packets_free(packets, count);
}

static const struct port_driver source_driver = {.name = "source", .poll = source_poll};
static const struct port_driver sink_driver = {.name = "sink", .send = sink_send};
static uint64_t source_chance[SOURCES + 1];

static void open_source(uint32_t number)
{
    static const uint64_t one = 1;
    struct port *p = port_new(&dp, &source_driver, NULL, number);

    assert_non_null(p);
    source_chance[number] = 0x9e3779b97f4a7c15ull * (number + 1);
    p->private = &source_chance[number];
    p->queues = 1;
    p->queue_fds[0] = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(write(p->queue_fds[0], &one, sizeof(one)), sizeof(one)); /* ready for ever */
    port_publish(p);
    assert_int_equal(workers_add_port(&dp, p), 0);
}

/* ---- listening ---- */

static void hear_removed(const struct flow *flow, uint8_t reason)
{
    (void)reason;
    told++;
    if (flow->table_id == 0)
        told_packets += flow_count(&dp.tables, flow).packets;
}

static void hear_port(struct port *port)
{
    (void)port;
}

static bool hear_packet(const struct packet *packet, uint8_t reason, uint8_t table_id,
                        uint64_t cookie, uint16_t max_len)
{
    (void)packet;
    (void)reason;
    (void)table_id;
    (void)cookie;
    (void)max_len;
    packet_ins++;
    return true;
}

/* ---- changes ---- */

static struct of_flow_mod flow_mod(uint8_t command, uint8_t table, uint16_t priority)
{
    return (struct of_flow_mod){.command = command,
                                .table_id = table,
                                .priority = priority,
                                .buffer_id = OFP_NO_BUFFER,
                                .out_port = OFPP_ANY,
                                .out_group = OFPG_ANY,
                                .flags = OFPFF_SEND_FLOW_REM};
}

static void ask_flow(struct transaction *t, struct of_flow_mod *mod, struct of_instruction *in,
                     size_t count)
{
    mod->instructions.at = in;
    mod->instructions.count = count;
    assert_int_equal(change_flow_mod(t, mod), 0);
}

static void ask_group(struct transaction *t, uint16_t command, uint32_t id, uint32_t value)
{
    struct of_action actions[] = {of_set_field(OF_REG2, value), of_output(SINK)};
    struct of_bucket bucket = {
        .watch_port = OFPP_ANY, .watch_group = OFPG_ANY, .actions = {actions, 2}};
    struct of_group_mod mod = {
        .command = command, .type = OFPGT_INDIRECT, .group_id = id, .buckets = {&bucket, 1}};

    if (id != CHAIN_GROUP) /* what comes by them has no registers set */
        bucket.actions = (struct of_actions){&actions[1], 1};
    if (command == OFPGC_DELETE)
        mod.buckets.count = 0;
    assert_int_equal(change_group_mod(t, &mod), 0);
}

static void ask_meter(struct transaction *t, uint16_t command, uint32_t id)
{
    struct of_meter_band band = {.type = OFPMBT_DROP, .rate = 1 + any(100000)};
    struct of_meter_mod mod = {
        .command = command, .flags = OFPMF_PKTPS, .meter_id = id, .bands = {&band, 1}};

    if (command == OFPMC_DELETE)
        mod.bands.count = 0;
    assert_int_equal(change_meter_mod(t, &mod), 0);
}

static void end_transaction(struct transaction *t, bool take_back)
{
    if (take_back)
        change_rollback(t);
    else
        change_commit(t);
    *(take_back ? &rollbacks : &commits) += 1;
}

/* The flow of each source in tables 0 and 1; `priority` of 0: it is modified where it is. */
static uint16_t class_priority[2][SOURCES + 1];

static void change_class(struct transaction *t, uint8_t table, uint32_t source, uint32_t value,
                         uint16_t priority)
{
    struct of_action actions[] = {of_set_field(table ? OF_REG1 : OF_REG0, value),
                                  of_to_group(CHAIN_GROUP)};
    struct of_instruction in[] = {
        {.type = OFPIT_APPLY_ACTIONS, .actions = {actions, table ? 2 : 1}},
        {.type = OFPIT_GOTO_TABLE, .table_id = 1},
    };
    uint16_t old = class_priority[table][source];
    struct of_flow_mod mod = flow_mod(OFPFC_MODIFY_STRICT, table, old);

    of_match_set(&mod.match, OF_IN_PORT, source);
    if (priority && old) {
        mod.command = OFPFC_DELETE_STRICT;
        ask_flow(t, &mod, NULL, 0);
    }
    if (priority) {
        mod.command = OFPFC_ADD;
        mod.priority = priority;
    }
    ask_flow(t, &mod, in, table ? 1 : 2);
    if (priority)
        class_priority[table][source] = priority;
}

/* Everything that a packet of a class meets, at once. */
static void change_classes(bool take_back)
{
    uint16_t before[2][SOURCES + 1];
    uint32_t value = any(1u << 30);
    struct transaction t;

    memcpy(before, class_priority, sizeof(before));
    change_begin(&t, &dp);
    ask_group(&t, class_priority[0][1] ? OFPGC_MODIFY : OFPGC_ADD, CHAIN_GROUP, value);
    for (uint8_t table = 0; table < 2; table++)
        for (uint32_t source = 1; source <= SOURCES; source++) {
            bool moves = !class_priority[table][source] || any(3) == 0;

            change_class(&t, table, source, value, moves ? (uint16_t)(100 + any(3)) : 0);
        }
    end_transaction(&t, take_back);
    if (take_back)
        memcpy(class_priority, before, sizeof(before));
}

/* Flows of many shapes that take some packets from the classes. */
static void filler_match(uint32_t n, struct of_match *m)
{
    uint32_t address = 0x0a000000 | (n % 4) << 16 | (n / 4 % 4) << 8 | n % 8;

    if (n < 4)
        of_match_set(m, OF_IN_PORT, 1 + n % SOURCES);
    if (n < 4 && n % 2)
        of_match_set(m, OF_ETH_TYPE, 0x0800);
    if (n < 4)
        return;
    of_match_set(m, OF_ETH_TYPE, 0x0800);
    if (n < 64) /* a routing table */
        of_match_ipv4(m, OF_IPV4_DST, (struct in_addr){htonl(address)}, 17 + n % 16);
    if (n >= 64 && n % 2)
        of_match_ipv4(m, OF_IPV4_SRC, (struct in_addr){htonl(0x0a000000 | n % 8)}, 32 - n % 3);
    if (n >= 64 && n % 3 == 0)
        of_match_set(m, OF_IN_PORT, 1 + n % SOURCES);
    if (n >= 64 && n % 5) {
        of_match_set(m, OF_IP_PROTO, 17);
        of_match_set(m, OF_UDP_DST, n % 4);
    }
}

static uint16_t filler_priority(uint32_t n)
{
    return n < 4 ? (uint16_t)(50 + n) : n < 64 ? (uint16_t)(217 + n % 16) : (uint16_t)(90 + n % 20);
}

static void ask_filler(struct transaction *t, uint32_t n)
{
    static const uint8_t commands[] = {OFPFC_ADD, OFPFC_ADD, OFPFC_MODIFY_STRICT};
    struct of_action action = any(8) ? of_output(OFPP_CONTROLLER) : of_to_group(2 + any(GROUPS));
    struct of_instruction in[] = {
        {.type = OFPIT_APPLY_ACTIONS, .actions = {&action, 1}},
        {.type = OFPIT_METER, .meter_id = 1 + any(GROUPS)},
    };
    struct of_flow_mod mod = flow_mod(commands[any(3)], 0, filler_priority(n));
    bool metered = any(4) == 0 && datapath_meter(&dp, in[1].meter_id);

    if (action.type == OFPAT_GROUP && !datapath_group(&dp, action.group_id))
        action = of_output(SINK);
    filler_match(n, &mod.match);
    mod.cookie = n;
    mod.hard_timeout = any(16) == 0;
    mod.idle_timeout = any(16) == 0;
    ask_flow(t, &mod, in, any(3) ? 0 : metered ? 2 : 1);
}

static void ask_away(struct transaction *t, uint32_t n)
{
    struct of_flow_mod mod = flow_mod(OFPFC_DELETE, 0, 0);

    if (any(2)) {
        mod.cookie = n;
        mod.cookie_mask = any(8) ? UINT64_MAX : 0x1f;
        mod.match = (struct of_match){0};
        if (mod.cookie_mask != UINT64_MAX || n == 0) /* the classes have cookie 0 */
            of_match_set(&mod.match, OF_ETH_TYPE, 0x0800);
    } else {
        mod.command = OFPFC_DELETE_STRICT;
        mod.priority = filler_priority(n);
        filler_match(n, &mod.match);
    }
    ask_flow(t, &mod, NULL, 0);
}

/* How many fillers there are at most, and whether they come or go: so all kinds of matchers have
 * their time. */
static void change_fillers(uint64_t step)
{
    static const uint32_t limits[] = {2, 4, 40, 64, FILLERS};
    uint32_t limit = limits[step / 100 % 5];
    bool shrinks = step / 50 % 2;
    struct transaction t;

    change_begin(&t, &dp);
    for (uint32_t i = any(4); i-- > 0;)
        if (shrinks && any(4))
            ask_away(&t, any(FILLERS));
        else
            ask_filler(&t, any(limit));
    end_transaction(&t, any(8) == 0);
}

static void change_others(void)
{
    uint32_t group = 2 + any(GROUPS), meter = 1 + any(GROUPS);
    bool has_group = datapath_group(&dp, group), has_meter = datapath_meter(&dp, meter);
    struct transaction t;

    change_begin(&t, &dp);
    ask_group(&t, !has_group ? OFPGC_ADD : any(3) ? OFPGC_MODIFY : OFPGC_DELETE, group, 0);
    ask_meter(&t, !has_meter ? OFPMC_ADD : any(3) ? OFPMC_MODIFY : OFPMC_DELETE, meter);
    end_transaction(&t, any(8) == 0);
}

static void note_kind(void)
{
    char name[64];
    const char *kind = table_matcher_name(&dp.tables.table[0], name, sizeof(name));

    if (strcmp(kind, "few") == 0)
        kinds_seen |= 1;
    else
        kinds_seen |= (strstr(kind, "prefixes") ? 2 : 8) | (strstr(kind, "cached") ? 4 : 0);
}

static void change_all_the_time(double seconds)
{
    struct timespec now, begun;
    uint64_t step = 0;

    clock_gettime(CLOCK_MONOTONIC, &begun);
    do {
        if (any(3) == 0)
            change_classes(any(4) == 0);
        else if (any(4) == 0)
            change_others();
        else
            change_fillers(step);
        if (any(200) == 0)
            change_settle();
        else if (any(40) == 0)
            (void)reclaim_turn();
        if (step++ % 64 == 0) {
            note_kind();
            workers_take_packet_ins(&dp);
            loop_run_for(1);
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - begun.tv_sec) + (double)(now.tv_nsec - begun.tv_nsec) / 1e9 <
             seconds);
}

/* ---- afterwards ---- */

static int add_up(struct flow *flow, void *context)
{
    *(uint64_t *)context += flow_count(&dp.tables, flow).packets;
    return 0;
}

static uint64_t live_packets(uint8_t table)
{
    static const struct of_match everything;
    struct flow_filter filter = {
        .table_id = table, .match = &everything, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    uint64_t sum = 0;

    assert_int_equal(tables_each(&dp.tables, &filter, add_up, &sum), 0);
    return sum;
}

static void check_sums(void)
{
    uint64_t made = 0, out = 0, mixed = 0, drops[DROP_REASONS] = {0}, dropped = 0;

    for (unsigned i = 1; i <= WORKERS; i++) {
        made += by_worker[i].made;
        out += by_worker[i].out;
        mixed += by_worker[i].mixed;
        assert_true(by_worker[i].made > 0);
    }
    for (uint32_t i = 1; i <= SOURCES; i++)
        for (unsigned r = 0; r < DROP_REASONS; r++) {
            drops[r] += port_count(dp.ports[i]).drops[r];
            dropped += port_count(dp.ports[i]).drops[r];
        }
    printf("# %llu packets, %llu commits, %llu taken back, %llu flows told, kinds %llx\n",
           (unsigned long long)made, (unsigned long long)commits, (unsigned long long)rollbacks,
           (unsigned long long)told, (unsigned long long)kinds_seen);
    assert_int_equal(mixed, 0);
    assert_int_equal(drops[DROP_NO_MATCH], 0);
    assert_int_equal(drops[DROP_NO_GROUP], 0);
    assert_int_equal(drops[DROP_NO_PORT], 0);
    assert_int_equal(told_packets + live_packets(0), made);
    assert_int_equal(datapath_table_count(&dp, 0).lookups, made);
    assert_int_equal(datapath_table_count(&dp, 0).matches, made);
    assert_int_equal(out + packet_ins + dropped, made);
    assert_int_equal(counter_sum(&dp.counters, datapath_group(&dp, CHAIN_GROUP)->counter).packets,
                     datapath_table_count(&dp, 1).matches);
    assert_int_equal(kinds_seen, 15);
}

static void check_nothing_is_left(void)
{
    struct packet *all[PACKETS];
    struct transaction t;
    unsigned count = 0;

    change_remove_all_flows(&dp);
    change_begin(&t, &dp);
    ask_group(&t, OFPGC_DELETE, OFPG_ALL, 0);
    ask_meter(&t, OFPMC_DELETE, OFPM_ALL);
    change_commit(&t);
    change_settle();
    assert_int_equal(reclaim_waiting(), 0);
    assert_int_equal(dp.counters.free_count, dp.counters.fresh);
    assert_int_equal(dp.tables.flow_count, 0);
    for (unsigned i = 0; i < TABLES; i++)
        assert_int_equal(dp.tables.table[i].tuple_count, 0);
    while (count < PACKETS && (all[count] = packet_new()))
        count++;
    assert_int_equal(count, PACKETS);
    packets_free(all, count);
}

static void packets_and_changes_at_full_speed(void **state)
{
    static const struct change_listener listener = {hear_removed, hear_port};
    const char *seconds = getenv("STRESS_SECONDS");
    int fds[SOURCES];

    (void)state;
    assert_int_equal(loop_init(), 0);
    assert_int_equal(packet_pool_init(PACKETS), 0);
    assert_int_equal(datapath_init(&dp, 99, 10000, WORKERS), 0);
    dp.packet_in = hear_packet;
    change_listen(&listener);
    change_set_limits(16, 16);
    port_publish(port_new(&dp, &sink_driver, NULL, SINK));
    change_classes(false);
    assert_int_equal(workers_start(&dp, WORKERS, 0, NULL), 0);
    for (uint32_t i = 1; i <= SOURCES; i++) {
        open_source(i);
        fds[i - 1] = dp.ports[i]->queue_fds[0];
    }
    change_all_the_time(seconds ? strtod(seconds, NULL) : 2);
    __atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
    workers_stop(&dp);
    change_settle();
    workers_take_packet_ins(&dp);
    check_sums();
    check_nothing_is_left();
    datapath_free(&dp);
    change_listen(NULL);
    for (unsigned i = 0; i < SOURCES; i++)
        close(fds[i]);
    loop_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(packets_and_changes_at_full_speed)};

    return cmocka_run_group_tests_name("the data path while it changes", tests, NULL, NULL);
}
