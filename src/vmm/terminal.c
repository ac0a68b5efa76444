/*
 * terminal.c -- see terminal.h. One per process.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/base.h"
#include "vmm/event.h"
#include "vmm/terminal.h"

#define ESCAPE  0x1d /* Ctrl-] */
#define PIECE   4096u
#define LAST_MS 1000 /* for what is left to be written at the end */

static struct {
    struct serial *serial;
    void (*escape)(void);
    struct termios before;
    bool is_raw;
    uv_poll_t in, out, wake;
    bool waits_for_out;
    bool out_is_file;  /* always takes more; can not be polled */
    size_t begin, end; /* of what waits in `piece` */
    uint8_t piece[PIECE];
    uint8_t typed[PIECE];
    size_t typed_len;
} terminal;

/* ---- output ---- */

static void on_out(uv_poll_t *watch, int status, int events);

static void wait_for_out(bool on)
{
    if (on == terminal.waits_for_out || terminal.out_is_file)
        return;
    if (on)
        (void)uv_poll_start(&terminal.out, UV_WRITABLE, on_out);
    else
        uv_poll_stop(&terminal.out);
    terminal.waits_for_out = on;
}

/* Writes until there is no more, or no room. */
static void write_out(void)
{
    for (;;) {
        ssize_t n;

        if (terminal.begin == terminal.end) {
            terminal.begin = 0;
            terminal.end = serial_take(terminal.serial, terminal.piece, PIECE);
            if (terminal.end == 0)
                break;
        }
        n = write(STDOUT_FILENO, terminal.piece + terminal.begin, terminal.end - terminal.begin);
        if (n < 0 && errno == EAGAIN) {
            wait_for_out(true);
            return;
        }
        if (n < 0 && errno != EINTR)
            terminal.begin = terminal.end; /* nobody is there to read it */
        if (n > 0)
            terminal.begin += (size_t)n;
    }
    wait_for_out(false);
}

static void on_out(uv_poll_t *watch, int status, int events)
{
    (void)watch;
    (void)status;
    (void)events;
    write_out();
}

/* ---- input ---- */

static void on_in(uv_poll_t *watch, int status, int events);

/* What was typed goes to the guest as far as it has room; the rest waits, and no more is read. */
static void type(void)
{
    size_t n = serial_put(terminal.serial, terminal.typed, terminal.typed_len);

    memmove(terminal.typed, terminal.typed + n, terminal.typed_len - n);
    terminal.typed_len -= n;
    if (terminal.typed_len)
        uv_poll_stop(&terminal.in);
    else
        (void)uv_poll_start(&terminal.in, UV_READABLE, on_in);
}

static void on_in(uv_poll_t *watch, int status, int events)
{
    ssize_t n = read(STDIN_FILENO, terminal.typed, PIECE);
    uint8_t *escape;

    (void)status;
    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) { /* no more will come */
        uv_poll_stop(watch);
        return;
    }
    escape = terminal.is_raw ? memchr(terminal.typed, ESCAPE, (size_t)n) : NULL;
    terminal.typed_len = escape ? (size_t)(escape - terminal.typed) : (size_t)n;
    type();
    if (escape)
        terminal.escape();
}

static void on_wake(uv_poll_t *watch, int status, int events)
{
    (void)watch;
    (void)status;
    (void)events;
    event_clear(terminal.serial->wake);
    write_out();
    if (terminal.typed_len)
        type();
}

/* ---- the terminal itself ---- */

static void set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static void make_raw(void)
{
    struct termios raw;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &terminal.before) < 0)
        return;
    raw = terminal.before;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST; /* our own lines go to the same terminal */
    terminal.is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

int terminal_open(struct serial *serial, void (*escape)(void))
{
    int err;

    terminal.serial = serial;
    terminal.escape = escape;
    if ((err = uv_poll_init(loop_uv(), &terminal.wake, serial->wake)) < 0 ||
        (err = uv_poll_start(&terminal.wake, UV_READABLE, on_wake)) < 0)
        return err;
    make_raw();
    set_nonblocking(STDOUT_FILENO);
    terminal.out_is_file = uv_poll_init(loop_uv(), &terminal.out, STDOUT_FILENO) < 0;
    if (uv_poll_init(loop_uv(), &terminal.in, STDIN_FILENO) == 0) { /* a file has no keys */
        set_nonblocking(STDIN_FILENO);
        (void)uv_poll_start(&terminal.in, UV_READABLE, on_in);
    }
    return 0;
}

void terminal_close(void)
{
    uint64_t until_ms = loop_now_ms() + LAST_MS;

    if (!terminal.serial)
        return;
    do {
        write_out();
        if (terminal.waits_for_out)
            (void)poll(&(struct pollfd){STDOUT_FILENO, POLLOUT, 0}, 1, 100);
    } while (terminal.waits_for_out && clock_now_us() / 1000 < until_ms);
    wait_for_out(false);
    if (terminal.is_raw)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal.before);
    terminal.serial = NULL;
}
