/*
 * neighbour.c -- see neighbour.h. A set-associative table: an address has NEIGHBOUR_WAYS places.
 */
#include <pthread.h>
#include <stdlib.h>

#include "switch/neighbour.h"

#define NEIGHBOUR_WAYS 8u
#define NEIGHBOUR_SETS (NEIGHBOURS / NEIGHBOUR_WAYS)

enum state { FREE, ASKED, FAILED, REACHABLE };

struct neighbour {
    /* read without the lock: */
    uint32_t sequence; /* odd while these change */
    be32 address;
    uint64_t mac; /* upper 48 bits; 0: not known */
    uint64_t confirmed_us;
    /* under the lock: */
    uint64_t asked_us;
    uint8_t state; /* enum state */
    uint8_t tries;
    uint8_t waiting_count;
    struct packet *waiting[NEIGHBOUR_WAITING];
};

struct neighbour_table {
    pthread_mutex_t lock;
    unsigned asked; /* that are in state ASKED; read without the lock by who only looks */
    struct neighbour at[NEIGHBOUR_SETS][NEIGHBOUR_WAYS];
};

struct neighbour_table *neighbour_table_new(void)
{
    struct neighbour_table *t = calloc(1, sizeof(*t));

    if (t)
        pthread_mutex_init(&t->lock, NULL);
    return t;
}

void neighbour_table_free(struct neighbour_table *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < NEIGHBOURS; i++) {
        struct neighbour *n = &t->at[i / NEIGHBOUR_WAYS][i % NEIGHBOUR_WAYS];

        packets_free(n->waiting, n->waiting_count);
    }
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static struct neighbour *set_of(struct neighbour_table *t, be32 address)
{
    return t->at[(uint32_t)(address * 0x9e3779b1u) >> 16 & (NEIGHBOUR_SETS - 1)];
}

/* ---- reading ---- */

/* False while it changes. Whoever reads a new value here finds the number of its change, or a later
 * one, at the end. */
static bool read_entry(struct neighbour *n, be32 address, uint64_t *mac, uint64_t *confirmed_us)
{
    uint32_t before = __atomic_load_n(&n->sequence, __ATOMIC_ACQUIRE);
    be32 here = __atomic_load_n(&n->address, __ATOMIC_ACQUIRE);

    *mac = __atomic_load_n(&n->mac, __ATOMIC_ACQUIRE);
    *confirmed_us = __atomic_load_n(&n->confirmed_us, __ATOMIC_ACQUIRE);
    return here == address && *mac && !(before & 1) &&
           __atomic_load_n(&n->sequence, __ATOMIC_RELAXED) == before;
}

enum neighbour_answer neighbour_find(struct neighbour_table *t, be32 address, uint64_t now_us,
                                     uint8_t mac[6])
{
    struct neighbour *set = set_of(t, address);

    for (unsigned i = 0; i < NEIGHBOUR_WAYS; i++) {
        uint64_t word, confirmed_us;

        if (!read_entry(&set[i], address, &word, &confirmed_us))
            continue;
        word = htobe64(word);
        memcpy(mac, &word, 6);
        return now_us < confirmed_us + NEIGHBOUR_REACHABLE_US ? NEIGHBOUR_KNOWN : NEIGHBOUR_STALE;
    }
    return NEIGHBOUR_UNKNOWN;
}

/* ---- changing, under the lock ---- */

static void write_entry(struct neighbour *n, be32 address, uint64_t mac, uint64_t confirmed_us)
{
    __atomic_store_n(&n->sequence, n->sequence + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&n->address, address, __ATOMIC_RELEASE);
    __atomic_store_n(&n->mac, mac, __ATOMIC_RELEASE);
    __atomic_store_n(&n->confirmed_us, confirmed_us, __ATOMIC_RELEASE);
    __atomic_store_n(&n->sequence, n->sequence + 1, __ATOMIC_RELEASE);
}

static void set_state(struct neighbour_table *t, struct neighbour *n, enum state state)
{
    unsigned asked = t->asked + (state == ASKED) - (n->state == ASKED);

    n->state = (uint8_t)state;
    __atomic_store_n(&t->asked, asked, __ATOMIC_RELAXED);
}

static struct neighbour *entry_of(struct neighbour_table *t, be32 address)
{
    struct neighbour *set = set_of(t, address);

    for (unsigned i = 0; i < NEIGHBOUR_WAYS; i++)
        if (set[i].state != FREE && set[i].address == address)
            return &set[i];
    return NULL;
}

/* A place for a new address: free, else one that nobody answered at, else (for who is sent to) the
 * one that was silent longest. Nobody may be waited for there. */
static struct neighbour *place_for(struct neighbour_table *t, be32 address, bool displace)
{
    struct neighbour *set = set_of(t, address), *oldest = NULL;

    for (unsigned i = 0; i < NEIGHBOUR_WAYS; i++)
        if (set[i].state == FREE || set[i].state == FAILED)
            return &set[i];
    for (unsigned i = 0; displace && i < NEIGHBOUR_WAYS; i++)
        if (set[i].waiting_count == 0 && (!oldest || set[i].confirmed_us < oldest->confirmed_us))
            oldest = &set[i];
    return oldest;
}

static enum neighbour_wait ask_first(struct neighbour_table *t, struct neighbour *n, be32 address,
                                     struct packet *p, uint64_t now_us)
{
    write_entry(n, address, 0, 0);
    set_state(t, n, ASKED);
    n->asked_us = now_us;
    n->tries = 1;
    n->waiting[0] = p;
    n->waiting_count = 1;
    return NEIGHBOUR_ASK;
}

static enum neighbour_wait wait_at(struct neighbour_table *t, be32 address, struct packet *p,
                                   uint64_t now_us)
{
    struct neighbour *n = entry_of(t, address);

    if (!n && !(n = place_for(t, address, true)))
        return NEIGHBOUR_REFUSED;
    if (n->state == FREE || n->address != address)
        return ask_first(t, n, address, p, now_us);
    if (n->state == REACHABLE)
        return NEIGHBOUR_FOUND;
    if (n->state == FAILED)
        return now_us < n->asked_us + NEIGHBOUR_RETRY_US ? NEIGHBOUR_REFUSED
                                                         : ask_first(t, n, address, p, now_us);
    if (n->waiting_count == NEIGHBOUR_WAITING)
        return NEIGHBOUR_REFUSED;
    n->waiting[n->waiting_count++] = p;
    return NEIGHBOUR_WAITS;
}

enum neighbour_wait neighbour_wait(struct neighbour_table *t, be32 address, struct packet *p,
                                   uint64_t now_us)
{
    enum neighbour_wait answer;

    pthread_mutex_lock(&t->lock);
    answer = wait_at(t, address, p, now_us);
    pthread_mutex_unlock(&t->lock);
    return answer;
}

/* Known, but not confirmed for long: asked once in a while, and forgotten after enough of it. */
static bool probe(struct neighbour_table *t, struct neighbour *n, uint64_t now_us)
{
    if (n->state != REACHABLE || now_us < n->confirmed_us + NEIGHBOUR_REACHABLE_US ||
        now_us < n->asked_us + 4 * NEIGHBOUR_FIRST_US)
        return false;
    if (n->tries >= NEIGHBOUR_TRIES) {
        write_entry(n, 0, 0, 0);
        set_state(t, n, FREE);
        return false;
    }
    n->tries++;
    n->asked_us = now_us;
    return true;
}

bool neighbour_may_probe(struct neighbour_table *t, be32 address, uint64_t now_us)
{
    struct neighbour *n;
    bool may;

    pthread_mutex_lock(&t->lock);
    n = entry_of(t, address);
    may = n && probe(t, n, now_us);
    pthread_mutex_unlock(&t->lock);
    return may;
}

unsigned neighbour_learn(struct neighbour_table *t, be32 address, const uint8_t mac[6], bool create,
                         uint64_t now_us, struct packet **released)
{
    struct neighbour *n;
    uint64_t word = 0;
    unsigned count = 0;

    memcpy(&word, mac, 6);
    pthread_mutex_lock(&t->lock);
    n = entry_of(t, address);
    if (!n && create)
        n = place_for(t, address, false);
    if (n) {
        if (n->waiting_count)
            memcpy(released, n->waiting, n->waiting_count * sizeof(struct packet *));
        count = n->waiting_count;
        n->waiting_count = 0;
        n->tries = 0;
        write_entry(n, address, be64toh(word), now_us);
        set_state(t, n, REACHABLE);
    }
    pthread_mutex_unlock(&t->lock);
    return count;
}

static void look_again(struct neighbour_table *t, struct neighbour *n, uint64_t now_us,
                       struct neighbour_due *due)
{
    if (n->state != ASKED || now_us < n->asked_us + (NEIGHBOUR_FIRST_US << (n->tries - 1)))
        return;
    n->asked_us = now_us;
    if (n->tries++ < NEIGHBOUR_TRIES) {
        due->ask[due->ask_count++] = n->address;
        return;
    }
    memcpy(&due->given_up[due->given_up_count], n->waiting,
           n->waiting_count * sizeof(struct packet *));
    due->given_up_count += n->waiting_count;
    n->waiting_count = 0;
    set_state(t, n, FAILED);
}

void neighbour_tick(struct neighbour_table *t, uint64_t now_us, struct neighbour_due *due)
{
    const unsigned most = sizeof(due->ask) / sizeof(due->ask[0]);

    due->ask_count = due->given_up_count = 0;
    if (__atomic_load_n(&t->asked, __ATOMIC_RELAXED) == 0)
        return;
    pthread_mutex_lock(&t->lock);
    for (unsigned i = 0; i < NEIGHBOURS && due->ask_count < most &&
                         due->given_up_count <= (most - 1) * NEIGHBOUR_WAITING;
         i++)
        look_again(t, &t->at[i / NEIGHBOUR_WAYS][i % NEIGHBOUR_WAYS], now_us, due);
    pthread_mutex_unlock(&t->lock);
}
