/*
 * normal.c -- what an Ethernet switch does (OFPP_NORMAL; fail-standalone of clause 6.3.3): it
 * learns from each frame behind which port its sender is, and sends what is for a known receiver
 * there.
 *
 * What was learned is a table of words, each a station and its port, that any worker reads and
 * writes whole: two that learn at the same time leave one of two truths. A station belongs to its
 * VLAN. It is forgotten when it was silent for STATION_LIFE_US, and makes room for another before
 * that when too many want its place.
 */
#include <stdlib.h>

#include "switch/datapath.h"

#define STATIONS        8192u
#define STATION_LIFE_US UINT64_C(300000000)

struct station {
    uint64_t word; /* address in the upper 48 bits, port in the lower 16; 0: none */
    uint64_t seen_us;
};

struct mac_table {
    struct station at[STATIONS];
};

struct mac_table *mac_table_new(void)
{
    return calloc(1, sizeof(struct mac_table));
}

static uint64_t address_of(const uint8_t mac[6])
{
    uint64_t word = 0;

    memcpy(&word, mac, 6);
    return be64toh(word);
}

static struct station *station_of(struct mac_table *macs, uint64_t address, uint16_t vlan_vid)
{
    uint64_t h = (address ^ vlan_vid) * UINT64_C(0x9fb21c651e98df25);

    return &macs->at[(h >> 40) % STATIONS];
}

static bool is_group_address(const uint8_t mac[6])
{
    return mac[0] & 1;
}

uint32_t mac_table_learn_and_find(struct mac_table *macs, const struct packet *p, uint64_t now_us)
{
    const struct of_key *k = &p->key;
    uint64_t from = address_of(k->eth_src), to = address_of(k->eth_dst), word;
    struct station *s = station_of(macs, from, k->vlan_vid);

    if (from && !is_group_address(k->eth_src)) {
        __atomic_store_n(&s->word, from | (ntohl(k->in_port) & 0xffff), __ATOMIC_RELAXED);
        __atomic_store_n(&s->seen_us, now_us, __ATOMIC_RELAXED);
    }
    if (is_group_address(k->eth_dst))
        return 0;
    s = station_of(macs, to, k->vlan_vid);
    word = __atomic_load_n(&s->word, __ATOMIC_RELAXED);
    if ((word & ~UINT64_C(0xffff)) != to ||
        now_us - __atomic_load_n(&s->seen_us, __ATOMIC_RELAXED) > STATION_LIFE_US)
        return 0;
    return (uint32_t)(word & 0xffff);
}
