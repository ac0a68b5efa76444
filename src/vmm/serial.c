/*
 * serial.c -- see serial.h. Registers: PC16550D data sheet, table II.
 */
#include <errno.h>
#include <string.h>

#include "vmm/event.h"
#include "vmm/serial.h"

enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCRATCH };
enum { IER_RECEIVED = 1, IER_EMPTY = 2 };
enum { IIR_NONE = 1, IIR_EMPTY = 2, IIR_RECEIVED = 4, IIR_FIFOS = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_IN = 2 };
enum { LCR_DIVISOR = 0x80 };
enum { MCR_LOOPBACK = 0x10 };
enum { LSR_READY = 1, LSR_THR_EMPTY = 0x20, LSR_IDLE = 0x40 };
enum { MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_CARRIER = 0x80 };

static uint32_t used(const struct serial_ring *r)
{
    return r->tail - r->head;
}

static bool push(struct serial_ring *r, uint8_t byte)
{
    if (used(r) == SERIAL_ROOM)
        return false;
    r->at[r->tail++ % SERIAL_ROOM] = byte;
    return true;
}

static uint8_t pop(struct serial_ring *r)
{
    return used(r) ? r->at[r->head++ % SERIAL_ROOM] : 0;
}

/* Which interrupt has precedence now. */
static uint8_t reason(const struct serial *s)
{
    if ((s->ier & IER_RECEIVED) && used(&s->in))
        return IIR_RECEIVED;
    if ((s->ier & IER_EMPTY) && s->thr_empty_pending)
        return IIR_EMPTY;
    return IIR_NONE;
}

static void interrupt(struct serial *s)
{
    if (reason(s) != IIR_NONE)
        event_signal(s->irq);
}

static bool is_full(const struct serial *s)
{
    return used(&s->out) == SERIAL_ROOM;
}

static uint8_t line_status(const struct serial *s)
{
    return (uint8_t)((used(&s->in) ? LSR_READY : 0) | (is_full(s) ? 0 : LSR_THR_EMPTY | LSR_IDLE));
}

static void transmit(struct serial *s, uint8_t byte)
{
    if (s->mcr & MCR_LOOPBACK) {
        (void)push(&s->in, byte);
    } else {
        bool was_empty = used(&s->out) == 0;

        (void)push(&s->out, byte); /* a guest that does not ask for room loses what it writes */
        if (was_empty)
            event_signal(s->wake);
    }
    s->thr_empty_pending = !is_full(s);
    interrupt(s);
}

static uint8_t receive(struct serial *s)
{
    bool was_full = used(&s->in) == SERIAL_ROOM;
    uint8_t byte = pop(&s->in);

    if (was_full)
        event_signal(s->wake);
    interrupt(s); /* there may be more: another edge */
    return byte;
}

static uint8_t identify(struct serial *s)
{
    uint8_t why = reason(s);

    if (why == IIR_EMPTY)
        s->thr_empty_pending = false;
    return (uint8_t)(why | (s->fcr & FCR_ENABLE ? IIR_FIFOS : 0));
}

/* With loopback the outputs of the modem control register are its inputs. */
static uint8_t modem_status(const struct serial *s)
{
    uint8_t out = s->mcr;

    if (!(out & MCR_LOOPBACK))
        return MSR_CTS | MSR_DSR | MSR_CARRIER;
    return (uint8_t)((out & 2) << 3 | (out & 1) << 5 | (out & 4) << 4 | (out & 8) << 4);
}

static uint8_t read_register(struct serial *s, uint64_t offset)
{
    bool divisor = s->lcr & LCR_DIVISOR;

    switch (offset) {
    case DATA:
        return divisor ? (uint8_t)s->divisor : receive(s);
    case IER:
        return divisor ? (uint8_t)(s->divisor >> 8) : s->ier;
    case IIR_FCR:
        return identify(s);
    case LCR:
        return s->lcr;
    case MCR:
        return s->mcr;
    case LSR:
        return line_status(s);
    case MSR:
        return modem_status(s);
    default:
        return s->scratch;
    }
}

static void enable_interrupts(struct serial *s, uint8_t value)
{
    uint8_t risen = (uint8_t)(value & ~s->ier);

    s->ier = value & 0xf;
    if (risen & IER_EMPTY)
        s->thr_empty_pending = !is_full(s);
    if (risen)
        interrupt(s);
}

static void write_register(struct serial *s, uint64_t offset, uint8_t value)
{
    bool divisor = s->lcr & LCR_DIVISOR;

    switch (offset) {
    case DATA:
        if (divisor)
            s->divisor = (uint16_t)((s->divisor & 0xff00) | value);
        else
            transmit(s, value);
        break;
    case IER:
        if (divisor)
            s->divisor = (uint16_t)((s->divisor & 0xff) | value << 8);
        else
            enable_interrupts(s, value);
        break;
    case IIR_FCR:
        s->fcr = value;
        if (value & FCR_CLEAR_IN)
            s->in.head = s->in.tail;
        break;
    case LCR:
        s->lcr = value;
        break;
    case MCR:
        s->mcr = value & 0x1f;
        break;
    case SCRATCH:
        s->scratch = value;
        break;
    default: /* LSR and MSR are not written */
        break;
    }
}

/* Registers are bytes; a wider access is of the first one. */
static void on_read(void *device, uint64_t offset, uint8_t *data, unsigned size)
{
    bus_answer(data, size, read_register(device, offset));
}

static void on_write(void *device, uint64_t offset, const uint8_t *data, unsigned size)
{
    (void)size;
    write_register(device, offset, data[0]);
}

/* ---- outside ---- */

size_t serial_take(struct serial *s, uint8_t *at, size_t size)
{
    size_t n = 0;
    bool was_full;

    pthread_mutex_lock(&s->lock);
    was_full = is_full(s);
    while (n < size && used(&s->out))
        at[n++] = pop(&s->out);
    if (was_full && n) {
        s->thr_empty_pending = true;
        interrupt(s);
    }
    pthread_mutex_unlock(&s->lock);
    return n;
}

size_t serial_put(struct serial *s, const uint8_t *at, size_t size)
{
    size_t n = 0;

    pthread_mutex_lock(&s->lock);
    while (n < size && push(&s->in, at[n]))
        n++;
    if (n)
        interrupt(s);
    pthread_mutex_unlock(&s->lock);
    return n;
}

void serial_reset(struct serial *s)
{
    pthread_mutex_lock(&s->lock);
    s->ier = s->lcr = s->mcr = s->scratch = s->fcr = 0;
    s->divisor = 12;
    s->thr_empty_pending = false;
    s->in.head = s->in.tail;
    pthread_mutex_unlock(&s->lock);
}

int serial_make(struct serial *s)
{
    memset(s, 0, sizeof(*s));
    pthread_mutex_init(&s->lock, NULL);
    s->irq = event_make();
    s->wake = event_make();
    serial_reset(s);
    return s->irq < 0 || s->wake < 0 ? -errno : 0;
}

void serial_free(struct serial *s)
{
    event_free(&s->irq);
    event_free(&s->wake);
}

int serial_add(struct serial *s, struct bus *ports)
{
    return bus_add(ports, &(struct bus_region){.at = SERIAL_PORT,
                                               .size = SERIAL_PORTS,
                                               .read = on_read,
                                               .write = on_write,
                                               .device = s,
                                               .lock = &s->lock});
}
