/*
 * openflow_queue.c -- bytes that wait to be written: a chain of chunks, filled at the tail by
 * reserve and commit, taken off at the head. Chunks do not move, so libuv may hold on to them while
 * more is added behind.
 */
#include <stdlib.h>

#include "link/openflow_inner.h"

#define CHUNK_SIZE (64 * 1024 - 64)

struct openflow_chunk {
    struct openflow_chunk *next;
    size_t from, to, size; /* from..to is to be written */
    uint8_t bytes[];
};

uint8_t *openflow_queue_reserve(struct openflow_queue *queue, size_t size)
{
    struct openflow_chunk *tail = queue->tail;

    if (tail && tail->size - tail->to >= size)
        return tail->bytes + tail->to;
    size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    struct openflow_chunk *chunk = malloc(sizeof(*chunk) + room);
    if (!chunk)
        return NULL;
    *chunk = (struct openflow_chunk){.size = room};
    if (tail)
        tail->next = chunk;
    else
        queue->head = chunk;
    queue->tail = chunk;
    return chunk->bytes;
}

void openflow_queue_commit(struct openflow_queue *queue, size_t size)
{
    queue->tail->to += size;
    queue->len += size;
}

/* The last chunk stays, empty, for the next messages. */
void openflow_queue_consume(struct openflow_queue *queue, size_t n)
{
    queue->len -= n;
    while (queue->head) {
        struct openflow_chunk *head = queue->head;
        size_t part = head->to - head->from < n ? head->to - head->from : n;
        head->from += part;
        n -= part;
        if (head->from < head->to)
            return;
        if (head == queue->tail) {
            head->from = head->to = 0;
            return;
        }
        queue->head = head->next;
        free(head);
    }
}

unsigned openflow_queue_gather(const struct openflow_queue *queue, uv_buf_t *parts, unsigned max,
                               size_t *total)
{
    unsigned n = 0;

    *total = 0;
    for (struct openflow_chunk *c = queue->head; c && n < max; c = c->next) {
        if (c->from == c->to)
            continue;
        parts[n++] = uv_buf_init((char *)c->bytes + c->from, (unsigned)(c->to - c->from));
        *total += c->to - c->from;
    }
    return n;
}

void openflow_queue_free(struct openflow_queue *queue)
{
    while (queue->head) {
        struct openflow_chunk *next = queue->head->next;
        free(queue->head);
        queue->head = next;
    }
    *queue = (struct openflow_queue){.len = 0};
}
