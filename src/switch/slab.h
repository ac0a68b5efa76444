/*
 * slab.h -- memory for flows and what finds them.
 *
 * A million flows lie where a packet's lookup meets a new one each time: what that costs is decided
 * by how many page translations the processor remembers. So flows are cut from chunks of 2 MiB that
 * the kernel may back with huge pages, in classes of 64 bytes, each beginning a cache line; a chunk
 * that has become empty is given back. Large arrays come with huge pages, too.
 *
 * One thread: the one that changes the data path.
 */
#ifndef STROWGER_SWITCH_SLAB_H
#define STROWGER_SWITCH_SLAB_H

#include <stddef.h>

#define CACHE_LINE ((size_t)64)

/* `size` bytes of zeros, aligned to a cache line; NULL when memory is out. */
void *slab_alloc(size_t size);
void slab_free(void *at);

/* The same for the part of something that is read most: it lies close to others of its kind, and
 * what it is a part of (`owner`) is known without a word of its own in it. */
void *slab_alloc_part(size_t size, void *owner);
/* Of what slab_alloc_part() gave. */
void *slab_owner(const void *at);
void slab_free_part(void *at);

#endif
