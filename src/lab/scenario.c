/*
 * scenario.c -- lets phones do things, in steps, and tells how it went.
 *
 * A scenario runs in one fiber, step by step. A step on many phones is done by worker fibers,
 * `window` of them at most, begun at `rate` a second if one is set. What happens is told in lines
 * (each phone while they are few, a summary when they are many), which the control socket hands
 * out: POST /scenario?name=NAME starts one, GET /scenario?after=N gives state and lines. At the end
 * stands a table with one row per step.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

#include "lab/inner.h"

#define FEW_PHONES        16 /* up to here each phone has its line */
#define MAX_LINES         2000
#define LINE_SIZE         200
#define SETUP_WAIT_MS     10000
#define OUTPUT_SIZE       16384
#define PING_EXTRA_MS     5000
#define MAX_FAILURES_TOLD 5

struct result {
    const char *action;
    uint32_t phones, failed;
    uint64_t elapsed_us;
    struct histogram times;
};

struct step {
    const struct lab_step_config *config;
    struct result *result;
    bool *chosen; /* a flag per phone */
    uint32_t chosen_count;
    uint32_t next; /* phone index to look at next */
    uint32_t started;
    uint32_t workers;
    uint64_t start_us;
    struct await all_done;
};

static struct {
    const struct lab_scenario_config *scenario; /* that runs or ran last */
    bool running, ok;
    uint64_t start_us;
    char (*lines)[LINE_SIZE];
    size_t line_count;
    struct result *results;
    size_t result_count;
} run;

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
    va_list args;

    if (!run.lines || run.line_count == MAX_LINES)
        return;
    char *line = run.lines[run.line_count++];
    struct text t = text_in(line, LINE_SIZE);
    text_add(&t, "%7.3f s  ", (double)(clock_now_us() - run.start_us) / 1e6);
    va_start(args, format);
    text_vadd(&t, format, args);
    va_end(args);
}

/* ---- one phone does one thing ---- */

static void tell_failure(const struct step *step, const struct phone *phone, int result)
{
    const char *why = result > 0 ? nas_emm_cause_name((uint8_t)result) : strerror(-result);

    if (step->result->failed <= MAX_FAILURES_TOLD)
        tell("%-16s %s: %s%s", phone->imsi, lab_action_names[step->config->action],
             result > 0 ? "refused: " : "failed: ", why);
}

static void address_text(const struct phone *phone, char *text, size_t size)
{
    char v4[INET_ADDRSTRLEN] = "", v6[INET6_ADDRSTRLEN] = "";

    if (phone->pdn_type != NAS_PDN_IPV6)
        inet_ntop(AF_INET, &phone->ipv4, v4, sizeof(v4));
    if (phone->has_ipv6)
        inet_ntop(AF_INET6, &phone->ipv6, v6, sizeof(v6));
    snprintf(text, size, "%s%s%s", v4, v4[0] && v6[0] ? " " : "", v6);
}

static bool is_ipv6(const char *address)
{
    return strchr(address, ':') != NULL;
}

/* The first "time=" figures of ping's summary line, for people. */
static void ping_times(const char *output, char *text, size_t size)
{
    const char *rtt = strstr(output, "rtt min/avg/max");

    snprintf(text, size, "%.*s", rtt ? (int)strcspn(rtt, "\n") : 0, rtt ? rtt : "");
}

static int ping(int netns, const char *to, uint32_t count, const char *who, bool quiet)
{
    char counts[16], output[2048] = "", times[128];
    char *argv[] = {"ping", is_ipv6(to) ? "-6" : "-4", "-n", "-q", "-i", "0.2", "-W", "5", "-c",
                    counts, (char *)(uintptr_t)to,     NULL};

    snprintf(counts, sizeof(counts), "%u", count);
    int code =
        command_run(netns, argv, (int)(count * 1000 + PING_EXTRA_MS), output, sizeof(output));
    if (code != 0) {
        tell("%-16s ping %s: no answer (%s)", who, to, code < 0 ? strerror(-code) : "loss");
        return code < 0 ? code : -EHOSTUNREACH;
    }
    ping_times(output, times, sizeof(times));
    const char *received = strstr(output, "transmitted, ");
    unsigned answered =
        received ? (unsigned)strtoul(received + strlen("transmitted, "), NULL, 10) : 0;
    if (!quiet || answered < count)
        tell("%-16s ping %s: %u of %u answered, %s", who, to, answered, count, times);
    return answered == count ? 0 : -EHOSTUNREACH;
}

static int ping_from_phone(const struct step *step, struct phone *phone)
{
    const char *to = step->config->to;

    if (!phone->tun || phone->tun->netns < 0 || !to)
        return -ENODEV;
    return ping(phone->tun->netns, to, step->config->count, phone->imsi,
                step->chosen_count > FEW_PHONES);
}

/* Downlink data for an idle phone: the network must page it. */
static int ping_to_phone(const struct step *step, struct phone *phone)
{
    int internet = netns_named("internet");
    char to[INET6_ADDRSTRLEN];
    uint64_t pages = phone->pages, requests = phone->requests;
    bool was_idle = phone->enb_ue_s1ap_id == 0;

    if (internet < 0)
        return internet;
    if (phone->pdn_type == NAS_PDN_IPV6)
        inet_ntop(AF_INET6, &phone->ipv6, to, sizeof(to));
    else
        inet_ntop(AF_INET, &phone->ipv4, to, sizeof(to));
    int err = ping(internet, to, step->config->count, "internet", step->chosen_count > FEW_PHONES);
    if (err != 0 || !was_idle)
        return err;
    if (phone->pages > pages && step->chosen_count <= FEW_PHONES)
        tell("%-16s was paged and answered", phone->imsi);
    /* Unless the phone came back by itself meanwhile, only paging can have found it. */
    if (phone->pages == pages && phone->requests == requests)
        return -ENOMSG;
    return err;
}

static double received_mbps(const char *output)
{
    json_t *json = json_loads(output, 0, NULL);
    json_t *sum = json_object_get(json_object_get(json, "end"), "sum_received");
    double mbps = json_number_value(json_object_get(sum, "bits_per_second")) / 1e6;

    json_decref(json);
    return mbps;
}

static int run_iperf(const struct step *step, struct phone *phone, bool downlink, double *mbps)
{
    char seconds[16];
    char *output = malloc(OUTPUT_SIZE);
    char *argv[] = {"iperf3",
                    "-J",
                    "-c",
                    (char *)(uintptr_t)step->config->to,
                    "-t",
                    seconds,
                    downlink ? "-R" : NULL,
                    NULL};

    if (!output)
        return -ENOMEM;
    output[0] = '\0';
    snprintf(seconds, sizeof(seconds), "%u", step->config->seconds);
    int code =
        command_run(phone->tun->netns, argv, (int)(step->config->seconds * 1000 + PING_EXTRA_MS),
                    output, OUTPUT_SIZE);
    *mbps = received_mbps(output);
    free(output);
    return code < 0 ? code : code > 0 ? -EIO : 0;
}

static void serve_iperf(void *argument)
{
    struct await *ended = argument;
    char output[256];
    char *argv[] = {"iperf3", "-s", "--one-off", NULL};

    /* Two tests: up and down. */
    for (int i = 0; i < 2; i++)
        command_run(netns_named("internet"), argv, 60000, output, sizeof(output));
    await_deliver(ended, NULL);
}

static int measure_throughput(const struct step *step, struct phone *phone)
{
    static struct await served;
    double up, down;

    if (!phone->tun || phone->tun->netns < 0 || !step->config->to)
        return -ENODEV;
    if (!fiber_spawn("iperf3", serve_iperf, &served))
        return -ENOMEM;
    fiber_sleep(200);
    int err = run_iperf(step, phone, false, &up);
    if (err == 0)
        fiber_sleep(200);
    if (err == 0)
        err = run_iperf(step, phone, true, &down);
    if (err == 0)
        tell("%-16s throughput: %.0f Mbit/s up, %.0f Mbit/s down (TCP)", phone->imsi, up, down);
    return err;
}

static int act(const struct step *step, struct phone *phone)
{
    switch ((enum lab_action)step->config->action) {
    case LAB_ATTACH:
        return phone_attach(phone);
    case LAB_DETACH:
        return phone_detach(phone, false);
    case LAB_IDLE:
        return phone_go_idle(phone);
    case LAB_SERVICE_REQUEST:
        return phone_service_request(phone, false);
    case LAB_TAU:
        return phone_tau(phone, true);
    case LAB_MOVE:
        return phone_move(phone);
    case LAB_REBOOT:
        return phone_reboot(phone);
    case LAB_PING:
        return ping_from_phone(step, phone);
    case LAB_PAGE:
        return ping_to_phone(step, phone);
    case LAB_THROUGHPUT:
        return measure_throughput(step, phone);
    default:
        return -ENOSYS;
    }
}

static void tell_success(const struct step *step, const struct phone *phone, uint64_t took_us)
{
    char address[80];

    if (step->chosen_count > FEW_PHONES)
        return;
    if (step->config->action == LAB_ATTACH) {
        address_text(phone, address, sizeof(address));
        tell("%-16s attached at %s: %s in %.1f ms", phone->imsi, phone->enb->config->name, address,
             (double)took_us / 1e3);
    } else if (step->config->action < LAB_PING) {
        tell("%-16s %s in %.1f ms", phone->imsi, lab_action_names[step->config->action],
             (double)took_us / 1e3);
    }
}

/* ---- many phones ---- */

static struct phone *next_phone(struct step *step)
{
    while (step->next < lab.phone_count && !step->chosen[step->next])
        step->next++;
    return step->next < lab.phone_count ? &lab.phones[step->next++] : NULL;
}

/* Holds a worker back until its operation's turn at the wanted rate. */
static void keep_rate(const struct step *step)
{
    if (step->config->rate == 0)
        return;
    uint64_t due_us = step->start_us + (uint64_t)step->started * 1000000u / step->config->rate;
    uint64_t now_us = clock_now_us();
    if (due_us > now_us + 1000)
        fiber_sleep((due_us - now_us) / 1000);
}

static void work(void *argument)
{
    struct step *step = argument;
    struct phone *phone;

    while ((phone = next_phone(step))) {
        keep_rate(step);
        step->started++;
        fiber_set_subject(phone->imsi);
        uint64_t begin_us = clock_now_us();
        int result = act(step, phone);
        uint64_t took_us = clock_now_us() - begin_us;
        bool good = step->config->expect ? result > 0 : result == 0;
        if (good) {
            histogram_observe(&step->result->times, took_us);
            tell_success(step, phone, took_us);
        } else {
            step->result->failed++;
            tell_failure(step, phone, result);
        }
    }
    if (--step->workers == 0)
        await_deliver(&step->all_done, NULL);
}

/* "all" or "1-3,7": numbers from 1, as in the configuration's order. */
static int choose(struct step *step)
{
    const char *p = step->config->phones;

    step->chosen = calloc(lab.phone_count + 1, sizeof(*step->chosen));
    if (!step->chosen)
        return -ENOMEM;
    if (strcmp(p, "all") == 0) {
        memset(step->chosen, true, lab.phone_count);
        step->chosen_count = lab.phone_count;
        return 0;
    }
    while (*p) {
        char *end;
        unsigned long from = strtoul(p, &end, 10), to = from;
        if (end == p)
            return -EINVAL;
        if (*end == '-')
            to = strtoul(end + 1, &end, 10);
        if (from == 0 || to < from || to > lab.phone_count || (*end && *end != ','))
            return -EINVAL;
        for (unsigned long i = from; i <= to; i++) {
            step->chosen_count += !step->chosen[i - 1];
            step->chosen[i - 1] = true;
        }
        p = *end ? end + 1 : end;
    }
    return 0;
}

static void tell_summary(const struct step *step)
{
    const struct result *r = step->result;
    double seconds = (double)r->elapsed_us / 1e6;

    if (r->phones > FEW_PHONES)
        tell("%s: %u phones in %.2f s, %.0f a second, half within %.1f ms, 99%% within %.1f ms, %u "
             "failed",
             r->action, r->phones, seconds, seconds > 0 ? r->phones / seconds : 0,
             (double)histogram_quantile_us(&r->times, 0.5) / 1e3,
             (double)histogram_quantile_us(&r->times, 0.99) / 1e3, r->failed);
}

static int run_step(const struct lab_step_config *config, struct result *result)
{
    struct step step = {.config = config, .result = result, .start_us = clock_now_us()};

    result->action = lab_action_names[config->action];
    if (config->action == LAB_SLEEP) {
        fiber_sleep(config->duration_ms);
        result->elapsed_us = clock_now_us() - step.start_us;
        return 0;
    }
    int err = choose(&step);
    if (err < 0) {
        tell("%s: '%s' names no phones of this lab (1-%u, or all)", result->action, config->phones,
             lab.phone_count);
        free(step.chosen);
        return err;
    }
    /* Tests of throughput measure one phone at a time. */
    uint32_t wanted = config->action == LAB_THROUGHPUT ? 1 : config->window;
    if (wanted > step.chosen_count)
        wanted = step.chosen_count;
    result->phones = step.chosen_count;
    step.workers = wanted + 1; /* one more, so that the last cannot end before all have begun */
    for (uint32_t i = 0; i < wanted; i++) {
        if (!fiber_spawn("worker", work, &step))
            step.workers--;
    }
    if (--step.workers > 0)
        await(&step.all_done, -1, NULL);
    result->elapsed_us = clock_now_us() - step.start_us;
    tell_summary(&step);
    free(step.chosen);
    return result->failed ? -EIO : 0;
}

/* ---- the scenario ---- */

static bool wait_for_enbs(void)
{
    size_t up = 0;

    for (unsigned waited_ms = 0; waited_ms < SETUP_WAIT_MS; waited_ms += 20) {
        up = 0;
        for (size_t i = 0; i < lab.config.enbs.count; i++)
            up += lab.enbs[i].up;
        if (up == lab.config.enbs.count)
            break;
        fiber_sleep(20);
    }
    for (size_t i = 0; i < lab.config.enbs.count; i++)
        tell("%-16s %s%s", lab.enbs[i].config->name,
             lab.enbs[i].up ? "S1 Setup done with MME " : "has no MME", lab.enbs[i].mme_name);
    return up == lab.config.enbs.count;
}

static void tell_table(void)
{
    tell("%s", "");
    tell("%-16s %8s %8s %10s %10s %10s", "step", "phones", "failed", "seconds", "half ms",
         "99% ms");
    for (size_t i = 0; i < run.result_count; i++) {
        const struct result *r = &run.results[i];
        tell("%-16s %8u %8u %10.3f %10.1f %10.1f", r->action, r->phones, r->failed,
             (double)r->elapsed_us / 1e6, (double)histogram_quantile_us(&r->times, 0.5) / 1e3,
             (double)histogram_quantile_us(&r->times, 0.99) / 1e3);
    }
}

static void run_scenario(void *argument)
{
    const struct lab_scenario_config *scenario = argument;

    run.ok = wait_for_enbs();
    for (size_t i = 0; run.ok && i < scenario->steps.count; i++) {
        run.ok = run_step(&scenario->steps.at[i], &run.results[i]) == 0;
        run.result_count = i + 1;
    }
    tell_table();
    tell("%s", run.ok ? "all of it worked" : "NOT all of it worked");
    run.running = false;
}

static const struct lab_scenario_config *find_scenario(const char *name)
{
    for (size_t i = 0; i < lab.config.scenarios.count; i++) {
        if (!name || strcmp(lab.config.scenarios.at[i].name, name) == 0)
            return &lab.config.scenarios.at[i];
    }
    return NULL;
}

static int start_scenario(const struct lab_scenario_config *scenario)
{
    free(run.lines);
    free(run.results);
    run.lines = calloc(MAX_LINES, LINE_SIZE);
    run.results = calloc(scenario->steps.count + 1, sizeof(*run.results));
    run.line_count = run.result_count = 0;
    if (!run.lines || !run.results)
        return -ENOMEM;
    run.scenario = scenario;
    run.running = true;
    run.ok = false;
    run.start_us = clock_now_us();
    if (!fiber_spawn("scenario", run_scenario, (void *)(uintptr_t)scenario)) {
        run.running = false;
        return -ENOMEM;
    }
    return 0;
}

/* ---- the control socket ---- */

static json_t *results_json(void)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < run.result_count; i++) {
        const struct result *r = &run.results[i];
        json_array_append_new(
            rows,
            json_pack("{s:s,s:i,s:i,s:f,s:f,s:f}", "step", r->action, "phones", (int)r->phones,
                      "failed", (int)r->failed, "seconds", (double)r->elapsed_us / 1e6, "half_ms",
                      (double)histogram_quantile_us(&r->times, 0.5) / 1e3, "p99_ms",
                      (double)histogram_quantile_us(&r->times, 0.99) / 1e3));
    }
    return rows;
}

json_t *scenario_state(void)
{
    return json_pack("{s:s,s:b,s:b,s:o}", "scenario", run.scenario ? run.scenario->name : "",
                     "running", run.running, "ok", run.ok, "steps", results_json());
}

static void answer_start(const struct control_request *request, struct control_answer *answer)
{
    const char *name = control_argument(request, "name");
    const struct lab_scenario_config *scenario = find_scenario(name);

    if (!scenario)
        control_refuse(answer, 404, "the lab has no scenario '%s'", name ? name : "");
    else if (run.running)
        control_refuse(answer, 409, "scenario '%s' is still running", run.scenario->name);
    else if (start_scenario(scenario) < 0)
        control_refuse(answer, 503, "out of memory");
    else
        answer->json = json_pack("{s:s,s:s}", "scenario", scenario->name, "about", scenario->about);
}

static void answer_progress(const struct control_request *request, struct control_answer *answer)
{
    const char *after = control_argument(request, "after");
    json_t *lines = json_array();

    for (size_t i = after ? strtoul(after, NULL, 10) : 0; i < run.line_count; i++)
        json_array_append_new(lines, json_string(run.lines[i]));
    answer->json = scenario_state();
    json_object_set_new(answer->json, "lines", lines);
}

const struct control_route scenario_routes[] = {{"POST", "/scenario", answer_start},
                                                {"GET", "/scenario", answer_progress}};
const size_t scenario_route_count = sizeof(scenario_routes) / sizeof(scenario_routes[0]);
