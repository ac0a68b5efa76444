/*
 * tunnel.c -- the eNodeB's end of S1-U: GTP-U (TS 29.281) between phones and the S-GW.
 *
 * One UDP socket per eNodeB. The TEID of a bearer is made of the phone's index and the EPS bearer
 * identity, so finding the phone of a packet costs nothing; what no phone's bearer has is answered
 * with Error Indication.
 */
#include <errno.h>
#include <unistd.h>

#include "lab/inner.h"
#include "wire/gtp/gtpu.h"

#define BURST       32
#define PACKET_SIZE 2048
#define EBI_BITS    4
#define INDEX_BITS  20

/* The connection's number makes it another TEID each time, so that what is said about an old tunnel
 * is not taken for the new one's. */
uint32_t enb_teid(const struct phone *phone, uint8_t ebi)
{
    return phone->enb_ue_s1ap_id << (INDEX_BITS + EBI_BITS) | (phone->index + 1) << EBI_BITS | ebi;
}

static struct phone *phone_of_teid(const struct enb *enb, uint32_t teid)
{
    uint32_t index = (teid >> EBI_BITS & ((1u << INDEX_BITS) - 1)) - 1;

    if (index >= lab.phone_count)
        return NULL;
    struct phone *phone = &lab.phones[index];
    if (phone->enb != enb)
        return NULL;
    for (size_t i = 0; i < LAB_MAX_BEARERS; i++) {
        if (phone->bearers[i].ebi && phone->bearers[i].enb_teid == teid)
            return phone;
    }
    return NULL;
}

static void send_to(const struct enb *enb, const struct sockaddr_in *to, struct bytes datagram)
{
    /* A datagram that the kernel does not take is one that was lost: GTP-U promises nothing. */
    (void)sendto(enb->gtpu, datagram.at, datagram.len, MSG_DONTWAIT, (const struct sockaddr *)to,
                 sizeof(*to));
}

bool enb_uplink_data(struct phone *phone, struct bytes packet)
{
    const struct bearer *b = &phone->bearers[0];
    uint8_t header[GTPU_HEADER_SIZE];
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(GTPU_PORT), .sin_addr = b->sgw};

    if (!b->ebi || packet.len > UINT16_MAX)
        return false;
    gtpu_write_g_pdu_header(header, b->sgw_teid, (uint16_t)packet.len);
    struct iovec parts[2] = {{header, sizeof(header)}, {(void *)(uintptr_t)packet.at, packet.len}};
    struct msghdr m = {
        .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = parts, .msg_iovlen = 2};
    (void)sendmsg(phone->enb->gtpu, &m, MSG_DONTWAIT);
    phone->packets_up++;
    phone->enb->packets_up++;
    return true;
}

static void refuse_teid(struct enb *enb, const struct gtpu_header *h,
                        const struct sockaddr_in *from)
{
    uint8_t room[64];
    struct writer w = writer_of(room, sizeof(room));
    struct gtpu_error_indication error = {.teid = h->teid, .ipv4 = enb->config->gtpu};

    enb->error_indications_out++;
    gtpu_write_error_indication(&w, &error);
    struct sockaddr_in to = *from;
    to.sin_port = htons(GTPU_PORT);
    send_to(enb, &to, wr_view(&w));
}

/* The S-GW does not know a TEID we send to: that bearer is gone (TS 23.007 clause 22.1). */
static void on_error_indication(struct enb *enb, const struct gtpu_header *h)
{
    struct gtpu_error_indication error;

    enb->error_indications_in++;
    if (gtpu_read_error_indication(h, &error) < 0)
        return;
    for (uint32_t i = 0; i < lab.phone_count; i++) {
        struct phone *phone = &lab.phones[i];
        if (phone->enb == enb && phone->bearers[0].ebi &&
            phone->bearers[0].sgw_teid == error.teid) {
            enb_request_release(phone, S1AP_RADIO_NETWORK_UNSPECIFIED);
            return;
        }
    }
}

static void on_datagram(struct enb *enb, struct bytes datagram, const struct sockaddr_in *from)
{
    struct gtpu_header h;
    uint8_t room[64];
    struct writer w = writer_of(room, sizeof(room));

    if (gtpu_read(datagram, &h) < 0)
        return;
    if (h.type == GTPU_ECHO_REQUEST) {
        gtpu_write_echo_response(&w, h.sequence);
        send_to(enb, from, wr_view(&w));
    } else if (h.type == GTPU_ERROR_INDICATION) {
        on_error_indication(enb, &h);
    } else if (h.type == GTPU_G_PDU) {
        struct phone *phone = phone_of_teid(enb, h.teid);
        if (phone) {
            enb->packets_down++;
            phone_downlink_data(phone, h.payload);
        } else {
            refuse_teid(enb, &h, from);
        }
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct enb *enb = container_of(poll, struct enb, gtpu_poll);
    static uint8_t rooms[BURST][PACKET_SIZE];
    struct mmsghdr messages[BURST];
    struct iovec parts[BURST];
    struct sockaddr_in from[BURST];

    (void)events;
    if (status < 0)
        return;
    for (int i = 0; i < BURST; i++) {
        parts[i] = (struct iovec){rooms[i], PACKET_SIZE};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                              .msg_namelen = sizeof(from[i]),
                                              .msg_iov = &parts[i],
                                              .msg_iovlen = 1};
    }
    int count = recvmmsg(enb->gtpu, messages, BURST, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++)
        on_datagram(enb, bytes_of(rooms[i], messages[i].msg_len), &from[i]);
}

int enb_gtpu_open(struct enb *enb)
{
    struct sockaddr_in local = {
        .sin_family = AF_INET, .sin_port = htons(GTPU_PORT), .sin_addr = enb->config->gtpu};
    int buffer = 4 * 1024 * 1024;

    enb->gtpu = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (enb->gtpu < 0)
        return -errno;
    if (bind(enb->gtpu, (const struct sockaddr *)&local, sizeof(local)) < 0) {
        int err = -errno;
        close(enb->gtpu);
        enb->gtpu = -1;
        return err;
    }
    setsockopt(enb->gtpu, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    uv_poll_init(loop_uv(), &enb->gtpu_poll, enb->gtpu);
    return uv_poll_start(&enb->gtpu_poll, UV_READABLE, on_readable);
}

static void close_socket(uv_handle_t *handle)
{
    struct enb *enb = container_of((uv_poll_t *)handle, struct enb, gtpu_poll);

    close(enb->gtpu);
    enb->gtpu = -1;
}

void enb_gtpu_close(struct enb *enb)
{
    if (enb->gtpu >= 0)
        uv_close((uv_handle_t *)&enb->gtpu_poll, close_socket);
}
