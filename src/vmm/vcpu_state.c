/*
 * vcpu_state.c -- see vcpu_state.h. Intel SDM volume 3 and AMD APM volume 2 have what the registers
 * mean; the order of the ioctls is KVM's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/vcpu_state.h"

/* ---- CPUID ---- */

static unsigned bits_for(unsigned count)
{
    unsigned bits = 0;

    while (1u << bits < count)
        bits++;
    return bits;
}

/* Leaf 0xb: one thread a core, all cores in one package. */
static void set_topology(struct kvm_cpuid_entry2 *e, unsigned index, unsigned count)
{
    bool cores = e->index == 1;

    e->eax = cores ? bits_for(count) : 0;
    e->ebx = cores ? count : e->index == 0;
    e->ecx = e->index | (e->index < 2 ? (e->index + 1) << 8 : 0);
    e->edx = index;
}

static void set_features(struct kvm_cpuid_entry2 *e, const struct kvm_host *host, unsigned index,
                         unsigned count)
{
    e->ebx = (e->ebx & 0xffff) | count << 16 | index << 24; /* count, initial APIC id */
    e->ecx |= 1u << 31;                                     /* there is a hypervisor */
    if (host->tsc_deadline)
        e->ecx |= 1u << 24;
    if (count > 1)
        e->edx |= 1u << 28; /* ebx has the count */
}

/* What KVM gives is the host's; this is what differs. False: the guest is not to see the leaf. */
static bool edit(struct kvm_cpuid_entry2 *e, const struct kvm_host *host, unsigned index,
                 unsigned count)
{
    switch (e->function) {
    case 1:
        set_features(e, host, index, count);
        return true;
    case 4: /* caches: each core its own, but the last level */
        e->eax = (e->eax & 0x3fff) | (count - 1) << 26;
        if ((e->eax >> 5 & 7) >= 3)
            e->eax |= (count - 1) << 14;
        return true;
    case 0xa: /* no performance counters */
        e->eax = e->ebx = e->ecx = e->edx = 0;
        return true;
    case 0xb:
        set_topology(e, index, count);
        return true;
    case 0x1f:
        return false;
    case 0x80000008:
        e->ecx = (count - 1) | bits_for(count) << 12;
        return true;
    case 0x8000001e:
        e->eax = index;
        e->ebx = index;
        e->ecx = 0;
        return true;
    default:
        return true;
    }
}

int vcpu_set_cpuid(struct vcpu *v, const struct kvm_host *host)
{
    struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[KVM_CPUID_MAX];
    } cpuid = {.head.nent = 0};

    for (uint32_t i = 0; i < host->cpuid.head.nent; i++) {
        struct kvm_cpuid_entry2 e = host->cpuid.entries[i];

        if (edit(&e, host, v->index, v->all->wanted))
            cpuid.entries[cpuid.head.nent++] = e;
    }
    return ioctl(v->fd, KVM_SET_CPUID2, &cpuid) < 0 ? -errno : 0;
}

/* ---- the parts ---- */

#define PART(get_ioctl, set_ioctl, member)                                 \
    {                                                                      \
#member, get_ioctl, set_ioctl, offsetof(struct vcpu_state, member) \
    }

struct part {
    const char *name;
    unsigned long get, set;
    size_t offset;
};

/* In the order of reading: MP_STATE first, as it has KVM take in what waits at the local APIC;
 * events last. */
static const struct part parts[] = {
    PART(KVM_GET_MP_STATE, KVM_SET_MP_STATE, mp_state),
    PART(KVM_GET_REGS, KVM_SET_REGS, regs),
    PART(KVM_GET_SREGS, KVM_SET_SREGS, sregs), /* brings the APIC's base: before lapic */
    PART(KVM_GET_XSAVE, KVM_SET_XSAVE, xsave),
    PART(KVM_GET_XCRS, KVM_SET_XCRS, xcrs),
    PART(KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, debugregs),
    PART(KVM_GET_LAPIC, KVM_SET_LAPIC, lapic), /* before the MSRs: of its timer */
};

static const struct part events_part =
    PART(KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, events); /* SET_REGS clears exceptions */

/* ---- model-specific registers ---- */

#define MSR_TSC          0x10u
#define MSR_TSC_DEADLINE 0x6e0u

/* Which there are: KVM's list without those that it can not read, the TSC first, as the deadline
 * is measured by it. Found out with the first processor. */
static struct {
    uint32_t count;
    uint32_t index[VCPU_MSRS];
} msrs;

static void list_msr(uint32_t index)
{
    for (uint32_t i = 0; i < msrs.count; i++)
        if (msrs.index[i] == index)
            return;
    if (msrs.count < VCPU_MSRS)
        msrs.index[msrs.count++] = index;
}

/* State that KVM keeps and does not list: memory types. */
static void list_memory_types(void)
{
    static const struct {
        uint32_t first, last;
    } types[] = {{0x200, 0x20f}, {0x250, 0x250}, {0x258, 0x259}, {0x268, 0x26f}, {0x2ff, 0x2ff}};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        for (uint32_t index = types[i].first; index <= types[i].last; index++)
            list_msr(index);
}

static int list_msrs(const struct kvm_host *host)
{
    struct {
        struct kvm_msr_list head;
        uint32_t indices[1024];
    } list = {.head.nmsrs = 1024};

    if (ioctl(host->fd, KVM_GET_MSR_INDEX_LIST, &list) < 0)
        return -errno;
    list_msr(MSR_TSC);
    list_memory_types();
    for (uint32_t i = 0; i < list.head.nmsrs; i++)
        if (list.head.indices[i] != MSR_TSC_DEADLINE)
            list_msr(list.head.indices[i]);
    if (host->tsc_deadline)
        list_msr(MSR_TSC_DEADLINE);
    return 0;
}

static int get_msrs(struct vcpu *v, struct vcpu_state *state)
{
    for (;;) {
        int n;

        state->msrs.head.nmsrs = msrs.count;
        for (uint32_t i = 0; i < msrs.count; i++)
            state->msrs.entries[i].index = msrs.index[i];
        if ((n = ioctl(v->fd, KVM_GET_MSRS, &state->msrs)) < 0)
            return -errno;
        if ((uint32_t)n == msrs.count)
            return 0;
        /* KVM lists it and can not read it */
        msrs.count--;
        memmove(&msrs.index[n], &msrs.index[n + 1], (msrs.count - (uint32_t)n) * sizeof(uint32_t));
    }
}

/* One that KVM does not take back is left as it is, when it is as it was. */
static int set_msrs(struct vcpu *v, const struct vcpu_state *state)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entries[VCPU_MSRS];
    } rest;
    uint32_t done = 0;

    while (done < state->msrs.head.nmsrs) {
        int n;

        rest.head.nmsrs = state->msrs.head.nmsrs - done;
        memcpy(rest.entries, &state->msrs.entries[done], rest.head.nmsrs * sizeof(rest.entries[0]));
        if ((n = ioctl(v->fd, KVM_SET_MSRS, &rest)) < 0)
            return -errno;
        done += (uint32_t)n;
        if (done < state->msrs.head.nmsrs) {
            struct kvm_msr_entry wanted = state->msrs.entries[done++];

            rest.head.nmsrs = 1;
            rest.entries[0].index = wanted.index;
            if (ioctl(v->fd, KVM_GET_MSRS, &rest) != 1 || rest.entries[0].data != wanted.data)
                return -EINVAL;
        }
    }
    return 0;
}

/* ---- all of it ---- */

size_t vcpu_state_size(const struct kvm_host *host)
{
    return sizeof(struct vcpu_state) + host->xsave_size;
}

static unsigned long get_request(const struct vcpu *v, const struct part *part)
{
    return part->get == KVM_GET_XSAVE && v->all->host->xsave2 ? KVM_GET_XSAVE2 : part->get;
}

int vcpu_state_get(struct vcpu *v, struct vcpu_state *state, const char **what)
{
    int err;

    *what = "list of MSRs";
    if (msrs.count == 0 && (err = list_msrs(v->all->host)) < 0)
        return err;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        *what = parts[i].name;
        if (ioctl(v->fd, get_request(v, &parts[i]), (uint8_t *)state + parts[i].offset) < 0)
            return -errno;
    }
    *what = "MSRs";
    if ((err = get_msrs(v, state)) < 0)
        return err;
    *what = events_part.name;
    return ioctl(v->fd, events_part.get, &state->events) < 0 ? -errno : 0;
}

int vcpu_state_set(struct vcpu *v, const struct vcpu_state *state, const char **what)
{
    int err;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        *what = parts[i].name;
        if (ioctl(v->fd, parts[i].set, (const uint8_t *)state + parts[i].offset) < 0)
            return -errno;
    }
    *what = "MSRs";
    if ((err = set_msrs(v, state)) < 0)
        return err;
    *what = events_part.name;
    return ioctl(v->fd, events_part.set, &state->events) < 0 ? -errno : 0;
}

/* ---- power-on ---- */

#define CR0_PE   UINT64_C(1)
#define CR0_ET   UINT64_C(0x10)
#define CR0_PG   UINT64_C(0x80000000)
#define CR4_PAE  UINT64_C(0x20)
#define EFER_LME UINT64_C(0x100)
#define EFER_LMA UINT64_C(0x400)

/* A flat segment, as its descriptor in the table at VCPU_GDT says (boot.c). */
static struct kvm_segment flat(uint16_t selector, uint8_t type, bool is_64_bit)
{
    return (struct kvm_segment){
        .base = 0,
        .limit = 0xffffffff,
        .selector = selector,
        .type = type,
        .present = 1,
        .db = !is_64_bit,
        .s = 1,
        .l = is_64_bit,
        .g = 1,
    };
}

static void enter_flat(struct vcpu_state *state, const struct vcpu_entry *entry)
{
    bool is_long = entry->mode == VCPU_LONG;
    struct kvm_sregs *s = &state->sregs;

    s->cs = flat(0x10, 0xb, is_long);
    s->ds = s->es = s->fs = s->gs = s->ss = flat(0x18, 0x3, false);
    s->tr = (struct kvm_segment){.limit = 0x67, .type = 0xb, .present = 1};
    s->gdt = (struct kvm_dtable){.base = VCPU_GDT, .limit = 4 * 8 - 1};
    s->idt = (struct kvm_dtable){.base = 0, .limit = 0};
    s->cr0 = CR0_PE | CR0_ET;
    if (is_long) {
        s->cr0 |= CR0_PG;
        s->cr3 = VCPU_PAGE_TABLES;
        s->cr4 |= CR4_PAE;
        s->efer |= EFER_LME | EFER_LMA;
    }
    state->regs =
        (struct kvm_regs){.rip = entry->ip, .rsi = entry->rsi, .rbx = entry->rbx, .rflags = 2};
}

static void apic_set(struct kvm_lapic_state *lapic, unsigned offset, uint32_t value)
{
    memcpy(&lapic->regs[offset], &value, sizeof(value));
}

/* All processors' clocks begin together: KVM takes a zero as that. */
static void restart_clock(struct vcpu_state *state)
{
    for (uint32_t i = 0; i < state->msrs.head.nmsrs; i++)
        if (state->msrs.entries[i].index == MSR_TSC)
            state->msrs.entries[i].data = 0;
}

/* What firmware leaves behind: memory write-back, NMIs by the second local interrupt pin. The first
 * one is masked: behind it are the 8259s, which a guest of the reduced-hardware profile knows
 * nothing of, and does not silence. */
static void as_firmware_leaves(struct vcpu_state *state)
{
    apic_set(&state->lapic, 0x350, 0x10000); /* LINT0: masked */
    apic_set(&state->lapic, 0x360, 0x400);   /* LINT1: NMI */
    for (uint32_t i = 0; i < state->msrs.head.nmsrs; i++) {
        if (state->msrs.entries[i].index == 0x2ff)
            state->msrs.entries[i].data = 0x806; /* MTRRs on, all of memory write-back */
        if (state->msrs.entries[i].index == 0x1a0)
            state->msrs.entries[i].data |= 1; /* fast strings */
    }
}

static int reset_one(struct vcpu *v, const struct vcpu_entry *entry)
{
    size_t size = vcpu_state_size(v->all->host);
    struct vcpu_state *state = malloc(size);
    const char *what;
    int err = state ? 0 : -ENOMEM;

    if (!err && !v->power_on) { /* as KVM made it */
        v->power_on = calloc(1, size);
        err = v->power_on ? vcpu_state_get(v, v->power_on, &what) : -ENOMEM;
    }
    if (!err) {
        memcpy(state, v->power_on, size);
        restart_clock(state);
        if (entry->mode != VCPU_REAL) {
            as_firmware_leaves(state);
            if (v->index == 0)
                enter_flat(state, entry);
        }
        err = vcpu_state_set(v, state, &what);
    }
    free(state);
    return err;
}

int vcpus_reset(struct vcpus *all, const struct vcpu_entry *entry)
{
    for (unsigned i = 0; i < all->count; i++) {
        int err = reset_one(&all->at[i], entry);

        if (err < 0)
            return err;
    }
    return 0;
}
