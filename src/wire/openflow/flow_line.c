/*
 * flow_line.c -- see flow_text.h: matches and whole flows in the language of ovs-ofctl.
 *
 * of_parse_match() knows the fields under our names. ovs-ofctl also writes some in older words,
 * which are said again in ours before it sees them: tp_dst is the port of the protocol that the
 * match names, vlan_tci the VLAN id and priority in one number, nw_tos the DSCP with two bits
 * behind it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "wire/openflow/text_inner.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define MATCH_SIZE 4096 /* characters of a match */

/* ---- matches ---- */

/* The protocol whose ports a match has. */
static const char *transport_of(struct part left)
{
    static const char *const protocols[] = {"tcp", "udp", "sctp"};
    struct part part, number;
    uint64_t value;
    struct of_parser quiet = {0};

    while (of_text_next(&left, &part)) {
        for (size_t i = 0; i < COUNT(protocols); i++)
            if (part.len >= strlen(protocols[i]) && part.len <= strlen(protocols[i]) + 1 &&
                memcmp(part.at, protocols[i], strlen(protocols[i])) == 0)
                return protocols[i];
        if ((of_text_argument(part, "nw_proto", &number) ||
             of_text_argument(part, "ip_proto", &number)) &&
            of_text_number(&quiet, number, UINT8_MAX, &value) == 0)
            return value == IPPROTO_TCP ? "tcp" : value == IPPROTO_UDP ? "udp" : "sctp";
    }
    return NULL;
}

static bool names_word(struct part left, const char *word)
{
    struct part part;

    while (of_text_next(&left, &part))
        if (of_text_is(part, word))
            return true;
    return false;
}

static int say_tci(struct of_parser *p, struct part argument, struct text *t)
{
    uint64_t value, mask;
    int err = of_text_masked(p, argument, &value, &mask);

    mask &= 0xffff;
    if (err < 0)
        return err;
    if (value > 0xffff || (mask & 0xe000 && (mask & 0xe000) != 0xe000))
        return of_text_bad(p, argument, "expected 16 bits; the priority is matched whole or not");
    if (mask & 0x1fff)
        text_add(t, ",vlan_vid=0x%llx/0x%llx", (unsigned long long)(value & mask & 0x1fff),
                 (unsigned long long)(mask & 0x1fff));
    if (mask & 0xe000 && value & mask & 0x1000)
        text_add(t, ",dl_vlan_pcp=%llu", (unsigned long long)(value >> 13));
    return 0;
}

static int say_port(struct of_parser *p, struct part argument, struct text *t)
{
    uint32_t port;
    int err = of_parse_port(p, argument.at, argument.len, &port);

    if (err < 0)
        return err;
    text_add(t, ",in_port=");
    if (port == OFPP_LOCAL || port == OFPP_CONTROLLER)
        of_print_port(t, port);
    else
        text_add(t, "%u", port);
    return 0;
}

/* One part in our words. */
static int say_part(struct of_parser *p, struct part part, struct part all, struct text *t)
{
    static const char *const ends[] = {"src", "dst"};
    static const char *const icmp[] = {"icmp_type", "icmp_code"};
    struct part argument;
    uint64_t number;
    char word[8];

    for (size_t i = 0; i < COUNT(ends); i++) {
        const char *transport = transport_of(all);

        snprintf(word, sizeof(word), "tp_%s", ends[i]);
        if (!of_text_argument(part, word, &argument))
            continue;
        if (!transport)
            return of_text_bad(p, part, "%s needs tcp, udp or sctp in the match", word);
        text_add(t, ",%s_%s=%.*s", transport, ends[i], (int)argument.len, argument.at);
        return 0;
    }
    if (of_text_argument(part, "in_port", &argument))
        return say_port(p, argument, t);
    if (of_text_argument(part, "vlan_tci", &argument))
        return say_tci(p, argument, t);
    if (of_text_argument(part, "nw_tos", &argument)) {
        if (of_text_number(p, argument, UINT8_MAX, &number) < 0 || number & 3)
            return of_text_bad(p, argument, "expected the DSCP times 4: 0 to 252");
        text_add(t, ",ip_dscp=%llu", (unsigned long long)number >> 2);
        return 0;
    }
    for (size_t i = 0; i < COUNT(icmp); i++)
        if (names_word(all, "icmp6") && of_text_argument(part, icmp[i], &argument)) {
            text_add(t, ",icmpv6_%s=%.*s", icmp[i] + 5, (int)argument.len, argument.at);
            return 0;
        }
    text_add(t, ",%.*s", (int)part.len, part.at);
    return 0;
}

/* of_parse_match() stopped at `bad`: a part of the copy, or the name of a field whose prerequisite
 * is missing. */
static int match_failed(struct of_parser *p, struct part all, const struct text *copy,
                        const char *bad)
{
    bool inside = bad && bad >= copy->at && bad <= copy->at + copy->len;
    size_t len = bad ? strcspn(bad, ",") : 0;
    const char *at = bad ? memmem(all.at, all.len, bad, len) : NULL;
    struct part part = at ? (struct part){at, len} : all;
    const char *equals = memchr(part.at, '=', part.len);

    if (!inside)
        return of_text_bad(p, part,
                           "%s needs a protocol before it, as ip, arp, tcp, icmp6 or dl_vlan",
                           bad ? bad : "a field");
    if (equals && of_field_by_name(part.at, (size_t)(equals - part.at)))
        return of_text_bad(p, part, "this field has no such value");
    return of_text_bad(p, part,
                       "expected a field, as in_port=1 or ip_dst=10.0.0.0/8, or a protocol, "
                       "as ip, ipv6, arp, tcp, udp6");
}

int of_parse_flow_match(struct of_parser *p, const char *s, size_t len, struct of_match *match)
{
    struct part all = {s, len}, left = all, part;
    char copy[MATCH_SIZE];
    struct text t = text_in(copy, sizeof(copy));
    const char *bad = NULL;

    while (of_text_next(&left, &part)) {
        int err = say_part(p, part, all, &t);

        if (err < 0)
            return err;
    }
    if (t.cut)
        return of_text_bad(p, all, "a match has at most %d characters", MATCH_SIZE - 1);
    if (of_parse_match(match, t.at, t.len, &bad) < 0)
        return match_failed(p, all, &t, bad);
    return 0;
}

/* ---- flows ---- */

static int parse_cookie(struct of_parser *p, struct part argument, enum of_flow_text what,
                        struct of_flow_mod *mod)
{
    uint64_t mask;
    int err = of_text_masked(p, argument, &mod->cookie, &mask);

    if (err == 0 && what == OF_FLOW_WITHOUT_ACTIONS)
        mod->cookie_mask = mask;
    else if (err == 0 && memchr(argument.at, '/', argument.len))
        mod->cookie_mask = mask;
    return err;
}

static const struct {
    const char *word;
    uint16_t flag;
} flag_words[] = {
    {"send_flow_rem", OFPFF_SEND_FLOW_REM},  {"check_overlap", OFPFF_CHECK_OVERLAP},
    {"reset_counts", OFPFF_RESET_COUNTS},    {"no_packet_counts", OFPFF_NO_PKT_COUNTS},
    {"no_byte_counts", OFPFF_NO_BYT_COUNTS},
};

static const char *const passed_over[] = {"duration", "n_packets", "n_bytes", "idle_age",
                                          "hard_age"};

/* 1: it was an attribute of the flow; 0: it was none. */
static int parse_attribute(struct of_parser *p, struct part part, enum of_flow_text what,
                           struct of_flow_mod *mod)
{
    struct part argument;
    uint64_t number;
    int err;

    for (size_t i = 0; i < COUNT(flag_words); i++)
        if (of_text_is(part, flag_words[i].word)) {
            mod->flags |= flag_words[i].flag;
            return 1;
        }
    for (size_t i = 0; i < COUNT(passed_over); i++)
        if (of_text_argument(part, passed_over[i], &argument))
            return 1;
    if (of_text_argument(part, "table", &argument)) {
        err = of_text_number(p, argument, OFPTT_MAX, &number);
        mod->table_id = (uint8_t)number;
    } else if (of_text_argument(part, "priority", &argument)) {
        err = of_text_number(p, argument, UINT16_MAX, &number);
        mod->priority = (uint16_t)number;
    } else if (of_text_argument(part, "idle_timeout", &argument)) {
        err = of_text_number(p, argument, UINT16_MAX, &number);
        mod->idle_timeout = (uint16_t)number;
    } else if (of_text_argument(part, "hard_timeout", &argument)) {
        err = of_text_number(p, argument, UINT16_MAX, &number);
        mod->hard_timeout = (uint16_t)number;
    } else if (of_text_argument(part, "cookie", &argument)) {
        err = parse_cookie(p, argument, what, mod);
    } else if (of_text_argument(part, "out_port", &argument)) {
        err = of_parse_port(p, argument.at, argument.len, &mod->out_port);
    } else if (of_text_argument(part, "out_group", &argument)) {
        err = of_text_number(p, argument, UINT32_MAX, &number);
        mod->out_group = (uint32_t)number;
    } else {
        return 0;
    }
    return err < 0 ? err : 1;
}

/* Splits "... actions=..." in two; false when there are no actions. */
static bool split_actions(struct part all, struct part *head, struct part *actions)
{
    struct part left = all, part;

    while (of_text_next(&left, &part)) {
        if (part.len < 8 ||
            (strncasecmp(part.at, "actions=", 8) != 0 && strncasecmp(part.at, "action=", 7) != 0))
            continue;
        const char *equals = memchr(part.at, '=', part.len);
        *head = (struct part){all.at, (size_t)(part.at - all.at)};
        *actions = (struct part){equals + 1, (size_t)(all.at + all.len - equals - 1)};
        return true;
    }
    *head = all;
    return false;
}

static const struct {
    const char *word;
    uint8_t command;
} commands[] = {
    {"add", OFPFC_ADD},
    {"modify", OFPFC_MODIFY},
    {"modify_strict", OFPFC_MODIFY_STRICT},
    {"delete", OFPFC_DELETE},
    {"delete_strict", OFPFC_DELETE_STRICT},
};

/* Takes a command off the front, if there is one. */
static void take_command(struct part *all, enum of_flow_text *what, struct of_flow_mod *mod)
{
    struct part left = *all, part;

    if (!of_text_next(&left, &part))
        return;
    for (size_t i = 0; i < COUNT(commands); i++)
        if (of_text_is(part, commands[i].word)) {
            mod->command = commands[i].command;
            *what = mod->command == OFPFC_DELETE || mod->command == OFPFC_DELETE_STRICT
                        ? OF_FLOW_WITHOUT_ACTIONS
                        : OF_FLOW_WITH_ACTIONS;
            *all = left;
        }
}

/* Attributes are taken; what remains is the match. */
static int parse_head(struct of_parser *p, struct part head, enum of_flow_text what,
                      struct of_flow_mod *mod)
{
    struct part left = head, part;
    char *copy = arena_alloc(p->arena, head.len + 1);
    size_t len = 0;

    if (!copy)
        return -ENOMEM;
    memset(copy, ' ', head.len); /* where attributes stood, so that places stay */
    while (of_text_next(&left, &part)) {
        int err = parse_attribute(p, part, what, mod);

        if (err < 0)
            return err;
        if (err == 0)
            memcpy(copy + (part.at - head.at), part.at, part.len);
        len = (size_t)(part.at - head.at) + part.len;
    }
    int err = of_parse_flow_match(p, copy, len, &mod->match);
    if (err == -EINVAL)
        p->at = head.at + (p->at - copy);
    return err;
}

int of_parse_flow(struct of_parser *p, const char *s, size_t len, enum of_flow_text what,
                  struct of_flow_mod *mod)
{
    struct part all = {s, len}, head, actions;
    uint8_t command = mod->command;

    memset(mod, 0, sizeof(*mod));
    mod->command = command;
    take_command(&all, &what, mod);
    mod->priority = OF_FLOW_TEXT_PRIORITY;
    mod->table_id = what == OF_FLOW_WITHOUT_ACTIONS ? OFPTT_ALL : 0;
    mod->buffer_id = OFP_NO_BUFFER;
    mod->out_port = OFPP_ANY;
    mod->out_group = OFPG_ANY;
    bool found = split_actions(all, &head, &actions);
    if (found && what == OF_FLOW_WITHOUT_ACTIONS)
        return of_text_bad(p, actions, "a filter has no actions: the part from actions= goes");
    if (!found && what == OF_FLOW_WITH_ACTIONS)
        return of_text_bad(p, all, "expected actions=..., as actions=output:1 or actions=drop");
    int err = parse_head(p, head, what, mod);
    if (err < 0 || !found)
        return err;
    return of_parse_instructions(p, actions.at, actions.len, &mod->instructions);
}

void of_print_flow(struct text *t, const struct of_flow_mod *mod)
{
    if (mod->cookie)
        text_add(t, "cookie=0x%llx,", (unsigned long long)mod->cookie);
    text_add(t, "table=%u,", mod->table_id);
    if (mod->idle_timeout)
        text_add(t, "idle_timeout=%u,", mod->idle_timeout);
    if (mod->hard_timeout)
        text_add(t, "hard_timeout=%u,", mod->hard_timeout);
    for (size_t i = 0; i < COUNT(flag_words); i++)
        if (mod->flags & flag_words[i].flag)
            text_add(t, "%s,", flag_words[i].word);
    text_add(t, "priority=%u%s", mod->priority, mod->match.fields ? "," : "");
    of_print_match(t, &mod->match);
    text_add(t, " actions=");
    of_print_instructions(t, &mod->instructions);
}
