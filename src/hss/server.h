/*
 * server.h -- the running HSS: what its files share.
 *
 *   s6a.c        requests from MMEs: AIR, ULR, PUR, NOR
 *   to_mme.c     requests to MMEs: CLR, IDR, RSR
 *   profile.c    a record as Subscription-Data
 *   provision.c  subscribers added, changed and deleted while it runs, by the control socket
 *   seed.c       who is in the database from the start: a CSV file, test SIMs
 *   server.c     configuration, start and end, state and metrics
 */
#ifndef STROWGER_HSS_SERVER_H
#define STROWGER_HSS_SERVER_H

#include "base/base.h"
#include "hss/auth.h"
#include "link/diameter_peer.h"

/* SIMs with consecutive IMSIs and one key: for tests and load, not for people. */
struct hss_test_sims {
    char imsi[IMSI_SIZE];
    uint32_t count;
    const char *k, *op, *opc; /* as in a record */
    const char *apns;         /* NULL: the profile's */
};

/* Section `hss:`. */
struct hss_config {
    struct diameter_config diameter;
    const char *database; /* a file; relative to the run directory; ":memory:" */
    const char *import;   /* CSV, imported at start; relative to the configuration file */
    struct {
        struct hss_test_sims *at;
        size_t count;
    } test_sims;
    struct {
        struct plmn *at;
        size_t count;
    } plmns; /* networks the subscribers may register in; none: any */
    struct hss_profile profile;
    uint32_t cache_subscribers;
    uint32_t commit_ms;
};

extern const struct config_schema hss_config_schema;

/* Where the database of this configuration is. 0 or -ENAMETOOLONG. */
int hss_database_path(const struct hss_config *config, const char *run_directory, char *path,
                      size_t size);

/* An MME that has ever registered a subscriber, or asked; found by its number in the store. */
struct hss_mme {
    char *host, *realm;
    bool reset_due; /* it has to be told that we may have forgotten */
};

enum hss_metric {
    HSS_AIR,
    HSS_AIR_REFUSED,
    HSS_ULR,
    HSS_ULR_REFUSED,
    HSS_PUR,
    HSS_NOR,
    HSS_VECTORS,
    HSS_RESYNCS,
    HSS_RESYNCS_REFUSED,
    HSS_CLR,
    HSS_IDR,
    HSS_RSR,
    HSS_TO_MME_FAILED,
    HSS_SUBSCRIBERS_CACHED,
    HSS_CACHE_HITS,
    HSS_CACHE_MISSES,
    HSS_COMMITS,
    HSS_ROWS_WRITTEN,
    HSS_STORE_FAILURES,
    HSS_METRICS
};

struct hss {
    struct hss_config config;
    struct hss_store *store;
    struct hss_cache cache;
    struct diameter_node *node;
    struct hss_mme *mmes; /* [0] is not used: numbers begin at 1 */
    uint32_t mme_count;   /* places in mmes */
    uint32_t to_mme;      /* requests to MMEs that wait for their answers */
    bool was_orderly;     /* the end of the run before this */
    bool served;          /* this one came so far that MMEs could ask */
};

extern struct metric hss_metrics[HSS_METRICS];

static inline void hss_count(enum hss_metric which)
{
    metric_add(&hss_metrics[which], 1);
}

/* The MME's number; adds it. 0 or negative errno. */
int hss_mme_number(struct hss *hss, struct bytes host, struct bytes realm, uint32_t *mme);
/* NULL when there is no such number. */
struct hss_mme *hss_mme(const struct hss *hss, uint32_t mme);

/* ---- s6a.c ---- */
extern const struct diameter_service hss_services[];
extern const size_t hss_service_count;

/* ---- to_mme.c: each starts a fiber and returns ---- */
void hss_send_clr(struct hss *hss, const char *imsi, uint32_t mme, enum s6a_cancellation_type type);
void hss_send_idr(struct hss *hss, const char *imsi, uint32_t mme);
void hss_send_rsr(struct hss *hss, uint32_t mme);

/* ---- profile.c ---- */

/* Storage for a Subscription-Data made from a record, which must stay as long as it is used. */
struct hss_profile_place {
    struct s6a_subscription_data data;
    struct s6a_apn_configuration_profile profile;
    struct s6a_ambr ambr;
    uint32_t status, access_mode, restriction, rfsp, timer, odb, extended[2];
    char msisdn[MSISDN_SIZE];
    struct hss_apn_place {
        struct s6a_eps_subscribed_qos_profile qos;
        uint32_t may_pre_empt, may_be_pre_empted;
        struct s6a_ambr ambr;
        uint32_t extended[2];
        struct diameter_address addresses[2];
    } apns[HSS_MAX_APNS];
    struct s6a_apn_configuration configurations[HSS_MAX_APNS];
};

struct s6a_subscription_data *hss_subscription_data(const struct hss_subscriber *subscriber,
                                                    struct hss_profile_place *place);

/* ---- provision.c ---- */
extern const struct control_route hss_routes[];
extern const size_t hss_route_count;

/* ---- server.c ---- */

/* The process's one HSS. */
struct hss *hss_running(void);

/* With config filled: opens the database and counts the run; opens the Diameter node; frees all but
 * the node. */
int hss_open(struct hss *hss, const char *database);
int hss_serve(struct hss *hss);

/* seed.c: adds what the configuration names and the database does not have yet (`import`,
 * `test_sims`). 0 or negative errno with the reason logged. */
int hss_seed(struct hss *hss, const struct config *config);
void hss_close(struct hss *hss);

#endif
