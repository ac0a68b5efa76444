/*
 * command.c -- runs a program as somebody else sees the network: ping in a phone's namespace,
 * iperf3 beyond the gateway.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/inner.h"

struct command {
    uv_poll_t poll;
    struct await ended;
    int pipe;
    char *output;
    size_t len, size;
};

static void on_output(uv_poll_t *poll, int status, int events)
{
    struct command *c = container_of(poll, struct command, poll);
    char room[4096];

    (void)status;
    (void)events;
    ssize_t n = read(c->pipe, room, sizeof(room));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        uv_poll_stop(poll);
        await_deliver(&c->ended, NULL);
        return;
    }
    for (ssize_t i = 0; i < n && c->len + 1 < c->size; i++)
        c->output[c->len++] = room[i];
    if (c->size > 0)
        c->output[c->len] = '\0';
}

static _Noreturn void become(int netns, int output, char *const argv[])
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (netns >= 0 && setns(netns, CLONE_NEWNET) < 0)
        _exit(126);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static void forget(uv_handle_t *handle)
{
    free(container_of((uv_poll_t *)handle, struct command, poll));
}

int command_run(int netns, char *const argv[], int timeout_ms, char *output, size_t size)
{
    int ends[2], status;
    struct command *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        free(c);
        return -errno;
    }
    pid_t child = fork();
    if (child == 0)
        become(netns, ends[1], argv);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        free(c);
        return -EAGAIN;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *c = (struct command){.pipe = ends[0], .output = output, .size = size};
    uv_poll_init(loop_uv(), &c->poll, c->pipe);
    uv_poll_start(&c->poll, UV_READABLE, on_output);
    int err = await(&c->ended, timeout_ms, NULL);
    if (err < 0)
        kill(child, SIGKILL);
    uv_poll_stop(&c->poll);
    close(c->pipe);
    uv_close((uv_handle_t *)&c->poll, forget);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (err < 0)
        return err;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}
