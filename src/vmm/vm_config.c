/*
 * vm_config.c -- see vm_config.h. Words become the same YAML that a file would have, so that both
 * are read by one table and complain in the same way.
 */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/vcpu.h"
#include "vmm/vm_config.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
#define MEMORY_LEAST    (INT64_C(64) << 20)
#define MEMORY_MOST     (INT64_C(1) << 40)
#define MEMORY_UNIT     (2u << 20)

static const struct config_field net_fields[] = {
    CONFIG_FIELD(struct vm_net_config, interface, &config_string,
                 "TAP interface, made when it is not there", .required = true),
    CONFIG_FIELD(struct vm_net_config, netns, &config_string,
                 "the network where the interface is; our own"),
    CONFIG_FIELD(struct vm_net_config, mac, &config_string,
                 "Ethernet address; made of the VM's name when left out"),
};

static const struct config_schema net_schema = {
    .name = "nets",
    .help = "network cards",
    .fields = net_fields,
    .count = sizeof(net_fields) / sizeof(net_fields[0]),
    .size = sizeof(struct vm_net_config),
};

static const struct config_field fields[] = {
    CONFIG_FIELD(struct vm_config, name, &config_string, "of the VM, for its socket and its log",
                 .fallback = "vm"),
    CONFIG_FIELD(struct vm_config, kernel, &config_string, "Linux: a bzImage, or an ELF file (PVH)",
                 .required = true),
    CONFIG_FIELD(struct vm_config, initrd, &config_string, "its first file system"),
    CONFIG_FIELD(struct vm_config, command_line, &config_string, "what the kernel is told",
                 .fallback = "console=ttyS0"),
    CONFIG_FIELD(struct vm_config, memory, &config_size, "of the guest", .fallback = "512M",
                 .min = MEMORY_LEAST, .max = MEMORY_MOST),
    CONFIG_FIELD(struct vm_config, cpus, &config_uint, "processors of the guest", .fallback = "1",
                 .min = 1, .max = VCPUS_MAX),
    CONFIG_LIST_OF_SECTIONS(struct vm_config, nets, &net_schema, "network cards"),
};

const struct config_schema vm_config_schema = {
    .name = "vm",
    .help = "a virtual machine",
    .fields = fields,
    .count = sizeof(fields) / sizeof(fields[0]),
    .size = sizeof(struct vm_config),
};

/* ---- words ---- */

/* Keys that may come more than once are lists of mappings, whose first key needs no name:
 * net=tap0,mac=02:... */
static const struct {
    const char *word, *list, *first;
} lists[] = {{"net", "nets", "interface"}};

static void set_text(json_t *object, const char *key, size_t key_len, const char *value,
                     size_t value_len)
{
    char name[64];

    snprintf(name, sizeof(name), "%.*s", (int)key_len, key);
    json_object_set_new(object, name, json_stringn(value, value_len));
}

/* "tap0,mac=02:00:00:00:00:01" */
static json_t *mapping_of(const char *first, const char *value)
{
    json_t *object = json_object();

    while (*value) {
        size_t len = strcspn(value, ",");
        const char *equals = memchr(value, '=', len);

        if (equals)
            set_text(object, value, (size_t)(equals - value), equals + 1,
                     len - (size_t)(equals + 1 - value));
        else
            set_text(object, first, strlen(first), value, len);
        value += len + (value[len] == ',');
    }
    return object;
}

static bool add_word(json_t *vm, const char *word)
{
    const char *equals = strchr(word, '=');

    if (!equals) {
        fprintf(stderr, "strowger: \"%s\" is no KEY=VALUE\n", word);
        return false;
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (strlen(lists[i].word) == (size_t)(equals - word) &&
            strncmp(word, lists[i].word, (size_t)(equals - word)) == 0) {
            json_t *list = json_object_get(vm, lists[i].list);

            if (!list)
                json_object_set_new(vm, lists[i].list, list = json_array());
            json_array_append_new(list, mapping_of(lists[i].first, equals + 1));
            return true;
        }
    set_text(vm, word, (size_t)(equals - word), equals + 1, strlen(equals + 1));
    return true;
}

/* JSON is YAML. */
static struct config *config_of_words(int count, char *const *words)
{
    json_t *vm = json_object(), *all = json_pack("{s:o}", "vm", vm);
    struct config *config = NULL;
    char *text = NULL;
    bool good = true;

    for (int i = 0; i < count; i++)
        good = add_word(vm, words[i]) && good;
    if (good && (text = json_dumps(all, JSON_INDENT(1))))
        config = config_parse("command line", text, strlen(text));
    free(text);
    json_decref(all);
    return config;
}

struct config *vm_config_load(const char *file, int count, char *const *words,
                              struct vm_config *out)
{
    struct config *config;

    if (file && count) {
        fprintf(stderr, "strowger: a VM is described by a file or by words, not by both\n");
        return NULL;
    }
    config = file ? config_load(file) : config_of_words(count, words);
    if (!config)
        return NULL;
    if (config_read(config, "vm", &vm_config_schema, out) == 0) {
        if (!*out->name || strspn(out->name, NAME_CHARACTERS) != strlen(out->name))
            config_complain(config, "vm", "name", "\"%s\": letters, digits, - and _ make a name",
                            out->name);
        if (out->memory % MEMORY_UNIT)
            config_complain(config, "vm", "memory", "%llu is no multiple of 2 MiB",
                            (unsigned long long)out->memory);
        if (out->nets.count > VM_NETS)
            config_complain(config, "vm", "nets", "at most %d", VM_NETS);
    }
    if (config_error_count(config) == 0)
        return config;
    config_free(config);
    return NULL;
}

/* ---- addresses ---- */

bool vm_config_mac(const struct vm_config *config, size_t nth, uint8_t mac[6])
{
    const char *text = config->nets.at[nth].mac;
    uint32_t hash = 2166136261u; /* FNV-1a */

    if (text && *text)
        return strlen(text) == 17 && hex_parse(text, mac, 6) == 6 && !(mac[0] & 1);
    for (const char *c = config->name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    mac[0] = 0x02; /* locally administered */
    mac[1] = (uint8_t)nth;
    memcpy(mac + 2, &hash, 4);
    return true;
}
