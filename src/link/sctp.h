/*
 * sctp.h -- SCTP associations (RFC 9260) for S1AP, Diameter and whatever else runs on them.
 *
 * What: a server listens and gets associations, a client connects and gets one; a message is bytes,
 * a stream number and a payload protocol identifier. The same calls work over three carriers,
 * chosen by configuration:
 *
 *   kernel    the kernel's SCTP, where it has one
 *   usrsctp   SCTP in this process over a raw IP socket (protocol 132): on the wire it is plain
 * SCTP, so any peer can be at the other end; needs CAP_NET_RAW udp       the same over UDP (RFC
 * 6951), for machines without raw sockets and for paths through NAT auto      kernel, else usrsctp,
 * else udp
 *
 * How it behaves:
 * - Everything happens on the loop's thread, in callbacks of struct sctp_handler; no callback runs
 * inside a call to this API. A callback may call anything here, closing its own association
 * included.
 * - Messages sent during one turn of the loop leave together at its end, as many in one packet as
 * fit; a message alone is not delayed by more than that. Order is kept per stream.
 * - What cannot leave yet waits in a bounded queue per association. When it is full sctp_send()
 * says -EAGAIN and sends nothing; writable() says when to try again.
 * - The number of associations is bounded; a peer past the bound is refused by ABORT.
 * - A peer that loses its state and connects anew from the same address and port (RFC 9260
 * clause 5.2) shows as down(SCTP_DOWN_RESTART) on the old association, then up() on a new one.
 *
 * One path per association is used for sending. A multi-homed peer is tolerated: packets from its
 * other addresses are accepted, and answered where they came from.
 */
#ifndef STROWGER_LINK_SCTP_H
#define STROWGER_LINK_SCTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/config.h"
#include "base/cursor.h"

/* libusrsctp calls functions of its own by some of the names below, through the dynamic linker:
 * ours must not be seen there. */
#pragma GCC visibility push(hidden)

/* Payload protocol identifiers (IANA), host byte order. */
#define SCTP_PPID_S1AP          18
#define SCTP_PPID_DIAMETER      46
#define SCTP_PPID_DIAMETER_DTLS 47

/* The port of SCTP over UDP (RFC 6951 clause 5.1). */
#define SCTP_UDP_PORT 9899

enum sctp_carrier {
    SCTP_CARRIER_AUTO,
    SCTP_CARRIER_KERNEL,
    SCTP_CARRIER_USRSCTP,
    SCTP_CARRIER_UDP,
};

/* "auto", "kernel", "usrsctp", "udp"; parse: 0 or -EINVAL. */
const char *sctp_carrier_name(enum sctp_carrier carrier);
int sctp_carrier_parse(const char *name, enum sctp_carrier *carrier);

/* What AUTO means on this machine for this process. */
enum sctp_carrier sctp_carrier_find(void);

/* Everything about an endpoint that somebody may want to configure. Start from
 * sctp_settings_default(). */
struct sctp_settings {
    enum sctp_carrier carrier;
    uint16_t udp_port;      /* our UDP port; 0: 9899 for a server, any for a client */
    uint16_t udp_peer_port; /* where a client finds its server; 0: 9899 */
    uint16_t streams;       /* outgoing streams asked for, incoming streams allowed */
    uint32_t max_associations;
    uint32_t max_message_bytes; /* a longer one from the peer ends the association; sctp_send():
                                   -EMSGSIZE */
    uint32_t send_queue_bytes;  /* per association, beyond what the transport itself holds */

    /* How fast a dead peer is noticed (RFC 9260 clauses 6.3, 8.1, 8.3). With the defaults: within 5
     * s. */
    uint32_t heartbeat_ms;
    uint32_t rto_initial_ms, rto_min_ms, rto_max_ms;
    uint16_t max_retransmissions; /* Association.Max.Retrans */
    uint16_t init_attempts;       /* Max.Init.Retransmits; a client hears down() after them */
    uint32_t sack_delay_ms;       /* at most 500 (clause 6.2) */
    /* Packets that one SACK answers; clause 6.2 says 2. More is cheaper with many associations of
     * small messages, and slower for few large ones. */
    uint32_t sack_frequency;
    uint16_t mtu; /* 0: the route's */
    uint8_t dscp; /* differentiated services code point of what we send, 0..63 */
};

struct sctp_settings sctp_settings_default(void);

/* The same as a section of a configuration file, with the same defaults. */
extern const struct config_schema sctp_settings_schema;

/* Why an association ended. */
enum sctp_down {
    SCTP_DOWN_SHUTDOWN,    /* the peer closed it in order, or our sctp_shutdown() of a client in
                              connection */
    SCTP_DOWN_ABORT,       /* the peer's ABORT; for a client that was connecting: refused */
    SCTP_DOWN_LOST,        /* no answer from the peer */
    SCTP_DOWN_UNREACHABLE, /* a client's peer never answered */
    SCTP_DOWN_RESTART,     /* the peer has started anew */
    SCTP_DOWN_MISBEHAVED,  /* we ended it: the peer sent what no peer may */
};

/* "peer shut down", "peer aborted", ... */
const char *sctp_down_text(enum sctp_down reason);

struct sctp_association;
struct sctp_listener;

/* `payload` is valid during the callback only. */
struct sctp_message {
    struct bytes payload;
    uint32_t ppid; /* host byte order */
    uint16_t stream;
};

/* `owner` is what was given to listen or connect, or set by sctp_set_owner() since. All four must
 * be set. */
struct sctp_handler {
    /* A client's association is established, or a server has a new one. */
    void (*up)(struct sctp_association *association, void *owner);
    void (*message)(struct sctp_association *association, void *owner,
                    const struct sctp_message *message);
    /* After -EAGAIN: there is room again for at least half a queue. */
    void (*writable)(struct sctp_association *association, void *owner);
    /* It is over; the handle is gone when this returns. Not called after sctp_shutdown() or
     * sctp_abort(). */
    void (*down)(struct sctp_association *association, void *owner, enum sctp_down reason);
};

/* Waits for associations at a local address (AF_INET or AF_INET6; the wildcard address allowed).
 * The handler must stay; settings are copied. 0 or a negative errno: -EADDRINUSE, -EADDRNOTAVAIL,
 * -EPROTONOSUPPORT (no such carrier here), -EPERM (the carrier needs CAP_NET_RAW), -ENOMEM. */
int sctp_listen(const struct sockaddr *local, const struct sctp_settings *settings,
                const struct sctp_handler *handler, void *owner, struct sctp_listener **listener);

/* No new associations from now on; those that exist stay. Port 0 in `local` gave a port, which this
 * tells. */
void sctp_listener_close(struct sctp_listener *listener);
const struct sockaddr *sctp_listener_address(const struct sctp_listener *listener);

/* Begins an association with `peer`; `local` may be NULL or have port 0 or the wildcard address.
 * Ends in up() or down(). Errors as sctp_listen(), and -ENETUNREACH. */
int sctp_connect(const struct sockaddr *local, const struct sockaddr *peer,
                 const struct sctp_settings *settings, const struct sctp_handler *handler,
                 void *owner, struct sctp_association **association);

/* Sends a message, which is copied. 0, or: -EAGAIN (queue full: nothing was taken, writable() will
 * be called), -ENOTCONN (not up), -EMSGSIZE, -EINVAL (no such stream, or an empty message),
 * -ENOMEM. */
int sctp_send(struct sctp_association *association, uint16_t stream, uint32_t ppid,
              struct bytes payload);

/* Ends it in order: what was sent is still delivered, in the background. The handle is gone at
 * once. */
void sctp_shutdown(struct sctp_association *association);

/* Ends it now, with an ABORT to the peer. The handle is gone at once. */
void sctp_abort(struct sctp_association *association);

void sctp_set_owner(struct sctp_association *association, void *owner);

/* Streams we may send on, 0 .. n-1; 0 before up(). */
uint16_t sctp_streams(const struct sctp_association *association);

/* Who is at each end; valid as long as the association. */
const struct sockaddr *sctp_peer_address(const struct sctp_association *association);
const struct sockaddr *sctp_local_address(const struct sctp_association *association);

/* "10.0.0.2:36412", "[fd00::1]:36412". */
const char *sctp_peer_name(const struct sctp_association *association);

/* Bytes that wait in the association's own queue. */
size_t sctp_queued_bytes(const struct sctp_association *association);

/* Counters of the process, for metrics. */
struct sctp_counters {
    uint64_t messages_in, messages_out, bytes_in, bytes_out;
    uint64_t packets_in, packets_out;
    uint64_t bad_packets;   /* too short, wrong checksum, wrong shape */
    uint64_t refused;       /* associations refused because of the bound */
    uint64_t queue_full;    /* sends that met a full queue */
    uint64_t retransmitted; /* DATA chunks */
    uint32_t associations;
};

struct sctp_counters sctp_counters(void);

/* Ends the layer: aborts what is open, calls nobody. For the end of a process and for tests. */
void sctp_free(void);

#pragma GCC visibility pop

#endif
