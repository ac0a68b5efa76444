/*
 * lab.c -- the lab's process: makes the eNodeBs and phones of the configuration, and shows them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lab/inner.h"
#include "lab/lab.h"

#define ARENA_LIMIT ((size_t)1024 * 1024)

struct lab lab;

static int make_tun(struct phone *phone)
{
    phone->tun = calloc(1, sizeof(*phone->tun));
    if (!phone->tun)
        return -ENOMEM;
    phone->tun->phone = phone;
    phone->tun->netns = netns_new();
    if (phone->tun->netns < 0) {
        log_error("no namespace for phone %s: %s", phone->imsi, strerror(-phone->tun->netns));
        return phone->tun->netns;
    }
    return 0;
}

static int make_phones(struct config *config)
{
    uint32_t total = 0, index = 0;

    for (size_t i = 0; i < lab.config.phones.count; i++)
        total += lab.config.phones.at[i].count;
    lab.phones = calloc(total + 1, sizeof(*lab.phones));
    if (!lab.phones)
        return -ENOMEM;
    lab.phone_count = total;
    for (size_t i = 0; i < lab.config.phones.count; i++) {
        const struct lab_phones_config *group = &lab.config.phones.at[i];
        for (uint32_t n = 0; n < group->count; n++, index++) {
            struct phone *phone = &lab.phones[index];
            int err = phone_init(phone, index, group, n);
            if (err < 0) {
                config_complain(config, "lab", "phones",
                                "phone %s needs op or opc with 32 hexadecimal digits", group->imsi);
                return err;
            }
            if (group->tun && (err = make_tun(phone)) < 0)
                return err;
        }
    }
    return 0;
}

static int start(struct config *config)
{
    arena_init(&lab.arena, ARENA_LIMIT);
    trace_set_printer(TRACE_S1AP, s1ap_trace_printer);
    trace_set_printers(TRACE_NAS, nas_trace_uplink, nas_trace_downlink);
    if (lab.config.enbs.count == 0) {
        config_complain(config, "lab", "enbs", "a lab needs at least one eNodeB");
        return -EINVAL;
    }
    lab.enbs = calloc(lab.config.enbs.count, sizeof(*lab.enbs));
    if (!lab.enbs)
        return -ENOMEM;
    for (size_t i = 0; i < lab.config.enbs.count; i++)
        lab.enbs[i].config = &lab.config.enbs.at[i];
    int err = make_phones(config);
    for (size_t i = 0; err == 0 && i < lab.config.enbs.count; i++)
        err = enb_start(&lab.enbs[i], (unsigned)i);
    return err;
}

static void stop(void)
{
    for (uint32_t i = 0; i < lab.phone_count; i++)
        phone_interface_free(&lab.phones[i]);
    for (size_t i = 0; i < lab.config.enbs.count; i++)
        enb_stop(&lab.enbs[i]);
    process_stopped();
}

/* ---- views ---- */

static const char *state_name(const struct phone *phone)
{
    if (phone->state == PHONE_OFF)
        return phone->busy ? "attaching" : "off";
    return phone->enb_ue_s1ap_id ? "connected" : "idle";
}

static json_t *phone_json(const struct phone *phone)
{
    char v4[INET_ADDRSTRLEN] = "", v6[INET6_ADDRSTRLEN] = "", netns[40] = "";

    if (phone->state == PHONE_REGISTERED && phone->pdn_type != NAS_PDN_IPV6)
        inet_ntop(AF_INET, &phone->ipv4, v4, sizeof(v4));
    if (phone->state == PHONE_REGISTERED && phone->has_ipv6)
        inet_ntop(AF_INET6, &phone->ipv6, v6, sizeof(v6));
    if (phone->tun && phone->tun->netns >= 0)
        snprintf(netns, sizeof(netns), "/proc/%d/fd/%d", (int)getpid(), phone->tun->netns);
    char name[24];
    snprintf(name, sizeof(name), "phone%u", phone->index + 1);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:s}", "name", name, "imsi", phone->imsi,
                     "state", state_name(phone), "enb", phone->enb->config->name, "ipv4", v4,
                     "ipv6", v6, "packets_up", (json_int_t)phone->packets_up, "packets_down",
                     (json_int_t)phone->packets_down, "pages", (json_int_t)phone->pages, "netns",
                     netns);
}

static json_t *phones_json(const struct control_request *request)
{
    const char *limit_text = control_argument(request, "limit");
    uint32_t limit = limit_text ? (uint32_t)strtoul(limit_text, NULL, 10) : 1000;
    json_t *rows = json_array();

    for (uint32_t i = 0; i < lab.phone_count && i < limit; i++)
        json_array_append_new(rows, phone_json(&lab.phones[i]));
    return rows;
}

static json_t *enbs_json(void)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < lab.config.enbs.count; i++) {
        const struct enb *enb = &lab.enbs[i];
        json_array_append_new(
            rows,
            json_pack("{s:s,s:i,s:i,s:b,s:s,s:i,s:I,s:I}", "name", enb->config->name, "id",
                      (int)enb->config->id, "tac", (int)enb->config->tac, "up", enb->up, "mme",
                      enb->mme_name, "connections", (int)enb->connections.count, "packets_up",
                      (json_int_t)enb->packets_up, "packets_down", (json_int_t)enb->packets_down));
    }
    return rows;
}

static json_t *summary_json(void)
{
    uint32_t registered = 0, connected = 0, up = 0;

    for (uint32_t i = 0; i < lab.phone_count; i++) {
        registered += lab.phones[i].state == PHONE_REGISTERED;
        connected += lab.phones[i].enb_ue_s1ap_id != 0;
    }
    for (size_t i = 0; i < lab.config.enbs.count; i++)
        up += lab.enbs[i].up;
    return json_pack("{s:i,s:i,s:i,s:i,s:i}", "enbs", (int)lab.config.enbs.count, "enbs_up",
                     (int)up, "phones", (int)lab.phone_count, "registered", (int)registered,
                     "connected", (int)connected);
}

static json_t *state(const char *what, const struct control_request *request)
{
    if (!what)
        return summary_json();
    if (strcmp(what, "enbs") == 0)
        return enbs_json();
    if (strcmp(what, "phones") == 0)
        return phones_json(request);
    if (strcmp(what, "scenario") == 0)
        return scenario_state();
    return NULL;
}

static const struct process_view views[] = {{"enbs", "emulated eNodeBs"},
                                            {"phones", "emulated phones (&limit=N)"},
                                            {"scenario", "the scenario that runs or ran last"},
                                            {NULL, NULL}};

int lab_main(int argc, char **argv)
{
    static const struct process process = {
        .name = "lab",
        .summary = "eNodeBs and phones in software: the other half of an LTE network.",
        .examples = "  strowger lab -c examples/operator.yaml\n"
                    "  strowger show lab phones\n"
                    "  strowger exec phone1 ping 10.99.0.1\n",
        .sections = {{"lab", &lab_config_schema, &lab.config}},
        .start = start,
        .stop = stop,
        .state = state,
        .views = views,
        .routes = scenario_routes,
        .route_count = 2,
    };
    return process_main(&process, argc, argv);
}
