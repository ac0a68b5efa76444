/*
 * rig_agent.c -- runs commands in a test's machine (tests/rig.py): it reads frames from a channel
 * (a virtio serial port, or a socket it was started with), starts `sh -c COMMAND` for each START,
 * and sends what the command prints and how it ended. Many commands run at once over the one
 * channel. It is linked statically and is the first program of the emulated machine, so it also
 * waits for processes that lost their parent.
 *
 * A frame is a head of three little-endian 32-bit numbers (job, type, length) and `length` bytes:
 *
 *   to the agent     START  a command for /bin/sh; the job's number is the sender's choice
 *                    INPUT  bytes for the command's standard input; none: the end of it
 *                    KILL   a signal (32 bits) for the command and all that it started
 *   from the agent   OUTPUT what the command printed (standard output and error are one)
 *                    EXIT   32 bits: the exit code, or 128 + the signal that ended it
 *                    HELLO  after the start (job 0)
 *
 * While a command has not taken its input, no more is read from the channel. One thread; any
 * failure of the channel ends the agent.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START = 1, INPUT, KILL, OUTPUT, EXIT, HELLO };
enum { JOBS = 256, PART = 64 << 10, FRAME_MAX = 1 << 20 };

struct head {
    uint32_t job, type, length;
};

static struct job {
    bool used, running;
    uint32_t number;
    pid_t pid;
    int input, output; /* our ends of the pipes, or -1 */
    char
        *pending; /* input the command has not taken, of which `done` bytes of `size` are written */
    size_t size, done;
} jobs[JOBS];

static int channel;
static int children; /* a signalfd: readable when a child has ended */

static void fail(const char *what)
{
    fprintf(stderr, "rig_agent: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void wait_until(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};

    poll(&one, 1, 1000);
}

static void write_all(const void *data, size_t size)
{
    for (const char *at = data; size;) {
        ssize_t n = write(channel, at, size);

        if (n < 0 && errno == EAGAIN) {
            wait_until(channel, POLLOUT);
        } else if (n < 0 && errno != EINTR) {
            fail("the channel cannot be written");
        } else if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
}

/* A virtio serial port says "end of file" while nobody has its other end: then there is nothing
 * left to do. */
static void read_all(void *data, size_t size)
{
    for (char *at = data; size;) {
        ssize_t n = read(channel, at, size);

        if (n < 0 && errno == EAGAIN) {
            wait_until(channel, POLLIN);
        } else if (n == 0 || (n < 0 && errno != EINTR)) {
            fail("the channel cannot be read");
        } else if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
}

static void send_frame(uint32_t job, uint32_t type, const void *data, uint32_t length)
{
    static char frame[sizeof(struct head) + PART];
    struct head head = {job, type, length};

    memcpy(frame, &head, sizeof(head));
    memcpy(frame + sizeof(head), data, length);
    write_all(frame, sizeof(head) + length);
}

static struct job *find(uint32_t number)
{
    for (size_t i = 0; i < JOBS; i++)
        if (jobs[i].used && jobs[i].number == number)
            return &jobs[i];
    return NULL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- what the sender asks ---- */

static void run_child(const char *command, const int in[2], const int out[2])
{
    sigset_t none;

    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(in[0], 0);
    dup2(out[1], 1);
    dup2(out[1], 2);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static void start(uint32_t number, const char *command)
{
    struct job *j = NULL;
    int in[2], out[2];
    uint32_t failed = 126;

    for (size_t i = 0; i < JOBS && !j; i++)
        if (!jobs[i].used)
            j = &jobs[i];
    if (!j || pipe2(in, O_CLOEXEC) < 0) {
        send_frame(number, EXIT, &failed, sizeof(failed));
        return;
    }
    if (pipe2(out, O_CLOEXEC) < 0)
        fail("no pipe");
    *j = (struct job){
        .used = true, .running = true, .number = number, .input = in[1], .output = out[0]};
    j->pid = fork();
    if (j->pid < 0)
        fail("no process");
    if (j->pid == 0)
        run_child(command, in, out);
    setpgid(j->pid, j->pid); /* here too: a KILL may come before the child has run */
    close(in[0]);
    close(out[1]);
    fcntl(j->input, F_SETFL, O_NONBLOCK);
    fcntl(j->output, F_SETFL, O_NONBLOCK);
}

static void feed(struct job *j)
{
    ssize_t n = write(j->input, j->pending + j->done, j->size - j->done);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0)
        close_fd(&j->input);
    else
        j->done += (size_t)n;
    if (n < 0 || j->done == j->size) {
        free(j->pending);
        j->pending = NULL;
    }
}

static void kill_job(const struct job *j, int number)
{
    if (j->running)
        kill(-j->pid, number);
}

static void take_frame(void)
{
    struct head head;
    char *data;
    struct job *j;

    read_all(&head, sizeof(head));
    if (head.length > FRAME_MAX)
        fail("a frame is too long");
    data = calloc(1, head.length + 4);
    if (!data)
        fail("no memory");
    read_all(data, head.length);
    j = find(head.job);
    if (head.type == START) {
        start(head.job, data);
    } else if (head.type == KILL && j) {
        kill_job(j, *(const int *)(const void *)data);
    } else if (head.type == INPUT && j && j->input >= 0) {
        if (head.length == 0) {
            close_fd(&j->input);
        } else {
            j->pending = data;
            j->size = head.length;
            j->done = 0;
            return;
        }
    }
    free(data);
}

/* ---- what the commands do ---- */

/* Passes on what a command printed; false when there is no more just now. */
static bool pass_output(struct job *j)
{
    char part[PART];
    ssize_t n = read(j->output, part, sizeof(part));

    if (n > 0) {
        send_frame(j->number, OUTPUT, part, (uint32_t)n);
        return true;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_fd(&j->output);
        if (!j->running)
            j->used = false;
    }
    return false;
}

static void take_children(void)
{
    struct signalfd_siginfo drop;
    int status;
    pid_t pid;

    while (read(children, &drop, sizeof(drop)) > 0)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < JOBS; i++) {
            struct job *j = &jobs[i];
            uint32_t code;

            if (!j->used || !j->running || j->pid != pid)
                continue;
            while (j->output >= 0 && pass_output(j))
                ;
            code = WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status)
                                     : 128 + (uint32_t)WTERMSIG(status);
            send_frame(j->number, EXIT, &code, sizeof(code));
            j->running = false;
            close_fd(&j->input);
            free(j->pending);
            j->pending = NULL;
            j->used = j->output >= 0;
        }
    }
}

static void serve_once(void)
{
    struct pollfd fds[2 + 2 * JOBS] = {{.fd = channel, .events = POLLIN},
                                       {.fd = children, .events = POLLIN}};

    for (size_t i = 0; i < JOBS; i++) {
        const struct job *j = &jobs[i];
        bool waits = j->used && j->pending;

        fds[2 + i] = (struct pollfd){.fd = j->used ? j->output : -1, .events = POLLIN};
        fds[2 + JOBS + i] = (struct pollfd){.fd = waits ? j->input : -1, .events = POLLOUT};
        if (waits)
            fds[0].fd = -1;
    }
    if (poll(fds, 2 + 2 * JOBS, -1) < 0)
        return;
    for (size_t i = 0; i < JOBS; i++) {
        if (fds[2 + JOBS + i].revents && jobs[i].pending)
            feed(&jobs[i]);
        if (fds[2 + i].revents && jobs[i].output >= 0)
            pass_output(&jobs[i]);
    }
    if (fds[1].revents)
        take_children();
    if (fds[0].revents)
        take_frame();
}

/* Usage: rig_agent DEVICE | rig_agent NUMBER (of an open file) */
int main(int count, char **words)
{
    sigset_t child;

    if (count != 2)
        return 2;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    signal(SIGPIPE, SIG_IGN);
    children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    channel = words[1][0] == '/' ? open(words[1], O_RDWR | O_CLOEXEC) : dup(atoi(words[1]));
    if (channel < 0 || children < 0)
        fail(words[1]);
    fcntl(channel, F_SETFD, FD_CLOEXEC);
    send_frame(0, HELLO, "", 0);
    for (;;)
        serve_once();
}
