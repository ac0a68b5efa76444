/*
 * config.h -- the section `lab:` of the configuration: eNodeBs, phones, scenarios. Inner header of
 * the lab.
 */
#ifndef STROWGER_LAB_CONFIG_H
#define STROWGER_LAB_CONFIG_H

#include "base/base.h"
#include "wire/ids.h"

struct lab_enb_config {
    const char *name;
    uint32_t id; /* 20 bits: a macro eNodeB */
    struct plmn plmn;
    uint16_t tac;
    struct sockaddr_storage s1ap; /* our end; port 0: any */
    struct sockaddr_storage mme;
    uint8_t carrier; /* enum sctp_carrier */
    uint16_t udp_port, mme_udp_port;
    struct in_addr gtpu;
};

enum lab_pdn_type { LAB_IPV4, LAB_IPV6, LAB_IPV4V6 };

/* `count` phones with consecutive IMSIs and the same keys. */
struct lab_phones_config {
    char imsi[IMSI_SIZE];
    uint32_t count;
    uint8_t k[16];
    const char *op, *opc; /* one of them */
    const char *imeisv;
    const char *apn; /* NULL: the subscription's default */
    uint8_t pdn_type;
    bool tun;
    const char *enb; /* name; NULL: spread over all */
};

enum lab_action {
    LAB_ATTACH,
    LAB_DETACH,
    LAB_IDLE,
    LAB_SERVICE_REQUEST,
    LAB_TAU,
    LAB_MOVE,
    LAB_REBOOT,
    LAB_PING,
    LAB_PAGE,
    LAB_THROUGHPUT,
    LAB_SLEEP,
    LAB_ACTIONS
};

struct lab_step_config {
    uint8_t action;
    const char *phones; /* "all", "1-3,7" */
    uint32_t rate;      /* operations started per second; 0: as fast as the window allows */
    uint32_t window;    /* operations under way at once */
    const char *to;     /* address for ping and throughput */
    uint32_t count;
    uint32_t seconds;
    uint32_t duration_ms;
    uint8_t expect; /* 0: success, 1: reject */
};

struct lab_scenario_config {
    const char *name;
    const char *about;
    struct {
        struct lab_step_config *at;
        size_t count;
    } steps;
};

struct lab_config {
    struct {
        struct lab_enb_config *at;
        size_t count;
    } enbs;
    struct {
        struct lab_phones_config *at;
        size_t count;
    } phones;
    struct {
        struct lab_scenario_config *at;
        size_t count;
    } scenarios;
    uint16_t mtu; /* of the phones' TUN when the network does not tell one */
};

extern const char *const lab_action_names[];

#endif
