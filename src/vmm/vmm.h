/*
 * vmm.h -- the hypervisor's door: virtual machines on KVM, one process each.
 */
#ifndef STROWGER_VMM_VMM_H
#define STROWGER_VMM_VMM_H

/* strowger vm ... */
int vm_main(int argc, char **argv);

#endif
