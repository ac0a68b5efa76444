/*
 * restart_counter.c -- see restart_counter.h. The file is one line: "strowger restart counter 1:
 * GTP TIME", where 1 is the version of the format.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "link/restart_counter.h"
#include "wire/pfcp/pfcp.h"

#define FORMAT "strowger restart counter 1: %u %u\n"

/* The values before this start; from the clock when there are none. */
static void read_last(const char *path, uint32_t now, unsigned *gtp, unsigned *pfcp_time_of)
{
    FILE *file = path ? fopen(path, "re") : NULL;

    /* A different one from what a life a second ago would have begun with. */
    *gtp = now;
    *pfcp_time_of = 0;
    if (!file)
        return;
    if (fscanf(file, FORMAT, gtp, pfcp_time_of) != 2) {
        *gtp = now;
        *pfcp_time_of = 0;
    }
    fclose(file);
}

static int write_all(int fd, const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, line, len);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            line += n;
            len -= (size_t)n;
        }
    }
    return fsync(fd) < 0 ? -errno : 0;
}

static int write_next(const char *path, const struct restart_counter *counter)
{
    char temporary[4096], line[80];
    int len = snprintf(line, sizeof(line), FORMAT, counter->gtp, counter->pfcp_time);

    if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int err = write_all(fd, line, (size_t)len);
    close(fd);
    if (err == 0 && rename(temporary, path) < 0)
        err = -errno;
    if (err < 0)
        unlink(temporary);
    return err;
}

int restart_counter_next(const char *path, struct restart_counter *counter)
{
    uint32_t now = pfcp_time(clock_wall_us() / 1000000);
    unsigned gtp, last_time;

    read_last(path, now, &gtp, &last_time);
    counter->gtp = (uint8_t)(gtp + 1);
    counter->pfcp_time = now;
    if (last_time != 0 && (int32_t)(now - last_time) <= 0)
        counter->pfcp_time = last_time + 1;
    return path ? write_next(path, counter) : 0;
}
