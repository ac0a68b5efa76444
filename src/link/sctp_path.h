/*
 * sctp_path.h -- the sockets under usrsctp, and the table of who is behind which address. Inner
 * header: only for sctp_usrsctp.c, sctp_path.c and their tests.
 *
 * usrsctp runs in its AF_CONN mode: it gives us whole SCTP packets to send and takes those we
 * received, and knows a peer only by an opaque address. That address is the number of a `remote`: a
 * place in a table that holds the peer's IP address (and UDP port), the socket (`path`) it is
 * reached by, and what is needed to answer.
 *
 * usrsctp must be told every address it may meet and cannot forget one without a thread of its own,
 * so places are told once and used again, the one unused for the longest time first. INIT from an
 * address nobody knows takes a place before anything is proven; there are REMOTE_SPARE of those at
 * least, so a flood of forged INITs makes us forget the oldest half-open peer, and nothing else.
 */
#ifndef STROWGER_LINK_SCTP_PATH_H
#define STROWGER_LINK_SCTP_PATH_H

#include "link/sctp_inner.h"

#pragma GCC visibility push(hidden) /* see sctp.h */

#define REMOTE_MAX   16384 /* places in the table */
#define REMOTE_SPARE 1024  /* of them kept for peers without an association */

#define REMOTE_LARGEST_MTU 9000 /* what we use of a link that offers more */

/* The remote for packets that belong to nobody we know: usrsctp answers them, and that is all. */
#define REMOTE_STRANGER 0

/* A received packet with a right checksum, for a port of ours. */
typedef void (*sctp_path_input)(uint32_t remote, struct bytes packet);
/* A remote exists for the first time: tell usrsctp. */
typedef void (*sctp_path_new_remote)(uint32_t remote);

void sctp_path_init(sctp_path_input input, sctp_path_new_remote new_remote);
void sctp_path_free(void);

/* The socket for packets of this carrier at this local address (any port in it is SCTP's and
 * ignored); shared. 0 or negative errno. */
int sctp_path_open(enum sctp_carrier carrier, const union sctp_address *local, uint16_t udp_port,
                   uint8_t dscp, struct sctp_path **path);
void sctp_path_close(struct sctp_path *path);

/* SCTP ports of this process on the path; packets for others are ignored, as another process may
 * serve them. */
void sctp_path_use_port(struct sctp_path *path, uint16_t port);
void sctp_path_unuse_port(struct sctp_path *path, uint16_t port);

/* The remote for a peer (the port in `peer` is ignored; udp_port is its port when the path is UDP);
 * it keeps its place until released. 0: the table is full. */
uint32_t sctp_remote_hold(struct sctp_path *path, const union sctp_address *peer,
                          uint16_t udp_port);
/* Holds a remote that input() was called with; keeps the path open as well. */
void sctp_remote_hold_again(uint32_t remote);
void sctp_remote_release(uint32_t remote);

struct sctp_path *sctp_remote_path(uint32_t remote);
const union sctp_address *sctp_remote_address(uint32_t remote);
/* Our address as the peer uses it; port 0. */
union sctp_address sctp_remote_local(uint32_t remote);
/* Bytes of SCTP that fit into one packet to this remote without fragments. */
uint16_t sctp_remote_mtu(uint32_t remote, uint16_t link_mtu);

/* The association that the packet in hand belongs to has proven itself by the packet's verification
 * tag. From now on packets with this tag that come from elsewhere (another address of a multi-homed
 * peer, a NAT that changed its mind) are its own. Returns a key for forgetting it; 0 when no packet
 * is in hand or memory is out. */
uint64_t sctp_path_learn_tag(void);
void sctp_path_forget_tag(uint64_t key);

/* The remote whose packet is being handled in input(); REMOTE_STRANGER outside. */
uint32_t sctp_path_current(void);

/* Sends a packet that lacks its checksum; at the end of the turn. */
void sctp_path_output(uint32_t remote, const void *packet, size_t len);

/* Reads what has come and sends what waits, now, for all paths: without the loop. */
void sctp_path_turn(void);

/* CRC32c of RFC 9260 appendix A, as it stands in memory of the packet. */
uint32_t sctp_crc32c(const void *at, size_t len);

#pragma GCC visibility pop

#endif
