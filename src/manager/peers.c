/*
 * peers.c -- see peers.h. Functions may share a host's address (a client's socket has the address
 * of the server that it reaches on the same host), so an address with its port goes before one
 * without, which counts only as long as nobody else claims it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manager/peers.h"

#define ADDRESS_SIZE 64
#define LAB          "lab"

int peers_init(struct peers *p)
{
    *p = (struct peers){json_object(), json_object(), json_object()};
    return p->owners && p->enbs && p->phones ? 0 : -ENOMEM;
}

void peers_free(struct peers *p)
{
    json_decref(p->owners);
    json_decref(p->enbs);
    json_decref(p->phones);
}

static void without_port(char *to, size_t size, const char *address)
{
    const char *colon = strrchr(address, ':');

    snprintf(to, size, "%.*s", colon ? (int)(colon - address) : 0, address);
}

static void learn(json_t *map, const char *address, const char *name)
{
    char host[ADDRESS_SIZE];

    if (!address || !address[0] || !name || !name[0])
        return;
    without_port(host, sizeof(host), address);
    json_object_set_new(map, address, json_string(name));
    const json_t *known = json_object_get(map, host);
    if (!known)
        json_object_set_new(map, host, json_string(name));
    else if (!json_is_string(known) || strcmp(json_string_value(known), name) != 0)
        json_object_set_new(map, host, json_null());
}

/* NULL when nobody, or more than one, has this address. */
static const char *find(const json_t *map, const char *address)
{
    char host[ADDRESS_SIZE];
    const char *name = json_string_value(json_object_get(map, address));

    if (name)
        return name;
    without_port(host, sizeof(host), address);
    return json_string_value(json_object_get(map, host));
}

void peers_learn_function(struct peers *p, const char *function, const char *address)
{
    learn(p->owners, address, function);
}

static const char *text_of(const json_t *row, const char *key)
{
    return json_string_value(json_object_get(row, key));
}

void peers_learn_enbs(struct peers *p, const json_t *enbs)
{
    size_t i;
    const json_t *row;

    json_array_foreach(enbs, i, row) learn(p->enbs, text_of(row, "address"), text_of(row, "name"));
}

void peers_learn_phones(struct peers *p, const json_t *phones)
{
    size_t i;
    const json_t *row;

    json_array_foreach(phones, i, row)
    {
        const char *imsi = text_of(row, "imsi"), *name = text_of(row, "name");
        if (imsi && name)
            json_object_set_new(p->phones, imsi, json_string(name));
    }
}

/* Who speaks with a function over a protocol when nothing else is known. */
static const struct {
    const char *protocol, *function, *other;
} counterparts[] = {
    {"OpenFlow", "controller", "switch"},
    {"OpenFlow", "switch", "controller"},
};

static const char *counterpart(const char *protocol, const char *function)
{
    for (size_t i = 0; i < sizeof(counterparts) / sizeof(counterparts[0]); i++) {
        if (strcmp(counterparts[i].protocol, protocol) == 0 &&
            strcmp(counterparts[i].function, function) == 0)
            return counterparts[i].other;
    }
    return NULL;
}

/* The radio's side: a phone for NAS, an eNodeB for S1AP. */
static const char *radio_name(const struct peers *p, const char *protocol, const char *address,
                              const char *imsi)
{
    if (strcmp(protocol, "NAS") == 0) {
        const char *phone = json_string_value(json_object_get(p->phones, imsi));
        return phone ? phone : "phone";
    }
    return strcmp(protocol, "S1AP") == 0 ? find(p->enbs, address) : NULL;
}

const char *peers_name(const struct peers *p, const char *protocol, const char *function,
                       const char *address, const char *imsi, const char *other)
{
    if (!function) {
        function = find(p->owners, address);
        if (function && strcmp(function, other) == 0) /* only the host's address is known */
            function = NULL;
    }
    if (!function || strcmp(function, LAB) == 0) {
        const char *name = radio_name(p, protocol, address, imsi);
        if (name)
            return name;
    }
    if (!function)
        function = counterpart(protocol, other);
    return function ? function : address[0] ? address : "?";
}
