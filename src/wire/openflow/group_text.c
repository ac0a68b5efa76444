/*
 * group_text.c -- see flow_text.h: groups and meters in the language of ovs-ofctl.
 *
 * A group's buckets stand behind one another, each begun by "bucket="; a meter's bands behind
 * "bands=", each begun by "type=".
 */
#include <errno.h>

#include "wire/openflow/text_inner.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const group_types[] = {"all", "select", "indirect", "fast_failover"};

const char *of_group_type_name(uint8_t type)
{
    return type < COUNT(group_types) ? group_types[type] : "unknown";
}

/* ---- groups ---- */

/* What begins a bucket: 0, or the length of the word. */
static size_t bucket_word(struct part part)
{
    static const char *const words[] = {"bucket=", "buckets="};

    for (size_t i = 0; i < COUNT(words); i++)
        if (part.len >= strlen(words[i]) && strncasecmp(part.at, words[i], strlen(words[i])) == 0)
            return strlen(words[i]);
    return 0;
}

static size_t count_buckets(struct part left)
{
    struct part part;
    size_t count = 0;

    while (of_text_next(&left, &part))
        count += bucket_word(part) > 0;
    return count;
}

static bool begins_actions(struct part part, size_t *skip)
{
    *skip = 0;
    if (part.len >= 8 && strncasecmp(part.at, "actions", 7) == 0 &&
        (part.at[7] == '=' || part.at[7] == ':'))
        *skip = 8;
    return *skip > 0;
}

static int parse_bucket_word(struct of_parser *p, struct part part, struct of_bucket *bucket)
{
    struct part argument;
    uint64_t number;
    int err;

    if (of_text_argument(part, "weight", &argument)) {
        err = of_text_number(p, argument, UINT16_MAX, &number);
        bucket->weight = (uint16_t)number;
    } else if (of_text_argument(part, "watch_port", &argument)) {
        err = of_parse_port(p, argument.at, argument.len, &bucket->watch_port);
    } else if (of_text_argument(part, "watch_group", &argument)) {
        err = of_text_number(p, argument, UINT32_MAX, &number);
        bucket->watch_group = (uint32_t)number;
    } else if (of_text_argument(part, "bucket_id", &argument)) {
        err = of_text_number(p, argument, UINT32_MAX, &number); /* OpenFlow 1.5's; places count */
    } else {
        /* An action without "actions=" before it. */
        return 0;
    }
    return err < 0 ? err : 1;
}

static int parse_bucket(struct of_parser *p, struct part left, uint8_t type,
                        struct of_bucket *bucket)
{
    struct part part, rest;
    size_t skip;

    *bucket = (struct of_bucket){
        .weight = type == OFPGT_SELECT, .watch_port = OFPP_ANY, .watch_group = OFPG_ANY};
    while (of_text_next(&left, &part)) {
        if (begins_actions(part, &skip)) {
            rest = (struct part){part.at + skip, part.len - skip + left.len};
            return of_parse_actions(p, rest.at, rest.len, &bucket->actions);
        }
        int err = parse_bucket_word(p, part, bucket);
        if (err < 0)
            return err;
        if (err == 0) {
            rest = (struct part){part.at, part.len + left.len};
            return of_parse_actions(p, rest.at, rest.len, &bucket->actions);
        }
    }
    return 0;
}

/* Every bucket from its "bucket=" to the next one's. */
static int parse_buckets(struct of_parser *p, struct part left, struct of_group_mod *mod)
{
    size_t count = count_buckets(left);
    struct part part, body = {NULL, 0};
    size_t word;
    int err = 0;

    if (count == 0)
        return 0;
    mod->buckets.at = arena_array(p->arena, count, sizeof(*mod->buckets.at));
    if (!mod->buckets.at)
        return -ENOMEM;
    while (err == 0 && of_text_next(&left, &part)) {
        if ((word = bucket_word(part))) {
            if (body.at)
                err = parse_bucket(p, body, mod->type, &mod->buckets.at[mod->buckets.count++]);
            body = (struct part){part.at + word, part.len - word};
        } else {
            body.len = (size_t)(part.at + part.len - body.at);
        }
    }
    if (err == 0)
        err = parse_bucket(p, body, mod->type, &mod->buckets.at[mod->buckets.count++]);
    return err;
}

static int parse_group_id(struct of_parser *p, struct part argument, uint32_t *id)
{
    uint64_t number;
    int err = 0;

    if (of_text_is(argument, "all")) {
        *id = OFPG_ALL;
    } else {
        err = of_text_number(p, argument, OFPG_MAX, &number);
        *id = (uint32_t)number;
    }
    return err;
}

static int parse_group_type(struct of_parser *p, struct part argument, uint8_t *type)
{
    for (size_t i = 0; i < COUNT(group_types); i++)
        if (of_text_is(argument, group_types[i]) || (i == OFPGT_FF && of_text_is(argument, "ff"))) {
            *type = (uint8_t)i;
            return 0;
        }
    return of_text_bad(p, argument, "expected all, select, indirect or fast_failover");
}

int of_parse_group(struct of_parser *p, const char *s, size_t len, struct of_group_mod *mod)
{
    struct part all = {s, len}, left = all, part, argument;
    uint16_t command = mod->command;
    bool named = false;
    int err = 0;

    *mod = (struct of_group_mod){.command = command};
    while (err == 0) {
        struct part before = left;

        if (!of_text_next(&left, &part))
            break;
        if (bucket_word(part)) {
            err = parse_buckets(p, before, mod);
            break;
        }
        if (of_text_argument(part, "group_id", &argument)) {
            err = parse_group_id(p, argument, &mod->group_id);
            named = true;
        } else if (of_text_argument(part, "type", &argument)) {
            err = parse_group_type(p, argument, &mod->type);
        } else {
            err = of_text_bad(p, part, "expected group_id=N, type=TYPE or bucket=...");
        }
    }
    if (err == 0 && !named)
        err = of_text_bad(p, all, "expected group_id=N");
    return err;
}

void of_print_group(struct text *t, uint32_t id, uint8_t type, const struct of_buckets *buckets)
{
    text_add(t, "group_id=%u,type=%s", id, of_group_type_name(type));
    for (size_t i = 0; i < buckets->count; i++) {
        const struct of_bucket *b = &buckets->at[i];

        text_add(t, ",bucket=");
        if (b->weight != (type == OFPGT_SELECT))
            text_add(t, "weight:%u,", b->weight);
        if (b->watch_port != OFPP_ANY) {
            text_add(t, "watch_port:");
            of_print_port(t, b->watch_port);
            text_add(t, ",");
        }
        if (b->watch_group != OFPG_ANY)
            text_add(t, "watch_group:%u,", b->watch_group);
        text_add(t, "actions=");
        of_print_actions(t, &b->actions);
    }
}

/* ---- meters ---- */

static const struct {
    const char *word;
    uint16_t flag;
} meter_flags[] = {
    {"kbps", OFPMF_KBPS}, {"pktps", OFPMF_PKTPS}, {"burst", OFPMF_BURST}, {"stats", OFPMF_STATS}};

static int parse_meter_id(struct of_parser *p, struct part argument, uint32_t *id)
{
    uint64_t number = 0;
    int err = 0;

    if (of_text_is(argument, "all"))
        number = OFPM_ALL;
    else if (of_text_is(argument, "controller"))
        number = OFPM_CONTROLLER;
    else if (of_text_is(argument, "slowpath"))
        number = OFPM_SLOWPATH;
    else
        err = of_text_number(p, argument, OFPM_MAX, &number);
    *id = (uint32_t)number;
    return err;
}

static int parse_band_type(struct of_parser *p, struct part argument, struct of_meter_mod *mod)
{
    struct of_meter_band *band = &mod->bands.at[mod->bands.count];

    if (of_text_is(argument, "drop"))
        band->type = OFPMBT_DROP;
    else if (of_text_is(argument, "dscp_remark"))
        band->type = OFPMBT_DSCP_REMARK;
    else
        return of_text_bad(p, argument, "expected drop or dscp_remark");
    mod->bands.count++;
    return 0;
}

/* A word of the band that was begun last. */
static int parse_band_word(struct of_parser *p, struct part part, struct of_meter_mod *mod)
{
    struct part argument;
    struct of_meter_band *band;
    uint64_t number;
    int err;

    if (of_text_argument(part, "type", &argument))
        return parse_band_type(p, argument, mod);
    if (mod->bands.count == 0)
        return of_text_bad(p, part, "expected type=drop or type=dscp_remark first in a band");
    band = &mod->bands.at[mod->bands.count - 1];
    if (of_text_argument(part, "rate", &argument)) {
        err = of_text_number(p, argument, UINT32_MAX, &number);
        band->rate = (uint32_t)number;
    } else if (of_text_argument(part, "burst_size", &argument)) {
        err = of_text_number(p, argument, UINT32_MAX, &number);
        band->burst_size = (uint32_t)number;
    } else if (of_text_argument(part, "prec_level", &argument)) {
        err = of_text_number(p, argument, UINT8_MAX, &number);
        band->prec_level = (uint8_t)number;
    } else {
        err = of_text_bad(p, part, "expected type=, rate=, burst_size= or prec_level=");
    }
    return err;
}

/* A word of the meter itself; 0 when it is none. */
static int parse_meter_word(struct of_parser *p, struct part part, struct of_meter_mod *mod,
                            bool *named)
{
    struct part argument;
    int err;

    for (size_t i = 0; i < COUNT(meter_flags); i++)
        if (of_text_is(part, meter_flags[i].word)) {
            mod->flags |= meter_flags[i].flag;
            return 1;
        }
    if (of_text_argument(part, "meter", &argument)) {
        err = parse_meter_id(p, argument, &mod->meter_id);
        *named = true;
        return err < 0 ? err : 1;
    }
    return 0;
}

int of_parse_meter(struct of_parser *p, const char *s, size_t len, struct of_meter_mod *mod)
{
    struct part all = {s, len}, left = all, part, argument;
    uint16_t command = mod->command;
    bool named = false;
    size_t count = 0;
    int err = 0;

    while (of_text_next(&left, &part))
        count++;
    *mod = (struct of_meter_mod){.command = command};
    mod->bands.at = arena_array(p->arena, count + 1, sizeof(*mod->bands.at));
    if (!mod->bands.at)
        return -ENOMEM;
    left = all;
    while (err >= 0 && of_text_next(&left, &part)) {
        /* "bands=type=drop": the first word of a band behind the word that begins it. */
        if (of_text_argument(part, "bands", &argument) || of_text_argument(part, "band", &argument))
            err = argument.len ? parse_band_word(p, argument, mod) : 0;
        else if ((err = parse_meter_word(p, part, mod, &named)) == 0)
            err = parse_band_word(p, part, mod);
    }
    if (err >= 0 && !named)
        err = of_text_bad(p, all, "expected meter=N");
    return err < 0 ? err : 0;
}

void of_print_meter(struct text *t, uint32_t id, uint16_t flags, const struct of_meter_bands *bands)
{
    text_add(t, "meter=");
    if (id == OFPM_CONTROLLER)
        text_add(t, "controller");
    else
        text_add(t, "%u", id);
    for (size_t i = 0; i < COUNT(meter_flags); i++)
        if (flags & meter_flags[i].flag)
            text_add(t, " %s", meter_flags[i].word);
    text_add(t, " bands=");
    for (size_t i = 0; i < bands->count; i++) {
        const struct of_meter_band *b = &bands->at[i];

        text_add(t, "%stype=%s rate=%u", i ? " " : "",
                 b->type == OFPMBT_DROP ? "drop" : "dscp_remark", b->rate);
        if (flags & OFPMF_BURST || b->burst_size)
            text_add(t, " burst_size=%u", b->burst_size);
        if (b->type == OFPMBT_DSCP_REMARK)
            text_add(t, " prec_level=%u", b->prec_level);
    }
}
