/*
 * lpm.h -- longest-prefix match: which of a table's prefixes is the longest that an address begins
 * with, for flow tables whose rules are routes.
 *
 * What: a trie that takes six bits of the key at a time (a tree bitmap: Eatherton, Varghese,
 * Dittia, 2004). A node knows by one 64-bit map which prefixes end in it, by another which children
 * it has, and holds only those values and children; a run of bits in which nothing branches is one
 * node whatever its length. So memory follows the number of prefixes, not their length, and a
 * lookup touches about one node per six bits in which the prefixes differ. Once there are many
 * prefixes, an array over the first 16 bits of the key jumps over the first three levels.
 *
 * Why: a tuple space costs a probe per prefix length, a flat array a rewrite of up to 2^24 entries
 * per change. Here a change replaces one node, or a few when a run is cut.
 *
 * Keys are 1 to 128 bits in network byte order, most significant bit first; a key is passed as
 * (key_bits + 7) / 8 bytes. Values are the caller's, never NULL.
 *
 * Threads: one writer at a time; any number of readers without locks, at the same time as the
 * writer, as long as `retire` keeps what it is given until every reader that was in a lookup has
 * left it (RCU). Readers see each change whole or not at all; but a reader that is on its way while
 * the writer makes two changes may see the second without the first.
 */
#ifndef STROWGER_SWITCH_LPM_H
#define STROWGER_SWITCH_LPM_H

#include <stddef.h>
#include <stdint.h>

#define LPM_MAX_BITS    128
#define LPM_BURST       32
#define LPM_MAX_MATCHES (LPM_MAX_BITS + 1)

struct lpm;

/* Empty; NULL when memory is out or key_bits is not 1..128. `retire` is told in the writer's thread
 * of memory that new readers no longer find: it must free() it, now if there are no other threads,
 * else later. NULL: free() it at once. */
struct lpm *lpm_new(unsigned key_bits, void (*retire)(void *context, void *memory), void *context);
/* Frees all at once, so there must be no reader left. NULL is allowed. The values are the caller's.
 */
void lpm_free(struct lpm *lpm);

/* ---- the writer's ---- */

/* Adds a prefix, or gives it another value. Bits of the key behind prefix_len are not looked at.
 * 0; -EINVAL: prefix_len is greater than key_bits, or value is NULL; -ENOMEM: all is as it was. */
int lpm_set(struct lpm *lpm, const uint8_t *key, unsigned prefix_len, void *value);

/* Takes a prefix out and returns its value; NULL when there was none. Cannot fail for want of
 * memory: then only some memory stays in use until the next change nearby. */
void *lpm_remove(struct lpm *lpm, const uint8_t *key, unsigned prefix_len);

/* The value of exactly this prefix, or NULL. */
void *lpm_get(const struct lpm *lpm, const uint8_t *key, unsigned prefix_len);

/* Prefixes in it; bytes allocated for it, without the allocator's own. */
size_t lpm_count(const struct lpm *lpm);
size_t lpm_bytes(const struct lpm *lpm);

/* ---- the readers' ---- */

/* The value of the longest prefix that the key begins with, or NULL. */
void *lpm_lookup(const struct lpm *lpm, const uint8_t *key);

/* The values of all prefixes that the key begins with, longest first, at most n: for who does not
 * accept what lpm_lookup() found. Returns how many; LPM_MAX_MATCHES are always enough. */
unsigned lpm_matches(const struct lpm *lpm, const uint8_t *key, void **values, unsigned n);

/* lpm_lookup() of n keys (at most LPM_BURST) whose ways are gone side by side, so that they wait
 * for memory together. */
void lpm_lookup_burst(const struct lpm *lpm, const uint8_t *const *keys, void **values, unsigned n);

#endif
