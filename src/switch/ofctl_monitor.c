/*
 * ofctl_monitor.c -- see ofctl.h: what a switch tells by itself, packets out, echoes, roles; and
 * `trace`, which is not OpenFlow but asks a running Strowger switch.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "switch/ofctl.h"
#include "switch/ofctl_stream.h"
#include "wire/net/net.h"

#define PACKET_MAX 9344
#define PINGS      4
#define PING_PAUSE 100 /* ms */

/* ---- monitor ---- */

static struct await enough; /* messages, or the end of the connection */
static uint64_t seen;

static void print_packet(struct text *t, struct bytes data)
{
    struct net_packet p;

    if (net_read_frame(data, &p) == 0)
        net_print_packet(t, &p);
    else
        text_add(t, "%zu octets that are no whole frame", data.len);
}

static void print_packet_in(struct text *t, const struct of_packet_in *in)
{
    static const char *const reasons[] = {"no_match", "action", "invalid_ttl"};

    text_add(t, "PACKET_IN reason=%s table=%u cookie=0x%llx total_len=%u ",
             in->reason < 3 ? reasons[in->reason] : "other", in->table_id,
             (unsigned long long)in->cookie, in->total_len);
    of_print_match(t, &in->match);
    text_add(t, "\n  ");
    print_packet(t, in->data);
}

static void print_flow_removed(struct text *t, const struct of_flow_removed *r)
{
    static const char *const reasons[] = {"idle_timeout", "hard_timeout", "delete", "group_delete",
                                          "meter_delete"};

    text_add(t,
             "FLOW_REMOVED reason=%s table=%u priority=%u cookie=0x%llx duration=%u.%03us "
             "n_packets=%llu n_bytes=%llu ",
             r->reason < 5 ? reasons[r->reason] : "other", r->table_id, r->priority,
             (unsigned long long)r->cookie, r->duration_s, r->duration_ns / 1000000,
             (unsigned long long)r->packet_count, (unsigned long long)r->byte_count);
    of_print_match(t, &r->match);
}

static void print_port_status(struct text *t, const struct of_port_status *s)
{
    static const char *const reasons[] = {"add", "delete", "modify"};

    text_add(t, "PORT_STATUS reason=%s port=", s->reason < 3 ? reasons[s->reason] : "other");
    of_print_port(t, s->desc.port_no);
    text_add(t, " name=%.*s%s%s%s", OFP_NAME_SIZE, s->desc.name,
             s->desc.config & OFPPC_PORT_DOWN ? " down" : "",
             s->desc.state & OFPPS_LINK_DOWN ? " link-down" : " link-up",
             s->desc.state & OFPPS_BLOCKED ? " blocked" : "");
}

/* Every message as a line; as JSON an object with the line and, of a packet-in, the octets. */
static void print_event(struct ofctl *c, const struct of_message *m)
{
    static char buffer[8192], named[8192], hex[2 * OFP_MAX_MESSAGE + 1];
    struct text t = text_in(buffer, sizeof(buffer)), h = text_in(hex, sizeof(hex));
    const char *text;

    if (m->type == OFPT_PACKET_IN)
        print_packet_in(&t, &m->packet_in);
    else if (m->type == OFPT_FLOW_REMOVED)
        print_flow_removed(&t, &m->flow_removed);
    else if (m->type == OFPT_PORT_STATUS)
        print_port_status(&t, &m->port_status);
    else
        of_print(&t, m);
    text = ofctl_named(c, buffer, named, sizeof(named));
    if (c->options.json) {
        json_t *event = json_pack("{s:s, s:s}", "type", of_type_name(m->type), "text", text);
        if (m->type == OFPT_PACKET_IN) {
            text_hex(&h, m->packet_in.data);
            json_object_set_new(event, "packet", json_string(hex));
        }
        json_dumpf(event, c->out, JSON_PRESERVE_ORDER);
        json_decref(event);
        fputc('\n', c->out);
    } else {
        fprintf(c->out, "%s\n", text);
    }
    fflush(c->out);
}

static void monitored(struct ofctl *c, const struct of_message *m)
{
    print_event(c, m);
    seen++;
    if (c->options.count && seen == c->options.count)
        await_deliver(&enough, NULL);
}

/* Open vSwitch sends nothing by itself on a connection that it listened for until it was told how
 * much of a packet is wanted there. What it does with fragments stays. */
static int ask_for_packets(struct ofctl *c)
{
    struct of_message m = {.type = OFPT_GET_CONFIG_REQUEST}, answer;
    int code = ofctl_request(c, &m, &answer);

    if (code == 0)
        code = ofctl_changes_begin(c);
    if (code == 0) {
        m = (struct of_message){.type = OFPT_SET_CONFIG, .config = answer.config};
        m.config.miss_send_len = OFPCML_NO_BUFFER;
        code = ofctl_change(c, &m, 0);
    }
    return code ? code : ofctl_changes_end(c);
}

int ofctl_monitor(struct ofctl *c, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    c->receive = monitored;
    c->options.bundle = false;
    if (ask_for_packets(c) != 0)
        return 1;
    while (c->down == 0 && !(c->options.count && seen >= c->options.count)) {
        int err = await(&enough, 1000, NULL); /* looks now and then whether the switch is there */

        if (err < 0 && err != -ETIMEDOUT)
            return 1;
    }
    c->receive = NULL;
    if (c->down < 0)
        return ofctl_fail("%s: the switch closed the connection (%s)", c->target,
                          strerror(-c->down));
    return 0;
}

/* ---- packet-out ---- */

/* Splits "in_port=1,packet=HEX,actions=..." and fills the message. */
static int parse_packet_out(struct ofctl *c, struct of_parser *p, const char *text,
                            struct of_packet_out *out)
{
    static uint8_t octets[PACKET_MAX];
    const char *actions = strstr(text, "actions="), *packet = strstr(text, "packet=");
    const char *in_port = strstr(text, "in_port=");
    static char digits[2 * PACKET_MAX + 1];
    int len = -EINVAL;

    out->buffer_id = OFP_NO_BUFFER;
    out->in_port = OFPP_CONTROLLER;
    if (!actions || !packet)
        return ofctl_fail("expected \"in_port=PORT,packet=HEX,actions=ACTIONS\"");
    if (in_port && in_port < actions &&
        of_parse_port(p, in_port + 8, strcspn(in_port + 8, ", "), &out->in_port) < 0)
        return ofctl_fail_at(c, p, text, strlen(text), 0);
    size_t n = strcspn(packet + 7, ", ");
    if (n < sizeof(digits)) {
        memcpy(digits, packet + 7, n);
        digits[n] = '\0';
        len = hex_parse(digits, octets, sizeof(octets));
    }
    if (len <= 0)
        return ofctl_fail("packet= needs an even number of hexadecimal digits, at most %d octets",
                          PACKET_MAX);
    out->data = bytes_of(octets, (size_t)len);
    if (of_parse_actions(p, actions + 8, strlen(actions + 8), &out->actions) < 0)
        return ofctl_fail_at(c, p, text, strlen(text), 0);
    return 0;
}

int ofctl_packet_out(struct ofctl *c, int argc, char **argv)
{
    struct of_message m = {.type = OFPT_PACKET_OUT};
    struct of_parser p;
    int code = ofctl_changes_begin(c);

    (void)argc;
    p = ofctl_parser(c);
    if (code == 0)
        code = parse_packet_out(c, &p, argv[0], &m.packet_out);
    if (code == 0)
        code = ofctl_change(c, &m, 0);
    return code ? code : ofctl_changes_end(c);
}

/* ---- echoes ---- */

int ofctl_ping(struct ofctl *c, int argc, char **argv)
{
    uint64_t count = c->options.count ? c->options.count : PINGS;

    (void)argc;
    (void)argv;
    for (uint64_t i = 0; i < count; i++) {
        struct of_message m = {.type = OFPT_ECHO_REQUEST, .echo.data = bytes_of("strowger", 8)};
        struct of_message answer;
        uint64_t before_us = clock_now_us();

        if (ofctl_request(c, &m, &answer) != 0)
            return 1;
        if (answer.type != OFPT_ECHO_REPLY || !bytes_equal(answer.echo.data, m.echo.data))
            return ofctl_fail("%s: the echo came back otherwise than it was sent", c->target);
        fprintf(c->out, "8 octets from %s: time %.3f ms\n", c->target,
                (double)(clock_now_us() - before_us) / 1000);
        fflush(c->out);
        if (i + 1 < count && fiber_sleep(PING_PAUSE) < 0)
            return 1;
    }
    return 0;
}

/* ---- roles ---- */

static const char *const roles[] = {"nochange", "equal", "master", "slave"};

static int ask_role(struct ofctl *c, uint32_t role, uint64_t generation)
{
    struct of_message m = {.type = OFPT_ROLE_REQUEST,
                           .role = {.role = role, .generation_id = generation}};
    struct of_message answer;
    char id[32];

    if (ofctl_request(c, &m, &answer) != 0)
        return 1;
    snprintf(id, sizeof(id), "0x%llx", (unsigned long long)answer.role.generation_id);
    ofctl_object(c, json_pack("{s:s, s:s}", "role",
                              answer.role.role < 4 ? roles[answer.role.role] : "unknown",
                              "generation_id", answer.role.generation_id == UINT64_MAX ? "-" : id));
    return 0;
}

int ofctl_get_role(struct ofctl *c, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return ask_role(c, OFPCR_ROLE_NOCHANGE, 0);
}

int ofctl_set_role(struct ofctl *c, int argc, char **argv)
{
    char *end = NULL;
    uint64_t generation = argc > 1 ? strtoull(argv[1], &end, 0) : 0;

    if (end && (end == argv[1] || *end))
        return ofctl_fail("'%s' is no generation: a number was expected", argv[1]);
    for (uint32_t i = OFPCR_ROLE_EQUAL; i <= OFPCR_ROLE_SLAVE; i++)
        if (strcmp(roles[i], argv[0]) == 0)
            return ask_role(c, i, generation);
    return ofctl_fail("'%s' is none of equal, master, slave", argv[0]);
}

/* ---- trace ---- */

void ofctl_escape(struct text *t, const char *name, const char *s)
{
    text_add(t, "%s=", name);
    for (; *s; s++) {
        if (isalnum((unsigned char)*s) || strchr("-._~,", *s))
            text_add(t, "%c", *s);
        else
            text_add(t, "%%%02X", (unsigned char)*s);
    }
}

static const char *member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void print_table(const json_t *table, bool colour)
{
    size_t i;
    json_t *item;
    const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "";

    printf("\n%stable %lld%s: %s\n", bold, json_integer_value(json_object_get(table, "table")),
           plain, member(table, "flow"));
    json_array_foreach(json_object_get(table, "passed_over"), i, item)
        printf("    not %s: %s\n", member(item, "flow"), member(item, "why"));
    json_array_foreach(json_object_get(table, "steps"), i, item)
    {
        int depth = (int)json_integer_value(json_object_get(item, "depth"));
        const char *effect = member(item, "effect");

        printf("    %*s%s%s%s\n", depth * 4, "", member(item, "what"), *effect ? "  -- " : "",
               effect);
    }
}

static void print_trace(const json_t *answer)
{
    bool colour = table_style_of(stdout).colour;
    size_t i;
    json_t *item;

    printf("Packet: %s\n", member(answer, "packet"));
    json_array_foreach(json_object_get(answer, "tables"), i, item) print_table(item, colour);
    printf("\nPacket at the end: %s\n", member(answer, "packet_after"));
    printf("Verdict: %s%s%s\n", colour ? "\033[1m" : "", member(answer, "verdict"),
           colour ? "\033[0m" : "");
}

int ofctl_trace(const struct ofctl_options *options, const char *socket, int argc, char **argv)
{
    char target[3 * 2 * PACKET_MAX];
    struct text t = text_in(target, sizeof(target));
    char *body = NULL;
    size_t len = 0;
    int status = 0, err;
    json_t *answer;

    text_add(&t, "/trace-packet?");
    if (argv[0]) {
        ofctl_escape(&t, "packet", argv[0]);
        text_add(&t, "&");
    }
    ofctl_escape(&t, "match", argc > 1 && argv[1] ? argv[1] : "");
    err = control_call(socket, "GET", target, NULL, &body, &len, &status);
    if (err < 0)
        return ofctl_fail("the switch does not answer (%s)", strerror(-err));
    answer = json_loadb(body, len, 0, NULL);
    free(body);
    if (status != 200) {
        ofctl_fail("%s", answer ? member(answer, "error") : "the switch refused");
    } else if (options->json) {
        json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        printf("\n");
    } else {
        print_trace(answer);
    }
    json_decref(answer);
    return status != 200;
}
