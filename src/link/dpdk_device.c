/*
 * dpdk_device.c -- see dpdk_device.h. DPDK 22.11: ethdev and mbuf.
 *
 * Offloads of sending are used as far as the device has them: TCP and UDP checksums when it has
 * both over IPv4 and IPv6, segmentation when it also takes frames in several buffers. Those of
 * receiving are not: tags stay in the bytes, and frames are not put together.
 */
#include <errno.h>
#include <pthread.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "link/dpdk_device.h"

#define RX_RING 1024
#define TX_RING 1024
#define SPARE   4096 /* buffers beyond those of the rings: in threads' caches, and of a burst */
#define CACHE   256
#define FRAME_LEAST                                                              \
    60 /* without its check sequence: cards refuse less, or leak what was before \
        */
#define TAG_SIZE 4
#define SUMS     (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
#define CUTS                                                             \
    (SUMS | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO | \
     RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

struct dpdk_device {
    uint16_t port;
    bool attached; /* by us, to be detached */
    bool mine, started;
    unsigned rx_queues, tx_queues;
    uint64_t offloads; /* of sending */
    struct rte_mempool *buffers;
    struct rte_eth_dev_info info;
    char name[RTE_DEV_NAME_MAX_LEN];
};

/* ---- threads ---- */

static pthread_key_t known;

static void thread_ends(void *unused)
{
    (void)unused;
    rte_thread_unregister();
}

static void make_key(void)
{
    (void)pthread_key_create(&known, thread_ends);
}

/* With a number of its own a thread keeps some buffers for itself; without, it works, too. */
static void know_thread(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static __thread bool done;

    if (done)
        return;
    done = true;
    pthread_once(&once, make_key);
    if (rte_lcore_id() == LCORE_ID_ANY && rte_thread_register() == 0)
        (void)pthread_setspecific(known, &done);
}

/* ---- opening ---- */

static bool is_open[RTE_MAX_ETHPORTS];

/* The name of the device is what stands before its arguments. */
static int find(struct dpdk_device *d, const char *device)
{
    size_t len = strcspn(device, ",");
    int err;

    if (len == 0 || len >= sizeof(d->name))
        return -EINVAL;
    memcpy(d->name, device, len);
    d->name[len] = 0;
    if (rte_eth_dev_get_port_by_name(d->name, &d->port) < 0) {
        if ((err = rte_dev_probe(device)) < 0 ||
            (err = rte_eth_dev_get_port_by_name(d->name, &d->port)) < 0)
            return err;
        d->attached = true;
    }
    if (is_open[d->port])
        return -EBUSY;
    is_open[d->port] = d->mine = true;
    return 0;
}

static unsigned at_most(unsigned wanted, unsigned most)
{
    if (wanted == 0)
        wanted = 1;
    if (wanted > DPDK_QUEUES)
        wanted = DPDK_QUEUES;
    return wanted < most || most == 0 ? wanted : most;
}

/* net_tap (22.11) refuses to cut into segments that fill the MTU: it counts the Ethernet header. */
static bool cuts_well(const struct rte_eth_dev_info *info)
{
    return strcmp(info->driver_name, "net_tap") != 0;
}

/* What of sending the device can do, whole sets only. */
static uint64_t offloads_of(const struct rte_eth_dev_info *info)
{
    uint64_t has = info->tx_offload_capa, use = has & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

    if ((has & SUMS) == SUMS)
        use |= SUMS | (has & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM);
    if ((has & CUTS) == CUTS && cuts_well(info))
        use |= CUTS;
    return use;
}

static int configure_queues(struct dpdk_device *d, uint16_t mtu)
{
    static const uint64_t spread =
        RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;
    struct rte_eth_conf conf = {.rxmode = {.mtu = mtu}};

    conf.txmode.offloads = d->offloads;
    conf.rxmode.offloads = d->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
    if (d->rx_queues > 1) {
        conf.rx_adv_conf.rss_conf.rss_hf = d->info.flow_type_rss_offloads & spread;
        if (conf.rx_adv_conf.rss_conf.rss_hf)
            conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    }
    return rte_eth_dev_configure(d->port, (uint16_t)d->rx_queues, (uint16_t)d->tx_queues, &conf);
}

/* Some drivers (net_tap) want as many queues of one direction as of the other. */
static int configure(struct dpdk_device *d, const struct dpdk_device_config *c)
{
    int err;

    d->rx_queues = at_most(c->rx_queues, d->info.max_rx_queues);
    d->tx_queues = at_most(c->tx_queues, d->info.max_tx_queues);
    d->offloads = offloads_of(&d->info);
    err = configure_queues(d, c->mtu);
    if (err == 0 || d->rx_queues == d->tx_queues)
        return err;
    d->tx_queues = d->rx_queues = at_most(d->rx_queues, d->tx_queues);
    return configure_queues(d, c->mtu);
}

static int set_up_queues(struct dpdk_device *d)
{
    int socket = rte_eth_dev_socket_id(d->port), err;
    uint16_t rx = RX_RING, tx = TX_RING;
    char name[RTE_MEMPOOL_NAMESIZE];

    if ((err = rte_eth_dev_adjust_nb_rx_tx_desc(d->port, &rx, &tx)) < 0)
        return err;
    snprintf(name, sizeof(name), "strowger_%u", d->port);
    d->buffers = rte_pktmbuf_pool_create(name, d->rx_queues * rx + d->tx_queues * tx + SPARE, CACHE,
                                         0, RTE_MBUF_DEFAULT_BUF_SIZE, socket);
    if (!d->buffers)
        return rte_errno ? -rte_errno : -ENOMEM;
    for (unsigned q = 0; q < d->rx_queues; q++)
        if ((err = rte_eth_rx_queue_setup(d->port, (uint16_t)q, rx, (unsigned)socket, NULL,
                                          d->buffers)) < 0)
            return err;
    for (unsigned q = 0; q < d->tx_queues; q++)
        if ((err = rte_eth_tx_queue_setup(d->port, (uint16_t)q, tx, (unsigned)socket, NULL)) < 0)
            return err;
    return 0;
}

/* A switch wants frames for everybody. A virtual function may be refused them by its host. */
static void hear_everything(const struct dpdk_device *d)
{
    int err = rte_eth_promiscuous_enable(d->port);

    if (err < 0 && err != -ENOTSUP)
        log_warn("dpdk: %s only hears what is for itself: %s (a virtual function must be trusted)",
                 d->name, strerror(-err));
    (void)rte_eth_allmulticast_enable(d->port);
}

static int open_device(struct dpdk_device *d, const struct dpdk_device_config *c)
{
    int err = find(d, c->device);

    if (err < 0)
        return err;
    if ((err = rte_eth_dev_info_get(d->port, &d->info)) < 0 || (err = configure(d, c)) < 0 ||
        (err = set_up_queues(d)) < 0 || (err = rte_eth_dev_start(d->port)) < 0)
        return err;
    d->started = true;
    hear_everything(d);
    return 0;
}

int dpdk_device_open(struct dpdk_device **device, const struct dpdk_device_config *config)
{
    struct dpdk_device *d = calloc(1, sizeof(*d));
    int err;

    *device = NULL;
    if (!d)
        return -ENOMEM;
    know_thread();
    err = open_device(d, config);
    if (err < 0) {
        log_error("dpdk: %s does not open: %s", config->device, strerror(-err));
        dpdk_device_close(d);
        return err;
    }
    *device = d;
    return 0;
}

/* True when the driver has let go of its queues, and so of our buffers. */
static bool let_go(const struct dpdk_device *d)
{
    if (!d->mine)
        return true;
    if (d->started)
        (void)rte_eth_dev_stop(d->port);
    if (d->attached && d->info.device)
        return rte_dev_remove(d->info.device) == 0;
    return rte_eth_dev_close(d->port) == 0;
}

void dpdk_device_close(struct dpdk_device *d)
{
    if (let_go(d))
        rte_mempool_free(d->buffers);
    else
        log_warn("dpdk: %s can not be removed; its buffers stay", d->name);
    if (d->mine)
        is_open[d->port] = false;
    free(d);
}

static uint32_t room_of_buffer(const struct dpdk_device *d)
{
    return (uint32_t)rte_pktmbuf_data_room_size(d->buffers) - RTE_PKTMBUF_HEADROOM;
}

void dpdk_device_status(const struct dpdk_device *d, struct dpdk_device_status *status)
{
    struct rte_ether_addr mac = {0};
    struct rte_eth_link link = {0};
    struct rte_eth_stats stats = {0};
    uint16_t mtu = RTE_ETHER_MTU;

    (void)rte_eth_macaddr_get(d->port, &mac);
    (void)rte_eth_link_get_nowait(d->port, &link);
    (void)rte_eth_stats_get(d->port, &stats);
    (void)rte_eth_dev_get_mtu(d->port, &mtu);
    *status = (struct dpdk_device_status){
        .mtu = mtu,
        .up = link.link_status == RTE_ETH_LINK_UP,
        .rx_queues = d->rx_queues,
        .tx_queues = d->tx_queues,
        .sums = (d->offloads & SUMS) == SUMS,
        .cuts = (d->offloads & CUTS) == CUTS,
        .longest = d->offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS ? UINT16_MAX : room_of_buffer(d),
        .lost = stats.imissed + stats.rx_nombuf,
        .driver = d->info.driver_name};
    memcpy(status->mac, mac.addr_bytes, sizeof(status->mac));
}

/* ---- receiving ---- */

/* A tag that the driver took out of the bytes although it was not asked to. */
static bool has_lost_tag(const struct rte_mbuf *m)
{
    return m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;
}

unsigned dpdk_receive(struct dpdk_device *d, unsigned queue, struct dpdk_frame *frames, unsigned n)
{
    struct rte_mbuf *mbufs[DPDK_BURST];

    know_thread();
    n = rte_eth_rx_burst(d->port, (uint16_t)queue, mbufs,
                         (uint16_t)(n < DPDK_BURST ? n : DPDK_BURST));
    for (unsigned i = 0; i < n; i++)
        frames[i] = (struct dpdk_frame){mbufs[i], mbufs[i]->pkt_len +
                                                      (has_lost_tag(mbufs[i]) ? TAG_SIZE : 0)};
    return n;
}

static void put_tag_back(uint8_t *frame, size_t len, uint16_t tci)
{
    const uint8_t tag[TAG_SIZE] = {0x81, 0x00, (uint8_t)(tci >> 8), (uint8_t)tci};

    if (len < 12)
        return;
    memmove(frame + 12 + TAG_SIZE, frame + 12, len - 12);
    memcpy(frame + 12, tag, TAG_SIZE);
}

static size_t copy_out(const struct rte_mbuf *m, uint8_t *to)
{
    size_t len = 0;

    for (; m; m = m->next) {
        memcpy(to + len, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
        len += m->data_len;
    }
    return len;
}

void dpdk_take(struct dpdk_frame *frame, uint8_t *to)
{
    struct rte_mbuf *m = frame->mbuf;
    size_t len;

    if (to) {
        len = copy_out(m, to);
        if (has_lost_tag(m))
            put_tag_back(to, len, m->vlan_tci);
    }
    rte_pktmbuf_free(m);
    frame->mbuf = NULL;
}

/* ---- sending ---- */

/* What cards want in place of the checksum: the sum of the pseudo header, without the length when
 * they cut. */
static void prepare_sum(struct rte_mbuf *m, const struct dpdk_packet *p)
{
    uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, p->l2), *transport = ip + p->l3;
    uint16_t sum;

    m->l2_len = p->l2;
    m->l3_len = p->l3;
    m->l4_len = p->l4;
    m->ol_flags |= p->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
    m->ol_flags |= p->udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
    if (p->gso_size) {
        m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
        m->tso_segsz = p->gso_size;
        if (!p->ipv6) {
            m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
            ((struct rte_ipv4_hdr *)ip)->hdr_checksum = 0;
        }
    }
    sum = p->ipv6 ? rte_ipv6_phdr_cksum((const struct rte_ipv6_hdr *)ip, m->ol_flags)
                  : rte_ipv4_phdr_cksum((const struct rte_ipv4_hdr *)ip, m->ol_flags);
    memcpy(transport + (p->udp ? offsetof(struct rte_udp_hdr, dgram_cksum)
                               : offsetof(struct rte_tcp_hdr, cksum)),
           &sum, sizeof(sum));
}

/* A copy, in as many buffers as it takes; NULL when they are out, or the device takes but one. */
static struct rte_mbuf *copy(const struct dpdk_device *d, const struct dpdk_packet *p)
{
    uint32_t room = room_of_buffer(d);
    struct rte_mbuf *first = NULL, *last = NULL;

    if (p->len > room && !(d->offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS))
        return NULL;
    for (uint32_t at = 0; at < p->len; at += room) {
        struct rte_mbuf *m = rte_pktmbuf_alloc(d->buffers);
        uint32_t len = p->len - at < room ? p->len - at : room;

        if (!m) {
            rte_pktmbuf_free(first);
            return NULL;
        }
        memcpy(rte_pktmbuf_append(m, (uint16_t)len), p->at + at, len);
        if (!first) {
            first = m;
        } else {
            last->next = m;
            first->nb_segs++;
            first->pkt_len += len;
        }
        last = m;
    }
    if (first && p->len < FRAME_LEAST)
        memset(rte_pktmbuf_append(first, (uint16_t)(FRAME_LEAST - p->len)), 0,
               FRAME_LEAST - p->len);
    if (first && p->sum)
        prepare_sum(first, p);
    return first;
}

static unsigned send_burst(struct dpdk_device *d, unsigned queue, const struct dpdk_packet *packets,
                           unsigned n)
{
    struct rte_mbuf *mbufs[DPDK_BURST];
    unsigned made = 0, sent;

    while (made < n && (mbufs[made] = copy(d, &packets[made])))
        made++;
    sent = rte_eth_tx_prepare(d->port, (uint16_t)queue, mbufs, (uint16_t)made);
    sent = rte_eth_tx_burst(d->port, (uint16_t)queue, mbufs, (uint16_t)sent);
    for (unsigned i = sent; i < made; i++)
        rte_pktmbuf_free(mbufs[i]);
    return sent;
}

unsigned dpdk_send(struct dpdk_device *d, unsigned queue, const struct dpdk_packet *packets,
                   unsigned n)
{
    unsigned sent = 0, more;

    know_thread();
    do {
        unsigned burst = n - sent < DPDK_BURST ? n - sent : DPDK_BURST;

        more = send_burst(d, queue, packets + sent, burst);
        sent += more;
    } while (more == DPDK_BURST && sent < n);
    return sent;
}
