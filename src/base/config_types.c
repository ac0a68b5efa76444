/*
 * config_types.c -- the scalar types of config.h: how their text is read.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/config.h"

static bool parse_bool(const struct config_field *field, const char *text, void *value,
                       struct text *why)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},
                 {"false", false}, {"no", false}, {"off", false}};

    (void)field;
    (void)why;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i].word) == 0) {
            *(bool *)value = words[i].value;
            return true;
        }
    }
    return false;
}

static bool store_uint(size_t size, uint64_t number, void *value)
{
    if (size < 8 && number >> (8 * size) != 0)
        return false;
    switch (size) {
    case 1:
        *(uint8_t *)value = (uint8_t)number;
        return true;
    case 2:
        *(uint16_t *)value = (uint16_t)number;
        return true;
    case 4:
        *(uint32_t *)value = (uint32_t)number;
        return true;
    default:
        *(uint64_t *)value = number;
        return true;
    }
}

static bool in_bounds(const struct config_field *field, uint64_t number)
{
    if (field->max <= field->min)
        return true;
    return number <= INT64_MAX && (int64_t)number >= field->min && (int64_t)number <= field->max;
}

/* A number that begins `text`; false without a digit or on overflow. */
static bool take_number(const char *text, uint64_t *number, const char **rest)
{
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *number = strtoull(text, &end, text[0] == '0' && (text[1] | 32) == 'x' ? 16 : 10);
    *rest = end;
    return errno == 0;
}

static bool parse_uint(const struct config_field *field, const char *text, void *value,
                       struct text *why)
{
    uint64_t number;
    const char *rest;

    (void)why;
    return take_number(text, &number, &rest) && *rest == '\0' && in_bounds(field, number) &&
           store_uint(field->size, number, value);
}

static bool parse_text(const struct config_field *field, const char *text, void *value,
                       struct text *why)
{
    size_t len = strlen(text);

    if (len >= field->size) {
        text_add(why, "'%s' is longer than %zu characters", text, field->size - 1);
        return false;
    }
    memcpy(value, text, len + 1);
    return true;
}

static bool parse_ipv4(const struct config_field *field, const char *text, void *value,
                       struct text *why)
{
    (void)field;
    (void)why;
    return inet_pton(AF_INET, text, value) == 1;
}

static bool parse_ipv6(const struct config_field *field, const char *text, void *value,
                       struct text *why)
{
    (void)field;
    (void)why;
    return inet_pton(AF_INET6, text, value) == 1;
}

/* ADDRESS/LENGTH; the bits behind the prefix may be set (an interface's address is written so). */
static bool parse_prefix(int family, const char *text, void *address, uint8_t *length)
{
    char copy[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    const char *rest;
    uint64_t bits;

    if (!slash || (size_t)(slash - text) >= sizeof(copy))
        return false;
    memcpy(copy, text, (size_t)(slash - text));
    copy[slash - text] = '\0';
    if (!take_number(slash + 1, &bits, &rest) || *rest || bits > (family == AF_INET ? 32 : 128))
        return false;
    *length = (uint8_t)bits;
    return inet_pton(family, copy, address) == 1;
}

static bool parse_prefix4(const struct config_field *field, const char *text, void *value,
                          struct text *why)
{
    struct config_prefix4 *prefix = value;

    (void)field;
    (void)why;
    return parse_prefix(AF_INET, text, &prefix->address, &prefix->length);
}

static bool parse_prefix6(const struct config_field *field, const char *text, void *value,
                          struct text *why)
{
    struct config_prefix6 *prefix = value;

    (void)field;
    (void)why;
    return parse_prefix(AF_INET6, text, &prefix->address, &prefix->length);
}

static bool parse_endpoint(const struct config_field *field, const char *text, void *value,
                           struct text *why)
{
    struct sockaddr_in *v4 = value;
    struct sockaddr_in6 *v6 = value;
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2];
    const char *rest;
    uint64_t port;

    (void)field;
    (void)why;
    if (!colon || (size_t)(colon - text) >= sizeof(host))
        return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    if (!take_number(colon + 1, &port, &rest) || *rest || port > 65535)
        return false;
    memset(value, 0, sizeof(struct sockaddr_storage));
    size_t len = strlen(host);
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1;
    }
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &v4->sin_addr) == 1;
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* A number and one of the units ({NULL} ends); a bare number takes the first unit. */
static bool parse_with_unit(const struct config_field *field, const struct unit *units,
                            const char *text, void *value)
{
    uint64_t number;
    const char *rest;

    if (!take_number(text, &number, &rest))
        return false;
    for (const struct unit *unit = units; unit->name; unit++) {
        if (strcmp(rest, unit->name) != 0 && !(*rest == '\0' && unit == units))
            continue;
        uint64_t product;
        return !__builtin_mul_overflow(number, unit->factor, &product) &&
               in_bounds(field, product) && store_uint(field->size, product, value);
    }
    return false;
}

static bool parse_duration(const struct config_field *field, const char *text, void *value,
                           struct text *why)
{
    static const struct unit units[] = {{"ms", 1},      {"s", 1000},     {"min", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};

    (void)why;
    return parse_with_unit(field, units, text, value);
}

static bool parse_bitrate(const struct config_field *field, const char *text, void *value,
                          struct text *why)
{
    static const struct unit units[] = {
        {"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}, {NULL, 0}};

    (void)why;
    return parse_with_unit(field, units, text, value);
}

static bool parse_size(const struct config_field *field, const char *text, void *value,
                       struct text *why)
{
    static const struct unit units[] = {
        {"", 1}, {"k", 1024}, {"M", 1048576}, {"G", 1073741824}, {NULL, 0}};

    (void)why;
    return parse_with_unit(field, units, text, value);
}

static bool parse_enum(const struct config_field *field, const char *text, void *value,
                       struct text *why)
{
    const char *const *names = field->more;

    for (size_t i = 0; names[i]; i++) {
        if (strcasecmp(names[i], text) == 0)
            return store_uint(field->size, i, value);
    }
    text_add(why, "%s is none of:", text);
    for (size_t i = 0; names[i]; i++)
        text_add(why, " %s", names[i]);
    return false;
}

static bool parse_hex(const struct config_field *field, const char *text, void *value,
                      struct text *why)
{
    if (hex_parse(text, value, field->size) == (int)field->size)
        return true;
    /* The text may be a key: it is not repeated. */
    text_add(why, "expected %zu hexadecimal digits", 2 * field->size);
    return false;
}

static bool parse_string(const struct config_field *field, const char *text, void *value,
                         struct text *why)
{
    (void)field;
    (void)text;
    (void)value;
    (void)why;
    return true;
}

const struct config_type config_bool = {"yes or no", parse_bool, false};
const struct config_type config_uint = {"a number", parse_uint, false};
const struct config_type config_string = {"text", parse_string, true};
const struct config_type config_text = {"text", parse_text, false};
const struct config_type config_ipv4 = {"an IPv4 address", parse_ipv4, false};
const struct config_type config_ipv6 = {"an IPv6 address", parse_ipv6, false};
const struct config_type config_prefix4 = {"an IPv4 prefix (10.45.0.0/16)", parse_prefix4, false};
const struct config_type config_prefix6 = {"an IPv6 prefix (2001:db8::/48)", parse_prefix6, false};
const struct config_type config_endpoint = {"an address and port (127.0.0.1:36412)", parse_endpoint,
                                            false};
const struct config_type config_duration = {"a duration (500ms, 10s, 54min, 2h)", parse_duration,
                                            false};
const struct config_type config_bitrate = {"a bit rate (100k, 50M, 1G)", parse_bitrate, false};
const struct config_type config_size = {"a size (64k, 8M, 1G)", parse_size, false};
const struct config_type config_enum = {"one of a list of words", parse_enum, false};
const struct config_type config_hex = {"hexadecimal digits", parse_hex, false};
