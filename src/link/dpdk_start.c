/*
 * dpdk_start.c -- starting DPDK's environment (EAL), once for the process (dpdk_device.h).
 *
 * What it would do of itself and we do not want: bind this thread to a core, start a thread for
 * each other core, take every device that is bound to vfio, open a telemetry socket, and talk.
 */
#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "link/dpdk_device.h"

#define ARGUMENTS_MOST 64

const bool dpdk_is_built = true;

static struct {
    bool tried;
    int result;
} environment;

/* Ours are left out where the user's own say something of the same. */
static const struct {
    const char *unless[8]; /* prefixes */
    const char *argument;
} ours[] = {
    {{"-a", "--allow", "-b", "--block", "--no-pci"}, "--allow=0000:00:00.0"}, /* none */
    {{"--telemetry", "--no-telemetry"}, "--no-telemetry"},
    {{"--file-prefix", "--in-memory", "--no-shconf"}, "--no-shconf"}, /* files that are left */
    {{"--file-prefix", "--in-memory", "--huge-unlink", "--no-huge"}, "--in-memory"},
};

static bool begins_with_one_of(const char *text, const char *const *prefixes)
{
    for (; *prefixes; prefixes++)
        if (strncmp(text, *prefixes, strlen(*prefixes)) == 0)
            return true;
    return false;
}

static bool says(const char *const *arguments, size_t count, const char *const *prefixes)
{
    for (size_t i = 0; i < count; i++)
        if (begins_with_one_of(arguments[i], prefixes))
            return true;
    return false;
}

/* The first core that this thread may run on: its only one in DPDK's eyes. */
static int first_core(const cpu_set_t *cores)
{
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, cores))
            return i;
    return 0;
}

/* EAL keeps what it is given, and puts argv into another order. */
static struct {
    char *texts[ARGUMENTS_MOST + 8], *argv[ARGUMENTS_MOST + 9];
    int count;
} words;

static void say(const char *text)
{
    char *copy = strdup(text);

    if (copy)
        words.argv[words.count] = words.texts[words.count] = copy;
    words.count += copy != NULL;
}

static int start(const char *const *arguments, size_t count, const cpu_set_t *cores)
{
    static const char *const about_cores[] = {"-l", "-c", "--lcores", NULL};
    char lcores[32];

    if (count > ARGUMENTS_MOST)
        return -E2BIG;
    say("strowger");
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (!says(arguments, count, ours[i].unless))
            say(ours[i].argument);
    snprintf(lcores, sizeof(lcores), "--lcores=0@%d", first_core(cores));
    if (!says(arguments, count, about_cores))
        say(lcores);
    for (size_t i = 0; i < count; i++)
        say(arguments[i]);
    rte_log_set_global_level(RTE_LOG_WARNING);
    if (rte_eal_init(words.count, words.argv) >= 0)
        return 0;
    return rte_errno ? -rte_errno : -EIO;
}

static void end(void)
{
    (void)rte_eal_cleanup();
}

int dpdk_start(const char *const *arguments, size_t count)
{
    cpu_set_t cores;

    if (environment.tried)
        return environment.result;
    environment.tried = true;
    CPU_ZERO(&cores);
    (void)sched_getaffinity(0, sizeof(cores), &cores);
    environment.result = start(arguments, count, &cores);
    (void)sched_setaffinity(0, sizeof(cores), &cores);
    if (environment.result < 0)
        log_error("dpdk: it does not start: %s (its own words are above; huge pages? see "
                  "docs/switch.md)",
                  strerror(-environment.result));
    else
        (void)atexit(end);
    return environment.result;
}
