/*
 * udp_socket.h -- a UDP socket on the loop that receives and sends many datagrams per system call.
 * Inner header of link.
 *
 * What is sent during a turn of the loop is kept, and leaves at the end of the turn by one
 * sendmmsg(); so a datagram is in memory of its own (struct udp_buffer) that counts who still needs
 * it: the batch, a request that may have to be sent again, an answer that may have to be replayed.
 */
#ifndef STROWGER_LINK_UDP_SOCKET_H
#define STROWGER_LINK_UDP_SOCKET_H

#include <netinet/in.h>

#include "base/cursor.h"
#include "base/loop.h"

union udp_address {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

struct udp_buffer {
    uint32_t users;
    uint32_t len;
    uint8_t data[];
};

/* A copy with one user; NULL without memory. */
struct udp_buffer *udp_buffer_new(struct bytes datagram);
struct udp_buffer *udp_buffer_use(struct udp_buffer *buffer);
void udp_buffer_release(struct udp_buffer *buffer);

#define UDP_BATCH 64

struct udp_socket {
    uv_poll_t poll;
    int fd;
    union udp_address local;
    struct deferred flush;
    struct {
        struct udp_buffer *buffer;
        union udp_address to;
    } out[UDP_BATCH];
    unsigned out_count;
    size_t datagram_size;
    uint8_t *in; /* UDP_BATCH places of datagram_size */
    /* A datagram came; it is valid until this returns. It may send, and may not close the socket.
     */
    void (*received)(struct udp_socket *socket, struct bytes datagram,
                     const union udp_address *from);
    uint64_t datagrams_in, datagrams_out, too_large, send_errors;
};

/* Binds and starts to listen; `received` is set by the caller before. 0 or negative errno. */
int udp_socket_open(struct udp_socket *socket, const struct sockaddr *local, size_t datagram_size);

/* Sends what waits, and closes; `closed` is called when the memory may go. */
void udp_socket_close(struct udp_socket *socket, uv_close_cb closed);

/* Sends at the end of this turn; takes a use of the buffer. */
void udp_socket_send(struct udp_socket *socket, const union udp_address *to,
                     struct udp_buffer *buffer);

/* Copies AF_INET and AF_INET6 addresses; false for others. */
bool udp_address_set(union udp_address *address, const struct sockaddr *from);
socklen_t udp_address_size(const union udp_address *address);
uint16_t udp_address_port(const union udp_address *address);
void udp_address_set_port(union udp_address *address, uint16_t port);

/* Family, address and port; or without the port. */
bool udp_address_equal(const union udp_address *a, const union udp_address *b);
bool udp_host_equal(const union udp_address *a, const union udp_address *b);

#endif
