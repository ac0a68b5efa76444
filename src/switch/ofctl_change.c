/*
 * ofctl_change.c -- see ofctl.h: the verbs that change a switch.
 *
 * All of them go through the same three steps: text to a message, the message sent, and at the end
 * one barrier (or a bundle's commit) that tells whether all was taken.
 */
#include <errno.h>
#include <stdlib.h>

#include "switch/ofctl.h"

/* ---- flows ---- */

/* One text as a change. */
static int change_flow(struct ofctl *c, const char *text, size_t len, uint16_t command,
                       uint32_t line)
{
    struct of_message m = {.type = OFPT_FLOW_MOD, .flow_mod = {.command = (uint8_t)command}};
    struct of_parser p;
    bool filter = command == OFPFC_DELETE || command == OFPFC_DELETE_STRICT;

    arena_reset(&c->arena);
    p = ofctl_parser(c);
    if (of_parse_flow(&p, text, len, filter ? OF_FLOW_WITHOUT_ACTIONS : OF_FLOW_WITH_ACTIONS,
                      &m.flow_mod) < 0)
        return ofctl_fail_at(c, &p, text, len, line);
    return ofctl_change(c, &m, line);
}

static int one_flow(struct ofctl *c, const char *text, uint16_t command)
{
    int code = ofctl_changes_begin(c);

    if (code == 0)
        code = change_flow(c, text, strlen(text), command, 0);
    return code ? code : ofctl_changes_end(c);
}

int ofctl_add_flow(struct ofctl *c, int argc, char **argv)
{
    (void)argc;
    return one_flow(c, argv[0], OFPFC_ADD);
}

int ofctl_mod_flows(struct ofctl *c, int argc, char **argv)
{
    (void)argc;
    return one_flow(c, argv[0], c->options.strict ? OFPFC_MODIFY_STRICT : OFPFC_MODIFY);
}

int ofctl_del_flows(struct ofctl *c, int argc, char **argv)
{
    return one_flow(c, argc ? argv[0] : "", c->options.strict ? OFPFC_DELETE_STRICT : OFPFC_DELETE);
}

/* A line without what stands behind '#', and without blanks at its ends. */
static size_t trim(char **line)
{
    char *hash = strchr(*line, '#');
    size_t len;

    if (hash)
        *hash = '\0';
    *line += strspn(*line, " \t\r\n");
    len = strlen(*line);
    while (len > 0 && strchr(" \t\r\n", (*line)[len - 1]))
        len--;
    return len;
}

static int change_flows_of(struct ofctl *c, FILE *file)
{
    char *line = NULL;
    size_t room = 0;
    uint32_t number = 0;
    int code = 0;

    while (code == 0 && getline(&line, &room, file) >= 0) {
        char *text = line;
        size_t len = trim(&text);

        number++;
        if (len > 0)
            code = change_flow(c, text, len, OFPFC_ADD, number);
    }
    free(line);
    return code;
}

int ofctl_add_flows(struct ofctl *c, int argc, char **argv)
{
    bool standard = strcmp(argv[0], "-") == 0;
    FILE *file = standard ? stdin : fopen(argv[0], "re");
    int code;

    (void)argc;
    if (!file)
        return ofctl_fail("%s: %s", argv[0], strerror(errno));
    c->file = standard ? "(standard input)" : argv[0];
    code = ofctl_changes_begin(c);
    if (code == 0) {
        code = change_flows_of(c, file);
        /* What was sent before a line that is wrong is done without a bundle. */
        if (code == 0)
            code = ofctl_changes_end(c);
        else if (!c->bundle_id)
            (void)ofctl_changes_end(c);
    }
    if (!standard)
        fclose(file);
    return code;
}

/* ---- groups and meters ---- */

static int one_message(struct ofctl *c, struct of_message *m)
{
    int code = ofctl_changes_begin(c);

    if (code == 0)
        code = ofctl_change(c, m, 0);
    return code ? code : ofctl_changes_end(c);
}

static int change_group(struct ofctl *c, const char *text, uint16_t command)
{
    struct of_message m = {.type = OFPT_GROUP_MOD};
    struct of_parser p = ofctl_parser(c);

    /* A bundle's opening is a request of its own, which takes the arena. */
    int code = ofctl_changes_begin(c);
    if (code != 0)
        return code;
    if (of_parse_group(&p, text, strlen(text), &m.group_mod) < 0)
        return ofctl_fail_at(c, &p, text, strlen(text), 0);
    m.group_mod.command = command;
    code = ofctl_change(c, &m, 0);
    return code ? code : ofctl_changes_end(c);
}

int ofctl_add_group(struct ofctl *c, int argc, char **argv)
{
    (void)argc;
    return change_group(c, argv[0], OFPGC_ADD);
}

int ofctl_mod_group(struct ofctl *c, int argc, char **argv)
{
    (void)argc;
    return change_group(c, argv[0], OFPGC_MODIFY);
}

/* "group_id=1" or "1". */
static const char *with_word(const char *word, const char *text, char *to, size_t size)
{
    if (strchr(text, '='))
        return text;
    snprintf(to, size, "%s=%s", word, text);
    return to;
}

int ofctl_del_groups(struct ofctl *c, int argc, char **argv)
{
    char text[64];

    return change_group(c,
                        argc ? with_word("group_id", argv[0], text, sizeof(text)) : "group_id=all",
                        OFPGC_DELETE);
}

static int change_meter(struct ofctl *c, const char *text, uint16_t command)
{
    struct of_message m = {.type = OFPT_METER_MOD};
    struct of_parser p = ofctl_parser(c);

    int code = ofctl_changes_begin(c);
    if (code != 0)
        return code;
    if (of_parse_meter(&p, text, strlen(text), &m.meter_mod) < 0)
        return ofctl_fail_at(c, &p, text, strlen(text), 0);
    m.meter_mod.command = command;
    if (command != OFPMC_DELETE && !(m.meter_mod.flags & (OFPMF_KBPS | OFPMF_PKTPS)))
        m.meter_mod.flags |= OFPMF_KBPS;
    code = ofctl_change(c, &m, 0);
    return code ? code : ofctl_changes_end(c);
}

int ofctl_add_meter(struct ofctl *c, int argc, char **argv)
{
    (void)argc;
    return change_meter(c, argv[0], OFPMC_ADD);
}

int ofctl_mod_meter(struct ofctl *c, int argc, char **argv)
{
    (void)argc;
    return change_meter(c, argv[0], OFPMC_MODIFY);
}

int ofctl_del_meters(struct ofctl *c, int argc, char **argv)
{
    char text[64];

    return change_meter(c, argc ? with_word("meter", argv[0], text, sizeof(text)) : "meter=all",
                        OFPMC_DELETE);
}

/* ---- ports ---- */

static const struct {
    const char *word;
    uint32_t bit;
    bool set;
} port_words[] = {
    {"up", OFPPC_PORT_DOWN, false},           {"down", OFPPC_PORT_DOWN, true},
    {"receive", OFPPC_NO_RECV, false},        {"no-receive", OFPPC_NO_RECV, true},
    {"forward", OFPPC_NO_FWD, false},         {"no-forward", OFPPC_NO_FWD, true},
    {"packet-in", OFPPC_NO_PACKET_IN, false}, {"no-packet-in", OFPPC_NO_PACKET_IN, true},
};

int ofctl_mod_port(struct ofctl *c, int argc, char **argv)
{
    struct of_message m = {.type = OFPT_PORT_MOD};
    struct of_parser p;
    size_t word = 0, i = 0;

    (void)argc;
    while (word < sizeof(port_words) / sizeof(port_words[0]) &&
           strcmp(port_words[word].word, argv[1]) != 0)
        word++;
    if (word == sizeof(port_words) / sizeof(port_words[0]))
        return ofctl_fail("'%s' is none of up, down, receive, no-receive, forward, no-forward, "
                          "packet-in, no-packet-in",
                          argv[1]);
    if (ofctl_learn_ports(c) != 0)
        return 1;
    p = ofctl_parser(c);
    if (of_parse_port(&p, argv[0], strlen(argv[0]), &m.port_mod.port_no) < 0)
        return ofctl_fail_at(c, &p, argv[0], strlen(argv[0]), 0);
    while (i < c->ports.count && c->ports.at[i].port_no != m.port_mod.port_no)
        i++;
    if (i == c->ports.count)
        return ofctl_fail("the switch has no port %s (strowger switch show %s lists them)", argv[0],
                          c->target);
    memcpy(m.port_mod.hw_addr, c->ports.at[i].hw_addr, sizeof(m.port_mod.hw_addr));
    m.port_mod.mask = port_words[word].bit;
    m.port_mod.config = port_words[word].set ? port_words[word].bit : 0;
    return one_message(c, &m);
}
