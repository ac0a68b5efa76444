/*
 * vcpu.c -- see vcpu.h: the threads. Registers are in vcpu_state.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/event.h"
#include "vmm/vcpu.h"
#include "vmm/vcpu_state.h"

#define KICK SIGRTMIN /* has a processor leave KVM_RUN */

static __thread struct vcpu *self;

/* Between the check of immediate_exit and the guest there is a moment in which only this works. */
static void on_kick(int signal)
{
    (void)signal;
    if (self)
        self->run->immediate_exit = 1;
}

static void tell(struct vcpus *all, enum vcpu_event event)
{
    int nothing = VCPU_NOTHING;

    (void)atomic_compare_exchange_strong(&all->event, &nothing, (int)event);
    event_signal(all->event_fd);
}

/* ---- exits ---- */

static void port_exit(struct vcpu *v)
{
    struct kvm_run *run = v->run;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;

    atomic_fetch_add_explicit(&v->port_exits, 1, memory_order_relaxed);
    for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size)
        bus_access(v->all->ports, run->io.port, data, run->io.size,
                   run->io.direction == KVM_EXIT_IO_OUT);
}

static void memory_exit(struct vcpu *v)
{
    struct kvm_run *run = v->run;

    atomic_fetch_add_explicit(&v->memory_exits, 1, memory_order_relaxed);
    bus_access(v->all->memory, run->mmio.phys_addr, run->mmio.data, run->mmio.len,
               run->mmio.is_write);
}

__attribute__((format(printf, 2, 3))) static void give_up(struct vcpu *v, const char *format, ...)
{
    va_list arguments;

    pthread_mutex_lock(&v->all->lock);
    if (atomic_load(&v->all->event) == VCPU_NOTHING) {
        va_start(arguments, format);
        vsnprintf(v->all->why, sizeof(v->all->why), format, arguments);
        va_end(arguments);
    }
    pthread_mutex_unlock(&v->all->lock);
    tell(v->all, VCPU_FAILED);
}

/* True when the processor may go on by itself. */
static bool handle_exit(struct vcpu *v)
{
    const struct kvm_run *run = v->run;

    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        port_exit(v);
        return true;
    case KVM_EXIT_MMIO:
        memory_exit(v);
        return true;
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        return true;
    case KVM_EXIT_SHUTDOWN:
        tell(v->all, VCPU_SHUTDOWN);
        return false;
    case KVM_EXIT_FAIL_ENTRY:
        give_up(v, "processor %u can not be entered: hardware reason 0x%llx", v->index,
                (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
        return false;
    case KVM_EXIT_INTERNAL_ERROR:
        give_up(v, "processor %u: KVM's internal error %u", v->index, run->internal.suberror);
        return false;
    default:
        give_up(v, "processor %u: exit %u, which nobody asked for", v->index, run->exit_reason);
        return false;
    }
}

/* ---- the thread ---- */

static void park(struct vcpu *v, bool until_reset)
{
    struct vcpus *all = v->all;

    pthread_mutex_lock(&all->lock);
    while (until_reset && !atomic_load(&all->paused) && !atomic_load(&all->ending))
        pthread_cond_wait(&all->changed, &all->lock); /* what it told will have it paused */
    all->parked++;
    pthread_cond_broadcast(&all->changed);
    while (atomic_load(&all->paused) && !atomic_load(&all->ending))
        pthread_cond_wait(&all->changed, &all->lock);
    all->parked--;
    pthread_mutex_unlock(&all->lock);
}

static void *run_vcpu(void *argument)
{
    struct vcpu *v = argument;
    struct vcpus *all = v->all;

    self = v;
    park(v, false);
    while (!atomic_load(&all->ending)) {
        if (ioctl(v->fd, KVM_RUN, 0) == 0) {
            atomic_fetch_add_explicit(&v->exits, 1, memory_order_relaxed);
            if (!handle_exit(v))
                park(v, true);
        } else if (errno == EINTR) {
            v->run->immediate_exit = 0;
            atomic_thread_fence(memory_order_seq_cst);
            if (atomic_load(&all->paused))
                park(v, false);
        } else if (errno != EAGAIN) {
            give_up(v, "processor %u does not run: %s", v->index, strerror(errno));
            park(v, true);
        }
    }
    return NULL;
}

/* Has all leave KVM_RUN, whose flags say why. */
static void kick_all(struct vcpus *all)
{
    for (unsigned i = 0; i < all->count; i++)
        if (all->at[i].started) {
            all->at[i].run->immediate_exit = 1;
            atomic_thread_fence(memory_order_seq_cst);
            pthread_kill(all->at[i].thread, KICK);
        }
}

void vcpus_pause(struct vcpus *all)
{
    pthread_mutex_lock(&all->lock);
    if (!atomic_load(&all->paused)) {
        atomic_store(&all->paused, true);
        kick_all(all);
        pthread_cond_broadcast(&all->changed);
    }
    while (all->parked < all->count)
        pthread_cond_wait(&all->changed, &all->lock);
    pthread_mutex_unlock(&all->lock);
}

void vcpus_resume(struct vcpus *all)
{
    pthread_mutex_lock(&all->lock);
    atomic_store(&all->paused, false);
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->lock);
}

/* ---- making and ending ---- */

static int make_one(struct vcpu *v, struct kvm_vm *vm)
{
    v->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)v->index);
    if (v->fd < 0)
        return -errno;
    v->run = mmap(NULL, vm->host->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
    if (v->run == MAP_FAILED) {
        v->run = NULL;
        return -errno;
    }
    return vcpu_set_cpuid(v, vm->host);
}

int vcpus_make(struct vcpus *all, struct kvm_vm *vm, unsigned count, const struct bus *ports,
               const struct bus *memory)
{
    *all = (struct vcpus){.ports = ports,
                          .memory = memory,
                          .event_fd = -1,
                          .paused = true,
                          .host = vm->host,
                          .wanted = count};
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->changed, NULL);
    if ((all->event_fd = event_make()) < 0)
        return -errno;
    for (unsigned i = 0; i < count; i++) {
        struct vcpu *v = &all->at[i];
        int err;

        v->all = all;
        v->index = i;
        all->count = i + 1;
        if ((err = make_one(v, vm)) < 0)
            return err;
    }
    return 0;
}

int vcpus_start(struct vcpus *all)
{
    struct sigaction kick = {.sa_handler = on_kick};

    if (sigaction(KICK, &kick, NULL) < 0)
        return -errno;
    for (unsigned i = 0; i < all->count; i++) {
        int err = pthread_create(&all->at[i].thread, NULL, run_vcpu, &all->at[i]);

        if (err)
            return -err;
        all->at[i].started = true;
    }
    return 0;
}

void vcpus_free(struct vcpus *all)
{
    pthread_mutex_lock(&all->lock);
    atomic_store(&all->ending, true);
    kick_all(all);
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->lock);
    for (unsigned i = 0; i < all->count; i++) {
        struct vcpu *v = &all->at[i];

        if (v->started)
            pthread_join(v->thread, NULL);
        if (v->run)
            munmap(v->run, all->host->run_size);
        if (v->fd >= 0)
            close(v->fd);
        free(v->power_on);
    }
    event_free(&all->event_fd);
    all->count = 0;
}
