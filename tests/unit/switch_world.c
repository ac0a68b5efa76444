/*
 * switch_world.c -- see switch_world.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "switch_world.h"

struct openflow_channel {
    void *context;
    uint8_t *out; /* what the switch said */
    size_t len, at;
    size_t queued;
    bool dropped;
    struct openflow_channel *next;
};

static struct {
    struct openflow_options options;
    struct openflow_channel *channels;
    uint8_t *room; /* of a reservation */
    struct arena arena;
    size_t sent[WORLD_PORTS + 1];
    uint8_t frame[PACKET_ROOM];
    size_t frame_len;
} world;

/* ---- the channel that is none ---- */

int openflow_listen(struct openflow_listener **listener, const struct sockaddr *address,
                    const struct openflow_options *options)
{
    (void)address;
    *listener = NULL;
    world.options = *options;
    return 0;
}

void openflow_listener_close(struct openflow_listener *listener)
{
    (void)listener;
}

int openflow_connect(struct openflow_channel **channel, const struct sockaddr *address,
                     const struct openflow_options *options)
{
    (void)channel;
    (void)address;
    (void)options;
    return -ENOSYS;
}

void openflow_close(struct openflow_channel *channel)
{
    (void)channel;
}

void openflow_drop(struct openflow_channel *channel, int reason)
{
    channel->dropped = true;
    world.options.user->down(channel, reason);
    channel->context = NULL;
}

void *openflow_channel_context(const struct openflow_channel *channel)
{
    return channel->context;
}

void openflow_channel_set_context(struct openflow_channel *channel, void *context)
{
    channel->context = context;
}

const char *openflow_channel_peer(const struct openflow_channel *channel)
{
    (void)channel;
    return "test";
}

bool openflow_channel_is_tls(const struct openflow_channel *channel)
{
    (void)channel;
    return false;
}

const struct sockaddr *openflow_channel_local(const struct openflow_channel *channel)
{
    static const struct sockaddr none;

    (void)channel;
    return &none;
}

size_t openflow_channel_queued(const struct openflow_channel *channel)
{
    return channel->queued;
}

struct writer openflow_reserve(struct openflow_channel *channel, size_t size)
{
    (void)channel;
    assert_true(size <= OFP_MAX_MESSAGE);
    return writer_of(world.room, size);
}

int openflow_send(struct openflow_channel *channel, struct bytes message)
{
    channel->out = realloc(channel->out, channel->len + message.len);
    assert_non_null(channel->out);
    memcpy(channel->out + channel->len, message.at, message.len);
    channel->len += message.len;
    return 0;
}

int openflow_commit(struct openflow_channel *channel, const struct writer *w)
{
    assert_false(w->bad);
    return openflow_send(channel, wr_view(w));
}

/* ---- ports ---- */

static void remember(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    (void)w;
    for (unsigned i = 0; i < count; i++) {
        world.sent[p->number]++;
        world.frame_len = packets[i]->len;
        memcpy(world.frame, packets[i]->data, world.frame_len);
    }
    packets_free(packets, count);
}

static const struct port_driver driver = {.name = "memory", .send = remember};

void world_frame(uint32_t port, struct bytes frame)
{
    struct packet *p = packet_copy_of(frame);

    assert_non_null(p);
    packet_enter(p, port);
    pipeline_burst(sw.dp.workers[0], sw.dp.ports[port], &p, 1);
    worker_flush(sw.dp.workers[0]);
}

size_t world_sent(uint32_t port)
{
    size_t count;

    worker_flush(sw.dp.workers[0]);
    count = world.sent[port];
    world.sent[port] = 0;
    return count;
}

struct bytes world_last_frame(void)
{
    return bytes_of(world.frame, world.frame_len);
}

/* ---- the world ---- */

int world_open(void **state)
{
    static struct openflow_endpoint address;

    (void)state;
    memset(&world, 0, sizeof(world));
    memset(&sw, 0, sizeof(sw));
    assert_int_equal(loop_init(), 0);
    sw.config.datapath_id = 7;
    sw.config.max_flows = 100;
    sw.config.max_groups = sw.config.max_meters = 4;
    sw.config.packet_buffers = 4;
    sw.config.listen.at = &address;
    sw.config.listen.count = 1;
    sw.buffer = malloc(OFP_MAX_MESSAGE);
    world.room = malloc(OFP_MAX_MESSAGE);
    assert_true(sw.buffer && world.room);
    arena_init(&sw.arena, 64u << 20);
    arena_init(&world.arena, 16u << 20);
    arena_init(&sw.scratch, 1 << 20);
    assert_int_equal(datapath_init(&sw.dp, 7, sw.config.max_flows, 0), 0);
    change_set_limits(sw.config.max_groups, sw.config.max_meters);
    assert_int_equal(packet_buffers_open(sw.config.packet_buffers), 0);
    for (uint32_t i = 1; i <= WORLD_PORTS; i++) {
        struct port *port = port_new(&sw.dp, &driver, NULL, i);

        assert_non_null(port);
        port_publish(port);
    }
    return conns_open();
}

int world_close(void **state)
{
    (void)state;
    while (world.channels)
        world_disconnect(world.channels);
    conns_close();
    change_remove_all_flows(&sw.dp);
    change_listen(NULL);
    packet_buffers_close();
    datapath_free(&sw.dp);
    arena_free(&sw.arena);
    arena_free(&sw.scratch);
    arena_free(&world.arena);
    free(sw.buffer);
    free(world.room);
    loop_free();
    return 0;
}

struct openflow_channel *world_connect(void)
{
    struct openflow_channel *ch = calloc(1, sizeof(*ch));

    assert_non_null(ch);
    ch->next = world.channels;
    world.channels = ch;
    world.options.user->up(ch);
    return ch;
}

void world_disconnect(struct openflow_channel *ch)
{
    struct openflow_channel **at = &world.channels;

    while (*at != ch)
        at = &(*at)->next;
    *at = ch->next;
    if (!ch->dropped)
        world.options.user->down(ch, -ECONNRESET);
    free(ch->out);
    free(ch);
}

void world_queue(struct openflow_channel *ch, size_t bytes)
{
    ch->queued = bytes;
}

bool world_was_dropped(const struct openflow_channel *ch)
{
    return ch->dropped;
}

/* ---- talking ---- */

/* From memory of exactly that size, so that a sanitizer sees a read beyond. */
void world_say(struct openflow_channel *ch, struct bytes message)
{
    struct reader r = reader_of_bytes(message);
    struct openflow_header header = {.version = rd_u8(&r)};
    uint8_t *copy = malloc(message.len);

    assert_non_null(copy);
    memcpy(copy, message.at, message.len);
    header.type = rd_u8(&r);
    header.length = rd_u16(&r);
    header.xid = rd_u32(&r);
    world.options.user->receive(ch, &header, bytes_of(copy, message.len));
    free(copy);
}

void world_ask(struct openflow_channel *ch, const struct of_message *m)
{
    uint8_t *room = malloc(OFP_MAX_MESSAGE);
    struct writer w = writer_of(room, OFP_MAX_MESSAGE);

    assert_non_null(room);
    of_encode(&w, m);
    assert_false(w.bad);
    world_say(ch, wr_view(&w));
    free(room);
}

bool world_hear(struct openflow_channel *ch, struct of_message *m)
{
    struct bytes wire;
    of_error error;

    if (ch->at == ch->len)
        return false;
    wire = bytes_of(ch->out + ch->at, of_message_length(ch->out + ch->at));
    ch->at += wire.len;
    assert_true(ch->at <= ch->len);
    arena_reset(&world.arena);
    assert_int_equal(of_decode(m, wire, &world.arena, &error), 0);
    return true;
}

struct of_message world_expect(struct openflow_channel *ch, uint8_t type)
{
    struct of_message m = {.type = 0xff};

    assert_true(world_hear(ch, &m));
    assert_int_equal(m.type, type);
    return m;
}

void world_silent(struct openflow_channel *ch)
{
    assert_int_equal(ch->at, ch->len);
}

void world_wait(const struct openflow_channel *ch)
{
    for (int i = 0; i < 1000 && ch->at == ch->len; i++)
        loop_run_for(10);
}

static of_error only_error(struct openflow_channel *ch)
{
    struct of_message m;

    if (!world_hear(ch, &m))
        return 0;
    assert_int_equal(m.type, OFPT_ERROR);
    world_silent(ch);
    return OF_ERROR(m.error.type, m.error.code);
}

of_error world_error_of(struct openflow_channel *ch, struct bytes message)
{
    world_say(ch, message);
    return only_error(ch);
}

of_error world_answer(struct openflow_channel *ch, const struct of_message *m)
{
    world_ask(ch, m);
    return only_error(ch);
}

struct of_message world_flow_mod(uint8_t command, uint8_t table, uint16_t priority,
                                 const char *match, struct of_action *actions, size_t count)
{
    static struct of_instruction in;
    struct of_message m = {.type = OFPT_FLOW_MOD, .xid = 77};
    const char *bad = "";

    m.flow_mod = (struct of_flow_mod){.command = command,
                                      .table_id = table,
                                      .priority = priority,
                                      .buffer_id = OFP_NO_BUFFER,
                                      .out_port = OFPP_ANY,
                                      .out_group = OFPG_ANY};
    assert_int_equal(of_parse_match(&m.flow_mod.match, match, strlen(match), &bad), 0);
    in = (struct of_instruction){.type = OFPIT_APPLY_ACTIONS, .actions = {actions, count}};
    if (count) {
        m.flow_mod.instructions.at = &in;
        m.flow_mod.instructions.count = 1;
    }
    return m;
}
