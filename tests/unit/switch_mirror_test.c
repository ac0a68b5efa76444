/*
 * switch_mirror_test.c -- what mirrors show of packets in, out and dropped; the ring between
 * workers and the loop; readers that are slow or go.
 */
#include "switch_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "switch/mirror.h"
#include "wire/pcapng.h"

#define SHOWN 64

static unsigned closed_count;

static void note_closed(void *context)
{
    (void)context;
    closed_count++;
}

/* A mirror, and our end of its stream. */
static int open_mirror(const struct mirror_options *options)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(mirror_open(&sw.dp, options, ends[1], note_closed, NULL), 0);
    return ends[0];
}

static struct mirror_options options_of(uint8_t what)
{
    return (struct mirror_options){.what = what, .snaplen = 1000};
}

/* What a stream said. */
static struct {
    uint8_t bytes[8 << 20];
    size_t len;
    struct {
        struct pcapng_packet packet;
        char comment[256];
    } shown[SHOWN];
    size_t count, interfaces;
    uint64_t dropped;
} heard;

static void hear(int fd)
{
    ssize_t n;
    size_t at = 0;

    memset(&heard.shown, 0, sizeof(heard.shown));
    heard.len = heard.count = heard.interfaces = heard.dropped = 0;
    for (int turns = 0; turns < 50; turns++) {
        while ((n = read(fd, heard.bytes + heard.len, sizeof(heard.bytes) - heard.len)) > 0)
            heard.len += (size_t)n;
        (void)reclaim_turn();
        loop_run_for(1);
    }
    while (heard.len - at >= PCAPNG_BLOCK_HEAD) {
        uint32_t head[2];
        struct bytes block, comment;
        struct pcapng_packet packet;
        uint64_t dropped;

        memcpy(head, heard.bytes + at, sizeof(head));
        assert_true(head[1] <= heard.len - at);
        block = bytes_of(heard.bytes + at, head[1]);
        heard.interfaces += head[0] == PCAPNG_INTERFACE_BLOCK;
        if (pcapng_read_statistics(block, &dropped, &comment))
            heard.dropped += dropped;
        if (pcapng_read_packet(block, &packet, &comment)) {
            if (heard.count < SHOWN) {
                heard.shown[heard.count].packet = packet;
                snprintf(heard.shown[heard.count].comment, sizeof(heard.shown[0].comment), "%.*s",
                         (int)comment.len, comment.len ? (const char *)comment.at : "");
            }
            heard.count++;
        }
        at += head[1];
    }
    assert_int_equal(at, heard.len);
}

static struct frame udp_frame(void)
{
    return frame_ip(4, IP_UDP, 0);
}

static void send_in(uint32_t port, unsigned count)
{
    struct frame f = udp_frame();

    for (unsigned i = 0; i < count; i++)
        world_frame(port, bytes_of(f.bytes, f.len));
}

static void add_flow(const char *match, uint32_t to, uint64_t cookie)
{
    struct openflow_channel *ch = world_connect();
    struct of_action output = {.type = OFPAT_OUTPUT, .output = {.port = to, .max_len = 0xffff}};
    struct of_message m = world_flow_mod(OFPFC_ADD, 0, 5, match, &output, to ? 1 : 0);

    m.flow_mod.cookie = cookie;
    world_ask(ch, &m);
    loop_run_for(1);
    world_disconnect(ch);
}

static int open_world(void **state)
{
    closed_count = 0;
    return world_open(state);
}

static int close_world(void **state)
{
    mirrors_close();
    loop_run_for(1);
    return world_close(state);
}

static void both_ways_with_directions(void **state)
{
    struct mirror_options o = options_of(MIRROR_IN | MIRROR_OUT);
    struct frame f = udp_frame();
    int fd;

    (void)state;
    add_flow("in_port=1", 2, 1);
    send_in(1, 1); /* nobody looks on yet */
    fd = open_mirror(&o);
    send_in(1, 2);
    hear(fd);
    assert_int_equal(heard.interfaces, WORLD_PORTS);
    assert_int_equal(heard.count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct pcapng_packet *p = &heard.shown[i].packet;

        assert_int_equal(p->direction, i % 2 ? PCAPNG_OUT : PCAPNG_IN);
        assert_int_equal(p->interface, i % 2);
        assert_true(bytes_equal(p->body, bytes_of(f.bytes, f.len)));
        assert_true(clock_wall_us() - p->time_us < 60000000);
        assert_string_equal(heard.shown[i].comment, "");
    }
    close(fd);
}

static void some_ports_and_some_bytes(void **state)
{
    struct mirror_options o = {.what = MIRROR_IN | MIRROR_OUT, .snaplen = 20, .some_ports = true};
    int fd;

    (void)state;
    o.ports[0] = 1 << 2;
    add_flow("in_port=1", 2, 1);
    fd = open_mirror(&o);
    send_in(1, 1);
    send_in(3, 1);
    hear(fd);
    assert_int_equal(heard.interfaces, 1);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.shown[0].packet.body.len, 20);
    assert_int_equal(heard.shown[0].packet.len, udp_frame().len);
    close(fd);
}

static void drops_say_why(void **state)
{
    struct mirror_options o = options_of(MIRROR_DROPS);
    int fd = open_mirror(&o);

    (void)state;
    add_flow("in_port=2,udp", 0, 0x77);
    add_flow("in_port=3", 9, 0x78);
    send_in(1, 1);
    send_in(2, 1);
    send_in(3, 1);
    hear(fd);
    assert_int_equal(heard.count, 3);
    assert_string_equal(heard.shown[0].comment, "dropped: reason=no_match port=1 table=0");
    assert_string_equal(heard.shown[1].comment,
                        "dropped: reason=by_flow port=2 table=0 cookie=0x77 "
                        "flow=priority=5,udp,in_port=2");
    assert_string_equal(heard.shown[2].comment,
                        "dropped: reason=no_port port=3 table=0 cookie=0x78 "
                        "flow=priority=5,in_port=3");
    close(fd);
}

/* The flow is freed between the drop and the telling. */
static void a_flow_that_went_is_still_named(void **state)
{
    struct mirror_options o = options_of(MIRROR_DROPS);
    int fd = open_mirror(&o);

    (void)state;
    add_flow("in_port=2,udp", 0, 0x77);
    send_in(2, 1);
    change_remove_all_flows(&sw.dp);
    reclaim_all();
    hear(fd);
    assert_int_equal(heard.count, 1);
    assert_non_null(strstr(heard.shown[0].comment, "cookie=0x77 flow=priority=5,udp,in_port=2"));
    close(fd);
}

static void who_has_enough_hears_the_rest(void **state)
{
    struct mirror_options o = options_of(MIRROR_IN);
    int fd = open_mirror(&o), other = open_mirror(&o);

    (void)state;
    send_in(1, 3);
    shutdown(fd, SHUT_WR);
    hear(fd);
    assert_int_equal(heard.count, 3);
    assert_int_equal(heard.dropped, 0);
    assert_int_equal(closed_count, 1);
    assert_int_equal(mirror_count(), 1);
    send_in(1, 2);
    hear(other);
    assert_int_equal(heard.count, 5);
    close(other);
    hear(fd); /* turns */
    assert_int_equal(mirror_count(), 0);
    assert_null(sw.dp.lookers);
    close(fd);
}

static void a_reader_that_sleeps_loses_its_own(void **state)
{
    struct mirror_options o = options_of(MIRROR_IN);
    int slow = open_mirror(&o), good = open_mirror(&o);
    size_t sent = 0, seen = 0;

    (void)state;
    for (int i = 0; i < 120; i++) { /* more than waits for it: about 6 MiB */
        send_in(1, 500);
        sent += 500;
        loop_run_for(0);
        mirrors_take();
        for (ssize_t n; (n = read(good, heard.bytes, sizeof(heard.bytes))) > 0;)
            seen += (size_t)n;
    }
    assert_true(seen > sent * udp_frame().len);
    shutdown(slow, SHUT_WR);
    hear(slow);
    assert_true(heard.dropped > 0);
    assert_int_equal(heard.count + heard.dropped, sent);
    close(slow);
    close(good);
}

/* Noticed by writing, before the loop has looked at the stream. */
static void a_reader_that_is_gone(void **state)
{
    struct mirror_options o = options_of(MIRROR_IN);
    int fd = open_mirror(&o);

    (void)state;
    close(fd);
    send_in(1, 1);
    mirrors_take();
    assert_null(sw.dp.lookers);
    reclaim_all();
    assert_int_equal(mirror_count(), 0);
    assert_int_equal(closed_count, 1);
}

static void more_than_the_ring_holds(void **state)
{
    struct mirror_options o = options_of(MIRROR_IN);
    int fd = open_mirror(&o);

    (void)state;
    send_in(1, 60000); /* the loop has no turn meanwhile */
    shutdown(fd, SHUT_WR);
    hear(fd);
    assert_true(heard.dropped > 0);
    assert_int_equal(heard.count + heard.dropped, 60000);
    close(fd);
}

/* ---- the ring ---- */

static void entries_come_out_as_they_went_in(void **state)
{
    struct mirror_ring *ring = mirror_rings_new(1, 1024);
    uint32_t in = 0, out = 0, lost = 0;

    (void)state;
    for (unsigned turn = 0; turn < 1000; turn++) {
        for (unsigned i = 0; i < turn % 7; i++) {
            uint32_t size = 4 + (in * 37) % 200, *entry = mirror_ring_reserve(ring, size);

            if (!entry) {
                lost++;
                continue;
            }
            memset(entry, (int)in, size);
            *entry = in++;
            mirror_ring_commit(ring);
        }
        for (const uint32_t *entry; turn % 3 && (entry = mirror_ring_peek(ring));
             mirror_ring_release(ring)) {
            uint32_t size = 4 + (out * 37) % 200;

            assert_int_equal(*entry, out);
            if (size > 4)
                assert_int_equal(((const uint8_t *)entry)[size - 1], (uint8_t)out);
            out++;
        }
    }
    assert_true(lost > 0 && in > 1000);
    assert_int_equal(mirror_rings_lost(ring, 1), lost);
    assert_null(mirror_ring_reserve(ring, 2000));
    mirror_rings_free(ring, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
        TEST(both_ways_with_directions),
        TEST(some_ports_and_some_bytes),
        TEST(drops_say_why),
        TEST(a_flow_that_went_is_still_named),
        TEST(who_has_enough_hears_the_rest),
        TEST(a_reader_that_sleeps_loses_its_own),
        TEST(a_reader_that_is_gone),
        TEST(more_than_the_ring_holds),
        cmocka_unit_test(entries_come_out_as_they_went_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
