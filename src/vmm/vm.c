/*
 * vm.c -- strowger vm: runs a virtual machine in this process.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/table.h"
#include "vmm/machine.h"
#include "vmm/terminal.h"
#include "vmm/vm_control.h"
#include "vmm/vmm.h"

enum { EXIT_OFF = 0, EXIT_FAILURE_OF_GUEST = 1, EXIT_USAGE = 2 };

static void print_help(FILE *to)
{
    fprintf(
        to,
        "strowger vm: virtual machines on KVM.\n\n"
        "Usage: strowger vm run KEY=VALUE ...      a machine described here\n"
        "       strowger vm run -c FILE            or by the section vm: of a file\n"
        "       strowger vm list                   those that run\n"
        "       strowger vm stats NAME             processors and devices of one\n"
        "       strowger vm pause|resume NAME      it stands still, and goes on\n"
        "       strowger vm stop [--force] NAME    presses its power button; or pulls the plug\n"
        "       strowger vm reset NAME\n"
        "       strowger vm --reference            every key, its default, what it means\n\n"
        "The guest's serial port is this terminal; Ctrl-] ends the machine.\n"
        "--json with list, stats and the others: for machines.\n\n"
        "Examples:\n"
        "  strowger vm run kernel=/boot/vmlinuz initrd=/boot/initrd.img memory=1G cpus=2\n"
        "  strowger vm run kernel=bzImage initrd=rootfs.cpio net=tap0 "
        "command_line=\"console=ttyS0 quiet\"\n");
}

static int print_reference(void)
{
    static char buffer[16384];
    struct text t = text_in(buffer, sizeof(buffer));

    config_print_reference(&vm_config_schema, &t);
    fputs(buffer, stdout);
    return 0;
}

/* ---- run ---- */

static struct machine machine;

static void on_end(struct machine *m, enum machine_end how)
{
    (void)m;
    loop_stop(how == MACHINE_OFF ? EXIT_OFF : EXIT_FAILURE_OF_GUEST);
}

static void stop_now(void)
{
    loop_stop(EXIT_OFF);
}

/* The first asks the guest to switch itself off, the second does not wait for that. */
static void on_signal(uv_signal_t *signal, int number)
{
    static unsigned times;

    (void)signal;
    (void)number;
    if (times++ == 0 && machine.state == MACHINE_RUNNING)
        machine_press_button(&machine);
    else
        loop_stop(EXIT_OFF);
}

static void watch_signals(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    static uv_signal_t signals[3];

    for (unsigned i = 0; i < 3; i++)
        if (uv_signal_init(loop_uv(), &signals[i]) == 0)
            (void)uv_signal_start(&signals[i], on_signal, numbers[i]);
    signal(SIGPIPE, SIG_IGN);
}

/* The guest runs already; whoever wants to speak to us can wait that long. */
static int run_loop(void)
{
    int result, err = vm_control_open(&machine, stop_now);

    if (err < 0) {
        snprintf(machine.why, sizeof(machine.why), "%s",
                 err == -EADDRINUSE ? "a VM of this name runs already (choose another: name=...)"
                                    : strerror(-err));
        return EXIT_FAILURE_OF_GUEST;
    }
    result = loop_run();
    vm_control_close();
    return result;
}

static int run_machine(const struct vm_config *config)
{
    int result = EXIT_FAILURE_OF_GUEST;

    log_init(config->name, LOG_INFO);
    if (loop_init() < 0)
        return result;
    machine.ended = on_end;
    if (machine_make(&machine, config) == 0) {
        machine.ended = on_end;
        watch_signals();
        if (terminal_open(&machine.serial, stop_now) == 0 && machine_start(&machine) == 0)
            result = run_loop();
        terminal_close();
    }
    if (machine.why[0])
        fprintf(stderr, "strowger: %s: %s\n", config->name, machine.why);
    machine_free(&machine);
    loop_free();
    return result;
}

static int run_main(int argc, char **argv)
{
    const char *file = NULL;
    struct vm_config config;
    struct config *loaded;
    int result;

    if (argc > 2 && strcmp(argv[1], "-c") == 0) {
        file = argv[2];
        argc -= 2;
        argv += 2;
    }
    if (!file && argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (!(loaded = vm_config_load(file, argc - 1, argv + 1, &config)))
        return EXIT_USAGE;
    result = run_machine(&config);
    config_free(loaded);
    return result;
}

/* ---- those that run ---- */

static const struct verb {
    const char *name, *method, *target, *forced;
} verbs[] = {
    {"pause", "POST", "/vm/pause", NULL},    {"resume", "POST", "/vm/resume", NULL},
    {"reset", "POST", "/vm/reset", NULL},    {"stop", "POST", "/vm/stop", "/vm/stop?force=true"},
    {"stats", "GET", "/vm?what=cpus", NULL}, {"stats", "GET", "/vm?what=devices", NULL},
};

static int show(json_t *answer, bool as_json)
{
    if (!answer)
        return EXIT_FAILURE_OF_GUEST;
    if (as_json)
        json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
    else
        table_print(stdout, answer, table_style_of(stdout));
    if (as_json)
        putchar('\n');
    json_decref(answer);
    return 0;
}

struct asked {
    const char *name; /* of the VM */
    bool as_json, force;
};

static bool read_asked(int argc, char **argv, struct asked *asked)
{
    *asked = (struct asked){NULL, false, false};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            asked->as_json = true;
        else if (strcmp(argv[i], "--force") == 0)
            asked->force = true;
        else if (argv[i][0] == '-' || asked->name)
            return false;
        else
            asked->name = argv[i];
    }
    return true;
}

/* The verbs for VMs that run; -1: it is none of them. */
static int tool_main(int argc, char **argv)
{
    struct asked asked;
    int result = -1;

    if (!read_asked(argc, argv, &asked))
        return -1;
    if (strcmp(argv[0], "list") == 0 && !asked.name)
        return show(vm_control_list(), asked.as_json);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        const struct verb *v = &verbs[i];

        if (strcmp(argv[0], v->name) != 0 || !asked.name)
            continue;
        result = show(
            vm_control_ask(asked.name, v->method, asked.force && v->forced ? v->forced : v->target),
            asked.as_json);
        if (result != 0)
            break;
    }
    return result;
}

int vm_main(int argc, char **argv)
{
    int result;

    if (argc > 1 && strcmp(argv[1], "run") == 0)
        return run_main(argc - 1, argv + 1);
    if (argc > 1 && (result = tool_main(argc - 1, argv + 1)) >= 0)
        return result;
    if (argc > 1 && strcmp(argv[1], "--reference") == 0)
        return print_reference();
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (argc > 1)
        fprintf(stderr, "strowger vm: '%s' is not used like that\n\n", argv[1]);
    print_help(stderr);
    return EXIT_USAGE;
}
