/*
 * pcapng.h -- writes messages into a capture file that Wireshark opens.
 *
 * A message has no packet around it here: it is written as an exported PDU (link type 252,
 * WIRESHARK_UPPER_PDU), which names the dissector and the addresses. Inner header of the manager;
 * no state but the file.
 */
#ifndef STROWGER_MANAGER_PCAPNG_H
#define STROWGER_MANAGER_PCAPNG_H

#include <stdio.h>
#include <sys/socket.h>

#include "base/cursor.h"

struct pcapng_message {
    uint64_t time_us;                 /* since 1970 */
    const char *dissector;            /* Wireshark's name of it: "s1ap" */
    struct sockaddr_storage from, to; /* AF_UNSPEC: unknown */
    uint32_t port_type;               /* of Wireshark: PCAPNG_SCTP ... */
    const char *comment;              /* or NULL */
    struct bytes message;
};

/* Wireshark's numbers of transports, in exported PDUs. */
#define PCAPNG_NONE 0
#define PCAPNG_SCTP 1
#define PCAPNG_TCP  2
#define PCAPNG_UDP  3

/* The beginning of a file, once. 0 or -EIO. */
int pcapng_begin(FILE *file);
int pcapng_add(FILE *file, const struct pcapng_message *message);

#endif
