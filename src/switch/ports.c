/*
 * ports.c -- see ports.h.
 */
#include <stdlib.h>

#include "base/base.h"
#include "switch/conn.h"
#include "switch/ports.h"
#include "switch/switch_config.h"

#define REFRESH_MS 500 /* between looks at the ports' link states */

static struct timer refresh;

void ports_changed(struct port *p)
{
    log_info("port %s is %s", p->name, p->state & OFPPS_LINK_DOWN ? "down" : "up");
    conns_port_status(p, OFPPR_MODIFY);
}

static void refresh_ports(struct timer *timer)
{
    for (size_t i = 0; i < MAX_PORTS; i++) {
        struct port *p = sw.dp.ports[i];

        if (p && p->driver->refresh && p->driver->refresh(p))
            ports_changed(p);
    }
    timer_start(timer, REFRESH_MS, refresh_ports);
}

/* ---- those of the configuration ---- */

static bool number_is_configured(uint32_t number)
{
    for (size_t i = 0; i < sw.config.ports.count; i++)
        if (sw.config.ports.at[i].number == number)
            return true;
    return false;
}

/* Where there is none in its configuration: the lowest that nobody has. 0: all are taken. */
static uint32_t free_number(void)
{
    for (uint32_t i = 1; i < MAX_PORTS; i++)
        if (!sw.dp.ports[i] && !number_is_configured(i))
            return i;
    return 0;
}

static int open_one(const struct switch_port_config *c, struct port **port)
{
    uint32_t number = c->number ? c->number : free_number();
    int err = number ? port_open(&sw.dp, c, number, port) : -ENOSPC;

    if (err < 0)
        log_error("port %s does not open: %s", c->name, uv_strerror(err));
    else
        log_info("port %u %s is open (%s)", number, c->name, switch_port_types[c->type]);
    return err;
}

int ports_open(void)
{
    for (size_t i = 0; i < sw.config.ports.count; i++) {
        int err = open_one(&sw.config.ports.at[i], NULL);

        if (err < 0)
            return err;
    }
    timer_start(&refresh, REFRESH_MS, refresh_ports);
    return 0;
}

void ports_close(void)
{
    timer_stop(&refresh);
    for (size_t i = 1; i < MAX_PORTS; i++)
        if (sw.dp.ports[i])
            port_close(sw.dp.ports[i]);
}

/* ---- those that come ---- */

/* What stands in the way of the port, after those that are open. Complains to the config. */
static void check_beside_open(struct config *config, const struct switch_port_config *added)
{
    static struct switch_port_config all[MAX_PORTS];
    struct switch_config c = {.ports = {all, 0}};

    for (uint32_t i = 1; i < MAX_PORTS; i++)
        if (sw.dp.ports[i]) {
            all[c.ports.count] = *sw.dp.ports[i]->config;
            all[c.ports.count++].number = i;
        }
    if (c.ports.count == MAX_PORTS - 1) {
        config_complain(config, "switch", "ports", "there are %d ports, and no more can be",
                        MAX_PORTS - 1);
        return;
    }
    all[c.ports.count++] = *added;
    switch_check_port(config, &c, c.ports.count - 1, false);
}

/* Reads the body as an element of switch.ports. The port's configuration, which belongs to *owner;
 * NULL, and errors a line each. */
static const struct switch_port_config *read_port(struct bytes body, struct config **owner,
                                                  struct text *errors)
{
    json_error_t why;
    json_t *port = json_loadb((const char *)body.at, body.len, 0, &why), *whole;
    struct switch_config c = {.ports = {NULL, 0}};
    char *text;

    *owner = NULL;
    if (!json_is_object(port)) {
        text_add(errors, "%s\n", port ? "a JSON object is expected: a port's keys" : why.text);
        json_decref(port);
        return NULL;
    }
    whole = json_pack("{s:{s:[o]}}", "switch", "ports", port);
    text = whole ? json_dumps(whole, JSON_INDENT(1)) : NULL; /* JSON is YAML */
    json_decref(whole);
    if (text && (*owner = config_parse("port", text, strlen(text)))) {
        config_errors_to(*owner, errors);
        if (config_read(*owner, "switch", &switch_added_schema, &c) == 0)
            check_beside_open(*owner, c.ports.at);
        config_errors_to(*owner, NULL);
    }
    free(text);
    return *owner && config_error_count(*owner) == 0 ? c.ports.at : NULL;
}

/* "port:4: switch.ports[0].type: ..." a line; what stands where is nobody's business here. */
static void refuse_lines(struct control_answer *answer, char *lines)
{
    char whole[2048];
    struct text t = text_in(whole, sizeof(whole));

    for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
        char *from = strstr(line, ": switch.ports");

        from = from ? strstr(from + 2, from[14] == '[' ? "]" : ": ") : line;
        from += from == line ? 0 : from[0] == ']' ? (from[1] == '.' ? 2 : 3) : 2;
        text_add(&t, "%s%s", t.len ? "; " : "", from);
    }
    control_refuse(answer, 400, "%s", whole);
}

static json_t *describe(const struct port *p)
{
    return json_pack("{s:i, s:s, s:s}", "number", (int)p->number, "name", p->name, "type",
                     switch_port_types[p->config->type]);
}

void ports_add_request(const struct control_request *request, struct control_answer *answer)
{
    char lines[2048];
    struct text errors = text_in(lines, sizeof(lines));
    struct config *owner;
    const struct switch_port_config *c = read_port(request->body, &owner, &errors);
    struct port *port;
    int err;

    if (!c) {
        refuse_lines(answer, lines);
    } else if ((err = open_one(c, &port)) < 0) {
        control_refuse(answer, 409, "%s does not open: %s (the switch's log may tell more)",
                       c->name, uv_strerror(err));
    } else {
        port->owner = owner;
        owner = NULL;
        answer->json = describe(port);
        conns_port_status(port, OFPPR_ADD);
    }
    if (owner)
        config_free(owner);
}

/* ---- those that go ---- */

void ports_remove_request(const struct control_request *request, struct control_answer *answer)
{
    json_t *body = json_loadb((const char *)request->body.at, request->body.len, 0, NULL);
    const char *name = json_string_value(json_object_get(body, "name"));
    struct port *port = NULL;

    for (uint32_t i = 1; name && i < MAX_PORTS; i++)
        if (sw.dp.ports[i] && strcmp(sw.dp.ports[i]->name, name) == 0)
            port = sw.dp.ports[i];
    if (!port) {
        control_refuse(answer, 404, name ? "there is no port named \"%s\"" : "%sa name is expected",
                       name ? name : "");
    } else {
        answer->json = describe(port);
        log_info("port %u %s goes", port->number, port->name);
        port->state |= OFPPS_LINK_DOWN;
        conns_port_status(port, OFPPR_DELETE);
        port_close(port);
    }
    json_decref(body);
}
