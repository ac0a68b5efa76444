/*
 * slab.c -- see slab.h. A chunk's first cache line tells its class and keeps its free pieces; what
 * is too large for a class is mapped by itself and has such a line, too. An address's chunk is
 * found by rounding down. Under AddressSanitizer and ThreadSanitizer all of it is malloc(), so that
 * they see who uses what is freed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "switch/slab.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLAB_IS_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLAB_IS_MALLOC 1
#endif
#endif

static size_t to_lines(size_t size)
{
    return (size + CACHE_LINE - 1) / CACHE_LINE;
}

#ifdef SLAB_IS_MALLOC

void *slab_alloc(size_t size)
{
    size_t whole = to_lines(size) * CACHE_LINE;
    void *at = aligned_alloc(CACHE_LINE, whole);

    if (at)
        memset(at, 0, whole);
    return at;
}

void slab_free(void *at)
{
    free(at);
}

/* The owner stands before it. Freed by its beginning: see slab_free_part(). */
void *slab_alloc_part(size_t size, void *owner)
{
    uint8_t *at = slab_alloc(CACHE_LINE + size);

    if (!at)
        return NULL;
    memcpy(at, &owner, sizeof(owner));
    return at + CACHE_LINE;
}

void *slab_owner(const void *at)
{
    void *owner;

    memcpy(&owner, (const uint8_t *)at - CACHE_LINE, sizeof(owner));
    return owner;
}

void slab_free_part(void *at)
{
    free((uint8_t *)at - CACHE_LINE);
}

#else

#define CHUNK       ((size_t)2 << 20)
#define PAGE        ((size_t)4096)
#define CLASSES     16 /* 64 to 1,024 bytes */
#define HEADER_SIZE CACHE_LINE

struct piece {
    struct piece *next;
};

struct chunk {
    struct chunk *next, **link; /* among the chunks of its class that have something free */
    struct piece *free;         /* given back */
    size_t fresh;               /* offset of what was never given out */
    size_t mapped;              /* bytes */
    uint32_t used;              /* pieces given out */
    uint16_t lines;             /* of a piece; 0: mapped for one alone */
    bool has_owners;            /* an array of them, one for each line, is behind the header */
    void *owner;                /* of the one alone */
};
_Static_assert(sizeof(struct chunk) <= HEADER_SIZE, "a chunk's header is a cache line");

#define OWNERS_SIZE (CHUNK / CACHE_LINE * sizeof(void *))

static struct chunk *open_chunks[2][CLASSES + 1]; /* without and with owners; by lines of a piece */

/* Aligned to CHUNK: maps more and cuts off what is not needed. */
static struct chunk *chunk_map(size_t size)
{
    size_t whole = (size + PAGE - 1) & ~(PAGE - 1);
    uint8_t *at =
        mmap(NULL, whole + CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before;

    if (at == MAP_FAILED)
        return NULL;
    before = (CHUNK - ((uintptr_t)at & (CHUNK - 1))) & (CHUNK - 1);
    if (before)
        munmap(at, before);
    if (before != CHUNK)
        munmap(at + before + whole, CHUNK - before);
    at += before;
    if (whole >= CHUNK)
        (void)madvise(at, whole, MADV_HUGEPAGE);
    ((struct chunk *)(void *)at)->mapped = whole;
    return (struct chunk *)(void *)at;
}

static void chunk_open(struct chunk *c)
{
    struct chunk **at = &open_chunks[c->has_owners][c->lines];

    c->next = *at;
    c->link = at;
    if (*at)
        (*at)->link = &c->next;
    *at = c;
}

static void chunk_shut(struct chunk *c)
{
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->link = NULL;
}

static void *alloc_alone(size_t size)
{
    struct chunk *c = chunk_map(HEADER_SIZE + size);

    return c ? (uint8_t *)c + HEADER_SIZE : NULL;
}

static struct chunk *chunk_new(size_t lines, bool has_owners)
{
    struct chunk *c = chunk_map(CHUNK);

    if (!c)
        return NULL;
    c->lines = (uint16_t)lines;
    c->has_owners = has_owners;
    c->fresh = HEADER_SIZE + (has_owners ? OWNERS_SIZE : 0);
    chunk_open(c);
    return c;
}

/* A piece of zeros of so many lines. */
static void *alloc_piece(size_t lines, bool has_owners)
{
    struct chunk *c = open_chunks[has_owners][lines];
    size_t bytes = lines * CACHE_LINE;
    struct piece *p;

    if (!c && !(c = chunk_new(lines, has_owners)))
        return NULL;
    p = c->free;
    if (p) {
        c->free = p->next;
        memset(p, 0, bytes);
    } else {
        p = (struct piece *)(void *)((uint8_t *)c + c->fresh);
        c->fresh += bytes;
    }
    c->used++;
    if (!c->free && c->fresh + bytes > CHUNK)
        chunk_shut(c);
    return p;
}

void *slab_alloc(size_t size)
{
    size_t lines = to_lines(size);

    return lines > CLASSES ? alloc_alone(size) : alloc_piece(lines, false);
}

static struct chunk *chunk_of(const void *at)
{
    return (struct chunk *)((uintptr_t)at & ~(CHUNK - 1));
}

static void **owner_of(struct chunk *c, const void *at)
{
    void **owners = (void **)(void *)((uint8_t *)c + HEADER_SIZE);

    return c->lines == 0 ? &c->owner
                         : &owners[(size_t)((const uint8_t *)at - (uint8_t *)c) / CACHE_LINE];
}

void *slab_alloc_part(size_t size, void *owner)
{
    size_t lines = to_lines(size);
    void *at = lines > CLASSES ? alloc_alone(size) : alloc_piece(lines, true);

    if (at)
        *owner_of(chunk_of(at), at) = owner;
    return at;
}

void *slab_owner(const void *at)
{
    return *owner_of(chunk_of(at), at);
}

void slab_free_part(void *at)
{
    slab_free(at);
}

void slab_free(void *at)
{
    struct chunk *c;
    struct piece *p = at;

    if (!at)
        return;
    c = chunk_of(at);
    if (c->lines == 0) {
        munmap(c, c->mapped);
        return;
    }
    p->next = c->free;
    c->free = p;
    if (!c->link)
        chunk_open(c);
    if (--c->used == 0) {
        chunk_shut(c);
        munmap(c, c->mapped);
    }
}

#endif
