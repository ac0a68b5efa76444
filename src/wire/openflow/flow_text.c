/*
 * flow_text.c -- see flow_text.h. Actions, instructions, flows; groups and meters are
 * group_text.c's.
 *
 * A text is a list of parts between commas and blanks; brackets hold together what is between them.
 * A part is a word, or a word and an argument behind "=" or ":", or in brackets. Actions that have
 * one number are rows of a table; the others have a function each.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/openflow/text_inner.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- parts ---- */

int of_text_bad(struct of_parser *p, struct part part, const char *format, ...)
{
    struct text why = text_in(p->why, sizeof(p->why));
    va_list arguments;

    p->at = part.at;
    p->len = part.len;
    va_start(arguments, format);
    text_vadd(&why, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

static bool is_gap(char c)
{
    return c == ',' || isspace((unsigned char)c);
}

bool of_text_next(struct part *left, struct part *part)
{
    size_t n = 0;
    int depth = 0;

    while (left->len > 0 && is_gap(*left->at)) {
        left->at++;
        left->len--;
    }
    while (n < left->len && (depth > 0 || !is_gap(left->at[n]))) {
        depth += (left->at[n] == '(') - (left->at[n] == ')' && depth > 0);
        n++;
    }
    *part = (struct part){left->at, n};
    left->at += n;
    left->len -= n;
    return n > 0;
}

bool of_text_is(struct part part, const char *word)
{
    return strlen(word) == part.len && strncasecmp(part.at, word, part.len) == 0;
}

bool of_text_argument(struct part part, const char *word, struct part *argument)
{
    size_t n = strlen(word);

    if (part.len <= n || strncasecmp(part.at, word, n) != 0)
        return false;
    if (part.at[n] == '=' || part.at[n] == ':') {
        *argument = (struct part){part.at + n + 1, part.len - n - 1};
        return true;
    }
    if (part.at[n] != '(' || part.at[part.len - 1] != ')')
        return false;
    *argument = (struct part){part.at + n + 1, part.len - n - 2};
    return true;
}

int of_text_number(struct of_parser *p, struct part part, uint64_t max, uint64_t *number)
{
    char copy[32], *end = copy;
    unsigned long long value = 0;

    *number = 0;
    if (part.len > 0 && part.len < sizeof(copy) && isdigit((unsigned char)*part.at)) {
        memcpy(copy, part.at, part.len);
        copy[part.len] = '\0';
        errno = 0;
        value = strtoull(copy, &end, 0);
    }
    if (end == copy || *end || errno == ERANGE || value > max)
        return of_text_bad(p, part, "expected a number from 0 to %llu", (unsigned long long)max);
    *number = value;
    return 0;
}

/* "value/mask"; the mask is all ones when left out. -1 stands for all ones. */
int of_text_masked(struct of_parser *p, struct part part, uint64_t *value, uint64_t *mask)
{
    const char *slash = memchr(part.at, '/', part.len);
    struct part head = {part.at, slash ? (size_t)(slash - part.at) : part.len};
    struct part tail = {slash ? slash + 1 : NULL, slash ? part.len - head.len - 1 : 0};
    int err = of_text_number(p, head, UINT64_MAX, value);

    *mask = UINT64_MAX;
    if (err == 0 && slash && !of_text_is(tail, "-1"))
        err = of_text_number(p, tail, UINT64_MAX, mask);
    return err;
}

/* ---- ports ---- */

static const struct {
    const char *name;
    uint32_t port;
} reserved[] = {
    {"IN_PORT", OFPP_IN_PORT}, {"TABLE", OFPP_TABLE}, {"NORMAL", OFPP_NORMAL},
    {"FLOOD", OFPP_FLOOD},     {"ALL", OFPP_ALL},     {"CONTROLLER", OFPP_CONTROLLER},
    {"LOCAL", OFPP_LOCAL},     {"ANY", OFPP_ANY},     {"NONE", OFPP_ANY},
};

/* The port with this name; false when there is none. */
static bool named_port(const struct of_parser *p, struct part part, uint32_t *port)
{
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (of_text_is(part, reserved[i].name)) {
            *port = reserved[i].port;
            return true;
        }
    if (part.len >= 2 && part.at[0] == '"' && part.at[part.len - 1] == '"')
        part = (struct part){part.at + 1, part.len - 2};
    for (size_t i = 0; p->ports && i < p->ports->count; i++) {
        const char *name = p->ports->at[i].name;

        if (strnlen(name, OFP_NAME_SIZE) == part.len && memcmp(name, part.at, part.len) == 0) {
            *port = p->ports->at[i].port_no;
            return true;
        }
    }
    return false;
}

int of_parse_port(struct of_parser *p, const char *s, size_t len, uint32_t *port)
{
    struct part part = {s, len};
    uint64_t number;

    if (named_port(p, part, port))
        return 0;
    if (of_text_number(p, part, UINT32_MAX, &number) < 0)
        return of_text_bad(p, part,
                           "expected a port: a number, %sIN_PORT, TABLE, NORMAL, FLOOD, ALL, "
                           "CONTROLLER or LOCAL",
                           p->ports ? "a port's name, " : "");
    *port = (uint32_t)number;
    return 0;
}

/* ---- actions ---- */

static int parse_u32(struct of_parser *p, struct part argument, struct of_action *a)
{
    uint64_t number;
    int err = of_text_number(p, argument, UINT32_MAX, &number);

    a->group_id = (uint32_t)number; /* or queue_id */
    return err;
}

static int parse_ethertype(struct of_parser *p, struct part argument, struct of_action *a)
{
    uint64_t number;
    int err = of_text_number(p, argument, UINT16_MAX, &number);

    a->ethertype = (uint16_t)number;
    return err;
}

static int parse_ttl(struct of_parser *p, struct part argument, struct of_action *a)
{
    uint64_t number;
    int err = of_text_number(p, argument, UINT8_MAX, &number);

    a->ttl = (uint8_t)number;
    return err;
}

/* output:N, output(port=N,max_len=M). */
static int parse_output(struct of_parser *p, struct part argument, struct of_action *a)
{
    struct part left = argument, part, value;
    uint64_t number;
    int err = 0;

    *a = of_output(OFPP_ANY);
    if (!memchr(argument.at, '=', argument.len))
        return of_parse_port(p, argument.at, argument.len, &a->output.port);
    while (err == 0 && of_text_next(&left, &part)) {
        if (of_text_argument(part, "port", &value)) {
            err = of_parse_port(p, value.at, value.len, &a->output.port);
        } else if (of_text_argument(part, "max_len", &value)) {
            err = of_text_number(p, value, UINT16_MAX, &number);
            a->output.max_len = (uint16_t)number;
        } else {
            err = of_text_bad(p, part, "expected port=PORT or max_len=OCTETS");
        }
    }
    return err;
}

/* CONTROLLER:LEN, controller(max_len=LEN). */
static int parse_controller(struct of_parser *p, struct part argument, struct of_action *a)
{
    struct part value = argument;
    uint64_t number;
    int err;

    (void)of_text_argument(argument, "max_len", &value);
    err = of_text_number(p, value, UINT16_MAX, &number);
    *a = of_output(OFPP_CONTROLLER);
    a->output.max_len = (uint16_t)number;
    return err;
}

/* The position of "->" in the part, or NULL. */
static const char *find_arrow(struct part part)
{
    for (size_t i = 0; i + 1 < part.len; i++)
        if (part.at[i] == '-' && part.at[i + 1] == '>')
            return part.at + i;
    return NULL;
}

static int split_arrow(struct of_parser *p, struct part part, struct part *from, struct part *to)
{
    const char *arrow = find_arrow(part);

    if (!arrow)
        return of_text_bad(p, part, "expected \"->\" and the field that is written");
    *from = (struct part){part.at, (size_t)(arrow - part.at)};
    *to = (struct part){arrow + 2, part.len - from->len - 2};
    return 0;
}

/* Fields under the names of NXM and OXM, which ovs-ofctl prints in load and move: the identifier
 * behind the prefix. */
static const struct of_field *field_by_oxm_name(struct part name)
{
    static const char *const ids[] = {
#define OF_FIELD(id, ...) #id,
#include "wire/openflow/fields.def"
#undef OF_FIELD
    };
    static const struct {
        const char *name;
        enum of_field_id id;
    } others[] = {
        {"TUN_ID", OF_TUNNEL_ID},      {"TUN_IPV4_SRC", OF_TUN_SRC},
        {"TUN_IPV4_DST", OF_TUN_DST},  {"IP_SRC", OF_IPV4_SRC},
        {"IP_DST", OF_IPV4_DST},       {"IPV6_LABEL", OF_IPV6_FLABEL},
        {"ICMP_TYPE", OF_ICMPV4_TYPE}, {"ICMP_CODE", OF_ICMPV4_CODE},
    };
    struct part id = {name.at + 7, name.len - 7};

    for (size_t i = 0; i < OF_FIELD_COUNT; i++)
        if (of_text_is(id, ids[i]))
            return &of_fields[i];
    for (size_t i = 0; i < COUNT(others); i++)
        if (of_text_is(id, others[i].name))
            return &of_fields[others[i].id];
    return NULL;
}

static const struct of_field *find_field(struct part name)
{
    static const char *const prefixes[] = {"OXM_OF_", "NXM_OF_", "NXM_NX_"};

    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (name.len > 7 && strncasecmp(name.at, prefixes[i], 7) == 0)
            return field_by_oxm_name(name);
    return of_field_by_name(name.at, name.len);
}

/* vlan_vid as people write it is the number in the tag. */
static void mark_present(const struct of_field *f, uint8_t *value)
{
    if (f == &of_fields[OF_VLAN_VID])
        value[0] |= OFPVID_PRESENT >> 8;
}

static int set_field(struct of_parser *p, struct part from, struct part to, struct of_action *a)
{
    const struct of_field *f = find_field(to);
    uint8_t value[16], mask[16];

    if (!f)
        return of_text_bad(p, to, "expected a field's name, as eth_dst or tun_id");
    if (!f->writable)
        return of_text_bad(p, to, "%s can be matched but not written", f->name);
    if (memchr(from.at, '/', from.len))
        return of_text_bad(p, from,
                           "set_field of OpenFlow 1.3 writes whole fields: write bits with "
                           "load:VALUE->FIELD[FIRST..LAST]");
    if (of_parse_field(f, from.at, from.len, value, mask) < 0)
        return of_text_bad(p, from, "this is no value of %s (%u bits)", f->name, f->bits);
    mark_present(f, value);
    if (f->bytes <= 8) {
        struct reader r = reader_of(value, f->bytes);

        if (f->bits < 64 && rd_uint(&r, f->bytes) >> f->bits)
            return of_text_bad(p, from, "%s has %u bits", f->name, f->bits);
    }
    *a = of_set_field_bytes(of_field_id(f), value);
    return 0;
}

static int parse_set_field(struct of_parser *p, struct part argument, struct of_action *a)
{
    struct part from = {"", 0}, to = {"", 0};
    int err = split_arrow(p, argument, &from, &to);

    return err < 0 ? err : set_field(p, from, to, a);
}

/* "reg0[0..15]", "tun_id[]", "reg1[3]", "reg1". */
struct bits {
    const struct of_field *field;
    unsigned first, count;
};

static int parse_bits(struct of_parser *p, struct part part, struct bits *bits)
{
    const char *bracket = memchr(part.at, '[', part.len);
    struct part name = {part.at, bracket ? (size_t)(bracket - part.at) : part.len};
    struct part range = {bracket ? bracket + 1 : NULL, 0};
    uint64_t first, last;

    bits->field = find_field(name);
    if (!bits->field)
        return of_text_bad(p, name, "expected a field's name, as reg0 or tun_id");
    bits->first = 0;
    bits->count = bits->field->bits;
    if (!bracket)
        return 0;
    if (part.len < name.len + 2 || part.at[part.len - 1] != ']')
        return of_text_bad(p, part, "expected \"]\" at the end");
    range.len = part.len - name.len - 2;
    if (range.len == 0)
        return 0;
    const char *dots = memmem(range.at, range.len, "..", 2);
    struct part low = {range.at, dots ? (size_t)(dots - range.at) : range.len};
    struct part high = {dots ? dots + 2 : low.at, dots ? range.len - low.len - 2 : low.len};
    if (of_text_number(p, low, bits->field->bits - 1u, &first) < 0 ||
        of_text_number(p, high, bits->field->bits - 1u, &last) < 0)
        return -EINVAL;
    if (last < first)
        return of_text_bad(p, range, "the last bit stands before the first");
    bits->first = (unsigned)first;
    bits->count = (unsigned)(last - first + 1);
    return 0;
}

static int parse_load(struct of_parser *p, struct part argument, struct of_action *a)
{
    struct part from = {"", 0}, to = {"", 0};
    struct bits bits = {NULL, 0, 0};
    uint64_t value;
    int err = split_arrow(p, argument, &from, &to);

    if (err < 0 || (err = parse_bits(p, to, &bits)) < 0)
        return err;
    if (!bits.field->writable)
        return of_text_bad(p, to, "%s can be matched but not written", bits.field->name);
    if (bits.count > 64)
        return of_text_bad(p, to, "load writes at most 64 bits, these are %u", bits.count);
    err = of_text_number(p, from, bits.count < 64 ? (UINT64_C(1) << bits.count) - 1 : UINT64_MAX,
                         &value);
    a->type = OF_NX_REG_LOAD;
    a->reg_load.field = of_field_id(bits.field);
    a->reg_load.offset = (uint8_t)bits.first;
    a->reg_load.n_bits = (uint8_t)bits.count;
    a->reg_load.value = value;
    return err;
}

static int parse_move(struct of_parser *p, struct part argument, struct of_action *a)
{
    struct part from = {"", 0}, to = {"", 0};
    struct bits source = {NULL, 0, 0}, target = {NULL, 0, 0};
    int err = split_arrow(p, argument, &from, &to);

    if (err < 0 || (err = parse_bits(p, from, &source)) < 0 ||
        (err = parse_bits(p, to, &target)) < 0)
        return err;
    if (!target.field->writable)
        return of_text_bad(p, to, "%s can be matched but not written", target.field->name);
    if (source.count != target.count)
        return of_text_bad(p, argument, "%u bits do not go into %u", source.count, target.count);
    a->type = OF_NX_REG_MOVE;
    a->reg_move.from = of_field_id(source.field);
    a->reg_move.to = of_field_id(target.field);
    a->reg_move.from_offset = (uint16_t)source.first;
    a->reg_move.to_offset = (uint16_t)target.first;
    a->reg_move.n_bits = (uint16_t)source.count;
    return 0;
}

static const struct action_word {
    const char *name;
    uint32_t type;
    int (*parse)(struct of_parser *p, struct part argument, struct of_action *a); /* NULL: alone */
    enum of_field_id field; /* SET_FIELD without parse: OpenFlow 1.0's name for writing it */
} action_words[] = {
    {"output", OFPAT_OUTPUT, parse_output, 0},
    {"controller", OFPAT_OUTPUT, parse_controller, 0},
    {"set_field", OFPAT_SET_FIELD, parse_set_field, 0},
    {"load", OF_NX_REG_LOAD, parse_load, 0},
    {"move", OF_NX_REG_MOVE, parse_move, 0},
    {"group", OFPAT_GROUP, parse_u32, 0},
    {"set_queue", OFPAT_SET_QUEUE, parse_u32, 0},
    {"push_vlan", OFPAT_PUSH_VLAN, parse_ethertype, 0},
    {"push_mpls", OFPAT_PUSH_MPLS, parse_ethertype, 0},
    {"pop_mpls", OFPAT_POP_MPLS, parse_ethertype, 0},
    {"push_pbb", OFPAT_PUSH_PBB, parse_ethertype, 0},
    {"set_mpls_ttl", OFPAT_SET_MPLS_TTL, parse_ttl, 0},
    {"set_nw_ttl", OFPAT_SET_NW_TTL, parse_ttl, 0},
    {"mod_nw_ttl", OFPAT_SET_NW_TTL, parse_ttl, 0},
    {"pop_vlan", OFPAT_POP_VLAN, NULL, 0},
    {"strip_vlan", OFPAT_POP_VLAN, NULL, 0},
    {"pop_pbb", OFPAT_POP_PBB, NULL, 0},
    {"dec_ttl", OFPAT_DEC_NW_TTL, NULL, 0},
    {"dec_mpls_ttl", OFPAT_DEC_MPLS_TTL, NULL, 0},
    {"copy_ttl_out", OFPAT_COPY_TTL_OUT, NULL, 0},
    {"copy_ttl_in", OFPAT_COPY_TTL_IN, NULL, 0},
    {"mod_dl_src", OFPAT_SET_FIELD, NULL, OF_ETH_SRC},
    {"mod_dl_dst", OFPAT_SET_FIELD, NULL, OF_ETH_DST},
    {"mod_nw_src", OFPAT_SET_FIELD, NULL, OF_IPV4_SRC},
    {"mod_nw_dst", OFPAT_SET_FIELD, NULL, OF_IPV4_DST},
    {"mod_vlan_vid", OFPAT_SET_FIELD, NULL, OF_VLAN_VID},
    {"mod_vlan_pcp", OFPAT_SET_FIELD, NULL, OF_VLAN_PCP},
    {"set_tunnel", OFPAT_SET_FIELD, NULL, OF_TUNNEL_ID},
    {"set_tunnel64", OFPAT_SET_FIELD, NULL, OF_TUNNEL_ID},
};

/* The action word that is nearest to what was written, or NULL. */
static const char *nearest_action(struct part part)
{
    char word[32];
    const char *nearest = NULL;
    unsigned least = 3;
    size_t n = 0;

    while (n < part.len && n + 1 < sizeof(word) &&
           (isalnum((unsigned char)part.at[n]) || part.at[n] == '_'))
        n++;
    memcpy(word, part.at, n);
    word[n] = '\0';
    for (size_t i = 0; i < COUNT(action_words); i++) {
        unsigned d = word_distance(word, action_words[i].name);

        if (d < least) {
            least = d;
            nearest = action_words[i].name;
        }
    }
    return nearest;
}

static int unknown_action(struct of_parser *p, struct part part)
{
    const char *nearest = nearest_action(part);

    if (nearest)
        return of_text_bad(p, part, "this is no action; did you mean %s?", nearest);
    return of_text_bad(
        p, part,
        "expected an action: output:PORT, CONTROLLER:OCTETS, set_field:VALUE->FIELD, "
        "load, move, group:N, push_vlan:0x8100, pop_vlan, dec_ttl, drop ...");
}

static int parse_action(struct of_parser *p, struct part part, struct of_action *a)
{
    struct part argument;
    uint32_t port;

    memset(a, 0, sizeof(*a));
    for (size_t i = 0; i < COUNT(action_words); i++) {
        const struct action_word *w = &action_words[i];
        const char *name = of_fields[w->field].name;

        a->type = w->type;
        if (!w->parse && w->type != OFPAT_SET_FIELD && of_text_is(part, w->name))
            return 0;
        if (!of_text_argument(part, w->name, &argument))
            continue;
        if (w->parse)
            return w->parse(p, argument, a);
        if (w->type != OFPAT_SET_FIELD)
            return of_text_bad(p, part, "%s has no argument", w->name);
        return set_field(p, argument, (struct part){name, strlen(name)}, a);
    }
    if (!named_port(p, part, &port) && !isdigit((unsigned char)*part.at))
        return unknown_action(p, part);
    *a = of_output(OFPP_ANY);
    return of_parse_port(p, part.at, part.len, &a->output.port);
}

/* ---- lists ---- */

static size_t count_parts(struct part left)
{
    struct part part;
    size_t count = 0;

    while (of_text_next(&left, &part))
        count++;
    return count;
}

int of_parse_actions(struct of_parser *p, const char *s, size_t len, struct of_actions *actions)
{
    struct part left = {s, len}, part;
    size_t count = count_parts(left);

    *actions = (struct of_actions){NULL, 0};
    if (count == 0)
        return of_text_bad(p, left, "expected actions, or drop");
    if (count == 1 && of_text_next(&left, &part) && of_text_is(part, "drop"))
        return 0;
    left = (struct part){s, len};
    actions->at = arena_array(p->arena, count, sizeof(*actions->at));
    if (!actions->at)
        return -ENOMEM;
    while (of_text_next(&left, &part)) {
        int err = of_text_is(part, "drop")
                      ? of_text_bad(p, part, "drop stands alone, without other actions")
                      : parse_action(p, part, &actions->at[actions->count]);

        if (err < 0)
            return err;
        actions->count++;
    }
    return 0;
}

/* Is it an instruction by its own name? 1, 0 or what is wrong with it. */
static int parse_instruction(struct of_parser *p, struct part part, struct of_instruction *in)
{
    struct part argument;
    uint64_t number;
    int err = 0;

    memset(in, 0, sizeof(*in));
    if (of_text_argument(part, "goto_table", &argument)) {
        in->type = OFPIT_GOTO_TABLE;
        err = of_text_number(p, argument, OFPTT_MAX, &number);
        in->table_id = (uint8_t)number;
    } else if (of_text_argument(part, "meter", &argument)) {
        in->type = OFPIT_METER;
        err = of_text_number(p, argument, UINT32_MAX, &number);
        in->meter_id = (uint32_t)number;
    } else if (of_text_argument(part, "write_metadata", &argument)) {
        in->type = OFPIT_WRITE_METADATA;
        err = of_text_masked(p, argument, &in->write_metadata.metadata, &in->write_metadata.mask);
    } else if (of_text_argument(part, "write_actions", &argument)) {
        in->type = OFPIT_WRITE_ACTIONS;
        err = of_parse_actions(p, argument.at, argument.len, &in->actions);
    } else if (of_text_argument(part, "apply_actions", &argument)) {
        in->type = OFPIT_APPLY_ACTIONS;
        err = of_parse_actions(p, argument.at, argument.len, &in->actions);
    } else if (of_text_is(part, "clear_actions")) {
        in->type = OFPIT_CLEAR_ACTIONS;
    } else {
        return 0;
    }
    return err < 0 ? err : 1;
}

/* The list under construction. */
struct instruction_list {
    struct of_instructions *to;
    struct of_action *actions; /* room for as many as there are parts */
    size_t used;
    uint32_t seen; /* bit per type */
    bool open;     /* the last part was an action */
    bool drop;     /* the word was there */
};

/* One type may stand once (clause 5.9), so plain actions must stand together. */
static int add_instruction(struct of_parser *p, struct part part, struct instruction_list *l,
                           const struct of_instruction *in)
{
    if (l->seen & 1u << in->type)
        return of_text_bad(p, part,
                           in->type == OFPIT_APPLY_ACTIONS
                               ? "the actions that are applied must stand together"
                               : "this instruction is there twice");
    l->seen |= 1u << in->type;
    l->to->at[l->to->count++] = *in;
    return 0;
}

static int add_applied(struct of_parser *p, struct part part, struct instruction_list *l)
{
    struct of_instruction apply = {.type = OFPIT_APPLY_ACTIONS};
    int err = 0;

    if (l->drop)
        return of_text_bad(p, part, "drop stands alone, without other actions");
    if (!l->open) {
        apply.actions.at = l->actions + l->used;
        if ((err = add_instruction(p, part, l, &apply)) < 0)
            return err;
        l->open = true;
    }
    if ((err = parse_action(p, part, &l->actions[l->used])) < 0)
        return err;
    l->used++;
    l->to->at[l->to->count - 1].actions.count++;
    return 0;
}

int of_parse_instructions(struct of_parser *p, const char *s, size_t len,
                          struct of_instructions *instructions)
{
    struct part left = {s, len}, part;
    size_t count = count_parts(left);
    struct instruction_list l = {.to = instructions};
    struct of_instruction in;
    int err = 0;

    *instructions = (struct of_instructions){NULL, 0};
    if (count == 0)
        return of_text_bad(p, left, "expected actions, or drop");
    instructions->at = arena_array(p->arena, count, sizeof(*instructions->at));
    l.actions = arena_array(p->arena, count, sizeof(*l.actions));
    if (!instructions->at || !l.actions)
        return -ENOMEM;
    while (err >= 0 && of_text_next(&left, &part)) {
        if (of_text_is(part, "drop")) {
            if (l.used)
                return of_text_bad(p, part, "drop stands alone, without other actions");
            l.drop = true;
            continue;
        }
        err = parse_instruction(p, part, &in);
        if (err > 0) {
            l.open = false;
            err = add_instruction(p, part, &l, &in);
        } else if (err == 0) {
            err = add_applied(p, part, &l);
        }
    }
    return err < 0 ? err : 0;
}
