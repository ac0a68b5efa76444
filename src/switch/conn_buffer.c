/*
 * conn_buffer.c -- packets that wait for a controller's word (OpenFlow 1.3.5 clauses 6.1.2 and
 * 7.4.1).
 *
 * A PACKET_IN that need not carry the whole packet leaves a copy here, and names it by a buffer id;
 * a PACKET_OUT or FLOW_MOD with that id takes the packet out. Copies are in memory of their own, so
 * that the data path's packets are not held up by a controller that never answers.
 *
 * There is a fixed number of places. A place is used again when its packet was taken, or when that
 * has waited for BUFFER_AGE_US: until then a new packet finds no place and is sent whole. An id is
 * the number of its place plus a multiple of the number of places that grows with each use, so an
 * old id is not taken for a new one: the last one that a place had is EMPTY, any other UNKNOWN.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "switch/conn.h"

#define BUFFER_AGE_US 1000000u

struct place {
    uint32_t id;
    uint32_t len;
    uint8_t *bytes; /* NULL: taken, or never used */
    uint64_t since_us;
    struct of_key key;
};

static struct {
    struct place *places;
    uint32_t count, next;
} buffers;

int packet_buffers_open(uint32_t count)
{
    packet_buffers_close();
    buffers.places = count ? calloc(count, sizeof(*buffers.places)) : NULL;
    if (count && !buffers.places)
        return -ENOMEM;
    buffers.count = count;
    for (uint32_t i = 0; i < count; i++)
        buffers.places[i].id = i;
    return 0;
}

void packet_buffers_close(void)
{
    for (uint32_t i = 0; i < buffers.count; i++)
        free(buffers.places[i].bytes);
    free(buffers.places);
    memset(&buffers, 0, sizeof(buffers));
}

static struct place *free_place(uint64_t now_us)
{
    for (uint32_t i = 0; i < buffers.count; i++) {
        struct place *place = &buffers.places[buffers.next];

        buffers.next = (buffers.next + 1) % buffers.count;
        if (!place->bytes || now_us - place->since_us >= BUFFER_AGE_US)
            return place;
    }
    return NULL;
}

uint32_t packet_buffer_keep(const struct packet *packet)
{
    uint64_t now_us = clock_now_us();
    struct place *place = free_place(now_us);
    uint8_t *bytes = place ? malloc(packet->len) : NULL;

    if (!bytes)
        return OFP_NO_BUFFER;
    free(place->bytes);
    place->bytes = bytes;
    place->len = packet->len;
    place->key = packet->key;
    place->since_us = now_us;
    memcpy(bytes, packet->data, packet->len);
    place->id += buffers.count;
    if (place->id >= INT32_MAX) /* far from OFP_NO_BUFFER */
        place->id %= buffers.count;
    return place->id;
}

of_error packet_buffer_check(uint32_t id)
{
    const struct place *place = buffers.count ? &buffers.places[id % buffers.count] : NULL;

    if (!place || place->id != id || id < buffers.count)
        return OFPBRC_BUFFER_UNKNOWN;
    return place->bytes ? 0 : OFPBRC_BUFFER_EMPTY;
}

struct packet *packet_buffer_take(uint32_t id)
{
    struct place *place;
    struct packet *p;

    if (packet_buffer_check(id))
        return NULL;
    place = &buffers.places[id % buffers.count];
    p = packet_copy_of(bytes_of(place->bytes, place->len));
    if (!p)
        return NULL;
    packet_enter(p, ntohl(place->key.in_port));
    p->key.tunnel_id = place->key.tunnel_id;
    p->key.tun_src = place->key.tun_src;
    p->key.tun_dst = place->key.tun_dst;
    p->key.tun_gtpu_flags = place->key.tun_gtpu_flags;
    p->key.tun_gtpu_msgtype = place->key.tun_gtpu_msgtype;
    free(place->bytes);
    place->bytes = NULL;
    return p;
}

/* A flow mod with a buffer is a flow mod and a PACKET_OUT to the tables behind it (clause 6.4). */
void packet_buffer_release(uint32_t id)
{
    struct of_action to_table = of_output(OFPP_TABLE);
    struct of_actions actions = {&to_table, 1};
    struct packet *p = packet_buffer_take(id);

    if (!p)
        return;
    pipeline_packet_out(sw.dp.workers[0], p, &actions);
    flush_later();
}
