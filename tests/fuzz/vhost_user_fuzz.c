/*
 * vhost_user_fuzz.c -- a hypervisor that says anything, with descriptors or without, and between
 * its messages the data thread's calls.
 *
 * Input: for each message flags of our own (which descriptors come with it, whether its payload
 * names real memory), request, flags, a length and a payload.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/log.h"
#include "link/vhost_socket.h"
#include "link/vhost_user.h"

#define MEMORY 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vhost_user *device;
static int memfd = -1, event = -1, fd = -1;

static void connect_again(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/vhost_user_fuzz.%d", (int)getpid());
    if (!device) {
        struct vhost_user_config config = {.path = address.sun_path, .queue_pairs = 2};

        log_init("fuzz", LOG_ERROR);
        memfd = memfd_create("fuzz", MFD_CLOEXEC);
        event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (ftruncate(memfd, MEMORY) < 0 || vhost_user_open(&device, &config) < 0)
            abort();
    }
    if (fd >= 0) { /* the device may hold a descriptor of this end, so closing would not end it */
        shutdown(fd, SHUT_RDWR);
        close(fd);
    }
    vhost_user_readable(device); /* sees the end of the last */
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        abort();
    vhost_user_readable(device);
}

static void say(const struct vhost_header *h, const uint8_t *payload, size_t size, uint8_t with)
{
    struct iovec iov[2] = {{(void *)(uintptr_t)h, sizeof(*h)}, {(void *)(uintptr_t)payload, size}};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(16 * sizeof(int))];
    } room = {.bytes = {0}};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = size ? 2 : 1};
    unsigned n = with & 15;

    if (n > 0) {
        message.msg_control = &room;
        message.msg_controllen = CMSG_SPACE(n * sizeof(int));
        room.header.cmsg_level = SOL_SOCKET;
        room.header.cmsg_type = SCM_RIGHTS;
        room.header.cmsg_len = CMSG_LEN(n * sizeof(int));
        for (unsigned i = 0; i < n; i++) {
            int *each = with & 16 ? &memfd : with & 32 ? &fd : &event;

            memcpy(CMSG_DATA(&room.header) + i * sizeof(int), each, sizeof(int));
        }
    }
    (void)sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void data_calls(void)
{
    static uint8_t buffer[4][70000];
    struct vhost_packet packets[4];

    for (unsigned i = 0; i < 4; i++)
        packets[i] = (struct vhost_packet){.at = buffer[i], .room = sizeof(buffer[i]), .len = 100};
    for (unsigned pair = 0; pair < 3; pair++) {
        (void)vhost_receive(device, pair, packets, 4);
        (void)vhost_send(device, pair, packets, 4);
        (void)vhost_kicks(device, pair, pair & 1);
        vhost_drain(device, pair);
    }
}

static void message(struct reader *r)
{
    static uint8_t payload[VHOST_MESSAGE_PAYLOAD * 2];
    uint8_t with = rd_u8(r);
    struct vhost_header h = {.request = rd_u8(r), .flags = rd_u8(r), .size = rd_u16(r)};
    uint8_t answer[512];
    size_t size = h.size < sizeof(payload) ? h.size : sizeof(payload);

    if (!(with & 64))
        h.flags = (h.flags & ~7U) | VHOST_HEADER_VERSION;
    memset(payload, 0, sizeof(payload));
    if (size > rd_left(r))
        size = rd_left(r);
    rd_bytes(r, payload, size);
    if (with & 128 && h.size > sizeof(payload)) /* a length that is not true */
        h.size %= VHOST_MESSAGE_PAYLOAD;
    else if (!(with & 128))
        h.size = (uint32_t)size;
    say(&h, payload, size, with);
    vhost_user_readable(device);
    data_calls();
    while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
        continue;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);

    connect_again();
    while (rd_left(&r) > 0)
        message(&r);
    return 0;
}
