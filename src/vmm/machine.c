/*
 * machine.c -- see machine.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "link/netns.h"
#include "vmm/acpi.h"
#include "vmm/event.h"
#include "vmm/machine.h"

#define DEVICES_AT UINT64_C(0xd0000000) /* of virtio registers, a page each */

const char *const machine_state_names[] = {"created", "running", "paused", "ended"};

/* Interrupts that nothing on the board has. */
static const uint8_t gsis[MACHINE_DEVICES] = {16, 17, 18, 19, 20, 21, 22, 23, 6,
                                              7,  9,  10, 11, 12, 13, 14, 15, 3};

__attribute__((format(printf, 3, 4))) static int fail(struct machine *m, int err,
                                                      const char *format, ...)
{
    va_list arguments;
    size_t len;

    va_start(arguments, format);
    vsnprintf(m->why, sizeof(m->why), format, arguments);
    va_end(arguments);
    len = strlen(m->why);
    snprintf(m->why + len, sizeof(m->why) - len, ": %s", strerror(-err));
    return err;
}

/* ---- what befalls it ---- */

static void end(struct machine *m, enum machine_end how)
{
    if (m->state == MACHINE_ENDED)
        return;
    vcpus_pause(&m->vcpus);
    m->state = MACHINE_ENDED;
    m->ended(m, how);
}

static int put_acpi(struct machine *m)
{
    struct acpi_virtio virtio[MACHINE_DEVICES];
    struct acpi_machine acpi = {
        .cpus = m->vcpus.count,
        .power_port = POWER_PORT,
        .power_gsi = POWER_GSI,
        .serial_port = SERIAL_PORT,
        .serial_gsi = SERIAL_GSI,
        .virtio_count = m->transport_count,
        .virtio = virtio,
    };

    for (unsigned i = 0; i < m->transport_count; i++)
        virtio[i] = (struct acpi_virtio){(uint32_t)(DEVICES_AT + i * VIRTIO_MMIO_SIZE),
                                         VIRTIO_MMIO_SIZE, gsis[i]};
    return acpi_write(&m->memory, &acpi);
}

/* Memory and processors as the boot loader leaves them. */
static int load(struct machine *m)
{
    struct boot_files files = {
        .kernel = m->kernel, .initrd = m->initrd, .command_line = m->config->command_line};
    struct vcpu_entry entry;
    char why[sizeof(m->why) - 64];
    int err;

    if ((err = boot_load(&m->memory, &files, &entry, why, sizeof(why))) < 0) {
        snprintf(m->why, sizeof(m->why), "%s: %s", m->config->kernel, why);
        return err;
    }
    if ((err = put_acpi(m)) < 0)
        return fail(m, err, "ACPI tables");
    if ((err = kvm_vm_reset(&m->vm)) < 0)
        return fail(m, err, "interrupt controllers");
    if ((err = vcpus_reset(&m->vcpus, &entry)) < 0)
        return fail(m, err, "the processors can not be set up");
    return 0;
}

static void reset(struct machine *m)
{
    vcpus_pause(&m->vcpus);
    for (unsigned i = 0; i < m->transport_count; i++) {
        struct virtio_device *d = m->transports[i].device;

        virtio_lock(d);
        virtio_set_status(d, 0);
        virtio_unlock(d);
    }
    serial_reset(&m->serial);
    board_reset(&m->board);
    atomic_store(&m->vcpus.event, VCPU_NOTHING);
    m->resets++;
    log_info("the guest is reset");
    if (load(m) < 0)
        end(m, MACHINE_FAILED);
    else if (m->state == MACHINE_RUNNING)
        vcpus_resume(&m->vcpus);
}

static void on_vcpu(uv_poll_t *watch, int status, int events)
{
    struct machine *m = watch->data;

    (void)status;
    (void)events;
    event_clear(m->vcpus.event_fd);
    switch (atomic_load(&m->vcpus.event)) {
    case VCPU_SHUTDOWN:
        reset(m);
        break;
    case VCPU_FAILED:
        snprintf(m->why, sizeof(m->why), "%s", m->vcpus.why);
        end(m, MACHINE_FAILED);
        break;
    default:
        break;
    }
}

static void on_board(uv_poll_t *watch, int status, int events)
{
    struct machine *m = watch->data;
    enum board_event event = board_take_event(&m->board);

    (void)status;
    (void)events;
    if (event == BOARD_OFF)
        end(m, MACHINE_OFF);
    if (event == BOARD_RESET)
        reset(m);
}

/* ---- making ---- */

static int watch(struct machine *m, uv_poll_t *watch, int fd, uv_poll_cb call)
{
    int err = uv_poll_init(loop_uv(), watch, fd);

    if (err < 0)
        return err;
    watch->data = m;
    return uv_poll_start(watch, UV_READABLE, call);
}

static int plug(struct machine *m, struct virtio_device *d)
{
    unsigned i = m->transport_count;
    uint64_t at = DEVICES_AT + i * VIRTIO_MMIO_SIZE;
    int err;

    if (i == MACHINE_DEVICES)
        return -ENOSPC;
    m->transport_count++;
    if ((err = virtio_mmio_add(&m->transports[i], d, &m->addresses, at)) < 0)
        return err;
    return virtio_mmio_wire(&m->transports[i], &m->vm, at, gsis[i]);
}

static int make_board(struct machine *m)
{
    int err;

    if ((err = serial_make(&m->serial)) < 0 || (err = board_make(&m->board)) < 0 ||
        (err = serial_add(&m->serial, &m->ports)) < 0 ||
        (err = board_add(&m->board, &m->ports)) < 0 ||
        (err = kvm_vm_irqfd(&m->vm, m->serial.irq, SERIAL_GSI, true)) < 0 ||
        (err = kvm_vm_irqfd(&m->vm, m->board.irq, POWER_GSI, true)) < 0)
        return fail(m, err, "the board's devices");
    return 0;
}

static int make_net(struct machine *m, size_t nth)
{
    const struct vm_net_config *config = &m->config->nets.at[nth];
    struct virtio_net *net = &m->nets[nth];
    uint8_t mac[6];
    int err, netns = -1;

    if (!vm_config_mac(m->config, nth, mac)) {
        snprintf(m->why, sizeof(m->why), "%s is no Ethernet address (02:00:00:00:00:01)",
                 config->mac);
        return -EINVAL;
    }
    if (config->netns && *config->netns && (netns = netns_named(config->netns)) < 0)
        return fail(m, netns, "network %s", config->netns);
    m->net_count++;
    if ((err = virtio_net_make(net, &m->memory, config->interface, netns, mac)) < 0 ||
        (err = plug(m, &net->device)) < 0)
        return fail(m, err, "network interface %s", config->interface);
    return 0;
}

static int make_devices(struct machine *m)
{
    int err;

    if ((err = virtio_rng_make(&m->rng, &m->memory)) < 0 || (err = plug(m, &m->rng.device)) < 0)
        return fail(m, err, "the entropy device");
    for (size_t i = 0; i < m->config->nets.count; i++)
        if ((err = make_net(m, i)) < 0)
            return err;
    return 0;
}

static int open_file(struct machine *m, const char *path, int *fd)
{
    if (!path || !*path)
        return 0;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    return *fd < 0 ? fail(m, -errno, "%s", path) : 0;
}

int machine_make(struct machine *m, const struct vm_config *config)
{
    const struct kvm_host *host;
    int err;

    memset(m, 0, sizeof(*m));
    m->config = config;
    m->kernel = m->initrd = m->memory.fd = m->vm.fd = -1;
    m->vcpus.event_fd = m->serial.irq = m->serial.wake = m->board.irq = m->board.event_fd = -1;
    if (!(host = kvm_host_open(m->why, sizeof(m->why))))
        return -ENODEV;
    if ((err = open_file(m, config->kernel, &m->kernel)) < 0 ||
        (err = open_file(m, config->initrd, &m->initrd)) < 0)
        return err;
    if ((err = vm_memory_make(&m->memory, config->memory)) < 0)
        return fail(m, err, "%llu MiB of memory", (unsigned long long)(config->memory >> 20));
    if ((err = kvm_vm_make(&m->vm, host, &m->memory)) < 0)
        return fail(m, err, "KVM does not make a virtual machine");
    if ((err = vcpus_make(&m->vcpus, &m->vm, config->cpus, &m->ports, &m->addresses)) < 0)
        return fail(m, err, "KVM does not make processors");
    if ((err = make_board(m)) < 0 || (err = make_devices(m)) < 0)
        return err;
    if ((err = watch(m, &m->vcpu_watch, m->vcpus.event_fd, on_vcpu)) < 0 ||
        (err = watch(m, &m->board_watch, m->board.event_fd, on_board)) < 0)
        return fail(m, err, "event loop");
    return 0;
}

void machine_free(struct machine *m)
{
    vcpus_free(&m->vcpus);
    for (unsigned i = 0; i < m->net_count; i++)
        virtio_net_free(&m->nets[i]);
    if (m->rng.device.type)
        virtio_free(&m->rng.device);
    serial_free(&m->serial);
    board_free(&m->board);
    kvm_vm_free(&m->vm);
    vm_memory_free(&m->memory);
    if (m->kernel >= 0)
        close(m->kernel);
    if (m->initrd >= 0)
        close(m->initrd);
}

/* ---- states ---- */

int machine_start(struct machine *m)
{
    int err;

    if ((err = load(m)) < 0)
        return err;
    if ((err = vcpus_start(&m->vcpus)) < 0)
        return fail(m, err, "threads");
    m->state = MACHINE_RUNNING;
    m->started_us = clock_now_us();
    vcpus_resume(&m->vcpus);
    return 0;
}

int machine_pause(struct machine *m)
{
    if (m->state != MACHINE_RUNNING)
        return -EINVAL;
    vcpus_pause(&m->vcpus);
    m->state = MACHINE_PAUSED;
    return 0;
}

int machine_resume(struct machine *m)
{
    if (m->state != MACHINE_PAUSED)
        return -EINVAL;
    m->state = MACHINE_RUNNING;
    vcpus_resume(&m->vcpus);
    return 0;
}

int machine_reset(struct machine *m)
{
    if (m->state != MACHINE_RUNNING && m->state != MACHINE_PAUSED)
        return -EINVAL;
    reset(m);
    return 0;
}

void machine_press_button(struct machine *m)
{
    board_notify(&m->board, BOARD_BUTTON);
}
