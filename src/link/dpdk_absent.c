/*
 * dpdk_absent.c -- dpdk_device.h in a build without DPDK: nothing opens, and so nothing else is
 * ever called for a device.
 */
#include <errno.h>

#include "base/log.h"
#include "link/dpdk_device.h"

const bool dpdk_is_built = false;

int dpdk_start(const char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    log_error("dpdk: this program was built without it: build with -Ddpdk=enabled");
    return -EOPNOTSUPP;
}

int dpdk_device_open(struct dpdk_device **device, const struct dpdk_device_config *config)
{
    (void)config;
    *device = NULL;
    return -EOPNOTSUPP;
}

void dpdk_device_close(struct dpdk_device *device)
{
    (void)device;
}

void dpdk_device_status(const struct dpdk_device *device, struct dpdk_device_status *status)
{
    (void)device;
    *status = (struct dpdk_device_status){.driver = "none"};
}

unsigned dpdk_receive(struct dpdk_device *device, unsigned queue, struct dpdk_frame *frames,
                      unsigned n)
{
    (void)device;
    (void)queue;
    (void)frames;
    (void)n;
    return 0;
}

void dpdk_take(struct dpdk_frame *frame, uint8_t *to)
{
    (void)to;
    frame->len = 0;
}

unsigned dpdk_send(struct dpdk_device *device, unsigned queue, const struct dpdk_packet *packets,
                   unsigned n)
{
    (void)device;
    (void)queue;
    (void)packets;
    (void)n;
    return 0;
}
