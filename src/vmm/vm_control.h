/*
 * vm_control.h -- a running VM's control socket: HTTP over a Unix socket (base/control.h),
 * described by docs/vm-openapi.yaml.
 *
 *   GET /vm             what it is and how it is
 *   GET /metrics        Prometheus text
 *   POST /vm/pause, /vm/resume, /vm/reset
 *   POST /vm/stop       presses the power button; ?force=true ends it at once
 *
 * A verb that the VM's state does not allow is refused with 409 and the state. And the other side:
 * which VMs run, and asking one of them.
 */
#ifndef STROWGER_VMM_VM_CONTROL_H
#define STROWGER_VMM_VM_CONTROL_H

#include <jansson.h>
#include <stdio.h>

#include "vmm/machine.h"

/* Opens the socket of this machine, of which there is one in a process. 0 or negative errno;
 * -EADDRINUSE: a VM of this name runs. */
int vm_control_open(struct machine *machine, void (*stop)(void));
void vm_control_close(void);

/* What GET /vm says of each VM that runs, as a list; owned by the caller. */
json_t *vm_control_list(void);

/* Sends a request to the VM of this name. Its answer, owned by the caller, or NULL after printing
 * why not. */
json_t *vm_control_ask(const char *name, const char *method, const char *target);

#endif
