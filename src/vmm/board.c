/*
 * board.c -- see board.h.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "vmm/board.h"
#include "vmm/event.h"

static void ask(struct board *b, enum board_event event)
{
    b->event = event;
    event_signal(b->event_fd);
}

/* ---- clock ---- */

enum { CLOCK_PORT = 0x70, CLOCK_PORTS = 2 };
enum { CLOCK_B_24_HOURS = 2, CLOCK_D_VALID = 0x80 };

static uint8_t bcd(int value)
{
    return (uint8_t)(value / 10 << 4 | value % 10);
}

static uint8_t clock_read(const struct board *b)
{
    time_t now = time(NULL);
    struct tm t;

    gmtime_r(&now, &t);
    switch (b->clock_index) {
    case 0x00:
        return bcd(t.tm_sec);
    case 0x02:
        return bcd(t.tm_min);
    case 0x04:
        return bcd(t.tm_hour);
    case 0x06:
        return bcd(t.tm_wday + 1);
    case 0x07:
        return bcd(t.tm_mday);
    case 0x08:
        return bcd(t.tm_mon + 1);
    case 0x09:
        return bcd(t.tm_year % 100);
    case 0x32:
        return bcd(19 + t.tm_year / 100);
    case 0x0b:
        return CLOCK_B_24_HOURS;
    case 0x0d:
        return CLOCK_D_VALID;
    default:
        return 0;
    }
}

static void on_clock_read(void *device, uint64_t offset, uint8_t *data, unsigned size)
{
    bus_answer(data, size, offset == 1 ? clock_read(device) : 0xff);
}

static void on_clock_write(void *device, uint64_t offset, const uint8_t *data, unsigned size)
{
    struct board *b = device;

    (void)size;
    if (offset == 0)
        b->clock_index = data[0] & 0x7f; /* bit 7 masks NMIs */
}

/* ---- power ---- */

enum { SLEEP_CONTROL, SLEEP_STATUS, RESET = POWER_RESET, NOTICES, POWER_PORTS };
enum { SLEEP_ENABLE = 0x20, SLEEP_TYPE_OFF = 5 };

static void on_power_read(void *device, uint64_t offset, uint8_t *data, unsigned size)
{
    struct board *b = device;
    uint8_t value = 0;

    if (offset == NOTICES) {
        value = b->notices;
        b->notices = 0;
    }
    bus_answer(data, size, value);
}

static void on_power_write(void *device, uint64_t offset, const uint8_t *data, unsigned size)
{
    (void)size;
    if (offset == SLEEP_CONTROL && data[0] & SLEEP_ENABLE && (data[0] >> 2 & 7) == SLEEP_TYPE_OFF)
        ask(device, BOARD_OFF);
    if (offset == RESET && data[0] == 1)
        ask(device, BOARD_RESET);
}

/* ---- other ways to reset a PC ---- */

enum { KEYBOARD_PORT = 0x64, KEYBOARD_RESET = 0xfe };
enum { RESET_CONTROL_PORT = 0xcf9, RESET_CONTROL_CPU = 4 };
enum { DEBUG_PORT = 0x80 };

/* No key was pressed, and there is room for a command. */
static void on_nothing_read(void *device, uint64_t offset, uint8_t *data, unsigned size)
{
    (void)device;
    (void)offset;
    bus_answer(data, size, 0);
}

static void on_keyboard_write(void *device, uint64_t offset, const uint8_t *data, unsigned size)
{
    (void)offset;
    (void)size;
    if (data[0] == KEYBOARD_RESET)
        ask(device, BOARD_RESET);
}

static void on_reset_control_write(void *device, uint64_t offset, const uint8_t *data,
                                   unsigned size)
{
    (void)offset;
    (void)size;
    if (data[0] & RESET_CONTROL_CPU)
        ask(device, BOARD_RESET);
}

static void on_debug_write(void *device, uint64_t offset, const uint8_t *data, unsigned size)
{
    (void)device;
    (void)offset;
    (void)data;
    (void)size;
}

static const struct bus_region regions[] = {
    {.at = CLOCK_PORT, .size = CLOCK_PORTS, .read = on_clock_read, .write = on_clock_write},
    {.at = POWER_PORT, .size = POWER_PORTS, .read = on_power_read, .write = on_power_write},
    {.at = KEYBOARD_PORT, .size = 1, .read = on_nothing_read, .write = on_keyboard_write},
    {.at = RESET_CONTROL_PORT, .size = 1, .read = on_nothing_read, .write = on_reset_control_write},
    {.at = DEBUG_PORT, .size = 1, .read = on_nothing_read, .write = on_debug_write},
};

int board_add(struct board *b, struct bus *ports)
{
    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        struct bus_region region = regions[i];
        int err;

        region.device = b;
        region.lock = &b->lock;
        if ((err = bus_add(ports, &region)) < 0)
            return err;
    }
    return 0;
}

/* ---- outside ---- */

void board_notify(struct board *b, enum board_notice notice)
{
    pthread_mutex_lock(&b->lock);
    b->notices |= (uint8_t)notice;
    event_signal(b->irq);
    pthread_mutex_unlock(&b->lock);
}

enum board_event board_take_event(struct board *b)
{
    enum board_event event;

    pthread_mutex_lock(&b->lock);
    event_clear(b->event_fd);
    event = b->event;
    b->event = BOARD_NOTHING;
    pthread_mutex_unlock(&b->lock);
    return event;
}

void board_reset(struct board *b)
{
    pthread_mutex_lock(&b->lock);
    b->clock_index = b->notices = 0;
    pthread_mutex_unlock(&b->lock);
}

int board_make(struct board *b)
{
    memset(b, 0, sizeof(*b));
    pthread_mutex_init(&b->lock, NULL);
    b->irq = event_make();
    b->event_fd = event_make();
    return b->irq < 0 || b->event_fd < 0 ? -errno : 0;
}

void board_free(struct board *b)
{
    event_free(&b->irq);
    event_free(&b->event_fd);
}
