/*
 * xdp_queue_test.c -- AF_XDP queues on a veth's end, generic and native, against a packet ring on
 * the other. Skipped where namespaces or XDP are not allowed.
 */
#include "veth_world.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "link/xdp_queue.h"

#define CHUNK  2048
#define CHUNKS 1024

static struct xdp_area area = {.size = (size_t)CHUNK * CHUNKS, .chunk_size = CHUNK};
static uint8_t out[2000], in[70000];
static bool allowed;

static const enum xdp_mode modes[] = {XDP_MODE_GENERIC, XDP_MODE_NATIVE};

static int set_up(void **state)
{
    struct veth_world w;
    struct xdp_queue q;

    (void)state;
    area.base = mmap(NULL, area.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(area.base != MAP_FAILED);
    if (!netns_allowed())
        return 0;
    veth_world_make(&w);
    allowed = xdp_queue_open(&q, "b", w.b, 0, XDP_MODE_GENERIC, &area) != -EPERM;
    xdp_queue_close(&q);
    veth_world_end(&w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    munmap(area.base, area.size);
    return 0;
}

static int attached(void *argument)
{
    uint32_t id = 0;

    (void)argument;
    return bpf_xdp_query_id((int)if_nametoindex("b"), 0, &id) < 0 ? -1 : id != 0;
}

static void lend(struct xdp_queue *q, unsigned first, unsigned count)
{
    uint64_t addresses[CHUNKS];

    for (unsigned i = 0; i < count; i++)
        addresses[i] = (uint64_t)(first + i) * CHUNK;
    assert_int_equal(xdp_queue_fill(q, addresses, count), count);
}

static struct xdp_frame next_of_queue(struct xdp_queue *q)
{
    struct xdp_frame f = {0};

    for (int tries = 0; tries < 1000; tries++) {
        struct pollfd wait = {q->fd, POLLIN, 0};
        int n = xdp_queue_receive(q, &f, 1);
        assert_true(n >= 0);
        if (n == 1)
            return f;
        poll(&wait, 1, 10);
    }
    fail_msg("no frame came");
    return f;
}

static uint64_t complete_one(struct xdp_queue *q)
{
    uint64_t address = 0;

    for (int tries = 0; tries < 1000; tries++) {
        assert_int_equal(xdp_queue_kick(q), 0);
        if (xdp_queue_completed(q, &address, 1) == 1)
            return address;
        usleep(1000);
    }
    fail_msg("not completed");
    return 0;
}

static void pass_frames(struct xdp_queue *q, struct packet_ring *a)
{
    for (unsigned len = 60; len <= 1514; len++) {
        struct packet_ring_frame f = {out, len, {0}};
        struct xdp_frame x;

        make_frame(out, len, len);
        assert_int_equal(packet_ring_send(a, &f, 1), 1);
        x = next_of_queue(q);
        assert_int_equal(x.len, len);
        assert_memory_equal((uint8_t *)area.base + x.address, out, len);
        assert_int_equal(xdp_queue_send(q, &x, 1), 1);
        assert_int_equal(xdp_queue_kick(q), 0);
        f = next_of_ring(a, in, sizeof(in));
        assert_int_equal(f.len, len);
        assert_memory_equal(in, out, len);
        assert_int_equal(complete_one(q), x.address);
        assert_int_equal(xdp_queue_fill(q, &x.address, 1), 1);
    }
}

static void frames_pass_both_ways_and_nothing_stays(void **state)
{
    unsigned before = open_descriptors();

    (void)state;
    if (!allowed)
        skip();
    for (size_t i = 0; i < 2; i++) {
        struct xdp_queue_counts counts;
        struct veth_world w;
        struct packet_ring a;
        struct xdp_queue q;

        veth_world_make(&w);
        assert_int_equal(xdp_queue_count("b", w.b), 1);
        assert_int_equal(packet_ring_open(&a, "a", w.a, NULL), 0);
        assert_int_equal(xdp_queue_open(&q, "b", w.b, 0, modes[i], &area), 0);
        assert_int_equal(q.mode, modes[i]);
        assert_int_equal(netns_call(w.b, attached, NULL), 1);
        lend(&q, 0, CHUNKS);
        pass_frames(&q, &a);
        assert_int_equal(xdp_queue_statistics(&q, &counts), 0);
        assert_int_equal(counts.receive_dropped + counts.receive_ring_full + counts.send_invalid,
                         0);
        xdp_queue_close(&q);
        assert_int_equal(netns_call(w.b, attached, NULL), 0);
        packet_ring_close(&a);
        veth_world_end(&w);
    }
    assert_int_equal(open_descriptors(), before);
}

static void a_closed_queue_opens_again_under_traffic(void **state)
{
    struct packet_ring_frame f = {out, 60, {0}};
    struct veth_world w;
    struct packet_ring a;
    struct xdp_queue q;

    (void)state;
    if (!allowed)
        skip();
    veth_world_make(&w);
    make_frame(out, 60, 1);
    assert_int_equal(packet_ring_open(&a, "a", w.a, NULL), 0);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(xdp_queue_open(&q, "b", w.b, 0, modes[i % 2], &area), 0);
        lend(&q, 0, 64);
        for (int k = 0; k < 200; k++) /* more than was lent */
            assert_int_equal(packet_ring_send(&a, &f, 1), 1);
        xdp_queue_close(&q);
        assert_int_equal(netns_call(w.b, attached, NULL), 0);
    }
    packet_ring_close(&a);
    veth_world_end(&w);
}

static void a_killed_process_leaves_nothing(void **state)
{
    struct veth_world w;
    struct xdp_queue q;
    int pipes[2], status;
    char byte;
    pid_t child;

    (void)state;
    if (!allowed)
        skip();
    veth_world_make(&w);
    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever becomes of the test */
        if (xdp_queue_open(&q, "b", w.b, 0, XDP_MODE_NATIVE, &area) == 0)
            (void)!write(pipes[1], "x", 1);
        for (;;)
            pause();
    }
    assert_true(child > 0);
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    assert_int_equal(netns_call(w.b, attached, NULL), 1);
    assert_int_equal(xdp_queue_open(&q, "b", w.b, 0, XDP_MODE_AUTO, &area), -EEXIST);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(netns_call(w.b, attached, NULL), 0);
    assert_int_equal(xdp_queue_open(&q, "b", w.b, 0, XDP_MODE_AUTO, &area), 0);
    assert_int_equal(q.mode, XDP_MODE_NATIVE);
    xdp_queue_close(&q);
    close(pipes[0]);
    veth_world_end(&w);
}

static void a_deleted_interface_and_bad_wishes_are_errors(void **state)
{
    struct xdp_area odd = area;
    struct veth_world w;
    struct xdp_queue q;
    int err = 0;

    (void)state;
    if (!allowed)
        skip();
    odd.chunk_size = 3000;
    for (size_t i = 0; i < 2; i++) {
        const struct xdp_frame f = {0, 60};
        struct xdp_frame x;

        veth_world_make(&w);
        assert_int_equal(xdp_queue_open(&q, "none", w.b, 0, modes[i], &area), -ENODEV);
        assert_int_equal(xdp_queue_open(&q, "b", w.b, 0, modes[i], &odd), -EINVAL);
        assert_int_equal(xdp_queue_open(&q, "b", w.b, 7, modes[i], &area), -EINVAL);
        assert_int_equal(netns_call(w.b, attached, NULL), 0);
        assert_int_equal(xdp_queue_open(&q, "b", w.b, 0, modes[i], &area), 0);
        lend(&q, 1, 64);
        assert_int_equal(netlink_delete(&w.at_a, "a"), 0);
        err = 0;
        for (int k = 0; k < 1000 && err >= 0; k++)
            err = xdp_queue_receive(&q, &x, 1);
        assert_int_equal(err, -ENETDOWN);
        assert_int_equal(xdp_queue_send(&q, &f, 1), 1);
        assert_int_equal(xdp_queue_kick(&q), -ENETDOWN);
        xdp_queue_close(&q);
        veth_world_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_pass_both_ways_and_nothing_stays),
        cmocka_unit_test(a_closed_queue_opens_again_under_traffic),
        cmocka_unit_test(a_killed_process_leaves_nothing),
        cmocka_unit_test(a_deleted_interface_and_bad_wishes_are_errors),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
