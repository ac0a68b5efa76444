/*
 * vm_config.h -- what a virtual machine is made of: the section `vm:` of a file, and the same as
 * KEY=VALUE words on the command line.
 */
#ifndef STROWGER_VMM_VM_CONFIG_H
#define STROWGER_VMM_VM_CONFIG_H

#include "base/config.h"

#define VM_NETS 4

struct vm_net_config {
    const char *interface, *netns;
    const char *mac; /* "": made of the VM's name */
};

struct vm_config {
    const char *name;
    const char *kernel, *initrd, *command_line;
    uint64_t memory; /* bytes */
    uint8_t cpus;
    struct {
        struct vm_net_config *at;
        size_t count;
    } nets;
};

extern const struct config_schema vm_config_schema;

/* Reads the file (NULL: none) and the words on top of it. NULL after telling what is wrong. The
 * strings in *out belong to what is returned: config_free(). */
struct config *vm_config_load(const char *file, int count, char *const *words,
                              struct vm_config *out);

/* The Ethernet address of the VM's nth card: as configured, or made of the VM's name. False when
 * what is configured is none. */
bool vm_config_mac(const struct vm_config *config, size_t nth, uint8_t mac[6]);

#endif
