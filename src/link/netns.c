/*
 * netns.c -- see netns.h: namespaces as descriptors, and what is done inside one by other means
 * than rtnetlink.
 *
 * To do something in another namespace a thread goes there (setns(2)) and comes back; sockets keep
 * the namespace they were made in, so a visit is enough to open a door. If the way back fails the
 * process would go on in the wrong network: that ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "link/netns.h"

static int loopback_up(void)
{
    struct netlink nl;

    int err = netlink_open(&nl, -1);
    if (err < 0)
        return err;
    err = netlink_set_up(&nl, "lo");
    netlink_close(&nl);
    return err;
}

/* ---- becoming root ---- */

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, text, strlen(text));
    int err = n < 0 ? -errno : 0;
    close(fd);
    return err;
}

int netns_become_root(void)
{
    char map[64];
    uid_t user = geteuid();
    gid_t group = getegid();

    /* The host's network is out of reach from in there: to be able to come home, take a home along.
     */
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return -errno;
    int err = write_file("/proc/self/setgroups", "deny"); /* user_namespaces(7): before gid_map */
    if (err < 0 && err != -ENOENT)
        return err;
    snprintf(map, sizeof(map), "0 %u 1", user);
    if ((err = write_file("/proc/self/uid_map", map)) < 0)
        return err;
    snprintf(map, sizeof(map), "0 %u 1", group);
    if ((err = write_file("/proc/self/gid_map", map)) < 0)
        return err;
    return loopback_up();
}

bool netns_allowed(void)
{
    int fd = netns_new();

    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* ---- namespaces ---- */

int netns_current(void)
{
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* An ordinary user may not enter the namespace he is in already, so that is looked at first. */
int netns_enter(int netns)
{
    struct stat here, there;

    if (stat("/proc/thread-self/ns/net", &here) == 0 && fstat(netns, &there) == 0 &&
        here.st_ino == there.st_ino && here.st_dev == there.st_dev)
        return 0;
    return setns(netns, CLONE_NEWNET) < 0 ? -errno : 0;
}

static void come_back(int home)
{
    if (netns_enter(home) < 0) {
        log_error("netns: no way back to the namespace we came from: %s", strerror(errno));
        abort();
    }
    close(home);
}

int netns_call(int netns, int (*function)(void *argument), void *argument)
{
    if (netns < 0)
        return function(argument);
    int home = netns_current();
    if (home < 0)
        return home;
    int err = netns_enter(netns);
    if (err < 0) {
        close(home);
        return err;
    }
    int result = function(argument);
    come_back(home);
    return result;
}

int netns_new(void)
{
    int home = netns_current();

    if (home < 0)
        return home;
    if (unshare(CLONE_NEWNET) < 0) {
        int err = -errno;
        close(home);
        return err;
    }
    int fd = netns_current();
    int err = loopback_up();
    come_back(home);
    if (err < 0 && fd >= 0) {
        close(fd);
        return err;
    }
    return fd;
}

int netns_named(const char *name)
{
    const char *at = getenv(NETNS_ENVIRONMENT);
    size_t len = strlen(name);

    while (at && *at) {
        if (strncmp(at, name, len) == 0 && at[len] == '=') {
            char *end;
            long fd = strtol(at + len + 1, &end, 10);
            bool number = end != at + len + 1 && (*end == '\0' || *end == ',');
            return number && fd >= 0 && fd < 1 << 20 && fcntl((int)fd, F_GETFD) >= 0 ? (int)fd
                                                                                     : -ENOENT;
        }
        at = strchr(at, ',');
        at = at ? at + 1 : NULL;
    }
    return -ENOENT;
}

/* ---- inside ---- */

static int checksum_offload_off(void *argument)
{
    const char *name = argument;
    struct ethtool_value value = {.cmd = ETHTOOL_STXCSUM, .data = 0};
    struct ifreq request = {.ifr_data = (void *)&value};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err = 0;

    if (fd < 0)
        return -errno;
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (ioctl(fd, SIOCETHTOOL, &request) < 0)
        err = -errno;
    close(fd);
    return err;
}

int netns_checksum_offload_off(int netns, const char *name)
{
    return netns_call(netns, checksum_offload_off, (void *)(uintptr_t)name);
}

struct sysctl {
    const char *name, *value;
};

static int write_sysctl(void *argument)
{
    const struct sysctl *s = argument;
    char path[256];
    int n = snprintf(path, sizeof(path), "/proc/sys/%s", s->name);

    return n >= (int)sizeof(path) ? -ENAMETOOLONG : write_file(path, s->value);
}

int netns_sysctl(int netns, const char *name, const char *value)
{
    struct sysctl s = {name, value};

    return netns_call(netns, write_sysctl, &s);
}

/* A descriptor from which the text can be read. */
static int text_descriptor(const char *text)
{
    size_t len = strlen(text);
    int fd = memfd_create("script", MFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0) {
        close(fd);
        return -EIO;
    }
    return fd;
}

static int run_nft(void *argument)
{
    /* sbin is not on an ordinary user's path */
    static const char *const places[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft"};
    char *arguments[] = {(char *)"nft", (char *)"-f", (char *)"-", NULL};
    extern char **environ;
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = 0, err = ENOENT;

    int script = text_descriptor(argument);
    if (script < 0)
        return script;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
    for (size_t i = 0; i < sizeof(places) / sizeof(*places) && err == ENOENT; i++)
        err = posix_spawn(&pid, places[i], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(script);
    if (err != 0)
        return -err;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EINVAL;
}

int netns_nft(int netns, const char *script)
{
    return netns_call(netns, run_nft, (void *)(uintptr_t)script);
}
