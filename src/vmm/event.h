/*
 * event.h -- eventfds: how threads, KVM and the loop tell each other that there is something.
 */
#ifndef STROWGER_VMM_EVENT_H
#define STROWGER_VMM_EVENT_H

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A descriptor, or -1 and errno. */
static inline int event_make(void)
{
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static inline void event_signal(int fd)
{
    static const uint64_t one = 1;

    (void)!write(fd, &one, sizeof(one));
}

/* It is not readable any more. */
static inline void event_clear(int fd)
{
    uint64_t count;

    (void)!read(fd, &count, sizeof(count));
}

static inline void event_free(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

#endif
