/*
 * fiber.c -- see fiber.h.
 *
 * A fiber's stack is one mapping: a guard page at the bottom, the stack, and at its top the struct
 * fiber itself, so starting a fiber from the pool costs no allocation. Switching saves the
 * registers that the ABI says a call preserves, nothing else, and makes no system call. Fibers are
 * asymmetric: resume() goes in, leave() goes back to whoever resumed; a chain of resumes is as deep
 * as there are fibers in it, each on a stack of its own.
 *
 * AddressSanitizer is told of each switch, Valgrind of each stack.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fiber.h"
#include "base/timer.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(from, to) 0
#endif

#define MAX_POOLED 1024u

struct fiber {
    void *sp;             /* where its registers lie while it does not run */
    struct fiber *caller; /* who resumed it; NULL: the loop */
    struct fiber *next;   /* in the pool */
    const char *name;
    void (*function)(void *argument);
    void *argument;
    struct await *waiting; /* where it waits; NULL while it runs */
    struct timer timer;
    void *value;
    int error;
    bool cancel; /* the next wait returns -ECANCELED */
    bool done;
    char subject[FIBER_SUBJECT_SIZE];
    void *mapping;
    void *fake_stack; /* AddressSanitizer's */
};

static struct {
    struct fiber *current;
    struct fiber *pool;
    size_t pooled;
    size_t stacks;
    size_t alive;
    void *loop_sp;
    void *loop_fake_stack;
    const void *loop_stack;
    size_t loop_stack_size;
} fibers;

/* Saves the callee-saved registers and the stack pointer to *save, and goes on where `load` was
 * saved. */
void fiber_switch(void **save, void *load);

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl fiber_switch\n"
        ".type fiber_switch,@function\n"
        "fiber_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size fiber_switch,.-fiber_switch\n");
#define SAVED_WORDS  7 /* six registers and the return address */
#define RETURN_INDEX 6
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl fiber_switch\n"
        ".type fiber_switch,%function\n"
        "fiber_switch:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldp x19, x20, [sp, #0]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    ret\n"
        ".size fiber_switch,.-fiber_switch\n");
#define SAVED_WORDS  20
#define RETURN_INDEX 11 /* x30 */
#else
#error "fiber.c knows x86-64 and arm64; add this machine's fiber_switch()"
#endif

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t mapping_size(void)
{
    return FIBER_STACK_SIZE + page_size();
}

static void before_switch(void **fake_stack, const struct fiber *to)
{
#ifdef HAVE_ASAN
    if (to)
        __sanitizer_start_switch_fiber(fake_stack, (char *)to->mapping + page_size(),
                                       FIBER_STACK_SIZE);
    else
        __sanitizer_start_switch_fiber(fake_stack, fibers.loop_stack, fibers.loop_stack_size);
#else
    (void)fake_stack;
    (void)to;
#endif
}

static void after_switch(void *fake_stack, bool from_loop)
{
#ifdef HAVE_ASAN
    const void *stack;
    size_t size;
    __sanitizer_finish_switch_fiber(fake_stack, &stack, &size);
    if (from_loop) {
        fibers.loop_stack = stack;
        fibers.loop_stack_size = size;
    }
#else
    (void)fake_stack;
    (void)from_loop;
#endif
}

/* Goes into the fiber and comes back when it waits or ends. */
static void resume(struct fiber *fiber)
{
    struct fiber *self = fibers.current;
    void **save_sp = self ? &self->sp : &fibers.loop_sp;
    void **save_fake = self ? &self->fake_stack : &fibers.loop_fake_stack;

    fiber->caller = self;
    fiber->waiting = NULL;
    fibers.current = fiber;
    before_switch(save_fake, fiber);
    fiber_switch(save_sp, fiber->sp);
    after_switch(*save_fake, false);
    fibers.current = self;
    if (!fiber->done)
        return;
    fibers.alive--;
    if (fibers.pooled < MAX_POOLED) {
        fiber->next = fibers.pool;
        fibers.pool = fiber;
        fibers.pooled++;
    } else {
        fibers.stacks--;
        munmap(fiber->mapping, mapping_size());
    }
}

/* Goes back to whoever resumed this fiber. */
static void leave(struct fiber *self)
{
    struct fiber *caller = self->caller;
    void *to = caller ? caller->sp : fibers.loop_sp;

    before_switch(self->done ? NULL : &self->fake_stack, caller);
    fiber_switch(&self->sp, to);
    after_switch(self->fake_stack, self->caller == NULL);
}

/* The first function on every fiber's stack; it never returns. */
static void fiber_main(void)
{
    struct fiber *self = fibers.current;

    after_switch(NULL, self->caller == NULL);
    self->function(self->argument);
    self->done = true;
    leave(self);
    __builtin_unreachable();
}

static struct fiber *make_stack(void)
{
    size_t size = mapping_size();
    char *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

    if (mapping == MAP_FAILED)
        return NULL;
    if (mprotect(mapping, page_size(), PROT_NONE) < 0) {
        munmap(mapping, size);
        return NULL;
    }
    (void)VALGRIND_STACK_REGISTER(mapping + page_size(), mapping + size);
#ifdef HAVE_ASAN
    /* What AddressSanitizer remembers of a former mapping here does not hold. */
    __asan_unpoison_memory_region(mapping + page_size(), FIBER_STACK_SIZE);
#endif
    uintptr_t top = ((uintptr_t)mapping + size - sizeof(struct fiber)) & ~(uintptr_t)63;
    struct fiber *fiber = (struct fiber *)top;
    fiber->mapping = mapping;
    fibers.stacks++;
    return fiber;
}

static struct fiber *take_stack(void)
{
    struct fiber *fiber = fibers.pool;

    if (!fiber)
        return make_stack();
    fibers.pool = fiber->next;
    fibers.pooled--;
#ifdef HAVE_ASAN
    char *bottom = (char *)fiber->mapping + page_size();
    __asan_unpoison_memory_region(bottom, (size_t)((char *)fiber - bottom));
#endif
    return fiber;
}

struct fiber *fiber_spawn(const char *name, void (*function)(void *argument), void *argument)
{
    struct fiber *fiber = take_stack();

    if (!fiber)
        return NULL;
    *fiber = (struct fiber){
        .mapping = fiber->mapping, .name = name, .function = function, .argument = argument};
    /* As if fiber_main had been interrupted before its first instruction, on a stack aligned as the
     * ABI wants at a function's entry: 16 bytes, less the return address if the call pushes one. */
    void **words = (void **)(void *)fiber - 2 - SAVED_WORDS;
#if defined(__x86_64__)
    words -= 1;
#endif
    memset(words, 0, SAVED_WORDS * sizeof(*words));
    words[RETURN_INDEX] = (void *)(uintptr_t)fiber_main;
    fiber->sp = words;
    fibers.alive++;
    resume(fiber);
    return fiber;
}

struct fiber *fiber_self(void)
{
    return fibers.current;
}

static void wake(struct fiber *fiber, int error, void *value)
{
    fiber->waiting->waiter = NULL;
    fiber->error = error;
    fiber->value = value;
    timer_stop(&fiber->timer);
    resume(fiber);
}

static void timed_out(struct timer *timer)
{
    wake(container_of(timer, struct fiber, timer), -ETIMEDOUT, NULL);
}

int await(struct await *here, int timeout_ms, void **value)
{
    struct fiber *self = fibers.current;

    if (value)
        *value = NULL;
    if (!self)
        return -EINVAL;
    if (self->cancel) {
        self->cancel = false;
        return -ECANCELED;
    }
    if (here->waiter)
        return -EBUSY;
    here->waiter = self;
    self->waiting = here;
    if (timeout_ms >= 0)
        timer_start(&self->timer, (uint64_t)timeout_ms, timed_out);
    leave(self);
    if (value && self->error == 0)
        *value = self->value;
    return self->error;
}

bool await_deliver(struct await *there, void *value)
{
    if (!there->waiter)
        return false;
    wake(there->waiter, 0, value);
    return true;
}

bool await_fail(struct await *there, int error)
{
    if (!there->waiter)
        return false;
    wake(there->waiter, error, NULL);
    return true;
}

void fiber_cancel(struct fiber *fiber)
{
    if (fiber->waiting)
        wake(fiber, -ECANCELED, NULL);
    else
        fiber->cancel = true;
}

int fiber_sleep(uint64_t ms)
{
    struct await nobody = {0};
    int err = await(&nobody, ms > INT32_MAX ? INT32_MAX : (int)ms, NULL);

    return err == -ETIMEDOUT ? 0 : err;
}

void fiber_set_subject(const char *subject)
{
    if (fibers.current)
        snprintf(fibers.current->subject, sizeof(fibers.current->subject), "%s", subject);
}

const char *fiber_subject(const struct fiber *fiber)
{
    const struct fiber *whose = fiber ? fiber : fibers.current;

    return whose ? whose->subject : "";
}

size_t fiber_count(void)
{
    return fibers.alive;
}

size_t fiber_stack_count(void)
{
    return fibers.stacks;
}

void fiber_free_stacks(void)
{
    while (fibers.pool) {
        struct fiber *fiber = fibers.pool;
        fibers.pool = fiber->next;
        munmap(fiber->mapping, mapping_size());
        fibers.stacks--;
    }
    fibers.pooled = 0;
}
