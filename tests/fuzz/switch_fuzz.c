/*
 * switch_fuzz.c -- the switch's data path under hostile requests and packets: the input is a row of
 * chunks, each a byte that says what it is, two bytes of length, and an OpenFlow message or a
 * packet. Messages change the rules (some in a transaction that is rolled back), packets go through
 * them. A chunk may also be a program of changes and look-ups that a model answers, too:
 * switch_program.h.
 */
#include <stdlib.h>

#include "base/loop.h"
#include "switch/change.h"
#include "switch_program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PORTS     3
#define MAX_FLOWS 200 /* in each table */

static struct datapath dp;
static struct port *ports[PORTS + 1];

static void forget(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    (void)w;
    (void)p;
    packets_free(packets, count);
}

static bool nobody_hears(const struct packet *packet, uint8_t reason, uint8_t table_id,
                         uint64_t cookie, uint16_t max_len)
{
    (void)max_len;
    (void)packet;
    (void)reason;
    (void)table_id;
    (void)cookie;
    (void)max_len;
    return true;
}

static const struct port_driver driver = {.name = "nowhere", .send = forget};

static void start(void)
{
    if (datapath_init(&dp, 1, MAX_FLOWS, 0) < 0)
        abort();
    dp.packet_in = nobody_hears;
    for (uint32_t i = 1; i <= PORTS; i++) {
        ports[i] = port_new(&dp, &driver, NULL, i);
        port_publish(ports[i]);
    }
}

static void end(void)
{
    worker_flush(dp.workers[0]);
    change_remove_all_flows(&dp);
    datapath_free(&dp);
}

static void request(struct bytes wire, bool roll_back, struct arena *arena)
{
    struct transaction t;
    struct of_message m;
    of_error error;

    arena_reset(arena);
    if (of_decode(&m, wire, arena, &error) < 0)
        return;
    change_begin(&t, &dp);
    if (m.type == OFPT_FLOW_MOD)
        error = change_flow_mod(&t, &m.flow_mod);
    else if (m.type == OFPT_GROUP_MOD)
        error = change_group_mod(&t, &m.group_mod);
    else if (m.type == OFPT_METER_MOD)
        error = change_meter_mod(&t, &m.meter_mod);
    if (error || roll_back)
        change_rollback(&t);
    else
        change_commit(&t);
    if (m.type == OFPT_PACKET_OUT && check_actions(&dp, &m.packet_out.actions, NULL, true) == 0) {
        struct packet *p = packet_copy_of(m.packet_out.data);

        if (!p)
            return;
        packet_enter(p, m.packet_out.in_port);
        pipeline_packet_out(dp.workers[0], p, &m.packet_out.actions);
        worker_flush(dp.workers[0]);
    }
}

static void packet(struct bytes frame, uint32_t port)
{
    struct packet *p = packet_copy_of(frame);

    if (!p)
        return;
    packet_enter(p, port);
    pipeline_burst(dp.workers[0], ports[port], &p, 1);
    worker_flush(dp.workers[0]);
}

/* Rules that messages made may be in any table; the model knows the first two. */
static void program(struct bytes code)
{
    static struct program p;

    change_remove_all_flows(&dp);
    memset(&p, 0, offsetof(struct program, model));
    p.dp = &dp;
    p.port = ports[1];
    p.cache = dp.workers[0]->cache;
    program_run(&p, code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);
    struct arena arena;

    if (!loop_uv())
        (void)loop_init();
    arena_init(&arena, 1 << 20);
    start();
    while (rd_left(&r) >= 3) {
        uint8_t what = rd_u8(&r);
        size_t len = rd_u16(&r);
        struct bytes chunk = rd_view(&r, len < rd_left(&r) ? len : rd_left(&r));

        if (what & 0x80)
            program(chunk);
        else if (what & 1)
            request(chunk, what & 2, &arena);
        else
            packet(chunk, 1 + what / 2 % PORTS);
    }
    end();
    arena_free(&arena);
    return 0;
}
