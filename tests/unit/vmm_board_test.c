/*
 * vmm_board_test.c -- serial port, clock and power, as a guest's driver would use them.
 */
#include "unit.h"

#include <poll.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "vmm/board.h"
#include "vmm/event.h"
#include "vmm/serial.h"

static struct bus ports;
static struct serial serial;
static struct board board;

static int set_up(void **state)
{
    (void)state;
    ports.count = 0;
    return serial_make(&serial) < 0 || board_make(&board) < 0 || serial_add(&serial, &ports) < 0 ||
           board_add(&board, &ports) < 0;
}

static int tear_down(void **state)
{
    (void)state;
    serial_free(&serial);
    board_free(&board);
    return 0;
}

static uint8_t in(uint64_t port)
{
    uint8_t data;

    bus_access(&ports, port, &data, 1, false);
    return data;
}

static void out(uint64_t port, uint8_t data)
{
    bus_access(&ports, port, &data, 1, true);
}

static bool told(int fd)
{
    bool is = poll(&(struct pollfd){fd, POLLIN, 0}, 1, 0) == 1;

    event_clear(fd);
    return is;
}

enum { COM = SERIAL_PORT };

static void characters_go_out(void **state)
{
    uint8_t got[16];

    (void)state;
    for (const char *c = "hello"; *c; c++) {
        assert_int_equal(in(COM + 5) & 0x20, 0x20);
        out(COM, (uint8_t)*c);
    }
    assert_true(told(serial.wake));
    assert_false(told(serial.irq)); /* nobody asked for interrupts */
    assert_int_equal(serial_take(&serial, got, sizeof(got)), 5);
    assert_memory_equal(got, "hello", 5);
}

static void characters_come_in(void **state)
{
    (void)state;
    out(COM + 1, 1);
    assert_int_equal(serial_put(&serial, (const uint8_t *)"ab", 2), 2);
    assert_true(told(serial.irq));
    assert_int_equal(in(COM + 2) & 0xf, 4);
    assert_int_equal(in(COM + 5) & 1, 1);
    assert_int_equal(in(COM), 'a');
    assert_true(told(serial.irq)); /* there is another */
    assert_int_equal(in(COM), 'b');
    assert_false(told(serial.irq));
    assert_int_equal(in(COM + 5) & 1, 0);
    assert_int_equal(in(COM + 2) & 0xf, 1);
}

static void an_empty_transmitter_interrupts_once(void **state)
{
    (void)state;
    out(COM + 1, 2);
    assert_true(told(serial.irq));
    assert_int_equal(in(COM + 2) & 0xf, 2);
    assert_int_equal(in(COM + 2) & 0xf, 1); /* asking takes it away */
    out(COM, 'x');
    assert_true(told(serial.irq));
}

static void a_slow_reader_holds_the_guest_up(void **state)
{
    uint8_t got[SERIAL_ROOM];
    unsigned sent = 0;

    (void)state;
    while (in(COM + 5) & 0x20) {
        out(COM, (uint8_t)sent++);
        assert_true(sent <= SERIAL_ROOM);
    }
    assert_int_equal(sent, SERIAL_ROOM);
    out(COM, 0xee); /* lost, as it was not asked for */
    out(COM + 1, 2);
    assert_false(told(serial.irq));
    assert_int_equal(serial_take(&serial, got, 1), 1);
    assert_true(told(serial.irq));
    assert_int_equal(in(COM + 5) & 0x20, 0x20);
    assert_int_equal(serial_take(&serial, got, sizeof(got)), SERIAL_ROOM - 1);
    assert_int_equal(got[SERIAL_ROOM - 2], (uint8_t)(SERIAL_ROOM - 1));
}

static void a_guest_that_does_not_read_holds_the_sender_up(void **state)
{
    static uint8_t many[SERIAL_ROOM + 10];

    (void)state;
    assert_int_equal(serial_put(&serial, many, sizeof(many)), SERIAL_ROOM);
    assert_int_equal(serial_put(&serial, many, 1), 0);
    event_clear(serial.wake);
    (void)in(COM);
    assert_true(told(serial.wake));
    assert_int_equal(serial_put(&serial, many, 2), 1);
}

static void a_driver_finds_a_16550(void **state)
{
    (void)state;
    out(COM + 3, 0x80); /* divisor */
    out(COM, 1);
    out(COM + 1, 2);
    assert_int_equal(in(COM), 1);
    assert_int_equal(in(COM + 1), 2);
    out(COM + 3, 3);
    assert_int_equal(in(COM + 1), 0);
    out(COM + 7, 0x5a);
    assert_int_equal(in(COM + 7), 0x5a);
    out(COM + 2, 1);
    assert_int_equal(in(COM + 2) & 0xc0, 0xc0);
    out(COM + 4, 0x1a); /* loopback: the 8250 driver's test */
    assert_int_equal(in(COM + 6) & 0xf0, 0x90);
    out(COM, 'l');
    assert_int_equal(in(COM), 'l');
}

static void the_clock_is_the_hosts(void **state)
{
    struct tm t = {.tm_isdst = 0};
    time_t told_time;
    static const struct {
        uint8_t index;
        size_t at;
        int less;
    } parts[] = {{0, offsetof(struct tm, tm_sec), 0},  {2, offsetof(struct tm, tm_min), 0},
                 {4, offsetof(struct tm, tm_hour), 0}, {7, offsetof(struct tm, tm_mday), 0},
                 {8, offsetof(struct tm, tm_mon), 1},  {9, offsetof(struct tm, tm_year), -100}};

    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        uint8_t bcd;

        out(0x70, parts[i].index | 0x80);
        bcd = in(0x71);
        *(int *)(void *)((char *)&t + parts[i].at) = (bcd >> 4) * 10 + (bcd & 15) - parts[i].less;
    }
    told_time = timegm(&t);
    assert_in_range(time(NULL) - told_time + 61, 0, 122); /* a minute may have turned meanwhile */
    out(0x70, 0x0b);
    assert_int_equal(in(0x71), 2);
}

static void power_and_resets_are_asked_for(void **state)
{
    (void)state;
    out(POWER_PORT, 0x20 | 3 << 2); /* another sleep than the one that is offered */
    assert_int_equal(board_take_event(&board), BOARD_NOTHING);
    out(POWER_PORT, 0x20 | 5 << 2);
    assert_true(poll(&(struct pollfd){board.event_fd, POLLIN, 0}, 1, 0) == 1);
    assert_int_equal(board_take_event(&board), BOARD_OFF);
    assert_int_equal(board_take_event(&board), BOARD_NOTHING);
    out(POWER_PORT + POWER_RESET, 1);
    assert_int_equal(board_take_event(&board), BOARD_RESET);
    out(0x64, 0xfe);
    assert_int_equal(board_take_event(&board), BOARD_RESET);
    out(0xcf9, 6);
    assert_int_equal(board_take_event(&board), BOARD_RESET);
    assert_int_equal(in(0x64), 0);
    out(0x80, 0x12);
}

static void the_guest_hears_of_notices_once(void **state)
{
    (void)state;
    board_notify(&board, BOARD_BUTTON);
    board_notify(&board, BOARD_GENERATION);
    assert_true(told(board.irq));
    assert_int_equal(in(POWER_PORT + 3), BOARD_BUTTON | BOARD_GENERATION);
    assert_int_equal(in(POWER_PORT + 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(characters_go_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(characters_come_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_transmitter_interrupts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slow_reader_holds_the_guest_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_guest_that_does_not_read_holds_the_sender_up, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_driver_finds_a_16550, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_clock_is_the_hosts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(power_and_resets_are_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_guest_hears_of_notices_once, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
